/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/tools/compare.h"
#include "gst/tools/dataset.h"
#include "gst/tools/tool.h"

G_BEGIN_DECLS

/* Of a net with QuantizeLinear: one rounding that turns moves all behind it. */
#define TOLERANCE_QUANTIZED 0.15

/* TRUE for folders called *_int8. */
gboolean is_quantized_folder (const char *folder);

/* Compares every QuantizeLinear on the device, as it is fused there, with the C
 * references of all that lies between it and the QuantizeLinear before it, on
 * the integers that the device had there: @result's error is the most steps that
 * one is off, at most one being right, and @node the model's name of the worst
 * (NULL: the model has none). */
gboolean compare_steps (Tool *tool, const FvModel *model, const FvShape *shapes,
    const DataSet *set, const char **node, Comparison *result, GError **error);

G_END_DECLS
