/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/engine/op.h"

/* attrs.c */
void fv_node_default_attrs (FvNode *node);
void fv_node_free_attrs (FvNode *node);

/* reference.c: the class that references compute in: F32, I64 or BOOL */
FvType fv_reference_type (FvType type);
/* The values of a constant in that class. (transfer full) */
FvArray *fv_value_floats (const FvValue *value, GError **error);

/* passes: each returns the number of changes, or -1 with an error */
typedef struct
{
  const char *name;
  gint (*run) (FvIr *ir, GError **error);
} FvPass;

/* helpers of passes */
const FvOp *fv_op_get (const char *name);
gboolean fv_node_is (const FvNode *node, const char *op_type);
/* the one user of @value, when it has one use and is no output */
FvNode *fv_value_only_user (const FvValue *value);
/* a constant with one element, whatever the shape */
gboolean fv_value_scalar (const FvValue *value, float *scalar);
