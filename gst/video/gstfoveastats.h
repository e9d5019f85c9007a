/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the property `stats` reads: counters, and percentiles over the last
 * frames. Private to the base class, which locks. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_FOVEA_STATS_WINDOW 256 /* frames that percentiles look back on */

typedef struct
{
  guint n; /* ever added */
  float ring[GST_FOVEA_STATS_WINDOW];
} GstFoveaTimes;

typedef struct
{
  guint64 frames_in, frames_out, inferred, skipped, dropped;
  guint64 bytes_uploaded, bytes_downloaded;
  GstFoveaTimes gpu, host, wall; /* milliseconds */
} GstFoveaStats;

void gst_fovea_times_add (GstFoveaTimes *times, double milliseconds);
/* @share in 0..1: 0.95 gives the p95; 0 while nothing was added */
double gst_fovea_times_percentile (const GstFoveaTimes *times, double share);

/* The structure "fovea-stats". (transfer full) */
GstStructure *gst_fovea_stats_to_structure (const GstFoveaStats *stats,
    guint64 memory_bytes, const char *device, const char *path);

G_END_DECLS
