/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fovea run: a model once, on tensors or images. */
#include "gst/tools/dataset.h"
#include "gst/tools/image.h"
#include "gst/tools/npy.h"
#include "gst/tools/tool.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* One call. */
typedef struct
{
  Tool *tool;
  FvModel *model;
  FvCard *card; /* (nullable) */
  const char *card_problem;
  FvShape *shapes;
  FvArray **inputs;
} Run;

static FvArray *
load_image (Run *run, guint index, const char *path, GError **error)
{
  guint width, height;
  if (!tool_takes_image (run->card) || run->card->input.index != index) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "'%s' cannot fill the input '%s' as an image: %s", path,
        run->model->graph->inputs[index].name,
        run->card == NULL                  ? run->card_problem
            : tool_takes_image (run->card) ? "another input takes the image"
                                           : "nothing tells that it takes one");
    return NULL;
  }
  if (!image_size (path, &width, &height, error))
    return NULL;
  fv_card_choose_size (run->card, width, height);
  FvShape shape;
  fv_card_input_shape (run->card, &shape);
  return image_load (path, &run->card->input, &shape, error);
}

static FvArray *
load_input (Run *run, guint index, const char *path, GError **error)
{
  g_autoptr (FvArray) array = NULL;
  if (g_str_has_suffix (path, ".npy"))
    array = fv_array_load_npy (path, error);
  else if (g_str_has_suffix (path, ".pb"))
    array = fv_array_load_pb (path, NULL, error);
  else
    array = load_image (run, index, path, error);
  return array != NULL ? g_steal_pointer (&array) : NULL;
}

/* "FILE" for the next input, "NAME=FILE" for that of the name. */
static gboolean
take_input (Run *run, const char *text, GError **error)
{
  const FvModelGraph *graph = run->model->graph;
  const char *equals = strchr (text, '=');
  guint index = graph->n_inputs;
  if (equals != NULL) {
    g_autofree char *name = g_strndup (text, equals - text);
    for (guint i = 0; i < graph->n_inputs; i++)
      if (strcmp (graph->inputs[i].name, name) == 0)
        index = i;
  }
  const char *path = index < graph->n_inputs ? equals + 1 : text;
  if (index == graph->n_inputs)
    for (index = 0; index < graph->n_inputs && run->inputs[index]; index++)
      ;
  if (index == graph->n_inputs || run->inputs[index] != NULL) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "'%s' is one input too many: the model has %u", text, graph->n_inputs);
    return FALSE;
  }
  run->inputs[index] = load_input (run, index, path, error);
  if (run->inputs[index] == NULL)
    return FALSE;
  run->shapes[index] = run->inputs[index]->shape;
  return TRUE;
}

static gboolean
take_inputs (Run *run, char **texts, GError **error)
{
  const FvModelGraph *graph = run->model->graph;
  run->inputs = g_new0 (FvArray *, graph->n_inputs + 1);
  run->shapes = g_new0 (FvShape, graph->n_inputs + 1);
  for (guint i = 0; texts != NULL && texts[i] != NULL; i++)
    if (!take_input (run, texts[i], error))
      return FALSE;
  for (guint i = 0; i < graph->n_inputs; i++)
    if (run->inputs[i] == NULL) {
      g_autofree char *shape = fv_shape_to_string (&graph->inputs[i].shape);
      g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
          "the input '%s' (%s %s) is missing: give --input %s=FILE",
          graph->inputs[i].name, fv_type_name (graph->inputs[i].type), shape,
          graph->inputs[i].name);
      return FALSE;
    }
  return TRUE;
}

/* An output's name as that of a file. */
static char *
output_path (const char *folder, const char *name)
{
  g_autofree char *stem = g_strdup (name);
  g_strdelimit (stem, "/\\:*?\"<>|", '_');
  if (stem[0] == '.')
    stem[0] = '_';
  g_autofree char *file = g_strconcat (stem, ".npy", NULL);
  return g_build_filename (folder, file, NULL);
}

static void
report_output (JsonBuilder *json, const char *name, const FvArray *array,
    const char *path)
{
  double low = INFINITY, high = -INFINITY, sum = 0;
  gint64 best = 0;
  for (gint64 i = 0; i < array->count; i++) {
    double value = fv_array_get_float (array, i);
    if (value > high)
      best = i;
    low = fmin (low, value);
    high = fmax (high, value);
    sum += value;
  }
  double mean = array->count > 0 ? sum / array->count : NAN;
  if (json != NULL) {
    json_builder_begin_object (json);
    tool_json_string (json, "name", name);
    tool_json_string (json, "type", fv_type_name (array->type));
    tool_json_shape (json, "shape", &array->shape);
    tool_json_double (json, "min", low);
    tool_json_double (json, "max", high);
    tool_json_double (json, "mean", mean);
    tool_json_int (json, "argmax", best);
    tool_json_string (json, "file", path);
    json_builder_end_object (json);
    return;
  }
  g_autofree char *shape = fv_shape_to_string (&array->shape);
  printf ("%s  %s %s  min %g  max %g (element %" G_GINT64_FORMAT ")  mean %g"
          "%s%s\n",
      name, fv_type_name (array->type), shape, low, high, best, mean,
      path ? "  -> " : "", path ? path : "");
}

static gboolean
write_outputs (Run *run, FvArray **outputs, const char *folder,
    JsonBuilder *json, GError **error)
{
  const FvModelGraph *graph = run->model->graph;
  if (folder != NULL && g_mkdir_with_parents (folder, 0777) != 0) {
    g_set_error (error, FV_ERROR, FV_ERROR_NOT_FOUND,
        "the folder '%s' cannot be made: %s", folder, g_strerror (errno));
    return FALSE;
  }
  if (json != NULL) {
    json_builder_set_member_name (json, "outputs");
    json_builder_begin_array (json);
  }
  for (guint i = 0; i < graph->n_outputs; i++) {
    const char *name = graph->outputs[i].name;
    g_autofree char *path = folder ? output_path (folder, name) : NULL;
    if (path != NULL && !fv_array_save_npy (outputs[i], path, error))
      return FALSE;
    report_output (json, name, outputs[i], path);
  }
  if (json != NULL)
    json_builder_end_array (json);
  return TRUE;
}

static void
report_tail (JsonBuilder *json, FvGraph *graph)
{
  FvGraphStats stats;
  fv_graph_stats (graph, &stats);
  if (json != NULL)
    tool_json_tail (json, &stats);
  else if (stats.n_tail_nodes > 0)
    printf ("the last %u nodes took %.3f ms on the host, the first of them: "
            "%s\n",
        stats.n_tail_nodes, stats.tail_seconds * 1e3, stats.tail_reason);
}

static gboolean
run_model (Run *run, const char *folder, JsonBuilder *json, GError **error)
{
  g_autoptr (FvGraph) graph =
      tool_graph (run->tool, run->model, run->shapes, FALSE, error);
  if (graph == NULL)
    return FALSE;
  guint n = run->model->graph->n_outputs;
  FvArray **outputs = g_new0 (FvArray *, n + 1);
  gboolean done = fv_graph_run (graph, run->inputs, outputs, error)
      && write_outputs (run, outputs, folder, json, error);
  if (done)
    report_tail (json, graph);
  free_arrays (outputs, n);
  return done;
}

int
tool_run (Tool *tool, int argc, char **argv)
{
  g_auto (GStrv) inputs = NULL;
  g_autofree char *folder = NULL;
  const GOptionEntry entries[] = {
    { "input", 'i', 0, G_OPTION_ARG_FILENAME_ARRAY, &inputs,
        ".npy, .pb or image, for the next input or that of the name; an image "
        "is prepared as the model's card says",
        "[NAME=]FILE" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &folder,
        "folder for the outputs, as NAME.npy (default: not written)",
        "FOLDER" },
    TOOL_CARD_ENTRY (tool),
    TOOL_PRECISION_ENTRY (tool),
    { NULL },
  };
  int code;
  if (!tool_parse (tool, entries, "MODEL", "runs a model once", &argc, &argv, 1,
          1, &code))
    return code;
  GError *error = NULL;
  g_autofree char *problem = NULL;
  g_autoptr (FvCard) card = NULL;
  g_autoptr (FvModel) model =
      tool_load (tool, argv[1], &card, &problem, &error);
  if (model == NULL)
    return tool_fail (tool, error);
  Run run = { tool, model, card, problem };
  JsonBuilder *json = tool->json ? tool_json_begin () : NULL;
  gboolean done = take_inputs (&run, inputs, &error)
      && tool_open_device (tool, &error)
      && run_model (&run, folder, json, &error);
  free_arrays (run.inputs, model->graph->n_inputs);
  g_free (run.shapes);
  if (!done) {
    g_clear_object (&json);
    return tool_fail (tool, error);
  }
  if (json != NULL)
    tool_json_end (json);
  return TOOL_OK;
}
