/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tensors whose elements are picked from another by a position per axis. */
#pragma once

#include "gst/engine/plan.h"

G_BEGIN_DECLS

/* Fills @target, which has as many axes as @source: element (i, j, ...) is
 * source[positions[0][i], positions[1][j], ...]. @positions: one array per axis, of
 * the target's size along it; NULL: the same position; -1 inside: not from the
 * source, but @value. */
gboolean fv_remap_lower (FvPlan *plan, FvNode *node, const FvTensor *source,
    const FvTensor *target, const gint64 *const positions[FV_MAX_RANK],
    float value, GError **error);

/* The axis innermost in @tensor, or its last. */
int fv_tensor_inner (const FvTensor *tensor);

G_END_DECLS
