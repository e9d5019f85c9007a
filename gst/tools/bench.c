/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fovea bench: what a model costs. */
#include "gst/tools/costs.h"
#include "gst/tools/dataset.h"
#include "gst/tools/tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define MAX_MODELS 100 /* all of them stay loaded */

/* Sorted seconds of some runs. */
typedef struct
{
  double median, p95, cpu; /* cpu: median CPU-seconds of a run */
  guint n;
} Times;

typedef struct
{
  Tool *tool;
  FvModel *model;
  FvShape *shapes;
  FvGraph *graph;
  FvArray **inputs, **outputs;
  float input_low, input_high; /* by the model's card */
  guint n_runs;
  double read_seconds, load_seconds, first_seconds;
  FvGraphStats stats;
  FvType precision;
  Times net; /* the plan alone; n is 0 for references */
  Times host; /* with inputs from and outputs to host arrays */
  guint64 host_bytes;
  gsize peak_memory; /* resident, before kernels are timed one by one */
  guint64
      device_memory; /* the most that was allocated on the device till then */
  Costs costs;
} Bench;

#define N_KINDS 2 /* of runs: with host arrays, and the plan alone */

/* Of one model, in seconds: N_KINDS after one another, n_runs each. */
typedef struct
{
  double *wall, *cpu;
} Samples;

static double
clock_seconds (clockid_t id)
{
  struct timespec now;
  clock_gettime (id, &now);
  return now.tv_sec + now.tv_nsec * 1e-9;
}

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

static gboolean
run_host (Bench *bench, GError **error)
{
  guint n = bench->model->graph->n_outputs;
  for (guint i = 0; i < n; i++)
    g_clear_pointer (&bench->outputs[i], fv_array_unref);
  return fv_graph_run (bench->graph, bench->inputs, bench->outputs, error);
}

static gboolean
run_net (Bench *bench, GError **error)
{
  FvProgram *program = fv_graph_program (bench->graph, 0);
  guint64 value;
  return fv_program_submit (&program, 1, &value, error)
      && fv_device_wait (bench->tool->device, value, FV_WATCHDOG, error);
}

typedef gboolean (*Run) (Bench *bench, GError **error);

static gboolean
time_run (Bench *bench, Run run, double *wall, double *cpu, GError **error)
{
  double start = clock_seconds (CLOCK_MONOTONIC);
  double cpu_start = clock_seconds (CLOCK_PROCESS_CPUTIME_ID);
  if (!run (bench, error))
    return FALSE;
  *wall = clock_seconds (CLOCK_MONOTONIC) - start;
  *cpu = clock_seconds (CLOCK_PROCESS_CPUTIME_ID) - cpu_start;
  return TRUE;
}

static double
median (double *values, guint n)
{
  qsort (values, n, sizeof *values, compare_doubles);
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

static void
fill_times (Times *times, double *wall, double *cpu, guint n)
{
  times->median = median (wall, n); /* which sorts them */
  times->p95 = wall[(n * 95 + 99) / 100 - 1];
  times->cpu = median (cpu, n);
  times->n = n;
}

/* One run of each kind, and what it took. */
static gboolean
time_kinds (Bench *bench, guint i, Samples *samples, GError **error)
{
  const Run runs[N_KINDS] = { run_host, run_net };
  guint n_kinds = bench->tool->reference ? 1 : N_KINDS;
  for (guint k = 0; k < n_kinds; k++) {
    guint at = k * bench->n_runs + i;
    if (!time_run (bench, runs[k], &samples->wall[at], &samples->cpu[at],
            error))
      return FALSE;
  }
  return TRUE;
}

/* By turns, models and kinds, so that what slows the machine down slows all. */
static gboolean
measure (Bench *benches, guint n_models, Samples *samples, GError **error)
{
  guint n = benches->n_runs;
  for (guint i = 0; i < n; i++)
    for (guint m = 0; m < n_models; m++)
      if (!time_kinds (&benches[m], i, &samples[m], error))
        return FALSE;
  for (guint m = 0; m < n_models; m++) {
    fill_times (&benches[m].host, samples[m].wall, samples[m].cpu, n);
    if (!benches[m].tool->reference)
      fill_times (&benches[m].net, samples[m].wall + n, samples[m].cpu + n, n);
  }
  return TRUE;
}

/* Floats in 0..1, the same in every call; integers 0. */
static gboolean
make_inputs (Bench *bench, GError **error)
{
  const FvModelGraph *graph = bench->model->graph;
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  bench->inputs = g_new0 (FvArray *, graph->n_inputs + 1);
  bench->outputs = g_new0 (FvArray *, graph->n_outputs + 1);
  for (guint i = 0; i < graph->n_inputs; i++) {
    FvArray *array =
        fv_array_new (graph->inputs[i].type, &bench->shapes[i], error);
    bench->inputs[i] = array;
    if (array == NULL)
      return FALSE;
    bench->host_bytes += array->size;
    if (fv_type_is_float (array->type))
      for (gint64 k = 0; k < array->count; k++)
        fv_array_set_float (array, k, g_rand_double (random));
  }
  return TRUE;
}

/* Timestamps cost something, so they are taken in a graph of their own. */
static gboolean
measure_kernels (Bench *bench, GError **error)
{
  bench->tool->input_low = bench->input_low;
  bench->tool->input_high = bench->input_high;
  bench->graph =
      tool_graph (bench->tool, bench->model, bench->shapes, TRUE, error);
  return bench->graph != NULL && run_host (bench, error)
      && costs_measure (&bench->costs, bench->tool->device,
          fv_graph_program (bench->graph, 0), MIN (bench->n_runs, 5), error);
}

static gsize
peak_memory (void)
{
  struct rusage usage;
  getrusage (RUSAGE_SELF, &usage);
  return (gsize) usage.ru_maxrss * 1024;
}

static gboolean
load (Bench *bench, const char *path, GError **error)
{
  g_autoptr (FvCard) card = NULL;
  Tool *tool = bench->tool;
  double start = clock_seconds (CLOCK_MONOTONIC);
  if (!tool_open_device (tool, error))
    return FALSE;
  bench->model = tool_load (tool, path, &card, NULL, error);
  if (bench->model == NULL)
    return FALSE;
  bench->input_low = tool->input_low;
  bench->input_high = tool->input_high;
  bench->shapes = tool_shapes (tool, bench->model, card, error);
  bench->read_seconds = clock_seconds (CLOCK_MONOTONIC) - start;
  if (bench->shapes == NULL)
    return FALSE;
  bench->graph = tool_graph (tool, bench->model, bench->shapes, FALSE, error);
  bench->load_seconds = clock_seconds (CLOCK_MONOTONIC) - start;
  return bench->graph != NULL;
}

static gboolean
run_first (Bench *bench, GError **error)
{
  if (!make_inputs (bench, error))
    return FALSE;
  bench->precision = fv_graph_precision (bench->graph);
  double start = clock_seconds (CLOCK_MONOTONIC);
  if (!run_host (bench, error))
    return FALSE;
  bench->first_seconds = clock_seconds (CLOCK_MONOTONIC) - start;
  for (guint i = 0; i < bench->model->graph->n_outputs; i++)
    bench->host_bytes += bench->outputs[i]->size;
  return TRUE;
}

/* What is known once all runs are done; then the graph goes. */
static void
take_stats (Bench *bench)
{
  fv_graph_stats (bench->graph, &bench->stats);
  bench->stats.tail_reason = NULL; /* the graph's, which goes now */
  bench->peak_memory = peak_memory ();
  if (!bench->tool->reference) {
    FvDeviceCounters counters;
    fv_device_counters (bench->tool->device, &counters);
    bench->device_memory = counters.peak_bytes;
  }
  g_clear_pointer (&bench->graph, fv_graph_unref);
}

static gboolean
run_benches (Bench *benches, guint n, char **paths, Samples *samples,
    GError **error)
{
  for (guint i = 0; i < n; i++)
    if (!load (&benches[i], paths[i], error) || !run_first (&benches[i], error))
      return FALSE;
  if (!measure (benches, n, samples, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    take_stats (&benches[i]);
  for (guint i = 0; i < n && !benches->tool->reference; i++) {
    if (!measure_kernels (&benches[i], error))
      return FALSE;
    g_clear_pointer (&benches[i].graph, fv_graph_unref);
  }
  return TRUE;
}

static double
per_second (double amount, double seconds)
{
  return seconds > 0 ? amount / seconds : 0;
}

static void
json_times (JsonBuilder *json, const char *key, const Times *times)
{
  json_builder_set_member_name (json, key);
  json_builder_begin_object (json);
  tool_json_int (json, "runs", times->n);
  tool_json_double (json, "median_ms", times->median * 1e3);
  tool_json_double (json, "p95_ms", times->p95 * 1e3);
  tool_json_double (json, "cpu_ms", times->cpu * 1e3);
  json_builder_end_object (json);
}

/* What the load time went to, and what it took of the CPUs. */
static void
json_load (JsonBuilder *json, const Bench *bench)
{
  const FvSeconds *load = bench->stats.load;
  json_builder_set_member_name (json, "load_parts");
  json_builder_begin_array (json);
  for (guint i = 0; i < FV_N_LOAD_PARTS; i++) {
    json_builder_begin_object (json);
    tool_json_string (json, "part", fv_load_part_name (i));
    tool_json_double (json, "ms", load[i].wall * 1e3);
    tool_json_double (json, "cpu_ms", load[i].cpu * 1e3);
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
}

static void
json_bench (JsonBuilder *json, const Bench *bench)
{
  const FvGraphStats *stats = &bench->stats;
  double flops = 2.0 * stats->macs;
  tool_json_string (json, "model", bench->model->path);
  tool_json_string (json, "device", tool_device_title (bench->tool));
  tool_json_string (json, "precision", fv_type_name (bench->precision));
  tool_json_double (json, "load_ms", bench->load_seconds * 1e3);
  tool_json_double (json, "read_ms", bench->read_seconds * 1e3);
  if (!bench->tool->reference)
    json_load (json, bench);
  tool_json_double (json, "first_frame_ms", bench->first_seconds * 1e3);
  json_times (json, "with_host_arrays", &bench->host);
  if (bench->net.n > 0)
    json_times (json, "net", &bench->net);
  tool_json_plan (json, stats);
  tool_json_double (json, "gflop_per_second",
      per_second (flops * 1e-9, bench->net.median));
  tool_json_double (json, "gflop_per_cpu_second",
      per_second (flops * 1e-9, bench->net.cpu));
  tool_json_int (json, "kernel_bytes", bench->costs.all.bytes);
  tool_json_int (json, "host_bytes", bench->host_bytes);
  tool_json_int (json, "peak_device_bytes", bench->device_memory);
  tool_json_int (json, "peak_rss_bytes", bench->peak_memory);
  tool_json_tail (json, stats);
  costs_json (&bench->costs, bench->net.cpu, json);
}

/* One model's members, or those of several in "models". */
static void
print_json (const Bench *benches, guint n)
{
  JsonBuilder *json = tool_json_begin ();
  if (n == 1) {
    json_bench (json, benches);
  } else {
    json_builder_set_member_name (json, "models");
    json_builder_begin_array (json);
    for (guint i = 0; i < n; i++) {
      json_builder_begin_object (json);
      json_bench (json, &benches[i]);
      json_builder_end_object (json);
    }
    json_builder_end_array (json);
  }
  tool_json_end (json);
}

static void
print_times (const char *title, const Times *times)
{
  printf ("%-14smedian %.2f ms, p95 %.2f ms, CPU %.2f ms (%u runs)\n", title,
      times->median * 1e3, times->p95 * 1e3, times->cpu * 1e3, times->n);
}

static void
print_load (const Bench *bench)
{
  const FvSeconds *load = bench->stats.load;
  printf ("load          %.1f ms: device and file %.1f", //
      bench->load_seconds * 1e3, bench->read_seconds * 1e3);
  for (guint i = 0; i < FV_N_LOAD_PARTS && !bench->tool->reference; i++)
    printf (", %s %.1f (CPU %.1f)", fv_load_part_name (i), load[i].wall * 1e3,
        load[i].cpu * 1e3);
  printf ("\n");
}

static void
print_text (const Bench *bench, gboolean each)
{
  const FvGraphStats *stats = &bench->stats;
  printf ("model         %s\n", bench->model->path);
  printf ("device        %s, %s\n", tool_device_title (bench->tool),
      fv_type_name (bench->precision));
  print_load (bench);
  printf ("first frame   %.2f ms\n", bench->first_seconds * 1e3);
  print_times ("host to host", &bench->host);
  if (bench->net.n > 0) {
    double flops = 2.0 * stats->macs;
    print_times ("net alone", &bench->net);
    printf ("work          %.3f G multiply-accumulates, %.2f GFLOP/s, "
            "%.2f GFLOP per CPU-second\n",
        stats->macs * 1e-9, per_second (flops * 1e-9, bench->net.median),
        per_second (flops * 1e-9, bench->net.cpu));
    printf ("plan          %u dispatches, %u barriers, %u pipelines, kernels "
            "move %.1f MB\n",
        stats->n_dispatches, stats->n_barriers, stats->n_pipelines,
        bench->costs.all.bytes * 1e-6);
  }
  if (stats->n_tail_nodes > 0)
    printf ("host tail     %u nodes, %.3f ms in the last run\n",
        stats->n_tail_nodes, stats->tail_seconds * 1e3);
  printf ("copied        %.3f MB a run from and to the host\n",
      bench->host_bytes * 1e-6);
  printf ("memory        peak %.1f MB on the device, %.1f MB resident; %.1f MB "
          "activations (%.1f MB at once), %.1f MB weights, %.1f MB inputs and "
          "outputs\n",
      bench->device_memory * 1e-6, bench->peak_memory * 1e-6,
      stats->arena_bytes * 1e-6, stats->arena_bound * 1e-6,
      stats->weight_bytes * 1e-6, stats->io_bytes * 1e-6);
  if (bench->costs.kernels->len > 0)
    costs_print (&bench->costs, bench->net.cpu, each);
}

static void
bench_clear (Bench *bench)
{
  if (bench->model != NULL) {
    free_arrays (bench->inputs, bench->model->graph->n_inputs);
    free_arrays (bench->outputs, bench->model->graph->n_outputs);
  }
  g_clear_pointer (&bench->graph, fv_graph_unref);
  fv_model_unref (bench->model);
  g_free (bench->shapes);
  costs_clear (&bench->costs);
}

static int
bench_models (Tool *tool, char **paths, guint n, guint n_runs, gboolean each)
{
  g_autofree Bench *benches = g_new0 (Bench, n);
  g_autofree Samples *samples = g_new0 (Samples, n);
  g_autofree double *seconds = g_new0 (double, (gsize) n *n_runs * 2 * N_KINDS);
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < n; i++) {
    gsize at = (gsize) i * n_runs * 2 * N_KINDS;
    benches[i].tool = tool;
    benches[i].n_runs = n_runs;
    costs_init (&benches[i].costs);
    samples[i].wall = seconds + at;
    samples[i].cpu = seconds + at + N_KINDS * n_runs;
  }
  gboolean done = run_benches (benches, n, paths, samples, &error);
  if (done && tool->json)
    print_json (benches, n);
  for (guint i = 0; i < n; i++) {
    if (done && !tool->json) {
      printf ("%s", i > 0 ? "\n" : "");
      print_text (&benches[i], each);
    }
    bench_clear (&benches[i]);
  }
  return done ? TOOL_OK : tool_fail (tool, g_steal_pointer (&error));
}

int
tool_bench (Tool *tool, int argc, char **argv)
{
  int n_runs = 30, code;
  gboolean each = FALSE;
  const GOptionEntry entries[] = {
    TOOL_SHAPE_ENTRY (tool),
    TOOL_CARD_ENTRY (tool),
    TOOL_PRECISION_ENTRY (tool),
    { "runs", 'n', 0, G_OPTION_ARG_INT, &n_runs,
        "runs to measure (default: 30)", "N" },
    { "dispatches", 'D', 0, G_OPTION_ARG_NONE, &each,
        "what every dispatch costs", NULL },
    { NULL },
  };
  if (!tool_parse (tool, entries, "MODEL...",
          "measures models on random input, by turns", &argc, &argv, 1,
          MAX_MODELS, &code))
    return code;
  if (n_runs < 1 || n_runs > 1000000)
    return tool_usage (tool, "--runs is %d, expected 1 to 1000000", n_runs);
  return bench_models (tool, argv + 1, argc - 1, n_runs, each);
}
