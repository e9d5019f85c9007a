/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The model on frames: submitted without waiting, finished by a thread that waits
 * for the device in the others' stead, so that no pad does. */
#include "gst/video/gstfoveabase-private.h"
#include "gst/video/gstfoveaplace.h"

#define GST_CAT_DEFAULT gst_fovea_base_debug

GstFoveaRun *
gst_fovea_run_ref (GstFoveaRun *run)
{
  g_atomic_ref_count_inc (&run->ref);
  return run;
}

void
gst_fovea_run_unref (GstFoveaRun *run)
{
  if (run == NULL || !g_atomic_ref_count_dec (&run->ref))
    return;
  gst_fovea_answer_clear (&run->answer);
  gst_fovea_stream_unref (run->stream);
  g_free (run);
}

static gboolean
map_frame (GstFoveaStream *stream, GstBuffer *buffer, GstVideoFrame *frame,
    GError **error)
{
  FvDevice *device = gst_fovea_stream_model (stream)->device;
  const GstVideoInfo *info = gst_fovea_stream_info (stream);

  if (gst_fovea_place_map (frame, device, info, buffer, GST_MAP_READ))
    return TRUE;
  g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
      "a buffer cannot be read: expected %" G_GSIZE_FORMAT
      " bytes of %s %dx%d, got %" G_GSIZE_FORMAT " bytes",
      GST_VIDEO_INFO_SIZE (info), GST_VIDEO_INFO_NAME (info),
      GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info),
      gst_buffer_get_size (buffer));
  return FALSE;
}

GstFoveaRun *
gst_fovea_runs_submit (GstFoveaBase *self, GstFoveaStream *stream,
    GstBuffer *buffer, const GstFoveaSettings *settings, guint n_changes,
    GError **error)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstFoveaTicket ticket = { 0 };
  GstFoveaRun *run;
  GstVideoFrame frame;
  gsize uploaded = 0;
  gboolean ok;

  if (!map_frame (stream, buffer, &frame, error))
    return NULL;
  ok = gst_fovea_stream_submit (stream, &frame, settings, &ticket, &uploaded,
      error);
  gst_fovea_images_unmap (&frame);
  if (!ok)
    return NULL;
  run = g_new0 (GstFoveaRun, 1);
  g_atomic_ref_count_init (&run->ref);
  run->stream = gst_fovea_stream_ref (stream);
  run->ticket = ticket;
  run->number = ++priv->n_runs;
  run->n_changes = n_changes;
  gst_fovea_answer_init (&run->answer);
  run->answer.pts = GST_BUFFER_PTS (buffer);
  g_mutex_lock (&priv->lock);
  priv->stats.bytes_uploaded += uploaded;
  priv->has_told = priv->is_broken || priv->has_failed; /* it works again */
  g_queue_push_tail (&priv->runs, gst_fovea_run_ref (run));
  priv->n_under_way++;
  g_cond_broadcast (&priv->changed);
  g_mutex_unlock (&priv->lock);
  return run;
}

/* It will give no result: whose frame is out already counts as skipped. The lock
 * is held. */
static void
give_up (GstFoveaBasePrivate *priv, GstFoveaRun *run, GstFoveaRunState state)
{
  run->state = state;
  priv->n_under_way--;
  priv->stats.skipped += run->has_left;
}

void
gst_fovea_runs_cancel (GstFoveaBasePrivate *priv)
{
  GstFoveaRun *newest;

  g_mutex_lock (&priv->lock);
  for (GList *l = priv->runs.head; l; l = l->next) {
    GstFoveaRun *run = l->data;

    if (run->state == GST_FOVEA_RUN_UNDER_WAY)
      give_up (priv, run, GST_FOVEA_RUN_CANCELLED);
  }
  newest = g_steal_pointer (&priv->newest);
  priv->has_failed = FALSE;
  priv->has_told = priv->is_broken;
  g_cond_broadcast (&priv->changed);
  g_mutex_unlock (&priv->lock);
  gst_fovea_run_unref (newest);
}

/* The one that was submitted first, still in the queue; NULL: the thread ends. */
static GstFoveaRun *
next_run (GstFoveaBasePrivate *priv, gboolean *is_cancelled)
{
  GstFoveaRun *run;

  g_mutex_lock (&priv->lock);
  while (g_queue_is_empty (&priv->runs) && !priv->runner_stopped)
    g_cond_wait (&priv->changed, &priv->lock);
  run = g_queue_peek_head (&priv->runs);
  *is_cancelled = run && run->state == GST_FOVEA_RUN_CANCELLED;
  g_mutex_unlock (&priv->lock);
  return run;
}

static void
count_cost (GstFoveaStats *stats, const GstFoveaCost *cost)
{
  stats->bytes_downloaded += cost->downloaded;
  if (cost->gpu >= 0.0)
    gst_fovea_times_add (&stats->gpu, cost->gpu);
  if (cost->host >= 0.0)
    gst_fovea_times_add (&stats->host, cost->host);
}

/* It leaves the queue; what it replaces is given back. */
static void
close_run (GstFoveaBasePrivate *priv, GstFoveaRun *run,
    const GstFoveaCost *cost, gboolean ok)
{
  GstFoveaRun *gone = run;

  g_mutex_lock (&priv->lock);
  g_queue_pop_head (&priv->runs);
  run->end = g_get_monotonic_time ();
  if (run->state == GST_FOVEA_RUN_UNDER_WAY && ok) {
    run->state = GST_FOVEA_RUN_DONE;
    priv->n_under_way--;
    priv->stats.inferred += run->has_left;
    gone = priv->newest;
    priv->newest = run;
    count_cost (&priv->stats, cost);
  } else if (run->state == GST_FOVEA_RUN_UNDER_WAY) {
    give_up (priv, run, GST_FOVEA_RUN_FAILED);
    priv->has_failed = TRUE;
  }
  g_cond_broadcast (&priv->changed);
  g_mutex_unlock (&priv->lock);
  gst_fovea_run_unref (gone);
}

static void
finish_run (GstFoveaBase *self, GstFoveaRun *run, gboolean is_cancelled)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstClockTime pts = run->answer.pts;
  g_autoptr (GError) error = NULL;
  GstFoveaCost cost = { 0 };
  gboolean ok = FALSE;

  if (!is_cancelled)
    ok = gst_fovea_stream_wait (run->stream, &run->ticket, &error)
        && gst_fovea_stream_collect (run->stream, &run->ticket, pts,
            &run->answer, &cost, &error);
  gst_fovea_stream_cancel (run->stream, &run->ticket);
  if (error)
    gst_fovea_base_fail (self, GST_FOVEA_STAGE_RUN, error);
  close_run (priv, run, &cost, ok);
}

static gpointer
work (gpointer data)
{
  GstFoveaBase *self = GST_FOVEA_BASE (data);
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  gboolean is_cancelled;
  GstFoveaRun *run;

  while ((run = next_run (priv, &is_cancelled)))
    finish_run (self, run, is_cancelled);
  return NULL;
}

gboolean
gst_fovea_runs_start (GstFoveaBase *self, GError **error)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);

  priv->runner = g_thread_try_new ("fovea-runs", work, self, error);
  return priv->runner != NULL;
}

void
gst_fovea_runs_stop (GstFoveaBase *self)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);

  if (priv->runner == NULL)
    return;
  gst_fovea_runs_cancel (priv);
  g_mutex_lock (&priv->lock);
  priv->runner_stopped = TRUE;
  g_cond_broadcast (&priv->changed);
  g_mutex_unlock (&priv->lock);
  g_thread_join (g_steal_pointer (&priv->runner));
  priv->runner_stopped = FALSE;
  g_clear_pointer (&priv->last_run, gst_fovea_run_unref);
  gst_fovea_runs_cancel (priv); /* the newest, if one was done meanwhile */
}
