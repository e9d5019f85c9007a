/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel of ScatterElements and ScatterND. */
#pragma once

#include "gst/engine/plan.h"

G_BEGIN_DECLS

/* Input 2 of @node into a copy of input 0 by the indices in its input 1, as its
 * operator says. @reduction: FV_SCATTER_NONE and so on */
gboolean fv_scatter_elements_lower (FvPlan *plan, FvNode *node, guint axis,
    guint reduction, GError **error);
gboolean fv_scatter_nd_lower (FvPlan *plan, FvNode *node, guint reduction,
    GError **error);

G_END_DECLS
