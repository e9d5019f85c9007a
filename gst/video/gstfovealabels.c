/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pango/pangocairo.h>
#include "gst/video/gstfovealabels.h"

/* Longer texts are cut: they would not fit on a frame at a readable size. */
#define MAX_CHARACTERS 64

struct _GstFoveaLabels
{
  guint8 *atlas;
  gsize size, used;
  GHashTable *texts; /* char * -> GstFoveaLabel * */
  gboolean is_full;
  char *font;
  guint pixels;
  PangoFontMap *map;
  PangoContext *context;
  PangoLayout *layout;
};

GstFoveaLabels *
gst_fovea_labels_new (guint8 *atlas, gsize size)
{
  GstFoveaLabels *labels = g_new0 (GstFoveaLabels, 1);

  labels->atlas = atlas;
  labels->size = size;
  labels->texts =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  labels->map = pango_cairo_font_map_new ();
  /* sizes are given in pixels, whatever the screen is */
  pango_cairo_font_map_set_resolution (PANGO_CAIRO_FONT_MAP (labels->map), 72);
  labels->context = pango_font_map_create_context (labels->map);
  labels->layout = pango_layout_new (labels->context);
  return labels;
}

void
gst_fovea_labels_free (GstFoveaLabels *labels)
{
  if (labels == NULL)
    return;
  g_object_unref (labels->layout);
  g_object_unref (labels->context);
  g_object_unref (labels->map);
  g_hash_table_unref (labels->texts);
  g_free (labels->font);
  g_free (labels);
}

guint
gst_fovea_labels_pixels (const char *font, guint side)
{
  PangoFontDescription *description = pango_font_description_from_string (font);
  guint pixels = pango_font_description_get_size (description) / PANGO_SCALE;

  pango_font_description_free (description);
  return pixels ? MIN (pixels, 512) : 6 + side / 50;
}

void
gst_fovea_labels_begin (GstFoveaLabels *labels, const char *font, guint pixels)
{
  gboolean is_same =
      pixels == labels->pixels && g_strcmp0 (font, labels->font) == 0;

  if (is_same && !labels->is_full)
    return;
  g_hash_table_remove_all (labels->texts);
  labels->used = 0;
  labels->is_full = FALSE;
  if (!is_same) {
    PangoFontDescription *description =
        pango_font_description_from_string (font);
    pango_font_description_set_absolute_size (description,
        (double) pixels * PANGO_SCALE);
    pango_layout_set_font_description (labels->layout, description);
    pango_font_description_free (description);
    g_free (labels->font);
    labels->font = g_strdup (font);
    labels->pixels = pixels;
  }
}

/* Draws the layout's text as coverage; @data is zeroed first. */
static gboolean
draw (GstFoveaLabels *labels, guint8 *data, const GstFoveaLabel *label,
    guint margin)
{
  cairo_surface_t *surface = cairo_image_surface_create_for_data (data,
      CAIRO_FORMAT_A8, label->width, label->height, label->stride);
  cairo_t *cairo = cairo_create (surface);
  gboolean is_good;

  memset (data, 0, (gsize) label->stride * label->height);
  cairo_set_source_rgba (cairo, 1, 1, 1, 1);
  cairo_move_to (cairo, margin, margin / 2);
  pango_cairo_show_layout (cairo, labels->layout);
  cairo_surface_flush (surface);
  is_good = cairo_status (cairo) == CAIRO_STATUS_SUCCESS;
  cairo_destroy (cairo);
  cairo_surface_destroy (surface);
  return is_good;
}

static void
set_text (GstFoveaLabels *labels, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_autofree char *cut = g_utf8_strlen (valid, -1) > MAX_CHARACTERS
      ? g_utf8_substring (valid, 0, MAX_CHARACTERS)
      : NULL;

  pango_layout_set_text (labels->layout, cut ? cut : valid, -1);
}

const GstFoveaLabel *
gst_fovea_labels_get (GstFoveaLabels *labels, const char *text)
{
  GstFoveaLabel *label = g_hash_table_lookup (labels->texts, text);
  guint margin = MAX (labels->pixels / 4, 2);
  int width, height;
  gsize bytes;

  if (label)
    return label;
  set_text (labels, text);
  pango_layout_get_pixel_size (labels->layout, &width, &height);
  label = g_new0 (GstFoveaLabel, 1);
  label->width = MAX (width, 1) + 2 * margin;
  label->height = MAX (height, 1) + 2 * (margin / 2);
  label->stride = cairo_format_stride_for_width (CAIRO_FORMAT_A8, label->width);
  label->offset = labels->used;
  bytes = (gsize) label->stride * label->height;
  if (bytes > labels->size - labels->used
      || !draw (labels, labels->atlas + label->offset, label, margin)) {
    labels->is_full = TRUE;
    g_free (label);
    return NULL;
  }
  labels->used += bytes;
  g_hash_table_insert (labels->texts, g_strdup (text), label);
  return label;
}
