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
 * A row that fits into the registers of its lanes, CHUNK vec4 each, is read once,
 * others are read twice. */
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
/* bit 0: scale, bit 1: bias; bits 2 and 3: they differ from row to row */
layout (constant_id = 2) const int AFFINE = 0;
layout (constant_id = 3) const bool TAIL = true; /* width is no multiple of 4 */
layout (constant_id = 4) const int GATHER = 0; /* rows of x in a row */
layout (constant_id = 5) const bool SHORT = false; /* one chunk */
layout (constant_id = FV_SPEC_LOCAL) const int THREADS = 8;
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

/* Where a row lies, if in one piece; -1 for one of zeroes. */
int start_of (int row)
{
  if (GATHER == 0)
    return push.x_base + row * push.x_row;
  if (GATHER > 1)
    return 0;
  int source = int (FV_LOAD1 (table, row));
  return source < 0 ? -1 : push.x_base + source * push.x_row;
}

/* vec4 @c of a row, which begins at @at where it lies in one piece. */
vec4 load (int row, int at, int c)
{
  if (GATHER < 2)
    return GATHER == 1 && at < 0 ? vec4 (0) : FV_LOAD (x, max (at, 0) + c);
  int part = c / push.unit;
  int source = int (FV_LOAD1 (table, row * GATHER + part));
  vec4 v = FV_LOAD (x,
      push.x_base + max (source, 0) * push.x_row + c - part * push.unit);
  return source < 0 ? vec4 (0) : v;
}

#define load_scale(row, c) FV_LOAD (scale, push.scale_base + row * push.scale_row + c)
#define load_bias(row, c) FV_LOAD (bias, push.bias_base + row * push.bias_row + c)

const int CHUNK = THREADS < 8 ? THREADS : 8; /* vec4 that a lane has of a row */
#ifdef FV_SUBGROUP
const bool ALONE = LANES == 1;
#define FROM_LANE(value, lane) subgroupShuffle (value, lane)
#else
const bool ALONE = false;
#define FROM_LANE(value, lane) value
#endif

#define LOAD_CHUNK \
  [[unroll]] for (int i = 0; i < CHUNK; i++) \
    v[i] = load (row, at, min (start + i * LANES, units - 1));
#define SUM_CHUNK(value) \
  [[unroll]] for (int i = 0; i < CHUNK; i++) { \
    int c = start + i * LANES; \
    sum += c < units ? select_row (c, value, 0) : vec4 (0); \
  }

/* Means and squares of chunks are put together as by Chan, Golub and LeVeque
 * ("Updating formulae and a pairwise algorithm for computing sample variances",
 * 1979). Lanes with rows of their own load for each other what rows share. */
void normalize_row (int row, bool inside, int lane, int units)
{
  int at = start_of (row), end = SHORT ? 1 : units;
  float mean = 0, squares = 0, inverse;
  vec4 v[CHUNK];

  for (int first = 0; first < end; first += CHUNK * LANES) {
    int start = first + lane;
    float n = float (min (4 * CHUNK * LANES, push.width - 4 * first));
    float middle = 0, away;
    vec4 sum = vec4 (0);

    LOAD_CHUNK
    if (FROM_MEAN) {
      SUM_CHUNK (v[i])
      middle = row_sum (sum.x + sum.y + sum.z + sum.w) / n;
      sum = vec4 (0);
    }
    SUM_CHUNK (weigh (v[i] - middle))
    squares += row_sum (sum.x + sum.y + sum.z + sum.w);
    away = middle - mean;
    n /= float (4 * first) + n;
    squares += away * away * (n * float (4 * first));
    mean += away * n;
  }
  inverse = factor (squares);
  if (KIND == FV_ROW_MEAN || KIND == FV_ROW_INVERSE) {
    if (inside && lane == 0)
      FV_STORE (y, push.y_base + row * push.y_row,
        vec4 (KIND == FV_ROW_MEAN ? mean : inverse, 0, 0, 0));
    return;
  }
  for (int first = 0; first < end; first += CHUNK * LANES) {
    int start = first + lane;
    int mine = min (first + int (gl_LocalInvocationID.x), units - 1);
    vec4 scales = ALONE && (AFFINE & 5) == 1 ? load_scale (row, mine) : vec4 (0);
    vec4 biases = ALONE && (AFFINE & 10) == 2 ? load_bias (row, mine) : vec4 (0);

    if (!SHORT)
      LOAD_CHUNK
    [[unroll]] for (int i = 0; i < CHUNK; i++) {
      int c = start + i * LANES, near = min (c, units - 1);
      vec4 u = (v[i] - mean) * inverse;

      if ((AFFINE & 1) != 0)
        u *= ALONE && (AFFINE & 4) == 0 ? FROM_LANE (scales, i) : load_scale (row, near);
      if ((AFFINE & 2) != 0)
        u += ALONE && (AFFINE & 8) == 0 ? FROM_LANE (biases, i) : load_bias (row, near);
      u = select_row (near, fv_steps (u, push.operand, row, near), 0);
      if (inside && c < units)
        FV_STORE (y, push.y_base + row * push.y_row + c, u);
    }
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
