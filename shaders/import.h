/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frame bytes to the model's input: import.comp where two pixels a side are
 * enough, else importrows.comp and importcolumns.comp. */
#ifndef FV_IMPORT_H
#define FV_IMPORT_H

#include "shared.h"

/* Specialization constants */
/* How a frame is stored; of three things the first in the lowest byte           */
#define FV_FRAME_SPEC_PLANES 0 /* of components                               */
#define FV_FRAME_SPEC_OFFSETS \
  1 /* bytes from a sample's group to it           */
#define FV_FRAME_SPEC_STEPS 2 /* bytes from one sample to the next           */
#define FV_FRAME_SPEC_FLAGS 3 /* FV_FRAME_*                                  */
#define FV_FRAME_GRAY 1 /* there is the first component only           */
#define FV_FRAME_TWO_BYTES 2 /* of a sample, the lower one first            */
#define FV_FRAME_SUB_X 4 /* two pixels of a row share their chroma      */
#define FV_FRAME_SUB_Y 8
#define FV_FRAME_SITE_X 16 /* it lies on even pixels, else between them   */
#define FV_FRAME_SITE_Y 32
#define FV_FRAME_INTERLACED 64 /* odd rows are a field of their own           */
/* From the upright picture to the stored one: first swap, then mirror.         */
#define FV_FRAME_SWAP 128
#define FV_FRAME_MIRROR_X 256
#define FV_FRAME_MIRROR_Y 512

#define FV_IMPORT_SPEC_GRAY 4 /* 1: one channel, the luma of R, G, B         */
#define FV_IMPORT_SPEC_PLANAR \
  5 /* 1: each channel is a plane of its own       */
#define FV_IMPORT_SPEC_FILL 6 /* vec4s of zeros behind a pixel's first       */
#define FV_IMPORT_SPEC_TAPS 7 /* vec4s of weights behind a table's header    */
#define FV_IMPORT_SPEC_EIGHT_BITS \
  8 /* 1: columns, then rows are rounded to 8 bits      */

FV_STRUCT (FvImportPush)
{
  float
      matrix[12]; /* rows: first, second, third channel of the result; columns:
                       components as stored; constant                         */
  float scale[3]; /* result = scale value + offset, value in 0..1            */
  float offset[3];
  fv_int plane[3]; /* bytes from the start of the frame                       */
  fv_int
      stride[3]; /* bytes between rows                                      */
  fv_int width; /* of the picture, as it is stored                         */
  fv_int height;
  fv_int origin; /* x, and 256 y, of the picture in what is stored           */
  fv_int pad; /* around the frame: of three channels, from the lowest, ten bits
                 of 1/1020 each                                               */
  fv_int
      out_width; /* of the input, pixels                                    */
  fv_int base; /* where and how to store, in vec4 units                   */
  fv_int row;
  fv_int pixel; /* to the next pixel, or channel where they are planes     */
};

#endif
