/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every decoder of boxes on tensors written here, against the plain C of
 * head-reference.c. */
#include "tests/head-bench.h"

static const GstFoveaBox *
find_box (GArray *boxes, guint index)
{
  for (guint i = 0; i < boxes->len; i++)
    if (g_array_index (boxes, GstFoveaBox, i).index == index)
      return &g_array_index (boxes, GstFoveaBox, i);
  return NULL;
}

/* The reference's box as it is seen: cut at the frame's edges. */
static gboolean
clip (const Bench *b, GstFoveaBox *box)
{
  float x1 = MIN (box->x + box->width, (float) b->map.frame_width);
  float y1 = MIN (box->y + box->height, (float) b->map.frame_height);

  box->x = MAX (box->x, 0);
  box->y = MAX (box->y, 0);
  box->width = x1 - box->x;
  box->height = y1 - box->y;
  return box->width > 0.01f && box->height > 0.01f;
}

/* Without suppression every candidate over the threshold must be there, and
 * nothing else; those that lie on it may go either way. */
static void
check_boxes (Bench *b, float threshold)
{
  g_autoptr (GArray) all = reference_detect (&b->card->heads[0], b->arrays,
      &b->map, threshold - 1e-4);
  guint seen = 0, visible = 0;

  for (guint i = 0; i < all->len; i++) {
    GstFoveaBox expected = g_array_index (all, GstFoveaBox, i);
    const GstFoveaBox *found = find_box (b->result.boxes, expected.index);
    double slack = 2e-3 * (1 + fabs (expected.width) + fabs (expected.height));

    if (!clip (b, &expected)) {
      seen += found != NULL;
      continue;
    }
    visible++;
    if (found == NULL) {
      ck_assert_msg (expected.score < threshold + 1e-4,
          "candidate %u with score %g is missing", expected.index,
          expected.score);
      continue;
    }
    seen++;
    ck_assert_uint_eq (found->class_id, expected.class_id);
    check_near (found->score, expected.score, 1e-4);
    check_near (found->x, expected.x, slack);
    check_near (found->y, expected.y, slack);
    check_near (found->width, expected.width, slack);
    check_near (found->height, expected.height, slack);
  }
  ck_assert_uint_eq (seen, b->result.boxes->len);
  ck_assert_uint_gt (visible, 0);
  for (guint i = 1; i < b->result.boxes->len; i++)
    ck_assert (g_array_index (b->result.boxes, GstFoveaBox, i - 1).score
        >= g_array_index (b->result.boxes, GstFoveaBox, i).score);
}

static const struct
{
  const char *name, *card, *input, *outputs;
  float threshold;
} detectors[] = {
  { "yolox", "[fovea]\nresize=letterbox\nanchor=top-left\n",
      "in=f32[1,3,64,96]", "out=f32[1,126,10]", 0.9f },
  { "yolox of odd size",
      "[fovea]\nresize=letterbox\ndecoder=yolox\n"
      "objectness-activation=sigmoid\nactivation=sigmoid\n",
      "in=f32[1,3,65,90]", "out=f32[1,147,7]", 0.7f },
  { "yolov5", "[fovea]\n", "in=f32[1,3,64,64]", "out=f32[1,252,8]", 0.5f },
  { "yolov8", "[fovea]\nresize=letterbox\n", "in=f32[1,3,64,64]",
      "out=f32[1,9,84]", 0.8f },
  { "yolov8 of one class", "[fovea]\nactivation=sigmoid\n", "in=f32[1,3,64,64]",
      "out=f32[1,5,84]", 0.8f },
  { "yolov10", "[fovea]\n", "in=f32[1,3,64,64]", "out=f32[1,100,6]", 0.5f },
  { "nanodet", "[fovea]\n", "in=f32[1,3,64,64]",
      "s8=f32[1,64,5] s16=f32[1,16,5] s32=f32[1,4,5] "
      "b8=f32[1,64,32] b16=f32[1,16,32] b32=f32[1,4,32]",
      0.7f },
  { "nanodet plus",
      "[fovea]\nhead=detect\ndecoder=nanodet\ncell-offset=0\n"
      "activation=sigmoid\n",
      "in=f32[1,3,64,64]", "out=f32[1,85,38]", 0.9f },
  { "detr", "[fovea]\n", "in=f32[1,3,64,64]",
      "logits=f32[1,30,7] pred_boxes=f32[1,30,4]", 0.4f },
  { "rt-detr", "[fovea]\nactivation=sigmoid\nbackground=-1\n",
      "in=f32[1,3,64,64]", "logits=f32[1,30,7] pred_boxes=f32[1,30,4]", 0.9f },
  { "boxes with background", "[fovea]\n", "in=f32[1,3,48,64]",
      "scores=f32[1,50,2]<Softmax boxes=f32[1,50,4]", 0.7f },
  { "boxes with numbers", "[fovea]\n", "in=f32[1,3,48,64]",
      "labels=f32[1,50] boxes=f32[1,50,4] scores=f32[1,50]", 0.7f },
  { "boxes in the frame", "[fovea]\n[fovea input size]\nfill=frame-wh\n",
      "in=f32[1,3,48,64] size=i64[1,2]",
      "labels=f32[1,50] boxes=f32[1,50,4] scores=f32[1,50]", 0.7f },
  { "ssd",
      "[fovea]\nhead=detect\ndecoder=ssd\nboxes=loc\nscores=conf\n"
      "priors=anchors\nbackground=0\n",
      "in=f32[1,3,64,64]",
      "loc=f32[1,40,4] conf=f32[1,40,6] anchors=f32[1,40,4]", 0.5f },
  { "fcos",
      "[fovea]\nhead=detect\ndecoder=boxes\nboxes=reg\nscores=cls\n"
      "objectness=centerness\nbox-format=distances\nstrides=8;16\n"
      "cell-offset=0.5\nactivation=sigmoid\nobjectness-activation=sigmoid\n"
      "score-power=0.5\nobjectness-power=0.5\n",
      "in=f32[1,3,64,64]",
      "cls=f32[1,80,3] reg=f32[1,80,4] centerness=f32[1,80,1]", 0.7f },
  { "face", "[fovea]\n", "in=f32[1,3,64,96]",
      "cls_8=f32[1,96,1] cls_16=f32[1,24,1] cls_32=f32[1,6,1] "
      "obj_8=f32[1,96,1] obj_16=f32[1,24,1] obj_32=f32[1,6,1] "
      "bbox_8=f32[1,96,4] bbox_16=f32[1,24,4] bbox_32=f32[1,6,4]",
      0.8f },
  { "blazeface", "[fovea]\n", "in=f32[1,64,64,3]",
      "regressors=f32[1,224,16] classificators=f32[1,224,1]", 0.8f },
  { "yolov7", "[fovea]\n", "in=f32[1,3,64,64]", "output=f32[50,7]", 0.5f },
  { "flat", "[fovea]\n", "in=f32[1,3,64,64]",
      "graph2_flat_predictions=f32[50,7]", 0.5f },
  { "paddle", "[fovea]\n",
      "image=f32[1,3,64,48] im_shape=f32[1,2] scale_factor=f32[1,2]",
      "multiclass_nms3_0.tmp_0=f32[60,6] multiclass_nms3_0.tmp_2=i32[1]",
      0.5f },
  { "tensorflow",
      "[fovea]\n[fovea input score_threshold]\nfill=values\nvalues=0.5\n",
      "in=f32[1,64,64,3] score_threshold=f32[]",
      "num_detections=f32[1] detection_classes=f32[1,100] "
      "raw_detection_boxes=f32[1,200,4] detection_boxes=f32[1,100,4] "
      "detection_scores=f32[1,100]",
      0.5f },
  { "scored boxes", "[fovea]\n", "in=f32[1,3,64,64]",
      "dets=f32[1,70,5] labels=f32[1,70]", 0.5f },
  { "many labels", "[fovea]\nactivation=sigmoid\nmany-labels=true\n",
      "in=f32[1,3,64,64]", "logits=f32[1,30,7] pred_boxes=f32[1,30,4]", 0.8f },
  { "fastestdet", "[fovea]\nhead=detect\ndecoder=fastestdet\n",
      "in=f32[1,3,96,64]", "out=f32[1,11,6,4]", 0.5f },
  { "torchvision's fcos", "[fovea]\n", "in=f32[1,3,160,128]",
      "cls_logits=f32[1,428,5] bbox_regression=f32[1,428,4] "
      "bbox_ctrness=f32[1,428,1]",
      0.8f },
};

/* Random logits are poor boxes where coordinates are absolute. */
static float
plausible (const FvCardDetect *d, guint output, gint64 n, gint64 channel,
    float v)
{
  float unit = d->normalised ? 1 : 64;

  if (output == d->classes && channel == d->class_channel)
    return (float) (n % 7);
  if (output == d->classes && output != d->boxes[0])
    return (float) (n % 7);
  if (output == d->count)
    return 40;
  if (output == d->priors)
    return 0.5f + v * 0.1f;
  if (output != d->boxes[0] || channel < d->box_channel
      || channel >= d->box_channel + 4)
    return v;
  if (d->box_format == FV_BOX_XYXY || d->box_format == FV_BOX_YXYX)
    return ((channel < d->box_channel + 2 ? 0.2f : 0.7f) + v * 0.04f) * unit;
  if (d->box_format == FV_BOX_CXCYWH)
    return (0.5f + v * 0.1f) * unit;
  return d->box_format == FV_BOX_DISTANCES ? v + 3 : v;
}

static void
make_plausible (Bench *b)
{
  const FvCardDetect *d = &b->card->heads[0].detect;

  for (guint i = 0; i < b->n; i++) {
    const FvShape *s = &b->arrays[i]->shape;
    guint axis;
    gint channels;
    gint64 columns;

    ck_assert (fv_detect_axes (s, d->transposed, &axis, &channels));
    columns =
        channels < 0 ? 1 : s->dims[d->transposed ? axis : (guint) channels];
    if (s->rank == 4)
      columns *= s->dims[axis - 1];
    for (gint64 k = 0; k < b->arrays[i]->count; k++) {
      gint64 row = k / columns, column = k % columns;
      b->arrays[i]->f32[k] = plausible (d, i, d->transposed ? column : row,
          d->transposed ? row : column, b->arrays[i]->f32[k]);
    }
  }
}

START_TEST (test_detect)
{
  static const gint inners[] = { -1, 1, 2 };
  guint row = (guint) _i / VARIANTS;
  Bench b;
  GstFoveaHeadParams params = { detectors[row].threshold, 1, 1024, 0 };

  for (guint l = 0; l < G_N_ELEMENTS (inners); l++) {
    bench_init (&b, _i % VARIANTS, detectors[row].card, detectors[row].input,
        detectors[row].outputs, 131, 77);
    ck_assert_uint_eq (b.card->heads[0].kind, FV_HEAD_DETECT);
    make_plausible (&b);
    for (guint i = 0; i < b.n; i++) {
      guint rank = b.arrays[i]->shape.rank;
      gint inner = MIN (inners[l], (gint) rank - 1);

      /* rows of a grid lie one behind the other */
      bench_place (&b, i, rank == 4 && inner == 2 ? -1 : inner,
          l == 1 ? 12 : 0);
    }
    bench_run (&b, &params);
    check_boxes (&b, params.threshold);
    bench_clear (&b);
  }
}
END_TEST

/* One object per family, with the box worked out by hand: the card's defaults are
 * right, and not only what the reference makes of them. A frame of 128 x 128 over
 * an input of 64 x 64; the object fills 16..48 x 16..32 of the input. */
static const struct
{
  const char *card, *outputs;
  struct
  {
    guint output, n, channel;
    float v;
  } set[12];
  guint class_id;
  float score;
} objects[] = {
  /* yolox, second level (stride 16): cell (1, 1) at 64 + 5 */
  { "[fovea]\n", "out=f32[1,84,7]",
      { { 0, 69, 0, 1 }, { 0, 69, 1, 0.5f }, { 0, 69, 2, 0.6931472f },
          { 0, 69, 4, 0.9f }, { 0, 69, 6, 0.5f } },
      1, 0.45f },
  { "[fovea]\n", "out=f32[1,252,7]",
      { { 0, 9, 0, 32 }, { 0, 9, 1, 24 }, { 0, 9, 2, 32 }, { 0, 9, 3, 16 },
          { 0, 9, 4, 0.9f }, { 0, 9, 6, 0.5f } },
      1, 0.45f },
  { "[fovea]\n", "out=f32[1,6,84]",
      { { 0, 9, 0, 32 }, { 0, 9, 1, 24 }, { 0, 9, 2, 32 }, { 0, 9, 3, 16 },
          { 0, 9, 5, 0.45f } },
      1, 0.45f },
  { "[fovea]\n", "out=f32[1,20,6]",
      { { 0, 9, 0, 16 }, { 0, 9, 1, 16 }, { 0, 9, 2, 48 }, { 0, 9, 3, 32 },
          { 0, 9, 4, 0.45f }, { 0, 9, 5, 1 } },
      1, 0.45f },
  /* nanodet, cell (1, 1) of stride 16, centre (24, 24): half a cell to the left,
   * up and down: bins 0 and 1 alike; one and a half to the right: 1 and 2 */
  { "[fovea]\n",
      "s8=f32[1,64,3] s16=f32[1,16,3] s32=f32[1,4,3] "
      "b8=f32[1,64,16] b16=f32[1,16,16] b32=f32[1,4,16]",
      { { 4, 5, 0, 60 }, { 4, 5, 1, 60 }, { 4, 5, 4, 60 }, { 4, 5, 5, 60 },
          { 4, 5, 9, 60 }, { 4, 5, 10, 60 }, { 4, 5, 12, 60 }, { 4, 5, 13, 60 },
          { 1, 5, 1, 0.45f } },
      1, 0.45f },
  /* detr: class 1 of 0..2, "no object" is 3; e^7 / (e^7 + 3) */
  { "[fovea]\n", "logits=f32[1,9,4] pred_boxes=f32[1,9,4]",
      { { 0, 5, 1, 7 }, { 1, 5, 0, 0.5f }, { 1, 5, 1, 0.375f },
          { 1, 5, 2, 0.5f }, { 1, 5, 3, 0.25f } },
      1, 0.99727f },
  { "[fovea]\n", "scores=f32[1,9,2]<Softmax boxes=f32[1,9,4]",
      { { 0, 5, 1, 0.45f }, { 1, 5, 0, 0.25f }, { 1, 5, 1, 0.25f },
          { 1, 5, 2, 0.75f }, { 1, 5, 3, 0.5f } },
      0, 0.45f },
  /* ssd: background 0; cx = 0.375 + 0.1 v 0.5, w = 0.25 exp (0.2 v) */
  { "[fovea]\nhead=detect\ndecoder=ssd\nboxes=loc\nscores=conf\n"
    "priors=anchors\n",
      "loc=f32[1,9,4] conf=f32[1,9,4]<Softmax anchors=f32[1,9,4]",
      { { 1, 5, 2, 0.45f }, { 2, 5, 0, 0.375f }, { 2, 5, 1, 0.375f },
          { 2, 5, 2, 0.25f }, { 2, 5, 3, 0.25f }, { 0, 5, 0, 5 },
          { 0, 5, 2, 3.4657359f } },
      1, 0.45f },
  /* face, cell (1, 1) of stride 16; sqrt (0.9 * 0.4) */
  { "[fovea]\n",
      "cls_8=f32[1,64,1] cls_16=f32[1,16,1] cls_32=f32[1,4,1] "
      "obj_8=f32[1,64,1] obj_16=f32[1,16,1] obj_32=f32[1,4,1] "
      "bbox_8=f32[1,64,4] bbox_16=f32[1,16,4] bbox_32=f32[1,4,4]",
      { { 1, 5, 0, 0.9f }, { 4, 5, 0, 0.4f }, { 7, 5, 0, 1 }, { 7, 5, 1, 0.5f },
          { 7, 5, 2, 0.6931472f } },
      0, 0.6f },
  /* blazeface: behind 2 x 64 of stride 8, six a cell: cell (1, 1), centre (24,
   * 24); sigmoid (3) */
  { "[fovea]\n", "regressors=f32[1,224,16] classificators=f32[1,224,1]",
      { { 0, 158, 0, 8 }, { 0, 158, 2, 32 }, { 0, 158, 3, 16 },
          { 1, 158, 0, 3 } },
      0, 0.952574f },
};

START_TEST (test_objects)
{
  guint row = (guint) _i / VARIANTS;
  GstFoveaHeadParams params = { 0.4f, 0.5f, 100, 0 };
  const GstFoveaBox *box;
  Bench b;

  bench_init (&b, _i % VARIANTS, objects[row].card, "in=f32[1,3,64,64]",
      objects[row].outputs, 128, 128);
  for (guint i = 0; i < b.n; i++)
    for (gint64 k = 0; k < b.arrays[i]->count; k++)
      b.arrays[i]->f32[k] = 0;
  if (strstr (objects[row].outputs, "classificators") != NULL)
    for (gint64 k = 0; k < b.arrays[1]->count; k++)
      b.arrays[1]->f32[k] = -9; /* a logit of nothing */
  for (guint i = 0; i < 12; i++) {
    FvArray *array = b.arrays[objects[row].set[i].output];
    guint n = objects[row].set[i].n, c = objects[row].set[i].channel;
    if (objects[row].set[i].v == 0)
      continue;
    if (b.card->heads[0].detect.transposed)
      array->f32[c * array->shape.dims[2] + n] = objects[row].set[i].v;
    else
      array->f32[n * array->shape.dims[2] + c] = objects[row].set[i].v;
  }
  bench_place_all (&b, 2, 0);
  bench_run (&b, &params);
  ck_assert_uint_eq (b.result.boxes->len, 1);
  box = &g_array_index (b.result.boxes, GstFoveaBox, 0);
  ck_assert_uint_eq (box->class_id, objects[row].class_id);
  check_near (box->score, objects[row].score, 1e-3);
  check_near (box->x, 32, 0.1);
  check_near (box->y, 32, 0.1);
  check_near (box->width, 64, 0.15);
  check_near (box->height, 32, 0.15);
  bench_clear (&b);
}
END_TEST

/* More over the threshold than come back: the best, by score and then index,
 * whatever the order in which they were found. */
START_TEST (test_many)
{
  GstFoveaHeadParams params = { 0.25f, 1, 1024, 0 };
  g_autoptr (GArray) all = NULL;
  Bench b;

  bench_init (&b, _i, "[fovea]\ndecoder=yolov8\nhead=detect\n",
      "in=f32[1,3,512,512]", "out=f32[1,6,5376]", 512, 512);
  for (gint64 n = 0; n < 5376; n++) {
    float *v = b.arrays[0]->f32;
    v[n] = v[n + 5376] = 256;
    v[n + 2 * 5376] = v[n + 3 * 5376] = 8;
    /* 16 different scores: most boxes tie with some that stay out */
    v[n + 4 * 5376] = (float) g_random_int_range (0, 16) / 16;
    v[n + 5 * 5376] = 0;
  }
  bench_place_all (&b, 2, 0);
  bench_run (&b, &params);
  all = reference_detect (&b.card->heads[0], b.arrays, &b.map, 0.25);
  ck_assert_uint_gt (all->len, 3000);
  ck_assert_uint_eq (b.result.n_candidates, all->len);
  ck_assert_uint_eq (b.result.boxes->len, 1024);
  gst_fovea_sort_boxes (all);
  for (guint round = 0; round < 3; round++) {
    for (guint i = 0; i < 1024; i++)
      ck_assert_uint_eq (g_array_index (all, GstFoveaBox, i).index,
          g_array_index (b.result.boxes, GstFoveaBox, i).index);
    bench_again (&b);
  }
  /* they are one box, which suppression finds */
  params.iou_threshold = 0.5f;
  gst_fovea_head_set_params (b.head, &params);
  bench_again (&b);
  ck_assert_uint_eq (b.result.boxes->len, 1);
  /* nothing reaches that */
  params.threshold = 0.99f;
  gst_fovea_head_set_params (b.head, &params);
  bench_again (&b);
  ck_assert_uint_eq (b.result.boxes->len, 0);
  ck_assert_uint_eq (b.result.n_candidates, 0);
  bench_clear (&b);
}
END_TEST

/* Equal scores everywhere, 1024 and a few more or less of them. */
START_TEST (test_ties)
{
  GstFoveaHeadParams params = { 0.5f, 1, 1024, 0 };
  Bench b;

  bench_init (&b, _i % VARIANTS, "[fovea]\ndecoder=yolov8\nhead=detect\n",
      "in=f32[1,3,256,256]", "out=f32[1,5,1344]", 256, 256);
  for (gint64 n = 0; n < 1344; n++) {
    for (guint c = 0; c < 4; c++)
      b.arrays[0]->f32[n + c * 1344] = 100;
    b.arrays[0]->f32[n + 4 * 1344] = n < 1022 + _i / VARIANTS ? 0.75f : 0;
  }
  bench_place_all (&b, 2, 0);
  bench_run (&b, &params);
  ck_assert_uint_eq (b.result.n_candidates, 1022 + (guint) _i / VARIANTS);
  ck_assert_uint_eq (b.result.boxes->len,
      MIN (1024, 1022 + (guint) _i / VARIANTS));
  for (guint i = 0; i < b.result.boxes->len; i++)
    ck_assert_uint_eq (g_array_index (b.result.boxes, GstFoveaBox, i).index, i);
  bench_clear (&b);
}
END_TEST

/* NaN and infinity anywhere: nothing that comes out is one. */
START_TEST (test_not_numbers)
{
  static const float odd[] = { NAN, INFINITY, -INFINITY, 1e30f };
  guint row = (guint) _i / VARIANTS;
  GstFoveaHeadParams params = { 0, 0.5f, 1024, 0 };
  Bench b;

  bench_init (&b, _i % VARIANTS, detectors[row].card, detectors[row].input,
      detectors[row].outputs, 131, 77);
  for (guint i = 0; i < b.n; i++)
    for (gint64 k = 0; k < b.arrays[i]->count; k += 1 + k % 3)
      b.arrays[i]->f32[k] = odd[g_random_int_range (0, 4)];
  bench_place_all (&b, -1, 0);
  bench_run (&b, &params);
  for (guint i = 0; i < b.result.boxes->len; i++) {
    GstFoveaBox *box = &g_array_index (b.result.boxes, GstFoveaBox, i);
    ck_assert (box->score >= 0 && box->score <= 1);
    ck_assert (box->x >= 0 && box->y >= 0 && box->width > 0);
    ck_assert (box->x + box->width <= 131.01f && box->height > 0);
    ck_assert (box->y + box->height <= 77.01f);
  }
  bench_clear (&b);
}
END_TEST

START_TEST (test_suppression)
{
  static const GstFoveaBox boxes[] = {
    { 0, 0, 10, 10, 0.9f, 1, 0 },
    { 1, 0, 10, 10, 0.8f, 1, 1 }, /* 9/11 of the first */
    { 1, 0, 10, 10, 0.7f, 2, 2 }, /* another class */
    { 5, 0, 10, 10, 0.6f, 1, 3 }, /* 1/3 of the first */
    { 40, 40, 10, 10, 0.5f, 1, 4 }, /* elsewhere */
  };
  g_autoptr (GArray) array = g_array_new (FALSE, FALSE, sizeof (GstFoveaBox));
  static const guint expected[] = { 0, 2, 3, 4 };

  g_array_append_vals (array, boxes, G_N_ELEMENTS (boxes));
  gst_fovea_suppress (array, 0.5f, 100);
  ck_assert_uint_eq (array->len, 4);
  for (guint i = 0; i < 4; i++)
    ck_assert_uint_eq (g_array_index (array, GstFoveaBox, i).index,
        expected[i]);
  gst_fovea_suppress (array, 0.3f, 2);
  ck_assert_uint_eq (array->len, 2);
  g_array_set_size (array, 0);
  gst_fovea_suppress (array, 0.5f, 100);
  ck_assert_uint_eq (array->len, 0);
}
END_TEST

/* A head that does not fit its tensors says what it expected and what came. */
START_TEST (test_misfit)
{
  static const struct
  {
    const char *card, *outputs, *other, *message;
    FvError code;
  } rows[] = {
    { "[fovea]\n", "out=f32[1,84,10]", "out=f32[1,83,10]", "83 candidates",
        FV_ERROR_INVALID },
    { "[fovea]\n", "out=f32[1,84,10]", "out=f32[1,84,9]", "channels up to 10",
        FV_ERROR_UNSUPPORTED },
    { "[fovea]\n", "out=f32[1,84,10]", "out=f32[7,84,10]", "[1, N, K]",
        FV_ERROR_UNSUPPORTED },
    { "[fovea]\nhead=segment\n", "out=f32[1,5,16,16]", "out=f32[5]", "no axis",
        FV_ERROR_UNSUPPORTED },
    { "[fovea]\nhead=segment\n", "out=f32[1,5,16,16]", "out=f32[2,5,16,16]",
        "expected [1, C, h, w]", FV_ERROR_UNSUPPORTED },
    { "[fovea]\nhead=depth\n", "out=f32[1,16,16]", "out=f32[3,16,16]",
        "is no map", FV_ERROR_UNSUPPORTED },
    { "[fovea]\nhead=classify\n", "out=f32[1,10]", "out=f32[3,10]",
        "one axis over 1", FV_ERROR_UNSUPPORTED },
    { "[fovea]\nhead=detect\ndecoder=boxes\nboxes=b\nscores=s\n"
      "selected=x\n",
        "x=f32[4,3] b=f32[1,9,4] s=f32[1,2,9]", "x=f32[5,3]",
        "no list of selected boxes", FV_ERROR_UNSUPPORTED },
  };
  g_autoptr (GError) error = NULL;
  Bench b;

  bench_init (&b, 0, rows[_i].card, "in=f32[1,3,64,64]", rows[_i].outputs, 64,
      64);
  fv_array_unref (b.arrays[0]);
  FvModel *other = card_maker_model ("", rows[_i].other, NULL);
  b.arrays[0] =
      fv_array_new (FV_TYPE_F32, &other->graph->outputs[0].shape, &error);
  card_maker_free (other);
  bench_place_all (&b, -1, 0);
  ck_assert (bench_make_head (&b, &error) == NULL);
  fv_test_error (&error, rows[_i].code, rows[_i].message);
  bench_clear (&b);
}
END_TEST

/* Boxes that a host tail made: as many as there were, decoded without a device. */
static const struct
{
  const char *card, *inputs, *outputs;
  guint n_sizes;
  struct
  {
    const char *shape; /* of each output */
    guint n; /* boxes; each second one under the threshold */
  } sizes[3];
} tails[] = {
  { "[fovea]\n", "in=f32[1,3,64,64]", "b=f32[?,4] l=i64[?] s=f32[?]", 3,
      { { "0,4 0 0", 0 }, { "1,4 1 1", 1 }, { "40,4 40 40", 20 } } },
  { "[fovea]\nresize=letterbox\n", "in=f32[1,3,64,64]", "out=f32[1,?,6]", 2,
      { { "1,1,6", 1 }, { "1,7,6", 4 } } },
  { "[fovea]\n", "in=f32[1,3,64,64] scale_factor=f32[1,2]",
      "multiclass_nms3=f32[?,6] n=i32[1]", 2,
      { { "1,6 1", 1 }, { "6,6 1", 3 } } },
  { "[fovea]\n", "in=f32[1,3,64,64]", "output=f32[?,7]", 2,
      { { "0,7", 0 }, { "4,7", 2 } } },
};

/* Scores 0.9 and 0.1 in turns; the boxes are 8..24 x 16..40 of the input, or where
 * that is of a frame of 128 x 128. */
static void
fill_tail (const FvCardDetect *d, guint output, FvArray *array)
{
  guint axis;
  gint channels;
  gint64 width = 1;

  if (array->count > 1
      && fv_detect_axes (&array->shape, FALSE, &axis, &channels)
      && channels >= 0)
    width = array->shape.dims[channels];
  if (array->shape.rank == 2)
    width = array->shape.dims[1];
  for (gint64 k = 0; k < array->count; k++) {
    static const float corners[] = { 8, 16, 24, 40 };
    gint64 channel = k % width;
    double v = 0;

    if (output == d->scores[0] && channel == d->score_channel)
      v = k / width % 2 ? 0.1 : 0.9;
    else if (output == d->classes && channel == d->class_channel)
      v = (double) (k / width);
    else if (output == d->boxes[0])
      v = corners[(channel - d->box_channel) & 3] * (d->in_frame ? 2 : 1);
    fv_array_set_float (array, k, v);
  }
}

static void
check_tail (const FvCardDetect *d, const Bench *b, guint n)
{
  ck_assert_uint_eq (b->result.boxes->len, n);
  for (guint i = 0; i < n; i++) {
    const GstFoveaBox *box = &g_array_index (b->result.boxes, GstFoveaBox, i);

    ck_assert_uint_eq (box->class_id, 2 * i);
    check_near (box->score, 0.9, 1e-6);
    check_near (box->x, 16, 1e-4);
    check_near (box->y, 32, 1e-4);
    check_near (box->width, 32, 1e-4);
    check_near (box->height, 48, 1e-4);
  }
}

static FvShape
parse_shape (const char *text)
{
  g_auto (GStrv) sizes = g_strsplit (text, ",", FV_MAX_RANK);
  FvShape shape = { g_strv_length (sizes), { 0 } };

  for (guint i = 0; i < shape.rank; i++)
    shape.dims[i] = atoi (sizes[i]);
  return shape;
}

START_TEST (test_tail)
{
  g_autofree char *path =
      fv_test_write ("head.modelinfo", tails[_i].card, strlen (tails[_i].card));
  FvCardOptions options = { .card = path };
  g_autoptr (GError) error = NULL;
  Bench b = { .device = fv_device_open (NULL, NULL) };
  const FvPort *ports[3];
  FvShape shapes[3];

  b.model = card_maker_model (tails[_i].inputs, tails[_i].outputs, NULL);
  b.card = fv_card_new (b.model, NULL, &options, &error);
  ck_assert_ptr_nonnull (b.card);
  for (guint i = 0; i < b.model->graph->n_outputs; i++) {
    shapes[i] = b.model->graph->outputs[i].shape;
    b.ports[i] = (FvPort){ .name = "tail", .shape = shapes[i] };
    ports[i] = &b.ports[i];
  }
  ck_assert (
      fv_card_bind_outputs (b.card, shapes, b.model->graph->n_outputs, &error));
  ck_assert_uint_eq (b.card->n_heads, 1);
  fv_frame_map_init (&b.map, &b.card->input, 128, 128);
  gst_fovea_result_init (&b.result);
  b.head = gst_fovea_head_new (b.device, &b.card->heads[0], ports,
      b.model->graph->n_outputs, &b.map, &error);
  ck_assert_msg (b.head != NULL, "%s", error ? error->message : "");
  ck_assert (gst_fovea_head_is_on_host (b.head));
  for (guint round = 0; round < tails[_i].n_sizes; round++) {
    g_auto (GStrv) words = g_strsplit (tails[_i].sizes[round].shape, " ", 3);
    const FvCardDetect *d = &b.card->heads[0].detect;

    for (b.n = 0; words[b.n] != NULL; b.n++) {
      FvShape shape = parse_shape (words[b.n]);

      fv_array_unref (b.arrays[b.n]);
      b.arrays[b.n] =
          fv_array_new (b.model->graph->outputs[b.n].type, &shape, &error);
      fill_tail (d, b.n, b.arrays[b.n]);
    }
    ck_assert (gst_fovea_head_take_arrays (b.head, b.arrays, &error));
    gst_fovea_head_read (b.head, &b.result);
    check_tail (d, &b, tails[_i].sizes[round].n);
  }
  bench_clear (&b);
}
END_TEST

/* What the data decided does not fit: an error, and no read beyond the arrays. */
START_TEST (test_tail_misfit)
{
  static const char *const wrong[][3] = { { "5,4", "4", "5" },
    { "5,4", "5", "6" }, { "5,3", "5", "5" }, { "2,5,4", "5", "5" },
    { "5", "5", "5" } };
  g_autoptr (GError) error = NULL;
  Bench b = { .device = fv_device_open (NULL, NULL), .n = 3 };
  const FvPort *ports[3];
  FvShape shapes[3];

  b.model = card_maker_model (tails[0].inputs, tails[0].outputs, NULL);
  b.card = fv_card_new (b.model, NULL, NULL, &error);
  for (guint i = 0; i < 3; i++) {
    FvShape shape = parse_shape (wrong[_i][i]);

    shapes[i] = b.model->graph->outputs[i].shape;
    b.ports[i] = (FvPort){ .name = "tail", .shape = shapes[i] };
    ports[i] = &b.ports[i];
    b.arrays[i] =
        fv_array_new (b.model->graph->outputs[i].type, &shape, &error);
  }
  fv_card_bind_outputs (b.card, shapes, 3, &error);
  fv_frame_map_init (&b.map, &b.card->input, 128, 128);
  gst_fovea_result_init (&b.result);
  b.head = gst_fovea_head_new (b.device, &b.card->heads[0], ports, 3, &b.map,
      &error);
  ck_assert (!gst_fovea_head_take_arrays (b.head, b.arrays, &error));
  ck_assert (g_error_matches (error, FV_ERROR, FV_ERROR_UNSUPPORTED));
  bench_clear (&b);
}
END_TEST

int
main (void)
{
  /* kept open, so that its kernels are made once */
  g_autoptr (FvDevice) device = fv_device_open (NULL, NULL);
  Suite *suite = suite_create ("heads");
  TCase *tcase = tcase_create ("heads");

  tcase_set_timeout (tcase, 120);
  tcase_add_loop_test (tcase, test_detect, 0,
      G_N_ELEMENTS (detectors) * VARIANTS);
  tcase_add_loop_test (tcase, test_objects, 0,
      G_N_ELEMENTS (objects) * VARIANTS);
  tcase_add_loop_test (tcase, test_many, 0, VARIANTS);
  tcase_add_loop_test (tcase, test_ties, 0, 6 * VARIANTS);
  tcase_add_loop_test (tcase, test_not_numbers, 0,
      G_N_ELEMENTS (detectors) * VARIANTS);
  tcase_add_test (tcase, test_suppression);
  tcase_add_loop_test (tcase, test_misfit, 0, 8);
  tcase_add_loop_test (tcase, test_tail, 0, G_N_ELEMENTS (tails));
  tcase_add_loop_test (tcase, test_tail_misfit, 0, 5);
  suite_add_tcase (suite, tcase);
  return fv_test_run (suite);
}
