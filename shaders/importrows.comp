/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frame -> rows of the frame with the input's columns, f32 vec4: the first half of
 * a wide filter. The table holds for each column: first pixel, how many, -, -,
 * then the weights.
 * Bindings: 0, 1 frame; 2 columns; 3 result. Grid: columns / local size, rows of
 * the frame from push.base on. */
#version 460
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#define FV_IMPORT_SOURCE
FV_IN (2, columns)
FV_OUT (3, result)
#include "import.glsl"

void main ()
{
  int x = int (gl_GlobalInvocationID.x), y = int (gl_GlobalInvocationID.y);
  if (x >= push.out_width)
    return;
  int at = x * (taps + 1);
  vec4 head = FV_LOAD (columns, at);
  int first = int (head.x), n = int (head.y);
  vec3 sum = vec3 (0);
  for (int k = 0; k < n; k += 4) {
    vec4 w = FV_LOAD (columns, at + 1 + k / 4);
    sum += w.x * channels (first + k, push.base + y);
    sum += w.y * channels (first + k + 1, push.base + y);
    sum += w.z * channels (first + k + 2, push.base + y);
    sum += w.w * channels (first + k + 3, push.base + y);
  }
  FV_STORE (result, y * push.out_width + x, vec4 (sum, 0));
}
