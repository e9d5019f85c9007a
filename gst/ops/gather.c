/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that pick elements by indices. */
#include "gst/ops/common.h"
#include "gst/ops/gather.h"
#include "gst/ops/remap.h"

static gboolean
infer_gather (FvNode *node, GError **error)
{
  const FvShape *data = &node->inputs[0]->shape;
  const FvShape *indices = &node->inputs[1]->shape;
  FvShape shape = { 0 };
  guint axis;

  if (!fv_node_axis (node, fv_node_int (node, "axis"), data->rank, &axis,
          error))
    return FALSE;
  if (!fv_node_need_integers (node, 1, error))
    return FALSE;
  if (data->rank == 0)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the data is a scalar");
  if (data->rank + indices->rank > FV_MAX_RANK + 1)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "a result of rank %u; at most %d is supported",
        data->rank + indices->rank - 1, FV_MAX_RANK);
  for (guint i = 0; i < axis; i++)
    shape.dims[shape.rank++] = data->dims[i];
  for (guint i = 0; i < indices->rank; i++)
    shape.dims[shape.rank++] = indices->dims[i];
  for (guint i = axis + 1; i < data->rank; i++)
    shape.dims[shape.rank++] = data->dims[i];
  if (!fv_node_check_shape (node, &shape, error))
    return FALSE;
  fv_set_output (node, 0, node->inputs[0]->type, &shape);
  return TRUE;
}

static gboolean
gather (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  const FvArray *data = inputs[0], *indices = inputs[1];
  gint64 outer = 1, inner = 1, size, o = 0;
  guint axis;

  if (!fv_node_axis (node, fv_node_int (node, "axis"), data->shape.rank, &axis,
          error))
    return FALSE;
  if (outputs[0]->count == 0)
    return TRUE;
  size = data->shape.dims[axis];
  for (guint i = 0; i < axis; i++)
    outer *= data->shape.dims[i];
  for (guint i = axis + 1; i < data->shape.rank; i++)
    inner *= data->shape.dims[i];
  for (gint64 i = 0; i < outer; i++)
    for (gint64 k = 0; k < indices->count; k++) {
      gint64 index;

      if (!fv_node_index (node, indices->i64[k], size, &index, error))
        return FALSE;
      for (gint64 c = 0; c < inner; c++)
        fv_move (outputs[0], o++, data, (i * size + index) * inner + c);
    }
  return TRUE;
}

/* The indices, positive. (transfer full) */
static gint64 *
read_indices (FvNode *node, gint64 size, gint64 *count, GError **error)
{
  g_autoptr (FvArray) list = fv_node_constant_ints (node, 1, error);
  g_autofree gint64 *indices = NULL;

  if (!list)
    return NULL;
  indices = g_try_new0 (gint64, list->count + 1);
  if (!indices) {
    fv_node_fail (node, error, FV_ERROR_TOO_LARGE, "no memory for its indices");
    return NULL;
  }
  *count = list->count;
  for (gint64 i = 0; i < list->count; i++)
    if (!fv_node_index (node, list->i64[i], size, &indices[i], error))
      return NULL;
  return g_steal_pointer (&indices);
}

/* Indices that run upwards in equal steps are a slice. */
static gboolean
gather_view (FvNode *node, const FvTensor *source, guint axis,
    const gint64 *indices, gint64 count, FvTensor *view)
{
  gint64 step = count > 1 ? indices[1] - indices[0] : 1;
  FvTensor slice = *source;

  if (count < 1 || step < 1)
    return FALSE;
  for (gint64 i = 1; i < count; i++)
    if (indices[i] - indices[i - 1] != step)
      return FALSE;
  slice.offset += indices[0] * source->strides[axis];
  slice.shape.dims[axis] = count;
  slice.strides[axis] *= step;
  return fv_tensor_reshape (&slice, &node->outputs[0]->shape, view);
}

/* The input's rows by their positions into @target, whose axes of the indices are
 * merged into one for that. */
static gboolean
gather_rows (FvPlan *plan, FvNode *node, const FvTensor *source, guint axis,
    const gint64 *indices, gint64 count, const FvTensor *target, GError **error)
{
  const gint64 *positions[FV_MAX_RANK] = { NULL };
  FvShape merged = source->shape;
  FvTensor flat;
  gint64 n = 1;

  positions[axis] = indices;
  merged.dims[axis] = count;
  if (fv_tensor_reshape (target, &merged, &flat))
    return fv_remap_lower (plan, node, source, &flat, positions, 0, error);
  for (guint i = 0; i < merged.rank; i++)
    n *= i + 1 == merged.rank ? (merged.dims[i] + 3) & ~(gint64) 3
                              : merged.dims[i];
  if (!fv_plan_temporary (plan, node, n, target->type, &flat, error))
    return FALSE;
  flat.shape = merged;
  for (guint i = merged.rank; i-- > 0;) {
    n = i + 1 == merged.rank ? 1 : n;
    flat.strides[i] = n;
    n *= i + 1 == merged.rank ? (merged.dims[i] + 3) & ~(gint64) 3
                              : merged.dims[i];
  }
  return fv_remap_lower (plan, node, source, &flat, positions, 0, error)
      && fv_plan_copy (plan, node, &flat, target, error);
}

static gboolean
lower_gather (FvPlan *plan, FvNode *node, GError **error)
{
  const FvShape *data = &node->inputs[0]->shape;
  g_autofree gint64 *indices = NULL;
  FvTensor source, target;
  gint64 count = 0;
  guint axis;
  int inner;

  if (!fv_node_axis (node, fv_node_int (node, "axis"), data->rank, &axis,
          error))
    return FALSE;
  if (!fv_node_constant (node, 1))
    return fv_gather_lower (plan, node, axis, error);
  if (!fv_plan_input (plan, node, 0, FV_ANY_AXIS, &source, error))
    return FALSE;
  indices = read_indices (node, data->dims[axis], &count, error);
  if (!indices)
    return FALSE;
  if (gather_view (node, &source, axis, indices, count, &target)) {
    fv_plan_alias (plan, node, 0, &target);
    return TRUE;
  }
  inner = fv_tensor_inner (&source);
  if (inner >= (int) axis)
    inner += (int) node->inputs[1]->shape.rank - 1;
  inner = MAX (inner, 0);
  return fv_plan_output (plan, node, 0, inner, &target, error)
      && gather_rows (plan, node, &source, axis, indices, count, &target,
          error);
}

static gboolean
infer_gather_elements (FvNode *node, GError **error)
{
  const FvShape *data = &node->inputs[0]->shape;
  const FvShape *indices = &node->inputs[1]->shape;
  guint axis;

  if (!fv_node_axis (node, fv_node_int (node, "axis"), data->rank, &axis,
          error))
    return FALSE;
  if (!fv_node_need_integers (node, 1, error))
    return FALSE;
  if (!data->rank || indices->rank != data->rank)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "indices of rank %u do not fit data of rank %u", indices->rank,
        data->rank);
  for (guint i = 0; i < data->rank; i++)
    if (i != axis && indices->dims[i] > data->dims[i])
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "the indices' shape does not fit the data's");
  fv_set_output (node, 0, node->inputs[0]->type, indices);
  return TRUE;
}

static gboolean
gather_elements (FvNode *node, FvArray **inputs, FvArray **outputs,
    GError **error)
{
  const FvShape *data = &inputs[0]->shape;
  gint64 dense[FV_MAX_RANK], stride, index;
  guint axis;
  FvWalk walk;

  if (!fv_node_axis (node, fv_node_int (node, "axis"), data->rank, &axis,
          error))
    return FALSE;
  fv_dense_strides (data, dense);
  stride = dense[axis];
  dense[axis] = 0;
  fv_walk_begin (&walk, &inputs[1]->shape);
  fv_walk_add_strides (&walk, 0, dense);
  for (gint64 i = 0; i < inputs[1]->count; i++, fv_walk_next (&walk)) {
    if (!fv_node_index (node, inputs[1]->i64[i], data->dims[axis], &index,
            error))
      return FALSE;
    fv_move (outputs[0], i, inputs[0], walk.at[0] + index * stride);
  }
  return TRUE;
}

static gboolean
lower_gather_elements (FvPlan *plan, FvNode *node, GError **error)
{
  guint axis;

  return fv_node_axis (node, fv_node_int (node, "axis"),
             node->inputs[0]->shape.rank, &axis, error)
      && fv_gather_elements_lower (plan, node, axis, error);
}

static gint64
batch_dims (const FvNode *node)
{
  return node->op->variant ? fv_node_int (node, "batch_dims") : 0;
}

static gboolean
infer_gather_nd (FvNode *node, GError **error)
{
  const FvShape *data = &node->inputs[0]->shape;
  const FvShape *indices = &node->inputs[1]->shape;
  gint64 batch = batch_dims (node), depth;
  FvShape shape = { 0 };

  if (!data->rank || !indices->rank || batch < 0 || batch >= data->rank
      || batch >= indices->rank)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "batch_dims is %" G_GINT64_FORMAT, batch);
  if (!fv_node_need_integers (node, 1, error))
    return FALSE;
  depth = indices->dims[indices->rank - 1];
  if (depth < 1 || depth > data->rank - batch)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "indices of %" G_GINT64_FORMAT " axes into an input of %u", depth,
        data->rank);
  for (guint i = 0; i < batch; i++)
    if (data->dims[i] != indices->dims[i])
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "the batch axis %u differs between data and indices", i);
  if (indices->rank - 1 + data->rank - batch - depth > FV_MAX_RANK)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "a result of rank over %d", FV_MAX_RANK);
  for (guint i = 0; i + 1 < indices->rank; i++)
    shape.dims[shape.rank++] = indices->dims[i];
  for (guint i = batch + depth; i < data->rank; i++)
    shape.dims[shape.rank++] = data->dims[i];
  if (!fv_node_check_shape (node, &shape, error))
    return FALSE;
  fv_set_output (node, 0, node->inputs[0]->type, &shape);
  return TRUE;
}

static gboolean
gather_nd (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  const FvShape *data = &inputs[0]->shape, *indices = &inputs[1]->shape;
  gint64 dense[FV_MAX_RANK], batch = batch_dims (node), inner = 1, o = 0;
  gint64 depth = indices->dims[indices->rank - 1], per_batch = 1;

  if (outputs[0]->count == 0)
    return TRUE;
  fv_dense_strides (data, dense);
  for (guint i = batch + depth; i < data->rank; i++)
    inner *= data->dims[i];
  for (guint i = batch; i + 1 < indices->rank; i++)
    per_batch *= indices->dims[i];
  for (gint64 i = 0; i < inputs[1]->count / depth; i++) {
    gint64 at = batch ? i / per_batch * dense[batch - 1] : 0;

    for (gint64 k = 0; k < depth; k++) {
      gint64 index;

      if (!fv_node_index (node, inputs[1]->i64[i * depth + k],
              data->dims[batch + k], &index, error))
        return FALSE;
      at += index * dense[batch + k];
    }
    for (gint64 c = 0; c < inner; c++)
      fv_move (outputs[0], o++, inputs[0], at + c);
  }
  return TRUE;
}

static gboolean
lower_gather_nd (FvPlan *plan, FvNode *node, GError **error)
{
  return fv_gather_nd_lower (plan, node, batch_dims (node), error);
}

const FvOp fv_ops_gather[] = {
  {
      .name = "Gather",
      .since = 1,
      .flags = FV_OP_VIEW,
      .min_inputs = 2,
      .attrs = "axis:i=0",
      .infer = infer_gather,
      .reference = gather,
      .lower = lower_gather,
      .cases = FV_CASES ({ .inputs = "f32[3,5,7] =i64(1)" },
          { .inputs = "f32[3,5,7] =i64(-1)", .attrs = "axis=2" },
          { .inputs = "f32[3,9,7] =i64{1,3,5}", .attrs = "axis=1" },
          { .inputs = "f32[3,9,8] =i64{6,0,-1,2,2}", .attrs = "axis=1" },
          { .inputs = "f32[2,5,9] =i64{8,1,0,3}", .attrs = "axis=-1" },
          { .inputs = "f32[3,9,5] =i64[2,3]", .attrs = "axis=1", .high = 9 },
          { .inputs = "f32[9] =i64[2,3]", .high = 9 },
          { .inputs = "f32[3,9,5] i64[2,3]", .attrs = "axis=1", .high = 9 },
          { .inputs = "f32[3,9,5] i64[7]", .attrs = "axis=2", .high = 5 },
          { .inputs = "f32[9,6] i64[2,3]", .low = -9, .high = 9 },
          { .inputs = "=f32[9,7] i64[5]", .high = 9 },
          { .inputs = "i64[9] i64[5]", .high = 9 }),
  },
  {
      .name = "GatherElements",
      .since = 11,
      .min_inputs = 2,
      .attrs = "axis:i=0",
      .infer = infer_gather_elements,
      .reference = gather_elements,
      .lower = lower_gather_elements,
      .cases = FV_CASES (
          { .inputs = "f32[2,9,5] i64[2,6,5]", .attrs = "axis=1", .high = 9 },
          { .inputs = "f32[3,5,7] i64[3,5,9]",
              .attrs = "axis=-1",
              .low = -7,
              .high = 7 },
          { .inputs = "f32[6,3] =i64[4,2]", .high = 6 }),
  },
  {
      .name = "GatherND",
      .limits = "more than 4 axes of indices: on the host",
      .since = 11,
      .until = 11,
      .min_inputs = 2,
      .attrs = "",
      .infer = infer_gather_nd,
      .reference = gather_nd,
      .lower = lower_gather_nd,
  },
  {
      .name = "GatherND",
      .limits = "more than 4 axes of indices: on the host",
      .since = 12,
      .variant = 1,
      .min_inputs = 2,
      .attrs = "batch_dims:i=0",
      .infer = infer_gather_nd,
      .reference = gather_nd,
      .lower = lower_gather_nd,
      .cases = FV_CASES ({ .inputs = "f32[3,3,5] i64[4,2]", .high = 3 },
          { .inputs = "f32[3,3,8] i64[2,4,1]", .high = 3 },
          { .inputs = "f32[3,3,3,3] i64[5,3]", .low = -3, .high = 3 },
          { .inputs = "f32[2,5,7] i64[2,3,1]",
              .attrs = "batch_dims=1",
              .high = 5 }),
  },
  {},
};
