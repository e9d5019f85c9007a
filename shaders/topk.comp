#version 450
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The k largest (or smallest) of each row in order; of equals the one with the
 * lower index comes first. Each pass over the row finds the next four: every
 * invocation keeps the best four of its share behind the last one found, then the
 * heads of all are compared four times.
 * Grid: workgroups share the rows. Bindings: 0 x, 1 values, 2 indices. */
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"

layout (constant_id = 0) const bool SMALLEST = false;
layout (constant_id = 1) const int LANES = 8; /* a power of two */
layout (constant_id = 2) const bool INDICES = true; /* are written */

FV_IN (0, x)
FV_OUT (1, values)
FV_OUT (2, indices)

layout (push_constant) uniform Push { FvTopkPush push; };

#define NOWHERE 0x7fffffff
#define LOWEST uintBitsToFloat (0xff800000u)
#define HIGHEST uintBitsToFloat (0x7f800000u)

bool is_before (float v, int i, float w, int j)
{
  return v > w || (v == w && i < j);
}

#ifdef FV_SUBGROUP
void find_first (inout float v, inout int i)
{
  [[unroll]] for (int s = LANES / 2; s > 0; s /= 2) {
    float w = subgroupShuffleXor (v, s);
    int j = subgroupShuffleXor (i, s);

    if (is_before (w, j, v, i)) {
      v = w;
      i = j;
    }
  }
}
#else
shared float scratch_value[LANES];
shared int scratch_index[LANES];

void find_first (inout float v, inout int i)
{
  int id = int (gl_LocalInvocationID.x);

  barrier ();
  scratch_value[id] = v;
  scratch_index[id] = i;
  for (int s = LANES / 2; s > 0; s /= 2) {
    barrier ();
    if (id < s && is_before (scratch_value[id + s], scratch_index[id + s], v, i)) {
      v = scratch_value[id + s];
      i = scratch_index[id + s];
      scratch_value[id] = v;
      scratch_index[id] = i;
    }
  }
  barrier ();
  v = scratch_value[0];
  i = scratch_index[0];
}
#endif

/* Four in order, best first. */
struct Four
{
  vec4 v;
  ivec4 i;
};

#define SETTLE(a, b) \
  if (is_before (four.v.b, four.i.b, four.v.a, four.i.a)) { \
    four.v = vec4 (four.v).SWAP_##a##b; \
    four.i = ivec4 (four.i).SWAP_##a##b; \
  }
#define SWAP_zw xywz
#define SWAP_yz xzyw
#define SWAP_xy yxzw

void insert (inout Four four, float v, int i)
{
  four.v.w = v;
  four.i.w = i;
  SETTLE (z, w)
  SETTLE (y, z)
  SETTLE (x, y)
}

/* This invocation's best four behind (@v, @i). */
Four scan (int at, int lane, float v, int i)
{
  Four four = Four (vec4 (LOWEST), ivec4 (NOWHERE));

  for (int c = lane; 4 * c < push.width; c += LANES) {
    vec4 w = FV_LOAD (x, at + c);

    w = SMALLEST ? -w : w;
    w = mix (w, vec4 (LOWEST), isnan (w));
    [[unroll]] for (int k = 0; k < 4; k++) {
      int j = 4 * c + k;

      if (j < push.width && is_before (v, i, w[k], j)
        && is_before (w[k], j, four.v.w, four.i.w))
        insert (four, w[k], j);
    }
  }
  return four;
}

void sort_row (int row, int lane)
{
  float v = HIGHEST;
  int i = -1;

  for (int c = 0; 4 * c < push.k; c++) {
    Four four = scan (push.x_base + row * push.x_row, lane, v, i);
    vec4 found = vec4 (0), place = vec4 (0);

    [[unroll]] for (int k = 0; k < 4; k++) {
      v = four.v.x;
      i = four.i.x;
      find_first (v, i);
      if (four.i.x == i)
        four = Four (vec4 (four.v.yzw, LOWEST), ivec4 (four.i.yzw, NOWHERE));
      if (4 * c + k < push.k) {
        found[k] = SMALLEST ? -v : v;
        place[k] = i;
      }
    }
    if (lane == 0) {
      FV_STORE (values, push.values_base + row * push.values_row + c, found);
      if (INDICES)
        FV_STORE (indices, push.indices_base + row * push.indices_row + c, place);
    }
  }
}

void main ()
{
  for (int row = int (gl_WorkGroupID.x); row < push.rows;
       row += int (gl_NumWorkGroups.x))
    sort_row (row, int (gl_LocalInvocationID.x));
}
