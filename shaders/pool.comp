/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require
/* Pools over windows of one to three axes.
 *
 * Bindings: 0 x, 1 y, 2 and 3 operands of steps
 * Grid:     folded (channel units, columns, blocks of ROWS rows) x maps x depth
 * An invocation makes ROWS outputs below each other of four channels. Each row of
 * the input under them is reduced along the width once, and that goes to all the
 * outputs whose window holds the row: high windows cost little. */
#include "fv.glsl"
#include "steps.glsl"
#include "walk.glsl"

FV_IN (0, x)
FV_OUT (1, y)
FV_STEPS_OPERANDS (2)

layout (constant_id = 0) const int KIND = FV_POOLS_MAX;
layout (constant_id = 1) const int ROWS = 1; /* 1 where windows are dilated */
layout (constant_id = 2) const bool DILATED = true;
layout (constant_id = 3) const float P = 2;
layout (push_constant) uniform Push { FvPoolPush push; };

#include "poolwindow.glsl"
#define INITIAL vec4 (KIND == FV_POOLS_MAX ? LOWEST : 0)

vec4 combine (vec4 a, vec4 b)
{
  if (KIND == FV_POOLS_LP) {
    b = abs (b);
    b = P == 1 ? b : P == 2 ? b * b : pow (b, vec4 (P));
  }
  return KIND == FV_POOLS_MAX ? max (a, b) : a + b;
}

/* What has been combined already. */
vec4 join (vec4 a, vec4 b)
{
  return KIND == FV_POOLS_MAX ? max (a, b) : a + b;
}

ivec2 taps (int a, int start, int size)
{
  return window_taps (a, start, size, DILATED);
}

/* By what the sum of a window is divided along axis @a. */
int counted (int a, int start)
{
  ivec2 t = taps (a, start, push.in_size[a]);

  if (KIND == FV_POOLS_AVERAGE_PADDED)
    return taps (a, start, push.padded[a]).y;
  return t.y - t.x;
}

void main ()
{
  int blocks = (push.out_size[1] + ROWS - 1) / ROWS;
  int map = int (gl_WorkGroupID.z), depth, row = fv_unit (), column, unit;
  ivec3 start;
  ivec2 zs, xs;
  vec4 sum[ROWS];

  fv_divide (row, push.units, unit);
  fv_divide (row, push.out_size[2], column);
  fv_divide (map, push.out_size[0], depth);
  if (row >= blocks)
    return;
  row *= ROWS;
  start = ivec3 (depth * STRIDE (0) - BEGIN (0),
    row * STRIDE (1) - BEGIN (1), column * STRIDE (2) - BEGIN (2));
  zs = taps (0, start.x, push.in_size[0]);
  xs = taps (2, start.z, push.in_size[2]);
  [[unroll]] for (int t = 0; t < ROWS; t++)
    sum[t] = INITIAL;
  for (int kz = zs.x; kz < zs.y; kz++) {
    int plane = push.x_base + map * push.x[0] + unit
      + (start.x + kz * DILATION (0)) * push.x[1];
    int step = DILATED ? DILATION (1) : 1;
    int first = start.y + taps (1, start.y, push.in_size[1]).x * step;
    int last = start.y + (ROWS - 1) * STRIDE (1)
      + (KERNEL (1) - 1) * step + 1;

    for (int iy = first; iy < min (last, push.in_size[1]); iy += step) {
      int at = plane + iy * push.x[2] + start.z * push.x[3];
      vec4 v = INITIAL;

      for (int kx = xs.x; kx < xs.y; kx++)
        v = combine (v, FV_LOAD (x, at + kx * (DILATED ? DILATION (2) : 1) * push.x[3]));
      if (ROWS == 1) {
        sum[0] = join (sum[0], v);
        continue;
      }
      [[unroll]] for (int t = 0; t < ROWS; t++) {
        int k = iy - start.y - t * STRIDE (1);

        if (k >= 0 && k < KERNEL (1))
          sum[t] = join (sum[t], v);
      }
    }
  }
  [[unroll]] for (int t = 0; t < ROWS; t++) {
    int oy = row + t;
    vec4 v = sum[t];
    int number = ((map * push.out_size[0] + depth) * push.out_size[1] + oy)
      * push.out_size[2] + column;

    if (oy >= push.out_size[1])
      break;
    if (KIND == FV_POOLS_LP)
      v = P == 1 ? v : P == 2 ? sqrt (v) : pow (v, vec4 (1 / P));
    else if (KIND != FV_POOLS_MAX)
      v /= counted (0, start.x) * counted (1, start.y + t * STRIDE (1))
        * counted (2, start.z);
    v = mix (vec4 (0), fv_steps (v, push.operand, number, unit),
      lessThan (ivec4 (0, 1, 2, 3) + 4 * unit, ivec4 (push.channels)));
    FV_STORE (y, push.y_base + map * push.y[0] + depth * push.y[1]
      + oy * push.y[2] + column * push.y[3] + unit, v);
  }
}
