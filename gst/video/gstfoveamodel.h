/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A model as an inference element has it: file, card, and the graph on the
 * device. Private to the base class. */
#pragma once

#include "gst/card/card.h"
#include "gst/engine/graph.h"
#include "gst/video/gstfoveasettings.h"

G_BEGIN_DECLS

/**
 * GstFoveaModel:
 *
 * What does not depend on the caps.
 *
 * Life:    gst_fovea_model_open() reads files, gst_fovea_model_plan() builds and
 *          warms the graph; then ref and unref; immutable once planned.
 * Memory:  owns all it points to; the graph's memory is the device's.
 * Threads: open and plan by one; the rest any.
 * Errors:  FV_ERROR, as the card and the graph have them.
 */
typedef struct
{
  gatomicrefcount ref;
  FvDevice *device;
  FvModel *model;
  FvCard *card;
  FvGraph *graph; /* (nullable): NULL until planned */
  FvHeadKind kind;
  GstFoveaSettings settings;
  gboolean follows_caps; /* the input's size is free: plan per frame size */
  guint64 run_time; /* nanoseconds of one warm run of the graph; 0: none */
  char *name; /* of the file or folder, without suffix */
} GstFoveaModel;

/* @kind: the heads that are wanted; FV_HEAD_NONE: all that the card has */
GstFoveaModel *gst_fovea_model_open (FvDevice *device,
    const GstFoveaSettings *settings, FvHeadKind kind, GError **error);
/* The graph for frames of that size (which matters only if follows_caps).
 * Returns: (transfer full): @model itself, planned, or another one. */
GstFoveaModel *gst_fovea_model_plan (GstFoveaModel *model, guint width,
    guint height, GError **error);
GstFoveaModel *gst_fovea_model_ref (GstFoveaModel *model);
void gst_fovea_model_unref (GstFoveaModel *model); /* %NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstFoveaModel, gst_fovea_model_unref)

/* (nullable) head @i of those wanted */
const FvCardHead *gst_fovea_model_head (const GstFoveaModel *model, guint i);
/* Bytes that the graph took on the device. */
gsize gst_fovea_model_memory (const GstFoveaModel *model);

G_END_DECLS
