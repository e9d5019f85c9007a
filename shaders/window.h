/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What convdw.comp, convdirect.comp, deform.comp and their C side share. */
#ifndef FV_WINDOW_H
#define FV_WINDOW_H

#include "igemm.h"

/* Specialization constants of convdw.comp. */
#define FV_DW_TILE 0 /* FV_PAIR: pixels a lane, down and across */
#define FV_DW_KERNEL 1 /* FV_PAIR */
#define FV_DW_STRIDE 2 /* FV_PAIR */
#define FV_DW_DILATION 3 /* FV_PAIR */
#define FV_DW_BIAS 4
#define FV_DW_ODD 5 /* 1: channels is no multiple of 4 */

/* Specialization constants of convdirect.comp. */
#define FV_DIRECT_TRANSPOSED 0
#define FV_DIRECT_BIAS 1

/* Of both, for 3-D: sizes and window along the depth. They are constants and not
 * pushed because push constants are scarce, and 2-D nets pay nothing. */
#define FV_WINDOW_IN_DEPTH 6
#define FV_WINDOW_OUT_DEPTH 7
#define FV_WINDOW_KERNEL 8
#define FV_WINDOW_STRIDE 9
#define FV_WINDOW_DILATION 10
#define FV_WINDOW_PAD 11

/* Strides and bases in vec4 units, those of the weights of convdirect.comp in
 * elements. */
FV_STRUCT (FvWindowPush)
{
  fv_int x_base, x_batch, x_depth, x_row, x_pixel;
  fv_int in_height, in_width, out_height, out_width;
  fv_int kernel, stride, dilation, pad; /* FV_PAIR */
  fv_int w_base, w_channel, w_depth, w_row, w_column;
  fv_int channels; /* of the output */
  fv_int depth; /* input channels of a group */
  fv_int share; /* output channels of a group */
  fv_int y_base, y_batch, y_depth, y_row, y_pixel;
  fv_int bias;
  FvOperandPush operand[FV_MAX_OPERANDS];
};

/* deform.comp. Axes map, height, width of x and y; offsets and mask have channels
 * behind the map, and their base before it, in elements. */
FV_STRUCT (FvDeformPush)
{
  fv_int units, channels; /* of the columns */
  fv_int depth; /* input channels of a group of weights */
  fv_int share; /* ... of a group of offsets */
  fv_int taps, columns; /* of the kernel */
  fv_int in_size[2], out_size[2];
  fv_int stride, dilation, pad; /* FV_PAIR */
  fv_int x_base, x[3], y_base, y[3];
  fv_int offset[5], mask[5];
};

#endif
