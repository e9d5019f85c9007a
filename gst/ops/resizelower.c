/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resize on the device: passes over two axes each. */
#include "gst/ops/resize.h"
#include "gst/ops/loops.h"
#include "gst/ops/rows.h"

/* The axes of a pass, -1 where there is none: what the kernel calls outer,
 * middle, height and width. */
typedef struct
{
  int axes[4];
  const FvResizeAxis *taps[2]; /* (nullable) of height and width: as it is */
} Pass;

/* Height and width become the axes resampled or, where that is but one, another;
 * what remains must fit outer and middle. */
static gboolean
assign_axes (FvNode *node, const FvShape *y, int inner,
    const FvResizeAxis *const *taken, guint n, Pass *pass, GError **error)
{
  gboolean chosen[FV_MAX_RANK] = { FALSE };
  int other = 1;

  *pass = (Pass){ { -1, -1, -1, -1 }, { NULL, NULL } };
  for (guint i = 0; i < n; i++)
    chosen[taken[i]->axis] = TRUE;
  for (int i = (int) y->rank - 1; i >= 0 && n < 2; i--)
    if (i != inner && !chosen[i] && y->dims[i] > 1) {
      chosen[i] = TRUE;
      n++;
    }
  for (int i = (int) y->rank - 1, at = 3; i >= 0; i--) {
    if (i == inner)
      continue;
    if (chosen[i])
      pass->axes[at--] = i;
    else if (y->dims[i] > 1) {
      if (other < 0)
        return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
            "more than four axes to walk over");
      pass->axes[other--] = i;
    }
  }
  return TRUE;
}

static void
find_taps (Pass *pass, const FvResizeAxis *const *taken, guint n)
{
  for (guint i = 0; i < n; i++)
    for (guint k = 0; k < 2; k++)
      if (pass->axes[2 + k] == (int) taken[i]->axis)
        pass->taps[k] = taken[i];
}

/* Entries of two indices and their weights; @size: of an axis without taps. */
static gboolean
upload_table (FvPlan *plan, FvNode *node, const FvResizeAxis *taps, gint64 size,
    FvTensor *table, fv_int *entries, GError **error)
{
  gint64 n = taps ? taps->out : size;
  guint width = taps ? taps->taps : 1;
  g_autofree float *values = NULL;

  *entries = (width + 1) / 2;
  values = g_try_new0 (float, n **entries * 4);
  if (!values)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
        "no memory for its filter");
  for (gint64 o = 0; o < n; o++)
    for (guint t = 0; t < width; t++) {
      float *entry = values + (o * *entries + t / 2) * 4;

      entry[t % 2] = taps ? taps->index[o * width + t] : o;
      entry[2 + t % 2] = taps ? taps->weight[o * width + t] : 1;
    }
  return fv_plan_weights (plan, node, values, n * *entries * 4, FV_TYPE_F32,
      table, error);
}

static void
fill_push (const Pass *pass, const FvTensor *x, const FvTensor *y, int inner,
    FvResizePush *push)
{
  gint64 dense = 1, multiple[FV_MAX_RANK];

  for (int i = (int) y->shape.rank - 1; i >= 0; i--) {
    multiple[i] = dense;
    dense *= i == inner ? 1 : y->shape.dims[i];
  }
  for (guint k = 0; k < 4; k++) {
    int a = pass->axes[k];

    push->x[k] = a < 0 || x->shape.dims[a] == 1 ? 0 : x->strides[a] / 4;
    push->y[k] = a < 0 || y->shape.dims[a] == 1 ? 0 : y->strides[a] / 4;
    push->row[k] = a < 0 ? 0 : multiple[a];
  }
  push->channels = y->shape.dims[inner];
  push->units = (push->channels + 3) / 4;
  push->middle = pass->axes[1] < 0 ? 1 : y->shape.dims[pass->axes[1]];
  push->height = pass->axes[2] < 0 ? 1 : y->shape.dims[pass->axes[2]];
  push->width = pass->axes[3] < 0 ? 1 : y->shape.dims[pass->axes[3]];
  push->x_base = x->offset / 4;
  push->y_base = y->offset / 4;
}

/* How many neighbouring inputs four neighbouring outputs need, at most. */
static guint
window_of (const FvResizeAxis *taps)
{
  guint widest = 1;

  for (gint64 o = 0; o < taps->out; o += 4) {
    gint32 low = G_MAXINT32, high = 0;

    for (gint64 i = o * taps->taps; i < MIN (o + 4, taps->out) * taps->taps;
         i++)
      if (taps->weight[i] != 0) {
        low = MIN (low, taps->index[i]);
        high = MAX (high, taps->index[i]);
      }
    if (low <= high)
      widest = MAX (widest, (guint) (high - low) + 1);
  }
  return widest;
}

/* The window of resizetile.comp, or 0 where that kernel does not apply. */
static guint
tile_window (const Pass *pass)
{
  guint window = 2;

  for (guint k = 0; k < 2; k++) {
    if (!pass->taps[k] || pass->taps[k]->taps != 2)
      return 0;
    window = MAX (window, window_of (pass->taps[k]));
  }
  return window <= 4 ? window : 0;
}

/* Per four outputs: the indices of @window inputs, then for each of these its
 * weights in the four. */
static gboolean
upload_windows (FvPlan *plan, FvNode *node, const FvResizeAxis *taps,
    guint window, FvTensor *table, GError **error)
{
  gint64 blocks = (taps->out + 3) / 4, size = blocks * (window + 1) * 4;
  g_autofree float *values = g_try_new0 (float, size);

  if (!values)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
        "no memory for its filter");
  for (gint64 b = 0; b < blocks; b++) {
    float *block = values + b * (window + 1) * 4;
    gint64 first = b * 4 * taps->taps;
    gint64 last = MIN (b * 4 + 4, taps->out) * taps->taps;
    gint32 low = G_MAXINT32;

    for (gint64 i = first; i < last; i++)
      if (taps->weight[i] != 0)
        low = MIN (low, taps->index[i]);
    for (guint w = 0; w < window; w++)
      block[w] = MIN (low + (gint64) w, taps->in - 1);
    for (gint64 i = first; i < last; i++)
      if (taps->weight[i] != 0)
        block[4 * (1 + taps->index[i] - low) + (i - first) / taps->taps] +=
            taps->weight[i];
  }
  return fv_plan_weights (plan, node, values, size, FV_TYPE_F32, table, error);
}

static gboolean
upload_tables (FvPlan *plan, FvNode *node, const Pass *pass, guint window,
    FvResizePush *push, FvTensor tables[2], GError **error)
{
  if (window)
    return upload_windows (plan, node, pass->taps[0], window, &tables[0], error)
        && upload_windows (plan, node, pass->taps[1], window, &tables[1],
            error);
  return upload_table (plan, node, pass->taps[0], push->height, &tables[0],
             &push->rows_taps, error)
      && upload_table (plan, node, pass->taps[1], push->width, &tables[1],
          &push->columns_taps, error);
}

/* Every output is one input. */
static gboolean
is_nearest (const Pass *pass)
{
  for (guint k = 0; k < 2; k++) {
    const FvResizeAxis *taps = pass->taps[k];

    for (gint64 o = 0; taps && o < taps->out; o++)
      if (taps->taps != 1 || taps->weight[o] != 1)
        return FALSE;
  }
  return TRUE;
}

/* @stepped: the node with its steps, or without them. */
static gboolean
add_pass (FvPlan *plan, FvNode *node, FvNode *stepped, const Pass *pass,
    const FvTensor *x, const FvTensor *y, int inner, GError **error)
{
  guint window = tile_window (pass);
  gint64 block = window ? 4 : 1;
  FvResizePush push = { 0 };
  FvTensor tables[2];
  FvDispatch d;

  fill_push (pass, x, y, inner, &push);
  if (!upload_tables (plan, node, pass, window, &push, tables, error))
    return FALSE;
  fv_plan_begin (plan, node, &d, window ? "resizetile" : "resize");
  fv_plan_bind (plan, &d, x, FALSE);
  fv_plan_bind (plan, &d, &tables[0], FALSE);
  fv_plan_bind (plan, &d, &tables[1], FALSE);
  fv_plan_bind (plan, &d, y, TRUE);
  if (!fv_plan_bind_steps (plan, stepped, &d, y, inner, push.operand, error))
    return FALSE;
  fv_dispatch_spec (&d, 0, window ? (gint32) window : is_nearest (pass));
  fv_dispatch_push (&d, &push, sizeof push);
  fv_dispatch_units (plan, &d,
      (push.width + block - 1) / block * ((push.height + block - 1) / block)
          * push.units);
  d.groups[2] =
      push.middle * (pass->axes[0] < 0 ? 1 : y->shape.dims[pass->axes[0]]);
  d.flops = fv_shape_count (&y->shape) * 8;
  return fv_plan_add (plan, &d, error);
}

/* From @x to @y, the last axes first, through temporaries. */
static gboolean
add_passes (FvPlan *plan, FvNode *node, const FvResize *r, const FvTensor *x,
    const FvTensor *y, int inner, GError **error)
{
  FvTensor from = *x, to;
  FvNode bare = *node;
  guint left = r->n;

  bare.n_steps = 0;
  do {
    const FvResizeAxis *taken[2];
    guint n = 0;
    Pass pass;

    to = *y;
    while (left && n < 2)
      taken[n++] = &r->axes[--left];
    if (left) {
      FvShape shape = from.shape;

      for (guint i = 0; i < n; i++)
        shape.dims[taken[i]->axis] = taken[i]->out;
      if (!fv_dense_temporary (plan, node, &shape, inner, from.type, &to,
              error))
        return FALSE;
    }
    if (!assign_axes (node, &to.shape, inner, taken, n, &pass, error))
      return FALSE;
    find_taps (&pass, taken, n);
    if (!add_pass (plan, node, left ? &bare : node, &pass, &from, &to, inner,
            error))
      return FALSE;
    from = to;
  } while (left);
  return TRUE;
}

/* The axis that lies innermost: the channels, or another that is not resampled;
 * -1 when all are. */
static int
choose_inner (const FvShape *shape, const FvResize *r)
{
  gboolean taken[FV_MAX_RANK] = { FALSE };
  int best = -1;

  for (guint i = 0; i < r->n; i++)
    taken[r->axes[i].axis] = TRUE;
  if (shape->rank > 1 && !taken[1])
    return 1;
  for (guint i = 0; i < shape->rank; i++)
    if (!taken[i] && (best < 0 || shape->dims[i] > shape->dims[best]))
      best = i;
  return best;
}

/* All axes are resampled: with one of a single element behind them. */
static gboolean
lower_scalars (FvPlan *plan, FvNode *node, const FvResize *r, GError **error)
{
  FvShape in = node->inputs[0]->shape, out = node->outputs[0]->shape;
  FvTensor x, y, from, to;
  guint inner = in.rank;

  for (guint i = 0; i < node->n_steps; i++)
    if (FV_STEP_HAS_OPERAND (node->steps[i].kind))
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "a fused operand where all axes are resampled");
  if (!in.rank || in.rank == FV_MAX_RANK)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED, "rank %u", in.rank);
  in.dims[in.rank++] = 1;
  out.dims[out.rank++] = 1;
  return fv_plan_input (plan, node, 0, FV_ANY_AXIS, &x, error)
      && fv_plan_output (plan, node, 0, inner - 1, &y, error)
      && fv_dense_temporary (plan, node, &in, inner, x.type, &from, error)
      && fv_dense_temporary (plan, node, &out, inner, y.type, &to, error)
      && fv_plan_copy (plan, node, &x, &from, error)
      && add_passes (plan, node, r, &from, &to, inner, error)
      && fv_plan_copy (plan, node, &to, &y, error);
}

gboolean
fv_resize_lower (FvPlan *plan, FvNode *node, GError **error)
{
  g_auto (FvResize) r = { 0 };
  FvTensor x, y;
  int inner;

  if (!fv_shape_count (&node->inputs[0]->shape)
      || !fv_shape_count (&node->outputs[0]->shape))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "an empty tensor on the device");
  if (!fv_resize_new (node, &r, error))
    return FALSE;
  if (!r.n && !node->n_steps) { /* nothing changes */
    if (!fv_plan_input (plan, node, 0, FV_ANY_AXIS, &x, error))
      return FALSE;
    fv_plan_alias (plan, node, 0, &x);
    return TRUE;
  }
  inner = choose_inner (&node->inputs[0]->shape, &r);
  if (inner < 0)
    return lower_scalars (plan, node, &r, error);
  return fv_plan_input (plan, node, 0, inner, &x, error)
      && fv_plan_output (plan, node, 0, inner, &y, error)
      && add_passes (plan, node, &r, &x, &y, inner, error);
}
