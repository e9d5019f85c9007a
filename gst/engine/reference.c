/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running nodes and whole graphs through the operators' plain C references. */
#include "gst/engine/ir-private.h"

#include <math.h>

FvType
fv_reference_type (FvType type)
{
  if (fv_type_is_float (type))
    return FV_TYPE_F32;
  return type == FV_TYPE_BOOL ? FV_TYPE_BOOL : FV_TYPE_I64;
}

FvArray *
fv_value_floats (const FvValue *value, GError **error)
{
  return fv_array_convert (value->constant, fv_reference_type (value->type),
      error);
}

static double
sigmoid (double x)
{
  return 1 / (1 + exp (-x));
}

static double
softplus (double x)
{
  return fmax (x, 0) + log1p (exp (-fabs (x)));
}

static double
arc_or_hyperbolic (guint kind, double v)
{
  switch (kind) {
    case FV_STEP_TAN:
      return tan (v);
    case FV_STEP_ASIN:
      return asin (v);
    case FV_STEP_ACOS:
      return acos (v);
    case FV_STEP_ATAN:
      return atan (v);
    case FV_STEP_SINH:
      return sinh (v);
    case FV_STEP_COSH:
      return cosh (v);
    case FV_STEP_ASINH:
      return asinh (v);
    case FV_STEP_ACOSH:
      return acosh (v);
    case FV_STEP_ATANH:
      return atanh (v);
  }
  g_assert_not_reached ();
}

static double
unary_step (const FvStep *s, double v)
{
  const double a = s->a, b = s->b;

  if (s->kind >= FV_STEP_TAN && s->kind <= FV_STEP_ATANH)
    return arc_or_hyperbolic (s->kind, v);
  switch (s->kind) {
    case FV_STEP_RELU:
      return v < 0 ? 0 : v;
    case FV_STEP_LEAKY_RELU:
      return v < 0 ? a * v : v;
    case FV_STEP_CLIP:
      return v < a ? a : v > b ? b : v;
    case FV_STEP_SIGMOID:
      return sigmoid (v);
    case FV_STEP_HARD_SIGMOID:
      return fmax (0, fmin (1, a * v + b));
    case FV_STEP_SWISH:
      return v * sigmoid (a * v);
    case FV_STEP_HARD_SWISH:
      return v * fmax (0, fmin (1, v / 6 + 0.5));
    case FV_STEP_GELU:
      return 0.5 * v * (1 + erf (v * M_SQRT1_2));
    case FV_STEP_GELU_TANH:
      return 0.5 * v * (1 + tanh (sqrt (M_2_PI) * (v + 0.044715 * v * v * v)));
    case FV_STEP_TANH:
      return tanh (v);
    case FV_STEP_ERF:
      return erf (v);
    case FV_STEP_EXP:
      return exp (v);
    case FV_STEP_LOG:
      return log (v);
    case FV_STEP_SQRT:
      return sqrt (v);
    case FV_STEP_RECIPROCAL:
      return 1 / v;
    case FV_STEP_ABS:
      return fabs (v);
    case FV_STEP_FLOOR:
      return floor (v);
    case FV_STEP_CEIL:
      return ceil (v);
    case FV_STEP_ROUND:
      return nearbyint (v);
    case FV_STEP_SIGN:
      return v > 0 ? 1 : v < 0 ? -1 : v;
    case FV_STEP_SIN:
      return sin (v);
    case FV_STEP_COS:
      return cos (v);
    case FV_STEP_SOFTPLUS:
      return softplus (v);
    case FV_STEP_ELU:
      return v < 0 ? a * expm1 (v) : b * v;
    case FV_STEP_MISH:
      return v * tanh (softplus (v));
    case FV_STEP_AFFINE:
      return a * v + b;
    case FV_STEP_POW:
      return pow (v, a);
    case FV_STEP_SOFTSIGN:
      return v / (1 + fabs (v));
    case FV_STEP_THRESHOLD:
      return v > a ? v : 0;
    case FV_STEP_SHRINK:
      return v < -a ? v + b : v > a ? v - b : 0;
    case FV_STEP_IS_NAN:
      return isnan (v) != 0;
    case FV_STEP_IS_INF:
      return isinf (v) ? (v > 0 ? a : b) : 0;
    case FV_STEP_WRAP:
      return v - b * floor ((v - a) / b);
    case FV_STEP_TRUNCATE:
      return trunc (v);
    case FV_STEP_QUANTIZE: /* in f32, as QuantizeLinear rounds */
      v = nearbyintf ((float) v / s->a);
      return s->a * (float) (v < b ? b : v > b + 255 ? b + 255 : v);
  }
  g_assert_not_reached ();
}

static double
binary_step (guint kind, double v, double y)
{
  switch (kind) {
    case FV_STEP_ADD:
      return v + y;
    case FV_STEP_SUB:
      return v - y;
    case FV_STEP_RSUB:
      return y - v;
    case FV_STEP_MUL:
      return v * y;
    case FV_STEP_DIV:
      return v / y;
    case FV_STEP_RDIV:
      return y / v;
    case FV_STEP_MAX:
      return v > y ? v : y;
    case FV_STEP_MIN:
      return v < y ? v : y;
    case FV_STEP_POW_Y:
      return pow (v, y);
    case FV_STEP_RPOW_Y:
      return pow (y, v);
    case FV_STEP_PRELU:
      return v < 0 ? v * y : v;
    case FV_STEP_EQUAL:
      return v == y;
    case FV_STEP_LESS:
      return v < y;
    case FV_STEP_LESS_OR_EQUAL:
      return v <= y;
    case FV_STEP_GREATER:
      return v > y;
    case FV_STEP_GREATER_OR_EQUAL:
      return v >= y;
    case FV_STEP_INTEGER_DIV:
      return y == 0 ? 0 : trunc (v / y);
    case FV_STEP_MOD:
      return v - y * floor (v / y);
    case FV_STEP_REST:
      return fmod (v, y);
    case FV_STEP_INTEGER_MOD:
      return y == 0 ? 0 : v - y * floor (v / y);
    case FV_STEP_INTEGER_REST:
      return y == 0 ? 0 : fmod (v, y);
    case FV_STEP_AND:
      return (gint64) v & (gint64) y;
    case FV_STEP_OR:
      return (gint64) v | (gint64) y;
    case FV_STEP_XOR:
      return (gint64) v ^ (gint64) y;
    case FV_STEP_SHIFT_LEFT:
      return y > 31 ? 0 : (guint32) v << (guint) y;
    case FV_STEP_SHIFT_RIGHT:
      return y > 31 ? 0 : (guint32) v >> (guint) y;
  }
  g_assert_not_reached ();
}

double
fv_step_value (const FvStep *step, double v, double y)
{
  return FV_STEP_HAS_OPERAND (step->kind) ? binary_step (step->kind, v, y)
                                          : unary_step (step, v);
}

/* Offset in an array of shape @from of the element that numpy's broadcasting
 * pairs with element @i of @to. */
static gint64
broadcast_index (const FvShape *from, const FvShape *to, gint64 i)
{
  gint64 offset = 0, stride = 1;

  for (guint d = 0; d < to->rank; d++) {
    gint64 size = to->dims[to->rank - 1 - d], at = i % size;

    i /= size;
    if (d < from->rank && from->dims[from->rank - 1 - d] != 1)
      offset += at * stride;
    if (d < from->rank)
      stride *= from->dims[from->rank - 1 - d];
  }
  return offset;
}

static void
apply_step (const FvStep *step, FvArray *y, FvArray *result)
{
  for (gint64 i = 0; i < result->count; i++)
    result->f32[i] = fv_step_value (step, result->f32[i],
        y ? y->f32[broadcast_index (&y->shape, &result->shape, i)] : 0);
}

gboolean
fv_node_reference (FvNode *node, FvArray **inputs, FvArray **outputs,
    GError **error)
{
  gboolean ok = TRUE;

  for (guint i = 0; i < node->n_outputs; i++)
    outputs[i] = NULL;
  if (!node->op->reference)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED, "has no reference");
  for (guint i = 0; ok && i < node->n_outputs; i++)
    if (node->outputs[i])
      ok = (outputs[i] =
                   fv_array_new (fv_reference_type (node->outputs[i]->type),
                       &node->outputs[i]->shape, error))
          != NULL;
  if (ok)
    ok = node->op->reference (node, inputs, outputs, error);
  for (guint i = 0; ok && i < node->n_outputs; i++) {
    FvType type = node->outputs[i] ? node->outputs[i]->type : FV_TYPE_F32;
    g_autoptr (FvArray) narrow = NULL;

    if (type == FV_TYPE_I64 || outputs[i] == NULL
        || fv_reference_type (type) != FV_TYPE_I64)
      continue;
    ok = (narrow = fv_array_convert (outputs[i], type, error)) != NULL;
    g_clear_pointer (&outputs[i], fv_array_unref);
    if (ok)
      ok = (outputs[i] = fv_array_convert (narrow, FV_TYPE_I64, error)) != NULL;
  }
  for (guint s = 0; ok && s < node->n_steps; s++)
    apply_step (&node->steps[s],
        node->steps[s].input < 0 ? NULL : inputs[node->steps[s].input],
        outputs[0]);
  if (!ok)
    for (guint i = 0; i < node->n_outputs; i++)
      g_clear_pointer (&outputs[i], fv_array_unref);
  return ok;
}

/* A run through the references: arrays by value, dropped after the last use. */
typedef struct
{
  GHashTable *arrays; /* FvValue * -> FvArray * */
  GHashTable *uses; /* FvValue * -> uses left + 1 */
  gboolean round_f16;
} Run;

static FvArray *
rounded (FvArray *array, gboolean round_f16)
{
  if (round_f16 && array->type == FV_TYPE_F32)
    for (gint64 i = 0; i < array->count; i++)
      array->f32[i] = fv_f16_to_f32 (fv_f32_to_f16 (array->f32[i]));
  return array;
}

static FvArray *
run_get (Run *run, FvValue *value, GError **error)
{
  FvArray *array = g_hash_table_lookup (run->arrays, value);

  if (array || !value->constant)
    return array;
  array = fv_value_floats (value, error);
  if (array && run->round_f16 && array->type == FV_TYPE_F32) {
    FvArray *half = fv_array_convert (array, FV_TYPE_F16, error);

    fv_array_unref (array);
    array = half ? fv_array_convert (half, FV_TYPE_F32, error) : NULL;
    fv_array_unref (half);
  }
  if (array)
    g_hash_table_insert (run->arrays, value, array);
  return array;
}

static void
run_drop (Run *run, FvNode *node)
{
  for (guint i = 0; i < node->n_inputs; i++) {
    FvValue *value = node->inputs[i];
    guint left;

    if (!value || value->is_output)
      continue;
    left = GPOINTER_TO_UINT (g_hash_table_lookup (run->uses, value));
    if (!left)
      left = value->users->len + 1;
    left--;
    g_hash_table_insert (run->uses, value, GUINT_TO_POINTER (left));
    if (left == 1)
      g_hash_table_remove (run->arrays, value);
  }
}

static gboolean
run_node (Run *run, FvNode *node, FvVisit visit, gpointer data, GError **error)
{
  g_autofree FvArray **in = g_new0 (FvArray *, node->n_inputs + 1);
  g_autofree FvArray **out = g_new0 (FvArray *, node->n_outputs + 1);

  for (guint i = 0; i < node->n_inputs; i++)
    if (node->inputs[i] && !(in[i] = run_get (run, node->inputs[i], error)))
      return FALSE;
  if (!fv_node_reference (node, in, out, error))
    return FALSE;
  for (guint i = 0; i < node->n_outputs; i++)
    if (out[i])
      g_hash_table_insert (run->arrays, node->outputs[i],
          rounded (out[i], run->round_f16));
  if (visit)
    visit (node, out, data);
  run_drop (run, node);
  return TRUE;
}

static gboolean
run_outputs (Run *run, FvIr *ir, FvArray **outputs, GError **error)
{
  for (guint i = 0; i < ir->outputs->len; i++) {
    FvValue *value = ir->outputs->pdata[i];
    FvArray *array = run_get (run, value, error);

    if (!array
        || !(outputs[i] =
                 fv_array_convert (array, fv_value_declared (value), error)))
      return FALSE;
  }
  return TRUE;
}

gboolean
fv_ir_run_reference (FvIr *ir, FvArray *const *inputs, FvArray **outputs,
    gboolean round_f16, FvVisit visit, gpointer data, GError **error)
{
  Run run = { g_hash_table_new_full (NULL, NULL, NULL,
                  (GDestroyNotify) fv_array_unref),
    g_hash_table_new (NULL, NULL), round_f16 };
  gboolean ok = TRUE;

  for (guint i = 0; i < ir->outputs->len; i++)
    outputs[i] = NULL;
  for (guint i = 0; ok && i < ir->inputs->len; i++) {
    FvValue *value = ir->inputs->pdata[i];
    FvType type = round_f16 && fv_type_is_float (value->type) ? FV_TYPE_F16
                                                              : inputs[i]->type;
    g_autoptr (FvArray) stored = fv_array_convert (inputs[i], type, error);
    FvArray *array = stored
        ? fv_array_convert (stored, fv_reference_type (value->type), error)
        : NULL;

    if ((ok = array != NULL))
      g_hash_table_insert (run.arrays, value, array);
  }
  for (guint i = 0; ok && i < ir->nodes->len; i++)
    ok = run_node (&run, ir->nodes->pdata[i], visit, data, error);
  if (ok)
    ok = run_outputs (&run, ir, outputs, error);
  g_hash_table_unref (run.arrays);
  g_hash_table_unref (run.uses);
  if (!ok)
    for (guint i = 0; i < ir->outputs->len; i++)
      g_clear_pointer (&outputs[i], fv_array_unref);
  return ok;
}
