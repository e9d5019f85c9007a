/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reductions over the LANES invocations that share a row of push.width elements;
 * for norm.comp and softmax.comp, which declare LANES, TAIL and push. */
#ifdef FV_SUBGROUP
#define ROW_REDUCE(name, op) \
  float name (float v) \
  { \
    [[unroll]] for (int s = LANES / 2; s > 0; s /= 2) { \
      float other = subgroupShuffleXor (v, s); \
      v = op; \
    } \
    return v; \
  }
#else
shared float row_scratch[gl_WorkGroupSize.x];

#define ROW_REDUCE(name, op) \
  float name (float v) \
  { \
    uint id = gl_LocalInvocationID.x; \
    barrier (); \
    row_scratch[id] = v; \
    [[unroll]] for (int s = LANES / 2; s > 0; s /= 2) { \
      barrier (); \
      if (id % LANES < s) { \
        float other = row_scratch[id + s]; \
        v = op; \
        row_scratch[id] = v; \
      } \
    } \
    barrier (); \
    return row_scratch[id - id % LANES]; \
  }
#endif
ROW_REDUCE (row_sum, v + other)
ROW_REDUCE (row_max, max (v, other))

/* @v, and @none in place of elements behind the row's end. */
vec4 select_row (int c, vec4 v, float none)
{
  if (!TAIL)
    return v;
  return mix (vec4 (none), v,
    lessThan (ivec4 (0, 1, 2, 3) + 4 * c, ivec4 (push.width)));
}
