/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What things of the world look like: noise, patterns, the sky. */

/* PCG hash, M. Jarzynski and M. Olano, Hash Functions for GPU Rendering, 2020. */
uint hash (uint v)
{
  v = v * 747796405u + 2891336453u;
  v = ((v >> ((v >> 28) + 4u)) ^ v) * 277803737u;
  return (v >> 22) ^ v;
}

float hash_2 (ivec2 at)
{
  uint h = uint (at.x) * 0x9e3779b1u ^ uint (at.y) * 0x85ebca77u;
  h = (h ^ (h >> 15)) * 0x2c1b3c6du;
  return float ((h ^ (h >> 13)) & 0xffffu) * (1.0 / 65535.0);
}

/* Value noise, 0..1, one lattice point per unit. */
float noise (vec2 p)
{
  vec2 cell = floor (p), f = p - cell;
  ivec2 at = ivec2 (cell);
  f = f * f * (3 - 2 * f);
  return mix (mix (hash_2 (at), hash_2 (at + ivec2 (1, 0)), f.x),
    mix (hash_2 (at + ivec2 (0, 1)), hash_2 (at + ivec2 (1, 1)), f.x), f.y);
}

/* How much of the second colour shows at @uv, which is in patterns' units. */
float pattern_at (float pattern, vec2 uv, float grain)
{
  vec2 in_cell = fract (uv), odd = mod (floor (uv), 2.0);
  if (pattern == FV_PATTERN_STRIPES)
    return step (0.5, in_cell.y);
  if (pattern == FV_PATTERN_CHECKS)
    return abs (odd.x - odd.y);
  if (pattern == FV_PATTERN_BRICKS) {
    float x = fract (uv.x * 0.5 + 0.5 * odd.y);
    return float (x < 0.06 || in_cell.y < 0.14);
  }
  if (pattern == FV_PATTERN_PATCHES)
    return smoothstep (0.45, 0.55, grain);
  if (pattern == FV_PATTERN_WINDOWS)
    return float (abs (in_cell.x - 0.5) < 0.27 && abs (in_cell.y - 0.55) < 0.3);
  if (pattern == FV_PATTERN_PLANKS)
    return 0.35 * hash_2 (ivec2 (floor (uv))) + float (in_cell.x < 0.05) * 0.65;
  return 0;
}

vec3 sky_at (vec3 d)
{
  vec4 zenith = FV_LOAD (world, FV_WORLD_ZENITH);
  vec3 horizon = FV_LOAD (world, FV_WORLD_HORIZON).xyz;
  float up = max (d.y, 0.0), above = 1 - exp (-4 * up);
  vec3 c = mix (horizon, zenith.xyz, above);
  vec2 at = d.xz / (up + 0.12);
  float cloud = 0.65 * noise (at * 1.5) + 0.35 * noise (at * 4.1);
  cloud = smoothstep (1 - zenith.w, 1.25 - zenith.w, cloud) * above;
  float glow = max (dot (d, FV_LOAD (world, FV_WORLD_LIGHT).xyz), 0.0);
  glow *= glow;
  glow *= glow;
  return mix (c, vec3 (0.9), cloud) + 0.25 * glow * glow * zenith.w;
}
