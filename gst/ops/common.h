/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the operator families share: walking tensors element by element, reading
 * axes, setting outputs. */
#pragma once

#include "gst/engine/op.h"

G_BEGIN_DECLS

#define FV_WALK_OPERANDS 4

/**
 * FvWalk:
 *
 * A walk over all elements of a shape in row-major order, which keeps
 * track of the element that each operand has there.
 *
 *   fv_walk_begin (&walk, &shape); fv_walk_add (&walk, &a); ...
 *   for (gint64 i = 0; i < count; i++, fv_walk_next (&walk))
 *     out[i] = a[walk.at[0]] + b[walk.at[1]];
 */
typedef struct
{
  FvShape shape;
  gint64 index[FV_MAX_RANK];
  guint n;
  gint64 strides[FV_WALK_OPERANDS][FV_MAX_RANK];
  gint64 at[FV_WALK_OPERANDS];
} FvWalk;

void fv_walk_begin (FvWalk *walk, const FvShape *shape);
/* A dense operand that numpy's rules broadcast to the walk's shape. */
void fv_walk_add (FvWalk *walk, const FvShape *operand);
void fv_walk_add_strides (FvWalk *walk, gint64 start,
    const gint64 strides[FV_MAX_RANK]);
void fv_walk_next (FvWalk *walk);

/* Row-major strides without padding. */
void fv_dense_strides (const FvShape *shape, gint64 strides[FV_MAX_RANK]);

/* Sets type and shape of output @i where it is asked for. */
void fv_set_output (FvNode *node, guint i, FvType type, const FvShape *shape);
/* Copies element @i of @source to element @o of @target, of the same type. */
void fv_move (FvArray *target, gint64 o, const FvArray *source, gint64 i);
/* Copies all elements; the shapes may differ, the counts do not. */
void fv_move_all (FvArray *target, const FvArray *source);
/* Fails where one of the node's own inputs is absent: for lists of inputs. */
gboolean fv_node_need_inputs (const FvNode *node, GError **error);
/* Output 0 has the type that all inputs share, and the shape to which they
 * broadcast each other. */
gboolean fv_infer_broadcast (FvNode *node, GError **error);
/* Reference of all that only gives its data another shape. */
gboolean fv_reference_move (FvNode *node, FvArray **inputs, FvArray **outputs,
    GError **error);

/* The attribute (or, if the operator has no such attribute, the constant input
 * @input) @name as a (transfer full) I64 array; NULL without an error where it
 * is absent. */
gboolean fv_node_list (FvNode *node, const char *name, guint input,
    FvArray **list, GError **error);
/* The axes of such a list as flags; @n is their number; none are absent axes.
 * Fails on axes outside of @rank and on repeated ones. */
gboolean fv_node_axes (FvNode *node, guint input, guint rank,
    gboolean flags[FV_MAX_RANK], guint *n, GError **error);
/* Fails unless 0 <= @rank <= FV_MAX_RANK and all sizes are known, at least 0,
 * and few enough to be counted. */
gboolean
fv_node_check_shape (const FvNode *node, const FvShape *shape, GError **error);
/* Fails unless input @i, where it is there, holds integers. */
gboolean fv_node_need_integers (const FvNode *node, guint i, GError **error);
/* The same for integers and floats: all but bools. */
gboolean fv_node_need_numbers (const FvNode *node, guint i, GError **error);
/* @index in -size..size-1 made positive, or an error that names it. */
gboolean fv_node_index (const FvNode *node, gint64 index, gint64 size,
    gint64 *result, GError **error);
/* For rows that the rewrite passes make others of before there is a plan: the cases
 * that they have left have no kernel. */
gboolean fv_lower_rewritten (FvPlan *plan, FvNode *node, GError **error);
/* Towards zero; what int64 cannot hold is clamped, and NaN is 0. */
gint64 fv_truncate (double value);

G_END_DECLS
