/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Boxes: detect.comp decodes and filters each level, select.comp keeps the best
 * of them; what is left is moved into the frame and suppressed here. */
#include "gst/video/head-private.h"

#include <math.h>
#include <string.h>

/* Candidates over all levels that a head can have. */
#define MOST_CANDIDATES (1 << 22)

typedef struct
{
  guint candidate_axis;
  gint channel_axis;
  gint64 n, channels;
} Axes;

static gboolean
uses_grid (const FvCardDetect *d)
{
  return d->box_format == FV_BOX_GRID_EXP || d->box_format == FV_BOX_DISTANCES
      || d->box_format == FV_BOX_DISTRIBUTION
      || d->box_format == FV_BOX_GRID_OFFSET;
}

static gboolean
find_axes (const FvCardDetect *d, const FvPort *port, Axes *axes,
    GError **error)
{
  if (!fv_detect_axes (&port->shape, d->transposed, &axes->candidate_axis,
          &axes->channel_axis)) {
    g_autofree char *shape = fv_shape_to_string (&port->shape);
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "output '%s' holds no boxes: expected [1, N, K] or [1, K, N], it is %s",
        port->name, shape);
    return FALSE;
  }
  axes->n = port->shape.dims[axes->candidate_axis];
  axes->channels =
      axes->channel_axis < 0 ? 1 : port->shape.dims[axes->channel_axis];
  return TRUE;
}

/* A part of the candidates' values: binds it and tells where it lies. */
static gboolean
bind_part (GstFoveaHead *head, FvDispatch *dispatch, guint output, gint channel,
    gint n_channels, gint64 n, fv_int *offset, fv_int *stride_n,
    fv_int *stride_c, GError **error)
{
  const FvPort *port = gst_fovea_head_port (head, output, error);
  Axes axes;
  gint64 start;

  if (port == NULL || !find_axes (&head->card->detect, port, &axes, error))
    return FALSE;
  if (axes.n != n || channel < 0
      || (gint64) channel + n_channels > axes.channels) {
    g_autofree char *shape = fv_shape_to_string (&port->shape);
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "output '%s' must have %" G_GINT64_FORMAT " candidates and channels up "
        "to %d for its detect head, it is %s",
        port->name, n, channel + n_channels, shape);
    return FALSE;
  }
  start = port->offset;
  *stride_n = axes.n > 1 ? (fv_int) port->strides[axes.candidate_axis] : 0;
  if (axes.channel_axis >= 0) {
    start += channel * port->strides[axes.channel_axis];
    if (stride_c != NULL)
      *stride_c =
          axes.channels > 1 ? (fv_int) port->strides[axes.channel_axis] : 0;
  }
  *offset = (fv_int) start;
  gst_fovea_head_bind (dispatch, port);
  return TRUE;
}

static gboolean
bind_priors (GstFoveaHead *head, FvDispatch *dispatch, gint64 n,
    FvDetectPush *push, GError **error)
{
  const FvCardDetect *d = &head->card->detect;
  FvBinding binding = dispatch->bindings[1];

  if (d->box_format != FV_BOX_PRIOR) {
    dispatch->bindings[dispatch->n_bindings++] = binding;
    return TRUE;
  }
  if (d->prior_boxes == NULL)
    return bind_part (head, dispatch, d->priors, 0, 4, n, &push->prior,
        &push->prior_n, &push->prior_c, error);
  if (d->prior_boxes->count != 4 * n) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "the card has %" G_GINT64_FORMAT " prior boxes, the model has "
        "%" G_GINT64_FORMAT " candidates",
        d->prior_boxes->count / 4, n);
    return FALSE;
  }
  head->priors = fv_buffer_new (head->device, d->prior_boxes->size,
      FV_MEMORY_UPLOAD, error);
  if (head->priors == NULL)
    return FALSE;
  memcpy (fv_buffer_map (head->priors), d->prior_boxes->data,
      d->prior_boxes->size);
  push->prior_n = 4;
  push->prior_c = 1;
  binding = (FvBinding){ head->priors, 0, d->prior_boxes->size,
    FV_BIND_FLOATS_READ, FV_TYPE_F32 };
  dispatch->bindings[dispatch->n_bindings++] = binding;
  return TRUE;
}

/* The bindings and the places of values that all levels of a group share. */
static gboolean
bind_group (GstFoveaHead *head, guint g, gint64 n, FvDispatch *dispatch,
    FvDetectPush *push, GError **error)
{
  const FvCardDetect *d = &head->card->detect;
  gint box_channels =
      d->box_format == FV_BOX_DISTRIBUTION ? 4 * (gint) d->bins : 4;
  gboolean has_objectness = d->objectness[g] != FV_NO_OUTPUT;
  gboolean has_numbers = d->classes != FV_NO_OUTPUT;

  if (!bind_part (head, dispatch, d->scores[g], d->score_channel,
          (gint) d->n_classes, n, &push->score, &push->score_n, &push->score_c,
          error)
      || !bind_part (head, dispatch, d->boxes[g], d->box_channel, box_channels,
          n, &push->box, &push->box_n, &push->box_c, error))
    return FALSE;
  /* absent parts get any tensor: every binding of a shader must be filled */
  if (!bind_part (head, dispatch,
          has_objectness ? d->objectness[g] : d->boxes[g],
          has_objectness ? MAX (0, d->objectness_channel) : 0, 1, n,
          &push->objectness, &push->objectness_n, NULL, error)
      || !bind_part (head, dispatch, has_numbers ? d->classes : d->boxes[g],
          has_numbers ? MAX (0, d->class_channel) : 0, 1, n, &push->number,
          &push->number_n, NULL, error)
      || !bind_priors (head, dispatch, n, push, error))
    return FALSE;
  fv_dispatch_spec (dispatch, FV_DETECT_SPEC_BOX, d->box_format);
  fv_dispatch_spec (dispatch, FV_DETECT_SPEC_SCORE, d->score_activation);
  fv_dispatch_spec (dispatch, FV_DETECT_SPEC_OBJECTNESS,
      has_objectness ? (gint32) d->objectness_activation : -1);
  fv_dispatch_spec (dispatch, FV_DETECT_SPEC_NUMBERS, has_numbers);
  fv_dispatch_spec (dispatch, FV_DETECT_SPEC_CLASSES, (gint32) d->n_classes);
  fv_dispatch_spec (dispatch, FV_DETECT_SPEC_BACKGROUND, d->background);
  fv_dispatch_spec (dispatch, FV_DETECT_SPEC_BINS, (gint32) d->bins);
  fv_dispatch_spec (dispatch, FV_DETECT_SPEC_DENSE, push->score_c == 1);
  fv_dispatch_spec_float (dispatch, FV_DETECT_SPEC_POWER, d->score_power);
  fv_dispatch_spec_float (dispatch, FV_DETECT_SPEC_POWER_OBJECTNESS,
      d->objectness_power);
  return TRUE;
}

static void
add_level (GstFoveaHead *head, FvDispatch *dispatch, FvDetectPush *push,
    fv_int n)
{
  push->n = n;
  fv_dispatch_push (dispatch, push, sizeof *push);
  dispatch->bytes = (guint64) n * 4 * (head->card->detect.n_classes + 4);
  gst_fovea_head_dispatch (head, dispatch, (guint64) n);
  /* the next level's values lie behind this one's */
  push->first += n;
  push->score += n * push->score_n;
  push->box += n * push->box_n;
  push->objectness += n * push->objectness_n;
  push->number += n * push->number_n;
  push->prior += n * push->prior_n;
}

/* Levels of a grid; without one, all candidates are one level. */
static gboolean
add_group (GstFoveaHead *head, guint g, guint capacity, gint *first,
    GError **error)
{
  const FvCardDetect *d = &head->card->detect;
  const FvFrameMap *f = &head->frame;
  const FvPort *port = gst_fovea_head_port (head, d->boxes[g], error);
  FvDispatch dispatch = { .kernel = "detect" };
  FvDetectPush push = { .first = *first,
    .grid_width = 1,
    .per_cell = 1,
    .capacity = (fv_int) capacity,
    .stride = 1,
    .cell_offset = d->cell_offset,
    .scale_x = 1,
    .scale_y = 1,
    .variance_xy = d->variances[0],
    .variance_wh = d->variances[1] };
  gint64 left;
  Axes axes;

  if (port == NULL || !find_axes (d, port, &axes, error)
      || !bind_group (head, g, axes.n, &dispatch, &push, error))
    return FALSE;
  gst_fovea_head_bind_raw (&dispatch, head->values, FALSE);
  gst_fovea_head_bind_raw (&dispatch, head->work, TRUE);
  if (d->normalised) {
    push.scale_x = (float) f->input_width;
    push.scale_y = (float) f->input_height;
  } else if (d->in_frame) {
    push.scale_x = (float) f->input_width / (float) f->frame_width;
    push.scale_y = (float) f->input_height / (float) f->frame_height;
  }
  left = axes.n;
  for (guint l = 0; uses_grid (d) && l < d->n_strides; l++) {
    guint s = d->strides[l];
    guint columns = (f->input_width + s - 1) / s;
    gint64 n =
        (gint64) columns * ((f->input_height + s - 1) / s) * d->per_cell[l];
    if (d->n_groups > 1 && l != g)
      continue;
    if (n > left)
      break;
    push.grid_width = (fv_int) columns;
    push.per_cell = (fv_int) d->per_cell[l];
    push.stride = (float) s;
    add_level (head, &dispatch, &push, (fv_int) n);
    left -= n;
  }
  if (!uses_grid (d)) {
    add_level (head, &dispatch, &push, (fv_int) left);
    left = 0;
  }
  *first = push.first;
  if (left == 0)
    return TRUE;
  g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
      "output '%s' has %" G_GINT64_FORMAT
      " candidates, the card's strides make "
      "another number of an input of %ux%u",
      port->name, axes.n, f->input_width, f->input_height);
  return FALSE;
}

static gboolean
count_candidates (GstFoveaHead *head, guint *total, GError **error)
{
  const FvCardDetect *d = &head->card->detect;
  gint64 sum = 0;

  for (guint g = 0; g < d->n_groups; g++) {
    const FvPort *port = gst_fovea_head_port (head, d->boxes[g], error);
    Axes axes;
    if (port == NULL || !find_axes (d, port, &axes, error))
      return FALSE;
    sum += axes.n;
  }
  if (sum > MOST_CANDIDATES) {
    g_set_error (error, FV_ERROR, FV_ERROR_TOO_LARGE,
        "a detector has at most %d candidates, this one %" G_GINT64_FORMAT,
        MOST_CANDIDATES, sum);
    return FALSE;
  }
  *total = (guint) sum;
  return TRUE;
}

static gboolean
prepare (GstFoveaHead *head, GError **error)
{
  const FvCardDetect *d = &head->card->detect;
  FvDispatch dispatch = { .kernel = "select" };
  gint32 push[2] = { GST_FOVEA_MAX_CANDIDATES, 0 };
  gsize words = FV_BOXES_HEADER;
  gint first = 0;
  guint total;

  if (d->decoder == FV_DETECT_NONE || d->n_groups == 0 || d->n_classes == 0) {
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "nothing tells how output '%s' is decoded: name its decoder in a "
        ".modelinfo",
        head->card->name);
    return FALSE;
  }
  if (!count_candidates (head, &total, error))
    return FALSE;
  head->work = fv_buffer_new (head->device,
      (words + (gsize) total * FV_BOX_WORDS) * sizeof (guint32),
      FV_MEMORY_DEVICE, error);
  head->download = fv_buffer_new (head->device,
      (words + GST_FOVEA_MAX_CANDIDATES * FV_BOX_WORDS) * sizeof (guint32),
      FV_MEMORY_DOWNLOAD, error);
  if (head->work == NULL || head->download == NULL)
    return FALSE;
  gst_fovea_head_fill (head, head->work, 0, words * sizeof (guint32), 0);
  gst_fovea_head_fill (head, head->download, 0, words * sizeof (guint32), 0);
  for (guint g = 0; g < d->n_groups; g++)
    if (!add_group (head, g, total, &first, error))
      return FALSE;
  push[1] = (gint32) total;
  gst_fovea_head_bind_raw (&dispatch, head->work, FALSE);
  gst_fovea_head_bind_raw (&dispatch, head->download, TRUE);
  fv_dispatch_push (&dispatch, push, sizeof push);
  gst_fovea_head_dispatch_one (head, &dispatch);
  return TRUE;
}

/* Into the frame, unclipped: overlaps are those of the model's boxes. */
static gboolean
take_box (const GstFoveaHead *head, const guint32 *words, GstFoveaBox *box)
{
  double x0, y0, x1, y1;
  float v[5];

  memcpy (v, words + 2, sizeof v);
  for (guint i = 0; i < G_N_ELEMENTS (v); i++)
    if (!isfinite (v[i]))
      return FALSE;
  fv_frame_map_to_frame (&head->frame, v[1], v[2], &x0, &y0);
  fv_frame_map_to_frame (&head->frame, v[3], v[4], &x1, &y1);
  *box = (GstFoveaBox){ .x = (float) x0,
    .y = (float) y0,
    .width = (float) (x1 - x0),
    .height = (float) (y1 - y0),
    .score = v[0],
    .class_id = words[1],
    .index = words[0] };
  return box->width > 0 && box->height > 0 && box->class_id < 65536
      && box->score >= head->params.threshold;
}

static gboolean
clip_box (const GstFoveaHead *head, GstFoveaBox *box)
{
  float x1 = MIN (box->x + box->width, (float) head->frame.frame_width);
  float y1 = MIN (box->y + box->height, (float) head->frame.frame_height);

  box->x = MAX (box->x, 0);
  box->y = MAX (box->y, 0);
  box->width = x1 - box->x;
  box->height = y1 - box->y;
  return box->width > 0 && box->height > 0;
}

static void
read_boxes (GstFoveaHead *head, GstFoveaResult *result)
{
  const guint32 *words = fv_buffer_map (head->download);
  guint n = MIN (words[1], GST_FOVEA_MAX_CANDIDATES), kept = 0;
  GArray *boxes = result->boxes;

  result->n_candidates = words[0];
  for (guint i = 0; i < n; i++) {
    GstFoveaBox box;
    if (take_box (head, words + FV_BOXES_HEADER + i * FV_BOX_WORDS, &box))
      g_array_append_val (boxes, box);
  }
  gst_fovea_sort_boxes (boxes);
  gst_fovea_suppress (boxes,
      head->card->detect.nms ? head->params.iou_threshold : 1,
      GST_FOVEA_MAX_CANDIDATES);
  for (guint i = 0; i < boxes->len && kept < head->params.max_detections; i++)
    if (clip_box (head, &g_array_index (boxes, GstFoveaBox, i)))
      g_array_index (boxes, GstFoveaBox, kept++) =
          g_array_index (boxes, GstFoveaBox, i);
  g_array_set_size (boxes, kept);
}

const GstFoveaHeadClass gst_fovea_head_detect = {
  .prepare = prepare,
  .read = read_boxes,
};
