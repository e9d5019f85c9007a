/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/world/bins.h"

#define MOST_INSTANCES 32 /* whose silhouettes a pixel can tell apart */

/* What is known of a bin while lists are made. */
typedef struct
{
  guint n[FV_SHAPES];
  guint next[FV_SHAPES];
  guint n_instances, first_instance;
  guint last; /* instance; parts of one stand in a row */
} Bin;

GArray *
fv_bins_scratch_new (void)
{
  return g_array_new (FALSE, TRUE, sizeof (Bin));
}

static Bin *
clear (const FvBins *bins, GArray *scratch)
{
  g_array_set_size (scratch, 0);
  g_array_set_size (scratch, bins->columns * bins->rows);
  return &g_array_index (scratch, Bin, 0);
}

/* TRUE when the part starts another instance of the bin. */
static gboolean
is_other (const FvBins *bins, Bin *bin, guint instance)
{
  if (!bins->counts_instances || instance == 0 || instance == bin->last)
    return FALSE;
  bin->last = instance;
  return TRUE;
}

gsize
fv_bins_count (const FvBins *bins, GArray *scratch)
{
  Bin *bin = clear (bins, scratch);
  gsize rows = 0;

  for (guint i = 0; i < bins->n; i++) {
    const FvBinRect *rect = &bins->rects[i];
    for (gint y = rect->y0; y <= rect->y1; y++)
      for (gint x = rect->x0; x <= rect->x1; x++) {
        Bin *at = &bin[(guint) y * bins->columns + (guint) x];
        at->n[bins->parts[i].shape]++;
        at->n_instances += is_other (bins, at, bins->parts[i].instance);
      }
  }
  for (guint i = 0; i < bins->columns * bins->rows; i++) {
    bin[i].n_instances = MIN (bin[i].n_instances, MOST_INSTANCES);
    rows += bin[i].n[0] + bin[i].n[1] + bin[i].n[2] + bin[i].n_instances;
  }
  return rows;
}

static void
write_table (const FvBins *bins, Bin *bin, float *data, guint table,
    guint first)
{
  for (guint i = 0; i < bins->columns * bins->rows; i++) {
    float *row = data + 4 * (gsize) (table + i);
    row[0] = (float) first;
    for (guint shape = 0; shape < FV_SHAPES; shape++) {
      bin[i].next[shape] = first;
      first += bin[i].n[shape];
      row[1 + shape] = (float) bin[i].n[shape];
    }
    bin[i].first_instance = first;
    first += bin[i].n_instances;
    bin[i].n_instances = 0;
    bin[i].last = 0;
  }
}

static void
write_entry (const FvBins *bins, Bin *bin, float *data, const FvWorldPart *part,
    guint part_row)
{
  float *entry = data + 4 * (gsize) bin->next[part->shape]++;
  gboolean counts = bins->counts_instances && part->instance != 0;

  if (is_other (bins, bin, part->instance)
      && bin->n_instances++ < MOST_INSTANCES) {
    float *record =
        data + 4 * (gsize) (bin->first_instance + bin->n_instances - 1);
    record[0] = (float) (part->instance - 1);
  }
  entry[0] = (float) part_row;
  entry[1] = counts && bin->n_instances <= MOST_INSTANCES
      ? (float) (bin->n_instances - 1)
      : -1;
  entry[2] = counts ? (float) (part->instance - 1) : -1;
}

void
fv_bins_write (const FvBins *bins, float *data, guint table, guint first,
    guint parts_row, GArray *scratch)
{
  Bin *bin = &g_array_index (scratch, Bin, 0);

  write_table (bins, bin, data, table, first);
  for (guint i = 0; i < bins->n; i++) {
    const FvBinRect *rect = &bins->rects[i];
    for (gint y = rect->y0; y <= rect->y1; y++)
      for (gint x = rect->x0; x <= rect->x1; x++)
        write_entry (bins, &bin[(guint) y * bins->columns + (guint) x], data,
            &bins->parts[i], parts_row + i * FV_PART_ROWS);
  }
}
