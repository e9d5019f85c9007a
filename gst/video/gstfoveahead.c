/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/head-private.h"

#include <string.h>

#define MOST_BYTES (1u << 30) /* of one buffer between kernels */

void
gst_fovea_head_params_init (GstFoveaHeadParams *params, const FvCardHead *head)
{
  static const float thresholds[] = { [FV_HEAD_DETECT] = 0.3f,
    [FV_HEAD_SEGMENT] = 0.5f,
    [FV_HEAD_DEPTH] = 0 };

  gboolean is_detector = head->masks.kind == FV_MASKS_PROTOTYPES;

  params->threshold = head->threshold > 0 ? head->threshold
      : is_detector                       ? thresholds[FV_HEAD_DETECT]
      : head->kind <= FV_HEAD_DEPTH       ? thresholds[head->kind]
                                          : 0;
  params->iou_threshold = head->iou_threshold > 0 ? head->iou_threshold : 0.45f;
  params->max_detections = 100;
  params->max_classes = 5;
}

void
gst_fovea_result_init (GstFoveaResult *result)
{
  memset (result, 0, sizeof *result);
  result->boxes = g_array_new (FALSE, FALSE, sizeof (GstFoveaBox));
  result->classes = g_array_new (FALSE, FALSE, sizeof (GstFoveaClass));
}

void
gst_fovea_result_clear (GstFoveaResult *result)
{
  g_clear_pointer (&result->boxes, g_array_unref);
  g_clear_pointer (&result->classes, g_array_unref);
}

static gboolean
fits (gint64 value)
{
  return value > -(G_GINT64_CONSTANT (1) << 30)
      && value < (G_GINT64_CONSTANT (1) << 30);
}

const FvPort *
gst_fovea_head_port (GstFoveaHead *head, guint index, GError **error)
{
  const FvPort *port;
  gint64 last;

  if (index >= head->n_outputs) {
    g_set_error (error, FV_ERROR, FV_ERROR_NOT_FOUND,
        "the %s head reads output %u, the model has %u",
        fv_head_kind_name (head->card->kind), index, head->n_outputs);
    return NULL;
  }
  port = head->outputs[index];
  if (port->buffer == NULL) {
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "output '%s' is made on the host, where boxes alone are read, no %s",
        port->name, fv_head_kind_name (head->card->kind));
    return NULL;
  }
  last = port->offset;
  for (guint i = 0; i < port->shape.rank && fits (last); i++) {
    if (port->shape.dims[i] < 1) {
      g_autofree char *shape = fv_shape_to_string (&port->shape);
      g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
          "output '%s' is empty: its shape is %s", port->name, shape);
      return NULL;
    }
    if (port->shape.dims[i] > 1) {
      if (!fits (port->strides[i]) || !fits (port->shape.dims[i]))
        break;
      last += (port->shape.dims[i] - 1) * port->strides[i];
    }
  }
  if (!fits (last) || !fits (port->offset)
      || port->buffer_size / fv_type_size (port->type) > (1u << 30)) {
    g_set_error (error, FV_ERROR, FV_ERROR_TOO_LARGE,
        "output '%s' is too large for a head: at most %u elements", port->name,
        1u << 30);
    return NULL;
  }
  return port;
}

gboolean
gst_fovea_port_is_dense (const FvPort *port, gint axis)
{
  gint64 last = port->offset;

  if (axis < 0 || port->offset % 4 != 0)
    return FALSE;
  for (guint i = 0; i < port->shape.rank; i++) {
    gint64 size = port->shape.dims[i], stride = port->strides[i];
    if (size == 1)
      continue;
    if ((gint) i == axis ? stride != 1 : stride % 4 != 0 || stride < 0)
      return FALSE;
    last += (size - 1) * stride;
  }
  return (gsize) (last / 4 * 4 + 4) * fv_type_size (port->type)
      <= port->buffer_size;
}

void
gst_fovea_head_bind (FvDispatch *dispatch, const FvPort *port)
{
  dispatch->bindings[dispatch->n_bindings++] = (FvBinding){ port->buffer,
    port->buffer_offset, port->buffer_size, FV_BIND_FLOATS_READ, port->type };
}

void
gst_fovea_head_bind_raw (FvDispatch *dispatch, FvBuffer *buffer, gboolean write)
{
  dispatch->bindings[dispatch->n_bindings++] =
      (FvBinding){ buffer, 0, fv_buffer_size (buffer),
        write ? FV_BIND_RAW_WRITE : FV_BIND_RAW_READ, FV_TYPE_NONE };
}

void
gst_fovea_head_bind_units (FvDispatch *dispatch, FvBuffer *buffer,
    gboolean write)
{
  dispatch->bindings[dispatch->n_bindings++] =
      (FvBinding){ buffer, 0, fv_buffer_size (buffer),
        write ? FV_BIND_FLOATS_WRITE : FV_BIND_FLOATS_READ, FV_TYPE_F32 };
}

FvBuffer *
gst_fovea_head_own (GstFoveaHead *head, guint64 size, FvMemoryUse kind,
    GError **error)
{
  FvBuffer *buffer;

  if (size > MOST_BYTES) {
    g_set_error (error, FV_ERROR, FV_ERROR_TOO_LARGE,
        "the %s head of output '%s' needs %" G_GUINT64_FORMAT
        " bytes between its kernels, at most %u",
        fv_head_kind_name (head->card->kind), head->card->name, size,
        MOST_BYTES);
    return NULL;
  }
  buffer = fv_buffer_new (head->device, (gsize) size, kind, error);
  if (buffer != NULL)
    g_ptr_array_add (head->owned, buffer);
  return buffer;
}

static void
add_dispatch (GstFoveaHead *head, FvDispatch *dispatch, guint local)
{
  fv_dispatch_spec (dispatch, FV_SPEC_LOCAL, (gint32) local);
  dispatch->label = head->card->name;
  g_array_append_val (head->dispatches, *dispatch);
}

guint
gst_fovea_head_local (const GstFoveaHead *head)
{
  return fv_device_tier (head->device) == FV_TIER_SUBGROUP
      ? MAX (1, fv_device_info (head->device)->subgroup_size)
      : 64;
}

void
gst_fovea_head_dispatch (GstFoveaHead *head, FvDispatch *dispatch, guint64 n)
{
  guint local = gst_fovea_head_local (head);
  guint64 groups = MAX (1, (n + local - 1) / local);

  dispatch->groups[0] = (guint) MIN (groups, 32768);
  dispatch->groups[1] = (guint) ((groups + 32767) / 32768);
  dispatch->groups[2] = 1;
  add_dispatch (head, dispatch, local);
}

/* Workgroups in two directions: about as many blocks side by side as one below
 * the other. Blocks that lie between the same logits share their loads, so few
 * processors take larger ones. */
void
gst_fovea_head_dispatch_tiles (GstFoveaHead *head, FvDispatch *dispatch,
    const FvMapPush *push)
{
  guint local = gst_fovea_head_local (head), columns = 1, width, height;
  gboolean few = fv_device_tier (head->device) == FV_TIER_SUBGROUP;
  gint32 block_x = few && push->scale_x <= 0.125f ? 16 : 8;
  gint32 block_y = few && push->scale_y <= 0.25f ? 8 : 4;

  while (columns * columns * 4 <= local)
    columns *= 2;
  width = columns * (guint) block_x;
  height = local / columns * (guint) block_y;
  fv_dispatch_spec (dispatch, FV_SEGMENT_SPEC_BLOCK_X, block_x);
  fv_dispatch_spec (dispatch, FV_SEGMENT_SPEC_BLOCK_Y, block_y);
  fv_dispatch_spec (dispatch, FV_SEGMENT_SPEC_TILE, (gint32) columns);
  gst_fovea_head_dispatch (head, dispatch,
      (guint64) ((head->map.width + width - 1) / width)
          * ((head->map.height + height - 1) / height) * local);
}

void
gst_fovea_head_dispatch_one (GstFoveaHead *head, FvDispatch *dispatch)
{
  const FvDeviceInfo *info = fv_device_info (head->device);

  dispatch->groups[0] = dispatch->groups[1] = dispatch->groups[2] = 1;
  add_dispatch (head, dispatch,
      fv_device_tier (head->device) == FV_TIER_SUBGROUP
          ? MAX (1, info->subgroup_size)
          : MIN (256, info->max_invocations));
}

void
gst_fovea_head_fill (GstFoveaHead *head, FvBuffer *buffer, gsize offset,
    gsize size, guint32 value)
{
  GstFoveaFill fill = { buffer, offset, size, value };
  g_array_append_val (head->fills, fill);
}

gboolean
gst_fovea_head_make_map (GstFoveaHead *head, GstFoveaHeadMapFormat format,
    GstFoveaHeadPlane more, GError **error)
{
  static const guint bytes[] = { [GST_FOVEA_HEAD_MAP_U8] = 1,
    [GST_FOVEA_HEAD_MAP_U16] = 2,
    [GST_FOVEA_HEAD_MAP_F32] = 4 };
  GstFoveaHeadMap *map = &head->map;
  gsize size;

  map->format = format;
  map->width = head->frame.frame_width;
  map->height = head->frame.frame_height;
  map->stride = ((gsize) map->width * bytes[format] + 3) / 4 * 4;
  map->size = map->stride * map->height;
  size = map->size;
  if (more == GST_FOVEA_HEAD_MATTE) {
    map->matte = size;
    size += map->size;
  } else if (more == GST_FOVEA_HEAD_INSTANCES) {
    map->instances = (size + 255) / 256 * 256; /* as bindings must start */
    map->instance_stride = ((gsize) map->width + 3) / 4 * 4;
    size = map->instances + map->instance_stride * map->height;
  }
  map->buffer = fv_buffer_new (head->device, size, FV_MEMORY_DEVICE, error);
  return map->buffer != NULL;
}

gboolean
gst_fovea_head_map_axes (const GstFoveaHead *head, const FvPort *port,
    gint channel_axis, guint *y_axis, guint *x_axis, GError **error)
{
  guint axes[FV_MAX_RANK], n = 0;

  for (guint i = 0; i < port->shape.rank; i++)
    if ((gint) i != channel_axis)
      axes[n++] = i;
  /* [1, h, w, 1]: the last axis is one of channels, if the one before is not */
  if (channel_axis < 0 && n == 4 && port->shape.dims[3] == 1
      && port->shape.dims[1] != 1)
    n--;
  for (guint i = 0; i + 2 < n; i++)
    if (port->shape.dims[axes[i]] != 1)
      n = 0;
  if (n >= 2 && channel_axis < (gint) port->shape.rank) {
    *y_axis = axes[n - 2];
    *x_axis = axes[n - 1];
    return TRUE;
  }
  g_autofree char *shape = fv_shape_to_string (&port->shape);
  g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
      "output '%s' is no map for a %s head: expected [1, C, h, w], [1, h, w, C] "
      "or [1, h, w], it is %s",
      port->name, fv_head_kind_name (head->card->kind), shape);
  return FALSE;
}

void
gst_fovea_head_map_push (const GstFoveaHead *head, const FvPort *port,
    guint y_axis, guint x_axis, gint channel_axis, FvMapPush *push)
{
  const FvFrameMap *f = &head->frame;
  double width = (double) port->shape.dims[x_axis];
  double height = (double) port->shape.dims[y_axis];
  double scale_x = f->width * width / f->input_width / f->frame_width;
  double scale_y = f->height * height / f->input_height / f->frame_height;

  *push = (FvMapPush){ .frame_width = (fv_int) f->frame_width,
    .frame_height = (fv_int) f->frame_height,
    .row_words = (fv_int) (head->map.stride / 4),
    .map_width = (fv_int) width,
    .map_height = (fv_int) height,
    .offset = (fv_int) port->offset,
    .stride_y = (fv_int) port->strides[y_axis],
    .stride_x = (fv_int) port->strides[x_axis],
    .stride_c = channel_axis < 0 ? 0 : (fv_int) port->strides[channel_axis],
    .channels = channel_axis < 0 ? 1 : (fv_int) port->shape.dims[channel_axis],
    .scale_x = (float) scale_x,
    .scale_y = (float) scale_y,
    .bias_x = (float) (f->x * width / f->input_width + 0.5 * scale_x - 0.5),
    .bias_y = (float) (f->y * height / f->input_height + 0.5 * scale_y - 0.5),
    .a = 1,
    .matte_word = (fv_int) (head->map.matte / 4) };
}

static gboolean
check_frame (const FvFrameMap *map, GError **error)
{
  if (map->frame_width >= 1 && map->frame_height >= 1
      && map->frame_width <= 65536 && map->frame_height <= 65536
      && map->input_width >= 1 && map->input_height >= 1 && map->width >= 1
      && map->height >= 1)
    return TRUE;
  g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
      "a head needs sizes from 1 to 65536: frame %ux%u in %dx%d of an input of "
      "%ux%u was given",
      map->frame_width, map->frame_height, map->width, map->height,
      map->input_width, map->input_height);
  return FALSE;
}

/* Whether the host makes an output that a detector reads, if only the list of
 * which of its boxes stay. */
static gboolean
reads_host (const GstFoveaHead *head)
{
  const FvCardDetect *d = &head->card->detect;
  const guint outputs[] = { d->boxes[0], d->scores[0], d->classes, d->count,
    d->selected };

  for (guint i = 0; i < G_N_ELEMENTS (outputs); i++)
    if (outputs[i] < head->n_outputs
        && head->outputs[outputs[i]]->buffer == NULL)
      return TRUE;
  return FALSE;
}

static const GstFoveaHeadClass *
find_class (const GstFoveaHead *head)
{
  static const GstFoveaHeadClass *const classes[] = {
    [FV_HEAD_CLASSIFY] = &gst_fovea_head_classify,
    [FV_HEAD_DETECT] = &gst_fovea_head_detect,
    [FV_HEAD_SEGMENT] = &gst_fovea_head_segment,
    [FV_HEAD_DEPTH] = &gst_fovea_head_depth,
  };
  static const GstFoveaHeadClass *const segmenters[] = {
    [FV_MASKS_NONE] = &gst_fovea_head_segment,
    [FV_MASKS_PROTOTYPES] = &gst_fovea_head_prototypes,
    [FV_MASKS_QUERIES] = &gst_fovea_head_queries,
  };
  guint kind = head->card->kind;

  if (kind == FV_HEAD_DETECT && reads_host (head))
    return &gst_fovea_head_detect_host;
  if (kind == FV_HEAD_SEGMENT)
    return segmenters[head->card->masks.kind];
  return kind < G_N_ELEMENTS (classes) ? classes[kind] : NULL;
}

GstFoveaHead *
gst_fovea_head_new (FvDevice *device, const FvCardHead *card,
    const FvPort *const *outputs, guint n_outputs, const FvFrameMap *map,
    GError **error)
{
  g_autoptr (GstFoveaHead) head = g_new0 (GstFoveaHead, 1);
  GstFoveaHeadParams params;

  head->device = fv_device_ref (device);
  head->card = card;
  head->outputs = outputs;
  head->n_outputs = n_outputs;
  head->frame = *map;
  head->fills = g_array_new (FALSE, FALSE, sizeof (GstFoveaFill));
  head->dispatches = g_array_new (FALSE, FALSE, sizeof (FvDispatch));
  head->owned =
      g_ptr_array_new_with_free_func ((GDestroyNotify) fv_buffer_unref);
  head->klass = find_class (head);
  if (head->klass == NULL) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID, "a head of no kind");
    return NULL;
  }
  head->values =
      fv_buffer_new (device, sizeof (FvHeadValues), FV_MEMORY_UPLOAD, error);
  if (head->values == NULL || !check_frame (map, error)
      || !head->klass->prepare (head, error))
    return NULL;
  head->outputs = NULL;
  gst_fovea_head_params_init (&params, card);
  gst_fovea_head_set_params (head, &params);
  return g_steal_pointer (&head);
}

void
gst_fovea_head_free (GstFoveaHead *head)
{
  if (head == NULL)
    return;
  fv_buffer_unref (head->values);
  fv_buffer_unref (head->work);
  fv_buffer_unref (head->download);
  g_ptr_array_unref (head->owned);
  fv_buffer_unref (head->map.buffer);
  g_array_unref (head->fills);
  g_array_unref (head->dispatches);
  fv_device_unref (head->device);
  g_free (head);
}

void
gst_fovea_head_add (GstFoveaHead *head, FvProgram *program)
{
  for (guint i = 0; i < head->fills->len; i++) {
    GstFoveaFill *fill = &g_array_index (head->fills, GstFoveaFill, i);
    fv_program_fill (program, fill->buffer, fill->offset, fill->size,
        fill->value);
  }
  for (guint i = 0; i < head->dispatches->len; i++)
    fv_program_dispatch (program,
        &g_array_index (head->dispatches, FvDispatch, i));
  if (head->copy_size != 0)
    fv_program_copy (program, head->pieces ? head->pieces : head->work, 0,
        head->download, 0, head->copy_size);
}

void
gst_fovea_head_set_params (GstFoveaHead *head, const GstFoveaHeadParams *params)
{
  FvHeadValues values = { 0 };

  head->params = *params;
  head->params.max_detections =
      MIN (params->max_detections, GST_FOVEA_MAX_CANDIDATES);
  head->params.max_classes = MIN (params->max_classes, GST_FOVEA_MAX_CLASSES);
  values.threshold = params->threshold;
  values.max_classes = (fv_int) head->params.max_classes;
  values.iou_threshold = params->iou_threshold;
  values.max_pieces = (fv_int) head->params.max_detections;
  if (head->klass->write_values != NULL)
    head->klass->write_values (head, &values);
  memcpy (fv_buffer_map (head->values), &values, sizeof values);
}

gboolean
gst_fovea_head_is_on_host (GstFoveaHead *head)
{
  return head->klass == &gst_fovea_head_detect_host;
}

gboolean
gst_fovea_head_take_arrays (GstFoveaHead *head, FvArray *const *arrays,
    GError **error)
{
  head->arrays = arrays;
  return head->klass->check == NULL || head->klass->check (head, error);
}

void
gst_fovea_head_read (GstFoveaHead *head, GstFoveaResult *result)
{
  result->kind = head->card->kind;
  g_array_set_size (result->boxes, 0);
  g_array_set_size (result->classes, 0);
  result->n_candidates = 0;
  result->minimum = result->maximum = 0;
  head->klass->read (head, result);
  head->arrays = NULL;
}

gsize
gst_fovea_head_memory (GstFoveaHead *head)
{
  gsize size = head->map.buffer ? fv_buffer_size (head->map.buffer) : 0;

  if (head->work != NULL)
    size += fv_buffer_size (head->work);
  for (guint i = 0; i < head->owned->len; i++)
    size += fv_buffer_size (g_ptr_array_index (head->owned, i));
  return size;
}

const FvCardHead *
gst_fovea_head_card (GstFoveaHead *head)
{
  return head->card;
}

const GstFoveaHeadMap *
gst_fovea_head_map (GstFoveaHead *head)
{
  return head->map.buffer != NULL ? &head->map : NULL;
}
