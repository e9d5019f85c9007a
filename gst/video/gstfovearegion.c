/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Boxes and classes of the whole frame as regions of interest. */
#include <math.h>
#include "gst/video/gstfoveameta.h"

#define FRAME_TYPE "frame"

/* GStreamer 1.22 scales regions (videoscale, and videoconvert too) but forgets
 * their params. This meta stands behind the regions of a buffer, so that it is
 * transformed after them, and hands the params on. */
static gboolean
params_init (GstMeta *meta, gpointer params, GstBuffer *buffer)
{
  return TRUE;
}

static void add_params_meta (GstBuffer *buffer);

static gpointer
copy_param (gconstpointer structure, gpointer data)
{
  return gst_structure_copy (structure);
}

static gboolean
params_transform (GstBuffer *target, GstMeta *meta, GstBuffer *buffer,
    GQuark type, gpointer data)
{
  GstVideoRegionOfInterestMeta *from, *to;
  gpointer from_state = NULL, to_state = NULL;

  if (!GST_META_TRANSFORM_IS_COPY (type)
      && !GST_VIDEO_META_TRANSFORM_IS_SCALE (type))
    return FALSE;
  while ((from = (GstVideoRegionOfInterestMeta *)
                 gst_buffer_iterate_meta_filtered (buffer, &from_state,
                     GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))
      && (to = (GstVideoRegionOfInterestMeta *)
              gst_buffer_iterate_meta_filtered (target, &to_state,
                  GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))
      && from->roi_type == to->roi_type)
    if (to->params == NULL)
      to->params = g_list_copy_deep (from->params, copy_param, NULL);
  add_params_meta (target);
  return TRUE;
}

static GType
params_api_type (void)
{
  static const gchar *tags[] = { GST_META_TAG_VIDEO_STR,
    GST_META_TAG_VIDEO_SIZE_STR, GST_META_TAG_VIDEO_ORIENTATION_STR, NULL };
  static GType type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        gst_meta_api_type_register ("GstFoveaRegionParamsMetaAPI", tags));
  return type;
}

static void
add_params_meta (GstBuffer *buffer)
{
  static const GstMetaInfo *info = NULL;
  GstMeta *old;

  if (g_once_init_enter (&info))
    g_once_init_leave (&info,
        gst_meta_register (params_api_type (), "GstFoveaRegionParamsMeta",
            sizeof (GstMeta), params_init, NULL, params_transform));
  old = gst_buffer_get_meta (buffer, params_api_type ());
  if (old)
    gst_buffer_remove_meta (buffer, old);
  gst_buffer_add_meta (buffer, info, NULL);
}

/* A region with an id that no other region of the buffer has. */
static GstVideoRegionOfInterestMeta *
add_region (GstBuffer *buffer, const char *type, guint x, guint y, guint width,
    guint height)
{
  GstVideoRegionOfInterestMeta *meta, *other;
  gpointer state = NULL;
  gint id = 0;

  while ((
      other =
          (GstVideoRegionOfInterestMeta *) gst_buffer_iterate_meta_filtered (
              buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)))
    id = MAX (id, other->id);
  meta = gst_buffer_add_video_region_of_interest_meta (buffer, type, x, y,
      width, height);
  meta->id = id + 1;
  meta->parent_id = -1;
  add_params_meta (buffer);
  return meta;
}

static const char *
role_name (GstFoveaRole role)
{
  return role == GST_FOVEA_ROLE_TRUTH ? "truth" : "result";
}

static GstStructure *
class_structure (const char *name, const GstFoveaProducer *producer,
    GstClockTime pts, gint label_id, double confidence)
{
  const char *label =
      label_id < 0 ? "" : gst_fovea_producer_label (producer, label_id);

  return gst_structure_new (name, "label_id", G_TYPE_INT, label_id, "label",
      G_TYPE_STRING, label, "confidence", G_TYPE_DOUBLE, confidence, "element",
      G_TYPE_STRING, producer->element, "model", G_TYPE_STRING, producer->model,
      "head", G_TYPE_STRING, producer->head, "role", G_TYPE_STRING,
      role_name (producer->role), "pts", G_TYPE_UINT64, (guint64) pts, NULL);
}

GstVideoRegionOfInterestMeta *
gst_fovea_buffer_add_detection (GstBuffer *buffer, GstFoveaProducer *producer,
    GstClockTime pts, gint label_id, double confidence, double x, double y,
    double width, double height, guint frame_width, guint frame_height)
{
  GstVideoRegionOfInterestMeta *meta;
  GstStructure *detection;
  double x0 = x > 0 ? x : 0, y0 = y > 0 ? y : 0;
  double x1 = fmin (x + width, frame_width);
  double y1 = fmin (y + height, frame_height);
  guint left, top, right, bottom;
  const char *label =
      label_id < 0 ? "" : gst_fovea_producer_label (producer, label_id);

  if (isnan (x + y + width + height) || x1 <= x0 || y1 <= y0)
    return NULL;
  left = MIN ((guint) floor (x0 + 0.5), frame_width - 1);
  top = MIN ((guint) floor (y0 + 0.5), frame_height - 1);
  right = CLAMP ((guint) floor (x1 + 0.5), left + 1, frame_width);
  bottom = CLAMP ((guint) floor (y1 + 0.5), top + 1, frame_height);
  meta = add_region (buffer, *label ? label : "object", left, top, right - left,
      bottom - top);
  detection =
      class_structure ("detection", producer, pts, label_id, confidence);
  gst_structure_set (detection, "x_min", G_TYPE_DOUBLE, x0 / frame_width,
      "x_max", G_TYPE_DOUBLE, x1 / frame_width, "y_min", G_TYPE_DOUBLE,
      y0 / frame_height, "y_max", G_TYPE_DOUBLE, y1 / frame_height, NULL);
  gst_video_region_of_interest_meta_add_param (meta, detection);
  return meta;
}

void
gst_fovea_region_set_instance (GstVideoRegionOfInterestMeta *meta,
    guint instance)
{
  GstStructure *detection =
      gst_video_region_of_interest_meta_get_param (meta, "detection");

  if (detection)
    gst_structure_set (detection, "instance", G_TYPE_UINT, instance, NULL);
}

void
gst_fovea_region_add_class (GstVideoRegionOfInterestMeta *meta,
    GstFoveaProducer *producer, GstClockTime pts, gint label_id,
    double confidence)
{
  gst_video_region_of_interest_meta_add_param (meta,
      class_structure ("classification", producer, pts, label_id, confidence));
}

GstVideoRegionOfInterestMeta *
gst_fovea_buffer_add_frame_class (GstBuffer *buffer, GstFoveaProducer *producer,
    GstClockTime pts, gint label_id, double confidence, guint frame_width,
    guint frame_height)
{
  GstVideoRegionOfInterestMeta *meta = NULL;
  GstFoveaRegion region;
  gpointer state = NULL;

  while (meta == NULL
      && gst_fovea_buffer_next_region (buffer, producer->element, &state,
          &region))
    if (region.is_frame && region.role == producer->role && region.pts == pts
        && g_str_equal (region.model, producer->model)
        && g_str_equal (region.head, producer->head))
      meta = region.meta;
  if (meta == NULL)
    meta = add_region (buffer, FRAME_TYPE, 0, 0, frame_width, frame_height);
  gst_fovea_region_add_class (meta, producer, pts, label_id, confidence);
  return meta;
}

static const char *
string_field (const GstStructure *structure, const char *name)
{
  const char *value = gst_structure_get_string (structure, name);

  return value ? value : "";
}

/* Fills @region from a `detection` or `classification` of any element. */
static void
read_structure (GstFoveaRegion *region, const GstStructure *structure)
{
  guint64 pts;

  if (!gst_structure_get_uint (structure, "instance", &region->instance))
    region->instance = 0;
  if (!gst_structure_get_int (structure, "label_id", &region->label_id))
    region->label_id = -1;
  if (!gst_structure_get_double (structure, "confidence", &region->confidence))
    region->confidence = 0;
  region->label = string_field (structure, "label");
  region->element = string_field (structure, "element");
  region->model = string_field (structure, "model");
  region->head = string_field (structure, "head");
  region->role = g_str_equal (string_field (structure, "role"), "truth")
      ? GST_FOVEA_ROLE_TRUTH
      : GST_FOVEA_ROLE_RESULT;
  region->pts = gst_structure_get_uint64 (structure, "pts", &pts)
      ? pts
      : GST_CLOCK_TIME_NONE;
}

static void
read_region (GstFoveaRegion *region, GstVideoRegionOfInterestMeta *meta)
{
  const GstStructure *detection =
      gst_video_region_of_interest_meta_get_param (meta, "detection");
  const GstStructure *first =
      gst_video_region_of_interest_meta_get_param (meta, "classification");
  const char *type = g_quark_to_string (meta->roi_type);

  memset (region, 0, sizeof *region);
  region->meta = meta;
  region->label_id = -1;
  region->label = region->element = region->model = region->head = "";
  region->pts = GST_CLOCK_TIME_NONE;
  region->is_frame =
      detection == NULL && type && g_str_equal (type, FRAME_TYPE);
  if (detection)
    read_structure (region, detection);
  else if (first)
    read_structure (region, first);
  if (*region->label == '\0' && !region->is_frame && type)
    region->label = type;
}

static gboolean
region_matches (const GstFoveaRegion *region, const char *source)
{
  if (source == NULL || *source == '\0' || g_str_equal (source, "results"))
    return region->role == GST_FOVEA_ROLE_RESULT;
  if (g_str_equal (source, "truth"))
    return region->role == GST_FOVEA_ROLE_TRUTH;
  return g_str_equal (source, region->element);
}

gboolean
gst_fovea_buffer_next_region (GstBuffer *buffer, const char *source,
    gpointer *state, GstFoveaRegion *region)
{
  GstMeta *meta;

  while ((meta = gst_buffer_iterate_meta_filtered (buffer, state,
              GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))) {
    read_region (region, (GstVideoRegionOfInterestMeta *) meta);
    if (region_matches (region, source))
      return TRUE;
  }
  return FALSE;
}

gboolean
gst_fovea_region_get_class (const GstFoveaRegion *region, guint i,
    GstFoveaRegion *result)
{
  for (GList *l = region->meta->params; l; l = l->next)
    if (gst_structure_has_name (l->data, "classification") && i-- == 0) {
      *result = *region;
      read_structure (result, l->data);
      return TRUE;
    }
  return FALSE;
}
