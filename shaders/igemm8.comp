/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Implicit GEMM of bytes, for quantised tensors and constant weights: igemm.comp
 * by the dot product of four pairs of signed bytes (SPV_KHR_integer_dot_product,
 * OpSDot), exact until the sum becomes a float.
 *
 * With x = step q, low <= q <= low + 255 and w[m] = scale[m] n, the kernel makes of
 * each q the byte q - shift, shift = low + 128, as it loads it; the bytes of the
 * weights are n - zero[m]:
 *
 *   sum q n = sum (q - shift) (n - zero) + zero sum (q - shift) + shift sum n
 *
 * Grid: tiles of pixels, tiles of output channels, z. Units of K are 16 bytes, in
 * an ivec4; weights lie as [group][m / 8][unit][m % 8], behind them a one for each
 * byte that counts, [unit]. Binding 6: see FV_IGEMM8_* in igemm.h. */
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_spirv_intrinsics : require
#include "igemm.glsl"

spirv_instruction (extensions = ["SPV_KHR_integer_dot_product"],
    capabilities = [6019, 6018], id = 4450)
int packed_dot (int a, int b, spirv_literal int four_bytes);
#define DOT(a, b) packed_dot (a, b, 0)

layout (constant_id = FV_IGEMM_ZEROES) const int ZEROES = 0;
layout (constant_id = FV_SPEC_LOCAL) const int THREADS = 64;
layout (std430, set = 0, binding = 1) readonly buffer Weights { ivec4 d[]; } bytes;
layout (std430, set = 0, binding = 6) readonly buffer Numbers { ivec4 d[]; } numbers;

const int STEP = FV_IGEMM8_STEP;
const int ACROSS = THREADS * 4 / CHANNELS;
const int ROWS = PIXELS / ACROSS;
const int LOADS = PIXELS * STEP / THREADS; /* of x and of w a thread */
shared ivec4 xs[STEP * PIXELS];
shared ivec4 ws[STEP * CHANNELS];

int total = taps * depth; /* vec4 of K */
int units = (total + 3) / 4;

int pack_bytes (vec4 v, float per_step, float shift)
{
  ivec4 q = ivec4 (roundEven (v * per_step - shift));
  return (q.x & 255) | (q.y & 255) << 8 | (q.z & 255) << 16 | q.w << 24;
}

/* Sixteen elements from vec4 @k of @tap on, for the pixel with that @origin. */
ivec4 load_unit (ivec2 origin, int tap, int k, float per_step, float shift)
{
  bool inside;
  int address = x_address (origin + tap_shift (tap), inside);
  ivec4 unit;

  [[unroll]] for (int j = 0; j < 4; j++) {
    vec4 v = FV_LOAD (x, address + min (k, depth - 1));
    unit[j] = pack_bytes (HOLES && !inside ? vec4 (0) : v, per_step, shift);
    k++;
    if (k == depth && tap < taps - 1) {
      k = 0;
      tap++;
      address = x_address (origin + tap_shift (tap), inside);
    }
  }
  return unit;
}

ivec4 dots (ivec4 value, ivec4 weight[4], ivec4 sum)
{
  [[unroll]] for (int i = 0; i < 4; i++)
    sum += ivec4 (DOT (value[i], weight[0][i]), DOT (value[i], weight[1][i]),
        DOT (value[i], weight[2][i]), DOT (value[i], weight[3][i]));
  return sum;
}

void main ()
{
  int thread = int (gl_LocalInvocationID.x);
  int c = thread % (CHANNELS / 4), first = thread / (CHANNELS / 4);
  int pixel0 = int (gl_WorkGroupID.x) * PIXELS;
  int m = int (gl_WorkGroupID.y) * CHANNELS;
  int group = Z == FV_Z_GROUPS ? z0 : 0;
  int eights = push.channels + 7 >> 3, quads = push.channels + 3 >> 2;
  int tap = 0, k = thread % STEP * 4;
  float per_step = intBitsToFloat (numbers.d[0].x);
  float shift = intBitsToFloat (numbers.d[0].y);
  int ones = (Z == FV_Z_GROUPS ? push.z0_count : 1) * eights * units * 8;
  ivec4 sum[ROWS];
  int whole[ROWS];
  ivec2 origin[LOADS];
  int from[LOADS];

  [[unroll]] for (int r = 0; r < ROWS; r++) {
    sum[r] = ivec4 (0);
    whole[r] = 0;
  }
  [[unroll]] for (int i = 0; i < LOADS; i++) {
    int which = (thread + i * THREADS) / STEP;
    origin[i] = corner (min (pixel0 + which, push.pixels - 1));
    from[i] = (group * eights + min (m + which >> 3, eights - 1)) * units * 8
        + (m + which & 7);
  }
  for (int start = 0; start < units; start += STEP) {
    int at = start + thread % STEP;
    while (k >= depth && tap < taps - 1) {
      k -= depth;
      tap++;
    }
    [[unroll]] for (int i = 0; i < LOADS; i++) {
      int which = (thread + i * THREADS) / STEP;
      ivec4 weight = bytes.d[from[i] + min (at, units - 1) * 8];
      xs[thread % STEP * PIXELS + which] =
          load_unit (origin[i], tap, k, per_step, shift);
      ws[thread % STEP * CHANNELS + (which % 4) * (CHANNELS / 4) + which / 4] =
          at < units ? weight : ivec4 (0);
    }
    k += STEP * 4;
    barrier ();
    [[unroll]] for (int j = 0; j < STEP; j++) {
      ivec4 weight[4], one = ivec4 (0);
      [[unroll]] for (int i = 0; i < 4; i++)
        weight[i] = ws[j * CHANNELS + i * (CHANNELS / 4) + c];
      if (ZEROES != 0 && start + j < units)
        one = bytes.d[ones + start + j];
      [[unroll]] for (int r = 0; r < ROWS; r++) {
        ivec4 value = xs[j * PIXELS + first + r * ACROSS];
        sum[r] = dots (value, weight, sum[r]);
        if (ZEROES != 0)
          whole[r] += DOT (value.x, one.x) + DOT (value.y, one.y)
              + DOT (value.z, one.z) + DOT (value.w, one.w);
      }
    }
    barrier ();
  }
  int channel = (m >> 2) + c, near = min (channel, quads - 1);
  int row = 1 + (group * quads + near) * FV_IGEMM8_ROW;
  vec4 scale = intBitsToFloat (numbers.d[row]);
  ivec4 offset = numbers.d[row + 1], zero = numbers.d[row + 2];
  vec4 b = common_bias (near);
  [[unroll]] for (int r = 0; r < ROWS; r++) {
    int pixel = pixel0 + first + r * ACROSS;
    ivec4 s = sum[r] + offset;
    if (ZEROES != 0)
      s += zero * whole[r];
    vec4 v = finish (min (pixel, push.pixels - 1), near, scale * vec4 (s), b);
    if (pixel < push.pixels && channel == near)
      FV_STORE (y, y_address (pixel) + channel, v);
  }
}
