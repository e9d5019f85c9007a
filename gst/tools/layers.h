/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/tools/compare.h"
#include "gst/tools/dataset.h"
#include "gst/tools/tool.h"

G_BEGIN_DECLS

/* The first node, in order, whose result leaves the tolerance. Names are the
 * model's. */
typedef struct
{
  const char *node; /* NULL: none does */
  const char *op_type;
  const char *value;
  gboolean only_fused; /* seen only where nodes are fused */
  Comparison comparison;
} BadLayer;

/* Compares every node's result on the device with the C references. */
gboolean find_bad_layer (Tool *tool, FvModel *model, const FvShape *shapes,
    const DataSet *set, BadLayer *bad, GError **error);

G_END_DECLS
