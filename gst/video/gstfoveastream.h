/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All that depends on the caps: a frame in, results as metas out. Private to the
 * base class. */
#pragma once

#include <gst/video/video.h>
#include "gst/video/gstfoveadecoder.h"

G_BEGIN_DECLS

typedef struct _GstFoveaStream GstFoveaStream;

/* A frame on its way through the device. */
typedef struct
{
  GstFoveaDecoder *decoder; /* (nullable): NULL when nothing was submitted */
  FvProgram *import; /* owned: its slot may take another frame meanwhile */
  guint64 value; /* of the device's timeline, behind the results */
  GstBuffer *held; /* (nullable): what the device reads in place until then */
} GstFoveaTicket;

/**
 * GstFoveaStream:
 *
 * Programs and buffers for one model and one kind of frames.
 *
 * Life:    gst_fovea_stream_new() for each caps; then per frame submit (which
 *          gives a ticket), wait, collect; or submit and cancel. ref, unref.
 * Memory:  made in new, except for a decoder more when all maps are still in use
 *          downstream; kept then.
 * Threads: submit by one thread, wait and collect by another; in order.
 * Errors:  FV_ERROR, as import, heads and device have them.
 */
/* @turn: what puts the picture upright. */
GstFoveaStream *
gst_fovea_stream_new (GstFoveaModel *model, const GstVideoInfo *info,
    GstVideoOrientationMethod turn, const char *element, GError **error);
GstFoveaStream *gst_fovea_stream_ref (GstFoveaStream *stream);
void gst_fovea_stream_unref (GstFoveaStream *stream); /* %NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstFoveaStream, gst_fovea_stream_unref)

const GstVideoInfo *gst_fovea_stream_info (GstFoveaStream *stream);
/* Of its pictures upright, with square pixels. */
void gst_fovea_stream_display_size (GstFoveaStream *stream, guint *width,
    guint *height);
GstVideoOrientationMethod gst_fovea_stream_turn (GstFoveaStream *stream);
/* Whether both take the same frames, so that results of the one suit the other. */
gboolean
gst_fovea_stream_is_alike (GstFoveaStream *stream, GstFoveaStream *other);
GstFoveaModel *gst_fovea_stream_model (GstFoveaStream *stream);
/* Bytes taken on the device beside the graph's. */
gsize gst_fovea_stream_memory (GstFoveaStream *stream);

/* How the newest frame came to the device, as `stats` has it. */
const char *gst_fovea_stream_path (GstFoveaStream *stream);

/* Copies the picture in @frame, which is checked against the caps, into an upload buffer, or has
 * the device read it where it lies, and submits [import | net | heads]. Its buffer is
 * kept, where it lies there, until the ticket is collected or cancelled.
 * *@uploaded: (out): bytes copied */
gboolean gst_fovea_stream_submit (GstFoveaStream *stream, GstVideoFrame *frame,
    const GstFoveaSettings *settings, GstFoveaTicket *ticket, gsize *uploaded,
    GError **error);
/* Blocks until the device is done with @ticket. */
gboolean gst_fovea_stream_wait (GstFoveaStream *stream,
    const GstFoveaTicket *ticket, GError **error);
/* After the wait: reads the results; the ticket is used up. */
gboolean gst_fovea_stream_collect (GstFoveaStream *stream,
    GstFoveaTicket *ticket, GstClockTime pts, GstFoveaAnswer *answer,
    GstFoveaCost *cost, GError **error);
/* Gives the ticket back without its results. */
void gst_fovea_stream_cancel (GstFoveaStream *stream, GstFoveaTicket *ticket);
/* Attaches @answer to @buffer, whose metadata is writable. */
void gst_fovea_stream_attach (GstFoveaStream *stream,
    const GstFoveaAnswer *answer, GstBuffer *buffer);

G_END_DECLS
