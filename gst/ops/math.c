/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions of one tensor that nets compute constants with; host only. */
#include "gst/ops/common.h"

#include <math.h>

typedef enum
{
  TAN,
  ASIN,
  ACOS,
  ATAN,
  SINH,
  COSH,
  ASINH,
  ACOSH,
  ATANH,
  SHRINK,
  IS_NAN,
  IS_INF,
} MathKind;

static gboolean
infer_math (FvNode *node, GError **error)
{
  FvType type = node->inputs[0]->type;

  if (!fv_type_is_float (type)
      && (node->op->variant != SHRINK || type == FV_TYPE_BOOL))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the input is of type %s", fv_type_name (type));
  fv_set_output (node, 0, node->op->variant >= IS_NAN ? FV_TYPE_BOOL : type,
      &node->inputs[0]->shape);
  return TRUE;
}

static double
math_value (const FvNode *node, double x)
{
  switch (node->op->variant) {
    case TAN:
      return tan (x);
    case ASIN:
      return asin (x);
    case ACOS:
      return acos (x);
    case ATAN:
      return atan (x);
    case SINH:
      return sinh (x);
    case COSH:
      return cosh (x);
    case ASINH:
      return asinh (x);
    case ACOSH:
      return acosh (x);
    case ATANH:
      return atanh (x);
    case SHRINK:
    {
      double limit = fv_node_float (node, "lambd");
      double bias = fv_node_float (node, "bias");

      return x < -limit ? x + bias : x > limit ? x - bias : 0;
    }
    default:
      g_assert_not_reached ();
  }
}

static gboolean
math (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  for (gint64 i = 0; i < outputs[0]->count; i++)
    if (inputs[0]->type == FV_TYPE_F32)
      outputs[0]->f32[i] = math_value (node, inputs[0]->f32[i]);
    else
      outputs[0]->i64[i] = fv_truncate (math_value (node, inputs[0]->i64[i]));
  return TRUE;
}

static gboolean
is_nan (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  for (gint64 i = 0; i < outputs[0]->count; i++)
    outputs[0]->u8[i] = isnan (inputs[0]->f32[i]) != 0;
  return TRUE;
}

static gboolean
is_inf (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  gboolean negative = fv_node_int (node, "detect_negative") != 0;
  gboolean positive = fv_node_int (node, "detect_positive") != 0;

  for (gint64 i = 0; i < outputs[0]->count; i++) {
    float x = inputs[0]->f32[i];

    outputs[0]->u8[i] = isinf (x) && (x < 0 ? negative : positive);
  }
  return TRUE;
}

#define MATH(op_name, opset, kind, attributes, function) \
  { \
    .name = op_name, .since = opset, .variant = kind, .min_inputs = 1, \
    .attrs = attributes, .infer = infer_math, .reference = function, \
  }

const FvOp fv_ops_math[] = {
  MATH ("Tan", 7, TAN, "", math),
  MATH ("Asin", 7, ASIN, "", math),
  MATH ("Acos", 7, ACOS, "", math),
  MATH ("Atan", 7, ATAN, "", math),
  MATH ("Sinh", 9, SINH, "", math),
  MATH ("Cosh", 9, COSH, "", math),
  MATH ("Asinh", 9, ASINH, "", math),
  MATH ("Acosh", 9, ACOSH, "", math),
  MATH ("Atanh", 9, ATANH, "", math),
  MATH ("Shrink", 9, SHRINK, "bias:f=0 lambd:f=0.5", math),
  MATH ("IsNaN", 9, IS_NAN, "", is_nan),
  MATH ("IsInf", 10, IS_INF, "detect_negative:i=1 detect_positive:i=1", is_inf),
  {},
};
