/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sums and extremes over a workgroup: FV_REDUCE (name, type, expression of a and
 * b) makes type name (type v), to be called by all invocations together. In the
 * subgroup tier a workgroup is one subgroup. Behind FV_MEET () all see what each
 * wrote into a coherent buffer. */
#ifdef FV_SUBGROUP
#define FV_MEET() subgroupMemoryBarrierBuffer (), subgroupBarrier ()
#define FV_REDUCE(name, type, expression) \
  type name (type v) \
  { \
    for (uint m = gl_WorkGroupSize.x / 2; m > 0; m >>= 1) { \
      type a = v, b = subgroupShuffleXor (v, m); \
      v = expression; \
    } \
    return v; \
  }
#else
#define FV_MEET() memoryBarrierBuffer (), barrier ()
#define FV_REDUCE(name, type, expression) \
  shared type name##_shared[256]; \
  type name (type v) \
  { \
    uint lane = gl_LocalInvocationIndex; \
    name##_shared[lane] = v; \
    barrier (); \
    for (uint m = gl_WorkGroupSize.x / 2; m > 0; m >>= 1) { \
      if (lane < m) { \
        type a = name##_shared[lane], b = name##_shared[lane + m]; \
        name##_shared[lane] = expression; \
      } \
      barrier (); \
    } \
    type r = name##_shared[0]; \
    barrier (); \
    return r; \
  }
#endif

bool fv_is_nan (float v)
{
  return (floatBitsToUint (v) & 0x7fffffffu) > 0x7f800000u;
}
