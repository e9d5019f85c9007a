/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require
/* y = softmax (scale q k^T + bias) v, with the scores in registers: keys come in
 * tiles, and what was summed is scaled down when a tile raises the maximum. Rows of q
 * and k are divided by their lengths where asked for.
 *
 * Bindings: 0 q, 1 k, 2 v, 3 bias, 4 y, 5 one scale per head
 * Grid:     (row blocks x chunks of the output's channels, heads, batches)
 *
 * Subgroup tier: an invocation owns ROWS queries. Of a tile of KEYS keys each
 * loads one, and all have it by shuffles.
 * Workgroup tier: four invocations share a query: each has a quarter of its units
 * and of the output's; keys and values come through shared memory. */
#include "fv.glsl"

FV_IN (0, q)
FV_IN (1, k)
FV_IN (2, v)
FV_IN (3, bias)
FV_OUT (4, y)
FV_IN (5, scales)

layout (constant_id = 0) const int D_UNITS = 8; /* vec4 of a query */
layout (constant_id = 1) const int V_UNITS = 8; /* vec4 of a chunk of values */
layout (constant_id = 2) const int ROWS = 4;
layout (constant_id = 3) const int KEYS = 8;
layout (constant_id = 4) const int BIAS = 0; /* 1: per key, 2: one per query */
layout (constant_id = 5) const bool TAIL = true; /* d is no multiple of 4 */
layout (constant_id = 6) const bool NORMALIZE = false;
layout (constant_id = 7) const bool SCALES = false;
layout (push_constant) uniform Push { FvAttentionPush push; };

#include "attention.glsl"

vec4 below (int unit, int size, vec4 value)
{
  return mix (vec4 (0), value,
    lessThan (ivec4 (0, 1, 2, 3) + 4 * unit, ivec4 (size)));
}

vec4 load_q (int at, int unit)
{
  vec4 value = FV_LOAD (q, at + unit);
  return TAIL ? below (unit, push.d, value) : value;
}

vec4 load_k (int at, int unit)
{
  vec4 value = FV_LOAD (k, at + unit);
  return TAIL ? below (unit, push.d, value) : value;
}

/* The bias of keys @key to @key + 3 for the query at @at. */
vec4 load_bias (int at, int key)
{
  if (BIAS == 1)
    return FV_LOAD (bias, at + min (key, push.n - 1) / 4);
  return BIAS == 2 ? vec4 (FV_LOAD1 (bias, at)) : vec4 (0);
}

int start_of (const int strides[4])
{
  return strides[0] + int (gl_WorkGroupID.z) * strides[1]
    + int (gl_WorkGroupID.y) * strides[2];
}

int row_of (const int strides[4], int row)
{
  return start_of (strides) + min (row, push.m - 1) * strides[3];
}

void store (int row, int unit, vec4 value)
{
  if (row < push.m && 4 * unit < push.dv)
    FV_STORE (y, row_of (push.y, row) + unit, below (unit, push.dv, value));
}

/* Zeros where a bias of -infinity leaves no key to attend to. */
vec4 over_sum (vec4 value, float sum)
{
  return value / (sum > 0 ? sum : 1);
}

#ifdef FV_SUBGROUP
void main ()
{
  int chunks = ((push.dv + 3) / 4 + V_UNITS - 1) / V_UNITS;
  int lanes = int (gl_WorkGroupSize.x), lane = int (gl_LocalInvocationID.x);
  int block = int (gl_WorkGroupID.x) / chunks;
  int unit = (int (gl_WorkGroupID.x) - block * chunks) * V_UNITS;
  int last_unit = (push.dv + 3) / 4 - 1, row = block * lanes * ROWS + lane;
  int q_at[ROWS], bias_at[ROWS];
  float top[ROWS], sum[ROWS], s[ROWS * KEYS], factor[ROWS], scale = head_scale ();
  vec4 o[ROWS * V_UNITS];

  [[unroll]] for (int r = 0; r < ROWS; r++) {
    q_at[r] = row_of (push.q, row + r * lanes);
    bias_at[r] = row_of (push.bias, row + r * lanes);
    top[r] = LOWEST;
    sum[r] = 0;
    factor[r] = scale;
    if (NORMALIZE) {
      float squares = 0;

      [[dont_unroll]] for (int d = 0; d < D_UNITS; d++) {
        vec4 v = load_q (q_at[r], d);

        squares += dot (v, v);
      }
      factor[r] *= over_length (vec4 (squares)).x;
    }
    [[unroll]] for (int u = 0; u < V_UNITS; u++)
      o[r * V_UNITS + u] = vec4 (0);
  }
  [[dont_unroll]] for (int first = 0; first < push.n; first += KEYS) {
    int key = min (first + min (lane, KEYS - 1), push.n - 1);
    int k_at = start_of (push.k) + key * push.k[3];
    int v_at = start_of (push.v) + key * push.v[3];
    float squares = 0;

    [[unroll]] for (int i = 0; i < ROWS * KEYS; i++)
      s[i] = 0;
    [[dont_unroll]] for (int d = 0; d < D_UNITS; d++) {
      vec4 mine = load_k (k_at, d), query[ROWS];

      [[unroll]] for (int r = 0; r < ROWS; r++)
        query[r] = load_q (q_at[r], d);
      if (NORMALIZE)
        squares += dot (mine, mine);
      [[unroll]] for (int j = 0; j < KEYS; j++) {
        vec4 other = subgroupShuffle (mine, j);

        [[unroll]] for (int r = 0; r < ROWS; r++) {
          float t = fma (other.x, query[r].x, s[r * KEYS + j]);
          t = fma (other.y, query[r].y, t);
          t = fma (other.z, query[r].z, t);
          s[r * KEYS + j] = fma (other.w, query[r].w, t);
        }
      }
    }
    if (NORMALIZE)
      [[unroll]] for (int j = 0; j < KEYS; j++) {
        float length = subgroupShuffle (over_length (vec4 (squares)).x, j);

        [[unroll]] for (int r = 0; r < ROWS; r++)
          s[r * KEYS + j] *= length;
      }
    [[unroll]] for (int r = 0; r < ROWS; r++) {
      float highest = top[r], shrink;

      [[unroll]] for (int j = 0; j < KEYS; j += 4) {
        vec4 b = load_bias (bias_at[r], first + j);

        [[unroll]] for (int i = 0; i < 4; i++) {
          float t = fma (s[r * KEYS + j + i], factor[r], b[i]);

          t = first + j + i < push.n ? t : LOWEST;
          s[r * KEYS + j + i] = t;
          highest = max (highest, t);
        }
      }
      shrink = exp (top[r] - highest);
      top[r] = highest;
      sum[r] *= shrink;
      [[unroll]] for (int j = 0; j < KEYS; j++) {
        float p = exp (s[r * KEYS + j] - highest);

        p = first + j < push.n ? p : 0;
        s[r * KEYS + j] = p;
        sum[r] += p;
      }
      [[unroll]] for (int u = 0; u < V_UNITS; u++)
        o[r * V_UNITS + u] *= shrink;
    }
    [[unroll]] for (int u = 0; u < V_UNITS; u++) {
      vec4 mine = FV_LOAD (v, v_at + min (unit + u, last_unit));

      [[unroll]] for (int j = 0; j < KEYS; j++) {
        vec4 other = subgroupShuffle (mine, j);

        [[unroll]] for (int r = 0; r < ROWS; r++)
          o[r * V_UNITS + u] = fma (
            vec4 (s[r * KEYS + j]), other, o[r * V_UNITS + u]);
      }
    }
  }
  [[unroll]] for (int r = 0; r < ROWS; r++)
    [[unroll]] for (int u = 0; u < V_UNITS; u++)
      store (row + r * lanes, unit + u, over_sum (o[r * V_UNITS + u], sum[r]));
}
#else
#include "attentiongroup.glsl"
#endif
