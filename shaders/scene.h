/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What to draw over a frame, as overlay.comp, blend.comp and depthsample.comp read
 * it and gst/video/gstfoveadraw.c writes it: one buffer of vec4s. */
#ifndef FV_SCENE_H
#define FV_SCENE_H

/* width, height, tiles in a row, whether tiles without marks are drawn too */
#define FV_SCENE_FRAME 0
/* there (0, 1), bytes an id, stride in bytes, classes */
#define FV_SCENE_MASK 1
/* x, y, width, height of the part of the frame that it covers */
#define FV_SCENE_MASK_REGION 2
/* width, height, background id or -1, alpha */
#define FV_SCENE_MASK_SIZE 3
/* there (0, 1), bytes a value, stride in values, whether 0 is a value */
#define FV_SCENE_DEPTH 4
#define FV_SCENE_DEPTH_REGION 5
/* width, height, width of the line around an inset or 0: none, alpha */
#define FV_SCENE_DEPTH_SIZE 6
/* value of colour 0, value of colour 255 */
#define FV_SCENE_DEPTH_RANGE 7
/* vec4s where the lists of tiles start, and the marks */
#define FV_SCENE_INDICES 8
/* + component: factors of r, g, b, offset */
#define FV_SCENE_MATRIX 9
/* map of instances: there (0, 1), bytes a number, stride in bytes */
#define FV_SCENE_INSTANCES 13
/* of the depth: x0, y0, x1, y1, the latter outside of it */
#define FV_SCENE_INSET 14
/* 256 colours of classes, then 256 of depth: r, g, b in 0..255, and all three in
 * one number, r the lowest byte */
#define FV_SCENE_PALETTE 16
#define FV_SCENE_COLORMAP 272
/* Things take theirs from the end, where few classes have any. */
#define FV_INSTANCE_COLOR(number) ((256 - (number)) & 255)
/* per tile: first index, number of indices */
#define FV_SCENE_TILES 528

/* A mark is a rectangle of 4 vec4s, drawn in the order of its tile's list. */
#define FV_MARK_SIZE 4
/* x0, y0, x1, y1: the latter outside of it */
#define FV_MARK_RECT 0
/* r, g, b in 0..255, opacity in 0..1 */
#define FV_MARK_COLOR 1
/* the same of its text */
#define FV_MARK_TEXT 2
/* first byte of the text's coverage or -1, stride */
#define FV_MARK_ATLAS 3

/* Tiles of 32 x 32 pixels */
#define FV_TILE_SHIFT 5

/* Depth values looked at to adapt the range of colours */
#define FV_SAMPLES_X 64
#define FV_SAMPLES_Y 36

#endif
