/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The planes of a frame as blend.comp sees them, and their way to the device. */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

/* How the bytes of a plane stand for pixels: see shaders/blend.comp. */
typedef struct
{
  guint group_bytes, group_pixels, wide, second, rows;
  guint32 components;
  guint row_bytes, n_rows;
  gsize offset, stride; /* bytes, multiples of 4, in the device's copy */
} GstFoveaPlaneLayout;

/* The planes of @info; 0 for a format that we do not draw on. @size: (out): bytes
 * of the device's copy. */
guint gst_fovea_planes_layout (const GstVideoInfo *info,
    GstFoveaPlaneLayout layouts[GST_VIDEO_MAX_PLANES], gsize *size);
void gst_fovea_planes_read (const GstVideoFrame *frame,
    const GstFoveaPlaneLayout *layouts, guint n, guint8 *memory);
void gst_fovea_planes_write (GstVideoFrame *frame,
    const GstFoveaPlaneLayout *layouts, guint n, const guint8 *memory);

G_END_DECLS
