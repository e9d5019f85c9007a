/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From caps, tags and metas to a stream that takes such frames. */
#include "gst/video/gstfoveabase-private.h"
#include "gst/video/gstfoveacaps.h"
#include "gst/video/gstfoveapixels.h"
#include "gst/video/gstfoveaturn.h"

#define GST_CAT_DEFAULT gst_fovea_base_debug

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

gboolean
gst_fovea_format_set_caps (GstFoveaBase *self, GstCaps *caps)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  GstVideoInfo info;

  if (gst_fovea_caps_to_info (caps, &info))
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
gboolean
gst_fovea_format_keep_upright (GstFoveaBase *self, GstBuffer *buffer)
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
void
gst_fovea_format_read_tags (GstFoveaBase *self, GstEvent *event)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstVideoOrientationMethod turn;
  GstTagList *tags;

  gst_event_parse_tag (event, &tags);
  if (gst_video_orientation_from_tag (tags, &turn))
    priv->tag_turn = turn;
}
