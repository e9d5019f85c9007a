/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Candidates of a detector -> boxes over the threshold, in no order.
 * One invocation per candidate of a level; a flat grid. Boxes are
 * x0 y0 x1 y1 in pixels of the input. */
#version 460
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "heads.h"
#include "headreduce.glsl"

layout (constant_id = FV_DETECT_SPEC_BOX) const int box_format = 0;
layout (constant_id = FV_DETECT_SPEC_SCORE) const int score_activation = 0;
layout (constant_id = FV_DETECT_SPEC_OBJECTNESS) const int objectness_activation = -1;
layout (constant_id = FV_DETECT_SPEC_NUMBERS) const int has_numbers = 0;
layout (constant_id = FV_DETECT_SPEC_CLASSES) const int n_classes = 1;
layout (constant_id = FV_DETECT_SPEC_BACKGROUND) const int background = -1;
layout (constant_id = FV_DETECT_SPEC_BINS) const int bins = 1;
layout (constant_id = FV_DETECT_SPEC_DENSE) const int dense = 0;
layout (constant_id = FV_DETECT_SPEC_POWER) const float power = 1;
layout (constant_id = FV_DETECT_SPEC_COUNT) const int has_count = 0;
layout (constant_id = FV_DETECT_SPEC_MANY) const int many = 0;
layout (constant_id = FV_DETECT_SPEC_POWER_OBJECTNESS) const float power_objectness = 1;

layout (push_constant) uniform Push
{
  FvDetectPush p;
};
FV_IN (0, scores)
FV_IN (1, boxes)
FV_IN (2, objectness)
FV_IN (3, numbers)
FV_IN (4, priors)
FV_IN (5, count)
layout (std430, set = 0, binding = 6) readonly buffer Values { FvHeadValues values; };
layout (std430, set = 0, binding = 7) buffer Found { uint found[]; };

#define ACTIVATION_SIGMOID 1
#define ACTIVATION_SOFTMAX 2
#define LOWEST -3.4e38

float sigmoid (float v)
{
  return 1 / (1 + exp (clamp (-v, -88.0, 88.0)));
}

void offer (int c, float v, inout float best, inout int best_class, inout float top)
{
  if (c < 0 || c >= n_classes)
    return;
  top = max (top, v);
  if (c != background && v > best) {
    best = v;
    best_class = c;
  }
}

/* The class with the largest score; top counts the background too. */
void find_class (int base, out float best, out int best_class, out float top)
{
  best = top = LOWEST;
  best_class = -1;
  if (dense != 0) {
    int last = (base + n_classes - 1) >> 2;
    for (int u = base >> 2; u <= last; u++) {
      vec4 v = FV_LOAD (scores, u);
      int c = 4 * u - base;
      offer (c, v.x, best, best_class, top);
      offer (c + 1, v.y, best, best_class, top);
      offer (c + 2, v.z, best, best_class, top);
      offer (c + 3, v.w, best, best_class, top);
    }
  } else {
    for (int c = 0; c < n_classes; c++)
      offer (c, FV_LOAD1 (scores, base + c * p.score_c), best, best_class, top);
  }
}

float activate_score (int base, float best, float top)
{
  if (score_activation == ACTIVATION_SIGMOID)
    return sigmoid (best);
  if (score_activation == ACTIVATION_SOFTMAX) {
    float sum = 0;
    for (int c = 0; c < n_classes; c++)
      sum += exp (FV_LOAD1 (scores, base + c * p.score_c) - top);
    return exp (best - top) / sum;
  }
  return best;
}

#include "detectbox.glsl"

/* Lists candidate @i as class @c; @best: its value. */
void add_box (int i, int c, float best, float top, float factor)
{
  float score = activate_score (p.score + i * p.score_n, best, top);
  if (fv_is_nan (score))
    return;
  score = clamp (score, 0.0, 1.0);
  if (power != 1)
    score = pow (score, power);
  score *= factor;
  if (score < values.threshold)
    return;
  uint index = uint (p.first + i);
  if (many != 0) /* which says of which class too, so that ties have an order */
    index = index * uint (n_classes) + uint (c);
  if (background >= 0 && c > background)
    c--;
  if (has_numbers != 0)
    c = int (FV_LOAD1 (numbers, p.number + i * p.number_n) + 0.5);

  vec4 box = decode (i) * vec4 (p.scale_x, p.scale_y, p.scale_x, p.scale_y);
  uint slot = atomicAdd (found[0], 1);
  if (slot >= uint (p.capacity))
    return;
  uint e = FV_BOXES_HEADER + slot * FV_BOX_WORDS;
  found[e] = index;
  found[e + 1] = uint (c);
  found[e + 2] = floatBitsToUint (score);
  found[e + 3] = floatBitsToUint (box.x);
  found[e + 4] = floatBitsToUint (box.y);
  found[e + 5] = floatBitsToUint (box.z);
  found[e + 6] = floatBitsToUint (box.w);
  found[e + 7] = 0;
}

void main ()
{
  int i = FV_FLAT_INDEX;
  if (i >= p.n
      || (has_count != 0 && float (p.first + i) >= FV_LOAD1 (count, p.count)))
    return;

  /* no class can lift a candidate over its objectness: most end here */
  float factor = 1;
  if (objectness_activation >= 0) {
    factor = FV_LOAD1 (objectness, p.objectness + i * p.objectness_n);
    if (objectness_activation == ACTIVATION_SIGMOID)
      factor = sigmoid (factor);
    if (fv_is_nan (factor))
      return;
    factor = pow (clamp (factor, 0.0, 1.0), power_objectness);
    if (factor < values.threshold)
      return;
  }

  float best, top;
  int best_class;
  int base = p.score + i * p.score_n;
  find_class (base, best, best_class, top);
  if (best_class < 0)
    return;
  if (many == 0) {
    add_box (i, best_class, best, top, factor);
    return;
  }
  for (int c = 0; c < n_classes; c++)
    if (c != background)
      add_box (i, c, FV_LOAD1 (scores, base + c * p.score_c), top, factor);
}
