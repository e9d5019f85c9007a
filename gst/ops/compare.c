/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Comparisons, logic, and Where. */
#include "gst/ops/common.h"
#include "gst/ops/elementwise.h"

typedef enum
{
  EQUAL,
  LESS,
  LESS_OR_EQUAL,
  GREATER,
  GREATER_OR_EQUAL,
  AND,
  OR,
  XOR,
} CompareKind;

#define COMPARE(kind, a, b) \
  ((kind) == EQUAL                  ? (a) == (b) \
          : (kind) == LESS          ? (a) < (b) \
          : (kind) == LESS_OR_EQUAL ? (a) <= (b) \
          : (kind) == GREATER       ? (a) > (b) \
                                    : (a) >= (b))

static gboolean
compare_bools (guint kind, gboolean a, gboolean b)
{
  switch (kind) {
    case EQUAL:
      return a == b;
    case AND:
      return a && b;
    case OR:
      return a || b;
    case XOR:
      return a != b;
    default:
      g_assert_not_reached ();
  }
}

static gboolean
infer_compare (FvNode *node, GError **error)
{
  guint kind = node->op->variant;
  gboolean bools;

  if (!fv_infer_broadcast (node, error))
    return FALSE;
  bools = node->inputs[0]->type == FV_TYPE_BOOL;
  if (kind != EQUAL && bools != (kind >= AND))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the inputs are of type %s", fv_type_name (node->inputs[0]->type));
  node->outputs[0]->type = FV_TYPE_BOOL;
  return TRUE;
}

static gboolean
compare (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  const FvArray *a = inputs[0], *b = inputs[1];
  guint kind = node->op->variant;
  guint8 *out = outputs[0]->u8;
  FvWalk walk;

  fv_walk_begin (&walk, &outputs[0]->shape);
  fv_walk_add (&walk, &a->shape);
  fv_walk_add (&walk, &b->shape);
  for (gint64 i = 0; i < outputs[0]->count; i++, fv_walk_next (&walk)) {
    gint64 at = walk.at[0], bt = walk.at[1];

    if (a->type == FV_TYPE_F32)
      out[i] = COMPARE (kind, a->f32[at], b->f32[bt]);
    else if (a->type == FV_TYPE_I64)
      out[i] = COMPARE (kind, a->i64[at], b->i64[bt]);
    else
      out[i] = compare_bools (kind, a->u8[at], b->u8[bt]);
  }
  return TRUE;
}

static gboolean
infer_not (FvNode *node, GError **error)
{
  if (node->inputs[0]->type != FV_TYPE_BOOL)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the input is of type %s", fv_type_name (node->inputs[0]->type));
  return fv_infer_same (node, error);
}

static gboolean not(FvNode * node, FvArray **inputs, FvArray **outputs,
    GError **error)
{
  for (gint64 i = 0; i < outputs[0]->count; i++)
    outputs[0]->u8[i] = !inputs[0]->u8[i];
  return TRUE;
}

static gboolean
infer_where (FvNode *node, GError **error)
{
  FvValue **in = node->inputs;
  FvShape both, shape;

  if (in[0]->type != FV_TYPE_BOOL || in[1]->type != in[2]->type)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected a bool and two of one type, got %s, %s and %s",
        fv_type_name (in[0]->type), fv_type_name (in[1]->type),
        fv_type_name (in[2]->type));
  if (!fv_node_broadcast (node, &in[1]->shape, &in[2]->shape, &both, error)
      || !fv_node_broadcast (node, &in[0]->shape, &both, &shape, error)
      || !fv_node_check_shape (node, &shape, error))
    return FALSE;
  fv_set_output (node, 0, in[1]->type, &shape);
  return TRUE;
}

static gboolean
where (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  FvWalk walk;

  fv_walk_begin (&walk, &outputs[0]->shape);
  for (guint i = 0; i < 3; i++)
    fv_walk_add (&walk, &inputs[i]->shape);
  for (gint64 i = 0; i < outputs[0]->count; i++, fv_walk_next (&walk)) {
    guint pick = inputs[0]->u8[walk.at[0]] ? 1 : 2;

    fv_move (outputs[0], i, inputs[pick], walk.at[pick]);
  }
  return TRUE;
}

/* On the device bools are 0 and 1. */
static gboolean
lower_compare (FvPlan *plan, FvNode *node, GError **error)
{
  static const guint kinds[] = {
    [EQUAL] = FV_STEP_EQUAL,
    [LESS] = FV_STEP_LESS,
    [LESS_OR_EQUAL] = FV_STEP_LESS_OR_EQUAL,
    [GREATER] = FV_STEP_GREATER,
    [GREATER_OR_EQUAL] = FV_STEP_GREATER_OR_EQUAL,
    [AND] = FV_STEP_MUL,
    [OR] = FV_STEP_MAX,
    [XOR] = FV_STEP_SUB,
  };
  FvStep steps[2] = { { kinds[node->op->variant], 0, 0, 1 },
    { FV_STEP_ABS, 0, 0, -1 } };

  return fv_elementwise_lower (plan, node, 0, steps,
      node->op->variant == XOR ? 2 : 1, error);
}

static gboolean
lower_not (FvPlan *plan, FvNode *node, GError **error)
{
  FvStep step = { FV_STEP_AFFINE, -1, 1, -1 };

  return fv_elementwise_lower (plan, node, 0, &step, 1, error);
}

/* Against a number, and both at run time. */
#define NUMBER_CASES \
  FV_CASES ({ .inputs = "i64[2,3,5] =i64(1)", .low = -3, .high = 3 }, \
      { .inputs = "i32[3,7] i32[2,1,7]", .low = -3, .high = 3 }, \
      { .inputs = "f32[2,9] f32[2,1]" })
#define BOOL_CASES \
  FV_CASES ({ .inputs = "bool[2,3,5] bool[3,1]", .high = 2 }, \
      { .inputs = "bool[7] =bool[7]", .high = 2 })

#define COMPARISON(op_name, opset, kind, case_list) \
  { \
    .name = op_name, .since = opset, .variant = kind, .min_inputs = 2, \
    .attrs = "", .infer = infer_compare, .reference = compare, \
    .lower = lower_compare, .cases = case_list, \
  }

const FvOp fv_ops_compare[] = {
  COMPARISON ("Equal", 7, EQUAL, NUMBER_CASES),
  COMPARISON ("Less", 7, LESS, NUMBER_CASES),
  COMPARISON ("LessOrEqual", 12, LESS_OR_EQUAL, NUMBER_CASES),
  COMPARISON ("Greater", 7, GREATER, NUMBER_CASES),
  COMPARISON ("GreaterOrEqual", 12, GREATER_OR_EQUAL, NUMBER_CASES),
  COMPARISON ("And", 7, AND, BOOL_CASES),
  COMPARISON ("Or", 7, OR, BOOL_CASES),
  COMPARISON ("Xor", 7, XOR, BOOL_CASES),
  {
      .name = "Not",
      .since = 1,
      .min_inputs = 1,
      .attrs = "",
      .infer = infer_not,
      .reference = not,
      .lower = lower_not,
      .cases = FV_CASES ({ .inputs = "bool[2,3,5]", .high = 2 }),
  },
  {
      .name = "Where",
      .since = 9,
      .min_inputs = 3,
      .attrs = "",
      .infer = infer_where,
      .reference = where,
      .lower = fv_select_lower,
      .cases = FV_CASES ({ .inputs = "=bool[2,3,5,1] f32[2,3,5,7] f32[7]",
                             .low = 0,
                             .high = 2 },
          { .inputs = "bool[3,1,6] i64[6] i64[3,4,6]", .low = 0, .high = 9 },
          { .inputs = "=bool[3,1,6] =f32(0.5) f32[3,4,6]",
              .low = 0,
              .high = 2 }),
  },
  {},
};
