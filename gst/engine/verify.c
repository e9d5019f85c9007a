/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The IR's law. */
#include "gst/engine/ir-private.h"

static guint
count_uses (const FvValue *value, const FvNode *node)
{
  guint n = 0;

  for (guint i = 0; i < node->n_inputs; i++)
    n += node->inputs[i] == value;
  return n;
}

static guint
count_users (const FvValue *value, const FvNode *node)
{
  guint n = 0;

  for (guint i = 0; i < value->users->len; i++)
    n += value->users->pdata[i] == node;
  return n;
}

static char *
verify_node (FvNode *node, GHashTable *made)
{
  for (guint i = 0; i < node->n_inputs; i++) {
    FvValue *value = node->inputs[i];

    if (!value)
      continue;
    if (!value->constant && !g_hash_table_contains (made, value))
      return g_strdup_printf ("node '%s' reads '%s' before it is made",
          node->name, value->name);
    if (count_uses (value, node) != count_users (value, node))
      return g_strdup_printf ("the users of '%s' do not list '%s' rightly",
          value->name, node->name);
  }
  for (guint i = 0; i < node->n_outputs; i++) {
    if (!node->outputs[i])
      continue;
    if (node->outputs[i]->producer != node)
      return g_strdup_printf ("'%s' is not made by '%s'",
          node->outputs[i]->name, node->name);
    if (fv_shape_count (&node->outputs[i]->shape) < 0
        || node->outputs[i]->type == FV_TYPE_NONE)
      return g_strdup_printf ("'%s' has no shape or type",
          node->outputs[i]->name);
    g_hash_table_add (made, node->outputs[i]);
  }
  for (guint i = 0; i < node->n_steps; i++) {
    const FvStep *step = &node->steps[i];

    if (FV_STEP_HAS_OPERAND (step->kind)
        != (step->input >= (gint) node->n_own_inputs
            && step->input < (gint) node->n_inputs))
      return g_strdup_printf ("step %u of '%s' has a wrong operand", i,
          node->name);
  }
  return NULL;
}

char *
fv_ir_verify (FvIr *ir)
{
  g_autoptr (GHashTable) made = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < ir->inputs->len; i++)
    g_hash_table_add (made, ir->inputs->pdata[i]);
  for (guint i = 0; i < ir->nodes->len; i++) {
    char *breach = verify_node (ir->nodes->pdata[i], made);

    if (breach)
      return breach;
  }
  for (guint i = 0; i < ir->outputs->len; i++) {
    FvValue *value = ir->outputs->pdata[i];

    if (!value->constant && !g_hash_table_contains (made, value))
      return g_strdup_printf ("nothing makes the output '%s'", value->name);
  }
  return NULL;
}
