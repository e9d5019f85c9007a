/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that are made of others, taken apart into those. */
#include "gst/engine/ir-private.h"

#include <math.h>
#include <string.h>

#define MAX_COLUMNS (1 << 24) /* elements that one band has at most */

/* The first attributes of both, by name, become those of @to. */
static gboolean
copy_attrs (FvEmit *emit, FvNode *to, const FvNode *from,
    const char *const *names)
{
  g_autofree FvAttr *attrs = g_new (FvAttr, from->n_attrs + 1);
  FvModelNode given = { .attrs = attrs };

  for (guint i = 0; i < from->n_attrs; i++)
    if (g_strv_contains (names, from->attrs[i].name))
      attrs[given.n_attrs++] = from->attrs[i];
  return fv_node_take_attrs (to, &given, emit->error);
}

static FvValue *
slice (FvEmit *emit, FvValue *x, gint64 axis, gint64 start, gint64 end)
{
  if (!x)
    return NULL;
  return fv_emit_end (emit,
      fv_emit_begin (emit, "Slice",
          (FvValue *[]){ x, fv_emit_ints (emit, &start, 1),
              fv_emit_ints (emit, &end, 1), fv_emit_ints (emit, &axis, 1) },
          4));
}

/* @parts that are NULL at the end are left out. */
static FvValue *
concat (FvEmit *emit, gint64 axis, FvValue **parts, guint n)
{
  FvNode *node;

  while (n > 1 && !parts[n - 1])
    n--;
  if (n == 1)
    return parts[0];
  node = fv_emit_begin (emit, "Concat", parts, n);
  fv_node_set_int (node, "axis", axis);
  return fv_emit_end (emit, node);
}

/* Rows @first to @last of what the taps read; all of them are not sliced. */
static FvValue *
deform_columns (FvEmit *emit, FvNode *node, gint64 first, gint64 last)
{
  static const char *const names[] = { "dilations", "group", "offset_group",
    "pads", "strides", NULL };
  FvValue *in[3] = { node->inputs[0], node->inputs[2],
    fv_node_input (node, 4) };
  FvNode *part;

  for (guint i = 1; i < 3; i++)
    if (in[i] && last - first < in[i]->shape.dims[2]
        && !(in[i] = slice (emit, in[i], 2, first, last)))
      return NULL;
  part = fv_emit_begin (emit, "fovea.DeformColumns", in, in[2] ? 3 : 2);
  fv_node_set_ints (part, "kernel_shape", node->inputs[1]->shape.dims + 2, 2);
  fv_node_set_int (part, "first", first);
  return copy_attrs (emit, part, node, names) ? fv_emit_end (emit, part) : NULL;
}

/* A 1 x 1 convolution of what the taps read: weights [out, in, rows, columns]
 * become [out, taps, in]. In bands of rows where columns would be very large. */
static FvValue *
deform_conv (FvEmit *emit, FvNode *node)
{
  FvValue *w = node->inputs[1], *bias = fv_node_input (node, 3);
  const gint64 *dims = w->shape.dims, taps = dims[2] * dims[3];
  const gint64 *out = node->outputs[0]->shape.dims;
  const gint64 apart[] = { dims[0], dims[1], taps }, perm[] = { 0, 2, 1 };
  const gint64 joined[] = { dims[0], taps * dims[1], 1, 1 };
  gint64 row = out[0] * node->inputs[0]->shape.dims[1] * taps * out[3];
  gint64 height = CLAMP (MAX_COLUMNS / MAX (row, 1), 1, MAX (out[2], 1));
  g_autofree FvValue **bands = g_new0 (FvValue *, out[2] / height + 2);
  guint n = 0;

  w = fv_emit_transpose (emit, fv_emit_reshape (emit, w, apart, 3), perm);
  if (!(w = fv_emit_reshape (emit, w, joined, 4)))
    return NULL;
  for (gint64 y = 0; y < out[2]; y += height) {
    FvValue *in[] = { deform_columns (emit, node, y, MIN (y + height, out[2])),
      w, bias };
    FvNode *part;

    if (!in[0])
      return NULL;
    part = fv_emit_begin (emit, "Conv", in, bias ? 3 : 2);
    fv_node_set_int (part, "group", fv_node_int (node, "group"));
    if (!(bands[n++] = fv_emit_end (emit, part)))
      return NULL;
  }
  return n ? concat (emit, 2, bands, n) : NULL;
}

static gboolean
is_extrapolated (const FvNode *node)
{
  return node->op->since >= 11 && fv_node_float (node, "extrapolation_value")
      && g_str_equal (fv_node_string (node, "coordinate_transformation_mode"),
          "tf_crop_and_resize");
}

/* What lies outside of the input is zero where its value is taken off the input
 * and added to the output. */
static FvValue *
resize (FvEmit *emit, FvNode *node)
{
  float beside = fv_node_float (node, "extrapolation_value");
  FvModelNode given = { .attrs = node->attrs, .n_attrs = node->n_attrs };
  FvValue *inputs[4] = { NULL };
  FvNode *part;

  memcpy (inputs, node->inputs, node->n_own_inputs * sizeof *inputs);
  inputs[0] = fv_emit (emit, "Sub", inputs[0], fv_emit_scalar (emit, beside));
  if (!inputs[0])
    return NULL;
  part = fv_emit_begin (emit, "Resize", inputs, node->n_own_inputs);
  if (!fv_node_take_attrs (part, &given, emit->error))
    return NULL;
  fv_node_set_float (part, "extrapolation_value", 0);
  return fv_emit (emit, "Add", fv_emit_end (emit, part),
      fv_emit_scalar (emit, beside));
}

/* The positions of a grid in -1..1, [coordinates and 1, positions]. */
static FvValue *
grid_positions (FvEmit *emit, const gint64 *dims, guint n, gboolean align)
{
  FvShape shape = { 2, { n + 1, 1 } };
  FvArray *array;
  FvValue *value;

  for (guint a = 0; a < n; a++)
    shape.dims[1] *= dims[a];
  value = fv_ir_add_floats (emit->ir, NULL, &shape, &array);
  for (gint64 i = 0; value && i < shape.dims[1]; i++) {
    gint64 left = i;

    for (guint a = 0; a < n; a++) { /* x first: the last axis */
      gint64 size = dims[n - 1 - a], at = left % size;

      left /= size;
      array->f32[a * shape.dims[1] + i] = align && size > 1
          ? 2.0 * at / (size - 1) - 1
          : align ? 0
                  : (2.0 * at + 1) / size - 1;
    }
    array->f32[n * shape.dims[1] + i] = 1;
  }
  return value;
}

static FvValue *
affine_grid (FvEmit *emit, FvNode *node)
{
  const gint64 perm[] = { 0, 2, 1 };
  const FvShape *grid = &node->outputs[0]->shape;
  FvValue *positions = grid_positions (emit, grid->dims + 1, grid->rank - 2,
      fv_node_int (node, "align_corners") != 0);
  FvValue *y =
      positions ? fv_emit (emit, "MatMul", node->inputs[0], positions) : NULL;

  return fv_emit_reshape (emit, fv_emit_transpose (emit, y, perm), grid->dims,
      grid->rank);
}

static gboolean
has_floats (const FvNode *node)
{
  return fv_type_is_float (node->inputs[0]->type)
      && node->outputs[0]->shape.rank <= 5;
}

/* A kernel for each element of a block, which puts it into its place. */
static FvValue *
one_hot_kernels (FvEmit *emit, gint64 channels, const FvArray *block)
{
  FvShape shape = { 2 + block->count, { channels, 1 } };
  gint64 taps = 1;
  FvArray *array;
  FvValue *value;

  for (gint64 i = 0; i < block->count; i++)
    taps *= shape.dims[2 + i] = block->i64[i];
  value = fv_ir_add_floats (emit->ir, NULL, &shape, &array);
  for (gint64 i = 0; value && i < channels; i++)
    array->f32[i * taps + i % taps] = 1;
  return value;
}

/* What a list attribute says of axis @i. */
static gint64
number_of (const FvNode *node, const char *name, guint i, gint64 fallback)
{
  guint n;
  const gint64 *list = fv_node_ints (node, name, &n);

  return list ? list[i] : fallback;
}

/* A transposed convolution, whose padding behind is what blocks do not reach. */
static FvValue *
col2im (FvEmit *emit, FvNode *node)
{
  static const char *const names[] = { "dilations", "pads", "strides", NULL };
  g_autoptr (FvArray) block = fv_node_constant_ints (node, 2, emit->error);
  const FvShape *x = &node->inputs[0]->shape, *y = &node->outputs[0]->shape;
  gint64 dims[FV_MAX_RANK] = { x->dims[0], x->dims[1] };
  gint64 rest[FV_MAX_RANK];
  FvValue *blocks, *kernels;
  FvNode *part;
  guint n = y->rank - 2;

  for (guint i = 0; block && i < n; i++) {
    gint64 room = y->dims[2 + i] + number_of (node, "pads", i, 0)
        + number_of (node, "pads", n + i, 0)
        - (block->i64[i] - 1) * number_of (node, "dilations", i, 1) - 1;

    dims[2 + i] = room / number_of (node, "strides", i, 1) + 1;
    rest[i] = room % number_of (node, "strides", i, 1);
  }
  if (!block
      || !(blocks = fv_emit_reshape (emit, node->inputs[0], dims, y->rank))
      || !(kernels = one_hot_kernels (emit, x->dims[1], block)))
    return NULL;
  part = fv_emit_begin (emit, "ConvTranspose", (FvValue *[]){ blocks, kernels },
      2);
  fv_node_set_ints (part, "output_padding", rest, n);
  fv_node_set_int (part, "group", y->dims[1]);
  return copy_attrs (emit, part, node, names) ? fv_emit_end (emit, part) : NULL;
}

/* [batch, length, heads * width] as [batch, heads, length, width]. */
static FvValue *
split_heads (FvEmit *emit, FvValue *x, gint64 heads)
{
  const gint64 perm[] = { 0, 2, 1, 3 }, *dims = x->shape.dims;
  const gint64 apart[] = { dims[0], dims[1], heads,
    heads > 0 ? dims[2] / heads : 0 };

  if (x->shape.rank == 4)
    return x;
  return fv_emit_transpose (emit, fv_emit_reshape (emit, x, apart, 4), perm);
}

/* Keys or values behind those of the past. What output @output shows is an
 * Identity of them, since another name for an input would be one. */
static FvValue *
join_past (FvEmit *emit, FvNode *node, guint input, guint output)
{
  FvValue *past = fv_node_input (node, input + 3);
  FvValue *all = split_heads (emit, node->inputs[input],
      fv_node_int (node, "kv_num_heads"));

  if (past && all)
    all = concat (emit, 2, (FvValue *[]){ past, all }, 2);
  if (all && node->n_outputs > output && node->outputs[output]) {
    FvValue *shown = fv_emit (emit, "Identity", all, NULL);

    if (!shown)
      return NULL;
    fv_ir_replace_value (emit->ir, node->outputs[output], shown);
  }
  return all;
}

/* Each of its heads as often as queries share it. */
static FvValue *
repeat_heads (FvEmit *emit, FvValue *x, gint64 heads)
{
  const gint64 *dims = x ? x->shape.dims : NULL;

  if (!x || dims[1] == heads)
    return x;
  const gint64 one[] = { dims[0], dims[1], 1, dims[2], dims[3] };
  const gint64 many[] = { dims[0], dims[1], heads / dims[1], dims[2], dims[3] };
  const gint64 whole[] = { dims[0], heads, dims[2], dims[3] };

  x = fv_emit_reshape (emit, x, one, 5);
  x = fv_emit (emit, "Expand", x, fv_emit_ints (emit, many, 5));
  return fv_emit_reshape (emit, x, whole, 4);
}

/* 0 up to and with the key that follows @past and the query's own number. */
static FvValue *
causal_bias (FvEmit *emit, gint64 m, gint64 n, gint64 past)
{
  FvShape shape = { 2, { m, n } };
  FvArray *array;
  FvValue *value = fv_ir_add_floats (emit->ir, NULL, &shape, &array);

  for (gint64 i = 0; value && i < m * n; i++)
    array->f32[i] = i % n > i / n + past ? -INFINITY : 0;
  return value;
}

/* What is added to the scores; *@bias is NULL where there is nothing. */
static gboolean
make_bias (FvEmit *emit, FvNode *node, gint64 m, gint64 n, FvValue **bias)
{
  FvValue *mask = fv_node_input (node, 3), *past = fv_node_input (node, 4);

  *bias = mask;
  if (mask && mask->type == FV_TYPE_BOOL)
    *bias = fv_emit_where (emit, mask, fv_emit_scalar (emit, 0),
        fv_emit_scalar (emit, -INFINITY));
  if (mask && !*bias)
    return FALSE;
  if (!fv_node_int (node, "is_causal"))
    return TRUE;
  mask = causal_bias (emit, m, n, past ? past->shape.dims[2] : 0);
  *bias = *bias ? fv_emit (emit, "Add", *bias, mask) : mask;
  return *bias != NULL;
}

/* Rows of which all is masked become zero. */
static FvValue *
clear_masked (FvEmit *emit, FvValue *softmax, FvValue *bias)
{
  const gint64 last = -1;
  FvNode *top = fv_emit_begin (emit, "ReduceMax",
      (FvValue *[]){ bias, fv_emit_ints (emit, &last, 1) }, 2);
  FvValue *masked = fv_emit (emit, "Equal", fv_emit_end (emit, top),
      fv_emit_scalar (emit, -INFINITY));

  return fv_emit_where (emit, masked, fv_emit_scalar (emit, 0), softmax);
}

/* One node after the other, where scores are shown or capped. */
static FvValue *
attend_apart (FvEmit *emit, FvNode *node, FvValue *in[3], float scale,
    FvValue *bias)
{
  const gint64 perm[] = { 0, 1, 3, 2 };
  float cap = fv_node_float (node, "softcap");
  gint64 mode = fv_node_int (node, "qk_matmul_output_mode");
  FvValue *stages[4], *shown;
  FvNode *softmax;

  stages[0] = fv_emit (emit, "MatMul",
      fv_emit (emit, "Mul", in[0], fv_emit_scalar (emit, scale)),
      fv_emit_transpose (emit, in[1], perm));
  stages[1] = stages[0];
  if (cap > 0) {
    stages[1] =
        fv_emit (emit, "Mul", stages[0], fv_emit_scalar (emit, 1 / cap));
    stages[1] = fv_emit (emit, "Mul", fv_emit (emit, "Tanh", stages[1], NULL),
        fv_emit_scalar (emit, cap));
  }
  stages[2] = bias ? fv_emit (emit, "Add", stages[1], bias) : stages[1];
  if (!stages[2])
    return NULL;
  softmax = fv_emit_begin (emit, "Softmax", &stages[2], 1);
  stages[3] = fv_emit_end (emit, softmax);
  if (bias && fv_node_input (node, 3) && stages[3])
    stages[3] = clear_masked (emit, stages[3], bias);
  if (node->n_outputs > 3 && node->outputs[3]) {
    if (!(shown = fv_emit (emit, "Identity", stages[mode], NULL)))
      return NULL;
    fv_ir_replace_value (emit->ir, node->outputs[3], shown);
  }
  return fv_emit (emit, "MatMul", stages[3], in[2]);
}

static FvValue *
attention (FvEmit *emit, FvNode *node)
{
  const gint64 perm[] = { 0, 2, 1, 3 };
  const FvShape *result = &node->outputs[0]->shape;
  gboolean shows = node->n_outputs > 3 && node->outputs[3];
  FvValue *in[4] = { split_heads (emit, node->inputs[0],
      fv_node_int (node, "q_num_heads")) };
  FvValue *y;
  float scale;

  for (guint i = 1; i < 3 && in[i - 1]; i++)
    in[i] =
        repeat_heads (emit, join_past (emit, node, i, i), in[0]->shape.dims[1]);
  if (!in[2]
      || !make_bias (emit, node, in[0]->shape.dims[2], in[1]->shape.dims[2],
          &in[3]))
    return NULL;
  scale = fv_node_has (node, "scale") ? fv_node_float (node, "scale")
                                      : 1 / sqrt (in[0]->shape.dims[3]);
  if (shows || fv_node_float (node, "softcap") > 0)
    y = attend_apart (emit, node, in, scale, in[3]);
  else {
    FvNode *part = fv_emit_begin (emit, "fovea.Attention", in, in[3] ? 4 : 3);

    fv_node_set_float (part, "scale", scale);
    y = fv_emit_end (emit, part);
  }
  if (y && result->rank == 3)
    y = fv_emit_reshape (emit, fv_emit_transpose (emit, y, perm), result->dims,
        3);
  return y;
}

/* Sines or cosines of the input's positions, beside its axis of heads. */
static FvValue *
rotation (FvEmit *emit, FvNode *node, guint input, guint heads_axis)
{
  FvValue *table = node->inputs[input], *positions = fv_node_input (node, 3);
  gint64 dims[4] = { 1, 1, 1, 1 };

  if (positions)
    table = fv_emit (emit, "Gather", table, positions);
  if (!table)
    return NULL;
  dims[0] = table->shape.dims[0];
  dims[3 - heads_axis] = table->shape.dims[1];
  dims[3] = table->shape.dims[2];
  return fv_emit_reshape (emit, table, dims, 4);
}

/* The elements to rotate, [..., pairs]: the first of each pair, or the second. */
static FvValue *
half_of (FvEmit *emit, FvValue *x, gboolean interleaved, guint which)
{
  gint64 dims[5];

  if (!x)
    return NULL;
  memcpy (dims, x->shape.dims, 4 * sizeof *dims);
  dims[3] /= 2;
  dims[4] = 2;
  if (!interleaved)
    return slice (emit, x, 3, which * dims[3], (which + 1) * dims[3]);
  x = slice (emit, fv_emit_reshape (emit, x, dims, 5), 4, which, which + 1);
  return fv_emit_reshape (emit, x, dims, 4);
}

/* Both halves, put back to where they came from. */
static FvValue *
join_halves (FvEmit *emit, FvValue *halves[2], gboolean interleaved)
{
  gint64 dims[5];
  FvValue *joined;

  if (!halves[0] || !halves[1])
    return NULL;
  if (!interleaved)
    return concat (emit, 3, halves, 2);
  memcpy (dims, halves[0]->shape.dims, 4 * sizeof *dims);
  dims[4] = 1;
  for (guint i = 0; i < 2; i++)
    if (!(halves[i] = fv_emit_reshape (emit, halves[i], dims, 5)))
      return NULL;
  joined = concat (emit, 4, halves, 2);
  dims[3] *= 2;
  return fv_emit_reshape (emit, joined, dims, 4);
}

static FvValue *
rotary_embedding (FvEmit *emit, FvNode *node)
{
  FvValue *x = node->inputs[0], *cosine, *sine, *ab[2], *turned[2], *y;
  gboolean split = x->shape.rank == 4;
  gboolean interleaved = fv_node_int (node, "interleaved") != 0;
  const gint64 *dims = x->shape.dims, heads = fv_node_int (node, "num_heads");
  gint64 width, part;

  if (!split)
    x = fv_emit_reshape (emit, x,
        (gint64[]){ dims[0], dims[1], heads, dims[2] / heads }, 4);
  cosine = rotation (emit, node, 1, split ? 1 : 2);
  sine = rotation (emit, node, 2, split ? 1 : 2);
  if (!x || !cosine || !sine)
    return NULL;
  width = x->shape.dims[3];
  part = 2 * cosine->shape.dims[3];
  y = part < width ? slice (emit, x, 3, 0, part) : x;
  for (guint i = 0; i < 2; i++)
    ab[i] = half_of (emit, y, interleaved, i);
  for (guint i = 0; i < 2; i++)
    turned[i] = fv_emit (emit, i ? "Add" : "Sub",
        fv_emit (emit, "Mul", ab[0], i ? sine : cosine),
        fv_emit (emit, "Mul", ab[1], i ? cosine : sine));
  y = join_halves (emit, turned, interleaved);
  if (y && part < width) {
    FvValue *rest = slice (emit, x, 3, part, width);

    y = rest ? concat (emit, 3, (FvValue *[]){ y, rest }, 2) : NULL;
  }
  return fv_emit_reshape (emit, y, dims, node->inputs[0]->shape.rank);
}

/* The axes that a MeanVarianceNormalization works over, a bit each. */
static guint
mean_variance_axes (const FvNode *node)
{
  static const gint64 usual[] = { 0, 2, 3 };
  guint rank = node->inputs[0]->shape.rank, n, set = 0;
  const gint64 *axes = fv_node_ints (node, "axes", &n);

  if (!axes) {
    axes = usual;
    n = G_N_ELEMENTS (usual);
  }
  for (guint i = 0; i < n; i++)
    set |= 1u << (axes[i] < 0 ? axes[i] + rank : axes[i]);
  return set;
}

static FvValue *
filled (FvEmit *emit, float number, gint64 n)
{
  const FvShape shape = { 1, { n } };
  FvArray *array;
  FvValue *value = fv_ir_add_floats (emit->ir, NULL, &shape, &array);

  for (gint64 i = 0; value && i < n; i++)
    array->f32[i] = number;
  return value;
}

/* Over @axes brought behind those that stay. */
static FvValue *
normalize_axes (FvEmit *emit, FvValue *x, guint axes)
{
  guint rank = x->shape.rank, n = 0, kept;
  gint64 perm[FV_MAX_RANK], back[FV_MAX_RANK];
  FvNode *made;

  for (guint i = 0; i < rank; i++)
    if (!(axes & 1u << i))
      perm[n++] = i;
  kept = n;
  for (guint i = 0; i < rank; i++)
    if (axes & 1u << i)
      perm[n++] = i;
  for (guint i = 0; i < rank; i++)
    back[perm[i]] = i;
  x = fv_emit_transpose (emit, x, perm);
  if (!x)
    return NULL;
  made = fv_emit_begin (emit, "LayerNormalization",
      (FvValue *[]){ x, fv_emit_scalar (emit, 1) }, 2);
  fv_node_set_int (made, "axis", kept);
  fv_node_set_float (made, "epsilon", 1e-18);
  return fv_emit_transpose (emit, fv_emit_end (emit, made), back);
}

/* Over a map's pixels it is an InstanceNormalization without a scale. Its 1e-9
 * beside the deviation matters where all is the same: the root of 1e-18 does as
 * well. */
static FvValue *
mean_variance (FvEmit *emit, FvNode *node)
{
  FvValue *x = node->inputs[0], *one, *zero;
  const FvShape *shape = &x->shape;
  guint axes = mean_variance_axes (node),
        pixels = ((1u << shape->rank) - 1) & ~3u;
  FvNode *made;

  if (shape->rank < 3 || (axes & ~1u) != pixels
      || ((axes & 1) && shape->dims[0] != 1))
    return normalize_axes (emit, x, axes);
  one = filled (emit, 1, shape->dims[1]);
  zero = filled (emit, 0, shape->dims[1]);
  if (!one || !zero)
    return NULL;
  made = fv_emit_begin (emit, "InstanceNormalization",
      (FvValue *[]){ x, one, zero }, 3);
  fv_node_set_float (made, "epsilon", 1e-18);
  return fv_emit_end (emit, made);
}

/* Repeats what is there once. */
static gboolean
repeats_single (const FvNode *node)
{
  const FvShape *from = &node->inputs[0]->shape, *to = &node->outputs[0]->shape;

  for (guint i = 0; i < to->rank; i++)
    if (from->dims[i] != to->dims[i] && from->dims[i] != 1)
      return FALSE;
  return from->rank == to->rank;
}

static FvValue *
tile (FvEmit *emit, FvNode *node)
{
  const FvShape *shape = &node->outputs[0]->shape;

  return fv_emit (emit, "Expand", node->inputs[0],
      fv_emit_ints (emit, shape->dims, shape->rank));
}

/* @applies: (nullable): to all; @make returns what output 0 becomes, and has
 * replaced the others. */
static const FvRule rules[] = {
  { "AffineGrid", NULL, affine_grid },
  { "Attention", NULL, attention },
  { "Col2Im", has_floats, col2im },
  { "DeformConv", NULL, deform_conv },
  { "MeanVarianceNormalization", NULL, mean_variance },
  { "Resize", is_extrapolated, resize },
  { "RotaryEmbedding", NULL, rotary_embedding },
  { "Tile", repeats_single, tile },
};

gint
fv_pass_compounds (FvIr *ir, GError **error)
{
  return fv_emit_rules (ir, rules, G_N_ELEMENTS (rules), error);
}
