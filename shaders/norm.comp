/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require
/* Normalization of rows: LayerNormalization, RMSNormalization, LpNormalization; and
 * what the first of them divides by.
 *
 * Bindings: 0 x, 1 scale, 2 bias (over the row, or one per row), 3 y,
 *           4 and 5 operands of steps,
 *           6 with GATHER: the rows of x that a row consists of; -1: zeroes
 * Grid:     any; workgroups share the rows, LANES invocations work on one
 *
 * The row is read three times: it is in the cache after the first, and keeping it
 * in registers would need a pipeline per width. */
#include "fv.glsl"
#include "steps.glsl"

FV_IN (0, x)
FV_IN (1, scale)
FV_IN (2, bias)
FV_OUT (3, y)
FV_STEPS_OPERANDS (4)
FV_IN (6, table)

layout (constant_id = 0) const int KIND = FV_ROW_LAYER;
layout (constant_id = 1) const int LANES = 8; /* a power of two */
layout (constant_id = 2) const int AFFINE = 0; /* bit 0: scale, bit 1: bias */
layout (constant_id = 3) const bool TAIL = true; /* width is no multiple of 4 */
layout (constant_id = 4) const int GATHER = 0; /* rows of x in a row */
layout (push_constant) uniform Push { FvRowPush push; };
#include "rowreduce.glsl"

const bool FROM_MEAN =
  KIND == FV_ROW_LAYER || KIND == FV_ROW_MEAN || KIND == FV_ROW_INVERSE;

/* What goes into the sum that the row is divided by. */
vec4 weigh (vec4 v)
{
  return KIND == FV_ROW_L1 ? abs (v) : v * v;
}

float factor (float sum)
{
  if (KIND == FV_ROW_L1)
    return sum == 0 ? 0 : 1 / sum;
  if (KIND == FV_ROW_L2)
    return sum == 0 ? 0 : 1 / sqrt (sum);
  return 1 / sqrt (sum / push.width + push.epsilon);
}

/* vec4 @c of a row, which begins at @at where it lies in one piece. */
vec4 load (int row, int at, int c)
{
  if (GATHER == 0)
    return FV_LOAD (x, at + c);
  int part = c / push.unit;
  int source = int (FV_LOAD1 (table, row * GATHER + part));
  vec4 v = FV_LOAD (x,
      push.x_base + max (source, 0) * push.x_row + c - part * push.unit);
  return source < 0 ? vec4 (0) : v;
}

void normalize_row (int row, bool inside, int lane, int units)
{
  int at = push.x_base + row * push.x_row;
  vec4 sum = vec4 (0);
  float mean = 0, inverse;

  if (FROM_MEAN) {
    for (int c = lane; c < units; c += LANES)
      sum += select_row (c, load (row, at, c), 0);
    mean = row_sum (sum.x + sum.y + sum.z + sum.w) / push.width;
    sum = vec4 (0);
  }
  for (int c = lane; c < units; c += LANES)
    sum += select_row (c, weigh (load (row, at, c) - mean), 0);
  inverse = factor (row_sum (sum.x + sum.y + sum.z + sum.w));
  if (!inside)
    return;
  if (KIND == FV_ROW_MEAN || KIND == FV_ROW_INVERSE) {
    if (lane == 0)
      FV_STORE (y, push.y_base + row * push.y_row,
        vec4 (KIND == FV_ROW_MEAN ? mean : inverse, 0, 0, 0));
    return;
  }
  for (int c = lane; c < units; c += LANES) {
    vec4 v = (load (row, at, c) - mean) * inverse;

    if ((AFFINE & 1) != 0)
      v *= FV_LOAD (scale, push.scale_base + row * push.scale_row + c);
    if ((AFFINE & 2) != 0)
      v += FV_LOAD (bias, push.bias_base + row * push.bias_row + c);
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

  /* all invocations stay in the loop together: row_sum needs them */
  for (int r = int (gl_WorkGroupID.x) * together; r < push.rows; r += step) {
    int row = r + id / LANES;
    normalize_row (min (row, push.rows - 1), row < push.rows, lane, units);
  }
}
