/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the dispatches of a program cost, and what they would at the device's best. */
#pragma once

#include "gst/tools/tool.h"

G_BEGIN_DECLS

/* A dispatch, or all of a kernel. */
typedef struct
{
  const char *kernel, *tile, *label; /* (nullable) the latter two */
  const char *tile_from; /* (nullable) as FvDispatch has it */
  guint n; /* dispatches */
  guint groups[3];
  guint64 flops, bytes;
  double seconds; /* median; of a kernel: the sum */
  double bound; /* seconds at the peaks: whichever is longer of its work's */
} Cost;

typedef struct
{
  GArray *dispatches; /* Cost, in the plan's order */
  GArray *kernels; /* Cost, the longest first */
  Cost all;
  FvPeaks peaks;
} Costs;

void costs_init (Costs *costs);
void costs_clear (Costs *costs);
/* @program: with timing. The peaks are measured before and after it. */
gboolean costs_measure (Costs *costs, FvDevice *device, FvProgram *program,
    guint n_rounds, GError **error);
/* @cpu: CPU-seconds of a run. @each: every dispatch too */
void costs_print (const Costs *costs, double cpu, gboolean each);
void costs_json (const Costs *costs, double cpu, JsonBuilder *json);

G_END_DECLS
