/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that make tensors out of nothing, and Cast. */
#include "gst/ops/common.h"

#include <math.h>

/* The value of a Constant, whichever attribute holds it. */
static FvArray *
constant_value (FvNode *node, GError **error)
{
  FvShape scalar = { 0 }, list = { .rank = 1 };
  const float *floats;
  const gint64 *ints;
  FvArray *array;
  guint n;

  if (fv_node_tensor (node, "value"))
    return fv_array_ref (fv_node_tensor (node, "value"));
  if (node->op->variant && fv_node_has (node, "value_int")) {
    gint64 value = fv_node_int (node, "value_int");

    return fv_array_new_i64 (&value, -1);
  }
  if (node->op->variant && fv_node_has (node, "value_float")) {
    array = fv_array_new (FV_TYPE_F32, &scalar, error);
    if (array)
      array->f32[0] = fv_node_float (node, "value_float");
    return array;
  }
  if (node->op->variant && fv_node_has (node, "value_ints")) {
    ints = fv_node_ints (node, "value_ints", &n);
    return fv_array_new_i64 (ints, ints ? (gint) n : 0);
  }
  if (node->op->variant && fv_node_has (node, "value_floats")) {
    floats = fv_node_floats (node, "value_floats", &n);
    list.dims[0] = floats ? n : 0;
    array = fv_array_new (FV_TYPE_F32, &list, error);
    for (guint i = 0; array && i < list.dims[0]; i++)
      array->f32[i] = floats[i];
    return array;
  }
  fv_node_fail (node, error, FV_ERROR_MALFORMED, "the value is missing");
  return NULL;
}

static gboolean
infer_constant (FvNode *node, GError **error)
{
  g_autoptr (FvArray) value = constant_value (node, error);

  if (!value)
    return FALSE;
  fv_set_output (node, 0, value->type, &value->shape);
  return TRUE;
}

static gboolean
constant (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  g_autoptr (FvArray) value = constant_value (node, error);
  g_autoptr (FvArray) converted = NULL;

  if (!value)
    return FALSE;
  converted = fv_array_convert (value, outputs[0]->type, error);
  if (!converted)
    return FALSE;
  fv_move_all (outputs[0], converted);
  return TRUE;
}

static gboolean
infer_constant_of_shape (FvNode *node, GError **error)
{
  FvArray *value = fv_node_tensor (node, "value");
  g_autoptr (FvArray) list = fv_node_constant_ints (node, 0, error);
  FvShape shape = { 0 };

  if (!list)
    return FALSE;
  if (value && value->count != 1)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "value has %" G_GINT64_FORMAT " elements", value->count);
  if (list->count > FV_MAX_RANK)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "a shape of rank %" G_GINT64_FORMAT "; at most %d is supported",
        list->count, FV_MAX_RANK);
  shape.rank = list->count;
  for (guint i = 0; i < shape.rank; i++) {
    shape.dims[i] = list->i64[i];
    if (shape.dims[i] < 0)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "the shape has the size %" G_GINT64_FORMAT, shape.dims[i]);
  }
  if (!fv_node_check_shape (node, &shape, error))
    return FALSE;
  fv_set_output (node, 0, value ? value->type : FV_TYPE_F32, &shape);
  return TRUE;
}

static gboolean
constant_of_shape (FvNode *node, FvArray **inputs, FvArray **outputs,
    GError **error)
{
  FvArray *value = fv_node_tensor (node, "value");

  for (gint64 i = 0; i < outputs[0]->count; i++)
    if (!value)
      outputs[0]->f32[i] = 0;
    else if (outputs[0]->type == FV_TYPE_F32)
      outputs[0]->f32[i] = fv_array_get_float (value, 0);
    else
      fv_array_set_int (outputs[0], i, fv_array_get_int (value, 0));
  return TRUE;
}

/* Elements of a Range, as ceil ((limit - start) / delta). */
static gboolean
range_count (const FvNode *node, FvArray *const values[3], gint64 *n,
    GError **error)
{
  gboolean zero;

  if (fv_type_is_float (values[0]->type)) {
    double start = fv_array_get_float (values[0], 0);
    double limit = fv_array_get_float (values[1], 0);
    double delta = fv_array_get_float (values[2], 0), count;

    zero = delta == 0;
    count = zero ? 0 : ceil ((limit - start) / delta);
    if (!zero && !(count < 1e15))
      return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
          "too many elements");
    *n = count > 0 ? (gint64) count : 0;
  } else {
    gint64 start = fv_array_get_int (values[0], 0);
    gint64 limit = fv_array_get_int (values[1], 0);
    gint64 delta = fv_array_get_int (values[2], 0), distance;

    if (__builtin_sub_overflow (limit, start, &distance))
      return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
          "too many elements");
    zero = delta == 0;
    *n = 0;
    if (delta > 0 && distance > 0)
      *n = (distance - 1) / delta + 1;
    else if (delta < 0 && distance < 0)
      *n = (distance + 1) / delta + 1;
  }
  return !zero || fv_node_fail (node, error, FV_ERROR_MALFORMED, "delta is 0");
}

static gboolean
infer_range (FvNode *node, GError **error)
{
  FvShape shape = { .rank = 1 };
  FvArray *values[3];

  for (guint i = 0; i < 3; i++) {
    values[i] = fv_node_constant (node, i);
    if (!values[i])
      return fv_node_fail (node, error, FV_ERROR_DYNAMIC,
          "the result's shape depends on the data");
    if (values[i]->count != 1 || values[i]->type != values[0]->type)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "start, limit and delta must be scalars of one type");
  }
  if (!fv_node_need_numbers (node, 0, error)
      || !range_count (node, values, &shape.dims[0], error))
    return FALSE;
  fv_set_output (node, 0, node->inputs[0]->type, &shape);
  return TRUE;
}

static gboolean
range (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  for (gint64 i = 0; i < outputs[0]->count; i++)
    if (outputs[0]->type == FV_TYPE_F32)
      outputs[0]->f32[i] = inputs[0]->f32[0] + (double) i * inputs[2]->f32[0];
    else
      outputs[0]->i64[i] = inputs[0]->i64[0] + i * inputs[2]->i64[0];
  return TRUE;
}

const FvOp fv_ops_constant[] = {
  {
      .name = "Constant",
      .since = 1,
      .until = 11,
      .min_inputs = 0,
      .attrs = "value:t",
      .infer = infer_constant,
      .reference = constant,
  },
  {
      .name = "Constant",
      .since = 12,
      .variant = 1,
      .min_inputs = 0,
      .attrs = "value:t value_float:f=0 value_floats:fs value_int:i=0 "
               "value_ints:is",
      .infer = infer_constant,
      .reference = constant,
  },
  {
      .name = "ConstantOfShape",
      .since = 9,
      .min_inputs = 1,
      .attrs = "value:t",
      .infer = infer_constant_of_shape,
      .reference = constant_of_shape,
  },
  {
      .name = "Range",
      .since = 11,
      .min_inputs = 3,
      .attrs = "",
      .infer = infer_range,
      .reference = range,
  },
  {},
};
