/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the rows of the pools (pool.c) and their lowering (poollower.c) share.
 * Private to the operators. */
#pragma once

#include "gst/engine/plan.h"

G_BEGIN_DECLS

enum
{
  FV_POOL_MAX,
  FV_POOL_AVERAGE,
  FV_POOL_GLOBAL_MAX,
  FV_POOL_GLOBAL_AVERAGE,
};

/* One pool; the spatial axes are the last of three: an image has in[0] = 1. */
typedef struct
{
  guint n_axes; /* spatial axes of the model, at most 3 */
  gint64 outer; /* batch times channels */
  gint64 in[3], out[3], kernel[3], stride[3], dilation[3], begin[3], end[3];
  gboolean average, include_pad;
} FvPool;

gboolean fv_pool_geometry (const FvNode *node, FvPool *pool, GError **error);
/* The pool covers the whole map with one window. */
gboolean fv_pool_is_global (const FvPool *pool);

gboolean fv_pool_lower (FvPlan *plan, FvNode *node, GError **error);

G_END_DECLS
