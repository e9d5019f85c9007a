/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an application may do to a pipeline at any moment, many times over: nothing
 * stands still, no memory is left behind, of the process or of the device, and
 * frames flow on. FOVEA_STORM_CYCLES says how often (docs/soak.md). */
#include "tests/element-models.h"
#include "tests/element-test.h"
#include "tests/storm-test.h"

#define CYCLES 50
#define WAIT (60 * GST_SECOND)
#define SOURCE \
  "videotestsrc is-live=true ! video/x-raw,format=I420,width=64,height=48," \
  "framerate=200/1"

static char *segment, *segment_free;

static void
make_models (void)
{
  segment = element_model_segment ("segment.onnx", FALSE);
  segment_free = element_model_segment ("free.onnx", TRUE);
}

static void
free_models (void)
{
  g_clear_pointer (&segment, g_free);
  g_clear_pointer (&segment_free, g_free);
}

static FvDevice *
open_device (void)
{
  g_autoptr (GError) error = NULL;
  FvDevice *device = fv_device_open (NULL, &error);

  ck_assert_msg (device != NULL, "%s", error ? error->message : "");
  return device;
}

static void
play (GstElement *pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  ck_assert_int_ne (gst_element_get_state (pipeline, NULL, NULL, WAIT),
      GST_STATE_CHANGE_FAILURE);
}

/* Nobody else reads its messages, which would gather. */
static void
read_messages (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  while ((message = gst_bus_pop (bus))) {
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
      g_autoptr (GError) error = NULL;
      g_autofree char *debug = NULL;

      gst_message_parse_error (message, &error, &debug);
      ck_abort_msg ("%s (%s)", error->message, debug);
    }
    gst_message_unref (message);
  }
}

/* Nor of the events that a harness keeps. */
static void
read_events (GstHarness *harness)
{
  GstEvent *event;

  while ((event = gst_harness_try_pull_event (harness)))
    gst_event_unref (event);
  while ((event = gst_harness_try_pull_upstream_event (harness)))
    gst_event_unref (event);
}

/* Until @n more frames than now have left the element. */
static void
wait_for_frames (GstElement *net, guint64 n)
{
  n += element_test_stat (net, "frames-out");
  while (element_test_stat (net, "frames-out") < n)
    g_usleep (500);
}

/* What plays on keeps as many results as were held at most; it gives all of them
 * back for a moment. */
static void
look_in_ready (Storm *storm, GstElement *pipeline)
{
  read_messages (pipeline);
  if (storm->cycle % 5 != 4) {
    storm_step (storm);
    return;
  }
  gst_element_set_state (pipeline, GST_STATE_READY);
  storm_look (storm);
  play (pipeline);
}

/* ---- states ---- */

/* Up from NULL and back at any moment. */
static void
up_and_down (GstElement *pipeline, guint cycle)
{
  gst_element_set_state (pipeline,
      cycle % 7 == 3 ? GST_STATE_PAUSED : GST_STATE_PLAYING);
  if (cycle % 4)
    gst_element_get_state (pipeline, NULL, NULL, WAIT);
  g_usleep (cycle % 5 * 4000);
  if (cycle % 6 == 5) {
    gst_element_set_state (pipeline, GST_STATE_READY);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* What one device has made by the time that frames flow. */
static StormBare
count_bare (GstElement *pipeline)
{
  g_autoptr (GstElement) net = gst_bin_get_by_name (GST_BIN (pipeline), "net");
  g_autoptr (FvDevice) device = NULL;
  FvDeviceCounters counters;

  play (pipeline);
  device = open_device ();
  wait_for_frames (net, 5);
  fv_device_counters (device, &counters);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return (StormBare){ TRUE, (guint) counters.pipelines,
    (guint) counters.recorded_command_buffers, (guint) counters.allocations };
}

/* Each time with a device of its own, and with one that somebody else keeps. */
START_TEST (test_states)
{
  g_autofree char *line = g_strdup_printf (SOURCE
      " ! foveasegment name=net model=\"%s\" ! foveaoverlay ! fakesink",
      segment);
  g_autoptr (GstElement) pipeline = element_test_parse (line);
  StormBare bare = count_bare (pipeline);
  g_autoptr (FvDevice) device = _i ? open_device () : NULL;
  Storm storm;

  bare.device = _i == 0;
  storm_begin (&storm, _i ? "states, one device" : "states, new devices",
      storm_cycles (CYCLES, 1), device);
  storm.bare = bare;
  for (guint i = 0; i < storm.n_cycles; i++) {
    up_and_down (pipeline, i);
    storm_look (&storm);
  }
  play (pipeline);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  storm_end (&storm);
}
END_TEST

/* ---- caps ---- */

static const char *const formats[] = { "NV12", "NV21", "I420", "YV12", "YUY2",
  "UYVY", "GRAY8", "P010_10LE", "RGB", "BGR", "RGBA", "BGRA", "ARGB", "ABGR",
  "RGBx", "BGRx", "xRGB", "xBGR" };

/* Every fifth one is the first again, where memory is looked at. All formats come in
 * 126 cycles of seven sizes; sizes that are new each time are for a net that takes
 * any. */
static GstCaps *
storm_caps (guint cycle, gboolean is_free)
{
  static const guint sizes[][2] = { { 63, 48 }, { 1, 1 }, { 97, 71 }, { 2, 35 },
    { 17, 2 }, { 80, 45 }, { 51, 33 } };
  const guint *size = sizes[cycle * 5 % G_N_ELEMENTS (sizes)];
  const char *format = formats[cycle % G_N_ELEMENTS (formats)];

  if (cycle % 5 == 4)
    return element_test_caps ("I420", 64, 48);
  if (is_free)
    return element_test_caps (format, 1 + cycle * 37 % 97, 1 + cycle * 53 % 71);
  return element_test_caps (format, size[0], size[1]);
}

typedef struct
{
  GstHarness *harness;
  gboolean is_free;
  GQueue expected; /* GstCaps, owned, of the frames inside */
  guint n_pushed;
} Changes;

/* Each frame comes out as it went in, with a mask of its own. */
static void
pull_frame (Changes *changes)
{
  g_autoptr (GstCaps) caps = g_queue_pop_head (&changes->expected);
  GstBuffer *out = gst_harness_pull (changes->harness);
  GstFoveaSegmentationMeta *mask;
  GstVideoInfo info;

  ck_assert_ptr_nonnull (out);
  ck_assert (gst_video_info_from_caps (&info, caps));
  ck_assert_uint_eq (gst_buffer_get_size (out), info.size);
  mask = gst_fovea_buffer_get_segmentation (out, NULL);
  ck_assert_ptr_nonnull (mask);
  ck_assert_uint_eq (mask->map->pts, GST_BUFFER_PTS (out));
  gst_buffer_unref (out);
}

/* With the frames of the caps before still under way. */
static void
change_caps (Changes *changes, guint cycle)
{
  g_autoptr (GstCaps) caps = storm_caps (cycle, changes->is_free);

  gst_harness_set_src_caps (changes->harness, gst_caps_ref (caps));
  for (guint k = 0; k < 1 + cycle % 4; k++) {
    ck_assert_int_eq (gst_harness_push (changes->harness,
                          element_test_frame (caps, 200, changes->n_pushed++)),
        GST_FLOW_OK);
    g_queue_push_tail (&changes->expected, gst_caps_ref (caps));
  }
  while (cycle % 5 == 4 && !g_queue_is_empty (&changes->expected))
    pull_frame (changes);
  read_events (changes->harness);
}

START_TEST (test_caps)
{
  g_autofree char *line =
      g_strdup_printf ("foveasegment model=\"%s\" "
                       "max-in-flight=3 on-overload=block ! foveaoverlay",
          _i ? segment_free : segment);
  g_autoptr (FvDevice) device = open_device ();
  Changes changes = { gst_harness_new_parse (line), _i == 1, G_QUEUE_INIT };
  Storm storm;

  storm_begin (&storm, _i ? "caps, free input" : "caps",
      storm_cycles (CYCLES, 1), device);
  /* what the driver compiles for each format stays with the device */
  for (guint i = 0; i < storm_warm_up (126); i++)
    change_caps (&changes, i);
  for (guint i = 0; i < storm.n_cycles; i++) {
    change_caps (&changes, i);
    if (i % 5 == 4)
      storm_look (&storm);
    else
      storm_step (&storm);
  }
  while (!g_queue_is_empty (&changes.expected))
    pull_frame (&changes);
  gst_harness_teardown (changes.harness);
  storm_end (&storm);
}
END_TEST

/* ---- flushes ---- */

#define MOST_HELD 8 /* frames that nobody pulled yet */

typedef struct
{
  GstHarness *harness;
  GstBuffer *frame;
  GMutex streaming; /* as a source's streaming thread holds while it pushes */
  gint stopped; /* atomic */
  guint n_pushed;
} Source;

/* libcheck's assertions are for one thread: there is none in the others. */
static gpointer
stream_frames (gpointer data)
{
  Source *source = data;

  while (!g_atomic_int_get (&source->stopped)) {
    GstBuffer *frame;

    /* less than none while somebody waits for one */
    if ((gint) gst_harness_buffers_in_queue (source->harness) >= MOST_HELD) {
      g_usleep (200);
      continue;
    }
    g_mutex_lock (&source->streaming);
    frame = gst_buffer_copy_deep (source->frame);
    GST_BUFFER_PTS (frame) = source->n_pushed++ * (GST_SECOND / 25);
    gst_harness_push (source->harness, frame);
    g_mutex_unlock (&source->streaming);
    g_thread_yield ();
  }
  return NULL;
}

static void
flush (Source *source, guint cycle)
{
  GstSegment all;

  gst_segment_init (&all, GST_FORMAT_TIME);
  ck_assert (
      gst_harness_push_event (source->harness, gst_event_new_flush_start ()));
  g_usleep (cycle % 3 * 300);
  g_mutex_lock (&source->streaming);
  ck_assert (gst_harness_push_event (source->harness,
      gst_event_new_flush_stop (cycle % 2 == 0)));
  ck_assert (
      gst_harness_push_event (source->harness, gst_event_new_segment (&all)));
  g_mutex_unlock (&source->streaming);
}

START_TEST (test_flushes)
{
  static const char *const modes[] = { "max-in-flight=3 on-overload=block",
    "sync-mode=live on-overload=skip-inference" };
  g_autofree char *line =
      g_strdup_printf ("foveasegment model=\"%s\" input-width=320 "
                       "input-height=240 %s ! foveaoverlay",
          segment_free, modes[_i]);
  g_autoptr (FvDevice) device = open_device ();
  g_autoptr (GstCaps) caps = element_test_caps ("I420", 64, 48);
  Source source = { .harness = gst_harness_new_parse (line),
    .frame = element_test_frame (caps, 200, 0) };
  GThread *thread;
  Storm storm;

  g_mutex_init (&source.streaming);
  gst_harness_set_src_caps (source.harness, gst_caps_ref (caps));
  storm_begin (&storm, _i ? "flushes, live" : "flushes",
      storm_cycles (CYCLES, 1), device);
  storm.spread = 0.25;
  thread = g_thread_new ("source", stream_frames, &source);
  for (guint i = 0; i < storm.n_cycles; i++) {
    GstBuffer *out;

    g_usleep (i % 7 * 500);
    flush (&source, i);
    /* one comes through after each flush */
    out = gst_harness_pull (source.harness);
    ck_assert_ptr_nonnull (out);
    do
      gst_buffer_unref (out);
    while ((out = gst_harness_try_pull (source.harness)));
    read_events (source.harness);
    storm_look (&storm);
  }
  g_atomic_int_set (&source.stopped, TRUE);
  g_thread_join (thread);
  gst_harness_teardown (source.harness);
  gst_buffer_unref (source.frame);
  g_mutex_clear (&source.streaming);
  storm_end (&storm);
}
END_TEST

typedef struct
{
  GstElement *pipeline;
  guint n;
} Seeker;

static gpointer
seek (gpointer data)
{
  Seeker *seeker = data;

  for (guint i = 0; i < seeker->n; i++) {
    gst_element_seek_simple (seeker->pipeline, GST_FORMAT_TIME,
        GST_SEEK_FLAG_FLUSH, i % 11 * GST_SECOND);
    if (i % 3 == 0)
      g_usleep (i % 4 * 700);
  }
  return NULL;
}

/* From two threads at once, as impatient users do. */
START_TEST (test_seeks)
{
  g_autofree char *line = g_strdup_printf (
      "videotestsrc ! video/x-raw,format=NV12,width=64,height=48 ! "
      "foveasegment name=net model=\"%s\" ! foveaoverlay ! fakesink sync=%s",
      segment, _i ? "true" : "false");
  g_autoptr (GstElement) pipeline = element_test_parse (line);
  g_autoptr (GstElement) net = gst_bin_get_by_name (GST_BIN (pipeline), "net");
  g_autoptr (FvDevice) device = open_device ();
  Storm storm;

  storm_begin (&storm, _i ? "seeks, in time" : "seeks",
      storm_cycles (CYCLES, 5), device);
  play (pipeline);
  for (guint i = 0; i < storm.n_cycles; i++) {
    Seeker seeker = { pipeline, 3 };
    GThread *other = g_thread_new ("seeker", seek, &seeker);

    seek (&seeker);
    g_thread_join (other);
    gst_element_get_state (pipeline, NULL, NULL, WAIT);
    wait_for_frames (net, 2);
    look_in_ready (&storm, pipeline);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  storm_end (&storm);
}
END_TEST

/* ---- several ---- */

/* (nullable) (transfer full): what went wrong */
static gpointer
live_and_die (gpointer data)
{
  g_autofree char *line = g_strdup_printf (
      "videotestsrc num-buffers=3 ! video/x-raw,format=RGB,width=64,height=48 "
      "! foveasegment model=\"%s\" ! foveaoverlay ! fakesink",
      (const char *) data);
  g_autoptr (GstElement) pipeline =
      gst_object_ref_sink (gst_parse_launch (line, NULL));
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, WAIT,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  if (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return message ? error ? g_strdup (error->message) : NULL
                 : g_strdup ("neither EOS nor an error");
}

/* The last one takes the device along, while the next ones open it. */
START_TEST (test_parallel)
{
  GThread *threads[4];
  Storm storm;

  storm_begin (&storm, "parallel pipelines",
      storm_cycles (CYCLES, G_N_ELEMENTS (threads)), NULL);
  storm.bare = (StormBare){ TRUE, 40, 40, 80 };
  for (guint i = 0; i < storm.n_cycles; i++) {
    for (guint k = 0; k < G_N_ELEMENTS (threads); k++)
      threads[k] = g_thread_new ("pipeline", live_and_die, segment);
    for (guint k = 0; k < G_N_ELEMENTS (threads); k++) {
      g_autofree char *error = g_thread_join (threads[k]);

      ck_assert_msg (error == NULL, "%s", error);
    }
    storm_look (&storm);
  }
  storm_end (&storm);
}
END_TEST

/* Another element comes and goes on the device of one that plays on. */
START_TEST (test_two_on_a_device)
{
  g_autofree char *line = g_strdup_printf (SOURCE
      " ! foveasegment name=net model=\"%s\" ! foveaoverlay ! fakesink",
      segment);
  g_autoptr (GstElement) pipeline = element_test_parse (line);
  g_autoptr (GstElement) net = gst_bin_get_by_name (GST_BIN (pipeline), "net");
  g_autoptr (FvDevice) device = open_device ();
  Storm storm;

  storm_begin (&storm, "two on a device", storm_cycles (CYCLES, 1), device);
  play (pipeline);
  wait_for_frames (net, 20);
  for (guint i = 0; i < storm.n_cycles; i++) {
    g_autoptr (GstElement) other = element_test_parse (line);

    up_and_down (other, i);
    wait_for_frames (net, 1);
    look_in_ready (&storm, pipeline);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  storm_end (&storm);
}
END_TEST

/* ---- elements and branches that come and go ---- */

typedef struct
{
  GstElement *pipeline, *before, *after, *net;
  GMutex lock;
  GCond changed;
  gboolean is_done;
} Exchange;

static GstElement *
make_net (void)
{
  GstElement *net = gst_element_factory_make ("foveasegment", NULL);

  g_object_set (net, "model", segment, NULL);
  return net;
}

/* The streaming thread is held: the element goes with its frames under way, and
 * another one comes in its place. */
static GstPadProbeReturn
exchange (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Exchange *x = data;

  gst_element_unlink_many (x->before, x->net, x->after, NULL);
  gst_element_set_state (x->net, GST_STATE_NULL);
  gst_bin_remove (GST_BIN (x->pipeline), x->net);
  x->net = make_net ();
  gst_bin_add (GST_BIN (x->pipeline), x->net);
  gst_element_link_many (x->before, x->net, x->after, NULL);
  gst_element_sync_state_with_parent (x->net);
  g_mutex_lock (&x->lock);
  x->is_done = TRUE;
  g_cond_signal (&x->changed);
  g_mutex_unlock (&x->lock);
  return GST_PAD_PROBE_REMOVE;
}

static void
exchange_now (Exchange *x)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (x->before, "src");

  x->is_done = FALSE;
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM, exchange, x,
      NULL);
  g_mutex_lock (&x->lock);
  while (!x->is_done)
    g_cond_wait (&x->changed, &x->lock);
  g_mutex_unlock (&x->lock);
}

START_TEST (test_exchange)
{
  g_autoptr (GstElement) pipeline = element_test_parse (
      SOURCE " ! identity name=before ! identity name=after ! foveaoverlay ! "
             "fakesink");
  g_autoptr (GstElement) before =
      gst_bin_get_by_name (GST_BIN (pipeline), "before");
  g_autoptr (GstElement) after =
      gst_bin_get_by_name (GST_BIN (pipeline), "after");
  g_autoptr (FvDevice) device = open_device ();
  Exchange x = { pipeline, before, after, make_net () };
  Storm storm;

  g_mutex_init (&x.lock);
  g_cond_init (&x.changed);
  gst_element_unlink (before, after);
  gst_bin_add (GST_BIN (pipeline), x.net);
  ck_assert (gst_element_link_many (before, x.net, after, NULL));
  storm_begin (&storm, "exchanged elements", storm_cycles (CYCLES, 1), device);
  play (pipeline);
  for (guint i = 0; i < storm.n_cycles; i++) {
    wait_for_frames (x.net, 1 + i % 4);
    exchange_now (&x);
    look_in_ready (&storm, pipeline);
  }
  wait_for_frames (x.net, 3);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_mutex_clear (&x.lock);
  g_cond_clear (&x.changed);
  storm_end (&storm);
}
END_TEST

typedef struct
{
  GstElement *branch;
  GstPad *tee;
} Stream;

static void
stream_add (Stream *stream, GstElement *pipeline, GstElement *tee)
{
  g_autofree char *line = g_strdup_printf (
      "queue ! foveasegment name=net model=\"%s\" ! foveaoverlay ! "
      "fakesink async=false",
      segment);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstPad) pad = NULL;

  stream->branch = gst_parse_bin_from_description (line, TRUE, &error);
  ck_assert_ptr_nonnull (stream->branch);
  gst_bin_add (GST_BIN (pipeline), stream->branch);
  stream->tee = gst_element_request_pad_simple (tee, "src_%u");
  pad = gst_element_get_static_pad (stream->branch, "sink");
  /* its pads refuse what comes before, and tee would stop for that */
  ck_assert (gst_element_sync_state_with_parent (stream->branch));
  ck_assert_int_eq (gst_pad_link (stream->tee, pad), GST_PAD_LINK_OK);
}

static GstPadProbeReturn
unlink_stream (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  g_autoptr (GstPad) peer = gst_pad_get_peer (pad);

  if (peer)
    gst_pad_unlink (pad, peer);
  g_atomic_int_set ((gint *) data, TRUE);
  return GST_PAD_PROBE_REMOVE;
}

static void
stream_remove (Stream *stream, GstElement *pipeline, GstElement *tee)
{
  gint is_unlinked = FALSE;

  gst_pad_add_probe (stream->tee, GST_PAD_PROBE_TYPE_IDLE, unlink_stream,
      &is_unlinked, NULL);
  while (!g_atomic_int_get (&is_unlinked))
    g_usleep (200);
  gst_element_set_state (stream->branch, GST_STATE_NULL);
  gst_bin_remove (GST_BIN (pipeline), stream->branch);
  gst_element_release_request_pad (tee, stream->tee);
  gst_object_unref (stream->tee);
}

/* Up to three streams beside one that stays. */
START_TEST (test_streams)
{
  g_autoptr (GstElement) pipeline =
      element_test_parse (SOURCE " ! tee name=tee ! queue ! fakesink");
  g_autoptr (GstElement) tee = gst_bin_get_by_name (GST_BIN (pipeline), "tee");
  g_autoptr (FvDevice) device = open_device ();
  Stream streams[3];
  Storm storm;

  storm_begin (&storm, "streams", storm_cycles (CYCLES, 5), device);
  play (pipeline);
  for (guint i = 0; i < storm.n_cycles; i++) {
    for (guint k = 0; k < G_N_ELEMENTS (streams); k++)
      stream_add (&streams[k], pipeline, tee);
    for (guint k = 0; k < G_N_ELEMENTS (streams); k++) {
      Stream *stream = &streams[(k + i) % G_N_ELEMENTS (streams)];
      g_autoptr (GstElement) net =
          gst_bin_get_by_name (GST_BIN (stream->branch), "net");

      if (i % 3)
        wait_for_frames (net, i % 3);
      stream_remove (stream, pipeline, tee);
    }
    read_messages (pipeline);
    storm_look (&storm);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  storm_end (&storm);
}
END_TEST

static void
add_case (Suite *suite, const char *name, const TTest *test, gint n)
{
  TCase *tcase = tcase_create (name);

  tcase_add_unchecked_fixture (tcase, make_models, free_models);
  tcase_add_checked_fixture (tcase, NULL, storm_forget);
  tcase_add_loop_test (tcase, test, 0, n);
  suite_add_tcase (suite, tcase);
}

/* CK_RUN_CASE chooses one. */
int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("storm");

  add_case (suite, "states", test_states, 2);
  add_case (suite, "caps", test_caps, 2);
  add_case (suite, "flushes", test_flushes, 2);
  add_case (suite, "seeks", test_seeks, 2);
  add_case (suite, "parallel", test_parallel, 1);
  add_case (suite, "two", test_two_on_a_device, 1);
  add_case (suite, "exchange", test_exchange, 1);
  add_case (suite, "streams", test_streams, 1);
  return element_test_main (&argc, &argv, suite);
}
