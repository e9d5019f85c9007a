/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running a graph from host arrays to host arrays, and its host tail. */
#include "gst/engine/graph-private.h"

#include <string.h>

/* Where the host writes a region of @buffer: the buffer itself, or staging that a
 * program copies. */
static guint8 *
host_side (FvGraph *graph, FvBuffer *buffer, FvMemoryUse use,
    FvBuffer **staging, FvProgram **program, GError **error)
{
  guint8 *mapped = fv_buffer_map (buffer);
  gsize size = fv_buffer_size (buffer);

  if (mapped)
    return mapped;
  if (!*staging) {
    if (!(*staging = fv_buffer_new (graph->device, size, use, error)))
      return NULL;
    /* pad elements of inputs are zero */
    memset (fv_buffer_map (*staging), 0, size);
    *program = fv_program_new (graph->device);
    if (use == FV_MEMORY_UPLOAD)
      fv_program_copy (*program, *staging, 0, buffer, 0, size);
    else
      fv_program_copy (*program, buffer, 0, *staging, 0, size);
    if (!fv_program_finish (*program, error))
      return NULL;
  }
  return fv_buffer_map (*staging);
}

/* Walks the elements of @port in row-major order of its shape. */
static void
copy_elements (const FvPort *port, guint8 *region, float *array, gboolean in)
{
  gint64 index[FV_MAX_RANK] = { 0 }, at = port->offset;
  gint64 count = fv_shape_count (&port->shape);
  guint16 *half = (guint16 *) (gpointer) region;
  float *single = (float *) (gpointer) region;

  for (gint64 i = 0; i < count; i++) {
    if (port->type == FV_TYPE_F16 && in)
      half[at] = fv_f32_to_f16 (array[i]);
    else if (port->type == FV_TYPE_F16)
      array[i] = fv_f16_to_f32 (half[at]);
    else if (in)
      single[at] = array[i];
    else
      array[i] = single[at];
    for (int d = (int) port->shape.rank - 1; d >= 0; d--) {
      at += port->strides[d];
      if (++index[d] < port->shape.dims[d])
        break;
      at -= port->strides[d] * index[d];
      index[d] = 0;
    }
  }
}

static gboolean
check_input (FvGraph *graph, guint i, const FvArray *array, GError **error)
{
  const FvValue *value = graph->ir->inputs->pdata[i];
  g_autofree char *want = fv_shape_to_string (&value->shape);
  g_autofree char *got = array ? fv_shape_to_string (&array->shape) : NULL;

  if (array && fv_shape_equal (&value->shape, &array->shape))
    return TRUE;
  g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
      "%s: input '%s': expected %s, got %s", graph->ir->name, value->name, want,
      got ? got : "nothing");
  return FALSE;
}

/* Integers are f32 on the device. */
static gboolean
check_integers (FvGraph *graph, guint i, const FvArray *array, GError **error)
{
  const FvValue *value = graph->ir->inputs->pdata[i];

  for (gint64 k = 0; fv_value_is_integer (value) && k < array->count; k++) {
    gint64 number = fv_array_get_int (array, k);

    if (number <= FV_INTEGER_LIMIT && number >= -FV_INTEGER_LIMIT)
      continue;
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "%s: input '%s' holds %" G_GINT64_FORMAT
        "; integers on the device are exact up to %d",
        graph->ir->name, value->name, number, FV_INTEGER_LIMIT);
    return FALSE;
  }
  return TRUE;
}

static gboolean
write_inputs (FvGraph *graph, FvArray *const *inputs, GError **error)
{
  FvSlot *slot = &graph->slots[0];
  guint8 *base;

  if (!slot->input)
    return TRUE;
  base = host_side (graph, slot->input, FV_MEMORY_UPLOAD, &graph->upload,
      &graph->upload_program, error);
  if (!base)
    return FALSE;
  for (guint i = 0; i < graph->ir->inputs->len; i++) {
    const FvPort *port = &slot->inputs[i];
    const FvValue *value = graph->ir->inputs->pdata[i];
    g_autoptr (FvArray) floats = NULL;

    if (!port->buffer || (!value->users->len && !value->is_output))
      continue;
    if (!check_integers (graph, i, inputs[i], error)
        || !(floats = fv_array_convert (inputs[i], FV_TYPE_F32, error)))
      return FALSE;
    copy_elements (port, base + port->buffer_offset, floats->f32, TRUE);
  }
  return TRUE;
}

/* What @port, that of @value, holds. @region: its range of the buffer. */
static FvArray *
read_port (const FvValue *value, const FvPort *port, guint8 *region,
    GError **error)
{
  g_autoptr (FvArray) floats = NULL;

  if (value->constant)
    return fv_array_convert (value->constant, fv_value_declared (value), error);
  floats = fv_array_new (FV_TYPE_F32, &port->shape, error);
  if (!floats)
    return NULL;
  copy_elements (port, region, floats->f32, FALSE);
  return fv_array_convert (floats, fv_value_declared (value), error);
}

static gboolean
read_outputs (FvGraph *graph, FvArray **outputs, GError **error)
{
  FvSlot *slot = &graph->slots[0];
  guint8 *base = slot->output
      ? host_side (graph, slot->output, FV_MEMORY_DOWNLOAD, &graph->download,
          &graph->download_program, error)
      : NULL;

  if (slot->output && !base)
    return FALSE;
  for (guint i = 0; i < graph->ir->outputs->len; i++) {
    const FvPort *port = &slot->outputs[i];

    outputs[i] = read_port (graph->ir->outputs->pdata[i], port,
        port->buffer ? base + port->buffer_offset : NULL, error);
    if (!outputs[i])
      return FALSE;
  }
  return TRUE;
}

/* The zones behind allocations must still be poisoned. */
static gboolean
check_guards (FvGraph *graph, GError **error)
{
  const guint8 *base = graph->arena ? fv_buffer_map (graph->arena) : NULL;

  for (guint i = 0; base && i < graph->plan->storages->len; i++) {
    FvStorage *s = graph->plan->storages->pdata[i];

    if (s->kind != FV_STORAGE_ARENA)
      continue;
    for (gsize b = fv_storage_align (s->size);
         b < fv_storage_align (s->size) + 256; b++)
      if (base[s->offset + b] != 0xff) {
        g_set_error (error, FV_ERROR, FV_ERROR_DEVICE,
            "%s: a kernel wrote behind storage %u", graph->ir->name, i);
        return FALSE;
      }
  }
  return TRUE;
}

static gboolean
run_device (FvGraph *graph, FvArray *const *inputs, FvArray **outputs,
    GError **error)
{
  FvProgram *programs[3];
  guint64 value;
  guint n = 0;

  if (!write_inputs (graph, inputs, error))
    return FALSE;
  if (graph->slots[0].output
      && !host_side (graph, graph->slots[0].output, FV_MEMORY_DOWNLOAD,
          &graph->download, &graph->download_program, error))
    return FALSE;
  if (graph->upload_program)
    programs[n++] = graph->upload_program;
  programs[n++] = graph->slots[0].program;
  if (graph->download_program)
    programs[n++] = graph->download_program;
  return fv_program_submit (programs, n, &value, error)
      && fv_device_wait (graph->device, value, FV_WATCHDOG, error)
      && (!graph->poison || check_guards (graph, error))
      && read_outputs (graph, outputs, error);
}

/* What the IR puts out. */
static gboolean
run_ir (FvGraph *graph, FvArray *const *inputs, FvArray **outputs,
    GError **error)
{
  gboolean ok;

  for (guint i = 0; i < graph->ir->outputs->len; i++)
    outputs[i] = NULL;
  ok = graph->device ? run_device (graph, inputs, outputs, error)
                     : fv_ir_run_reference (graph->ir, inputs, outputs,
                         graph->precision == FV_TYPE_F16, NULL, NULL, error);
  if (!ok)
    for (guint i = 0; i < graph->ir->outputs->len; i++)
      g_clear_pointer (&outputs[i], fv_array_unref);
  return ok;
}

gboolean
fv_graph_run (FvGraph *graph, FvArray *const *inputs, FvArray **outputs,
    GError **error)
{
  guint n = graph->ir->outputs->len;
  g_autofree FvArray **arrays = NULL;
  gint64 start;
  gboolean ok;

  for (guint i = 0; i < fv_graph_n_outputs (graph); i++)
    outputs[i] = NULL;
  for (guint i = 0; i < graph->ir->inputs->len; i++)
    if (!check_input (graph, i, inputs[i], error))
      return FALSE;
  if (!graph->ir->tail)
    return run_ir (graph, inputs, outputs, error);
  arrays = g_new0 (FvArray *, n + 1);
  ok = run_ir (graph, inputs, arrays, error);
  start = g_get_monotonic_time ();
  ok = ok && fv_tail_run (graph->ir->tail, inputs, arrays, outputs, error);
  graph->stats.tail_seconds = (g_get_monotonic_time () - start) * 1e-6;
  for (guint i = 0; i < n; i++)
    fv_array_unref (arrays[i]);
  return ok;
}

/* The model's inputs that the tail reads as they came stand behind the device's
 * outputs. The @i-th of them, or -1. */
static gint
direct_input (const FvTail *tail, guint i)
{
  for (guint k = 0; k < tail->inputs->len; k++) {
    gint input = g_array_index (tail->inputs, FvTailInput, k).input;

    if (input >= 0 && i-- == 0)
      return input;
  }
  return -1;
}

guint
fv_graph_n_tail_inputs (FvGraph *graph)
{
  guint n = 0;

  if (!graph->ir->tail)
    return 0;
  while (direct_input (graph->ir->tail, n) >= 0)
    n++;
  return graph->ir->outputs->len + n;
}

const FvPort *
fv_graph_tail_input (FvGraph *graph, guint slot, guint i)
{
  guint n = graph->ir->outputs->len;

  g_return_val_if_fail (graph->slots && slot < graph->n_slots, NULL);
  g_return_val_if_fail (i < fv_graph_n_tail_inputs (graph), NULL);
  if (i < n)
    return &graph->slots[slot].outputs[i];
  return &graph->slots[slot].inputs[direct_input (graph->ir->tail, i - n)];
}

gboolean
fv_graph_run_tail (FvGraph *graph, const gpointer *regions, FvArray **outputs,
    GError **error)
{
  guint n = fv_graph_n_tail_inputs (graph), n_outputs = graph->ir->outputs->len;
  guint n_inputs = graph->ir->inputs->len;
  g_autofree FvArray **arrays = g_new0 (FvArray *, n_outputs + 1);
  g_autofree FvArray **inputs = g_new0 (FvArray *, n_inputs + 1);
  gboolean ok = TRUE;

  for (guint i = 0; i < fv_graph_n_outputs (graph); i++)
    outputs[i] = NULL;
  for (guint i = 0; ok && i < n; i++) {
    guint at = i < n_outputs
        ? i
        : (guint) direct_input (graph->ir->tail, i - n_outputs);
    GPtrArray *values = i < n_outputs ? graph->ir->outputs : graph->ir->inputs;
    FvArray **into = i < n_outputs ? arrays : inputs;

    into[at] = read_port (values->pdata[at], fv_graph_tail_input (graph, 0, i),
        regions[i], error);
    ok = into[at] != NULL;
  }
  ok = ok && fv_tail_run (graph->ir->tail, inputs, arrays, outputs, error);
  for (guint i = 0; i < n_outputs; i++)
    fv_array_unref (arrays[i]);
  for (guint i = 0; i < n_inputs; i++)
    fv_array_unref (inputs[i]);
  return ok;
}
