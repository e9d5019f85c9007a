/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results, properties, states and errors of the inference elements. */
#include <string.h>
#include "tests/element-models.h"
#include "tests/element-test.h"
#include "gst/engine/device.h"

static char *segment, *segment_free, *depth, *classify, *detect, *raw, *unknown;
static char *suppress, *clip;

static void
make_models (void)
{
  segment = element_model_segment ("segment.onnx", FALSE);
  segment_free = element_model_segment ("free.onnx", TRUE);
  depth = element_model_depth ("distance.onnx");
  classify = element_model_classify ("classify.onnx");
  detect = element_model_detect ("detect.onnx");
  raw = element_model_raw ("raw.onnx");
  unknown = element_model_unknown ("unknown.onnx");
  clip = element_model_clip ("clip.onnx");
  suppress = element_model_suppress ("suppress.onnx");
}

static void
free_models (void)
{
  g_clear_pointer (&segment, g_free);
  g_clear_pointer (&segment_free, g_free);
  g_clear_pointer (&depth, g_free);
  g_clear_pointer (&classify, g_free);
  g_clear_pointer (&detect, g_free);
  g_clear_pointer (&raw, g_free);
  g_clear_pointer (&unknown, g_free);
  g_clear_pointer (&suppress, g_free);
  g_clear_pointer (&clip, g_free);
}

/* An RGB frame of one colour. */
static GstBuffer *
colour_frame (GstCaps *caps, guint8 red, guint8 green, guint8 blue, guint index)
{
  GstBuffer *buffer = element_test_frame (caps, 0, index);
  GstVideoFrame frame;
  GstVideoInfo info;

  ck_assert (gst_video_info_from_caps (&info, caps));
  ck_assert (gst_video_frame_map (&frame, &info, buffer, GST_MAP_WRITE));
  for (gint y = 0; y < info.height; y++)
    for (gint x = 0; x < info.width; x++) {
      guint8 *pixel = (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&frame, 0)
          + y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0) + 3 * x;

      pixel[0] = red;
      pixel[1] = green;
      pixel[2] = blue;
    }
  gst_video_frame_unmap (&frame);
  return buffer;
}

static guint
count_regions (GstBuffer *buffer)
{
  GstFoveaRegion region;
  gpointer state = NULL;
  guint n = 0;

  while (gst_fovea_buffer_next_region (buffer, NULL, &state, &region))
    n++;
  return n;
}

START_TEST (test_classify)
{
  g_autoptr (GstCaps) caps = element_test_caps ("RGB", 50, 40);
  GstHarness *harness = element_test_harness ("foveaclassify name=net",
      classify, "labels=\"<red,green,blue>\" max-detections=2", caps);
  GstFoveaRegion region, best, second, third;
  gpointer state = NULL;
  GstBuffer *out =
      gst_harness_push_and_pull (harness, colour_frame (caps, 10, 200, 90, 0));

  ck_assert (gst_fovea_buffer_next_region (out, NULL, &state, &region));
  ck_assert (region.is_frame);
  ck_assert_str_eq (region.element, "net");
  ck_assert_str_eq (region.model, "classify");
  ck_assert (gst_fovea_region_get_class (&region, 0, &best));
  ck_assert_int_eq (best.label_id, 1);
  ck_assert_str_eq (best.label, "green");
  ck_assert_double_gt (best.confidence, 0.9);
  ck_assert (gst_fovea_region_get_class (&region, 1, &second));
  ck_assert_str_eq (second.label, "blue");
  ck_assert (!gst_fovea_region_get_class (&region, 2, &third));
  gst_buffer_unref (out);
  gst_harness_teardown (harness);
}
END_TEST

START_TEST (test_detect)
{
  g_autoptr (GstCaps) caps = element_test_caps ("RGB", 64, 96);
  GstHarness *harness = element_test_harness ("foveadetect", detect,
      "resize-mode=stretch threshold=0.4", caps);
  GstFoveaRegion region;
  gpointer state = NULL;
  GstBuffer *out =
      gst_harness_push_and_pull (harness, colour_frame (caps, 0, 0, 255, 0));
  guint n = 0;

  while (gst_fovea_buffer_next_region (out, NULL, &state, &region)) {
    gboolean is_best = region.confidence > 0.9;

    ck_assert_str_eq (region.label, "blue");
    ck_assert_double_eq_tol (region.confidence, is_best ? 1.0 : 0.6, 0.02);
    /* 32x32 of the model is 64x96 of the frame */
    ck_assert_uint_eq (region.meta->x, is_best ? 16 : 12);
    ck_assert_uint_eq (region.meta->y, is_best ? 36 : 30);
    ck_assert_uint_eq (region.meta->w, is_best ? 32 : 16);
    ck_assert_uint_eq (region.meta->h, 24);
    n++;
  }
  ck_assert_uint_eq (n, 2);
  gst_buffer_unref (out);
  gst_harness_teardown (harness);
}
END_TEST

/* As many boxes as the frame has colours, found on the host; each frame's own, and
 * again on the frames that skip the model. */
START_TEST (test_host_tail)
{
  g_autoptr (GstCaps) caps = element_test_caps ("RGB", 64, 64);
  GstHarness *harness = element_test_harness ("foveainfer", suppress,
      "threshold=0.4 output-tensor-meta=true inference-interval=2", caps);
  g_autoptr (GstStructure) stats = NULL;
  double p95 = 0;

  for (guint i = 0; i < 8; i++) {
    guint colours = i / 2 % 4, n = 0;
    GstBuffer *out = gst_harness_push_and_pull (harness,
        colour_frame (caps, colours > 0 ? 255 : 0, colours > 1 ? 255 : 0,
            colours > 2 ? 255 : 0, i));
    GstFoveaTensorMeta *meta =
        gst_fovea_buffer_get_tensor (out, NULL, "selected");
    GstFoveaRegion region;
    gpointer state = NULL;

    while (gst_fovea_buffer_next_region (out, NULL, &state, &region)) {
      ck_assert_uint_lt (region.label_id, colours);
      ck_assert_double_eq_tol (region.confidence, 1, 0.01);
      ck_assert_uint_eq (region.meta->x, 16);
      ck_assert_uint_eq (region.meta->y, 24);
      ck_assert_uint_eq (region.meta->w, 32);
      ck_assert_uint_eq (region.meta->h, 16);
      n++;
    }
    ck_assert_uint_eq (n, colours);
    ck_assert_ptr_nonnull (meta);
    ck_assert_int_eq (meta->type, FV_TYPE_I64);
    ck_assert_int_eq (meta->shape.dims[0], colours);
    gst_buffer_unref (out);
  }
  g_object_get (harness->element, "stats", &stats, NULL);
  ck_assert (gst_structure_get_double (stats, "host-ms-p95", &p95));
  ck_assert_double_gt (p95, 0);
  gst_harness_teardown (harness);
}
END_TEST

static void
check_depth (const char *properties, double expected)
{
  g_autoptr (GstCaps) caps = element_test_caps ("RGB", 40, 20);
  GstHarness *harness =
      element_test_harness ("foveadepth", depth, properties, caps);
  GstBuffer *out = gst_harness_push_and_pull (harness,
      colour_frame (caps, 255, 153, 102, 0));
  GstFoveaDepthMeta *meta = gst_fovea_buffer_get_depth (out, NULL);
  GstMapInfo map;

  ck_assert_ptr_nonnull (meta);
  ck_assert_int_eq (meta->map->format, GST_FOVEA_PLANE_F32);
  ck_assert_int_eq (meta->kind, GST_FOVEA_DEPTH_INVERSE);
  ck_assert (gst_buffer_map (meta->map->data, &map, GST_MAP_READ));
  for (guint y = 0; y < 20; y++)
    for (guint x = 0; x < 40; x++)
      ck_assert_double_eq_tol (
          ((float *) (map.data + y * meta->map->stride))[x], expected,
          expected * 0.01);
  gst_buffer_unmap (meta->map->data, &map);
  gst_buffer_unref (out);
  gst_harness_teardown (harness);
}

START_TEST (test_depth)
{
  check_depth ("", 2.0 / 3.0);
  /* pixels that f16 cannot hold stay f32 */
  check_depth ("std=\"<0.00001>\" precision=f16", 2e5 / 3.0);
}
END_TEST

START_TEST (test_tensors)
{
  g_autoptr (GstCaps) caps = element_test_caps ("RGB", 32, 32);
  GstHarness *harness = element_test_harness ("foveainfer name=net", raw,
      "output-tensor-meta=true", caps);
  GstBuffer *out =
      gst_harness_push_and_pull (harness, colour_frame (caps, 51, 102, 153, 0));
  GstFoveaTensorMeta *meta = gst_fovea_buffer_get_tensor (out, "net", "blocks");
  GstMapInfo map;

  ck_assert_ptr_nonnull (meta);
  ck_assert_uint_eq (meta->shape.rank, 5);
  ck_assert_int_eq (meta->shape.dims[3], 16);
  ck_assert_uint_eq (meta->pts, GST_BUFFER_PTS (out));
  ck_assert (gst_buffer_map (meta->data, &map, GST_MAP_READ));
  for (guint i = 0; i < 16; i++)
    ck_assert_double_eq_tol (meta->type == FV_TYPE_F16
            ? fv_f16_to_f32 (((guint16 *) map.data)[i * meta->strides[3]])
            : ((float *) map.data)[i * meta->strides[3]],
        0.4, 0.005);
  gst_buffer_unmap (meta->data, &map);
  gst_buffer_unref (out);
  gst_harness_teardown (harness);
}
END_TEST

START_TEST (test_preprocessing_properties)
{
  g_autoptr (GstCaps) caps = element_test_caps ("RGB", 32, 32);
  GstHarness *harness = element_test_harness ("foveaclassify", classify,
      "input-format=bgr mean=\"<0.25,0,0>\" std=\"<0.5,1,1>\"", caps);
  GstFoveaRegion region, best;
  gpointer state = NULL;
  GstBuffer *out =
      gst_harness_push_and_pull (harness, colour_frame (caps, 200, 30, 220, 0));

  ck_assert (gst_fovea_buffer_next_region (out, NULL, &state, &region));
  ck_assert (gst_fovea_region_get_class (&region, 0, &best));
  /* blue comes first, as (0.86 - 0.25) / 0.5 */
  ck_assert_int_eq (best.label_id, 0);
  ck_assert_double_eq_tol (best.confidence, 0.99, 0.01);
  gst_buffer_unref (out);
  gst_harness_teardown (harness);
}
END_TEST

START_TEST (test_change_while_playing)
{
  g_autoptr (GstCaps) caps = element_test_caps ("RGB", 32, 32);
  GstHarness *harness = element_test_harness ("foveadetect", detect, "", caps);
  static const struct
  {
    double threshold, iou;
    guint max_detections, n;
  } rows[] = {
    { 0.5, 0.0, 0, 2 },
    { 0.7, 0.0, 0, 1 },
    { 0.5, 0.0, 1, 1 },
    { 0.2, 0.9, 0, 2 },
    /* the boxes share 6 x 6 of 156 pixels */
    { 0.2, 0.1, 0, 1 },
  };

  for (guint i = 0; i < 3 * G_N_ELEMENTS (rows); i++) {
    guint row = i % G_N_ELEMENTS (rows);
    GstBuffer *out;

    g_object_set (harness->element, "threshold", rows[row].threshold,
        "iou-threshold", rows[row].iou, "max-detections",
        rows[row].max_detections, NULL);
    out =
        gst_harness_push_and_pull (harness, colour_frame (caps, 255, 0, 0, i));
    ck_assert_msg (count_regions (out) == rows[row].n,
        "row %u: expected %u boxes, got %u", row, rows[row].n,
        count_regions (out));
    gst_buffer_unref (out);
  }
  gst_harness_teardown (harness);
}
END_TEST

START_TEST (test_inference_interval)
{
  g_autoptr (GstCaps) caps = element_test_caps ("RGB", 32, 32);
  GstHarness *harness = element_test_harness ("foveadetect", detect,
      "inference-interval=3 threshold=0.5", caps);

  for (guint i = 0; i < 12; i++) {
    /* from frame 9 on every second one */
    guint newest = i < 9 ? i / 3 * 3 : 9 + (i - 9) / 2 * 2;
    GstFoveaRegion region;
    gpointer state = NULL;
    GstBuffer *out;

    if (i == 9)
      g_object_set (harness->element, "inference-interval", 2, NULL);
    out =
        gst_harness_push_and_pull (harness, colour_frame (caps, 255, 0, 0, i));
    ck_assert (gst_fovea_buffer_next_region (out, NULL, &state, &region));
    ck_assert_uint_eq (region.pts, newest * (GST_SECOND / 25));
    gst_buffer_unref (out);
  }
  ck_assert_uint_eq (element_test_stat (harness->element, "frames-in"), 12);
  ck_assert_uint_eq (element_test_stat (harness->element, "frames-out"), 12);
  ck_assert_uint_eq (element_test_stat (harness->element, "inferred"), 5);
  ck_assert_uint_eq (element_test_stat (harness->element, "skipped"), 7);
  ck_assert_uint_eq (element_test_stat (harness->element, "dropped"), 0);
  ck_assert_uint_gt (element_test_stat (harness->element, "bytes-uploaded"),
      5 * 32 * 32 * 3 - 1);
  ck_assert_uint_gt (element_test_stat (harness->element, "memory-bytes"),
      32 * 32 * 3);
  gst_harness_teardown (harness);
}
END_TEST

/* Each of four streams has the model run on every third frame. */
START_TEST (test_fair_interval)
{
  g_autoptr (GString) line = g_string_new (NULL);
  g_autoptr (GstElement) pipeline = NULL;
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;

  for (guint i = 0; i < 4; i++)
    g_string_append_printf (line,
        "videotestsrc num-buffers=30 ! video/x-raw,width=64,height=48 ! "
        "foveasegment name=net%u model=\"%s\" inference-interval=3 ! fakesink ",
        i, segment);
  pipeline = element_test_parse (line->str);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  ck_assert_ptr_nonnull (message);
  ck_assert_int_eq (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
  for (guint i = 0; i < 4; i++) {
    g_autofree char *name = g_strdup_printf ("net%u", i);
    g_autoptr (GstElement) net = gst_bin_get_by_name (GST_BIN (pipeline), name);

    ck_assert_uint_eq (element_test_stat (net, "inferred"), 10);
    ck_assert_uint_eq (element_test_stat (net, "skipped"), 20);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
}
END_TEST

START_TEST (test_aliases)
{
  g_autoptr (GstElement) element =
      gst_element_factory_make ("foveadetect", NULL);
  g_autofree char *model = NULL, *labels = NULL;
  double threshold = 0;

  ck_assert_ptr_nonnull (element);
  g_object_set (element, "model-file", "a.onnx", "label-file", "b.txt",
      "score-threshold", 0.25, NULL);
  g_object_get (element, "model", &model, "labels-file", &labels, "threshold",
      &threshold, NULL);
  ck_assert_str_eq (model, "a.onnx");
  ck_assert_str_eq (labels, "b.txt");
  ck_assert_double_eq (threshold, 0.25);
  g_object_set (element, "model-location", "c.onnx", NULL);
  g_clear_pointer (&model, g_free);
  g_object_get (element, "model", &model, NULL);
  ck_assert_str_eq (model, "c.onnx");
}
END_TEST

START_TEST (test_two_elements_share_a_device)
{
  g_autoptr (FvDevice) device = fv_device_open (NULL, NULL);
  FvDeviceCounters before, after;
  g_autofree char *line = g_strdup_printf (
      "videotestsrc num-buffers=20 ! video/x-raw,format=RGB,width=64,"
      "height=48 ! foveasegment name=one model=\"%s\" ! foveadetect "
      "name=two model=\"%s\" ! fakesink",
      segment, detect);
  g_autofree char *error = NULL;

  fv_device_counters (device, &before);
  error = element_test_run (line, NULL, NULL);
  ck_assert_msg (error == NULL, "%s", error);
  /* every frame of both went through the one queue that is ours too */
  fv_device_counters (device, &after);
  ck_assert_uint_ge (after.submits - before.submits, 40);
}
END_TEST

START_TEST (test_states)
{
  g_autofree char *line = g_strdup_printf (
      "videotestsrc ! video/x-raw,format=I420,width=64,height=48 ! "
      "foveasegment model=\"%s\" name=net ! fakesink",
      segment);
  g_autoptr (GstElement) pipeline = element_test_parse (line);
  g_autoptr (FvDevice) device = fv_device_open (NULL, NULL);
  static const GstState ups[] = { GST_STATE_READY, GST_STATE_PAUSED,
    GST_STATE_PLAYING };
  static const GstState downs[] = { GST_STATE_PAUSED, GST_STATE_READY,
    GST_STATE_NULL };
  guint64 after_two = 0;
  FvDeviceCounters counters;

  for (guint round = 0; round < 50; round++) {
    gst_element_set_state (pipeline, ups[round % 3]);
    if (round % 5)
      gst_element_get_state (pipeline, NULL, NULL, 20 * GST_SECOND);
    if (round % 7 == 0)
      g_usleep (10000);
    gst_element_set_state (pipeline, downs[round / 3 % 3]);
    if (round % 2 == 0)
      continue;
    gst_element_set_state (pipeline, GST_STATE_NULL);
    fv_device_counters (device, &counters);
    if (round == 3)
      after_two = counters.allocated_bytes;
    else if (round > 3)
      ck_assert_uint_eq (counters.allocated_bytes, after_two);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
}
END_TEST

static void
check_error (const char *element, const char *model, const char *properties,
    GQuark domain, gint code, const char *text)
{
  g_autofree char *line = g_strdup_printf (
      "videotestsrc num-buffers=2 ! video/x-raw,format=RGB,width=32,height=32 "
      "! %s model=\"%s\" %s ! fakesink",
      element, model, properties);
  g_autofree char *error = NULL;
  gint64 start = g_get_monotonic_time ();
  GQuark came_domain = 0;
  gint came_code = 0;

  error = element_test_run (line, &came_domain, &came_code);
  ck_assert_msg (error != NULL, "no error from %s", line);
  ck_assert_msg (came_domain == domain && came_code == code,
      "%s: error %s %d: %s", line, g_quark_to_string (came_domain), came_code,
      error);
  ck_assert_msg (strstr (error, text) != NULL, "no '%s' in: %s", text, error);
  ck_assert_int_lt (g_get_monotonic_time () - start, 5 * G_USEC_PER_SEC);
}

START_TEST (test_errors)
{
  GQuark resource = GST_RESOURCE_ERROR;
  GQuark stream = GST_STREAM_ERROR;
  g_autofree char *garbage =
      element_test_write ("garbage.onnx", "\x89PNG\r\n\x1a\n, not a model");
  g_autofree char *binary = element_test_write ("labels.txt", "\xff\xfe\xfd");

  check_error ("foveasegment", "/nowhere/at-all.onnx", "", resource,
      GST_RESOURCE_ERROR_NOT_FOUND, "at-all.onnx");
  check_error ("foveasegment", "at-all", "", resource,
      GST_RESOURCE_ERROR_NOT_FOUND, "no model of that name; there are: ");
  check_error ("foveasegment", "", "", resource, GST_RESOURCE_ERROR_SETTINGS,
      "model");
  check_error ("foveasegment", garbage, "", stream, GST_STREAM_ERROR_WRONG_TYPE,
      "garbage.onnx");
  check_error ("foveasegment", unknown, "", stream,
      GST_STREAM_ERROR_NOT_IMPLEMENTED, "Frobnicate");
  check_error ("foveasegment", segment, "labels-file=/nowhere/labels.txt",
      resource, GST_RESOURCE_ERROR_SETTINGS, "labels.txt");
  check_error ("foveasegment", segment, "labels=\"<a,b,c,d,e,f,g>\"",
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "7 labels were given");
  g_autofree char *with_binary = g_strdup_printf ("labels-file=\"%s\"", binary);
  check_error ("foveasegment", segment, with_binary, resource,
      GST_RESOURCE_ERROR_SETTINGS, "labels");
  check_error ("foveasegment", segment, "device=no-such-device",
      GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT, "no-such-device");
  check_error ("foveasegment", segment, "mean=\"<1,2>\"", resource,
      GST_RESOURCE_ERROR_SETTINGS, "got 2");
  check_error ("foveasegment", segment, "std=\"<0>\"", resource,
      GST_RESOURCE_ERROR_SETTINGS, "std");
  check_error ("foveadetect", classify, "", resource,
      GST_RESOURCE_ERROR_SETTINGS, "classify");
  check_error ("foveainfer", raw, "", resource, GST_RESOURCE_ERROR_SETTINGS,
      "output-tensor-meta");
  check_error ("foveainfer", clip, "output-tensor-meta=true", stream,
      GST_STREAM_ERROR_NOT_IMPLEMENTED, "[1, 3, 8, 32, 32]");
}
END_TEST

/* A model of the wrong kind takes no plan to be refused: nothing is allocated on
 * the device, which is kept here so that it counts. */
START_TEST (test_wrong_kind)
{
  static const char *const elements[] = { "foveasegment", "foveadepth",
    "foveaclassify", "foveainfer" };
  g_autoptr (FvDevice) device = fv_device_open (NULL, NULL);
  FvDeviceCounters early, late;

  fv_device_counters (device, &early);
  for (guint i = 0; i < G_N_ELEMENTS (elements); i++)
    check_error (elements[i], i < 3 ? detect : raw, "", GST_RESOURCE_ERROR,
        GST_RESOURCE_ERROR_SETTINGS,
        i < 3 ? "it has detect" : "output-tensor-meta");
  fv_device_counters (device, &late);
  ck_assert_uint_eq (early.allocations, late.allocations);
  ck_assert_uint_eq (early.submits, late.submits);
}
END_TEST

/* The warning that comes while a frame runs through; none is a failure. */
static char *
first_warning (const char *model, const char *properties)
{
  g_autofree char *line = g_strdup_printf (
      "videotestsrc num-buffers=1 ! foveasegment model=\"%s\" %s ! fakesink",
      model, properties);
  g_autoptr (GstElement) pipeline = element_test_parse (line);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) warning = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  ck_assert_ptr_nonnull (message);
  ck_assert_int_eq (GST_MESSAGE_TYPE (message), GST_MESSAGE_WARNING);
  gst_message_parse_warning (message, &warning, NULL);
  return g_strdup (warning->message);
}

/* What is doubtful about a card reaches the application. */
START_TEST (test_warnings)
{
  g_autofree char *values = first_warning (segment, "");

  ck_assert_msg (strstr (values, "mean and std") != NULL, "%s", values);
}
END_TEST

START_TEST (test_use_after_an_error)
{
  g_autofree char *line = g_strdup_printf (
      "videotestsrc num-buffers=3 ! foveasegment model=/nowhere.onnx name=net "
      "! fakesink");
  g_autoptr (GstElement) pipeline = element_test_parse (line);
  g_autoptr (GstElement) net = gst_bin_get_by_name (GST_BIN (pipeline), "net");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  ck_assert_int_eq (gst_element_set_state (pipeline, GST_STATE_PLAYING),
      GST_STATE_CHANGE_FAILURE);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_bus_set_flushing (bus, TRUE);
  gst_bus_set_flushing (bus, FALSE);
  for (guint i = 0; i < 2; i++) {
    g_object_set (net, "model", i ? segment_free : segment, NULL);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND,
        GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    ck_assert_ptr_nonnull (message);
    ck_assert_int_eq (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
    gst_message_unref (message);
    /* the second model is read on the way up from READY */
    gst_element_set_state (pipeline, GST_STATE_READY);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
}
END_TEST

static guint
count_errors (GstBus *bus)
{
  GstMessage *message;
  guint n = 0;

  for (; (message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR)); n++)
    gst_message_unref (message);
  return n;
}

/* Frames that cannot be read are an error once, until one could be again. */
START_TEST (test_told_once)
{
  static const gboolean is_good[] = { TRUE, FALSE, FALSE, TRUE, FALSE };
  static const guint told[] = { 0, 1, 0, 0, 1 };
  g_autoptr (GstCaps) caps = element_test_caps ("RGBA", 32, 32);
  GstHarness *harness =
      element_test_harness ("foveasegment", segment, "", caps);
  g_autoptr (GstBus) bus = gst_bus_new ();

  gst_element_set_bus (harness->element, bus);
  for (guint i = 0; i < G_N_ELEMENTS (is_good); i++) {
    GstBuffer *frame = element_test_frame (caps, 200, i);

    if (!is_good[i])
      gst_buffer_set_size (frame, 100);
    ck_assert_int_eq (gst_harness_push (harness, frame),
        is_good[i] ? GST_FLOW_OK : GST_FLOW_ERROR);
    if (is_good[i])
      gst_buffer_unref (gst_harness_pull (harness));
    ck_assert_uint_eq (count_errors (bus), told[i]);
  }
  gst_element_set_bus (harness->element, NULL);
  gst_harness_teardown (harness);
}
END_TEST

/* Downstream's flow comes back to upstream, and EOS from there ends the source. */
START_TEST (test_downstream_flow)
{
  g_autofree char *line = g_strdup_printf (
      "videotestsrc ! video/x-raw,width=32,height=32 ! "
      "foveasegment model=\"%s\" ! identity eos-after=5 ! fakesink",
      segment);
  g_autofree char *error = element_test_run (line, NULL, NULL);
  g_autofree char *bad = g_strdup_printf (
      "videotestsrc ! video/x-raw,width=32,height=32 ! "
      "foveasegment model=\"%s\" ! identity error-after=3 ! fakesink",
      segment);
  g_autofree char *second = element_test_run (bad, NULL, NULL);

  ck_assert_msg (error == NULL, "%s", error);
  ck_assert_ptr_nonnull (second);
}
END_TEST

/* Who goes to READY lets upstream see a stream that stops, whatever comes: an event
 * that is refused would be an error of the source. */
START_TEST (test_events_while_stopping)
{
  g_autoptr (GstCaps) caps = element_test_caps ("RGB", 32, 32);
  g_autoptr (GstCaps) other = element_test_caps ("RGB", 48, 32);
  GstHarness *harness =
      element_test_harness ("foveasegment", segment, "", caps);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (harness->element, "src");

  gst_buffer_unref (
      gst_harness_push_and_pull (harness, element_test_frame (caps, 9, 0)));
  ck_assert (gst_pad_set_active (pad, FALSE));
  gst_harness_set_src_caps (harness, gst_caps_ref (other));
  ck_assert_int_eq (
      gst_harness_push (harness, element_test_frame (other, 9, 1)),
      GST_FLOW_FLUSHING);
  gst_harness_teardown (harness);
}
END_TEST

static Suite *
states_suite (void)
{
  Suite *suite = suite_create ("element-states");
  TCase *results = tcase_create ("results");
  TCase *states = tcase_create ("states");

  tcase_add_unchecked_fixture (results, make_models, free_models);
  tcase_add_unchecked_fixture (states, make_models, free_models);
  tcase_set_timeout (results, 120);
  tcase_set_timeout (states, 120);
  tcase_add_test (results, test_classify);
  tcase_add_test (results, test_detect);
  tcase_add_test (results, test_host_tail);
  tcase_add_test (results, test_depth);
  tcase_add_test (results, test_tensors);
  tcase_add_test (results, test_preprocessing_properties);
  tcase_add_test (results, test_change_while_playing);
  tcase_add_test (results, test_inference_interval);
  tcase_add_test (results, test_fair_interval);
  tcase_add_test (states, test_aliases);
  tcase_add_test (states, test_two_elements_share_a_device);
  tcase_add_test (states, test_states);
  tcase_add_test (states, test_errors);
  tcase_add_test (states, test_wrong_kind);
  tcase_add_test (states, test_warnings);
  tcase_add_test (states, test_use_after_an_error);
  tcase_add_test (states, test_told_once);
  tcase_add_test (states, test_downstream_flow);
  tcase_add_test (states, test_events_while_stopping);
  suite_add_tcase (suite, results);
  suite_add_tcase (suite, states);
  return suite;
}

int
main (int argc, char **argv)
{
  return element_test_main (&argc, &argv, states_suite ());
}
