/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What caps frames come with, by the memory that they are in: the host's, images of
 * a neighbour's device (gstfoveaimages.h), DMA-BUFs. Private to libgstfovea and the
 * plugin. */
#pragma once

#include <gst/video/video.h>
#include "gst/engine/external.h"

G_BEGIN_DECLS

/* What a pad template takes: GST_FOVEA_VIDEO_FORMATS in memory of the host and in
 * DMA-BUFs of rows (since GStreamer 1.24 as format=DMA_DRM), and GST_FOVEA_IMAGE_FORMATS
 * in images. (transfer full) */
FV_API GstCaps *gst_fovea_caps_template (void);
/* What @device, (nullable) where it is not known yet, can take of @caps (transfer
 * full): a neighbour's takes images, and nothing else; ours DMA-BUFs where it imports
 * them. (transfer full) */
FV_API GstCaps *gst_fovea_caps_filter (FvDevice *device, GstCaps *caps);
/* What the host can read of @caps (transfer full). (transfer full) */
FV_API GstCaps *gst_fovea_caps_of_host (GstCaps *caps);
/* Filters what @query was answered. */
FV_API void gst_fovea_caps_answer (FvDevice *device, GstQuery *query);

FV_API gboolean gst_fovea_caps_are_of_host (const GstCaps *caps);
/* As gst_video_info_from_caps() does, for DMA-BUFs of rows too: tiles are FALSE. */
FV_API gboolean gst_fovea_caps_to_info (const GstCaps *caps,
    GstVideoInfo *info);

G_END_DECLS
