/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parts of the command: comparing, .npy files, images. */
#include "tests/fovea-test.h"

#include <math.h>
#include <string.h>
#include "gst/tools/compare.h"
#include "gst/tools/image.h"
#include "gst/tools/npy.h"

static FvArray *
floats (guint n, const float *values)
{
  FvShape shape = { 1, { n } };
  FvArray *array = fv_array_new (FV_TYPE_F32, &shape, NULL);
  memcpy (array->f32, values, n * sizeof *values);
  return array;
}

static gboolean
passes (guint n, const float *got, const float *expected, double tolerance)
{
  g_autoptr (FvArray) a = floats (n, got);
  g_autoptr (FvArray) b = floats (n, expected);
  Comparison result;
  compare_arrays (a, b, tolerance, &result);
  ck_assert ((result.problem[0] == '\0') == result.passed);
  return result.passed;
}

#define PASSES(tolerance, expected, ...) \
  passes (G_N_ELEMENTS (((const float[]) __VA_ARGS__)), \
      (const float[]) __VA_ARGS__, expected, tolerance)

START_TEST (tolerance_of_floats)
{
  static const float ones[] = { 1, -1 };
  ck_assert (PASSES (1e-3, ones, { 1.0005f, -1.0005f }));
  ck_assert (!PASSES (1e-3, ones, { 1.002f, -1.002f }));
  ck_assert (PASSES (1e-2, ones, { 1.002f, -1.002f }));
  static const float zeros[] = { 0, 0 };
  ck_assert (PASSES (1e-3, zeros, { 9e-6f, 0 }));
  ck_assert (!PASSES (1e-3, zeros, { 1.1e-5f, 0 }));
  static const float special[] = { NAN, INFINITY, -INFINITY, 3 };
  ck_assert (PASSES (1e-3, special, { NAN, INFINITY, -INFINITY, 3 }));
  ck_assert (!PASSES (1e-3, special, { 0, INFINITY, -INFINITY, 3 }));
  ck_assert (!PASSES (1e-3, special, { NAN, -INFINITY, -INFINITY, 3 }));
  ck_assert (!PASSES (1e-3, special, { NAN, INFINITY, -INFINITY, NAN }));
  ck_assert (!PASSES (1e-3, special, { NAN, INFINITY, -3e38f, 3 }));
}
END_TEST

START_TEST (tolerance_of_others)
{
  Comparison result;
  g_autoptr (FvArray) a = fv_array_new_i64 ((gint64[]){ 1, 2, 3 }, 3);
  g_autoptr (FvArray) b = fv_array_new_i64 ((gint64[]){ 1, 2, 4 }, 3);
  g_autoptr (FvArray) c = fv_array_convert (a, FV_TYPE_F32, NULL);
  compare_arrays (a, a, 1e-3, &result);
  ck_assert (result.passed);
  compare_arrays (b, a, 1e-3, &result);
  ck_assert (!result.passed);
  ck_assert_str_eq (result.problem,
      "1 of 3 integers differ, the first at 2: 4 instead of 3");
  compare_arrays (c, a, 1e-3, &result);
  ck_assert (!result.passed);
  ck_assert_str_eq (result.problem, "type f32 instead of i64");
  g_autoptr (FvArray) wide =
      fv_array_new (FV_TYPE_F32, &(FvShape){ 2, { 0, 4 } }, NULL);
  g_autoptr (FvArray) narrow =
      fv_array_new (FV_TYPE_F32, &(FvShape){ 2, { 0, 5 } }, NULL);
  compare_arrays (wide, wide, 1e-3, &result);
  ck_assert (result.passed);
  compare_arrays (wide, narrow, 1e-3, &result);
  ck_assert (!result.passed);
  ck_assert_str_eq (result.problem, "shape [0, 4] instead of [0, 5]");
}
END_TEST

START_TEST (npy_round_trip)
{
  static const FvShape shapes[] = { { 0 }, { 1, { 7 } }, { 4, { 1, 3, 2, 5 } },
    { 2, { 0, 3 } } };
  g_autofree char *path = fv_test_path ("array.npy");
  for (guint s = 0; s < G_N_ELEMENTS (shapes); s++)
    for (FvType type = FV_TYPE_F32; type <= FV_TYPE_BOOL; type++) {
      GError *error = NULL;
      g_autoptr (FvArray) array = fv_array_new (type, &shapes[s], NULL);
      for (gint64 i = 0; i < array->count; i++)
        fv_array_set_int (array, i, i % 3);
      ck_assert (fv_array_save_npy (array, path, &error));
      g_autoptr (FvArray) back = fv_array_load_npy (path, &error);
      ck_assert_msg (back != NULL, "%s", error ? error->message : "");
      ck_assert_int_eq (back->type, type);
      ck_assert (fv_shape_equal (&back->shape, &shapes[s]));
      if (array->size > 0)
        ck_assert_mem_eq (back->data, array->data, array->size);
    }
}
END_TEST

static void
refused_npy (const char *header, gsize n_data, FvError code, const char *text)
{
  g_autoptr (GByteArray) file = g_byte_array_new ();
  guint8 zeros[64] = { 0 };
  guint8 length[] = { 1, 0, strlen (header), 0 };
  g_byte_array_append (file, (const guint8 *) "\x93NUMPY", 6);
  g_byte_array_append (file, length, sizeof length);
  g_byte_array_append (file, (const guint8 *) header, strlen (header));
  g_byte_array_append (file, zeros, n_data);
  g_autofree char *path = fv_test_write ("bad.npy", file->data, file->len);
  GError *error = NULL;
  ck_assert_ptr_null (fv_array_load_npy (path, &error));
  fv_test_error (&error, code, text);
}

START_TEST (npy_errors)
{
  refused_npy ("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 11,
      FV_ERROR_MALFORMED, "shape [3] of f32 needs more than the 2 elements");
  refused_npy ("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", 4,
      FV_ERROR_UNSUPPORTED, "'>f4'");
  refused_npy ("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", 4,
      FV_ERROR_UNSUPPORTED, "Fortran order");
  refused_npy ("{'descr': '<f4', 'fortran_order': False, 'shape': (1, -2), }",
      8, FV_ERROR_MALFORMED, "its shape is damaged");
  refused_npy ("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2", 8,
      FV_ERROR_MALFORMED, "its shape is damaged");
  refused_npy ("{'descr': '<f4', 'fortran_order': False, "
               "'shape': (9223372036854775807, 9), }",
      8, FV_ERROR_MALFORMED, "needs more than");
  refused_npy ("{'descr': '<f4', 'fortran_order': False, "
               "'shape': (1,1,1,1,1,1,1), }",
      4, FV_ERROR_UNSUPPORTED, "more than 6 dimensions");
  refused_npy ("{}", 0, FV_ERROR_UNSUPPORTED, "not described");
  GError *error = NULL;
  g_autofree char *text = fv_test_write ("text.npy", "no numbers here", 15);
  ck_assert_ptr_null (fv_array_load_npy (text, &error));
  fv_test_error (&error, FV_ERROR_MALFORMED, "this is no .npy file");
  g_autofree char *cut =
      fv_test_write ("cut.npy", "\x93NUMPY\1\0\xff\0{'descr'", 18);
  ck_assert_ptr_null (fv_array_load_npy (cut, &error));
  fv_test_error (&error, FV_ERROR_MALFORMED, "cut short");
  ck_assert_ptr_null (fv_array_load_npy ("/nowhere/x.npy", &error));
  fv_test_error (&error, FV_ERROR_NOT_FOUND, "/nowhere/x.npy");
}
END_TEST

/* 4x2 pixels: left half red, right half blue, as a binary PPM */
static char *
write_image (void)
{
  static const char ppm[] = "P6\n4 2\n255\n"
                            "\xff\0\0\xff\0\0\0\0\xff\0\0\xff"
                            "\xff\0\0\xff\0\0\0\0\xff\0\0\xff";
  return fv_test_write ("image.ppm", ppm, sizeof ppm - 1);
}

static FvArray *
load (const FvCardInput *input, FvShape shape)
{
  g_autofree char *path = write_image ();
  GError *error = NULL;
  FvArray *array = image_load (path, input, &shape, &error);
  ck_assert_msg (array != NULL, "%s", error ? error->message : "");
  return array;
}

START_TEST (images)
{
  FvCardInput input = { .rank = 4,
    .width = 4,
    .height = 2,
    .channels = FV_CHANNELS_RGB,
    .n_channels = 3,
    .mean = { 0.5, 0, 0 },
    .std = { 0.5, 1, 1 },
    .resize = FV_RESIZE_STRETCH,
    .crop_fraction = 1,
    .filter = FV_FILTER_BILINEAR };
  g_autoptr (FvArray) same = load (&input, (FvShape){ 4, { 1, 3, 2, 4 } });
  static const float red[] = { 1, 1, -1, -1, 1, 1, -1, -1 };
  static const float blue[] = { 0, 0, 1, 1, 0, 0, 1, 1 };
  for (guint i = 0; i < 8; i++) {
    ck_assert_float_eq_tol (same->f32[i], red[i], 1e-6);
    ck_assert_float_eq_tol (same->f32[8 + i], 0, 1e-6);
    ck_assert_float_eq_tol (same->f32[16 + i], blue[i], 1e-6);
  }
  input.channels = FV_CHANNELS_BGR;
  input.layout = FV_LAYOUT_NHWC;
  input.mean[0] = 0;
  input.std[0] = 1;
  g_autoptr (FvArray) swapped = load (&input, (FvShape){ 4, { 1, 2, 4, 3 } });
  ck_assert_float_eq_tol (swapped->f32[0], 0, 1e-6);
  ck_assert_float_eq_tol (swapped->f32[2], 1, 1e-6);
  ck_assert_float_eq_tol (swapped->f32[9], 1, 1e-6);
}
END_TEST

START_TEST (letterboxed_image)
{
  FvCardInput input = { .rank = 4,
    .width = 4,
    .height = 4,
    .channels = FV_CHANNELS_RGB,
    .n_channels = 3,
    .std = { 1, 1, 1 },
    .resize = FV_RESIZE_LETTERBOX,
    .anchor = FV_ANCHOR_TOP_LEFT,
    .pad = { 51, 51, 51 },
    .crop_fraction = 1,
    .filter = FV_FILTER_BILINEAR };
  g_autoptr (FvArray) array = load (&input, (FvShape){ 4, { 1, 3, 4, 4 } });
  ck_assert_float_eq_tol (array->f32[0], 1, 1e-6);
  ck_assert_float_eq_tol (array->f32[7], 0, 1e-6);
  for (guint i = 8; i < 16; i++)
    ck_assert_float_eq_tol (array->f32[i], 0.2, 1e-6);
  input.anchor = FV_ANCHOR_CENTER;
  g_autoptr (FvArray) middle = load (&input, (FvShape){ 4, { 1, 3, 4, 4 } });
  ck_assert_float_eq_tol (middle->f32[0], 0.2, 1e-6);
  ck_assert_float_eq_tol (middle->f32[4], 1, 1e-6);
  ck_assert_float_eq_tol (middle->f32[15], 0.2, 1e-6);
}
END_TEST

START_TEST (reduced_image)
{
  FvCardInput input = { .rank = 4,
    .width = 1,
    .height = 1,
    .channels = FV_CHANNELS_GRAY,
    .n_channels = 1,
    .std = { 1 },
    .resize = FV_RESIZE_STRETCH,
    .crop_fraction = 1,
    .filter = FV_FILTER_BOX,
    .antialias = TRUE };
  g_autoptr (FvArray) array = load (&input, (FvShape){ 4, { 1, 1, 1, 1 } });
  ck_assert_float_eq_tol (array->f32[0], (0.299 + 0.114) / 2, 1e-6);
  FvShape wrong = { 4, { 1, 3, 1, 1 } };
  g_autofree char *path = write_image ();
  GError *error = NULL;
  ck_assert_ptr_null (image_load (path, &input, &wrong, &error));
  fv_test_error (&error, FV_ERROR_INVALID, "does not fill the input's shape");
  guint width, height;
  ck_assert (image_size (path, &width, &height, &error));
  ck_assert_uint_eq (width, 4);
  g_autofree char *text = fv_test_write ("text.png", "nothing", 7);
  ck_assert (!image_size (text, &width, &height, &error));
  fv_test_error (&error, FV_ERROR_NOT_FOUND, "is no image");
}
END_TEST

START_TEST (steps)
{
  FvShape shape = { 1, { 3 } };
  g_autoptr (FvArray) a = fv_array_new (FV_TYPE_I8, &shape, NULL);
  g_autoptr (FvArray) b = fv_array_new (FV_TYPE_I8, &shape, NULL);
  g_autoptr (FvArray) other = fv_array_new (FV_TYPE_U8, &shape, NULL);
  Comparison result;
  a->i8[0] = -128;
  b->i8[0] = -127;
  a->i8[2] = 4;
  b->i8[2] = 3;
  compare_quantized (a, b, &result);
  ck_assert (result.passed);
  ck_assert (result.error == 1);
  b->i8[2] = 6;
  compare_quantized (a, b, &result);
  ck_assert (!result.passed);
  ck_assert_str_eq (result.problem, "2 steps off at element 2");
  compare_quantized (other, a, &result);
  ck_assert (!result.passed);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("tools");
  TCase *tests = tcase_create ("tools");
  tcase_add_test (tests, tolerance_of_floats);
  tcase_add_test (tests, tolerance_of_others);
  tcase_add_test (tests, steps);
  tcase_add_test (tests, npy_round_trip);
  tcase_add_test (tests, npy_errors);
  tcase_add_test (tests, images);
  tcase_add_test (tests, letterboxed_image);
  tcase_add_test (tests, reduced_image);
  suite_add_tcase (suite, tests);
  return fv_test_run (suite);
}
