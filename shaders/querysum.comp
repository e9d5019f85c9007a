/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Probabilities of queries' classes and their maps -> for each pixel of the maps
 * the sum over queries of class x mask, as semantic post-processing of MaskFormer
 * has it. One invocation per pixel and 16 classes; a flat grid, classes outside. */
#version 460
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "heads.h"

layout (constant_id = FV_MASKS_SPEC_ACTIVATION) const int activation = 0;
layout (push_constant) uniform Push
{
  FvMasksPush p;
};
FV_IN (0, maps)
FV_IN (1, probabilities)
FV_OUT (2, result)

#define UNITS 4 /* of classes that one invocation adds up */

void main ()
{
  int i = FV_FLAT_INDEX, area = p.width * p.height;
  int pixel = i % area, first = i / area * UNITS;
  if (first >= p.units)
    return;

  int element = p.offset + pixel / p.width * p.stride_y + pixel % p.width * p.stride_x;
  vec4 sum[UNITS];
  [[unroll]] for (int u = 0; u < UNITS; u++)
    sum[u] = vec4 (0);
  for (int q = 0; q < p.channels; q++) {
    float v = FV_LOAD1 (maps, element + q * p.stride_c);
    if (activation != 0)
      v = 1 / (1 + exp (clamp (-v, -88.0, 88.0)));
    [[unroll]] for (int u = 0; u < UNITS; u++)
      sum[u] += v * FV_LOAD (probabilities, q * p.units + min (first + u, p.units - 1));
  }
  [[unroll]] for (int u = 0; u < UNITS; u++)
    if (first + u < p.units)
      FV_STORE (result, pixel * p.units + first + u, sum[u]);
}
