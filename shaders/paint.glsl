/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which pieces a block of pixels can be of, and which of them a pixel is; included
 * by paint.comp behind its bindings. */

#define LOWEST -3.4e38
#define MOST_PIXELS 64 /* of the maps that a look at each is worth */
#define MOST_SELECTED 8

int n_pieces, n_units;
/* Pieces (of prototypes) or units of four pieces that are left to look at: all,
 * or those in the list. */
int n_selected;
bool is_selected;
uvec4 selected; /* eight numbers of 16 bits */

void count (uint piece, uint word, uint n)
{
  if (piece != 0 && n != 0)
    atomicAdd (pieces[FV_BOXES_HEADER + (piece - 1) * FV_PIECE_WORDS + word], n);
}

/* Where a pixel lies between those of the maps. */
vec2 locate (ivec2 pixel)
{
  return vec2 (pixel) * vec2 (p.map.scale_x, p.map.scale_y) + vec2 (p.map.bias_x, p.map.bias_y);
}

vec2 inside_map (vec2 at)
{
  return clamp (at, vec2 (0), vec2 (p.map.map_width - 1, p.map.map_height - 1));
}

void select (int i)
{
  if (n_selected < MOST_SELECTED) {
    int word = n_selected >> 1;
    selected[word] = bitfieldInsert (selected[word], uint (i), 16 * (n_selected & 1), 16);
  }
  n_selected++;
}

int selected_at (int i)
{
  return is_selected ? int (bitfieldExtract (selected[i >> 1], 16 * (i & 1), 16)) : i;
}

void end_selection (int all)
{
  is_selected = n_selected <= MOST_SELECTED;
  if (!is_selected)
    n_selected = all;
}

/* Four pieces' values at a pixel of the maps. */
vec4 values_at (ivec2 q, int unit)
{
  return FV_LOAD (values, (q.y * p.map.map_width + q.x) * p.map.channels + unit);
}

vec4 values_between (vec2 at, int unit)
{
  ivec2 low = ivec2 (at), high = ivec2 (ceil (at));
  vec2 f = at - vec2 (low);
  vec4 upper = mix (values_at (low, unit), values_at (ivec2 (high.x, low.y), unit), f.x);
  vec4 lower = mix (values_at (ivec2 (low.x, high.y), unit), values_at (high, unit), f.x);
  return mix (upper, lower, f.y);
}

/* The box of a piece, between pixels of the maps. */
vec4 box_of (int k)
{
  int e = FV_BOXES_HEADER + k * FV_PIECE_WORDS + FV_PIECE_BOX;
  vec4 box = uintBitsToFloat (uvec4 (pieces[e], pieces[e + 1], pieces[e + 2], pieces[e + 3]));
  return box * vec4 (p.map.a, p.map.b, p.map.a, p.map.b) - 0.5;
}

void select_boxes (ivec2 first, ivec2 end)
{
  vec2 low = locate (first), high = locate (end - 1);
  for (int k = 0; k < n_pieces; k++) {
    vec4 box = box_of (k);
    if (all (greaterThanEqual (high, box.xy)) && all (lessThan (low, box.zw)))
      select (k);
  }
  end_selection (n_pieces);
}

/* Pixels of the block that are in the masks of one unit. */
void count_unit (ivec2 first, ivec2 end, int unit)
{
  uvec4 n = uvec4 (0);
  for (int y = first.y; y < end.y; y++)
    for (int x = first.x; x < end.x; x++) {
      vec4 v = values_between (inside_map (locate (ivec2 (x, y))), unit);
      n += uvec4 (greaterThanEqual (v, vec4 (p.inside)));
    }
  [[unroll]] for (int k = 0; k < 4; k++)
    count (uint (4 * unit + k + 1), FV_PIECE_WHOLE, n[k]);
}

/* All of the block's pixels are in a mask that is there at all pixels of the map
 * around it, and none in one that is nowhere there. */
void count_masks (ivec2 first, ivec2 end, int unit, vec4 least, vec4 most)
{
  bvec4 is_all = greaterThanEqual (least, vec4 (p.inside));
  bvec4 is_none = lessThan (most, vec4 (p.inside));
  uint n = uint ((end.x - first.x) * (end.y - first.y));
  if (all (is_none))
    return;
  if (any (not (bvec4 (uvec4 (is_all) | uvec4 (is_none))))) {
    count_unit (first, end, unit);
    return;
  }
  [[unroll]] for (int k = 0; k < 4; k++)
    count (uint (4 * unit + k + 1), FV_PIECE_WHOLE, is_all[k] ? n : 0);
}

float largest (vec4 v)
{
  return max (max (v.x, v.y), max (v.z, v.w));
}

/* A piece that is nowhere around the block as large as another one is everywhere
 * around it can be the largest nowhere in it. */
void select_units (ivec2 first, ivec2 end)
{
  ivec2 low = ivec2 (inside_map (locate (first)));
  ivec2 high = ivec2 (ceil (inside_map (locate (end - 1))));
  ivec2 n = high - low + 1;
  float bar = LOWEST;
  bool is_small = n.x * n.y <= MOST_PIXELS;
  for (int pass = 0; pass < 2; pass++)
    for (int u = 0; u < n_units; u++) {
      vec4 least = vec4 (-LOWEST), most = vec4 (LOWEST);
      if (!is_small) {
        if (pass == 0)
          count_unit (first, end, u);
        else
          select (u);
        continue;
      }
      for (int y = low.y; y <= high.y; y++)
        for (int x = low.x; x <= high.x; x++) {
          vec4 v = values_at (ivec2 (x, y), u);
          least = min (least, v);
          most = max (most, v);
        }
      if (pass == 0) {
        bar = max (bar, largest (least));
        count_masks (first, end, u, least, most);
      } else if (!(largest (most) < bar)) {
        select (u);
      }
    }
  end_selection (n_units);
}

void prepare_block (ivec2 first, ivec2 end)
{
  n_pieces = min (int (pieces[1]), 4 * p.map.channels);
  n_units = (n_pieces + 3) / 4;
  n_selected = 0;
  selected = uvec4 (0);
  if (prototypes != 0)
    select_boxes (first, end);
  else
    select_units (first, end);
}

void offer (vec4 v, int k, inout float best, inout uint found)
{
  [[unroll]] for (int j = 0; j < 4; j++)
    if (v[j] > best && k + j < n_pieces) {
      best = v[j];
      found = uint (k + j + 1);
    }
}

/* Counted from 1; 0: of none. */
uint piece_at (ivec2 pixel)
{
  vec2 place = locate (pixel), at = inside_map (place);
  float best = LOWEST;
  uint found = 0;
  for (int i = 0; i < n_selected; i++) {
    int k = selected_at (i);
    if (prototypes == 0) {
      offer (values_between (at, k), 4 * k, best, found);
      continue;
    }
    vec4 box = box_of (k);
    if (all (greaterThanEqual (place, box.xy)) && all (lessThan (place, box.zw))
        && values_between (at, k >> 2)[k & 3] >= p.inside)
      return uint (k + 1);
  }
  return found;
}
