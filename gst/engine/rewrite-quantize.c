/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Quantised nets in floats: the integers between QuantizeLinear and
 * DequantizeLinear become floats with whole values, and a pair of the two with
 * equal constants one elementwise node, which then is a step of its producer.
 * Operators on integers become those on floats between such pairs. */
#include "gst/engine/ir-private.h"

#include <math.h>

typedef struct
{
  FvEmit emit;
  FvNode *node; /* being rewritten */
  GHashTable *pairs; /* what QuantizeLinear gave -> Pair */
} Rewrite;

/* How a value was quantised. */
typedef struct
{
  FvValue *x;
  float scale, zero, low;
} Pair;

/* @value with floats for its integers, whatever is at hand of it. */
static FvValue *
as_float (Rewrite *r, FvValue *value)
{
  g_autoptr (FvArray) floats = NULL;

  if (!value || fv_type_is_float (value->type))
    return value;
  if (!value->constant) {
    value->type = FV_TYPE_F32;
    return value;
  }
  floats = fv_array_convert (value->constant, FV_TYPE_F32, r->emit.error);
  return floats ? fv_ir_add_constant (r->emit.ir, value->name, floats) : NULL;
}

static FvValue *
clip (Rewrite *r, FvValue *x, float low, float high)
{
  return fv_emit (&r->emit, "Min",
      fv_emit (&r->emit, "Max", x, fv_emit_scalar (&r->emit, low)),
      fv_emit_scalar (&r->emit, high));
}

/* Scales or zero points so that they broadcast to @x: one of them, or one for
 * each position of @axis. */
static FvValue *
along (Rewrite *r, FvValue *value, const FvValue *x, guint axis)
{
  g_autoptr (FvArray) array = NULL;
  FvShape shape = { 0 };
  gint64 count;

  if (!(value = as_float (r, value)))
    return NULL;
  count = fv_shape_count (&value->shape);
  if ((value->shape.rank > 1 || !value->constant) && count == 1)
    return value; /* broadcasts by itself */
  if (value->shape.rank > 1)
    return value;
  if (count != 1) {
    shape.rank = x->shape.rank - axis;
    for (guint i = 0; i < shape.rank; i++)
      shape.dims[i] = i ? 1 : count;
  }
  if (!value->constant)
    return fv_emit (&r->emit, "Reshape", value,
        fv_emit_ints (&r->emit, shape.dims, shape.rank));
  array = fv_array_reshape (value->constant, &shape, r->emit.error);
  return array ? fv_ir_add_constant (r->emit.ir, value->name, array) : NULL;
}

static gboolean
is_zero (const FvValue *value)
{
  for (gint64 i = 0; value && value->constant && i < value->constant->count;
       i++)
    if (fv_array_get_float (value->constant, i) != 0)
      return FALSE;
  return !value || value->constant;
}

/* The number that @value is; 0 where it is absent. */
static gboolean
number (const FvValue *value, float *result)
{
  *result = 0;
  if (value && (!value->constant || value->constant->count != 1))
    return FALSE;
  if (value)
    *result = fv_array_get_float (value->constant, 0);
  return TRUE;
}

static FvValue *
fake_quantize (Rewrite *r, const Pair *pair)
{
  FvValue *x = pair->x;
  FvNode *node = fv_emit_begin (&r->emit, "fovea.FakeQuantize", &x, 1);

  fv_node_set_float (node, "scale", pair->scale);
  fv_node_set_float (node, "low", pair->low - pair->zero);
  return fv_emit_end (&r->emit, node);
}

/* Scales or zero points as @x has elements, of which @block neighbours along @axis
 * share one. */
static FvValue *
unblocked (Rewrite *r, FvValue *value, const FvValue *x, guint axis,
    gint64 block)
{
  const FvShape *shape = &x->shape;
  gint64 apart[FV_MAX_RANK], all[FV_MAX_RANK], joined[FV_MAX_RANK];
  gint64 zero = 0, at = axis, end = shape->dims[axis];
  guint n = 0;

  if (!(value = as_float (r, value)))
    return NULL;
  for (guint i = 0; i < shape->rank; i++) {
    joined[i] = value->shape.dims[i] * (i == axis ? block : 1);
    apart[n] = all[n] = value->shape.dims[i];
    n++;
    if (i == axis) {
      apart[n] = 1;
      all[n++] = block;
    }
  }
  value = fv_emit_reshape (&r->emit, value, apart, n);
  value = fv_emit (&r->emit, "Expand", value, fv_emit_ints (&r->emit, all, n));
  value = fv_emit_reshape (&r->emit, value, joined, shape->rank);
  if (!value || joined[axis] == end)
    return value;
  return fv_emit_end (&r->emit,
      fv_emit_begin (&r->emit, "Slice",
          (FvValue *[]){ value, fv_emit_ints (&r->emit, &zero, 1),
              fv_emit_ints (&r->emit, &end, 1),
              fv_emit_ints (&r->emit, &at, 1) },
          4));
}

/* (@x - @zero) @scale; either may be absent. */
static FvValue *
dequantize (Rewrite *r, FvValue *x, FvValue *scale, FvValue *zero, guint axis)
{
  const Pair *pair = x ? g_hash_table_lookup (r->pairs, x) : NULL;
  float s, z;

  if (pair && number (scale, &s) && number (zero, &z) && s == pair->scale
      && z == pair->zero)
    return fake_quantize (r, pair);
  x = as_float (r, x);
  if (!is_zero (zero))
    x = fv_emit (&r->emit, "Sub", x, x ? along (r, zero, x, axis) : NULL);
  return scale && x ? fv_emit (&r->emit, "Mul", x, along (r, scale, x, axis))
                    : x;
}

static FvValue *
quantize (Rewrite *r, FvValue *x, FvValue *scale, FvValue *zero, FvType type,
    guint axis)
{
  gint64 low, high;
  Pair pair;
  FvValue *q;

  fv_type_range (type, &low, &high);
  pair = (Pair){ .low = low };
  if (!(pair.x = x = as_float (r, x)))
    return NULL;
  if (fv_type_size (type) == 1 && number (scale, &pair.scale)
      && number (zero, &pair.zero) && isnormal (pair.scale)
      && isnormal (1 / pair.scale)) {
    /* by way of the pair, so that both round alike */
    q = fv_emit (&r->emit, "Mul", fake_quantize (r, &pair),
        fv_emit_scalar (&r->emit, 1 / pair.scale));
    q = fv_emit (&r->emit, "Round", q, NULL);
    if (pair.zero != 0)
      q = fv_emit (&r->emit, "Add", q, fv_emit_scalar (&r->emit, pair.zero));
    if (q && !q->constant)
      g_hash_table_insert (r->pairs, q, g_memdup2 (&pair, sizeof pair));
    return q;
  }
  q = fv_emit (&r->emit, "Round",
      fv_emit (&r->emit, "Div", x, along (r, scale, x, axis)), NULL);
  if (!is_zero (zero))
    q = fv_emit (&r->emit, "Add", q, along (r, zero, x, axis));
  q = clip (r, q, low, high);
  if (q)
    q->is_wide |= fv_type_size (type) > 1;
  return q;
}

static gboolean
replace (Rewrite *r, guint output, FvValue *value)
{
  if (value && r->node->outputs[output])
    fv_ir_replace_value (r->emit.ir, r->node->outputs[output], value);
  return value != NULL;
}

static guint
axis_of (const FvNode *node)
{
  gint64 axis = node->op->until == 12 ? 1 : fv_node_int (node, "axis");
  guint result = 0;

  /* checked by infer where there are several scales */
  fv_node_axis (node, axis, node->inputs[0]->shape.rank, &result, NULL);
  return result;
}

/* Scale and zero point of @node, by elements where they stand for blocks. */
static gboolean
parameters (Rewrite *r, FvNode *node, FvValue **scale, FvValue **zero)
{
  gint64 block = node->op->since >= 21 ? fv_node_int (node, "block_size") : 0;
  const FvValue *x = node->inputs[0];

  *scale = node->inputs[1];
  *zero = fv_node_input (node, 2);
  if (!block)
    return TRUE;
  *scale = unblocked (r, *scale, x, axis_of (node), block);
  if (*zero)
    *zero = unblocked (r, *zero, x, axis_of (node), block);
  return *scale && (*zero || !fv_node_input (node, 2));
}

static gboolean
rewrite_quantize (Rewrite *r, FvNode *node)
{
  FvValue *scale, *zero;

  return parameters (r, node, &scale, &zero)
      && replace (r, 0,
          quantize (r, node->inputs[0], scale, zero, node->outputs[0]->type,
              axis_of (node)));
}

static gboolean
rewrite_dequantize (Rewrite *r, FvNode *node)
{
  FvValue *scale, *zero;

  return parameters (r, node, &scale, &zero)
      && replace (r, 0,
          dequantize (r, node->inputs[0], scale, zero, axis_of (node)));
}

/* Blocks need an axis more than there are. */
static gboolean
is_left (const FvNode *node)
{
  return (fv_node_is (node, "QuantizeLinear")
             || fv_node_is (node, "DequantizeLinear"))
      && node->op->since >= 21 && fv_node_int (node, "block_size")
      && node->inputs[0]->shape.rank == FV_MAX_RANK;
}

/* One scale and zero point, which take in the range of the input and zero. */
static gboolean
rewrite_dynamic (Rewrite *r, FvNode *node)
{
  FvValue *x = node->inputs[0], *high = NULL, *low = NULL, *scale, *zero, *y;
  FvNode *reduce;

  for (guint i = 0; i < 2; i++) {
    reduce = fv_emit_begin (&r->emit, i ? "ReduceMin" : "ReduceMax", &x, 1);
    fv_node_set_int (reduce, "keepdims", 0);
    *(i ? &low : &high) = fv_emit (&r->emit, i ? "Min" : "Max",
        fv_emit_end (&r->emit, reduce), fv_emit_scalar (&r->emit, 0));
  }
  scale = fv_emit (&r->emit, "Div", fv_emit (&r->emit, "Sub", high, low),
      fv_emit_scalar (&r->emit, 255));
  /* where all is zero the zero point is, too: no division by zero */
  y = fv_emit (&r->emit, "Max", scale, fv_emit_scalar (&r->emit, G_MINFLOAT));
  zero = fv_emit (&r->emit, "Div", fv_emit (&r->emit, "Neg", low, NULL), y);
  zero = clip (r, fv_emit (&r->emit, "Round", zero, NULL), 0, 255);
  y = fv_emit (&r->emit, "Round", fv_emit (&r->emit, "Div", x, y), NULL);
  y = clip (r, fv_emit (&r->emit, "Add", y, zero), 0, 255);
  return replace (r, 0, y) && (node->n_outputs < 2 || replace (r, 1, scale))
      && (node->n_outputs < 3 || replace (r, 2, zero));
}

/* Conv with the attributes of @node. */
static FvValue *
convolve (Rewrite *r, FvNode *node, FvValue *x, FvValue *w, FvValue *bias)
{
  FvValue *inputs[] = { x, w, bias };
  FvModelNode given = { .attrs = node->attrs, .n_attrs = node->n_attrs };
  FvNode *conv;

  if (!x || !w)
    return NULL;
  conv = fv_emit_begin (&r->emit, "Conv", inputs, bias ? 3 : 2);
  return fv_node_take_attrs (conv, &given, r->emit.error)
      ? fv_emit_end (&r->emit, conv)
      : NULL;
}

static gboolean
rewrite_linear_conv (Rewrite *r, FvNode *node)
{
  FvValue **in = node->inputs, *bias = fv_node_input (node, 8), *y;

  if (bias) {
    bias = dequantize (r, bias, in[1], NULL, 0);
    bias = fv_emit (&r->emit, "Mul", bias,
        bias ? along (r, in[4], bias, 0) : NULL);
    if (!bias)
      return FALSE;
  }
  y = convolve (r, node, dequantize (r, in[0], in[1], in[2], 1),
      dequantize (r, in[3], in[4], in[5], 0), bias);
  return replace (r, 0,
      y ? quantize (r, y, in[6], in[7], node->outputs[0]->type, 1) : NULL);
}

/* Zero points (and scales) of a product's sides: rows of the left, columns of the
 * right one. */
static FvValue *
left (Rewrite *r, FvValue *a, FvValue *scale, FvValue *zero)
{
  return dequantize (r, a, scale, zero, MAX (a->shape.rank, 2) - 2);
}

static FvValue *
right (Rewrite *r, FvValue *b, FvValue *scale, FvValue *zero)
{
  return dequantize (r, b, scale, zero, MAX (b->shape.rank, 1) - 1);
}

static gboolean
rewrite_linear_matmul (Rewrite *r, FvNode *node)
{
  FvValue **in = node->inputs;
  FvValue *a = left (r, in[0], in[1], in[2]);
  FvValue *b = right (r, in[3], in[4], in[5]);
  FvValue *y = b ? fv_emit (&r->emit, "MatMul", a, b) : NULL;

  return replace (r, 0,
      y ? quantize (r, y, in[6], in[7], node->outputs[0]->type, 0) : NULL);
}

static gboolean
rewrite_integer_conv (Rewrite *r, FvNode *node)
{
  return replace (r, 0,
      convolve (r, node,
          dequantize (r, node->inputs[0], NULL, fv_node_input (node, 2), 0),
          dequantize (r, node->inputs[1], NULL, fv_node_input (node, 3), 0),
          NULL));
}

static gboolean
rewrite_integer_matmul (Rewrite *r, FvNode *node)
{
  FvValue *a = left (r, node->inputs[0], NULL, fv_node_input (node, 2));
  FvValue *b = right (r, node->inputs[1], NULL, fv_node_input (node, 3));

  return replace (r, 0, b ? fv_emit (&r->emit, "MatMul", a, b) : NULL);
}

static const struct
{
  const char *op;
  gboolean (*rewrite) (Rewrite *r, FvNode *node);
} rules[] = {
  { "QuantizeLinear", rewrite_quantize },
  { "DequantizeLinear", rewrite_dequantize },
  { "DynamicQuantizeLinear", rewrite_dynamic },
  { "QLinearConv", rewrite_linear_conv },
  { "QLinearMatMul", rewrite_linear_matmul },
  { "ConvInteger", rewrite_integer_conv },
  { "MatMulInteger", rewrite_integer_matmul },
};

/* Between two rewritten nodes stand others that only move their integers. */
static gboolean
carries_floats (const FvNode *node)
{
  const FvValue *in = fv_node_input (node, 0), *out = node->outputs[0];

  return in && out && !in->constant && fv_type_is_float (in->type)
      && (out->type == FV_TYPE_U8 || out->type == FV_TYPE_I8
          || out->type == FV_TYPE_U16 || out->type == FV_TYPE_I16
          || out->type == FV_TYPE_I32);
}

static gint
rewrite_node (Rewrite *r, FvNode *node)
{
  r->node = r->emit.last = node;
  r->emit.name = node->name;
  for (guint k = 0; k < G_N_ELEMENTS (rules); k++) {
    if (!fv_node_is (node, rules[k].op) || is_left (node))
      continue;
    if (!rules[k].rewrite (r, node))
      return -1;
    fv_ir_remove_node (r->emit.ir, node);
    return 1;
  }
  return !carries_floats (node) || fv_node_infer (node, r->emit.error) ? 0 : -1;
}

gint
fv_pass_quantize (FvIr *ir, GError **error)
{
  g_autoptr (GHashTable) pairs =
      g_hash_table_new_full (NULL, NULL, NULL, g_free);
  Rewrite r = { .emit = { .ir = ir, .error = error }, .pairs = pairs };
  gint changes = 0;

  for (guint i = 0; i < ir->nodes->len; i++) {
    gint change = rewrite_node (&r, ir->nodes->pdata[i]);

    if (change < 0)
      return -1;
    changes += change;
    i -= change;
  }
  return changes;
}
