/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that reduce axes to one value. */
#include "gst/ops/common.h"

#include <math.h>

typedef enum
{
  SUM,
  MEAN,
  MAX_OF,
  MIN_OF,
  PROD,
  L1,
  L2,
  LOG_SUM,
  LOG_SUM_EXP,
  SUM_SQUARE,
} ReduceKind;

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

  if (node->inputs[0]->type == FV_TYPE_BOOL)
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
    case MAX_OF:
      return -INFINITY;
    case MIN_OF:
      return INFINITY;
    case PROD:
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
    case MAX_OF:
      return isnan (value) || value > sum ? value : sum;
    case MIN_OF:
      return isnan (value) || value < sum ? value : sum;
    case PROD:
      return sum * value;
    case L1:
      return sum + fabs (value);
    case L2:
    case SUM_SQUARE:
      return sum + value * value;
    case LOG_SUM_EXP:
      return sum + exp (value - shift);
    default:
      return sum + value;
  }
}

static double
finish (guint kind, double sum, gint64 count, double shift)
{
  switch (kind) {
    case MEAN:
      return sum / count;
    case L2:
      return sqrt (sum);
    case LOG_SUM:
      return log (sum);
    case LOG_SUM_EXP:
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

  if (kind == LOG_SUM_EXP) {
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
  guint64 sum = kind == PROD ? 1 : 0;
  gint64 best = kind == MAX_OF ? G_MININT64 : G_MAXINT64;
  double total = 0;

  for (gint64 i = 0; i < count; i++, fv_walk_next (&walk)) {
    gint64 value = in->i64[walk.at[0]];

    best = kind == MAX_OF ? MAX (best, value) : MIN (best, value);
    total = take_in (kind, total, value, 0);
    if (kind == PROD)
      sum *= (guint64) value;
    else if (kind == SUM_SQUARE)
      sum += (guint64) value * (guint64) value;
    else
      sum += kind == L1 && value < 0 ? -(guint64) value : (guint64) value;
  }
  if (kind == MAX_OF || kind == MIN_OF)
    return best;
  if (kind == MEAN)
    return count ? (gint64) sum / count : 0;
  if (kind == L2 || kind == LOG_SUM || kind == LOG_SUM_EXP)
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
    else
      outputs[0]->i64[i] =
          reduce_ints (node->op->variant, inputs[0], part, count);
  }
  return TRUE;
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
    .cases = FV_CASES ({ .inputs = "f32[2,3,5,7]", \
        .attrs = "axes=[2,3]", \
        .low = low_, \
        .high = high_, \
        .opset = changed - 1 }), \
  }, \
  { \
    .name = op_name, .since = changed, .variant = kind, .min_inputs = 1, \
    .max_inputs = 2, .attrs = "keepdims:i=1 noop_with_empty_axes:i=0", \
    .infer = infer_reduce, .reference = reduce, \
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
  REDUCE ("ReduceSum", SUM, 13, -1, 1),
  REDUCE ("ReduceMean", MEAN, 18, -1, 1),
  REDUCE ("ReduceMax", MAX_OF, 18, -1, 1),
  REDUCE ("ReduceMin", MIN_OF, 18, -1, 1),
  REDUCE ("ReduceProd", PROD, 18, 0.5, 1.5),
  REDUCE ("ReduceL1", L1, 18, -1, 1),
  REDUCE ("ReduceL2", L2, 18, -1, 1),
  REDUCE ("ReduceLogSum", LOG_SUM, 18, 0.5, 1.5),
  REDUCE ("ReduceLogSumExp", LOG_SUM_EXP, 18, -1, 1),
  REDUCE ("ReduceSumSquare", SUM_SQUARE, 18, -1, 1),
  {},
};
