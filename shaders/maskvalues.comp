/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pieces -> their values at each pixel of the maps: of prototypes the logit of
 * the mask, of queries score x probability, -1 behind the last piece. One
 * invocation per pixel and unit of four pieces; a flat grid, units outside. */
#version 460
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "heads.h"
#include "headreduce.glsl"

layout (constant_id = FV_MASKS_SPEC_PROTOTYPES) const int prototypes = 0;
layout (constant_id = FV_MASKS_SPEC_ACTIVATION) const int activation = 0;
layout (constant_id = FV_MASKS_SPEC_DENSE) const int dense = 0;
layout (push_constant) uniform Push
{
  FvMasksPush p;
};
FV_IN (0, maps)
FV_IN (1, coefficients)
layout (std430, set = 0, binding = 2) readonly buffer Pieces { uint pieces[]; };
FV_OUT (3, result)

#define MARGIN 1.5 /* pixels of the maps that interpolation reaches */

int piece (int k)
{
  return FV_BOXES_HEADER + k * FV_PIECE_WORDS;
}

/* Whether a pixel of the frame in the box may look at this one. */
bool is_near (int k, vec2 at)
{
  int e = piece (k) + FV_PIECE_BOX;
  vec4 box = uintBitsToFloat (uvec4 (pieces[e], pieces[e + 1], pieces[e + 2], pieces[e + 3]))
    * vec4 (p.scale_x, p.scale_y, p.scale_x, p.scale_y);
  return all (greaterThan (at + MARGIN, box.xy)) && all (lessThan (at - MARGIN, box.zw));
}

vec4 coefficients_of (ivec4 rows, int c)
{
  ivec4 e = rows + c * p.coefficient_c;
  return vec4 (FV_LOAD1 (coefficients, e.x), FV_LOAD1 (coefficients, e.y),
    FV_LOAD1 (coefficients, e.z), FV_LOAD1 (coefficients, e.w));
}

vec4 mixed (int element, ivec4 rows)
{
  vec4 sum = vec4 (0);
  if (dense == 0) {
    for (int c = 0; c < p.channels; c++)
      sum += FV_LOAD1 (maps, element + c * p.stride_c) * coefficients_of (rows, c);
    return sum;
  }
  for (int c = 0; c < p.channels; c += 4) {
    vec4 v = FV_LOAD (maps, (element + c) >> 2);
    [[unroll]] for (int k = 0; k < 4; k++)
      if (c + k < p.channels)
        sum += v[k] * coefficients_of (rows, c + k);
  }
  return sum;
}

float weighted (int k, int n, int element)
{
  if (k >= n)
    return -1;
  float v = FV_LOAD1 (maps, element + int (pieces[piece (k) + FV_PIECE_INDEX]) * p.stride_c);
  if (activation != 0)
    v = 1 / (1 + exp (clamp (-v, -88.0, 88.0)));
  return fv_is_nan (v) ? 0 : v * uintBitsToFloat (pieces[piece (k) + FV_PIECE_SCORE]);
}

void main ()
{
  int i = FV_FLAT_INDEX, area = p.width * p.height, n = int (pieces[1]);
  int pixel = i % area, k = i / area * 4;
  if (k >= min (n, 4 * p.units))
    return;

  ivec2 at = ivec2 (pixel % p.width, pixel / p.width);
  int element = p.offset + at.y * p.stride_y + at.x * p.stride_x;
  vec4 v;
  if (prototypes == 0) {
    v = vec4 (weighted (k, n, element), weighted (k + 1, n, element),
      weighted (k + 2, n, element), weighted (k + 3, n, element));
  } else {
    bool near = false;
    ivec4 rows;
    [[unroll]] for (int j = 0; j < 4; j++) {
      int clamped = min (k + j, n - 1);
      near = near || is_near (clamped, vec2 (at) + 0.5);
      rows[j] = p.coefficient + int (pieces[piece (clamped) + FV_PIECE_INDEX]) * p.coefficient_n;
    }
    if (!near)
      return;
    v = mixed (element, rows);
  }
  FV_STORE (result, pixel * p.units + k / 4, v);
}
