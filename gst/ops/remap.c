/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/ops/remap.h"
#include "gst/ops/loops.h"

enum
{
  TARGET,
  SOURCE,
  TABLE,
  N_TENSORS,
};

/* Marks an axis with a table among the loops' strides: far more than any start of
 * a table, so that such axes never merge. */
#define HAS_TABLE ((gint64) 1 << 40)

int
fv_tensor_inner (const FvTensor *tensor)
{
  int rank = (int) tensor->shape.rank, best = rank - 1;

  for (int i = 0; i < rank; i++)
    if (tensor->strides[i] == 1 && tensor->shape.dims[i] != 1)
      return i;
  for (int i = 0; i < rank; i++)
    if (tensor->strides[i] == 1)
      best = i;
  return best;
}

/* All tables in one tensor, in f32 so that positions stay exact; each starts at a
 * multiple of 4. @starts: (out): one per axis */
static gboolean
upload_tables (FvPlan *plan, FvNode *node, const FvShape *shape,
    const gint64 *const positions[FV_MAX_RANK], gint64 *starts,
    FvTensor *tables, GError **error)
{
  g_autofree float *data = NULL;
  gint64 total = 0;

  for (guint i = 0; i < shape->rank; i++) {
    starts[i] = total;
    if (positions[i])
      total += (shape->dims[i] + 3) & ~(gint64) 3;
  }
  data = g_try_new0 (float, MAX (total, 4));
  if (!data)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
        "no memory for its tables");
  for (guint i = 0; i < shape->rank; i++)
    for (gint64 k = 0; positions[i] && k < shape->dims[i]; k++)
      data[starts[i] + k] = positions[i][k];
  return fv_plan_weights (plan, node, data, MAX (total, 4), FV_TYPE_F32, tables,
      error);
}

static void
add_axes (const FvTensor *source, const FvTensor *target,
    const gint64 *const positions[FV_MAX_RANK], const gint64 *starts,
    FvLoops *loops)
{
  *loops = (FvLoops){ .n_tensors = N_TENSORS };
  for (guint i = target->shape.rank; i-- > 0;) {
    gint64 strides[N_TENSORS] = { target->strides[i], source->strides[i],
      positions[i] ? HAS_TABLE + starts[i] : 0 };

    fv_loops_add (loops, target->shape.dims[i], strides);
  }
  fv_loops_merge (loops);
}

static gint
table_start (gint64 marked)
{
  return marked >= HAS_TABLE ? (gint) (marked - HAS_TABLE) : -1;
}

/* FALSE when an axis of one position lies outside of the source; else those
 * positions are in the offset. */
static gboolean
source_start (const FvTensor *source, const FvTensor *target,
    const gint64 *const positions[FV_MAX_RANK], gint64 *offset)
{
  *offset = source->offset;
  for (guint i = 0; i < target->shape.rank; i++)
    if (target->shape.dims[i] == 1 && positions[i]) {
      if (positions[i][0] < 0)
        return FALSE;
      if (source->shape.dims[i] > 1)
        *offset += positions[i][0] * source->strides[i];
    }
  return TRUE;
}

static void
fill_push (const FvLoops *loops, FvRemapPush *push)
{
  gint64 rows = 1;

  push->row_units = (push->n + 3) / 4;
  for (guint i = 0; i < 5; i++) {
    gboolean used = i < loops->n;

    if (i < 4)
      push->size[i] = used ? loops->size[i] : 1;
    push->target_stride[i] = used ? loops->stride[TARGET][i] / 4 : 0;
    push->source_stride[i] = used ? loops->stride[SOURCE][i] : 0;
    push->table[i] = used ? table_start (loops->stride[TABLE][i]) : -1;
    rows *= used ? loops->size[i] : 1;
  }
  push->units = rows * push->row_units;
}

gboolean
fv_remap_lower (FvPlan *plan, FvNode *node, const FvTensor *source,
    const FvTensor *target, const gint64 *const positions[FV_MAX_RANK],
    float value, GError **error)
{
  gint64 starts[FV_MAX_RANK], inner[N_TENSORS], offset;
  FvRemapPush push = { .value = value };
  gboolean aligned;
  FvTensor tables;
  FvLoops loops;
  FvDispatch d;

  if (fv_shape_count (&target->shape) == 0)
    return TRUE;
  if (!upload_tables (plan, node, &target->shape, positions, starts, &tables,
          error))
    return FALSE;
  add_axes (source, target, positions, starts, &loops);
  push.n = fv_loops_take_inner (&loops, inner);
  push.target = target->offset / 4;
  push.source_inner = push.n > 1 ? inner[SOURCE] : 0;
  push.table[5] = push.n > 1 ? table_start (inner[TABLE]) : -1;
  push.outside = !source_start (source, target, positions, &offset);
  push.source = offset;
  fill_push (&loops, &push);
  aligned =
      inner[SOURCE] == 1 && push.n > 1 && push.table[5] < 0 && offset % 4 == 0;
  for (guint i = 0; i < loops.n; i++)
    aligned &= loops.stride[SOURCE][i] % 4 == 0;
  fv_plan_begin (plan, node, &d, "remap");
  fv_plan_bind (plan, &d, source, FALSE);
  fv_plan_bind (plan, &d, &tables, FALSE);
  fv_plan_bind (plan, &d, target, TRUE);
  fv_dispatch_spec (&d, 0, aligned);
  fv_dispatch_spec (&d, 1, fv_axes_bucket (loops.n, 5));
  fv_dispatch_push (&d, &push, sizeof push);
  fv_dispatch_units (plan, &d, push.units);
  return fv_plan_add (plan, &d, error);
}
