/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/ops/loops.h"

void
fv_loops_add (FvLoops *loops, gint64 size, const gint64 *strides)
{
  if (size == 1)
    return;
  g_assert (loops->n < FV_LOOP_AXES);
  loops->size[loops->n] = size;
  for (guint t = 0; t < loops->n_tensors; t++)
    loops->stride[t][loops->n] = strides[t];
  loops->n++;
}

static void
swap_axes (FvLoops *loops, guint a, guint b)
{
  gint64 size = loops->size[a];

  loops->size[a] = loops->size[b];
  loops->size[b] = size;
  for (guint t = 0; t < loops->n_tensors; t++) {
    gint64 stride = loops->stride[t][a];

    loops->stride[t][a] = loops->stride[t][b];
    loops->stride[t][b] = stride;
  }
}

void
fv_loops_merge (FvLoops *loops)
{
  guint last = 0;

  for (guint i = 1; i < loops->n; i++)
    for (guint k = i; k > 0 && loops->stride[0][k] < loops->stride[0][k - 1];
         k--)
      swap_axes (loops, k, k - 1);
  for (guint i = 1; i < loops->n; i++) {
    gboolean merges = TRUE;

    for (guint t = 0; t < loops->n_tensors; t++)
      merges &=
          loops->stride[t][i] == loops->stride[t][last] * loops->size[last];
    if (merges) {
      loops->size[last] *= loops->size[i];
    } else if (++last != i) {
      loops->size[last] = loops->size[i];
      for (guint t = 0; t < loops->n_tensors; t++)
        loops->stride[t][last] = loops->stride[t][i];
    }
  }
  loops->n = loops->n ? last + 1 : 0;
}

void
fv_loops_keep_largest (FvLoops *loops, guint most)
{
  for (guint end = loops->n; end > most; end--)
    for (guint i = 0; i + 1 < end; i++)
      if (loops->size[i] < loops->size[end - 1])
        swap_axes (loops, i, end - 1);
}

void
fv_loops_strides (const FvTensor *tensor, const FvShape *shape,
    gint64 strides[FV_MAX_RANK])
{
  guint shift = shape->rank - tensor->shape.rank;

  for (guint i = 0; i < shape->rank; i++)
    strides[i] = i < shift || tensor->shape.dims[i - shift] == 1
        ? 0
        : tensor->strides[i - shift];
}

gint64
fv_loops_take_inner (FvLoops *loops, gint64 *strides)
{
  gint64 size = 1;

  for (guint t = 0; t < loops->n_tensors; t++)
    strides[t] = t == 0;
  if (!loops->n || loops->stride[0][0] != 1)
    return 1;
  size = loops->size[0];
  for (guint t = 0; t < loops->n_tensors; t++)
    strides[t] = loops->stride[t][0];
  loops->n--;
  for (guint i = 0; i < loops->n; i++) {
    loops->size[i] = loops->size[i + 1];
    for (guint t = 0; t < loops->n_tensors; t++)
      loops->stride[t][i] = loops->stride[t][i + 1];
  }
  return size;
}

void
fv_dispatch_units (FvPlan *plan, FvDispatch *dispatch, gint64 units)
{
  const FvDeviceInfo *info = fv_plan_device_info (plan);
  gint64 local = 64, groups = MAX ((units + local - 1) / local, 1);
  gint64 most = MAX (MIN (info->max_groups[0], 65535u), 1);

  dispatch->groups[0] = MIN (groups, most);
  dispatch->groups[1] = (groups + most - 1) / most;
  fv_dispatch_spec (dispatch, FV_SPEC_LOCAL, local);
}

guint
fv_axes_bucket (guint n, guint most)
{
  return n <= 2 ? n : MIN (n <= 3 ? 3 : most, most);
}
