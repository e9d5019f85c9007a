/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/engine/tail.h"
#include "gst/onnx/names.h"

#include <string.h>

static void
input_clear (gpointer data)
{
  FvTailInput *input = data;

  g_clear_pointer (&input->constant, fv_array_unref);
}

FvTail *
fv_tail_new (FvModel *model)
{
  FvTail *tail = g_new0 (FvTail, 1);

  tail->model = fv_model_ref (model);
  tail->nodes = g_array_new (FALSE, FALSE, sizeof (guint));
  tail->names = g_hash_table_new (fv_name_hash, g_str_equal);
  tail->inputs = g_array_new (FALSE, FALSE, sizeof (FvTailInput));
  g_array_set_clear_func (tail->inputs, input_clear);
  tail->outputs = g_array_new (FALSE, FALSE, sizeof (gint));
  return tail;
}

void
fv_tail_free (FvTail *tail)
{
  if (!tail)
    return;
  g_array_unref (tail->nodes);
  g_hash_table_unref (tail->names);
  g_array_unref (tail->inputs);
  g_array_unref (tail->outputs);
  fv_model_unref (tail->model);
  g_free (tail);
}

/* Names that @node reads: its inputs, and in branches all that they read. */
static void
visit_node (const FvModelNode *node, FvTailVisit visit, gpointer data)
{
  for (guint i = 0; i < node->n_inputs; i++)
    if (*node->inputs[i])
      visit (node->inputs[i], data);
  for (guint a = 0; a < node->n_attrs; a++) {
    const FvModelGraph *graph = node->attrs[a].graph;

    for (guint i = 0; graph && i < graph->n_nodes; i++)
      visit_node (&graph->nodes[i], visit, data);
    for (guint i = 0; graph && i < graph->n_outputs; i++)
      visit (graph->outputs[i].name, data);
  }
}

void
fv_tail_visit (FvTail *tail, FvTailVisit visit, gpointer data)
{
  for (guint i = 0; i < tail->nodes->len; i++)
    visit_node (
        &tail->model->graph->nodes[g_array_index (tail->nodes, guint, i)],
        visit, data);
}

typedef struct
{
  FvTail *tail;
  gboolean found;
} Search;

static void
search (const char *name, gpointer data)
{
  Search *s = data;

  s->found |= g_hash_table_contains (s->tail->names, name);
}

/* Inputs on whose values the shape of a result depends: all (-1), or one. */
static gboolean
has_open_shape (const FvModelNode *node, FvTailKnown is_known, gpointer data)
{
  static const struct
  {
    const char *op_type;
    gint input;
  } rows[] = { { "NonZero", -1 }, { "NonMaxSuppression", -1 },
    { "Compress", -1 }, { "TopK", 1 }, { "If", 0 } };

  for (guint r = 0; !*node->domain && r < G_N_ELEMENTS (rows); r++)
    for (guint i = 0; i < node->n_inputs; i++)
      if (!strcmp (node->op_type, rows[r].op_type) && *node->inputs[i]
          && (rows[r].input < 0 || rows[r].input == (gint) i)
          && !is_known (node->inputs[i], data))
        return TRUE;
  return FALSE;
}

gboolean
fv_tail_wants (FvTail *tail, const FvModelNode *node, FvTailKnown is_known,
    gpointer data)
{
  Search s = { tail, FALSE };

  if (g_hash_table_size (tail->names))
    visit_node (node, search, &s);
  return s.found || has_open_shape (node, is_known, data);
}

static gboolean
is_light (FvTail *tail, const FvModelNode *node, GError **error)
{
  static const char *const heavy[] = { "Conv", "ConvTranspose", "DeformConv",
    "MatMul", "Gemm", "Einsum", "Attention" };

  for (guint i = 0; i < G_N_ELEMENTS (heavy); i++)
    if (!strcmp (node->op_type, heavy[i])) {
      g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
          "%s: node '%s' (%s): stands behind an operator whose shape depends "
          "on the data; the host does not take it",
          tail->model->path ? tail->model->path : "model", node->name,
          node->op_type);
      return FALSE;
    }
  for (guint a = 0; a < node->n_attrs; a++) {
    const FvModelGraph *graph = node->attrs[a].graph;

    for (guint i = 0; graph && i < graph->n_nodes; i++)
      if (!is_light (tail, &graph->nodes[i], error))
        return FALSE;
  }
  return TRUE;
}

gboolean
fv_tail_add (FvTail *tail, guint i, GError **error)
{
  const FvModelNode *node = &tail->model->graph->nodes[i];

  g_array_append_val (tail->nodes, i);
  for (guint o = 0; o < node->n_outputs; o++)
    if (*node->outputs[o])
      g_hash_table_add (tail->names, node->outputs[o]);
  return is_light (tail, node, error);
}
