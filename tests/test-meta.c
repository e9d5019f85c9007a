/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results on buffers through GStreamer's own elements: copied, scaled or gone. */
#include <math.h>
#include <string.h>
#include <check.h>
#include <gst/check/gstharness.h>
#include "gst/video/gstfoveamemory.h"
#include "gst/video/gstfoveameta.h"

#define WIDTH 64
#define HEIGHT 48
#define PTS (3 * GST_SECOND)

static const char *labels[] = { "road", "person", "car", NULL };

static GstFoveaProducer *
make_producer (const char *element, GstFoveaRole role)
{
  return gst_fovea_producer_new (element, "toy", "semantic", role, labels);
}

static GstFoveaPlane *
make_plane (GstFoveaProducer *producer, GstFoveaPlaneFormat format, guint width,
    guint height)
{
  guint stride = (width * gst_fovea_plane_format_size (format) + 3) & ~3u;
  GstBuffer *data = gst_buffer_new_allocate (NULL, stride * height, NULL);

  gst_buffer_memset (data, 0, 1, stride * height);
  return gst_fovea_plane_new (producer, PTS, format, width, height, stride,
      data);
}

/* A frame with one result of each kind. */
static GstBuffer *
make_frame (void)
{
  g_autoptr (GstFoveaProducer) producer =
      make_producer ("net0", GST_FOVEA_ROLE_RESULT);
  g_autoptr (GstFoveaProducer) truth =
      make_producer ("scene", GST_FOVEA_ROLE_TRUTH);
  g_autoptr (GstFoveaPlane) map =
      make_plane (producer, GST_FOVEA_PLANE_U8, WIDTH, HEIGHT);
  g_autoptr (GstFoveaPlane) depth =
      make_plane (truth, GST_FOVEA_PLANE_F32, 16, 12);
  g_autoptr (GstBuffer) data = gst_buffer_new_allocate (NULL, 24, NULL);
  const FvShape shape = { 2, { 2, 3 } };
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, WIDTH * HEIGHT * 4, NULL);
  GstVideoRegionOfInterestMeta *box;

  GST_BUFFER_PTS (buffer) = PTS;
  gst_buffer_memset (buffer, 0, 128, -1);
  ck_assert_ptr_nonnull (gst_fovea_buffer_add_segmentation (buffer, map, NULL,
      3, 0, WIDTH, HEIGHT));
  ck_assert_ptr_nonnull (gst_fovea_buffer_add_depth (buffer, depth,
      GST_FOVEA_DEPTH_INVERSE, WIDTH, HEIGHT));
  ck_assert_ptr_nonnull (gst_fovea_buffer_add_tensor (buffer, producer, PTS,
      "logits", FV_TYPE_F32, &shape, NULL, data));
  box = gst_fovea_buffer_add_detection (buffer, producer, PTS, 1, 0.75, 8, 12,
      16.4, 24, WIDTH, HEIGHT);
  ck_assert_ptr_nonnull (box);
  gst_fovea_region_add_class (box, producer, PTS, 2, 0.5);
  gst_fovea_buffer_add_frame_class (buffer, producer, PTS, 2, 0.625, WIDTH,
      HEIGHT);
  gst_fovea_buffer_add_frame_class (buffer, producer, PTS, 0, 0.25, WIDTH,
      HEIGHT);
  return buffer;
}

/* All results are there, of a frame of @width x @height. */
static void
check_results (GstBuffer *buffer, guint width, guint height)
{
  GstFoveaSegmentationMeta *mask =
      gst_fovea_buffer_get_segmentation (buffer, NULL);
  GstFoveaDepthMeta *depth = gst_fovea_buffer_get_depth (buffer, "truth");
  GstFoveaTensorMeta *tensor =
      gst_fovea_buffer_get_tensor (buffer, "results", "logits");
  GstFoveaRegion region, class;
  gpointer state = NULL;

  ck_assert_ptr_nonnull (mask);
  ck_assert_uint_eq (mask->frame.width, width);
  ck_assert_uint_eq (mask->frame.height, height);
  ck_assert_int_eq (mask->frame.region.w, width);
  ck_assert_int_eq (mask->frame.region.h, height);
  ck_assert_uint_eq (mask->map->width, WIDTH);
  ck_assert_uint_eq (mask->map->pts, PTS);
  ck_assert_str_eq (mask->map->producer->element, "net0");
  ck_assert_str_eq (mask->map->producer->model, "toy");
  ck_assert_str_eq (gst_fovea_producer_label (mask->map->producer, 2), "car");
  ck_assert_str_eq (gst_fovea_producer_label (mask->map->producer, 3), "");
  ck_assert_uint_eq (mask->n_classes, 3);
  ck_assert_int_eq (mask->background, 0);

  ck_assert_ptr_nonnull (depth);
  ck_assert_int_eq (depth->kind, GST_FOVEA_DEPTH_INVERSE);
  ck_assert_uint_eq (depth->frame.width, width);
  ck_assert_ptr_null (gst_fovea_buffer_get_depth (buffer, NULL));
  ck_assert_ptr_nonnull (gst_fovea_buffer_get_depth (buffer, "scene"));

  ck_assert_ptr_nonnull (tensor);
  ck_assert_int_eq (tensor->strides[0], 3);
  ck_assert_int_eq (tensor->strides[1], 1);

  ck_assert (gst_fovea_buffer_next_region (buffer, NULL, &state, &region));
  ck_assert (!region.is_frame);
  ck_assert_int_eq (region.label_id, 1);
  ck_assert_str_eq (region.label, "person");
  ck_assert_str_eq (region.element, "net0");
  ck_assert_double_eq (region.confidence, 0.75);
  ck_assert_int_eq (region.meta->id, 1);
  ck_assert_uint_eq (region.pts, PTS);
  ck_assert_uint_eq (region.meta->x, 8 * width / WIDTH);
  ck_assert_uint_eq (region.meta->y, 12 * height / HEIGHT);
  ck_assert_uint_eq (region.meta->w, 16 * width / WIDTH);
  ck_assert_uint_eq (region.meta->h, 24 * height / HEIGHT);
  ck_assert (gst_fovea_region_get_class (&region, 0, &class));
  ck_assert_str_eq (class.label, "car");
  ck_assert (!gst_fovea_region_get_class (&region, 1, &class));

  ck_assert (gst_fovea_buffer_next_region (buffer, NULL, &state, &region));
  ck_assert (region.is_frame);
  ck_assert_uint_eq (region.meta->w, width);
  ck_assert_uint_eq (region.meta->h, height);
  ck_assert (gst_fovea_region_get_class (&region, 0, &class));
  ck_assert_str_eq (class.label, "car");
  ck_assert_double_eq (class.confidence, 0.625);
  ck_assert (gst_fovea_region_get_class (&region, 1, &class));
  ck_assert_str_eq (class.label, "road");
  ck_assert (!gst_fovea_buffer_next_region (buffer, NULL, &state, &region));
}

static GstBuffer *
through (const char *launch, const char *out_caps)
{
  GstHarness *h = gst_harness_new_parse (launch);
  GstBuffer *out;

  gst_harness_set_src_caps_str (h,
      "video/x-raw,format=RGBA,width=64,height=48,framerate=25/1,"
      "interlace-mode=progressive,pixel-aspect-ratio=1/1");
  if (out_caps)
    gst_harness_set_sink_caps_str (h, out_caps);
  out = gst_harness_push_and_pull (h, make_frame ());
  ck_assert_ptr_nonnull (out);
  gst_harness_teardown (h);
  return out;
}

START_TEST (test_copied)
{
  static const struct
  {
    const char *launch, *caps;
  } ways[] = {
    { "tee ! queue", NULL },
    { "videoconvert",
        "video/x-raw,format=I420,width=64,height=48,framerate=25/1" },
    { "videoconvert",
        "video/x-raw,format=GRAY8,width=64,height=48,framerate=25/1" },
    { "videoscale", NULL },
  };
  g_autoptr (GstBuffer) out = through (ways[_i].launch, ways[_i].caps);
  g_autoptr (GstBuffer) copy = gst_buffer_copy_deep (out);

  check_results (out, WIDTH, HEIGHT);
  check_results (copy, WIDTH, HEIGHT);
}
END_TEST

START_TEST (test_scaled)
{
  g_autoptr (GstBuffer) twice = through ("videoscale add-borders=false",
      "video/x-raw,format=RGBA,width=128,height=96,framerate=25/1");
  g_autoptr (GstBuffer) half = through ("videoscale add-borders=false",
      "video/x-raw,format=RGBA,width=32,height=12,framerate=25/1,"
      "pixel-aspect-ratio=1/2");

  check_results (twice, 2 * WIDTH, 2 * HEIGHT);
  check_results (half, WIDTH / 2, HEIGHT / 4);
}
END_TEST

/* Right or gone: GStreamer 1.22 cannot say where pixels went, so gone. */
START_TEST (test_gone)
{
  static const char *ways[] = { "videocrop left=8 top=4",
    "videoflip video-direction=horiz", "videoflip video-direction=90r",
    "videobox left=-8 right=4" };
  g_autoptr (GstBuffer) out = through (ways[_i], NULL);
  GstFoveaRegion region;
  gpointer state = NULL;

  ck_assert_ptr_null (gst_fovea_buffer_get_segmentation (out, NULL));
  ck_assert_ptr_null (gst_fovea_buffer_get_depth (out, "truth"));
  ck_assert_ptr_null (gst_fovea_buffer_get_tensor (out, NULL, NULL));
  ck_assert (!gst_fovea_buffer_next_region (out, NULL, &state, &region));
}
END_TEST

START_TEST (test_source)
{
  g_autoptr (GstFoveaProducer) result =
      make_producer ("net0", GST_FOVEA_ROLE_RESULT);
  g_autoptr (GstFoveaProducer) truth =
      make_producer ("net0", GST_FOVEA_ROLE_TRUTH);

  ck_assert (gst_fovea_producer_matches (result, NULL));
  ck_assert (gst_fovea_producer_matches (result, "results"));
  ck_assert (!gst_fovea_producer_matches (result, "truth"));
  ck_assert (gst_fovea_producer_matches (result, "net0"));
  ck_assert (!gst_fovea_producer_matches (result, "net1"));
  ck_assert (!gst_fovea_producer_matches (truth, NULL));
  ck_assert (gst_fovea_producer_matches (truth, "truth"));
}
END_TEST

START_TEST (test_boxes_are_clipped)
{
  g_autoptr (GstFoveaProducer) producer =
      make_producer ("net0", GST_FOVEA_ROLE_RESULT);
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  GstVideoRegionOfInterestMeta *box;
  double x_max;

  box = gst_fovea_buffer_add_detection (buffer, producer, PTS, 9, 1, -5, 40,
      100, 100, WIDTH, HEIGHT);
  ck_assert_uint_eq (box->x, 0);
  ck_assert_uint_eq (box->y, 40);
  ck_assert_uint_eq (box->w, WIDTH);
  ck_assert_uint_eq (box->h, 8);
  ck_assert_str_eq (g_quark_to_string (box->roi_type), "object");
  ck_assert (gst_structure_get_double (
      gst_video_region_of_interest_meta_get_param (box, "detection"), "x_max",
      &x_max));
  ck_assert_double_eq (x_max, 1);
  ck_assert_ptr_null (gst_fovea_buffer_add_detection (buffer, producer, PTS, 0,
      1, 70, 0, 5, 5, WIDTH, HEIGHT));
  ck_assert_ptr_null (gst_fovea_buffer_add_detection (buffer, producer, PTS, 0,
      1, NAN, 0, 5, 5, WIDTH, HEIGHT));
  ck_assert_ptr_null (gst_fovea_buffer_add_detection (buffer, producer, PTS, 0,
      1, 5, 5, -1, 5, WIDTH, HEIGHT));
}
END_TEST

START_TEST (test_sizes_are_checked)
{
  g_autoptr (GstFoveaProducer) producer =
      make_producer ("net0", GST_FOVEA_ROLE_RESULT);
  g_autoptr (GstBuffer) data = gst_buffer_new_allocate (NULL, 23, NULL);
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  const FvShape shape = { 2, { 2, 3 } };
  const gint64 far[] = { G_MAXINT64, G_MAXINT64 };

  ck_assert_ptr_null (gst_fovea_buffer_add_tensor (buffer, producer, PTS, "x",
      FV_TYPE_F32, &shape, NULL, data));
  ck_assert_ptr_null (gst_fovea_buffer_add_tensor (buffer, producer, PTS, "x",
      FV_TYPE_U8, &shape, far, data));
  ck_assert_ptr_nonnull (gst_fovea_buffer_add_tensor (buffer, producer, PTS,
      "x", FV_TYPE_F16, &shape, NULL, data));
  ck_assert_ptr_null (gst_fovea_plane_new (producer, PTS, GST_FOVEA_PLANE_U8, 6,
      4, 6, gst_buffer_ref (data)));
  ck_assert_ptr_null (gst_fovea_plane_new (producer, PTS, GST_FOVEA_PLANE_U8, 6,
      3, 4, gst_buffer_ref (data)));
  ck_assert_ptr_null (gst_fovea_plane_new (producer, PTS, GST_FOVEA_PLANE_U8, 0,
      3, 4, gst_buffer_ref (data)));
}
END_TEST

/* A region that another element wrote, with the type alone. */
START_TEST (test_foreign_region)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  GstFoveaRegion region;
  gpointer state = NULL;

  gst_buffer_add_video_region_of_interest_meta (buffer, "face", 1, 2, 3, 4);
  ck_assert (gst_fovea_buffer_next_region (buffer, "results", &state, &region));
  ck_assert (!region.is_frame);
  ck_assert_str_eq (region.label, "face");
  ck_assert_int_eq (region.label_id, -1);
}
END_TEST

static Suite *
meta_suite (void)
{
  Suite *suite = suite_create ("meta");
  TCase *tcase = tcase_create ("metas");

  tcase_set_timeout (tcase, 60);
  tcase_add_loop_test (tcase, test_copied, 0, 4);
  tcase_add_test (tcase, test_scaled);
  tcase_add_loop_test (tcase, test_gone, 0, 4);
  tcase_add_test (tcase, test_source);
  tcase_add_test (tcase, test_boxes_are_clipped);
  tcase_add_test (tcase, test_sizes_are_checked);
  tcase_add_test (tcase, test_foreign_region);
  suite_add_tcase (suite, tcase);
  return suite;
}

int
main (int argc, char **argv)
{
  SRunner *runner;
  int failed;

  gst_init (&argc, &argv);
  runner = srunner_create (meta_suite ());
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed ? 1 : 0;
}
