/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames, events and queries of GstFoveaBase, in order: from the sink pad through
 * the queue to the task of the source pad. */
#include "gst/video/gstfoveabase-private.h"
#include "gst/video/gstfoveacaps.h"
#include "gst/video/gstfoveaplace.h"
#include "gst/video/gstfoveaplanes.h"

#define GST_CAT_DEFAULT gst_fovea_base_debug

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
    gst_fovea_run_unref (item->run);
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

/* A frame leaves the books, one way or the other. The lock is held. */
static void
count_out (GstFoveaBasePrivate *priv, const GstFoveaItem *item)
{
  priv->n_inside--;
  priv->n_matched -= item->is_matched;
  g_cond_broadcast (&priv->changed);
}

void
gst_fovea_flow_drop (GstFoveaBasePrivate *priv, GstFoveaItem *item)
{
  g_mutex_lock (&priv->lock);
  count_out (priv, item);
  priv->leaving = 0;
  priv->stats.dropped++;
  g_mutex_unlock (&priv->lock);
  drop_item (priv, item);
}

void
gst_fovea_flow_queue (GstFoveaBasePrivate *priv, GstFoveaItem *item)
{
  item->queued = g_get_monotonic_time ();
  g_mutex_lock (&priv->lock);
  gst_queue_array_push_tail_struct (priv->queue, item);
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

  while (pop_item (priv, &item))
    if (item.kind == GST_FOVEA_ITEM_FRAME)
      gst_fovea_flow_drop (priv, &item);
    else
      drop_item (priv, &item);
  gst_fovea_runs_cancel (priv);
  g_mutex_lock (&priv->lock);
  priv->n_restarts = 0;
  g_mutex_unlock (&priv->lock);
  priv->is_past_end = FALSE;
  priv->last_ready = 0;
}

/* What the sink pad's thread knows of frames that came. */
static void
forget_frames (GstFoveaBasePrivate *priv)
{
  g_clear_pointer (&priv->last_run, gst_fovea_run_unref);
  priv->position = 0;
  gst_fovea_live_forget (priv);
}

void
gst_fovea_flow_reset (GstFoveaBase *self)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstFoveaStream *stream;

  drop_all (priv);
  forget_frames (priv);
  g_mutex_lock (&priv->lock);
  stream = g_steal_pointer (&priv->stream);
  priv->announced = priv->distributed = GST_CLOCK_TIME_NONE;
  priv->eos = FALSE;
  g_mutex_unlock (&priv->lock);
  gst_fovea_stream_unref (stream);
  gst_segment_init (&priv->segment, GST_FORMAT_UNDEFINED);
  priv->n_marked = priv->n_changes;
  priv->turn = priv->tag_turn = GST_VIDEO_ORIENTATION_IDENTITY;
  priv->copies_layout = FALSE;
}

static void task (gpointer data);

/* ---- sink pad ---- */

static gboolean
is_restart (GstEvent *event)
{
  return GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START
      || GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT;
}

/* Not OK when nothing comes through: what came before is still to be seen as the
 * reason, and a pad that is being stopped as nothing worse. */
static GstFlowReturn
event_flow (GstFoveaBase *self, GstEvent *event)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstFlowReturn flow;
  gboolean has_told;

  g_mutex_lock (&priv->lock);
  flow = priv->flow;
  has_told = priv->has_told;
  g_mutex_unlock (&priv->lock);
  /* Nobody else will tell: upstream has no more frames to see the flow by. */
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS && !has_told
      && (flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS))
    GST_ELEMENT_FLOW_ERROR (self, flow);
  return flow;
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
  g_mutex_unlock (&priv->lock);
  gst_fovea_flow_queue (priv, &item);
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
  forget_frames (priv);
  g_mutex_lock (&priv->lock);
  priv->eos = FALSE;
  priv->flow = GST_FLOW_OK;
  g_mutex_unlock (&priv->lock);
  gst_pad_start_task (priv->srcpad, task, priv->srcpad, NULL);
  return result;
}

/* What the sink pad itself takes from an event that it passes on. */
static gboolean
read_event (GstFoveaBase *self, GstEvent *event)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstCaps *caps;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_STREAM_START:
      priv->tag_turn = GST_VIDEO_ORIENTATION_IDENTITY;
      return TRUE;
    case GST_EVENT_SEGMENT:
      gst_event_copy_segment (event, &priv->segment);
      gst_fovea_live_forget (priv);
      return TRUE;
    case GST_EVENT_TAG:
      gst_fovea_format_read_tags (self, event);
      return TRUE;
    case GST_EVENT_CAPS:
      gst_event_parse_caps (event, &caps);
      return gst_fovea_format_set_caps (self, caps);
    default:
      return TRUE;
  }
}

static gboolean
handle_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_START)
    return flush_start (GST_FOVEA_BASE (parent), event);
  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP)
    return flush_stop (GST_FOVEA_BASE (parent), event);
  return gst_pad_event_default (pad, parent, event);
}

static GstFlowReturn
sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstFoveaBase *self = GST_FOVEA_BASE (parent);
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstFlowReturn flow;

  if (!GST_EVENT_IS_SERIALIZED (event)
      || GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP)
    return handle_event (pad, parent, event) ? GST_FLOW_OK : GST_FLOW_ERROR;
  flow = event_flow (self, event);
  if (flow == GST_FLOW_OK && !read_event (self, event))
    flow = GST_FLOW_NOT_NEGOTIATED;
  if (flow == GST_FLOW_OK)
    queue_event (priv, event);
  else
    gst_event_unref (event);
  return flow;
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

/* The lock is held. */
static gboolean
is_unanswered (const GstFoveaBasePrivate *priv)
{
  return priv->query == GST_FOVEA_QUERY_TAKEN
      || (priv->flow == GST_FLOW_OK && priv->query == GST_FOVEA_QUERY_QUEUED);
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
    while (is_unanswered (priv))
      g_cond_wait (&priv->changed, &priv->lock);
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

/* Until the frame may leave: its result is there, or it has to go without. FALSE:
 * it is flushed, or the model failed. The lock is held. */
static gboolean
wait_for_run (GstFoveaBasePrivate *priv, const GstFoveaItem *item)
{
  while (priv->flow == GST_FLOW_OK && !priv->has_failed && item->is_matched
      && item->run->state == GST_FOVEA_RUN_UNDER_WAY
      && item->run->released == 0) {
    guint64 most = priv->settings.max_latency;

    if (most == 0)
      g_cond_wait (&priv->changed, &priv->lock);
    else if (!g_cond_wait_until (&priv->changed, &priv->lock,
                 item->arrival + (gint64) GST_TIME_AS_USECONDS (most)))
      break;
  }
  return priv->flow == GST_FLOW_OK && !priv->has_failed;
}

/* The newest result that is not from a frame behind this one. The lock is held.
 * (transfer full) (nullable) */
static GstFoveaRun *
find_result (GstFoveaBasePrivate *priv, const GstFoveaItem *item)
{
  GstFoveaRun *run = item->run;

  /* they are done in order: where a later one is, this one is too */
  if (run && priv->newest && priv->newest->number < run->number)
    run = priv->newest;
  return run && run->state == GST_FOVEA_RUN_DONE ? gst_fovea_run_ref (run)
                                                 : NULL;
}

/* When the frame of @run was free to go; @began where it went without, by itself. */
static gint64
wait_end (const GstFoveaRun *run, gint64 began)
{
  gint64 end = run->end ? run->end : began;

  return run->released ? MIN (run->released, end) : end;
}

/* How long it took until the frame could leave, @began after the wait for its run:
 * without the time that downstream took for those before it. */
static gint64
time_spent (GstFoveaBasePrivate *priv, const GstFoveaItem *item, gint64 began)
{
  gint64 now = g_get_monotonic_time ();
  gint64 ready = item->queued;

  if (item->is_matched)
    ready = MAX (ready, wait_end (item->run, began));
  ready = MAX (ready, priv->last_ready) + now - began;
  priv->last_ready = ready;
  return ready - item->arrival;
}

/* The frame leaves the books; what is left to do is to push it. */
static void
account_frame (GstFoveaBase *self, const GstFoveaItem *item, gint64 began)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  gboolean announce;

  g_mutex_lock (&priv->lock);
  count_out (priv, item);
  if (!item->is_own || item->run->state > GST_FOVEA_RUN_DONE)
    priv->stats.skipped++;
  else if (item->run->state == GST_FOVEA_RUN_DONE)
    priv->stats.inferred++;
  else
    item->run->has_left = TRUE; /* counted when it ends */
  announce = gst_fovea_live_note (priv, time_spent (priv, item, began));
  priv->stats.frames_out++;
  priv->pushed = item->arrival;
  g_mutex_unlock (&priv->lock);
  if (announce)
    gst_fovea_live_announce (self);
}

static void
attach_result (GstFoveaBase *self, const GstFoveaItem *item,
    const GstFoveaRun *run, GstBuffer *buffer)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);

  if (!gst_fovea_stream_is_alike (run->stream, item->stream))
    return;
  gst_fovea_stream_attach (run->stream, &run->answer, buffer);
  if (run->n_changes != priv->n_marked)
    gst_fovea_change_mark (self, run->stream, buffer);
  priv->n_marked = run->n_changes;
}

static GstFlowReturn
push_frame (GstFoveaBase *self, GstFoveaItem *item)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstFoveaRun *run = NULL;
  GstFlowReturn flow;
  GstBuffer *buffer;
  gint64 began;

  g_mutex_lock (&priv->lock);
  priv->leaving = item->arrival;
  if (wait_for_run (priv, item)) {
    run = find_result (priv, item);
    flow = GST_FLOW_OK;
  } else {
    flow = priv->has_failed ? GST_FLOW_ERROR : priv->flow;
  }
  g_mutex_unlock (&priv->lock);
  if (flow != GST_FLOW_OK) {
    gst_fovea_flow_drop (priv, item);
    return flow;
  }
  began = g_get_monotonic_time ();
  buffer = gst_buffer_make_writable (GST_BUFFER_CAST (item->object));
  if (priv->copies_layout)
    buffer = gst_fovea_planes_make_plain (gst_fovea_stream_info (item->stream),
        buffer);
  if (run)
    attach_result (self, item, run, buffer);
  account_frame (self, item, began);
  gst_fovea_run_unref (run);
  gst_fovea_run_unref (item->run);
  gst_fovea_stream_unref (item->stream);
  flow = gst_pad_push (priv->srcpad, buffer);
  g_mutex_lock (&priv->lock);
  priv->pushed = priv->leaving = 0;
  g_cond_broadcast (&priv->changed);
  g_mutex_unlock (&priv->lock);
  return flow;
}

/* GstVideoMeta is always offered: where downstream lacks it, frames of the host with
 * other than plain strides are copied. */
static gboolean
answer_allocation (GstFoveaBasePrivate *priv, GstQuery *query)
{
  gboolean has_meta = gst_pad_peer_query (priv->srcpad, query)
      && gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  g_autoptr (FvDevice) device = gst_fovea_base_device (priv);
  GstCaps *caps;

  gst_query_parse_allocation (query, &caps, NULL);
  priv->copies_layout =
      !has_meta && (caps == NULL || gst_fovea_caps_are_of_host (caps));
  if (!has_meta)
    gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  if (device)
    gst_fovea_place_propose (device, priv->settings.max_in_flight + 1, query);
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
  gboolean is_silent;

  g_mutex_lock (&priv->lock);
  if (priv->flow == GST_FLOW_OK)
    priv->flow = flow;
  is_silent = priv->eos && !priv->has_told;
  g_cond_broadcast (&priv->changed);
  g_mutex_unlock (&priv->lock);
  if (flow != GST_FLOW_NOT_LINKED && flow >= GST_FLOW_EOS)
    return;
  /* Behind EOS upstream sends nothing more and so would never hear of it. */
  if (is_silent)
    GST_ELEMENT_FLOW_ERROR (self, flow);
  gst_pad_push_event (priv->srcpad, gst_event_new_eos ());
}

static void
pass_frame (GstFoveaBase *self, GstFoveaItem *item)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstFlowReturn flow;

  if (priv->is_past_end) {
    gst_fovea_flow_drop (priv, item);
    return;
  }
  flow = push_frame (self, item);
  if (flow == GST_FLOW_EOS)
    end_flow (priv);
  else if (flow != GST_FLOW_OK)
    stop_flow (self, flow);
}

/* Behind the last frame: those that left without waiting are still to be counted. */
static void
close_books (GstFoveaBase *self)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);

  g_mutex_lock (&priv->lock);
  while (priv->flow == GST_FLOW_OK && priv->n_under_way > 0)
    g_cond_wait (&priv->changed, &priv->lock);
  g_mutex_unlock (&priv->lock);
  gst_fovea_base_post_stats (self);
}

static void
pass_event (GstFoveaBase *self, GstEvent *event)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);

  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    close_books (self);
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
src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (GST_FOVEA_BASE (parent));

  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    return gst_fovea_live_answer_latency (priv, query);
  return gst_fovea_base_query (pad, parent, query);
}

static gboolean
src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (GST_FOVEA_BASE (parent));

  if (GST_EVENT_TYPE (event) == GST_EVENT_QOS)
    gst_fovea_live_take_qos (priv, event);
  else if (GST_EVENT_TYPE (event) == GST_EVENT_LATENCY)
    gst_fovea_live_take_latency (priv, event);
  return gst_pad_event_default (pad, parent, event);
}

void
gst_fovea_flow_init (GstFoveaBase *self)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);

  gst_pad_set_chain_function (priv->sinkpad, gst_fovea_entry_chain);
  gst_pad_set_event_full_function (priv->sinkpad, sink_event);
  gst_pad_set_query_function (priv->sinkpad, sink_query);
  gst_pad_set_activatemode_function (priv->sinkpad, sink_activate);
  gst_pad_set_activatemode_function (priv->srcpad, src_activate);
  gst_pad_set_query_function (priv->srcpad, src_query);
  gst_pad_set_event_function (priv->srcpad, src_event);
  gst_segment_init (&priv->segment, GST_FORMAT_UNDEFINED);
  gst_fovea_live_forget (priv);
  /* The caps pass through: what one side takes the other must take. */
  GST_PAD_SET_PROXY_CAPS (priv->sinkpad);
  GST_PAD_SET_PROXY_CAPS (priv->srcpad);
}
