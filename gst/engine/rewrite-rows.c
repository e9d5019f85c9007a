/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of a Linear's input or output that are moved about as wholes, as windows,
 * rolls and merged patches are: the product gathers them by a table instead. */
#include "gst/engine/ir-private.h"

#include <string.h>

#define MAX_UNITS ((gint64) 1 << 22)
#define FEW_ROWS 4 /* which have a kernel of their own */

/* Rows as a view of equal distances has them too. */
static gboolean
is_progression (const FvArray *labels)
{
  for (gint64 i = 2; i < labels->count; i++)
    if (labels->f32[i] - labels->f32[i - 1] != labels->f32[1] - labels->f32[0])
      return FALSE;
  return labels->count < 2 || labels->f32[0] > 0;
}

static gboolean
is_linear (const FvNode *node)
{
  return (fv_node_is (node, "fovea.Linear")
             || fv_node_is (node, "fovea.RowLinear"))
      && !node->n_steps && fv_node_constant (node, 1);
}

static gboolean
is_norm (const FvNode *node)
{
  gint64 axis, last;

  if (!fv_node_is (node, "LayerNormalization") || node->n_steps
      || node->n_outputs != 1 || !fv_node_constant (node, 1))
    return FALSE;
  axis = fv_node_int (node, "axis");
  last = (gint64) node->inputs[0]->shape.rank - 1;
  return (axis == -1 || axis == last)
      && node->inputs[1]->constant->count == node->inputs[0]->shape.dims[last];
}

/* A RowLinear or RowNorm of @x, @like's weights and the rows in @table (which it
 * takes), in place of @last. */
static gint
make_rows (FvIr *ir, FvNode *last, const FvNode *like, FvValue *x,
    FvArray *table, GError **error)
{
  FvShape shape = last->outputs[0]->shape;
  FvValue *inputs[4] = { x, like->inputs[1], fv_node_input (like, 2),
    fv_ir_add_constant (ir, NULL, table) };
  gboolean norm = is_norm (like);
  FvNode *node = fv_ir_supersede (ir, last,
      norm ? "fovea.RowNorm" : "fovea.RowLinear", inputs, 4, error);

  fv_array_unref (table);
  fv_node_set_ints (node, "shape", shape.dims, shape.rank - 1);
  if (norm)
    fv_node_set_float (node, "epsilon", fv_node_float (like, "epsilon"));
  g_free (node->name);
  node->name = g_strdup (like->name);
  return fv_node_infer (node, error) ? 1 : -1;
}

/* (transfer full): labels as a table; @through: (nullable): the table that the
 * source's own rows are gathered by */
static FvArray *
make_table (const FvArray *labels, FvArray *through, gint64 sources)
{
  gint64 taps = through ? through->count / sources : 1;
  FvShape shape = { 1, { labels->count * taps } };
  FvArray *table = fv_array_new (FV_TYPE_I64, &shape, NULL);

  for (gint64 i = 0; table && i < table->count; i++) {
    gint64 row = labels->f32[i / taps] - 1;

    table->i64[i] =
        through ? fv_array_get_int (through, row * taps + i % taps) : row;
  }
  return table;
}

/* What @value is moved from: by whole rows if possible, else by parts of them.
 * Heads beside each other need no move. */
static FvValue *
find_source (FvValue *value)
{
  gint64 width = value->shape.dims[value->shape.rank - 1];
  FvValue *whole = value;

  for (guint i = 0;
       i < FV_MOVES_CHAIN && fv_is_move (value->producer, FV_MOVES_ROWS); i++) {
    value = value->producer->inputs[0];
    if (value->shape.rank && value->shape.dims[value->shape.rank - 1] == width)
      whole = value;
  }
  return whole->producer && fv_is_move (whole->producer, FV_MOVES_ROWS)
          && !fv_node_is (value->producer, "fovea.Attention")
      ? value
      : whole;
}

static gboolean
can_gather (const FvNode *node)
{
  return fv_node_is (node, "fovea.Linear") ? is_linear (node) : is_norm (node);
}

/* Linears and norms that read rows moved about. */
static gint
gather_input (FvIr *ir, FvNode *node, GError **error)
{
  FvValue *value = node->inputs[0], *source;
  FvArray *labels, *table = NULL;
  gint64 width;
  FvMoves trace;

  if (!can_gather (node) || !value->shape.rank)
    return 0;
  source = find_source (value);
  width = value->shape.dims[value->shape.rank - 1];
  if (source == value || source->constant || source->shape.rank < 2
      || source->shape.dims[source->shape.rank - 1] % 4 || value->is_output
      || fv_shape_count (&value->shape) / MAX (width, 1) <= FEW_ROWS)
    return 0;
  for (guint i = 0; i < value->users->len; i++)
    if (!can_gather (value->users->pdata[i]))
      return 0;
  trace = fv_moves_begin (source, source->shape.dims[source->shape.rank - 1],
      FV_MOVES_ROWS);
  if (trace.unit > 0 && width % trace.unit == 0
      && fv_shape_count (&value->shape) / trace.unit <= MAX_UNITS
      && (labels = fv_moves_labels (&trace, value)) && !is_progression (labels))
    table = make_table (labels, NULL, 0);
  fv_moves_end (&trace);
  return table ? make_rows (ir, node, node, source, table, error) : 0;
}

/* The one value that @source is moved to, all that is moved of it. (nullable) */
static FvValue *
find_target (FvValue *source)
{
  g_autoptr (GPtrArray) open = g_ptr_array_new ();
  FvValue *target = NULL;

  g_ptr_array_add (open, source);
  for (guint k = 0; k < open->len; k++) {
    FvValue *value = open->pdata[k];
    guint moves = 0;

    for (guint i = 0; i < value->users->len; i++) {
      FvNode *user = value->users->pdata[i];

      if (!fv_is_move (user, FV_MOVES_ROWS))
        continue;
      moves++;
      if (!g_ptr_array_find (open, user->outputs[0], NULL))
        g_ptr_array_add (open, user->outputs[0]);
    }
    if (open->len > FV_MOVES_CHAIN || (moves && value->is_output)
        || (moves && moves != value->users->len) || (!moves && target))
      return NULL;
    if (!moves)
      target = value;
  }
  return target == source ? NULL : target;
}

/* Linears whose result is moved about: its rows are made where they belong. */
static gint
gather_output (FvIr *ir, FvNode *linear, GError **error)
{
  FvValue *source = linear->outputs[0], *target;
  FvArray *through = fv_node_is (linear, "fovea.RowLinear")
      ? fv_node_constant (linear, 3)
      : NULL;
  FvArray *labels, *table = NULL;
  gboolean is_whole = TRUE;
  FvMoves trace;

  if (!is_linear (linear) || source->shape.rank < 2
      || !(target = find_target (source)) || target->shape.rank < 2)
    return 0;
  trace = fv_moves_begin (source, source->shape.dims[source->shape.rank - 1],
      FV_MOVES_ROWS);
  if (trace.unit > 0 && target->shape.dims[target->shape.rank - 1] == trace.unit
      && linear->inputs[0]->shape.dims[linear->inputs[0]->shape.rank - 1] % 4
          == 0
      && fv_shape_count (&target->shape) / trace.unit > FEW_ROWS
      && fv_shape_count (&target->shape) / trace.unit <= MAX_UNITS
      && (labels = fv_moves_labels (&trace, target))
      && !is_progression (labels)) {
    for (gint64 i = 0; i < labels->count; i++)
      is_whole = is_whole && labels->f32[i] > 0;
    if (is_whole)
      table = make_table (labels, through,
          fv_shape_count (&source->shape) / trace.unit);
  }
  fv_moves_end (&trace);
  return table ? make_rows (ir, target->producer, linear, linear->inputs[0],
             table, error)
               : 0;
}

gint
fv_pass_rows (FvIr *ir, GError **error)
{
  gint changes = 0;

  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i];
    gint done = gather_input (ir, node, error);

    if (!done && is_linear (node))
      done = gather_output (ir, node, error);
    if (done < 0 || (done && fv_pass_dead (ir, error) < 0))
      return -1;
    changes += done;
  }
  return changes;
}
