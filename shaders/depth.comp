/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A depth tensor -> a v + b of every pixel of the frame, with the smallest and
 * the largest. One invocation per block of 4 x 4 pixels. */
#version 460
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "heads.h"
#include "headreduce.glsl"

layout (push_constant) uniform Push
{
  FvMapPush p;
};
FV_IN (0, depth)
layout (std430, set = 0, binding = 1) buffer Map { float map[]; };
layout (std430, set = 0, binding = 2) buffer Range { uint range[]; };
FV_REDUCE (min_all, uint, min (a, b))
FV_REDUCE (max_all, uint, max (a, b))

/* Unsigned numbers in the order of the floats. */
uint ordered (float v)
{
  uint u = floatBitsToUint (v);
  return (u & 0x80000000u) != 0 ? ~u : u | 0x80000000u;
}

float load (int x, int y)
{
  return FV_LOAD1 (depth, p.offset + y * p.stride_y + x * p.stride_x);
}

float value (ivec2 pixel)
{
  vec2 at = vec2 (pixel) * vec2 (p.scale_x, p.scale_y) + vec2 (p.bias_x, p.bias_y);
  at = clamp (at, vec2 (0), vec2 (p.map_width - 1, p.map_height - 1));
  ivec2 low = ivec2 (at), high = ivec2 (ceil (at));
  vec2 f = at - vec2 (low);
  float above = mix (load (low.x, low.y), load (high.x, low.y), f.x);
  float below = mix (load (low.x, high.y), load (high.x, high.y), f.x);
  return p.a * mix (above, below, f.y) + p.b;
}

void main ()
{
  int x_blocks = (p.frame_width + FV_DEPTH_BLOCK - 1) / FV_DEPTH_BLOCK;
  int block = FV_FLAT_INDEX;
  ivec2 first = ivec2 (block % x_blocks, block / x_blocks) * FV_DEPTH_BLOCK;
  ivec2 end = min (first + FV_DEPTH_BLOCK, ivec2 (p.frame_width, p.frame_height));
  uint low = 0xffffffff, high = 0;

  for (int y = first.y; y < end.y; y++)
    for (int x = first.x; x < end.x; x++) {
      float v = value (ivec2 (x, y));
      uint u = floatBitsToUint (v) & 0x7fffffffu;
      bool is_finite = u < 0x7f800000u;
      map[y * p.row_words + x] = is_finite ? v : 0;
      low = is_finite ? min (low, ordered (v)) : low;
      high = is_finite ? max (high, ordered (v)) : high;
    }
  low = min_all (low);
  high = max_all (high);
  if (gl_LocalInvocationIndex == 0) {
    atomicMin (range[0], low);
    atomicMax (range[1], high);
  }
}
