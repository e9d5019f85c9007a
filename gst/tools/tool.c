/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/tools/tool.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Stands in for the stream where the model leaves width and height free. */
#define FREE_SIZE 640

void
tool_clear (Tool *tool)
{
  g_free (tool->device_name);
  g_free (tool->precision_name);
  g_strfreev (tool->shape_texts);
  g_free (tool->card_path);
  fv_device_unref (tool->device);
}

int
tool_usage (Tool *tool, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  fprintf (stderr, "fovea %s: %s\nTry 'fovea %s --help'.\n", tool->name,
      message, tool->name);
  return TOOL_USAGE;
}

int
tool_fail (Tool *tool, GError *error)
{
  fprintf (stderr, "fovea %s: %s\n", tool->name, error->message);
  if (tool->json) {
    JsonBuilder *builder = tool_json_begin ();
    tool_json_string (builder, "error", error->message);
    tool_json_end (builder);
  }
  g_error_free (error);
  return TOOL_FAILED;
}

static gboolean
parse_precision (Tool *tool, int *code)
{
  if (tool->precision_name == NULL)
    return TRUE;
  if (strcmp (tool->precision_name, "f32") == 0)
    tool->precision = FV_TYPE_F32;
  else if (strcmp (tool->precision_name, "f16") == 0)
    tool->precision = FV_TYPE_F16;
  else
    *code = tool_usage (tool, "--precision is '%s', expected f32 or f16",
        tool->precision_name);
  return tool->precision != FV_TYPE_NONE;
}

gboolean
tool_parse (Tool *tool, const GOptionEntry *own, const char *arguments,
    const char *summary, int *argc, char ***argv, int least, int most,
    int *code)
{
  const GOptionEntry common[] = {
    { "device", 'd', 0, G_OPTION_ARG_STRING, &tool->device_name,
        "an index, a part of the name, a UUID, or 'reference' for the plain C "
        "references (default: the best GPU, else a CPU device)",
        "DEVICE" },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &tool->json, "print JSON", NULL },
    { NULL },
  };
  g_autofree char *parameters = g_strdup_printf ("%s - %s", arguments, summary);
  g_autofree char *program = g_strdup_printf ("fovea %s", tool->name);
  GOptionContext *context = g_option_context_new (parameters);
  g_autoptr (GError) error = NULL;
  g_set_prgname (program);
  if (own != NULL)
    g_option_context_add_main_entries (context, own, NULL);
  g_option_context_add_main_entries (context, common, NULL);
  gboolean parsed = g_option_context_parse (context, argc, argv, &error);
  g_option_context_free (context);
  if (!parsed) {
    *code = tool_usage (tool, "%s", error->message);
    return FALSE;
  }
  int n = *argc - 1;
  if (n < least || n > most) {
    *code = n < least
        ? tool_usage (tool, "expected %s", arguments)
        : tool_usage (tool, "'%s' is one argument too many", (*argv)[most + 1]);
    return FALSE;
  }
  tool->reference = g_strcmp0 (tool->device_name, "reference") == 0;
  return parse_precision (tool, code);
}

gboolean
tool_open_device (Tool *tool, GError **error)
{
  if (tool->reference || tool->device != NULL)
    return TRUE;
  tool->device = fv_device_open (tool->device_name, error);
  return tool->device != NULL;
}

const char *
tool_device_title (Tool *tool)
{
  return tool->device != NULL ? fv_device_info (tool->device)->name
                              : "C references";
}

gboolean
tool_takes_image (const FvCard *card)
{
  return card != NULL && card->input.rank > 0 && card->input.n_channels > 0;
}

FvModel *
tool_load (Tool *tool, const char *name, FvCard **card, char **card_problem,
    GError **error)
{
  FvCardOptions options = { .card = tool->card_path };
  g_autofree char *path = fv_card_find_model (name, error);
  if (path == NULL)
    return NULL;
  g_autoptr (FvModel) model = NULL;
  g_autoptr (GError) problem = NULL;
  g_autoptr (FvCard) made = fv_card_load (path, &options, &model, &problem);
  if (made == NULL && tool->card_path != NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return NULL;
  }
  /* what is no card may be a model all the same */
  g_autofree char *inside = g_build_filename (path, "model.onnx", NULL);
  if (model == NULL && !g_file_test (path, G_FILE_TEST_IS_DIR))
    model = fv_model_load (path, error);
  else if (model == NULL && g_file_test (inside, G_FILE_TEST_EXISTS))
    model = fv_model_load (inside, error);
  else if (model == NULL)
    g_propagate_error (error, g_steal_pointer (&problem));
  if (model == NULL)
    return NULL;
  tool->input_low = tool->input_high = 0;
  if (made != NULL)
    fv_card_input_range (&made->input, &tool->input_low, &tool->input_high);
  if (card_problem != NULL)
    *card_problem = problem != NULL ? g_strdup (problem->message) : NULL;
  if (card != NULL)
    *card = g_steal_pointer (&made);
  return g_steal_pointer (&model);
}

/* "1x3x224x224"; "?" leaves a size to the model. */
static gboolean
parse_shape (const char *text, FvShape *shape)
{
  g_auto (GStrv) parts = g_strsplit (text, "x", -1);
  *shape = (FvShape){ .rank = g_strv_length (parts) };
  if (shape->rank > FV_MAX_RANK)
    return FALSE;
  for (guint i = 0; i < shape->rank; i++) {
    guint64 size;
    shape->dims[i] = -1;
    if (strcmp (parts[i], "?") == 0)
      continue;
    if (!g_ascii_string_to_unsigned (parts[i], 10, 1, G_MAXINT32, &size, NULL))
      return FALSE;
    shape->dims[i] = size;
  }
  return TRUE;
}

static gboolean
apply_shape (FvModel *model, const char *text, FvShape *shapes, GError **error)
{
  const FvModelGraph *graph = model->graph;
  const char *equals = strrchr (text, '=');
  guint index = 0;
  if (equals != NULL) {
    g_autofree char *name = g_strndup (text, equals - text);
    while (index < graph->n_inputs
        && strcmp (graph->inputs[index].name, name) != 0)
      index++;
  }
  if (index >= graph->n_inputs) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "--input-shape %s: the model has no such input", text);
    return FALSE;
  }
  if (!parse_shape (equals != NULL ? equals + 1 : text, &shapes[index])) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "--input-shape %s: expected sizes like 1x3x224x224", text);
    return FALSE;
  }
  return TRUE;
}

FvShape *
tool_shapes (Tool *tool, FvModel *model, FvCard *card, GError **error)
{
  const FvModelGraph *graph = model->graph;
  g_autofree FvShape *shapes = g_new0 (FvShape, graph->n_inputs + 1);
  g_autofree FvShape *bound = g_new0 (FvShape, graph->n_inputs + 1);
  for (guint i = 0; i < graph->n_inputs; i++)
    shapes[i] = graph->inputs[i].shape;
  if (tool_takes_image (card) && card->input.index < graph->n_inputs) {
    fv_card_choose_size (card, FREE_SIZE, FREE_SIZE);
    fv_card_input_shape (card, &shapes[card->input.index]);
  }
  for (guint i = 0; tool->shape_texts && tool->shape_texts[i]; i++)
    if (!apply_shape (model, tool->shape_texts[i], shapes, error))
      return NULL;
  for (guint i = 0; i < graph->n_inputs; i++)
    if (!graph->inputs[i].has_shape && shapes[i].rank == 0) {
      g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
          "'%s': input '%s' has no rank; give --input-shape %s=...",
          model->path, graph->inputs[i].name, graph->inputs[i].name);
      return NULL;
    }
  return fv_model_bind_shapes (model, shapes, bound, error)
      ? g_steal_pointer (&bound)
      : NULL;
}

FvGraphOptions
tool_options (const Tool *tool, const FvModel *model, const FvShape *shapes)
{
  return (FvGraphOptions){
    .precision = tool->precision,
    .shapes = shapes,
    .n_shapes = shapes != NULL ? model->graph->n_inputs : 0,
    .slots = 1,
    .input_low = tool->input_low,
    .input_high = tool->input_high,
  };
}

FvGraph *
tool_graph (Tool *tool, FvModel *model, const FvShape *shapes, gboolean timing,
    GError **error)
{
  FvGraphOptions options = tool_options (tool, model, shapes);
  options.timing = timing;
  return fv_graph_new (tool->device, model, &options, error);
}

JsonBuilder *
tool_json_begin (void)
{
  JsonBuilder *builder = json_builder_new ();
  json_builder_begin_object (builder);
  return builder;
}

void
tool_json_end (JsonBuilder *builder)
{
  json_builder_end_object (builder);
  JsonNode *root = json_builder_get_root (builder);
  g_autofree char *text = json_to_string (root, TRUE);
  puts (text);
  json_node_unref (root);
  g_object_unref (builder);
}

void
tool_json_string (JsonBuilder *builder, const char *key, const char *value)
{
  json_builder_set_member_name (builder, key);
  if (value != NULL)
    json_builder_add_string_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

void
tool_json_int (JsonBuilder *builder, const char *key, gint64 value)
{
  json_builder_set_member_name (builder, key);
  json_builder_add_int_value (builder, value);
}

void
tool_json_tail (JsonBuilder *builder, const FvGraphStats *stats)
{
  if (stats->n_tail_nodes == 0)
    return;
  tool_json_int (builder, "tail_nodes", stats->n_tail_nodes);
  if (stats->tail_reason != NULL)
    tool_json_string (builder, "tail_reason", stats->tail_reason);
  if (stats->tail_seconds > 0)
    tool_json_double (builder, "tail_ms", stats->tail_seconds * 1e3);
}

void
tool_json_double (JsonBuilder *builder, const char *key, double value)
{
  json_builder_set_member_name (builder, key);
  if (isfinite (value))
    json_builder_add_double_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

void
tool_json_bool (JsonBuilder *builder, const char *key, gboolean value)
{
  json_builder_set_member_name (builder, key);
  json_builder_add_boolean_value (builder, value);
}

void
tool_json_shape (JsonBuilder *builder, const char *key, const FvShape *shape)
{
  json_builder_set_member_name (builder, key);
  json_builder_begin_array (builder);
  for (guint i = 0; i < shape->rank; i++)
    json_builder_add_int_value (builder, shape->dims[i]);
  json_builder_end_array (builder);
}
