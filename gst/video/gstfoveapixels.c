/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/gstfoveapixels.h"
#include "gst/video/gstfoveacolor.h"
#include "gst/video/gstfoveameta.h"

#include <string.h>

guint
gst_fovea_turn_flags (GstVideoOrientationMethod turn)
{
  switch (turn) {
    case GST_VIDEO_ORIENTATION_90R:
      return FV_FRAME_SWAP | FV_FRAME_MIRROR_Y;
    case GST_VIDEO_ORIENTATION_180:
      return FV_FRAME_MIRROR_X | FV_FRAME_MIRROR_Y;
    case GST_VIDEO_ORIENTATION_90L:
      return FV_FRAME_SWAP | FV_FRAME_MIRROR_X;
    case GST_VIDEO_ORIENTATION_HORIZ:
      return FV_FRAME_MIRROR_X;
    case GST_VIDEO_ORIENTATION_VERT:
      return FV_FRAME_MIRROR_Y;
    case GST_VIDEO_ORIENTATION_UL_LR:
      return FV_FRAME_SWAP;
    case GST_VIDEO_ORIENTATION_UR_LL:
      return FV_FRAME_SWAP | FV_FRAME_MIRROR_X | FV_FRAME_MIRROR_Y;
    default:
      return 0;
  }
}

static void
set_components (GstFoveaPixels *pixels, const GstVideoFormatInfo *format)
{
  gboolean is_gray = GST_VIDEO_FORMAT_INFO_IS_GRAY (format);

  pixels->n_components = is_gray ? 1 : 3;
  pixels->sample_bytes = gst_fovea_planes_sample_bytes (format);
  for (guint c = 0; c < pixels->n_components; c++) {
    pixels->plane[c] = (guint) GST_VIDEO_FORMAT_INFO_PLANE (format, c);
    pixels->offset[c] = gst_fovea_planes_offset (format, c);
    pixels->step[c] = (guint) GST_VIDEO_FORMAT_INFO_PSTRIDE (format, c);
  }
  if (!is_gray) {
    pixels->sub_x = (guint) GST_VIDEO_FORMAT_INFO_W_SUB (format, 1);
    pixels->sub_y = (guint) GST_VIDEO_FORMAT_INFO_H_SUB (format, 1);
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

static gboolean
check_info (const GstVideoInfo *info, GError **error)
{
  GstVideoInterlaceMode mode = GST_VIDEO_INFO_INTERLACE_MODE (info);
  gint width = GST_VIDEO_INFO_WIDTH (info);
  gint height = GST_VIDEO_INFO_HEIGHT (info);

  if (!gst_fovea_planes_take (info->finfo))
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "frames are %s; expected one of " GST_FOVEA_VIDEO_FORMATS,
        GST_VIDEO_INFO_NAME (info));
  else if (width < 1 || height < 1 || width > 32768 || height > 32768)
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "frames are %d x %d pixels; expected 1 to 32768", width, height);
  else if (mode == GST_VIDEO_INTERLACE_MODE_FIELDS
      || mode == GST_VIDEO_INTERLACE_MODE_ALTERNATE)
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "frames are in interlace-mode %s, fields apart; expected progressive, "
        "interleaved or mixed",
        gst_video_interlace_mode_to_string (mode));
  else
    return TRUE;
  return FALSE;
}

gboolean
gst_fovea_pixels_init (GstFoveaPixels *pixels, const GstVideoInfo *info,
    const GstFoveaFraming *framing, GError **error)
{
  GstVideoInfo stored = *info;

  memset (pixels, 0, sizeof *pixels);
  if (!check_info (info, error))
    return FALSE;
  if (framing)
    pixels->framing = *framing;
  pixels->turn = gst_fovea_turn_flags (pixels->framing.turn);
  pixels->width = (guint) GST_VIDEO_INFO_WIDTH (info);
  pixels->height = (guint) GST_VIDEO_INFO_HEIGHT (info);
  GST_VIDEO_INFO_WIDTH (&stored) += (gint) pixels->framing.x;
  GST_VIDEO_INFO_HEIGHT (&stored) += (gint) pixels->framing.y;
  pixels->n_planes =
      gst_fovea_planes_layout (&stored, pixels->planes, &pixels->size);
  set_components (pixels, info->finfo);
  set_siting (pixels, info->chroma_site);
  gst_fovea_color_to_rgb (info, pixels->rgb);
  return TRUE;
}

void
gst_fovea_display_size (const GstVideoInfo *info,
    GstVideoOrientationMethod turn, guint *width, guint *height)
{
  gint n = MAX (GST_VIDEO_INFO_PAR_N (info), 1);
  gint d = MAX (GST_VIDEO_INFO_PAR_D (info), 1);
  double wide = (double) GST_VIDEO_INFO_WIDTH (info) * n / d;
  guint size[2] = { (guint) CLAMP (wide + 0.5, 1, 1 << 20),
    (guint) GST_VIDEO_INFO_HEIGHT (info) };
  gboolean is_swapped = (gst_fovea_turn_flags (turn) & FV_FRAME_SWAP) != 0;

  *width = size[is_swapped];
  *height = size[!is_swapped];
}

gboolean
gst_fovea_framing_init (GstFoveaFraming *framing, const GstVideoInfo *info,
    const GstVideoFrame *frame, GError **error)
{
  const GstVideoFormatInfo *format = info->finfo;
  GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta (frame->buffer);
  guint width = (guint) GST_VIDEO_INFO_WIDTH (info);
  guint height = (guint) GST_VIDEO_INFO_HEIGHT (info);
  guint all_width = (guint) GST_VIDEO_FRAME_WIDTH (frame);
  guint all_height = (guint) GST_VIDEO_FRAME_HEIGHT (frame);
  guint x = crop ? crop->x : 0, y = crop ? crop->y : 0;
  gboolean is_chroma_shared = GST_VIDEO_INFO_IS_YUV (info);

  if (crop && (crop->width != width || crop->height != height)) {
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "a buffer's crop meta is of %u x %u pixels; expected %u x %u, the size "
        "in the caps",
        crop->width, crop->height, width, height);
    return FALSE;
  }
  if (GST_VIDEO_FRAME_FORMAT (frame) != GST_VIDEO_INFO_FORMAT (info)
      || (!crop && (all_width != width || all_height != height))
      || x > all_width || width > all_width - x || y > all_height
      || height > all_height - y) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "a buffer's video meta does not fit the caps: expected %s with %ux%u "
        "from (%u, %u) on, got %s %ux%u",
        GST_VIDEO_INFO_NAME (info), width, height, x, y,
        gst_video_format_to_string (GST_VIDEO_FRAME_FORMAT (frame)), all_width,
        all_height);
    return FALSE;
  }
  framing->is_interlaced = GST_VIDEO_INFO_IS_INTERLACED (info)
      && GST_VIDEO_FRAME_IS_INTERLACED (frame);
  framing->x = framing->y = 0;
  if (is_chroma_shared) {
    framing->x = x & ((1u << GST_VIDEO_FORMAT_INFO_W_SUB (format, 1)) - 1);
    framing->y = y
        & ((1u << (GST_VIDEO_FORMAT_INFO_H_SUB (format, 1)
                + framing->is_interlaced))
            - 1);
  }
  return TRUE;
}

void
gst_fovea_framing_start (const GstFoveaFraming *framing,
    const GstVideoFrame *frame, guint *x, guint *y)
{
  GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta (frame->buffer);

  *x = (crop ? crop->x : 0) - framing->x;
  *y = (crop ? crop->y : 0) - framing->y;
}

void
gst_fovea_pixels_upright (const GstFoveaPixels *pixels, guint *width,
    guint *height)
{
  gboolean is_swapped = (pixels->turn & FV_FRAME_SWAP) != 0;

  *width = is_swapped ? pixels->height : pixels->width;
  *height = is_swapped ? pixels->width : pixels->height;
}
