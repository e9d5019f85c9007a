/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What winogradin.comp, winogradout.comp and their C side share. */
#ifndef FV_WINOGRAD_H
#define FV_WINOGRAD_H

#include "shared.h"

/* Specialization constants. */
#define FV_WINOGRAD_TILE 0 /* outputs of a tile along an axis: 4 or 2 */
#define FV_WINOGRAD_BIAS 1 /* 1: there is one */
#define FV_WINOGRAD_ODD 2 /* 1: channels is no multiple of 4 */

/* A dispatch transforms @tiles of all images' tiles, from @first on. Strides and
 * bases in vec4 units. */
FV_STRUCT (FvWinogradPush)
{
  fv_int units, channels; /* of the map */
  fv_int first, tiles;
  fv_int across, down; /* tiles of an image */
  fv_int height, width; /* of the map */
  fv_int base, image, row, pixel; /* of the map */
  fv_int pad_y, pad_x; /* of the input */
  fv_int planes, plane; /* of the products: base, and from plane to plane */
  fv_int bias;
  FvOperandPush operand[FV_MAX_OPERANDS];
};

#endif
