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

static gboolean
flatten_input (FvPlan *plan, FvNode *node, guint i, gint64 rows, gint64 width,
    FvTensor *flat, gint64 *stride, GError **error)
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

static gboolean
place_output (FvPlan *plan, FvNode *node, FvRows *rows, GError **error)
{
  FvShape flat = { 2, { rows->rows, rows->width } };
  int inner = rows->inner;
  gint64 n;

  if (!fv_plan_output (plan, node, 0,
          inner < 0 ? (int) node->outputs[0]->shape.rank - 1 : inner,
          &rows->output, error))
    return FALSE;
  rows->y = rows->output;
  if (inner < 0) {
    if (flat_view (&rows->output, rows->rows, rows->width, &rows->y)) {
      rows->y_row = rows->y.strides[0];
      return TRUE;
    }
  } else if (fv_tensor_is_vec4 (&rows->output, inner)
      && fv_tensor_rows (&rows->output, inner, &n, &rows->y_row))
    return TRUE;
  rows->copy_back = TRUE;
  if (!(inner >= 0 ? fv_dense_temporary (plan, node, &rows->output.shape, inner,
            rows->output.type, &rows->y, error)
                   : fv_dense_temporary (plan, node, &flat, 1,
                       rows->output.type, &rows->y, error)))
    return FALSE;
  rows->y_row = (rows->width + 3) & ~(gint64) 3;
  return TRUE;
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
                       : !flatten_input (plan, node, 0, rows->rows, rows->width,
                           &rows->x, &rows->x_row, error))
    return FALSE;
  return place_output (plan, node, rows, error);
}

gboolean
fv_rows_bind_steps (FvPlan *plan, FvNode *node, const FvRows *rows,
    FvDispatch *dispatch, FvOperandPush push[FV_MAX_OPERANDS], GError **error)
{
  int last = (int) rows->output.shape.rank - 1;

  for (guint i = 0; rows->inner < 0 && i < node->n_steps; i++)
    if (FV_STEP_HAS_OPERAND (node->steps[i].kind))
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "a fused operand where several axes are one row");
  return fv_plan_bind_steps (plan, node, dispatch, &rows->output,
      rows->inner < 0 ? last : rows->inner, push, error);
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

void
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
}
