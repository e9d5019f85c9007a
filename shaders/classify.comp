/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scores of classes -> the best of them with probabilities, sorted. One
 * workgroup; each round takes the best that is behind the last one taken. */
#version 460
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "heads.h"
#include "headreduce.glsl"

layout (constant_id = FV_CLASSIFY_SPEC_ACTIVATION) const int activation = 0;
layout (push_constant) uniform Push
{
  FvClassifyPush p;
};
FV_IN (0, scores)
layout (std430, set = 0, binding = 1) readonly buffer Values { FvHeadValues values; };
/* word 0: how many; then class and probability of each */
layout (std430, set = 0, binding = 2) buffer Best { uint best[]; };

#define LOWEST -3.4e38
#define NO_CLASS 0x7fffffff

struct Scored
{
  float v;
  int c;
};

/* A struct goes through no shuffle: two reductions, the second among equals. */
FV_REDUCE (max_all, float, max (a, b))
FV_REDUCE (min_all, int, min (a, b))
FV_REDUCE (sum_all, float, a + b)

float score (int c)
{
  float v = FV_LOAD1 (scores, p.offset + c * p.stride);
  return fv_is_nan (v) ? LOWEST : clamp (v, -3.3e38, 3.3e38);
}

Scored next (Scored last)
{
  Scored own = Scored (LOWEST, NO_CLASS);
  int step = int (gl_WorkGroupSize.x);

  for (int c = int (gl_LocalInvocationIndex); c < p.n; c += step) {
    float v = score (c);
    if (c != p.background && (v < last.v || (v == last.v && c > last.c)) && v > own.v)
      own = Scored (v, c);
  }
  Scored first;
  first.v = max_all (own.v);
  first.c = min_all (own.v == first.v ? own.c : NO_CLASS);
  return first;
}

void main ()
{
  Scored last = Scored (3.4e38, -1);
  float top = LOWEST, sum = 0;
  int step = int (gl_WorkGroupSize.x), n = 0;

  if (activation == 2) {
    for (int c = int (gl_LocalInvocationIndex); c < p.n; c += step)
      top = max (top, score (c));
    top = max_all (top);
    for (int c = int (gl_LocalInvocationIndex); c < p.n; c += step)
      sum += exp (score (c) - top);
    sum = sum_all (sum);
  }
  while (n < values.max_classes) {
    last = next (last);
    if (last.c == NO_CLASS)
      break;
    float v = last.v;
    if (activation == 2)
      v = exp (v - top) / sum;
    else if (activation == 1)
      v = 1 / (1 + exp (clamp (-v, -88.0, 88.0)));
    if (gl_LocalInvocationIndex == 0) {
      best[1 + 2 * n] = uint (p.background >= 0 && last.c > p.background ? last.c - 1 : last.c);
      best[2 + 2 * n] = floatBitsToUint (v);
    }
    n++;
  }
  if (gl_LocalInvocationIndex == 0)
    best[0] = uint (n);
}
