/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* data[mask] = values as exporters write it, with NonZero: where all is done row
 * by row it leaves no host tail; where it is not, the tail does it. */
#include "gst/engine/graph.h"
#include "tests/fovea-test.h"
#include "tests/model-builder.h"

#include <string.h>

#define FLOAT 1
#define ROWS 3
#define COLUMNS 4

static void
add_float (ModelBuilder *b, const char *name, float value)
{
  Onnx__TensorProto *tensor = model_builder_initializer (b, name, FLOAT, 0);

  model_builder_raw (b, tensor, &value, sizeof value);
}

/* x and y of [3, 4], "mask" of all or of rows (y's first column), and "at": the
 * positions found, one a row. */
static ModelBuilder *
begin (gboolean of_rows)
{
  ModelBuilder *b = model_builder_new ();
  Onnx__TensorProto *zeroth;

  model_builder_input (b, "x", FLOAT, 2, ROWS, COLUMNS);
  model_builder_input (b, "y", FLOAT, 2, ROWS, COLUMNS);
  add_float (b, "zero", 0);
  add_float (b, "seven", 7);
  model_builder_ints (b, "first", 1, (gint64[]){ 0 });
  model_builder_ints (b, "last", 1, (gint64[]){ G_MAXINT64 });
  model_builder_ints (b, "one", 1, (gint64[]){ 1 });
  model_builder_ints (b, "minus", 1, (gint64[]){ -1 });
  zeroth = model_builder_initializer (b, "zeroth", 7, 0);
  model_builder_raw (b, zeroth, &(gint64){ 0 }, sizeof (gint64));
  if (of_rows)
    model_builder_int (b,
        model_builder_node (b, "Gather", "column", "y zeroth", "g"), "axis", 1);
  model_builder_node (b, "Greater", "ask", of_rows ? "g zero" : "y zero",
      "mask");
  model_builder_node (b, "NonZero", "find", "mask", "n");
  model_builder_node (b, "Transpose", "turn", "n", "at");
  return b;
}

/* "seven", once per position, in the way of PyTorch's exporter. */
static void
add_values (ModelBuilder *b, gboolean of_rows)
{
  Onnx__AttributeProto *value;
  Onnx__TensorProto *unit;
  Onnx__NodeProto *units;

  model_builder_node (b, "Shape", "size", "at", "s");
  model_builder_node (b, "Slice", "found", "s first one", "f");
  if (of_rows) {
    model_builder_ints (b, "width", 1, (gint64[]){ COLUMNS });
    model_builder_int (b,
        model_builder_node (b, "Concat", "join", "f width", "to"), "axis", 0);
  } else {
    model_builder_node (b, "Identity", "join", "f", "to");
  }
  model_builder_node (b, "Shape", "rank", "to", "r");
  units = model_builder_node (b, "ConstantOfShape", "units", "r", "u");
  value = model_builder_attr (b, units, "value", 4);
  unit = model_builder_tensor (b, "unit", 7, 1, 1);
  model_builder_raw (b, unit, &(gint64){ 1 }, sizeof (gint64));
  model_builder_append (b, &value->n_t, &value->t, unit);
  model_builder_node (b, "Equal", "open", "to minus", "o");
  model_builder_node (b, "Where", "sizes", "o u to", "w");
  model_builder_node (b, "Expand", "spread", "seven w", "e");
  model_builder_node (b, "Reshape", "values", "e to", "v");
}

/* Runs it on the device and compares; returns the nodes left to the host. */
static guint
run (ModelBuilder *b, gboolean of_rows, float (*value) (float y))
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FvDevice) device = fv_device_open (NULL, &error);
  g_autoptr (FvModel) model = NULL;
  g_autoptr (FvGraph) graph = NULL;
  FvShape shape = { 2, { ROWS, COLUMNS } };
  FvArray *in[2] = { fv_array_new (FV_TYPE_F32, &shape, NULL),
    fv_array_new (FV_TYPE_F32, &shape, NULL) };
  FvGraphStats stats;

  model_builder_output (b, "z");
  model = model_builder_parse (b, &error);
  ck_assert_msg (device && model, "%s", error ? error->message : "");
  graph = fv_graph_new (device, model, NULL, &error);
  ck_assert_msg (graph != NULL, "%s", error ? error->message : "");
  fv_graph_stats (graph, &stats);
  for (guint masks = 0; masks < 4; masks++) {
    FvArray *out = NULL;

    for (guint i = 0; i < ROWS * COLUMNS; i++) {
      in[0]->f32[i] = i;
      in[1]->f32[i] = (masks == 0 || (i * 5 + masks) % 3) && masks != 3
          ? -1.f - i
          : 1.f + i;
    }
    ck_assert_msg (fv_graph_run (graph, in, &out, &error), "%s",
        error ? error->message : "");
    for (guint i = 0; i < ROWS * COLUMNS; i++) {
      guint asked = of_rows ? i / COLUMNS * COLUMNS : i;
      float expected = in[1]->f32[asked] > 0 ? value (in[1]->f32[i]) : i;

      ck_assert_msg (out->f32[i] == expected, "%g instead of %g at %u",
          out->f32[i], expected, i);
    }
    fv_array_unref (out);
  }
  fv_array_unref (in[0]);
  fv_array_unref (in[1]);
  model_builder_free (b);
  return stats.n_tail_nodes;
}

static float
seven (float y)
{
  return 7;
}

static float
doubled (float y)
{
  return 2 * y;
}

START_TEST (constant_values)
{
  ModelBuilder *b = begin (_i);

  add_values (b, _i);
  model_builder_node (b, "ScatterND", "put", "x at v", "z");
  ck_assert_uint_eq (run (b, _i, seven), 0);
}
END_TEST

/* x[mask] = 2 y[mask] */
START_TEST (values_of_the_same_places)
{
  ModelBuilder *b = begin (_i);

  model_builder_node (b, "GatherND", "take", "y at", "t");
  model_builder_node (b, "Add", "double", "t t", "v");
  model_builder_node (b, "ScatterND", "put", "x at v", "z");
  ck_assert_uint_eq (run (b, _i, doubled), 0);
}
END_TEST

/* The columns of positions apart, and together again. */
START_TEST (indices_apart)
{
  ModelBuilder *b = begin (FALSE);

  model_builder_ints (b, "halves", 2, (gint64[]){ 1, 1 });
  model_builder_int (b,
      model_builder_node (b, "Split", "part", "at halves", "p q"), "axis", 1);
  model_builder_node (b, "Squeeze", "low", "p one", "p1");
  model_builder_node (b, "Squeeze", "high", "q one", "q1");
  model_builder_node (b, "Unsqueeze", "low2", "p1 minus", "p2");
  model_builder_node (b, "Unsqueeze", "high2", "q1 minus", "q2");
  model_builder_int (b,
      model_builder_node (b, "Concat", "pair", "p2 q2", "at2"), "axis", -1);
  add_values (b, FALSE);
  model_builder_node (b, "ScatterND", "put", "x at2 v", "z");
  ck_assert_uint_eq (run (b, FALSE, seven), 0);
}
END_TEST

/* What is not done row by row is left to the host, and right there. */
START_TEST (order_of_rows)
{
  ModelBuilder *b = begin (FALSE);
  const gint64 least = G_MININT64;

  model_builder_ints (b, "least", 1, &least);
  model_builder_node (b, "Slice", "reverse", "at last least first minus",
      "back");
  add_values (b, FALSE);
  model_builder_node (b, "ScatterND", "put", "x back v", "z");
  ck_assert_uint_gt (run (b, FALSE, seven), 0);
}
END_TEST

START_TEST (sums_over_rows)
{
  ModelBuilder *b = begin (FALSE);

  add_values (b, FALSE);
  model_builder_node (b, "CumSum", "sum", "v zeroth", "c");
  model_builder_node (b, "Sub", "less", "c c", "d");
  model_builder_node (b, "Add", "again", "d v", "a");
  model_builder_node (b, "ScatterND", "put", "x at a", "z");
  ck_assert_uint_gt (run (b, FALSE, seven), 0);
}
END_TEST

/* How many there are is not how many there may be. */
START_TEST (number_of_rows)
{
  ModelBuilder *b = begin (FALSE);

  add_values (b, FALSE);
  model_builder_node (b, "Sub", "none", "f f", "d");
  model_builder_int (b, model_builder_node (b, "Cast", "float", "d", "d1"),
      "to", FLOAT);
  model_builder_node (b, "Add", "same", "v d1", "a");
  model_builder_node (b, "ScatterND", "put", "x at a", "z");
  ck_assert_uint_gt (run (b, FALSE, seven), 0);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("selection");
  TCase *tcase = tcase_create ("rows");

  tcase_add_loop_test (tcase, constant_values, 0, 2);
  tcase_add_loop_test (tcase, values_of_the_same_places, 0, 2);
  tcase_add_test (tcase, indices_apart);
  tcase_add_test (tcase, order_of_rows);
  tcase_add_test (tcase, sums_over_rows);
  tcase_add_test (tcase, number_of_rows);
  suite_add_tcase (suite, tcase);
  return fv_test_run (suite);
}
