/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require
/* Softmax and LogSoftmax of rows.
 *
 * Bindings: 0 x, 1 y, 2 and 3 operands of steps
 * Grid:     any; workgroups share the rows, LANES invocations work on one */
#include "fv.glsl"
#include "steps.glsl"

FV_IN (0, x)
FV_OUT (1, y)
FV_STEPS_OPERANDS (2)

layout (constant_id = 0) const int KIND = FV_ROW_SOFTMAX;
layout (constant_id = 1) const int LANES = 8; /* a power of two */
layout (constant_id = 3) const bool TAIL = true; /* width is no multiple of 4 */
layout (push_constant) uniform Push { FvRowPush push; };
#include "rowreduce.glsl"

#define LOWEST (-3.4028234e38)

void softmax_row (int row, bool inside, int lane, int units)
{
  int at = push.x_base + row * push.x_row;
  vec4 top = vec4 (LOWEST), sum = vec4 (0);
  float highest, total;

  for (int c = lane; c < units; c += LANES)
    top = max (top, select_row (c, FV_LOAD (x, at + c), LOWEST));
  highest = row_max (max (max (top.x, top.y), max (top.z, top.w)));
  for (int c = lane; c < units; c += LANES)
    sum += select_row (c, exp (FV_LOAD (x, at + c) - highest), 0);
  total = row_sum (sum.x + sum.y + sum.z + sum.w);
  if (!inside)
    return;
  for (int c = lane; c < units; c += LANES) {
    vec4 v = FV_LOAD (x, at + c) - highest;

    v = KIND == FV_ROW_SOFTMAX ? exp (v) / total : v - log (total);
    v = select_row (c, fv_steps (v, push.operand, row, c), 0);
    FV_STORE (y, push.y_base + row * push.y_row + c, v);
  }
}

void main ()
{
  int id = int (gl_LocalInvocationID.x), lane = id % LANES;
  int together = int (gl_WorkGroupSize.x) / LANES;
  int step = together * int (gl_NumWorkGroups.x);
  int units = (push.width + 3) >> 2;

  /* all invocations stay in the loop together: the reductions need them */
  for (int r = int (gl_WorkGroupID.x) * together; r < push.rows; r += step) {
    int row = r + id / LANES;
    softmax_row (min (row, push.rows - 1), row < push.rows, lane, units);
  }
}
