/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/ops/rows.h"

#define WORKGROUP_LANES 128

gboolean
fv_dense_temporary (FvPlan *plan, FvNode *node, const FvShape *shape, int inner,
    FvType type, FvTensor *tensor, GError **error)
{
  gint64 strides[FV_MAX_RANK] = { 0 };
  gint64 count = (shape->dims[inner] + 3) & ~(gint64) 3;

  strides[inner] = 1;
  for (int i = (int) shape->rank - 1; i >= 0; i--)
    if (i != inner) {
      strides[i] = count;
      count *= shape->dims[i];
    }
  if (!fv_plan_temporary (plan, node, count, type, tensor, error))
    return FALSE;
  tensor->shape = *shape;
  memcpy (tensor->strides, strides, sizeof strides);
  return TRUE;
}

gboolean
fv_tensor_maps (const FvTensor *tensor, gint64 *map, gint64 *row)
{
  FvTensor one = *tensor;
  gint64 n;

  one.shape.dims[0] = 1;
  *map = tensor->shape.dims[0] > 1 ? tensor->strides[0] : 0;
  return fv_tensor_is_vec4 (tensor, 1) && fv_tensor_rows (&one, 1, &n, row);
}

gboolean
fv_plan_input_maps (FvPlan *plan, FvNode *node, FvTensor *tensor, gint64 *map,
    gint64 *row, GError **error)
{
  gint64 stride;

  if (!fv_plan_input (plan, node, 0, 1, tensor, error))
    return FALSE;
  if (fv_tensor_maps (tensor, map, row))
    return TRUE;
  return fv_plan_input_rows (plan, node, 0, 1, tensor, &stride, error)
      && fv_tensor_maps (tensor, map, row);
}

/* The one axis from @axis on that has more than one element, the last one when
 * none has, -1 when several have. */
static int
only_axis (const FvShape *shape, guint axis)
{
  int found = (int) shape->rank - 1;
  guint n = 0;

  for (guint i = axis; i < shape->rank; i++)
    if (shape->dims[i] != 1) {
      found = i;
      n++;
    }
  return n > 1 ? -1 : found;
}

/* @tensor as [rows][width] without a copy. */
static gboolean
flat_view (const FvTensor *tensor, gint64 rows, gint64 width, FvTensor *view)
{
  FvShape flat = { 2, { rows, width } };

  return fv_tensor_reshape (tensor, &flat, view) && fv_tensor_is_vec4 (view, 1);
}

gboolean
fv_plan_input_flat (FvPlan *plan, FvNode *node, guint i, gint64 rows,
    gint64 width, FvTensor *flat, gint64 *stride, GError **error)
{
  FvShape shape = { 2, { rows, width } };
  FvTensor tensor;

  if (!fv_plan_input (plan, node, i, FV_ANY_AXIS, &tensor, error))
    return FALSE;
  if (!flat_view (&tensor, rows, width, flat)
      && (!fv_dense_temporary (plan, node, &shape, 1, tensor.type, flat, error)
          || !fv_plan_copy (plan, node, &tensor, flat, error)))
    return FALSE;
  *stride = rows > 1 ? flat->strides[0] : (width + 3) & ~(gint64) 3;
  return TRUE;
}

gboolean
fv_plan_output_flat (FvPlan *plan, FvNode *node, gint64 rows, gint64 width,
    FvTensor *output, FvTensor *flat, gint64 *stride, GError **error)
{
  FvShape shape = { 2, { rows, width } };

  if (!fv_plan_output (plan, node, 0, (int) node->outputs[0]->shape.rank - 1,
          output, error)
      || (!flat_view (output, rows, width, flat)
          && !fv_dense_temporary (plan, node, &shape, 1, output->type, flat,
              error)))
    return FALSE;
  *stride = rows > 1 ? flat->strides[0] : (width + 3) & ~(gint64) 3;
  return TRUE;
}

static gboolean
place_output (FvPlan *plan, FvNode *node, FvRows *rows, GError **error)
{
  int inner = rows->inner;
  gint64 n;

  if (inner < 0) {
    if (!fv_plan_output_flat (plan, node, rows->rows, rows->width,
            &rows->output, &rows->y, &rows->y_row, error))
      return FALSE;
    rows->copy_back = rows->y.storage != rows->output.storage;
    return TRUE;
  }
  if (!fv_plan_output (plan, node, 0, inner, &rows->output, error))
    return FALSE;
  rows->y = rows->output;
  if (fv_tensor_is_vec4 (&rows->output, inner)
      && fv_tensor_rows (&rows->output, inner, &n, &rows->y_row))
    return TRUE;
  rows->copy_back = TRUE;
  rows->y_row = (rows->width + 3) & ~(gint64) 3;
  return fv_dense_temporary (plan, node, &rows->output.shape, inner,
      rows->output.type, &rows->y, error);
}

gboolean
fv_rows_begin (FvPlan *plan, FvNode *node, guint axis, gboolean flatten,
    FvRows *rows, GError **error)
{
  const FvShape *shape = &node->inputs[0]->shape;
  gint64 count = fv_shape_count (shape);

  *rows = (FvRows){ .width = 1 };
  if (!shape->rank || !count)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "a scalar or empty tensor on the device");
  for (guint i = axis; i < shape->rank && (flatten || i == axis); i++)
    rows->width *= shape->dims[i];
  rows->rows = count / rows->width;
  rows->inner = flatten ? only_axis (shape, axis) : (int) axis;
  if (rows->inner >= 0 ? !fv_plan_input_rows (plan, node, 0, rows->inner,
          &rows->x, &rows->x_row, error)
                       : !fv_plan_input_flat (plan, node, 0, rows->rows,
                           rows->width, &rows->x, &rows->x_row, error))
    return FALSE;
  return place_output (plan, node, rows, error);
}

/* A vector over the node's last axis, repeated over a row of several axes. */
static gboolean
repeat_vector (FvPlan *plan, FvNode *node, const FvRows *rows,
    const FvArray *vector, FvTensor *tensor, GError **error)
{
  g_autofree float *values = g_try_new (float, rows->width);

  if (!values)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
        "no memory for its operand");
  for (gint64 i = 0; i < rows->width; i++)
    values[i] = fv_array_get_float (vector, i % vector->count);
  return fv_plan_weights (plan, node, values, rows->width, FV_TYPE_NONE, tensor,
      error);
}

/* The operand of a step for rows of several axes, which fv_plan_bind_steps() does
 * not know. */
static gboolean
flat_operand (FvPlan *plan, FvNode *node, const FvRows *rows, guint input,
    FvTensor *tensor, FvOperandPush *push, GError **error)
{
  FvArray *constant = fv_node_constant (node, input);
  gint64 stride = 0;

  if (fv_shape_equal (&node->inputs[input]->shape, &node->outputs[0]->shape)) {
    if (!fv_plan_input_flat (plan, node, input, rows->rows, rows->width, tensor,
            &stride, error))
      return FALSE;
  } else if (!constant)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "an operand that is no constant where several axes are one row");
  else if (!repeat_vector (plan, node, rows, constant, tensor, error))
    return FALSE;
  push->base = tensor->offset / 4;
  push->stride = stride / 4;
  return TRUE;
}

static gboolean
bind_flat_steps (FvPlan *plan, FvNode *node, const FvRows *rows,
    FvDispatch *dispatch, FvOperandPush push[FV_MAX_OPERANDS], GError **error)
{
  FvTensor operands[FV_MAX_OPERANDS] = { rows->x, rows->x };
  guint inputs[FV_MAX_OPERANDS];
  guint n = fv_dispatch_steps (dispatch, node, inputs);

  for (guint i = 0; i < n; i++)
    if (!flat_operand (plan, node, rows, inputs[i], &operands[i], &push[i],
            error))
      return FALSE;
  for (guint i = 0; i < FV_MAX_OPERANDS; i++)
    fv_plan_bind (plan, dispatch, &operands[i], FALSE);
  return TRUE;
}

gboolean
fv_rows_bind_steps (FvPlan *plan, FvNode *node, const FvRows *rows,
    FvDispatch *dispatch, FvOperandPush push[FV_MAX_OPERANDS], GError **error)
{
  if (rows->inner < 0)
    return bind_flat_steps (plan, node, rows, dispatch, push, error);
  return fv_plan_bind_steps (plan, node, dispatch, &rows->output, rows->inner,
      push, error);
}

gboolean
fv_rows_end (FvPlan *plan, FvNode *node, const FvRows *rows, GError **error)
{
  return !rows->copy_back
      || fv_plan_copy (plan, node, &rows->y, &rows->output, error);
}

guint
fv_local_size (FvPlan *plan, guint wanted)
{
  const FvDeviceInfo *info = fv_plan_device_info (plan);

  if (fv_plan_tier (plan) == FV_TIER_SUBGROUP)
    return MAX (info->subgroup_size, 1);
  while (wanted > info->max_invocations)
    wanted /= 2;
  return MAX (wanted, 1);
}

guint
fv_rows_grid (FvPlan *plan, const FvRows *rows, FvDispatch *dispatch)
{
  guint local = fv_local_size (plan, WORKGROUP_LANES), lanes = local;
  gint64 units = (rows->width + 3) / 4, groups;

  if (fv_plan_tier (plan) == FV_TIER_SUBGROUP) {
    /* a row per lane needs no shuffles, given rows for all of them */
    if (rows->rows >= 4 * local)
      lanes = 1;
  } else
    while (lanes > 1 && lanes / 2 >= units)
      lanes /= 2;
  groups = (rows->rows + local / lanes - 1) / (local / lanes);
  fv_dispatch_spec (dispatch, FV_SPEC_LOCAL, local);
  fv_dispatch_spec (dispatch, 1, lanes);
  fv_dispatch_spec (dispatch, 3, rows->width % 4 != 0);
  dispatch->groups[0] = MIN (groups, 4096);
  return lanes;
}
