/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The graph between file and plan: nodes and values with static shapes.
 * Private to the engine and the operators. */
#pragma once

#include "gst/onnx/model.h"
#include "shaders/shared.h"

G_BEGIN_DECLS

typedef struct _FvOp FvOp;
typedef struct _FvNode FvNode;
typedef struct _FvValue FvValue;
typedef struct _FvIr FvIr;

/* One elementwise step behind a node's own result, see shaders/shared.h. */
typedef struct
{
  guint kind; /* FV_STEP_* */
  float a, b;
  gint input; /* index into node->inputs of the operand; -1: none */
} FvStep;

/* A tensor: an input, a constant or a node's output. Owned by the FvIr. */
struct _FvValue
{
  char *name;
  FvType type;
  FvType declared; /* of inputs and outputs: the model's type; passes make every
                      float F32 */
  FvShape shape; /* all sizes known once inferred */
  FvArray *constant; /* (nullable) owned: known at load */
  FvNode *producer; /* (nullable) */
  GPtrArray *users; /* FvNode *, one entry per use */
  gboolean is_input, is_output;
  gboolean is_wide; /* kept in f32 although the plan is f16 */
  struct _FvPlaced *placed; /* the plan's, while there is one */
};

/* An operation. Owned by the FvIr. Inputs may be NULL (absent optional ones);
 * behind the operator's own inputs stand the operands of its steps. */
struct _FvNode
{
  FvIr *ir;
  const FvOp *op;
  char *name;
  guint origin; /* the model's node that it comes from, + 1; 0: none */
  guint opset;
  guint n_inputs, n_outputs;
  FvValue **inputs;
  FvValue **outputs; /* absent ones are NULL */
  guint n_own_inputs; /* without operands of steps */
  guint n_attrs;
  FvAttr *attrs; /* complete: defaults filled in from FvOp.attrs */
  guint64 attrs_given; /* bit i: attrs[i] was set, not defaulted */
  guint n_steps;
  FvStep steps[FV_MAX_STEPS];
};

struct _FvIr
{
  char *name; /* for messages: the file */
  GPtrArray *nodes; /* FvNode *, topological order */
  GPtrArray *values; /* FvValue *, owns them */
  GPtrArray *graveyard; /* nodes removed by passes, freed with the rest */
  GPtrArray *inputs, *outputs; /* FvValue * */
  gsize memory_limit; /* bytes of one tensor */
  guint64 work_left; /* elements that folding may still compute */
  struct _FvTail *tail; /* (nullable) owned: what the host does behind it; the
                           model's outputs are then the tail's, see tail.h */
  guint origin; /* that fv_ir_add_node() gives */
  guint refused; /* origin of the node that the plan has no kernels for */
  char *why; /* (nullable) owned: the last message of fv_node_fail() alone */
};

/* Attributes: @name must stand in the operator's attrs string. */
gint64 fv_node_int (const FvNode *node, const char *name);
float fv_node_float (const FvNode *node, const char *name);
const char *fv_node_string (const FvNode *node, const char *name);
/* (nullable) NULL when the list is absent or empty */
const gint64 *fv_node_ints (const FvNode *node, const char *name, guint *n);
const float *fv_node_floats (const FvNode *node, const char *name, guint *n);
FvArray *fv_node_tensor (const FvNode *node, const char *name); /* (nullable) */
/* TRUE when the file (or a pass) set it, FALSE when the default stands. */
gboolean fv_node_has (const FvNode *node, const char *name);
void fv_node_set_int (FvNode *node, const char *name, gint64 value);
void fv_node_set_float (FvNode *node, const char *name, float value);
void fv_node_set_string (FvNode *node, const char *name, const char *value);
void fv_node_set_ints (FvNode *node, const char *name, const gint64 *values,
    guint n);

/* (nullable) input @i, NULL too when there are fewer */
FvValue *fv_node_input (const FvNode *node, guint i);
/* (nullable) the constant behind input @i */
FvArray *fv_node_constant (const FvNode *node, guint i);
/* The integers of a constant input (shape, axes ...) as (transfer full) I64
 * array; fails naming the node when the input is absent or, with
 * FV_ERROR_DYNAMIC, not constant. */
FvArray *fv_node_constant_ints (const FvNode *node, guint i, GError **error);
/* Sets an error that names file, node, operator, opset and input shapes. */
gboolean fv_node_fail (const FvNode *node, GError **error, FvError code,
    const char *format, ...) G_GNUC_PRINTF (4, 5);
/* @axis in -rank..rank-1 made positive; fails by name when outside. */
gboolean fv_node_axis (const FvNode *node, gint64 axis, guint rank,
    guint *result, GError **error);
/* numpy's broadcasting of both shapes; fails naming the node */
gboolean fv_node_broadcast (const FvNode *node, const FvShape *a,
    const FvShape *b, FvShape *result, GError **error);

/* The least and the greatest value of an integer type of 8 or 16 bits. */
void fv_type_range (FvType type, gint64 *low, gint64 *high);

/* TRUE for integers, which the device keeps as f32: exactly as long as their
 * magnitude is at most FV_INTEGER_LIMIT. */
#define FV_INTEGER_LIMIT (1 << 24)
gboolean fv_value_is_integer (const FvValue *value);
/* Fails, naming @node and @value, where that is a constant with integers that the
 * device cannot keep. */
gboolean fv_node_check_integers (const FvNode *node, const FvValue *value,
    GError **error);

/* Why most nodes of the host tail stand there. */
#define FV_NO_KERNEL "has no kernel"

/* Building and changing. Names are made unique. All return what the IR owns. */
FvIr *fv_ir_new (const char *name);
void fv_ir_free (FvIr *ir); /* %NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FvIr, fv_ir_free)
FvValue *
fv_ir_add_value (FvIr *ir, const char *name, FvType type, const FvShape *shape);
FvValue *fv_ir_add_constant (FvIr *ir, const char *name, FvArray *array);
/* Adds a node at the end; attributes get the operator's defaults. */
FvNode *fv_ir_add_node (FvIr *ir, const FvOp *op, const char *name,
    FvValue **inputs, guint n_inputs, FvValue **outputs, guint n_outputs);
/* Takes the attributes of a file's node; any that the operator's row lacks, or of
 * another kind, is an error. */
gboolean
fv_node_take_attrs (FvNode *node, const FvModelNode *from, GError **error);
/* Puts @node right behind @after (or first, for NULL) in the order. */
void fv_ir_place_after (FvIr *ir, FvNode *node, FvNode *after);
void fv_ir_remove_node (FvIr *ir, FvNode *node);
void fv_node_set_input (FvNode *node, guint i, FvValue *value);
guint fv_node_add_input (FvNode *node, FvValue *value);
/* Every use of @from, and the output list, now uses @to. */
void fv_ir_replace_value (FvIr *ir, FvValue *from, FvValue *to);

/* The model with its free sizes bound, shapes inferred, everything constant
 * folded. @shapes: as for fv_model_bind_shapes(). */
FvIr *fv_ir_build (FvModel *model, const FvShape *shapes, guint n_shapes,
    gsize memory_limit, GError **error);
/* The same; the nodes in @host (index + 1 -> reason, as text) begin the host tail,
 * whether the device could run them or not. */
FvIr *fv_ir_build_host (FvModel *model, const FvShape *shapes, guint n_shapes,
    gsize memory_limit, GHashTable *host, GError **error);
/* The type that the model gives an input or output. */
FvType fv_value_declared (const FvValue *value);
/* Re-runs shape inference on one node (after a pass made it). */
gboolean fv_node_infer (FvNode *node, GError **error);
/* Runs one node through its C reference: float types arrive and leave as F32,
 * integers as I64, bool as BOOL. Steps are applied. */
gboolean fv_node_reference (FvNode *node, FvArray **inputs, FvArray **outputs,
    GError **error);
/* One step's function of the running value @v and the operand @y. */
double fv_step_value (const FvStep *step, double v, double y);
/* The IR's law, as text of the first breach or NULL; passes call it in debug
 * builds. (transfer full) */
char *fv_ir_verify (FvIr *ir);
/* Runs all of it through the references. @round_f16: weights and results are
 * rounded to f16 in between. @visit: (nullable) sees each node's outputs. */
typedef void (*FvVisit) (FvNode *node, FvArray **outputs, gpointer data);
gboolean
fv_ir_run_reference (FvIr *ir, FvArray *const *inputs, FvArray **outputs,
    gboolean round_f16, FvVisit visit, gpointer data, GError **error);

/* The rewrite passes: fusion for the device; the result still runs through the
 * references. */
gboolean fv_ir_rewrite (FvIr *ir, GError **error);

G_END_DECLS
