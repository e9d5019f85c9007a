/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which parts of a value stand where after nodes that only move data. */
#include "gst/engine/ir-private.h"

#include <string.h>

static gboolean
is_among (const FvNode *node, const char *const *names)
{
  for (; *names; names++)
    if (fv_node_is (node, *names))
      return TRUE;
  return FALSE;
}

/* Nodes that change the shape alone, and those that move elements. */
static const char *const flat_ops[] = { "Reshape", "Squeeze", "Unsqueeze",
  "Flatten", "Identity", NULL };
static const char *const moving_ops[][5] = {
  [FV_MOVES_ROWS] = { "Transpose", "Slice", "Concat", "Pad" },
  [FV_MOVES_CHANNELS] = { "Transpose", "Slice", "Split", "Gather" },
};

gboolean
fv_is_move (const FvNode *node, FvMovesKind kind)
{
  return node && !node->n_steps
      && (is_among (node, flat_ops) || is_among (node, moving_ops[kind]));
}

FvMoves
fv_moves_begin (FvValue *source, gint64 unit, FvMovesKind kind)
{
  FvShape shape = { 1, { fv_shape_count (&source->shape) / MAX (unit, 1) } };
  FvArray *labels = fv_array_new (FV_TYPE_F32, &shape, NULL);
  FvMoves moves = { kind, unit,
    g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) fv_array_unref) };

  for (gint64 i = 0; labels && i < labels->count; i++)
    labels->f32[i] = i + 1;
  if (labels)
    g_hash_table_insert (moves.labels, source, labels);
  return moves;
}

void
fv_moves_end (FvMoves *moves)
{
  g_hash_table_unref (moves->labels);
}

static gint64
count_from (const FvShape *shape, guint axis)
{
  gint64 count = 1;

  for (guint i = axis; i < shape->rank; i++)
    count *= shape->dims[i];
  return count;
}

/* Input @i holds no negative number and, with @zero, no other than 0. */
static gboolean
is_not_negative (const FvNode *node, guint i, gboolean zero)
{
  FvArray *array = fv_node_constant (node, i);

  if (!fv_node_input (node, i))
    return TRUE;
  for (gint64 k = 0; array && k < array->count; k++)
    if (fv_array_get_float (array, k) < 0
        || (zero && fv_array_get_float (array, k) != 0))
      return FALSE;
  return array != NULL;
}

/* Pads with zeroes, and by no negative number; the sizes tell where. */
static gboolean
is_plain_pad (const FvNode *node)
{
  guint n = 0;
  const gint64 *pads = node->n_own_inputs < 2 && fv_node_has (node, "pads")
      ? fv_node_ints (node, "pads", &n)
      : NULL;

  for (guint i = 0; i < n; i++)
    if (pads[i] < 0)
      return FALSE;
  return !strcmp (fv_node_string (node, "mode"), "constant")
      && (!fv_node_has (node, "value") || fv_node_float (node, "value") == 0)
      && is_not_negative (node, 1, FALSE) && is_not_negative (node, 2, TRUE);
}

/* The axis of @shape that stands as far from its end as @axis from that of @like. */
static gint
from_the_end (const FvShape *shape, gint axis, const FvShape *like)
{
  return axis + (gint) shape->rank - (gint) like->rank;
}

/* The first axis of the output from which on all is as in the input: by the sizes,
 * and by what the operator does where sizes do not tell. */
static gint
first_same_axis (const FvNode *node)
{
  const FvShape *from = &node->inputs[0]->shape, *to = &node->outputs[0]->shape;
  guint n = 0, least = 0, axis, j = to->rank;

  if (fv_node_is (node, "Transpose")) {
    const gint64 *perm = fv_node_ints (node, "perm", &n);

    while (j > 0 && n == to->rank && perm[j - 1] == (gint64) j - 1)
      j--;
    return j;
  }
  if (fv_node_is (node, "Gather")) {
    if (!fv_node_axis (node, fv_node_int (node, "axis"), from->rank, &axis,
            NULL))
      return to->rank;
    least = axis + node->inputs[1]->shape.rank;
  } else if (fv_node_is (node, "Slice") ? !is_not_negative (node, 4, FALSE)
          : fv_node_is (node, "Pad")    ? !is_plain_pad (node)
                                        : FALSE)
    return to->rank;
  while (j > least
      && from->dims[from_the_end (from, j, to) - 1] == to->dims[j - 1])
    j--;
  return j;
}

/* The first axis from which on @node leaves all as it is, so that whole units of
 * it may stand for their elements; -1: none. */
static gint
first_whole_axis (const FvNode *node, gint64 unit)
{
  const FvShape *to = &node->outputs[0]->shape;
  gint j = first_same_axis (node), all = to->rank;
  guint axis;

  if (unit == 1) /* elements stand for themselves */
    return fv_node_is (node, "Pad") && !is_plain_pad (node) ? -1 : all;
  if (fv_node_is (node, "Concat")) {
    if (!fv_node_axis (node, fv_node_int (node, "axis"), to->rank, &axis, NULL))
      return -1;
    j = count_from (to, axis + 1) % unit ? axis : axis + 1;
  }
  for (guint i = 0; i < node->n_own_inputs; i++)
    if ((i == 0 || fv_node_is (node, "Concat"))
        && (j == (gint) to->rank
            || count_from (&node->inputs[i]->shape,
                   from_the_end (&node->inputs[i]->shape, j, to))
                % unit))
      return -1;
  return count_from (to, j) % unit ? -1 : j;
}

/* @shape with units for elements. */
static FvShape
in_units (const FvShape *shape, guint axis, gint64 unit)
{
  FvShape result = *shape;

  if (axis < shape->rank)
    result.dims[axis] = count_from (shape, axis) / unit;
  for (guint i = axis + 1; i < shape->rank; i++)
    result.dims[i] = 1;
  return result;
}

static FvArray *labels_of (FvMoves *moves, FvValue *value, guint depth);

/* The inputs of @node's reference: labels in shapes of units, and its constants. */
static gboolean
fill_inputs (FvMoves *moves, FvNode *node, gint axis, guint depth, FvArray **in)
{
  guint n = fv_node_is (node, "Concat") ? node->n_own_inputs : 1;

  for (guint i = 0; i < node->n_inputs; i++) {
    FvValue *value = node->inputs[i];
    FvArray *labels;
    FvShape shape;

    if (i >= n) {
      if (value
          && (!value->constant || !(in[i] = fv_value_floats (value, NULL))))
        return FALSE;
      continue;
    }
    if (!value || !(labels = labels_of (moves, value, depth)))
      return FALSE;
    shape = in_units (&value->shape,
        from_the_end (&value->shape, axis, &node->outputs[0]->shape),
        moves->unit);
    in[i] = fv_array_new (FV_TYPE_F32, &shape, NULL);
    if (!in[i] || in[i]->count != labels->count)
      return FALSE;
    memcpy (in[i]->data, labels->data, labels->size);
  }
  return TRUE;
}

/* @node's reference, where its values have other shapes for that. */
static gboolean
run_in_units (FvNode *node, gint axis, gint64 unit, FvArray **in, FvArray **out)
{
  guint n = fv_node_is (node, "Concat") ? node->n_own_inputs : 1;
  g_autofree FvShape *inputs = g_new0 (FvShape, n);
  g_autofree FvShape *outputs = g_new0 (FvShape, node->n_outputs);
  gboolean ok;

  for (guint i = 0; i < n; i++)
    inputs[i] = node->inputs[i]->shape;
  for (guint i = 0; i < n; i++)
    node->inputs[i]->shape = in[i]->shape;
  for (guint i = 0; i < node->n_outputs; i++) {
    outputs[i] = node->outputs[i]->shape;
    node->outputs[i]->shape = in_units (&outputs[i], axis, unit);
  }
  ok = fv_node_reference (node, in, out, NULL);
  for (guint i = 0; i < node->n_outputs; i++)
    node->outputs[i]->shape = outputs[i];
  for (guint i = n; i-- > 0;)
    node->inputs[i]->shape = inputs[i];
  return ok;
}

/* Runs @node's reference on labels, and notes those of all its outputs. */
static void
move_labels (FvMoves *moves, FvNode *node, guint depth)
{
  gint axis = first_whole_axis (node, moves->unit);
  g_autofree FvArray **in = g_new0 (FvArray *, node->n_inputs + 1);
  g_autofree FvArray **out = g_new0 (FvArray *, node->n_outputs + 1);
  gboolean ok = axis >= 0;

  for (guint i = 0; i < node->n_outputs; i++)
    ok = ok && node->outputs[i];
  if (ok && fill_inputs (moves, node, axis, depth, in)
      && run_in_units (node, axis, moves->unit, in, out))
    for (guint i = 0; i < node->n_outputs; i++)
      g_hash_table_insert (moves->labels, node->outputs[i], out[i]);
  for (guint i = 0; i < node->n_inputs; i++)
    fv_array_unref (in[i]);
}

/* Those of a constant of zeroes: none. */
static FvArray *
no_labels (FvMoves *moves, FvValue *value)
{
  FvShape shape = { 1, { fv_shape_count (&value->shape) / moves->unit } };
  FvArray *labels;

  if (!fv_type_is_float (value->type)
      || shape.dims[0] * moves->unit != fv_shape_count (&value->shape))
    return NULL;
  for (gint64 i = 0; i < value->constant->count; i++)
    if (fv_array_get_float (value->constant, i) != 0)
      return NULL;
  if ((labels = fv_array_new (FV_TYPE_F32, &shape, NULL)))
    g_hash_table_insert (moves->labels, value, labels);
  for (gint64 i = 0; labels && i < labels->count; i++)
    labels->f32[i] = 0;
  return labels;
}

static FvArray *
labels_of (FvMoves *moves, FvValue *value, guint depth)
{
  FvArray *labels = g_hash_table_lookup (moves->labels, value);
  FvNode *node = value->producer;

  if (!labels && value->constant)
    return no_labels (moves, value);
  if (labels || !node || depth >= FV_MOVES_CHAIN
      || !fv_is_move (node, moves->kind) || !fv_type_is_float (value->type))
    return labels;
  if (!is_among (node, flat_ops)) {
    move_labels (moves, node, depth + 1);
    return g_hash_table_lookup (moves->labels, value);
  }
  labels = labels_of (moves, node->inputs[0], depth + 1);
  if (labels)
    g_hash_table_insert (moves->labels, value, fv_array_ref (labels));
  return labels;
}

FvArray *
fv_moves_labels (FvMoves *moves, FvValue *value)
{
  return labels_of (moves, value, 0);
}
