/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which parts each tile of the picture, and each cell of the shadow grid, may
 * meet: lists for worldtrace.comp. */
#pragma once

#include "gst/world/world.h"

/* Tiles, or cells, inclusive; none when x1 < x0. */
typedef struct
{
  gint x0, y0, x1, y1;
} FvBinRect;

typedef struct
{
  guint columns, rows;
  guint n; /* of the rects */
  const FvBinRect *rects; /* one per part */
  const FvWorldPart *parts;
  gboolean
      counts_instances; /* with lists of a bin's instances behind its parts */
} FvBins;

/* What the two below work in. */
GArray *fv_bins_scratch_new (void);
/* Rows of four floats that fv_bins_write() takes behind the table. */
gsize fv_bins_count (const FvBins *bins, GArray *scratch);
/* Writes the table (a row per bin) at @table and the lists from row @first on.
 * @parts_row: of the first part. @data: row 0. */
void fv_bins_write (const FvBins *bins, float *data, guint table, guint first,
    guint parts_row, GArray *scratch);
