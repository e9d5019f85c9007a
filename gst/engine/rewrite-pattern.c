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

/* x ^ 3 by Pow, or as x times its square. */
static gboolean
is_cube (const FvValue *value, const FvValue *x)
{
  FvNode *node = value->producer, *square;
  float c;

  if (!node || node->n_steps || node->n_inputs != 2)
    return FALSE;
  if (fv_node_is (node, "Pow"))
    return node->inputs[0] == x && fv_value_scalar (node->inputs[1], &c)
        && near (c, 3);
  if (!fv_node_is (node, "Mul")
      || (node->inputs[0] != x && node->inputs[1] != x))
    return FALSE;
  square = other_input (node, x)->producer;
  if (!square || square->n_steps || square->inputs[0] != x)
    return FALSE;
  return fv_node_is (square, "Mul") ? square->inputs[1] == x
      : fv_node_is (square, "Pow")
      ? fv_value_scalar (square->inputs[1], &c) && near (c, 2)
      : FALSE;
}

/* x where @node is tanh (sqrt (2 / pi) (x + 0.044715 x^3)) or
 * erf (x / sqrt 2) */
static FvValue *
match_inside_gelu (const FvNode *node)
{
  FvNode *scale = node->inputs[0]->producer, *sum;
  FvValue *inside;

  if (!scale || scale->n_steps)
    return NULL;
  if (fv_node_is (node, "Erf"))
    return scaled_by (scale, M_SQRT1_2);
  inside = scaled_by (scale, M_2_SQRTPI * M_SQRT1_2);
  sum = inside ? inside->producer : NULL;
  if (!fv_node_is (sum, "Add") || sum->n_steps || sum->n_inputs != 2)
    return NULL;
  for (guint k = 0; k < 2; k++) {
    FvNode *cubic = sum->inputs[1 - k]->producer;
    FvValue *cube =
        cubic && !cubic->n_steps ? scaled_by (cubic, 0.044715) : NULL;

    if (cube && is_cube (cube, sum->inputs[k]))
      return sum->inputs[k];
  }
  return NULL;
}

/* x / 2 (1 + f (x)), in the orders that exporters use. */
static FvNode *
match_gelu (FvNode *f, FvValue **x)
{
  FvNode *add = fv_only_user (f->outputs[0], "Add");
  FvNode *first, *second;
  FvValue *other;
  float c;

  if (!add || !plus (add, 1) || !(first = fv_only_user (add->outputs[0], "Mul"))
      || !(*x = match_inside_gelu (f)))
    return NULL;
  other = other_input (first, add->outputs[0]);
  if (other && other->producer && scaled_by (other->producer, 0.5) == *x)
    return first; /* (x / 2) (1 + f) */
  if (!(second = fv_only_user (first->outputs[0], NULL)))
    return NULL;
  if (other == *x && scaled_by (second, 0.5) == first->outputs[0])
    return second; /* (x (1 + f)) / 2 */
  if (fv_value_scalar (other, &c) && near (c, 0.5) && fv_node_is (second, "Mul")
      && other_input (second, first->outputs[0]) == *x)
    return second; /* x ((1 + f) / 2) */
  return NULL;
}

gint
fv_pass_gelu (FvIr *ir, GError **error)
{
  gint changes = 0;

  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i], *last, *made;
    FvValue *x;

    if ((!fv_node_is (node, "Erf") && !fv_node_is (node, "Tanh"))
        || node->n_steps || !(last = match_gelu (node, &x)))
      continue;
    made = fv_ir_supersede (ir, last, "Gelu", &x, 1, error);
    if (fv_node_is (node, "Tanh"))
      fv_node_set_string (made, "approximate", "tanh");
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
