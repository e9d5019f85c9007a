/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the depth map bound as `depth`, words of it, as `scene` describes it. */

/* The value at @q; @known: whether there is one. */
float depth_at (ivec2 q, out bool known)
{
  vec4 head = FV_LOAD (scene, FV_SCENE_DEPTH);
  int i = q.y * int (head.z) + q.x;
  bool is_half = head.y < 4.0;
  uvec4 b = texelFetch (depth, is_half ? i >> 1 : i);
  uint bits = b.x | b.y << 8 | b.z << 16 | b.w << 24;
  float value;

  if (is_half) {
    bits = (i & 1) == 0 ? bits & 0xffffu : bits >> 16;
    known = (bits & 0x7c00u) != 0x7c00u; /* neither infinite nor NaN */
    value = unpackHalf2x16 (bits).x;
  } else {
    known = (bits & 0x7f800000u) != 0x7f800000u;
    value = uintBitsToFloat (bits);
  }
  known = known && (head.w > 0.0 || value != 0.0);
  return known ? value : 0.0;
}

/* The value at @at, in pixels of the map of @size, linearly between the centres of
 * four; that of the nearest where one of them is not known. */
float depth_between (vec2 at, ivec2 size, out bool known)
{
  ivec2 nearest = clamp (ivec2 (at), ivec2 (0), size - 1);
  vec2 corner = clamp (at - 0.5, vec2 (0), vec2 (size - 1));
  ivec2 p = ivec2 (corner), q = min (p + 1, size - 1);
  vec2 f = corner - vec2 (p);
  float value = depth_at (nearest, known);

  if (!known || f == vec2 (0))
    return value;
  bvec4 all_known;
  float a = depth_at (p, all_known.x);
  float b = depth_at (ivec2 (q.x, p.y), all_known.y);
  float c = depth_at (ivec2 (p.x, q.y), all_known.z);
  float d = depth_at (q, all_known.w);
  if (!all (all_known))
    return value;
  return mix (mix (a, b, f.x), mix (c, d, f.x), f.y);
}
