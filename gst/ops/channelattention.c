/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Our own ChannelAttention, which the passes make of attention whose rows are channels
 * ("XCiT: Cross-Covariance Image Transformers", El-Nouby et al., 2021):
 *
 *   y[b, t, h, i] = sum over j of softmax (s[b, h, i])[j] v[b, t, h, j]
 *   s[b, h, i, j] = scale scales[h] sum over t of q[b, t, h, i] k[b, t, h, j]
 *
 * q: [batch, tokens, heads, M], k and v: [batch, tokens, heads, N], N <= 64; scales:
 * a constant per head. With normalize, each channel of q and k is divided first by its
 * length over all tokens, or by the attribute least where that is more. */
#include <math.h>
#include "gst/ops/rows.h"

typedef struct
{
  gint64 batch, tokens, heads, m, n;
} Sizes;

static Sizes
read_sizes (const FvNode *node)
{
  const gint64 *q = node->inputs[0]->shape.dims;

  return (Sizes){ q[0], q[1], q[2], q[3], node->inputs[1]->shape.dims[3] };
}

static gboolean
infer_attention (FvNode *node, GError **error)
{
  const FvShape *q = &node->inputs[0]->shape, *k = &node->inputs[1]->shape;
  FvValue *scales = fv_node_input (node, 3);

  for (guint i = 0; i < 3; i++)
    if (!fv_type_is_float (node->inputs[i]->type)
        || node->inputs[i]->shape.rank != 4)
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "expected floats of rank 4, input %u is %s of rank %u", i,
          fv_type_name (node->inputs[i]->type), node->inputs[i]->shape.rank);
  for (guint i = 0; i < 3; i++)
    if (q->dims[i] != k->dims[i])
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "axis %u of Q and K differs", i);
  if (!fv_shape_equal (k, &node->inputs[2]->shape))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the shapes of K and V differ");
  if (fv_shape_count (q) < 1 || k->dims[3] < 1
      || k->dims[3] > 4 * FV_CHANNEL_KEYS)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "expected 1 to %d channels of K", 4 * FV_CHANNEL_KEYS);
  if (scales
      && (!scales->constant || fv_shape_count (&scales->shape) != q->dims[2]))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected a constant scale for each head");
  node->outputs[0]->type = node->inputs[0]->type;
  node->outputs[0]->shape = *q;
  return TRUE;
}

/* One over the length of a channel of @tokens elements, @step apart. */
static double
over_length (const FvNode *node, const float *x, gint64 tokens, gint64 step)
{
  double sum = 0;

  if (!fv_node_int (node, "normalize"))
    return 1;
  for (gint64 t = 0; t < tokens; t++)
    sum += (double) x[t * step] * x[t * step];
  return 1 / fmax (sqrt (sum), fv_node_float (node, "least"));
}

/* Channel @i of q against all keys of its head; @scores: room for these. */
static void
attend (const FvNode *node, const Sizes *s, double scale, const float *q,
    const float *k, const float *v, double *scores, float *y)
{
  gint64 q_step = s->heads * s->m, k_step = s->heads * s->n;
  double top = -INFINITY, sum = 0;

  scale *= over_length (node, q, s->tokens, q_step);
  for (gint64 j = 0; j < s->n; j++) {
    scores[j] = 0;
    for (gint64 t = 0; t < s->tokens; t++)
      scores[j] += (double) q[t * q_step] * k[t * k_step + j];
    scores[j] *= scale * over_length (node, k + j, s->tokens, k_step);
    top = fmax (top, scores[j]);
  }
  for (gint64 j = 0; j < s->n; j++)
    sum += scores[j] = exp (scores[j] - top);
  for (gint64 t = 0; t < s->tokens; t++) {
    double total = 0;

    for (gint64 j = 0; j < s->n; j++)
      total += scores[j] * v[t * k_step + j];
    y[t * q_step] = total / sum;
  }
}

static gboolean
attention (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  Sizes s = read_sizes (node);
  FvArray *scales = node->n_own_inputs > 3 ? inputs[3] : NULL;
  double scores[4 * FV_CHANNEL_KEYS];

  for (gint64 b = 0; b < s.batch; b++)
    for (gint64 h = 0; h < s.heads; h++)
      for (gint64 i = 0; i < s.m; i++) {
        gint64 q = (b * s.tokens * s.heads + h) * s.m + i;
        gint64 k = (b * s.tokens * s.heads + h) * s.n;

        attend (node, &s,
            fv_node_float (node, "scale") * (scales ? scales->f32[h] : 1),
            inputs[0]->f32 + q, inputs[1]->f32 + k, inputs[2]->f32 + k, scores,
            outputs[0]->f32 + q);
      }
  return TRUE;
}

/* Base, batch, head and token of @t in vec4 units. */
static void
fill_strides (const FvTensor *t, fv_int strides[4])
{
  strides[0] = t->offset / 4;
  strides[1] = t->strides[0] / 4;
  strides[2] = t->strides[2] / 4;
  strides[3] = t->strides[1] / 4;
}

static gboolean
lower_attention (FvPlan *plan, FvNode *node, GError **error)
{
  Sizes s = read_sizes (node);
  FvChannelAttentionPush push = { .m = s.m,
    .n = s.n,
    .tokens = s.tokens,
    .scale = fv_node_float (node, "scale"),
    .least = fv_node_float (node, "least") };
  gboolean has_scales = node->n_own_inputs > 3 && fv_node_input (node, 3);
  gint64 local = fv_local_size (plan, 128), block;
  FvTensor t[3], scales, y;
  FvDispatch d;

  for (guint i = 0; i < 3; i++)
    if (!fv_plan_input (plan, node, i, 3, &t[i], error))
      return FALSE;
  scales = t[0];
  if ((has_scales
          && !fv_plan_input (plan, node, 3, FV_ANY_AXIS, &scales, error))
      || !fv_plan_output (plan, node, 0, 3, &y, error))
    return FALSE;
  push.scales = has_scales ? scales.offset : 0;
  fill_strides (&t[0], push.q);
  fill_strides (&t[1], push.k);
  fill_strides (&t[2], push.v);
  fill_strides (&y, push.y);
  block = fv_plan_tier (plan) == FV_TIER_SUBGROUP ? local : FV_CHANNEL_BLOCK;
  fv_plan_begin (plan, node, &d, "channelattention");
  for (guint i = 0; i < 3; i++)
    fv_plan_bind (plan, &d, &t[i], FALSE);
  fv_plan_bind (plan, &d, &scales, FALSE);
  fv_plan_bind (plan, &d, &y, TRUE);
  fv_dispatch_spec (&d, FV_SPEC_LOCAL, local);
  fv_dispatch_spec (&d, 0, (s.n + 3) / 4);
  fv_dispatch_spec (&d, 1, fv_node_int (node, "normalize") != 0);
  fv_dispatch_spec (&d, 2, has_scales);
  fv_dispatch_spec (&d, 3, s.n % 4 != 0);
  fv_dispatch_push (&d, &push, sizeof push);
  d.groups[0] = ((s.m + 3) / 4 + block - 1) / block;
  d.groups[1] = s.heads;
  d.groups[2] = s.batch;
  d.flops = s.batch * s.heads * s.m * s.n * s.tokens * 4;
  return fv_plan_add (plan, &d, error);
}

const FvOp fv_ops_channelattention[] = {
  { .name = "fovea.ChannelAttention",
      .since = 1,
      .min_inputs = 3,
      .max_inputs = 4,
      .attrs = "scale:f=1 normalize:i=0 least:f=1e-12",
      .infer = infer_attention,
      .reference = attention,
      .lower = lower_attention,
      .cases = FV_CASES (
          { "f32[1,30,2,32] f32[1,30,2,32] f32[1,30,2,32] =f32[2]",
              "normalize=1" },
          { "f32[2,9,3,8] f32[2,9,3,12] f32[2,9,3,12]", "scale=0.3" },
          { "f32[1,7,2,5] f32[1,7,2,7] f32[1,7,2,7] =f32[2]",
              "normalize=1 scale=4", -3, 3 },
          { "f32[1,11,1,48] f32[1,11,1,48] f32[1,11,1,48] =f32[1]",
              "normalize=1 scale=2" },
          { "f32[1,1,4,1] f32[1,1,4,1] f32[1,1,4,1]", "normalize=1" },
          { "f32[1,5,1,36] f32[1,5,1,64] f32[1,5,1,64]", "normalize=1" },
          { "f32[1,70,2,6] f32[1,70,2,33] f32[1,70,2,33]", NULL, -0.4, 0.5 }) },
  {},
};
