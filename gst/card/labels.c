/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/card/settings.h"

#include <glib/gstdio.h>
#include <string.h>

char *
fv_read_text (const char *path, gsize limit, gsize *size, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *text = NULL;
  gsize length = 0;
  GStatBuf info;

  if (g_stat (path, &info) != 0 || !S_ISREG (info.st_mode)) {
    g_set_error (error, FV_ERROR, FV_ERROR_NOT_FOUND, "%s: no such file", path);
    return NULL;
  }
  if ((guint64) info.st_size > limit) {
    g_set_error (error, FV_ERROR, FV_ERROR_TOO_LARGE,
        "%s: at most %" G_GSIZE_FORMAT
        " bytes are read, it has %" G_GINT64_FORMAT,
        path, limit, (gint64) info.st_size);
    return NULL;
  }
  if (!g_file_get_contents (path, &text, &length, &local)) {
    g_set_error (error, FV_ERROR, FV_ERROR_NOT_FOUND, "%s", local->message);
    return NULL;
  }
  *size = length;
  return g_steal_pointer (&text);
}

/* "12 traffic light", "12: traffic light", "12,traffic light" */
static gboolean
split_number (const char *line, guint64 *number, const char **rest)
{
  char *end;

  if (!g_ascii_isdigit (*line))
    return FALSE;
  *number = g_ascii_strtoull (line, &end, 10);
  if (*number >= FV_MAX_LABELS)
    return FALSE;
  if (*end == ':' || *end == ',')
    end++;
  else if (*end != ' ' && *end != '\t')
    return FALSE;
  while (*end == ' ' || *end == '\t')
    end++;
  *rest = end;
  return *end != '\0';
}

/* Every line starts with a number of its own, which is then the class. */
static char **
numbered_labels (char **lines, guint n)
{
  g_autoptr (GPtrArray) labels = g_ptr_array_new_with_free_func (g_free);
  guint64 number;
  const char *rest;

  for (guint i = 0; i < n; i++) {
    if (*lines[i] == '\0')
      continue;
    if (!split_number (lines[i], &number, &rest))
      return NULL;
    if (number >= labels->len)
      g_ptr_array_set_size (labels, (gint) number + 1);
    if (g_ptr_array_index (labels, number) != NULL)
      return NULL;
    g_ptr_array_index (labels, number) = g_strdup (rest);
  }
  for (guint i = 0; i < labels->len; i++)
    if (g_ptr_array_index (labels, i) == NULL)
      g_ptr_array_index (labels, i) = g_strdup ("");
  if (labels->len == 0)
    return NULL;
  g_ptr_array_add (labels, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&labels), FALSE);
}

char **
fv_labels_load (const char *path, GError **error)
{
  gsize size = 0;
  guint n;
  g_autofree char *text = fv_read_text (path, FV_MAX_CARD_BYTES, &size, error);
  g_auto (GStrv) lines = NULL;
  char **numbered;

  if (text == NULL)
    return NULL;
  if (strlen (text) != size || !g_utf8_validate (text, (gssize) size, NULL)) {
    g_set_error (error, FV_ERROR, FV_ERROR_MALFORMED,
        "%s: a labels file is UTF-8 text with one label a line, this is not "
        "text",
        path);
    return NULL;
  }
  lines = g_strsplit (g_str_has_prefix (text, "\xef\xbb\xbf") ? text + 3 : text,
      "\n", FV_MAX_LABELS + 2);
  n = g_strv_length (lines);
  for (guint i = 0; i < n; i++)
    g_strstrip (lines[i]);
  while (n > 0 && *lines[n - 1] == '\0') {
    g_clear_pointer (&lines[--n], g_free);
  }
  if (n == 0 || n > FV_MAX_LABELS) {
    g_set_error (error, FV_ERROR, FV_ERROR_MALFORMED,
        "%s: a labels file has 1 to %u lines, this one has %s", path,
        FV_MAX_LABELS, n == 0 ? "none" : "more");
    return NULL;
  }
  numbered = numbered_labels (lines, n);
  return numbered ? numbered : g_steal_pointer (&lines);
}
