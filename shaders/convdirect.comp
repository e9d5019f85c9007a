/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any convolution, and any transposed one, element by element: what the fast
 * kernels do not take (odd numbers of channels a group, weights made at run
 * time). An invocation makes four channels of a pixel.
 *
 * Grid: columns times vec4 of channels, rows, images times depths. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "steps.glsl"
#include "window.h"

layout (constant_id = FV_DIRECT_TRANSPOSED) const int TRANSPOSED = 0;
layout (constant_id = FV_DIRECT_BIAS) const int BIAS = 0;
layout (constant_id = FV_WINDOW_IN_DEPTH) const int IN_DEPTH = 1;
layout (constant_id = FV_WINDOW_OUT_DEPTH) const int OUT_DEPTH = 1;
layout (constant_id = FV_WINDOW_KERNEL) const int KZ = 1;
layout (constant_id = FV_WINDOW_STRIDE) const int SZ = 1;
layout (constant_id = FV_WINDOW_DILATION) const int DZ = 1;
layout (constant_id = FV_WINDOW_PAD) const int PZ = 0;
layout (constant_id = FV_SPEC_LOCAL) const int THREADS = 8;

layout (push_constant) uniform Push { FvWindowPush push; };

FV_IN (0, x)
FV_IN (1, w)
FV_IN (2, bias)
FV_OUT (3, y)
FV_STEPS_OPERANDS (4)

ivec3 in_size = ivec3 (push.in_width, push.in_height, IN_DEPTH);
ivec3 kernel = ivec3 (FV_PAIR_X (push.kernel), FV_PAIR_Y (push.kernel), KZ);
ivec3 stride = ivec3 (FV_PAIR_X (push.stride), FV_PAIR_Y (push.stride), SZ);
ivec3 pad = ivec3 (FV_PAIR_X (push.pad), FV_PAIR_Y (push.pad), PZ);
ivec3 dilation =
    ivec3 (FV_PAIR_X (push.dilation), FV_PAIR_Y (push.dilation), DZ);

/* The input that @tap of output @at reads; FALSE where there is none. */
bool source (ivec3 at, ivec3 tap, out ivec3 from)
{
  if (TRANSPOSED == 0) {
    from = at * stride - pad + tap * dilation;
  } else {
    ivec3 whole = at + pad - tap * dilation;
    from = whole / stride;
    if (any (lessThan (whole, ivec3 (0))) || from * stride != whole)
      return false;
  }
  return all (greaterThanEqual (from, ivec3 (0)))
      && all (lessThan (from, in_size));
}

float channel (int m, ivec3 at, int image)
{
  int group = m / push.share;
  int weights = TRANSPOSED == 0
      ? push.w_base + m * push.w_channel
      : push.w_base + (m - group * push.share) * push.w_channel
          + group * push.depth;
  float sum = 0;

  for (int kz = 0; kz < kernel.z; kz++)
    for (int ky = 0; ky < kernel.y; ky++)
      for (int kx = 0; kx < kernel.x; kx++) {
        ivec3 from;
        bool exists = source (at, ivec3 (kx, ky, kz), from);
        from = clamp (from, ivec3 (0), in_size - 1);
        int start = 4 * (push.x_base + image * push.x_batch
            + from.z * push.x_depth + from.y * push.x_row
            + from.x * push.x_pixel) + group * push.depth;
        int tap = weights + kz * push.w_depth + ky * push.w_row
            + kx * push.w_column;
        float part = 0;
        for (int i = 0; i < push.depth; i++)
          part = fma (FV_LOAD1 (x, start + i), FV_LOAD1 (w, tap + i), part);
        sum += exists ? part : 0;
      }
  return sum;
}

void main ()
{
  int vectors = push.channels + 3 >> 2;
  int image = int (gl_WorkGroupID.z) / OUT_DEPTH;
  int id = int (gl_WorkGroupID.x) * THREADS + int (gl_LocalInvocationID.x);
  bool exists = id < push.out_width * vectors;
  id = min (id, push.out_width * vectors - 1);
  ivec3 at = ivec3 (id / vectors, gl_WorkGroupID.y,
      int (gl_WorkGroupID.z) - image * OUT_DEPTH);
  int c = id - at.x * vectors;
  vec4 v = BIAS != 0 ? FV_LOAD (bias, push.bias + c) : vec4 (0);

  for (int i = 0; i < 4; i++)
    v[i] += channel (min (4 * c + i, push.channels - 1), at, image);
  int row = (int (gl_WorkGroupID.z) * push.out_height + at.y) * push.out_width
      + at.x;
  v = fv_steps (v, push.operand, row, c);
  v = mix (v, vec4 (0), greaterThanEqual (
      4 * c + ivec4 (0, 1, 2, 3), ivec4 (push.channels)));
  if (exists)
    FV_STORE (y, push.y_base + image * push.y_batch + at.z * push.y_depth
        + at.y * push.y_row + at.x * push.y_pixel + c, v);
}
