/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The importer on anything: libFuzzer's entry (meson configure -Dfuzz=true, with
 * clang), and without it a main() that takes files, for a corpus or a finding:
 *
 *     build/tests/fuzz-onnx -max_len=4096 tests/fuzz/corpus
 */
#include "gst/onnx/model.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (FvModel) model =
      fv_model_parse (bytes, "/nowhere", "fuzzed.onnx", &error);
  /* one or the other, and a message that can be shown */
  if ((model == NULL) != (error != NULL)
      || (error != NULL && !g_utf8_validate (error->message, -1, NULL)))
    __builtin_trap ();
  return 0;
}

#ifndef FV_LIBFUZZER
int
main (int argc, char **argv)
{
  for (int i = 1; i < argc; i++) {
    g_autofree char *data = NULL;
    gsize size;
    if (!g_file_get_contents (argv[i], &data, &size, NULL)) {
      g_printerr ("'%s' cannot be read\n", argv[i]);
      return 1;
    }
    LLVMFuzzerTestOneInput ((const guint8 *) data, size);
  }
  return 0;
}
#endif
