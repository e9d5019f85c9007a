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

/* TRUE where the kernel under @view, and what will be steps of it in between, leaves
 * room for one operand more. */
static gboolean
has_room (const FvNode *view)
{
  const FvNode *node = view;
  guint operands = 1;

  while (is_view (node) || (node && node->op->to_step && !node->n_steps)) {
    FvStep step = { 0 };
    guint main = 0;

    while (!is_view (node) && main < node->n_own_inputs
        && (!node->inputs[main] || !node->inputs[main]->producer
            || !node->op->to_step (node, main, &step)))
      main++;
    if (main == node->n_own_inputs)
      return FALSE;
    operands += FV_STEP_HAS_OPERAND (step.kind);
    if (node->inputs[main]->users->len != 1 || node->inputs[main]->is_output)
      return FALSE;
    node = node->inputs[main]->producer;
  }
  for (guint i = 0; node && i < node->n_steps; i++)
    operands += FV_STEP_HAS_OPERAND (node->steps[i].kind);
  return node && operands <= FV_MAX_OPERANDS
      && node->op->flags & FV_OP_TAKES_STEPS;
}

/* Constants of one element must not bring axes that the new input lacks. */
static gboolean
constants_fit (const FvNode *node, guint rank)
{
  for (guint i = 0; i < node->n_own_inputs; i++)
    if (node->inputs[i] && node->inputs[i]->constant
        && node->inputs[i]->constant->count == 1
        && node->inputs[i]->shape.rank > rank)
      return FALSE;
  return TRUE;
}

/* Elements of one of @shape's axis @axis: what lies behind it. */
static gint64
elements_behind (const FvShape *shape, guint axis)
{
  gint64 count = 1;

  for (guint i = axis + 1; i < shape->rank; i++)
    count *= shape->dims[i];
  return count;
}

/* The axis of @view's input that its output has as @axis, or -1. */
static gint
axis_before (const FvNode *view, guint axis)
{
  const FvShape *in = &view->inputs[0]->shape, *out = &view->outputs[0]->shape;
  guint n;

  if (fv_node_is (view, "Transpose"))
    return (gint) fv_node_ints (view, "perm", &n)[axis];
  for (guint i = 0; i < in->rank; i++)
    if (in->dims[i] == out->dims[axis]
        && elements_behind (in, i) == elements_behind (out, axis))
      return (gint) i;
  return -1;
}

/* The other way round. */
static gint
axis_behind (const FvNode *view, gint axis)
{
  for (guint i = 0; axis >= 0 && i < view->outputs[0]->shape.rank; i++)
    if (axis_before (view, i) == axis)
      return (gint) i;
  return -1;
}

#define MAX_DEPTH 256

/* The axis of @value that will lie innermost, as far as one can tell; else -1. */
static gint
guess_inner (const FvValue *value, guint depth)
{
  static const char *const parts[] = { "Split", "Slice", "Concat" };
  const FvNode *node = value->producer;
  gboolean follows = node && node->op->to_step;

  if (!node)
    return (gint) value->shape.rank - 1;
  if (depth > MAX_DEPTH)
    return -1;
  if (is_view (node))
    return axis_behind (node, guess_inner (node->inputs[0], depth + 1));
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    follows |= fv_node_is (node, parts[i]);
  for (guint i = 0; follows && i < node->n_own_inputs; i++)
    if (node->inputs[i] && !node->inputs[i]->constant
        && node->inputs[i]->shape.rank == value->shape.rank)
      return guess_inner (node->inputs[i], depth + 1);
  return (gint) fv_node_inner (node);
}

/* A constant vector over one axis of @view's output, over that of its input. */
static gboolean
vector_before (const FvNode *view, const FvValue *operand, FvShape *shape)
{
  const FvShape *out = &view->outputs[0]->shape;
  gint found = -1, axis;

  if (operand->shape.rank > out->rank || fv_shape_count (&operand->shape) == 1)
    return FALSE;
  for (guint i = 0; i < operand->shape.rank; i++)
    if (operand->shape.dims[i] != 1) {
      if (found >= 0)
        return FALSE;
      found = (gint) (i + out->rank - operand->shape.rank);
    }
  if (found < 0 || (axis = axis_before (view, found)) < 0)
    return FALSE;
  *shape = (FvShape){ view->inputs[0]->shape.rank };
  for (guint i = 0; i < shape->rank; i++)
    shape->dims[i] = (gint) i == axis ? out->dims[found] : 1;
  return TRUE;
}

/* @operand of @node, which reads @view's output, as one of what @view reads: a
 * vector, or a tensor that the reverse view is made of. NULL: it cannot be. */
static FvValue *
operand_before (FvIr *ir, const FvNode *view, FvNode *node, guint index,
    FvValue *operand, GError **error)
{
  FvEmit emit = { ir, NULL, index ? ir->nodes->pdata[index - 1] : NULL, NULL,
    error };
  const FvShape *in = &view->inputs[0]->shape;
  gint64 inverse[FV_MAX_RANK];
  const gint64 *perm;
  FvShape shape;
  FvValue *before;
  guint n;

  if (operand->constant && vector_before (view, operand, &shape))
    return fv_emit_reshape (&emit, operand, shape.dims, shape.rank);
  if (!fv_shape_equal (&operand->shape, &view->outputs[0]->shape)
      || (!operand->constant
          && guess_inner (operand, 0) != guess_inner (view->outputs[0], 0)))
    return NULL; /* it would have to be copied */
  if (!fv_node_is (view, "Transpose"))
    before = fv_emit_reshape (&emit, operand, in->dims, in->rank);
  else {
    perm = fv_node_ints (view, "perm", &n);
    for (guint i = 0; i < n; i++)
      inverse[perm[i]] = i;
    before = fv_emit_transpose (&emit, operand, inverse);
  }
  if (before && before->producer && before != operand)
    before->producer->origin = node->origin;
  return before;
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

/* TRUE where what makes @value may take the node that reads it, now or once it went
 * through views: of two such inputs, one must stay where it is. */
static gboolean
has_taker (const FvValue *value)
{
  const FvNode *node = value->producer;

  return node && value->users->len == 1 && !value->is_output
      && (is_view (node) ? stands_on_kernel (node)
                         : (node->op->flags & FV_OP_TAKES_STEPS) != 0);
}

/* @node, at @index, as a step of its input @main goes in front of the view that makes
 * that. 1: done, 0: it cannot, -1: @error is set. */
static gint
lift (FvIr *ir, FvNode *node, guint index, guint main, GError **error)
{
  FvNode *view = node->inputs[main] ? node->inputs[main]->producer : NULL;
  FvValue *operand = NULL;
  FvStep step = { 0 };
  gboolean reads;

  if (!is_view (view) || view->outputs[0]->users->len != 1
      || view->outputs[0]->is_output || !stands_on_kernel (view)
      || !constants_fit (node, view->inputs[0]->shape.rank)
      || !fv_shape_equal (&view->outputs[0]->shape, &node->outputs[0]->shape)
      || !node->op->to_step (node, main, &step))
    return 0;
  reads = FV_STEP_HAS_OPERAND (step.kind);
  if (reads
      && (!has_room (view) || (main > 0 && has_taker (node->inputs[0]))
          || !fv_type_is_float (node->inputs[step.input]->type)
          || !(operand = operand_before (ir, view, node, index,
                   node->inputs[step.input], error))))
    return error && *error ? -1 : 0;
  if (reads)
    fv_node_set_input (node, step.input, operand);
  swap (ir, view, node, main);
  return 1;
}

gint
fv_pass_lift_steps (FvIr *ir, GError **error)
{
  gint changes = 0;

  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i];
    gint done = 0;

    if (!node->op->to_step || node->n_outputs != 1 || node->n_steps)
      continue;
    for (guint main = 0; !done && main < node->n_own_inputs; main++)
      done = lift (ir, node, i, main, error);
    if (done < 0)
      return -1;
    changes += done;
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
