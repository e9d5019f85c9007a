/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernels of ArgMax, ArgMin and TopK. */
#pragma once

#include "gst/engine/plan.h"

G_BEGIN_DECLS

/* @last: of equals the last one */
gboolean fv_arg_lower (FvPlan *plan, FvNode *node, guint axis,
    gboolean smallest, gboolean last, GError **error);
gboolean fv_topk_lower (FvPlan *plan, FvNode *node, guint axis,
    gboolean smallest, GError **error);

G_END_DECLS
