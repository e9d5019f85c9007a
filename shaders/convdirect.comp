/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any convolution, and any transposed one, element by element: what the fast
 * kernels do not take (odd numbers of channels a group, weights made at run
 * time). An invocation makes four channels of a pixel.
 *
 * Grid: columns times vec4 of channels, rows, images. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "steps.glsl"
#include "window.h"

layout (constant_id = FV_DIRECT_TRANSPOSED) const int TRANSPOSED = 0;
layout (constant_id = FV_DIRECT_BIAS) const int BIAS = 0;
layout (constant_id = FV_SPEC_LOCAL) const int THREADS = 8;

layout (push_constant) uniform Push { FvWindowPush push; };

FV_IN (0, x)
FV_IN (1, w)
FV_IN (2, bias)
FV_OUT (3, y)
FV_STEPS_OPERANDS (4)

ivec2 in_size = ivec2 (push.in_width, push.in_height);
ivec2 kernel = ivec2 (FV_PAIR_X (push.kernel), FV_PAIR_Y (push.kernel));
ivec2 stride = ivec2 (FV_PAIR_X (push.stride), FV_PAIR_Y (push.stride));
ivec2 pad = ivec2 (FV_PAIR_X (push.pad), FV_PAIR_Y (push.pad));
ivec2 dilation =
    ivec2 (FV_PAIR_X (push.dilation), FV_PAIR_Y (push.dilation));

/* The input that @tap of output @at reads; FALSE where there is none. */
bool source (ivec2 at, ivec2 tap, out ivec2 from)
{
  if (TRANSPOSED == 0) {
    from = at * stride - pad + tap * dilation;
  } else {
    ivec2 whole = at + pad - tap * dilation;
    from = whole / stride;
    if (any (lessThan (whole, ivec2 (0))) || from * stride != whole)
      return false;
  }
  return all (greaterThanEqual (from, ivec2 (0)))
      && all (lessThan (from, in_size));
}

float channel (int m, ivec2 at, int image)
{
  int group = m / push.share;
  int weights = TRANSPOSED == 0
      ? push.w_base + m * push.w_channel
      : push.w_base + (m - group * push.share) * push.w_channel
          + group * push.depth;
  float sum = 0;

  for (int ky = 0; ky < kernel.y; ky++)
    for (int kx = 0; kx < kernel.x; kx++) {
      ivec2 from;
      bool exists = source (at, ivec2 (kx, ky), from);
      from = clamp (from, ivec2 (0), in_size - 1);
      int start = 4 * (push.x_base + image * push.x_batch
          + from.y * push.x_row + from.x * push.x_pixel) + group * push.depth;
      int tap = weights + ky * push.w_row + kx * push.w_column;
      float part = 0;
      for (int i = 0; i < push.depth; i++)
        part = fma (FV_LOAD1 (x, start + i), FV_LOAD1 (w, tap + i), part);
      sum += exists ? part : 0;
    }
  return sum;
}

void main ()
{
  int vectors = push.channels + 3 >> 2, image = int (gl_WorkGroupID.z);
  int id = int (gl_WorkGroupID.x) * THREADS + int (gl_LocalInvocationID.x);
  bool exists = id < push.out_width * vectors;
  id = min (id, push.out_width * vectors - 1);
  ivec2 at = ivec2 (id / vectors, gl_WorkGroupID.y);
  int c = id - at.x * vectors;
  vec4 v = BIAS != 0 ? FV_LOAD (bias, push.bias + c) : vec4 (0);

  for (int i = 0; i < 4; i++)
    v[i] += channel (min (4 * c + i, push.channels - 1), at, image);
  int row = (image * push.out_height + at.y) * push.out_width + at.x;
  v = fv_steps (v, push.operand, row, c);
  v = mix (v, vec4 (0), greaterThanEqual (
      4 * c + ivec4 (0, 1, 2, 3), ivec4 (push.channels)));
  if (exists)
    FV_STORE (y, push.y_base + image * push.y_batch + at.y * push.y_row
        + at.x * push.y_pixel + c, v);
}
