/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Blends the canvas into one plane of a frame, in place, in the frame's format.
 *
 * A row of the plane is a sequence of groups of GROUP_BYTES bytes that stand for
 * GROUP_PIXELS pixels: 1 and 1 for luma, 2 and 2 for NV12's chroma, 4 and 2 for
 * YUY2, 3 and 1 for RGB. Byte k of a group holds component (components >> 8 k),
 * 255 for padding, of the pixel or pair of pixels that bit k of WIDE and SECOND
 * name. Words in which nothing is drawn are not written.
 * Grid: 64 words of a row, rows. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "scene.h"

layout (constant_id = 0) const int GROUP_BYTES = 1;
layout (constant_id = 1) const int GROUP_PIXELS = 1;
layout (constant_id = 2) const int WIDE = 0;   /* covers two pixels of the row */
layout (constant_id = 3) const int SECOND = 0; /* starts at the second pixel   */
layout (constant_id = 4) const int ROWS = 1;   /* rows of pixels a row covers  */

layout (push_constant) uniform Push
{
  int offset;     /* words */
  int stride;     /* words */
  int row_bytes;
  int n_rows;
  int width;      /* pixels of the frame */
  int height;
  uint components;
};

FV_IN (0, scene)
layout (set = 0, binding = 1) uniform usamplerBuffer canvas;
layout (set = 0, binding = 2) uniform usamplerBuffer frame_in;
layout (std430, set = 0, binding = 3) writeonly buffer Frame { uint frame_out[]; };

/* Of the pixels @p to @p + @n: colour times alpha summed, mean alpha. */
vec4 cover (ivec2 p, ivec2 n)
{
  vec4 sum = vec4 (0);

  for (int y = p.y; y < p.y + n.y; y++)
    for (int x = p.x; x < p.x + n.x; x++) {
      vec4 c = vec4 (texelFetch (canvas, y * width + x));
      sum += vec4 (c.rgb * c.a, c.a);
    }
  return sum;
}

uint blend (uint old, int byte, int row)
{
  int k = byte % GROUP_BYTES;
  uint component = (components >> (8 * k)) & 255u;
  ivec2 p = ivec2 (
      byte / GROUP_BYTES * GROUP_PIXELS + ((SECOND >> k) & 1), row * ROWS);
  ivec2 n = min (ivec2 (1 + ((WIDE >> k) & 1), ROWS), ivec2 (width, height) - p);

  if (component == 255u || byte >= row_bytes || n.x <= 0)
    return old;
  vec4 sum = cover (p, n);
  if (sum.a == 0.0)
    return old;
  vec4 m = FV_LOAD (scene, FV_SCENE_MATRIX + int (component));
  float value = dot (m.rgb, sum.rgb / sum.a) + m.a;
  float alpha = sum.a / (255.0 * float (n.x * n.y));
  return uint (clamp (
      float (old) + (value - float (old)) * alpha + 0.5, 0.0, 255.0));
}

void main ()
{
  int x = int (gl_GlobalInvocationID.x), row = int (gl_GlobalInvocationID.y);

  if (4 * x >= row_bytes || row >= n_rows)
    return;
  int i = offset + row * stride + x;
  uvec4 old = texelFetch (frame_in, i), result;
  [[unroll]] for (int b = 0; b < 4; b++)
    result[b] = blend (old[b], 4 * x + b, row);
  if (result != old)
    frame_out[i]
        = result.x | result.y << 8 | result.z << 16 | result.w << 24;
}
