/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/mutate.h"

#include "gst/engine/op.h"
#include "gst/onnx/onnx.pb-c.h"

#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 3 /* of subgraphs that are opened */

typedef struct
{
  guint32 state;
  FuzzBytes bytes;
  guint depth;
  Onnx__ModelProto *model;
  Onnx__GraphProto *graph; /* that changes; a function's is made for the time */
} Mutator;

static void change_graph (Mutator *m);

/* Numerical Recipes' generator: the same everywhere. */
static guint
below (Mutator *m, gsize n)
{
  m->state = m->state * 1664525 + 1013904223;
  return n ? (m->state >> 8) % n : 0;
}

static gint64
some_int (Mutator *m, gint64 old)
{
  static const gint64 known[] = { 0, 1, -1, 2, 3, 4, 5, 7, 8, 16, 17, 31, 64,
    127, 255, 1000, 4096, 65535, 65536, 1 << 20, G_MAXINT32, G_MININT32,
    G_MAXINT64, G_MININT64, -2, -3, -6, -7, 6 };

  switch (below (m, 5)) {
    case 0:
      return (gint64) ((guint64) old + 1);
    case 1:
      return (gint64) ((guint64) old - 1);
    case 2:
      return (gint64) (-(guint64) old);
    case 3:
      return below (m, 9);
    default:
      return known[below (m, G_N_ELEMENTS (known))];
  }
}

static float
some_float (Mutator *m, float old)
{
  static const float known[] = { 0, 1, -1, 0.5f, 2, 1e-5f, 1e-30f, 1e30f, 65504,
    7e4f, -1e9f, 0.125f, 255, G_MAXFLOAT, -G_MAXFLOAT };

  switch (below (m, 6)) {
    case 0:
      return (float) G_MAXDOUBLE * 0.0f; /* NaN, of infinity */
    case 1:
      return -old;
    case 2:
      return (float) (1e30 * 1e30);
    default:
      return known[below (m, G_N_ELEMENTS (known))];
  }
}

static void
set_text (char **text, const char *value)
{
  free (*text);
  *text = strdup (value);
}

/* Room for one more entry of @size bytes in a message's list; its address. */
static gpointer
grow (gpointer list, gsize *n, gsize size)
{
  gpointer *items = list;

  *items = realloc (*items, (*n + 1) * size);
  memset ((guint8 *) *items + *n * size, 0, size);
  return (guint8 *) *items + (*n)++ * size;
}

static void
remove_at (gpointer list, gsize *n, gsize size, guint i)
{
  memmove ((guint8 *) list + i * size, (guint8 *) list + (i + 1) * size,
      (*n - i - 1) * size);
  (*n)--;
}

static gsize
item_size (int type)
{
  return fv_type_size (fv_type_from_onnx (type));
}

/* Zeroes behind what is there, or less of it: as many as the shape asks for. */
static void
fit_data (Onnx__TensorProto *tensor)
{
  guint64 size = MAX (item_size (tensor->data_type), 1);

  for (gsize i = 0; i < tensor->n_dims; i++) {
    if (tensor->dims[i] < 0 || tensor->dims[i] > 4096)
      return;
    size *= tensor->dims[i];
    if (size > 16384)
      return;
  }
  if (tensor->raw_data.len == size)
    return;
  tensor->raw_data.data = realloc (tensor->raw_data.data, MAX (size, 1));
  if (size > tensor->raw_data.len)
    memset (tensor->raw_data.data + tensor->raw_data.len, 0,
        size - tensor->raw_data.len);
  tensor->raw_data.len = size;
  tensor->has_raw_data = TRUE;
}

static void
change_tensor (Mutator *m, Onnx__TensorProto *tensor)
{
  gsize n = tensor->n_dims;
  gint64 kept;

  switch (below (m, 6)) {
    case 0:
      if (n)
        tensor->dims[below (m, n)] = below (m, 2)
            ? below (m, 9)
            : some_int (m, tensor->dims[below (m, n)]);
      break;
    case 1: /* an axis of one more */
      *(gint64 *) grow (&tensor->dims, &tensor->n_dims, 8) = 1;
      break;
    case 2:
      if (n)
        remove_at (tensor->dims, &tensor->n_dims, 8, below (m, n));
      break;
    case 3:
      if (n > 1) {
        kept = tensor->dims[0];
        tensor->dims[0] = tensor->dims[n - 1];
        tensor->dims[n - 1] = kept;
      }
      break;
    case 4:
      tensor->data_type = below (m, 17);
      break;
    default:
      if (tensor->raw_data.len >= 8 && tensor->data_type == 7 && below (m, 4)) {
        guint8 *at =
            tensor->raw_data.data + 8 * below (m, tensor->raw_data.len / 8);
        memcpy (&kept, at, 8);
        kept = some_int (m, kept);
        memcpy (at, &kept, 8);
      } else if (tensor->raw_data.len)
        m->bytes (tensor->raw_data.data, tensor->raw_data.len,
            tensor->raw_data.len);
  }
  if (below (m, 8))
    fit_data (tensor);
}

static const char *
some_word (Mutator *m)
{
  static const char *const words[] = { "", "SAME_UPPER", "SAME_LOWER", "VALID",
    "NOTSET", "nearest", "linear", "cubic", "bilinear", "bicubic", "half_pixel",
    "align_corners", "asymmetric", "pytorch_half_pixel", "tf_crop_and_resize",
    "half_pixel_symmetric", "floor", "ceil", "round_prefer_ceil", "not_larger",
    "not_smaller", "constant", "edge", "reflect", "wrap", "zeros", "border",
    "reflection", "avg", "max", "DCR", "CRD", "none", "tanh", "add", "mul",
    "min", "ij,jk->ik", "bij,bjk", "...ij->...ji", "ii->i", "bhwc,hkc->bhwk",
    "abc,cd,de->abe", "i,j", "ij->", "output_half_pixel", "LEFT", "RIGHT" };

  return words[below (m, G_N_ELEMENTS (words))];
}

/* Opens the subgraph of @attr, changes it and packs it again. */
static void
change_subgraph (Mutator *m, ProtobufCBinaryData *bytes)
{
  Onnx__GraphProto *outer = m->graph, *inner;

  if (m->depth >= MAX_DEPTH)
    return;
  inner = onnx__graph_proto__unpack (NULL, bytes->len, bytes->data);
  if (!inner)
    return;
  m->graph = inner;
  m->depth++;
  change_graph (m);
  m->depth--;
  m->graph = outer;
  bytes->len = onnx__graph_proto__get_packed_size (inner);
  bytes->data = realloc (bytes->data, MAX (bytes->len, 1));
  onnx__graph_proto__pack (inner, bytes->data);
  onnx__graph_proto__free_unpacked (inner, NULL);
}

static void
change_ints (Mutator *m, Onnx__AttributeProto *attr)
{
  guint i = below (m, attr->n_ints);

  if (attr->n_ints && below (m, 4))
    attr->ints[i] = below (m, 2) ? below (m, 9) : some_int (m, attr->ints[i]);
  else if (attr->n_ints && below (m, 2))
    remove_at (attr->ints, &attr->n_ints, 8, i);
  else
    *(gint64 *) grow (&attr->ints, &attr->n_ints, 8) = below (m, 5);
}

static void
change_attr (Mutator *m, Onnx__AttributeProto *attr)
{
  if (!below (m, 20)) {
    attr->has_type = TRUE;
    attr->type = below (m, 15);
    return;
  }
  if (attr->n_g)
    change_subgraph (m, &attr->g[below (m, attr->n_g)]);
  else if (attr->n_t)
    change_tensor (m, attr->t[below (m, attr->n_t)]);
  else if (attr->n_ints || attr->type == 7)
    change_ints (m, attr);
  else if (attr->n_floats)
    attr->floats[below (m, attr->n_floats)] = some_float (m, attr->floats[0]);
  else if (attr->has_s) {
    const char *word = some_word (m);
    free (attr->s.data);
    attr->s.data = (guint8 *) strdup (word);
    attr->s.len = strlen (word);
  } else if (attr->has_f)
    attr->f = some_float (m, attr->f);
  else
    attr->i = below (m, 2) ? below (m, 9) : some_int (m, attr->i);
}

static const FvOp *
some_op (Mutator *m)
{
  const FvOp *op = NULL;
  guint n = 0;

  for (guint pass = 0; pass < 2; pass++) {
    guint chosen = pass ? below (m, n) : 0, i = 0;

    for (guint t = 0; fv_op_tables[t]; t++)
      for (const FvOp *row = fv_op_tables[t]; row->name; row++, i++)
        if (pass && i == chosen)
          op = row;
    n = i;
  }
  return op;
}

/* One of the attributes that the operator's row declares: "axis:i=-1". */
static void
add_attr (Mutator *m, Onnx__NodeProto *node)
{
  static const char *const codes[] = { "f", "i", "s", "t", "g", "fs", "is",
    "ss" };
  const FvOp *op =
      fv_op_find (node->op_type ? node->op_type : "", 1 + below (m, 23), NULL);
  g_auto (GStrv) words = g_strsplit (op && op->attrs ? op->attrs : "", " ", -1);
  guint n = g_strv_length (words);
  g_autofree char *word = g_strdup (n ? words[below (m, n)] : "");
  char *code = strchr (word, ':');
  Onnx__AttributeProto *attr;

  if (!code)
    return;
  *code++ = 0;
  code[strspn (code, "abcdefghijklmnopqrstuvwxyz")] = 0;
  attr = malloc (sizeof *attr);
  onnx__attribute_proto__init (attr);
  attr->name = strdup (word);
  for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
    if (!strcmp (codes[i], code)) {
      attr->has_type = TRUE;
      attr->type = i + 1;
    }
  attr->has_f = attr->type == 1;
  attr->has_i = attr->type == 2;
  if ((attr->has_s = attr->type == 3))
    attr->s.data = (guint8 *) strdup ("");
  for (guint i = below (m, 5); attr->type != 3 && i; i--)
    change_attr (m, attr);
  change_attr (m, attr);
  *(gpointer *) grow (&node->attribute, &node->n_attribute, sizeof (gpointer)) =
      attr;
}

/* (nullable) The name of an input, a weight or a node's output. */
static const char *
some_value (Mutator *m)
{
  Onnx__GraphProto *g = m->graph;
  gsize total = g->n_input + g->n_initializer + g->n_node;
  guint i = below (m, total);

  if (!total || !below (m, 16))
    return "";
  if (i < g->n_input)
    return g->input[i]->name;
  if ((i -= g->n_input) < g->n_initializer)
    return g->initializer[i]->name;
  i -= g->n_initializer;
  return g->node[i]->n_output
      ? g->node[i]->output[below (m, g->node[i]->n_output)]
      : "";
}

static void
set_value (Mutator *m, char **name)
{
  const char *value = some_value (m);

  if (value)
    set_text (name, value);
}

static void
change_inputs (Mutator *m, Onnx__NodeProto *node)
{
  char *kept;
  guint i = below (m, node->n_input);

  switch (below (m, 5)) {
    case 0:
      set_value (m, grow (&node->input, &node->n_input, sizeof (char *)));
      if (!node->input[node->n_input - 1])
        node->input[node->n_input - 1] = strdup ("");
      break;
    case 1:
      if (node->n_input)
        free (node->input[--node->n_input]);
      break;
    case 2:
      if (node->n_input > 1) {
        kept = node->input[0];
        node->input[0] = node->input[i];
        node->input[i] = kept;
      }
      break;
    default:
      if (node->n_input)
        set_value (m, &node->input[i]);
  }
}

static void
change_node (Mutator *m, Onnx__NodeProto *node)
{
  guint i = below (m, node->n_attribute);
  const FvOp *op = some_op (m);

  switch (below (m, 10)) {
    case 0:
      set_text (&node->op_type, op->name);
      break;
    case 1:
      if (node->n_attribute) {
        onnx__attribute_proto__free_unpacked (node->attribute[i], NULL);
        remove_at (node->attribute, &node->n_attribute, sizeof (gpointer), i);
      }
      break;
    case 2:
    case 3:
      add_attr (m, node);
      break;
    case 4:
      *(char **) grow (&node->output, &node->n_output, sizeof (char *)) =
          g_strdup_printf ("extra%u", below (m, 1000));
      break;
    case 5:
    case 6:
      change_inputs (m, node);
      break;
    default:
      if (node->n_attribute)
        change_attr (m, node->attribute[i]);
      else
        change_inputs (m, node);
  }
}

/* A further node, behind or between the others. */
static Onnx__NodeProto *
insert_node (Mutator *m, const FvOp *op)
{
  Onnx__GraphProto *g = m->graph;
  Onnx__NodeProto *node = malloc (sizeof *node);
  guint n = MAX (op->min_inputs, 1) + below (m, 2);

  onnx__node_proto__init (node);
  node->op_type = strdup (op->name);
  for (guint i = 0; i < MIN (n, 8); i++) {
    char **name = grow (&node->input, &node->n_input, sizeof (char *));
    set_value (m, name);
    if (!*name)
      *name = strdup ("");
  }
  *(char **) grow (&node->output, &node->n_output, sizeof (char *)) =
      g_strdup_printf ("made%u", below (m, 1 << 20));
  *(gpointer *) grow (&g->node, &g->n_node, sizeof (gpointer)) = node;
  return node;
}

/* All that read @from read @to. */
static void
rewire (Mutator *m, const char *from, const char *to, Onnx__NodeProto *but)
{
  Onnx__GraphProto *g = m->graph;
  g_autofree char *kept = g_strdup (from);

  for (gsize i = 0; i < g->n_node; i++)
    for (gsize k = 0; g->node[i] != but && k < g->node[i]->n_input; k++)
      if (!g_strcmp0 (g->node[i]->input[k], kept))
        set_text (&g->node[i]->input[k], to);
  for (gsize i = 0; i < g->n_output; i++)
    if (!g_strcmp0 (g->output[i]->name, kept))
      set_text (&g->output[i]->name, to);
}

static void
change_nodes (Mutator *m)
{
  Onnx__GraphProto *g = m->graph;
  guint i = below (m, g->n_node);
  Onnx__NodeProto *node;

  switch (g->n_node < 64 ? below (m, 4) : 3) {
    case 0: /* behind a value: its users then read the new one */
    case 1:
      node = insert_node (m, some_op (m));
      if (node->n_input)
        rewire (m, node->input[0], node->output[0], node);
      break;
    case 2:
      insert_node (m, some_op (m));
      break;
    default:
      if (!g->n_node)
        return;
      node = g->node[i];
      if (node->n_input && node->n_output)
        rewire (m, node->output[0], node->input[0], node);
      onnx__node_proto__free_unpacked (node, NULL);
      remove_at (g->node, &g->n_node, sizeof (gpointer), i);
  }
}

static void
change_value (Mutator *m, Onnx__ValueInfoProto *info)
{
  Onnx__TensorTypeProto *type;
  Onnx__TensorShapeProto *shape;
  Onnx__DimensionProto *dim;

  if (info->n_type != 1 || info->type[0]->n_tensor_type != 1)
    return;
  type = info->type[0]->tensor_type[0];
  if (!below (m, 6)) {
    type->elem_type = 1 + below (m, 13);
    return;
  }
  if (type->n_shape != 1)
    return;
  shape = type->shape[0];
  if (!below (m, 4)) {
    dim = malloc (sizeof *dim);
    onnx__dimension_proto__init (dim);
    dim->has_dim_value = TRUE;
    dim->dim_value = 1 + below (m, 8);
    *(gpointer *) grow (&shape->dim, &shape->n_dim, sizeof (gpointer)) = dim;
  } else if (shape->n_dim) {
    dim = shape->dim[below (m, shape->n_dim)];
    dim->has_dim_value = below (m, 5) != 0;
    dim->dim_value =
        below (m, 4) ? 1 + below (m, 9) : some_int (m, dim->dim_value);
  }
}

/* A weight becomes an input, so that nothing behind it is folded. */
static void
weight_to_input (Mutator *m)
{
  Onnx__GraphProto *g = m->graph;
  guint i = below (m, g->n_initializer);
  Onnx__TensorProto *from;
  Onnx__ValueInfoProto *info;
  Onnx__TypeProto *outer;
  Onnx__TensorTypeProto *type;
  Onnx__TensorShapeProto *shape;

  if (!g->n_initializer)
    return;
  from = g->initializer[i];
  info = malloc (sizeof *info);
  outer = malloc (sizeof *outer);
  type = malloc (sizeof *type);
  shape = malloc (sizeof *shape);
  onnx__value_info_proto__init (info);
  onnx__type_proto__init (outer);
  onnx__tensor_type_proto__init (type);
  onnx__tensor_shape_proto__init (shape);
  info->name = strdup (from->name ? from->name : "");
  type->has_elem_type = TRUE;
  type->elem_type = from->data_type;
  for (gsize d = 0; d < from->n_dims; d++) {
    Onnx__DimensionProto *dim = malloc (sizeof *dim);

    onnx__dimension_proto__init (dim);
    dim->has_dim_value = TRUE;
    dim->dim_value = from->dims[d];
    *(gpointer *) grow (&shape->dim, &shape->n_dim, sizeof (gpointer)) = dim;
  }
  *(gpointer *) grow (&type->shape, &type->n_shape, sizeof (gpointer)) = shape;
  *(gpointer *) grow (&outer->tensor_type, &outer->n_tensor_type,
      sizeof (gpointer)) = type;
  *(gpointer *) grow (&info->type, &info->n_type, sizeof (gpointer)) = outer;
  *(gpointer *) grow (&g->input, &g->n_input, sizeof (gpointer)) = info;
  onnx__tensor_proto__free_unpacked (from, NULL);
  remove_at (g->initializer, &g->n_initializer, sizeof (gpointer), i);
}

/* The other way: everything behind it is folded. */
static void
input_to_weight (Mutator *m)
{
  Onnx__GraphProto *g = m->graph;
  guint i = below (m, g->n_input);
  Onnx__ValueInfoProto *from;
  Onnx__TensorProto *tensor;
  Onnx__TensorTypeProto *type;

  if (!g->n_input || g->input[i]->n_type != 1
      || g->input[i]->type[0]->n_tensor_type != 1)
    return;
  from = g->input[i];
  type = from->type[0]->tensor_type[0];
  tensor = malloc (sizeof *tensor);
  onnx__tensor_proto__init (tensor);
  tensor->name = strdup (from->name ? from->name : "");
  tensor->has_data_type = TRUE;
  tensor->data_type = type->elem_type;
  for (gsize d = 0; type->n_shape == 1 && d < type->shape[0]->n_dim; d++)
    *(gint64 *) grow (&tensor->dims, &tensor->n_dims, 8) =
        type->shape[0]->dim[d]->has_dim_value
        ? type->shape[0]->dim[d]->dim_value
        : 1;
  fit_data (tensor);
  *(gpointer *) grow (&g->initializer, &g->n_initializer, sizeof (gpointer)) =
      tensor;
  onnx__value_info_proto__free_unpacked (from, NULL);
  remove_at (g->input, &g->n_input, sizeof (gpointer), i);
}

static void
add_output (Mutator *m)
{
  Onnx__ValueInfoProto *info = malloc (sizeof *info);

  onnx__value_info_proto__init (info);
  info->name = strdup ("");
  set_value (m, &info->name);
  *(gpointer *) grow (&m->graph->output, &m->graph->n_output,
      sizeof (gpointer)) = info;
}

static void
change_graph (Mutator *m)
{
  Onnx__GraphProto *g = m->graph;

  switch (below (m, 16)) {
    case 0:
    case 1:
    case 2:
      change_nodes (m);
      break;
    case 3:
    case 4:
      if (g->n_input)
        change_value (m, g->input[below (m, g->n_input)]);
      break;
    case 5:
    case 6:
    case 7:
      if (g->n_initializer)
        change_tensor (m, g->initializer[below (m, g->n_initializer)]);
      break;
    case 8:
      weight_to_input (m);
      break;
    case 9:
      input_to_weight (m);
      break;
    case 10:
      if (g->n_output < 8)
        add_output (m);
      else
        set_value (m, &g->output[below (m, g->n_output)]->name);
      break;
    default:
      if (g->n_node)
        change_node (m, g->node[below (m, g->n_node)]);
  }
}

/* A function's nodes change as a graph's do. */
static void
change_function (Mutator *m, Onnx__FunctionProto *function)
{
  Onnx__GraphProto graph;

  if (!below (m, 6) && function->n_input) {
    set_text (&function->input[below (m, function->n_input)], some_word (m));
    return;
  }
  onnx__graph_proto__init (&graph);
  graph.n_node = function->n_node;
  graph.node = function->node;
  m->graph = &graph;
  if (below (m, 2))
    change_nodes (m);
  else if (graph.n_node)
    change_node (m, graph.node[below (m, graph.n_node)]);
  function->n_node = graph.n_node;
  function->node = graph.node;
}

static void
change_model (Mutator *m)
{
  Onnx__ModelProto *model = m->model;
  guint i = below (m, model->n_opset_import);

  if (!below (m, 24) && model->n_opset_import)
    model->opset_import[i]->version =
        below (m, 8) ? 7 + below (m, 17) : some_int (m, 7);
  else if (!below (m, 6) && model->n_functions)
    change_function (m, model->functions[below (m, model->n_functions)]);
  else if (model->n_graph) {
    m->graph = model->graph[0];
    change_graph (m);
  }
}

gsize
fuzz_mutate (guint8 *data, gsize size, gsize max_size, guint32 seed,
    FuzzBytes bytes)
{
  Mutator m = { .state = seed, .bytes = bytes };
  gsize packed;

  m.model =
      below (&m, 50) ? onnx__model_proto__unpack (NULL, size, data) : NULL;
  if (!m.model)
    return bytes (data, size, max_size);
  for (guint n = 1 + below (&m, 4); n; n--)
    change_model (&m);
  packed = onnx__model_proto__get_packed_size (m.model);
  if (packed <= max_size)
    onnx__model_proto__pack (m.model, data);
  else
    packed = size;
  onnx__model_proto__free_unpacked (m.model, NULL);
  return packed;
}

/* Half of one list's messages moves to the end of the other's. */
#define MOVE(to, from, field, n_field) \
  for (gsize i = 0; i < (from)->n_field; i++) \
    if (below (&m, 2)) { \
      *(gpointer *) grow (&(to)->field, &(to)->n_field, sizeof (gpointer)) = \
          (from)->field[i]; \
      remove_at ((from)->field, &(from)->n_field, sizeof (gpointer), i--); \
    }

gsize
fuzz_cross (const guint8 *data, gsize size, const guint8 *other,
    gsize other_size, guint8 *out, gsize max_size, guint32 seed)
{
  Mutator m = { .state = seed };
  Onnx__ModelProto *a = onnx__model_proto__unpack (NULL, size, data);
  Onnx__ModelProto *b = onnx__model_proto__unpack (NULL, other_size, other);
  gsize packed = 0;

  if (a && b && a->n_graph == 1 && b->n_graph == 1) {
    MOVE (a->graph[0], b->graph[0], node, n_node)
    MOVE (a->graph[0], b->graph[0], initializer, n_initializer)
    MOVE (a->graph[0], b->graph[0], input, n_input)
    MOVE (a->graph[0], b->graph[0], output, n_output)
    MOVE (a, b, functions, n_functions)
    packed = onnx__model_proto__get_packed_size (a);
    if (packed <= max_size)
      onnx__model_proto__pack (a, out);
    else
      packed = 0;
  }
  if (a)
    onnx__model_proto__free_unpacked (a, NULL);
  if (b)
    onnx__model_proto__free_unpacked (b, NULL);
  return packed;
}
