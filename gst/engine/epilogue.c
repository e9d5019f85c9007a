/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps behind a kernel: which they are, and what they read. */
#include "gst/engine/kernel-private.h"
#include "gst/engine/plan-private.h"

#include <string.h>

static gboolean
bind_operand (FvPlan *plan, FvNode *node, guint input, const FvTensor *output,
    int inner, FvTensor *tensor, FvOperandPush *push, GError **error)
{
  FvValue *value = node->inputs[input];
  /* counted from its end, as broadcasting does */
  int axis = inner - ((int) output->shape.rank - (int) value->shape.rank);
  gint64 stride = 0, channels = output->shape.dims[inner];

  if (axis >= 0 && value->shape.dims[axis] == channels
      && fv_shape_count (&value->shape) == channels) {
    if (!fv_plan_input (plan, node, input, axis, tensor, error))
      return FALSE;
  } else if (fv_shape_equal (&value->shape, &output->shape)) {
    if (!fv_plan_input_rows (plan, node, input, inner, tensor, &stride, error))
      return FALSE;
  } else
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "the step's operand '%s' is neither a vector over axis %d nor of the "
        "output's shape",
        value->name, inner);
  push->base = tensor->offset / 4;
  push->stride = stride / 4;
  return TRUE;
}

guint
fv_dispatch_steps (FvDispatch *dispatch, const FvNode *node,
    guint inputs[FV_MAX_OPERANDS])
{
  guint n = 0, which = 0;

  for (guint i = 0; i < node->n_steps; i++) {
    const FvStep *step = &node->steps[i];
    guint spec = FV_SPEC_STEPS + 3 * i, slot = 0;

    fv_dispatch_spec (dispatch, spec, step->kind);
    fv_dispatch_spec_float (dispatch, spec + 1, step->a);
    fv_dispatch_spec_float (dispatch, spec + 2, step->b);
    if (!FV_STEP_HAS_OPERAND (step->kind))
      continue;
    while (slot < n && inputs[slot] != (guint) step->input)
      slot++;
    g_assert (slot < FV_MAX_OPERANDS);
    inputs[slot] = step->input;
    n = MAX (n, slot + 1);
    which |= slot << (2 * i);
  }
  fv_dispatch_spec (dispatch, FV_SPEC_STEPS + 18, which);
  return n;
}

/* Every quantised tensor has a scale and a range of its own: as constants they would
 * make a pipeline of each kernel that ends with one. Where operand @slot is free,
 * up to two of them stand there. @is_bound: (out): whether there are any */
static gboolean
bind_scales (FvPlan *plan, FvNode *node, FvDispatch *dispatch, guint slot,
    FvTensor *tensor, FvOperandPush *push, gboolean *is_bound, GError **error)
{
  guint which = fv_dispatch_get_spec (dispatch, FV_SPEC_STEPS + 18, 0), n = 0;
  float values[4] = { 0 };

  for (guint i = 0; i < node->n_steps && n < 2; i++) {
    const FvStep *step = &node->steps[i];
    guint spec = FV_SPEC_STEPS + 3 * i;

    if (step->kind != FV_STEP_QUANTIZE)
      continue;
    values[2 * n] = step->a;
    values[2 * n + 1] = step->b;
    fv_dispatch_spec (dispatch, spec, FV_STEP_QUANTIZE_BY);
    fv_dispatch_spec_float (dispatch, spec + 1, n++);
    fv_dispatch_spec_float (dispatch, spec + 2, 0);
    which |= slot << (2 * i);
  }
  *is_bound = n > 0;
  if (n == 0)
    return TRUE;
  fv_dispatch_spec (dispatch, FV_SPEC_STEPS + 18, which);
  if (!fv_plan_weights (plan, node, values, G_N_ELEMENTS (values), FV_TYPE_F32,
          tensor, error))
    return FALSE;
  push->base = tensor->offset / 4;
  return TRUE;
}

gboolean
fv_plan_bind_steps (FvPlan *plan, FvNode *node, FvDispatch *dispatch,
    const FvTensor *output, int inner, FvOperandPush push[FV_MAX_OPERANDS],
    GError **error)
{
  FvTensor operands[FV_MAX_OPERANDS] = { { 0 } };
  FvBinding dummy = dispatch->bindings[0];
  guint inputs[FV_MAX_OPERANDS];
  guint n = fv_dispatch_steps (dispatch, node, inputs);
  gboolean is_bound;

  memset (push, 0, sizeof (FvOperandPush) * FV_MAX_OPERANDS);
  for (guint i = 0; i < n; i++)
    if (!bind_operand (plan, node, inputs[i], output, inner, &operands[i],
            &push[i], error))
      return FALSE;
  if (n < FV_MAX_OPERANDS) {
    if (!bind_scales (plan, node, dispatch, n, &operands[n], &push[n],
            &is_bound, error))
      return FALSE;
    n += is_bound;
  }
  for (guint i = 0; i < FV_MAX_OPERANDS; i++)
    if (i < n)
      fv_plan_bind (plan, dispatch, &operands[i], FALSE);
    else {
      dummy.kind = FV_BIND_FLOATS_READ;
      dispatch->bindings[dispatch->n_bindings++] = dummy;
    }
  return TRUE;
}
