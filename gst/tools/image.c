/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images as model inputs, on the host: the command has no pipeline. */
#include "gst/tools/image.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <math.h>

typedef struct
{
  const guint8 *pixels;
  guint width, height, stride, n_channels; /* of a pixel: 3 or 4 */
} Image;

static double
cubic (double x)
{
  const double a = -0.5;
  x = fabs (x);
  if (x < 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static double
sinc (double x)
{
  return x == 0 ? 1 : sin (G_PI * x) / (G_PI * x);
}

static double
filter_weight (FvFilter filter, double x)
{
  switch (filter) {
    case FV_FILTER_BILINEAR:
      return MAX (0, 1 - fabs (x));
    case FV_FILTER_BICUBIC:
      return cubic (x);
    case FV_FILTER_LANCZOS:
      return fabs (x) < 3 ? sinc (x) * sinc (x / 3) : 0;
    default:
      return x > -0.5 && x <= 0.5;
  }
}

static double
filter_radius (FvFilter filter)
{
  switch (filter) {
    case FV_FILTER_BILINEAR:
      return 1;
    case FV_FILTER_BICUBIC:
      return 2;
    case FV_FILTER_LANCZOS:
      return 3;
    default:
      return 0.5;
  }
}

/* One row or column: @n_out samples at @start + i out of @n_in items, scaled so
 * that @scale input items make one. */
static void
resample (const float *in, guint n_in, guint in_step, float *out, guint n_out,
    guint out_step, double start, double scale, const FvCardInput *card)
{
  double widen = card->antialias ? MAX (scale, 1) : 1;
  double radius = filter_radius (card->filter) * widen;
  for (guint i = 0; i < n_out; i++) {
    double centre = (start + i + 0.5) * scale;
    double sum = 0, total = 0;
    if (card->filter == FV_FILTER_NEAREST) {
      gint at = CLAMP ((gint) floor (centre), 0, (gint) n_in - 1);
      out[i * out_step] = in[at * in_step];
      continue;
    }
    gint first = floor (centre - radius), last = ceil (centre + radius);
    for (gint k = first; k <= last; k++) {
      double weight = filter_weight (card->filter, (k + 0.5 - centre) / widen);
      sum += weight * in[CLAMP (k, 0, (gint) n_in - 1) * in_step];
      total += weight;
    }
    out[i * out_step] = total != 0 ? sum / total : 0;
  }
}

/* A channel of the file in 0..255; gray is BT.601's luma. */
static void
read_channel (const Image *image, guint channel, gboolean gray, float *plane)
{
  for (guint y = 0; y < image->height; y++) {
    const guint8 *row = image->pixels + (gsize) y * image->stride;
    for (guint x = 0; x < image->width; x++) {
      const guint8 *p = row + x * image->n_channels;
      plane[(gsize) y * image->width + x] =
          gray ? 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2] : p[channel];
    }
  }
}

/* The part of the frame's place in the input that lies inside of it. */
typedef struct
{
  guint x, y, width, height;
} Area;

static Area
visible_area (const FvFrameMap *map)
{
  gint x0 = MAX (map->x, 0), y0 = MAX (map->y, 0);
  gint x1 = MIN (map->x + map->width, (gint) map->input_width);
  gint y1 = MIN (map->y + map->height, (gint) map->input_height);
  return (Area){ x0, y0, MAX (x1 - x0, 0), MAX (y1 - y0, 0) };
}

/* Fills @target, input_height rows of input_width, with the resized plane. */
static void
place_channel (const Image *image, const float *plane, const FvFrameMap *map,
    const FvCardInput *card, float *target)
{
  Area area = visible_area (map);
  gsize width = map->input_width;
  g_autofree float *narrow =
      g_new0 (float, (gsize) area.width * image->height + 1);
  for (gsize i = 0; i < width * map->input_height; i++)
    target[i] = card->pad;
  for (guint y = 0; y < image->height; y++)
    resample (plane + (gsize) y * image->width, image->width, 1,
        narrow + (gsize) y * area.width, area.width, 1, (gint) area.x - map->x,
        (double) image->width / map->width, card);
  for (guint x = 0; x < area.width; x++)
    resample (narrow + x, image->height, area.width,
        target + area.y * width + area.x + x, area.height, width,
        (gint) area.y - map->y, (double) image->height / map->height, card);
}

static void
fill_input (const Image *image, const FvCardInput *card, FvArray *array)
{
  FvFrameMap map;
  fv_frame_map_init (&map, card, image->width, image->height);
  gsize n = (gsize) map.input_width * map.input_height;
  g_autofree float *plane = g_new (float, (gsize) image->width * image->height);
  g_autofree float *resized = g_new (float, n);
  gboolean gray = card->channels == FV_CHANNELS_GRAY || card->n_channels == 1;
  for (guint c = 0; c < card->n_channels; c++) {
    guint from = card->channels == FV_CHANNELS_BGR ? 2 - c : c;
    read_channel (image, from, gray, plane);
    place_channel (image, plane, &map, card, resized);
    for (gsize i = 0; i < n; i++) {
      gsize at =
          card->layout == FV_LAYOUT_NHWC ? i * card->n_channels + c : c * n + i;
      array->f32[at] =
          (CLAMP (resized[i], 0, 255) / 255 - card->mean[c]) / card->std[c];
    }
  }
}

gboolean
image_size (const char *path, guint *width, guint *height, GError **error)
{
  int w, h;
  if (gdk_pixbuf_get_file_info (path, &w, &h) == NULL) {
    g_set_error (error, FV_ERROR, FV_ERROR_NOT_FOUND,
        "'%s' is no image, .npy or .pb file that can be read", path);
    return FALSE;
  }
  *width = w;
  *height = h;
  return TRUE;
}

FvArray *
image_load (const char *path, const FvCardInput *input, const FvShape *shape,
    GError **error)
{
  g_autoptr (GError) problem = NULL;
  GdkPixbuf *pixbuf = gdk_pixbuf_new_from_file (path, &problem);
  if (pixbuf == NULL) {
    g_set_error (error, FV_ERROR, FV_ERROR_NOT_FOUND, "'%s': %s", path,
        problem->message);
    return NULL;
  }
  Image image = { gdk_pixbuf_read_pixels (pixbuf),
    gdk_pixbuf_get_width (pixbuf), gdk_pixbuf_get_height (pixbuf),
    gdk_pixbuf_get_rowstride (pixbuf), gdk_pixbuf_get_n_channels (pixbuf) };
  FvArray *array = fv_array_new (FV_TYPE_F32, shape, error);
  if (array != NULL
      && array->count
          == (gint64) input->width * input->height * input->n_channels)
    fill_input (&image, input, array);
  else if (array != NULL) {
    g_autofree char *text = fv_shape_to_string (shape);
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "an image of %ux%u with %u channels does not fill the input's shape %s",
        input->width, input->height, input->n_channels, text);
    g_clear_pointer (&array, fv_array_unref);
  }
  g_object_unref (pixbuf);
  return array;
}
