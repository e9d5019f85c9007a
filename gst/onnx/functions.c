/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file's own operators: each call becomes the nodes of the function's body,
 * so that nobody behind the importer knows of functions
 * (https://onnx.ai/onnx/repo-docs/IR.html, "Functions"). */
#include "gst/onnx/parse.h"

#include <string.h>

#define MAX_FUNCTION_DEPTH 32 /* of functions that call each other */

typedef struct
{
  Onnx__FunctionProto *proto; /* taken apart by the first call */
  gboolean owns_proto; /* else the model's */
  FvModelGraph *body; /* (nullable) once called; inputs and outputs are names */
  FvModelNode defaults; /* its attrs: those that a call may leave out */
  GHashTable *attributes; /* names that a call may give */
  GHashTable *used; /* names that nodes of the body read, or write first */
  gboolean is_open; /* being put in, further out */
} Function;

/* Names of a body and what they are in the model; inner ones hide outer ones. */
typedef struct _Names
{
  struct _Names *outer;
  GHashTable *map;
} Names;

typedef struct
{
  FvParser *parser;
  GHashTable *taken; /* every name of the model, of values and of nodes */
  guint serial; /* makes names different */
  guint depth;
} Inliner;

static void *
plain_alloc (void *data, size_t size)
{
  return g_malloc (size);
}

static void
plain_free (void *data, void *pointer)
{
  g_free (pointer);
}

static ProtobufCAllocator plain_allocator = { plain_alloc, plain_free, NULL };

static void
function_free (gpointer data)
{
  Function *function = data;
  if (function->owns_proto)
    onnx__function_proto__free_unpacked (function->proto, &plain_allocator);
  fv_model_graph_free (function->body);
  fv_model_node_clear (&function->defaults);
  g_clear_pointer (&function->attributes, g_hash_table_unref);
  g_clear_pointer (&function->used, g_hash_table_unref);
  g_free (function);
}

static char *
function_key (const char *domain, const char *name, const char *overload)
{
  if (domain == NULL || strcmp (domain, "ai.onnx") == 0)
    domain = "";
  return g_strdup_printf ("%s:%s:%s", domain, name ? name : "",
      overload ? overload : "");
}

gboolean
fv_parse_functions (FvParser *parser, Onnx__ModelProto *proto, GError **error)
{
  parser->functions =
      g_hash_table_new_full (fv_name_hash, g_str_equal, g_free, function_free);
  for (gsize i = 0; i < proto->n_functions; i++) {
    Onnx__FunctionProto *from = proto->functions[i];
    char *key = function_key (from->domain, from->name, from->overload);
    Function *function = g_new0 (Function, 1);
    function->proto = from;
    if (!g_hash_table_replace (parser->functions, key, function))
      return fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
          "the function '%s' stands there twice", key);
  }
  return TRUE;
}

/* @function: (out): what @node calls; NULL for operators. */
static gboolean
find_function (FvParser *parser, const FvModelNode *node, Function **function,
    GError **error)
{
  g_autofree char *key =
      function_key (node->domain, node->op_type, node->overload);
  gint row;
  *function = g_hash_table_lookup (parser->functions, key);
  if (*function != NULL)
    return TRUE;
  if (!fv_contrib_find (parser, node, &row, error))
    return FALSE;
  if (row < 0)
    return TRUE;
  char *row_key =
      g_strdup_printf ("%d", row); /* no file's key: it has colons */
  *function = g_hash_table_lookup (parser->functions, row_key);
  if (*function != NULL) {
    g_free (row_key);
    return TRUE;
  }
  *function = g_new0 (Function, 1);
  (*function)->proto = fv_contrib_function (row);
  (*function)->owns_proto = TRUE;
  g_hash_table_insert (parser->functions, row_key, *function);
  return TRUE;
}

/* Names as a graph has its inputs and outputs. They move out of the function. */
static Onnx__ValueInfoProto **
as_values (char **names, gsize n)
{
  Onnx__ValueInfoProto *infos = g_new0 (Onnx__ValueInfoProto, n + 1);
  Onnx__ValueInfoProto **list = g_new0 (Onnx__ValueInfoProto *, n + 1);
  list[n] = infos; /* to be freed */
  for (gsize i = 0; i < n; i++) {
    onnx__value_info_proto__init (&infos[i]);
    infos[i].name = g_steal_pointer (&names[i]);
    list[i] = &infos[i];
  }
  return list;
}

static void
free_values (Onnx__ValueInfoProto **list, gsize n)
{
  for (gsize i = 0; i < n; i++)
    g_free (list[i]->name);
  g_free (list[n]);
  g_free (list);
}

static void
collect_uses (GHashTable *used, const FvModelGraph *graph)
{
  for (guint i = 0; i < graph->n_nodes; i++) {
    const FvModelNode *node = &graph->nodes[i];
    for (guint k = 0; k < node->n_inputs; k++)
      g_hash_table_add (used, node->inputs[k]);
    if (node->n_outputs > 0)
      g_hash_table_add (used, node->outputs[0]);
    for (guint a = 0; a < node->n_attrs; a++) {
      const FvModelGraph *inner = node->attrs[a].graph;
      if (inner != NULL)
        collect_uses (used, inner);
      for (guint k = 0; inner != NULL && k < inner->n_outputs; k++)
        g_hash_table_add (used, inner->outputs[k].name);
    }
  }
}

/* A body has no tensors around it, and sees nothing of the model. */
static gboolean
parse_body (FvParser *parser, Function *function, GError **error)
{
  Onnx__FunctionProto *from = function->proto;
  Onnx__GraphProto graph;
  onnx__graph_proto__init (&graph);
  graph.n_node = from->n_node;
  graph.node = from->node;
  graph.n_input = from->n_input;
  graph.input = as_values (from->input, from->n_input);
  graph.n_output = from->n_output;
  graph.output = as_values (from->output, from->n_output);
  /* depth 1: inputs need no type */
  function->body = fv_parse_graph (parser, &graph, 1, NULL, error);
  free_values (graph.input, graph.n_input);
  free_values (graph.output, graph.n_output);
  if (function->body == NULL)
    return FALSE;
  function->used = g_hash_table_new (fv_name_hash, g_str_equal);
  collect_uses (function->used, function->body);
  return TRUE;
}

static gboolean
parse_defaults (FvParser *parser, Function *function, GError **error)
{
  Onnx__FunctionProto *from = function->proto;
  Onnx__NodeProto node;
  GHashTable *uses = NULL;
  onnx__node_proto__init (&node);
  node.n_attribute = from->n_attribute_proto;
  node.attribute = from->attribute_proto;
  function->defaults.name = g_strdup (from->name ? from->name : "");
  function->defaults.op_type = g_strdup ("a function");
  function->attributes =
      g_hash_table_new_full (fv_name_hash, g_str_equal, g_free, NULL);
  gboolean done =
      fv_parse_attrs (parser, &node, 1, &uses, &function->defaults, error);
  g_clear_pointer (&uses, g_hash_table_unref);
  for (guint i = 0; done && i < function->defaults.n_attrs; i++) {
    g_hash_table_add (function->attributes,
        g_strdup (function->defaults.attrs[i].name));
    if (function->defaults.attrs[i].kind == FV_ATTR_GRAPH)
      done = fv_parser_fail (parser, error, FV_ERROR_UNSUPPORTED,
          "the function '%s': its attribute '%s' is a graph, which is not "
          "supported",
          function->defaults.name, function->defaults.attrs[i].name);
  }
  for (gsize i = 0; done && i < from->n_attribute; i++)
    g_hash_table_add (function->attributes, g_strdup (from->attribute[i]));
  return done;
}

/* The first call of a function reads it, under its own opsets. */
static gboolean
read_function (FvParser *parser, Function *function, GError **error)
{
  if (function->body != NULL)
    return TRUE;
  g_autoptr (GHashTable) outer = parser->opsets;
  parser->opsets =
      g_hash_table_new_full (fv_name_hash, g_str_equal, g_free, NULL);
  gboolean done = TRUE;
  if (function->proto->n_opset_import > 0)
    done = fv_parse_opsets (parser, function->proto->opset_import,
        function->proto->n_opset_import, error);
  GHashTableIter iter;
  gpointer domain, version;
  g_hash_table_iter_init (&iter, outer);
  while (g_hash_table_iter_next (&iter, &domain, &version))
    if (!g_hash_table_contains (parser->opsets, domain))
      g_hash_table_insert (parser->opsets, g_strdup (domain), version);
  done = done && parse_defaults (parser, function, error);
  parser->in_function = TRUE;
  done = done && parse_body (parser, function, error);
  parser->in_function = FALSE;
  g_hash_table_unref (g_steal_pointer (&parser->opsets));
  parser->opsets = g_steal_pointer (&outer);
  return done;
}

static void
take_name (Inliner *inliner, const char *name)
{
  if (!g_hash_table_contains (inliner->taken, name))
    g_hash_table_add (inliner->taken, g_strdup (name));
}

static void
take_names (Inliner *inliner, const FvModelGraph *graph)
{
  for (guint i = 0; i < graph->n_inputs; i++)
    take_name (inliner, graph->inputs[i].name);
  for (guint i = 0; i < graph->n_initializers; i++)
    take_name (inliner, graph->initializers[i].name);
  for (guint i = 0; i < graph->n_nodes; i++) {
    const FvModelNode *node = &graph->nodes[i];
    take_name (inliner, node->name);
    for (guint k = 0; k < node->n_outputs; k++)
      take_name (inliner, node->outputs[k]);
    for (guint a = 0; a < node->n_attrs; a++)
      if (node->attrs[a].graph != NULL)
        take_names (inliner, node->attrs[a].graph);
  }
}

/* "call/name", or that with a number where the model has such a name. */
static char *
make_name (Inliner *inliner, const char *call, const char *name)
{
  char *made = g_strdup_printf ("%s/%s", call, name);
  while (g_hash_table_contains (inliner->taken, made)) {
    g_free (made);
    made = g_strdup_printf ("%s/%s_%u", call, name, inliner->serial++);
  }
  g_hash_table_add (inliner->taken, g_strdup (made));
  return made;
}

static const char *
renamed (const Names *names, const char *name)
{
  for (; names != NULL; names = names->outer) {
    const char *found = g_hash_table_lookup (names->map, name);
    if (found != NULL)
      return found;
  }
  return ""; /* the absent input, and inputs that a call leaves out */
}

static void
define (Names *names, const char *name, const char *as)
{
  g_hash_table_insert (names->map, g_strdup (name), g_strdup (as));
}

/* Gives @name, if nothing did, a name of its own. */
static void
define_own (Inliner *inliner, Names *names, const char *call, const char *name)
{
  if (name[0] == '\0' || g_hash_table_contains (names->map, name))
    return;
  g_autofree char *made = make_name (inliner, call, name);
  define (names, name, made);
}

static gboolean
copy_strings (Inliner *inliner, char **from, guint n, char ***to,
    const Names *names, GError **error)
{
  *to = fv_parser_list (inliner->parser, n + 1, sizeof (char *), error);
  for (guint i = 0; *to != NULL && i < n; i++)
    (*to)[i] = g_strdup (names != NULL ? renamed (names, from[i]) : from[i]);
  return *to != NULL;
}

static FvModelGraph *
copy_graph (Inliner *inliner, const FvModelGraph *from, const FvModelNode *call,
    const Function *function, Names *outer, GError **error);

static gsize
attr_bytes (const FvAttr *attr)
{
  gsize size = sizeof *attr + strlen (attr->name) + 8 * (gsize) attr->n;
  size += attr->s != NULL ? strlen (attr->s) : 0;
  for (guint i = 0; attr->strings != NULL && i < attr->n; i++)
    size += 16 + strlen (attr->strings[i]);
  return size;
}

/* All but the name and, where @from has one, the graph. */
static gboolean
copy_value (Inliner *inliner, const FvAttr *from, FvAttr *to, GError **error)
{
  if (!fv_parser_charge (inliner->parser, attr_bytes (from),
          "putting in the functions", error))
    return FALSE;
  to->kind = from->kind;
  to->i = from->i;
  to->f = from->f;
  to->s = g_strdup (from->s);
  to->ints = g_memdup2 (from->ints, from->n * sizeof *from->ints);
  to->floats = g_memdup2 (from->floats, from->n * sizeof *from->floats);
  to->tensor = from->tensor != NULL ? fv_array_ref (from->tensor) : NULL;
  if (from->strings != NULL
      && !copy_strings (inliner, from->strings, from->n, &to->strings, NULL,
          error))
    return FALSE;
  to->n = from->n;
  return TRUE;
}

/* The call's value of an attribute, or the function's default. */
static const FvAttr *
find_value (const FvModelNode *call, const Function *function, const char *name)
{
  const FvAttr *value = fv_model_node_attr (call, name);
  return value != NULL ? value : fv_model_node_attr (&function->defaults, name);
}

static gboolean
copy_attrs (Inliner *inliner, const FvModelNode *from, const FvModelNode *call,
    const Function *function, Names *names, FvModelNode *to, GError **error)
{
  to->attrs =
      fv_parser_list (inliner->parser, from->n_attrs, sizeof *to->attrs, error);
  for (guint i = 0; to->attrs != NULL && i < from->n_attrs; i++) {
    const FvAttr *attr = &from->attrs[i];
    const FvAttr *value =
        attr->ref != NULL ? find_value (call, function, attr->ref) : attr;
    if (value == NULL)
      continue; /* neither given nor with a default: the operator's own */
    FvAttr *copy = &to->attrs[to->n_attrs++];
    copy->name = g_strdup (attr->name);
    if (!copy_value (inliner, value, copy, error))
      return FALSE;
    if (value->graph != NULL
        && (copy->graph = copy_graph (inliner, value->graph, call, function,
                names, error))
            == NULL)
      return FALSE;
  }
  return to->attrs != NULL;
}

static gsize
node_bytes (const FvModelNode *node, const FvModelNode *call)
{
  gsize size = sizeof *node + 2 * (strlen (call->name) + strlen (node->name))
      + strlen (node->op_type) + 64;
  for (guint i = 0; i < node->n_inputs; i++)
    size += 32 + strlen (node->inputs[i]) + strlen (call->name);
  for (guint i = 0; i < node->n_outputs; i++)
    size += 96 + 4 * (strlen (node->outputs[i]) + strlen (call->name));
  return size;
}

/* A node of the body as the model has it. @to is to be cleared on failure, too. */
static gboolean
copy_node (Inliner *inliner, const FvModelNode *from, const FvModelNode *call,
    const Function *function, Names *names, FvModelNode *to, GError **error)
{
  if (!fv_parser_charge (inliner->parser, node_bytes (from, call),
          "putting in the functions", error))
    return FALSE;
  to->name = make_name (inliner, call->name, from->name);
  to->op_type = g_strdup (from->op_type);
  to->domain = g_strdup (from->domain);
  to->overload = g_strdup (from->overload);
  to->opset = from->opset;
  to->n_inputs = from->n_inputs;
  to->n_outputs = from->n_outputs;
  return copy_strings (inliner, from->inputs, from->n_inputs, &to->inputs,
             names, error)
      && copy_strings (inliner, from->outputs, from->n_outputs, &to->outputs,
          names, error)
      && copy_attrs (inliner, from, call, function, names, to, error);
}

static void
define_graph (Inliner *inliner, const FvModelGraph *graph, const char *call,
    Names *names)
{
  for (guint i = 0; i < graph->n_inputs; i++)
    define_own (inliner, names, call, graph->inputs[i].name);
  for (guint i = 0; i < graph->n_initializers; i++)
    define_own (inliner, names, call, graph->initializers[i].name);
  for (guint i = 0; i < graph->n_nodes; i++)
    for (guint k = 0; k < graph->nodes[i].n_outputs; k++)
      define_own (inliner, names, call, graph->nodes[i].outputs[k]);
}

static FvValueInfo *
copy_values (FvParser *parser, const FvValueInfo *from, guint n,
    const Names *names, GError **error)
{
  FvValueInfo *to = fv_parser_list (parser, n, sizeof *to, error);
  for (guint i = 0; to != NULL && i < n; i++) {
    to[i] = from[i];
    to[i].name = g_strdup (renamed (names, from[i].name));
    for (guint k = 0; k < FV_MAX_RANK; k++)
      to[i].symbols[k] = g_strdup (from[i].symbols[k]);
  }
  return to;
}

static gboolean
fill_graph (Inliner *inliner, const FvModelGraph *from, const FvModelNode *call,
    const Function *function, Names *names, FvModelGraph *to, GError **error)
{
  FvParser *parser = inliner->parser;
  gsize n = (gsize) from->n_inputs + from->n_outputs + from->n_initializers;
  if (!fv_parser_charge (parser,
          sizeof *to + n * (sizeof *to->inputs + 4 * strlen (call->name)),
          "putting in the functions", error))
    return FALSE;
  to->inputs = copy_values (parser, from->inputs, from->n_inputs, names, error);
  to->n_inputs = to->inputs != NULL ? from->n_inputs : 0;
  to->outputs =
      copy_values (parser, from->outputs, from->n_outputs, names, error);
  to->n_outputs = to->outputs != NULL ? from->n_outputs : 0;
  to->initializers = fv_parser_list (parser, from->n_initializers,
      sizeof *to->initializers, error);
  to->nodes = fv_parser_list (parser, from->n_nodes, sizeof *to->nodes, error);
  if (to->inputs == NULL || to->outputs == NULL || to->initializers == NULL
      || to->nodes == NULL)
    return FALSE;
  for (; to->n_initializers < from->n_initializers; to->n_initializers++) {
    const FvInitializer *old = &from->initializers[to->n_initializers];
    to->initializers[to->n_initializers] =
        (FvInitializer){ g_strdup (renamed (names, old->name)),
          fv_array_ref (old->array) };
  }
  while (to->n_nodes < from->n_nodes) {
    guint i = to->n_nodes++;
    if (!copy_node (inliner, &from->nodes[i], call, function, names,
            &to->nodes[i], error))
      return FALSE;
  }
  return TRUE;
}

/* A branch inside a body. */
static FvModelGraph *
copy_graph (Inliner *inliner, const FvModelGraph *from, const FvModelNode *call,
    const Function *function, Names *outer, GError **error)
{
  FvModelGraph *to = g_new0 (FvModelGraph, 1);
  Names names = { outer,
    g_hash_table_new_full (fv_name_hash, g_str_equal, g_free, g_free) };
  to->name = g_strdup (from->name);
  define_graph (inliner, from, call->name, &names);
  if (!fill_graph (inliner, from, call, function, &names, to, error))
    g_clear_pointer (&to, fv_model_graph_free);
  g_hash_table_unref (names.map);
  return to;
}

/* A call fits the function, and the function calls not itself. */
static gboolean
check_call (Inliner *inliner, const FvModelNode *call, const Function *function,
    GError **error)
{
  const FvModelGraph *body = function->body;
  FvParser *parser = inliner->parser;
  if (function->is_open)
    return fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
        "node '%s': the function %s.%s calls itself", call->name, call->domain,
        call->op_type);
  if (inliner->depth >= MAX_FUNCTION_DEPTH)
    return fv_parser_fail (parser, error, FV_ERROR_TOO_LARGE,
        "node '%s': functions call each other deeper than %d", call->name,
        MAX_FUNCTION_DEPTH);
  if (call->n_inputs > body->n_inputs || call->n_outputs > body->n_outputs)
    return fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
        "node '%s': calls %s.%s with %u inputs and %u outputs; the function "
        "has %u and %u",
        call->name, call->domain, call->op_type, call->n_inputs,
        call->n_outputs, body->n_inputs, body->n_outputs);
  for (guint i = 0; i < call->n_attrs; i++) {
    if (!g_hash_table_contains (function->attributes, call->attrs[i].name))
      return fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
          "node '%s': the function %s.%s has no attribute '%s'", call->name,
          call->domain, call->op_type, call->attrs[i].name);
    if (call->attrs[i].kind == FV_ATTR_GRAPH)
      return fv_parser_fail (parser, error, FV_ERROR_UNSUPPORTED,
          "node '%s': its attribute '%s' gives a graph to a function, which is "
          "not supported",
          call->name, call->attrs[i].name);
  }
  return TRUE;
}

/* Inputs and outputs of the body become the call's; further outputs of nodes that
 * nobody reads are left out; all else gets names of its own. @passed: outputs that
 * no node of the body writes under their one name. */
static void
bind_names (Inliner *inliner, const FvModelNode *call, const Function *function,
    Names *names, GArray *passed)
{
  const FvModelGraph *body = function->body;
  for (guint i = 0; i < body->n_inputs; i++)
    define (names, body->inputs[i].name,
        i < call->n_inputs ? call->inputs[i] : "");
  for (guint i = 0; i < call->n_outputs; i++) {
    if (call->outputs[i][0] == '\0')
      continue;
    if (g_hash_table_contains (names->map, body->outputs[i].name))
      g_array_append_val (passed, i);
    else
      define (names, body->outputs[i].name, call->outputs[i]);
  }
  for (guint i = 0; i < body->n_outputs; i++)
    if (!g_hash_table_contains (names->map, body->outputs[i].name)
        && !g_hash_table_contains (function->used, body->outputs[i].name))
      define (names, body->outputs[i].name, "");
  define_graph (inliner, body, call->name, names);
}

/* An output that is an input too, or a second time an output. */
static gboolean
pass_through (Inliner *inliner, const FvModelNode *call, const char *source,
    guint output, GArray *made, GError **error)
{
  if (source[0] == '\0')
    return fv_parser_fail (inliner->parser, error, FV_ERROR_MALFORMED,
        "node '%s': output %u of %s.%s is an input that the call leaves out",
        call->name, output, call->domain, call->op_type);
  FvModelNode node = { .name = make_name (inliner, call->name, "Identity"),
    .op_type = g_strdup ("Identity"),
    .domain = g_strdup (""),
    .overload = g_strdup (""),
    .opset =
        GPOINTER_TO_UINT (g_hash_table_lookup (inliner->parser->opsets, "")),
    .n_inputs = 1,
    .n_outputs = 1,
    .inputs = g_new0 (char *, 2),
    .outputs = g_new0 (char *, 2) };
  node.inputs[0] = g_strdup (source);
  node.outputs[0] = g_strdup (call->outputs[output]);
  g_array_append_val (made, node);
  return TRUE;
}

static gboolean
place_node (Inliner *inliner, FvModelNode *node, GArray *made, GError **error);

static gboolean
expand (Inliner *inliner, const FvModelNode *call, Function *function,
    GArray *made, GError **error)
{
  if (!read_function (inliner->parser, function, error)
      || !check_call (inliner, call, function, error))
    return FALSE;
  const FvModelGraph *body = function->body;
  g_autoptr (GArray) passed = g_array_new (FALSE, FALSE, sizeof (guint));
  Names names = { NULL,
    g_hash_table_new_full (fv_name_hash, g_str_equal, g_free, g_free) };
  gboolean done = TRUE;
  bind_names (inliner, call, function, &names, passed);
  function->is_open = TRUE;
  inliner->depth++;
  for (guint i = 0; done && i < body->n_nodes; i++) {
    FvModelNode node = { 0 };
    done = copy_node (inliner, &body->nodes[i], call, function, &names, &node,
               error)
        && place_node (inliner, &node, made, error);
    fv_model_node_clear (&node);
  }
  inliner->depth--;
  function->is_open = FALSE;
  for (guint i = 0; done && i < passed->len; i++) {
    guint output = g_array_index (passed, guint, i);
    done = pass_through (inliner, call,
        renamed (&names, body->outputs[output].name), output, made, error);
  }
  g_hash_table_unref (names.map);
  return done;
}

static gboolean
inline_graph (Inliner *inliner, FvModelGraph *graph, GError **error);

/* Moves @node, or what it calls, to the end of @made. */
static gboolean
place_node (Inliner *inliner, FvModelNode *node, GArray *made, GError **error)
{
  for (guint i = 0; i < node->n_attrs; i++)
    if (node->attrs[i].graph != NULL
        && !inline_graph (inliner, node->attrs[i].graph, error))
      return FALSE;
  Function *function;
  if (!find_function (inliner->parser, node, &function, error))
    return FALSE;
  if (function != NULL)
    return expand (inliner, node, function, made, error);
  g_array_append_val (made, *node);
  *node = (FvModelNode){ 0 };
  return TRUE;
}

static gboolean
inline_graph (Inliner *inliner, FvModelGraph *graph, GError **error)
{
  GArray *made = g_array_new (FALSE, FALSE, sizeof (FvModelNode));
  gboolean done = TRUE;
  for (guint i = 0; i < graph->n_nodes; i++) {
    done = done && place_node (inliner, &graph->nodes[i], made, error);
    fv_model_node_clear (&graph->nodes[i]);
  }
  g_free (graph->nodes);
  graph->n_nodes = made->len;
  graph->nodes = (FvModelNode *) (gpointer) g_array_free (made, FALSE);
  return done;
}

gboolean
fv_inline_functions (FvParser *parser, FvModelGraph *graph, GError **error)
{
  if (g_hash_table_size (parser->functions) == 0
      && !g_hash_table_contains (parser->opsets, FV_CONTRIB_DOMAIN))
    return TRUE;
  Inliner inliner = { .parser = parser,
    .taken = g_hash_table_new_full (fv_name_hash, g_str_equal, g_free, NULL) };
  take_names (&inliner, graph);
  gboolean done = inline_graph (&inliner, graph, error);
  g_hash_table_unref (inliner.taken);
  return done;
}
