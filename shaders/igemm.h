/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What igemm.comp, gemv.comp and their C side share. */
#ifndef FV_IGEMM_H
#define FV_IGEMM_H

#include "shared.h"

/* Two numbers from -32768 to 32767, y (vertical) and x, in one. */
#define FV_PAIR(y, x) ((y) *65536 + ((x) &0xffff))
#define FV_PAIR_Y(pair) ((pair) >> 16)
#define FV_PAIR_X(pair) ((pair) << 16 >> 16)

/* Specialization constants. */
#define FV_IGEMM_PIXELS 0 /* tile: pixels (subgroup tier: a lane) */
#define FV_IGEMM_CHANNELS 1 /* tile: output channels, a multiple of 8 */
#define FV_IGEMM_WINDOW 2 /* 0: one tap, rows equally spaced, no padding */
#define FV_IGEMM_PACKED 3 /* 1: weights packed, 0: rows of another tensor */
#define FV_IGEMM_BIAS 4 /* FV_BIAS_* */
#define FV_IGEMM_Z 5 /* FV_Z_* */
#define FV_IGEMM_TAIL 6 /* 1 to 3: elements used of the last vec4 of K */
#define FV_IGEMM_ODD 7 /* 1: channels is no multiple of 4 */
#define FV_IGEMM_ALPHA 8 /* float: factor of the sum */
#define FV_IGEMM_BETA 9 /* float: factor of the bias */
/* Rows of x of which a table makes a row of the product; 0: no table, negative:
 * with rows of zeroes among them. */
#define FV_IGEMM_ROWS 10
/* 1: vec4 k of each tap counts times vec4 gate + k of binding 6. */
#define FV_IGEMM_GATE 11
/* 1: x lies as [pixel / 8][k / 4][pixel % 8][k % 4]. */
#define FV_IGEMM_BLOCKED 12
/* Output channels where there are fewer than 8, 0 where there are not: a subgroup's
 * tile has no sums of the others. */
#define FV_IGEMM_FEW 14
#define FV_IGEMM_ZEROES 13 /* igemm8: 1: weights have zero points */

#define FV_BIAS_NONE 0
#define FV_BIAS_COMMON 1 /* vec4 units: bias + channel */
#define FV_BIAS_ROWS 2 /* vec4 units: bias + row * bias_stride + channel */
#define FV_BIAS_COLUMN 3 /* elements:   bias + row * bias_stride */

#define FV_Z_NONE 0 /* grid z is 1 */
#define FV_Z_GROUPS 1 /* z0: group of channels, z1: image */
#define FV_Z_MATRICES 2 /* z0, z1: matrices, in the rows' order */

/* igemm8.comp. Its binding 6 begins with 1 / step and shift of x, both floats; then
 * come, for every four channels, scales (floats), offsets and zero points. */
#define FV_IGEMM8_STEP 2 /* units of K a thread's loads go by */
#define FV_IGEMM8_ROW 3 /* ivec4 of four channels */

/* Strides and bases in vec4 units. z = z1 * z0_count + z0. */
FV_STRUCT (FvIgemmPush)
{
  fv_int x_base, x_z0, x_z1, x_row, x_pixel;
  fv_int in_height, in_width;
  fv_int out_width; /* pixel = y * out_width + x */
  fv_int pixels; /* of one z */
  fv_int depth; /* vec4 of input channels a tap */
  fv_int kernel, stride, dilation, pad; /* FV_PAIR */
  fv_int w_base, w_row, w_z0, w_z1;
  fv_int channels; /* output channels of one group */
  fv_int y_base, y_z0, y_z1, y_row, y_pixel;
  fv_int z0_count;
  fv_int bias, bias_stride;
  fv_int gate; /* vec4 units */
  FvOperandPush operand[FV_MAX_OPERANDS];
};

#endif
