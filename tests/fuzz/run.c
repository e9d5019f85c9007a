/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fuzzer's target without libFuzzer, as a test: the seeds, and the files
 * named, each also changed a few times.
 *
 *     fuzz-corpus [--write FOLDER] [--changes N] [--save FILE] FILE-OR-FOLDER...
 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"

#include <string.h>

#define MAX_SIZE 16384
#define CHAIN 32 /* changes on top of each other */

static char *folder, *save;
static int changes = 4, first;
static const GOptionEntry options[] = {
  { "write", 'w', 0, G_OPTION_ARG_FILENAME, &folder,
      "write the seeds as files and end", "FOLDER" },
  { "changes", 'c', 0, G_OPTION_ARG_INT, &changes,
      "how often each model is changed", "N" },
  { "first", 'f', 0, G_OPTION_ARG_INT, &first, "number of the first change",
      "N" },
  { "save", 's', 0, G_OPTION_ARG_FILENAME, &save,
      "write each changed model before it runs: the last is the finding",
      "FILE" },
  { NULL },
};

static gsize
flip_byte (guint8 *data, gsize size, gsize max_size)
{
  if (size)
    data[size / 3] ^= 1 << size % 8;
  return size;
}

/* A change that leaves a whole model is what the next one changes. */
static void
run_changed (GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  guint8 kept[MAX_SIZE], changed[MAX_SIZE];

  if (size > sizeof kept)
    return;
  memcpy (kept, data, size);
  for (int i = 0; i < changes; i++) {
    gsize n;

    if (i % CHAIN == 0)
      memcpy (kept, data, size = g_bytes_get_size (bytes));
    memcpy (changed, kept, size);
    n = fuzz_mutate (changed, size, sizeof changed, first + i, flip_byte);
    if (save && !g_file_set_contents (save, (char *) changed, n, NULL))
      g_error ("'%s' cannot be written", save);
    if (!fuzz_run (changed, n, NULL))
      continue;
    memcpy (kept, changed, n);
    size = n;
  }
}

/* A seed is a whole model: it must not be refused. */
static void
run_seed (const char *name, GBytes *bytes, gpointer count)
{
  g_autoptr (GError) error = NULL;
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  if (!fuzz_run (data, size, &error))
    g_error ("seed %s: %s", name, error->message);
  run_changed (bytes);
  ++*(guint *) count;
}

static void
write_seed (const char *name, GBytes *bytes, gpointer count)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);

  if (!g_file_set_contents (path, data, size, &error))
    g_error ("%s", error->message);
  ++*(guint *) count;
}

static gboolean
run_file (const char *path, guint *count)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;
  char *data;
  gsize size;

  if (!g_file_get_contents (path, &data, &size, &error)) {
    g_printerr ("%s\n", error->message);
    return FALSE;
  }
  bytes = g_bytes_new_take (data, size);
  if (!fuzz_run ((const guint8 *) data, size, &error))
    g_print ("%s: %s\n", path, error->message);
  run_changed (bytes);
  ++*count;
  return TRUE;
}

static gboolean
run_path (const char *path, guint *count)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  gboolean done = TRUE;

  if (!dir)
    return run_file (path, count);
  while (done && (name = g_dir_read_name (dir))) {
    g_autofree char *file = g_build_filename (path, name, NULL);

    done = run_file (file, count);
  }
  return done;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context =
      g_option_context_new ("FILE-OR-FOLDER...");
  g_autoptr (GError) error = NULL;
  guint count = 0;

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    g_printerr ("%s\n", error->message);
    return 1;
  }
  if (folder || argc < 2)
    fuzz_seeds (folder ? write_seed : run_seed, &count);
  for (int i = 1; !folder && i < argc; i++)
    if (!run_path (argv[i], &count))
      return 1;
  g_print ("%u models%s\n", count, folder ? " written" : "");
  return 0;
}
