/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Node order: some converters write consumers before producers. */
#include "gst/onnx/parse.h"

#include <stdlib.h>
#include <string.h>

typedef enum
{
  UNSEEN,
  OPEN, /* its producers are being placed */
  PLACED,
} State;

typedef struct
{
  FvParser *parser;
  FvModelGraph *graph;
  GHashTable *defined; /* name -> producing node's index + 1, 0: not a node */
  GHashTable **outer_uses;
  GHashTable *outer; /* (nullable) at depth 0 */
  char ***uses; /* of each node: names it needs; of other owners */
  guint *n_uses;
  State *states;
  guint *cursors; /* the use each open node has come to */
  guint *stack;
  guint n_stack;
  guint *order;
  guint n_order;
} Sorter;

static gboolean
define (Sorter *sorter, const char *name, guint producer, GError **error)
{
  gpointer other;
  if (!g_hash_table_lookup_extended (sorter->defined, name, NULL, &other)) {
    g_hash_table_insert (sorter->defined, (gpointer) name,
        GUINT_TO_POINTER (producer));
    return TRUE;
  }
  const char *by = "an input or initializer";
  if (GPOINTER_TO_UINT (other) > 0)
    by = sorter->graph->nodes[GPOINTER_TO_UINT (other) - 1].name;
  if (producer == 0)
    return fv_parser_fail (sorter->parser, error, FV_ERROR_MALFORMED,
        "the input or initializer '%s' stands there twice", name);
  return fv_parser_fail (sorter->parser, error, FV_ERROR_MALFORMED,
      "node '%s': its output '%s' is already written by %s",
      sorter->graph->nodes[producer - 1].name, name, by);
}

static gboolean
define_all (Sorter *sorter, GError **error)
{
  FvModelGraph *graph = sorter->graph;
  for (guint i = 0; i < graph->n_inputs; i++)
    if (!define (sorter, graph->inputs[i].name, 0, error))
      return FALSE;
  for (guint i = 0; i < graph->n_initializers; i++)
    if (!define (sorter, graph->initializers[i].name, 0, error))
      return FALSE;
  for (guint i = 0; i < graph->n_nodes; i++) {
    const FvModelNode *node = &graph->nodes[i];
    for (guint k = 0; k < node->n_outputs; k++)
      if (node->outputs[k][0] != '\0'
          && !define (sorter, node->outputs[k], i + 1, error))
        return FALSE;
  }
  return TRUE;
}

static int
compare_names (const void *a, const void *b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* What a node needs: its inputs, and what its subgraphs take from around. */
static gboolean
list_uses (Sorter *sorter, guint index, GError **error)
{
  const FvModelNode *node = &sorter->graph->nodes[index];
  GHashTable *around = sorter->outer_uses[index];
  gsize n = node->n_inputs + (around ? g_hash_table_size (around) : 0);
  char **uses = fv_parser_list (sorter->parser, n, sizeof *uses, error);
  if (uses == NULL)
    return FALSE;
  for (guint i = 0; i < node->n_inputs; i++)
    uses[i] = node->inputs[i];
  if (around != NULL) {
    guint n_around;
    g_autofree gpointer *names =
        g_hash_table_get_keys_as_array (around, &n_around);
    /* a table has another order in every process */
    qsort (names, n_around, sizeof *names, compare_names);
    for (guint i = 0; i < n_around; i++)
      uses[node->n_inputs + i] = names[i];
  }
  sorter->uses[index] = uses;
  sorter->n_uses[index] = n;
  return TRUE;
}

/* @producer: (out): index + 1 of the node that must come first; 0: none. */
static gboolean
resolve (Sorter *sorter, const FvModelNode *node, const char *name,
    guint *producer, GError **error)
{
  gpointer value;
  *producer = 0;
  if (name[0] == '\0')
    return TRUE;
  if (g_hash_table_lookup_extended (sorter->defined, name, NULL, &value)) {
    *producer = GPOINTER_TO_UINT (value);
    return TRUE;
  }
  if (sorter->outer != NULL) {
    g_hash_table_add (sorter->outer, g_strdup (name));
    return TRUE;
  }
  if (node == NULL)
    return fv_parser_fail (sorter->parser, error, FV_ERROR_MALFORMED,
        "the output '%s' is written by no node", name);
  return fv_parser_fail (sorter->parser, error, FV_ERROR_MALFORMED,
      "node '%s' (%s): its input '%s' is written by no node, and is no input "
      "or initializer",
      node->name, node->op_type, name);
}

/* Places @root behind all that it needs, with a stack of our own: chains are as
 * long as the file wants. */
static gboolean
place (Sorter *sorter, guint root, GError **error)
{
  sorter->stack[sorter->n_stack++] = root;
  sorter->states[root] = OPEN;
  while (sorter->n_stack > 0) {
    guint index = sorter->stack[sorter->n_stack - 1];
    const FvModelNode *node = &sorter->graph->nodes[index];
    if (sorter->cursors[index] == sorter->n_uses[index]) {
      sorter->states[index] = PLACED;
      sorter->order[sorter->n_order++] = index;
      sorter->n_stack--;
      continue;
    }
    const char *name = sorter->uses[index][sorter->cursors[index]++];
    guint producer;
    if (!resolve (sorter, node, name, &producer, error))
      return FALSE;
    if (producer == 0 || sorter->states[producer - 1] == PLACED)
      continue;
    if (sorter->states[producer - 1] == OPEN)
      return fv_parser_fail (sorter->parser, error, FV_ERROR_MALFORMED,
          "node '%s' (%s) stands in a cycle: it needs '%s', which is made from "
          "its own output",
          node->name, node->op_type, name);
    sorter->states[producer - 1] = OPEN;
    sorter->stack[sorter->n_stack++] = producer - 1;
  }
  return TRUE;
}

static gboolean
reorder (Sorter *sorter, GError **error)
{
  FvModelGraph *graph = sorter->graph;
  FvModelNode *nodes =
      fv_parser_list (sorter->parser, graph->n_nodes, sizeof *nodes, error);
  if (nodes == NULL)
    return FALSE;
  for (guint i = 0; i < graph->n_nodes; i++)
    nodes[i] = graph->nodes[sorter->order[i]];
  g_free (graph->nodes);
  graph->nodes = nodes;
  return TRUE;
}

static gboolean
sort (Sorter *sorter, GError **error)
{
  FvModelGraph *graph = sorter->graph;
  if (!define_all (sorter, error))
    return FALSE;
  for (guint i = 0; i < graph->n_nodes; i++)
    if (!list_uses (sorter, i, error))
      return FALSE;
  for (guint i = 0; i < graph->n_nodes; i++)
    if (sorter->states[i] == UNSEEN && !place (sorter, i, error))
      return FALSE;
  guint producer;
  for (guint i = 0; i < graph->n_outputs; i++)
    if (!resolve (sorter, NULL, graph->outputs[i].name, &producer, error))
      return FALSE;
  return reorder (sorter, error);
}

gboolean
fv_sort_graph (FvParser *parser, FvModelGraph *graph, GHashTable **outer_uses,
    GHashTable *outer, GError **error)
{
  guint n = graph->n_nodes;
  Sorter sorter = {
    .parser = parser,
    .graph = graph,
    .outer_uses = outer_uses,
    .outer = outer,
    .defined = g_hash_table_new (fv_name_hash, g_str_equal),
    .uses = fv_parser_list (parser, n, sizeof (char **), error),
  };
  gboolean done = FALSE;
  if (sorter.uses != NULL
      && (sorter.n_uses = fv_parser_list (parser, n, sizeof (guint), error))
      && (sorter.states = fv_parser_list (parser, n, sizeof (State), error))
      && (sorter.cursors = fv_parser_list (parser, n, sizeof (guint), error))
      && (sorter.stack = fv_parser_list (parser, n, sizeof (guint), error))
      && (sorter.order = fv_parser_list (parser, n, sizeof (guint), error)))
    done = sort (&sorter, error);
  for (guint i = 0; sorter.uses != NULL && i < n; i++)
    g_free (sorter.uses[i]);
  g_free (sorter.uses);
  g_free (sorter.n_uses);
  g_free (sorter.states);
  g_free (sorter.cursors);
  g_free (sorter.stack);
  g_free (sorter.order);
  g_hash_table_unref (sorter.defined);
  return done;
}
