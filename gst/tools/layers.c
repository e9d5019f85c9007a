/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a model goes wrong. Results inside of the model are read by declaring
 * them as outputs; a fused node has none, so where this hides the error each
 * candidate is declared alone and the first bad one found by bisection. */
#include "gst/tools/layers.h"

#include <string.h>

typedef struct
{
  const FvModelNode *node;
  const char *name;
  guint output; /* its index among the extended model's outputs */
} Layer;

typedef struct
{
  Tool *tool;
  const FvModel *model;
  const FvShape *shapes;
  const DataSet *set;
  FvType precision;
  GArray *layers;
  guint n_outputs;
  FvArray **expected; /* by the references */
  FvArray **rounded; /* (nullable) by references that round to f16 */
} Search;

/* Runs the model with the layers from @first on, @n of them, as outputs behind
 * its own. (transfer full): n_outputs + n arrays */
static FvArray **
run_with (Search *search, FvDevice *device, FvType precision, guint first,
    guint n, FvType *used, GError **error)
{
  FvModelGraph graph = *search->model->graph;
  FvModel model = *search->model;
  guint n_all = graph.n_outputs;
  g_autofree FvValueInfo *outputs = g_new0 (FvValueInfo, graph.n_outputs + n);
  memcpy (outputs, graph.outputs, graph.n_outputs * sizeof *outputs);
  for (guint i = first; i < first + n; i++) {
    const Layer *layer = &g_array_index (search->layers, Layer, i);
    if (layer->output >= graph.n_outputs)
      outputs[n_all++].name = (char *) layer->name;
  }
  graph.outputs = outputs;
  graph.n_outputs = n_all;
  model.graph = &graph;
  FvGraphOptions options = tool_options (search->tool, &model, search->shapes);
  options.precision = precision;
  g_autoptr (FvGraph) compiled = fv_graph_new (device, &model, &options, error);
  if (compiled == NULL)
    return NULL;
  *used = fv_graph_precision (compiled);
  FvArray **arrays = g_new0 (FvArray *, n_all + 1);
  if (fv_graph_run (compiled, search->set->inputs, arrays, error))
    return arrays;
  free_arrays (arrays, n_all);
  return NULL;
}

static void
list_layers (Search *search)
{
  const FvModelGraph *graph = search->model->graph;
  search->n_outputs = graph->n_outputs;
  for (guint i = 0; i < graph->n_nodes; i++)
    for (guint k = 0; k < graph->nodes[i].n_outputs; k++) {
      Layer layer = { &graph->nodes[i], graph->nodes[i].outputs[k], 0 };
      if (layer.name[0] == '\0')
        continue;
      while (layer.output < graph->n_outputs
          && strcmp (graph->outputs[layer.output].name, layer.name) != 0)
        layer.output++;
      if (layer.output == graph->n_outputs)
        layer.output = search->n_outputs++;
      g_array_append_val (search->layers, layer);
    }
}

/* TRUE where @got, layer @i's result on the device, is good. */
static gboolean
judge (Search *search, guint i, const FvArray *got, BadLayer *bad)
{
  const Layer *layer = &g_array_index (search->layers, Layer, i);
  const FvArray *expected = search->expected[layer->output];
  double tolerance =
      search->precision == FV_TYPE_F16 ? TOLERANCE_F16 : TOLERANCE_F32;
  compare_arrays (got, expected, tolerance, &bad->comparison);
  if (!bad->comparison.passed && search->rounded != NULL) {
    Comparison allowed;
    compare_arrays (search->rounded[layer->output], expected, tolerance,
        &allowed);
    if (2 * allowed.error > tolerance)
      compare_arrays (got, expected, 2 * allowed.error, &bad->comparison);
  }
  if (bad->comparison.passed)
    return TRUE;
  bad->node = layer->node->name;
  bad->op_type = layer->node->op_type;
  bad->value = layer->name;
  return FALSE;
}

/* Layer @i declared alone. @good: (out). */
static gboolean
try_alone (Search *search, guint i, gboolean *good, BadLayer *bad,
    GError **error)
{
  const Layer *layer = &g_array_index (search->layers, Layer, i);
  guint own = search->model->graph->n_outputs;
  FvType used;
  FvArray **arrays = run_with (search, search->tool->device,
      search->tool->precision, i, 1, &used, error);
  if (arrays == NULL)
    return FALSE;
  guint output = MIN (layer->output, own);
  *good = judge (search, i, arrays[output], bad);
  free_arrays (arrays, own + (layer->output >= own));
  return TRUE;
}

static gboolean
bisect (Search *search, BadLayer *bad, GError **error)
{
  guint low = 0, high = search->layers->len;
  while (low < high) {
    guint middle = (low + high) / 2;
    BadLayer tried = { 0 };
    gboolean good;
    if (!try_alone (search, middle, &good, &tried, error))
      return FALSE;
    if (good) {
      low = middle + 1;
    } else {
      high = middle;
      *bad = tried;
    }
  }
  bad->only_fused = TRUE;
  return TRUE;
}

static gboolean
search_all (Search *search, BadLayer *bad, GError **error)
{
  guint n = search->layers->len;
  FvType used;
  search->expected = run_with (search, NULL, FV_TYPE_F32, 0, n, &used, error);
  if (search->expected == NULL)
    return FALSE;
  FvArray **got = run_with (search, search->tool->device,
      search->tool->precision, 0, n, &search->precision, error);
  if (got == NULL)
    return FALSE;
  if (search->precision == FV_TYPE_F16)
    search->rounded = run_with (search, NULL, FV_TYPE_F16, 0, n, &used, error);
  gboolean good = TRUE;
  for (guint i = 0; good && i < n; i++)
    good = judge (search, i,
        got[g_array_index (search->layers, Layer, i).output], bad);
  free_arrays (got, search->n_outputs);
  if (search->precision == FV_TYPE_F16 && search->rounded == NULL)
    return FALSE;
  return good ? bisect (search, bad, error) : TRUE;
}

gboolean
find_bad_layer (Tool *tool, FvModel *model, const FvShape *shapes,
    const DataSet *set, BadLayer *bad, GError **error)
{
  Search search = {
    .tool = tool,
    .model = model,
    .shapes = shapes,
    .set = set,
    .layers = g_array_new (FALSE, FALSE, sizeof (Layer)),
  };
  *bad = (BadLayer){ 0 };
  list_layers (&search);
  gboolean done = search_all (&search, bad, error);
  free_arrays (search.expected, search.n_outputs);
  free_arrays (search.rounded, search.n_outputs);
  g_array_unref (search.layers);
  return done;
}
