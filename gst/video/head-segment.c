/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Semantic masks: argmax or threshold of logits between pixels, and the matte of
 * a threshold, segment.comp. Two classes, one of them the background, are a
 * threshold too. */
#include "gst/video/head-private.h"

#include <math.h>

/* One map of the foreground, or that of two classes one is the background. */
static gboolean
has_threshold (const FvCardHead *card)
{
  return !card->class_map && card->masks.kind == FV_MASKS_NONE
      && (card->channel_axis < 0
          || (card->n_classes == 2 && card->background >= 0));
}

static guint
find_mode (const FvCardHead *card)
{
  if (card->class_map)
    return FV_SEGMENT_NUMBERS;
  return has_threshold (card) ? FV_SEGMENT_THRESHOLD : FV_SEGMENT_ARGMAX;
}

/* More maps have none: of them only the order is known, not whether they are
 * logits or probabilities. */
static guint
find_matte (const FvCardHead *card)
{
  if (!has_threshold (card))
    return FV_SEGMENT_NO_MATTE;
  return card->activation == FV_ACTIVATION_NONE ? FV_SEGMENT_PROBABILITY
                                                : FV_SEGMENT_LOGIT;
}

/* Class numbers that can come out. */
static guint
count_classes (const FvCardHead *card, const FvPort *port)
{
  guint labels = card->labels ? g_strv_length (card->labels) : 0;

  switch (find_mode (card)) {
    case FV_SEGMENT_NUMBERS:
      return labels > 256 ? 65536 : 256;
    case FV_SEGMENT_THRESHOLD:
      return 2;
    default:
      return (guint) MIN (port->shape.dims[card->channel_axis], 65537);
  }
}

static gboolean
check_channels (const FvCardHead *card, const FvPort *port, GError **error)
{
  if (card->channel_axis >= 0
      && (guint) card->channel_axis >= port->shape.rank) {
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "output '%s' has no axis %d for channels", port->name,
        card->channel_axis);
    return FALSE;
  }
  if (count_classes (card, port) > 65536) {
    g_set_error (error, FV_ERROR, FV_ERROR_TOO_LARGE,
        "output '%s' has %" G_GINT64_FORMAT " classes, at most 65536",
        port->name, port->shape.dims[card->channel_axis]);
    return FALSE;
  }
  return TRUE;
}

/* Of two maps, that of the foreground is the one that is looked at first. */
static void
add_pair (const FvCardHead *card, FvDispatch *dispatch, FvMapPush *push)
{
  if (card->channel_axis < 0 || !has_threshold (card))
    return;
  if (card->background == 0) {
    push->offset += push->stride_c;
    push->stride_c = -push->stride_c;
  }
  fv_dispatch_spec (dispatch, FV_SEGMENT_SPEC_BELOW, card->background);
  if (card->activation == FV_ACTIVATION_SOFTMAX)
    fv_dispatch_spec (dispatch, FV_SEGMENT_SPEC_PAIR, FV_SEGMENT_DIFFERENCE);
}

gboolean
gst_fovea_head_add_segment (GstFoveaHead *head, const FvPort *port,
    GError **error)
{
  const FvCardHead *card = head->card;
  FvDispatch dispatch = { .kernel = "segment" };
  guint y_axis, x_axis, n;
  FvMapPush push;

  if (!check_channels (card, port, error)
      || !gst_fovea_head_map_axes (head, port, card->channel_axis, &y_axis,
          &x_axis, error))
    return FALSE;
  n = count_classes (card, port);
  if (!gst_fovea_head_make_map (head,
          n > 256 ? GST_FOVEA_HEAD_MAP_U16 : GST_FOVEA_HEAD_MAP_U8,
          find_matte (card) != FV_SEGMENT_NO_MATTE ? GST_FOVEA_HEAD_MATTE
                                                   : GST_FOVEA_HEAD_MAP_ALONE,
          error))
    return FALSE;
  head->copy_size = n * sizeof (guint32);
  head->work =
      fv_buffer_new (head->device, head->copy_size, FV_MEMORY_DEVICE, error);
  head->download =
      fv_buffer_new (head->device, head->copy_size, FV_MEMORY_DOWNLOAD, error);
  if (head->work == NULL || head->download == NULL)
    return FALSE;
  gst_fovea_head_map_push (head, port, y_axis, x_axis, card->channel_axis,
      &push);
  gst_fovea_head_bind (&dispatch, port);
  gst_fovea_head_bind_raw (&dispatch, head->values, FALSE);
  gst_fovea_head_bind_raw (&dispatch, head->map.buffer, TRUE);
  gst_fovea_head_bind_raw (&dispatch, head->work, TRUE);
  fv_dispatch_spec (&dispatch, FV_SEGMENT_SPEC_MODE, (gint32) find_mode (card));
  fv_dispatch_spec (&dispatch, FV_SEGMENT_SPEC_DENSE,
      gst_fovea_port_is_dense (port, card->channel_axis));
  fv_dispatch_spec (&dispatch, FV_SEGMENT_SPEC_BITS, n > 256 ? 16 : 8);
  fv_dispatch_spec (&dispatch, FV_SEGMENT_SPEC_MATTE,
      (gint32) find_matte (card));
  add_pair (card, &dispatch, &push);
  fv_dispatch_push (&dispatch, &push, sizeof push);
  dispatch.bytes = head->map.matte + head->map.size
      + (guint64) push.channels * (guint64) push.map_width
          * (guint64) push.map_height * fv_type_size (port->type);
  gst_fovea_head_fill (head, head->work, 0, head->copy_size, 0);
  gst_fovea_head_dispatch_tiles (head, &dispatch, &push);
  return TRUE;
}

static gboolean
prepare (GstFoveaHead *head, GError **error)
{
  const FvPort *port = gst_fovea_head_port (head, head->card->output, error);

  return port != NULL && gst_fovea_head_add_segment (head, port, error);
}

/* The threshold is one of probabilities; what is compared may be a logit. */
static void
write_values (const GstFoveaHead *head, FvHeadValues *values)
{
  double p = head->params.threshold;

  if (has_threshold (head->card)
      && head->card->activation != FV_ACTIVATION_NONE)
    values->threshold = p <= 0 ? -3e38f
        : p >= 1               ? 3e38f
                               : (float) log (p / (1 - p));
}

void
gst_fovea_head_read_shares (GstFoveaHead *head, GstFoveaResult *result)
{
  const guint32 *counts = fv_buffer_map (head->download);
  double pixels = (double) head->map.width * head->map.height;

  for (guint i = 0; i < head->copy_size / sizeof (guint32); i++) {
    GstFoveaClass found = { i, (float) (counts[i] / pixels) };
    if (counts[i] != 0)
      g_array_append_val (result->classes, found);
  }
}

const GstFoveaHeadClass gst_fovea_head_segment = {
  .prepare = prepare,
  .write_values = write_values,
  .read = gst_fovea_head_read_shares,
};
