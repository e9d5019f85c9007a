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
/* The bytes of all words stand for the same components. */
const bool ALIKE = 4 % GROUP_BYTES == 0;

/* rows of the matrix: one per byte where ALIKE, else one per component */
vec4 matrix[4];

uint component_of (int k)
{
  return (components >> (8 * k)) & 255u;
}

/* Of @across pixels of ROWS rows from @p on, as far as they lie in the frame:
 * colour times alpha summed, alpha summed; their number. */
vec4 cover (ivec2 p, int across, out float n)
{
  vec4 sum = vec4 (0);

  n = 0.0;
  [[unroll]] for (int j = 0; j < ROWS; j++)
    [[unroll]] for (int i = 0; i < across; i++) {
      ivec2 q = p + ivec2 (i, j << WOVEN);
      float inside = q.x < width && q.y < height ? 1.0 : 0.0;
      vec4 c = vec4 (texelFetch (
          canvas, min (q.y, height - 1) * width + min (q.x, width - 1)));
      c.a *= inside;
      n += inside;
      sum += vec4 (c.rgb * c.a, c.a);
    }
  return sum;
}

uint blend (uint old, vec4 row, vec4 sum, float n)
{
  float value = dot (row.rgb, sum.rgb / sum.a) + row.a;
  float alpha = sum.a / (255.0 * n);
  float step = float (1 << SHIFT), most = BYTES == 2 ? 65535.0 : 255.0;

  value = (float (old) + (value - float (old)) * alpha) / step;
  return uint (clamp (value + 0.5, 0.0, most / step)) << SHIFT;
}

vec4 row_for (int b, uint component)
{
  if (ALIKE)
    return matrix[b];
  return component == 0u ? matrix[0]
      : component == 1u  ? matrix[1]
      : component == 2u  ? matrix[2]
                         : matrix[3];
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
  int i = offset + row * stride + x, last = -1;
  uvec4 old = texelFetch (frame_in, i), result = old;
  vec4 sum = vec4 (0);
  float n = 0.0;

  [[unroll]] for (int b = 0; b < 4; b += BYTES) {
    int byte = 4 * x + b, k = ALIKE ? b % GROUP_BYTES : byte % GROUP_BYTES;
    int wide = (WIDE >> k) & 1;
    ivec2 p = ivec2 (
        byte / GROUP_BYTES * GROUP_PIXELS + ((SECOND >> k) & 1), first_row (row));
    int place = p.x * 2 + wide, before = max (k - BYTES, 0);
    bool is_other = place != last;
    if (ALIKE)
      is_other = k < BYTES || wide != ((WIDE >> before) & 1)
        || ((SECOND >> k) & 1) != ((SECOND >> before) & 1);
    /* bytes of the same pixels share what covers them */
    if (is_other)
      sum = cover (p, 1 + wide, n);
    last = place;
    uint sample_old = BYTES == 2 ? old[b] | old[(b + 1) & 3] << 8 : old[b];
    uint component = component_of (k);
    uint made = blend (sample_old, row_for (b, component), sum, n);
    bool is_drawn = sum.a > 0.0 && component != 255u && byte < row_bytes;
    result[b] = is_drawn ? made & 255u : old[b];
    if (BYTES == 2)
      result[(b + 1) & 3] = is_drawn ? made >> 8 : old[(b + 1) & 3];
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
    matrix[c] = FV_LOAD (scene, FV_SCENE_MATRIX
        + (ALIKE ? min (int (component_of (c % GROUP_BYTES)), 3) : c));
  ivec2 corner = ivec2 (tile % int (frame.z), tile / int (frame.z))
      * ivec2 (WORDS, SIDE / ROWS);
  for (int at = int (gl_LocalInvocationID.x); at < WORDS * (SIDE / ROWS);
       at += int (gl_WorkGroupSize.x)) {
    ivec2 p = corner + ivec2 (at % WORDS, at / WORDS);
    if (4 * p.x < row_bytes && p.y < n_rows)
      blend_word (p.x, p.y);
  }
}
