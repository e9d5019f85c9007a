/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Products with few rows: classifiers, squeeze-and-excite. The interface is that
 * of igemm.comp without windows; PIXELS is the number of rows.
 *
 * Grid: tiles of output channels, 1, z. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "igemm.glsl"

vec4 x_value (int row, int k)
{
  vec4 v = FV_LOAD (x, x_start + row * push.x_pixel + min (k, depth - 1));
  if (TAIL != 0 && k == depth - 1)
    v = mix (v, vec4 (0), greaterThanEqual (ivec4 (0, 1, 2, 3), ivec4 (TAIL)));
  return k < depth ? v : vec4 (0);
}

#ifdef FV_SUBGROUP
/* 32 channels a workgroup: a lane sums four, 8 apart, over all of K. Lane l loads
 * vec4 number l of eight of x, which all lanes get by shuffles. */
#define ELEMENT(i)                                                            \
  {                                                                           \
    int near = min (k + i, depth - 1) * W_STEP;                               \
    vec4 weight[4];                                                           \
    [[unroll]] for (int t = 0; t < 4; t++)                                    \
      weight[t] = FV_LOAD (w, from[t] + near);                                \
    [[unroll]] for (int p = 0; p < PIXELS; p++) {                             \
      vec4 v = subgroupShuffle (value[p], i);                                 \
      [[unroll]] for (int t = 0; t < 4; t++)                                  \
        sum[p * 4 + t] = fma (v, weight[t], sum[p * 4 + t]);                  \
    }                                                                         \
  }
#define QUAD(s, i)                                                            \
  vec4 (subgroupShuffle (s, i), subgroupShuffle (s, i + 1),                   \
      subgroupShuffle (s, i + 2), subgroupShuffle (s, i + 3))

void main ()
{
  int lane = int (gl_LocalInvocationID.x);
  int m = int (gl_WorkGroupID.x) * 32;
  int from[4];
  vec4 sum[PIXELS * 4], value[PIXELS];

  [[unroll]] for (int i = 0; i < PIXELS * 4; i++)
    sum[i] = vec4 (0);
  [[unroll]] for (int t = 0; t < 4; t++)
    from[t] = w_address (m + t * 8 + lane);
  for (int k = 0; k < depth; k += 8) {
    [[unroll]] for (int p = 0; p < PIXELS; p++)
      value[p] = x_value (p, k + lane);
    ELEMENT (0) ELEMENT (1) ELEMENT (2) ELEMENT (3)
    ELEMENT (4) ELEMENT (5) ELEMENT (6) ELEMENT (7)
  }
  /* lane l stores channels 4 l to 4 l + 3 of the 32 */
  int c = (m >> 2) + lane, near = min (c, push.channels - 1 >> 2);
  vec4 b = common_bias (near);
  [[unroll]] for (int p = 0; p < PIXELS; p++) {
    vec4 v = vec4 (0);
    [[unroll]] for (int t = 0; t < 4; t++) {
      float s = dot (sum[p * 4 + t], vec4 (1));
      vec4 low = QUAD (s, 0), high = QUAD (s, 4);
      v = lane == 2 * t ? low : lane == 2 * t + 1 ? high : v;
    }
    v = finish (p, near, v, b);
    if (c == near)
      FV_STORE (y, y_start + p * push.y_pixel + c, v);
  }
}
#else
/* 8 channels a workgroup of 64: eight threads share the sum of one. */
shared float part[64];

void main ()
{
  int thread = int (gl_LocalInvocationID.x);
  int m = int (gl_WorkGroupID.x) * 8;
  int from = w_address (m + thread % 8);

  for (int p = 0; p < PIXELS; p++) {
    float sum = 0;
    for (int k = thread / 8; k < depth; k += 8)
      sum += dot (x_value (p, k), FV_LOAD (w, from + k * W_STEP));
    part[thread] = sum;
    barrier ();
    if (thread < 2) {
      int c = (m >> 2) + thread, near = min (c, push.channels - 1 >> 2);
      vec4 v = vec4 (0);
      for (int i = 0; i < 8; i++)
        v += vec4 (part[i * 8 + thread * 4], part[i * 8 + thread * 4 + 1],
            part[i * 8 + thread * 4 + 2], part[i * 8 + thread * 4 + 3]);
      v = finish (p, near, v, common_bias (near));
      if (c == near)
        FV_STORE (y, y_start + p * push.y_pixel + c, v);
    }
    barrier ();
  }
}
#endif
