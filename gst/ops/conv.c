/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conv, 1-D to 3-D. */
#include <string.h>

#include "gst/ops/conv.h"

/* Larger strides, dilations, paddings and kernels than this are refused: no
 * product below overflows, and a pair of them fits into 32 bits. */
#define LIMIT 32767
#define MAX_CHANNELS (1 << 20)

/* The @n_axes numbers of list @name, or @fallback where it is absent. */
static gboolean
read_list (const FvNode *node, const char *name, guint n_axes, gint64 low,
    gint64 fallback, gint64 *values, GError **error)
{
  guint n = 0;
  const gint64 *list = fv_node_ints (node, name, &n);

  if (!list)
    n = 0;
  if (n != 0 && n != n_axes)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "%s has %u numbers, expected %u", name, n, n_axes);
  for (guint i = 0; i < n_axes; i++) {
    values[i] = n ? list[i] : fallback;
    if (values[i] < low || values[i] > LIMIT)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "%s[%u] is %" G_GINT64_FORMAT ", expected %" G_GINT64_FORMAT " to %d",
          name, i, values[i], low, LIMIT);
  }
  return TRUE;
}

static gboolean
check_shapes (const FvNode *node, gboolean transposed, FvConvGeometry *g,
    GError **error)
{
  const FvValue *x = fv_node_input (node, 0), *w = fv_node_input (node, 1),
                *bias = fv_node_input (node, 2);
  gint64 shared; /* of the weights, with the input */

  if (!x || !w)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "input and weights must be given");
  if (x->shape.rank < 3 || x->shape.rank > 5)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "only 1-D, 2-D and 3-D convolutions are supported");
  if (w->shape.rank != x->shape.rank)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the weights' rank is not that of the input");
  if (!fv_type_is_float (x->type) || w->type != x->type)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "expected floats of one type, got %s and %s", fv_type_name (x->type),
        fv_type_name (w->type));
  for (guint i = 1; i < x->shape.rank; i++)
    if (x->shape.dims[i] < 1 || x->shape.dims[i] > G_MAXINT32)
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "the input's size is out of range");
  for (guint i = 0; i < w->shape.rank; i++)
    if (w->shape.dims[i] < 1
        || w->shape.dims[i] > (i < 2 ? MAX_CHANNELS : LIMIT))
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "the weights' size is out of range");

  g->batch = x->shape.dims[0];
  g->in_channels = x->shape.dims[1];
  g->groups = fv_node_int (node, "group");
  if (g->groups < 1 || g->groups > MAX_CHANNELS || g->in_channels % g->groups)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "group %" G_GINT64_FORMAT " does not divide the input's channels",
        g->groups);
  shared = transposed ? w->shape.dims[0] : w->shape.dims[1] * g->groups;
  if (shared != g->in_channels)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the weights are for %" G_GINT64_FORMAT " input channels", shared);
  g->out_channels =
      transposed ? w->shape.dims[1] * g->groups : w->shape.dims[0];
  if (g->out_channels % g->groups || g->out_channels > MAX_CHANNELS)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "group %" G_GINT64_FORMAT " does not divide the output's channels",
        g->groups);
  if (bias
      && (bias->shape.rank != 1 || bias->shape.dims[0] != g->out_channels
          || bias->type != x->type))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected a bias of %" G_GINT64_FORMAT " elements of the input's type",
        g->out_channels);
  return TRUE;
}

guint
fv_conv_axis (const FvConvGeometry *g, guint i)
{
  if (g->n_axes == 3)
    return i == 0 ? 2 : i - 1;
  return 2 - g->n_axes + i;
}

gboolean
fv_conv_attributes (const FvNode *node, gboolean transposed, FvConvGeometry *g,
    GError **error)
{
  const FvValue *x = fv_node_input (node, 0), *w = fv_node_input (node, 1);
  gint64 strides[3], dilations[3], pads[6] = { 0 }, declared[3];

  memset (g, 0, sizeof *g);
  if (!check_shapes (node, transposed, g, error))
    return FALSE;
  g->n_axes = x->shape.rank - 2;
  for (guint i = 0; i < 3; i++)
    g->in[i] = g->kernel[i] = g->stride[i] = g->dilation[i] = g->out[i] = 1;
  if (!read_list (node, "strides", g->n_axes, 1, 1, strides, error)
      || !read_list (node, "dilations", g->n_axes, 1, 1, dilations, error)
      || !read_list (node, "pads", 2 * g->n_axes, 0, 0, pads, error)
      || !read_list (node, "kernel_shape", g->n_axes, 0, 0, declared, error))
    return FALSE;
  for (guint i = 0; i < g->n_axes; i++) {
    guint axis = fv_conv_axis (g, i);

    g->in[axis] = x->shape.dims[2 + i];
    g->kernel[axis] = w->shape.dims[2 + i];
    g->stride[axis] = strides[i];
    g->dilation[axis] = dilations[i];
    g->begin[axis] = pads[i];
    g->end[axis] = pads[g->n_axes + i];
    if (declared[i] && declared[i] != g->kernel[axis])
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "kernel_shape is not the weights' shape");
  }
  return TRUE;
}

gboolean
fv_conv_geometry (const FvNode *node, FvConvGeometry *g, GError **error)
{
  const char *auto_pad = fv_node_string (node, "auto_pad");
  gboolean is_upper = g_strcmp0 (auto_pad, "SAME_UPPER") == 0;
  gboolean is_same = is_upper || g_strcmp0 (auto_pad, "SAME_LOWER") == 0;
  gboolean is_valid = g_strcmp0 (auto_pad, "VALID") == 0;

  if (!is_same && !is_valid && g_strcmp0 (auto_pad, "NOTSET") != 0)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED, "unknown auto_pad %s",
        auto_pad);
  if (!fv_conv_attributes (node, FALSE, g, error))
    return FALSE;
  for (guint i = 0; i < 3; i++) {
    gint64 extent = (g->kernel[i] - 1) * g->dilation[i] + 1, padded;

    if (is_same) {
      gint64 out = (g->in[i] + g->stride[i] - 1) / g->stride[i];
      gint64 total = MAX ((out - 1) * g->stride[i] + extent - g->in[i], 0);

      g->begin[i] = is_upper ? total / 2 : total - total / 2;
      g->end[i] = total - g->begin[i];
    } else if (is_valid) {
      g->begin[i] = g->end[i] = 0;
    }
    padded = g->in[i] + g->begin[i] + g->end[i];
    if (padded < extent)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "the kernel is larger than the padded input");
    g->out[i] = (padded - extent) / g->stride[i] + 1;
  }
  return TRUE;
}

gboolean
fv_conv_set_output (FvNode *node, const FvConvGeometry *g, GError **error)
{
  FvValue *y = node->outputs[0];

  y->type = node->inputs[0]->type;
  y->shape.rank = 2 + g->n_axes;
  y->shape.dims[0] = g->batch;
  y->shape.dims[1] = g->out_channels;
  for (guint i = 0; i < g->n_axes; i++)
    y->shape.dims[2 + i] = g->out[fv_conv_axis (g, i)];
  if (fv_shape_count (&y->shape) < 0)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
        "the output's size overflows");
  return TRUE;
}

static gboolean
infer (FvNode *node, GError **error)
{
  FvConvGeometry g;

  return fv_conv_geometry (node, &g, error)
      && fv_conv_set_output (node, &g, error);
}

/* sum += weight * plane, shifted by tap (ky, kx). */
static void
add_plane (const FvConvGeometry *g, gint64 ky, gint64 kx, double weight,
    const float *restrict plane, double *restrict sum)
{
  gint64 shift = kx * g->dilation[1] - g->begin[1], step = g->stride[1];
  gint64 first = shift < 0 ? (-shift + step - 1) / step : 0;
  gint64 last = g->in[1] - 1 - shift; /* in input columns */

  last = last < 0 ? -1 : MIN (last / step, g->out[1] - 1);
  for (gint64 y = 0; y < g->out[0]; y++) {
    gint64 iy = y * g->stride[0] + ky * g->dilation[0] - g->begin[0];
    const float *row = plane + iy * g->in[1] + shift;
    double *out = sum + y * g->out[1];

    if (iy < 0 || iy >= g->in[0])
      continue;
    if (step == 1)
      for (gint64 x = first; x <= last; x++)
        out[x] += weight * row[x];
    else
      for (gint64 x = first; x <= last; x++)
        out[x] += weight * row[x * step];
  }
}

/* The same over all planes of a map; @tap counts all of a kernel's. */
static void
add_tap (const FvConvGeometry *g, gint64 tap, double weight, const float *map,
    double *sum)
{
  gint64 kx = tap % g->kernel[1], ky = tap / g->kernel[1] % g->kernel[0];
  gint64 kz = tap / g->kernel[1] / g->kernel[0];

  for (gint64 z = 0; z < g->out[2]; z++) {
    gint64 iz = z * g->stride[2] + kz * g->dilation[2] - g->begin[2];

    if (iz >= 0 && iz < g->in[2])
      add_plane (g, ky, kx, weight, map + iz * g->in[0] * g->in[1],
          sum + z * g->out[0] * g->out[1]);
  }
}

static gboolean
reference (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  FvConvGeometry g;
  gint64 in_plane, out_plane, depth, share, taps;
  g_autofree double *sum = NULL;

  if (!fv_conv_geometry (node, &g, error))
    return FALSE;
  in_plane = g.in[0] * g.in[1] * g.in[2];
  out_plane = g.out[0] * g.out[1] * g.out[2];
  taps = g.kernel[0] * g.kernel[1] * g.kernel[2];
  depth = g.in_channels / g.groups;
  share = g.out_channels / g.groups;
  sum = g_try_new (double, out_plane);
  if (!sum)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE, "out of memory");
  for (gint64 o = 0; o < g.batch * g.out_channels; o++) {
    gint64 channel = o % g.out_channels, group = channel / share;
    const float *x = inputs[0]->f32
        + (o / g.out_channels * g.in_channels + group * depth) * in_plane;
    const float *w = inputs[1]->f32 + channel * depth * taps;
    float *y = outputs[0]->f32 + o * out_plane;

    for (gint64 i = 0; i < out_plane; i++)
      sum[i] =
          node->n_own_inputs > 2 && inputs[2] ? inputs[2]->f32[channel] : 0;
    for (gint64 i = 0; i < depth; i++)
      for (gint64 tap = 0; tap < taps; tap++)
        add_tap (&g, tap, w[i * taps + tap], x + i * in_plane, sum);
    for (gint64 i = 0; i < out_plane; i++)
      y[i] = sum[i];
  }
  return TRUE;
}

const FvOp fv_ops_conv[] = {
  {
      .name = "Conv",
      .since = 1,
      .flags = FV_OP_TAKES_STEPS | FV_OP_CHANNELS,
      .min_inputs = 2,
      .max_inputs = 3,
      .attrs = "auto_pad:s=NOTSET dilations:is group:i=1 kernel_shape:is "
               "pads:is strides:is",
      .infer = infer,
      .reference = reference,
      .lower = fv_conv_lower,
      /* clang-format off */
      .cases = FV_CASES (
          { "f32[1,7,9,11] =f32[5,7,3,3] =f32[5]", "pads=[1,1,1,1]" },
          { "f32[1,64,14,13] =f32[64,64,3,3] =f32[64]", "pads=[1,1,1,1]" },
          { "f32[1,3,33,47] =f32[16,3,3,3] =f32[16]",
              "pads=[1,1,1,1] strides=[2,2]" },
          { "f32[1,3,30,30] =f32[24,3,7,7]", "pads=[3,3,3,3] strides=[2,2]" },
          { "f32[1,1,17,15] =f32[9,1,5,5] =f32[9]", "pads=[2,2,2,2]" },
          { "f32[1,64,1,1] =f32[17,64,1,1] =f32[17]" },
          { "f32[1,33,7,7] =f32[50,33,1,1]" },
          { "f32[1,128,28,20] =f32[96,128,1,1] =f32[96]" },
          { "f32[1,16,15,15] =f32[33,16,1,1]", "strides=[2,2]" },
          { "f32[1,8,20,21] =f32[12,8,3,3]",
              "pads=[2,2,2,2] dilations=[2,2]" },
          { "f32[1,6,12,13] =f32[7,6,3,2]",
              "pads=[0,2,1,0] dilations=[1,3] strides=[2,1]" },
          { "f32[1,24,10,9] =f32[24,12,3,3] =f32[24]",
              "pads=[1,1,1,1] group=2" },
          { "f32[1,64,9,9] =f32[32,16,3,3] =f32[32]",
              "pads=[1,1,1,1] group=4" },
          { "f32[1,15,8,9] =f32[10,3,3,3] =f32[10]",
              "pads=[1,1,1,1] group=5" },
          { "f32[1,12,11,10] =f32[12,1,3,3] =f32[12]",
              "pads=[1,1,1,1] group=12" },
          { "f32[1,19,14,15] =f32[19,1,3,3] =f32[19]",
              "pads=[0,0,1,1] strides=[2,2] group=19" },
          { "f32[1,40,13,13] =f32[40,1,5,5] =f32[40]",
              "pads=[2,2,2,2] group=40" },
          { "f32[1,36,20,17] =f32[36,1,5,5]",
              "pads=[1,2,2,1] strides=[2,2] group=36" },
          { "f32[1,36,14,28] =f32[36,1,5,5] =f32[36]",
              "pads=[2,2,2,2] strides=[2,2] group=36" },
          { "f32[1,18,9,14] =f32[18,1,3,3] =f32[18]",
              "pads=[1,1,1,1] group=18" },
          { "f32[1,10,12,14] =f32[10,1,7,7] =f32[10]",
              "pads=[3,3,3,3] group=10" },
          { "f32[2,9,16,13] =f32[9,1,3,3]",
              "pads=[2,2,2,2] dilations=[2,2] group=9" },
          { "f32[1,8,11,9] =f32[16,1,3,3] =f32[16]",
              "pads=[1,1,1,1] group=8" },
          { "f32[1,5,21,22] =f32[6,5,2,2]", "strides=[5,4]" },
          { "f32[2,11,9,7] =f32[13,11,3,3] =f32[13]", "pads=[1,1,1,1]" },
          { "f32[3,20,6,6] =f32[20,1,3,3] =f32[20]",
              "pads=[1,1,1,1] group=20" },
          { "f32[2,16,8,8] =f32[24,8,1,1] =f32[24]", "group=2" },
          { "f32[1,14,7,5] =f32[21,14,7,5] =f32[21]" },
          { "f32[1,9,12,10] =f32[8,9,2,2]" },
          { "f32[1,3,48,64] =f32[40,3,16,16] =f32[40]", "strides=[16,16]" },
          { "f32[1,8,13,14] =f32[8,8,3,3] =f32[8]",
              "auto_pad=SAME_UPPER strides=[2,2]" },
          { "f32[1,4,10,12] =f32[4,4,4,4]", "auto_pad=SAME_LOWER" },
          { "f32[1,4,10,12] =f32[6,4,3,3]", "auto_pad=VALID" },
          { "f32[1,6,31] =f32[9,6,5] =f32[9]", "pads=[2,2] strides=[2]" },
          { "f32[1,6,31] =f32[6,1,3]", "pads=[1,1] group=6" },
          { "f32[1,10,6,7] f32[8,10,3,3] f32[8]", "pads=[1,1,1,1]" },
          { "f32[1,6,5,7,8] =f32[9,6,3,3,3] =f32[9]", "pads=[1,1,1,1,1,1]" },
          { "f32[2,8,6,7,5] =f32[16,8,3,3,3]",
              "pads=[1,0,1,0,1,1] strides=[2,1,2]" },
          { "f32[2,5,6,7,6] =f32[7,5,1,3,3] =f32[7]",
              "pads=[0,1,1,0,1,1] strides=[1,2,2]" },
          { "f32[1,12,8,5,6] =f32[10,12,3,1,1] =f32[10]",
              "pads=[1,0,0,1,0,0] strides=[2,1,1]" },
          { "f32[2,12,4,5,6] =f32[10,12,1,1,1] =f32[10]" },
          { "f32[2,3,7,6,6] =f32[8,3,2,2,2]", "strides=[2,2,2]" },
          { "f32[1,4,7,9,8] =f32[5,4,2,3,2]",
              "dilations=[3,2,1] pads=[2,1,0,1,0,2]" },
          { "f32[1,4,3,5,4] =f32[6,4,3,5,4] =f32[6]" },
          { "f32[2,4,6,5,5] =f32[6,4,1,1,1]", "strides=[2,2,1]" },
          { "f32[1,12,5,6,7] =f32[12,1,1,3,3]",
              "pads=[0,1,1,0,1,1] group=12" },
          { "f32[1,12,5,6,7] =f32[12,1,3,1,1]",
              "pads=[1,0,0,1,0,0] group=12" },
          { "f32[1,6,5,6,7] f32[5,6,1,3,3]", "pads=[0,1,1,0,1,1]" },
          { "f32[1,5,6,6,6] =f32[4,5,3,3,3]",
              "auto_pad=SAME_UPPER strides=[2,2,2]" },
          { "f32[1,12,5,6,7] =f32[12,1,3,3,3] =f32[12]",
              "pads=[1,1,1,1,1,1] group=12" },
          { "f32[2,5,7,6,5] =f32[5,1,2,3,2]",
              "pads=[2,0,1,1,1,0] strides=[2,1,2] dilations=[1,2,1] group=5" },
          { "f32[2,16,5,6,4] =f32[12,4,3,2,3] =f32[12]",
              "pads=[1,0,1,1,0,1] strides=[2,1,1] group=4" },
          { "f32[1,6,5,4,6] =f32[4,3,2,2,3] =f32[4]",
              "dilations=[2,1,1] group=2" },
          { "f32[1,5,1,4,3] =f32[5,1,1,3,2]",
              "pads=[1,0,0,0,0,0] strides=[2,1,1] group=5" },
          { "f32[2,98,23,29] =f32[102,98,3,3] =f32[102]", "pads=[1,0,0,1]" },
          { "f32[1,131,61,17] =f32[45,131,3,3]", "pads=[2,1,1,2]" },
          { "f32[1,192,9,7] =f32[257,192,3,3] =f32[257]", "pads=[1,1,1,1]" },
          { "f32[2,6,4,5,6] f32[5,6,3,3,2] f32[5]",
              "pads=[1,0,1,1,0,1] strides=[1,2,1]" }),
      /* clang-format on */
  },
  {},
};
