/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The workgroup tier of attention.comp. */
const int PARTS = 4;
const int Q_PART = (D_UNITS + PARTS - 1) / PARTS;
const int V_PART = (V_UNITS + PARTS - 1) / PARTS;
const int TILE_UNITS = D_UNITS > V_UNITS ? D_UNITS : V_UNITS;
const int SCORES = KEYS + 1; /* odd: no two rows in one bank */
shared vec4 tile[KEYS * TILE_UNITS];
shared float scores[gl_WorkGroupSize.x * SCORES];
shared float lengths[KEYS]; /* one over them */

/* What the scores of a query are multiplied by; its four invocations have a quarter
 * each of the @squares of its length. */
float query_factor (float squares)
{
  int id = int (gl_LocalInvocationID.x);
  float sum = 0;

  if (!NORMALIZE)
    return head_scale ();
  scores[id * SCORES] = squares;
  barrier ();
  [[unroll]] for (int p = 0; p < PARTS; p++)
    sum += scores[(id - id % PARTS + p) * SCORES];
  return head_scale () * over_length (vec4 (sum)).x;
}

/* Fills lengths from a tile of keys. */
void measure_keys ()
{
  for (int j = int (gl_LocalInvocationID.x); j < KEYS; j += int (gl_WorkGroupSize.x)) {
    float squares = 0;

    for (int u = 0; u < D_UNITS; u++)
      squares += dot (tile[j * D_UNITS + u], tile[j * D_UNITS + u]);
    lengths[j] = over_length (vec4 (squares)).x;
  }
}

void main ()
{
  int chunks = ((push.dv + 3) / 4 + V_UNITS - 1) / V_UNITS;
  int size = int (gl_WorkGroupSize.x), id = int (gl_LocalInvocationID.x);
  int part = id % PARTS, block = int (gl_WorkGroupID.x) / chunks;
  int unit = (int (gl_WorkGroupID.x) - block * chunks) * V_UNITS;
  int last_unit = (push.dv + 3) / 4 - 1;
  int row = block * (size / PARTS) + id / PARTS;
  int q_at = row_of (push.q, row), bias_at = row_of (push.bias, row);
  float top = LOWEST, sum = 0, s[KEYS], factor, squares = 0;
  vec4 query[Q_PART], o[V_PART];

  [[unroll]] for (int i = 0; i < Q_PART; i++)
    query[i] = i * PARTS + part < D_UNITS ? load_q (q_at, i * PARTS + part)
                                          : vec4 (0);
  [[unroll]] for (int i = 0; i < Q_PART; i++)
    squares += dot (query[i], query[i]);
  factor = query_factor (squares);
  [[unroll]] for (int i = 0; i < V_PART; i++)
    o[i] = vec4 (0);
  for (int first = 0; first < push.n; first += KEYS) {
    float highest = top, shrink;

    barrier ();
    for (int i = id; i < KEYS * D_UNITS; i += size)
      tile[i] = load_k (start_of (push.k)
        + min (first + i / D_UNITS, push.n - 1) * push.k[3], i % D_UNITS);
    barrier ();
    if (NORMALIZE)
      measure_keys ();
    [[unroll]] for (int j = 0; j < KEYS; j++) {
      float t = 0;

      [[unroll]] for (int i = 0; i < Q_PART; i++)
        t += dot (query[i], tile[j * D_UNITS
          + min (i * PARTS + part, D_UNITS - 1)]);
      scores[id * SCORES + j] = t;
    }
    barrier ();
    for (int i = id; i < KEYS * V_UNITS; i += size)
      tile[i] = FV_LOAD (v, start_of (push.v)
        + min (first + i / V_UNITS, push.n - 1) * push.v[3]
        + min (unit + i % V_UNITS, last_unit));
    [[unroll]] for (int j = 0; j < KEYS; j++) {
      float t = 0;

      [[unroll]] for (int p = 0; p < PARTS; p++)
        t += scores[(id - part + p) * SCORES + j];
      if (NORMALIZE)
        t *= lengths[j];
      t = fma (t, factor, load_bias (bias_at, first + j)[j & 3]);
      s[j] = first + j < push.n ? t : LOWEST;
      highest = max (highest, s[j]);
    }
    shrink = exp (top - highest);
    top = highest;
    sum *= shrink;
    [[unroll]] for (int i = 0; i < V_PART; i++)
      o[i] *= shrink;
    barrier ();
    [[unroll]] for (int j = 0; j < KEYS; j++) {
      float p = first + j < push.n ? exp (s[j] - top) : 0;

      sum += p;
      [[unroll]] for (int i = 0; i < V_PART; i++)
        o[i] = fma (vec4 (p),
          tile[j * V_UNITS + min (i * PARTS + part, V_UNITS - 1)], o[i]);
    }
  }
  [[unroll]] for (int i = 0; i < V_PART; i++)
    if (i * PARTS + part < V_UNITS)
      store (row, unit + i * PARTS + part, over_sum (o[i], sum));
}
