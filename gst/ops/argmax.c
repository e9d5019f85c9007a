/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that look for the largest and smallest: ArgMax, ArgMin, TopK. */
#include "gst/ops/argmax.h"
#include "gst/ops/common.h"

#include <math.h>

typedef enum
{
  ARG_MAX,
  ARG_MIN,
  ARG_MAX_LAST, /* opset 12 and up: select_last_index */
  ARG_MIN_LAST,
} ArgKind;

static gboolean
infer_arg (FvNode *node, GError **error)
{
  const FvShape *from = &node->inputs[0]->shape;
  FvShape to = { 0 };
  guint axis;

  if (!fv_node_axis (node, fv_node_int (node, "axis"), from->rank, &axis,
          error))
    return FALSE;
  if (!fv_node_need_numbers (node, 0, error))
    return FALSE;
  if (from->dims[axis] == 0)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED, "axis %u is empty",
        axis);
  for (guint i = 0; i < from->rank; i++) {
    if (i != axis)
      to.dims[to.rank++] = from->dims[i];
    else if (fv_node_int (node, "keepdims"))
      to.dims[to.rank++] = 1;
  }
  fv_set_output (node, 0, FV_TYPE_I64, &to);
  return TRUE;
}

static gboolean
is_better (const FvArray *in, gint64 a, gint64 b, gboolean smallest)
{
  if (in->type == FV_TYPE_F32)
    return smallest ? in->f32[a] < in->f32[b] : in->f32[a] > in->f32[b];
  return smallest ? in->i64[a] < in->i64[b] : in->i64[a] > in->i64[b];
}

static gboolean
arg (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  guint kind = node->op->variant;
  gboolean smallest = kind == ARG_MIN || kind == ARG_MIN_LAST;
  gboolean last =
      kind >= ARG_MAX_LAST && fv_node_int (node, "select_last_index") != 0;
  const FvShape *from = &inputs[0]->shape;
  gint64 dense[FV_MAX_RANK], stride;
  FvShape outer = *from;
  FvWalk walk;
  guint axis;

  if (!fv_node_axis (node, fv_node_int (node, "axis"), from->rank, &axis,
          error))
    return FALSE;
  fv_dense_strides (from, dense);
  stride = dense[axis];
  outer.dims[axis] = 1;
  fv_walk_begin (&walk, &outer);
  fv_walk_add_strides (&walk, 0, dense);
  for (gint64 i = 0; i < outputs[0]->count; i++, fv_walk_next (&walk)) {
    gint64 best = 0;

    for (gint64 k = 1; k < from->dims[axis]; k++) {
      gint64 a = walk.at[0] + k * stride, b = walk.at[0] + best * stride;

      if (is_better (inputs[0], a, b, smallest)
          || (last && !is_better (inputs[0], b, a, smallest)))
        best = k;
    }
    outputs[0]->i64[i] = best;
  }
  return TRUE;
}

static gboolean
lower_arg (FvPlan *plan, FvNode *node, GError **error)
{
  guint kind = node->op->variant, axis;

  return fv_node_axis (node, fv_node_int (node, "axis"),
             node->inputs[0]->shape.rank, &axis, error)
      && fv_arg_lower (plan, node, axis,
          kind == ARG_MIN || kind == ARG_MIN_LAST,
          kind >= ARG_MAX_LAST && fv_node_int (node, "select_last_index") != 0,
          error);
}

/* How opsets give TopK its count. */
typedef enum
{
  TOPK_ATTRIBUTE,
  TOPK_INPUT,
  TOPK_SORTED,
} TopkKind;

static gboolean
infer_topk (FvNode *node, GError **error)
{
  FvShape shape = node->inputs[0]->shape;
  gint64 k;
  guint axis;

  if (!fv_node_axis (node, fv_node_int (node, "axis"), shape.rank, &axis,
          error))
    return FALSE;
  if (node->op->variant == TOPK_ATTRIBUTE) {
    k = fv_node_int (node, "k");
  } else {
    g_autoptr (FvArray) list = fv_node_constant_ints (node, 1, error);

    if (!list)
      return FALSE;
    k = list->count == 1 ? list->i64[0] : -1;
  }
  if (k < 0 || k > shape.dims[axis])
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the largest %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT, k,
        shape.dims[axis]);
  if (!fv_node_need_numbers (node, 0, error))
    return FALSE;
  shape.dims[axis] = k;
  fv_set_output (node, 0, node->inputs[0]->type, &shape);
  fv_set_output (node, 1, FV_TYPE_I64, &shape);
  return TRUE;
}

typedef struct
{
  const FvArray *in;
  gint64 start, stride;
  gboolean smallest;
} Line;

/* Better first; of equals the one with the lower index. */
static gint
compare_on_line (gconstpointer a, gconstpointer b, gpointer data)
{
  gint64 i = *(const gint64 *) a, k = *(const gint64 *) b;
  const Line *line = data;
  gint64 at = line->start + i * line->stride;
  gint64 other = line->start + k * line->stride;

  if (is_better (line->in, at, other, line->smallest))
    return -1;
  if (is_better (line->in, other, at, line->smallest))
    return 1;
  return i < k ? -1 : i > k;
}

static gboolean
topk (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  gboolean smallest =
      node->op->variant == TOPK_SORTED && fv_node_int (node, "largest") == 0;
  FvShape outer = inputs[0]->shape;
  gint64 dense[FV_MAX_RANK], target[FV_MAX_RANK], size, k;
  g_autofree gint64 *order = NULL;
  FvWalk walk;
  guint axis;

  if (!fv_node_axis (node, fv_node_int (node, "axis"), outer.rank, &axis,
          error))
    return FALSE;
  size = outer.dims[axis];
  k = node->outputs[0] ? node->outputs[0]->shape.dims[axis]
                       : node->outputs[1]->shape.dims[axis];
  order = g_try_new (gint64, MAX (size, 1));
  if (!order)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE, "out of memory");
  fv_dense_strides (&inputs[0]->shape, dense);
  outer.dims[axis] = k;
  fv_dense_strides (&outer, target);
  outer.dims[axis] = 1;
  fv_walk_begin (&walk, &outer);
  fv_walk_add_strides (&walk, 0, dense);
  fv_walk_add_strides (&walk, 0, target);
  for (gint64 i = 0; i < fv_shape_count (&outer); i++, fv_walk_next (&walk)) {
    Line line = { inputs[0], walk.at[0], dense[axis], smallest };

    for (gint64 c = 0; c < size; c++)
      order[c] = c;
    if (size)
      g_qsort_with_data (order, size, sizeof *order, compare_on_line, &line);
    for (gint64 c = 0; c < k; c++) {
      gint64 o = walk.at[1] + c * target[axis];

      if (outputs[0])
        fv_move (outputs[0], o, inputs[0], line.start + order[c] * line.stride);
      if (node->n_outputs > 1 && outputs[1])
        outputs[1]->i64[o] = order[c];
    }
  }
  return TRUE;
}

static gboolean
lower_topk (FvPlan *plan, FvNode *node, GError **error)
{
  gboolean smallest =
      node->op->variant == TOPK_SORTED && fv_node_int (node, "largest") == 0;
  guint axis;

  return fv_node_axis (node, fv_node_int (node, "axis"),
             node->inputs[0]->shape.rank, &axis, error)
      && fv_topk_lower (plan, node, axis, smallest, error);
}

/* Lines of one tensor along each axis; equal elements. */
#define ARG_CASES \
  FV_CASES ({ .inputs = "f32[2,3,5,7]", .attrs = "axis=1" }, \
      { .inputs = "f32[2,9,6]", .attrs = "axis=-1" }, \
      { .inputs = "f32[5,21,8]", .attrs = "axis=1 keepdims=0" }, \
      { .inputs = "i64[4,30]", .attrs = "axis=1", .low = -3, .high = 3 }, \
      { .inputs = "i64[4,3,30]", \
          .attrs = "axis=1 select_last_index=1", \
          .low = -3, \
          .high = 3 }, \
      { .inputs = "i64[4,30]", \
          .attrs = "axis=1 select_last_index=1", \
          .low = -3, \
          .high = 3 })

#define ARG(op_name, opset, last, kind, attributes, case_list) \
  { \
    .name = op_name, .since = opset, .until = last, .variant = kind, \
    .min_inputs = 1, .attrs = attributes, .infer = infer_arg, \
    .reference = arg, .lower = lower_arg, .cases = case_list, \
  }
#define LAST_INDEX "axis:i=0 keepdims:i=1 select_last_index:i=0"

const FvOp fv_ops_argmax[] = {
  ARG ("ArgMax", 1, 11, ARG_MAX, "axis:i=0 keepdims:i=1", NULL),
  ARG ("ArgMax", 12, 0, ARG_MAX_LAST, LAST_INDEX, ARG_CASES),
  ARG ("ArgMin", 1, 11, ARG_MIN, "axis:i=0 keepdims:i=1", NULL),
  ARG ("ArgMin", 12, 0, ARG_MIN_LAST, LAST_INDEX, ARG_CASES),
  {
      .name = "TopK",
      .since = 1,
      .until = 9,
      .variant = TOPK_ATTRIBUTE,
      .min_inputs = 1,
      .max_outputs = 2,
      .attrs = "axis:i=-1 k:i!",
      .infer = infer_topk,
      .reference = topk,
      .lower = lower_topk,
  },
  {
      .name = "TopK",
      .since = 10,
      .until = 10,
      .variant = TOPK_INPUT,
      .min_inputs = 2,
      .max_outputs = 2,
      .attrs = "axis:i=-1",
      .infer = infer_topk,
      .reference = topk,
      .lower = lower_topk,
  },
  {
      .name = "TopK",
      .since = 11,
      .variant = TOPK_SORTED,
      .min_inputs = 2,
      .max_outputs = 2,
      .attrs = "axis:i=-1 largest:i=1 sorted:i=1",
      .infer = infer_topk,
      .reference = topk,
      .lower = lower_topk,
      .cases = FV_CASES ({ .inputs = "f32[2,3,37] =i64{5}", .n_outputs = 2 },
          { .inputs = "f32[1,301] =i64{301}", .n_outputs = 2 },
          { .inputs = "f32[2,33,5] =i64{9}",
              .attrs = "axis=1 largest=0",
              .n_outputs = 2 },
          { .inputs = "i64[90] =i64{17}",
              .low = -4,
              .high = 4,
              .n_outputs = 2 },
          { .inputs = "f32[4,9] =i64{1}" }),
  },
  {},
};
