/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arithmetic of two or more tensors, broadcast as numpy does. */
#include "gst/ops/common.h"
#include "gst/ops/elementwise.h"

#include <math.h>

typedef enum
{
  ADD,
  SUB,
  MUL,
  DIV,
  POW,
  MOD,
  MIN_OF,
  MAX_OF,
  SUM,
  MEAN,
  PRELU,
} BinaryKind;

static double
float_value (const FvNode *node, double a, double b)
{
  switch (node->op->variant) {
    case ADD:
    case SUM:
    case MEAN:
      return a + b;
    case SUB:
      return a - b;
    case MUL:
      return a * b;
    case DIV:
      return a / b;
    case POW:
      return pow (a, b);
    case MOD:
      return fv_node_int (node, "fmod") ? fmod (a, b) : a - floor (a / b) * b;
    case MIN_OF:
      return isnan (a) || a < b ? a : b;
    case MAX_OF:
      return isnan (a) || a > b ? a : b;
    case PRELU:
      return a < 0 ? b * a : a;
    default:
      g_assert_not_reached ();
  }
}

/* @base to the power of @exponent, wrapping; fractions are truncated. */
static gint64
int_power (gint64 base, gint64 exponent)
{
  guint64 result = 1, square = base;

  if (exponent < 0)
    return base == 1 ? 1 : base == -1 ? (exponent & 1 ? -1 : 1) : 0;
  for (; exponent; exponent >>= 1, square *= square)
    if (exponent & 1)
      result *= square;
  return result;
}

/* The remainder with the divisor's sign, or the dividend's if @truncated. */
static gint64
int_modulo (gint64 a, gint64 b, gboolean truncated)
{
  gint64 rest = b == -1 ? 0 : a % b;

  return !truncated && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

/* Sums, differences and products wrap; @b is not 0 for divisions. */
static gint64
int_value (const FvNode *node, gint64 a, gint64 b)
{
  switch (node->op->variant) {
    case ADD:
      return (guint64) a + (guint64) b;
    case SUB:
      return (guint64) a - (guint64) b;
    case MUL:
      return (guint64) a * (guint64) b;
    case DIV:
      return b == -1 ? (gint64) - (guint64) a : a / b;
    case POW:
      return int_power (a, b);
    case MOD:
      return int_modulo (a, b, fv_node_int (node, "fmod") != 0);
    case MIN_OF:
      return MIN (a, b);
    case MAX_OF:
      return MAX (a, b);
    case PRELU:
      return a < 0 ? (gint64) ((guint64) a * (guint64) b) : a;
    default:
      g_assert_not_reached ();
  }
}

static gboolean
infer_binary (FvNode *node, GError **error)
{
  if (!fv_infer_broadcast (node, error))
    return FALSE;
  if (node->inputs[0]->type == FV_TYPE_BOOL)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the inputs are of type bool");
  if ((node->op->variant == SUM || node->op->variant == MEAN)
      && !fv_type_is_float (node->inputs[0]->type))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the inputs are of type %s", fv_type_name (node->inputs[0]->type));
  if (node->op->variant == PRELU
      && !fv_shape_equal (&node->outputs[0]->shape, &node->inputs[0]->shape))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the slope does not broadcast to the input's shape");
  return TRUE;
}

static gboolean
infer_pow (FvNode *node, GError **error)
{
  FvShape shape;

  if (!fv_node_broadcast (node, &node->inputs[0]->shape,
          &node->inputs[1]->shape, &shape, error)
      || !fv_node_check_shape (node, &shape, error))
    return FALSE;
  if (node->inputs[0]->type == FV_TYPE_BOOL
      || node->inputs[1]->type == FV_TYPE_BOOL)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the inputs are of type bool");
  fv_set_output (node, 0, node->inputs[0]->type, &shape);
  return TRUE;
}

/* @out = @a and @b through the operator; @a may be @out itself. */
static gboolean
apply (FvNode *node, FvArray *out, const FvArray *a, const FvArray *b,
    GError **error)
{
  gboolean divides = node->op->variant == DIV || node->op->variant == MOD;
  FvWalk walk;

  fv_walk_begin (&walk, &out->shape);
  fv_walk_add (&walk, &a->shape);
  fv_walk_add (&walk, &b->shape);
  for (gint64 i = 0; i < out->count; i++, fv_walk_next (&walk)) {
    gint64 at = walk.at[0], bt = walk.at[1];

    if (a->type == FV_TYPE_F32)
      out->f32[i] = float_value (node, a->f32[at],
          b->type == FV_TYPE_F32 ? b->f32[bt] : (double) b->i64[bt]);
    else if (b->type == FV_TYPE_F32)
      out->i64[i] = fv_truncate (float_value (node, a->i64[at], b->f32[bt]));
    else if (divides && b->i64[bt] == 0)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "an integer is divided by zero");
    else
      out->i64[i] = int_value (node, a->i64[at], b->i64[bt]);
  }
  return TRUE;
}

static gboolean
binary (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  FvArray *out = outputs[0];

  if (node->n_own_inputs == 1)
    fv_move_all (out, inputs[0]);
  for (guint i = 1; i < node->n_own_inputs; i++)
    if (!apply (node, out, i == 1 ? inputs[0] : out, inputs[i], error))
      return FALSE;
  if (node->op->variant == MEAN)
    for (gint64 i = 0; i < out->count; i++)
      out->f32[i] /= node->n_own_inputs;
  return TRUE;
}

/* The step where the running value is the left (@main 0) or right operand, and
 * input @other the other one. */
static guint
step_kind (guint op, guint main)
{
  switch (op) {
    case SUB:
      return main ? FV_STEP_RSUB : FV_STEP_SUB;
    case MUL:
      return FV_STEP_MUL;
    case DIV:
      return main ? FV_STEP_RDIV : FV_STEP_DIV;
    case POW:
      return main ? FV_STEP_RPOW_Y : FV_STEP_POW_Y;
    case MIN_OF:
      return FV_STEP_MIN;
    case MAX_OF:
      return FV_STEP_MAX;
    case PRELU:
      return FV_STEP_PRELU;
    case MOD:
      return FV_STEP_MOD;
    default:
      return FV_STEP_ADD;
  }
}

/* The same with a constant, if there is a step for that. */
static gboolean
constant_step (guint op, guint main, float c, FvStep *step)
{
  *step = (FvStep){ FV_STEP_AFFINE, 1, 0, -1 };
  switch (op) {
    case ADD:
    case SUM:
    case MEAN:
      step->b = c;
      return TRUE;
    case SUB:
      step->a = main ? -1 : 1;
      step->b = main ? c : -c;
      return TRUE;
    case MUL:
      step->a = c;
      return TRUE;
    case DIV:
      step->kind = main ? FV_STEP_RECIPROCAL : FV_STEP_AFFINE;
      step->a = 1 / c;
      return main ? c == 1 : isfinite (step->a);
    case POW:
      step->kind = FV_STEP_POW;
      step->a = c;
      return main == 0;
    case MIN_OF:
      *step = (FvStep){ FV_STEP_CLIP, -INFINITY, c, -1 };
      return TRUE;
    case MAX_OF:
      *step = (FvStep){ FV_STEP_CLIP, c, INFINITY, -1 };
      return TRUE;
    case PRELU:
      step->kind = FV_STEP_LEAKY_RELU;
      step->a = c;
      return TRUE;
    default:
      return FALSE;
  }
}

static void
binary_step (const FvNode *node, guint main, guint other, FvStep *step)
{
  FvArray *constant = fv_node_constant (node, other);

  if (constant && constant->count == 1
      && constant_step (node->op->variant, main,
          fv_array_get_float (constant, 0), step))
    return;
  *step = (FvStep){ step_kind (node->op->variant, main), 0, 0, other };
}

static gboolean
to_step (const FvNode *node, guint main, FvStep *step)
{
  guint op = node->op->variant;

  if (node->n_own_inputs != 2 || main > 1 || op == MEAN || op == MOD
      || (op == PRELU && main == 1)
      || !fv_shape_equal (&node->inputs[main]->shape, &node->outputs[0]->shape))
    return FALSE;
  binary_step (node, main, 1 - main, step);
  return TRUE;
}

/* The input to start from: the largest that is no constant. */
static guint
main_input (const FvNode *node)
{
  guint best = 0;

  if (node->op->variant == PRELU || node->op->variant == MOD)
    return 0;
  for (guint i = 1; i < node->n_own_inputs; i++) {
    FvValue *value = node->inputs[i], *other = node->inputs[best];

    if (!value->constant
        && (other->constant
            || fv_shape_count (&value->shape) > fv_shape_count (&other->shape)))
      best = i;
  }
  return best;
}

/* What brings sums and products of narrow integers back into their range. FALSE
 * where it is not known to do. */
static gboolean
wrap_step (const FvNode *node, FvStep *step)
{
  FvType type = node->outputs[0]->type;
  guint bits = type == FV_TYPE_U8 || type == FV_TYPE_I8 ? 8 : 16;
  gboolean has_sign = type == FV_TYPE_I8 || type == FV_TYPE_I16;
  guint op = node->op->variant;

  *step = (FvStep){ FV_STEP_WRAP, has_sign ? -(1 << (bits - 1)) : 0, 1 << bits,
    -1 };
  return op == ADD || op == SUB || (op == MUL && bits == 8);
}

static gboolean
is_narrow (FvType type)
{
  return type == FV_TYPE_U8 || type == FV_TYPE_I8 || type == FV_TYPE_U16
      || type == FV_TYPE_I16;
}

/* Integers are whole floats on the device. */
static gboolean
lower_integers (FvPlan *plan, FvNode *node, FvStep *steps, guint n, guint main,
    GError **error)
{
  guint op = node->op->variant;

  for (guint i = 0; i < node->n_own_inputs; i++)
    if (!fv_node_check_integers (node, node->inputs[i], error))
      return FALSE;
  if (op == DIV)
    steps[0] = (FvStep){ FV_STEP_INTEGER_DIV, 0, 0, 1 };
  else if (op == MOD)
    steps[0].kind =
        fv_node_int (node, "fmod") ? FV_STEP_INTEGER_REST : FV_STEP_INTEGER_MOD;
  else if (op == POW)
    steps[n++] = (FvStep){ FV_STEP_ROUND, 0, 0, -1 };
  if (is_narrow (node->outputs[0]->type)
      && (op == ADD || op == SUB || op == MUL || op == POW)
      && !wrap_step (node, &steps[n++]))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "may go far out of the range of %s",
        fv_type_name (node->outputs[0]->type));
  return fv_elementwise_lower (plan, node, op == DIV ? 0 : main, steps, n,
      error);
}

static gboolean
lower_binary (FvPlan *plan, FvNode *node, GError **error)
{
  g_autofree FvStep *steps = g_new0 (FvStep, node->n_own_inputs + 3);
  guint main = main_input (node), n = 0;

  for (guint i = 0; i < node->n_own_inputs; i++)
    if (i != main)
      binary_step (node, main, i, &steps[n++]);
  if (node->op->variant == MEAN)
    steps[n++] = (FvStep){ FV_STEP_AFFINE, 1.0f / node->n_own_inputs, 0, -1 };
  if (node->op->variant == MOD && fv_node_int (node, "fmod"))
    steps[0].kind = FV_STEP_REST;
  if (fv_value_is_integer (node->outputs[0]))
    return lower_integers (plan, node, steps, n, main, error);
  return fv_elementwise_lower (plan, node, main, steps, n, error);
}

#define BINARY_DEVICE \
  .flags = FV_OP_TAKES_STEPS, .lower = lower_binary, .to_step = to_step
#define BINARY(op_name, opset, kind, inputs, attributes) \
  .name = op_name, .since = opset, .variant = kind, .min_inputs = inputs, \
  .max_inputs = inputs == 1 ? G_MAXUINT : inputs, .attrs = attributes, \
  .infer = infer_binary, .reference = binary, BINARY_DEVICE

/* On either side a scalar; both at run time, divisors that are not 0. */
#define INTEGER_CASES \
  { .inputs = "i64[2,3,5] =i64(7)", .low = -99, .high = 99 }, \
      { .inputs = "=i64(-9000) i64[2,3,5]", .low = 1, .high = 99 }, \
  { \
    .inputs = "i64[3,7] i64[2,1,7]", .low = 1, .high = 999 \
  }

/* Two maps; a vector of the channels on either side; a scalar on either side;
 * both broadcast; an inner axis of one. */
#define CASES(low_, high_) \
  .cases = FV_CASES ( \
      { .inputs = "f32[2,3,5,7] f32[2,3,5,7]", .low = low_, .high = high_ }, \
      { .inputs = "f32[1,9,4,6] =f32[9,1,1]", .low = low_, .high = high_ }, \
      { .inputs = "=f32[1,5] f32[2,3,5]", .low = low_, .high = high_ }, \
      { .inputs = "f32[2,3,5] =f32(1.5)", .low = low_, .high = high_ }, \
      { .inputs = "=f32(1.5) f32[2,3,5]", .low = low_, .high = high_ }, \
      { .inputs = "f32[3,1,5] f32[2,1,7,1]", .low = low_, .high = high_ }, \
      { .inputs = "f32[2,6,9] f32[2,6,1]", .low = low_, .high = high_ }, \
      INTEGER_CASES)

#define FLOAT_CASES \
  .cases = FV_CASES ( \
      { .inputs = "f32[2,3,5,7] f32[2,3,5,7]", .low = -2, .high = 2 }, \
      { .inputs = "f32[1,9,4,6] =f32[9,1,1]", .low = -2, .high = 2 }, \
      { .inputs = "f32[2,6,9] f32[2,6,1]", .low = -2, .high = 2 })

const FvOp fv_ops_binary[] = {
  { BINARY ("Add", 7, ADD, 2, ""), CASES (-2, 2) },
  { BINARY ("Sub", 7, SUB, 2, ""), CASES (-2, 2) },
  { BINARY ("Mul", 7, MUL, 2, ""), CASES (-2, 2) },
  { BINARY ("Div", 7, DIV, 2, ""), CASES (0.5, 2) },
  { .name = "Pow",
      .since = 7,
      .variant = POW,
      .min_inputs = 2,
      .attrs = "",
      .infer = infer_pow,
      .reference = binary,
      BINARY_DEVICE,
      .cases =
          FV_CASES ({ .inputs = "f32[2,3,5] =f32(2)", .low = -2, .high = 2 },
              { .inputs = "f32[2,3,5] =f32(0.5)", .low = 0.1, .high = 2 },
              { .inputs = "f32[2,3,5] f32[3,1]", .low = 0.5, .high = 2 },
              { .inputs = "=f32(1.5) f32[2,3,5]", .low = -2, .high = 2 },
              { .inputs = "i64[2,3,5] =i64(3)", .low = -9, .high = 9 }) },
  { BINARY ("Mod", 10, MOD, 2, "fmod:i=0"),
      .cases =
          FV_CASES ({ .inputs = "f32[2,3,5] f32[3,5]", .low = 0.5, .high = 2 },
              { .inputs = "f32[2,3,5] =f32(-0.75)",
                  .attrs = "fmod=1",
                  .low = -2,
                  .high = 2 },
              { .inputs = "i64[2,3,5] =i64(7)", .low = -99, .high = 99 },
              { .inputs = "i64[2,3,5] =i64(-7)",
                  .attrs = "fmod=1",
                  .low = -99,
                  .high = 99 },
              { .inputs = "i32[9,7] i32[9,1]", .low = 1, .high = 9999 }) },
  { BINARY ("Min", 6, MIN_OF, 1, ""), CASES (-2, 2) },
  { BINARY ("Max", 6, MAX_OF, 1, ""), CASES (-2, 2) },
  { BINARY ("Sum", 6, SUM, 1, ""), FLOAT_CASES },
  { BINARY ("Mean", 6, MEAN, 1, ""), FLOAT_CASES },
  { BINARY ("PRelu", 7, PRELU, 2, ""),
      .cases = FV_CASES (
          { .inputs = "f32[1,9,4,6] =f32[9,1,1]", .low = -2, .high = 2 },
          { .inputs = "f32[2,3,5] =f32[1]", .low = -2, .high = 2 },
          { .inputs = "f32[2,3,5] f32[3,5]", .low = -2, .high = 2 }) },
  {},
};
