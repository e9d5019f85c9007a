/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Products with constants: Gemm and MatMul become Linear, BatchNormalization
 * becomes scale and shift, and those disappear into weights. */
#include "gst/engine/ir-private.h"

#include <math.h>
#include <string.h>

/* W[N, K] of a constant [K, N] (or [N, K] when @transposed), times @factor. */
static FvValue *
linear_weights (FvIr *ir, const FvValue *from, gboolean transposed,
    float factor, GError **error)
{
  g_autoptr (FvArray) w = fv_value_floats (from, error);
  gint64 k = from->shape.dims[transposed ? 1 : 0];
  gint64 n = from->shape.dims[transposed ? 0 : 1];
  FvShape shape = { 2, { n, k } };
  FvArray *to;
  FvValue *value = w ? fv_ir_add_floats (ir, from->name, &shape, &to) : NULL;

  if (!value)
    return NULL;
  for (gint64 i = 0; i < n; i++)
    for (gint64 j = 0; j < k; j++)
      to->f32[i * k + j] = factor * w->f32[transposed ? i * k + j : j * n + i];
  return value;
}

/* @value as a vector of @n, times @factor: broadcast from one element if need be.
 * NULL when it is none. */
static FvValue *
vector_of (FvIr *ir, const FvValue *value, gint64 n, float factor)
{
  FvShape shape = { 1, { n } };
  g_autoptr (FvArray) from = NULL;
  FvArray *to;
  FvValue *vector;
  gint64 count;

  if (!value || !value->constant || !fv_type_is_float (value->type))
    return NULL;
  count = value->constant->count;
  if (count != 1
      && (count != n || !value->shape.rank
          || value->shape.dims[value->shape.rank - 1] != n))
    return NULL;
  if (!(from = fv_value_floats (value, NULL))
      || !(vector = fv_ir_add_floats (ir, value->name, &shape, &to)))
    return NULL;
  for (gint64 i = 0; i < n; i++)
    to->f32[i] = factor * from->f32[count == 1 ? 0 : i];
  return vector;
}

static gint
gemm_to_linear (FvIr *ir, FvNode *gemm, GError **error)
{
  FvValue *w = fv_node_input (gemm, 1), *c = fv_node_input (gemm, 2);
  gboolean transposed = fv_node_int (gemm, "transB") != 0;
  FvValue *inputs[3] = { gemm->inputs[0], NULL, NULL };
  gint64 n = gemm->outputs[0]->shape.dims[1];

  if (!w->constant || fv_node_int (gemm, "transA"))
    return 0;
  if (c && !(inputs[2] = vector_of (ir, c, n, fv_node_float (gemm, "beta"))))
    return 0;
  inputs[1] =
      linear_weights (ir, w, transposed, fv_node_float (gemm, "alpha"), error);
  if (!inputs[1])
    return -1;
  fv_ir_supersede (ir, gemm, "fovea.Linear", inputs, c ? 3 : 2, error);
  fv_ir_remove_node (ir, gemm);
  return 1;
}

static gint
matmul_to_linear (FvIr *ir, FvNode *matmul, GError **error)
{
  FvValue *w = matmul->inputs[1];
  FvValue *inputs[3] = { matmul->inputs[0], NULL, NULL };
  FvNode *add = fv_only_user (matmul->outputs[0], "Add"), *last = matmul;

  if (!w->constant || w->shape.rank != 2 || inputs[0]->constant
      || inputs[0]->shape.rank < 2)
    return 0;
  if (!(inputs[1] = linear_weights (ir, w, FALSE, 1, error)))
    return -1;
  if (add && !add->n_steps
      && fv_shape_equal (&add->outputs[0]->shape, &matmul->outputs[0]->shape)) {
    FvValue *other = add->inputs[add->inputs[0] == matmul->outputs[0]];

    if ((inputs[2] = vector_of (ir, other, w->shape.dims[1], 1)))
      last = add;
  }
  fv_ir_supersede (ir, last, "fovea.Linear", inputs, inputs[2] ? 3 : 2, error);
  if (last != matmul)
    fv_ir_remove_node (ir, last);
  fv_ir_remove_node (ir, matmul);
  return 1;
}

gint
fv_pass_linear (FvIr *ir, GError **error)
{
  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i];
    gint change = 0;

    if (node->n_steps)
      continue;
    if (fv_node_is (node, "Gemm"))
      change = gemm_to_linear (ir, node, error);
    else if (fv_node_is (node, "MatMul"))
      change = matmul_to_linear (ir, node, error);
    if (change < 0)
      return -1;
  }
  return 0;
}

/* Linears that share their input become one, its output split: each of the parts
 * must start at a multiple of four, so that the parts are views. */
static guint
mergeable (const FvValue *value, FvNode **found, guint max)
{
  guint n = 0;

  for (guint i = 0; i < value->users->len && n < max; i++) {
    FvNode *user = value->users->pdata[i];
    gboolean fits = fv_node_is (user, "fovea.Linear") && !user->n_steps
        && user->inputs[0] == value && user->inputs[1]->constant
        && (user->n_inputs < 3 || user->inputs[2]->constant)
        && user->inputs[1]->shape.dims[0] % 4 == 0
        && !user->outputs[0]->is_output;
    FvNode *next = fits ? fv_only_user (user->outputs[0], NULL) : NULL;

    /* one with an activation behind keeps its own kernel, which takes it */
    if (fits && !(next && next->op->to_step))
      found[n++] = user;
  }
  return n;
}

static gint
merge (FvIr *ir, FvNode **nodes, guint n, GError **error)
{
  FvValue *inputs[3] = { nodes[0]->inputs[0] }, *whole, *parts[8], *sizes;
  gint64 k = nodes[0]->inputs[1]->shape.dims[1], total = 0, at = 0;
  gint64 split[8];
  FvShape w_shape, out_shape = nodes[0]->outputs[0]->shape;
  FvArray *w, *b;
  g_autoptr (FvArray) split_array = NULL;
  FvNode *linear, *node;

  for (guint i = 0; i < n; i++)
    total += split[i] = nodes[i]->inputs[1]->shape.dims[0];
  w_shape = (FvShape){ 2, { total, k } };
  inputs[1] = fv_ir_add_floats (ir, nodes[0]->inputs[1]->name, &w_shape, &w);
  inputs[2] =
      fv_ir_add_floats (ir, nodes[0]->name, &(FvShape){ 1, { total } }, &b);
  if (!inputs[1] || !inputs[2])
    return 0;
  for (guint i = 0; i < n; at += split[i++]) {
    g_autoptr (FvArray) wi = fv_value_floats (nodes[i]->inputs[1], error);
    g_autoptr (FvArray) bi = nodes[i]->n_inputs > 2
        ? fv_value_floats (nodes[i]->inputs[2], error)
        : NULL;

    memcpy (w->f32 + at * k, wi->f32, split[i] * k * sizeof (float));
    if (bi)
      memcpy (b->f32 + at, bi->f32, split[i] * sizeof (float));
  }
  out_shape.dims[out_shape.rank - 1] = total;
  whole = fv_ir_add_value (ir, nodes[0]->outputs[0]->name,
      nodes[0]->outputs[0]->type, &out_shape);
  linear = fv_ir_add_node (ir, fv_op_get ("fovea.Linear"), nodes[0]->name,
      inputs, 3, &whole, 1);
  fv_ir_place_after (ir, linear, nodes[0]);
  split_array = fv_array_new_i64 (split, n);
  sizes = fv_ir_add_constant (ir, "split", split_array);
  for (guint i = 0; i < n; i++)
    parts[i] = fv_ir_add_value (ir, nodes[i]->outputs[0]->name,
        nodes[i]->outputs[0]->type, &nodes[i]->outputs[0]->shape);
  node = fv_ir_add_node (ir, fv_op_get ("Split"), nodes[0]->name,
      (FvValue *[]){ whole, sizes }, 2, parts, n);
  node->opset = linear->opset = 20;
  fv_node_set_int (node, "axis", -1);
  fv_ir_place_after (ir, node, linear);
  for (guint i = 0; i < n; i++) {
    fv_ir_replace_value (ir, nodes[i]->outputs[0], parts[i]);
    fv_ir_remove_node (ir, nodes[i]);
  }
  return fv_node_infer (node, error) ? 1 : -1;
}

gint
fv_pass_merge_linear (FvIr *ir, GError **error)
{
  for (guint i = 0; i < ir->values->len; i++) {
    FvNode *found[8], *first = NULL;
    guint n = mergeable (ir->values->pdata[i], found, G_N_ELEMENTS (found));

    if (n < 2)
      continue;
    /* the earliest in the order first: the others may follow its users */
    for (guint j = 0; j < ir->nodes->len && !first; j++)
      for (guint f = 0; f < n; f++)
        if (ir->nodes->pdata[j] == found[f]) {
          first = found[f];
          found[f] = found[0];
          found[0] = first;
          break;
        }
    return merge (ir, found, n, error);
  }
  return 0;
}

/* BatchNormalization is Mul by scale / sqrt (var + epsilon), then Add. */
static gint
split_batch_norm (FvIr *ir, FvNode *bn, GError **error)
{
  const FvShape *x = &bn->inputs[0]->shape;
  FvShape shape = { MAX (x->rank, 2) - 1,
    { x->rank > 1 ? x->dims[1] : 1, 1, 1, 1, 1 } };
  g_autoptr (FvArray) scale = NULL, bias = NULL, mean = NULL, var = NULL;
  FvArray *a, *b;
  FvValue *factor, *shift, *product;
  FvNode *mul;

  for (guint i = 1; i < 5; i++)
    if (!fv_node_constant (bn, i))
      return 0;
  scale = fv_value_floats (bn->inputs[1], error);
  bias = fv_value_floats (bn->inputs[2], error);
  mean = fv_value_floats (bn->inputs[3], error);
  var = fv_value_floats (bn->inputs[4], error);
  factor = fv_ir_add_floats (ir, bn->inputs[1]->name, &shape, &a);
  shift = fv_ir_add_floats (ir, bn->inputs[2]->name, &shape, &b);
  if (!scale || !bias || !mean || !var || !factor || !shift || x->rank < 2)
    return 0;
  for (gint64 i = 0; i < a->count; i++) {
    a->f32[i] = scale->f32[i]
        / sqrt ((double) var->f32[i] + fv_node_float (bn, "epsilon"));
    b->f32[i] = bias->f32[i] - (double) mean->f32[i] * a->f32[i];
  }
  product =
      fv_ir_add_value (ir, NULL, bn->outputs[0]->type, &bn->outputs[0]->shape);
  mul = fv_ir_add_node (ir, fv_op_get ("Mul"), bn->name,
      (FvValue *[]){ bn->inputs[0], factor }, 2, &product, 1);
  mul->opset = 20;
  fv_ir_place_after (ir, mul, bn);
  fv_ir_supersede (ir, bn, "Add", (FvValue *[]){ product, shift }, 2, error);
  /* supersede put Add before Mul: both follow bn */
  fv_ir_place_after (ir, mul, bn);
  fv_ir_remove_node (ir, bn);
  return 1;
}

gint
fv_pass_batch_norm (FvIr *ir, GError **error)
{
  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i];

    if (fv_node_is (node, "BatchNormalization") && !node->n_steps
        && node->n_outputs == 1 && split_batch_norm (ir, node, error) < 0)
      return -1;
  }
  return 0;
}

/* The constant beside @value in @node as a vector over axis 1 of @value (one
 * element counts for all). NULL when it is something else. */
static FvArray *
channel_vector (const FvNode *node, const FvValue *value)
{
  const FvValue *other = node->inputs[node->inputs[0] == value];
  const FvShape *s = &other->shape;
  gint64 channels = value->shape.dims[1];
  gint axis = (gint) s->rank - (gint) (value->shape.rank - 1);

  if (node->n_inputs != 2 || !other->constant || node->n_steps
      || !fv_type_is_float (other->type))
    return NULL;
  if (other->constant->count != 1
      && (axis < 0 || s->dims[axis] != channels
          || other->constant->count != channels))
    return NULL;
  return fv_value_floats (other, NULL);
}

static FvValue *
scaled_weights (FvIr *ir, FvNode *conv, const FvArray *factor)
{
  g_autoptr (FvArray) w = fv_value_floats (conv->inputs[1], NULL);
  FvArray *to;
  FvValue *value =
      w ? fv_ir_add_floats (ir, conv->inputs[1]->name, &w->shape, &to) : NULL;
  gint64 row = w ? w->count / MAX (w->shape.dims[0], 1) : 0;

  for (gint64 i = 0; value && i < w->count; i++)
    to->f32[i] = w->f32[i] * factor->f32[factor->count == 1 ? 0 : i / row];
  return value;
}

/* bias * factor + shift, either NULL for one and zero */
static FvValue *
moved_bias (FvIr *ir, FvNode *conv, const FvArray *factor, const FvArray *shift)
{
  FvShape shape = { 1, { conv->inputs[1]->shape.dims[0] } };
  g_autoptr (FvArray) bias =
      fv_node_input (conv, 2) ? fv_value_floats (conv->inputs[2], NULL) : NULL;
  FvArray *to;
  FvValue *value = fv_ir_add_floats (ir, conv->name, &shape, &to);

  for (gint64 i = 0; value && i < to->count; i++)
    to->f32[i] = (bias ? bias->f32[i] : 0)
            * (factor ? factor->f32[factor->count == 1 ? 0 : i] : 1)
        + (shift ? shift->f32[shift->count == 1 ? 0 : i] : 0);
  return value;
}

/* Conv, then Mul or Add by a constant per channel: into the weights. */
static gboolean
absorb (FvIr *ir, FvNode *conv)
{
  FvValue *out = conv->outputs[0];
  FvNode *user = fv_only_user (out, NULL);
  gboolean mul = fv_node_is (user, "Mul"), add = fv_node_is (user, "Add");
  g_autoptr (FvArray) vector = mul || add ? channel_vector (user, out) : NULL;
  FvValue *w = conv->inputs[1], *bias;

  if (!vector || !conv->inputs[1]->constant || conv->n_steps
      || (fv_node_input (conv, 2) && !conv->inputs[2]->constant)
      || !fv_shape_equal (&user->outputs[0]->shape, &out->shape))
    return FALSE;
  if (mul && !(w = scaled_weights (ir, conv, vector)))
    return FALSE;
  if (!(bias = moved_bias (ir, conv, mul ? vector : NULL, add ? vector : NULL)))
    return FALSE;
  fv_node_set_input (conv, 1, w);
  if (conv->n_inputs > 2)
    fv_node_set_input (conv, 2, bias);
  else
    conv->n_own_inputs = fv_node_add_input (conv, bias) + 1;
  fv_ir_replace_value (ir, user->outputs[0], out);
  fv_ir_remove_node (ir, user);
  return TRUE;
}

gint
fv_pass_conv_scale (FvIr *ir, GError **error)
{
  gint changes = 0;

  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i];

    if (fv_node_is (node, "Conv"))
      changes += absorb (ir, node);
  }
  return changes;
}
