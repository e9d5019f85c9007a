/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Einsum. Before the plan is made, a pass (rewrite-einsum.c) makes it products,
 * sums and permutations; what is left for the device are diagonals. */
#include "gst/engine/einsum.h"
#include "gst/engine/plan.h"
#include "gst/ops/common.h"

static gboolean
infer_einsum (FvNode *node, GError **error)
{
  FvShape shape = { 0 };
  FvEinsum e;

  if (!fv_node_need_inputs (node, error))
    return FALSE;
  for (guint i = 1; i < node->n_own_inputs; i++)
    if (node->inputs[i]->type != node->inputs[0]->type)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "expected inputs of one type");
  if (node->inputs[0]->type == FV_TYPE_BOOL)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "expected numbers, got bool");
  if (!fv_einsum_read (node, &e, error))
    return FALSE;
  shape.rank = e.result.n;
  for (guint i = 0; i < shape.rank; i++)
    shape.dims[i] = e.size[e.result.at[i]];
  if (!fv_node_check_shape (node, &shape, error))
    return FALSE;
  fv_set_output (node, 0, node->inputs[0]->type, &shape);
  return TRUE;
}

/* Loops over all labels, those of the result first. */
typedef struct
{
  guint n, n_operands;
  gint64 size[FV_EINSUM_LABELS], index[FV_EINSUM_LABELS];
  gint64 stride[FV_EINSUM_OPERANDS][FV_EINSUM_LABELS];
  gint64 at[FV_EINSUM_OPERANDS];
} Loops;

static void
add_loop (Loops *loops, const FvEinsum *e, FvArray **inputs, guint label)
{
  loops->size[loops->n] = e->size[label];
  for (guint i = 0; i < e->n_operands; i++) {
    gint64 dense[FV_MAX_RANK];

    fv_dense_strides (&inputs[i]->shape, dense);
    for (guint k = 0; k < e->operand[i].n; k++)
      if (e->operand[i].at[k] == label && inputs[i]->shape.dims[k] > 1)
        loops->stride[i][loops->n] += dense[k];
  }
  loops->n++;
}

/* One step of the loops @first to @last; FALSE when they start anew. */
static gboolean
advance (Loops *loops, guint first, guint last)
{
  for (guint k = last; k-- > first;) {
    gboolean more = ++loops->index[k] < loops->size[k];
    gint64 steps = more ? 1 : 1 - loops->size[k];

    for (guint i = 0; i < loops->n_operands; i++)
      loops->at[i] += steps * loops->stride[i][k];
    if (more)
      return TRUE;
    loops->index[k] = 0;
  }
  return FALSE;
}

static void
add_product (const Loops *loops, FvArray **inputs, double *sum, gint64 *whole)
{
  double product = 1;
  guint64 whole_product = 1; /* wraps around */

  for (guint i = 0; i < loops->n_operands; i++)
    if (inputs[i]->type == FV_TYPE_F32)
      product *= inputs[i]->f32[loops->at[i]];
    else
      whole_product *= (guint64) inputs[i]->i64[loops->at[i]];
  *sum += product;
  *whole = (gint64) ((guint64) *whole + whole_product);
}

static gboolean
einsum (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  Loops loops = { 0 };
  guint64 kept;
  guint n_kept;
  FvEinsum e;

  if (!fv_einsum_read (node, &e, error))
    return FALSE;
  kept = fv_einsum_labels (&e.result);
  n_kept = e.result.n;
  loops.n_operands = e.n_operands;
  for (guint i = 0; i < n_kept; i++)
    add_loop (&loops, &e, inputs, e.result.at[i]);
  for (guint i = 0; i < e.n_labels; i++)
    if (!(kept >> i & 1))
      add_loop (&loops, &e, inputs, i);
  for (gint64 i = 0; i < outputs[0]->count; i++) {
    double sum = 0;
    gint64 whole = 0;

    if (fv_einsum_products (&e) > 0)
      do
        add_product (&loops, inputs, &sum, &whole);
      while (advance (&loops, n_kept, loops.n));
    if (outputs[0]->type == FV_TYPE_F32)
      outputs[0]->f32[i] = sum;
    else
      outputs[0]->i64[i] = whole;
    advance (&loops, 0, n_kept);
  }
  return TRUE;
}

/* A diagonal is a view, along which the axes' strides add up. */
static gboolean
lower_einsum (FvPlan *plan, FvNode *node, GError **error)
{
  FvTensor source, view;
  FvEinsum e;

  if (!fv_einsum_read (node, &e, error))
    return FALSE;
  if (e.n_operands != 1
      || fv_einsum_labels (&e.operand[0]) != fv_einsum_labels (&e.result))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "sums and products of integers, or of nothing, on the device");
  if (!fv_plan_input (plan, node, 0, FV_ANY_AXIS, &source, error))
    return FALSE;
  view = source;
  view.shape = node->outputs[0]->shape;
  for (guint i = 0; i < e.result.n; i++) {
    view.strides[i] = 0;
    for (guint k = 0; k < e.operand[0].n; k++)
      if (e.operand[0].at[k] == e.result.at[i] && source.shape.dims[k] > 1)
        view.strides[i] += source.strides[k];
  }
  fv_plan_alias (plan, node, 0, &view);
  return TRUE;
}

const FvOp fv_ops_einsum[] = {
  {
      .name = "Einsum",
      .limits = "floats",
      .since = 12,
      .min_inputs = 1,
      .max_inputs = FV_EINSUM_OPERANDS,
      .attrs = "equation:s!",
      .infer = infer_einsum,
      .reference = einsum,
      .lower = lower_einsum,
      /* clang-format off */
      .cases = FV_CASES (
          { "f32[2,3,5,8] f32[2,3,7,8]", "equation=bhlk,bhtk->bhlt" },
          { "f32[2,3,5,7] f32[2,3,7,6]", "equation=bhlt,bhtv->bhlv" },
          { "f32[2,2,5,4,9] =f32[7,9]", "equation=bhxyd,md->bhxym" },
          { "=f32[7,9] f32[2,5,9]", "equation=md,bxd->bmx" },
          { "f32[2,6,3,9] f32[2,3,9,4,5]", "equation=bqnc,bnchw->bqnhw" },
          { "f32[2,6,9] f32[2,9,4,5]", "equation=bqc,bchw->bqhw" },
          { "f32[3,4] f32[4,5]", "equation=ij,jk" },
          { "f32[4,3] f32[5,4]", "equation=ji,kj->ki" },
          { "f32[5] f32[7]", "equation=i,j->ij" },
          { "f32[3,5] f32[5,3]", "equation=ij,ji->" },
          { "f32[2,3,4,5] f32[2,3,5,6]", "equation=...ij,...jk->...ik" },
          { "f32[2,3,4,5] f32[5,6]", "equation=...j,jk->...k" },
          { "f32[2,1,4,5] f32[3,5,6]", "equation=...ij,...jk" },
          { "f32[2,3,4]", "equation=abc->cab" },
          { "f32[2,3,4]", "equation=abc->b" },
          { "f32[2,3,4]", "equation=...c->c..." },
          { "f32[5,5]", "equation=ii->i" },
          { "f32[5,5]", "equation=ii" },
          { "f32[3,5,5] f32[5,4]", "equation=bii,ik->bk" },
          { "f32[3,4,6] f32[4,6]", "equation=abc,bc->a" },
          { "f32[3,4] f32[3,5]", "equation=ij,ik->jk" },
          { "f32[3,4] f32[5,6]", "equation=ij,kl->il" },
          { "f32[3,4] f32[4,5] f32[5,6]", "equation=ij,jk,kl->il" },
          { "f32[2,3] f32[2,3] f32[2,3]", "equation=ij,ij,ij->i" }),
      /* clang-format on */
  },
  {},
};
