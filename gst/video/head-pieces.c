/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pieces of a frame, each with a mask: from their values at the pixels of the
 * model's maps to maps of classes and instances over the frame. */
#include "gst/video/head-private.h"

#define WORDS(n) ((gsize) (FV_BOXES_HEADER + (n) *FV_PIECE_WORDS) * 4)

static gboolean
make_buffers (GstFoveaHead *head, GstFoveaPieces *pieces, guint capacity,
    GError **error)
{
  FvMasksPush *push = &pieces->push;
  guint units = (capacity + 3) / 4;

  push->units = (fv_int) units;
  pieces->values = gst_fovea_head_own (head,
      (guint64) push->width * (guint64) push->height * units * 16,
      FV_MEMORY_DEVICE, error);
  if (pieces->values == NULL)
    return FALSE;
  head->pieces = gst_fovea_head_own (head, WORDS (FV_MOST_PIECES),
      FV_MEMORY_DEVICE, error);
  if (head->pieces == NULL)
    return FALSE;
  head->copy_size = WORDS (FV_MOST_PIECES);
  head->download =
      fv_buffer_new (head->device, head->copy_size, FV_MEMORY_DOWNLOAD, error);
  gst_fovea_head_fill (head, head->pieces, 0, head->copy_size, 0);
  return head->download != NULL;
}

gboolean
gst_fovea_pieces_init (GstFoveaHead *head, GstFoveaPieces *pieces,
    gint channel_axis, guint capacity, GError **error)
{
  const FvPort *port =
      gst_fovea_head_port (head, head->card->masks.masks, error);
  GstFoveaHeadMapFormat format = head->card->n_classes > 255
      ? GST_FOVEA_HEAD_MAP_U16
      : GST_FOVEA_HEAD_MAP_U8;
  guint y, x;

  if (port == NULL
      || !gst_fovea_head_map_axes (head, port, channel_axis, &y, &x, error))
    return FALSE;
  *pieces = (GstFoveaPieces){ .port = port, .y_axis = y, .x_axis = x };
  pieces->push = (FvMasksPush){ .width = (fv_int) port->shape.dims[x],
    .height = (fv_int) port->shape.dims[y],
    .offset = (fv_int) port->offset,
    .stride_y = (fv_int) port->strides[y],
    .stride_x = (fv_int) port->strides[x],
    .stride_c = (fv_int) port->strides[channel_axis],
    .channels = (fv_int) port->shape.dims[channel_axis],
    .scale_x = (float) port->shape.dims[x] / (float) head->frame.input_width,
    .scale_y = (float) port->shape.dims[y] / (float) head->frame.input_height };
  return make_buffers (head, pieces, capacity, error)
      && gst_fovea_head_make_map (head, format, GST_FOVEA_HEAD_INSTANCES,
          error);
}

void
gst_fovea_pieces_paint (GstFoveaHead *head, const GstFoveaPieces *pieces)
{
  FvDispatch dispatch = { .kernel = "paint" };
  FvPaintPush push = { .inside = pieces->inside };

  gst_fovea_head_map_push (head, pieces->port, pieces->y_axis, pieces->x_axis,
      -1, &push.map);
  push.map.offset = (fv_int) (head->map.instances / 4);
  push.map.row_words = (fv_int) (head->map.instance_stride / 4);
  push.map.channels = pieces->push.units;
  push.map.a = pieces->push.scale_x;
  push.map.b = pieces->push.scale_y;
  gst_fovea_head_bind_units (&dispatch, pieces->values, FALSE);
  gst_fovea_head_bind_raw (&dispatch, head->map.buffer, TRUE);
  gst_fovea_head_bind_raw (&dispatch, head->pieces, TRUE);
  fv_dispatch_spec (&dispatch, FV_PAINT_SPEC_PROTOTYPES, pieces->is_prototypes);
  fv_dispatch_push (&dispatch, &push, sizeof push);
  gst_fovea_head_dispatch_tiles (head, &dispatch, &push.map);
}

void
gst_fovea_pieces_relabel (GstFoveaHead *head)
{
  const GstFoveaHeadMap *map = &head->map;
  FvDispatch dispatch = { .kernel = "relabel" };
  FvRelabelPush push = { .width = (fv_int) map->width,
    .height = (fv_int) map->height,
    .row_words = (fv_int) (map->stride / 4),
    .instance_words = (fv_int) (map->instances / 4),
    .instance_row_words = (fv_int) (map->instance_stride / 4) };
  guint64 runs =
      ((guint64) push.instance_row_words + FV_RELABEL_RUN - 1) / FV_RELABEL_RUN;

  gst_fovea_head_bind_raw (&dispatch, map->buffer, TRUE);
  gst_fovea_head_bind_raw (&dispatch, head->pieces, TRUE);
  fv_dispatch_spec (&dispatch, FV_RELABEL_SPEC_BITS,
      map->format == GST_FOVEA_HEAD_MAP_U16 ? 16 : 8);
  fv_dispatch_push (&dispatch, &push, sizeof push);
  gst_fovea_head_dispatch (head, &dispatch, runs * map->height);
}

const guint32 *
gst_fovea_pieces_get (const GstFoveaHead *head, guint i)
{
  const guint32 *words = fv_buffer_map (head->download);

  if (i >= MIN (words[1], FV_MOST_PIECES))
    return NULL;
  return words + FV_BOXES_HEADER + i * FV_PIECE_WORDS;
}

static gint
compare_classes (gconstpointer a, gconstpointer b)
{
  guint x = ((const GstFoveaClass *) a)->class_id;
  guint y = ((const GstFoveaClass *) b)->class_id;

  return x < y ? -1 : x > y;
}

void
gst_fovea_pieces_read_shares (const GstFoveaHead *head, GstFoveaResult *result)
{
  double pixels = (double) head->map.width * head->map.height;
  GArray *classes = result->classes;
  const guint32 *words;
  guint n = 0;

  for (guint i = 0; (words = gst_fovea_pieces_get (head, i)); i++) {
    GstFoveaClass found = { words[FV_PIECE_CLASS],
      (float) (words[FV_PIECE_AREA] / pixels) };
    if (words[FV_PIECE_NUMBER] != FV_PIECE_DROPPED && words[FV_PIECE_AREA] > 0)
      g_array_append_val (classes, found);
  }
  g_array_sort (classes, compare_classes);
  for (guint i = 0; i < classes->len; i++) {
    GstFoveaClass *own = &g_array_index (classes, GstFoveaClass, i);
    if (n > 0
        && g_array_index (classes, GstFoveaClass, n - 1).class_id
            == own->class_id)
      g_array_index (classes, GstFoveaClass, n - 1).score += own->score;
    else
      g_array_index (classes, GstFoveaClass, n++) = *own;
  }
  g_array_set_size (classes, n);
}
