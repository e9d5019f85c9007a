/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Boxes of a detector's candidates, for detect.comp. */

float box_value (int i, int k)
{
  return FV_LOAD1 (boxes, p.box + i * p.box_n + k * p.box_c);
}

vec4 box_values (int i)
{
  return vec4 (box_value (i, 0), box_value (i, 1), box_value (i, 2), box_value (i, 3));
}

/* The expected value of one side's distribution over bins. */
float expect (int i, int side)
{
  float top = LOWEST, sum = 0, weighted = 0;
  for (int k = 0; k < bins; k++)
    top = max (top, box_value (i, side * bins + k));
  for (int k = 0; k < bins; k++) {
    float e = exp (box_value (i, side * bins + k) - top);
    sum += e;
    weighted += e * float (k);
  }
  return weighted / sum;
}

vec4 from_center (vec2 center, vec2 size)
{
  return vec4 (center - 0.5 * size, center + 0.5 * size);
}

/* x0 y0 x1 y1 in the model's unit; formats as FvBoxFormat */
vec4 decode (int i)
{
  int cell = i / p.per_cell;
  vec2 at = vec2 (cell % p.grid_width, cell / p.grid_width);
  vec2 point = (at + p.cell_offset) * p.stride;

  if (box_format == 4) { /* distribution */
    vec4 d = vec4 (expect (i, 0), expect (i, 1), expect (i, 2), expect (i, 3)) * p.stride;
    return vec4 (point - d.xy, point + d.zw);
  }
  vec4 v = box_values (i);
  switch (box_format) {
  case 1: /* corners */
    return v;
  case 2: /* relative to the cell, exponential size */
    return from_center ((v.xy + at + p.cell_offset) * p.stride, exp (v.zw) * p.stride);
  case 3: /* distances */
    return vec4 (point - v.xy * p.stride, point + v.zw * p.stride);
  case 5: { /* relative to a prior box */
    int e = p.prior + i * p.prior_n;
    vec4 q = vec4 (FV_LOAD1 (priors, e), FV_LOAD1 (priors, e + p.prior_c),
      FV_LOAD1 (priors, e + 2 * p.prior_c), FV_LOAD1 (priors, e + 3 * p.prior_c));
    return from_center (q.xy + v.xy * p.variance_xy * q.zw, q.zw * exp (v.zw * p.variance_wh));
  }
  case 6: /* offsets in pixels */
    return from_center (point + v.xy, v.zw);
  case 7: /* corners, rows first */
    return v.yxwz;
  case 8: { /* relative to the cell, size to the input */
    vec2 size = vec2 (p.grid_width, p.grid_height) * p.stride;
    return from_center ((tanh (v.xy) + at + p.cell_offset) * p.stride,
      vec2 (sigmoid (v.z), sigmoid (v.w)) * size);
  }
  }
  return from_center (v.xy, v.zw);
}
