/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Winograd's minimal convolutions: 3 x 3, stride 1, with fewer products.
 * Private to the operators. */
#pragma once

#include "gst/ops/conv.h"

G_BEGIN_DECLS

/* Outputs of a tile along an axis that take the least time, 4 or 2, or 0 where the
 * convolution itself takes less, or is none that this is for. */
guint fv_winograd_tile (FvPlan *plan, const FvConvMaps *maps);
gboolean fv_winograd_lower (FvPlan *plan, FvNode *node, const FvConvMaps *maps,
    guint tile, GError **error);

G_END_DECLS
