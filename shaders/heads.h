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

/* Pieces of a frame that a segmenter found one by one: things and stretches of
 * stuff. A buffer of words, behind FV_BOXES_HEADER of them, as those of boxes;
 * floats by bits. The map of pieces holds their place in the list, from 1. */
#define FV_MOST_PIECES 255
#define FV_PIECE_WORDS 16
#define FV_PIECE_INDEX 0 /* candidate or query                       */
#define FV_PIECE_CLASS 1
#define FV_PIECE_SCORE 2
#define FV_PIECE_BOX 3 /* x0 y0 x1 y1 in pixels of the input         */
#define FV_PIECE_NUMBER 7 /* of the instance; 0: stuff; or dropped    */
#define FV_PIECE_AREA 8 /* pixels of the frame that it got            */
#define FV_PIECE_WHOLE 9 /* pixels of its mask, seen or not           */
#define FV_PIECE_LEFT 10 /* left, top, right, bottom of its pixels    */
#define FV_PIECE_DROPPED 0xffffffffu

/* suppress.comp, queries.comp */
#define FV_QUERIES_SPEC_ACTIVATION 0 /* of scores, as FvActivation           */
#define FV_QUERIES_SPEC_STUFF_ACTIVATION 1
#define FV_QUERIES_SPEC_LIST 2 /* 1: pieces, 0: probabilities               */
FV_STRUCT (FvQueriesPush)
{
  fv_int n, n_stuff; /* queries of scores, and those of one class each       */
  fv_int classes, background; /* of scores; -1: none                         */
  fv_int score, score_n, score_c;
  fv_int stuff, stuff_n;
  fv_int units; /* of four probabilities that a query has                    */
};

/* maskvalues.comp, querysum.comp: the map of each piece or class at the pixels of
 * the maps, in units of four, from prototypes or of queries. */
#define FV_MASKS_SPEC_PROTOTYPES 0 /* 1: prototypes, 0: queries              */
#define FV_MASKS_SPEC_ACTIVATION 1 /* of queries' maps                       */
#define FV_MASKS_SPEC_DENSE 2 /* 1: prototypes lie in vec4 units             */
FV_STRUCT (FvMasksPush)
{
  fv_int width, height; /* of the maps                                       */
  fv_int offset, stride_y, stride_x, stride_c;
  fv_int channels; /* prototypes, or queries                                 */
  fv_int coefficient, coefficient_n, coefficient_c;
  fv_int units; /* of four pieces or classes                                 */
  float scale_x, scale_y; /* from pixels of the input to those of the maps   */
};

/* paint.comp */
#define FV_PAINT_SPEC_PROTOTYPES 0
FV_STRUCT (FvPaintPush)
{
  FvMapPush map; /* offset: in words, of the map of pieces; channels: of four
                    pieces; a, b: from pixels of the input to the maps'      */
  float inside; /* what a value must reach to be inside of a mask            */
};

/* settle.comp */
FV_STRUCT (FvSettlePush)
{
  float overlap;
};

/* relabel.comp */
#define FV_RELABEL_SPEC_BITS 0 /* of a class number: 8 or 16                 */
#define FV_RELABEL_RUN 8 /* words that one invocation takes                  */
FV_STRUCT (FvRelabelPush)
{
  fv_int width, height;
  fv_int row_words, instance_words, instance_row_words;
};

/* turn.comp: from the picture upright to the one stored, as in import.h */
#define FV_TURN_SPEC_BYTES 0 /* of an element: 1, 2 or 4                    */
#define FV_TURN_SPEC_SWAP 1
#define FV_TURN_SPEC_MIRROR_X 2
#define FV_TURN_SPEC_MIRROR_Y 3
FV_STRUCT (FvTurnPush)
{
  fv_int width, height; /* of the result                               */
  fv_int from, from_row, to, to_row; /* words: where planes start, of a row */
};

/* What may change between submits, in a mapped buffer. */
FV_STRUCT (FvHeadValues)
{
  float threshold; /* in the unit of what is compared */
  fv_int max_classes;
  float iou_threshold;
  fv_int max_pieces;
};

#endif
