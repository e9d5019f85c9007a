/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/world/things.h"

#include <math.h>
#include <string.h>

double
fv_between (GRand *random, double low, double high)
{
  return low + (high - low) * g_rand_double (random);
}

gboolean
fv_chance (GRand *random, double probability)
{
  return g_rand_double (random) < probability;
}

GRand *
fv_place_random (guint seed, guint place, guint kind)
{
  guint32 words[3] = { seed, place, kind };

  return g_rand_new_with_seed_array (words, G_N_ELEMENTS (words));
}

void
fv_colour (float *colour, double hue, double saturation, double value)
{
  for (guint c = 0; c < 3; c++) {
    double turn = 6 * (hue - floor (hue)) + (c == 0 ? 0 : c == 1 ? 4 : 2);
    double k = fmod (turn, 6);
    double pure = CLAMP (fabs (k - 3) - 1, 0, 1);
    double v = value * (1 - saturation * (1 - pure));
    colour[c] = (float) pow (v, 2.2);
  }
}

FvMaterial
fv_plain_material (GRand *random, double hue_0, double hue_1,
    double saturation_0, double saturation_1, double value_0, double value_1)
{
  FvMaterial material = { .frequency = 1, .grain = 0.25f };
  double hue = fv_between (random, hue_0, hue_1);
  double saturation = fv_between (random, saturation_0, saturation_1);
  double value = fv_between (random, value_0, value_1);

  fv_colour (material.colour[0], hue, saturation, value);
  memcpy (material.colour[1], material.colour[0], sizeof material.colour[0]);
  return material;
}

FvMaterial
fv_any_material (GRand *random)
{
  FvMaterial material = { .pattern = (guint) g_rand_int_range (random, 0,
                              FV_PATTERN_WINDOWS) };
  double hue = g_rand_double (random), value = fv_between (random, 0.2, 0.95);
  double saturation = pow (g_rand_double (random), 1.5) * 0.9;

  fv_colour (material.colour[0], hue, saturation, value);
  hue += fv_between (random, -0.3, 0.3);
  saturation *= g_rand_double (random);
  value = fv_between (random, 0.15, 0.95);
  fv_colour (material.colour[1], hue, saturation, value);
  material.frequency = (float) fv_between (random, 1.5, 7);
  material.grain = (float) fv_between (random, 0.1, 0.5);
  return material;
}

FvMaterial
fv_usual_material (const FvWorldFrame *frame, GRand *random, FvUsual usual)
{
  static const struct
  {
    double hue[2], saturation[2], value[2];
    guint pattern;
  } kinds[] = {
    [FV_USUAL_SHIRT] = { { 0, 1 }, { 0.1, 0.8 }, { 0.3, 0.95 },
        FV_PATTERN_PLAIN },
    [FV_USUAL_TROUSERS] = { { 0.55, 0.7 }, { 0.1, 0.6 }, { 0.12, 0.45 },
        FV_PATTERN_PLAIN },
    [FV_USUAL_BALL] = { { 0, 1 }, { 0.8, 1 }, { 0.8, 1 }, FV_PATTERN_PATCHES },
    [FV_USUAL_CRATE] = { { 0.07, 0.13 }, { 0.4, 0.75 }, { 0.5, 0.85 },
        FV_PATTERN_PLANKS },
    [FV_USUAL_WOOD] = { { 0.02, 0.08 }, { 0.4, 0.7 }, { 0.15, 0.45 },
        FV_PATTERN_PLANKS },
    [FV_USUAL_METAL] = { { 0.5, 0.7 }, { 0, 0.2 }, { 0.15, 0.6 },
        FV_PATTERN_PLAIN },
    [FV_USUAL_HOUSE] = { { 0, 0.12 }, { 0.05, 0.55 }, { 0.4, 0.85 },
        FV_PATTERN_BRICKS },
    [FV_USUAL_WALL] = { { 0, 1 }, { 0, 0.25 }, { 0.65, 0.95 },
        FV_PATTERN_PLAIN },
  };
  gboolean is_usual = !fv_chance (random, frame->unusual);
  FvMaterial any = fv_any_material (random);
  FvMaterial material = fv_plain_material (random, kinds[usual].hue[0],
      kinds[usual].hue[1], kinds[usual].saturation[0],
      kinds[usual].saturation[1], kinds[usual].value[0], kinds[usual].value[1]);

  for (guint c = 0; c < 3; c++)
    material.colour[1][c] = material.colour[0][c] * 0.6f;
  material.pattern = kinds[usual].pattern;
  material.frequency = any.frequency;
  return is_usual ? material : any;
}

FvThing
fv_thing (FvWorldFrame *frame, GRand *random, double time, guint what, guint id,
    double x, double z, double yaw)
{
  FvThing thing = { .frame = frame,
    .random = random,
    .time = time,
    .what = what,
    .at = { (float) x, 0, (float) z },
    .yaw = (float) yaw,
    .is_shading = TRUE };

  if (id != 0) {
    FvWorldInstance instance = { what, id };
    g_array_append_val (frame->instances, instance);
    thing.instance = frame->instances->len;
  }
  return thing;
}

void
fv_thing_add (const FvThing *thing, guint shape, const FvMaterial *material,
    double x, double y, double z, double half_x, double half_y, double half_z,
    double pitch)
{
  FvWorldPart part = { .shape = shape,
    .pattern = material->pattern,
    .what = thing->what,
    .instance = thing->instance,
    .is_shading = thing->is_shading,
    .frequency = material->frequency,
    .grain = material->grain,
    .shine = material->shine };
  double c = cos (thing->yaw), s = sin (thing->yaw);
  double pc = cos (pitch), ps = sin (pitch);
  double half[3] = { half_x, half_y, half_z };
  double local[3][3] = { { 1, 0, 0 }, { 0, pc, ps }, { 0, -ps, pc } };

  memcpy (part.colour, material->colour, sizeof part.colour);
  memcpy (part.moves, thing->moves, sizeof part.moves);
  part.centre[0] = (float) (thing->at[0] + c * x + s * z);
  part.centre[1] = (float) (thing->at[1] + y);
  part.centre[2] = (float) (thing->at[2] - s * x + c * z);
  for (guint i = 0; i < 3; i++) {
    const double *a = local[i];
    part.axis[i][0] = (float) (half[i] * (c * a[0] + s * a[2]));
    part.axis[i][1] = (float) (half[i] * a[1]);
    part.axis[i][2] = (float) (half[i] * (-s * a[0] + c * a[2]));
  }
  g_array_append_val (thing->frame->parts, part);
}

double
fv_to_and_fro (double time, double reach, double speed, double phase,
    double *speed_now)
{
  double way = fmod (time * speed + phase * 2 * reach, 2 * reach);

  *speed_now = way < reach ? speed : -speed;
  return way < reach ? way : 2 * reach - way;
}

void
fv_add_person (FvThing *thing, double speed)
{
  GRand *random = thing->random;
  double height = fv_between (random, 0, 1) < 0.2
      ? fv_between (random, 1.0, 1.35)
      : fv_between (random, 1.55, 1.95);
  double k = height / 1.75, wide = fv_between (random, 0.85, 1.25);
  FvMaterial shirt = fv_usual_material (thing->frame, random, FV_USUAL_SHIRT);
  FvMaterial trousers = shirt;
  FvMaterial skin =
      fv_plain_material (random, 0.02, 0.1, 0.25, 0.65, 0.3, 0.95);
  FvMaterial hair = fv_plain_material (random, 0.07, 0.07, 0, 0.6, 0.08, 0.7);
  double phase = fv_between (random, 0, 2 * G_PI);
  double step = sin (thing->time * MAX (speed, 0.01) * 4.5 / k + phase);
  double swing = (speed > 0.05 ? 0.55 : 0.06) * step;

  if (!fv_chance (random, 0.25))
    trousers = fv_usual_material (thing->frame, random, FV_USUAL_TROUSERS);
  for (gint side = -1; side <= 1; side += 2) {
    double a = swing * side, leg = 0.41 * k, arm = 0.3 * k;
    fv_thing_add (thing, FV_SHAPE_CYLINDER, &trousers, 0.1 * side * wide * k,
        0.86 * k - leg * cos (a), -leg * sin (a), 0.085 * wide * k, leg + 0.02,
        0.095 * wide * k, a);
    fv_thing_add (thing, FV_SHAPE_CYLINDER, &shirt, 0.25 * side * wide * k,
        1.38 * k - arm * cos (a), arm * sin (a), 0.055 * k, arm, 0.06 * k, -a);
  }
  fv_thing_add (thing, FV_SHAPE_CYLINDER, &shirt, 0, 1.14 * k, 0,
      0.2 * wide * k, 0.29 * k, 0.13 * wide * k, 0);
  fv_thing_add (thing, FV_SHAPE_SPHERE, &skin, 0, 1.6 * k, 0.01, 0.105 * k,
      0.14 * k, 0.12 * k, 0);
  fv_thing_add (thing, FV_SHAPE_SPHERE, &hair, 0, 1.655 * k, -0.025 * k,
      0.112 * k, 0.11 * k, 0.12 * k, 0);
}

void
fv_add_car (FvThing *thing)
{
  GRand *random = thing->random;
  double length = fv_between (random, 1.75, 2.4);
  double width = fv_between (random, 0.8, 0.95);
  double roof = fv_between (random, 1.35, 1.6);
  double back = fv_between (random, 0.5, 0.9);
  gboolean is_van = fv_chance (random, 0.25);
  double colourful = pow (g_rand_double (random), 1.5) * 0.95;
  FvMaterial paint =
      fv_plain_material (random, 0, 1, colourful, colourful, 0.1, 0.95);
  FvMaterial glass = fv_plain_material (random, 0.6, 0.6, 0.3, 0.3, 0.1, 0.4);
  FvMaterial tyre = fv_plain_material (random, 0, 0, 0, 0, 0.12, 0.12);
  FvMaterial lamp = fv_plain_material (random, 0.02, 0.02, 0.9, 0.9, 0.8, 0.8);

  if (is_van)
    roof = fv_between (random, 1.8, 2.3);
  paint.shine = 0.5f;
  paint.grain = 0.06f;
  glass.shine = 0.8f;
  fv_thing_add (thing, FV_SHAPE_BOX, &paint, 0, 0.56, 0, width, 0.32, length,
      0);
  double cabin = is_van ? length * 0.86 : length * 0.52, mid = 0.88, top = roof;
  double shift = is_van ? -0.12 * length : -0.2 * length * back;
  fv_thing_add (thing, FV_SHAPE_BOX, &glass, 0, (mid + top) / 2, shift,
      width * 0.88, (top - mid) / 2, cabin, 0);
  fv_thing_add (thing, FV_SHAPE_BOX, &paint, 0, top, shift, width * 0.9, 0.04,
      cabin * 0.95, 0);
  if (is_van)
    fv_thing_add (thing, FV_SHAPE_BOX, &paint, 0, (mid + top) / 2,
        shift - cabin * 0.3, width * 0.9, (top - mid) / 2, cabin * 0.68, 0);
  for (gint side = -1; side <= 1; side += 2) {
    fv_thing_add (thing, FV_SHAPE_BOX, &lamp, 0.7 * side * width, 0.68, -length,
        0.12, 0.07, 0.02, 0);
    for (gint end = -1; end <= 1; end += 2) {
      /* A wheel lies on its side: its axis is the car's x, so a sphere is
         flattened along it. */
      fv_thing_add (thing, FV_SHAPE_SPHERE, &tyre, side * (width - 0.06), 0.33,
          end * length * 0.6, 0.13, 0.33, 0.33, 0);
    }
  }
}

void
fv_add_dog (FvThing *thing, double speed)
{
  GRand *random = thing->random;
  double k = fv_between (random, 0.7, 1.3);
  FvMaterial fur = fv_plain_material (random, 0.04, 0.12, 0, 0.6, 0.12, 0.9);
  double phase = fv_between (random, 0, 2 * G_PI);
  double step = sin (thing->time * MAX (speed, 0.01) * 8 / k + phase);

  if (fv_chance (random, 0.4)) {
    fur.pattern = FV_PATTERN_PATCHES;
    fur.frequency = 2.5f;
    fv_colour (fur.colour[1], 0.08, 0.2, fv_between (random, 0.1, 0.95));
  }
  fv_thing_add (thing, FV_SHAPE_SPHERE, &fur, 0, 0.47 * k, 0, 0.15 * k,
      0.16 * k, 0.4 * k, 0);
  fv_thing_add (thing, FV_SHAPE_SPHERE, &fur, 0, 0.66 * k, 0.42 * k, 0.1 * k,
      0.12 * k, 0.13 * k, 0);
  fv_thing_add (thing, FV_SHAPE_SPHERE, &fur, 0, 0.63 * k, 0.56 * k, 0.055 * k,
      0.055 * k, 0.11 * k, 0);
  fv_thing_add (thing, FV_SHAPE_CYLINDER, &fur, 0, 0.62 * k, -0.42 * k,
      0.03 * k, 0.17 * k, 0.03 * k, -0.6);
  for (gint side = -1; side <= 1; side += 2)
    for (gint end = -1; end <= 1; end += 2) {
      double a = 0.5 * step * side * end * (speed > 0.05);
      fv_thing_add (thing, FV_SHAPE_CYLINDER, &fur, 0.09 * side * k,
          0.4 * k - 0.2 * k * cos (a), 0.25 * end * k - 0.2 * k * sin (a),
          0.04 * k, 0.2 * k, 0.04 * k, a);
    }
}

void
fv_add_ball (FvThing *thing, double radius, double bounce)
{
  FvMaterial material =
      fv_usual_material (thing->frame, thing->random, FV_USUAL_BALL);
  double phase = fv_between (thing->random, 0, 1), rate = 0.9;
  /* Parabolas: height 4 b u (1 - u), u from bounce to bounce. */
  double u = fmod (thing->time * rate + phase, 1);

  material.frequency = (float) (fv_between (thing->random, 0.6, 1.6) / radius);
  material.shine = 0.3f;
  thing->moves[1] = (float) (4 * bounce * (1 - 2 * u) * rate);
  fv_thing_add (thing, FV_SHAPE_SPHERE, &material, 0,
      radius + 4 * bounce * u * (1 - u), 0, radius, radius, radius, 0);
}

void
fv_add_crates (FvThing *thing, guint n)
{
  double base = thing->at[1];

  for (guint i = 0; i < n; i++) {
    FvMaterial material =
        fv_usual_material (thing->frame, thing->random, FV_USUAL_CRATE);
    double half = fv_between (thing->random, 0.18, 0.42);
    double high = half * fv_between (thing->random, 0.6, 1.2);
    double wide = half * fv_between (thing->random, 0.8, 1.3);
    if (fv_chance (thing->random, 0.4))
      material.pattern = FV_PATTERN_PLANKS;
    material.frequency = (float) fv_between (thing->random, 2, 8);
    fv_thing_add (thing, FV_SHAPE_BOX, &material, 0, high, 0, wide, high, half,
        0);
    thing->at[1] += (float) (2 * high);
  }
  thing->at[1] = (float) base;
}

void
fv_add_tree (FvThing *thing, double height)
{
  GRand *random = thing->random;
  double autumn = fv_chance (random, 0.3) ? fv_between (random, 0.04, 0.2)
                                          : fv_between (random, 0.2, 0.38);
  FvMaterial bark = fv_plain_material (random, 0.08, 0.08, 0.1, 0.5, 0.2, 0.5);
  FvMaterial leaves =
      fv_plain_material (random, autumn, autumn, 0.3, 0.8, 0.25, 0.7);
  guint n = (guint) g_rand_int_range (random, 3, 6);
  double wide = height * fv_between (random, 0.16, 0.3);

  leaves.grain = 1;
  leaves.frequency = (float) (8 / height);
  fv_thing_add (thing, FV_SHAPE_CYLINDER, &bark, 0, height * 0.25, 0,
      height * 0.03, height * 0.25, height * 0.03, 0);
  for (guint i = 0; i < n; i++) {
    double t = (i + 0.5) / n, r = wide * (1.15 - 0.6 * t);
    double x = fv_between (random, -0.5, 0.5) * wide;
    double z = fv_between (random, -0.5, 0.5) * wide;
    fv_thing_add (thing, FV_SHAPE_SPHERE, &leaves, x, height * (0.42 + 0.5 * t),
        z, r, r * 0.75, r, 0);
  }
}

void
fv_add_pole (FvThing *thing, double height)
{
  GRand *random = thing->random;
  FvMaterial metal = fv_usual_material (thing->frame, random, FV_USUAL_METAL);
  FvMaterial head = fv_usual_material (thing->frame, random, FV_USUAL_METAL);
  double r = height * 0.02 + 0.03;
  double wide = fv_between (random, 0.2, 0.4),
         high = fv_between (random, 0.15, 0.4);

  fv_thing_add (thing, FV_SHAPE_CYLINDER, &metal, 0, height / 2, 0, r,
      height / 2, r, 0);
  if (fv_chance (random, 0.5))
    fv_thing_add (thing, FV_SHAPE_SPHERE, &head, 0, height, 0, 0.2, 0.2, 0.2,
        0);
  else
    fv_thing_add (thing, FV_SHAPE_BOX, &head, 0, height * 0.92, 0, wide, high,
        0.04, 0);
}

static void
add_legs (FvThing *thing, const FvMaterial *material, double x, double y,
    double z)
{
  for (gint side = -1; side <= 1; side += 2)
    for (gint end = -1; end <= 1; end += 2)
      fv_thing_add (thing, FV_SHAPE_CYLINDER, material, side * x, y / 2,
          end * z, 0.045, y / 2, 0.045, 0);
}

void
fv_add_bench (FvThing *thing)
{
  FvMaterial wood =
      fv_usual_material (thing->frame, thing->random, FV_USUAL_WOOD);
  double half = fv_between (thing->random, 0.6, 1.0);

  wood.pattern = FV_PATTERN_PLANKS;
  add_legs (thing, &wood, half * 0.85, 0.44, 0.18);
  fv_thing_add (thing, FV_SHAPE_BOX, &wood, 0, 0.46, 0, half, 0.03, 0.24, 0);
  fv_thing_add (thing, FV_SHAPE_BOX, &wood, 0, 0.75, -0.24, half, 0.18, 0.03,
      0);
}

void
fv_add_table (FvThing *thing)
{
  FvMaterial wood =
      fv_usual_material (thing->frame, thing->random, FV_USUAL_WOOD);
  double x = fv_between (thing->random, 0.5, 0.95);
  double z = fv_between (thing->random, 0.35, 0.6);

  add_legs (thing, &wood, x * 0.9, 0.72, z * 0.85);
  fv_thing_add (thing, FV_SHAPE_BOX, &wood, 0, 0.74, 0, x, 0.025, z, 0);
}

void
fv_add_shelf (FvThing *thing, double height)
{
  FvMaterial wood =
      fv_usual_material (thing->frame, thing->random, FV_USUAL_WOOD);
  double half = fv_between (thing->random, 0.4, 0.8);
  guint n = (guint) (height / 0.45);

  for (gint side = -1; side <= 1; side += 2)
    fv_thing_add (thing, FV_SHAPE_BOX, &wood, side * half, height / 2, 0, 0.025,
        height / 2, 0.2, 0);
  for (guint i = 0; i <= n; i++)
    fv_thing_add (thing, FV_SHAPE_BOX, &wood, 0, 0.03 + i * (height - 0.06) / n,
        0, half, 0.02, 0.2, 0);
}
