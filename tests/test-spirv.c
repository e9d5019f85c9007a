/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* spirv-val on every embedded kernel. */
#include "gst/engine/spirv.h"

#include <glib/gstdio.h>
#include <stdlib.h>

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

int
main (void)
{
  g_autofree char *folder = g_dir_make_tmp ("fovea-spirv-XXXXXX", NULL);
  g_autofree char *file = g_build_filename (folder, "module.spv", NULL);
  g_autofree char *tool = g_find_program_in_path ("spirv-val");
  guint failed = 0, n = 0;

  if (!tool) {
    g_printerr ("spirv-val is missing: skipped\n");
    return 77;
  }
  for (const FvSpirv *module = fv_spirv_table; module->name; module++, n++)
    failed += !validate (module, file);
  g_unlink (file);
  g_rmdir (folder);
  g_print ("%u modules, %u failed\n", n, failed);
  return failed || !n ? 1 : 0;
}
