/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require
/* Where in its whole input a MaxPool found each of its values; of equal ones the
 * first.
 *
 * Bindings: 0 x, 1 y
 * Grid:     folded (channel units, columns, rows) x maps x depth */
#include "fv.glsl"
#include "walk.glsl"

FV_IN (0, x)
FV_OUT (1, y)

layout (push_constant) uniform Push { FvPoolIndicesPush push; };
#include "poolwindow.glsl"

void main ()
{
  int map = int (gl_WorkGroupID.z), depth, row = fv_unit (), column, unit;
  ivec4 lanes = ivec4 (0, 1, 2, 3), channel;
  vec4 top = vec4 (LOWEST);
  ivec4 best = ivec4 (-1);
  ivec2 zs, ys, xs;
  ivec3 start;

  fv_divide (row, push.units, unit);
  fv_divide (row, push.out_size[2], column);
  fv_divide (map, push.out_size[0], depth);
  if (row >= push.out_size[1])
    return;
  start = ivec3 (depth * STRIDE (0) - BEGIN (0), row * STRIDE (1) - BEGIN (1),
    column * STRIDE (2) - BEGIN (2));
  zs = window_taps (0, start.x, push.in_size[0], true);
  ys = window_taps (1, start.y, push.in_size[1], true);
  xs = window_taps (2, start.z, push.in_size[2], true);
  for (int kz = zs.x; kz < zs.y; kz++)
    for (int ky = ys.x; ky < ys.y; ky++)
      for (int kx = xs.x; kx < xs.y; kx++) {
        ivec3 at = start
          + ivec3 (kz * DILATION (0), ky * DILATION (1), kx * DILATION (2));
        vec4 v = FV_LOAD (x, push.x_base + map * push.x[0] + at.x * push.x[1]
          + at.y * push.x[2] + at.z * push.x[3] + unit);
        int place = at.x * push.place[0] + at.y * push.place[1]
          + at.z * push.place[2];
        bvec4 takes = bvec4 (uvec4 (greaterThan (v, top))
          | uvec4 (lessThan (best, ivec4 (0))));

        top = mix (top, v, takes);
        best = mix (best, ivec4 (place), takes);
      }
  channel = map * push.channels + 4 * unit + lanes;
  best = max (best, 0)
    + channel * push.in_size[0] * push.in_size[1] * push.in_size[2];
  FV_STORE (y, push.y_base + map * push.y[0] + depth * push.y[1]
      + row * push.y[2] + column * push.y[3] + unit,
    mix (vec4 (0), vec4 (best), lessThan (lanes + 4 * unit, ivec4 (push.channels))));
}
