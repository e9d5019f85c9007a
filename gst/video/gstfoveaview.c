/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include "gst/video/gstfoveaview.h"

gboolean
gst_fovea_view_map (GstFoveaView *view, const GstFoveaPlane *plane)
{
  view->plane = plane;
  return gst_buffer_map (plane->data, &view->map, GST_MAP_READ);
}

void
gst_fovea_view_unmap (GstFoveaView *view)
{
  gst_buffer_unmap (view->plane->data, &view->map);
}

float
gst_fovea_view_get (const GstFoveaView *view, guint x, guint y)
{
  const GstFoveaPlane *plane = view->plane;
  const guint8 *row = view->map.data + (gsize) y * plane->stride;

  switch (plane->format) {
    case GST_FOVEA_PLANE_U8:
      return row[x];
    case GST_FOVEA_PLANE_U16:
      return GST_READ_UINT16_LE (row + 2 * (gsize) x);
    case GST_FOVEA_PLANE_F16:
      return fv_f16_to_f32 (GST_READ_UINT16_LE (row + 2 * (gsize) x));
    case GST_FOVEA_PLANE_F32:
      return GST_READ_FLOAT_LE (row + 4 * (gsize) x);
  }
  return NAN;
}

/* The value at @x, @y in pixels of the plane, linearly between the centres of four;
 * that of the nearest where one of them is not known. */
static float
between (const GstFoveaView *view, double x, double y)
{
  guint right = view->plane->width - 1, below = view->plane->height - 1;
  double cx = CLAMP (x - 0.5, 0, right), cy = CLAMP (y - 0.5, 0, below);
  guint x0 = cx, y0 = cy;
  guint x1 = MIN (x0 + 1, right), y1 = MIN (y0 + 1, below);
  double fx = cx - x0, fy = cy - y0;
  float value = (1 - fy)
          * ((1 - fx) * gst_fovea_view_get (view, x0, y0)
              + fx * gst_fovea_view_get (view, x1, y0))
      + fy
          * ((1 - fx) * gst_fovea_view_get (view, x0, y1)
              + fx * gst_fovea_view_get (view, x1, y1));

  if (isfinite (value))
    return value;
  return gst_fovea_view_get (view, MIN ((guint) x, right),
      MIN ((guint) y, below));
}

void
gst_fovea_view_row (const GstFoveaView *view, const GstFoveaFrame *frame,
    guint y, gboolean linear, float *row)
{
  const GstVideoRectangle *region = &frame->region;
  guint width = view->plane->width, height = view->plane->height;
  gint left = MAX (region->x, 0);
  gint right = MIN (region->x + region->w, (gint) frame->width);
  gboolean is_same = (guint) region->w == width && (guint) region->h == height;
  double map_y = ((gint) y - region->y + 0.5) * height / region->h;
  guint nearest_y = MIN ((guint) MAX (map_y, 0), height - 1);

  for (guint x = 0; x < frame->width; x++)
    row[x] = NAN;
  if ((gint) y < region->y || (gint) y >= region->y + region->h)
    return;
  for (gint x = left; x < right; x++) {
    double map_x = (x - region->x + 0.5) * width / region->w;
    if (linear && !is_same)
      row[x] = between (view, map_x, map_y);
    else
      row[x] =
          gst_fovea_view_get (view, MIN ((guint) map_x, width - 1), nearest_y);
  }
}

void
gst_fovea_view_count (const GstFoveaView *view, guint64 *counts, guint n_counts)
{
  const GstFoveaPlane *plane = view->plane;

  for (guint i = 0; i < n_counts; i++)
    counts[i] = 0;
  for (guint y = 0; y < plane->height; y++) {
    const guint8 *row = view->map.data + (gsize) y * plane->stride;
    for (guint x = 0; x < plane->width; x++) {
      guint id = plane->format == GST_FOVEA_PLANE_U8
          ? row[x]
          : (guint) gst_fovea_view_get (view, x, y);
      if (id < n_counts)
        counts[id]++;
    }
  }
}

void
gst_fovea_view_statistics (const GstFoveaView *view, gboolean zero_is_known,
    GstFoveaStatistics *statistics)
{
  const GstFoveaPlane *plane = view->plane;
  double sum = 0, minimum = INFINITY, maximum = -INFINITY;
  guint64 n = 0;

  for (guint y = 0; y < plane->height; y++)
    for (guint x = 0; x < plane->width; x++) {
      float value = gst_fovea_view_get (view, x, y);
      if (!isfinite (value) || (value == 0 && !zero_is_known))
        continue;
      n++;
      sum += value;
      minimum = fmin (minimum, value);
      maximum = fmax (maximum, value);
    }
  statistics->n_known = n;
  statistics->minimum = n ? minimum : 0;
  statistics->maximum = n ? maximum : 0;
  statistics->mean = n ? sum / n : 0;
}
