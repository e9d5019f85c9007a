/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a coordinate of a grid lies in a map, and which elements it reads there. The
 * shader says what it is: int TAPS (1, 2 or 4), int PADDING (FV_SAMPLE_*), bool ALIGN. */

#define FAR 1048576.0 /* neither infinities nor NaN become addresses */

float reflect_into (float at, float size)
{
  float low = ALIGN ? 0 : -0.5;
  float range = ALIGN ? size - 1 : size;
  float distance = at < low ? low - at : at - low - range;
  float n, rest;

  if (distance <= 0)
    return at;
  if (range == 0)
    return 0;
  n = floor (distance / range);
  rest = distance - n * range;
  return (at < low) == (mod (n, 2) == 0) ? low + rest : low + range - rest;
}

/* A coordinate in -1..1 as one of the map, and that made to lie in it. */
float locate (float c, int size)
{
  float n = float (size);
  precise float at = ALIGN ? (c + 1) / 2 * (n - 1) : ((c + 1) * n - 1) / 2;

  at = isnan (at) ? -FAR : clamp (at, -FAR, FAR);
  if (TAPS == 1)
    at = roundEven (at);
  if (ALIGN ? at >= 0 && at <= n - 1 : at >= -0.5 && at <= n - 0.5)
    return at;
  if (PADDING == FV_SAMPLE_BORDER)
    return clamp (at, 0, n - 1);
  return PADDING == FV_SAMPLE_REFLECTION ? reflect_into (at, n) : at;
}

/* The elements around @at and what each of them weighs. */
void find_taps (float at, int size, out ivec4 index, out vec4 weight)
{
  int first = int (floor (at));
  float t = at - floor (at);

  if (TAPS == 1) {
    weight = vec4 (1, 0, 0, 0);
  } else if (TAPS == 2) {
    weight = vec4 (1 - t, t, 0, 0);
  } else {
    vec4 d = vec4 (1 + t, t, 1 - t, 2 - t); /* Keys' kernel, a = -3/4 */

    weight.xw = ((-0.75 * d.xw + 3.75) * d.xw - 6) * d.xw + 3;
    weight.yz = (1.25 * d.yz - 2.25) * d.yz * d.yz + 1;
    first--;
  }
  index = first + ivec4 (0, 1, 2, 3);
  if (PADDING == FV_SAMPLE_ZEROS)
    weight = mix (weight, vec4 (0), notEqual (index,
        clamp (index, ivec4 (0), ivec4 (size - 1))));
  if (PADDING == FV_SAMPLE_REFLECTION)
    [[unroll]] for (int i = 0; i < TAPS; i++)
      index[i] = int (reflect_into (float (index[i]), float (size)));
  index = clamp (index, ivec4 (0), ivec4 (size - 1));
}
