/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Boxes: detect.comp decodes and filters each level, select.comp keeps the best
 * of them; what is left is moved into the frame and suppressed here. */
#include "gst/video/head-private.h"

#include <string.h>

/* Candidates over all levels that a head can have. */
#define MOST_CANDIDATES (1 << 22)

typedef struct
{
  gint64 n, channels;
  gint64 step_n, step_c; /* elements; 0 where there is one only */
} Axes;

static gboolean
uses_grid (const FvCardDetect *d)
{
  return d->box_format == FV_BOX_GRID_EXP || d->box_format == FV_BOX_DISTANCES
      || d->box_format == FV_BOX_DISTRIBUTION
      || d->box_format == FV_BOX_GRID_OFFSET
      || d->box_format == FV_BOX_GRID_TANH;
}

/* Candidates of a grid lie one behind the other, row by row, or cannot be read. */
static gboolean
find_axes (const FvCardDetect *d, const FvPort *port, Axes *axes,
    GError **error)
{
  const FvShape *s = &port->shape;
  guint candidates;
  gint channels;
  gboolean ok =
      fv_detect_axes (&port->shape, d->transposed, &candidates, &channels);

  if (ok) {
    axes->n = s->dims[candidates];
    axes->step_n = axes->n > 1 ? port->strides[candidates] : 0;
    axes->channels = channels < 0 ? 1 : s->dims[channels];
    axes->step_c = axes->channels > 1 ? port->strides[channels] : 0;
  }
  if (ok && s->rank == 4 && s->dims[candidates - 1] > 1) {
    gint64 rows = s->dims[candidates - 1];
    gint64 step = port->strides[candidates - 1];

    ok = axes->n == 1 || step == axes->n * axes->step_n;
    if (axes->n == 1)
      axes->step_n = step;
    axes->n *= rows;
  }
  if (ok)
    return TRUE;
  g_autofree char *shape = fv_shape_to_string (&port->shape);
  g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
      "output '%s' holds no boxes: expected [1, N, K] or [1, K, N], it is %s",
      port->name, shape);
  return FALSE;
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
  start = port->offset + channel * axes.step_c;
  *stride_n = (fv_int) axes.step_n;
  if (stride_c != NULL)
    *stride_c = (fv_int) axes.step_c;
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
  FvBuffer *priors;

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
  priors =
      gst_fovea_head_own (head, d->prior_boxes->size, FV_MEMORY_UPLOAD, error);
  if (priors == NULL)
    return FALSE;
  memcpy (fv_buffer_map (priors), d->prior_boxes->data, d->prior_boxes->size);
  push->prior_n = 4;
  push->prior_c = 1;
  binding = (FvBinding){ priors, 0, d->prior_boxes->size, FV_BIND_FLOATS_READ,
    FV_TYPE_F32 };
  dispatch->bindings[dispatch->n_bindings++] = binding;
  return TRUE;
}

/* How many candidates are valid: the first element of an output. */
static gboolean
bind_count (GstFoveaHead *head, FvDispatch *dispatch, FvDetectPush *push,
    GError **error)
{
  guint output = head->card->detect.count;
  const FvPort *port;

  if (output == FV_NO_OUTPUT) {
    FvBinding binding = dispatch->bindings[1];
    dispatch->bindings[dispatch->n_bindings++] = binding;
    return TRUE;
  }
  port = gst_fovea_head_port (head, output, error);
  if (port == NULL)
    return FALSE;
  push->count = (fv_int) port->offset;
  gst_fovea_head_bind (dispatch, port);
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
      || !bind_priors (head, dispatch, n, push, error)
      || !bind_count (head, dispatch, push, error))
    return FALSE;
  fv_dispatch_spec (dispatch, FV_DETECT_SPEC_COUNT, d->count != FV_NO_OUTPUT);
  fv_dispatch_spec (dispatch, FV_DETECT_SPEC_MANY, d->many_labels);
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
    .grid_height = 1,
    .per_cell = 1,
    .capacity = (fv_int) capacity,
    .stride = 1,
    .cell_offset = d->cell_offset,
    .variance_xy = d->variances[0],
    .variance_wh = d->variances[1] };
  gint64 left;
  Axes axes;

  if (port == NULL || !find_axes (d, port, &axes, error)
      || !bind_group (head, g, axes.n, &dispatch, &push, error))
    return FALSE;
  gst_fovea_head_bind_raw (&dispatch, head->values, FALSE);
  gst_fovea_head_bind_raw (&dispatch, head->work, TRUE);
  gst_fovea_head_box_scale (head, &push.scale_x, &push.scale_y);
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
    push.grid_height = (fv_int) ((f->input_height + s - 1) / s);
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

/* How many boxes can come out. */
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
    sum += axes.n * (d->many_labels ? d->n_classes : 1);
  }
  if (sum > MOST_CANDIDATES) {
    g_set_error (error, FV_ERROR, FV_ERROR_TOO_LARGE,
        "a detector has at most %d boxes, this one %" G_GINT64_FORMAT,
        MOST_CANDIDATES, sum);
    return FALSE;
  }
  *total = (guint) sum;
  return TRUE;
}

gboolean
gst_fovea_head_add_boxes (GstFoveaHead *head, FvBuffer *best, GError **error)
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
  if (d->selected
      != FV_NO_OUTPUT) { /* of what the device makes, none is such */
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "output '%s' is no list of selected boxes: those come from a "
        "NonMaxSuppression",
        d->selected < head->n_outputs ? head->outputs[d->selected]->name : "");
    return FALSE;
  }
  if (!count_candidates (head, &total, error))
    return FALSE;
  head->work = fv_buffer_new (head->device,
      (words + (gsize) total * FV_BOX_WORDS) * sizeof (guint32),
      FV_MEMORY_DEVICE, error);
  if (head->work == NULL)
    return FALSE;
  gst_fovea_head_fill (head, head->work, 0, words * sizeof (guint32), 0);
  gst_fovea_head_fill (head, best, 0, words * sizeof (guint32), 0);
  for (guint g = 0; g < d->n_groups; g++)
    if (!add_group (head, g, total, &first, error))
      return FALSE;
  push[1] = (gint32) total;
  gst_fovea_head_bind_raw (&dispatch, head->work, FALSE);
  gst_fovea_head_bind_raw (&dispatch, best, TRUE);
  fv_dispatch_push (&dispatch, push, sizeof push);
  gst_fovea_head_dispatch_one (head, &dispatch);
  return TRUE;
}

static gboolean
prepare (GstFoveaHead *head, GError **error)
{
  head->download = fv_buffer_new (head->device, GST_FOVEA_HEAD_BOX_BYTES,
      FV_MEMORY_DOWNLOAD, error);
  return head->download != NULL
      && gst_fovea_head_add_boxes (head, head->download, error);
}

static void
read_boxes (GstFoveaHead *head, GstFoveaResult *result)
{
  const guint32 *words = fv_buffer_map (head->download);
  guint n = MIN (words[1], GST_FOVEA_MAX_CANDIDATES);

  result->n_candidates = words[0];
  for (guint i = 0; i < n; i++) {
    const guint32 *entry = words + FV_BOXES_HEADER + i * FV_BOX_WORDS;
    GstFoveaBox box = { .class_id = entry[1], .index = entry[0] };
    float v[5];

    memcpy (v, entry + 2, sizeof v);
    if (gst_fovea_head_place_box (head, v, &box))
      g_array_append_val (result->boxes, box);
  }
  gst_fovea_head_finish_boxes (head, result->boxes);
}

const GstFoveaHeadClass gst_fovea_head_detect = {
  .prepare = prepare,
  .read = read_boxes,
};
