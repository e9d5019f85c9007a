/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/card/card.h"

G_BEGIN_DECLS

/**
 * FvAxis:
 *
 * How one axis of a frame is resized into the model's input: what the import on
 * the device, its plain C reference and the command share. A plain value.
 *
 * Pixel centres lie at halves. With antialias the filters are those of Pillow
 * (Resample.c), widened where the frame is reduced, cut off at its edges and with
 * a bicubic's a of -0.5; without it those of OpenCV and PyTorch's interpolate():
 * a is -0.75, and the edge's pixel is repeated.
 */
typedef struct
{
  guint frame_size; /* pixels of the frame along the axis */
  gint start, size; /* of the frame in the input (FvFrameMap) */
  FvFilter filter;
  gboolean antialias, eight_bits;
} FvAxis;

FV_API void fv_axis_init (FvAxis *axis, const FvCardInput *input,
    const FvFrameMap *map, gboolean is_vertical);
/* Most taps that any position of the axis has. */
FV_API guint fv_axis_taps (const FvAxis *axis);
/* Weights of frame pixels *@first and on for pixel @position of the input, into
 * @weights, which has room for fv_axis_taps(). Their sum is 1. Returns how many; 0
 * outside of the frame. */
FV_API guint fv_axis_weights (const FvAxis *axis, guint position, guint *first,
    double *weights);
/* What becomes of 0..255 behind a pass over columns or rows, or in front of the
 * first: whole numbers, halves up, where the card says so. */
FV_API double fv_axis_round (const FvAxis *axis, double value);

G_END_DECLS
