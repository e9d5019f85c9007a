/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The workgroup tier of channelattention.comp. */
const int BLOCK = FV_CHANNEL_BLOCK;
shared vec4 scores[4 * BLOCK * KEY_UNITS];

void main ()
{
  int id = int (gl_LocalInvocationID.x);
  int first = int (gl_WorkGroupID.x) * BLOCK, last = (push.m - 1) / 4;
  int q_at = start_of (push.q), k_at = start_of (push.k);
  int v_at = start_of (push.v), y_at = start_of (push.y);
  float scale = head_scale ();

  for (int b = id; b < BLOCK * KEY_UNITS; b += THREADS) {
    int mine = b / KEY_UNITS, u = b - mine * KEY_UNITS;
    int unit = min (first + mine, last);
    vec4 s[4], squares = vec4 (0), lengths = vec4 (0);

    [[unroll]] for (int i = 0; i < 4; i++)
      s[i] = vec4 (0);
    for (int t = 0; t < push.tokens; t++) {
      vec4 query = FV_LOAD (q, q_at + t * push.q[3] + unit);
      vec4 key = FV_LOAD (k, k_at + t * push.k[3] + u);

      [[unroll]] for (int i = 0; i < 4; i++)
        s[i] = fma (vec4 (query[i]), key, s[i]);
      squares = fma (query, query, squares);
      lengths = fma (key, key, lengths);
    }
    squares = scale * (NORMALIZE ? over_length (squares) : vec4 (1));
    lengths = NORMALIZE ? over_length (lengths) : vec4 (1);
    [[unroll]] for (int i = 0; i < 4; i++)
      scores[(4 * mine + i) * KEY_UNITS + u] =
        select_keys (u, s[i] * lengths * squares[i], LOWEST);
  }
  barrier ();
  for (int r = id; r < 4 * BLOCK; r += THREADS) {
    float top = LOWEST, sum = 0;

    for (int u = 0; u < KEY_UNITS; u++)
      top = max (top, highest (scores[r * KEY_UNITS + u]));
    for (int u = 0; u < KEY_UNITS; u++) {
      vec4 value = select_keys (u, exp (scores[r * KEY_UNITS + u] - top), 0);

      scores[r * KEY_UNITS + u] = value;
      sum += value.x + value.y + value.z + value.w;
    }
    for (int u = 0; u < KEY_UNITS; u++)
      scores[r * KEY_UNITS + u] /= sum;
  }
  barrier ();
  for (int b = id; b < BLOCK * push.tokens; b += THREADS) {
    int t = b / BLOCK, mine = b - t * BLOCK;
    vec4 o = vec4 (0);

    for (int u = 0; u < KEY_UNITS; u++) {
      vec4 value = FV_LOAD (v, v_at + t * push.v[3] + u);

      [[unroll]] for (int i = 0; i < 4; i++)
        o[i] += dot (scores[(4 * mine + i) * KEY_UNITS + u], value);
    }
    store (y_at + t * push.y[3], first + mine, o);
  }
}
