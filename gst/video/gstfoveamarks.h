/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Boxes and texts as rectangles, sorted into the tiles of the frame. */
#pragma once

#include "gst/video/gstfoveadraw.h"
#include "gst/video/gstfovealabels.h"

G_BEGIN_DECLS

/* Rectangles of one frame; those behind lie on top. */
#define GST_FOVEA_MAX_MARKS 8192

typedef struct
{
  gint x0, y0, x1, y1; /* pixels, clipped to the frame; x1, y1 lie outside */
  guint32 color, ink; /* 0xRRGGBB */
  float alpha;
  gint text; /* first byte in the atlas; -1: none */
  guint stride;
} GstFoveaMark;

/* Width of lines, pixels. */
guint gst_fovea_marks_line (const GstFoveaDrawStyle *style, guint frame_width,
    guint frame_height);

/* Replaces @marks by those of the regions on @buffer. */
void gst_fovea_marks_collect (GArray *marks, GstFoveaLabels *labels,
    const GstFoveaDrawStyle *style, GstBuffer *buffer, guint frame_width,
    guint frame_height);

/* Tiles of a frame, in a row and in all. */
guint gst_fovea_marks_tiles (guint width, guint height, guint *row);
/* vec4s that a scene needs for the lists of that many tiles and for all marks. */
gsize gst_fovea_marks_room (guint n_tiles);
/* Writes the lists and the marks into the scene, see shaders/scene.h. Where the
 * lists have no room for all, the undermost marks are left out. Returns how many
 * were drawn. */
guint gst_fovea_marks_write (const GArray *marks, float *scene, guint width,
    guint height);

G_END_DECLS
