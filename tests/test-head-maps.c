/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Classes, masks and depth on tensors written here, against the plain C of
 * head-reference.c. */
#include "tests/head-bench.h"

static const struct
{
  const char *card, *outputs;
  guint k;
} classifiers[] = {
  { "[fovea]\n", "out=f32[1,1000]", 5 },
  { "[fovea]\n", "out=f32[1,1001,1,1]", 64 },
  { "[fovea]\nbackground=0\n", "out=f32[1,1,1,7]", 5 },
  { "[fovea]\nactivation=sigmoid\n", "out=f32[1,13]", 20 },
  { "[fovea]\n", "out=f32[1,10]<Softmax", 3 },
  { "[fovea]\n", "out=f32[2]", 1 },
  { "[fovea]\nhead=classify\n", "out=f32[1,1]", 5 },
};

static void
check_classes (Bench *b, guint k)
{
  g_autoptr (GArray) expected =
      reference_classify (&b->card->heads[0], b->arrays, k);

  ck_assert_uint_eq (b->result.classes->len, expected->len);
  for (guint i = 0; i < expected->len; i++) {
    GstFoveaClass *e = &g_array_index (expected, GstFoveaClass, i);
    GstFoveaClass *f = &g_array_index (b->result.classes, GstFoveaClass, i);
    ck_assert_uint_eq (f->class_id, e->class_id);
    check_near (f->score, e->score, 1e-5 + 1e-4 * fabs (e->score));
  }
}

START_TEST (test_classify)
{
  guint row = (guint) _i / VARIANTS;
  GstFoveaHeadParams params = { -100, 0, 0, classifiers[row].k };
  Bench b;

  bench_init (&b, _i % VARIANTS, classifiers[row].card, "in=f32[1,3,32,32]",
      classifiers[row].outputs, 50, 40);
  ck_assert_uint_eq (b.card->heads[0].kind, FV_HEAD_CLASSIFY);
  bench_place_all (&b, 0, 4);
  bench_run (&b, &params);
  check_classes (&b, params.max_classes);
  /* one class less, without another recording */
  params.max_classes = MAX (1, params.max_classes - 1);
  gst_fovea_head_set_params (b.head, &params);
  bench_again (&b);
  check_classes (&b, params.max_classes);
  bench_clear (&b);
}
END_TEST

START_TEST (test_classify_odd)
{
  GstFoveaHeadParams params = { 0, 0, 0, 10 };
  Bench b;

  bench_init (&b, _i, "[fovea]\n", "in=f32[1,3,32,32]", "out=f32[1,40]", 50,
      40);
  for (gint64 k = 0; k < 40; k++) /* ties, and some that are no numbers */
    b.arrays[0]->f32[k] = k % 3 == 0 ? NAN : (float) (k % 5);
  bench_place_all (&b, -1, 0);
  bench_run (&b, &params);
  check_classes (&b, 10);
  for (gint64 k = 0; k < 40; k++)
    bench_store (&b.ports[0], k, NAN);
  bench_again (&b);
  ck_assert_uint_eq (b.result.classes->len, 0);
  bench_store (&b.ports[0], 7, INFINITY);
  bench_again (&b);
  ck_assert_uint_eq (b.result.classes->len, 1);
  ck_assert_uint_eq (
      g_array_index (b.result.classes, GstFoveaClass, 0).class_id, 7);
  bench_clear (&b);
}
END_TEST

static const struct
{
  const char *card, *input, *outputs;
  guint width, height;
} maps[] = {
  { "[fovea]\nhead=segment\n", "in=f32[1,3,64,96]", "out=f32[1,5,16,24]", 131,
      77 },
  { "[fovea]\nhead=segment\nresize=letterbox\n", "in=f32[1,3,64,96]",
      "out=f32[1,2,64,96]", 61, 99 },
  { "[fovea]\nhead=segment\nresize=letterbox\nanchor=top-left\n",
      "in=f32[1,64,64,3]", "out=f32[1,32,32,21]", 640, 41 },
  { "[fovea]\nhead=segment\nresize=crop\ncrop-fraction=0.875\n",
      "in=f32[1,3,64,64]", "out=f32[1,3,16,16]", 100, 45 },
  { "[fovea]\nhead=segment\n", "in=f32[1,3,64,64]", "out=f32[1,300,8,8]", 37,
      21 },
  { "[fovea]\nhead=segment\n", "in=f32[1,3,64,64]", "out=f32[1,4,64,64]", 64,
      64 },
  { "[fovea]\nhead=segment\n", "in=f32[1,3,64,64]", "out=f32[1,4,64,64]", 9,
      5 },
  { "[fovea]\nhead=segment\n", "in=f32[1,3,48,64]", "out=f32[1,40,6,8]", 201,
      99 },
  { "[fovea]\nhead=segment\nresize=letterbox\n", "in=f32[1,3,48,64]",
      "out=f32[1,9,6,8]", 99, 150 },
  { "[fovea]\nhead=segment\n", "in=f32[1,3,8,8]", "out=f32[1,4,1,1]", 1, 1 },
  { "[fovea]\nhead=segment\nthreshold=0.7\n", "in=f32[1,36,64,3]",
      "out=f32[1,36,64,1]<Sigmoid", 130, 71 },
  { "[fovea]\nhead=segment\n", "in=f32[1,3,36,64]", "out=f32[1,1,18,32]", 130,
      71 },
  { "[fovea]\nhead=segment\n", "in=f32[1,3,36,64]", "out=i64[1,36,64]<ArgMax",
      130, 71 },
  { "[fovea]\n", "in=f32[1,36,64,3]", "out=u8[1,36,64,1]", 71, 60 },
  { "[fovea]\n", "in=f32[1,3,36,64]", "out=i32[1,1,18,32]", 99, 45 },
  { "[fovea]\n", "in=f32[1,3,36,64]", "out=f32[1,36,64]<ArgMax", 64, 36 },
  { "[fovea]\nhead=segment\nresize=crop\n", "in=f32[1,3,36,64]",
      "out=f32[1,2,18,32]<Softmax", 77, 130 },
  { "[fovea]\nhead=segment\nlabels=cat;background\n", "in=f32[1,36,64,3]",
      "out=f32[1,36,64,2]", 99, 45 },
  { "[fovea]\nhead=segment\nlabels=cat;dog\n", "in=f32[1,3,36,64]",
      "out=f32[1,2,18,32]", 77, 130 },
};

static guint
matte_value (const Bench *b, guint x, guint y)
{
  const GstFoveaHeadMap *map = gst_fovea_head_map (b->head);

  return ((const guint8 *) fv_buffer_map (b->copy)
      + map->matte)[y * map->stride + x];
}

/* Smooth logits, as nets give them: regions with borders. */
static void
make_smooth (Bench *b)
{
  FvArray *array = b->arrays[0];
  gint axis = b->card->heads[0].channel_axis;
  guint n = reference_channels (array, axis);
  gint64 inner = 1;

  for (gint a = (gint) array->shape.rank - 1; a > axis && axis >= 0; a--)
    inner *= array->shape.dims[a];
  for (gint64 k = 0; k < array->count; k++) {
    guint c = axis < 0 ? 0 : (guint) (k / inner % n);
    gint64 place = axis < 0 ? k : k % inner + k / (inner * n) * inner;
    array->f32[k] = (float) (3 * sin (0.021 * (double) place + 1.7 * c)
        + 0.3 * cos (0.31 * (double) place * (c + 1)));
    if (b->card->heads[0].class_map)
      array->f32[k] = (float) (place / 50 % 7);
    else if (axis < 0)
      array->f32[k] = (float) (0.5 + 0.5 * sin (0.05 * (double) place));
  }
}

/* A matte instead of the largest value. */
static gboolean
has_threshold (const FvCardHead *card)
{
  return !card->class_map
      && (card->channel_axis < 0
          || (card->n_classes == 2 && card->background >= 0));
}

/* Whether @found is the class of the largest value over that pixel, or as good as
 * that. */
static void
check_pixel (Bench *b, const GstFoveaHeadParams *params, guint x, guint y,
    guint found)
{
  const FvCardHead *card = &b->card->heads[0];
  FvArray *array = b->arrays[0];
  guint n = reference_channels (array, card->channel_axis);
  double best = -INFINITY, own, v;

  if (card->class_map) { /* the nearest, unless two are as near */
    const FvFrameMap *m = &b->map;
    double in_x = m->x + (x + 0.5) * m->width / m->frame_width;
    double in_y = m->y + (y + 0.5) * m->height / m->frame_height;
    const gint64 *d = array->shape.dims;
    guint last = array->shape.rank - 1;
    if (d[last] == 1)
      last--;
    double column = in_x * (double) d[last] / m->input_width;
    double row = in_y * (double) d[last - 1] / m->input_height;
    v = array->f32[(gint64) row * d[last] + (gint64) column];
    if (fabs (column - round (column)) > 1e-3
        && fabs (row - round (row)) > 1e-3)
      ck_assert_uint_eq (found, (guint) v);
    return;
  }
  if (has_threshold (card)) {
    v = reference_probability (card, array, &b->map, x, y);
    if (fabs (v - params->threshold) > 1e-4)
      ck_assert_uint_eq (found == 1,
          (v >= params->threshold) == (card->background != 1));
    return;
  }
  ck_assert_uint_lt (found, n);
  for (guint c = 0; c < n; c++)
    best = fmax (best,
        reference_sample (array, card->channel_axis, c, &b->map, x, y));
  own = reference_sample (array, card->channel_axis, found, &b->map, x, y);
  ck_assert_msg (own >= best - 1e-3,
      "class %u at %u,%u has %g, the best has %g", found, x, y, own, best);
}

/* How surely each pixel is the foreground; whether some are neither surely so
 * nor surely not, as a mask has none. */
static gboolean
check_matte (Bench *b)
{
  const GstFoveaHeadMap *map = gst_fovea_head_map (b->head);
  gboolean has_between = FALSE;

  ck_assert_uint_eq (map->matte, map->size);
  for (guint y = 0; y < map->height; y++) {
    for (guint x = 0; x < map->width; x++) {
      double p = reference_probability (&b->card->heads[0], b->arrays[0],
          &b->map, x, y);
      guint found = matte_value (b, x, y);
      check_near (found, 255 * p, 0.53);
      has_between |= found > 20 && found < 235;
    }
    for (guint x = map->width; x < map->stride; x++)
      ck_assert_uint_eq (matte_value (b, x, y), 0);
  }
  return has_between;
}

static void
check_segment (Bench *b, const GstFoveaHeadParams *params)
{
  const GstFoveaHeadMap *map = gst_fovea_head_map (b->head);
  g_autofree guint *counts = g_new0 (guint, 65536);
  double sum = 0;

  ck_assert_uint_eq (map->width, b->map.frame_width);
  ck_assert_uint_eq (map->height, b->map.frame_height);
  for (guint y = 0; y < map->height; y++) {
    for (guint x = 0; x < map->width; x++) {
      guint found = bench_class_at (b, x, y);
      counts[found]++;
      if ((x + y * 3) % 5 == 0 || x + 2 > map->width || x < 2)
        check_pixel (b, params, x, y, found);
    }
    for (gsize x = map->width * (map->format == GST_FOVEA_HEAD_MAP_U16 ? 2 : 1);
         x < map->stride; x++)
      ck_assert_uint_eq (
          ((guint8 *) fv_buffer_map (b->copy))[y * map->stride + x], 0);
  }
  for (guint i = 0; i < b->result.classes->len; i++) {
    GstFoveaClass *share = &g_array_index (b->result.classes, GstFoveaClass, i);
    check_near (share->score * map->width * map->height,
        counts[share->class_id], 1e-2);
    sum += share->score;
  }
  check_near (sum, 1, 1e-5);
}

START_TEST (test_segment)
{
  guint row = (guint) _i / VARIANTS;
  GstFoveaHeadParams params;
  Bench b;

  for (gint pass = 0; pass < 4; pass++) {
    bench_init (&b, _i % VARIANTS, maps[row].card, maps[row].input,
        maps[row].outputs, maps[row].width, maps[row].height);
    gst_fovea_head_params_init (&params, &b.card->heads[0]);
    ck_assert_uint_eq (b.card->heads[0].kind, FV_HEAD_SEGMENT);
    if (pass % 2 == 0 || b.card->heads[0].class_map)
      make_smooth (&b);
    /* innermost: the channels, or as the file has it */
    bench_place (&b, 0, pass < 2 ? MAX (0, b.card->heads[0].channel_axis) : -1,
        pass == 1 ? 8 : pass);
    bench_run (&b, &params);
    check_segment (&b, &params);
    if (has_threshold (&b.card->heads[0])) {
      params.threshold = 0.25f; /* without another recording */
      gst_fovea_head_set_params (b.head, &params);
      bench_again (&b);
      check_segment (&b, &params);
      ck_assert (check_matte (&b));
    } else {
      ck_assert_uint_eq (gst_fovea_head_map (b.head)->matte, 0);
    }
    bench_clear (&b);
  }
}
END_TEST

/* Values far from 0, beyond 0 to 1, and some that are none. */
START_TEST (test_matte_odd)
{
  static const float values[] = { -1e30f, -90, -0.25f, 0.25f, 0.5f, 1.5f, 1e30f,
    INFINITY, -INFINITY, NAN };
  static const char *const outputs[] = { "out=f32[1,1,8,10]",
    "out=f32[1,1,8,10]<Sigmoid" };
  Bench b;

  bench_init (&b, _i % VARIANTS, "[fovea]\nhead=segment\n", "in=f32[1,3,8,10]",
      outputs[_i / VARIANTS], 10, 8);
  for (gint64 k = 0; k < b.arrays[0]->count; k++)
    b.arrays[0]->f32[k] = values[k % 10];
  bench_place_all (&b, -1, 0);
  bench_run (&b, NULL);
  for (guint y = 0; y < 8; y++)
    for (guint x = 0; x < 10; x++) {
      double v = b.arrays[0]->f32[y * 10 + x];
      double p = _i / VARIANTS ? CLAMP (v, 0, 1) : 1 / (1 + exp (-v));
      check_near (matte_value (&b, x, y), isnan (v) ? 0 : 255 * p, 0.53);
    }
  bench_clear (&b);
}
END_TEST

START_TEST (test_segment_odd)
{
  Bench b;

  bench_init (&b, _i, "[fovea]\nhead=segment\n", "in=f32[1,3,32,32]",
      "out=f32[1,3,32,32]", 75, 50);
  for (gint64 k = 0; k < b.arrays[0]->count; k++)
    b.arrays[0]->f32[k] = k % 2 ? NAN : k % 5 ? -INFINITY : INFINITY;
  bench_place_all (&b, 1, 0);
  bench_run (&b, NULL);
  for (guint i = 0; i < b.result.classes->len; i++)
    ck_assert_uint_lt (
        g_array_index (b.result.classes, GstFoveaClass, i).class_id, 3);
  bench_clear (&b);
}
END_TEST

static const struct
{
  const char *card, *outputs;
  guint width, height;
} depths[] = {
  { "[fovea]\nhead=depth\nscale=-1\n", "out=f32[1,1,24,32]", 131, 77 },
  { "[fovea]\nhead=depth\ndepth=metric\nscale=0.01\nshift=2\n",
      "out=f32[1,48,64]", 63, 120 },
  { "[fovea]\nhead=depth\nresize=letterbox\n", "out=f32[1,48,64,1]", 33, 99 },
  { "[fovea]\nhead=depth\nresize=crop\n", "out=f32[48,64]", 333, 99 },
  { "[fovea]\nhead=depth\n", "out=f32[1,1,1,1]", 5, 3 },
};

static void
check_depth (Bench *b)
{
  const GstFoveaHeadMap *map = gst_fovea_head_map (b->head);
  const FvCardHead *card = &b->card->heads[0];
  const float *data = fv_buffer_map (b->copy);
  float low = INFINITY, high = -INFINITY;

  for (guint y = 0; y < map->height; y++)
    for (guint x = 0; x < map->width; x++) {
      float found = data[y * map->stride / 4 + x];
      double v = card->depth_scale
              * reference_sample (b->arrays[0], -1, 0, &b->map, x, y)
          + card->depth_shift;
      if (isfinite (v))
        check_near (found, v, 2e-3);
      low = MIN (low, found);
      high = MAX (high, found);
    }
  ck_assert_float_eq (low, b->result.minimum);
  ck_assert_float_eq (high, b->result.maximum);
}

START_TEST (test_depth)
{
  guint row = (guint) _i / VARIANTS;
  Bench b;

  for (gint pass = 0; pass < 2; pass++) {
    bench_init (&b, _i % VARIANTS, depths[row].card, "in=f32[1,3,48,64]",
        depths[row].outputs, depths[row].width, depths[row].height);
    ck_assert_uint_eq (b.card->heads[0].kind, FV_HEAD_DEPTH);
    bench_place_all (&b, pass == 0 ? -1 : 1, pass * 4);
    bench_run (&b, NULL);
    check_depth (&b);
    bench_again (&b); /* the range starts anew */
    check_depth (&b);
    bench_clear (&b);
  }
}
END_TEST

START_TEST (test_depth_odd)
{
  Bench b;

  bench_init (&b, _i, "[fovea]\nhead=depth\n", "in=f32[1,3,8,8]",
      "out=f32[1,8,8]", 8, 8);
  for (guint k = 0; k < 64; k++)
    b.arrays[0]->f32[k] = k == 9 ? -3 : k == 10 ? 5 : k % 2 ? NAN : INFINITY;
  bench_place_all (&b, -1, 0);
  bench_run (&b, NULL);
  ck_assert_float_eq (b.result.minimum, -3);
  ck_assert_float_eq (b.result.maximum, 5);
  for (guint k = 0; k < 64; k++)
    ck_assert (isfinite (((float *) fv_buffer_map (b.copy))[k]));
  for (guint k = 0; k < 64; k++)
    bench_store (&b.ports[0], k, NAN);
  bench_again (&b);
  ck_assert_float_eq (b.result.minimum, 0);
  ck_assert_float_eq (b.result.maximum, 0);
  bench_clear (&b);
}
END_TEST

int
main (void)
{
  /* kept open, so that its kernels are made once */
  g_autoptr (FvDevice) device = fv_device_open (NULL, NULL);
  Suite *suite = suite_create ("head-maps");
  TCase *tcase = tcase_create ("head-maps");

  tcase_set_timeout (tcase, 120);
  tcase_add_loop_test (tcase, test_classify, 0,
      G_N_ELEMENTS (classifiers) * VARIANTS);
  tcase_add_loop_test (tcase, test_classify_odd, 0, VARIANTS);
  tcase_add_loop_test (tcase, test_segment, 0, G_N_ELEMENTS (maps) * VARIANTS);
  tcase_add_loop_test (tcase, test_segment_odd, 0, VARIANTS);
  tcase_add_loop_test (tcase, test_matte_odd, 0, 2 * VARIANTS);
  tcase_add_loop_test (tcase, test_depth, 0, G_N_ELEMENTS (depths) * VARIANTS);
  tcase_add_loop_test (tcase, test_depth_odd, 0, VARIANTS);
  suite_add_tcase (suite, tcase);
  return fv_test_run (suite);
}
