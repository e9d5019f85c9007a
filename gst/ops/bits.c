/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators on the bits of integers; host only. */
#include "gst/ops/common.h"

typedef enum
{
  SHIFT,
  AND,
  OR,
  XOR,
} BitsKind;

static gboolean
check_ints (FvNode *node, GError **error)
{
  FvType type = node->inputs[0]->type;

  if (!fv_type_is_float (type) && type != FV_TYPE_BOOL)
    return TRUE;
  return fv_node_fail (node, error, FV_ERROR_MALFORMED,
      "the input is of type %s, expected integers", fv_type_name (type));
}

static gboolean
infer_bits (FvNode *node, GError **error)
{
  const char *direction =
      node->op->variant == SHIFT ? fv_node_string (node, "direction") : "LEFT";

  if (!g_str_equal (direction, "LEFT") && !g_str_equal (direction, "RIGHT"))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "direction is \"%s\", expected LEFT or RIGHT", direction);
  return fv_infer_broadcast (node, error) && check_ints (node, error);
}

/* Operands are unsigned where shifted, and all of their bits are here. */
static guint64
bits_value (guint kind, gboolean left, guint64 a, guint64 b)
{
  switch (kind) {
    case SHIFT:
      return b > 63 ? 0 : left ? a << b : a >> b;
    case AND:
      return a & b;
    case OR:
      return a | b;
    default:
      return a ^ b;
  }
}

static gboolean
bits (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  guint kind = node->op->variant;
  gboolean left =
      kind == SHIFT && g_str_equal (fv_node_string (node, "direction"), "LEFT");
  FvWalk walk;

  fv_walk_begin (&walk, &outputs[0]->shape);
  fv_walk_add (&walk, &inputs[0]->shape);
  fv_walk_add (&walk, &inputs[1]->shape);
  for (gint64 i = 0; i < outputs[0]->count; i++, fv_walk_next (&walk))
    outputs[0]->i64[i] = bits_value (kind, left, inputs[0]->i64[walk.at[0]],
        inputs[1]->i64[walk.at[1]]);
  return TRUE;
}

static gboolean
infer_bitwise_not (FvNode *node, GError **error)
{
  return check_ints (node, error) && fv_infer_same (node, error);
}

static gboolean
bitwise_not (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  for (gint64 i = 0; i < outputs[0]->count; i++)
    outputs[0]->i64[i] = ~inputs[0]->i64[i];
  return TRUE;
}

#define BITS(op_name, opset, kind, attributes) \
  { \
    .name = op_name, .since = opset, .variant = kind, .min_inputs = 2, \
    .attrs = attributes, .infer = infer_bits, .reference = bits, \
  }

const FvOp fv_ops_bits[] = {
  BITS ("BitShift", 11, SHIFT, "direction:s!"),
  BITS ("BitwiseAnd", 18, AND, ""),
  BITS ("BitwiseOr", 18, OR, ""),
  BITS ("BitwiseXor", 18, XOR, ""),
  {
      .name = "BitwiseNot",
      .since = 18,
      .min_inputs = 1,
      .attrs = "",
      .infer = infer_bitwise_not,
      .reference = bitwise_not,
  },
  {},
};
