/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Things that a segmenter finds one by one, from a frame to metas, colours, video
 * and text. Frames are red on the left, green in the middle and blue on the
 * right. */
#include <string.h>
#include "tests/element-models.h"
#include "tests/element-test.h"

#define WIDTH 96
#define HEIGHT 48
#define THIRD (WIDTH / 3)

/* The middle of each third, where nothing is mixed. */
static void
read_thirds (const GstFoveaPlane *plane, guint *values)
{
  GstMapInfo map;

  ck_assert_uint_eq (plane->width, WIDTH);
  ck_assert_uint_eq (plane->height, HEIGHT);
  ck_assert_uint_eq (plane->format, GST_FOVEA_PLANE_U8);
  ck_assert (gst_buffer_map (plane->data, &map, GST_MAP_READ));
  for (guint i = 0; i < 3; i++) {
    guint x = i * THIRD + THIRD / 2;
    values[i] = map.data[HEIGHT / 2 * plane->stride + x];
    for (guint y = 0; y < HEIGHT; y++)
      ck_assert_uint_eq (map.data[y * plane->stride + x], values[i]);
  }
  gst_buffer_unmap (plane->data, &map);
}

/* Runs one frame; the buffer that comes out. (transfer full) */
static GstBuffer *
run (const char *description)
{
  g_autoptr (GstCaps) caps = element_test_caps ("RGBA", WIDTH, HEIGHT);
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

static GstBuffer *
run_model (const char *element, const char *model, const char *rest)
{
  g_autofree char *description =
      g_strdup_printf ("%s model=%s %s", element, model, rest);

  return run (description);
}

static const GstFoveaSegmentationMeta *
get_mask (GstBuffer *buffer)
{
  const GstFoveaSegmentationMeta *mask =
      gst_fovea_buffer_get_segmentation (buffer, NULL);

  ck_assert_ptr_nonnull (mask);
  return mask;
}

/* Two boxes, red and green, each with the third of the frame that is its mask. */
static void
check_prototypes (GstBuffer *buffer)
{
  static const char *const labels[] = { "red", "green" };
  const GstFoveaSegmentationMeta *mask = get_mask (buffer);
  guint classes[3], instances[3], n = 0;
  GstFoveaRegion region;
  gpointer state = NULL;

  ck_assert_uint_eq (mask->n_classes, 2);
  ck_assert_int_eq (mask->background, -1);
  ck_assert_ptr_null (mask->matte);
  ck_assert_ptr_nonnull (mask->instances);
  ck_assert_uint_eq (mask->instances->pts, GST_BUFFER_PTS (buffer));
  read_thirds (mask->map, classes);
  read_thirds (mask->instances, instances);
  ck_assert_uint_eq (classes[0], 0);
  ck_assert_uint_eq (classes[1], 1);
  ck_assert_uint_eq (classes[2], 255);
  ck_assert_uint_eq (instances[2], 0);
  while (gst_fovea_buffer_next_region (buffer, NULL, &state, &region)) {
    ck_assert_str_eq (region.label, labels[n]);
    ck_assert_uint_eq (region.instance, instances[n]);
    ck_assert_uint_eq (region.meta->w, WIDTH);
    ck_assert_uint_eq (region.meta->h, HEIGHT);
    n++;
  }
  ck_assert_uint_eq (n, 2);
  ck_assert_uint_ne (instances[0], instances[1]);
}

START_TEST (test_prototypes)
{
  static const char *const elements[] = { "foveasegment", "foveainfer" };
  g_autofree char *model = element_model_prototypes ("prototypes.onnx");
  GstBuffer *buffer = run_model (elements[_i], model, "resize-mode=stretch");

  check_prototypes (buffer);
  gst_buffer_unref (buffer);
}
END_TEST

/* The same file is a detector: boxes without masks. */
START_TEST (test_prototypes_as_boxes)
{
  g_autofree char *model = element_model_prototypes ("prototypes.onnx");
  GstBuffer *buffer = run_model ("foveadetect", model, "");
  GstFoveaRegion region;
  gpointer state = NULL;
  guint n = 0;

  ck_assert_ptr_null (gst_fovea_buffer_get_segmentation (buffer, NULL));
  while (gst_fovea_buffer_next_region (buffer, NULL, &state, &region)) {
    ck_assert_uint_eq (region.instance, 0);
    n++;
  }
  ck_assert_uint_eq (n, 2);
  gst_buffer_unref (buffer);
}
END_TEST

/* Without a word of things: the class with the largest sum everywhere. */
START_TEST (test_semantic)
{
  g_autofree char *model = element_model_queries ("semantic.onnx");
  GstBuffer *buffer = run_model ("foveasegment", model, "");
  const GstFoveaSegmentationMeta *mask = get_mask (buffer);
  guint classes[3];

  ck_assert_uint_eq (mask->n_classes, 3);
  ck_assert_ptr_null (mask->instances);
  read_thirds (mask->map, classes);
  for (guint i = 0; i < 3; i++)
    ck_assert_uint_eq (classes[i], i);
  gst_buffer_unref (buffer);
}
END_TEST

/* Red and blue are things, green is stuff. */
START_TEST (test_panoptic)
{
  g_autofree char *model = element_model_queries ("panoptic.onnx");
  g_autofree char *card = element_test_write ("panoptic.onnx.modelinfo",
      "[modelinfo]\nversion=1.0\n"
      "[fovea]\nlabels=rose;grass;sky\nthings=rose;2\n");
  GstBuffer *buffer = run_model ("foveasegment", model, "");
  const GstFoveaSegmentationMeta *mask = get_mask (buffer);
  guint classes[3], instances[3], n = 0;
  GstFoveaRegion region;
  gpointer state = NULL;

  read_thirds (mask->map, classes);
  ck_assert_ptr_nonnull (mask->instances);
  read_thirds (mask->instances, instances);
  for (guint i = 0; i < 3; i++)
    ck_assert_uint_eq (classes[i], i);
  ck_assert_uint_eq (instances[0], 1);
  ck_assert_uint_eq (instances[1], 0);
  ck_assert_uint_eq (instances[2], 2);
  while (gst_fovea_buffer_next_region (buffer, NULL, &state, &region)) {
    gboolean is_red = region.instance == 1;
    ck_assert_str_eq (region.label, is_red ? "rose" : "sky");
    /* a third, but for the columns between two that the resize mixes */
    ck_assert_uint_le (ABS ((gint) region.meta->w - THIRD), 3);
    ck_assert_uint_le (ABS ((gint) region.meta->x - (is_red ? 0 : 2 * THIRD)),
        3);
    ck_assert_uint_eq (region.meta->h, HEIGHT);
    n++;
  }
  ck_assert_uint_eq (n, 2);
  gst_buffer_unref (buffer);
}
END_TEST

/* A copy and a scaled frame keep the instances, where the frame's pixels went. */
START_TEST (test_scaled)
{
  g_autofree char *model = element_model_prototypes ("scaled.onnx");
  g_autofree char *rest =
      g_strdup_printf ("resize-mode=stretch ! videoscale ! capsfilter "
                       "caps=video/x-raw,width=%u,height=%u",
          2 * WIDTH, HEIGHT);
  GstBuffer *buffer = run_model ("foveasegment", model, rest);
  const GstFoveaSegmentationMeta *mask = get_mask (buffer);
  GstFoveaRegion region;
  gpointer state = NULL;
  guint n = 0;

  ck_assert_uint_eq (mask->frame.width, 2 * WIDTH);
  ck_assert_ptr_nonnull (mask->instances);
  ck_assert_uint_eq (mask->instances->width, WIDTH);
  while (gst_fovea_buffer_next_region (buffer, NULL, &state, &region)) {
    ck_assert_uint_eq (region.meta->w, 2 * WIDTH);
    ck_assert_uint_ne (region.instance, 0);
    n++;
  }
  ck_assert_uint_eq (n, 2);
  gst_buffer_unref (buffer);
}
END_TEST

static guint32
pixel_at (const GstMapInfo *map, guint x, guint y)
{
  guint32 pixel;

  memcpy (&pixel, map->data + 4 * (y * WIDTH + x), 4);
  return GUINT32_FROM_LE (pixel);
}

/* Each thing has a colour of its own, which its box has too; nothing has none. */
START_TEST (test_overlay)
{
  g_autofree char *model = element_model_prototypes ("overlay.onnx");
  GstBuffer *buffer = run_model ("foveasegment", model,
      "resize-mode=stretch ! foveaoverlay alpha=1 background=transparent "
      "line-width=2 draw=mask+boxes");
  GstMapInfo map;
  guint32 red, green;

  ck_assert (gst_buffer_map (buffer, &map, GST_MAP_READ));
  red = pixel_at (&map, THIRD / 2, HEIGHT / 2);
  green = pixel_at (&map, THIRD + THIRD / 2, HEIGHT / 2);
  ck_assert_uint_eq (red >> 24, 255);
  ck_assert_uint_eq (green >> 24, 255);
  ck_assert_uint_ne (red, green);
  ck_assert_uint_eq (pixel_at (&map, 2 * THIRD + THIRD / 2, HEIGHT / 2), 0);
  /* both boxes go around the frame: the best, red, is on top */
  ck_assert_uint_eq (pixel_at (&map, WIDTH - 1, HEIGHT / 2), red);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
}
END_TEST

/* Colours of classes stay those of classes. */
START_TEST (test_palette)
{
  g_autofree char *model = element_model_prototypes ("palette.onnx");
  GstBuffer *buffer = run_model ("foveasegment", model,
      "resize-mode=stretch ! foveaextract what=palette "
      "palette=\"112233,445566\"");
  GstMapInfo map;

  ck_assert (gst_buffer_map (buffer, &map, GST_MAP_READ));
  ck_assert_uint_eq (pixel_at (&map, THIRD / 2, HEIGHT / 2), 0xff332211);
  ck_assert_uint_eq (pixel_at (&map, THIRD + THIRD / 2, HEIGHT / 2),
      0xff665544);
  ck_assert_uint_eq (pixel_at (&map, 2 * THIRD + THIRD / 2, HEIGHT / 2), 0);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
}
END_TEST

START_TEST (test_extract)
{
  static const char *const formats[] = { "GRAY8", "GRAY16_LE" };
  g_autofree char *model = element_model_prototypes ("extract.onnx");
  g_autofree char *rest =
      g_strdup_printf ("resize-mode=stretch ! foveaextract what=instances ! "
                       "capsfilter caps=video/x-raw,format=%s",
          formats[_i]);
  GstBuffer *buffer = run_model ("foveasegment", model, rest);
  guint bytes = (guint) _i + 1;
  GstMapInfo map;

  ck_assert (gst_buffer_map (buffer, &map, GST_MAP_READ));
  ck_assert_uint_eq (map.size, WIDTH * HEIGHT * bytes);
  for (guint i = 0; i < 3; i++) {
    const guint8 *at =
        map.data + (HEIGHT / 2 * WIDTH + i * THIRD + THIRD / 2) * bytes;
    ck_assert_uint_eq (at[0], i == 2 ? 0 : i + 1);
    if (bytes == 2)
      ck_assert_uint_eq (at[1], 0);
  }
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
}
END_TEST

START_TEST (test_json)
{
  g_autofree char *model = element_model_prototypes ("json.onnx");
  GstBuffer *buffer =
      run_model ("foveasegment", model, "resize-mode=stretch ! foveajson");
  g_autofree char *text = NULL;
  GstMapInfo map;

  ck_assert (gst_buffer_map (buffer, &map, GST_MAP_READ));
  text = g_strndup ((const char *) map.data, map.size);
  ck_assert_ptr_nonnull (strstr (text, "\"instance\":1,\"roi_type\":\"red\""));
  ck_assert_ptr_nonnull (
      strstr (text, "\"instance\":2,\"roi_type\":\"green\""));
  ck_assert_ptr_nonnull (strstr (text, "\"instances\":[{\"instance\":1,"));
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
}
END_TEST

/* Class numbers that an ArgMax found: the whole numbers of the model's output. */
START_TEST (test_numbers)
{
  static const char *const elements[] = { "foveasegment", "foveainfer" };
  g_autofree char *model = element_model_numbers ("numbers.onnx");
  g_autoptr (GstCaps) caps = element_test_caps ("GRAY8", WIDTH, HEIGHT);
  GstHarness *harness = element_test_harness (elements[_i], model, "", caps);
  GstBuffer *out, *frame = element_test_frame (caps, 0, 0);
  guint classes[3];

  gst_buffer_memset (frame, 0, 255, WIDTH * HEIGHT / 2); /* the upper half */
  out = gst_harness_push_and_pull (harness, frame);
  const GstFoveaSegmentationMeta *mask = get_mask (out);
  GstMapInfo map;
  ck_assert (gst_buffer_map (mask->map->data, &map, GST_MAP_READ));
  ck_assert_uint_eq (map.data[5 * mask->map->stride + 9], 1);
  ck_assert_uint_eq (map.data[(HEIGHT - 5) * mask->map->stride + 9], 0);
  gst_buffer_unmap (mask->map->data, &map);
  gst_buffer_unref (out);
  out = gst_harness_push_and_pull (harness, element_test_frame (caps, 255, 1));
  read_thirds (get_mask (out)->map, classes);
  ck_assert_uint_eq (classes[1], 1);
  gst_buffer_unref (out);
  gst_harness_teardown (harness);
}
END_TEST

/* Of two classes: how surely a pixel is the brighter one, between 0 and 255. */
START_TEST (test_pair_matte)
{
  g_autofree char *model = element_model_segment ("pair.onnx", FALSE);
  g_autoptr (GstCaps) caps = element_test_caps ("GRAY8", WIDTH, HEIGHT);
  GstHarness *harness = element_test_harness ("foveasegment", model, "", caps);
  GstBuffer *out =
      gst_harness_push_and_pull (harness, element_test_frame (caps, 204, 0));
  const GstFoveaSegmentationMeta *mask = get_mask (out);
  guint values[3];

  ck_assert_int_eq (mask->background, 0);
  ck_assert_ptr_nonnull (mask->matte);
  read_thirds (mask->matte, values);
  /* logits -0.3 and 0.3: 255 / (1 + exp (-0.6)) */
  ck_assert_uint_ge (values[1], 163);
  ck_assert_uint_le (values[1], 166);
  gst_buffer_unref (out);
  gst_harness_teardown (harness);
}
END_TEST

/* A card that is wrong is one error, which says what would be right. */
START_TEST (test_wrong_cards)
{
  static const struct
  {
    const char *card, *message;
  } rows[] = {
    { "masks=masks_queries_logits\nhead=segment\n",
        "needs the classes of its queries" },
    { "masks=class_queries_logits\nscores=class_queries_logits\n"
      "head=segment\n",
        "cannot be read by a segment head" },
    { "things=0-7\n", "numbers below 3" },
    { "things=0\nstuff=1\n", "expected one of them" },
    { "things=0\nbackground=9\n", "among them background 9" },
    { "mask-threshold=2\n", "mask-threshold must be" },
    { "prototypes=masks_queries_logits\nhead=segment\ndecoder=yolov8\n"
      "output=class_queries_logits\n",
        "channels, too few" },
    { "masks=nothing\nhead=segment\n", "no output 'nothing'" },
  };
  g_autofree char *model = element_model_queries ("wrong.onnx");
  g_autofree char *text = g_strconcat ("[fovea]\n", rows[_i].card, NULL);
  g_autofree char *card = element_test_write ("wrong.onnx.modelinfo", text);
  g_autofree char *description = g_strdup_printf (
      "videotestsrc num-buffers=1 ! foveasegment model=%s ! fakesink", model);
  g_autofree char *message = element_test_run (description, NULL, NULL);

  ck_assert_ptr_nonnull (message);
  ck_assert_msg (strstr (message, rows[_i].message) != NULL, "'%s' has no '%s'",
      message, rows[_i].message);
}
END_TEST

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("element-masks");
  TCase *tcase = tcase_create ("element-masks");

  tcase_set_timeout (tcase, 120);
  tcase_add_loop_test (tcase, test_prototypes, 0, 2);
  tcase_add_test (tcase, test_prototypes_as_boxes);
  tcase_add_test (tcase, test_semantic);
  tcase_add_test (tcase, test_panoptic);
  tcase_add_test (tcase, test_scaled);
  tcase_add_test (tcase, test_overlay);
  tcase_add_test (tcase, test_palette);
  tcase_add_loop_test (tcase, test_extract, 0, 2);
  tcase_add_test (tcase, test_json);
  tcase_add_loop_test (tcase, test_numbers, 0, 2);
  tcase_add_test (tcase, test_pair_matte);
  tcase_add_loop_test (tcase, test_wrong_cards, 0, 8);
  suite_add_tcase (suite, tcase);
  return element_test_main (&argc, &argv, suite);
}
