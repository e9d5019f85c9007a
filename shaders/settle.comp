/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which pieces stay, as panoptic post-processing has it: those that keep enough of
 * their mask; things among them are counted. One invocation does it, in order. */
#version 460
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "heads.h"

layout (push_constant) uniform Push
{
  FvSettlePush p;
};
layout (std430, set = 0, binding = 0) readonly buffer Things { uint things[]; };
layout (std430, set = 0, binding = 1) buffer Pieces { uint pieces[]; };

void main ()
{
  uint n = pieces[1], number = 0;
  if (gl_LocalInvocationIndex != 0)
    return;
  for (uint k = 0; k < n; k++) {
    uint e = FV_BOXES_HEADER + k * FV_PIECE_WORDS;
    uint area = pieces[e + FV_PIECE_AREA], whole = pieces[e + FV_PIECE_WHOLE];
    uint result = FV_PIECE_DROPPED;
    if (area > 0 && whole > 0 && float (area) / float (whole) > p.overlap)
      result = things[pieces[e + FV_PIECE_CLASS]] != 0 ? ++number : 0;
    pieces[e + FV_PIECE_NUMBER] = result;
  }
}
