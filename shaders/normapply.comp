/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require
/* (x - mean) factor + bias, with one of each per channel and map.
 *
 * Bindings: 0 x, 1 table (rows of means, factors, biases), 2 y, 3 and 4 operands
 * Grid:     (pixel blocks x channel units, maps)
 * An invocation keeps its unit of channels for PIXELS pixels. */
#include "fv.glsl"
#include "steps.glsl"
#include "walk.glsl"

FV_IN (0, x)
FV_IN (1, table)
FV_OUT (2, y)
FV_STEPS_OPERANDS (3)

layout (constant_id = 0) const int PIXELS = 8;
layout (push_constant) uniform Push { FvApplyPush push; };

void main ()
{
  int id = int (gl_GlobalInvocationID.x);
  int block = id, unit, map = int (gl_WorkGroupID.y), first, last, at;
  vec4 mean, factor, offset;
  bvec4 keep;

  fv_divide (block, push.units, unit);
  first = block * PIXELS;
  last = min (first + PIXELS, push.rows);
  if (first >= push.rows)
    return;
  keep = lessThan (ivec4 (0, 1, 2, 3) + 4 * unit, ivec4 (push.channels));
  at = map * push.table_map + unit;
  mean = FV_LOAD (table, at);
  factor = FV_LOAD (table, at + push.units);
  offset = FV_LOAD (table, at + 2 * push.units);
  for (int r = first; r < last; r++) {
    vec4 v = FV_LOAD (x, push.x_base + map * push.x_map + r * push.x_row + unit);

    v = fma (v - mean, factor, offset);
    v = fv_steps (v, push.operand, map * push.rows + r, unit);
    FV_STORE (y, push.y_base + map * push.y_map + r * push.y_row + unit,
      mix (vec4 (0), v, keep));
  }
}
