/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions that exporters write as several nodes, put together again. */
#include "gst/engine/ir-private.h"

#include <math.h>

static gboolean
near (float a, double b)
{
  return fabs (a - b) <= 1e-3 * fmax (fabs (b), 1e-3);
}

/* The value that @node multiplies by @factor (or divides by its reciprocal). */
static FvValue *
scaled_by (const FvNode *node, double factor)
{
  FvValue *other;
  float c;

  if (fv_node_is (node, "Mul") && fv_node_has_scalar (node, &c, &other)
      && near (c, factor))
    return other;
  if (fv_node_is (node, "Div") && !node->n_steps
      && fv_value_scalar (node->inputs[1], &c) && near (c, 1 / factor))
    return node->inputs[0];
  return NULL;
}

/* The value to which @node adds @term. */
static FvValue *
plus (const FvNode *node, double term)
{
  FvValue *other;
  float c;

  if (fv_node_is (node, "Add") && fv_node_has_scalar (node, &c, &other)
      && near (c, term))
    return other;
  return NULL;
}

static FvValue *
other_input (const FvNode *node, const FvValue *value)
{
  if (!node || node->n_inputs != 2 || node->n_steps)
    return NULL;
  return node->inputs[node->inputs[0] == value];
}

/* x / 2 (1 + erf (x / sqrt 2)), in the orders that exporters use. */
static FvNode *
match_gelu (FvNode *erf, FvValue **x)
{
  FvNode *scale = erf->inputs[0]->producer;
  FvNode *add = fv_only_user (erf->outputs[0], "Add");
  FvNode *first, *second;
  FvValue *other;
  float c;

  if (!scale || scale->n_steps || !(*x = scaled_by (scale, M_SQRT1_2)) || !add
      || !plus (add, 1) || !(first = fv_only_user (add->outputs[0], "Mul")))
    return NULL;
  other = other_input (first, add->outputs[0]);
  if (other && other->producer && scaled_by (other->producer, 0.5) == *x)
    return first; /* (x / 2) (1 + erf) */
  if (!(second = fv_only_user (first->outputs[0], NULL)))
    return NULL;
  if (other == *x && scaled_by (second, 0.5) == first->outputs[0])
    return second; /* (x (1 + erf)) / 2 */
  if (fv_value_scalar (other, &c) && near (c, 0.5) && fv_node_is (second, "Mul")
      && other_input (second, first->outputs[0]) == *x)
    return second; /* x ((1 + erf) / 2) */
  return NULL;
}

gint
fv_pass_gelu (FvIr *ir, GError **error)
{
  gint changes = 0;

  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i], *last;
    FvValue *x;

    if (!fv_node_is (node, "Erf") || node->n_steps
        || !(last = match_gelu (node, &x)))
      continue;
    fv_ir_supersede (ir, last, "Gelu", &x, 1, error);
    changes += 1 + fv_pass_dead (ir, error);
    i = 0;
  }
  return changes;
}

static gboolean
is_clip (const FvNode *node, double low, double high)
{
  float a, b;

  if (!fv_node_is (node, "Clip") || node->n_steps)
    return FALSE;
  if (node->op->max_inputs < 3) /* attributes before opset 11 */
    return near (fv_node_float (node, "min"), low)
        && near (fv_node_float (node, "max"), high);
  return fv_value_scalar (fv_node_input (node, 1), &a) && near (a, low)
      && fv_value_scalar (fv_node_input (node, 2), &b) && near (b, high);
}

/* clip (x + 3, 0, 6) */
static FvValue *
match_relu6_of_plus3 (const FvValue *value)
{
  FvNode *clip = value->producer;

  if (!clip || !is_clip (clip, 0, 6) || !clip->inputs[0]->producer)
    return NULL;
  return plus (clip->inputs[0]->producer, 3);
}

/* The gate g of x g (x); returns the operator, sets @alpha of Swish, and @last
 * where a division by six follows. */
static const char *
match_gate (FvNode *mul, const FvValue *x, const FvValue *gate, float *alpha,
    FvNode **last)
{
  FvNode *g = gate->producer, *inner;
  FvValue *clipped;

  *alpha = 1;
  *last = mul;
  if (!g || g->n_steps)
    return NULL;
  inner = g->n_inputs ? g->inputs[0]->producer : NULL;
  if (fv_node_is (g, "Sigmoid") && g->inputs[0] == x)
    return "fovea.Swish";
  if (fv_node_is (g, "Sigmoid") && fv_node_is (inner, "Mul")) {
    FvValue *other;

    return fv_node_has_scalar (inner, alpha, &other) && other == x
        ? "fovea.Swish"
        : NULL;
  }
  if (fv_node_is (g, "HardSigmoid") && g->inputs[0] == x
      && near (fv_node_float (g, "alpha"), 1.0 / 6)
      && near (fv_node_float (g, "beta"), 0.5))
    return "HardSwish";
  if (fv_node_is (g, "Tanh") && fv_node_is (inner, "Softplus")
      && !inner->n_steps && inner->inputs[0] == x)
    return "Mish";
  clipped = scaled_by (g, 1.0 / 6);
  if (clipped && match_relu6_of_plus3 (clipped) == x)
    return "HardSwish";
  *last = fv_only_user (mul->outputs[0], NULL);
  if (*last && match_relu6_of_plus3 (gate) == x
      && scaled_by (*last, 1.0 / 6) == mul->outputs[0])
    return "HardSwish";
  return NULL;
}

gint
fv_pass_swish (FvIr *ir, GError **error)
{
  gint changes = 0;

  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *mul = ir->nodes->pdata[i], *last = NULL, *made;
    const char *op = NULL;
    float alpha = 1;

    if (!fv_node_is (mul, "Mul") || mul->n_steps || mul->n_inputs != 2)
      continue;
    for (guint k = 0; k < 2 && !op; k++) {
      FvValue *x = mul->inputs[k];

      op = match_gate (mul, x, mul->inputs[1 - k], &alpha, &last);
      if (!op)
        continue;
      made = fv_ir_supersede (ir, last, op, &x, 1, error);
      if (fv_node_is (made, "fovea.Swish"))
        fv_node_set_float (made, "alpha", alpha);
    }
    if (op) {
      changes += 1 + fv_pass_dead (ir, error);
      i = 0;
    }
  }
  return changes;
}

static gboolean
is_mean_over_last (const FvNode *node)
{
  const FvShape *x;
  FvArray *axes_input;
  const gint64 *axes = NULL;
  gint64 axis;
  guint n = 0;

  if (!fv_node_is (node, "ReduceMean") || node->n_steps)
    return FALSE;
  x = &node->inputs[0]->shape;
  axes_input = fv_node_constant (node, 1);
  if (axes_input && axes_input->count == 1)
    axis = fv_array_get_int (axes_input, 0);
  else if (!axes_input && node->op->max_inputs < 2
      && (axes = fv_node_ints (node, "axes", &n)) && n == 1)
    axis = axes[0];
  else
    return FALSE;
  return fv_node_int (node, "keepdims")
      && (axis == -1 || axis == (gint64) x->rank - 1);
}

/* d = x - mean (x); d / sqrt (mean (d d) + epsilon): starts at the Div. */
static FvValue *
match_layer_norm (const FvNode *div, float *epsilon)
{
  FvNode *sub = fv_input_node (div, 0, "Sub");
  FvNode *root = fv_input_node (div, 1, "Sqrt");
  FvNode *add = root ? fv_input_node (root, 0, "Add") : NULL;
  FvNode *mean, *square, *mean_x;
  FvValue *variance;
  float two;

  if (!sub || !add || !fv_node_has_scalar (add, epsilon, &variance)
      || !(mean = variance->producer) || !is_mean_over_last (mean))
    return NULL;
  square = mean->inputs[0]->producer;
  if (!square || square->n_steps || square->n_inputs != 2
      || square->inputs[0] != sub->outputs[0])
    return NULL;
  if (!(fv_node_is (square, "Mul") && square->inputs[1] == sub->outputs[0])
      && !(fv_node_is (square, "Pow")
          && fv_value_scalar (square->inputs[1], &two) && near (two, 2)))
    return NULL;
  mean_x = sub->inputs[1]->producer;
  if (!mean_x || !is_mean_over_last (mean_x)
      || mean_x->inputs[0] != sub->inputs[0])
    return NULL;
  return sub->inputs[0];
}

/* The constant vector over the last axis beside @value in its only user. */
static FvNode *
affine_user (const FvValue *value, const char *op, FvValue **vector)
{
  FvNode *user = fv_only_user (value, op);
  gint64 size = value->shape.dims[value->shape.rank - 1];

  *vector = other_input (user, value);
  if (!*vector || !(*vector)->constant || (*vector)->shape.rank != 1
      || (*vector)->shape.dims[0] != size)
    return NULL;
  return user;
}

static gboolean
make_layer_norm (FvIr *ir, FvNode *div, FvValue *x, float epsilon,
    GError **error)
{
  FvValue *inputs[3] = { x, NULL, NULL };
  FvNode *mul = affine_user (div->outputs[0], "Mul", &inputs[1]);
  FvNode *add = mul ? affine_user (mul->outputs[0], "Add", &inputs[2]) : NULL;
  FvShape shape = { 1, { x->shape.dims[x->shape.rank - 1] } };
  FvNode *made;
  FvArray *ones;

  if (!mul) {
    if (!(inputs[1] = fv_ir_add_floats (ir, div->name, &shape, &ones)))
      return FALSE;
    for (gint64 i = 0; i < ones->count; i++)
      ones->f32[i] = 1;
  }
  made = fv_ir_supersede (ir,
      add       ? add
          : mul ? mul
                : div,
      "LayerNormalization", inputs, add ? 3 : 2, error);
  fv_node_set_int (made, "axis", -1);
  fv_node_set_float (made, "epsilon", epsilon);
  return TRUE;
}

gint
fv_pass_layer_norm (FvIr *ir, GError **error)
{
  gint changes = 0;

  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i];
    float epsilon;
    FvValue *x;

    if (!fv_node_is (node, "Div") || node->n_steps
        || !(x = match_layer_norm (node, &epsilon)))
      continue;
    if (!make_layer_norm (ir, node, x, epsilon, error))
      return -1;
    changes += 1 + fv_pass_dead (ir, error);
    i = 0;
  }
  return changes;
}
