/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tensors in files beside the model, and nowhere else. */
#include "gst/onnx/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *
external_entry (const Onnx__TensorProto *proto, const char *key)
{
  for (gsize i = 0; i < proto->n_external_data; i++) {
    const Onnx__StringStringEntryProto *entry = proto->external_data[i];
    if (g_strcmp0 (entry->key, key) == 0)
      return entry->value;
  }
  return NULL;
}

/* A relative path without steps upwards. */
static gboolean
is_inside (const char *location)
{
  if (location[0] == '\0' || g_path_is_absolute (location))
    return FALSE;
  g_auto (GStrv) parts = g_strsplit_set (location, "/\\", -1);
  for (guint i = 0; parts[i] != NULL; i++)
    if (strcmp (parts[i], "..") == 0)
      return FALSE;
  return TRUE;
}

/* (nullable) The real path of the file, if that lies in the folder once all
 * symbolic links are followed. */
static char *
confine (FvParser *parser, const char *location, const char *owner,
    GError **error)
{
  g_autofree char *path = g_build_filename (parser->folder, location, NULL);
  char *folder = realpath (parser->folder, NULL);
  char *file = folder != NULL ? realpath (path, NULL) : NULL;
  int saved = errno;
  char *result = NULL;
  if (file == NULL) {
    fv_parser_fail (parser, error, FV_ERROR_NOT_FOUND,
        "%s lies in the file '%s', which cannot be opened: %s", owner, location,
        g_strerror (saved));
  } else {
    gsize n = strlen (folder);
    while (n > 0 && folder[n - 1] == '/')
      n--;
    if (strncmp (folder, file, n) == 0 && file[n] == '/')
      result = g_strdup (file);
    else
      fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
          "%s lies in the file '%s', a link that leads out of the model's "
          "folder",
          owner, location);
  }
  free (file);
  free (folder);
  return result;
}

/* Makes @location the parser's open file; many tensors share one. */
static gboolean
open_external (FvParser *parser, const char *location, const char *owner,
    GError **error)
{
  if (g_strcmp0 (parser->external_name, location) == 0)
    return TRUE;
  if (parser->folder == NULL)
    return fv_parser_fail (parser, error, FV_ERROR_UNSUPPORTED,
        "%s lies in the file '%s', but there is no folder to look in", owner,
        location);
  if (!is_inside (location))
    return fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
        "%s lies in the file '%s', which is not a path inside of the model's "
        "folder",
        owner, location);
  g_autofree char *path = confine (parser, location, owner, error);
  if (path == NULL)
    return FALSE;
  /* O_NONBLOCK: a pipe would make us wait for ever */
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  struct stat status;
  if (fd < 0 || fstat (fd, &status) != 0 || !S_ISREG (status.st_mode)) {
    const char *reason = fd < 0 ? g_strerror (errno) : "not a regular file";
    if (fd >= 0)
      close (fd);
    return fv_parser_fail (parser, error, FV_ERROR_NOT_FOUND,
        "%s lies in the file '%s', which cannot be read: %s", owner, location,
        reason);
  }
  if (parser->external_fd >= 0)
    close (parser->external_fd);
  g_free (parser->external_name);
  parser->external_name = g_strdup (location);
  parser->external_fd = fd;
  parser->external_size = status.st_size;
  return TRUE;
}

/* A number of an entry; @fallback where the file has none. */
static gboolean
external_number (FvParser *parser, const Onnx__TensorProto *proto,
    const char *key, gint64 fallback, const char *owner, gint64 *value,
    GError **error)
{
  const char *text = external_entry (proto, key);
  *value = fallback;
  if (text == NULL || text[0] == '\0')
    return TRUE;
  guint64 number;
  if (!g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, &number, NULL))
    return fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
        "%s has the external %s '%.32s', which is not a number of bytes", owner,
        key, text);
  *value = number;
  return TRUE;
}

static gboolean
read_fully (int fd, gpointer data, gsize size, gint64 offset)
{
  guint8 *position = data;
  while (size > 0) {
    gssize n = pread (fd, position, MIN (size, 1 << 30), offset);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FALSE;
    position += n;
    offset += n;
    size -= n;
  }
  return TRUE;
}

FvArray *
fv_parse_external (FvParser *parser, const Onnx__TensorProto *proto,
    const char *owner, FvType type, const FvShape *shape, gint64 size,
    GError **error)
{
  const char *location = external_entry (proto, "location");
  if (location == NULL) {
    fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
        "%s is said to lie in another file, but none is named", owner);
    return NULL;
  }
  gint64 offset, length;
  if (!external_number (parser, proto, "offset", 0, owner, &offset, error)
      || !external_number (parser, proto, "length", size, owner, &length,
          error))
    return NULL;
  if (length != size) {
    g_autofree char *text = fv_shape_to_string (shape);
    fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
        "%s of shape %s and type %s needs %" G_GINT64_FORMAT
        " bytes, its external length is %" G_GINT64_FORMAT,
        owner, text, fv_type_name (type), size, length);
    return NULL;
  }
  if (!open_external (parser, location, owner, error))
    return NULL;
  if (offset > parser->external_size || size > parser->external_size - offset) {
    fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
        "%s needs %" G_GINT64_FORMAT " bytes at offset %" G_GINT64_FORMAT
        " of the file '%s', which has %" G_GINT64_FORMAT " bytes",
        owner, size, offset, location, parser->external_size);
    return NULL;
  }
  g_autoptr (FvArray) array = fv_array_new (type, shape, error);
  if (array == NULL)
    return NULL;
  if (!read_fully (parser->external_fd, array->data, size, offset)) {
    fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
        "%s: reading %" G_GINT64_FORMAT " bytes of the file '%s' failed", owner,
        size, location);
    return NULL;
  }
  return g_steal_pointer (&array);
}
