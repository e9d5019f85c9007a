/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the rows of Resize (resize.c) and its lowering (resizelower.c) share.
 * Private to the operators. */
#pragma once

#include "gst/engine/plan.h"

G_BEGIN_DECLS

/**
 * FvResizeAxis:
 *
 * How one axis is resampled: output element o is the sum over
 * t < taps of weight[o * taps + t] * input element index[o * taps + t]. Indices
 * lie inside of the axis.
 */
typedef struct
{
  guint axis;
  gint64 in, out;
  guint taps;
  gint32 *index;
  double *weight;
} FvResizeAxis;

/* One per axis that is not copied as it is. */
typedef struct
{
  guint n;
  FvResizeAxis axes[FV_MAX_RANK];
} FvResize;

gboolean fv_resize_new (const FvNode *node, FvResize *resize, GError **error);
void fv_resize_clear (FvResize *resize);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FvResize, fv_resize_clear)

gboolean fv_resize_lower (FvPlan *plan, FvNode *node, GError **error);

G_END_DECLS
