/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One pixel of a frame in any format, as GstVideoFormatInfo describes it: which
 * plane a component is in, where in a group of bytes, how far apart its samples
 * are, how many pixels share its chroma. Included by import.glsl, behind the push
 * constants. */

layout (constant_id = FV_FRAME_SPEC_PLANES) const int planes = 0;
layout (constant_id = FV_FRAME_SPEC_OFFSETS) const int offsets = 0;
layout (constant_id = FV_FRAME_SPEC_STEPS) const int steps = 0;
layout (constant_id = FV_FRAME_SPEC_FLAGS) const int flags = 0;

/* The same bytes, one by one and four by four. */
layout (set = 0, binding = 0) uniform usamplerBuffer frame_bytes;
layout (set = 0, binding = 1) uniform usamplerBuffer frame_words;

bool has (int flag)
{
  return (flags & flag) != 0;
}

/* Where pixel (x, y) of the upright picture is stored. */
ivec2 place (int x, int y)
{
  ivec2 size = ivec2 (push.width, push.height);
  ivec2 p = min (has (FV_FRAME_SWAP) ? ivec2 (y, x) : ivec2 (x, y), size - 1);
  if (has (FV_FRAME_MIRROR_X))
    p.x = size.x - 1 - p.x;
  if (has (FV_FRAME_MIRROR_Y))
    p.y = size.y - 1 - p.y;
  return p + ivec2 (push.origin & 255, push.origin >> 8);
}

/* Sample (x, y) of component c, which is a literal: what depends on it is known
 * when the pipeline is made. */
float sample_at (int c, int x, int y)
{
  int plane = (planes >> (8 * c)) & 255, first = (offsets >> (8 * c)) & 255;
  int step = (steps >> (8 * c)) & 255;
  int row = push.plane[plane] + y * push.stride[plane];
  if (step != 2 && step != 4)
    return float (texelFetch (frame_bytes, row + x * step + first).x);
  uvec4 word = texelFetch (frame_words, (row >> 2) + (step == 4 ? x : x >> 1));
  int second = (first + 2) & 3;
  bool is_second = step == 2 && (x & 1) != 0;
  uint value = is_second ? word[second] : word[first];
  if (has (FV_FRAME_TWO_BYTES))
    value |= (is_second ? word[(second + 1) & 3] : word[(first + 1) & 3]) << 8;
  return float (value);
}

vec2 chroma_at (int x, int y)
{
  return vec2 (sample_at (1, x, y), sample_at (2, x, y));
}

/* The chroma samples around luma position i: first one and the second's weight. */
int chroma_index (int i, bool is_on_even, out float weight)
{
  bool odd = (i & 1) != 0;
  if (is_on_even) {
    weight = odd ? 0.5 : 0;
    return i >> 1;
  }
  weight = odd ? 0.25 : 0.75;
  return (i - 1) >> 1;
}

/* Chroma of a row of samples, at luma column x. */
vec2 chroma_of_row (int x, int row)
{
  float weight;
  int last = ((push.width + (push.origin & 255) + 1) >> 1) - 1;
  int i = chroma_index (x, has (FV_FRAME_SITE_X), weight);
  return mix (chroma_at (clamp (i, 0, last), row),
    chroma_at (clamp (i + 1, 0, last), row), weight);
}

/* The rows of chroma around luma row y. In an interlaced frame those of y's own
 * field: row k of field f is row 2 k + f of the frame, at luma row 2 (2 k + f) plus
 * the siting (ITU-T H.264, 6.2). */
ivec2 chroma_rows (int y, out float weight)
{
  int last = ((push.height + (push.origin >> 8) + 1) >> 1) - 1;
  if (!has (FV_FRAME_INTERLACED)) {
    int i = chroma_index (y, has (FV_FRAME_SITE_Y), weight);
    return clamp (ivec2 (i, i + 1), 0, last);
  }
  int field = y & 1, last_of_field = max ((last - field) >> 1, 0);
  float at = 0.25 * (float (y - 2 * field) - (has (FV_FRAME_SITE_Y) ? 0.0 : 0.5));
  int k = int (floor (at));
  weight = at - floor (at);
  return min (2 * clamp (ivec2 (k, k + 1), 0, last_of_field) + field, last);
}

/* The components of pixel p of what is stored. */
vec3 stored (ivec2 p)
{
  float luma = sample_at (0, p.x, p.y), weight;
  if (has (FV_FRAME_GRAY))
    return vec3 (luma, 0, 0);
  if (!has (FV_FRAME_SUB_X))
    return vec3 (luma, chroma_at (p.x, p.y));
  if (!has (FV_FRAME_SUB_Y))
    return vec3 (luma, chroma_of_row (p.x, p.y));
  ivec2 rows = chroma_rows (p.y, weight);
  return vec3 (luma,
    mix (chroma_of_row (p.x, rows.x), chroma_of_row (p.x, rows.y), weight));
}
