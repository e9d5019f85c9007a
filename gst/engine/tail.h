/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host tail: nodes whose shapes depend on data, and all behind them, run
 * through the references once the device is done. */
#pragma once

#include "gst/engine/ir.h"

G_BEGIN_DECLS

/* A tensor that the tail reads. */
typedef struct
{
  const char *name; /* the model's */
  FvArray *constant; /* (nullable) owned */
  guint output; /* without a constant: of the graph's outputs */
} FvTailInput;

/**
 * FvTail:
 *
 * Nodes of the model in order, and where their inputs come from.
 *
 * Life:    made by fv_ir_build(), freed with the IR. Keeps the model.
 * Threads: fv_tail_run() changes nothing in it.
 */
typedef struct _FvTail
{
  FvModel *model;
  GArray *nodes; /* guint: indices into the model's nodes */
  GHashTable *names; /* of what the tail makes: borrowed from the model */
  GArray *inputs; /* FvTailInput */
  GArray *outputs; /* gint, one per output of the model: index of the graph's
                      outputs, or -1 where the tail makes it */
} FvTail;

FvTail *fv_tail_new (FvModel *model);
void fv_tail_free (FvTail *tail); /* %NULL is fine */
/* Whether @node has to run in the tail. @is_known: tells whether the value of a
 * name is known at load. */
typedef gboolean (*FvTailKnown) (const char *name, gpointer data);
gboolean fv_tail_wants (FvTail *tail, const FvModelNode *node,
    FvTailKnown is_known, gpointer data);
/* Adds node @i of the model; fails by name where it is too heavy for the host. */
gboolean fv_tail_add (FvTail *tail, guint i, GError **error);
/* Calls @visit for all names that the tail reads, those in branches included. */
typedef void (*FvTailVisit) (const char *name, gpointer data);
void fv_tail_visit (FvTail *tail, FvTailVisit visit, gpointer data);

/* build.c: runs it. @arrays: the graph's outputs; @outputs: the model's. */
gboolean fv_tail_run (FvTail *tail, FvArray *const *arrays, FvArray **outputs,
    GError **error);

G_END_DECLS
