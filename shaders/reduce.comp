#version 450
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sums, largest elements and the like over any axes. `split` invocations share
 * the work of one vec4 of the result.
 * Grid: units * split / local size. Bindings: 0 source, 1 target. */
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "walk.glsl"

layout (constant_id = 0) const int kind = FV_REDUCE_SUM;
/* The innermost axis goes: vec4 units run along it, and each element of the result
 * has units of its own. Otherwise it stays, and units run along the result. */
layout (constant_id = 1) const bool along = false;
layout (constant_id = 2) const int n_axes = 0;
layout (constant_id = 3) const int n_gone = 1;
layout (constant_id = 4) const int split = 1;

FV_IN (0, source)
FV_OUT (1, target)

layout (push_constant) uniform Push { FvReducePush push; };

vec4 start (int k)
{
  return vec4 (k == FV_REDUCE_MAX ? uintBitsToFloat (0xff800000u)
    : k == FV_REDUCE_MIN ? uintBitsToFloat (0x7f800000u)
    : k == FV_REDUCE_PROD ? 1.0 : 0.0);
}

/* One result takes in another. */
vec4 join (int k, vec4 a, vec4 b)
{
  return k == FV_REDUCE_MAX ? max (a, b) : k == FV_REDUCE_MIN ? min (a, b)
    : k == FV_REDUCE_PROD ? a * b : a + b;
}

/* An element as it is summed up. */
vec4 prepare (int k, vec4 v, vec4 shift)
{
  return k == FV_REDUCE_L1 ? abs (v)
    : k == FV_REDUCE_L2 || k == FV_REDUCE_SUM_SQUARE ? v * v
    : k == FV_REDUCE_LOG_SUM_EXP ? exp (v - shift) : v;
}

int part, first;

#ifdef FV_SUBGROUP
vec4 join_parts (int k, vec4 v)
{
  [[unroll]] for (int m = 1; m < 32; m *= 2)
    if (m < split)
      v = join (k, v, subgroupShuffleXor (v, m));
  return v;
}
#else
shared vec4 parts[64];

vec4 join_parts (int k, vec4 v)
{
  if (split == 1)
    return v;
  parts[first + part] = v;
  barrier ();
  [[unroll]] for (int m = 32; m > 0; m /= 2)
    if (m < split) {
      if (part < m)
        parts[first + part] = join (k, parts[first + part], parts[first + part + m]);
      barrier ();
    }
  v = parts[first];
  barrier ();
  return v;
}
#endif

int round_offset (int i)
{
  int at = 0;

  [[unroll]] for (int k = 0; k < 5; k++) {
    int rest = i;

    if (k < n_gone - 1)
      fv_divide (i, push.gone_size[min (k, 3)], rest);
    if (k < n_gone)
      at += rest * push.gone_stride[k];
  }
  return at;
}

float across (int k, vec4 v)
{
  vec4 half_ = join (k, v, v.zwxy);
  return join (k, half_, half_.yxwz).x;
}

vec4 along_rows (int k, int from, ivec4 at, vec4 shift)
{
  int line4 = (push.line + 3) / 4;
  vec4 v0 = start (k), v1 = v0, v2 = v0, v3 = v0;

  for (int i = part; i < push.rounds * line4; i += split) {
    int r = i, q;

    fv_divide (r, line4, q);
    bvec4 behind = greaterThanEqual (4 * q + ivec4 (0, 1, 2, 3), ivec4 (push.line));
    int base = from + (n_gone == 0 ? 0 : round_offset (r)) + 4 * q;
    #define TAKE(n, name) \
      name = join (k, name, mix (prepare (k, \
        FV_LOAD (source, (base + at[n]) >> 2), vec4 (shift[n])), start (k), behind));
    TAKE (0, v0) TAKE (1, v1) TAKE (2, v2) TAKE (3, v3)
  }
  return vec4 (across (k, v0), across (k, v1), across (k, v2), across (k, v3));
}

vec4 along_target (int k, int from, vec4 shift)
{
  vec4 v = start (k);

  for (int i = part; i < push.rounds; i += split)
    v = join (k, v, prepare (k, FV_LOAD (source, (from + round_offset (i)) >> 2), shift));
  return v;
}

vec4 reduce (int k, int from, ivec4 at, vec4 shift)
{
  vec4 v = along ? along_rows (k, from, at, shift) : along_target (k, from, shift);
  return join_parts (k, v);
}

void main ()
{
  int unit = fv_unit () / split, c, from = push.source, to = push.target;
  bool beyond = unit >= push.units;

  part = int (gl_LocalInvocationID.x) & (split - 1);
  first = int (gl_LocalInvocationID.x) - part;
  unit = min (unit, push.units - 1);
  fv_divide (unit, push.row_units, c);
  [[unroll]] for (int k = 0; k < 4; k++) {
    int i = unit;

    if (k < n_axes - 1)
      fv_divide (unit, push.size[min (k, 2)], i);
    if (k < n_axes) {
      to += i * push.target_stride[k];
      from += i * push.source_stride[k];
    }
  }
  ivec4 j = 4 * c + ivec4 (0, 1, 2, 3);
  ivec4 at = min (j, ivec4 (push.n - 1)) * push.source_inner;
  if (!along)
    from += 4 * c;

  vec4 shift = vec4 (0);
  if (kind == FV_REDUCE_LOG_SUM_EXP) {
    shift = reduce (FV_REDUCE_MAX, from, at, shift);
    shift = mix (shift, vec4 (0), isinf (shift));
  }
  vec4 v = reduce (kind, from, at, shift);
  if (kind == FV_REDUCE_MEAN)
    v *= push.scale;
  else if (kind == FV_REDUCE_L2)
    v = sqrt (v);
  else if (kind == FV_REDUCE_LOG_SUM || kind == FV_REDUCE_LOG_SUM_EXP)
    v = log (v) + shift;
  v = mix (v, vec4 (0), greaterThanEqual (j, ivec4 (push.n)));
  if (part == 0 && !beyond)
    FV_STORE (target, to + c, v);
}
