/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/card/settings.h"

#include <math.h>
#include <string.h>

static void
setting_free (gpointer data)
{
  FvSetting *setting = data;
  g_strfreev (setting->values);
  g_free (setting->where);
  g_free (setting);
}

void
fv_settings_put_list (FvCard *card, const char *key, const char *const *values,
    FvCardSource source, const char *where)
{
  GHashTable **map = &card->priv->settings;
  FvSetting *setting;

  if (*map == NULL)
    *map =
        g_hash_table_new_full (g_str_hash, g_str_equal, g_free, setting_free);
  setting = g_hash_table_lookup (*map, key);
  if (setting != NULL && setting->source > source)
    return;
  setting = g_new0 (FvSetting, 1);
  setting->values = g_strdupv ((char **) values);
  setting->source = source;
  setting->where = g_strdup (where);
  g_hash_table_replace (*map, g_strdup (key), setting);
}

void
fv_settings_put (FvCard *card, const char *key, const char *value,
    FvCardSource source, const char *where)
{
  const char *values[] = { value, NULL };
  fv_settings_put_list (card, key, values, source, where);
}

void
fv_settings_put_numbers (FvCard *card, const char *key, const double *values,
    guint n, FvCardSource source, const char *where)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) list = NULL;
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  for (guint i = 0; i < n; i++)
    g_strv_builder_add (builder,
        g_ascii_formatd (text, sizeof text, "%.9g", values[i]));
  list = g_strv_builder_end (builder);
  fv_settings_put_list (card, key, (const char *const *) list, source, where);
}

static gboolean
has_source (gpointer key, gpointer value, gpointer data)
{
  return ((FvSetting *) value)->source == GPOINTER_TO_UINT (data);
}

void
fv_settings_remove (FvCard *card, FvCardSource source)
{
  if (card->priv->settings != NULL)
    g_hash_table_foreach_remove (card->priv->settings, has_source,
        GUINT_TO_POINTER (source));
}

const FvSetting *
fv_settings_get (const FvCard *card, const char *head, const char *key)
{
  GHashTable *map = card->priv->settings;
  const FvSetting *own = NULL, *common;

  if (map == NULL)
    return NULL;
  common = g_hash_table_lookup (map, key);
  if (head == NULL || *head == '\0')
    return common;
  g_autofree char *full = g_strconcat (head, ".", key, NULL);
  own = g_hash_table_lookup (map, full);
  /* what the user says goes to the first head, the rest speaks of the model */
  if (common != NULL && common->source == FV_CARD_PROPERTY
      && card->n_heads == 0)
    return common;
  return own;
}

FvCardSource
fv_settings_source (const FvCard *card, const char *head, const char *key,
    FvCardSource otherwise)
{
  const FvSetting *setting = fv_settings_get (card, head, key);
  return setting ? setting->source : otherwise;
}

static gboolean
fail (const FvSetting *setting, const char *key, GError **error,
    const char *expected)
{
  g_autofree char *value = g_strjoinv (";", setting->values);

  if (strlen (value) > 60)
    strcpy (value + 57, "...");
  g_set_error (error, FV_ERROR,
      setting->source == FV_CARD_PROPERTY ? FV_ERROR_INVALID
                                          : FV_ERROR_MALFORMED,
      "%s: %s must be %s, not '%s'", setting->where, key, expected, value);
  return FALSE;
}

const char *
fv_settings_string (const FvCard *card, const char *head, const char *key)
{
  const FvSetting *setting = fv_settings_get (card, head, key);
  return setting ? setting->values[0] : NULL;
}

gboolean
fv_parse_number (const char *text, double *value)
{
  char *end;
  double parsed;

  while (g_ascii_isspace (*text))
    text++;
  parsed = g_ascii_strtod (text, &end);
  if (end == text || !isfinite (parsed))
    return FALSE;
  while (g_ascii_isspace (*end))
    end++;
  if (*end != '\0')
    return FALSE;
  *value = parsed;
  return TRUE;
}

gboolean
fv_settings_numbers (const FvCard *card, const char *head, const char *key,
    double low, double high, guint max, double *values, guint *n,
    GError **error)
{
  const FvSetting *setting = fv_settings_get (card, head, key);
  guint count;

  if (setting == NULL)
    return TRUE;
  count = g_strv_length (setting->values);
  g_autofree char *expected = max == 1
      ? g_strdup_printf ("a number from %g to %g", low, high)
      : g_strdup_printf ("1 to %u numbers from %g to %g", max, low, high);
  if (count == 0 || count > max)
    return fail (setting, key, error, expected);
  for (guint i = 0; i < count; i++)
    if (!fv_parse_number (setting->values[i], &values[i]) || values[i] < low
        || values[i] > high)
      return fail (setting, key, error, expected);
  *n = count;
  return TRUE;
}

gboolean
fv_settings_triple (const FvCard *card, const char *key, double low,
    double high, float *values, GError **error)
{
  double given[3];
  guint n = 0;

  if (!fv_settings_numbers (card, NULL, key, low, high, 3, given, &n, error))
    return FALSE;
  if (n == 2) {
    const FvSetting *setting = fv_settings_get (card, NULL, key);
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "%s: %s must be 1 or 3 numbers, not 2", setting->where, key);
    return FALSE;
  }
  for (guint i = 0; n != 0 && i < 3; i++)
    values[i] = (float) given[n == 1 ? 0 : i];
  return TRUE;
}

gboolean
fv_settings_number (const FvCard *card, const char *head, const char *key,
    double low, double high, double *value, GError **error)
{
  guint n;
  return fv_settings_numbers (card, head, key, low, high, 1, value, &n, error);
}

gboolean
fv_settings_float (const FvCard *card, const char *head, const char *key,
    double low, double high, float *value, GError **error)
{
  double number = *value;

  if (!fv_settings_number (card, head, key, low, high, &number, error))
    return FALSE;
  *value = (float) number;
  return TRUE;
}

gboolean
fv_settings_int (const FvCard *card, const char *head, const char *key,
    gint low, gint high, gint *value, GError **error)
{
  const FvSetting *setting = fv_settings_get (card, head, key);
  double number = *value;

  if (!fv_settings_number (card, head, key, low, high, &number, error))
    return FALSE;
  if (number != floor (number))
    return fail (setting, key, error, "a whole number");
  *value = (gint) number;
  return TRUE;
}

gboolean
fv_settings_uint (const FvCard *card, const char *head, const char *key,
    guint low, guint high, guint *value, GError **error)
{
  gint number = (gint) MIN (*value, (guint) G_MAXINT);

  if (!fv_settings_int (card, head, key, (gint) low, (gint) high, &number,
          error))
    return FALSE;
  if (fv_settings_get (card, head, key) != NULL)
    *value = (guint) number;
  return TRUE;
}

gboolean
fv_settings_bool (const FvCard *card, const char *head, const char *key,
    gboolean *value, GError **error)
{
  static const char *const no_yes[] = { "false", "true", NULL };
  gint index = *value ? 1 : 0;

  if (!fv_settings_enum (card, head, key, no_yes, &index, error))
    return FALSE;
  *value = index == 1;
  return TRUE;
}

gboolean
fv_settings_enum (const FvCard *card, const char *head, const char *key,
    const char *const *nicks, gint *value, GError **error)
{
  const FvSetting *setting = fv_settings_get (card, head, key);

  if (setting == NULL)
    return TRUE;
  for (gint i = 0; nicks[i] != NULL; i++)
    if (setting->values[0] != NULL && setting->values[1] == NULL
        && g_ascii_strcasecmp (setting->values[0], nicks[i]) == 0) {
      *value = i;
      return TRUE;
    }
  g_autofree char *list = g_strjoinv (", ", (char **) nicks);
  g_autofree char *expected = g_strconcat ("one of ", list, NULL);
  return fail (setting, key, error, expected);
}

gboolean
fv_card_find_output (const FvCard *card, const char *name, const char *where,
    guint *output, GError **error)
{
  g_autoptr (GString) known = g_string_new (NULL);

  for (guint i = 0; i < card->priv->n_outputs; i++) {
    const char *candidate = card->priv->outputs[i].name;
    if (g_strcmp0 (candidate, name) == 0) {
      *output = i;
      return TRUE;
    }
    if (known->len < 200)
      g_string_append_printf (known, "%s'%s'", i ? ", " : "", candidate);
  }
  g_set_error (error, FV_ERROR, FV_ERROR_NOT_FOUND,
      "%s: the model has no output '%s'; it has %s", where, name, known->str);
  return FALSE;
}

gboolean
fv_settings_output (const FvCard *card, const char *head, const char *key,
    guint *output, GError **error)
{
  const FvSetting *setting = fv_settings_get (card, head, key);

  if (setting == NULL)
    return TRUE;
  if (setting->values[0] == NULL || setting->values[1] != NULL)
    return fail (setting, key, error, "the name of one output");
  return fv_card_find_output (card, setting->values[0], setting->where, output,
      error);
}

FvCardLine *
fv_card_line (FvCard *card, const char *head, const char *key,
    FvCardSource otherwise, const char *format, ...)
{
  FvCardLine *line = g_new0 (FvCardLine, 1);
  const FvSetting *setting;
  va_list args;

  va_start (args, format);
  line->value = g_strdup_vprintf (format, args);
  va_end (args);
  line->key = head != NULL && *head != '\0' ? g_strconcat (head, ".", key, NULL)
                                            : g_strdup (key);
  setting = fv_settings_get (card, head, key);
  line->source = setting ? setting->source : otherwise;
  line->where = setting ? g_strdup (setting->where) : NULL;
  g_ptr_array_add (card->lines, line);
  return line;
}

void
fv_card_line_from (FvCardLine *line, FvCardSource source, const char *where)
{
  g_autofree char *old = line->where;

  line->source = source;
  line->where = g_strdup (where);
}

void
fv_card_warn (FvCard *card, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  /* names and metadata of files are in it, some of them cut */
  g_ptr_array_add (card->warnings, g_utf8_make_valid (text, -1));
}
