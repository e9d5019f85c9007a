/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <stdlib.h>
#include "gst/video/gstfoveadraw.h"

#define TIME_CONSTANT (1.0 * GST_SECOND)
#define GAP (2 * GST_SECOND)
/* of a frame without a timestamp */
#define USUAL_STEP (GST_SECOND / 30)
/* fewer values say nothing */
#define MIN_VALUES 16

static int
compare (const void *a, const void *b)
{
  float x = *(const float *) a, y = *(const float *) b;

  return (x > y) - (x < y);
}

void
gst_fovea_depth_range_adapt (GstFoveaDepthRange *range, float *values, guint n,
    GstClockTime pts)
{
  guint known = 0;
  double low, high, share = 1;

  if (range->is_fixed)
    return;
  for (guint i = 0; i < n; i++)
    if (isfinite (values[i]))
      values[known++] = values[i];
  if (known < MIN_VALUES)
    return;
  qsort (values, known, sizeof *values, compare);
  low = values[known / 50];
  high = values[known - 1 - known / 50];
  if (range->is_known) {
    GstClockTime step = USUAL_STEP;
    if (GST_CLOCK_TIME_IS_VALID (pts) && GST_CLOCK_TIME_IS_VALID (range->last))
      step = pts >= range->last ? pts - range->last : GAP;
    if (step < GAP)
      share = 1 - exp (-(double) step / TIME_CONSTANT);
  }
  range->low += share * (low - range->low);
  range->high += share * (high - range->high);
  range->is_known = TRUE;
  range->last = pts;
}
