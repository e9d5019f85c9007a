/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The best boxes, in no order -> pieces: by falling score, then by rising index,
 * without those that overlap a better one of their class. One workgroup. */
#version 460
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "heads.h"
#include "headreduce.glsl"

layout (std430, set = 0, binding = 0) readonly buffer Values { FvHeadValues values; };
layout (std430, set = 0, binding = 1) readonly buffer Best { uint best[]; };
layout (std430, set = 0, binding = 2) coherent buffer Order { uint order[]; };
layout (std430, set = 0, binding = 3) coherent buffer Pieces { uint pieces[]; };
FV_REDUCE (any_of, uint, a | b)

uint entry (uint i, uint word)
{
  return best[FV_BOXES_HEADER + i * FV_BOX_WORDS + word];
}

vec4 box_of (uint i)
{
  return uintBitsToFloat (uvec4 (entry (i, 3), entry (i, 4), entry (i, 5), entry (i, 6)));
}

/* Where each box stands in the order of all. */
void sort (uint n)
{
  for (uint i = gl_LocalInvocationIndex; i < n; i += gl_WorkGroupSize.x) {
    uint score = entry (i, 2), index = entry (i, 0), rank = 0;
    for (uint k = 0; k < n; k++) {
      uint other = entry (k, 2);
      rank += other > score || (other == score && entry (k, 0) < index) ? 1 : 0;
    }
    order[rank] = i;
  }
}

float overlap (vec4 a, vec4 b)
{
  vec2 both = max (min (a.zw, b.zw) - max (a.xy, b.xy), vec2 (0));
  vec2 first = a.zw - a.xy, second = b.zw - b.xy;
  float shared_area = both.x * both.y;
  return shared_area / (first.x * first.y + second.x * second.y - shared_area);
}

bool is_box (uint i)
{
  vec4 box = box_of (i);
  uvec4 exponent = floatBitsToUint (box) & 0x7f800000u;
  return all (lessThan (exponent, uvec4 (0x7f800000u)))
    && all (greaterThan (box.zw, box.xy)) && entry (i, 1) < 65536;
}

/* Whether one of the pieces so far takes the place of box @i. */
bool is_taken (uint i, uint n)
{
  uint taken = 0, own = entry (i, 1);
  for (uint k = gl_LocalInvocationIndex; k < n; k += gl_WorkGroupSize.x) {
    uint e = FV_BOXES_HEADER + k * FV_PIECE_WORDS;
    vec4 other = uintBitsToFloat (uvec4 (pieces[e + FV_PIECE_BOX], pieces[e + FV_PIECE_BOX + 1],
      pieces[e + FV_PIECE_BOX + 2], pieces[e + FV_PIECE_BOX + 3]));
    if (pieces[e + FV_PIECE_CLASS] == own && overlap (other, box_of (i)) > values.iou_threshold)
      taken = 1;
  }
  return any_of (taken) != 0;
}

void main ()
{
  uint n = min (best[1], uint (order.length ())), kept = 0;
  uint most = min (uint (values.max_pieces), FV_MOST_PIECES);

  sort (n);
  FV_MEET ();
  for (uint r = 0; r < n && kept < most; r++) {
    uint i = order[r];
    if (!is_box (i) || is_taken (i, kept))
      continue;
    uint e = FV_BOXES_HEADER + kept * FV_PIECE_WORDS;
    if (gl_LocalInvocationIndex == 0) {
      for (uint w = 0; w < FV_PIECE_NUMBER; w++)
        pieces[e + w] = entry (i, w);
      pieces[e + FV_PIECE_NUMBER] = kept + 1;
      /* the detector's box stays: nothing is outside of this one */
      pieces[e + FV_PIECE_LEFT + 2] = pieces[e + FV_PIECE_LEFT + 3] = 0xffffffffu;
    }
    kept++;
    FV_MEET ();
  }
  if (gl_LocalInvocationIndex == 0) {
    pieces[0] = best[0];
    pieces[1] = kept;
  }
}
