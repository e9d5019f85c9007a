/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* softmax (scale Q K^T + bias) V becomes one node. */
#include "gst/engine/ir-private.h"

typedef struct
{
  FvValue *q, *k_transposed, *v, *bias;
  float scale;
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

static gboolean
match (FvNode *softmax, Attention *a)
{
  FvNode *product, *last = fv_only_user (softmax->outputs[0], "MatMul");
  FvValue *scores = softmax->inputs[0];

  if (!last || last->n_steps || last->inputs[0] != softmax->outputs[0]
      || !is_over_last_axis (softmax) || scores->users->len != 1)
    return FALSE;
  a->last = last;
  a->v = last->inputs[1];
  a->scale = 1;
  a->bias = NULL;
  scores = take_bias (scores, &a->bias);
  scores = unscale (scores, &a->scale);
  product = scores->producer;
  if (!fv_node_is (product, "MatMul") || product->n_steps
      || scores->users->len != 1 || scores->is_output)
    return FALSE;
  a->q = unscale (product->inputs[0], &a->scale);
  a->k_transposed = unscale (product->inputs[1], &a->scale);
  return same_batch (a->q, a->k_transposed) && same_batch (a->q, a->v)
      && same_batch (a->q, softmax->outputs[0]) && !a->v->constant
      && !a->k_transposed->constant;
}

static gint
rewrite (FvIr *ir, Attention *a, GError **error)
{
  guint rank = a->q->shape.rank;
  gint64 perm[4] = { 0, 1, 2, 3 };
  FvShape shape = a->k_transposed->shape;
  FvValue *inputs[4] = { a->q, NULL, a->v, a->bias };
  FvNode *node, *transpose;

  perm[rank - 1] = rank - 2;
  perm[rank - 2] = rank - 1;
  shape.dims[rank - 1] = a->k_transposed->shape.dims[rank - 2];
  shape.dims[rank - 2] = a->k_transposed->shape.dims[rank - 1];
  inputs[1] = fv_ir_add_value (ir, NULL, a->k_transposed->type, &shape);
  node = fv_ir_supersede (ir, a->last, "fovea.Attention", inputs,
      a->bias ? 4 : 3, error);
  fv_node_set_float (node, "scale", a->scale);
  transpose = fv_ir_add_node (ir, fv_op_get ("Transpose"), NULL,
      &a->k_transposed, 1, &inputs[1], 1);
  transpose->opset = 20;
  fv_node_set_ints (transpose, "perm", perm, rank);
  fv_ir_place_after (ir, transpose, a->last);
  fv_ir_remove_node (ir, a->last);
  return fv_node_infer (node, error) ? 1 : -1;
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
