/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One ray per pixel through the synthetic world: its colour in linear light, and
 * what it met: depth, class, instance, motion. Each tile of the frame has lists of
 * the parts that it may show, by shape, and each cell of a grid across the light
 * those that may stand in its way.
 * Bindings: 0 the world, see world.h; 1 colours; 2 depth, class + 256 instance,
 * motion in pixels a frame; 3 what is seen of each instance. One workgroup per 8 x
 * 8 pixels. */
#version 460
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "world.h"
#ifdef FV_SUBGROUP
#extension GL_KHR_shader_subgroup_ballot : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#endif
FV_IN (0, world)
FV_OUT (1, colours)
FV_OUT (2, surfaces)
layout (std430, set = 0, binding = 3) buffer Seen { uint seen[]; };
#include "world.glsl"
#include "worldshape.glsl"
#include "worldlight.glsl"

struct Hit
{
  float t;
  int part; /* row; 0: the ground, -1: the sky */
  int record; /* of the instance, -1: none */
  uint covers; /* instances of the tile that lie on the ray, by bits */
};

void meet (inout Hit hit, vec4 entry, float t)
{
  if (t < FAR && entry.y >= 0)
    hit.covers |= 1u << int (entry.y);
  if (t < hit.t) {
    hit.t = t;
    hit.part = int (entry.x);
    hit.record = int (entry.z);
  }
}

Hit trace (vec3 d, vec4 tile)
{
  vec3 camera = FV_LOAD (world, FV_WORLD_CAMERA).xyz;
  float ground = d.y < 0 ? -camera.y / d.y : FAR;
  Hit hit = Hit (ground, ground < FAR ? 0 : -1, -1, 0);
  int at = int (tile.x), end = at + int (tile.y);
  for (; at < end; at++) {
    vec4 entry = FV_LOAD (world, at);
    vec3 o, u = to_unit (int (entry.x), d, o);
    meet (hit, entry, meet_box (o, u));
  }
  for (end += int (tile.z); at < end; at++) {
    vec4 entry = FV_LOAD (world, at);
    vec3 o, u = to_unit (int (entry.x), d, o);
    meet (hit, entry, meet_sphere (o, u));
  }
  for (end += int (tile.w); at < end; at++) {
    vec4 entry = FV_LOAD (world, at);
    vec3 o, u = to_unit (int (entry.x), d, o);
    meet (hit, entry, meet_cylinder (o, u));
  }
  return hit;
}

/* Where in its part @p lies: @n its normal there, @uv across the surface. */
vec2 surface_at (int part, vec3 d, float t, float shape, out vec3 n)
{
  vec3 size = FV_LOAD (world, part + FV_PART_SIZE).xyz;
  vec3 o, u = to_unit (part, d, o), at = o + t * u, a = abs (at);
  n = normal_at (shape, at);
  vec3 q = at * size;
  vec2 uv = vec2 (q.x + q.z, q.y);
  if (shape == FV_SHAPE_BOX)
    uv = a.x >= max (a.y, a.z) ? q.zy : a.y >= a.z ? q.xz : q.xy;
  n = normalize (from_unit (part, n));
  return uv;
}

vec3 shade (Hit hit, vec3 d, out vec4 what, out vec3 moves)
{
  vec4 light = FV_LOAD (world, FV_WORLD_LIGHT);
  vec4 light_colour = FV_LOAD (world, FV_WORLD_LIGHT_COLOUR);
  vec4 fog = FV_LOAD (world, FV_WORLD_HORIZON);
  vec3 p = FV_LOAD (world, FV_WORLD_CAMERA).xyz + hit.t * d, n = vec3 (0, 1, 0);
  vec3 albedo;
  float shine = 0;
  moves = vec3 (0);
  what = vec4 (0);
  if (hit.part > 0) {
    what = FV_LOAD (world, hit.part + FV_PART_WHAT);
    vec4 first = FV_LOAD (world, hit.part + FV_PART_COLOUR);
    vec4 second = FV_LOAD (world, hit.part + FV_PART_COLOUR_2);
    vec2 uv = surface_at (hit.part, d, hit.t, what.w, n) * first.w;
    float grain = noise (uv * 2.3 + 17.0 * what.y), fine = noise (uv * 9.0);
    albedo = mix (first.xyz, second.xyz, pattern_at (what.z, uv, grain));
    albedo *= 1 + second.w * (grain + 0.5 * fine - 0.75);
    shine = FV_LOAD (world, hit.part + FV_PART_SIZE).w;
    moves = FV_LOAD (world, hit.part + FV_PART_MOVES).xyz;
  } else
    albedo = ground_at (p, what.x);
  n = dot (n, d) > 0 ? -n : n;
  float facing = max (dot (n, light.xyz), 0.0);
  float direct = facing > 0 ? facing * lit (p + 0.01 * n) : 0;
  float around = light_colour.w * (0.7 + 0.3 * n.y);
  vec3 c = albedo * (light_colour.xyz * (light.w * direct) + around);
  vec3 view = normalize (d);
  float gloss = max (dot (reflect (view, n), light.xyz), 0.0);
  gloss *= gloss;
  gloss *= gloss;
  c += shine * direct * gloss * gloss * light_colour.xyz;
  return mix (fog.xyz, c, exp (-fog.w * hit.t * length (d)));
}

/* How far a point moves on the screen until the next frame, pixels. */
vec2 motion (vec2 pixel, vec3 r, vec3 moves)
{
  vec4 right = FV_LOAD (world, FV_WORLD_RIGHT), up = FV_LOAD (world, FV_WORLD_UP);
  vec4 ahead = FV_LOAD (world, FV_WORLD_AHEAD);
  vec3 v = moves - FV_LOAD (world, FV_WORLD_MOVES).xyz
    - cross (FV_LOAD (world, FV_WORLD_TURNS).xyz, r);
  vec2 across = vec2 (dot (v, right.xyz), -dot (v, up.xyz)) * ahead.w;
  vec2 from = pixel - vec2 (right.w, up.w);
  return (across - from * dot (v, ahead.xyz)) / max (dot (r, ahead.xyz), 0.05);
}

#include "worldseen.glsl"

void main ()
{
  ivec2 at = ivec2 (gl_WorkGroupID.xy) * 8
    + ivec2 (gl_LocalInvocationIndex & 7, gl_LocalInvocationIndex >> 3);
  vec4 ray = FV_LOAD (world, FV_WORLD_RAY), ray_x = FV_LOAD (world, FV_WORLD_RAY_X);
  vec4 ray_y = FV_LOAD (world, FV_WORLD_RAY_Y);
  ivec2 size = ivec2 (ray.w, ray_x.w);
  vec3 d = ray.xyz + float (at.x) * ray_x.xyz + float (at.y) * ray_y.xyz;
  ivec2 in_tiles = ivec2 (gl_WorkGroupID.xy) * 8
    / int (FV_LOAD (world, FV_WORLD_CAMERA).w);
  int tile_row = int (FV_LOAD (world, FV_WORLD_EXPOSURE).w)
    + in_tiles.y * int (ray_y.w) + in_tiles.x;
  bool inside = all (lessThan (at, size));
  vec4 tile = FV_LOAD (world, tile_row);
  Hit hit = trace (d, tile);
  count_seen (inside ? hit.covers : 0, inside ? hit.record : -1, at, size, tile);
  if (!inside)
    return;
  vec4 what = vec4 (FV_CLASS_SKY, 0, 0, 0);
  vec3 moves = vec3 (0), c;
  if (hit.part >= 0)
    c = shade (hit, d, what, moves);
  else
    c = sky_at (normalize (d));
  vec2 go = motion (vec2 (at), min (hit.t, 1000.0) * d, moves);
  float depth = hit.part >= 0 ? hit.t : 0;
  int pixel = at.y * size.x + at.x;
  FV_STORE (colours, pixel, vec4 (c, 0));
  FV_STORE (surfaces, pixel, vec4 (depth, what.x + 256 * what.y, go));
}
