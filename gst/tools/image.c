/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images as model inputs, on the host: the command has no pipeline. */
#include "gst/tools/image.h"
#include "gst/card/resample.h"

#include <gdk-pixbuf/gdk-pixbuf.h>

typedef struct
{
  const guint8 *pixels;
  guint width, height, stride, n_channels; /* of a pixel: 3 or 4 */
} Image;

/* Lines of samples, along one axis of a picture. */
typedef struct
{
  const float *in;
  float *out;
  gsize in_step, in_line, out_step, out_line;
  guint n_out, n_lines;
} Pass;

/* Samples that lie outside of the frame are left alone. */
static void
run_pass (const FvAxis *axis, const Pass *pass)
{
  g_autofree double *weights = g_new (double, fv_axis_taps (axis));

  for (guint i = 0; i < pass->n_out; i++) {
    guint first, n = fv_axis_weights (axis, i, &first, weights);
    for (guint line = 0; n != 0 && line < pass->n_lines; line++) {
      const float *in = pass->in + line * pass->in_line + first * pass->in_step;
      double sum = 0;
      for (guint k = 0; k < n; k++)
        sum += weights[k] * in[k * pass->in_step];
      pass->out[line * pass->out_line + i * pass->out_step] =
          (float) fv_axis_round (axis, sum);
    }
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

/* Fills @target, input_height rows of input_width, with the resized plane around
 * which is @pad. */
static void
place_channel (const Image *image, const float *plane, const FvFrameMap *map,
    const FvCardInput *card, float pad, float *target)
{
  gsize width = map->input_width;
  g_autofree float *narrow = g_new (float, width * image->height + 1);
  FvAxis columns, rows;

  for (gsize i = 0; i < width * image->height; i++)
    narrow[i] = pad;
  for (gsize i = 0; i < width * map->input_height; i++)
    target[i] = pad;
  fv_axis_init (&columns, card, map, FALSE);
  fv_axis_init (&rows, card, map, TRUE);
  run_pass (&columns,
      &(Pass){ plane, narrow, 1, image->width, 1, width, map->input_width,
          image->height });
  run_pass (&rows,
      &(Pass){ narrow, target, width, 1, width, 1, map->input_height,
          map->input_width });
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
    place_channel (image, plane, &map, card, card->pad[c], resized);
    for (gsize i = 0; i < n; i++) {
      gsize at =
          card->layout == FV_LAYOUT_NHWC ? i * card->n_channels + c : c * n + i;
      array->f32[at] = (resized[i] / 255 - card->mean[c]) / card->std[c];
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
