/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Softmax, LogSoftmax and Hardmax. Before opset 13 they flatten all axes from
 * the given one on; from 13 on they work along that axis alone. */
#include "gst/ops/common.h"
#include "gst/ops/rows.h"

#include <math.h>

enum
{
  SOFTMAX,
  LOG_SOFTMAX,
  HARDMAX,
  KIND = 3,
  FLATTEN = 4, /* opsets below 13 */
};

/* The tensor as [outer][n][inner]: @n elements, @inner apart, sum up to 1. */
static gboolean
softmax_layout (const FvNode *node, guint *axis, gint64 *n, gint64 *inner,
    GError **error)
{
  const FvShape *shape = &node->inputs[0]->shape;
  gint64 *product = node->op->variant & FLATTEN ? n : inner;
  gint64 given = fv_node_int (node, "axis");

  *n = *inner = 1;
  *axis = shape->rank;
  /* the rank itself may be given where axes are flattened */
  if ((node->op->variant & FLATTEN) && given == shape->rank)
    return TRUE;
  if (!fv_node_axis (node, given, shape->rank, axis, error))
    return FALSE;
  *n = shape->dims[*axis];
  for (guint i = *axis + 1; i < shape->rank; i++)
    *product *= shape->dims[i];
  return TRUE;
}

static gboolean
infer_softmax (FvNode *node, GError **error)
{
  FvValue *x = node->inputs[0];
  gint64 n, inner;
  guint axis;

  if (!fv_type_is_float (x->type))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "expected a float tensor, got %s", fv_type_name (x->type));
  node->outputs[0]->type = x->type;
  node->outputs[0]->shape = x->shape;
  return softmax_layout (node, &axis, &n, &inner, error);
}

static void
softmax_row (guint kind, const float *x, float *y, gint64 n, gint64 step)
{
  double sum = 0;
  gint64 top = 0;

  for (gint64 i = 0; i < n; i++)
    if (x[i * step] > x[top * step])
      top = i;
  for (gint64 i = 0; i < n; i++)
    sum += exp ((double) x[i * step] - x[top * step]);
  for (gint64 i = 0; i < n; i++) {
    double v = (double) x[i * step] - x[top * step];

    if (kind == SOFTMAX)
      y[i * step] = exp (v) / sum;
    else if (kind == LOG_SOFTMAX)
      y[i * step] = v - log (sum);
    else
      y[i * step] = i == top;
  }
}

static gboolean
softmax (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  gint64 n, inner, count = outputs[0]->count;
  guint axis;

  if (!softmax_layout (node, &axis, &n, &inner, error))
    return FALSE;
  for (gint64 k = 0; n > 0 && k < count / n; k++) {
    gint64 start = k / inner * inner * n + k % inner;

    softmax_row (node->op->variant & KIND, inputs[0]->f32 + start,
        outputs[0]->f32 + start, n, inner);
  }
  return TRUE;
}

static gboolean
lower_softmax (FvPlan *plan, FvNode *node, GError **error)
{
  guint kind = node->op->variant & KIND;
  gboolean flatten = node->op->variant & FLATTEN;
  FvRowPush push = { 0 };
  gint64 n, inner;
  FvDispatch d;
  FvRows rows;
  guint axis;

  if (!softmax_layout (node, &axis, &n, &inner, error)
      || !fv_rows_begin (plan, node, axis, flatten, &rows, error))
    return FALSE;
  fv_plan_begin (plan, node, &d, "softmax");
  fv_plan_bind (plan, &d, &rows.x, FALSE);
  fv_plan_bind (plan, &d, &rows.y, TRUE);
  if (!fv_rows_bind_steps (plan, node, &rows, &d, push.operand, error))
    return FALSE;
  push.rows = rows.rows;
  push.width = rows.width;
  push.x_base = rows.x.offset / 4;
  push.x_row = rows.x_row / 4;
  push.y_base = rows.y.offset / 4;
  push.y_row = rows.y_row / 4;
  fv_dispatch_spec (&d, 0,
      kind == SOFTMAX ? FV_ROW_SOFTMAX : FV_ROW_LOG_SOFTMAX);
  fv_rows_grid (plan, &rows, &d);
  fv_dispatch_push (&d, &push, sizeof push);
  d.flops = rows.rows * rows.width * 20;
  return fv_plan_add (plan, &d, error)
      && fv_rows_end (plan, node, &rows, error);
}

#define OLD_CASES(set) \
  FV_CASES ({ "f32[2,5,3,7]", NULL, -4, 4, .opset = set }, \
      { "f32[3,19]", "axis=1", .opset = set }, \
      { "f32[1,12,1,1]", "axis=1", .opset = set }, \
      { "f32[2,3,8]", "axis=1", .opset = set }, \
      { "f32[2,6,9]", "axis=2", -30, 30, .opset = set })
#define NEW_CASES \
  FV_CASES ({ "f32[1,3,38,38]", NULL, -4, 4 }, \
      { "f32[2,21,9,7]", "axis=1", -4, 4 }, { "f32[5,1]" }, { "f32[17]" }, \
      { "f32[1,1000]", NULL, -30, 30 }, { "f32[300,5]" }, \
      { "f32[7,130]", "axis=0" })
#define ROWS(op, kind, lowering) \
  { .name = op, \
    .since = 1, \
    .variant = kind | FLATTEN, \
\
    .min_inputs = 1, \
    .attrs = "axis:i=1", \
    .infer = infer_softmax, \
    .reference = softmax, \
    .lower = lowering, \
    .cases = OLD_CASES (11) }, \
  { \
    .name = op, .since = 13, .variant = kind, .min_inputs = 1, \
    .attrs = "axis:i=-1", .infer = infer_softmax, .reference = softmax, \
    .lower = lowering, .cases = NEW_CASES \
  }

const FvOp fv_ops_softmax[] = {
  ROWS ("Softmax", SOFTMAX, lower_softmax),
  ROWS ("LogSoftmax", LOG_SOFTMAX, lower_softmax),
  ROWS ("Hardmax", HARDMAX, fv_lower_rewritten),
  {},
};
