/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The passes in order, and what they share. */
#include "gst/engine/ir-private.h"

#include <string.h>

#define MAX_ROUNDS 8

static const struct
{
  const char *name;
  FvPass run;
} passes[] = {
  { "floats", fv_pass_floats },
  { "compounds", fv_pass_compounds },
  { "indices", fv_pass_indices },
  { "einsum", fv_pass_einsum },
  { "quantize", fv_pass_quantize },
  { "identities", fv_pass_identities },
  { "common", fv_pass_common },
  { "dead", fv_pass_dead },
  { "layer-norm", fv_pass_layer_norm },
  { "group-norm", fv_pass_group_norm },
  { "gelu", fv_pass_gelu },
  { "swish", fv_pass_swish },
  { "linear", fv_pass_linear },
  { "skew", fv_pass_skew },
  { "masks", fv_pass_masks },
  { "attention", fv_pass_attention },
  { "heads", fv_pass_heads },
  { "deform", fv_pass_deform },
  { "batch-norm", fv_pass_batch_norm },
  { "conv-scale", fv_pass_conv_scale },
  { "gates", fv_pass_gates },
  { "merge-linear", fv_pass_merge_linear },
  { "dead", fv_pass_dead },
  { "rows", fv_pass_rows },
  { "lift-steps", fv_pass_lift_steps },
  { "concat-split", fv_pass_concat_split },
  { "steps", fv_pass_steps },
  { "channels", fv_pass_channels },
  { "dead", fv_pass_dead },
};

const FvOp *
fv_op_get (const char *name)
{
  const FvOp *best = NULL;

  for (guint t = 0; fv_op_tables[t]; t++)
    for (const FvOp *op = fv_op_tables[t]; op->name; op++)
      if (!strcmp (op->name, name) && (!best || op->since > best->since))
        best = op;
  return best;
}

guint
fv_node_inner (const FvNode *node)
{
  guint rank = node->outputs[0]->shape.rank;

  if ((node->op->flags & FV_OP_CHANNELS) && rank > 1)
    return 1;
  return rank ? rank - 1 : 0;
}

gboolean
fv_node_is (const FvNode *node, const char *op_type)
{
  return node && !strcmp (node->op->name, op_type);
}

FvNode *
fv_only_user (const FvValue *value, const char *op_type)
{
  FvNode *user;

  if (!value || value->is_output || value->users->len != 1)
    return NULL;
  user = value->users->pdata[0];
  return !op_type || fv_node_is (user, op_type) ? user : NULL;
}

FvNode *
fv_input_node (const FvNode *node, guint i, const char *op_type)
{
  FvValue *value = fv_node_input (node, i);

  if (!value || !value->producer || value->producer->n_steps
      || !fv_node_is (value->producer, op_type))
    return NULL;
  return value->producer;
}

gboolean
fv_value_scalar (const FvValue *value, float *scalar)
{
  if (!value || !value->constant || value->constant->count != 1
      || !fv_type_is_float (value->type))
    return FALSE;
  *scalar = fv_array_get_float (value->constant, 0);
  return TRUE;
}

gboolean
fv_node_has_scalar (const FvNode *node, float *scalar, FvValue **other)
{
  if (node->n_inputs != 2 || node->n_steps)
    return FALSE;
  for (guint i = 0; i < 2; i++)
    if (fv_value_scalar (node->inputs[i], scalar)
        && !node->inputs[1 - i]->constant) {
      *other = node->inputs[1 - i];
      return TRUE;
    }
  return FALSE;
}

gint64
fv_reduced_axis (const FvNode *node)
{
  gint64 rank = node->inputs[0]->shape.rank, axis;
  FvArray *input = fv_node_constant (node, 1);
  const gint64 *axes;
  guint n = 0;

  if (input && input->count == 1)
    axis = fv_array_get_int (input, 0);
  else if (!input && node->op->max_inputs < 2
      && (axes = fv_node_ints (node, "axes", &n)) && n == 1)
    axis = axes[0];
  else
    return -1;
  return axis < 0 ? axis + rank : axis;
}

FvNode *
fv_ir_supersede (FvIr *ir, FvNode *node, const char *op, FvValue **inputs,
    guint n_inputs, GError **error)
{
  FvValue *old = node->outputs[0];
  FvValue *output = fv_ir_add_value (ir, old->name, old->type, &old->shape);
  FvNode *made = fv_ir_add_node (ir, fv_op_get (op), node->name, inputs,
      n_inputs, &output, 1);

  made->origin = node->origin;
  made->opset = made->op->until ? made->op->until : 20;
  fv_ir_place_after (ir, made, node);
  fv_ir_replace_value (ir, old, output);
  return made;
}

FvValue *
fv_ir_add_floats (FvIr *ir, const char *name, const FvShape *shape,
    FvArray **array)
{
  FvValue *value;

  if (!(*array = fv_array_new (FV_TYPE_F32, shape, NULL)))
    return NULL;
  value = fv_ir_add_constant (ir, name, *array);
  fv_array_unref (*array); /* the value keeps it */
  return value;
}

static gboolean
verify (FvIr *ir, const char *pass, GError **error)
{
#ifndef FV_NO_VERIFY
  g_autofree char *breach = fv_ir_verify (ir);

  if (breach) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "%s: the pass '%s' broke the graph: %s", ir->name, pass, breach);
    return FALSE;
  }
#endif
  return TRUE;
}

gboolean
fv_ir_rewrite (FvIr *ir, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (passes); i++) {
    gint changes = 1;

    for (guint round = 0; changes > 0 && round < MAX_ROUNDS; round++) {
      changes = passes[i].run (ir, error);
      if (changes < 0 || !verify (ir, passes[i].name, error))
        return FALSE;
    }
  }
  return TRUE;
}
