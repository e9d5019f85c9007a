/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The synthetic world: the device's rays against plain C ones, what is counted
 * against the maps, formats against each other, and how much there is to see. */
#include "gst/world/view.h"
#include "tests/fovea-test.h"

#include <math.h>
#include <string.h>

#define WIDTH 77
#define HEIGHT 45

static FvDevice *device;
static FvWorldFrame *frame;

static void
setup (void)
{
  g_autoptr (GError) error = NULL;

  device = fv_device_open (NULL, &error);
  ck_assert_msg (device != NULL, "%s", error ? error->message : "");
  frame = fv_world_frame_new ();
}

static void
teardown (void)
{
  fv_world_frame_free (frame);
  fv_device_unref (device);
}

static FvWorldPicture
make_picture (guint format, guint width, guint height)
{
  FvWorldPicture picture = { .width = width,
    .height = height,
    .format = format };
  gsize half = (width + 1) / 2, half_rows = (height + 1) / 2;
  gsize up = (width + 3) / 4 * 4;

  for (guint i = 0; i < 3; i++)
    picture.matrix[i][i] = 255;
  if (format == FV_WORLD_RGB || format == FV_WORLD_RGBX) {
    picture.stride[0] =
        format == FV_WORLD_RGB ? (3 * width + 3) / 4 * 4 : 4 * width;
    picture.size = picture.stride[0] * height;
    return picture;
  }
  picture.stride[0] = up;
  picture.stride[1] =
      format == FV_WORLD_NV12 ? (2 * half + 3) / 4 * 4 : (half + 3) / 4 * 4;
  picture.plane[1] = up * ((height + 1) / 2 * 2);
  picture.plane[2] = picture.plane[1] + picture.stride[1] * half_rows;
  picture.size = picture.plane[2] + picture.stride[1] * half_rows;
  return picture;
}

/* ---- Rays in plain C, without lists ---- */

typedef struct
{
  double t;
  guint what, instance;
} Hit;

/* Where the ray enters a convex shape of unit space, or HUGE_VAL. */
static double
enter (guint shape, const double *o, const double *d)
{
  double low = -HUGE_VAL, high = HUGE_VAL;

  for (guint i = 0; i < 3; i++) {
    if (shape == FV_SHAPE_SPHERE || (shape == FV_SHAPE_CYLINDER && i != 1))
      continue;
    double a = (-1 - o[i]) / d[i], b = (1 - o[i]) / d[i];
    low = fmax (low, fmin (a, b));
    high = fmin (high, fmax (a, b));
  }
  if (shape != FV_SHAPE_BOX) {
    double a = 0, b = 0, c = -1;
    for (guint i = 0; i < 3; i++) {
      if (shape == FV_SHAPE_CYLINDER && i == 1)
        continue;
      a += d[i] * d[i];
      b += o[i] * d[i];
      c += o[i] * o[i];
    }
    double under = b * b - a * c;
    if (under <= 0)
      return HUGE_VAL;
    low = fmax (low, (-b - sqrt (under)) / a);
    high = fmin (high, (-b + sqrt (under)) / a);
  }
  return low < high && low > 1e-3 ? low : HUGE_VAL;
}

static double
meet (const FvWorldPart *part, const float *from, const double *ray)
{
  double o[3], d[3];

  for (guint a = 0; a < 3; a++) {
    double square = 0;
    o[a] = d[a] = 0;
    for (guint c = 0; c < 3; c++) {
      square += (double) part->axis[a][c] * part->axis[a][c];
      o[a] += part->axis[a][c] * ((double) from[c] - part->centre[c]);
      d[a] += part->axis[a][c] * ray[c];
    }
    o[a] /= square;
    d[a] /= square;
  }
  return enter (part->shape, o, d);
}

static guint
ground_class (double x, double z)
{
  if (frame->zones[0] < 0)
    return x > frame->rug[0] && z > frame->rug[1] && x < frame->rug[2]
            && z < frame->rug[3]
        ? FV_CLASS_PAVEMENT
        : FV_CLASS_GROUND;
  x = fabs (x);
  return x > frame->zones[1] ? FV_CLASS_GRASS
      : x > frame->zones[0]  ? FV_CLASS_PAVEMENT
                             : FV_CLASS_GROUND;
}

/* @whole: (nullable): gets how many rays meet each instance, hidden or not. */
static Hit
trace (double x, double y, guint *whole)
{
  const FvWorldCamera *camera = &frame->camera;
  Hit hit = { HUGE_VAL, FV_CLASS_SKY, 0 };
  double ray[3], focal = WIDTH / 2.0 / 0.7;
  guint counted = 0;

  for (guint i = 0; i < 3; i++)
    ray[i] = camera->ahead[i]
        + camera->right[i] * (x - (WIDTH - 1) / 2.0) / focal
        - camera->up[i] * (y - (HEIGHT - 1) / 2.0) / focal;
  if (ray[1] < 0) {
    hit.t = -camera->at[1] / ray[1];
    hit.what = ground_class (camera->at[0] + hit.t * ray[0],
        camera->at[2] + hit.t * ray[2]);
  }
  for (guint i = 0; i < frame->parts->len; i++) {
    const FvWorldPart *part = &g_array_index (frame->parts, FvWorldPart, i);
    double t = meet (part, camera->at, ray);
    if (t == HUGE_VAL)
      continue;
    if (part->instance && part->instance != counted && whole) {
      whole[part->instance - 1]++; /* parts of an instance stand in a row */
      counted = part->instance;
    }
    if (t < hit.t)
      hit = (Hit){ t, part->what, part->instance };
  }
  return hit;
}

/* ---- The device ---- */

static gconstpointer
map (FvWorldView *view, FvWorldOutput output, gsize *stride)
{
  gsize offset, size;
  FvBuffer *buffer =
      fv_world_view_output (view, output, &offset, &size, stride);
  const guint8 *data = fv_buffer_map (buffer);

  ck_assert (data != NULL);
  return data + offset;
}

static FvWorldView *
draw (const FvWorldPicture *picture, const FvWorldSettings *settings,
    double time)
{
  g_autoptr (GError) error = NULL;
  FvWorldView *view = fv_world_view_new (device, picture, NULL, &error);
  guint64 value;

  ck_assert_msg (view != NULL, "%s", error ? error->message : "");
  fv_world_look (settings, time, frame);
  ck_assert_msg (fv_world_view_draw (view, frame, 7, 1.0 / 30, &value, &error)
          && fv_device_wait (device, value, G_MAXUINT64, &error),
      "%s", error ? error->message : "");
  return view;
}

/* On edges a ray may go either way; everywhere else all must agree. */
static gboolean
is_edge (guint x, guint y, guint what)
{
  for (gint i = 0; i < 9; i++)
    if (trace (x + (i % 3 - 1) * 0.02, y + (i / 3 - 1) * 0.02, NULL).what
        != what)
      return TRUE;
  return FALSE;
}

static void
check_maps (FvWorldView *view, guint *whole, guint *pixels)
{
  gsize strides[FV_WORLD_OUTPUTS];
  const guint8 *classes = map (view, FV_WORLD_CLASS_MAP, &strides[1]);
  const guint8 *instances = map (view, FV_WORLD_INSTANCE_MAP, &strides[2]);
  const guint8 *depths = map (view, FV_WORLD_DEPTH, &strides[3]);
  guint edges = 0;

  for (guint y = 0; y < HEIGHT; y++)
    for (guint x = 0; x < WIDTH; x++) {
      Hit hit = trace (x, y, whole);
      guint what = classes[y * strides[1] + x];
      guint16 instance;
      float depth;
      memcpy (&instance, instances + y * strides[2] + 2 * x, 2);
      memcpy (&depth, depths + y * strides[3] + 4 * x, 4);
      if (instance)
        pixels[instance - 1]++;
      double expected = hit.what == FV_CLASS_SKY ? 0 : hit.t;
      if (what == hit.what && instance == hit.instance
          && fabs (depth - expected) <= 1e-3 * expected + 1e-4)
        continue;
      edges++;
      ck_assert_msg (is_edge (x, y, hit.what) || what == hit.what,
          "(%u, %u): class %u; expected %u at %g m", x, y, what, hit.what,
          hit.t);
    }
  ck_assert_uint_le (edges, WIDTH * HEIGHT / 100);
}

static void
check_seen (FvWorldView *view, const guint *whole, const guint *pixels)
{
  gsize stride;
  const guint8 *instances = map (view, FV_WORLD_INSTANCE_MAP, &stride);
  guint n = frame->instances->len;
  g_autofree guint *box = g_new (guint, 4 * n);

  for (guint i = 0; i < n; i++) {
    box[4 * i] = box[4 * i + 1] = G_MAXUINT;
    box[4 * i + 2] = box[4 * i + 3] = 0;
  }
  for (guint y = 0; y < HEIGHT; y++)
    for (guint x = 0; x < WIDTH; x++) {
      guint16 instance;
      memcpy (&instance, instances + y * stride + 2 * x, 2);
      if (!instance)
        continue;
      guint *b = box + 4 * (instance - 1);
      b[0] = MIN (b[0], x);
      b[1] = MIN (b[1], y);
      b[2] = MAX (b[2], x + 1);
      b[3] = MAX (b[3], y + 1);
    }
  for (guint i = 0; i < n; i++) {
    FvWorldSeen seen = fv_world_view_seen (view, i);
    ck_assert_uint_eq (seen.pixels, pixels[i]);
    ck_assert_int_le (ABS ((gint) seen.whole - (gint) whole[i]),
        2 + (gint) whole[i] / 20);
    ck_assert_uint_ge (seen.whole, seen.pixels);
    if (!seen.pixels)
      continue;
    const guint *b = box + 4 * i;
    ck_assert_uint_eq (seen.x, b[0]);
    ck_assert_uint_eq (seen.y, b[1]);
    ck_assert_uint_eq (seen.x + seen.width, b[2]);
    ck_assert_uint_eq (seen.y + seen.height, b[3]);
  }
}

START_TEST (test_truth)
{
  FvWorldPicture picture = make_picture (FV_WORLD_RGB, WIDTH, HEIGHT);
  FvWorldSettings settings = { .scene =
                                   _i % 2 ? FV_SCENE_ROOM : FV_SCENE_STREET,
    .seed = (guint) _i,
    .difficulty = _i / 5.0 };
  g_autoptr (FvWorldView) view = draw (&picture, &settings, 3.3 * _i);
  guint n = frame->instances->len;
  g_autofree guint *whole = g_new0 (guint, n), *pixels = g_new0 (guint, n);

  check_maps (view, whole, pixels);
  check_seen (view, whole, pixels);
}
END_TEST

/* ---- Pictures ---- */

static guint8
byte_at (const guint8 *data, const FvWorldPicture *picture, guint plane,
    guint x, guint y, guint step, guint of)
{
  return data[picture->plane[plane] + y * picture->stride[plane > 0] + x * step
      + of];
}

START_TEST (test_formats)
{
  static const guint sizes[][2] = { { WIDTH, HEIGHT }, { 1, 1 }, { 16, 2 },
    { 9, 30 } };
  FvWorldSettings settings = { .seed = 11, .difficulty = 0.7 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    guint width = sizes[i][0], height = sizes[i][1];
    g_autofree guint8 *rgb = NULL;
    FvWorldPicture first = make_picture (FV_WORLD_RGB, width, height);
    for (guint format = FV_WORLD_RGB; format <= FV_WORLD_I420; format++) {
      FvWorldPicture picture = make_picture (format, width, height);
      g_autoptr (FvWorldView) view = draw (&picture, &settings, 5);
      gsize stride;
      const guint8 *data = map (view, FV_WORLD_PICTURE, &stride);
      if (format == FV_WORLD_RGB)
        rgb = g_memdup2 (data, picture.size);
      for (guint y = 0; y < height; y++)
        for (guint x = 0; x < width; x++) {
          const guint8 *pixel = rgb + y * first.stride[0] + 3 * x;
          guint step = format == FV_WORLD_RGBX ? 4
              : format == FV_WORLD_RGB         ? 3
                                               : 1;
          /* With the identity as matrix "luma" is red. */
          ck_assert_uint_eq (byte_at (data, &picture, 0, x, y, step, 0),
              pixel[0]);
          for (guint c = 1; c < 3 && step > 1; c++)
            ck_assert_uint_eq (byte_at (data, &picture, 0, x, y, step, c),
                pixel[c]);
          if (step > 1 || x + 1 >= width || y + 1 >= height || x % 2 || y % 2)
            continue;
          for (guint c = 1; c < 3; c++) {
            const guint8 *below = pixel + first.stride[0];
            gint mean =
                (pixel[c] + pixel[3 + c] + below[c] + below[3 + c] + 2) / 4;
            gint found = format == FV_WORLD_NV12
                ? byte_at (data, &picture, 1, x / 2, y / 2, 2, c - 1)
                : byte_at (data, &picture, c, x / 2, y / 2, 1, 0);
            ck_assert_int_le (ABS (found - mean), 1);
          }
        }
    }
  }
}
END_TEST

/* The same again is the same; another seed, another time, another noise are not. */
START_TEST (test_same)
{
  FvWorldPicture picture = make_picture (FV_WORLD_RGBX, WIDTH, HEIGHT);
  FvWorldSettings settings = { .scene = FV_SCENE_MIXED,
    .seed = 4,
    .difficulty = 0.5 };
  g_autofree guint8 *first = NULL;
  gsize stride;

  for (guint i = 0; i < 4; i++) {
    settings.seed = 4 + (i == 2);
    g_autoptr (FvWorldView) view = draw (&picture, &settings, i == 3 ? 9.1 : 9);
    const guint8 *data = map (view, FV_WORLD_PICTURE, &stride);
    if (i == 0)
      first = g_memdup2 (data, picture.size);
    else
      ck_assert_int_eq (memcmp (first, data, picture.size) == 0, i == 1);
  }
}
END_TEST

/* At the default difficulty there are eight things or more in view, about half of
 * them partly hidden, in streets and in rooms. */
START_TEST (test_crowd)
{
  FvWorldPicture picture = make_picture (FV_WORLD_RGBX, 320, 180);
  FvWorldSettings settings = { .scene = _i ? FV_SCENE_ROOM : FV_SCENE_STREET,
    .difficulty = 0.5 };
  guint things = 0, hidden = 0, frames = 40, crowded = 0;

  for (guint i = 0; i < frames; i++) {
    settings.seed = i;
    g_autoptr (FvWorldView) view = draw (&picture, &settings, 0.7 * i);
    guint here = 0;
    for (guint k = 0; k < frame->instances->len; k++) {
      FvWorldSeen seen = fv_world_view_seen (view, k);
      here += seen.pixels >= 8;
      hidden += seen.pixels >= 8 && seen.pixels < 0.95 * seen.whole;
    }
    crowded += here >= 8;
    things += here;
  }
  g_print (
      "%s: %.1f things a frame, %.0f %% partly hidden, %u of %u frames with 8\n",
      _i ? "room" : "street", (double) things / frames, 100.0 * hidden / things,
      crowded, frames);
  ck_assert_uint_ge (things, 8 * frames);
  ck_assert_uint_ge (hidden, 0.45 * things);
  ck_assert_uint_ge (crowded, 0.9 * frames);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("world");
  TCase *tests = tcase_create ("all");

  tcase_add_checked_fixture (tests, setup, teardown);
  tcase_add_loop_test (tests, test_truth, 0, 6);
  tcase_add_test (tests, test_formats);
  tcase_add_test (tests, test_same);
  tcase_add_loop_test (tests, test_crowd, 0, 2);
  tcase_set_timeout (tests, 300);
  suite_add_tcase (suite, tests);
  return fv_test_run (suite);
}
