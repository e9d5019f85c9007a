/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elementwise operators of one tensor. */
#include "gst/ops/common.h"
#include "gst/ops/elementwise.h"

#include <math.h>
#include <string.h>

/* Variants beyond the steps of shared.h. */
enum
{
  NEG = 256,
  SELU,
  CELU,
  GELU,
};

/* How opsets give Clip its bounds. */
enum
{
  CLIP_ATTRIBUTES = 512,
  CLIP_INPUTS,
};

static double
clip (double x, double low, double high)
{
  /* In this order, so that NaN stays, and high wins where low is above it. */
  x = x < low ? low : x;
  return x > high ? high : x;
}

/* The integers among them. */
static gint64
int_value (guint variant, gint64 x)
{
  switch (variant) {
    case FV_STEP_RELU:
      return MAX (x, 0);
    case FV_STEP_ABS:
      return x < 0 ? (gint64) - (guint64) x : x;
    case FV_STEP_SIGN:
      return (x > 0) - (x < 0);
    case NEG:
      return (gint64) - (guint64) x;
    default:
      g_assert_not_reached ();
  }
}

static gboolean
takes_ints (guint variant)
{
  return variant == FV_STEP_RELU || variant == FV_STEP_ABS
      || variant == FV_STEP_SIGN || variant == NEG;
}

/* The bounds of a Clip; FALSE where they are not known before the run. */
static gboolean
clip_bounds (const FvNode *node, float *low, float *high)
{
  *low = -INFINITY;
  *high = INFINITY;
  if (node->op->variant == CLIP_ATTRIBUTES) {
    *low = fv_node_float (node, "min");
    *high = fv_node_float (node, "max");
    return TRUE;
  }
  for (guint i = 1; i < 3; i++) {
    FvArray *bound = fv_node_constant (node, i);

    if (bound && bound->count == 1)
      *(i == 1 ? low : high) = fv_array_get_float (bound, 0);
    else if (i < node->n_own_inputs && node->inputs[i])
      return FALSE;
  }
  return TRUE;
}

/* The node as one step, its attributes read. */
static gboolean
unary_step (const FvNode *node, guint main, FvStep *step)
{
  *step = (FvStep){ .kind = node->op->variant, .input = -1 };
  switch (node->op->variant) {
    case FV_STEP_LEAKY_RELU:
    case FV_STEP_SWISH:
    case FV_STEP_THRESHOLD:
      step->a = fv_node_float (node, "alpha");
      return TRUE;
    case FV_STEP_HARD_SIGMOID:
      step->a = fv_node_float (node, "alpha");
      step->b = fv_node_float (node, "beta");
      return TRUE;
    case FV_STEP_QUANTIZE:
      step->a = fv_node_float (node, "scale");
      step->b = fv_node_float (node, "low");
      return TRUE;
    case FV_STEP_ELU:
      step->a = fv_node_float (node, "alpha");
      step->b = 1;
      return TRUE;
    case NEG:
      *step = (FvStep){ FV_STEP_AFFINE, -1, 0, -1 };
      return TRUE;
    case SELU:
      step->kind = FV_STEP_ELU;
      step->b = fv_node_float (node, "gamma");
      step->a = step->b * fv_node_float (node, "alpha");
      return TRUE;
    case CELU:
      step->kind = FV_STEP_ELU;
      step->a = step->b = 1;
      return fv_node_float (node, "alpha") == 1;
    case GELU:
      step->kind = strcmp (fv_node_string (node, "approximate"), "tanh")
          ? FV_STEP_GELU
          : FV_STEP_GELU_TANH;
      return TRUE;
    case CLIP_ATTRIBUTES:
    case CLIP_INPUTS:
      step->kind = FV_STEP_CLIP;
      return main == 0 && clip_bounds (node, &step->a, &step->b);
    default:
      return TRUE;
  }
}

static gboolean
infer_unary (FvNode *node, GError **error)
{
  FvType type = node->inputs[0]->type;

  if (!fv_type_is_float (type)
      && (type == FV_TYPE_BOOL || !takes_ints (node->op->variant)))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the input is of type %s", fv_type_name (type));
  if (node->op->variant == GELU
      && strcmp (fv_node_string (node, "approximate"), "none")
      && strcmp (fv_node_string (node, "approximate"), "tanh"))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "approximate is \"%s\"; none and tanh are known",
        fv_node_string (node, "approximate"));
  return fv_infer_same (node, error);
}

static gboolean
unary (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  double alpha = node->op->variant == CELU ? fv_node_float (node, "alpha") : 1;
  FvStep step;

  if (inputs[0]->type != FV_TYPE_F32) {
    for (gint64 i = 0; i < outputs[0]->count; i++)
      outputs[0]->i64[i] = int_value (node->op->variant, inputs[0]->i64[i]);
    return TRUE;
  }
  unary_step (node, 0, &step);
  /* Celu is Elu of x / alpha, times alpha. */
  for (gint64 i = 0; i < outputs[0]->count; i++)
    outputs[0]->f32[i] =
        alpha * fv_step_value (&step, inputs[0]->f32[i] / alpha, 0);
  return TRUE;
}

static gboolean
lower_unary (FvPlan *plan, FvNode *node, GError **error)
{
  FvStep steps[3] = { 0 };
  float alpha;

  if (unary_step (node, 0, &steps[0]))
    return fv_elementwise_lower (plan, node, 0, steps, 1, error);
  if (node->op->variant == CELU) {
    alpha = fv_node_float (node, "alpha");
    steps[1] = steps[0];
    steps[0] = (FvStep){ FV_STEP_AFFINE, 1 / alpha, 0, -1 };
    steps[2] = (FvStep){ FV_STEP_AFFINE, alpha, 0, -1 };
    return fv_elementwise_lower (plan, node, 0, steps, 3, error);
  }
  return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
      "its bounds must be known when the model is loaded");
}

static gboolean
infer_clip (FvNode *node, GError **error)
{
  if (node->inputs[0]->type == FV_TYPE_BOOL
      || (node->op->variant == CLIP_ATTRIBUTES
          && !fv_type_is_float (node->inputs[0]->type)))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the input is of type %s", fv_type_name (node->inputs[0]->type));
  for (guint i = 1; i < node->n_own_inputs; i++)
    if (node->inputs[i]
        && (fv_shape_count (&node->inputs[i]->shape) != 1
            || node->inputs[i]->type != node->inputs[0]->type))
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "the bounds must be scalars of the input's type");
  return fv_infer_same (node, error);
}

static gboolean
clip_reference (FvNode *node, FvArray **inputs, FvArray **outputs,
    GError **error)
{
  const FvArray *low = NULL, *high = NULL;

  if (node->op->variant == CLIP_ATTRIBUTES) {
    for (gint64 i = 0; i < outputs[0]->count; i++)
      outputs[0]->f32[i] = clip (inputs[0]->f32[i], fv_node_float (node, "min"),
          fv_node_float (node, "max"));
    return TRUE;
  }
  low = node->n_own_inputs > 1 ? inputs[1] : NULL;
  high = node->n_own_inputs > 2 ? inputs[2] : NULL;
  for (gint64 i = 0; i < outputs[0]->count; i++)
    if (inputs[0]->type == FV_TYPE_F32) {
      outputs[0]->f32[i] = clip (inputs[0]->f32[i],
          low ? low->f32[0] : -INFINITY, high ? high->f32[0] : INFINITY);
    } else {
      gint64 x = inputs[0]->i64[i];

      x = low && x < low->i64[0] ? low->i64[0] : x;
      outputs[0]->i64[i] = high && x > high->i64[0] ? high->i64[0] : x;
    }
  return TRUE;
}

#define UNARY(op_name, opset, kind, attributes) \
  .name = op_name, .since = opset, .flags = FV_OP_TAKES_STEPS, \
  .variant = kind, .min_inputs = 1, .attrs = attributes, .infer = infer_unary, \
  .reference = unary, .lower = lower_unary, .to_step = unary_step
#define CLIP(opset, last, kind, inputs, attributes) \
  .name = "Clip", .since = opset, .until = last, .flags = FV_OP_TAKES_STEPS, \
  .variant = kind, .min_inputs = 1, .max_inputs = inputs, .attrs = attributes, \
  .infer = infer_clip, .reference = clip_reference, .lower = lower_unary, \
  .to_step = unary_step

/* Odd sizes, and all that matters of the function in its domain. */
#define CASES(low_, high_) \
  .cases = FV_CASES ({ .inputs = "f32[2,3,5,7]", .low = low_, .high = high_ }, \
      { .inputs = "f32[1,9,1,6]", .low = low_, .high = high_ })

const FvOp fv_ops_unary[] = {
  { UNARY ("Neg", 6, NEG, ""), CASES (-4, 4) },
  { UNARY ("Abs", 6, FV_STEP_ABS, ""), CASES (-4, 4) },
  { UNARY ("Floor", 6, FV_STEP_FLOOR, ""), CASES (-9, 9) },
  { UNARY ("Ceil", 6, FV_STEP_CEIL, ""), CASES (-9, 9) },
  { UNARY ("Round", 11, FV_STEP_ROUND, ""), CASES (-9, 9) },
  { UNARY ("Sign", 9, FV_STEP_SIGN, ""), CASES (-4, 4) },
  { UNARY ("Sqrt", 6, FV_STEP_SQRT, ""), CASES (0.01, 9) },
  { UNARY ("Exp", 6, FV_STEP_EXP, ""), CASES (-4, 4) },
  { UNARY ("Log", 6, FV_STEP_LOG, ""), CASES (0.1, 9) },
  { UNARY ("Reciprocal", 6, FV_STEP_RECIPROCAL, ""), CASES (0.5, 4) },
  { UNARY ("Erf", 9, FV_STEP_ERF, ""), CASES (-4, 4) },
  { UNARY ("Sin", 7, FV_STEP_SIN, ""), CASES (-4, 4) },
  { UNARY ("Cos", 7, FV_STEP_COS, ""), CASES (-4, 4) },
  { UNARY ("Tanh", 6, FV_STEP_TANH, ""), CASES (-4, 4) },
  { UNARY ("Sigmoid", 6, FV_STEP_SIGMOID, ""), CASES (-9, 9) },
  { UNARY ("HardSigmoid", 6, FV_STEP_HARD_SIGMOID, "alpha:f=0.2 beta:f=0.5"),
      CASES (-5, 5) },
  { UNARY ("Relu", 6, FV_STEP_RELU, ""), CASES (-4, 4) },
  { UNARY ("LeakyRelu", 6, FV_STEP_LEAKY_RELU, "alpha:f=0.01"), CASES (-4, 4) },
  { UNARY ("Elu", 6, FV_STEP_ELU, "alpha:f=1"), CASES (-4, 4) },
  { UNARY ("Selu", 6, SELU,
        "alpha:f=1.67326319217681884765625 gamma:f=1.05070102214813232421875"),
      CASES (-4, 4) },
  { UNARY ("Celu", 12, CELU, "alpha:f=1"),
      .cases = FV_CASES ({ .inputs = "f32[2,3,5,7]", .low = -4, .high = 4 },
          { .inputs = "f32[1,9]",
              .attrs = "alpha=0.5",
              .low = -4,
              .high = 4 }) },
  { UNARY ("ThresholdedRelu", 10, FV_STEP_THRESHOLD, "alpha:f=1"),
      CASES (-4, 4) },
  { UNARY ("Softplus", 1, FV_STEP_SOFTPLUS, ""), CASES (-9, 9) },
  { UNARY ("Softsign", 1, FV_STEP_SOFTSIGN, ""), CASES (-4, 4) },
  { UNARY ("HardSwish", 14, FV_STEP_HARD_SWISH, ""), CASES (-5, 5) },
  { UNARY ("fovea.Swish", 1, FV_STEP_SWISH, "alpha:f=1"), CASES (-9, 9) },
  /* QuantizeLinear and DequantizeLinear in one, see rewrite-quantize.c */
  { UNARY ("fovea.FakeQuantize", 1, FV_STEP_QUANTIZE, "scale:f=1 low:f=-128"),
      .cases = FV_CASES ({ .inputs = "f32[2,3,5,7]",
                             .attrs = "scale=0.03125 low=-128",
                             .low = -5,
                             .high = 5 },
          { .inputs = "f32[1,9,1,6]",
              .attrs = "scale=0.0625 low=-3",
              .low = -2,
              .high = 18 }) },
  { UNARY ("Mish", 18, FV_STEP_MISH, ""), CASES (-4, 4) },
  { UNARY ("Gelu", 20, GELU, "approximate:s=none"),
      .cases = FV_CASES ({ .inputs = "f32[2,3,5,7]", .low = -4, .high = 4 },
          { .inputs = "f32[1,9]",
              .attrs = "approximate=tanh",
              .low = -4,
              .high = 4 }) },
  { CLIP (6, 10, CLIP_ATTRIBUTES, 1,
        "min:f=-3.4028234663852886e38 max:f=3.4028234663852886e38"),
      .cases = FV_CASES ({ .inputs = "f32[2,3,5,7]",
          .attrs = "min=-0.5 max=0.25",
          .opset = 10 }) },
  { CLIP (11, 0, CLIP_INPUTS, 3, ""),
      .cases = FV_CASES ({ .inputs = "f32[2,3,5,7] =f32(-0.5) =f32(0.25)" },
          { .inputs = "f32[2,3,5,7] - =f32(0.25)" },
          { .inputs = "f32[2,3,5,7] =f32(0)" }) },
  {},
};
