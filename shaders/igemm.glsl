/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bindings, addresses and epilogue of igemm.comp, the same in both tiers. */
#include "fv.glsl"
#include "steps.glsl"
#include "igemm.h"

layout (constant_id = FV_IGEMM_PIXELS) const int PIXELS = 32;
layout (constant_id = FV_IGEMM_CHANNELS) const int CHANNELS = 32;
layout (constant_id = FV_IGEMM_WINDOW) const int WINDOW = 0;
layout (constant_id = FV_IGEMM_PACKED) const int PACKED = 1;
layout (constant_id = FV_IGEMM_BIAS) const int BIAS = FV_BIAS_NONE;
layout (constant_id = FV_IGEMM_Z) const int Z = FV_Z_NONE;
layout (constant_id = FV_IGEMM_TAIL) const int TAIL = 0;
layout (constant_id = FV_IGEMM_ODD) const int ODD = 1;
layout (constant_id = FV_IGEMM_ALPHA) const float ALPHA = 1;
layout (constant_id = FV_IGEMM_BETA) const float BETA = 1;
layout (constant_id = FV_IGEMM_ROWS) const int GATHER = 0;
layout (constant_id = FV_IGEMM_GATE) const int GATE = 0;
layout (constant_id = FV_IGEMM_BLOCKED) const int BLOCKED = 0;
const int X_STEP = BLOCKED == 0 ? 1 : 8; /* vec4 along K */
const bool HOLES = WINDOW != 0 || GATHER < 0;

layout (push_constant) uniform Push { FvIgemmPush push; };

FV_IN (0, x)
FV_IN (1, w)
FV_IN (2, bias)
FV_OUT (3, y)
FV_STEPS_OPERANDS (4)
FV_IN (6, table) /* or the gate */

/* Integer divisions are slow where lanes are loops, so they are left out where z
 * is always 0. */
int z0 = Z == FV_Z_NONE ? 0 : int (gl_WorkGroupID.z) % push.z0_count;
int z1 = Z == FV_Z_NONE ? 0 : int (gl_WorkGroupID.z) / push.z0_count;
int depth = push.depth;
int taps = GATHER != 0 ? abs (GATHER) : WINDOW == 0
    ? 1 : FV_PAIR_Y (push.kernel) * FV_PAIR_X (push.kernel);
int x_start = push.x_base + z0 * push.x_z0 + z1 * push.x_z1;
int w_start = push.w_base + z0 * push.w_z0 + z1 * push.w_z1;
int y_start = push.y_base + z0 * push.y_z0 + z1 * push.y_z1;

/* Where the weights of output channel @m begin, and vec4 steps along K. */
int w_address (int m)
{
  if (PACKED == 0)
    return w_start + min (m, push.channels - 1) * push.w_row;
  return w_start + min (m >> 3, push.channels - 1 >> 3) * (taps * depth * 8)
      + (m & 7);
}
const int W_STEP = PACKED == 0 ? 1 : 8;

/* Position in the input that tap (0, 0) of output @pixel reads. */
ivec2 corner (int pixel)
{
  if (WINDOW == 0)
    return ivec2 (pixel, 0);
  int row = pixel / push.out_width;
  return ivec2 (pixel - row * push.out_width, row)
      * ivec2 (FV_PAIR_X (push.stride), FV_PAIR_Y (push.stride))
      - ivec2 (FV_PAIR_X (push.pad), FV_PAIR_Y (push.pad));
}

/* How far tap @tap is from the first. */
ivec2 tap_shift (int tap)
{
  if (GATHER != 0)
    return ivec2 (0, tap);
  if (WINDOW == 0)
    return ivec2 (0);
  int row = tap / FV_PAIR_X (push.kernel);
  return ivec2 (tap - row * FV_PAIR_X (push.kernel), row)
      * ivec2 (FV_PAIR_X (push.dilation), FV_PAIR_Y (push.dilation));
}

/* Address of the input at @at, which is clamped; @inside: whether it was not. */
int x_address (ivec2 at, out bool inside)
{
  inside = true;
  if (GATHER != 0) {
    int row = int (FV_LOAD1 (table, at.x * taps + at.y));
    inside = row >= 0;
    return x_start + max (row, 0) * push.x_pixel;
  }
  if (BLOCKED != 0)
    return x_start + (at.x >> 3) * push.x_row + (at.x & 7);
  if (WINDOW == 0)
    return x_start + at.x * push.x_pixel;
  ivec2 end = ivec2 (push.in_width, push.in_height) - 1;
  ivec2 near = clamp (at, ivec2 (0), end);
  inside = near == at;
  return x_start + near.y * push.x_row + near.x * push.x_pixel;
}

/* Where output @pixel begins. */
int y_address (int pixel)
{
  if (WINDOW == 0)
    return y_start + pixel * push.y_pixel;
  int row = pixel / push.out_width;
  return y_start + row * push.y_row
      + (pixel - row * push.out_width) * push.y_pixel;
}

int first_c = Z == FV_Z_GROUPS ? z0 * (push.channels >> 2) : 0;
int first_row = Z == FV_Z_NONE ? 0
    : (Z == FV_Z_GROUPS ? z1 : int (gl_WorkGroupID.z)) * push.pixels;

/* The bias of channels 4 @c to 4 @c + 3, where it is the same for all rows. */
vec4 common_bias (int c)
{
  if (BIAS != FV_BIAS_COMMON)
    return vec4 (0);
  return BETA * FV_LOAD (bias, push.bias + first_c + c);
}

/* Channels 4 @c to 4 @c + 3 of @pixel, which must exist, from their sums. */
vec4 finish (int pixel, int c, vec4 sum, vec4 start)
{
  int row = first_row + pixel;
  vec4 v = ALPHA * sum + start;
  if (BIAS == FV_BIAS_ROWS)
    v += BETA * FV_LOAD (bias, push.bias + row * push.bias_stride + c);
  if (BIAS == FV_BIAS_COLUMN)
    v += BETA * FV_LOAD1 (bias, push.bias + row * push.bias_stride);
  v = fv_steps (v, push.operand, row, first_c + c);
  if (ODD == 0)
    return v;
  return mix (v, vec4 (0), greaterThanEqual (
      4 * c + ivec4 (0, 1, 2, 3), ivec4 (push.channels)));
}
