/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fovea tune: finds the fastest tiles for a model on this device. */
#include "gst/engine/choice.h"
#include "gst/tools/times.h"
#include "gst/tools/tool.h"

#include <stdio.h>
#include <string.h>


/* A class of shapes that the net has. */
typedef struct
{
  FvChoice choice; /* the first one of it */
  guint n_uses;
  double
      sweep[FV_MAX_CANDIDATES]; /* seconds of all of it in the whole net; 0: not
                                      there */
} Class;

typedef struct
{
  Tool *tool;
  FvModel *model;
  FvShape *shapes;
  guint n_runs;
  gboolean again, sweep;
  GArray *classes; /* Class */
  FvSeconds spent; /* on measuring */
  double guessed_cpu, tuned_cpu, guessed_wall, tuned_wall; /* of the net */
  guint guessed_pipelines, tuned_pipelines;
} Tune;

/* @way, @tile: 0, or the candidate to take wherever there is one */
static FvGraph *
make_graph (Tune *tune, FvTune how, guint way, guint tile, GError **error)
{
  FvGraphOptions options = tool_options (tune->tool, tune->model, tune->shapes);
  options.tune = how;
  options.way = way;
  options.tile = tile;
  options.timing = way > 0 || tile > 0;
  return fv_graph_new (tune->tool->device, tune->model, &options, error);
}

static Class *
class_of (Tune *tune, const FvChoice *choice)
{
  for (guint i = 0; i < tune->classes->len; i++) {
    Class *class = &g_array_index (tune->classes, Class, i);
    const FvOffer *offer = &class->choice.offer;
    if (strcmp (offer->kernel, choice->offer.kernel) == 0
        && strcmp (offer->shape, choice->offer.shape) == 0)
      return class;
  }
  return NULL;
}

static void
gather_classes (Tune *tune, FvGraph *graph)
{
  guint n;
  const FvChoice *choices = fv_graph_choices (graph, &n);
  g_array_set_size (tune->classes, 0);
  for (guint i = 0; i < n; i++) {
    Class *class = class_of (tune, &choices[i]);
    if (choices[i].offer.n < 2)
      continue;
    if (class != NULL)
      class->n_uses++;
    else
      g_array_append_val (tune->classes,
          ((Class){ .choice = choices[i], .n_uses = 1 }));
  }
}

static gboolean
run (Tune *tune, FvGraph *graph, GError **error)
{
  FvProgram *program = fv_graph_program (graph, 0);
  guint64 value;
  return fv_program_submit (&program, 1, &value, error)
      && fv_device_wait (tune->tool->device, value, FV_WATCHDOG, error);
}

/* The net by guesses and as tuned, by turns. */
static gboolean
compare_nets (Tune *tune, FvGraph *const *graphs, GError **error)
{
  guint n = tune->n_runs;
  g_autofree double *wall = g_new (double, 2 * n), *cpu = g_new (double, 2 * n);
  for (guint i = 0; i <= n; i++)
    for (guint k = 0; k < 2; k++) {
      guint at = k * n + (i > 0 ? i - 1 : 0); /* the first one warms up */
      double start = tool_wall_seconds (), cpu_start = tool_cpu_seconds ();
      if (!run (tune, graphs[k], error))
        return FALSE;
      wall[at] = tool_wall_seconds () - start;
      cpu[at] = tool_cpu_seconds () - cpu_start;
    }
  tune->guessed_wall = tool_median (wall, n);
  tune->tuned_wall = tool_median (wall + n, n);
  tune->guessed_cpu = tool_median (cpu, n);
  tune->tuned_cpu = tool_median (cpu + n, n);
  return TRUE;
}

/* @fastest: by choice of @graph, the least seconds of all runs so far; 0: none */
static void
keep_fastest (FvGraph *graph, double *fastest)
{
  guint n;
  const FvChoice *choices = fv_graph_choices (graph, &n);
  FvProgram *program = fv_graph_program (graph, 0);
  for (guint i = 0; i < n; i++) {
    double seconds = 0;
    for (guint d = choices[i].first; d < choices[i].end; d++)
      seconds += fv_program_seconds (program, d);
    if (fastest[i] == 0 || seconds < fastest[i])
      fastest[i] = seconds;
  }
}

/* Adds up what each class took where @candidate was chosen. */
static void
keep_sweep (Tune *tune, FvGraph *graph, gboolean is_way, guint candidate,
    const double *fastest)
{
  guint n, n_classes = tune->classes->len;
  const FvChoice *choices = fv_graph_choices (graph, &n);
  g_autofree double *sums = g_new0 (double, n_classes + 1);
  for (guint i = 0; i < n; i++) {
    Class *class = class_of (tune, &choices[i]);
    if (class != NULL && choices[i].offer.is_way == is_way
        && choices[i].chosen == candidate)
      sums[class - &g_array_index (tune->classes, Class, 0)] += fastest[i];
  }
  for (guint i = 0; i < n_classes; i++) {
    double *least = &g_array_index (tune->classes, Class, i).sweep[candidate];
    if (sums[i] > 0 && (*least == 0 || sums[i] < *least))
      *least = sums[i];
  }
}

/* One candidate in the whole net, the rest as tuned. */
static gboolean
sweep_candidate (Tune *tune, gboolean is_way, guint candidate, GError **error)
{
  guint n, way = is_way ? candidate + 1 : 0;
  g_autofree double *fastest = NULL;
  g_autoptr (FvGraph) graph = make_graph (tune, FV_TUNE_MISSING, way,
      is_way ? 0 : candidate + 1, error);
  if (graph == NULL || !run (tune, graph, error))
    return FALSE;
  fv_graph_choices (graph, &n);
  fastest = g_new0 (double, n + 1);
  for (guint i = 0; i < tune->n_runs; i++) {
    if (!run (tune, graph, error))
      return FALSE;
    keep_fastest (graph, fastest);
  }
  keep_sweep (tune, graph, is_way, candidate, fastest);
  return TRUE;
}

static gboolean
sweep (Tune *tune, GError **error)
{
  guint most[2] = { 0, 0 }; /* of tiles, of ways */
  for (guint i = 0; i < tune->classes->len; i++) {
    const FvOffer *offer =
        &g_array_index (tune->classes, Class, i).choice.offer;
    most[offer->is_way] = MAX (most[offer->is_way], offer->n);
  }
  /* twice, because other programs come and go: what counts is the least */
  for (guint round = 0; round < 2; round++)
    for (gboolean is_way = FALSE; is_way <= TRUE; is_way++)
      for (guint i = 0; i < most[is_way]; i++)
        if (!sweep_candidate (tune, is_way, i, error))
          return FALSE;
  return TRUE;
}

static gboolean
measure (Tune *tune, GError **error)
{
  FvGraph *graphs[2] = { NULL, NULL };
  FvGraphStats stats;
  gboolean done = FALSE;
  graphs[1] = make_graph (tune, tune->again ? FV_TUNE_ANEW : FV_TUNE_MISSING, 0,
      0, error);
  if (graphs[1] != NULL) {
    fv_graph_stats (graphs[1], &stats);
    tune->spent = stats.load[FV_LOAD_TUNE];
    tune->tuned_pipelines = stats.n_pipelines;
    gather_classes (tune, graphs[1]);
    graphs[0] = make_graph (tune, FV_TUNE_OFF, 0, 0, error);
  }
  if (graphs[0] != NULL) {
    fv_graph_stats (graphs[0], &stats);
    tune->guessed_pipelines = stats.n_pipelines;
    done = compare_nets (tune, graphs, error);
  }
  fv_graph_unref (graphs[0]);
  fv_graph_unref (graphs[1]);
  return done && (!tune->sweep || sweep (tune, error));
}

static guint
least (const double *values, guint n)
{
  guint best = 0;
  for (guint i = 1; i < n; i++)
    if (values[i] > 0 && (values[best] <= 0 || values[i] < values[best]))
      best = i;
  return best;
}

/* How much longer @which takes than the best one; 0: unknown */
static double
ratio_to_best (const double *values, guint n, guint which)
{
  double best = values[least (values, n)];
  return best > 0 && values[which] > 0 ? values[which] / best : 0;
}

static double
ratio (double a, double b)
{
  return b > 0 ? a / b : 0;
}

/* Seconds of the net's classes by what was guessed, chosen, and best. */
static void
add_up (const Tune *tune, double *guessed, double *chosen, double *best)
{
  *guessed = *chosen = *best = 0;
  for (guint i = 0; i < tune->classes->len; i++) {
    const Class *class = &g_array_index (tune->classes, Class, i);
    const FvChoice *choice = &class->choice;
    const double *seconds = choice->seconds;
    double lowest = seconds[least (seconds, choice->offer.n)];
    double guess = seconds[choice->guessed];
    if (choice->offer.is_way || lowest <= 0)
      continue;
    *best += class->n_uses * lowest;
    *chosen += class->n_uses * seconds[choice->chosen];
    /* one that was dropped early took half as long again */
    *guessed += class->n_uses * (guess > 0 ? guess : 1.5 * lowest);
  }
}

static void
print_class (const Tune *tune, const Class *class)
{
  const FvChoice *choice = &class->choice;
  const FvOffer *offer = &choice->offer;
  const FvCandidate *candidates = offer->candidates;
  printf ("%-10s %-30s %3u  %-9s %-9s %5.2f ", offer->kernel, offer->shape,
      class->n_uses, candidates[choice->chosen].name,
      candidates[choice->guessed].name,
      ratio_to_best (choice->seconds, offer->n, choice->guessed));
  if (tune->sweep)
    printf (" %-9s %5.2f ", candidates[least (class->sweep, offer->n)].name,
        ratio_to_best (class->sweep, offer->n, choice->chosen));
  for (guint i = 0; i < offer->n; i++)
    if (choice->seconds[i] > 0)
      printf (" %s %.3f", candidates[i].name, choice->seconds[i] * 1e3);
  printf ("\n");
}

static void
print_text (const Tune *tune)
{
  double guessed, chosen, best;
  add_up (tune, &guessed, &chosen, &best);
  printf ("model    %s\ndevice   %s\nspent    %.1f s, CPU %.1f s\n\n",
      tune->model->path, tool_device_title (tune->tool), tune->spent.wall,
      tune->spent.cpu);
  printf ("%-10s %-30s %3s  %-9s %-9s %5s ", "kernel", "class", "n", "chosen",
      "guessed", "of it");
  if (tune->sweep)
    printf (" %-9s %5s ", "sweep", "of it");
  printf (" candidates, ms\n");
  for (guint i = 0; i < tune->classes->len; i++)
    print_class (tune, &g_array_index (tune->classes, Class, i));
  printf ("\nkernels  %.3f ms as guessed, %.3f as chosen, %.3f by the best of "
          "each class\n",
      guessed * 1e3, chosen * 1e3, best * 1e3);
  printf ("net      %.3f ms as guessed, %.3f tuned (%.2fx); CPU %.3f and %.3f "
          "(%.2fx); %u and %u pipelines\n\n",
      tune->guessed_wall * 1e3, tune->tuned_wall * 1e3,
      ratio (tune->guessed_wall, tune->tuned_wall), tune->guessed_cpu * 1e3,
      tune->tuned_cpu * 1e3, ratio (tune->guessed_cpu, tune->tuned_cpu),
      tune->guessed_pipelines, tune->tuned_pipelines);
  fflush (stdout);
}

static void
json_class (const Tune *tune, const Class *class, JsonBuilder *json)
{
  const FvChoice *choice = &class->choice;
  const FvOffer *offer = &choice->offer;
  json_builder_begin_object (json);
  tool_json_string (json, "kernel", offer->kernel);
  tool_json_string (json, "class", offer->shape);
  tool_json_int (json, "uses", class->n_uses);
  tool_json_bool (json, "way", offer->is_way);
  tool_json_string (json, "chosen", offer->candidates[choice->chosen].name);
  tool_json_string (json, "guessed", offer->candidates[choice->guessed].name);
  json_builder_set_member_name (json, "candidates");
  json_builder_begin_array (json);
  for (guint i = 0; i < offer->n; i++) {
    json_builder_begin_object (json);
    tool_json_string (json, "name", offer->candidates[i].name);
    tool_json_double (json, "guess", offer->candidates[i].cost);
    if (choice->seconds[i] > 0)
      tool_json_double (json, "ms", choice->seconds[i] * 1e3);
    if (tune->sweep && class->sweep[i] > 0)
      tool_json_double (json, "sweep_ms", class->sweep[i] * 1e3);
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
  json_builder_end_object (json);
}

static void
print_json (const Tune *tune, JsonBuilder *json)
{
  double guessed, chosen, best;
  add_up (tune, &guessed, &chosen, &best);
  json_builder_begin_object (json);
  tool_json_string (json, "model", tune->model->path);
  tool_json_string (json, "device", tool_device_title (tune->tool));
  tool_json_double (json, "spent_ms", tune->spent.wall * 1e3);
  tool_json_double (json, "spent_cpu_ms", tune->spent.cpu * 1e3);
  tool_json_double (json, "kernels_guessed_ms", guessed * 1e3);
  tool_json_double (json, "kernels_chosen_ms", chosen * 1e3);
  tool_json_double (json, "kernels_best_ms", best * 1e3);
  tool_json_double (json, "guessed_ms", tune->guessed_wall * 1e3);
  tool_json_double (json, "tuned_ms", tune->tuned_wall * 1e3);
  tool_json_double (json, "guessed_cpu_ms", tune->guessed_cpu * 1e3);
  tool_json_double (json, "tuned_cpu_ms", tune->tuned_cpu * 1e3);
  tool_json_int (json, "guessed_pipelines", tune->guessed_pipelines);
  tool_json_int (json, "tuned_pipelines", tune->tuned_pipelines);
  json_builder_set_member_name (json, "classes");
  json_builder_begin_array (json);
  for (guint i = 0; i < tune->classes->len; i++)
    json_class (tune, &g_array_index (tune->classes, Class, i), json);
  json_builder_end_array (json);
  json_builder_end_object (json);
}

static gboolean
tune_model (Tune *tune, const char *path, JsonBuilder *json, GError **error)
{
  g_autoptr (FvCard) card = NULL;
  gboolean done = tool_open_device (tune->tool, error)
      && (tune->model = tool_load (tune->tool, path, &card, NULL, error))
          != NULL
      && (tune->shapes = tool_shapes (tune->tool, tune->model, card, error))
          != NULL
      && measure (tune, error);
  if (done && json != NULL)
    print_json (tune, json);
  else if (done)
    print_text (tune);
  g_clear_pointer (&tune->model, fv_model_unref);
  g_clear_pointer (&tune->shapes, g_free);
  return done;
}

int
tool_tune (Tool *tool, int argc, char **argv)
{
  int n_runs = 10, code;
  Tune tune = { .tool = tool };
  const GOptionEntry entries[] = {
    { "again", 'a', 0, G_OPTION_ARG_NONE, &tune.again,
        "measure what is known too", NULL },
    { "sweep", 0, 0, G_OPTION_ARG_NONE, &tune.sweep,
        "run the whole net with each candidate, to compare", NULL },
    { "runs", 'n', 0, G_OPTION_ARG_INT, &n_runs,
        "runs of the whole net (default: 10)", "N" },
    TOOL_SHAPE_ENTRY (tool),
    TOOL_CARD_ENTRY (tool),
    TOOL_PRECISION_ENTRY (tool),
    { NULL },
  };
  if (!tool_parse (tool, entries, "MODEL...",
          "finds the fastest kernels for a model, and keeps that", &argc, &argv,
          1, G_MAXINT, &code))
    return code;
  if (tool->reference)
    return tool_usage (tool, "the references have nothing to choose");
  if (n_runs < 1 || n_runs > 10000)
    return tool_usage (tool, "--runs is %d, expected 1 to 10000", n_runs);
  tune.n_runs = (guint) n_runs;
  tune.classes = g_array_new (FALSE, FALSE, sizeof (Class));
  JsonBuilder *json = tool->json ? tool_json_begin () : NULL;
  if (json != NULL) {
    json_builder_set_member_name (json, "models");
    json_builder_begin_array (json);
  }
  GError *error = NULL;
  gboolean done = TRUE;
  for (int i = 1; i < argc && done; i++)
    done = tune_model (&tune, argv[i], json, &error);
  g_array_unref (tune.classes);
  if (json != NULL && done) {
    json_builder_end_array (json);
    tool_json_end (json);
  } else {
    g_clear_object (&json);
  }
  return done ? TOOL_OK : tool_fail (tool, error);
}
