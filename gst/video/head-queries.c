/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Queries with a class and a map each (MaskFormer, Mask2Former, DETR, Panoptic
 * SegFormer): panoptic where it is known which classes are things, else a map
 * of classes. Formulas: post_process_panoptic_segmentation and
 * post_process_semantic_segmentation of Hugging Face's transformers 4.46. */
#include "gst/video/head-private.h"

#include <string.h>

#define MOST_QUERIES 4096

/* [1, N, C], or [1, N] with one number each: where its values lie. */
static gboolean
find_list (GstFoveaHead *head, const FvPort *port, fv_int *n, fv_int *classes,
    fv_int *stride_n, fv_int *stride_c, GError **error)
{
  const FvShape *s = &port->shape;
  gboolean is_flat = s->rank == 2 && s->dims[0] == 1;
  guint axis = is_flat ? 1 : s->rank - 2;

  if (s->rank < 2 || s->rank > 3 || (s->rank == 3 && s->dims[0] != 1)
      || s->dims[axis] > MOST_QUERIES
      || (!is_flat && s->dims[axis + 1] > 65536)) {
    g_autofree char *shape = fv_shape_to_string (s);
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "output '%s' is no list of at most %d queries' scores: expected "
        "[1, Q, C], it is %s",
        port->name, MOST_QUERIES, shape);
    return FALSE;
  }
  *n = (fv_int) s->dims[axis];
  *stride_n = (fv_int) port->strides[axis];
  *classes = is_flat ? 1 : (fv_int) s->dims[axis + 1];
  *stride_c = is_flat ? 0 : (fv_int) port->strides[axis + 1];
  return TRUE;
}

static gboolean
bind_scores (GstFoveaHead *head, FvDispatch *dispatch, FvQueriesPush *push,
    GError **error)
{
  const FvCardMasks *m = &head->card->masks;
  const FvPort *scores = gst_fovea_head_port (head, m->scores, error);
  const FvPort *stuff = scores;
  fv_int one, stride;

  if (scores == NULL
      || !find_list (head, scores, &push->n, &push->classes, &push->score_n,
          &push->score_c, error))
    return FALSE;
  if (m->stuff_scores != FV_NO_OUTPUT) {
    stuff = gst_fovea_head_port (head, m->stuff_scores, error);
    if (stuff == NULL
        || !find_list (head, stuff, &push->n_stuff, &one, &push->stuff_n,
            &stride, error))
      return FALSE;
  }
  push->score = (fv_int) scores->offset;
  push->stuff = (fv_int) stuff->offset;
  gst_fovea_head_bind (dispatch, scores);
  gst_fovea_head_bind (dispatch, stuff);
  return TRUE;
}

/* Classes of the queries: into the list of pieces, or as @probabilities. */
static gboolean
add_queries (GstFoveaHead *head, gint64 n_maps, guint units, FvBuffer *found,
    FvBuffer *pieces, GError **error)
{
  const FvCardHead *card = head->card;
  FvDispatch dispatch = { .kernel = "queries" };
  FvQueriesPush push = { .background = card->background,
    .units = (fv_int) units };

  if (!bind_scores (head, &dispatch, &push, error))
    return FALSE;
  if ((gint64) push.n + push.n_stuff != n_maps) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "output '%s' has %" G_GINT64_FORMAT " maps for %d queries", card->name,
        n_maps, push.n + push.n_stuff);
    return FALSE;
  }
  gst_fovea_head_bind_raw (&dispatch, head->values, FALSE);
  gst_fovea_head_bind_raw (&dispatch, found, TRUE);
  gst_fovea_head_bind_raw (&dispatch, pieces, TRUE);
  fv_dispatch_spec (&dispatch, FV_QUERIES_SPEC_ACTIVATION, card->activation);
  fv_dispatch_spec (&dispatch, FV_QUERIES_SPEC_STUFF_ACTIVATION,
      card->masks.stuff_activation);
  fv_dispatch_spec (&dispatch, FV_QUERIES_SPEC_LIST, found != pieces);
  fv_dispatch_push (&dispatch, &push, sizeof push);
  gst_fovea_head_dispatch_one (head, &dispatch);
  return TRUE;
}

static void
add_values (GstFoveaHead *head, const GstFoveaPieces *pieces)
{
  FvDispatch dispatch = { .kernel = "maskvalues" };
  const FvMasksPush *push = &pieces->push;

  gst_fovea_head_bind (&dispatch, pieces->port);
  gst_fovea_head_bind (&dispatch, pieces->port);
  gst_fovea_head_bind_raw (&dispatch, head->pieces, FALSE);
  gst_fovea_head_bind_units (&dispatch, pieces->values, TRUE);
  fv_dispatch_spec (&dispatch, FV_MASKS_SPEC_ACTIVATION,
      head->card->masks.activation);
  fv_dispatch_push (&dispatch, push, sizeof *push);
  gst_fovea_head_dispatch (head, &dispatch,
      (guint64) push->width * (guint64) push->height * (guint64) push->units);
}

/* Which pieces stay, and which of them are things. */
static gboolean
add_settling (GstFoveaHead *head, GError **error)
{
  const FvCardHead *card = head->card;
  FvDispatch dispatch = { .kernel = "settle" };
  FvSettlePush push = { card->masks.overlap_threshold };
  FvBuffer *things = gst_fovea_head_own (head,
      (guint64) card->n_classes * sizeof (guint32), FV_MEMORY_UPLOAD, error);
  guint32 *words;

  if (things == NULL)
    return FALSE;
  words = fv_buffer_map (things);
  for (guint i = 0; i < card->n_classes; i++)
    words[i] = card->masks.things[i];
  gst_fovea_head_bind_raw (&dispatch, things, FALSE);
  gst_fovea_head_bind_raw (&dispatch, head->pieces, TRUE);
  fv_dispatch_push (&dispatch, &push, sizeof push);
  gst_fovea_head_dispatch_one (head, &dispatch);
  return TRUE;
}

static gboolean
prepare_panoptic (GstFoveaHead *head, const FvPort *port, GError **error)
{
  gint64 n = port->shape.dims[1];
  FvBuffer *found = gst_fovea_head_own (head, (guint64) n * 2 * sizeof (float),
      FV_MEMORY_DEVICE, error);
  GstFoveaPieces pieces;

  if (found == NULL
      || !gst_fovea_pieces_init (head, &pieces, 1,
          (guint) MIN (n, FV_MOST_PIECES), error)
      || !add_queries (head, n, 0, found, head->pieces, error))
    return FALSE;
  pieces.inside = head->card->masks.threshold;
  add_values (head, &pieces);
  gst_fovea_pieces_paint (head, &pieces);
  if (!add_settling (head, error))
    return FALSE;
  gst_fovea_pieces_relabel (head);
  return TRUE;
}

/* [h, w, C] sums of class x mask, as if the model had put them out. */
static gboolean
add_sum (GstFoveaHead *head, const FvPort *port, FvBuffer *probabilities,
    guint units, FvPort *sum, GError **error)
{
  FvDispatch dispatch = { .kernel = "querysum" };
  FvMasksPush push = { .width = (fv_int) port->shape.dims[3],
    .height = (fv_int) port->shape.dims[2],
    .offset = (fv_int) port->offset,
    .stride_y = (fv_int) port->strides[2],
    .stride_x = (fv_int) port->strides[3],
    .stride_c = (fv_int) port->strides[1],
    .channels = (fv_int) port->shape.dims[1],
    .units = (fv_int) units };
  guint64 pixels = (guint64) push.width * (guint64) push.height;

  *sum = (FvPort){ .name = port->name,
    .type = FV_TYPE_F32,
    .shape = { 4, { 1, head->card->n_classes, push.height, push.width } },
    .strides = { 0, 1, (gint64) push.width * units * 4, units * 4 } };
  sum->buffer =
      gst_fovea_head_own (head, pixels * units * 16, FV_MEMORY_DEVICE, error);
  if (sum->buffer == NULL)
    return FALSE;
  sum->buffer_size = fv_buffer_size (sum->buffer);
  gst_fovea_head_bind (&dispatch, port);
  gst_fovea_head_bind_units (&dispatch, probabilities, FALSE);
  gst_fovea_head_bind_units (&dispatch, sum->buffer, TRUE);
  fv_dispatch_spec (&dispatch, FV_MASKS_SPEC_ACTIVATION,
      head->card->masks.activation);
  fv_dispatch_push (&dispatch, &push, sizeof push);
  gst_fovea_head_dispatch (head, &dispatch, pixels * ((units + 3) / 4));
  return TRUE;
}

static gboolean
prepare_semantic (GstFoveaHead *head, const FvPort *port, GError **error)
{
  gint64 n = port->shape.dims[1];
  guint units = (head->card->n_classes + 3) / 4;
  FvBuffer *probabilities = gst_fovea_head_own (head, (guint64) n * units * 16,
      FV_MEMORY_DEVICE, error);
  FvPort sum;

  return probabilities != NULL
      && add_queries (head, n, units, probabilities, probabilities, error)
      && add_sum (head, port, probabilities, units, &sum, error)
      && gst_fovea_head_add_segment (head, &sum, error);
}

static gboolean
prepare (GstFoveaHead *head, GError **error)
{
  const FvCardHead *card = head->card;
  const FvPort *port = gst_fovea_head_port (head, card->masks.masks, error);

  if (port == NULL)
    return FALSE;
  if (port->shape.rank != 4 || port->shape.dims[0] != 1 || card->n_classes == 0
      || port->shape.dims[1] > 2 * MOST_QUERIES) {
    g_autofree char *shape = fv_shape_to_string (&port->shape);
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "output '%s' has no maps of at most %d queries: expected [1, Q, h, w], "
        "it is %s",
        port->name, 2 * MOST_QUERIES, shape);
    return FALSE;
  }
  return card->masks.things ? prepare_panoptic (head, port, error)
                            : prepare_semantic (head, port, error);
}

/* Things have the boxes that their pixels fill. */
static void
read_pieces (GstFoveaHead *head, GstFoveaResult *result)
{
  const guint32 *words;

  if (head->card->masks.things == NULL) {
    gst_fovea_head_read_shares (head, result);
    return;
  }
  result->n_candidates = *(const guint32 *) fv_buffer_map (head->download);
  for (guint i = 0; (words = gst_fovea_pieces_get (head, i)); i++) {
    const guint32 *edges = words + FV_PIECE_LEFT;
    GstFoveaBox box = { .x = (float) edges[0],
      .y = (float) edges[1],
      .width = (float) edges[2] - (float) edges[0] + 1,
      .height = (float) edges[3] - (float) edges[1] + 1,
      .class_id = words[FV_PIECE_CLASS],
      .index = words[FV_PIECE_INDEX],
      .instance = words[FV_PIECE_NUMBER] };
    memcpy (&box.score, words + FV_PIECE_SCORE, sizeof box.score);
    if (box.instance != 0 && box.instance != FV_PIECE_DROPPED)
      g_array_append_val (result->boxes, box);
  }
  gst_fovea_sort_boxes (result->boxes);
  gst_fovea_pieces_read_shares (head, result);
}

const GstFoveaHeadClass gst_fovea_head_queries = {
  .prepare = prepare,
  .read = read_pieces,
};
