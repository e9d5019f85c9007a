/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/card/json.h"

#include <math.h>
#include <string.h>

#define MAX_NESTING 64
#define MAX_SHOWN 60 /* characters of a value in a message */

/* json-glib recurses without a limit: a file of brackets would end the stack. */
static gboolean
nests_too_deep (const char *text)
{
  guint depth = 0;
  gboolean in_string = FALSE;

  for (const char *p = text; *p != '\0'; p++) {
    if (in_string) {
      if (*p == '\\' && p[1] != '\0')
        p++;
      else if (*p == '"')
        in_string = FALSE;
    } else if (*p == '"') {
      in_string = TRUE;
    } else if (*p == '[' || *p == '{') {
      if (++depth > MAX_NESTING)
        return TRUE;
    } else if ((*p == ']' || *p == '}') && depth > 0) {
      depth--;
    }
  }
  return FALSE;
}

/* NULL without an error where there is no such file. */
static JsonParser *
load (const char *path, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GError) local = NULL;
  g_autofree char *text = NULL;
  gsize size = 0;

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return NULL;
  text = fv_read_text (path, FV_MAX_CARD_BYTES, &size, error);
  if (text == NULL)
    return NULL;
  if (strlen (text) != size || !g_utf8_validate (text, (gssize) size, NULL)) {
    g_set_error (error, FV_ERROR, FV_ERROR_MALFORMED,
        "%s: expected JSON, this is not text", path);
    return NULL;
  }
  if (nests_too_deep (text)) {
    g_set_error (error, FV_ERROR, FV_ERROR_TOO_LARGE,
        "%s: nested deeper than %d levels", path, MAX_NESTING);
    return NULL;
  }
  if (!json_parser_load_from_data (parser, text, (gssize) size, &local)
      || json_parser_get_root (parser) == NULL
      || !JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser))) {
    g_set_error (error, FV_ERROR, FV_ERROR_MALFORMED,
        "%s: expected a JSON object: %s", path,
        local ? local->message : "its outermost value is another");
    return NULL;
  }
  return g_steal_pointer (&parser);
}

gboolean
fv_json_open (FvJson *json, FvCard *card, const char *name, GError **error)
{
  *json = (FvJson){ .card = card, .error = error };
  json->path = g_build_filename (card->priv->folder, name, NULL);
  json->prefix = g_strdup ("");
  json->parser = load (json->path, error);
  if (json->parser == NULL) {
    fv_json_close (json);
    return FALSE;
  }
  json->object = json_node_get_object (json_parser_get_root (json->parser));
  return TRUE;
}

void
fv_json_close (FvJson *json)
{
  g_clear_object (&json->parser);
  g_clear_pointer (&json->path, g_free);
  g_clear_pointer (&json->prefix, g_free);
}

/* NULL where it is not there or nothing counts any more. */
static JsonNode *
get (FvJson *json, const char *key)
{
  JsonNode *node = json_object_get_member (json->object, key);
  return node == NULL || JSON_NODE_HOLDS_NULL (node) || *json->error != NULL
      ? NULL
      : node;
}

gboolean
fv_json_has (FvJson *json, const char *key)
{
  return get (json, key) != NULL;
}

char *
fv_json_where (FvJson *json, const char *key)
{
  return g_strconcat (json->path, ": ", json->prefix, key, NULL);
}

/* "FILE: FIELD must be EXPECTED, not VALUE". (transfer full) */
static char *
complaint (FvJson *json, const char *key, const char *expected)
{
  g_autofree char *where = fv_json_where (json, key);
  JsonNode *node = json_object_get_member (json->object, key);
  g_autofree char *value =
      node ? json_to_string (node, FALSE) : g_strdup ("nothing");

  if (g_utf8_strlen (value, -1) > MAX_SHOWN)
    strcpy (g_utf8_offset_to_pointer (value, MAX_SHOWN - 3), "...");
  return g_strdup_printf ("%s must be %s, not %s", where, expected, value);
}

void
fv_json_fail (FvJson *json, const char *key, const char *expected)
{
  g_autofree char *text = complaint (json, key, expected);

  if (*json->error == NULL)
    g_set_error_literal (json->error, FV_ERROR, FV_ERROR_MALFORMED, text);
}

void
fv_json_doubt (FvJson *json, const char *key, const char *expected)
{
  g_autofree char *text = complaint (json, key, expected);

  fv_card_warn (json->card, "%s", text);
}

gboolean
fv_json_child (FvJson *json, const char *key, FvJson *child)
{
  JsonNode *node = get (json, key);

  if (node == NULL)
    return FALSE;
  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    fv_json_fail (json, key, "an object");
    return FALSE;
  }
  *child = *json;
  child->parser = NULL;
  child->object = json_node_get_object (node);
  child->path = g_strdup (json->path);
  child->prefix = g_strconcat (json->prefix, key, ".", NULL);
  return TRUE;
}

static gboolean
is_number (JsonNode *node, double low, double high, double *value)
{
  if (!JSON_NODE_HOLDS_VALUE (node)
      || (json_node_get_value_type (node) != G_TYPE_INT64
          && json_node_get_value_type (node) != G_TYPE_DOUBLE))
    return FALSE;
  *value = json_node_get_double (node);
  return isfinite (*value) && *value >= low && *value <= high;
}

guint
fv_json_numbers (FvJson *json, const char *key, double low, double high,
    guint max, double *values)
{
  JsonNode *node = get (json, key);
  g_autofree double *found = g_new (double, max);
  guint n = 0;
  gboolean ok;

  if (node == NULL)
    return 0;
  if (JSON_NODE_HOLDS_ARRAY (node)) {
    JsonArray *array = json_node_get_array (node);
    ok = json_array_get_length (array) > 0
        && json_array_get_length (array) <= max;
    while (ok && n < json_array_get_length (array)) {
      ok = is_number (json_array_get_element (array, n), low, high, &found[n]);
      n++;
    }
  } else {
    ok = is_number (node, low, high, &found[n++]);
  }
  if (ok) {
    memcpy (values, found, n * sizeof *values);
    return n;
  }
  g_autofree char *expected = max == 1
      ? g_strdup_printf ("a number from %g to %g", low, high)
      : g_strdup_printf ("1 to %u numbers from %g to %g", max, low, high);
  fv_json_fail (json, key, expected);
  return 0;
}

gboolean
fv_json_number (FvJson *json, const char *key, double low, double high,
    double *value)
{
  return fv_json_numbers (json, key, low, high, 1, value) != 0;
}

gboolean
fv_json_bool (FvJson *json, const char *key, gboolean otherwise)
{
  JsonNode *node = get (json, key);

  if (node == NULL)
    return otherwise;
  if (JSON_NODE_HOLDS_VALUE (node)
      && json_node_get_value_type (node) == G_TYPE_BOOLEAN)
    return json_node_get_boolean (node);
  fv_json_fail (json, key, "true or false");
  return otherwise;
}

const char *
fv_json_string (FvJson *json, const char *key)
{
  JsonNode *node = get (json, key);

  if (node == NULL)
    return NULL;
  if (JSON_NODE_HOLDS_VALUE (node)
      && json_node_get_value_type (node) == G_TYPE_STRING)
    return json_node_get_string (node);
  fv_json_fail (json, key, "a text");
  return NULL;
}

/* What the file does not say is a default of its reader. */
static char *
origin (FvJson *json, const char *key)
{
  if (key != NULL && fv_json_has (json, key))
    return fv_json_where (json, key);
  return g_strdup_printf ("%s: default%s%s", json->path,
      json->defaults ? " of " : "", json->defaults ? json->defaults : "");
}

void
fv_json_put_list (FvJson *json, const char *key, const char *setting,
    const char *const *values)
{
  g_autofree char *where = origin (json, key);
  fv_settings_put_list (json->card, setting, values, FV_CARD_HUGGING_FACE,
      where);
}

void
fv_json_put (FvJson *json, const char *key, const char *setting,
    const char *value)
{
  const char *const values[] = { value, NULL };
  fv_json_put_list (json, key, setting, values);
}

void
fv_json_put_numbers (FvJson *json, const char *key, const char *setting,
    const double *values, guint n)
{
  g_autofree char *where = origin (json, key);
  fv_settings_put_numbers (json->card, setting, values, n, FV_CARD_HUGGING_FACE,
      where);
}

void
fv_json_put_number (FvJson *json, const char *key, const char *setting,
    double value)
{
  fv_json_put_numbers (json, key, setting, &value, 1);
}

gboolean
fv_json_put_filter (FvJson *json, const char *key, const char *name)
{
  static const char *const filters[] = { "nearest", "lanczos", "bilinear",
    "bicubic", "box", "hamming", NULL };

  if (name == NULL || !g_strv_contains (filters, name))
    return FALSE;
  fv_json_put (json, key, "filter", name);
  return TRUE;
}

void
fv_json_put_pillow (FvJson *json)
{
  fv_json_put (json, NULL, "antialias", "true");
  fv_json_put (json, NULL, "eight-bits", "true");
}
