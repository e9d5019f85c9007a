/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fovea: the results of a frame as a line of JSON. */
#pragma once

#include "gst/video/gstfoveameta.h"

G_BEGIN_DECLS

/* What the line says besides the results; zero leaves a key out. */
typedef struct
{
  const char *stream; /* (nullable) "source" */
  GstClockTime timestamp; /* stream time; GST_CLOCK_TIME_NONE: none */
  GstClockTime latency; /* GST_CLOCK_TIME_NONE: not known */
} GstFoveaReportContext;

/* One object and a line feed. Keys are those of DL Streamer's gvametaconvert, and
 * besides: "pts" (ns), "producer" in each object, "classes" of an object with
 * several, "track_id" and "occlusion" of true boxes, "segmentation" {width, height, classes [{id, label, area}]} with areas
 * in pixels of the frame, "depth" {width, height, min, max, mean, unit, known}
 * and "result_age_frames". @source as in gst_fovea_producer_matches(). Maps are
 * brought to the host. (transfer full) */
FV_API char *gst_fovea_report (GstBuffer *buffer, const GstVideoInfo *info,
    const char *source, const GstFoveaReportContext *context);

G_END_DECLS
