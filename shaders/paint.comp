/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values of pieces at the pixels of their maps -> which piece each pixel of the
 * frame is of, and how many pixels each has. One invocation per block of pixels.
 *
 * Of prototypes the first piece in whose box the pixel lies and whose mask it is
 * in; of queries the one with the largest value. */
#version 460
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "heads.h"

layout (constant_id = FV_PAINT_SPEC_PROTOTYPES) const int prototypes = 0;
layout (constant_id = FV_SEGMENT_SPEC_TILE) const int tile = 1;
layout (constant_id = FV_SEGMENT_SPEC_BLOCK_X) const int block_x = 8;
layout (constant_id = FV_SEGMENT_SPEC_BLOCK_Y) const int block_y = 4;
layout (push_constant) uniform Push
{
  FvPaintPush p;
};
FV_IN (0, values)
layout (std430, set = 0, binding = 1) buffer Map { uint map[]; };
layout (std430, set = 0, binding = 2) buffer Pieces { uint pieces[]; };

#include "paint.glsl"

void main ()
{
  ivec2 size = ivec2 (p.map.frame_width, p.map.frame_height);
  int columns = (size.x + block_x * tile - 1) / (block_x * tile);
  int group = int (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x);
  int lane = int (gl_LocalInvocationIndex), rows = int (gl_WorkGroupSize.x) / tile;
  ivec2 block = ivec2 (group % columns * tile + lane % tile, group / columns * rows + lane / tile);
  ivec2 first = block * ivec2 (block_x, block_y);
  if (first.x >= size.x || first.y >= size.y)
    return;

  ivec2 end = min (first + ivec2 (block_x, block_y), size);
  uint run = 0, run_piece = 0;
  prepare_block (first, end);
  for (int y = first.y; y < end.y; y++)
    for (int x = first.x; x < end.x; x += 4) {
      uint word = 0;
      for (int k = 0; k < 4 && x + k < end.x; k++) {
        uint piece = piece_at (ivec2 (x + k, y));
        word |= piece << (8 * k);
        if (piece != run_piece) {
          count (run_piece, FV_PIECE_AREA, run);
          run_piece = piece;
          run = 0;
        }
        run++;
      }
      map[p.map.offset + y * p.map.row_words + x / 4] = word;
    }
  count (run_piece, FV_PIECE_AREA, run);
}
