/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/onnx/array.h"

G_BEGIN_DECLS

#define TOLERANCE_F32 1e-3
#define TOLERANCE_F16 1e-2
#define TOLERANCE_ZERO 1e-5

/* One output against what it should be. A plain value. */
typedef struct
{
  gboolean passed;
  const char *measure; /* "relative L2", "largest", "unequal", "shape", ... */
  const char *how; /* "" directly; see decisions.h */
  double error;
  double tolerance;
  char problem[240]; /* "" when it passed */
} Comparison;

/* Floats: ||got - expected|| / ||expected|| <= @tolerance, with NaN and
 * infinities exactly where @expected has them; for an all-zero @expected,
 * max |got| <= 1e-5. Integers and bools: equal. Empty: equal shapes. */
void compare_arrays (const FvArray *got, const FvArray *expected,
    double tolerance, Comparison *result);

/* What QuantizeLinear gave: no element is more than one step off. */
void compare_quantized (const FvArray *got, const FvArray *expected,
    Comparison *result);

G_END_DECLS
