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
  guint n_reloads; /* changes of settings until then */
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

/* With the element's own settings and stream of now. */
static void
job_init (Job *job, GstFoveaBasePrivate *priv)
{
  memset (job, 0, sizeof *job);
  g_mutex_lock (&priv->lock);
  priv->swap_wanted = FALSE;
  gst_fovea_settings_copy (&priv->settings, &job->settings);
  job->n_reloads = priv->n_reloads;
  job->device = fv_device_ref (priv->device);
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

/* What the settings say is what runs, or is about to. The lock is held. */
static void
go_back (GstFoveaBasePrivate *priv)
{
  GstFoveaModel *model = priv->next_model ? priv->next_model : priv->model;

  gst_fovea_settings_go_back (&priv->settings, &model->settings);
  if (priv->next_model)
    priv->next_reloads = priv->n_reloads;
  else
    priv->model_reloads = priv->n_reloads;
}

/* Hands over what was made, or takes the settings back that could not be used;
 * unless others were set meanwhile, which decide then. TRUE when taken back. */
static gboolean
hand_over (GstFoveaBasePrivate *priv, Job *job, gboolean ok)
{
  gboolean is_newest;

  g_mutex_lock (&priv->lock);
  is_newest = job->n_reloads == priv->n_reloads;
  if (is_newest && !ok) {
    go_back (priv);
  } else if (is_newest && !priv->swap_stopped) {
    GstFoveaModel *model = priv->next_model;
    GstFoveaStream *stream = priv->next_stream;

    priv->next_model = job->model;
    priv->next_stream = job->stream;
    priv->next_reloads = job->n_reloads;
    job->model = model; /* for the clear */
    job->stream = stream;
  }
  g_mutex_unlock (&priv->lock);
  return is_newest && !ok;
}

/* Until settings change; FALSE when that is not to be waited for any more. */
static gboolean
wait_for_change (GstFoveaBasePrivate *priv)
{
  gboolean result;

  g_mutex_lock (&priv->lock);
  while (!priv->swap_wanted && !priv->swap_stopped)
    g_cond_wait (&priv->changed, &priv->lock);
  result = !priv->swap_stopped;
  g_mutex_unlock (&priv->lock);
  return result;
}

static void
refuse (GstFoveaBase *self, const GError *error)
{
  guint n;
  g_autofree GParamSpec **specs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (self), &n);

  g_object_freeze_notify (G_OBJECT (self));
  for (guint i = 0; i < n; i++)
    if (specs[i]->flags & GST_PARAM_MUTABLE_PLAYING)
      g_object_notify_by_pspec (G_OBJECT (self), specs[i]);
  g_object_thaw_notify (G_OBJECT (self));
  GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
      ("The model stays as it was, and its properties with it: %s.",
          error->message),
      (NULL));
}

static gpointer
swap (gpointer data)
{
  GstFoveaBase *self = GST_FOVEA_BASE (data);
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);

  while (wait_for_change (priv)) {
    g_autoptr (GError) error = NULL;
    gboolean is_refused;
    Job job;

    job_init (&job, priv);
    is_refused = hand_over (priv, &job, job_run (&job, self, &error));
    job_clear (&job);
    if (is_refused)
      refuse (self, error);
  }
  return NULL;
}

void
gst_fovea_swap_begin (GstFoveaBase *self)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  g_autoptr (GError) error = NULL;

  g_mutex_lock (&priv->lock);
  if (priv->is_running && priv->swapper == NULL)
    priv->swapper = g_thread_try_new ("fovea-swap", swap, self, &error);
  priv->swap_wanted = priv->swapper != NULL;
  g_cond_broadcast (&priv->changed);
  g_mutex_unlock (&priv->lock);
  if (error)
    GST_ELEMENT_WARNING (self, RESOURCE, FAILED,
        ("The model stays as it was: %s.", error->message), (NULL));
}

void
gst_fovea_swap_end (GstFoveaBase *self)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GThread *swapper;
  GstFoveaStream *stream;
  GstFoveaModel *model;

  g_mutex_lock (&priv->lock);
  priv->swap_stopped = TRUE;
  swapper = g_steal_pointer (&priv->swapper);
  g_cond_broadcast (&priv->changed);
  g_mutex_unlock (&priv->lock);
  if (swapper)
    g_thread_join (swapper);
  g_mutex_lock (&priv->lock);
  priv->swap_stopped = FALSE;
  priv->swap_wanted = FALSE;
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
  if (next == NULL || stream == NULL)
    return next == stream;
  return gst_fovea_stream_is_alike (next, stream);
}

void
gst_fovea_swap_take (GstFoveaBase *self)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  g_autoptr (GstFoveaModel) model = NULL; /* what goes */
  g_autoptr (GstFoveaStream) stream = NULL;
  gboolean fits;

  g_mutex_lock (&priv->lock);
  if (priv->next_model == NULL) {
    g_mutex_unlock (&priv->lock);
    return;
  }
  model = g_steal_pointer (&priv->next_model);
  stream = g_steal_pointer (&priv->next_stream);
  fits = still_fits (stream, priv->stream);
  if (fits) {
    GstFoveaModel *old_model = priv->model;
    GstFoveaStream *old_stream = priv->stream;

    priv->model = g_steal_pointer (&model);
    priv->stream = g_steal_pointer (&stream);
    model = old_model;
    stream = old_stream;
    priv->model_reloads = priv->next_reloads;
    priv->n_changes++;
    gst_fovea_live_restart (priv);
  }
  g_mutex_unlock (&priv->lock);
  if (!fits) {
    gst_fovea_swap_begin (self);
    return;
  }
  priv->position = 0;
  gst_fovea_live_announce (self);
}

#define CHANGE_META "GstFoveaChangeMeta"

void
gst_fovea_change_mark (GstFoveaBase *self, GstFoveaStream *stream,
    GstBuffer *buffer)
{
  static gsize is_registered;
  const char *model = gst_fovea_stream_model (stream)->name;
  g_autofree char *name = gst_element_get_name (self);
  GstCustomMeta *meta;

  /* two elements may come here at once */
  if (g_once_init_enter (&is_registered)) {
    gst_meta_register_custom (CHANGE_META,
        (const char *[]){ GST_META_TAG_VIDEO_STR, NULL }, NULL, NULL, NULL);
    g_once_init_leave (&is_registered, 1);
  }
  meta = gst_buffer_add_custom_meta (buffer, CHANGE_META);
  if (meta)
    gst_structure_set (gst_custom_meta_get_structure (meta), "element",
        G_TYPE_STRING, name, "model", G_TYPE_STRING, model, NULL);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self),
          gst_structure_new ("fovea-change", "model", G_TYPE_STRING, model,
              "pts", G_TYPE_UINT64, GST_BUFFER_PTS (buffer), NULL)));
}
