/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sum, or with MAXIMUM the greatest, of what the invocations that share one of
 * COLUMNS have; they stand COLUMNS apart, and all get it. */
#ifdef FV_SUBGROUP
vec4 reduce (vec4 v)
{
  [[unroll]] for (int s = int (gl_WorkGroupSize.x) / 2; s >= COLUMNS; s /= 2) {
    vec4 other = subgroupShuffleXor (v, s);
    v = MAXIMUM ? max (v, other) : v + other;
  }
  return v;
}
#else
shared vec4 scratch[gl_WorkGroupSize.x];

vec4 reduce (vec4 v)
{
  uint id = gl_LocalInvocationID.x;

  barrier ();
  scratch[id] = v;
  for (int s = int (gl_WorkGroupSize.x) / 2; s >= COLUMNS; s /= 2) {
    barrier ();
    if (id < s) {
      v = MAXIMUM ? max (v, scratch[id + s]) : v + scratch[id + s];
      scratch[id] = v;
    }
  }
  barrier ();
  return scratch[id % COLUMNS];
}
#endif
