/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/onnx/array.h"

G_BEGIN_DECLS

/* NumPy's .npy: little-endian numbers in C order, at most six axes. */
FvArray *fv_array_load_npy (const char *path, GError **error);
gboolean
fv_array_save_npy (const FvArray *array, const char *path, GError **error);

G_END_DECLS
