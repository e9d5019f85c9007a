/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fovea-test.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <unistd.h>

static char *folder;

char *
fv_test_shared (const char *name)
{
  const char *root = g_getenv ("FOVEA_SHARED");
  g_autofree char *path = root != NULL
      ? g_build_filename (root, name, NULL)
      : g_build_filename (FV_SOURCE_ROOT, "..", "shared", name, NULL);
  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&path);
  g_printerr ("SKIPPED: '%s' is absent (FOVEA_SHARED says where it is)\n",
      path);
  return NULL;
}

char *
fv_test_source (const char *name)
{
  return g_build_filename (FV_SOURCE_ROOT, name, NULL);
}

static void
remove_tree (const char *path)
{
  if (g_file_test (path, G_FILE_TEST_IS_DIR)
      && !g_file_test (path, G_FILE_TEST_IS_SYMLINK)) {
    GDir *dir = g_dir_open (path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
      g_autofree char *child = g_build_filename (path, name, NULL);
      remove_tree (child);
    }
    g_clear_pointer (&dir, g_dir_close);
  }
  g_remove (path);
}

const char *
fv_test_folder (void)
{
  return folder;
}

char *
fv_test_path (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

char *
fv_test_write (const char *name, gconstpointer data, gsize size)
{
  char *path = fv_test_path (name);
  g_autoptr (GError) error = NULL;
  gboolean written = g_file_set_contents (path, data, size, &error);
  ck_assert_msg (written, "%s", error ? error->message : "");
  return path;
}

void
fv_test_error (GError **error, FvError code, const char *text)
{
  ck_assert_msg (*error != NULL, "no error, expected \"%s\"", text);
  ck_assert_msg (g_error_matches (*error, FV_ERROR, code)
          && strstr ((*error)->message, text) != NULL,
      "expected error %d \"%s\", got %d \"%s\"", code, text, (*error)->code,
      (*error)->message);
  ck_assert (g_utf8_validate ((*error)->message, -1, NULL));
  g_clear_error (error);
}

int
fv_test_run (Suite *suite)
{
  g_autoptr (GError) error = NULL;
  folder = g_dir_make_tmp ("fovea-test-XXXXXX", &error);
  if (folder == NULL) {
    g_printerr ("no folder for temporary files: %s\n", error->message);
    return EXIT_FAILURE;
  }
  SRunner *runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  remove_tree (folder);
  g_free (folder);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
