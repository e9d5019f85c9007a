/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that take a part of their input: Slice and Split. */
#include "gst/ops/common.h"
#include "gst/ops/remap.h"

/* What a Slice takes of each axis. */
typedef struct
{
  gint64 start[FV_MAX_RANK], step[FV_MAX_RANK], count[FV_MAX_RANK];
} Part;

/* Start, end and step of one axis, clamped as numpy does, negative steps too. */
static void
clamp_axis (gint64 size, gint64 start, gint64 end, gint64 step, Part *part,
    guint axis)
{
  gint64 low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
  guint64 distance, stride = step > 0 ? (guint64) step : -(guint64) step;

  if (start < 0)
    start = MAX (start, -size - 1) + size;
  if (end < 0)
    end = MAX (end, -size - 1) + size;
  start = CLAMP (start, MIN (low, high), high);
  end = CLAMP (end, MIN (low, high), high);
  if (step < 0)
    start = CLAMP (start, 0, MAX (size - 1, 0));
  part->start[axis] = start;
  part->step[axis] = step;
  part->count[axis] = 0;
  if (size > 0 && (step > 0 ? end > start : end < start)) {
    distance = step > 0 ? end - start : start - end;
    part->count[axis] = (distance - 1) / stride + 1;
  }
}

/* Reads starts, ends, axes and steps from attributes or inputs. */
static gboolean
read_lists (FvNode *node, FvArray *lists[4], GError **error)
{
  static const char *const names[] = { "starts", "ends", "axes", "steps" };

  for (guint i = 0; i < 4; i++)
    if (!fv_node_list (node, names[i], i + 1, &lists[i], error))
      return FALSE;
  if (!lists[0] || !lists[1])
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "starts or ends are missing");
  for (guint i = 1; i < 4; i++)
    if (lists[i] && lists[i]->count != lists[0]->count)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "%" G_GINT64_FORMAT " %s for %" G_GINT64_FORMAT " starts",
          lists[i]->count, names[i], lists[0]->count);
  return TRUE;
}

static gboolean
fill_part (FvNode *node, FvArray *const lists[4], Part *part, GError **error)
{
  const FvShape *shape = &node->inputs[0]->shape;
  gboolean seen[FV_MAX_RANK] = { FALSE };

  for (guint i = 0; i < shape->rank; i++) {
    part->start[i] = 0;
    part->step[i] = 1;
    part->count[i] = shape->dims[i];
  }
  for (gint64 i = 0; i < lists[0]->count; i++) {
    gint64 step = lists[3] ? lists[3]->i64[i] : 1;
    guint axis;

    if (!fv_node_axis (node, lists[2] ? lists[2]->i64[i] : i, shape->rank,
            &axis, error))
      return FALSE;
    if (seen[axis] || step == 0)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          seen[axis] ? "axis %u is named twice" : "the step of axis %u is 0",
          axis);
    seen[axis] = TRUE;
    clamp_axis (shape->dims[axis], lists[0]->i64[i], lists[1]->i64[i], step,
        part, axis);
  }
  return TRUE;
}

static gboolean
read_part (FvNode *node, Part *part, GError **error)
{
  FvArray *lists[4] = { NULL };
  gboolean ok =
      read_lists (node, lists, error) && fill_part (node, lists, part, error);

  for (guint i = 0; i < 4; i++)
    fv_array_unref (lists[i]);
  return ok;
}

static gboolean
infer_slice (FvNode *node, GError **error)
{
  FvShape shape = node->inputs[0]->shape;
  Part part;

  if (!read_part (node, &part, error))
    return FALSE;
  for (guint i = 0; i < shape.rank; i++)
    shape.dims[i] = part.count[i];
  fv_set_output (node, 0, node->inputs[0]->type, &shape);
  return TRUE;
}

static gboolean
slice (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  gint64 dense[FV_MAX_RANK], start = 0;
  FvWalk walk;
  Part part;

  if (!read_part (node, &part, error))
    return FALSE;
  if (outputs[0]->count == 0)
    return TRUE;
  fv_dense_strides (&inputs[0]->shape, dense);
  for (guint i = 0; i < inputs[0]->shape.rank; i++) {
    start += part.start[i] * dense[i];
    /* An axis of one element is never stepped, and its step may be huge. */
    dense[i] = part.count[i] > 1 ? dense[i] * part.step[i] : 0;
  }
  fv_walk_begin (&walk, &outputs[0]->shape);
  fv_walk_add_strides (&walk, start, dense);
  for (gint64 i = 0; i < outputs[0]->count; i++, fv_walk_next (&walk))
    fv_move (outputs[0], i, inputs[0], walk.at[0]);
  return TRUE;
}

/* A view; only what runs backwards is copied, as kernels expect strides upwards. */
static gboolean
lower_slice (FvPlan *plan, FvNode *node, GError **error)
{
  FvTensor source, view, target;
  gboolean backwards = FALSE;
  Part part;

  if (!read_part (node, &part, error)
      || !fv_plan_input (plan, node, 0, FV_ANY_AXIS, &source, error))
    return FALSE;
  view = source;
  for (guint i = 0; i < view.shape.rank; i++) {
    view.shape.dims[i] = part.count[i];
    view.offset += part.count[i] ? part.start[i] * source.strides[i] : 0;
    if (part.count[i] > 1)
      view.strides[i] = source.strides[i] * part.step[i];
    backwards |= part.count[i] > 1 && part.step[i] < 0;
  }
  if (!backwards) {
    fv_plan_alias (plan, node, 0, &view);
    return TRUE;
  }
  return fv_plan_output (plan, node, 0, fv_tensor_inner (&source), &target,
             error)
      && fv_plan_copy (plan, node, &view, &target, error);
}

/* Sizes of a Split given by a list. */
static gboolean
sizes_from_list (FvNode *node, const FvArray *list, gint64 total, gint64 *sizes,
    GError **error)
{
  gint64 sum = 0;

  if (list->count != node->n_outputs)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "%" G_GINT64_FORMAT " sizes for %u outputs", list->count,
        node->n_outputs);
  for (guint i = 0; i < node->n_outputs; i++) {
    sizes[i] = list->i64[i];
    if (sizes[i] < 0 || sizes[i] > total - sum)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "the sizes do not add up to %" G_GINT64_FORMAT, total);
    sum += sizes[i];
  }
  if (sum != total)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the sizes add up to %" G_GINT64_FORMAT ", not %" G_GINT64_FORMAT, sum,
        total);
  return TRUE;
}

/* Equal parts; only num_outputs (opset 18) allows a smaller last one. */
static gboolean
equal_sizes (FvNode *node, gint64 total, gint64 *sizes, GError **error)
{
  gint64 n = node->n_outputs, part = (total + n - 1) / n;

  if (node->op->variant && fv_node_has (node, "num_outputs")
      && fv_node_int (node, "num_outputs") != n)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "num_outputs is %" G_GINT64_FORMAT ", the node has %u",
        fv_node_int (node, "num_outputs"), node->n_outputs);
  if ((!node->op->variant && total % n) || (n > 1 && part * (n - 1) > total))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "an axis of %" G_GINT64_FORMAT " cannot be split into %u parts", total,
        node->n_outputs);
  for (guint i = 0; i < node->n_outputs; i++)
    sizes[i] = i + 1 < node->n_outputs ? part : total - part * (n - 1);
  return TRUE;
}

/* @sizes: (out callee-allocates): one per output */
static gboolean
read_split (FvNode *node, guint *axis, gint64 **sizes, GError **error)
{
  const FvShape *shape = &node->inputs[0]->shape;
  g_autoptr (FvArray) list = NULL;

  *sizes = NULL;
  if (node->n_outputs == 0)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED, "no outputs");
  if (!fv_node_axis (node, fv_node_int (node, "axis"), shape->rank, axis, error)
      || !fv_node_list (node, "split", 1, &list, error))
    return FALSE;
  *sizes = g_new0 (gint64, node->n_outputs);
  return list ? sizes_from_list (node, list, shape->dims[*axis], *sizes, error)
              : equal_sizes (node, shape->dims[*axis], *sizes, error);
}

static gboolean
infer_split (FvNode *node, GError **error)
{
  g_autofree gint64 *sizes = NULL;
  FvShape shape = node->inputs[0]->shape;
  guint axis;

  if (!read_split (node, &axis, &sizes, error))
    return FALSE;
  for (guint i = 0; i < node->n_outputs; i++) {
    shape.dims[axis] = sizes[i];
    fv_set_output (node, i, node->inputs[0]->type, &shape);
  }
  return TRUE;
}

static gboolean
split (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  g_autofree gint64 *sizes = NULL;
  gint64 dense[FV_MAX_RANK], start = 0;
  guint axis;

  if (!read_split (node, &axis, &sizes, error))
    return FALSE;
  fv_dense_strides (&inputs[0]->shape, dense);
  for (guint i = 0; i < node->n_outputs; i++) {
    FvWalk walk;

    if (outputs[i]) {
      fv_walk_begin (&walk, &outputs[i]->shape);
      fv_walk_add_strides (&walk, start * dense[axis], dense);
      for (gint64 k = 0; k < outputs[i]->count; k++, fv_walk_next (&walk))
        fv_move (outputs[i], k, inputs[0], walk.at[0]);
    }
    start += sizes[i];
  }
  return TRUE;
}

static gboolean
lower_split (FvPlan *plan, FvNode *node, GError **error)
{
  g_autofree gint64 *sizes = NULL;
  FvTensor source, view;
  gint64 start = 0;
  guint axis;

  if (!read_split (node, &axis, &sizes, error)
      || !fv_plan_input (plan, node, 0, FV_ANY_AXIS, &source, error))
    return FALSE;
  for (guint i = 0; i < node->n_outputs; i++) {
    fv_tensor_slice (&source, axis, start, sizes[i], &view);
    if (node->outputs[i])
      fv_plan_alias (plan, node, i, &view);
    start += sizes[i];
  }
  return TRUE;
}

const FvOp fv_ops_slice[] = {
  {
      .name = "Slice",
      .since = 1,
      .until = 9,
      .flags = FV_OP_VIEW,
      .min_inputs = 1,
      .attrs = "starts:is ends:is axes:is",
      .infer = infer_slice,
      .reference = slice,
      .lower = lower_slice,
      .cases = FV_CASES ({ .inputs = "f32[2,9,5]",
          .attrs = "starts=[1,-3] ends=[9,1000] axes=[1,2]",
          .opset = 9 }),
  },
  {
      .name = "Slice",
      .since = 10,
      .flags = FV_OP_VIEW,
      .min_inputs = 3,
      .max_inputs = 5,
      .attrs = "",
      .infer = infer_slice,
      .reference = slice,
      .lower = lower_slice,
      .cases = FV_CASES (
          { .inputs = "f32[2,9,5] =i64{1,-3} =i64{9,1000} =i64{1,2}" },
          { .inputs = "f32[1,3,9,8] =i64{0,1} =i64{9,8} =i64{2,3} =i64{2,2}" },
          { .inputs =
                  "f32[2,9,5] =i64{-1,8} =i64{-100,1} =i64{2,1} =i64{-1,-3}" },
          { .inputs = "f32[2,9,16] =i64{4} =i64{12} =i64{-1}" },
          { .inputs = "f32[3,5] =i64{1,0} =i64{3,4}" }),
  },
  {
      .name = "Split",
      .since = 2,
      .until = 12,
      .flags = FV_OP_VIEW,
      .min_inputs = 1,
      .max_outputs = G_MAXUINT,
      .attrs = "axis:i=0 split:is",
      .infer = infer_split,
      .reference = split,
      .lower = lower_split,
      .cases = FV_CASES ({ .inputs = "f32[2,9,5]",
          .attrs = "axis=1 split=[2,7]",
          .n_outputs = 2,
          .opset = 11 }),
  },
  {
      .name = "Split",
      .since = 13,
      .until = 17,
      .flags = FV_OP_VIEW,
      .min_inputs = 1,
      .max_inputs = 2,
      .max_outputs = G_MAXUINT,
      .attrs = "axis:i=0",
      .infer = infer_split,
      .reference = split,
      .lower = lower_split,
      .cases = FV_CASES ({ .inputs = "f32[2,9,5] =i64{4,5}",
          .attrs = "axis=1",
          .n_outputs = 2,
          .opset = 13 }),
  },
  {
      .name = "Split",
      .since = 18,
      .flags = FV_OP_VIEW,
      .variant = 1,
      .min_inputs = 1,
      .max_inputs = 2,
      .max_outputs = G_MAXUINT,
      .attrs = "axis:i=0 num_outputs:i=0",
      .infer = infer_split,
      .reference = split,
      .lower = lower_split,
      .cases = FV_CASES ({ .inputs = "f32[2,16,5,3] =i64{8,8}",
                             .attrs = "axis=1",
                             .n_outputs = 2 },
          { .inputs = "f32[2,5,11]",
              .attrs = "axis=-1 num_outputs=3",
              .n_outputs = 3 },
          { .inputs = "f32[2,5,11] =i64{4,0,7}",
              .attrs = "axis=2",
              .n_outputs = 3 }),
  },
  {},
};
