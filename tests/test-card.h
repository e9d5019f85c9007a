/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cards of models that are names and shapes alone. */
#pragma once

#include "gst/card/settings.h"
#include "tests/card-maker.h"
#include "tests/fovea-test.h"

#include <glib/gstdio.h>
#include <string.h>

#define IMAGE "images=f32[1,3,64,96]"

/* A card of a model that is names and shapes; @modelinfo: (nullable): text. */
static inline FvCard *
make (const char *inputs, const char *outputs, const char *modelinfo,
    const char *const *metadata, const char *folder,
    const FvCardOptions *options, GError **error)
{
  FvModel *model = card_maker_model (inputs, outputs, metadata);
  FvCardOptions all = options ? *options : (FvCardOptions){ 0 };
  g_autofree char *path = NULL;
  FvCard *card;

  if (modelinfo != NULL) {
    path = fv_test_write ("card.modelinfo", modelinfo, strlen (modelinfo));
    all.card = path;
  }
  card = fv_card_new (model, folder, &all, error);
  card_maker_free (model);
  return card;
}

static inline FvCard *
must (FvCard *card, GError *error)
{
  ck_assert_msg (card != NULL, "%s", error ? error->message : "no message");
  g_clear_error (&error);
  return card;
}

static inline gboolean
warns (const FvCard *card, const char *text)
{
  for (guint i = 0; i < card->warnings->len; i++)
    if (strstr (card->warnings->pdata[i], text) != NULL)
      return TRUE;
  return FALSE;
}

static inline char *
make_folder (const char *name, const char *config, const char *preprocessor)
{
  char *folder = fv_test_path (name);
  g_autofree char *a = g_build_filename (folder, "config.json", NULL);
  g_autofree char *b =
      g_build_filename (folder, "preprocessor_config.json", NULL);

  ck_assert_int_eq (g_mkdir_with_parents (folder, 0755), 0);
  g_remove (a);
  g_remove (b);
  if (config != NULL)
    ck_assert (g_file_set_contents (a, config, -1, NULL));
  if (preprocessor != NULL)
    ck_assert (g_file_set_contents (b, preprocessor, -1, NULL));
  return folder;
}
