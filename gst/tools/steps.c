/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Quantised nets step by step. On the device all that QuantizeLinear gives is
 * declared as outputs. Then the references run a model that takes these integers
 * as inputs and gives its own under other names, so that no rounding that
 * turned is counted more than once. */
#include "gst/tools/steps.h"

#include <string.h>

typedef struct
{
  Tool *tool;
  const FvModel *model;
  const FvShape *shapes;
  const DataSet *set;
  GArray *nodes; /* guint: which are QuantizeLinear */
} Steps;

gboolean
is_quantized_folder (const char *folder)
{
  g_autofree char *path = g_canonicalize_filename (folder, NULL);
  return g_str_has_suffix (path, "_int8");
}

static const FvModelNode *
step_node (const Steps *steps, guint i)
{
  return &steps->model->graph->nodes[g_array_index (steps->nodes, guint, i)];
}

/* A result that is none, or an output of the net already, is left to the
 * comparison of outputs. */
static void
list_nodes (Steps *steps)
{
  const FvModelGraph *graph = steps->model->graph;
  for (guint i = 0; i < graph->n_nodes; i++) {
    const FvModelNode *node = &graph->nodes[i];
    gboolean is_output = FALSE;
    if (strcmp (node->op_type, "QuantizeLinear") != 0 || node->n_outputs != 1)
      continue;
    for (guint k = 0; k < graph->n_outputs; k++)
      is_output |= strcmp (graph->outputs[k].name, node->outputs[0]) == 0;
    if (!is_output)
      g_array_append_val (steps->nodes, i);
  }
}

static FvArray **
run (FvGraph *graph, FvArray *const *inputs, GError **error)
{
  guint n = fv_graph_n_outputs (graph);
  FvArray **arrays = g_new0 (FvArray *, n + 1);
  if (fv_graph_run (graph, inputs, arrays, error))
    return arrays;
  free_arrays (arrays, n);
  return NULL;
}

/* (transfer full): one array per step */
static FvArray **
run_device (const Steps *steps, GError **error)
{
  FvModelGraph graph = *steps->model->graph;
  FvModel model = *steps->model;
  guint n = steps->nodes->len;
  g_autofree FvValueInfo *outputs = g_new0 (FvValueInfo, n);
  for (guint i = 0; i < n; i++)
    outputs[i].name = step_node (steps, i)->outputs[0];
  graph.outputs = outputs;
  graph.n_outputs = n;
  model.graph = &graph;
  FvGraphOptions options = { .precision = FV_TYPE_F32,
    .shapes = steps->shapes,
    .n_shapes = graph.n_inputs,
    .slots = 1 };
  g_autoptr (FvGraph) compiled =
      fv_graph_new (steps->tool->device, &model, &options, error);
  return compiled ? run (compiled, steps->set->inputs, error) : NULL;
}

/* The same through the references, each step from the @got before it. */
static FvArray **
run_references (const Steps *steps, FvArray **got, GError **error)
{
  FvModelGraph graph = *steps->model->graph;
  FvModel model = *steps->model;
  guint n = steps->nodes->len, n_all = graph.n_inputs + n;
  g_autofree FvModelNode *nodes =
      g_memdup2 (graph.nodes, graph.n_nodes * sizeof *nodes);
  g_autofree FvValueInfo *inputs = g_new0 (FvValueInfo, n_all);
  g_autofree FvValueInfo *outputs = g_new0 (FvValueInfo, n);
  g_autofree FvShape *shapes = g_new0 (FvShape, n_all);
  g_autofree FvArray **arrays = g_new0 (FvArray *, n_all);
  memcpy (inputs, graph.inputs, graph.n_inputs * sizeof *inputs);
  memcpy (shapes, steps->shapes, graph.n_inputs * sizeof *shapes);
  memcpy (arrays, steps->set->inputs, graph.n_inputs * sizeof *arrays);
  for (guint i = 0; i < n; i++) {
    FvModelNode *node = &nodes[g_array_index (steps->nodes, guint, i)];
    guint to = graph.n_inputs + i;
    inputs[to] = (FvValueInfo){ .name = node->outputs[0],
      .type = got[i]->type,
      .has_shape = TRUE,
      .shape = got[i]->shape };
    shapes[to] = got[i]->shape;
    arrays[to] = got[i];
    outputs[i].name = g_strconcat (node->outputs[0], " again", NULL);
    node->outputs = &outputs[i].name;
  }
  graph.nodes = nodes;
  graph.inputs = inputs;
  graph.n_inputs = n_all;
  graph.outputs = outputs;
  graph.n_outputs = n;
  model.graph = &graph;
  FvGraphOptions options = { .precision = FV_TYPE_F32,
    .shapes = shapes,
    .n_shapes = n_all };
  g_autoptr (FvGraph) references = fv_graph_new (NULL, &model, &options, error);
  FvArray **want = references ? run (references, arrays, error) : NULL;
  g_clear_pointer (&references, fv_graph_unref); /* has the names */
  for (guint i = 0; i < n; i++)
    g_free (outputs[i].name);
  return want;
}

static void
judge (const Steps *steps, FvArray **got, FvArray **want, const char **node,
    Comparison *result)
{
  for (guint i = 0; i < steps->nodes->len; i++) {
    Comparison one;
    compare_quantized (got[i], want[i], &one);
    if (*node == NULL || one.error > result->error) {
      *node = step_node (steps, i)->name;
      *result = one;
    }
  }
}

gboolean
compare_steps (Tool *tool, const FvModel *model, const FvShape *shapes,
    const DataSet *set, const char **node, Comparison *result, GError **error)
{
  Steps steps = { tool, model, shapes, set,
    g_array_new (FALSE, FALSE, sizeof (guint)) };
  *node = NULL;
  *result = (Comparison){ .passed = TRUE, .measure = "steps", .tolerance = 1 };
  list_nodes (&steps);
  guint n = steps.nodes->len;
  FvArray **got = n ? run_device (&steps, error) : NULL;
  FvArray **want = got ? run_references (&steps, got, error) : NULL;
  if (want != NULL)
    judge (&steps, got, want, node, result);
  gboolean done = n == 0 || want != NULL;
  free_arrays (got, n);
  free_arrays (want, n);
  g_array_unref (steps.nodes);
  return done;
}
