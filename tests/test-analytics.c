/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results as GStreamer's own analytics metas: the same numbers as in ours, kept,
 * scaled or gone behind other elements, and drawn by GStreamer's overlay. */
#include <string.h>
#include "gst/video/gstfoveaanalytics.h"
#include "tests/element-models.h"
#include "tests/element-test.h"

#include <gst/analytics/analytics.h>

#define WIDTH 96
#define HEIGHT 48

/* One frame through "@element model=@model @rest". (transfer full) */
static GstBuffer *
run (const char *element, const char *model, const char *rest)
{
  g_autoptr (GstCaps) caps = element_test_caps ("RGBA", WIDTH, HEIGHT);
  g_autofree char *description =
      g_strdup_printf ("%s model=%s %s", element, model, rest);
  GstHarness *harness = gst_harness_new_parse (description);
  GstBuffer *buffer;

  gst_harness_set_src_caps (harness, gst_caps_ref (caps));
  gst_harness_play (harness);
  ck_assert_int_eq (
      gst_harness_push (harness, element_test_thirds (WIDTH, HEIGHT, 3)),
      GST_FLOW_OK);
  buffer = gst_harness_pull (harness);
  ck_assert_ptr_nonnull (buffer);
  gst_harness_teardown (harness);
  return buffer;
}

static guint
count (GstBuffer *buffer, GstAnalyticsMtdType type)
{
  GstAnalyticsRelationMeta *meta =
      gst_buffer_get_analytics_relation_meta (buffer);
  gpointer state = NULL;
  GstAnalyticsMtd mtd;
  guint n = 0;

  while (meta && gst_analytics_relation_meta_iterate (meta, &state, type, &mtd))
    n++;
  return n;
}

static GstAnalyticsMtd
first (GstBuffer *buffer, GstAnalyticsMtdType type)
{
  GstAnalyticsRelationMeta *meta =
      gst_buffer_get_analytics_relation_meta (buffer);
  gpointer state = NULL;
  GstAnalyticsMtd mtd;

  ck_assert_ptr_nonnull (meta);
  ck_assert (gst_analytics_relation_meta_iterate (meta, &state, type, &mtd));
  return mtd;
}

/* Each box as an object detection, in order, with the numbers of its region. */
static guint
check_boxes (GstBuffer *buffer)
{
  GstAnalyticsRelationMeta *meta =
      gst_buffer_get_analytics_relation_meta (buffer);
  gpointer state = NULL, regions = NULL;
  GstFoveaRegion region;
  GstAnalyticsODMtd mtd;
  gint x, y, w, h;
  gfloat level;
  guint n = 0;

  ck_assert_ptr_nonnull (meta);
  while (gst_fovea_buffer_next_region (buffer, NULL, &regions, &region)) {
    if (region.is_frame)
      continue;
    ck_assert (gst_analytics_relation_meta_iterate (meta, &state,
        gst_analytics_od_mtd_get_mtd_type (), &mtd));
    ck_assert (
        gst_analytics_od_mtd_get_location (&mtd, &x, &y, &w, &h, &level));
    ck_assert_int_eq (x, region.meta->x);
    ck_assert_int_eq (y, region.meta->y);
    ck_assert_int_eq (w, region.meta->w);
    ck_assert_int_eq (h, region.meta->h);
    ck_assert_float_eq (level, (gfloat) region.confidence);
    ck_assert_str_eq (
        g_quark_to_string (gst_analytics_od_mtd_get_obj_type (&mtd)),
        region.label);
    n++;
  }
  ck_assert_uint_eq (n, count (buffer, gst_analytics_od_mtd_get_mtd_type ()));
  return n;
}

START_TEST (test_detect)
{
  g_autofree char *model = element_model_detect ("detect.onnx");
  GstBuffer *buffer = run ("foveadetect", model, "threshold=0.1");

  ck_assert_uint_ge (check_boxes (buffer), 1);
  gst_buffer_unref (buffer);
}
END_TEST

START_TEST (test_classify)
{
  g_autofree char *model = element_model_classify ("classify.onnx");
  GstBuffer *buffer = run ("foveaclassify", model, "labels=\"<a,b,c>\"");
  GstAnalyticsClsMtd mtd =
      first (buffer, gst_analytics_cls_mtd_get_mtd_type ());
  GstFoveaRegion region, class;
  gpointer state = NULL;
  gsize n = gst_analytics_cls_mtd_get_length (&mtd);

  ck_assert_uint_eq (count (buffer, GST_ANALYTICS_MTD_TYPE_ANY), 1);
  ck_assert (gst_fovea_buffer_next_region (buffer, NULL, &state, &region));
  ck_assert_uint_ge (n, 1);
  for (gsize i = 0; i < n; i++) {
    ck_assert (gst_fovea_region_get_class (&region, (guint) i, &class));
    ck_assert_str_eq (
        g_quark_to_string (gst_analytics_cls_mtd_get_quark (&mtd, i)),
        class.label);
    ck_assert_float_eq (gst_analytics_cls_mtd_get_level (&mtd, i),
        (gfloat) class.confidence);
  }
  ck_assert (!gst_fovea_region_get_class (&region, (guint) n, &class));
  gst_buffer_unref (buffer);
}
END_TEST

/* What is in front of the drawing goes in, what is behind it comes out; the box that
 * GStreamer's overlay draws has its edges where ours are. */
START_TEST (test_upstream_overlay)
{
  g_autofree char *model = element_model_detect ("detect.onnx");
  g_autoptr (GstElementFactory) factory =
      gst_element_factory_find ("objectdetectionoverlay");
  GstBuffer *plain, *drawn;
  GstFoveaRegion region;
  gpointer state = NULL;
  GstMapInfo a, b;
  guint changed = 0, inside = 0;

  if (factory == NULL) {
    g_print ("skipped: there is no objectdetectionoverlay\n");
    return;
  }
  plain = run ("foveadetect", model, "threshold=0.3 max-detections=1");
  drawn = run ("foveadetect", model,
      "threshold=0.3 max-detections=1 ! objectdetectionoverlay "
      "object-detection-outline-color=0xffffffff draw-labels=false "
      "! capsfilter caps=video/x-raw,format=RGBA");
  ck_assert_uint_eq (check_boxes (plain), 1);
  ck_assert (gst_fovea_buffer_next_region (plain, NULL, &state, &region));
  ck_assert (gst_buffer_map (plain, &a, GST_MAP_READ));
  ck_assert (gst_buffer_map (drawn, &b, GST_MAP_READ));
  ck_assert_uint_eq (a.size, b.size);
  for (gint y = 0; y < HEIGHT; y++)
    for (gint x = 0; x < WIDTH; x++) {
      const GstVideoRegionOfInterestMeta *box = region.meta;
      gint left = ABS (x - (gint) box->x);
      gint right = ABS (x - (gint) (box->x + box->w));
      gint top = ABS (y - (gint) box->y);
      gint bottom = ABS (y - (gint) (box->y + box->h));

      if (!memcmp (a.data + 4 * (y * WIDTH + x), b.data + 4 * (y * WIDTH + x),
              3))
        continue;
      changed++;
      inside += MIN (MIN (left, right), MIN (top, bottom)) <= 2;
    }
  gst_buffer_unmap (plain, &a);
  gst_buffer_unmap (drawn, &b);
  ck_assert_uint_ge (changed, region.meta->w + region.meta->h);
  ck_assert_uint_eq (inside, changed);
  gst_buffer_unref (plain);
  gst_buffer_unref (drawn);
}
END_TEST

#ifdef GST_FOVEA_HAS_DEPTH_MTD

/* The mask and the classification behind it. */
static void
check_mask (GstBuffer *buffer, const GstAnalyticsMtd *mtd,
    const GstFoveaPlane *plane, GstAnalyticsClsMtd *classes)
{
  gint x, y;
  guint w, h;
  GstBuffer *mask =
      gst_analytics_segmentation_mtd_get_mask (mtd, &x, &y, &w, &h);
  GstVideoMeta *video = gst_buffer_get_video_meta (mask);
  gpointer state = NULL;

  ck_assert_ptr_eq (mask, plane->data);
  ck_assert_ptr_nonnull (video);
  ck_assert_int_eq (video->format,
      plane->format == GST_FOVEA_PLANE_U8 ? GST_VIDEO_FORMAT_GRAY8
                                          : GST_VIDEO_FORMAT_GRAY16_LE);
  ck_assert_uint_eq (video->width, plane->width);
  ck_assert_uint_eq (video->height, plane->height);
  ck_assert_int_eq (video->stride[0], plane->stride);
  ck_assert_int_eq (x, 0);
  ck_assert_int_eq (y, 0);
  ck_assert_uint_eq (w, WIDTH);
  ck_assert_uint_eq (h, HEIGHT);
  ck_assert (gst_analytics_relation_meta_get_direct_related (mtd->meta, mtd->id,
      GST_ANALYTICS_REL_TYPE_N_TO_N, gst_analytics_cls_mtd_get_mtd_type (),
      &state, classes));
  ck_assert_uint_eq (gst_analytics_segmentation_mtd_get_region_count (mtd),
      gst_analytics_cls_mtd_get_length (classes));
  gst_buffer_unref (mask);
}

START_TEST (test_segment)
{
  g_autofree char *model = element_model_segment ("segment.onnx", FALSE);
  GstBuffer *buffer = run ("foveasegment", model, "labels=\"<dark,bright>\"");
  GstAnalyticsMtd mtd =
      first (buffer, gst_analytics_segmentation_mtd_get_mtd_type ());
  GstAnalyticsClsMtd classes;

  check_mask (buffer, &mtd,
      gst_fovea_buffer_get_segmentation (buffer, NULL)->map, &classes);
  ck_assert_uint_eq (gst_analytics_segmentation_mtd_get_region_count (&mtd), 2);
  ck_assert_uint_eq (gst_analytics_segmentation_mtd_get_region_id (&mtd, 1), 1);
  ck_assert_str_eq (
      g_quark_to_string (gst_analytics_cls_mtd_get_quark (&classes, 1)),
      "bright");
  ck_assert_float_eq (gst_analytics_cls_mtd_get_level (&classes, 1), -1);
  gst_buffer_unref (buffer);
}
END_TEST

/* Things one by one: a box each, and a region each of a second mask. */
START_TEST (test_instances)
{
  g_autofree char *model = element_model_prototypes ("prototypes.onnx");
  GstBuffer *buffer = run ("foveasegment", model, "resize-mode=stretch");
  GstFoveaSegmentationMeta *ours =
      gst_fovea_buffer_get_segmentation (buffer, NULL);
  GstAnalyticsRelationMeta *meta =
      gst_buffer_get_analytics_relation_meta (buffer);
  GstAnalyticsMtdType type = gst_analytics_segmentation_mtd_get_mtd_type ();
  gpointer state = NULL, regions = NULL;
  GstAnalyticsMtd semantic, things, box;
  GstAnalyticsClsMtd classes;
  GstFoveaRegion region;
  gsize index;
  guint n = 0;

  ck_assert_uint_eq (check_boxes (buffer), 2);
  ck_assert (
      gst_analytics_relation_meta_iterate (meta, &state, type, &semantic));
  ck_assert (gst_analytics_relation_meta_iterate (meta, &state, type, &things));
  check_mask (buffer, &semantic, ours->map, &classes);
  check_mask (buffer, &things, ours->instances, &classes);
  while (gst_fovea_buffer_next_region (buffer, NULL, &regions, &region)) {
    ck_assert (gst_analytics_segmentation_mtd_get_region_index (&things, &index,
        region.instance));
    ck_assert_str_eq (
        g_quark_to_string (gst_analytics_cls_mtd_get_quark (&classes, index)),
        region.label);
  }
  state = NULL;
  while (gst_analytics_relation_meta_get_direct_related (meta, things.id,
      GST_ANALYTICS_REL_TYPE_RELATE_TO, gst_analytics_od_mtd_get_mtd_type (),
      &state, &box))
    n++;
  ck_assert_uint_eq (n, 2);
  gst_buffer_unref (buffer);
}
END_TEST

START_TEST (test_depth)
{
  g_autofree char *model = element_model_depth ("depth.onnx");
  GstBuffer *buffer = run ("foveadepth", model, "");
  GstFoveaDepthMeta *ours = gst_fovea_buffer_get_depth (buffer, NULL);
  GstFoveaDepthMtd mtd = first (buffer, gst_fovea_depth_mtd_get_mtd_type ());
  GstVideoRectangle region;
  GstFoveaDepthKind kind;
  GstFoveaPlane *map;
  GstBuffer *copy;

  ck_assert_str_eq (
      gst_analytics_mtd_type_get_name (gst_analytics_mtd_get_mtd_type (&mtd)),
      "fovea-depth");
  map = gst_fovea_depth_mtd_get (&mtd, &kind, &region);
  ck_assert_ptr_eq (map, ours->map);
  ck_assert_int_eq (kind, ours->kind);
  ck_assert_int_eq (region.w, WIDTH);
  ck_assert_int_eq (region.h, HEIGHT);
  /* it lives as long as any copy, and no longer */
  gst_fovea_plane_ref (map);
  copy = gst_buffer_copy (buffer);
  gst_buffer_unref (buffer);
  mtd = first (copy, gst_fovea_depth_mtd_get_mtd_type ());
  ck_assert_ptr_eq (gst_fovea_depth_mtd_get (&mtd, NULL, NULL), map);
  ck_assert (!g_atomic_ref_count_compare (&map->ref, 1));
  gst_buffer_unref (copy);
  ck_assert (g_atomic_ref_count_compare (&map->ref, 1));
  gst_fovea_plane_unref (map);
}
END_TEST

/* The numbers of @ours in order, without its strides' gaps. */
static void
check_tensor (const GstTensor *tensor, const GstFoveaTensorMeta *ours)
{
  gsize element = fv_type_size (ours->type), n = 1;
  GstMapInfo a, b;

  ck_assert_str_eq (g_quark_to_string (tensor->id), ours->name);
  ck_assert_uint_eq (tensor->num_dims, ours->shape.rank);
  for (guint i = 0; i < ours->shape.rank; i++) {
    ck_assert_uint_eq (tensor->dims[i], ours->shape.dims[i]);
    n *= tensor->dims[i];
  }
  ck_assert (gst_buffer_map (tensor->data, &a, GST_MAP_READ));
  ck_assert (gst_buffer_map (ours->data, &b, GST_MAP_READ));
  ck_assert_uint_eq (a.size, n * element);
  for (gsize k = 0; k < n; k++) {
    gsize rest = k, at = 0;

    for (guint i = ours->shape.rank; i-- > 0;) {
      at += rest % tensor->dims[i] * (gsize) ours->strides[i];
      rest /= tensor->dims[i];
    }
    ck_assert_int_eq (
        memcmp (a.data + k * element, b.data + at * element, element), 0);
  }
  gst_buffer_unmap (tensor->data, &a);
  gst_buffer_unmap (ours->data, &b);
}

START_TEST (test_tensor)
{
  static const struct
  {
    char *(*make) (const char *);
    const char *element;
  } cases[] = {
    { element_model_raw, "foveainfer" },
    { element_model_queries, "foveasegment" },
    { element_model_suppress, "foveadetect" }, /* int64, made by the host */
  };
  g_autofree char *model = cases[_i].make ("tensors.onnx");
  GstBuffer *buffer = run (cases[_i].element, model, "output-tensor-meta=true");
  GstTensorMeta *meta = gst_buffer_get_tensor_meta (buffer);
  gpointer state = NULL;
  GstMeta *ours;
  gsize n = 0;

  ck_assert_ptr_nonnull (meta);
  while ((ours = gst_buffer_iterate_meta_filtered (buffer, &state,
              GST_FOVEA_TENSOR_META_API_TYPE)))
    check_tensor (gst_tensor_meta_get (meta, n++), (GstFoveaTensorMeta *) ours);
  ck_assert_uint_eq (n, meta->num_tensors);
  gst_buffer_unref (buffer);
}
END_TEST

/* A mask behind other elements is right or gone. */
START_TEST (test_transformed)
{
  static const struct
  {
    const char *element;
    guint width, height; /* 0: gone */
  } cases[] = {
    { "videoconvert ! capsfilter caps=video/x-raw,format=I420", WIDTH, HEIGHT },
    { "videoscale ! capsfilter caps=video/x-raw,width=48,height=96", 48, 96 },
    { "videoflip method=clockwise", 0, 0 },
    { "videocrop left=8 top=4", 0, 0 },
  };
  g_autofree char *model = element_model_segment ("segment.onnx", FALSE);
  g_autofree char *rest = g_strdup_printf ("! %s", cases[_i].element);
  GstBuffer *buffer = run ("foveasegment", model, rest);
  GstAnalyticsMtdType type = gst_analytics_segmentation_mtd_get_mtd_type ();
  GstAnalyticsMtd mtd;
  GstBuffer *mask;
  gint x, y;
  guint w, h;

  ck_assert_uint_eq (count (buffer, type), cases[_i].width ? 1 : 0);
  if (cases[_i].width) {
    mtd = first (buffer, type);
    mask = gst_analytics_segmentation_mtd_get_mask (&mtd, &x, &y, &w, &h);
    ck_assert_ptr_nonnull (mask);
    ck_assert_uint_eq (w, cases[_i].width);
    ck_assert_uint_eq (h, cases[_i].height);
    gst_buffer_unref (mask);
  }
  gst_buffer_unref (buffer);
}
END_TEST
#endif

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("analytics");
  TCase *tc = tcase_create ("analytics");

  tcase_set_timeout (tc, 120);
  tcase_add_test (tc, test_detect);
  tcase_add_test (tc, test_classify);
  tcase_add_test (tc, test_upstream_overlay);
#ifdef GST_FOVEA_HAS_DEPTH_MTD
  tcase_add_test (tc, test_segment);
  tcase_add_test (tc, test_instances);
  tcase_add_test (tc, test_depth);
  tcase_add_loop_test (tc, test_tensor, 0, 3);
  tcase_add_loop_test (tc, test_transformed, 0, 4);
#endif
  suite_add_tcase (suite, tc);
  return element_test_main (&argc, &argv, suite);
}
