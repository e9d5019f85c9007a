/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/ops/common.h"

#include <math.h>
#include <string.h>

void
fv_dense_strides (const FvShape *shape, gint64 strides[FV_MAX_RANK])
{
  gint64 stride = 1;

  memset (strides, 0, FV_MAX_RANK * sizeof *strides);
  for (guint i = shape->rank; i-- > 0;) {
    strides[i] = stride;
    stride *= MAX (shape->dims[i], 1);
  }
}

void
fv_walk_begin (FvWalk *walk, const FvShape *shape)
{
  memset (walk, 0, sizeof *walk);
  walk->shape = *shape;
}

void
fv_walk_add (FvWalk *walk, const FvShape *operand)
{
  gint64 dense[FV_MAX_RANK], strides[FV_MAX_RANK] = { 0 };
  guint shift = walk->shape.rank - operand->rank;

  fv_dense_strides (operand, dense);
  for (guint i = 0; i < operand->rank; i++)
    strides[i + shift] = operand->dims[i] == 1 ? 0 : dense[i];
  fv_walk_add_strides (walk, 0, strides);
}

void
fv_walk_add_strides (FvWalk *walk, gint64 start,
    const gint64 strides[FV_MAX_RANK])
{
  g_assert (walk->n < FV_WALK_OPERANDS);
  memcpy (walk->strides[walk->n], strides, sizeof walk->strides[0]);
  walk->at[walk->n++] = start;
}

void
fv_walk_next (FvWalk *walk)
{
  for (guint axis = walk->shape.rank; axis-- > 0;) {
    if (++walk->index[axis] < walk->shape.dims[axis]) {
      for (guint k = 0; k < walk->n; k++)
        walk->at[k] += walk->strides[k][axis];
      return;
    }
    walk->index[axis] = 0;
    for (guint k = 0; k < walk->n; k++)
      walk->at[k] -= walk->strides[k][axis] * (walk->shape.dims[axis] - 1);
  }
}

void
fv_set_output (FvNode *node, guint i, FvType type, const FvShape *shape)
{
  if (i >= node->n_outputs || !node->outputs[i])
    return;
  node->outputs[i]->type = type;
  node->outputs[i]->shape = *shape;
}

void
fv_move (FvArray *target, gint64 o, const FvArray *source, gint64 i)
{
  switch (target->type) {
    case FV_TYPE_F32:
      target->f32[o] = source->f32[i];
      break;
    case FV_TYPE_I64:
      target->i64[o] = source->i64[i];
      break;
    default:
      target->u8[o] = source->u8[i];
      break;
  }
}

void
fv_move_all (FvArray *target, const FvArray *source)
{
  gsize size = MIN (target->size, source->size);

  if (size)
    memcpy (target->data, source->data, size);
}

gboolean
fv_reference_move (FvNode *node, FvArray **inputs, FvArray **outputs,
    GError **error)
{
  fv_move_all (outputs[0], inputs[0]);
  return TRUE;
}

gboolean
fv_node_need_inputs (const FvNode *node, GError **error)
{
  for (guint i = 0; i < node->n_own_inputs; i++)
    if (!node->inputs[i])
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "input %u is missing", i);
  return TRUE;
}

gboolean
fv_infer_broadcast (FvNode *node, GError **error)
{
  FvShape shape;
  FvType type;

  if (!fv_node_need_inputs (node, error))
    return FALSE;
  shape = node->inputs[0]->shape;
  type = node->inputs[0]->type;

  for (guint i = 1; i < node->n_own_inputs; i++) {
    FvShape both;

    if (node->inputs[i]->type != type)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "expected inputs of one type, got %s and %s", fv_type_name (type),
          fv_type_name (node->inputs[i]->type));
    if (!fv_node_broadcast (node, &shape, &node->inputs[i]->shape, &both,
            error))
      return FALSE;
    shape = both;
  }
  if (!fv_node_check_shape (node, &shape, error))
    return FALSE;
  fv_set_output (node, 0, type, &shape);
  return TRUE;
}

/* Whether @name stands in the operator's attributes. */
static gboolean
has_attribute (const FvNode *node, const char *name)
{
  for (guint i = 0; i < node->n_attrs; i++)
    if (!strcmp (node->attrs[i].name, name))
      return TRUE;
  return FALSE;
}

gboolean
fv_node_list (FvNode *node, const char *name, guint input, FvArray **list,
    GError **error)
{
  *list = NULL;
  if (has_attribute (node, name)) {
    guint n = 0;
    const gint64 *values = fv_node_ints (node, name, &n);

    if (values)
      *list = fv_array_new_i64 (values, n);
    return TRUE;
  }
  if (!fv_node_input (node, input))
    return TRUE;
  *list = fv_node_constant_ints (node, input, error);
  return *list != NULL;
}

gboolean
fv_node_axes (FvNode *node, guint input, guint rank,
    gboolean flags[FV_MAX_RANK], guint *n, GError **error)
{
  g_autoptr (FvArray) list = NULL;

  *n = 0;
  memset (flags, 0, FV_MAX_RANK * sizeof *flags);
  if (!fv_node_list (node, "axes", input, &list, error))
    return FALSE;
  for (gint64 i = 0; list && i < list->count; i++) {
    guint axis;

    if (!fv_node_axis (node, list->i64[i], rank, &axis, error))
      return FALSE;
    if (flags[axis])
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "axis %u is named twice", axis);
    flags[axis] = TRUE;
    (*n)++;
  }
  return TRUE;
}

gboolean
fv_node_check_shape (const FvNode *node, const FvShape *shape, GError **error)
{
  if (shape->rank > FV_MAX_RANK)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "a result of rank %u; at most %d is supported", shape->rank,
        FV_MAX_RANK);
  if (fv_shape_count (shape) < 0) {
    g_autofree char *text = fv_shape_to_string (shape);

    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
        "the result would have the shape %s", text);
  }
  return TRUE;
}

gboolean
fv_node_need_integers (const FvNode *node, guint i, GError **error)
{
  const FvValue *value = fv_node_input (node, i);

  return !value || fv_value_is_integer (value)
      || fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "input %u is of type %s; expected integers", i,
          fv_type_name (value->type));
}

gboolean
fv_node_need_numbers (const FvNode *node, guint i, GError **error)
{
  const FvValue *value = fv_node_input (node, i);

  return !value || value->type != FV_TYPE_BOOL
      || fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "input %u is of type bool; expected numbers", i);
}

gboolean
fv_node_index (const FvNode *node, gint64 index, gint64 size, gint64 *result,
    GError **error)
{
  *result = index < 0 ? index + size : index;
  if (index < -size || index >= size)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "index %" G_GINT64_FORMAT " on an axis of %" G_GINT64_FORMAT, index,
        size);
  return TRUE;
}

gint64
fv_truncate (double value)
{
  if (isnan (value))
    return 0;
  if (value >= 9223372036854775808.0)
    return G_MAXINT64;
  return value <= -9223372036854775808.0 ? G_MININT64 : (gint64) value;
}

gboolean
fv_lower_rewritten (FvPlan *plan, FvNode *node, GError **error)
{
  return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED, FV_NO_KERNEL);
}
