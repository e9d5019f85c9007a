/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-foveaextract
 *
 * Turns one result into video of the frame's size: a mask of class ids (GRAY8, or
 * GRAY16_LE where downstream wants that), the same in colours (RGBA), a matte of
 * what is not background (GRAY8), the numbers of things that were found one by one
 * (as a mask, 0 for none), depth (GRAY16_LE) or depth in colours (RGBA).
 *
 * Metric depth is in millimetres up to 65.535 m. Depth without a unit is spread
 * over 1 to 65535 by #GstFoveaExtract:depth-range. 0 means that nothing is known.
 * In a mask the highest value (255 or 65535) means no class. A frame without such
 * a result gives a picture of those values, and transparent colours. A matte is
 * made of all classes but the background, or of #GstFoveaExtract:classes.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=30 ! foveaextract what=matte ! videoconvert ! autovideosink
 * ]| Nothing is found in the test picture without an element such as
 * foveasegment in front, so the matte is black.
 *
 * Since: 0.1
 */
#include <gst/base/gstbasetransform.h>
#include "gst/video/gstfoveadraw.h"
#include "gst/video/gstfoveavalues.h"
#include "plugins/gstfoveastyle.h"

GST_DEBUG_CATEGORY_STATIC (foveaextract);
#define GST_CAT_DEFAULT foveaextract

typedef enum
{
  GST_FOVEA_EXTRACT_MASK,
  GST_FOVEA_EXTRACT_PALETTE,
  GST_FOVEA_EXTRACT_MATTE,
  GST_FOVEA_EXTRACT_DEPTH,
  GST_FOVEA_EXTRACT_DEPTH_COLOUR,
  GST_FOVEA_EXTRACT_INSTANCES,
} GstFoveaExtractWhat;

typedef struct
{
  GstBaseTransform parent;
  GstFoveaStyle style;
  GstFoveaExtractWhat what;
  char **classes; /* (nullable) */
  gboolean is_warned; /* about a class that is none */
  FvDevice *device; /* (nullable): for colours alone */
  GstVideoInfo info; /* of the output */
  GstFoveaDraw *draw;
} GstFoveaExtract;
typedef struct
{
  GstBaseTransformClass parent_class;
} GstFoveaExtractClass;

enum
{
  PROP_0,
  PROP_WHAT,
  PROP_CLASSES,
};

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (GST_VIDEO_FORMATS_ALL)));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE ("{ GRAY8, GRAY16_LE, RGBA }")));

static GType gst_fovea_extract_get_type (void);
G_DEFINE_TYPE_WITH_CODE (GstFoveaExtract, gst_fovea_extract,
    GST_TYPE_BASE_TRANSFORM,
    GST_DEBUG_CATEGORY_INIT (foveaextract, "foveaextract", 0,
        "turns results into video"))
GST_ELEMENT_REGISTER_DECLARE (foveaextract);
GST_ELEMENT_REGISTER_DEFINE (foveaextract, "foveaextract", GST_RANK_NONE,
    gst_fovea_extract_get_type ())

static GType
gst_fovea_extract_what_get_type (void)
{
  static const GEnumValue values[] = {
    { GST_FOVEA_EXTRACT_MASK, "Class ids", "mask" },
    { GST_FOVEA_EXTRACT_PALETTE, "Classes in colours", "palette" },
    { GST_FOVEA_EXTRACT_MATTE, "What is not background", "matte" },
    { GST_FOVEA_EXTRACT_DEPTH, "Depth", "depth" },
    { GST_FOVEA_EXTRACT_DEPTH_COLOUR, "Depth in colours", "depth-colour" },
    { GST_FOVEA_EXTRACT_INSTANCES, "Numbers of things", "instances" },
    { 0, NULL, NULL },
  };
  static GType type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstFoveaExtractWhat", values));
  return type;
}

static void
set_classes (GstFoveaExtract *self, const char *list)
{
  g_strfreev (self->classes);
  self->classes = NULL;
  self->is_warned = FALSE;
  if (list == NULL || *list == 0)
    return;
  self->classes = g_strsplit (list, ",", -1);
  for (guint i = 0; self->classes[i] != NULL; i++)
    g_strstrip (self->classes[i]);
}

static void
gst_fovea_extract_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstFoveaExtract *self = (GstFoveaExtract *) object;

  GST_OBJECT_LOCK (self);
  if (id == PROP_WHAT)
    self->what = g_value_get_enum (value);
  else if (id == PROP_CLASSES)
    set_classes (self, g_value_get_string (value));
  else if (!gst_fovea_style_set_property (&self->style, object, pspec, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static void
gst_fovea_extract_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstFoveaExtract *self = (GstFoveaExtract *) object;

  GST_OBJECT_LOCK (self);
  if (id == PROP_WHAT)
    g_value_set_enum (value, self->what);
  else if (id == PROP_CLASSES)
    g_value_take_string (value,
        self->classes ? g_strjoinv (",", self->classes) : NULL);
  else if (!gst_fovea_style_get_property (&self->style, pspec, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static gboolean
gst_fovea_extract_is_coloured (GstFoveaExtract *self)
{
  return self->what == GST_FOVEA_EXTRACT_PALETTE
      || self->what == GST_FOVEA_EXTRACT_DEPTH_COLOUR;
}

static gboolean
gst_fovea_extract_start (GstBaseTransform *trans)
{
  GstFoveaExtract *self = (GstFoveaExtract *) trans;
  g_autoptr (GError) error = NULL;

  if (!gst_fovea_style_start (&self->style, GST_ELEMENT (self)))
    return FALSE;
  if (!gst_fovea_extract_is_coloured (self))
    return TRUE;
  self->device = fv_device_open (self->style.device, &error);
  if (self->device == NULL)
    GST_ELEMENT_ERROR (self, RESOURCE, OPEN_READ_WRITE, ("%s", error->message),
        (NULL));
  return self->device != NULL;
}

static gboolean
gst_fovea_extract_stop (GstBaseTransform *trans)
{
  GstFoveaExtract *self = (GstFoveaExtract *) trans;

  g_clear_pointer (&self->draw, gst_fovea_draw_free);
  g_clear_pointer (&self->device, fv_device_unref);
  return TRUE;
}

static GstCaps *
gst_fovea_extract_transform_caps (GstBaseTransform *trans,
    GstPadDirection direction, GstCaps *caps, GstCaps *filter)
{
  GstFoveaExtract *self = (GstFoveaExtract *) trans;
  GstCaps *result;

  if (direction == GST_PAD_SRC)
    return gst_fovea_style_filter_caps (
        gst_fovea_style_other_format (caps, NULL), filter);
  switch (self->what) {
    case GST_FOVEA_EXTRACT_MASK:
    case GST_FOVEA_EXTRACT_INSTANCES:
      result = gst_fovea_style_other_format (caps, "GRAY8");
      gst_caps_append (result,
          gst_fovea_style_other_format (caps, "GRAY16_LE"));
      break;
    case GST_FOVEA_EXTRACT_MATTE:
      result = gst_fovea_style_other_format (caps, "GRAY8");
      break;
    case GST_FOVEA_EXTRACT_DEPTH:
      result = gst_fovea_style_other_format (caps, "GRAY16_LE");
      break;
    default:
      result = gst_fovea_style_other_format (caps, "RGBA");
  }
  return gst_fovea_style_filter_caps (result, filter);
}

static gboolean
gst_fovea_extract_set_caps (GstBaseTransform *trans, GstCaps *in, GstCaps *out)
{
  GstFoveaExtract *self = (GstFoveaExtract *) trans;
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&self->draw, gst_fovea_draw_free);
  if (!gst_video_info_from_caps (&self->info, out))
    return FALSE;
  if (!gst_fovea_extract_is_coloured (self))
    return TRUE;
  self->draw = gst_fovea_draw_new (self->device, &self->info, TRUE, &error);
  if (self->draw == NULL)
    GST_ELEMENT_ERROR (self, RESOURCE, FAILED, ("%s", error->message), (NULL));
  return self->draw != NULL;
}

static gboolean
gst_fovea_extract_propose_allocation (GstBaseTransform *trans,
    GstQuery *decide_query, GstQuery *query)
{
  gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  return TRUE;
}

static gboolean
fill_values (GstFoveaExtract *self, GstBuffer *in, const char *source,
    GstVideoFrame *frame)
{
  static const GstFoveaValues kinds[] = {
    [GST_FOVEA_EXTRACT_MASK] = GST_FOVEA_VALUES_IDS,
    [GST_FOVEA_EXTRACT_MATTE] = GST_FOVEA_VALUES_MATTE,
    [GST_FOVEA_EXTRACT_DEPTH] = GST_FOVEA_VALUES_DEPTH,
    [GST_FOVEA_EXTRACT_INSTANCES] = GST_FOVEA_VALUES_INSTANCES,
  };
  GstFoveaValuesWish wish = { kinds[self->what], source };
  g_auto (GStrv) classes = NULL;
  const char *unknown;
  gboolean is_good, warns;

  GST_OBJECT_LOCK (self);
  classes = g_strdupv (self->classes);
  GST_OBJECT_UNLOCK (self);
  wish.classes = (const char *const *) classes;
  is_good =
      gst_fovea_values_fill (&wish, in, &self->style.range, frame, &unknown);
  GST_OBJECT_LOCK (self);
  warns = unknown != NULL && !self->is_warned;
  self->is_warned |= warns;
  GST_OBJECT_UNLOCK (self);
  if (warns)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("classes: '%s' is neither a label nor a number of a class of these "
         "results.",
            unknown),
        (NULL));
  return is_good;
}

static GstFlowReturn
gst_fovea_extract_transform (GstBaseTransform *trans, GstBuffer *in,
    GstBuffer *out)
{
  GstFoveaExtract *self = (GstFoveaExtract *) trans;
  g_autoptr (GError) error = NULL;
  GstFoveaDrawStyle style;
  GstVideoFrame frame;
  gboolean is_good;

  gst_fovea_style_begin (&self->style, self, &style);
  style.alpha = 1;
  style.is_by_class = TRUE;
  style.flags = self->what == GST_FOVEA_EXTRACT_PALETTE ? GST_FOVEA_DRAW_MASK
                                                        : GST_FOVEA_DRAW_DEPTH;
  if (!gst_video_frame_map (&frame, &self->info, out, GST_MAP_WRITE)) {
    GST_ELEMENT_ERROR (self, RESOURCE, WRITE, ("Cannot map the frame."),
        ("%" GST_PTR_FORMAT, out));
    return GST_FLOW_ERROR;
  }
  if (self->draw)
    is_good = gst_fovea_draw_run (self->draw, &style, &self->style.range, in,
        &frame, &error);
  else
    is_good = fill_values (self, in, style.source, &frame);
  gst_video_frame_unmap (&frame);
  if (is_good)
    return GST_FLOW_OK;
  GST_ELEMENT_ERROR (self, RESOURCE, FAILED,
      ("%s", error ? error->message : "Cannot read the result."), (NULL));
  return GST_FLOW_ERROR;
}

static void
gst_fovea_extract_finalize (GObject *object)
{
  gst_fovea_style_clear (&((GstFoveaExtract *) object)->style);
  g_strfreev (((GstFoveaExtract *) object)->classes);
  G_OBJECT_CLASS (gst_fovea_extract_parent_class)->finalize (object);
}

static void
gst_fovea_extract_class_init (GstFoveaExtractClass *klass)
{
  GObjectClass *object = G_OBJECT_CLASS (klass);
  GstElementClass *element = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans = GST_BASE_TRANSFORM_CLASS (klass);

  object->set_property = gst_fovea_extract_set_property;
  object->get_property = gst_fovea_extract_get_property;
  object->finalize = gst_fovea_extract_finalize;
  g_object_class_install_property (object, PROP_WHAT,
      g_param_spec_enum ("what", "What to extract",
          "The result that becomes video, and its form",
          gst_fovea_extract_what_get_type (), GST_FOVEA_EXTRACT_MASK,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));
  /**
   * GstFoveaExtract:classes:
   *
   * Labels or numbers of classes, separated by commas: what a matte is made of. All
   * but the background if empty.
   *
   * Since: 0.1
   */
  g_object_class_install_property (object, PROP_CLASSES,
      g_param_spec_string ("classes", "Classes",
          "Labels or numbers, separated by commas, of what a matte is made of; "
          "empty: all but the background",
          NULL,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_PLAYING));
  gst_fovea_style_install (object);
  gst_element_class_add_static_pad_template (element, &sink_template);
  gst_element_class_add_static_pad_template (element, &src_template);
  gst_element_class_set_static_metadata (element, "Fovea extract",
      "Filter/Converter/Video", "Turns a mask or depth into video", "Fovea");
  trans->start = gst_fovea_extract_start;
  trans->stop = gst_fovea_extract_stop;
  trans->transform_caps = gst_fovea_extract_transform_caps;
  trans->get_unit_size = gst_fovea_style_get_unit_size;
  trans->transform_meta = gst_fovea_style_transform_meta;
  trans->set_caps = gst_fovea_extract_set_caps;
  trans->propose_allocation = gst_fovea_extract_propose_allocation;
  trans->transform = gst_fovea_extract_transform;
}

static void
gst_fovea_extract_init (GstFoveaExtract *self)
{
  gst_fovea_style_init (&self->style);
}
