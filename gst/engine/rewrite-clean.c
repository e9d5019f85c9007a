/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Passes that only take away: what does nothing, what is there twice, what
 * nothing uses. */
#include "gst/engine/ir-private.h"
#include "gst/onnx/names.h"

#include <string.h>

#define SMALL_CONSTANT 4096 /* bytes: compared to merge equal ones */

static gboolean
is_counting_perm (const FvNode *node)
{
  guint n;
  const gint64 *perm = fv_node_ints (node, "perm", &n);

  if (!perm)
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (perm[i] != i)
      return FALSE;
  return TRUE;
}

/* FALSE where anything but the first output is used: the mask of Dropout. */
static gboolean
is_used_first_alone (const FvNode *node)
{
  for (guint i = 1; i < node->n_outputs; i++)
    if (node->outputs[i]
        && (node->outputs[i]->users->len || node->outputs[i]->is_output))
      return FALSE;
  return node->outputs[0] != NULL;
}

/* A node whose output is its first input, element for element. */
static gboolean
does_nothing (const FvNode *node)
{
  static const char *const same_if_shape[] = { "Reshape", "Squeeze",
    "Unsqueeze", "Flatten", "Expand", "Slice", "Tile", "Split" };
  const FvValue *in = fv_node_input (node, 0), *out = node->outputs[0];

  if (!in || node->n_steps || !is_used_first_alone (node))
    return FALSE;
  if (fv_node_is (node, "Identity") || fv_node_is (node, "Dropout"))
    return TRUE;
  if (fv_node_is (node, "Cast") || fv_node_is (node, "CastLike"))
    return in->type == out->type
        || (fv_type_is_float (in->type) && fv_type_is_float (out->type));
  if (!fv_shape_equal (&in->shape, &out->shape))
    return FALSE;
  if (fv_node_is (node, "Transpose"))
    return is_counting_perm (node);
  if (fv_node_is (node, "Concat"))
    return node->n_own_inputs == 1;
  if (fv_node_is (node, "Resize")) /* by scales it may be moved by parts */
    return fv_node_input (node, 3)
        && strcmp (fv_node_string (node, "coordinate_transformation_mode"),
            "tf_crop_and_resize");
  if (fv_node_is (node, "Slice")) {
    /* a reversal keeps the shape too */
    FvArray *steps = fv_node_constant (node, 4);

    for (gint64 i = 0; steps && i < steps->count; i++)
      if (fv_array_get_int (steps, i) < 0)
        return FALSE;
  }
  for (guint i = 0; i < G_N_ELEMENTS (same_if_shape); i++)
    if (fv_node_is (node, same_if_shape[i]))
      return TRUE;
  return FALSE;
}

/* On the device there is one type of float: what the file said no longer matters,
 * but for inputs and outputs, where FvValue.declared keeps it. */
gint
fv_pass_floats (FvIr *ir, GError **error)
{
  for (guint i = 0; i < ir->values->len; i++) {
    FvValue *value = ir->values->pdata[i];

    if (fv_type_is_float (value->type))
      value->type = FV_TYPE_F32;
  }
  return 0;
}

gint
fv_pass_identities (FvIr *ir, GError **error)
{
  gint changes = 0;

  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i];
    FvValue *in = fv_node_input (node, 0);

    /* an output keeps its own name, and an input that is an output its copy */
    if (!does_nothing (node)
        || (node->outputs[0]->is_output
            && (in->is_input || in->is_output || in->constant)))
      continue;
    fv_ir_replace_value (ir, node->outputs[0], in);
    fv_ir_remove_node (ir, node);
    i--;
    changes++;
  }
  return changes;
}

static void
append_attr (GString *key, const FvAttr *attr)
{
  g_string_append_printf (key, "|%s=%" G_GINT64_FORMAT ",%a,%s", attr->name,
      attr->i, attr->f, attr->s ? attr->s : "");
  for (guint i = 0; i < attr->n && attr->ints; i++)
    g_string_append_printf (key, ",%" G_GINT64_FORMAT, attr->ints[i]);
  for (guint i = 0; i < attr->n && attr->floats; i++)
    g_string_append_printf (key, ",%a", attr->floats[i]);
  if (attr->tensor || attr->strings || attr->graph)
    g_string_append_printf (key, ",%p", (gconstpointer) attr);
}

static char *
node_key (const FvNode *node)
{
  GString *key = g_string_new (node->op->name);

  g_string_append_printf (key, "#%u", node->op->since);
  for (guint i = 0; i < node->n_inputs; i++)
    g_string_append_printf (key, ":%p", (gpointer) node->inputs[i]);
  for (guint i = 0; i < node->n_attrs; i++)
    append_attr (key, &node->attrs[i]);
  return g_string_free (key, FALSE);
}

static guint
merge_constants (FvIr *ir)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_bytes_hash,
      g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);
  guint changes = 0;

  for (guint i = 0; i < ir->values->len; i++) {
    FvValue *value = ir->values->pdata[i], *first;
    g_autoptr (GByteArray) key = NULL;
    g_autoptr (GBytes) bytes = NULL;

    if (!value->constant || !value->users->len || value->is_output
        || value->constant->size > SMALL_CONSTANT)
      continue;
    key = g_byte_array_new ();
    g_byte_array_append (key, (guint8 *) &value->type, sizeof value->type);
    g_byte_array_append (key, (guint8 *) &value->constant->type,
        sizeof value->type);
    g_byte_array_append (key, (guint8 *) &value->shape.rank, sizeof (guint));
    g_byte_array_append (key, (guint8 *) value->shape.dims,
        value->shape.rank * sizeof (gint64));
    g_byte_array_append (key, value->constant->data, value->constant->size);
    bytes = g_byte_array_free_to_bytes (g_steal_pointer (&key));
    if ((first = g_hash_table_lookup (seen, bytes))) {
      fv_ir_replace_value (ir, value, first);
      changes++;
    } else
      g_hash_table_insert (seen, g_steal_pointer (&bytes), value);
  }
  return changes;
}

gint
fv_pass_common (FvIr *ir, GError **error)
{
  g_autoptr (GHashTable) seen =
      g_hash_table_new_full (fv_name_hash, g_str_equal, g_free, NULL);
  gint changes = merge_constants (ir);

  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i], *first;
    g_autofree char *key = NULL;

    if (node->n_steps || node->n_outputs != 1 || node->outputs[0]->is_output)
      continue;
    key = node_key (node);
    if (!(first = g_hash_table_lookup (seen, key))) {
      g_hash_table_insert (seen, g_steal_pointer (&key), node);
      continue;
    }
    fv_ir_replace_value (ir, node->outputs[0], first->outputs[0]);
    fv_ir_remove_node (ir, node);
    i--;
    changes++;
  }
  return changes;
}

gint
fv_pass_dead (FvIr *ir, GError **error)
{
  gint changes = 0;

  for (guint i = 0; i < ir->values->len; i++) {
    FvValue *value = ir->values->pdata[i];

    if (!value->users->len && !value->is_output)
      g_clear_pointer (&value->constant, fv_array_unref);
  }
  for (gint i = (gint) ir->nodes->len - 1; i >= 0; i--) {
    FvNode *node = ir->nodes->pdata[i];
    gboolean used = FALSE;

    for (guint o = 0; o < node->n_outputs; o++)
      used |= node->outputs[o]
          && (node->outputs[o]->users->len || node->outputs[o]->is_output);
    if (!used) {
      fv_ir_remove_node (ir, node);
      changes++;
    }
  }
  return changes;
}
