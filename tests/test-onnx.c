/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The importer on files as exporters write them. */
#include "tests/fovea-test.h"
#include "tests/model-builder.h"

#include <string.h>

/* x -> Relu -> y, with what a test adds before */
static ModelBuilder *
small_model (void)
{
  ModelBuilder *builder = model_builder_new ();
  model_builder_input (builder, "x", 1, 4, 1, 3, 8, 8);
  model_builder_node (builder, "Relu", "relu", "x", "y");
  model_builder_output (builder, "y");
  return builder;
}

static FvModel *
parse_well (ModelBuilder *builder)
{
  g_autoptr (GError) error = NULL;
  FvModel *model = model_builder_parse (builder, &error);
  ck_assert_msg (model != NULL, "%s", error ? error->message : "");
  return model;
}

static FvArray *
initializer (FvModel *model, const char *name)
{
  for (guint i = 0; i < model->graph->n_initializers; i++)
    if (strcmp (model->graph->initializers[i].name, name) == 0)
      return model->graph->initializers[i].array;
  ck_abort_msg ("no initializer %s", name);
  return NULL;
}

START_TEST (structure)
{
  g_autoptr (ModelBuilder) builder = small_model ();
  builder->model.producer_name = "maker";
  builder->model.producer_version = "1.2";
  Onnx__DimensionProto *batch =
      builder->graph.input[0]->type[0]->tensor_type[0]->shape[0]->dim[0];
  batch->has_dim_value = FALSE;
  batch->dim_param = "batch";
  /* weights listed as inputs too, as IR version 3 asked for */
  model_builder_input (builder, "w", 1, 1, 2);
  model_builder_raw (builder, model_builder_initializer (builder, "w", 1, 1, 2),
      (float[]){ 1, 2 }, 8);
  g_autoptr (FvModel) model = parse_well (builder);
  ck_assert_str_eq (model->producer, "maker 1.2");
  ck_assert_uint_eq (model->opset, 17);
  ck_assert_int_eq (model->ir_version, 8);
  ck_assert_int_eq (model->n_parameters, 2);
  ck_assert_uint_eq (model->graph->n_inputs, 1);
  const FvValueInfo *input = &model->graph->inputs[0];
  ck_assert_str_eq (input->name, "x");
  ck_assert_int_eq (input->type, FV_TYPE_F32);
  ck_assert_int_eq (input->shape.dims[0], -1);
  ck_assert_str_eq (input->symbols[0], "batch");
  ck_assert_int_eq (input->shape.dims[3], 8);
  ck_assert (!model->graph->outputs[0].has_shape);
  const FvModelNode *node = &model->graph->nodes[0];
  ck_assert_str_eq (node->op_type, "Relu");
  ck_assert_str_eq (node->domain, "");
  ck_assert_uint_eq (node->opset, 17);
  ck_assert_ptr_null (fv_model_node_attr (node, "alpha"));
}
END_TEST

static const struct
{
  const char *name;
  int onnx_type;
  FvType type;
} types[] = { { "float", 1, FV_TYPE_F32 }, { "uint8", 2, FV_TYPE_U8 },
  { "int8", 3, FV_TYPE_I8 }, { "uint16", 4, FV_TYPE_U16 },
  { "int16", 5, FV_TYPE_I16 }, { "int32", 6, FV_TYPE_I32 },
  { "int64", 7, FV_TYPE_I64 }, { "bool", 9, FV_TYPE_BOOL },
  { "float16", 10, FV_TYPE_F16 }, { "double", 11, FV_TYPE_F64 },
  { "uint32", 12, FV_TYPE_U32 }, { "uint64", 13, FV_TYPE_U64 } };

/* The values 1, 0, 3 in the typed field that ONNX prescribes. */
static void
fill_typed (ModelBuilder *builder, Onnx__TensorProto *tensor, FvType type)
{
  static const int values[] = { 1, 0, 3 };
  tensor->float_data = model_builder_alloc (builder, 3 * sizeof (float));
  tensor->double_data = model_builder_alloc (builder, 3 * sizeof (double));
  tensor->int64_data = model_builder_alloc (builder, 3 * sizeof (gint64));
  tensor->uint64_data = model_builder_alloc (builder, 3 * sizeof (guint64));
  tensor->int32_data = model_builder_alloc (builder, 3 * sizeof (gint32));
  for (guint i = 0; i < 3; i++) {
    tensor->float_data[i] = values[i];
    tensor->double_data[i] = values[i];
    tensor->int64_data[i] = values[i];
    tensor->uint64_data[i] = values[i];
    tensor->int32_data[i] =
        type == FV_TYPE_F16 ? fv_f32_to_f16 (values[i]) : values[i];
  }
  if (type == FV_TYPE_F32)
    tensor->n_float_data = 3;
  else if (type == FV_TYPE_F64)
    tensor->n_double_data = 3;
  else if (type == FV_TYPE_I64)
    tensor->n_int64_data = 3;
  else if (type == FV_TYPE_U32 || type == FV_TYPE_U64)
    tensor->n_uint64_data = 3;
  else
    tensor->n_int32_data = 3;
}

START_TEST (every_encoding)
{
  g_autoptr (ModelBuilder) builder = small_model ();
  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    g_autofree char *raw_name = g_strconcat (types[i].name, "_raw", NULL);
    fill_typed (builder,
        model_builder_initializer (builder, types[i].name, types[i].onnx_type,
            1, 3),
        types[i].type);
    FvShape shape = { 1, { 3 } };
    g_autoptr (FvArray) array = fv_array_new (types[i].type, &shape, NULL);
    fv_array_set_int (array, 0, 1);
    fv_array_set_int (array, 2, 3);
    model_builder_raw (builder,
        model_builder_initializer (builder, raw_name, types[i].onnx_type, 1, 3),
        array->data, array->size);
  }
  g_autoptr (FvModel) model = parse_well (builder);
  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    g_autofree char *raw_name = g_strconcat (types[i].name, "_raw", NULL);
    FvArray *typed = initializer (model, types[i].name);
    FvArray *raw = initializer (model, raw_name);
    gint64 last = types[i].type == FV_TYPE_BOOL ? 1 : 3;
    ck_assert_int_eq (typed->type, types[i].type);
    ck_assert_int_eq (typed->count, 3);
    ck_assert_int_eq (fv_array_get_int (typed, 0), 1);
    ck_assert_int_eq (fv_array_get_int (typed, 1), 0);
    ck_assert_int_eq (fv_array_get_int (typed, 2), last);
    ck_assert_mem_eq (typed->data, raw->data, raw->size);
  }
}
END_TEST

START_TEST (empty_and_scalar)
{
  g_autoptr (ModelBuilder) builder = small_model ();
  model_builder_initializer (builder, "empty", 1, 1, 0);
  model_builder_raw (builder,
      model_builder_initializer (builder, "none", 7, 2, 0, 4), "", 0);
  model_builder_raw (builder, model_builder_initializer (builder, "one", 1, 0),
      &(float){ 2.5 }, 4);
  g_autoptr (FvModel) model = parse_well (builder);
  ck_assert_int_eq (initializer (model, "empty")->count, 0);
  ck_assert_int_eq (initializer (model, "none")->shape.dims[1], 4);
  ck_assert_uint_eq (initializer (model, "one")->shape.rank, 0);
  ck_assert_float_eq (initializer (model, "one")->f32[0], 2.5);
}
END_TEST

static void
external_tensor (ModelBuilder *builder, const char *offset, const char *length)
{
  Onnx__TensorProto *tensor = model_builder_initializer (builder, "w", 1, 1, 2);
  model_builder_external (builder, tensor, "location", "w.bin");
  if (offset != NULL)
    model_builder_external (builder, tensor, "offset", offset);
  if (length != NULL)
    model_builder_external (builder, tensor, "length", length);
}

START_TEST (external_data)
{
  static const float data[] = { 1, 2, 3, 4 };
  g_autofree char *path = fv_test_write ("w.bin", data, sizeof data);
  g_autoptr (ModelBuilder) builder = small_model ();
  external_tensor (builder, "4", "8");
  g_autoptr (GBytes) bytes = model_builder_pack (builder);
  g_autofree char *model_path = fv_test_write ("model.onnx",
      g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_autoptr (GError) error = NULL;
  g_autoptr (FvModel) model = fv_model_load (model_path, &error);
  ck_assert_msg (model != NULL, "%s", error ? error->message : "");
  ck_assert_str_eq (model->path, model_path);
  ck_assert_float_eq (initializer (model, "w")->f32[0], 2);
  ck_assert_float_eq (initializer (model, "w")->f32[1], 3);
}
END_TEST

START_TEST (attributes)
{
  g_autoptr (ModelBuilder) builder = small_model ();
  Onnx__NodeProto *node = model_builder_node (builder, "Constant", "", "", "c");
  Onnx__AttributeProto *number =
      model_builder_attr (builder, node, "an_int", 2);
  number->has_i = TRUE;
  number->i = -7;
  number = model_builder_attr (builder, node, "a_float", 1);
  number->has_f = TRUE;
  number->f = 0.5;
  Onnx__AttributeProto *text = model_builder_attr (builder, node, "text", 3);
  text->has_s = TRUE;
  text->s.data = (guint8 *) model_builder_text (builder, "linear");
  text->s.len = 6;
  Onnx__AttributeProto *ints = model_builder_attr (builder, node, "ints", 7);
  ints->ints = model_builder_alloc (builder, 2 * sizeof *ints->ints);
  ints->ints[0] = 3;
  ints->ints[1] = -1;
  ints->n_ints = 2;
  model_builder_attr (builder, node, "none", 6);
  Onnx__AttributeProto *texts = model_builder_attr (builder, node, "texts", 8);
  texts->strings = &text->s;
  texts->n_strings = 1;
  Onnx__TensorProto *tensor = model_builder_tensor (builder, "t", 1, 1, 1);
  model_builder_raw (builder, tensor, &(float){ 3 }, 4);
  Onnx__AttributeProto *value = model_builder_attr (builder, node, "value", 0);
  value->has_type = FALSE; /* as IR version 1 had it */
  model_builder_append (builder, &value->n_t, &value->t, tensor);
  g_autoptr (FvModel) model = parse_well (builder);
  const FvModelNode *parsed = &model->graph->nodes[1];
  ck_assert_str_eq (parsed->name, "Constant_1");
  ck_assert_int_eq (fv_model_node_attr (parsed, "an_int")->i, -7);
  ck_assert_float_eq (fv_model_node_attr (parsed, "a_float")->f, 0.5);
  ck_assert_str_eq (fv_model_node_attr (parsed, "text")->s, "linear");
  ck_assert_uint_eq (fv_model_node_attr (parsed, "ints")->n, 2);
  ck_assert_int_eq (fv_model_node_attr (parsed, "ints")->ints[1], -1);
  ck_assert_uint_eq (fv_model_node_attr (parsed, "none")->n, 0);
  ck_assert_int_eq (fv_model_node_attr (parsed, "none")->kind, FV_ATTR_FLOATS);
  ck_assert_str_eq (fv_model_node_attr (parsed, "texts")->strings[0], "linear");
  ck_assert_int_eq (fv_model_node_attr (parsed, "value")->kind, FV_ATTR_TENSOR);
  ck_assert_float_eq (fv_model_node_attr (parsed, "value")->tensor->f32[0], 3);
}
END_TEST

START_TEST (order)
{
  g_autoptr (ModelBuilder) builder = model_builder_new ();
  model_builder_input (builder, "x", 1, 1, 4);
  model_builder_node (builder, "Add", "last", "b a -", "y");
  model_builder_node (builder, "Relu", "first", "x", "a");
  model_builder_node (builder, "Neg", "dup", "x", "unused");
  model_builder_node (builder, "Abs", "dup", "a", "b");
  model_builder_output (builder, "y");
  g_autoptr (FvModel) model = parse_well (builder);
  static const char *const names[] = { "first", "dup_3", "last", "dup" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    ck_assert_str_eq (model->graph->nodes[i].name, names[i]);
  ck_assert_str_eq (model->graph->nodes[2].inputs[2], "");
}
END_TEST

/* An If whose branch uses a value made by a node that stands behind it. */
START_TEST (subgraph)
{
  g_autoptr (ModelBuilder) inner = model_builder_new ();
  model_builder_node (inner, "Relu", "inside", "late", "out");
  model_builder_output (inner, "out");
  gsize size = onnx__graph_proto__get_packed_size (&inner->graph);
  g_autofree guint8 *packed = g_malloc (size);
  onnx__graph_proto__pack (&inner->graph, packed);

  g_autoptr (ModelBuilder) builder = model_builder_new ();
  model_builder_input (builder, "x", 1, 1, 4);
  Onnx__NodeProto *node = model_builder_node (builder, "If", "if", "x", "y");
  Onnx__AttributeProto *attr =
      model_builder_attr (builder, node, "then_branch", 5);
  attr->g = model_builder_alloc (builder, sizeof *attr->g);
  attr->g[0] = (ProtobufCBinaryData){ size, packed };
  attr->n_g = 1;
  model_builder_node (builder, "Neg", "neg", "x", "late");
  model_builder_output (builder, "y");
  g_autoptr (FvModel) model = parse_well (builder);
  ck_assert_str_eq (model->graph->nodes[0].name, "neg");
  const FvAttr *branch =
      fv_model_node_attr (&model->graph->nodes[1], "then_branch");
  ck_assert_int_eq (branch->kind, FV_ATTR_GRAPH);
  ck_assert_str_eq (branch->graph->nodes[0].name, "inside");
}
END_TEST

START_TEST (long_chain)
{
  g_autoptr (ModelBuilder) builder = model_builder_new ();
  model_builder_input (builder, "x", 1, 1, 4);
  const guint n = 2000;
  for (guint i = n; i > 0; i--) {
    g_autofree char *from = g_strdup_printf (i == 1 ? "x" : "v%u", i - 1);
    g_autofree char *to = g_strdup_printf ("v%u", i);
    model_builder_node (builder, "Relu", "", from, to);
  }
  g_autofree char *last = g_strdup_printf ("v%u", n);
  model_builder_output (builder, last);
  g_autoptr (FvModel) model = parse_well (builder);
  ck_assert_str_eq (model->graph->nodes[0].inputs[0], "x");
  ck_assert_str_eq (model->graph->nodes[n - 1].outputs[0], last);
}
END_TEST

START_TEST (tensor_files)
{
  g_autoptr (ModelBuilder) builder = model_builder_new ();
  Onnx__TensorProto *tensor = model_builder_tensor (builder, "in", 1, 2, 1, 2);
  model_builder_raw (builder, tensor, (float[]){ 5, 6 }, 8);
  guint8 packed[256];
  gsize size = onnx__tensor_proto__pack (tensor, packed);
  g_autofree char *path = fv_test_write ("input_0.pb", packed, size);
  g_autofree char *name = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (FvArray) array = fv_array_load_pb (path, &name, &error);
  ck_assert_msg (array != NULL, "%s", error ? error->message : "");
  ck_assert_str_eq (name, "in");
  ck_assert_float_eq (array->f32[1], 6);
}
END_TEST

static guint
load_folder (const char *path)
{
  GDir *dir = g_dir_open (path, 0, NULL);
  ck_assert_ptr_nonnull (dir);
  const char *name;
  guint n = 0;
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *child = g_build_filename (path, name, NULL);
    g_autoptr (GError) error = NULL;
    if (g_file_test (child, G_FILE_TEST_IS_DIR)) {
      n += load_folder (child);
    } else if (g_str_has_suffix (name, ".onnx")) {
      g_autoptr (FvModel) model = fv_model_load (child, &error);
      ck_assert_msg (model != NULL, "%s", error ? error->message : "");
      ck_assert_uint_gt (model->graph->n_nodes, 0);
      n++;
    } else if (g_str_has_suffix (name, ".pb")) {
      g_autoptr (FvArray) array = fv_array_load_pb (child, NULL, &error);
      ck_assert_msg (array != NULL, "%s", error ? error->message : "");
    }
  }
  g_dir_close (dir);
  return n;
}

START_TEST (zoo)
{
  static const char *const folders[] = { "zoo", "material/models" };
  g_autofree char *path = fv_test_shared (folders[_i]);
  if (path != NULL)
    ck_assert_uint_gt (load_folder (path), 10);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("onnx");
  TCase *tests = tcase_create ("onnx");
  tcase_add_test (tests, structure);
  tcase_add_test (tests, every_encoding);
  tcase_add_test (tests, empty_and_scalar);
  tcase_add_test (tests, external_data);
  tcase_add_test (tests, attributes);
  tcase_add_test (tests, order);
  tcase_add_test (tests, subgraph);
  tcase_add_test (tests, long_chain);
  tcase_add_test (tests, tensor_files);
  tcase_add_loop_test (tests, zoo, 0, 2);
  suite_add_tcase (suite, tests);
  return fv_test_run (suite);
}
