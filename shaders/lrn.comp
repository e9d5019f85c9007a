/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require
/* Local response normalization of rows of channels:
 * x / (bias + alpha sum (x^2 over neighbouring channels))^beta
 *
 * Bindings: 0 x, 1 y, 2 and 3 operands of steps
 * Grid:     folded (channel units, rows) */
#include "fv.glsl"
#include "steps.glsl"
#include "walk.glsl"

FV_IN (0, x)
FV_OUT (1, y)
FV_STEPS_OPERANDS (2)

layout (push_constant) uniform Push { FvLrnPush push; };

void main ()
{
  int row = fv_unit (), unit, at, first, last;
  ivec4 lanes = ivec4 (0, 1, 2, 3);
  vec4 sum = vec4 (0), v;

  fv_divide (row, (push.channels + 3) >> 2, unit);
  if (row >= push.rows)
    return;
  at = push.x_base + row * push.x_row;
  first = max (4 * unit - push.before, 0) >> 2;
  last = min (4 * unit + 3 + push.after, push.channels - 1) >> 2;
  for (int u = first; u <= last; u++) {
    v = FV_LOAD (x, at + u);
    v *= v;
    [[unroll]] for (int i = 0; i < 4; i++) {
      int c = 4 * u + i;
      ivec4 apart = c - 4 * unit - lanes;
      bvec4 counts = bvec4 (
        uvec4 (greaterThanEqual (apart, ivec4 (-push.before)))
        & uvec4 (lessThanEqual (apart, ivec4 (push.after)))
        & uint (c < push.channels));

      sum += mix (vec4 (0), vec4 (v[i]), counts);
    }
  }
  v = FV_LOAD (x, at + unit) / pow (push.bias + push.alpha * sum, vec4 (push.beta));
  v = fv_steps (v, push.operand, row, unit);
  FV_STORE (y, push.y_base + row * push.y_row + unit,
    mix (vec4 (0), v, lessThan (lanes + 4 * unit, ivec4 (push.channels))));
}
