/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that ask where an element stands, made of comparisons with constant
 * positions; and those whose parameters arrive at run time, made of arithmetic. */
#include "gst/engine/ir-private.h"

#include <string.h>

/* 0, 1, ... along @axis of a tensor of @rank, as many as @size. */
static FvValue *
positions (FvEmit *emit, gint64 size, guint axis, guint rank)
{
  FvShape shape = { .rank = rank };
  g_autoptr (FvArray) array = NULL;

  for (guint i = 0; i < rank; i++)
    shape.dims[i] = i == axis ? size : 1;
  if (!(array = fv_array_new (FV_TYPE_I64, &shape, emit->error)))
    return NULL;
  for (gint64 i = 0; i < size; i++)
    array->i64[i] = i;
  return fv_ir_add_constant (emit->ir, NULL, array);
}

/* @value reshaped to as many axes as @shape has, of size 1 but for @axis. */
static FvValue *
along (FvEmit *emit, FvValue *value, const FvShape *shape, guint axis)
{
  gint64 dims[FV_MAX_RANK];

  if (!value)
    return NULL;
  for (guint i = 0; i < shape->rank; i++)
    dims[i] = i == axis ? fv_shape_count (&value->shape) : 1;
  return fv_emit_reshape (emit, value, dims, shape->rank);
}

static gboolean
get_axis (FvEmit *emit, const FvNode *node, const char *name, guint rank,
    guint *axis)
{
  return fv_node_axis (node, fv_node_int (node, name), rank, axis, emit->error);
}

/* What @value adds to @shape's size along an axis where it is negative. */
static FvValue *
not_negative (FvEmit *emit, FvValue *value, gint64 size)
{
  FvValue *negative =
      fv_emit (emit, "Less", value, fv_emit_number (emit, FV_TYPE_I64, 0));
  FvValue *from_end =
      fv_emit (emit, "Add", value, fv_emit_number (emit, FV_TYPE_I64, size));

  return fv_emit_where (emit, negative, from_end, value);
}

/* Element @i of a vector, as a scalar. */
static FvValue *
element (FvEmit *emit, FvValue *vector, gint64 i)
{
  FvValue *at = fv_emit_number (emit, FV_TYPE_I64, i);

  return at ? fv_emit (emit, "Gather", vector, at) : NULL;
}

static FvValue *
one_hot (FvEmit *emit, FvNode *node)
{
  const FvShape *to = &node->outputs[0]->shape;
  FvValue *hot, *is_hot, *values = node->inputs[2];
  gint64 dims[FV_MAX_RANK];
  guint axis;

  if (!get_axis (emit, node, "axis", to->rank, &axis))
    return NULL;
  for (guint i = 0; i < to->rank; i++)
    dims[i] = i == axis ? 1 : to->dims[i];
  hot = fv_emit_cast (emit, node->inputs[0], FV_TYPE_I64);
  hot = fv_emit_reshape (emit, hot, dims, to->rank);
  hot = not_negative (emit, hot, to->dims[axis]);
  is_hot = fv_emit (emit, "Equal", hot,
      positions (emit, to->dims[axis], axis, to->rank));
  return fv_emit_where (emit, is_hot, element (emit, values, 1),
      element (emit, values, 0));
}

static FvValue *
trilu (FvEmit *emit, FvNode *node)
{
  FvValue *x = node->inputs[0], *shift = fv_node_input (node, 1), *keeps;
  const FvShape *shape = &x->shape;
  gint64 rows = shape->dims[shape->rank - 2];
  FvValue *diagonal = fv_emit (emit, "Sub",
      positions (emit, shape->dims[shape->rank - 1], 1, 2),
      positions (emit, rows, 0, 2));

  if (!shift)
    shift = fv_emit_number (emit, FV_TYPE_I64, 0);
  keeps = fv_emit (emit,
      fv_node_int (node, "upper") ? "GreaterOrEqual" : "LessOrEqual", diagonal,
      shift);
  return fv_emit_where (emit, keeps, x, fv_emit_number (emit, x->type, 0));
}

/* 1 where the largest stands, 0 elsewhere; rows of several axes up to opset 12. */
static FvValue *
hardmax (FvEmit *emit, FvNode *node)
{
  FvValue *x = node->inputs[0], *best, *hot;
  FvShape shape = x->shape;
  FvNode *arg;
  guint axis;

  if (!get_axis (emit, node, "axis", shape.rank, &axis))
    return NULL;
  if (node->op->since < 13) {
    gint64 width = 1;

    for (guint i = axis; i < shape.rank; i++)
      width *= shape.dims[i];
    shape = (FvShape){ 2, { fv_shape_count (&x->shape) / width, width } };
    axis = 1;
    if (!(x = fv_emit_reshape (emit, x, shape.dims, 2)))
      return NULL;
  }
  arg = fv_emit_begin (emit, "ArgMax", &x, 1);
  fv_node_set_int (arg, "axis", axis);
  best = fv_emit_end (emit, arg);
  hot = fv_emit (emit, "Equal", best,
      positions (emit, shape.dims[axis], axis, shape.rank));
  hot = fv_emit_cast (emit, hot, node->inputs[0]->type);
  return fv_emit_reshape (emit, hot, node->inputs[0]->shape.dims,
      node->inputs[0]->shape.rank);
}

/* The first elements of each line of time, turned around. */
static FvValue *
reverse_sequence (FvEmit *emit, FvNode *node)
{
  FvValue *x = node->inputs[0], *from, *lengths, *last;
  const FvShape *shape = &x->shape;
  FvValue *at;
  FvNode *gather;
  guint time, batch;

  if (!get_axis (emit, node, "time_axis", shape->rank, &time)
      || !get_axis (emit, node, "batch_axis", shape->rank, &batch))
    return NULL;
  at = positions (emit, shape->dims[time], time, shape->rank);
  lengths = along (emit, node->inputs[1], shape, batch);
  last = fv_emit (emit, "Sub", lengths, fv_emit_number (emit, FV_TYPE_I64, 1));
  from = fv_emit_where (emit, fv_emit (emit, "LessOrEqual", at, last),
      fv_emit (emit, "Sub", last, at), at);
  from = fv_emit (emit, "Expand", from,
      fv_emit_ints (emit, shape->dims, shape->rank));
  if (!from)
    return NULL;
  gather = fv_emit_begin (emit, "GatherElements", (FvValue *[]){ x, from }, 2);
  fv_node_set_int (gather, "axis", time);
  return fv_emit_end (emit, gather);
}

static gboolean
is_open (const FvNode *node, guint first)
{
  for (guint i = first; i < node->n_own_inputs; i++)
    if (node->inputs[i] && !node->inputs[i]->constant)
      return TRUE;
  return FALSE;
}

static gboolean
has_open_bounds (const FvNode *node)
{
  return is_open (node, 1);
}

static FvValue *
clip (FvEmit *emit, FvNode *node)
{
  FvValue *low = fv_node_input (node, 1), *high = fv_node_input (node, 2);
  FvValue *value = node->inputs[0];

  if (low)
    value = fv_emit (emit, "Max", value, low);
  return high ? fv_emit (emit, "Min", value, high) : value;
}

static gboolean
is_used (const FvNode *node, guint i)
{
  return i < node->n_outputs && node->outputs[i]
      && (node->outputs[i]->is_output || node->outputs[i]->users->len);
}

static gboolean
keeps_some (const FvNode *node)
{
  return fv_node_constant (node, 1)
      && fv_shape_count (&node->outputs[0]->shape);
}

/* The places that a condition known at load lets through. */
static FvValue *
compress (FvEmit *emit, FvNode *node)
{
  FvArray *condition = fv_node_constant (node, 1);
  gint64 kept = 0, all = fv_shape_count (&node->inputs[0]->shape);
  g_autofree gint64 *list = g_try_new (gint64, condition->count + 1);
  FvValue *x = node->inputs[0];
  FvNode *gather;

  if (!list) {
    fv_node_fail (node, emit->error, FV_ERROR_TOO_LARGE, "no memory");
    return NULL;
  }
  for (gint64 i = 0; i < condition->count; i++)
    if (fv_array_get_int (condition, i))
      list[kept++] = i;
  if (!fv_node_has (node, "axis") && !(x = fv_emit_reshape (emit, x, &all, 1)))
    return NULL;
  gather = fv_emit_begin (emit, "Gather",
      (FvValue *[]){ x, fv_emit_ints (emit, list, kept) }, 2);
  fv_node_set_int (gather, "axis",
      fv_node_has (node, "axis") ? fv_node_int (node, "axis") : 0);
  return fv_emit_end (emit, gather);
}

static FvValue *
sum_all (FvEmit *emit, FvValue *value)
{
  FvNode *sum;

  if (!value)
    return NULL;
  sum = fv_emit_begin (emit, "ReduceSum", &value, 1);
  fv_node_set_int (sum, "keepdims", 0);
  return fv_emit_end (emit, sum);
}

/* @value at the label of each place: of scores, along axis 1. */
static FvValue *
at_label (FvEmit *emit, FvValue *scores, FvValue *labels)
{
  gint64 dims[FV_MAX_RANK];
  FvValue *at = labels;
  FvNode *gather;

  if (!scores || !labels)
    return NULL;
  for (guint i = 0; i < scores->shape.rank; i++)
    dims[i] = i == 1 ? 1 : scores->shape.dims[i];
  if (!(at = fv_emit_reshape (emit, at, dims, scores->shape.rank)))
    return NULL;
  gather =
      fv_emit_begin (emit, "GatherElements", (FvValue *[]){ scores, at }, 2);
  fv_node_set_int (gather, "axis", 1);
  return fv_emit_reshape (emit, fv_emit_end (emit, gather), labels->shape.dims,
      labels->shape.rank);
}

/* How much each place counts: the weight of its class, nothing where ignored. */
static FvValue *
weight_at (FvEmit *emit, const FvNode *node, FvValue *labels, FvValue *ignored)
{
  FvValue *weights = fv_node_input (node, 2), *weight;
  FvType type = node->inputs[0]->type;

  weight = weights && labels ? fv_emit (emit, "Gather", weights, labels)
                             : fv_emit_number (emit, type, 1);
  if (ignored)
    weight =
        fv_emit_where (emit, ignored, fv_emit_number (emit, type, 0), weight);
  else if (!weights && weight)
    weight = fv_emit (emit, "Expand", weight,
        fv_emit_ints (emit, labels->shape.dims, labels->shape.rank));
  return weight;
}

static FvValue *
likelihood_loss (FvEmit *emit, FvNode *node, FvValue *scores)
{
  const char *reduction = fv_node_string (node, "reduction");
  FvValue *labels = fv_emit_cast (emit, node->inputs[1], FV_TYPE_I64);
  FvValue *ignored = NULL, *weight, *loss;

  if (fv_node_has (node, "ignore_index") && labels) {
    ignored = fv_emit (emit, "Equal", labels,
        fv_emit_number (emit, FV_TYPE_I64, fv_node_int (node, "ignore_index")));
    labels = fv_emit_where (emit, ignored,
        fv_emit_number (emit, FV_TYPE_I64, 0), labels);
  }
  if (!labels || !(weight = weight_at (emit, node, labels, ignored)))
    return NULL;
  loss = fv_emit (emit, "Neg", at_label (emit, scores, labels), NULL);
  loss = fv_emit (emit, "Mul", loss, weight);
  if (!strcmp (reduction, "none"))
    return loss;
  loss = sum_all (emit, loss);
  return strcmp (reduction, "mean")
      ? loss
      : fv_emit (emit, "Div", loss, sum_all (emit, weight));
}

static FvValue *
loss (FvEmit *emit, FvNode *node)
{
  return likelihood_loss (emit, node, node->inputs[0]);
}

static FvValue *
cross_entropy (FvEmit *emit, FvNode *node)
{
  FvNode *softmax = fv_emit_begin (emit, "LogSoftmax", node->inputs, 1);
  FvValue *scores;

  fv_node_set_int (softmax, "axis", 1);
  if (!(scores = fv_emit_end (emit, softmax)))
    return NULL;
  if (is_used (node, 1))
    fv_ir_replace_value (emit->ir, node->outputs[1], scores);
  return likelihood_loss (emit, node, scores);
}

/* A box of positions: along each of the first axes some neighbours. */
typedef struct
{
  guint depth;
  gint64 start[FV_MAX_RANK], size[FV_MAX_RANK];
} Box;

static gint64
index_at (const FvArray *indices, gint64 at, gint64 size)
{
  gint64 index = fv_array_get_int (indices, at);

  return index < 0 ? index + size : index;
}

/* TRUE where the constant indices of a ScatterND name all of a box, in order. */
static gboolean
read_box (const FvNode *node, Box *box)
{
  const FvShape *data = &node->inputs[0]->shape;
  const FvArray *indices = fv_node_constant (node, 1);
  gint64 count, all = 1;

  if (!indices || !indices->count)
    return FALSE;
  box->depth = indices->shape.dims[indices->shape.rank - 1];
  count = indices->count / box->depth;
  for (guint d = 0; d < box->depth; d++) {
    gint64 last =
        index_at (indices, (count - 1) * box->depth + d, data->dims[d]);

    box->start[d] = index_at (indices, d, data->dims[d]);
    box->size[d] = last - box->start[d] + 1;
    if (box->start[d] < 0 || box->size[d] < 1 || last >= data->dims[d]
        || box->size[d] > count / all)
      return FALSE;
    all *= box->size[d];
  }
  for (gint64 k = 0; all == count && k < count; k++) {
    gint64 rest = k;

    for (guint d = box->depth; d-- > 0; rest /= box->size[d])
      if (index_at (indices, k * box->depth + d, data->dims[d])
          != box->start[d] + rest % box->size[d])
        return FALSE;
  }
  return all == count;
}

/* The one axis along which the box leaves something of the data; -1: none does, -2:
 * several do. */
static gint
open_axis (const FvNode *node, const Box *box)
{
  gint axis = -1;

  for (guint d = 0; d < box->depth; d++)
    if (box->size[d] != node->inputs[0]->shape.dims[d])
      axis = axis == -1 ? (gint) d : -2;
  return axis;
}

static gboolean
assigns_slice (const FvNode *node)
{
  Box box;

  return (!node->op->variant
             || !strcmp (fv_node_string (node, "reduction"), "none"))
      && read_box (node, &box) && open_axis (node, &box) > -2;
}

static FvValue *
slice (FvEmit *emit, FvValue *x, gint64 axis, gint64 start, gint64 end)
{
  return fv_emit_end (emit,
      fv_emit_begin (emit, "Slice",
          (FvValue *[]){ x, fv_emit_ints (emit, &start, 1),
              fv_emit_ints (emit, &end, 1), fv_emit_ints (emit, &axis, 1) },
          4));
}

/* data[..., a:b, ...] = updates, as exporters write it: what is in front, the
 * updates, what is behind. */
static FvValue *
assign_slice (FvEmit *emit, FvNode *node)
{
  FvValue *data = node->inputs[0], *parts[3];
  FvShape shape = data->shape;
  guint n = 0;
  FvNode *concat;
  gint64 end;
  Box box;
  gint axis;

  if (!read_box (node, &box))
    return NULL;
  axis = open_axis (node, &box);
  memcpy (shape.dims, box.size, box.depth * sizeof *box.size);
  if (axis < 0)
    return fv_emit_reshape (emit, node->inputs[2], shape.dims, shape.rank);
  end = box.start[axis] + box.size[axis];
  if (box.start[axis] > 0)
    parts[n++] = slice (emit, data, axis, 0, box.start[axis]);
  parts[n++] = fv_emit_reshape (emit, node->inputs[2], shape.dims, shape.rank);
  if (end < data->shape.dims[axis])
    parts[n++] = slice (emit, data, axis, end, data->shape.dims[axis]);
  for (guint i = 0; i < n; i++)
    if (!parts[i])
      return NULL;
  concat = fv_emit_begin (emit, "Concat", parts, n);
  fv_node_set_int (concat, "axis", axis);
  return fv_emit_end (emit, concat);
}

static gboolean
is_not_empty (const FvNode *node)
{
  return fv_shape_count (&node->outputs[0]->shape) > 0;
}

static const FvRule rules[] = {
  { "Clip", has_open_bounds, clip },
  { "Compress", keeps_some, compress },
  { "Hardmax", is_not_empty, hardmax },
  { "NegativeLogLikelihoodLoss", NULL, loss },
  { "OneHot", is_not_empty, one_hot },
  { "ReverseSequence", is_not_empty, reverse_sequence },
  { "ScatterND", assigns_slice, assign_slice },
  { "SoftmaxCrossEntropyLoss", NULL, cross_entropy },
  { "Trilu", is_not_empty, trilu },
};

gint
fv_pass_indices (FvIr *ir, GError **error)
{
  return fv_emit_rules (ir, rules, G_N_ELEMENTS (rules), error);
}
