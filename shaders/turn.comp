/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A map over the picture upright -> the same over the picture as it is stored. One
 * invocation per word of the result.
 * Bindings: 0 map, 1 result; words. Grid: words of a row / local size, rows. */
#version 460
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "heads.h"

layout (constant_id = FV_TURN_SPEC_BYTES) const int bytes = 1;
layout (constant_id = FV_TURN_SPEC_SWAP) const int is_swapped = 0;
layout (constant_id = FV_TURN_SPEC_MIRROR_X) const int is_mirrored_x = 0;
layout (constant_id = FV_TURN_SPEC_MIRROR_Y) const int is_mirrored_y = 0;
layout (push_constant) uniform Push
{
  FvTurnPush p;
};
layout (std430, set = 0, binding = 0) readonly buffer From { uint from[]; };
layout (std430, set = 0, binding = 1) writeonly buffer To { uint to[]; };

/* Of the upright picture, what is stored at (x, y). */
uint element_at (int x, int y)
{
  ivec2 q = ivec2 (is_mirrored_x != 0 ? p.width - 1 - x : x,
    is_mirrored_y != 0 ? p.height - 1 - y : y);
  if (is_swapped != 0)
    q = q.yx;
  int at = q.x * bytes;
  return bitfieldExtract (from[p.from + q.y * p.from_row + (at >> 2)],
    8 * (at & 3), min (8 * bytes, 32));
}

void main ()
{
  const int n = 4 / bytes;
  int w = int (gl_GlobalInvocationID.x), y = int (gl_GlobalInvocationID.y);
  uint word = 0;
  if (w >= p.to_row || y >= p.height)
    return;
  for (int k = 0; k < n && n * w + k < p.width; k++)
    word |= element_at (n * w + k, y) << (8 * bytes * k);
  to[p.to + y * p.to_row + w] = word;
}
