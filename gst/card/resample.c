/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/card/resample.h"

#include <math.h>
#include <string.h>

/* Of Pillow's weights (Resample.c): whole multiples of 2^-22. */
#define PILLOW_STEPS (1 << 22)

void
fv_axis_init (FvAxis *axis, const FvCardInput *input, const FvFrameMap *map,
    gboolean is_vertical)
{
  *axis = (FvAxis){ .frame_size =
                        is_vertical ? map->frame_height : map->frame_width,
    .start = is_vertical ? map->y : map->x,
    .size = is_vertical ? map->height : map->width,
    .filter = input->filter,
    .antialias = input->antialias,
    .eight_bits = input->eight_bits };
}

static double
half_width (FvFilter filter)
{
  switch (filter) {
    case FV_FILTER_NEAREST:
    case FV_FILTER_BOX:
      return 0.5;
    case FV_FILTER_BICUBIC:
      return 2;
    case FV_FILTER_LANCZOS:
      return 3;
    case FV_FILTER_BILINEAR:
    case FV_FILTER_HAMMING:
      break;
  }
  return 1;
}

/* Keys' cubic: -0.5 is Pillow's and that of PyTorch's antialias, -0.75 the one
 * that PyTorch and OpenCV use else. */
static double
cubic (double x, double a)
{
  if (x < 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static double
sinc (double x)
{
  return x == 0 ? 1 : sin (G_PI * x) / (G_PI * x);
}

static double
hamming (double x)
{
  return x < 1 ? sinc (x) * (0.54 + 0.46 * cos (G_PI * x)) : 0;
}

static double
filter_at (const FvAxis *axis, double x)
{
  double distance = fabs (x);

  switch (axis->filter) {
    case FV_FILTER_NEAREST:
    case FV_FILTER_BOX:
      /* one side of the box is open, so that a pixel counts once */
      return x > -0.5 && x <= 0.5;
    case FV_FILTER_BICUBIC:
      return cubic (distance, axis->antialias ? -0.5 : -0.75);
    case FV_FILTER_LANCZOS:
      return distance < 3 ? sinc (distance) * sinc (distance / 3) : 0;
    case FV_FILTER_HAMMING:
      return hamming (distance);
    case FV_FILTER_BILINEAR:
      break;
  }
  return MAX (1 - distance, 0);
}

/* Frame pixels per pixel of the input, and how far the filter is widened. */
static double
axis_scale (const FvAxis *axis, double *widening)
{
  double scale = (double) axis->frame_size / axis->size;

  *widening =
      axis->antialias && axis->filter != FV_FILTER_NEAREST ? MAX (scale, 1) : 1;
  return scale;
}

guint
fv_axis_taps (const FvAxis *axis)
{
  double widening;

  axis_scale (axis, &widening);
  double taps = ceil (2 * half_width (axis->filter) * widening);
  return (guint) CLAMP (taps, 1, axis->frame_size);
}

/* Pillow's nearest pixel comes from a sum, whose errors decide where a centre lies
 * between two pixels (ImagingScaleAffine of Geometry.c). */
static double
pillow_centre (gint position, double scale)
{
  double centre = scale * 0.5;

  for (gint i = 0; i < position; i++)
    centre += scale;
  return centre;
}

guint
fv_axis_weights (const FvAxis *axis, guint position, guint *first,
    double *weights)
{
  double widening, scale = axis_scale (axis, &widening), sum = 0;
  gint at = (gint) position - axis->start, last = (gint) axis->frame_size - 1;

  *first = 0;
  if (at < 0 || at >= axis->size)
    return 0;
  double centre = (at + 0.5) * scale; /* in pixels of the frame, edges whole */
  if (axis->filter == FV_FILTER_NEAREST) {
    if (axis->eight_bits)
      centre = pillow_centre (at, scale);
    *first = (guint) CLAMP ((gint) floor (centre), 0, last);
    weights[0] = 1;
    return 1;
  }
  double reach = half_width (axis->filter) * widening;
  gint low = (gint) floor (centre - reach + 0.5);
  gint high = (gint) floor (centre + reach + 0.5); /* one past the last */
  gint n, start = CLAMP (low, 0, last), end = CLAMP (high - 1, start, last);
  n = end - start + 1;
  memset (weights, 0, (gsize) n * sizeof *weights);
  for (gint i = low; i < high; i++) {
    double weight = filter_at (axis, (i + 0.5 - centre) / widening);
    /* Behind the edge: an antialiasing filter is cut off there, any other sees
     * the edge's pixel repeated. */
    if (axis->antialias && (i < 0 || i > last))
      continue;
    weights[CLAMP (i, start, end) - start] += weight;
    sum += weight;
  }
  for (gint i = 0; i < n; i++) {
    weights[i] /= sum;
    if (axis->eight_bits)
      weights[i] = round (weights[i] * PILLOW_STEPS) / PILLOW_STEPS;
  }
  *first = (guint) start;
  return (guint) n;
}

double
fv_axis_round (const FvAxis *axis, double value)
{
  if (!axis->eight_bits)
    return value;
  return floor (CLAMP (value, 0, 255) + 0.5);
}
