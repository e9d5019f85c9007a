/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Draws results over a frame on the device. */
#pragma once

#include "gst/video/gstfoveamemory.h"
#include "gst/video/gstfoveameta.h"
#include "gst/video/gstfoveapalette.h"

G_BEGIN_DECLS

typedef enum
{
  GST_FOVEA_DRAW_MASK = 1 << 0,
  GST_FOVEA_DRAW_DEPTH = 1 << 1,
  GST_FOVEA_DRAW_BOXES = 1 << 2,
  GST_FOVEA_DRAW_LABELS = 1 << 3,
} GstFoveaDrawFlags;

#define GST_TYPE_FOVEA_DRAW_FLAGS (gst_fovea_draw_flags_get_type ())
FV_API GType gst_fovea_draw_flags_get_type (void);

/* Where depth is drawn. */
typedef enum
{
  GST_FOVEA_DEPTH_INSET_NONE, /* over the frame */
  GST_FOVEA_DEPTH_INSET_TOP_LEFT, /* as a small picture in that corner */
  GST_FOVEA_DEPTH_INSET_TOP_RIGHT,
  GST_FOVEA_DEPTH_INSET_BOTTOM_LEFT,
  GST_FOVEA_DEPTH_INSET_BOTTOM_RIGHT,
} GstFoveaDepthInset;

#define GST_TYPE_FOVEA_DEPTH_INSET (gst_fovea_depth_inset_get_type ())
FV_API GType gst_fovea_depth_inset_get_type (void);

/* A range of depth: fixed, or adapting slowly to what is seen. */
typedef struct
{
  gboolean is_fixed;
  double low, high; /* valid when is_fixed or once seen */
  gboolean is_known;
  GstClockTime last; /* of the frame last seen */
} GstFoveaDepthRange;

/* Takes the 2nd and 98th percentile of @values (NaN: none there; reordered) in,
 * with a time constant of a second of the stream; jumps at the first frame and
 * after a gap. Does nothing to a fixed range. */
FV_API void gst_fovea_depth_range_adapt (GstFoveaDepthRange *range,
    float *values, guint n, GstClockTime pts);

/* How to draw; may change from frame to frame. */
typedef struct
{
  GstFoveaDrawFlags flags;
  gboolean is_by_class; /* masks and boxes of things have their class's colour,
                           not each its own */
  double alpha; /* of masks and depth, 0..1; an inset hides what is behind it */
  GstFoveaDepthInset depth_inset;
  double threshold; /* boxes with a lower confidence are not drawn */
  guint32 palette[GST_FOVEA_PALETTE_SIZE];
  guint32 colormap[256];
  guint line_width; /* pixels; 0: by the size of the frame */
  const char *font; /* as Pango has it; without a size: by that of the frame */
  const char *source; /* (nullable) as in gst_fovea_producer_matches() */
} GstFoveaDrawStyle;

/**
 * GstFoveaDraw:
 *
 * Paints masks, depth, boxes and texts on frames of one format.
 *
 * Life:    gst_fovea_draw_new() per caps; gst_fovea_draw_run() per frame; free.
 * Shapes:  GST_FOVEA_VIDEO_FORMATS, any size and stride, part of a larger frame
 *          (GstVideoCropMeta), interlaced. Pixels on which nothing is drawn stay as they are.
 * Memory:  made in new, and once for each different buffer that maps lie in;
 *          maps on the same device are read in place, others are uploaded.
 * Threads: one at a time.
 * Errors:  FV_ERROR_UNSUPPORTED (format), FV_ERROR_TOO_LARGE, FV_ERROR_DEVICE.
 */
typedef struct _GstFoveaDraw GstFoveaDraw;

/* @transparent: the result is RGBA with what is drawn and nothing else; @info is
 * the output's then. */
FV_API GstFoveaDraw *gst_fovea_draw_new (FvDevice *device,
    const GstVideoInfo *info, gboolean transparent, GError **error);
FV_API void gst_fovea_draw_free (GstFoveaDraw *draw); /* %NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstFoveaDraw, gst_fovea_draw_free)

/* Whether @buffer carries anything that @style draws. */
FV_API gboolean gst_fovea_draw_has_work (const GstFoveaDrawStyle *style,
    GstBuffer *buffer);
/* Draws the results of @buffer on @frame, which is mapped for reading and writing
 * (transparent: for writing, and all of it is written). */
FV_API gboolean gst_fovea_draw_run (GstFoveaDraw *draw,
    const GstFoveaDrawStyle *style, GstFoveaDepthRange *range,
    GstBuffer *buffer, GstVideoFrame *frame, GError **error);

G_END_DECLS
