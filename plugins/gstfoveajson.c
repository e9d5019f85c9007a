/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-foveajson
 *
 * Writes the results on each frame as one line of JSON: boxes and classes with
 * the keys of DL Streamer's gvametaconvert (resolution, source, timestamp,
 * objects with x, y, w, h, region_id, roi_type, detection and attributes), the
 * area of each class of a mask in pixels of the frame, the least, greatest and
 * mean depth, and who found it. Every frame gives a line, also one without
 * results; the frames themselves end here.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=5 ! foveajson ! fdsink
 * ]| Five lines without results; put foveadetect in front for some.
 *
 * Since: 0.1
 */
#include <gst/base/gstbasetransform.h>
#include "gst/video/gstfoveareport.h"

GST_DEBUG_CATEGORY_STATIC (foveajson);
#define GST_CAT_DEFAULT foveajson

typedef struct
{
  GstBaseTransform parent;
  char *source; /* guarded by the object lock */
  GstVideoInfo info;
} GstFoveaJson;
typedef struct
{
  GstBaseTransformClass parent_class;
} GstFoveaJsonClass;

enum
{
  PROP_0,
  PROP_SOURCE,
};

#define JSON_CAPS "application/x-json"

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (
            GST_VIDEO_FORMATS_ALL) ";" GST_VIDEO_CAPS_MAKE_WITH_FEATURES ("ANY",
            GST_VIDEO_FORMATS_ALL)));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (JSON_CAPS));

static GType gst_fovea_json_get_type (void);
G_DEFINE_TYPE_WITH_CODE (GstFoveaJson, gst_fovea_json, GST_TYPE_BASE_TRANSFORM,
    GST_DEBUG_CATEGORY_INIT (foveajson, "foveajson", 0,
        "results as lines of JSON"))
GST_ELEMENT_REGISTER_DECLARE (foveajson);
GST_ELEMENT_REGISTER_DEFINE (foveajson, "foveajson", GST_RANK_NONE,
    gst_fovea_json_get_type ())

static void
gst_fovea_json_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstFoveaJson *self = (GstFoveaJson *) object;

  if (id != PROP_SOURCE) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    return;
  }
  GST_OBJECT_LOCK (self);
  g_free (self->source);
  self->source = g_value_dup_string (value);
  GST_OBJECT_UNLOCK (self);
}

static void
gst_fovea_json_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstFoveaJson *self = (GstFoveaJson *) object;

  if (id != PROP_SOURCE) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    return;
  }
  GST_OBJECT_LOCK (self);
  g_value_set_string (value, self->source ? self->source : "results");
  GST_OBJECT_UNLOCK (self);
}

static GstCaps *
gst_fovea_json_transform_caps (GstBaseTransform *trans,
    GstPadDirection direction, GstCaps *caps, GstCaps *filter)
{
  GstCaps *result = gst_static_pad_template_get_caps (
      direction == GST_PAD_SINK ? &src_template : &sink_template);
  GstCaps *wanted;

  if (filter == NULL)
    return result;
  wanted = gst_caps_intersect_full (filter, result, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref (result);
  return wanted;
}

static gboolean
gst_fovea_json_set_caps (GstBaseTransform *trans, GstCaps *in, GstCaps *out)
{
  return gst_video_info_from_caps (&((GstFoveaJson *) trans)->info, in);
}

/* Frames are not looked at, so any layout and memory will do. */
static gboolean
gst_fovea_json_propose_allocation (GstBaseTransform *trans,
    GstQuery *decide_query, GstQuery *query)
{
  gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  return TRUE;
}

/* From when the frame was due until now, on a running clock. */
static GstClockTime
gst_fovea_json_latency (GstBaseTransform *trans, GstClockTime pts)
{
  GstClockTime due =
      gst_segment_to_running_time (&trans->segment, GST_FORMAT_TIME, pts);
  GstClockTime now;

  if (GST_STATE (trans) != GST_STATE_PLAYING)
    return GST_CLOCK_TIME_NONE;
  now = gst_element_get_current_running_time (GST_ELEMENT (trans));
  if (!GST_CLOCK_TIME_IS_VALID (due) || !GST_CLOCK_TIME_IS_VALID (now)
      || now < due)
    return GST_CLOCK_TIME_NONE;
  return now - due;
}

/* One line per frame, with the frame's times. */
static GstFlowReturn
gst_fovea_json_prepare (GstBaseTransform *trans, GstBuffer *in, GstBuffer **out)
{
  GstFoveaJson *self = (GstFoveaJson *) trans;
  g_autofree char *stream =
      gst_pad_get_stream_id (GST_BASE_TRANSFORM_SINK_PAD (trans));
  g_autofree char *source = NULL;
  GstFoveaReportContext context = { stream, GST_CLOCK_TIME_NONE,
    gst_fovea_json_latency (trans, GST_BUFFER_PTS (in)) };
  char *line;

  if (trans->segment.format == GST_FORMAT_TIME)
    context.timestamp = gst_segment_to_stream_time (&trans->segment,
        GST_FORMAT_TIME, GST_BUFFER_PTS (in));
  GST_OBJECT_LOCK (self);
  source = g_strdup (self->source);
  GST_OBJECT_UNLOCK (self);
  line = gst_fovea_report (in, &self->info, source, &context);
  GST_TRACE_OBJECT (self, "%s", line);
  *out = gst_buffer_new_wrapped (line, strlen (line));
  gst_buffer_copy_into (*out, in, GST_BUFFER_COPY_TIMESTAMPS, 0, -1);
  return GST_FLOW_OK;
}

/* prepare has made the line already */
static GstFlowReturn
gst_fovea_json_transform (GstBaseTransform *trans, GstBuffer *in,
    GstBuffer *out)
{
  return GST_FLOW_OK;
}

static void
gst_fovea_json_finalize (GObject *object)
{
  g_free (((GstFoveaJson *) object)->source);
  G_OBJECT_CLASS (gst_fovea_json_parent_class)->finalize (object);
}

static void
gst_fovea_json_class_init (GstFoveaJsonClass *klass)
{
  GObjectClass *object = G_OBJECT_CLASS (klass);
  GstElementClass *element = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans = GST_BASE_TRANSFORM_CLASS (klass);

  object->set_property = gst_fovea_json_set_property;
  object->get_property = gst_fovea_json_get_property;
  object->finalize = gst_fovea_json_finalize;
  g_object_class_install_property (object, PROP_SOURCE,
      g_param_spec_string ("source", "Source",
          "Whose results: results, truth, or the name of an element", "results",
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_PLAYING));
  gst_element_class_add_static_pad_template (element, &sink_template);
  gst_element_class_add_static_pad_template (element, &src_template);
  gst_element_class_set_static_metadata (element, "Fovea JSON",
      "Filter/Converter/Video", "Writes results as lines of JSON", "Fovea");
  trans->transform_caps = gst_fovea_json_transform_caps;
  trans->set_caps = gst_fovea_json_set_caps;
  trans->propose_allocation = gst_fovea_json_propose_allocation;
  trans->prepare_output_buffer = gst_fovea_json_prepare;
  trans->transform = gst_fovea_json_transform;
}

static void
gst_fovea_json_init (GstFoveaJson *self)
{
}
