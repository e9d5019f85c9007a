/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require
/* Resampling along two axes by tables of taps, which hold every mode.
 *
 * Bindings: 0 x, 1 and 2 tables of rows and columns, 3 y, 4 and 5 operands
 * Grid:     folded (channel units, columns, rows) x outer x middle
 * A table entry holds two indices of the input and their weights; an output has
 * rows_taps (columns_taps) entries. */
#include "fv.glsl"
#include "steps.glsl"
#include "walk.glsl"

FV_IN (0, x)
FV_IN (1, row_table)
FV_IN (2, column_table)
FV_OUT (3, y)
FV_STEPS_OPERANDS (4)

layout (constant_id = 0) const bool NEAREST = false; /* only first indices */
layout (push_constant) uniform Push { FvResizePush push; };

void main ()
{
  int row = fv_unit (), column, unit, base;
  int outer = int (gl_WorkGroupID.z), middle;
  vec4 sum = vec4 (0);

  fv_divide (row, push.units, unit);
  fv_divide (row, push.width, column);
  fv_divide (outer, push.middle, middle);
  if (row >= push.height)
    return;
  base = push.x_base + outer * push.x[0] + middle * push.x[1] + unit;
  if (NEAREST)
    sum = FV_LOAD (x, base + int (FV_LOAD (row_table, row).x) * push.x[2]
      + int (FV_LOAD (column_table, column).x) * push.x[3]);
  else
    for (int r = 0; r < push.rows_taps; r++) {
      vec4 rows = FV_LOAD (row_table, row * push.rows_taps + r);
      int above = base + int (rows.x) * push.x[2];
      int below = base + int (rows.y) * push.x[2];

      for (int c = 0; c < push.columns_taps; c++) {
        vec4 columns = FV_LOAD (column_table, column * push.columns_taps + c);
        int left = int (columns.x) * push.x[3];
        int right = int (columns.y) * push.x[3];

        sum += rows.z * (columns.z * FV_LOAD (x, above + left)
            + columns.w * FV_LOAD (x, above + right))
          + rows.w * (columns.z * FV_LOAD (x, below + left)
            + columns.w * FV_LOAD (x, below + right));
      }
    }
  sum = fv_steps (sum, push.operand, outer * push.row[0] + middle * push.row[1]
    + row * push.row[2] + column * push.row[3], unit);
  FV_STORE (y, push.y_base + outer * push.y[0] + middle * push.y[1]
    + row * push.y[2] + column * push.y[3] + unit,
    mix (vec4 (0), sum,
      lessThan (ivec4 (0, 1, 2, 3) + 4 * unit, ivec4 (push.channels))));
}
