/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rays and shapes. A part's shape is met in its unit space, where it lies within
 * -1..1; lengths along the ray stay what they are, for the direction is
 * transformed and not made a unit vector again. */

const float NEAR = 1e-3, FAR = 1e6;

/* The camera's ray @d in unit space; @o: where it starts. */
vec3 to_unit (int part, vec3 d, out vec3 o)
{
  vec4 x = FV_LOAD (world, part), y = FV_LOAD (world, part + 1);
  vec4 z = FV_LOAD (world, part + 2);
  o = vec3 (x.w, y.w, z.w);
  return vec3 (dot (x.xyz, d), dot (y.xyz, d), dot (z.xyz, d));
}

/* Point @p in unit space; @light: the direction to the light there. */
vec3 from_world (int part, vec3 p, out vec3 light)
{
  vec3 x = FV_LOAD (world, part).xyz, y = FV_LOAD (world, part + 1).xyz;
  vec3 z = FV_LOAD (world, part + 2).xyz;
  light = FV_LOAD (world, part + FV_PART_LIGHT).xyz;
  return vec3 (dot (x, p), dot (y, p), dot (z, p))
    + FV_LOAD (world, part + FV_PART_FROM_WORLD).xyz;
}

/* A normal of unit space in the world: by the transposed of the matrix that
 * brings points to unit space. */
vec3 from_unit (int part, vec3 n)
{
  return n.x * FV_LOAD (world, part).xyz + n.y * FV_LOAD (world, part + 1).xyz
    + n.z * FV_LOAD (world, part + 2).xyz;
}

float meet_box (vec3 o, vec3 d)
{
  vec3 inverse = 1 / d, a = (-1 - o) * inverse, b = (1 - o) * inverse;
  vec3 low = min (a, b), high = max (a, b);
  float enter = max (max (low.x, low.y), low.z);
  float leave = min (min (high.x, high.y), high.z);
  return enter < leave && enter > NEAR ? enter : FAR;
}

float meet_sphere (vec3 o, vec3 d)
{
  float a = dot (d, d), b = dot (o, d), c = dot (o, o) - 1;
  float under = b * b - a * c;
  float t = (-b - sqrt (max (under, 0.0))) / a;
  return under > 0 && t > NEAR ? t : FAR;
}

float meet_cylinder (vec3 o, vec3 d)
{
  float a = dot (d.xz, d.xz), b = dot (o.xz, d.xz), c = dot (o.xz, o.xz) - 1;
  float under = b * b - a * c, root = sqrt (max (under, 0.0)), side = 1 / a;
  float top = 1 / d.y, y0 = (-1 - o.y) * top, y1 = (1 - o.y) * top;
  float enter = max ((-b - root) * side, min (y0, y1));
  float leave = min ((-b + root) * side, max (y0, y1));
  return under > 0 && enter < leave && enter > NEAR ? enter : FAR;
}

vec3 normal_at (float shape, vec3 at)
{
  vec3 a = abs (at);
  if (shape == FV_SHAPE_SPHERE)
    return at;
  if (shape == FV_SHAPE_CYLINDER)
    return a.y > 0.9999 ? vec3 (0, at.y, 0) : vec3 (at.x, 0, at.z);
  if (a.x >= max (a.y, a.z))
    return vec3 (at.x, 0, 0);
  return a.y >= a.z ? vec3 (0, at.y, 0) : vec3 (0, 0, at.z);
}
