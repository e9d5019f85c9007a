/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What elementwise operators share on the device. */
#pragma once

#include "gst/engine/plan.h"

G_BEGIN_DECLS

/* Runs @steps and then node->steps over input @main of @node, which the result's
 * shape need not equal, into output 0. Inputs of @steps are indices among the
 * node's inputs. */
gboolean fv_elementwise_lower (FvPlan *plan, FvNode *node, guint main,
    const FvStep *steps, guint n_steps, GError **error);
/* Output 0 is input 1 where input 0 is not zero, elsewhere input 2. */
gboolean fv_select_lower (FvPlan *plan, FvNode *node, GError **error);

G_END_DECLS
