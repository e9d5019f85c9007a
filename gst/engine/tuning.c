/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/engine/cache-private.h"
#include "gst/engine/kernel-private.h"
#include "gst/engine/tuning-private.h"

#include <string.h>

#define KIND "tuning"
#define VERSION 1 /* changes with what a line says */
#define MOST_ROWS 65536

/* What is known of a class: lists of equal length. */
typedef struct
{
  guint n, chosen;
  FvCandidate candidates[FV_MAX_CANDIDATES]; /* cost: seconds */
} Row;

struct _FvTuning
{
  GBytes *identity;
  GMutex lock; /* all below */
  GHashTable *rows; /* "igemm 3136x64x576 window" -> Row */
  gboolean is_changed;
};

static char *
key_of (const FvOffer *offer)
{
  return g_strconcat (offer->kernel, " ", offer->shape, NULL);
}

static gboolean
parse_candidate (char *text, FvCandidate *candidate)
{
  char *equals = strrchr (text, '='), *end;

  if (!equals || equals == text || equals - text >= FV_CANDIDATE_NAME)
    return FALSE;
  *equals = '\0';
  g_strlcpy (candidate->name, text, sizeof candidate->name);
  candidate->cost = g_ascii_strtod (equals + 1, &end);
  return end != equals + 1 && !*end;
}

/* "KEY\tCHOSEN\tNAME=SECONDS NAME=SECONDS" */
static void
parse_line (GHashTable *rows, const char *line)
{
  g_auto (GStrv) parts = g_strsplit (line, "\t", 4);
  g_autofree Row *row = NULL;

  if (g_strv_length (parts) != 3 || g_hash_table_size (rows) >= MOST_ROWS
      || g_hash_table_contains (rows, parts[0]))
    return;
  g_auto (GStrv) list = g_strsplit (parts[2], " ", FV_MAX_CANDIDATES + 1);
  row = g_new0 (Row, 1);
  row->chosen = G_MAXUINT;
  row->n = g_strv_length (list);
  if (row->n > FV_MAX_CANDIDATES)
    return;
  for (guint i = 0; i < row->n; i++) {
    if (!parse_candidate (list[i], &row->candidates[i]))
      return;
    if (g_str_equal (row->candidates[i].name, parts[1]))
      row->chosen = i;
  }
  if (row->chosen < row->n)
    g_hash_table_insert (rows, g_strdup (parts[0]), g_steal_pointer (&row));
}

/* Adds the rows on disk that @rows lacks. */
static void
load (FvTuning *tuning)
{
  g_autoptr (GBytes) data = fv_cache_load (KIND, tuning->identity);
  gsize size;
  const char *bytes = data ? g_bytes_get_data (data, &size) : NULL;

  if (!bytes)
    return;
  g_autofree char *text = g_strndup (bytes, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", MOST_ROWS + 1);
  for (guint i = 0; lines[i]; i++)
    parse_line (tuning->rows, lines[i]);
}

FvTuning *
fv_tuning_new (GBytes *identity)
{
  FvTuning *tuning = g_new0 (FvTuning, 1);

  tuning->identity = g_bytes_ref (identity);
  g_mutex_init (&tuning->lock);
  tuning->rows =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  load (tuning);
  return tuning;
}

void
fv_tuning_free (FvTuning *tuning)
{
  if (!tuning)
    return;
  g_bytes_unref (tuning->identity);
  g_hash_table_unref (tuning->rows);
  g_mutex_clear (&tuning->lock);
  g_free (tuning);
}

/* Threads of a software device share the CPUs there are: how many is part of it. */
FvTuning *
fv_device_tuning (FvDevice *device)
{
  guint64 facts[] = { VERSION, fv_spirv_digest (), device->tier,
    device->info.is_cpu ? g_get_num_processors () : 0 };
  GByteArray *identity;

  if (g_once_init_enter (&device->tuning)) {
    identity = g_byte_array_new ();
    fv_physical_identity (&device->vk, device->physical, identity);
    g_byte_array_append (identity, (const guint8 *) facts, sizeof facts);
    g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (identity);
    g_once_init_leave (&device->tuning, fv_tuning_new (bytes));
  }
  return device->tuning;
}

/* The index of @name in @row, or -1. */
static gint
find_name (const Row *row, const char *name)
{
  for (guint i = 0; i < row->n; i++)
    if (g_str_equal (row->candidates[i].name, name))
      return (gint) i;
  return -1;
}

gboolean
fv_tuning_find (FvTuning *tuning, const FvOffer *offer, guint *chosen,
    double *seconds)
{
  g_autofree char *key = key_of (offer);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&tuning->lock);
  const Row *row = g_hash_table_lookup (tuning->rows, key);
  gint found = -1, at[FV_MAX_CANDIDATES];

  for (guint i = 0; row && i < offer->n; i++) {
    at[i] = find_name (row, offer->candidates[i].name);
    if (at[i] < 0)
      return FALSE;
    if ((guint) at[i] == row->chosen)
      found = (gint) i;
  }
  if (found < 0)
    return FALSE;
  for (guint i = 0; seconds && i < offer->n; i++)
    seconds[i] = row->candidates[at[i]].cost;
  *chosen = (guint) found;
  return TRUE;
}

void
fv_tuning_put (FvTuning *tuning, const FvOffer *offer, guint chosen,
    const double *seconds)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&tuning->lock);
  Row *row = g_new0 (Row, 1);

  row->n = offer->n;
  row->chosen = chosen;
  for (guint i = 0; i < offer->n; i++) {
    row->candidates[i] = offer->candidates[i];
    row->candidates[i].cost = seconds[i];
  }
  if (g_hash_table_size (tuning->rows) < MOST_ROWS)
    g_hash_table_replace (tuning->rows, key_of (offer), row);
  else
    g_free (row);
  tuning->is_changed = TRUE;
}

static void
print_row (GString *text, const char *key, const Row *row)
{
  g_string_append_printf (text, "%s\t%s\t", key,
      row->candidates[row->chosen].name);
  for (guint i = 0; i < row->n; i++) {
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    g_ascii_formatd (number, sizeof number, "%.9f", row->candidates[i].cost);
    g_string_append_printf (text, "%s%s=%s", i ? " " : "",
        row->candidates[i].name, number);
  }
  g_string_append_c (text, '\n');
}

void
fv_tuning_store (FvTuning *tuning)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&tuning->lock);
  g_autoptr (GBytes) data = NULL;
  GString *text;
  GHashTableIter iter;
  gpointer key, row;

  if (!tuning->is_changed)
    return;
  load (tuning);
  text = g_string_new (NULL);
  g_hash_table_iter_init (&iter, tuning->rows);
  while (g_hash_table_iter_next (&iter, &key, &row))
    print_row (text, key, row);
  data = g_string_free_to_bytes (text);
  fv_cache_store (KIND, tuning->identity, data);
  tuning->is_changed = FALSE;
}
