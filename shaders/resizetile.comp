/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require
/* Linear resampling where four outputs in a row need at most WINDOW inputs, as
 * they do when a map grows: an invocation makes 4 x 4 outputs of four channels
 * from WINDOW x WINDOW inputs, each loaded once.
 *
 * Bindings: 0 x, 1 and 2 tables of rows and columns, 3 y, 4 and 5 operands
 * Grid:     folded (channel units, blocks of columns and of rows) x outer x middle
 * A table holds for every four outputs the indices of the inputs, then for each
 * input its weight in each of the four. */
#include "fv.glsl"
#include "steps.glsl"
#include "walk.glsl"

FV_IN (0, x)
FV_IN (1, row_table)
FV_IN (2, column_table)
FV_OUT (3, y)
FV_STEPS_OPERANDS (4)

layout (constant_id = 0) const int WINDOW = 4;
layout (push_constant) uniform Push { FvResizePush push; };

void store_row (int outer, int middle, int row, int column, int unit, vec4 v[4])
{
  int at = push.y_base + outer * push.y[0] + middle * push.y[1]
    + row * push.y[2] + unit;
  int number = outer * push.row[0] + middle * push.row[1] + row * push.row[2];
  bvec4 keep = lessThan (
    ivec4 (0, 1, 2, 3) + 4 * unit, ivec4 (push.channels));

  [[unroll]] for (int i = 0; i < 4; i++)
    if (row < push.height && column + i < push.width) {
      vec4 value = fv_steps (
        v[i], push.operand, number + (column + i) * push.row[3], unit);

      FV_STORE (y, at + (column + i) * push.y[3], mix (vec4 (0), value, keep));
    }
}

void main ()
{
  int block = fv_unit (), tile, unit;
  int outer = int (gl_WorkGroupID.z), middle, base;
  vec4 row_at, column_at, weights[WINDOW], sum[16];

  fv_divide (block, push.units, unit);
  fv_divide (block, (push.width + 3) >> 2, tile);
  fv_divide (outer, push.middle, middle);
  if (4 * block >= push.height)
    return;
  base = push.x_base + outer * push.x[0] + middle * push.x[1] + unit;
  row_at = FV_LOAD (row_table, block * (WINDOW + 1));
  column_at = FV_LOAD (column_table, tile * (WINDOW + 1));
  [[unroll]] for (int w = 0; w < WINDOW; w++)
    weights[w] = FV_LOAD (column_table, tile * (WINDOW + 1) + 1 + w);
  [[unroll]] for (int i = 0; i < 16; i++)
    sum[i] = vec4 (0);
  [[unroll]] for (int r = 0; r < WINDOW; r++) {
    int at = base + int (row_at[r]) * push.x[2];
    vec4 below = FV_LOAD (row_table, block * (WINDOW + 1) + 1 + r);
    vec4 line[4] = vec4[4] (vec4 (0), vec4 (0), vec4 (0), vec4 (0));

    [[unroll]] for (int c = 0; c < WINDOW; c++) {
      vec4 v = FV_LOAD (x, at + int (column_at[c]) * push.x[3]);

      [[unroll]] for (int i = 0; i < 4; i++)
        line[i] = fma (vec4 (weights[c][i]), v, line[i]);
    }
    [[unroll]] for (int k = 0; k < 4; k++)
      [[unroll]] for (int i = 0; i < 4; i++)
        sum[4 * k + i] = fma (vec4 (below[k]), line[i], sum[4 * k + i]);
  }
  [[unroll]] for (int k = 0; k < 4; k++)
    store_row (outer, middle, 4 * block + k, 4 * tile, unit,
      vec4[4] (sum[4 * k], sum[4 * k + 1], sum[4 * k + 2], sum[4 * k + 3]));
}
