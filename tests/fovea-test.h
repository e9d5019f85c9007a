/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all tests share. */
#pragma once

#include <check.h>
#include <glib.h>
#include "gst/onnx/error.h"

G_BEGIN_DECLS

/* (nullable) (transfer full) The path of @name in the folder of models and clips
 * that stands beside the source tree: $FOVEA_SHARED, else ../shared. NULL, said
 * aloud, where it is absent; the test then returns. */
char *fv_test_shared (const char *name);

/* (transfer full) The path of @name in the source tree. */
char *fv_test_source (const char *name);

/* A folder of this process for files that a test writes; emptied at exit. */
const char *fv_test_folder (void);
/* (transfer full) @name in that folder */
char *fv_test_path (const char *name);
/* Writes a file into that folder. (transfer full) its path */
char *fv_test_write (const char *name, gconstpointer data, gsize size);

/* Fails unless @error is an FvError of @code whose message holds @text; clears
 * it. */
void fv_test_error (GError **error, FvError code, const char *text);

/* Runs the suite; what main() returns. A test's time limit is 60 s. */
int fv_test_run (Suite *suite);

G_END_DECLS
