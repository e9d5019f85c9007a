/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/tools/dataset.h"

#include <string.h>

#define PREFIX "test_data_set_"

void
free_arrays (FvArray **arrays, guint n)
{
  for (guint i = 0; arrays != NULL && i < n; i++)
    fv_array_unref (arrays[i]);
  g_free (arrays);
}

void
data_set_free (DataSet *set)
{
  if (set == NULL)
    return;
  free_arrays (set->inputs, set->n_inputs);
  free_arrays (set->outputs, set->n_outputs);
  g_free (set);
}

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  return (*(const guint *) a > *(const guint *) b)
      - (*(const guint *) a < *(const guint *) b);
}

GArray *
data_set_list (const char *folder, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &problem);
  if (dir == NULL) {
    g_set_error (error, FV_ERROR, FV_ERROR_NOT_FOUND, "%s", problem->message);
    return NULL;
  }
  g_autoptr (GArray) numbers = g_array_new (FALSE, FALSE, sizeof (guint));
  const char *name;
  while ((name = g_dir_read_name (dir)) != NULL) {
    guint64 number;
    if (!g_str_has_prefix (name, PREFIX)
        || !g_ascii_string_to_unsigned (name + strlen (PREFIX), 10, 0, G_MAXINT,
            &number, NULL))
      continue;
    guint short_number = number;
    g_array_append_val (numbers, short_number);
  }
  g_array_sort (numbers, compare_numbers);
  if (numbers->len == 0) {
    g_set_error (error, FV_ERROR, FV_ERROR_NOT_FOUND,
        "'%s' has no folder " PREFIX "0 with inputs and outputs to compare",
        folder);
    return NULL;
  }
  return g_steal_pointer (&numbers);
}

/* The place of the tensor called @name, or @index where no name fits. */
static guint
find_place (const FvValueInfo *values, guint n, const char *name, guint index)
{
  for (guint i = 0; i < n; i++)
    if (strcmp (values[i].name, name) == 0)
      return i;
  return index;
}

/* Reads KIND_0.pb ... into the places that their names tell, else in order. */
static FvArray **
load_all (const char *folder, const char *kind, const FvValueInfo *values,
    guint n, GError **error)
{
  FvArray **arrays = g_new0 (FvArray *, n + 1);
  for (guint i = 0; i < n; i++) {
    g_autofree char *file = g_strdup_printf ("%s_%u.pb", kind, i);
    g_autofree char *path = g_build_filename (folder, file, NULL);
    g_autofree char *name = NULL;
    FvArray *array = fv_array_load_pb (path, &name, error);
    if (array == NULL) {
      free_arrays (arrays, n);
      return NULL;
    }
    guint place = find_place (values, n, name, i);
    for (guint k = 0; arrays[place] != NULL && k < n; k++)
      place = k;
    arrays[place] = array;
  }
  return arrays;
}

DataSet *
data_set_load (const char *folder, guint number, FvModel *model, GError **error)
{
  const FvModelGraph *graph = model->graph;
  g_autofree char *name = g_strdup_printf (PREFIX "%u", number);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (DataSet) set = g_new0 (DataSet, 1);
  set->number = number;
  set->n_inputs = graph->n_inputs;
  set->n_outputs = graph->n_outputs;
  set->inputs = load_all (path, "input", graph->inputs, set->n_inputs, error);
  if (set->inputs == NULL)
    return NULL;
  set->outputs =
      load_all (path, "output", graph->outputs, set->n_outputs, error);
  if (set->outputs == NULL)
    return NULL;
  return g_steal_pointer (&set);
}
