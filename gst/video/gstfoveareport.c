/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <json-glib/json-glib.h>
#include "gst/video/gstfoveareport.h"
#include "gst/video/gstfoveaview.h"

/* Between the epochs of NTP (1900) and Unix (1970). */
#define NTP_TO_UNIX (G_GUINT64_CONSTANT (2208988800) * GST_SECOND)

typedef struct
{
  JsonBuilder *json;
  GstBuffer *buffer;
  const GstVideoInfo *info;
  const char *source;
  GstClockTime oldest; /* pts of the oldest result so far */
} Report;

static void
add_int (JsonBuilder *json, const char *name, gint64 value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_int_value (json, value);
}

static void
add_double (JsonBuilder *json, const char *name, double value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_double_value (json, value);
}

static void
add_string (JsonBuilder *json, const char *name, const char *value)
{
  g_autofree char *valid = g_utf8_make_valid (value, -1);

  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, valid);
}

static void
begin_object (JsonBuilder *json, const char *name)
{
  if (name)
    json_builder_set_member_name (json, name);
  json_builder_begin_object (json);
}

static void
begin_array (JsonBuilder *json, const char *name)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_array (json);
}

static void
note_age (Report *report, GstClockTime pts)
{
  if (GST_CLOCK_TIME_IS_VALID (pts)
      && (!GST_CLOCK_TIME_IS_VALID (report->oldest) || pts < report->oldest))
    report->oldest = pts;
}

static void
add_producer (Report *report, const char *element, const char *model,
    const char *head, GstFoveaRole role)
{
  JsonBuilder *json = report->json;

  begin_object (json, "producer");
  add_string (json, "element", element);
  add_string (json, "model", model);
  add_string (json, "head", head);
  add_string (json, "role", role == GST_FOVEA_ROLE_TRUTH ? "truth" : "result");
  json_builder_end_object (json);
}

static void
add_map_producer (Report *report, const GstFoveaPlane *map)
{
  const GstFoveaProducer *producer = map->producer;

  note_age (report, map->pts);
  add_producer (report, producer->element, producer->model, producer->head,
      producer->role);
}

static void
add_class (JsonBuilder *json, const char *name, const GstFoveaRegion *class)
{
  begin_object (json, name);
  add_string (json, "label", class->label);
  if (name) {
    begin_object (json, "model");
    add_string (json, "name", class->model);
    json_builder_end_object (json);
  }
  add_double (json, "confidence", class->confidence);
  if (class->label_id >= 0)
    add_int (json, "label_id", class->label_id);
  json_builder_end_object (json);
}

/* What a source that knows all says of a box besides. */
static void
add_truth (JsonBuilder *json, const GstStructure *detection)
{
  double occlusion;
  guint track;

  if (detection && gst_structure_get_uint (detection, "track-id", &track))
    add_int (json, "track_id", track);
  if (detection
      && gst_structure_get_double (detection, "occlusion", &occlusion))
    add_double (json, "occlusion", occlusion);
}

/* The detection, normalized: as the producer measured it, not rounded to pixels. */
static void
add_detection (Report *report, const GstFoveaRegion *region)
{
  static const char *const sides[] = { "x_min", "x_max", "y_min", "y_max" };
  const GstVideoRegionOfInterestMeta *meta = region->meta;
  const GstStructure *detection =
      gst_video_region_of_interest_meta_get_param (region->meta, "detection");
  double width = GST_VIDEO_INFO_WIDTH (report->info);
  double height = GST_VIDEO_INFO_HEIGHT (report->info);
  const double of_pixels[] = { meta->x / width, (meta->x + meta->w) / width,
    meta->y / height, (meta->y + meta->h) / height };
  JsonBuilder *json = report->json;

  begin_object (json, "detection");
  begin_object (json, "bounding_box");
  for (guint i = 0; i < G_N_ELEMENTS (sides); i++) {
    double value = of_pixels[i];
    if (detection)
      gst_structure_get_double (detection, sides[i], &value);
    add_double (json, sides[i], value);
  }
  json_builder_end_object (json);
  add_double (json, "confidence", region->confidence);
  if (region->label_id >= 0)
    add_int (json, "label_id", region->label_id);
  add_string (json, "label", region->label);
  add_truth (json, detection);
  json_builder_end_object (json);
}

/* Classes of a region: the best under the name of its head, as DL Streamer has an
 * attribute, and all of them where there are several. */
static void
add_classes (Report *report, const GstFoveaRegion *region)
{
  GstFoveaRegion class;

  if (!gst_fovea_region_get_class (region, 0, &class))
    return;
  add_class (report->json, *class.head ? class.head : "classification", &class);
  if (!gst_fovea_region_get_class (region, 1, &class))
    return;
  begin_array (report->json, "classes");
  for (guint i = 0; gst_fovea_region_get_class (region, i, &class); i++)
    add_class (report->json, NULL, &class);
  json_builder_end_array (report->json);
}

static void
add_regions (Report *report)
{
  JsonBuilder *json = report->json;
  GstFoveaRegion region;
  gpointer state = NULL;

  begin_array (json, "objects");
  while (gst_fovea_buffer_next_region (report->buffer, report->source, &state,
      &region)) {
    const GstVideoRegionOfInterestMeta *meta = region.meta;
    const char *type = g_quark_to_string (meta->roi_type);
    json_builder_begin_object (json);
    add_int (json, "x", meta->x);
    add_int (json, "y", meta->y);
    add_int (json, "w", meta->w);
    add_int (json, "h", meta->h);
    add_int (json, "region_id", meta->id);
    if (region.instance)
      add_int (json, "instance", region.instance);
    if (meta->parent_id >= 0)
      add_int (json, "parent_id", meta->parent_id);
    add_string (json, "roi_type", type ? type : "");
    if (!region.is_frame)
      add_detection (report, &region);
    add_classes (report, &region);
    add_producer (report, region.element, region.model, region.head,
        region.role);
    json_builder_end_object (json);
    note_age (report, region.pts);
  }
  json_builder_end_array (json);
}

/* Pixels of the frame that @count elements of @map cover. */
static gint64
to_area (guint64 count, const GstFoveaPlane *map,
    const GstVideoRectangle *region)
{
  double share = (double) count / ((double) map->width * map->height);

  return share * region->w * region->h + 0.5;
}

/* How many pixels of the frame each instance has; what it is, its box says. */
static void
add_instances (Report *report, const GstFoveaSegmentationMeta *meta)
{
  guint n = meta->instances->format == GST_FOVEA_PLANE_U8 ? 256 : 65536;
  g_autofree guint64 *counts = g_new (guint64, n);
  JsonBuilder *json = report->json;
  GstFoveaView view;

  if (!gst_fovea_view_map (&view, meta->instances))
    return;
  gst_fovea_view_count (&view, counts, n);
  gst_fovea_view_unmap (&view);
  begin_array (json, "instances");
  for (guint i = 1; i < n; i++) {
    if (counts[i] == 0)
      continue;
    json_builder_begin_object (json);
    add_int (json, "instance", i);
    add_int (json, "area",
        to_area (counts[i], meta->instances, &meta->frame.region));
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
}

static void
add_segmentation (Report *report)
{
  GstFoveaSegmentationMeta *meta =
      gst_fovea_buffer_get_segmentation (report->buffer, report->source);
  JsonBuilder *json = report->json;
  g_autofree guint64 *counts = NULL;
  GstFoveaView view;
  guint n;

  if (meta == NULL || !gst_fovea_view_map (&view, meta->map))
    return;
  n = meta->n_classes ? MIN (meta->n_classes, 65536) : 255;
  counts = g_new (guint64, n);
  gst_fovea_view_count (&view, counts, n);
  gst_fovea_view_unmap (&view);
  begin_object (json, "segmentation");
  add_int (json, "width", meta->map->width);
  add_int (json, "height", meta->map->height);
  begin_array (json, "classes");
  for (guint id = 0; id < n; id++) {
    if (counts[id] == 0)
      continue;
    json_builder_begin_object (json);
    add_int (json, "id", id);
    add_string (json, "label",
        gst_fovea_producer_label (meta->map->producer, id));
    add_int (json, "area",
        to_area (counts[id], meta->map, &meta->frame.region));
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
  if (meta->instances)
    add_instances (report, meta);
  add_map_producer (report, meta->map);
  json_builder_end_object (json);
}

static void
add_depth (Report *report)
{
  GstFoveaDepthMeta *meta =
      gst_fovea_buffer_get_depth (report->buffer, report->source);
  JsonBuilder *json = report->json;
  GstFoveaStatistics statistics;
  GstFoveaView view;

  if (meta == NULL || !gst_fovea_view_map (&view, meta->map))
    return;
  gst_fovea_view_statistics (&view, meta->kind != GST_FOVEA_DEPTH_METRIC,
      &statistics);
  gst_fovea_view_unmap (&view);
  begin_object (json, "depth");
  add_int (json, "width", meta->map->width);
  add_int (json, "height", meta->map->height);
  if (statistics.n_known) {
    add_double (json, "min", statistics.minimum);
    add_double (json, "max", statistics.maximum);
    add_double (json, "mean", statistics.mean);
  }
  add_string (json, "unit", gst_fovea_depth_kind_unit (meta->kind));
  add_double (json, "known",
      (double) statistics.n_known
          / ((double) meta->map->width * meta->map->height));
  add_map_producer (report, meta->map);
  json_builder_end_object (json);
}

/* What raw outputs there are; their numbers stay in the metas. */
static void
add_tensors (Report *report)
{
  JsonBuilder *json = report->json;
  gpointer state = NULL;
  GstMeta *meta;

  begin_array (json, "tensors");
  while ((meta = gst_buffer_iterate_meta_filtered (report->buffer, &state,
              GST_FOVEA_TENSOR_META_API_TYPE))) {
    GstFoveaTensorMeta *tensor = (GstFoveaTensorMeta *) meta;
    if (!gst_fovea_producer_matches (tensor->producer, report->source))
      continue;
    json_builder_begin_object (json);
    add_string (json, "name", tensor->name);
    add_string (json, "precision", fv_type_name (tensor->type));
    begin_array (json, "dims");
    for (guint i = 0; i < tensor->shape.rank; i++)
      json_builder_add_int_value (json, tensor->shape.dims[i]);
    json_builder_end_array (json);
    add_producer (report, tensor->producer->element, tensor->producer->model,
        tensor->producer->head, tensor->producer->role);
    json_builder_end_object (json);
    note_age (report, tensor->pts);
  }
  json_builder_end_array (json);
}

/* The sender's clock, where the buffer carries it. */
static void
add_sender_time (Report *report)
{
  static GstStaticCaps ntp = GST_STATIC_CAPS ("timestamp/x-ntp");
  g_autoptr (GstCaps) caps = gst_static_caps_get (&ntp);
  GstReferenceTimestampMeta *meta =
      gst_buffer_get_reference_timestamp_meta (report->buffer, caps);

  if (meta == NULL || meta->timestamp < NTP_TO_UNIX)
    return;
  begin_object (report->json, "rtp");
  add_int (report->json, "sender_ntp_unix_timestamp_ns",
      meta->timestamp - NTP_TO_UNIX);
  json_builder_end_object (report->json);
}

static void
add_times (Report *report, const GstFoveaReportContext *context)
{
  GstClockTime pts = GST_BUFFER_PTS (report->buffer);

  if (context->stream)
    add_string (report->json, "source", context->stream);
  if (GST_CLOCK_TIME_IS_VALID (context->timestamp))
    add_int (report->json, "timestamp", context->timestamp);
  if (GST_CLOCK_TIME_IS_VALID (pts))
    add_int (report->json, "pts", pts);
  if (GST_CLOCK_TIME_IS_VALID (context->latency))
    add_int (report->json, "latency_us", context->latency / GST_USECOND);
}

/* How many frames ago the oldest result was found. */
static void
add_age (Report *report)
{
  GstClockTime pts = GST_BUFFER_PTS (report->buffer), age = 0;
  gint numerator = GST_VIDEO_INFO_FPS_N (report->info);
  gint denominator = GST_VIDEO_INFO_FPS_D (report->info);

  if (!GST_CLOCK_TIME_IS_VALID (pts) || numerator <= 0
      || !GST_CLOCK_TIME_IS_VALID (report->oldest))
    return;
  if (pts > report->oldest)
    age = pts - report->oldest;
  add_int (report->json, "result_age_frames",
      gst_util_uint64_scale_round (age, numerator,
          (guint64) denominator * GST_SECOND));
}

char *
gst_fovea_report (GstBuffer *buffer, const GstVideoInfo *info,
    const char *source, const GstFoveaReportContext *context)
{
  g_autoptr (JsonBuilder) json = json_builder_new_immutable ();
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;
  Report report = { json, buffer, info, source, GST_CLOCK_TIME_NONE };

  json_builder_begin_object (json);
  begin_object (json, "resolution");
  add_int (json, "width", GST_VIDEO_INFO_WIDTH (info));
  add_int (json, "height", GST_VIDEO_INFO_HEIGHT (info));
  json_builder_end_object (json);
  add_times (&report, context);
  add_sender_time (&report);
  add_regions (&report);
  add_segmentation (&report);
  add_depth (&report);
  add_tensors (&report);
  add_age (&report);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  json_generator_set_root (generator, root);
  text = json_generator_to_data (generator, NULL);
  return g_strconcat (text, "\n", NULL);
}
