/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Logits of a small map -> class numbers of every pixel of the frame, how many
 * pixels each class has, and of a threshold how sure it is of each pixel (its
 * matte). One invocation per block of pixels.
 *
 * A class that is the largest at every logit around a block is the largest at
 * every point between them, for interpolated logits are their weighted means:
 * such blocks, which are most, cost one look at each logit and no interpolation.
 * The same holds of a matte that is the same at all of them. */
#version 460
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "heads.h"
#include "headreduce.glsl"

layout (constant_id = FV_SEGMENT_SPEC_MODE) const int mode = 0;
layout (constant_id = FV_SEGMENT_SPEC_DENSE) const int dense = 0;
layout (constant_id = FV_SEGMENT_SPEC_BITS) const int bits = 8;
layout (constant_id = FV_SEGMENT_SPEC_TILE) const int tile = 1;
layout (constant_id = FV_SEGMENT_SPEC_BLOCK_X) const int block_x = 8;
layout (constant_id = FV_SEGMENT_SPEC_BLOCK_Y) const int block_y = 4;
layout (constant_id = FV_SEGMENT_SPEC_MATTE) const int matte = FV_SEGMENT_NO_MATTE;
layout (constant_id = FV_SEGMENT_SPEC_PAIR) const int pair = FV_SEGMENT_ALONE;
layout (constant_id = FV_SEGMENT_SPEC_BELOW) const int below = 0;
layout (push_constant) uniform Push
{
  FvMapPush p;
};
FV_IN (0, logits)
layout (std430, set = 0, binding = 1) readonly buffer Values { FvHeadValues values; };
layout (std430, set = 0, binding = 2) buffer Map { uint map[]; };
layout (std430, set = 0, binding = 3) buffer Counts { uint counts[]; };

#include "segment.glsl"

void fill (ivec2 first, ivec2 end, uint c)
{
  uint sure = (c >> 8) * 0x01010101u;
  if (matte != FV_SEGMENT_NO_MATTE)
    c &= 0xff;
  uint word = c * (bits == 8 ? 0x01010101u : 0x00010001u);
  for (int y = first.y; y < end.y; y++)
    for (int x = first.x; x < end.x; x += PER_WORD) {
      int beyond = max (0, x + PER_WORD - end.x);
      int at = y * p.row_words + x / PER_WORD;
      map[at] = word >> (beyond * bits);
      if (matte != FV_SEGMENT_NO_MATTE)
        map[p.matte_word + at] = sure >> (beyond * bits);
    }
  atomicAdd (counts[c], uint ((end.x - first.x) * (end.y - first.y)));
}

void draw (ivec2 first, ivec2 end)
{
  uint run = 0, run_class = 0;
  for (int y = first.y; y < end.y; y++)
    for (int x = first.x; x < end.x; x += PER_WORD) {
      uint word = 0, sure = 0;
      for (int k = 0; k < PER_WORD && x + k < end.x; k++) {
        uint c = class_between (locate (ivec2 (x + k, y)));
        if (matte != FV_SEGMENT_NO_MATTE) {
          sure |= c >> 8 << (bits * k);
          c &= 0xff;
        }
        word |= c << (bits * k);
        if (c != run_class && run != 0) {
          atomicAdd (counts[run_class], run);
          run = 0;
        }
        run_class = c;
        run++;
      }
      int at = y * p.row_words + x / PER_WORD;
      map[at] = word;
      if (matte != FV_SEGMENT_NO_MATTE)
        map[p.matte_word + at] = sure;
    }
  atomicAdd (counts[run_class], run);
}

/* Neighbouring invocations take neighbouring blocks in both directions, so that
 * few workgroups meet a border between classes. */
void main ()
{
  ivec2 size = ivec2 (p.frame_width, p.frame_height);
  int columns = (size.x + block_x * tile - 1) / (block_x * tile);
  int group = int (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x);
  int lane = int (gl_LocalInvocationIndex), rows = int (gl_WorkGroupSize.x) / tile;
  ivec2 block = ivec2 (group % columns * tile + lane % tile, group / columns * rows + lane / tile);
  ivec2 first = block * ivec2 (block_x, block_y);
  if (first.x >= size.x || first.y >= size.y)
    return;

  ivec2 end = min (first + ivec2 (block_x, block_y), size);
  ivec2 low = ivec2 (locate (first)), high = ivec2 (ceil (locate (end - 1)));
  ivec2 n = high - low + 1;
  uint same = MANY;
  n_groups = (p.channels + 3) / 4;
  is_selected = false;
  if (n.x * n.y <= MOST_LOGITS) {
    same = same_class (low, high);
    if (same == MANY && mode == FV_SEGMENT_ARGMAX)
      select_groups (low, high);
  }
  if (same != MANY)
    fill (first, end, same);
  else
    draw (first, end);
}
