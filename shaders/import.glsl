/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the import kernels share: one pixel of the frame, colours, the store. */
#include "import.h"

layout (constant_id = FV_IMPORT_SPEC_KIND) const int kind = 0;
layout (constant_id = FV_IMPORT_SPEC_STEP) const int chroma_step = 1;
layout (constant_id = FV_IMPORT_SPEC_SITE_X) const int site_x = 1;
layout (constant_id = FV_IMPORT_SPEC_SITE_Y) const int site_y = 0;
layout (constant_id = FV_IMPORT_SPEC_GRAY) const int gray = 0;
layout (constant_id = FV_IMPORT_SPEC_PLANAR) const int planar = 0;
layout (constant_id = FV_IMPORT_SPEC_FILL) const int fill = 0;
layout (constant_id = FV_IMPORT_SPEC_TAPS) const int taps = 0;

layout (push_constant) uniform Push { FvImportPush push; };

#ifdef FV_IMPORT_SOURCE
/* The same bytes, one by one and four by four. */
layout (set = 0, binding = 0) uniform usamplerBuffer frame_bytes;
layout (set = 0, binding = 1) uniform usamplerBuffer frame_words;

float byte_at (int i)
{
  return float (texelFetch (frame_bytes, i).x);
}

/* The chroma samples around luma position i: first one and the second's weight. */
int chroma_index (int i, int site, out float weight)
{
  bool odd = (i & 1) != 0;
  if (site == 1) {
    weight = odd ? 0.5 : 0;
    return i >> 1;
  }
  weight = odd ? 0.25 : 0.75;
  return (i - 1) >> 1;
}

vec2 chroma_420_at (int x, int y)
{
  x = clamp (x, 0, ((push.width + 1) >> 1) - 1);
  y = clamp (y, 0, ((push.height + 1) >> 1) - 1);
  int at = y * push.stride[1] + x * chroma_step;
  if (chroma_step == 2) {
    uvec4 word = texelFetch (frame_words, (push.plane[1] + at) >> 2);
    return vec2 ((x & 1) != 0 ? word.zw : word.xy);
  }
  return vec2 (byte_at (push.plane[1] + at), byte_at (push.plane[2] + at));
}

vec2 chroma_420 (int x, int y)
{
  float wx, wy;
  int cx = chroma_index (x, site_x, wx), cy = chroma_index (y, site_y, wy);
  vec2 top = mix (chroma_420_at (cx, cy), chroma_420_at (cx + 1, cy), wx);
  vec2 bottom
    = mix (chroma_420_at (cx, cy + 1), chroma_420_at (cx + 1, cy + 1), wx);
  return mix (top, bottom, wy);
}

vec2 chroma_422_at (int x, int row)
{
  x = clamp (x, 0, ((push.width + 1) >> 1) - 1);
  uvec4 word = texelFetch (frame_words, row + x);
  return vec2 (kind == FV_IMPORT_YUYV ? word.yw : word.xz);
}

vec3 stored_422 (int x, int y)
{
  float weight;
  int row = (y * push.stride[0]) >> 2;
  int cx = chroma_index (x, site_x, weight);
  uvec4 word = texelFetch (frame_words, row + (x >> 1));
  uvec2 luma = kind == FV_IMPORT_YUYV ? word.xz : word.yw;
  vec2 chroma
    = mix (chroma_422_at (cx, row), chroma_422_at (cx + 1, row), weight);
  return vec3 (float ((x & 1) != 0 ? luma.y : luma.x), chroma);
}

/* Pixel (x, y), which lies in the frame, as it is stored: 0..255 */
vec3 stored (int x, int y)
{
  int row = y * push.stride[0];
  switch (kind) {
  case FV_IMPORT_GRAY: return vec3 (byte_at (row + x), 0, 0);
  case FV_IMPORT_BYTES3:
    row += 3 * x;
    return vec3 (byte_at (row), byte_at (row + 1), byte_at (row + 2));
  case FV_IMPORT_BYTES4:
    return vec3 (texelFetch (frame_words, (row >> 2) + x).xyz);
  case FV_IMPORT_420: return vec3 (byte_at (row + x), chroma_420 (x, y));
  }
  return stored_422 (x, y);
}

/* The model's channels of a pixel, 0..1; x and y are clamped to the frame. */
vec3 channels (int x, int y)
{
  vec4 p = vec4 (stored (min (x, push.width - 1), min (y, push.height - 1)), 1);
  vec3 c;
  [[unroll]] for (int i = 0; i < 3; i++)
    c[i] = dot (p, vec4 (push.matrix[4 * i], push.matrix[4 * i + 1],
      push.matrix[4 * i + 2], push.matrix[4 * i + 3]));
  return clamp (c, 0.0, 1.0);
}
#endif

#ifdef FV_IMPORT_TARGET
vec3 normalised (vec3 c)
{
  if (gray == 1)
    c = vec3 (dot (c, vec3 (0.299, 0.587, 0.114)));
  return c * vec3 (push.scale[0], push.scale[1], push.scale[2])
    + vec3 (push.offset[0], push.offset[1], push.offset[2]);
}

/* Invocation (i, y) makes pixel i, or four of them where channels are planes;
 * import_pixel (x, y) is the kernel's own. */
vec3 import_pixel (int x, int y);

void import_store (int i, int y)
{
  int at = push.base + y * push.row;
  if (planar == 0) {
    if (i >= push.out_width)
      return;
    vec3 c = normalised (import_pixel (i, y));
    at += i * push.pixel;
    FV_STORE (target, at, vec4 (c.x, gray == 1 ? vec2 (0) : c.yz, 0));
    for (int k = 1; k <= fill; k++)
      FV_STORE (target, at + k, vec4 (0));
    return;
  }
  vec4 first = vec4 (0), second = vec4 (0), third = vec4 (0);
  if (i >= push.row)
    return;
  for (int k = 0; k < 4; k++) {
    int x = 4 * i + k;
    vec3 c = normalised (import_pixel (min (x, push.out_width - 1), y));
    c = x < push.out_width ? c : vec3 (0);
    first = vec4 (first.yzw, c.x);
    second = vec4 (second.yzw, c.y);
    third = vec4 (third.yzw, c.z);
  }
  FV_STORE (target, at + i, first);
  if (gray == 0) {
    FV_STORE (target, at + i + push.pixel, second);
    FV_STORE (target, at + i + 2 * push.pixel, third);
  }
}
#endif
