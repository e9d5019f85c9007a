/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Col2Im: blocks of an image put back where they came from, and summed where they
 * overlap. Before the plan is made, a pass (rewrite-compound.c) makes it a
 * ConvTranspose. */
#include <string.h>

#include "gst/ops/common.h"

#define MAX_AXES (FV_MAX_RANK - 2)
#define LIMIT 32767 /* of blocks, strides, dilations and padding */

typedef struct
{
  guint n;
  gint64 maps, channels, taps, blocks; /* of a block; of an image */
  gint64 size[MAX_AXES], block[MAX_AXES], count[MAX_AXES];
  gint64 stride[MAX_AXES], dilation[MAX_AXES], begin[MAX_AXES], end[MAX_AXES];
} Col2Im;

static gboolean
read_list (const FvNode *node, const char *name, guint n, gint64 low,
    gint64 *values, GError **error)
{
  guint given = 0;
  const gint64 *list = fv_node_ints (node, name, &given);

  if (list && given != n)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "%s has %u numbers, expected %u", name, given, n);
  for (guint i = 0; i < n; i++) {
    values[i] = list ? list[i] : low;
    if (values[i] < low || values[i] > LIMIT)
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "%s[%u] is %" G_GINT64_FORMAT, name, i, values[i]);
  }
  return TRUE;
}

static gboolean
read_sizes (const FvNode *node, guint input, guint n, gint64 *values,
    GError **error)
{
  g_autoptr (FvArray) list = fv_node_constant_ints (node, input, error);

  if (!list)
    return FALSE;
  if (list->count != n)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the shapes of images and blocks differ in rank");
  for (guint i = 0; i < n; i++) {
    values[i] = list->i64[i];
    if (values[i] < 1 || values[i] > (input == 1 ? G_MAXINT32 : LIMIT))
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "a size of %" G_GINT64_FORMAT, values[i]);
  }
  return TRUE;
}

static gboolean
count_blocks (const FvNode *node, Col2Im *c, GError **error)
{
  const FvShape *x = &node->inputs[0]->shape;

  c->taps = c->blocks = 1;
  for (guint i = 0; i < c->n; i++) {
    gint64 extent = (c->block[i] - 1) * c->dilation[i] + 1;
    gint64 padded = c->size[i] + c->begin[i] + c->end[i];

    if (padded < extent)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "blocks are larger than the padded image");
    c->count[i] = (padded - extent) / c->stride[i] + 1;
    if (__builtin_mul_overflow (c->taps, c->block[i], &c->taps)
        || __builtin_mul_overflow (c->blocks, c->count[i], &c->blocks))
      return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
          "the number of blocks overflows");
  }
  if (x->dims[1] % c->taps || x->dims[2] != c->blocks)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected %" G_GINT64_FORMAT
        " blocks of a multiple of %" G_GINT64_FORMAT " elements",
        c->blocks, c->taps);
  c->maps = x->dims[0];
  c->channels = x->dims[1] / c->taps;
  return TRUE;
}

static gboolean
read_col2im (const FvNode *node, Col2Im *c, GError **error)
{
  const FvValue *x = node->inputs[0], *image = node->inputs[1];
  gint64 pads[2 * MAX_AXES];

  memset (c, 0, sizeof *c);
  if (x->type == FV_TYPE_BOOL || x->shape.rank != 3 || image->shape.rank != 1
      || image->shape.dims[0] < 1 || image->shape.dims[0] > MAX_AXES)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "expected numbers of rank 3 and images of one to %d axes", MAX_AXES);
  c->n = image->shape.dims[0];
  if (!read_sizes (node, 1, c->n, c->size, error)
      || !read_sizes (node, 2, c->n, c->block, error)
      || !read_list (node, "strides", c->n, 1, c->stride, error)
      || !read_list (node, "dilations", c->n, 1, c->dilation, error)
      || !read_list (node, "pads", 2 * c->n, 0, pads, error))
    return FALSE;
  memcpy (c->begin, pads, c->n * sizeof *pads);
  memcpy (c->end, pads + c->n, c->n * sizeof *pads);
  return count_blocks (node, c, error);
}

static gboolean
infer_col2im (FvNode *node, GError **error)
{
  FvShape shape;
  Col2Im c;

  if (!read_col2im (node, &c, error))
    return FALSE;
  shape = (FvShape){ 2 + c.n, { c.maps, c.channels } };
  memcpy (shape.dims + 2, c.size, c.n * sizeof *c.size);
  if (!fv_node_check_shape (node, &shape, error))
    return FALSE;
  fv_set_output (node, 0, node->inputs[0]->type, &shape);
  return TRUE;
}

/* The element of an image that element @tap of block @block is; -1: padding. */
static gint64
find_element (const Col2Im *c, gint64 tap, gint64 block)
{
  gint64 at = 0, step = 1;

  for (guint i = c->n; i-- > 0;) {
    gint64 k = block % c->count[i] * c->stride[i]
        + tap % c->block[i] * c->dilation[i] - c->begin[i];

    if (k < 0 || k >= c->size[i])
      return -1;
    at += k * step;
    step *= c->size[i];
    block /= c->count[i];
    tap /= c->block[i];
  }
  return at;
}

static gboolean
col2im (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  gint64 plane = 1;
  Col2Im c;

  if (!read_col2im (node, &c, error))
    return FALSE;
  for (guint i = 0; i < c.n; i++)
    plane *= c.size[i];
  for (gint64 i = 0; i < inputs[0]->count; i++) {
    gint64 block = i % c.blocks, column = i / c.blocks;
    gint64 at = find_element (&c, column % c.taps, block);

    if (at < 0)
      continue;
    at += column / c.taps * plane;
    if (inputs[0]->type == FV_TYPE_F32)
      outputs[0]->f32[at] += inputs[0]->f32[i];
    else
      outputs[0]->i64[at] += inputs[0]->i64[i];
  }
  return TRUE;
}

const FvOp fv_ops_col2im[] = {
  {
      .name = "Col2Im",
      .since = 18,
      .flags = FV_OP_CHANNELS,
      .min_inputs = 3,
      .attrs = "dilations:is pads:is strides:is",
      .infer = infer_col2im,
      .reference = col2im,
      .lower = fv_lower_rewritten,
      .cases = FV_CASES ({ "f32[2,27,35] =i64{7,9} =i64{3,3}" },
          { "f32[1,30,20] =i64{9,8} =i64{2,3}",
              "strides=[2,2] pads=[0,1,1,0]" },
          { "f32[1,8,15] =i64{8,7} =i64{2,2}", "dilations=[3,4]" },
          { "f32[2,10,7] =i64{20} =i64{5}", "strides=[3] pads=[2,1]" },
          { "f32[1,16,36] =i64{3,4,5} =i64{2,2,2}", "pads=[0,0,0,1,0,0]" }),
  },
  {},
};
