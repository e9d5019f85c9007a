/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The planes of a frame as GstVideoFormatInfo describes them, and their way to and
 * from the device. */
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

/* Whether frames of @format are taken: those of GST_FOVEA_VIDEO_FORMATS. Every one
 * of them has samples of 8 bits or of 16, little endian, at most 4 bytes apart. */
gboolean gst_fovea_planes_take (const GstVideoFormatInfo *format);
/* Bytes of a sample: 1 or 2. */
guint gst_fovea_planes_sample_bytes (const GstVideoFormatInfo *format);
/* Bytes from where a pixel or pair of them begins in its plane to the component.
 * GStreamer up to 1.22 at least counts that of P010's V in samples. */
guint
gst_fovea_planes_offset (const GstVideoFormatInfo *format, guint component);
/* The planes of @info; 0 for a format that is not taken. @size: (out): bytes of
 * the device's copy. */
guint gst_fovea_planes_layout (const GstVideoInfo *info,
    GstFoveaPlaneLayout layouts[GST_VIDEO_MAX_PLANES], gsize *size);
/* Between @frame, from its pixel (@x, @y) on, where groups of all planes begin, and
 * the device's copy. */
void gst_fovea_planes_read (const GstVideoFrame *frame, guint x, guint y,
    const GstFoveaPlaneLayout *layouts, guint n, guint8 *memory);
void gst_fovea_planes_write (GstVideoFrame *frame, guint x, guint y,
    const GstFoveaPlaneLayout *layouts, guint n, const guint8 *memory);

/* For a receiver that takes plain strides only, while GstVideoMeta was offered in
 * its name: @buffer (transfer full), or a copy of it. (transfer full) */
GstBuffer *
gst_fovea_planes_make_plain (const GstVideoInfo *info, GstBuffer *buffer);

G_END_DECLS
