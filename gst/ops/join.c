/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of a Concat that begin within a vec4, several at once: what
 * fv_plan_concat() does with them instead of a copy each. */
#include "gst/ops/loops.h"

gboolean
fv_join_fits (const FvTensor *sources, guint n, guint axis,
    const FvTensor *target)
{
  gint64 rows, n_rows, stride;

  if (target->offset % 4 || target->strides[axis] != 1
      || !fv_tensor_rows (target, axis, &rows, &stride) || stride % 4)
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (!fv_tensor_rows (&sources[i], axis, &n_rows, &stride) || n_rows != rows)
      return FALSE;
  return TRUE;
}

gboolean
fv_join_lower (FvPlan *plan, FvNode *node, const FvTensor *sources, guint n,
    guint axis, const FvTensor *target, GError **error)
{
  FvJoinPush push = { .n = target->shape.dims[axis] };
  gint64 rows, stride, start = 0;
  FvDispatch d;

  fv_plan_begin (plan, node, &d, "join");
  for (guint i = 0; i < FV_JOIN_SOURCES; i++) {
    const FvTensor *source = &sources[MIN (i, n - 1)];

    fv_tensor_rows (source, axis, &rows, &stride);
    push.start[i] = start;
    push.source[i] = source->offset;
    push.source_stride[i] = rows > 1 ? stride : 0;
    push.source_inner[i] =
        source->shape.dims[axis] > 1 ? source->strides[axis] : 0;
    start += source->shape.dims[axis];
    if (i < n)
      fv_plan_bind (plan, &d, source, FALSE);
    else
      d.bindings[d.n_bindings++] = d.bindings[n - 1];
  }
  fv_plan_bind (plan, &d, target, TRUE);
  fv_tensor_rows (target, axis, &rows, &stride);
  push.row_units = (push.n + 3) / 4;
  push.units = rows * push.row_units;
  push.target = target->offset / 4;
  push.target_stride = stride / 4;
  fv_dispatch_spec (&d, 0, n);
  fv_dispatch_push (&d, &push, sizeof push);
  fv_dispatch_units (plan, &d, push.units);
  return fv_plan_add (plan, &d, error);
}
