/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Heads on the outputs that onnxruntime computed for real images, with the cards
 * of tests/data/cards, against what RESULTS.json says is on them. */
#include "tests/head-bench.h"

#include <json-glib/json-glib.h>

static void
no_error (GError *error)
{
  ck_assert_msg (error == NULL, "%s", error ? error->message : "");
}

/* Loads a card and the model's outputs of its data set. */
static gboolean
load (Bench *b, const char *name, guint frame_width, guint frame_height)
{
  g_autofree char *models = fv_test_shared ("material/models");
  g_autofree char *file =
      g_strdup_printf ("tests/data/cards/%s.modelinfo", name);
  g_autofree char *card = fv_test_source (file);
  g_autofree char *folder = NULL;

  if (models == NULL)
    return FALSE;
  folder = g_build_filename (models, name, NULL);
  bench_load (b, card, folder, frame_width, frame_height);
  return TRUE;
}

/* The list RESULTS.json has for a model and an image; @under: (nullable). */
static JsonArray *
expected (JsonParser *parser, const char *model, const char *under,
    const char *image)
{
  g_autofree char *path = fv_test_shared ("material/RESULTS.json");
  g_autoptr (GError) error = NULL;
  JsonObject *object;

  json_parser_load_from_file (parser, path, &error);
  no_error (error);
  object = json_node_get_object (json_parser_get_root (parser));
  object = json_object_get_object_member (object, model);
  if (under != NULL)
    object = json_object_get_object_member (object, under);
  return json_object_get_array_member (object, image);
}

START_TEST (test_detectors)
{
  static const char *const names[] = { "yolox_nano", "yolov8n_320_deq" };
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonArray *list;
  Bench b;

  if (!load (&b, names[_i], 810, 1080)) /* bus.jpg */
    return;
  bench_run (&b, NULL);
  list = expected (parser, names[_i], NULL, "bus.jpg");
  ck_assert_uint_ge (b.result.boxes->len, json_array_get_length (list));
  for (guint i = 0; i < json_array_get_length (list); i++) {
    JsonArray *row = json_array_get_array_element (list, i);
    JsonArray *corners = json_array_get_array_element (row, 2);
    GstFoveaBox *box = &g_array_index (b.result.boxes, GstFoveaBox, i);
    g_autofree char *label = fv_card_label (&b.card->heads[0], box->class_id);
    double v[4];
    for (guint k = 0; k < 4; k++)
      v[k] = json_array_get_double_element (corners, k);
    ck_assert_str_eq (label, json_array_get_string_element (row, 0));
    check_near (box->score, json_array_get_double_element (row, 1), 1e-3);
    check_near (box->x, MAX (0, v[0]), 0.1);
    check_near (box->y, MAX (0, v[1]), 0.1);
    check_near (box->x + box->width, MIN (810, v[2]), 0.1);
    check_near (box->y + box->height, MIN (1080, v[3]), 0.1);
  }
  bench_clear (&b);
}
END_TEST

START_TEST (test_classifier)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonArray *list;
  Bench b;

  if (!load (&b, "squeezenet1_1", 1546, 1213)) /* dog_samoyed.jpg */
    return;
  bench_run (&b, NULL);
  list = expected (parser, "squeezenet1_1", "top3", "dog_samoyed.jpg");
  for (guint i = 0; i < 3; i++) {
    JsonArray *row = json_array_get_array_element (list, i);
    GstFoveaClass *found = &g_array_index (b.result.classes, GstFoveaClass, i);
    g_autofree char *label = fv_card_label (&b.card->heads[0], found->class_id);
    ck_assert_int_eq (found->class_id, json_array_get_int_element (row, 0));
    ck_assert_str_eq (label, json_array_get_string_element (row, 1));
    check_near (found->score, json_array_get_double_element (row, 2), 1e-3);
  }
  bench_clear (&b);
}
END_TEST

START_TEST (test_masks)
{
  static const struct
  {
    const char *name;
    double person; /* its share, as RESULTS.json has it */
    guint width, height;
  } rows[] = {
    { "mp_selfie_segmentation_landscape", 0.484, 1280, 720 },
    { "sinet_portrait_224", 0.571, 517, 606 },
  };
  Bench b;

  if (!load (&b, rows[_i].name, rows[_i].width, rows[_i].height))
    return;
  bench_run (&b, NULL);
  ck_assert_uint_eq (b.result.classes->len, 2);
  check_near (g_array_index (b.result.classes, GstFoveaClass, 1).score,
      rows[_i].person, 0.005);
  bench_clear (&b);
}
END_TEST

/* A road: nearer at the bottom than at the top, and nothing behind us. */
START_TEST (test_depth)
{
  double top = 0, bottom = 0;
  const float *depth;
  Bench b;

  if (!load (&b, "mobile_pydnet_kitti_192x640", 640, 360))
    return;
  bench_run (&b, NULL);
  depth = fv_buffer_map (b.copy);
  for (guint y = 0; y < 120; y++)
    for (guint x = 0; x < 640; x++) {
      top += depth[y * 640 + x];
      bottom += depth[(359 - y) * 640 + x];
    }
  ck_assert_msg (bottom > 2 * top && top > 0, "top %g, bottom %g", top, bottom);
  ck_assert (b.result.minimum > 0 && b.result.maximum < 1);
  bench_clear (&b);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("head-real");
  TCase *tcase = tcase_create ("head-real");
  g_autofree char *models = fv_test_shared ("material/models");

  if (models == NULL)
    return 77;
  tcase_set_timeout (tcase, 120);
  tcase_add_loop_test (tcase, test_detectors, 0, 2);
  tcase_add_test (tcase, test_classifier);
  tcase_add_loop_test (tcase, test_masks, 0, 2);
  tcase_add_test (tcase, test_depth);
  suite_add_tcase (suite, tcase);
  return fv_test_run (suite);
}
