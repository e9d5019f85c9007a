/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require
/* Maps of one to three axes read where a grid of coordinates points.
 *
 * Bindings: 0 x, 1 grid, 2 y, 3 and 4 operands of steps
 * Grid:     folded (channel units, columns, rows) x maps x depth
 * An invocation makes four channels of one output. */
#include "fv.glsl"
#include "steps.glsl"
#include "walk.glsl"

FV_IN (0, x)
FV_IN (1, grid)
FV_OUT (2, y)
FV_STEPS_OPERANDS (3)

layout (constant_id = 0) const int TAPS = 2; /* an axis: 1, 2 or 4 */
layout (constant_id = 1) const int DEPTH_TAPS = 1; /* of the depth */
layout (constant_id = 2) const int PADDING = FV_SAMPLE_ZEROS;
layout (constant_id = 3) const bool ALIGN = false;
layout (push_constant) uniform Push { FvGridSamplePush push; };

#include "samplepoint.glsl"

void main ()
{
  int map = int (gl_WorkGroupID.z), depth, row = fv_unit (), column, unit;
  ivec4 zs = ivec4 (0), ys, xs;
  vec4 z_weights = vec4 (1, 0, 0, 0), y_weights, x_weights, sum = vec4 (0);
  int point, base;

  fv_divide (row, push.units, unit);
  fv_divide (row, push.out_size[2], column);
  fv_divide (map, push.out_size[0], depth);
  if (row >= push.out_size[1])
    return;
  point = push.grid_base + map * push.grid[0] + depth * push.grid[1]
    + row * push.grid[2] + column * push.grid[3];
  find_taps (locate (FV_LOAD1 (grid, point), push.in_size[2]),
    push.in_size[2], xs, x_weights);
  find_taps (locate (FV_LOAD1 (grid, point + push.grid[4]), push.in_size[1]),
    push.in_size[1], ys, y_weights);
  if (DEPTH_TAPS > 0)
    find_taps (locate (FV_LOAD1 (grid, point + 2 * push.grid[4]),
      push.in_size[0]), push.in_size[0], zs, z_weights);
  base = push.x_base + map * push.x[0] + unit;
  [[unroll]] for (int k = 0; k < max (DEPTH_TAPS, 1); k++)
    [[unroll]] for (int j = 0; j < TAPS; j++)
      [[unroll]] for (int i = 0; i < TAPS; i++) {
        float weight = z_weights[k] * y_weights[j] * x_weights[i];
        vec4 v = FV_LOAD (x, base + zs[k] * push.x[1] + ys[j] * push.x[2]
          + xs[i] * push.x[3]);

        sum += weight == 0 ? vec4 (0) : weight * v;
      }
  int number = ((map * push.out_size[0] + depth) * push.out_size[1] + row)
    * push.out_size[2] + column;
  sum = mix (vec4 (0), fv_steps (sum, push.operand, number, unit),
    lessThan (ivec4 (0, 1, 2, 3) + 4 * unit, ivec4 (push.channels)));
  FV_STORE (y, push.y_base + map * push.y[0] + depth * push.y[1]
    + row * push.y[2] + column * push.y[3] + unit, sum);
}
