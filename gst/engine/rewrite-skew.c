/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Positions relative to a row's own: a product with a vector for each distance there
 * is, of which pads, reshapes and slices then leave to each row those that it is
 * away from others. The product is made with these alone, by weights of their own for
 * each place of a row, and nothing has to be moved. */
#include "gst/engine/ir-private.h"

#include <string.h>

#define MAX_ELEMENTS ((gint64) 1 << 22) /* that are followed one by one */

/* What @value is moved to by nodes that it alone goes through. */
static FvValue *
find_target (FvValue *value)
{
  FvNode *user = fv_only_user (value, NULL);

  for (guint i = 0; i < FV_MOVES_CHAIN && fv_is_move (user, FV_MOVES_ROWS)
       && user->inputs[0] == value;
       i++) {
    value = user->outputs[0];
    user = fv_only_user (value, NULL);
  }
  return value;
}

/* For each place and element of @target's rows, the column of @source's row that it
 * is; NULL: not one of the same row, by its place alone. (transfer full) */
static gint64 *
find_columns (FvValue *source, FvValue *target, gint64 places, gint64 width)
{
  gint64 n = source->shape.dims[source->shape.rank - 1];
  FvMoves trace = fv_moves_begin (source, 1, FV_MOVES_ROWS);
  FvArray *labels = fv_moves_labels (&trace, target);
  gboolean fits =
      labels && labels->count == fv_shape_count (&source->shape) / n * width;
  gint64 *columns = fits ? g_new (gint64, places * width) : NULL;

  for (gint64 i = 0; fits && i < labels->count; i++) {
    gint64 row = i / width, at = row % places * width + i % width;
    gint64 column = labels->f32[i] - 1 - row * n;

    if (i < places * width)
      columns[at] = column;
    fits = column >= 0 && column < n && columns[at] == column;
  }
  fv_moves_end (&trace);
  if (!fits)
    g_clear_pointer (&columns, g_free);
  return columns;
}

/* [places, 1..., inputs, width] of @from's [outputs, inputs] */
static FvValue *
place_weights (FvIr *ir, const FvValue *from, guint rank, const gint64 *columns,
    gint64 places, gint64 width, GError **error)
{
  g_autoptr (FvArray) w = fv_value_floats (from, error);
  gint64 k = from->shape.dims[1];
  FvShape shape = { rank };
  FvArray *to;
  FvValue *value;

  for (guint i = 0; i < rank; i++)
    shape.dims[i] = 1;
  shape.dims[0] = places;
  shape.dims[rank - 2] = k;
  shape.dims[rank - 1] = width;
  if (!w || !(value = fv_ir_add_floats (ir, from->name, &shape, &to)))
    return NULL;
  for (gint64 i = 0; i < to->count; i++)
    to->f32[i] =
        w->f32[columns[i / width / k * width + i % width] * k + i / width % k];
  return value;
}

/* A product for each place of the rows, the axis before the last, in place of
 * @target. */
static gint
make_products (FvIr *ir, FvNode *linear, FvValue *target, const gint64 *columns,
    gint64 width, GError **error)
{
  FvValue *x = linear->inputs[0], *w, *y;
  guint rank = x->shape.rank;
  gint64 there[FV_MAX_RANK], back[FV_MAX_RANK];
  FvEmit emit = { ir, linear->name, linear, NULL, error };

  for (guint i = 0; i < rank; i++) {
    there[i] = i == 0 ? rank - 2 : i < rank - 1 ? i - 1 : i;
    back[there[i]] = i;
  }
  w = place_weights (ir, linear->inputs[1], rank, columns,
      x->shape.dims[rank - 2], width, error);
  if (!w)
    return -1;
  y = fv_emit (&emit, "MatMul", fv_emit_transpose (&emit, x, there), w);
  y = y ? fv_emit_transpose (&emit, y, back) : NULL;
  y = fv_emit_reshape (&emit, y, target->shape.dims, target->shape.rank);
  if (!y)
    return -1;
  fv_ir_replace_value (ir, target, y);
  return fv_pass_dead (ir, error) < 0 ? -1 : 1;
}

static gint
unskew (FvIr *ir, FvNode *linear, GError **error)
{
  FvValue *source = linear->outputs[0], *target = find_target (source);
  const FvShape *from = &source->shape, *to = &target->shape;
  gint64 places, width, n;
  g_autofree gint64 *columns = NULL;

  if (target == source || target->is_output || linear->n_steps
      || fv_node_input (linear, 2) || !fv_node_constant (linear, 1)
      || from->rank < 3 || !to->rank || fv_shape_count (from) < 1
      || fv_shape_count (from) > MAX_ELEMENTS)
    return 0;
  n = from->dims[from->rank - 1];
  places = from->dims[from->rank - 2];
  width = to->dims[to->rank - 1];
  if (width < 1 || width >= n || places < 2
      || places * width * linear->inputs[1]->shape.dims[1] > MAX_ELEMENTS
      || fv_shape_count (to) != fv_shape_count (from) / n * width
      || !(columns = find_columns (source, target, places, width)))
    return 0;
  /* the same for all places: a part of the rows, which is a view */
  for (gint64 i = width; i < places * width; i++)
    if (columns[i] != columns[i % width])
      return make_products (ir, linear, target, columns, width, error);
  return 0;
}

gint
fv_pass_skew (FvIr *ir, GError **error)
{
  gint changes = 0;

  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i];
    gint done =
        fv_node_is (node, "fovea.Linear") ? unskew (ir, node, error) : 0;

    if (done < 0)
      return done;
    changes += done;
  }
  return changes;
}
