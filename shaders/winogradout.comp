/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The output of a Winograd convolution: A' m A of the products m of each tile, see
 * winogradin.comp, with bias and steps. An invocation makes four channels of a
 * tile.
 *
 * Grid: tiles times vec4 of channels. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "winograd.glsl"
#include "steps.glsl"

layout (constant_id = FV_WINOGRAD_BIAS) const int BIAS = 0;
layout (constant_id = FV_WINOGRAD_ODD) const int ODD = 1;

FV_IN (0, m)
FV_IN (1, bias)
FV_OUT (2, y)
FV_STEPS_OPERANDS (3)

void backward (inout vec4 m[6])
{
  if (TILE == 2) {
    m[0] += m[1] + m[2];
    m[1] -= m[2] + m[3];
    return;
  }
  vec4 a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
  m[0] += a + c;
  m[1] = (ROOT / 2) * b + ROOT * d;
  m[2] = 0.5 * a + 2 * c;
  m[3] = (ROOT / 4) * b + (2 * ROOT) * d + m[5];
}

void main ()
{
  int id = int (gl_WorkGroupID.x) * THREADS + int (gl_LocalInvocationID.x);
  bool exists = id < push.tiles * push.units;
  id = min (id, push.tiles * push.units - 1);
  int which = id / push.units;
  Tile tile = tile_at (which, id - which * push.units);
  int start = push.base + tile.image * push.image + tile.c;
  vec4 t[TILE * SIDE], d[6];
  vec4 b = BIAS != 0 ? FV_LOAD (bias, push.bias + tile.c) : vec4 (0);

  [[unroll]] for (int j = 0; j < SIDE; j++) {
    [[unroll]] for (int i = 0; i < SIDE; i++)
      d[i] = FV_LOAD (m, push.planes + id + (i * SIDE + j) * push.plane);
    backward (d);
    [[unroll]] for (int i = 0; i < TILE; i++)
      t[i * SIDE + j] = d[i];
  }
  [[unroll]] for (int i = 0; i < TILE; i++) {
    int row = tile.y * TILE + i, near_row = min (row, push.height - 1);
    [[unroll]] for (int j = 0; j < SIDE; j++)
      d[j] = t[i * SIDE + j];
    backward (d);
    [[unroll]] for (int j = 0; j < TILE; j++) {
      int column = tile.x * TILE + j, near = min (column, push.width - 1);
      int at = (tile.image * push.height + near_row) * push.width + near;
      vec4 v = fv_steps (d[j] + b, push.operand, at, tile.c);
      if (ODD != 0)
        v = mix (v, vec4 (0), greaterThanEqual (
            4 * tile.c + ivec4 (0, 1, 2, 3), ivec4 (push.channels)));
      if (exists && row == near_row && column == near)
        FV_STORE (y, start + row * push.row + column * push.pixel, v);
    }
  }
}
