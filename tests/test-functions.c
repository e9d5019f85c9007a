/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions of the file: calls become the nodes of the bodies, and what hostile
 * ones do is refused by name. */
#include "gst/engine/ir.h"
#include "tests/fovea-test.h"
#include "tests/model-builder.h"

#include <string.h>

#define FLOAT 1
#define BOOLEAN 9

/* Starts a function: the nodes that follow are its own, up to end_function(). */
static Onnx__FunctionProto *
begin_function (ModelBuilder *b, const char *name, const char *inputs,
    const char *outputs)
{
  Onnx__FunctionProto *function = model_builder_alloc (b, sizeof *function);
  g_auto (GStrv) in = g_strsplit (inputs, " ", -1);
  g_auto (GStrv) out = g_strsplit (outputs, " ", -1);

  onnx__function_proto__init (function);
  function->domain = model_builder_text (b, "local");
  function->name = model_builder_text (b, name);
  for (char **s = in; *s; s++)
    model_builder_append (b, &function->n_input, &function->input,
        model_builder_text (b, *s));
  for (char **s = out; *s; s++)
    model_builder_append (b, &function->n_output, &function->output,
        model_builder_text (b, *s));
  g_assert (!b->graph.n_node);
  model_builder_append (b, &b->model.n_functions, &b->model.functions,
      function);
  return function;
}

static void
end_function (ModelBuilder *b, Onnx__FunctionProto *function)
{
  function->node = b->graph.node;
  function->n_node = b->graph.n_node;
  b->graph.node = NULL;
  b->graph.n_node = 0;
}

static Onnx__NodeProto *
call (ModelBuilder *b, const char *function, const char *name,
    const char *inputs, const char *outputs)
{
  Onnx__NodeProto *node =
      model_builder_node (b, function, name, inputs, outputs);

  node->domain = model_builder_text (b, "local");
  return node;
}

static Onnx__AttributeProto *
add_float (ModelBuilder *b, Onnx__NodeProto *node, const char *name,
    float value)
{
  Onnx__AttributeProto *attr = model_builder_attr (b, node, name, FLOAT);

  attr->has_f = TRUE;
  attr->f = value;
  return attr;
}

static void
refer (ModelBuilder *b, Onnx__NodeProto *node, const char *name, const char *to)
{
  model_builder_attr (b, node, name, FLOAT)->ref_attr_name =
      model_builder_text (b, to);
}

/* "Leak": LeakyRelu whose slope is given by the call, else 0.5. */
static void
add_leak (ModelBuilder *b)
{
  Onnx__FunctionProto *function = begin_function (b, "Leak", "x", "y");
  Onnx__NodeProto holder;
  Onnx__AttributeProto *slope;

  refer (b, model_builder_node (b, "LeakyRelu", "act", "x", "y"), "alpha",
      "slope");
  end_function (b, function);
  onnx__node_proto__init (&holder);
  slope = add_float (b, &holder, "slope", 0.5f);
  model_builder_append (b, &function->n_attribute_proto,
      &function->attribute_proto, slope);
}

static FvModel *
parse (ModelBuilder *b)
{
  g_autoptr (GError) error = NULL;
  FvModel *model = model_builder_parse (b, &error);

  ck_assert_msg (model != NULL, "%s", error ? error->message : "");
  return model;
}

static void
refused (ModelBuilder *b, FvError code, const char *text)
{
  GError *error = NULL;
  gint64 start = g_get_monotonic_time ();
  FvModel *model = model_builder_parse (b, &error);

  ck_assert_ptr_null (model);
  fv_test_error (&error, code, text);
  ck_assert_int_lt (g_get_monotonic_time () - start, 5 * G_USEC_PER_SEC);
}

/* The first output of the model for x = { -2, 3 }. */
static void
expect (ModelBuilder *b, float first, float second)
{
  g_autoptr (FvModel) model = parse (b);
  g_autoptr (GError) error = NULL;
  g_autoptr (FvIr) ir = fv_ir_build (model, NULL, 0, 0, &error);
  FvShape shape = { 2, { 1, 2 } };
  g_autoptr (FvArray) x = fv_array_new (FV_TYPE_F32, &shape, NULL);
  FvArray *y[4] = { NULL };

  ck_assert_msg (ir != NULL, "%s", error ? error->message : "");
  x->f32[0] = -2;
  x->f32[1] = 3;
  ck_assert (fv_ir_run_reference (ir, &x, y, FALSE, NULL, NULL, NULL));
  ck_assert_float_eq_tol (y[0]->f32[0], first, 1e-6);
  ck_assert_float_eq_tol (y[0]->f32[1], second, 1e-6);
  for (guint i = 0; i < 4; i++)
    fv_array_unref (y[i]);
}

static ModelBuilder *
with_input (void)
{
  ModelBuilder *b = model_builder_new ();

  model_builder_input (b, "x", FLOAT, 2, 1, 2);
  return b;
}

START_TEST (attributes)
{
  g_autoptr (ModelBuilder) b = with_input ();
  g_autoptr (FvModel) model = NULL;

  add_leak (b);
  call (b, "Leak", "first", "x", "h");
  add_float (b, call (b, "Leak", "second", "h", "y"), "slope", 0.25f);
  model_builder_output (b, "y");
  expect (b, -0.25f, 3); /* -2 * 0.5 * 0.25 */
  model = parse (b);
  ck_assert_uint_eq (model->graph->n_nodes, 2);
  ck_assert_str_eq (model->graph->nodes[0].name, "first/act");
  ck_assert_str_eq (model->graph->nodes[0].op_type, "LeakyRelu");
  ck_assert_str_eq (model->graph->nodes[1].name, "second/act");
  ck_assert_str_eq (model->graph->nodes[1].outputs[0], "y");
}
END_TEST

/* An attribute neither given nor with a default is the operator's own. */
START_TEST (absent_attribute)
{
  g_autoptr (ModelBuilder) b = with_input ();
  Onnx__FunctionProto *function = begin_function (b, "F", "a", "b");

  refer (b, model_builder_node (b, "LeakyRelu", "", "a", "b"), "alpha", "s");
  end_function (b, function);
  model_builder_append (b, &function->n_attribute, &function->attribute,
      model_builder_text (b, "s"));
  call (b, "F", "c", "x", "y");
  model_builder_output (b, "y");
  expect (b, -0.02f, 3);
}
END_TEST

/* Inner names that are the model's too, twice the same function, nesting. */
START_TEST (scopes)
{
  g_autoptr (ModelBuilder) b = with_input ();
  Onnx__FunctionProto *function;

  add_leak (b);
  function = begin_function (b, "Twice", "y", "x");
  call (b, "Leak", "h", "y", "h");
  call (b, "Leak", "g", "h", "g");
  model_builder_node (b, "Add", "", "h g", "x");
  end_function (b, function);
  model_builder_node (b, "Identity", "h", "x", "one/h");
  call (b, "Twice", "one", "one/h", "g");
  call (b, "Twice", "one", "g", "h");
  model_builder_output (b, "h");
  /* t (v) = 0.5 v + 0.25 v below 0, v + v above */
  expect (b, -2 * 0.75f * 0.75f, 12);
}
END_TEST

START_TEST (absent_inputs_and_outputs)
{
  g_autoptr (ModelBuilder) b = with_input ();
  Onnx__FunctionProto *function =
      begin_function (b, "Bound", "v low high", "a b c");

  model_builder_node (b, "Clip", "", "v low high", "a");
  model_builder_node (b, "Neg", "", "a", "b");
  model_builder_node (b, "Abs", "", "a", "c");
  end_function (b, function);
  model_builder_raw (b, model_builder_initializer (b, "two", FLOAT, 0),
      (float[]){ 2 }, 4);
  call (b, "Bound", "up", "x - two", "- y");
  call (b, "Bound", "all", "y", "u v w");
  model_builder_node (b, "Add", "", "v w", "z");
  model_builder_output (b, "z"); /* min (x, 2): -2, 2; -: 2, -2; 0, 4 */
  expect (b, 0, 4);
}
END_TEST

/* Outputs that are inputs, and one that is named twice. */
START_TEST (passed_through)
{
  g_autoptr (ModelBuilder) b = with_input ();
  Onnx__FunctionProto *function = begin_function (b, "F", "v", "v r r");

  model_builder_node (b, "Relu", "", "v", "r");
  end_function (b, function);
  call (b, "F", "f", "x", "a b c");
  model_builder_node (b, "Sum", "", "a b c", "y");
  model_builder_output (b, "y");
  expect (b, -2, 9);
}
END_TEST

/* Opsets of its own: Clip has attributes up to opset 10, inputs from 11 on. */
START_TEST (own_opset)
{
  g_autoptr (ModelBuilder) b = with_input ();
  Onnx__FunctionProto *function = begin_function (b, "Old", "v", "r");
  Onnx__OperatorSetIdProto *import = model_builder_alloc (b, sizeof *import);
  g_autoptr (FvModel) model = NULL;

  add_float (b, model_builder_node (b, "Clip", "", "v", "r"), "max", 1);
  end_function (b, function);
  onnx__operator_set_id_proto__init (import);
  import->has_version = TRUE;
  import->version = 10;
  model_builder_append (b, &function->n_opset_import, &function->opset_import,
      import);
  call (b, "Old", "old", "x", "h");
  model_builder_node (b, "Relu", "", "h", "y");
  model_builder_output (b, "y");
  expect (b, 0, 1);
  model = parse (b);
  ck_assert_uint_eq (model->graph->nodes[0].opset, 10);
  ck_assert_uint_eq (model->graph->nodes[1].opset, 17);
}
END_TEST

START_TEST (overloads)
{
  g_autoptr (ModelBuilder) b = with_input ();
  Onnx__FunctionProto *function = begin_function (b, "F", "v", "r");

  model_builder_node (b, "Neg", "", "v", "r");
  end_function (b, function);
  function = begin_function (b, "F", "v", "r");
  function->overload = model_builder_text (b, "abs");
  model_builder_node (b, "Abs", "", "v", "r");
  end_function (b, function);
  call (b, "F", "", "x", "h");
  call (b, "F", "", "h", "y")->overload = model_builder_text (b, "abs");
  model_builder_node (b, "Sub", "", "y h", "z");
  model_builder_output (b, "z"); /* |-x| + x */
  expect (b, 0, 6);
}
END_TEST

/* If (@condition) then -(v + k) else |v + k|, where h = v + k and k are seen from
 * the branches, one of which has an "h" of its own. */
static void
add_choice (ModelBuilder *b, const char *leak)
{
  Onnx__FunctionProto *function = begin_function (b, "Choose", "c v", "r");
  Onnx__NodeProto *node;
  Onnx__GraphProto outer;

  model_builder_node (b, "Add", "", "v v", "k");
  node = model_builder_node (b, "If", "if", "c", "r");
  outer = model_builder_open_branch (b);
  call (b, leak, "", "k", "h");
  model_builder_node (b, "Neg", "", "h", "t");
  model_builder_output (b, "t");
  model_builder_close_branch (b, node, "then_branch", &outer);
  outer = model_builder_open_branch (b);
  model_builder_node (b, "Abs", "", "k", "e");
  model_builder_output (b, "e");
  model_builder_close_branch (b, node, "else_branch", &outer);
  end_function (b, function);
}

START_TEST (branches)
{
  g_autoptr (ModelBuilder) b = with_input ();
  guint8 yes = _i == 0;

  add_leak (b);
  add_choice (b, "Leak");
  model_builder_raw (b, model_builder_initializer (b, "c", BOOLEAN, 0), &yes,
      1);
  call (b, "Choose", "f", "c x", "h");
  call (b, "Choose", "g", "c h", "y");
  model_builder_output (b, "y");
  if (yes) /* -leak (2 v): 2, -6; then -4, 6 */
    expect (b, -4, 6);
  else
    expect (b, 8, 12);
}
END_TEST

START_TEST (recursion)
{
  g_autoptr (ModelBuilder) self = with_input ();
  g_autoptr (ModelBuilder) pair = with_input ();
  Onnx__FunctionProto *function = begin_function (self, "F", "v", "r");

  call (self, "F", "", "v", "r");
  end_function (self, function);
  call (self, "F", "start", "x", "y");
  model_builder_output (self, "y");
  refused (self, FV_ERROR_MALFORMED, "the function local.F calls itself");

  function = begin_function (pair, "Choose_", "v", "r");
  call (pair, "Choose", "", "- v", "r");
  end_function (pair, function);
  add_choice (pair, "Choose_"); /* from a branch */
  call (pair, "Choose_", "start", "x", "y");
  model_builder_output (pair, "y");
  refused (pair, FV_ERROR_MALFORMED, "calls itself");
}
END_TEST

/* Each calls the next twice: 2 ^ 30 nodes from a small file. */
START_TEST (doubling)
{
  g_autoptr (ModelBuilder) b = with_input ();

  for (guint i = 0; i < 30; i++) {
    g_autofree char *name = g_strdup_printf ("F%u", i);
    g_autofree char *next = g_strdup_printf ("F%u", i + 1);
    Onnx__FunctionProto *function = begin_function (b, name, "v", "r");

    call (b, next, "", "v", "h");
    call (b, next, "", "h", "r");
    end_function (b, function);
  }
  end_function (b, begin_function (b, "F30", "v", "v"));
  call (b, "F0", "start", "x", "y");
  model_builder_output (b, "y");
  refused (b, FV_ERROR_TOO_LARGE, "takes more memory than a file of its size");
}
END_TEST

START_TEST (long_chain)
{
  g_autoptr (ModelBuilder) b = with_input ();

  for (guint i = 0; i < 1000; i++) {
    g_autofree char *name = g_strdup_printf ("F%u", i);
    g_autofree char *next = g_strdup_printf ("F%u", i + 1);
    Onnx__FunctionProto *function = begin_function (b, name, "v", "r");

    call (b, next, "", "v", "r");
    end_function (b, function);
  }
  call (b, "F0", "start", "x", "y");
  model_builder_output (b, "y");
  refused (b, FV_ERROR_TOO_LARGE, "functions call each other deeper than 32");
}
END_TEST

START_TEST (calls_that_do_not_fit)
{
  static const struct
  {
    const char *inputs, *outputs, *attribute, *text;
  } bad[] = { { "x x", "y", NULL,
                  "node 'call': calls local.Leak with 2 inputs and 1 outputs; "
                  "the function has 1 and 1" },
    { "x", "y z", NULL, "with 1 inputs and 2 outputs" },
    { "x", "y", "alpha", "the function local.Leak has no attribute 'alpha'" } };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (ModelBuilder) b = with_input ();
    Onnx__NodeProto *node;

    add_leak (b);
    node = call (b, "Leak", "call", bad[i].inputs, bad[i].outputs);
    if (bad[i].attribute)
      add_float (b, node, bad[i].attribute, 1);
    model_builder_output (b, "y");
    refused (b, FV_ERROR_MALFORMED, bad[i].text);
  }
}
END_TEST

START_TEST (bad_bodies)
{
  g_autoptr (ModelBuilder) outside = with_input ();
  g_autoptr (ModelBuilder) capture = with_input ();
  g_autoptr (ModelBuilder) twice = with_input ();
  g_autoptr (ModelBuilder) empty = with_input ();
  Onnx__FunctionProto *function;

  refer (outside, model_builder_node (outside, "LeakyRelu", "l", "x", "y"),
      "alpha", "slope");
  model_builder_output (outside, "y");
  refused (outside, FV_ERROR_MALFORMED,
      "'alpha' refers to an attribute of a function, but stands in none");

  function = begin_function (capture, "F", "v", "r");
  model_builder_node (capture, "Add", "sum", "v x", "r");
  end_function (capture, function);
  call (capture, "F", "", "x", "y");
  model_builder_output (capture, "y");
  refused (capture, FV_ERROR_MALFORMED,
      "node 'sum' (Add): its input 'x' is written by no node");

  add_leak (twice);
  add_leak (twice);
  model_builder_output (twice, "x");
  refused (twice, FV_ERROR_MALFORMED, "the function 'local:Leak:' stands");

  end_function (empty, begin_function (empty, "F", "v", "v"));
  call (empty, "F", "c", "-", "y");
  model_builder_output (empty, "y");
  refused (empty, FV_ERROR_MALFORMED,
      "node 'c': output 0 of local.F is an input that the call leaves out");
}
END_TEST

/* What is never called may be anything. */
START_TEST (unused)
{
  g_autoptr (ModelBuilder) b = with_input ();
  Onnx__FunctionProto *function = begin_function (b, "Odd", "v", "r");

  call (b, "Nothing", "", "w", "q");
  end_function (b, function);
  model_builder_node (b, "Relu", "", "x", "y");
  model_builder_output (b, "y");
  expect (b, 0, 3);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("functions");
  TCase *tests = tcase_create ("functions");

  tcase_add_test (tests, attributes);
  tcase_add_test (tests, absent_attribute);
  tcase_add_test (tests, scopes);
  tcase_add_test (tests, absent_inputs_and_outputs);
  tcase_add_test (tests, passed_through);
  tcase_add_test (tests, own_opset);
  tcase_add_test (tests, overloads);
  tcase_add_loop_test (tests, branches, 0, 2);
  tcase_add_test (tests, recursion);
  tcase_add_test (tests, doubling);
  tcase_add_test (tests, long_chain);
  tcase_add_test (tests, calls_that_do_not_fit);
  tcase_add_test (tests, bad_bodies);
  tcase_add_test (tests, unused);
  suite_add_tcase (suite, tests);
  return fv_test_run (suite);
}
