/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ONNX's own Attention and RotaryEmbedding. Before the plan is made, a pass
 * (rewrite-compound.c) makes them products, a softmax and the like. */
#include <math.h>
#include <string.h>

#include "gst/ops/common.h"

enum
{
  /* inputs of Attention */
  MASK = 3,
  PAST_KEY,
  PAST_VALUE,
  /* its outputs */
  PRESENT_KEY = 1,
  PRESENT_VALUE,
  SCORES,
};

typedef struct
{
  gboolean split; /* heads have their own axis */
  gint64 batch, heads, kv_heads, m, n, past, d, dv;
} Sizes;

static gboolean
check_types (const FvNode *node, GError **error)
{
  for (guint i = 0; i < node->n_own_inputs; i++) {
    FvValue *value = node->inputs[i];

    if (value && !fv_type_is_float (value->type)
        && !(i == MASK && value->type == FV_TYPE_BOOL))
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "expected floats, input %u is %s", i, fv_type_name (value->type));
  }
  if (!fv_node_input (node, PAST_KEY) != !fv_node_input (node, PAST_VALUE))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "past keys and values must be given together");
  return TRUE;
}

/* Sequence and row lengths of a tensor of @heads. */
static gboolean
read_rows (const FvNode *node, guint input, gint64 heads, gint64 *length,
    gint64 *width, GError **error)
{
  const FvShape *shape = &node->inputs[input]->shape;
  gboolean split = shape->rank == 4;

  if (shape->rank != node->inputs[0]->shape.rank
      || shape->dims[0] != node->inputs[0]->shape.dims[0] || heads < 1
      || (split ? shape->dims[1] != heads : shape->dims[2] % heads != 0))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "input %u does not fit the other inputs and %" G_GINT64_FORMAT " heads",
        input, heads);
  *length = shape->dims[split ? 2 : 1];
  *width = split ? shape->dims[3] : shape->dims[2] / heads;
  return TRUE;
}

static gboolean
read_past (const FvNode *node, Sizes *s, GError **error)
{
  const gint64 width[] = { s->d, s->dv };

  for (guint i = 0; i < 2; i++) {
    const FvValue *past = fv_node_input (node, PAST_KEY + i);
    FvShape shape = { 4, { s->batch, s->kv_heads, 0, width[i] } };

    if (!past)
      return TRUE;
    if (past->shape.rank == 4)
      shape.dims[2] = i ? s->past : past->shape.dims[2];
    if (!fv_shape_equal (&shape, &past->shape))
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "past keys and values do not fit the new ones");
    s->past = shape.dims[2];
  }
  return TRUE;
}

static gboolean
read_sizes (const FvNode *node, Sizes *s, GError **error)
{
  const FvShape *q = &node->inputs[0]->shape, *k = &node->inputs[1]->shape;
  gint64 length, width;

  *s = (Sizes){ .split = q->rank == 4 };
  if ((q->rank != 3 && q->rank != 4) || k->rank != q->rank)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected tensors of rank 3 or 4");
  s->batch = q->dims[0];
  s->heads = s->split ? q->dims[1] : fv_node_int (node, "q_num_heads");
  s->kv_heads = s->split ? k->dims[1] : fv_node_int (node, "kv_num_heads");
  if (!read_rows (node, 0, s->heads, &s->m, &s->d, error)
      || !read_rows (node, 1, s->kv_heads, &s->n, &width, error)
      || !read_rows (node, 2, s->kv_heads, &length, &s->dv, error))
    return FALSE;
  if (width != s->d || length != s->n || s->heads % s->kv_heads)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "Q and K must have equal rows, K and V as many of them, and heads of K "
        "must divide those of Q");
  return read_past (node, s, error);
}

static gboolean
check_mask (const FvNode *node, const Sizes *s, GError **error)
{
  const FvValue *mask = fv_node_input (node, MASK);
  const FvShape scores = { 4, { s->batch, s->heads, s->m, s->past + s->n } };
  FvShape both;

  if (!mask)
    return TRUE;
  if (!fv_node_broadcast (node, &scores, &mask->shape, &both, error))
    return FALSE;
  if (!fv_shape_equal (&scores, &both))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the mask does not broadcast to the scores");
  return TRUE;
}

static gboolean
infer_attention (FvNode *node, GError **error)
{
  gint64 mode = fv_node_int (node, "qk_matmul_output_mode"), total;
  FvType type = node->inputs[0]->type;
  Sizes s;

  if (!check_types (node, error) || !read_sizes (node, &s, error)
      || !check_mask (node, &s, error))
    return FALSE;
  if (mode < 0 || mode > 3)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "a qk_matmul_output_mode of %" G_GINT64_FORMAT, mode);
  total = s.past + s.n;
  if (s.split)
    fv_set_output (node, 0, type,
        &(FvShape){ 4, { s.batch, s.heads, s.m, s.dv } });
  else
    fv_set_output (node, 0, type,
        &(FvShape){ 3, { s.batch, s.m, s.heads * s.dv } });
  fv_set_output (node, PRESENT_KEY, type,
      &(FvShape){ 4, { s.batch, s.kv_heads, total, s.d } });
  fv_set_output (node, PRESENT_VALUE, type,
      &(FvShape){ 4, { s.batch, s.kv_heads, total, s.dv } });
  fv_set_output (node, SCORES, type,
      &(FvShape){ 4, { s.batch, s.heads, s.m, total } });
  return TRUE;
}

/* Row @row of @head; of a sequence of @length, with or without an axis of its
 * own for the heads. */
static float *
row_of (const FvArray *array, gboolean split, gint64 heads, gint64 length,
    gint64 width, gint64 batch, gint64 head, gint64 row)
{
  gint64 at = split ? (batch * heads + head) * length + row
                    : (batch * length + row) * heads + head;

  return array->f32 + at * width;
}

/* The past and what comes to it, behind each other. */
static FvArray *
join_past (const Sizes *s, const FvArray *past, const FvArray *now,
    gint64 width, GError **error)
{
  gint64 total = s->past + s->n;
  FvShape shape = { 4, { s->batch, s->kv_heads, total, width } };
  FvArray *all = fv_array_new (FV_TYPE_F32, &shape, error);

  for (gint64 b = 0; all && b < s->batch; b++)
    for (gint64 h = 0; h < s->kv_heads; h++)
      for (gint64 j = 0; j < total; j++) {
        const float *from = j < s->past
            ? row_of (past, TRUE, s->kv_heads, s->past, width, b, h, j)
            : row_of (now, s->split, s->kv_heads, s->n, width, b, h,
                j - s->past);

        memcpy (row_of (all, TRUE, s->kv_heads, total, width, b, h, j), from,
            width * sizeof *from);
      }
  return all;
}

/* What the scores of one query are, at each stage; the last is their softmax. */
static void
score (const FvNode *node, const Sizes *s, const float *q, const float *keys,
    FvArray *mask, const FvWalk *masked, gint64 row, double *scores,
    float *shown)
{
  double scale = fv_node_has (node, "scale") ? fv_node_float (node, "scale")
                                             : 1 / sqrt (s->d);
  double cap = fv_node_float (node, "softcap"), top = -INFINITY, sum = 0;
  gint64 mode = fv_node_int (node, "qk_matmul_output_mode");
  gint64 total = s->past + s->n, step = masked->strides[0][3];

  for (gint64 j = 0; j < total; j++) {
    double stages[4] = { 0 };

    for (gint64 i = 0; i < s->d; i++)
      stages[0] += (double) q[i] * keys[j * s->d + i];
    stages[0] *= scale;
    stages[1] = cap > 0 ? cap * tanh (stages[0] / cap) : stages[0];
    stages[2] = stages[1];
    if (fv_node_int (node, "is_causal") && j > row + s->past)
      stages[2] = -INFINITY;
    if (mask && mask->type == FV_TYPE_BOOL)
      stages[2] = mask->u8[masked->at[0] + j * step] ? stages[2] : -INFINITY;
    else if (mask)
      stages[2] += mask->f32[masked->at[0] + j * step];
    scores[j] = stages[2];
    top = MAX (top, scores[j]);
    if (shown && mode < 3)
      shown[j] = stages[mode];
  }
  /* nothing to attend to makes zeros */
  for (gint64 j = 0; j < total; j++)
    sum += scores[j] = top > -INFINITY ? exp (scores[j] - top) : 0;
  for (gint64 j = 0; j < total; j++) {
    scores[j] /= sum > 0 ? sum : 1;
    if (shown && mode == 3)
      shown[j] = scores[j];
  }
}

static gboolean
attend (FvNode *node, const Sizes *s, FvArray **inputs, const FvArray *keys,
    const FvArray *values, FvArray **outputs, GError **error)
{
  gint64 total = s->past + s->n;
  FvArray *mask = MASK < node->n_own_inputs ? inputs[MASK] : NULL;
  FvArray *shown = node->n_outputs > SCORES ? outputs[SCORES] : NULL;
  g_autofree double *scores = g_try_new (double, MAX (total, 1));
  FvWalk walk;

  if (!scores)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
        "no memory for a row of scores");
  fv_walk_begin (&walk, &(FvShape){ 4, { s->batch, s->heads, s->m, total } });
  if (mask)
    fv_walk_add (&walk, &mask->shape);
  for (gint64 k = 0; k < s->batch * s->heads * s->m; k++) {
    gint64 row = k % s->m, head = k / s->m % s->heads, b = k / s->m / s->heads;
    gint64 kv = (b * s->kv_heads + head / (s->heads / s->kv_heads)) * total;
    float *y =
        row_of (outputs[0], s->split, s->heads, s->m, s->dv, b, head, row);

    score (node, s,
        row_of (inputs[0], s->split, s->heads, s->m, s->d, b, head, row),
        keys->f32 + kv * s->d, mask, &walk, row, scores,
        shown ? shown->f32 + k * total : NULL);
    for (gint64 i = 0; i < s->dv; i++) {
      double sum = 0;

      for (gint64 j = 0; j < total; j++)
        if (scores[j] != 0)
          sum += scores[j] * values->f32[(kv + j) * s->dv + i];
      y[i] = sum;
    }
    for (gint64 j = 0; mask && j < total; j++)
      fv_walk_next (&walk);
  }
  return TRUE;
}

static gboolean
attention (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  g_autoptr (FvArray) keys = NULL;
  g_autoptr (FvArray) values = NULL;
  gboolean has_past = fv_node_input (node, PAST_KEY) != NULL;
  Sizes s;

  if (!read_sizes (node, &s, error)
      || !(keys = join_past (&s, has_past ? inputs[PAST_KEY] : NULL, inputs[1],
               s.d, error))
      || !(values = join_past (&s, has_past ? inputs[PAST_VALUE] : NULL,
               inputs[2], s.dv, error)))
    return FALSE;
  if (node->n_outputs > PRESENT_KEY && outputs[PRESENT_KEY])
    fv_move_all (outputs[PRESENT_KEY], keys);
  if (node->n_outputs > PRESENT_VALUE && outputs[PRESENT_VALUE])
    fv_move_all (outputs[PRESENT_VALUE], values);
  return attend (node, &s, inputs, keys, values, outputs, error);
}

typedef struct
{
  gboolean split, by_position;
  gint64 batch, heads, length, width, half; /* pairs that rotate */
} Rotation;

static gboolean
check_rotation (const FvNode *node, const Rotation *r, GError **error)
{
  const FvValue *positions = fv_node_input (node, 3);

  for (guint i = 1; i < 3; i++) {
    const FvShape *shape = &node->inputs[i]->shape;
    gboolean fits = shape->rank == 3 && shape->dims[1] == r->length
        && (shape->dims[0] == r->batch || shape->dims[0] == 1);

    if (positions)
      fits = shape->rank == 2;
    if (!fv_type_is_float (node->inputs[i]->type) || !fits
        || shape->dims[shape->rank - 1] != r->half
        || !fv_shape_equal (shape, &node->inputs[1]->shape))
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "sines and cosines do not fit the input");
  }
  if (positions
      && ((positions->type != FV_TYPE_I64 && positions->type != FV_TYPE_I32)
          || positions->shape.rank != 2 || positions->shape.dims[0] != r->batch
          || positions->shape.dims[1] != r->length))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected positions of shape batch by length");
  return TRUE;
}

static gboolean
read_rotation (const FvNode *node, Rotation *r, GError **error)
{
  const FvShape *x = &node->inputs[0]->shape;
  gint64 part = fv_node_int (node, "rotary_embedding_dim");

  *r = (Rotation){ .split = x->rank == 4,
    .by_position = fv_node_input (node, 3) != NULL };
  if (!fv_type_is_float (node->inputs[0]->type)
      || (x->rank != 3 && x->rank != 4))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "expected floats of rank 3 or 4");
  r->batch = x->dims[0];
  r->heads = r->split ? x->dims[1] : fv_node_int (node, "num_heads");
  r->length = x->dims[r->split ? 2 : 1];
  if (r->heads < 1 || (!r->split && x->dims[2] % r->heads))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "%" G_GINT64_FORMAT " heads do not divide the input", r->heads);
  r->width = r->split ? x->dims[3] : x->dims[2] / r->heads;
  part = part ? part : r->width;
  if (part < 0 || part > r->width || part % 2)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
        " elements cannot be rotated in pairs",
        part, r->width);
  r->half = part / 2;
  return check_rotation (node, r, error);
}

static gboolean
infer_rotary (FvNode *node, GError **error)
{
  Rotation r;

  if (!read_rotation (node, &r, error))
    return FALSE;
  fv_set_output (node, 0, node->inputs[0]->type, &node->inputs[0]->shape);
  return TRUE;
}

static gboolean
rotary (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  gboolean interleaved = fv_node_int (node, "interleaved") != 0;
  Rotation r;

  if (!read_rotation (node, &r, error))
    return FALSE;
  fv_move_all (outputs[0], inputs[0]);
  for (gint64 k = 0; k < r.batch * r.heads * r.length; k++) {
    gint64 row = k % r.length, head = k / r.length % r.heads;
    gint64 b = k / r.length / r.heads, at = b * r.length + row;
    float *y =
        row_of (outputs[0], r.split, r.heads, r.length, r.width, b, head, row);

    if (!r.by_position && inputs[1]->shape.dims[0] == 1)
      at = row;
    if (r.by_position
        && !fv_node_index (node, inputs[3]->i64[at], inputs[1]->shape.dims[0],
            &at, error))
      return FALSE;
    for (gint64 i = 0; i < r.half; i++) {
      float *first = y + (interleaved ? 2 * i : i);
      float *second = first + (interleaved ? 1 : r.half);
      double a = *first, c = *second;
      double cosine = inputs[1]->f32[at * r.half + i];
      double sine = inputs[2]->f32[at * r.half + i];

      *first = cosine * a - sine * c;
      *second = sine * a + cosine * c;
    }
  }
  return TRUE;
}

const FvOp fv_ops_transformer[] = {
  { .name = "Attention",
      .since = 23,
      .min_inputs = 3,
      .max_inputs = 6,
      .max_outputs = 4,
      .attrs = "is_causal:i=0 kv_num_heads:i=0 q_num_heads:i=0 "
               "qk_matmul_output_mode:i=0 scale:f=0 softcap:f=0 "
               "softmax_precision:i=1",
      .infer = infer_attention,
      .reference = attention,
      .lower = fv_lower_rewritten,
      .cases = FV_CASES ({ "f32[2,3,5,8] f32[2,3,7,8] f32[2,3,7,12]" },
          { "f32[2,5,24] f32[2,7,24] f32[2,7,36] f32[5,7]",
              "q_num_heads=3 kv_num_heads=3 scale=0.3 is_causal=1" },
          { "f32[1,6,5,8] f32[1,2,7,8] f32[1,2,7,9]", "is_causal=1" },
          { "f32[2,6,5,8] f32[2,1,7,8] f32[2,1,7,9] bool[2,1,5,7]", NULL },
          { "f32[2,4,40] f32[2,3,10] f32[2,3,8] f32[2,1,1,8] f32[2,1,5,10] "
            "f32[2,1,5,8]",
              "q_num_heads=4 kv_num_heads=1 softcap=0.5 is_causal=1",
              .n_outputs = 3 },
          { "f32[1,2,6,8] f32[1,2,6,8] f32[1,2,6,8] =f32[6,6]",
              "qk_matmul_output_mode=2 softcap=2", .n_outputs = 4 },
          { "f32[1,2,6,8] f32[1,2,5,8] f32[1,2,5,7] bool[2,6,5]",
              "qk_matmul_output_mode=3", .n_outputs = 4 }) },
  { .name = "RotaryEmbedding",
      .since = 23,
      .min_inputs = 3,
      .max_inputs = 4,
      .attrs = "interleaved:i=0 num_heads:i=0 rotary_embedding_dim:i=0",
      .infer = infer_rotary,
      .reference = rotary,
      .lower = fv_lower_rewritten,
      .cases = FV_CASES ({ "f32[2,3,5,8] =f32[2,5,4] =f32[2,5,4]" },
          { "f32[2,5,18] f32[1,5,3] f32[1,5,3]", "num_heads=3 interleaved=1" },
          { "f32[1,3,4,14] f32[9,3] f32[9,3] =i64[1,4]",
              "rotary_embedding_dim=6", 0, 9 },
          { "f32[1,4,20] =f32[6,3] =f32[6,3] =i64[1,4]",
              "num_heads=2 rotary_embedding_dim=6 interleaved=1", 0, 6 }) },
  {},
};
