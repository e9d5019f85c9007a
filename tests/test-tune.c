/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was measured is kept, found again, and taken; what is damaged is not. */
#include "fovea-test.h"
#include "gst/engine/tuning-private.h"
#include "tests/ir-text.h"

#include <stdlib.h>
#include <string.h>

#define NET "x f32[1,8,13,11]; w =f32[8,1,1,2]; y Conv x w group=8"

static gint warnings; /* atomic */

static void
count_warning (const char *domain, GLogLevelFlags level, const char *message,
    gpointer user_data)
{
  g_atomic_int_inc (&warnings);
}

/* An empty folder, which is the cache from now on. */
static void
new_folder (void)
{
  static guint number;
  g_autofree char *name = g_strdup_printf ("tuning-%u", number++);
  g_autofree char *folder = fv_test_path (name);

  g_setenv ("FOVEA_CACHE", folder, TRUE);
  g_atomic_int_set (&warnings, 0);
}

/* (transfer full) the one file in it */
static char *
only_file (void)
{
  const char *folder = g_getenv ("FOVEA_CACHE");
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  char *path = NULL;

  for (const char *name; (name = g_dir_read_name (dir)) != NULL;)
    if (g_str_has_prefix (name, "tuning-")) {
      ck_assert (!path);
      path = g_build_filename (folder, name, NULL);
    }
  ck_assert (path);
  return path;
}

static FvTuning *
table (void)
{
  g_autoptr (GBytes) identity = g_bytes_new_static ("device", 6);

  return fv_tuning_new (identity);
}

static FvOffer
three (const char *shape)
{
  FvOffer offer = { .kernel = "kernel" };

  g_strlcpy (offer.shape, shape, sizeof offer.shape);
  fv_offer_add (&offer, 1, "%u", 1);
  fv_offer_add (&offer, 2, "%u", 2);
  fv_offer_add (&offer, 3, "three");
  return offer;
}

START_TEST (test_table)
{
  const double seconds[] = { 0.25, -1, 0.125 };
  FvOffer a = three ("1x2 window"), b = three ("3x4"), more, other;
  FvTuning *tuning, *beside;
  double found[FV_MAX_CANDIDATES];
  guint chosen = 7;

  new_folder ();
  tuning = table ();
  beside = table ();
  ck_assert (!fv_tuning_find (tuning, &a, &chosen, NULL));
  fv_tuning_put (tuning, &a, 2, seconds);
  fv_tuning_put (beside, &b, 0, seconds);
  fv_tuning_store (tuning);
  fv_tuning_store (beside); /* keeps what the other has stored */
  fv_tuning_free (tuning);
  fv_tuning_free (beside);

  tuning = table ();
  ck_assert (fv_tuning_find (tuning, &a, &chosen, found));
  ck_assert_uint_eq (chosen, 2);
  for (guint i = 0; i < 3; i++)
    ck_assert (found[i] == seconds[i]);
  ck_assert (fv_tuning_find (tuning, &b, &chosen, NULL));
  ck_assert_uint_eq (chosen, 0);
  /* by name, whatever the order */
  other = a;
  other.candidates[0] = a.candidates[2];
  other.candidates[2] = a.candidates[0];
  ck_assert (fv_tuning_find (tuning, &other, &chosen, found));
  ck_assert_uint_eq (chosen, 0);
  ck_assert (found[0] == 0.125);
  /* one that it does not know may be the best */
  more = a;
  fv_offer_add (&more, 4, "four");
  ck_assert (!fv_tuning_find (tuning, &more, &chosen, NULL));
  fv_tuning_free (tuning);
  ck_assert_int_eq (warnings, 0);
}
END_TEST

START_TEST (test_damaged)
{
  const double seconds[] = { 1, 2, 3 };
  FvOffer offer = three ("1x2");
  FvTuning *tuning;
  guint chosen;

  new_folder ();
  tuning = table ();
  fv_tuning_put (tuning, &offer, 1, seconds);
  fv_tuning_store (tuning);
  fv_tuning_free (tuning);
  g_autofree char *path = only_file ();
  ck_assert (
      g_file_set_contents (path, "kernel 1x2\t2\t1=1 2=2 three=3", -1, NULL));
  tuning = table ();
  ck_assert (!fv_tuning_find (tuning, &offer, &chosen, NULL));
  fv_tuning_free (tuning);
  ck_assert_int_eq (warnings, 1);
}
END_TEST

START_TEST (test_sizes)
{
  gint64 last = 0;

  for (gint64 n = 0; n < 100000; n++) {
    gint64 class = fv_size_class (n);

    ck_assert (class >= n && class >= last && class <= n + n / 8 + 1);
    ck_assert (n > 64 || class == n);
    ck_assert (fv_size_class (class) == class);
    last = class;
  }
}
END_TEST

static FvGraph *
load (FvDevice *device, FvTune tune)
{
  FvGraphOptions options = { .precision = FV_TYPE_F32,
    .slots = 1,
    .tune = tune };
  GError *error = NULL;
  FvGraph *graph =
      fv_graph_new_ir (device, ir_text_graph (NET), &options, &error);

  ck_assert_msg (graph != NULL, "%s", graph ? "" : error->message);
  return graph;
}

/* The choices of NET are made @by. */
static void
expect (FvDevice *device, FvTune tune, FvChosenBy by)
{
  g_autoptr (FvGraph) graph = load (device, tune);
  FvProgram *program = fv_graph_program (graph, 0);
  guint n;
  const FvChoice *choices = fv_graph_choices (graph, &n);

  ck_assert_uint_eq (n, 1);
  for (guint i = 0; i < n; i++) {
    const FvChoice *c = &choices[i];
    const FvDispatch *d = fv_program_get (program, c->first);

    ck_assert_uint_eq (c->by, by);
    ck_assert_uint_eq (c->end, c->first + 1);
    ck_assert_str_eq (d->tile, c->offer.candidates[c->chosen].name);
    ck_assert (!g_strcmp0 (d->tile_from, fv_chosen_by_name (by)));
    if (by == FV_CHOSEN_BY_GUESS)
      ck_assert_uint_eq (c->chosen, c->guessed);
    for (guint k = 0; k < c->offer.n && by == FV_CHOSEN_BY_TUNING; k++)
      ck_assert (
          c->seconds[k] < 0 || c->seconds[c->chosen] <= 1.1 * c->seconds[k]);
  }
}

/* A device alone in its process has the table that is stored. */
static FvDevice *
open_device (void)
{
  FvDevice *device = fv_device_open (NULL, NULL);

  ck_assert (device);
  return device;
}

START_TEST (test_measured)
{
  FvDevice *device;

  new_folder ();
  g_unsetenv ("FOVEA_TUNE");
  device = open_device ();
  expect (device, FV_TUNE_DEFAULT, FV_CHOSEN_BY_GUESS);
  expect (device, FV_TUNE_MISSING, FV_CHOSEN_BY_TUNING);
  expect (device, FV_TUNE_DEFAULT, FV_CHOSEN_BY_TUNING);
  expect (device, FV_TUNE_OFF, FV_CHOSEN_BY_GUESS);
  g_setenv ("FOVEA_TUNE", "off", TRUE);
  expect (device, FV_TUNE_DEFAULT, FV_CHOSEN_BY_GUESS);
  fv_device_unref (device);

  device = open_device ();
  g_setenv ("FOVEA_TUNE", "maybe", TRUE);
  ck_assert_int_eq (warnings, 0);
  expect (device, FV_TUNE_DEFAULT, FV_CHOSEN_BY_TUNING);
  ck_assert_int_eq (warnings, 1);
  g_unsetenv ("FOVEA_TUNE");
  fv_device_unref (device);

  new_folder (); /* lost */
  device = open_device ();
  expect (device, FV_TUNE_DEFAULT, FV_CHOSEN_BY_GUESS);
  g_setenv ("FOVEA_TUNE", "on", TRUE);
  expect (device, FV_TUNE_DEFAULT, FV_CHOSEN_BY_TUNING);
  fv_device_unref (device);
  g_unsetenv ("FOVEA_TUNE");
  ck_assert_uint_eq (fv_validation_messages (), 0);
}
END_TEST

/* What is tuned gives the same numbers. */
START_TEST (test_same_result)
{
  g_autoptr (FvArray) x = ir_text_array ("f32[1,8,13,11]", -1, 1);
  FvArray *results[2] = { NULL };
  FvDevice *device;

  new_folder ();
  device = open_device ();
  for (guint i = 0; i < 2; i++) {
    g_autoptr (FvGraph) graph = NULL;
    gboolean ok;

    ir_text_seed (3);
    graph = load (device, i ? FV_TUNE_ANEW : FV_TUNE_OFF);
    ok = fv_graph_run (graph, &x, &results[i], NULL);
    ck_assert (ok);
  }
  for (gint64 i = 0; i < results[0]->count; i++)
    ck_assert_float_eq_tol (results[0]->f32[i], results[1]->f32[i], 1e-3);
  fv_array_unref (results[0]);
  fv_array_unref (results[1]);
  fv_device_unref (device);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("tune");
  TCase *tcase = tcase_create ("tune");

  g_log_set_handler ("Fovea", G_LOG_LEVEL_WARNING, count_warning, NULL);
  tcase_set_timeout (tcase, 600);
  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_table);
  tcase_add_test (tcase, test_damaged);
  tcase_add_test (tcase, test_sizes);
  tcase_add_test (tcase, test_measured);
  tcase_add_test (tcase, test_same_result);
  return fv_test_run (suite);
}
