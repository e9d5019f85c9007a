/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include "gst/video/gstfoveavalues.h"
#include "gst/video/gstfoveaview.h"

#define COLUMNS 64
#define ROWS 36

/* How values of the plane become those of the picture. */
typedef struct
{
  double factor, offset; /* value * factor + offset */
  double low, high; /* clamped so */
  double none; /* where there is no value */
  guint8 *in_matte; /* (nullable): 1 for each class that is in a matte */
  guint n_classes; /* ids from here on are none; 0: all are classes */
  gboolean zero_is_none;
} Conversion;

static guint
convert (const Conversion *c, float value)
{
  if (!isfinite (value) || (c->zero_is_none && value == 0)
      || (c->n_classes && value >= c->n_classes))
    return c->none;
  if (c->in_matte)
    return c->in_matte[(guint) value] ? 255 : 0;
  return CLAMP (value * c->factor + c->offset, c->low, c->high) + 0.5;
}

static void
fill (const GstFoveaView *view, const GstFoveaFrame *position,
    const Conversion *conversion, gboolean linear, GstVideoFrame *frame)
{
  guint width = GST_VIDEO_FRAME_WIDTH (frame);
  gboolean is_wide =
      GST_VIDEO_FRAME_FORMAT (frame) == GST_VIDEO_FORMAT_GRAY16_LE;
  g_autofree float *values = g_new (float, width);

  for (guint x = 0; x < width; x++)
    values[x] = NAN;
  for (guint y = 0; y < (guint) GST_VIDEO_FRAME_HEIGHT (frame); y++) {
    guint8 *row = (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (frame, 0)
        + (gsize) y * GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0);
    if (view)
      gst_fovea_view_row (view, position, y, linear, values);
    for (guint x = 0; x < width; x++)
      if (is_wide)
        GST_WRITE_UINT16_LE (row + 2 * x, convert (conversion, values[x]));
      else
        row[x] = convert (conversion, values[x]);
  }
}

static gint
find_class (const GstFoveaProducer *producer, guint n, const char *name)
{
  guint64 id;

  for (guint i = 0; i < MIN (n, producer->n_labels); i++)
    if (g_str_equal (producer->labels[i], name))
      return (gint) i;
  if (g_ascii_string_to_unsigned (name, 10, 0, n - 1, &id, NULL))
    return (gint) id;
  return -1;
}

/* (transfer full) Which classes make the matte. */
static guint8 *
choose_classes (const GstFoveaSegmentationMeta *meta, const char *const *wanted,
    const char **unknown)
{
  guint n = meta->n_classes;
  guint8 *result = g_malloc0 (n);

  if (wanted == NULL) {
    memset (result, 1, n);
    if (meta->background >= 0 && (guint) meta->background < n)
      result[meta->background] = 0;
    return result;
  }
  for (guint i = 0; wanted[i] != NULL; i++) {
    gint id = find_class (meta->map->producer, n, wanted[i]);

    if (id >= 0)
      result[id] = 1;
    else
      *unknown = wanted[i];
  }
  return result;
}

/* The mask or matte of @buffer: its plane, and what becomes of its values. */
static const GstFoveaPlane *
find_segmentation (GstBuffer *buffer, const GstFoveaValuesWish *wish,
    guint highest, const GstFoveaFrame **position, Conversion *conversion,
    const char **unknown)
{
  gboolean is_matte = wish->kind == GST_FOVEA_VALUES_MATTE;
  GstFoveaSegmentationMeta *meta =
      gst_fovea_buffer_get_segmentation (buffer, wish->source);

  conversion->high = highest;
  conversion->none = is_matte ? 0 : highest;
  if (meta == NULL)
    return NULL;
  *position = &meta->frame;
  if (is_matte && meta->matte && wish->classes == NULL)
    return meta->matte;
  conversion->n_classes = meta->n_classes;
  if (is_matte && meta->n_classes > 0)
    conversion->in_matte = choose_classes (meta, wish->classes, unknown);
  return meta->map;
}

/* The highest number stands for all from there on. */
static const GstFoveaPlane *
find_instances (GstBuffer *buffer, const char *source, guint highest,
    const GstFoveaFrame **position, Conversion *conversion)
{
  GstFoveaSegmentationMeta *meta =
      gst_fovea_buffer_get_segmentation (buffer, source);

  conversion->high = highest;
  if (meta == NULL)
    return NULL;
  *position = &meta->frame;
  return meta->instances;
}

static const GstFoveaPlane *
find_depth (GstBuffer *buffer, const char *source,
    const GstFoveaFrame **position, Conversion *conversion)
{
  GstFoveaDepthMeta *meta = gst_fovea_buffer_get_depth (buffer, source);

  if (meta == NULL)
    return NULL;
  *position = &meta->frame;
  conversion->low = 1;
  conversion->high = 65535;
  conversion->factor = 1000; /* metres to millimetres */
  conversion->zero_is_none = meta->kind == GST_FOVEA_DEPTH_METRIC;
  return meta->map;
}

/* Depth without a unit: spread over the range, which adapts to what is seen. */
static void
spread (const GstFoveaView *view, GstClockTime pts, GstFoveaDepthRange *range,
    Conversion *conversion)
{
  float values[COLUMNS * ROWS];

  for (guint i = 0; i < COLUMNS * ROWS; i++)
    values[i] = gst_fovea_view_get (view,
        (2 * (i % COLUMNS) + 1) * view->plane->width / (2 * COLUMNS),
        (2 * (i / COLUMNS) + 1) * view->plane->height / (2 * ROWS));
  gst_fovea_depth_range_adapt (range, values, COLUMNS * ROWS, pts);
  conversion->factor = 0;
  if (range->high > range->low)
    conversion->factor = 65534 / (range->high - range->low);
  conversion->offset = 1 - range->low * conversion->factor;
}

gboolean
gst_fovea_values_fill (const GstFoveaValuesWish *wish, GstBuffer *buffer,
    GstFoveaDepthRange *range, GstVideoFrame *frame, const char **unknown)
{
  gboolean is_depth = wish->kind == GST_FOVEA_VALUES_DEPTH;
  guint highest =
      GST_VIDEO_FRAME_FORMAT (frame) == GST_VIDEO_FORMAT_GRAY8 ? 255 : 65535;
  Conversion conversion = { .factor = 1 };
  g_autofree guint8 *in_matte = NULL;
  const GstFoveaFrame *position = NULL;
  const GstFoveaPlane *plane;
  GstFoveaView view;
  gboolean linear;

  *unknown = NULL;
  if (wish->kind == GST_FOVEA_VALUES_INSTANCES)
    plane =
        find_instances (buffer, wish->source, highest, &position, &conversion);
  else if (is_depth)
    plane = find_depth (buffer, wish->source, &position, &conversion);
  else
    plane = find_segmentation (buffer, wish, highest, &position, &conversion,
        unknown);
  in_matte = conversion.in_matte;
  if (plane == NULL || position->width != (guint) GST_VIDEO_FRAME_WIDTH (frame)
      || position->height != (guint) GST_VIDEO_FRAME_HEIGHT (frame)) {
    fill (NULL, NULL, &conversion, FALSE, frame);
    return TRUE;
  }
  if (!gst_fovea_view_map (&view, plane))
    return FALSE;
  if (is_depth && !conversion.zero_is_none)
    spread (&view, GST_BUFFER_PTS (buffer), range, &conversion);
  /* ids have nothing between them */
  linear = is_depth || (wish->kind == GST_FOVEA_VALUES_MATTE && !in_matte);
  fill (&view, position, &conversion, linear, frame);
  gst_fovea_view_unmap (&view);
  return TRUE;
}
