/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames that come in: whether the model is run on them, and the queue. */
#include "gst/video/gstfoveabase-private.h"

#define GST_CAT_DEFAULT gst_fovea_base_debug

/* A frame that comes in. */
typedef struct
{
  GstFoveaFate fate;
  gboolean is_due; /* the model */
  guint n_changes;
  GstFoveaSettings settings; /* for its numbers, which stay as they are */
} Entry;

static gboolean
is_due (GstFoveaBasePrivate *priv)
{
  return priv->position == 0
      || priv->position >= priv->settings.inference_interval;
}

/* A frame that upstream can make later is as good as new when it is let in; a live
 * one has aged meanwhile. The lock is held. */
static GstFlowReturn
wait_for_room (GstFoveaBasePrivate *priv, GstFoveaItem *item, GstFoveaFate fate)
{
  gboolean has_waited = FALSE;

  while (priv->flow == GST_FLOW_OK && fate != GST_FOVEA_FATE_DROP
      && gst_fovea_live_must_wait (priv, fate)) {
    g_cond_wait (&priv->changed, &priv->lock);
    has_waited = TRUE;
  }
  if (has_waited && !priv->qos.is_live)
    item->arrival = g_get_monotonic_time ();
  return priv->flow;
}

/* Decides what becomes of the frame and counts it; waits where upstream is to. */
static GstFlowReturn
begin (GstFoveaBasePrivate *priv, GstFoveaItem *item, Entry *entry)
{
  GstClockTime time = gst_segment_to_running_time (&priv->segment,
      GST_FORMAT_TIME, GST_BUFFER_PTS (GST_BUFFER_CAST (item->object)));
  GstFlowReturn flow;

  g_mutex_lock (&priv->lock);
  flow = priv->eos ? GST_FLOW_EOS : priv->flow;
  if (flow == GST_FLOW_OK && priv->stream == NULL)
    flow = GST_FLOW_NOT_NEGOTIATED;
  priv->stats.frames_in++;
  if (flow == GST_FLOW_OK) {
    entry->is_due = is_due (priv);
    entry->fate = gst_fovea_live_decide (priv, entry->is_due, time);
    flow = wait_for_room (priv, item, entry->fate);
  }
  if (flow != GST_FLOW_OK || entry->fate == GST_FOVEA_FATE_DROP) {
    priv->stats.dropped++;
  } else {
    item->stream = gst_fovea_stream_ref (priv->stream);
    item->is_own = entry->fate == GST_FOVEA_FATE_INFER;
    item->is_matched =
        item->is_own && priv->settings.sync_mode == GST_FOVEA_SYNC_MODE_MATCHED;
    gst_fovea_live_press (priv);
    priv->n_inside++;
    priv->n_matched += item->is_matched;
  }
  entry->settings = priv->settings;
  entry->n_changes = priv->n_changes;
  g_mutex_unlock (&priv->lock);
  return flow;
}

static gboolean
submit (GstFoveaBase *self, GstFoveaItem *item, const Entry *entry)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  g_autoptr (GError) error = NULL;
  GstFoveaRun *run =
      gst_fovea_runs_submit (self, item->stream, GST_BUFFER_CAST (item->object),
          &entry->settings, entry->n_changes, &error);

  if (run == NULL) {
    gst_fovea_base_fail (self, GST_FOVEA_STAGE_RUN, error);
    return FALSE;
  }
  gst_fovea_run_unref (priv->last_run);
  priv->last_run = run;
  priv->position = 0;
  return TRUE;
}

/* A frame that was overdue leaves the next one due. */
static void
count_position (GstFoveaBasePrivate *priv, const Entry *entry)
{
  if (!entry->is_due || entry->fate == GST_FOVEA_FATE_INFER)
    priv->position++;
}

static GstFlowReturn
enter (GstFoveaBase *self, GstFoveaItem *item)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  Entry entry = { 0 };
  GstFlowReturn flow = begin (priv, item, &entry);

  if (flow == GST_FLOW_OK && entry.is_due && entry.fate != GST_FOVEA_FATE_INFER)
    gst_fovea_live_post_qos (self, GST_BUFFER_CAST (item->object));
  if (flow != GST_FLOW_OK || entry.fate == GST_FOVEA_FATE_DROP) {
    gst_mini_object_unref (item->object);
    return flow;
  }
  if (item->is_own && !submit (self, item, &entry)) {
    gst_fovea_flow_drop (priv, item);
    return GST_FLOW_ERROR;
  }
  count_position (priv, &entry);
  item->run = priv->last_run ? gst_fovea_run_ref (priv->last_run) : NULL;
  gst_fovea_flow_queue (priv, item);
  return GST_FLOW_OK;
}

GstFlowReturn
gst_fovea_entry_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstFoveaBase *self = GST_FOVEA_BASE (parent);
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstFoveaItem item = { GST_FOVEA_ITEM_FRAME, GST_MINI_OBJECT_CAST (buffer) };

  item.arrival = g_get_monotonic_time ();
  gst_fovea_live_ask (priv);
  gst_fovea_swap_take (self);
  if (!gst_fovea_format_keep_upright (self, buffer)) {
    gst_buffer_unref (buffer);
    return GST_FLOW_ERROR;
  }
  return enter (self, &item);
}
