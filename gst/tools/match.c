/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/tools/match.h"

#include <math.h>
#include <string.h>

typedef struct
{
  FvArray *const *got;
  FvArray *const *expected;
  guint n;
  guint axis; /* of the rows, behind those of batches */
  gint64 n_batches, n_rows;
  double tolerance;
  const FvArray *scores; /* (nullable) of @expected: one per row, falling */
  double largest; /* of the scores */
  double *scale; /* of each output: what a row's elements are like */
} Match;

static gint64
row_size (const FvArray *array, guint axis)
{
  gint64 size = 1;
  for (guint d = axis + 1; d < array->shape.rank; d++)
    size *= array->shape.dims[d];
  return size;
}

/* Axes that all outputs have in common. */
static guint
common_axes (const Match *match)
{
  guint common = match->expected[0]->shape.rank;
  for (guint i = 1; i < match->n; i++) {
    const FvShape *shape = &match->expected[i]->shape;
    common = MIN (common, shape->rank);
    for (guint d = common; d > 0; d--)
      if (shape->dims[d - 1] != match->expected[0]->shape.dims[d - 1])
        common = d - 1;
  }
  return common;
}

/* Where all shapes are the same, the last axis tells apart what a row holds; but
 * several lists hold one value of each row. */
static gboolean
find_rows (Match *match)
{
  gboolean same = TRUE;
  for (guint i = 0; i < match->n; i++) {
    const FvShape *shape = &match->expected[i]->shape;
    if (!fv_shape_equal (&match->got[i]->shape, shape)
        || match->got[i]->type != match->expected[i]->type)
      return FALSE;
    same = same && fv_shape_equal (shape, &match->expected[0]->shape);
  }
  guint common = match->n > 0 ? common_axes (match) : 0;
  if (common == 0)
    return FALSE;
  gboolean lists = match->n > 1 && common <= 2;
  match->axis = common - 1 - (same && common > 1 && !lists);
  match->n_batches = 1;
  for (guint d = 0; d < match->axis; d++)
    match->n_batches *= match->expected[0]->shape.dims[d];
  match->n_rows = match->expected[0]->shape.dims[match->axis];
  return match->n_rows > 0;
}

static gboolean
is_falling (const Match *match, const FvArray *array)
{
  for (gint64 i = 0; i < array->count; i++)
    if (i % match->n_rows > 0
        && !(
            fv_array_get_float (array, i) <= fv_array_get_float (array, i - 1)))
      return FALSE;
  return TRUE;
}

static void
find_scores (Match *match)
{
  for (guint i = 0; i < match->n && match->scores == NULL; i++) {
    const FvArray *array = match->expected[i];
    if (fv_type_is_float (array->type) && row_size (array, match->axis) == 1
        && is_falling (match, array))
      match->scores = array;
  }
  for (gint64 i = 0; match->scores != NULL && i < match->scores->count; i++)
    match->largest =
        fmax (match->largest, fabs (fv_array_get_float (match->scores, i)));
}

static void
find_scales (Match *match)
{
  for (guint i = 0; i < match->n; i++) {
    const FvArray *array = match->expected[i];
    double sum = 0;
    for (gint64 k = 0; k < array->count; k++)
      sum += pow (fv_array_get_float (array, k), 2);
    match->scale[i] = fmax (sqrt (sum / MAX (array->count, 1)), 1e-30);
  }
}

/* How far row @g of what was got is from row @e of what was expected: infinitely
 * where an integer differs. */
static double
distance (const Match *match, gint64 g, gint64 e)
{
  double largest = 0;
  for (guint i = 0; i < match->n; i++) {
    gint64 size = row_size (match->expected[i], match->axis);
    double sum = 0;
    for (gint64 k = 0; k < size; k++) {
      double x = fv_array_get_float (match->got[i], g * size + k);
      double y = fv_array_get_float (match->expected[i], e * size + k);
      if (!fv_type_is_float (match->expected[i]->type) && x != y)
        return INFINITY;
      if (x != y && !(isnan (x) && isnan (y)))
        sum += (x - y) * (x - y);
    }
    largest = fmax (largest, sqrt (sum / MAX (size, 1)) / match->scale[i]);
  }
  return isnan (largest) ? INFINITY : largest;
}

/* Whether the ranking may put row @b where @a was expected. */
static gboolean
is_tie (const Match *match, gint64 a, gint64 b)
{
  if (match->scores == NULL)
    return TRUE;
  return fabs (fv_array_get_float (match->scores, a)
             - fv_array_get_float (match->scores, b))
      <= match->tolerance * match->largest;
}

/* @order: for each row expected, which of those got stands for it. Rows that agree
 * where they are stay; of the others each takes the nearest that is left. */
static void
order_rows (const Match *match, gint64 first, gint64 *order)
{
  g_autofree gboolean *used = g_new0 (gboolean, match->n_rows + 1);
  for (gint64 e = 0; e < match->n_rows; e++) {
    gboolean stays = distance (match, first + e, first + e) <= match->tolerance;
    order[e] = stays ? e : -1;
    used[e] = stays;
  }
  for (gint64 e = 0; e < match->n_rows; e++) {
    double least = INFINITY;
    if (order[e] >= 0)
      continue;
    for (gint64 g = 0; g < match->n_rows; g++) {
      double far = used[g] || !is_tie (match, first + e, first + g)
          ? INFINITY
          : distance (match, first + g, first + e);
      if (far < least) {
        least = far;
        order[e] = g;
      }
    }
    if (order[e] >= 0)
      used[order[e]] = TRUE;
  }
  for (gint64 e = 0, g = 0; e < match->n_rows; e++) { /* no match: any left */
    if (order[e] >= 0)
      continue;
    while (used[g])
      g++;
    used[g] = TRUE;
    order[e] = g;
  }
}

static void
move_rows (const Match *match, gint64 first, const gint64 *order,
    FvArray **matched)
{
  for (guint i = 0; i < match->n; i++) {
    gsize size = row_size (match->got[i], match->axis)
        * fv_type_size (match->got[i]->type);
    for (gint64 e = 0; e < match->n_rows; e++)
      memcpy ((guint8 *) matched[i]->data + (first + e) * size,
          (const guint8 *) match->got[i]->data + (first + order[e]) * size,
          size);
  }
}

gboolean
match_rows (FvArray *const *got, FvArray *const *expected, guint n,
    double tolerance, FvArray **matched)
{
  Match match = { got, expected, n, .tolerance = tolerance };
  if (!find_rows (&match))
    return FALSE;
  for (guint i = 0; i < n; i++)
    matched[i] = NULL;
  for (guint i = 0; i < n; i++)
    if ((matched[i] = fv_array_new (got[i]->type, &got[i]->shape, NULL))
        == NULL) {
      for (guint k = 0; k < i; k++)
        g_clear_pointer (&matched[k], fv_array_unref);
      return FALSE;
    }
  g_autofree double *scale = g_new0 (double, n);
  g_autofree gint64 *order = g_new0 (gint64, match.n_rows);
  match.scale = scale;
  find_scores (&match);
  find_scales (&match);
  for (gint64 b = 0; b < match.n_batches; b++) {
    order_rows (&match, b * match.n_rows, order);
    move_rows (&match, b * match.n_rows, order, matched);
  }
  return TRUE;
}
