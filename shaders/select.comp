/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Boxes over the threshold -> the best `limit` of them, in no order, but always
 * the same ones: by falling score, then by rising index. One workgroup. */
#version 460
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "heads.h"
#include "headreduce.glsl"

layout (push_constant) uniform Push
{
  int limit;
  int capacity;
};
layout (std430, set = 0, binding = 0) readonly buffer Found { uint found[]; };
layout (std430, set = 0, binding = 1) buffer Best { uint best[]; };
FV_REDUCE (sum_all, uint, a + b)

uint entry (uint i, uint word)
{
  return found[FV_BOXES_HEADER + i * FV_BOX_WORDS + word];
}

/* Scores are not negative, so that their bits have the order of their values. */
uint count_from (uint n, uint bits)
{
  uint count = 0;
  for (uint i = gl_LocalInvocationIndex; i < n; i += gl_WorkGroupSize.x)
    count += entry (i, 2) >= bits ? 1 : 0;
  return sum_all (count);
}

uint count_ties (uint n, uint bits, uint last)
{
  uint count = 0;
  for (uint i = gl_LocalInvocationIndex; i < n; i += gl_WorkGroupSize.x)
    count += entry (i, 2) == bits && entry (i, 0) <= last ? 1 : 0;
  return sum_all (count);
}

void main ()
{
  uint n = min (found[0], uint (capacity));
  uint bits = 0, last = 0xffffffff;

  if (n > limit) {
    /* the largest score that at least `limit` boxes reach */
    for (uint step = 0x40000000; step > 0; step >>= 1)
      if (count_from (n, bits | step) >= limit)
        bits |= step;
    /* of the boxes with just that score, those up to `last` still go in */
    uint room = limit - count_from (n, bits + 1);
    last = 0;
    for (uint step = 0x40000000; step > 0; step >>= 1)
      if (count_ties (n, bits, (last | step) - 1) < room)
        last |= step;
  }
  for (uint i = gl_LocalInvocationIndex; i < n; i += gl_WorkGroupSize.x) {
    uint score = entry (i, 2);
    if (score < bits || (score == bits && entry (i, 0) > last))
      continue;
    uint slot = atomicAdd (best[1], 1);
    for (uint w = 0; w < FV_BOX_WORDS; w++)
      best[FV_BOXES_HEADER + slot * FV_BOX_WORDS + w] = entry (i, w);
  }
  if (gl_LocalInvocationIndex == 0)
    best[0] = found[0];
}
