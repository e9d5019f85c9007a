/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gather, GatherElements and GatherND by indices known at run time. */
#include "gst/ops/gather.h"
#include "gst/ops/loops.h"
#include "gst/ops/remap.h"

enum
{
  TARGET,
  SOURCE,
  INDEX,
  N_TENSORS,
};

/* What stands along each axis of the output. */
typedef struct
{
  FvTensor tensors[N_TENSORS];
  gint64 source[FV_MAX_RANK]; /* strides by the output's axes; 0: not there */
  gint64 index[FV_MAX_RANK];
  guint depth;
  gint64 depth_stride;
  gint64 chosen_size[FV_PICK_DEPTH]; /* axes that the indices run along */
  gint64 chosen_stride[FV_PICK_DEPTH];
} Pick;

static void
fill_push (const Pick *pick, const FvLoops *loops, gint64 n,
    const gint64 *inner, FvPickPush *push)
{
  push->n = n;
  push->row_units = push->units = (n + 3) / 4;
  push->target = pick->tensors[TARGET].offset / 4;
  push->source = pick->tensors[SOURCE].offset;
  push->index = pick->tensors[INDEX].offset;
  push->source_inner = inner[SOURCE];
  push->index_inner = inner[INDEX];
  push->depth_stride = pick->depth_stride;
  for (guint i = 0; i < MIN (loops->n, FV_PICK_AXES); i++) {
    if (i + 1 < FV_PICK_AXES)
      push->size[i] = loops->size[i];
    push->units *= loops->size[i];
    push->target_stride[i] = loops->stride[TARGET][i] / 4;
    push->source_stride[i] = loops->stride[SOURCE][i];
    push->index_stride[i] = loops->stride[INDEX][i];
  }
  for (guint d = 0; d < pick->depth; d++) {
    push->chosen_size[d] = pick->chosen_size[d];
    push->chosen_stride[d] = pick->chosen_stride[d];
  }
}

static gboolean
is_aligned (const Pick *pick, const FvLoops *loops, gint64 n,
    const gint64 *inner)
{
  gboolean aligned = n > 1 && inner[SOURCE] == 1 && inner[INDEX] == 0
      && pick->tensors[SOURCE].offset % 4 == 0;

  for (guint i = 0; i < loops->n; i++)
    aligned &= loops->stride[SOURCE][i] % 4 == 0;
  for (guint d = 0; d < pick->depth; d++)
    aligned &= pick->chosen_size[d] == 1 || pick->chosen_stride[d] % 4 == 0;
  return aligned;
}

/* Walks the axes that one dispatch has no room for. */
static gboolean
add_dispatches (FvPlan *plan, FvNode *node, const Pick *pick,
    const FvLoops *loops, guint axis, gboolean aligned, FvPickPush push,
    GError **error)
{
  FvDispatch d;

  for (gint64 i = 0; axis > FV_PICK_AXES && i < loops->size[axis - 1]; i++) {
    FvPickPush at = push;

    at.target += i * loops->stride[TARGET][axis - 1] / 4;
    at.source += i * loops->stride[SOURCE][axis - 1];
    at.index += i * loops->stride[INDEX][axis - 1];
    if (!add_dispatches (plan, node, pick, loops, axis - 1, aligned, at, error))
      return FALSE;
  }
  if (axis > FV_PICK_AXES)
    return TRUE;
  fv_plan_begin (plan, node, &d, "pick");
  fv_plan_bind (plan, &d, &pick->tensors[SOURCE], FALSE);
  fv_plan_bind (plan, &d, &pick->tensors[INDEX], FALSE);
  fv_plan_bind (plan, &d, &pick->tensors[TARGET], TRUE);
  fv_dispatch_spec (&d, 0, aligned);
  fv_dispatch_spec (&d, 1, MIN (loops->n, FV_PICK_AXES));
  fv_dispatch_spec (&d, 2, pick->depth);
  fv_dispatch_push (&d, &push, sizeof push);
  fv_dispatch_units (plan, &d, push.units);
  return fv_plan_add (plan, &d, error);
}

static gboolean
lower_pick (FvPlan *plan, FvNode *node, const Pick *pick, GError **error)
{
  const FvTensor *target = &pick->tensors[TARGET];
  FvLoops loops = { .n_tensors = N_TENSORS };
  FvPickPush push = { 0 };
  gint64 inner[N_TENSORS], n;

  for (guint d = 0; d < pick->depth; d++)
    if (pick->chosen_size[d] == 0)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "indices along an empty axis");
  for (guint i = target->shape.rank; i-- > 0;) {
    gint64 strides[N_TENSORS] = { target->strides[i], pick->source[i],
      pick->index[i] };

    fv_loops_add (&loops, target->shape.dims[i], strides);
  }
  fv_loops_merge (&loops);
  n = fv_loops_take_inner (&loops, inner);
  fill_push (pick, &loops, n, inner, &push);
  return add_dispatches (plan, node, pick, &loops, loops.n,
      is_aligned (pick, &loops, n, inner), push, error);
}

static gboolean
get_inputs (FvPlan *plan, FvNode *node, Pick *pick, GError **error)
{
  return fv_plan_input (plan, node, 0, FV_ANY_AXIS, &pick->tensors[SOURCE],
             error)
      && fv_plan_input (plan, node, 1, FV_ANY_AXIS, &pick->tensors[INDEX],
          error);
}

/* Fails on nothing but the device's own limits; an empty output needs no more. */
static gboolean
place_and_lower (FvPlan *plan, FvNode *node, Pick *pick, int inner,
    GError **error)
{
  FvTensor *target = &pick->tensors[TARGET];
  int last = (int) node->outputs[0]->shape.rank - 1;

  return fv_plan_output (plan, node, 0, CLAMP (inner, -1, last), target, error)
      && (fv_shape_count (&target->shape) == 0
          || lower_pick (plan, node, pick, error));
}

static void
choose (Pick *pick, guint axis)
{
  const FvTensor *source = &pick->tensors[SOURCE];

  pick->chosen_size[pick->depth] = source->shape.dims[axis];
  pick->chosen_stride[pick->depth++] = source->strides[axis];
}

gboolean
fv_gather_lower (FvPlan *plan, FvNode *node, guint axis, GError **error)
{
  Pick pick = { 0 };
  const FvTensor *source = &pick.tensors[SOURCE];
  const FvTensor *index = &pick.tensors[INDEX];
  guint behind;
  int inner;

  if (!get_inputs (plan, node, &pick, error))
    return FALSE;
  choose (&pick, axis);
  behind = axis + index->shape.rank;
  for (guint i = 0; i < node->outputs[0]->shape.rank; i++)
    if (i < axis)
      pick.source[i] = source->strides[i];
    else if (i < behind)
      pick.index[i] = index->strides[i - axis];
    else
      pick.source[i] = source->strides[i - behind + axis + 1];
  inner = fv_tensor_inner (source);
  if (inner == (int) axis)
    inner = (int) behind - 1;
  else if (inner > (int) axis)
    inner += (int) index->shape.rank - 1;
  return place_and_lower (plan, node, &pick, inner, error);
}

gboolean
fv_gather_elements_lower (FvPlan *plan, FvNode *node, guint axis,
    GError **error)
{
  Pick pick = { 0 };

  if (!get_inputs (plan, node, &pick, error))
    return FALSE;
  choose (&pick, axis);
  for (guint i = 0; i < node->outputs[0]->shape.rank; i++) {
    pick.source[i] = i == axis ? 0 : pick.tensors[SOURCE].strides[i];
    pick.index[i] = pick.tensors[INDEX].strides[i];
  }
  return place_and_lower (plan, node, &pick,
      fv_tensor_inner (&pick.tensors[SOURCE]), error);
}

gboolean
fv_gather_nd_lower (FvPlan *plan, FvNode *node, guint batch, GError **error)
{
  Pick pick = { 0 };
  const FvTensor *source = &pick.tensors[SOURCE];
  const FvTensor *index = &pick.tensors[INDEX];
  guint last, depth;

  if (!get_inputs (plan, node, &pick, error))
    return FALSE;
  last = index->shape.rank - 1;
  depth = index->shape.dims[last];
  if (depth > FV_PICK_DEPTH)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "indices of %u axes; the device takes %d", depth, FV_PICK_DEPTH);
  for (guint d = 0; d < depth; d++)
    choose (&pick, batch + d);
  pick.depth_stride = depth > 1 ? index->strides[last] : 0;
  for (guint i = 0; i < node->outputs[0]->shape.rank; i++)
    if (i < last) {
      pick.source[i] = i < batch ? source->strides[i] : 0;
      pick.index[i] = index->strides[i];
    } else {
      pick.source[i] = source->strides[i - last + batch + depth];
    }
  return place_and_lower (plan, node, &pick,
      (int) node->outputs[0]->shape.rank - 1, error);
}
