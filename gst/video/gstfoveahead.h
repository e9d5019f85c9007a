/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/card/card.h"
#include "gst/engine/graph.h"

G_BEGIN_DECLS

/* Boxes over the threshold that one frame can bring back, before suppression. */
#define GST_FOVEA_MAX_CANDIDATES 1024
#define GST_FOVEA_MAX_CLASSES 64

/* Pixels of the frame, clipped to it; sorted by falling score. */
typedef struct
{
  float x, y, width, height;
  float score;
  guint class_id;
  guint index; /* which of the model's candidates: breaks ties of score */
  guint
      instance; /* its number in the map of instances; 0: there is no such map */
} GstFoveaBox;

/* Of a classifier: the probability. Of a segmenter: the class's share of the
 * frame, 0..1, by rising class_id. */
typedef struct
{
  guint class_id;
  float score;
} GstFoveaClass;

typedef enum
{
  GST_FOVEA_HEAD_MAP_NONE,
  GST_FOVEA_HEAD_MAP_U8, /* class numbers */
  GST_FOVEA_HEAD_MAP_U16, /* class numbers, where there are more than 256 */
  GST_FOVEA_HEAD_MAP_F32, /* depth; 0 where the model gave none */
} GstFoveaHeadMapFormat;

/* A map over the whole frame, on the device. Rows are stride bytes apart, the
 * first at byte 0; stride is a multiple of 4, what lies behind width is 0. A
 * mask from one map has a matte: 255 times the probability that a pixel is not
 * background, a byte each, in rows as those of the map. A head that finds things
 * one by one has a map of instances: the number of each pixel's, a byte each, 0
 * where there is none; then class numbers of all ones mean no class. */
typedef struct
{
  GstFoveaHeadMapFormat format;
  guint width, height; /* those of the frame */
  gsize stride, size; /* bytes, of the map alone */
  gsize matte; /* byte of the buffer where it starts, size long; 0: none */
  gsize
      instances; /* byte where that map starts, to the buffer's end; 0: none */
  gsize instance_stride;
  FvBuffer *buffer; /* (transfer none) owned by the head */
} GstFoveaHeadMap;

/* What may change from frame to frame without recording anew. */
typedef struct
{
  float threshold; /* detect: of scores; classify: of probabilities;
                           segment with one map: of the foreground           */
  float iou_threshold; /* detect: boxes of a class that overlap more are one */
  guint max_detections; /* at most GST_FOVEA_MAX_CANDIDATES                   */
  guint max_classes; /* classify: top k, at most GST_FOVEA_MAX_CLASSES     */
} GstFoveaHeadParams;

/* threshold 0.5 (detect 0.3, classify 0), iou 0.45, 100 boxes, 5 classes; what the
 * card says goes first. */
FV_API void
gst_fovea_head_params_init (GstFoveaHeadParams *params, const FvCardHead *head);

/* What a head found in a frame. */
typedef struct
{
  FvHeadKind kind;
  GArray *boxes; /* (element-type GstFoveaBox) detect; segment: of instances */
  GArray *classes; /* (element-type GstFoveaClass) classify, segment */
  guint n_candidates; /* boxes: over the threshold, before the limit of
                         GST_FOVEA_MAX_CANDIDATES and suppression */
  float minimum, maximum; /* depth: over the frame; 0 if all is NaN */
} GstFoveaResult;

FV_API void gst_fovea_result_init (GstFoveaResult *result);
FV_API void gst_fovea_result_clear (GstFoveaResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GstFoveaResult, gst_fovea_result_clear)

/**
 * GstFoveaHead:
 *
 * Decodes one head of a model on the device, behind the net.
 *
 * Life:    gst_fovea_head_new() for one graph slot, one size of frames and one
 *          place for its map; gst_fovea_head_add() puts its dispatches into a
 *          program that is submitted behind fv_graph_program() of that slot.
 *          Then for each frame: set_params, submit, fv_device_wait(), read.
 *          Whoever lets maps live longer than the next frame makes several heads
 *          and programs and takes one whose map is free.
 * Shapes:  the ports' own; see docs/model-cards.md for those that each decoder
 *          takes. Maps have the size of the frame, with letterbox and crop undone.
 * Memory:  everything is allocated in new; neither recording nor running
 *          allocates on the device. The map stays on the device; what read()
 *          needs, some 32 KiB, is in mapped memory.
 * Threads: one at a time.
 * Errors:  FV_ERROR_UNSUPPORTED, FV_ERROR_INVALID (output, expected and given
 *          shape are named), FV_ERROR_TOO_LARGE, FV_ERROR_DEVICE.
 */
typedef struct _GstFoveaHead GstFoveaHead;

/* @head: of a card that fv_card_bind_outputs() completed; it and the ports must
 * outlive the result. @outputs: all outputs of the graph slot. */
FV_API GstFoveaHead *gst_fovea_head_new (FvDevice *device,
    const FvCardHead *head, const FvPort *const *outputs, guint n_outputs,
    const FvFrameMap *map, GError **error);
FV_API void gst_fovea_head_free (GstFoveaHead *head); /* %NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstFoveaHead, gst_fovea_head_free)

FV_API void gst_fovea_head_add (GstFoveaHead *head, FvProgram *program);
/* Holds for the submits that follow. */
FV_API void gst_fovea_head_set_params (GstFoveaHead *head,
    const GstFoveaHeadParams *params);
/* TRUE of a head that reads what the model's host tail made: it has no dispatches,
 * and needs the outputs of fv_graph_run_tail() before each read. */
FV_API gboolean gst_fovea_head_is_on_host (GstFoveaHead *head);
/* @arrays: by output of the model; not kept longer than the next read. Fails where
 * their shapes do not fit. */
FV_API gboolean gst_fovea_head_take_arrays (GstFoveaHead *head,
    FvArray *const *arrays, GError **error);
/* After fv_device_wait(): fills @result, which init made or an earlier read
 * filled (its arrays are used again). */
FV_API void gst_fovea_head_read (GstFoveaHead *head, GstFoveaResult *result);

/* Bytes of the map and of what lies between the kernels. */
FV_API gsize gst_fovea_head_memory (GstFoveaHead *head);
FV_API const FvCardHead *gst_fovea_head_card (GstFoveaHead *head);
/* (nullable) the map of a segment or depth head, valid as long as the head; keep a
 * reference to its buffer to outlive it. */
FV_API const GstFoveaHeadMap *gst_fovea_head_map (GstFoveaHead *head);

G_END_DECLS
