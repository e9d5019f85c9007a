/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Order and suppression of boxes, on the host: at most 1024 of them. */
#include "gst/video/head-private.h"

static gint
compare (gconstpointer a, gconstpointer b)
{
  const GstFoveaBox *x = a, *y = b;

  if (x->score != y->score)
    return x->score < y->score ? 1 : -1;
  return x->index < y->index ? -1 : x->index > y->index;
}

void
gst_fovea_sort_boxes (GArray *boxes)
{
  g_array_sort (boxes, compare);
}

static float
overlap (const GstFoveaBox *a, const GstFoveaBox *b)
{
  float w = MIN (a->x + a->width, b->x + b->width) - MAX (a->x, b->x);
  float h = MIN (a->y + a->height, b->y + b->height) - MAX (a->y, b->y);
  float both;

  if (w <= 0 || h <= 0)
    return 0;
  both = w * h;
  return both / (a->width * a->height + b->width * b->height - both);
}

void
gst_fovea_suppress (GArray *boxes, float iou_threshold, guint max)
{
  GstFoveaBox *list = (GstFoveaBox *) boxes->data;
  guint kept = 0;

  for (guint i = 0; i < boxes->len && kept < max; i++) {
    gboolean keep = TRUE;
    for (guint k = 0; keep && k < kept; k++)
      keep = list[k].class_id != list[i].class_id
          || !(overlap (&list[k], &list[i]) > iou_threshold);
    if (keep)
      list[kept++] = list[i];
  }
  g_array_set_size (boxes, kept);
}
