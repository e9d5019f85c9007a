/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Planes of results on the host: rows scaled to the frame, and statistics. */
#pragma once

#include "gst/video/gstfoveameta.h"

G_BEGIN_DECLS

/* A plane while it is mapped. */
typedef struct
{
  const GstFoveaPlane *plane;
  GstMapInfo map;
} GstFoveaView;

/* Brings the plane to the host, waiting for the device where it must. */
FV_API gboolean gst_fovea_view_map (GstFoveaView *view,
    const GstFoveaPlane *plane);
FV_API void gst_fovea_view_unmap (GstFoveaView *view);
/* Element (x, y) of the plane, inside of it. */
FV_API float gst_fovea_view_get (const GstFoveaView *view, guint x, guint y);
/* Row @y of the frame, @frame->width values: NaN outside of the region. The
 * nearest element, or between four where @linear and the sizes differ. */
FV_API void gst_fovea_view_row (const GstFoveaView *view,
    const GstFoveaFrame *frame, guint y, gboolean linear, float *row);

/* Elements of each id below @n_counts; others are not counted. */
FV_API void gst_fovea_view_count (const GstFoveaView *view, guint64 *counts,
    guint n_counts);

typedef struct
{
  guint64
      n_known; /* finite values, and not 0 where @zero_is_known is not set */
  double minimum, maximum, mean; /* 0 when there is none */
} GstFoveaStatistics;
FV_API void gst_fovea_view_statistics (const GstFoveaView *view,
    gboolean zero_is_known, GstFoveaStatistics *statistics);

G_END_DECLS
