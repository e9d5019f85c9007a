#version 450
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any strided layout into rows of vec4 units: one invocation writes one unit.
 * What lies before the row in its first unit stays; what lies behind the row in
 * its last unit becomes zero.
 * Grid: units / local size. Bindings: 0 source, 1 target. */
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "walk.glsl"

layout (constant_id = 0) const int mode = FV_COPY_VEC4;
layout (constant_id = 1) const int n_axes = 0;
layout (constant_id = 2) const int n_from = 1;

FV_IN (0, source)
FV_OUT (1, target)

layout (push_constant) uniform Push { FvCopyPush push; };

ivec4 unravel (ivec4 at)
{
  ivec4 result = ivec4 (push.source), rest;

  [[unroll]] for (int k = 0; k < 6; k++) {
    if (k == n_from - 1) {
      result += at * push.from_stride[k];
    } else if (k < n_from - 1) {
      fv_divide4 (at, push.from_size[min (k, 4)], rest);
      result += rest * push.from_stride[k];
    }
  }
  return result;
}

void main ()
{
  int unit = fv_unit (), c;
  int to = push.target, from = 0;

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

  ivec4 j = 4 * c - push.shift + ivec4 (0, 1, 2, 3);
  ivec4 inside = clamp (j, ivec4 (0), ivec4 (push.n - 1));
  vec4 v;
  if (mode == FV_COPY_VEC4) {
    v = FV_LOAD (source, ((push.source + from) >> 2) + c);
  } else {
    ivec4 e = from + inside * push.source_inner;
    e = mode == FV_COPY_RAVEL ? unravel (e) : e + push.source;
    v = vec4 (FV_LOAD1 (source, e.x), FV_LOAD1 (source, e.y),
      FV_LOAD1 (source, e.z), FV_LOAD1 (source, e.w));
  }
  v = mix (v, vec4 (0), greaterThanEqual (j, ivec4 (push.n)));
  if (mode != FV_COPY_VEC4 && push.shift != 0 && c == 0)
    v = mix (v, FV_READ (target, to), lessThan (j, ivec4 (0)));
  FV_STORE (target, to + c, v);
}
