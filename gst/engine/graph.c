/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/engine/graph.h"
#include "gst/engine/ir-private.h"
#include "gst/engine/plan-private.h"
#include "gst/engine/precision.h"
#include "gst/engine/tail.h"

#include <string.h>

#define RUN_TIMEOUT_NS ((guint64) 120 * 1000000000)
#define DEFAULT_LIMIT ((gsize) 4 << 30)

/* A slot's own memory and its recording of the plan. */
typedef struct
{
  FvBuffer *input, *output; /* (nullable) where there are none */
  FvProgram *program;
  FvPort *inputs, *outputs;
} Slot;

struct _FvGraph
{
  gatomicrefcount ref;
  FvDevice *device; /* (nullable): NULL runs the references */
  FvIr *ir;
  FvPlan *plan;
  FvType precision;
  gboolean poison;
  guint n_slots;
  Slot *slots;
  FvBuffer *arena, *weights;
  FvBuffer *upload, *download; /* the host path's, where memory is not mapped */
  FvProgram *upload_program, *download_program;
  FvPort *tail_ports; /* (nullable) outputs that the host makes */
  FvGraphStats stats;
};

G_DEFINE_BOXED_TYPE (FvGraph, fv_graph, fv_graph_ref, fv_graph_unref)

static gboolean
buffer_for (FvGraph *graph, FvStorageKind kind, FvMemoryUse use,
    FvBuffer **buffer, GError **error)
{
  gsize size = graph->plan->region[kind];

  if (!size)
    return TRUE;
  return (*buffer = fv_buffer_new (graph->device, size, use, error)) != NULL;
}

/* Fills the weights' buffer, through a staging buffer where it is not mapped. */
static gboolean
upload_weights (FvGraph *graph, GError **error)
{
  g_autoptr (FvBuffer) staging = NULL;
  g_autoptr (FvProgram) program = NULL;
  guint64 value;
  guint8 *to;

  if (!graph->weights)
    return TRUE;
  if (!(to = fv_buffer_map (graph->weights))) {
    staging = fv_buffer_new (graph->device, fv_buffer_size (graph->weights),
        FV_MEMORY_UPLOAD, error);
    if (!staging)
      return FALSE;
    to = fv_buffer_map (staging);
  }
  for (guint i = 0; i < graph->plan->storages->len; i++) {
    FvStorage *s = graph->plan->storages->pdata[i];

    if (s->kind != FV_STORAGE_WEIGHT)
      continue;
    memcpy (to + s->offset, s->data, s->size);
    g_clear_pointer (&s->data, g_free);
  }
  if (!staging)
    return TRUE;
  program = fv_program_new (graph->device);
  fv_program_copy (program, staging, 0, graph->weights, 0,
      fv_buffer_size (graph->weights));
  return fv_program_finish (program, error)
      && fv_program_submit (&program, 1, &value, error)
      && fv_device_wait (graph->device, value, RUN_TIMEOUT_NS, error);
}

static FvBuffer *
slot_buffer (FvGraph *graph, Slot *slot, FvStorageKind kind)
{
  switch (kind) {
    case FV_STORAGE_WEIGHT:
      return graph->weights;
    case FV_STORAGE_INPUT:
      return slot->input;
    case FV_STORAGE_OUTPUT:
      return slot->output;
    default:
      return graph->arena;
  }
}

static gboolean
record_slot (FvGraph *graph, Slot *slot, gboolean timing, GError **error)
{
  FvPlan *plan = graph->plan;

  slot->program = fv_program_new (graph->device);
  if (timing)
    fv_program_enable_timing (slot->program);
  if (graph->poison && graph->arena)
    fv_program_fill (slot->program, graph->arena, 0,
        fv_buffer_size (graph->arena), 0xffffffff); /* NaN in f32 and f16 */
  if (graph->poison && slot->output)
    fv_program_fill (slot->program, slot->output, 0,
        fv_buffer_size (slot->output), 0xffffffff);
  for (guint i = 0; i < plan->dispatches->len; i++) {
    FvDispatch d = g_array_index (plan->dispatches, FvDispatch, i);

    for (guint b = 0; b < d.n_bindings; b++) {
      FvStorage *s = (FvStorage *) (gpointer) d.bindings[b].buffer;

      d.bindings[b].buffer = slot_buffer (graph, slot, s->kind);
      d.bindings[b].offset = s->offset;
      d.bindings[b].size = s->size;
    }
    fv_program_dispatch (slot->program, &d);
  }
  return fv_program_finish (slot->program, error);
}

static FvPort *
make_ports (FvGraph *graph, Slot *slot, GPtrArray *values)
{
  FvPort *ports = g_new0 (FvPort, values->len + 1);

  for (guint i = 0; i < values->len; i++) {
    FvValue *value = values->pdata[i];
    FvPlaced *place = value->placed;
    FvPort *port = &ports[i];

    port->name = value->name;
    port->model_type = fv_value_declared (value);
    port->shape = value->shape;
    if (!place || !place->is_ready)
      continue;
    port->type = place->tensor.type;
    memcpy (port->strides, place->tensor.strides, sizeof port->strides);
    port->offset = place->tensor.offset;
    port->buffer = slot_buffer (graph, slot, place->tensor.storage->kind);
    port->buffer_offset = place->tensor.storage->offset;
    port->buffer_size = place->tensor.storage->size;
  }
  return ports;
}

/* Outputs of the host tail: no place, and sizes only after a run. */
static void
make_tail_ports (FvGraph *graph)
{
  const FvModelGraph *model = graph->ir->tail->model->graph;

  graph->tail_ports = g_new0 (FvPort, model->n_outputs + 1);
  for (guint i = 0; i < model->n_outputs; i++) {
    graph->tail_ports[i].name = model->outputs[i].name;
    graph->tail_ports[i].model_type = model->outputs[i].type;
    graph->tail_ports[i].shape = model->outputs[i].shape;
  }
}

static gboolean
make_slots (FvGraph *graph, const FvGraphOptions *options, GError **error)
{
  if (graph->ir->tail)
    make_tail_ports (graph);
  graph->slots = g_new0 (Slot, graph->n_slots);
  for (guint i = 0; i < graph->n_slots; i++) {
    Slot *slot = &graph->slots[i];

    if (!buffer_for (graph, FV_STORAGE_INPUT, FV_MEMORY_DEVICE, &slot->input,
            error)
        || !buffer_for (graph, FV_STORAGE_OUTPUT, FV_MEMORY_DEVICE,
            &slot->output, error)
        || !record_slot (graph, slot, options->timing, error))
      return FALSE;
    slot->inputs = make_ports (graph, slot, graph->ir->inputs);
    slot->outputs = make_ports (graph, slot, graph->ir->outputs);
    if (slot->input && fv_buffer_map (slot->input))
      memset (fv_buffer_map (slot->input), 0, fv_buffer_size (slot->input));
  }
  return TRUE;
}

static void
fill_stats (FvGraph *graph)
{
  FvPlan *plan = graph->plan;
  FvGraphStats *stats = &graph->stats;
  guint64 flops = 0;

  for (guint i = 0; i < plan->dispatches->len; i++)
    flops += g_array_index (plan->dispatches, FvDispatch, i).flops;
  stats->n_nodes = graph->ir->nodes->len;
  stats->n_dispatches = plan->dispatches->len;
  stats->n_barriers = fv_program_n_barriers (graph->slots[0].program);
  stats->n_pipelines = fv_program_n_pipelines (graph->slots[0].program);
  stats->macs = flops / 2;
  stats->arena_bytes = plan->region[FV_STORAGE_ARENA];
  stats->weight_bytes = plan->region[FV_STORAGE_WEIGHT];
  stats->io_bytes = graph->n_slots
      * (plan->region[FV_STORAGE_INPUT] + plan->region[FV_STORAGE_OUTPUT]);
  stats->arena_bound = plan->arena_bound;
}

static gboolean
check_memory (FvGraph *graph, const FvGraphOptions *options, GError **error)
{
  FvPlan *plan = graph->plan;
  gsize limit = options->memory_limit ? options->memory_limit : DEFAULT_LIMIT;
  gsize need = plan->region[FV_STORAGE_ARENA] + plan->region[FV_STORAGE_WEIGHT]
      + graph->n_slots
          * (plan->region[FV_STORAGE_INPUT] + plan->region[FV_STORAGE_OUTPUT]);

  if (need <= limit)
    return TRUE;
  g_set_error (error, FV_ERROR, FV_ERROR_TOO_LARGE,
      "%s: needs %" G_GSIZE_FORMAT
      " bytes of device memory, the limit is %" G_GSIZE_FORMAT,
      graph->ir->name, need, limit);
  return FALSE;
}

static gboolean
warm_up (FvGraph *graph, GError **error)
{
  gint64 start = g_get_monotonic_time ();
  guint64 value;

  if (!fv_program_submit (&graph->slots[0].program, 1, &value, error)
      || !fv_device_wait (graph->device, value, RUN_TIMEOUT_NS, error))
    return FALSE;
  graph->stats.first_run_seconds = (g_get_monotonic_time () - start) * 1e-6;
  return TRUE;
}

/* The plan has packed the constants: drop them before the device takes its copy, but
 * for outputs, which are read from there. */
static void
drop_constants (FvGraph *graph)
{
  for (guint i = 0; i < graph->ir->values->len; i++) {
    FvValue *value = graph->ir->values->pdata[i];

    if (!value->is_output)
      g_clear_pointer (&value->constant, fv_array_unref);
  }
}

static gboolean
compile (FvGraph *graph, const FvGraphOptions *options, GError **error)
{
  FvPlanOptions plan_options = { graph->precision, options->poison };

  if (!fv_ir_rewrite (graph->ir, error))
    return FALSE;
  if (graph->precision == FV_TYPE_F16
      && !fv_precision_promote (graph->device, graph->ir, options, error))
    return FALSE;
  graph->plan = fv_plan_new (fv_device_tier (graph->device),
      fv_device_info (graph->device), graph->ir, &plan_options, error);
  if (!graph->plan)
    return FALSE;
  drop_constants (graph);
  return check_memory (graph, options, error)
      && buffer_for (graph, FV_STORAGE_ARENA, FV_MEMORY_DEVICE, &graph->arena,
          error)
      && buffer_for (graph, FV_STORAGE_WEIGHT, FV_MEMORY_DEVICE,
          &graph->weights, error)
      && upload_weights (graph, error) && make_slots (graph, options, error);
}

FvGraph *
fv_graph_new_ir (FvDevice *device, FvIr *ir, const FvGraphOptions *options,
    GError **error)
{
  static const FvGraphOptions defaults;
  g_autoptr (FvGraph) graph = g_new0 (FvGraph, 1);
  gint64 start = g_get_monotonic_time ();

  if (!options)
    options = &defaults;
  g_atomic_ref_count_init (&graph->ref);
  graph->ir = ir;
  graph->stats.n_tail_nodes = ir->tail ? ir->tail->nodes->len : 0;
  graph->device = device ? fv_device_ref (device) : NULL;
  graph->poison = options->poison;
  graph->n_slots = options->slots ? options->slots : 2;
  graph->precision = options->precision;
  if (graph->precision == FV_TYPE_NONE)
    graph->precision =
        device && !fv_device_info (device)->is_cpu ? FV_TYPE_F16 : FV_TYPE_F32;
  if (!device) {
    /* casts between floats round nothing here either */
    if (fv_pass_floats (ir, error) < 0)
      return NULL;
    graph->stats.n_nodes = ir->nodes->len;
    graph->stats.load_seconds = (g_get_monotonic_time () - start) * 1e-6;
    return g_steal_pointer (&graph);
  }
  if (!compile (graph, options, error))
    return NULL;
  fill_stats (graph);
  graph->stats.load_seconds = (g_get_monotonic_time () - start) * 1e-6;
  return warm_up (graph, error) ? g_steal_pointer (&graph) : NULL;
}

FvGraph *
fv_graph_new (FvDevice *device, FvModel *model, const FvGraphOptions *options,
    GError **error)
{
  FvIr *ir = fv_ir_build (model, options ? options->shapes : NULL,
      options ? options->n_shapes : 0, options ? options->memory_limit : 0,
      error);

  return ir ? fv_graph_new_ir (device, ir, options, error) : NULL;
}

FvGraph *
fv_graph_ref (FvGraph *graph)
{
  g_atomic_ref_count_inc (&graph->ref);
  return graph;
}

void
fv_graph_unref (FvGraph *graph)
{
  if (!graph || !g_atomic_ref_count_dec (&graph->ref))
    return;
  for (guint i = 0; graph->slots && i < graph->n_slots; i++) {
    fv_program_unref (graph->slots[i].program);
    fv_buffer_unref (graph->slots[i].input);
    fv_buffer_unref (graph->slots[i].output);
    g_free (graph->slots[i].inputs);
    g_free (graph->slots[i].outputs);
  }
  g_free (graph->slots);
  g_free (graph->tail_ports);
  fv_program_unref (graph->upload_program);
  fv_program_unref (graph->download_program);
  fv_buffer_unref (graph->upload);
  fv_buffer_unref (graph->download);
  fv_buffer_unref (graph->arena);
  fv_buffer_unref (graph->weights);
  fv_plan_free (graph->plan);
  fv_ir_free (graph->ir);
  fv_device_unref (graph->device);
  g_free (graph);
}

guint
fv_graph_n_inputs (FvGraph *graph)
{
  return graph->ir->inputs->len;
}

guint
fv_graph_n_outputs (FvGraph *graph)
{
  return graph->ir->tail ? graph->ir->tail->outputs->len
                         : graph->ir->outputs->len;
}

guint
fv_graph_n_slots (FvGraph *graph)
{
  return graph->n_slots;
}

const FvPort *
fv_graph_input (FvGraph *graph, guint slot, guint i)
{
  g_return_val_if_fail (graph->slots && slot < graph->n_slots, NULL);
  g_return_val_if_fail (i < graph->ir->inputs->len, NULL);
  return &graph->slots[slot].inputs[i];
}

const FvPort *
fv_graph_output (FvGraph *graph, guint slot, guint i)
{
  g_return_val_if_fail (graph->slots && slot < graph->n_slots, NULL);
  g_return_val_if_fail (i < fv_graph_n_outputs (graph), NULL);
  if (graph->ir->tail) {
    gint at = g_array_index (graph->ir->tail->outputs, gint, i);

    return at < 0 ? &graph->tail_ports[i] : &graph->slots[slot].outputs[at];
  }
  return &graph->slots[slot].outputs[i];
}

FvProgram *
fv_graph_program (FvGraph *graph, guint slot)
{
  g_return_val_if_fail (graph->slots && slot < graph->n_slots, NULL);
  return graph->slots[slot].program;
}

FvType
fv_graph_precision (FvGraph *graph)
{
  return graph->precision;
}

void
fv_graph_stats (FvGraph *graph, FvGraphStats *stats)
{
  *stats = graph->stats;
}

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
  Slot *slot = &graph->slots[0];
  guint8 *base;

  if (!slot->input)
    return TRUE;
  base = host_side (graph, slot->input, FV_MEMORY_UPLOAD, &graph->upload,
      &graph->upload_program, error);
  if (!base)
    return FALSE;
  for (guint i = 0; i < graph->ir->inputs->len; i++) {
    const FvPort *port = &slot->inputs[i];
    g_autoptr (FvArray) floats = NULL;

    if (!port->buffer)
      continue;
    if (!check_integers (graph, i, inputs[i], error)
        || !(floats = fv_array_convert (inputs[i], FV_TYPE_F32, error)))
      return FALSE;
    copy_elements (port, base + port->buffer_offset, floats->f32, TRUE);
  }
  return TRUE;
}

/* Output @i of the IR. @region: what @port's range of its buffer holds. */
static FvArray *
read_output (FvGraph *graph, guint i, const FvPort *port, guint8 *region,
    GError **error)
{
  FvValue *value = graph->ir->outputs->pdata[i];
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
  Slot *slot = &graph->slots[0];
  guint8 *base = slot->output
      ? host_side (graph, slot->output, FV_MEMORY_DOWNLOAD, &graph->download,
          &graph->download_program, error)
      : NULL;

  if (slot->output && !base)
    return FALSE;
  for (guint i = 0; i < graph->ir->outputs->len; i++) {
    const FvPort *port = &slot->outputs[i];

    outputs[i] = read_output (graph, i, port,
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
      && fv_device_wait (graph->device, value, RUN_TIMEOUT_NS, error)
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
  gboolean ok;

  for (guint i = 0; i < fv_graph_n_outputs (graph); i++)
    outputs[i] = NULL;
  for (guint i = 0; i < graph->ir->inputs->len; i++)
    if (!check_input (graph, i, inputs[i], error))
      return FALSE;
  if (!graph->ir->tail)
    return run_ir (graph, inputs, outputs, error);
  arrays = g_new0 (FvArray *, n + 1);
  ok = run_ir (graph, inputs, arrays, error)
      && fv_tail_run (graph->ir->tail, arrays, outputs, error);
  for (guint i = 0; i < n; i++)
    fv_array_unref (arrays[i]);
  return ok;
}

guint
fv_graph_n_tail_inputs (FvGraph *graph)
{
  return graph->ir->tail ? graph->ir->outputs->len : 0;
}

const FvPort *
fv_graph_tail_input (FvGraph *graph, guint slot, guint i)
{
  g_return_val_if_fail (graph->slots && slot < graph->n_slots, NULL);
  g_return_val_if_fail (i < fv_graph_n_tail_inputs (graph), NULL);
  return &graph->slots[slot].outputs[i];
}

gboolean
fv_graph_run_tail (FvGraph *graph, const gpointer *regions, FvArray **outputs,
    GError **error)
{
  guint n = fv_graph_n_tail_inputs (graph);
  g_autofree FvArray **arrays = g_new0 (FvArray *, n + 1);
  gboolean ok = TRUE;

  for (guint i = 0; i < fv_graph_n_outputs (graph); i++)
    outputs[i] = NULL;
  for (guint i = 0; ok && i < n; i++)
    ok = (arrays[i] = read_output (graph, i, fv_graph_tail_input (graph, 0, i),
              regions[i], error))
        != NULL;
  ok = ok && fv_tail_run (graph->ir->tail, arrays, outputs, error);
  for (guint i = 0; i < n; i++)
    fv_array_unref (arrays[i]);
  return ok;
}

gboolean
fv_graph_infer (FvModel *model, const FvShape *shapes, guint n_shapes,
    FvShape *outputs, GError **error)
{
  g_autoptr (FvIr) ir = fv_ir_build (model, shapes, n_shapes, 0, error);

  if (!ir)
    return FALSE;
  for (guint i = 0; i < model->graph->n_outputs; i++) {
    gint at = ir->tail ? g_array_index (ir->tail->outputs, gint, i) : (gint) i;

    outputs[i] = at < 0 ? model->graph->outputs[i].shape
                        : ((FvValue *) ir->outputs->pdata[at])->shape;
  }
  return TRUE;
}

char *
fv_graph_dump (FvGraph *graph)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0;
       graph->slots && i < fv_program_n_dispatches (graph->slots[0].program);
       i++) {
    const FvDispatch *d = fv_program_get (graph->slots[0].program, i);

    g_string_append_printf (text,
        "%4u  %-12s %-10s %5ux%ux%u  %10.3f MFLOP %10.1f kB  %s\n", i,
        d->kernel, d->tile ? d->tile : "-", d->groups[0], d->groups[1],
        d->groups[2], d->flops * 1e-6, d->bytes * 1e-3,
        d->label ? d->label : "");
  }
  for (guint i = 0; graph->ir->tail && i < graph->ir->tail->nodes->len; i++) {
    const FvTail *tail = graph->ir->tail;
    const FvModelNode *node =
        &tail->model->graph->nodes[g_array_index (tail->nodes, guint, i)];

    g_string_append_printf (text, "host  %-12s %s\n", node->op_type,
        node->name);
  }
  return g_string_free (text, FALSE);
}
