/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A synthetic world: streets and rooms with things that move, as a function of a
 * seed and a time. Nothing is remembered from one time to the next. */
#pragma once

#include <glib.h>
#include "gst/onnx/error.h"
#include "shaders/world.h"

G_BEGIN_DECLS

typedef enum
{
  FV_SCENE_STREET,
  FV_SCENE_ROOM,
  FV_SCENE_MIXED, /* one after the other, each for FV_SCENE_SECONDS */
} FvScene;

#define FV_SCENE_SECONDS 8

typedef struct
{
  guint seed;
  FvScene scene;
  /* 0 to 1: more things, more of them in unusual colours, more fog, noise and blur,
     less light. */
  double difficulty;
} FvWorldSettings;

/* One shape of a thing: all that a ray can meet, the ground and the sky aside. */
typedef struct
{
  guint shape, pattern, what; /* FV_SHAPE_*, FV_PATTERN_*, FV_CLASS_* */
  guint instance; /* place among the frame's instances + 1; 0: none */
  gboolean is_shading;
  float centre[3]; /* metres */
  float axis[3][3]; /* half axes, at right angles to each other, metres */
  float moves[3]; /* metres a second */
  float colour[2][3]; /* linear light, 0 to 1 */
  float frequency; /* of the pattern, per metre */
  float grain, shine; /* 0 to 1 */
} FvWorldPart;

/* A thing that is counted. */
typedef struct
{
  guint what; /* FV_CLASS_* */
  guint id; /* the same from frame to frame; not 0 */
} FvWorldInstance;

/* A camera, axes at right angles and of length 1. */
typedef struct
{
  float at[3], right[3], up[3], ahead[3];
} FvWorldCamera;

/**
 * FvWorldFrame:
 *
 * The world at one time.
 *
 * Life:    fv_world_frame_new(), filled by fv_world_look() any number of times,
 *          then fv_world_frame_free().
 * Threads: one at a time.
 */
typedef struct
{
  FvWorldCamera camera;
  float moves[3], turns[3]; /* of the camera: metres, radians a second */
  float light[3], light_colour[3]; /* direction to it, linear light */
  float direct, around; /* strength of the light, and of that from all sides */
  float zenith[3], horizon[3];
  float clouds; /* 0 to 1 */
  float fog; /* per metre */
  float zones[3]; /* street: |x| where road and pavement end, half the width of
                     the marking; room: -1 */
  float rug[4]; /* room: x0, z0, x1, z1 */
  float ground[3][4]; /* ground, pavement, grass: colour, pattern */
  float exposure, noise, shutter, blur;
  float unusual; /* chance of a thing to have any colour and pattern */
  GArray *parts; /* FvWorldPart */
  GArray *instances; /* FvWorldInstance */
} FvWorldFrame;

FV_API FvWorldFrame *fv_world_frame_new (void);
FV_API void fv_world_frame_free (FvWorldFrame *frame); /* %NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FvWorldFrame, fv_world_frame_free)
/* The world at @time (seconds, 0 or more). The same arguments give the same frame
 * everywhere and always. */
FV_API void fv_world_look (const FvWorldSettings *settings, double time,
    FvWorldFrame *frame);
/* Names of the classes, NULL-terminated, FV_WORLD_CLASSES of them. */
FV_API const char *const *fv_world_labels (void);

G_END_DECLS
