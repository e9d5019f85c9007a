/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another model, or the same one otherwise, while frames flow: it is opened and
 * planned beside the one that runs, on a thread of its own, and taken between two
 * frames. */
#include "gst/video/gstfoveabase-private.h"
#include "gst/video/gstfoveapixels.h"

#define GST_CAT_DEFAULT gst_fovea_base_debug

/* What a swap is made from, and what came of it. */
typedef struct
{
  GstFoveaSettings settings;
  FvDevice *device;
  GstVideoInfo info; /* of the stream, where there is one */
  gboolean has_info;
  GstVideoOrientationMethod turn;
  GstFoveaModel *model;
  GstFoveaStream *stream; /* (nullable): NULL where there is none yet */
} Job;

static void
job_clear (Job *job)
{
  gst_fovea_settings_clear (&job->settings);
  fv_device_unref (job->device);
  gst_fovea_model_unref (job->model);
  gst_fovea_stream_unref (job->stream);
}

static void
job_init (Job *job, GstFoveaBasePrivate *priv)
{
  memset (job, 0, sizeof *job);
  g_mutex_lock (&priv->lock);
  priv->swap_wanted = FALSE;
  gst_fovea_settings_copy (&priv->settings, &job->settings);
  job->device = priv->device ? fv_device_ref (priv->device) : NULL;
  job->has_info = priv->stream != NULL;
  if (priv->stream) {
    job->info = *gst_fovea_stream_info (priv->stream);
    job->turn = gst_fovea_stream_turn (priv->stream);
  }
  g_mutex_unlock (&priv->lock);
}

static gboolean
job_run (Job *job, GstFoveaBase *self, GError **error)
{
  g_autoptr (GstFoveaModel) planned = NULL;
  g_autofree char *name = gst_element_get_name (self);
  guint width = 0, height = 0;

  if (job->device == NULL) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "the element went to NULL meanwhile");
    return FALSE;
  }
  if (!gst_fovea_base_check_settings (&job->settings, error))
    return FALSE;
  job->model = gst_fovea_model_open (job->device, &job->settings,
      GST_FOVEA_BASE_GET_CLASS (self)->head, error);
  if (job->model == NULL || (job->model->follows_caps && !job->has_info))
    return job->model != NULL;
  if (job->has_info)
    gst_fovea_display_size (&job->info, job->turn, &width, &height);
  planned = gst_fovea_model_plan (job->model, width, height, error);
  if (planned == NULL)
    return FALSE;
  if (job->has_info)
    job->stream =
        gst_fovea_stream_new (planned, &job->info, job->turn, name, error);
  if (job->stream == NULL && job->has_info)
    return FALSE;
  gst_fovea_base_warn (self, planned);
  return TRUE;
}

static void
refuse (GstFoveaBase *self, const GError *error)
{
  GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
      ("The model stays as it was: %s.", error->message), (NULL));
}

/* Hands over what was made, unless more was asked for meanwhile: then TRUE. */
static gboolean
hand_over (GstFoveaBasePrivate *priv, Job *job, gboolean ok)
{
  gboolean again;

  g_mutex_lock (&priv->lock);
  again = priv->swap_wanted && !priv->swap_stopped;
  if (ok && !again && !priv->swap_stopped) {
    GstFoveaModel *model = priv->next_model;
    GstFoveaStream *stream = priv->next_stream;

    priv->next_model = job->model;
    priv->next_stream = job->stream;
    job->model = model; /* for the clear */
    job->stream = stream;
  }
  priv->is_swapping = again;
  g_cond_broadcast (&priv->changed);
  g_mutex_unlock (&priv->lock);
  return again;
}

static gpointer
swap (gpointer data)
{
  GstFoveaBase *self = GST_FOVEA_BASE (data);
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  gboolean again;

  do {
    g_autoptr (GError) error = NULL;
    gboolean ok;
    Job job;

    job_init (&job, priv);
    ok = job_run (&job, self, &error);
    if (!ok)
      refuse (self, error);
    again = hand_over (priv, &job, ok);
    job_clear (&job);
  } while (again);
  gst_object_unref (self);
  return NULL;
}

void
gst_fovea_swap_begin (GstFoveaBase *self)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  gboolean starts;

  g_mutex_lock (&priv->lock);
  starts = !priv->is_swapping;
  priv->swap_wanted = TRUE;
  priv->is_swapping = TRUE;
  g_mutex_unlock (&priv->lock);
  if (starts)
    g_thread_unref (g_thread_new ("fovea-swap", swap, gst_object_ref (self)));
}

void
gst_fovea_swap_end (GstFoveaBase *self)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstFoveaStream *stream;
  GstFoveaModel *model;

  g_mutex_lock (&priv->lock);
  priv->swap_stopped = TRUE;
  while (priv->is_swapping)
    g_cond_wait (&priv->changed, &priv->lock);
  priv->swap_stopped = FALSE;
  model = g_steal_pointer (&priv->next_model);
  stream = g_steal_pointer (&priv->next_stream);
  g_mutex_unlock (&priv->lock);
  gst_fovea_stream_unref (stream);
  gst_fovea_model_unref (model);
}

/* Whether frames are still what the new stream was made for. */
static gboolean
still_fits (GstFoveaStream *next, GstFoveaStream *stream)
{
  return next && stream
      && gst_video_info_is_equal (gst_fovea_stream_info (next),
          gst_fovea_stream_info (stream))
      && gst_fovea_stream_turn (next) == gst_fovea_stream_turn (stream);
}

gboolean
gst_fovea_swap_take (GstFoveaBase *self)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  g_autoptr (GstFoveaModel) model = NULL;
  g_autoptr (GstFoveaStream) stream = NULL; /* what goes */
  g_autoptr (GstFoveaStream) next = NULL;
  gboolean fits, had_stream;
  GstVideoInfo info;

  g_mutex_lock (&priv->lock);
  if (priv->next_model == NULL) {
    g_mutex_unlock (&priv->lock);
    return TRUE;
  }
  had_stream = priv->stream != NULL;
  next = g_steal_pointer (&priv->next_stream);
  fits = still_fits (next, priv->stream);
  if (had_stream)
    info = *gst_fovea_stream_info (priv->stream);
  model = priv->model;
  stream = priv->stream;
  priv->model = g_steal_pointer (&priv->next_model);
  priv->stream = fits ? g_steal_pointer (&next) : NULL;
  priv->reload = priv->is_swapping;
  priv->n_changes++;
  g_mutex_unlock (&priv->lock);
  priv->position = 0;
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_latency (GST_OBJECT (self)));
  return fits || !had_stream || gst_fovea_flow_renew (self, &info);
}

#define CHANGE_META "GstFoveaChangeMeta"

void
gst_fovea_change_mark (GstFoveaBase *self, GstFoveaStream *stream,
    GstBuffer *buffer)
{
  const char *model = gst_fovea_stream_model (stream)->name;
  g_autofree char *name = gst_element_get_name (self);
  GstCustomMeta *meta;

  if (gst_meta_get_info (CHANGE_META) == NULL)
    gst_meta_register_custom (CHANGE_META,
        (const char *[]){ GST_META_TAG_VIDEO_STR, NULL }, NULL, NULL, NULL);
  meta = gst_buffer_add_custom_meta (buffer, CHANGE_META);
  if (meta)
    gst_structure_set (gst_custom_meta_get_structure (meta), "element",
        G_TYPE_STRING, name, "model", G_TYPE_STRING, model, NULL);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self),
          gst_structure_new ("fovea-change", "model", G_TYPE_STRING, model,
              "pts", G_TYPE_UINT64, GST_BUFFER_PTS (buffer), NULL)));
}
