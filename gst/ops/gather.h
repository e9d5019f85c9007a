/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elements chosen by indices that are known at run time. */
#pragma once

#include "gst/engine/plan.h"

G_BEGIN_DECLS

/* Input 0 of @node by the indices in its input 1, as its operator says. */
gboolean
fv_gather_lower (FvPlan *plan, FvNode *node, guint axis, GError **error);
gboolean fv_gather_elements_lower (FvPlan *plan, FvNode *node, guint axis,
    GError **error);
gboolean
fv_gather_nd_lower (FvPlan *plan, FvNode *node, guint batch, GError **error);

G_END_DECLS
