/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugins/gstfoveastyle.h"
#include "gst/video/gstfoveacaps.h"

void
gst_fovea_style_init (GstFoveaStyle *style)
{
  memset (style, 0, sizeof *style);
  gst_fovea_palette_parse (NULL, style->draw.palette, NULL);
  gst_fovea_colormap_fill (style->colormap, style->draw.colormap);
}

void
gst_fovea_style_clear (GstFoveaStyle *style)
{
  g_clear_pointer (&style->palette, g_free);
  g_clear_pointer (&style->palette_fault, g_free);
  g_clear_pointer (&style->range_fault, g_free);
  g_clear_pointer (&style->device, g_free);
}

gboolean
gst_fovea_style_start (GstFoveaStyle *style, GstElement *element)
{
  g_autofree char *fault = NULL;

  GST_OBJECT_LOCK (element);
  style->is_new = TRUE;
  fault = g_strdup (
      style->palette_fault ? style->palette_fault : style->range_fault);
  GST_OBJECT_UNLOCK (element);
  if (fault)
    GST_ELEMENT_ERROR (element, RESOURCE, SETTINGS, ("%s", fault), (NULL));
  return fault == NULL;
}

/* While playing the old value stays, and the application is not stopped. */
static void
set_fault (char **fault, GObject *object, const char *text)
{
  g_free (*fault);
  *fault = g_strdup (text);
  if (text)
    g_warning ("%s: %s", GST_OBJECT_NAME (object), text);
}

void
gst_fovea_style_install (GObjectClass *klass)
{
  const GParamFlags ready =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;
  const GParamFlags playing =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;
  GParamSpec *number = g_param_spec_double ("value", "Value", "A depth",
      -G_MAXDOUBLE, G_MAXDOUBLE, 0, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  guint id = 1000;

  g_object_class_install_property (klass, id++,
      g_param_spec_string ("palette", "Palette",
          "Colours of classes: default, voc, cityscapes, or a list such as "
          "#ff8800,#0088ff, which repeats",
          "default", playing));
  g_object_class_install_property (klass, id++,
      g_param_spec_enum ("colormap", "Colour map", "Colours of depth",
          GST_TYPE_FOVEA_COLORMAP, GST_FOVEA_COLORMAP_TURBO, playing));
  g_object_class_install_property (klass, id++,
      gst_param_spec_array ("depth-range", "Depth range",
          "Lowest and highest depth that colours tell apart, as <0.5, 20.0>; "
          "empty: adapts slowly to the frames",
          number, playing));
  g_object_class_install_property (klass, id++,
      g_param_spec_string ("source", "Source",
          "Whose results: results, truth, or the name of an element", "results",
          playing));
  g_object_class_install_property (klass, id++,
      g_param_spec_string ("device", "Device",
          "Vulkan device by index, part of its name or UUID; empty: the best",
          NULL, ready));
}

static double
number_at (const GValue *array, guint i)
{
  GValue number = G_VALUE_INIT;

  g_value_init (&number, G_TYPE_DOUBLE);
  g_value_transform (gst_value_array_get_value (array, i), &number);
  return g_value_get_double (&number);
}

/* @value: an array of two numbers, or an empty one for an adapting range. */
static void
set_range (GstFoveaStyle *style, GObject *object, const GValue *value)
{
  GstFoveaDepthRange range = { 0 };
  guint n = gst_value_array_get_size (value);

  if (n == 2) {
    range.is_fixed = TRUE;
    range.low = number_at (value, 0);
    range.high = number_at (value, 1);
  }
  if ((n != 0 && n != 2) || (n == 2 && !(range.high > range.low))) {
    set_fault (&style->range_fault, object,
        "depth-range: expected two rising numbers or none");
    return;
  }
  set_fault (&style->range_fault, object, NULL);
  style->wanted = range;
  style->is_new = TRUE;
}

static void
set_palette (GstFoveaStyle *style, GObject *object, const char *text)
{
  guint32 palette[GST_FOVEA_PALETTE_SIZE];
  g_autoptr (GError) error = NULL;

  if (!gst_fovea_palette_parse (text, palette, &error)) {
    set_fault (&style->palette_fault, object, error->message);
    return;
  }
  set_fault (&style->palette_fault, object, NULL);
  memcpy (style->draw.palette, palette, sizeof palette);
  g_free (style->palette);
  style->palette = g_strdup (text);
}

gboolean
gst_fovea_style_set_property (GstFoveaStyle *style, GObject *object,
    GParamSpec *pspec, const GValue *value)
{
  if (g_str_equal (pspec->name, "palette")) {
    set_palette (style, object, g_value_get_string (value));
  } else if (g_str_equal (pspec->name, "colormap")) {
    style->colormap = g_value_get_enum (value);
    gst_fovea_colormap_fill (style->colormap, style->draw.colormap);
  } else if (g_str_equal (pspec->name, "depth-range")) {
    set_range (style, object, value);
  } else if (g_str_equal (pspec->name, "source")) {
    style->draw.source = g_intern_string (g_value_get_string (value));
  } else if (g_str_equal (pspec->name, "device")) {
    g_free (style->device);
    style->device = g_value_dup_string (value);
  } else {
    return FALSE;
  }
  return TRUE;
}

static void
append_number (GValue *array, double number)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_DOUBLE);
  g_value_set_double (&value, number);
  gst_value_array_append_and_take_value (array, &value);
}

gboolean
gst_fovea_style_get_property (GstFoveaStyle *style, GParamSpec *pspec,
    GValue *value)
{
  if (g_str_equal (pspec->name, "palette")) {
    g_value_set_string (value, style->palette ? style->palette : "default");
  } else if (g_str_equal (pspec->name, "colormap")) {
    g_value_set_enum (value, style->colormap);
  } else if (g_str_equal (pspec->name, "depth-range")) {
    if (style->wanted.is_fixed) {
      append_number (value, style->wanted.low);
      append_number (value, style->wanted.high);
    }
  } else if (g_str_equal (pspec->name, "source")) {
    g_value_set_string (value,
        style->draw.source ? style->draw.source : "results");
  } else if (g_str_equal (pspec->name, "device")) {
    g_value_set_string (value, style->device);
  } else {
    return FALSE;
  }
  return TRUE;
}

void
gst_fovea_style_begin (GstFoveaStyle *style, gpointer object,
    GstFoveaDrawStyle *draw)
{
  GST_OBJECT_LOCK (object);
  *draw = style->draw;
  if (style->is_new) {
    style->range = style->wanted;
    style->is_new = FALSE;
  }
  GST_OBJECT_UNLOCK (object);
}

GstCaps *
gst_fovea_style_filter_caps (GstCaps *caps, GstCaps *filter)
{
  GstCaps *result;

  if (filter == NULL)
    return caps;
  result = gst_caps_intersect_full (filter, caps, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref (caps);
  return result;
}

GstCaps *
gst_fovea_style_other_format (GstCaps *caps, const char *format)
{
  GstCaps *result = gst_caps_copy (caps);

  for (guint i = 0; i < gst_caps_get_size (result); i++) {
    GstStructure *structure = gst_caps_get_structure (result, i);
    gst_structure_remove_fields (structure, "format", "colorimetry",
        "chroma-site", NULL);
    if (format)
      gst_structure_set (structure, "format", G_TYPE_STRING, format, NULL);
  }
  return gst_caps_simplify (result);
}

gboolean
gst_fovea_style_get_unit_size (GstBaseTransform *trans, GstCaps *caps,
    gsize *size)
{
  GstVideoInfo info;

  if (!gst_fovea_caps_to_info (caps, &info))
    return FALSE;
  *size = GST_VIDEO_INFO_SIZE (&info);
  return TRUE;
}

/* Pixels stay where they are: what is said about them stays right, but for what
 * depends on how they are stored. */
gboolean
gst_fovea_style_transform_meta (GstBaseTransform *trans, GstBuffer *out,
    GstMeta *meta, GstBuffer *in)
{
  GType api = meta->info->api;

  /* what comes out is the picture alone */
  return api != GST_VIDEO_META_API_TYPE && api != GST_VIDEO_CROP_META_API_TYPE
      && !gst_meta_api_type_has_tag (api,
          g_quark_from_static_string (GST_META_TAG_MEMORY_STR))
      && !gst_meta_api_type_has_tag (api,
          g_quark_from_static_string (GST_META_TAG_VIDEO_COLORSPACE_STR));
}
