/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What streets and rooms are made of. */
#pragma once

#include "gst/world/world.h"

typedef struct
{
  float colour[2][3];
  guint pattern;
  float frequency, grain, shine;
} FvMaterial;

/* A thing while it is put together: its parts stand in metres around a point on
 * the ground, x to its right, z ahead. */
typedef struct
{
  FvWorldFrame *frame;
  GRand *random;
  double time;
  guint what, instance;
  float at[3], moves[3];
  float yaw; /* radians, from ahead towards the right */
  gboolean is_shading;
} FvThing;

double fv_between (GRand *random, double low, double high);
gboolean fv_chance (GRand *random, double probability);
/* A generator of its own for one place of the world. */
GRand *fv_place_random (guint seed, guint place, guint kind);
/* A colour by hue (turns), saturation and value, made linear. */
void fv_colour (float *colour, double hue, double saturation, double value);
/* Any colour with any pattern. */
FvMaterial fv_any_material (GRand *random);

/* What is mostly of one kind of colour. */
typedef enum
{
  FV_USUAL_SHIRT,
  FV_USUAL_TROUSERS,
  FV_USUAL_BALL,
  FV_USUAL_CRATE,
  FV_USUAL_WOOD,
  FV_USUAL_METAL,
  FV_USUAL_HOUSE,
  FV_USUAL_WALL,
} FvUsual;

/* The usual colours of @usual, or by the frame's chance any. */
FvMaterial
fv_usual_material (const FvWorldFrame *frame, GRand *random, FvUsual usual);
/* One plain colour, between each two bounds. (Draws stand one to a statement
 * everywhere: C does not say which argument of a call comes first.) */
FvMaterial fv_plain_material (GRand *random, double hue_0, double hue_1,
    double saturation_0, double saturation_1, double value_0, double value_1);

/* A thing of class @what at (x, z). @id: 0 for what is not counted. */
FvThing fv_thing (FvWorldFrame *frame, GRand *random, double time, guint what,
    guint id, double x, double z, double yaw);
/* @pitch turns the part around the thing's x axis, radians. */
void fv_thing_add (const FvThing *thing, guint shape,
    const FvMaterial *material, double x, double y, double z, double half_x,
    double half_y, double half_z, double pitch);

/* To and fro between two ends, @reach metres apart, at @speed; @speed_now gets
 * the velocity. */
double fv_to_and_fro (double time, double reach, double speed, double phase,
    double *speed_now);

void fv_add_person (FvThing *thing, double speed);
void fv_add_car (FvThing *thing);
void fv_add_dog (FvThing *thing, double speed);
void fv_add_ball (FvThing *thing, double radius, double bounce);
void fv_add_crates (FvThing *thing, guint n);
void fv_add_tree (FvThing *thing, double height);
void fv_add_pole (FvThing *thing, double height);
void fv_add_bench (FvThing *thing);
void fv_add_table (FvThing *thing);
void fv_add_shelf (FvThing *thing, double height);

void fv_street_look (const FvWorldSettings *settings, guint seed, double time,
    FvWorldFrame *frame);
void fv_room_look (const FvWorldSettings *settings, guint seed, double time,
    FvWorldFrame *frame);
/* Where the camera is, for the way it moves. */
void fv_street_camera (guint seed, double time, FvWorldCamera *camera);
void fv_room_camera (guint seed, double time, FvWorldCamera *camera);
/* Sets the axes by angles: radians to the right and upwards. */
void fv_camera_turn (FvWorldCamera *camera, double yaw, double pitch);
