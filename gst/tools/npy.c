/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/tools/npy.h"

#include <stdio.h>
#include <string.h>

#define MAGIC "\x93NUMPY"
#define MAGIC_SIZE 6

static const struct
{
  const char *name;
  FvType type;
} descriptions[] = {
  { "<f4", FV_TYPE_F32 },
  { "<f2", FV_TYPE_F16 },
  { "<f8", FV_TYPE_F64 },
  { "|i1", FV_TYPE_I8 },
  { "|u1", FV_TYPE_U8 },
  { "<i2", FV_TYPE_I16 },
  { "<u2", FV_TYPE_U16 },
  { "<i4", FV_TYPE_I32 },
  { "<u4", FV_TYPE_U32 },
  { "<i8", FV_TYPE_I64 },
  { "<u8", FV_TYPE_U64 },
  { "|b1", FV_TYPE_BOOL },
};

static gboolean fail (GError **error, FvError code, const char *path,
    const char *format, ...) G_GNUC_PRINTF (4, 5);

static gboolean
fail (GError **error, FvError code, const char *path, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, FV_ERROR, code, "'%s': %s", path, message);
  return FALSE;
}

/* (nullable) what stands behind 'key': in the header's dictionary */
static const char *
find_key (const char *header, const char *key)
{
  g_autofree char *quoted = g_strdup_printf ("'%s':", key);
  const char *at = strstr (header, quoted);
  return at != NULL ? at + strlen (quoted) + strspn (at + strlen (quoted), " ")
                    : NULL;
}

static gboolean
parse_type (const char *header, const char *path, FvType *type, GError **error)
{
  const char *text = find_key (header, "descr");
  for (guint i = 0; text != NULL && i < G_N_ELEMENTS (descriptions); i++)
    if (text[0] == '\'' && strncmp (text + 1, descriptions[i].name, 3) == 0
        && text[4] == '\'') {
      *type = descriptions[i].type;
      return TRUE;
    }
  return fail (error, FV_ERROR_UNSUPPORTED, path,
      "its elements are %.13s, not little-endian numbers",
      text != NULL ? text : "not described");
}

static gboolean
parse_shape (const char *header, const char *path, FvShape *shape,
    GError **error)
{
  const char *at = find_key (header, "shape");
  const char *order = find_key (header, "fortran_order");
  if (order == NULL || !g_str_has_prefix (order, "False"))
    return fail (error, FV_ERROR_UNSUPPORTED, path,
        "its elements are in Fortran order; save numpy.ascontiguousarray()");
  if (at == NULL || *at != '(')
    return fail (error, FV_ERROR_MALFORMED, path, "it has no shape");
  at++;
  *shape = (FvShape){ 0 };
  while (*at != ')') {
    char *end;
    guint64 size = g_ascii_strtoull (at, &end, 10);
    if (end == at || !g_ascii_isdigit (*at) || size > G_MAXINT64)
      return fail (error, FV_ERROR_MALFORMED, path, "its shape is damaged");
    if (shape->rank == FV_MAX_RANK)
      return fail (error, FV_ERROR_UNSUPPORTED, path,
          "it has more than %d dimensions", FV_MAX_RANK);
    shape->dims[shape->rank++] = size;
    at = end + strspn (end, ", ");
  }
  return TRUE;
}

/* @start: (out): of the elements */
static gboolean
parse_header (const char *data, gsize size, const char *path, gsize *start,
    FvType *type, FvShape *shape, GError **error)
{
  const guint8 *bytes = (const guint8 *) data;
  if (size < 12 || memcmp (data, MAGIC, MAGIC_SIZE) != 0)
    return fail (error, FV_ERROR_MALFORMED, path, "this is no .npy file");
  gboolean is_first =
      bytes[6] == 1; /* the version decides the length's width */
  *start = is_first ? 10 : 12;
  gsize length = bytes[8] | bytes[9] << 8;
  if (!is_first)
    length |= (gsize) bytes[10] << 16 | (gsize) bytes[11] << 24;
  if (length > size - *start)
    return fail (error, FV_ERROR_MALFORMED, path, "it is cut short");
  g_autofree char *header = g_strndup (data + *start, length);
  *start += length;
  return parse_type (header, path, type, error)
      && parse_shape (header, path, shape, error);
}

FvArray *
fv_array_load_npy (const char *path, GError **error)
{
  g_autofree char *data = NULL;
  g_autoptr (GError) problem = NULL;
  gsize size, start = 0;
  FvType type = FV_TYPE_NONE;
  FvShape shape;
  if (!g_file_get_contents (path, &data, &size, &problem)) {
    g_set_error (error, FV_ERROR, FV_ERROR_NOT_FOUND, "%s", problem->message);
    return NULL;
  }
  if (!parse_header (data, size, path, &start, &type, &shape, error))
    return NULL;
  gint64 count = fv_shape_count (&shape);
  gint64 have = (size - start) / fv_type_size (type);
  if (count < 0 || count > have) {
    g_autofree char *text = fv_shape_to_string (&shape);
    fail (error, FV_ERROR_MALFORMED, path,
        "shape %s of %s needs more than the %" G_GINT64_FORMAT
        " elements that the file holds",
        text, fv_type_name (type), have);
    return NULL;
  }
  FvArray *array = fv_array_new (type, &shape, error);
  if (array != NULL && array->size > 0)
    memcpy (array->data, data + start, array->size);
  return array;
}

gboolean
fv_array_save_npy (const FvArray *array, const char *path, GError **error)
{
  const char *description = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (descriptions); i++)
    if (descriptions[i].type == array->type)
      description = descriptions[i].name;
  g_autoptr (GString) header = g_string_new (NULL);
  g_string_append_printf (header,
      "{'descr': '%s', 'fortran_order': False, 'shape': (", description);
  for (guint i = 0; i < array->shape.rank; i++)
    g_string_append_printf (header, "%" G_GINT64_FORMAT ", ",
        array->shape.dims[i]);
  g_string_append (header, "), }");
  while ((MAGIC_SIZE + 4 + header->len + 1) % 64 != 0)
    g_string_append_c (header, ' ');
  g_string_append_c (header, '\n');
  const guint8 head[] = { 1, 0, header->len & 255, header->len >> 8 };
  FILE *file = fopen (path, "wb");
  gboolean written = file != NULL && fwrite (MAGIC, MAGIC_SIZE, 1, file) == 1
      && fwrite (head, sizeof head, 1, file) == 1
      && fwrite (header->str, header->len, 1, file) == 1
      && fwrite (array->data, 1, array->size, file) == array->size;
  if (file != NULL && fclose (file) != 0)
    written = FALSE;
  if (!written)
    return fail (error, FV_ERROR_NOT_FOUND, path, "cannot be written");
  return TRUE;
}
