/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the rows of the normalizations (norm.c) and their lowering
 * (normlower.c) share. Private to the operators. */
#pragma once

#include "gst/engine/plan.h"

G_BEGIN_DECLS

enum
{
  FV_NORM_BATCH_7,
  FV_NORM_BATCH_9,
  FV_NORM_BATCH_14,
  FV_NORM_INSTANCE,
  FV_NORM_GROUP_18, /* scale and bias by group */
  FV_NORM_GROUP_21, /* by channel */
  FV_NORM_LAYER,
  FV_NORM_RMS,
  FV_NORM_LP,
  FV_NORM_MEAN_VARIANCE,
};

/* Groups of channels of an Instance- or GroupNormalization. */
gint64 fv_norm_groups (const FvNode *node);
/* Elements normalized together, from @axis on. */
gint64 fv_norm_span (const FvNode *node, guint *axis);

gboolean fv_norm_lower_batch (FvPlan *plan, FvNode *node, GError **error);
gboolean fv_norm_lower_group (FvPlan *plan, FvNode *node, GError **error);
gboolean fv_norm_lower_layer (FvPlan *plan, FvNode *node, GError **error);
/* Rows of whole vec4 that a table (f32) gathers; see rowgather.c. */
gboolean fv_norm_lower_gathered (FvPlan *plan, FvNode *node,
    const FvTensor *table, GError **error);
gboolean fv_norm_lower_lp (FvPlan *plan, FvNode *node, GError **error);

G_END_DECLS
