/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the import kernels share: one pixel of the frame, colours, the store. */
#include "import.h"

layout (constant_id = FV_IMPORT_SPEC_GRAY) const int gray = 0;
layout (constant_id = FV_IMPORT_SPEC_PLANAR) const int planar = 0;
layout (constant_id = FV_IMPORT_SPEC_FILL) const int fill = 0;
layout (constant_id = FV_IMPORT_SPEC_TAPS) const int taps = 0;
layout (constant_id = FV_IMPORT_SPEC_EIGHT_BITS) const int eight_bits = 0;

layout (push_constant) uniform Push { FvImportPush push; };

/* Where eight_bits is 1 all is as in Pillow's Resample.c, in whole numbers: pixels
 * of 0..255, weights in steps of 2^-22, sums rounded and clamped to 0..255. */
ivec4 whole_steps (vec4 weights)
{
  return ivec4 (weights * 4194304.0);
}

ivec3 narrowed (ivec3 sum)
{
  return clamp ((sum + (1 << 21)) >> 22, 0, 255);
}

#ifdef FV_IMPORT_SOURCE
#include "frame.glsl"

/* The model's channels of a pixel of the upright picture, 0..1; clamped to it. */
vec3 channels (int x, int y)
{
  vec4 p = vec4 (stored (place (x, y)), 1);
  vec3 c;
  [[unroll]] for (int i = 0; i < 3; i++)
    c[i] = dot (p, vec4 (push.matrix[4 * i], push.matrix[4 * i + 1],
      push.matrix[4 * i + 2], push.matrix[4 * i + 3]));
  return clamp (c, 0.0, 1.0);
}

ivec3 bytes (int x, int y)
{
  return ivec3 (channels (x, y) * 255 + 0.5);
}
#endif

#ifdef FV_IMPORT_TARGET
vec3 around ()
{
  return vec3 (push.pad & 1023, (push.pad >> 10) & 1023, push.pad >> 20) / 1020;
}

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
