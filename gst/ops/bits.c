/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators on the bits of integers. Those of 8 and 16 bits are whole f32 numbers on
 * the device; who works on the bits of larger ones means all of them, which the host
 * has. */
#include "gst/ops/common.h"
#include "gst/ops/elementwise.h"

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

static gboolean
is_narrow (const FvNode *node, GError **error)
{
  FvType type = node->inputs[0]->type;

  return fv_type_size (type) <= 2
      || fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "the device has 24 bits, %s more", fv_type_name (type));
}

static gboolean
lower_bits (FvPlan *plan, FvNode *node, GError **error)
{
  static const guint kinds[] = { FV_STEP_SHIFT_RIGHT, FV_STEP_AND, FV_STEP_OR,
    FV_STEP_XOR };
  FvStep steps[2] = { { kinds[node->op->variant], 0, 0, 1 } };
  gint64 low, high;
  guint n = 1;

  if (!is_narrow (node, error))
    return FALSE;
  fv_type_range (node->outputs[0]->type, &low, &high);
  if (node->op->variant == SHIFT && low < 0)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "shifts of signed integers");
  if (node->op->variant == SHIFT
      && g_str_equal (fv_node_string (node, "direction"), "LEFT")) {
    steps[0].kind = FV_STEP_SHIFT_LEFT;
    steps[n++] = (FvStep){ FV_STEP_WRAP, low, high + 1, -1 };
  }
  return fv_elementwise_lower (plan, node, 0, steps, n, error);
}

static gboolean
lower_bitwise_not (FvPlan *plan, FvNode *node, GError **error)
{
  gint64 low, high;
  FvStep step;

  if (!is_narrow (node, error))
    return FALSE;
  fv_type_range (node->inputs[0]->type, &low, &high);
  step = (FvStep){ FV_STEP_AFFINE, -1, low + high, -1 };
  return fv_elementwise_lower (plan, node, 0, &step, 1, error);
}

#define BITS(op_name, opset, kind, attributes, ...) \
  { \
    .name = op_name, .since = opset, .variant = kind, .min_inputs = 2, \
    .attrs = attributes, .limits = "32 and 64 bits: on the host", \
    .infer = infer_bits, .reference = bits, .lower = lower_bits, \
    .cases = FV_CASES (__VA_ARGS__), \
  }

#define BOTH \
  { .inputs = "i16[3,5] i16[2,1,5]", .low = -99, .high = 99 }, \
  { \
    .inputs = "u8[7] =u8(60)", .low = 0, .high = 255 \
  }

const FvOp fv_ops_bits[] = {
  BITS ("BitShift", 11, SHIFT, "direction:s!",
      { .inputs = "u8[3,5] u8[3,5]",
          .attrs = "direction=LEFT",
          .low = 0,
          .high = 20 },
      { .inputs = "u16[7] =u16(3)",
          .attrs = "direction=LEFT",
          .low = 0,
          .high = 65535 },
      { .inputs = "u16[3,5] u16[5]",
          .attrs = "direction=RIGHT",
          .low = 0,
          .high = 40 }),
  BITS ("BitwiseAnd", 18, AND, "", BOTH),
  BITS ("BitwiseOr", 18, OR, "", BOTH),
  BITS ("BitwiseXor", 18, XOR, "", BOTH),
  {
      .name = "BitwiseNot",
      .since = 18,
      .min_inputs = 1,
      .attrs = "",
      .infer = infer_bitwise_not,
      .reference = bitwise_not,
      .lower = lower_bitwise_not,
      .cases = FV_CASES ({ .inputs = "i8[3,5]", .low = -99, .high = 99 },
          { .inputs = "u8[3,5]", .low = 0, .high = 255 }),
  },
  {},
};
