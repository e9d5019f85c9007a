/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/gstfoveaanalytics.h"

#ifdef FV_HAS_ANALYTICS
#include <gst/analytics/analytics.h>

/* Maps with more classes than this have no list of them: it is made anew for each
 * frame. */
#define MAX_CLASSES 4096

typedef struct
{
  GstBuffer *buffer;
  const char *element;
  GstAnalyticsRelationMeta *meta; /* made with the first result */
} Analytics;

static GstAnalyticsRelationMeta *
relation_meta (Analytics *self)
{
  if (self->meta == NULL)
    self->meta = gst_buffer_get_analytics_relation_meta (self->buffer);
  if (self->meta == NULL)
    self->meta = gst_buffer_add_analytics_relation_meta (self->buffer);
  return self->meta;
}

/* Both ways, so that either can be found from the other. */
static void
relate (Analytics *self, GstAnalyticsRelTypes there, GstAnalyticsRelTypes back,
    const GstAnalyticsMtd *from, const GstAnalyticsMtd *to)
{
  gst_analytics_relation_meta_set_relation (self->meta, there, from->id,
      to->id);
  gst_analytics_relation_meta_set_relation (self->meta, back, to->id, from->id);
}

static GQuark
class_quark (const char *label, gint id)
{
  g_autofree char *number = NULL;

  if (*label)
    return g_quark_from_string (label);
  if (id < 0)
    return g_quark_from_static_string ("object");
  number = g_strdup_printf ("%d", id);
  return g_quark_from_string (number);
}

/* The classes of @region as one classification; FALSE when it has none. */
static gboolean
add_classes (Analytics *self, const GstFoveaRegion *region,
    GstAnalyticsClsMtd *mtd)
{
  g_autoptr (GArray) levels = g_array_new (FALSE, FALSE, sizeof (gfloat));
  g_autoptr (GArray) quarks = g_array_new (FALSE, FALSE, sizeof (GQuark));
  GstFoveaRegion class;

  for (guint i = 0; gst_fovea_region_get_class (region, i, &class); i++) {
    GQuark quark = class_quark (class.label, class.label_id);
    gfloat level = (gfloat) class.confidence;

    g_array_append_val (levels, level);
    g_array_append_val (quarks, quark);
  }
  return levels->len > 0
      && gst_analytics_relation_meta_add_cls_mtd (relation_meta (self),
          levels->len, (gfloat *) (gpointer) levels->data,
          (GQuark *) (gpointer) quarks->data, mtd);
}

static void
add_box (Analytics *self, const GstFoveaRegion *region)
{
  const GstVideoRegionOfInterestMeta *box = region->meta;
  GstAnalyticsClsMtd classes;
  GstAnalyticsODMtd mtd;

  if (!gst_analytics_relation_meta_add_od_mtd (relation_meta (self),
          class_quark (region->label, region->label_id), (gint) box->x,
          (gint) box->y, (gint) box->w, (gint) box->h,
          (gfloat) region->confidence, &mtd))
    return;
  if (add_classes (self, region, &classes))
    relate (self, GST_ANALYTICS_REL_TYPE_CONTAIN,
        GST_ANALYTICS_REL_TYPE_IS_PART_OF, &mtd, &classes);
}

static void
add_regions (Analytics *self)
{
  GstFoveaRegion region;
  GstAnalyticsClsMtd mtd;
  gpointer state = NULL;

  while (gst_fovea_buffer_next_region (self->buffer, self->element, &state,
      &region)) {
    if (region.role != GST_FOVEA_ROLE_RESULT)
      continue;
    if (region.is_frame)
      add_classes (self, &region, &mtd);
    else
      add_box (self, &region);
  }
}

#ifdef GST_FOVEA_HAS_DEPTH_MTD

/* Which thing of the map of instances is which. */
typedef struct
{
  guint id;
  GQuark class;
  gfloat confidence;
} Thing;

/* A mask and a classification that names its regions. */
static gboolean
add_mask (Analytics *self, const GstFoveaPlane *map, GstSegmentationType type,
    const GstVideoRectangle *at, const GArray *things,
    GstAnalyticsSegmentationMtd *mtd)
{
  g_autofree guint *ids = g_new (guint, things->len);
  g_autofree GQuark *quarks = g_new (GQuark, things->len);
  g_autofree gfloat *levels = g_new (gfloat, things->len);
  GstAnalyticsClsMtd classes;

  for (guint i = 0; i < things->len; i++) {
    const Thing *thing = &g_array_index (things, Thing, i);
    ids[i] = thing->id;
    quarks[i] = thing->class;
    levels[i] = thing->confidence;
  }
  if (!gst_analytics_relation_meta_add_segmentation_mtd (relation_meta (self),
          gst_buffer_ref (map->data), type, things->len, ids, at->x, at->y,
          (guint) at->w, (guint) at->h, mtd)
      || !gst_analytics_relation_meta_add_cls_mtd (self->meta, things->len,
          levels, quarks, &classes))
    return FALSE;
  relate (self,
      GST_ANALYTICS_REL_TYPE_RELATE_TO | GST_ANALYTICS_REL_TYPE_N_TO_N,
      GST_ANALYTICS_REL_TYPE_RELATE_TO | GST_ANALYTICS_REL_TYPE_N_TO_N, mtd,
      &classes);
  return TRUE;
}

/* Every class there is: which of them a frame shows only its pixels tell, and those
 * may be on the device. */
static void
add_semantic (Analytics *self, const GstFoveaSegmentationMeta *from)
{
  g_autoptr (GArray) classes = g_array_new (FALSE, FALSE, sizeof (Thing));
  GstAnalyticsSegmentationMtd mtd;

  if (from->n_classes == 0 || from->n_classes > MAX_CLASSES)
    return;
  for (guint i = 0; i < from->n_classes; i++) {
    const char *label = gst_fovea_producer_label (from->map->producer, i);
    Thing thing = { i, class_quark (label, (gint) i), -1 };

    g_array_append_val (classes, thing);
  }
  add_mask (self, from->map, GST_SEGMENTATION_TYPE_SEMANTIC,
      &from->frame.region, classes, &mtd);
}

/* The mtd of a box that add_box() made of @region. */
static gboolean
find_box (Analytics *self, const GstFoveaRegion *region, GstAnalyticsMtd *mtd)
{
  const GstVideoRegionOfInterestMeta *box = region->meta;
  GQuark class = class_quark (region->label, region->label_id);
  gpointer state = NULL;
  gint x, y, w, h;
  gfloat level;

  while (gst_analytics_relation_meta_iterate (relation_meta (self), &state,
      gst_analytics_od_mtd_get_mtd_type (), mtd))
    if (gst_analytics_od_mtd_get_obj_type (mtd) == class
        && gst_analytics_od_mtd_get_location (mtd, &x, &y, &w, &h, &level)
        && x == (gint) box->x && y == (gint) box->y && w == (gint) box->w
        && h == (gint) box->h && level == (gfloat) region->confidence)
      return TRUE;
  return FALSE;
}

static gboolean
next_thing (Analytics *self, const GstFoveaSegmentationMeta *mask,
    gpointer *state, GstFoveaRegion *region)
{
  const GstFoveaProducer *producer = mask->map->producer;

  while (
      gst_fovea_buffer_next_region (self->buffer, self->element, state, region))
    if (region->instance && region->role == producer->role
        && g_str_equal (region->head, producer->head))
      return TRUE;
  return FALSE;
}

static void
add_instances (Analytics *self, const GstFoveaSegmentationMeta *from)
{
  g_autoptr (GArray) things = g_array_new (FALSE, FALSE, sizeof (Thing));
  GstAnalyticsSegmentationMtd mtd;
  GstAnalyticsMtd box;
  GstFoveaRegion region;
  gpointer state = NULL;

  if (from->instances == NULL)
    return;
  while (next_thing (self, from, &state, &region)) {
    Thing thing = { region.instance,
      class_quark (region.label, region.label_id), (gfloat) region.confidence };

    g_array_append_val (things, thing);
  }
  if (things->len == 0
      || !add_mask (self, from->instances, GST_SEGMENTATION_TYPE_INSTANCE,
          &from->frame.region, things, &mtd))
    return;
  state = NULL;
  while (next_thing (self, from, &state, &region))
    if (find_box (self, &region, &box))
      relate (self, GST_ANALYTICS_REL_TYPE_RELATE_TO,
          GST_ANALYTICS_REL_TYPE_RELATE_TO, &box, &mtd);
}

/* Depth */

typedef struct
{
  GstFoveaPlane *map;
  GstFoveaDepthKind kind;
  GstFoveaFrame frame;
} Depth;

static gint
scaled (gint value, gint to, gint from)
{
  return from > 0 ? (gint) ((gint64) value * to / from) : value;
}

/* The bytes of @mtd were copied into the new buffer's meta. */
static gboolean
depth_transform (GstBuffer *target, GstAnalyticsMtd *mtd, GstBuffer *buffer,
    GQuark type, gpointer data)
{
  Depth *depth = gst_analytics_relation_meta_get_mtd_data (mtd->meta, mtd->id);
  GstVideoRectangle *region = &depth->frame.region;
  const GstVideoMetaTransform *scale = data;
  gint w, h, from_w, from_h;

  gst_fovea_plane_ref (depth->map);
  if (!GST_VIDEO_META_TRANSFORM_IS_SCALE (type))
    return TRUE;
  from_w = GST_VIDEO_INFO_WIDTH (scale->in_info);
  from_h = GST_VIDEO_INFO_HEIGHT (scale->in_info);
  w = GST_VIDEO_INFO_WIDTH (scale->out_info);
  h = GST_VIDEO_INFO_HEIGHT (scale->out_info);
  region->x = scaled (region->x, w, from_w);
  region->y = scaled (region->y, h, from_h);
  region->w = scaled (region->w, w, from_w);
  region->h = scaled (region->h, h, from_h);
  return TRUE;
}

static void
depth_clear (GstBuffer *buffer, GstAnalyticsMtd *mtd)
{
  Depth *depth = gst_analytics_relation_meta_get_mtd_data (mtd->meta, mtd->id);

  g_clear_pointer (&depth->map, gst_fovea_plane_unref);
}

static const GstAnalyticsMtdImpl depth_impl = {
  .name = "fovea-depth",
  .mtd_meta_transform = depth_transform,
  .mtd_meta_clear = depth_clear,
};

GstAnalyticsMtdType
gst_fovea_depth_mtd_get_mtd_type (void)
{
  return (GstAnalyticsMtdType) (gsize) &depth_impl;
}

GstFoveaPlane *
gst_fovea_depth_mtd_get (const GstFoveaDepthMtd *mtd, GstFoveaDepthKind *kind,
    GstVideoRectangle *region)
{
  const Depth *depth;

  if (gst_analytics_mtd_get_mtd_type (mtd)
      != gst_fovea_depth_mtd_get_mtd_type ())
    return NULL;
  depth = gst_analytics_relation_meta_get_mtd_data (mtd->meta, mtd->id);
  if (kind)
    *kind = depth->kind;
  if (region)
    *region = depth->frame.region;
  return depth->map;
}

static void
add_depth (Analytics *self, const GstFoveaDepthMeta *from)
{
  GstFoveaDepthMtd mtd;
  Depth *depth = gst_analytics_relation_meta_add_mtd (relation_meta (self),
      &depth_impl, sizeof *depth, &mtd);

  if (depth == NULL)
    return;
  depth->map = gst_fovea_plane_ref (from->map);
  depth->kind = from->kind;
  depth->frame = from->frame;
}

static void
add_maps (Analytics *self)
{
  gpointer state = NULL;
  GstMeta *meta;

  while ((meta = gst_buffer_iterate_meta (self->buffer, &state))) {
    GstFoveaSegmentationMeta *mask = (GstFoveaSegmentationMeta *) meta;
    GstFoveaDepthMeta *depth = (GstFoveaDepthMeta *) meta;

    if (meta->info->api == GST_FOVEA_SEGMENTATION_META_API_TYPE
        && gst_fovea_producer_matches (mask->map->producer, self->element)
        && mask->map->producer->role == GST_FOVEA_ROLE_RESULT) {
      add_semantic (self, mask);
      add_instances (self, mask);
    }
    if (meta->info->api == GST_FOVEA_DEPTH_META_API_TYPE
        && gst_fovea_producer_matches (depth->map->producer, self->element)
        && depth->map->producer->role == GST_FOVEA_ROLE_RESULT)
      add_depth (self, depth);
  }
}

/* Tensors */

/* FALSE for what GStreamer has no name for. */
static gboolean
tensor_type (FvType type, GstTensorDataType *result)
{
  static const struct
  {
    FvType from;
    GstTensorDataType to;
  } types[] = {
    { FV_TYPE_F16, GST_TENSOR_DATA_TYPE_FLOAT16 },
    { FV_TYPE_F32, GST_TENSOR_DATA_TYPE_FLOAT32 },
    { FV_TYPE_F64, GST_TENSOR_DATA_TYPE_FLOAT64 },
    { FV_TYPE_I8, GST_TENSOR_DATA_TYPE_INT8 },
    { FV_TYPE_U8, GST_TENSOR_DATA_TYPE_UINT8 },
    { FV_TYPE_I16, GST_TENSOR_DATA_TYPE_INT16 },
    { FV_TYPE_U16, GST_TENSOR_DATA_TYPE_UINT16 },
    { FV_TYPE_I32, GST_TENSOR_DATA_TYPE_INT32 },
    { FV_TYPE_U32, GST_TENSOR_DATA_TYPE_UINT32 },
    { FV_TYPE_I64, GST_TENSOR_DATA_TYPE_INT64 },
    { FV_TYPE_U64, GST_TENSOR_DATA_TYPE_UINT64 },
    { FV_TYPE_BOOL, GST_TENSOR_DATA_TYPE_UINT8 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (types[i].from == type) {
      *result = types[i].to;
      return TRUE;
    }
  return FALSE;
}

static gboolean
is_dense (const GstFoveaTensorMeta *from)
{
  gint64 step = 1;

  for (guint i = from->shape.rank; i-- > 0;) {
    if (from->shape.dims[i] != 1 && from->strides[i] != step)
      return FALSE;
    step *= from->shape.dims[i];
  }
  return TRUE;
}

/* One row after the other; there is an axis. */
static void
pack_rows (const GstFoveaTensorMeta *from, const guint8 *data, guint8 *to)
{
  gsize element = fv_type_size (from->type);
  guint last = from->shape.rank - 1;
  gint64 n = from->shape.dims[last], step = from->strides[last];
  gint64 rows = fv_shape_count (&from->shape) / MAX (n, 1);

  for (gint64 row = 0; row < rows; row++) {
    gint64 at = 0, rest = row;

    for (guint i = last; i-- > 0;) {
      at += rest % from->shape.dims[i] * from->strides[i];
      rest /= from->shape.dims[i];
    }
    for (gint64 i = 0; i < n; i++, to += element)
      memcpy (to, data + (gsize) (at + i * step) * element, element);
  }
}

/* (transfer full) (nullable): the elements without anything between them */
static GstBuffer *
pack_tensor (const GstFoveaTensorMeta *from)
{
  gint64 count = fv_shape_count (&from->shape);
  gsize size = (gsize) count * fv_type_size (from->type);
  GstMapInfo source, target;
  GstBuffer *packed;

  if (count < 0)
    return NULL;
  if (is_dense (from) && gst_buffer_get_size (from->data) == size)
    return gst_buffer_ref (from->data);
  packed = gst_buffer_new_allocate (NULL, size, NULL);
  if (packed == NULL || count == 0)
    return packed;
  if (!gst_buffer_map (from->data, &source, GST_MAP_READ)) {
    gst_buffer_unref (packed);
    return NULL;
  }
  gst_buffer_map (packed, &target, GST_MAP_WRITE);
  if (is_dense (from))
    memcpy (target.data, source.data, size);
  else
    pack_rows (from, source.data, target.data);
  gst_buffer_unmap (packed, &target);
  gst_buffer_unmap (from->data, &source);
  return packed;
}

static GstTensor *
make_tensor (const GstFoveaTensorMeta *from)
{
  gsize dims[FV_MAX_RANK];
  GstTensorDataType type;
  GstBuffer *data;

  if (!tensor_type (from->type, &type) || from->shape.rank == 0)
    return NULL;
  data = pack_tensor (from);
  if (data == NULL)
    return NULL;
  for (guint i = 0; i < from->shape.rank; i++)
    dims[i] = (gsize) from->shape.dims[i];
  return gst_tensor_new_simple (g_quark_from_string (from->name), type, data,
      GST_TENSOR_DIM_ORDER_ROW_MAJOR, from->shape.rank, dims);
}

static void
add_tensors (Analytics *self)
{
  g_autoptr (GPtrArray) tensors = g_ptr_array_new ();
  gpointer state = NULL;
  GstMeta *meta;
  guint n;

  while ((meta = gst_buffer_iterate_meta_filtered (self->buffer, &state,
              GST_FOVEA_TENSOR_META_API_TYPE))) {
    const GstFoveaTensorMeta *from = (GstFoveaTensorMeta *) meta;
    GstTensor *tensor =
        gst_fovea_producer_matches (from->producer, self->element)
        ? make_tensor (from)
        : NULL;

    if (tensor)
      g_ptr_array_add (tensors, tensor);
  }
  n = tensors->len;
  if (n > 0)
    gst_tensor_meta_set (gst_buffer_add_tensor_meta (self->buffer), n,
        (GstTensor **) g_ptr_array_free (g_steal_pointer (&tensors), FALSE));
}
#else
static void
add_maps (Analytics *self)
{
}

static void
add_tensors (Analytics *self)
{
}
#endif

void
gst_fovea_buffer_add_analytics (GstBuffer *buffer, const char *element)
{
  Analytics self = { buffer, element, NULL };

  add_regions (&self);
  add_maps (&self);
  add_tensors (&self);
}
#else
void
gst_fovea_buffer_add_analytics (GstBuffer *buffer, const char *element)
{
}
#endif
