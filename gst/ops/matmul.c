/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MatMul, Gemm, and our own Linear: x[..., K] W[N, K]^T + bias[N]. */
#include <string.h>

#include "gst/ops/igemm.h"

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

/* Elements between neighbours along the axes of a product, as placed on the device:
 * batch axes, then rows; outermost first. */
typedef struct
{
  guint n;
  gint64 size[FV_MAX_RANK];
  gint64 a[FV_MAX_RANK], b[FV_MAX_RANK], y[FV_MAX_RANK];
} Axes;

static void
drop_axis (Axes *axes, guint i)
{
  for (axes->n--; i < axes->n; i++) {
    axes->size[i] = axes->size[i + 1];
    axes->a[i] = axes->a[i + 1];
    axes->b[i] = axes->b[i + 1];
    axes->y[i] = axes->y[i + 1];
  }
}

/* Makes one axis of two neighbours wherever all strides allow. */
static void
merge_axes (Axes *axes)
{
  for (guint i = 0; i < axes->n && axes->n > 1;)
    if (axes->size[i] == 1 && i + 1 < axes->n)
      drop_axis (axes, i);
    else
      i++;
  for (guint i = axes->n - 1; i-- > 0;) {
    gint64 size = axes->size[i + 1];

    if (size == 1 && i + 2 == axes->n && axes->b[i] == 0) {
      /* a lone row: the batch gives the rows */
      drop_axis (axes, i + 1);
    } else if (axes->a[i] == size * axes->a[i + 1]
        && axes->b[i] == size * axes->b[i + 1]
        && axes->y[i] == size * axes->y[i + 1]) {
      axes->size[i + 1] *= axes->size[i];
      drop_axis (axes, i);
    }
  }
}

/* One dispatch for the last three axes (two of matrices, one of rows). */
static gboolean
dispatch_matrices (FvPlan *plan, FvNode *node, FvIgemm igemm, const Axes *axes,
    gint64 matrix, GError **error)
{
  guint rows = axes->n - 1;
  FvIgemmPush *push = &igemm.push;

  push->z0_count = 1;
  igemm.z_count = 1;
  for (guint i = 0; i < 2 && i < rows; i++) {
    guint axis = rows - 1 - i;

    *(i ? &push->x_z1 : &push->x_z0) = axes->a[axis];
    *(i ? &push->w_z1 : &push->w_z0) = axes->b[axis];
    *(i ? &push->y_z1 : &push->y_z0) = axes->y[axis];
    if (i == 0)
      push->z0_count = axes->size[axis];
    igemm.z_count *= axes->size[axis];
  }
  /* outer axes, which a grid does not have */
  igemm.first_row = matrix * axes->size[rows];
  matrix /= igemm.z_count;
  for (guint i = rows > 2 ? rows - 2 : 0; i-- > 0;) {
    gint64 at = matrix % axes->size[i];

    push->x_base += at * axes->a[i];
    push->w_base += at * axes->b[i];
    push->y_base += at * axes->y[i];
    matrix /= axes->size[i];
  }
  igemm.z_kind = igemm.z_count > 1 ? FV_Z_MATRICES : FV_Z_NONE;
  push->pixels = axes->size[rows];
  push->x_pixel = axes->a[rows];
  push->y_pixel = axes->y[rows];
  return fv_igemm_dispatch (plan, node, &igemm, error);
}

static gboolean
dispatch_product (FvPlan *plan, FvNode *node, const FvIgemm *igemm, Axes *axes,
    GError **error)
{
  gint64 n_matrices = 1, a_dispatch = 1;

  merge_axes (axes);
  for (guint i = 0; i + 1 < axes->n; i++) {
    n_matrices *= axes->size[i];
    if (i + 3 >= axes->n)
      a_dispatch *= axes->size[i];
  }
  for (gint64 i = 0; i < n_matrices; i += a_dispatch)
    if (!dispatch_matrices (plan, node, *igemm, axes, i, error))
      return FALSE;
  return TRUE;
}

/* Strides of @tensor's @n leading axes, in vec4 units, right-aligned to the axes of
 * a product before its rows; 0 where it is broadcast. */
static void
leading_strides (const FvTensor *tensor, guint n, guint n_batch,
    gint64 *strides)
{
  memset (strides, 0, FV_MAX_RANK * sizeof *strides);
  for (guint i = 0; i < n; i++)
    strides[n_batch - n + i] = fv_vec4_stride (tensor, i);
}

static FvIgemm
begin_product (const FvTensor *x, const FvTensor *y, gint64 n, gint64 k)
{
  FvIgemm igemm = { .x = *x, .y = *y, .k = k, .alpha = 1, .beta = 1 };

  igemm.inner = (int) y->shape.rank - 1;
  igemm.push.x_base = x->offset / 4;
  igemm.push.y_base = y->offset / 4;
  igemm.push.depth = (k + 3) / 4;
  igemm.push.channels = n;
  return igemm;
}

/* The second operand of a product as placed: K innermost, rows N. Sums must stop
 * at K, as nothing says what stands behind it in both operands. */
static void
set_weights (FvIgemm *igemm, const FvTensor *w, guint n_axis, gboolean has_n)
{
  igemm->w = *w;
  igemm->tail = igemm->k % 4;
  igemm->push.w_base = w->offset / 4;
  igemm->push.w_row = has_n ? fv_vec4_stride (w, n_axis) : 0;
}

/* Packs a constant [z][k][n] or, when @transposed, [z][n][k]. */
static gboolean
pack_constant (FvPlan *plan, FvNode *node, gint64 n, gint64 k,
    gboolean transposed, float factor, FvIgemm *igemm, gint64 *z_step,
    GError **error)
{
  FvArray *constant = fv_node_constant (node, 1);
  gint64 tap = 0;
  FvIgemmWeights weights = { .z = constant->count / (n * k),
    .m = n,
    .k = k,
    .n_taps = 1,
    .taps = &tap,
    .z_step = n * k,
    .m_step = transposed ? k : 1,
    .k_step = transposed ? 1 : n,
    .factor = factor };

  igemm->is_packed = TRUE;
  *z_step = fv_igemm_packed_size (&weights);
  return fv_igemm_set_weights (plan, node, constant, &weights, igemm, error);
}

/* x[..., K] times a vector: the matrices are the weights of one row. */
static gboolean
lower_times_vector (FvPlan *plan, FvNode *node, const Product *p,
    GError **error)
{
  guint rank = node->inputs[0]->shape.rank;
  FvTensor vector, matrix, y;
  FvIgemm igemm;
  Axes axes = { 0 };

  if (!fv_plan_input (plan, node, 1, 0, &vector, error)
      || !fv_plan_input (plan, node, 0, rank - 1, &matrix, error)
      || !fv_plan_output (plan, node, 0, (int) node->outputs[0]->shape.rank - 1,
          &y, error))
    return FALSE;
  igemm = begin_product (&vector, &y, p->m, p->k);
  set_weights (&igemm, &matrix, rank > 1 ? rank - 2 : 0, rank > 1);
  axes.n = p->batch.rank + 1;
  memcpy (axes.size, p->batch.dims, p->batch.rank * sizeof *axes.size);
  axes.size[p->batch.rank] = 1;
  leading_strides (&matrix, p->batch.rank, p->batch.rank, axes.b);
  leading_strides (&y, p->batch.rank, p->batch.rank, axes.y);
  return dispatch_product (plan, node, &igemm, &axes, error);
}

static gboolean
lower_matmul (FvPlan *plan, FvNode *node, GError **error)
{
  guint a_rank = node->inputs[0]->shape.rank;
  guint b_rank = node->inputs[1]->shape.rank, n_batch;
  gboolean has_m = a_rank > 1;
  Axes axes = { 0 };
  FvTensor a, b, y;
  FvIgemm igemm;
  gint64 z_step;
  Product p;

  if (!matmul_product (node, &p, error))
    return FALSE;
  if (b_rank == 1)
    return lower_times_vector (plan, node, &p, error);
  if (!fv_plan_input (plan, node, 0, a_rank - 1, &a, error)
      || !fv_plan_output (plan, node, 0, (int) node->outputs[0]->shape.rank - 1,
          &y, error))
    return FALSE;
  n_batch = p.batch.rank;
  axes.n = n_batch + 1;
  memcpy (axes.size, p.batch.dims, n_batch * sizeof *axes.size);
  axes.size[n_batch] = p.m;
  leading_strides (&a, has_m ? a_rank - 2 : 0, n_batch, axes.a);
  leading_strides (&y, n_batch, n_batch, axes.y);
  axes.a[n_batch] = has_m ? fv_vec4_stride (&a, a_rank - 2) : 0;
  axes.y[n_batch] = has_m ? fv_vec4_stride (&y, n_batch) : 0;
  igemm = begin_product (&a, &y, p.n, p.k);
  if (fv_node_constant (node, 1)) {
    if (!pack_constant (plan, node, p.n, p.k, FALSE, 1, &igemm, &z_step, error))
      return FALSE;
    for (guint i = 0; i < n_batch; i++)
      axes.b[i] = p.b_steps[i] / (p.n * p.k) * z_step;
  } else {
    if (!fv_plan_input (plan, node, 1, b_rank - 2, &b, error))
      return FALSE;
    leading_strides (&b, b_rank - 2, n_batch, axes.b);
    set_weights (&igemm, &b, b_rank - 1, TRUE);
  }
  return dispatch_product (plan, node, &igemm, &axes, error);
}

/* Input 2 of a Gemm, wherever it is broadcast. */
static gboolean
gemm_bias (FvPlan *plan, FvNode *node, FvIgemm *igemm, GError **error)
{
  FvValue *c = fv_node_input (node, 2);
  guint rank = c ? c->shape.rank : 0;
  gboolean has_rows = rank == 2 && c->shape.dims[0] > 1;

  if (!c || node->n_own_inputs < 3)
    return TRUE;
  if (rank == 0 || c->shape.dims[rank - 1] == 1) {
    igemm->bias_kind = FV_BIAS_COLUMN;
    if (!fv_plan_input (plan, node, 2, FV_ANY_AXIS, &igemm->bias, error))
      return FALSE;
    igemm->push.bias = igemm->bias.offset;
    igemm->push.bias_stride = has_rows ? igemm->bias.strides[0] : 0;
    return TRUE;
  }
  igemm->bias_kind = has_rows ? FV_BIAS_ROWS : FV_BIAS_COMMON;
  if (!fv_plan_input (plan, node, 2, rank - 1, &igemm->bias, error))
    return FALSE;
  igemm->push.bias = igemm->bias.offset / 4;
  igemm->push.bias_stride = has_rows ? igemm->bias.strides[0] / 4 : 0;
  return TRUE;
}

static gboolean
lower_gemm (FvPlan *plan, FvNode *node, GError **error)
{
  guint trans_a = fv_node_int (node, "transA") != 0;
  guint trans_b = fv_node_int (node, "transB") != 0;
  float alpha = fv_node_float (node, "alpha");
  Axes axes = { .n = 1 };
  FvTensor a, b, y;
  FvIgemm igemm;
  gint64 z_step;
  Product p;

  if (!gemm_product (node, &p, error)
      || !fv_plan_input (plan, node, 0, !trans_a, &a, error)
      || !fv_plan_output (plan, node, 0, 1, &y, error))
    return FALSE;
  igemm = begin_product (&a, &y, p.n, p.k);
  igemm.beta = fv_node_float (node, "beta");
  axes.size[0] = p.m;
  axes.a[0] = fv_vec4_stride (&a, trans_a);
  axes.y[0] = fv_vec4_stride (&y, 0);
  if (fv_node_constant (node, 1)) {
    if (!pack_constant (plan, node, p.n, p.k, trans_b, alpha, &igemm, &z_step,
            error))
      return FALSE;
  } else {
    if (!fv_plan_input (plan, node, 1, trans_b, &b, error))
      return FALSE;
    set_weights (&igemm, &b, !trans_b, TRUE);
    igemm.alpha = alpha;
  }
  return gemm_bias (plan, node, &igemm, error)
      && dispatch_product (plan, node, &igemm, &axes, error);
}

static gboolean
lower_linear (FvPlan *plan, FvNode *node, GError **error)
{
  const FvShape *shape = &node->inputs[0]->shape;
  const FvShape *w_shape = &node->inputs[1]->shape;
  guint n = shape->rank - 1;
  Axes axes = { .n = MAX (n, 1) };
  FvTensor x, w, y;
  FvIgemm igemm;
  gint64 z_step;

  if (!fv_plan_input (plan, node, 0, n, &x, error)
      || !fv_plan_output (plan, node, 0, n, &y, error))
    return FALSE;
  axes.size[0] = 1;
  memcpy (axes.size, shape->dims, n * sizeof *axes.size);
  leading_strides (&x, n, n, axes.a);
  leading_strides (&y, n, n, axes.y);
  igemm = begin_product (&x, &y, w_shape->dims[0], w_shape->dims[1]);
  if (fv_node_constant (node, 1)) {
    if (!pack_constant (plan, node, w_shape->dims[0], w_shape->dims[1], TRUE, 1,
            &igemm, &z_step, error))
      return FALSE;
  } else {
    if (!fv_plan_input (plan, node, 1, 1, &w, error))
      return FALSE;
    set_weights (&igemm, &w, 0, TRUE);
  }
  if (node->n_own_inputs > 2 && node->inputs[2]) {
    if (!fv_plan_input (plan, node, 2, 0, &igemm.bias, error))
      return FALSE;
    igemm.bias_kind = FV_BIAS_COMMON;
    igemm.push.bias = igemm.bias.offset / 4;
  }
  return dispatch_product (plan, node, &igemm, &axes, error);
}

const FvOp fv_ops_matmul[] = {
  {
      .name = "MatMul",
      .since = 1,
      .flags = FV_OP_TAKES_STEPS,
      .min_inputs = 2,
      .infer = infer_matmul,
      .reference = reference_matmul,
      .lower = lower_matmul,
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
      .lower = lower_gemm,
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
      .lower = lower_linear,
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
