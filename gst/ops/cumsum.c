/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CumSum. */
#include "gst/ops/common.h"
#include "gst/ops/loops.h"
#include "gst/ops/remap.h"

static gboolean
read_axis (FvNode *node, guint input, guint *axis, GError **error)
{
  g_autoptr (FvArray) list = fv_node_constant_ints (node, input, error);

  if (!list)
    return FALSE;
  if (list->count != 1)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "%" G_GINT64_FORMAT " axes where one is expected", list->count);
  return fv_node_axis (node, list->i64[0], node->inputs[0]->shape.rank, axis,
      error);
}

static gboolean
infer_cumsum (FvNode *node, GError **error)
{
  guint axis;

  return fv_node_need_numbers (node, 0, error)
      && read_axis (node, 1, &axis, error) && fv_infer_same (node, error);
}

static gboolean
cumsum (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  gboolean exclusive = fv_node_int (node, "exclusive") != 0;
  gboolean reverse = fv_node_int (node, "reverse") != 0;
  const FvArray *in = inputs[0];
  gint64 dense[FV_MAX_RANK], size;
  FvShape outer = in->shape;
  FvWalk walk;
  guint axis;

  if (!read_axis (node, 1, &axis, error))
    return FALSE;
  size = outer.dims[axis];
  outer.dims[axis] = 1;
  fv_dense_strides (&in->shape, dense);
  fv_walk_begin (&walk, &outer);
  fv_walk_add_strides (&walk, 0, dense);
  for (gint64 i = 0; i < fv_shape_count (&outer); i++, fv_walk_next (&walk)) {
    guint64 whole = 0;
    double sum = 0;

    for (gint64 k = 0; k < size; k++) {
      gint64 at = walk.at[0] + (reverse ? size - 1 - k : k) * dense[axis];

      if (in->type == FV_TYPE_F32) {
        outputs[0]->f32[at] = exclusive ? sum : sum + in->f32[at];
        sum += in->f32[at];
      } else {
        outputs[0]->i64[at] = exclusive ? whole : whole + (guint64) in->i64[at];
        whole += (guint64) in->i64[at];
      }
    }
  }
  return TRUE;
}

enum
{
  TARGET,
  SOURCE,
};

/* An axis to stand innermost: another than the sums', if there is one. */
static guint
choose_inner (const FvTensor *source, guint axis)
{
  int inner = fv_tensor_inner (source);

  if (inner >= 0 && inner != (int) axis && source->shape.dims[inner] > 1)
    return inner;
  return axis;
}

static void
fill_push (const FvTensor *source, const FvTensor *target, guint axis,
    gboolean inside, FvLoops *loops, FvSumPush *push)
{
  gint64 inner[2] = { 0 };

  *loops = (FvLoops){ .n_tensors = 2 };
  for (guint i = target->shape.rank; i-- > 0;) {
    gint64 strides[2] = { target->strides[i], source->strides[i] };

    if (i != axis)
      fv_loops_add (loops, target->shape.dims[i], strides);
  }
  fv_loops_merge (loops);
  push->n = inside ? 1 : fv_loops_take_inner (loops, inner);
  push->row_units = push->units = (push->n + 3) / 4;
  push->line = target->shape.dims[axis];
  push->target = target->offset / 4;
  push->target_line = inside ? 1 : target->strides[axis] / 4;
  push->source = source->offset;
  push->source_line = source->strides[axis];
  push->source_inner = inner[SOURCE];
  for (guint i = 0; i < MIN (loops->n, G_N_ELEMENTS (push->size)); i++) {
    push->size[i] = loops->size[i];
    push->units *= loops->size[i];
    push->target_stride[i] = loops->stride[TARGET][i] / 4;
    push->source_stride[i] = loops->stride[SOURCE][i];
  }
}

static gboolean
lower_cumsum (FvPlan *plan, FvNode *node, GError **error)
{
  FvTensor source, target;
  FvSumPush push = { 0 };
  gboolean inside;
  FvLoops loops;
  FvDispatch d;
  guint axis;

  if (!read_axis (node, 1, &axis, error)
      || !fv_plan_input (plan, node, 0, FV_ANY_AXIS, &source, error))
    return FALSE;
  inside = choose_inner (&source, axis) == axis;
  if (!fv_plan_output (plan, node, 0, (int) choose_inner (&source, axis),
          &target, error))
    return FALSE;
  if (!fv_shape_count (&target.shape))
    return TRUE;
  fill_push (&source, &target, axis, inside, &loops, &push);
  if (loops.n > G_N_ELEMENTS (push.size))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "%u axes to walk over; the device takes 4", loops.n);
  fv_plan_begin (plan, node, &d, "cumsum");
  fv_plan_bind (plan, &d, &source, FALSE);
  fv_plan_bind (plan, &d, &target, TRUE);
  fv_dispatch_spec (&d, 0, inside);
  fv_dispatch_spec (&d, 1, loops.n);
  fv_dispatch_spec (&d, 2, fv_node_int (node, "exclusive") != 0);
  fv_dispatch_spec (&d, 3, fv_node_int (node, "reverse") != 0);
  fv_dispatch_push (&d, &push, sizeof push);
  fv_dispatch_units (plan, &d, push.units);
  return fv_plan_add (plan, &d, error);
}

const FvOp fv_ops_cumsum[] = {
  {
      .name = "CumSum",
      .limits = "more than 4 axes apart: on the host",
      .since = 11,
      .min_inputs = 2,
      .attrs = "exclusive:i=0 reverse:i=0",
      .infer = infer_cumsum,
      .reference = cumsum,
      .lower = lower_cumsum,
      .cases = FV_CASES ({ .inputs = "f32[2,3,5,7] =i64(1)" },
          { .inputs = "f32[2,3,5,7] =i64(-1)",
              .attrs = "exclusive=1 reverse=1" },
          { .inputs = "f32[9] =i64(0)", .attrs = "reverse=1" },
          { .inputs = "i64[4,6] =i64(0)",
              .attrs = "exclusive=1",
              .low = -99,
              .high = 99 },
          { .inputs = "f32[2,3,2,3,2,6] =i64(2)" },
          { .inputs = "f32[1,6,1] =i64(1)", .attrs = "reverse=1" }),
  },
  {},
};
