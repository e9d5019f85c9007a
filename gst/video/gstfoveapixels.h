/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How frames are stored, and how they are resized: what the import on the device
 * and its plain C reference share. Private to libgstfovea. */
#pragma once

#include <gst/video/video.h>
#include "gst/card/card.h"
#include "shaders/import.h"

G_BEGIN_DECLS

/* A frame as it lies in an upload buffer. */
typedef struct
{
  guint kind; /* FV_IMPORT_* */
  guint chroma_step;
  gboolean site_x, site_y; /* chroma lies on even columns, on even rows */
  guint width, height;
  guint n_planes; /* as stored by us: components of planar formats */
  guint component[3]; /* of GstVideoFrame that plane starts with */
  gsize offset[3], stride[3], row_bytes[3]; /* bytes */
  guint rows[3];
  gsize size;
  double rgb[3][4]; /* R, G, B of 0..1 from the bytes (or Y, U, V) and 1 */
} GstFoveaPixels;

gboolean gst_fovea_pixels_init (GstFoveaPixels *pixels,
    const GstVideoInfo *info, GError **error);

/* The filter's taps for one position of the input, along one axis. */
typedef struct
{
  guint frame_size; /* pixels of the frame along the axis */
  gint start, size; /* of the frame in the input (FvFrameMap) */
  FvFilter filter;
  gboolean antialias;
} GstFoveaAxis;

/* Most taps that any position of the axis has. */
guint gst_fovea_axis_taps (const GstFoveaAxis *axis);
/* Weights of frame pixels *@first and on for pixel @position of the input, into
 * @weights, which has room for gst_fovea_axis_taps(). Their sum is 1. Returns how
 * many; 0 outside of the frame. */
guint gst_fovea_axis_weights (const GstFoveaAxis *axis, guint position,
    guint *first, double *weights);

G_END_DECLS
