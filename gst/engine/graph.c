/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/engine/background-private.h"
#include "gst/engine/graph-private.h"
#include "gst/engine/ir-private.h"
#include "gst/engine/kernel-private.h"
#include "gst/engine/precision.h"
#include "gst/engine/program-private.h"
#include "gst/engine/tail.h"
#include "gst/engine/tuning-private.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <string.h>
#include <time.h>

#define DEFAULT_LIMIT ((gsize) 4 << 30)
/* How often a graph is built anew because the plan has left a node to the host. */
#define MAX_ROUNDS 16

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
      && fv_device_wait (graph->device, value, FV_WATCHDOG, error);
}

static FvBuffer *
slot_buffer (FvGraph *graph, FvSlot *slot, FvStorageKind kind)
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
record_slot (FvGraph *graph, FvSlot *slot, gboolean timing, GError **error)
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
      d.bindings[b].size =
          fv_storage_bound (graph->device, d.bindings[b].kind, s);
    }
    fv_program_dispatch (slot->program, &d);
  }
  return fv_program_finish (slot->program, error);
}

static FvPort *
make_ports (FvGraph *graph, FvSlot *slot, GPtrArray *values)
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
  graph->slots = g_new0 (FvSlot, graph->n_slots);
  for (guint i = 0; i < graph->n_slots; i++) {
    FvSlot *slot = &graph->slots[i];

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
run_and_wait (FvGraph *graph, FvProgram *program, GError **error)
{
  guint64 value;

  return fv_program_submit (&program, 1, &value, error)
      && fv_device_wait (graph->device, value, FV_WATCHDOG, error);
}

/* Drivers have something left to do at the first run: software compiles then. There
 * a whole run takes long, and one workgroup of each pipeline does. What these read is
 * zero, as no kernel takes what may have lain there before. */
static gboolean
warm_up (FvGraph *graph, GError **error)
{
  FvProgram *whole = graph->slots[0].program;
  g_autoptr (FvProgram) sample = NULL;

  if (!fv_device_info (graph->device)->is_cpu || graph->poison)
    return run_and_wait (graph, whole, error);
  sample = fv_program_new (graph->device);
  if (graph->arena)
    fv_program_fill (sample, graph->arena, 0, fv_buffer_size (graph->arena), 0);
  fv_program_sample (whole, sample);
  return fv_program_finish (sample, error)
      && run_and_wait (graph, sample, error);
}

static FvSeconds
now (void)
{
  struct timespec wall, cpu;

  clock_gettime (CLOCK_MONOTONIC, &wall);
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &cpu);
  return (FvSeconds){ wall.tv_sec + wall.tv_nsec * 1e-9,
    cpu.tv_sec + cpu.tv_nsec * 1e-9 };
}

/* @part is what was done since the last lap. */
static void
lap (FvGraph *graph, FvLoadPart part)
{
  FvSeconds end = now ();

  graph->stats.load[part].wall = end.wall - graph->lap.wall;
  graph->stats.load[part].cpu = end.cpu - graph->lap.cpu;
  graph->lap = end;
}

const char *
fv_load_part_name (FvLoadPart part)
{
  static const char *const names[] = { "build", "rewrite", "precision", "tune",
    "plan", "upload", "record", "first run" };

  G_STATIC_ASSERT (G_N_ELEMENTS (names) == FV_N_LOAD_PARTS);
  g_return_val_if_fail ((guint) part < FV_N_LOAD_PARTS, NULL);
  return names[part];
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

/* What was freed goes back to the system before the next large thing is made: the C
 * library keeps much of it, in every thread that made pipelines too. */
static void
give_back (void)
{
#ifdef __GLIBC__
  malloc_trim (0);
#endif
}

/* FOVEA_TUNE says it for all who do not. */
static FvTune
how_to_tune (const FvGraphOptions *options)
{
  const char *text = g_getenv ("FOVEA_TUNE");

  if (options->tune != FV_TUNE_DEFAULT || !text || !*text)
    return options->tune;
  if (g_str_equal (text, "on"))
    return FV_TUNE_MISSING;
  if (g_str_equal (text, "off"))
    return FV_TUNE_OFF;
  g_warning ("FOVEA_TUNE is \"%s\"; expected on or off", text);
  return FV_TUNE_DEFAULT;
}

/* @spend: (nullable): the model, if nobody needs its weights afterwards */
static gboolean
compile (FvGraph *graph, const FvGraphOptions *options, FvModel *spend,
    GError **error)
{
  FvPlanOptions plan_options = { .type = graph->precision,
    .alone = options->poison,
    .drops = TRUE,
    .way = options->way,
    .tile = options->tile };
  FvTune tune = how_to_tune (options);

  if (!fv_ir_rewrite (graph->ir, error))
    return FALSE;
  lap (graph, FV_LOAD_REWRITE);
  if (graph->precision == FV_TYPE_F16
      && !fv_precision_promote (graph->device, graph->ir, options, error))
    return FALSE;
  lap (graph, FV_LOAD_PRECISION);
  if (tune != FV_TUNE_OFF)
    plan_options.tuning = fv_device_tuning (graph->device);
  if (tune >= FV_TUNE_MISSING
      && !fv_tune (graph->device, graph->ir, &plan_options,
          tune == FV_TUNE_ANEW, error))
    return FALSE;
  lap (graph, FV_LOAD_TUNE);
  graph->plan = fv_plan_new (fv_device_tier (graph->device),
      fv_device_info (graph->device), graph->ir, &plan_options, error);
  if (!graph->plan)
    return FALSE;
  drop_constants (graph);
  if (spend)
    fv_model_drop_weights (spend);
  give_back ();
  lap (graph, FV_LOAD_PLAN);
  if (!check_memory (graph, options, error)
      || !buffer_for (graph, FV_STORAGE_ARENA, FV_MEMORY_DEVICE, &graph->arena,
          error)
      || !buffer_for (graph, FV_STORAGE_WEIGHT, FV_MEMORY_DEVICE,
          &graph->weights, error)
      || !upload_weights (graph, error))
    return FALSE;
  give_back ();
  lap (graph, FV_LOAD_UPLOAD);
  if (!make_slots (graph, options, error))
    return FALSE;
  lap (graph, FV_LOAD_RECORD);
  return TRUE;
}

static void
fill_tail_stats (FvGraph *graph)
{
  const FvTail *tail = graph->ir->tail;
  g_autofree char *reason = NULL;

  if (!tail)
    return;
  reason = fv_tail_reason (tail, 0);
  graph->tail_reason = g_strdup_printf ("node '%s' (%s): %s",
      fv_tail_node (tail, 0)->name, fv_tail_node (tail, 0)->op_type, reason);
  graph->stats.n_tail_nodes = tail->nodes->len;
  graph->stats.tail_reason = graph->tail_reason;
}

/* @start: when the building of @ir began. @refused: (out) (transfer full)
 * (nullable): on failure, the IR if its plan has refused a node */
static FvGraph *
graph_new (FvDevice *device, FvIr *ir, FvSeconds start,
    const FvGraphOptions *options, FvModel *spend, FvIr **refused,
    GError **error)
{
  static const FvGraphOptions defaults;
  g_autoptr (FvGraph) graph = g_new0 (FvGraph, 1);

  if (!options)
    options = &defaults;
  g_atomic_ref_count_init (&graph->ref);
  graph->ir = ir;
  fill_tail_stats (graph);
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
    return g_steal_pointer (&graph);
  }
  graph->lap = start;
  lap (graph, FV_LOAD_BUILD);
  if (!compile (graph, options, spend, error)) {
    if (ir->refused && refused)
      *refused = g_steal_pointer (&graph->ir);
    return NULL;
  }
  fill_stats (graph);
  if (!warm_up (graph, error))
    return NULL;
  lap (graph, FV_LOAD_FIRST_RUN);
  fv_kernels_store (device->kernels);
  give_back ();
  return g_steal_pointer (&graph);
}

FvGraph *
fv_graph_new_ir (FvDevice *device, FvIr *ir, const FvGraphOptions *options,
    GError **error)
{
  return graph_new (device, ir, now (), options, NULL, NULL, error);
}

/* Notes in @host what the plan of @ir has refused, and with it all that has no
 * kernel anyway. */
static void
leave_to_host (FvIr *ir, GHashTable *host)
{
  g_hash_table_insert (host, GUINT_TO_POINTER (ir->refused),
      g_strdup (ir->why));
  for (guint i = 0; i < ir->nodes->len; i++) {
    const FvNode *node = ir->nodes->pdata[i];

    if (!node->op->lower && node->origin)
      g_hash_table_insert (host, GUINT_TO_POINTER (node->origin),
          g_strdup (FV_NO_KERNEL));
  }
}

FvGraph *
fv_graph_new (FvDevice *device, FvModel *model, const FvGraphOptions *options,
    GError **error)
{
  g_autoptr (GHashTable) host =
      g_hash_table_new_full (NULL, NULL, NULL, g_free);
  FvSeconds start = now ();
  GError *problem = NULL;

  for (guint round = 0;; round++) {
    g_autoptr (FvIr) refused = NULL;
    FvIr *ir = fv_ir_build_host (model, options ? options->shapes : NULL,
        options ? options->n_shapes : 0, options ? options->memory_limit : 0,
        host, error);
    FvGraph *graph;

    if (!ir) {
      g_clear_error (&problem);
      return NULL;
    }
    g_clear_error (&problem);
    graph = graph_new (device, ir, start, options,
        options && options->take_weights ? model : NULL, &refused, &problem);
    if (graph)
      return graph;
    if (!refused || round == MAX_ROUNDS) {
      g_propagate_error (error, problem);
      return NULL;
    }
    leave_to_host (refused, host);
  }
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
  g_free (graph->tail_reason);
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

gboolean
fv_graph_divide (FvGraph *graph, GError **error)
{
  FvProgram *measured = fv_graph_program (graph, 0);
  guint n = fv_program_n_dispatches (measured);
  g_autofree double *seconds = g_new0 (double, n + 1);
  double sum = 0;

  for (guint i = 0; i < n; i++) {
    seconds[i] = fv_program_seconds (measured, i);
    if (seconds[i] < 0)
      return TRUE;
    sum += seconds[i];
  }
  for (guint i = 0; i < graph->n_slots && sum > FV_PART_SECONDS; i++)
    if (!fv_program_divide (graph->slots[i].program, seconds, FV_PART_SECONDS,
            error))
      return FALSE;
  return TRUE;
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
        "%4u  %-12s %-10s %-6s %5ux%ux%u  %10.3f MFLOP %10.1f kB  %s\n", i,
        d->kernel, d->tile ? d->tile : "-", d->tile_from ? d->tile_from : "",
        d->groups[0], d->groups[1], d->groups[2], d->flops * 1e-6,
        d->bytes * 1e-3, d->label ? d->label : "");
  }
  for (guint i = 0; graph->ir->tail && i < graph->ir->tail->nodes->len; i++) {
    const FvModelNode *node = fv_tail_node (graph->ir->tail, i);
    g_autofree char *reason = fv_tail_reason (graph->ir->tail, i);

    g_string_append_printf (text, "host  %-12s %s: %s\n", node->op_type,
        node->name, reason);
  }
  return g_string_free (text, FALSE);
}

guint
fv_graph_position (FvGraph *graph, guint planned)
{
  return graph->plan && graph->plan->positions ? graph->plan->positions[planned]
                                               : planned;
}

const FvChoice *
fv_graph_choices (FvGraph *graph, guint *n)
{
  *n = graph->plan ? graph->plan->choices->len : 0;
  return *n ? &g_array_index (graph->plan->choices, FvChoice, 0) : NULL;
}
