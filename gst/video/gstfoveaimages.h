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

/* Whether there is anything of all this. */
FV_API gboolean gst_fovea_images_are_built (void);
/* Whether @device is a neighbour's, and so takes nothing else. */
FV_API gboolean gst_fovea_images_are_of (FvDevice *device);
FV_API gboolean gst_fovea_images_are_in (GstBuffer *buffer);

/* The device for @element: that of its neighbours where @sink's peer gives nothing
 * but images, else our own by @name. */
FV_API FvDevice *gst_fovea_images_open (GstElement *element, GstPad *sink,
    const char *name, GError **error);

/* Tells a neighbour that asks by @query (CONTEXT) which device, instance and queue
 * are @device's (nullable), so that it takes the same. Any thread. */
FV_API gboolean gst_fovea_images_answer (FvDevice *device, GstElement *element,
    GstQuery *query);

/**
 * GstFoveaImages:
 *
 * Copies between frames and buffers, by the device.
 *
 * Life:    gst_fovea_images_new() for the device that gst_fovea_images_open() gave;
 *          read and write per frame, on the queue of the device's programs and in
 *          order with them; free. What is read is held by the caller until it was
 *          (the device's queue has passed what was submitted since).
 * Threads: one at a time; other threads may read the same frame.
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
