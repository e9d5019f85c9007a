/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Normalizations on the device. */
#include <math.h>
#include "gst/ops/common.h"
#include "gst/ops/loops.h"
#include "gst/ops/norm.h"
#include "gst/ops/rows.h"

/* Scale or bias of the rows of a norm. */
typedef struct
{
  FvTensor tensor;
  gint64 row; /* elements between rows; 0: one vector for all */
  gboolean there;
} Affine;

/* TRUE when input @i is the same for all rows: only the last @inner axes count. */
static gboolean
is_common (const FvNode *node, guint i, guint inner)
{
  const FvShape *shape = &node->inputs[i]->shape;

  if (fv_shape_count (shape) == 1)
    return TRUE;
  for (guint k = 0; k + inner < shape->rank; k++)
    if (shape->dims[k] != 1)
      return FALSE;
  return TRUE;
}

/* @tensor with the axes of @shape, to which it broadcasts; of a higher rank it has
 * one element. */
static FvTensor
broadcast_view (const FvTensor *tensor, const FvShape *shape)
{
  FvTensor view = *tensor;

  view.shape = *shape;
  memset (view.strides, 0, sizeof view.strides);
  if (fv_shape_count (&tensor->shape) > 1)
    fv_loops_strides (tensor, shape, view.strides);
  return view;
}

/* A constant that is the same for all rows, as a vector of their width. */
static gboolean
constant_vector (FvPlan *plan, FvNode *node, guint i, const FvShape *inner,
    FvTensor *tensor, GError **error)
{
  FvArray *constant = fv_node_constant (node, i);
  gint64 width = fv_shape_count (inner);
  g_autofree float *values = g_try_new (float, width);
  FvShape flat = constant->shape;
  FvWalk walk;

  if (!values)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
        "no memory for its constants");
  while (flat.rank > inner->rank) { /* leading axes of one */
    flat.rank--;
    memmove (flat.dims, flat.dims + 1, flat.rank * sizeof flat.dims[0]);
  }
  if (constant->count == 1)
    flat.rank = 0;
  fv_walk_begin (&walk, inner);
  fv_walk_add (&walk, &flat);
  for (gint64 k = 0; k < width; k++, fv_walk_next (&walk))
    values[k] = fv_array_get_float (constant, walk.at[0]);
  return fv_plan_weights (plan, node, values, width, FV_TYPE_NONE, tensor,
      error);
}

/* Scale and bias of rows along the axes of @x from @axis on. */
static gboolean
get_affine (FvPlan *plan, FvNode *node, guint i, const FvShape *x, guint axis,
    const FvRows *rows, Affine *affine, GError **error)
{
  gboolean common = is_common (node, i, x->rank - axis);
  FvShape flat = { 2, { common ? 1 : rows->rows, rows->width } }, over = *x;
  FvTensor any, view;

  if (common) {
    over.rank = x->rank - axis;
    memmove (over.dims, over.dims + axis, over.rank * sizeof over.dims[0]);
  }
  affine->there = TRUE;
  if (common && fv_node_constant (node, i))
    return constant_vector (plan, node, i, &over, &affine->tensor, error);
  if (!fv_plan_input (plan, node, i, FV_ANY_AXIS, &any, error))
    return FALSE;
  if (common)
    while (any.shape.rank > over.rank) {
      any.shape.rank--;
      memmove (any.shape.dims, any.shape.dims + 1,
          any.shape.rank * sizeof any.shape.dims[0]);
      memmove (any.strides, any.strides + 1,
          any.shape.rank * sizeof any.strides[0]);
    }
  view = broadcast_view (&any, &over);
  if (!fv_tensor_reshape (&view, &flat, &affine->tensor)
      || !fv_tensor_is_vec4 (&affine->tensor, 1)) {
    if (!fv_dense_temporary (plan, node, &flat, 1, any.type, &affine->tensor,
            error)
        || !fv_plan_copy (plan, node, &view, &affine->tensor, error))
      return FALSE;
  }
  if (!common && rows->rows > 1)
    affine->row = affine->tensor.strides[0];
  return TRUE;
}

/* The node's scale and bias, where it has them. */
static gboolean
get_affines (FvPlan *plan, FvNode *node, const FvShape *x, guint axis,
    const FvRows *rows, Affine affine[2], GError **error)
{
  for (guint i = 0; i < 2; i++)
    if (node->n_own_inputs > i + 1 && fv_node_input (node, i + 1)
        && !get_affine (plan, node, i + 1, x, axis, rows, &affine[i], error))
      return FALSE;
  return TRUE;
}

/* One dispatch of norm.comp: @rows->x into @rows->y. */
typedef struct
{
  guint kind; /* FV_ROW_* */
  float epsilon;
  Affine affine[2];
  const FvTensor *table; /* (nullable) which rows of x, of rows->x's width, make
                            up each row */
} RowNorm;

static gboolean
dispatch_rows (FvPlan *plan, FvNode *node, const FvRows *rows,
    const RowNorm *norm, GError **error)
{
  const Affine *affine = norm->affine;
  gint64 unit =
      norm->table ? rows->x.shape.dims[rows->x.shape.rank - 1] : rows->width;
  FvRowPush push = { .rows = rows->rows,
    .width = rows->width,
    .x_base = rows->x.offset / 4,
    .x_row = rows->x_row / 4,
    .y_base = rows->y.offset / 4,
    .y_row = rows->y_row / 4,
    .unit = unit / 4,
    .epsilon = norm->epsilon };
  guint lanes;
  FvDispatch d;

  fv_plan_begin (plan, node, &d, "norm");
  fv_plan_bind (plan, &d, &rows->x, FALSE);
  for (guint i = 0; i < 2; i++)
    fv_plan_bind (plan, &d, affine[i].there ? &affine[i].tensor : &rows->x,
        FALSE);
  fv_plan_bind (plan, &d, &rows->y, TRUE);
  if (!fv_rows_bind_steps (plan, node, rows, &d, push.operand, error))
    return FALSE;
  if (norm->table)
    fv_plan_bind (plan, &d, norm->table, FALSE);
  else
    d.bindings[d.n_bindings++] = d.bindings[0]; /* never read */
  if (affine[0].there) {
    push.scale_base = affine[0].tensor.offset / 4;
    push.scale_row = affine[0].row / 4;
  }
  if (affine[1].there) {
    push.bias_base = affine[1].tensor.offset / 4;
    push.bias_row = affine[1].row / 4;
  }
  fv_dispatch_spec (&d, 0, norm->kind);
  fv_dispatch_spec (&d, 2,
      affine[0].there | affine[1].there << 1 | (affine[0].row != 0) << 2
          | (affine[1].row != 0) << 3);
  fv_dispatch_spec (&d, 4, norm->table ? rows->width / unit : 0);
  lanes = fv_rows_grid (plan, rows, &d);
  fv_dispatch_spec (&d, 5,
      (rows->width + 3) / 4 <= lanes * MIN (fv_local_size (plan, 8), 8));
  fv_dispatch_push (&d, &push, sizeof push);
  d.flops = rows->rows * rows->width * 8;
  return fv_plan_add (plan, &d, error);
}

static gboolean
lower_rows (FvPlan *plan, FvNode *node, guint axis, gboolean flatten,
    guint kind, FvRows *rows, GError **error)
{
  RowNorm norm = { .kind = kind,
    .epsilon = flatten ? fv_node_float (node, "epsilon") : 0 };

  return fv_rows_begin (plan, node, axis, flatten, rows, error)
      && get_affines (plan, node, &node->inputs[0]->shape, axis, rows,
          norm.affine, error)
      && dispatch_rows (plan, node, rows, &norm, error)
      && fv_rows_end (plan, node, rows, error);
}

gboolean
fv_norm_lower_gathered (FvPlan *plan, FvNode *node, const FvTensor *table,
    GError **error)
{
  const FvShape *shape = &node->outputs[0]->shape;
  RowNorm norm = { .kind = FV_ROW_LAYER,
    .epsilon = fv_node_float (node, "epsilon"),
    .table = table };
  FvRows rows = { .inner = (int) shape->rank - 1 };
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
  return get_affines (plan, node, shape, rows.inner, &rows, norm.affine, error)
      && dispatch_rows (plan, node, &rows, &norm, error)
      && fv_rows_end (plan, node, &rows, error);
}

/* Mean or InvStdDev: output @i, one element a row. */
static gboolean
lower_moment (FvPlan *plan, FvNode *node, const FvRows *rows, guint i,
    GError **error)
{
  const RowNorm norm = { .kind = i == 1 ? FV_ROW_MEAN : FV_ROW_INVERSE,
    .epsilon = fv_node_float (node, "epsilon") };
  FvRows moments = *rows;
  FvNode bare = *node;
  int inner = (int) node->outputs[i]->shape.rank - 1;
  FvTensor output;
  gint64 n;

  if (!fv_plan_output (plan, node, i, inner, &output, error))
    return FALSE;
  moments.y = output;
  bare.n_steps = 0; /* they are those of output 0 */
  if (!fv_tensor_rows (&output, inner, &n, &moments.y_row)
      && (!fv_dense_temporary (plan, node, &output.shape, inner, output.type,
              &moments.y, error)
          || !fv_tensor_rows (&moments.y, inner, &n, &moments.y_row)))
    return FALSE;
  return dispatch_rows (plan, &bare, &moments, &norm, error)
      && (moments.y.storage == output.storage
          || fv_plan_copy (plan, node, &moments.y, &output, error));
}

gboolean
fv_norm_lower_layer (FvPlan *plan, FvNode *node, GError **error)
{
  FvRows rows;
  guint axis;

  fv_norm_span (node, &axis);
  if (!lower_rows (plan, node, axis, TRUE,
          node->op->variant == FV_NORM_RMS ? FV_ROW_RMS : FV_ROW_LAYER, &rows,
          error))
    return FALSE;
  for (guint i = 1; i < node->n_outputs; i++)
    if (node->outputs[i]
        && (node->outputs[i]->is_output || node->outputs[i]->users->len)
        && !lower_moment (plan, node, &rows, i, error))
      return FALSE;
  return TRUE;
}

gboolean
fv_norm_lower_lp (FvPlan *plan, FvNode *node, GError **error)
{
  FvRows rows;
  guint axis;

  fv_norm_span (node, &axis);
  return lower_rows (plan, node, axis, FALSE,
      fv_node_int (node, "p") == 1 ? FV_ROW_L1 : FV_ROW_L2, &rows, error);
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

typedef struct
{
  gint64 group; /* channels of one */
  gint64 maps, count; /* maps that differ, pixels of each */
} GroupSizes;

static gboolean
group_table (FvPlan *plan, FvNode *node, const Maps *m, const FvTensor *moments,
    GroupSizes sizes, const FvTensor *table, GError **error)
{
  const guint local = 64;
  FvGroupPush push = { .units = m->units,
    .channels = m->channels,
    .group = sizes.group,
    .maps = sizes.maps,
    .count = sizes.count,
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
  d.groups[0] = (sizes.maps * m->units + local - 1) / local;
  return fv_plan_add (plan, &d, error);
}

static gboolean
constant_table (FvPlan *plan, FvNode *node, const Maps *m, FvTensor *table,
    GError **error)
{
  g_autofree float *values = NULL;
  double epsilon = fv_node_float (node, "epsilon");
  FvArray *parts[5] = { NULL };
  gint64 padded = 4 * m->units;

  for (guint i = 1; i < 5; i++)
    parts[i] = fv_node_constant (node, i);
  values = g_try_new0 (float, 3 * padded);
  if (!values)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
        "no memory for its constants");
  for (gint64 c = 0; c < m->channels; c++) {
    double variance = fv_array_get_float (parts[4], c);

    values[c] = fv_array_get_float (parts[3], c);
    values[padded + c] =
        fv_array_get_float (parts[1], c) / sqrt (variance + epsilon);
    values[2 * padded + c] = fv_array_get_float (parts[2], c);
  }
  return fv_plan_weights (plan, node, values, 3 * padded, FV_TYPE_F32, table,
      error);
}

/* Means and variances made at run time, as moments of maps of one pixel. */
static gboolean
given_moments (FvPlan *plan, FvNode *node, const Maps *m, FvTensor *moments,
    GError **error)
{
  if (!fv_plan_temporary (plan, node, m->units * 8, FV_TYPE_F32, moments,
          error))
    return FALSE;
  for (guint i = 0; i < 2; i++) {
    FvTensor vector, part = *moments;

    part.shape = (FvShape){ 1, { m->channels } };
    part.strides[0] = 1;
    part.offset += i * 4 * m->units;
    if (!fv_plan_input (plan, node, 3 + i, 0, &vector, error)
        || !fv_plan_copy (plan, node, &vector, &part, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
fv_norm_lower_batch (FvPlan *plan, FvNode *node, GError **error)
{
  const GroupSizes sizes = { .group = 1, .maps = 1, .count = 1 };
  gboolean constant = TRUE;
  FvTensor moments, table;
  Maps m;

  if (!maps_begin (plan, node, &m, error))
    return FALSE;
  for (guint i = 1; i < 5; i++)
    constant &= fv_node_constant (node, i) != NULL;
  if (constant)
    return constant_table (plan, node, &m, &table, error)
        && apply (plan, node, &m, &table, 0, error);
  return given_moments (plan, node, &m, &moments, error)
      && fv_plan_temporary (plan, node, m.units * 12, FV_TYPE_F32, &table,
          error)
      && group_table (plan, node, &m, &moments, sizes, &table, error)
      && apply (plan, node, &m, &table, 0, error);
}

/* Vec4 that one workgroup of normmap.comp reads at most, on a GPU: larger groups are
 * faster by three kernels of many workgroups. On CPUs few workgroups do. */
#define MOST_AT_ONCE 65536

static gboolean
fits_at_once (FvPlan *plan, const Maps *m, gint64 group)
{
  gint64 units = (group + 3) / 4, size = m->rows * units;

  if (group > 2 && group % 4)
    return FALSE;
  return fv_plan_tier (plan) == FV_TIER_SUBGROUP
      ? m->maps * (m->units / units) >= 4 || size <= MOST_AT_ONCE / 16
      : size <= MOST_AT_ONCE;
}

static gboolean
at_once (FvPlan *plan, FvNode *node, const Maps *m, gint64 group,
    GError **error)
{
  gint64 units = (group + 3) / 4;
  FvMapNormPush push = { .rows = m->rows,
    .units = units,
    .channels = m->channels,
    .x_base = m->x.offset / 4,
    .x_map = m->x_map / 4,
    .x_row = m->x_row / 4,
    .y_base = m->y.offset / 4,
    .y_map = m->y_map / 4,
    .y_row = m->y_row / 4,
    .epsilon = fv_node_float (node, "epsilon") };
  FvTensor affine[2];
  FvDispatch d;

  for (guint i = 0; i < 2; i++)
    if (!fv_plan_input (plan, node, i + 1, 0, &affine[i], error))
      return FALSE;
  push.scale_base = affine[0].offset / 4;
  push.bias_base = affine[1].offset / 4;
  fv_plan_begin (plan, node, &d, "normmap");
  fv_plan_bind (plan, &d, &m->x, FALSE);
  for (guint i = 0; i < 2; i++)
    fv_plan_bind (plan, &d, &affine[i], FALSE);
  fv_plan_bind (plan, &d, &m->y, TRUE);
  if (!fv_plan_bind_steps (plan, node, &d, &m->output, 1, push.operand, error))
    return FALSE;
  fv_dispatch_spec (&d, FV_SPEC_LOCAL, fv_local_size (plan, 128));
  fv_dispatch_spec (&d, 0, MIN (group, 4));
  fv_dispatch_spec (&d, 1, group > 1 && node->op->variant == FV_NORM_GROUP_18);
  fv_dispatch_push (&d, &push, sizeof push);
  d.groups[0] = m->units / units;
  d.groups[1] = m->maps;
  d.flops = m->maps * m->rows * m->channels * 7;
  return fv_plan_add (plan, &d, error)
      && (!m->copy_back || fv_plan_copy (plan, node, &m->y, &m->output, error));
}

gboolean
fv_norm_lower_group (FvPlan *plan, FvNode *node, GError **error)
{
  GroupSizes sizes;
  FvTensor moments, table;
  gint64 group;
  Maps m;

  if (!maps_begin (plan, node, &m, error))
    return FALSE;
  group = m.channels / fv_norm_groups (node);
  if (fits_at_once (plan, &m, group))
    return at_once (plan, node, &m, group, error);
  if (!fv_plan_temporary (plan, node, m.maps * m.units * 8, FV_TYPE_F32,
          &moments, error)
      || !fv_plan_temporary (plan, node, m.maps * m.units * 12, FV_TYPE_F32,
          &table, error))
    return FALSE;
  sizes = (GroupSizes){ group, m.maps, m.rows };
  return channel_moments (plan, node, &m, &moments, error)
      && group_table (plan, node, &m, &moments, sizes, &table, error)
      && apply (plan, node, &m, &table, 3 * m.units, error);
}
