/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every way in which ONNX stores a tensor. */
#include "gst/onnx/parse.h"

#include <string.h>

/* raw_data and external data are little-endian in every file. */
G_STATIC_ASSERT (G_BYTE_ORDER == G_LITTLE_ENDIAN);

static const struct
{
  const char *name;
  FvType type; /* NONE: known to ONNX, not to us */
} onnx_types[] = {
  [0] = { "undefined", FV_TYPE_NONE },
  [1] = { "float", FV_TYPE_F32 },
  [2] = { "uint8", FV_TYPE_U8 },
  [3] = { "int8", FV_TYPE_I8 },
  [4] = { "uint16", FV_TYPE_U16 },
  [5] = { "int16", FV_TYPE_I16 },
  [6] = { "int32", FV_TYPE_I32 },
  [7] = { "int64", FV_TYPE_I64 },
  [8] = { "string", FV_TYPE_NONE },
  [9] = { "bool", FV_TYPE_BOOL },
  [10] = { "float16", FV_TYPE_F16 },
  [11] = { "double", FV_TYPE_F64 },
  [12] = { "uint32", FV_TYPE_U32 },
  [13] = { "uint64", FV_TYPE_U64 },
  [14] = { "complex64", FV_TYPE_NONE },
  [15] = { "complex128", FV_TYPE_NONE },
  [16] = { "bfloat16", FV_TYPE_NONE },
  [17] = { "float8e4m3fn", FV_TYPE_NONE },
  [18] = { "float8e4m3fnuz", FV_TYPE_NONE },
  [19] = { "float8e5m2", FV_TYPE_NONE },
  [20] = { "float8e5m2fnuz", FV_TYPE_NONE },
  [21] = { "uint4", FV_TYPE_NONE },
  [22] = { "int4", FV_TYPE_NONE },
  [23] = { "float4e2m1", FV_TYPE_NONE },
};

FvType
fv_type_from_onnx (gint64 number)
{
  return number > 0 && number < (gint64) G_N_ELEMENTS (onnx_types)
      ? onnx_types[number].type
      : FV_TYPE_NONE;
}

gboolean
fv_parse_type (FvParser *parser, gint32 number, const char *owner, FvType *type,
    GError **error)
{
  if (number <= 0 || number >= (gint32) G_N_ELEMENTS (onnx_types))
    return fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
        "%s has the element type number %d, which ONNX does not have", owner,
        number);
  *type = onnx_types[number].type;
  if (*type == FV_TYPE_NONE)
    return fv_parser_fail (parser, error, FV_ERROR_UNSUPPORTED,
        "%s is of type %s, which is not supported", owner,
        onnx_types[number].name);
  return TRUE;
}

/* Type, shape and byte count, before anything is allocated. */
static gboolean
parse_head (FvParser *parser, const Onnx__TensorProto *proto, const char *owner,
    FvType *type, FvShape *shape, gint64 *size, GError **error)
{
  if (!fv_parse_type (parser, proto->has_data_type ? proto->data_type : 0,
          owner, type, error))
    return FALSE;
  if (proto->n_segment > 0)
    return fv_parser_fail (parser, error, FV_ERROR_UNSUPPORTED,
        "%s is stored in segments, which is not supported", owner);
  if (proto->n_dims > FV_MAX_RANK)
    return fv_parser_fail (parser, error, FV_ERROR_UNSUPPORTED,
        "%s has %" G_GSIZE_FORMAT " dimensions, at most %d are supported",
        owner, proto->n_dims, FV_MAX_RANK);
  *shape = (FvShape){ .rank = proto->n_dims };
  for (guint i = 0; i < shape->rank; i++) {
    shape->dims[i] = proto->dims[i];
    if (shape->dims[i] < 0)
      return fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
          "%s has the size %" G_GINT64_FORMAT " in dimension %u", owner,
          shape->dims[i], i);
  }
  gint64 count = fv_shape_count (shape);
  if (count < 0
      || __builtin_mul_overflow (count, (gint64) fv_type_size (*type), size)
      || *size > parser->weights_left) {
    g_autofree char *text = fv_shape_to_string (shape);
    return fv_parser_fail (parser, error, FV_ERROR_TOO_LARGE,
        "%s of shape %s and type %s is over the limit of %" G_GINT64_FORMAT
        " MiB for all tensors of a model",
        owner, text, fv_type_name (*type), FV_MAX_WEIGHT_BYTES >> 20);
  }
  return TRUE;
}

/* What the typed fields hold for @type. @item: bytes of one of their items. */
static gconstpointer
typed_data (const Onnx__TensorProto *proto, FvType type, gsize *count,
    gsize *item)
{
  switch (type) {
    case FV_TYPE_F32:
      *count = proto->n_float_data;
      *item = sizeof *proto->float_data;
      return proto->float_data;
    case FV_TYPE_F64:
      *count = proto->n_double_data;
      *item = sizeof *proto->double_data;
      return proto->double_data;
    case FV_TYPE_I64:
      *count = proto->n_int64_data;
      *item = sizeof *proto->int64_data;
      return proto->int64_data;
    case FV_TYPE_U64:
    case FV_TYPE_U32:
      *count = proto->n_uint64_data;
      *item = sizeof *proto->uint64_data;
      return proto->uint64_data;
    default:
      *count = proto->n_int32_data;
      *item = sizeof *proto->int32_data;
      return proto->int32_data;
  }
}

/* Copies items, each into the lower bytes of an element. That is what ONNX asks
 * for: a float16 stands as its bits in an int32, a uint32 in a uint64. */
static void
copy_typed (FvArray *array, gconstpointer items, gsize item_size)
{
  gsize size = fv_type_size (array->type);
  if (item_size == size) {
    memcpy (array->data, items, array->size);
    return;
  }
  for (gint64 i = 0; i < array->count; i++) {
    const guint8 *item = (const guint8 *) items + i * item_size;
    guint8 *element = array->u8 + i * size;
    if (array->type == FV_TYPE_BOOL)
      *element = *(const gint32 *) item != 0;
    else
      memcpy (element, item, size);
  }
}

/* An array that takes over the memory of raw_data. */
static FvArray *
take_raw (Onnx__TensorProto *proto, FvType type, const FvShape *shape,
    GError **error)
{
  g_autoptr (GBytes) bytes =
      g_bytes_new_take (proto->raw_data.data, proto->raw_data.len);
  proto->raw_data.data = NULL;
  proto->raw_data.len = 0;
  return fv_array_new_from_bytes (type, shape, bytes, error);
}

static FvArray *
inline_tensor (FvParser *parser, Onnx__TensorProto *proto, const char *owner,
    FvType type, const FvShape *shape, gint64 size, GError **error)
{
  gsize n_items, item_size;
  gconstpointer items = typed_data (proto, type, &n_items, &item_size);
  gboolean is_raw = proto->raw_data.len > 0;
  gint64 expected = is_raw ? size : size / (gint64) fv_type_size (type);
  gint64 got = is_raw ? proto->raw_data.len : n_items;
  if (got != expected) {
    g_autofree char *text = fv_shape_to_string (shape);
    fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
        "%s of shape %s and type %s needs %" G_GINT64_FORMAT
        " %s, the file holds %" G_GINT64_FORMAT,
        owner, text, fv_type_name (type), expected, is_raw ? "bytes" : "values",
        got);
    return NULL;
  }
  if (is_raw)
    return take_raw (proto, type, shape, error);
  FvArray *array = fv_array_new (type, shape, error);
  if (array != NULL && n_items > 0)
    copy_typed (array, items, item_size);
  return array;
}

FvArray *
fv_parse_tensor (FvParser *parser, Onnx__TensorProto *proto, const char *owner,
    GError **error)
{
  FvType type;
  FvShape shape;
  gint64 size = 0;
  if (!parse_head (parser, proto, owner, &type, &shape, &size, error))
    return NULL;
  FvArray *array = proto->data_location == 1
      ? fv_parse_external (parser, proto, owner, type, &shape, size, error)
      : inline_tensor (parser, proto, owner, type, &shape, size, error);
  if (array == NULL)
    return NULL;
  parser->weights_left -= size;
  if (type == FV_TYPE_BOOL)
    for (gint64 i = 0; i < array->count; i++)
      array->u8[i] = array->u8[i] != 0;
  return array;
}
