/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results over the picture upright, as the model saw it -> over the picture as it
 * is stored in the frame. Private to libgstfovea. */
#pragma once

#include <gst/video/video.h>
#include "gst/video/gstfoveahead.h"

G_BEGIN_DECLS

/* Puts a map, and what goes with it, into memory of its own that @program fills.
 * @turn: as FV_FRAME_*; *@to: (out): owns a reference to its buffer. */
gboolean gst_fovea_turn_map (FvDevice *device, FvProgram *program, guint turn,
    const GstFoveaHeadMap *from, GstFoveaHeadMap *to, GError **error);

/* @box: of a picture that is @width x @height as it is stored */
void
gst_fovea_turn_box (guint turn, guint width, guint height, GstFoveaBox *box);

/* How pictures are to be turned that carry this meta: %GST_VIDEO_ORIENTATION_AUTO
 * for a matrix that is no quarter turn, with or without a mirror. */
GstVideoOrientationMethod
gst_fovea_turn_from_matrix (const GstVideoAffineTransformationMeta *meta);

G_END_DECLS
