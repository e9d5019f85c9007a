/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Blends the canvas into one plane of a frame, in place, in the frame's format.
 *
 * A row of the plane is a sequence of groups of GROUP_BYTES bytes that stand for
 * GROUP_PIXELS pixels: 1 and 1 for luma, 2 and 2 for NV12's chroma, 4 and 2 for
 * YUY2, 3 and 1 for RGB. Byte k of a group holds component (components >> 8 k),
 * 255 for padding, of the pixel or pair of pixels that bit k of WIDE and SECOND
 * name; of samples of two bytes, the lower one first, both. A tile holds whole words in every format. Words in which nothing is drawn
 * are not written.
 * Grid: a workgroup of 64 per tile. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "scene.h"

layout (constant_id = 0) const int GROUP_BYTES = 1;
layout (constant_id = 1) const int GROUP_PIXELS = 1;
layout (constant_id = 2) const int WIDE = 0;   /* covers two pixels of the row */
layout (constant_id = 3) const int SECOND = 0; /* starts at the second pixel   */
layout (constant_id = 4) const int ROWS = 1;   /* rows of pixels a row covers  */
layout (constant_id = 5) const int BYTES = 1;  /* of a sample                  */
layout (constant_id = 7) const int WOVEN = 0;  /* pairs of rows are of a field */
layout (constant_id = 6) const int SHIFT = 0;  /* low bits that stay 0         */

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

const int SIDE = 1 << FV_TILE_SHIFT;
const int WORDS = SIDE / GROUP_PIXELS * GROUP_BYTES / 4; /* of a tile's row */

/* rows of the matrix, one per component */
vec4 matrix[4];

/* Of @n pixels from @p on: colour times alpha summed, alpha summed. */
vec4 cover (ivec2 p, ivec2 n)
{
  vec4 sum = vec4 (0);

  for (int y = p.y; y < p.y + (n.y << WOVEN); y += 1 << WOVEN)
    for (int x = p.x; x < p.x + n.x; x++) {
      vec4 c = vec4 (texelFetch (canvas, y * width + x));
      sum += vec4 (c.rgb * c.a, c.a);
    }
  return sum;
}

uint blend (uint old, uint component, vec4 sum, int n)
{
  vec4 m = component == 0u ? matrix[0]
      : component == 1u    ? matrix[1]
      : component == 2u    ? matrix[2]
                           : matrix[3];
  float value = dot (m.rgb, sum.rgb / sum.a) + m.a;
  float alpha = sum.a / (255.0 * float (n));
  float step = float (1 << SHIFT), most = BYTES == 2 ? 65535.0 : 255.0;

  value = (float (old) + (value - float (old)) * alpha) / step;
  return uint (clamp (value + 0.5, 0.0, most / step)) << SHIFT;
}

/* The first row of pixels that a row of the plane covers: in woven frames rows 0
 * and 2 are a pair, and 1 and 3. */
int first_row (int row)
{
  return WOVEN != 0 ? (row >> 1) * 4 + (row & 1) : row * ROWS;
}

/* Word @x of row @row. */
void blend_word (int x, int row)
{
  int i = offset + row * stride + x;
  uvec4 old = texelFetch (frame_in, i), result = old;
  ivec2 last = ivec2 (-1), last_n = ivec2 (0);
  vec4 sum = vec4 (0);

  [[unroll]] for (int b = 0; b < 4; b += BYTES) {
    int byte = 4 * x + b, k = byte % GROUP_BYTES;
    uint component = (components >> (8 * k)) & 255u;
    ivec2 p = ivec2 (
        byte / GROUP_BYTES * GROUP_PIXELS + ((SECOND >> k) & 1), first_row (row));
    ivec2 n = ivec2 (min (1 + ((WIDE >> k) & 1), width - p.x),
        min (ROWS, (height - p.y + WOVEN) >> WOVEN));
    if (component == 255u || byte >= row_bytes || n.x <= 0)
      continue;
    /* bytes of the same pixels share what covers them */
    if (p != last || n != last_n)
      sum = cover (p, n);
    last = p;
    last_n = n;
    if (sum.a <= 0.0)
      continue;
    uint sample_old = BYTES == 2 ? old[b] | old[(b + 1) & 3] << 8 : old[b];
    uint sample_new = blend (sample_old, component, sum, n.x * n.y);
    result[b] = sample_new & 255u;
    if (BYTES == 2)
      result[(b + 1) & 3] = sample_new >> 8;
  }
  if (result != old)
    frame_out[i] = result.x | result.y << 8 | result.z << 16 | result.w << 24;
}

void main ()
{
  int tile = int (gl_WorkGroupID.x);
  vec4 frame = FV_LOAD (scene, FV_SCENE_FRAME);
  vec4 list = FV_LOAD (scene, FV_SCENE_TILES + tile);

  if (list.y == 0.0 && frame.w == 0.0)
    return;
  [[unroll]] for (int c = 0; c < 4; c++)
    matrix[c] = FV_LOAD (scene, FV_SCENE_MATRIX + c);
  ivec2 corner = ivec2 (tile % int (frame.z), tile / int (frame.z))
      * ivec2 (WORDS, SIDE / ROWS);
  for (int at = int (gl_LocalInvocationID.x); at < WORDS * (SIDE / ROWS);
       at += int (gl_WorkGroupSize.x)) {
    ivec2 p = corner + ivec2 (at % WORDS, at / WORDS);
    if (4 * p.x < row_bytes && p.y < n_rows)
      blend_word (p.x, p.y);
  }
}
