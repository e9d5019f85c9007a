/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From model to graph: what is bound, folded and inlined, and what is refused,
 * each with one error that names the place, at once. */
#include "gst/engine/plan.h"
#include "gst/engine/tail.h"
#include "tests/fovea-test.h"
#include "tests/model-builder.h"

#include <time.h>

#define FLOAT 1
#define INT64 7
#define BOOLEAN 9
#ifdef __SANITIZE_ADDRESS__
#define SECOND (10 * CLOCKS_PER_SEC) /* as slow as that */
#else
#define SECOND CLOCKS_PER_SEC
#endif

static FvIr *
build (ModelBuilder *b, const FvShape *shape, GError **error)
{
  g_autoptr (FvModel) model = model_builder_parse (b, error);

  ck_assert_msg (model != NULL, "%s", error && *error ? (*error)->message : "");
  return fv_ir_build (model, shape, shape ? 1 : 0, 0, error);
}

/* The graph is refused with @code and @text, within a second of work. */
static void
refused (ModelBuilder *b, const FvShape *shape, FvError code, const char *text)
{
  g_autoptr (GError) error = NULL;
  clock_t start = clock ();
  g_autoptr (FvIr) ir = build (b, shape, &error);

  ck_assert (!ir);
  fv_test_error (&error, code, text);
  ck_assert_int_lt (clock () - start, SECOND);
}

START_TEST (unknown_operator)
{
  g_autoptr (ModelBuilder) b = model_builder_new ();

  model_builder_input (b, "x", FLOAT, 2, 1, 4);
  model_builder_node (b, "Relu", "first", "x", "h");
  model_builder_node (b, "Frobnicate", "second", "h", "y");
  model_builder_output (b, "y");
  refused (b, NULL, FV_ERROR_UNSUPPORTED, "'second': operator Frobnicate");
}
END_TEST

START_TEST (own_operators_are_not_onnx)
{
  g_autoptr (ModelBuilder) b = model_builder_new ();

  model_builder_input (b, "x", FLOAT, 2, 1, 4);
  model_builder_node (b, "fovea.Swish", "sneaky", "x", "y");
  model_builder_output (b, "y");
  refused (b, NULL, FV_ERROR_UNSUPPORTED, "'sneaky': operator fovea.Swish");
}
END_TEST

START_TEST (unknown_attribute)
{
  g_autoptr (ModelBuilder) b = model_builder_new ();
  Onnx__NodeProto *node;

  model_builder_input (b, "x", FLOAT, 2, 1, 4);
  node = model_builder_node (b, "Relu", "act", "x", "y");
  model_builder_int (b, node, "slope", 3);
  model_builder_output (b, "y");
  refused (b, NULL, FV_ERROR_UNSUPPORTED, "unknown attribute 'slope'");
}
END_TEST

START_TEST (free_sizes)
{
  g_autoptr (ModelBuilder) b = model_builder_new ();
  FvShape good = { 2, { 3, 5 } }, rank = { 3, { 3, 5, 1 } };
  FvShape wrong = { 2, { 3, 7 } }, zero = { 2, { 0, 5 } };
  g_autoptr (FvIr) ir = NULL;

  model_builder_input (b, "x", FLOAT, 2, -1, 5);
  model_builder_node (b, "Relu", "act", "x", "y");
  model_builder_output (b, "y");
  refused (b, &rank, FV_ERROR_INVALID, "rank 2");
  refused (b, &wrong, FV_ERROR_INVALID, "size of axis 1");
  refused (b, &zero, FV_ERROR_INVALID, "zero");
  ir = build (b, &good, NULL);
  ck_assert (ir);
  ck_assert_int_eq (((FvValue *) ir->outputs->pdata[0])->shape.dims[0], 3);
  fv_ir_free (g_steal_pointer (&ir));
  ir = build (b, NULL, NULL); /* a free batch is one */
  ck_assert_int_eq (((FvValue *) ir->outputs->pdata[0])->shape.dims[0], 1);
}
END_TEST

START_TEST (free_height)
{
  g_autoptr (ModelBuilder) b = model_builder_new ();

  model_builder_input (b, "x", FLOAT, 4, 1, 3, -1, 8);
  model_builder_node (b, "Relu", "act", "x", "y");
  model_builder_output (b, "y");
  refused (b, NULL, FV_ERROR_INVALID, "size of axis 2");
}
END_TEST

/* Names of sizes: the same in two inputs, one of which says how large. */
START_TEST (symbols)
{
  static const char *const names[] = { "batch", "height" };
  g_autoptr (ModelBuilder) b = model_builder_new ();
  FvShape given[2] = { { 3, { -1, 3, 9 } }, { 2, { -1, -1 } } };
  g_autoptr (FvModel) model = NULL;
  g_autoptr (FvIr) ir = NULL;
  GError *error = NULL;

  for (guint i = 0; i < 2; i++) {
    Onnx__ValueInfoProto *input = i
        ? model_builder_input (b, "mask", FLOAT, 2, -1, -1)
        : model_builder_input (b, "x", FLOAT, 3, -1, 3, -1);
    Onnx__TensorShapeProto *shape = input->type[0]->tensor_type[0]->shape[0];

    shape->dim[0]->dim_param = model_builder_text (b, names[0]);
    shape->dim[2 - i]->dim_param = model_builder_text (b, names[1]);
  }
  model_builder_node (b, "ReduceSum", "sum", "x", "s");
  model_builder_node (b, "Add", "add", "s mask", "y");
  model_builder_output (b, "y");
  model = model_builder_parse (b, NULL);
  ck_assert (model);
  ck_assert (!fv_ir_build (model, NULL, 0, 0, &error));
  fv_test_error (&error, FV_ERROR_INVALID,
      "input 'x': the size of axis 2 (height) is free in the model");
  ir = fv_ir_build (model, given, 2, 0, &error);
  ck_assert_msg (ir != NULL, "%s", error ? error->message : "");
  ck_assert_int_eq (((FvValue *) ir->inputs->pdata[1])->shape.dims[0], 1);
  ck_assert_int_eq (((FvValue *) ir->inputs->pdata[1])->shape.dims[1], 9);
  given[1].dims[0] = 4; /* the other input's batch is the same then */
  fv_ir_free (g_steal_pointer (&ir));
  ir = fv_ir_build (model, given, 2, 0, &error);
  ck_assert_int_eq (((FvValue *) ir->inputs->pdata[0])->shape.dims[0], 4);
  given[1].dims[1] = 8;
  ck_assert (!fv_ir_build (model, given, 2, 0, &error));
  fv_test_error (&error, FV_ERROR_INVALID,
      "input 'mask': the size 'height' is 8 in axis 1, but 9 elsewhere");
}
END_TEST

/* The graph keeps what it has packed; the model is of no further use. */
START_TEST (weights_are_taken)
{
  g_autoptr (ModelBuilder) b = model_builder_new ();
  g_autoptr (FvDevice) device = fv_device_open (NULL, NULL);
  g_autoptr (FvModel) model = NULL;
  g_autoptr (FvArray) x = NULL;
  FvShape shape = { 2, { 1, 2 } };
  FvGraphOptions options = { .take_weights = TRUE };
  FvArray *y[1] = { NULL };
  g_autoptr (FvGraph) graph = NULL;
  GError *error = NULL;

  model_builder_input (b, "x", FLOAT, 2, 1, 2);
  model_builder_raw (b, model_builder_initializer (b, "w", FLOAT, 2, 2, 1),
      (float[]){ 3, 5 }, 8);
  model_builder_node (b, "MatMul", "product", "x w", "y");
  model_builder_output (b, "y");
  model = model_builder_parse (b, NULL);
  options.precision = _i ? FV_TYPE_F16 : FV_TYPE_F32;
  graph = fv_graph_new (device, model, &options, &error);
  ck_assert_msg (graph != NULL, "%s", error ? error->message : "");
  ck_assert (!model->graph->initializers[0].array);
  x = fv_array_new (FV_TYPE_F32, &shape, NULL);
  x->f32[0] = 2;
  x->f32[1] = 4;
  ck_assert (fv_graph_run (graph, &x, y, NULL));
  ck_assert_float_eq (y[0]->f32[0], 26);
  fv_array_unref (y[0]);
  ck_assert (!fv_graph_new (device, model, &options, &error));
  fv_test_error (&error, FV_ERROR_INVALID, "weights were given to another");
}
END_TEST

/* Each attribute that may hold the value of a Constant. */
START_TEST (constants)
{
  static const struct
  {
    const char *name;
    int type, rank;
  } forms[] = { { "value_float", 1, 0 }, { "value_int", 2, 0 },
    { "value_floats", 6, 1 }, { "value_ints", 7, 1 }, { "value", 4, 2 } };
  g_autoptr (ModelBuilder) b = model_builder_new ();
  Onnx__NodeProto *node = model_builder_node (b, "Constant", "c", "", "y");
  Onnx__AttributeProto *attr;
  g_autoptr (FvIr) ir = NULL;
  const FvValue *value;

  node->n_input = 0;
  attr = model_builder_attr (b, node, forms[_i].name, forms[_i].type);
  attr->has_f = attr->has_i = TRUE;
  attr->f = attr->i = 5;
  attr->n_floats = forms[_i].type == 6 ? 2 : 0;
  attr->floats = (float[]){ 5, 6 };
  attr->n_ints = forms[_i].type == 7 ? 2 : 0;
  attr->ints = (gint64[]){ 5, 6 };
  if (forms[_i].type == 4) {
    Onnx__TensorProto *tensor = model_builder_tensor (b, "", FLOAT, 2, 1, 1);

    model_builder_raw (b, tensor, (float[]){ 5 }, 4);
    model_builder_append (b, &attr->n_t, &attr->t, tensor);
  }
  model_builder_output (b, "y");
  ir = build (b, NULL, NULL);
  ck_assert (ir);
  value = ir->outputs->pdata[0];
  ck_assert_int_eq (value->shape.rank, forms[_i].rank);
  ck_assert_int_eq (value->type,
      forms[_i].type == 2 || forms[_i].type == 7 ? FV_TYPE_I64 : FV_TYPE_F32);
  ck_assert_int_eq (fv_array_get_int (value->constant, 0), 5);
}
END_TEST

/* A shape that comes from the data has no rank that could be planned. */
/* A shape that is data: the host makes what is behind it, but for products. */
START_TEST (dynamic_rank)
{
  g_autoptr (ModelBuilder) b = model_builder_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (FvIr) ir = NULL;
  g_autofree char *reason = NULL;

  model_builder_input (b, "x", FLOAT, 2, 2, 2);
  model_builder_node (b, "Cast", "cast", "x", "s");
  model_builder_int (b, b->graph.node[0], "to", INT64);
  model_builder_node (b, "Flatten", "flat", "s", "f");
  model_builder_node (b, "Squeeze", "squeeze", "f", "n");
  model_builder_node (b, "Reshape", "bend", "x n", "y");
  model_builder_node (b, "Relu", "act", "y", "z");
  if (_i)
    model_builder_node (b, "MatMul", "product", "z z", "p");
  model_builder_output (b, _i ? "p" : "z");
  if (_i) {
    refused (b, NULL, FV_ERROR_UNSUPPORTED,
        "node 'product' (MatMul): the host would have to compute it, as it "
        "does from node 'bend' (Reshape) on: input 1 depends on the data");
    return;
  }
  ir = build (b, NULL, &error);
  ck_assert_msg (ir != NULL, "%s", error ? error->message : "");
  ck_assert_uint_eq (ir->tail->nodes->len, 2);
  reason = fv_tail_reason (ir->tail, 1);
  ck_assert_str_eq (reason, "behind 'bend'");
}
END_TEST

/* Nodes that the device has no kernel for, on integers that it cannot hold; those
 * on which nothing depends are not looked at. */
START_TEST (exact_host_tail)
{
  g_autoptr (ModelBuilder) b = model_builder_new ();
  g_autoptr (FvModel) model = NULL;
  g_autoptr (FvDevice) device = fv_device_open (NULL, NULL);
  g_autoptr (FvGraph) graph = NULL;
  g_autoptr (GError) error = NULL;
  FvShape shape = { 1, { 2 } };
  FvArray *inputs[] = { fv_array_new (FV_TYPE_I64, &shape, NULL),
    fv_array_new (FV_TYPE_F32, &shape, NULL) };
  FvArray *out[2] = { NULL };
  FvGraphStats stats;

  model_builder_input (b, "x", INT64, 1, 2);
  model_builder_input (b, "w", FLOAT, 1, 2);
  model_builder_node (b, "NonZero", "unused", "x", "u");
  model_builder_node (b, "Unheard", "unused_too", "u", "v");
  model_builder_node (b, "Unique", "unique", "x", "y");
  model_builder_node (b, "Neg", "minus", "w", "z");
  model_builder_output (b, "y");
  model_builder_output (b, "z");
  model = model_builder_parse (b, NULL);
  ck_assert (device && model);
  graph = fv_graph_new (device, model, NULL, &error);
  ck_assert_msg (graph != NULL, "%s", error ? error->message : "");
  fv_graph_stats (graph, &stats);
  ck_assert_uint_eq (stats.n_tail_nodes, 1);
  ck_assert (g_str_has_prefix (stats.tail_reason, "node 'unique' (Unique): "));
  inputs[0]->i64[0] = ((gint64) 1 << 53) + 1;
  inputs[0]->i64[1] = ((gint64) 1 << 53);
  inputs[1]->f32[1] = 5;
  ck_assert (fv_graph_run (graph, inputs, out, &error));
  ck_assert_int_eq (out[0]->i64[0], (gint64) 1 << 53);
  ck_assert_int_eq (out[0]->i64[1], ((gint64) 1 << 53) + 1);
  ck_assert (out[1]->f32[1] == -5);
  for (guint i = 0; i < 2; i++) {
    fv_array_unref (inputs[i]);
    fv_array_unref (out[i]);
  }
}
END_TEST

START_TEST (zero_sizes)
{
  g_autoptr (ModelBuilder) b = model_builder_new ();

  model_builder_input (b, "x", FLOAT, 4, 1, 3, 2, 2);
  model_builder_initializer (b, "w", FLOAT, 4, 8, 3, 5, 5);
  model_builder_raw (b, b->graph.initializer[0], model_builder_alloc (b, 2400),
      2400);
  model_builder_node (b, "Conv", "large", "x w", "y");
  model_builder_output (b, "y");
  refused (b, NULL, FV_ERROR_MALFORMED, "'large' (Conv");
}
END_TEST

START_TEST (terabytes)
{
  static const gint64 terabyte[] = { 1 << 20, 1 << 20 };
  static const char *const operators[] = { "ConstantOfShape", "Expand",
    "Tile" };
  g_autoptr (ModelBuilder) b = model_builder_new ();

  model_builder_ints (b, "s", 2, terabyte);
  if (_i == 0)
    model_builder_node (b, operators[_i], "big", "s", "h");
  else {
    model_builder_input (b, "x", FLOAT, 2, 1, 1);
    model_builder_node (b, operators[_i], "big", "x s", "h");
  }
  model_builder_node (b, "Relu", "act", "h", "y");
  model_builder_output (b, "y");
  refused (b, NULL, FV_ERROR_TOO_LARGE, "'big'");
}
END_TEST

/* Each is small, all together are too much work: 1 MiB doubled again and again. */
START_TEST (chain_of_tiles)
{
  static const gint64 start[] = { 1 << 18 }, twice[] = { 2 };
  g_autoptr (ModelBuilder) b = model_builder_new ();
  g_autofree char *last = g_strdup ("h");

  model_builder_ints (b, "s", 1, start);
  model_builder_ints (b, "two", 1, twice);
  model_builder_node (b, "ConstantOfShape", "seed", "s", "h");
  for (guint i = 0; i < 40; i++) {
    g_autofree char *inputs = g_strconcat (last, " two", NULL);
    char *out = g_strdup_printf ("t%u", i);

    model_builder_node (b, "Tile", out, inputs, out);
    g_free (last);
    last = out;
  }
  model_builder_output (b, last);
  refused (b, NULL, FV_ERROR_TOO_LARGE, "too much work");
}
END_TEST

START_TEST (shape_arithmetic_folds)
{
  static const gint64 index[] = { 1 }, rest[] = { -1 };
  g_autoptr (ModelBuilder) b = model_builder_new ();
  g_autoptr (FvIr) ir = NULL;
  g_autoptr (GError) error = NULL;

  model_builder_input (b, "x", FLOAT, 3, 2, 6, 4);
  model_builder_ints (b, "i", 1, index);
  model_builder_ints (b, "rest", 1, rest);
  model_builder_node (b, "Shape", "", "x", "s");
  model_builder_node (b, "Gather", "", "s i", "c");
  model_builder_node (b, "Concat", "", "rest c", "t");
  model_builder_int (b, b->graph.node[2], "axis", 0);
  model_builder_node (b, "Reshape", "", "x t", "y");
  model_builder_output (b, "y");
  ir = build (b, NULL, &error);
  ck_assert_msg (ir != NULL, "%s", error ? error->message : "");
  ck_assert_uint_eq (ir->nodes->len, 1);
  ck_assert_int_eq (((FvValue *) ir->outputs->pdata[0])->shape.dims[0], 8);
  ck_assert_int_eq (((FvValue *) ir->outputs->pdata[0])->shape.dims[1], 6);
}
END_TEST

/* A branch of If: o = op (x), x being the outer graph's. */
static void
set_branch (ModelBuilder *b, Onnx__NodeProto *node, const char *name,
    const char *op)
{
  Onnx__GraphProto outer = model_builder_open_branch (b);

  model_builder_node (b, op, "", "x", "o");
  model_builder_output (b, "o");
  model_builder_close_branch (b, node, name, &outer);
}

/* The condition is known: the branch it chooses takes the place of the If. */
START_TEST (if_becomes_its_branch)
{
  g_autoptr (ModelBuilder) b = model_builder_new ();
  guint8 condition = _i;
  Onnx__NodeProto *node;
  g_autoptr (FvIr) ir = NULL;
  g_autoptr (GError) error = NULL;

  model_builder_input (b, "x", FLOAT, 2, 1, 4);
  model_builder_raw (b, model_builder_initializer (b, "c", BOOLEAN, 0),
      &condition, 1);
  node = model_builder_node (b, "If", "choice", "c", "y");
  set_branch (b, node, "then_branch", "Relu");
  set_branch (b, node, "else_branch", "Neg");
  model_builder_output (b, "y");
  ir = build (b, NULL, &error);
  ck_assert_msg (ir != NULL, "%s", error ? error->message : "");
  ck_assert_uint_eq (ir->nodes->len, 1);
  ck_assert_str_eq (((FvNode *) ir->nodes->pdata[0])->op->name,
      _i ? "Relu" : "Neg");
}
END_TEST

/* Each run takes its branch, in the host tail. */
START_TEST (if_on_the_data)
{
  g_autoptr (ModelBuilder) b = model_builder_new ();
  g_autoptr (FvModel) model = NULL;
  g_autoptr (FvGraph) graph = NULL;
  g_autoptr (GError) error = NULL;
  FvShape row = { 2, { 1, 4 } }, scalar = { 0 };
  FvArray *inputs[] = { fv_array_new (FV_TYPE_F32, &row, NULL),
    fv_array_new (FV_TYPE_BOOL, &scalar, NULL) };
  FvArray *result = NULL;
  Onnx__NodeProto *node;

  model_builder_input (b, "x", FLOAT, 2, 1, 4);
  model_builder_input (b, "c", BOOLEAN, 0);
  node = model_builder_node (b, "If", "choice", "c", "y");
  set_branch (b, node, "then_branch", "Relu");
  set_branch (b, node, "else_branch", "Neg");
  model_builder_output (b, "y");
  model = model_builder_parse (b, NULL);
  graph = fv_graph_new (NULL, model, NULL, &error);
  ck_assert_msg (graph != NULL, "%s", error ? error->message : "");
  for (guint taken = 0; taken < 2; taken++) {
    inputs[0]->f32[2] = 3;
    inputs[1]->u8[0] = taken;
    ck_assert (fv_graph_run (graph, inputs, &result, &error));
    ck_assert (result->f32[2] == (taken ? 3 : -3));
    g_clear_pointer (&result, fv_array_unref);
  }
  fv_array_unref (inputs[0]);
  fv_array_unref (inputs[1]);
}
END_TEST

/* Every limit of FvGraphOptions.memory_limit is one of bytes. */
START_TEST (memory_limit)
{
  g_autoptr (ModelBuilder) b = model_builder_new ();
  g_autoptr (FvModel) model = NULL;
  g_autoptr (GError) error = NULL;

  model_builder_input (b, "x", FLOAT, 2, 1024, 1024);
  model_builder_node (b, "Relu", "act", "x", "y");
  model_builder_output (b, "y");
  model = model_builder_parse (b, NULL);
  ck_assert (!fv_ir_build (model, NULL, 0, 1 << 20, &error));
  fv_test_error (&error, FV_ERROR_TOO_LARGE, "'x' is too large");
}
END_TEST

/* Integers are whole floats there; what those cannot hold is refused by name. */
START_TEST (integers_on_the_device)
{
  g_autoptr (ModelBuilder) b = model_builder_new ();
  g_autoptr (FvModel) model = NULL;
  g_autoptr (FvDevice) device = fv_device_open (NULL, NULL);
  g_autoptr (FvArray) ids = NULL, result = NULL;
  g_autoptr (FvGraph) graph = NULL;
  g_autoptr (GError) error = NULL;
  FvGraphOptions options = { .precision = FV_TYPE_F16 };
  FvShape shape = { 2, { 1, 2 } };

  model_builder_input (b, "ids", INT64, 2, 1, 2);
  model_builder_node (b, "Abs", "magnitude", "ids", "y");
  model_builder_output (b, "y");
  model = model_builder_parse (b, NULL);
  ck_assert (device && model);
  graph = fv_graph_new (device, model, &options, &error);
  ck_assert_msg (graph != NULL, "%s", error ? error->message : "");
  ids = fv_array_new (FV_TYPE_I64, &shape, NULL);
  ids->i64[0] = -FV_INTEGER_LIMIT;
  ids->i64[1] = 4097;
  ck_assert (fv_graph_run (graph, &ids, &result, &error));
  ck_assert_int_eq (result->type, FV_TYPE_I64);
  ck_assert_int_eq (result->i64[0], FV_INTEGER_LIMIT);
  ck_assert_int_eq (result->i64[1], 4097);
  g_clear_pointer (&result, fv_array_unref);
  ids->i64[1] = FV_INTEGER_LIMIT + 1;
  ck_assert (!fv_graph_run (graph, &ids, &result, &error));
  fv_test_error (&error, FV_ERROR_INVALID, "'ids' holds 16777217");
}
END_TEST

/* What NonZero finds, squared: as many as there are, and none. */
START_TEST (host_tail)
{
  g_autoptr (ModelBuilder) b = model_builder_new ();
  g_autoptr (FvModel) model = NULL;
  g_autoptr (FvDevice) device = fv_device_open (NULL, NULL);
  FvShape shape = { 1, { 5 } };
  g_autoptr (FvArray) x = fv_array_new (FV_TYPE_F32, &shape, NULL);
  g_autoptr (GError) error = NULL;

  model_builder_input (b, "x", FLOAT, 1, 5);
  model_builder_node (b, "Relu", "act", "x", "r");
  model_builder_node (b, "NonZero", "find", "r", "n");
  model_builder_node (b, "Mul", "square", "n n", "y");
  model_builder_node (b, "Neg", "minus", "r", "z");
  model_builder_output (b, "y");
  model_builder_output (b, "z");
  model = model_builder_parse (b, NULL);
  ck_assert (device && model);
  for (guint with_device = 0; with_device < 2; with_device++) {
    g_autoptr (FvGraph) graph =
        fv_graph_new (with_device ? device : NULL, model, NULL, &error);
    FvArray *out[2] = { NULL };
    FvGraphStats stats;

    ck_assert_msg (graph != NULL, "%s", error ? error->message : "");
    fv_graph_stats (graph, &stats);
    ck_assert_uint_eq (stats.n_tail_nodes, 2);
    for (guint found = 0; found < 4; found++) {
      for (guint i = 0; i < 5; i++)
        x->f32[i] = i < found ? 2 : -1;
      ck_assert (fv_graph_run (graph, &x, out, &error));
      ck_assert_int_eq (out[0]->type, FV_TYPE_I64);
      ck_assert_int_eq (out[0]->shape.dims[1], found);
      for (guint i = 0; i < found; i++)
        ck_assert_int_eq (out[0]->i64[i], i * i);
      for (guint i = 0; i < 5; i++)
        ck_assert (out[1]->f32[i] == (i < found ? -2 : 0));
      g_clear_pointer (&out[0], fv_array_unref);
      g_clear_pointer (&out[1], fv_array_unref);
    }
  }
}
END_TEST

START_TEST (heavy_host_tail)
{
  g_autoptr (ModelBuilder) b = model_builder_new ();

  model_builder_input (b, "x", FLOAT, 1, 5);
  model_builder_node (b, "NonZero", "find", "x", "n");
  model_builder_node (b, "Cast", "floats", "n", "f");
  model_builder_node (b, "MatMul", "product", "f f", "y");
  model_builder_output (b, "y");
  refused (b, NULL, FV_ERROR_UNSUPPORTED, "'product' (MatMul)");
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("build");
  TCase *tcase = tcase_create ("graphs");

  tcase_add_test (tcase, unknown_operator);
  tcase_add_test (tcase, own_operators_are_not_onnx);
  tcase_add_test (tcase, unknown_attribute);
  tcase_add_test (tcase, free_sizes);
  tcase_add_test (tcase, free_height);
  tcase_add_test (tcase, symbols);
  tcase_add_loop_test (tcase, constants, 0, 5);
  tcase_add_loop_test (tcase, weights_are_taken, 0, 2);
  tcase_add_loop_test (tcase, dynamic_rank, 0, 2);
  tcase_add_test (tcase, zero_sizes);
  tcase_add_loop_test (tcase, terabytes, 0, 3);
  tcase_add_test (tcase, chain_of_tiles);
  tcase_add_test (tcase, shape_arithmetic_folds);
  tcase_add_loop_test (tcase, if_becomes_its_branch, 0, 2);
  tcase_add_test (tcase, if_on_the_data);
  tcase_add_test (tcase, memory_limit);
  tcase_add_test (tcase, integers_on_the_device);
  tcase_add_test (tcase, host_tail);
  tcase_add_test (tcase, exact_host_tail);
  tcase_add_test (tcase, heavy_host_tail);
  suite_add_tcase (suite, tcase);
  return fv_test_run (suite);
}
