/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies between any two layouts of as many elements, which have the same order
 * row-major: what fv_plan_copy() does. Behind views that strides cannot express,
 * and behind changes of layout. */
#include "gst/ops/loops.h"

#include <string.h>

enum
{
  TARGET,
  SOURCE,
};

/* Axes into which both shapes can be split, with both strides. FALSE when there
 * are none, as between [4, 6] and [3, 8]. */
static gboolean
common_axes (const FvTensor *source, const FvTensor *target, FvLoops *loops)
{
  int s = (int) source->shape.rank - 1, t = (int) target->shape.rank - 1;
  gint64 from = 1, to = 1, strides[2] = { 0 };

  *loops = (FvLoops){ .n_tensors = 2 };
  for (;;) {
    while (from == 1 && s >= 0) {
      from = source->shape.dims[s];
      strides[SOURCE] = source->strides[s--];
    }
    while (to == 1 && t >= 0) {
      to = target->shape.dims[t];
      strides[TARGET] = target->strides[t--];
    }
    if (from == 1 && to == 1)
      return TRUE;
    if (from % to && to % from)
      return FALSE;
    fv_loops_add (loops, MIN (from, to), strides);
    if (from < to) {
      strides[TARGET] *= from;
      to /= from;
      from = 1;
    } else {
      strides[SOURCE] *= to;
      from /= to;
      to = 1;
    }
  }
}

/* The target's own axes; the source's strides are those of its row-major order. */
static void
own_axes (const FvTensor *target, FvLoops *loops)
{
  gint64 dense = 1;

  *loops = (FvLoops){ .n_tensors = 2 };
  for (guint i = target->shape.rank; i-- > 0;) {
    gint64 strides[2] = { target->strides[i], dense };

    fv_loops_add (loops, target->shape.dims[i], strides);
    dense *= target->shape.dims[i];
  }
}

/* Whether all rows start at a multiple of 4 elements behind the first. */
static gboolean
has_rows (const FvLoops *loops, guint tensor)
{
  for (guint i = 0; i < loops->n; i++)
    if (loops->stride[tensor][i] % 4)
      return FALSE;
  return TRUE;
}

/* The source's axes, innermost first, for FV_COPY_RAVEL. */
static guint
fill_from (const FvTensor *source, FvCopyPush *push)
{
  FvLoops loops = { .n_tensors = 1 };

  for (guint i = source->shape.rank; i-- > 0;) {
    gint64 size = source->shape.dims[i];
    guint last = loops.n - 1;

    if (loops.n && size != 1
        && source->strides[i] == loops.stride[0][last] * loops.size[last]) {
      loops.size[last] *= size;
    } else {
      fv_loops_add (&loops, size, &source->strides[i]);
    }
  }
  for (guint i = 0; i < 6; i++) {
    if (i < 5)
      push->from_size[i] = i < loops.n ? loops.size[i] : 1;
    push->from_stride[i] = i < loops.n ? loops.stride[0][i] : 0;
  }
  return MAX (loops.n, 1);
}

static void
fill_push (const FvLoops *loops, gint64 n, const FvTensor *source,
    const FvTensor *target, FvCopyPush *push)
{
  gint64 rows = 1;

  push->n = n;
  push->shift = target->offset % 4;
  push->row_units = (push->shift + n + 3) / 4;
  push->target = target->offset / 4;
  push->source = source->offset;
  for (guint i = 0; i < 5; i++) {
    gboolean used = i < loops->n;

    if (i < 4)
      push->size[i] = used ? loops->size[i] : 1;
    push->target_stride[i] = used ? loops->stride[TARGET][i] / 4 : 0;
    push->source_stride[i] = used ? loops->stride[SOURCE][i] : 0;
    rows *= used ? loops->size[i] : 1;
  }
  push->units = rows * push->row_units;
}

gboolean
fv_copy_lower (FvPlan *plan, FvNode *node, const FvTensor *source,
    const FvTensor *target, GError **error)
{
  FvCopyPush push = { 0 };
  gint64 inner[2], n;
  guint mode = FV_COPY_STRIDED, n_from = 1;
  FvLoops loops;
  FvDispatch d;

  if (fv_shape_count (&target->shape) == 0)
    return TRUE;
  if (common_axes (source, target, &loops)) {
    fv_loops_merge (&loops);
    n = fv_loops_take_inner (&loops, inner);
    if (!has_rows (&loops, TARGET) || loops.n > 5)
      mode = FV_COPY_RAVEL;
    else if (inner[SOURCE] == 1 && has_rows (&loops, SOURCE)
        && source->offset % 4 == 0 && target->offset % 4 == 0)
      mode = FV_COPY_VEC4;
  } else {
    mode = FV_COPY_RAVEL;
  }
  if (mode == FV_COPY_RAVEL) {
    own_axes (target, &loops);
    fv_loops_merge (&loops);
    n = fv_loops_take_inner (&loops, inner);
    n_from = fill_from (source, &push);
    if (!has_rows (&loops, TARGET))
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "a copy into rows that start within a vec4");
  }
  push.source_inner = inner[SOURCE];
  fill_push (&loops, n, source, target, &push);
  fv_plan_begin (plan, node, &d, "copy");
  fv_plan_bind (plan, &d, source, FALSE);
  fv_plan_bind (plan, &d, target, TRUE);
  fv_dispatch_spec (&d, 0, mode);
  fv_dispatch_spec (&d, 1, fv_axes_bucket (loops.n, 5));
  fv_dispatch_spec (&d, 2, fv_axes_bucket (n_from, 6));
  fv_dispatch_push (&d, &push, sizeof push);
  fv_dispatch_units (plan, &d, push.units);
  return fv_plan_add (plan, &d, error);
}
