/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-foveaoverlay
 *
 * Draws the results that other Fovea elements found on the frames, or on a
 * transparent background: segmentation masks, depth, boxes, labels and classes
 * of the whole frame. Frames keep their format and size, and pixels on which
 * nothing is drawn stay as they are; buffers without a result pass through. Of
 * several masks or depth maps that #GstFoveaOverlay:source selects the first is
 * drawn; results whose size is not the frame's are not.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=30 ! foveaoverlay alpha=0.6 ! videoconvert ! autovideosink
 * ]| Nothing is found in the test picture without an element such as foveadetect
 * in front, so it passes through.
 *
 * Since: 0.1
 */
#include <gst/base/gstbasetransform.h>
#include "gst/video/gstfoveacaps.h"
#include "gst/video/gstfoveadraw.h"
#include "gst/video/gstfoveaplace.h"
#include "plugins/gstfoveastyle.h"

GST_DEBUG_CATEGORY_STATIC (foveaoverlay);
#define GST_CAT_DEFAULT foveaoverlay

typedef enum
{
  GST_FOVEA_BACKGROUND_FRAME,
  GST_FOVEA_BACKGROUND_TRANSPARENT,
} GstFoveaBackground;

typedef struct
{
  GstBaseTransform parent;
  GstFoveaStyle style;
  GstFoveaBackground background;
  FvDevice *device;
  GstVideoInfo info; /* of what is drawn on */
  gboolean is_of_host; /* what its caps say of its memory */
  GstFoveaDraw *draw;
  GstFoveaImages *images; /* (nullable): made when frames must be copied */
} GstFoveaOverlay;
typedef struct
{
  GstBaseTransformClass parent_class;
} GstFoveaOverlayClass;

enum
{
  PROP_0,
  PROP_DRAW,
  PROP_ALPHA,
  PROP_DEPTH_INSET,
  PROP_THRESHOLD,
  PROP_LINE_WIDTH,
  PROP_FONT,
  PROP_BACKGROUND,
};

#define DEFAULT_DRAW \
  (GST_FOVEA_DRAW_MASK | GST_FOVEA_DRAW_DEPTH | GST_FOVEA_DRAW_BOXES \
      | GST_FOVEA_DRAW_LABELS)
#define DEFAULT_ALPHA 0.5
#define DEFAULT_FONT "Sans Bold"

static GType gst_fovea_overlay_get_type (void);
G_DEFINE_TYPE_WITH_CODE (GstFoveaOverlay, gst_fovea_overlay,
    GST_TYPE_BASE_TRANSFORM,
    GST_DEBUG_CATEGORY_INIT (foveaoverlay, "foveaoverlay", 0,
        "draws results on frames"))
GST_ELEMENT_REGISTER_DECLARE (foveaoverlay);
GST_ELEMENT_REGISTER_DEFINE (foveaoverlay, "foveaoverlay", GST_RANK_NONE,
    gst_fovea_overlay_get_type ())

static GType
gst_fovea_background_get_type (void)
{
  static const GEnumValue values[] = {
    { GST_FOVEA_BACKGROUND_FRAME, "The frame itself", "frame" },
    { GST_FOVEA_BACKGROUND_TRANSPARENT, "Nothing: RGBA with alpha",
        "transparent" },
    { 0, NULL, NULL },
  };
  static GType type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstFoveaBackground", values));
  return type;
}

static void
gst_fovea_overlay_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstFoveaOverlay *self = (GstFoveaOverlay *) object;
  GstFoveaDrawStyle *draw = &self->style.draw;

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_DRAW:
      draw->flags = g_value_get_flags (value);
      break;
    case PROP_ALPHA:
      draw->alpha = g_value_get_double (value);
      break;
    case PROP_DEPTH_INSET:
      draw->depth_inset = g_value_get_enum (value);
      break;
    case PROP_THRESHOLD:
      draw->threshold = g_value_get_double (value);
      break;
    case PROP_LINE_WIDTH:
      draw->line_width = g_value_get_uint (value);
      break;
    case PROP_FONT:
      draw->font = g_intern_string (g_value_get_string (value)
              ? g_value_get_string (value)
              : DEFAULT_FONT);
      break;
    case PROP_BACKGROUND:
      self->background = g_value_get_enum (value);
      break;
    default:
      if (!gst_fovea_style_set_property (&self->style, object, pspec, value))
        G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
  if (id == PROP_BACKGROUND)
    gst_base_transform_set_in_place (GST_BASE_TRANSFORM (self),
        self->background == GST_FOVEA_BACKGROUND_FRAME);
}

static void
gst_fovea_overlay_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstFoveaOverlay *self = (GstFoveaOverlay *) object;
  const GstFoveaDrawStyle *draw = &self->style.draw;

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_DRAW:
      g_value_set_flags (value, draw->flags);
      break;
    case PROP_ALPHA:
      g_value_set_double (value, draw->alpha);
      break;
    case PROP_DEPTH_INSET:
      g_value_set_enum (value, draw->depth_inset);
      break;
    case PROP_THRESHOLD:
      g_value_set_double (value, draw->threshold);
      break;
    case PROP_LINE_WIDTH:
      g_value_set_uint (value, draw->line_width);
      break;
    case PROP_FONT:
      g_value_set_string (value, draw->font);
      break;
    case PROP_BACKGROUND:
      g_value_set_enum (value, self->background);
      break;
    default:
      if (!gst_fovea_style_get_property (&self->style, pspec, value))
        G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

/* Caps are asked for by any thread, while the element stops too. */
static void
set_device (GstFoveaOverlay *self, FvDevice *device)
{
  FvDevice *old;

  GST_OBJECT_LOCK (self);
  old = self->device;
  self->device = device;
  GST_OBJECT_UNLOCK (self);
  fv_device_unref (old);
}

/* (transfer full) (nullable) */
static FvDevice *
get_device (GstFoveaOverlay *self)
{
  FvDevice *device;

  GST_OBJECT_LOCK (self);
  device = self->device ? fv_device_ref (self->device) : NULL;
  GST_OBJECT_UNLOCK (self);
  return device;
}

static gboolean
gst_fovea_overlay_start (GstBaseTransform *trans)
{
  GstFoveaOverlay *self = (GstFoveaOverlay *) trans;
  FvDevice *device;
  g_autoptr (GError) error = NULL;

  if (!gst_fovea_style_start (&self->style, GST_ELEMENT (self)))
    return FALSE;
  device = gst_fovea_images_open (GST_ELEMENT (self),
      GST_BASE_TRANSFORM_SINK_PAD (trans), self->style.device, &error);
  if (device == NULL)
    GST_ELEMENT_ERROR (self, RESOURCE, OPEN_READ_WRITE, ("%s", error->message),
        (NULL));
  set_device (self, device);
  return device != NULL;
}

static gboolean
gst_fovea_overlay_stop (GstBaseTransform *trans)
{
  GstFoveaOverlay *self = (GstFoveaOverlay *) trans;

  g_clear_pointer (&self->draw, gst_fovea_draw_free);
  g_clear_pointer (&self->images, gst_fovea_images_free);
  set_device (self, NULL);
  return TRUE;
}

static GstCaps *
gst_fovea_overlay_transform_caps (GstBaseTransform *trans,
    GstPadDirection direction, GstCaps *caps, GstCaps *filter)
{
  GstFoveaOverlay *self = (GstFoveaOverlay *) trans;
  g_autoptr (FvDevice) device = get_device (self);

  if (self->background == GST_FOVEA_BACKGROUND_FRAME)
    return gst_fovea_style_filter_caps (
        gst_fovea_caps_filter (device, gst_caps_ref (caps)), filter);
  return gst_fovea_style_filter_caps (
      gst_fovea_caps_of_host (gst_fovea_style_other_format (caps,
          direction == GST_PAD_SINK ? "RGBA" : NULL)),
      filter);
}

static gboolean
gst_fovea_overlay_set_caps (GstBaseTransform *trans, GstCaps *in, GstCaps *out)
{
  GstFoveaOverlay *self = (GstFoveaOverlay *) trans;
  gboolean transparent = self->background == GST_FOVEA_BACKGROUND_TRANSPARENT;
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&self->draw, gst_fovea_draw_free);
  if (!gst_fovea_caps_to_info (out, &self->info))
    return FALSE;
  self->is_of_host = gst_fovea_caps_are_of_host (out);
  self->draw =
      gst_fovea_draw_new (self->device, &self->info, transparent, &error);
  if (self->draw == NULL)
    GST_ELEMENT_ERROR (self, RESOURCE, FAILED, ("%s", error->message), (NULL));
  return self->draw != NULL;
}

static gboolean
gst_fovea_overlay_query (GstBaseTransform *trans, GstPadDirection direction,
    GstQuery *query)
{
  g_autoptr (FvDevice) device = get_device ((GstFoveaOverlay *) trans);

  return gst_fovea_images_answer (device, GST_ELEMENT (trans), query)
      || GST_BASE_TRANSFORM_CLASS (gst_fovea_overlay_parent_class)
             ->query (trans, direction, query);
}

/* In place the frames go on as they are, so downstream decides on their layout. */
static gboolean
gst_fovea_overlay_propose_allocation (GstBaseTransform *trans,
    GstQuery *decide_query, GstQuery *query)
{
  GstFoveaOverlay *self = (GstFoveaOverlay *) trans;

  if (self->background == GST_FOVEA_BACKGROUND_FRAME)
    return gst_pad_peer_query (GST_BASE_TRANSFORM_SRC_PAD (trans), query);
  gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  return TRUE;
}

static gboolean
gst_fovea_overlay_has_work (GstFoveaOverlay *self, GstBuffer *buffer)
{
  gboolean has_work;

  GST_OBJECT_LOCK (self);
  has_work = gst_fovea_draw_has_work (&self->style.draw, buffer);
  GST_OBJECT_UNLOCK (self);
  return has_work;
}

static gboolean
is_shared (GstBuffer *buffer)
{
  return !gst_buffer_is_writable (buffer)
      || !gst_buffer_is_all_memory_writable (buffer);
}

/* A copy would be memory of the host, which is not what the caps say. */
static GstFlowReturn
gst_fovea_overlay_refuse_shared (GstFoveaOverlay *self)
{
  GST_ELEMENT_ERROR (self, STREAM, WRONG_TYPE,
      ("Cannot draw on a frame of memory:DMABuf that others read too."),
      ("Put the element in front of the tee, or caps of video/x-raw without "
       "memory:DMABuf behind it."));
  return GST_FLOW_ERROR;
}

/* Images that others see too are copied, by the device. */
static GstFlowReturn
gst_fovea_overlay_own_images (GstFoveaOverlay *self, GstBuffer *in,
    GstBuffer **out)
{
  g_autoptr (GError) error = NULL;

  *out = in;
  if (!is_shared (in))
    return GST_FLOW_OK;
  *out = NULL;
  if (self->images == NULL)
    self->images = gst_fovea_images_new (self->device, &error);
  if (self->images)
    *out = gst_fovea_images_copy (self->images, in, &self->info, &error);
  if (*out)
    return GST_FLOW_OK;
  GST_ELEMENT_ERROR (self, RESOURCE, FAILED, ("%s", error->message), (NULL));
  return GST_FLOW_ERROR;
}

/* A frame on which nothing is drawn goes on as it is, without a copy. */
static GstFlowReturn
gst_fovea_overlay_prepare (GstBaseTransform *trans, GstBuffer *in,
    GstBuffer **out)
{
  GstFoveaOverlay *self = (GstFoveaOverlay *) trans;

  if (self->background == GST_FOVEA_BACKGROUND_TRANSPARENT)
    return GST_BASE_TRANSFORM_CLASS (gst_fovea_overlay_parent_class)
        ->prepare_output_buffer (trans, in, out);
  if (!gst_fovea_overlay_has_work (self, in))
    *out = in;
  else if (gst_fovea_images_are_in (in))
    return gst_fovea_overlay_own_images (self, in, out);
  else if (!self->is_of_host && is_shared (in))
    return gst_fovea_overlay_refuse_shared (self);
  else if (gst_buffer_is_writable (in))
    *out = in;
  else
    *out = gst_buffer_copy (in);
  return GST_FLOW_OK;
}

/* Draws the results of @results on @target, with the properties of now. */
static GstFlowReturn
gst_fovea_overlay_draw (GstFoveaOverlay *self, GstBuffer *results,
    GstBuffer *target)
{
  gboolean transparent = self->background == GST_FOVEA_BACKGROUND_TRANSPARENT;
  g_autoptr (GError) error = NULL;
  GstFoveaDrawStyle style;
  GstVideoFrame frame;
  gboolean is_drawn;

  if (!gst_fovea_place_map (&frame, self->device, &self->info, target,
          transparent ? GST_MAP_WRITE : GST_MAP_READWRITE)) {
    GST_ELEMENT_ERROR (self, RESOURCE, READ, ("Cannot map the frame."),
        ("%" GST_PTR_FORMAT, target));
    return GST_FLOW_ERROR;
  }
  gst_fovea_style_begin (&self->style, self, &style);
  is_drawn = gst_fovea_draw_run (self->draw, &style, &self->style.range,
      results, &frame, &error);
  gst_fovea_images_unmap (&frame);
  if (is_drawn)
    return GST_FLOW_OK;
  GST_ELEMENT_ERROR (self, RESOURCE, FAILED, ("%s", error->message), (NULL));
  return GST_FLOW_ERROR;
}

static GstFlowReturn
gst_fovea_overlay_transform_ip (GstBaseTransform *trans, GstBuffer *buffer)
{
  GstFoveaOverlay *self = (GstFoveaOverlay *) trans;

  if (!gst_fovea_overlay_has_work (self, buffer))
    return GST_FLOW_OK;
  return gst_fovea_overlay_draw (self, buffer, buffer);
}

static GstFlowReturn
gst_fovea_overlay_transform (GstBaseTransform *trans, GstBuffer *in,
    GstBuffer *out)
{
  return gst_fovea_overlay_draw ((GstFoveaOverlay *) trans, in, out);
}

static void
gst_fovea_overlay_finalize (GObject *object)
{
  gst_fovea_style_clear (&((GstFoveaOverlay *) object)->style);
  G_OBJECT_CLASS (gst_fovea_overlay_parent_class)->finalize (object);
}

static void
gst_fovea_overlay_class_init (GstFoveaOverlayClass *klass)
{
  GObjectClass *object = G_OBJECT_CLASS (klass);
  GstElementClass *element = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans = GST_BASE_TRANSFORM_CLASS (klass);
  const GParamFlags playing =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;
  g_autoptr (GstCaps) caps = gst_fovea_caps_template ();

  object->set_property = gst_fovea_overlay_set_property;
  object->get_property = gst_fovea_overlay_get_property;
  object->finalize = gst_fovea_overlay_finalize;
  g_object_class_install_property (object, PROP_DRAW,
      g_param_spec_flags ("draw", "What to draw", "Kinds of results drawn",
          GST_TYPE_FOVEA_DRAW_FLAGS, DEFAULT_DRAW, playing));
  g_object_class_install_property (object, PROP_ALPHA,
      g_param_spec_double ("alpha", "Opacity",
          "Opacity of masks and depth, 0 to 1", 0, 1, DEFAULT_ALPHA, playing));
  g_object_class_install_property (object, PROP_DEPTH_INSET,
      g_param_spec_enum ("depth-inset", "Depth inset",
          "Corner in which depth is drawn as a small picture, instead of over "
          "the frame",
          GST_TYPE_FOVEA_DEPTH_INSET, GST_FOVEA_DEPTH_INSET_NONE, playing));
  g_object_class_install_property (object, PROP_THRESHOLD,
      g_param_spec_double ("threshold", "Threshold",
          "Boxes with a lower confidence than this are not drawn; those "
          "without one always are",
          0, 1, 0, playing));
  g_object_class_install_property (object, PROP_LINE_WIDTH,
      g_param_spec_uint ("line-width", "Line width",
          "Width of the boxes' lines in pixels, 0: by the size of the frame", 0,
          256, 0, playing));
  g_object_class_install_property (object, PROP_FONT,
      g_param_spec_string ("font", "Font",
          "Font of labels as Pango describes it; without a size (in pixels), "
          "by the size of the frame",
          DEFAULT_FONT, playing));
  g_object_class_install_property (object, PROP_BACKGROUND,
      g_param_spec_enum ("background", "Background",
          "What is drawn on: the frame, or nothing, which gives RGBA frames",
          gst_fovea_background_get_type (), GST_FOVEA_BACKGROUND_FRAME,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));
  gst_fovea_style_install (object);
  gst_element_class_add_pad_template (element,
      gst_pad_template_new ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
  gst_element_class_add_pad_template (element,
      gst_pad_template_new ("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
  gst_element_class_set_static_metadata (element, "Fovea overlay",
      "Filter/Editor/Video",
      "Draws masks, depth, boxes and labels on frames, on the GPU", "Fovea");
  trans->start = gst_fovea_overlay_start;
  trans->stop = gst_fovea_overlay_stop;
  trans->transform_caps = gst_fovea_overlay_transform_caps;
  trans->get_unit_size = gst_fovea_style_get_unit_size;
  trans->transform_meta = gst_fovea_style_transform_meta;
  trans->query = gst_fovea_overlay_query;
  trans->set_caps = gst_fovea_overlay_set_caps;
  trans->propose_allocation = gst_fovea_overlay_propose_allocation;
  trans->prepare_output_buffer = gst_fovea_overlay_prepare;
  trans->transform = gst_fovea_overlay_transform;
  trans->transform_ip = gst_fovea_overlay_transform_ip;
}

static void
gst_fovea_overlay_init (GstFoveaOverlay *self)
{
  gst_fovea_style_init (&self->style);
  self->style.draw.flags = DEFAULT_DRAW;
  self->style.draw.alpha = DEFAULT_ALPHA;
  self->style.draw.font = g_intern_static_string (DEFAULT_FONT);
  gst_base_transform_set_in_place (GST_BASE_TRANSFORM (self), TRUE);
}
