/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require
/* MaxUnpool: each element looks through the windows it was in for one whose
 * maximum came from here; so nothing is scattered, and two runs are the same.
 *
 * Bindings: 0 x, 1 indices, 2 y
 * Grid:     folded (channel units, columns, rows) x maps x depth */
#include "fv.glsl"
#include "walk.glsl"

FV_IN (0, x)
FV_IN (1, indices)
FV_OUT (2, y)

layout (push_constant) uniform Push { FvUnpoolPush push; };
#include "poolwindow.glsl"

/* The windows along axis @a that hold @at: the first and the one behind the
 * last. */
ivec2 windows (int a, int at)
{
  int reach = at + BEGIN (a);

  if (at >= push.map_size[a])
    return ivec2 (0);
  return ivec2 (max (reach - KERNEL (a) + STRIDE (a), 0) / STRIDE (a),
    min (reach / STRIDE (a) + 1, push.in_size[a]));
}

void main ()
{
  int map = int (gl_WorkGroupID.z), depth, row = fv_unit (), column, unit;
  ivec4 channel;
  ivec2 zs, ys, xs;
  vec4 v = vec4 (0), here;

  fv_divide (row, push.units, unit);
  fv_divide (row, push.out_size[2], column);
  fv_divide (map, push.out_size[0], depth);
  if (row >= push.out_size[1])
    return;
  zs = windows (0, depth);
  ys = windows (1, row);
  xs = windows (2, column);
  channel = map * push.channels + 4 * unit + ivec4 (0, 1, 2, 3);
  here = vec4 (((channel * push.map_size[0] + depth) * push.map_size[1] + row)
      * push.map_size[2] + column);
  for (int z = zs.x; z < zs.y; z++)
    for (int r = ys.x; r < ys.y; r++)
      for (int c = xs.x; c < xs.y; c++) {
        vec4 from = FV_LOAD (indices, push.indices_base + map * push.indices[0]
          + z * push.indices[1] + r * push.indices[2] + c * push.indices[3] + unit);

        v = mix (v, FV_LOAD (x, push.x_base + map * push.x[0] + z * push.x[1]
          + r * push.x[2] + c * push.x[3] + unit), equal (from, here));
      }
  FV_STORE (y, push.y_base + map * push.y[0] + depth * push.y[1]
      + row * push.y[2] + column * push.y[3] + unit,
    mix (vec4 (0), v, lessThan (4 * unit + ivec4 (0, 1, 2, 3), ivec4 (push.channels))));
}
