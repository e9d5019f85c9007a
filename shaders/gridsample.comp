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
