/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MatMul, Gemm, and our own Linear: x[..., K] W[N, K]^T + bias[N]. */
#include <string.h>

#include "gst/engine/op.h"

/* A product of batches of matrices, as numpy defines it. */
typedef struct
{
  FvShape batch; /* broadcast */
  gint64 m, n, k;
  /* Elements between batches of the operands along each axis of @batch. */
  gint64 a_steps[FV_MAX_RANK], b_steps[FV_MAX_RANK];
} Product;

static gboolean
check_floats (const FvNode *node, guint n, GError **error)
{
  const FvValue *first = fv_node_input (node, 0);

  for (guint i = 0; i < n; i++) {
    const FvValue *value = fv_node_input (node, i);

    if (!value && i < 2)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "input %u must be given", i);
    if (!value)
      continue;
    if (!fv_type_is_float (value->type) || value->type != first->type)
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "expected floats of one type, got %s and %s",
          fv_type_name (first->type), fv_type_name (value->type));
    if (fv_shape_count (&value->shape) < 1)
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "input %u is empty", i);
  }
  return TRUE;
}

/* Steps of @shape's leading axes, 0 where they are broadcast. */
static void
batch_steps (const FvShape *shape, const FvShape *batch, gint64 step,
    gint64 steps[FV_MAX_RANK])
{
  guint n_own = shape->rank > 2 ? shape->rank - 2 : 0;

  memset (steps, 0, FV_MAX_RANK * sizeof *steps);
  for (guint i = n_own; i-- > 0;) {
    if (shape->dims[i] > 1)
      steps[batch->rank - n_own + i] = step;
    step *= shape->dims[i];
  }
}

static gboolean
matmul_product (const FvNode *node, Product *p, GError **error)
{
  const FvShape *a, *b;
  FvShape a_batch = { 0 }, b_batch = { 0 };

  if (!check_floats (node, 2, error))
    return FALSE;
  a = &node->inputs[0]->shape;
  b = &node->inputs[1]->shape;
  if (a->rank < 1 || b->rank < 1)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "a scalar cannot be multiplied");
  p->m = a->rank > 1 ? a->dims[a->rank - 2] : 1;
  p->k = a->dims[a->rank - 1];
  p->n = b->rank > 1 ? b->dims[b->rank - 1] : 1;
  if (p->k != b->dims[b->rank > 1 ? b->rank - 2 : 0])
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the inner sizes differ");
  if (a->rank > 2)
    a_batch.rank = a->rank - 2;
  if (b->rank > 2)
    b_batch.rank = b->rank - 2;
  memcpy (a_batch.dims, a->dims, a_batch.rank * sizeof *a->dims);
  memcpy (b_batch.dims, b->dims, b_batch.rank * sizeof *b->dims);
  if (!fv_node_broadcast (node, &a_batch, &b_batch, &p->batch, error))
    return FALSE;
  batch_steps (a, &p->batch, p->m * p->k, p->a_steps);
  batch_steps (b, &p->batch, p->n * p->k, p->b_steps);
  return TRUE;
}

static gboolean
set_output (FvNode *node, const FvShape *shape, GError **error)
{
  node->outputs[0]->type = node->inputs[0]->type;
  node->outputs[0]->shape = *shape;
  if (fv_shape_count (shape) < 0)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
        "the output's size overflows");
  return TRUE;
}

static gboolean
infer_matmul (FvNode *node, GError **error)
{
  Product p;
  FvShape shape;

  if (!matmul_product (node, &p, error))
    return FALSE;
  shape = p.batch;
  if (node->inputs[0]->shape.rank > 1)
    shape.dims[shape.rank++] = p.m;
  if (node->inputs[1]->shape.rank > 1)
    shape.dims[shape.rank++] = p.n;
  return set_output (node, &shape, error);
}

/* y = a b, through @sum, which has room for a row. */
static void
multiply (const Product *p, const float *a, const float *b, double *sum,
    float *y)
{
  for (gint64 m = 0; m < p->m; m++) {
    memset (sum, 0, p->n * sizeof *sum);
    for (gint64 k = 0; k < p->k; k++) {
      double factor = a[m * p->k + k];
      const float *row = b + k * p->n;

      for (gint64 n = 0; n < p->n; n++)
        sum[n] += factor * row[n];
    }
    for (gint64 n = 0; n < p->n; n++)
      y[m * p->n + n] = sum[n];
  }
}

static gboolean
reference_matmul (FvNode *node, FvArray **inputs, FvArray **outputs,
    GError **error)
{
  Product p;
  g_autofree double *sum = NULL;
  gint64 n_batches;

  if (!matmul_product (node, &p, error))
    return FALSE;
  sum = g_try_new (double, p.n);
  if (!sum)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE, "out of memory");
  n_batches = fv_shape_count (&p.batch);
  for (gint64 i = 0; i < n_batches; i++) {
    gint64 rest = i, a = 0, b = 0;

    for (guint axis = p.batch.rank; axis-- > 0;) {
      a += rest % p.batch.dims[axis] * p.a_steps[axis];
      b += rest % p.batch.dims[axis] * p.b_steps[axis];
      rest /= p.batch.dims[axis];
    }
    multiply (&p, inputs[0]->f32 + a, inputs[1]->f32 + b, sum,
        outputs[0]->f32 + i * p.m * p.n);
  }
  return TRUE;
}

/* The product of a Gemm; its third input must broadcast to [M, N]. */
static gboolean
gemm_product (const FvNode *node, Product *p, GError **error)
{
  gboolean trans_a = fv_node_int (node, "transA") != 0;
  gboolean trans_b = fv_node_int (node, "transB") != 0;
  const FvValue *c = fv_node_input (node, 2);
  const FvShape *a, *b;

  memset (p, 0, sizeof *p);
  if (!check_floats (node, 3, error))
    return FALSE;
  a = &node->inputs[0]->shape;
  b = &node->inputs[1]->shape;
  if (a->rank != 2 || b->rank != 2)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected two matrices");
  p->m = a->dims[trans_a];
  p->k = a->dims[!trans_a];
  p->n = b->dims[!trans_b];
  if (p->k != b->dims[trans_b])
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the inner sizes differ");
  if (c) {
    FvShape result = { 2, { p->m, p->n } };

    if (!fv_node_broadcast (node, &result, &c->shape, &result, error))
      return FALSE;
    if (result.rank != 2 || result.dims[0] != p->m || result.dims[1] != p->n)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "input 2 does not broadcast to the product's shape");
  }
  return TRUE;
}

static gboolean
infer_gemm (FvNode *node, GError **error)
{
  Product p;

  if (!gemm_product (node, &p, error))
    return FALSE;
  return set_output (node, &(FvShape){ 2, { p.m, p.n } }, error);
}

/* Element (m, n) of an array that broadcasts to a matrix. */
static float
broadcast_at (const FvArray *array, gint64 m, gint64 n)
{
  guint rank = array->shape.rank;
  gint64 columns = rank > 0 ? array->shape.dims[rank - 1] : 1;
  gint64 rows = rank > 1 ? array->shape.dims[rank - 2] : 1;

  return array->f32[(rows > 1 ? m : 0) * columns + (columns > 1 ? n : 0)];
}

static gboolean
reference_gemm (FvNode *node, FvArray **inputs, FvArray **outputs,
    GError **error)
{
  Product p;
  gboolean trans_a = fv_node_int (node, "transA") != 0;
  gboolean trans_b = fv_node_int (node, "transB") != 0;
  float alpha = fv_node_float (node, "alpha");
  float beta = fv_node_float (node, "beta");
  FvArray *c = node->n_own_inputs > 2 ? inputs[2] : NULL;

  if (!gemm_product (node, &p, error))
    return FALSE;
  for (gint64 m = 0; m < p.m; m++) {
    const float *a = inputs[0]->f32 + m * (trans_a ? 1 : p.k);

    for (gint64 n = 0; n < p.n; n++) {
      const float *b = inputs[1]->f32 + n * (trans_b ? p.k : 1);
      double sum = 0;

      for (gint64 k = 0; k < p.k; k++)
        sum += (double) a[k * (trans_a ? p.m : 1)] * b[k * (trans_b ? 1 : p.n)];
      sum *= alpha;
      if (c)
        sum += (double) beta * broadcast_at (c, m, n);
      outputs[0]->f32[m * p.n + n] = sum;
    }
  }
  return TRUE;
}

static gboolean
infer_linear (FvNode *node, GError **error)
{
  const FvValue *bias = fv_node_input (node, 2);
  const FvShape *w;
  FvShape shape;

  if (!check_floats (node, 3, error))
    return FALSE;
  shape = node->inputs[0]->shape;
  w = &node->inputs[1]->shape;
  if (shape.rank < 1 || w->rank != 2
      || shape.dims[shape.rank - 1] != w->dims[1])
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected x[..., K] and weights [N, K]");
  if (bias && (bias->shape.rank != 1 || bias->shape.dims[0] != w->dims[0]))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected a bias of [N]");
  shape.dims[shape.rank - 1] = w->dims[0];
  return set_output (node, &shape, error);
}

/* Four sums, so that additions need not wait for each other. */
static double
dot (const float *a, const float *b, gint64 n)
{
  double sum[4] = { 0 };
  gint64 i = 0;

  for (; i + 4 <= n; i += 4)
    for (guint j = 0; j < 4; j++)
      sum[j] += (double) a[i + j] * b[i + j];
  for (; i < n; i++)
    sum[0] += (double) a[i] * b[i];
  return sum[0] + sum[1] + sum[2] + sum[3];
}

static gboolean
reference_linear (FvNode *node, FvArray **inputs, FvArray **outputs,
    GError **error)
{
  const FvShape *w = &node->inputs[1]->shape;
  gint64 n = w->dims[0], k = w->dims[1], rows = inputs[0]->count / k;
  FvArray *bias = node->n_own_inputs > 2 ? inputs[2] : NULL;

  for (gint64 row = 0; row < rows; row++)
    for (gint64 i = 0; i < n; i++)
      outputs[0]->f32[row * n + i] =
          dot (inputs[0]->f32 + row * k, inputs[1]->f32 + i * k, k)
          + (bias ? bias->f32[i] : 0);
  return TRUE;
}

const FvOp fv_ops_matmul[] = {
  {
      .name = "MatMul",
      .since = 1,
      .flags = FV_OP_TAKES_STEPS,
      .min_inputs = 2,
      .infer = infer_matmul,
      .reference = reference_matmul,
      /* clang-format off */
      .cases = FV_CASES (
          { "f32[5,7] f32[7,9]" },
          { "f32[33,64] =f32[64,48]" },
          { "f32[3,50,64] f32[3,64,50]" },
          { "f32[1,3,17,32] f32[1,3,32,29]" },
          { "f32[2,3,5,8] f32[3,8,6]" },
          { "f32[4,1,5,8] f32[3,8,6]" },
          { "f32[2,1,3,1,4,5] f32[3,1,2,5,4]" },
          { "f32[6,9] =f32[2,9,11]" },
          { "=f32[12,10] f32[2,10,7]" },
          { "f32[2,5,10] f32[10,13]" },
          { "f32[13] f32[13]" },
          { "f32[13] f32[13,6]" },
          { "f32[2,6,13] f32[13]" },
          { "f32[13] f32[3,13,6]" },
          { "f32[1,1] f32[1,1]" },
          { "f32[1,200] =f32[200,100]" }),
      /* clang-format on */
  },
  {
      .name = "Gemm",
      .since = 1,
      .flags = FV_OP_TAKES_STEPS,
      .min_inputs = 2,
      .max_inputs = 3,
      .attrs = "alpha:f=1 beta:f=1 transA:i=0 transB:i=0",
      .infer = infer_gemm,
      .reference = reference_gemm,
      /* clang-format off */
      .cases = FV_CASES (
          { "f32[5,7] =f32[7,9] =f32[9]" },
          { "f32[1,130] =f32[50,130] =f32[50]", "transB=1" },
          { "f32[20,6] =f32[20,9] =f32[1,9]", "transA=1 alpha=0.5 beta=2" },
          { "f32[6,20] f32[9,6]", "transA=1 transB=1 alpha=-1.5" },
          { "f32[5,7] f32[7,9] f32[9]", "beta=0.25" },
          { "f32[5,7] f32[7,9] f32[5,9]" },
          { "f32[5,7] f32[7,9] f32[5,1]", "alpha=2" },
          { "f32[5,7] =f32[7,9] =f32[5,1]" },
          { "f32[5,7] =f32[7,9] =f32(0.5)" },
          { "f32[5,7] f32[7,9] f32[1]", "beta=3" }),
      /* clang-format on */
  },
  {
      .name = "fovea.Linear",
      .since = 1,
      .flags = FV_OP_TAKES_STEPS,
      .min_inputs = 2,
      .max_inputs = 3,
      .infer = infer_linear,
      .reference = reference_linear,
      /* clang-format off */
      .cases = FV_CASES (
          { "f32[5,7] =f32[9,7] =f32[9]" },
          { "f32[1,197,192] =f32[576,192] =f32[576]" },
          { "f32[2,13,30] =f32[21,30]" },
          { "f32[1,1000] =f32[70,1000] =f32[70]" },
          { "f32[3,100] =f32[37,100] =f32[37]" },
          { "f32[17] =f32[6,17] =f32[6]" },
          { "f32[1,3,5,40] f32[24,40] f32[24]" },
          { "f32[49,64] f32[33,64]" },
          { "f32[1,1] =f32[1,1] =f32[1]" }),
      /* clang-format on */
  },
  {},
};
