/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Normalizations on the device. */
#include <math.h>
#include "gst/ops/norm.h"
#include "gst/ops/rows.h"

/* Scale or bias of a row as a vector of its width. A constant may have one
 * element for all. */
static gboolean
row_vector (FvPlan *plan, FvNode *node, guint i, gint64 width, FvTensor *tensor,
    GError **error)
{
  FvArray *constant = fv_node_constant (node, i);
  const FvShape *shape = &node->inputs[i]->shape;
  FvShape flat = { 1, { width } };
  FvTensor any;

  if (constant) {
    g_autofree float *values = g_try_new (float, width);

    if (!values)
      return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
          "no memory for its constants");
    for (gint64 k = 0; k < width; k++)
      values[k] = fv_array_get_float (constant, constant->count == 1 ? 0 : k);
    return fv_plan_weights (plan, node, values, width, FV_TYPE_NONE, tensor,
        error);
  }
  if (fv_shape_count (shape) != width)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "one scale for all that is no constant");
  if (!fv_plan_input (plan, node, i, FV_ANY_AXIS, &any, error))
    return FALSE;
  if (fv_tensor_reshape (&any, &flat, tensor) && fv_tensor_is_vec4 (tensor, 0))
    return TRUE;
  return fv_dense_temporary (plan, node, &flat, 0, any.type, tensor, error)
      && fv_plan_copy (plan, node, &any, tensor, error);
}

/* @table: (nullable): which rows of x, of rows->x's width, make up each row */
static gboolean
dispatch_rows (FvPlan *plan, FvNode *node, FvRows *rows, guint kind,
    float epsilon, const FvTensor *table, GError **error)
{
  gboolean affine[2] = { fv_node_input (node, 1) && node->n_own_inputs > 1,
    fv_node_input (node, 2) && node->n_own_inputs > 2 };
  FvTensor vectors[2] = { rows->x, rows->x };
  gint64 unit = rows->width;
  FvRowPush push = { 0 };
  FvDispatch d;

  for (guint i = 0; i < 2; i++)
    if (affine[i]
        && !row_vector (plan, node, i + 1, rows->width, &vectors[i], error))
      return FALSE;
  fv_plan_begin (plan, node, &d, "norm");
  fv_plan_bind (plan, &d, &rows->x, FALSE);
  fv_plan_bind (plan, &d, &vectors[0], FALSE);
  fv_plan_bind (plan, &d, &vectors[1], FALSE);
  fv_plan_bind (plan, &d, &rows->y, TRUE);
  if (!fv_rows_bind_steps (plan, node, rows, &d, push.operand, error))
    return FALSE;
  if (table)
    fv_plan_bind (plan, &d, table, FALSE);
  else
    d.bindings[d.n_bindings++] = d.bindings[0]; /* never read */
  if (table)
    unit = rows->x.shape.dims[rows->x.shape.rank - 1];
  push.rows = rows->rows;
  push.width = rows->width;
  push.x_base = rows->x.offset / 4;
  push.x_row = rows->x_row / 4;
  push.y_base = rows->y.offset / 4;
  push.y_row = rows->y_row / 4;
  push.scale_base = vectors[0].offset / 4;
  push.bias_base = vectors[1].offset / 4;
  push.unit = unit / 4;
  push.epsilon = epsilon;
  fv_dispatch_spec (&d, 0, kind);
  fv_dispatch_spec (&d, 2, affine[0] | affine[1] << 1);
  fv_dispatch_spec (&d, 4, table ? rows->width / unit : 0);
  fv_rows_grid (plan, rows, &d);
  fv_dispatch_push (&d, &push, sizeof push);
  d.flops = rows->rows * rows->width * 8;
  return fv_plan_add (plan, &d, error) && fv_rows_end (plan, node, rows, error);
}

static gboolean
lower_rows (FvPlan *plan, FvNode *node, guint axis, gboolean flatten,
    guint kind, GError **error)
{
  float epsilon = flatten ? fv_node_float (node, "epsilon") : 0;
  FvRows rows;

  return fv_rows_begin (plan, node, axis, flatten, &rows, error)
      && dispatch_rows (plan, node, &rows, kind, epsilon, NULL, error);
}

gboolean
fv_norm_lower_gathered (FvPlan *plan, FvNode *node, const FvTensor *table,
    GError **error)
{
  FvRows rows = { .inner = (int) node->outputs[0]->shape.rank - 1 };
  gint64 n;

  if (!fv_plan_input_rows (plan, node, 0, (int) node->inputs[0]->shape.rank - 1,
          &rows.x, &rows.x_row, error)
      || !fv_plan_output (plan, node, 0, rows.inner, &rows.output, error))
    return FALSE;
  rows.y = rows.output;
  rows.width = rows.output.shape.dims[rows.inner];
  if (!fv_tensor_rows (&rows.y, rows.inner, &n, &rows.y_row)) {
    rows.copy_back = TRUE;
    if (!fv_dense_temporary (plan, node, &rows.output.shape, rows.inner,
            rows.output.type, &rows.y, error)
        || !fv_tensor_rows (&rows.y, rows.inner, &n, &rows.y_row))
      return FALSE;
  }
  rows.rows = n;
  return dispatch_rows (plan, node, &rows, FV_ROW_LAYER,
      fv_node_float (node, "epsilon"), table, error);
}

gboolean
fv_norm_lower_layer (FvPlan *plan, FvNode *node, GError **error)
{
  guint axis;

  for (guint i = 1; i < node->n_outputs; i++)
    if (node->outputs[i]
        && (node->outputs[i]->is_output || node->outputs[i]->users->len))
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "its output '%s' (Mean or InvStdDev) is not made on the device",
          node->outputs[i]->name);
  fv_norm_span (node, &axis);
  return lower_rows (plan, node, axis, TRUE,
      node->op->variant == FV_NORM_RMS ? FV_ROW_RMS : FV_ROW_LAYER, error);
}

gboolean
fv_norm_lower_lp (FvPlan *plan, FvNode *node, GError **error)
{
  guint axis;

  fv_norm_span (node, &axis);
  return lower_rows (plan, node, axis, FALSE,
      fv_node_int (node, "p") == 1 ? FV_ROW_L1 : FV_ROW_L2, error);
}

/* A tensor as maps of rows of channels: axis 0, axes 2 and up, axis 1. */
typedef struct
{
  gint64 maps, rows, channels, units;
  FvTensor x, y;
  gint64 x_map, x_row, y_map, y_row;
  FvTensor output; /* the node's, y is a temporary with copy_back */
  gboolean copy_back;
} Maps;

static gboolean
maps_begin (FvPlan *plan, FvNode *node, Maps *m, GError **error)
{
  const FvShape *s = &node->inputs[0]->shape;

  *m = (Maps){ .rows = 1 };
  if (s->rank < 2 || !fv_shape_count (s))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "a vector or empty tensor on the device");
  m->maps = s->dims[0];
  m->channels = s->dims[1];
  m->units = (m->channels + 3) / 4;
  for (guint i = 2; i < s->rank; i++)
    m->rows *= s->dims[i];
  if (!fv_plan_input_maps (plan, node, &m->x, &m->x_map, &m->x_row, error)
      || !fv_plan_output (plan, node, 0, 1, &m->output, error))
    return FALSE;
  m->y = m->output;
  if (fv_tensor_maps (&m->y, &m->y_map, &m->y_row))
    return TRUE;
  m->copy_back = TRUE;
  return fv_dense_temporary (plan, node, &m->output.shape, 1, m->output.type,
             &m->y, error)
      && fv_tensor_maps (&m->y, &m->y_map, &m->y_row);
}

/* (x - mean) factor + bias by a table of three rows a map. */
static gboolean
apply (FvPlan *plan, FvNode *node, const Maps *m, const FvTensor *table,
    gint64 table_map, GError **error)
{
  const guint local = 64;
  guint pixels = 8;
  FvApplyPush push = { .rows = m->rows,
    .units = m->units,
    .channels = m->channels,
    .x_base = m->x.offset / 4,
    .x_map = m->x_map / 4,
    .x_row = m->x_row / 4,
    .y_base = m->y.offset / 4,
    .y_map = m->y_map / 4,
    .y_row = m->y_row / 4,
    .table_map = table_map };
  gint64 most = fv_plan_device_info (plan)->max_groups[0];
  FvDispatch d;

  while (m->rows / pixels * m->units / local >= most)
    pixels *= 2;
  fv_plan_begin (plan, node, &d, "normapply");
  fv_plan_bind (plan, &d, &m->x, FALSE);
  fv_plan_bind (plan, &d, table, FALSE);
  fv_plan_bind (plan, &d, &m->y, TRUE);
  if (!fv_plan_bind_steps (plan, node, &d, &m->output, 1, push.operand, error))
    return FALSE;
  fv_dispatch_spec (&d, FV_SPEC_LOCAL, local);
  fv_dispatch_spec (&d, 0, pixels);
  fv_dispatch_push (&d, &push, sizeof push);
  d.groups[0] =
      ((m->rows + pixels - 1) / pixels * m->units + local - 1) / local;
  d.groups[1] = m->maps;
  d.flops = m->maps * m->rows * m->channels * 3;
  return fv_plan_add (plan, &d, error)
      && (!m->copy_back || fv_plan_copy (plan, node, &m->y, &m->output, error));
}

gboolean
fv_norm_lower_batch (FvPlan *plan, FvNode *node, GError **error)
{
  g_autofree float *values = NULL;
  double epsilon = fv_node_float (node, "epsilon");
  FvArray *parts[5] = { NULL };
  FvTensor table;
  gint64 padded;
  Maps m;

  for (guint i = 1; i < 5; i++) {
    parts[i] = fv_node_constant (node, i);
    if (!parts[i])
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "input %u must be constant", i);
  }
  if (!maps_begin (plan, node, &m, error))
    return FALSE;
  padded = 4 * m.units;
  values = g_try_new0 (float, 3 * padded);
  if (!values)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
        "no memory for its constants");
  for (gint64 c = 0; c < m.channels; c++) {
    double variance = fv_array_get_float (parts[4], c);

    values[c] = fv_array_get_float (parts[3], c);
    values[padded + c] =
        fv_array_get_float (parts[1], c) / sqrt (variance + epsilon);
    values[2 * padded + c] = fv_array_get_float (parts[2], c);
  }
  return fv_plan_weights (plan, node, values, 3 * padded, FV_TYPE_F32, &table,
             error)
      && apply (plan, node, &m, &table, 0, error);
}

/* Mean and squares of every channel. */
static gboolean
channel_moments (FvPlan *plan, FvNode *node, const Maps *m, FvTensor *moments,
    GError **error)
{
  guint local = fv_local_size (plan, 128);
  guint columns = fv_plan_tier (plan) == FV_TIER_SUBGROUP ? 1 : 4;
  FvStatsPush push = { .rows = m->rows,
    .units = m->units,
    .channels = m->channels,
    .x_base = m->x.offset / 4,
    .x_map = m->x_map / 4,
    .x_row = m->x_row / 4,
    .y_map = 2 * m->units };
  FvNode bare = *node;
  FvDispatch d;

  bare.n_steps = 0; /* they follow the last of the three kernels */
  fv_plan_begin (plan, node, &d, "channelstats");
  fv_plan_bind (plan, &d, &m->x, FALSE);
  fv_plan_bind (plan, &d, moments, TRUE);
  if (!fv_plan_bind_steps (plan, &bare, &d, &m->output, 1, push.operand, error))
    return FALSE;
  fv_dispatch_spec (&d, FV_SPEC_LOCAL, local);
  fv_dispatch_spec (&d, 0, FV_STATS_MOMENTS);
  fv_dispatch_spec (&d, 1, columns);
  fv_dispatch_push (&d, &push, sizeof push);
  d.groups[0] = (m->units + columns - 1) / columns;
  d.groups[1] = m->maps;
  d.flops = m->maps * m->rows * m->channels * 4;
  return fv_plan_add (plan, &d, error);
}

static gboolean
group_table (FvPlan *plan, FvNode *node, const Maps *m, const FvTensor *moments,
    const FvTensor *table, GError **error)
{
  const guint local = 64;
  FvGroupPush push = { .units = m->units,
    .channels = m->channels,
    .group = m->channels / fv_norm_groups (node),
    .maps = m->maps,
    .count = m->rows,
    .epsilon = fv_node_float (node, "epsilon") };
  FvTensor scale, bias;
  FvDispatch d;

  if (!fv_plan_input (plan, node, 1, 0, &scale, error)
      || !fv_plan_input (plan, node, 2, 0, &bias, error))
    return FALSE;
  push.scale_base = scale.offset / 4;
  push.bias_base = bias.offset / 4;
  fv_plan_begin (plan, node, &d, "normgroup");
  fv_plan_bind (plan, &d, moments, FALSE);
  fv_plan_bind (plan, &d, &scale, FALSE);
  fv_plan_bind (plan, &d, &bias, FALSE);
  fv_plan_bind (plan, &d, table, TRUE);
  fv_dispatch_spec (&d, FV_SPEC_LOCAL, local);
  fv_dispatch_spec (&d, 0, node->op->variant == FV_NORM_GROUP_18);
  fv_dispatch_push (&d, &push, sizeof push);
  d.groups[0] = (m->maps * m->units + local - 1) / local;
  return fv_plan_add (plan, &d, error);
}

gboolean
fv_norm_lower_group (FvPlan *plan, FvNode *node, GError **error)
{
  FvTensor moments, table;
  Maps m;

  if (!maps_begin (plan, node, &m, error)
      || !fv_plan_temporary (plan, node, m.maps * m.units * 8, FV_TYPE_F32,
          &moments, error)
      || !fv_plan_temporary (plan, node, m.maps * m.units * 12, FV_TYPE_F32,
          &table, error))
    return FALSE;
  return channel_moments (plan, node, &m, &moments, error)
      && group_table (plan, node, &m, &moments, &table, error)
      && apply (plan, node, &m, &table, 3 * m.units, error);
}
