/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Concat. */
#include "gst/ops/common.h"
#include "gst/ops/remap.h"

static gboolean
infer_concat (FvNode *node, GError **error)
{
  FvShape shape;
  FvType type;
  guint axis;

  if (!fv_node_need_inputs (node, error))
    return FALSE;
  shape = node->inputs[0]->shape;
  type = node->inputs[0]->type;
  if (shape.rank == 0)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the inputs are scalars");
  if (!fv_node_axis (node, fv_node_int (node, "axis"), shape.rank, &axis,
          error))
    return FALSE;
  for (guint i = 1; i < node->n_own_inputs; i++) {
    const FvShape *other = &node->inputs[i]->shape;
    gboolean fits = other->rank == shape.rank && node->inputs[i]->type == type;

    for (guint k = 0; fits && k < shape.rank; k++)
      fits = k == axis || other->dims[k] == shape.dims[k];
    if (!fits)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "input %u does not fit the first along axis %u", i, axis);
    if (__builtin_add_overflow (shape.dims[axis], other->dims[axis],
            &shape.dims[axis]))
      return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
          "axis %u is too large", axis);
  }
  if (!fv_node_check_shape (node, &shape, error))
    return FALSE;
  fv_set_output (node, 0, type, &shape);
  return TRUE;
}

static gboolean
concat (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  gint64 dense[FV_MAX_RANK], start = 0;
  guint axis;

  if (!fv_node_axis (node, fv_node_int (node, "axis"), outputs[0]->shape.rank,
          &axis, error))
    return FALSE;
  fv_dense_strides (&outputs[0]->shape, dense);
  for (guint i = 0; i < node->n_own_inputs; i++) {
    FvWalk walk;

    fv_walk_begin (&walk, &inputs[i]->shape);
    fv_walk_add_strides (&walk, start * dense[axis], dense);
    for (gint64 k = 0; k < inputs[i]->count; k++, fv_walk_next (&walk))
      fv_move (outputs[0], walk.at[0], inputs[i], k);
    start += inputs[i]->shape.dims[axis];
  }
  return TRUE;
}

/* More channels than this are better copied in vec4 units. */
#define MAX_INTERLEAVED 64

/* Whether all inputs are views of one storage with equal strides around @axis, as
 * the strided slices that move space into channels are, and start within a vec4. @base: (out): the first
 * of them in memory. @positions: (out): where the output's elements along @axis
 * lie behind that. */
static gboolean
is_interleaved (FvPlan *plan, FvNode *node, guint axis, FvTensor *base,
    gint64 positions[MAX_INTERLEAVED])
{
  gboolean aligned = TRUE;
  gint64 n = 0;

  for (guint i = 0; i < node->n_own_inputs; i++) {
    FvTensor view;

    if (node->inputs[i]->constant
        || !fv_plan_input (plan, node, i, FV_ANY_AXIS, &view, NULL))
      return FALSE;
    if (i == 0) {
      *base = view;
      if (fv_tensor_inner (&view) != (int) axis)
        return FALSE;
    }
    aligned &= view.shape.dims[axis] % 4 == 0 || i + 1 == node->n_own_inputs;
    if (view.storage != base->storage
        || n + view.shape.dims[axis] > MAX_INTERLEAVED)
      return FALSE;
    for (guint k = 0; k < view.shape.rank; k++)
      if (k != axis && view.shape.dims[k] > 1
          && view.strides[k] != base->strides[k])
        return FALSE;
    for (gint64 c = 0; c < view.shape.dims[axis]; c++)
      positions[n++] = view.offset + c * view.strides[axis];
    base->offset = MIN (base->offset, view.offset);
  }
  for (gint64 c = 0; c < n; c++) {
    positions[c] -= base->offset;
    aligned |= positions[c] >= 1 << 24; /* more than a float counts */
  }
  base->strides[axis] = 1;
  base->shape.dims[axis] = n;
  return n > 0 && !aligned;
}

static gboolean
lower_concat (FvPlan *plan, FvNode *node, GError **error)
{
  const gint64 *lists[FV_MAX_RANK] = { NULL };
  gint64 positions[MAX_INTERLEAVED];
  FvTensor base, target;
  guint axis;

  if (!fv_node_axis (node, fv_node_int (node, "axis"),
          node->outputs[0]->shape.rank, &axis, error))
    return FALSE;
  if (is_interleaved (plan, node, axis, &base, positions)) {
    if (!fv_plan_output (plan, node, 0, axis, &target, error))
      return FALSE;
    lists[axis] = positions;
    /* Where it is the same storage, the inputs were made in their places. */
    if (target.storage != base.storage)
      return fv_remap_lower (plan, node, &base, &target, lists, 0, error);
  }
  return fv_plan_concat (plan, node, axis, error);
}

const FvOp fv_ops_concat[] = {
  {
      .name = "Concat",
      .since = 4,
      .min_inputs = 1,
      .max_inputs = G_MAXUINT,
      .attrs = "axis:i!",
      .infer = infer_concat,
      .reference = concat,
      .lower = lower_concat,
      .cases = FV_CASES (
          { .inputs = "f32[1,8,5,3] f32[1,16,5,3]", .attrs = "axis=1" },
          { .inputs = "f32[1,3,5,3] f32[1,6,5,3] f32[1,2,5,3]",
              .attrs = "axis=1" },
          { .inputs = "f32[2,1,7] f32[2,9,7]", .attrs = "axis=1" },
          { .inputs = "f32[2,3] f32[2,3] =f32[2,5]", .attrs = "axis=-1" },
          { .inputs = "f32[5,1] f32[5,1] f32[5,1] f32[5,1] f32[5,3]",
              .attrs = "axis=1" },
          { .inputs = "f32[2,7,8] f32[2,7,1] f32[2,7,9]", .attrs = "axis=2" },
          { .inputs = "f32[1,2] f32[1,5] f32[1,1] f32[1,3] f32[1,1] f32[1,2]",
              .attrs = "axis=1" },
          { .inputs = "f32[2,3] f32[4,3]", .attrs = "axis=0" }),
  },
  {},
};
