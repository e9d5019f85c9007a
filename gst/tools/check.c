/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fovea check: models against the results that came with them. */
#include "gst/tools/decisions.h"
#include "gst/tools/layers.h"
#include "gst/tools/steps.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One folder. */
typedef struct
{
  Tool *tool;
  gboolean layers;
  guint n_runs;
  JsonBuilder *json; /* (nullable) */
  const char *folder;
  FvModel *model;
  Decisions *decisions;
  FvShape *shapes; /* those of the graph */
  FvGraph *graph;
  DataSet *set;
  FvArray **rounded; /* (nullable) what references give that round to f16 */
  FvArray **exact; /* (nullable) and those that do not */
} Check;

/* Shapes come with the data; a graph is built for each that differs. */
static gboolean
bind_graph (Check *check, GError **error)
{
  guint n = check->set->n_inputs;
  gboolean same = check->graph != NULL;
  for (guint i = 0; same && i < n; i++)
    same = fv_shape_equal (&check->shapes[i], &check->set->inputs[i]->shape);
  if (same)
    return TRUE;
  g_clear_pointer (&check->graph, fv_graph_unref);
  for (guint i = 0; i < n; i++)
    check->shapes[i] = check->set->inputs[i]->shape;
  check->graph =
      tool_graph (check->tool, check->model, check->shapes, FALSE, error);
  return check->graph != NULL;
}

/* What the references alone give, in @precision: in f16 everything that they
 * store is rounded to it. */
static gboolean
run_references (Check *check, FvType precision, FvArray ***outputs,
    GError **error)
{
  if (*outputs != NULL)
    return TRUE;
  FvGraphOptions options = { .precision = precision,
    .shapes = check->shapes,
    .n_shapes = check->set->n_inputs };
  g_autoptr (FvGraph) graph =
      fv_graph_new (NULL, check->model, &options, error);
  if (graph == NULL)
    return FALSE;
  FvArray **arrays = g_new0 (FvArray *, check->set->n_outputs + 1);
  if (!fv_graph_run (graph, check->set->inputs, arrays, error)) {
    free_arrays (arrays, check->set->n_outputs);
    return FALSE;
  }
  *outputs = arrays;
  return TRUE;
}

static gboolean
is_f16 (const Check *check)
{
  return fv_graph_precision (check->graph) == FV_TYPE_F16;
}

static double
tolerance_of (const Check *check)
{
  if (is_f16 (check))
    return TOLERANCE_F16;
  return is_quantized_folder (check->folder) ? TOLERANCE_QUANTIZED
                                             : TOLERANCE_F32;
}

static gboolean
compare_output (Check *check, guint i, const FvArray *got, Comparison *result,
    GError **error)
{
  const FvArray *expected = check->set->outputs[i];
  double tolerance = tolerance_of (check);
  compare_arrays (got, expected, tolerance, result);
  if (result->passed || !is_f16 (check) || !isfinite (result->error)
      || !fv_type_is_float (expected->type)
      || decisions_lead_to (check->decisions, i))
    return TRUE;
  /* Twice what f16 alone costs, where the references are right without it. */
  if (!run_references (check, FV_TYPE_F16, &check->rounded, error)
      || !run_references (check, FV_TYPE_F32, &check->exact, error))
    return FALSE;
  Comparison allowed, exact;
  compare_arrays (check->rounded[i], expected, tolerance, &allowed);
  compare_arrays (check->exact[i], expected, TOLERANCE_F32, &exact);
  if (exact.passed && isfinite (allowed.error) && 2 * allowed.error > tolerance)
    compare_arrays (got, expected, 2 * allowed.error, result);
  return TRUE;
}

static void
report_output (Check *check, guint i, const FvArray *got,
    const Comparison *result)
{
  const char *name = check->model->graph->outputs[i].name;
  if (check->json != NULL) {
    json_builder_begin_object (check->json);
    tool_json_string (check->json, "name", name);
    tool_json_string (check->json, "type", fv_type_name (got->type));
    tool_json_shape (check->json, "shape", &got->shape);
    tool_json_string (check->json, "measure", result->measure);
    tool_json_string (check->json, "how", result->how);
    tool_json_double (check->json, "error", result->error);
    tool_json_double (check->json, "tolerance", result->tolerance);
    tool_json_bool (check->json, "passed", result->passed);
    if (!result->passed)
      tool_json_string (check->json, "problem", result->problem);
    json_builder_end_object (check->json);
    return;
  }
  g_autofree char *shape = fv_shape_to_string (&got->shape);
  printf ("  %s  data set %u  %s %s %s  ", result->passed ? "ok  " : "FAIL",
      check->set->number, name, fv_type_name (got->type), shape);
  if (!result->passed)
    printf ("%s\n", result->problem);
  else
    printf ("%s %.3g <= %.3g%s%s\n", result->measure, result->error,
        result->tolerance, result->how[0] != '\0' ? ", " : "", result->how);
}

/* Quantised nets, on a device in f32: every QuantizeLinear too. */
static gboolean
check_steps (Check *check, gboolean *passed, GError **error)
{
  const char *node;
  Comparison result;
  if (!is_quantized_folder (check->folder) || check->tool->reference
      || is_f16 (check))
    return TRUE;
  if (!compare_steps (check->tool, check->model, check->shapes, check->set,
          &node, &result, error))
    return FALSE;
  *passed &= result.passed;
  if (check->json != NULL) {
    tool_json_string (check->json, "worst_step_node", node);
    tool_json_double (check->json, "worst_steps", result.error);
  } else if (!result.passed) {
    printf ("  FAIL  data set %u  '%s': %s\n", check->set->number, node,
        result.problem);
  } else if (node != NULL) {
    printf ("  ok    data set %u  every QuantizeLinear  steps %g <= %g\n",
        check->set->number, result.error, result.tolerance);
  }
  return TRUE;
}

static gboolean
report_layers (Check *check, GError **error)
{
  BadLayer bad;
  if (!find_bad_layer (check->tool, check->model, check->shapes, check->set,
          &bad, error))
    return FALSE;
  if (check->json != NULL) {
    tool_json_string (check->json, "first_bad_node", bad.node);
    if (bad.node == NULL)
      return TRUE;
    tool_json_string (check->json, "operator", bad.op_type);
    tool_json_string (check->json, "value", bad.value);
    tool_json_string (check->json, "node_problem", bad.comparison.problem);
    tool_json_bool (check->json, "only_fused", bad.only_fused);
  } else if (bad.node == NULL) {
    printf ("        every node is within tolerance of its C reference\n");
  } else {
    printf ("        first bad node: '%s' (%s), its '%s': %s%s\n", bad.node,
        bad.op_type, bad.value, bad.comparison.problem,
        bad.only_fused ? " (only where nodes are fused)" : "");
  }
  return TRUE;
}

/* Outputs that failed, and that a decision leads to, are given the chance to show
 * that it was one between equals. */
static gboolean
compare_decided (Check *check, FvArray **outputs, Comparison *results,
    GError **error)
{
  guint n = check->set->n_outputs;
  gboolean failed = FALSE;
  for (guint i = 0; i < n; i++)
    failed |= !results[i].passed && decisions_lead_to (check->decisions, i);
  if (!failed)
    return TRUE;
  if (!is_f16 (check)) {
    decisions_match (check->decisions, outputs, check->set,
        tolerance_of (check), results);
    return TRUE;
  }
  g_autofree Comparison *decided = g_new0 (Comparison, n);
  FvGraphOptions options =
      tool_options (check->tool, check->model, check->shapes);
  options.precision = FV_TYPE_F16;
  FvArray **got = decisions_run (check->decisions, check->tool->device,
      &options, check->model, check->set, error);
  if (got == NULL)
    return FALSE;
  gboolean done = decisions_judge (check->decisions, got, &options,
      check->model, check->set, decided, error);
  free_arrays (got, decisions_n_values (check->decisions));
  if (!done)
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (decisions_lead_to (check->decisions, i))
      results[i] = decided[i];
  return TRUE;
}

static gboolean
check_outputs (Check *check, FvArray **outputs, gboolean *passed,
    GError **error)
{
  g_autofree Comparison *results = g_new0 (Comparison, check->set->n_outputs);
  for (guint i = 0; i < check->set->n_outputs; i++)
    if (!compare_output (check, i, outputs[i], &results[i], error))
      return FALSE;
  if (!compare_decided (check, outputs, results, error))
    return FALSE;
  for (guint i = 0; i < check->set->n_outputs; i++) {
    report_output (check, i, outputs[i], &results[i]);
    *passed &= results[i].passed;
  }
  return TRUE;
}

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* As often as was asked for. @seconds: the median */
static gboolean
run_data_set (Check *check, FvArray **outputs, double *seconds, GError **error)
{
  g_autofree double *times = g_new0 (double, check->n_runs);
  for (guint i = 0; i < check->n_runs; i++) {
    gint64 start = g_get_monotonic_time ();
    for (guint k = 0; k < check->set->n_outputs; k++)
      g_clear_pointer (&outputs[k], fv_array_unref);
    if (!fv_graph_run (check->graph, check->set->inputs, outputs, error))
      return FALSE;
    times[i] = (g_get_monotonic_time () - start) * 1e-6;
  }
  qsort (times, check->n_runs, sizeof *times, compare_doubles);
  *seconds = times[check->n_runs / 2];
  return TRUE;
}

/* How many dispatches each kernel has. */
static void
json_kernels (Check *check)
{
  FvProgram *program = fv_graph_program (check->graph, 0);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  guint n = fv_program_n_dispatches (program);
  json_builder_set_member_name (check->json, "kernels");
  json_builder_begin_object (check->json);
  for (guint i = 0; i < n; i++) {
    const char *kernel = fv_program_get (program, i)->kernel;
    guint count = 0;
    if (!g_hash_table_add (seen, (gpointer) kernel))
      continue;
    for (guint k = i; k < n; k++)
      count += strcmp (fv_program_get (program, k)->kernel, kernel) == 0;
    tool_json_int (check->json, kernel, count);
  }
  json_builder_end_object (check->json);
}

static void
json_data_set (Check *check, double seconds)
{
  FvGraphStats stats;
  tool_json_int (check->json, "number", check->set->number);
  tool_json_double (check->json, "seconds", seconds);
  if (check->tool->reference)
    return;
  FvDeviceCounters counters;
  fv_graph_stats (check->graph, &stats);
  fv_device_counters (check->tool->device, &counters);
  tool_json_plan (check->json, &stats);
  tool_json_tail (check->json, &stats);
  tool_json_int (check->json, "device_bytes", counters.allocated_bytes);
  json_kernels (check);
}

/* An error closes what JSON it opened. */
static gboolean
check_data_set (Check *check, guint number, gboolean *passed, GError **error)
{
  check->set = data_set_load (check->folder, number, check->model, error);
  if (check->set == NULL || !bind_graph (check, error))
    return FALSE;
  guint n = check->set->n_outputs;
  FvArray **outputs = g_new0 (FvArray *, n + 1);
  double seconds;
  gboolean set_passed = TRUE, done = FALSE;
  if (run_data_set (check, outputs, &seconds, error)) {
    if (check->json != NULL) {
      json_builder_begin_object (check->json);
      json_data_set (check, seconds);
      json_builder_set_member_name (check->json, "outputs");
      json_builder_begin_array (check->json);
    }
    done = check_outputs (check, outputs, &set_passed, error);
    if (check->json != NULL)
      json_builder_end_array (check->json);
    if (done)
      done = check_steps (check, &set_passed, error);
    if (done && check->layers && !check->tool->reference && !set_passed)
      done = report_layers (check, error);
    if (check->json != NULL) {
      tool_json_bool (check->json, "passed", done && set_passed);
      json_builder_end_object (check->json);
    }
  }
  *passed &= set_passed;
  free_arrays (outputs, n);
  return done;
}

static void
clear_set (Check *check)
{
  if (check->set != NULL) {
    free_arrays (check->rounded, check->set->n_outputs);
    free_arrays (check->exact, check->set->n_outputs);
  }
  check->rounded = check->exact = NULL;
  g_clear_pointer (&check->set, data_set_free);
}

static gboolean
check_data_sets (Check *check, gboolean *passed, GError **error)
{
  g_autoptr (GArray) numbers = data_set_list (check->folder, error);
  if (numbers == NULL)
    return FALSE;
  check->model = tool_load (check->tool, check->folder, NULL, NULL, error);
  if (check->model == NULL)
    return FALSE;
  check->decisions = decisions_new (check->model);
  check->shapes = g_new0 (FvShape, check->model->graph->n_inputs + 1);
  gboolean done = TRUE;
  for (guint i = 0; done && i < numbers->len; i++) {
    done = check_data_set (check, g_array_index (numbers, guint, i), passed,
        error);
    clear_set (check);
  }
  return done;
}

static gboolean
check_folder (Tool *tool, gboolean layers, guint n_runs, JsonBuilder *json,
    const char *folder)
{
  Check check = { .tool = tool,
    .layers = layers,
    .n_runs = n_runs,
    .json = json,
    .folder = folder };
  g_autoptr (GError) error = NULL;
  gboolean passed = TRUE;
  if (json != NULL) {
    json_builder_begin_object (json);
    tool_json_string (json, "folder", folder);
    json_builder_set_member_name (json, "data_sets");
    json_builder_begin_array (json);
  } else {
    printf ("%s\n", folder);
  }
  if (!check_data_sets (&check, &passed, &error))
    passed = FALSE;
  if (json != NULL) {
    json_builder_end_array (json);
    if (check.model != NULL)
      tool_json_model (json, check.model);
    if (error != NULL)
      tool_json_string (json, "error", error->message);
    tool_json_bool (json, "passed", passed);
    json_builder_end_object (json);
  } else if (error != NULL) {
    printf ("  FAIL  %s\n", error->message);
  }
  fflush (stdout);
  fv_graph_unref (check.graph);
  decisions_free (check.decisions);
  fv_model_unref (check.model);
  g_free (check.shapes);
  return passed;
}

int
tool_check (Tool *tool, int argc, char **argv)
{
  gboolean layers = FALSE;
  int n_runs = 1;
  const GOptionEntry entries[] = {
    TOOL_PRECISION_ENTRY (tool),
    { "layers", 'l', 0, G_OPTION_ARG_NONE, &layers,
        "name the first node that leaves the tolerance", NULL },
    { "runs", 'n', 0, G_OPTION_ARG_INT, &n_runs,
        "runs of each data set, for their time (default: 1)", "N" },
    { NULL },
  };
  GError *error = NULL;
  int code;
  if (!tool_parse (tool, entries, "FOLDER...",
          "runs model.onnx of each folder on test_data_set_*/input_*.pb and "
          "compares with output_*.pb",
          &argc, &argv, 1, G_MAXINT, &code))
    return code;
  if (layers && tool->reference)
    return tool_usage (tool,
        "--layers compares with the references, so it needs a device");
  if (n_runs < 1 || n_runs > 1000000)
    return tool_usage (tool, "--runs is %d, expected 1 to 1000000", n_runs);
  if (!tool_open_device (tool, &error))
    return tool_fail (tool, error);
  JsonBuilder *json = tool->json ? tool_json_begin () : NULL;
  if (json != NULL) {
    tool_json_string (json, "device", tool_device_title (tool));
    json_builder_set_member_name (json, "folders");
    json_builder_begin_array (json);
  }
  guint n_passed = 0, n = argc - 1;
  for (int i = 1; i < argc; i++)
    n_passed += check_folder (tool, layers, n_runs, json, argv[i]);
  if (json != NULL) {
    json_builder_end_array (json);
    tool_json_bool (json, "passed", n_passed == n);
    tool_json_end (json);
  } else {
    printf ("%u of %u passed on %s\n", n_passed, n, tool_device_title (tool));
  }
  return n_passed == n ? TOOL_OK : TOOL_FAILED;
}
