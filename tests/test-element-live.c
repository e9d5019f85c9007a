/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames that come faster than the model takes: what leaves, in which order, with
 * whose result, how late, and how that is counted. */
#include <stdlib.h>
#include "tests/element-models.h"
#include "tests/element-test.h"

/* The model with a large input: some ten milliseconds a frame. */
#define SLOW "input-width=800 input-height=600"
#define SLOWER "input-width=1600 input-height=1200"
#define FRAME (GST_SECOND / 25)

static char *segment, *slow;

static void
make_models (void)
{
  segment = element_model_segment ("segment.onnx", FALSE);
  slow = element_model_segment ("slow.onnx", TRUE);
}

static void
free_models (void)
{
  g_clear_pointer (&segment, g_free);
  g_clear_pointer (&slow, g_free);
}

typedef struct
{
  GstCaps *caps;
  GstHarness *harness;
  GstBus *bus;
  guint n_pushed;
} Fixture;

static void
fixture_init (Fixture *f, const char *model, const char *properties)
{
  memset (f, 0, sizeof *f);
  f->caps = element_test_caps ("GRAY8", 64, 48);
  f->harness = element_test_harness ("foveasegment", model, properties, NULL);
  f->bus = gst_bus_new ();
  gst_element_set_bus (f->harness->element, f->bus);
  gst_harness_set_src_caps (f->harness, gst_caps_ref (f->caps));
}

static void
fixture_clear (Fixture *f)
{
  gst_element_set_bus (f->harness->element, NULL);
  gst_object_unref (f->bus);
  gst_harness_teardown (f->harness);
  gst_caps_unref (f->caps);
}

static void
push (Fixture *f)
{
  ck_assert_int_eq (gst_harness_push (f->harness,
                        element_test_frame (f->caps, 200, f->n_pushed)),
      GST_FLOW_OK);
  f->n_pushed++;
}

static guint64
counter (Fixture *f, const char *name)
{
  return element_test_stat (f->harness->element, name);
}

/* The timestamp of the result that @buffer carries; NONE without one. */
static GstClockTime
result_time (GstBuffer *buffer)
{
  GstFoveaSegmentationMeta *meta =
      gst_fovea_buffer_get_segmentation (buffer, NULL);

  return meta ? meta->map->pts : GST_CLOCK_TIME_NONE;
}

/* Behind the last frame: all counters, which add up. */
static void
check_books (Fixture *f, guint64 n_out, guint64 n_dropped)
{
  ck_assert (gst_harness_push_event (f->harness, gst_event_new_eos ()));
  for (;;) {
    GstEvent *event = gst_harness_pull_event (f->harness);
    gboolean is_end;

    ck_assert_ptr_nonnull (event);
    is_end = GST_EVENT_TYPE (event) == GST_EVENT_EOS;
    gst_event_unref (event);
    if (is_end)
      break;
  }
  ck_assert_uint_eq (counter (f, "frames-in"), f->n_pushed);
  ck_assert_uint_eq (counter (f, "frames-out"), n_out);
  ck_assert_uint_eq (counter (f, "dropped"), n_dropped);
  ck_assert_uint_eq (counter (f, "inferred") + counter (f, "skipped"), n_out);
  ck_assert_uint_eq (counter (f, "in-flight"), 0);
}

static guint
count_messages (Fixture *f, GstMessageType type)
{
  GstMessage *message;
  guint n = 0;

  while ((message = gst_bus_pop_filtered (f->bus, type))) {
    n++;
    gst_message_unref (message);
  }
  return n;
}

/* Fewer than make the first one leave without its result. */
#define MANY 24

/* Every frame comes out, in its place, and none with a result of its future. */
START_TEST (test_skip)
{
  GstClockTime last = GST_CLOCK_TIME_NONE;
  guint64 n_own = 0;
  Fixture f;

  fixture_init (&f, slow, SLOW " on-overload=skip-inference");
  for (guint i = 0; i < MANY; i++)
    push (&f);
  for (guint i = 0; i < MANY; i++) {
    GstBuffer *out = gst_harness_pull (f.harness);
    GstClockTime time = result_time (out);

    ck_assert_uint_eq (GST_BUFFER_PTS (out), i * FRAME);
    ck_assert (GST_CLOCK_TIME_IS_VALID (time));
    ck_assert_uint_le (time, GST_BUFFER_PTS (out));
    ck_assert (last == GST_CLOCK_TIME_NONE || time >= last);
    n_own += time == GST_BUFFER_PTS (out);
    last = time;
    gst_buffer_unref (out);
  }
  check_books (&f, MANY, 0);
  ck_assert_uint_eq (counter (&f, "inferred"), n_own);
  ck_assert_uint_gt (counter (&f, "skipped"), 0);
  ck_assert_uint_eq (count_messages (&f, GST_MESSAGE_QOS), MANY - n_own);
  fixture_clear (&f);
}
END_TEST

/* What comes out has its own result. */
START_TEST (test_drop)
{
  guint64 n_dropped;
  Fixture f;

  fixture_init (&f, slow, SLOW " on-overload=drop");
  for (guint i = 0; i < MANY; i++)
    push (&f);
  n_dropped = counter (&f, "dropped");
  ck_assert_uint_gt (n_dropped, 0);
  for (guint i = 0; i < MANY - n_dropped; i++) {
    GstBuffer *out = gst_harness_pull (f.harness);

    ck_assert_uint_eq (result_time (out), GST_BUFFER_PTS (out));
    gst_buffer_unref (out);
  }
  check_books (&f, MANY - n_dropped, n_dropped);
  ck_assert_uint_eq (counter (&f, "skipped"), 0);
  ck_assert_uint_eq (count_messages (&f, GST_MESSAGE_QOS), n_dropped);
  fixture_clear (&f);
}
END_TEST

/* What 24 frames behind one that waits, those on the device and as many again make. */
#define ROOM (2 * (24 + 2))

/* However many frames come while the model works, few are inside: those that wait
 * for a result leave with an older one. */
START_TEST (test_room)
{
  guint64 n_inside, n_most = 0;
  Fixture f;

  fixture_init (&f, slow, SLOWER " on-overload=skip-inference");
  for (guint i = 0; i < 10 * MANY; i++) {
    push (&f);
    n_inside = f.n_pushed - counter (&f, "frames-out");
    n_most = MAX (n_most, n_inside);
  }
  ck_assert_uint_le (n_most, ROOM);
  for (guint i = 0; i < 10 * MANY; i++) {
    GstBuffer *out = gst_harness_pull (f.harness);

    ck_assert_uint_eq (GST_BUFFER_PTS (out), i * FRAME);
    gst_buffer_unref (out);
  }
  check_books (&f, 10 * MANY, 0);
  fixture_clear (&f);
}
END_TEST

static GstPadProbeReturn
hold (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  return GST_PAD_PROBE_OK;
}

static gpointer
push_many (gpointer data)
{
  for (guint i = 0; i < 2 * ROOM; i++)
    push (data);
  return NULL;
}

/* Downstream takes no frame and says that it may: as many wait as there is room for,
 * then upstream does, or frames are dropped. */
START_TEST (test_held)
{
  gboolean is_dropping = _i;
  guint64 n_most = ROOM + 1 + !is_dropping, n_dropped;
  g_autoptr (GstPad) pad = NULL;
  GThread *thread;
  gulong probe;
  Fixture f;

  fixture_init (&f, segment,
      is_dropping ? "inference-interval=1000 on-overload=drop"
                  : "inference-interval=1000 on-overload=skip-inference");
  pad = gst_element_get_static_pad (f.harness->element, "src");
  ck_assert (gst_harness_push_upstream_event (f.harness,
      gst_event_new_latency (1000 * GST_SECOND)));
  probe = gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER, hold, NULL, NULL);
  thread = g_thread_new ("push", push_many, &f);
  while (counter (&f, "frames-in") < (is_dropping ? 2 * ROOM : n_most))
    g_usleep (1000);
  g_usleep (20000);
  n_dropped = counter (&f, "dropped");
  ck_assert_uint_le (counter (&f, "frames-in") - n_dropped, n_most);
  ck_assert_uint_ge (counter (&f, "frames-in") - n_dropped, ROOM);
  ck_assert_int_eq (n_dropped > 0, is_dropping);
  gst_pad_remove_probe (pad, probe);
  g_thread_join (thread);
  check_books (&f, 2 * ROOM - n_dropped, n_dropped);
  fixture_clear (&f);
}
END_TEST

/* Upstream waits: one more frame than are inside, at most, has been pushed. */
START_TEST (test_block)
{
  g_autofree char *properties =
      g_strdup_printf (SLOW " on-overload=block max-in-flight=%d", _i);
  Fixture f;

  fixture_init (&f, slow, properties);
  for (guint i = 0; i < 12; i++) {
    push (&f);
    ck_assert_uint_le (counter (&f, "in-flight"), _i);
  }
  for (guint i = 0; i < 12; i++) {
    GstBuffer *out = gst_harness_pull (f.harness);

    ck_assert_uint_eq (result_time (out), i * FRAME);
    gst_buffer_unref (out);
  }
  check_books (&f, 12, 0);
  ck_assert_uint_eq (counter (&f, "inferred"), 12);
  ck_assert_uint_eq (count_messages (&f, GST_MESSAGE_QOS), 0);
  fixture_clear (&f);
}
END_TEST

/* Frames do not wait for the model; its results come with later ones. */
START_TEST (test_live)
{
  guint n_early = 0;
  Fixture f;

  fixture_init (&f, slow, SLOW " sync-mode=live on-overload=skip-inference");
  for (guint i = 0; i < MANY; i++) {
    GstBuffer *out;
    GstClockTime time;

    push (&f);
    out = gst_harness_pull (f.harness);
    time = result_time (out);
    ck_assert_uint_eq (GST_BUFFER_PTS (out), i * FRAME);
    ck_assert (time == GST_CLOCK_TIME_NONE || time <= i * FRAME);
    n_early += time != i * FRAME;
    gst_buffer_unref (out);
  }
  ck_assert_uint_gt (n_early, 0);
  /* the newest one is there at last */
  while (counter (&f, "in-flight") > 0)
    g_usleep (1000);
  g_object_set (f.harness->element, "inference-interval", 1000, NULL);
  push (&f);
  {
    GstBuffer *out = gst_harness_pull (f.harness);

    ck_assert (GST_CLOCK_TIME_IS_VALID (result_time (out)));
    gst_buffer_unref (out);
  }
  check_books (&f, MANY + 1, 0);
  fixture_clear (&f);
}
END_TEST

/* With block every frame is inferred, though none waits for it. */
START_TEST (test_live_block)
{
  Fixture f;

  fixture_init (&f, slow, SLOW " sync-mode=live on-overload=block");
  for (guint i = 0; i < 8; i++)
    push (&f);
  check_books (&f, 8, 0);
  ck_assert_uint_eq (counter (&f, "inferred"), 8);
  fixture_clear (&f);
}
END_TEST

START_TEST (test_max_latency)
{
  GstClockTime latency;
  guint n_early = 0;
  Fixture f;

  fixture_init (&f, slow,
      SLOW " max-latency=1000000 on-overload=skip-inference");
  gst_harness_set_upstream_latency (f.harness, 7 * GST_MSECOND);
  latency = gst_harness_query_latency (f.harness);
  ck_assert_uint_eq (latency, 8 * GST_MSECOND);
  for (guint i = 0; i < MANY; i++)
    push (&f);
  for (guint i = 0; i < MANY; i++) {
    GstBuffer *out = gst_harness_pull (f.harness);

    ck_assert_uint_eq (GST_BUFFER_PTS (out), i * FRAME);
    n_early += result_time (out) != GST_BUFFER_PTS (out);
    gst_buffer_unref (out);
  }
  ck_assert_uint_gt (n_early, 0);
  ck_assert_uint_le (gst_harness_query_latency (f.harness), 8 * GST_MSECOND);
  check_books (&f, MANY, 0);
  fixture_clear (&f);
}
END_TEST

/* Frames that were flushed leave nothing behind, whatever was under way. */
START_TEST (test_flush)
{
  static const char *const modes[] = { "", "sync-mode=live", "max-latency=1000",
    "on-overload=drop" };
  g_autofree char *properties = g_strdup_printf (SLOW " %s", modes[_i]);
  Fixture f;

  fixture_init (&f, slow, properties);
  for (guint round = 0; round < 6; round++) {
    GstSegment all;
    GstBuffer *out;

    for (guint i = 0; i < round; i++)
      push (&f);
    ck_assert (
        gst_harness_push_event (f.harness, gst_event_new_flush_start ()));
    ck_assert (
        gst_harness_push_event (f.harness, gst_event_new_flush_stop (TRUE)));
    gst_segment_init (&all, GST_FORMAT_TIME);
    ck_assert (
        gst_harness_push_event (f.harness, gst_event_new_segment (&all)));
    while ((out = gst_harness_try_pull (f.harness)))
      gst_buffer_unref (out);
    push (&f);
    out = gst_harness_pull (f.harness);
    ck_assert_uint_eq (GST_BUFFER_PTS (out), (f.n_pushed - 1) * FRAME);
    ck_assert (result_time (out) == GST_BUFFER_PTS (out)
        || (_i > 0 && result_time (out) == GST_CLOCK_TIME_NONE));
    gst_buffer_unref (out);
  }
  while (counter (&f, "in-flight") > 0)
    g_usleep (1000);
  ck_assert_uint_eq (counter (&f, "inferred") + counter (&f, "skipped"),
      counter (&f, "frames-out"));
  ck_assert_uint_eq (counter (&f, "frames-out") + counter (&f, "dropped"),
      counter (&f, "frames-in"));
  fixture_clear (&f);
}
END_TEST

static gboolean
is_inferred (Fixture *f)
{
  GstBuffer *out;
  gboolean result;

  push (f);
  out = gst_harness_pull (f->harness);
  result = result_time (out) == GST_BUFFER_PTS (out);
  gst_buffer_unref (out);
  return result;
}

static void
send_qos (Fixture *f, GstQOSType type, GstClockTimeDiff difference)
{
  gboolean is_through = FALSE;

  ck_assert (gst_harness_push_upstream_event (f->harness,
      gst_event_new_qos (type, 0.5, difference, 0)));
  while (!is_through) {
    GstEvent *event = gst_harness_pull_upstream_event (f->harness);

    ck_assert_ptr_nonnull (event);
    is_through = GST_EVENT_TYPE (event) == GST_EVENT_QOS;
    gst_event_unref (event);
  }
}

/* Frames that downstream calls late are not inferred, those behind them are; who
 * asked for all gets all. */
START_TEST (test_qos)
{
  Fixture f;

  fixture_init (&f, segment, _i ? "on-overload=block" : "");
  ck_assert (is_inferred (&f));
  send_qos (&f, GST_QOS_TYPE_UNDERFLOW, GST_SECOND / 5);
  /* up to 0.4 s, twice what was said */
  for (guint i = 1; i <= 10; i++)
    ck_assert_int_eq (is_inferred (&f), _i);
  ck_assert (is_inferred (&f));
  ck_assert_uint_eq (count_messages (&f, GST_MESSAGE_QOS), _i ? 0 : 10);
  check_books (&f, 12, 0);
  fixture_clear (&f);
}
END_TEST

START_TEST (test_throttle)
{
  Fixture f;

  fixture_init (&f, segment, "");
  ck_assert (is_inferred (&f));
  send_qos (&f, GST_QOS_TYPE_THROTTLE, GST_SECOND / 10);
  for (guint i = 1; i < 12; i++)
    ck_assert_int_eq (is_inferred (&f), i % 3 == 0);
  check_books (&f, 12, 0);
  fixture_clear (&f);
}
END_TEST

/* A frame in a second is inferred however late all are. */
START_TEST (test_renewal)
{
  guint n = 0;
  Fixture f;

  fixture_init (&f, segment, "");
  ck_assert (is_inferred (&f));
  send_qos (&f, GST_QOS_TYPE_UNDERFLOW, 100 * GST_SECOND);
  for (guint i = 1; i <= 100; i++)
    n += is_inferred (&f);
  ck_assert_uint_eq (n, 4);
  fixture_clear (&f);
}
END_TEST

/* Before the first frame: the warm-up's time, or nothing where frames do not wait;
 * then what was measured; anew when it is another one. */
START_TEST (test_latency)
{
  Fixture f;
  GstClockTime told;
  double p95 = 0;

  fixture_init (&f, slow, SLOW " on-overload=block");
  told = gst_harness_query_latency (f.harness);
  ck_assert_uint_gt (told, GST_MSECOND);
  count_messages (&f, GST_MESSAGE_LATENCY);
  for (guint i = 0; i < 20; i++)
    ck_assert (is_inferred (&f));
  {
    g_autoptr (GstStructure) stats = NULL;

    g_object_get (f.harness->element, "stats", &stats, NULL);
    ck_assert (gst_structure_get_double (stats, "wall-ms-p95", &p95));
  }
  told = gst_harness_query_latency (f.harness);
  ck_assert_double_ge (told / (double) GST_MSECOND, p95);
  ck_assert_double_le (told / (double) GST_MSECOND, p95 * 1.1);
  count_messages (&f, GST_MESSAGE_LATENCY);
  g_object_set (f.harness->element, "sync-mode", 1, NULL);
  ck_assert_uint_eq (count_messages (&f, GST_MESSAGE_LATENCY), 1);
  ck_assert_uint_eq (gst_harness_query_latency (f.harness), 0);
  fixture_clear (&f);
}
END_TEST

/* Told before as next to nothing: what frames really take is announced. */
START_TEST (test_latency_message)
{
  Fixture f;

  fixture_init (&f, slow, SLOW " on-overload=block sync-mode=live");
  gst_harness_query_latency (f.harness);
  g_object_set (f.harness->element, "sync-mode", 0, NULL);
  count_messages (&f, GST_MESSAGE_LATENCY);
  /* told for the last time while it is small */
  g_object_set (f.harness->element, "max-latency", (guint64) 10 * GST_USECOND,
      NULL);
  gst_harness_query_latency (f.harness);
  g_object_set (f.harness->element, "max-latency", (guint64) 0, NULL);
  count_messages (&f, GST_MESSAGE_LATENCY);
  for (guint i = 0; i < 17; i++)
    ck_assert (is_inferred (&f));
  ck_assert_uint_eq (count_messages (&f, GST_MESSAGE_LATENCY), 1);
  fixture_clear (&f);
}
END_TEST

/* ---- a live source that is twice as fast as the model ---- */

typedef struct
{
  GstElement *pipeline;
  GArray
      *ages; /* gint64: running time out of the element - that of the frame */
  guint n_in;
} Watch;

static GstPadProbeReturn
watch_in (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  g_atomic_int_inc (&((Watch *) data)->n_in);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
watch_out (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Watch *watch = data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  gint64 now = (gint64) gst_element_get_current_running_time (watch->pipeline);
  gint64 age = now - (gint64) GST_BUFFER_PTS (buffer);

  g_array_append_val (watch->ages, age);
  return GST_PAD_PROBE_OK;
}

static int
compare_ages (const void *a, const void *b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return (x > y) - (x < y);
}

/* Of the ages from @from on, in seconds. */
static double
percentile (GArray *ages, guint from, double share)
{
  guint n = ages->len - from;
  g_autofree gint64 *sorted =
      g_memdup2 (&g_array_index (ages, gint64, from), n * sizeof (gint64));

  qsort (sorted, n, sizeof *sorted, compare_ages);
  return sorted[(guint) (share * (n - 1))] / (double) GST_SECOND;
}

/* FOVEA_LIVE_SECONDS: with a larger input, for the table in docs/live.md. */
static const char *
source_size (void)
{
  return g_getenv ("FOVEA_LIVE_SECONDS") ? SLOWER : SLOW;
}

/* Frames a second that the model takes here, measured once. */
static double
sustainable_rate (void)
{
  static double rate = 0;
  g_autofree char *properties =
      g_strdup_printf ("%s on-overload=block", source_size ());
  gint64 start;
  Fixture f;

  if (rate > 0)
    return rate;
  fixture_init (&f, slow, properties);
  for (guint i = 0; i < 4; i++)
    ck_assert (is_inferred (&f));
  start = g_get_monotonic_time ();
  for (guint i = 0; i < 12; i++)
    push (&f);
  for (guint i = 0; i < 12; i++)
    gst_buffer_unref (gst_harness_pull (f.harness));
  start = g_get_monotonic_time () - start;
  fixture_clear (&f);
  rate = 12.0 * G_USEC_PER_SEC / start;
  return rate;
}

static void
watch_pad (GstElement *net, const char *name, GstPadProbeCallback probe,
    Watch *watch)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (net, name);

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, probe, watch, NULL);
}

/* FOVEA_LIVE_SECONDS: how long (default 2), but long enough for some frames. */
static double
duration (double rate)
{
  const char *text = g_getenv ("FOVEA_LIVE_SECONDS");

  return MAX (text ? g_ascii_strtod (text, NULL) : 2, 60 / rate);
}

typedef struct
{
  const char *properties, *caps, *rest;
} Mode;

static const Mode source_modes[] = {
  { "", "format=GRAY8,width=64,height=48", "" },
  { "on-overload=drop", "format=GRAY8,width=64,height=48", "" },
  { "sync-mode=live", "format=GRAY8,width=64,height=48", "" },
  { "max-latency=5000000", "format=GRAY8,width=64,height=48", "" },
  { "", "format=NV12,width=320,height=240", " ! foveaoverlay" },
  { "on-overload=drop", "format=NV12,width=320,height=240", " ! foveaoverlay" },
};

/* All frames are counted once, at the pads and in `stats`. */
static void
check_counters (GstElement *net, const Watch *watch)
{
  guint64 n_out = element_test_stat (net, "frames-out");

  ck_assert_uint_eq (element_test_stat (net, "frames-in"), watch->n_in);
  ck_assert_uint_eq (n_out, watch->ages->len);
  ck_assert_uint_eq (n_out + element_test_stat (net, "dropped"), watch->n_in);
  ck_assert_uint_eq (element_test_stat (net, "inferred")
          + element_test_stat (net, "skipped"),
      n_out);
}

/* Ages of frames as they leave the last element: some frames' time at the pace that
 * there was, while what blocks would be half of all the time behind by now. Where
 * others took the CPUs meanwhile, these come too near to each other. */
static void
check_ages (GstElement *net, const Mode *mode, const Watch *watch, double rate,
    double seconds)
{
  GArray *ages = watch->ages;
  double late = percentile (ages, ages->len / 2, 0.99);
  double elapsed = MAX (seconds, watch->n_in / rate);
  double most =
      6 * elapsed / MAX (1, element_test_stat (net, "inferred")) + 0.25;

  g_print ("%s%s: %.1f frames/s for %g s: %u in, %" G_GUINT64_FORMAT
           " inferred, %" G_GUINT64_FORMAT " skipped, %" G_GUINT64_FORMAT
           " dropped; age p50 %.0f ms, p99 %.0f ms, of the second half "
           "%.0f ms\n",
      *mode->properties ? mode->properties : "the defaults", mode->rest, rate,
      seconds, watch->n_in, element_test_stat (net, "inferred"),
      element_test_stat (net, "skipped"), element_test_stat (net, "dropped"),
      percentile (ages, 0, 0.5) * 1e3, percentile (ages, 0, 0.99) * 1e3,
      late * 1e3);
  if (most < 0.4 * elapsed)
    ck_assert_double_le (late, most);
  else
    g_print ("too few were inferred to tell from blocking\n");
}

START_TEST (test_live_source)
{
  const Mode *mode = &source_modes[_i];
  double rate = 2 * sustainable_rate (), seconds = duration (rate);
  g_autofree char *line = g_strdup_printf (
      "videotestsrc is-live=true ! video/x-raw,%s,framerate=%d/100 ! "
      "foveasegment name=net model=\"%s\" %s %s%s ! "
      "fakesink name=end sync=true qos=true",
      mode->caps, (gint) (100 * rate), slow, source_size (), mode->properties,
      mode->rest);
  g_autoptr (GstElement) pipeline = element_test_parse (line);
  g_autoptr (GstElement) net = gst_bin_get_by_name (GST_BIN (pipeline), "net");
  g_autoptr (GstElement) end = gst_bin_get_by_name (GST_BIN (pipeline), "end");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  Watch watch = { .pipeline = pipeline,
    .ages = g_array_new (FALSE, FALSE, sizeof (gint64)) };

  watch_pad (net, "sink", watch_in, &watch);
  watch_pad (end, "sink", watch_out, &watch);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (element_test_stat (net, "frames-out") == 0)
    ck_assert_ptr_null (
        gst_bus_timed_pop_filtered (bus, GST_SECOND / 10, GST_MESSAGE_ERROR));
  ck_assert_ptr_null (gst_bus_timed_pop_filtered (bus,
      (GstClockTime) (seconds * GST_SECOND), GST_MESSAGE_ERROR));
  gst_element_send_event (pipeline, gst_event_new_eos ());
  message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  ck_assert_ptr_nonnull (message);
  ck_assert_int_eq (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
  check_counters (net, &watch);
  check_ages (net, mode, &watch, rate, seconds);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_array_unref (watch.ages);
}
END_TEST

/* ---- more ---- */

/* States, seeks and properties at any moment, with frames under way. */
START_TEST (test_storm)
{
  static const char *const modes[] = { "sync-mode=live",
    "on-overload=skip-inference", "on-overload=drop max-latency=2000000",
    "max-in-flight=4 inference-interval=2" };
  static const GstState states[] = { GST_STATE_PLAYING, GST_STATE_PAUSED,
    GST_STATE_READY, GST_STATE_PLAYING, GST_STATE_NULL };
  g_autofree char *line = g_strdup_printf (
      "videotestsrc is-live=%s ! video/x-raw,width=64,height=48,"
      "framerate=200/1 ! foveasegment name=net model=\"%s\" " SLOW " %s ! "
      "fakesink sync=%s",
      _i % 2 ? "true" : "false", slow, modes[_i], _i < 2 ? "true" : "false");
  g_autoptr (GstElement) pipeline = element_test_parse (line);
  g_autoptr (GstElement) net = gst_bin_get_by_name (GST_BIN (pipeline), "net");

  for (guint round = 0; round < 25; round++) {
    GstState state = states[round * 7 % G_N_ELEMENTS (states)];

    gst_element_set_state (pipeline, state);
    if (round % 3 == 0)
      gst_element_get_state (pipeline, NULL, NULL, 20 * GST_SECOND);
    g_usleep (round % 5 * 9000);
    if (round % 4 == 1)
      gst_element_seek_simple (pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
          round * GST_MSECOND);
    if (round % 4 == 3)
      g_object_set (net, "sync-mode", round / 4 % 2, "max-latency",
          (guint64) (round % 3 * GST_MSECOND), NULL);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
}
END_TEST

static Suite *
live_suite (void)
{
  Suite *suite = suite_create ("element-live");
  TCase *overload = tcase_create ("overload");
  TCase *storms = tcase_create ("storms");
  TCase *contract = tcase_create ("contract");
  TCase *source = tcase_create ("source");

  tcase_add_unchecked_fixture (overload, make_models, free_models);
  tcase_add_unchecked_fixture (storms, make_models, free_models);
  tcase_add_unchecked_fixture (contract, make_models, free_models);
  tcase_add_unchecked_fixture (source, make_models, free_models);
  tcase_add_test (overload, test_skip);
  tcase_add_test (overload, test_drop);
  tcase_add_test (overload, test_room);
  tcase_add_loop_test (overload, test_held, 0, 2);
  tcase_add_loop_test (overload, test_block, 1, 3);
  tcase_add_test (overload, test_live);
  tcase_add_test (overload, test_live_block);
  tcase_add_test (overload, test_max_latency);
  tcase_add_loop_test (storms, test_flush, 0, 4);
  tcase_add_loop_test (storms, test_storm, 0, 4);
  tcase_add_loop_test (contract, test_qos, 0, 2);
  tcase_add_test (contract, test_throttle);
  tcase_add_test (contract, test_renewal);
  tcase_add_test (contract, test_latency);
  tcase_add_test (contract, test_latency_message);
  tcase_add_loop_test (source, test_live_source, 0,
      G_N_ELEMENTS (source_modes));
  suite_add_tcase (suite, overload);
  suite_add_tcase (suite, storms);
  suite_add_tcase (suite, contract);
  suite_add_tcase (suite, source);
  return suite;
}

int
main (int argc, char **argv)
{
  return element_test_main (&argc, &argv, live_suite ());
}
