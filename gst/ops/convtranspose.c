/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ConvTranspose, 1-D to 3-D. */
#include <string.h>

#include "gst/ops/conv.h"

/* Sizes wanted by the attribute output_shape, 0 where it is absent. */
static gboolean
read_output_shape (const FvNode *node, const FvConvGeometry *g,
    gint64 wanted[3], GError **error)
{
  guint n = 0;
  const gint64 *list = fv_node_ints (node, "output_shape", &n);

  wanted[0] = wanted[1] = wanted[2] = 0;
  if (!list || n == 0)
    return TRUE;
  /* Some files give batch and channels too. */
  if (n == g->n_axes + 2)
    list += 2;
  else if (n != g->n_axes)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "output_shape has %u numbers, expected %u", n, g->n_axes);
  for (guint i = 0; i < g->n_axes; i++) {
    wanted[fv_conv_axis (g, i)] = list[i];
    if (list[i] < 1 || list[i] > G_MAXINT32)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "output_shape is out of range");
  }
  return TRUE;
}

static gboolean
read_output_padding (const FvNode *node, const FvConvGeometry *g,
    gint64 padding[3], GError **error)
{
  guint n = 0;
  const gint64 *list = fv_node_ints (node, "output_padding", &n);

  padding[0] = padding[1] = padding[2] = 0;
  if (!list || n == 0)
    return TRUE;
  if (n != g->n_axes)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "output_padding has %u numbers, expected %u", n, g->n_axes);
  for (guint i = 0; i < n; i++) {
    guint axis = fv_conv_axis (g, i);

    padding[axis] = list[i];
    if (list[i] < 0 || list[i] >= MAX (g->stride[axis], g->dilation[axis]))
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "output_padding must be below stride or dilation");
  }
  return TRUE;
}

gboolean
fv_convtranspose_geometry (const FvNode *node, FvConvGeometry *g,
    GError **error)
{
  const char *auto_pad = fv_node_string (node, "auto_pad");
  gboolean is_upper = g_strcmp0 (auto_pad, "SAME_UPPER") == 0;
  gboolean is_same = is_upper || g_strcmp0 (auto_pad, "SAME_LOWER") == 0;
  gboolean is_valid = g_strcmp0 (auto_pad, "VALID") == 0;
  gint64 wanted[3], extra[3];

  if (!is_same && !is_valid && g_strcmp0 (auto_pad, "NOTSET") != 0)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED, "unknown auto_pad %s",
        auto_pad);
  if (!fv_conv_attributes (node, TRUE, g, error)
      || !read_output_shape (node, g, wanted, error)
      || !read_output_padding (node, g, extra, error))
    return FALSE;
  for (guint i = 0; i < 3; i++) {
    gint64 whole = g->stride[i] * (g->in[i] - 1) + extra[i]
        + (g->kernel[i] - 1) * g->dilation[i] + 1;

    if (is_valid)
      g->begin[i] = g->end[i] = 0;
    g->out[i] = wanted[i];
    if (!wanted[i])
      g->out[i] =
          is_same ? g->in[i] * g->stride[i] : whole - g->begin[i] - g->end[i];
    if (is_same || wanted[i]) {
      gint64 total = MAX (whole - g->out[i], 0);

      g->begin[i] = is_upper ? total / 2 : total - total / 2;
      g->end[i] = total - g->begin[i];
    }
    if (g->out[i] < 1 || g->out[i] > G_MAXINT32)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "the output would have %" G_GINT64_FORMAT " elements along an axis",
          g->out[i]);
  }
  return TRUE;
}

static gboolean
infer (FvNode *node, GError **error)
{
  FvConvGeometry g;

  return fv_convtranspose_geometry (node, &g, error)
      && fv_conv_set_output (node, &g, error);
}

/* Scatters weight * plane, shifted by tap (ky, kx), into sum. */
static void
add_plane (const FvConvGeometry *g, gint64 ky, gint64 kx, double weight,
    const float *restrict plane, double *restrict sum)
{
  for (gint64 y = 0; y < g->in[0]; y++) {
    gint64 oy = y * g->stride[0] + ky * g->dilation[0] - g->begin[0];
    gint64 ox = kx * g->dilation[1] - g->begin[1];

    if (oy < 0 || oy >= g->out[0])
      continue;
    for (gint64 x = 0; x < g->in[1]; x++, ox += g->stride[1])
      if (ox >= 0 && ox < g->out[1])
        sum[oy * g->out[1] + ox] += weight * plane[y * g->in[1] + x];
  }
}

/* The same over all planes of a map; @tap counts all of a kernel's. */
static void
add_tap (const FvConvGeometry *g, gint64 tap, double weight, const float *map,
    double *sum)
{
  gint64 kx = tap % g->kernel[1], ky = tap / g->kernel[1] % g->kernel[0];
  gint64 kz = tap / g->kernel[1] / g->kernel[0];

  for (gint64 z = 0; z < g->in[2]; z++) {
    gint64 oz = z * g->stride[2] + kz * g->dilation[2] - g->begin[2];

    if (oz >= 0 && oz < g->out[2])
      add_plane (g, ky, kx, weight, map + z * g->in[0] * g->in[1],
          sum + oz * g->out[0] * g->out[1]);
  }
}

static gboolean
reference (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  FvConvGeometry g;
  gint64 in_plane, out_plane, depth, share, taps;
  g_autofree double *sum = NULL;

  if (!fv_convtranspose_geometry (node, &g, error))
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
    float *y = outputs[0]->f32 + o * out_plane;

    for (gint64 i = 0; i < out_plane; i++)
      sum[i] =
          node->n_own_inputs > 2 && inputs[2] ? inputs[2]->f32[channel] : 0;
    for (gint64 i = 0; i < depth; i++) {
      const float *w = inputs[1]->f32
          + ((group * depth + i) * share + channel % share) * taps;

      for (gint64 tap = 0; tap < taps; tap++)
        add_tap (&g, tap, w[tap], x + i * in_plane, sum);
    }
    for (gint64 i = 0; i < out_plane; i++)
      y[i] = sum[i];
  }
  return TRUE;
}

const FvOp fv_ops_convtranspose[] = {
  {
      .name = "ConvTranspose",
      .since = 1,
      .flags = FV_OP_TAKES_STEPS | FV_OP_CHANNELS,
      .min_inputs = 2,
      .max_inputs = 3,
      .attrs = "auto_pad:s=NOTSET dilations:is group:i=1 kernel_shape:is "
               "output_padding:is output_shape:is pads:is strides:is",
      .infer = infer,
      .reference = reference,
      .lower = fv_convtranspose_lower,
      /* clang-format off */
      .cases = FV_CASES (
          { "f32[1,16,7,9] =f32[16,12,2,2] =f32[12]", "strides=[2,2]" },
          { "f32[1,11,6,5] =f32[11,7,2,2] =f32[7]", "strides=[2,2]" },
          { "f32[1,24,8,7] =f32[24,9,4,4] =f32[9]",
              "strides=[2,2] pads=[1,1,1,1]" },
          { "f32[1,5,6,7] =f32[5,6,3,3]",
              "strides=[2,2] pads=[1,1,1,1] output_padding=[1,1]" },
          { "f32[1,6,5,4] =f32[6,5,3,2] =f32[5]",
              "strides=[3,1] pads=[0,1,1,0]" },
          { "f32[1,4,6,6] =f32[4,8,3,3]", "dilations=[2,2]" },
          { "f32[1,8,5,6] =f32[8,3,3,3] =f32[6]", "strides=[2,2] group=2" },
          { "f32[1,6,5,6] =f32[6,1,4,4]",
              "strides=[2,2] pads=[1,1,1,1] group=6" },
          { "f32[2,7,4,5] =f32[7,10,3,3] =f32[10]", "pads=[1,1,1,1]" },
          { "f32[1,3,5,5] =f32[3,4,3,3]",
              "strides=[2,2] output_shape=[10,11]" },
          { "f32[1,3,5,5] =f32[3,4,3,3]",
              "strides=[2,2] auto_pad=SAME_UPPER" },
          { "f32[1,3,5,6] =f32[3,4,4,4]",
              "strides=[3,3] auto_pad=SAME_LOWER" },
          { "f32[1,12,3,4] =f32[12,20,4,4] =f32[20]", "strides=[4,4]" },
          { "f32[1,4,9] =f32[4,5,4] =f32[5]", "strides=[2] pads=[1,1]" },
          { "f32[2,6,9] f32[6,3,3]",
              "strides=[3] dilations=[2] group=3 output_shape=[31]" },
          { "f32[2,3,3,4,2] =f32[3,2,2,3,2] =f32[6]",
              "strides=[2,1,3] pads=[1,0,1,0,1,0] dilations=[3,1,2] group=3 "
              "output_padding=[1,0,1]" },
          { "f32[1,8,2,3,4] =f32[8,5,1,3,3]",
              "strides=[2,2,2] auto_pad=SAME_LOWER" },
          { "f32[1,6,1,3,2] =f32[6,4,1,2,2]",
              "strides=[3,1,1] pads=[1,0,0,1,0,0] output_padding=[2,0,0]" },
          { "f32[1,6,1,3,2] =f32[6,4,3,2,1]",
              "strides=[1,2,2] auto_pad=SAME_UPPER group=3" }),
      /* clang-format on */
  },
  {},
};
