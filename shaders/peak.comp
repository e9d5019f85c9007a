/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How fast a device can be: what `fovea bench` holds kernels against.
 * rounds = 0: y = x, FV_PEAK_UNITS vec4 units per invocation; else multiply-adds in
 * registers, FV_PEAK_FLOPS FLOPs per round and invocation, with one load and store.
 * Grid: units / (local size * FV_PEAK_UNITS); any. Bindings: 0 x, 1 y. */
#version 460
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
layout (push_constant) uniform Push
{
  int rounds;
};
FV_IN (0, x)
FV_OUT (1, y)

void copy ()
{
  int size = int (gl_WorkGroupSize.x);
  int first = int (gl_WorkGroupID.x) * size * FV_PEAK_UNITS;
  [[unroll]] for (int k = 0; k < FV_PEAK_UNITS; k++) {
    int i = first + k * size + int (gl_LocalInvocationID.x);
    FV_STORE (y, i, FV_LOAD (x, i));
  }
}

/* Sixteen chains hide the latency. Compilers put a chain's steps behind each other,
 * so they are few: a CPU looks ahead for a few hundred instructions. */
void multiply ()
{
  int i = int (gl_GlobalInvocationID.x);
  vec4 start = FV_LOAD (x, i);
  vec4 t = start, u = start + 1, v = start + 2, w = start + 3;
  vec4 a = vec4 (start.x), b = vec4 (start.y);
  for (int k = 0; k < rounds; k++)
    [[unroll]] for (int step = 0; step < FV_PEAK_STEPS; step++) {
      t = fma (t, a, b);
      u = fma (u, a, b);
      v = fma (v, a, b);
      w = fma (w, a, b);
    }
  FV_STORE (y, i, t + u + v + w);
}

void main ()
{
  if (rounds == 0)
    copy ();
  else
    multiply ();
}
