/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cards: where files lie, and files that lie. */
#include "tests/test-card.h"
#include "tests/model-builder.h"

START_TEST (test_hostile_json)
{
  g_autoptr (GString) deep = g_string_new (NULL);
  GError *error = NULL;
  const struct
  {
    const char *text, *message;
    FvError code;
  } rows[] = {
    { "", "expected a JSON object", FV_ERROR_MALFORMED },
    { "[1]", "its outermost value is another", FV_ERROR_MALFORMED },
    { "{\"a\": ", "expected a JSON object", FV_ERROR_MALFORMED },
    { "\xff\xfe\x01", "this is not text", FV_ERROR_MALFORMED },
    { "{\"image_mean\": [1e999, 0, 0]}", "", FV_ERROR_MALFORMED },
    { "{\"rescale_factor\": 0, \"image_mean\": [1, 1, 1]}",
        "rescale_factor must be a number from 1e-06 to 1e+06, not 0",
        FV_ERROR_MALFORMED },
    { "{\"image_std\": [0, 0, 0], \"do_normalize\": true}",
        "preprocessor_config.json: image_std must be 1 to 3 numbers from 1e-06 "
        "to 1e+06, not [0,0,0]",
        FV_ERROR_MALFORMED },
    { "{\"image_std\": [1, 1], \"do_normalize\": true}",
        "image_std must be 1 or 3 numbers, not [1,1]", FV_ERROR_MALFORMED },
    { "{\"image_mean\": \"no\"}", "image_mean must be 1 to 3 numbers",
        FV_ERROR_MALFORMED },
    { "{\"size\": \"big\"}", "size must be 1 to 2 numbers",
        FV_ERROR_MALFORMED },
    { "{\"size\": -224}",
        "size must be 1 to 2 numbers from 1 to 65536, not -224",
        FV_ERROR_MALFORMED },
    { "{\"size\": {\"height\": 224, \"width\": -1}}",
        "size.width must be a number from 1 to 65536, not -1",
        FV_ERROR_MALFORMED },
    { "{\"size\": {\"height\": 224}}",
        "size must be a number, {height, width}, {shortest_edge",
        FV_ERROR_MALFORMED },
    { "{\"crop_size\": {\"height\": 0, \"width\": 1}}",
        "crop_size.height must be a number from 1 to 65536, not 0",
        FV_ERROR_MALFORMED },
    { "{\"do_resize\": 3}", "do_resize must be true or false, not 3",
        FV_ERROR_MALFORMED },
    { "{\"size_divisor\": 0.5}", "size_divisor must be a whole number",
        FV_ERROR_MALFORMED },
    { "{\"image_processor_type\": 7}", "image_processor_type must be a text",
        FV_ERROR_MALFORMED },
    { "{\"pretrained_cfg\": {\"mean\": [1, 2]}}",
        "pretrained_cfg.mean must be three numbers, not [1,2]",
        FV_ERROR_MALFORMED },
    { "{\"pretrained_cfg\": {\"input_size\": [3, 224]}}",
        "input_size must be [channels, height, width], not [3,224]",
        FV_ERROR_MALFORMED },
    { "{\"pretrained_cfg\": [1]}", "pretrained_cfg must be an object, not [1]",
        FV_ERROR_MALFORMED },
    { NULL, "nested deeper", FV_ERROR_TOO_LARGE },
  };

  for (guint i = 0; i < 200000; i++)
    g_string_append (deep, "{\"a\":[");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path =
        make_folder ("hf", NULL, rows[i].text ? rows[i].text : deep->str);
    FvCard *card = make (IMAGE, "x=f32[1,5]", NULL, NULL, path, NULL, &error);
    ck_assert_msg (card == NULL, "'%s' was read", rows[i].text);
    fv_test_error (&error, rows[i].code, rows[i].message);
  }
}
END_TEST

/* What is told and does not stand in the way. */
START_TEST (test_doubtful_json)
{
  static const struct
  {
    const char *config, *preprocessor, *warning;
  } rows[] = {
    { NULL, "{}", "no config.json there: labels and the kind of head" },
    { "{}", NULL, "no preprocessor_config.json there: mean, std" },
    { "{\"id2label\": {\"0\": \"a\", \"1\": \"b\"}}", "{}",
        "config.json: id2label: 2 labels were given, output 'x' has 5 classes" },
    { "{\"id2label\": {\"zero\": \"a\"}}", "{}",
        "config.json: id2label must have whole numbers below 65536 as keys and "
        "texts as values, not \"zero\": \"a\"" },
    { "{\"id2label\": {\"0\": 2}}", "{}", "not \"0\": 2" },
    { "{\"id2label\": {\"-1\": \"a\"}}", "{}", "not \"-1\": \"a\"" },
    { "{\"id2label\": [\"a\"]}", "{}",
        "id2label must be an object of numbers and texts, not [\"a\"]" },
    { "{\"architectures\": {\"a\": 1}}", "{}",
        "architectures must be a list of class names, not {\"a\":1}" },
    { "{}", "{\"resample\": -4}",
        "preprocessor_config.json: resample must be one of Pillow's filters, 0 to "
        "5 (bilinear is taken), not -4" },
    { "{}", "{\"resample\": 6}", "not 6" },
    { "{}", "{\"image_processor_type\": \"OwlImageProcessor\"}",
        "image_processor_type must be a class whose defaults are known" },
    { "{}", "{\"size\": {\"height\": 224, \"width\": 224}}",
        "size is 224, input 'images' of the model has a fixed width of 96" },
    { "{\"label_names\": [1], \"pretrained_cfg\": {}}", NULL,
        "label_names must be a list of texts, not [1]" },
    { "{\"pretrained_cfg\": {\"interpolation\": \"random\"}}", NULL,
        "pretrained_cfg.interpolation must be nearest" },
    { "{\"pretrained_cfg\": {\"crop_mode\": \"left\"}}", NULL,
        "pretrained_cfg.crop_mode must be center, squash or border" },
  };
  g_autofree char *folder =
      make_folder ("hf", rows[_i].config, rows[_i].preprocessor);
  GError *error = NULL;
  FvCard *card = must (
      make (IMAGE, "x=f32[1,5]", NULL, NULL, folder, NULL, &error), error);

  ck_assert_msg (warns (card, rows[_i].warning), "no warning '%s' but '%s'",
      rows[_i].warning,
      card->warnings->len ? (char *) card->warnings->pdata[0] : "none");
  fv_card_unref (card);
  /* a .modelinfo tells as much as these files do */
  card = must (make (IMAGE, "x=f32[1,5]", "[fovea]\nmean=0\n", NULL, folder,
                   NULL, &error),
      error);
  ck_assert (!warns (card, "config.json there"));
  fv_card_unref (card);
}
END_TEST

START_TEST (test_hostile_modelinfo)
{
  static const struct
  {
    const char *text, *message;
    FvError code;
  } rows[] = {
    { "", "this one is empty", FV_ERROR_MALFORMED },
    { "no groups", "key file", FV_ERROR_MALFORMED },
    { "[fovea]\nmaen=1\n", "'maen' that is not known", FV_ERROR_MALFORMED },
    { "[foveal]\nmean=1\n", "must be [fovea]", FV_ERROR_MALFORMED },
    { "[fovea head ]\nhead=detect\n", "must be [fovea]", FV_ERROR_MALFORMED },
    { "[fovea]\nmean=a;b;c\n", "mean must be 1 to 3 numbers",
        FV_ERROR_MALFORMED },
    { "[fovea]\nmean=1;2\n", "1 or 3 numbers", FV_ERROR_INVALID },
    { "[fovea]\nmean=1;2;3;4\n", "mean must be", FV_ERROR_MALFORMED },
    { "[fovea]\nstd=0\n", "std must be", FV_ERROR_MALFORMED },
    { "[fovea]\nstd=nan\n", "std must be", FV_ERROR_MALFORMED },
    { "[fovea]\nresize=squash\n", "one of auto, stretch", FV_ERROR_MALFORMED },
    { "[fovea]\npad=256\n", "from 0 to 255", FV_ERROR_MALFORMED },
    { "[fovea]\nwidth=0\n", "from 1 to 65536", FV_ERROR_MALFORMED },
    { "[fovea]\nwidth=32.5\n", "a whole number", FV_ERROR_MALFORMED },
    { "[fovea]\nantialias=maybe\n", "false, true", FV_ERROR_MALFORMED },
    { "[fovea]\ninput=nothing\n", "no input 'nothing'", FV_ERROR_NOT_FOUND },
    { "[fovea]\nhead=guess\n", "one of none, classify", FV_ERROR_MALFORMED },
    { "[fovea]\nhead=detect\noutput=y\n", "it has 'x'", FV_ERROR_NOT_FOUND },
    { "[fovea]\nhead=detect\nboxes=x;x;x;x;x;x;x;x;x\n", "1 to 8 outputs",
        FV_ERROR_MALFORMED },
    { "[fovea]\nhead=detect\nboxes=x\nscores=x;x\n", "2 as scores",
        FV_ERROR_INVALID },
    { "[fovea]\nhead=detect\ndecoder=yolov99\n", "decoder must be one of",
        FV_ERROR_MALFORMED },
    { "[fovea]\nhead=detect\ndecoder=ssd\nboxes=x\nscores=x\n",
        "needs prior boxes", FV_ERROR_NOT_FOUND },
    { "[fovea]\nhead=detect\ndecoder=ssd\npriors-file=/nowhere/p\n",
        "no such file", FV_ERROR_NOT_FOUND },
    { "[fovea]\nhead=detect\nclasses=99\n", "too few for 99 classes",
        FV_ERROR_INVALID },
    { "[fovea]\nhead=detect\nbox-channel=60000\n", "too few for boxes",
        FV_ERROR_INVALID },
    { "[fovea]\nhead=detect\nstrides=8;0\n", "strides must be",
        FV_ERROR_MALFORMED },
    { "[fovea]\nhead=segment\nchannel-axis=3\n", "not one of its 3 axes",
        FV_ERROR_INVALID },
    { "[fovea]\nlabels-file=nowhere.txt\n", "no such file",
        FV_ERROR_NOT_FOUND },
    { "[modelinfo]\nversion=2.0\n", "version 1 is known",
        FV_ERROR_UNSUPPORTED },
    { "[images]\ndir=input\nranges=5,5\n", "pairs 'low,high'",
        FV_ERROR_MALFORMED },
    { "[images]\ndir=input\nranges=0,1;0,1;0,1;0,1\n", "1 or 3 pairs",
        FV_ERROR_MALFORMED },
    { "[fovea]\nlabels=\xff\xfe\n", "", FV_ERROR_MALFORMED },
    { "[fovea]\npad=1;2\n", "pad must be 1 or 3 numbers", FV_ERROR_INVALID },
    { "[fovea]\ncrop-fraction=5\n", "from 0.05 to 4", FV_ERROR_MALFORMED },
    { "[fovea]\ncrop-offset=left\n", "one of round, floor",
        FV_ERROR_MALFORMED },
    { "[fovea]\neight-bits=8\n", "false, true", FV_ERROR_MALFORMED },
    { "[fovea]\nfree-size=any\n", "one of auto, frame", FV_ERROR_MALFORMED },
    { "[fovea]\nmultiple-rounding=1\n", "one of auto, nearest",
        FV_ERROR_MALFORMED },
    { "[fovea]\nshortest-edge=0\n", "from 1 to 65536", FV_ERROR_MALFORMED },
    { "[fovea]\nlongest-edge=x\n", "from 1 to 65536", FV_ERROR_MALFORMED },
  };
  GError *error = NULL;

  ck_assert (
      make (IMAGE, "x=f32[1,9,126]", rows[_i].text, NULL, NULL, NULL, &error)
      == NULL);
  fv_test_error (&error, rows[_i].code, rows[_i].message);
}
END_TEST

START_TEST (test_labels)
{
  static const struct
  {
    const char *text;
    gsize size;
    const char *joined; /* NULL: an error with this message */
    const char *message;
    FvError code;
  } rows[] = {
    { "a\nb b\nc\n", 0, "a|b b|c", NULL, 0 },
    { "\xef\xbb\xbf"
      "a\r\nb\r\n\r\n",
        0, "a|b", NULL, 0 },
    { "a\n\nc", 0, "a||c", NULL, 0 },
    { "2 car\n0  person\n", 0, "person||car", NULL, 0 },
    { "0: a\n1: b\n", 0, "a|b", NULL, 0 },
    { "0,a\n1,b\n", 0, "a|b", NULL, 0 },
    { "7 up\n7 down\n", 0, "7 up|7 down", NULL, 0 },
    { "3d glasses\n4k screen\n", 0, "3d glasses|4k screen", NULL, 0 },
    { "99999999999999999999 x\n", 0, "99999999999999999999 x", NULL, 0 },
    { "", 0, NULL, "this one has none", FV_ERROR_MALFORMED },
    { "\n\n", 0, NULL, "this one has none", FV_ERROR_MALFORMED },
    { "a\0b", 3, NULL, "not text", FV_ERROR_MALFORMED },
    { "\x89PNG\r\n\x1a\n\xff\xd8", 10, NULL, "not text", FV_ERROR_MALFORMED },
  };
  GError *error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = fv_test_write ("labels.txt", rows[i].text,
        rows[i].size ? rows[i].size : strlen (rows[i].text));
    g_auto (GStrv) labels = fv_labels_load (path, &error);
    if (rows[i].joined == NULL) {
      ck_assert_ptr_null (labels);
      fv_test_error (&error, rows[i].code, rows[i].message);
      continue;
    }
    ck_assert_msg (labels != NULL, "%s", error ? error->message : "");
    g_autofree char *joined = g_strjoinv ("|", labels);
    ck_assert_str_eq (joined, rows[i].joined);
  }
  ck_assert (fv_labels_load ("/nowhere/labels", &error) == NULL);
  fv_test_error (&error, FV_ERROR_NOT_FOUND, "/nowhere/labels: no such file");
  ck_assert (fv_labels_load (fv_test_folder (), &error) == NULL);
  fv_test_error (&error, FV_ERROR_NOT_FOUND, "no such file");

  g_autoptr (GString) big = g_string_new (NULL);
  for (guint i = 0; i < 70000; i++)
    g_string_append (big, "x\n");
  g_autofree char *path = fv_test_write ("labels.txt", big->str, big->len);
  ck_assert (fv_labels_load (path, &error) == NULL);
  fv_test_error (&error, FV_ERROR_MALFORMED, "1 to 65536 lines");

  g_autofree char *few = fv_test_write ("labels.txt", "a\nb\n", 4);
  FvCardOptions options = { .labels_file = few };
  ck_assert (
      make (IMAGE, "x=f32[1,5]", NULL, NULL, NULL, &options, &error) == NULL);
  fv_test_error (&error, FV_ERROR_INVALID,
      "2 labels were given, output 'x' has 5 classes");
}
END_TEST

static void
write_model (const char *path)
{
  g_autoptr (ModelBuilder) builder = model_builder_new ();

  model_builder_input (builder, "in", 1, 4, 1, 3, 8, 8);
  model_builder_node (builder, "Relu", "relu", "in", "out");
  model_builder_output (builder, "out");
  g_autoptr (GBytes) bytes = model_builder_pack (builder);
  ck_assert (g_file_set_contents (path, g_bytes_get_data (bytes, NULL),
      (gssize) g_bytes_get_size (bytes), NULL));
}

static void
check_load (const char *path, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FvModel) model = NULL;
  FvCard *card = must (fv_card_load (path, NULL, &model, &error), error);

  ck_assert (g_str_has_suffix (card->model_path, expected));
  ck_assert_str_eq (model->graph->inputs[0].name, "in");
  fv_card_unref (card);
}

START_TEST (test_load)
{
  g_autofree char *folder = make_folder ("model", NULL, NULL);
  g_autofree char *only = g_build_filename (folder, "net.onnx", NULL);
  g_autofree char *second = g_build_filename (folder, "two.onnx", NULL);
  g_autofree char *main_file = g_build_filename (folder, "model.onnx", NULL);
  g_autofree char *beside =
      g_build_filename (folder, "net.onnx.modelinfo", NULL);
  g_autofree char *named = g_build_filename (folder, "other.modelinfo", NULL);
  g_autoptr (GError) error = NULL;
  FvCard *card;

  ck_assert (fv_card_load (folder, NULL, NULL, &error) == NULL);
  fv_test_error (&error, FV_ERROR_NOT_FOUND, "this one has none");
  ck_assert (fv_card_load ("/nowhere.onnx", NULL, NULL, &error) == NULL);
  fv_test_error (&error, FV_ERROR_NOT_FOUND, "/nowhere.onnx");
  ck_assert (fv_card_load ("/nowhere.modelinfo", NULL, NULL, &error) == NULL);
  fv_test_error (&error, FV_ERROR_NOT_FOUND, "/nowhere.modelinfo");
  write_model (only);
  check_load (folder, "net.onnx");
  check_load (only, "net.onnx");
  write_model (second);
  ck_assert (fv_card_load (folder, NULL, NULL, &error) == NULL);
  fv_test_error (&error, FV_ERROR_NOT_FOUND, "several");
  write_model (main_file);
  check_load (folder, "model.onnx");
  ck_assert (g_file_set_contents (beside, "[fovea]\nmean=0.25\n", -1, NULL));
  check_load (beside, "net.onnx");
  card = must (fv_card_load (only, NULL, NULL, &error), error);
  ck_assert_float_eq (card->input.mean[0], 0.25f);
  ck_assert_str_eq (card->card_path, beside);
  fv_card_unref (card);
  ck_assert (g_file_set_contents (named, "[fovea]\nmodel=two.onnx\nmean=0.75\n",
      -1, NULL));
  check_load (named, "two.onnx");
  FvCardOptions options = { .card = named };
  card = must (fv_card_load (only, &options, NULL, &error), error);
  ck_assert_float_eq (card->input.mean[0], 0.75f);
  fv_card_unref (card);
  ck_assert (g_file_set_contents (named, "[fovea]\nmean=0.75\n", -1, NULL));
  ck_assert (fv_card_load (named, NULL, NULL, &error) == NULL);
  fv_test_error (&error, FV_ERROR_NOT_FOUND, "names no model");
}
END_TEST

/* The cards of the tests' own, and what they must say of real models. */
START_TEST (test_real)
{
  static const struct
  {
    const char *name;
    FvHeadKind kind;
    const char *label; /* of class 1 */
    const char *lines[4][2];
  } rows[] = {
    { "squeezenet1_1", FV_HEAD_CLASSIFY, "goldfish",
        { { "crop-fraction", "0.875" }, { "activation", "softmax" } } },
    { "yolox_nano", FV_HEAD_DETECT, "bicycle",
        { { "channels", "bgr" }, { "anchor", "top-left" }, { "pad", "114" } } },
    { "yolov8n_320_deq", FV_HEAD_DETECT, "bicycle",
        { { "decoder", "yolov8" }, { "anchor", "center" } } },
    { "mp_selfie_segmentation_landscape", FV_HEAD_SEGMENT, "person",
        { { "layout", "nhwc" }, { "activation", "none" } } },
    { "sinet_portrait_224", FV_HEAD_SEGMENT, "person",
        { { "channels", "bgr" }, { "channel-axis", "1" } } },
    { "mobile_pydnet_kitti_192x640", FV_HEAD_DEPTH, "class 1",
        { { "depth", "inverse" }, { "scale", "-1" } } },
  };
  g_autofree char *shared = fv_test_shared ("material/models");
  g_autofree char *name =
      g_strdup_printf ("tests/data/cards/%s.modelinfo", rows[_i].name);
  g_autofree char *path = fv_test_source (name);
  GError *error = NULL;
  FvCard *card;

  if (shared == NULL)
    return;
  card = must (fv_card_load (path, NULL, NULL, &error), error);
  ck_assert_uint_eq (card->n_heads, 1);
  ck_assert_uint_eq (card->heads[0].kind, rows[_i].kind);
  ck_assert_uint_eq (card->warnings->len, 0);
  g_autofree char *label = fv_card_label (&card->heads[0], 1);
  ck_assert_str_eq (label, rows[_i].label);
  for (guint i = 0; rows[_i].lines[i][0] != NULL; i++) {
    gboolean seen = FALSE;
    for (guint k = 0; k < card->lines->len; k++) {
      FvCardLine *line = card->lines->pdata[k];
      seen |= strcmp (line->key, rows[_i].lines[i][0]) == 0
          && strcmp (line->value, rows[_i].lines[i][1]) == 0;
    }
    ck_assert_msg (seen, "%s is not %s", rows[_i].lines[i][0],
        rows[_i].lines[i][1]);
  }
  fv_card_unref (card);
}
END_TEST

/* Every key and every decoder stands in the documentation. */
START_TEST (test_documented)
{
  const char *const *lists[] = { fv_modelinfo_input_keys,
    fv_modelinfo_head_keys, fv_detect_nicks + 1, fv_box_nicks };
  g_autofree char *path = fv_test_source ("docs/model-cards.md");
  g_autofree char *text = NULL;

  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    for (guint k = 0; lists[i][k] != NULL; k++) {
      g_autofree char *quoted = g_strdup_printf ("`%s`", lists[i][k]);
      ck_assert_msg (strstr (text, quoted) != NULL, "%s has no %s", path,
          quoted);
    }
}
END_TEST

/* Bytes changed at random: an answer or an error, nothing else. */
START_TEST (test_random)
{
  static const char modelinfo[] =
      "[modelinfo]\nversion=1.0\n[images]\ndir=input\nranges=0,1;0,1;0,1\n"
      "dims=1,3,64,96\n[fovea]\nlabels=a;b;c\nmean=0.5;0.5;0.5\nstd=2\n"
      "resize=letterbox\nhead=detect\ndecoder=yolox\nstrides=8;16;32\n"
      "threshold=0.5\n[fovea head a]\nhead=segment\noutput=x\n";
  static const char json[] =
      "{\"architectures\": [\"DetrForObjectDetection\"], \"id2label\":"
      " {\"0\": \"a\", \"1\": \"b\"}, \"image_mean\": [0.5, 0.5, 0.5],"
      " \"size\": {\"height\": 64, \"width\": 96}, \"resample\": 2}";
  static const char names[] =
      "{0: 'person', 1: \"driver\", 2: 'c\\xe9\\u00e9'}";
  static const char bytes[] = "[]{}\"'\\:=;,0123456789-.e\n\t \xff\x80"
                              "az";

  g_random_set_seed (3);
  for (guint i = 0; i < 1500; i++) {
    const char *texts[] = { modelinfo, json, names };
    g_autofree char *text = g_strdup (texts[i % 3]);
    g_autofree char *folder = NULL;
    g_autoptr (GError) error = NULL;
    gint n = (gint) strlen (text);
    const char *metadata[] = { "names", text, "task", "detect", NULL };
    FvCard *card;

    for (gint k = g_random_int_range (1, 6); k > 0; k--)
      text[g_random_int_range (0, n)] =
          bytes[g_random_int_range (0, (gint) sizeof bytes - 1)];
    if (i % 3 == 1)
      folder = make_folder ("hf", text, text);
    card = make (IMAGE, "x=f32[1,126,85]", i % 3 == 0 ? text : NULL,
        i % 3 == 2 ? metadata : NULL, folder, NULL, &error);
    ck_assert ((card == NULL) == (error != NULL));
    if (i % 3 == 2)
      ck_assert (card != NULL);
    fv_card_unref (card);
  }
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("card-files");
  TCase *tcase = tcase_create ("card-files");

  tcase_add_test (tcase, test_hostile_json);
  tcase_add_loop_test (tcase, test_doubtful_json, 0, 15);
  tcase_add_loop_test (tcase, test_hostile_modelinfo, 0, 40);
  tcase_add_test (tcase, test_labels);
  tcase_add_test (tcase, test_load);
  tcase_add_loop_test (tcase, test_real, 0, 6);
  tcase_add_test (tcase, test_documented);
  tcase_add_test (tcase, test_random);
  suite_add_tcase (suite, tcase);
  return fv_test_run (suite);
}
