/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The same results once more, as GStreamer's own analytics metas. */
#pragma once

#include "gst/video/gstfoveameta.h"

#if defined(__has_include) && GST_CHECK_VERSION(1, 26, 0)
#if __has_include(<gst/analytics/analytics.h>)
#define GST_FOVEA_HAS_DEPTH_MTD
#include <gst/analytics/analytics.h>
#endif
#endif

G_BEGIN_DECLS

/**
 * gst_fovea_buffer_add_analytics: (skip)
 * @buffer: a writable buffer
 * @element: the name of an element, as producers have it
 *
 * Adds the results of @element on @buffer, which are Fovea's own metas, as
 * GStreamer's too. Boxes are object detections, the more classes of a box
 * classifications that it contains; classes of the whole frame are one
 * classification, best first. From GStreamer 1.26 on a map of classes is a
 * semantic segmentation whose mask is the map itself, related N to N to a
 * classification that names the classes; a map of instances is an instance
 * segmentation, related N to N to the classes of the things and to each of their
 * boxes; depth is a #GstFoveaDepthMtd, and raw outputs are a GstTensorMeta.
 *
 * Life:   mtds go with the buffer; maps are referenced, not copied. Raw outputs
 *         are copied where their rows are padded.
 * Errors: none: without GStreamer's analytics library (1.24) nothing is added.
 */
FV_API void
gst_fovea_buffer_add_analytics (GstBuffer *buffer, const char *element);

#ifdef GST_FOVEA_HAS_DEPTH_MTD
/**
 * GstFoveaDepthMtd: (skip)
 *
 * A depth map among the analytics of a buffer, for which GStreamer has no type.
 */
typedef struct _GstAnalyticsMtd GstFoveaDepthMtd;
/* As gst_analytics_relation_meta_iterate() takes it. */
FV_API GstAnalyticsMtdType gst_fovea_depth_mtd_get_mtd_type (void);
/**
 * gst_fovea_depth_mtd_get: (skip)
 * @mtd: of the type above
 * @kind: (out) (optional): what the numbers mean
 * @region: (out) (optional): where it lies, in pixels of the frame
 *
 * Returns: (transfer none) (nullable): the map, which lives as long as the
 *   buffer; %NULL when @mtd is another one
 */
FV_API GstFoveaPlane *gst_fovea_depth_mtd_get (const GstFoveaDepthMtd *mtd,
    GstFoveaDepthKind *kind, GstVideoRectangle *region);
#endif

G_END_DECLS
