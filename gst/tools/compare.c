/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/tools/compare.h"

#include <math.h>

static void
compare_integers (const FvArray *got, const FvArray *expected,
    Comparison *result)
{
  gint64 n_unequal = 0, first = -1;
  for (gint64 i = 0; i < expected->count; i++) {
    if (fv_array_get_int (got, i) == fv_array_get_int (expected, i))
      continue;
    if (n_unequal++ == 0)
      first = i;
  }
  result->measure = "unequal";
  result->error = n_unequal;
  result->tolerance = 0;
  result->passed = n_unequal == 0;
  if (!result->passed)
    g_snprintf (result->problem, sizeof result->problem,
        "%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
        " integers differ, the first at %" G_GINT64_FORMAT ": %" G_GINT64_FORMAT
        " instead of %" G_GINT64_FORMAT,
        n_unequal, expected->count, first, fv_array_get_int (got, first),
        fv_array_get_int (expected, first));
}

/* Both NaN, or the same infinity. */
static gboolean
same_special (double a, double b)
{
  return (isnan (a) && isnan (b)) || a == b;
}

static void
compare_floats (const FvArray *got, const FvArray *expected, double tolerance,
    Comparison *result)
{
  double difference = 0, norm = 0, largest = 0;
  for (gint64 i = 0; i < expected->count; i++) {
    double y = fv_array_get_float (got, i);
    double r = fv_array_get_float (expected, i);
    if (isfinite (y) && isfinite (r)) {
      difference += (y - r) * (y - r);
      norm += r * r;
      largest = fmax (largest, fabs (y));
    } else if (!same_special (y, r)) {
      result->measure = "special";
      result->error = INFINITY;
      g_snprintf (result->problem, sizeof result->problem,
          "element %" G_GINT64_FORMAT " is %g instead of %g", i, y, r);
      return;
    }
  }
  gboolean is_zero = norm == 0;
  result->measure = is_zero ? "largest" : "relative L2";
  result->error = is_zero ? largest : sqrt (difference / norm);
  result->tolerance = is_zero ? TOLERANCE_ZERO : tolerance;
  result->passed = result->error <= result->tolerance;
  if (!result->passed)
    g_snprintf (result->problem, sizeof result->problem, "%s %.3g is over %.3g",
        result->measure, result->error, result->tolerance);
}

void
compare_quantized (const FvArray *got, const FvArray *expected,
    Comparison *result)
{
  gboolean is_same = got->type == expected->type
      && fv_shape_equal (&got->shape, &expected->shape);
  gint64 most = 0, at = 0;
  for (gint64 i = 0; is_same && i < expected->count; i++) {
    gint64 off =
        ABS (fv_array_get_int (got, i) - fv_array_get_int (expected, i));
    at = off > most ? i : at;
    most = MAX (most, off);
  }
  *result = (Comparison){ .measure = "steps",
    .how = "",
    .error = is_same ? most : INFINITY,
    .tolerance = 1,
    .passed = is_same && most <= 1 };
  if (!is_same)
    g_snprintf (result->problem, sizeof result->problem,
        "another shape or type");
  else if (!result->passed)
    g_snprintf (result->problem, sizeof result->problem,
        "%" G_GINT64_FORMAT " steps off at element %" G_GINT64_FORMAT, most,
        at);
}

void
compare_arrays (const FvArray *got, const FvArray *expected, double tolerance,
    Comparison *result)
{
  *result =
      (Comparison){ .measure = "shape", .how = "", .tolerance = tolerance };
  if (!fv_shape_equal (&got->shape, &expected->shape)) {
    g_autofree char *a = fv_shape_to_string (&got->shape);
    g_autofree char *b = fv_shape_to_string (&expected->shape);
    result->error = INFINITY;
    g_snprintf (result->problem, sizeof result->problem,
        "shape %s instead of %s", a, b);
  } else if (fv_type_is_float (got->type)
      != fv_type_is_float (expected->type)) {
    result->measure = "type";
    result->error = INFINITY;
    g_snprintf (result->problem, sizeof result->problem,
        "type %s instead of %s", fv_type_name (got->type),
        fv_type_name (expected->type));
  } else if (expected->count == 0) {
    result->passed = TRUE;
  } else if (fv_type_is_float (expected->type)) {
    compare_floats (got, expected, tolerance, result);
  } else {
    compare_integers (got, expected, result);
  }
}
