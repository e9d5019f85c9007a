/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cards: each source, their order, and what shapes tell. */
#include "tests/test-card.h"

#include <math.h>

/* "value (source)" of a line */
static void
check_line (const FvCard *card, const char *key, const char *value,
    FvCardSource source)
{
  const GPtrArray *lines = fv_card_lines (card);

  for (guint i = 0; i < lines->len; i++) {
    const FvCardLine *line = lines->pdata[i];
    if (strcmp (line->key, key) != 0)
      continue;
    ck_assert_str_eq (line->value, value);
    ck_assert_str_eq (fv_card_source_name (line->source),
        fv_card_source_name (source));
    return;
  }
  ck_abort_msg ("the card has no line '%s'", key);
}

static void
check_text (const FvCard *card, const char *expected)
{
  g_autofree char *text = fv_card_to_string (card);

  ck_assert_msg (strstr (text, expected) != NULL, "no '%s' in\n%s", expected,
      text);
}

/* One line after the other is said by one more source; the last wins. */
START_TEST (test_order)
{
  static const char *const metadata[] = { "names", "{0: 'a', 1: 'b'}", "task",
    "detect", "stride", "32", "imgsz", "[64, 96]", NULL };
  static const float mean[3] = { 0.1f, 0.2f, 0.3f };
  g_autofree char *folder = make_folder ("hf",
      "{\"architectures\": [\"X\"], \"id2label\": {\"0\": \"h\"}}",
      "{\"image_mean\": [0.5, 0.5, 0.5], \"image_std\": [0.5, 0.5, 0.5],"
      " \"size\": {\"height\": 64, \"width\": 96}, \"resample\": 3}");
  const char *const labels[] = { "p", "q", NULL };
  FvCardOptions options = { .n_mean = 3,
    .labels = labels,
    .resize = FV_RESIZE_CROP,
    .channels = FV_CHANNELS_BGR };
  GError *error = NULL;
  const char *outputs = "out=f32[1,6,126]";
  FvCard *card;

  memcpy (options.mean, mean, sizeof mean);
  card = must (make (IMAGE, outputs, NULL, NULL, NULL, NULL, &error), error);
  check_line (card, "mean", "0 0 0", FV_CARD_DEFAULT);
  check_line (card, "resize", "stretch", FV_CARD_DEFAULT);
  check_line (card, "antialias", "true", FV_CARD_DEFAULT);
  check_line (card, "decoder", "yolov8", FV_CARD_SHAPES);
  check_line (card, "width", "96", FV_CARD_SHAPES);
  ck_assert (warns (card, "nothing tells mean"));
  check_text (card, "(default)");
  fv_card_unref (card);

  card = must (make (IMAGE, outputs, NULL, NULL, folder, NULL, &error), error);
  check_line (card, "mean", "0.5 0.5 0.5", FV_CARD_HUGGING_FACE);
  check_line (card, "filter", "bicubic", FV_CARD_HUGGING_FACE);
  check_line (card, "antialias", "true", FV_CARD_HUGGING_FACE);
  check_line (card, "labels", "1: h", FV_CARD_HUGGING_FACE);
  check_text (card, "(preprocessor_config.json: image_mean)");
  check_text (card, "(config.json: id2label)");
  check_text (card, "(names and shapes)");
  fv_card_unref (card);

  card =
      must (make (IMAGE, outputs, NULL, metadata, folder, NULL, &error), error);
  check_line (card, "mean", "0 0 0", FV_CARD_METADATA);
  check_line (card, "resize", "letterbox", FV_CARD_METADATA);
  check_line (card, "antialias", "false", FV_CARD_METADATA);
  check_line (card, "labels", "2: a, b", FV_CARD_METADATA);
  check_line (card, "filter", "bicubic", FV_CARD_HUGGING_FACE);
  fv_card_unref (card);

  const char *modelinfo = "[fovea]\nmean=0.25\nresize=stretch\nlabels=x;y;z;\n"
                          "threshold=0.6\n";
  card = must (make (IMAGE, outputs, modelinfo, metadata, folder, NULL, &error),
      error);
  check_line (card, "mean", "0.25 0.25 0.25", FV_CARD_MODELINFO);
  check_line (card, "resize", "stretch", FV_CARD_MODELINFO);
  check_line (card, "labels", "3: x, y, ...", FV_CARD_MODELINFO);
  check_line (card, "std", "1 1 1", FV_CARD_METADATA);
  ck_assert_float_eq (card->heads[0].threshold, 0.6f);
  check_text (card, "(card.modelinfo: [fovea])");
  fv_card_unref (card);

  card = must (
      make (IMAGE, outputs, modelinfo, metadata, folder, &options, &error),
      error);
  check_line (card, "mean", "0.1 0.2 0.3", FV_CARD_PROPERTY);
  check_line (card, "resize", "crop", FV_CARD_PROPERTY);
  check_line (card, "channels", "bgr", FV_CARD_PROPERTY);
  check_line (card, "labels", "2: p, q", FV_CARD_PROPERTY);
  ck_assert_str_eq (card->heads[0].labels[1], "q");
  check_text (card, "(ONNX metadata)");
  check_text (card, "(property)");
  g_autofree char *label = fv_card_label (&card->heads[0], 7);
  ck_assert_str_eq (label, "class 7");
  fv_card_unref (card);
}
END_TEST

/* What names and shapes alone tell. */
static const struct
{
  const char *inputs, *outputs;
  FvHeadKind wanted, kind;
  FvDetectDecoder decoder;
  guint n_classes;
} signatures[] = {
  { IMAGE, "x=f32[1,1000]", 0, FV_HEAD_CLASSIFY, 0, 1000 },
  { IMAGE, "x=f32[1,7,1,1]", 0, FV_HEAD_CLASSIFY, 0, 7 },
  { IMAGE, "x=f32[1,84,126]", 0, FV_HEAD_DETECT, FV_DETECT_YOLOV8, 80 },
  { IMAGE, "x=f32[1,126,85]", 0, FV_HEAD_DETECT, FV_DETECT_YOLOX, 80 },
  { IMAGE, "x=f32[1,378,85]", 0, FV_HEAD_DETECT, FV_DETECT_YOLOV5, 80 },
  { IMAGE, "x=f32[1,300,6]", 0, FV_HEAD_DETECT, FV_DETECT_YOLOV10, 0 },
  { IMAGE, "logits=f32[1,100,92] pred_boxes=f32[1,100,4]", 0, FV_HEAD_DETECT,
      FV_DETECT_DETR, 91 },
  { IMAGE, "scores=f32[1,50,2]<Softmax boxes=f32[1,50,4]", 0, FV_HEAD_DETECT,
      FV_DETECT_BOXES, 1 },
  { IMAGE, "a=f32[1,96,9] b=f32[1,24,9] c=f32[1,96,32] d=f32[1,24,32]", 0,
      FV_HEAD_NONE, 0, 0 },
  { IMAGE, "x=f32[1,19,16,24]", 0, FV_HEAD_SEGMENT, 0, 19 },
  { "in=f32[1,64,96,3]", "x=f32[1,64,96,21]", 0, FV_HEAD_SEGMENT, 0, 21 },
  { "in=f32[1,64,96,3]", "mask=f32[1,64,96,1]", 0, FV_HEAD_SEGMENT, 0, 2 },
  { IMAGE, "x=f32[1,1,32,48]", FV_HEAD_SEGMENT, FV_HEAD_SEGMENT, 0, 2 },
  { IMAGE, "x=f32[1,1,32,48]", FV_HEAD_DEPTH, FV_HEAD_DEPTH, 0, 0 },
  { IMAGE, "x=f32[1,1,32,48]", 0, FV_HEAD_NONE, 0, 0 },
  { IMAGE, "predicted_depth=f32[1,64,96]", 0, FV_HEAD_DEPTH, 0, 0 },
  { IMAGE, "x=f32[1,1,32,48]<Relu", 0, FV_HEAD_DEPTH, 0, 0 },
  { IMAGE, "logits=f32[1,9,3] pred_boxes=f32[1,9,4] pred_masks=f32[1,9,16,24]",
      FV_HEAD_DETECT, FV_HEAD_DETECT, FV_DETECT_DETR, 2 },
  { IMAGE, "logits=f32[1,9,3] pred_boxes=f32[1,9,4] pred_masks=f32[1,9,16,24]",
      0, FV_HEAD_SEGMENT, 0, 2 },
  { IMAGE, "a=f32[1,116,126] b=f32[1,32,16,24]", 0, FV_HEAD_SEGMENT,
      FV_DETECT_YOLOV8, 80 },
  { IMAGE, "a=f32[1,116,126] b=f32[1,32,16,24]", FV_HEAD_DETECT, FV_HEAD_DETECT,
      FV_DETECT_YOLOV8, 80 },
  { IMAGE, "a=f32[1,378,117] b=f32[1,32,16,24]", FV_HEAD_SEGMENT,
      FV_HEAD_SEGMENT, FV_DETECT_YOLOV5, 80 },
  { IMAGE, "a=f32[1,300,38] b=f32[1,32,16,24]", 0, FV_HEAD_SEGMENT,
      FV_DETECT_YOLOV10, 0 },
  { IMAGE, "x=i64[1,64,96]", 0, FV_HEAD_SEGMENT, 0, 0 },
  { IMAGE, "x=f32[1,64,96]<ArgMax", 0, FV_HEAD_SEGMENT, 0, 0 },
  { IMAGE, "x=f32[1,19,16,24]", FV_HEAD_DETECT, FV_HEAD_NONE, 0, 0 },
  { IMAGE, "x=f32[1,84,126]", FV_HEAD_SEGMENT, FV_HEAD_NONE, 0, 0 },
  { IMAGE, "x=f32[]", 0, FV_HEAD_NONE, 0, 0 },
  { IMAGE, "x=f32[1,384,768]", 0, FV_HEAD_DETECT, FV_DETECT_YOLOV8, 380 },
  /* what no head reads */
  { IMAGE, "image_embeds=f32[1,512]", 0, FV_HEAD_NONE, 0, 0 },
  { IMAGE, "last_hidden_state=f32[1,37,64]", 0, FV_HEAD_NONE, 0, 0 },
  { IMAGE, "heatmaps=f32[1,17,16,24]", 0, FV_HEAD_NONE, 0, 0 },
  { IMAGE, "cls_logits=f32[1,3852,6] bbox_regression=f32[1,3852,4]", 0,
      FV_HEAD_NONE, 0, 0 },
  /* sigmoids: by the number of classes, or by the operators in front */
  { IMAGE, "dets=f32[1,300,4] labels=f32[1,300,91]", 0, FV_HEAD_DETECT,
      FV_DETECT_DETR, 91 },
  { IMAGE, "pred_logits=f32[1,300,9] pred_boxes=f32[1,300,4]<Log", 0,
      FV_HEAD_DETECT, FV_DETECT_DETR, 9 },
  { IMAGE, "pred_logits=f32[1,300,9]<Sigmoid pred_boxes=f32[1,300,4]", 0,
      FV_HEAD_DETECT, FV_DETECT_DETR, 9 },
  { IMAGE, "pred_logits=f32[1,300,9]<Softmax pred_boxes=f32[1,300,4]", 0,
      FV_HEAD_DETECT, FV_DETECT_DETR, 8 },
  /* lists that the model has picked */
  { IMAGE, "x=f32[100,7]", 0, FV_HEAD_DETECT, FV_DETECT_YOLOV7, 0 },
  { IMAGE, "graph2_flat_predictions=f32[100,7]", 0, FV_HEAD_DETECT,
      FV_DETECT_FLAT, 0 },
  { IMAGE " im_shape=f32[1,2] scale_factor=f32[1,2]", "x=f32[100,6] n=i32[1]",
      0, FV_HEAD_DETECT, FV_DETECT_PADDLE, 0 },
  { IMAGE, "p=f32[100] q=i64[100] r=f32[100,4]", 0, FV_HEAD_DETECT,
      FV_DETECT_BOXES, 0 },
  { IMAGE, "dets=f32[1,100,5] labels=i64[1,100]", 0, FV_HEAD_DETECT,
      FV_DETECT_BOXES, 0 },
  { IMAGE, "x=i64[?,3]<NonMaxSuppression y=f32[1,9,4] z=f32[1,7,9]", 0,
      FV_HEAD_DETECT, FV_DETECT_BOXES, 7 },
};

START_TEST (test_shapes)
{
  FvCardOptions options = { .head = signatures[_i].wanted };
  GError *error = NULL;
  FvCard *card;

  if (strstr (signatures[_i].outputs, "c=f32") != NULL) {
    /* two levels of three: strides do not fit, and the user is told */
    ck_assert (make (signatures[_i].inputs, signatures[_i].outputs, NULL, NULL,
                   NULL, &options, &error)
        == NULL);
    fv_test_error (&error, FV_ERROR_INVALID, "3 strides for 2 outputs");
    return;
  }
  card = must (make (signatures[_i].inputs, signatures[_i].outputs, NULL, NULL,
                   NULL, &options, &error),
      error);
  if (signatures[_i].kind == FV_HEAD_NONE) {
    ck_assert_uint_eq (card->n_heads, 0);
    ck_assert (fv_card_head (card, FV_HEAD_NONE) == NULL);
  } else {
    ck_assert_uint_eq (card->n_heads, 1);
    ck_assert_str_eq (fv_head_kind_name (card->heads[0].kind),
        fv_head_kind_name (signatures[_i].kind));
    ck_assert_uint_eq (card->heads[0].detect.decoder, signatures[_i].decoder);
    ck_assert_uint_eq (card->heads[0].n_classes, signatures[_i].n_classes);
    ck_assert (fv_card_head (card, signatures[_i].kind) == &card->heads[0]);
  }
  fv_card_unref (card);
}
END_TEST

START_TEST (test_inputs)
{
  GError *error = NULL;
  FvShape shape;
  FvCard *card = must (make ("mask=i64[1,8] in=u8[?,?,?,3] extra=f32[1,2]",
                           "x=f32[1,5]", "[fovea input extra]\nfill=frame-hw\n",
                           NULL, NULL, NULL, &error),
      error);

  ck_assert_uint_eq (card->input.index, 1);
  ck_assert_uint_eq (card->input.layout, FV_LAYOUT_NHWC);
  /* whole numbers take 0..255 as they are */
  ck_assert_float_eq_tol (card->input.std[0], 1.0f / 255, 1e-7f);
  ck_assert_uint_eq (card->n_extras, 1);
  ck_assert_uint_eq (card->extras[0].index, 2);
  ck_assert_uint_eq (card->extras[0].kind, FV_EXTRA_FRAME_HW);
  ck_assert (warns (card, "[fovea input mask]"));
  fv_card_choose_size (card, 1920, 1080);
  ck_assert_uint_eq (card->input.width, 640);
  ck_assert_uint_eq (card->input.height, 352);
  fv_card_input_shape (card, &shape);
  ck_assert_uint_eq (shape.rank, 4);
  ck_assert_int_eq (shape.dims[0], 1);
  ck_assert_int_eq (shape.dims[1], 352);
  ck_assert_int_eq (shape.dims[3], 3);
  fv_card_unref (card);

  card = must (
      make ("in=f32[1,1,?,?]", "x=f32[1,5]", NULL, NULL, NULL, NULL, &error),
      error);
  ck_assert_uint_eq (card->input.channels, FV_CHANNELS_GRAY);
  fv_card_choose_size (card, 33, 20);
  ck_assert_uint_eq (card->input.width, 32);
  ck_assert_uint_eq (card->input.height, 32);
  fv_card_unref (card);

  FvCardOptions options = { .input_width = 320 };
  card = must (make ("in=f32[1,3,?,?]", "x=f32[1,5]", "[fovea]\nmultiple=14\n",
                   NULL, NULL, &options, &error),
      error);
  fv_card_choose_size (card, 1000, 500);
  ck_assert_uint_eq (card->input.width, 320);
  ck_assert_uint_eq (card->input.height, 154);
  fv_card_unref (card);

  /* a letterbox has room for 640 x 360 and no more than it must */
  card = must (make ("in=f32[1,3,?,?]", "x=f32[1,5]",
                   "[fovea]\nresize=letterbox\n", NULL, NULL, NULL, &error),
      error);
  fv_card_choose_size (card, 1920, 1080);
  ck_assert_uint_eq (card->input.width, 640);
  ck_assert_uint_eq (card->input.height, 384);
  card->input.width = card->input.height = 0;
  fv_card_choose_size (card, 640, 320);
  ck_assert_uint_eq (card->input.height, 320);
  fv_card_unref (card);

  options.input_width = 100;
  ck_assert (
      make (IMAGE, "x=f32[1,5]", NULL, NULL, NULL, &options, &error) == NULL);
  fv_test_error (&error, FV_ERROR_INVALID, "fixed width of 96");

  card = must (
      make ("tokens=i64[1,77]", "x=f32[1,5]", NULL, NULL, NULL, NULL, &error),
      error);
  ck_assert_ptr_null (card->input.name);
  ck_assert (warns (card, "no input"));
  fv_card_unref (card);
}
END_TEST

/* GStreamer's own groups. */
/* Further inputs that are known by name, and what boxes are in then. */
START_TEST (test_known_inputs)
{
  static const struct
  {
    const char *input;
    FvExtraKind kind;
    double value;
    gboolean in_frame;
  } rows[] = {
    { "orig_target_sizes=i64[1,2]", FV_EXTRA_FRAME_WH, 0, TRUE },
    { "image_shape=f32[1,2]", FV_EXTRA_FRAME_HW, 0, TRUE },
    { "scale_factor=f32[1,2]", FV_EXTRA_SCALE_HW, 0, TRUE },
    { "im_shape=f32[1,2]", FV_EXTRA_INPUT_HW, 0, FALSE },
    { "iou_threshold=f32[1]", FV_EXTRA_VALUES, 0.45, FALSE },
    { "pixel_mask=i64[1,64,64]", FV_EXTRA_VALUES, 1, FALSE },
  };
  g_autofree char *inputs = g_strdup_printf ("%s %s", IMAGE, rows[_i].input);
  GError *error = NULL;
  FvCard *card =
      must (make (inputs, "labels=i64[1,9] boxes=f32[1,9,4] scores=f32[1,9]",
                NULL, NULL, NULL, NULL, &error),
          error);

  ck_assert_uint_eq (card->n_extras, 1);
  ck_assert_uint_eq (card->extras[0].kind, rows[_i].kind);
  if (rows[_i].kind == FV_EXTRA_VALUES)
    ck_assert_double_eq (card->extras[0].values[0], rows[_i].value);
  ck_assert_int_eq (card->heads[0].detect.in_frame, rows[_i].in_frame);
  ck_assert (!card->heads[0].detect.nms);
  fv_card_unref (card);
}
END_TEST

START_TEST (test_gstreamer_groups)
{
  GError *error = NULL;
  FvCard *card = must (make ("in=f32[1,3,?,?]", "y=f32[1,9,84] x=f32[1,3]",
                           "[modelinfo]\nversion=1.0\ngroup-id=some\n"
                           "[in]\nid=a\ntype=float32\ndims=1,3,64,64\n"
                           "dir=input\nranges=-2.1179,2.2489;-2.0357,2.4286;"
                           "-1.8044,2.6400\n"
                           "[y]\nid=yolo-v8-out\ntype=float32\ndims=-1,-1,-1\n"
                           "dir=output\ndims-order=row-major\n"
                           "[z]\nid=unknown\ndir=output\n",
                           NULL, NULL, NULL, &error),
      error);

  ck_assert_float_eq_tol (card->input.mean[0], 0.485f, 1e-4f);
  ck_assert_float_eq_tol (card->input.std[1], 0.224f, 1e-4f);
  ck_assert_float_eq_tol (card->input.mean[2], 0.406f, 1e-4f);
  ck_assert_uint_eq (card->input.width, 64);
  ck_assert_uint_eq (card->n_heads, 1);
  ck_assert_uint_eq (card->heads[0].detect.decoder, FV_DETECT_YOLOV8);
  check_line (card, "decoder", "yolov8", FV_CARD_MODELINFO);
  fv_card_unref (card);
}
END_TEST

START_TEST (test_several_heads)
{
  GError *error = NULL;
  FvCardOptions options = { 0 };
  const char *outputs = "cls=f32[1,10] seg=f32[1,4,32,48] dep=f32[1,1,32,48]";
  const char *text = "[fovea]\nmean=0.5\nstd=0.5\n"
                     "[fovea head scene]\nhead=classify\noutput=cls\n"
                     "labels=a;b;c;d;e;f;g;h;i;j\n"
                     "[fovea head road]\nhead=segment\noutput=seg\n"
                     "[fovea head far]\nhead=depth\noutput=dep\nscale=-2\n"
                     "depth=metric\n";
  FvCard *card =
      must (make (IMAGE, outputs, text, NULL, NULL, NULL, &error), error);

  ck_assert_uint_eq (card->n_heads, 3);
  ck_assert_str_eq (card->heads[1].name, "seg");
  ck_assert_uint_eq (card->heads[1].n_classes, 4);
  ck_assert_float_eq (card->heads[2].depth_scale, -2);
  ck_assert_uint_eq (card->heads[2].depth, FV_DEPTH_METRIC);
  check_line (card, "far.scale", "-2", FV_CARD_MODELINFO);
  fv_card_unref (card);

  options.head = FV_HEAD_SEGMENT;
  card =
      must (make (IMAGE, outputs, text, NULL, NULL, &options, &error), error);
  ck_assert_uint_eq (card->n_heads, 1);
  ck_assert_uint_eq (card->heads[0].kind, FV_HEAD_SEGMENT);
  fv_card_unref (card);
}
END_TEST

/* Shapes that are free at first. */
START_TEST (test_bind)
{
  GError *error = NULL;
  FvShape shapes[2] = { { 3, { 1, 10, 84 } } };
  FvCard *card =
      must (make ("in=f32[1,3,?,?]", "x=f32[?,?,?]", NULL, NULL, NULL,
                &(FvCardOptions){ .head = FV_HEAD_DETECT }, &error),
          error);
  guint n_lines;

  ck_assert_uint_eq (card->n_heads, 0);
  fv_card_choose_size (card, 64, 64);
  ck_assert (!fv_card_bind_outputs (card, shapes, 2, &error));
  fv_test_error (&error, FV_ERROR_INVALID, "1 outputs, 2 shapes");
  ck_assert (fv_card_bind_outputs (card, shapes, 1, &error));
  ck_assert_uint_eq (card->n_heads, 1);
  ck_assert_uint_eq (card->heads[0].detect.decoder, FV_DETECT_YOLOV8);
  ck_assert_uint_eq (card->heads[0].n_classes, 6);
  n_lines = card->lines->len;
  shapes[0] = (FvShape){ 3, { 1, 84, 9 } }; /* other sizes, another net */
  ck_assert (fv_card_bind_outputs (card, shapes, 1, &error));
  ck_assert_uint_eq (card->heads[0].detect.decoder, FV_DETECT_YOLOX);
  ck_assert_uint_le (card->lines->len, n_lines + 1);
  fv_card_unref (card);

  card = must (make ("in=f32[1,3,64,64]", "x=f32[?,?,?]",
                   "[fovea]\nhead=detect\n", NULL, NULL, NULL, &error),
      error);
  shapes[0] = (FvShape){ 3, { 1, 3, 3 } };
  ck_assert (!fv_card_bind_outputs (card, shapes, 1, &error));
  fv_test_error (&error, FV_ERROR_UNSUPPORTED, "tell no detector");
  fv_card_unref (card);

  card = must (make ("in=f32[1,3,?,?]", "x=f32[?,?,?]",
                   "[fovea]\nhead=detect\ndecoder=yolox\n", NULL, NULL, NULL,
                   &error),
      error);
  fv_card_choose_size (card, 64, 64);
  shapes[0] = (FvShape){ 3, { 1, 86, 85 } };
  ck_assert (!fv_card_bind_outputs (card, shapes, 1, &error));
  fv_test_error (&error, FV_ERROR_INVALID, "86 boxes");
  fv_card_unref (card);
}
END_TEST

START_TEST (test_ultralytics)
{
  static const char *const metadata[] = { "names",
    "{0: 'person', 1: \"driver's hat\", 3: 'caf\\xe9', }", "task", "segment",
    "stride", "32", "imgsz", "[384, 640]", NULL };
  static const char *const classify[] = { "names", "['a', 'b']", "task",
    "classify", "imgsz", "224", NULL };
  static const char *const end2end[] = { "names", "{0: 'a'}", "task", "detect",
    "end2end", "True", NULL };
  static const char *const picked[] = { "names", "{0: 'a'}", "task", "detect",
    "args", "{'batch': 1, 'nms': True}", NULL };
  static const char *const hostile[] = { "names", "{0: 'a', 99999999: 'b'}",
    "task", "obb", "stride", "-1", "imgsz", "[-3, 1e99]", NULL };
  GError *error = NULL;
  FvCardOptions boxes = { .head = FV_HEAD_DETECT };
  FvCard *card =
      must (make ("in=f32[1,3,?,?]", "x=f32[1,40,5040] p=f32[1,32,96,160]",
                NULL, metadata, NULL, NULL, &error),
          error);

  ck_assert_uint_eq (card->heads[0].kind, FV_HEAD_SEGMENT);
  ck_assert_uint_eq (card->heads[0].masks.kind, FV_MASKS_PROTOTYPES);
  ck_assert_uint_eq (card->heads[0].n_classes, 4);
  ck_assert_int_eq (card->heads[0].masks.coefficient_channel, 8);
  fv_card_unref (card);

  card = must (make ("in=f32[1,3,?,?]", "x=f32[1,40,5040] p=f32[1,32,96,160]",
                   NULL, metadata, NULL, &boxes, &error),
      error);
  ck_assert_uint_eq (card->heads[0].kind, FV_HEAD_DETECT);

  ck_assert_uint_eq (card->input.width, 640);
  ck_assert_uint_eq (card->input.height, 384);
  ck_assert_float_eq (card->input.pad[2], 114);
  ck_assert_uint_eq (card->input.anchor, FV_ANCHOR_CENTER);
  /* 4 labels: what follows them in a candidate belongs to masks */
  ck_assert_uint_eq (card->heads[0].n_classes, 4);
  ck_assert_str_eq (card->heads[0].labels[1], "driver's hat");
  ck_assert_str_eq (card->heads[0].labels[2], "");
  ck_assert_str_eq (card->heads[0].labels[3], "caf\303\251");
  fv_card_unref (card);

  card = must (make ("in=f32[1,3,?,?]", "x=f32[1,2]", NULL, classify, NULL,
                   NULL, &error),
      error);
  ck_assert_uint_eq (card->heads[0].kind, FV_HEAD_CLASSIFY);
  ck_assert_uint_eq (card->heads[0].activation, FV_ACTIVATION_NONE);
  ck_assert_uint_eq (card->input.resize, FV_RESIZE_CROP);
  ck_assert_uint_eq (card->input.width, 224);
  fv_card_unref (card);

  for (guint i = 0; i < 2; i++) {
    /* how many there are the data may decide */
    card = must (make (IMAGE, i ? "x=f32[1,?,?]" : "x=f32[1,2000,6]", NULL,
                     i ? picked : end2end, NULL, NULL, &error),
        error);
    ck_assert_uint_eq (card->heads[0].detect.decoder, FV_DETECT_YOLOV10);
    ck_assert (!card->heads[0].detect.nms);
    fv_card_unref (card);
  }

  card = must (
      make (IMAGE, "x=f32[1,9,126]", NULL, hostile, NULL, NULL, &error), error);
  ck_assert (warns (card, "no list of labels"));
  ck_assert (warns (card, "task=obb"));
  fv_card_unref (card);
}
END_TEST

START_TEST (test_python_names)
{
  static const char *const bad[] = { "", "{", "[", "{0",
    "{0:", "{0: ", "{0: 'a", "{0: 'a\\", "{0: 'a'", "{0: 'a' 1: 'b'}",
    "{'x': 'a'}", "{0: 5}", "[1, 2]", "{}", "[]", "{-1: 'a'}", "{0: {1: 'a'}}",
    "'a'", "{0: 'a\\x", "[[[[[[", "{0: 'a'\xff}" };
  g_auto (GStrv) names =
      fv_parse_python_names (" { '1' : 'b' , \"0\":'\\'a\\u00e9\\n' } ");

  ck_assert_uint_eq (g_strv_length (names), 2);
  ck_assert_str_eq (names[0], "'a\303\251 ");
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    ck_assert_msg (fv_parse_python_names (bad[i]) == NULL, "'%s' was read",
        bad[i]);
}
END_TEST

static const struct
{
  const char *config, *preprocessor, *outputs;
  FvHeadKind kind;
  const char *lines[6][2];
} hugging_face[] = {
  { "{\"architectures\": [\"ViTForImageClassification\"],"
    " \"id2label\": {\"1\": \"dog\", \"0\": \"cat\"}}",
      "{\"do_normalize\": true, \"do_resize\": true, \"size\": 224,"
      " \"image_mean\": [0.5, 0.5, 0.5], \"image_std\": [0.5, 0.5, 0.5],"
      " \"resample\": 2}",
      "logits=f32[1,2]", FV_HEAD_CLASSIFY,
      { { "mean", "0.5 0.5 0.5" }, { "width", "224" },
          { "labels", "2: cat, dog" }, { "activation", "softmax" } } },
  { "{\"architectures\": [\"Mask2FormerForUniversalSegmentation\"],"
    " \"id2label\": {\"0\": \"cat\", \"1\": \"sky\"}}",
      "{\"size\": {\"height\": 64, \"width\": 96}}",
      "class_queries_logits=f32[1,9,3] masks_queries_logits=f32[1,9,16,24]",
      FV_HEAD_SEGMENT,
      { { "scores", "class_queries_logits" }, { "classes", "2" },
          { "background", "2" }, { "output", "masks_queries_logits" } } },
  { "{\"architectures\": [\"DetrForSegmentation\"]}", NULL,
      "logits=f32[1,9,3] pred_boxes=f32[1,9,4] pred_masks=f32[1,9,16,24]",
      FV_HEAD_SEGMENT, { { "scores", "logits" }, { "output", "pred_masks" } } },
  { "{\"architectures\": [\"SegformerForSemanticSegmentation\"]}",
      "{\"do_normalize\": true, \"image_mean\": [0.485, 0.456, 0.406],"
      " \"image_std\": [0.229, 0.224, 0.225],"
      " \"size\": {\"height\": 512, \"width\": 256}}",
      "logits=f32[1,150,128,64]", FV_HEAD_SEGMENT,
      { { "width", "256" }, { "height", "512" }, { "resize", "stretch" },
          { "std", "0.229 0.224 0.225" } } },
  { "{\"architectures\": [\"GLPNForDepthEstimation\"]}",
      "{\"do_rescale\": true, \"size_divisor\": 32}",
      "predicted_depth=f32[1,64,64]", FV_HEAD_DEPTH,
      { { "depth", "metric" }, { "mean", "0 0 0" }, { "std", "1 1 1" },
          { "width", "free" } } },
  { "{\"architectures\": [\"DepthAnythingForDepthEstimation\"],"
    " \"depth_estimation_type\": \"relative\"}",
      "{\"ensure_multiple_of\": 14, \"do_rescale\": false,"
      " \"image_mean\": [127.5], \"image_std\": [51]}",
      "predicted_depth=f32[1,64,64]", FV_HEAD_DEPTH,
      { { "depth", "inverse" }, { "mean", "0.5 0.5 0.5" },
          { "std", "0.2 0.2 0.2" } } },
  { "{\"architectures\": [\"DetrForObjectDetection\"]}", NULL,
      "logits=f32[1,100,92] pred_boxes=f32[1,100,4]", FV_HEAD_DETECT,
      { { "decoder", "detr" }, { "activation", "softmax" },
          { "classes", "91" } } },
  { "{\"architectures\": [\"RTDetrForObjectDetection\"]}", NULL,
      "logits=f32[1,300,80] pred_boxes=f32[1,300,4]", FV_HEAD_DETECT,
      { { "activation", "sigmoid" }, { "classes", "80" } } },
  { NULL,
      "{\"do_center_crop\": true, \"size\": {\"shortest_edge\": 256},"
      " \"crop_size\": {\"height\": 224, \"width\": 224},"
      " \"do_flip_channel_order\": true, \"rescale_factor\": 0.00392156862}",
      "logits=f32[1,9]", FV_HEAD_CLASSIFY,
      { { "resize", "crop" }, { "crop-fraction", "0.875" }, { "width", "224" },
          { "channels", "bgr" } } },
  { NULL, "{\"image_processor_type\": \"DetrImageProcessor\"}",
      "logits=f32[1,100,92] pred_boxes=f32[1,100,4]", FV_HEAD_DETECT,
      { { "free-size", "edges" }, { "shortest-edge", "800" },
          { "longest-edge", "1333" }, { "multiple", "1" },
          { "mean", "0.485 0.456 0.406" }, { "filter", "bilinear" } } },
  { NULL,
      "{\"image_processor_type\": \"DetrImageProcessor\","
      " \"size\": {\"max_height\": 333, \"max_width\": 480}}",
      "logits=f32[1,100,92] pred_boxes=f32[1,100,4]", FV_HEAD_DETECT,
      { { "free-size", "fit" }, { "most-width", "480" },
          { "most-height", "333" }, { "multiple", "1" } } },
  { NULL,
      "{\"image_processor_type\": \"CLIPImageProcessor\","
      " \"size\": {\"shortest_edge\": 256}, \"use_square_size\": true}",
      "logits=f32[1,9]", FV_HEAD_CLASSIFY,
      { { "resize", "stretch" }, { "crop-fraction", "0.875" },
          { "width", "224" } } },
  { NULL, "{\"feature_extractor_type\": \"DeiTFeatureExtractor\"}",
      "logits=f32[1,9]", FV_HEAD_CLASSIFY,
      { { "resize", "stretch" }, { "crop-fraction", "0.875" },
          { "width", "224" }, { "filter", "bicubic" }, { "std", "0.5 0.5 0.5" },
          { "crop-offset", "floor" } } },
  { NULL,
      "{\"image_processor_type\": \"EfficientNetImageProcessor\","
      " \"rescale_factor\": 0.00784313725490196, \"rescale_offset\": true,"
      " \"size\": {\"height\": 240, \"width\": 260}}",
      "logits=f32[1,9]", FV_HEAD_CLASSIFY,
      { { "mean", "0.75 0.75 0.75" }, { "std", "0.125 0.125 0.125" },
          { "filter", "nearest" }, { "width", "260" } } },
  { NULL,
      "{\"image_processor_type\": \"ConvNextImageProcessor\","
      " \"size\": {\"shortest_edge\": 224}, \"crop_pct\": 0.9}",
      "logits=f32[1,9]", FV_HEAD_CLASSIFY,
      { { "resize", "crop" }, { "crop-fraction", "0.903226" }, /* 224 / 248 */
          { "filter", "bilinear" }, { "width", "224" } } },
  { NULL,
      "{\"image_processor_type\": \"EfficientNetImageProcessor\","
      " \"do_normalize\": false, \"do_rescale\": false, \"rescale_offset\": true,"
      " \"do_center_crop\": true}",
      "logits=f32[1,9]", FV_HEAD_CLASSIFY,
      { { "mean", "0 0 0" }, { "std", "0.00196078 0.00196078 0.00196078" },
          { "crop-fraction", "0.83526" }, { "width", "289" } } },
  { NULL,
      "{\"image_processor_type\": \"RTDetrImageProcessor\","
      " \"do_normalize\": true}",
      "logits=f32[1,300,80] pred_boxes=f32[1,300,4]", FV_HEAD_DETECT,
      { { "mean", "0.485 0.456 0.406" }, { "width", "640" } } },
  { NULL, "{\"image_processor_type\": \"RTDetrImageProcessor\"}",
      "logits=f32[1,300,80] pred_boxes=f32[1,300,4]", FV_HEAD_DETECT,
      { { "mean", "0 0 0" }, { "std", "1 1 1" } } },
  { "{\"architectures\": [\"MaskFormerForInstanceSegmentation\"]}",
      "{\"feature_extractor_type\": \"MaskFormerFeatureExtractor\","
      " \"size\": 512, \"max_size\": 2048, \"size_divisibility\": 0}",
      "class_queries_logits=f32[1,9,3] masks_queries_logits=f32[1,9,16,24]",
      FV_HEAD_SEGMENT,
      { { "free-size", "cut-edges" }, { "shortest-edge", "512" },
          { "longest-edge", "2048" }, { "multiple", "1" } } },
  { "{\"architectures\": [\"Mask2FormerForUniversalSegmentation\"]}",
      "{\"image_processor_type\": \"Mask2FormerImageProcessor\","
      " \"size\": {\"height\": 380, \"width\": 500}}",
      "class_queries_logits=f32[1,9,3] masks_queries_logits=f32[1,9,16,24]",
      FV_HEAD_SEGMENT, { { "width", "512" }, { "height", "384" } } },
  { NULL,
      "{\"image_processor_type\": \"PoolFormerImageProcessor\","
      " \"size\": {\"height\": 200, \"width\": 100}, \"do_center_crop\": false}",
      "logits=f32[1,9]", FV_HEAD_CLASSIFY,
      { { "width", "111" }, { "height", "222" }, { "resize", "stretch" } } },
  { "{\"architecture\": \"resnet18\", \"pretrained_cfg\": {\"input_size\":"
    " [3, 160, 288], \"interpolation\": \"bicubic\"}}",
      NULL, "logits=f32[1,2]", FV_HEAD_CLASSIFY,
      { { "filter", "bilinear" }, { "resize", "crop" } } },
  { "{\"architectures\": [\"SegformerForSemanticSegmentation\"], \"id2label\":"
    " {\"0\": \"background\", \"1\": \"wall\", \"2\": \"sky\", \"3\":"
    " \"tree\"}}",
      "{\"do_reduce_labels\": true}", "logits=f32[1,3,16,16]", FV_HEAD_SEGMENT,
      { { "labels", "3: wall, sky, ..." }, { "reduce-labels", "true" } } },
  { "{\"architecture\": \"resnet18\", \"label_names\": [\"a\", \"b\"],"
    " \"pretrained_cfg\": {\"input_size\": [3, 160, 160], \"crop_pct\": 0.95,"
    " \"interpolation\": \"lanczos\", \"crop_mode\": \"border\", \"mean\":"
    " [0.5, 0.25, 0], \"std\": [1, 0.5, 0.25]}}",
      NULL, "logits=f32[1,2]", FV_HEAD_CLASSIFY,
      { { "resize", "letterbox" }, { "pad", "128 64 0" },
          { "filter", "lanczos" }, { "std", "1 0.5 0.25" },
          { "labels", "2: a, b" },
          { "crop-fraction", "0.952381" } } }, /* 160 / 168 */
};

START_TEST (test_hugging_face)
{
  g_autofree char *folder = make_folder ("hf", hugging_face[_i].config,
      hugging_face[_i].preprocessor);
  GError *error = NULL;
  FvCard *card =
      must (make ("pixel_values=f32[1,3,?,?]", hugging_face[_i].outputs, NULL,
                NULL, folder, NULL, &error),
          error);

  ck_assert_uint_eq (card->n_heads, 1);
  ck_assert_uint_eq (card->heads[0].kind, hugging_face[_i].kind);
  for (guint i = 0; i < 6 && hugging_face[_i].lines[i][0] != NULL; i++) {
    gboolean seen = FALSE;
    for (guint k = 0; k < card->lines->len; k++) {
      FvCardLine *line = card->lines->pdata[k];
      if (strcmp (line->key, hugging_face[_i].lines[i][0]) != 0)
        continue;
      ck_assert_str_eq (line->value, hugging_face[_i].lines[i][1]);
      seen = TRUE;
    }
    ck_assert_msg (seen, "no line '%s'", hugging_face[_i].lines[i][0]);
  }
  fv_card_unref (card);
}
END_TEST

static void
check_map (const FvFrameMap *map, gint x, gint y, gint width, gint height)
{
  double fx, fy;

  ck_assert_int_eq (map->x, x);
  ck_assert_int_eq (map->y, y);
  ck_assert_int_eq (map->width, width);
  ck_assert_int_eq (map->height, height);
  /* corners of the frame come back within a pixel */
  fv_frame_map_to_frame (map, map->x, map->y, &fx, &fy);
  ck_assert (fabs (fx) < 1e-9 && fabs (fy) < 1e-9);
  fv_frame_map_to_frame (map, map->x + map->width, map->y + map->height, &fx,
      &fy);
  ck_assert (fabs (fx - map->frame_width) < 1e-9);
  ck_assert (fabs (fy - map->frame_height) < 1e-9);
}

START_TEST (test_frame_map)
{
  FvCardInput input = { .width = 416, .height = 416, .crop_fraction = 1 };
  FvFrameMap map;

  fv_frame_map_init (&map, &input, 1280, 720);
  check_map (&map, 0, 0, 416, 416);
  input.resize = FV_RESIZE_LETTERBOX;
  input.anchor = FV_ANCHOR_TOP_LEFT;
  fv_frame_map_init (&map, &input, 810, 1080);
  check_map (&map, 0, 0, 312, 416);
  input.anchor = FV_ANCHOR_CENTER;
  input.width = input.height = 640;
  /* 360.5: Ultralytics' round () is Python's, halves to the even number */
  fv_frame_map_init (&map, &input, 1280, 721);
  check_map (&map, 0, 140, 640, 360);
  fv_frame_map_init (&map, &input, 1, 4000);
  ck_assert_int_eq (map.width, 1);
  input.resize = FV_RESIZE_CROP;
  input.width = input.height = 224;
  input.crop_fraction = 0.875f;
  fv_frame_map_init (&map, &input, 810, 1080); /* 256 x 341, 117 / 2 = 58.5 */
  check_map (&map, -16, -58, 256, 341);
  fv_frame_map_init (&map, &input, 1080, 810);
  check_map (&map, -58, -16, 341, 256);
  fv_frame_map_init (&map, &input, 343, 256); /* 119 / 2 = 59.5 */
  check_map (&map, -60, -16, 343, 256);
  input.crop_offset = FV_CROP_FLOOR;
  fv_frame_map_init (&map, &input, 343, 256);
  check_map (&map, -59, -16, 343, 256);
  input.crop_fraction = 224.0f / 201; /* the frame is smaller than the input */
  fv_frame_map_init (&map, &input, 201, 201);
  check_map (&map, 12, 12, 201, 201);
  input.crop_offset = FV_CROP_ROUND;
  fv_frame_map_init (&map, &input, 201, 201);
  check_map (&map, 11, 11, 201, 201);
  input.resize = FV_RESIZE_STRETCH;
  input.crop_fraction = 0.875f;
  fv_frame_map_init (&map, &input, 640, 480);
  check_map (&map, -16, -16, 256, 256);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("card");
  TCase *tcase = tcase_create ("card");

  tcase_add_test (tcase, test_order);
  tcase_add_loop_test (tcase, test_shapes, 0, G_N_ELEMENTS (signatures));
  tcase_add_loop_test (tcase, test_known_inputs, 0, 6);
  tcase_add_test (tcase, test_inputs);
  tcase_add_test (tcase, test_gstreamer_groups);
  tcase_add_test (tcase, test_several_heads);
  tcase_add_test (tcase, test_bind);
  tcase_add_test (tcase, test_ultralytics);
  tcase_add_test (tcase, test_python_names);
  tcase_add_loop_test (tcase, test_hugging_face, 0,
      G_N_ELEMENTS (hugging_face));
  tcase_add_test (tcase, test_frame_map);
  suite_add_tcase (suite, tcase);
  return fv_test_run (suite);
}
