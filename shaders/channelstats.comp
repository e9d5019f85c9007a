/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require
/* One figure per channel over all pixels of a map: global pools, and the moments
 * that instance and group normalization begin with.
 *
 * Bindings: 0 x, 1 y, 2 and 3 operands of steps
 * Grid:     (channel units / COLUMNS, maps)
 * A workgroup holds COLUMNS units of channels; the rest of its invocations share
 * the pixels. Moments are kept in two vec4 per unit and taken in two passes, as
 * the mean may be far above the deviation. */
#include "fv.glsl"
#include "steps.glsl"

FV_IN (0, x)
FV_OUT (1, y)
FV_STEPS_OPERANDS (2)

layout (constant_id = 0) const int KIND = FV_STATS_AVERAGE;
layout (constant_id = 1) const int COLUMNS = 1;
layout (constant_id = 2) const float P = 2;
layout (push_constant) uniform Push { FvStatsPush push; };

#define LOWEST uintBitsToFloat (0xff800000u) /* minus infinity */

/* What goes into the sum. */
vec4 weigh (vec4 v)
{
  if (KIND != FV_STATS_LP)
    return v;
  v = abs (v);
  return P == 1 ? v : P == 2 ? v * v : pow (v, vec4 (P));
}

/* Row @r of the unit at @at, less @mean; nothing where there is no such row. */
vec4 taken (int at, int r, vec4 mean)
{
  vec4 v = weigh (FV_LOAD (x, at + min (r, push.rows - 1) * push.x_row) - mean);

  return r < push.rows ? v : vec4 (KIND == FV_STATS_MAX ? LOWEST : 0);
}

const bool MAXIMUM = KIND == FV_STATS_MAX;
#include "columnreduce.glsl"

void main ()
{
  int id = int (gl_LocalInvocationID.x);
  int unit = int (gl_WorkGroupID.x) * COLUMNS + id % COLUMNS;
  int map = int (gl_WorkGroupID.y);
  int at = push.x_base + map * push.x_map + min (unit, push.units - 1);
  int first = id / COLUMNS, step = int (gl_WorkGroupSize.x) / COLUMNS;
  vec4 sum = vec4 (KIND == FV_STATS_MAX ? LOWEST : 0), squares = vec4 (0);

  /* four at a time: what they wait for memory overlaps */
  for (int r = first; r < push.rows; r += 4 * step)
    [[unroll]] for (int i = 0; i < 4; i++) {
      vec4 v = taken (at, r + i * step, vec4 (0));
      sum = KIND == FV_STATS_MAX ? max (sum, v) : sum + v;
    }
  sum = reduce (sum);
  if (KIND == FV_STATS_LP)
    sum = P == 1 ? sum : P == 2 ? sqrt (sum) : pow (sum, vec4 (1 / P));
  else if (KIND != FV_STATS_MAX)
    sum /= push.rows;
  if (KIND == FV_STATS_MOMENTS) {
    for (int r = first; r < push.rows; r += 4 * step)
      [[unroll]] for (int i = 0; i < 4; i++) {
        vec4 v = taken (at, r + i * step, sum);
        squares += v * v;
      }
    squares = reduce (squares);
  }
  if (first != 0 || unit >= push.units)
    return;
  at = push.y_base + map * push.y_map;
  if (KIND == FV_STATS_MOMENTS) {
    FV_STORE (y, at + unit, sum);
    FV_STORE (y, at + push.units + unit, squares);
    return;
  }
  sum = fv_steps (sum, push.operand, map, unit);
  FV_STORE (y, at + unit, mix (vec4 (0), sum,
    lessThan (ivec4 (0, 1, 2, 3) + 4 * unit, ivec4 (push.channels))));
}
