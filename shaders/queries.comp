/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Classes of queries -> pieces, those over the threshold, in the order of the
 * queries; or the probability of each class for each query. One workgroup. */
#version 460
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "heads.h"
#include "headreduce.glsl"

layout (constant_id = FV_QUERIES_SPEC_ACTIVATION) const int activation = 0;
layout (constant_id = FV_QUERIES_SPEC_STUFF_ACTIVATION) const int stuff_activation = 0;
layout (constant_id = FV_QUERIES_SPEC_LIST) const int makes_list = 0;
layout (push_constant) uniform Push
{
  FvQueriesPush p;
};
FV_IN (0, scores)
FV_IN (1, stuff)
layout (std430, set = 0, binding = 2) readonly buffer Values { FvHeadValues values; };
/* Of each query its class and score, or all probabilities. */
layout (std430, set = 0, binding = 3) coherent buffer Found { float found[]; };
layout (std430, set = 0, binding = 4) coherent buffer Pieces { uint pieces[]; };
FV_REDUCE (sum_all, uint, a + b)

#define ACTIVATION_SIGMOID 1
#define ACTIVATION_SOFTMAX 2
#define LOWEST -3.4e38

float sigmoid (float v)
{
  return 1 / (1 + exp (clamp (-v, -88.0, 88.0)));
}

float raw (int q, int c)
{
  return FV_LOAD1 (scores, p.score + q * p.score_n + c * p.score_c);
}

/* Factor and shift that a softmax needs: exp (v - top) / sum. */
vec2 normaliser (int q)
{
  float top = LOWEST, sum = 0;
  if (activation != ACTIVATION_SOFTMAX)
    return vec2 (0, 1);
  for (int c = 0; c < p.classes; c++)
    top = max (top, raw (q, c));
  for (int c = 0; c < p.classes; c++)
    sum += exp (raw (q, c) - top);
  return vec2 (top, 1 / sum);
}

float probability (int q, int c, vec2 n)
{
  float v = raw (q, c);
  if (activation == ACTIVATION_SOFTMAX)
    return exp (v - n.x) * n.y;
  return activation == ACTIVATION_SIGMOID ? sigmoid (v) : v;
}

float stuff_score (int q)
{
  float v = FV_LOAD1 (stuff, p.stuff + q * p.stuff_n);
  return stuff_activation == ACTIVATION_SIGMOID ? sigmoid (v) : v;
}

int without_background (int c)
{
  return p.background >= 0 && c > p.background ? c - 1 : c;
}

int n_scored ()
{
  return without_background (p.classes - 1) + (p.background == p.classes - 1 ? 0 : 1);
}

/* Every class's probability: a row of units for each query. */
void write_row (int q)
{
  int row = q * p.units * 4;
  for (int c = 0; c < 4 * p.units; c++)
    found[row + c] = 0;
  if (q >= p.n) {
    found[row + n_scored () + q - p.n] = stuff_score (q - p.n);
    return;
  }
  vec2 n = normaliser (q);
  for (int c = 0; c < p.classes; c++)
    if (c != p.background)
      found[row + without_background (c)] = probability (q, c, n);
}

/* The best class and its score; 0 where that is none. */
void write_best (int q)
{
  float best = LOWEST, score = 0;
  int c_best = 0;
  if (q >= p.n) {
    c_best = n_scored () + q - p.n;
    score = stuff_score (q - p.n);
  } else {
    int first = -1;
    for (int c = 0; c < p.classes; c++) {
      float v = raw (q, c);
      if (v > best) {
        best = v;
        first = c;
      }
    }
    if (first >= 0 && first != p.background) {
      c_best = without_background (first);
      score = probability (q, first, normaliser (q));
    }
  }
  found[2 * q] = float (c_best);
  found[2 * q + 1] = fv_is_nan (score) ? 0 : min (score, 1.0);
}

bool is_kept (int q)
{
  return found[2 * q + 1] > values.threshold;
}

/* The place of a query among those that are kept. */
void write_piece (int q)
{
  uint place = 0;
  for (int k = 0; k < q; k++)
    place += is_kept (k) ? 1 : 0;
  if (place >= FV_MOST_PIECES)
    return;
  uint e = FV_BOXES_HEADER + place * FV_PIECE_WORDS;
  pieces[e + FV_PIECE_INDEX] = uint (q);
  pieces[e + FV_PIECE_CLASS] = uint (found[2 * q]);
  pieces[e + FV_PIECE_SCORE] = floatBitsToUint (found[2 * q + 1]);
  pieces[e + FV_PIECE_LEFT] = 0xffffffffu;
  pieces[e + FV_PIECE_LEFT + 1] = 0xffffffffu;
}

void main ()
{
  int lane = int (gl_LocalInvocationIndex), step = int (gl_WorkGroupSize.x);
  uint n = 0;

  if (makes_list == 0) {
    for (int q = lane; q < p.n + p.n_stuff; q += step)
      write_row (q);
    return;
  }
  for (int q = lane; q < p.n + p.n_stuff; q += step)
    write_best (q);
  FV_MEET ();
  for (int q = lane; q < p.n + p.n_stuff; q += step)
    if (is_kept (q)) {
      write_piece (q);
      n++;
    }
  n = sum_all (n);
  if (lane == 0) {
    pieces[0] = n;
    pieces[1] = min (n, FV_MOST_PIECES);
  }
}
