/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/engine/tail.h"
#include "gst/onnx/names.h"

#include <string.h>

static void
node_clear (gpointer data)
{
  g_free (((FvTailNode *) data)->reason);
}

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
  tail->nodes = g_array_new (FALSE, FALSE, sizeof (FvTailNode));
  g_array_set_clear_func (tail->nodes, node_clear);
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

void
fv_tail_visit_node (const FvModelNode *node, FvTailVisit visit, gpointer data)
{
  for (guint i = 0; i < node->n_inputs; i++)
    if (*node->inputs[i])
      visit (node->inputs[i], data);
  for (guint a = 0; a < node->n_attrs; a++) {
    const FvModelGraph *graph = node->attrs[a].graph;

    for (guint i = 0; graph && i < graph->n_nodes; i++)
      fv_tail_visit_node (&graph->nodes[i], visit, data);
    for (guint i = 0; graph && i < graph->n_outputs; i++)
      visit (graph->outputs[i].name, data);
  }
}

void
fv_tail_visit (FvTail *tail, FvTailVisit visit, gpointer data)
{
  for (guint i = 0; i < tail->nodes->len; i++)
    fv_tail_visit_node (fv_tail_node (tail, i), visit, data);
}

static const FvTailNode *
get (const FvTail *tail, guint i)
{
  return &g_array_index (tail->nodes, FvTailNode, i);
}

const FvModelNode *
fv_tail_node (const FvTail *tail, guint i)
{
  return &tail->model->graph->nodes[get (tail, i)->index];
}

char *
fv_tail_reason (const FvTail *tail, guint i)
{
  guint root = get (tail, i)->root;

  return root == i
      ? g_strdup (get (tail, i)->reason)
      : g_strdup_printf ("behind '%s'", fv_tail_node (tail, root)->name);
}

typedef struct
{
  FvTail *tail;
  gboolean found;
  guint root;
} Search;

static void
search (const char *name, gpointer data)
{
  Search *s = data;
  gpointer root;

  if (!s->found
      && g_hash_table_lookup_extended (s->tail->names, name, NULL, &root)) {
    s->root = GPOINTER_TO_UINT (root);
    s->found = TRUE;
  }
}

/* (nullable) The node that the host does not take: @node or one in its branches. */
static const FvModelNode *
find_heavy (const FvModelNode *node)
{
  static const char *const heavy[] = { "Conv", "ConvTranspose", "ConvInteger",
    "QLinearConv", "DeformConv", "MatMul", "MatMulInteger", "QLinearMatMul",
    "Gemm", "Einsum", "Attention" };

  for (guint i = 0; i < G_N_ELEMENTS (heavy); i++)
    if (!strcmp (node->op_type, heavy[i]))
      return node;
  for (guint a = 0; a < node->n_attrs; a++) {
    const FvModelGraph *graph = node->attrs[a].graph;

    for (guint i = 0; graph && i < graph->n_nodes; i++) {
      const FvModelNode *found = find_heavy (&graph->nodes[i]);

      if (found)
        return found;
    }
  }
  return NULL;
}

static gboolean
refuse (const FvTail *tail, const FvModelNode *node, guint root, GError **error)
{
  const FvModelNode *begins = fv_tail_node (tail, root);
  const char *file = tail->model->path ? tail->model->path : "model";

  if (begins == node)
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "%s: node '%s' (%s): %s", file, node->name, node->op_type,
        get (tail, root)->reason);
  else
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "%s: node '%s' (%s): the host would have to compute it, as it does from "
        "node '%s' (%s) on: %s",
        file, node->name, node->op_type, begins->name, begins->op_type,
        get (tail, root)->reason);
  return FALSE;
}

gboolean
fv_tail_add (FvTail *tail, guint i, const char *reason, gboolean *added,
    GError **error)
{
  const FvModelNode *node = &tail->model->graph->nodes[i], *heavy;
  FvTailNode entry = { .index = i };
  Search s = { tail, FALSE, tail->nodes->len };

  if (g_hash_table_size (tail->names))
    fv_tail_visit_node (node, search, &s);
  *added = s.found || reason;
  if (!*added)
    return TRUE;
  entry.root = s.root;
  if (!s.found)
    entry.reason = g_strdup (reason);
  g_array_append_val (tail->nodes, entry);
  for (guint o = 0; o < node->n_outputs; o++)
    if (*node->outputs[o])
      g_hash_table_insert (tail->names, node->outputs[o],
          GUINT_TO_POINTER (s.root));
  heavy = find_heavy (node);
  return !heavy || refuse (tail, heavy, s.root, error);
}
