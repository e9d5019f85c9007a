/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Our own RowLinear and RowNorm: a Linear and a LayerNormalization of rows that a
 * table gathers, so that windows, rolls and merged patches of maps need no copy.
 *
 *   row r is concat (x[rows[r S]], ..., x[rows[r S + S - 1]]), S C elements
 *
 * x: [..., C] as rows of C; rows: constant, -1 for a row of zeroes; y: the rows in
 * the shape that the attribute gives for all but the last axis */
#include "gst/ops/igemm.h"
#include "gst/ops/norm.h"
#include "gst/ops/rows.h"

#include <math.h>

typedef struct
{
  gint64 rows, taps, unit; /* of y; S; C */
  gint64 sources; /* rows of x */
} Sizes;

static gboolean
read_sizes (FvNode *node, Sizes *s, GError **error)
{
  const FvShape *x = &node->inputs[0]->shape;
  FvArray *table = fv_node_constant (node, 3);
  const gint64 *shape;
  guint rank;

  *s = (Sizes){ .rows = 1 };
  shape = fv_node_ints (node, "shape", &rank);
  for (guint i = 0; i < rank; i++)
    s->rows *= shape[i];
  if (!table || x->rank < 1 || rank >= FV_MAX_RANK || s->rows < 1
      || table->count % s->rows || !(s->taps = table->count / s->rows))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected x[..., C] and a table of rows");
  s->unit = x->dims[x->rank - 1];
  s->sources = fv_shape_count (x) / MAX (s->unit, 1);
  if (s->unit < 1 || s->sources > FV_INTEGER_LIMIT)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "no rows or too many");
  for (gint64 i = 0; i < table->count; i++)
    if (fv_array_get_int (table, i) < -1
        || fv_array_get_int (table, i) >= s->sources)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "the table names a row that is not there");
  return TRUE;
}

/* Rows of @width. */
static void
set_output (FvNode *node, gint64 width)
{
  FvValue *y = node->outputs[0];
  guint rank;
  const gint64 *shape = fv_node_ints (node, "shape", &rank);

  y->type = node->inputs[0]->type;
  y->shape.rank = rank + 1;
  for (guint i = 0; i < rank; i++)
    y->shape.dims[i] = shape[i];
  y->shape.dims[rank] = width;
}

static gboolean
is_vector (const FvValue *value, gint64 count)
{
  return !value || fv_shape_count (&value->shape) == count;
}

static gboolean
infer_linear (FvNode *node, GError **error)
{
  const FvShape *w = &node->inputs[1]->shape;
  Sizes s;

  if (!read_sizes (node, &s, error))
    return FALSE;
  if (w->rank != 2 || w->dims[1] != s.taps * s.unit
      || !fv_node_constant (node, 1)
      || !is_vector (fv_node_input (node, 2), w->dims[0]))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected constant weights [N, S C] and a bias of [N]");
  set_output (node, w->dims[0]);
  return TRUE;
}

static gboolean
infer_norm (FvNode *node, GError **error)
{
  Sizes s;

  if (!read_sizes (node, &s, error))
    return FALSE;
  if (s.unit % 4)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "rows must be of whole vec4");
  if (!is_vector (node->inputs[1], s.taps * s.unit)
      || !is_vector (fv_node_input (node, 2), s.taps * s.unit))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected a scale and a bias of [S C]");
  set_output (node, s.taps * s.unit);
  return TRUE;
}

/* Row @r as it is gathered. */
static void
gather (const Sizes *s, FvArray **inputs, gint64 r, float *row)
{
  for (gint64 t = 0; t < s->taps; t++) {
    gint64 from = fv_array_get_int (inputs[3], r * s->taps + t);

    for (gint64 k = 0; k < s->unit; k++)
      row[t * s->unit + k] = from < 0 ? 0 : inputs[0]->f32[from * s->unit + k];
  }
}

static double
dot (const float *x, const float *w, gint64 n)
{
  double sum = 0;

  for (gint64 i = 0; i < n; i++)
    sum += (double) x[i] * w[i];
  return sum;
}

static gboolean
linear (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  gint64 n = node->inputs[1]->shape.dims[0], k;
  g_autofree float *row = NULL;
  Sizes s;

  if (!read_sizes (node, &s, error))
    return FALSE;
  k = s.taps * s.unit;
  if (!(row = g_try_new (float, k)))
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE, "out of memory");
  for (gint64 r = 0; r < s.rows; r++) {
    gather (&s, inputs, r, row);
    for (gint64 i = 0; i < n; i++)
      outputs[0]->f32[r * n + i] = dot (row, inputs[1]->f32 + i * k, k)
          + (inputs[2] ? inputs[2]->f32[i] : 0);
  }
  return TRUE;
}

static gboolean
norm (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  double epsilon = fv_node_float (node, "epsilon");
  g_autofree float *row = NULL;
  gint64 n;
  Sizes s;

  if (!read_sizes (node, &s, error))
    return FALSE;
  n = s.taps * s.unit;
  if (!(row = g_try_new (float, n)))
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE, "out of memory");
  for (gint64 r = 0; r < s.rows; r++) {
    double mean = 0, variance = 0;

    gather (&s, inputs, r, row);
    for (gint64 i = 0; i < n; i++)
      mean += row[i] / n;
    for (gint64 i = 0; i < n; i++)
      variance += (row[i] - mean) * (row[i] - mean) / n;
    for (gint64 i = 0; i < n; i++)
      outputs[0]->f32[r * n + i] =
          (row[i] - mean) / sqrt (variance + epsilon) * inputs[1]->f32[i]
          + (inputs[2] ? inputs[2]->f32[i] : 0);
  }
  return TRUE;
}

/* @holes: (out): whether rows of zeroes are among them */
static gboolean
upload_table (FvPlan *plan, FvNode *node, FvTensor *tensor, gboolean *holes,
    GError **error)
{
  g_autoptr (FvArray) table =
      fv_array_convert (fv_node_constant (node, 3), FV_TYPE_F32, error);

  if (!table)
    return FALSE;
  *holes = FALSE;
  for (gint64 i = 0; i < table->count; i++)
    *holes |= table->f32[i] < 0;
  return fv_plan_weights (plan, node, table->f32, table->count, FV_TYPE_F32,
      tensor, error);
}

static gboolean
pack (FvPlan *plan, FvNode *node, FvIgemm *igemm, const Sizes *s,
    GError **error)
{
  g_autofree gint64 *taps = g_new (gint64, s->taps);
  FvIgemmWeights weights = { .z = 1,
    .m = node->inputs[1]->shape.dims[0],
    .k = s->unit,
    .n_taps = s->taps,
    .taps = taps,
    .m_step = s->taps * s->unit,
    .k_step = 1,
    .factor = 1 };

  for (gint64 t = 0; t < s->taps; t++)
    taps[t] = t * s->unit;
  igemm->is_packed = TRUE;
  return fv_igemm_pack (plan, node, fv_node_constant (node, 1), &weights,
      &igemm->w, error);
}

static gboolean
lower_linear (FvPlan *plan, FvNode *node, GError **error)
{
  int x_inner = (int) node->inputs[0]->shape.rank - 1;
  int inner = (int) node->outputs[0]->shape.rank - 1;
  gint64 x_row, y_row, n_rows;
  FvTensor output;
  FvIgemm igemm = { .inner = inner, .alpha = 1, .beta = 1 };
  gboolean holes;
  Sizes s;

  if (!read_sizes (node, &s, error)
      || !fv_plan_input_rows (plan, node, 0, x_inner, &igemm.x, &x_row, error)
      || !fv_plan_output (plan, node, 0, inner, &output, error))
    return FALSE;
  igemm.y = output;
  if (!fv_tensor_rows (&igemm.y, inner, &n_rows, &y_row)
      && (!fv_dense_temporary (plan, node, &output.shape, inner, output.type,
              &igemm.y, error)
          || !fv_tensor_rows (&igemm.y, inner, &n_rows, &y_row)))
    return FALSE;
  if (!pack (plan, node, &igemm, &s, error)
      || !upload_table (plan, node, &igemm.table, &holes, error))
    return FALSE;
  igemm.n_rows = (gint) (holes ? -s.taps : s.taps);
  if (fv_node_input (node, 2)) {
    if (!fv_plan_input (plan, node, 2, 0, &igemm.bias, error))
      return FALSE;
    igemm.bias_kind = FV_BIAS_COMMON;
    igemm.push.bias = igemm.bias.offset / 4;
  }
  igemm.z_count = 1;
  igemm.k = s.taps * s.unit;
  igemm.push.z0_count = 1;
  igemm.push.x_base = igemm.x.offset / 4;
  igemm.push.x_pixel = x_row / 4;
  igemm.push.y_base = igemm.y.offset / 4;
  igemm.push.y_pixel = y_row / 4;
  igemm.push.pixels = s.rows;
  igemm.push.depth = (s.unit + 3) / 4;
  igemm.push.channels = node->inputs[1]->shape.dims[0];
  return fv_igemm_dispatch (plan, node, &igemm, error)
      && (igemm.y.storage == output.storage
          || fv_plan_copy (plan, node, &igemm.y, &output, error));
}

static gboolean
lower_norm (FvPlan *plan, FvNode *node, GError **error)
{
  FvTensor table;
  gboolean holes;

  return upload_table (plan, node, &table, &holes, error)
      && fv_norm_lower_gathered (plan, node, &table, error);
}

const FvOp fv_ops_rowgather[] = {
  {
      .name = "fovea.RowLinear",
      .since = 1,
      .flags = FV_OP_TAKES_STEPS,
      .min_inputs = 2,
      .max_inputs = 4,
      .attrs = "shape:is",
      .infer = infer_linear,
      .reference = linear,
      .lower = lower_linear,
      /* clang-format off */
      .cases = FV_CASES (
          { "f32[6,8] =f32[5,8] =f32[5] =i64{0,3,-1,2,5,5,1,0}", "shape=[2,4]" },
          { "f32[1,3,2,12] =f32[40,24] - =i64{0,3,1,2,5,5,1,0,4,-1}", "shape=[5]" },
          { "f32[9,36] =f32[70,36] =f32[70] =i64{8,7,6,5,4,3,2,1,0}",
              "shape=[1,3,3]" },
          { "f32[3,10] =f32[6,20] =f32[6] =i64{2,1,1,0}", "shape=[2]" },
          { "f32[2,16] =f32[16,64] =f32[16] =i64{0,1,1,0}", "shape=[1]" }),
      /* clang-format on */
  },
  {
      .name = "fovea.RowNorm",
      .since = 1,
      .flags = FV_OP_TAKES_STEPS,
      .min_inputs = 2,
      .max_inputs = 4,
      .attrs = "shape:is epsilon:f=1e-5",
      .infer = infer_norm,
      .reference = norm,
      .lower = lower_norm,
      .cases = FV_CASES (
          { "f32[6,8] =f32[8] =f32[8] =i64{0,3,-1,2,5,5,1,0}", "shape=[2,4]" },
          { "f32[1,3,2,12] =f32[48] - =i64{0,3,1,2,5,5,1,-1}", "shape=[2]" },
          { "f32[40,4] =f32[4] =f32[4] =i64{8,7,6,5,4,3,2,1,0,39}",
              "shape=[1,5,2]" }),
  },
  {},
};
