/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What users of other inference elements complained of, from a frame to its result
 * (docs/acceptance.md says where the rest is tested). */
#include <math.h>
#include <stdlib.h>
#include "tests/element-models.h"
#include "tests/element-test.h"

/* Neither the frame nor the input is square, nor are they alike. */
#define WIDTH 640
#define HEIGHT 360
#define INPUT "input-width=512 input-height=256"

static const char *const modes[] = { "stretch", "letterbox", "crop" };

/* Bright in the frame: odd places, within what a crop to 2:1 leaves. */
static const GstVideoRectangle bright = { 101, 57, 386, 234 };

/* How far pixel (@x, @y) lies inside, in pixels; outside: less than 0. */
static gint
depth_inside (gint x, gint y)
{
  gint across = MIN (x - bright.x, bright.x + bright.w - 1 - x);
  gint down = MIN (y - bright.y, bright.y + bright.h - 1 - y);

  return MIN (across, down);
}

static GstBuffer *
make_frame (GstCaps *caps, guint index)
{
  GstBuffer *buffer = element_test_frame (caps, 0, index);
  GstMapInfo map;

  ck_assert (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  for (gint i = 0; i < WIDTH * HEIGHT; i++)
    memset (map.data + 4 * i,
        depth_inside (i % WIDTH, i / WIDTH) >= 0 ? 255 : 0, 4);
  gst_buffer_unmap (buffer, &map);
  return buffer;
}

static GstBuffer *
run (GstHarness *harness, GstBuffer *buffer)
{
  ck_assert_int_eq (gst_harness_push (harness, buffer), GST_FLOW_OK);
  buffer = gst_harness_pull (harness);
  ck_assert_ptr_nonnull (buffer);
  return buffer;
}

static gboolean
is_bright (const GstFoveaPlane *plane, const guint8 *data, gint x, gint y)
{
  const guint8 *row = data + (gsize) y * plane->stride;

  return plane->format == GST_FOVEA_PLANE_F32
      ? ((const float *) (gconstpointer) row)[x] > 0.5f
      : row[x] == 1;
}

/* The map against the frame: alike but for pixels beside the edge, in rows @top to
 * HEIGHT - @top, which the model saw. */
static void
check_map (const GstFoveaPlane *plane, gint top)
{
  guint both = 0, either = 0;
  GstMapInfo map;

  ck_assert_uint_eq (plane->width, WIDTH);
  ck_assert_uint_eq (plane->height, HEIGHT);
  ck_assert (gst_buffer_map (plane->data, &map, GST_MAP_READ));
  for (gint y = top; y < HEIGHT - top; y++)
    for (gint x = 0; x < WIDTH; x++) {
      gboolean found = is_bright (plane, map.data, x, y);
      gint inside = depth_inside (x, y);

      both += found && inside >= 0;
      either += found || inside >= 0;
      ck_assert_msg (found == (inside >= 0) || (inside >= -1 && inside <= 0),
          "%d, %d is wrong, %d pixels inside", x, y, inside);
    }
  gst_buffer_unmap (plane->data, &map);
  ck_assert_uint_gt (both, 98 * either / 100);
}

/* Masks and depth of each way into the input. */
START_TEST (test_not_square)
{
  gboolean is_depth = _i >= (gint) G_N_ELEMENTS (modes);
  guint mode = (guint) _i % G_N_ELEMENTS (modes);
  g_autofree char *path = is_depth ? element_model_free_depth ("depth.onnx")
                                   : element_model_segment ("seg.onnx", TRUE);
  g_autofree char *properties =
      g_strdup_printf (INPUT " resize-mode=%s", modes[mode]);
  g_autoptr (GstCaps) caps = element_test_caps ("RGBA", WIDTH, HEIGHT);
  GstHarness *harness = element_test_harness (
      is_depth ? "foveadepth" : "foveasegment", path, properties, caps);
  g_autoptr (GstBuffer) out = run (harness, make_frame (caps, 0));
  GstFoveaSegmentationMeta *mask =
      gst_fovea_buffer_get_segmentation (out, NULL);
  GstFoveaDepthMeta *depth = gst_fovea_buffer_get_depth (out, NULL);

  ck_assert_ptr_nonnull (is_depth ? (gpointer) depth : mask);
  /* the crop leaves 320 rows of 360 */
  check_map (is_depth ? depth->map : mask->map, mode == 2 ? 20 : 0);
  gst_harness_teardown (harness);
}
END_TEST

/* 16 x 8 around (16, 16) of an input of 32 x 32, in pixels of the frame. */
static const GstVideoRectangle boxes[] = { { 160, 135, 320, 90 },
  { 160, 100, 320, 160 }, { 230, 135, 180, 90 } };

START_TEST (test_boxes)
{
  g_autofree char *path = element_model_detect ("boxes.onnx");
  g_autofree char *properties =
      g_strdup_printf ("threshold=0.5 resize-mode=%s", modes[_i]);
  g_autoptr (GstCaps) caps = element_test_caps ("RGBA", WIDTH, HEIGHT);
  GstHarness *harness =
      element_test_harness ("foveadetect", path, properties, caps);
  g_autoptr (GstBuffer) out = run (harness, element_test_frame (caps, 255, 0));
  const GstVideoRectangle *want = &boxes[_i];
  const GstVideoRegionOfInterestMeta *box;
  GstFoveaRegion region;
  gpointer state = NULL;

  ck_assert (gst_fovea_buffer_next_region (out, NULL, &state, &region));
  box = region.meta;
  ck_assert_int_le (abs ((gint) box->x - want->x), 1);
  ck_assert_int_le (abs ((gint) box->y - want->y), 1);
  ck_assert_int_le (abs ((gint) (box->x + box->w) - want->x - want->w), 1);
  ck_assert_int_le (abs ((gint) (box->y + box->h) - want->y - want->h), 1);
  gst_harness_teardown (harness);
}
END_TEST

static int
compare (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

#define TIMED 40

/* What is told is within 10 % of what the frames here really take, p95. */
START_TEST (test_latency)
{
  g_autofree char *path = element_model_segment ("seg.onnx", TRUE);
  g_autoptr (GstCaps) caps = element_test_caps ("RGBA", WIDTH, HEIGHT);
  GstHarness *harness = element_test_harness ("foveasegment", path,
      "input-width=1600 input-height=1200 on-overload=block", caps);
  double taken[TIMED], told, measured;

  for (guint i = 0; i < TIMED; i++) {
    GstBuffer *frame = make_frame (caps, i);
    gint64 start = g_get_monotonic_time ();

    gst_buffer_unref (run (harness, frame));
    taken[i] = (double) (g_get_monotonic_time () - start) * 1e-3;
  }
  told = (double) gst_harness_query_latency (harness) / GST_MSECOND;
  qsort (taken, TIMED, sizeof *taken, compare);
  measured = taken[TIMED * 95 / 100 - 1];
  g_print ("latency: told %.1f ms, measured %.1f ms\n", told, measured);
  ck_assert_double_le (fabs (told - measured), 0.1 * measured + 0.5);
  gst_harness_teardown (harness);
}
END_TEST

/* What `stats` has to say, whatever came through. */
START_TEST (test_stats)
{
  static const char *const fields[] = { "frames-in", "frames-out", "inferred",
    "skipped", "dropped", "in-flight", "bytes-uploaded", "bytes-downloaded",
    "gpu-ms-p50", "gpu-ms-p95", "gpu-ms-p99", "wall-ms-p50", "wall-ms-p95",
    "wall-ms-p99", "memory-bytes", "device", "path" };
  g_autofree char *path = element_model_segment ("seg.onnx", FALSE);
  g_autoptr (GstCaps) caps = element_test_caps ("RGBA", WIDTH, HEIGHT);
  GstHarness *harness = element_test_harness ("foveasegment", path, "", caps);
  g_autoptr (GstStructure) stats = NULL;

  gst_buffer_unref (run (harness, make_frame (caps, 0)));
  g_object_get (harness->element, "stats", &stats, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    ck_assert_msg (gst_structure_has_field (stats, fields[i]), "%s", fields[i]);
  gst_harness_teardown (harness);
}
END_TEST

#define RUNS 100

/* One frame so often: every bit of what the net says of it is the same. */
START_TEST (test_hashes)
{
  g_autofree char *path = g_build_filename (FV_MODELS, "scene-cnn.onnx", NULL);
  g_autofree char *first = NULL;
  g_autoptr (GstCaps) caps = element_test_caps ("RGBA", WIDTH, HEIGHT);
  GstHarness *harness;

  if (!g_file_test (path, G_FILE_TEST_EXISTS)) {
    g_print ("no weights of scene-cnn: skipped\n");
    return;
  }
  harness = element_test_harness ("foveainfer", path,
      "output-tensor-meta=true on-overload=block", caps);
  for (guint i = 0; i < RUNS; i++) {
    g_autoptr (GstBuffer) out = run (harness, make_frame (caps, i));
    g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
    gpointer state = NULL;
    guint n = 0;
    GstMeta *meta;

    while ((meta = gst_buffer_iterate_meta_filtered (out, &state,
                GST_FOVEA_TENSOR_META_API_TYPE))) {
      GstMapInfo map;

      ck_assert (gst_buffer_map (((GstFoveaTensorMeta *) meta)->data, &map,
          GST_MAP_READ));
      g_checksum_update (sum, map.data, (gssize) map.size);
      gst_buffer_unmap (((GstFoveaTensorMeta *) meta)->data, &map);
      n++;
    }
    ck_assert_uint_gt (n, 0);
    if (first == NULL)
      first = g_strdup (g_checksum_get_string (sum));
    ck_assert_str_eq (g_checksum_get_string (sum), first);
  }
  gst_harness_teardown (harness);
}
END_TEST

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("acceptance");
  TCase *tcase = tcase_create ("acceptance");

  tcase_set_timeout (tcase, 200);
  tcase_add_loop_test (tcase, test_not_square, 0, 2 * G_N_ELEMENTS (modes));
  tcase_add_loop_test (tcase, test_boxes, 0, G_N_ELEMENTS (modes));
  tcase_add_test (tcase, test_latency);
  tcase_add_test (tcase, test_stats);
  tcase_add_test (tcase, test_hashes);
  suite_add_tcase (suite, tcase);
  return element_test_main (&argc, &argv, suite);
}
