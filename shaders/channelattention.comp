/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require
/* Attention between channels (XCiT): y = softmax (scale q^T k) v for rows of tokens,
 * with the channels' lengths over all tokens divided out where asked for.
 *
 * Bindings: 0 q, 1 k, 2 v, 3 one scale per head, 4 y
 * Grid:     (blocks of q's channels, heads, batches)
 * All tokens are read twice: for the scores, then for the values that these weigh.
 *
 * Subgroup tier: an invocation owns a unit of q's channels and its scores, in
 * registers; of a token's keys each loads some, and all have them by shuffles.
 * Workgroup tier: BLOCK units of q's channels; their scores are in shared memory. */
#include "fv.glsl"

FV_IN (0, q)
FV_IN (1, k)
FV_IN (2, v)
FV_IN (3, scales)
FV_OUT (4, y)

layout (constant_id = 0) const int KEY_UNITS = 8; /* vec4 of a token's keys */
layout (constant_id = 1) const bool NORMALIZE = false;
layout (constant_id = 2) const bool SCALES = false;
layout (constant_id = 3) const bool TAIL = true; /* keys are no multiple of 4 */
layout (constant_id = FV_SPEC_LOCAL) const int THREADS = 8;
layout (push_constant) uniform Push { FvChannelAttentionPush push; };

#include "attention.glsl"

int start_of (const int strides[4])
{
  return strides[0] + int (gl_WorkGroupID.z) * strides[1]
    + int (gl_WorkGroupID.y) * strides[2];
}

/* @value for keys 4 @unit to 4 @unit + 3, and @none where there are no such keys. */
vec4 select_keys (int unit, vec4 value, float none)
{
  if (!TAIL)
    return value;
  return mix (vec4 (none), value,
    lessThan (ivec4 (0, 1, 2, 3) + 4 * unit, ivec4 (push.n)));
}

float highest (vec4 a)
{
  return max (max (a.x, a.y), max (a.z, a.w));
}

void store (int at, int unit, vec4 value)
{
  if (4 * unit < push.m)
    FV_STORE (y, at + unit, mix (vec4 (0), value,
      lessThan (ivec4 (0, 1, 2, 3) + 4 * unit, ivec4 (push.m))));
}

#ifdef FV_SUBGROUP
const int PARTS = (KEY_UNITS + THREADS - 1) / THREADS;

void main ()
{
  int lane = int (gl_LocalInvocationID.x);
  int unit = int (gl_WorkGroupID.x) * THREADS + lane;
  int q_at = start_of (push.q) + min (unit, (push.m - 1) / 4);
  int k_at = start_of (push.k), v_at = start_of (push.v), y_at = start_of (push.y);
  vec4 s[4 * KEY_UNITS], mine[PARTS], squares = vec4 (0), lengths[PARTS];
  float scale = head_scale ();

  [[unroll]] for (int i = 0; i < 4 * KEY_UNITS; i++)
    s[i] = vec4 (0);
  [[unroll]] for (int p = 0; p < PARTS; p++)
    lengths[p] = vec4 (0);
  [[dont_unroll]] for (int t = 0; t < push.tokens; t++) {
    vec4 query = FV_LOAD (q, q_at + t * push.q[3]);

    [[unroll]] for (int p = 0; p < PARTS; p++)
      mine[p] = FV_LOAD (k,
        k_at + t * push.k[3] + min (p * THREADS + lane, KEY_UNITS - 1));
    if (NORMALIZE) {
      squares = fma (query, query, squares);
      [[unroll]] for (int p = 0; p < PARTS; p++)
        lengths[p] = fma (mine[p], mine[p], lengths[p]);
    }
    [[unroll]] for (int u = 0; u < KEY_UNITS; u++) {
      vec4 key = subgroupShuffle (mine[u / THREADS], u % THREADS);

      [[unroll]] for (int i = 0; i < 4; i++)
        s[i * KEY_UNITS + u] = fma (vec4 (query[i]), key, s[i * KEY_UNITS + u]);
    }
  }
  squares = scale * (NORMALIZE ? over_length (squares) : vec4 (1));
  [[unroll]] for (int p = 0; p < PARTS; p++)
    lengths[p] = NORMALIZE ? over_length (lengths[p]) : vec4 (1);
  [[unroll]] for (int i = 0; i < 4; i++) {
    float top = LOWEST;
    vec4 sum = vec4 (0);

    [[unroll]] for (int u = 0; u < KEY_UNITS; u++) {
      vec4 factor = subgroupShuffle (lengths[u / THREADS], u % THREADS);
      vec4 value = s[i * KEY_UNITS + u] * factor * squares[i];

      value = select_keys (u, value, LOWEST);
      s[i * KEY_UNITS + u] = value;
      top = max (top, highest (value));
    }
    [[unroll]] for (int u = 0; u < KEY_UNITS; u++) {
      vec4 value = select_keys (u, exp (s[i * KEY_UNITS + u] - top), 0);

      s[i * KEY_UNITS + u] = value;
      sum += value;
    }
    sum = vec4 (1 / (sum.x + sum.y + sum.z + sum.w));
    [[unroll]] for (int u = 0; u < KEY_UNITS; u++)
      s[i * KEY_UNITS + u] *= sum.x;
  }
  [[dont_unroll]] for (int t = 0; t < push.tokens; t++) {
    vec4 o[4];

    [[unroll]] for (int i = 0; i < 4; i++)
      o[i] = vec4 (0);
    [[unroll]] for (int p = 0; p < PARTS; p++)
      mine[p] = FV_LOAD (v,
        v_at + t * push.v[3] + min (p * THREADS + lane, KEY_UNITS - 1));
    [[unroll]] for (int u = 0; u < KEY_UNITS; u++) {
      vec4 value = subgroupShuffle (mine[u / THREADS], u % THREADS);

      [[unroll]] for (int i = 0; i < 4; i++)
        o[i] = fma (s[i * KEY_UNITS + u], value, o[i]);
    }
    store (y_at + t * push.y[3], unit,
      vec4 (dot (o[0], vec4 (1)), dot (o[1], vec4 (1)), dot (o[2], vec4 (1)),
        dot (o[3], vec4 (1))));
  }
}
#else
#include "channelattentiongroup.glsl"
#endif
