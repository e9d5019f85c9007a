/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the numbers of a frame mean: the one place that reads colorimetry. Private
 * to libgstfovea. */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

/* ITU-T H.273, 8.3: Y = Kr R + Kg G + Kb B, Cb = (B - Y) / (2 (1 - Kb)), Cr =
 * (R - Y) / (2 (1 - Kr)), with Kr and Kb of ITU-R BT.601-7 2.5.1, BT.709-6 3.2 and
 * BT.2020-2 table 4. Stored is zero + span x: x is R, G, B or Y in 0..1, Cb or Cr in
 * -1/2..1/2; limited range has Y = 16..235 and chroma 16..240 in 8 bits, times
 * 2^(n-8) in n. */
typedef struct
{
  double kr, kg, kb; /* of gray and R, G, B too: the luma of a colour */
  double zero[GST_VIDEO_MAX_COMPONENTS];
  double span[GST_VIDEO_MAX_COMPONENTS];
} GstFoveaColor;

/* What caps leave open: BT.601 up to 576 rows and BT.709 above; limited range of
 * Y'CbCr, full of anything else. */
void gst_fovea_color_init (GstFoveaColor *color, const GstVideoInfo *info);

/* R, G, B of 0..1 from components 0, 1, 2 as they are stored, and 1. */
void gst_fovea_color_to_rgb (const GstVideoInfo *info, double rgb[3][4]);
/* The other way: rows of factors of r, g, b in 0..255 and an offset, that make
 * components 0, 1, 2 as they are stored, and alpha. */
void gst_fovea_color_matrix (const GstVideoInfo *info, float matrix[4][4]);

G_END_DECLS
