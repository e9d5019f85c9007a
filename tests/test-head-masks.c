/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Heads that find things one by one, on tensors written here, against the plain C
 * of mask-reference.c and by hand. */
#include "tests/head-bench.h"
#include "tests/mask-reference.h"

static guint
instance_at (const Bench *b, guint x, guint y)
{
  const GstFoveaHeadMap *map = gst_fovea_head_map (b->head);

  return ((const guint8 *) fv_buffer_map (b->copy)
      + map->instances)[y * map->instance_stride + x];
}

static guint
no_class (const Bench *b)
{
  return gst_fovea_head_map (b->head)->format == GST_FOVEA_HEAD_MAP_U16 ? 65535
                                                                        : 255;
}

static const GstFoveaBox *
find_instance (const Bench *b, guint number)
{
  for (guint i = 0; i < b->result.boxes->len; i++) {
    const GstFoveaBox *box = &g_array_index (b->result.boxes, GstFoveaBox, i);
    if (box->instance == number)
      return box;
  }
  return NULL;
}

/* Every pixel that is not doubtful is of the right class and instance. */
static void
check_pixels (const Bench *b, const ReferenceMasks *expected)
{
  const GstFoveaHeadMap *map = gst_fovea_head_map (b->head);
  guint n_doubtful = 0, n_pieces = 0;

  for (guint y = 0; y < map->height; y++) {
    for (guint x = 0; x < map->width; x++) {
      guint i = y * map->width + x, place = expected->place[i];
      const ReferencePiece *piece = place
          ? &g_array_index (expected->pieces, ReferencePiece, place - 1)
          : NULL;
      guint class_id = piece && piece->is_kept ? piece->class_id : no_class (b);
      guint number = piece && piece->is_kept ? piece->number : 0;
      n_doubtful += expected->is_doubtful[i];
      if (expected->is_doubtful[i])
        continue;
      n_pieces += piece != NULL;
      ck_assert_msg (bench_class_at (b, x, y) == class_id
              && instance_at (b, x, y) == number,
          "%u,%u: class %u instance %u, expected %u and %u", x, y,
          bench_class_at (b, x, y), instance_at (b, x, y), class_id, number);
    }
    for (gsize x = map->width; x < map->instance_stride; x++)
      ck_assert_uint_eq (instance_at (b, (guint) x, y), 0);
  }
  ck_assert_uint_lt (n_doubtful, map->width * map->height / 10 + 5);
  ck_assert_uint_gt (n_pieces, 0);
}

/* Shares are those of the map that came out, and each instance has its box. */
static void
check_lists (const Bench *b, const ReferenceMasks *expected)
{
  const GstFoveaHeadMap *map = gst_fovea_head_map (b->head);
  g_autofree guint *areas = g_new0 (guint, 65536);
  double sum = 0;
  guint n = 0, n_classed = 0;

  for (guint i = 0; i < map->width * map->height; i++) {
    guint c = bench_class_at (b, i % map->width, i / map->width);
    areas[c]++;
    n_classed += c != no_class (b);
  }
  for (guint i = 0; i < b->result.classes->len; i++) {
    GstFoveaClass *c = &g_array_index (b->result.classes, GstFoveaClass, i);
    check_near (c->score * map->width * map->height, areas[c->class_id], 1e-2);
    sum += c->score;
    if (i > 0)
      ck_assert_uint_gt (c->class_id, c[-1].class_id);
  }
  check_near (sum * map->width * map->height, n_classed, 1e-1);
  for (guint k = 0; k < expected->pieces->len; k++) {
    ReferencePiece *piece =
        &g_array_index (expected->pieces, ReferencePiece, k);
    const GstFoveaBox *box = find_instance (b, piece->number);
    if (piece->number == 0 || !piece->is_kept || box == NULL)
      continue;
    n++;
    ck_assert_uint_eq (box->index, piece->index);
    ck_assert_uint_eq (box->class_id, piece->class_id);
    check_near (box->score, piece->score, 1e-4);
  }
  ck_assert_uint_eq (n, b->result.boxes->len);
}

/* The box of a thing that a query found is where its pixels are. */
static void
check_extents (const Bench *b)
{
  const GstFoveaHeadMap *map = gst_fovea_head_map (b->head);

  for (guint i = 0; i < b->result.boxes->len; i++) {
    const GstFoveaBox *box = &g_array_index (b->result.boxes, GstFoveaBox, i);
    guint x0 = G_MAXUINT, y0 = G_MAXUINT, x1 = 0, y1 = 0;
    for (guint y = 0; y < map->height; y++)
      for (guint x = 0; x < map->width; x++)
        if (instance_at (b, x, y) == box->instance) {
          x0 = MIN (x0, x);
          y0 = MIN (y0, y);
          x1 = MAX (x1, x);
          y1 = MAX (y1, y);
        }
    ck_assert_float_eq (box->x, x0);
    ck_assert_float_eq (box->y, y0);
    ck_assert_float_eq (box->width, x1 - x0 + 1);
    ck_assert_float_eq (box->height, y1 - y0 + 1);
  }
}

/* Hills in different places, so that each query has a region of its own. */
static void
make_hills (FvArray *maps, gboolean is_probability)
{
  const gint64 *d = maps->shape.dims;

  for (gint64 q = 0; q < d[1]; q++) {
    double cx = (0.5 + 0.45 * sin (2.4 * (double) q)) * (double) d[3];
    double cy = (0.5 + 0.45 * cos (1.7 * (double) q)) * (double) d[2];
    double r = (0.12 + 0.05 * (double) (q % 4)) * (double) (d[2] + d[3]);
    for (gint64 y = 0; y < d[2]; y++)
      for (gint64 x = 0; x < d[3]; x++) {
        double v = 6 - 6 * hypot ((double) x - cx, (double) y - cy) / r;
        maps->f32[(q * d[2] + y) * d[3] + x] =
            (float) (is_probability ? 1 / (1 + exp (-v)) : v);
      }
  }
}

/* One class stands out of each query, of every third that which is none. */
static void
make_classes (FvArray *scores, const FvCardHead *head)
{
  gint64 channels = scores->shape.dims[2];

  for (gint64 q = 0; q < scores->shape.dims[1]; q++) {
    double sum = 0;
    for (gint64 c = 0; c < channels; c++) {
      gint64 top = head->background >= 0 && q % 3 == 2 ? head->background
                                                       : q * 2 % channels;
      float *v = &scores->f32[q * channels + c];
      *v = *v * 0.25f + (c == top ? 3.5f + (float) (q % 5) * 0.2f : -2);
      sum += exp (*v);
    }
    for (gint64 c = 0; c < channels && head->activation == FV_ACTIVATION_NONE;
         c++)
      scores->f32[q * channels + c] =
          (float) (exp (scores->f32[q * channels + c]) / sum);
  }
}

static const struct
{
  const char *card, *input, *outputs;
  guint width, height;
} queries[] = {
  { "[fovea]\nthings=0-1\n", "in=f32[1,3,68,92]",
      "logits=f32[1,13,6] pred_masks=f32[1,13,17,23]", 131, 77 },
  { "[fovea]\nstuff=a;2\nlabels=a;b;c;d;e\nresize=letterbox\n",
      "in=f32[1,3,68,92]",
      "class_queries_logits=f32[1,9,6] masks_queries_logits=f32[1,9,68,92]", 61,
      99 },
  { "[fovea]\nthings=0-299\nresize=crop\nthreshold=0.05\n", "in=f32[1,3,64,64]",
      "logits=f32[1,10,301] masks=f32[1,10,16,16]", 100, 45 },
  { "[fovea]\noverlap-threshold=0.55\n", "in=f32[1,3,64,96]",
      "thing_logits=f32[1,5,4] boxes=f32[1,5,4] masks=f32[1,7,16,24] "
      "stuff_scores=f32[1,2,1]<Sigmoid",
      97, 130 },
  { "[fovea]\nthings=1;3\n", "in=f32[1,3,64,96]",
      "scores=f32[1,8,6]<Softmax masks=f32[1,8,16,24]<Sigmoid", 33, 21 },
  { "[fovea]\nthings=0-3\noverlap-threshold=0.3\nmask-threshold=0.3\n",
      "in=f32[1,3,64,96]", "logits=f32[1,70,6] masks=f32[1,70,32,48]", 200,
      120 },
};

static void
init_queries (Bench *b, guint row, gint variant, const char *card, guint pass)
{
  const FvCardHead *head;

  bench_init (b, variant, card, queries[row].input, queries[row].outputs,
      queries[row].width, queries[row].height);
  head = &b->card->heads[0];
  ck_assert_uint_eq (head->kind, FV_HEAD_SEGMENT);
  ck_assert_uint_eq (head->masks.kind, FV_MASKS_QUERIES);
  make_hills (b->arrays[head->masks.masks],
      head->masks.activation == FV_ACTIVATION_NONE);
  make_classes (b->arrays[head->masks.scores], head);
  if (head->masks.stuff_scores != FV_NO_OUTPUT)
    for (guint i = 0; i < 2; i++)
      b->arrays[head->masks.stuff_scores]->f32[i] = i ? 0.9f : 0.7f;
  for (guint i = 0; i < b->n; i++)
    bench_place (b, i,
        pass == 0       ? -1
            : pass == 1 ? 1
                        : (gint) b->arrays[i]->shape.rank - 1,
        pass * 4);
}

START_TEST (test_panoptic)
{
  guint row = (guint) _i / VARIANTS;

  for (guint pass = 0; pass < 3; pass++) {
    GstFoveaHeadParams params;
    ReferenceMasks expected;
    Bench b;
    init_queries (&b, row, _i % VARIANTS, queries[row].card, pass);
    ck_assert_ptr_nonnull (b.card->heads[0].masks.things);
    gst_fovea_head_params_init (&params, &b.card->heads[0]);
    bench_run (&b, &params);
    bench_again (&b); /* nothing is left of the frame before */
    reference_panoptic (&expected, &b.card->heads[0], b.arrays, &b.map,
        params.threshold);
    check_pixels (&b, &expected);
    check_lists (&b, &expected);
    check_extents (&b);
    reference_masks_clear (&expected);
    params.threshold = 1; /* without another recording: nothing */
    gst_fovea_head_set_params (b.head, &params);
    bench_again (&b);
    ck_assert_uint_eq (b.result.boxes->len, 0);
    ck_assert_uint_eq (b.result.classes->len, 0);
    ck_assert_uint_eq (bench_class_at (&b, 0, 0), no_class (&b));
    bench_clear (&b);
  }
}
END_TEST

/* Each pixel has a class whose sum is the largest, or as good as that. */
static void
check_sums (const Bench *b)
{
  const GstFoveaHeadMap *map = gst_fovea_head_map (b->head);
  g_autoptr (FvArray) sums = reference_semantic (&b->card->heads[0], b->arrays);

  ck_assert_uint_eq (map->instances, 0);
  ck_assert_uint_eq (map->matte, 0);
  for (guint y = 0; y < map->height; y++)
    for (guint x = y % 3; x < map->width; x += 3) {
      double best = -INFINITY, own;
      guint found = bench_class_at (b, x, y);
      ck_assert_uint_lt (found, b->card->heads[0].n_classes);
      for (guint c = 0; c < b->card->heads[0].n_classes; c++)
        best = fmax (best, reference_sample (sums, 1, c, &b->map, x, y));
      own = reference_sample (sums, 1, found, &b->map, x, y);
      ck_assert_msg (own >= best - 1e-4, "%u,%u: class %u has %g of %g", x, y,
          found, own, best);
    }
}

START_TEST (test_semantic)
{
  static const guint rows[] = { 0, 1, 2, 4 };
  guint row = rows[_i / VARIANTS];
  Bench b;

  init_queries (&b, row, _i % VARIANTS,
      row == 1 ? "[fovea]\nresize=letterbox\n" : "[fovea]\n",
      (guint) _i / VARIANTS % 3);
  ck_assert_ptr_null (b.card->heads[0].masks.things);
  bench_run (&b, NULL);
  check_sums (&b);
  bench_clear (&b);
}
END_TEST

/* Real graphs with random weights: what their outputs are is told from names and
 * shapes alone, and the stored outputs are decoded as the reference does. */
START_TEST (test_zoo)
{
  static const struct
  {
    const char *name;
    FvHeadKind kind;
    FvMaskKind masks;
    guint n_classes;
    gboolean has_things;
    float threshold;
  } rows[] = {
    { "detr_panoptic_hf_op17_96x128", FV_HEAD_SEGMENT, FV_MASKS_QUERIES, 11 },
    { "maskformer_swin_hf_op17_96x128", FV_HEAD_SEGMENT, FV_MASKS_QUERIES, 8 },
    { "mask2former_swin_hf_op16_96x128", FV_HEAD_SEGMENT, FV_MASKS_QUERIES, 8 },
    { "panoptic_segformer_op16_96x128", FV_HEAD_SEGMENT, FV_MASKS_QUERIES, 11,
        TRUE, 0.3f },
    { "deeplabv3_mnv3_tv_op16_96x160", FV_HEAD_SEGMENT, 0, 3 },
    { "deeplabv3_resnet50_tv_op17_96x128", FV_HEAD_SEGMENT, 0, 4 },
    { "fcn_resnet50_tv_op11_96x128", FV_HEAD_SEGMENT, 0, 5 },
    { "lraspp_mnv3_tv_op17_96x160_dyn", FV_HEAD_SEGMENT, 0, 3 },
    { "segformer_b0_hf_op17_128x160", FV_HEAD_SEGMENT, 0, 12 },
    { "segformer_hf451_op20_128", FV_HEAD_SEGMENT, 0, 5 },
    { "dpt_hf_op17_96", FV_HEAD_DEPTH },
    { "depth_anything_hf_op17_112x154", FV_HEAD_DEPTH },
    { "depth_anything_hf451_op17_98x140_dyn", FV_HEAD_DEPTH },
  };
  g_autofree char *folder = fv_test_shared ("zoo");
  const FvCardHead *head;
  Bench b;

  ck_assert_int_lt (_i, (gint) G_N_ELEMENTS (rows));
  if (folder == NULL) {
    g_message ("skipped: there is no ../shared/zoo");
    return;
  }
  g_autofree char *path = g_build_filename (folder, rows[_i].name, NULL);
  bench_load (&b, path, path, 131, 77);
  head = &b.card->heads[0];
  ck_assert_uint_eq (head->kind, rows[_i].kind);
  ck_assert_uint_eq (head->masks.kind, rows[_i].masks);
  ck_assert_uint_eq (head->n_classes, rows[_i].n_classes);
  ck_assert_int_eq (head->masks.things != NULL, rows[_i].has_things);
  if (rows[_i].has_things) {
    GstFoveaHeadParams params = { rows[_i].threshold, 0.5f, 100, 5 };
    ReferenceMasks expected;
    bench_run (&b, &params);
    reference_panoptic (&expected, head, b.arrays, &b.map, params.threshold);
    check_pixels (&b, &expected);
    check_lists (&b, &expected);
    reference_masks_clear (&expected);
  } else {
    bench_run (&b, NULL);
  }
  if (rows[_i].masks != FV_MASKS_NONE && !rows[_i].has_things)
    check_sums (&b);
  bench_clear (&b);
}
END_TEST

/* Two queries by hand: a thing on the left half and stuff on the right, and a
 * third that the first hides but for a fifth of its mask. */
START_TEST (test_panoptic_by_hand)
{
  GstFoveaBox *box;
  Bench b;

  bench_init (&b, _i, "[fovea]\nthings=1\n", "in=f32[1,3,40,40]",
      "logits=f32[1,4,4] masks=f32[1,4,10,10]", 80, 40);
  for (guint i = 0; i < 16; i++)
    b.arrays[0]->f32[i] = -9;
  b.arrays[0]->f32[0 * 4 + 1] = 9; /* thing */
  b.arrays[0]->f32[1 * 4 + 0] = 9; /* stuff */
  b.arrays[0]->f32[2 * 4 + 1] = 1; /* a poorer thing, hidden */
  b.arrays[0]->f32[2 * 4 + 0] = -1;
  b.arrays[0]->f32[3 * 4 + 3] = 9; /* nothing */
  for (guint i = 0; i < 400; i++) {
    guint q = i / 100, x = i % 10;
    b.arrays[1]->f32[i] = q == 0 ? (x < 5 ? 20 : -20)
        : q == 1                 ? (x < 6 ? -20 : 20)
        : q == 2                 ? (x < 6 ? 20 : -20)
                                 : 20;
  }
  bench_place_all (&b, -1, 0);
  bench_run (&b, NULL);
  ck_assert_uint_eq (b.result.boxes->len, 1);
  box = &g_array_index (b.result.boxes, GstFoveaBox, 0);
  ck_assert_uint_eq (box->instance, 1);
  ck_assert_uint_eq (box->class_id, 1);
  ck_assert_uint_eq (box->index, 0);
  ck_assert_float_eq (box->x, 0);
  ck_assert_float_eq (box->height, 40);
  /* up to where 1 - f, between the fifth pixel of the map and the sixth, is 0.88 */
  check_near (box->width, 37, 0.5);
  ck_assert_uint_eq (bench_class_at (&b, 20, 20), 1);
  ck_assert_uint_eq (instance_at (&b, 20, 20), 1);
  ck_assert_uint_eq (bench_class_at (&b, 44, 20),
      255); /* of the one that is gone */
  ck_assert_uint_eq (instance_at (&b, 44, 20), 0);
  ck_assert_uint_eq (bench_class_at (&b, 70, 20), 0);
  ck_assert_uint_eq (instance_at (&b, 70, 20), 0);
  bench_clear (&b);
}
END_TEST

static const struct
{
  const char *card, *input, *outputs;
  guint width, height;
} prototypes[] = {
  { "[fovea]\nresize=letterbox\n", "in=f32[1,3,64,64]",
      "output0=f32[1,15,84] output1=f32[1,8,16,16]", 131, 77 },
  { "[fovea]\n", "in=f32[1,3,64,96]",
      "output0=f32[1,12,126] output1=f32[1,6,16,24]", 33, 21 },
  { "[fovea]\ndecoder=yolov5\n", "in=f32[1,64,64,3]",
      "output0=f32[1,252,14] output1=f32[1,16,16,7]", 99, 130 },
  { "[fovea]\n", "in=f32[1,3,64,64]",
      "output0=f32[1,40,14] output1=f32[1,8,32,32]", 70, 64 },
  { "[fovea]\nhead=segment\ndecoder=boxes\nboxes=loc\nscores=conf\n"
    "coefficients=mask\nprototypes=proto\nnms=true\nresize=crop\n"
    "mask-threshold=0.4\n",
      "in=f32[1,3,64,64]",
      "loc=f32[1,40,4] conf=f32[1,40,3] mask=f32[1,40,9] "
      "proto=f32[1,9,13,13]",
      77, 50 },
};

/* Boxes of a fair size all over the input, with scores of their own. */
static void
make_boxes (Bench *b)
{
  const FvCardDetect *d = &b->card->heads[0].detect;
  FvArray *boxes = b->arrays[d->boxes[0]], *scores = b->arrays[d->scores[0]];
  guint n_axis;
  gint c_axis;

  ck_assert (fv_detect_axes (&boxes->shape, d->transposed, &n_axis, &c_axis));
  gint64 n = boxes->shape.dims[n_axis], k = boxes->shape.dims[c_axis];
  gint64 s = scores == boxes ? k : scores->shape.dims[c_axis];
  for (gint64 i = 0; i < n; i++) {
    double x = 8 + 48 * fabs (sin (1.3 * (double) i));
    double y = 8 + 48 * fabs (cos (2.1 * (double) i));
    double w = 10 + (double) (i % 7) * 4;
    double v[] = { x, y, w, 38 - w };
    if (d->box_format == FV_BOX_XYXY) {
      v[0] = x - w / 2;
      v[1] = y - w / 2;
      v[2] = x + w / 2;
      v[3] = y + w / 2;
    }
    for (gint64 c = 0; c < 4; c++)
      boxes->f32[d->transposed ? c * n + i : i * k + c] = (float) v[c];
    for (gint64 c = 4; c < k && scores == boxes; c++)
      if (c < d->score_channel + (gint64) d->n_classes || c == d->class_channel)
        boxes->f32[d->transposed ? c * n + i : i * k + c] =
            c == d->class_channel ? (float) (i % 3)
                                  : (float) ((i * 37 + c * 11) % 101) / 101;
    for (gint64 c = 0; c < s && scores != boxes; c++)
      scores->f32[i * s + c] = (float) ((i * 37 + c * 11) % 101) / 101;
  }
}

static void
make_prototypes (Bench *b)
{
  const FvCardMasks *m = &b->card->heads[0].masks;
  FvArray *array = b->arrays[m->masks];
  gint64 inner =
      m->channel_axis == 3 ? 1 : array->shape.dims[2] * array->shape.dims[3];

  for (gint64 k = 0; k < array->count; k++) {
    gint64 p = k / inner % m->n_prototypes;
    gint64 place = m->channel_axis == 3 ? k / m->n_prototypes : k % inner;
    array->f32[k] =
        (float) sin (0.05 * (double) place * (double) (p + 1) + (double) p);
  }
}

START_TEST (test_prototypes)
{
  guint row = (guint) _i / VARIANTS;

  for (guint pass = 0; pass < 3; pass++) {
    GstFoveaHeadParams params = { 0.7f, 0.45f, 100, 0 };
    ReferenceMasks expected;
    const FvCardMasks *m;
    Bench b;
    bench_init (&b, _i % VARIANTS, prototypes[row].card, prototypes[row].input,
        prototypes[row].outputs, prototypes[row].width, prototypes[row].height);
    m = &b.card->heads[0].masks;
    ck_assert_uint_eq (b.card->heads[0].kind, FV_HEAD_SEGMENT);
    ck_assert_uint_eq (m->kind, FV_MASKS_PROTOTYPES);
    make_boxes (&b);
    make_prototypes (&b);
    for (guint i = 0; i < b.n; i++)
      bench_place (&b, i,
          pass == 0                        ? -1
              : pass == 1 && i == m->masks ? m->channel_axis
                                           : (gint) pass,
          pass * 4);
    bench_run (&b, &params);
    bench_again (&b);
    reference_prototypes (&expected, &b.card->heads[0], b.arrays, &b.map,
        params.threshold, params.iou_threshold);
    ck_assert_uint_gt (expected.pieces->len, 2);
    check_pixels (&b, &expected);
    check_lists (&b, &expected);
    reference_masks_clear (&expected);
    params.max_detections = 2;
    gst_fovea_head_set_params (b.head, &params);
    bench_again (&b);
    ck_assert_uint_le (b.result.boxes->len, 2);
    bench_clear (&b);
  }
}
END_TEST

/* Constant prototypes: the whole box, and its left half. A frame of 128 x 128 over
 * an input of 64 x 64. */
START_TEST (test_prototypes_by_hand)
{
  const GstFoveaBox *box;
  Bench b;

  bench_init (&b, _i, "[fovea]\n", "in=f32[1,3,64,64]",
      "output0=f32[1,10,84] output1=f32[1,4,16,16]", 128, 128);
  ck_assert_uint_eq (b.card->heads[0].n_classes, 2);
  memset (b.arrays[0]->f32, 0, b.arrays[0]->size);
  memset (b.arrays[1]->f32, 0, b.arrays[1]->size);
  for (guint i = 0; i < 256; i++) {
    b.arrays[1]->f32[i] = 1;
    b.arrays[1]->f32[256 + i] = i % 16 < 8 ? 1 : -1;
  }
  { /* candidate, channel, value */
    static const struct
    {
      guint n, c;
      float v;
    } set[] = {
      { 5, 0, 32 }, { 5, 1, 16 }, { 5, 2, 32 }, { 5, 3, 16 }, { 5, 5, 0.9f },
      { 5, 6, 4 }, /* 16..48 x 8..24, all of it, class 1 */
      { 9, 0, 32 }, { 9, 1, 32 }, { 9, 2, 40 }, { 9, 3, 40 }, { 9, 4, 0.8f },
      { 9, 7, 4 }, /* 12..52 x 12..52, left half of the frame, class 0 */
      { 11, 0, 33 }, { 11, 1, 32 }, { 11, 2, 40 }, { 11, 3, 40 },
      { 11, 4, 0.7f }, { 11, 6, 4 }, /* nearly the same place: suppressed */
    };
    for (guint i = 0; i < G_N_ELEMENTS (set); i++)
      b.arrays[0]->f32[set[i].c * 84 + set[i].n] = set[i].v;
  }
  bench_place_all (&b, -1, 0);
  bench_run (&b, NULL);
  ck_assert_uint_eq (b.result.boxes->len, 2);
  box = &g_array_index (b.result.boxes, GstFoveaBox, 0);
  ck_assert_uint_eq (box->instance, 1);
  ck_assert_uint_eq (box->class_id, 1);
  check_near (box->x, 32, 0.1);
  check_near (box->y, 16, 0.1);
  for (guint y = 0; y < 128; y++)
    for (guint x = 0; x < 128; x++) {
      gboolean in_first = x >= 32 && x < 96 && y >= 16 && y < 48;
      gboolean in_second = x >= 24 && x < 64 && y >= 24 && y < 104;
      guint number = in_first ? 1 : in_second ? 2 : 0;
      ck_assert_uint_eq (instance_at (&b, x, y), number);
      ck_assert_uint_eq (bench_class_at (&b, x, y),
          number == 1       ? 1
              : number == 2 ? 0
                            : 255);
    }
  bench_clear (&b);
}
END_TEST

int
main (void)
{
  /* kept open, so that its kernels are made once */
  g_autoptr (FvDevice) device = fv_device_open (NULL, NULL);
  Suite *suite = suite_create ("head-masks");
  TCase *tcase = tcase_create ("head-masks");

  tcase_set_timeout (tcase, 120);
  tcase_add_loop_test (tcase, test_panoptic, 0,
      G_N_ELEMENTS (queries) * VARIANTS);
  tcase_add_loop_test (tcase, test_semantic, 0, 4 * VARIANTS);
  tcase_add_loop_test (tcase, test_zoo, 0, 13);
  tcase_add_loop_test (tcase, test_panoptic_by_hand, 0, VARIANTS);
  tcase_add_loop_test (tcase, test_prototypes, 0,
      G_N_ELEMENTS (prototypes) * VARIANTS);
  tcase_add_loop_test (tcase, test_prototypes_by_hand, 0, VARIANTS);
  suite_add_tcase (suite, tcase);
  return fv_test_run (suite);
}
