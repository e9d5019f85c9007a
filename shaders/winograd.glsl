/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Of Winograd's minimal convolutions: where a tile lies. SIDE is the width of the
 * tile's input; what is multiplied are SIDE * SIDE planes with a row per tile. */
#include "fv.glsl"
#include "winograd.h"

layout (constant_id = FV_WINOGRAD_TILE) const int TILE = 4;
layout (constant_id = FV_SPEC_LOCAL) const int THREADS = 8;
layout (push_constant) uniform Push { FvWinogradPush push; };
const int SIDE = TILE + 2;
const float ROOT = 1.4142135623730951;

struct Tile
{
  int c; /* vec4 of the channels */
  int image, y, x; /* the tile's image, row and column */
};

/* Number @which of the dispatch's tiles. */
Tile tile_at (int which, int c)
{
  int line = (push.first + which) / push.across;
  int image = line / push.down;

  return Tile (c, image, line - image * push.down,
      push.first + which - line * push.across);
}
