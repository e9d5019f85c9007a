/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MaxUnpool: values go back to where a MaxPool took them from. */
#include "gst/ops/common.h"
#include "gst/ops/pool.h"

/* The sizes of output 0 along its spatial axes, at least those of the map. */
static gboolean
read_output_shape (const FvNode *node, const FvPool *p, gint64 size[3],
    GError **error)
{
  const FvShape *x = &node->inputs[0]->shape;
  g_autoptr (FvArray) given = NULL;

  memcpy (size, p->in, sizeof p->in);
  if (!fv_node_input (node, 2))
    return TRUE;
  given = fv_node_constant_ints (node, 2, error);
  if (!given)
    return FALSE;
  if (given->count != x->rank || given->i64[0] != x->dims[0]
      || given->i64[1] != x->dims[1])
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "output_shape must have %u numbers, first those of the input", x->rank);
  for (guint i = 0; i < p->n_axes; i++) {
    gint64 *axis = &size[3 - p->n_axes + i], least = *axis;

    *axis = given->i64[2 + i];
    if (*axis < least || *axis > G_MAXINT32)
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "output_shape[%u] is %" G_GINT64_FORMAT
          ", expected at least %" G_GINT64_FORMAT,
          2 + i, *axis, least);
  }
  return TRUE;
}

gboolean
fv_unpool_geometry (const FvNode *node, FvPool *p, gint64 size[3],
    GError **error)
{
  const FvShape *x = &node->inputs[0]->shape;
  gint64 pads[6] = { 0 };
  guint first;

  *p = (FvPool){ .kind = FV_POOLS_MAX };
  if (x->rank < 3 || x->rank > 5)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "expected one to three spatial axes, got rank %u", x->rank);
  p->n_axes = x->rank - 2;
  first = 3 - p->n_axes;
  p->outer = x->dims[0] * x->dims[1];
  for (guint a = 0; a < 3; a++)
    p->in[a] = p->out[a] = p->kernel[a] = p->stride[a] = p->dilation[a] = 1;
  if (!fv_pool_list (node, "kernel_shape", p->n_axes, 1, p->kernel + first,
          error)
      || !fv_pool_list (node, "strides", p->n_axes, 1, p->stride + first, error)
      || !fv_pool_list (node, "pads", 2 * p->n_axes, 0, pads, error))
    return FALSE;
  for (guint i = 0; i < p->n_axes; i++) {
    guint a = first + i;

    p->begin[a] = pads[i];
    p->end[a] = pads[p->n_axes + i];
    p->out[a] = x->dims[2 + i];
    if (p->out[a] < 1 || p->out[a] > G_MAXINT32)
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "the input's size is out of range");
    p->in[a] =
        (p->out[a] - 1) * p->stride[a] + p->kernel[a] - p->begin[a] - p->end[a];
    if (p->in[a] < 1 || p->in[a] > G_MAXINT32)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "the output would have %" G_GINT64_FORMAT " elements along an axis",
          p->in[a]);
  }
  return read_output_shape (node, p, size, error);
}

static gboolean
infer_unpool (FvNode *node, GError **error)
{
  const FvValue *x = node->inputs[0], *indices = node->inputs[1];
  FvShape shape = x->shape;
  gint64 size[3];
  FvPool p;

  if (!fv_type_is_float (x->type) || indices->type != FV_TYPE_I64)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected floats and int64 indices, got %s and %s",
        fv_type_name (x->type), fv_type_name (indices->type));
  if (!fv_shape_equal (&x->shape, &indices->shape))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the indices' shape is not that of the input");
  if (!fv_unpool_geometry (node, &p, size, error))
    return FALSE;
  for (guint i = 0; i < p.n_axes; i++)
    shape.dims[2 + i] = size[3 - p.n_axes + i];
  fv_set_output (node, 0, x->type, &shape);
  return fv_node_check_shape (node, &shape, error);
}

static gboolean
unpool (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  gint64 size[3], map;
  FvPool p;

  if (!fv_unpool_geometry (node, &p, size, error))
    return FALSE;
  map = p.in[0] * p.in[1] * p.in[2];
  for (gint64 i = 0; i < outputs[0]->count; i++)
    outputs[0]->f32[i] = 0;
  for (gint64 i = 0; i < inputs[0]->count; i++) {
    gint64 at = inputs[1]->i64[i], channel = at / map, row, depth;

    if (at < 0 || channel >= p.outer)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "index %" G_GINT64_FORMAT " lies outside of the output", at);
    row = at % map / p.in[2];
    depth = row / p.in[1];
    row = (channel * size[0] + depth) * size[1] + row % p.in[1];
    outputs[0]->f32[row * size[2] + at % p.in[2]] = inputs[0]->f32[i];
  }
  return TRUE;
}

const FvOp fv_ops_unpool[] = {
  { .name = "MaxUnpool",
      .limits = "more than 2^24 elements: on the host",
      .since = 9,
      .flags = FV_OP_CHANNELS,
      .min_inputs = 2,
      .max_inputs = 3,
      .attrs = "kernel_shape:is! pads:is strides:is",
      .infer = infer_unpool,
      .reference = unpool,
      .lower = fv_unpool_lower,
      /* the first: every window is the whole map, and values meet */
      .cases = FV_CASES ({ "f32[1,1,3,3] i64[1,1,3,3]",
                             "kernel_shape=[7,7] pads=[2,2,2,2]", 0, 24.9 },
          { "f32[1,5,2,1] i64[1,5,2,1]{1,2,4,7,9,11,12,14,18,19}",
              "kernel_shape=[2,3] strides=[1,2] pads=[0,1,1,0]" },
          { "f32[2,2,2] i64[2,2,2]{1,2,4,7,9,11,13,14} =i64{2,2,7}",
              "kernel_shape=[2] strides=[2]" },
          { "f32[1,1,1,2,2] i64[1,1,1,2,2]{1,8,9,5}",
              "kernel_shape=[2,1,2] strides=[1,1,1] pads=[0,0,0,0,0,0]" }) },
  {},
};
