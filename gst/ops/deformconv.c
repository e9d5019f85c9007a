/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DeformConv. Before the plan is made, a pass (rewrite-compound.c) makes it the
 * columns that its taps read, which have a kernel, and a 1 x 1 Conv of them. */
#include <math.h>
#include <string.h>

#include "gst/ops/common.h"
#include "gst/ops/conv.h"
#include "gst/ops/loops.h"
#include "shaders/window.h"

#define FAR 1048576.0f /* neither infinities nor NaN become indices */

enum
{
  DEFORM_CONV, /* x, weights, offset, bias, mask */
  DEFORM_COLUMNS, /* x, offset, mask */
};

typedef struct
{
  FvConvGeometry g;
  guint offset, mask; /* inputs */
  gint64 groups, taps; /* of the offsets */
  gint64 depth, share; /* channels of a group of weights, and of offsets */
} Deform;

/* Columns may be of some rows of the output alone: those that there are offsets
 * for, from the first on, which is as much less padding. */
static gboolean
read_band (const FvNode *node, Deform *d, GError **error)
{
  gint64 first = fv_node_int (node, "first"), limit = G_MAXINT16;
  gint64 rows =
      node->inputs[1]->shape.rank == 4 ? node->inputs[1]->shape.dims[2] : 0;

  if (first < 0 || rows < 0 || first > d->g.out[0] - rows
      || first * d->g.stride[0] > limit)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "%" G_GINT64_FORMAT " rows from %" G_GINT64_FORMAT " on", rows, first);
  d->g.out[0] = rows;
  d->g.begin[0] -= first * d->g.stride[0];
  return TRUE;
}

/* The convolution without offsets, whose attributes are checked like Conv's. */
static gboolean
read_geometry (const FvNode *node, Deform *d, GError **error)
{
  gboolean is_conv = node->op->variant == DEFORM_CONV;
  gint64 groups = MAX (fv_node_int (node, "group"), 1);
  const FvValue *x = node->inputs[0];
  FvValue w = { .type = x->type, .shape = { 4, { groups } } };
  FvValue *inputs[] = { node->inputs[0], &w,
    is_conv ? fv_node_input (node, 3) : NULL };
  FvNode plain = *node;
  guint n = 0;

  if (x->shape.rank != 4)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "only 2-D deformable convolutions are supported");
  if (is_conv)
    w = *node->inputs[1];
  else {
    const gint64 *kernel = fv_node_ints (node, "kernel_shape", &n);

    w.shape.dims[1] = x->shape.dims[1] / groups;
    for (guint i = 0; i < 2 && i < n; i++)
      w.shape.dims[2 + i] = kernel[i];
  }
  plain.inputs = inputs;
  plain.n_inputs = plain.n_own_inputs = 3;
  if (!fv_conv_attributes (&plain, FALSE, &d->g, error))
    return FALSE;
  for (guint i = 0; i < 2; i++) {
    gint64 extent = (d->g.kernel[i] - 1) * d->g.dilation[i] + 1;
    gint64 padded = d->g.in[i] + d->g.begin[i] + d->g.end[i];

    if (padded < extent || d->g.in[i] > FAR)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "the kernel is larger than the padded input, or that too large");
    d->g.out[i] = (padded - extent) / d->g.stride[i] + 1;
  }
  return is_conv || read_band (node, d, error);
}

static gboolean
check_map (const FvNode *node, const Deform *d, guint input, gint64 channels,
    const char *what, GError **error)
{
  const FvValue *value = fv_node_input (node, input);
  FvShape shape = { 4, { d->g.batch, channels, d->g.out[0], d->g.out[1] } };

  if (value && !fv_type_is_float (value->type))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "expected floats, its %s is %s", what, fv_type_name (value->type));
  if (value && !fv_shape_equal (&value->shape, &shape))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected %s of %" G_GINT64_FORMAT " channels and the output's size",
        what, channels);
  return TRUE;
}

static gboolean
read_deform (const FvNode *node, Deform *d, GError **error)
{
  gboolean is_conv = node->op->variant == DEFORM_CONV;

  memset (d, 0, sizeof *d);
  d->offset = is_conv ? 2 : 1;
  d->mask = is_conv ? 4 : 2;
  if (!read_geometry (node, d, error))
    return FALSE;
  d->groups = fv_node_int (node, "offset_group");
  if (d->groups < 1 || d->g.in_channels % d->groups)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "offset_group %" G_GINT64_FORMAT " does not divide the input's "
        "channels",
        d->groups);
  d->taps = d->g.kernel[0] * d->g.kernel[1];
  d->depth = d->g.in_channels / d->g.groups;
  d->share = d->g.in_channels / d->groups;
  return check_map (node, d, d->offset, 2 * d->groups * d->taps, "offsets",
             error)
      && check_map (node, d, d->mask, d->groups * d->taps, "a mask", error);
}

static gboolean
infer_deform (FvNode *node, GError **error)
{
  Deform d;

  if (!read_deform (node, &d, error))
    return FALSE;
  if (node->op->variant == DEFORM_COLUMNS)
    d.g.out_channels = d.g.in_channels * d.taps;
  return fv_conv_set_output (node, &d.g, error);
}

/* What tap @tap of output (@y, @x) reads of channel @channel. */
static double
read_tap (const Deform *d, FvArray *const *inputs, const FvNode *node,
    gint64 channel, gint64 tap, gint64 y, gint64 x)
{
  const gint64 *in = d->g.in, *out = d->g.out;
  const FvArray *mask = d->mask < node->n_own_inputs ? inputs[d->mask] : NULL;
  gint64 plane = out[0] * out[1], map = channel / d->g.in_channels;
  gint64 group = channel % d->g.in_channels / d->share;
  gint64 number = (map * d->groups + group) * d->taps + tap;
  gint64 pixel = y * out[1] + x;
  const float *offset = inputs[d->offset]->f32 + 2 * number * plane + pixel;
  const float *from = inputs[0]->f32 + channel * in[0] * in[1];
  float at[2] = { y * d->g.stride[0] - d->g.begin[0]
        + tap / d->g.kernel[1] * d->g.dilation[0] + offset[0],
    x * d->g.stride[1] - d->g.begin[1] + tap % d->g.kernel[1] * d->g.dilation[1]
        + offset[plane] };
  double sum = 0;

  for (guint k = 0; k < 4; k++) {
    double weight = 1;
    gint64 index[2];
    gboolean inside = TRUE;

    for (guint a = 0; a < 2; a++) {
      float clear = isnan (at[a]) ? -FAR : CLAMP (at[a], -FAR, FAR);

      index[a] = (gint64) floorf (clear) + (a ? k % 2 : k / 2);
      weight *= 1 - fabs ((double) clear - index[a]);
      inside = inside && index[a] >= 0 && index[a] < in[a];
    }
    if (inside && weight != 0)
      sum += weight * from[index[0] * in[1] + index[1]];
  }
  return mask ? sum * mask->f32[number * plane + pixel] : sum;
}

static gboolean
deform_columns (FvNode *node, FvArray **inputs, FvArray **outputs,
    GError **error)
{
  gint64 plane;
  Deform d;

  if (!read_deform (node, &d, error))
    return FALSE;
  plane = d.g.out[0] * d.g.out[1];
  for (gint64 i = 0; i < outputs[0]->count; i++) {
    gint64 column = i / plane, pixel = i % plane;
    gint64 group = column / (d.depth * d.taps);
    gint64 tap = column / d.depth % d.taps;

    outputs[0]->f32[i] =
        read_tap (&d, inputs, node, group * d.depth + column % d.depth, tap,
            pixel / d.g.out[1], pixel % d.g.out[1]);
  }
  return TRUE;
}

static gboolean
deform_conv (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  gint64 plane, share;
  Deform d;

  if (!read_deform (node, &d, error))
    return FALSE;
  plane = d.g.out[0] * d.g.out[1];
  share = d.g.out_channels / d.g.groups;
  for (gint64 i = 0; i < outputs[0]->count; i++) {
    gint64 out = i / plane % d.g.out_channels, pixel = i % plane;
    gint64 first =
        i / plane / d.g.out_channels * d.g.in_channels + out / share * d.depth;
    const float *w = inputs[1]->f32 + out * d.depth * d.taps;
    double sum = node->n_own_inputs > 3 && inputs[3] ? inputs[3]->f32[out] : 0;

    for (gint64 k = 0; k < d.depth * d.taps; k++)
      sum += w[k]
          * read_tap (&d, inputs, node, first + k / d.taps, k % d.taps,
              pixel / d.g.out[1], pixel % d.g.out[1]);
    outputs[0]->f32[i] = sum;
  }
  return TRUE;
}

static void
fill_push (const Deform *d, const FvTensor *x, const FvTensor *y,
    const FvTensor *offset, const FvTensor *mask, FvDeformPush *push)
{
  const FvConvGeometry *g = &d->g;
  const FvTensor *moves[2] = { offset, mask };

  push->channels = y->shape.dims[1];
  push->units = (y->shape.dims[1] + 3) / 4;
  push->depth = d->depth;
  push->share = d->share;
  push->taps = d->taps;
  push->columns = g->kernel[1];
  push->x_base = x->offset / 4;
  push->y_base = y->offset / 4;
  for (guint a = 0; a < 2; a++) {
    push->in_size[a] = g->in[a];
    push->out_size[a] = g->out[a];
  }
  push->stride = FV_PAIR (g->stride[0], g->stride[1]);
  push->dilation = FV_PAIR (g->dilation[0], g->dilation[1]);
  push->pad = FV_PAIR (g->begin[0], g->begin[1]);
  for (guint a = 0, k = 0; a < 4; a++)
    if (a != 1) {
      push->x[k] = x->shape.dims[a] > 1 ? x->strides[a] / 4 : 0;
      push->y[k++] = y->shape.dims[a] > 1 ? y->strides[a] / 4 : 0;
    }
  for (guint i = 0; i < 2; i++) {
    fv_int *to = i ? push->mask : push->offset;

    to[0] = moves[i]->offset;
    for (guint a = 0; a < 4; a++)
      to[1 + a] = moves[i]->shape.dims[a] > 1 ? moves[i]->strides[a] : 0;
  }
}

static gboolean
lower_columns (FvPlan *plan, FvNode *node, GError **error)
{
  FvTensor x, offset, mask, y;
  FvDeformPush push = { 0 };
  FvDispatch dispatch;
  guint units = 4;
  Deform d;

  if (!read_deform (node, &d, error)
      || !fv_plan_input (plan, node, 0, 1, &x, error)
      || !fv_plan_input (plan, node, 1, FV_ANY_AXIS, &offset, error))
    return FALSE;
  mask = offset;
  if (fv_node_input (node, 2)
      && !fv_plan_input (plan, node, 2, FV_ANY_AXIS, &mask, error))
    return FALSE;
  if (!fv_plan_output (plan, node, 0, 1, &y, error))
    return FALSE;
  /* channels that share a tap share the way to it */
  while (units && (d.depth % (4 * units) || d.share % (4 * units)))
    units /= 2;
  fill_push (&d, &x, &y, &offset, &mask, &push);
  fv_plan_begin (plan, node, &dispatch, "deform");
  fv_plan_bind (plan, &dispatch, &x, FALSE);
  fv_plan_bind (plan, &dispatch, &offset, FALSE);
  fv_plan_bind (plan, &dispatch, &mask, FALSE);
  fv_plan_bind (plan, &dispatch, &y, TRUE);
  fv_dispatch_spec (&dispatch, 0, units);
  fv_dispatch_spec (&dispatch, 1, fv_node_input (node, 2) != NULL);
  fv_dispatch_push (&dispatch, &push, sizeof push);
  fv_dispatch_units (plan, &dispatch,
      d.g.out[0] * d.g.out[1] * (push.units / MAX (units, 1)));
  dispatch.groups[2] = d.g.batch;
  dispatch.flops = fv_shape_count (&node->outputs[0]->shape) * 8;
  return fv_plan_add (plan, &dispatch, error);
}

#define ATTRS \
  "dilations:is group:i=1 kernel_shape:is offset_group:i=1 pads:is strides:is"
#define CASE(shapes, attributes) \
  { \
    shapes, attributes, -2, 2 \
  }

const FvOp fv_ops_deformconv[] = {
  { .name = "DeformConv",
      .limits = "two spatial axes",
      .since = 19,
      .variant = DEFORM_CONV,
      .flags = FV_OP_CHANNELS,
      .min_inputs = 3,
      .max_inputs = 5,
      .attrs = ATTRS,
      .infer = infer_deform,
      .reference = deform_conv,
      .lower = fv_lower_rewritten,
      .cases = FV_CASES (
          CASE ("f32[1,5,7,9] =f32[6,5,3,3] f32[1,18,7,9] =f32[6] f32[1,9,7,9]",
              "pads=[1,1,1,1]"),
          CASE ("f32[2,8,9,8] =f32[12,4,3,3] f32[2,36,5,3]",
              "strides=[2,2] pads=[1,0,1,0] group=2 offset_group=2"),
          CASE ("f32[1,16,8,7] =f32[9,16,2,3] f32[1,48,6,3] - f32[1,24,6,3]",
              "dilations=[2,2] offset_group=4"),
          CASE ("f32[1,6,5,6] f32[4,3,1,1] f32[1,4,5,6] f32[4]",
              "group=2 offset_group=2"),
          CASE ("f32[1,12,9,9] =f32[8,12,3,3] =f32[1,18,9,9] =f32[8]",
              "pads=[1,1,1,1]")) },
  { .name = "fovea.DeformColumns",
      .since = 1,
      .variant = DEFORM_COLUMNS,
      .flags = FV_OP_CHANNELS,
      .min_inputs = 2,
      .max_inputs = 3,
      .attrs = ATTRS " first:i=0",
      .infer = infer_deform,
      .reference = deform_columns,
      .lower = lower_columns,
      .cases = FV_CASES (CASE ("f32[1,8,6,7] f32[1,36,4,5]",
                             "kernel_shape=[3,3] offset_group=2"),
          CASE ("f32[1,5,9,6] f32[1,18,2,6]",
              "kernel_shape=[3,3] pads=[1,1,1,1] strides=[2,1] first=3"),
          CASE ("f32[1,32,5,4] f32[1,8,6,5]",
              "kernel_shape=[2,1] pads=[1,0,1,1] offset_group=2"),
          CASE ("f32[2,3,6,7] f32[2,8,7,8] f32[2,4,7,8]",
              "kernel_shape=[2,2] pads=[1,1,1,1]")) },
  {},
};
