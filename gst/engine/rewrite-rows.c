/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of a Linear's input or output that are moved about as wholes, as windows,
 * rolls and merged patches are: the product gathers them by a table instead. So does a
 * 1x1 convolution, whose rows are the pixels of its map. */
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

/* A Linear by another name: one map, 1x1, all channels. */
static gboolean
is_pointwise (const FvNode *node)
{
  const FvValue *w = fv_node_input (node, 1), *bias = fv_node_input (node, 2);
  const FvShape *x = &node->inputs[0]->shape, *y = &node->outputs[0]->shape;
  const gint64 *pads;
  guint n = 0;

  if (!fv_node_is (node, "Conv") || node->n_steps || !w->constant
      || (bias && !bias->constant) || x->rank != 4 || x->dims[0] != 1
      || fv_node_int (node, "group") != 1 || w->shape.dims[2] != 1
      || w->shape.dims[3] != 1 || x->dims[2] != y->dims[2]
      || x->dims[3] != y->dims[3] || x->dims[1] % 4)
    return FALSE;
  pads = fv_node_ints (node, "pads", &n);
  for (guint i = 0; i < n; i++)
    if (pads[i])
      return FALSE;
  return TRUE;
}

/* Where each row of @target comes from, which is made of all of @source by moving its
 * elements: rows run along the last axis or, of @map (one of the two), along axis 1.
 * NULL: not by whole rows. (transfer full) */
static FvArray *
rows_from (FvValue *source, FvValue *target, const FvValue *map)
{
  gint64 count = fv_shape_count (&source->shape);
  gint64 pixels = map->shape.dims[2] * map->shape.dims[3];
  gint64 width = map->shape.dims[1], at, want;
  gboolean from_map = map == source;
  FvShape shape = { 1, { pixels } };
  FvMoves trace = fv_moves_begin (source, 1, FV_MOVES_ROWS);
  FvArray *labels =
      count <= MAX_UNITS ? fv_moves_labels (&trace, target) : NULL;
  FvArray *table = labels && labels->count == count && width * pixels == count
      ? fv_array_new (FV_TYPE_I64, &shape, NULL)
      : NULL;

  for (gint64 r = 0; table && r < pixels; r++) {
    at = labels->f32[from_map ? r * width : r] - 1;
    table->i64[r] = from_map ? at : at / width;
    for (gint64 c = 0; table && c < width; c++) {
      want = at + 1 + (from_map ? c * pixels : c);
      if (at < 0 || (from_map ? at >= pixels : at % width != 0)
          || labels->f32[from_map ? r * width + c : c * pixels + r] != want)
        g_clear_pointer (&table, fv_array_unref);
    }
  }
  fv_moves_end (&trace);
  return table;
}

/* TRUE for 0, 1, 2, ...: rows of which a view is made. */
static gboolean
is_in_order (const FvArray *table)
{
  for (gint64 i = 0; i < table->count; i++)
    if (table->i64[i] != i)
      return FALSE;
  return TRUE;
}

/* A RowLinear of @conv's weights: of rows @x, in place of @last. */
static gint
make_pointwise (FvIr *ir, FvNode *last, FvNode *conv, FvValue *x,
    FvArray *table, gboolean to_map, GError **error)
{
  static const gint64 to_rows[] = { 0, 2, 3, 1 },
                      to_channels[] = { 0, 3, 1, 2 };
  FvEmit emit = { ir, conv->name, last, NULL, error };
  gint64 dims[] = { conv->inputs[1]->shape.dims[0],
    conv->inputs[1]->shape.dims[1] };
  FvShape shape = last->outputs[0]->shape;
  FvValue *in[4], *y;
  FvNode *node;

  if (to_map) {
    shape.dims[3] = dims[0];
    shape.dims[1] = last->outputs[0]->shape.dims[2];
    shape.dims[2] = last->outputs[0]->shape.dims[3];
  } else
    x = fv_emit_transpose (&emit, x, to_rows);
  in[0] = x;
  in[1] = fv_emit_reshape (&emit, conv->inputs[1], dims, 2);
  in[2] = fv_node_input (conv, 2);
  in[3] = fv_ir_add_constant (ir, NULL, table);
  if (!in[0] || !in[1])
    return -1;
  node = fv_emit_begin (&emit, "fovea.RowLinear", in, 4);
  node->origin = conv->origin;
  fv_node_set_ints (node, "shape", shape.dims, shape.rank - 1);
  y = fv_emit_end (&emit, node);
  if (to_map && y)
    y = fv_emit_transpose (&emit, y, to_channels);
  if (!y)
    return -1;
  fv_ir_replace_value (ir, last->outputs[0], y);
  return 1;
}

/* 1x1 convolutions whose pixels are moved about, before or behind them. */
static gint
gather_pixels (FvIr *ir, FvNode *conv, GError **error)
{
  FvValue *in = conv->inputs[0], *out = conv->outputs[0], *source = in, *target;
  FvArray *table = NULL;
  gint done = 0;

  for (guint i = 0;
       i < FV_MOVES_CHAIN && fv_is_move (source->producer, FV_MOVES_ROWS); i++)
    source = source->producer->inputs[0];
  if (source != in && in->users->len == 1 && !in->is_output && !source->constant
      && source->shape.rank >= 2
      && source->shape.dims[source->shape.rank - 1] == in->shape.dims[1]
      && (table = rows_from (source, in, in))) {
    if (!is_in_order (table))
      done = make_pointwise (ir, conv, conv, source, table, TRUE, error);
  } else if ((target = find_target (out)) && target->shape.rank >= 2
      && target->shape.dims[target->shape.rank - 1] == out->shape.dims[1]
      && (table = rows_from (out, target, out))) {
    if (!is_in_order (table))
      done =
          make_pointwise (ir, target->producer, conv, in, table, FALSE, error);
  }
  fv_array_unref (table);
  return done;
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
    if (!done && is_pointwise (node))
      done = gather_pixels (ir, node, error);
    if (done < 0 || (done && fv_pass_dead (ir, error) < 0))
      return -1;
    changes += done;
  }
  return changes;
}
