/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models by name: where they are looked for, what comes first, what an error says. */
#include <glib/gstdio.h>
#include <string.h>
#include "gst/card/card.h"
#include "tests/fovea-test.h"
#include "tests/model-builder.h"

/* Folders of the test's own: two of the variable, and the user's. */
static char *first, *second, *user;

static char *
make_folder (const char *name)
{
  char *path = fv_test_path (name);

  ck_assert_int_eq (g_mkdir_with_parents (path, 0700), 0);
  return path;
}

/* A model that is known by the name of its input. */
static void
put_model (const char *folder, const char *file, const char *input)
{
  g_autofree char *path = g_build_filename (folder, file, NULL);
  g_autofree char *parent = g_path_get_dirname (path);
  g_autoptr (ModelBuilder) builder = model_builder_new ();

  ck_assert_int_eq (g_mkdir_with_parents (parent, 0700), 0);
  model_builder_input (builder, input, 1, 4, 1, 3, 8, 8);
  model_builder_node (builder, "Relu", "relu", input, "out");
  model_builder_output (builder, "out");
  g_autoptr (GBytes) bytes = model_builder_pack (builder);
  ck_assert (g_file_set_contents (path, g_bytes_get_data (bytes, NULL),
      (gssize) g_bytes_get_size (bytes), NULL));
}

static void
put_card (const char *folder, const char *file, const char *text)
{
  g_autofree char *path = g_build_filename (folder, file, NULL);

  ck_assert (g_file_set_contents (path, text, -1, NULL));
}

static void
check_found (const char *name, const char *input)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FvModel) model = NULL;
  g_autoptr (FvCard) card = fv_card_load (name, NULL, &model, &error);

  ck_assert_msg (card != NULL, "%s: %s", name, error ? error->message : "");
  ck_assert_str_eq (model->graph->inputs[0].name, input);
}

static void
check_missing (const char *name, const char *part)
{
  g_autoptr (GError) error = NULL;

  ck_assert (fv_card_load (name, NULL, NULL, &error) == NULL);
  fv_test_error (&error, FV_ERROR_NOT_FOUND, part);
}

START_TEST (test_found)
{
  g_autoptr (GError) error = NULL;
  FvCard *card;

  put_model (second, "street.onnx", "in-second");
  put_card (second, "street.onnx.modelinfo", "[fovea]\nmean=0.25\n");
  put_model (user, "street.onnx", "in-user");
  put_model (user, "room.onnx", "in-user");
  put_model (user, "folder/onnx/model.onnx", "in-folder");
  put_card (user, "other.modelinfo", "[fovea]\nmodel=room.onnx\nmean=0.5\n");
  check_found ("street", "in-second");
  check_found ("street.onnx", "in-second");
  check_found ("room", "in-user");
  check_found ("folder", "in-folder");
  card = fv_card_load ("street", NULL, NULL, &error);
  ck_assert (card != NULL);
  ck_assert_float_eq (card->input.mean[0], 0.25f);
  fv_card_unref (card);
  card = fv_card_load ("other", NULL, NULL, &error);
  ck_assert (card != NULL);
  ck_assert_float_eq (card->input.mean[0], 0.5f);
  fv_card_unref (card);
  /* the variable's folders in their order, and before the user's */
  put_model (first, "street.onnx", "in-first");
  check_found ("street", "in-first");
}
END_TEST

/* What is a file or folder is no name. */
START_TEST (test_paths_first)
{
  g_autofree char *before = g_get_current_dir ();
  g_autofree char *here = make_folder ("here");
  g_autofree char *path = g_build_filename (here, "street", NULL);

  put_model (first, "street.onnx", "in-first");
  put_model (here, "street/model.onnx", "in-path");
  check_found (path, "in-path");
  ck_assert_int_eq (g_chdir (here), 0);
  check_found ("street", "in-path");
  check_found ("./street", "in-path");
  ck_assert_int_eq (g_chdir (before), 0);
  check_found ("street", "in-first");
  /* nor is what looks like a path */
  check_missing ("./street", "./street");
  check_missing ("there/street", "there/street");
}
END_TEST

START_TEST (test_unknown)
{
  g_autofree char *listed = NULL;

  put_model (first, "street.onnx", "in-first");
  put_card (first, "street.onnx.modelinfo", "[fovea]\nmean=0.25\n");
  put_model (first, "alley/model.onnx", "in-first");
  put_card (first, "README.md", "no model\n");
  listed = g_strdup_printf (
      "%s (alley, street), /nowhere (no such folder), %s (none)", first,
      second);
  check_missing ("stret", listed);
  check_missing ("stret",
      "stret: no such file or folder, and no model of that");
  check_missing ("stret", FV_INSTALLED_MODELS " (");
  check_missing ("stret.onnx", "no model of that name");
  /* not all of a crowd */
  for (guint i = 0; i < 30; i++) {
    g_autofree char *name = g_strdup_printf ("crowd%02u.onnx", i);
    put_card (second, name, "");
  }
  check_missing ("stret", "crowd17, crowd18, ");
  check_missing ("stret", ", ...)");
}
END_TEST

/* New ones for each test, but for the user's: GLib reads where they lie once. */
static void
make_folders (void)
{
  static guint n;
  g_autofree char *data = make_folder ("data");
  g_autofree char *one = g_strdup_printf ("first%u", n);
  g_autofree char *two = g_strdup_printf ("second%u", n++);
  g_autofree char *path = NULL;

  g_setenv ("XDG_DATA_HOME", data, TRUE);
  first = make_folder (one);
  second = make_folder (two);
  user = make_folder ("data/fovea/models");
  path = g_strdup_printf ("%s::/nowhere:%s", first, second);
  g_setenv ("FOVEA_MODEL_PATH", path, TRUE);
}

static void
forget_folders (void)
{
  g_clear_pointer (&first, g_free);
  g_clear_pointer (&second, g_free);
  g_clear_pointer (&user, g_free);
}

int
main (void)
{
  Suite *suite = suite_create ("model-names");
  TCase *tcase = tcase_create ("model-names");

  tcase_add_checked_fixture (tcase, make_folders, forget_folders);
  tcase_add_test (tcase, test_found);
  tcase_add_test (tcase, test_paths_first);
  tcase_add_test (tcase, test_unknown);
  suite_add_tcase (suite, tcase);
  return fv_test_run (suite);
}
