/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sums byte i and the four bytes of pixel i, and adds what word i held. */
#version 460
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
layout (set = 0, binding = 0) uniform usamplerBuffer bytes;
layout (set = 0, binding = 1) uniform usamplerBuffer pixels;
layout (std430, set = 0, binding = 2) readonly buffer In { uint before[]; };
layout (std430, set = 0, binding = 3) buffer Out { uint sums[]; };
layout (constant_id = 0) const int n = 0;
layout (constant_id = 1) const int depth = 1;
shared uint copy[gl_WorkGroupSize.x * depth];
void main ()
{
  int i = int (gl_GlobalInvocationID.x);
  int last = n - 1;
  uvec4 pixel = texelFetch (pixels, min (i, last));
  uint sum = texelFetch (bytes, min (i, last)).x + pixel.x + pixel.y + pixel.z + pixel.w;
  copy[gl_LocalInvocationIndex] = sum;
  barrier ();
  if (i < n)
    sums[i] = copy[gl_LocalInvocationIndex] + before[i];
}
