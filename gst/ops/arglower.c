/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/ops/argmax.h"
#include "gst/ops/loops.h"
#include "gst/ops/remap.h"
#include "gst/ops/rows.h"

#define TOPK_LANES 128

enum
{
  TARGET,
  SOURCE,
};

/* @source without @axis, or with one element there, as the output has it. */
static void
without_axis (const FvTensor *source, guint axis, const FvShape *shape,
    gint64 strides[FV_MAX_RANK])
{
  gboolean keeps = shape->rank == source->shape.rank;

  for (guint i = 0; i < shape->rank; i++)
    strides[i] = source->strides[keeps || i < axis ? i : i + 1];
}

/* The innermost axis of the output: that of the source, if it has it. */
static int
output_inner (const FvTensor *source, guint axis, const FvShape *shape)
{
  int inner = fv_tensor_inner (source);

  if (inner == (int) axis)
    return (int) shape->rank - 1;
  return inner > (int) axis && shape->rank < source->shape.rank ? inner - 1
                                                                : inner;
}

static guint
arg_mode (const FvLoops *loops, const FvArgPush *push)
{
  gboolean rows = push->source % 4 == 0;

  for (guint i = 0; i < loops->n; i++)
    rows &= loops->stride[SOURCE][i] % 4 == 0;
  if (rows && push->source_inner == 1 && push->n > 1
      && push->line_stride % 4 == 0)
    return FV_ARG_LANES;
  if (rows && push->line_stride == 1 && push->line > 1
      && (push->n == 1 || push->source_inner % 4 == 0))
    return FV_ARG_LINE;
  return FV_ARG_STRIDED;
}

static guint
fill_arg (const FvTensor *source, guint axis, const FvTensor *target,
    FvArgPush *push, guint *n_axes)
{
  gint64 strides[FV_MAX_RANK], inner[2];
  FvLoops loops = { .n_tensors = 2 };

  without_axis (source, axis, &target->shape, strides);
  for (guint i = target->shape.rank; i-- > 0;) {
    gint64 both[2] = { target->strides[i], strides[i] };

    fv_loops_add (&loops, target->shape.dims[i], both);
  }
  fv_loops_merge (&loops);
  push->n = fv_loops_take_inner (&loops, inner);
  push->row_units = push->units = (push->n + 3) / 4;
  push->target = target->offset / 4;
  push->source = source->offset;
  push->source_inner = inner[SOURCE];
  push->line = source->shape.dims[axis];
  push->line_stride = push->line > 1 ? source->strides[axis] : 0;
  for (guint i = 0; i < loops.n; i++) {
    if (i < G_N_ELEMENTS (push->size))
      push->size[i] = loops.size[i];
    push->units *= loops.size[i];
    push->target_stride[i] = loops.stride[TARGET][i] / 4;
    push->source_stride[i] = loops.stride[SOURCE][i];
  }
  *n_axes = loops.n;
  return arg_mode (&loops, push);
}

gboolean
fv_arg_lower (FvPlan *plan, FvNode *node, guint axis, gboolean smallest,
    gboolean last, GError **error)
{
  FvTensor source, target;
  FvArgPush push = { 0 };
  guint mode, n_axes;
  FvDispatch d;

  if (!fv_plan_input (plan, node, 0, FV_ANY_AXIS, &source, error)
      || !fv_plan_output (plan, node, 0,
          output_inner (&source, axis, &node->outputs[0]->shape), &target,
          error))
    return FALSE;
  if (fv_shape_count (&target.shape) == 0)
    return TRUE;
  mode = fill_arg (&source, axis, &target, &push, &n_axes);
  fv_plan_begin (plan, node, &d, "argmax");
  fv_plan_bind (plan, &d, &source, FALSE);
  fv_plan_bind (plan, &d, &target, TRUE);
  fv_dispatch_spec (&d, 0, mode);
  fv_dispatch_spec (&d, 1, n_axes);
  fv_dispatch_spec (&d, 2, smallest);
  fv_dispatch_spec (&d, 3, last);
  fv_dispatch_push (&d, &push, sizeof push);
  fv_dispatch_units (plan, &d, push.units);
  return fv_plan_add (plan, &d, error);
}

/* A place for output @i in rows along @axis: its own, or a temporary @rows that is
 * copied to @output in the end. */
static gboolean
place_rows (FvPlan *plan, FvNode *node, guint i, guint axis, FvTensor *output,
    FvTensor *rows, gint64 *stride, GError **error)
{
  gint64 n;

  if (!fv_plan_output (plan, node, i, (int) axis, output, error))
    return FALSE;
  *rows = *output;
  if (fv_tensor_is_vec4 (rows, (int) axis)
      && fv_tensor_rows (rows, (int) axis, &n, stride))
    return TRUE;
  return fv_dense_temporary (plan, node, &output->shape, (int) axis,
             output->type, rows, error)
      && fv_tensor_rows (rows, (int) axis, &n, stride);
}

static gboolean
copy_back (FvPlan *plan, FvNode *node, const FvTensor *rows,
    const FvTensor *output, GError **error)
{
  return rows->storage == output->storage
      || fv_plan_copy (plan, node, rows, output, error);
}

gboolean
fv_topk_lower (FvPlan *plan, FvNode *node, guint axis, gboolean smallest,
    GError **error)
{
  guint local = fv_local_size (plan, TOPK_LANES);
  gboolean has_indices = node->n_outputs > 1 && node->outputs[1] != NULL;
  FvTensor x, outputs[2], rows[2];
  gint64 x_row, strides[2] = { 0 };
  FvTopkPush push = { 0 };
  FvDispatch d;

  if (!fv_plan_input_rows (plan, node, 0, (int) axis, &x, &x_row, error))
    return FALSE;
  for (guint i = 0; i < (has_indices ? 2 : 1); i++)
    if (!place_rows (plan, node, i, axis, &outputs[i], &rows[i], &strides[i],
            error))
      return FALSE;
  if (fv_shape_count (&outputs[0].shape) == 0)
    return TRUE;
  push.width = x.shape.dims[axis];
  push.rows = fv_shape_count (&x.shape) / push.width;
  push.k = outputs[0].shape.dims[axis];
  push.x_base = x.offset / 4;
  push.x_row = x_row / 4;
  push.values_base = rows[0].offset / 4;
  push.values_row = strides[0] / 4;
  push.indices_base = has_indices ? rows[1].offset / 4 : 0;
  push.indices_row = strides[1] / 4;
  fv_plan_begin (plan, node, &d, "topk");
  fv_plan_bind (plan, &d, &x, FALSE);
  fv_plan_bind (plan, &d, &rows[0], TRUE);
  fv_plan_bind (plan, &d, &rows[has_indices ? 1 : 0], TRUE);
  fv_dispatch_spec (&d, 0, smallest);
  fv_dispatch_spec (&d, 1, local);
  fv_dispatch_spec (&d, 2, has_indices);
  fv_dispatch_spec (&d, FV_SPEC_LOCAL, local);
  fv_dispatch_push (&d, &push, sizeof push);
  d.groups[0] = MIN (push.rows, 4096);
  return fv_plan_add (plan, &d, error)
      && copy_back (plan, node, &rows[0], &outputs[0], error)
      && (!has_indices || copy_back (plan, node, &rows[1], &outputs[1], error));
}
