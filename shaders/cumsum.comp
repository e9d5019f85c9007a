#version 450
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running sums along lines: one invocation goes along a vec4 of lines that lie side
 * by side or, where a line lies along the rows, along that one.
 * Grid: units / local size. Bindings: 0 source, 1 target. */
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "walk.glsl"

layout (constant_id = 0) const bool inside = false; /* lines lie along rows */
layout (constant_id = 1) const int n_axes = 0;
layout (constant_id = 2) const bool exclusive = false;
layout (constant_id = 3) const bool reverse = false;

FV_IN (0, source)
FV_OUT (1, target)

layout (push_constant) uniform Push { FvSumPush push; };

float load (int from, int k)
{
  return FV_LOAD1 (source, from + clamp (k, 0, push.line - 1) * push.source_line);
}

/* The vec4 units of one line, from one end or the other. */
void sum_row (int from, int to)
{
  int units = (push.line + 3) / 4;
  float sum = 0;

  for (int i = 0; i < units; i++) {
    int c = reverse ? units - 1 - i : i;
    vec4 v = vec4 (0);

    [[unroll]] for (int l = 0; l < 4; l++) {
      int lane = reverse ? 3 - l : l, k = 4 * c + lane;
      float x = k < push.line ? load (from, k) : 0;

      v[lane] = k < push.line ? (exclusive ? sum : sum + x) : 0;
      sum += x;
    }
    FV_STORE (target, to + c, v);
  }
}

void main ()
{
  int unit = fv_unit (), c;
  int to = push.target, from = push.source;

  if (unit >= push.units)
    return;
  fv_divide (unit, push.row_units, c);
  [[unroll]] for (int k = 0; k < 4; k++)
    if (k < n_axes) {
      int i;

      fv_divide (unit, push.size[k], i);
      to += i * push.target_stride[k];
      from += i * push.source_stride[k];
    }
  if (inside) {
    sum_row (from, to);
    return;
  }
  ivec4 j = 4 * c + ivec4 (0, 1, 2, 3);
  bvec4 behind = greaterThanEqual (j, ivec4 (push.n));
  vec4 sum = vec4 (0);
  j = from + min (j, ivec4 (push.n - 1)) * push.source_inner;
  for (int i = 0; i < push.line; i++) {
    int k = reverse ? push.line - 1 - i : i;
    ivec4 e = j + k * push.source_line;
    vec4 v = vec4 (FV_LOAD1 (source, e.x), FV_LOAD1 (source, e.y),
      FV_LOAD1 (source, e.z), FV_LOAD1 (source, e.w));

    v = mix (v, vec4 (0), behind);
    FV_STORE (target, to + c + k * push.target_line, exclusive ? sum : sum + v);
    sum += v;
  }
}
