/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sizes that a model leaves free. */
#include "gst/onnx/model.h"
#include "gst/onnx/names.h"

typedef struct
{
  const char *name; /* of the model, for messages */
  const FvModelGraph *graph;
  FvShape *bound;
  GHashTable *symbols; /* name -> pointer to its size among those bound */
} Binder;

static gboolean fail (const Binder *binder, const FvValueInfo *info,
    GError **error, FvError code, const char *format, ...) G_GNUC_PRINTF (5, 6);

static gboolean
fail (const Binder *binder, const FvValueInfo *info, GError **error,
    FvError code, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, FV_ERROR, code, "%s: input '%s': %s", binder->name,
      info->name, message);
  return FALSE;
}

/* A size is @value; so are all of the same name. */
static gboolean
bind_size (Binder *binder, const FvValueInfo *info, guint axis, gint64 *size,
    gint64 value, GError **error)
{
  const char *symbol = info->symbols[axis];
  if (value == 0 && !(info->has_shape && info->shape.dims[axis] == 0))
    return fail (binder, info, error, FV_ERROR_INVALID,
        "the size of axis %u (%s) would be zero; there would be nothing to "
        "compute",
        axis, symbol != NULL ? symbol : "unnamed");
  *size = value;
  if (symbol == NULL)
    return TRUE;
  const gint64 *other = g_hash_table_lookup (binder->symbols, symbol);
  if (other != NULL && *other != value)
    return fail (binder, info, error, FV_ERROR_INVALID,
        "the size '%s' is %" G_GINT64_FORMAT
        " in axis %u, but %" G_GINT64_FORMAT " elsewhere",
        symbol, value, axis, *other);
  g_hash_table_insert (binder->symbols, (gpointer) symbol, size);
  return TRUE;
}

/* What the model or the caller says. */
static gboolean
bind_given (Binder *binder, guint i, const FvShape *given, GError **error)
{
  const FvValueInfo *info = &binder->graph->inputs[i];
  FvShape *shape = &binder->bound[i];
  if (!info->has_shape && given == NULL)
    return fail (binder, info, error, FV_ERROR_UNSUPPORTED,
        "it has no rank; give its shape");
  *shape = info->has_shape ? info->shape : *given;
  if (given != NULL && given->rank != shape->rank)
    return fail (binder, info, error, FV_ERROR_INVALID,
        "it has rank %u, but a shape of rank %u was given", shape->rank,
        given->rank);
  for (guint d = 0; d < shape->rank; d++) {
    gint64 wanted = given != NULL ? given->dims[d] : -1;
    gint64 fixed = info->has_shape ? info->shape.dims[d] : -1;
    if (fixed >= 0 && wanted >= 0 && wanted != fixed)
      return fail (binder, info, error, FV_ERROR_INVALID,
          "the size of axis %u is %" G_GINT64_FORMAT
          " in the model, %" G_GINT64_FORMAT " was given",
          d, fixed, wanted);
    gint64 value = fixed >= 0 ? fixed : wanted;
    if (value >= 0
        && !bind_size (binder, info, d, &shape->dims[d], value, error))
      return FALSE;
  }
  return TRUE;
}

/* What is left: the size of the same name elsewhere; @batch: else one, for the
 * first axis. */
static gboolean
bind_left (Binder *binder, guint i, gboolean batch, GError **error)
{
  const FvValueInfo *info = &binder->graph->inputs[i];
  FvShape *shape = &binder->bound[i];
  for (guint d = 0; d < shape->rank; d++) {
    const char *symbol = info->symbols[d];
    const gint64 *other =
        symbol != NULL ? g_hash_table_lookup (binder->symbols, symbol) : NULL;
    if (shape->dims[d] >= 0)
      continue;
    if (other != NULL)
      shape->dims[d] = *other;
    else if (batch && d == 0
        && !bind_size (binder, info, 0, &shape->dims[0], 1, error))
      return FALSE;
    else if (!batch)
      return fail (binder, info, error, FV_ERROR_INVALID,
          "the size of axis %u (%s) is free in the model; give its shape", d,
          symbol != NULL ? symbol : "unnamed");
  }
  return TRUE;
}

gboolean
fv_model_bind_shapes (FvModel *model, const FvShape *given, FvShape *bound,
    GError **error)
{
  const FvModelGraph *graph = model->graph;
  g_autoptr (GHashTable) symbols = g_hash_table_new (fv_name_hash, g_str_equal);
  Binder binder = { model->path != NULL ? model->path : "model", graph, bound,
    symbols };
  for (guint i = 0; i < graph->n_inputs; i++)
    if (!bind_given (&binder, i, given != NULL ? &given[i] : NULL, error))
      return FALSE;
  for (guint i = 0; i < graph->n_inputs; i++)
    if (!bind_left (&binder, i, TRUE, error))
      return FALSE;
  for (guint i = 0; i < graph->n_inputs; i++)
    if (!bind_left (&binder, i, FALSE, error))
      return FALSE;
  return TRUE;
}
