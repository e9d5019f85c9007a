/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Strided views: what can be said about one without moving data. */
#include "gst/engine/plan.h"

gboolean
fv_tensor_rows (const FvTensor *tensor, int inner, gint64 *n_rows,
    gint64 *stride)
{
  gint64 step = 0, rows = 1;

  for (int i = (int) tensor->shape.rank - 1; i >= 0; i--) {
    gint64 size = tensor->shape.dims[i];

    if (i == inner || size == 1)
      continue;
    if (rows == 1)
      step = tensor->strides[i];
    else if (tensor->strides[i] != step * rows)
      return FALSE;
    rows *= size;
  }
  if (rows == 1)
    step = inner >= 0 ? (tensor->shape.dims[inner] + 3) & ~3 : 4;
  *n_rows = rows;
  *stride = step;
  return TRUE;
}

gboolean
fv_tensor_is_vec4 (const FvTensor *tensor, int inner)
{
  if (tensor->offset % 4)
    return FALSE;
  for (guint i = 0; i < tensor->shape.rank; i++) {
    if (tensor->shape.dims[i] == 1)
      continue;
    if ((int) i == inner ? tensor->strides[i] != 1 : tensor->strides[i] % 4)
      return FALSE;
  }
  return TRUE;
}

/* Strides of @to[first..last] over the merged axes of the view, innermost first;
 * both runs hold as many elements. FALSE when the source axes do not merge. */
static gboolean
split_run (const FvTensor *t, const guint *axes, guint n_axes,
    const FvShape *shape, int first, int last, FvTensor *view)
{
  gint64 stride = n_axes ? t->strides[axes[n_axes - 1]] : 1, run = 1;

  for (int i = (int) n_axes - 1; i >= 0; i--) {
    if (t->strides[axes[i]] != stride * run)
      return FALSE;
    run *= t->shape.dims[axes[i]];
  }
  for (int i = last; i >= first; i--) {
    view->strides[i] = stride;
    stride *= shape->dims[i];
  }
  return TRUE;
}

gboolean
fv_tensor_reshape (const FvTensor *tensor, const FvShape *shape, FvTensor *view)
{
  guint axes[FV_MAX_RANK], s = 0;
  FvTensor result = *tensor;
  int t = 0;

  result.shape = *shape;
  while (s < tensor->shape.rank || t < (int) shape->rank) {
    gint64 from = 1, to = 1;
    guint n_axes = 0;
    int first = t;

    /* the shortest runs of both sides that hold as many elements */
    if (s < tensor->shape.rank) {
      from = tensor->shape.dims[s];
      if (from != 1)
        axes[n_axes++] = s;
      s++;
    }
    if (t < (int) shape->rank)
      to = shape->dims[t++];
    while (from != to) {
      if (from < to) {
        if (s >= tensor->shape.rank)
          return FALSE;
        if (tensor->shape.dims[s] != 1)
          axes[n_axes++] = s;
        from *= tensor->shape.dims[s++];
      } else {
        if (t >= (int) shape->rank)
          return FALSE;
        to *= shape->dims[t++];
      }
    }
    if (!split_run (tensor, axes, n_axes, shape, first, t - 1, &result))
      return FALSE;
  }
  *view = result;
  return TRUE;
}

void
fv_tensor_transpose (const FvTensor *tensor, const gint64 *perm, FvTensor *view)
{
  FvTensor result = *tensor;

  for (guint i = 0; i < tensor->shape.rank; i++) {
    result.shape.dims[i] = tensor->shape.dims[perm[i]];
    result.strides[i] = tensor->strides[perm[i]];
  }
  *view = result;
}

void
fv_tensor_slice (const FvTensor *tensor, guint axis, gint64 start, gint64 size,
    FvTensor *view)
{
  FvTensor result = *tensor;

  result.offset += start * tensor->strides[axis];
  result.shape.dims[axis] = size;
  *view = result;
}
