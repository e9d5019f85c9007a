/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require
/* Instance- and GroupNormalization at once, where groups are of whole vec4 or of one
 * or two channels.
 *
 * Bindings: 0 x, 1 scale, 2 bias, 3 y, 4 and 5 operands of steps
 * Grid:     (groups, or units that hold several; maps)
 * The invocations of a workgroup share the rows of one group, which they read three
 * times: for the mean, for the squares around it, to be scaled. */
#include "fv.glsl"
#include "steps.glsl"

FV_IN (0, x)
FV_IN (1, scale)
FV_IN (2, bias)
FV_OUT (3, y)
FV_STEPS_OPERANDS (4)

layout (constant_id = 0) const int GROUP = 4; /* 1 or 2: channels of one; 4: more */
layout (constant_id = 1) const bool BY_GROUP = false; /* scale and bias */
layout (constant_id = FV_SPEC_LOCAL) const int THREADS = 8;
layout (push_constant) uniform Push { FvMapNormPush push; };

const int COLUMNS = 1;
const bool MAXIMUM = false;
#include "columnreduce.glsl"

/* The mean of what all rows' @sums add up to. */
vec4 average (vec4 sums)
{
  vec4 v = reduce (sums);

  if (GROUP == 1)
    return v / push.rows;
  if (GROUP == 2)
    return (v + v.yxwz) / (2 * push.rows);
  return vec4 ((v.x + v.y + v.z + v.w) / (float (push.rows) * 4 * push.units));
}

/* Scales or biases of the groups that begin with @group. */
#define BY_GROUPS(name, base) \
  vec4 (FV_LOAD1 (name, 4 * base + group), 0, \
    FV_LOAD1 (name, 4 * base + min (group + 1, last_group)), 0)

void main ()
{
  int id = int (gl_LocalInvocationID.x), map = int (gl_WorkGroupID.y);
  int first = int (gl_WorkGroupID.x) * push.units;
  int group = int (gl_WorkGroupID.x) * (GROUP == 2 ? 2 : 1);
  int last_group = GROUP == 2 ? (push.channels - 1) / 2 : group;
  int x_at = push.x_base + map * push.x_map + first;
  int y_at = push.y_base + map * push.y_map + first;
  vec4 sum = vec4 (0), squares = vec4 (0), mean, inverse;

  for (int u = 0; u < push.units; u++)
    for (int r = id; r < push.rows; r += 4 * THREADS)
      [[unroll]] for (int i = 0; i < 4; i++) {
        int row = r + i * THREADS;
        vec4 v = FV_LOAD (x, x_at + min (row, push.rows - 1) * push.x_row + u);

        sum += row < push.rows ? v : vec4 (0);
      }
  mean = average (sum);
  for (int u = 0; u < push.units; u++)
    for (int r = id; r < push.rows; r += 4 * THREADS)
      [[unroll]] for (int i = 0; i < 4; i++) {
        int row = r + i * THREADS;
        vec4 v = FV_LOAD (x, x_at + min (row, push.rows - 1) * push.x_row + u);

        v -= mean;
        squares += row < push.rows ? v * v : vec4 (0);
      }
  inverse = 1 / sqrt (average (squares) + push.epsilon);
  for (int u = 0; u < push.units; u++) {
    bvec4 keep =
      lessThan (ivec4 (0, 1, 2, 3) + 4 * (first + u), ivec4 (push.channels));
    vec4 factor = inverse, offset;

    if (BY_GROUP) {
      vec4 scales = BY_GROUPS (scale, push.scale_base);

      offset = BY_GROUPS (bias, push.bias_base);
      factor *= GROUP == 2 ? scales.xxzz : scales.xxxx;
      offset = GROUP == 2 ? offset.xxzz : offset.xxxx;
    } else {
      factor *= FV_LOAD (scale, push.scale_base + first + u);
      offset = FV_LOAD (bias, push.bias_base + first + u);
    }
    for (int r = id; r < push.rows; r += THREADS) {
      vec4 v = FV_LOAD (x, x_at + r * push.x_row + u);

      v = fma (v - mean, factor, offset);
      v = fv_steps (v, push.operand, map * push.rows + r, first + u);
      FV_STORE (y, y_at + r * push.y_row + u, mix (vec4 (0), v, keep));
    }
  }
}
