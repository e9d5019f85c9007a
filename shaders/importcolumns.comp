/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The second half of a wide filter: what importrows.comp made -> model input.
 * push.plane[0] is the frame's row that stands first in it.
 * Bindings: 0 rows of the frame; 1 columns; 2 rows (tables as in importrows.comp);
 * 3 input. Grid as import.comp. */
#version 460
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#define FV_IMPORT_TARGET
FV_IN (0, source)
FV_IN (1, columns)
FV_IN (2, rows)
FV_OUT (3, target)
#include "import.glsl"

vec3 import_pixel (int x, int y)
{
  int at = y * (taps + 1);
  vec4 h = FV_LOAD (columns, x * (push.plane[1] + 1)), v = FV_LOAD (rows, at);
  int n = h.y == 0 ? 0 : int (v.y);
  int last = push.plane[2], first = int (v.x) - push.plane[0];
  vec3 sum = vec3 (0);
  ivec3 whole = ivec3 (0);
  if (n == 0)
    return around ();
  for (int k = 0; k < n; k += 4) {
    vec4 w = FV_LOAD (rows, at + 1 + k / 4);
    ivec4 s = whole_steps (w);
    [[unroll]] for (int i = 0; i < 4; i++) {
      vec3 value = FV_LOAD (source, min (first + k + i, last) * push.out_width + x).xyz;
      if (eight_bits == 1)
        whole += s[i] * ivec3 (value);
      else
        sum += w[i] * value;
    }
  }
  return eight_bits == 1 ? vec3 (narrowed (whole)) / 255 : sum;
}

void main ()
{
  import_store (int (gl_GlobalInvocationID.x), int (gl_GlobalInvocationID.y));
}
