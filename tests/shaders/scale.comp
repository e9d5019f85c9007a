/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* y = a x + b, both types and tiers; a by specialization, b by push constant. */
#version 460
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
layout (constant_id = 0) const int n = 0; /* vec4 units */
layout (constant_id = 1) const float a = 1;
layout (push_constant) uniform Push
{
  float b;
  int first;
};
FV_IN (0, x)
FV_OUT (1, y)
void main ()
{
  int i = int (gl_GlobalInvocationID.x);
  if (i < n)
    FV_STORE (y, first + i, a * FV_LOAD (x, first + i) + b);
}
