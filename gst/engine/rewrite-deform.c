/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Deformable attention as exporters write it: a GridSample per level, their samples
 * beside each other, weighed and summed over all points. It becomes one node. */
#include "gst/engine/ir-private.h"
#include "shaders/shared.h"

#include <string.h>

typedef struct
{
  guint levels;
  FvNode *samples[FV_DEFORM_LEVELS]; /* GridSample */
  FvValue *weights; /* [maps, 1, queries, levels points] */
  FvNode *softmax; /* (nullable) over the last axis, which made them */
  FvNode *last; /* the sum, or the Reshape that joins its heads */
  gint64 heads;
} Deform;

/* Made by an @op for one user, without steps? */
static FvNode *
made_by (const FvValue *value, const char *op)
{
  FvNode *node = value->producer;

  return fv_node_is (node, op) && !node->n_steps && !value->is_output
          && value->users->len == 1
      ? node
      : NULL;
}

/* What @value is but another shape of. */
static const FvValue *
behind_views (const FvValue *value)
{
  FvNode *view;

  while ((view = made_by (value, "Reshape"))
      || (view = made_by (value, "Unsqueeze"))
      || (view = made_by (value, "Squeeze")))
    value = view->inputs[0];
  return value;
}

static gboolean
take_sample (Deform *d, const FvValue *value)
{
  FvNode *node = made_by (value, "GridSample"), *first = d->samples[0];
  const char *mode = node ? fv_node_string (node, "mode") : NULL;

  if (!node || d->levels == FV_DEFORM_LEVELS || value->shape.rank != 4
      || (strcmp (mode, "bilinear") && strcmp (mode, "linear"))
      || strcmp (fv_node_string (node, "padding_mode"), "zeros")
      || fv_node_int (node, "align_corners")
      || node->inputs[0]->shape.dims[2] > FV_DEFORM_SIDE
      || node->inputs[0]->shape.dims[3] > FV_DEFORM_SIDE
      || node->inputs[1]->shape.dims[2] > FV_DEFORM_POINTS
      || (d->levels
          && !fv_shape_equal (&first->outputs[0]->shape, &value->shape)))
    return FALSE;
  d->samples[d->levels++] = node;
  return TRUE;
}

/* Samples of all levels, [maps, channels, queries, levels points]: stacked before the
 * points, or one behind the other. */
static gboolean
take_samples (Deform *d, const FvValue *value)
{
  FvNode *merge = made_by (value, "Reshape"), *concat;
  const FvValue *all = merge ? merge->inputs[0] : value;
  guint rank = all->shape.rank;
  FvShape shape;
  gint64 axis;

  if (!(concat = made_by (all, "Concat")))
    return take_sample (d, behind_views (value))
        && fv_shape_equal (&d->samples[0]->outputs[0]->shape, &value->shape);
  for (guint i = 0; i < concat->n_own_inputs; i++) {
    const FvValue *part = concat->inputs[i];

    if (!take_sample (d, behind_views (part)))
      return FALSE;
    shape = d->samples[0]->outputs[0]->shape;
    if (part->shape.dims[rank - 1] != shape.dims[3])
      return FALSE;
  }
  axis = fv_node_int (concat, "axis");
  axis += axis < 0 ? rank : 0;
  shape.dims[3] *= d->levels;
  return axis == 3 && fv_shape_equal (&value->shape, &shape)
      && (rank == 4 || (rank == 5 && all->shape.dims[3] == d->levels));
}

/* How many of the last axes hold @count elements together; 0: none do. */
static guint
axes_of (const FvShape *shape, gint64 count)
{
  gint64 n = 1;

  for (guint k = 1; k <= shape->rank; k++)
    if ((n *= shape->dims[shape->rank - k]) >= count)
      return n == count ? k : 0;
  return 0;
}

/* The Softmax of rows of @count that lie whole in @value; NULL: there is none. */
static FvNode *
find_softmax (const FvValue *value, gint64 count)
{
  for (guint i = 0; i < FV_MOVES_CHAIN; i++) {
    FvNode *node = made_by (value, "Softmax");
    guint rank = value->shape.rank, n = axes_of (&value->shape, count);
    const gint64 *perm;
    gint64 axis;

    if (node) {
      axis = fv_node_int (node, "axis");
      return node->op->since >= 13 && (axis == -1 || axis + 1 == rank)
              && value->shape.dims[rank - 1] == count
          ? node
          : NULL;
    }
    if (!n)
      return NULL;
    if ((node = made_by (value, "Transpose"))) {
      perm = fv_node_ints (node, "perm", &rank);
      for (guint a = rank - n; a < rank; a++)
        if (perm[a] != a)
          return NULL;
    } else if (!(node = made_by (value, "Reshape")))
      return NULL;
    value = node->inputs[0];
  }
  return NULL;
}

/* Where the heads of an image are joined behind the sum, their number is known; else
 * all are of one image, which is the same. */
static void
find_heads (Deform *d)
{
  const gint64 *maps = d->samples[0]->outputs[0]->shape.dims;
  FvNode *join = fv_only_user (d->last->outputs[0], "Reshape");
  const FvShape *joined = join ? &join->outputs[0]->shape : NULL;

  d->heads = maps[0];
  if (!join || join->n_steps || joined->rank != 3 || joined->dims[2] != maps[2]
      || joined->dims[1] % maps[1])
    return;
  d->heads = joined->dims[1] / maps[1];
  d->last = join;
}

static gboolean
match (FvNode *sum, Deform *d)
{
  const FvShape *all = &sum->inputs[0]->shape;
  FvNode *product = made_by (sum->inputs[0], "Mul");

  if (!product || sum->n_steps || fv_node_int (sum, "keepdims")
      || all->rank != 4 || fv_shape_count (all) < 1
      || fv_reduced_axis (sum) != 3)
    return FALSE;
  for (guint i = 0; i < 2; i++) {
    const FvShape want = { 4, { all->dims[0], 1, all->dims[2], all->dims[3] } };
    FvValue *samples = product->inputs[i];

    memset (d, 0, sizeof *d);
    d->weights = product->inputs[1 - i];
    if (!fv_shape_equal (&samples->shape, all)
        || !fv_shape_equal (&d->weights->shape, &want)
        || !take_samples (d, samples))
      continue;
    d->last = sum;
    d->softmax = find_softmax (d->weights, all->dims[3]);
    find_heads (d);
    return TRUE;
  }
  return FALSE;
}

/* @value with its axis of maps as images and heads. */
static FvValue *
split_heads (FvEmit *emit, const Deform *d, FvValue *value)
{
  FvNode *view =
      fv_node_is (value->producer, "Reshape") && !value->producer->n_steps
      ? value->producer
      : NULL;
  const gint64 *old = value->shape.dims;
  gint64 dims[5] = { old[0] / d->heads, d->heads, old[1], old[2], old[3] };

  return fv_emit_reshape (emit, view ? view->inputs[0] : value, dims, 5);
}

/* [image, query, head, channel] as [image, head, channel, query] */
static const gint64 queries_last[] = { 0, 2, 3, 1 };

static gint
rewrite (FvIr *ir, Deform *d, GError **error)
{
  FvEmit emit = { ir, d->last->name, d->last, NULL, error };
  FvValue *in[2 * FV_DEFORM_LEVELS + 1], *y, *old = d->last->outputs[0];
  const gint64 *weights = d->weights->shape.dims;
  gint64 dims[] = { weights[0] / d->heads, d->heads, weights[2], weights[3] };
  FvNode *node;

  if (d->softmax) {
    if (d->weights == d->softmax->outputs[0])
      d->weights = d->softmax->inputs[0];
    fv_ir_replace_value (ir, d->softmax->outputs[0], d->softmax->inputs[0]);
  }
  for (guint i = 0; i < 2 * d->levels; i++)
    if (!(in[i] = split_heads (&emit, d,
              d->samples[i % d->levels]->inputs[i / d->levels])))
      return -1;
  if (!(in[2 * d->levels] = fv_emit_reshape (&emit, d->weights, dims, 4)))
    return -1;
  node =
      fv_emit_begin (&emit, "fovea.DeformableAttention", in, 2 * d->levels + 1);
  fv_node_set_int (node, "softmax", d->softmax != NULL);
  if (!(y = fv_emit_end (&emit, node))
      || !(y = fv_emit_transpose (&emit, y, queries_last))
      || !(y = fv_emit_reshape (&emit, y, old->shape.dims, old->shape.rank)))
    return -1;
  fv_ir_replace_value (ir, old, y);
  fv_ir_remove_node (ir, d->last);
  return fv_pass_dead (ir, error) < 0 ? -1 : 1;
}

/* The first one in the graph; nodes move, so one at a time. */
static gint
rewrite_first (FvIr *ir, GError **error)
{
  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i];
    Deform d;

    if (fv_node_is (node, "ReduceSum") && match (node, &d))
      return rewrite (ir, &d, error);
  }
  return 0;
}

gint
fv_pass_deform (FvIr *ir, GError **error)
{
  gint changes = 0, done;

  while ((done = rewrite_first (ir, error)) > 0)
    changes++;
  return done < 0 ? done : changes;
}
