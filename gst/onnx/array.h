/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>
#include "gst/onnx/error.h"

G_BEGIN_DECLS

#define FV_MAX_RANK 6

/* Element types, named as ONNX names them. */
typedef enum
{
  FV_TYPE_NONE,
  FV_TYPE_F32,
  FV_TYPE_F16,
  FV_TYPE_F64,
  FV_TYPE_I8,
  FV_TYPE_U8,
  FV_TYPE_I16,
  FV_TYPE_U16,
  FV_TYPE_I32,
  FV_TYPE_U32,
  FV_TYPE_I64,
  FV_TYPE_U64,
  FV_TYPE_BOOL,
} FvType;

FV_API gsize fv_type_size (FvType type); /* bytes of an element; 0 for NONE */
FV_API const char *fv_type_name (FvType type); /* "f32", "i64", ... "none" */
FV_API gboolean fv_type_is_float (FvType type); /* F32, F16 or F64 */
/* TensorProto.DataType; NONE for what we do not know. */
FvType fv_type_from_onnx (gint64 number);

/**
 * FvShape:
 *
 * A rank of 0 to 6 and so many sizes; a size of 0 is an empty tensor,
 * -1 one not yet known. A plain value: copy it by assignment.
 */
typedef struct
{
  guint rank;
  gint64 dims[FV_MAX_RANK];
} FvShape;

/* Elements of @shape; -1 if a size is unknown or the product overflows. */
FV_API gint64 fv_shape_count (const FvShape *shape);
FV_API gboolean fv_shape_equal (const FvShape *a, const FvShape *b);
/* "[1, 3, 224, 224]", "?" for an unknown size. (transfer full) */
FV_API char *fv_shape_to_string (const FvShape *shape);

/**
 * FvArray:
 *
 * A tensor in host memory, row-major without padding.
 *
 * Life:    fv_array_new() or fv_array_new_take(), then ref and unref.
 * Memory:  owns its data. Data may be written as long as one owner has it.
 * Threads: the count is atomic; the data is not protected.
 */
typedef struct
{
  gatomicrefcount ref;
  FvType type;
  FvShape shape;
  gint64 count; /* elements */
  gsize size; /* bytes */
  union
  {
    gpointer data;
    float *f32;
    guint16 *f16;
    double *f64;
    gint64 *i64;
    gint32 *i32;
    guint8 *u8;
    gint8 *i8;
  };
  GBytes *bytes; /* (nullable): what data points into; read only then */
} FvArray;

#define FV_TYPE_ARRAY (fv_array_get_type ())
FV_API GType fv_array_get_type (void);

/* Zero-filled. Fails with FV_ERROR_TOO_LARGE instead of aborting when the size
 * overflows or memory is not to be had. */
FV_API FvArray *
fv_array_new (FvType type, const FvShape *shape, GError **error);
/* Shares @bytes without a copy: its size must be that of the shape and its data
 * aligned to the element. */
FV_API FvArray *fv_array_new_from_bytes (FvType type, const FvShape *shape,
    GBytes *bytes, GError **error);
/* A 1-D (or, for n < 0, 0-D with one element) I64 array: handy for shapes. */
FV_API FvArray *fv_array_new_i64 (const gint64 *values, gint n);
FV_API FvArray *fv_array_ref (FvArray *array);
FV_API void fv_array_unref (FvArray *array); /* %NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FvArray, fv_array_unref)

/* Element @i as a double or an integer, whatever the type (floats are truncated,
 * bools are 0 or 1). Slow: for shapes and scalars. */
FV_API double fv_array_get_float (const FvArray *array, gint64 i);
FV_API gint64 fv_array_get_int (const FvArray *array, gint64 i);
FV_API void fv_array_set_float (FvArray *array, gint64 i, double value);
FV_API void fv_array_set_int (FvArray *array, gint64 i, gint64 value);
/* The same values in another type: floats are rounded to nearest even (F16
 * overflow gives infinity), integers wrap, bool is "not zero".
 * Returns a new reference to @array itself where the type is the same. */
FV_API FvArray *fv_array_convert (FvArray *array, FvType type, GError **error);
/* The same data under another shape of as many elements. */
FV_API FvArray *
fv_array_reshape (FvArray *array, const FvShape *shape, GError **error);

FV_API guint16 fv_f32_to_f16 (float value);
FV_API float fv_f16_to_f32 (guint16 value);

G_END_DECLS
