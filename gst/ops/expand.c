/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that repeat their input. */
#include "gst/ops/common.h"
#include "gst/ops/loops.h"
#include "gst/ops/remap.h"

static gboolean
infer_expand (FvNode *node, GError **error)
{
  g_autoptr (FvArray) list = fv_node_constant_ints (node, 1, error);
  FvShape wanted = { 0 }, shape;

  if (!list)
    return FALSE;
  if (list->count > FV_MAX_RANK)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "a shape of rank %" G_GINT64_FORMAT "; at most %d is supported",
        list->count, FV_MAX_RANK);
  wanted.rank = list->count;
  for (guint i = 0; i < wanted.rank; i++) {
    if (list->i64[i] < 0)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "the shape has the size %" G_GINT64_FORMAT, list->i64[i]);
    wanted.dims[i] = list->i64[i];
  }
  if (!fv_node_broadcast (node, &node->inputs[0]->shape, &wanted, &shape, error)
      || !fv_node_check_shape (node, &shape, error))
    return FALSE;
  fv_set_output (node, 0, node->inputs[0]->type, &shape);
  return TRUE;
}

static gboolean
expand (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  FvWalk walk;

  fv_walk_begin (&walk, &outputs[0]->shape);
  fv_walk_add (&walk, &inputs[0]->shape);
  for (gint64 i = 0; i < outputs[0]->count; i++, fv_walk_next (&walk))
    fv_move (outputs[0], i, inputs[0], walk.at[0]);
  return TRUE;
}

/* Axes that are repeated have a stride of 0. */
static gboolean
lower_expand (FvPlan *plan, FvNode *node, GError **error)
{
  FvTensor source, view;

  if (!fv_plan_input (plan, node, 0, FV_ANY_AXIS, &source, error))
    return FALSE;
  view = source;
  view.shape = node->outputs[0]->shape;
  fv_loops_strides (&source, &view.shape, view.strides);
  fv_plan_alias (plan, node, 0, &view);
  return TRUE;
}

static gboolean
infer_tile (FvNode *node, GError **error)
{
  g_autoptr (FvArray) repeats = fv_node_constant_ints (node, 1, error);
  FvShape shape = node->inputs[0]->shape;

  if (!repeats)
    return FALSE;
  if (repeats->count != shape.rank)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "%" G_GINT64_FORMAT " repeats for an input of rank %u", repeats->count,
        shape.rank);
  for (guint i = 0; i < shape.rank; i++) {
    if (repeats->i64[i] < 0)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "axis %u shall be repeated %" G_GINT64_FORMAT " times", i,
          repeats->i64[i]);
    if (__builtin_mul_overflow (shape.dims[i], repeats->i64[i], &shape.dims[i]))
      return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
          "axis %u repeated %" G_GINT64_FORMAT " times is too large", i,
          repeats->i64[i]);
  }
  if (!fv_node_check_shape (node, &shape, error))
    return FALSE;
  fv_set_output (node, 0, node->inputs[0]->type, &shape);
  return TRUE;
}

static gboolean
tile (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  FvShape zero_rank = { 0 };
  gint64 dense[FV_MAX_RANK];
  FvWalk walk;

  fv_dense_strides (&inputs[0]->shape, dense);
  fv_walk_begin (&walk, &outputs[0]->shape);
  fv_walk_add (&walk, &zero_rank);
  for (gint64 i = 0; i < outputs[0]->count; i++, fv_walk_next (&walk)) {
    gint64 at = 0;

    for (guint k = 0; k < walk.shape.rank; k++)
      at += walk.index[k] % inputs[0]->shape.dims[k] * dense[k];
    fv_move (outputs[0], i, inputs[0], at);
  }
  return TRUE;
}

static gboolean
fill_positions (FvNode *node, gint64 *positions[FV_MAX_RANK], GError **error)
{
  const FvShape *from = &node->inputs[0]->shape;
  const FvShape *to = &node->outputs[0]->shape;

  for (guint i = 0; i < to->rank; i++) {
    if (to->dims[i] == from->dims[i])
      continue;
    positions[i] = g_try_new (gint64, to->dims[i] + 1);
    if (!positions[i])
      return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
          "no memory for its tables");
    for (gint64 k = 0; k < to->dims[i]; k++)
      positions[i][k] = k % from->dims[i];
  }
  return TRUE;
}

static gboolean
lower_tile (FvPlan *plan, FvNode *node, GError **error)
{
  const FvShape *from = &node->inputs[0]->shape;
  const FvShape *to = &node->outputs[0]->shape;
  gint64 *positions[FV_MAX_RANK] = { NULL };
  FvTensor source, target;
  gboolean ok;

  if (!fv_plan_input (plan, node, 0, FV_ANY_AXIS, &source, error))
    return FALSE;
  if (fv_shape_equal (from, to)) {
    fv_plan_alias (plan, node, 0, &source);
    return TRUE;
  }
  ok = fill_positions (node, positions, error)
      && fv_plan_output (plan, node, 0, fv_tensor_inner (&source), &target,
          error)
      && fv_remap_lower (plan, node, &source, &target,
          (const gint64 *const *) positions, 0, error);
  for (guint i = 0; i < FV_MAX_RANK; i++)
    g_free (positions[i]);
  return ok;
}

const FvOp fv_ops_expand[] = {
  {
      .name = "Expand",
      .since = 8,
      .flags = FV_OP_VIEW,
      .min_inputs = 2,
      .attrs = "",
      .infer = infer_expand,
      .reference = expand,
      .lower = lower_expand,
      .cases = FV_CASES ({ .inputs = "f32[3,1,5] =i64{2,1,4,1}" },
          { .inputs = "f32[1,1,7] =i64{1,9,7}" },
          { .inputs = "f32[1,9,1] =i64{3,9,6}" }),
  },
  {
      .name = "Tile",
      .since = 6,
      .min_inputs = 2,
      .attrs = "",
      .infer = infer_tile,
      .reference = tile,
      .lower = lower_tile,
      .cases = FV_CASES ({ .inputs = "f32[2,3,5] =i64{2,1,3}" },
          { .inputs = "f32[1,8] =i64{3,2}" },
          { .inputs = "f32[2,3,4,5] =i64{1,2,3,1}" }),
  },
  {},
};
