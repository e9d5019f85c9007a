/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The geometry that Conv and ConvTranspose share. Private to the operators. */
#pragma once

#include "gst/engine/plan.h"

G_BEGIN_DECLS

/* Sizes are those of the spatial axes in the order height, width, depth; a 1-D
 * convolution is one of height 1, and all but those of 3-D have a depth of 1. All
 * are positive and small enough that products of two fit. */
typedef struct
{
  guint n_axes; /* spatial axes in the model: 1 to 3 */
  gint64 batch, groups, in_channels, out_channels;
  gint64 in[3], out[3], kernel[3], stride[3], dilation[3];
  gint64 begin[3], end[3]; /* padding */
} FvConvGeometry;

/* Where the model's spatial axis @i stands in these arrays. */
guint fv_conv_axis (const FvConvGeometry *geometry, guint i);
/* Reads and checks attributes and the shapes of input, weights and bias; fills
 * in all but @out, @begin and @end of an automatic padding. */
gboolean fv_conv_attributes (const FvNode *node, gboolean transposed,
    FvConvGeometry *geometry, GError **error);
/* Everything, for Conv and for ConvTranspose. */
gboolean
fv_conv_geometry (const FvNode *node, FvConvGeometry *geometry, GError **error);
gboolean fv_convtranspose_geometry (const FvNode *node,
    FvConvGeometry *geometry, GError **error);
/* Sets output 0 to [batch, out_channels, out...] of input 0's type. */
gboolean fv_conv_set_output (FvNode *node, const FvConvGeometry *geometry,
    GError **error);

/* The input with channels innermost, a place for the output likewise, the bias. */
typedef struct
{
  FvConvGeometry g;
  FvTensor x, y, bias, gate; /* bias.storage, gate.storage: (nullable) */
  /* In vec4 units: between images, rows and columns. */
  gint64 x_steps[3], y_steps[3];
  gint64 x_depth, y_depth; /* of 3-D: between depths */
  gint64 depth_taps; /* of 3-D: stacked in the channels, each in whole vec4 */
  guint w_axes[2]; /* of the weights: the kernel's rows and columns */
} FvConvMaps;

/* convlower.c */
gboolean fv_conv_lower (FvPlan *plan, FvNode *node, GError **error);
/* The same, its input weighed by node's input 3, a number per channel. */
gboolean fv_gatedconv_lower (FvPlan *plan, FvNode *node, GError **error);
gboolean fv_convtranspose_lower (FvPlan *plan, FvNode *node, GError **error);

G_END_DECLS
