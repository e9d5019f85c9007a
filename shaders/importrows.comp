/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frame -> rows of the frame with the input's columns, f32 vec4: the first half of
 * a wide filter. The table holds for each column: first pixel, how many, -, -,
 * then the weights.
 * Bindings: 0, 1 frame; 2 columns; 3 result. Grid: columns / local size, rows of
 * the frame from push.base on. With eight_bits the result is 0..255. */
#version 460
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#define FV_IMPORT_SOURCE
FV_IN (2, columns)
FV_OUT (3, result)
#include "import.glsl"

/* Two weights of a table from @at on, those of taps @k and @k + 1: taps are dear, and
 * most filters have no multiple of four of them. */
vec2 pair (int at, int k)
{
  vec4 w = FV_LOAD (columns, at + k / 4);
  return (k & 2) == 0 ? w.xy : w.zw;
}

vec3 filtered (int at, int x, int y, int n)
{
  vec3 sum = vec3 (0);
  for (int k = 0; k < n; k += 2) {
    vec2 w = pair (at, k);
    sum += w.x * channels (x + k, y);
    sum += w.y * channels (x + k + 1, y);
  }
  return sum;
}

vec3 filtered_bytes (int at, int x, int y, int n)
{
  ivec3 sum = ivec3 (0);
  for (int k = 0; k < n; k += 2) {
    ivec2 w = ivec2 (pair (at, k) * 4194304.0);
    sum += w.x * bytes (x + k, y);
    sum += w.y * bytes (x + k + 1, y);
  }
  return vec3 (narrowed (sum));
}

void main ()
{
  int x = int (gl_GlobalInvocationID.x), y = int (gl_GlobalInvocationID.y);
  if (x >= push.out_width)
    return;
  int at = x * (taps + 1);
  vec4 head = FV_LOAD (columns, at);
  int first = int (head.x), n = int (head.y), row = push.base + y;
  vec3 sum = eight_bits == 1 ? filtered_bytes (at + 1, first, row, n)
                             : filtered (at + 1, first, row, n);
  FV_STORE (result, y * push.out_width + x, vec4 (sum, 0));
}
