/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the file's graph to the IR: sizes bound, operators found, shapes
 * inferred and everything constant folded, in one sweep in topological order. */
#include "gst/engine/einsum.h"
#include "gst/engine/ir-private.h"
#include "gst/engine/selection.h"
#include "gst/engine/tail.h"
#include "gst/onnx/names.h"

#include <math.h>
#include <string.h>

#define MAX_IF_DEPTH 16
/* Constants above this are left to the device. */
#define FOLD_BYTES ((gsize) 256 << 20)
/* Elements that folding may compute: under a second, and more for models that
 * bring much of their own. */
#define FOLD_WORK ((guint64) 1 << 26)
#define FOLD_WORK_PER_WEIGHT 64

typedef struct
{
  FvIr *ir;
  guint depth;
  guint n_missing; /* operators not known, listed in one error */
  GString *missing;
  FvTail *tail; /* what cannot be built; NULL in the tail itself */
  FvSelections *selections; /* (nullable) as tail */
  GHashTable *host; /* (nullable) node of the model + 1 -> why the host has to
                       run it */
} Build;

/* Names seen from a graph: its own and those around it. */
typedef struct _Scope
{
  struct _Scope *outer;
  GHashTable *values;
} Scope;

static FvValue *
look_up (Scope *scope, const char *name)
{
  for (; scope; scope = scope->outer) {
    FvValue *value = g_hash_table_lookup (scope->values, name);

    if (value)
      return value;
  }
  return NULL;
}

static gboolean
check_size (FvNode *node, FvValue *value, GError **error)
{
  gint64 count = fv_shape_count (&value->shape);
  g_autofree char *text = fv_shape_to_string (&value->shape);

  /* a scalar has no axis 0, but some operators look there */
  for (guint i = value->shape.rank; i < FV_MAX_RANK; i++)
    value->shape.dims[i] = 0;
  for (guint i = 0; i < value->shape.rank; i++)
    if (value->shape.dims[i] < 0)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "output '%s' would have the shape %s", value->name, text);
  if (count < 0 || (guint64) count > node->ir->memory_limit / 4
      || count > G_MAXINT32)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
        "output '%s' of shape %s is over the limit of %" G_GSIZE_FORMAT
        " bytes",
        value->name, text, node->ir->memory_limit);
  return TRUE;
}

FvType
fv_value_declared (const FvValue *value)
{
  return value->declared == FV_TYPE_NONE ? value->type : value->declared;
}

gboolean
fv_node_infer (FvNode *node, GError **error)
{
  guint least = node->op->min_inputs;
  guint most = node->op->max_inputs ? node->op->max_inputs : least;

  if (node->n_own_inputs < least || node->n_own_inputs > most)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "has %u inputs, expected %u to %u", node->n_own_inputs, least, most);
  for (guint i = 0; i < least; i++)
    if (!node->inputs[i])
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "input %u is absent", i);
  if (node->n_outputs < 1 || !node->outputs[0]
      || node->n_outputs > MAX (node->op->max_outputs, 1))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "has %u outputs, expected 1 to %u", node->n_outputs,
        MAX (node->op->max_outputs, 1));
  if (!node->op->infer (node, error))
    return FALSE;
  for (guint i = 0; i < node->n_outputs; i++)
    if (node->outputs[i] && !check_size (node, node->outputs[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
is_foldable (FvNode *node)
{
  gsize bytes = 0;

  if (!node->op->reference)
    return FALSE;
  for (guint i = 0; i < node->n_inputs; i++)
    if (node->inputs[i] && !node->inputs[i]->constant
        && !(node->op->flags & FV_OP_SHAPE_ONLY))
      return FALSE;
  for (guint i = 0; i < node->n_outputs; i++)
    if (node->outputs[i])
      bytes += fv_shape_count (&node->outputs[i]->shape) * 8;
  return bytes <= FOLD_BYTES;
}

static double
per_map (const FvNode *node, guint input)
{
  const FvValue *value = fv_node_input (node, input);

  if (!value)
    return 0;
  return (double) fv_shape_count (&value->shape)
      / MAX (value->shape.dims[0], 1);
}

/* How many elements go into one of the result, for operators that sum. */
static double
fold_terms (FvNode *node)
{
  static const char *const products[] = { "MatMul", "Gemm" };
  static const char *const windows[] = { "Conv", "ConvTranspose",
    "DeformConv" };
  static const char *const pools[] = { "MaxPool", "AveragePool", "LpPool" };
  double terms = 1;
  FvEinsum einsum;

  for (guint i = 0; i < G_N_ELEMENTS (products); i++)
    for (guint d = 0;
         fv_node_is (node, products[i]) && d < node->inputs[0]->shape.rank; d++)
      terms = MAX (terms, node->inputs[0]->shape.dims[d]);
  for (guint i = 0; i < G_N_ELEMENTS (windows); i++)
    if (fv_node_is (node, windows[i]) && node->inputs[1]->shape.rank > 1)
      terms = (double) fv_shape_count (&node->inputs[1]->shape)
          / MAX (node->inputs[1]->shape.dims[i % 2], 1);
  for (guint i = 0; i < G_N_ELEMENTS (pools); i++)
    if (fv_node_is (node, pools[i])) {
      guint n;
      const gint64 *sizes = fv_node_ints (node, "kernel_shape", &n);

      for (guint d = 0; sizes && d < n; d++)
        terms *= sizes[d];
    }
  if (fv_node_is (node, "RoiAlign"))
    terms =
        fmax (per_map (node, 0), pow (fv_node_int (node, "sampling_ratio"), 2));
  if (fv_node_is (node, "Attention"))
    terms = per_map (node, 1) + per_map (node, 4);
  if (fv_node_is (node, "Einsum") && fv_einsum_read (node, &einsum, NULL))
    terms = fv_einsum_products (&einsum);
  return terms;
}

/* Where the shape is found by way of the values, infer() leaves them. */
static gboolean
has_result (const FvNode *node)
{
  for (guint i = 0; i < node->n_outputs; i++)
    if (node->outputs[i] && !node->outputs[i]->constant)
      return FALSE;
  return node->n_outputs > 0;
}

/* Makes the outputs constants and drops the node. */
static gboolean
fold (FvNode *node, GError **error)
{
  FvIr *ir = node->ir;
  g_autofree FvArray **in = g_new0 (FvArray *, node->n_inputs + 1);
  g_autofree FvArray **out = g_new0 (FvArray *, node->n_outputs + 1);
  gboolean ok = TRUE;
  double work = 1, terms = fold_terms (node);

  if (has_result (node)) {
    fv_ir_remove_node (ir, node);
    return TRUE;
  }
  for (guint i = 0; i < node->n_inputs; i++)
    if (node->inputs[i])
      work += fv_shape_count (&node->inputs[i]->shape);
  for (guint i = 0; i < node->n_outputs; i++)
    if (node->outputs[i])
      work += fv_shape_count (&node->outputs[i]->shape) * terms;
  if (work > ir->work_left)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
        "folding the model's constants takes too much work");
  ir->work_left -= work;
  for (guint i = 0; ok && i < node->n_inputs; i++)
    if (node->inputs[i] && node->inputs[i]->constant)
      ok = (in[i] = fv_value_floats (node->inputs[i], error)) != NULL;
  if (ok)
    ok = fv_node_reference (node, in, out, error);
  for (guint i = 0; i < node->n_inputs; i++)
    fv_array_unref (in[i]);
  for (guint i = 0; ok && i < node->n_outputs; i++)
    if (node->outputs[i])
      node->outputs[i]->constant = out[i];
  if (ok)
    fv_ir_remove_node (ir, node);
  return ok;
}

static gboolean build_nodes (Build *build, const FvModelGraph *graph,
    Scope *scope, GError **error);

static gboolean
add_initializers (Build *build, const FvModelGraph *graph, Scope *scope)
{
  for (guint i = 0; i < graph->n_initializers; i++)
    g_hash_table_insert (scope->values, graph->initializers[i].name,
        fv_ir_add_constant (build->ir, graph->initializers[i].name,
            graph->initializers[i].array));
  return TRUE;
}

/* An If whose condition is constant becomes the branch that it chooses. */
static gboolean
inline_if (Build *build, const FvModelNode *from, Scope *scope, GError **error)
{
  FvValue *condition = look_up (scope, from->inputs[0]);
  const FvAttr *branch;
  Scope inner = { scope, NULL };
  gboolean ok;

  if (!condition || !condition->constant || condition->constant->count != 1) {
    g_free (build->ir->why);
    build->ir->why = g_strdup ("its condition depends on the data");
    g_set_error (error, FV_ERROR, FV_ERROR_DYNAMIC, "%s: node '%s' (If): %s",
        build->ir->name, from->name, build->ir->why);
    return FALSE;
  }
  branch = fv_model_node_attr (from,
      fv_array_get_int (condition->constant, 0) ? "then_branch"
                                                : "else_branch");
  if (!branch || !branch->graph || build->depth >= MAX_IF_DEPTH
      || branch->graph->n_outputs < from->n_outputs) {
    g_set_error (error, FV_ERROR, FV_ERROR_MALFORMED,
        "%s: node '%s' (If): the branch is missing, nested too deep, or has "
        "too few outputs",
        build->ir->name, from->name);
    return FALSE;
  }
  inner.values = g_hash_table_new (fv_name_hash, g_str_equal);
  build->depth++;
  add_initializers (build, branch->graph, &inner);
  ok = build_nodes (build, branch->graph, &inner, error);
  build->depth--;
  for (guint i = 0; ok && i < from->n_outputs; i++) {
    FvValue *value = look_up (&inner, branch->graph->outputs[i].name);

    if ((ok = value != NULL))
      g_hash_table_insert (scope->values, from->outputs[i], value);
    else
      g_set_error (error, FV_ERROR, FV_ERROR_MALFORMED,
          "%s: node '%s' (If): nothing makes the branch's output '%s'",
          build->ir->name, from->name, branch->graph->outputs[i].name);
  }
  g_hash_table_unref (inner.values);
  return ok;
}

static const FvOp *
find_op (Build *build, const FvModelNode *from)
{
  gboolean known = FALSE;
  const FvOp *op = NULL;
  gboolean onnx = !*from->domain || !strcmp (from->domain, "ai.onnx");

  if (onnx && strncmp (from->op_type, "fovea.", 6))
    op = fv_op_find (from->op_type, from->opset, &known);
  if (!op && build->n_missing++ < 8)
    g_string_append_printf (build->missing,
        "%snode '%s': operator %s%s%s (%s%u)", build->missing->len ? "; " : "",
        from->name, from->domain, *from->domain ? "." : "", from->op_type,
        known ? "known, but not at opset " : "unknown; opset ", from->opset);
  return op;
}

static gboolean
build_node (Build *build, const FvModelNode *from, Scope *scope, GError **error)
{
  const FvOp *op = find_op (build, from);
  g_autofree FvValue **in = g_new0 (FvValue *, from->n_inputs + 1);
  g_autofree FvValue **out = g_new0 (FvValue *, from->n_outputs + 1);
  guint n_in = from->n_inputs, n_out = from->n_outputs;
  gboolean done;
  FvNode *node;

  if (!op)
    return TRUE; /* reported together at the end */
  for (guint i = 0; i < n_in; i++)
    if (*from->inputs[i] && !(in[i] = look_up (scope, from->inputs[i]))) {
      if (build->n_missing)
        return TRUE; /* made by one of those */
      g_set_error (error, FV_ERROR, FV_ERROR_MALFORMED,
          "%s: node '%s' (%s): nothing makes its input '%s'", build->ir->name,
          from->name, from->op_type, from->inputs[i]);
      return FALSE;
    }
  if (build->n_missing)
    return TRUE;
  while (n_in && !in[n_in - 1])
    n_in--;
  while (n_out && !*from->outputs[n_out - 1])
    n_out--;
  for (guint i = 0; i < n_out; i++)
    if (*from->outputs[i]) {
      out[i] =
          fv_ir_add_value (build->ir, from->outputs[i], FV_TYPE_NONE, NULL);
      g_hash_table_insert (scope->values, from->outputs[i], out[i]);
    }
  node = fv_ir_add_node (build->ir, op, from->name, in, n_in, out, n_out);
  node->opset = from->opset;
  if (!fv_node_take_attrs (node, from, error) || !fv_node_infer (node, error)
      || !fv_selections_follow (build->selections, node, &done, error))
    return FALSE;
  return !done && is_foldable (node) ? fold (node, error) : TRUE;
}

/* A NonZero that may turn out to leave no trace. */
static gboolean
build_selection (Build *build, const FvModelNode *from, Scope *scope,
    GError **error)
{
  FvValue *mask = look_up (scope, from->inputs[0]);
  FvValue *positions =
      fv_selections_begin (build->selections, build->ir, from, mask, error);

  if (positions)
    g_hash_table_insert (scope->values, from->outputs[0], positions);
  return positions != NULL;
}

static gboolean
is_selection (Build *build, const FvModelNode *node, Scope *scope)
{
  FvValue *mask = node->n_inputs == 1 && node->n_outputs == 1
      ? look_up (scope, node->inputs[0])
      : NULL;

  return mask && !mask->constant && !build->n_missing
      && fv_selections_allows (build->selections, node);
}

static gboolean
build_one (Build *build, const FvModelNode *node, Scope *scope, GError **error)
{
  gboolean is_if =
      !strcmp (node->op_type, "If") && !*node->domain && node->n_inputs == 1;

  if (is_if && build->n_missing)
    return TRUE;
  if (is_selection (build, node, scope))
    return build_selection (build, node, scope, error);
  return (is_if ? inline_if : build_node) (build, node, scope, error);
}

/* Operators that are unknown are told at load, not when the tail runs. */
static void
find_tail_ops (Build *build, const FvModelNode *node)
{
  if (strcmp (node->op_type, "If"))
    find_op (build, node);
  for (guint a = 0; a < node->n_attrs; a++) {
    const FvModelGraph *graph = node->attrs[a].graph;

    for (guint i = 0; graph && i < graph->n_nodes; i++)
      find_tail_ops (build, &graph->nodes[i]);
  }
}

/* What building a node has left behind before it failed. */
static void
drop_nodes (Build *build, guint n, const FvModelNode *node, Scope *scope)
{
  while (build->ir->nodes->len > n)
    fv_ir_remove_node (build->ir,
        build->ir->nodes->pdata[build->ir->nodes->len - 1]);
  for (guint o = 0; o < node->n_outputs; o++)
    g_hash_table_remove (scope->values, node->outputs[o]);
}

/* Node @i goes into the graph or, where its result's shape depends on the data or
 * the device has refused it, into the tail. */
static gboolean
build_or_leave (Build *build, const FvModelGraph *graph, guint i, Scope *scope,
    GError **error)
{
  const FvModelNode *node = &graph->nodes[i];
  guint n = build->ir->nodes->len;
  GError *problem = NULL;
  const char *reason;
  gboolean added;

  build->ir->origin = i + 1;
  reason = build->host
      ? g_hash_table_lookup (build->host, GUINT_TO_POINTER (i + 1))
      : NULL;
  if (!fv_tail_add (build->tail, i, reason, &added, error))
    return FALSE;
  if (!added) {
    if (build_one (build, node, scope, &problem))
      return TRUE;
    if (!g_error_matches (problem, FV_ERROR, FV_ERROR_DYNAMIC)) {
      g_propagate_error (error, problem);
      return FALSE;
    }
    g_clear_error (&problem);
    drop_nodes (build, n, node, scope);
    if (!fv_tail_add (build->tail, i, build->ir->why, &added, error))
      return FALSE;
  }
  find_tail_ops (build, node);
  return TRUE;
}

static gboolean
build_nodes (Build *build, const FvModelGraph *graph, Scope *scope,
    GError **error)
{
  for (guint i = 0; i < graph->n_nodes; i++)
    if (!build_one (build, &graph->nodes[i], scope, error))
      return FALSE;
  return TRUE;
}

static void
mark_live (const char *name, gpointer data)
{
  g_hash_table_add (data, (gpointer) name);
}

/* Nodes on which no output depends are not looked at. */
static gboolean
build_graph (Build *build, const FvModelGraph *graph, Scope *scope,
    GError **error)
{
  g_autoptr (GHashTable) live = g_hash_table_new (fv_name_hash, g_str_equal);
  g_autofree guint8 *is_live = g_malloc0 (graph->n_nodes + 1);

  for (guint i = 0; i < graph->n_outputs; i++)
    mark_live (graph->outputs[i].name, live);
  for (guint i = graph->n_nodes; i-- > 0;) {
    const FvModelNode *node = &graph->nodes[i];

    for (guint o = 0; o < node->n_outputs; o++)
      is_live[i] |= g_hash_table_contains (live, node->outputs[o]);
    if (is_live[i])
      fv_tail_visit_node (node, mark_live, live);
  }
  for (guint i = 0; i < graph->n_nodes; i++)
    if (is_live[i] && !build_or_leave (build, graph, i, scope, error))
      return FALSE;
  build->ir->origin = 0;
  return TRUE;
}

static gboolean
add_input (Build *build, const FvValueInfo *info, const FvShape *shape,
    Scope *scope, GError **error)
{
  FvValue *value = fv_ir_add_value (build->ir, info->name, info->type, shape);

  value->is_input = TRUE;
  value->declared = value->type;
  g_ptr_array_add (build->ir->inputs, value);
  g_hash_table_insert (scope->values, info->name, value);
  if (fv_shape_count (shape) < 0
      || (gsize) fv_shape_count (shape) > build->ir->memory_limit / 4) {
    g_set_error (error, FV_ERROR, FV_ERROR_TOO_LARGE,
        "%s: input '%s' is too large", build->ir->name, info->name);
    return FALSE;
  }
  if (fv_shape_count (shape) == 0) /* so its value is known */
    value->constant = fv_array_new (info->type, shape, error);
  return fv_shape_count (shape) > 0 || value->constant;
}

/* @value becomes an output; of an input a copy does, as the two have places of
 * their own. */
static void
append_output (FvIr *ir, FvValue *value)
{
  if (value->is_input) {
    FvValue *copy =
        fv_ir_add_value (ir, value->name, value->type, &value->shape);

    fv_ir_add_node (ir, fv_op_get ("Identity"), NULL, &value, 1, &copy, 1);
    value = copy;
  }
  value->is_output = TRUE;
  value->declared = value->type;
  g_ptr_array_add (ir->outputs, value);
}

/* The index of @value among the outputs, of which it becomes one if need be. */
static gint
add_output (FvIr *ir, FvValue *value)
{
  guint i;

  if (value->is_output && g_ptr_array_find (ir->outputs, value, &i))
    return (gint) i;
  append_output (ir, value);
  return (gint) ir->outputs->len - 1;
}

typedef struct
{
  Build *build;
  Scope *scope;
  GHashTable *seen;
  GError *error;
} Edge;

/* What the tail reads of the rest: constants now, others as outputs. */
static void
cross_edge (const char *name, gpointer data)
{
  Edge *edge = data;
  FvTail *tail = edge->build->tail;
  FvValue *value = look_up (edge->scope, name);
  FvTailInput input = { .name = name, .input = -1 };
  guint at;

  if (!value || edge->error || !g_hash_table_add (edge->seen, (gpointer) name)
      || !fv_selections_check (edge->build->selections, value, &edge->error))
    return;
  if (value->constant)
    input.constant =
        fv_array_convert (value->constant, value->type, &edge->error);
  else if (g_ptr_array_find (edge->build->ir->inputs, value, &at))
    input.input = (gint) at;
  else
    input.output = add_output (edge->build->ir, value);
  g_array_append_val (tail->inputs, input);
}

/* The outputs of a model with a tail. */
static gboolean
build_tail (Build *build, const FvModelGraph *graph, Scope *scope,
    GError **error)
{
  Edge edge = { build, scope, g_hash_table_new (fv_name_hash, g_str_equal),
    NULL };
  FvIr *ir = build->ir;

  fv_tail_visit (build->tail, cross_edge, &edge);
  g_hash_table_unref (edge.seen);
  if (edge.error) {
    g_propagate_error (error, edge.error);
    return FALSE;
  }
  for (guint i = 0; i < graph->n_outputs; i++) {
    const char *name = graph->outputs[i].name;
    FvValue *value = look_up (scope, name);
    gint at = -1;

    if (value && !fv_selections_check (build->selections, value, error))
      return FALSE;
    at = value ? add_output (ir, value) : -1;
    if (!value && !g_hash_table_contains (build->tail->names, name)) {
      g_set_error (error, FV_ERROR, FV_ERROR_MALFORMED,
          "%s: nothing makes the output '%s'", ir->name, name);
      return FALSE;
    }
    g_array_append_val (build->tail->outputs, at);
  }
  ir->tail = g_steal_pointer (&build->tail);
  return TRUE;
}

/* What the tail reads under a name. (transfer full) */
static FvArray *
tail_input (const FvTail *tail, const FvTailInput *in, FvArray *const *inputs,
    FvArray *const *arrays, GError **error)
{
  if (in->constant)
    return fv_array_ref (in->constant);
  if (in->input >= 0)
    return fv_array_convert (inputs[in->input],
        tail->model->graph->inputs[in->input].type, error);
  return fv_array_ref (arrays[in->output]);
}

/* Output @i of the model, which the tail made or not. */
static FvArray *
tail_output (FvTail *tail, guint i, Scope *scope, FvArray *const *arrays,
    GError **error)
{
  const char *name = tail->model->graph->outputs[i].name;
  gint at = g_array_index (tail->outputs, gint, i);
  FvValue *value = at < 0 ? look_up (scope, name) : NULL;

  if (at >= 0)
    return fv_array_ref (arrays[at]);
  if (value && value->constant)
    return fv_array_convert (value->constant, value->type, error);
  g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
      "the output '%s' was not computed", name);
  return NULL;
}

gboolean
fv_tail_run (FvTail *tail, FvArray *const *inputs, FvArray *const *arrays,
    FvArray **outputs, GError **error)
{
  const FvModelGraph *graph = tail->model->graph;
  g_autoptr (FvIr) ir =
      fv_ir_new (tail->model->path ? tail->model->path : "model");
  Scope scope = { NULL, g_hash_table_new (fv_name_hash, g_str_equal) };
  Build build = { .ir = ir, .missing = g_string_new (NULL) };
  gboolean ok = TRUE;

  for (guint i = 0; ok && i < tail->inputs->len; i++) {
    const FvTailInput *in = &g_array_index (tail->inputs, FvTailInput, i);
    g_autoptr (FvArray) array = tail_input (tail, in, inputs, arrays, error);

    if ((ok = array != NULL))
      g_hash_table_insert (scope.values, (gpointer) in->name,
          fv_ir_add_constant (ir, in->name, array));
  }
  /* every input is constant, so that building is folding */
  for (guint i = 0; ok && i < tail->nodes->len; i++)
    ok = build_one (&build, fv_tail_node (tail, i), &scope, error);
  if (ok && build.n_missing) {
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "%s: %u nodes cannot be run: %s", ir->name, build.n_missing,
        build.missing->str);
    ok = FALSE;
  }
  for (guint i = 0; ok && i < graph->n_outputs; i++)
    ok = (outputs[i] = tail_output (tail, i, &scope, arrays, error)) != NULL;
  for (guint i = 0; !ok && i < graph->n_outputs; i++)
    g_clear_pointer (&outputs[i], fv_array_unref);
  g_hash_table_unref (scope.values);
  g_string_free (build.missing, TRUE);
  return ok;
}

static gboolean
build_outputs (Build *build, const FvModelGraph *graph, Scope *scope,
    GError **error)
{
  for (guint i = 0; i < graph->n_outputs; i++) {
    FvValue *value = look_up (scope, graph->outputs[i].name);

    if (!value) {
      g_set_error (error, FV_ERROR, FV_ERROR_MALFORMED,
          "%s: nothing makes the output '%s'", build->ir->name,
          graph->outputs[i].name);
      return FALSE;
    }
    if (!fv_selections_check (build->selections, value, error))
      return FALSE;
    append_output (build->ir, value);
  }
  return TRUE;
}

static gboolean
build_all (Build *build, FvModel *model, const FvShape *shapes, guint n_shapes,
    Scope *scope, GError **error)
{
  const FvModelGraph *graph = model->graph;
  g_autofree FvShape *bound = g_new0 (FvShape, graph->n_inputs + 1);

  if (shapes && n_shapes != graph->n_inputs) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "%s: %u shapes were given for %u inputs", build->ir->name, n_shapes,
        graph->n_inputs);
    return FALSE;
  }
  if (model->is_spent) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "%s: its weights were given to another graph", build->ir->name);
    return FALSE;
  }
  if (!fv_model_bind_shapes (model, shapes, bound, error))
    return FALSE;
  add_initializers (build, graph, scope);
  for (guint i = 0; i < graph->n_inputs; i++)
    if (!add_input (build, &graph->inputs[i], &bound[i], scope, error))
      return FALSE;
  if (!build_graph (build, graph, scope, error))
    return FALSE;
  if (build->n_missing) {
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "%s: %u nodes cannot be run: %s%s", build->ir->name, build->n_missing,
        build->missing->str, build->n_missing > 8 ? "; ..." : "");
    return FALSE;
  }
  return build->tail->nodes->len ? build_tail (build, graph, scope, error)
                                 : build_outputs (build, graph, scope, error);
}

static FvIr *
build_once (FvModel *model, const FvShape *shapes, guint n_shapes,
    gsize memory_limit, GHashTable *host, FvSelections *selections,
    GError **error)
{
  g_autoptr (FvIr) ir = fv_ir_new (model->path ? model->path : "model");
  Scope scope = { NULL, g_hash_table_new (fv_name_hash, g_str_equal) };
  Build build = { .ir = ir,
    .missing = g_string_new (NULL),
    .tail = fv_tail_new (model),
    .selections = selections,
    .host = host };
  gboolean ok;

  if (memory_limit)
    ir->memory_limit = memory_limit;
  ir->work_left = FOLD_WORK + FOLD_WORK_PER_WEIGHT * model->n_parameters;
  ok = build_all (&build, model, shapes, n_shapes, &scope, error);
  g_hash_table_unref (scope.values);
  g_string_free (build.missing, TRUE);
  fv_tail_free (build.tail);
  return ok ? g_steal_pointer (&ir) : NULL;
}

FvIr *
fv_ir_build_host (FvModel *model, const FvShape *shapes, guint n_shapes,
    gsize memory_limit, GHashTable *host, GError **error)
{
  FvSelections *selections = fv_selections_new ();
  g_autoptr (GError) problem = NULL;
  FvIr *ir;

  while (!(ir = build_once (model, shapes, n_shapes, memory_limit, host,
               selections, &problem))
      && fv_selections_retry (selections))
    g_clear_error (&problem);
  if (!ir)
    g_propagate_error (error, g_steal_pointer (&problem));
  fv_selections_free (selections);
  return ir;
}

FvIr *
fv_ir_build (FvModel *model, const FvShape *shapes, guint n_shapes,
    gsize memory_limit, GError **error)
{
  return fv_ir_build_host (model, shapes, n_shapes, memory_limit, NULL, error);
}
