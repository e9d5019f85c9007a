/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that reduce axes to one value. */
#include "gst/ops/common.h"
#include "gst/ops/loops.h"
#include "gst/ops/remap.h"

#include <math.h>

/* Which axes go; none do when noop_with_empty_axes is set and axes are empty. */
static gboolean
reduced_axes (FvNode *node, gboolean flags[FV_MAX_RANK], gboolean *noop,
    GError **error)
{
  guint rank = node->inputs[0]->shape.rank, n;

  if (!fv_node_axes (node, 1, rank, flags, &n, error))
    return FALSE;
  *noop = n == 0 && node->op->max_inputs == 2
      && fv_node_int (node, "noop_with_empty_axes");
  for (guint i = 0; n == 0 && !*noop && i < rank; i++)
    flags[i] = TRUE;
  return TRUE;
}

static gboolean
infer_reduce (FvNode *node, GError **error)
{
  const FvShape *from = &node->inputs[0]->shape;
  gboolean gone[FV_MAX_RANK], noop;
  FvShape to = { 0 };

  if (node->inputs[0]->type == FV_TYPE_BOOL
      && node->op->variant != FV_REDUCE_MAX
      && node->op->variant != FV_REDUCE_MIN)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "the input is of type bool");
  if (!reduced_axes (node, gone, &noop, error))
    return FALSE;
  for (guint i = 0; i < from->rank; i++) {
    if (!gone[i])
      to.dims[to.rank++] = from->dims[i];
    else if (fv_node_int (node, "keepdims"))
      to.dims[to.rank++] = 1;
  }
  fv_set_output (node, 0, node->inputs[0]->type, &to);
  return TRUE;
}

static double
start_value (guint kind)
{
  switch (kind) {
    case FV_REDUCE_MAX:
      return -INFINITY;
    case FV_REDUCE_MIN:
      return INFINITY;
    case FV_REDUCE_PROD:
      return 1;
    default:
      return 0;
  }
}

/* @sum takes in one element; @shift is the largest, for LogSumExp. */
static double
take_in (guint kind, double sum, double value, double shift)
{
  switch (kind) {
    case FV_REDUCE_MAX:
      return isnan (value) || value > sum ? value : sum;
    case FV_REDUCE_MIN:
      return isnan (value) || value < sum ? value : sum;
    case FV_REDUCE_PROD:
      return sum * value;
    case FV_REDUCE_L1:
      return sum + fabs (value);
    case FV_REDUCE_L2:
    case FV_REDUCE_SUM_SQUARE:
      return sum + value * value;
    case FV_REDUCE_LOG_SUM_EXP:
      return sum + exp (value - shift);
    default:
      return sum + value;
  }
}

static double
finish (guint kind, double sum, gint64 count, double shift)
{
  switch (kind) {
    case FV_REDUCE_MEAN:
      return sum / count;
    case FV_REDUCE_L2:
      return sqrt (sum);
    case FV_REDUCE_LOG_SUM:
      return log (sum);
    case FV_REDUCE_LOG_SUM_EXP:
      return log (sum) + shift;
    default:
      return sum;
  }
}

static double
reduce_floats (guint kind, const FvArray *in, FvWalk walk, gint64 count)
{
  double sum = start_value (kind), shift = 0;
  FvWalk again = walk;

  if (kind == FV_REDUCE_LOG_SUM_EXP) {
    shift = -INFINITY;
    for (gint64 i = 0; i < count; i++, fv_walk_next (&again))
      shift = fmax (shift, in->f32[again.at[0]]);
    shift = isfinite (shift) ? shift : 0;
  }
  for (gint64 i = 0; i < count; i++, fv_walk_next (&walk))
    sum = take_in (kind, sum, in->f32[walk.at[0]], shift);
  return finish (kind, sum, count, shift);
}

/* Sums and products wrap; only what has no integer result goes by doubles. */
static gint64
reduce_ints (guint kind, const FvArray *in, FvWalk walk, gint64 count)
{
  guint64 sum = kind == FV_REDUCE_PROD ? 1 : 0;
  gint64 best = kind == FV_REDUCE_MAX ? G_MININT64 : G_MAXINT64;
  double total = 0;

  for (gint64 i = 0; i < count; i++, fv_walk_next (&walk)) {
    gint64 at = walk.at[0];
    gint64 value = in->type == FV_TYPE_BOOL ? in->u8[at] : in->i64[at];

    best = kind == FV_REDUCE_MAX ? MAX (best, value) : MIN (best, value);
    total = take_in (kind, total, value, 0);
    if (kind == FV_REDUCE_PROD)
      sum *= (guint64) value;
    else if (kind == FV_REDUCE_SUM_SQUARE)
      sum += (guint64) value * (guint64) value;
    else
      sum += kind == FV_REDUCE_L1 && value < 0 ? -(guint64) value
                                               : (guint64) value;
  }
  if (kind == FV_REDUCE_MAX || kind == FV_REDUCE_MIN)
    return best;
  if (kind == FV_REDUCE_MEAN)
    return count ? (gint64) sum / count : 0;
  if (kind == FV_REDUCE_L2 || kind == FV_REDUCE_LOG_SUM
      || kind == FV_REDUCE_LOG_SUM_EXP)
    return fv_truncate (finish (kind, total, count, 0));
  return sum;
}

static gboolean
reduce (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  const FvShape *from = &inputs[0]->shape;
  gint64 dense[FV_MAX_RANK], kept[FV_MAX_RANK] = { 0 }, gone[FV_MAX_RANK];
  FvShape outer = { 0 }, inner = { 0 };
  gboolean flags[FV_MAX_RANK], noop;
  FvWalk walk;

  if (!reduced_axes (node, flags, &noop, error))
    return FALSE;
  if (noop) {
    fv_move_all (outputs[0], inputs[0]);
    return TRUE;
  }
  fv_dense_strides (from, dense);
  for (guint i = 0; i < from->rank; i++) {
    FvShape *part = flags[i] ? &inner : &outer;

    (flags[i] ? gone : kept)[part->rank] = dense[i];
    part->dims[part->rank++] = from->dims[i];
  }
  fv_walk_begin (&walk, &outer);
  fv_walk_add_strides (&walk, 0, kept);
  for (gint64 i = 0; i < outputs[0]->count; i++, fv_walk_next (&walk)) {
    gint64 count = fv_shape_count (&inner);
    FvWalk part;

    fv_walk_begin (&part, &inner);
    fv_walk_add_strides (&part, walk.at[0], gone);
    if (inputs[0]->type == FV_TYPE_F32)
      outputs[0]->f32[i] =
          reduce_floats (node->op->variant, inputs[0], part, count);
    else if (inputs[0]->type == FV_TYPE_BOOL) /* of nothing: all or none */
      outputs[0]->u8[i] =
          reduce_ints (node->op->variant, inputs[0], part, count) > 0;
    else
      outputs[0]->i64[i] =
          reduce_ints (node->op->variant, inputs[0], part, count);
  }
  return TRUE;
}

enum
{
  TARGET,
  SOURCE,
};

/* Which axes lie where: those that stay and those that go, @inner not among the
 * latter. @target has the input's axes, those that go with one element. */
static void
split_axes (const FvTensor *source, const FvTensor *target,
    const gboolean *gone, int inner, FvLoops *stay, FvLoops *go)
{
  *stay = (FvLoops){ .n_tensors = 2 };
  *go = (FvLoops){ .n_tensors = 1 };
  for (guint i = source->shape.rank; i-- > 0;) {
    gint64 strides[2] = { target->strides[i], source->strides[i] };

    if (!gone[i])
      fv_loops_add (stay, source->shape.dims[i], strides);
    else if ((int) i != inner)
      fv_loops_add (go, source->shape.dims[i], &source->strides[i]);
  }
  fv_loops_merge (go);
}

/* The result seen with the input's axes. */
static void
with_all_axes (const FvTensor *output, const FvShape *from,
    const gboolean *gone, FvTensor *target)
{
  gboolean keeps = output->shape.rank == from->rank;
  guint next = 0;

  *target = *output;
  target->shape = *from;
  for (guint i = 0; i < from->rank; i++) {
    if (gone[i]) {
      target->shape.dims[i] = 1;
      target->strides[i] = 0;
      next += keeps;
    } else {
      target->strides[i] = output->strides[next++];
    }
  }
}

/* The output's axis for the input's @axis that stays, or for the best of them. */
static int
output_inner (const FvTensor *source, const gboolean *gone, int inner,
    gboolean keeps)
{
  int best = -1, result = 0;

  for (guint i = 0; i < source->shape.rank; i++)
    if (!gone[i] && source->shape.dims[i] > 1
        && (best < 0 || source->strides[i] < source->strides[best]))
      best = i;
  if (inner >= 0 && !gone[inner])
    best = inner;
  if (best < 0)
    return FV_ANY_AXIS;
  for (int i = 0; i < best; i++)
    result += keeps || !gone[i];
  return result;
}

static void
fill_push (const FvLoops *stay, const FvLoops *go, FvReducePush *push)
{
  gint64 rows = 1;

  push->row_units = (push->n + 3) / 4;
  for (guint i = 0; i < 4; i++) {
    gboolean used = i < stay->n;

    if (i < 3)
      push->size[i] = used ? stay->size[i] : 1;
    push->target_stride[i] = used ? stay->stride[TARGET][i] / 4 : 0;
    push->source_stride[i] = used ? stay->stride[SOURCE][i] : 0;
    rows *= used ? stay->size[i] : 1;
  }
  push->rounds = 1;
  for (guint i = 0; i < 5; i++) {
    gboolean used = i < go->n;

    if (i < 4)
      push->gone_size[i] = used ? go->size[i] : 1;
    push->gone_stride[i] = used ? go->stride[0][i] : 0;
    push->rounds *= used ? go->size[i] : 1;
  }
  push->units = rows * push->row_units;
}

/* Invocations per vec4 of the result: more where there is much to sum up and few
 * results to keep the device busy. */
static guint
choose_split (FvPlan *plan, gint64 units, gint64 work)
{
  guint most = 64;

  if (fv_plan_tier (plan) == FV_TIER_SUBGROUP)
    most = CLAMP (fv_plan_device_info (plan)->subgroup_size, 1, 32);
  if (work < 16 || units >= 8192)
    return 1;
  return work < 512 || units >= 512 ? MIN (most, 8) : most;
}

/* @along: the input's innermost axis goes, and has @line elements */
static gboolean
add_dispatch (FvPlan *plan, FvNode *node, const FvTensor *source,
    const FvTensor *target, const FvLoops *stay, const FvLoops *go,
    gboolean along, FvReducePush *push, GError **error)
{
  gint64 work;
  guint split;
  FvDispatch d;

  fill_push (stay, go, push);
  work = (gint64) push->rounds * (along ? (push->line + 3) / 4 : 1);
  split = choose_split (plan, push->units, work);
  fv_plan_begin (plan, node, &d, "reduce");
  fv_plan_bind (plan, &d, source, FALSE);
  fv_plan_bind (plan, &d, target, TRUE);
  fv_dispatch_spec (&d, 0, node->op->variant);
  fv_dispatch_spec (&d, 1, along);
  fv_dispatch_spec (&d, 2, fv_axes_bucket (stay->n, 4));
  fv_dispatch_spec (&d, 3, fv_axes_bucket (go->n, 5));
  fv_dispatch_spec (&d, 4, split);
  fv_dispatch_push (&d, push, sizeof *push);
  fv_dispatch_units (plan, &d, (gint64) push->units * split);
  d.flops = fv_shape_count (&source->shape);
  return fv_plan_add (plan, &d, error);
}

/* Whether integers give an integer without rounding. */
static gboolean
is_whole (guint kind)
{
  return kind == FV_REDUCE_SUM || kind == FV_REDUCE_MAX || kind == FV_REDUCE_MIN
      || kind == FV_REDUCE_PROD || kind == FV_REDUCE_L1
      || kind == FV_REDUCE_SUM_SQUARE;
}

static gboolean
lower_reduce (FvPlan *plan, FvNode *node, GError **error)
{
  const FvShape *from = &node->inputs[0]->shape;
  gboolean gone[FV_MAX_RANK], noop, along;
  gboolean keeps = node->outputs[0]->shape.rank == from->rank;
  gint64 inner_strides[2];
  FvTensor source, output, target;
  FvReducePush push = { 0 };
  FvLoops stay, go;
  int inner;

  if (fv_value_is_integer (node->outputs[0]) && !is_whole (node->op->variant))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "of integers on the device");
  if (!reduced_axes (node, gone, &noop, error)
      || !fv_plan_input (plan, node, 0, FV_ANY_AXIS, &source, error))
    return FALSE;
  if (noop || from->rank == 0) {
    fv_plan_alias (plan, node, 0, &source);
    return TRUE;
  }
  inner = fv_tensor_inner (&source);
  if (!fv_plan_input (plan, node, 0, inner, &source, error)
      || !fv_plan_output (plan, node, 0,
          output_inner (&source, gone, inner, keeps), &output, error))
    return FALSE;
  if (fv_shape_count (&output.shape) == 0)
    return TRUE;
  with_all_axes (&output, from, gone, &target);
  along = gone[inner];
  split_axes (&source, &target, gone, inner, &stay, &go);
  fv_loops_merge (&stay);
  push.n = fv_loops_take_inner (&stay, inner_strides);
  push.target = output.offset / 4;
  push.source = source.offset;
  push.source_inner = inner_strides[SOURCE];
  push.line = along ? from->dims[inner] : 1;
  push.scale =
      (double) fv_shape_count (&output.shape) / MAX (fv_shape_count (from), 1);
  return add_dispatch (plan, node, &source, &output, &stay, &go, along, &push,
      error);
}

#define REDUCE(op_name, kind, changed, low_, high_) \
  { \
    .name = op_name, \
    .since = 1, \
    .until = changed - 1, \
    .variant = kind, \
    .min_inputs = 1, \
    .attrs = "axes:is keepdims:i=1", \
    .infer = infer_reduce, \
    .reference = reduce, \
    .lower = lower_reduce, \
    .cases = FV_CASES ({ .inputs = "f32[2,3,5,7]", \
        .attrs = "axes=[2,3]", \
        .low = low_, \
        .high = high_, \
        .opset = changed - 1 }), \
  }, \
  { \
    .name = op_name, .since = changed, .variant = kind, .min_inputs = 1, \
    .max_inputs = 2, .attrs = "keepdims:i=1 noop_with_empty_axes:i=0", \
    .infer = infer_reduce, .reference = reduce, .lower = lower_reduce, \
    .cases = FV_CASES ( \
        { .inputs = "f32[2,9,5,7] =i64{2,3}", .low = low_, .high = high_ }, \
        { .inputs = "f32[2,3,5] =i64{-1}", \
            .attrs = "keepdims=0", \
            .low = low_, \
            .high = high_ }, \
        { .inputs = "f32[2,6,5,3] =i64{1}", .low = low_, .high = high_ }, \
        { .inputs = "f32[2,3,5]", .low = low_, .high = high_ }), \
  }

const FvOp fv_ops_reduce[] = {
  REDUCE ("ReduceSum", FV_REDUCE_SUM, 13, -1, 1),
  REDUCE ("ReduceMean", FV_REDUCE_MEAN, 18, -1, 1),
  REDUCE ("ReduceMax", FV_REDUCE_MAX, 18, -1, 1),
  REDUCE ("ReduceMin", FV_REDUCE_MIN, 18, -1, 1),
  REDUCE ("ReduceProd", FV_REDUCE_PROD, 18, 0.5, 1.5),
  REDUCE ("ReduceL1", FV_REDUCE_L1, 18, -1, 1),
  REDUCE ("ReduceL2", FV_REDUCE_L2, 18, -1, 1),
  REDUCE ("ReduceLogSum", FV_REDUCE_LOG_SUM, 18, 0.5, 1.5),
  REDUCE ("ReduceLogSumExp", FV_REDUCE_LOG_SUM_EXP, 18, -1, 1),
  REDUCE ("ReduceSumSquare", FV_REDUCE_SUM_SQUARE, 18, -1, 1),
  {},
};
