/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loops around a kernel's rows: axes that several tensors walk together,
 * merged where all of them allow it. */
#pragma once

#include "gst/engine/plan.h"

G_BEGIN_DECLS

#define FV_LOOP_TENSORS 5
#define FV_LOOP_AXES (2 * FV_MAX_RANK)

/**
 * FvLoops:
 *
 * Axes with the strides that each tensor has along them, in elements.
 * After fv_loops_merge() they stand innermost first, in the order of the first
 * tensor, which is the one written.
 */
typedef struct
{
  guint n, n_tensors;
  gint64 size[FV_LOOP_AXES];
  gint64 stride[FV_LOOP_TENSORS][FV_LOOP_AXES];
} FvLoops;

/* Axes of one element are left out. */
void fv_loops_add (FvLoops *loops, gint64 size, const gint64 *strides);
/* Sorts by the first tensor's strides and merges neighbours. */
void fv_loops_merge (FvLoops *loops);
/* Brings the largest axes to the front where there are more than @most; after
 * fv_loops_take_inner(). */
void fv_loops_keep_largest (FvLoops *loops, guint most);
/* The strides of @tensor along the axes of @shape, to which it broadcasts. */
void fv_loops_strides (const FvTensor *tensor, const FvShape *shape,
    gint64 strides[FV_MAX_RANK]);
/* Takes the first axis out when its stride in the first tensor is 1: the rows.
 * Otherwise rows have one element. @strides: one per tensor */
gint64 fv_loops_take_inner (FvLoops *loops, gint64 *strides);

/* Grid and local size for @units invocations, see fv_unit() in walk.glsl. */
void fv_dispatch_units (FvPlan *plan, FvDispatch *dispatch, gint64 units);
/* The smallest of few counts of axes that is at least @n, so that few
 * pipelines serve all shapes. */
guint fv_axes_bucket (guint n, guint most);

G_END_DECLS
