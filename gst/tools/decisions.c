/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/tools/decisions.h"
#include "gst/tools/match.h"

#include <math.h>
#include <string.h>

struct _Decisions
{
  GPtrArray *nodes; /* FvModelNode * */
  GPtrArray *names; /* what they read and make, once each: of the model */
  guint n_outputs; /* of the model */
  gboolean *behind, *ranked; /* per output */
};

/* What is known of a name. */
enum
{
  DATA = 1 << 0, /* depends on the inputs */
  BEHIND = 1 << 1, /* a decision */
  RANKED = 1 << 2, /* one that ranks */
};

typedef struct
{
  const FvModel *model;
  GHashTable *names; /* char * -> GUINT_TO_POINTER of those, for all names */
  guint flags;
} Walk;

static gboolean
is_one_of (const FvModelNode *node, const char *const *types)
{
  return node->domain[0] == '\0' && g_strv_contains (types, node->op_type);
}

static gboolean
ranks (const FvModelNode *node)
{
  static const char *const types[] = { "TopK", "NonMaxSuppression", NULL };
  gboolean found = is_one_of (node, types);
  for (guint a = 0; a < node->n_attrs; a++) {
    const FvModelGraph *graph = node->attrs[a].graph;
    for (guint i = 0; graph != NULL && i < graph->n_nodes; i++)
      found |= ranks (&graph->nodes[i]);
  }
  return found;
}

/* Calls @visit with all names of the model that @node reads, in branches too. */
static void
visit_inputs (Walk *walk, const FvModelNode *node,
    void (*visit) (Walk *walk, const char *name, gpointer data), gpointer data)
{
  for (guint i = 0; i < node->n_inputs; i++)
    if (g_hash_table_contains (walk->names, node->inputs[i]))
      visit (walk, node->inputs[i], data);
  for (guint a = 0; a < node->n_attrs; a++) {
    const FvModelGraph *graph = node->attrs[a].graph;
    for (guint i = 0; graph != NULL && i < graph->n_nodes; i++)
      visit_inputs (walk, &graph->nodes[i], visit, data);
    for (guint i = 0; graph != NULL && i < graph->n_outputs; i++)
      if (g_hash_table_contains (walk->names, graph->outputs[i].name))
        visit (walk, graph->outputs[i].name, data);
  }
}

static void
gather_flags (Walk *walk, const char *name, gpointer data)
{
  walk->flags |= GPOINTER_TO_UINT (g_hash_table_lookup (walk->names, name));
}

/* Adds @name to the list, unless its value comes with the model. */
static void
add_name (Walk *walk, const char *name, gpointer data)
{
  Decisions *decisions = data;
  const FvModelGraph *graph = walk->model->graph;
  for (guint i = 0; i < graph->n_initializers; i++)
    if (strcmp (graph->initializers[i].name, name) == 0)
      return;
  for (guint i = 0; i < decisions->names->len; i++)
    if (strcmp (decisions->names->pdata[i], name) == 0)
      return;
  g_ptr_array_add (decisions->names, (gpointer) name);
}

static void
walk_node (Walk *walk, const FvModelNode *node, Decisions *decisions)
{
  static const char *const sizes[] = { "Shape", "Size", NULL };
  /* not NonZero: what it reads is decided already */
  static const char *const types[] = { "TopK", "NonMaxSuppression", "ArgMax",
    "ArgMin", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "If",
    NULL };
  walk->flags = 0;
  visit_inputs (walk, node, gather_flags, NULL);
  if (is_one_of (node, sizes))
    walk->flags &= ~DATA;
  if (walk->flags & DATA && is_one_of (node, types)) {
    walk->flags |= BEHIND | (ranks (node) ? RANKED : 0);
    g_ptr_array_add (decisions->nodes, (gpointer) node);
    visit_inputs (walk, node, add_name, decisions);
    for (guint i = 0; i < node->n_outputs; i++)
      if (node->outputs[i][0] != '\0')
        add_name (walk, node->outputs[i], decisions);
  }
  for (guint i = 0; i < node->n_outputs; i++)
    if (node->outputs[i][0] != '\0')
      g_hash_table_insert (walk->names, node->outputs[i],
          GUINT_TO_POINTER (walk->flags));
}

Decisions *
decisions_new (const FvModel *model)
{
  const FvModelGraph *graph = model->graph;
  Decisions *decisions = g_new0 (Decisions, 1);
  Walk walk = { model, g_hash_table_new (g_str_hash, g_str_equal), 0 };
  decisions->nodes = g_ptr_array_new ();
  decisions->names = g_ptr_array_new ();
  decisions->n_outputs = graph->n_outputs;
  decisions->behind = g_new0 (gboolean, graph->n_outputs + 1);
  decisions->ranked = g_new0 (gboolean, graph->n_outputs + 1);
  for (guint i = 0; i < graph->n_initializers; i++)
    g_hash_table_insert (walk.names, graph->initializers[i].name, NULL);
  for (guint i = 0; i < graph->n_inputs; i++)
    g_hash_table_insert (walk.names, graph->inputs[i].name,
        GUINT_TO_POINTER (DATA));
  for (guint i = 0; i < graph->n_nodes; i++)
    walk_node (&walk, &graph->nodes[i], decisions);
  for (guint i = 0; i < graph->n_outputs; i++) {
    walk.flags = 0;
    gather_flags (&walk, graph->outputs[i].name, NULL);
    decisions->behind[i] = (walk.flags & BEHIND) != 0;
    decisions->ranked[i] = (walk.flags & RANKED) != 0;
  }
  g_hash_table_unref (walk.names);
  return decisions;
}

void
decisions_free (Decisions *decisions)
{
  if (decisions == NULL)
    return;
  g_ptr_array_unref (decisions->nodes);
  g_ptr_array_unref (decisions->names);
  g_free (decisions->behind);
  g_free (decisions->ranked);
  g_free (decisions);
}

gboolean
decisions_lead_to (const Decisions *decisions, guint i)
{
  return decisions->behind[i];
}

void
decisions_match (const Decisions *decisions, FvArray *const *got,
    const DataSet *set, double tolerance, Comparison *results)
{
  guint n = 0;
  g_autofree guint *which = g_new (guint, set->n_outputs + 1);
  g_autofree FvArray **a = g_new0 (FvArray *, set->n_outputs + 1);
  g_autofree FvArray **b = g_new0 (FvArray *, set->n_outputs + 1);
  g_autofree FvArray **matched = g_new0 (FvArray *, set->n_outputs + 1);
  gboolean passed = TRUE;
  for (guint i = 0; i < set->n_outputs; i++) {
    if (!decisions->ranked[i])
      continue;
    passed = passed && results[i].passed;
    a[n] = got[i];
    b[n] = set->outputs[i];
    which[n++] = i;
  }
  if (passed || !match_rows (a, b, n, tolerance, matched))
    return;
  for (guint k = 0; k < n; k++) {
    compare_arrays (matched[k], b[k], tolerance, &results[which[k]]);
    results[which[k]].how = "rows matched";
    fv_array_unref (matched[k]);
  }
}

/* One comparison of a data set. */
typedef struct
{
  const Decisions *decisions;
  const FvGraphOptions *options;
  const FvModel *model;
  const DataSet *set;
  guint n; /* outputs of the model and names */
  FvArray **got; /* what the device has there */
  FvArray **expected; /* the references, from the device's decisions on */
  FvArray **rounded; /* (nullable) the same, rounding to f16 */
} Links;

/* Runs a graph of @nodes and @initializers. @with_names: what decisions read and
 * make is put out too. (transfer full): Links.n arrays */
static FvArray **
run_part (const Links *links, FvDevice *device, FvType precision,
    const FvModelGraph *part, GError **error)
{
  FvModel model = *links->model;
  FvModelGraph graph = *part;
  FvGraphOptions options = *links->options;
  options.precision = precision;
  options.shapes = graph.n_inputs > 0 ? options.shapes : NULL;
  options.n_shapes = graph.n_inputs;
  model.graph = &graph;
  g_autoptr (FvGraph) compiled = fv_graph_new (device, &model, &options, error);
  if (compiled == NULL)
    return NULL;
  FvArray **arrays = g_new0 (FvArray *, graph.n_outputs + 1);
  if (fv_graph_run (compiled, links->set->inputs, arrays, error))
    return arrays;
  free_arrays (arrays, graph.n_outputs);
  return NULL;
}

/* The model's outputs, and the names behind them. (transfer container) */
static FvValueInfo *
all_outputs (const Links *links)
{
  const FvModelGraph *graph = links->model->graph;
  FvValueInfo *outputs = g_new0 (FvValueInfo, links->n);
  memcpy (outputs, graph->outputs, graph->n_outputs * sizeof *outputs);
  for (guint i = graph->n_outputs; i < links->n; i++)
    outputs[i].name = links->decisions->names->pdata[i - graph->n_outputs];
  return outputs;
}

static gboolean
is_made_by (const FvModelNode *node, const char *name)
{
  for (guint i = 0; i < node->n_outputs; i++)
    if (strcmp (node->outputs[i], name) == 0)
      return TRUE;
  return FALSE;
}

/* (nullable) the decision that makes @name */
static const FvModelNode *
decision_of (const Decisions *decisions, const char *name)
{
  for (guint i = 0; i < decisions->nodes->len; i++)
    if (is_made_by (decisions->nodes->pdata[i], name))
      return decisions->nodes->pdata[i];
  return NULL;
}

/* The model's own constants and, as constants, what the device has where @take
 * says so. (transfer container) */
static FvInitializer *
initializers (const Links *links, const FvModelNode *of, guint *n)
{
  const FvModelGraph *graph = links->model->graph;
  guint n_names = links->decisions->names->len;
  FvInitializer *list = g_new0 (FvInitializer, graph->n_initializers + n_names);
  *n = graph->n_initializers;
  memcpy (list, graph->initializers, *n * sizeof *list);
  for (guint i = 0; i < n_names; i++) {
    char *name = links->decisions->names->pdata[i];
    gboolean take = of != NULL ? !is_made_by (of, name)
                               : decision_of (links->decisions, name) != NULL;
    if (take)
      list[(*n)++] = (FvInitializer){ name, links->got[graph->n_outputs + i] };
  }
  return list;
}

/* The references from the device's decisions on. */
static FvArray **
run_forced (const Links *links, FvType precision, GError **error)
{
  FvModelGraph graph = *links->model->graph;
  g_autofree FvValueInfo *outputs = all_outputs (links);
  g_autofree FvInitializer *constants =
      initializers (links, NULL, &graph.n_initializers);
  g_autofree FvModelNode *nodes = g_new (FvModelNode, graph.n_nodes + 1);
  guint n = 0;
  for (guint i = 0; i < graph.n_nodes; i++)
    if (!g_ptr_array_find (links->decisions->nodes, &graph.nodes[i], NULL))
      nodes[n++] = graph.nodes[i];
  graph.nodes = nodes;
  graph.n_nodes = n;
  graph.initializers = constants;
  graph.outputs = outputs;
  graph.n_outputs = links->n;
  return run_part (links, NULL, precision, &graph, error);
}

/* Values that nothing decided: the device against the references. */
static gboolean
compare_value (Links *links, guint i, Comparison *result, GError **error)
{
  gboolean is_f16 = links->options->precision == FV_TYPE_F16;
  double tolerance = is_f16 ? TOLERANCE_F16 : TOLERANCE_F32;
  compare_arrays (links->got[i], links->expected[i], tolerance, result);
  if (result->passed || !is_f16 || !isfinite (result->error)
      || !fv_type_is_float (links->expected[i]->type))
    return TRUE;
  if (links->rounded == NULL
      && (links->rounded = run_forced (links, FV_TYPE_F16, error)) == NULL)
    return FALSE;
  Comparison allowed;
  compare_arrays (links->rounded[i], links->expected[i], tolerance, &allowed);
  if (isfinite (allowed.error) && 2 * allowed.error > tolerance)
    compare_arrays (links->got[i], links->expected[i], 2 * allowed.error,
        result);
  return TRUE;
}

/* What @node decides by the values that the device has. */
static gboolean
compare_decision (const Links *links, const FvModelNode *node,
    Comparison *worst, GError **error)
{
  FvModelGraph graph = { .name = links->model->graph->name,
    .n_nodes = 1,
    .nodes = (FvModelNode *) node };
  g_autofree FvInitializer *constants =
      initializers (links, node, &graph.n_initializers);
  g_autofree FvValueInfo *outputs = g_new0 (FvValueInfo, node->n_outputs + 1);
  for (guint i = 0; i < node->n_outputs; i++)
    if (node->outputs[i][0] != '\0')
      outputs[graph.n_outputs++].name = node->outputs[i];
  graph.initializers = constants;
  graph.outputs = outputs;
  FvArray **arrays = run_part (links, NULL, FV_TYPE_F32, &graph, error);
  if (arrays == NULL)
    return FALSE;
  for (guint i = 0; i < graph.n_outputs && worst->passed; i++)
    for (guint k = 0; k < links->decisions->names->len; k++)
      if (strcmp (links->decisions->names->pdata[k], outputs[i].name) == 0)
        compare_arrays (links->got[links->model->graph->n_outputs + k],
            arrays[i], TOLERANCE_F32, worst);
  free_arrays (arrays, graph.n_outputs);
  return TRUE;
}

static void
name_problem (Comparison *result, const char *kind, const char *name)
{
  g_autofree char *problem = g_strdup (result->problem);
  g_snprintf (result->problem, sizeof result->problem, "%s '%s': %s", kind,
      name, problem);
}

/* @worst: the first breach between the inputs and the last decision. */
static gboolean
compare_links (Links *links, Comparison *worst, GError **error)
{
  const Decisions *decisions = links->decisions;
  guint n_outputs = links->model->graph->n_outputs;
  worst->passed = TRUE;
  for (guint i = n_outputs; i < links->n && worst->passed; i++) {
    const char *name = decisions->names->pdata[i - n_outputs];
    if (decision_of (decisions, name) != NULL)
      continue;
    if (!compare_value (links, i, worst, error))
      return FALSE;
    if (!worst->passed)
      name_problem (worst, "decided by", name);
  }
  for (guint i = 0; i < decisions->nodes->len && worst->passed; i++) {
    const FvModelNode *node = decisions->nodes->pdata[i];
    if (!compare_decision (links, node, worst, error))
      return FALSE;
    if (!worst->passed)
      name_problem (worst, "decision", node->name);
  }
  return TRUE;
}

/* The references alone against what is stored. */
static gboolean
compare_stored (const Links *links, Comparison *results, GError **error)
{
  const DataSet *set = links->set;
  FvArray **arrays =
      run_part (links, NULL, FV_TYPE_F32, links->model->graph, error);
  if (arrays == NULL)
    return FALSE;
  for (guint i = 0; i < set->n_outputs; i++)
    compare_arrays (arrays[i], set->outputs[i], TOLERANCE_F32, &results[i]);
  decisions_match (links->decisions, arrays, set, TOLERANCE_F32, results);
  free_arrays (arrays, set->n_outputs);
  return TRUE;
}

static gboolean
judge (Links *links, Comparison *results, GError **error)
{
  const FvModelGraph *graph = links->model->graph;
  Comparison worst;
  if ((links->expected = run_forced (links, FV_TYPE_F32, error)) == NULL
      || !compare_stored (links, results, error)
      || !compare_links (links, &worst, error))
    return FALSE;
  for (guint i = 0; i < graph->n_outputs; i++) {
    if (!results[i].passed)
      name_problem (&results[i], "references alone", graph->outputs[i].name);
    else if (!worst.passed)
      results[i] = worst;
    else if (!compare_value (links, i, &results[i], error))
      return FALSE;
    results[i].how = "decision by decision";
  }
  return TRUE;
}

guint
decisions_n_values (const Decisions *decisions)
{
  return decisions->n_outputs + decisions->names->len;
}

FvArray **
decisions_run (const Decisions *decisions, FvDevice *device,
    const FvGraphOptions *options, const FvModel *model, const DataSet *set,
    GError **error)
{
  Links links = { decisions, options, model, set,
    decisions_n_values (decisions) };
  FvModelGraph graph = *model->graph;
  g_autofree FvValueInfo *outputs = all_outputs (&links);
  graph.outputs = outputs;
  graph.n_outputs = links.n;
  return run_part (&links, device, options->precision, &graph, error);
}

gboolean
decisions_judge (const Decisions *decisions, FvArray **got,
    const FvGraphOptions *options, const FvModel *model, const DataSet *set,
    Comparison *results, GError **error)
{
  Links links = { decisions, options, model, set,
    decisions_n_values (decisions), got };
  gboolean done = judge (&links, results, error);
  free_arrays (links.expected, links.n);
  free_arrays (links.rounded, links.n);
  return done;
}
