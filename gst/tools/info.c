/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fovea info: what a model is and what becomes of it. */
#include "gst/tools/tool.h"

#include <stdio.h>
#include <string.h>

/* "[batch, 3, ?, ?]" */
static char *
value_shape (const FvValueInfo *value)
{
  if (!value->has_shape)
    return g_strdup ("of unknown rank");
  g_autoptr (GString) text = g_string_new ("[");
  for (guint i = 0; i < value->shape.rank; i++) {
    if (i > 0)
      g_string_append (text, ", ");
    if (value->shape.dims[i] >= 0)
      g_string_append_printf (text, "%" G_GINT64_FORMAT, value->shape.dims[i]);
    else
      g_string_append (text, value->symbols[i] ? value->symbols[i] : "?");
  }
  g_string_append_c (text, ']');
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
print_values (JsonBuilder *json, const char *key, const FvValueInfo *values,
    guint n)
{
  if (json != NULL) {
    json_builder_set_member_name (json, key);
    json_builder_begin_array (json);
  }
  for (guint i = 0; i < n; i++) {
    const FvValueInfo *value = &values[i];
    g_autofree char *shape = value_shape (value);
    if (json == NULL) {
      printf ("%-12s%s  %s %s\n", i == 0 ? key : "", value->name,
          value->type != FV_TYPE_NONE ? fv_type_name (value->type) : "", shape);
      continue;
    }
    json_builder_begin_object (json);
    tool_json_string (json, "name", value->name);
    tool_json_string (json, "type", fv_type_name (value->type));
    if (value->has_shape)
      tool_json_shape (json, "shape", &value->shape);
    tool_json_string (json, "shape_text", shape);
    json_builder_end_object (json);
  }
  if (json != NULL)
    json_builder_end_array (json);
}

static void
print_model (JsonBuilder *json, FvModel *model)
{
  const FvModelGraph *graph = model->graph;
  if (json != NULL) {
    tool_json_model (json, model);
  } else {
    printf ("model       %s\n", model->path);
    printf ("made by     %s (IR version %" G_GINT64_FORMAT ", opset %u)\n",
        model->producer[0] != '\0' ? model->producer : "?", model->ir_version,
        model->opset);
    printf ("size        %.1f MB, %u nodes, %.2f M parameters\n",
        model->file_size * 1e-6, graph->n_nodes, model->n_parameters * 1e-6);
  }
  print_values (json, "inputs", graph->inputs, graph->n_inputs);
  print_values (json, "outputs", graph->outputs, graph->n_outputs);
  if (json == NULL)
    tool_print_operators (model);
}

static void
print_card (JsonBuilder *json, const FvCard *card, const char *problem)
{
  if (json == NULL) {
    g_autofree char *text = card != NULL ? fv_card_to_string (card) : NULL;
    if (text != NULL)
      printf ("\ncard\n%s", text);
    else
      printf ("\ncard        none: %s\n", problem);
    return;
  }
  if (card == NULL) {
    tool_json_string (json, "card_problem", problem);
    return;
  }
  const GPtrArray *lines = fv_card_lines (card);
  json_builder_set_member_name (json, "card");
  json_builder_begin_array (json);
  for (guint i = 0; i < lines->len; i++) {
    const FvCardLine *line = lines->pdata[i];
    json_builder_begin_object (json);
    tool_json_string (json, "key", line->key);
    tool_json_string (json, "value", line->value);
    tool_json_string (json, "from", fv_card_source_name (line->source));
    if (line->where != NULL)
      tool_json_string (json, "where", line->where);
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
  json_builder_set_member_name (json, "warnings");
  json_builder_begin_array (json);
  for (guint i = 0; i < card->warnings->len; i++)
    json_builder_add_string_value (json, card->warnings->pdata[i]);
  json_builder_end_array (json);
}

static void
print_dispatches (JsonBuilder *json, FvGraph *graph)
{
  if (json == NULL) {
    g_autofree char *text = fv_graph_dump (graph);
    printf ("\n%s", text);
    return;
  }
  FvProgram *program = fv_graph_program (graph, 0);
  json_builder_set_member_name (json, "dispatches");
  json_builder_begin_array (json);
  for (guint i = 0; i < fv_program_n_dispatches (program); i++) {
    const FvDispatch *dispatch = fv_program_get (program, i);
    json_builder_begin_object (json);
    tool_json_string (json, "kernel", dispatch->kernel);
    tool_json_string (json, "tile", dispatch->tile);
    tool_json_string (json, "tile_from", dispatch->tile_from);
    tool_json_string (json, "nodes", dispatch->label);
    json_builder_set_member_name (json, "grid");
    json_builder_begin_array (json);
    for (guint k = 0; k < 3; k++)
      json_builder_add_int_value (json, dispatch->groups[k]);
    json_builder_end_array (json);
    tool_json_int (json, "bytes", dispatch->bytes);
    tool_json_int (json, "flops", dispatch->flops);
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
}

static void
print_plan (Tool *tool, JsonBuilder *json, FvGraph *graph)
{
  FvGraphStats stats;
  fv_graph_stats (graph, &stats);
  if (json != NULL) {
    tool_json_string (json, "device", tool_device_title (tool));
    tool_json_string (json, "precision",
        fv_type_name (fv_graph_precision (graph)));
    tool_json_plan (json, &stats);
    tool_json_tail (json, &stats);
  } else {
    printf ("\nplan        on %s in %s\n", tool_device_title (tool),
        fv_type_name (fv_graph_precision (graph)));
    printf ("work        %.3f G multiply-accumulates, %u dispatches, "
            "%u barriers, %u pipelines\n",
        stats.macs * 1e-9, stats.n_dispatches, stats.n_barriers,
        stats.n_pipelines);
    printf ("memory      %.1f MB activations (%.1f MB at once), %.1f MB "
            "weights, %.1f MB inputs and outputs\n",
        stats.arena_bytes * 1e-6, stats.arena_bound * 1e-6,
        stats.weight_bytes * 1e-6, stats.io_bytes * 1e-6);
    if (stats.n_tail_nodes > 0)
      printf ("host tail   %u nodes, the first: %s\n", stats.n_tail_nodes,
          stats.tail_reason);
  }
}

/* Without --plan the plan is a courtesy: what stands in its way is said. */
static gboolean
plan_model (Tool *tool, JsonBuilder *json, FvModel *model, FvCard *card,
    gboolean dispatches, GError **error)
{
  if (tool->reference)
    return TRUE;
  g_autoptr (GError) problem = NULL;
  g_autofree FvShape *shapes = NULL;
  g_autoptr (FvGraph) graph = NULL;
  if (tool_open_device (tool, &problem)
      && (shapes = tool_shapes (tool, model, card, &problem)) != NULL)
    graph = tool_graph (tool, model, shapes, FALSE, &problem);
  if (graph != NULL) {
    print_plan (tool, json, graph);
    if (dispatches)
      print_dispatches (json, graph);
    return TRUE;
  }
  if (dispatches || tool->device_name != NULL || tool->shape_texts != NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return FALSE;
  }
  if (json != NULL)
    tool_json_string (json, "plan_problem", problem->message);
  else
    printf ("\nplan        none: %s\n", problem->message);
  return TRUE;
}

int
tool_info (Tool *tool, int argc, char **argv)
{
  gboolean dispatches = FALSE;
  const GOptionEntry entries[] = {
    { "plan", 0, 0, G_OPTION_ARG_NONE, &dispatches,
        "print every dispatch: nodes, kernel, tile, grid, bytes, FLOPs", NULL },
    TOOL_CARD_ENTRY (tool),
    TOOL_PRECISION_ENTRY (tool),
    TOOL_SHAPE_ENTRY (tool),
    { NULL },
  };
  int code;
  if (!tool_parse (tool, entries, "MODEL",
          "shows a model, its card and its plan", &argc, &argv, 1, 1, &code))
    return code;
  if (dispatches && tool->reference)
    return tool_usage (tool, "the references have no plan");
  GError *error = NULL;
  g_autoptr (FvCard) card = NULL;
  g_autofree char *problem = NULL;
  g_autoptr (FvModel) model =
      tool_load (tool, argv[1], &card, &problem, &error);
  if (model == NULL)
    return tool_fail (tool, error);
  JsonBuilder *json = tool->json ? tool_json_begin () : NULL;
  print_model (json, model);
  print_card (json, card, problem);
  fflush (stdout);
  if (!plan_model (tool, json, model, card, dispatches, &error)) {
    g_clear_object (&json);
    return tool_fail (tool, error);
  }
  if (json != NULL)
    tool_json_end (json);
  return TOOL_OK;
}
