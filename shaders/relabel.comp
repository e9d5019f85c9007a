/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Map of pieces -> map of classes and, in its own place, map of instances, and
 * where each instance's pixels lie. One invocation per run of words; a flat
 * grid. */
#version 460
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "heads.h"

layout (constant_id = FV_RELABEL_SPEC_BITS) const int bits = 8;
layout (push_constant) uniform Push
{
  FvRelabelPush p;
};
layout (std430, set = 0, binding = 0) buffer Map { uint map[]; };
layout (std430, set = 0, binding = 1) buffer Pieces { uint pieces[]; };

#define NO_CLASS ((1u << bits) - 1)

/* The piece that the run is in, its class and its number. */
uint run, run_class, run_number;

void begin (uint piece)
{
  run = piece;
  run_class = NO_CLASS;
  run_number = 0;
  if (piece == 0)
    return;
  uint e = FV_BOXES_HEADER + (piece - 1) * FV_PIECE_WORDS;
  uint number = pieces[e + FV_PIECE_NUMBER];
  if (number == FV_PIECE_DROPPED)
    return;
  run_class = pieces[e + FV_PIECE_CLASS];
  run_number = number;
}

/* Most runs lie inside of what is known already: a look is cheaper than a lock. */
void extend (int x0, int x1, int y)
{
  if (run_number == 0 || x1 < x0)
    return;
  uint e = FV_BOXES_HEADER + (run - 1) * FV_PIECE_WORDS + FV_PIECE_LEFT;
  if (pieces[e] > uint (x0))
    atomicMin (pieces[e], uint (x0));
  if (pieces[e + 1] > uint (y))
    atomicMin (pieces[e + 1], uint (y));
  if (pieces[e + 2] < uint (x1))
    atomicMax (pieces[e + 2], uint (x1));
  if (pieces[e + 3] < uint (y))
    atomicMax (pieces[e + 3], uint (y));
}

void main ()
{
  int i = FV_FLAT_INDEX;
  int runs = (p.instance_row_words + FV_RELABEL_RUN - 1) / FV_RELABEL_RUN;
  int y = i / runs, first = i % runs * FV_RELABEL_RUN, start;
  if (y >= p.height)
    return;

  start = 4 * first;
  begin (0);
  for (int w = first; w < min (first + FV_RELABEL_RUN, p.instance_row_words); w++) {
    int at = p.instance_words + y * p.instance_row_words + w;
    uint numbers = map[at], instances = 0;
    uvec2 classes = uvec2 (0);
    for (int k = 0; k < 4 && 4 * w + k < p.width; k++) {
      uint piece = bitfieldExtract (numbers, 8 * k, 8);
      if (piece != run) {
        extend (start, 4 * w + k - 1, y);
        begin (piece);
        start = 4 * w + k;
      }
      instances |= run_number << (8 * k);
      if (bits == 8)
        classes.x |= run_class << (8 * k);
      else if (k < 2)
        classes.x |= run_class << (16 * k);
      else
        classes.y |= run_class << (16 * (k - 2));
    }
    map[at] = instances;
    if (bits == 8) {
      map[y * p.row_words + w] = classes.x;
    } else {
      map[y * p.row_words + 2 * w] = classes.x;
      if (2 * w + 1 < p.row_words)
        map[y * p.row_words + 2 * w + 1] = classes.y;
    }
  }
  extend (start, min (4 * (first + FV_RELABEL_RUN), p.width) - 1, y);
}
