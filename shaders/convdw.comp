/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Depthwise convolution: y[pixel][c] = sum over tap of x[pixel + tap][c] w[tap][c].
 * An invocation makes a tile of pixels of four channels, so that inputs fetched
 * once serve several taps. Tiles of one pixel loop over the taps instead.
 *
 * Grid: tiles across times vec4 of channels, tiles down, images times depths. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "steps.glsl"
#include "window.h"

layout (constant_id = FV_DW_TILE) const int TILE = FV_PAIR (4, 4);
layout (constant_id = FV_DW_KERNEL) const int KERNEL = FV_PAIR (3, 3);
layout (constant_id = FV_DW_STRIDE) const int STRIDE = FV_PAIR (1, 1);
layout (constant_id = FV_DW_DILATION) const int DILATION = FV_PAIR (1, 1);
layout (constant_id = FV_DW_BIAS) const int BIAS = 0;
layout (constant_id = FV_DW_ODD) const int ODD = 1;
layout (constant_id = FV_WINDOW_IN_DEPTH) const int IN_DEPTH = 1;
layout (constant_id = FV_WINDOW_OUT_DEPTH) const int OUT_DEPTH = 1;
layout (constant_id = FV_WINDOW_KERNEL) const int KZ = 1;
layout (constant_id = FV_WINDOW_STRIDE) const int SZ = 1;
layout (constant_id = FV_WINDOW_DILATION) const int DZ = 1;
layout (constant_id = FV_WINDOW_PAD) const int PZ = 0;
layout (constant_id = FV_SPEC_LOCAL) const int THREADS = 8;
const int TY = FV_PAIR_Y (TILE), TX = FV_PAIR_X (TILE);
const int KY = FV_PAIR_Y (KERNEL), KX = FV_PAIR_X (KERNEL);
const int SY = FV_PAIR_Y (STRIDE), SX = FV_PAIR_X (STRIDE);
const int DY = FV_PAIR_Y (DILATION), DX = FV_PAIR_X (DILATION);
const int ROWS = (TY - 1) * SY + (KY - 1) * DY + 1;
const int COLUMNS = (TX - 1) * SX + (KX - 1) * DX + 1;

layout (push_constant) uniform Push { FvWindowPush push; };

FV_IN (0, x)
FV_IN (1, w)
FV_IN (2, bias)
FV_OUT (3, y)
FV_STEPS_OPERANDS (4)

vec4 load (int start, int sy, int sx)
{
  int near_y = clamp (sy, 0, push.in_height - 1);
  int near_x = clamp (sx, 0, push.in_width - 1);
  vec4 v = FV_LOAD (x, start + near_y * push.x_row + near_x * push.x_pixel);
  return near_y == sy && near_x == sx ? v : vec4 (0);
}

vec4 sum[TY * TX];

/* Adds the taps of one depth; @start: of the input there, @w0: of its weights. */
void add_plane (int start, int w0, int vectors, int iy, int ix)
{
  if (TY * TX == 1) {
    for (int ky = 0; ky < KY; ky++)
      for (int kx = 0; kx < KX; kx++)
        sum[0] = fma (load (start, iy + ky * DY, ix + kx * DX),
            FV_LOAD (w, w0 + (ky * KX + kx) * vectors), sum[0]);
    return;
  }
  vec4 weight[KY * KX];
  [[unroll]] for (int t = 0; t < KY * KX; t++)
    weight[t] = FV_LOAD (w, w0 + t * vectors);
  [[unroll]] for (int r = 0; r < ROWS; r++)
    [[unroll]] for (int q = 0; q < COLUMNS; q++) {
      vec4 v = load (start, iy + r, ix + q);
      [[unroll]] for (int ty = 0; ty < TY; ty++)
        [[unroll]] for (int tx = 0; tx < TX; tx++) {
          int ky = r - ty * SY, kx = q - tx * SX;
          if (ky >= 0 && ky % DY == 0 && ky / DY < KY && kx >= 0
              && kx % DX == 0 && kx / DX < KX)
            sum[ty * TX + tx] = fma (
                v, weight[ky / DY * KX + kx / DX], sum[ty * TX + tx]);
        }
    }
}

void main ()
{
  int vectors = push.channels + 3 >> 2;
  int across = (push.out_width + TX - 1) / TX;
  int id = int (gl_WorkGroupID.x) * THREADS + int (gl_LocalInvocationID.x);
  bool exists = id < across * vectors;
  id = min (id, across * vectors - 1);
  int tile = id / vectors, c = id - tile * vectors;
  int oy = int (gl_WorkGroupID.y) * TY, ox = tile * TX;
  int iy = oy * SY - FV_PAIR_Y (push.pad), ix = ox * SX - FV_PAIR_X (push.pad);
  int image = int (gl_WorkGroupID.z) / OUT_DEPTH;
  int oz = int (gl_WorkGroupID.z) - image * OUT_DEPTH;
  int start = push.x_base + image * push.x_batch + c;
  vec4 b = BIAS != 0 ? FV_LOAD (bias, push.bias + c) : vec4 (0);

  [[unroll]] for (int i = 0; i < TY * TX; i++)
    sum[i] = b;
  for (int kz = 0; kz < KZ; kz++) {
    int iz = oz * SZ - PZ + kz * DZ;
    if (iz >= 0 && iz < IN_DEPTH)
      add_plane (start + iz * push.x_depth,
          push.w_base + kz * KY * KX * vectors + c, vectors, iy, ix);
  }
  start = push.y_base + image * push.y_batch + oz * push.y_depth + c;
  [[unroll]] for (int i = 0; i < TY * TX; i++) {
    ivec2 at = ivec2 (ox + i % TX, oy + i / TX);
    ivec2 near = min (at, ivec2 (push.out_width, push.out_height) - 1);
    int row = (int (gl_WorkGroupID.z) * push.out_height + near.y)
        * push.out_width + near.x;
    vec4 v = fv_steps (sum[i], push.operand, row, c);
    if (ODD != 0)
      v = mix (v, vec4 (0), greaterThanEqual (
          4 * c + ivec4 (0, 1, 2, 3), ivec4 (push.channels)));
    if (exists && at == near)
      FV_STORE (y, start + at.y * push.y_row + at.x * push.y_pixel, v);
  }
}
