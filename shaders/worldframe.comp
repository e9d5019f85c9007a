/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a camera makes of the light of worldtrace.comp: blur of its lens and of
 * motion, exposure, noise, bytes of a video format. And the truth, as planes.
 * Bindings: 0 the world; 1 colours; 2 surfaces; 3 the frame; 4 class map, bytes;
 * 5 instance map, 16 bits; 6 depth, floats. One invocation per 8 x 2 pixels. */
#version 460
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "world.h"
layout (constant_id = FV_WORLD_SPEC_FORMAT) const int format = FV_WORLD_RGB;
layout (push_constant) uniform Push { FvWorldPush push; };
FV_IN (0, world)
FV_IN (1, colours)
FV_IN (2, surfaces)
layout (std430, set = 0, binding = 3) buffer Frame { uint frame[]; };
layout (std430, set = 0, binding = 4) buffer Classes { uint classes[]; };
layout (std430, set = 0, binding = 5) buffer Instances { uint instances[]; };
layout (std430, set = 0, binding = 6) buffer Depths { float depths[]; };
#include "world.glsl"

/* Values of fewer than 32 bits on their way into a row of words. */
struct Row
{
  int at, end; /* next word, end of the row */
  uint pending, bits;
};

#define ROW_PUSH(target, row, value, n_bits) \
  { \
    row.pending |= (value) << row.bits; \
    row.bits += n_bits; \
    if (row.bits >= 32) { \
      row.bits -= 32; \
      if (row.at < row.end) \
        target[row.at] = row.pending; \
      row.at++; \
      row.pending = row.bits == 0 ? 0 : (value) >> ((n_bits) - row.bits); \
    } \
  }

Row row_at (int plane, int y, int rows, int stride, int column)
{
  int first = plane + y * stride;
  return Row (first + column, y < rows ? first + stride : 0, 0, 0);
}

/* Five looks around the pixel, spread along its motion. */
vec3 developed (int x, int y, vec4 surface)
{
  vec4 exposure = FV_LOAD (world, FV_WORLD_EXPOSURE);
  vec4 turns = FV_LOAD (world, FV_WORLD_TURNS);
  vec2 way = surface.zw * FV_LOAD (world, FV_WORLD_MOVES).w;
  way *= min (1.0, 32 * inversesqrt (max (dot (way, way), 1.0)));
  const vec2 around[5]
    = { vec2 (-1, 0), vec2 (0, -1), vec2 (0), vec2 (0, 1), vec2 (1, 0) };
  vec3 c = vec3 (0);
  [[unroll]] for (int i = 0; i < 5; i++) {
    vec2 to = vec2 (x, y) + around[i] + way * (0.25 * float (i) - 0.5) + 0.5;
    ivec2 look = clamp (ivec2 (floor (to)), ivec2 (0),
      ivec2 (push.width - 1, push.height - 1));
    bool moves = dot (way, way) > 1;
    float side = moves ? 0.2 : 0.25 * exposure.z;
    float weight = i == 2 ? 1 - 4 * side : side;
    c += weight * FV_LOAD (colours, look.y * push.width + look.x).xyz;
  }
  c = 1 - exp (-exposure.x * c);
  c = pow (c, vec3 (1 / 2.2));
  uint h = hash (uint (y * push.width + x) ^ hash (uint (exposure.y)));
  vec3 grain = vec3 (h & 0x3ff, h >> 10 & 0x3ff, h >> 20 & 0x3ff) * (1.0 / 1023);
  h = hash (h);
  grain += vec3 (h & 0x3ff, h >> 10 & 0x3ff, h >> 20 & 0x3ff) * (1.0 / 1023) - 1;
  return clamp (c + turns.w * grain, vec3 (0), vec3 (1));
}

/* A byte of a pixel: @row is the weights of R, G, B and what is added, in 0..255. */
uint byte_of (int row, vec3 c)
{
  vec4 weights = FV_LOAD (world, row);
  return uint (clamp (dot (weights.xyz, c) + weights.w + 0.5, 0.0, 255.0));
}

void main ()
{
  int column = int (gl_GlobalInvocationID.x), pair = int (gl_GlobalInvocationID.y);
  if (8 * column >= push.width)
    return;
  bool is_420 = format == FV_WORLD_NV12 || format == FV_WORLD_I420;
  int words = is_420 ? 2 : format == FV_WORLD_RGB ? 6 : 8;
  Row pixels[2], kinds[2], things[2];
  [[unroll]] for (int j = 0; j < 2; j++) {
    int y = 2 * pair + j;
    pixels[j] = row_at (push.plane[0], y, push.height, push.stride[0], words * column);
    kinds[j] = row_at (0, y, push.height, push.class_stride, 2 * column);
    things[j] = row_at (0, y, push.height, push.instance_stride, 4 * column);
  }
  int half_height = (push.height + 1) / 2, step = format == FV_WORLD_NV12 ? 2 : 1;
  Row blue = row_at (push.plane[1], pair, half_height, push.stride[1], step * column);
  Row red = row_at (push.plane[2], pair, half_height, push.stride[1], column);
  for (int k = 0; k < 8; k += 2) {
    vec3 sum = vec3 (0);
    [[unroll]] for (int i = 0; i < 4; i++) {
      const int j = i >> 1;
      int x = 8 * column + k + (i & 1), y = 2 * pair + j;
      int inside = min (y, push.height - 1) * push.width + min (x, push.width - 1);
      vec4 surface = FV_LOAD (surfaces, inside);
      vec3 c = developed (min (x, push.width - 1), min (y, push.height - 1), surface);
      uint what = uint (surface.y);
      sum += 0.25 * c;
      uint value = byte_of (FV_WORLD_LUMA, c);
      if (!is_420)
        value |= byte_of (FV_WORLD_BLUE, c) << 8 | byte_of (FV_WORLD_RED, c) << 16;
      const uint bits = is_420 ? 8 : format == FV_WORLD_RGB ? 24 : 32;
      if (format == FV_WORLD_RGBX) {
        if (pixels[j].at < pixels[j].end)
          frame[pixels[j].at] = value | 0xff000000u;
        pixels[j].at++;
      } else
        ROW_PUSH (frame, pixels[j], value, bits)
      ROW_PUSH (classes, kinds[j], what & 0xff, 8)
      ROW_PUSH (instances, things[j], what >> 8, 16)
      if (x < push.width && y < push.height)
        depths[inside] = surface.x;
    }
    if (is_420) {
      uint u = byte_of (FV_WORLD_BLUE, sum), v = byte_of (FV_WORLD_RED, sum);
      if (format == FV_WORLD_NV12) {
        uint both = u | v << 8;
        ROW_PUSH (frame, blue, both, 16)
      } else {
        ROW_PUSH (frame, blue, u, 8)
        ROW_PUSH (frame, red, v, 8)
      }
    }
  }
}
