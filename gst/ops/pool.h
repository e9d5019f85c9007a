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
  FV_POOL_LP,
  FV_POOL_GLOBAL_MAX,
  FV_POOL_GLOBAL_AVERAGE,
  FV_POOL_GLOBAL_LP,
};

/* One pool; the spatial axes are the last of three: an image has in[0] = 1. */
typedef struct
{
  guint n_axes; /* spatial axes of the model, at most 3 */
  gint64 outer; /* batch times channels */
  gint64 in[3], out[3], kernel[3], stride[3], dilation[3], begin[3], end[3];
  guint kind; /* FV_POOLS_* */
  gint64 p; /* of FV_POOLS_LP */
} FvPool;

/* The @n numbers of list @name, at least @low, where it is there. */
gboolean fv_pool_list (const FvNode *node, const char *name, guint n,
    gint64 low, gint64 *values, GError **error);

gboolean fv_pool_geometry (const FvNode *node, FvPool *pool, GError **error);
/* The pool covers the whole map with one window. */
gboolean fv_pool_is_global (const FvPool *pool);
/* What a step along each axis adds to an index into the map; @columns: the first
 * axis is innermost. */
void fv_pool_place (const FvPool *pool, gboolean columns, gint64 place[3]);
/* Of a MaxPool's output Indices. */
gboolean fv_pool_by_columns (const FvNode *node);
/* The pool that a MaxUnpool undoes: in is the map in which indices count, out is
 * the size of input 0; @size: of output 0. */
gboolean fv_unpool_geometry (const FvNode *node, FvPool *pool, gint64 size[3],
    GError **error);

gboolean fv_pool_lower (FvPlan *plan, FvNode *node, GError **error);
gboolean fv_unpool_lower (FvPlan *plan, FvNode *node, GError **error);

G_END_DECLS
