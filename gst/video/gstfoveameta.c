/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/gstfoveameta.h"

/* All results refer to pixels by position: GStreamer drops metas with these tags
 * where an element moves pixels and cannot say how. */
static const gchar *video_tags[] = { GST_META_TAG_VIDEO_STR,
  GST_META_TAG_VIDEO_SIZE_STR, GST_META_TAG_VIDEO_ORIENTATION_STR, NULL };

G_DEFINE_BOXED_TYPE (GstFoveaProducer, gst_fovea_producer,
    gst_fovea_producer_ref, gst_fovea_producer_unref)
G_DEFINE_BOXED_TYPE (GstFoveaPlane, gst_fovea_plane, gst_fovea_plane_ref,
    gst_fovea_plane_unref)

GstFoveaProducer *
gst_fovea_producer_new (const char *element, const char *model,
    const char *head, GstFoveaRole role, const char *const *labels)
{
  GstFoveaProducer *producer = g_new0 (GstFoveaProducer, 1);

  g_atomic_ref_count_init (&producer->ref);
  producer->element = g_strdup (element ? element : "");
  producer->model = g_strdup (model ? model : "");
  producer->head = g_strdup (head ? head : "");
  producer->role = role;
  if (labels) {
    producer->n_labels = g_strv_length ((char **) labels);
    producer->labels = g_new0 (char *, producer->n_labels + 1);
    /* a labels file may hold anything; structures and JSON take UTF-8 alone */
    for (guint i = 0; i < producer->n_labels; i++)
      producer->labels[i] = g_utf8_make_valid (labels[i], -1);
  }
  return producer;
}

GstFoveaProducer *
gst_fovea_producer_ref (GstFoveaProducer *producer)
{
  g_atomic_ref_count_inc (&producer->ref);
  return producer;
}

void
gst_fovea_producer_unref (GstFoveaProducer *producer)
{
  if (producer == NULL || !g_atomic_ref_count_dec (&producer->ref))
    return;
  g_free (producer->element);
  g_free (producer->model);
  g_free (producer->head);
  g_strfreev (producer->labels);
  g_free (producer);
}

const char *
gst_fovea_producer_label (const GstFoveaProducer *producer, guint id)
{
  return id < producer->n_labels ? producer->labels[id] : "";
}

static gboolean
source_matches (const char *source, const char *element, GstFoveaRole role)
{
  if (source == NULL || *source == '\0' || g_str_equal (source, "results"))
    return role == GST_FOVEA_ROLE_RESULT;
  if (g_str_equal (source, "truth"))
    return role == GST_FOVEA_ROLE_TRUTH;
  return g_str_equal (source, element);
}

gboolean
gst_fovea_producer_matches (const GstFoveaProducer *producer,
    const char *source)
{
  return source_matches (source, producer->element, producer->role);
}

guint
gst_fovea_plane_format_size (GstFoveaPlaneFormat format)
{
  switch (format) {
    case GST_FOVEA_PLANE_U8:
      return 1;
    case GST_FOVEA_PLANE_U16:
    case GST_FOVEA_PLANE_F16:
      return 2;
    case GST_FOVEA_PLANE_F32:
      return 4;
  }
  return 0;
}

/* Whether @size bytes hold @height rows of @stride bytes, the last one being
 * @row bytes long. */
static gboolean
rows_fit (guint64 size, guint64 row, guint64 stride, guint64 height)
{
  return row <= stride && stride * (height - 1) + row <= size;
}

/* What the elements of @data are, for all that take pictures. */
static void
describe_data (GstFoveaPlaneFormat format, guint width, guint height,
    guint stride, GstBuffer *data)
{
  gsize offsets[GST_VIDEO_MAX_PLANES] = { 0 };
  gint strides[GST_VIDEO_MAX_PLANES] = { (gint) stride };

  if ((format == GST_FOVEA_PLANE_U8 || format == GST_FOVEA_PLANE_U16)
      && gst_buffer_is_writable (data) && !gst_buffer_get_video_meta (data))
    gst_buffer_add_video_meta_full (data, GST_VIDEO_FRAME_FLAG_NONE,
        format == GST_FOVEA_PLANE_U8 ? GST_VIDEO_FORMAT_GRAY8
                                     : GST_VIDEO_FORMAT_GRAY16_LE,
        width, height, 1, offsets, strides);
}

GstFoveaPlane *
gst_fovea_plane_new (GstFoveaProducer *producer, GstClockTime pts,
    GstFoveaPlaneFormat format, guint width, guint height, guint stride,
    GstBuffer *data)
{
  GstFoveaPlane *map;
  guint64 row = (guint64) width * gst_fovea_plane_format_size (format);

  if (row == 0 || height == 0 || stride % gst_fovea_plane_format_size (format)
      || !rows_fit (gst_buffer_get_size (data), row, stride, height)) {
    gst_buffer_unref (data);
    return NULL;
  }
  describe_data (format, width, height, stride, data);
  map = g_new0 (GstFoveaPlane, 1);
  g_atomic_ref_count_init (&map->ref);
  map->producer = gst_fovea_producer_ref (producer);
  map->pts = pts;
  map->format = format;
  map->width = width;
  map->height = height;
  map->stride = stride;
  map->data = data;
  return map;
}

GstFoveaPlane *
gst_fovea_plane_ref (GstFoveaPlane *map)
{
  g_atomic_ref_count_inc (&map->ref);
  return map;
}

void
gst_fovea_plane_unref (GstFoveaPlane *map)
{
  if (map == NULL || !g_atomic_ref_count_dec (&map->ref))
    return;
  gst_fovea_producer_unref (map->producer);
  gst_buffer_unref (map->data);
  g_free (map);
}

static void
frame_init (GstFoveaFrame *frame, guint width, guint height)
{
  const GstVideoRectangle whole = { 0, 0, width, height };

  frame->width = width;
  frame->height = height;
  frame->region = whole;
}

/* What a transform leaves of @frame; FALSE where the result has to go. */
static gboolean
frame_transform (const GstFoveaFrame *from, GQuark type, gpointer data,
    GstFoveaFrame *to)
{
  const GstVideoMetaTransform *scale = data;
  gint64 w, h, from_w, from_h;

  *to = *from;
  if (GST_META_TRANSFORM_IS_COPY (type))
    return !((const GstMetaTransformCopy *) data)->region;
  if (!GST_VIDEO_META_TRANSFORM_IS_SCALE (type))
    return FALSE;
  from_w = GST_VIDEO_INFO_WIDTH (scale->in_info);
  from_h = GST_VIDEO_INFO_HEIGHT (scale->in_info);
  w = GST_VIDEO_INFO_WIDTH (scale->out_info);
  h = GST_VIDEO_INFO_HEIGHT (scale->out_info);
  if (from_w <= 0 || from_h <= 0)
    return FALSE;
  to->width = gst_util_uint64_scale_int_round (from->width, w, from_w);
  to->height = gst_util_uint64_scale_int_round (from->height, h, from_h);
  to->region.x = from->region.x * w / from_w;
  to->region.y = from->region.y * h / from_h;
  to->region.w = gst_util_uint64_scale_int_round (from->region.w, w, from_w);
  to->region.h = gst_util_uint64_scale_int_round (from->region.h, h, from_h);
  return to->region.w > 0 && to->region.h > 0;
}

/* Segmentation */

static gboolean
segmentation_init (GstMeta *meta, gpointer params, GstBuffer *buffer)
{
  GstFoveaSegmentationMeta *self = (GstFoveaSegmentationMeta *) meta;

  frame_init (&self->frame, 0, 0);
  self->map = self->matte = self->instances = NULL;
  self->n_classes = 0;
  self->background = -1;
  return TRUE;
}

static void
segmentation_free (GstMeta *meta, GstBuffer *buffer)
{
  GstFoveaSegmentationMeta *self = (GstFoveaSegmentationMeta *) meta;

  g_clear_pointer (&self->map, gst_fovea_plane_unref);
  g_clear_pointer (&self->matte, gst_fovea_plane_unref);
  g_clear_pointer (&self->instances, gst_fovea_plane_unref);
}

static gboolean
segmentation_transform (GstBuffer *target, GstMeta *meta, GstBuffer *buffer,
    GQuark type, gpointer data)
{
  GstFoveaSegmentationMeta *from = (GstFoveaSegmentationMeta *) meta, *to;
  GstFoveaFrame frame;

  if (!frame_transform (&from->frame, type, data, &frame))
    return FALSE;
  to = gst_fovea_buffer_add_segmentation (target, from->map, from->matte,
      from->n_classes, from->background, 0, 0);
  if (to == NULL)
    return FALSE;
  gst_fovea_segmentation_meta_set_instances (to, from->instances);
  to->frame = frame;
  return TRUE;
}

GType
gst_fovea_segmentation_meta_api_get_type (void)
{
  static GType type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        gst_meta_api_type_register ("GstFoveaSegmentationMetaAPI", video_tags));
  return type;
}

const GstMetaInfo *
gst_fovea_segmentation_meta_get_info (void)
{
  static const GstMetaInfo *info = NULL;

  if (g_once_init_enter (&info))
    g_once_init_leave (&info,
        gst_meta_register (GST_FOVEA_SEGMENTATION_META_API_TYPE,
            "GstFoveaSegmentationMeta", sizeof (GstFoveaSegmentationMeta),
            segmentation_init, segmentation_free, segmentation_transform));
  return info;
}

GstFoveaSegmentationMeta *
gst_fovea_buffer_add_segmentation (GstBuffer *buffer, GstFoveaPlane *map,
    GstFoveaPlane *matte, guint n_classes, gint background, guint frame_width,
    guint frame_height)
{
  GstFoveaSegmentationMeta *self =
      (GstFoveaSegmentationMeta *) gst_buffer_add_meta (buffer,
          gst_fovea_segmentation_meta_get_info (), NULL);

  if (self == NULL)
    return NULL;
  self->map = gst_fovea_plane_ref (map);
  self->matte = matte ? gst_fovea_plane_ref (matte) : NULL;
  self->n_classes = n_classes;
  self->background = background;
  frame_init (&self->frame, frame_width, frame_height);
  return self;
}

void
gst_fovea_segmentation_meta_set_instances (GstFoveaSegmentationMeta *meta,
    GstFoveaPlane *instances)
{
  GstFoveaPlane *old = meta->instances;

  meta->instances = instances ? gst_fovea_plane_ref (instances) : NULL;
  gst_fovea_plane_unref (old);
}

GstFoveaSegmentationMeta *
gst_fovea_buffer_get_segmentation (GstBuffer *buffer, const char *source)
{
  gpointer state = NULL;
  GstMeta *meta;

  while ((meta = gst_buffer_iterate_meta_filtered (buffer, &state,
              GST_FOVEA_SEGMENTATION_META_API_TYPE))) {
    GstFoveaSegmentationMeta *self = (GstFoveaSegmentationMeta *) meta;
    if (gst_fovea_producer_matches (self->map->producer, source))
      return self;
  }
  return NULL;
}

/* Depth */

static gboolean
depth_init (GstMeta *meta, gpointer params, GstBuffer *buffer)
{
  GstFoveaDepthMeta *self = (GstFoveaDepthMeta *) meta;

  frame_init (&self->frame, 0, 0);
  self->map = NULL;
  self->kind = GST_FOVEA_DEPTH_METRIC;
  return TRUE;
}

static void
depth_free (GstMeta *meta, GstBuffer *buffer)
{
  g_clear_pointer (&((GstFoveaDepthMeta *) meta)->map, gst_fovea_plane_unref);
}

static gboolean
depth_transform (GstBuffer *target, GstMeta *meta, GstBuffer *buffer,
    GQuark type, gpointer data)
{
  GstFoveaDepthMeta *from = (GstFoveaDepthMeta *) meta, *to;
  GstFoveaFrame frame;

  if (!frame_transform (&from->frame, type, data, &frame))
    return FALSE;
  to = gst_fovea_buffer_add_depth (target, from->map, from->kind, 0, 0);
  if (to == NULL)
    return FALSE;
  to->frame = frame;
  return TRUE;
}

GType
gst_fovea_depth_meta_api_get_type (void)
{
  static GType type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        gst_meta_api_type_register ("GstFoveaDepthMetaAPI", video_tags));
  return type;
}

const GstMetaInfo *
gst_fovea_depth_meta_get_info (void)
{
  static const GstMetaInfo *info = NULL;

  if (g_once_init_enter (&info))
    g_once_init_leave (&info,
        gst_meta_register (GST_FOVEA_DEPTH_META_API_TYPE, "GstFoveaDepthMeta",
            sizeof (GstFoveaDepthMeta), depth_init, depth_free,
            depth_transform));
  return info;
}

GstFoveaDepthMeta *
gst_fovea_buffer_add_depth (GstBuffer *buffer, GstFoveaPlane *map,
    GstFoveaDepthKind kind, guint frame_width, guint frame_height)
{
  GstFoveaDepthMeta *self = (GstFoveaDepthMeta *) gst_buffer_add_meta (buffer,
      gst_fovea_depth_meta_get_info (), NULL);

  if (self == NULL)
    return NULL;
  self->map = gst_fovea_plane_ref (map);
  self->kind = kind;
  frame_init (&self->frame, frame_width, frame_height);
  return self;
}

GstFoveaDepthMeta *
gst_fovea_buffer_get_depth (GstBuffer *buffer, const char *source)
{
  gpointer state = NULL;
  GstMeta *meta;

  while ((meta = gst_buffer_iterate_meta_filtered (buffer, &state,
              GST_FOVEA_DEPTH_META_API_TYPE))) {
    GstFoveaDepthMeta *self = (GstFoveaDepthMeta *) meta;
    if (gst_fovea_producer_matches (self->map->producer, source))
      return self;
  }
  return NULL;
}

const char *
gst_fovea_depth_kind_unit (GstFoveaDepthKind kind)
{
  switch (kind) {
    case GST_FOVEA_DEPTH_METRIC:
      return "metres";
    case GST_FOVEA_DEPTH_INVERSE:
      return "inverse";
    case GST_FOVEA_DEPTH_RELATIVE:
      return "relative";
  }
  return "";
}

/* Tensors */

static gboolean
tensor_init (GstMeta *meta, gpointer params, GstBuffer *buffer)
{
  GstFoveaTensorMeta *self = (GstFoveaTensorMeta *) meta;

  memset (&self->producer, 0,
      sizeof *self - G_STRUCT_OFFSET (GstFoveaTensorMeta, producer));
  return TRUE;
}

static void
tensor_free (GstMeta *meta, GstBuffer *buffer)
{
  GstFoveaTensorMeta *self = (GstFoveaTensorMeta *) meta;

  g_clear_pointer (&self->producer, gst_fovea_producer_unref);
  g_clear_pointer (&self->name, g_free);
  g_clear_pointer (&self->data, gst_buffer_unref);
}

static gboolean
tensor_transform (GstBuffer *target, GstMeta *meta, GstBuffer *buffer,
    GQuark type, gpointer data)
{
  GstFoveaTensorMeta *from = (GstFoveaTensorMeta *) meta;

  if (GST_META_TRANSFORM_IS_COPY (type)) {
    if (((const GstMetaTransformCopy *) data)->region)
      return FALSE;
  } else if (!GST_VIDEO_META_TRANSFORM_IS_SCALE (type)) {
    return FALSE;
  }
  return gst_fovea_buffer_add_tensor (target, from->producer, from->pts,
             from->name, from->type, &from->shape, from->strides, from->data)
      != NULL;
}

GType
gst_fovea_tensor_meta_api_get_type (void)
{
  static GType type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        gst_meta_api_type_register ("GstFoveaTensorMetaAPI", video_tags));
  return type;
}

const GstMetaInfo *
gst_fovea_tensor_meta_get_info (void)
{
  static const GstMetaInfo *info = NULL;

  if (g_once_init_enter (&info))
    g_once_init_leave (&info,
        gst_meta_register (GST_FOVEA_TENSOR_META_API_TYPE, "GstFoveaTensorMeta",
            sizeof (GstFoveaTensorMeta), tensor_init, tensor_free,
            tensor_transform));
  return info;
}

/* Whether every element lies inside of @size bytes. */
static gboolean
tensor_fits (const FvShape *shape, const gint64 *strides, gsize element,
    gsize size)
{
  gint64 last = 0, reach;

  if (shape->rank > FV_MAX_RANK || element == 0)
    return FALSE;
  for (guint i = 0; i < shape->rank; i++) {
    if (shape->dims[i] < 0 || strides[i] < 0)
      return FALSE;
    if (shape->dims[i] == 0)
      return TRUE;
  }
  for (guint i = 0; i < shape->rank; i++)
    if (__builtin_mul_overflow (shape->dims[i] - 1, strides[i], &reach)
        || __builtin_add_overflow (last, reach, &last))
      return FALSE;
  return (guint64) last < size / element;
}

GstFoveaTensorMeta *
gst_fovea_buffer_add_tensor (GstBuffer *buffer, GstFoveaProducer *producer,
    GstClockTime pts, const char *name, FvType type, const FvShape *shape,
    const gint64 *strides, GstBuffer *data)
{
  gint64 dense[FV_MAX_RANK] = { 0 }, step = 1;
  GstFoveaTensorMeta *self;

  if (strides == NULL) {
    for (guint i = MIN (shape->rank, FV_MAX_RANK); i-- > 0;) {
      dense[i] = step;
      if (__builtin_mul_overflow (step, MAX (shape->dims[i], 1), &step))
        return NULL;
    }
    strides = dense;
  }
  if (!tensor_fits (shape, strides, fv_type_size (type),
          gst_buffer_get_size (data)))
    return NULL;
  self = (GstFoveaTensorMeta *) gst_buffer_add_meta (buffer,
      gst_fovea_tensor_meta_get_info (), NULL);
  if (self == NULL)
    return NULL;
  self->producer = gst_fovea_producer_ref (producer);
  self->pts = pts;
  self->name = g_strdup (name ? name : "");
  self->type = type;
  self->shape = *shape;
  memcpy (self->strides, strides, shape->rank * sizeof *strides);
  self->data = gst_buffer_ref (data);
  return self;
}

GstFoveaTensorMeta *
gst_fovea_buffer_get_tensor (GstBuffer *buffer, const char *source,
    const char *name)
{
  gpointer state = NULL;
  GstMeta *meta;

  while ((meta = gst_buffer_iterate_meta_filtered (buffer, &state,
              GST_FOVEA_TENSOR_META_API_TYPE))) {
    GstFoveaTensorMeta *self = (GstFoveaTensorMeta *) meta;
    if (gst_fovea_producer_matches (self->producer, source)
        && (name == NULL || g_str_equal (name, self->name)))
      return self;
  }
  return NULL;
}
