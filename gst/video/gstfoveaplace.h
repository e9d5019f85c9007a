/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames where they lie: in buffers that the device can read. Private to
 * libgstfovea. */
#pragma once

#include <gst/video/video.h>
#include "gst/engine/external.h"
#include "gst/video/gstfoveaimages.h"
#include "gst/video/gstfoveaimport.h"

G_BEGIN_DECLS

/* How a frame comes to the device. */
typedef enum
{
  GST_FOVEA_PATH_NONE, /* none came yet */
  GST_FOVEA_PATH_COPY, /* into upload memory, by the host */
  GST_FOVEA_PATH_POOL, /* it lies in memory of the device's: our pool's */
  GST_FOVEA_PATH_IMAGE, /* the neighbours' images, copied by the device */
  GST_FOVEA_PATH_IMPORT, /* it lies in pages of the host that the device reads */
  GST_FOVEA_PATH_DMABUF, /* it lies in a DMA-BUF that the device reads */
  GST_FOVEA_PATH_DMABUF_COPY, /* in one that the host copies */
} GstFoveaPath;

/* As `stats` has it: "system-memory", ... */
const char *gst_fovea_path_name (GstFoveaPath path);

/* The planes of a picture in a buffer: a plain value, the buffer belongs to the
 * frame's memory. */
struct _GstFoveaPlace
{
  FvBuffer *buffer; /* (nullable): NULL: the picture must be copied */
  GstFoveaPath path;
  gsize size; /* bytes of the buffer up to the picture's last */
  gsize offset[GST_VIDEO_MAX_PLANES]; /* bytes, multiples of 4 */
  gsize stride[GST_VIDEO_MAX_PLANES];
};

/* As gst_video_frame_map() does, but what @device reads without the host,
 * images and DMA-BUFs, is not mapped; and no memory is touched that a file lacks. Then
 * gst_fovea_images_unmap(). */
FV_API gboolean gst_fovea_place_map (GstVideoFrame *frame, FvDevice *device,
    const GstVideoInfo *info, GstBuffer *buffer, GstMapFlags flags);

/* Where @device reads the picture of @info and @framing in @frame, which is mapped so.
 * Memory of the host is imported when it comes the second time: what is made anew
 * for each frame is cheaper to copy. */
void gst_fovea_place_init (GstFoveaPlace *place, FvDevice *device,
    const GstVideoInfo *info, const GstFoveaFraming *framing,
    const GstVideoFrame *frame);
/* Until the one who writes @buffer is through with it, where that is another device. */
void gst_fovea_place_wait (const GstFoveaPlace *place, GstBuffer *buffer);
gboolean gst_fovea_place_equal (const GstFoveaPlace *a, const GstFoveaPlace *b);

/* Offers upstream a pool of memory that @device reads in place, where downstream
 * has none of its own, for the caps of @query; does nothing where the host cannot
 * write such memory as fast as its own. */
void
gst_fovea_place_propose (FvDevice *device, guint n_frames, GstQuery *query);

G_END_DECLS
