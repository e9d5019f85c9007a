/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What gstfoveabase.c (class, states, errors) and gstfoveaflow.c (frames, events,
 * queries) share. */
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

/* What travels from the sink pad to the source pad. */
typedef struct
{
  GstFoveaItemKind kind;
  GstMiniObject *object; /* a GstBuffer or GstEvent, owned; or a GstQuery,
                             which its thread waits for */
  GstFoveaStream *stream; /* of a frame: owned */
  GstFoveaTicket ticket; /* of a frame; no decoder: the model is skipped */
  gint64 arrival; /* of a frame: monotonic microseconds */
  gboolean is_first; /* of a frame: the first one with other settings */
} GstFoveaItem;

typedef enum
{
  GST_FOVEA_QUERY_QUEUED,
  GST_FOVEA_QUERY_TAKEN, /* by the task: it must not be freed now */
  GST_FOVEA_QUERY_ANSWERED,
} GstFoveaQueryState;

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
  guint in_flight, max_in_flight; /* frames between chain and push */
  GstFoveaQueryState query; /* of the one serialised query under way */
  gboolean answer;
  GstFoveaStats stats;
  GstClockTime announced; /* latency that was answered; NONE: not live */
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

  guint
      n_marked; /* sink pad: of n_changes, those that a frame was marked for */
  guint position; /* sink pad: frames since the last one that was inferred */
  GstVideoOrientationMethod turn; /* sink pad: what puts this picture upright */
  GstVideoOrientationMethod tag_turn; /* sink pad: what the stream's tags say */

  GstFoveaStream *newest_stream; /* task: what the newest answer belongs to */
  GstFoveaAnswer newest;
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

/* Sets the pads' functions. */
void gst_fovea_flow_init (GstFoveaBase *self);
/* PAUSED to READY, pads inactive: forgets the stream. */
void gst_fovea_flow_reset (GstFoveaBase *self);

G_END_DECLS
