/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results on a buffer: who made them, masks, depth, tensors, boxes. */
#pragma once

#include <gst/video/video.h>
#include "gst/onnx/array.h"

G_BEGIN_DECLS

/* Formats that a frame may have, odd sizes and strides included: the one list of
 * them. What else there is to know of a format GstVideoFormatInfo has. */
#define GST_FOVEA_VIDEO_FORMATS \
  "{ NV12, NV21, I420, YV12, YUY2, UYVY, GRAY8, P010_10LE, RGB, BGR, RGBA, " \
  "BGRA, ARGB, ABGR, RGBx, BGRx, xRGB, xBGR }"

/**
 * GstFoveaRole:
 *
 * What a result is: found by a net, or known to be true.
 */
typedef enum
{
  GST_FOVEA_ROLE_RESULT,
  GST_FOVEA_ROLE_TRUTH,
} GstFoveaRole;

/**
 * GstFoveaProducer:
 *
 * Who made a result; one object shared by all results of one
 * head, from caps to caps.
 *
 * Life:    gst_fovea_producer_new(), then ref and unref; immutable.
 * Memory:  owns its strings. Strings are never NULL, "" where unknown.
 * Threads: any.
 */
typedef struct
{
  gatomicrefcount ref;
  char *element; /* name of the element: "foveasegment0" */
  char *model; /* base name of the model: "segformer_b0" */
  char *head; /* name of the head in the card: "semantic" */
  GstFoveaRole role;
  guint n_labels;
  char **labels; /* (nullable) name of class i, NULL-terminated */
} GstFoveaProducer;

#define GST_TYPE_FOVEA_PRODUCER (gst_fovea_producer_get_type ())
FV_API GType gst_fovea_producer_get_type (void);
/**
 * gst_fovea_producer_new:
 * @element: (nullable): its name
 * @model: (nullable): base name of the model
 * @head: (nullable): name of the head
 * @role: what its results are
 * @labels: (nullable) (array zero-terminated=1): names of classes
 *
 * Returns: (transfer full): the producer
 */
FV_API GstFoveaProducer *
gst_fovea_producer_new (const char *element, const char *model,
    const char *head, GstFoveaRole role, const char *const *labels);
FV_API GstFoveaProducer *gst_fovea_producer_ref (GstFoveaProducer *producer);
FV_API void
gst_fovea_producer_unref (GstFoveaProducer *producer); /* %NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstFoveaProducer, gst_fovea_producer_unref)
/* Name of class @id; "" without one. Owned by the producer. */
FV_API const char *
gst_fovea_producer_label (const GstFoveaProducer *producer, guint id);
/* @source as the property of overlay, extract and json has it: NULL or "results"
 * for results, "truth" for truths, else the name of an element. */
FV_API gboolean gst_fovea_producer_matches (const GstFoveaProducer *producer,
    const char *source);

/* How the elements of a plane are stored, little-endian. */
typedef enum
{
  GST_FOVEA_PLANE_U8,
  GST_FOVEA_PLANE_U16,
  GST_FOVEA_PLANE_F16,
  GST_FOVEA_PLANE_F32,
} GstFoveaPlaneFormat;

/**
 * GstFoveaPlane:
 *
 * A plane of numbers that lies over a part of the frame.
 *
 * Life:    gst_fovea_plane_new(), then ref and unref; immutable.
 * Shapes:  @width x @height of its own, which need not be the frame's: a
 *          consumer scales to the rectangle that the meta names. Row y starts
 *          at y * @stride bytes; a row may be followed by padding, and writers
 *          keep @stride a multiple of 4.
 * Memory:  @data is one GstMemory, often a GstFoveaMemory: device memory that
 *          comes to the host only when mapped (see gstfoveamemory.h). Integers
 *          have a GstVideoMeta, of GRAY8 or GRAY16_LE.
 * Threads: any.
 */
typedef struct
{
  gatomicrefcount ref;
  GstFoveaProducer *producer;
  GstClockTime pts; /* of the frame that it was computed on */
  GstFoveaPlaneFormat format;
  guint width, height;
  guint stride; /* bytes */
  GstBuffer *data;
} GstFoveaPlane;

#define GST_TYPE_FOVEA_PLANE (gst_fovea_plane_get_type ())
FV_API GType gst_fovea_plane_get_type (void);
/**
 * gst_fovea_plane_new:
 * @producer: who made it
 * @pts: of the frame that it was computed on
 * @format: of the elements
 * @width: elements of a row
 * @height: rows
 * @stride: bytes from row to row
 * @data: (transfer full): the rows
 *
 * Returns: (transfer full) (nullable): the plane, or %NULL, with @data dropped,
 *   when @data is smaller than the rows say or a size is 0
 */
FV_API GstFoveaPlane *gst_fovea_plane_new (GstFoveaProducer *producer,
    GstClockTime pts, GstFoveaPlaneFormat format, guint width, guint height,
    guint stride, GstBuffer *data);
FV_API GstFoveaPlane *gst_fovea_plane_ref (GstFoveaPlane *map);
FV_API void gst_fovea_plane_unref (GstFoveaPlane *map); /* %NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstFoveaPlane, gst_fovea_plane_unref)
/* Bytes of an element */
FV_API guint gst_fovea_plane_format_size (GstFoveaPlaneFormat format);

/* Where a result lies: @region in pixels of a frame of @width x @height. */
typedef struct
{
  guint width, height;
  GstVideoRectangle region;
} GstFoveaFrame;

/**
 * GstFoveaSegmentationMeta:
 *
 * Which class each pixel belongs to.
 *
 * Life:    gst_fovea_buffer_add_segmentation(); goes with the buffer. Copied by
 *          tee and videoconvert, scaled by videoscale, and dropped by elements
 *          that crop, flip or otherwise move pixels.
 * Shapes:  @map: U8 or U16 class ids; a value >= @n_classes is no class (255 or
 *          65535 by convention). @matte: U8, probability times 255 that the
 *          pixel is not background, of the size of @map. @instances: U8 or
 *          U16, of the size of @map, from models that find things one by
 *          one: the number of the thing, which its box names too, 0 where
 *          there is none.
 */
typedef struct
{
  GstMeta meta;
  GstFoveaFrame frame;
  GstFoveaPlane *map;
  GstFoveaPlane *matte; /* (nullable) */
  GstFoveaPlane *instances; /* (nullable) */
  guint n_classes;
  gint background; /* the class that is drawn as nothing; -1: none */
} GstFoveaSegmentationMeta;

#define GST_FOVEA_SEGMENTATION_META_API_TYPE \
  (gst_fovea_segmentation_meta_api_get_type ())
FV_API GType gst_fovea_segmentation_meta_api_get_type (void);
FV_API const GstMetaInfo *gst_fovea_segmentation_meta_get_info (void);
/**
 * gst_fovea_buffer_add_segmentation:
 * @buffer: a writable buffer
 * @map: class ids
 * @matte: (nullable): of the size of @map
 * @n_classes: ids from here on are no class
 * @background: the class that is drawn as nothing; -1: none
 * @frame_width: pixels of the frame, all of which @map covers
 * @frame_height: the same
 *
 * Returns: (transfer none) (nullable): the meta, owned by @buffer
 */
FV_API GstFoveaSegmentationMeta *gst_fovea_buffer_add_segmentation (
    GstBuffer *buffer, GstFoveaPlane *map, GstFoveaPlane *matte,
    guint n_classes, gint background, guint frame_width, guint frame_height);
/**
 * gst_fovea_segmentation_meta_set_instances:
 * @meta: of a writable buffer
 * @instances: (nullable): U8 or U16, of the size of the map
 */
FV_API void gst_fovea_segmentation_meta_set_instances (
    GstFoveaSegmentationMeta *meta, GstFoveaPlane *instances);
/**
 * gst_fovea_buffer_get_segmentation:
 * @buffer: a buffer
 * @source: (nullable): as in gst_fovea_producer_matches()
 *
 * Returns: (transfer none) (nullable): the first one of that source
 */
FV_API GstFoveaSegmentationMeta *
gst_fovea_buffer_get_segmentation (GstBuffer *buffer, const char *source);

/* What the numbers of a depth map mean. */
typedef enum
{
  GST_FOVEA_DEPTH_METRIC, /* metres */
  GST_FOVEA_DEPTH_INVERSE, /* grows as things come nearer; no unit */
  GST_FOVEA_DEPTH_RELATIVE, /* grows with the distance; no unit */
} GstFoveaDepthKind;

/**
 * GstFoveaDepthMeta:
 *
 * How far each pixel is. Life as above; @map: F16 or F32, NaN
 * or infinite where nothing is known; of metric depth, 0 too.
 */
typedef struct
{
  GstMeta meta;
  GstFoveaFrame frame;
  GstFoveaPlane *map;
  GstFoveaDepthKind kind;
} GstFoveaDepthMeta;

#define GST_FOVEA_DEPTH_META_API_TYPE (gst_fovea_depth_meta_api_get_type ())
FV_API GType gst_fovea_depth_meta_api_get_type (void);
FV_API const GstMetaInfo *gst_fovea_depth_meta_get_info (void);
/**
 * gst_fovea_buffer_add_depth:
 * @buffer: a writable buffer
 * @map: depth values
 * @kind: what they mean
 * @frame_width: pixels of the frame, all of which @map covers
 * @frame_height: the same
 *
 * Returns: (transfer none) (nullable): the meta, owned by @buffer
 */
FV_API GstFoveaDepthMeta *
gst_fovea_buffer_add_depth (GstBuffer *buffer, GstFoveaPlane *map,
    GstFoveaDepthKind kind, guint frame_width, guint frame_height);
/**
 * gst_fovea_buffer_get_depth:
 * @buffer: a buffer
 * @source: (nullable): as in gst_fovea_producer_matches()
 *
 * Returns: (transfer none) (nullable): the first one of that source
 */
FV_API GstFoveaDepthMeta *
gst_fovea_buffer_get_depth (GstBuffer *buffer, const char *source);
/* "metres", "inverse" or "relative" */
FV_API const char *gst_fovea_depth_kind_unit (GstFoveaDepthKind kind);

/**
 * GstFoveaTensorMeta:
 *
 * One raw output of a model; one meta each. Life as above
 * (its values refer to pixels, so it is dropped where pixels move; it stays as
 * it is when the frame is scaled). Element (i0, i1, ...) lies at
 * sum (i * strides) elements from the start of @data.
 */
typedef struct
{
  GstMeta meta;
  GstFoveaProducer *producer;
  GstClockTime pts;
  char *name; /* of the model's output */
  FvType type;
  FvShape shape;
  gint64 strides[FV_MAX_RANK]; /* elements */
  GstBuffer *data;
} GstFoveaTensorMeta;

#define GST_FOVEA_TENSOR_META_API_TYPE (gst_fovea_tensor_meta_api_get_type ())
FV_API GType gst_fovea_tensor_meta_api_get_type (void);
FV_API const GstMetaInfo *gst_fovea_tensor_meta_get_info (void);
/**
 * gst_fovea_buffer_add_tensor: (skip)
 * @buffer: a writable buffer
 * @producer: who made it
 * @pts: of the frame that it was computed on
 * @name: (nullable): of the model's output
 * @type: of an element
 * @shape: as ONNX has it
 * @strides: (nullable): elements; %NULL for row-major
 * @data: (transfer none): the elements
 *
 * Returns: (transfer none) (nullable): the meta, or %NULL when @data is smaller
 *   than shape and strides say
 */
FV_API GstFoveaTensorMeta *gst_fovea_buffer_add_tensor (GstBuffer *buffer,
    GstFoveaProducer *producer, GstClockTime pts, const char *name, FvType type,
    const FvShape *shape, const gint64 *strides, GstBuffer *data);
/**
 * gst_fovea_buffer_get_tensor:
 * @buffer: a buffer
 * @source: (nullable): as in gst_fovea_producer_matches()
 * @name: (nullable): of the output; %NULL for any
 *
 * Returns: (transfer none) (nullable): the first one of that source and name
 */
FV_API GstFoveaTensorMeta *gst_fovea_buffer_get_tensor (GstBuffer *buffer,
    const char *source, const char *name);

/**
 * GstFoveaRegion:
 *
 * A box or a class of the whole frame, as read from a
 * GstVideoRegionOfInterestMeta with params `detection` and `classification`.
 *
 * The structures carry "label_id" (int), "label" and "confidence" (double), which
 * other elements read too, then "element", "model", "head", "role" ("result" or
 * "truth") and "pts" (uint64); `detection` has x_min x_max y_min y_max (double, 0..1) besides, and
 * "instance" (uint), its number in the map of instances, where there is one. A class of the
 * whole frame is a region of type `frame` with one `classification` per class,
 * best first, and no `detection`.
 *
 * Memory: strings belong to the buffer's metas: valid as long as they are.
 */
typedef struct
{
  GstVideoRegionOfInterestMeta *meta;
  gboolean is_frame; /* a class of the whole frame */
  gint label_id; /* -1 when unknown */
  guint instance; /* number in the map of instances of its producer; 0: none */
  const char *label, *element, *model, *head; /* "" where unknown */
  double confidence; /* 0 where unknown */
  GstFoveaRole role;
  GstClockTime pts;
} GstFoveaRegion;

/**
 * gst_fovea_buffer_add_detection:
 * @buffer: a writable buffer
 * @producer: who found it; its labels give the region's type ("object" without)
 * @pts: of the frame that it was found on
 * @label_id: the class; -1 when unknown
 * @confidence: 0 to 1
 * @x: left edge in pixels of the frame, to which the box is clipped
 * @y: upper edge
 * @width: of the box
 * @height: of the box
 * @frame_width: of the frame
 * @frame_height: of the frame
 *
 * Returns: (transfer none) (nullable): the meta, owned by @buffer; %NULL when
 *   nothing of the box is left
 */
FV_API GstVideoRegionOfInterestMeta *
gst_fovea_buffer_add_detection (GstBuffer *buffer, GstFoveaProducer *producer,
    GstClockTime pts, gint label_id, double confidence, double x, double y,
    double width, double height, guint frame_width, guint frame_height);
/* Names the number that a box's pixels have in the map of instances. */
FV_API void gst_fovea_region_set_instance (GstVideoRegionOfInterestMeta *meta,
    guint instance);
/**
 * gst_fovea_buffer_add_frame_class:
 * @buffer: a writable buffer
 * @producer: who found it
 * @pts: of the frame that it was found on
 * @label_id: the class
 * @confidence: 0 to 1
 * @frame_width: of the frame
 * @frame_height: of the frame
 *
 * A class of the whole frame; more calls of the same producer and @pts add to the
 * same region.
 *
 * Returns: (transfer none): the meta, owned by @buffer
 */
FV_API GstVideoRegionOfInterestMeta *gst_fovea_buffer_add_frame_class (
    GstBuffer *buffer, GstFoveaProducer *producer, GstClockTime pts,
    gint label_id, double confidence, guint frame_width, guint frame_height);
/* An attribute of a box: one more `classification` on it. */
FV_API void gst_fovea_region_add_class (GstVideoRegionOfInterestMeta *meta,
    GstFoveaProducer *producer, GstClockTime pts, gint label_id,
    double confidence);
/**
 * gst_fovea_buffer_next_region: (skip)
 * @buffer: a buffer
 * @source: (nullable): as in gst_fovea_producer_matches(); %NULL and "results"
 *   take regions of other elements too
 * @state: (inout): %NULL to start with
 * @region: (out caller-allocates): the region
 *
 * Returns: %FALSE at the end
 */
FV_API gboolean gst_fovea_buffer_next_region (GstBuffer *buffer,
    const char *source, gpointer *state, GstFoveaRegion *region);
/* Class @i of a region of the whole frame or attribute @i of a box: its
 * `classification` structures in order. FALSE at the end. */
FV_API gboolean gst_fovea_region_get_class (const GstFoveaRegion *region,
    guint i, GstFoveaRegion *result);

G_END_DECLS
