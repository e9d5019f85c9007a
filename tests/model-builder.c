/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/model-builder.h"

#include <string.h>

gpointer
model_builder_alloc (ModelBuilder *builder, gsize size)
{
  gpointer data = g_malloc0 (MAX (size, 1));
  g_ptr_array_add (builder->memory, data);
  return data;
}

char *
model_builder_text (ModelBuilder *builder, const char *text)
{
  char *copy = g_strdup (text);
  g_ptr_array_add (builder->memory, copy);
  return copy;
}

void
model_builder_append (ModelBuilder *builder, gsize *n, gpointer list,
    gpointer item)
{
  gpointer *old = *(gpointer **) list;
  gpointer *items = model_builder_alloc (builder, (*n + 1) * sizeof (gpointer));
  if (*n > 0)
    memcpy (items, old, *n * sizeof (gpointer));
  items[(*n)++] = item;
  *(gpointer **) list = items;
}

ModelBuilder *
model_builder_new (void)
{
  ModelBuilder *builder = g_new0 (ModelBuilder, 1);
  builder->memory = g_ptr_array_new_with_free_func (g_free);
  onnx__model_proto__init (&builder->model);
  onnx__graph_proto__init (&builder->graph);
  builder->model.has_ir_version = TRUE;
  builder->model.ir_version = 8;
  builder->graph.name = model_builder_text (builder, "test");
  model_builder_append (builder, &builder->model.n_graph, &builder->model.graph,
      &builder->graph);
  Onnx__OperatorSetIdProto *import =
      model_builder_alloc (builder, sizeof *import);
  onnx__operator_set_id_proto__init (import);
  import->has_version = TRUE;
  import->version = 17;
  model_builder_append (builder, &builder->model.n_opset_import,
      &builder->model.opset_import, import);
  return builder;
}

void
model_builder_free (ModelBuilder *builder)
{
  if (builder == NULL)
    return;
  g_ptr_array_unref (builder->memory);
  g_free (builder);
}

static void
append_names (ModelBuilder *builder, gsize *n, char ***list, const char *names)
{
  g_auto (GStrv) parts = g_strsplit (names, " ", -1);
  for (guint i = 0; parts[i] != NULL; i++)
    model_builder_append (builder, n, list,
        model_builder_text (builder, strcmp (parts[i], "-") ? parts[i] : ""));
}

Onnx__NodeProto *
model_builder_node (ModelBuilder *builder, const char *op_type,
    const char *name, const char *inputs, const char *outputs)
{
  Onnx__NodeProto *node = model_builder_alloc (builder, sizeof *node);
  onnx__node_proto__init (node);
  node->op_type = model_builder_text (builder, op_type);
  node->name = model_builder_text (builder, name);
  append_names (builder, &node->n_input, &node->input, inputs);
  append_names (builder, &node->n_output, &node->output, outputs);
  model_builder_append (builder, &builder->graph.n_node, &builder->graph.node,
      node);
  return node;
}

Onnx__AttributeProto *
model_builder_attr (ModelBuilder *builder, Onnx__NodeProto *node,
    const char *name, int type)
{
  Onnx__AttributeProto *attr = model_builder_alloc (builder, sizeof *attr);
  onnx__attribute_proto__init (attr);
  attr->name = model_builder_text (builder, name);
  attr->has_type = TRUE;
  attr->type = type;
  model_builder_append (builder, &node->n_attribute, &node->attribute, attr);
  return attr;
}

static Onnx__TensorProto *
new_tensor (ModelBuilder *builder, const char *name, int type, guint n,
    va_list args)
{
  Onnx__TensorProto *tensor = model_builder_alloc (builder, sizeof *tensor);
  onnx__tensor_proto__init (tensor);
  tensor->name = model_builder_text (builder, name);
  tensor->has_data_type = TRUE;
  tensor->data_type = type;
  tensor->n_dims = n;
  tensor->dims = model_builder_alloc (builder, n * sizeof *tensor->dims);
  for (guint i = 0; i < n; i++)
    tensor->dims[i] = va_arg (args, int);
  return tensor;
}

Onnx__TensorProto *
model_builder_tensor (ModelBuilder *builder, const char *name, int type,
    guint n, ...)
{
  va_list args;
  va_start (args, n);
  Onnx__TensorProto *tensor = new_tensor (builder, name, type, n, args);
  va_end (args);
  return tensor;
}

Onnx__TensorProto *
model_builder_initializer (ModelBuilder *builder, const char *name, int type,
    guint n, ...)
{
  va_list args;
  va_start (args, n);
  Onnx__TensorProto *tensor = new_tensor (builder, name, type, n, args);
  va_end (args);
  model_builder_append (builder, &builder->graph.n_initializer,
      &builder->graph.initializer, tensor);
  return tensor;
}

void
model_builder_raw (ModelBuilder *builder, Onnx__TensorProto *tensor,
    gconstpointer data, gsize size)
{
  tensor->has_raw_data = TRUE;
  tensor->raw_data.data = model_builder_alloc (builder, size);
  tensor->raw_data.len = size;
  if (size > 0)
    memcpy (tensor->raw_data.data, data, size);
}

void
model_builder_external (ModelBuilder *builder, Onnx__TensorProto *tensor,
    const char *key, const char *value)
{
  Onnx__StringStringEntryProto *entry =
      model_builder_alloc (builder, sizeof *entry);
  onnx__string_string_entry_proto__init (entry);
  entry->key = model_builder_text (builder, key);
  entry->value = model_builder_text (builder, value);
  tensor->has_data_location = TRUE;
  tensor->data_location = 1;
  model_builder_append (builder, &tensor->n_external_data,
      &tensor->external_data, entry);
}

void
model_builder_ints (ModelBuilder *builder, const char *name, guint n,
    const gint64 *values)
{
  Onnx__TensorProto *tensor =
      model_builder_initializer (builder, name, 7, 1, (int) n);

  model_builder_raw (builder, tensor, values, n * sizeof *values);
}

void
model_builder_int (ModelBuilder *builder, Onnx__NodeProto *node,
    const char *name, gint64 value)
{
  Onnx__AttributeProto *attr = model_builder_attr (builder, node, name, 2);

  attr->has_i = 1;
  attr->i = value;
}

Onnx__ValueInfoProto *
model_builder_input (ModelBuilder *builder, const char *name, int type, guint n,
    ...)
{
  Onnx__ValueInfoProto *info = model_builder_alloc (builder, sizeof *info);
  Onnx__TypeProto *outer = model_builder_alloc (builder, sizeof *outer);
  Onnx__TensorTypeProto *tensor = model_builder_alloc (builder, sizeof *tensor);
  Onnx__TensorShapeProto *shape = model_builder_alloc (builder, sizeof *shape);
  onnx__value_info_proto__init (info);
  onnx__type_proto__init (outer);
  onnx__tensor_type_proto__init (tensor);
  onnx__tensor_shape_proto__init (shape);
  info->name = model_builder_text (builder, name);
  tensor->has_elem_type = TRUE;
  tensor->elem_type = type;
  va_list args;
  va_start (args, n);
  for (guint i = 0; i < n; i++) {
    Onnx__DimensionProto *dim = model_builder_alloc (builder, sizeof *dim);
    onnx__dimension_proto__init (dim);
    dim->has_dim_value = TRUE;
    dim->dim_value = va_arg (args, int);
    model_builder_append (builder, &shape->n_dim, &shape->dim, dim);
  }
  va_end (args);
  model_builder_append (builder, &tensor->n_shape, &tensor->shape, shape);
  model_builder_append (builder, &outer->n_tensor_type, &outer->tensor_type,
      tensor);
  model_builder_append (builder, &info->n_type, &info->type, outer);
  model_builder_append (builder, &builder->graph.n_input, &builder->graph.input,
      info);
  return info;
}

Onnx__ValueInfoProto *
model_builder_output (ModelBuilder *builder, const char *name)
{
  Onnx__ValueInfoProto *info = model_builder_alloc (builder, sizeof *info);
  onnx__value_info_proto__init (info);
  info->name = model_builder_text (builder, name);
  model_builder_append (builder, &builder->graph.n_output,
      &builder->graph.output, info);
  return info;
}

Onnx__GraphProto
model_builder_open_branch (ModelBuilder *builder)
{
  Onnx__GraphProto outer = builder->graph;
  onnx__graph_proto__init (&builder->graph);
  builder->graph.name = model_builder_text (builder, "branch");
  return outer;
}

void
model_builder_close_branch (ModelBuilder *builder, Onnx__NodeProto *node,
    const char *name, const Onnx__GraphProto *outer)
{
  Onnx__AttributeProto *attr = model_builder_attr (builder, node, name, 5);
  gsize size = onnx__graph_proto__get_packed_size (&builder->graph);
  attr->n_g = 1;
  attr->g = model_builder_alloc (builder, sizeof *attr->g);
  attr->g->data = model_builder_alloc (builder, size);
  attr->g->len = onnx__graph_proto__pack (&builder->graph, attr->g->data);
  builder->graph = *outer;
}

GBytes *
model_builder_pack (ModelBuilder *builder)
{
  gsize size = onnx__model_proto__get_packed_size (&builder->model);
  guint8 *data = g_malloc (MAX (size, 1));
  onnx__model_proto__pack (&builder->model, data);
  return g_bytes_new_take (data, size);
}

FvModel *
model_builder_parse (ModelBuilder *builder, GError **error)
{
  g_autoptr (GBytes) bytes = model_builder_pack (builder);
  return fv_model_parse (bytes, NULL, "test.onnx", error);
}
