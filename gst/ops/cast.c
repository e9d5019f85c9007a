/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cast and CastLike. */
#include "gst/ops/common.h"
#include "gst/ops/elementwise.h"

static gboolean
infer_cast (FvNode *node, GError **error)
{
  FvType type = fv_type_from_onnx (fv_node_int (node, "to"));

  if (type == FV_TYPE_NONE)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "element type %" G_GINT64_FORMAT, fv_node_int (node, "to"));
  fv_set_output (node, 0, type, &node->inputs[0]->shape);
  return TRUE;
}

static gboolean
infer_cast_like (FvNode *node, GError **error)
{
  fv_set_output (node, 0, node->inputs[1]->type, &node->inputs[0]->shape);
  return TRUE;
}

/* @value in the range of integer @type, wrapped as C and numpy do. */
static gint64
wrap_int (gint64 value, FvType type)
{
  switch (type) {
    case FV_TYPE_I8:
      return (gint8) value;
    case FV_TYPE_U8:
      return (guint8) value;
    case FV_TYPE_I16:
      return (gint16) value;
    case FV_TYPE_U16:
      return (guint16) value;
    case FV_TYPE_I32:
      return (gint32) value;
    case FV_TYPE_U32:
      return (guint32) value;
    default:
      return value;
  }
}

static gboolean
cast (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  const FvArray *in = inputs[0];
  FvArray *out = outputs[0];
  FvType type = node->outputs[0]->type;

  if (in->type == FV_TYPE_F32 && out->type == FV_TYPE_F32) {
    for (gint64 i = 0; i < in->count; i++)
      out->f32[i] = type == FV_TYPE_F16
          ? fv_f16_to_f32 (fv_f32_to_f16 (in->f32[i]))
          : in->f32[i];
    return TRUE;
  }
  for (gint64 i = 0; i < in->count; i++) {
    gboolean is_float = in->type == FV_TYPE_F32;

    if (out->type == FV_TYPE_BOOL)
      out->u8[i] = is_float ? in->f32[i] != 0 : fv_array_get_int (in, i) != 0;
    else if (out->type == FV_TYPE_F32)
      out->f32[i] = fv_array_get_int (in, i);
    else
      out->i64[i] = wrap_int (
          is_float ? fv_truncate (in->f32[i]) : fv_array_get_int (in, i), type);
  }
  return TRUE;
}

/* The bits of an integer type as far as the device has them. */
static guint
bits_of (FvType type)
{
  static const guint bits[] = {
    [FV_TYPE_I8] = 8,
    [FV_TYPE_U8] = 8,
    [FV_TYPE_I16] = 16,
    [FV_TYPE_U16] = 16,
    [FV_TYPE_I32] = 32,
    [FV_TYPE_U32] = 32,
    [FV_TYPE_I64] = 32,
    [FV_TYPE_U64] = 32,
    [FV_TYPE_BOOL] = 1,
  };

  return bits[type];
}

static gboolean
has_sign (FvType type)
{
  return type == FV_TYPE_I8 || type == FV_TYPE_I16 || type == FV_TYPE_I32
      || type == FV_TYPE_I64;
}

/* The steps that bring integers, or floats, into the range of integer @to. FALSE
 * where the result would not be exact. */
static gboolean
into_range (FvType from, FvType to, FvStep steps[2], guint *n)
{
  gboolean is_float = fv_type_is_float (from);
  guint bits = bits_of (to);

  *n = 0;
  if (is_float)
    steps[(*n)++] = (FvStep){ FV_STEP_TRUNCATE, 0, 0, -1 };
  else if (bits_of (from) < bits || from == to
      || (bits_of (from) == bits && has_sign (from) == has_sign (to))) {
    if (!has_sign (from) || has_sign (to))
      return TRUE;
  }
  if (bits > 16)
    return is_float || !has_sign (from) || has_sign (to);
  steps[(*n)++] = (FvStep){ FV_STEP_WRAP,
    has_sign (to) ? -(1 << (bits - 1)) : 0, 1 << bits, -1 };
  return TRUE;
}

/* The device stores floats in the plan's type, integers as whole floats and bools
 * as 0 and 1, so that most casts do nothing. */
static gboolean
lower_cast (FvPlan *plan, FvNode *node, GError **error)
{
  static const FvStep to_bool[] = { { FV_STEP_SIGN, 0, 0, -1 },
    { FV_STEP_ABS, 0, 0, -1 } };
  FvType from = node->inputs[0]->type, to = node->outputs[0]->type;
  FvStep steps[2];
  FvTensor source;
  guint n = 0;

  if (to == FV_TYPE_BOOL && from != FV_TYPE_BOOL)
    return fv_elementwise_lower (plan, node, 0, to_bool, 2, error);
  if (!fv_type_is_float (to) && !into_range (from, to, steps, &n))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "from %s to %s: negative numbers become larger than the device has them",
        fv_type_name (from), fv_type_name (to));
  if (n)
    return fv_elementwise_lower (plan, node, 0, steps, n, error);
  if (!fv_plan_input (plan, node, 0, FV_ANY_AXIS, &source, error))
    return FALSE;
  fv_plan_alias (plan, node, 0, &source);
  return TRUE;
}

const FvOp fv_ops_cast[] = {
  {
      .name = "Cast",
      .since = 6,
      .until = 18,
      .flags = FV_OP_VIEW,
      .min_inputs = 1,
      .attrs = "to:i!",
      .infer = infer_cast,
      .reference = cast,
      .lower = lower_cast,
  },
  {
      .name = "Cast",
      .since = 19,
      .flags = FV_OP_VIEW,
      .min_inputs = 1,
      .attrs = "to:i! saturate:i=1",
      .infer = infer_cast,
      .reference = cast,
      .lower = lower_cast,
      .cases = FV_CASES ({ .inputs = "f32[2,3,5]", .attrs = "to=1" },
          { .inputs = "f32[2,3,5]", .attrs = "to=7", .low = -9, .high = 9 },
          { .inputs = "f32[2,3,5]", .attrs = "to=9", .low = 0, .high = 9 },
          { .inputs = "i64[2,3,5]", .attrs = "to=9", .low = -2, .high = 2 },
          { .inputs = "i32[2,3,5]", .attrs = "to=7", .low = -99, .high = 99 },
          { .inputs = "i64[2,3,5]", .attrs = "to=1", .low = -99, .high = 99 },
          { .inputs = "i64[2,3,5]", .attrs = "to=2", .low = -999, .high = 999 },
          { .inputs = "i8[2,3,5]", .attrs = "to=4", .low = -99, .high = 99 },
          { .inputs = "u16[2,3,5]", .attrs = "to=3", .low = 0, .high = 65535 },
          { .inputs = "bool[2,3,5]", .attrs = "to=7", .high = 2 }),
  },
  {
      .name = "CastLike",
      .since = 15,
      .until = 18,
      .flags = FV_OP_VIEW,
      .min_inputs = 2,
      .attrs = "",
      .infer = infer_cast_like,
      .reference = cast,
      .lower = lower_cast,
  },
  {
      .name = "CastLike",
      .since = 19,
      .flags = FV_OP_VIEW,
      .min_inputs = 2,
      .attrs = "saturate:i=1",
      .infer = infer_cast_like,
      .reference = cast,
      .lower = lower_cast,
      .cases = FV_CASES ({ .inputs = "f32[2,3,5] f32[1]" }),
  },
  {},
};
