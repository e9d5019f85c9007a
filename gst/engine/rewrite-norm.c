/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Normalizations that exporters write as several nodes, put together again. */
#include "gst/engine/ir-private.h"

/* The one axis that @node takes the mean of; -1: none. */
static gint64
mean_axis (const FvNode *node)
{
  return fv_node_is (node, "ReduceMean") && !node->n_steps
          && fv_node_int (node, "keepdims")
      ? fv_reduced_axis (node)
      : -1;
}

static gboolean
is_square_of (const FvNode *node, const FvValue *value)
{
  float two;

  if (!node || node->n_steps || node->n_inputs != 2 || node->inputs[0] != value)
    return FALSE;
  return (fv_node_is (node, "Mul") && node->inputs[1] == value)
      || (fv_node_is (node, "Pow") && fv_value_scalar (node->inputs[1], &two)
          && two == 2);
}

/* Divides @node its first input by a root, or multiplies by one over it? The root,
 * and @input: that which is divided. */
static FvNode *
match_divided (const FvNode *node, guint *input)
{
  *input = 0;
  if (fv_node_is (node, "Div"))
    return fv_input_node (node, 1, "Sqrt");
  for (; fv_node_is (node, "Mul") && *input < 2; ++*input) {
    FvNode *one_over = fv_input_node (node, 1 - *input, "Reciprocal");

    if (one_over)
      return fv_input_node (one_over, 0, "Sqrt");
  }
  return NULL;
}

/* d = x - mean (x); d / sqrt (mean (d d) + epsilon): starts at the Div. */
static FvValue *
match_layer_norm (const FvNode *div, gint64 *axis, float *epsilon)
{
  guint divided;
  FvNode *root = match_divided (div, &divided);
  FvNode *add = root ? fv_input_node (root, 0, "Add") : NULL;
  FvNode *sub = add ? fv_input_node (div, divided, "Sub") : NULL;
  FvNode *mean, *mean_x;
  FvValue *variance;

  if (!sub || !add || !fv_node_has_scalar (add, epsilon, &variance)
      || !(mean = variance->producer) || (*axis = mean_axis (mean)) < 0
      || !is_square_of (mean->inputs[0]->producer, sub->outputs[0]))
    return NULL;
  mean_x = sub->inputs[1]->producer;
  if (!mean_x || mean_axis (mean_x) != *axis
      || mean_x->inputs[0] != sub->inputs[0])
    return NULL;
  return sub->inputs[0];
}

/* TRUE for a constant that differs along @axis of @shape alone. */
static gboolean
is_vector_over (const FvValue *value, const FvShape *shape, guint axis)
{
  guint rank = value->shape.rank;

  if (!value->constant || value->constant->count != shape->dims[axis]
      || rank > shape->rank || rank < shape->rank - axis)
    return FALSE;
  return value->shape.dims[rank - (shape->rank - axis)] == shape->dims[axis];
}

/* The constant vector over @axis beside @value in its only user. */
static FvNode *
affine_user (const FvValue *value, const char *op, guint axis, FvValue **vector)
{
  FvNode *user = fv_only_user (value, op);

  if (!user || user->n_steps || user->n_inputs != 2)
    return NULL;
  *vector = user->inputs[user->inputs[0] == value];
  return is_vector_over (*vector, &value->shape, axis) ? user : NULL;
}

/* @from (%NULL: ones) as a vector of @n. */
static FvValue *
vector_from (FvIr *ir, const char *name, const FvValue *from, gint64 n,
    GError **error)
{
  g_autoptr (FvArray) values = from ? fv_value_floats (from, error) : NULL;
  FvShape shape = { 1, { n } };
  FvArray *to;
  FvValue *vector;

  if ((from && !values) || !(vector = fv_ir_add_floats (ir, name, &shape, &to)))
    return NULL;
  for (gint64 i = 0; i < n; i++)
    to->f32[i] = values ? values->f32[i] : 1;
  return vector;
}

/* @value with @axis brought to the end, or back from there. */
static FvValue *
move_axis (FvIr *ir, FvValue *value, guint axis, gboolean back, FvNode *before)
{
  guint rank = value->shape.rank;
  gint64 perm[FV_MAX_RANK];
  FvShape shape = { rank, { 0 } };
  FvValue *moved;
  FvNode *node;

  for (guint i = 0; i < rank; i++) {
    gboolean is_end = i == (back ? axis : rank - 1);

    perm[i] = is_end ? (back ? rank - 1 : axis) : i;
    if (!is_end && i >= axis)
      perm[i] = back ? i - 1 : i + 1;
    shape.dims[i] = value->shape.dims[perm[i]];
  }
  moved = fv_ir_add_value (ir, NULL, value->type, &shape);
  node =
      fv_ir_add_node (ir, fv_op_get ("Transpose"), NULL, &value, 1, &moved, 1);
  node->opset = 20;
  fv_node_set_ints (node, "perm", perm, rank);
  fv_ir_place_after (ir, node, before);
  return moved;
}

/* LayerNormalization of @x in place of @last, between Transposes where @axis is
 * not the last: maps lie channels-last, so that these move nothing. */
static gboolean
put_layer_norm (FvIr *ir, FvNode *last, FvValue *inputs[3], guint axis,
    float epsilon, GError **error)
{
  FvValue *x = inputs[0], *result, *back;
  guint n_inputs = inputs[2] ? 3 : 2;
  FvNode *made;

  if (axis == x->shape.rank - 1) {
    made = fv_ir_supersede (ir, last, "LayerNormalization", inputs, n_inputs,
        error);
  } else {
    inputs[0] = move_axis (ir, x, axis, FALSE, last);
    result = fv_ir_add_value (ir, NULL, x->type, &inputs[0]->shape);
    made = fv_ir_add_node (ir, fv_op_get ("LayerNormalization"), last->name,
        inputs, n_inputs, &result, 1);
    made->opset = 20;
    fv_ir_place_after (ir, made, inputs[0]->producer);
    back = move_axis (ir, result, axis, TRUE, made);
    fv_ir_replace_value (ir, last->outputs[0], back);
  }
  fv_node_set_int (made, "axis", -1);
  fv_node_set_float (made, "epsilon", epsilon);
  return TRUE;
}

static gboolean
make_layer_norm (FvIr *ir, FvNode *div, FvValue *x, gint64 axis, float epsilon,
    GError **error)
{
  FvValue *scale = NULL, *bias = NULL, *inputs[3] = { x, NULL, NULL };
  FvNode *mul = affine_user (div->outputs[0], "Mul", axis, &scale);
  FvNode *add = mul ? affine_user (mul->outputs[0], "Add", axis, &bias) : NULL;
  gint64 n = x->shape.dims[axis];

  inputs[1] = vector_from (ir, div->name, mul ? scale : NULL, n, error);
  if (add)
    inputs[2] = vector_from (ir, div->name, bias, n, error);
  return inputs[1] && (!add || inputs[2])
      && put_layer_norm (ir,
          add       ? add
              : mul ? mul
                    : div,
          inputs, axis, epsilon, error);
}

gint
fv_pass_layer_norm (FvIr *ir, GError **error)
{
  gint changes = 0;

  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i];
    float epsilon;
    gint64 axis;
    FvValue *x;

    if (node->n_steps || node->n_inputs != 2
        || !(x = match_layer_norm (node, &axis, &epsilon)))
      continue;
    if (!make_layer_norm (ir, node, x, axis, epsilon, error))
      return -1;
    changes += 1 + fv_pass_dead (ir, error);
    i = 0;
  }
  return changes;
}

/* x as [maps, groups, rest], normalized by instance, and back: the values that
 * begin and end it. */
static gboolean
match_group_norm (const FvNode *norm, FvValue **x, FvNode **back)
{
  FvNode *apart = fv_input_node (norm, 0, "Reshape");
  const FvShape *groups = &norm->inputs[0]->shape;

  *back = fv_only_user (norm->outputs[0], "Reshape");
  if (!apart || !*back || (*back)->n_steps || groups->rank != 3
      || !norm->inputs[1]->constant || !norm->inputs[2]->constant)
    return FALSE;
  *x = apart->inputs[0];
  return (*x)->shape.rank >= 3 && (*x)->shape.dims[0] == groups->dims[0]
      && (*x)->shape.dims[1] % groups->dims[1] == 0
      && fv_shape_equal (&(*x)->shape, &(*back)->outputs[0]->shape);
}

/* Scale and bias of channels: first those of their groups, then @scale, @bias
 * (both: nullable). */
static gboolean
group_affine (FvIr *ir, const FvNode *norm, const FvValue *scale,
    const FvValue *bias, FvValue *inputs[3], GError **error)
{
  gint64 channels = inputs[0]->shape.dims[1];
  gint64 groups = norm->inputs[0]->shape.dims[1];
  g_autoptr (FvArray) by_group = fv_value_floats (norm->inputs[1], error);
  g_autoptr (FvArray) more = fv_value_floats (norm->inputs[2], error);
  g_autoptr (FvArray) extra = bias ? fv_value_floats (bias, error) : NULL;
  float *s, *b;

  inputs[1] = vector_from (ir, norm->name, scale, channels, error);
  inputs[2] = vector_from (ir, norm->name, NULL, channels, error);
  if (!by_group || !more || (bias && !extra) || !inputs[1] || !inputs[2])
    return FALSE;
  s = inputs[1]->constant->f32;
  b = inputs[2]->constant->f32;
  for (gint64 c = 0; c < channels; c++) {
    gint64 g = c / (channels / groups);

    b[c] = s[c] * more->f32[g] + (extra ? extra->f32[c] : 0);
    s[c] *= by_group->f32[g];
  }
  return TRUE;
}

gint
fv_pass_group_norm (FvIr *ir, GError **error)
{
  gint changes = 0;

  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *norm = ir->nodes->pdata[i], *last, *mul, *add, *made;
    FvValue *inputs[3], *scale = NULL, *bias = NULL;

    if (!fv_node_is (norm, "InstanceNormalization") || norm->n_steps
        || !match_group_norm (norm, &inputs[0], &last))
      continue;
    mul = affine_user (last->outputs[0], "Mul", 1, &scale);
    last = mul ? mul : last;
    add = affine_user (last->outputs[0], "Add", 1, &bias);
    last = add ? add : last;
    if (!group_affine (ir, norm, mul ? scale : NULL, add ? bias : NULL, inputs,
            error))
      return -1;
    made = fv_ir_supersede (ir, last, "GroupNormalization", inputs, 3, error);
    made->opset = 21;
    fv_node_set_int (made, "num_groups", norm->inputs[0]->shape.dims[1]);
    fv_node_set_float (made, "epsilon", fv_node_float (norm, "epsilon"));
    changes += 1 + fv_pass_dead (ir, error);
    i = 0;
  }
  return changes;
}
