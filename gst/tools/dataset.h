/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/onnx/model.h"

G_BEGIN_DECLS

/* A folder test_data_set_N as ONNX's backend tests have it. */
typedef struct
{
  guint number;
  guint n_inputs, n_outputs;
  FvArray **inputs; /* in the order of the model's inputs */
  FvArray **outputs; /* in the order of the model's outputs */
} DataSet;

/* The numbers N of the data sets in @folder, ascending. (element-type guint)
 * (transfer full) */
GArray *data_set_list (const char *folder, GError **error);
/* Reads input_N.pb and output_N.pb for all of the model's inputs and outputs. */
DataSet *data_set_load (const char *folder, guint number, FvModel *model,
    GError **error);
void data_set_free (DataSet *set); /* %NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DataSet, data_set_free)

/* Frees @n arrays (each may be NULL) and the list. */
void free_arrays (FvArray **arrays, guint n);

G_END_DECLS
