/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A street without an end, made of pieces of PIECE metres, each a function of the
 * seed and its number. The camera goes along it; what drives or walks does so as a
 * function of time. */
#include "gst/world/things.h"

#include <math.h>

#define PIECE 12.0
#define BEHIND 10.0 /* metres that are still there behind the camera */
#define SEEN 50.0 /* metres ahead */
#define LANE_LENGTH 90.0 /* after which the cars of a lane come again */
#define LANE_CARS 5

/* Kinds of generators, see fv_place_random(). */
enum
{
  STREET = 1,
  PIECE_OF_STREET,
  LANE,
  STREET_CAMERA
};

typedef struct
{
  double road, pavement; /* |x| where they end */
  double density; /* of things */
} Street;

static void
set_street (Street *street, guint seed, double difficulty)
{
  g_autoptr (GRand) random = fv_place_random (seed, 0, STREET);

  street->road = fv_between (random, 5, 6.5);
  street->pavement = street->road + fv_between (random, 2.6, 4.5);
  street->density = 0.55 + 0.9 * difficulty;
}

void
fv_street_camera (guint seed, double time, FvWorldCamera *camera)
{
  g_autoptr (GRand) random = fv_place_random (seed, 0, STREET_CAMERA);
  double speed = fv_between (random, 0.8, 3.5),
         x = fv_between (random, -0.8, 0.8);
  double phase = fv_between (random, 0, 2 * G_PI);
  double look = fv_between (random, -0.25, 0.25);
  double height = fv_between (random, 1.2, 2.4);
  double rate = fv_between (random, 0.2, 0.5);

  camera->at[0] = (float) (x + 0.8 * sin (rate * time + phase));
  camera->at[1] = (float) (height + 0.03 * sin (5 * time));
  camera->at[2] = (float) (speed * time);
  fv_camera_turn (camera, look + 0.35 * sin (rate * 1.3 * time + 2 * phase),
      -0.07 + 0.05 * sin (0.7 * time + phase));
}

static void
set_weather (FvWorldFrame *frame, GRand *random, double difficulty)
{
  double height = fv_between (random, 0.35, 1.25);
  double azimuth = fv_between (random, 0, 2 * G_PI);
  double hue = fv_between (random, 0.52, 0.64),
         grey = fv_between (random, 0, 0.65);
  double value = fv_between (random, 0.55, 0.95);
  double warm = fv_between (random, 0, 0.25) * (1.3 - height);

  frame->light[0] = (float) (cos (height) * cos (azimuth));
  frame->light[1] = (float) sin (height);
  frame->light[2] = (float) (cos (height) * sin (azimuth));
  fv_colour (frame->light_colour, 0.1, warm, 1);
  frame->clouds = (float) fv_between (random, 0.1, 0.75);
  frame->direct =
      (float) (fv_between (random, 0.9, 1.3) * (1.15 - frame->clouds));
  frame->around = (float) fv_between (random, 0.3, 0.5);
  fv_colour (frame->zenith, hue, grey, value);
  hue = fv_between (random, 0.08, 0.6);
  fv_colour (frame->horizon, hue, 0.2 * grey,
      value * fv_between (random, 0.9, 1.05));
  frame->fog =
      (float) (0.003 + 0.03 * difficulty * pow (g_rand_double (random), 2));
}

static void
set_ground (FvWorldFrame *frame, const Street *street, GRand *random)
{
  double hue = fv_between (random, 0.05, 0.65),
         grey = fv_between (random, 0, 0.12);

  frame->zones[0] = (float) street->road;
  frame->zones[1] = (float) street->pavement;
  frame->zones[2] = 0.08f;
  fv_colour (frame->ground[0], hue, grey, fv_between (random, 0.25, 0.6));
  frame->ground[0][3] = FV_PATTERN_PLAIN;
  hue = fv_between (random, 0.02, 0.2);
  grey = fv_between (random, 0, 0.35);
  fv_colour (frame->ground[1], hue, grey, fv_between (random, 0.35, 0.8));
  frame->ground[1][3] =
      fv_chance (random, 0.5) ? FV_PATTERN_BRICKS : FV_PATTERN_CHECKS;
  hue = fv_between (random, 0.18, 0.36);
  grey = fv_between (random, 0.35, 0.75);
  fv_colour (frame->ground[2], hue, grey, fv_between (random, 0.25, 0.65));
  frame->ground[2][3] = FV_PATTERN_PATCHES;
}

/* A number that stays with what stands at place @k of piece @piece. */
static guint
name_of (gint piece, guint k)
{
  return (((guint) piece & 0xfffff) << 8 | (k & 0xff)) + 1;
}

static void
add_houses (FvWorldFrame *frame, const Street *street, GRand *random, double z,
    gint side)
{
  double gap = fv_between (random, 3, 9), height = fv_between (random, 4, 15);
  double half = PIECE / 2 - fv_between (random, 0, 0.5);
  gboolean stands = !fv_chance (random, 0.2);
  FvMaterial wall = fv_usual_material (frame, random, FV_USUAL_HOUSE);
  FvThing house = fv_thing (frame, random, 0, FV_CLASS_WALL, 0, 0, z, 0);

  if (fv_chance (random, 0.6)) {
    wall.pattern = FV_PATTERN_WINDOWS;
    wall.frequency = (float) fv_between (random, 0.3, 0.55);
  }
  if (stands)
    fv_thing_add (&house, FV_SHAPE_BOX, &wall,
        side * (street->pavement + gap + 4), height / 2, 0, 4, height / 2, half,
        0);
  else
    fv_thing_add (&house, FV_SHAPE_BOX, &wall, side * (street->pavement + gap),
        0.5, 0, 0.12, 0.5, half, 0);
}

static void
add_still (FvWorldFrame *frame, const Street *street, GRand *random, gint piece,
    gint side)
{
  double z = piece * PIECE, in = street->road, out = street->pavement;
  guint k = side < 0 ? 0 : 100;

  add_houses (frame, street, random, z, side);
  for (guint i = 0; i < 2; i++) {
    gboolean stands = fv_chance (random, 0.55 * street->density);
    double at = z + PIECE * (i * 0.5 - 0.25) + fv_between (random, -0.5, 0.5);
    FvThing car = fv_thing (frame, random, 0, FV_CLASS_CAR,
        stands ? name_of (piece, k + i) : 0, side * (in - 1.15), at,
        side < 0 ? G_PI : 0);
    if (stands)
      fv_add_car (&car);
  }
  for (guint i = 0; i < 2; i++) {
    double at = z + fv_between (random, -PIECE / 2, PIECE / 2);
    double x = side
        * (fv_chance (random, 0.5) ? in + 0.5
                                   : out + fv_between (random, 0.5, 2.5));
    FvThing tree = fv_thing (frame, random, 0, FV_CLASS_TREE, 0, x, at, 0);
    if (fv_chance (random, 0.55))
      fv_add_tree (&tree, fv_between (random, 2.2, 7));
    at = z + fv_between (random, -PIECE / 2, PIECE / 2);
    FvThing pole = fv_thing (frame, random, 0, FV_CLASS_POLE, 0,
        side * (in + 0.35), at, 0);
    if (fv_chance (random, 0.45))
      fv_add_pole (&pole, fv_between (random, 2, 5.5));
  }
  if (fv_chance (random, 0.5)) {
    double at = z + fv_between (random, -PIECE / 2, PIECE / 2);
    FvThing bench = fv_thing (frame, random, 0, FV_CLASS_FURNITURE, 0,
        side * (out - 0.4), at, -side * G_PI / 2);
    fv_add_bench (&bench);
  }
  for (guint i = 0; i < 2; i++) {
    double at = z + fv_between (random, -PIECE / 2, PIECE / 2);
    double x = side * fv_between (random, in + 0.3, out),
           turn = fv_between (random, 0, 3);
    guint n = (guint) g_rand_int_range (random, 1, 4);
    if (!fv_chance (random, 0.5 * street->density))
      continue;
    FvThing crates = fv_thing (frame, random, 0, FV_CLASS_CRATE,
        name_of (piece, k + 10 + i), x, at, turn);
    fv_add_crates (&crates, n);
  }
}

/* Persons, dogs and balls go to and fro along the pavement, or across the road. */
static void
add_walkers (FvWorldFrame *frame, const Street *street, GRand *random,
    gint piece, gint side, double time)
{
  guint n = (guint) (1 + 2 * street->density), k = side < 0 ? 20 : 120;

  for (guint i = 0; i < n; i++) {
    double speed = fv_between (random, 0.5, 1.6),
           reach = fv_between (random, 3, 9);
    double phase = g_rand_double (random), now = 0;
    double x =
        side * fv_between (random, street->road - 0.5, street->pavement + 0.5);
    double z = piece * PIECE + fv_between (random, -PIECE / 2, PIECE / 2);
    guint what = (guint) g_rand_int_range (random, 0, 8);
    gboolean crosses = fv_chance (random, 0.2),
             rests = fv_chance (random, 0.25);
    double ball = fv_between (random, 0.12, 0.4),
           bounce = fv_between (random, 0, 0.6);
    what = what < 5 ? FV_CLASS_PERSON : what < 6 ? FV_CLASS_DOG : FV_CLASS_BALL;
    double way = rests ? 0 : fv_to_and_fro (time, reach, speed, phase, &now);
    double yaw = crosses ? (now < 0 ? -G_PI / 2 : G_PI / 2)
        : now < 0        ? G_PI
                         : 0;
    if (rests)
      yaw = 2 * G_PI * phase;
    FvThing thing = fv_thing (frame, random, time, what, name_of (piece, k + i),
        crosses ? x - side * reach / 2 + (way - reach / 2) : x,
        crosses ? z : z + way - reach / 2, yaw);
    thing.moves[crosses ? 0 : 2] = (float) now;
    if (what == FV_CLASS_PERSON)
      fv_add_person (&thing, fabs (now));
    else if (what == FV_CLASS_DOG)
      fv_add_dog (&thing, fabs (now));
    else
      fv_add_ball (&thing, ball, bounce);
  }
}

/* Two lanes, the cars of each at one speed. A car that is left behind comes again
 * LANE_LENGTH further on, as another. */
static void
add_traffic (FvWorldFrame *frame, const Street *street, guint seed, double time)
{
  for (gint side = -1; side <= 1; side += 2) {
    g_autoptr (GRand) random = fv_place_random (seed, (guint) (side + 1), LANE);
    double speed = side * fv_between (random, 4, 11);
    guint n = (guint) (1 + 3 * street->density);
    for (guint i = 0; i < MIN (n, LANE_CARS); i++) {
      double start =
          LANE_LENGTH / LANE_CARS * (i + fv_between (random, 0.2, 0.8));
      double from = frame->camera.at[2] - 2 * BEHIND;
      double z = start + speed * time - from;
      gint turn = (gint) floor (z / LANE_LENGTH);
      z = from + z - turn * LANE_LENGTH;
      g_autoptr (GRand) look = fv_place_random (seed,
          (guint) turn * LANE_CARS + i, LANE + 10 + (guint) side);
      guint id =
          0x20000000u + (((guint) turn & 0xffff) << 4 | i << 1 | (side > 0));
      FvThing car = fv_thing (frame, look, time, FV_CLASS_CAR, id,
          side * street->road * 0.45, z, side < 0 ? G_PI : 0);
      car.moves[2] = (float) speed;
      /* Not into the camera. */
      if (fabs (z - frame->camera.at[2]) > 4
          || fabs (car.at[0] - frame->camera.at[0]) > 2)
        fv_add_car (&car);
    }
  }
}

void
fv_street_look (const FvWorldSettings *settings, guint seed, double time,
    FvWorldFrame *frame)
{
  g_autoptr (GRand) random = fv_place_random (seed, 1, STREET);
  double z = frame->camera.at[2];
  Street street;

  set_street (&street, seed, settings->difficulty);
  set_weather (frame, random, settings->difficulty);
  set_ground (frame, &street, random);
  for (gint piece = (gint) floor ((z - BEHIND) / PIECE);
       piece * PIECE < z + SEEN; piece++)
    for (gint side = -1; side <= 1; side += 2) {
      g_autoptr (GRand) still = fv_place_random (seed,
          (guint) piece * 2 + (side > 0), PIECE_OF_STREET);
      add_still (frame, &street, still, piece, side);
      add_walkers (frame, &street, still, piece, side, time);
    }
  add_traffic (frame, &street, seed, time);
}
