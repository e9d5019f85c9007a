/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernels behind a net share with the C side of the heads. Offsets and
 * strides count elements of the tensor, from the start of the bound range. */
#ifndef FV_HEADS_H
#define FV_HEADS_H

#include "shared.h"

/* Grids that may be longer than a device takes lie in rows of workgroups. */
#ifndef __STDC__
#define FV_FLAT_INDEX \
  int ((gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) \
          * gl_WorkGroupSize.x \
      + gl_LocalInvocationID.x)
#endif

/* detect.comp: specialization constants, as FvBoxFormat and FvActivation. */
#define FV_DETECT_SPEC_BOX 0
#define FV_DETECT_SPEC_SCORE 1 /* activation of class scores             */
#define FV_DETECT_SPEC_OBJECTNESS 2 /* activation; -1: none given             */
#define FV_DETECT_SPEC_NUMBERS 3 /* 1: class numbers are given             */
#define FV_DETECT_SPEC_CLASSES 4 /* channels of scores                     */
#define FV_DETECT_SPEC_BACKGROUND 5 /* -1: none                               */
#define FV_DETECT_SPEC_BINS 6
#define FV_DETECT_SPEC_DENSE 7 /* 1: scores lie one element apart        */
#define FV_DETECT_SPEC_POWER 8 /* float: of scores                       */
#define FV_DETECT_SPEC_POWER_OBJECTNESS 9 /* float                            */
#define FV_DETECT_SPEC_COUNT 10 /* 1: the number of candidates is given   */
#define FV_DETECT_SPEC_MANY 11 /* 1: each class may be a box             */

/* A box that came through. Words, because a buffer has them: floats by bits. */
#define FV_BOX_WORDS 8 /* candidate, class, score, x0, y0, x1, y1, 0 */
/* Both lists of boxes start with: how many came through, how many follow. */
#define FV_BOXES_HEADER 4

/* One level of a detector: candidates first .. first + n - 1. */
FV_STRUCT (FvDetectPush)
{
  fv_int n;
  fv_int first; /* index of the level's first candidate, for the results */
  fv_int grid_width, grid_height; /* cells                                    */
  fv_int per_cell;
  fv_int score, score_n, score_c;
  fv_int box, box_n, box_c;
  fv_int objectness, objectness_n;
  fv_int number, number_n;
  fv_int prior, prior_n, prior_c;
  fv_int count;
  fv_int capacity; /* boxes that the list has room for                      */
  float stride; /* pixels a cell                                         */
  float cell_offset; /* in cells                                              */
  float scale_x; /* to pixels of the input                                */
  float scale_y;
  float variance_xy;
  float variance_wh;
};

/* classify.comp */
#define FV_CLASSIFY_SPEC_ACTIVATION 0
FV_STRUCT (FvClassifyPush)
{
  fv_int offset, stride, n, background;
};

/* A map of the tensor over the frame: pixel f of the frame lies at
 * f * scale + bias of the tensor, both counted between centres. */
FV_STRUCT (FvMapPush)
{
  fv_int frame_width, frame_height;
  fv_int row_words; /* of the target, 4 bytes each                            */
  fv_int map_width, map_height;
  fv_int offset, stride_y, stride_x, stride_c;
  fv_int channels;
  float scale_x, scale_y, bias_x, bias_y;
  float a, b; /* depth: a v + b                                         */
  fv_int matte_word; /* of the target, where the matte starts                */
};

/* segment.comp */
#define FV_SEGMENT_SPEC_MODE 0
#define FV_SEGMENT_ARGMAX 0 /* the largest channel                         */
#define FV_SEGMENT_THRESHOLD 1 /* whether one map reaches the threshold       */
#define FV_SEGMENT_NUMBERS 2 /* the map holds class numbers                 */
#define FV_SEGMENT_SPEC_DENSE 1 /* 1: channels lie in vec4 units              */
#define FV_SEGMENT_SPEC_BITS 2 /* of a class number: 8 or 16                 */
#define FV_SEGMENT_SPEC_TILE 3 /* blocks a workgroup takes side by side */
#define FV_SEGMENT_SPEC_BLOCK_X 4 /* pixels that one invocation writes */
#define FV_SEGMENT_SPEC_BLOCK_Y 5
#define FV_SEGMENT_SPEC_MATTE 6 /* of a threshold, 8 bits a class number */
#define FV_SEGMENT_NO_MATTE 0
#define FV_SEGMENT_PROBABILITY 1
#define FV_SEGMENT_LOGIT 2
/* What a threshold compares: the map there is, or of two, that of the foreground
 * (offset) less the other one (stride_c further) if they are logits. */
#define FV_SEGMENT_SPEC_PAIR 7
#define FV_SEGMENT_ALONE 0
#define FV_SEGMENT_DIFFERENCE 1
#define FV_SEGMENT_SPEC_BELOW 8 /* class below a threshold: 0 or 1 */

#define FV_DEPTH_BLOCK 4

/* What may change between submits, in a mapped buffer. */
FV_STRUCT (FvHeadValues)
{
  float threshold; /* in the unit of what is compared */
  fv_int max_classes;
};

#endif
