/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between floats and the 8- or 16-bit integers of quantised nets. On the device these
 * integers are floats with whole values: engine/rewrite-quantize.c. */
#include "gst/ops/common.h"

#include <math.h>

typedef struct
{
  gboolean is_per_axis;
  gint64 inner; /* elements between neighbours of the axis */
  gint64 size; /* of the axis */
  gint64 block; /* neighbours that share a scale; then there are scales for all
                   other axes too. 0: none do */
} Axis;

/* Which of the scales belongs to an element. */
static gint64
scale_index (const Axis *axis, gint64 i)
{
  gint64 at = axis->is_per_axis ? i / axis->inner % axis->size : 0;
  gint64 blocks;

  if (!axis->block)
    return at;
  blocks = (axis->size + axis->block - 1) / axis->block;
  return (i / (axis->inner * axis->size) * blocks + at / axis->block)
      * axis->inner
      + i % axis->inner;
}

/* Scales as @x has elements, but along axis @at one for each block. */
static gboolean
check_blocks (const FvNode *node, guint at, gint64 block, GError **error)
{
  const FvShape *x = &node->inputs[0]->shape, *s = &node->inputs[1]->shape;
  gboolean fits = block > 0 && block <= G_MAXINT32 && x->rank == s->rank;

  for (guint i = 0; fits && i < x->rank; i++)
    fits =
        s->dims[i] == (i == at ? (x->dims[i] + block - 1) / block : x->dims[i]);
  return fits
      || fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "its scales do not fit blocks of %" G_GINT64_FORMAT " along axis %u",
          block, at);
}

static gboolean
read_axis (const FvNode *node, Axis *axis, GError **error)
{
  const FvShape *x = &node->inputs[0]->shape, *s = &node->inputs[1]->shape;
  guint at;

  *axis = (Axis){ .is_per_axis = fv_shape_count (s) != 1, .inner = 1 };
  if (node->op->since >= 21)
    axis->block = fv_node_int (node, "block_size");
  axis->is_per_axis |= axis->block != 0;
  if (!axis->is_per_axis)
    return TRUE;
  if (node->op->until == 12)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "more than one scale, which opset 13 brought");
  if (!fv_node_axis (node, fv_node_int (node, "axis"), x->rank, &at, error))
    return FALSE;
  if (axis->block && !check_blocks (node, at, axis->block, error))
    return FALSE;
  if (!axis->block
      && (x->rank < 1 || s->rank != 1 || s->dims[0] != x->dims[at]))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "%" G_GINT64_FORMAT " scales do not fit axis %u", fv_shape_count (s),
        at);
  for (guint i = at + 1; i < x->rank; i++)
    axis->inner *= x->dims[i];
  axis->inner = MAX (axis->inner, 1);
  axis->size = x->dims[at];
  return TRUE;
}

static gboolean
check_scale (const FvNode *node, GError **error)
{
  const FvValue *zero = fv_node_input (node, 2);
  Axis axis;

  if (!fv_type_is_float (node->inputs[1]->type))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the scale is of type %s", fv_type_name (node->inputs[1]->type));
  if (zero
      && fv_shape_count (&zero->shape)
          != fv_shape_count (&node->inputs[1]->shape))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "as many zero points as scales are expected");
  return read_axis (node, &axis, error);
}

/* TensorProto.DataType of the types that can be asked for. */
static FvType
type_asked_for (const FvNode *node)
{
  gint64 number =
      node->op->since >= 21 ? fv_node_int (node, "output_dtype") : 0;

  FvType known = fv_type_from_onnx (number);

  if (number == 0)
    return FV_TYPE_NONE;
  return known == FV_TYPE_NONE ? FV_TYPE_F64 : known; /* refused below */
}

static gboolean
infer_quantize (FvNode *node, GError **error)
{
  FvValue *zero = fv_node_input (node, 2);
  FvType asked = type_asked_for (node), from = node->inputs[0]->type;
  FvType type = zero ? zero->type : asked != FV_TYPE_NONE ? asked : FV_TYPE_U8;

  if (!fv_type_is_float (from) && from != FV_TYPE_I32)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the input is of type %s", fv_type_name (from));
  if (type != FV_TYPE_U8 && type != FV_TYPE_I8 && type != FV_TYPE_U16
      && type != FV_TYPE_I16)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "the result would be of type %s, expected 8 or 16 bits",
        fv_type_name (type));
  if (asked != FV_TYPE_NONE && asked != type)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "output_dtype and the zero point's type differ");
  if (node->op->since >= 23 && fv_node_int (node, "precision") > 1)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "a precision other than that of f32");
  fv_set_output (node, 0, type, &node->inputs[0]->shape);
  return check_scale (node, error);
}

static gboolean
infer_dequantize (FvNode *node, GError **error)
{
  FvType type = node->inputs[0]->type, to = node->inputs[1]->type;
  FvValue *zero = fv_node_input (node, 2);

  if (type != FV_TYPE_U8 && type != FV_TYPE_I8 && type != FV_TYPE_U16
      && type != FV_TYPE_I16 && type != FV_TYPE_I32)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "the input is of type %s, expected 8 or 16 bits, or i32",
        fv_type_name (type));
  if (zero && zero->type != type)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the zero point is of type %s, the input of type %s",
        fv_type_name (zero->type), fv_type_name (type));
  if (node->op->since >= 23 && fv_node_int (node, "output_dtype") == 10)
    to = FV_TYPE_F16;
  else if (node->op->since >= 23 && fv_node_int (node, "output_dtype") == 1)
    to = FV_TYPE_F32;
  else if (node->op->since >= 23 && fv_node_int (node, "output_dtype"))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "output_dtype %" G_GINT64_FORMAT, fv_node_int (node, "output_dtype"));
  fv_set_output (node, 0, to, &node->inputs[0]->shape);
  return check_scale (node, error);
}

/* @value rounded to even and kept within @type; NaN becomes the lowest. */
static gint64
saturate (float value, gint64 zero, FvType type)
{
  float rounded = nearbyintf (value);
  gint64 low, high;

  fv_type_range (type, &low, &high);
  if (!(rounded + zero > low))
    return low;
  return rounded + zero > high ? high : (gint64) rounded + zero;
}

static gboolean
quantize (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  const FvArray *zero = node->n_own_inputs > 2 ? inputs[2] : NULL;
  FvType type = node->outputs[0]->type;
  Axis axis;

  if (!read_axis (node, &axis, error))
    return FALSE;
  for (gint64 i = 0; i < outputs[0]->count; i++) {
    gint64 at = scale_index (&axis, i);
    float x = fv_array_get_float (inputs[0], i);

    outputs[0]->i64[i] =
        saturate (x / inputs[1]->f32[at], zero ? zero->i64[at] : 0, type);
  }
  return TRUE;
}

static gboolean
dequantize (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  const FvArray *zero = node->n_own_inputs > 2 ? inputs[2] : NULL;
  Axis axis;

  if (!read_axis (node, &axis, error))
    return FALSE;
  for (gint64 i = 0; i < outputs[0]->count; i++) {
    gint64 at = scale_index (&axis, i);

    outputs[0]->f32[i] =
        (float) (inputs[0]->i64[i] - (zero ? zero->i64[at] : 0))
        * inputs[1]->f32[at];
  }
  return TRUE;
}

static gboolean
infer_dynamic (FvNode *node, GError **error)
{
  const FvShape scalar = { 0 };

  if (node->inputs[0]->type != FV_TYPE_F32)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the input is of type %s", fv_type_name (node->inputs[0]->type));
  fv_set_output (node, 0, FV_TYPE_U8, &node->inputs[0]->shape);
  fv_set_output (node, 1, FV_TYPE_F32, &scalar);
  fv_set_output (node, 2, FV_TYPE_U8, &scalar);
  return TRUE;
}

/* The range takes in zero, so that zero is one of the steps. */
static gboolean
dynamic (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  float low = 0, high = 0, scale;
  gint64 zero;

  for (gint64 i = 0; i < inputs[0]->count; i++) {
    low = MIN (low, inputs[0]->f32[i]);
    high = MAX (high, inputs[0]->f32[i]);
  }
  scale = (high - low) / 255;
  zero = scale > 0 ? saturate ((0 - low) / scale, 0, FV_TYPE_U8) : 0;
  for (gint64 i = 0; i < inputs[0]->count; i++)
    outputs[0]->i64[i] =
        scale > 0 ? saturate (inputs[0]->f32[i] / scale, zero, FV_TYPE_U8) : 0;
  if (node->n_outputs > 1 && outputs[1])
    outputs[1]->f32[0] = scale;
  if (node->n_outputs > 2 && outputs[2])
    outputs[2]->i64[0] = zero;
  return TRUE;
}

#define QUANTIZE(first, last, attributes) \
  .name = "QuantizeLinear", .since = first, .until = last, .min_inputs = 2, \
  .max_inputs = 3, .attrs = attributes, .infer = infer_quantize, \
  .reference = quantize, .lower = fv_lower_rewritten
#define DEQUANTIZE(first, last, attributes) \
  .name = "DequantizeLinear", .since = first, .until = last, .min_inputs = 2, \
  .max_inputs = 3, .attrs = attributes, .infer = infer_dequantize, \
  .reference = dequantize, .lower = fv_lower_rewritten

const FvOp fv_ops_quantize[] = {
  { QUANTIZE (10, 12, "") },
  { QUANTIZE (13, 18, "axis:i=1") },
  { QUANTIZE (19, 20, "axis:i=1 saturate:i=1") },
  { QUANTIZE (21, 22,
      "axis:i=1 saturate:i=1 block_size:i=0 output_dtype:i=0") },
  { QUANTIZE (23, 0,
      "axis:i=1 saturate:i=1 block_size:i=0 output_dtype:i=0 precision:i=0") },
  { DEQUANTIZE (10, 12, "") },
  { DEQUANTIZE (13, 20, "axis:i=1") },
  { DEQUANTIZE (21, 22, "axis:i=1 block_size:i=0") },
  { DEQUANTIZE (23, 0, "axis:i=1 block_size:i=0 output_dtype:i=0") },
  { .name = "DynamicQuantizeLinear",
      .since = 11,
      .min_inputs = 1,
      .max_outputs = 3,
      .attrs = "",
      .infer = infer_dynamic,
      .reference = dynamic,
      .lower = fv_lower_rewritten },
  {},
};
