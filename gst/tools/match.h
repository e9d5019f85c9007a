/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/onnx/array.h"

G_BEGIN_DECLS

/* Outputs behind a ranking have a row for each of its elements, and rows that rank
 * almost the same may stand either way round. Puts the rows of @got, n arrays of
 * one model's outputs, in the order of @expected's where that is so: into new
 * arrays, for compare_arrays() to judge as any other. Rows lie on the last axis
 * that all outputs have in common. Where an output gives each row one float, in falling
 * order, rows change places only if those are within @tolerance of the largest.
 *
 * Returns FALSE, and no arrays, where the outputs have no rows in common or the
 * shapes differ. */
gboolean match_rows (FvArray *const *got, FvArray *const *expected, guint n,
    double tolerance, FvArray **matched);

G_END_DECLS
