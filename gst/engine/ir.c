/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/engine/ir-private.h"
#include "gst/engine/tail.h"

#include <string.h>

static void
value_free (gpointer data)
{
  FvValue *value = data;

  g_free (value->name);
  fv_array_unref (value->constant);
  g_ptr_array_unref (value->users);
  g_free (value);
}

static void
node_free (gpointer data)
{
  FvNode *node = data;

  fv_node_free_attrs (node);
  g_free (node->name);
  g_free (node->inputs);
  g_free (node->outputs);
  g_free (node);
}

FvIr *
fv_ir_new (const char *name)
{
  FvIr *ir = g_new0 (FvIr, 1);

  ir->name = g_strdup (name);
  ir->nodes = g_ptr_array_new ();
  ir->graveyard = g_ptr_array_new_with_free_func (node_free);
  ir->values = g_ptr_array_new_with_free_func (value_free);
  ir->inputs = g_ptr_array_new ();
  ir->outputs = g_ptr_array_new ();
  ir->memory_limit = (gsize) 4 << 30;
  ir->work_left = (guint64) 1 << 33;
  return ir;
}

void
fv_ir_free (FvIr *ir)
{
  if (!ir)
    return;
  for (guint i = 0; i < ir->nodes->len; i++)
    node_free (ir->nodes->pdata[i]);
  g_ptr_array_unref (ir->nodes);
  g_ptr_array_unref (ir->graveyard);
  g_ptr_array_unref (ir->values);
  g_ptr_array_unref (ir->inputs);
  g_ptr_array_unref (ir->outputs);
  fv_tail_free (ir->tail);
  g_free (ir->why);
  g_free (ir->name);
  g_free (ir);
}

FvValue *
fv_ir_add_value (FvIr *ir, const char *name, FvType type, const FvShape *shape)
{
  FvValue *value = g_new0 (FvValue, 1);

  value->name =
      name ? g_strdup (name) : g_strdup_printf ("value_%u", ir->values->len);
  value->type = type;
  if (shape)
    value->shape = *shape;
  value->users = g_ptr_array_new ();
  g_ptr_array_add (ir->values, value);
  return value;
}

FvValue *
fv_ir_add_constant (FvIr *ir, const char *name, FvArray *array)
{
  FvValue *value = fv_ir_add_value (ir, name, array->type, &array->shape);

  value->constant = fv_array_ref (array);
  return value;
}

FvNode *
fv_ir_add_node (FvIr *ir, const FvOp *op, const char *name, FvValue **inputs,
    guint n_inputs, FvValue **outputs, guint n_outputs)
{
  FvNode *node = g_new0 (FvNode, 1);

  node->ir = ir;
  node->op = op;
  node->origin = ir->origin;
  node->name = name ? g_strdup (name)
                    : g_strdup_printf ("%s_%u", op->name, ir->values->len);
  node->n_inputs = node->n_own_inputs = n_inputs;
  node->n_outputs = n_outputs;
  node->inputs = g_new0 (FvValue *, n_inputs + 1);
  node->outputs = g_new0 (FvValue *, n_outputs + 1);
  for (guint i = 0; i < n_inputs; i++)
    fv_node_set_input (node, i, inputs[i]);
  for (guint i = 0; i < n_outputs; i++)
    if ((node->outputs[i] = outputs[i]))
      outputs[i]->producer = node;
  fv_node_default_attrs (node);
  g_ptr_array_add (ir->nodes, node);
  return node;
}

void
fv_ir_place_after (FvIr *ir, FvNode *node, FvNode *after)
{
  guint at = 0;

  g_ptr_array_remove (ir->nodes, node);
  if (after && g_ptr_array_find (ir->nodes, after, &at))
    at++;
  g_ptr_array_insert (ir->nodes, at, node);
}

static void
drop_use (FvValue *value, FvNode *node)
{
  if (value)
    g_ptr_array_remove (value->users, node);
}

void
fv_ir_remove_node (FvIr *ir, FvNode *node)
{
  for (guint i = 0; i < node->n_inputs; i++) {
    drop_use (node->inputs[i], node);
    node->inputs[i] = NULL;
  }
  for (guint i = 0; i < node->n_outputs; i++)
    if (node->outputs[i] && node->outputs[i]->producer == node)
      node->outputs[i]->producer = NULL;
  g_ptr_array_remove (ir->nodes, node);
  g_ptr_array_add (ir->graveyard, node);
}

void
fv_node_set_input (FvNode *node, guint i, FvValue *value)
{
  drop_use (node->inputs[i], node);
  node->inputs[i] = value;
  if (value)
    g_ptr_array_add (value->users, node);
}

guint
fv_node_add_input (FvNode *node, FvValue *value)
{
  guint i = node->n_inputs++;

  node->inputs = g_renew (FvValue *, node->inputs, node->n_inputs + 1);
  node->inputs[i] = NULL;
  fv_node_set_input (node, i, value);
  return i;
}

void
fv_ir_replace_value (FvIr *ir, FvValue *from, FvValue *to)
{
  while (from->users->len) {
    FvNode *user = from->users->pdata[0];

    for (guint i = 0; i < user->n_inputs; i++)
      if (user->inputs[i] == from)
        fv_node_set_input (user, i, to);
  }
  for (guint i = 0; i < ir->outputs->len; i++)
    if (ir->outputs->pdata[i] == from) {
      ir->outputs->pdata[i] = to;
      if (!to->is_output && !to->is_input) { /* outputs keep their names */
        g_free (to->name);
        to->name = g_strdup (from->name);
        to->declared = from->declared;
      }
      to->is_output = TRUE;
      from->is_output = FALSE;
    }
}

FvValue *
fv_node_input (const FvNode *node, guint i)
{
  return i < node->n_inputs ? node->inputs[i] : NULL;
}

FvArray *
fv_node_constant (const FvNode *node, guint i)
{
  FvValue *value = fv_node_input (node, i);

  return value ? value->constant : NULL;
}

FvArray *
fv_node_constant_ints (const FvNode *node, guint i, GError **error)
{
  FvArray *array = fv_node_constant (node, i);

  if (!array) {
    gboolean given = fv_node_input (node, i) != NULL;

    fv_node_fail (node, error, given ? FV_ERROR_DYNAMIC : FV_ERROR_MALFORMED,
        "input %u %s", i,
        given ? "depends on the data, and with it the result's shape"
              : "is absent");
    return NULL;
  }
  return fv_array_convert (array, FV_TYPE_I64, error);
}

gboolean
fv_node_fail (const FvNode *node, GError **error, FvError code,
    const char *format, ...)
{
  g_autoptr (GString) shapes = g_string_new (NULL);
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  for (guint i = 0; i < node->n_inputs; i++) {
    FvValue *value = node->inputs[i];
    g_autofree char *shape =
        value ? fv_shape_to_string (&value->shape) : g_strdup ("absent");

    g_string_append_printf (shapes, "%s%s%s", i ? ", " : "",
        value ? fv_type_name (value->type) : "", shape);
  }
  g_set_error (error, FV_ERROR, code,
      "%s: node '%s' (%s, opset %u; inputs %s): %s", node->ir->name, node->name,
      node->op->name, node->opset, shapes->str, message);
  g_free (node->ir->why);
  node->ir->why = g_steal_pointer (&message);
  return FALSE;
}

gboolean
fv_node_axis (const FvNode *node, gint64 axis, guint rank, guint *result,
    GError **error)
{
  if (axis < -(gint64) rank || axis >= (gint64) MAX (rank, 1))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "axis %" G_GINT64_FORMAT " is outside of a tensor of rank %u", axis,
        rank);
  *result = axis < 0 ? axis + rank : axis;
  return TRUE;
}

gboolean
fv_node_broadcast (const FvNode *node, const FvShape *a, const FvShape *b,
    FvShape *result, GError **error)
{
  result->rank = MAX (a->rank, b->rank);
  for (guint i = 0; i < result->rank; i++) {
    gint64 x = i < a->rank ? a->dims[a->rank - 1 - i] : 1;
    gint64 y = i < b->rank ? b->dims[b->rank - 1 - i] : 1;

    if (x != y && x != 1 && y != 1) {
      g_autofree char *as = fv_shape_to_string (a);
      g_autofree char *bs = fv_shape_to_string (b);

      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "%s and %s cannot be broadcast together", as, bs);
    }
    result->dims[result->rank - 1 - i] = x == 1 ? y : x;
  }
  return TRUE;
}

gboolean
fv_infer_same (FvNode *node, GError **error)
{
  node->outputs[0]->type = node->inputs[0]->type;
  node->outputs[0]->shape = node->inputs[0]->shape;
  return TRUE;
}

const FvOp *
fv_op_find (const char *name, guint opset, gboolean *known)
{
  const FvOp *best = NULL;

  if (known)
    *known = FALSE;
  for (guint t = 0; fv_op_tables[t]; t++)
    for (const FvOp *op = fv_op_tables[t]; op->name; op++) {
      if (strcmp (op->name, name))
        continue;
      if (known)
        *known = TRUE;
      if (op->since <= opset && (!op->until || opset <= op->until)
          && (!best || op->since > best->since))
        best = op;
    }
  return best;
}

void
fv_type_range (FvType type, gint64 *low, gint64 *high)
{
  gint64 steps = (gint64) 1 << 8 * fv_type_size (type);
  gboolean has_sign = type == FV_TYPE_I8 || type == FV_TYPE_I16;

  *low = has_sign ? -steps / 2 : 0;
  *high = *low + steps - 1;
}

gboolean
fv_value_is_integer (const FvValue *value)
{
  return !fv_type_is_float (value->type) && value->type != FV_TYPE_BOOL;
}

gboolean
fv_node_check_integers (const FvNode *node, const FvValue *value,
    GError **error)
{
  const FvArray *array = value->constant;

  for (gint64 i = 0; array && fv_value_is_integer (value) && i < array->count;
       i++) {
    gint64 number = fv_array_get_int (array, i);

    if (number > FV_INTEGER_LIMIT || number < -FV_INTEGER_LIMIT)
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "its input '%s' holds %" G_GINT64_FORMAT
          "; integers on the device are exact up to %d",
          value->name, number, FV_INTEGER_LIMIT);
  }
  return TRUE;
}
