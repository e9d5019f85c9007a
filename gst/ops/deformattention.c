/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Our own DeformableAttention, which the passes make of samples of several maps that
 * are weighed and summed ("Deformable DETR", Zhu et al., 2020):
 *
 *   y[n, q, h, c] = sum over levels l and points p of
 *       w[n, h, q, l P + p] map_l[n, h, c] at (grid_l[n, h, q, p])
 *
 * Inputs: the maps [n, heads, channels, rows, columns], as many grids [n, heads,
 * queries, points, 2], and the weights. Coordinates are GridSample's, bilinear, with
 * zeroes around and align_corners=0. With softmax, w is that of the weights' rows. */
#include <math.h>
#include <string.h>

#include "gst/ops/common.h"
#include "gst/ops/loops.h"

#define FAR 1048576.0f /* neither infinities nor NaN become indices */

typedef struct
{
  guint levels;
  gint64 batch, heads, channels, queries, points;
} Sizes;

static Sizes
read_sizes (const FvNode *node)
{
  guint levels = node->n_own_inputs / 2;
  const gint64 *map = node->inputs[0]->shape.dims;
  const gint64 *grid = node->inputs[levels]->shape.dims;

  return (Sizes){ levels, map[0], map[1], map[2], grid[2], grid[3] };
}

static gboolean
check_level (const FvNode *node, const Sizes *s, guint level, GError **error)
{
  const FvShape *map = &node->inputs[level]->shape;
  const FvShape *grid = &node->inputs[s->levels + level]->shape;
  const FvShape want = { 5, { s->batch, s->heads, s->queries, s->points, 2 } };

  if (map->dims[0] != s->batch || map->dims[1] != s->heads
      || map->dims[2] != s->channels || !fv_shape_equal (grid, &want))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the shapes of level %u do not fit those of the first", level);
  if (fv_shape_count (map) < 1 || map->dims[3] > FV_DEFORM_SIDE
      || map->dims[4] > FV_DEFORM_SIDE)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "expected maps of 1 to %d rows and columns", FV_DEFORM_SIDE);
  return TRUE;
}

static gboolean
infer_attention (FvNode *node, GError **error)
{
  guint n = node->n_own_inputs;
  FvShape shape = { 4 };
  Sizes s;

  if (!fv_node_need_inputs (node, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (n % 2 == 0 || !fv_type_is_float (node->inputs[i]->type)
        || node->inputs[i]->shape.rank != (i + 1 < n ? 5 : 4))
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "expected maps and as many grids of rank 5, and weights of rank 4");
  s = read_sizes (node);
  if (s.queries < 1 || s.points < 1 || s.points > FV_DEFORM_POINTS)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "expected 1 to %d points", FV_DEFORM_POINTS);
  for (guint i = 0; i < s.levels; i++)
    if (!check_level (node, &s, i, error))
      return FALSE;
  shape = (FvShape){ 4, { s.batch, s.heads, s.queries, s.levels * s.points } };
  if (!fv_shape_equal (&node->inputs[n - 1]->shape, &shape))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected a weight for each point of each level");
  shape = (FvShape){ 4, { s.batch, s.queries, s.heads, s.channels } };
  fv_set_output (node, 0, node->inputs[0]->type, &shape);
  return fv_node_check_shape (node, &shape, error);
}

/* @map at @point: x and y in -1..1 */
static double
sample (const float *map, const gint64 size[2], const float *point)
{
  double sum = 0;
  float at[2];

  for (guint a = 0; a < 2; a++) {
    at[a] = ((point[1 - a] + 1) * size[a] - 1) / 2;
    at[a] = isnan (at[a]) ? -FAR : CLAMP (at[a], -FAR, FAR);
  }
  for (guint k = 0; k < 4; k++) {
    gint64 row = (gint64) floorf (at[0]) + k / 2;
    gint64 column = (gint64) floorf (at[1]) + k % 2;
    double weight = (1 - fabs ((double) at[0] - row))
        * (1 - fabs ((double) at[1] - column));

    if (row >= 0 && row < size[0] && column >= 0 && column < size[1]
        && weight != 0)
      sum += weight * map[row * size[1] + column];
  }
  return sum;
}

/* What each of the @n points of a query weighs. */
static void
weigh (const FvNode *node, const float *given, gint64 n, double *weights)
{
  double top = -INFINITY, sum = 0;

  for (gint64 i = 0; i < n; i++)
    top = fmax (top, weights[i] = given[i]);
  for (gint64 i = 0; fv_node_int (node, "softmax") && i < n; i++)
    sum += weights[i] = exp (weights[i] - top);
  for (gint64 i = 0; sum && i < n; i++)
    weights[i] /= sum;
}

static gboolean
attention (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  Sizes s = read_sizes (node);
  gint64 n = s.levels * s.points;
  double weights[FV_DEFORM_LEVELS * FV_DEFORM_POINTS];
  float *y = outputs[0]->f32;

  for (gint64 i = 0; i < s.batch * s.queries * s.heads; i++, y += s.channels) {
    gint64 head = i % s.heads, query = i / s.heads % s.queries;
    gint64 map = i / s.heads / s.queries * s.heads + head;
    gint64 row = map * s.queries + query;

    weigh (node, inputs[2 * s.levels]->f32 + row * n, n, weights);
    for (gint64 c = 0; c < s.channels; c++) {
      double sum = 0;

      for (gint64 k = 0; k < n; k++) {
        gint64 level = k / s.points, point = k % s.points;
        const gint64 *size = node->inputs[level]->shape.dims + 3;

        sum += weights[k]
            * sample (inputs[level]->f32
                    + (map * s.channels + c) * size[0] * size[1],
                size,
                inputs[s.levels + level]->f32 + (row * s.points + point) * 2);
      }
      y[c] = sum;
    }
  }
  return TRUE;
}

/* The strides that views of one storage have in common; FALSE where they have none. */
static gboolean
find_strides (const FvTensor *views, guint n, gint64 strides[FV_MAX_RANK])
{
  for (guint a = 0; a < views[0].shape.rank; a++) {
    strides[a] = -1;
    for (guint i = 0; i < n; i++) {
      if (views[i].storage != views[0].storage)
        return FALSE;
      if (views[i].shape.dims[a] < 2)
        continue;
      if (strides[a] >= 0 && strides[a] != views[i].strides[a])
        return FALSE;
      strides[a] = views[i].strides[a];
    }
    strides[a] = MAX (strides[a], 0);
  }
  return TRUE;
}

/* Copies what does not lie so one behind the other into a temporary. @order: axes,
 * outermost first: only the first one's size may differ */
static gboolean
bring_together (FvPlan *plan, FvNode *node, FvTensor *views, guint n,
    const guint *order, gint64 strides[FV_MAX_RANK], GError **error)
{
  guint rank = views[0].shape.rank;
  FvType type = views[0].type;
  gint64 step = 1, total = 0;
  FvTensor room, sources[FV_DEFORM_LEVELS];

  for (guint k = rank; k-- > 0;) {
    strides[order[k]] = step;
    step *= k ? views[0].shape.dims[order[k]] : 1;
    step = k + 1 == rank ? (step + 3) & ~(gint64) 3 : step;
  }
  for (guint i = 0; i < n; i++) {
    total += step * views[i].shape.dims[order[0]];
    type = views[i].type == FV_TYPE_F32 ? FV_TYPE_F32 : type;
    sources[i] = views[i];
  }
  if (!fv_plan_temporary (plan, node, total, type, &room, error))
    return FALSE;
  for (guint i = 0; i < n; i++) {
    views[i] = room;
    views[i].shape = sources[i].shape;
    memcpy (views[i].strides, strides, sizeof views[i].strides);
    room.offset += step * views[i].shape.dims[order[0]];
    if (!fv_plan_copy (plan, node, &sources[i], &views[i], error))
      return FALSE;
  }
  return TRUE;
}

/* The maps as [n, heads, channels, pixels], all in one storage. */
static gboolean
place_maps (FvPlan *plan, FvNode *node, const Sizes *s, FvTensor *maps,
    gint64 strides[FV_MAX_RANK], GError **error)
{
  static const guint order[] = { 3, 0, 1, 2 };

  for (guint i = 0; i < s->levels; i++) {
    const gint64 *dims = node->inputs[i]->shape.dims;
    FvShape pixels = { 4,
      { s->batch, s->heads, s->channels, dims[3] * dims[4] } };
    FvTensor map;

    if (!fv_plan_input (plan, node, i, 2, &map, error))
      return FALSE;
    if (!fv_tensor_reshape (&map, &pixels, &maps[i]))
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "rows of map %u lie apart", i);
  }
  return find_strides (maps, s->levels, strides)
      || bring_together (plan, node, maps, s->levels, order, strides, error);
}

/* Grids that are known, as those of queries that no image changes. */
static gboolean
upload_grids (FvPlan *plan, FvNode *node, const Sizes *s, FvTensor *grids,
    gint64 strides[FV_MAX_RANK], GError **error)
{
  const FvShape *shape = &node->inputs[s->levels]->shape;
  gint64 count = fv_shape_count (shape);
  g_autofree float *values = g_try_new (float, s->levels *count);

  if (!values)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
        "no memory for its grids");
  for (gint64 i = 0; i < s->levels * count; i++)
    values[i] = fv_array_get_float (
        node->inputs[s->levels + i / count]->constant, i % count);
  if (!fv_plan_weights (plan, node, values, s->levels * count, FV_TYPE_F32,
          &grids[0], error))
    return FALSE;
  fv_dense_strides (shape, strides);
  for (guint i = 1; i < s->levels; i++) {
    grids[i] = grids[0];
    grids[i].offset += i * count;
  }
  return TRUE;
}

static gboolean
place_grids (FvPlan *plan, FvNode *node, const Sizes *s, FvTensor *grids,
    gint64 strides[FV_MAX_RANK], GError **error)
{
  static const guint order[] = { 0, 1, 2, 3, 4 };
  guint known = 0;

  for (guint i = 0; i < s->levels; i++)
    known += node->inputs[s->levels + i]->constant != NULL;
  if (known == s->levels)
    return upload_grids (plan, node, s, grids, strides, error);
  for (guint i = 0; i < s->levels; i++)
    if (!fv_plan_input (plan, node, s->levels + i, FV_ANY_AXIS, &grids[i],
            error))
      return FALSE;
  return find_strides (grids, s->levels, strides)
      || bring_together (plan, node, grids, s->levels, order, strides, error);
}

static void
fill_dispatch (FvPlan *plan, const FvNode *node, const Sizes *s, FvDispatch *d,
    const FvDeformAttentionPush *push)
{
  gint64 units = (s->channels + 3) / 4, share = 1;

  /* on CPUs a point is located once for several units */
  if (fv_plan_tier (plan) == FV_TIER_SUBGROUP)
    share = units % 4 == 0 ? 4 : units % 2 == 0 ? 2 : 1;
  fv_dispatch_spec (d, 0, s->levels);
  fv_dispatch_spec (d, 1, s->points);
  fv_dispatch_spec (d, 2, share);
  fv_dispatch_spec (d, 3, fv_node_int (node, "softmax") != 0);
  fv_dispatch_push (d, push, sizeof *push);
  fv_dispatch_units (plan, d, s->queries * s->heads * (units / share));
  d->groups[2] = s->batch;
  d->flops = s->batch * s->queries * s->heads * s->channels * s->levels
      * s->points * 8;
}

static gboolean
lower_attention (FvPlan *plan, FvNode *node, GError **error)
{
  Sizes s = read_sizes (node);
  FvDeformAttentionPush push = { s.channels, s.heads, s.queries };
  FvTensor maps[FV_DEFORM_LEVELS] = { 0 }, grids[FV_DEFORM_LEVELS] = { 0 };
  FvTensor weights, y;
  gint64 x[FV_MAX_RANK], grid[FV_MAX_RANK];
  FvDispatch d;

  if (!place_maps (plan, node, &s, maps, x, error)
      || !place_grids (plan, node, &s, grids, grid, error)
      || !fv_plan_input (plan, node, 2 * s.levels, FV_ANY_AXIS, &weights, error)
      || !fv_plan_output (plan, node, 0, 3, &y, error))
    return FALSE;
  for (guint i = 0; i < s.levels; i++) {
    const gint64 *dims = node->inputs[i]->shape.dims;

    push.size[i] = dims[3] << 16 | dims[4];
    push.x_base[i] = maps[i].offset / 4;
    push.grid_base[i] = grids[i].offset;
  }
  push.x[0] = x[0] / 4;
  push.x[1] = x[1] / 4;
  push.x[2] = x[3] / 4;
  for (guint a = 0; a < 5; a++)
    push.grid[a] = grid[a];
  push.weight_base = weights.offset;
  push.y_base = y.offset / 4;
  for (guint a = 0; a < 4; a++)
    push.weight[a] = weights.shape.dims[a] > 1 ? weights.strides[a] : 0;
  for (guint a = 0; a < 3; a++)
    push.y[a] = y.shape.dims[a] > 1 ? y.strides[a] / 4 : 0;
  fv_plan_begin (plan, node, &d, "deformattention");
  fv_plan_bind (plan, &d, &maps[0], FALSE);
  fv_plan_bind (plan, &d, &grids[0], FALSE);
  fv_plan_bind (plan, &d, &weights, FALSE);
  fv_plan_bind (plan, &d, &y, TRUE);
  fill_dispatch (plan, node, &s, &d, &push);
  return fv_plan_add (plan, &d, error);
}

#define CASE(shapes, attrs) \
  { \
    shapes, attrs, -1.3, 1.3 \
  }

const FvOp fv_ops_deformattention[] = {
  { .name = "fovea.DeformableAttention",
      .since = 1,
      .min_inputs = 3,
      .max_inputs = 2 * FV_DEFORM_LEVELS + 1,
      .attrs = "softmax:i=0",
      .infer = infer_attention,
      .reference = attention,
      .lower = lower_attention,
      .cases = FV_CASES (
          CASE ("f32[1,4,32,7,9] f32[1,4,15,4,2] f32[1,4,15,4]", "softmax=1"),
          CASE ("f32[2,3,5,6,5] f32[2,3,5,3,1] f32[2,3,7,3,2] f32[2,3,7,3,2] "
                "f32[2,3,7,6]",
              NULL),
          CASE ("f32[1,2,8,9,8] f32[1,2,8,5,4] f32[1,2,8,1,1] f32[1,2,11,4,2] "
                "f32[1,2,11,4,2] f32[1,2,11,4,2] f32[1,2,11,12]",
              "softmax=1"),
          CASE ("f32[2,2,16,9,8] f32[2,2,16,5,4] f32[2,2,16,3,2] "
                "f32[2,2,16,2,1] f32[2,2,5,1,2] f32[2,2,5,1,2] f32[2,2,5,1,2] "
                "f32[2,2,5,1,2] f32[2,2,5,4]",
              "softmax=1"),
          CASE ("f32[1,1,6,4,4] f32[1,1,3,8,2] f32[1,1,3,8]", NULL),
          CASE ("f32[1,2,4,5,3] f32[1,2,4,2,2] =f32[1,2,3,2,2] "
                "=f32[1,2,3,2,2] f32[1,2,3,4]",
              "softmax=1"),
          CASE ("f32[1,8,12,4,6] f32[1,8,12,3,2] f32[1,8,1,5,2] "
                "f32[1,8,1,5,2] f32[1,8,1,10]",
              NULL)) },
  {},
};
