/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Det, EyeLike and ReverseSequence; host only. */
#include "gst/ops/common.h"

#include <math.h>
#include <string.h>

static gboolean
infer_det (FvNode *node, GError **error)
{
  FvShape shape = node->inputs[0]->shape;

  if (!fv_type_is_float (node->inputs[0]->type) || shape.rank < 2
      || shape.dims[shape.rank - 1] != shape.dims[shape.rank - 2])
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected square matrices of floats");
  shape.rank -= 2;
  fv_set_output (node, 0, node->inputs[0]->type, &shape);
  return TRUE;
}

/* By elimination with the largest pivot of each column; @m is spent. */
static double
determinant (double *m, gint64 n)
{
  double result = 1;

  for (gint64 k = 0; k < n; k++) {
    gint64 pivot = k;

    for (gint64 r = k + 1; r < n; r++)
      if (fabs (m[r * n + k]) > fabs (m[pivot * n + k]))
        pivot = r;
    if (m[pivot * n + k] == 0)
      return 0;
    for (gint64 c = k; pivot != k && c < n; c++) {
      double swapped = m[k * n + c];

      m[k * n + c] = m[pivot * n + c];
      m[pivot * n + c] = -swapped;
    }
    result *= m[k * n + k];
    for (gint64 r = k + 1; r < n; r++)
      for (gint64 c = n; c-- > k;)
        m[r * n + c] -= m[r * n + k] / m[k * n + k] * m[k * n + c];
  }
  return result;
}

static gboolean
det (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  const FvShape *shape = &inputs[0]->shape;
  gint64 n = shape->dims[shape->rank - 1];
  g_autofree double *matrix = g_try_new (double, MAX (n * n, 1));

  if (!matrix)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE, "out of memory");
  for (gint64 i = 0; i < outputs[0]->count; i++) {
    for (gint64 k = 0; k < n * n; k++)
      matrix[k] = inputs[0]->f32[i * n * n + k];
    outputs[0]->f32[i] = determinant (matrix, n);
  }
  return TRUE;
}

static gboolean
infer_eye_like (FvNode *node, GError **error)
{
  FvType type = node->inputs[0]->type;

  if (fv_node_has (node, "dtype"))
    type = fv_type_from_onnx (fv_node_int (node, "dtype"));
  if (type == FV_TYPE_NONE)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "element type %" G_GINT64_FORMAT, fv_node_int (node, "dtype"));
  if (node->inputs[0]->shape.rank != 2)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the input is of rank %u, expected 2", node->inputs[0]->shape.rank);
  fv_set_output (node, 0, type, &node->inputs[0]->shape);
  return TRUE;
}

static gboolean
eye_like (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  gint64 width = outputs[0]->shape.dims[1], k = fv_node_int (node, "k");

  for (gint64 i = 0; i < outputs[0]->count; i++)
    if (i % width - i / width == k)
      fv_array_set_int (outputs[0], i, 1);
  return TRUE;
}

static gboolean
infer_reverse (FvNode *node, GError **error)
{
  const FvShape *x = &node->inputs[0]->shape;
  const FvValue *lengths = node->inputs[1];
  gint64 batch = fv_node_int (node, "batch_axis");

  if (x->rank < 2 || batch < 0 || batch > 1
      || fv_node_int (node, "time_axis") != 1 - batch)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "time and batch must be the first two axes");
  if (lengths->shape.rank != 1 || lengths->shape.dims[0] != x->dims[batch]
      || fv_type_is_float (lengths->type))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected one integer for each of the batch");
  return fv_infer_same (node, error);
}

static gboolean
reverse (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  guint batch = fv_node_int (node, "batch_axis"), time = 1 - batch;
  gint64 dense[FV_MAX_RANK];
  FvWalk walk;

  fv_dense_strides (&inputs[0]->shape, dense);
  fv_walk_begin (&walk, &inputs[0]->shape);
  for (gint64 i = 0; i < inputs[0]->count; i++, fv_walk_next (&walk)) {
    gint64 length = inputs[1]->i64[walk.index[batch]], at = walk.index[time];

    if (length < 0 || length > walk.shape.dims[time])
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "a length of %" G_GINT64_FORMAT " on an axis of %" G_GINT64_FORMAT,
          length, walk.shape.dims[time]);
    if (at < length)
      at = length - 1 - at;
    fv_move (outputs[0], i, inputs[0],
        i + (at - walk.index[time]) * dense[time]);
  }
  return TRUE;
}

const FvOp fv_ops_matrix[] = {
  {
      .name = "Det",
      .since = 11,
      .min_inputs = 1,
      .attrs = "",
      .infer = infer_det,
      .reference = det,
  },
  {
      .name = "EyeLike",
      .since = 9,
      .flags = FV_OP_SHAPE_ONLY,
      .min_inputs = 1,
      .attrs = "dtype:i k:i=0",
      .infer = infer_eye_like,
      .reference = eye_like,
  },
  {
      .name = "ReverseSequence",
      .since = 10,
      .min_inputs = 2,
      .attrs = "batch_axis:i=1 time_axis:i=0",
      .infer = infer_reverse,
      .reference = reverse,
      .lower = fv_lower_rewritten,
      .cases = FV_CASES ({ .inputs = "f32[5,3,7] i64[3]", .low = 1, .high = 5 },
          { .inputs = "f32[3,5] =i64{5,1,3}",
              .attrs = "batch_axis=0 time_axis=1" }),
  },
  {},
};
