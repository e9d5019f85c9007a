/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/engine/plan.h"

typedef enum
{
  FV_STORAGE_ARENA, /* activations, sharing memory by lifetime */
  FV_STORAGE_WEIGHT, /* uploaded once */
  FV_STORAGE_INPUT, /* one region per slot */
  FV_STORAGE_OUTPUT, /* one region per slot */
} FvStorageKind;

struct _FvStorage
{
  FvStorageKind kind;
  gsize size; /* bytes */
  gsize offset; /* bytes in the region of its kind */
  gint first, last; /* dispatches that use it; -1: none */
  gpointer data; /* WEIGHT: owned, until uploaded */
  guint index; /* in the plan's storages, for order.c */
};

/* Where a value lies, and copies of it in other layouts. */
typedef struct _FvPlaced
{
  guint n_lowered; /* uses whose nodes were lowered */
  gboolean is_ready; /* written (or being written) by its producer */
  gboolean has_tensor;
  FvTensor tensor;
  gboolean has_copy[FV_MAX_RANK + 1]; /* by inner axis; [FV_MAX_RANK]: any */
  FvTensor copies[FV_MAX_RANK + 1];
} FvPlaced;

struct _FvPlan
{
  FvTier tier;
  FvDeviceInfo limits;
  FvIr *ir;
  FvPlanOptions options;
  GArray *dispatches; /* FvDispatch; bindings' buffers are FvStorage * still */
  guint *
      positions; /* (nullable) by planned index, where they were ordered anew */
  GPtrArray *storages;
  gsize region[4]; /* bytes per FvStorageKind */
  gsize arena_bound;
  GArray *choices; /* FvChoice */
  GArray *open_choices; /* guint: those that are not closed yet */
};

/* The bytes from one storage to the next: whole, and with room for any view. */
gsize fv_storage_align (gsize size);
/* choose.c: tells what @dispatch was chosen for, within an open choice */
void fv_plan_name_tile (FvPlan *plan, FvDispatch *dispatch);
/* What is bound of a storage, which fv_storage_align() has made long enough. */
gsize
fv_storage_bound (FvDevice *device, FvBindKind kind, const FvStorage *storage);
/* order.c: sets plan->positions and the storages' lives */
void fv_plan_order (FvPlan *plan);
/* memory.c: offsets of all storages */
void fv_plan_place (FvPlan *plan);
/* The most bytes of activations that live at once. */
gsize fv_plan_live_bound (FvPlan *plan);
