/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How frames are stored: what the import on the device and its plain C reference
 * share. Private to libgstfovea. */
#pragma once

#include <gst/video/video.h>
#include "gst/video/gstfoveaimport.h"
#include "gst/video/gstfoveaplanes.h"
#include "shaders/import.h"

G_BEGIN_DECLS

/* A frame as it lies in an upload buffer, all of it from GstVideoFormatInfo: a
 * format that is new needs nothing here. */
typedef struct
{
  guint width, height; /* of the picture, as it is stored */
  GstFoveaFraming framing;
  guint turn; /* FV_FRAME_*: from the picture upright to the one stored */
  guint n_components; /* 3, or 1 of gray */
  guint plane[3], offset[3], step[3]; /* of component: bytes in its plane */
  guint sample_bytes;
  guint sub_x, sub_y; /* chroma: pixels per sample, as a shift */
  gboolean site_x, site_y; /* chroma lies on even columns, on even rows */
  guint n_planes;
  GstFoveaPlaneLayout planes[GST_VIDEO_MAX_PLANES];
  gsize size;
  double rgb[3][4]; /* R, G, B of 0..1 from components as stored, and 1 */
} GstFoveaPixels;

/* @framing: (nullable): %NULL for a frame that lies as the caps say */
gboolean gst_fovea_pixels_init (GstFoveaPixels *pixels,
    const GstVideoInfo *info, const GstFoveaFraming *framing, GError **error);
/* The pixel of @frame that an upload begins with. */
void gst_fovea_framing_start (const GstFoveaFraming *framing,
    const GstVideoFrame *frame, guint *x, guint *y);
/* Size of the picture upright. */
void gst_fovea_pixels_upright (const GstFoveaPixels *pixels, guint *width,
    guint *height);
/* Size of the picture upright with square pixels, as letterbox and crop see it. */
void gst_fovea_display_size (const GstVideoInfo *info,
    GstVideoOrientationMethod turn, guint *width, guint *height);
/* FV_FRAME_* of what turns a stored picture upright. */
guint gst_fovea_turn_flags (GstVideoOrientationMethod turn);

G_END_DECLS
