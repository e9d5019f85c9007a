/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames, events and queries of GstFoveaBase, from the sink pad through the queue
 * to the task of the source pad. */
#include "gst/video/gstfoveabase-private.h"
#include "gst/video/gstfoveapixels.h"
#include "gst/video/gstfoveaplace.h"
#include "gst/video/gstfoveaturn.h"

#define GST_CAT_DEFAULT gst_fovea_base_debug

/* A new latency is announced when it left the old one by a quarter, looked at
 * every so many frames. */
#define LATENCY_FRAMES 16
#define LATENCY_SHARE 0.25

static gboolean
must_wait (GstFoveaBasePrivate *priv, GstFoveaItemKind reason)
{
  if (reason == GST_FOVEA_ITEM_FRAME)
    return priv->flow == GST_FLOW_OK && priv->in_flight >= priv->max_in_flight;
  return priv->query == GST_FOVEA_QUERY_TAKEN
      || (priv->flow == GST_FLOW_OK && priv->query == GST_FOVEA_QUERY_QUEUED);
}

/* The one place where the sink pad's thread waits: for room among the frames in
 * flight, or for the answer to its query. The lock is held. */
static GstFlowReturn
wait_locked (GstFoveaBasePrivate *priv, GstFoveaItemKind reason)
{
  while (must_wait (priv, reason))
    g_cond_wait (&priv->changed, &priv->lock);
  return priv->flow;
}

static void
set_flow (GstFoveaBasePrivate *priv, GstFlowReturn flow)
{
  g_mutex_lock (&priv->lock);
  priv->flow = flow;
  g_cond_broadcast (&priv->changed);
  g_mutex_unlock (&priv->lock);
}

/* Gives an item back that will not reach the source pad. Sticky events stay on
 * the pad, as they describe frames that are still to come. */
static void
drop_item (GstFoveaBasePrivate *priv, GstFoveaItem *item)
{
  if (item->kind == GST_FOVEA_ITEM_FRAME) {
    gst_fovea_stream_cancel (item->stream, &item->ticket);
    gst_fovea_stream_unref (item->stream);
  } else if (item->kind == GST_FOVEA_ITEM_EVENT) {
    GstEvent *event = GST_EVENT_CAST (item->object);

    if (GST_EVENT_IS_STICKY (event) && GST_EVENT_TYPE (event) != GST_EVENT_EOS
        && GST_EVENT_TYPE (event) != GST_EVENT_SEGMENT)
      gst_pad_store_sticky_event (priv->srcpad, event);
  }
  /* a query belongs to the thread that waits for it */
  if (item->kind != GST_FOVEA_ITEM_QUERY)
    gst_mini_object_unref (item->object);
}

static void
drop_frame (GstFoveaBasePrivate *priv, GstFoveaItem *item)
{
  drop_item (priv, item);
  g_mutex_lock (&priv->lock);
  priv->in_flight--;
  priv->stats.dropped++;
  g_cond_broadcast (&priv->changed);
  g_mutex_unlock (&priv->lock);
}

static gboolean
pop_item (GstFoveaBasePrivate *priv, GstFoveaItem *item)
{
  GstFoveaItem *head;

  g_mutex_lock (&priv->lock);
  head = gst_queue_array_pop_head_struct (priv->queue);
  if (head)
    *item = *head;
  g_mutex_unlock (&priv->lock);
  return head != NULL;
}

/* The task is not running. */
static void
drop_all (GstFoveaBasePrivate *priv)
{
  GstFoveaItem item;
  guint n_frames = 0;

  while (pop_item (priv, &item)) {
    n_frames += item.kind == GST_FOVEA_ITEM_FRAME;
    drop_item (priv, &item);
  }
  g_mutex_lock (&priv->lock);
  priv->in_flight -= MIN (n_frames, priv->in_flight);
  priv->stats.dropped += n_frames;
  priv->n_restarts = 0;
  g_mutex_unlock (&priv->lock);
  priv->is_past_end = FALSE;
  gst_fovea_answer_reset (&priv->newest);
  g_clear_pointer (&priv->newest_stream, gst_fovea_stream_unref);
}

void
gst_fovea_flow_reset (GstFoveaBase *self)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstFoveaStream *stream;

  drop_all (priv);
  g_mutex_lock (&priv->lock);
  stream = g_steal_pointer (&priv->stream);
  priv->announced = GST_CLOCK_TIME_NONE;
  priv->eos = FALSE;
  g_mutex_unlock (&priv->lock);
  gst_fovea_stream_unref (stream);
  priv->position = 0;
  priv->n_marked = priv->n_changes;
  priv->turn = priv->tag_turn = GST_VIDEO_ORIENTATION_IDENTITY;
  priv->copies_layout = FALSE;
}

static void task (gpointer data);

/* ---- sink pad ---- */

static gboolean
map_frame (GstFoveaBase *self, const GstVideoInfo *info, GstBuffer *buffer,
    GstVideoFrame *frame, GError **error)
{
  if (!gst_fovea_images_map (frame, info, buffer, GST_MAP_READ)) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "a buffer cannot be read: expected %" G_GSIZE_FORMAT
        " bytes of %s %dx%d, got %" G_GSIZE_FORMAT " bytes",
        GST_VIDEO_INFO_SIZE (info), GST_VIDEO_INFO_NAME (info),
        GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info),
        gst_buffer_get_size (buffer));
    return FALSE;
  }
  return TRUE;
}

static gboolean
submit_frame (GstFoveaBase *self, GstFoveaItem *item,
    const GstFoveaSettings *settings, GError **error)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstVideoFrame frame;
  gsize uploaded = 0;
  gboolean result;

  if (!map_frame (self, gst_fovea_stream_info (item->stream),
          GST_BUFFER_CAST (item->object), &frame, error))
    return FALSE;
  result = gst_fovea_stream_submit (item->stream, &frame, settings,
      &item->ticket, &uploaded, error);
  gst_fovea_images_unmap (&frame);
  g_mutex_lock (&priv->lock);
  priv->stats.bytes_uploaded += uploaded;
  g_mutex_unlock (&priv->lock);
  return result;
}

static GstFlowReturn
begin_frame (GstFoveaBasePrivate *priv, GstFoveaSettings *settings,
    guint *n_changes)
{
  GstFlowReturn flow;

  g_mutex_lock (&priv->lock);
  priv->stats.frames_in++;
  flow = priv->eos ? GST_FLOW_EOS : wait_locked (priv, GST_FOVEA_ITEM_FRAME);
  if (flow == GST_FLOW_OK && priv->stream == NULL)
    flow = GST_FLOW_NOT_NEGOTIATED;
  if (flow == GST_FLOW_OK)
    priv->in_flight++;
  else
    priv->stats.dropped++;
  *settings = priv->settings; /* for its numbers, which stay as they are */
  *n_changes = priv->n_changes;
  g_mutex_unlock (&priv->lock);
  return flow;
}

static void
queue_item (GstFoveaBasePrivate *priv, GstFoveaItem *item)
{
  g_mutex_lock (&priv->lock);
  gst_queue_array_push_tail_struct (priv->queue, item);
  g_cond_broadcast (&priv->changed);
  g_mutex_unlock (&priv->lock);
}

/* The model planned for frames of that size. (transfer full) (nullable) */
static GstFoveaModel *
model_for_caps (GstFoveaBase *self, const GstVideoInfo *info, GError **error)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstFoveaStream *old = priv->stream;
  GstFoveaModel *model;
  guint width, height, old_width, old_height;

  gst_fovea_display_size (info, priv->turn, &width, &height);
  if (old && gst_fovea_stream_model (old)->follows_caps) {
    gst_fovea_stream_display_size (old, &old_width, &old_height);
    if (width == old_width && height == old_height)
      return gst_fovea_model_ref (gst_fovea_stream_model (old));
  }
  model = gst_fovea_model_plan (priv->model, width, height, error);
  if (model && model->follows_caps) {
    GST_INFO_OBJECT (self, "input of %s: %ux%u, chosen for frames of %dx%d",
        model->name, model->card->input.width, model->card->input.height,
        GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info));
    gst_fovea_base_warn (self, model);
  }
  return model;
}

/* Caps that differ in the frame rate alone need no new programs. */
static gboolean
is_same_frame (const GstVideoInfo *a, const GstVideoInfo *b)
{
  GstVideoInfo other = *b;

  GST_VIDEO_INFO_FPS_N (&other) = GST_VIDEO_INFO_FPS_N (a);
  GST_VIDEO_INFO_FPS_D (&other) = GST_VIDEO_INFO_FPS_D (a);
  return gst_video_info_is_equal (a, &other);
}

/* Takes a stream for frames of @info, turned as they are now; without one, what
 * went wrong is posted. */
static gboolean
renew (GstFoveaBase *self, const GstVideoInfo *info)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstFoveaModel) model = model_for_caps (self, info, &error);
  g_autofree char *name = gst_element_get_name (self);
  GstFoveaStream *stream = NULL;
  GstFoveaStream *old = priv->stream;

  if (model)
    stream = gst_fovea_stream_new (model, info, priv->turn, name, &error);
  g_mutex_lock (&priv->lock);
  priv->stream = stream;
  g_mutex_unlock (&priv->lock);
  priv->position = 0;
  gst_fovea_stream_unref (old);
  if (stream == NULL)
    gst_fovea_base_fail (self, GST_FOVEA_STAGE_MODEL, error);
  return stream != NULL;
}

static gboolean
set_caps (GstFoveaBase *self, GstCaps *caps)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  GstVideoInfo info;

  if (gst_video_info_from_caps (&info, caps))
    return (priv->stream
               && is_same_frame (gst_fovea_stream_info (priv->stream), &info))
        || renew (self, &info);
  text = gst_caps_to_string (caps);
  g_set_error (&error, FV_ERROR, FV_ERROR_INVALID,
      "expected caps of raw video, got %s", text);
  gst_fovea_base_fail (self, GST_FOVEA_STAGE_MODEL, error);
  return FALSE;
}

/* How @buffer's picture is turned may change from one to the next: its own meta goes
 * before the tag of the stream. */
static gboolean
keep_upright (GstFoveaBase *self, GstBuffer *buffer)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstVideoAffineTransformationMeta *meta =
      gst_buffer_get_video_affine_transformation_meta (buffer);
  GstVideoOrientationMethod turn = priv->tag_turn;
  GstVideoInfo info;

  if (meta) {
    turn = gst_fovea_turn_from_matrix (meta);
    if (turn == GST_VIDEO_ORIENTATION_AUTO) {
      GST_WARNING_OBJECT (self,
          "a transformation that is no quarter turn is left alone");
      turn = GST_VIDEO_ORIENTATION_IDENTITY;
    }
  }
  if (turn == priv->turn)
    return TRUE;
  priv->turn = turn;
  if (priv->stream == NULL)
    return TRUE;
  info = *gst_fovea_stream_info (priv->stream);
  return renew (self, &info);
}

/* The tags of a stream hold until the next one starts. */
static void
read_tags (GstFoveaBasePrivate *priv, GstEvent *event)
{
  GstVideoOrientationMethod turn;
  GstTagList *tags;

  gst_event_parse_tag (event, &tags);
  if (gst_video_orientation_from_tag (tags, &turn))
    priv->tag_turn = turn;
}

static GstFlowReturn
chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstFoveaBase *self = GST_FOVEA_BASE (parent);
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstFoveaItem item = { GST_FOVEA_ITEM_FRAME, GST_MINI_OBJECT_CAST (buffer) };
  g_autoptr (GError) error = NULL;
  GstFoveaSettings settings;
  GstFlowReturn flow;
  guint n_changes;

  item.arrival = g_get_monotonic_time ();
  gst_fovea_swap_take (self);
  if (!keep_upright (self, buffer)) {
    gst_buffer_unref (buffer);
    return GST_FLOW_ERROR;
  }
  flow = begin_frame (priv, &settings, &n_changes);
  if (flow != GST_FLOW_OK) {
    gst_buffer_unref (buffer);
    return flow;
  }
  item.stream = gst_fovea_stream_ref (priv->stream);
  if (priv->position == 0 || priv->position >= settings.inference_interval) {
    priv->position = 0;
    if (!submit_frame (self, &item, &settings, &error)) {
      gst_fovea_base_fail (self, GST_FOVEA_STAGE_RUN, error);
      drop_frame (priv, &item);
      return GST_FLOW_ERROR;
    }
    item.is_first = n_changes != priv->n_marked;
    priv->n_marked = n_changes;
  }
  priv->position++;
  queue_item (priv, &item);
  return GST_FLOW_OK;
}

static gboolean
is_restart (GstEvent *event)
{
  return GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START
      || GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT;
}

/* FALSE when nothing comes through: what came before is still to be seen as the
 * reason. */
static gboolean
may_queue_event (GstFoveaBase *self, GstEvent *event)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstFlowReturn flow;

  g_mutex_lock (&priv->lock);
  flow = priv->flow;
  g_mutex_unlock (&priv->lock);
  if (flow == GST_FLOW_OK)
    return TRUE;
  /* Nobody else will tell: upstream has no more frames to see the flow by. */
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS
      && (flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS))
    GST_ELEMENT_FLOW_ERROR (self, flow);
  return FALSE;
}

static void
queue_event (GstFoveaBasePrivate *priv, GstEvent *event)
{
  GstFoveaItem item = { GST_FOVEA_ITEM_EVENT, GST_MINI_OBJECT_CAST (event) };

  g_mutex_lock (&priv->lock);
  if (is_restart (event)) {
    priv->eos = FALSE;
    priv->n_restarts++;
  } else if (GST_EVENT_TYPE (event) == GST_EVENT_EOS) {
    priv->eos = TRUE;
  }
  gst_queue_array_push_tail_struct (priv->queue, &item);
  g_cond_broadcast (&priv->changed);
  g_mutex_unlock (&priv->lock);
}

static gboolean
flush_start (GstFoveaBase *self, GstEvent *event)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  gboolean result = gst_pad_push_event (priv->srcpad, event);

  set_flow (priv, GST_FLOW_FLUSHING);
  gst_pad_pause_task (priv->srcpad);
  return result;
}

static gboolean
flush_stop (GstFoveaBase *self, GstEvent *event)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  gboolean result = gst_pad_push_event (priv->srcpad, event);

  drop_all (priv);
  priv->position = 0;
  g_mutex_lock (&priv->lock);
  priv->eos = FALSE;
  priv->flow = GST_FLOW_OK;
  g_mutex_unlock (&priv->lock);
  gst_pad_start_task (priv->srcpad, task, priv->srcpad, NULL);
  return result;
}

static gboolean
sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstFoveaBase *self = GST_FOVEA_BASE (parent);
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstCaps *caps;

  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_START)
    return flush_start (self, event);
  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP)
    return flush_stop (self, event);
  if (!GST_EVENT_IS_SERIALIZED (event))
    return gst_pad_event_default (pad, parent, event);
  if (!may_queue_event (self, event)) {
    gst_event_unref (event);
    return FALSE;
  }
  if (GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START)
    priv->tag_turn = GST_VIDEO_ORIENTATION_IDENTITY;
  if (GST_EVENT_TYPE (event) == GST_EVENT_TAG)
    read_tags (priv, event);
  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
    gst_event_parse_caps (event, &caps);
    if (!set_caps (self, caps)) {
      gst_event_unref (event);
      return FALSE;
    }
  }
  queue_event (priv, event);
  return TRUE;
}

/* A flush may have been quicker than the task. The lock is held. */
static void
forget_query (GstFoveaBasePrivate *priv)
{
  for (guint i = 0; i < gst_queue_array_get_length (priv->queue); i++) {
    GstFoveaItem *item = gst_queue_array_peek_nth_struct (priv->queue, i);

    if (item->kind != GST_FOVEA_ITEM_QUERY)
      continue;
    gst_queue_array_drop_struct (priv->queue, i, NULL);
    return;
  }
}

static gboolean
sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (GST_FOVEA_BASE (parent));
  GstFoveaItem item = { GST_FOVEA_ITEM_QUERY, GST_MINI_OBJECT_CAST (query) };
  gboolean result = FALSE;

  if (!GST_QUERY_IS_SERIALIZED (query))
    return gst_fovea_base_query (pad, parent, query);
  g_mutex_lock (&priv->lock);
  if (priv->flow == GST_FLOW_OK) {
    priv->query = GST_FOVEA_QUERY_QUEUED;
    gst_queue_array_push_tail_struct (priv->queue, &item);
    g_cond_broadcast (&priv->changed);
    wait_locked (priv, GST_FOVEA_ITEM_QUERY);
    result = priv->query == GST_FOVEA_QUERY_ANSWERED && priv->answer;
    forget_query (priv);
  }
  g_mutex_unlock (&priv->lock);
  return result;
}

static gboolean
sink_activate (GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (GST_FOVEA_BASE (parent));

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  if (!active)
    set_flow (priv, GST_FLOW_FLUSHING);
  return TRUE;
}

/* ---- source pad ---- */

static gboolean
finish_inference (GstFoveaBase *self, GstFoveaItem *item, GError **error)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstClockTime pts = GST_BUFFER_PTS (GST_BUFFER_CAST (item->object));
  GstFoveaCost cost;

  if (!gst_fovea_stream_wait (item->stream, &item->ticket, error)
      || !gst_fovea_stream_collect (item->stream, &item->ticket, pts,
          &priv->newest, &cost, error))
    return FALSE;
  if (priv->newest_stream != item->stream) {
    gst_fovea_stream_unref (priv->newest_stream);
    priv->newest_stream = gst_fovea_stream_ref (item->stream);
  }
  g_mutex_lock (&priv->lock);
  priv->stats.inferred++;
  priv->stats.bytes_downloaded += cost.downloaded;
  if (cost.gpu >= 0.0)
    gst_fovea_times_add (&priv->stats.gpu, cost.gpu);
  if (cost.host >= 0.0)
    gst_fovea_times_add (&priv->stats.host, cost.host);
  g_mutex_unlock (&priv->lock);
  return TRUE;
}

/* TRUE when the number that was told is off by a quarter. */
static gboolean
is_new_latency (GstFoveaBasePrivate *priv)
{
  double old = priv->announced / (double) GST_MSECOND;
  double now;

  if (!GST_CLOCK_TIME_IS_VALID (priv->announced)
      || priv->stats.frames_out % LATENCY_FRAMES != LATENCY_FRAMES - 1)
    return FALSE;
  now = gst_fovea_times_percentile (&priv->stats.wall, 0.95);
  return now > old * (1.0 + LATENCY_SHARE) || now < old * (1.0 - LATENCY_SHARE);
}

/* The frame leaves the books; what is left to do is to push it. */
static void
account_frame (GstFoveaBase *self, const GstFoveaItem *item, gboolean skipped)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  gint64 spent = g_get_monotonic_time () - item->arrival;
  gboolean announce;

  g_mutex_lock (&priv->lock);
  priv->in_flight--;
  priv->stats.frames_out++;
  priv->stats.skipped += skipped;
  gst_fovea_times_add (&priv->stats.wall, spent / 1000.0);
  announce = is_new_latency (priv);
  g_cond_broadcast (&priv->changed);
  g_mutex_unlock (&priv->lock);
  if (announce)
    gst_element_post_message (GST_ELEMENT (self),
        gst_message_new_latency (GST_OBJECT (self)));
}

static GstFlowReturn
push_frame (GstFoveaBase *self, GstFoveaItem *item)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  gboolean skipped = item->ticket.decoder == NULL;
  g_autoptr (GError) error = NULL;
  GstBuffer *buffer;

  if (!skipped && !finish_inference (self, item, &error)) {
    gst_fovea_base_fail (self, GST_FOVEA_STAGE_RUN, error);
    drop_frame (priv, item);
    return GST_FLOW_ERROR;
  }
  buffer = gst_buffer_make_writable (GST_BUFFER_CAST (item->object));
  if (priv->copies_layout)
    buffer = gst_fovea_planes_make_plain (gst_fovea_stream_info (item->stream),
        buffer);
  if (priv->newest_stream == item->stream)
    gst_fovea_stream_attach (item->stream, &priv->newest, buffer);
  if (item->is_first)
    gst_fovea_change_mark (self, item->stream, buffer);
  gst_fovea_stream_unref (item->stream);
  account_frame (self, item, skipped);
  return gst_pad_push (priv->srcpad, buffer);
}

/* GstVideoMeta is always offered: where downstream lacks it, frames with other
 * than plain strides are copied. */
static gboolean
answer_allocation (GstFoveaBasePrivate *priv, GstQuery *query)
{
  gboolean has_meta = gst_pad_peer_query (priv->srcpad, query)
      && gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  g_autoptr (FvDevice) device = gst_fovea_base_device (priv);

  priv->copies_layout = !has_meta;
  if (!has_meta)
    gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  if (device)
    gst_fovea_place_propose (device, priv->max_in_flight + 1, query);
  return TRUE;
}

static void
answer_query (GstFoveaBasePrivate *priv, GstQuery *query)
{
  gboolean answer = GST_QUERY_TYPE (query) == GST_QUERY_ALLOCATION
      ? answer_allocation (priv, query)
      : gst_pad_peer_query (priv->srcpad, query);

  g_mutex_lock (&priv->lock);
  priv->query = GST_FOVEA_QUERY_ANSWERED;
  priv->answer = answer;
  g_cond_broadcast (&priv->changed);
  g_mutex_unlock (&priv->lock);
}

/* Waits for the next item; FALSE when the pad is to be still. */
static gboolean
next_item (GstFoveaBasePrivate *priv, GstFoveaItem *item)
{
  gboolean result = FALSE;

  g_mutex_lock (&priv->lock);
  while (priv->flow == GST_FLOW_OK && gst_queue_array_is_empty (priv->queue))
    g_cond_wait (&priv->changed, &priv->lock);
  if (priv->flow == GST_FLOW_OK) {
    *item = *(GstFoveaItem *) gst_queue_array_pop_head_struct (priv->queue);
    if (item->kind == GST_FOVEA_ITEM_QUERY)
      priv->query = GST_FOVEA_QUERY_TAKEN;
    result = TRUE;
  }
  g_mutex_unlock (&priv->lock);
  return result;
}

/* Downstream wants no more frames of this segment; events still go through. */
static void
end_flow (GstFoveaBasePrivate *priv)
{
  priv->is_past_end = TRUE;
  g_mutex_lock (&priv->lock);
  if (priv->n_restarts == 0)
    priv->eos = TRUE;
  g_mutex_unlock (&priv->lock);
}

/* Keeps the first flow that is not OK, for upstream to see. */
static void
stop_flow (GstFoveaBase *self, GstFlowReturn flow)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  gboolean eos;

  g_mutex_lock (&priv->lock);
  if (priv->flow == GST_FLOW_OK)
    priv->flow = flow;
  eos = priv->eos;
  g_cond_broadcast (&priv->changed);
  g_mutex_unlock (&priv->lock);
  if (flow != GST_FLOW_NOT_LINKED && flow >= GST_FLOW_EOS)
    return;
  /* Behind EOS upstream sends nothing more and so would never hear of it. */
  if (eos)
    GST_ELEMENT_FLOW_ERROR (self, flow);
  gst_pad_push_event (priv->srcpad, gst_event_new_eos ());
}

static void
pass_frame (GstFoveaBase *self, GstFoveaItem *item)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstFlowReturn flow;

  if (priv->is_past_end) {
    drop_frame (priv, item);
    return;
  }
  flow = push_frame (self, item);
  if (flow == GST_FLOW_EOS)
    end_flow (priv);
  else if (flow != GST_FLOW_OK)
    stop_flow (self, flow);
}

static void
pass_event (GstFoveaBase *self, GstEvent *event)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);

  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    gst_fovea_base_post_stats (self);
  if (is_restart (event)) {
    priv->is_past_end = FALSE;
    g_mutex_lock (&priv->lock);
    priv->n_restarts--;
    g_mutex_unlock (&priv->lock);
  }
  gst_pad_push_event (priv->srcpad, event);
}

static void
task (gpointer data)
{
  GstPad *pad = GST_PAD (data);
  GstFoveaBase *self = GST_FOVEA_BASE (GST_PAD_PARENT (pad));
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstFoveaItem item;

  if (!next_item (priv, &item)) {
    gst_pad_pause_task (pad);
    return;
  }
  if (item.kind == GST_FOVEA_ITEM_FRAME)
    pass_frame (self, &item);
  else if (item.kind == GST_FOVEA_ITEM_QUERY)
    answer_query (priv, GST_QUERY_CAST (item.object));
  else
    pass_event (self, GST_EVENT_CAST (item.object));
}

static gboolean
src_activate (GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (GST_FOVEA_BASE (parent));
  gboolean result;

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  set_flow (priv, active ? GST_FLOW_OK : GST_FLOW_FLUSHING);
  if (active)
    return gst_pad_start_task (pad, task, pad, NULL);
  result = gst_pad_stop_task (pad);
  drop_all (priv);
  return result;
}

static gboolean
answer_latency (GstFoveaBasePrivate *priv, GstQuery *query)
{
  GstClockTime minimum, maximum, own;
  gboolean is_live;

  if (!gst_pad_peer_query (priv->sinkpad, query))
    return FALSE;
  gst_query_parse_latency (query, &is_live, &minimum, &maximum);
  if (!is_live)
    return TRUE;
  g_mutex_lock (&priv->lock);
  own = (GstClockTime) (gst_fovea_times_percentile (&priv->stats.wall, 0.95)
      * GST_MSECOND);
  if (own == 0 && priv->stream)
    own = gst_fovea_stream_model (priv->stream)->run_time;
  else if (own == 0 && priv->model)
    own = priv->model->run_time;
  priv->announced = own;
  g_mutex_unlock (&priv->lock);
  minimum += own;
  if (GST_CLOCK_TIME_IS_VALID (maximum))
    maximum += own;
  gst_query_set_latency (query, TRUE, minimum, maximum);
  return TRUE;
}

static gboolean
src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (GST_FOVEA_BASE (parent));

  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    return answer_latency (priv, query);
  return gst_fovea_base_query (pad, parent, query);
}

void
gst_fovea_flow_init (GstFoveaBase *self)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);

  gst_pad_set_chain_function (priv->sinkpad, chain);
  gst_pad_set_event_function (priv->sinkpad, sink_event);
  gst_pad_set_query_function (priv->sinkpad, sink_query);
  gst_pad_set_activatemode_function (priv->sinkpad, sink_activate);
  gst_pad_set_activatemode_function (priv->srcpad, src_activate);
  gst_pad_set_query_function (priv->srcpad, src_query);
  /* The caps pass through: what one side takes the other must take. */
  GST_PAD_SET_PROXY_CAPS (priv->sinkpad);
  GST_PAD_SET_PROXY_CAPS (priv->srcpad);
}
