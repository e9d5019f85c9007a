/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/onnx/array.h"

#include <string.h>

/* No tensor of a vision model comes near this; above it an allocator may abort
 * instead of returning NULL. */
#define MAX_BYTES (G_GUINT64_CONSTANT (1) << 36)
#define CHUNK 256

G_DEFINE_BOXED_TYPE (FvArray, fv_array, fv_array_ref, fv_array_unref)

static const struct
{
  const char *name;
  gsize size;
} types[] = {
  [FV_TYPE_NONE] = { "none", 0 },
  [FV_TYPE_F32] = { "f32", 4 },
  [FV_TYPE_F16] = { "f16", 2 },
  [FV_TYPE_F64] = { "f64", 8 },
  [FV_TYPE_I8] = { "i8", 1 },
  [FV_TYPE_U8] = { "u8", 1 },
  [FV_TYPE_I16] = { "i16", 2 },
  [FV_TYPE_U16] = { "u16", 2 },
  [FV_TYPE_I32] = { "i32", 4 },
  [FV_TYPE_U32] = { "u32", 4 },
  [FV_TYPE_I64] = { "i64", 8 },
  [FV_TYPE_U64] = { "u64", 8 },
  [FV_TYPE_BOOL] = { "bool", 1 },
};

gsize
fv_type_size (FvType type)
{
  return (guint) type < G_N_ELEMENTS (types) ? types[type].size : 0;
}

const char *
fv_type_name (FvType type)
{
  return (guint) type < G_N_ELEMENTS (types) ? types[type].name : "none";
}

gboolean
fv_type_is_float (FvType type)
{
  return type == FV_TYPE_F32 || type == FV_TYPE_F16 || type == FV_TYPE_F64;
}

gint64
fv_shape_count (const FvShape *shape)
{
  gint64 count = 1;
  gboolean overflow = FALSE;
  for (guint i = 0; i < shape->rank; i++) {
    if (shape->dims[i] < 0)
      return -1;
    /* an empty tensor is empty however large its other sizes are */
    if (shape->dims[i] == 0) {
      count = 0;
      overflow = FALSE;
    } else if (count != 0) {
      overflow |= __builtin_mul_overflow (count, shape->dims[i], &count);
      count = overflow ? 1 : count;
    }
  }
  return overflow ? -1 : count;
}

gboolean
fv_shape_equal (const FvShape *a, const FvShape *b)
{
  if (a->rank != b->rank)
    return FALSE;
  for (guint i = 0; i < a->rank; i++)
    if (a->dims[i] != b->dims[i])
      return FALSE;
  return TRUE;
}

char *
fv_shape_to_string (const FvShape *shape)
{
  GString *text = g_string_new ("[");
  for (guint i = 0; i < shape->rank; i++) {
    if (i > 0)
      g_string_append (text, ", ");
    if (shape->dims[i] < 0)
      g_string_append_c (text, '?');
    else
      g_string_append_printf (text, "%" G_GINT64_FORMAT, shape->dims[i]);
  }
  g_string_append_c (text, ']');
  return g_string_free (text, FALSE);
}

/* An array without data, its sizes checked. */
static FvArray *
array_head (FvType type, const FvShape *shape, GError **error)
{
  if (fv_type_size (type) == 0 || shape->rank > FV_MAX_RANK) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "a tensor of type %s and rank %u cannot be made", fv_type_name (type),
        shape->rank);
    return NULL;
  }
  gint64 count = fv_shape_count (shape);
  guint64 size;
  if (count < 0
      || __builtin_mul_overflow ((guint64) count, fv_type_size (type), &size)
      || size > MAX_BYTES) {
    g_autofree char *text = fv_shape_to_string (shape);
    g_set_error (error, FV_ERROR, FV_ERROR_TOO_LARGE,
        "a %s tensor of shape %s is too large or of unknown size",
        fv_type_name (type), text);
    return NULL;
  }
  FvArray *array = g_new0 (FvArray, 1);
  g_atomic_ref_count_init (&array->ref);
  array->type = type;
  array->shape = *shape;
  array->count = count;
  array->size = size;
  return array;
}

FvArray *
fv_array_new (FvType type, const FvShape *shape, GError **error)
{
  g_autoptr (FvArray) array = array_head (type, shape, error);
  if (array == NULL)
    return NULL;
  array->data = g_try_malloc0 (MAX (array->size, 16));
  if (array->data == NULL) {
    g_autofree char *text = fv_shape_to_string (shape);
    g_set_error (error, FV_ERROR, FV_ERROR_TOO_LARGE,
        "no memory for a %s tensor of shape %s (%" G_GSIZE_FORMAT " bytes)",
        fv_type_name (type), text, array->size);
    return NULL;
  }
  return g_steal_pointer (&array);
}

FvArray *
fv_array_new_from_bytes (FvType type, const FvShape *shape, GBytes *bytes,
    GError **error)
{
  g_autoptr (FvArray) array = array_head (type, shape, error);
  if (array == NULL)
    return NULL;
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  if (size != array->size
      || GPOINTER_TO_SIZE (data) % fv_type_size (type) != 0) {
    g_autofree char *text = fv_shape_to_string (shape);
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "a %s tensor of shape %s needs %" G_GSIZE_FORMAT
        " aligned bytes, got %" G_GSIZE_FORMAT,
        fv_type_name (type), text, array->size, size);
    return NULL;
  }
  array->bytes = g_bytes_ref (bytes);
  array->data = (gpointer) data;
  return g_steal_pointer (&array);
}

FvArray *
fv_array_new_i64 (const gint64 *values, gint n)
{
  FvShape shape = { n < 0 ? 0 : 1, { n } };
  FvArray *array = fv_array_new (FV_TYPE_I64, &shape, NULL);
  if (array->size > 0)
    memcpy (array->i64, values, array->size);
  return array;
}

FvArray *
fv_array_ref (FvArray *array)
{
  g_atomic_ref_count_inc (&array->ref);
  return array;
}

void
fv_array_unref (FvArray *array)
{
  if (array == NULL || !g_atomic_ref_count_dec (&array->ref))
    return;
  if (array->bytes != NULL)
    g_bytes_unref (array->bytes);
  else
    g_free (array->data);
  g_free (array);
}

FvArray *
fv_array_reshape (FvArray *array, const FvShape *shape, GError **error)
{
  if (fv_shape_equal (&array->shape, shape))
    return fv_array_ref (array);
  if (fv_shape_count (shape) != array->count) {
    g_autofree char *from = fv_shape_to_string (&array->shape);
    g_autofree char *to = fv_shape_to_string (shape);
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "a tensor of shape %s cannot become %s", from, to);
    return NULL;
  }
  g_autoptr (GBytes) bytes = array->bytes != NULL
      ? g_bytes_ref (array->bytes)
      : g_bytes_new_with_free_func (array->data, array->size,
          (GDestroyNotify) fv_array_unref, fv_array_ref (array));
  FvArray *view = array_head (array->type, shape, error);
  if (view == NULL)
    return NULL;
  view->bytes = g_steal_pointer (&bytes);
  view->data = array->data;
  return view;
}

guint16
fv_f32_to_f16 (float value)
{
  guint32 bits;
  memcpy (&bits, &value, sizeof bits);
  guint32 sign = bits >> 16 & 0x8000;
  guint32 rest = bits & 0x7fffffff;
  if (rest > 0x7f800000) /* NaN: keep the upper payload, make it quiet */
    return sign | 0x7e00 | (rest >> 13 & 0x1ff);
  if (rest >= 0x477ff000) /* 65520 and more round to infinity */
    return sign | 0x7c00;
  if (rest >= 0x38800000) /* normal: rebias the exponent, round to even */
    return sign | ((rest - 0x38000000 + 0xfff + (rest >> 13 & 1)) >> 13);
  if (rest <= 0x33000000) /* half of the smallest subnormal, or less */
    return sign;
  guint shift = 126 - (rest >> 23);
  guint32 mantissa = (rest & 0x7fffff) | 0x800000;
  guint32 half = 1u << (shift - 1);
  return sign | ((mantissa + half - 1 + (mantissa >> shift & 1)) >> shift);
}

float
fv_f16_to_f32 (guint16 value)
{
  guint32 sign = (guint32) (value & 0x8000) << 16;
  guint32 exponent = value >> 10 & 0x1f;
  guint32 mantissa = value & 0x3ff;
  guint32 bits;
  if (exponent == 0x1f) {
    bits = sign | 0x7f800000 | mantissa << 13;
  } else if (exponent != 0) {
    bits = sign | (exponent + 112) << 23 | mantissa << 13;
  } else {
    float tiny = mantissa * 0x1p-24f;
    memcpy (&bits, &tiny, sizeof bits);
    bits |= sign;
  }
  float result;
  memcpy (&result, &bits, sizeof result);
  return result;
}

/* Rounds once: the float in between is rounded to odd, which keeps what the
 * second rounding must know. */
static guint16
f64_to_f16 (double value)
{
  float rounded = value;
  if (rounded == value || rounded != rounded)
    return fv_f32_to_f16 (rounded);
  guint32 bits;
  memcpy (&bits, &rounded, sizeof bits);
  double magnitude = __builtin_fabs (value);
  if (__builtin_fabs ((double) rounded) > magnitude)
    bits--;
  bits |= 1;
  memcpy (&rounded, &bits, sizeof rounded);
  return fv_f32_to_f16 (rounded);
}

static gint64
f64_to_i64 (double value)
{
  if (value >= 0x1p63)
    return G_MAXINT64;
  if (value <= -0x1p63)
    return G_MININT64;
  return value == value ? (gint64) value : 0;
}

#define EACH for (gsize k = 0; k < n; k++)

static void
read_ints (const FvArray *array, gint64 i, gsize n, gint64 *values)
{
  gconstpointer data =
      (const guint8 *) array->data + i * fv_type_size (array->type);
  switch (array->type) {
    case FV_TYPE_I8:
      EACH values[k] = ((const gint8 *) data)[k];
      break;
    case FV_TYPE_U8:
      EACH values[k] = ((const guint8 *) data)[k];
      break;
    case FV_TYPE_I16:
      EACH values[k] = ((const gint16 *) data)[k];
      break;
    case FV_TYPE_U16:
      EACH values[k] = ((const guint16 *) data)[k];
      break;
    case FV_TYPE_I32:
      EACH values[k] = ((const gint32 *) data)[k];
      break;
    case FV_TYPE_U32:
      EACH values[k] = ((const guint32 *) data)[k];
      break;
    case FV_TYPE_I64:
    case FV_TYPE_U64:
      memcpy (values, data, n * sizeof *values);
      break;
    case FV_TYPE_BOOL:
      EACH values[k] = ((const guint8 *) data)[k] != 0;
      break;
    case FV_TYPE_F16:
      EACH values[k] = f64_to_i64 (fv_f16_to_f32 (((const guint16 *) data)[k]));
      break;
    case FV_TYPE_F32:
      EACH values[k] = f64_to_i64 (((const float *) data)[k]);
      break;
    case FV_TYPE_F64:
      EACH values[k] = f64_to_i64 (((const double *) data)[k]);
      break;
    case FV_TYPE_NONE:
      break;
  }
}

static void
read_floats (const FvArray *array, gint64 i, gsize n, double *values)
{
  gint64 ints[CHUNK];
  gconstpointer data =
      (const guint8 *) array->data + i * fv_type_size (array->type);
  switch (array->type) {
    case FV_TYPE_F16:
      EACH values[k] = fv_f16_to_f32 (((const guint16 *) data)[k]);
      break;
    case FV_TYPE_F32:
      EACH values[k] = ((const float *) data)[k];
      break;
    case FV_TYPE_F64:
      memcpy (values, data, n * sizeof *values);
      break;
    case FV_TYPE_U64:
      EACH values[k] = ((const guint64 *) data)[k];
      break;
    default:
      read_ints (array, i, n, ints);
      EACH values[k] = ints[k];
  }
}

static void
write_ints (FvArray *array, gint64 i, gsize n, const gint64 *values)
{
  gpointer data = (guint8 *) array->data + i * fv_type_size (array->type);
  switch (array->type) {
    case FV_TYPE_I8:
    case FV_TYPE_U8:
      EACH ((guint8 *) data)[k] = values[k];
      break;
    case FV_TYPE_I16:
    case FV_TYPE_U16:
      EACH ((guint16 *) data)[k] = values[k];
      break;
    case FV_TYPE_I32:
    case FV_TYPE_U32:
      EACH ((guint32 *) data)[k] = values[k];
      break;
    case FV_TYPE_I64:
    case FV_TYPE_U64:
      memcpy (data, values, n * sizeof *values);
      break;
    case FV_TYPE_BOOL:
      EACH ((guint8 *) data)[k] = values[k] != 0;
      break;
    case FV_TYPE_F16:
      EACH ((guint16 *) data)[k] = f64_to_f16 (values[k]);
      break;
    case FV_TYPE_F32:
      EACH ((float *) data)[k] = values[k];
      break;
    case FV_TYPE_F64:
      EACH ((double *) data)[k] = values[k];
      break;
    case FV_TYPE_NONE:
      break;
  }
}

static void
write_floats (FvArray *array, gint64 i, gsize n, const double *values)
{
  gint64 ints[CHUNK];
  gpointer data = (guint8 *) array->data + i * fv_type_size (array->type);
  switch (array->type) {
    case FV_TYPE_F16:
      EACH ((guint16 *) data)[k] = f64_to_f16 (values[k]);
      break;
    case FV_TYPE_F32:
      EACH ((float *) data)[k] = values[k];
      break;
    case FV_TYPE_F64:
      memcpy (data, values, n * sizeof *values);
      break;
    case FV_TYPE_BOOL:
      EACH ((guint8 *) data)[k] = values[k] != 0;
      break;
    case FV_TYPE_U64:
      EACH ((guint64 *) data)
      [k] = values[k] >= 0x1p64 ? G_MAXUINT64
          : values[k] >= 0x1p63 ? (guint64) values[k]
                                : (guint64) f64_to_i64 (values[k]);
      break;
    default:
      EACH ints[k] = f64_to_i64 (values[k]);
      write_ints (array, i, n, ints);
  }
}

#undef EACH

double
fv_array_get_float (const FvArray *array, gint64 i)
{
  double value;
  read_floats (array, i, 1, &value);
  return value;
}

gint64
fv_array_get_int (const FvArray *array, gint64 i)
{
  gint64 value;
  read_ints (array, i, 1, &value);
  return value;
}

void
fv_array_set_float (FvArray *array, gint64 i, double value)
{
  write_floats (array, i, 1, &value);
}

void
fv_array_set_int (FvArray *array, gint64 i, gint64 value)
{
  write_ints (array, i, 1, &value);
}

FvArray *
fv_array_convert (FvArray *array, FvType type, GError **error)
{
  if (array->type == type)
    return fv_array_ref (array);
  FvArray *result = fv_array_new (type, &array->shape, error);
  if (result == NULL)
    return NULL;
  gboolean through_floats = fv_type_is_float (array->type)
      || (array->type == FV_TYPE_U64 && fv_type_is_float (type));
  for (gint64 i = 0; i < array->count; i += CHUNK) {
    gsize n = MIN (CHUNK, array->count - i);
    if (through_floats) {
      double values[CHUNK];
      read_floats (array, i, n, values);
      write_floats (result, i, n, values);
    } else {
      gint64 values[CHUNK];
      read_ints (array, i, n, values);
      write_ints (result, i, n, values);
    }
  }
  return result;
}
