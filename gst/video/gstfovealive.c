/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What keeps a live picture live: the latency that is told, what becomes of frames
 * that are too many, and what downstream says of those that came too late. */
#include "gst/video/gstfoveabase-private.h"

#define GST_CAT_DEFAULT gst_fovea_base_debug

/* Told is what 95 of 100 frames keep to, and a little more. */
#define LATENCY_RANK 0.95
#define LATENCY_HEADROOM 1.05
/* Told anew when it left the old one by a quarter and by what can be noticed, looked
 * at every so many frames. */
#define LATENCY_FRAMES 16
#define LATENCY_SHARE 0.25
#define LATENCY_STEP GST_MSECOND
/* Frames without a run of their own that may wait behind those that have one, where
 * upstream waits when there are more. */
#define SKIPPED_ROOM 8
/* Frames that come while one waits for its run, where upstream does not wait: behind
 * so many, besides those that may be on the device, it waits no more. */
#define PATIENCE 24
/* However late frames are, one in so much time is inferred: what makes them late
 * need not be the model. */
#define RENEWAL GST_SECOND
/* What scheduling may add to the latency that is distributed. */
#define BEHIND_US 100000

/* ---- overload ---- */

static GstFoveaOnOverload
policy (const GstFoveaBasePrivate *priv)
{
  if (priv->settings.on_overload != GST_FOVEA_ON_OVERLOAD_AUTO)
    return priv->settings.on_overload;
  return priv->qos.is_live ? GST_FOVEA_ON_OVERLOAD_SKIP_INFERENCE
                           : GST_FOVEA_ON_OVERLOAD_BLOCK;
}

static guint
max_in_flight (const GstFoveaBasePrivate *priv)
{
  return gst_fovea_stream_model (priv->stream)->settings.max_in_flight;
}

/* How long downstream may hold a frame back: by the latency of the pipeline, where a
 * sink waits for its time. */
static gint64
may_hold (const GstFoveaBasePrivate *priv)
{
  GstClockTime may =
      GST_CLOCK_TIME_IS_VALID (priv->announced) ? priv->announced : 0;

  if (GST_CLOCK_TIME_IS_VALID (priv->distributed))
    may = MAX (may, priv->distributed);
  return (gint64) GST_TIME_AS_USECONDS (may);
}

/* Frames that may come while one waits for its run. */
static guint
patience (const GstFoveaBasePrivate *priv)
{
  return PATIENCE + max_in_flight (priv);
}

/* Downstream is still busy with a frame that came longer ago than it may hold one
 * back; or more frames are inside than wait for a run, and as many again that
 * downstream holds back for the latency which that makes. */
static gboolean
is_stalled (const GstFoveaBasePrivate *priv)
{
  if (priv->n_inside >= 2 * patience (priv))
    return TRUE;
  return priv->n_inside >= max_in_flight (priv) && priv->pushed != 0
      && g_get_monotonic_time () - priv->pushed > may_hold (priv);
}

/* Frames are older than the model alone makes them. Downstream may be late because
 * it draws on the same device as we: more of that would make it later still. */
static gboolean
is_behind (const GstFoveaBasePrivate *priv)
{
  gint64 runs = (gint64) (max_in_flight (priv) * 1000
      * gst_fovea_times_percentile (&priv->stats.gpu, 0.5));

  return priv->leaving != 0
      && g_get_monotonic_time () - priv->leaving
      > MAX (may_hold (priv), runs) + BEHIND_US;
}

static gboolean
is_late (const GstFoveaQos *qos, GstClockTime time)
{
  gboolean is_recent;

  if (!GST_CLOCK_TIME_IS_VALID (time)
      || !GST_CLOCK_TIME_IS_VALID (qos->inferred) || time < qos->inferred)
    return FALSE;
  is_recent = time - qos->inferred < RENEWAL;
  return (time - qos->inferred < qos->throttle)
      || (GST_CLOCK_TIME_IS_VALID (qos->earliest) && time <= qos->earliest
          && is_recent);
}

GstFoveaFate
gst_fovea_live_decide (GstFoveaBasePrivate *priv, gboolean is_due,
    GstClockTime running_time)
{
  GstFoveaOnOverload chosen = policy (priv);
  gboolean is_too_much;

  if (chosen == GST_FOVEA_ON_OVERLOAD_DROP && is_stalled (priv))
    return GST_FOVEA_FATE_DROP;
  if (!is_due)
    return GST_FOVEA_FATE_SKIP;
  /* who asked for every frame gets every frame */
  is_too_much = priv->settings.on_overload != GST_FOVEA_ON_OVERLOAD_BLOCK
      && is_late (&priv->qos, running_time);
  if (chosen != GST_FOVEA_ON_OVERLOAD_BLOCK)
    is_too_much |=
        priv->n_under_way >= max_in_flight (priv) || is_behind (priv);
  if (is_too_much)
    return chosen == GST_FOVEA_ON_OVERLOAD_DROP ? GST_FOVEA_FATE_DROP
                                                : GST_FOVEA_FATE_SKIP;
  priv->qos.inferred = running_time;
  return GST_FOVEA_FATE_INFER;
}

gboolean
gst_fovea_live_must_wait (GstFoveaBasePrivate *priv, GstFoveaFate fate)
{
  guint most = max_in_flight (priv);

  if (policy (priv) != GST_FOVEA_ON_OVERLOAD_BLOCK)
    return is_stalled (priv);
  if (fate == GST_FOVEA_FATE_INFER
      && (priv->n_under_way >= most || priv->n_matched >= most))
    return TRUE;
  return priv->n_inside >= most + SKIPPED_ROOM;
}

void
gst_fovea_live_press (GstFoveaBasePrivate *priv)
{
  if (policy (priv) != GST_FOVEA_ON_OVERLOAD_SKIP_INFERENCE)
    return;
  for (GList *l = priv->runs.head; l; l = l->next) {
    GstFoveaRun *run = l->data;

    if (run->state != GST_FOVEA_RUN_UNDER_WAY
        || ++run->n_behind != patience (priv))
      continue;
    run->released = g_get_monotonic_time ();
    g_cond_broadcast (&priv->changed);
  }
}

void
gst_fovea_live_ask (GstFoveaBasePrivate *priv)
{
  g_autoptr (GstQuery) query = NULL;
  gboolean is_live = FALSE;

  g_mutex_lock (&priv->lock);
  if (priv->qos.is_known) {
    g_mutex_unlock (&priv->lock);
    return;
  }
  g_mutex_unlock (&priv->lock);
  query = gst_query_new_latency ();
  if (gst_pad_peer_query (priv->sinkpad, query))
    gst_query_parse_latency (query, &is_live, NULL, NULL);
  g_mutex_lock (&priv->lock);
  priv->qos.is_known = TRUE;
  priv->qos.is_live = is_live;
  g_mutex_unlock (&priv->lock);
}

/* ---- QoS ---- */

void
gst_fovea_live_forget (GstFoveaBasePrivate *priv)
{
  g_mutex_lock (&priv->lock);
  priv->qos = (GstFoveaQos){ .earliest = GST_CLOCK_TIME_NONE,
    .inferred = GST_CLOCK_TIME_NONE,
    .proportion = 1.0 };
  g_mutex_unlock (&priv->lock);
}

void
gst_fovea_live_take_qos (GstFoveaBasePrivate *priv, GstEvent *event)
{
  GstClockTimeDiff difference;
  GstClockTime time;
  GstQOSType type;
  double proportion;

  gst_event_parse_qos (event, &type, &proportion, &difference, &time);
  g_mutex_lock (&priv->lock);
  priv->qos.proportion = proportion;
  if (type == GST_QOS_TYPE_THROTTLE) {
    priv->qos.throttle = difference > 0 ? (GstClockTime) difference : 0;
  } else {
    priv->qos.jitter = difference;
    /* twice, as the base classes of GStreamer have it: those behind this frame
     * are late too */
    if (!GST_CLOCK_TIME_IS_VALID (time) || difference < -(gint64) time)
      priv->qos.earliest = GST_CLOCK_TIME_NONE;
    else
      priv->qos.earliest =
          time + (difference > 0 ? 2 * difference : difference);
  }
  g_mutex_unlock (&priv->lock);
}

void
gst_fovea_live_take_latency (GstFoveaBasePrivate *priv, GstEvent *event)
{
  g_mutex_lock (&priv->lock);
  gst_event_parse_latency (event, &priv->distributed);
  g_mutex_unlock (&priv->lock);
}

void
gst_fovea_live_post_qos (GstFoveaBase *self, GstBuffer *buffer)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  const GstSegment *segment = &priv->segment;
  GstClockTime pts = GST_BUFFER_PTS (buffer);
  guint64 processed, all;
  GstMessage *message;

  g_mutex_lock (&priv->lock);
  processed = priv->stats.inferred;
  all = processed + priv->stats.skipped + priv->stats.dropped;
  message = gst_message_new_qos (GST_OBJECT (self), priv->qos.is_live,
      gst_segment_to_running_time (segment, GST_FORMAT_TIME, pts),
      gst_segment_to_stream_time (segment, GST_FORMAT_TIME, pts), pts,
      GST_BUFFER_DURATION (buffer));
  /* the quality is how much of what came was inferred */
  gst_message_set_qos_values (message, priv->qos.jitter, priv->qos.proportion,
      all ? (gint) (1000000 * processed / all) : 1000000);
  gst_message_set_qos_stats (message, GST_FORMAT_BUFFERS, processed,
      all - processed);
  g_mutex_unlock (&priv->lock);
  gst_element_post_message (GST_ELEMENT (self), message);
}

/* ---- latency ---- */

/* The lock is held. */
static GstClockTime
own_latency (const GstFoveaBasePrivate *priv)
{
  const GstFoveaSettings *settings = &priv->settings;
  const GstFoveaModel *model =
      priv->stream ? gst_fovea_stream_model (priv->stream) : priv->model;
  GstClockTime own = 0;

  if (priv->stats.wall.n > 0)
    own = (GstClockTime) (gst_fovea_times_percentile (&priv->stats.wall,
                              LATENCY_RANK)
        * LATENCY_HEADROOM * GST_MSECOND);
  else if (model && settings->sync_mode == GST_FOVEA_SYNC_MODE_MATCHED)
    own = model->run_time;
  if (settings->max_latency > 0)
    own = MIN (own, settings->max_latency);
  return own;
}

gboolean
gst_fovea_live_answer_latency (GstFoveaBasePrivate *priv, GstQuery *query)
{
  GstClockTime minimum, maximum, own;
  gboolean is_live;

  if (!gst_pad_peer_query (priv->sinkpad, query))
    return FALSE;
  gst_query_parse_latency (query, &is_live, &minimum, &maximum);
  g_mutex_lock (&priv->lock);
  own = own_latency (priv);
  priv->announced = is_live ? own : GST_CLOCK_TIME_NONE;
  priv->qos.is_known = TRUE;
  priv->qos.is_live = is_live;
  g_mutex_unlock (&priv->lock);
  if (!is_live)
    return TRUE;
  minimum += own;
  if (GST_CLOCK_TIME_IS_VALID (maximum))
    maximum += own;
  gst_query_set_latency (query, TRUE, minimum, maximum);
  return TRUE;
}

gboolean
gst_fovea_live_note (GstFoveaBasePrivate *priv, gint64 microseconds)
{
  GstClockTimeDiff distance;

  gst_fovea_times_add (&priv->stats.wall, microseconds / 1000.0);
  if (!GST_CLOCK_TIME_IS_VALID (priv->announced)
      || priv->stats.frames_out % LATENCY_FRAMES != LATENCY_FRAMES - 1)
    return FALSE;
  distance = ABS (GST_CLOCK_DIFF (priv->announced, own_latency (priv)));
  return distance > LATENCY_SHARE * priv->announced && distance > LATENCY_STEP;
}

void
gst_fovea_live_restart (GstFoveaBasePrivate *priv)
{
  priv->stats.wall.n = 0;
}

void
gst_fovea_live_announce (GstFoveaBase *self)
{
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_latency (GST_OBJECT (self)));
}
