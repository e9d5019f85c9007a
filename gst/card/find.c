/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models by name: docs/model-cards.md. */
#include "gst/card/card.h"

#include <dlfcn.h>
#include <string.h>

#define MOST_NAMES 20 /* of a folder, in a message */

/* The models that were installed along with this library, wherever its prefix may
 * lie now. */
static char *
installed_folder (void)
{
  static const char here;
  Dl_info library;

  if (dladdr (&here, &library) != 0 && library.dli_fname != NULL) {
    g_autofree char *folder = g_path_get_dirname (library.dli_fname);

    if (g_str_has_suffix (folder, G_DIR_SEPARATOR_S FV_LIBDIR)) {
      g_autofree char *prefix =
          g_strndup (folder, strlen (folder) - strlen (FV_LIBDIR));
      return g_build_filename (prefix, FV_DATADIR, "fovea", "models", NULL);
    }
  }
  return g_build_filename (FV_PREFIX, FV_DATADIR, "fovea", "models", NULL);
}

/* Where models with a name lie, first come first served. */
static GPtrArray *
list_folders (void)
{
  GPtrArray *folders = g_ptr_array_new_with_free_func (g_free);
  const char *path = g_getenv ("FOVEA_MODEL_PATH");
  g_auto (GStrv) parts = g_strsplit (path ? path : "", ":", -1);

  for (guint i = 0; parts[i] != NULL; i++)
    if (*parts[i] != '\0')
      g_ptr_array_add (folders, g_strdup (parts[i]));
  g_ptr_array_add (folders,
      g_build_filename (g_get_user_data_dir (), "fovea", "models", NULL));
  g_ptr_array_add (folders, installed_folder ());
  return folders;
}

static char *
find_in (const char *folder, const char *name)
{
  static const char *const endings[] = { ".onnx", ".modelinfo", "" };

  for (guint i = 0; i < G_N_ELEMENTS (endings); i++) {
    g_autofree char *file = g_strconcat (name, endings[i], NULL);
    g_autofree char *path = g_build_filename (folder, file, NULL);

    if (g_file_test (path, G_FILE_TEST_EXISTS))
      return g_steal_pointer (&path);
  }
  return NULL;
}

/* (nullable) the name by which @file of @folder is found */
static char *
name_of (const char *folder, const char *file)
{
  static const char *const endings[] = { ".onnx.modelinfo", ".modelinfo",
    ".onnx" };
  static const char *const inside[] = { "model.onnx", "onnx/model.onnx" };

  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    if (g_str_has_suffix (file, endings[i]))
      return g_strndup (file, strlen (file) - strlen (endings[i]));
  for (guint i = 0; i < G_N_ELEMENTS (inside); i++) {
    g_autofree char *path = g_build_filename (folder, file, inside[i], NULL);

    if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
      return g_strdup (file);
  }
  return NULL;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* Adds "FOLDER (one, two)" to @text. */
static void
append_names (GString *text, const char *folder)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *file, *last = NULL;
  guint n = 0;

  g_string_append_printf (text, "%s (", folder);
  while (dir != NULL && (file = g_dir_read_name (dir)) != NULL) {
    char *name = name_of (folder, file);

    if (name != NULL)
      g_ptr_array_add (names, name);
  }
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len && n <= MOST_NAMES; i++) {
    const char *name = names->pdata[i];

    if (g_strcmp0 (name, last) == 0) /* a model and its card */
      continue;
    g_string_append_printf (text, "%s%s", n > 0 ? ", " : "",
        n < MOST_NAMES ? name : "...");
    last = name;
    n++;
  }
  g_string_append_printf (text, "%s)",
      dir == NULL  ? "no such folder"
          : n == 0 ? "none"
                   : "");
}

char *
fv_card_find_model (const char *name, GError **error)
{
  g_autoptr (GPtrArray) folders = NULL;
  g_autoptr (GString) searched = NULL;

  if (*name == '\0' || strchr (name, G_DIR_SEPARATOR) != NULL
      || g_file_test (name, G_FILE_TEST_EXISTS))
    return g_strdup (name);
  folders = list_folders ();
  for (guint i = 0; i < folders->len; i++) {
    char *path = find_in (folders->pdata[i], name);

    if (path != NULL)
      return path;
  }
  searched = g_string_new (NULL);
  for (guint i = 0; i < folders->len; i++) {
    g_string_append (searched, i > 0 ? ", " : "");
    append_names (searched, folders->pdata[i]);
  }
  g_set_error (error, FV_ERROR, FV_ERROR_NOT_FOUND,
      "%s: no such file or folder, and no model of that name; there are: %s",
      name, searched->str);
  return NULL;
}
