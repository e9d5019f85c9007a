/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/onnx/parse.h"

#include <string.h>
#include <unistd.h>

/* AttributeProto.AttributeType */
static const struct
{
  const char *name;
  FvAttrKind kind; /* NONE: known to ONNX, not to us */
} attr_kinds[] = {
  [0] = { "undefined", FV_ATTR_NONE },
  [1] = { "float", FV_ATTR_FLOAT },
  [2] = { "int", FV_ATTR_INT },
  [3] = { "string", FV_ATTR_STRING },
  [4] = { "tensor", FV_ATTR_TENSOR },
  [5] = { "graph", FV_ATTR_GRAPH },
  [6] = { "list of floats", FV_ATTR_FLOATS },
  [7] = { "list of ints", FV_ATTR_INTS },
  [8] = { "list of strings", FV_ATTR_STRINGS },
  [9] = { "list of tensors", FV_ATTR_NONE },
  [10] = { "list of graphs", FV_ATTR_NONE },
  [11] = { "sparse tensor", FV_ATTR_NONE },
  [12] = { "list of sparse tensors", FV_ATTR_NONE },
  [13] = { "type", FV_ATTR_NONE },
  [14] = { "list of types", FV_ATTR_NONE },
};

static void *
counted_alloc (void *data, size_t size)
{
  FvParser *parser = data;
  if ((guint64) size > (guint64) parser->bytes_left) {
    parser->over = TRUE;
    return NULL;
  }
  /* freeing gives nothing back: what was taken out of a message lives on */
  parser->bytes_left -= size;
  return g_try_malloc (MAX (size, 1));
}

static void
counted_free (void *data, void *pointer)
{
  g_free (pointer);
}

void
fv_parser_init (FvParser *parser, const char *name, const char *folder,
    gsize size)
{
  *parser = (FvParser){
    .name = name,
    .folder = folder,
    .opsets = g_hash_table_new_full (fv_name_hash, g_str_equal, g_free, NULL),
    .allocator = { counted_alloc, counted_free, parser },
    .bytes_left = 4 * (gint64) size + (64 << 20),
    .weights_left = FV_MAX_WEIGHT_BYTES,
    .external_fd = -1,
  };
}

void
fv_parser_clear (FvParser *parser)
{
  if (parser->external_fd >= 0)
    close (parser->external_fd);
  g_free (parser->external_name);
  g_hash_table_unref (parser->opsets);
  g_clear_pointer (&parser->functions, g_hash_table_unref);
}

gboolean
fv_parser_fail (const FvParser *parser, GError **error, FvError code,
    const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  /* names come from the file: of any length, and not all text */
  g_autofree char *shown = g_utf8_make_valid (message, strnlen (message, 1000));
  g_autofree char *name = g_filename_display_name (parser->name);
  g_set_error (error, FV_ERROR, code, "'%s': %s", name, shown);
  return FALSE;
}

ProtobufCMessage *
fv_parser_unpack (FvParser *parser,
    const ProtobufCMessageDescriptor *descriptor, const guint8 *data,
    gsize size, const char *what, GError **error)
{
  ProtobufCMessage *message =
      protobuf_c_message_unpack (descriptor, &parser->allocator, size, data);
  if (message == NULL && parser->over)
    fv_parser_fail (parser, error, FV_ERROR_TOO_LARGE,
        "%s takes more memory to unpack than a file of its size may", what);
  else if (message == NULL)
    fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
        "%s cannot be read: it is damaged, cut short or something else", what);
  return message;
}

gboolean
fv_parser_charge (FvParser *parser, gsize size, const char *what,
    GError **error)
{
  if (size > (guint64) parser->bytes_left)
    return fv_parser_fail (parser, error, FV_ERROR_TOO_LARGE,
        "%s takes more memory than a file of its size may", what);
  parser->bytes_left -= size;
  return TRUE;
}

char *
fv_parser_string (FvParser *parser, char **string, GError **error)
{
  char *result = *string;
  if (result == NULL)
    return g_strdup ("");
  if (!g_utf8_validate (result, -1, NULL)) {
    g_autofree char *shown = g_utf8_make_valid (result, -1);
    fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
        "the name '%.80s' is not UTF-8", shown);
    return NULL;
  }
  *string = NULL;
  return result;
}

gpointer
fv_parser_list (const FvParser *parser, gsize n, gsize item_size,
    GError **error)
{
  gpointer list = g_try_malloc0_n (MAX (n, 1), item_size);
  if (list == NULL || n > G_MAXINT) {
    g_free (list);
    fv_parser_fail (parser, error, FV_ERROR_TOO_LARGE,
        "no memory for a list of %" G_GSIZE_FORMAT " entries", n);
    return NULL;
  }
  return list;
}

/* Takes the strings of a message's list. @list keeps what was taken, for the
 * caller to free, on failure too. */
static gboolean
take_strings (FvParser *parser, char **from, gsize n_from, char ***list,
    guint *n, GError **error)
{
  *list = fv_parser_list (parser, n_from + 1, sizeof **list, error);
  if (*list == NULL)
    return FALSE;
  for (*n = 0; *n < n_from; (*n)++) {
    (*list)[*n] = fv_parser_string (parser, &from[*n], error);
    if ((*list)[*n] == NULL)
      return FALSE;
  }
  return TRUE;
}

static char *
text_of_bytes (FvParser *parser, const ProtobufCBinaryData *bytes,
    const char *owner, GError **error)
{
  if (bytes->len == 0)
    return g_strdup ("");
  if (memchr (bytes->data, 0, bytes->len) != NULL
      || !g_utf8_validate ((const char *) bytes->data, bytes->len, NULL)) {
    fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
        "%s is no text: it has a NUL inside or is not UTF-8", owner);
    return NULL;
  }
  return g_strndup ((const char *) bytes->data, bytes->len);
}

static FvModelGraph *
parse_subgraph (FvParser *parser, const ProtobufCBinaryData *bytes,
    const char *owner, guint depth, GHashTable *outer, GError **error)
{
  if (depth > FV_MAX_SUBGRAPH_DEPTH) {
    fv_parser_fail (parser, error, FV_ERROR_TOO_LARGE,
        "%s: subgraphs are nested deeper than %d", owner,
        FV_MAX_SUBGRAPH_DEPTH);
    return NULL;
  }
  Onnx__GraphProto *proto = (Onnx__GraphProto *) fv_parser_unpack (parser,
      &onnx__graph_proto__descriptor, bytes->data, bytes->len, owner, error);
  if (proto == NULL)
    return NULL;
  FvModelGraph *graph = fv_parse_graph (parser, proto, depth, outer, error);
  onnx__graph_proto__free_unpacked (proto, &parser->allocator);
  return graph;
}

/* Old files leave the type out. */
static guint
attr_type (const Onnx__AttributeProto *proto)
{
  if (proto->has_type && proto->type != 0)
    return proto->type;
  if (proto->has_f)
    return 1;
  if (proto->has_i)
    return 2;
  if (proto->has_s)
    return 3;
  if (proto->n_t > 0)
    return 4;
  if (proto->n_g > 0)
    return 5;
  if (proto->n_floats > 0)
    return 6;
  if (proto->n_ints > 0)
    return 7;
  return proto->n_strings > 0 ? 8 : 0;
}

static gboolean
take_list (FvParser *parser, Onnx__AttributeProto *proto, const char *owner,
    FvAttr *attr, GError **error)
{
  gsize n = MAX (MAX (proto->n_floats, proto->n_ints), proto->n_strings);
  if (n > G_MAXINT)
    return fv_parser_fail (parser, error, FV_ERROR_TOO_LARGE,
        "%s is a list too long", owner);
  switch (attr->kind) {
    case FV_ATTR_FLOATS:
      attr->n = proto->n_floats;
      attr->floats = g_steal_pointer (&proto->floats);
      proto->n_floats = 0;
      return TRUE;
    case FV_ATTR_INTS:
      attr->n = proto->n_ints;
      attr->ints = (gint64 *) g_steal_pointer (&proto->ints);
      proto->n_ints = 0;
      return TRUE;
    default:
      attr->strings =
          fv_parser_list (parser, proto->n_strings + 1, sizeof (char *), error);
      if (attr->strings == NULL)
        return FALSE;
      for (gsize i = 0; i < proto->n_strings; i++) {
        attr->strings[i] =
            text_of_bytes (parser, &proto->strings[i], owner, error);
        if (attr->strings[i] == NULL)
          return FALSE;
        attr->n++;
      }
      return TRUE;
  }
}

static gboolean
take_value (FvParser *parser, Onnx__AttributeProto *proto, const char *owner,
    guint depth, GHashTable *uses, FvAttr *attr, GError **error)
{
  gsize n;
  switch (attr->kind) {
    case FV_ATTR_FLOAT:
      attr->f = proto->f;
      return TRUE;
    case FV_ATTR_INT:
      attr->i = proto->i;
      return TRUE;
    case FV_ATTR_STRING:
      attr->s = text_of_bytes (parser, &proto->s, owner, error);
      return attr->s != NULL;
    case FV_ATTR_TENSOR:
    case FV_ATTR_GRAPH:
      n = attr->kind == FV_ATTR_TENSOR ? proto->n_t : proto->n_g;
      if (n != 1)
        return fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
            "%s must hold one value, it holds %" G_GSIZE_FORMAT, owner, n);
      if (attr->kind == FV_ATTR_TENSOR)
        attr->tensor = fv_parse_tensor (parser, proto->t[0], owner, error);
      else
        attr->graph = parse_subgraph (parser, &proto->g[0], owner, depth + 1,
            uses, error);
      return attr->tensor != NULL || attr->graph != NULL;
    default:
      return take_list (parser, proto, owner, attr, error);
  }
}

/* In a function's body: the call's attribute of that name. */
static gboolean
take_reference (FvParser *parser, Onnx__AttributeProto *proto,
    const char *owner, FvAttr *attr, GError **error)
{
  if (!parser->in_function)
    return fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
        "%s refers to an attribute of a function, but stands in none", owner);
  attr->ref = fv_parser_string (parser, &proto->ref_attr_name, error);
  return attr->ref != NULL;
}

static gboolean
parse_attr (FvParser *parser, Onnx__AttributeProto *proto,
    const FvModelNode *node, guint depth, GHashTable *uses, FvAttr *attr,
    GError **error)
{
  attr->name = fv_parser_string (parser, &proto->name, error);
  if (attr->name == NULL)
    return FALSE;
  g_autofree char *owner = g_strdup_printf ("node '%s' (%s): attribute '%s'",
      node->name, node->op_type, attr->name);
  if (attr->name[0] == '\0')
    return fv_parser_fail (parser, error, FV_ERROR_MALFORMED, "%s has no name",
        owner);
  for (const FvAttr *other = node->attrs; other < attr; other++)
    if (strcmp (other->name, attr->name) == 0)
      return fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
          "%s stands there twice", owner);
  guint type = attr_type (proto);
  if (type == 0 || type >= G_N_ELEMENTS (attr_kinds))
    return fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
        "%s has the type number %u, which ONNX does not have", owner, type);
  attr->kind = attr_kinds[type].kind;
  if (proto->ref_attr_name != NULL && proto->ref_attr_name[0] != '\0')
    return take_reference (parser, proto, owner, attr, error);
  if (attr->kind == FV_ATTR_NONE)
    return fv_parser_fail (parser, error, FV_ERROR_UNSUPPORTED,
        "%s is a %s, which is not supported", owner, attr_kinds[type].name);
  return take_value (parser, proto, owner, depth, uses, attr, error);
}

/* The file's name for the node, or one made up, unique in the graph. */
static gboolean
name_node (FvParser *parser, Onnx__NodeProto *proto, guint index, guint n_nodes,
    GHashTable *names, FvModelNode *node, GError **error)
{
  g_autofree char *given = fv_parser_string (parser, &proto->name, error);
  if (given == NULL)
    return FALSE;
  const char *stem = given[0] != '\0' ? given : node->op_type;
  node->name = g_strdup (given);
  for (guint64 i = index;
       node->name[0] == '\0' || g_hash_table_contains (names, node->name);
       i += n_nodes) {
    g_free (node->name);
    node->name = g_strdup_printf ("%s_%" G_GUINT64_FORMAT, stem, i);
  }
  g_hash_table_add (names, node->name);
  return TRUE;
}

gboolean
fv_parse_attrs (FvParser *parser, Onnx__NodeProto *proto, guint depth,
    GHashTable **uses, FvModelNode *node, GError **error)
{
  /* bounds the search for doubles; no operator has a tenth of it */
  if (proto->n_attribute > 256)
    return fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
        "node '%s' (%s) has %" G_GSIZE_FORMAT " attributes", node->name,
        node->op_type, proto->n_attribute);
  node->attrs =
      fv_parser_list (parser, proto->n_attribute, sizeof *node->attrs, error);
  if (node->attrs == NULL)
    return FALSE;
  for (; node->n_attrs < proto->n_attribute; node->n_attrs++) {
    Onnx__AttributeProto *attribute = proto->attribute[node->n_attrs];
    if (attribute->n_g > 0 && *uses == NULL)
      *uses = g_hash_table_new_full (fv_name_hash, g_str_equal, g_free, NULL);
    if (!parse_attr (parser, attribute, node, depth, *uses,
            &node->attrs[node->n_attrs], error)) {
      node->n_attrs++; /* it may hold something to free */
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
parse_node (FvParser *parser, const Onnx__GraphProto *graph, guint index,
    guint depth, GHashTable *names, GHashTable **uses, FvModelNode *node,
    GError **error)
{
  Onnx__NodeProto *proto = graph->node[index];
  node->op_type = fv_parser_string (parser, &proto->op_type, error);
  node->domain = fv_parser_string (parser, &proto->domain, error);
  node->overload = fv_parser_string (parser, &proto->overload, error);
  if (node->op_type == NULL || node->domain == NULL || node->overload == NULL)
    return FALSE;
  if (node->op_type[0] == '\0')
    return fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
        "node '%s' has no operator", proto->name ? proto->name : "");
  if (strcmp (node->domain, "ai.onnx") == 0)
    node->domain[0] = '\0';
  node->opset =
      GPOINTER_TO_UINT (g_hash_table_lookup (parser->opsets, node->domain));
  return name_node (parser, proto, index, graph->n_node, names, node, error)
      && take_strings (parser, proto->input, proto->n_input, &node->inputs,
          &node->n_inputs, error)
      && take_strings (parser, proto->output, proto->n_output, &node->outputs,
          &node->n_outputs, error)
      && fv_parse_attrs (parser, proto, depth, uses, node, error);
}

static gboolean
parse_dim (FvParser *parser, Onnx__DimensionProto *proto, const char *owner,
    guint axis, gboolean is_input, FvValueInfo *info, GError **error)
{
  gint64 size = proto->has_dim_value ? proto->dim_value : -1;
  if (size < -1)
    return fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
        "%s has the size %" G_GINT64_FORMAT " in dimension %u", owner, size,
        axis);
  /* a list of axes may be empty; elsewhere it is a mistake of the exporter */
  if (size == 0 && is_input
      && (info->shape.rank != 1 || fv_type_is_float (info->type)))
    return fv_parser_fail (parser, error, FV_ERROR_UNSUPPORTED,
        "%s has the size 0 in dimension %u: there would be nothing to compute",
        owner, axis);
  info->shape.dims[axis] = size;
  if (size >= 0 || proto->dim_param == NULL || proto->dim_param[0] == '\0')
    return TRUE;
  info->symbols[axis] = fv_parser_string (parser, &proto->dim_param, error);
  return info->symbols[axis] != NULL;
}

static gboolean
parse_type (FvParser *parser, Onnx__ValueInfoProto *proto, const char *owner,
    gboolean is_input, FvValueInfo *info, GError **error)
{
  const Onnx__TypeProto *type = proto->n_type == 1 ? proto->type[0] : NULL;
  if (proto->n_type > 1 || (type != NULL && type->n_tensor_type > 1))
    return fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
        "%s has several types", owner);
  if (type == NULL && !is_input)
    return TRUE; /* subgraphs often leave it out */
  if (type == NULL || type->n_tensor_type == 0)
    return fv_parser_fail (parser, error, FV_ERROR_UNSUPPORTED,
        "%s is not declared as a tensor; nothing else is supported", owner);
  const Onnx__TensorTypeProto *tensor = type->tensor_type[0];
  if (!fv_parse_type (parser, tensor->elem_type, owner, &info->type, error))
    return FALSE;
  if (tensor->n_shape == 0)
    return TRUE;
  const Onnx__TensorShapeProto *shape = tensor->shape[0];
  if (tensor->n_shape > 1 || shape->n_dim > FV_MAX_RANK)
    return fv_parser_fail (parser, error, FV_ERROR_UNSUPPORTED,
        "%s has %" G_GSIZE_FORMAT " dimensions, at most %d are supported",
        owner, shape->n_dim, FV_MAX_RANK);
  info->has_shape = TRUE;
  info->shape.rank = shape->n_dim;
  for (guint i = 0; i < shape->n_dim; i++)
    if (!parse_dim (parser, shape->dim[i], owner, i, is_input, info, error))
      return FALSE;
  return TRUE;
}

/* @known: (nullable): names that are left out of the list. @strict: the model's
 * own inputs, which must be tensors of some size. */
static gboolean
parse_values (FvParser *parser, Onnx__ValueInfoProto **protos, gsize n_protos,
    GHashTable *known, gboolean strict, const char *kind, FvValueInfo **infos,
    guint *n, GError **error)
{
  *infos = fv_parser_list (parser, n_protos, sizeof **infos, error);
  if (*infos == NULL)
    return FALSE;
  for (gsize i = 0; i < n_protos; i++) {
    const char *name = protos[i]->name;
    if (known != NULL && name != NULL && g_hash_table_contains (known, name))
      continue;
    FvValueInfo *info = &(*infos)[(*n)++];
    info->name = fv_parser_string (parser, &protos[i]->name, error);
    if (info->name == NULL)
      return FALSE;
    g_autofree char *owner = g_strdup_printf ("%s '%s'", kind, info->name);
    if (info->name[0] == '\0')
      return fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
          "%s number %" G_GSIZE_FORMAT " has no name", kind, i);
    if (!parse_type (parser, protos[i], owner, strict, info, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
parse_initializers (FvParser *parser, Onnx__GraphProto *proto,
    GHashTable *names, FvModelGraph *graph, GError **error)
{
  if (proto->n_sparse_initializer > 0)
    return fv_parser_fail (parser, error, FV_ERROR_UNSUPPORTED,
        "sparse initializers are not supported");
  graph->initializers = fv_parser_list (parser, proto->n_initializer,
      sizeof *graph->initializers, error);
  if (graph->initializers == NULL)
    return FALSE;
  for (gsize i = 0; i < proto->n_initializer; i++) {
    FvInitializer *initializer = &graph->initializers[graph->n_initializers++];
    Onnx__TensorProto *tensor = proto->initializer[i];
    initializer->name = fv_parser_string (parser, &tensor->name, error);
    if (initializer->name == NULL)
      return FALSE;
    g_autofree char *owner =
        g_strdup_printf ("initializer '%s'", initializer->name);
    initializer->array = fv_parse_tensor (parser, tensor, owner, error);
    if (initializer->array == NULL)
      return FALSE;
    parser->n_parameters += initializer->array->count;
    g_hash_table_add (names, initializer->name);
  }
  return TRUE;
}

static gboolean
parse_nodes (FvParser *parser, Onnx__GraphProto *proto, guint depth,
    GHashTable **uses, FvModelGraph *graph, GError **error)
{
  g_autoptr (GHashTable) names = g_hash_table_new (fv_name_hash, g_str_equal);
  graph->nodes =
      fv_parser_list (parser, proto->n_node, sizeof *graph->nodes, error);
  if (graph->nodes == NULL)
    return FALSE;
  for (gsize i = 0; i < proto->n_node; i++) {
    graph->n_nodes++;
    if (!parse_node (parser, proto, i, depth, names, &uses[i], &graph->nodes[i],
            error))
      return FALSE;
  }
  return TRUE;
}

FvModelGraph *
fv_parse_graph (FvParser *parser, Onnx__GraphProto *proto, guint depth,
    GHashTable *outer, GError **error)
{
  g_autoptr (GHashTable) known = g_hash_table_new (fv_name_hash, g_str_equal);
  GHashTable **uses =
      fv_parser_list (parser, proto->n_node, sizeof *uses, error);
  if (uses == NULL)
    return NULL;
  FvModelGraph *graph = g_new0 (FvModelGraph, 1);
  graph->name = fv_parser_string (parser, &proto->name, error);
  gboolean done = graph->name != NULL
      && parse_initializers (parser, proto, known, graph, error)
      && parse_values (parser, proto->input, proto->n_input, known, depth == 0,
          "input", &graph->inputs, &graph->n_inputs, error)
      && parse_values (parser, proto->output, proto->n_output, NULL, FALSE,
          "output", &graph->outputs, &graph->n_outputs, error)
      && parse_nodes (parser, proto, depth, uses, graph, error)
      && fv_sort_graph (parser, graph, uses, outer, error);
  for (gsize i = 0; i < proto->n_node; i++)
    g_clear_pointer (&uses[i], g_hash_table_unref);
  g_free (uses);
  if (!done)
    g_clear_pointer (&graph, fv_model_graph_free);
  return graph;
}
