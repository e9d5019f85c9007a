/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/gstfoveacaps.h"
#include "gst/video/gstfoveaimages.h"
#include "gst/video/gstfoveameta.h"

#include <gst/allocators/gstdmabuf.h>

#define DMABUF GST_CAPS_FEATURE_MEMORY_DMABUF

#if GST_CHECK_VERSION(1, 24, 0)
/* Those of our formats that DRM has, each as rows: the modifier 0. */
static void
append_dmabufs (GstCaps *caps)
{
  g_auto (GStrv) names = g_strsplit_set (GST_FOVEA_VIDEO_FORMATS, "{, }", -1);
  GstCaps *dmabufs = gst_caps_from_string (
      GST_VIDEO_CAPS_MAKE_WITH_FEATURES (DMABUF, "DMA_DRM"));
  GValue formats = G_VALUE_INIT, value = G_VALUE_INIT;

  gst_value_list_init (&formats, 0);
  g_value_init (&value, G_TYPE_STRING);
  for (guint i = 0; names[i]; i++) {
    guint32 code = gst_video_dma_drm_fourcc_from_format (
        gst_video_format_from_string (names[i]));

    if (code == 0)
      continue;
    g_value_take_string (&value, gst_video_dma_drm_fourcc_to_string (code, 0));
    gst_value_list_append_value (&formats, &value);
  }
  gst_caps_set_value (dmabufs, "drm-format", &formats);
  g_value_unset (&value);
  g_value_unset (&formats);
  gst_caps_append (caps, dmabufs);
}

gboolean
gst_fovea_caps_to_info (const GstCaps *caps, GstVideoInfo *info)
{
  GstVideoInfoDmaDrm drm;

  if (!gst_video_is_dma_drm_caps (caps))
    return gst_video_info_from_caps (info, caps);
  return gst_video_info_dma_drm_from_caps (&drm, caps)
      && gst_video_info_dma_drm_to_video_info (&drm, info);
}
#else
static void
append_dmabufs (GstCaps *caps)
{
  gst_caps_append (caps,
      gst_caps_from_string (
          GST_VIDEO_CAPS_MAKE_WITH_FEATURES (DMABUF, GST_FOVEA_VIDEO_FORMATS)));
}

gboolean
gst_fovea_caps_to_info (const GstCaps *caps, GstVideoInfo *info)
{
  return gst_video_info_from_caps (info, caps);
}
#endif

GstCaps *
gst_fovea_caps_template (void)
{
  GstCaps *caps =
      gst_caps_from_string (GST_VIDEO_CAPS_MAKE (GST_FOVEA_VIDEO_FORMATS));

  append_dmabufs (caps);
  if (gst_fovea_images_are_built ())
    gst_caps_append (caps,
        gst_caps_from_string (GST_VIDEO_CAPS_MAKE_WITH_FEATURES (
            GST_FOVEA_FEATURE_IMAGE, GST_FOVEA_IMAGE_FORMATS)));
  return caps;
}

static gboolean
is_taken (GstCapsFeatures *features, GstStructure *structure, gpointer device)
{
  gboolean has_images = gst_fovea_images_are_of (device);

  if (gst_caps_features_is_any (features))
    return TRUE;
  if (gst_caps_features_contains (features, GST_FOVEA_FEATURE_IMAGE))
    return has_images;
  if (gst_caps_features_contains (features, DMABUF))
    return fv_device_takes_dmabuf (device);
  return !has_images;
}

GstCaps *
gst_fovea_caps_filter (FvDevice *device, GstCaps *caps)
{
  if (device == NULL || gst_caps_is_any (caps))
    return caps;
  caps = gst_caps_make_writable (caps);
  gst_caps_filter_and_map_in_place (caps, is_taken, device);
  return caps;
}

static gboolean
is_of_host (GstCapsFeatures *features, GstStructure *structure, gpointer data)
{
  return gst_caps_features_is_any (features)
      || gst_caps_features_contains (features,
          GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY);
}

GstCaps *
gst_fovea_caps_of_host (GstCaps *caps)
{
  if (gst_caps_is_any (caps))
    return caps;
  caps = gst_caps_make_writable (caps);
  gst_caps_filter_and_map_in_place (caps, is_of_host, NULL);
  return caps;
}

gboolean
gst_fovea_caps_are_of_host (const GstCaps *caps)
{
  for (guint i = 0; i < gst_caps_get_size (caps); i++)
    if (!is_of_host (gst_caps_get_features (caps, i), NULL, NULL))
      return FALSE;
  return TRUE;
}

void
gst_fovea_caps_answer (FvDevice *device, GstQuery *query)
{
  g_autoptr (GstCaps) caps = NULL;
  GstCaps *result;

  gst_query_parse_caps_result (query, &result);
  if (result == NULL)
    return;
  caps = gst_fovea_caps_filter (device, gst_caps_ref (result));
  gst_query_set_caps_result (query, caps);
}
