/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames, events and queries through the inference elements. */
#include <math.h>
#include <string.h>
#include "tests/element-models.h"
#include "tests/element-test.h"
#include "gst/engine/device.h"

static const char *const formats[] = { "NV12", "I420", "YV12", "YUY2", "UYVY",
  "GRAY8", "RGB", "BGR", "RGBA", "BGRA", "RGBx", "BGRx" };

static char *segment, *segment_free, *matte;

static void
make_models (void)
{
  segment = element_model_segment ("segment.onnx", FALSE);
  segment_free = element_model_segment ("free.onnx", TRUE);
  matte = element_model_matte ("matte.onnx");
}

static void
free_models (void)
{
  g_clear_pointer (&segment, g_free);
  g_clear_pointer (&segment_free, g_free);
  g_clear_pointer (&matte, g_free);
}

/* The share of pixels of the frame's class map that are class 1. */
static double
bright_share (GstBuffer *buffer)
{
  GstFoveaSegmentationMeta *meta =
      gst_fovea_buffer_get_segmentation (buffer, NULL);
  guint64 n = 0;
  GstMapInfo map;

  ck_assert_ptr_nonnull (meta);
  ck_assert (gst_buffer_map (meta->map->data, &map, GST_MAP_READ));
  for (guint y = 0; y < meta->map->height; y++)
    for (guint x = 0; x < meta->map->width; x++)
      n += map.data[y * meta->map->stride + x] == 1;
  gst_buffer_unmap (meta->map->data, &map);
  return n / (double) (meta->map->width * meta->map->height);
}

static void
check_segmentation (GstBuffer *buffer, guint width, guint height)
{
  GstFoveaSegmentationMeta *meta =
      gst_fovea_buffer_get_segmentation (buffer, NULL);

  ck_assert_ptr_nonnull (meta);
  ck_assert_uint_eq (meta->frame.width, width);
  ck_assert_uint_eq (meta->frame.height, height);
  ck_assert_uint_eq (meta->map->width, width);
  ck_assert_uint_eq (meta->map->height, height);
  ck_assert_uint_eq (meta->n_classes, 2);
  ck_assert_uint_eq (meta->map->pts, GST_BUFFER_PTS (buffer));
  ck_assert_str_eq (meta->map->producer->element, "net");
  ck_assert_str_eq (meta->map->producer->model, "segment");
  ck_assert_str_eq (meta->map->producer->head, "seg");
  ck_assert_int_eq (meta->map->producer->role, GST_FOVEA_ROLE_RESULT);
}

static void
check_format (const char *format, guint width, guint height)
{
  g_autoptr (GstCaps) caps = element_test_caps (format, width, height);
  GstHarness *harness =
      element_test_harness ("foveasegment name=net", segment, "", caps);

  for (guint i = 0; i < 3; i++) {
    GstBuffer *frame = element_test_frame (caps, (guint8) (31 + 90 * i), i);
    GstBuffer *copy = gst_buffer_copy_deep (frame);
    GstBuffer *out = gst_harness_push_and_pull (harness, frame);
    GstMapInfo map;

    ck_assert_ptr_nonnull (out);
    ck_assert (gst_buffer_map (copy, &map, GST_MAP_READ));
    ck_assert_uint_eq (gst_buffer_get_size (out), map.size);
    ck_assert_msg (gst_buffer_memcmp (out, 0, map.data, map.size) == 0,
        "a %s frame of %ux%u was changed", format, width, height);
    gst_buffer_unmap (copy, &map);
    ck_assert_uint_eq (GST_BUFFER_PTS (out), GST_BUFFER_PTS (copy));
    ck_assert_uint_eq (GST_BUFFER_DURATION (out), GST_BUFFER_DURATION (copy));
    check_segmentation (out, width, height);
    gst_buffer_unref (copy);
    gst_buffer_unref (out);
  }
  gst_harness_teardown (harness);
}

START_TEST (test_formats)
{
  static const guint sizes[][2] = { { 64, 48 }, { 33, 17 }, { 1, 1 },
    { 5, 130 } };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    check_format (formats[_i], sizes[i][0], sizes[i][1]);
}
END_TEST

START_TEST (test_results_depend_on_the_frame)
{
  g_autoptr (GstCaps) caps = element_test_caps ("GRAY8", 40, 30);
  GstHarness *harness =
      element_test_harness ("foveasegment", segment, "", caps);

  for (guint i = 0; i < 6; i++) {
    GstBuffer *out = gst_harness_push_and_pull (harness,
        element_test_frame (caps, i % 2 ? 220 : 20, i));

    ck_assert_double_eq (bright_share (out), i % 2);
    gst_buffer_unref (out);
  }
  gst_harness_teardown (harness);
}
END_TEST

/* A frame whose left half is bright, with room between and behind its rows. */
static GstBuffer *
padded_frame (GstCaps *caps, gint padding)
{
  gsize offset[GST_VIDEO_MAX_PLANES] = { 0 };
  gint stride[GST_VIDEO_MAX_PLANES] = { 0 };
  GstVideoFrame frame;
  GstVideoInfo info;
  GstBuffer *buffer;
  gsize size = 64;

  ck_assert (gst_video_info_from_caps (&info, caps));
  for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES (&info); i++) {
    stride[i] = GST_VIDEO_INFO_PLANE_STRIDE (&info, i) + padding;
    offset[i] = size;
    size += stride[i]
            * GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT (info.finfo, i,
                GST_VIDEO_INFO_HEIGHT (&info))
        + 16;
  }
  buffer = gst_buffer_new_allocate (NULL, size, NULL);
  gst_buffer_memset (buffer, 0, 0xee, size);
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_INFO_FORMAT (&info), GST_VIDEO_INFO_WIDTH (&info),
      GST_VIDEO_INFO_HEIGHT (&info), GST_VIDEO_INFO_N_PLANES (&info), offset,
      stride);
  GST_BUFFER_PTS (buffer) = 0;
  ck_assert (gst_video_frame_map (&frame, &info, buffer, GST_MAP_WRITE));
  for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES (&frame); i++) {
    gint height = GST_VIDEO_FRAME_COMP_HEIGHT (&frame, i);
    gint row = GST_VIDEO_INFO_PLANE_STRIDE (&info, i);

    for (gint y = 0; y < height; y++) {
      guint8 *data = (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&frame, i)
          + y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, i);

      memset (data, i == 0 ? 20 : 128, row);
      if (i == 0)
        memset (data, 220, row / 2);
    }
  }
  gst_video_frame_unmap (&frame);
  return buffer;
}

START_TEST (test_strides)
{
  static const char *const some[] = { "GRAY8", "I420", "NV12", "RGB", "BGRx" };

  for (guint i = 0; i < G_N_ELEMENTS (some); i++) {
    g_autoptr (GstCaps) caps = element_test_caps (some[i], 64, 32);
    GstHarness *harness =
        element_test_harness ("foveasegment", segment, "", caps);
    static const gint paddings[] = { 0, 1, 7, 64 };

    for (guint k = 0; k < G_N_ELEMENTS (paddings); k++) {
      GstBuffer *out =
          gst_harness_push_and_pull (harness, padded_frame (caps, paddings[k]));

      ck_assert_msg (ABS (bright_share (out) - 0.5) < 0.03,
          "%s with %d bytes of padding: %f", some[i], paddings[k],
          bright_share (out));
      gst_buffer_unref (out);
    }
    gst_harness_teardown (harness);
  }
}
END_TEST

static void
change_caps (const char *model, const char *element)
{
  static const guint sizes[][2] = { { 64, 48 }, { 33, 77 }, { 64, 48 },
    { 320, 16 } };
  static const char *const kinds[] = { "NV12", "NV12", "RGB", "YUY2" };
  GstHarness *harness = element_test_harness (element, model, "", NULL);

  gst_harness_play (harness);
  for (guint i = 0; i < 12; i++) {
    guint kind = i / 3 % G_N_ELEMENTS (kinds);
    g_autoptr (GstCaps) caps =
        element_test_caps (kinds[kind], sizes[kind][0], sizes[kind][1]);
    GstFoveaSegmentationMeta *meta;
    GstBuffer *out;

    gst_harness_set_src_caps (harness, gst_caps_ref (caps));
    ck_assert_int_eq (
        gst_harness_push (harness, element_test_frame (caps, 0, i)),
        GST_FLOW_OK);
    out = gst_harness_pull (harness);
    ck_assert_uint_eq (GST_BUFFER_PTS (out), i * (GST_SECOND / 25));
    meta = gst_fovea_buffer_get_segmentation (out, NULL);
    ck_assert_ptr_nonnull (meta);
    ck_assert_uint_eq (meta->map->width, sizes[kind][0]);
    ck_assert_uint_eq (meta->map->height, sizes[kind][1]);
    gst_buffer_unref (out);
  }
  gst_harness_teardown (harness);
}

START_TEST (test_caps_change)
{
  change_caps (segment, "foveasegment");
}
END_TEST

START_TEST (test_caps_change_of_a_free_model)
{
  change_caps (segment_free, "foveasegment");
}
END_TEST

START_TEST (test_free_size_property)
{
  g_autoptr (GstCaps) caps = element_test_caps ("GRAY8", 90, 50);
  GstHarness *harness = element_test_harness ("foveasegment", segment_free,
      "input-width=64 input-height=96 output-tensor-meta=true", caps);
  GstBuffer *out =
      gst_harness_push_and_pull (harness, element_test_frame (caps, 200, 0));
  GstFoveaTensorMeta *tensor = gst_fovea_buffer_get_tensor (out, NULL, "seg");

  ck_assert_ptr_nonnull (tensor);
  ck_assert_int_eq (tensor->shape.dims[2], 96);
  ck_assert_int_eq (tensor->shape.dims[3], 64);
  gst_buffer_unref (out);
  gst_harness_teardown (harness);
}
END_TEST

/* Order of all that is serialised, with a custom event between frames. */
START_TEST (test_events_keep_their_place)
{
  g_autoptr (GstCaps) caps = element_test_caps ("GRAY8", 32, 32);
  GstHarness *harness =
      element_test_harness ("foveasegment", segment, "", caps);
  GstEvent *event;
  guint n = 0;

  while ((event = gst_harness_try_pull_event (harness)))
    gst_event_unref (event);
  for (guint i = 0; i < 3; i++) {
    gst_harness_push (harness, element_test_frame (caps, 0, i));
    gst_harness_push_event (harness, gst_event_new_gap (i * GST_SECOND, 1));
  }
  gst_harness_push_event (harness, gst_event_new_eos ());
  ck_assert_int_eq (gst_harness_push (harness, element_test_frame (caps, 0, 9)),
      GST_FLOW_EOS);
  for (;;) {
    event = gst_harness_pull_event (harness);
    ck_assert_ptr_nonnull (event);
    if (GST_EVENT_TYPE (event) == GST_EVENT_GAP) {
      /* the frames before it went first */
      ck_assert_uint_ge (gst_harness_buffers_received (harness), ++n);
    } else if (GST_EVENT_TYPE (event) == GST_EVENT_EOS) {
      gst_event_unref (event);
      break;
    }
    gst_event_unref (event);
  }
  ck_assert_uint_eq (n, 3);
  ck_assert_uint_eq (gst_harness_buffers_received (harness), 3);
  gst_harness_teardown (harness);
}
END_TEST

START_TEST (test_flush)
{
  g_autoptr (GstCaps) caps = element_test_caps ("I420", 64, 64);
  GstHarness *harness =
      element_test_harness ("foveasegment", segment, "", caps);
  GstSegment segment_event;
  GstBuffer *out;

  for (guint round = 0; round < 10; round++) {
    for (guint i = 0; i < 2; i++)
      ck_assert_int_eq (
          gst_harness_push (harness, element_test_frame (caps, 0, i)),
          GST_FLOW_OK);
    ck_assert (gst_harness_push_event (harness, gst_event_new_flush_start ()));
    ck_assert_int_eq (
        gst_harness_push (harness, element_test_frame (caps, 0, 3)),
        GST_FLOW_FLUSHING);
    ck_assert (
        gst_harness_push_event (harness, gst_event_new_flush_stop (TRUE)));
    while ((out = gst_harness_try_pull (harness)))
      gst_buffer_unref (out);
    gst_segment_init (&segment_event, GST_FORMAT_TIME);
    ck_assert (gst_harness_push_event (harness,
        gst_event_new_segment (&segment_event)));
    ck_assert_int_eq (
        gst_harness_push (harness, element_test_frame (caps, 255, 50 + round)),
        GST_FLOW_OK);
    out = gst_harness_pull (harness);
    ck_assert_uint_eq (GST_BUFFER_PTS (out), (50 + round) * (GST_SECOND / 25));
    ck_assert_double_eq (bright_share (out), 1.0);
    gst_buffer_unref (out);
  }
  gst_harness_teardown (harness);
}
END_TEST

static GstPadProbeReturn
count_frames (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  g_atomic_int_inc ((gint *) data);
  return GST_PAD_PROBE_OK;
}

START_TEST (test_seek_and_pause)
{
  g_autofree char *line = g_strdup_printf (
      "videotestsrc num-buffers=1000 ! video/x-raw,format=NV12,width=64,"
      "height=48,framerate=25/1 ! foveasegment model=\"%s\" ! "
      "fakesink name=sink sync=false",
      segment);
  g_autoptr (GstElement) pipeline = element_test_parse (line);
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  gint n = 0;

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count_frames, &n, NULL);
  for (guint round = 0; round < 8; round++) {
    gst_element_set_state (pipeline,
        round % 2 ? GST_STATE_PAUSED : GST_STATE_PLAYING);
    ck_assert_int_eq (
        gst_element_get_state (pipeline, NULL, NULL, 20 * GST_SECOND),
        GST_STATE_CHANGE_SUCCESS);
    ck_assert (gst_element_seek_simple (pipeline, GST_FORMAT_TIME,
        GST_SEEK_FLAG_FLUSH, round * GST_SECOND));
    g_usleep (20000);
  }
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  ck_assert (
      gst_element_seek (pipeline, 1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
          GST_SEEK_TYPE_SET, GST_SECOND, GST_SEEK_TYPE_SET, 2 * GST_SECOND));
  {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (bus,
        30 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);

    ck_assert_ptr_nonnull (message);
    ck_assert_int_eq (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
  }
  ck_assert_int_gt (n, 25);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}
END_TEST

START_TEST (test_allocation_query)
{
  g_autoptr (GstCaps) caps = element_test_caps ("GRAY8", 30, 20);
  GstHarness *harness =
      element_test_harness ("foveasegment", segment, "", caps);
  g_autoptr (GstQuery) query = gst_query_new_allocation (caps, FALSE);
  GstBuffer *frame, *out;
  GstMapInfo map;

  ck_assert (gst_pad_peer_query (harness->srcpad, query));
  ck_assert (
      gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL));
  /* The harness's sink did not say that it takes strides, so it gets none. */
  frame = padded_frame (caps, 5);
  out = gst_harness_push_and_pull (harness, frame);
  ck_assert_ptr_null (gst_buffer_get_video_meta (out));
  ck_assert_uint_eq (gst_buffer_get_size (out), 32 * 20);
  ck_assert (gst_buffer_map (out, &map, GST_MAP_READ));
  for (guint y = 0; y < 20; y++) {
    ck_assert_uint_eq (map.data[y * 32], 220);
    ck_assert_uint_eq (map.data[y * 32 + 29], 20);
  }
  gst_buffer_unmap (out, &map);
  ck_assert_ptr_nonnull (gst_fovea_buffer_get_segmentation (out, NULL));
  gst_buffer_unref (out);
  gst_harness_teardown (harness);

  harness = element_test_harness ("foveasegment", segment, "", NULL);
  gst_harness_add_propose_allocation_meta (harness, GST_VIDEO_META_API_TYPE,
      NULL);
  gst_harness_set_src_caps (harness, gst_caps_ref (caps));
  out = gst_harness_push_and_pull (harness, padded_frame (caps, 5));
  ck_assert_ptr_nonnull (gst_buffer_get_video_meta (out));
  gst_buffer_unref (out);
  gst_harness_teardown (harness);
}
END_TEST

/* What `stats` reads is posted behind the last frame. */
START_TEST (test_stats_message)
{
  g_autoptr (GstCaps) caps = element_test_caps ("GRAY8", 64, 64);
  GstHarness *harness =
      element_test_harness ("foveasegment", segment, "", caps);
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  guint64 frames = 0;
  double p50 = 0;

  gst_element_set_bus (harness->element, bus);
  for (guint i = 0; i < 3; i++)
    gst_buffer_unref (
        gst_harness_push_and_pull (harness, element_test_frame (caps, 0, i)));
  ck_assert_ptr_null (gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT));
  ck_assert (gst_harness_push_event (harness, gst_event_new_eos ()));
  message =
      gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND, GST_MESSAGE_ELEMENT);
  ck_assert_ptr_nonnull (message);
  ck_assert (gst_message_has_name (message, "fovea-stats"));
  ck_assert (
      gst_structure_get (gst_message_get_structure (message), "frames-out",
          G_TYPE_UINT64, &frames, "wall-ms-p50", G_TYPE_DOUBLE, &p50, NULL));
  ck_assert_uint_eq (frames, 3);
  ck_assert_double_gt (p50, 0);
  gst_message_unref (message);
  gst_element_set_bus (harness->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (harness);
}
END_TEST

START_TEST (test_latency)
{
  g_autoptr (GstCaps) caps = element_test_caps ("GRAY8", 64, 64);
  GstHarness *harness =
      element_test_harness ("foveasegment", segment, "", caps);
  GstClockTime before, after;

  gst_harness_set_live (harness, TRUE);
  gst_harness_set_upstream_latency (harness, 7 * GST_MSECOND);
  before = gst_harness_query_latency (harness);
  ck_assert_uint_gt (before, 7 * GST_MSECOND);
  for (guint i = 0; i < 20; i++)
    gst_buffer_unref (
        gst_harness_push_and_pull (harness, element_test_frame (caps, 0, i)));
  after = gst_harness_query_latency (harness);
  {
    GstStructure *stats = NULL;
    double p95 = 0;

    g_object_get (harness->element, "stats", &stats, NULL);
    ck_assert (gst_structure_get_double (stats, "wall-ms-p95", &p95));
    ck_assert_double_gt (p95, 0.0);
    /* with some headroom */
    ck_assert_double_eq_tol ((after - 7 * GST_MSECOND) / (double) GST_MSECOND,
        p95 * 1.05, p95 * 1e-3);
    gst_structure_free (stats);
  }
  gst_harness_set_live (harness, FALSE);
  ck_assert_uint_eq (gst_harness_query_latency (harness), 7 * GST_MSECOND);
  gst_harness_teardown (harness);
}
END_TEST

/* All values between black and white, and the frames after it too. */
START_TEST (test_matte)
{
  g_autoptr (GstCaps) caps =
      element_test_caps ("RGB", ELEMENT_MODEL_SIZE, ELEMENT_MODEL_SIZE);
  g_autofree char *line = g_strdup_printf (
      "foveasegment model=\"%s\" ! foveaextract what=matte", matte);
  GstHarness *harness = gst_harness_new_parse (line);

  gst_harness_set_src_caps (harness, gst_caps_ref (caps));
  for (guint i = 0; i < 5; i++) {
    GstBuffer *frame = element_test_frame (caps, 0, i);
    GstMapInfo map;

    gst_buffer_map (frame, &map, GST_MAP_WRITE);
    for (gsize k = 0; k < map.size; k++)
      map.data[k] = (guint8) (k / 3 * 7 + i);
    gst_buffer_unmap (frame, &map);
    frame = gst_harness_push_and_pull (harness, frame);
    ck_assert (gst_buffer_map (frame, &map, GST_MAP_READ));
    ck_assert_uint_eq (map.size, ELEMENT_MODEL_SIZE * ELEMENT_MODEL_SIZE);
    for (gsize k = 0; k < map.size; k++) {
      double p = 1 / (1 + exp (-(guint8) (k * 7 + i) / 255.0));
      ck_assert_msg (fabs (map.data[k] - 255 * p) < 0.7,
          "pixel %zu of frame %u is %u, not %g", k, i, map.data[k], 255 * p);
    }
    gst_buffer_unmap (frame, &map);
    gst_buffer_unref (frame);
  }
  gst_harness_teardown (harness);
}
END_TEST

/* Buffers, command buffers and pipelines are made once, not per frame. Pools grow
 * whenever more frames are under way at once than ever before, which with one on the
 * device are few: 7 allocations in 150 frames were seen at most. */
START_TEST (test_nothing_is_made_per_frame)
{
  g_autofree char *line = g_strdup_printf (
      "videotestsrc num-buffers=200 ! video/x-raw,format=NV12,width=160,"
      "height=90 ! foveasegment name=net max-in-flight=1 model=\"%s\" ! fakesink",
      _i == 0 ? segment : matte);
  g_autoptr (GstElement) pipeline = element_test_parse (line);
  g_autoptr (GstElement) net = gst_bin_get_by_name (GST_BIN (pipeline), "net");
  g_autoptr (FvDevice) device = fv_device_open (NULL, NULL);
  FvDeviceCounters early, late;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (element_test_stat (net, "frames-out") < 50)
    g_usleep (1000);
  fv_device_counters (device, &early);
  while (element_test_stat (net, "frames-out") < 200)
    g_usleep (1000);
  fv_device_counters (device, &late);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  ck_assert_uint_le (late.allocations, early.allocations + 150 / 10);
  ck_assert_uint_le (late.recorded_command_buffers,
      early.recorded_command_buffers + 150 / 10);
  ck_assert_uint_ge (late.submits, 200);
}
END_TEST

static Suite *
elements_suite (void)
{
  Suite *suite = suite_create ("elements");
  TCase *frames = tcase_create ("frames");
  TCase *flow = tcase_create ("flow");

  tcase_add_unchecked_fixture (frames, make_models, free_models);
  tcase_add_unchecked_fixture (flow, make_models, free_models);
  tcase_set_timeout (frames, 120);
  tcase_set_timeout (flow, 120);
  tcase_add_loop_test (frames, test_formats, 0, G_N_ELEMENTS (formats));
  tcase_add_test (frames, test_results_depend_on_the_frame);
  tcase_add_test (frames, test_strides);
  tcase_add_test (frames, test_matte);
  tcase_add_test (frames, test_free_size_property);
  tcase_add_test (flow, test_caps_change);
  tcase_add_test (flow, test_caps_change_of_a_free_model);
  tcase_add_test (flow, test_events_keep_their_place);
  tcase_add_test (flow, test_flush);
  tcase_add_test (flow, test_seek_and_pause);
  tcase_add_test (flow, test_allocation_query);
  tcase_add_test (flow, test_stats_message);
  tcase_add_test (flow, test_latency);
  tcase_add_loop_test (flow, test_nothing_is_made_per_frame, 0, 2);
  suite_add_tcase (suite, frames);
  suite_add_tcase (suite, flow);
  return suite;
}

int
main (int argc, char **argv)
{
  return element_test_main (&argc, &argv, elements_suite ());
}
