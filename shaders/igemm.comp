/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Implicit GEMM: convolutions with any kernel, stride, dilation and padding, and
 * products of matrices.
 *
 *   y[z][pixel][m] = sum over tap, k of x[z][pixel + tap][k] w[z][m][tap][k]
 *
 * or, by a table of rows, of x[table[pixel][tap]][k] w[m][tap][k].
 *
 * Grid: tiles of pixels, tiles of output channels, z. Packed weights lie as
 * [m / 8][tap][k / 4][m % 8][k % 4]. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "igemm.glsl"

#ifdef FV_SUBGROUP
/* One subgroup of 8 lanes. A lane owns PIXELS pixels, 8 apart, and all CHANNELS
 * channels of the tile. Lane l loads the weights of channel l of eight; all
 * lanes get them by shuffles with constant lanes. */
layout (constant_id = FV_IGEMM_FEW) const int FEW = 0;
const int EACH = FEW == 0 ? 8 : FEW; /* channels of eight */
#define COLUMN(t, i)                                                          \
  if (i < EACH) {                                                             \
    vec4 v = subgroupShuffle (weight[t], i);                                  \
    [[unroll]] for (int p = 0; p < PIXELS; p++) {                             \
      float s = sum[p * CHANNELS + t * 8 + i];                                \
      s = fma (v.x, value[p].x, s);                                           \
      s = fma (v.y, value[p].y, s);                                           \
      s = fma (v.z, value[p].z, s);                                           \
      sum[p * CHANNELS + t * 8 + i] = fma (v.w, value[p].w, s);               \
    }                                                                         \
  }

void main ()
{
  int lane = int (gl_LocalInvocationID.x);
  int first = int (gl_WorkGroupID.x) * 8 * PIXELS + lane;
  int m = int (gl_WorkGroupID.y) * CHANNELS;
  float sum[PIXELS * CHANNELS];
  ivec2 origin[PIXELS];
  int at[PIXELS], from[CHANNELS / 8];
  bool inside[PIXELS];

  [[unroll]] for (int i = 0; i < PIXELS * CHANNELS; i++)
    sum[i] = 0;
  [[unroll]] for (int p = 0; p < PIXELS; p++)
    origin[p] = corner (min (first + p * 8, push.pixels - 1));
  [[unroll]] for (int t = 0; t < CHANNELS / 8; t++)
    from[t] = w_address (m + t * 8 + lane);

  for (int tap = 0; tap < taps; tap++) {
    ivec2 shift = tap_shift (tap);
    [[unroll]] for (int p = 0; p < PIXELS; p++)
      at[p] = x_address (origin[p] + shift, inside[p]);
    for (int k = 0; k < depth; k++) {
      vec4 weight[CHANNELS / 8], value[PIXELS];
      vec4 gate = GATE != 0 ? FV_LOAD (table, push.gate + k) : vec4 (1);
      [[unroll]] for (int t = 0; t < CHANNELS / 8; t++)
        weight[t] = FV_LOAD (w, from[t] + (tap * depth + k) * W_STEP);
      [[unroll]] for (int p = 0; p < PIXELS; p++) {
        value[p] = FV_LOAD (x, at[p] + k * X_STEP);
        if (GATE != 0)
          value[p] *= gate;
        if (HOLES)
          value[p] = inside[p] ? value[p] : vec4 (0);
        if (TAIL != 0 && k == depth - 1)
          value[p] = mix (value[p], vec4 (0),
              greaterThanEqual (ivec4 (0, 1, 2, 3), ivec4 (TAIL)));
      }
      [[unroll]] for (int t = 0; t < CHANNELS / 8; t++) {
        COLUMN (t, 0) COLUMN (t, 1) COLUMN (t, 2) COLUMN (t, 3)
        COLUMN (t, 4) COLUMN (t, 5) COLUMN (t, 6) COLUMN (t, 7)
      }
    }
  }
  int to[PIXELS];
  [[unroll]] for (int p = 0; p < PIXELS; p++)
    to[p] = y_address (first + p * 8);
  [[unroll]] for (int i = 0; i < CHANNELS; i += 4) {
    int c = (m + i) >> 2, near = min (c, push.channels - 1 >> 2);
    vec4 b = common_bias (near);
    [[unroll]] for (int p = 0; p < PIXELS; p++) {
      int s = p * CHANNELS + i, pixel = first + p * 8;
      vec4 v = vec4 (sum[s], sum[s + 1], sum[s + 2], sum[s + 3]);
      v = finish (min (pixel, push.pixels - 1), near, v, b);
      if (pixel < push.pixels && c == near)
        FV_STORE (y, to[p] + c, v);
    }
  }
}
#else
/* A square tile of PIXELS x CHANNELS, four vec4 of K at a time through shared
 * memory. A thread owns four channels of ROWS pixels, ACROSS apart. */
layout (constant_id = FV_SPEC_LOCAL) const int THREADS = 64;
const int STEP = 4;
const int ACROSS = THREADS * 4 / CHANNELS;
const int ROWS = PIXELS / ACROSS;
const int LOADS = PIXELS * STEP / THREADS; /* of x and of w a thread */
shared vec4 xs[STEP * PIXELS];
shared vec4 ws[STEP * CHANNELS];

void main ()
{
  int thread = int (gl_LocalInvocationID.x);
  int c = thread % (CHANNELS / 4), first = thread / (CHANNELS / 4);
  int pixel0 = int (gl_WorkGroupID.x) * PIXELS;
  int m = int (gl_WorkGroupID.y) * CHANNELS;
  int tap = 0, k = thread % STEP, total = taps * depth;
  vec4 sum[ROWS];
  ivec2 origin[LOADS];
  int from[LOADS];

  [[unroll]] for (int r = 0; r < ROWS; r++)
    sum[r] = vec4 (0);
  [[unroll]] for (int i = 0; i < LOADS; i++) {
    int which = (thread + i * THREADS) / STEP;
    origin[i] = corner (min (pixel0 + which, push.pixels - 1));
    from[i] = w_address (m + which);
  }
  for (int start = 0; start < total; start += STEP) {
    int at = start + thread % STEP;
    while (k >= depth && tap < taps - 1) {
      k -= depth;
      tap++;
    }
    [[unroll]] for (int i = 0; i < LOADS; i++) {
      int which = (thread + i * THREADS) / STEP;
      bool inside;
      int address = x_address (origin[i] + tap_shift (tap), inside);
      vec4 value = FV_LOAD (x, address + min (k, depth - 1) * X_STEP);
      if (GATE != 0)
        value *= FV_LOAD (table, push.gate + min (k, depth - 1));
      if (TAIL != 0 && k == depth - 1)
        value = mix (value, vec4 (0),
            greaterThanEqual (ivec4 (0, 1, 2, 3), ivec4 (TAIL)));
      xs[thread % STEP * PIXELS + which] =
          inside && at < total ? value : vec4 (0);
      ws[thread % STEP * CHANNELS + (which % 4) * (CHANNELS / 4) + which / 4] =
          FV_LOAD (w, from[i] + min (at, total - 1) * W_STEP);
    }
    k += STEP;
    barrier ();
    [[unroll]] for (int j = 0; j < STEP; j++) {
      vec4 weight[4];
      [[unroll]] for (int i = 0; i < 4; i++)
        weight[i] = ws[j * CHANNELS + i * (CHANNELS / 4) + c];
      [[unroll]] for (int r = 0; r < ROWS; r++) {
        vec4 value = xs[j * PIXELS + first + r * ACROSS];
        sum[r] += vec4 (dot (value, weight[0]), dot (value, weight[1]),
            dot (value, weight[2]), dot (value, weight[3]));
      }
    }
    barrier ();
  }
  int channel = (m >> 2) + c, near = min (channel, push.channels - 1 >> 2);
  vec4 b = common_bias (near);
  [[unroll]] for (int r = 0; r < ROWS; r++) {
    int pixel = pixel0 + first + r * ACROSS;
    vec4 v = finish (min (pixel, push.pixels - 1), near, sum[r], b);
    if (pixel < push.pixels && channel == near)
      FV_STORE (y, y_address (pixel) + channel, v);
  }
}
#endif
