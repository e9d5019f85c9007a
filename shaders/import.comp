/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frame -> model input, two pixels a side at most. Tables hold for each column
 * and each row of the input: first pixel, how many (0: outside of the frame),
 * weight of the first, weight of the second.
 * Bindings: 0, 1 frame; 2 columns; 3 rows; 4 input. Grid: columns / local size
 * (or quarters of them), rows. */
#version 460
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#define FV_IMPORT_SOURCE
#define FV_IMPORT_TARGET
FV_IN (2, columns)
FV_IN (3, rows)
FV_OUT (4, target)
#include "import.glsl"

vec3 import_pixel (int x, int y)
{
  vec4 h = FV_LOAD (columns, x), v = FV_LOAD (rows, y);
  int sx = int (h.x), sy = int (v.x);
  if (h.y * v.y == 0)
    return around ();
  if (eight_bits == 1) {
    ivec4 across = whole_steps (h), down = whole_steps (v);
    ivec3 top = across.z * bytes (sx, sy) + across.w * bytes (sx + 1, sy);
    ivec3 bottom
      = across.z * bytes (sx, sy + 1) + across.w * bytes (sx + 1, sy + 1);
    top = down.z * narrowed (top) + down.w * narrowed (bottom);
    return vec3 (narrowed (top)) / 255;
  }
  return v.z * (h.z * channels (sx, sy) + h.w * channels (sx + 1, sy))
    + v.w * (h.z * channels (sx, sy + 1) + h.w * channels (sx + 1, sy + 1));
}

void main ()
{
  import_store (int (gl_GlobalInvocationID.x), int (gl_GlobalInvocationID.y));
}
