/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames that lie turned, cut out of larger ones, interlaced, or have pixels that
 * are not square: results lie over the frame as it is stored. */
#include <math.h>
#include <string.h>
#include "tests/element-models.h"
#include "tests/element-test.h"

#define WIDTH 64
#define HEIGHT 48
/* What is bright, as it is stored. */
#define LEFT 8
#define TOP 4
#define RIGHT 24
#define BOTTOM 36
#define EDGE 4 /* pixels beside an edge that may be either */

static const char *const tags[] = { "rotate-0", "rotate-90", "rotate-180",
  "rotate-270", "flip-rotate-0", "flip-rotate-180", "flip-rotate-270",
  "flip-rotate-90" };

/* The matrices of GL, whose y points up, that do what the tags above say. */
static const float matrices[][4] = { { 1, 0, 0, 1 }, { 0, -1, 1, 0 },
  { -1, 0, 0, -1 }, { 0, 1, -1, 0 }, { -1, 0, 0, 1 }, { 1, 0, 0, -1 },
  { 0, -1, -1, 0 }, { 0, 1, 1, 0 } };

static gboolean
is_bright (gint x, gint y)
{
  return x >= LEFT && x < RIGHT && y >= TOP && y < BOTTOM;
}

/* Bright where is_bright() at (x - @left, y - @top), else dark. */
static GstBuffer *
make_frame (guint width, guint height, gint left, gint top)
{
  g_autoptr (GstCaps) caps = element_test_caps ("RGBA", width, height);
  GstBuffer *buffer = element_test_frame (caps, 0, 0);
  GstMapInfo map;

  ck_assert (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  for (guint i = 0; i < width * height; i++)
    memset (map.data + 4 * i,
        is_bright ((gint) (i % width) - left, (gint) (i / width) - top) ? 255
                                                                        : 0,
        4);
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

static void
push_tag (GstHarness *harness, const char *orientation)
{
  GstTagList *list =
      gst_tag_list_new (GST_TAG_IMAGE_ORIENTATION, orientation, NULL);

  ck_assert (gst_harness_push_event (harness, gst_event_new_tag (list)));
}

static double
element_at (const GstFoveaPlane *plane, const guint8 *data, guint x, guint y)
{
  const guint8 *row = data + (gsize) y * plane->stride;

  if (plane->format == GST_FOVEA_PLANE_F32)
    return ((const float *) (gconstpointer) row)[x];
  ck_assert_uint_eq (plane->format, GST_FOVEA_PLANE_U8);
  return row[x];
}

/* @bright where the frame is, and @dark else. */
static void
check_plane (const GstFoveaPlane *plane, double dark, double bright)
{
  GstMapInfo map;

  ck_assert_uint_eq (plane->width, WIDTH);
  ck_assert_uint_eq (plane->height, HEIGHT);
  ck_assert (gst_buffer_map (plane->data, &map, GST_MAP_READ));
  for (gint y = 0; y < HEIGHT; y++)
    for (gint x = 0; x < WIDTH; x++) {
      gboolean near = x >= LEFT - EDGE && x < RIGHT + EDGE && y >= TOP - EDGE
          && y < BOTTOM + EDGE;
      gboolean inner = x >= LEFT + EDGE && x < RIGHT - EDGE && y >= TOP + EDGE
          && y < BOTTOM - EDGE;
      double value = element_at (plane, map.data, (guint) x, (guint) y);

      if (inner || !near)
        ck_assert_msg (fabs (value - (inner ? bright : dark))
                <= (bright > 1 ? 1 : 0.01),
            "%d, %d is %g", x, y, value);
    }
  gst_buffer_unmap (plane->data, &map);
}

static void
check_result (GstBuffer *buffer)
{
  GstFoveaSegmentationMeta *mask =
      gst_fovea_buffer_get_segmentation (buffer, NULL);
  GstFoveaDepthMeta *depth = gst_fovea_buffer_get_depth (buffer, NULL);

  ck_assert (mask || depth);
  if (mask) {
    check_plane (mask->map, 0, 1);
    ck_assert_uint_eq (mask->frame.width, WIDTH);
    ck_assert_uint_eq (mask->frame.height, HEIGHT);
  }
  if (mask && mask->matte)
    /* of logits one apart: 255 / (1 + e), and the rest */
    check_plane (mask->matte, 68.6, 186.4);
  if (depth)
    check_plane (depth->map, 0, 1);
}

static GstHarness *
make_harness (guint model)
{
  g_autoptr (GstCaps) caps = element_test_caps ("RGBA", WIDTH, HEIGHT);
  g_autofree char *path = model == 0
      ? element_model_segment ("bright.onnx", FALSE)
      : element_model_depth ("depth.onnx");

  return element_test_harness (model == 0 ? "foveasegment" : "foveadepth", path,
      "resize-mode=stretch", caps);
}

/* One stream whose tag changes: maps of one byte an element, and of four. */
START_TEST (test_tags)
{
  GstHarness *harness = make_harness ((guint) _i);

  for (guint i = 0; i < G_N_ELEMENTS (tags); i++) {
    GstBuffer *buffer;

    push_tag (harness, tags[i]);
    buffer = run (harness, make_frame (WIDTH, HEIGHT, 0, 0));
    check_result (buffer);
    gst_buffer_unref (buffer);
  }
  gst_harness_teardown (harness);
}
END_TEST

static void
check_box (GstBuffer *buffer, guint index, const GstVideoRectangle *box)
{
  GstFoveaRegion region;
  gpointer state = NULL;

  for (guint i = 0; i <= index; i++)
    ck_assert (gst_fovea_buffer_next_region (buffer, NULL, &state, &region));
  ck_assert_msg (ABS ((gint) region.meta->x - box->x) <= 1
          && ABS ((gint) region.meta->y - box->y) <= 1
          && ABS ((gint) region.meta->w - box->w) <= 1
          && ABS ((gint) region.meta->h - box->h) <= 1,
      "box %u is %u, %u, %u x %u, expected %d, %d, %d x %d", index,
      region.meta->x, region.meta->y, region.meta->w, region.meta->h, box->x,
      box->y, box->w, box->h);
}

/* Where a box of 32 x 32, u and v wide from (@u, @v) on, lies in a frame that is
 * turned so: first columns become rows, then the frame is mirrored. */
static GstVideoRectangle
stored_box (GstVideoOrientationMethod turn, gint u, gint v, gint w, gint h)
{
  static const struct
  {
    gboolean swap, mirror_x, mirror_y;
  } turns[] = { { 0, 0, 0 }, { 1, 0, 1 }, { 0, 1, 1 }, { 1, 1, 0 }, { 0, 1, 0 },
    { 0, 0, 1 }, { 1, 0, 0 }, { 1, 1, 1 } };
  GstVideoRectangle box = { u, v, w, h };

  if (turns[turn].swap)
    box = (GstVideoRectangle){ v, u, h, w };
  box.x = turns[turn].mirror_x ? 32 - box.x - box.w : box.x;
  box.y = turns[turn].mirror_y ? 32 - box.y - box.h : box.y;
  box.x = box.x * WIDTH / 32;
  box.w = box.w * WIDTH / 32;
  box.y = box.y * HEIGHT / 32;
  box.h = box.h * HEIGHT / 32;
  return box;
}

static void
set_matrix (GstBuffer *buffer, GstVideoOrientationMethod turn)
{
  GstVideoAffineTransformationMeta *meta =
      gst_buffer_add_video_affine_transformation_meta (buffer);

  meta->matrix[0] = matrices[turn][0];
  meta->matrix[1] = matrices[turn][1];
  meta->matrix[4] = matrices[turn][2];
  meta->matrix[5] = matrices[turn][3];
}

/* The net finds two boxes that do not depend on what it sees. */
START_TEST (test_boxes)
{
  g_autoptr (GstCaps) caps = element_test_caps ("RGBA", WIDTH, HEIGHT);
  g_autofree char *path = element_model_detect ("boxes.onnx");
  GstHarness *harness =
      element_test_harness ("foveadetect", path, "resize-mode=stretch", caps);

  for (guint i = 0; i < G_N_ELEMENTS (tags); i++) {
    GstBuffer *buffer = element_test_frame (caps, 200, i);
    GstVideoOrientationMethod turn = (GstVideoOrientationMethod) i;
    g_autoptr (GstTagList) list =
        gst_tag_list_new (GST_TAG_IMAGE_ORIENTATION, tags[i], NULL);

    if (_i == 0) {
      set_matrix (buffer, turn);
    } else {
      ck_assert (gst_video_orientation_from_tag (list, &turn));
      push_tag (harness, tags[i]);
    }
    buffer = run (harness, buffer);
    GstVideoRectangle large = stored_box (turn, 8, 12, 16, 8);
    GstVideoRectangle small = stored_box (turn, 6, 10, 8, 8);
    check_box (buffer, 0, &large);
    check_box (buffer, 1, &small);
    gst_buffer_unref (buffer);
  }
  gst_harness_teardown (harness);
}
END_TEST

/* A buffer's own meta goes before the tag, and a new stream forgets the tag. */
START_TEST (test_meta_goes_first)
{
  GstHarness *harness = make_harness (0);
  GstBuffer *buffer;

  push_tag (harness, "rotate-180");
  buffer = make_frame (WIDTH, HEIGHT, 0, 0);
  gst_buffer_add_video_affine_transformation_meta (buffer);
  buffer = run (harness, buffer);
  check_result (buffer);
  gst_buffer_unref (buffer);
  ck_assert (
      gst_harness_push_event (harness, gst_event_new_stream_start ("another")));
  buffer = run (harness, make_frame (WIDTH, HEIGHT, 0, 0));
  check_result (buffer);
  gst_buffer_unref (buffer);
  gst_harness_teardown (harness);
}
END_TEST

START_TEST (test_crop)
{
  static const guint places[][2] = { { 0, 0 }, { 10, 6 }, { 3, 7 } };
  GstHarness *harness = make_harness (0);

  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    guint x = places[i][0], y = places[i][1];
    guint width = WIDTH + x + 5, height = HEIGHT + y + 1;
    GstBuffer *buffer = make_frame (width, height, (gint) x, (gint) y);
    GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta (buffer);

    crop->x = x;
    crop->y = y;
    crop->width = WIDTH;
    crop->height = HEIGHT;
    gst_buffer_add_video_meta (buffer, 0, GST_VIDEO_FORMAT_RGBA, width, height);
    buffer = run (harness, buffer);
    check_result (buffer);
    ck_assert_ptr_nonnull (gst_buffer_get_video_crop_meta (buffer));
    gst_buffer_unref (buffer);
  }
  gst_harness_teardown (harness);
}
END_TEST

/* 32 x 32 pixels twice as wide as high, in a letterbox of 32 x 32: rows 8 to 24. */
START_TEST (test_pixel_aspect_ratio)
{
  g_autoptr (GstCaps) caps = element_test_caps ("RGBA", 32, 32);
  g_autofree char *path = element_model_detect ("boxes.onnx");
  GstHarness *harness;
  GstBuffer *buffer;

  gst_caps_set_simple (caps, "pixel-aspect-ratio", GST_TYPE_FRACTION, 2, 1,
      NULL);
  harness =
      element_test_harness ("foveadetect", path, "resize-mode=letterbox", caps);
  buffer = run (harness, element_test_frame (caps, 200, 0));
  check_box (buffer, 0, &(GstVideoRectangle){ 8, 8, 16, 16 });
  gst_buffer_unref (buffer);
  gst_harness_teardown (harness);
}
END_TEST

/* Interlaced frames are taken, fields on their own are not. */
START_TEST (test_interlace_modes)
{
  static const struct
  {
    const char *mode;
    GstFlowReturn flow;
  } rows[] = { { "interleaved", GST_FLOW_OK }, { "mixed", GST_FLOW_OK },
    { "fields", GST_FLOW_NOT_NEGOTIATED } };
  g_autoptr (GstCaps) caps = element_test_caps ("I420", WIDTH, HEIGHT);
  g_autofree char *path = element_model_segment ("bright.onnx", FALSE);
  GstHarness *harness;

  gst_caps_set_simple (caps, "interlace-mode", G_TYPE_STRING, rows[_i].mode,
      NULL);
  harness = element_test_harness ("foveasegment", path, "", caps);
  for (guint i = 0; i < 2; i++) {
    GstBuffer *buffer = element_test_frame (caps, 100, i);

    /* of mixed streams one frame, then the other kind */
    if (i == 1)
      GST_BUFFER_FLAG_SET (buffer, GST_VIDEO_BUFFER_FLAG_INTERLACED);
    ck_assert_int_eq (gst_harness_push (harness, buffer), rows[_i].flow);
    if (rows[_i].flow == GST_FLOW_OK) {
      buffer = gst_harness_pull (harness);
      ck_assert_ptr_nonnull (gst_fovea_buffer_get_segmentation (buffer, NULL));
      gst_buffer_unref (buffer);
    }
  }
  gst_harness_teardown (harness);
}
END_TEST

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("frames");
  TCase *tcase = tcase_create ("frames");

  tcase_set_timeout (tcase, 120);
  tcase_add_loop_test (tcase, test_tags, 0, 2);
  tcase_add_loop_test (tcase, test_boxes, 0, 2);
  tcase_add_test (tcase, test_meta_goes_first);
  tcase_add_test (tcase, test_crop);
  tcase_add_test (tcase, test_pixel_aspect_ratio);
  tcase_add_loop_test (tcase, test_interlace_modes, 0, 3);
  suite_add_tcase (suite, tcase);
  return element_test_main (&argc, &argv, suite);
}
