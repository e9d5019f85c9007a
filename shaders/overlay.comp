/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paints masks, depth, boxes and text onto a canvas of the frame's size.
 *
 * Canvas: a word per pixel, r g b a from the low byte, colour not multiplied by
 * alpha; 0 where nothing is drawn. Tiles without anything are left as they are,
 * since blend.comp does not read them, unless the scene asks for all.
 * Grid: a workgroup of 64 per tile. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "scene.h"

FV_IN (0, scene)
layout (set = 0, binding = 1) uniform usamplerBuffer mask;
layout (set = 0, binding = 2) uniform usamplerBuffer depth;
layout (set = 0, binding = 3) uniform usamplerBuffer atlas;
layout (set = 0, binding = 4) uniform usamplerBuffer instances;
layout (std430, set = 0, binding = 5) writeonly buffer Canvas { uint canvas[]; };

#include "depthmap.glsl"

/* colour times alpha, alpha */
vec4 sum;

void over (vec3 color, float alpha)
{
  sum = sum * (1.0 - alpha) + vec4 (color, 1.0) * alpha;
}

bool is_outside (vec2 at, vec4 region)
{
  return any (lessThan (at, vec2 (0)))
      || any (greaterThanEqual (at, region.zw));
}

void paint_depth (ivec2 p, vec4 region, vec4 size, vec2 range)
{
  vec2 at = vec2 (p) - region.xy;
  bool known;

  if (is_outside (at, region))
    return;
  float value = depth_between (
      (at + 0.5) * (size.xy / region.zw), ivec2 (size.xy), known);
  if (!known)
    return;
  float t = clamp ((value - range.x) / (range.y - range.x), 0.0, 1.0);
  over (FV_LOAD (scene, FV_SCENE_COLORMAP + int (t * 255.0 + 0.5)).rgb, size.w);
}

/* Depth as a small picture with a line around it, black where it is not known. */
void paint_inset (ivec2 p, vec4 region, vec4 size, vec2 range)
{
  ivec4 rect = ivec4 (FV_LOAD (scene, FV_SCENE_INSET));
  int line = int (size.z);

  if (any (lessThan (p, rect.xy - line))
      || any (greaterThanEqual (p, rect.zw + line)))
    return;
  bool is_inside = all (greaterThanEqual (p, rect.xy)) && all (lessThan (p, rect.zw));
  over (vec3 (is_inside ? 0.0 : 255.0), 1.0);
  if (is_inside)
    paint_depth (p, region, size, range);
}

/* The number of the thing that element q of the mask is of; 0: of none. */
int instance_at (ivec2 q, vec4 head)
{
  int i = q.y * int (head.z) + q.x * int (head.y);
  int number = int (texelFetch (instances, i).x);
  return head.y > 1.0 ? number | int (texelFetch (instances, i + 1).x) << 8 : number;
}

void paint_mask (ivec2 p, vec4 head, vec4 region, vec4 size, vec4 instance_head)
{
  vec2 at = vec2 (p) - region.xy;

  if (is_outside (at, region))
    return;
  ivec2 q = min (ivec2 ((at + 0.5) * size.xy / region.zw), ivec2 (size.xy) - 1);
  int i = q.y * int (head.z) + q.x * int (head.y);
  int id = int (texelFetch (mask, i).x);
  if (head.y > 1.0)
    id |= int (texelFetch (mask, i + 1).x) << 8;
  if (id >= int (head.w) || id == int (size.z))
    return;
  if (instance_head.x > 0.0) {
    int number = instance_at (q, instance_head);
    id = number > 0 ? FV_INSTANCE_COLOR (number) : id;
  }
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

/* What paint_mask() makes of a pixel where nothing else is drawn. @row: the first
 * byte of its row of the mask. */
uint mask_alone (int x, int row, vec4 head, vec4 region, vec4 size, uint alpha)
{
  float at = float (x) - region.x;
  int q = min (int ((at + 0.5) * size.x / region.z), int (size.x) - 1);
  int i = row + max (q, 0) * int (head.y);
  int id = int (texelFetch (mask, i).x);
  if (head.y > 1.0)
    id |= int (texelFetch (mask, i + 1).x) << 8;
  uint color = uint (FV_LOAD (scene, FV_SCENE_PALETTE + (id & 255)).w);
  bool is_drawn = at >= 0.0 && at < region.z && id < int (head.w) && id != int (size.z);
  return is_drawn && alpha != 0u ? color | alpha << 24 : 0u;
}

/* A tile that holds nothing but the mask. */
void paint_tile (ivec2 corner, vec4 frame, vec4 head, vec4 region, vec4 size)
{
  uint alpha = min (uint (size.w * 255.0 + 0.5), 255u);

  for (int at = int (gl_LocalInvocationID.x); at < 1 << (2 * FV_TILE_SHIFT);
       at += int (gl_WorkGroupSize.x)) {
    ivec2 p = corner + ivec2 (at & ((1 << FV_TILE_SHIFT) - 1), at >> FV_TILE_SHIFT);
    float y = float (p.y) - region.y;
    if (p.x >= int (frame.x) || p.y >= int (frame.y))
      continue;
    int q = clamp (int ((y + 0.5) * size.y / region.w), 0, int (size.y) - 1);
    uint word = mask_alone (p.x, q * int (head.z), head, region, size, alpha);
    canvas[p.y * int (frame.x) + p.x] = y >= 0.0 && y < region.w ? word : 0u;
  }
}

uint packed ()
{
  uvec4 c;

  if (sum.a <= 0.0)
    return 0u;
  c = min (uvec4 (vec4 (sum.rgb / sum.a, sum.a * 255.0) + 0.5), uvec4 (255));
  return c.a == 0u ? 0u : c.r | c.g << 8 | c.b << 16 | c.a << 24;
}

void main ()
{
  int tile = int (gl_WorkGroupID.x);
  vec4 frame = FV_LOAD (scene, FV_SCENE_FRAME);
  ivec2 list = ivec2 (FV_LOAD (scene, FV_SCENE_TILES + tile).xy);

  if (list.y == 0 && frame.w == 0.0)
    return;
  vec4 depth_head = FV_LOAD (scene, FV_SCENE_DEPTH);
  vec4 depth_region = FV_LOAD (scene, FV_SCENE_DEPTH_REGION);
  vec4 depth_size = FV_LOAD (scene, FV_SCENE_DEPTH_SIZE);
  vec2 depth_range = FV_LOAD (scene, FV_SCENE_DEPTH_RANGE).xy;
  vec4 mask_head = FV_LOAD (scene, FV_SCENE_MASK);
  vec4 mask_region = FV_LOAD (scene, FV_SCENE_MASK_REGION);
  vec4 mask_size = FV_LOAD (scene, FV_SCENE_MASK_SIZE);
  vec4 instance_head = FV_LOAD (scene, FV_SCENE_INSTANCES);
  ivec2 lists = ivec2 (FV_LOAD (scene, FV_SCENE_INDICES).xy);
  ivec2 corner = ivec2 (tile % int (frame.z), tile / int (frame.z))
      << FV_TILE_SHIFT;
  const int side = 1 << FV_TILE_SHIFT;

  if (list.y == 0 && depth_head.x == 0.0 && mask_head.x > 0.0
      && instance_head.x == 0.0) {
    paint_tile (corner, frame, mask_head, mask_region, mask_size);
    return;
  }
  for (int at = int (gl_LocalInvocationID.x); at < side * side;
       at += int (gl_WorkGroupSize.x)) {
    ivec2 p = corner + ivec2 (at & (side - 1), at >> FV_TILE_SHIFT);
    if (p.x >= int (frame.x) || p.y >= int (frame.y))
      continue;
    sum = vec4 (0);
    if (depth_head.x > 0.0 && depth_size.z == 0.0)
      paint_depth (p, depth_region, depth_size, depth_range);
    if (mask_head.x > 0.0)
      paint_mask (p, mask_head, mask_region, mask_size, instance_head);
    for (int i = list.x; i < list.x + list.y; i++)
      paint_mark (p, lists.y
          + FV_MARK_SIZE * int (FV_LOAD1 (scene, lists.x * 4 + i)));
    if (depth_head.x > 0.0 && depth_size.z > 0.0)
      paint_inset (p, depth_region, depth_size, depth_range);
    canvas[p.y * int (frame.x) + p.x] = packed ();
  }
}
