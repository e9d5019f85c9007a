/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frame bytes to the model's input: import.comp where two pixels a side are
 * enough, else importrows.comp and importcolumns.comp. */
#ifndef FV_IMPORT_H
#define FV_IMPORT_H

#include "shared.h"

/* Specialization constants */
#define FV_IMPORT_SPEC_KIND 0 /* FV_IMPORT_*, how the frame is stored        */
#define FV_IMPORT_SPEC_STEP 1 /* bytes from one chroma sample to the next    */
#define FV_IMPORT_SPEC_SITE_X \
  2 /* 1: chroma lies on even pixels, 0: between   */
#define FV_IMPORT_SPEC_SITE_Y 3
#define FV_IMPORT_SPEC_GRAY 4 /* 1: one channel, the luma of R, G, B         */
#define FV_IMPORT_SPEC_PLANAR \
  5 /* 1: each channel is a plane of its own       */
#define FV_IMPORT_SPEC_FILL 6 /* vec4s of zeros behind a pixel's first       */
#define FV_IMPORT_SPEC_TAPS 7 /* vec4s of weights behind a table's header    */

#define FV_IMPORT_GRAY 0
#define FV_IMPORT_BYTES3 \
  1 /* three bytes a pixel                              */
#define FV_IMPORT_BYTES4 \
  2 /* four                                             */
#define FV_IMPORT_YUYV 3 /* Y0 U Y1 V                                        */
#define FV_IMPORT_UYVY 4 /* U Y0 V Y1                                        */
#define FV_IMPORT_420 5 /* planes of their own, or one plane of pairs       */

FV_STRUCT (FvImportPush)
{
  float
      matrix[12]; /* rows: first, second, third channel of the result; columns:
                       bytes 0, 1, 2 of a pixel or Y, U, V; constant          */
  float scale[3]; /* result = scale value + offset, value in 0..1            */
  float offset[3];
  fv_int plane[3]; /* bytes from the start of the frame                       */
  fv_int
      stride[2]; /* bytes between rows: first plane, chroma                 */
  fv_int width; /* of the frame, pixels                                    */
  fv_int height;
  float pad; /* 0..1, around the frame                                  */
  fv_int
      out_width; /* of the input, pixels                                    */
  fv_int base; /* where and how to store, in vec4 units                   */
  fv_int row;
  fv_int pixel; /* to the next pixel, or channel where they are planes     */
};

#endif
