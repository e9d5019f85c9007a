/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tensors as rows of equal distance, for kernels that work on whole rows; and
 * what such kernels need to know of the device. Private to the operators. */
#pragma once

#include "gst/engine/plan.h"

G_BEGIN_DECLS

/**
 * FvRows:
 *
 * Input 0 and output 0 of a node as [rows][width], @width elements at
 * stride 1 each.
 *
 * Life: fv_rows_begin() places both, the caller adds its dispatch with @x and @y
 *       bound and fv_rows_bind_steps(), fv_rows_end() copies the result to where
 *       it belongs if the kernel could not write there.
 */
typedef struct
{
  gint64 rows, width;
  FvTensor x, y;
  gint64 x_row, y_row; /* elements */
  int inner; /* axis of the rows; -1: several axes flattened */
  FvTensor output; /* the node's */
  gboolean copy_back;
} FvRows;

/* Rows run along @axis alone or, with @flatten, over it and all behind it. */
gboolean fv_rows_begin (FvPlan *plan, FvNode *node, guint axis,
    gboolean flatten, FvRows *rows, GError **error);
gboolean fv_rows_bind_steps (FvPlan *plan, FvNode *node, const FvRows *rows,
    FvDispatch *dispatch, FvOperandPush push[FV_MAX_OPERANDS], GError **error);
gboolean
fv_rows_end (FvPlan *plan, FvNode *node, const FvRows *rows, GError **error);

/* Input @i, and a place for output 0, as [rows][width] with rows that lie *@stride
 * elements apart. The input is copied where it lies otherwise; what was written to
 * @flat belongs copied to @output where that has other storage. */
gboolean fv_plan_input_flat (FvPlan *plan, FvNode *node, guint i, gint64 rows,
    gint64 width, FvTensor *flat, gint64 *stride, GError **error);
gboolean
fv_plan_output_flat (FvPlan *plan, FvNode *node, gint64 rows, gint64 width,
    FvTensor *output, FvTensor *flat, gint64 *stride, GError **error);

/* Sets local size, lanes per row (constant 1) and the grid of a kernel over
 * rows; returns the lanes. */
guint fv_rows_grid (FvPlan *plan, const FvRows *rows, FvDispatch *dispatch);

/* Invocations of a workgroup for kernels that @lanes of shuffles join: a subgroup
 * in the subgroup tier, else @wanted. */
guint fv_local_size (FvPlan *plan, guint wanted);

/* A temporary of @shape with axis @inner innermost, the others in ONNX order. */
gboolean fv_dense_temporary (FvPlan *plan, FvNode *node, const FvShape *shape,
    int inner, FvType type, FvTensor *tensor, GError **error);

/* TRUE when @tensor, with axis 1 innermost, is maps (axis 0) of equally spaced
 * rows (all others): sets the elements between them. */
gboolean fv_tensor_maps (const FvTensor *tensor, gint64 *map, gint64 *row);
/* Input 0 in such a layout, copied where it has another. */
gboolean fv_plan_input_maps (FvPlan *plan, FvNode *node, FvTensor *tensor,
    gint64 *map, gint64 *row, GError **error);

G_END_DECLS
