/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* softmax (scale scales[h] Q K^T + bias) V, as the rewrite passes find it; h is the
 * axis before the last two. With normalize, rows of Q and K are divided first by
 * their lengths, or by the attribute least where that is more. */
#include <math.h>
#include <string.h>
#include "gst/ops/rows.h"

/* All sizes of one attention; batch axes stand before the last two. */
typedef struct
{
  gint64 batch, m, n, d, dv;
} Sizes;

static gint64
axis_from_end (const FvShape *shape, guint i)
{
  return shape->dims[shape->rank - i];
}

static Sizes
attention_sizes (const FvNode *node)
{
  const FvShape *q = &node->inputs[0]->shape;
  Sizes s = { 1, axis_from_end (q, 2),
    axis_from_end (&node->inputs[1]->shape, 2), axis_from_end (q, 1),
    axis_from_end (&node->inputs[2]->shape, 1) };

  for (guint i = 0; i + 2 < q->rank; i++)
    s.batch *= q->dims[i];
  return s;
}

static gboolean
check_shapes (FvNode *node, GError **error)
{
  const FvShape *q = &node->inputs[0]->shape, *k = &node->inputs[1]->shape;
  const FvShape *v = &node->inputs[2]->shape;

  if (q->rank < 3 || q->rank > 4 || k->rank != q->rank || v->rank != q->rank)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "expected three tensors of rank 3 or 4");
  for (guint i = 0; i + 2 < q->rank; i++)
    if (k->dims[i] != q->dims[i] || v->dims[i] != q->dims[i])
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "the batch axes of Q, K and V differ");
  if (axis_from_end (q, 1) != axis_from_end (k, 1)
      || axis_from_end (k, 2) != axis_from_end (v, 2))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "Q and K must have equal rows, K and V as many of them");
  return TRUE;
}

static gboolean
infer_attention (FvNode *node, GError **error)
{
  FvValue *bias = fv_node_input (node, 3), *scales = fv_node_input (node, 4);
  FvShape scores, both;

  for (guint i = 0; i < 5; i++)
    if (fv_node_input (node, i) && !fv_type_is_float (node->inputs[i]->type))
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "expected float tensors, input %u is %s", i,
          fv_type_name (node->inputs[i]->type));
  if (!check_shapes (node, error))
    return FALSE;
  if (scales
      && (!scales->constant
          || fv_shape_count (&scales->shape)
              != axis_from_end (&node->inputs[0]->shape, 3)))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected a constant scale for each head");
  node->outputs[0]->type = node->inputs[0]->type;
  node->outputs[0]->shape = node->inputs[0]->shape;
  node->outputs[0]->shape.dims[node->inputs[0]->shape.rank - 1] =
      axis_from_end (&node->inputs[2]->shape, 1);
  scores = node->inputs[0]->shape;
  scores.dims[scores.rank - 1] = axis_from_end (&node->inputs[1]->shape, 2);
  if (!bias)
    return TRUE;
  if (!fv_node_broadcast (node, &scores, &bias->shape, &both, error))
    return FALSE;
  if (!fv_shape_equal (&scores, &both))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "the bias does not broadcast to the scores");
  return TRUE;
}

/* Element strides of @bias under the axes [batch..., M, N], 0 where it repeats. */
static void
bias_strides (const FvShape *bias, guint rank, gint64 strides[FV_MAX_RANK])
{
  gint64 step = 1;

  for (guint i = 0; i < rank; i++) {
    gboolean there = i < bias->rank;
    gint64 size = there ? axis_from_end (bias, i + 1) : 1;

    strides[rank - 1 - i] = size > 1 ? step : 0;
    step *= size;
  }
}

/* Where the scores of query @row of @batch find their bias. */
static gint64
bias_row (const FvShape *q, const gint64 *strides, gint64 batch, gint64 row)
{
  gint64 at = row * strides[q->rank - 2];

  for (guint i = q->rank - 2; i-- > 0;) {
    at += batch % q->dims[i] * strides[i];
    batch /= q->dims[i];
  }
  return at;
}

static double
dot (const float *a, const float *b, gint64 n)
{
  double sum = 0;

  for (gint64 i = 0; i < n; i++)
    sum += (double) a[i] * b[i];
  return sum;
}

/* One over the length of @row, where the node asks for that. */
static double
over_length (const FvNode *node, const float *row, gint64 n)
{
  return fv_node_int (node, "normalize")
      ? 1 / fmax (sqrt (dot (row, row, n)), fv_node_float (node, "least"))
      : 1;
}

static void
attend (const FvNode *node, const Sizes *s, double scale, const float *q,
    const float *k, const float *v, const float *bias, gint64 bias_step,
    double *scores, float *y)
{
  double top = -INFINITY, sum = 0;

  scale *= over_length (node, q, s->d);
  for (gint64 j = 0; j < s->n; j++) {
    scores[j] = dot (q, k + j * s->d, s->d) * scale
        * over_length (node, k + j * s->d, s->d);
    scores[j] += bias ? bias[j * bias_step] : 0;
    top = MAX (top, scores[j]);
  }
  for (gint64 j = 0; j < s->n; j++) {
    scores[j] = top > -INFINITY ? exp (scores[j] - top) : 0;
    sum += scores[j];
  }
  for (gint64 i = 0; i < s->dv; i++) {
    double total = 0;

    for (gint64 j = 0; j < s->n; j++)
      total += scores[j] * v[j * s->dv + i];
    y[i] = sum > 0 ? total / sum : 0; /* 0: all of it is masked */
  }
}

static gboolean
attention (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  Sizes s = attention_sizes (node);
  const FvShape *q = &inputs[0]->shape;
  FvArray *bias = node->n_own_inputs > 3 ? inputs[3] : NULL;
  FvArray *scales = node->n_own_inputs > 4 ? inputs[4] : NULL;
  gint64 heads = axis_from_end (q, 3);
  gint64 strides[FV_MAX_RANK] = { 0 };
  g_autofree double *scores = g_try_new (double, MAX (s.n, 1));

  if (!scores)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
        "no memory for a row of scores");
  if (bias)
    bias_strides (&bias->shape, q->rank, strides);
  for (gint64 b = 0; b < s.batch; b++)
    for (gint64 i = 0; i < s.m; i++)
      attend (node, &s,
          fv_node_float (node, "scale") * (scales ? scales->f32[b % heads] : 1),
          inputs[0]->f32 + (b * s.m + i) * s.d, inputs[1]->f32 + b * s.n * s.d,
          inputs[2]->f32 + b * s.n * s.dv,
          bias ? bias->f32 + bias_row (q, strides, b, i) : NULL,
          strides[q->rank - 1], scores, outputs[0]->f32 + (b * s.m + i) * s.dv);
  return TRUE;
}

/* Base, batch, head and row of @t in vec4 units, for [batch, head, row, inner]. */
static void
fill_strides (const FvTensor *t, fv_int strides[4])
{
  guint rank = t->shape.rank;

  strides[0] = t->offset / 4;
  strides[1] = rank > 3 ? t->strides[0] / 4 : 0;
  strides[2] = t->strides[rank - 3] / 4;
  strides[3] = t->strides[rank - 2] / 4;
}

/* How the kernel reads the bias: its own numbers for BIAS. */
static gboolean
bias_layout (FvPlan *plan, FvNode *node, FvTensor *tensor, fv_int strides[4],
    guint *mode, GError **error)
{
  guint rank = node->inputs[0]->shape.rank, own;
  gint64 axes[FV_MAX_RANK] = { 0 };
  gboolean by_key;

  if (!fv_node_input (node, 3) || node->n_own_inputs < 4)
    return TRUE;
  own = node->inputs[3]->shape.rank;
  if (!fv_plan_input (plan, node, 3, (int) own - 1, tensor, error))
    return FALSE;
  by_key = own > 0 && tensor->shape.dims[own - 1] > 1;
  *mode = by_key ? 1 : 2;
  for (guint i = 0; i < own; i++)
    if (tensor->shape.dims[own - 1 - i] > 1)
      axes[rank - 1 - i] = tensor->strides[own - 1 - i];
  strides[0] = tensor->offset;
  strides[1] = rank > 3 ? axes[0] : 0;
  strides[2] = axes[rank - 3];
  strides[3] = axes[rank - 2];
  for (guint i = 0; by_key && i < 4; i++)
    strides[i] /= 4;
  return TRUE;
}

/* (nullable) the one that reads @value */
static FvNode *
only_user (const FvValue *value)
{
  return value->users->len == 1 ? value->users->pdata[0] : NULL;
}

/* TRUE where the first of the three axes is of heads, which what follows puts beside
 * each other: as it splits them off, or as channels of a map. */
static gboolean
is_of_heads (const FvValue *value)
{
  FvNode *user = only_user (value);
  const FvShape *split, *shape = &value->shape;

  if (user && !strcmp (user->op->name, "Transpose")) {
    if (user->outputs[0]->shape.dims[1] != shape->dims[2]
        || user->outputs[0]->shape.dims[2] != shape->dims[1]
        || !(user = only_user (user->outputs[0]))
        || strcmp (user->op->name, "Reshape"))
      return FALSE;
    split = &user->outputs[0]->shape;
    return split->rank == 4 && split->dims[0] == 1
        && split->dims[1] == shape->dims[0] * shape->dims[2];
  }
  if (!user || strcmp (user->op->name, "Reshape"))
    return FALSE;
  split = &user->outputs[0]->shape;
  return split->rank == 4 && split->dims[1] > 1
      && split->dims[2] == shape->dims[1] && split->dims[3] == shape->dims[2];
}

/* Heads beside each other within a row of the output, where that needs no
 * padding: the Transpose and Reshape that follow are a view then. */
static gboolean
place_output (FvPlan *plan, FvNode *node, FvTensor *y, GError **error)
{
  static const guint heads_inside[] = { 0, 2, 1, 3 },
                     rows_first[] = { 1, 0, 2 };
  const FvShape *shape = &node->outputs[0]->shape;

  if (shape->rank == 4 && shape->dims[3] % 4 == 0)
    return fv_plan_output_order (plan, node, 0, heads_inside, y, error);
  if (shape->rank == 3 && shape->dims[2] % 4 == 0
      && is_of_heads (node->outputs[0]))
    return fv_plan_output_order (plan, node, 0, rows_first, y, error);
  return fv_plan_output (plan, node, 0, (int) shape->rank - 1, y, error);
}

/* Queries per lane: more of them share what a lane loads and shuffles, which costs
 * about as much as half a query; fewer leave fewer lanes idle at the end. The
 * driver compiles for long where a lane holds much more than 32 vec4; windows of 49
 * queries are worth that, as they fill seven of eight lanes, but three of four. */
static guint
choose_rows (FvPlan *plan, const Sizes *s, guint lanes, gint64 v_units,
    gboolean is_f16)
{
  static const guint rows[] = { 1, 2, 4, 7 };
  gint64 most =
      s->batch >= 16 ? 56 : 32; /* what 7 rows have, where that pays */
  FvOffer offer = { .kernel = "attention" };

  g_snprintf (offer.shape, sizeof offer.shape,
      "%" G_GINT64_FORMAT "x%" G_GINT64_FORMAT "x%" G_GINT64_FORMAT
      "x%" G_GINT64_FORMAT "x%" G_GINT64_FORMAT "%s",
      fv_size_class (s->batch), fv_size_class (s->m), fv_size_class (s->n),
      s->d, s->dv, is_f16 ? " f16" : "");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (rows[i] == 1 || rows[i] * v_units <= (rows[i] == 7 ? most : 32))
      fv_offer_add (&offer,
          (s->m + lanes * rows[i] - 1) / (lanes * rows[i])
              * (rows[i] + (rows[i] == 7 ? 1.6 : 0.6)),
          "rows%u", rows[i]);
  return rows[fv_plan_choose (plan, &offer)];
}

/* Rows per lane, local size, tile of keys, and the output's units that one
 * workgroup makes: registers and shared memory bound them. */
static gboolean
choose_tile (FvPlan *plan, FvNode *node, const Sizes *s, FvDispatch *d,
    GError **error)
{
  const FvDeviceInfo *info = fv_plan_device_info (plan);
  gboolean subgroup = fv_plan_tier (plan) == FV_TIER_SUBGROUP;
  gint64 d_units = (s->d + 3) / 4, v_units = (s->dv + 3) / 4;
  guint local = fv_local_size (plan, 128), keys = subgroup ? 8 : 16, rows = 1;
  gint64 limit = subgroup ? 16 : 64, chunks, v_chunk;

  chunks = (v_units + limit - 1) / limit;
  v_chunk = (v_units + chunks - 1) / chunks;
  if (subgroup) {
    keys = MIN (keys, local & ~3u);
    rows = choose_rows (plan, s, local, v_chunk,
        d->bindings[0].type == FV_TYPE_F16);
  } else
    while (keys > 4
        && keys * (16 * MAX (d_units, v_chunk) + 4) + local * (keys + 1) * 4
            > info->max_shared_memory)
      keys /= 2;
  if (keys < 4 || local < 4 || d_units > 1024)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "rows of %" G_GINT64_FORMAT " elements on this device", s->d);
  fv_dispatch_spec (d, FV_SPEC_LOCAL, local);
  fv_dispatch_spec (d, 0, d_units);
  fv_dispatch_spec (d, 1, v_chunk);
  fv_dispatch_spec (d, 2, rows);
  fv_dispatch_spec (d, 3, keys);
  fv_dispatch_spec (d, 5, s->d % 4 != 0);
  local = subgroup ? local * rows : local / 4;
  d->groups[0] = (s->m + local - 1) / local * chunks;
  return TRUE;
}

static gboolean
lower_attention (FvPlan *plan, FvNode *node, GError **error)
{
  const FvShape *q = &node->inputs[0]->shape;
  Sizes s = attention_sizes (node);
  FvAttentionPush push = { 0 };
  gboolean has_scales = node->n_own_inputs > 4 && fv_node_input (node, 4);
  FvTensor t[3], bias, scales, y;
  guint mode = 0;
  FvDispatch d;

  if (!s.batch || !s.m || !s.n || !s.d || !s.dv)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "an empty tensor on the device");
  for (guint i = 0; i < 3; i++)
    if (!fv_plan_input (plan, node, i, (int) q->rank - 1, &t[i], error))
      return FALSE;
  bias = scales = t[0];
  if (!bias_layout (plan, node, &bias, push.bias, &mode, error)
      || (has_scales
          && !fv_plan_input (plan, node, 4, FV_ANY_AXIS, &scales, error))
      || !place_output (plan, node, &y, error))
    return FALSE;
  push.m = s.m;
  push.n = s.n;
  push.d = s.d;
  push.dv = s.dv;
  push.scale = fv_node_float (node, "scale");
  push.least = fv_node_float (node, "least");
  push.scales = has_scales ? scales.offset : 0;
  fill_strides (&t[0], push.q);
  fill_strides (&t[1], push.k);
  fill_strides (&t[2], push.v);
  fill_strides (&y, push.y);
  fv_plan_begin (plan, node, &d, "attention");
  for (guint i = 0; i < 3; i++)
    fv_plan_bind (plan, &d, &t[i], FALSE);
  fv_plan_bind (plan, &d, &bias, FALSE);
  fv_plan_bind (plan, &d, &y, TRUE);
  fv_plan_bind (plan, &d, &scales, FALSE);
  fv_dispatch_spec (&d, 4, mode);
  fv_dispatch_spec (&d, 6, fv_node_int (node, "normalize") != 0);
  fv_dispatch_spec (&d, 7, has_scales);
  if (!choose_tile (plan, node, &s, &d, error))
    return FALSE;
  fv_dispatch_push (&d, &push, sizeof push);
  d.groups[1] = q->dims[q->rank - 3];
  d.groups[2] = q->rank > 3 ? q->dims[0] : 1;
  d.flops = s.batch * s.m * s.n * (s.d + s.dv) * 2;
  return fv_plan_add (plan, &d, error);
}

const FvOp fv_ops_attention[] = {
  { .name = "fovea.Attention",
      .since = 1,
      .min_inputs = 3,
      .max_inputs = 5,
      .attrs = "scale:f=1 normalize:i=0 least:f=1e-12",
      .infer = infer_attention,
      .reference = attention,
      .lower = lower_attention,
      .cases = FV_CASES (
          { "f32[1,3,38,64] f32[1,3,38,64] f32[1,3,38,64]", "scale=0.125" },
          { "f32[2,9,16] f32[2,13,16] f32[2,13,8]", "scale=0.5", -3, 3 },
          { "f32[1,2,80,32] f32[1,2,20,32] f32[1,2,20,32]", "scale=0.17" },
          { "f32[2,3,7,5] f32[2,3,11,5] f32[2,3,11,7] f32[1,3,7,11]" },
          { "f32[2,2,7,8] f32[2,2,11,8] f32[2,2,11,12] f32[2,1,1,11]" },
          { "f32[2,5,6] f32[2,5,6] f32[2,5,6] f32[5,1]", "scale=2" },
          { "f32[1,1,33,12] f32[1,1,1,12] f32[1,1,1,20]" },
          { "f32[1,1,1,40] f32[1,1,50,40] f32[1,1,50,40] =f32[1,1,1,50]",
              "scale=0.2", -8, 8 },
          { "f32[1,2,17,256] f32[1,2,70,256] f32[1,2,70,256]", "scale=0.0625" },
          { "f32[2,3,33,16] f32[2,3,33,16] f32[2,3,33,16] f32[1,3,33,33] "
            "=f32[3]",
              "normalize=1 scale=5" },
          { "f32[2,7,5] f32[2,11,5] f32[2,11,7] - =f32[2]", "normalize=1", -3,
              3 },
          { "f32[6,3,49,32] f32[6,3,49,32] f32[6,3,49,32] f32[1,3,49,49]" },
          { "f32[1,2,40,12] f32[1,2,3,12] f32[1,2,3,12] - =f32[2]" }) },
  {},
};
