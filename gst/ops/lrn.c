/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LRN: local response normalization, across neighbouring channels. */
#include <math.h>
#include "gst/ops/loops.h"
#include "gst/ops/rows.h"

/* Channels that a sum reaches below and above its own, as ONNX rounds halves. */
static void
window (const FvNode *node, gint64 channels, gint64 *before, gint64 *after)
{
  gint64 size = fv_node_int (node, "size");

  *before = MIN ((size - 1) / 2, channels);
  *after = MIN (size / 2, channels);
}

static gboolean
infer_lrn (FvNode *node, GError **error)
{
  FvValue *x = node->inputs[0];

  if (!fv_type_is_float (x->type))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "expected a float tensor, got %s", fv_type_name (x->type));
  if (x->shape.rank < 2)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected a rank of at least 2, got %u", x->shape.rank);
  if (fv_node_int (node, "size") < 1)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "size is %" G_GINT64_FORMAT ", expected at least 1",
        fv_node_int (node, "size"));
  return fv_infer_same (node, error);
}

static gboolean
lrn (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  const FvShape *shape = &inputs[0]->shape;
  gint64 channels = shape->dims[1], inner = 1, before, after;
  double alpha = fv_node_float (node, "alpha") / fv_node_int (node, "size");
  double beta = fv_node_float (node, "beta");
  double bias = fv_node_float (node, "bias");

  for (guint i = 2; i < shape->rank; i++)
    inner *= shape->dims[i];
  window (node, channels, &before, &after);
  for (gint64 i = 0; i < outputs[0]->count; i++) {
    const float *x = inputs[0]->f32 + i;
    gint64 c = i / inner % channels;
    double sum = 0;

    for (gint64 k = -MIN (before, c); k <= MIN (after, channels - 1 - c); k++)
      sum += (double) x[k * inner] * x[k * inner];
    outputs[0]->f32[i] = *x / pow (bias + alpha * sum, beta);
  }
  return TRUE;
}

static gboolean
lower_lrn (FvPlan *plan, FvNode *node, GError **error)
{
  FvLrnPush push = { 0 };
  gint64 before, after;
  FvDispatch d;
  FvRows rows;

  if (!fv_rows_begin (plan, node, 1, FALSE, &rows, error))
    return FALSE;
  window (node, rows.width, &before, &after);
  fv_plan_begin (plan, node, &d, "lrn");
  fv_plan_bind (plan, &d, &rows.x, FALSE);
  fv_plan_bind (plan, &d, &rows.y, TRUE);
  if (!fv_rows_bind_steps (plan, node, &rows, &d, push.operand, error))
    return FALSE;
  push.rows = rows.rows;
  push.channels = rows.width;
  push.x_base = rows.x.offset / 4;
  push.x_row = rows.x_row / 4;
  push.y_base = rows.y.offset / 4;
  push.y_row = rows.y_row / 4;
  push.before = before;
  push.after = after;
  push.alpha = fv_node_float (node, "alpha") / fv_node_int (node, "size");
  push.beta = fv_node_float (node, "beta");
  push.bias = fv_node_float (node, "bias");
  fv_dispatch_push (&d, &push, sizeof push);
  fv_dispatch_units (plan, &d, rows.rows * ((rows.width + 3) / 4));
  d.flops = rows.rows * rows.width * (2 * (before + after + 1) + 10);
  return fv_plan_add (plan, &d, error)
      && fv_rows_end (plan, node, &rows, error);
}

const FvOp fv_ops_lrn[] = {
  { .name = "LRN",
      .since = 1,
      .flags = FV_OP_TAKES_STEPS | FV_OP_CHANNELS,
      .min_inputs = 1,
      .attrs = "alpha:f=0.0001 beta:f=0.75 bias:f=1 size:i!",
      .infer = infer_lrn,
      .reference = lrn,
      .lower = lower_lrn,
      .cases = FV_CASES (
          { "f32[1,7,5,3]", "size=5 alpha=2 beta=0.75 bias=1", -3, 3 },
          { "f32[2,16,4,5]", "size=4 alpha=1 beta=0.5 bias=2", -3, 3 },
          { "f32[1,5,3,2]", "size=13 alpha=3" },
          { "f32[2,9,3,4,5]", "size=3 alpha=1", -2, 2 },
          { "f32[3,6]", "size=1" },
          { "f32[1,1,9]", "size=2 alpha=1 beta=1" }) },
  {},
};
