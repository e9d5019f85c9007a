/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/engine/background-private.h"
#include "gst/engine/program-private.h"

#include <string.h>

G_DEFINE_BOXED_TYPE (FvProgram, fv_program, fv_program_ref, fv_program_unref)

/* Command buffers handed to one vkQueueSubmit, on the stack. */
#define BATCH 32

void
fv_dispatch_spec (FvDispatch *dispatch, guint id, gint32 value)
{
  guint i = 0;

  while (i < dispatch->n_spec && dispatch->spec_id[i] != id)
    i++;
  g_return_if_fail (i < FV_MAX_SPEC);
  dispatch->spec_id[i] = id;
  dispatch->spec[i] = (guint32) value;
  dispatch->n_spec = MAX (dispatch->n_spec, i + 1);
}

void
fv_dispatch_spec_float (FvDispatch *dispatch, guint id, float value)
{
  gint32 bits;
  memcpy (&bits, &value, sizeof bits);
  fv_dispatch_spec (dispatch, id, bits);
}

void
fv_dispatch_push (FvDispatch *dispatch, gconstpointer data, gsize size)
{
  /* A size that does not fit is kept and refused by fv_program_finish(). */
  dispatch->push_size = (guint) MIN (size, G_MAXUINT);
  memcpy (dispatch->push, data, MIN (size, sizeof dispatch->push));
}

void
fv_dispatch_bind (FvDispatch *dispatch, FvBuffer *buffer, gsize offset,
    gsize size, FvBindKind kind, FvType type)
{
  dispatch->bindings[dispatch->n_bindings++] =
      (FvBinding){ buffer, offset, size, kind, type };
}

static void
dispatch_free (gpointer data)
{
  FvProgramDispatch *dispatch = data;
  g_free ((char *) dispatch->d.label);
  g_free ((char *) dispatch->d.tile);
  g_free (dispatch);
}

FvProgram *
fv_program_new (FvDevice *device)
{
  FvProgram *program = g_new0 (FvProgram, 1);

  g_atomic_ref_count_init (&program->ref);
  program->device = fv_device_ref (device);
  program->commands = g_array_new (FALSE, TRUE, sizeof (FvCommand));
  program->dispatches = g_ptr_array_new_with_free_func (dispatch_free);
  program->buffers = g_hash_table_new_full (NULL, NULL,
      (GDestroyNotify) fv_buffer_unref, NULL);
  program->views = g_array_new (FALSE, TRUE, sizeof (VkBufferView));
  program->parts = g_array_new (FALSE, TRUE, sizeof (FvProgramPart));
  g_mutex_init (&program->lock);
  return program;
}

FvProgram *
fv_program_ref (FvProgram *program)
{
  g_atomic_ref_count_inc (&program->ref);
  return program;
}

static void
destroy_handles (FvProgram *program)
{
  FvVulkan *vk = &program->device->vk;
  VkDevice handle = program->device->handle;

  if (program->queries)
    vk->DestroyQueryPool (handle, program->queries, NULL);
  if (program->commands_pool)
    vk->DestroyCommandPool (handle, program->commands_pool, NULL);
  if (program->descriptors)
    vk->DestroyDescriptorPool (handle, program->descriptors, NULL);
  for (guint i = 0; i < program->views->len; i++)
    vk->DestroyBufferView (handle,
        g_array_index (program->views, VkBufferView, i), NULL);
}

static void
program_free (gpointer data)
{
  FvProgram *program = data;

  destroy_handles (program);
  g_array_unref (program->views);
  g_array_unref (program->parts);
  g_hash_table_unref (program->buffers);
  g_ptr_array_unref (program->dispatches);
  g_array_unref (program->commands);
  g_clear_error (&program->building);
  g_mutex_clear (&program->lock);
  fv_device_unref (program->device);
  g_free (program);
}

void
fv_program_unref (FvProgram *program)
{
  if (!program || !g_atomic_ref_count_dec (&program->ref))
    return;
  if (program->last_value)
    fv_device_wait (program->device, program->last_value, FV_WATCHDOG, NULL);
  if (program->last_background)
    fv_device_wait (program->device, program->last_background, FV_WATCHDOG,
        NULL);
  fv_device_release (program->device, program_free, program);
}

static void
keep (FvProgram *program, FvBuffer *buffer)
{
  if (buffer && !g_hash_table_contains (program->buffers, buffer))
    g_hash_table_add (program->buffers, fv_buffer_ref (buffer));
}

static gboolean
may_add (FvProgram *program)
{
  if (program->is_finished && !program->building)
    g_set_error_literal (&program->building, FV_ERROR, FV_ERROR_INVALID,
        "a command was added to a program after fv_program_finish()");
  return !program->building;
}

void
fv_program_dispatch (FvProgram *program, const FvDispatch *dispatch)
{
  FvCommand command = { .kind = FV_COMMAND_DISPATCH,
    .dispatch = program->dispatches->len };

  if (!may_add (program))
    return;
  FvProgramDispatch *copy = g_new0 (FvProgramDispatch, 1);
  copy->d = *dispatch;
  copy->d.kernel = g_intern_string (dispatch->kernel);
  copy->d.label = g_strdup (dispatch->label);
  copy->d.tile = g_strdup (dispatch->tile);
  copy->d.n_bindings = MIN (dispatch->n_bindings, FV_MAX_BINDINGS);
  for (guint i = 0; i < copy->d.n_bindings; i++)
    keep (program, dispatch->bindings[i].buffer);
  g_ptr_array_add (program->dispatches, copy);
  g_array_append_val (program->commands, command);
  if (!fv_dispatch_check (program->device, &copy->d, &program->building))
    g_assert (program->building);
}

static gboolean
check_range (FvProgram *program, FvBuffer *buffer, gsize offset, gsize size,
    const char *what)
{
  if (buffer && buffer->device == program->device && size && offset % 4 == 0
      && size % 4 == 0 && offset <= buffer->size
      && size <= buffer->size - offset)
    return TRUE;
  g_set_error (&program->building, FV_ERROR, FV_ERROR_INVALID,
      "%s: %" G_GSIZE_FORMAT " bytes at %" G_GSIZE_FORMAT
      " (both multiples of 4, size not 0) do not lie in a buffer of "
      "%" G_GSIZE_FORMAT " bytes on this device",
      what, size, offset, buffer ? buffer->size : 0);
  return FALSE;
}

void
fv_program_copy (FvProgram *program, FvBuffer *source, gsize source_offset,
    FvBuffer *target, gsize target_offset, gsize size)
{
  FvCommand command = { FV_COMMAND_COPY, 0, source, target, source_offset,
    target_offset, size, 0 };

  if (!may_add (program)
      || !check_range (program, source, source_offset, size, "copy from")
      || !check_range (program, target, target_offset, size, "copy to"))
    return;
  if (source == target && source_offset < target_offset + size
      && target_offset < source_offset + size) {
    g_set_error_literal (&program->building, FV_ERROR, FV_ERROR_INVALID,
        "a copy's source and target overlap");
    return;
  }
  keep (program, source);
  keep (program, target);
  g_array_append_val (program->commands, command);
}

void
fv_program_fill (FvProgram *program, FvBuffer *target, gsize offset, gsize size,
    guint32 value)
{
  FvCommand command = { FV_COMMAND_FILL, 0, NULL, target, 0, offset, size,
    value };

  if (!may_add (program)
      || !check_range (program, target, offset, size, "fill"))
    return;
  keep (program, target);
  g_array_append_val (program->commands, command);
}

static gboolean
get_kernels (FvProgram *program, GError **error)
{
  guint n = program->dispatches->len;
  g_autofree const FvDispatch **dispatches = g_new (const FvDispatch *, n);
  g_autofree const FvKernel **kernels = g_new (const FvKernel *, n);

  for (guint i = 0; i < n; i++)
    dispatches[i] = fv_program_get (program, i);
  if (!fv_kernels_get (program->device->kernels, dispatches, n, kernels, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    ((FvProgramDispatch *) program->dispatches->pdata[i])->kernel = kernels[i];
  return TRUE;
}

gboolean
fv_program_finish (FvProgram *program, GError **error)
{
  FvDevice *device = program->device;

  if (!may_add (program)) {
    g_propagate_error (error, g_error_copy (program->building));
    return FALSE;
  }
  if (!fv_device_check (device, error))
    return FALSE;
  if (!get_kernels (program, error))
    return FALSE;
  if (!fv_program_record (program, &program->building)) {
    g_propagate_error (error, g_error_copy (program->building));
    return FALSE;
  }
  program->is_finished = TRUE;
  return TRUE;
}

/* Whatever of @programs got as far as @value. */
static void
note_value (FvProgram *const *programs, guint n, guint64 value)
{
  for (guint i = 0; i < n; i++) {
    FvProgram *program = programs[i];
    guint64 *last = value & FV_VALUE_BACKGROUND ? &program->last_background
                                                : &program->last_value;

    g_mutex_lock (&program->lock);
    *last = MAX (*last, value);
    g_mutex_unlock (&program->lock);
  }
}

static gboolean
may_submit (FvProgram *const *programs, guint n, GError **error)
{
  for (guint i = 0; i < n; i++)
    if (!programs[i]->is_finished
        || programs[i]->device != programs[0]->device) {
      g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
          "program %u of %u submitted %s", i, n,
          programs[i]->is_finished ? "belongs to another device"
                                   : "was not finished");
      return FALSE;
    }
  return TRUE;
}

gboolean
fv_program_submit (FvProgram *const *programs, guint n, guint64 *value,
    GError **error)
{
  VkCommandBuffer buffers[BATCH];
  guint64 reached = 0;
  guint n_buffers = 0;

  if (!may_submit (programs, n, error))
    return FALSE;
  for (guint i = 0; i < n; i++) {
    GArray *parts = programs[i]->parts;

    for (guint k = 0; k < parts->len; k++) {
      gboolean is_last = i == n - 1 && k == parts->len - 1;

      buffers[n_buffers++] = g_array_index (parts, FvProgramPart, k).buffer;
      if (n_buffers < BATCH && !is_last)
        continue;
      if (!fv_device_submit (programs[0]->device, buffers, n_buffers, &reached,
              error))
        return FALSE;
      note_value (programs, i + 1, reached);
      n_buffers = 0;
    }
  }
  if (value)
    *value = reached;
  return TRUE;
}

/* What was measured once is kept: the driver gets so much at a time as takes about
 * so long. */
static double
part_seconds (FvProgram *program, FvProgramPart *part)
{
  double sum = 0;

  for (guint i = 0; part->seconds < 0 && i < program->dispatches->len; i++) {
    double seconds = fv_program_seconds (program, i);

    if (seconds < 0)
      return 0;
    sum += seconds;
  }
  if (part->seconds < 0)
    part->seconds = sum;
  return part->seconds;
}

gboolean
fv_program_submit_background (FvProgram *const *programs, guint n,
    guint64 *value, GError **error)
{
  g_autofree FvPiece *pieces = NULL;
  guint n_pieces = 0, k = 0;

  if (!may_submit (programs, n, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    n_pieces += programs[i]->parts->len;
  pieces = g_new (FvPiece, n_pieces);
  for (guint i = 0; i < n; i++)
    for (guint p = 0; p < programs[i]->parts->len; p++) {
      FvProgramPart *part =
          &g_array_index (programs[i]->parts, FvProgramPart, p);

      pieces[k++] = (FvPiece){ part->buffer, part_seconds (programs[i], part) };
    }
  if (!fv_background_submit (programs[0]->device->background, pieces, n_pieces,
          value, error))
    return FALSE;
  *value |= FV_VALUE_BACKGROUND;
  note_value (programs, n, *value);
  return TRUE;
}

void
fv_program_enable_timing (FvProgram *program)
{
  program->is_timed = program->device->info.timestamp_ns > 0;
}

double
fv_program_seconds (FvProgram *program, guint i)
{
  FvDevice *device = program->device;
  guint64 ticks[2];

  g_mutex_lock (&program->lock);
  guint64 last = program->last_value, background = program->last_background;
  g_mutex_unlock (&program->lock);
  if (!program->queries || i >= program->dispatches->len
      || (last == 0 && background == 0) || !fv_device_is_done (device, last)
      || (background && !fv_device_is_done (device, background))
      || !VK (device, GetQueryPoolResults, NULL, device->handle,
          program->queries, 2 * i, 2, sizeof ticks, ticks, sizeof *ticks,
          VK_QUERY_RESULT_64_BIT))
    return -1;
  return (double) (ticks[1] - ticks[0]) * device->info.timestamp_ns * 1e-9;
}

guint
fv_program_n_dispatches (FvProgram *program)
{
  return program->dispatches->len;
}

const FvDispatch *
fv_program_get (FvProgram *program, guint i)
{
  g_return_val_if_fail (i < program->dispatches->len, NULL);
  return &((FvProgramDispatch *) program->dispatches->pdata[i])->d;
}

guint
fv_program_n_barriers (FvProgram *program)
{
  return program->n_barriers;
}

void
fv_program_sample (FvProgram *program, FvProgram *sample)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < program->dispatches->len; i++) {
    const FvProgramDispatch *dispatch = program->dispatches->pdata[i];
    FvDispatch d = dispatch->d;

    if (!g_hash_table_add (seen, (gpointer) dispatch->kernel))
      continue;
    for (guint k = 0; k < G_N_ELEMENTS (d.groups); k++)
      d.groups[k] = MIN (d.groups[k], 1);
    fv_program_dispatch (sample, &d);
  }
}

guint
fv_program_n_pipelines (FvProgram *program)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < program->dispatches->len; i++) {
    FvProgramDispatch *dispatch = program->dispatches->pdata[i];
    if (dispatch->kernel)
      g_hash_table_add (seen, (gpointer) dispatch->kernel);
  }
  return g_hash_table_size (seen);
}
