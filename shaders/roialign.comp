/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require
/* Boxes of maps, pooled into bins.
 *
 * Bindings: 0 x, 1 boxes, 2 the map of each, 3 y, 4 and 5 operands of steps
 * Grid:     folded (channel units, columns, rows) x boxes
 * An invocation makes four channels of one bin. */
#include "fv.glsl"
#include "steps.glsl"
#include "walk.glsl"

FV_IN (0, x)
FV_IN (1, rois)
FV_IN (2, maps)
FV_OUT (3, y)
FV_STEPS_OPERANDS (4)

layout (constant_id = 0) const bool MAX = false;
layout (constant_id = 1) const bool SHIFT = false;
layout (push_constant) uniform Push { FvRoiAlignPush push; };

/* Start and bin of the box along an axis, and samples in a bin. */
void find_span (int at, int axis, out float start, out float bin, out int samples)
{
  float shift = SHIFT ? 0.5 : 0;
  float bins = float (push.out_size[axis]);
  precise float low = FV_LOAD1 (rois, at) * push.scale - shift;
  precise float size
    = FV_LOAD1 (rois, at + 2 * push.rois[1]) * push.scale - shift - low;
  float whole;

  if (!SHIFT)
    size = max (size, 1);
  start = low;
  bin = size / bins;
  /* devices may divide less exactly than the samples' number needs */
  whole = round (bin);
  if (whole * bins == size)
    bin = whole;
  samples = push.samples;
  if (samples == 0)
    samples = bin > 0 ? int (ceil (min (bin, float (FV_ROI_SAMPLES)))) : 0;
}

/* The samples of a bin that may lie in the map: boxes may be as much larger as they
 * like. */
ivec2 find_reach (float start, float size, int samples, int bin, int limit)
{
  float step = size / float (samples), low = start + float (bin) * size;
  vec2 reach = vec2 (floor ((-1 - low) / step) - 1,
    ceil ((float (limit) - low) / step) + 1);

  if (!(step > 0))
    return ivec2 (0, samples);
  /* NaN: all samples are infinitely far, or nowhere */
  return reach.x <= reach.y ? ivec2 (clamp (reach, vec2 (0), vec2 (samples)))
                            : ivec2 (0);
}

/* The pixels around sample @i of @bin, and the weight of the second. */
bool find_sample (float start, float size, int samples, int bin, int i, int limit,
  out ivec2 index, out float weight)
{
  precise float at = start + float (bin) * size
    + (float (i) + 0.5) * size / float (samples);
  bool inside = at >= -1 && at <= float (limit);

  at = inside ? clamp (at, 0, float (limit - 1)) : 0;
  index.x = int (at);
  index.y = min (index.x + 1, limit - 1);
  weight = at - float (index.x);
  return inside;
}

void main ()
{
  int row = fv_unit (), column, unit, roi = int (gl_WorkGroupID.z);
  int map, base, at, down, across;
  float top, left, height, width;
  vec4 sum = vec4 (0), highest = vec4 (-3.4028234e38);
  ivec2 rows, columns;

  fv_divide (row, push.units, unit);
  fv_divide (row, push.out_size[1], column);
  if (row >= push.out_size[0])
    return;
  at = push.rois_base + roi * push.rois[0];
  find_span (at, 1, left, width, across);
  find_span (at + push.rois[1], 0, top, height, down);
  map = int (FV_LOAD1 (maps, push.map_base + roi * push.map));
  base = push.x_base + clamp (map, 0, push.maps - 1) * push.x[0] + unit;
  rows = find_reach (top, height, down, row, push.in_size[0]);
  columns = find_reach (left, width, across, column, push.in_size[1]);
  if (rows.y - rows.x < down || columns.y - columns.x < across)
    highest = vec4 (0);
  for (int i = rows.x; i < rows.y; i++) {
    ivec2 ys, xs;
    float below, right;

    if (!find_sample (top, height, down, row, i, push.in_size[0], ys, below)) {
      highest = max (highest, vec4 (0));
      continue;
    }
    ys = base + ys * push.x[1];
    for (int j = columns.x; j < columns.y; j++) {
      bool inside = find_sample (left, width, across, column, j, push.in_size[1],
        xs, right);
      vec4 a, b, c, d;

      if (!inside) {
        highest = max (highest, vec4 (0));
        continue;
      }
      xs *= push.x[2];
      a = (1 - below) * (1 - right) * FV_LOAD (x, ys.x + xs.x);
      b = (1 - below) * right * FV_LOAD (x, ys.x + xs.y);
      c = below * (1 - right) * FV_LOAD (x, ys.y + xs.x);
      d = below * right * FV_LOAD (x, ys.y + xs.y);
      sum += a + b + (c + d);
      highest = max (highest, max (max (a, b), max (c, d)));
    }
  }
  if (MAX)
    sum = down * across > 0 ? highest : vec4 (0);
  else
    sum /= float (max (down * across, 1));
  at = (roi * push.out_size[0] + row) * push.out_size[1] + column;
  sum = mix (vec4 (0), fv_steps (sum, push.operand, at, unit),
    lessThan (ivec4 (0, 1, 2, 3) + 4 * unit, ivec4 (push.channels)));
  FV_STORE (y, push.y_base + roi * push.y[0] + row * push.y[1]
    + column * push.y[2] + unit, sum);
}
