/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Passes around operators that only give data another shape. */
#include "gst/engine/ir-private.h"

#include <string.h>

/* Where every element of the output is one of the input, in some order. */
static gboolean
is_view (const FvNode *node)
{
  static const char *const views[] = { "Reshape", "Transpose", "Squeeze",
    "Unsqueeze", "Flatten" };

  for (guint i = 0; node && i < G_N_ELEMENTS (views); i++)
    if (fv_node_is (node, views[i]))
      return node->n_steps == 0;
  return FALSE;
}

/* The kernel above @view's views that could apply a step, if nothing else uses
 * what lies in between. */
static gboolean
stands_on_kernel (const FvNode *view)
{
  const FvNode *node = view;

  while (is_view (node)) {
    const FvValue *in = node->inputs[0];

    if (in->users->len != 1 || in->is_output || !in->producer)
      return FALSE;
    node = in->producer;
  }
  return node->op->flags & FV_OP_TAKES_STEPS && node->n_outputs == 1
      && node->n_steps < FV_MAX_STEPS;
}

/* The one input of @node that is no number, when @node is a step of it alone. */
static gint
only_input (const FvNode *node)
{
  FvStep step = { 0 };
  gint main = -1;

  if (!node->op->to_step || node->n_outputs != 1 || node->n_steps)
    return -1;
  for (guint i = 0; i < node->n_own_inputs; i++) {
    if (!node->inputs[i] || node->inputs[i]->constant)
      continue;
    if (main >= 0)
      return -1;
    main = i;
  }
  if (main < 0 || !node->op->to_step (node, main, &step)
      || FV_STEP_HAS_OPERAND (step.kind))
    return -1;
  return main;
}

/* Constants of one element must not bring axes that the new input lacks. */
static gboolean
constants_fit (const FvNode *node, guint rank)
{
  for (guint i = 0; i < node->n_own_inputs; i++)
    if (node->inputs[i] && node->inputs[i]->constant
        && node->inputs[i]->shape.rank > rank)
      return FALSE;
  return TRUE;
}

/* view, then node becomes node, then view. */
static void
swap (FvIr *ir, FvNode *view, FvNode *node, guint main)
{
  FvValue *between = view->outputs[0], *out = node->outputs[0];
  FvValue *in = view->inputs[0];
  FvValue *moved = fv_ir_add_value (ir, between->name, out->type, &in->shape);

  fv_node_set_input (node, main, in);
  node->outputs[0] = moved;
  moved->producer = node;
  fv_node_set_input (view, 0, moved);
  view->outputs[0] = out;
  out->producer = view;
  between->producer = NULL;
  fv_ir_place_after (ir, view, node);
}

gint
fv_pass_lift_steps (FvIr *ir, GError **error)
{
  gint changes = 0;

  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i];
    gint main = only_input (node);
    FvNode *view = main < 0 ? NULL : node->inputs[main]->producer;

    if (!is_view (view) || view->outputs[0]->users->len != 1
        || view->outputs[0]->is_output || !stands_on_kernel (view)
        || !constants_fit (node, view->inputs[0]->shape.rank)
        || !fv_shape_equal (&view->outputs[0]->shape, &node->outputs[0]->shape))
      continue;
    swap (ir, view, node, main);
    changes++;
  }
  return changes;
}

/* The number of inputs from @first on that are all of one Split's outputs, in
 * order and along the same axis; 0: none. */
static guint
split_at (const FvNode *concat, guint first)
{
  const FvValue *value = concat->inputs[first];
  const FvNode *split = value->producer;
  guint rank = value->shape.rank, axis, other;

  if (!fv_node_is (split, "Split") || split->n_steps || split->n_outputs < 2
      || first + split->n_outputs > concat->n_own_inputs
      || !fv_node_axis (concat, fv_node_int (concat, "axis"), rank, &axis, NULL)
      || !fv_node_axis (split, fv_node_int (split, "axis"), rank, &other, NULL)
      || axis != other)
    return 0;
  for (guint i = 0; i < split->n_outputs; i++)
    if (concat->inputs[first + i] != split->outputs[i])
      return 0;
  return split->n_outputs;
}

/* What was split and comes together again is taken whole, so that it can be made
 * in its place in the Concat. */
gint
fv_pass_concat_split (FvIr *ir, GError **error)
{
  gint changes = 0;

  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i], *made;
    g_autofree FvValue **inputs = NULL;
    guint n = 0;

    if (!fv_node_is (node, "Concat") || node->n_steps)
      continue;
    inputs = g_new0 (FvValue *, node->n_own_inputs);
    for (guint k = 0; k < node->n_own_inputs; k++) {
      guint parts = split_at (node, k);

      inputs[n++] =
          parts ? node->inputs[k]->producer->inputs[0] : node->inputs[k];
      k += parts ? parts - 1 : 0;
    }
    if (n == node->n_own_inputs)
      continue;
    if (n > 1) {
      made = fv_ir_supersede (ir, node, "Concat", inputs, n, error);
      fv_node_set_int (made, "axis", fv_node_int (node, "axis"));
    } else {
      fv_ir_replace_value (ir, node->outputs[0], inputs[0]);
      i--;
    }
    fv_ir_remove_node (ir, node);
    changes++;
  }
  return changes;
}
