/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolutions and products of 8-bit integers. The references compute with whole
 * numbers; the device has them as floats, see engine/rewrite-quantize.c. */
#include "gst/ops/common.h"
#include "gst/engine/ir-private.h"

#include <math.h>

/* Which of a node's inputs is what; 0: none. */
typedef struct
{
  const char *op; /* that does the same with floats */
  gboolean is_conv;
  guint w; /* x is input 0 */
  guint x_zero, w_zero;
  guint x_scale, w_scale, y_scale, y_zero, bias; /* 0 where sums come out */
} Roles;

enum
{
  LINEAR_CONV,
  LINEAR_MATMUL,
  INTEGER_CONV,
  INTEGER_MATMUL,
};

static const Roles all_roles[] = {
  [LINEAR_CONV] = { "Conv", TRUE, 3, 2, 5, 1, 4, 6, 7, 8 },
  [LINEAR_MATMUL] = { "MatMul", FALSE, 3, 2, 5, 1, 4, 6, 7, 0 },
  [INTEGER_CONV] = { "Conv", TRUE, 1, 2, 3 },
  [INTEGER_MATMUL] = { "MatMul", FALSE, 1, 2, 3 },
};

/* The same node with floats, which borrows all it has. */
typedef struct
{
  FvNode node;
  FvValue values[2];
  FvValue *inputs[2];
} Floats;

static void
borrow (FvNode *node, const Roles *roles, Floats *floats)
{
  floats->values[0] = *node->inputs[0];
  floats->values[1] = *node->inputs[roles->w];
  floats->node = *node;
  floats->node.op = fv_op_get (roles->op);
  floats->node.inputs = floats->inputs;
  floats->node.n_inputs = floats->node.n_own_inputs = 2;
  for (guint i = 0; i < 2; i++) {
    floats->values[i].type = FV_TYPE_F32;
    floats->inputs[i] = &floats->values[i];
  }
}

static gboolean
check_type (const FvNode *node, guint i, gboolean is_scale, GError **error)
{
  const FvValue *value = fv_node_input (node, i);
  gboolean is_byte =
      value && (value->type == FV_TYPE_U8 || value->type == FV_TYPE_I8);

  if (!value || (is_scale ? fv_type_is_float (value->type) : is_byte))
    return TRUE;
  return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
      "input %u is of type %s, expected %s", i, fv_type_name (value->type),
      is_scale ? "floats" : "u8 or i8");
}

static const FvShape *
input_shape (const FvNode *node, guint i)
{
  const FvValue *value = i ? fv_node_input (node, i) : NULL;

  return value ? &value->shape : NULL;
}

/* Elements that @shape's numbers are for: one number, one for each position of
 * @axis, or as many as broadcast. */
static gboolean
spread (const FvNode *node, const FvShape *shape, const FvShape *to, guint axis,
    FvShape *result, GError **error)
{
  FvShape both;

  *result = (FvShape){ 0 };
  if (!shape || fv_shape_count (shape) == 1)
    return TRUE;
  *result = *shape;
  if (shape->rank == 1) {
    result->rank = to->rank - MIN (axis, to->rank);
    for (guint i = 0; i < result->rank; i++)
      result->dims[i] = i ? 1 : shape->dims[0];
  }
  return fv_node_broadcast (node, result, to, &both, error)
      && (fv_shape_equal (&both, to)
          || fv_node_fail (node, error, FV_ERROR_MALFORMED,
              "scales and zero points do not fit what they are for"));
}

static guint
scale_axis (const Roles *roles, guint side, const FvShape *shape)
{
  if (roles->is_conv)
    return 0;
  return side ? MAX (shape->rank, 1) - 1 : MAX (shape->rank, 2) - 2;
}

static gboolean
check_inputs (const FvNode *node, const Roles *roles, GError **error)
{
  const guint bytes[] = { 0, roles->w, roles->x_zero, roles->w_zero,
    roles->y_zero };
  const guint scales[] = { roles->x_scale, roles->w_scale, roles->y_scale };
  const guint numbers[2][2] = { { roles->x_scale, roles->x_zero },
    { roles->w_scale, roles->w_zero } };
  const FvValue *bias = roles->bias ? fv_node_input (node, roles->bias) : NULL;
  const FvShape *y_scale = input_shape (node, roles->y_scale);
  FvShape result;

  for (guint i = 0; i < G_N_ELEMENTS (bytes); i++)
    if (!check_type (node, bytes[i], FALSE, error))
      return FALSE;
  for (guint i = 0; roles->y_scale && i < G_N_ELEMENTS (scales); i++)
    if (!check_type (node, scales[i], TRUE, error))
      return FALSE;
  for (guint side = 0; side < 2; side++)
    for (guint k = 0; k < 2; k++) {
      const FvShape *to = &node->inputs[side ? roles->w : 0]->shape;
      const FvShape *shape = input_shape (node, numbers[side][k]);

      if (!spread (node, shape, to, scale_axis (roles, side, to), &result,
              error))
        return FALSE;
      if (shape && roles->is_conv && side == 0 && fv_shape_count (shape) != 1)
        return fv_node_fail (node, error, FV_ERROR_MALFORMED,
            "the input has one scale and one zero point");
    }
  if (y_scale
      && (fv_shape_count (y_scale) != 1
          || fv_shape_count (&node->inputs[roles->y_zero]->shape) != 1))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "more than one scale or zero point of the output");
  if (bias
      && (bias->type != FV_TYPE_I32 || bias->shape.rank != 1
          || bias->shape.dims[0] != node->inputs[roles->w]->shape.dims[0]))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected a bias of one i32 for each output channel");
  return TRUE;
}

static gboolean
infer (FvNode *node, GError **error)
{
  const Roles *roles = &all_roles[node->op->variant];
  Floats floats;

  borrow (node, roles, &floats);
  if (!floats.node.op->infer (&floats.node, error)
      || !check_inputs (node, roles, error))
    return FALSE;
  node->outputs[0]->type =
      roles->y_zero ? node->inputs[roles->y_zero]->type : FV_TYPE_I32;
  return TRUE;
}

/* Input @side with its zero point taken away. */
static FvArray *
centred (const FvNode *node, const Roles *roles, FvArray **inputs, guint side,
    GError **error)
{
  guint zero_input = side ? roles->w_zero : roles->x_zero;
  const FvArray *in = inputs[side ? roles->w : 0];
  const FvArray *zero =
      zero_input < node->n_own_inputs ? inputs[zero_input] : NULL;
  FvArray *out = fv_array_new (FV_TYPE_F32, &in->shape, error);
  FvShape shape;
  FvWalk walk;

  if (!out
      || !spread (node, zero ? &zero->shape : NULL, &in->shape,
          scale_axis (roles, side, &in->shape), &shape, error)) {
    fv_array_unref (out);
    return NULL;
  }
  fv_walk_begin (&walk, &in->shape);
  fv_walk_add (&walk, &shape);
  for (gint64 i = 0; i < in->count; i++, fv_walk_next (&walk))
    out->f32[i] = in->i64[i] - (zero ? zero->i64[walk.at[0]] : 0);
  return out;
}

/* The scale of output element @i from one of the sides'. */
static double
scale_at (const Roles *roles, guint side, const FvArray *scale,
    const FvShape *out, gint64 i)
{
  gint64 plane = 1, at = 0;

  if (scale->count == 1)
    return scale->f32[0];
  if (roles->is_conv) {
    for (guint d = 2; d < out->rank; d++)
      plane *= out->dims[d];
    at = i / plane % out->dims[1];
  } else {
    gint64 columns = out->dims[out->rank - 1];

    at = side ? i % columns : i / columns % scale->count;
  }
  return scale->f32[at % scale->count];
}

/* Sums back to bytes. */
static void
scale_back (const FvNode *node, const Roles *roles, FvArray **inputs,
    const FvArray *sums, FvArray *out)
{
  const FvArray *bias = roles->bias && roles->bias < node->n_own_inputs
      ? inputs[roles->bias]
      : NULL;
  gint64 zero = inputs[roles->y_zero]->i64[0], plane = 1;
  gint64 low = node->outputs[0]->type == FV_TYPE_I8 ? -128 : 0;

  for (guint d = 2; d < out->shape.rank; d++)
    plane *= out->shape.dims[d];
  for (gint64 i = 0; i < out->count; i++) {
    double sum = sums->f32[i], y;

    if (bias)
      sum += bias->i64[i / plane % out->shape.dims[1]];
    y = sum * scale_at (roles, 0, inputs[roles->x_scale], &out->shape, i)
        * scale_at (roles, 1, inputs[roles->w_scale], &out->shape, i)
        / inputs[roles->y_scale]->f32[0];
    y = nearbyint (y) + zero;
    out->i64[i] = !(y > low) ? low : y > low + 255 ? low + 255 : (gint64) y;
  }
}

static gboolean
reference (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  const Roles *roles = &all_roles[node->op->variant];
  g_autoptr (FvArray) x = centred (node, roles, inputs, 0, error);
  g_autoptr (FvArray) w = x ? centred (node, roles, inputs, 1, error) : NULL;
  g_autoptr (FvArray) sums =
      w ? fv_array_new (FV_TYPE_F32, &outputs[0]->shape, error) : NULL;
  FvArray *in[] = { x, w };
  Floats floats;

  if (!sums)
    return FALSE;
  borrow (node, roles, &floats);
  if (!floats.node.op->reference (&floats.node, in, (FvArray *[]){ sums },
          error))
    return FALSE;
  if (roles->y_scale)
    scale_back (node, roles, inputs, sums, outputs[0]);
  else
    for (gint64 i = 0; i < sums->count; i++)
      outputs[0]->i64[i] = sums->f32[i];
  return TRUE;
}

#define CONV_ATTRS \
  "auto_pad:s=NOTSET dilations:is group:i=1 kernel_shape:is pads:is " \
  "strides:is"
#define ROW(op_name, kind, least, most, attributes) \
  .name = op_name, .since = 10, .variant = kind, .min_inputs = least, \
  .max_inputs = most, .attrs = attributes, .infer = infer, \
  .reference = reference, .lower = fv_lower_rewritten

const FvOp fv_ops_quantized[] = {
  { ROW ("QLinearConv", LINEAR_CONV, 8, 9, CONV_ATTRS) },
  { ROW ("QLinearMatMul", LINEAR_MATMUL, 8, 8, "") },
  { ROW ("ConvInteger", INTEGER_CONV, 2, 4, CONV_ATTRS) },
  { ROW ("MatMulInteger", INTEGER_MATMUL, 2, 4, "") },
  {},
};
