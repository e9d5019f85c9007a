/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/card-maker.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static FvType
parse_type (const char *name)
{
  for (guint type = FV_TYPE_F32; type <= FV_TYPE_BOOL; type++)
    if (strcmp (fv_type_name (type), name) == 0)
      return type;
  ck_abort_msg ("no type '%s'", name);
  return FV_TYPE_NONE;
}

/* @text is cut into pieces. */
static void
parse_value (char *text, FvValueInfo *value, char **producer)
{
  char *equals = strchr (text, '='), *open = strchr (text, '[');
  char *close = strchr (text, ']');

  ck_assert (equals != NULL && open != NULL && close != NULL);
  *producer = close[1] == '<' ? g_strdup (close + 2) : NULL;
  *equals = *open = *close = '\0';
  value->name = g_strdup (text);
  value->type = parse_type (equals + 1);
  value->has_shape = open[1] != '\0';
  if (!value->has_shape)
    return;
  g_auto (GStrv) sizes = g_strsplit (open + 1, ",", FV_MAX_RANK);
  value->shape.rank = g_strv_length (sizes);
  for (guint i = 0; i < value->shape.rank; i++)
    value->shape.dims[i] = sizes[i][0] == '?' ? -1 : atoi (sizes[i]);
}

static FvValueInfo *
parse_values (const char *text, guint *n, char ***producers)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  FvValueInfo *values;

  *n = *text ? g_strv_length (words) : 0;
  values = g_new0 (FvValueInfo, MAX (1, *n));
  *producers = g_new0 (char *, *n + 1);
  for (guint i = 0; i < *n; i++)
    parse_value (words[i], &values[i], &(*producers)[i]);
  return values;
}

FvModel *
card_maker_model (const char *inputs, const char *outputs,
    const char *const *metadata)
{
  FvModel *model = g_new0 (FvModel, 1);
  FvModelGraph *graph = model->graph = g_new0 (FvModelGraph, 1);
  char **producers;

  model->metadata = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; metadata != NULL && metadata[i] != NULL; i += 2)
    g_hash_table_insert (model->metadata, (gpointer) metadata[i],
        (gpointer) metadata[i + 1]);
  graph->inputs = parse_values (inputs, &graph->n_inputs, &producers);
  g_strfreev (producers);
  graph->outputs = parse_values (outputs, &graph->n_outputs, &producers);
  graph->nodes = g_new0 (FvModelNode, MAX (1, graph->n_outputs));
  for (guint i = 0; i < graph->n_outputs; i++) {
    FvModelNode *node = &graph->nodes[i];
    node->op_type = producers[i] ? producers[i] : g_strdup ("Conv");
    node->n_outputs = 1;
    node->outputs = g_new0 (char *, 2);
    node->outputs[0] = g_strdup (graph->outputs[i].name);
  }
  graph->n_nodes = graph->n_outputs;
  g_free (producers);
  return model;
}

void
card_maker_free (FvModel *model)
{
  FvModelGraph *graph = model->graph;

  for (guint i = 0; i < graph->n_inputs; i++)
    g_free (graph->inputs[i].name);
  for (guint i = 0; i < graph->n_outputs; i++)
    g_free (graph->outputs[i].name);
  for (guint i = 0; i < graph->n_nodes; i++) {
    g_free (graph->nodes[i].op_type);
    g_strfreev (graph->nodes[i].outputs);
  }
  g_free (graph->inputs);
  g_free (graph->outputs);
  g_free (graph->nodes);
  g_free (graph);
  g_hash_table_unref (model->metadata);
  g_free (model->path);
  g_free (model);
}
