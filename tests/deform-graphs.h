/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parts of graphs in the text of ir-text.h, of which exporters make deformable
 * attention: LEVELS (...) SHARES STACKED SUMMED (...). */
#pragma once

/* Deformable attention of two levels, 4 x 3 and 2 x 2, of two images: heads of four
 * channels, three queries with two points; @modes of the second GridSample. */
#define LEVELS(modes) \
  "v f32[2,16,2,4]; o f32[2,3,2,2,2,2]; p f32[2,3,2,4]; l =i64{12,4}; " \
  "v1,v2 Split v l axis=1; r =i64{2,-1,8}; m =i64{4,4,4,3}; n =i64{4,4,2,2}; " \
  "a1 Reshape v1 r; b1 Transpose a1 perm=[0,2,1]; x1 Reshape b1 m; " \
  "a2 Reshape v2 r; b2 Transpose a2 perm=[0,2,1]; x2 Reshape b2 n; " \
  "i =i64(0); j =i64(1); k =i64{4,3,2,2}; c1 Gather o i axis=3; " \
  "d1 Transpose c1 perm=[0,2,1,3,4]; g1 Reshape d1 k; c2 Gather o j axis=3; " \
  "d2 Transpose c2 perm=[0,2,1,3,4]; g2 Reshape d2 k; " \
  "s1 GridSample@16 x1 g1; s2 GridSample@16 x2 g2" modes "; "
#define SHARES \
  "h =i64{2,3,2,2,2}; q =i64{4,1,3,4}; t Softmax p axis=-1; u Reshape t h; " \
  "e Transpose u perm=[0,2,1,3,4]; w Reshape e q; "
#define STACKED \
  "ax =i64{-2}; y1 Unsqueeze s1 ax; y2 Unsqueeze s2 ax; " \
  "y3 Concat y1 y2 axis=-2; qs =i64{4,4,3,4}; y4 Reshape y3 qs; "
#define SUMMED(join) \
  "z Mul y4 w; la =i64{-1}; z1 ReduceSum z la keepdims=0; jo =i64" join \
  "; z2 Reshape z1 jo; y Transpose z2 perm=[0,2,1]"
