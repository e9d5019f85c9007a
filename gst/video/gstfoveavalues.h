/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fovea: results as numbers in a picture. */
#pragma once

#include "gst/video/gstfoveadraw.h"

G_BEGIN_DECLS

typedef enum
{
  GST_FOVEA_VALUES_IDS, /* of classes; the highest number: no class */
  GST_FOVEA_VALUES_INSTANCES, /* numbers of things; 0: none */
  GST_FOVEA_VALUES_MATTE, /* 0 background to 255 */
  GST_FOVEA_VALUES_DEPTH, /* millimetres, or spread over @range; 0: none */
} GstFoveaValues;

typedef struct
{
  GstFoveaValues kind;
  const char *source; /* (nullable): as in gst_fovea_producer_matches() */
  const char *const
      *classes; /* (nullable): labels and ids of what a matte is made
                                 of; NULL: all but the background */
} GstFoveaValuesWish;

/* Fills @frame (GRAY8 or GRAY16_LE) with the result of @buffer that is wished for,
 * scaled to it; with what means none where there is no such result or it is of
 * another frame size. @range: of depth without a unit, which adapts. @unknown:
 * (out): a class that the result does not know, or NULL. FALSE when the result
 * cannot be brought to the host. */
FV_API gboolean gst_fovea_values_fill (const GstFoveaValuesWish *wish,
    GstBuffer *buffer, GstFoveaDepthRange *range, GstVideoFrame *frame,
    const char **unknown);

G_END_DECLS
