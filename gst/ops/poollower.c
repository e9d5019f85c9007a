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
  fv_dispatch_spec (&d, 0, p->average ? FV_STATS_AVERAGE : FV_STATS_MAX);
  fv_dispatch_spec (&d, 1, columns);
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

static gboolean
fill_push (FvNode *node, const FvPool *p, const FvTensor *x, const FvTensor *y,
    FvPoolPush *push, GError **error)
{
  push->channels = x->shape.dims[1];
  push->units = (push->channels + 3) / 4;
  for (guint a = 0; a < 3; a++) {
    if (p->begin[a] > G_MAXINT16)
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "a padding this wide");
    push->in_size[a] = p->in[a];
    push->out_size[a] = p->out[a];
    push->kernel_stride[a] = p->kernel[a] | p->stride[a] << 16;
    push->begin_dilation[a] = p->begin[a] | p->dilation[a] << 16;
    push->padded[a] = p->in[a] + p->end[a];
  }
  push->x_base = x->offset / 4;
  push->y_base = y->offset / 4;
  spatial_strides (x, p, push->x);
  spatial_strides (y, p, push->y);
  return TRUE;
}

gboolean
fv_pool_lower (FvPlan *plan, FvNode *node, GError **error)
{
  FvPoolPush push = { 0 };
  FvTensor x, y;
  FvDispatch d;
  guint rows;
  FvPool p;

  if (!fv_pool_geometry (node, &p, error))
    return FALSE;
  if (node->n_outputs > 1 && node->outputs[1]
      && (node->outputs[1]->is_output || node->outputs[1]->users->len))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "its output Indices is not made on the device");
  if (!fv_shape_count (&node->inputs[0]->shape))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "an empty tensor on the device");
  if (fv_pool_is_global (&p))
    return lower_global (plan, node, &p, error);
  if (!fv_plan_input (plan, node, 0, 1, &x, error)
      || !fv_plan_output (plan, node, 0, 1, &y, error)
      || !fill_push (node, &p, &x, &y, &push, error))
    return FALSE;
  fv_plan_begin (plan, node, &d, "pool");
  fv_plan_bind (plan, &d, &x, FALSE);
  fv_plan_bind (plan, &d, &y, TRUE);
  if (!fv_plan_bind_steps (plan, node, &d, &y, 1, push.operand, error))
    return FALSE;
  rows = rows_together (&p);
  fv_dispatch_spec (&d, 0,
      !p.average          ? FV_POOLS_MAX
          : p.include_pad ? FV_POOLS_AVERAGE_PADDED
                          : FV_POOLS_AVERAGE);
  fv_dispatch_spec (&d, 1, rows);
  fv_dispatch_spec (&d, 2, is_dilated (&p));
  fv_dispatch_push (&d, &push, sizeof push);
  fv_dispatch_units (plan, &d,
      (p.out[1] + rows - 1) / rows * p.out[2] * push.units);
  d.groups[2] = x.shape.dims[0] * p.out[0];
  d.flops = fv_shape_count (&node->outputs[0]->shape) * p.kernel[0]
      * p.kernel[1] * p.kernel[2];
  return fv_plan_add (plan, &d, error);
}
