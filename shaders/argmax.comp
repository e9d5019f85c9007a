#version 450
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the largest (or smallest) element of each line is: ArgMax and ArgMin.
 * One invocation makes one vec4.
 * Grid: units / local size. Bindings: 0 source, 1 target. */
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "walk.glsl"

layout (constant_id = 0) const int MODE = FV_ARG_STRIDED;
layout (constant_id = 1) const int n_axes = 0;
layout (constant_id = 2) const bool SMALLEST = false;
layout (constant_id = 3) const bool LAST = false; /* of equals the last */

FV_IN (0, source)
FV_OUT (1, target)

layout (push_constant) uniform Push { FvArgPush push; };

vec4 gather (ivec4 e)
{
  return vec4 (FV_LOAD1 (source, e.x), FV_LOAD1 (source, e.y),
    FV_LOAD1 (source, e.z), FV_LOAD1 (source, e.w));
}

/* Across four lines at once. */
vec4 find_across (ivec4 e)
{
  vec4 best, place = vec4 (0);

  for (int k = 0; k < push.line; k++) {
    vec4 v = MODE == FV_ARG_LANES
      ? FV_LOAD (source, (e.x + k * push.line_stride) >> 2)
      : gather (e + k * push.line_stride);
    bvec4 better;

    v = SMALLEST ? -v : v;
    if (k == 0)
      best = v;
    better = LAST ? greaterThanEqual (v, best) : greaterThan (v, best);
    best = mix (best, v, better);
    place = mix (place, vec4 (k), better);
  }
  return place;
}

/* Along one line. */
float find_along (int e)
{
  float best = 0, place = 0;

  for (int c = 0; 4 * c < push.line; c++) {
    vec4 v = FV_LOAD (source, (e >> 2) + c);

    v = SMALLEST ? -v : v;
    [[unroll]] for (int k = 0; k < 4; k++) {
      int at = 4 * c + k;
      bool better = LAST ? v[k] >= best : v[k] > best;

      if (at < push.line && (at == 0 || better)) {
        best = v[k];
        place = at;
      }
    }
  }
  return place;
}

void main ()
{
  int unit = fv_unit (), c;
  int to = push.target, from = push.source;

  if (unit >= push.units)
    return;
  if (n_axes == 0) {
    c = unit;
  } else {
    fv_divide (unit, push.row_units, c);
    [[unroll]] for (int k = 0; k < 5; k++) {
      int i = unit;

      if (k < n_axes - 1)
        fv_divide (unit, push.size[min (k, 3)], i);
      if (k < n_axes) {
        to += i * push.target_stride[k];
        from += i * push.source_stride[k];
      }
    }
  }

  ivec4 j = 4 * c + ivec4 (0, 1, 2, 3);
  bvec4 behind = greaterThanEqual (j, ivec4 (push.n));
  vec4 v;
  if (MODE == FV_ARG_LANES)
    v = find_across (ivec4 (from + 4 * c));
  else {
    j = min (j, ivec4 (push.n - 1)) * push.source_inner + from;
    if (MODE == FV_ARG_LINE)
      v = vec4 (find_along (j.x), find_along (j.y), find_along (j.z),
        find_along (j.w));
    else
      v = find_across (j);
  }
  FV_STORE (target, to + c, mix (v, vec4 (0), behind));
}
