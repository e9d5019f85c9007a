/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host tail: nodes that the device cannot run, because a shape depends on data
 * or there is no kernel, and all behind them, run through the references once the
 * device is done. */
#pragma once

#include "gst/engine/ir.h"

G_BEGIN_DECLS

/* A node of the tail. */
typedef struct
{
  guint index; /* into the model's nodes */
  char *reason; /* (nullable) owned: why the tail begins here */
  guint root; /* index into the tail of the node that brought it there */
} FvTailNode;

/* Where a tensor that the tail reads comes from: @constant, one of the model's
 * inputs, or one of the graph's outputs. */
typedef struct
{
  const char *name; /* the model's */
  FvArray *constant; /* (nullable) owned */
  gint input; /* or -1: the values as given, exact whatever they are */
  guint output;
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
  GArray *nodes; /* FvTailNode */
  GHashTable *names; /* of what the tail makes (the model's strings) -> index of
                        the root among the nodes */
  GArray *inputs; /* FvTailInput */
  GArray *outputs; /* gint, one per output of the model: index of the graph's
                      outputs, or -1 where the tail makes it */
} FvTail;

FvTail *fv_tail_new (FvModel *model);
void fv_tail_free (FvTail *tail); /* %NULL is fine */
/* The node of the model behind node @i. */
const FvModelNode *fv_tail_node (const FvTail *tail, guint i);
/* Why it stands in the tail, in words. (transfer full) */
char *fv_tail_reason (const FvTail *tail, guint i);
/* Adds node @i of the model where it reads what the tail makes or, given @reason,
 * begins it. FALSE with an error that names it where it is too heavy for the
 * host; *@added tells whether it is there. */
gboolean fv_tail_add (FvTail *tail, guint i, const char *reason,
    gboolean *added, GError **error);

/* Calls @visit for all names that a node reads, or the whole tail, those in
 * branches included. */
typedef void (*FvTailVisit) (const char *name, gpointer data);
void
fv_tail_visit_node (const FvModelNode *node, FvTailVisit visit, gpointer data);
void fv_tail_visit (FvTail *tail, FvTailVisit visit, gpointer data);

/* build.c: runs it. @inputs: the model's; @arrays: the graph's outputs;
 * @outputs: the model's. */
gboolean fv_tail_run (FvTail *tail, FvArray *const *inputs,
    FvArray *const *arrays, FvArray **outputs, GError **error);

G_END_DECLS
