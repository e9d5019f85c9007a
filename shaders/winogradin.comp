/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The input of a Winograd convolution, transformed: B' d B of each tile d, with
 * the points 0, +-sqrt (1/2), +-sqrt (2) of F(4,3), which keep the rounding errors
 * small, and 0, +-1 of F(2,3). An invocation transforms four channels of a tile;
 * the planes lie as [tile / 8][vec4 of channels][tile % 8].
 *
 * Grid: tiles times vec4 of channels, in that order. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "winograd.glsl"

FV_IN (0, x)
FV_OUT (1, v)

void forward (inout vec4 d[6])
{
  if (TILE == 2) {
    vec4 a = d[0] - d[2], b = d[1] + d[2];
    d[2] -= d[1];
    d[3] = d[1] - d[3];
    d[0] = a;
    d[1] = b;
    return;
  }
  vec4 even = d[4] - 2 * d[2], odd = (ROOT / 2) * d[3] - ROOT * d[1];
  vec4 near = d[4] - 0.5 * d[2], far = ROOT * d[3] - (ROOT / 2) * d[1];
  d[0] += d[4] - 2.5 * d[2];
  d[5] += d[1] - 2.5 * d[3];
  d[1] = even + odd;
  d[2] = even - odd;
  d[3] = near + far;
  d[4] = near - far;
}

void main ()
{
  int id = int (gl_WorkGroupID.x) * THREADS + int (gl_LocalInvocationID.x);
  int column = id >> 3, block = column / push.units;
  int which = block * 8 + (id & 7);
  bool exists = which < push.tiles;
  Tile tile = tile_at (min (which, push.tiles - 1), column - block * push.units);
  int y = tile.y * TILE - push.pad_y, x0 = tile.x * TILE - push.pad_x;
  int start = push.base + tile.image * push.image + tile.c;
  vec4 t[SIDE * SIDE], d[6];
  int row[SIDE];
  bool inside[SIDE];

  [[unroll]] for (int i = 0; i < SIDE; i++) {
    int near = clamp (y + i, 0, push.height - 1);
    inside[i] = near == y + i;
    row[i] = start + near * push.row;
  }
  [[unroll]] for (int j = 0; j < SIDE; j++) {
    int near = clamp (x0 + j, 0, push.width - 1);
    [[unroll]] for (int i = 0; i < SIDE; i++) {
      d[i] = FV_LOAD (x, row[i] + near * push.pixel);
      d[i] = inside[i] && near == x0 + j ? d[i] : vec4 (0);
    }
    forward (d);
    [[unroll]] for (int i = 0; i < SIDE; i++)
      t[i * SIDE + j] = d[i];
  }
  [[unroll]] for (int i = 0; i < SIDE; i++) {
    [[unroll]] for (int j = 0; j < SIDE; j++)
      d[j] = t[i * SIDE + j];
    forward (d);
    [[unroll]] for (int j = 0; j < SIDE; j++)
      if (exists)
        FV_STORE (v, push.planes + id + (i * SIDE + j) * push.plane, d[j]);
  }
}
