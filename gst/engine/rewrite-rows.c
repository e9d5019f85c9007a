/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of a Linear's input or output that are moved about as wholes, as windows,
 * rolls and merged patches are: the product gathers them by a table instead. */
#include "gst/engine/ir-private.h"

#include <string.h>

#define MAX_UNITS ((gint64) 1 << 22)
#define MAX_CHAIN 64
#define FEW_ROWS 4 /* which have a kernel of their own */

/* Values made of whole units of @source's rows: per value, for each unit in order,
 * which of the source it is, counted from 1; 0 for one of zeroes. */
typedef struct
{
  FvValue *source;
  gint64 unit; /* elements */
  GHashTable *labels; /* FvValue * -> FvArray * of F32 */
} Trace;

static Trace
trace_begin (FvValue *source)
{
  gint64 unit = source->shape.dims[source->shape.rank - 1];
  FvShape shape = { 1, { fv_shape_count (&source->shape) / MAX (unit, 1) } };
  FvArray *labels = fv_array_new (FV_TYPE_F32, &shape, NULL);
  Trace trace = { source, unit,
    g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) fv_array_unref) };

  for (gint64 i = 0; labels && i < labels->count; i++)
    labels->f32[i] = i + 1;
  if (labels)
    g_hash_table_insert (trace.labels, source, labels);
  return trace;
}

static gboolean
is_among (const FvNode *node, const char *const *names)
{
  for (; node && !node->n_steps && *names; names++)
    if (fv_node_is (node, *names))
      return TRUE;
  return FALSE;
}

/* Nodes that change the shape alone, and those that move elements. */
static const char *const flat_ops[] = { "Reshape", "Squeeze", "Unsqueeze",
  "Flatten", "Identity", NULL };
static const char *const moving_ops[] = { "Transpose", "Slice", "Concat", "Pad",
  NULL };

static gboolean
is_move (const FvNode *node)
{
  return is_among (node, flat_ops) || is_among (node, moving_ops);
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

/* The first axis from which on @node leaves all as it is, so that whole units of
 * it may stand for their elements; -1: none. */
static gint
first_whole_axis (const FvNode *node, gint64 unit)
{
  const FvShape *from = &node->inputs[0]->shape, *to = &node->outputs[0]->shape;
  guint n = 0, j = to->rank;
  guint axis;

  if (fv_node_is (node, "Transpose")) {
    const gint64 *perm = fv_node_ints (node, "perm", &n);

    while (j > 0 && n == to->rank && perm[j - 1] == (gint64) j - 1)
      j--;
  } else if (fv_node_is (node, "Concat")) {
    if (!fv_node_axis (node, fv_node_int (node, "axis"), to->rank, &axis, NULL))
      return -1;
    j = count_from (to, axis + 1) % unit ? axis : axis + 1;
  } else {
    while (j > 0 && from->dims[j - 1] == to->dims[j - 1])
      j--;
    if (fv_node_is (node, "Slice") ? !is_not_negative (node, 4, FALSE)
                                   : !is_plain_pad (node))
      return -1;
  }
  for (guint i = 0; i < node->n_own_inputs; i++)
    if ((i == 0 || fv_node_is (node, "Concat"))
        && (j == to->rank || count_from (&node->inputs[i]->shape, j) % unit))
      return -1;
  return count_from (to, j) % unit ? -1 : (gint) j;
}

/* @shape with units for elements. */
static FvShape
in_units (const FvShape *shape, guint axis, gint64 unit)
{
  FvShape result = *shape;

  result.dims[axis] = count_from (shape, axis) / unit;
  for (guint i = axis + 1; i < shape->rank; i++)
    result.dims[i] = 1;
  return result;
}

static FvArray *labels_of (Trace *trace, FvValue *value, guint depth);

/* Runs @node's reference on labels, in shapes of units. (transfer full) */
static FvArray *
move_labels (Trace *trace, FvNode *node, guint depth)
{
  gint axis = first_whole_axis (node, trace->unit);
  guint n = fv_node_is (node, "Concat") ? node->n_own_inputs : 1;
  g_autofree FvArray **in = g_new0 (FvArray *, node->n_inputs + 1);
  g_autofree FvShape *shapes = g_new0 (FvShape, node->n_inputs + 1);
  FvShape whole = node->outputs[0]->shape;
  FvArray *out[2] = { NULL };
  gboolean ok = axis >= 0 && node->n_outputs == 1;

  for (guint i = 0; ok && i < node->n_inputs; i++) {
    FvValue *value = node->inputs[i];
    FvArray *labels = value && i < n ? labels_of (trace, value, depth) : NULL;
    FvShape shape =
        labels ? in_units (&value->shape, axis, trace->unit) : whole;

    if (i < n)
      ok = labels && (in[i] = fv_array_new (FV_TYPE_F32, &shape, NULL))
          && in[i]->count == labels->count;
    else if (value)
      ok = value->constant && (in[i] = fv_value_floats (value, NULL));
    if (ok && i < n)
      memcpy (in[i]->data, labels->data, labels->size);
  }
  for (guint i = 0; ok && i < n; i++)
    shapes[i] = node->inputs[i]->shape;
  for (guint i = 0; ok && i < n; i++)
    node->inputs[i]->shape = in[i]->shape;
  if (ok) {
    node->outputs[0]->shape = in_units (&whole, axis, trace->unit);
    ok = fv_node_reference (node, in, out, NULL);
    node->outputs[0]->shape = whole;
    for (guint i = n; i-- > 0;)
      node->inputs[i]->shape = shapes[i];
  }
  for (guint i = 0; i < node->n_inputs; i++)
    fv_array_unref (in[i]);
  return out[0];
}

/* (nullable) (transfer none): NULL where @value is no such thing */
static FvArray *
labels_of (Trace *trace, FvValue *value, guint depth)
{
  FvArray *labels = g_hash_table_lookup (trace->labels, value);
  FvNode *node = value->producer;

  if (labels || !node || depth >= MAX_CHAIN || !is_move (node)
      || !fv_type_is_float (value->type))
    return labels;
  if (is_among (node, flat_ops)) {
    labels = labels_of (trace, node->inputs[0], depth + 1);
    if (labels)
      fv_array_ref (labels);
  } else {
    labels = move_labels (trace, node, depth + 1);
  }
  if (labels)
    g_hash_table_insert (trace->labels, value, labels);
  return labels;
}

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

  for (guint i = 0; i < MAX_CHAIN && is_move (value->producer); i++) {
    value = value->producer->inputs[0];
    if (value->shape.rank && value->shape.dims[value->shape.rank - 1] == width)
      whole = value;
  }
  return whole->producer && is_move (whole->producer)
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
  Trace trace;

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
  trace = trace_begin (source);
  if (trace.unit > 0 && width % trace.unit == 0
      && fv_shape_count (&value->shape) / trace.unit <= MAX_UNITS
      && (labels = labels_of (&trace, value, 0)) && !is_progression (labels))
    table = make_table (labels, NULL, 0);
  g_hash_table_unref (trace.labels);
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

      if (!is_move (user))
        continue;
      moves++;
      if (!g_ptr_array_find (open, user->outputs[0], NULL))
        g_ptr_array_add (open, user->outputs[0]);
    }
    if (open->len > MAX_CHAIN || (moves && value->is_output)
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
  Trace trace;

  if (!is_linear (linear) || source->shape.rank < 2
      || !(target = find_target (source)) || target->shape.rank < 2)
    return 0;
  trace = trace_begin (source);
  if (trace.unit > 0 && target->shape.dims[target->shape.rank - 1] == trace.unit
      && linear->inputs[0]->shape.dims[linear->inputs[0]->shape.rank - 1] % 4
          == 0
      && fv_shape_count (&target->shape) / trace.unit > FEW_ROWS
      && fv_shape_count (&target->shape) / trace.unit <= MAX_UNITS
      && (labels = labels_of (&trace, target, 0)) && !is_progression (labels)) {
    for (gint64 i = 0; i < labels->count; i++)
      is_whole = is_whole && labels->f32[i] > 0;
    if (is_whole)
      table = make_table (labels, through,
          fv_shape_count (&source->shape) / trace.unit);
  }
  g_hash_table_unref (trace.labels);
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
