/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/gstfoveacolor.h"

#include <string.h>

void
gst_fovea_color_init (GstFoveaColor *color, const GstVideoInfo *info)
{
  gint offset[GST_VIDEO_MAX_COMPONENTS], scale[GST_VIDEO_MAX_COMPONENTS];
  GstVideoColorRange range = info->colorimetry.range;

  if (!gst_video_color_matrix_get_Kr_Kb (info->colorimetry.matrix, &color->kr,
          &color->kb))
    gst_video_color_matrix_get_Kr_Kb (info->height > 576
            ? GST_VIDEO_COLOR_MATRIX_BT709
            : GST_VIDEO_COLOR_MATRIX_BT601,
        &color->kr, &color->kb);
  color->kg = 1 - color->kr - color->kb;
  if (range == GST_VIDEO_COLOR_RANGE_UNKNOWN)
    range = GST_VIDEO_INFO_IS_YUV (info) ? GST_VIDEO_COLOR_RANGE_16_235
                                         : GST_VIDEO_COLOR_RANGE_0_255;
  gst_video_color_range_offsets (range, info->finfo, offset, scale);
  for (guint c = 0; c < GST_VIDEO_MAX_COMPONENTS; c++) {
    guint shift = c < GST_VIDEO_INFO_N_COMPONENTS (info)
        ? GST_VIDEO_FORMAT_INFO_SHIFT (info->finfo, c)
        : 0;

    color->zero[c] = (double) offset[c] * (1 << shift);
    color->span[c] = (double) scale[c] * (1 << shift);
  }
}

/* R = Y + 2 (1 - Kr) Cr; B = Y + 2 (1 - Kb) Cb; G from Y = Kr R + Kg G + Kb B */
static void
ycbcr_to_rgb (const GstFoveaColor *color, double rgb[3][4])
{
  double kr = color->kr, kg = color->kg, kb = color->kb;
  const double from[3][3] = {
    { 1, 0, 2 * (1 - kr) },
    { 1, -2 * kb * (1 - kb) / kg, -2 * kr * (1 - kr) / kg },
    { 1, 2 * (1 - kb), 0 },
  };

  for (guint c = 0; c < 3; c++)
    for (guint i = 0; i < 3; i++) {
      rgb[c][i] = from[c][i] / color->span[i];
      rgb[c][3] -= from[c][i] * color->zero[i] / color->span[i];
    }
}

void
gst_fovea_color_to_rgb (const GstVideoInfo *info, double rgb[3][4])
{
  GstFoveaColor color;

  gst_fovea_color_init (&color, info);
  memset (rgb, 0, 3 * sizeof *rgb);
  if (GST_VIDEO_INFO_IS_YUV (info)) {
    ycbcr_to_rgb (&color, rgb);
    return;
  }
  for (guint c = 0; c < 3; c++) {
    guint from = GST_VIDEO_INFO_IS_GRAY (info) ? 0 : c;

    rgb[c][from] = 1 / color.span[from];
    rgb[c][3] = -color.zero[from] / color.span[from];
  }
}

static void
set_row (float row[4], const double factors[3], double zero, double span)
{
  for (guint i = 0; i < 3; i++)
    row[i] = (float) (factors[i] * span / 255);
  row[3] = (float) zero;
}

void
gst_fovea_color_matrix (const GstVideoInfo *info, float matrix[4][4])
{
  static const double nothing[3] = { 0, 0, 0 };
  GstFoveaColor color;

  gst_fovea_color_init (&color, info);
  double kr = color.kr, kg = color.kg, kb = color.kb;
  double u = 1 / (2 * (1 - kb)), v = 1 / (2 * (1 - kr));
  const double ycbcr[3][3] = {
    { kr, kg, kb },
    { -u * kr, -u * kg, u * (1 - kb) },
    { v * (1 - kr), -v * kg, -v * kb },
  };
  for (guint c = 0; c < 3; c++) {
    double factors[3] = { c == 0, c == 1, c == 2 };

    set_row (matrix[c], GST_VIDEO_INFO_IS_RGB (info) ? factors : ycbcr[c],
        color.zero[c], color.span[c]);
  }
  /* alpha is opaque, whatever the range of colours */
  set_row (matrix[3], nothing, 255, 0);
}
