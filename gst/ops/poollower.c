/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pools on the device. */
#include "gst/ops/pool.h"
#include "gst/ops/loops.h"
#include "gst/ops/rows.h"

/* One window over everything: a figure per channel. */
static gboolean
lower_global (FvPlan *plan, FvNode *node, const FvPool *p, GError **error)
{
  guint local = fv_local_size (plan, 128);
  guint columns = fv_plan_tier (plan) == FV_TIER_SUBGROUP ? 1 : 4;
  const FvShape *shape = &node->inputs[0]->shape;
  FvStatsPush push = { .channels = shape->dims[1] };
  gint64 x_map, x_row;
  FvTensor x, y;
  FvDispatch d;

  if (!fv_plan_input_maps (plan, node, &x, &x_map, &x_row, error)
      || !fv_plan_output (plan, node, 0, 1, &y, error))
    return FALSE;
  fv_plan_begin (plan, node, &d, "channelstats");
  fv_plan_bind (plan, &d, &x, FALSE);
  fv_plan_bind (plan, &d, &y, TRUE);
  if (!fv_plan_bind_steps (plan, node, &d, &y, 1, push.operand, error))
    return FALSE;
  push.rows = p->in[0] * p->in[1] * p->in[2];
  push.units = (push.channels + 3) / 4;
  push.x_base = x.offset / 4;
  push.x_map = x_map / 4;
  push.x_row = x_row / 4;
  push.y_base = y.offset / 4;
  push.y_map = y.strides[0] / 4;
  fv_dispatch_spec (&d, FV_SPEC_LOCAL, local);
  fv_dispatch_spec (&d, 0,
      p->kind == FV_POOLS_MAX      ? FV_STATS_MAX
          : p->kind == FV_POOLS_LP ? FV_STATS_LP
                                   : FV_STATS_AVERAGE);
  fv_dispatch_spec (&d, 1, columns);
  if (p->kind == FV_POOLS_LP)
    fv_dispatch_spec_float (&d, 2, p->p);
  fv_dispatch_push (&d, &push, sizeof push);
  d.groups[0] = (push.units + columns - 1) / columns;
  d.groups[1] = shape->dims[0];
  d.flops = fv_shape_count (shape);
  return fv_plan_add (plan, &d, error);
}

/* In vec4 units: between maps, then along the three spatial axes. */
static void
spatial_strides (const FvTensor *t, const FvPool *p, fv_int strides[4])
{
  strides[0] = t->shape.dims[0] > 1 ? t->strides[0] / 4 : 0;
  for (guint a = 0; a < 3; a++) {
    gboolean there = a + p->n_axes >= 3;

    strides[1 + a] = there ? t->strides[2 + a - (3 - p->n_axes)] / 4 : 0;
  }
}

static gboolean
is_dilated (const FvPool *p)
{
  return p->dilation[0] != 1 || p->dilation[1] != 1 || p->dilation[2] != 1;
}

/* Outputs below each other that share what is reduced along the width. */
static guint
rows_together (const FvPool *p)
{
  if (is_dilated (p) || p->kernel[1] <= p->stride[1] || p->out[1] < 3)
    return 1;
  return p->kernel[1] >= 7 && p->out[1] > 4 ? 8 : 4;
}

/* Along each axis two numbers in one: kernel and stride, padding and dilation. */
static gboolean
pack_windows (FvNode *node, const FvPool *p, fv_int kernel_stride[3],
    fv_int begin_dilation[3], GError **error)
{
  for (guint a = 0; a < 3; a++) {
    if (p->begin[a] > G_MAXINT16)
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "a padding this wide");
    kernel_stride[a] = p->kernel[a] | p->stride[a] << 16;
    begin_dilation[a] = p->begin[a] | p->dilation[a] << 16;
  }
  return TRUE;
}

static gboolean
fill_push (FvNode *node, const FvPool *p, const FvTensor *x, const FvTensor *y,
    FvPoolPush *push, GError **error)
{
  push->channels = x->shape.dims[1];
  push->units = (push->channels + 3) / 4;
  for (guint a = 0; a < 3; a++) {
    push->in_size[a] = p->in[a];
    push->out_size[a] = p->out[a];
    push->padded[a] = p->in[a] + p->end[a];
  }
  push->x_base = x->offset / 4;
  push->y_base = y->offset / 4;
  spatial_strides (x, p, push->x);
  spatial_strides (y, p, push->y);
  return pack_windows (node, p, push->kernel_stride, push->begin_dilation,
      error);
}

/* Indices count through all of a tensor, and must be exact in f32. */
static gboolean
check_indices (FvNode *node, gint64 count, GError **error)
{
  return count <= FV_INTEGER_LIMIT
      || fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "indices into %" G_GINT64_FORMAT
          " elements on the device, at most %d",
          count, FV_INTEGER_LIMIT);
}

static gboolean
lower_indices (FvPlan *plan, FvNode *node, const FvPool *p, GError **error)
{
  const FvShape *shape = &node->inputs[0]->shape;
  FvPoolIndicesPush push = { .channels = shape->dims[1],
    .units = (shape->dims[1] + 3) / 4 };
  gint64 place[3];
  FvTensor x, y;
  FvDispatch d;

  if (!check_indices (node, fv_shape_count (shape), error)
      || !fv_plan_input (plan, node, 0, 1, &x, error)
      || !fv_plan_output (plan, node, 1, 1, &y, error)
      || !pack_windows (node, p, push.kernel_stride, push.begin_dilation,
          error))
    return FALSE;
  fv_pool_place (p, fv_pool_by_columns (node), place);
  for (guint a = 0; a < 3; a++) {
    push.in_size[a] = p->in[a];
    push.out_size[a] = p->out[a];
    push.place[a] = place[a];
  }
  push.x_base = x.offset / 4;
  push.y_base = y.offset / 4;
  spatial_strides (&x, p, push.x);
  spatial_strides (&y, p, push.y);
  fv_plan_begin (plan, node, &d, "poolindices");
  fv_plan_bind (plan, &d, &x, FALSE);
  fv_plan_bind (plan, &d, &y, TRUE);
  fv_dispatch_push (&d, &push, sizeof push);
  fv_dispatch_units (plan, &d, p->out[1] * p->out[2] * push.units);
  d.groups[2] = shape->dims[0] * p->out[0];
  return fv_plan_add (plan, &d, error);
}

static gboolean
lower_values (FvPlan *plan, FvNode *node, const FvPool *p, GError **error)
{
  FvPoolPush push = { 0 };
  FvTensor x, y;
  FvDispatch d;
  guint rows = rows_together (p);

  if (!fv_plan_input (plan, node, 0, 1, &x, error)
      || !fv_plan_output (plan, node, 0, 1, &y, error)
      || !fill_push (node, p, &x, &y, &push, error))
    return FALSE;
  fv_plan_begin (plan, node, &d, "pool");
  fv_plan_bind (plan, &d, &x, FALSE);
  fv_plan_bind (plan, &d, &y, TRUE);
  if (!fv_plan_bind_steps (plan, node, &d, &y, 1, push.operand, error))
    return FALSE;
  fv_dispatch_spec (&d, 0, p->kind);
  fv_dispatch_spec (&d, 1, rows);
  fv_dispatch_spec (&d, 2, is_dilated (p));
  if (p->kind == FV_POOLS_LP)
    fv_dispatch_spec_float (&d, 3, p->p);
  fv_dispatch_push (&d, &push, sizeof push);
  fv_dispatch_units (plan, &d,
      (p->out[1] + rows - 1) / rows * p->out[2] * push.units);
  d.groups[2] = x.shape.dims[0] * p->out[0];
  d.flops = fv_shape_count (&node->outputs[0]->shape) * p->kernel[0]
      * p->kernel[1] * p->kernel[2];
  return fv_plan_add (plan, &d, error);
}

static gboolean
wants_indices (const FvNode *node)
{
  return node->n_outputs > 1 && node->outputs[1]
      && (node->outputs[1]->is_output || node->outputs[1]->users->len);
}

gboolean
fv_pool_lower (FvPlan *plan, FvNode *node, GError **error)
{
  FvPool p;

  if (!fv_pool_geometry (node, &p, error))
    return FALSE;
  if (!fv_shape_count (&node->inputs[0]->shape))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "an empty tensor on the device");
  if (fv_pool_is_global (&p) ? !lower_global (plan, node, &p, error)
                             : !lower_values (plan, node, &p, error))
    return FALSE;
  return !wants_indices (node) || lower_indices (plan, node, &p, error);
}

/* An index that a MaxPool of these windows cannot have made is left out, where the
 * reference would follow it. */
gboolean
fv_unpool_lower (FvPlan *plan, FvNode *node, GError **error)
{
  const FvShape *shape = &node->inputs[0]->shape;
  FvUnpoolPush push = { .channels = shape->dims[1],
    .units = (shape->dims[1] + 3) / 4 };
  FvTensor x, indices, y;
  gint64 size[3];
  FvDispatch d;
  FvPool p;

  if (!fv_unpool_geometry (node, &p, size, error)
      || !check_indices (node, p.outer * p.in[0] * p.in[1] * p.in[2], error)
      || !fv_plan_input (plan, node, 0, 1, &x, error)
      || !fv_plan_input (plan, node, 1, 1, &indices, error)
      || !fv_plan_output (plan, node, 0, 1, &y, error)
      || !pack_windows (node, &p, push.kernel_stride, push.begin_dilation,
          error))
    return FALSE;
  for (guint a = 0; a < 3; a++) {
    push.in_size[a] = p.out[a];
    push.out_size[a] = size[a];
    push.map_size[a] = p.in[a];
  }
  push.x_base = x.offset / 4;
  push.y_base = y.offset / 4;
  push.indices_base = indices.offset / 4;
  spatial_strides (&x, &p, push.x);
  spatial_strides (&y, &p, push.y);
  spatial_strides (&indices, &p, push.indices);
  fv_plan_begin (plan, node, &d, "unpool");
  fv_plan_bind (plan, &d, &x, FALSE);
  fv_plan_bind (plan, &d, &indices, FALSE);
  fv_plan_bind (plan, &d, &y, TRUE);
  fv_dispatch_push (&d, &push, sizeof push);
  fv_dispatch_units (plan, &d, size[1] * size[2] * push.units);
  d.groups[2] = shape->dims[0] * size[0];
  return fv_plan_add (plan, &d, error);
}
