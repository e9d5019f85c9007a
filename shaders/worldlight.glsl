/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where light comes to, and the ground that it falls on. */

/* 1: the light reaches @p. */
float lit (vec3 p)
{
  vec4 grid = FV_LOAD (world, FV_WORLD_SHADE);
  vec4 u = FV_LOAD (world, FV_WORLD_SHADE_U), v = FV_LOAD (world, FV_WORLD_SHADE_V);
  vec2 cell = floor (vec2 (dot (p, u.xyz) + u.w, dot (p, v.xyz) + v.w));
  if (any (lessThan (cell, vec2 (0))) || any (greaterThanEqual (cell, grid.xx)))
    return 1;
  vec4 list = FV_LOAD (world, int (grid.y + cell.y * grid.x + cell.x));
  int at = int (list.x), end = at + int (list.y);
  bool free = true;
  for (; at < end && free; at++) {
    vec3 s, o = from_world (int (FV_LOAD (world, at).x), p, s);
    free = meet_box (o, s) >= FAR;
  }
  at = end;
  for (end += int (list.z); at < end && free; at++) {
    vec3 s, o = from_world (int (FV_LOAD (world, at).x), p, s);
    free = meet_sphere (o, s) >= FAR;
  }
  at = end;
  for (end += int (list.w); at < end && free; at++) {
    vec3 s, o = from_world (int (FV_LOAD (world, at).x), p, s);
    free = meet_cylinder (o, s) >= FAR;
  }
  return float (free);
}

/* The ground is a street of zones along z, or a floor with a rug. */
vec3 ground_at (vec3 p, out float what)
{
  vec4 zones = FV_LOAD (world, FV_WORLD_ZONES), rug = FV_LOAD (world, FV_WORLD_RUG);
  bool room = zones.x < 0;
  float side = abs (p.x);
  bool is_rug = p.x > rug.x && p.z > rug.y && p.x < rug.z && p.z < rug.w;
  what = FV_CLASS_GROUND;
  if (room ? is_rug : side > zones.x)
    what = FV_CLASS_PAVEMENT;
  if (!room && side > zones.y)
    what = FV_CLASS_GRASS;
  vec4 c = FV_LOAD (world, FV_WORLD_GROUND + int (what) - FV_CLASS_GROUND);
  float coarse = noise (p.xz * 0.7), fine = noise (p.xz * 9.0);
  vec2 uv = p.xz * (what == FV_CLASS_PAVEMENT ? 1.6 : 1.0);
  float second = pattern_at (c.w, uv, coarse);
  bool marking = !room && side < zones.z && fract (p.z * 0.2) < 0.5;
  vec3 colour = c.xyz * (0.75 + 0.25 * coarse + 0.25 * fine) * (1 - 0.3 * second);
  return marking ? vec3 (0.75) : colour;
}
