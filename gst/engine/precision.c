/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/engine/precision.h"
#include "gst/engine/ir-private.h"
#include "gst/engine/plan-private.h"

#include <math.h>
#include <string.h>

/* f16 ends at 65504; real input may be livelier than the synthetic one. */
#define WIDE_ABOVE 8192.0f
#define SYNTHETIC_LOW -2.7f /* images normalised by mean and std */
#define SYNTHETIC_HIGH 2.7f

typedef struct
{
  FvDevice *device;
  FvBuffer *buffers[4]; /* by FvStorageKind */
} Probe;

static void
probe_clear (Probe *probe)
{
  for (guint i = 0; i < G_N_ELEMENTS (probe->buffers); i++)
    fv_buffer_unref (probe->buffers[i]);
}

static gboolean
probe_fill (Probe *probe, FvPlan *plan, const FvGraphOptions *options,
    GError **error)
{
  float low = MIN (options->input_low, SYNTHETIC_LOW);
  float high = MAX (options->input_high, SYNTHETIC_HIGH);
  guint32 state = 1;

  for (guint i = 0; i < G_N_ELEMENTS (probe->buffers); i++)
    if (plan->region[i]
        && !(probe->buffers[i] = fv_buffer_new (probe->device, plan->region[i],
                 FV_MEMORY_DOWNLOAD, error)))
      return FALSE;
  for (guint i = 0; i < plan->storages->len; i++) {
    FvStorage *s = plan->storages->pdata[i];
    guint8 *to = probe->buffers[s->kind]
        ? fv_buffer_map (probe->buffers[s->kind])
        : NULL;
    float *input = (float *) (gpointer) (to + s->offset);

    if (s->kind == FV_STORAGE_WEIGHT) {
      memcpy (to + s->offset, s->data, s->size);
      g_clear_pointer (&s->data, g_free);
    }
    for (gsize j = 0; s->kind == FV_STORAGE_INPUT && j < s->size / 4; j++) {
      state = state * 1664525 + 1013904223; /* Numerical Recipes' LCG */
      input[j] = low + (high - low) * (state >> 8) / (1 << 24);
    }
  }
  return TRUE;
}

static gboolean
probe_run (Probe *probe, FvPlan *plan, GError **error)
{
  g_autoptr (FvProgram) program = fv_program_new (probe->device);
  guint64 value;

  for (guint i = 0; i < plan->dispatches->len; i++) {
    FvDispatch d = g_array_index (plan->dispatches, FvDispatch, i);

    for (guint b = 0; b < d.n_bindings; b++) {
      FvStorage *s = (FvStorage *) (gpointer) d.bindings[b].buffer;

      d.bindings[b].buffer = probe->buffers[s->kind];
      d.bindings[b].offset = s->offset;
      d.bindings[b].size = s->size;
    }
    fv_program_dispatch (program, &d);
  }
  return fv_program_finish (program, error)
      && fv_program_submit (&program, 1, &value, error)
      && fv_device_wait (probe->device, value, FV_WATCHDOG, error);
}

static gboolean
is_lively (Probe *probe, const FvPlaced *place)
{
  const FvStorage *s = place->tensor.storage;
  const guint8 *base =
      probe->buffers[s->kind] ? fv_buffer_map (probe->buffers[s->kind]) : NULL;
  const float *data = (const float *) (gconstpointer) (base + s->offset);

  for (gsize i = 0; base && i < s->size / 4; i++)
    if (fabsf (data[i]) > WIDE_ABOVE)
      return TRUE;
  return FALSE;
}

static void
probe_mark (Probe *probe, FvIr *ir)
{
  for (guint i = 0; i < ir->values->len; i++) {
    FvValue *value = ir->values->pdata[i];

    if (value->placed && value->placed->is_ready && !value->constant
        && is_lively (probe, value->placed))
      value->is_wide = TRUE;
  }
}

/* f16 has 11 bits of a number: not enough for the steps of a quantised value, nor
 * for which of them a value is nearest to. */
static void
mark_quantized (FvIr *ir)
{
  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i];
    gboolean is_alone = fv_node_is (node, "fovea.FakeQuantize");
    gboolean is_quantized = is_alone;

    for (guint s = 0; s < node->n_steps; s++)
      is_quantized |= node->steps[s].kind == FV_STEP_QUANTIZE;
    if (is_quantized)
      node->outputs[0]->is_wide = TRUE;
    if (is_alone && !node->inputs[0]->is_input)
      node->inputs[0]->is_wide = TRUE;
  }
}

/* What @value is made of by moving it about. */
static void
mark_divisor (FvValue *value)
{
  while (value && !value->constant && !value->is_input) {
    FvNode *from = value->producer;

    value->is_wide = TRUE;
    if (!from || !((from->op->flags & FV_OP_VIEW) || fv_node_is (from, "Sqrt")))
      return;
    value = from->inputs[0];
  }
}

/* Divisors are often kept from zero by as little as 1e-12, which f16 does not
 * know: it ends at 6e-8. */
static void
mark_divisors (FvIr *ir)
{
  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i];

    if (fv_node_is (node, "Div"))
      mark_divisor (node->inputs[1]);
    else if (fv_node_is (node, "Reciprocal") || fv_node_is (node, "Log"))
      mark_divisor (node->inputs[0]);
    for (guint s = 0; s < node->n_steps; s++)
      if (node->steps[s].kind == FV_STEP_DIV)
        mark_divisor (node->inputs[node->steps[s].input]);
  }
}

gboolean
fv_precision_promote (FvDevice *device, FvIr *ir, const FvGraphOptions *options,
    GError **error)
{
  const FvPlanOptions wide = { FV_TYPE_F32, TRUE };
  g_autoptr (FvPlan) plan = fv_plan_new (fv_device_tier (device),
      fv_device_info (device), ir, &wide, error);
  Probe probe = { device, { NULL } };
  gboolean ok;

  mark_quantized (ir);
  mark_divisors (ir);
  ok = plan && probe_fill (&probe, plan, options, error)
      && probe_run (&probe, plan, error);
  if (ok)
    probe_mark (&probe, ir);
  probe_clear (&probe);
  return ok;
}
