/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-foveaevaluate
 * @title: foveaevaluate
 * @short_description: Compares the results on video frames with what is true of them
 *
 * Compares what inference elements found with the truth that a source such as
 * foveascenesrc put on each frame: mean intersection over union and pixel accuracy
 * of classes, AbsRel, RMSE and delta1 of depth, average precision of boxes. Frames
 * pass as they are. The property #GstFoveaEvaluate:stats has the figures so far; at
 * the end of the stream they are posted as an element message, which `gst-launch-1.0
 * -m` prints.
 *
 * Classes are told by their labels, so a model need not know all of them, nor in
 * the same order. True boxes that are small or mostly hidden can be left out.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -m foveascenesrc num-buffers=5 ! foveaevaluate ! fakesink
 * ]| Without an inference element in between there is nothing to compare.
 *
 * Since: 0.1
 */
#include <gst/base/gstbasetransform.h>
#include "gst/video/gstfoveascore.h"

GST_DEBUG_CATEGORY_STATIC (foveaevaluate_debug);
#define GST_CAT_DEFAULT foveaevaluate_debug

enum
{
  PROP_SOURCE = 1,
  PROP_MIN_SIZE,
  PROP_MAX_OCCLUSION,
  PROP_MAX_DEPTH,
  PROP_STATS,
};

/* KITTI's "moderate" boxes have 25 pixels of height and more and are at most partly
 * hidden (A. Geiger et al., Are we ready for Autonomous Driving?, 2012); its depth is
 * judged to 80 m (D. Eigen et al., 2014). */
#define DEFAULT_MIN_SIZE 16
#define DEFAULT_MAX_OCCLUSION 0.8
#define DEFAULT_MAX_DEPTH 80

typedef struct
{
  GstBaseTransform parent;
  GstVideoInfo info;
  char *source; /* with the object's lock, as are the next two */
  GstFoveaScoreLimits limits;
  GstFoveaScore *score;
} GstFoveaEvaluate;

typedef struct
{
  GstBaseTransformClass parent_class;
} GstFoveaEvaluateClass;

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (
            GST_VIDEO_FORMATS_ALL) ";" GST_VIDEO_CAPS_MAKE_WITH_FEATURES ("ANY",
            GST_VIDEO_FORMATS_ALL)));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (
            GST_VIDEO_FORMATS_ALL) ";" GST_VIDEO_CAPS_MAKE_WITH_FEATURES ("ANY",
            GST_VIDEO_FORMATS_ALL)));

GType gst_fovea_evaluate_get_type (void);
G_DEFINE_TYPE (GstFoveaEvaluate, gst_fovea_evaluate, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DECLARE (foveaevaluate);
GST_ELEMENT_REGISTER_DEFINE (foveaevaluate, "foveaevaluate", GST_RANK_NONE,
    gst_fovea_evaluate_get_type ())

static gboolean
gst_fovea_evaluate_set_caps (GstBaseTransform *trans, GstCaps *in, GstCaps *out)
{
  return gst_video_info_from_caps (&((GstFoveaEvaluate *) trans)->info, in);
}

static GstFlowReturn
gst_fovea_evaluate_transform_ip (GstBaseTransform *trans, GstBuffer *buffer)
{
  GstFoveaEvaluate *self = (GstFoveaEvaluate *) trans;
  g_autofree char *source = NULL;
  gboolean is_added;

  GST_OBJECT_LOCK (self);
  source = g_strdup (self->source);
  is_added = gst_fovea_score_add (self->score, buffer, source,
      (guint) GST_VIDEO_INFO_WIDTH (&self->info),
      (guint) GST_VIDEO_INFO_HEIGHT (&self->info), &self->limits);
  GST_OBJECT_UNLOCK (self);
  if (is_added)
    return GST_FLOW_OK;
  GST_ELEMENT_ERROR (self, RESOURCE, READ,
      ("A result on a frame cannot be read from the device"), (NULL));
  return GST_FLOW_ERROR;
}

static GstStructure *
get_stats (GstFoveaEvaluate *self)
{
  GST_OBJECT_LOCK (self);
  GstStructure *stats = gst_fovea_score_get (self->score);
  GST_OBJECT_UNLOCK (self);
  return stats;
}

static gboolean
gst_fovea_evaluate_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    gst_element_post_message (GST_ELEMENT (trans),
        gst_message_new_element (GST_OBJECT (trans),
            get_stats ((GstFoveaEvaluate *) trans)));
  return GST_BASE_TRANSFORM_CLASS (gst_fovea_evaluate_parent_class)
      ->sink_event (trans, event);
}

static gboolean
gst_fovea_evaluate_start (GstBaseTransform *trans)
{
  GstFoveaEvaluate *self = (GstFoveaEvaluate *) trans;

  GST_OBJECT_LOCK (self);
  gst_fovea_score_free (self->score);
  self->score = gst_fovea_score_new ();
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static void
gst_fovea_evaluate_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *spec)
{
  GstFoveaEvaluate *self = (GstFoveaEvaluate *) object;

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_SOURCE:
      g_free (self->source);
      self->source = g_value_dup_string (value);
      break;
    case PROP_MIN_SIZE:
      self->limits.min_size = g_value_get_uint (value);
      break;
    case PROP_MAX_OCCLUSION:
      self->limits.max_occlusion = g_value_get_double (value);
      break;
    case PROP_MAX_DEPTH:
      self->limits.max_depth = g_value_get_double (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_fovea_evaluate_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *spec)
{
  GstFoveaEvaluate *self = (GstFoveaEvaluate *) object;

  if (id == PROP_STATS) {
    g_value_take_boxed (value, get_stats (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_SOURCE:
      g_value_set_string (value, self->source ? self->source : "results");
      break;
    case PROP_MIN_SIZE:
      g_value_set_uint (value, self->limits.min_size);
      break;
    case PROP_MAX_OCCLUSION:
      g_value_set_double (value, self->limits.max_occlusion);
      break;
    case PROP_MAX_DEPTH:
      g_value_set_double (value, self->limits.max_depth);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_fovea_evaluate_finalize (GObject *object)
{
  GstFoveaEvaluate *self = (GstFoveaEvaluate *) object;

  gst_fovea_score_free (self->score);
  g_free (self->source);
  G_OBJECT_CLASS (gst_fovea_evaluate_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *class)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  g_object_class_install_property (class, PROP_SOURCE,
      g_param_spec_string ("source", "Source",
          "Whose results: results, or the name of an element", "results",
          flags));
  g_object_class_install_property (class, PROP_MIN_SIZE,
      g_param_spec_uint ("min-size", "Least size",
          "True boxes whose longer side has fewer pixels are left out", 0,
          G_MAXINT, DEFAULT_MIN_SIZE, flags));
  g_object_class_install_property (class, PROP_MAX_OCCLUSION,
      g_param_spec_double ("max-occlusion", "Greatest occlusion",
          "True boxes of which a greater part is hidden are left out", 0, 1,
          DEFAULT_MAX_OCCLUSION, flags));
  g_object_class_install_property (class, PROP_MAX_DEPTH,
      g_param_spec_double ("max-depth", "Greatest depth",
          "Pixels that are truly farther, in metres, are left out; 0: none", 0,
          G_MAXDOUBLE, DEFAULT_MAX_DEPTH, flags));
  g_object_class_install_property (class, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics", "The figures so far",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
gst_fovea_evaluate_class_init (GstFoveaEvaluateClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);
  GstBaseTransformClass *trans = GST_BASE_TRANSFORM_CLASS (class);

  GST_DEBUG_CATEGORY_INIT (foveaevaluate_debug, "foveaevaluate", 0,
      "results against the truth");
  object_class->set_property = gst_fovea_evaluate_set_property;
  object_class->get_property = gst_fovea_evaluate_get_property;
  object_class->finalize = gst_fovea_evaluate_finalize;
  install_properties (object_class);
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "Fovea evaluation",
      "Filter/Analyzer/Video",
      "Compares the results on video frames with what is true of them",
      "Fovea");
  trans->set_caps = gst_fovea_evaluate_set_caps;
  trans->start = gst_fovea_evaluate_start;
  trans->sink_event = gst_fovea_evaluate_sink_event;
  trans->transform_ip = gst_fovea_evaluate_transform_ip;
  trans->passthrough_on_same_caps = TRUE;
  trans->transform_ip_on_passthrough = TRUE;
}

static void
gst_fovea_evaluate_init (GstFoveaEvaluate *self)
{
  self->limits = (GstFoveaScoreLimits){ DEFAULT_MIN_SIZE, DEFAULT_MAX_OCCLUSION,
    DEFAULT_MAX_DEPTH };
  self->score = gst_fovea_score_new ();
}
