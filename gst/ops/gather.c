/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that pick elements by indices. */
#include "gst/ops/common.h"

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

static gboolean
infer_gather_elements (FvNode *node, GError **error)
{
  const FvShape *data = &node->inputs[0]->shape;
  const FvShape *indices = &node->inputs[1]->shape;
  guint axis;

  if (!fv_node_axis (node, fv_node_int (node, "axis"), data->rank, &axis,
          error))
    return FALSE;
  for (guint i = 0; i < data->rank; i++)
    if (indices->rank != data->rank
        || (i != axis && indices->dims[i] > data->dims[i]))
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

const FvOp fv_ops_gather[] = {
  {
      .name = "Gather",
      .since = 1,
      .flags = FV_OP_VIEW,
      .min_inputs = 2,
      .attrs = "axis:i=0",
      .infer = infer_gather,
      .reference = gather,
      .cases = FV_CASES ({ .inputs = "f32[3,5,7] =i64(1)" },
          { .inputs = "f32[3,5,7] =i64(-1)", .attrs = "axis=2" },
          { .inputs = "f32[3,9,7] =i64{1,3,5}", .attrs = "axis=1" },
          { .inputs = "f32[3,9,8] =i64{6,0,-1,2,2}", .attrs = "axis=1" },
          { .inputs = "f32[2,5,9] =i64{8,1,0,3}", .attrs = "axis=-1" }),
  },
  {
      .name = "GatherElements",
      .since = 11,
      .min_inputs = 2,
      .attrs = "axis:i=0",
      .infer = infer_gather_elements,
      .reference = gather_elements,
  },
  {
      .name = "GatherND",
      .since = 11,
      .until = 11,
      .min_inputs = 2,
      .attrs = "",
      .infer = infer_gather_nd,
      .reference = gather_nd,
  },
  {
      .name = "GatherND",
      .since = 12,
      .variant = 1,
      .min_inputs = 2,
      .attrs = "batch_dims:i=0",
      .infer = infer_gather_nd,
      .reference = gather_nd,
  },
  {},
};
