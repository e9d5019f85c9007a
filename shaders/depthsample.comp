/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Picks values of a depth map on a grid of FV_SAMPLES_X x FV_SAMPLES_Y, NaN where
 * none is known, from which the host adapts the range of colours.
 *
 * Grid: 64 samples of a row, rows. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "scene.h"

FV_IN (0, scene)
layout (set = 0, binding = 1) uniform usamplerBuffer depth;
layout (std430, set = 0, binding = 2) writeonly buffer Samples { uint samples[]; };

#include "depthmap.glsl"

void main ()
{
  ivec2 p = ivec2 (gl_GlobalInvocationID.xy);
  ivec2 size = ivec2 (FV_LOAD (scene, FV_SCENE_DEPTH_SIZE).xy);
  bool known;

  if (p.x >= FV_SAMPLES_X || p.y >= FV_SAMPLES_Y)
    return;
  ivec2 q = (2 * p + 1) * size / ivec2 (2 * FV_SAMPLES_X, 2 * FV_SAMPLES_Y);
  float value = depth_at (min (q, size - 1), known);
  samples[p.y * FV_SAMPLES_X + p.x]
      = known ? floatBitsToUint (value) : 0x7fc00000u;
}
