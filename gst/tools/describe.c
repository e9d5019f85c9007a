/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a model and its plan are, for several subcommands. */
#include "gst/tools/tool.h"

#include <stdio.h>
#include <string.h>

/* How often an operator stands in the model. */
typedef struct
{
  const char *domain, *name;
  guint count;
} Count;

static int
compare_counts (gconstpointer a, gconstpointer b)
{
  const Count *x = a, *y = b;
  return x->count != y->count ? (int) y->count - (int) x->count
                              : strcmp (x->name, y->name);
}

static void
count_operators (const FvModelGraph *graph, GArray *counts)
{
  for (guint i = 0; i < graph->n_nodes; i++) {
    const FvModelNode *node = &graph->nodes[i];
    Count *count = NULL;
    for (guint k = 0; k < counts->len && count == NULL; k++) {
      Count *other = &g_array_index (counts, Count, k);
      if (strcmp (other->name, node->op_type) == 0
          && strcmp (other->domain, node->domain) == 0)
        count = other;
    }
    if (count != NULL)
      count->count++;
    else
      g_array_append_val (counts, ((Count){ node->domain, node->op_type, 1 }));
    for (guint k = 0; k < node->n_attrs; k++)
      if (node->attrs[k].graph != NULL)
        count_operators (node->attrs[k].graph, counts);
  }
}

/* (element-type Count) (transfer full): the most frequent first */
static GArray *
list_operators (FvModel *model)
{
  GArray *counts = g_array_new (FALSE, FALSE, sizeof (Count));
  count_operators (model->graph, counts);
  g_array_sort (counts, compare_counts);
  return counts;
}

/* "com.microsoft.Gelu" */
static char *
full_name (const Count *count)
{
  return g_strconcat (count->domain, count->domain[0] != '\0' ? "." : "",
      count->name, NULL);
}

void
tool_print_operators (FvModel *model)
{
  g_autoptr (GArray) counts = list_operators (model);
  printf ("operators   ");
  for (guint i = 0; i < counts->len; i++) {
    const Count *count = &g_array_index (counts, Count, i);
    g_autofree char *name = full_name (count);
    printf ("%s%s %u", i > 0 ? ", " : "", name, count->count);
  }
  printf ("\n");
}

void
tool_json_model (JsonBuilder *builder, FvModel *model)
{
  g_autoptr (GArray) counts = list_operators (model);
  tool_json_string (builder, "path", model->path);
  tool_json_string (builder, "producer", model->producer);
  tool_json_int (builder, "ir_version", model->ir_version);
  tool_json_int (builder, "opset", model->opset);
  tool_json_int (builder, "file_size", model->file_size);
  tool_json_int (builder, "nodes", model->graph->n_nodes);
  tool_json_int (builder, "parameters", model->n_parameters);
  json_builder_set_member_name (builder, "operators");
  json_builder_begin_object (builder);
  for (guint i = 0; i < counts->len; i++) {
    const Count *count = &g_array_index (counts, Count, i);
    g_autofree char *name = full_name (count);
    tool_json_int (builder, name, count->count);
  }
  json_builder_end_object (builder);
}

void
tool_json_plan (JsonBuilder *builder, const FvGraphStats *stats)
{
  tool_json_int (builder, "macs", stats->macs);
  tool_json_int (builder, "n_nodes", stats->n_nodes);
  tool_json_int (builder, "n_dispatches", stats->n_dispatches);
  tool_json_int (builder, "n_barriers", stats->n_barriers);
  tool_json_int (builder, "n_pipelines", stats->n_pipelines);
  tool_json_int (builder, "arena_bytes", stats->arena_bytes);
  tool_json_int (builder, "arena_bound", stats->arena_bound);
  tool_json_int (builder, "weight_bytes", stats->weight_bytes);
  tool_json_int (builder, "io_bytes", stats->io_bytes);
}
