/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libFuzzer calls, and the models that fuzzing starts from. */
#pragma once

#include <glib.h>

/* FALSE where the model is refused; what must not be ends the process. */
gboolean fuzz_run (const guint8 *data, gsize size, GError **error);
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* Small models of every operator, and of what importer and passes know. */
typedef void (*FuzzSeed) (const char *name, GBytes *bytes, gpointer data);
void fuzz_seeds (FuzzSeed each, gpointer data);
