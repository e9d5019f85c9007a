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

/* A pass returns the number of its changes, or -1 with an error. */
typedef gint (*FvPass) (FvIr *ir, GError **error);
gint fv_pass_floats (FvIr *ir, GError **error);
gint fv_pass_einsum (FvIr *ir, GError **error);
gint fv_pass_quantize (FvIr *ir, GError **error);
gint fv_pass_compounds (FvIr *ir, GError **error);
gint fv_pass_identities (FvIr *ir, GError **error);
gint fv_pass_common (FvIr *ir, GError **error);
gint fv_pass_dead (FvIr *ir, GError **error);
gint fv_pass_linear (FvIr *ir, GError **error);
gint fv_pass_gates (FvIr *ir, GError **error);
gint fv_pass_merge_linear (FvIr *ir, GError **error);
gint fv_pass_batch_norm (FvIr *ir, GError **error);
gint fv_pass_conv_scale (FvIr *ir, GError **error);
gint fv_pass_layer_norm (FvIr *ir, GError **error);
gint fv_pass_group_norm (FvIr *ir, GError **error);
gint fv_pass_gelu (FvIr *ir, GError **error);
gint fv_pass_swish (FvIr *ir, GError **error);
gint fv_pass_masks (FvIr *ir, GError **error);
gint fv_pass_rows (FvIr *ir, GError **error);
gint fv_pass_channels (FvIr *ir, GError **error);
gint fv_pass_attention (FvIr *ir, GError **error);
gint fv_pass_heads (FvIr *ir, GError **error);
gint fv_pass_skew (FvIr *ir, GError **error);
gint fv_pass_deform (FvIr *ir, GError **error);
gint fv_pass_lift_steps (FvIr *ir, GError **error);
gint fv_pass_concat_split (FvIr *ir, GError **error);
gint fv_pass_steps (FvIr *ir, GError **error);
gint fv_pass_indices (FvIr *ir, GError **error);

/* Helpers of passes, rewrite.c. */
const FvOp *fv_op_get (const char *name); /* the newest row */
gboolean fv_node_is (const FvNode *node, const char *op_type); /* NULL: no */
/* (nullable) the one user of @value, when it has one use, is no output, and that
 * user is of @op_type (NULL: any) */
FvNode *fv_only_user (const FvValue *value, const char *op_type);
/* (nullable) the node that makes input @i, if it is of @op_type without steps */
FvNode *fv_input_node (const FvNode *node, guint i, const char *op_type);
/* a float constant of one element, whatever its shape */
gboolean fv_value_scalar (const FvValue *value, float *scalar);
/* TRUE for "input of @node other than @value is that scalar" */
gboolean
fv_node_has_scalar (const FvNode *node, float *scalar, FvValue **other);
/* The one axis, from 0 on, that @node reduces; -1: none, or several */
gint64 fv_reduced_axis (const FvNode *node);
/* @node's output now comes from a new node of @op right behind it; @node stays
 * until nothing uses it. */
FvNode *fv_ir_supersede (FvIr *ir, FvNode *node, const char *op,
    FvValue **inputs, guint n_inputs, GError **error);
FvValue *fv_ir_add_floats (FvIr *ir, const char *name, const FvShape *shape,
    FvArray **array);

/* emit.c: nodes that a pass makes in place of another, in order. What depends on
 * constants alone becomes one. A NULL value is that of an error before, and goes
 * through. */
typedef struct
{
  FvIr *ir;
  const char *name; /* (nullable) for the nodes */
  FvNode *last; /* the next one goes behind it */
  FvNode *before; /* that made last: where it was */
  GError **error;
} FvEmit;
/* The newest row of @op, to be given attributes until fv_emit_end(), which returns
 * its result. */
FvNode *
fv_emit_begin (FvEmit *emit, const char *op, FvValue *const *inputs, guint n);
FvValue *fv_emit_end (FvEmit *emit, FvNode *node);
/* Both at once. @b: (nullable): of one input */
FvValue *fv_emit (FvEmit *emit, const char *op, FvValue *a, FvValue *b);
FvValue *fv_emit_ints (FvEmit *emit, const gint64 *values, guint n);
FvValue *fv_emit_scalar (FvEmit *emit, float number);
/* These make nothing where nothing changes. */
FvValue *
fv_emit_reshape (FvEmit *emit, FvValue *value, const gint64 *dims, guint rank);
FvValue *fv_emit_transpose (FvEmit *emit, FvValue *value, const gint64 *perm);

/* An operator that @make takes apart: it gives what stands for output 0, or NULL
 * with an error. */
typedef struct
{
  const char *op;
  gboolean (*applies) (const FvNode *node); /* (nullable) */
  FvValue *(*make) (FvEmit *emit, FvNode *node);
} FvRule;
/* As a pass: every node that one of @rules is for. */
gint fv_emit_rules (FvIr *ir, const FvRule *rules, guint n, GError **error);
FvValue *
fv_emit_where (FvEmit *emit, FvValue *condition, FvValue *yes, FvValue *no);
/* A scalar of any type of numbers. */
FvValue *fv_emit_number (FvEmit *emit, FvType type, double number);
FvValue *fv_emit_cast (FvEmit *emit, FvValue *value, FvType type);

/* moves.c: values made of whole units of another, its source, by nodes that only
 * move data. Per value, for each unit in order, which of the source it is, counted
 * from 1; 0 for one of zeroes. */
typedef enum
{
  FV_MOVES_ROWS, /* by Transpose, Slice, Concat and Pad */
  FV_MOVES_CHANNELS, /* by Transpose, Slice, Split and Gather */
} FvMovesKind;
typedef struct
{
  FvMovesKind kind;
  gint64 unit; /* elements that lie behind each other */
  GHashTable *labels; /* FvValue * -> FvArray * of F32 */
} FvMoves;
#define FV_MOVES_CHAIN 64 /* nodes at most */
/* @node: (nullable) */
gboolean fv_is_move (const FvNode *node, FvMovesKind kind);
FvMoves fv_moves_begin (FvValue *source, gint64 unit, FvMovesKind kind);
void fv_moves_end (FvMoves *moves);
/* (nullable) (transfer none): NULL where @value is no such thing */
FvArray *fv_moves_labels (FvMoves *moves, FvValue *value);
