/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* softmax (scale Q K^T + bias) V becomes one node, of rows or of channels. */
#include "gst/engine/ir-private.h"

#include <string.h>

typedef struct
{
  FvValue *q, *k_transposed, *v, *bias;
  FvValue *second; /* (nullable) another bias */
  FvValue *k; /* (nullable) in place of k_transposed */
  FvValue *scales; /* (nullable) a constant per head */
  float scale;
  gboolean normalize; /* rows of q and k are divided by their lengths */
  float least; /* no length counts as less */
  FvNode *last;
} Attention;

/* Takes a multiplication by a constant off @value. */
static FvValue *
unscale (FvValue *value, float *scale)
{
  FvNode *node = value->producer;
  FvValue *other;
  float c;

  if (!node || value->users->len != 1 || value->is_output || node->n_steps)
    return value;
  if (fv_node_is (node, "Mul") && fv_node_has_scalar (node, &c, &other)
      && fv_shape_equal (&other->shape, &value->shape)) {
    *scale *= c;
    return other;
  }
  if (fv_node_is (node, "Div") && fv_value_scalar (node->inputs[1], &c)
      && c != 0 && fv_shape_equal (&node->inputs[0]->shape, &value->shape)) {
    *scale /= c;
    return node->inputs[0];
  }
  return value;
}

static gboolean
is_over_last_axis (const FvNode *softmax)
{
  guint rank = softmax->outputs[0]->shape.rank;
  gint64 axis = fv_node_int (softmax, "axis");

  return rank >= 3 && rank <= 4 && (axis == -1 || axis == (gint64) rank - 1);
}

static gboolean
same_batch (const FvValue *a, const FvValue *b)
{
  if (a->shape.rank != b->shape.rank)
    return FALSE;
  for (guint i = 0; i + 2 < a->shape.rank; i++)
    if (a->shape.dims[i] != b->shape.dims[i])
      return FALSE;
  return TRUE;
}

/* Takes an addition off the scores: the other term broadcasts to them. */
static FvValue *
take_bias (FvValue *scores, FvValue **bias)
{
  FvNode *add = scores->producer;

  if (!fv_node_is (add, "Add") || add->n_steps || scores->users->len != 1)
    return scores;
  for (guint i = 0; i < 2; i++) {
    FvValue *term = add->inputs[i];
    FvNode *maker = term->producer;

    if (maker && fv_shape_equal (&term->shape, &scores->shape)
        && (fv_node_is (maker, "MatMul") || fv_node_is (maker, "Mul")
            || fv_node_is (maker, "Div") || fv_node_is (maker, "Add"))) {
      *bias = add->inputs[1 - i];
      return term;
    }
  }
  return scores;
}

/* Takes a multiplication by a constant per head off the scores. */
static FvValue *
take_scales (FvValue *scores, FvValue **scales)
{
  FvNode *mul = scores->producer;
  guint rank = scores->shape.rank;

  if (!fv_node_is (mul, "Mul") || mul->n_steps || scores->users->len != 1
      || scores->is_output || rank < 3)
    return scores;
  for (guint i = 0; i < 2; i++) {
    FvValue *factor = mul->inputs[i];
    const FvShape *shape = &factor->shape;

    if (factor->constant && shape->rank >= 3 && shape->rank <= rank
        && shape->dims[shape->rank - 3] == scores->shape.dims[rank - 3]
        && fv_shape_count (shape) == scores->shape.dims[rank - 3]
        && fv_shape_equal (&mul->inputs[1 - i]->shape, &scores->shape)) {
      *scales = factor;
      return mul->inputs[1 - i];
    }
  }
  return scores;
}

/* The one axis of @node, a ReduceL2 that keeps it, is the last? */
static gboolean
is_length_of_rows (const FvNode *node)
{
  return fv_node_int (node, "keepdims")
      && fv_reduced_axis (node) + 1 == node->inputs[0]->shape.rank;
}

/* x where @value is x / max (length of its rows, @least); else NULL. */
static FvValue *
match_normalized (const FvValue *value, float *least)
{
  FvNode *div = value->producer, *node;
  FvValue *length;

  if (!fv_node_is (div, "Div") || div->n_steps || value->users->len != 1
      || value->is_output)
    return NULL;
  *least = 0;
  length = div->inputs[1];
  if ((node = fv_input_node (div, 1, "Expand")))
    length = node->inputs[0];
  node = length->producer;
  if ((fv_node_is (node, "Clip") || fv_node_is (node, "Max")) && !node->n_steps
      && node->n_own_inputs > 1 && !fv_node_input (node, 2)) {
    if (!fv_value_scalar (fv_node_input (node, 1), least) || !(*least >= 0))
      return NULL;
    node = node->inputs[0]->producer;
  }
  return fv_node_is (node, "ReduceL2") && !node->n_steps
          && node->inputs[0] == div->inputs[0] && is_length_of_rows (node)
      ? div->inputs[0]
      : NULL;
}

static gboolean
swaps_last_axes (const FvNode *transpose)
{
  guint rank;
  const gint64 *perm = fv_node_ints (transpose, "perm", &rank);

  for (guint i = 0; i + 2 < rank; i++)
    if (perm[i] != i)
      return FALSE;
  return rank >= 2 && perm[rank - 1] == (gint64) rank - 2;
}

/* Rows of Q and K by their lengths: cosines, as Swin v2 and XCiT have them. */
static void
take_lengths (Attention *a)
{
  FvNode *turn = a->k_transposed->producer;
  FvValue *q = match_normalized (a->q, &a->least), *k;
  float least;

  if (!q || a->k_transposed->users->len != 1 || a->k_transposed->is_output
      || !fv_node_is (turn, "Transpose") || turn->n_steps
      || !swaps_last_axes (turn)
      || !(k = match_normalized (turn->inputs[0], &least)) || least != a->least)
    return;
  a->normalize = TRUE;
  a->q = q;
  a->k = k;
}

static gboolean
match (FvNode *softmax, Attention *a)
{
  FvNode *product, *last = fv_only_user (softmax->outputs[0], "MatMul");
  FvValue *scores = softmax->inputs[0];

  *a = (Attention){ .scale = 1 };
  if (!last || last->n_steps || last->inputs[0] != softmax->outputs[0]
      || !is_over_last_axis (softmax) || scores->users->len != 1)
    return FALSE;
  a->last = last;
  a->v = last->inputs[1];
  scores = take_bias (scores, &a->bias);
  if (a->bias)
    scores = take_bias (scores, &a->second);
  scores = unscale (scores, &a->scale);
  scores = take_scales (scores, &a->scales);
  product = scores->producer;
  if (!fv_node_is (product, "MatMul") || product->n_steps
      || scores->users->len != 1 || scores->is_output)
    return FALSE;
  a->q = unscale (product->inputs[0], &a->scale);
  a->k_transposed = unscale (product->inputs[1], &a->scale);
  take_lengths (a);
  return same_batch (a->q, a->k_transposed) && same_batch (a->q, a->v)
      && same_batch (a->q, softmax->outputs[0]) && !a->v->constant
      && !a->k_transposed->constant;
}

/* TRUE where the last axis of @value was not yet the last of what it is a part of:
 * rows of tokens, of which it has the channels. */
static gboolean
is_turned (const FvValue *value)
{
  static const char *const parts[] = { "Squeeze", "Unsqueeze", "Split", "Slice",
    "Gather", "Reshape" };
  const FvNode *node = value->producer;

  for (guint i = 0; node && i < FV_MOVES_CHAIN; i++) {
    gboolean is_part = FALSE;
    const gint64 *perm;
    guint rank;

    if (fv_node_is (node, "Transpose")) {
      perm = fv_node_ints (node, "perm", &rank);
      return perm[rank - 1] != (gint64) rank - 1;
    }
    for (guint k = 0; k < G_N_ELEMENTS (parts); k++)
      is_part |= fv_node_is (node, parts[k]);
    if (!is_part || node->n_steps)
      return FALSE;
    node = node->inputs[0]->producer;
  }
  return FALSE;
}

static gboolean
is_of_channels (const Attention *a, const FvValue *k)
{
  return a->q->shape.rank == 4 && !a->bias && is_turned (a->q) && is_turned (k)
      && is_turned (a->v) && fv_shape_equal (&k->shape, &a->v->shape)
      && k->shape.dims[2] <= 4 * FV_CHANNEL_KEYS;
}

/* [batch, heads, channels, tokens] as [batch, tokens, heads, channels], and back. */
static const gint64 tokens_first[] = { 0, 3, 1, 2 };
static const gint64 tokens_last[] = { 0, 2, 3, 1 };

/* Both biases, added before they are reshaped where that is the same: parts that
 * are repeated then need not be written out. */
static FvValue *
emit_sum (FvEmit *emit, FvValue *a, FvValue *b)
{
  const FvNode *from = a->producer, *other = b->producer;

  if (!fv_node_is (from, "Reshape") || from->n_steps
      || !fv_node_is (other, "Reshape") || other->n_steps
      || !fv_shape_equal (&a->shape, &b->shape)
      || !fv_shape_equal (&from->inputs[0]->shape, &other->inputs[0]->shape))
    return fv_emit (emit, "Add", a, b);
  return fv_emit_reshape (emit,
      fv_emit (emit, "Add", from->inputs[0], other->inputs[0]), a->shape.dims,
      a->shape.rank);
}

static gint
rewrite (FvIr *ir, Attention *a, GError **error)
{
  FvEmit emit = { ir, a->last->name, a->last, NULL, error };
  gint64 swap[4] = { 0, 1, 2, 3 }, heads;
  guint rank = a->q->shape.rank;
  FvValue *in[5] = { a->q, a->k, a->v, a->bias, NULL }, *y;
  gboolean of_channels;
  FvNode *node;

  swap[rank - 1] = rank - 2;
  swap[rank - 2] = rank - 1;
  if (!in[1] && !(in[1] = fv_emit_transpose (&emit, a->k_transposed, swap)))
    return -1;
  if (a->second && !(in[3] = emit_sum (&emit, a->bias, a->second)))
    return -1;
  if (a->scales) {
    heads = fv_shape_count (&a->scales->shape);
    if (!(in[4] = fv_emit_reshape (&emit, a->scales, &heads, 1)))
      return -1;
  }
  of_channels = is_of_channels (a, in[1]);
  for (guint i = 0; of_channels && i < 3; i++)
    if (!(in[i] = fv_emit_transpose (&emit, in[i], tokens_first)))
      return -1;
  if (of_channels)
    in[3] = in[4];
  node = fv_emit_begin (&emit,
      of_channels ? "fovea.ChannelAttention" : "fovea.Attention", in,
      of_channels ? 4 : 5);
  fv_node_set_float (node, "scale", a->scale);
  fv_node_set_int (node, "normalize", a->normalize);
  fv_node_set_float (node, "least", a->least);
  y = fv_emit_end (&emit, node);
  if (of_channels && y)
    y = fv_emit_transpose (&emit, y, tokens_last);
  if (!y)
    return -1;
  fv_ir_replace_value (ir, a->last->outputs[0], y);
  fv_ir_remove_node (ir, a->last);
  return 1;
}

/* Masks of more elements than that stay apart from the bias. */
#define MAX_MASK ((gint64) 1 << 22)

/* The constant term of @add and, as @other, what it is added to. */
static FvArray *
constant_term (FvNode *add, FvValue **other)
{
  for (guint i = 0; i < 2; i++)
    if (fv_node_is (add, "Add") && !add->n_steps && add->inputs[i]->constant
        && fv_shape_equal (&add->inputs[1 - i]->shape,
            &add->outputs[0]->shape)) {
      *other = add->inputs[1 - i];
      return add->inputs[i]->constant;
    }
  return NULL;
}

/* sum[i] += term, broadcast to @shape, of as many elements */
static void
add_term (float *sum, const FvShape *shape, const FvArray *term)
{
  for (gint64 i = 0; i < fv_shape_count (shape); i++) {
    gint64 rest = i, at = 0, stride = 1;

    for (guint d = 0; d < term->shape.rank; d++) {
      gint64 size = term->shape.dims[term->shape.rank - 1 - d];
      gint64 whole = shape->dims[shape->rank - 1 - d];

      at += size == 1 ? 0 : rest % whole * stride;
      rest /= whole;
      stride *= size;
    }
    sum[i] += fv_array_get_float (term, at);
  }
}

/* Windows that overlap the edges of a shifted map: a bias per head, then, with the
 * batch split in images and windows, a mask per window. One sum of both. */
static gint
merge_mask (FvIr *ir, FvNode *softmax, GError **error)
{
  FvValue *scores = softmax->inputs[0], *split, *inner, *in[2];
  FvNode *back = fv_input_node (softmax, 0, "Reshape"), *outer, *reshape, *sum;
  FvArray *mask, *bias, *both;

  if (!back || scores->users->len != 1 || scores->is_output
      || !(outer = fv_input_node (back, 0, "Add"))
      || !fv_only_user (outer->outputs[0], NULL)
      || !(mask = constant_term (outer, &split)) || split->is_output
      || split->users->len != 1 || !(reshape = split->producer)
      || !fv_node_is (reshape, "Reshape") || reshape->n_steps
      || !fv_shape_equal (&reshape->inputs[0]->shape, &scores->shape)
      || fv_shape_count (&scores->shape) > MAX_MASK)
    return 0;
  in[0] = reshape->inputs[0];
  if (!(in[1] = fv_ir_add_floats (ir, NULL, &scores->shape, &both)))
    return 0;
  add_term (both->f32, &split->shape, mask);
  bias = fv_only_user (in[0], NULL) && in[0]->producer
      ? constant_term (in[0]->producer, &inner)
      : NULL;
  if (bias) {
    add_term (both->f32, &scores->shape, bias);
    in[0] = inner;
  }
  sum = fv_ir_supersede (ir, back, "Add", in, 2, error);
  return sum && fv_node_infer (sum, error) ? 1 : -1;
}

gint
fv_pass_masks (FvIr *ir, GError **error)
{
  gint changes = 0;

  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i];
    gint done = fv_node_is (node, "Softmax") && !node->n_steps
        ? merge_mask (ir, node, error)
        : 0;

    if (done < 0)
      return done;
    changes += done;
  }
  return changes && fv_pass_dead (ir, error) < 0 ? -1 : changes;
}

/* The first attention in the graph; nodes move, so one at a time. */
static gint
rewrite_first (FvIr *ir, GError **error)
{
  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i];
    Attention attention;

    if (fv_node_is (node, "Softmax") && !node->n_steps
        && match (node, &attention)) {
      gint done = rewrite (ir, &attention, error);

      return done < 0 || fv_pass_dead (ir, error) < 0 ? -1 : 1;
    }
  }
  return 0;
}

gint
fv_pass_attention (FvIr *ir, GError **error)
{
  gint changes = 0, done;

  while ((done = rewrite_first (ir, error)) > 0)
    changes++;
  return done < 0 ? done : changes;
}
