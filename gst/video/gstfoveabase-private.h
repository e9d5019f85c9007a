/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of the base class share: gstfoveabase.c (class, states, errors),
 * gstfoveaformat.c (caps), gstfoveaentry.c (frames that come in), gstfovearuns.c
 * (the model on the device), gstfoveaflow.c (order, events, queries, frames that
 * leave), gstfovealive.c (latency, overload, QoS), gstfoveaswap.c. */
#pragma once

#include <gst/base/gstqueuearray.h>
#include "gst/video/gstfoveabase.h"
#include "gst/video/gstfoveastats.h"
#include "gst/video/gstfoveastream.h"

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN (gst_fovea_base_debug);

typedef enum
{
  GST_FOVEA_ITEM_FRAME,
  GST_FOVEA_ITEM_EVENT,
  GST_FOVEA_ITEM_QUERY,
} GstFoveaItemKind;

typedef enum
{
  GST_FOVEA_RUN_UNDER_WAY,
  GST_FOVEA_RUN_DONE,
  GST_FOVEA_RUN_FAILED, /* the error was posted */
  GST_FOVEA_RUN_CANCELLED,
} GstFoveaRunState;

/* The model on one frame: submitted by the sink pad's thread, finished by a thread
 * of its own, in order. */
typedef struct
{
  gatomicrefcount ref;
  GstFoveaStream *stream;
  GstFoveaTicket ticket;
  guint64 number; /* from 1 on, in order */
  guint n_changes; /* of settings that results depend on, until then */
  GstFoveaAnswer answer; /* not written any more once DONE */

  GstFoveaRunState state; /* the base's lock is held, for all from here on */
  gboolean has_left; /* its frame left without waiting for it */
  guint n_behind; /* frames that came since, while it was under way */
  gint64 end; /* monotonic microseconds */
  gint64 released; /* when its frame had waited long enough; 0: it has not */
} GstFoveaRun;

/* What travels from the sink pad to the source pad. The rest is of frames. */
typedef struct
{
  GstFoveaItemKind kind;
  GstMiniObject *object; /* a GstBuffer or GstEvent, owned; or a GstQuery,
                             which its thread waits for */
  GstFoveaStream *stream; /* owned */
  GstFoveaRun *run; /* owned (nullable): the newest one there was */
  gboolean is_own; /* it is of this frame */
  gboolean is_matched; /* and the frame waits for it */
  gint64 arrival, queued; /* monotonic microseconds */
} GstFoveaItem;

typedef enum
{
  GST_FOVEA_QUERY_QUEUED,
  GST_FOVEA_QUERY_TAKEN, /* by the task: it must not be freed now */
  GST_FOVEA_QUERY_ANSWERED,
} GstFoveaQueryState;

/* What downstream said of frames that came too late, in running time. */
typedef struct
{
  gboolean is_known, is_live; /* whether upstream was asked if it is live */
  GstClockTime earliest; /* frames up to then are too late; NONE: none is */
  GstClockTime throttle; /* one result in so much time is enough; 0: no */
  GstClockTime inferred; /* of the last frame that the model was run on */
  GstClockTimeDiff jitter;
  double proportion;
} GstFoveaQos;

/* What becomes of a frame that comes in. */
typedef enum
{
  GST_FOVEA_FATE_INFER,
  GST_FOVEA_FATE_SKIP, /* the model */
  GST_FOVEA_FATE_DROP,
} GstFoveaFate;

typedef struct
{
  GstPad *sinkpad, *srcpad;

  GMutex lock; /* for all up to the next empty line */
  GCond changed;
  GstFoveaSettings settings;
  /* Settings that a model is opened with: how often they were changed, and how
   * often when model and next_model were opened with them. */
  guint n_reloads, model_reloads, next_reloads;
  gboolean device_set; /* another device: it waits for the way out of READY */
  gboolean
      is_running; /* PAUSED and above: settings are taken while frames flow */
  GstQueueArray *queue; /* GstFoveaItem */
  GstFlowReturn flow; /* what the source pad met; FLUSHING when inactive */
  gboolean eos; /* came by upstream's event or by downstream's flow */
  guint n_restarts; /* of the queue: events that begin anew after EOS */
  guint n_inside,
      n_matched; /* frames between the pads; of them, those that wait
                                for a run of their own */
  gint64 pushed; /* arrival of the frame that downstream is taking; 0: none */
  gint64 leaving; /* of that one, or of the next to be pushed; 0: none */
  GThread *runner; /* (nullable): finishes runs */
  gboolean runner_stopped; /* it is to come to its end */
  GQueue runs; /* GstFoveaRun, owned: submitted, not finished */
  guint n_under_way; /* of them, those that were not given up */
  gboolean has_failed; /* a run */
  gboolean has_told; /* the application, that runs or their device fail */
  GstFoveaRun *newest; /* (nullable): the last one that is done */
  GstFoveaQueryState query; /* of the one serialised query under way */
  gboolean answer;
  GstFoveaStats stats;
  GstClockTime announced; /* latency that was answered; NONE: not live */
  GstClockTime distributed; /* latency of the pipeline; NONE: not known */
  GstFoveaQos qos;
  FvDevice *device;
  GstFoveaModel *model;
  GstFoveaStream *stream; /* written by the sink pad's thread alone */
  gboolean is_broken; /* the device failed: open it anew */
  GThread *swapper; /* (nullable): makes next_model and next_stream */
  gboolean swap_wanted; /* settings changed since it looked at them */
  gboolean swap_stopped; /* it is to come to its end */
  gboolean reload_set; /* by the properties that are being set right now */
  GstFoveaModel *next_model; /* (nullable): to be taken with the next frame */
  GstFoveaStream *next_stream; /* (nullable) */
  guint n_changes; /* of settings that results depend on, while frames flow */

  guint position; /* sink pad: frames since the last one that was inferred */
  GstFoveaRun *last_run; /* sink pad (nullable): the newest one */
  guint64 n_runs; /* sink pad */
  GstSegment segment; /* sink pad */
  GstVideoOrientationMethod turn; /* sink pad: what puts this picture upright */
  GstVideoOrientationMethod tag_turn; /* sink pad: what the stream's tags say */

  guint n_marked; /* task: of n_changes, those that a frame was marked for */
  gint64 last_ready; /* task: when the frame before could leave */
  gboolean copies_layout; /* task: downstream takes plain strides only */
  gboolean is_past_end; /* task: downstream wants no more frames */
} GstFoveaBasePrivate;

GstFoveaBasePrivate *gst_fovea_base_private (GstFoveaBase *self);
/* (transfer full) (nullable): the device of now; from any thread */
FvDevice *gst_fovea_base_device (GstFoveaBasePrivate *priv);
/* gst_pad_query_default(), where caps pass through, but for memory that the device
 * cannot take. */
gboolean gst_fovea_base_query (GstPad *pad, GstObject *parent, GstQuery *query);

/* When something failed: decides which element error it is. */
typedef enum
{
  GST_FOVEA_STAGE_SETTINGS,
  GST_FOVEA_STAGE_DEVICE,
  GST_FOVEA_STAGE_MODEL,
  GST_FOVEA_STAGE_RUN,
} GstFoveaStage;
void gst_fovea_base_fail (GstFoveaBase *self, GstFoveaStage stage,
    const GError *error);
/* Posts what is doubtful about the card of a planned model, where applications see
 * it: results may be wrong without a further word. */
void gst_fovea_base_warn (GstFoveaBase *self, const GstFoveaModel *model);

/* Posts what the property `stats` reads, as an element message. */
void gst_fovea_base_post_stats (GstFoveaBase *self);

/* What no file has to be opened for, and the labels, so that a wrong labels file
 * is not taken for a wrong model. */
gboolean gst_fovea_base_check_settings (const GstFoveaSettings *settings,
    GError **error);

/* Makes a model and stream from the settings of now, beside those that run, if
 * they do. Where that fails, the settings go back to what runs. */
void gst_fovea_swap_begin (GstFoveaBase *self);
/* Between two frames, sink pad's thread: takes what is ready, or has it made anew
 * if frames are others by now. */
void gst_fovea_swap_take (GstFoveaBase *self);
/* Waits for the thread and gives back what nobody took. */
void gst_fovea_swap_end (GstFoveaBase *self);
/* Tells downstream and the application that @buffer is the first with results by
 * other settings. */
void gst_fovea_change_mark (GstFoveaBase *self, GstFoveaStream *stream,
    GstBuffer *buffer);

/* ---- gstfoveaflow.c ---- */

/* Sets the pads' functions. */
void gst_fovea_flow_init (GstFoveaBase *self);
/* PAUSED to READY, pads inactive: forgets the stream. */
void gst_fovea_flow_reset (GstFoveaBase *self);
/* Behind all that came before. */
void gst_fovea_flow_queue (GstFoveaBasePrivate *priv, GstFoveaItem *item);
/* The frame does not leave; it was counted in. */
void gst_fovea_flow_drop (GstFoveaBasePrivate *priv, GstFoveaItem *item);

/* ---- gstfoveaformat.c: sink pad's thread ---- */

/* FALSE, and the error was posted: frames of these caps cannot be taken. */
gboolean gst_fovea_format_set_caps (GstFoveaBase *self, GstCaps *caps);
void gst_fovea_format_read_tags (GstFoveaBase *self, GstEvent *event);
/* Before each frame: takes a stream for pictures turned as @buffer's is. */
gboolean gst_fovea_format_keep_upright (GstFoveaBase *self, GstBuffer *buffer);

/* ---- gstfoveaentry.c ---- */

GstFlowReturn
gst_fovea_entry_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer);

/* ---- gstfovearuns.c ---- */

/* READY to PAUSED; and back, pads inactive. */
gboolean gst_fovea_runs_start (GstFoveaBase *self, GError **error);
void gst_fovea_runs_stop (GstFoveaBase *self);
/* Sink pad's thread. (transfer full) (nullable) */
GstFoveaRun *gst_fovea_runs_submit (GstFoveaBase *self, GstFoveaStream *stream,
    GstBuffer *buffer, const GstFoveaSettings *settings, guint n_changes,
    GError **error);
/* Gives up all that are under way, and forgets the newest. */
void gst_fovea_runs_cancel (GstFoveaBasePrivate *priv);
void gst_fovea_run_unref (GstFoveaRun *run); /* %NULL is fine */
GstFoveaRun *gst_fovea_run_ref (GstFoveaRun *run);

/* ---- gstfovealive.c ---- */

/* The lock is held: what becomes of a frame of that running time which the model is
 * due on (@is_due) or not. Counts nothing. */
GstFoveaFate gst_fovea_live_decide (GstFoveaBasePrivate *priv, gboolean is_due,
    GstClockTime running_time);
/* The lock is held: whether a frame of @fate has to wait before it comes in. */
gboolean
gst_fovea_live_must_wait (GstFoveaBasePrivate *priv, GstFoveaFate fate);
/* The lock is held: one more frame came in, before its run, if it has one. */
void gst_fovea_live_press (GstFoveaBasePrivate *priv);
/* Sink pad's thread: asks upstream once per segment. */
void gst_fovea_live_ask (GstFoveaBasePrivate *priv);
/* Segment and flush. */
void gst_fovea_live_forget (GstFoveaBasePrivate *priv);
/* Downstream's event, of either kind. */
void gst_fovea_live_take_qos (GstFoveaBasePrivate *priv, GstEvent *event);
/* The pipeline's latency, on its way upstream. */
void gst_fovea_live_take_latency (GstFoveaBasePrivate *priv, GstEvent *event);
/* The message that the model was not run on @buffer where it was due. */
void gst_fovea_live_post_qos (GstFoveaBase *self, GstBuffer *buffer);
gboolean
gst_fovea_live_answer_latency (GstFoveaBasePrivate *priv, GstQuery *query);
/* The lock is held: a frame was ready so long after it came. TRUE when the latency
 * is to be announced anew, by gst_fovea_live_announce(). */
gboolean gst_fovea_live_note (GstFoveaBasePrivate *priv, gint64 microseconds);
/* What was measured counts no more. The lock is held. */
void gst_fovea_live_restart (GstFoveaBasePrivate *priv);
void gst_fovea_live_announce (GstFoveaBase *self);

G_END_DECLS
