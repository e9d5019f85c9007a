/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that give their data another shape or ask for it. */
#include "gst/ops/common.h"
#include "gst/ops/remap.h"

#include <string.h>

/* TRUE where the input @i is a single constant zero. */
static gboolean
is_zero (const FvNode *node, guint i)
{
  FvArray *array = fv_node_constant (node, i);

  return array && array->count == 1 && fv_array_get_float (array, 0) == 0;
}

/* Models exported in training mode drop a share of nothing, which is as good. */
static gboolean
infer_dropout (FvNode *node, GError **error)
{
  FvValue *training = fv_node_input (node, 2);

  if (training && !training->constant && !is_zero (node, 1))
    return fv_node_fail (node, error, FV_ERROR_DYNAMIC,
        "whether it trains depends on the data");
  if (training && !is_zero (node, 2) && !is_zero (node, 1))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "training_mode must be a constant false, or ratio a constant 0");
  fv_set_output (node, 0, node->inputs[0]->type, &node->inputs[0]->shape);
  fv_set_output (node, 1, FV_TYPE_BOOL, &node->inputs[0]->shape);
  return TRUE;
}

static gboolean
dropout (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  if (outputs[0])
    fv_move_all (outputs[0], inputs[0]);
  if (node->n_outputs > 1 && outputs[1])
    for (gint64 i = 0; i < outputs[1]->count; i++)
      outputs[1]->u8[i] = 1;
  return TRUE;
}

/* The axes start and end of Shape, clamped as ONNX has it. */
static void
shape_range (const FvNode *node, gint64 *start, gint64 *end)
{
  gint64 rank = node->inputs[0]->shape.rank;
  gboolean sliced = node->op->variant;

  *start = sliced ? fv_node_int (node, "start") : 0;
  *end = sliced && fv_node_has (node, "end") ? fv_node_int (node, "end") : rank;
  *start = CLAMP (*start < 0 ? *start + rank : *start, 0, rank);
  *end = CLAMP (*end < 0 ? *end + rank : *end, 0, rank);
}

static gboolean
infer_shape (FvNode *node, GError **error)
{
  FvShape shape = { .rank = 1 };
  gint64 start, end;

  shape_range (node, &start, &end);
  shape.dims[0] = MAX (end - start, 0);
  fv_set_output (node, 0, FV_TYPE_I64, &shape);
  return TRUE;
}

static gboolean
shape (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  gint64 start, end;

  shape_range (node, &start, &end);
  for (gint64 i = 0; i < outputs[0]->count; i++)
    outputs[0]->i64[i] = node->inputs[0]->shape.dims[start + i];
  return TRUE;
}

static gboolean
infer_size (FvNode *node, GError **error)
{
  FvShape scalar = { .rank = 0 };

  fv_set_output (node, 0, FV_TYPE_I64, &scalar);
  return TRUE;
}

static gboolean
size (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  outputs[0]->i64[0] = fv_shape_count (&node->inputs[0]->shape);
  return TRUE;
}

static gboolean
reshape_mismatch (const FvNode *node, const FvShape *shape, GError **error)
{
  g_autofree char *text = fv_shape_to_string (shape);

  return fv_node_fail (node, error, FV_ERROR_MALFORMED,
      "%" G_GINT64_FORMAT " elements do not fit the shape %s",
      fv_shape_count (&node->inputs[0]->shape), text);
}

static gboolean
infer_reshape (FvNode *node, GError **error)
{
  const FvShape *from = &node->inputs[0]->shape;
  g_autoptr (FvArray) list = fv_node_constant_ints (node, 1, error);
  gboolean allow_zero = node->op->variant && fv_node_int (node, "allowzero");
  FvShape to = { 0 };
  gint64 known;
  int free_axis = -1;

  if (!list)
    return FALSE;
  if (list->count > FV_MAX_RANK)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "a shape of rank %" G_GINT64_FORMAT "; at most %d is supported",
        list->count, FV_MAX_RANK);
  to.rank = list->count;
  for (guint i = 0; i < to.rank; i++) {
    to.dims[i] = list->i64[i];
    if (to.dims[i] == 0 && !allow_zero) {
      if (i >= from->rank)
        return reshape_mismatch (node, &to, error);
      to.dims[i] = from->dims[i];
    } else if (to.dims[i] == -1 && free_axis < 0) {
      free_axis = i;
      to.dims[i] = 1;
    } else if (to.dims[i] < 0) {
      return reshape_mismatch (node, &to, error);
    }
  }
  known = fv_shape_count (&to);
  if (free_axis >= 0) {
    if (known <= 0 || fv_shape_count (from) % known)
      return reshape_mismatch (node, &to, error);
    to.dims[free_axis] = fv_shape_count (from) / known;
  }
  if (fv_shape_count (&to) != fv_shape_count (from))
    return reshape_mismatch (node, &to, error);
  fv_set_output (node, 0, node->inputs[0]->type, &to);
  return TRUE;
}

static gboolean
infer_flatten (FvNode *node, GError **error)
{
  const FvShape *from = &node->inputs[0]->shape;
  FvShape to = { .rank = 2, .dims = { 1, 1 } };
  guint axis = from->rank;

  if (fv_node_int (node, "axis") != from->rank
      && !fv_node_axis (node, fv_node_int (node, "axis"), from->rank, &axis,
          error))
    return FALSE;
  for (guint i = 0; i < from->rank; i++)
    to.dims[i >= axis] *= from->dims[i];
  fv_set_output (node, 0, node->inputs[0]->type, &to);
  return TRUE;
}

static gboolean
infer_squeeze (FvNode *node, GError **error)
{
  const FvShape *from = &node->inputs[0]->shape;
  gboolean gone[FV_MAX_RANK];
  FvShape to = { 0 };
  guint n;

  if (!fv_node_axes (node, 1, from->rank, gone, &n, error))
    return FALSE;
  for (guint i = 0; i < from->rank; i++) {
    if (gone[i] && from->dims[i] != 1)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "axis %u cannot be squeezed: its size is %" G_GINT64_FORMAT, i,
          from->dims[i]);
    if (n ? !gone[i] : from->dims[i] != 1)
      to.dims[to.rank++] = from->dims[i];
  }
  fv_set_output (node, 0, node->inputs[0]->type, &to);
  return TRUE;
}

static gboolean
infer_unsqueeze (FvNode *node, GError **error)
{
  const FvShape *from = &node->inputs[0]->shape;
  g_autoptr (FvArray) list = NULL;
  gboolean added[FV_MAX_RANK];
  FvShape to = { 0 };
  guint n, next = 0;

  if (!fv_node_list (node, "axes", 1, &list, error))
    return FALSE;
  if (!list)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED, "axes are missing");
  if (list->count > FV_MAX_RANK - (gint64) from->rank)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "a result of rank %" G_GINT64_FORMAT "; at most %d is supported",
        list->count + from->rank, FV_MAX_RANK);
  to.rank = from->rank + list->count;
  if (!fv_node_axes (node, 1, to.rank, added, &n, error))
    return FALSE;
  for (guint i = 0; i < to.rank; i++)
    to.dims[i] = added[i] ? 1 : from->dims[next++];
  fv_set_output (node, 0, node->inputs[0]->type, &to);
  return TRUE;
}


/* The output's axis that takes up the innermost one of @source, so that what
 * lies together stays together: channels stay innermost in a channel shuffle. */
static int
reshaped_inner (const FvTensor *source, const FvShape *shape)
{
  gint64 inside = 1, around = 1;
  int inner = fv_tensor_inner (source);

  if (inner < 0)
    return FV_ANY_AXIS;
  for (guint i = inner + 1; i < source->shape.rank; i++)
    inside *= source->shape.dims[i];
  for (int i = (int) shape->rank - 1; i >= 0; i--) {
    around *= shape->dims[i];
    if (around > inside)
      return i;
  }
  return FV_ANY_AXIS;
}

/* The output is the input's storage under another shape, or a copy where strides
 * cannot express that. */
static gboolean
lower_view (FvPlan *plan, FvNode *node, GError **error)
{
  FvTensor source, view;

  if (!fv_plan_input (plan, node, 0, FV_ANY_AXIS, &source, error))
    return FALSE;
  if (fv_tensor_reshape (&source, &node->outputs[0]->shape, &view)) {
    fv_plan_alias (plan, node, 0, &view);
    return TRUE;
  }
  return fv_plan_output (plan, node, 0,
             reshaped_inner (&source, &node->outputs[0]->shape), &view, error)
      && fv_plan_copy (plan, node, &source, &view, error);
}

/* The mask keeps everything: a view of one 1. */
static gboolean
lower_dropout (FvPlan *plan, FvNode *node, GError **error)
{
  static const float one = 1;
  FvTensor mask;

  if (!lower_view (plan, node, error))
    return FALSE;
  if (node->n_outputs < 2 || !node->outputs[1])
    return TRUE;
  if (!fv_plan_weights (plan, node, &one, 1, FV_TYPE_NONE, &mask, error))
    return FALSE;
  memset (mask.strides, 0, sizeof mask.strides);
  mask.shape = node->outputs[1]->shape;
  fv_plan_alias (plan, node, 1, &mask);
  return TRUE;
}

const FvOp fv_ops_shape[] = {
  {
      .name = "Identity",
      .since = 1,
      .flags = FV_OP_VIEW,
      .min_inputs = 1,
      .attrs = "",
      .infer = fv_infer_same,
      .reference = fv_reference_move,
      .lower = lower_view,
      .cases = FV_CASES ({ .inputs = "f32[2,3,5,7]" }),
  },
  {
      .name = "Dropout",
      .since = 7,
      .until = 11,
      .flags = FV_OP_VIEW,
      .min_inputs = 1,
      .max_outputs = 2,
      .attrs = "ratio:f=0.5",
      .infer = infer_dropout,
      .reference = dropout,
      .lower = lower_dropout,
  },
  {
      .name = "Dropout",
      .since = 12,
      .flags = FV_OP_VIEW,
      .min_inputs = 1,
      .max_inputs = 3,
      .max_outputs = 2,
      .attrs = "seed:i=0",
      .infer = infer_dropout,
      .reference = dropout,
      .lower = lower_dropout,
      .cases = FV_CASES ({ .inputs = "f32[2,3,5,7]", .n_outputs = 2 },
          { .inputs = "f32[2,3,5,7] =f32{0} =bool{1}" }),
  },
  {
      .name = "Shape",
      .since = 1,
      .until = 14,
      .flags = FV_OP_SHAPE_ONLY,
      .min_inputs = 1,
      .attrs = "",
      .infer = infer_shape,
      .reference = shape,
  },
  {
      .name = "Shape",
      .since = 15,
      .flags = FV_OP_SHAPE_ONLY,
      .variant = 1,
      .min_inputs = 1,
      .attrs = "start:i=0 end:i=0",
      .infer = infer_shape,
      .reference = shape,
  },
  {
      .name = "Size",
      .since = 1,
      .flags = FV_OP_SHAPE_ONLY,
      .min_inputs = 1,
      .attrs = "",
      .infer = infer_size,
      .reference = size,
  },
  {
      .name = "Reshape",
      .since = 5,
      .until = 13,
      .flags = FV_OP_VIEW,
      .min_inputs = 2,
      .attrs = "",
      .infer = infer_reshape,
      .reference = fv_reference_move,
      .lower = lower_view,
  },
  {
      .name = "Reshape",
      .since = 14,
      .flags = FV_OP_VIEW,
      .variant = 1,
      .min_inputs = 2,
      .attrs = "allowzero:i=0",
      .infer = infer_reshape,
      .reference = fv_reference_move,
      .lower = lower_view,
      .cases = FV_CASES ({ .inputs = "f32[2,3,4,5] =i64{0,-1,5}" },
          { .inputs = "f32[1,7,3,5] =i64{1,7,15}" },
          { .inputs = "f32[2,3,5,7] =i64{6,35}" },
          { .inputs = "f32[4,6] =i64{2,2,3,2}" }),
  },
  {
      .name = "Flatten",
      .since = 1,
      .flags = FV_OP_VIEW,
      .min_inputs = 1,
      .attrs = "axis:i=1",
      .infer = infer_flatten,
      .reference = fv_reference_move,
      .lower = lower_view,
      .cases = FV_CASES ({ .inputs = "f32[2,3,5,7]" },
          { .inputs = "f32[2,3,5,7]", .attrs = "axis=-2" },
          { .inputs = "f32[2,3,5]", .attrs = "axis=0" }),
  },
  {
      .name = "Squeeze",
      .since = 1,
      .until = 12,
      .flags = FV_OP_VIEW,
      .min_inputs = 1,
      .attrs = "axes:is",
      .infer = infer_squeeze,
      .reference = fv_reference_move,
      .lower = lower_view,
      .cases = FV_CASES (
          { .inputs = "f32[1,3,1,5]", .attrs = "axes=[2]", .opset = 11 }),
  },
  {
      .name = "Squeeze",
      .since = 13,
      .flags = FV_OP_VIEW,
      .min_inputs = 1,
      .max_inputs = 2,
      .attrs = "",
      .infer = infer_squeeze,
      .reference = fv_reference_move,
      .lower = lower_view,
      .cases = FV_CASES ({ .inputs = "f32[1,3,1,5] =i64{0,-2}" },
          { .inputs = "f32[1,3,1,5]" }),
  },
  {
      .name = "Unsqueeze",
      .since = 1,
      .until = 12,
      .flags = FV_OP_VIEW,
      .min_inputs = 1,
      .attrs = "axes:is",
      .infer = infer_unsqueeze,
      .reference = fv_reference_move,
      .lower = lower_view,
      .cases =
          FV_CASES ({ .inputs = "f32[3,5]", .attrs = "axes=[1]", .opset = 11 }),
  },
  {
      .name = "Unsqueeze",
      .since = 13,
      .flags = FV_OP_VIEW,
      .min_inputs = 2,
      .attrs = "",
      .infer = infer_unsqueeze,
      .reference = fv_reference_move,
      .lower = lower_view,
      .cases = FV_CASES ({ .inputs = "f32[3,5] =i64{0,-1}" }),
  },
  {},
};
