/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trigonometry, and what else maps one tensor to another of numbers or bools. */
#include "gst/ops/common.h"
#include "gst/ops/elementwise.h"

static gboolean
is_test (const FvNode *node)
{
  return node->op->variant == FV_STEP_IS_NAN
      || node->op->variant == FV_STEP_IS_INF;
}

static gboolean
infer_math (FvNode *node, GError **error)
{
  FvType type = node->inputs[0]->type;

  if (!fv_type_is_float (type)
      && (node->op->variant != FV_STEP_SHRINK || type == FV_TYPE_BOOL))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the input is of type %s", fv_type_name (type));
  fv_set_output (node, 0, is_test (node) ? FV_TYPE_BOOL : type,
      &node->inputs[0]->shape);
  return TRUE;
}

static void
math_step (const FvNode *node, FvStep *step)
{
  *step = (FvStep){ node->op->variant, 0, 0, -1 };
  if (node->op->variant == FV_STEP_SHRINK) {
    step->a = fv_node_float (node, "lambd");
    step->b = fv_node_float (node, "bias");
  } else if (node->op->variant == FV_STEP_IS_INF) {
    step->a = fv_node_int (node, "detect_positive") != 0;
    step->b = fv_node_int (node, "detect_negative") != 0;
  }
}

static gboolean
math (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  const FvArray *in = inputs[0];
  FvArray *out = outputs[0];
  FvStep step;

  math_step (node, &step);
  for (gint64 i = 0; i < out->count; i++)
    if (is_test (node))
      out->u8[i] = fv_step_value (&step, in->f32[i], 0) != 0;
    else if (in->type == FV_TYPE_F32)
      out->f32[i] = fv_step_value (&step, in->f32[i], 0);
    else
      out->i64[i] = fv_truncate (fv_step_value (&step, in->i64[i], 0));
  return TRUE;
}

static gboolean
lower_math (FvPlan *plan, FvNode *node, GError **error)
{
  static const FvStep truncate = { FV_STEP_TRUNCATE, 0, 0, -1 };
  FvStep steps[] = { { 0 }, truncate };

  math_step (node, &steps[0]);
  return fv_elementwise_lower (plan, node, 0, steps,
      fv_value_is_integer (node->outputs[0]) ? 2 : 1, error);
}

static gboolean
to_step (const FvNode *node, guint main, FvStep *step)
{
  math_step (node, step);
  return fv_type_is_float (node->outputs[0]->type);
}

#define MATH(op_name, opset, kind, attributes) \
  .name = op_name, .since = opset, .flags = FV_OP_TAKES_STEPS, \
  .variant = kind, .min_inputs = 1, .attrs = attributes, .infer = infer_math, \
  .reference = math, .lower = lower_math, .to_step = to_step
#define CASES(low_, high_) \
  .cases = FV_CASES ({ .inputs = "f32[2,3,5,7]", .low = low_, .high = high_ }, \
      { .inputs = "f32[1,9,1,6]", .low = low_, .high = high_ })

const FvOp fv_ops_math[] = {
  { MATH ("Tan", 7, FV_STEP_TAN, ""), CASES (-1.4, 1.4) },
  { MATH ("Asin", 7, FV_STEP_ASIN, ""), CASES (-1, 1) },
  { MATH ("Acos", 7, FV_STEP_ACOS, ""), CASES (-1, 1) },
  { MATH ("Atan", 7, FV_STEP_ATAN, ""), CASES (-9, 9) },
  { MATH ("Sinh", 9, FV_STEP_SINH, ""), CASES (-4, 4) },
  { MATH ("Cosh", 9, FV_STEP_COSH, ""), CASES (-4, 4) },
  { MATH ("Asinh", 9, FV_STEP_ASINH, ""), CASES (-9, 9) },
  { MATH ("Acosh", 9, FV_STEP_ACOSH, ""), CASES (1, 9) },
  { MATH ("Atanh", 9, FV_STEP_ATANH, ""), CASES (-0.9, 0.9) },
  { MATH ("Shrink", 9, FV_STEP_SHRINK, "bias:f=0 lambd:f=0.5"),
      .cases = FV_CASES ({ .inputs = "f32[2,3,5,7]",
                             .attrs = "lambd=0.7 bias=0.25",
                             .low = -2,
                             .high = 2 },
          { .inputs = "i32[9]",
              .attrs = "lambd=1.5 bias=1.5",
              .low = -9,
              .high = 9 }) },
  { MATH ("IsNaN", 9, FV_STEP_IS_NAN, ""), CASES (-4, 4) },
  { MATH ("IsInf", 10, FV_STEP_IS_INF,
        "detect_negative:i=1 detect_positive:i=1"),
      CASES (-4, 4) },
  {},
};
