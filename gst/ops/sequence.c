/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that exporters compute masks and positions with. On the device they are
 * others, see rewrite-index.c. */
#include "gst/ops/common.h"

static gboolean
infer_trilu (FvNode *node, GError **error)
{
  if (node->inputs[0]->shape.rank < 2)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the input has no two axes");
  return fv_node_need_integers (node, 1, error) && fv_infer_same (node, error);
}

static gboolean
trilu (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  gboolean upper = fv_node_int (node, "upper") != 0;
  guint rank = inputs[0]->shape.rank;
  gint64 shift = node->n_own_inputs > 1 && inputs[1] && inputs[1]->count
      ? inputs[1]->i64[0]
      : 0;
  FvWalk walk;

  shift = CLAMP (shift, -G_MAXINT32, G_MAXINT32);
  fv_walk_begin (&walk, &inputs[0]->shape);
  for (gint64 i = 0; i < inputs[0]->count; i++, fv_walk_next (&walk)) {
    gint64 diagonal = walk.index[rank - 1] - walk.index[rank - 2];

    if (upper ? diagonal >= shift : diagonal <= shift)
      fv_move (outputs[0], i, inputs[0], i);
  }
  return TRUE;
}

static gboolean
infer_one_hot (FvNode *node, GError **error)
{
  const FvShape *from = &node->inputs[0]->shape;
  g_autoptr (FvArray) depth = fv_node_constant_ints (node, 1, error);
  FvShape to = { .rank = from->rank + 1 };
  guint axis, next = 0;

  if (!depth)
    return FALSE;
  if (depth->count != 1 || depth->i64[0] < 0
      || fv_shape_count (&node->inputs[2]->shape) != 2)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected one depth and two values");
  if (!fv_node_check_shape (node, from, error) || to.rank > FV_MAX_RANK)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "a result of rank %u; at most %d is supported", to.rank, FV_MAX_RANK);
  if (!fv_node_axis (node, fv_node_int (node, "axis"), to.rank, &axis, error))
    return FALSE;
  for (guint i = 0; i < to.rank; i++)
    to.dims[i] = i == axis ? depth->i64[0] : from->dims[next++];
  if (!fv_node_check_shape (node, &to, error))
    return FALSE;
  fv_set_output (node, 0, node->inputs[2]->type, &to);
  return TRUE;
}

static gboolean
one_hot (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  const FvShape *to = &outputs[0]->shape;
  gint64 strides[FV_MAX_RANK] = { 0 }, dense[FV_MAX_RANK], depth;
  guint axis, next = 0;
  FvWalk walk;

  if (!fv_node_axis (node, fv_node_int (node, "axis"), to->rank, &axis, error))
    return FALSE;
  depth = to->dims[axis];
  fv_dense_strides (&inputs[0]->shape, dense);
  for (guint i = 0; i < to->rank; i++)
    strides[i] = i == axis ? 0 : dense[next++];
  fv_walk_begin (&walk, to);
  fv_walk_add_strides (&walk, 0, strides);
  for (gint64 i = 0; i < outputs[0]->count; i++, fv_walk_next (&walk)) {
    gint64 hot = fv_array_get_int (inputs[0], walk.at[0]);

    hot = hot < 0 ? hot + depth : hot;
    fv_move (outputs[0], i, inputs[2], hot == walk.index[axis]);
  }
  return TRUE;
}

static gboolean
is_zero (const FvArray *array, gint64 i)
{
  return array->type == FV_TYPE_F32 ? array->f32[i] == 0
                                    : fv_array_get_int (array, i) == 0;
}

static gboolean
infer_non_zero (FvNode *node, GError **error)
{
  FvArray *constant = fv_node_constant (node, 0);
  FvShape shape = { .rank = 2, .dims = { node->inputs[0]->shape.rank, 0 } };

  if (!constant)
    return fv_node_fail (node, error, FV_ERROR_DYNAMIC,
        "the result's shape depends on the data");
  for (gint64 i = 0; i < constant->count; i++)
    shape.dims[1] += fv_array_get_float (constant, i) != 0;
  fv_set_output (node, 0, FV_TYPE_I64, &shape);
  return TRUE;
}

static gboolean
non_zero (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  gint64 n = outputs[0]->shape.dims[1], found = 0;
  FvWalk walk;

  fv_walk_begin (&walk, &inputs[0]->shape);
  for (gint64 i = 0; i < inputs[0]->count; i++, fv_walk_next (&walk)) {
    if (is_zero (inputs[0], i) || found >= n)
      continue;
    for (guint k = 0; k < walk.shape.rank; k++)
      outputs[0]->i64[k * n + found] = walk.index[k];
    found++;
  }
  return TRUE;
}

const FvOp fv_ops_sequence[] = {
  {
      .name = "Trilu",
      .since = 14,
      .min_inputs = 1,
      .max_inputs = 2,
      .attrs = "upper:i=1",
      .infer = infer_trilu,
      .reference = trilu,
      .lower = fv_lower_rewritten,
      .cases = FV_CASES ({ .inputs = "f32[2,3,5]" },
          { .inputs = "f32[7,3] =i64(-1)", .attrs = "upper=0" },
          { .inputs = "i64[3,5] i64(1)", .low = -3, .high = 3 },
          { .inputs = "bool[4,4] =i64(1)", .low = 0, .high = 2 }),
  },
  {
      .name = "OneHot",
      .since = 9,
      .min_inputs = 3,
      .attrs = "axis:i=-1",
      .infer = infer_one_hot,
      .reference = one_hot,
      .lower = fv_lower_rewritten,
      .cases = FV_CASES (
          { .inputs = "i64[2,3] =i64(7) f32[2]", .low = -6, .high = 7 },
          { .inputs = "i32[2,3] =i64{5} =i64{2,-3}",
              .attrs = "axis=0",
              .low = 0,
              .high = 5 },
          { .inputs = "f32[3] =i64(4) =f32{0,1}",
              .attrs = "axis=1",
              .low = 0,
              .high = 4 }),
  },
  {
      .name = "NonZero",
      .since = 9,
      .min_inputs = 1,
      .attrs = "",
      .infer = infer_non_zero,
      .reference = non_zero,
  },
  {},
};
