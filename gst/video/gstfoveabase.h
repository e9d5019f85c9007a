/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The base class of the elements that run a model on video frames. */
#pragma once

#include <gst/gst.h>
#include "gst/card/card.h"

G_BEGIN_DECLS

#define GST_TYPE_FOVEA_BASE (gst_fovea_base_get_type ())
FV_API
G_DECLARE_DERIVABLE_TYPE (GstFoveaBase, gst_fovea_base, GST, FOVEA_BASE,
    GstElement)

/**
 * GstFoveaBase:
 *
 * Frames in, the same frames with results out.
 *
 * The sink pad's chain copies a frame into upload memory, submits the work and
 * queues the frame; a thread waits for the device and reads the results; a task on
 * the source pad attaches them as metas and pushes. Serialised events and queries
 * go through the same queue, so nothing overtakes a frame.
 *
 * Life:    a subclass calls gst_fovea_base_class_set_head() in class_init, and
 *          needs nothing else: pads, properties and states are the base's.
 * Memory:  taken when going to READY (files) and PAUSED (device), or with the
 *          caps; given back when going to NULL.
 * Threads: as GstElement.
 * Errors:  element errors: RESOURCE/NOT_FOUND and READ for files,
 *          STREAM/WRONG_TYPE for what is no model, STREAM/NOT_IMPLEMENTED for
 *          a model that the engine lacks parts for, RESOURCE/SETTINGS for
 *          properties, LIBRARY/INIT without a device, RESOURCE/FAILED when it
 *          fails later.
 */
struct _GstFoveaBaseClass
{
  GstElementClass parent_class;
  FvHeadKind head;
};

/* To be called in class_init: @head is the kind that is decoded (FV_HEAD_NONE: all
 * that the model's card has), and its properties are installed: of `threshold`,
 * `iou-threshold` and `max-detections` those that mean something for it. */
FV_API void
gst_fovea_base_class_set_head (GstFoveaBaseClass *klass, FvHeadKind head);

G_END_DECLS
