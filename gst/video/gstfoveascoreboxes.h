/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The boxes of gstfoveascore.h. */
#pragma once

#include "gst/video/gstfoveascore.h"

G_BEGIN_DECLS

typedef struct _GstFoveaBoxScore GstFoveaBoxScore;

GstFoveaBoxScore *gst_fovea_box_score_new (void);
void gst_fovea_box_score_free (GstFoveaBoxScore *score);
void gst_fovea_box_score_add (GstFoveaBoxScore *score, GstBuffer *buffer,
    const char *source, guint width, guint height,
    const GstFoveaScoreLimits *limits);
/* Sets the fields of boxes, if there were any. */
void
gst_fovea_box_score_get (const GstFoveaBoxScore *score, GstStructure *result);

G_END_DECLS
