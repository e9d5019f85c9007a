/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Logits of a small map -> class numbers of every pixel of the frame, and how
 * many pixels each class has. One invocation per block of 8 x 4 pixels.
 *
 * A class that is the largest at every logit around a block is the largest at
 * every point between them, for interpolated logits are their weighted means:
 * such blocks, which are most, cost one look at each logit and no interpolation. */
#version 460
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "heads.h"
#include "headreduce.glsl"

layout (constant_id = FV_SEGMENT_SPEC_MODE) const int mode = 0;
layout (constant_id = FV_SEGMENT_SPEC_DENSE) const int dense = 0;
layout (constant_id = FV_SEGMENT_SPEC_BITS) const int bits = 8;
layout (push_constant) uniform Push
{
  FvMapPush p;
};
FV_IN (0, logits)
layout (std430, set = 0, binding = 1) readonly buffer Values { FvHeadValues values; };
layout (std430, set = 0, binding = 2) buffer Map { uint map[]; };
layout (std430, set = 0, binding = 3) buffer Counts { uint counts[]; };

#define LOWEST -3.4e38
#define MANY 0xffffffff /* classes around a block differ */
#define MOST_LOGITS 64  /* that a look at each is worth */

int element (int x, int y)
{
  return p.offset + y * p.stride_y + x * p.stride_x;
}

/* Channels c to c + 3, the lowest value behind the last. */
vec4 load4 (int e, int c)
{
  ivec4 at = min (ivec4 (c, c + 1, c + 2, c + 3), p.channels - 1);
  vec4 v;
  if (dense != 0)
    v = FV_LOAD (logits, (e + c) >> 2);
  else
    v = vec4 (FV_LOAD1 (logits, e + at.x * p.stride_c), FV_LOAD1 (logits, e + at.y * p.stride_c),
      FV_LOAD1 (logits, e + at.z * p.stride_c), FV_LOAD1 (logits, e + at.w * p.stride_c));
  return mix (vec4 (LOWEST), v, lessThan (ivec4 (c, c + 1, c + 2, c + 3), ivec4 (p.channels)));
}

void offer (vec4 v, int c, inout float best, inout uint found)
{
  if (v.x > best) { best = v.x; found = uint (c); }
  if (v.y > best) { best = v.y; found = uint (c + 1); }
  if (v.z > best) { best = v.z; found = uint (c + 2); }
  if (v.w > best) { best = v.w; found = uint (c + 3); }
}

uint number (float v)
{
  uint most = (1u << bits) - 1;
  return fv_is_nan (v) ? 0 : uint (clamp (v + 0.5, 0.0, float (most)));
}

/* The class at one logit. */
uint class_at (int x, int y)
{
  int e = element (x, y);
  if (mode == FV_SEGMENT_NUMBERS)
    return number (FV_LOAD1 (logits, e));
  if (mode == FV_SEGMENT_THRESHOLD)
    return FV_LOAD1 (logits, e) >= values.threshold ? 1 : 0;
  float best = LOWEST;
  uint found = 0;
  for (int c = 0; c < p.channels; c += 4)
    offer (load4 (e, c), c, best, found);
  return found;
}

/* Where a pixel lies between logits, inside of the map. */
vec2 locate (ivec2 pixel)
{
  vec2 at = vec2 (pixel) * vec2 (p.scale_x, p.scale_y) + vec2 (p.bias_x, p.bias_y);
  return clamp (at, vec2 (0), vec2 (p.map_width - 1, p.map_height - 1));
}

uint class_between (vec2 at)
{
  if (mode == FV_SEGMENT_NUMBERS) {
    ivec2 nearest = ivec2 (at + 0.5);
    return class_at (nearest.x, nearest.y);
  }
  ivec2 low = ivec2 (at), high = ivec2 (ceil (at));
  vec2 f = at - vec2 (low);
  if (low == high)
    return class_at (low.x, low.y);
  int e00 = element (low.x, low.y), e01 = element (high.x, low.y);
  int e10 = element (low.x, high.y), e11 = element (high.x, high.y);
  if (mode == FV_SEGMENT_THRESHOLD) {
    float above = mix (FV_LOAD1 (logits, e00), FV_LOAD1 (logits, e01), f.x);
    float below = mix (FV_LOAD1 (logits, e10), FV_LOAD1 (logits, e11), f.x);
    return mix (above, below, f.y) >= values.threshold ? 1 : 0;
  }
  float best = LOWEST;
  uint found = 0;
  for (int c = 0; c < p.channels; c += 4) {
    vec4 above = mix (load4 (e00, c), load4 (e01, c), f.x);
    vec4 below = mix (load4 (e10, c), load4 (e11, c), f.x);
    offer (mix (above, below, f.y), c, best, found);
  }
  return found;
}

/* The one class at all logits that the block's pixels lie between, or MANY. */
uint same_class (ivec2 first, ivec2 last)
{
  ivec2 low = ivec2 (locate (first)), high = ivec2 (ceil (locate (last)));
  ivec2 n = high - low + 1;
  if (n.x * n.y > MOST_LOGITS)
    return MANY;
  uint same = class_at (low.x, low.y);
  for (int y = low.y; y <= high.y && same != MANY; y++)
    for (int x = low.x; x <= high.x && same != MANY; x++)
      if (class_at (x, y) != same)
        same = MANY;
  return same;
}

void main ()
{
  const int per_word = 32 / bits;
  int x_blocks = (p.frame_width + FV_SEGMENT_BLOCK_X - 1) / FV_SEGMENT_BLOCK_X;
  int block = FV_FLAT_INDEX;
  ivec2 first = ivec2 (block % x_blocks * FV_SEGMENT_BLOCK_X,
    block / x_blocks * FV_SEGMENT_BLOCK_Y);
  if (first.y >= p.frame_height)
    return;
  ivec2 end = min (first + ivec2 (FV_SEGMENT_BLOCK_X, FV_SEGMENT_BLOCK_Y),
    ivec2 (p.frame_width, p.frame_height));
  uint same = same_class (first, end - 1);
  uint run = 0, run_class = same;

  for (int y = first.y; y < end.y; y++)
    for (int x = first.x; x < end.x; x += per_word) {
      uint word = 0;
      for (int k = 0; k < per_word && x + k < end.x; k++) {
        uint c = same;
        if (same == MANY)
          c = class_between (locate (ivec2 (x + k, y)));
        word |= c << (bits * k);
        if (c != run_class && run != 0) {
          atomicAdd (counts[run_class], run);
          run = 0;
        }
        run_class = c;
        run++;
      }
      map[y * p.row_words + x / per_word] = word;
    }
  if (run != 0)
    atomicAdd (counts[run_class], run);
}
