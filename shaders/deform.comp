/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require
/* What the taps of a deformable convolution read, as channels: group by group,
 * tap by tap.
 *
 * Bindings: 0 x, 1 offsets, 2 mask, 3 y
 * Grid:     folded (blocks of UNITS channel units, columns, rows) x maps
 * An invocation makes four channels of one pixel, or UNITS times four that one tap
 * reads. */
#include "fv.glsl"
#include "walk.glsl"
#include "window.h"

FV_IN (0, x)
FV_IN (1, offset)
FV_IN (2, mask)
FV_OUT (3, y)

layout (constant_id = 0) const int UNITS = 0; /* 0: one, of several taps */
layout (constant_id = 1) const bool MASK = false;
layout (push_constant) uniform Push { FvDeformPush push; };

#define FAR 1048576.0 /* neither infinities nor NaN become addresses */

/* Along an axis, the first of two elements and the weights of both. */
int find_taps (float at, int size, out vec2 weight)
{
  float clear = isnan (at) ? -FAR : clamp (at, -FAR, FAR), below = floor (clear);
  int first = int (below);

  weight = vec2 (1 - (clear - below), clear - below);
  weight.x = first < 0 || first >= size ? 0 : weight.x;
  weight.y = first < -1 || first >= size - 1 ? 0 : weight.y;
  return first;
}

/* Where @tap of the offsets' group @group reads: the four corners, in vec4 units,
 * and their weights. */
ivec4 find_corners (int map, int row, int column, int group, int tap,
  out vec4 weight)
{
  int at = push.offset[0] + map * push.offset[1] + row * push.offset[3]
    + column * push.offset[4];
  int number = group * push.taps + tap, down = tap, across;
  vec2 rows, columns;
  ivec2 ys, xs;

  fv_divide (down, push.columns, across);
  at += 2 * number * push.offset[2];
  ys = ivec2 (0, 1) + find_taps (float (row * FV_PAIR_Y (push.stride)
      - FV_PAIR_Y (push.pad) + down * FV_PAIR_Y (push.dilation))
    + FV_LOAD1 (offset, at), push.in_size[0], rows);
  xs = ivec2 (0, 1) + find_taps (float (column * FV_PAIR_X (push.stride)
      - FV_PAIR_X (push.pad) + across * FV_PAIR_X (push.dilation))
    + FV_LOAD1 (offset, at + push.offset[2]), push.in_size[1], columns);
  ys = clamp (ys, ivec2 (0), ivec2 (push.in_size[0] - 1)) * push.x[1];
  xs = clamp (xs, ivec2 (0), ivec2 (push.in_size[1] - 1)) * push.x[2];
  weight = rows.xxyy * columns.xyxy;
  if (MASK)
    weight *= FV_LOAD1 (mask, push.mask[0] + map * push.mask[1]
      + number * push.mask[2] + row * push.mask[3] + column * push.mask[4]);
  return push.x_base + map * push.x[0] + ys.xxyy + xs.xyxy;
}

/* Where channel @number of the columns comes from. */
ivec4 find_source (int map, int row, int column, int number, out int channel,
  out vec4 weight)
{
  int group = number, tap, rest;

  fv_divide (group, push.depth, channel);
  fv_divide (group, push.taps, tap);
  channel += group * push.depth;
  group = channel;
  fv_divide (group, push.share, rest);
  return (channel >> 2) + find_corners (map, row, column, group, tap, weight);
}

vec4 product (float weight, vec4 v)
{
  return weight == 0 ? vec4 (0) : weight * v;
}

void main ()
{
  const int size = max (UNITS, 1);
  int row = fv_unit (), column, unit, map = int (gl_WorkGroupID.z), channel, at;
  ivec4 corner;
  vec4 weight;

  fv_divide (row, push.units / size, unit);
  fv_divide (row, push.out_size[1], column);
  if (row >= push.out_size[0])
    return;
  unit *= size;
  at = push.y_base + map * push.y[0] + row * push.y[1] + column * push.y[2]
    + unit;
  if (UNITS == 0) {
    vec4 sum = vec4 (0);

    [[unroll]] for (int i = 0; i < 4; i++) {
      corner = find_source (map, row, column,
        min (4 * unit + i, push.channels - 1), channel, weight);
      [[unroll]] for (int k = 0; k < 4; k++)
        if (4 * unit + i < push.channels)
          sum[i] += product (weight[k], FV_LOAD (x, corner[k]))[channel & 3];
    }
    FV_STORE (y, at, sum);
    return;
  }
  corner = find_source (map, row, column, 4 * unit, channel, weight);
  [[unroll]] for (int i = 0; i < size; i++)
    FV_STORE (y, at + i, product (weight.x, FV_LOAD (x, corner.x + i))
      + product (weight.y, FV_LOAD (x, corner.y + i))
      + (product (weight.z, FV_LOAD (x, corner.z + i))
      + product (weight.w, FV_LOAD (x, corner.w + i))));
}
