/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that write elements by indices. */
#include "gst/ops/common.h"
#include "gst/ops/scatter.h"

#include <math.h>
#include <string.h>

/* The node's FV_SCATTER_*; fails where it is none. */
static gboolean
read_reduction (FvNode *node, guint *reduction, GError **error)
{
  static const char *const known[] = { "none", "add", "mul", "max", "min" };
  const char *name = node->op->variant ? fv_node_string (node, "reduction")
                                       : known[FV_SCATTER_NONE];

  for (*reduction = 0; *reduction < G_N_ELEMENTS (known); ++*reduction)
    if (!strcmp (name, known[*reduction])) {
      if (node->inputs[0]->type == FV_TYPE_BOOL)
        *reduction = FV_SCATTER_NONE;
      return TRUE;
    }
  return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
      "reduction \"%s\" is not known", name);
}

static void
reduce_float (float *value, float update, guint reduction)
{
  if (reduction == FV_SCATTER_ADD)
    *value += update;
  else if (reduction == FV_SCATTER_MUL)
    *value *= update;
  else if (reduction == FV_SCATTER_MAX)
    *value = fmaxf (*value, update);
  else
    *value = fminf (*value, update);
}

static void
reduce_int (gint64 *value, gint64 update, guint reduction)
{
  if (reduction == FV_SCATTER_ADD)
    *value = (guint64) *value + (guint64) update;
  else if (reduction == FV_SCATTER_MUL)
    *value = (guint64) *value * (guint64) update;
  else if (reduction == FV_SCATTER_MAX)
    *value = MAX (*value, update);
  else
    *value = MIN (*value, update);
}

/* Element @o of @target becomes, or takes in, element @i of @updates. */
static void
put (FvArray *target, gint64 o, const FvArray *updates, gint64 i,
    guint reduction)
{
  if (reduction == FV_SCATTER_NONE)
    fv_move (target, o, updates, i);
  else if (target->type == FV_TYPE_F32)
    reduce_float (&target->f32[o], updates->f32[i], reduction);
  else
    reduce_int (&target->i64[o], updates->i64[i], reduction);
}

static gboolean
infer_scatter (FvNode *node, GError **error)
{
  guint reduction;

  if (node->inputs[2]->type != node->inputs[0]->type)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "data and updates are of different types");
  return fv_node_need_integers (node, 1, error)
      && read_reduction (node, &reduction, error)
      && fv_infer_same (node, error);
}

static gboolean
infer_scatter_elements (FvNode *node, GError **error)
{
  const FvShape *data = &node->inputs[0]->shape;
  const FvShape *indices = &node->inputs[1]->shape;
  guint axis;

  if (!fv_node_axis (node, fv_node_int (node, "axis"), data->rank, &axis,
          error))
    return FALSE;
  if (!data->rank || indices->rank != data->rank)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "indices of rank %u do not fit data of rank %u", indices->rank,
        data->rank);
  for (guint i = 0; i < data->rank; i++)
    if (i != axis && indices->dims[i] > data->dims[i])
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "the indices' shape does not fit the data's");
  if (!fv_shape_equal (indices, &node->inputs[2]->shape))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "indices and updates are of different shapes");
  return infer_scatter (node, error);
}

static gboolean
scatter_elements (FvNode *node, FvArray **inputs, FvArray **outputs,
    GError **error)
{
  const FvShape *data = &inputs[0]->shape;
  gint64 dense[FV_MAX_RANK], stride, index;
  guint reduction;
  guint axis;
  FvWalk walk;

  if (!read_reduction (node, &reduction, error)
      || !fv_node_axis (node, fv_node_int (node, "axis"), data->rank, &axis,
          error))
    return FALSE;
  fv_move_all (outputs[0], inputs[0]);
  fv_dense_strides (data, dense);
  stride = dense[axis];
  dense[axis] = 0;
  fv_walk_begin (&walk, &inputs[1]->shape);
  fv_walk_add_strides (&walk, 0, dense);
  for (gint64 i = 0; i < inputs[1]->count; i++, fv_walk_next (&walk)) {
    if (!fv_node_index (node, inputs[1]->i64[i], data->dims[axis], &index,
            error))
      return FALSE;
    put (outputs[0], walk.at[0] + index * stride, inputs[2], i, reduction);
  }
  return TRUE;
}

static gboolean
infer_scatter_nd (FvNode *node, GError **error)
{
  const FvShape *data = &node->inputs[0]->shape;
  const FvShape *indices = &node->inputs[1]->shape;
  FvShape updates = { 0 };
  gint64 depth;

  if (!indices->rank || !data->rank)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "data or indices are scalars");
  depth = indices->dims[indices->rank - 1];
  if (depth < 1 || depth > data->rank
      || indices->rank - 1 + data->rank - depth > FV_MAX_RANK)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "indices of %" G_GINT64_FORMAT " axes into an input of %u", depth,
        data->rank);
  for (guint i = 0; i + 1 < indices->rank; i++)
    updates.dims[updates.rank++] = indices->dims[i];
  for (guint i = depth; i < data->rank; i++)
    updates.dims[updates.rank++] = data->dims[i];
  if (!fv_shape_equal (&updates, &node->inputs[2]->shape))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the updates' shape does not fit data and indices");
  return infer_scatter (node, error);
}

static gboolean
scatter_nd (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  const FvShape *data = &inputs[0]->shape, *indices = &inputs[1]->shape;
  gint64 dense[FV_MAX_RANK], inner = 1;
  gint64 depth = indices->dims[indices->rank - 1];
  guint reduction;

  if (!read_reduction (node, &reduction, error))
    return FALSE;
  fv_move_all (outputs[0], inputs[0]);
  fv_dense_strides (data, dense);
  for (guint i = depth; i < data->rank; i++)
    inner *= data->dims[i];
  for (gint64 i = 0; i < inputs[1]->count / depth; i++) {
    gint64 at = 0;

    for (gint64 k = 0; k < depth; k++) {
      gint64 index;

      if (!fv_node_index (node, inputs[1]->i64[i * depth + k], data->dims[k],
              &index, error))
        return FALSE;
      at += index * dense[k];
    }
    for (gint64 c = 0; c < inner; c++)
      put (outputs[0], at + c, inputs[2], i * inner + c, reduction);
  }
  return TRUE;
}

static gboolean
lower_scatter_elements (FvPlan *plan, FvNode *node, GError **error)
{
  guint axis, reduction;

  return read_reduction (node, &reduction, error)
      && fv_node_axis (node, fv_node_int (node, "axis"),
          node->inputs[0]->shape.rank, &axis, error)
      && fv_scatter_elements_lower (plan, node, axis, reduction, error);
}

static gboolean
lower_scatter_nd (FvPlan *plan, FvNode *node, GError **error)
{
  guint reduction;

  return read_reduction (node, &reduction, error)
      && fv_scatter_nd_lower (plan, node, reduction, error);
}

const FvOp fv_ops_scatter[] = {
  {
      .name = "Scatter",
      .since = 9,
      .until = 10,
      .min_inputs = 3,
      .attrs = "axis:i=0",
      .infer = infer_scatter_elements,
      .reference = scatter_elements,
      .lower = lower_scatter_elements,
  },
  {
      .name = "ScatterElements",
      .since = 11,
      .until = 15,
      .min_inputs = 3,
      .attrs = "axis:i=0",
      .infer = infer_scatter_elements,
      .reference = scatter_elements,
      .lower = lower_scatter_elements,
  },
  {
      .name = "ScatterElements",
      .since = 16,
      .variant = 1,
      .min_inputs = 3,
      .attrs = "axis:i=0 reduction:s=none",
      .infer = infer_scatter_elements,
      .reference = scatter_elements,
      .lower = lower_scatter_elements,
      .cases = FV_CASES (
          { .inputs = "f32[3,5] i64[2,5] f32[2,5]", .low = -3, .high = 2 },
          { .inputs = "f32[3,5] i64[3,2] f32[3,2]",
              .attrs = "axis=1",
              .low = -5,
              .high = 4 },
          { .inputs = "f32[2,7,3,9] i64[2,4,3,8] f32[2,4,3,8]",
              .attrs = "axis=1 reduction=add",
              .low = -7,
              .high = 6 },
          { .inputs = "f32[2,3,2,3,2,6] i64[1,3,2,2,2,9] f32[1,3,2,2,2,9]",
              .attrs = "axis=-1 reduction=max",
              .low = -6,
              .high = 5 },
          { .inputs = "f32[13] i64[30] f32[30]",
              .attrs = "reduction=min",
              .low = -13,
              .high = 12 },
          { .inputs = "i32[4,6] i64[4,3] i32[4,3]",
              .attrs = "axis=1 reduction=mul",
              .low = -6,
              .high = 5 },
          { .inputs = "f32[1,1,7] =i64[1,1,3] f32[1,1,3]",
              .attrs = "axis=2",
              .low = 0,
              .high = 6 }),
  },
  {
      .name = "ScatterND",
      .since = 11,
      .until = 15,
      .min_inputs = 3,
      .attrs = "",
      .infer = infer_scatter_nd,
      .reference = scatter_nd,
      .lower = lower_scatter_nd,
  },
  {
      .name = "ScatterND",
      .since = 16,
      .variant = 1,
      .min_inputs = 3,
      .attrs = "reduction:s=none",
      .infer = infer_scatter_nd,
      .reference = scatter_nd,
      .lower = lower_scatter_nd,
      .cases = FV_CASES (
          { .inputs = "f32[5,3] i64[4,1] f32[4,3]", .low = -5, .high = 2 },
          { .inputs = "f32[5,2,7,3] i64[2,3,2] f32[2,3,7,3]",
              .attrs = "reduction=add",
              .low = -2,
              .high = 1 },
          { .inputs = "f32[13] i64[40,1] f32[40]",
              .attrs = "reduction=add",
              .low = -13,
              .high = 12 },
          { .inputs = "f32[5,6,7] i64[9,3] f32[9]",
              .attrs = "reduction=mul",
              .low = -5,
              .high = 4 },
          { .inputs = "f32[2,2,3,2,2,3] i64[11,6] f32[11]",
              .attrs = "reduction=max",
              .low = -2,
              .high = 1 },
          { .inputs = "f32[1,16,4] =i64[1,16,2,3] f32[1,16,2]",
              .low = -1,
              .high = 0 },
          { .inputs = "f32[2,5,3] =i64[2,1] f32[2,5,3]", .low = 0, .high = 0 },
          { .inputs = "i64[6,5] i64[3,1] i64[3,5]",
              .attrs = "reduction=min",
              .low = -6,
              .high = 5 }),
  },
  {},
};
