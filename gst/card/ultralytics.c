/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What Ultralytics' exporter writes into an ONNX file: str () of Python values. */
#include "gst/card/settings.h"

#include <string.h>

#define WHERE "metadata of the ONNX file"

static const char *
skip_blanks (const char *p)
{
  while (g_ascii_isspace (*p))
    p++;
  return p;
}

/* Of \xNN and \uNNNN: the character, at most @digits long. */
static gunichar
parse_hex (const char **p, guint digits)
{
  gunichar c = 0;

  for (guint i = 0; i < digits && g_ascii_isxdigit (**p); i++)
    c = c * 16 + (gunichar) g_ascii_xdigit_value (*(*p)++);
  return g_unichar_validate (c) && c != 0 ? c : 0xfffd;
}

/* @p stands on the opening quote; NULL where the string does not end. */
static const char *
parse_string (const char *p, GString *text)
{
  char quote = *p++;

  while (*p != quote) {
    if (*p == '\0')
      return NULL;
    if (*p != '\\') {
      g_string_append_c (text, *p++);
      continue;
    }
    switch (*++p) {
      case '\0':
        return NULL;
      case 'n':
      case 't':
      case 'r':
        g_string_append_c (text, ' ');
        p++;
        break;
      case 'x':
        p++;
        g_string_append_unichar (text, parse_hex (&p, 2));
        break;
      case 'u':
        p++;
        g_string_append_unichar (text, parse_hex (&p, 4));
        break;
      default:
        g_string_append_c (text, *p++);
    }
  }
  return p + 1;
}

/* "7:" in front of a value; @number stays where there is none. */
static const char *
parse_key (const char *p, guint64 *number)
{
  char *end;

  if (*p == '\'' || *p == '"') { /* JSON's way */
    g_autoptr (GString) text = g_string_new (NULL);
    p = parse_string (p, text);
    if (p == NULL)
      return NULL;
    *number = g_ascii_strtoull (text->str, &end, 10);
    if (end == text->str || *end != '\0')
      return NULL;
  } else {
    *number = g_ascii_strtoull (p, &end, 10);
    if (end == p)
      return NULL;
    p = end;
  }
  p = skip_blanks (p);
  return *p == ':' ? skip_blanks (p + 1) : NULL;
}

static gboolean
store_name (GPtrArray *names, guint64 number, const GString *text)
{
  if (number >= FV_MAX_LABELS || !g_utf8_validate (text->str, -1, NULL))
    return FALSE;
  if (number >= names->len)
    g_ptr_array_set_size (names, (gint) number + 1);
  g_free (g_ptr_array_index (names, number));
  g_ptr_array_index (names, number) = g_strdup (text->str);
  return TRUE;
}

char **
fv_parse_python_names (const char *text)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *p = skip_blanks (text);
  gboolean is_dict = *p == '{';
  char close = is_dict ? '}' : ']';

  if (*p != '{' && *p != '[')
    return NULL;
  p = skip_blanks (p + 1);
  for (guint64 number = 0; *p != close; number++) {
    g_autoptr (GString) name = g_string_new (NULL);
    if (is_dict && (p = parse_key (p, &number)) == NULL)
      return NULL;
    if (*p != '\'' && *p != '"')
      return NULL;
    if ((p = parse_string (p, name)) == NULL
        || !store_name (names, number, name))
      return NULL;
    p = skip_blanks (p);
    if (*p != ',' && *p != close)
      return NULL;
    if (*p == ',')
      p = skip_blanks (p + 1);
  }
  if (names->len == 0)
    return NULL;
  for (guint i = 0; i < names->len; i++)
    if (g_ptr_array_index (names, i) == NULL)
      g_ptr_array_index (names, i) = g_strdup ("");
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

static void
put (FvCard *card, const char *key, const char *value)
{
  fv_settings_put (card, key, value, FV_CARD_METADATA, WHERE);
}

/* "[384, 640]" is height, width; "640" is both */
static void
read_size (FvCard *card, const char *text)
{
  g_auto (GStrv) parts = NULL;
  g_autofree char *inner = g_strdup (text);
  double h, w;

  g_strdelimit (inner, "[]()", ' ');
  parts = g_strsplit (inner, ",", 3);
  if (parts[0] == NULL || !fv_parse_number (parts[0], &h))
    return;
  w = h;
  if (parts[1] != NULL && !fv_parse_number (parts[1], &w))
    return;
  if (h < 1 || w < 1 || h > 65536 || w > 65536)
    return;
  fv_settings_put_numbers (card, "height", &h, 1, FV_CARD_METADATA, WHERE);
  fv_settings_put_numbers (card, "width", &w, 1, FV_CARD_METADATA, WHERE);
}

static void
read_task (FvCard *card, const char *task, gboolean end_to_end)
{
  if (g_str_equal (task, "classify")) {
    put (card, "head", "classify");
    put (card, "activation", "none"); /* its exports end in a softmax */
    put (card, "resize", "crop");
    return;
  }
  if (!g_str_equal (task, "detect") && !g_str_equal (task, "segment")
      && !g_str_equal (task, "pose")) {
    fv_card_warn (card, "the file says task=%.40s, which has no decoder", task);
    return;
  }
  put (card, "head",
      g_str_equal (task, "segment") && card->priv->n_outputs > 1
              && card->priv->wanted != FV_HEAD_DETECT
          ? "segment"
          : "detect");
  if (end_to_end)
    put (card, "decoder", "yolov10");
  put (card, "resize", "letterbox");
  put (card, "anchor", "center");
  put (card, "pad", "114");
  put (card, "antialias", "false"); /* its predictor uses OpenCV's resize */
}

void
fv_card_read_ultralytics (FvCard *card, GHashTable *metadata)
{
  const char *names = g_hash_table_lookup (metadata, "names");
  const char *task = g_hash_table_lookup (metadata, "task");
  const char *stride = g_hash_table_lookup (metadata, "stride");
  const char *size = g_hash_table_lookup (metadata, "imgsz");
  const char *end_to_end = g_hash_table_lookup (metadata, "end2end");
  const char *args = g_hash_table_lookup (metadata, "args");
  double number;

  if (names == NULL || (task == NULL && stride == NULL))
    return;
  g_auto (GStrv) labels = fv_parse_python_names (names);
  if (labels != NULL)
    fv_settings_put_list (card, "labels", (const char *const *) labels,
        FV_CARD_METADATA, WHERE);
  else
    fv_card_warn (card, "the file's names are no list of labels: '%.40s'",
        names);
  put (card, "channels", "rgb");
  put (card, "mean", "0");
  put (card, "std", "1");
  read_task (card, task ? task : "detect",
      g_strcmp0 (end_to_end, "True") == 0
          || (args != NULL && strstr (args, "'nms': True") != NULL));
  if (size != NULL)
    read_size (card, size);
  if (stride != NULL && fv_parse_number (stride, &number) && number >= 1
      && number <= 1024)
    fv_settings_put_numbers (card, "multiple", &number, 1, FV_CARD_METADATA,
        WHERE);
}
