/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/world/things.h"

#include <math.h>
#include <string.h>

FvWorldFrame *
fv_world_frame_new (void)
{
  FvWorldFrame *frame = g_new0 (FvWorldFrame, 1);

  frame->parts = g_array_new (FALSE, FALSE, sizeof (FvWorldPart));
  frame->instances = g_array_new (FALSE, FALSE, sizeof (FvWorldInstance));
  return frame;
}

void
fv_world_frame_free (FvWorldFrame *frame)
{
  if (frame == NULL)
    return;
  g_array_unref (frame->parts);
  g_array_unref (frame->instances);
  g_free (frame);
}

const char *const *
fv_world_labels (void)
{
  static const char *const labels[FV_WORLD_CLASSES + 1] = {
    [FV_CLASS_SKY] = "sky",
    [FV_CLASS_GROUND] = "ground",
    [FV_CLASS_PAVEMENT] = "pavement",
    [FV_CLASS_GRASS] = "grass",
    [FV_CLASS_WALL] = "wall",
    [FV_CLASS_TREE] = "tree",
    [FV_CLASS_POLE] = "pole",
    [FV_CLASS_FURNITURE] = "furniture",
    [FV_CLASS_PERSON] = "person",
    [FV_CLASS_CAR] = "car",
    [FV_CLASS_BALL] = "ball",
    [FV_CLASS_CRATE] = "crate",
    [FV_CLASS_DOG] = "dog",
  };

  return labels;
}

void
fv_camera_turn (FvWorldCamera *camera, double yaw, double pitch)
{
  double c = cos (yaw), s = sin (yaw), pc = cos (pitch), ps = sin (pitch);
  double right[3] = { c, 0, -s }, up[3] = { -s * ps, pc, -c * ps };
  double ahead[3] = { s * pc, ps, c * pc };

  for (guint i = 0; i < 3; i++) {
    camera->right[i] = (float) right[i];
    camera->up[i] = (float) up[i];
    camera->ahead[i] = (float) ahead[i];
  }
}

/* Of what changes in @dt from @before to @after. For small turns, twice the
 * rotation is the sum of the cross products of the axes. */
static void
find_motion (const FvWorldCamera *before, const FvWorldCamera *after, double dt,
    FvWorldFrame *frame)
{
  const float *axes[3][2] = { { before->right, after->right },
    { before->up, after->up }, { before->ahead, after->ahead } };

  for (guint i = 0; i < 3; i++) {
    guint j = (i + 1) % 3, k = (i + 2) % 3;
    double turn = 0;
    for (guint a = 0; a < 3; a++)
      turn += axes[a][0][j] * axes[a][1][k] - axes[a][0][k] * axes[a][1][j];
    frame->turns[i] = (float) (turn / 2 / dt);
    frame->moves[i] = (float) ((after->at[i] - before->at[i]) / dt);
  }
}

/* What the camera itself does to pictures. */
static void
set_camera_faults (FvWorldFrame *frame, GRand *random, double difficulty,
    double time)
{
  double phase = fv_between (random, 0, 2 * G_PI);
  double swing = fv_between (random, 0, 0.7) * difficulty;

  frame->exposure = (float) (fv_between (random, 1.5, 2.3)
      * exp (swing * sin (0.9 * time + phase)));
  frame->noise = (float) (fv_between (random, 0.02, 0.12) * difficulty);
  frame->shutter =
      (float) (fv_between (random, 0.2, 1.0) * MIN (difficulty, 1));
  frame->blur = (float) fv_between (random, 0.35, 0.5 + 0.4 * difficulty);
}

void
fv_world_look (const FvWorldSettings *settings, double time,
    FvWorldFrame *frame)
{
  const double dt = 1e-3;
  guint seed = settings->seed;
  gboolean is_room = settings->scene == FV_SCENE_ROOM;
  FvWorldCamera next;

  if (settings->scene == FV_SCENE_MIXED) {
    guint piece = (guint) (time / FV_SCENE_SECONDS);
    g_autoptr (GRand) random = fv_place_random (seed, piece, 100);
    seed = g_rand_int (random);
    is_room = (piece + settings->seed) % 2;
    time -= (double) piece * FV_SCENE_SECONDS;
  }
  g_array_set_size (frame->parts, 0);
  g_array_set_size (frame->instances, 0);
  frame->unusual = (float) (0.5 * settings->difficulty);
  if (is_room) {
    fv_room_camera (seed, time, &frame->camera);
    fv_room_camera (seed, time + dt, &next);
    fv_room_look (settings, seed, time, frame);
  } else {
    fv_street_camera (seed, time, &frame->camera);
    fv_street_camera (seed, time + dt, &next);
    fv_street_look (settings, seed, time, frame);
  }
  find_motion (&frame->camera, &next, dt, frame);
  g_autoptr (GRand) random = fv_place_random (seed, 0, 101);
  set_camera_faults (frame, random, settings->difficulty, time);
}
