/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Boxes with masks that are mixed from prototypes (YOLACT, YOLO segmentation):
 * suppression on the device, because the masks need it. */
#include "gst/video/head-private.h"

#include <math.h>
#include <string.h>

/* Values of that many pieces at the prototypes' pixels are held. */
#define CAPACITY 128

static gboolean
add_suppression (GstFoveaHead *head, FvBuffer *best, GError **error)
{
  FvDispatch dispatch = { .kernel = "suppress" };
  FvBuffer *order = gst_fovea_head_own (head,
      GST_FOVEA_MAX_CANDIDATES * sizeof (guint32), FV_MEMORY_DEVICE, error);

  if (order == NULL)
    return FALSE;
  gst_fovea_head_bind_raw (&dispatch, head->values, FALSE);
  gst_fovea_head_bind_raw (&dispatch, best, FALSE);
  gst_fovea_head_bind_raw (&dispatch, order, TRUE);
  gst_fovea_head_bind_raw (&dispatch, head->pieces, TRUE);
  gst_fovea_head_dispatch_one (head, &dispatch);
  return TRUE;
}

/* The tensor of coefficients: its rows are the candidates. */
static gboolean
bind_coefficients (GstFoveaHead *head, FvDispatch *dispatch, FvMasksPush *push,
    GError **error)
{
  const FvCardMasks *m = &head->card->masks;
  const FvPort *port = gst_fovea_head_port (head, m->coefficients, error);
  guint candidates;
  gint channels;

  if (port == NULL)
    return FALSE;
  if (!fv_detect_axes (&port->shape, head->card->detect.transposed, &candidates,
          &channels)
      || channels < 0
      || port->shape.dims[channels] < m->coefficient_channel + push->channels) {
    g_autofree char *shape = fv_shape_to_string (&port->shape);
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "output '%s' must have %d coefficients for each box, from channel %d "
        "on, it is %s",
        port->name, push->channels, m->coefficient_channel, shape);
    return FALSE;
  }
  push->coefficient_n = (fv_int) port->strides[candidates];
  push->coefficient_c = (fv_int) port->strides[channels];
  push->coefficient = (fv_int) (port->offset
      + m->coefficient_channel * port->strides[channels]);
  gst_fovea_head_bind (dispatch, port);
  return TRUE;
}

static gboolean
add_values (GstFoveaHead *head, GstFoveaPieces *pieces, GError **error)
{
  FvDispatch dispatch = { .kernel = "maskvalues" };
  FvMasksPush *push = &pieces->push;

  gst_fovea_head_bind (&dispatch, pieces->port);
  if (!bind_coefficients (head, &dispatch, push, error))
    return FALSE;
  gst_fovea_head_bind_raw (&dispatch, head->pieces, FALSE);
  gst_fovea_head_bind_units (&dispatch, pieces->values, TRUE);
  fv_dispatch_spec (&dispatch, FV_MASKS_SPEC_PROTOTYPES, 1);
  fv_dispatch_spec (&dispatch, FV_MASKS_SPEC_DENSE,
      gst_fovea_port_is_dense (pieces->port, head->card->masks.channel_axis));
  fv_dispatch_push (&dispatch, push, sizeof *push);
  gst_fovea_head_dispatch (head, &dispatch,
      (guint64) push->width * (guint64) push->height * (guint64) push->units);
  return TRUE;
}

static gboolean
prepare (GstFoveaHead *head, GError **error)
{
  const FvCardMasks *m = &head->card->masks;
  FvBuffer *best = gst_fovea_head_own (head, GST_FOVEA_HEAD_BOX_BYTES,
      FV_MEMORY_DEVICE, error);
  double p = CLAMP (m->threshold, 1e-6, 1 - 1e-6);
  GstFoveaPieces pieces;

  if (best == NULL
      || !gst_fovea_pieces_init (head, &pieces, m->channel_axis, CAPACITY,
          error)
      || !gst_fovea_head_add_boxes (head, best, error)
      || !add_suppression (head, best, error)
      || !add_values (head, &pieces, error))
    return FALSE;
  pieces.is_prototypes = TRUE;
  pieces.inside = (float) log (p / (1 - p)); /* logits are compared */
  gst_fovea_pieces_paint (head, &pieces);
  gst_fovea_pieces_relabel (head);
  return TRUE;
}

static void
write_values (const GstFoveaHead *head, FvHeadValues *values)
{
  if (!head->card->detect.nms)
    values->iou_threshold = 1;
  values->max_pieces = MIN (values->max_pieces, CAPACITY);
}

static void
read_boxes (GstFoveaHead *head, GstFoveaResult *result)
{
  const guint32 *words;

  result->n_candidates = *(const guint32 *) fv_buffer_map (head->download);
  for (guint i = 0; (words = gst_fovea_pieces_get (head, i)); i++) {
    GstFoveaBox box = { .class_id = words[FV_PIECE_CLASS],
      .index = words[FV_PIECE_INDEX],
      .instance = words[FV_PIECE_NUMBER] };
    float v[5];
    memcpy (v, words + FV_PIECE_SCORE, sizeof v); /* the box behind it */
    if (!gst_fovea_head_place_box (head, v, &box)
        || !gst_fovea_head_clip_box (head, &box))
      continue;
    g_array_append_val (result->boxes, box);
  }
  gst_fovea_pieces_read_shares (head, result);
}

const GstFoveaHeadClass gst_fovea_head_prototypes = {
  .prepare = prepare,
  .write_values = write_values,
  .read = read_boxes,
};
