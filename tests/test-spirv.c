/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* spirv-val on every embedded kernel, as it is and as what is made of it where its
 * specialization constants are known. */
#include "gst/engine/kernel-private.h"
#include "gst/engine/spirv-private.h"
#include "shaders/shared.h"

#include <glib/gstdio.h>
#include <stdlib.h>

#define N_VARIANTS 4

/* The specialization constants of @module that choose something: its own are sizes
 * too, which do not go with each other in every way. */
static void
find_constants (const FvSpirv *module, FvConstants *constants)
{
  gsize n = module->size / sizeof *module->code;
  const guint32 *words;

  g_autoptr (GHashTable) ids = g_hash_table_new (NULL, NULL);
  constants->n = 0;
  for (gsize at = FV_SPV_HEADER; at < n; at += words[0] >> 16) {
    guint op;

    words = module->code + at;
    op = words[0] & 0xffff;
    if (op == FV_SPV_DECORATE && words[0] >> 16 == 4
        && words[2] == FV_SPV_DECORATION_SPEC_ID)
      g_hash_table_insert (ids, GUINT_TO_POINTER (words[1]),
          GUINT_TO_POINTER (words[3] + 1));
    if (op < FV_SPV_SPEC_CONSTANT_TRUE || op > FV_SPV_SPEC_CONSTANT)
      continue;
    guint id = GPOINTER_TO_UINT (
        g_hash_table_lookup (ids, GUINT_TO_POINTER (words[2])));
    gboolean is_choice = op != FV_SPV_SPEC_CONSTANT || id > FV_SPEC_STEPS;
    if (id && is_choice && constants->n < G_N_ELEMENTS (constants->id))
      constants->id[constants->n++] = id - 1;
  }
}

/* Steps of any kind, stored as any type, and choices of the kernel's own. */
static void
choose (FvConstants *constants, GRand *random)
{
  for (guint i = 0; i < constants->n; i++) {
    guint id = constants->id[i];

    if (id == FV_SPEC_LOCAL)
      constants->value[i] = FV_DEFAULT_LOCAL;
    else if (id >= FV_SPEC_TYPES || id < FV_SPEC_STEPS)
      constants->value[i] = (guint) g_rand_int_range (random, 0, 2);
    else if ((id - FV_SPEC_STEPS) % 3 == 0)
      constants->value[i] = (guint) g_rand_int_range (random, 0, 100);
    else
      constants->value[i] = 0;
  }
}

static gboolean
validate (const FvSpirv *module, const char *file)
{
  const char *argv[] = { "spirv-val", "--target-env", "vulkan1.2", file, NULL };
  g_autofree char *out = NULL, *err = NULL;
  g_autoptr (GError) error = NULL;
  int status = 1;

  if (!g_file_set_contents (file, (const char *) module->code, module->size,
          &error)
      || !g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL,
          NULL, &out, &err, &status, &error)) {
    g_printerr ("%s: %s\n", module->name, error->message);
    return FALSE;
  }
  if (status)
    g_printerr ("%s: %s%s\n", module->name, out, err);
  return status == 0;
}

static guint
validate_variants (const FvSpirv *module, const char *file, GRand *random)
{
  FvConstants constants;
  guint failed = 0;

  find_constants (module, &constants);
  for (guint i = 0; i < N_VARIANTS; i++) {
    choose (&constants, random);
    g_autoptr (GArray) code = fv_spirv_specialize (module, &constants);
    const FvSpirv made = { module->name,
      (const guint32 *) (gpointer) code->data, code->len * sizeof (guint32) };

    failed += !validate (&made, file);
    if (code->len * sizeof (guint32) > module->size) {
      g_printerr ("%s: grows to %u words\n", module->name, code->len);
      failed++;
    }
  }
  return failed;
}

int
main (void)
{
  g_autofree char *folder = g_dir_make_tmp ("fovea-spirv-XXXXXX", NULL);
  g_autofree char *file = g_build_filename (folder, "module.spv", NULL);
  g_autofree char *tool = g_find_program_in_path ("spirv-val");
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  guint failed = 0, n = 0;

  if (!tool) {
    g_printerr ("spirv-val is missing: skipped\n");
    return 77;
  }
  for (const FvSpirv *module = fv_spirv_table; module->name; module++, n++) {
    failed += !validate (module, file);
    failed += validate_variants (module, file, random);
  }
  g_unlink (file);
  g_rmdir (folder);
  g_print ("%u modules, %u failed\n", n, failed);
  return failed || !n ? 1 : 0;
}
