/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/engine/plan.h"

G_BEGIN_DECLS

/* For rows that rewrite-quantize.c makes others of before there is a plan: an
 * error that says so for a graph that did not go through the passes. */
gboolean fv_quantize_lower (FvPlan *plan, FvNode *node, GError **error);

G_END_DECLS
