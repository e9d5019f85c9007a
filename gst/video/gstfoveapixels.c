/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/gstfoveapixels.h"

#include <math.h>
#include <string.h>

static gboolean
set_kind (GstFoveaPixels *pixels, GstVideoFormat format)
{
  pixels->chroma_step = 1;
  switch (format) {
    case GST_VIDEO_FORMAT_GRAY8:
      pixels->kind = FV_IMPORT_GRAY;
      return TRUE;
    case GST_VIDEO_FORMAT_RGB:
    case GST_VIDEO_FORMAT_BGR:
      pixels->kind = FV_IMPORT_BYTES3;
      return TRUE;
    case GST_VIDEO_FORMAT_RGBA:
    case GST_VIDEO_FORMAT_BGRA:
    case GST_VIDEO_FORMAT_RGBx:
    case GST_VIDEO_FORMAT_BGRx:
      pixels->kind = FV_IMPORT_BYTES4;
      return TRUE;
    case GST_VIDEO_FORMAT_YUY2:
      pixels->kind = FV_IMPORT_YUYV;
      return TRUE;
    case GST_VIDEO_FORMAT_UYVY:
      pixels->kind = FV_IMPORT_UYVY;
      return TRUE;
    case GST_VIDEO_FORMAT_NV12:
      pixels->chroma_step = 2;
      pixels->kind = FV_IMPORT_420;
      return TRUE;
    case GST_VIDEO_FORMAT_I420:
    case GST_VIDEO_FORMAT_YV12:
      pixels->kind = FV_IMPORT_420;
      return TRUE;
    default:
      return FALSE;
  }
}

static void
add_plane (GstFoveaPixels *pixels, guint component, gsize row_bytes, guint rows)
{
  guint i = pixels->n_planes++;

  pixels->component[i] = component;
  pixels->row_bytes[i] = row_bytes;
  pixels->rows[i] = rows;
  pixels->stride[i] = (row_bytes + 3) & ~(gsize) 3;
  pixels->offset[i] = pixels->size;
  pixels->size += pixels->stride[i] * rows;
}

static void
set_planes (GstFoveaPixels *pixels)
{
  gsize width = pixels->width, pairs = (width + 1) / 2;
  guint rows = pixels->height, half = (rows + 1) / 2;

  switch (pixels->kind) {
    case FV_IMPORT_GRAY:
      add_plane (pixels, 0, width, rows);
      break;
    case FV_IMPORT_BYTES3:
      add_plane (pixels, 0, 3 * width, rows);
      break;
    case FV_IMPORT_BYTES4:
      add_plane (pixels, 0, 4 * width, rows);
      break;
    case FV_IMPORT_YUYV:
    case FV_IMPORT_UYVY:
      add_plane (pixels, 0, 4 * pairs, rows);
      break;
    default:
      add_plane (pixels, 0, width, rows);
      add_plane (pixels, 1, pixels->chroma_step * pairs, half);
      if (pixels->chroma_step == 1)
        add_plane (pixels, 2, pairs, half);
  }
}

/* Caps that do not say it mean MPEG-2's siting, left and between the rows. */
static void
set_siting (GstFoveaPixels *pixels, GstVideoChromaSite site)
{
  if (site == GST_VIDEO_CHROMA_SITE_UNKNOWN)
    site = GST_VIDEO_CHROMA_SITE_MPEG2;
  pixels->site_x = (site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0;
  pixels->site_y = (site & GST_VIDEO_CHROMA_SITE_V_COSITED) != 0;
}

/* R = Y + 2 (1 - Kr) Cr; B = Y + 2 (1 - Kb) Cb; Y = Kr R + Kg G + Kb B */
static void
set_yuv (GstFoveaPixels *pixels, const GstVideoInfo *info)
{
  gboolean is_full = info->colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
  double luma = is_full ? 255 : 219, chroma = is_full ? 255 : 224;
  double zero = is_full ? 0 : 16, kr, kb;

  if (!gst_video_color_matrix_get_Kr_Kb (info->colorimetry.matrix, &kr, &kb))
    gst_video_color_matrix_get_Kr_Kb (info->height > 576
            ? GST_VIDEO_COLOR_MATRIX_BT709
            : GST_VIDEO_COLOR_MATRIX_BT601,
        &kr, &kb);
  double kg = 1 - kr - kb;
  double cb[3] = { 0, -2 * kb * (1 - kb) / kg, 2 * (1 - kb) };
  double cr[3] = { 2 * (1 - kr), -2 * kr * (1 - kr) / kg, 0 };
  for (guint c = 0; c < 3; c++) {
    pixels->rgb[c][0] = 1 / luma;
    pixels->rgb[c][1] = cb[c] / chroma;
    pixels->rgb[c][2] = cr[c] / chroma;
    pixels->rgb[c][3] = -zero / luma - 128 * (cb[c] + cr[c]) / chroma;
  }
}

static void
set_rgb (GstFoveaPixels *pixels, const GstVideoInfo *info)
{
  gboolean is_limited = info->colorimetry.range == GST_VIDEO_COLOR_RANGE_16_235;
  double span = is_limited ? 219 : 255;

  for (guint c = 0; c < 3; c++) {
    guint byte = pixels->kind == FV_IMPORT_GRAY
        ? 0
        : (guint) GST_VIDEO_INFO_COMP_POFFSET (info, c);
    pixels->rgb[c][byte] = 1 / span;
    pixels->rgb[c][3] = is_limited ? -16 / span : 0;
  }
}

gboolean
gst_fovea_pixels_init (GstFoveaPixels *pixels, const GstVideoInfo *info,
    GError **error)
{
  memset (pixels, 0, sizeof *pixels);
  pixels->width = (guint) GST_VIDEO_INFO_WIDTH (info);
  pixels->height = (guint) GST_VIDEO_INFO_HEIGHT (info);
  if (!set_kind (pixels, GST_VIDEO_INFO_FORMAT (info))) {
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "frames are %s; expected NV12, I420, YV12, YUY2, UYVY, GRAY8, RGB, "
        "BGR, RGBA, BGRA, RGBx or BGRx",
        GST_VIDEO_INFO_NAME (info));
    return FALSE;
  }
  if (!pixels->width || !pixels->height || pixels->width > 32768
      || pixels->height > 32768) {
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "frames are %u x %u pixels; expected 1 to 32768", pixels->width,
        pixels->height);
    return FALSE;
  }
  set_planes (pixels);
  set_siting (pixels, info->chroma_site);
  if (GST_VIDEO_INFO_IS_YUV (info))
    set_yuv (pixels, info);
  else
    set_rgb (pixels, info);
  return TRUE;
}

static double
half_width (FvFilter filter)
{
  switch (filter) {
    case FV_FILTER_NEAREST:
    case FV_FILTER_BOX:
      return 0.5;
    case FV_FILTER_BICUBIC:
      return 2;
    case FV_FILTER_LANCZOS:
      return 3;
    case FV_FILTER_BILINEAR:
      break;
  }
  return 1;
}

/* Keys' cubic: -0.5 is Pillow's and that of PyTorch's antialias, -0.75 the one
 * that PyTorch and OpenCV use else. */
static double
cubic (double x, double a)
{
  if (x < 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static double
sinc (double x)
{
  return x == 0 ? 1 : sin (G_PI * x) / (G_PI * x);
}

static double
filter_at (const GstFoveaAxis *axis, double x)
{
  double distance = fabs (x);

  switch (axis->filter) {
    case FV_FILTER_NEAREST:
    case FV_FILTER_BOX:
      /* one side of the box is open, so that a pixel counts once */
      return x > -0.5 && x <= 0.5;
    case FV_FILTER_BICUBIC:
      return cubic (distance, axis->antialias ? -0.5 : -0.75);
    case FV_FILTER_LANCZOS:
      return distance < 3 ? sinc (distance) * sinc (distance / 3) : 0;
    case FV_FILTER_BILINEAR:
      break;
  }
  return MAX (1 - distance, 0);
}

/* Frame pixels per pixel of the input, and how far the filter is widened. */
static double
axis_scale (const GstFoveaAxis *axis, double *widening)
{
  double scale = (double) axis->frame_size / axis->size;

  *widening =
      axis->antialias && axis->filter != FV_FILTER_NEAREST ? MAX (scale, 1) : 1;
  return scale;
}

guint
gst_fovea_axis_taps (const GstFoveaAxis *axis)
{
  double widening;

  axis_scale (axis, &widening);
  double taps = ceil (2 * half_width (axis->filter) * widening);
  return (guint) CLAMP (taps, 1, axis->frame_size);
}

guint
gst_fovea_axis_weights (const GstFoveaAxis *axis, guint position, guint *first,
    double *weights)
{
  double widening, scale = axis_scale (axis, &widening), sum = 0;
  gint at = (gint) position - axis->start, last = (gint) axis->frame_size - 1;

  *first = 0;
  if (at < 0 || at >= axis->size)
    return 0;
  double centre = (at + 0.5) * scale; /* in pixels of the frame, edges whole */
  if (axis->filter == FV_FILTER_NEAREST) {
    *first = (guint) CLAMP ((gint) floor (centre), 0, last);
    weights[0] = 1;
    return 1;
  }
  double reach = half_width (axis->filter) * widening;
  gint low = (gint) floor (centre - reach + 0.5);
  gint high = (gint) floor (centre + reach + 0.5); /* one past the last */
  gint n, start = CLAMP (low, 0, last), end = CLAMP (high - 1, start, last);
  n = end - start + 1;
  memset (weights, 0, (gsize) n * sizeof *weights);
  for (gint i = low; i < high; i++) {
    double weight = filter_at (axis, (i + 0.5 - centre) / widening);
    /* Behind the edge: an antialiasing filter is cut off there, any other sees
     * the edge's pixel repeated. */
    if (axis->antialias && (i < 0 || i > last))
      continue;
    weights[CLAMP (i, start, end) - start] += weight;
    sum += weight;
  }
  for (gint i = 0; i < n; i++)
    weights[i] /= sum;
  *first = (guint) start;
  return (guint) n;
}
