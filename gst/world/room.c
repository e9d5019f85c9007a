/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A room, in which the camera goes around, near the walls, and looks across. */
#include "gst/world/things.h"

#include <math.h>

enum
{
  ROOM = 20,
  ROOM_CAMERA,
  ROOM_THINGS
};

typedef struct
{
  double x, z, height; /* half sizes of the floor; metres to the ceiling */
} Room;

static Room
make_room (guint seed)
{
  g_autoptr (GRand) random = fv_place_random (seed, 0, ROOM);
  Room room;

  room.x = fv_between (random, 4.5, 8);
  room.z = fv_between (random, 4.5, 8);
  room.height = fv_between (random, 2.7, 4);
  return room;
}

void
fv_room_camera (guint seed, double time, FvWorldCamera *camera)
{
  g_autoptr (GRand) random = fv_place_random (seed, 0, ROOM_CAMERA);
  Room room = make_room (seed);
  double rate = fv_between (random, 0.06, 0.2),
         phase = fv_between (random, 0, 7);
  double height = fv_between (random, 1.2, 2.0),
         look = fv_between (random, -0.3, 0.3);
  double down = fv_between (random, -0.2, -0.08), angle = rate * time + phase;

  if (fv_chance (random, 0.5))
    angle = -angle;
  camera->at[0] = (float) (0.84 * room.x * sin (angle));
  camera->at[1] = (float) (height + 0.05 * sin (1.7 * time));
  camera->at[2] = (float) (0.84 * room.z * cos (angle));
  fv_camera_turn (camera,
      atan2 (-camera->at[0], -camera->at[2]) + look
          + 0.25 * sin (0.5 * time + phase),
      down + 0.05 * sin (0.8 * time));
}

static void
set_light (FvWorldFrame *frame, GRand *random)
{
  double height = fv_between (random, 0.7, 1.4),
         azimuth = fv_between (random, 0, 7);
  double hue = fv_between (random, 0.05, 0.6),
         tint = fv_between (random, 0, 0.3);

  frame->light[0] = (float) (cos (height) * cos (azimuth));
  frame->light[1] = (float) sin (height);
  frame->light[2] = (float) (cos (height) * sin (azimuth));
  fv_colour (frame->light_colour, hue, tint, 1);
  frame->direct = (float) fv_between (random, 0.25, 0.8);
  frame->around = (float) fv_between (random, 0.35, 0.7);
  fv_colour (frame->zenith, 0.6, 0.2, 0.8);
  fv_colour (frame->horizon, hue, tint, 0.6);
  frame->clouds = 0.3f;
  frame->fog = 0;
}

static void
set_floor (FvWorldFrame *frame, const Room *room, GRand *random)
{
  double x = fv_between (random, -0.4, 0.4) * room->x;
  double z = fv_between (random, -0.4, 0.4) * room->z;
  double half_x = fv_between (random, 1, 2.2),
         half_z = fv_between (random, 1, 2.2);

  frame->zones[0] = -1;
  frame->rug[0] = (float) (x - half_x);
  frame->rug[1] = (float) (z - half_z);
  frame->rug[2] = (float) (x + half_x);
  frame->rug[3] = (float) (z + half_z);
  for (guint i = 0; i < 3; i++) {
    gboolean is_rug = i == 1;
    double hue = fv_between (random, 0, is_rug ? 1 : 0.15);
    double saturation =
        is_rug ? fv_between (random, 0.4, 0.9) : fv_between (random, 0.1, 0.5);
    double value = fv_between (random, 0.3, 0.85);
    fv_colour (frame->ground[i], hue, saturation, value);
    frame->ground[i][3] =
        (float) g_rand_int_range (random, 0, FV_PATTERN_WINDOWS);
  }
  if (fv_chance (random, 0.6))
    frame->ground[0][3] = FV_PATTERN_PLANKS;
}

static void
add_walls (FvWorldFrame *frame, const Room *room, GRand *random)
{
  FvThing walls = fv_thing (frame, random, 0, FV_CLASS_WALL, 0, 0, 0, 0);
  double h = room->height / 2;
  FvMaterial paint = fv_usual_material (frame, random, FV_USUAL_WALL);
  FvMaterial ceiling = paint;

  walls.is_shading = FALSE; /* light comes as if through a window */
  if (fv_chance (random, 0.5))
    paint.pattern = FV_PATTERN_PLAIN;
  ceiling = fv_plain_material (random, 0, 1, 0, 0.2, 0.6, 0.95);
  for (gint side = -1; side <= 1; side += 2) {
    FvMaterial wall = fv_chance (random, 0.3)
        ? fv_usual_material (frame, random, FV_USUAL_WALL)
        : paint;
    fv_thing_add (&walls, FV_SHAPE_BOX, &wall, side * (room->x + 0.1), h, 0,
        0.1, h, room->z + 0.2, 0);
    fv_thing_add (&walls, FV_SHAPE_BOX, &paint, 0, h, side * (room->z + 0.1),
        room->x + 0.2, h, 0.1, 0);
  }
  fv_thing_add (&walls, FV_SHAPE_BOX, &ceiling, 0, room->height + 0.1, 0,
      room->x + 0.2, 0.1, room->z + 0.2, 0);
}

/* Furniture and what does not move. */
static void
add_still (FvWorldFrame *frame, const Room *room, GRand *random, double density)
{
  guint n = (guint) (2 + 3 * density);

  for (guint i = 0; i < n; i++) {
    double x = fv_between (random, -0.55, 0.55) * room->x;
    double z = fv_between (random, -0.55, 0.55) * room->z;
    double yaw = fv_between (random, 0, G_PI);
    FvThing thing =
        fv_thing (frame, random, 0, FV_CLASS_FURNITURE, 0, x, z, yaw);
    if (i % 3 == 2)
      fv_add_bench (&thing);
    else
      fv_add_table (&thing);
    gboolean is_ball = fv_chance (random, 0.4);
    if (i % 3 == 2 || !fv_chance (random, 0.7))
      continue;
    FvThing load = fv_thing (frame, random, 0,
        is_ball ? FV_CLASS_BALL : FV_CLASS_CRATE, 0x1000 + i, x, z, yaw);
    load.at[1] = 0.765f;
    if (is_ball)
      fv_add_ball (&load, 0.15, 0);
    else
      fv_add_crates (&load, 1);
  }
  for (guint i = 0; i < 5; i++) {
    gboolean along_x = fv_chance (random, 0.5);
    double side = fv_chance (random, 0.5) ? 1 : -1;
    double t = fv_between (random, -0.9, 0.9),
           tall = fv_between (random, 1.1, 2.2);
    double x = along_x ? t * room->x : side * (room->x - 0.25);
    double z = along_x ? side * (room->z - 0.25) : t * room->z;
    guint what = i < 2 ? FV_CLASS_FURNITURE
        : i < 4        ? FV_CLASS_TREE
                       : FV_CLASS_POLE;
    FvThing thing =
        fv_thing (frame, random, 0, what, 0, x, z, along_x ? 0 : G_PI / 2);
    if (what == FV_CLASS_FURNITURE)
      fv_add_shelf (&thing, tall);
    else if (what == FV_CLASS_TREE)
      fv_add_tree (&thing, tall);
    else
      fv_add_pole (&thing, tall);
  }
}

static void
add_movers (FvWorldFrame *frame, const Room *room, GRand *random,
    double density, double time)
{
  guint n = (guint) (8 + 10 * density);

  for (guint i = 0; i < n; i++) {
    double x = fv_between (random, -0.6, 0.6) * room->x;
    double z = fv_between (random, -0.6, 0.6) * room->z;
    double speed = fv_between (random, 0.2, 0.8),
           reach = fv_between (random, 0.4, 1.6);
    double direction = fv_between (random, 0, 2 * G_PI),
           phase = g_rand_double (random);
    double ball = fv_between (random, 0.1, 0.3),
           bounce = fv_between (random, 0, 0.4);
    gboolean rests = fv_chance (random, 0.35);
    guint n_crates = (guint) g_rand_int_range (random, 1, 3);
    double now = 0, way = 0;
    static const guint kinds[5] = { FV_CLASS_PERSON, FV_CLASS_CRATE,
      FV_CLASS_BALL, FV_CLASS_PERSON, FV_CLASS_DOG };
    guint what = kinds[i % 5];
    if (!rests && what != FV_CLASS_CRATE)
      way = fv_to_and_fro (time, reach, speed, phase, &now) - reach / 2;
    FvThing thing =
        fv_thing (frame, random, time, what, i + 1, x + way * sin (direction),
            z + way * cos (direction), now < 0 ? direction + G_PI : direction);
    thing.moves[0] = (float) (now * sin (direction));
    thing.moves[2] = (float) (now * cos (direction));
    if (what == FV_CLASS_PERSON)
      fv_add_person (&thing, fabs (now));
    else if (what == FV_CLASS_DOG)
      fv_add_dog (&thing, fabs (now));
    else if (what == FV_CLASS_BALL)
      fv_add_ball (&thing, ball, bounce);
    else
      fv_add_crates (&thing, n_crates);
  }
}

void
fv_room_look (const FvWorldSettings *settings, guint seed, double time,
    FvWorldFrame *frame)
{
  g_autoptr (GRand) random = fv_place_random (seed, 0, ROOM_THINGS);
  Room room = make_room (seed);

  set_light (frame, random);
  set_floor (frame, &room, random);
  add_walls (frame, &room, random);
  add_still (frame, &room, random, settings->difficulty);
  add_movers (frame, &room, random, settings->difficulty, time);
}
