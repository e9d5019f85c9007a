/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elementwise nodes become steps behind the node that makes their input. */
#include "gst/engine/ir-private.h"

#define MOST_OPERANDS (2 * FV_MAX_STEPS + 1)

/* The operands of @node's steps and, unless negative, @input, added to the @n that
 * @found holds. A kernel reads each but once. */
static guint
add_operands (const FvNode *node, gint input,
    const FvValue *found[MOST_OPERANDS], guint n)
{
  for (guint i = 0; i <= node->n_steps; i++) {
    gint which = i < node->n_steps ? node->steps[i].input : input;
    guint k = 0;

    if (which < 0)
      continue;
    while (k < n && found[k] != node->inputs[which])
      k++;
    if (k == n)
      found[n++] = node->inputs[which];
  }
  return n;
}

/* Elementwise nodes read their operands with any strides; other kernels by rows:
 * a vector over the inner axis, or a tensor of the output's shape. */
static gboolean
operand_fits (const FvNode *producer, const FvValue *operand)
{
  const FvShape *out = &producer->outputs[0]->shape;
  gint axis = (gint) fv_node_inner (producer)
      - (gint) (out->rank - operand->shape.rank);

  if (!fv_type_is_float (operand->type))
    return FALSE;
  if (producer->op->to_step)
    return TRUE;
  if (fv_shape_equal (&operand->shape, out))
    return TRUE;
  return axis >= 0
      && operand->shape.dims[axis] == out->dims[fv_node_inner (producer)]
      && operand->constant
      && fv_shape_count (&operand->shape) == operand->shape.dims[axis];
}

/* Own operands of an elementwise producer: all float inputs but its first that
 * did not become numbers of the step. */
static guint
own_operands (const FvNode *producer)
{
  FvStep step;

  if (!producer->op->to_step)
    return 0;
  for (guint main = 0; main < producer->n_own_inputs; main++)
    if (producer->op->to_step (producer, main, &step))
      return FV_STEP_HAS_OPERAND (step.kind) ? 1 : 0;
  return FV_MAX_OPERANDS;
}

/* The elementwise kernel reads more operands than the epilogues of others. */
static guint
most_operands (const FvNode *producer)
{
  return producer->op->to_step ? FV_ELEMENTWISE_INPUTS - 1 : FV_MAX_OPERANDS;
}

static gboolean
can_take (const FvNode *producer, const FvNode *node, guint main, FvStep *step)
{
  const FvValue *value = node->inputs[main], *found[MOST_OPERANDS];
  guint n;

  if (!producer || !(producer->op->flags & FV_OP_TAKES_STEPS)
      || producer->n_outputs != 1 || value->users->len != 1 || value->is_output
      || !fv_type_is_float (value->type)
      || !fv_type_is_float (node->outputs[0]->type)
      || !fv_shape_equal (&value->shape, &node->outputs[0]->shape)
      || producer->n_steps + 1 + node->n_steps > FV_MAX_STEPS
      || !node->op->to_step (node, main, step))
    return FALSE;
  if (FV_STEP_HAS_OPERAND (step->kind)
      && !operand_fits (producer, node->inputs[step->input]))
    return FALSE;
  for (guint i = 0; i < node->n_steps; i++)
    if (FV_STEP_HAS_OPERAND (node->steps[i].kind)
        && !operand_fits (producer, node->inputs[node->steps[i].input]))
      return FALSE;
  n = add_operands (producer, -1, found, 0);
  n = add_operands (node, FV_STEP_HAS_OPERAND (step->kind) ? step->input : -1,
      found, n);
  return own_operands (producer) + n <= most_operands (producer);
}

/* Operands stand behind all inputs that the operator may have: absent ones are
 * spelled out, so that none is mistaken for an operand. */
static void
fill_inputs (FvNode *node)
{
  guint most = MAX (node->op->max_inputs, node->op->min_inputs);

  while (most != G_MAXUINT && node->n_own_inputs < most)
    node->n_own_inputs = fv_node_add_input (node, NULL) + 1;
}

/* Where @producer's steps read @value. */
static gint
operand_input (FvNode *producer, FvValue *value)
{
  for (guint i = producer->n_own_inputs; i < producer->n_inputs; i++)
    if (producer->inputs[i] == value)
      return (gint) i;
  return (gint) fv_node_add_input (producer, value);
}

static void
append_step (FvNode *producer, const FvNode *node, FvStep step)
{
  if (!producer->n_steps)
    fill_inputs (producer);
  step.input = FV_STEP_HAS_OPERAND (step.kind)
      ? operand_input (producer, node->inputs[step.input])
      : -1;
  producer->steps[producer->n_steps++] = step;
}

/* @producer now ends with @node's function, at @node's place in the order. */
static void
take (FvIr *ir, FvNode *producer, FvNode *node, const FvStep *step)
{
  FvValue *out = node->outputs[0];
  char *name = g_strconcat (producer->name, "+", node->name, NULL);

  g_free (producer->name);
  producer->name = name;
  append_step (producer, node, *step);
  for (guint i = 0; i < node->n_steps; i++)
    append_step (producer, node, node->steps[i]);
  fv_ir_place_after (ir, producer, node);
  fv_ir_remove_node (ir, node);
  producer->outputs[0]->producer = NULL;
  producer->outputs[0] = out;
  out->producer = producer;
}

/* The input whose producer had best take @node: a kernel before a mere
 * elementwise node. */
static gint
choose (const FvNode *node, FvStep *step)
{
  gint best = -1;

  for (guint i = 0; i < node->n_own_inputs && i < 2; i++) {
    FvValue *value = node->inputs[i];
    FvStep candidate = { 0 };

    if (!value || !value->producer
        || !can_take (value->producer, node, i, &candidate))
      continue;
    if (best < 0 || node->inputs[best]->producer->op->to_step) {
      best = i;
      *step = candidate;
    }
  }
  return best;
}

gint
fv_pass_steps (FvIr *ir, GError **error)
{
  gint changes = 0;

  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i];
    FvStep step = { 0 };
    gint main;

    if (!node->op->to_step || node->n_outputs != 1
        || (main = choose (node, &step)) < 0)
      continue;
    take (ir, node->inputs[main]->producer, node, &step);
    i--;
    changes++;
  }
  return changes;
}
