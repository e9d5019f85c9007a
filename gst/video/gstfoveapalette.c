/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include "gst/video/gstfoveapalette.h"

/* The colours of M. Okabe and K. Ito, "Color Universal Design" (2008), which
 * people with any kind of colour vision tell apart; without their black. */
static const guint32 okabe_ito[] = { 0xe69f00, 0x56b4e9, 0x009e73, 0xf0e442,
  0x0072b2, 0xd55e00, 0xcc79a7 };

/* The 19 classes that Cityscapes evaluates, in the order of their train ids. */
static const guint32 cityscapes[] = { 0x804080, 0xf423e8, 0x464646, 0x66669c,
  0xbe9999, 0x999999, 0xfaaa1e, 0xdcdc00, 0x6b8e23, 0x98fb98, 0x4682b4,
  0xdc143c, 0xff0000, 0x00008e, 0x000046, 0x003c64, 0x005064, 0x0000e6,
  0x770b20 };

static guint32
pack (double r, double g, double b)
{
  return (guint32) (CLAMP (r, 0, 1) * 255 + 0.5) << 16
      | (guint32) (CLAMP (g, 0, 1) * 255 + 0.5) << 8
      | (guint32) (CLAMP (b, 0, 1) * 255 + 0.5);
}

static guint32
from_hsv (double hue, double saturation, double value)
{
  double channel[3];

  for (guint i = 0; i < 3; i++) {
    /* red, green and blue peak a third of the circle apart */
    double k = fmod ((i == 0 ? 5 : i == 1 ? 3 : 1) + hue * 6, 6);
    channel[i] = value - value * saturation * CLAMP (fmin (k, 4 - k), 0, 1);
  }
  return pack (channel[0], channel[1], channel[2]);
}

/* Behind the first seven, hues a golden section apart, so that neighbours differ
 * most, in three lightnesses, which differ for those who do not see hues. */
static void
fill_default (guint32 *palette)
{
  static const double tones[3][2] = { { 0.85, 0.95 }, { 0.45, 1 },
    { 0.9, 0.6 } };

  for (guint i = 0; i < GST_FOVEA_PALETTE_SIZE; i++) {
    const double *tone = tones[i % 3];
    palette[i] = i < G_N_ELEMENTS (okabe_ito)
        ? okabe_ito[i]
        : from_hsv (fmod (i * 0.61803398875, 1), tone[0], tone[1]);
  }
}

/* Pascal VOC: the bits of the id, three at a time, make the top bits of r, g, b. */
static void
fill_voc (guint32 *palette)
{
  for (guint i = 0; i < GST_FOVEA_PALETTE_SIZE; i++) {
    guint32 r = 0, g = 0, b = 0;
    for (guint bit = 0, id = i; bit < 8; bit++, id >>= 3) {
      r |= (id & 1) << (7 - bit);
      g |= ((id >> 1) & 1) << (7 - bit);
      b |= ((id >> 2) & 1) << (7 - bit);
    }
    palette[i] = r << 16 | g << 8 | b;
  }
}

static gboolean
parse_colors (const char *text, guint32 *palette, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);
  guint n = MIN (g_strv_length (parts), GST_FOVEA_PALETTE_SIZE);

  for (guint i = 0; i < n; i++) {
    const char *part = g_strstrip (parts[i]);
    char *end = NULL;
    if (*part == '#')
      part++;
    guint64 value = g_ascii_strtoull (part, &end, 16);
    if (strlen (part) != 6 || *end || !g_ascii_isxdigit (*part)) {
      g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
          "palette: expected default, voc, cityscapes or colours such as "
          "#ff8800,#0088ff, not \"%s\"",
          parts[i]);
      return FALSE;
    }
    palette[i] = value;
  }
  for (guint i = n; i < GST_FOVEA_PALETTE_SIZE; i++)
    palette[i] = palette[i % n];
  return TRUE;
}

gboolean
gst_fovea_palette_parse (const char *text,
    guint32 palette[GST_FOVEA_PALETTE_SIZE], GError **error)
{
  if (text == NULL || *text == '\0' || g_str_equal (text, "default")) {
    fill_default (palette);
  } else if (g_str_equal (text, "voc")) {
    fill_voc (palette);
  } else if (g_str_equal (text, "cityscapes")) {
    fill_default (palette);
    memcpy (palette, cityscapes, sizeof cityscapes);
  } else {
    return parse_colors (text, palette, error);
  }
  return TRUE;
}

GType
gst_fovea_colormap_get_type (void)
{
  static const GEnumValue values[] = {
    { GST_FOVEA_COLORMAP_TURBO, "Dark blue, green, yellow, red", "turbo" },
    { GST_FOVEA_COLORMAP_JET, "Blue, cyan, yellow, red", "jet" },
    { GST_FOVEA_COLORMAP_GRAY, "Black to white", "gray" },
    { 0, NULL, NULL },
  };
  static GType type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstFoveaColormap", values));
  return type;
}

static double
polynomial (const double c[6], double t)
{
  double value = 0;

  for (guint i = 6; i-- > 0;)
    value = value * t + c[i];
  return value;
}

/* The polynomial of degree 5 that R. Du fitted to A. Mikhailov's Turbo ("Turbo, an
 * improved rainbow colormap for visualization", Google AI blog, 2019). */
static guint32
turbo (double t)
{
  static const double red[] = { 0.13572138, 4.61539260, -42.66032258,
    132.13108234, -152.94239396, 59.28637943 };
  static const double green[] = { 0.09140261, 2.19418839, 4.84296658,
    -14.18503333, 4.27729857, 2.82956604 };
  static const double blue[] = { 0.10667330, 12.64194608, -60.58204836,
    110.36276771, -89.90310912, 27.34824973 };

  return pack (polynomial (red, t), polynomial (green, t),
      polynomial (blue, t));
}

void
gst_fovea_colormap_fill (GstFoveaColormap colormap, guint32 colors[256])
{
  for (guint i = 0; i < 256; i++) {
    double t = i / 255.0;
    switch (colormap) {
      case GST_FOVEA_COLORMAP_TURBO:
        colors[i] = turbo (t);
        break;
      case GST_FOVEA_COLORMAP_JET:
        /* tents of width 4/8 with flat tops, at 3/4, 1/2 and 1/4 */
        colors[i] = pack (1.5 - fabs (4 * t - 3), 1.5 - fabs (4 * t - 2),
            1.5 - fabs (4 * t - 1));
        break;
      case GST_FOVEA_COLORMAP_GRAY:
        colors[i] = i << 16 | i << 8 | i;
        break;
    }
  }
}

guint32
gst_fovea_ink_for (guint32 color)
{
  double luma = 0.299 * (color >> 16 & 255) + 0.587 * (color >> 8 & 255)
      + 0.114 * (color & 255);

  return luma > 140 ? 0x000000 : 0xffffff;
}
