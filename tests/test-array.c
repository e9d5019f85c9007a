/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fovea-test.h"

#include <math.h>
#include "gst/onnx/array.h"

static FvArray *
array_of (FvType type, guint n, const double *values)
{
  FvShape shape = { 1, { n } };
  FvArray *array = fv_array_new (type, &shape, NULL);
  for (guint i = 0; i < n; i++)
    fv_array_set_float (array, i, values[i]);
  return array;
}

START_TEST (shapes)
{
  ck_assert_int_eq (fv_shape_count (&(FvShape){ 0 }), 1);
  ck_assert_int_eq (fv_shape_count (&(FvShape){ 3, { 2, 3, 4 } }), 24);
  ck_assert_int_eq (fv_shape_count (&(FvShape){ 2, { 5, -1 } }), -1);
  ck_assert_int_eq (
      fv_shape_count (&(FvShape){ 3, { G_MAXINT64, G_MAXINT64, 2 } }), -1);
  ck_assert_int_eq (
      fv_shape_count (&(FvShape){ 3, { G_MAXINT64, G_MAXINT64, 0 } }), 0);
  ck_assert_int_eq (
      fv_shape_count (&(FvShape){ 3, { 0, G_MAXINT64, G_MAXINT64 } }), 0);
  ck_assert (
      fv_shape_equal (&(FvShape){ 1, { 2, 7 } }, &(FvShape){ 1, { 2, 8 } }));
  ck_assert (
      !fv_shape_equal (&(FvShape){ 1, { 2 } }, &(FvShape){ 2, { 2, 1 } }));
  g_autofree char *text = fv_shape_to_string (&(FvShape){ 3, { 1, -1, 224 } });
  ck_assert_str_eq (text, "[1, ?, 224]");
}
END_TEST

START_TEST (sizes_are_limited)
{
  GError *error = NULL;
  FvShape huge = { 4, { 65536, 65536, 65536, 65536 } };
  ck_assert_ptr_null (fv_array_new (FV_TYPE_F32, &huge, &error));
  fv_test_error (&error, FV_ERROR_TOO_LARGE, "[65536, 65536, 65536, 65536]");
  FvShape terabyte = { 1, { G_GINT64_CONSTANT (1) << 38 } };
  ck_assert_ptr_null (fv_array_new (FV_TYPE_F32, &terabyte, &error));
  fv_test_error (&error, FV_ERROR_TOO_LARGE, "too large");
  FvShape unknown = { 1, { -1 } };
  ck_assert_ptr_null (fv_array_new (FV_TYPE_F32, &unknown, &error));
  fv_test_error (&error, FV_ERROR_TOO_LARGE, "[?]");
  ck_assert_ptr_null (fv_array_new (FV_TYPE_NONE, &(FvShape){ 0 }, &error));
  fv_test_error (&error, FV_ERROR_INVALID, "none");
  g_autoptr (FvArray) empty =
      fv_array_new (FV_TYPE_F32, &(FvShape){ 2, { 0, 5 } }, NULL);
  ck_assert_int_eq (empty->count, 0);
}
END_TEST

/* A search through all finite values for the nearest, ties to even. */
static guint16
nearest_f16 (double value)
{
  guint best = 0;
  double least = INFINITY;
  for (guint i = 0; i < 0x7c00; i++) {
    double distance = fabs (fabs (value) - fv_f16_to_f32 (i));
    if (distance < least || (distance == least && i % 2 == 0)) {
      least = distance;
      best = i;
    }
  }
  if (fabs (value) >= 65520)
    best = 0x7c00;
  return best | (signbit (value) ? 0x8000 : 0);
}

START_TEST (f16_is_ieee)
{
  ck_assert_float_eq (fv_f16_to_f32 (0x0001), 0x1p-24f);
  ck_assert_float_eq (fv_f16_to_f32 (0x03ff), 1023 * 0x1p-24f);
  ck_assert_float_eq (fv_f16_to_f32 (0x0400), 0x1p-14f);
  ck_assert_float_eq (fv_f16_to_f32 (0x3c01), 1 + 0x1p-10f);
  ck_assert_float_eq (fv_f16_to_f32 (0xfbff), -65504);
  ck_assert_float_eq (fv_f16_to_f32 (0x7c00), INFINITY);
  ck_assert (signbit (fv_f16_to_f32 (0x8000)));
  for (guint i = 0; i < 0x10000; i++) {
    float value = fv_f16_to_f32 (i);
    if ((i & 0x7fff) > 0x7c00)
      ck_assert (
          isnan (value) && isnan (fv_f16_to_f32 (fv_f32_to_f16 (value))));
    else
      ck_assert_uint_eq (fv_f32_to_f16 (value), i);
  }
}
END_TEST

START_TEST (f16_rounds_to_nearest_even)
{
  static const float values[] = { 65519.996f, 65520, 65536, 1e38f, INFINITY,
    0x1p-25f, 0x1.000002p-25f, 0x1.8p-24f, 0x1.4p-24f, 2049, 2051, 2050.001f,
    -1.00048828125f, 0x1.ffcp-15f, 0x1.ffep-15f, 1e-30f, 0.1f, -3.14159f };
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    ck_assert_msg (fv_f32_to_f16 (values[i]) == nearest_f16 (values[i]),
        "%a gives %#x, expected %#x", values[i], fv_f32_to_f16 (values[i]),
        nearest_f16 (values[i]));
  /* between two f16 values and nearer to the upper by less than f32 can say */
  const double twice = 1 + 0x1p-11 + 0x1p-40;
  g_autoptr (FvArray) f64 = array_of (FV_TYPE_F64, 1, &twice);
  g_autoptr (FvArray) f16 = fv_array_convert (f64, FV_TYPE_F16, NULL);
  ck_assert_uint_eq (f16->f16[0], 0x3c01);
}
END_TEST

START_TEST (conversion)
{
  static const double values[] = { 0, -1, 300.75, -0.25, 70000 };
  g_autoptr (FvArray) f32 = array_of (FV_TYPE_F32, 5, values);
  g_autoptr (FvArray) i64 = fv_array_convert (f32, FV_TYPE_I64, NULL);
  ck_assert_int_eq (i64->i64[1], -1);
  ck_assert_int_eq (i64->i64[2], 300);
  ck_assert_int_eq (i64->i64[3], 0);
  g_autoptr (FvArray) u8 = fv_array_convert (i64, FV_TYPE_U8, NULL);
  ck_assert_uint_eq (u8->u8[1], 255);
  ck_assert_uint_eq (u8->u8[2], 300 - 256);
  g_autoptr (FvArray) truth = fv_array_convert (f32, FV_TYPE_BOOL, NULL);
  ck_assert_uint_eq (truth->u8[0], 0);
  ck_assert_uint_eq (truth->u8[3], 1);
  g_autoptr (FvArray) f16 = fv_array_convert (f32, FV_TYPE_F16, NULL);
  ck_assert_uint_eq (f16->f16[4], 0x7c00);
  g_autoptr (FvArray) back = fv_array_convert (f16, FV_TYPE_F32, NULL);
  ck_assert_float_eq (back->f32[2], 300.75f);
  g_autoptr (FvArray) same = fv_array_convert (f32, FV_TYPE_F32, NULL);
  ck_assert_ptr_eq (same, f32);
  static const double odd[] = { NAN, INFINITY, -INFINITY, 1e30, -1e30 };
  g_autoptr (FvArray) f64 = array_of (FV_TYPE_F64, 5, odd);
  g_autoptr (FvArray) clamped = fv_array_convert (f64, FV_TYPE_I64, NULL);
  ck_assert_int_eq (clamped->i64[0], 0);
  ck_assert_int_eq (clamped->i64[1], G_MAXINT64);
  ck_assert_int_eq (clamped->i64[4], G_MININT64);
}
END_TEST

START_TEST (long_conversion)
{
  FvShape shape = { 2, { 7, 143 } };
  g_autoptr (FvArray) i16 = fv_array_new (FV_TYPE_I16, &shape, NULL);
  for (gint64 i = 0; i < i16->count; i++)
    fv_array_set_int (i16, i, i * 31 - 9000);
  for (FvType type = FV_TYPE_F32; type <= FV_TYPE_U64; type++) {
    if (type == FV_TYPE_I8 || type == FV_TYPE_U8 || type == FV_TYPE_F16)
      continue;
    g_autoptr (FvArray) there = fv_array_convert (i16, type, NULL);
    g_autoptr (FvArray) back = fv_array_convert (there, FV_TYPE_I16, NULL);
    ck_assert_mem_eq (back->data, i16->data, i16->size);
    ck_assert (fv_shape_equal (&back->shape, &shape));
  }
}
END_TEST

START_TEST (views)
{
  GError *error = NULL;
  g_autoptr (FvArray) array = fv_array_new_i64 ((gint64[]){ 1, 2, 3, 4 }, 4);
  g_autoptr (FvArray) view =
      fv_array_reshape (array, &(FvShape){ 2, { 2, 2 } }, &error);
  ck_assert_ptr_eq (view->data, array->data);
  g_clear_pointer (&array, fv_array_unref);
  ck_assert_int_eq (fv_array_get_int (view, 3), 4);
  ck_assert_ptr_null (fv_array_reshape (view, &(FvShape){ 1, { 5 } }, &error));
  fv_test_error (&error, FV_ERROR_INVALID, "[2, 2] cannot become [5]");
  g_autoptr (FvArray) scalar = fv_array_new_i64 ((gint64[]){ 9 }, -1);
  ck_assert_uint_eq (scalar->shape.rank, 0);
  ck_assert_int_eq (scalar->i64[0], 9);
  static const float floats[] = { 1, 2 };
  g_autoptr (GBytes) bytes = g_bytes_new_static (floats, sizeof floats);
  ck_assert_ptr_null (fv_array_new_from_bytes (FV_TYPE_F32,
      &(FvShape){ 1, { 3 } }, bytes, &error));
  fv_test_error (&error, FV_ERROR_INVALID, "needs 12 aligned bytes, got 8");
  g_autoptr (FvArray) shared = fv_array_new_from_bytes (FV_TYPE_F32,
      &(FvShape){ 1, { 2 } }, bytes, &error);
  ck_assert_ptr_eq (shared->data, floats);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("array");
  TCase *tests = tcase_create ("array");
  tcase_add_test (tests, shapes);
  tcase_add_test (tests, sizes_are_limited);
  tcase_add_test (tests, f16_is_ieee);
  tcase_add_test (tests, f16_rounds_to_nearest_even);
  tcase_add_test (tests, conversion);
  tcase_add_test (tests, long_conversion);
  tcase_add_test (tests, views);
  suite_add_tcase (suite, tests);
  return fv_test_run (suite);
}
