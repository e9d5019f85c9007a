/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/gstfoveastats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void
gst_fovea_times_add (GstFoveaTimes *times, double milliseconds)
{
  times->ring[times->n % GST_FOVEA_STATS_WINDOW] = (float) milliseconds;
  times->n++;
  /* stays in the upper half, so that a full window remains known as full */
  if (times->n == 2 * GST_FOVEA_STATS_WINDOW)
    times->n = GST_FOVEA_STATS_WINDOW;
}

static int
compare_times (const void *a, const void *b)
{
  float x = *(const float *) a;
  float y = *(const float *) b;

  return (x > y) - (x < y);
}

double
gst_fovea_times_percentile (const GstFoveaTimes *times, double share)
{
  float sorted[GST_FOVEA_STATS_WINDOW];
  guint n = MIN (times->n, GST_FOVEA_STATS_WINDOW);
  guint rank;

  if (n == 0)
    return 0.0;
  memcpy (sorted, times->ring, n * sizeof *sorted);
  qsort (sorted, n, sizeof *sorted, compare_times);
  /* nearest rank: the smallest value that so many of all do not exceed */
  rank = (guint) ceil (share * n);
  return sorted[CLAMP (rank, 1, n) - 1];
}

GstStructure *
gst_fovea_stats_to_structure (const GstFoveaStats *stats, guint64 memory_bytes,
    const char *device, const char *path)
{
  guint in_flight = (guint) (stats->frames_in - stats->inferred - stats->skipped
      - stats->dropped);
  GstStructure *structure = gst_structure_new ("fovea-stats", "frames-in",
      G_TYPE_UINT64, stats->frames_in, "frames-out", G_TYPE_UINT64,
      stats->frames_out, "inferred", G_TYPE_UINT64, stats->inferred, "skipped",
      G_TYPE_UINT64, stats->skipped, "dropped", G_TYPE_UINT64, stats->dropped,
      "in-flight", G_TYPE_UINT, in_flight, "bytes-uploaded", G_TYPE_UINT64,
      stats->bytes_uploaded, "bytes-downloaded", G_TYPE_UINT64,
      stats->bytes_downloaded, "memory-bytes", G_TYPE_UINT64, memory_bytes,
      "device", G_TYPE_STRING, device, "path", G_TYPE_STRING, path, NULL);
  static const struct
  {
    const char *suffix;
    double share;
  } ranks[] = { { "p50", 0.50 }, { "p95", 0.95 }, { "p99", 0.99 } };

  for (guint i = 0; i < G_N_ELEMENTS (ranks); i++) {
    char name[16];

    g_snprintf (name, sizeof name, "gpu-ms-%s", ranks[i].suffix);
    gst_structure_set (structure, name, G_TYPE_DOUBLE,
        gst_fovea_times_percentile (&stats->gpu, ranks[i].share), NULL);
    g_snprintf (name, sizeof name, "host-ms-%s", ranks[i].suffix);
    gst_structure_set (structure, name, G_TYPE_DOUBLE,
        gst_fovea_times_percentile (&stats->host, ranks[i].share), NULL);
    g_snprintf (name, sizeof name, "wall-ms-%s", ranks[i].suffix);
    gst_structure_set (structure, name, G_TYPE_DOUBLE,
        gst_fovea_times_percentile (&stats->wall, ranks[i].share), NULL);
  }
  return structure;
}
