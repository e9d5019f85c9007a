/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fuzzer's target without libFuzzer, as a test: the seeds, and the files
 * named, each also changed a few times.
 *
 *     fuzz-corpus [--write FOLDER] [--changes N] FILE-OR-FOLDER...
 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"

#include <string.h>

#define MAX_SIZE 16384

static char *folder;
static int changes = 4;
static const GOptionEntry options[] = {
  { "write", 'w', 0, G_OPTION_ARG_FILENAME, &folder,
      "write the seeds as files and end", "FOLDER" },
  { "changes", 'c', 0, G_OPTION_ARG_INT, &changes,
      "how often each model is changed", "N" },
  { NULL },
};

static gsize
flip_byte (guint8 *data, gsize size, gsize max_size)
{
  if (size)
    data[size / 3] ^= 1 << size % 8;
  return size;
}

static void
run_changed (GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  guint8 copy[MAX_SIZE];

  for (int i = 0; size <= sizeof copy && i < changes; i++) {
    gsize changed;

    memcpy (copy, data, size);
    changed = fuzz_mutate (copy, size, sizeof copy, i, flip_byte);
    fuzz_run (copy, changed, NULL);
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
