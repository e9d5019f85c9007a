/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The synthetic world as worldtrace.comp and worldframe.comp read it: rows of
 * four floats, all in one buffer. Lengths are metres; x is right, y up, z ahead
 * of a camera that looks along the street. */
#ifndef FV_WORLD_H
#define FV_WORLD_H

#include "shared.h"

/* ---- The frame's own rows ---- */
/* Rays have a part of 1 along the camera's axis, so that their length is depth. */
#define FV_WORLD_RAY 0 /* direction of pixel (0, 0); width of the frame */
#define FV_WORLD_RAY_X 1 /* to the next column; height of the frame */
#define FV_WORLD_RAY_Y 2 /* to the next row; tiles in a row */
#define FV_WORLD_CAMERA 3 /* position; side of a tile in pixels */
#define FV_WORLD_LIGHT 4 /* direction to the light; its strength */
#define FV_WORLD_LIGHT_COLOUR 5 /* of direct light; strength from all sides */
#define FV_WORLD_ZENITH 6 /* colour of the sky above; clouds, 0..1 */
#define FV_WORLD_HORIZON 7 /* colour of the sky's edge, of fog; fog per metre */
/* Street: where on either side road, pavement and marking end; room: -1. */
#define FV_WORLD_ZONES 8
#define FV_WORLD_RUG 9 /* room: x0, z0, x1, z1 of the rug */
#define FV_WORLD_GROUND 10 /* colour; pattern */
#define FV_WORLD_PAVEMENT 11
#define FV_WORLD_GRASS 12
/* Cell of the shadow grid: dot with the position; plus. */
#define FV_WORLD_SHADE_U 13
#define FV_WORLD_SHADE_V 14
#define FV_WORLD_SHADE 15 /* cells a side; first row of the grid */
#define FV_WORLD_RIGHT 16 /* camera's axis; column of the principal point */
#define FV_WORLD_UP 17 /* camera's axis; row of the principal point */
#define FV_WORLD_AHEAD 18 /* camera's axis; focal length in pixels */
#define FV_WORLD_MOVES 19 /* of the camera, metres a frame; shutter, 0..1 */
#define FV_WORLD_TURNS 20 /* of the camera, radians a frame; noise, 0..1 */
/* Factor; number of the frame; lens blur, 0..1; first row of tiles. */
#define FV_WORLD_EXPOSURE 21
#define FV_WORLD_LUMA 22 /* first, second, third byte of a pixel of R, G, B */
#define FV_WORLD_BLUE 23
#define FV_WORLD_RED 24
#define FV_WORLD_PARTS 25 /* here they start */

/* ---- Rows of a part ---- */
/* 3 rows: direction to the part's own unit space; the camera's position there. */
#define FV_PART_TO_UNIT 0
#define FV_PART_WHAT 3 /* class; instance, 0: none; pattern; shape */
#define FV_PART_COLOUR 4 /* first colour; pattern's frequency per metre */
#define FV_PART_COLOUR_2 5 /* second colour; strength of the grain */
#define FV_PART_SIZE 6 /* half sizes; shine */
#define FV_PART_MOVES 7 /* metres a frame */
#define FV_PART_FROM_WORLD 8 /* what to add behind the rotation */
#define FV_PART_LIGHT 9 /* direction to the light in unit space */
#define FV_PART_ROWS 10

/* Shapes in their unit space: all within -1..1 */
#define FV_SHAPE_BOX 0
#define FV_SHAPE_SPHERE 1
#define FV_SHAPE_CYLINDER 2 /* around y */
#define FV_SHAPES 3

/* Patterns */
#define FV_PATTERN_PLAIN 0
#define FV_PATTERN_STRIPES 1 /* level rings */
#define FV_PATTERN_CHECKS 2
#define FV_PATTERN_BRICKS 3
#define FV_PATTERN_PATCHES 4
#define FV_PATTERN_WINDOWS 5
#define FV_PATTERN_PLANKS 6

/* A tile's row, and a cell's of the shadow grid: first entry, boxes, spheres,
 * cylinders. Entries, one row each: row of the part; number of its instance among
 * those of the tile, -1: none; record of its instance. Behind a tile's entries, one
 * row for each of its instances: the record. */

/* Classes; the labels stand in gst/world/world.c. */
#define FV_CLASS_SKY 0
#define FV_CLASS_GROUND 1
#define FV_CLASS_PAVEMENT 2
#define FV_CLASS_GRASS 3
#define FV_CLASS_WALL 4
#define FV_CLASS_TREE 5
#define FV_CLASS_POLE 6
#define FV_CLASS_FURNITURE 7
#define FV_CLASS_PERSON 8
#define FV_CLASS_CAR 9
#define FV_CLASS_BALL 10
#define FV_CLASS_CRATE 11
#define FV_CLASS_DOG 12
#define FV_WORLD_CLASSES 13

/* What is counted of each instance: words of a record. */
#define FV_SEEN_WHOLE 0 /* pixels that it would cover alone */
#define FV_SEEN_PIXELS 1 /* pixels where it is in front */
#define FV_SEEN_LEFT 2 /* of those: width - 1 - the least x */
#define FV_SEEN_RIGHT 3
#define FV_SEEN_TOP 4 /* height - 1 - the least y */
#define FV_SEEN_BOTTOM 5
#define FV_SEEN_WORDS 8

/* worldframe.comp: specialization constants */
#define FV_WORLD_SPEC_FORMAT 0
#define FV_WORLD_RGB 0
#define FV_WORLD_RGBX 1
#define FV_WORLD_NV12 2
#define FV_WORLD_I420 3

FV_STRUCT (FvWorldPush)
{
  fv_int width, height;
  fv_int plane[3]; /* of the frame, words */
  fv_int stride[2]; /* words: first plane, chroma */
  fv_int class_stride; /* words of the class map's row */
  fv_int instance_stride; /* words of the instance map's row */
};

#endif
