/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nodes that a pass makes in place of another. */
#include "gst/engine/ir-private.h"

#include <string.h>

FvNode *
fv_emit_begin (FvEmit *emit, const char *op, FvValue *const *inputs, guint n)
{
  FvValue *output = fv_ir_add_value (emit->ir, NULL, FV_TYPE_NONE, NULL);
  FvNode *node = fv_ir_add_node (emit->ir, fv_op_get (op), emit->name,
      (FvValue **) inputs, n, &output, 1);

  if (emit->last)
    node->origin = emit->last->origin;
  node->opset = node->op->until ? node->op->until : 23;
  fv_ir_place_after (emit->ir, node, emit->last);
  emit->before = emit->last;
  emit->last = node;
  return node;
}

/* What depends on constants alone is one. */
static gboolean
fold (FvEmit *emit, FvNode *node)
{
  g_autofree FvArray **in = g_new0 (FvArray *, node->n_inputs + 1);
  FvArray *out = NULL;
  gboolean ok = TRUE;

  for (guint i = 0; i < node->n_inputs; i++)
    if (node->inputs[i] && !node->inputs[i]->constant)
      return TRUE;
  for (guint i = 0; ok && i < node->n_inputs; i++)
    if (node->inputs[i])
      ok = (in[i] = fv_value_floats (node->inputs[i], emit->error)) != NULL;
  ok = ok && fv_node_reference (node, in, &out, emit->error);
  for (guint i = 0; i < node->n_inputs; i++)
    fv_array_unref (in[i]);
  if (!ok)
    return FALSE;
  node->outputs[0]->constant = out;
  emit->last = emit->before;
  fv_ir_remove_node (emit->ir, node);
  return TRUE;
}

FvValue *
fv_emit_end (FvEmit *emit, FvNode *node)
{
  FvValue *output = node->outputs[0];

  return fv_node_infer (node, emit->error) && fold (emit, node) ? output : NULL;
}

FvValue *
fv_emit (FvEmit *emit, const char *op, FvValue *a, FvValue *b)
{
  if (!a || (emit->error && *emit->error))
    return NULL;
  return fv_emit_end (emit,
      fv_emit_begin (emit, op, (FvValue *[]){ a, b }, b ? 2 : 1));
}

FvValue *
fv_emit_ints (FvEmit *emit, const gint64 *values, guint n)
{
  g_autoptr (FvArray) array = fv_array_new_i64 (values, n);

  return fv_ir_add_constant (emit->ir, NULL, array);
}

FvValue *
fv_emit_scalar (FvEmit *emit, float number)
{
  const FvShape shape = { 0 };
  FvArray *array;
  FvValue *value = fv_ir_add_floats (emit->ir, NULL, &shape, &array);

  if (value)
    array->f32[0] = number;
  return value;
}

FvValue *
fv_emit_reshape (FvEmit *emit, FvValue *value, const gint64 *dims, guint rank)
{
  FvShape shape = { rank };

  memcpy (shape.dims, dims, rank * sizeof *dims);
  if (!value || fv_shape_equal (&value->shape, &shape))
    return value;
  return fv_emit (emit, "Reshape", value, fv_emit_ints (emit, dims, rank));
}

FvValue *
fv_emit_transpose (FvEmit *emit, FvValue *value, const gint64 *perm)
{
  gboolean changes = FALSE;
  FvNode *node;

  for (guint i = 0; value && i < value->shape.rank; i++)
    changes |= perm[i] != i;
  if (!changes)
    return value;
  node = fv_emit_begin (emit, "Transpose", &value, 1);
  fv_node_set_ints (node, "perm", perm, value->shape.rank);
  return fv_emit_end (emit, node);
}

FvValue *
fv_emit_where (FvEmit *emit, FvValue *condition, FvValue *yes, FvValue *no)
{
  if (!condition || !yes || !no)
    return NULL;
  return fv_emit_end (emit,
      fv_emit_begin (emit, "Where", (FvValue *[]){ condition, yes, no }, 3));
}

FvValue *
fv_emit_number (FvEmit *emit, FvType type, double number)
{
  const FvShape shape = { 0 };
  g_autoptr (FvArray) array = fv_array_new (type, &shape, emit->error);

  if (!array)
    return NULL;
  fv_array_set_float (array, 0, number);
  return fv_ir_add_constant (emit->ir, NULL, array);
}

FvValue *
fv_emit_cast (FvEmit *emit, FvValue *value, FvType type)
{
  if (!value || value->type == type)
    return value;
  return fv_emit (emit, "CastLike", value, fv_emit_number (emit, type, 0));
}

static gint
apply_rules (FvIr *ir, const FvRule *rules, guint n, FvNode *node,
    GError **error)
{
  FvEmit emit = { .ir = ir, .name = node->name, .last = node, .error = error };

  for (guint k = 0; k < n; k++) {
    FvValue *value;

    if (!fv_node_is (node, rules[k].op) || node->n_steps
        || (rules[k].applies && !rules[k].applies (node)))
      continue;
    if (!(value = rules[k].make (&emit, node)))
      return -1;
    fv_ir_replace_value (ir, node->outputs[0], value);
    fv_ir_remove_node (ir, node);
    return 1;
  }
  return 0;
}

gint
fv_emit_rules (FvIr *ir, const FvRule *rules, guint n, GError **error)
{
  gint changes = 0;

  for (guint i = 0; i < ir->nodes->len; i++) {
    gint change = apply_rules (ir, rules, n, ir->nodes->pdata[i], error);

    if (change < 0)
      return -1;
    changes += change;
    i -= change;
  }
  return changes;
}
