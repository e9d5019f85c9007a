/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pools over windows and over whole maps. */
#include <math.h>
#include "gst/ops/common.h"
#include "gst/ops/pool.h"

/* Sizes of kernels, strides and pads are bounded so that products stay small. */
#define MAX_WINDOW 32767

gboolean
fv_pool_list (const FvNode *node, const char *name, guint n, gint64 low,
    gint64 *values, GError **error)
{
  guint given;
  const gint64 *list = fv_node_ints (node, name, &given);

  if (!list)
    return TRUE;
  if (given != n)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "%s has %u values, expected %u", name, given, n);
  for (guint i = 0; i < n; i++)
    if (list[i] < low || list[i] > MAX_WINDOW)
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "%s must lie in %" G_GINT64_FORMAT "..%d", name, low, MAX_WINDOW);
  memcpy (values, list, n * sizeof (gint64));
  return TRUE;
}

/* Windows that would begin behind the data and its first padding are none. */
static gint64
window_count (const FvPool *p, guint a, gboolean ceil_mode)
{
  gint64 span = (p->kernel[a] - 1) * p->dilation[a] + 1;
  gint64 room = p->in[a] + p->begin[a] + p->end[a] - span;
  gint64 n;

  if (room < 0)
    return ceil_mode && room + p->stride[a] > 0 ? 1 : 0;
  n = (ceil_mode ? room + p->stride[a] - 1 : room) / p->stride[a] + 1;
  if (ceil_mode && (n - 1) * p->stride[a] >= p->in[a] + p->begin[a])
    n--;
  return n;
}

static void
pad_automatically (FvPool *p, guint a, gboolean upper)
{
  gint64 span = (p->kernel[a] - 1) * p->dilation[a] + 1;
  gint64 n = (p->in[a] + p->stride[a] - 1) / p->stride[a];
  gint64 total = MAX ((n - 1) * p->stride[a] + span - p->in[a], 0);

  p->begin[a] = upper ? total / 2 : total - total / 2;
  p->end[a] = total - p->begin[a];
}

static gboolean
read_pads (const FvNode *node, FvPool *p, GError **error)
{
  const char *mode = fv_node_string (node, "auto_pad");
  guint first = 3 - p->n_axes;
  gint64 pads[6] = { 0 };

  if (g_str_equal (mode, "NOTSET")) {
    if (!fv_pool_list (node, "pads", 2 * p->n_axes, 0, pads, error))
      return FALSE;
    memcpy (p->begin + first, pads, p->n_axes * sizeof (gint64));
    memcpy (p->end + first, pads + p->n_axes, p->n_axes * sizeof (gint64));
  } else if (g_str_equal (mode, "SAME_UPPER")
      || g_str_equal (mode, "SAME_LOWER")) {
    for (guint a = first; a < 3; a++)
      pad_automatically (p, a, g_str_equal (mode, "SAME_UPPER"));
  } else if (!g_str_equal (mode, "VALID"))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED, "auto_pad \"%s\"",
        mode);
  return TRUE;
}

static gboolean
has_attr (const FvNode *node, const char *name)
{
  for (guint i = 0; i < node->n_attrs; i++)
    if (g_strcmp0 (node->attrs[i].name, name) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
read_windows (const FvNode *node, FvPool *p, GError **error)
{
  guint first = 3 - p->n_axes;

  if (!fv_pool_list (node, "kernel_shape", p->n_axes, 1, p->kernel + first,
          error)
      || !fv_pool_list (node, "strides", p->n_axes, 1, p->stride + first,
          error))
    return FALSE;
  if (has_attr (node, "dilations")
      && !fv_pool_list (node, "dilations", p->n_axes, 1, p->dilation + first,
          error))
    return FALSE;
  if (!read_pads (node, p, error))
    return FALSE;
  for (guint a = first; a < 3; a++) {
    p->out[a] = window_count (p, a,
        has_attr (node, "ceil_mode") && fv_node_int (node, "ceil_mode"));
    if (p->out[a] < 1)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "the window is larger than the padded map");
  }
  return TRUE;
}

static guint
pool_kind (const FvNode *node)
{
  switch (node->op->variant) {
    case FV_POOL_MAX:
    case FV_POOL_GLOBAL_MAX:
      return FV_POOLS_MAX;
    case FV_POOL_LP:
    case FV_POOL_GLOBAL_LP:
      return FV_POOLS_LP;
    default:
      return has_attr (node, "count_include_pad")
              && fv_node_int (node, "count_include_pad")
          ? FV_POOLS_AVERAGE_PADDED
          : FV_POOLS_AVERAGE;
  }
}

static gboolean
read_power (const FvNode *node, FvPool *p, GError **error)
{
  p->p = fv_node_int (node, "p");
  if (p->p >= 1 && p->p <= 64)
    return TRUE;
  return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
      "p is %" G_GINT64_FORMAT ", expected 1 to 64", p->p);
}

/* One window over all axes, which are one for that. */
static gboolean
whole_map (const FvNode *node, FvPool *p, GError **error)
{
  const FvShape *x = &node->inputs[0]->shape;

  if (x->rank < 2)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected a rank of at least 2, got %u", x->rank);
  p->n_axes = 1;
  p->outer = x->dims[0] * x->dims[1];
  for (guint a = 0; a < 3; a++)
    p->in[a] = p->kernel[a] = p->stride[a] = p->dilation[a] = p->out[a] = 1;
  for (guint i = 2; i < x->rank; i++)
    p->in[2] *= x->dims[i];
  if (p->in[2] < 1)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "a pool over an empty map");
  p->kernel[2] = p->in[2];
  return TRUE;
}

gboolean
fv_pool_geometry (const FvNode *node, FvPool *p, GError **error)
{
  const FvShape *x = &node->inputs[0]->shape;

  *p = (FvPool){ .kind = pool_kind (node) };
  if (p->kind == FV_POOLS_LP && !read_power (node, p, error))
    return FALSE;
  if (node->op->variant >= FV_POOL_GLOBAL_MAX)
    return whole_map (node, p, error);
  if (x->rank < 3 || x->rank > 5)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "expected one to three spatial axes, got rank %u", x->rank);
  p->n_axes = x->rank - 2;
  p->outer = x->dims[0] * x->dims[1];
  for (guint a = 0; a < 3; a++) {
    p->in[a] = a + p->n_axes < 3 ? 1 : x->dims[a + p->n_axes - 1];
    p->kernel[a] = p->stride[a] = p->dilation[a] = p->out[a] = 1;
    if (p->in[a] < 1)
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "a pool over an empty map");
  }
  return read_windows (node, p, error);
}

gboolean
fv_pool_is_global (const FvPool *p)
{
  for (guint a = 0; a < 3; a++)
    if (p->out[a] != 1 || p->kernel[a] != p->in[a] || p->dilation[a] != 1
        || p->begin[a] || p->end[a])
      return FALSE;
  return TRUE;
}

static gboolean
infer_pool (FvNode *node, GError **error)
{
  FvValue *x = node->inputs[0];
  FvShape *shape = &node->outputs[0]->shape;
  FvPool p;

  if (!fv_type_is_float (x->type)
      && (node->op->variant != FV_POOL_MAX
          || (x->type != FV_TYPE_I8 && x->type != FV_TYPE_U8)))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "expected a float tensor, got %s", fv_type_name (x->type));
  if (!fv_pool_geometry (node, &p, error))
    return FALSE;
  node->outputs[0]->type = x->type;
  *shape = x->shape;
  for (guint i = 2; i < shape->rank; i++)
    shape->dims[i] = node->op->variant >= FV_POOL_GLOBAL_MAX
        ? 1
        : p.out[3 - p.n_axes + i - 2];
  fv_set_output (node, 1, FV_TYPE_I64, shape);
  return TRUE;
}

/* First and last (exclusive) tap of window @o along @a that meet data, and how
 * many taps lie within data and padding. */
static void
window (const FvPool *p, guint a, gint64 o, gint64 *first, gint64 *last,
    gint64 *padded)
{
  gint64 start = o * p->stride[a] - p->begin[a];
  gint64 limit = p->in[a] + p->end[a];

  *first = p->kernel[a];
  *last = *padded = 0;
  for (gint64 k = 0; k < p->kernel[a]; k++) {
    gint64 at = start + k * p->dilation[a];

    *padded += at < limit;
    if (at < 0 || at >= p->in[a])
      continue;
    *first = MIN (*first, k);
    *last = k + 1;
  }
}

/* @place: of the largest, in row-major order within the map */
static double
pool_one (const FvPool *p, const FvArray *x, gint64 map, const gint64 o[3],
    gint64 place[3])
{
  gint64 first[3], last[3], padded[3], start[3], n = 0;
  double sum = 0, top = -INFINITY;

  for (guint a = 0; a < 3; a++) {
    window (p, a, o[a], &first[a], &last[a], &padded[a]);
    start[a] = o[a] * p->stride[a] - p->begin[a];
    place[a] = 0;
  }
  for (gint64 i = first[0]; i < last[0]; i++)
    for (gint64 j = first[1]; j < last[1]; j++)
      for (gint64 k = first[2]; k < last[2]; k++) {
        gint64 z = start[0] + i * p->dilation[0];
        gint64 row = start[1] + j * p->dilation[1];
        gint64 column = start[2] + k * p->dilation[2];
        gint64 at = map + (z * p->in[1] + row) * p->in[2] + column;
        double v = x->type == FV_TYPE_F32 ? x->f32[at] : x->i64[at];

        sum += p->kind == FV_POOLS_LP ? pow (fabs (v), p->p) : v;
        if (n++ == 0 || v > top || isnan (v)) {
          top = v;
          place[0] = z;
          place[1] = row;
          place[2] = column;
        }
      }
  switch (p->kind) {
    case FV_POOLS_MAX:
      return top;
    case FV_POOLS_LP:
      return pow (sum, 1.0 / p->p);
    case FV_POOLS_AVERAGE_PADDED:
      return sum / (padded[0] * padded[1] * padded[2]);
    default:
      return sum / n;
  }
}

void
fv_pool_place (const FvPool *p, gboolean columns, gint64 place[3])
{
  place[columns ? 0 : 2] = 1;
  place[1] = p->in[columns ? 0 : 2];
  place[columns ? 2 : 0] = place[1] * p->in[1];
}

gboolean
fv_pool_by_columns (const FvNode *node)
{
  return has_attr (node, "storage_order")
      && fv_node_int (node, "storage_order") != 0;
}

static gboolean
pool (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  FvArray *indices = node->n_outputs > 1 ? outputs[1] : NULL;
  gint64 o[3], i = 0, size, steps[3];
  FvPool p;

  if (!fv_pool_geometry (node, &p, error))
    return FALSE;
  fv_pool_place (&p, fv_pool_by_columns (node), steps);
  size = p.in[0] * p.in[1] * p.in[2];
  for (gint64 c = 0; c < p.outer; c++)
    for (o[0] = 0; o[0] < p.out[0]; o[0]++)
      for (o[1] = 0; o[1] < p.out[1]; o[1]++)
        for (o[2] = 0; o[2] < p.out[2]; o[2]++, i++) {
          gint64 place[3];
          double v = pool_one (&p, inputs[0], c * size, o, place);

          if (outputs[0]->type == FV_TYPE_F32)
            outputs[0]->f32[i] = v;
          else
            outputs[0]->i64[i] = isfinite (v) ? v : 0;
          if (indices)
            indices->i64[i] = c * size + place[0] * steps[0]
                + place[1] * steps[1] + place[2] * steps[2];
        }
  return TRUE;
}

#define WINDOW "auto_pad:s=NOTSET kernel_shape:is! pads:is strides:is "
#define MAX_CASES(set) \
  FV_CASES ({ "f32[1,7,9,11]", \
                "kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1]", \
                .opset = set }, \
      { "f32[2,8,7,5]", "kernel_shape=[2,2] strides=[2,2]", .opset = set }, \
      { "f32[1,5,13]", "kernel_shape=[3] strides=[2] auto_pad=SAME_LOWER", \
          .opset = set }, \
      { "f32[1,3,4,5,6]", \
          "kernel_shape=[2,3,3] strides=[1,2,1] pads=[0,1,1,0,1,1]", \
          .opset = set })
#define MAX_POOL(first, attributes, set) \
  { \
    .name = "MaxPool", .since = first, .variant = FV_POOL_MAX, \
    .flags = FV_OP_TAKES_STEPS | FV_OP_CHANNELS, .min_inputs = 1, \
    .max_outputs = 2, .attrs = attributes, .infer = infer_pool, \
    .reference = pool, .lower = fv_pool_lower, .cases = set \
  }
#define AVERAGE_POOL(first, attributes, set) \
  { \
    .name = "AveragePool", .since = first, .variant = FV_POOL_AVERAGE, \
    .flags = FV_OP_TAKES_STEPS | FV_OP_CHANNELS, .min_inputs = 1, \
    .attrs = attributes, .infer = infer_pool, .reference = pool, \
    .lower = fv_pool_lower, .cases = set \
  }
#define LP_POOL(first, attributes, set) \
  { \
    .name = "LpPool", .since = first, .variant = FV_POOL_LP, \
    .flags = FV_OP_TAKES_STEPS | FV_OP_CHANNELS, .min_inputs = 1, \
    .attrs = attributes, .infer = infer_pool, .reference = pool, \
    .lower = fv_pool_lower, .cases = set \
  }
#define GLOBAL_POOL(op, kind, attributes, set) \
  { \
    .name = op, .since = 1, .variant = kind, \
    .flags = FV_OP_TAKES_STEPS | FV_OP_CHANNELS, .min_inputs = 1, \
    .attrs = attributes, .infer = infer_pool, .reference = pool, \
    .lower = fv_pool_lower, .cases = set \
  }

const FvOp fv_ops_pool[] = {
  MAX_POOL (1, WINDOW, NULL),
  MAX_POOL (8, WINDOW "storage_order:i=0", MAX_CASES (8)),
  MAX_POOL (10, WINDOW "storage_order:i=0 ceil_mode:i=0 dilations:is",
      FV_CASES ({ "f32[1,64,13,13]", "kernel_shape=[3,3] strides=[2,2]" },
          { "f32[1,6,10,10]", "kernel_shape=[3,3] strides=[2,2] ceil_mode=1" },
          { "f32[1,6,9,9]",
              "kernel_shape=[2,2] strides=[3,3] ceil_mode=1 pads=[1,1,1,1]" },
          { "f32[1,5,11,12]",
              "kernel_shape=[3,2] dilations=[2,3] pads=[2,1,1,2]" },
          { "f32[1,20,10,10]", "kernel_shape=[13,13] pads=[6,6,6,6]" },
          { "f32[1,20,12,17]", "kernel_shape=[5,5] pads=[2,2,2,2]" },
          { "f32[2,9,15,15]", "kernel_shape=[9,9] pads=[4,4,4,4]" },
          { "f32[1,3,8,9]", "kernel_shape=[8,9]" },
          { "f32[1,4,7,7]",
              "kernel_shape=[3,3] auto_pad=SAME_UPPER "
              "strides=[2,2]" },
          { "f32[1,3,6,5,6]",
              "kernel_shape=[2,2,2] dilations=[3,1,2] "
              "ceil_mode=1 strides=[2,2,2]" },
          { "f32[2,5,9,8]",
              "kernel_shape=[3,2] strides=[2,3] pads=[1,0,1,1] dilations=[2,1]",
              .n_outputs = 2 },
          { "f32[2,5,4,6,5]",
              "kernel_shape=[2,3,2] strides=[2,2,1] ceil_mode=1 "
              "storage_order=1",
              .n_outputs = 2 },
          { "f32[2,6,7]", "kernel_shape=[7]", .n_outputs = 2 },
          { "u8[2,5,7,6]", "kernel_shape=[3,3] pads=[1,1,1,1]", 0, 255 },
          { "i8[1,5,7,6]", "kernel_shape=[2,2] strides=[2,2]", -128, -1,
              .n_outputs = 2 })),
  AVERAGE_POOL (1, WINDOW, NULL),
  AVERAGE_POOL (7, WINDOW "count_include_pad:i=0", NULL),
  AVERAGE_POOL (10, WINDOW "count_include_pad:i=0 ceil_mode:i=0",
      FV_CASES ({ "f32[1,7,9,11]",
                    "kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1]",
                    .opset = 11 },
          { "f32[2,5,12]",
              "kernel_shape=[4] strides=[3] pads=[2,1] "
              "count_include_pad=1",
              .opset = 11 },
          { "f32[1,9,7,7]", "kernel_shape=[7,7]", .opset = 11 })),
  AVERAGE_POOL (19, WINDOW "count_include_pad:i=0 ceil_mode:i=0 dilations:is",
      FV_CASES (
          { "f32[1,6,10,10]", "kernel_shape=[3,3] strides=[2,2] ceil_mode=1" },
          { "f32[1,6,10,9]",
              "kernel_shape=[3,3] strides=[2,2] ceil_mode=1 "
              "pads=[1,1,1,1] count_include_pad=1" },
          { "f32[1,8,11,12]",
              "kernel_shape=[3,2] dilations=[2,3] pads=[2,1,1,2]" },
          { "f32[1,3,9,9]",
              "kernel_shape=[2,2] dilations=[2,2] strides=[2,2] "
              "ceil_mode=1 count_include_pad=1" },
          { "f32[1,3,28,28]", "kernel_shape=[28,28]" },
          { "f32[1,6,14,14]", "kernel_shape=[7,7] strides=[7,7]" },
          { "f32[1,3,4,5,6]", "kernel_shape=[2,3,3] pads=[0,1,1,0,1,1]" })),
  GLOBAL_POOL ("GlobalAveragePool", FV_POOL_GLOBAL_AVERAGE, "",
      FV_CASES ({ "f32[2,7,5,3]" }, { "f32[1,72,28,28]", NULL, 3, 5 },
          { "f32[1,5,13]" }, { "f32[1,3,4,5,6]" }, { "f32[1,33,1,1]" },
          { "f32[1,6,112,113]", NULL, 3, 4 })),
  GLOBAL_POOL ("GlobalMaxPool", FV_POOL_GLOBAL_MAX, "",
      FV_CASES ({ "f32[2,7,5,3]" }, { "f32[1,18,28,28]", NULL, -5, -3 })),
  LP_POOL (2, WINDOW "p:i=2",
      FV_CASES ({ "f32[2,5,9,8]",
                    "kernel_shape=[3,2] strides=[2,1] pads=[1,0,1,1] p=3",
                    .opset = 11 },
          { "f32[1,6,11]", "kernel_shape=[3] auto_pad=SAME_LOWER p=1",
              .opset = 11 },
          { "f32[1,6,11,4]", "kernel_shape=[11,4] p=5", .opset = 11 })),
  LP_POOL (18, WINDOW "p:i=2 ceil_mode:i=0 dilations:is",
      FV_CASES (
          { "f32[1,7,12,11]", "kernel_shape=[3,3] strides=[2,2] ceil_mode=1" },
          { "f32[2,3,5,6,7]",
              "kernel_shape=[2,3,2] dilations=[2,1,3] pads=[0,1,1,1,0,2]" })),
  GLOBAL_POOL ("GlobalLpPool", FV_POOL_GLOBAL_LP, "p:i=2",
      FV_CASES ({ "f32[2,7,5,3]" }, { "f32[1,18,28,28]", "p=1" },
          { "f32[1,5,4,3,2]", "p=3" }, { "f32[2,3,2,3,1,4]", "p=4" },
          { "f32[3,5]" })),
  {},
};
