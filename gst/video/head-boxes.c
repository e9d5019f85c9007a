/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Boxes on the host, at most 1024: into the frame, order, suppression. */
#include "gst/video/head-private.h"

#include <math.h>

void
gst_fovea_head_box_scale (const GstFoveaHead *head, float *x, float *y)
{
  const FvCardDetect *d = &head->card->detect;
  const FvFrameMap *f = &head->frame;

  *x = *y = 1;
  if (d->normalised) {
    *x = (float) f->input_width;
    *y = (float) f->input_height;
  } else if (d->in_frame) {
    *x = (float) f->input_width / (float) f->frame_width;
    *y = (float) f->input_height / (float) f->frame_height;
  }
}

gboolean
gst_fovea_head_place_box (const GstFoveaHead *head, const float *v,
    GstFoveaBox *box)
{
  double x0, y0, x1, y1;

  for (guint i = 0; i < 5; i++)
    if (!isfinite (v[i]))
      return FALSE;
  fv_frame_map_to_frame (&head->frame, v[1], v[2], &x0, &y0);
  fv_frame_map_to_frame (&head->frame, v[3], v[4], &x1, &y1);
  box->x = (float) x0;
  box->y = (float) y0;
  box->width = (float) (x1 - x0);
  box->height = (float) (y1 - y0);
  box->score = v[0];
  return box->width > 0 && box->height > 0 && box->class_id < 65536
      && box->score >= head->params.threshold;
}

gboolean
gst_fovea_head_clip_box (const GstFoveaHead *head, GstFoveaBox *box)
{
  float x1 = MIN (box->x + box->width, (float) head->frame.frame_width);
  float y1 = MIN (box->y + box->height, (float) head->frame.frame_height);

  box->x = MAX (box->x, 0);
  box->y = MAX (box->y, 0);
  box->width = x1 - box->x;
  box->height = y1 - box->y;
  return box->width > 0 && box->height > 0;
}

void
gst_fovea_head_finish_boxes (const GstFoveaHead *head, GArray *boxes)
{
  guint kept = 0;

  gst_fovea_sort_boxes (boxes);
  gst_fovea_suppress (boxes,
      head->card->detect.nms ? head->params.iou_threshold : 1,
      GST_FOVEA_MAX_CANDIDATES);
  for (guint i = 0; i < boxes->len && kept < head->params.max_detections; i++)
    if (gst_fovea_head_clip_box (head, &g_array_index (boxes, GstFoveaBox, i)))
      g_array_index (boxes, GstFoveaBox, kept++) =
          g_array_index (boxes, GstFoveaBox, i);
  g_array_set_size (boxes, kept);
}

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
