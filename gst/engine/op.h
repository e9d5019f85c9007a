/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The operator table: one row per operator and opset range. */
#pragma once

#include "gst/engine/ir.h"

G_BEGIN_DECLS

typedef struct _FvPlan FvPlan;

/**
 * FvCase:
 *
 * One test of an operator: its node alone, on random inputs, on every
 * tier and type, against reference().
 *
 * @inputs: separated by blanks, in order:
 *     f32[1,7,9,11]     a run-time input, uniform in @low..@high
 *     =f32[5,7,3,3]     a constant with random values
 *     =i64{1,-1,3}      a constant 1-D array with these values (any type)
 *     i64[1,3]{1,-1,3}  a run-time input with these values
 *     =f32(0.5)         a constant scalar
 *     -                 an absent optional input
 * @attrs: "strides=[2,2] mode=linear alpha=0.1", as few as needed
 */
typedef struct
{
  const char *inputs;
  const char *attrs; /* (nullable) */
  double low, high; /* both 0: -1..1 */
  double tolerance; /* 0: the type's default (test-ops.c) */
  guint opset; /* 0: newest */
  guint n_outputs; /* 0: one */
} FvCase;

typedef enum
{
  FV_OP_SHAPE_ONLY = 1 << 0, /* the result depends on the inputs' shapes alone:
                                foldable although inputs are not constant */
  FV_OP_TAKES_STEPS = 1 << 1, /* the kernel can apply node->steps */
  FV_OP_VIEW = 1 << 2, /* moves no data where strides allow */
  FV_OP_CHANNELS = 1 << 3, /* axis 1 of the output is innermost on the device;
                                without: the last axis */
} FvOpFlags;

struct _FvOp
{
  const char *name; /* ONNX's op_type; ours: "fovea.Attention" */
  guint since, until; /* opsets; until 0: up to the newest known (23) */
  guint flags;
  guint variant; /* for functions shared by several rows, e.g. FV_STEP_* */
  guint min_inputs, max_inputs; /* max 0: as min; G_MAXUINT: any */
  guint max_outputs; /* 0: 1 */

  /* Every attribute with its type and default, any other is refused:
   *   "axis:i=-1 epsilon:f=1e-5 mode:s=nearest pads:is alpha:fs value:t"
   * lists and tensors have no default; "axis:i!" must be given. */
  const char *attrs;

  /* (nullable) What of ONNX's text is not done, or by the host alone. */
  const char *limits;

  /* Sets type and shape of every output. Constant inputs may be read; where all are
   * and the shape is found by way of the values, these may be left as constants. */
  gboolean (*infer) (FvNode *node, GError **error);

  /* Plain C, slow and obviously right, double accumulation. Inputs: F32, I64 or
   * BOOL arrays, or NULL where absent; outputs: made by the caller with the
   * inferred shapes, F32, I64 or BOOL; fill them. */
  gboolean (*reference) (FvNode *node, FvArray **inputs, FvArray **outputs,
      GError **error);

  /* Adds kernels or views to the plan; see plan.h. NULL: host only (folded). */
  gboolean (*lower) (FvPlan *plan, FvNode *node, GError **error);

  /* (nullable) This node as one step behind the producer of its input @main:
   * fills kind, a, b and input (index of the operand among node's inputs or -1).
   * FALSE where that cannot be. */
  gboolean (*to_step) (const FvNode *node, guint main, FvStep *step);

  const FvCase *cases; /* ends with an empty one; %NULL without tests */
};

/* The tables of all families, NULL-ended; each table ends with an empty row. */
extern const FvOp *const fv_op_tables[];

/* The row for @name at @opset; on failure NULL, and @known tells whether the name
 * stands in the table at another opset. */
const FvOp *fv_op_find (const char *name, guint opset, gboolean *known);

/* The axis of output 0 that lies innermost, over which a step's operand may be a
 * vector. */
guint fv_node_inner (const FvNode *node);

/* infer for "as input 0" */
gboolean fv_infer_same (FvNode *node, GError **error);

#ifdef FV_NO_CASES
#define FV_CASES(...) NULL
#else
#define FV_CASES(...) ((const FvCase[]){ __VA_ARGS__, {} })
#endif

G_END_DECLS
