/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A 1x1 convolution of a map whose channels are weighed by a number each, which is
 * what squeeze-and-excitation ends with. */
#include "gst/ops/conv.h"

/* One image, every pixel of which makes one of the output. */
static gboolean
is_plain (const FvConvGeometry *g)
{
  gboolean plain = g->n_axes == 2 && g->batch == 1 && g->groups == 1;

  for (guint i = 0; i < 2; i++)
    plain &=
        g->kernel[i] == 1 && g->stride[i] == 1 && !g->begin[i] && !g->end[i];
  return plain;
}

static gboolean
infer (FvNode *node, GError **error)
{
  const FvValue *x = fv_node_input (node, 0), *gate = fv_node_input (node, 3);
  FvConvGeometry g;

  if (!fv_conv_geometry (node, &g, error))
    return FALSE;
  if (!is_plain (&g) || !gate || gate->type != x->type || gate->shape.rank < 2
      || gate->shape.dims[1] != g.in_channels
      || fv_shape_count (&gate->shape) != g.in_channels)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "expected one image, a 1x1 kernel and a factor for each of %" G_GINT64_FORMAT
        " channels",
        g.in_channels);
  return fv_conv_set_output (node, &g, error);
}

static gboolean
reference (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  gint64 channels = node->inputs[0]->shape.dims[1],
         plane = inputs[0]->count / channels,
         n = node->inputs[1]->shape.dims[0];

  for (gint64 m = 0; m < n; m++)
    for (gint64 i = 0; i < plane; i++) {
      double sum = inputs[2] ? inputs[2]->f32[m] : 0;

      for (gint64 k = 0; k < channels; k++)
        sum += (double) inputs[0]->f32[k * plane + i] * inputs[3]->f32[k]
            * inputs[1]->f32[m * channels + k];
      outputs[0]->f32[m * plane + i] = sum;
    }
  return TRUE;
}

const FvOp fv_ops_gatedconv[] = {
  {
      .name = "fovea.GatedConv",
      .since = 1,
      .flags = FV_OP_TAKES_STEPS | FV_OP_CHANNELS,
      .min_inputs = 2,
      .max_inputs = 4,
      .attrs = "auto_pad:s=NOTSET dilations:is group:i=1 kernel_shape:is "
               "pads:is strides:is",
      .infer = infer,
      .reference = reference,
      .lower = fv_gatedconv_lower,
      .cases = FV_CASES (
          { "f32[1,64,14,13] =f32[24,64,1,1] =f32[24] f32[1,64,1,1]" },
          { "f32[1,19,7,5] =f32[33,19,1,1] - f32[1,19,1,1]" },
          { "f32[1,96,28,28] =f32[40,96,1,1] =f32[40] f32[1,96,1,1]" },
          { "f32[1,6,1,3] =f32[5,6,1,1] =f32[5] f32[1,6,1,1]" }),
  },
  {},
};
