/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an operator's lower() may do: ask for its inputs in a layout, get a place
 * for its outputs, upload weights, add dispatches. Private to engine and ops. */
#pragma once

#include "gst/engine/choice.h"
#include "gst/engine/op.h"
#include "gst/engine/graph.h"

G_BEGIN_DECLS

typedef struct _FvStorage FvStorage; /* an allocation with a lifetime */

/**
 * FvTensor:
 *
 * A strided view of a storage, indexed by the ONNX axes.
 *
 * Element (i0, i1, ...) lies at offset + sum (i * strides), in elements. Of an
 * allocation the innermost axis is padded to a multiple of 4 elements; pad
 * elements of whole allocations are zero, those behind a slice are its
 * neighbours: finite, but not zero. Strides of axes of size 1 mean nothing.
 */
typedef struct _FvTensor
{
  FvStorage *storage;
  FvType type; /* as stored: F32 or F16; integers are whole floats, and bools
                  0 and 1 */
  FvShape shape;
  gint64 strides[FV_MAX_RANK];
  gint64 offset;
} FvTensor;

#define FV_ANY_AXIS (-1)

FvTier fv_plan_tier (FvPlan *plan);
const FvDeviceInfo *fv_plan_device_info (FvPlan *plan);

/* Input @i with axis @inner innermost: its stride is 1, the offset and every other
 * stride are multiples of 4, so that rows can be read in vec4 units. The tensor is
 * copied where its layout differs. FV_ANY_AXIS: as it is, any strides.
 * Constants are uploaded in that layout (in the plan's type) and shared. */
gboolean fv_plan_input (FvPlan *plan, FvNode *node, guint i, int inner,
    FvTensor *tensor, GError **error);
/* The same, and all axes but @inner collapse, in ONNX order, into rows that lie
 * *@row_stride elements apart. */
gboolean fv_plan_input_rows (FvPlan *plan, FvNode *node, guint i, int inner,
    FvTensor *tensor, gint64 *row_stride, GError **error);

/* A place for output @i: a dense allocation (or a slice of a Concat's, so mind the
 * strides) with axis @inner innermost and the others in ONNX order. The kernel
 * writes every vec4 of every row, with zeroes behind the axis' end: within a slice
 * too, as its last vec4 is its own. */
gboolean fv_plan_output (FvPlan *plan, FvNode *node, guint i, int inner,
    FvTensor *tensor, GError **error);
/* The same with the axes' order, outermost first (order[rank - 1] is innermost). */
gboolean fv_plan_output_order (FvPlan *plan, FvNode *node, guint i,
    const guint *order, FvTensor *tensor, GError **error);
/* Output @i is a view of other storage. */
void fv_plan_alias (FvPlan *plan, FvNode *node, guint i, const FvTensor *view);
/* A dense temporary of the plan's type that lives until the node is done. */
gboolean fv_plan_temporary (FvPlan *plan, FvNode *node, gint64 count,
    FvType type, FvTensor *tensor, GError **error);

/* Uploads @count floats as a 1-D tensor, stored in @type (FV_TYPE_NONE: the
 * plan's) and padded with zeros to a multiple of 8. */
gboolean fv_plan_weights (FvPlan *plan, FvNode *node, const float *data,
    gint64 count, FvType type, FvTensor *tensor, GError **error);

/* Uploads @count words as they are, for a kernel that does not take them for floats:
 * to the plan they are a 1-D tensor of f32. */
gboolean fv_plan_words (FvPlan *plan, FvNode *node, const guint32 *data,
    gint64 count, FvTensor *tensor, GError **error);

/* Copies @source into @target (equal element counts, both in ONNX row-major
 * order; any strides on both sides). */
gboolean fv_plan_copy (FvPlan *plan, FvNode *node, const FvTensor *source,
    const FvTensor *target, GError **error);

/* Lowers a Concat along @axis: inputs whose producers already wrote into their
 * slice stay, the others are copied there. */
gboolean
fv_plan_concat (FvPlan *plan, FvNode *node, guint axis, GError **error);

/* Dispatches. Usage:
 *   FvDispatch d; fv_plan_begin (plan, node, &d, "conv");
 *   fv_plan_bind (plan, &d, &x, FALSE); ... fv_plan_bind (plan, &d, &y, TRUE);
 *   fv_plan_bind_steps (...); fv_dispatch_spec (&d, 0, kernel_width);
 *   fv_dispatch_push (&d, &push, sizeof push); d.groups[0] = ...;
 *   fv_plan_add (plan, &d, error)
 * A binding covers the tensor's whole storage: offsets go by push constants, in
 * vec4 units (element offset / 4). */
void fv_plan_begin (FvPlan *plan, FvNode *node, FvDispatch *dispatch,
    const char *kernel);
void fv_plan_bind (FvPlan *plan, FvDispatch *dispatch, const FvTensor *tensor,
    gboolean write);
/* Says which steps there are, by FV_SPEC_STEPS. @inputs: (out): of the node, one for
 * each operand; returns how many. */
guint fv_dispatch_steps (FvDispatch *dispatch, const FvNode *node,
    guint inputs[FV_MAX_OPERANDS]);
/* Binds the operands of node->steps as the next FV_MAX_OPERANDS bindings (a
 * dummy where there are fewer), sets FV_SPEC_STEPS, and fills @push. Rows are
 * those of @output, whose inner axis is @inner. */
gboolean fv_plan_bind_steps (FvPlan *plan, FvNode *node, FvDispatch *dispatch,
    const FvTensor *output, int inner, FvOperandPush push[FV_MAX_OPERANDS],
    GError **error);
gboolean fv_plan_add (FvPlan *plan, FvDispatch *dispatch, GError **error);

/* Work that can be done in several ways. The candidate to take is returned: what
 * was measured on this device, else that of the lowest cost. The dispatches added
 * until fv_plan_chosen(), or the end of lower(), are those that it is about; where
 * a dispatch names no tile, its name does. Choices may be made within another. */
guint fv_plan_choose (FvPlan *plan, const FvOffer *offer);
void fv_plan_chosen (FvPlan *plan);

/* TRUE when all axes but @inner collapse, in ONNX order, into equally spaced rows;
 * @stride: (out): elements between rows. */
gboolean fv_tensor_rows (const FvTensor *tensor, int inner, gint64 *n_rows,
    gint64 *stride);
/* TRUE when stride of @inner is 1 and everything else is a multiple of 4 */
gboolean fv_tensor_is_vec4 (const FvTensor *tensor, int inner);
/* Elements @start .. @start + @size of @axis. */
void fv_tensor_slice (const FvTensor *tensor, guint axis, gint64 start,
    gint64 size, FvTensor *view);
/* The view of @tensor under another shape of as many elements, if strides allow. */
gboolean fv_tensor_reshape (const FvTensor *tensor, const FvShape *shape,
    FvTensor *view);
/* perm as ONNX Transpose has it: axis i of the view is axis perm[i] of @tensor */
void fv_tensor_transpose (const FvTensor *tensor, const gint64 *perm,
    FvTensor *view);

/* gst/ops/copy.c: the kernels behind fv_plan_copy() */
gboolean fv_copy_lower (FvPlan *plan, FvNode *node, const FvTensor *source,
    const FvTensor *target, GError **error);

/* gst/ops/join.c: the kernel behind fv_plan_concat(), for at most FV_JOIN_SOURCES
 * parts along @axis, the target's inner one. */
gboolean fv_join_fits (const FvTensor *sources, guint n, guint axis,
    const FvTensor *target);
gboolean fv_join_lower (FvPlan *plan, FvNode *node, const FvTensor *sources,
    guint n, guint axis, const FvTensor *target, GError **error);

/* graph.c's side of a plan. */
typedef struct
{
  FvType type; /* F32 or F16 */
  gboolean alone; /* every allocation keeps its place, with guard zones */
  gboolean drops; /* constants, once they are packed for all that read them: no
                     other plan can be made of the IR then */
  gboolean keeps_order; /* dispatches stay in the order of their nodes */
  struct _FvTuning *tuning; /* (nullable): choices go by their guesses */
  guint way, tile; /* as FvGraphOptions has them */
} FvPlanOptions;
/* A plan needs no device, but to know what one is like. @limits is copied. */
FvPlan *fv_plan_new (FvTier tier, const FvDeviceInfo *limits, FvIr *ir,
    const FvPlanOptions *options, GError **error);
void fv_plan_free (FvPlan *plan); /* %NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FvPlan, fv_plan_free)

/* fv_graph_new() for an IR that is there already. @ir: (transfer full) */
FvGraph *fv_graph_new_ir (FvDevice *device, FvIr *ir,
    const FvGraphOptions *options, GError **error);

G_END_DECLS
