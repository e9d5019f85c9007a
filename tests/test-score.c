/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results against the truth: figures that were worked out by hand, and the two
 * elements, foveascenesrc and foveaevaluate, from outside. */
#include <math.h>
#include <string.h>
#include <gst/check/gstharness.h>
#include "gst/video/gstfoveascore.h"
#include "tests/element-test.h"

#define WIDTH 4
#define HEIGHT 2
static const GstFoveaScoreLimits limits = { 0, 1, 0 };

static GstFoveaProducer *
make_producer (gboolean is_truth)
{
  static const char *const truth[] = { "sky", "road", "tree", NULL };
  static const char *const result[] = { "Road", "sky", "lamp", NULL };

  return gst_fovea_producer_new ("e", "m", "h",
      is_truth ? GST_FOVEA_ROLE_TRUTH : GST_FOVEA_ROLE_RESULT,
      is_truth ? truth : result);
}

static GstFoveaPlane *
make_plane (gboolean is_truth, GstFoveaPlaneFormat format, gconstpointer data,
    gsize size)
{
  g_autoptr (GstFoveaProducer) producer = make_producer (is_truth);

  return gst_fovea_plane_new (producer, 0, format, WIDTH, HEIGHT,
      (guint) (size / HEIGHT), gst_buffer_new_memdup (data, size));
}

static void
add_classes (GstBuffer *buffer, gboolean is_truth, const guint8 *classes)
{
  g_autoptr (GstFoveaPlane) map =
      make_plane (is_truth, GST_FOVEA_PLANE_U8, classes, WIDTH * HEIGHT);

  gst_fovea_buffer_add_segmentation (buffer, map, NULL, 3, -1, WIDTH, HEIGHT);
}

static void
add_depth (GstBuffer *buffer, gboolean is_truth, GstFoveaDepthKind kind,
    const float *depth)
{
  g_autoptr (GstFoveaPlane) map =
      make_plane (is_truth, GST_FOVEA_PLANE_F32, depth, 4 * WIDTH * HEIGHT);

  gst_fovea_buffer_add_depth (buffer, map, kind, WIDTH, HEIGHT);
}

static void
add_box (GstBuffer *buffer, gboolean is_truth, gint class, double score,
    double x, double width)
{
  g_autoptr (GstFoveaProducer) producer = make_producer (is_truth);

  gst_fovea_buffer_add_detection (buffer, producer, 0, class, score, x, 0,
      width, 10, 100, 10);
}

static double
get (const GstStructure *structure, const char *name)
{
  double value = -1;

  ck_assert_msg (gst_structure_get_double (structure, name, &value), "no %s",
      name);
  return value;
}

static double
get_of (const GstStructure *structure, const char *name, const char *class)
{
  GstStructure *each = NULL;
  double value;

  ck_assert (
      gst_structure_get (structure, name, GST_TYPE_STRUCTURE, &each, NULL));
  value = get (each, class);
  gst_structure_free (each);
  return value;
}

static GstStructure *
score_of (GstBuffer *buffer, guint width, guint height)
{
  g_autoptr (GstFoveaScore) score = gst_fovea_score_new ();

  ck_assert (gst_fovea_score_add (score, buffer, NULL, width, height, &limits));
  return gst_fovea_score_get (score);
}

/* sky 4, road 3, nothing 1 in truth. Found by label: of sky 3 right and 1 a lamp,
 * of road 2 right and 1 sky. */
START_TEST (test_classes)
{
  static const guint8 truth[] = { 0, 0, 0, 0, 1, 1, 1, 255 };
  static const guint8 found[] = { 1, 1, 1, 2, 0, 0, 1, 0 };
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();

  add_classes (buffer, FALSE, found);
  add_classes (buffer, TRUE, truth);
  g_autoptr (GstStructure) result = score_of (buffer, WIDTH, HEIGHT);
  ck_assert_double_eq_tol (get_of (result, "iou", "sky"), 3 / 5.0, 1e-9);
  ck_assert_double_eq_tol (get_of (result, "iou", "road"), 2 / 3.0, 1e-9);
  ck_assert_double_eq_tol (get (result, "miou"), (0.6 + 2 / 3.0) / 2, 1e-9);
  ck_assert_double_eq_tol (get (result, "pixel-accuracy"), 5 / 7.0, 1e-9);
  ck_assert (!gst_structure_has_field (result, "absrel"));
  ck_assert (!gst_structure_has_field (result, "map50"));
}
END_TEST

START_TEST (test_depth)
{
  static const float truth[] = { 1, 2, 4, 0, 10, 5, 8, NAN };
  static const float found[] = { 1, 3, 4, 7, 10, 5, 0, 1 };
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();

  add_depth (buffer, TRUE, GST_FOVEA_DEPTH_METRIC, truth);
  add_depth (buffer, FALSE, GST_FOVEA_DEPTH_METRIC, found);
  g_autoptr (GstStructure) result = score_of (buffer, WIDTH, HEIGHT);
  /* Five pixels have both; one of them is 3 m instead of 2 m. */
  ck_assert_double_eq_tol (get (result, "absrel"), 0.5 / 5, 1e-6);
  ck_assert_double_eq_tol (get (result, "rmse"), sqrt (1 / 5.0), 1e-6);
  ck_assert_double_eq_tol (get (result, "delta1"), 4 / 5.0, 1e-6);
  ck_assert_double_eq_tol (get (result, "depth-coverage"), 5 / 6.0, 1e-6);
}
END_TEST

/* What is too far does not count. */
START_TEST (test_far_depth)
{
  static const float truth[] = { 1, 2, 4, 0, 10, 5, 8, NAN };
  static const float found[] = { 1, 3, 4, 7, 30, 9, 0, 1 };
  static const GstFoveaScoreLimits near = { 0, 1, 4.5 };
  g_autoptr (GstFoveaScore) score = gst_fovea_score_new ();
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();

  add_depth (buffer, TRUE, GST_FOVEA_DEPTH_METRIC, truth);
  add_depth (buffer, FALSE, GST_FOVEA_DEPTH_METRIC, found);
  ck_assert (gst_fovea_score_add (score, buffer, NULL, WIDTH, HEIGHT, &near));
  g_autoptr (GstStructure) result = gst_fovea_score_get (score);
  ck_assert_double_eq_tol (get (result, "absrel"), 0.5 / 3, 1e-6);
  ck_assert_double_eq_tol (get (result, "depth-coverage"), 1, 1e-6);
}
END_TEST

/* Depth of any scale and shift fits, by 1 / depth where it is inverse. */
START_TEST (test_fitted_depth)
{
  static const float truth[] = { 1, 2, 4, 0, 10, 5, 8, NAN };
  float found[WIDTH * HEIGHT];
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();

  for (guint i = 0; i < WIDTH * HEIGHT; i++)
    found[i] = _i ? 3 * truth[i] - 2 : truth[i] > 0 ? 30 / truth[i] + 4 : 0;
  add_depth (buffer, TRUE, GST_FOVEA_DEPTH_METRIC, truth);
  add_depth (buffer, FALSE,
      _i ? GST_FOVEA_DEPTH_RELATIVE : GST_FOVEA_DEPTH_INVERSE, found);
  g_autoptr (GstStructure) result = score_of (buffer, WIDTH, HEIGHT);
  ck_assert_double_le (get (result, "absrel"), 1e-4);
  ck_assert_double_eq (get (result, "delta1"), 1);
}
END_TEST

/* Two true boxes of one class: found exactly at 0.9, with an overlap of 6/10 at 0.5,
 * and a wrong one in between. At 0.5: right, wrong, right: precision 1 up to a
 * recall of 0.5, then 2/3. */
START_TEST (test_boxes)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();

  add_box (buffer, TRUE, 0, 1, 0, 10);
  add_box (buffer, TRUE, 0, 1, 50, 10);
  add_box (buffer, FALSE, 1, 0.5, 50, 6);
  add_box (buffer, FALSE, 1, 0.9, 0, 10);
  add_box (buffer, FALSE, 1, 0.7, 80, 10);
  add_box (buffer, TRUE, 1, 1, 20, 10); /* none of these is found */
  g_autoptr (GstStructure) result = score_of (buffer, 100, 10);
  double at_50 = (51 + 50 * 2 / 3.0) / 101, above_60 = 51 / 101.0;
  ck_assert_double_eq_tol (get_of (result, "ap50", "sky"), at_50, 1e-9);
  ck_assert_double_eq_tol (get_of (result, "ap50", "road"), 0, 1e-9);
  ck_assert_double_eq_tol (get (result, "map50"), at_50 / 2, 1e-9);
  /* 0.5, 0.55 and 0.6 fit the second one, the other seven the first alone. */
  ck_assert_double_eq_tol (get (result, "map"),
      (3 * at_50 + 7 * above_60) / 10 / 2, 1e-9);
}
END_TEST

/* What the limits leave out is neither missed nor wrong. */
START_TEST (test_limits)
{
  static const GstFoveaScoreLimits large = { 12, 1, 0 };
  g_autoptr (GstFoveaScore) score = gst_fovea_score_new ();
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();

  add_box (buffer, TRUE, 0, 1, 0, 20);
  add_box (buffer, TRUE, 0, 1, 50, 10);
  add_box (buffer, FALSE, 1, 0.9, 50, 10);
  add_box (buffer, FALSE, 1, 0.8, 0, 20);
  add_box (buffer, FALSE, 1, 0.7, 80, 5);
  ck_assert (gst_fovea_score_add (score, buffer, NULL, 100, 10, &large));
  g_autoptr (GstStructure) result = gst_fovea_score_get (score);
  ck_assert_double_eq_tol (get_of (result, "ap50", "sky"), 1, 1e-9);
}
END_TEST

/* ---- The elements ---- */

typedef struct
{
  guint frames, boxes;
  GstClockTime last;
} Seen;

static void
look (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  Seen *seen = data;
  GstFoveaSegmentationMeta *classes =
      gst_fovea_buffer_get_segmentation (buffer, "truth");
  GstFoveaDepthMeta *depth = gst_fovea_buffer_get_depth (buffer, "truth");
  gpointer state = NULL;
  GstFoveaRegion region;

  ck_assert (classes != NULL && depth != NULL && classes->instances != NULL);
  ck_assert_int_eq (depth->kind, GST_FOVEA_DEPTH_METRIC);
  ck_assert_ptr_eq (gst_fovea_buffer_get_segmentation (buffer, NULL), NULL);
  while (gst_fovea_buffer_next_region (buffer, "truth", &state, &region)) {
    const GstStructure *box =
        gst_video_region_of_interest_meta_get_param (region.meta, "detection");
    double occlusion = -1;
    guint track = 0;
    ck_assert_int_eq (region.role, GST_FOVEA_ROLE_TRUTH);
    ck_assert (gst_structure_get (box, "track-id", G_TYPE_UINT, &track,
        "occlusion", G_TYPE_DOUBLE, &occlusion, NULL));
    ck_assert_uint_gt (track, 0);
    ck_assert_uint_gt (region.instance, 0);
    ck_assert (occlusion >= 0 && occlusion < 1);
    seen->boxes++;
  }
  seen->last = GST_BUFFER_PTS (buffer);
  seen->frames++;
}

START_TEST (test_source)
{
  static const char *const caps[] = { "RGB,width=65,height=37",
    "RGBx,width=640,height=360,framerate=10/1", "NV12,width=129,height=63",
    "I420,width=16,height=16,framerate=0/1" };
  g_autofree char *line = g_strdup_printf (
      "foveascenesrc num-buffers=9 scene=%s ! video/x-raw,format=%s"
      " ! fakesink name=sink signal-handoffs=true",
      _i % 2 ? "room" : "street", caps[_i]);
  GstElement *pipeline = element_test_parse (line);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  Seen seen = { 0 };

  g_signal_connect (sink, "handoff", G_CALLBACK (look), &seen);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (bus,
      GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  ck_assert_int_eq (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  ck_assert_uint_eq (seen.frames, 9);
  ck_assert_uint_gt (seen.boxes, 9);
  ck_assert_uint_eq (seen.last,
      _i == 3 ? 0 : gst_util_uint64_scale (8, GST_SECOND, _i == 1 ? 10 : 30));
  gst_object_unref (sink);
  gst_object_unref (pipeline);
}
END_TEST

START_TEST (test_live)
{
  gint64 start = g_get_monotonic_time ();
  g_autofree char *error = element_test_run (
      "foveascenesrc is-live=true num-buffers=8"
      " ! video/x-raw,width=64,height=36,framerate=10/1 ! fakesink sync=true",
      NULL, NULL);

  ck_assert_msg (error == NULL, "%s", error);
  ck_assert_int_ge (g_get_monotonic_time () - start, 700000);
}
END_TEST

START_TEST (test_no_device)
{
  GQuark domain = 0;
  gint code = 0;
  g_autofree char *error = element_test_run (
      "foveascenesrc device=no-such-device ! fakesink", &domain, &code);

  ck_assert (error != NULL && strstr (error, "no-such-device"));
  ck_assert (
      domain == GST_RESOURCE_ERROR && code == GST_RESOURCE_ERROR_NOT_FOUND);
}
END_TEST

/* The message at the end says how many frames there were. */
START_TEST (test_message)
{
  GstElement *pipeline = element_test_parse (
      "foveascenesrc num-buffers=3 ! video/x-raw,width=64,height=36"
      " ! foveaevaluate name=e ! fakesink");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  guint64 frames = 0;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (bus,
      GST_CLOCK_TIME_NONE, GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR);
  const GstStructure *stats = gst_message_get_structure (message);
  ck_assert_str_eq (gst_structure_get_name (stats), "foveaevaluate");
  ck_assert (gst_structure_get_uint64 (stats, "frames", &frames));
  ck_assert_uint_eq (frames, 3);
  ck_assert (!gst_structure_has_field (stats, "miou"));
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}
END_TEST

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("score");
  TCase *figures = tcase_create ("figures"),
        *elements = tcase_create ("elements");

  tcase_add_test (figures, test_classes);
  tcase_add_test (figures, test_depth);
  tcase_add_test (figures, test_far_depth);
  tcase_add_loop_test (figures, test_fitted_depth, 0, 2);
  tcase_add_test (figures, test_boxes);
  tcase_add_test (figures, test_limits);
  tcase_add_loop_test (elements, test_source, 0, 4);
  tcase_add_test (elements, test_live);
  tcase_add_test (elements, test_no_device);
  tcase_add_test (elements, test_message);
  tcase_set_timeout (elements, 300);
  suite_add_tcase (suite, figures);
  suite_add_tcase (suite, elements);
  return element_test_main (&argc, &argv, suite);
}
