/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/tools/costs.h"
#include "gst/tools/times.h"

#include <stdio.h>
#include <string.h>


void
costs_init (Costs *costs)
{
  costs->dispatches = g_array_new (FALSE, TRUE, sizeof (Cost));
  costs->kernels = g_array_new (FALSE, TRUE, sizeof (Cost));
}

void
costs_clear (Costs *costs)
{
  g_clear_pointer (&costs->dispatches, g_array_unref);
  g_clear_pointer (&costs->kernels, g_array_unref);
}

static double
per (double amount, double seconds)
{
  return seconds > 0 ? amount / seconds : 0;
}

static int
compare_costs (gconstpointer a, gconstpointer b)
{
  double x = ((const Cost *) a)->seconds, y = ((const Cost *) b)->seconds;
  return (x < y) - (x > y);
}

static void
add_to (Cost *sum, const Cost *cost)
{
  sum->n += cost->n;
  sum->flops += cost->flops;
  sum->bytes += cost->bytes;
  sum->seconds += cost->seconds;
  sum->bound += cost->bound;
}

static Cost *
kernel_of (Costs *costs, const char *kernel)
{
  for (guint i = 0; i < costs->kernels->len; i++)
    if (strcmp (g_array_index (costs->kernels, Cost, i).kernel, kernel) == 0)
      return &g_array_index (costs->kernels, Cost, i);
  g_array_append_val (costs->kernels, ((Cost){ .kernel = kernel }));
  return &g_array_index (costs->kernels, Cost, costs->kernels->len - 1);
}

/* @seconds: those of the dispatch, sorted here */
static Cost
make_cost (const FvDispatch *dispatch, double *seconds, guint n)
{
  Cost cost = { .kernel = g_intern_string (dispatch->kernel),
    .tile = g_intern_string (dispatch->tile),
    .tile_from = dispatch->tile_from,
    .label = g_intern_string (dispatch->label),
    .n = 1,
    .flops = dispatch->flops,
    .bytes = dispatch->bytes };

  memcpy (cost.groups, dispatch->groups, sizeof cost.groups);
  cost.seconds = tool_median (seconds, n);
  return cost;
}

static gboolean
time_rounds (FvDevice *device, FvProgram *program, guint n_rounds,
    double *seconds, GError **error)
{
  guint n = fv_program_n_dispatches (program);
  guint64 value;

  for (guint round = 0; round < n_rounds; round++) {
    if (!fv_program_submit (&program, 1, &value, error)
        || !fv_device_wait (device, value, FV_WATCHDOG, error))
      return FALSE;
    for (guint i = 0; i < n; i++)
      seconds[i * n_rounds + round] = fv_program_seconds (program, i);
  }
  return TRUE;
}

gboolean
costs_measure (Costs *costs, FvDevice *device, FvProgram *program,
    guint n_rounds, GError **error)
{
  guint n = fv_program_n_dispatches (program);
  g_autofree double *seconds = g_new (double, (gsize) n *n_rounds);

  if (!fv_device_measure (device, &costs->peaks, error)
      || !time_rounds (device, program, n_rounds, seconds, error)
      || !fv_device_measure (device, &costs->peaks, error))
    return FALSE;
  for (guint i = 0; i < n; i++) {
    Cost cost = make_cost (fv_program_get (program, i),
        seconds + (gsize) i * n_rounds, n_rounds);

    cost.bound = MAX (per (cost.flops, costs->peaks.flops),
        per (cost.bytes, costs->peaks.bytes));
    add_to (kernel_of (costs, cost.kernel), &cost);
    add_to (&costs->all, &cost);
    g_array_append_val (costs->dispatches, cost);
  }
  g_array_sort (costs->kernels, compare_costs);
  return TRUE;
}

static void
print_cost (const Costs *costs, const Cost *cost)
{
  printf (" %9.3f %5.1f%% %9.2f %8.2f %9.3f %5.0f%%", cost->seconds * 1e3,
      per (100 * cost->seconds, costs->all.seconds),
      per (cost->flops * 1e-9, cost->seconds),
      per (cost->bytes * 1e-9, cost->seconds), cost->bound * 1e3,
      per (100 * cost->bound, cost->seconds));
}

#define COLUMNS " %9s %6s %9s %8s %9s %6s"
#define TITLES "ms", "share", "GFLOP/s", "GB/s", "bound ms", "of it"

/* CPU-seconds of a kernel: its part of the kernels' time, of the net's CPU time. */
static double
cpu_of (const Costs *costs, const Cost *cost, double cpu)
{
  return cpu * per (cost->seconds, costs->all.seconds);
}

void
costs_print (const Costs *costs, double cpu, gboolean each)
{
  if (costs->peaks.flops > 0)
    printf ("\nthe device's best: %.1f GFLOP/s, %.1f GB/s; the net is bound to "
            "%.3f ms by them, its kernels take %.3f ms\n",
        costs->peaks.flops * 1e-9, costs->peaks.bytes * 1e-9,
        costs->all.bound * 1e3, costs->all.seconds * 1e3);
  printf ("\n%-16s %4s" COLUMNS " %12s\n", "kernel", "n", TITLES,
      "GFLOP/CPU-s");
  for (guint i = 0; i < costs->kernels->len; i++) {
    const Cost *cost = &g_array_index (costs->kernels, Cost, i);
    printf ("%-16s %4u", cost->kernel, cost->n);
    print_cost (costs, cost);
    printf (" %12.2f\n", per (cost->flops * 1e-9, cpu_of (costs, cost, cpu)));
  }
  if (!each)
    return;
  printf ("\n%4s %-16s %-10s %-6s" COLUMNS "  %s\n", "", "kernel", "tile", "",
      TITLES, "nodes");
  for (guint i = 0; i < costs->dispatches->len; i++) {
    const Cost *cost = &g_array_index (costs->dispatches, Cost, i);
    printf ("%4u %-16s %-10s %-6s", i, cost->kernel,
        cost->tile ? cost->tile : "-", cost->tile_from ? cost->tile_from : "");
    print_cost (costs, cost);
    printf ("  %s\n", cost->label ? cost->label : "");
  }
}

static void
json_cost (const Costs *costs, const Cost *cost, JsonBuilder *json)
{
  tool_json_double (json, "ms", cost->seconds * 1e3);
  tool_json_double (json, "share", per (cost->seconds, costs->all.seconds));
  tool_json_int (json, "flops", cost->flops);
  tool_json_int (json, "bytes", cost->bytes);
  tool_json_double (json, "gflop_per_second",
      per (cost->flops * 1e-9, cost->seconds));
  tool_json_double (json, "gb_per_second",
      per (cost->bytes * 1e-9, cost->seconds));
  tool_json_double (json, "bound_ms", cost->bound * 1e3);
}

static void
json_roofline (const Costs *costs, JsonBuilder *json)
{
  json_builder_set_member_name (json, "roofline");
  json_builder_begin_object (json);
  tool_json_double (json, "gflop_per_second", costs->peaks.flops * 1e-9);
  tool_json_double (json, "gb_per_second", costs->peaks.bytes * 1e-9);
  tool_json_double (json, "bound_ms", costs->all.bound * 1e3);
  tool_json_double (json, "kernels_ms", costs->all.seconds * 1e3);
  json_builder_end_object (json);
}

void
costs_json (const Costs *costs, double cpu, JsonBuilder *json)
{
  if (costs->peaks.flops > 0)
    json_roofline (costs, json);
  json_builder_set_member_name (json, "kernels");
  json_builder_begin_array (json);
  for (guint i = 0; i < costs->kernels->len; i++) {
    const Cost *cost = &g_array_index (costs->kernels, Cost, i);
    json_builder_begin_object (json);
    tool_json_string (json, "kernel", cost->kernel);
    tool_json_int (json, "dispatches", cost->n);
    json_cost (costs, cost, json);
    tool_json_double (json, "gflop_per_cpu_second",
        per (cost->flops * 1e-9, cpu_of (costs, cost, cpu)));
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
  json_builder_set_member_name (json, "dispatches");
  json_builder_begin_array (json);
  for (guint i = 0; i < costs->dispatches->len; i++) {
    const Cost *cost = &g_array_index (costs->dispatches, Cost, i);
    FvShape groups = { 3,
      { cost->groups[0], cost->groups[1], cost->groups[2] } };
    json_builder_begin_object (json);
    tool_json_string (json, "nodes", cost->label);
    tool_json_string (json, "kernel", cost->kernel);
    tool_json_string (json, "tile", cost->tile);
    tool_json_string (json, "tile_from", cost->tile_from);
    tool_json_shape (json, "groups", &groups);
    json_cost (costs, cost, json);
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
}
