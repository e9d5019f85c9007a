/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paints masks, depth, boxes and text onto a canvas of the frame's size.
 *
 * Canvas: a word per pixel, r g b a from the low byte, colour not multiplied by
 * alpha; 0 where nothing is drawn.
 * Grid: 64 pixels of a row, rows. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "scene.h"

FV_IN (0, scene)
layout (set = 0, binding = 1) uniform usamplerBuffer mask;
layout (set = 0, binding = 2) uniform usamplerBuffer depth;
layout (set = 0, binding = 3) uniform usamplerBuffer atlas;
layout (std430, set = 0, binding = 4) writeonly buffer Canvas { uint canvas[]; };

#include "depthmap.glsl"

/* colour times alpha, alpha */
vec4 sum = vec4 (0);

void over (vec3 color, float alpha)
{
  sum = sum * (1.0 - alpha) + vec4 (color, 1.0) * alpha;
}

void paint_depth (ivec2 p)
{
  vec4 region = FV_LOAD (scene, FV_SCENE_DEPTH_REGION);
  vec4 size = FV_LOAD (scene, FV_SCENE_DEPTH_SIZE);
  vec2 range = FV_LOAD (scene, FV_SCENE_DEPTH_RANGE).xy;
  vec2 at = vec2 (p) - region.xy;
  bool known;

  if (any (lessThan (at, vec2 (0))) || any (greaterThanEqual (at, region.zw)))
    return;
  float value = depth_between (
      (at + 0.5) * (size.xy / region.zw), ivec2 (size.xy), known);
  if (!known)
    return;
  float t = clamp ((value - range.x) / (range.y - range.x), 0.0, 1.0);
  over (FV_LOAD (scene, FV_SCENE_COLORMAP + int (t * 255.0 + 0.5)).rgb, size.w);
}

void paint_mask (ivec2 p, vec4 head)
{
  vec4 region = FV_LOAD (scene, FV_SCENE_MASK_REGION);
  vec4 size = FV_LOAD (scene, FV_SCENE_MASK_SIZE);
  vec2 at = vec2 (p) - region.xy;

  if (any (lessThan (at, vec2 (0))) || any (greaterThanEqual (at, region.zw)))
    return;
  ivec2 q = min (ivec2 ((at + 0.5) * size.xy / region.zw), ivec2 (size.xy) - 1);
  int i = q.y * int (head.z) + q.x * int (head.y);
  int id = int (texelFetch (mask, i).x);
  if (head.y > 1.0)
    id |= int (texelFetch (mask, i + 1).x) << 8;
  if (id >= int (head.w) || id == int (size.z))
    return;
  over (FV_LOAD (scene, FV_SCENE_PALETTE + (id & 255)).rgb, size.w);
}

void paint_mark (ivec2 p, int mark)
{
  ivec4 rect = ivec4 (FV_LOAD (scene, mark + FV_MARK_RECT));

  if (any (lessThan (p, rect.xy)) || any (greaterThanEqual (p, rect.zw)))
    return;
  vec4 color = FV_LOAD (scene, mark + FV_MARK_COLOR);
  ivec2 text = ivec2 (FV_LOAD (scene, mark + FV_MARK_ATLAS).xy);
  over (color.rgb, color.a);
  if (text.x < 0)
    return;
  int i = text.x + (p.y - rect.y) * text.y + p.x - rect.x;
  float coverage = float (texelFetch (atlas, i).x) / 255.0;
  vec4 ink = FV_LOAD (scene, mark + FV_MARK_TEXT);
  over (ink.rgb, ink.a * coverage);
}

void main ()
{
  vec4 frame = FV_LOAD (scene, FV_SCENE_FRAME);
  ivec2 p = ivec2 (gl_GlobalInvocationID.xy);

  if (p.x >= int (frame.x) || p.y >= int (frame.y))
    return;
  if (FV_LOAD (scene, FV_SCENE_DEPTH).x > 0.0)
    paint_depth (p);
  vec4 head = FV_LOAD (scene, FV_SCENE_MASK);
  if (head.x > 0.0)
    paint_mask (p, head);

  ivec2 tile = p >> FV_TILE_SHIFT;
  ivec2 list = ivec2 (FV_LOAD (scene,
      FV_SCENE_TILES + tile.y * int (frame.z) + tile.x).xy);
  if (list.y > 0) {
    ivec2 lists = ivec2 (FV_LOAD (scene, FV_SCENE_INDICES).xy);
    for (int i = list.x; i < list.x + list.y; i++)
      paint_mark (p, lists.y
          + FV_MARK_SIZE * int (FV_LOAD1 (scene, lists.x * 4 + i)));
  }

  uvec4 result = uvec4 (0);
  if (sum.a > 0.0)
    result = uvec4 (vec4 (sum.rgb / sum.a, sum.a * 255.0) + 0.5);
  result = min (result, uvec4 (255));
  canvas[p.y * int (frame.x) + p.x] = result.a == 0u ? 0u
      : result.r | result.g << 8 | result.b << 16 | result.a << 24;
}
