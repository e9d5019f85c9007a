#version 450
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of vec4 units whose elements come from anywhere along each axis: what
 * Gather, Pad and Tile need. One invocation writes one unit.
 * Grid: units / local size. Bindings: 0 source, 1 tables of positions, 2 target. */
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "walk.glsl"

/* Whether rows are read in vec4 units, and have no table. */
layout (constant_id = 0) const bool aligned = false;
layout (constant_id = 1) const int n_axes = 0;

FV_IN (0, source)
FV_IN (1, tables)
FV_OUT (2, target)

layout (push_constant) uniform Push { FvRemapPush push; };

void main ()
{
  int unit = fv_unit (), c;
  int to = push.target, from = push.source;
  bool outside = push.outside != 0;

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
        if (push.table[k] >= 0)
          i = int (FV_LOAD1 (tables, push.table[k] + i));
        outside = outside || i < 0;
        from += max (i, 0) * push.source_stride[k];
      }
    }
  }

  ivec4 j = 4 * c + ivec4 (0, 1, 2, 3);
  bvec4 behind = greaterThanEqual (j, ivec4 (push.n));
  vec4 v;
  if (aligned) {
    v = FV_LOAD (source, (from >> 2) + c);
  } else {
    j = min (j, ivec4 (push.n - 1));
    if (push.table[5] >= 0)
      j = ivec4 (FV_LOAD (tables, (push.table[5] >> 2) + c));
    bvec4 beside = lessThan (j, ivec4 (0));
    j = max (j, ivec4 (0)) * push.source_inner + from;
    v = vec4 (FV_LOAD1 (source, j.x), FV_LOAD1 (source, j.y),
      FV_LOAD1 (source, j.z), FV_LOAD1 (source, j.w));
    v = mix (v, vec4 (push.value), beside);
  }
  if (outside)
    v = vec4 (push.value);
  FV_STORE (target, to + c, mix (v, vec4 (0), behind));
}
