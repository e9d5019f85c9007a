/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a graph is made of, for graph.c and graph-run.c. */
#pragma once

#include "gst/engine/graph.h"
#include "gst/engine/plan-private.h"
#include "gst/engine/tail.h"

G_BEGIN_DECLS


/* A slot's own memory and its recording of the plan. */
typedef struct
{
  FvBuffer *input, *output; /* (nullable) where there are none */
  FvProgram *program;
  FvPort *inputs, *outputs;
} FvSlot;

struct _FvGraph
{
  gatomicrefcount ref;
  FvDevice *device; /* (nullable): NULL runs the references */
  FvIr *ir;
  FvPlan *plan;
  FvType precision;
  gboolean poison;
  guint n_slots;
  FvSlot *slots;
  FvBuffer *arena, *weights;
  FvBuffer *upload, *download; /* the host path's, where memory is not mapped */
  FvProgram *upload_program, *download_program;
  FvPort *tail_ports; /* (nullable) outputs that the host makes */
  char *tail_reason; /* (nullable) */
  FvGraphStats stats;
  FvSeconds lap; /* when the last part of loading ended */
};

G_END_DECLS
