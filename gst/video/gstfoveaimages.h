/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames that are images of a GstVulkanDevice, which we compute on then. Private
 * to libgstfovea and the plugin. Without GStreamer's Vulkan library (1.24) nothing
 * is one. */
#pragma once

#include <gst/video/video.h>
#include "gst/engine/external.h"
#include "gst/video/gstfoveaimport.h"
#include "gst/video/gstfoveaplanes.h"

G_BEGIN_DECLS

#define GST_FOVEA_FEATURE_IMAGE "memory:VulkanImage"
/* Those whose planes are images of whole bytes. */
#define GST_FOVEA_IMAGE_FORMATS \
  "{ NV12, I420, YV12, GRAY8, P010_10LE, RGBA, BGRA, RGBx, BGRx }"

/* What a pad template takes: GST_FOVEA_VIDEO_FORMATS in system memory, and
 * these. (transfer full) */
FV_API GstCaps *gst_fovea_images_template (void);
/* Whether @caps, not ANY, are of such frames, or can be. */
FV_API gboolean gst_fovea_images_are_caps (const GstCaps *caps);
FV_API gboolean gst_fovea_images_are_in (GstBuffer *buffer);

/* The device for @element: that of its neighbours where @sink's peer gives nothing
 * but images, else our own by @name. */
FV_API FvDevice *gst_fovea_images_open (GstElement *element, GstPad *sink,
    const char *name, GError **error);
/* What @device, (nullable) where it is not known yet, can take of @caps (transfer
 * full): only a neighbour's takes images, and nothing else. (transfer full) */
FV_API GstCaps *gst_fovea_images_filter_caps (FvDevice *device, GstCaps *caps);
/* The same with what @query was answered. */
FV_API void gst_fovea_images_answer_caps (FvDevice *device, GstQuery *query);

/**
 * GstFoveaImages:
 *
 * Copies between frames and buffers, by the device.
 *
 * Life:    gst_fovea_images_new() for the device that gst_fovea_images_open() gave;
 *          read and write per frame, on the queue of the device's programs and in
 *          order with them; free.
 * Threads: one at a time.
 * Errors:  FV_ERROR_UNSUPPORTED, FV_ERROR_DEVICE.
 */
FV_API GstFoveaImages *gst_fovea_images_new (FvDevice *device, GError **error);
FV_API void gst_fovea_images_free (GstFoveaImages *images); /* %NULL is fine */
/* The planes of @frame, from pixel (@x, @y) on, into @buffer, as @layouts has them. */
FV_API gboolean gst_fovea_images_read (GstFoveaImages *images, GstBuffer *frame,
    guint x, guint y, const GstFoveaPlaneLayout *layouts, guint n,
    FvBuffer *buffer, GError **error);
/* Back into @frame. */
FV_API gboolean gst_fovea_images_write (GstFoveaImages *images,
    GstBuffer *frame, guint x, guint y, const GstFoveaPlaneLayout *layouts,
    guint n, FvBuffer *buffer, GError **error);
/* @frame with images of its own. (transfer full) (nullable) */
FV_API GstBuffer *gst_fovea_images_copy (GstFoveaImages *images,
    GstBuffer *frame, const GstVideoInfo *info, GError **error);

/* As gst_video_frame_map() does, but without mapping. */
FV_API void gst_fovea_images_describe (GstVideoFrame *frame,
    const GstVideoInfo *info, GstBuffer *buffer);
/* What of @frame is mapped. */
FV_API void gst_fovea_images_unmap (GstVideoFrame *frame);

G_END_DECLS
