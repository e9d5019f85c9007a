#version 450
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Narrow rows beside each other, where each alone would begin within a vec4: one
 * invocation writes one vec4 unit.
 * Grid: units / local size. Bindings: 0 to 3 sources, 4 target. */
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "walk.glsl"

layout (constant_id = 0) const int n_sources = FV_JOIN_SOURCES;

FV_IN (0, a)
FV_IN (1, b)
FV_IN (2, c)
FV_IN (3, d)
FV_OUT (4, target)

layout (push_constant) uniform Push { FvJoinPush push; };

#define FV_LOAD_EACH(name, e) vec4 (FV_LOAD1 (name, (e).x), \
  FV_LOAD1 (name, (e).y), FV_LOAD1 (name, (e).z), FV_LOAD1 (name, (e).w))

void main ()
{
  int row = fv_unit (), unit;

  if (row >= push.units)
    return;
  fv_divide (row, push.row_units, unit);

  ivec4 j = 4 * unit + ivec4 (0, 1, 2, 3);
  vec4 v = vec4 (0);
  [[unroll]] for (int s = 0; s < FV_JOIN_SOURCES; s++) {
    int start = push.start[s];
    int end = s + 1 < n_sources ? push.start[min (s + 1, FV_JOIN_SOURCES - 1)]
                                : push.n;
    bvec4 mine = bvec4 (ivec4 (greaterThanEqual (j, ivec4 (start)))
      * ivec4 (lessThan (j, ivec4 (end))));
    ivec4 e = push.source[s] + row * push.source_stride[s]
      + (clamp (j, ivec4 (start), ivec4 (end - 1)) - start) * push.source_inner[s];

    if (s >= n_sources || !any (mine))
      continue;
    vec4 from = s == 0 ? FV_LOAD_EACH (a, e)
      : s == 1         ? FV_LOAD_EACH (b, e)
      : s == 2         ? FV_LOAD_EACH (c, e)
                       : FV_LOAD_EACH (d, e);
    v = mix (v, from, mine);
  }
  FV_STORE (target, push.target + row * push.target_stride + unit, v);
}
