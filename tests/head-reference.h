/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The heads in plain C over row-major arrays, in doubles: slow and obviously
 * right. */
#pragma once

#include "gst/video/gstfoveahead.h"

G_BEGIN_DECLS

/* The best @k classes, as GstFoveaClass. (transfer full) */
GArray *
reference_classify (const FvCardHead *head, FvArray *const *outputs, guint k);
/* All boxes that reach @threshold, before limits, suppression and clipping, in
 * pixels of the frame, in the order of candidates; GstFoveaBox. (transfer full) */
GArray *reference_detect (const FvCardHead *head, FvArray *const *outputs,
    const FvFrameMap *map, double threshold);
/* Value of channel @c (or of the one there is) over a pixel of the frame. */
double reference_sample (FvArray *values, gint channel_axis, guint c,
    const FvFrameMap *map, guint x, guint y);
/* How surely a pixel is the foreground of a mask from one map, or not the
 * background of two: 0 to 1. */
double reference_probability (const FvCardHead *head, FvArray *values,
    const FvFrameMap *map, guint x, guint y);
guint reference_channels (FvArray *values, gint channel_axis);

G_END_DECLS
