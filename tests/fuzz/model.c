/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any file through importer, builder, passes, planner, references and host tail,
 * against the limits of a device that is not there. See docs/fuzzing.md. */
#include "gst/engine/plan-private.h"
#include "gst/engine/tail.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"

#include <math.h>
#include <string.h>

#define MEMORY \
  ((gsize) 16 << 20) /* of one tensor: small files, small tensors */
#define REFERENCE_FLOPS 2000000
#define REFERENCE_BYTES ((gsize) 1 << 20)

/* Twice what Vulkan 1.2 asks for at least, or so. */
static const FvDeviceInfo limits = {
  .name = "no device",
  .subgroup_size = 8,
  .has_shuffle = TRUE,
  .has_int64 = TRUE,
  .max_shared_memory = 32768,
  .max_invocations = 256,
  .max_groups = { 65535, 65535, 65535 },
  .max_push = 128,
  .max_storage_range = 1 << 27,
  .max_texel_elements = 1 << 26,
  .storage_align = 64,
  .texel_align = 64,
  .heap_size = 1 << 30,
};

/* An error is one of ours and can be shown; no pass may break the graph. */
static void
check_error (gboolean done, const GError *error)
{
  if (done != (error == NULL)
      || (error && !g_utf8_validate (error->message, -1, NULL)))
    g_error ("done: %d, but %s", done, error ? error->message : "no error");
  if (error && strstr (error->message, "broke the graph"))
    g_error ("%s", error->message);
}

/* Whatever a kernel may reach through @tensor lies in its storage. */
static void
check_tensor (const FvValue *value, const FvTensor *tensor)
{
  gint64 low = tensor->offset, high = tensor->offset;

  for (guint i = 0; i < tensor->shape.rank; i++) {
    gint64 reach = (tensor->shape.dims[i] - 1) * tensor->strides[i];

    if (tensor->shape.dims[i] == 0)
      return;
    low += MIN (reach, 0);
    high += MAX (reach, 0);
  }
  if (low < 0
      || (gsize) (high + 1) * fv_type_size (tensor->type)
          > tensor->storage->size)
    g_error ("'%s' leaves its storage: %" G_GINT64_FORMAT
             " to %" G_GINT64_FORMAT " of %" G_GSIZE_FORMAT " bytes",
        value->name, low, high, tensor->storage->size);
}

static void
check_storages (const FvPlan *plan)
{
  for (guint i = 0; i < plan->storages->len; i++) {
    const FvStorage *a = plan->storages->pdata[i];

    if (a->kind == FV_STORAGE_ARENA && a->first < 0)
      continue;
    if (a->offset % 256 || a->offset + a->size > plan->region[a->kind])
      g_error ("storage %u lies outside of its region", i);
    for (guint k = 0; k < i; k++) {
      const FvStorage *b = plan->storages->pdata[k];

      if (a->kind == b->kind && a->offset < b->offset + b->size
          && b->offset < a->offset + a->size
          && (a->kind != FV_STORAGE_ARENA
              || (b->first >= 0 && a->first <= b->last && b->first <= a->last)))
        g_error ("storages %u and %u share memory at one time", i, k);
    }
  }
}

/* @is_light: becomes FALSE where the references would take long. */
static gboolean
make_plan (FvIr *ir, FvTier tier, FvType type, gboolean *is_light,
    GError **error)
{
  const FvPlanOptions options = { type, FALSE };
  g_autoptr (FvPlan) plan = fv_plan_new (tier, &limits, ir, &options, error);
  guint64 flops = 0;
  gsize bytes = 0;

  if (!plan)
    return FALSE;
  check_storages (plan);
  for (guint i = 0; i < ir->values->len; i++) {
    const FvValue *value = ir->values->pdata[i];

    if (value->placed && value->placed->has_tensor)
      check_tensor (value, &value->placed->tensor);
  }
  for (guint i = 0; i < plan->dispatches->len; i++) {
    const FvDispatch *d = &g_array_index (plan->dispatches, FvDispatch, i);

    flops += d->flops;
    bytes += d->bytes;
    if (!d->groups[0] || !d->groups[1] || !d->groups[2]
        || d->n_bindings > FV_MAX_BINDINGS || d->push_size > limits.max_push)
      g_error ("dispatch %u (%s) cannot be recorded", i, d->kernel);
  }
  *is_light &= flops < REFERENCE_FLOPS && bytes < REFERENCE_BYTES;
  return TRUE;
}

static void
unref_all (FvArray **arrays, guint n)
{
  for (guint i = 0; i < n; i++)
    fv_array_unref (arrays[i]);
}

/* Numbers that are different and small, indices among them. */
static FvArray *
make_input (const FvValue *value)
{
  FvArray *array =
      fv_array_new (fv_value_declared (value), &value->shape, NULL);

  for (gint64 i = 0; array && i < array->count; i++)
    fv_array_set_float (array, i, i % 5 - (i % 3) * 0.5);
  return array;
}

static void
run_tail (FvTail *tail, FvArray **inputs, FvArray **arrays)
{
  g_autofree FvArray **outputs = g_new0 (FvArray *, tail->outputs->len + 1);
  g_autoptr (GError) error = NULL;
  gboolean done = fv_tail_run (tail, inputs, arrays, outputs, &error);

  check_error (done, error);
  unref_all (outputs, tail->outputs->len);
}

static void
note_size (FvNode *node, FvArray **outputs, gpointer largest)
{
  for (guint i = 0; i < node->n_outputs; i++)
    for (gint64 k = 0; outputs[i] && k < outputs[i]->count; k++) {
      double size = fabs (fv_array_get_float (outputs[i], k));

      if (!(size <= *(double *) largest))
        *(double *) largest = isfinite (size) ? size : INFINITY;
    }
}

/* @out: the outputs of @ir, all of them NULL where it is refused at last.
 * @largest: (inout): of all numbers on the way */
static void
run_references (FvIr *ir, FvArray **out, double *largest)
{
  g_autofree FvArray **in = g_new0 (FvArray *, ir->inputs->len + 1);
  g_autoptr (GError) error = NULL;
  gboolean done = TRUE;

  for (guint i = 0; i < ir->inputs->len; i++)
    done &= (in[i] = make_input (ir->inputs->pdata[i])) != NULL;
  if (done) {
    done = fv_ir_run_reference (ir, in, out, FALSE, note_size, largest, &error);
    check_error (done, error);
  }
  if (done && ir->tail)
    run_tail (ir->tail, in, out);
  unref_all (in, ir->inputs->len);
}

/* Where rounding decides, or numbers are beyond what floats can cancel, nothing
 * can be said. */
static gboolean
is_comparable (FvIr *ir)
{
  static const char *const steady[] = { "Conv", "ConvTranspose", "MatMul",
    "Gemm", "Einsum", "Add", "Sub", "Mul", "Relu", "Sigmoid", "Tanh", "Concat",
    "Split", "Slice", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten",
    "Identity", "MaxPool", "AveragePool", "GlobalAveragePool", "ReduceMean",
    "ReduceSum", "Softmax", "Pad", "Clip", "Gather", "Expand", "Tile", "Abs",
    "Neg", "Erf", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Elu",
    "Softplus", "Mish", "Max", "Min", "Sum", "Where", "DepthToSpace",
    "SpaceToDepth", "Resize", "GlobalMaxPool", "PRelu", "Dropout" };

  for (guint i = 0; i < ir->nodes->len; i++) {
    const FvNode *node = ir->nodes->pdata[i];
    gboolean found = FALSE;

    for (guint k = 0; k < G_N_ELEMENTS (steady); k++)
      found |= !strcmp (node->op->name, steady[k]);
    if (!found)
      return FALSE;
  }
  return TRUE;
}

/* The passes change no numbers, but for rounding. */
static void
compare (FvArray **after, FvArray **before, guint n)
{
  for (guint i = 0; i < n; i++)
    for (gint64 k = 0; k < before[i]->count; k++) {
      double a = fv_array_get_float (after[i], k);
      double b = fv_array_get_float (before[i], k);

      if (fabs (a - b) > 1e-2 || isfinite (a) != isfinite (b))
        g_error ("the passes made %g of %g in output %u", a, b, i);
    }
}

/* Sizes that the model leaves open. */
static FvShape *
choose_shapes (const FvModelGraph *graph)
{
  static const FvShape image = { 4, { 1, 3, 6, 5 } };
  FvShape *shapes = g_new0 (FvShape, graph->n_inputs + 1);

  for (guint i = 0; i < graph->n_inputs; i++) {
    shapes[i] = graph->inputs[i].has_shape ? graph->inputs[i].shape : image;
    for (guint d = 0; d < shapes[i].rank; d++)
      if (shapes[i].dims[d] < 0)
        shapes[i].dims[d] = 2 + d;
  }
  return shapes;
}

static FvIr *
build (FvModel *model, GError **error)
{
  g_autofree FvShape *shapes = choose_shapes (model->graph);
  GError *own = NULL;
  FvIr *ir = fv_ir_build (model, shapes, model->graph->n_inputs, MEMORY, &own);

  check_error (ir != NULL, own);
  if (own)
    g_propagate_error (error, own);
  return ir;
}

/* The references before and after the passes. */
static void
run_both (FvModel *model, FvIr *ir)
{
  g_autoptr (FvIr) plain = build (model, NULL);
  guint n = ir->outputs->len;
  g_autofree FvArray **after = g_new0 (FvArray *, n + 1);
  g_autofree FvArray **before = g_new0 (FvArray *, n + 1);
  double largest = 0;

  run_references (ir, after, &largest);
  if (plain && plain->outputs->len == n) {
    run_references (plain, before, &largest);
    if (before[0] && after[0] && largest < 1000 && is_comparable (plain))
      compare (after, before, n);
  }
  unref_all (after, n);
  unref_all (before, n);
}

/* Both tiers and both types; then the references. */
static gboolean
run_model (FvModel *model, GError **error)
{
  g_autoptr (FvIr) ir = build (model, error);
  gboolean is_light = TRUE;

  if (!ir || !fv_ir_rewrite (ir, error)
      || !make_plan (ir, FV_TIER_SUBGROUP, FV_TYPE_F32, &is_light, error)
      || !make_plan (ir, FV_TIER_WORKGROUP, FV_TYPE_F16, &is_light, error))
    return FALSE;
  if (is_light)
    run_both (model, ir);
  return TRUE;
}

gboolean
fuzz_run (const guint8 *data, gsize size, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  GError *own = NULL;
  g_autoptr (FvModel) model =
      fv_model_parse (bytes, "/nowhere", "fuzzed.onnx", &own);
  gboolean done;

  check_error (model != NULL, own);
  done = model && run_model (model, &own);
  check_error (done, own);
  if (own)
    g_propagate_error (error, own);
  return done;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  fuzz_run (data, size, NULL);
  return 0;
}
