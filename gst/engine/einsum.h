/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Einsum's equation, for its operator and for the pass that takes it apart. */
#pragma once

#include "gst/engine/ir.h"

G_BEGIN_DECLS

#define FV_EINSUM_OPERANDS 8
#define FV_EINSUM_LABELS 64

/* The labels of one tensor's axes. */
typedef struct
{
  guint n;
  guint8 at[FV_MAX_RANK];
} FvEinsumTerm;

/* An axis under an ellipsis has a label of its own. Where an operand has one
 * element along a label of more, it broadcasts. */
typedef struct
{
  guint n_labels, n_operands;
  gint64 size[FV_EINSUM_LABELS];
  FvEinsumTerm operand[FV_EINSUM_OPERANDS], result;
} FvEinsum;

/* Reads the equation of @node and fits the inputs' shapes to it. */
gboolean fv_einsum_read (const FvNode *node, FvEinsum *einsum, GError **error);
/* A set of labels, one bit each. */
guint64 fv_einsum_labels (const FvEinsumTerm *term);
/* Products that one element of the result sums. */
double fv_einsum_products (const FvEinsum *einsum);

G_END_DECLS
