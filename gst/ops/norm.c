/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Normalizations: over the channels of a map, over groups of them, over rows. */
#include <math.h>
#include "gst/ops/common.h"
#include "gst/ops/norm.h"

/* A tensor as [outer][channels][inner] around axis 1. */
typedef struct
{
  gint64 outer, channels, inner;
} Planes;

static Planes
planes_of (const FvShape *shape)
{
  Planes p = { 1, 1, 1 };

  if (shape->rank > 0)
    p.outer = shape->dims[0];
  if (shape->rank > 1)
    p.channels = shape->dims[1];
  for (guint i = 2; i < shape->rank; i++)
    p.inner *= shape->dims[i];
  return p;
}

static gboolean
check_vector (FvNode *node, guint i, gint64 size, GError **error)
{
  FvValue *value = fv_node_input (node, i);

  if (value && value->shape.rank == 1 && value->shape.dims[0] == size
      && fv_type_is_float (value->type))
    return TRUE;
  return fv_node_fail (node, error, FV_ERROR_MALFORMED,
      "input %u must be a vector of %" G_GINT64_FORMAT " floats", i, size);
}

static gboolean
infer_float (FvNode *node, guint min_rank, GError **error)
{
  FvValue *x = node->inputs[0];

  if (!fv_type_is_float (x->type))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "expected a float tensor, got %s", fv_type_name (x->type));
  if (x->shape.rank < min_rank)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected a rank of at least %u, got %u", min_rank, x->shape.rank);
  node->outputs[0]->type = x->type;
  node->outputs[0]->shape = x->shape;
  return TRUE;
}

static gboolean
infer_batch (FvNode *node, GError **error)
{
  if (!infer_float (node, 1, error))
    return FALSE;
  if (node->op->variant == FV_NORM_BATCH_14
      && fv_node_int (node, "training_mode"))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "training_mode 1; only inference is known");
  if (node->op->variant == FV_NORM_BATCH_7 && !fv_node_int (node, "spatial"))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "spatial 0; only 1 is known");
  for (guint i = 1; i < 5; i++)
    if (!check_vector (node, i, planes_of (&node->inputs[0]->shape).channels,
            error))
      return FALSE;
  return TRUE;
}

static gboolean
batch (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  Planes p = planes_of (&inputs[0]->shape);
  double epsilon = fv_node_float (node, "epsilon");

  for (gint64 i = 0; i < outputs[0]->count; i++) {
    gint64 c = i / p.inner % p.channels;
    double scale = inputs[1]->f32[c] / sqrt (inputs[4]->f32[c] + epsilon);

    outputs[0]->f32[i] =
        (inputs[0]->f32[i] - (double) inputs[3]->f32[c]) * scale
        + inputs[2]->f32[c];
  }
  return TRUE;
}

gint64
fv_norm_groups (const FvNode *node)
{
  if (node->op->variant == FV_NORM_INSTANCE)
    return planes_of (&node->inputs[0]->shape).channels;
  return fv_node_int (node, "num_groups");
}

static gboolean
infer_group (FvNode *node, GError **error)
{
  gint64 channels, groups;

  if (!infer_float (node, 2, error))
    return FALSE;
  channels = planes_of (&node->inputs[0]->shape).channels;
  groups = fv_norm_groups (node);
  if (channels < 1 || groups < 1 || channels % groups)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "%" G_GINT64_FORMAT " channels do not part into %" G_GINT64_FORMAT
        " groups",
        channels, groups);
  if (node->op->variant == FV_NORM_GROUP_18)
    channels = groups;
  return check_vector (node, 1, channels, error)
      && check_vector (node, 2, channels, error);
}

/* Mean and 1 / standard deviation of @n values. */
static void
moments (const float *x, gint64 n, double epsilon, double *mean, double *scale)
{
  double sum = 0, squares = 0;

  for (gint64 i = 0; i < n; i++)
    sum += x[i];
  *mean = sum / n;
  for (gint64 i = 0; i < n; i++)
    squares += (x[i] - *mean) * (x[i] - *mean);
  *scale = 1 / sqrt (squares / n + epsilon);
}

static gboolean
group (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  Planes p = planes_of (&inputs[0]->shape);
  gint64 groups = fv_norm_groups (node), width = p.channels / groups;
  gint64 span = width * p.inner;
  double epsilon = fv_node_float (node, "epsilon");
  gboolean by_group = node->op->variant == FV_NORM_GROUP_18;

  for (gint64 g = 0; span > 0 && g < p.outer * groups; g++) {
    const float *x = inputs[0]->f32 + g * span;
    float *y = outputs[0]->f32 + g * span;
    double mean, scale;

    moments (x, span, epsilon, &mean, &scale);
    for (gint64 i = 0; i < span; i++) {
      gint64 c = by_group ? g % groups : g % groups * width + i / p.inner;

      y[i] = (x[i] - mean) * scale * inputs[1]->f32[c] + inputs[2]->f32[c];
    }
  }
  return TRUE;
}

gint64
fv_norm_span (const FvNode *node, guint *axis)
{
  const FvShape *shape = &node->inputs[0]->shape;
  gint64 span = 1;

  fv_node_axis (node, fv_node_int (node, "axis"), shape->rank, axis, NULL);
  for (guint i = *axis; i < shape->rank; i++)
    span *= shape->dims[i];
  return span;
}

/* Scale and bias broadcast to the input, or have one element. */
static gboolean
check_affine (FvNode *node, guint i, GError **error)
{
  FvValue *value = fv_node_input (node, i);
  const FvShape *x = &node->inputs[0]->shape;
  FvShape both;

  if (!value)
    return TRUE;
  if (!fv_type_is_float (value->type))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "input %u is of type %s; expected floats", i,
        fv_type_name (value->type));
  if (fv_shape_count (&value->shape) == 1)
    return TRUE;
  if (!fv_node_broadcast (node, &value->shape, x, &both, error))
    return FALSE;
  if (fv_shape_equal (&both, x))
    return TRUE;
  return fv_node_fail (node, error, FV_ERROR_MALFORMED,
      "input %u does not broadcast to the input's shape", i);
}

static gboolean
infer_layer (FvNode *node, GError **error)
{
  FvShape moments_shape;
  guint axis;

  if (!infer_float (node, 1, error)
      || !fv_node_axis (node, fv_node_int (node, "axis"),
          node->inputs[0]->shape.rank, &axis, error))
    return FALSE;
  moments_shape = node->inputs[0]->shape;
  for (guint i = axis; i < moments_shape.rank; i++)
    moments_shape.dims[i] = 1;
  for (guint i = 1; i < node->n_outputs; i++)
    fv_set_output (node, i, FV_TYPE_F32, &moments_shape);
  return check_affine (node, 1, error) && check_affine (node, 2, error);
}

/* y = x scale + bias, either of which may be absent. */
static void
apply_affine (FvArray *y, const FvArray *scale, const FvArray *bias)
{
  const FvArray *parts[2] = { scale, bias };
  const FvShape one = { 0 };
  FvWalk walk;

  fv_walk_begin (&walk, &y->shape);
  for (guint i = 0; i < 2; i++)
    fv_walk_add (&walk,
        parts[i] && parts[i]->count > 1 ? &parts[i]->shape : &one);
  for (gint64 i = 0; i < y->count; i++, fv_walk_next (&walk)) {
    double v = y->f32[i];

    if (scale)
      v *= scale->f32[walk.at[0]];
    if (bias)
      v += bias->f32[walk.at[1]];
    y->f32[i] = v;
  }
}

static gboolean
layer (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  guint axis;
  gint64 span = fv_norm_span (node, &axis);
  double epsilon = fv_node_float (node, "epsilon");
  gboolean rms = node->op->variant == FV_NORM_RMS;

  for (gint64 at = 0; span > 0 && at < outputs[0]->count; at += span) {
    const float *x = inputs[0]->f32 + at;
    double mean = 0, scale, squares = 0;

    if (rms) {
      for (gint64 i = 0; i < span; i++)
        squares += (double) x[i] * x[i];
      scale = 1 / sqrt (squares / span + epsilon);
    } else
      moments (x, span, epsilon, &mean, &scale);
    for (gint64 i = 0; i < span; i++)
      outputs[0]->f32[at + i] = (x[i] - mean) * scale;
    if (node->n_outputs > 1 && outputs[1])
      outputs[1]->f32[at / span] = mean;
    if (node->n_outputs > 2 && outputs[2])
      outputs[2]->f32[at / span] = scale;
  }
  apply_affine (outputs[0], inputs[1],
      node->n_own_inputs > 2 && !rms ? inputs[2] : NULL);
  return TRUE;
}

static gboolean
mean_variance_axes (const FvNode *node, gboolean flags[FV_MAX_RANK],
    GError **error)
{
  static const gint64 usual[] = { 0, 2, 3 };
  guint n, axis;
  const gint64 *axes = fv_node_ints (node, "axes", &n);

  if (!axes) {
    axes = usual;
    n = G_N_ELEMENTS (usual);
  }
  memset (flags, 0, FV_MAX_RANK * sizeof *flags);
  for (guint i = 0; i < n; i++) {
    if (!fv_node_axis (node, axes[i], node->inputs[0]->shape.rank, &axis,
            error))
      return FALSE;
    flags[axis] = TRUE;
  }
  return TRUE;
}

static gboolean
infer_mean_variance (FvNode *node, GError **error)
{
  gboolean flags[FV_MAX_RANK];

  return infer_float (node, 0, error)
      && mean_variance_axes (node, flags, error);
}

/* As ONNX's function body has it: (x - mean) / (deviation + 1e-9). */
static gboolean
mean_variance (FvNode *node, FvArray **inputs, FvArray **outputs,
    GError **error)
{
  const FvShape *shape = &inputs[0]->shape;
  FvShape kept = *shape;
  gint64 strides[FV_MAX_RANK], groups, count = inputs[0]->count;
  g_autofree double *sums = NULL;
  gboolean flags[FV_MAX_RANK];
  FvWalk walk;

  if (!mean_variance_axes (node, flags, error))
    return FALSE;
  for (guint i = 0; i < shape->rank; i++)
    if (flags[i])
      kept.dims[i] = 1;
  groups = fv_shape_count (&kept);
  if (!(sums = g_try_new0 (double, 2 * groups)))
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE, "out of memory");
  fv_dense_strides (&kept, strides);
  for (guint i = 0; i < shape->rank; i++)
    if (flags[i])
      strides[i] = 0;
  for (guint round = 0; round < 3; round++) {
    fv_walk_begin (&walk, shape);
    fv_walk_add_strides (&walk, 0, strides);
    for (gint64 i = 0; i < count; i++, fv_walk_next (&walk)) {
      double *sum = sums + walk.at[0], *squares = sum + groups;
      double apart = inputs[0]->f32[i] - *sum * groups / count;

      if (round == 0)
        *sum += inputs[0]->f32[i];
      else if (round == 1)
        *squares += apart * apart;
      else
        outputs[0]->f32[i] = apart / (sqrt (*squares * groups / count) + 1e-9);
    }
  }
  return TRUE;
}

static gboolean
infer_lp (FvNode *node, GError **error)
{
  guint axis;
  gint64 p = fv_node_int (node, "p");

  if (p != 1 && p != 2)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "p must be 1 or 2, got %" G_GINT64_FORMAT, p);
  return infer_float (node, 1, error)
      && fv_node_axis (node, fv_node_int (node, "axis"),
          node->inputs[0]->shape.rank, &axis, error);
}

static gboolean
lp (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  const FvShape *shape = &inputs[0]->shape;
  gint64 n, stride = 1, count = outputs[0]->count;
  gboolean squared = fv_node_int (node, "p") == 2;
  guint axis;

  fv_node_axis (node, fv_node_int (node, "axis"), shape->rank, &axis, NULL);
  n = shape->dims[axis];
  for (guint i = axis + 1; i < shape->rank; i++)
    stride *= shape->dims[i];
  for (gint64 k = 0; n > 0 && k < count / n; k++) {
    gint64 start = k / stride * stride * n + k % stride;
    double sum = 0;

    for (gint64 i = 0; i < n; i++) {
      double v = inputs[0]->f32[start + i * stride];
      sum += squared ? v * v : fabs (v);
    }
    if (squared)
      sum = sqrt (sum);
    for (gint64 i = 0; i < n; i++)
      outputs[0]->f32[start + i * stride] =
          sum == 0 ? 0 : inputs[0]->f32[start + i * stride] / sum;
  }
  return TRUE;
}

#define BATCH_CASES \
  FV_CASES ({ "f32[1,7,5,3] =f32[7] =f32[7] =f32[7] =f32[7]", NULL, 0.25, 2 }, \
      { "f32[2,8,3] =f32[8] =f32[8] =f32[8] =f32[8]", "epsilon=0.001", 0.25, \
          2 }, \
      { "f32[3,13] =f32[13] =f32[13] =f32[13] =f32[13]", NULL, 0.25, 2 }, \
      { "f32[1,5,2,3,4] =f32[5] =f32[5] =f32[5] =f32[5]", NULL, 0.25, 2 }, \
      { "f32[2,7,3,2] f32[7] =f32[7] f32[7] f32[7]", NULL, 0.25, 2 })
#define BATCH(first, what, attributes) \
  { \
    .name = "BatchNormalization", .limits = "one axis: on the host", \
    .since = first, .variant = what, \
    .flags = FV_OP_TAKES_STEPS | FV_OP_CHANNELS, .min_inputs = 5, \
    .attrs = attributes, .infer = infer_batch, .reference = batch, \
    .lower = fv_norm_lower_batch, .cases = BATCH_CASES \
  }
#define GROUP(first, what, attributes, ...) \
  { \
    .name = "GroupNormalization", .since = first, .variant = what, \
    .flags = FV_OP_TAKES_STEPS | FV_OP_CHANNELS, .min_inputs = 3, \
    .attrs = attributes, .infer = infer_group, .reference = group, \
    .lower = fv_norm_lower_group, .cases = FV_CASES (__VA_ARGS__) \
  }

const FvOp fv_ops_norm[] = {
  BATCH (7, FV_NORM_BATCH_7, "epsilon:f=1e-5 momentum:f=0.9 spatial:i=1"),
  BATCH (9, FV_NORM_BATCH_9, "epsilon:f=1e-5 momentum:f=0.9"),
  BATCH (14, FV_NORM_BATCH_14,
      "epsilon:f=1e-5 momentum:f=0.9 training_mode:i=0"),
  { .name = "InstanceNormalization",
      .since = 6,
      .variant = FV_NORM_INSTANCE,
      .flags = FV_OP_TAKES_STEPS | FV_OP_CHANNELS,
      .min_inputs = 3,
      .attrs = "epsilon:f=1e-5",
      .infer = infer_group,
      .reference = group,
      .lower = fv_norm_lower_group,
      .cases = FV_CASES ({ "f32[1,7,5,3] =f32[7] =f32[7]" },
          { "f32[2,8,9,11] =f32[8] =f32[8]", "epsilon=0.01", 3, 5 },
          { "f32[1,3,17] =f32[3] =f32[3]" },
          { "f32[1,5,2,3,4] f32[5] f32[5]" }) },
  GROUP (18, FV_NORM_GROUP_18, "epsilon:f=1e-5 num_groups:i!",
      { "f32[1,6,5,3] =f32[2] =f32[2]", "num_groups=2", .opset = 18 },
      { "f32[2,9,7] =f32[3] =f32[3]", "num_groups=3", .opset = 18 },
      { "f32[2,24,5,7] =f32[3] =f32[3]", "num_groups=3", 1, 3, .opset = 18 },
      { "f32[1,5,7,4] =f32[5] =f32[5]", "num_groups=5", .opset = 18 },
      { "f32[1,10,7,4] =f32[5] =f32[5]", "num_groups=5", .opset = 18 }),
  GROUP (21, FV_NORM_GROUP_21, "epsilon:f=1e-5 num_groups:i! stash_type:i=1",
      { "f32[1,6,5,3] =f32[6] =f32[6]", "num_groups=2" },
      { "f32[2,32,9,7] =f32[32] =f32[32]", "num_groups=4", 2, 4 },
      { "f32[1,7,1,1] =f32[7] =f32[7]", "num_groups=1" },
      { "f32[1,10,40,33] f32[10] f32[10]", "num_groups=5" },
      { "f32[1,64,9,33] =f32[64] =f32[64]", "num_groups=8", 20, 23 },
      { "f32[2,14,9,5] =f32[14] =f32[14]", "num_groups=7", -3, 4 },
      { "f32[1,8,130,136] =f32[8] =f32[8]", "num_groups=1", -1, 3 }),
  { .name = "LayerNormalization",
      .since = 1, /* ONNX has it from 17 on; older files of ONNX Runtime too */
      .variant = FV_NORM_LAYER,
      .flags = FV_OP_TAKES_STEPS,
      .min_inputs = 2,
      .max_inputs = 3,
      .max_outputs = 3,
      .attrs = "axis:i=-1 epsilon:f=1e-5 stash_type:i=1",
      .infer = infer_layer,
      .reference = layer,
      .lower = fv_norm_lower_layer,
      .cases = FV_CASES ({ "f32[1,7,33] =f32[33] =f32[33]" },
          { "f32[2,38,192] =f32[192] =f32[192]", "epsilon=1e-6", -3, 5 },
          { "f32[5,3,4] =f32[4]", "axis=-1" },
          { "f32[130,32] f32[32] f32[32]" }, { "f32[1,300,7] =f32[7] =f32[7]" },
          { "f32[2,5,3,7] =f32[5,3,7] =f32[5,3,7]", "axis=1" },
          { "f32[3,4,8] =f32[4,8] =f32[4,8]", "axis=-2" },
          { "f32[1,1,1030] =f32[1030] =f32[1030]" },
          { "f32[3,5,1] =f32[1] =f32[1]" },
          { "f32[2,5,7,6] =f32[5,1,6] f32[7,1]", "axis=1" },
          { "f32[4,5,6] f32[4,1,6] =f32[1]" },
          { "f32[3,4,7] =f32[7] =f32[7]", "epsilon=0.01", -1, 3,
              .n_outputs = 3 },
          { "f32[2,3,5] =f32[3,5]", "axis=0", .n_outputs = 3 },
          { "f32[41,33] =f32[33] =f32[33]", NULL, 20, 30 },
          { "f32[40,75] =f32[75] =f32[75]", NULL, -3, 5, .n_outputs = 3 },
          { "f32[9,5,38] f32[9,1,38] =f32[1]" }) },
  { .name = "MeanVarianceNormalization",
      .since = 9,
      .variant = FV_NORM_MEAN_VARIANCE,
      .min_inputs = 1,
      .attrs = "axes:is",
      .infer = infer_mean_variance,
      .reference = mean_variance,
      .lower = fv_lower_rewritten,
      .cases = FV_CASES ({ "f32[1,5,4,3]", NULL, 0, 3 },
          { "f32[2,5,4,3]", NULL, -3, 1 }, { "f32[2,5,7]", "axes=[2]" },
          { "f32[2,3,4,5]", "axes=[-3,3]", 1, 2 }, { "f32[6]", "axes=[0]" },
          { "f32[1,3,2,3,4]", "axes=[0,1,2,3,4]" }) },
  { .name = "RMSNormalization",
      .since = 23,
      .variant = FV_NORM_RMS,
      .flags = FV_OP_TAKES_STEPS,
      .min_inputs = 2,
      .attrs = "axis:i=-1 epsilon:f=1e-5 stash_type:i=1",
      .infer = infer_layer,
      .reference = layer,
      .lower = fv_norm_lower_layer,
      .cases = FV_CASES ({ "f32[1,7,33] =f32[33]" },
          { "f32[2,5,6] =f32[5,6]", "axis=1" }, { "f32[2,5,6] f32[2,1,6]" },
          { "f32[37,70] =f32[70]" }) },
  { .name = "LpNormalization",
      .since = 1,
      .variant = FV_NORM_LP,
      .min_inputs = 1,
      .attrs = "axis:i=-1 p:i=2",
      .infer = infer_lp,
      .reference = lp,
      .lower = fv_norm_lower_lp,
      .cases = FV_CASES ({ "f32[2,5,19]" }, { "f32[1,7,5,3]", "axis=1" },
          { "f32[3,9]", "axis=0 p=1" }, { "f32[4,130]", "p=1" },
          { "f32[40,39]", "p=1" }) },
  {},
};
