/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/ops/scatter.h"
#include "gst/ops/loops.h"
#include "gst/ops/remap.h"
#include "gst/ops/rows.h"

/* Invocations that keep a device busy; beyond that, sharing the slots only makes
 * more of them read the same indices. */
#define BUSY_SUBGROUP 256
#define BUSY_WORKGROUP 4096

enum
{
  TARGET,
  INDEX,
  UPDATE,
  N_TENSORS,
};

typedef struct
{
  FvTensor tensors[N_TENSORS];
  guint mode, depth, reduction;
  gint64 slots;
  FvLoops loops; /* around the rows */
  FvScatterPush push;
} Scatter;

/* Walks the axes that one dispatch has no room for. */
static gboolean
add_dispatches (FvPlan *plan, FvNode *node, const Scatter *s, guint axis,
    FvScatterPush push, GError **error)
{
  FvDispatch d;

  for (gint64 i = 0; axis > FV_SCATTER_AXES && i < s->loops.size[axis - 1];
       i++) {
    FvScatterPush at = push;

    at.target += i * s->loops.stride[TARGET][axis - 1] / 4;
    at.index += i * s->loops.stride[INDEX][axis - 1];
    at.update += i * s->loops.stride[UPDATE][axis - 1];
    if (!add_dispatches (plan, node, s, axis - 1, at, error))
      return FALSE;
  }
  if (axis > FV_SCATTER_AXES)
    return TRUE;
  fv_plan_begin (plan, node, &d, "scatter");
  fv_plan_bind (plan, &d, &s->tensors[INDEX], FALSE);
  fv_plan_bind (plan, &d, &s->tensors[UPDATE], FALSE);
  fv_plan_bind (plan, &d, &s->tensors[TARGET], TRUE);
  fv_dispatch_spec (&d, 0, s->mode);
  fv_dispatch_spec (&d, 1, MIN (s->loops.n, FV_SCATTER_AXES));
  fv_dispatch_spec (&d, 2, s->depth);
  fv_dispatch_spec (&d, 3, s->reduction);
  fv_dispatch_push (&d, &push, sizeof push);
  fv_dispatch_units (plan, &d, push.units);
  return fv_plan_add (plan, &d, error);
}

/* Shares out the slots, so that few rows keep the device busy too. */
static gboolean
lower (FvPlan *plan, FvNode *node, Scatter *s, GError **error)
{
  gint64 busy =
      fv_plan_tier (plan) == FV_TIER_SUBGROUP ? BUSY_SUBGROUP : BUSY_WORKGROUP;
  FvScatterPush *push = &s->push;
  gint64 units, shares;

  push->row_units = (push->n + 3) / 4;
  push->target = s->tensors[TARGET].offset / 4;
  push->index = s->tensors[INDEX].offset;
  push->update = s->tensors[UPDATE].offset;
  units = push->row_units;
  for (guint i = 0; i < MIN (s->loops.n, FV_SCATTER_AXES); i++) {
    units *= s->loops.size[i];
    push->size[i] = s->loops.size[i];
    push->target_stride[i] = s->loops.stride[TARGET][i] / 4;
    push->index_stride[i] = s->loops.stride[INDEX][i];
    push->update_stride[i] = s->loops.stride[UPDATE][i];
  }
  shares = CLAMP (busy / units, 1, s->slots);
  push->share = (s->slots + shares - 1) / shares;
  push->units = units * ((s->slots + push->share - 1) / push->share);
  return add_dispatches (plan, node, s, s->loops.n, *push, error);
}

/* Nothing is written: the output is the data. */
static gboolean
alias_data (FvPlan *plan, FvNode *node, GError **error)
{
  FvTensor source;

  if (!fv_plan_input (plan, node, 0, FV_ANY_AXIS, &source, error))
    return FALSE;
  fv_plan_alias (plan, node, 0, &source);
  return TRUE;
}

/* An axis for the rows: where the data has them, but not along @axis while another
 * has more than one element. */
static guint
row_axis (const FvTensor *source, guint axis)
{
  int inner = fv_tensor_inner (source);

  if (inner >= 0 && inner != (int) axis && source->shape.dims[inner] > 1)
    return inner;
  for (guint i = source->shape.rank; i-- > 0;)
    if (i != axis && source->shape.dims[i] > 1)
      return i;
  return axis;
}

static void
add_axes (Scatter *s, const FvShape *shape, guint axis)
{
  gint64 inner[N_TENSORS];

  s->loops = (FvLoops){ .n_tensors = N_TENSORS };
  for (guint i = shape->rank; i-- > 0;) {
    gint64 strides[N_TENSORS];

    for (guint t = 0; t < N_TENSORS; t++)
      strides[t] = s->tensors[t].strides[i];
    if (i != axis)
      fv_loops_add (&s->loops, shape->dims[i], strides);
  }
  fv_loops_merge (&s->loops);
  s->push.n = fv_loops_take_inner (&s->loops, inner);
  s->push.index_inner = inner[INDEX];
  s->push.update_inner = inner[UPDATE];
}

gboolean
fv_scatter_elements_lower (FvPlan *plan, FvNode *node, guint axis,
    guint reduction, GError **error)
{
  const FvShape *shape = &node->inputs[1]->shape;
  Scatter s = { .depth = 1, .reduction = reduction };
  FvTensor *target = &s.tensors[TARGET], source;
  guint inner;

  if (!fv_shape_count (shape))
    return alias_data (plan, node, error);
  if (!fv_plan_input (plan, node, 0, FV_ANY_AXIS, &source, error))
    return FALSE;
  inner = row_axis (&source, axis);
  if (!fv_plan_output (plan, node, 0, (int) inner, target, error)
      || !fv_plan_copy (plan, node, &source, target, error)
      || !fv_plan_input (plan, node, 1, FV_ANY_AXIS, &s.tensors[INDEX], error)
      || !fv_plan_input (plan, node, 2, FV_ANY_AXIS, &s.tensors[UPDATE], error))
    return FALSE;
  s.push.chosen_size[0] = s.slots = target->shape.dims[axis];
  s.push.count = shape->dims[axis];
  s.push.index_step = s.tensors[INDEX].strides[axis];
  s.push.update_step = s.tensors[UPDATE].strides[axis];
  s.mode = inner == axis ? FV_SCATTER_ELEMENT : FV_SCATTER_LANES;
  if (inner == axis)
    s.slots = (s.slots + 3) / 4;
  else
    s.push.target_step = target->strides[axis] / 4;
  add_axes (&s, shape, axis);
  return lower (plan, node, &s, error);
}

gboolean
fv_scatter_nd_lower (FvPlan *plan, FvNode *node, guint reduction,
    GError **error)
{
  const FvShape *data = &node->inputs[0]->shape;
  const FvShape *indices = &node->inputs[1]->shape;
  Scatter s = { .reduction = reduction };
  FvTensor *target = &s.tensors[TARGET], source, output;
  gint64 rows = 1, width = 1, count, row, step;

  s.depth = indices->dims[indices->rank - 1];
  count = fv_shape_count (indices) / s.depth;
  if (!count || !fv_shape_count (data))
    return alias_data (plan, node, error);
  for (guint i = 0; i < data->rank; i++)
    if (i < s.depth)
      rows *= s.push.chosen_size[i] = data->dims[i];
    else
      width *= data->dims[i];
  s.mode = width > 1 ? FV_SCATTER_BLOCK : FV_SCATTER_ELEMENT;
  s.slots = width > 1 ? rows : (rows + 3) / 4;
  if (!fv_plan_input (plan, node, 0, FV_ANY_AXIS, &source, error)
      || !fv_plan_output_flat (plan, node, width > 1 ? rows : 1,
          width > 1 ? width : rows, &output, target, &row, error)
      || !fv_plan_copy (plan, node, &source, target, error)
      || !fv_plan_input_flat (plan, node, 1, count, s.depth, &s.tensors[INDEX],
          &step, error))
    return FALSE;
  s.push.index_step = step;
  if (!fv_plan_input_flat (plan, node, 2, width > 1 ? count : 1,
          width > 1 ? width : count, &s.tensors[UPDATE], &step, error))
    return FALSE;
  s.push.update_step = width > 1 ? step : 1;
  s.push.target_step = row / 4;
  s.push.n = width;
  s.push.count = count;
  return lower (plan, node, &s, error)
      && (target->storage == output.storage
          || fv_plan_copy (plan, node, target, &output, error));
}
