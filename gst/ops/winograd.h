/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Winograd's minimal convolutions: 3 x 3, stride 1, with fewer products.
 * Private to the operators. */
#pragma once

#include "gst/ops/conv.h"

G_BEGIN_DECLS

/* Whether it is a convolution that this is for. */
gboolean fv_winograd_suits (const FvConvMaps *maps);
/* Opens a choice, which fv_plan_chosen() ends: outputs of a tile along an axis, 4
 * or 2, or 0 for the convolution itself. */
guint fv_winograd_choose (FvPlan *plan, const FvConvMaps *maps);
gboolean fv_winograd_lower (FvPlan *plan, FvNode *node, const FvConvMaps *maps,
    guint tile, GError **error);

G_END_DECLS
