/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The heads of a model behind one slot of its graph, as one program, and the
 * buffers of their maps. Private to the stream. */
#pragma once

#include "gst/video/gstfoveahead.h"
#include "gst/video/gstfoveameta.h"
#include "gst/video/gstfoveamodel.h"

G_BEGIN_DECLS

/* What one frame gave, to be attached to it and to those that skip the model. */
typedef struct
{
  GstClockTime pts;
  guint n_heads, n_tensors;
  GstFoveaResult results[FV_MAX_HEADS];
  GstFoveaPlane *maps[FV_MAX_HEADS]; /* (nullable) each */
  GstFoveaPlane *mattes[FV_MAX_HEADS]; /* (nullable) each */
  GstFoveaPlane *instances[FV_MAX_HEADS]; /* (nullable) each */
  GstBuffer **tensors; /* by output of the model */
  FvArray **arrays; /* as tensors; in their stead where the host made them */
} GstFoveaAnswer;

/* What it took. */
typedef struct
{
  gsize downloaded; /* bytes */
  double gpu, host; /* milliseconds of the device, of the model's host tail; -1:
                        not known, no such */
} GstFoveaCost;

void gst_fovea_answer_init (GstFoveaAnswer *answer);
/* Drops maps and tensors, keeps the arrays for the next frame. */
void gst_fovea_answer_reset (GstFoveaAnswer *answer);
void gst_fovea_answer_clear (GstFoveaAnswer *answer);

/**
 * GstFoveaDecoder:
 *
 * One set of heads with a place for each map and raw tensor.
 *
 * Life:    new, then any number of: take, submit of its program, collect (or
 *          leave); free. Maps that are still used downstream outlive it.
 * Memory:  all made in new; a map goes out as a GstMemory without a copy, so a
 *          decoder is idle again only when those are gone.
 * Threads: one at a time; gst_fovea_decoder_is_idle() and leave() any.
 * Errors:  FV_ERROR, as gst_fovea_head_new().
 */
typedef struct _GstFoveaDecoder GstFoveaDecoder;

/* @turn: FV_FRAME_*: how maps over what @map describes are put over the frame */
GstFoveaDecoder *gst_fovea_decoder_new (GstFoveaModel *model, guint slot,
    const FvFrameMap *map, guint turn, GError **error);
void gst_fovea_decoder_free (GstFoveaDecoder *decoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstFoveaDecoder, gst_fovea_decoder_free)

guint gst_fovea_decoder_slot (GstFoveaDecoder *decoder);
/* Bytes of its maps and tensors; 0: it can be used for every frame */
gsize gst_fovea_decoder_memory (GstFoveaDecoder *decoder);
FvProgram *gst_fovea_decoder_program (GstFoveaDecoder *decoder);
gboolean gst_fovea_decoder_is_idle (GstFoveaDecoder *decoder);

/* For the submit that follows: @settings win over what the card says. */
void gst_fovea_decoder_take (GstFoveaDecoder *decoder,
    const GstFoveaSettings *settings);
/* The frame is given up; nothing is read. */
void gst_fovea_decoder_leave (GstFoveaDecoder *decoder);
/* Behind the wait for @value: runs the model's host tail where there is one and
 * fills @answer, which was reset. @producers: one per head. *@cost: (out): but
 * for the device's time. The decoder is left, whatever comes. */
gboolean gst_fovea_decoder_collect (GstFoveaDecoder *decoder, guint64 value,
    GstFoveaProducer *const *producers, GstFoveaAnswer *answer,
    GstFoveaCost *cost, GError **error);

G_END_DECLS
