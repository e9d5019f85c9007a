/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/engine/selection.h"
#include "gst/engine/ir-private.h"

#include <string.h>

#define MAX_TRIES 4
/* Positions, so that their list stays far below what folding may take. */
#define MAX_POSITIONS ((gint64) 1 << 20)

/* What is known of a value: it has one row per position on @axis; or, with @axis
 * -1, the elements set in @sizes are the number of positions found. */
typedef struct
{
  FvValue *mask;
  const FvModelNode *from;
  gint64 n; /* positions there are */
  gint axis;
  guint64 sizes;
} Rows;

struct _FvSelections
{
  GHashTable *rows; /* FvValue * -> Rows * */
  GHashTable *refused; /* FvModelNode * */
  guint n_tries, n_refused; /* n_refused: before this try */
};

FvSelections *
fv_selections_new (void)
{
  FvSelections *s = g_new0 (FvSelections, 1);

  s->rows = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  s->refused = g_hash_table_new (NULL, NULL);
  return s;
}

void
fv_selections_free (FvSelections *s)
{
  if (!s)
    return;
  g_hash_table_unref (s->rows);
  g_hash_table_unref (s->refused);
  g_free (s);
}

gboolean
fv_selections_allows (FvSelections *s, const FvModelNode *node)
{
  return s && s->n_tries < MAX_TRIES && !*node->domain
      && !strcmp (node->op_type, "NonZero")
      && !g_hash_table_contains (s->refused, node);
}

gboolean
fv_selections_retry (FvSelections *s)
{
  gboolean refused = g_hash_table_size (s->refused) > s->n_refused;
  gboolean any = g_hash_table_size (s->rows) > 0;

  /* any other failure may come of it too */
  s->n_tries = refused ? s->n_tries + 1 : MAX_TRIES;
  s->n_refused = g_hash_table_size (s->refused);
  g_hash_table_remove_all (s->rows);
  return refused || any;
}

static void
remember (FvSelections *s, const FvValue *value, const Rows *like, gint axis,
    guint64 sizes)
{
  Rows *rows = g_memdup2 (like, sizeof *like);

  rows->axis = axis;
  rows->sizes = sizes;
  g_hash_table_insert (s->rows, (gpointer) value, rows);
}

FvValue *
fv_selections_begin (FvSelections *s, FvIr *ir, const FvModelNode *from,
    FvValue *mask, GError **error)
{
  guint rank = mask->shape.rank;
  gint64 n = fv_shape_count (&mask->shape), inner = n;
  FvShape shape = { .rank = 2, .dims = { rank, n } };
  g_autoptr (FvArray) array = NULL;
  FvValue *value;

  if (rank < 1 || n < 2 || n > MAX_POSITIONS
      || g_hash_table_contains (s->rows, mask)) {
    g_hash_table_add (s->refused, (gpointer) from);
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "%s: node '%s' (NonZero): its result has a shape that depends on data",
        ir->name, from->name);
    return NULL;
  }
  if (!(array = fv_array_new (FV_TYPE_I64, &shape, error)))
    return NULL;
  for (guint d = 0; d < rank; d++) {
    inner /= mask->shape.dims[d];
    for (gint64 i = 0; i < n; i++)
      array->i64[d * n + i] = i / inner % mask->shape.dims[d];
  }
  value = fv_ir_add_constant (ir, from->outputs[0], array);
  remember (s, value, &(Rows){ mask, from, n }, 1, 0);
  return value;
}

static const Rows *
rows_of (FvSelections *s, const FvNode *node, guint i)
{
  FvValue *value = fv_node_input (node, i);

  return value ? g_hash_table_lookup (s->rows, value) : NULL;
}

static gboolean
is_among (const FvNode *node, const char *const *names)
{
  for (; *names; names++)
    if (fv_node_is (node, *names))
      return TRUE;
  return FALSE;
}

/* Runs @node on arrays that tell, in place of each value, where it comes from:
 * which elements are sizes, or which row. (transfer full) */
static FvArray **
trace (FvSelections *s, FvNode *node, gboolean of_sizes)
{
  g_autofree FvArray **in = g_new0 (FvArray *, node->n_inputs + 1);
  FvArray **out = g_new0 (FvArray *, node->n_outputs + 1);
  gboolean ok = TRUE;

  for (guint i = 0; ok && i < node->n_inputs; i++) {
    FvValue *value = node->inputs[i];
    const Rows *rows = rows_of (s, node, i);
    gboolean is_data = fv_node_is (node, "Concat") || rows
        || (fv_node_is (node, "Where") ? i > 0 : i == 0);
    gint64 inner = 1;

    if (!value)
      continue;
    if (!is_data) {
      ok = value->constant && (in[i] = fv_value_floats (value, NULL));
      continue;
    }
    ok = (in[i] = fv_array_new (fv_reference_type (value->type), &value->shape,
              NULL))
        != NULL;
    for (gint d = value->shape.rank - 1; rows && !of_sizes && d > rows->axis;
         d--)
      inner *= value->shape.dims[d];
    for (gint64 k = 0; ok && rows && k < in[i]->count; k++)
      fv_array_set_int (in[i], k,
          of_sizes ? k < 64 && rows->sizes >> k & 1 : k / inner % rows->n);
  }
  ok = ok && fv_node_reference (node, in, out, NULL);
  for (guint i = 0; i < node->n_inputs; i++)
    fv_array_unref (in[i]);
  if (!ok)
    g_clear_pointer (&out, g_free);
  return out;
}

static void
free_traced (FvNode *node, FvArray **traced)
{
  for (guint i = 0; i < node->n_outputs; i++)
    fv_array_unref (traced[i]);
  g_free (traced);
}

/* The axis of @array on which element k of each row says k; -1: none. */
static gint
find_axis (const FvArray *array, gint64 n)
{
  gint64 inner = array->count;

  for (guint d = 0; d < array->shape.rank; d++) {
    gboolean same = array->shape.dims[d] == n;

    inner /= MAX (array->shape.dims[d], 1);
    for (gint64 k = 0; same && k < array->count; k++)
      same = fv_array_get_int (array, k) == k / inner % n;
    if (same)
      return (gint) d;
  }
  return -1;
}

/* Nodes that move whole elements. */
static gboolean
follow_move (FvSelections *s, FvNode *node, const Rows *like)
{
  gboolean of_sizes = like->axis < 0, ok = TRUE;
  FvArray **traced;

  for (guint i = 0; i < node->n_inputs; i++) {
    const Rows *rows = rows_of (s, node, i);

    /* a row is never put beside others */
    if (fv_node_is (node, "Concat") && !of_sizes && !rows)
      return FALSE;
    if (rows && (rows->axis < 0) != of_sizes)
      return FALSE;
    if (rows && !fv_node_is (node, "Concat")
        && (fv_node_is (node, "Where") ? i == 0 : i > 0))
      return FALSE;
    if (!of_sizes && node->inputs[i] && node->inputs[i]->type == FV_TYPE_BOOL
        && like->n > 255)
      return FALSE;
  }
  if (fv_node_is (node, "Squeeze") && !fv_node_has (node, "axes")
      && !fv_node_input (node, 1))
    return FALSE; /* what goes would depend on the number found */
  if (!(traced = trace (s, node, of_sizes)))
    return FALSE;
  for (guint o = 0; ok && o < node->n_outputs; o++) {
    FvArray *array = traced[o];
    guint64 sizes = 0;
    gint axis = -1;

    if (!array)
      continue;
    ok = !of_sizes || array->count <= 64;
    if (of_sizes)
      for (gint64 k = 0; ok && k < array->count; k++)
        sizes |= (guint64) (fv_array_get_int (array, k) != 0) << k;
    else
      ok = (axis = find_axis (array, like->n)) >= 0;
    if (ok && (sizes || axis >= 0))
      remember (s, node->outputs[o], like, axis, sizes);
  }
  free_traced (node, traced);
  return ok;
}

/* Rows on the same axis, and operands that are the same for all rows. */
static gboolean
follow_elementwise (FvSelections *s, FvNode *node, const Rows *like)
{
  const FvShape *to = &node->outputs[0]->shape;
  gint axis = -1;

  for (guint i = 0; i < node->n_inputs; i++) {
    const Rows *rows = rows_of (s, node, i);
    gint at = rows
        ? rows->axis + (gint) (to->rank - node->inputs[i]->shape.rank)
        : -1;

    if (rows && (rows->axis < 0 || (axis >= 0 && at != axis)))
      return FALSE;
    axis = rows ? at : axis;
  }
  for (guint i = 0; i < node->n_inputs; i++) {
    const FvShape *from = node->inputs[i] ? &node->inputs[i]->shape : NULL;
    gint at = from ? axis - (gint) (to->rank - from->rank) : -1;

    if (at >= 0 && !rows_of (s, node, i) && from->dims[at] != 1)
      return FALSE;
  }
  remember (s, node->outputs[0], like, axis, 0);
  return TRUE;
}

/* Sizes against numbers that no size is: exporters ask for -1. */
static gboolean
follow_equal (FvSelections *s, FvNode *node)
{
  guint i = rows_of (s, node, 0) ? 0 : 1;
  const Rows *rows = rows_of (s, node, i);
  FvArray *other = fv_node_constant (node, !i);

  if (rows_of (s, node, !i) || !other
      || (other->count != 1
          && !fv_shape_equal (&other->shape, &node->inputs[i]->shape)))
    return FALSE;
  for (gint64 k = 0; k < MIN (fv_shape_count (&node->inputs[i]->shape), 64);
       k++)
    if (rows->sizes >> k & 1
        && fv_array_get_int (other, other->count == 1 ? 0 : k) >= 0)
      return FALSE;
  return TRUE; /* the result is the same for every number found */
}

/* The only size in @rows, or -1. */
static gint
only_size (const Rows *rows)
{
  return rows && rows->axis < 0 && __builtin_popcountll (rows->sizes) == 1
      ? __builtin_ctzll (rows->sizes)
      : -1;
}

static gboolean
follow_expand (FvSelections *s, FvNode *node, const Rows *like)
{
  const Rows *data = rows_of (s, node, 0), *sizes = rows_of (s, node, 1);
  const FvShape *from = &node->inputs[0]->shape, *to = &node->outputs[0]->shape;
  gint at = data ? data->axis + (gint) (to->rank - from->rank) : -1, own;

  if (data && data->axis < 0)
    return FALSE;
  if (sizes) {
    if ((own = only_size (sizes)) < 0)
      return FALSE;
    own += (gint) (to->rank - fv_node_constant (node, 1)->count);
    if ((at >= 0 && at != own)
        || (!data && own >= (gint) (to->rank - from->rank)
            && from->dims[own - (to->rank - from->rank)] != 1))
      return FALSE;
    at = own;
  } else {
    FvArray *shape = fv_node_constant (node, 1);
    gint64 k = shape ? at - ((gint64) to->rank - shape->count) : -1;

    /* rows stay as many as they are */
    if (!shape || (k >= 0 && fv_array_get_int (shape, k) != 1))
      return FALSE;
  }
  remember (s, node->outputs[0], like, at, 0);
  return TRUE;
}

static gboolean
follow_reshape (FvSelections *s, FvNode *node, const Rows *like)
{
  const Rows *data = rows_of (s, node, 0), *sizes = rows_of (s, node, 1);
  const FvShape *from = &node->inputs[0]->shape, *to = &node->outputs[0]->shape;
  FvArray *shape = fv_node_constant (node, 1);
  gint64 before = 1, after = 1, said;
  guint at = 0;

  if (!data || data->axis < 0 || !shape || shape->count != to->rank)
    return FALSE;
  for (gint d = 0; d < data->axis; d++)
    before *= from->dims[d];
  while (at < to->rank && (after != before || to->dims[at] != like->n))
    after *= to->dims[at++];
  if (at == to->rank)
    return FALSE;
  said = fv_array_get_int (shape, at);
  if (sizes ? only_size (sizes) != (gint) at
            : said != -1 && !(said == 0 && (gint) at == data->axis))
    return FALSE;
  for (guint d = 0; d < to->rank; d++)
    if (d != at && (gint) d == data->axis && fv_array_get_int (shape, d) == 0)
      return FALSE;
  remember (s, node->outputs[0], like, (gint) at, 0);
  return TRUE;
}

/* Indices that are rows, of data that is not. */
static gboolean
follow_gather (FvSelections *s, FvNode *node, const Rows *like)
{
  const Rows *indices = rows_of (s, node, 1);
  gint axis = indices ? indices->axis : -1;

  if (axis < 0 || rows_of (s, node, 0))
    return FALSE;
  if (fv_node_is (node, "Gather")) {
    gint64 own = fv_node_int (node, "axis");

    axis += (gint) (own < 0 ? own + node->inputs[0]->shape.rank : own);
  } else if (axis + 1 == (gint) node->inputs[1]->shape.rank
      || (fv_node_has (node, "batch_dims")
          && fv_node_int (node, "batch_dims") != 0)) {
    return FALSE;
  }
  remember (s, node->outputs[0], like, axis, 0);
  return TRUE;
}

static void
follow_shape (FvSelections *s, FvNode *node, const Rows *rows)
{
  gint64 rank = node->inputs[0]->shape.rank;
  gint64 start = node->op->variant ? fv_node_int (node, "start") : 0;
  gint64 at;

  start = CLAMP (start < 0 ? start + rank : start, 0, rank);
  at = rows->axis - start;
  if (at >= 0 && at < node->outputs[0]->shape.dims[0])
    remember (s, node->outputs[0], rows, -1, (guint64) 1 << at);
}

/* @value in another shape. */
static FvValue *
reshaped (FvIr *ir, FvValue *value, const FvShape *shape, GError **error)
{
  FvShape list = { .rank = 1, .dims = { shape->rank } };
  g_autoptr (FvArray) sizes = fv_array_new (FV_TYPE_I64, &list, error);
  FvValue *in[2] = { value, NULL }, *out;
  FvNode *node;

  if (!sizes)
    return NULL;
  memcpy (sizes->i64, shape->dims, shape->rank * sizeof (gint64));
  in[1] = fv_ir_add_constant (ir, NULL, sizes);
  out = fv_ir_add_value (ir, NULL, FV_TYPE_NONE, NULL);
  node = fv_ir_add_node (ir, fv_op_get ("Reshape"), NULL, in, 2, &out, 1);
  return fv_node_infer (node, error) ? out : NULL;
}

/* A constant whose elements are all the same, as one. (transfer none) */
static FvValue *
as_scalar (FvIr *ir, FvValue *value)
{
  const FvShape one = { .rank = 0 };
  FvArray *array = value->constant;
  gsize size = fv_type_size (value->type);
  g_autoptr (FvArray) scalar = NULL;

  if (!array || array->type != value->type)
    return value;
  for (gint64 i = 1; i < array->count; i++)
    if (memcmp ((guint8 *) array->data + i * size, array->data, size))
      return value;
  if (!(scalar = fv_array_new (array->type, &one, NULL)))
    return value;
  memcpy (scalar->data, array->data, size);
  return fv_ir_add_constant (ir, NULL, scalar);
}

/* TRUE where the indices are all positions of the data's first axes, in order. */
static gboolean
is_everywhere (const FvNode *node, gint64 n)
{
  FvArray *indices = fv_node_constant (node, 1);
  const FvShape *data = &node->inputs[0]->shape;
  gint64 k, inner = n;

  if (!indices || indices->shape.rank != 2 || indices->shape.dims[0] != n
      || (k = indices->shape.dims[1]) > data->rank)
    return FALSE;
  for (gint64 d = 0; d < k; d++) {
    inner /= MAX (data->dims[d], 1);
    for (gint64 i = 0; i < n; i++)
      if (fv_array_get_int (indices, i * k + d)
          != i / MAX (inner, 1) % MAX (data->dims[d], 1))
        return FALSE;
  }
  return inner == 1;
}

/* data[mask] = updates, with a row of updates for every position */
static gboolean
close_scatter (FvSelections *s, FvNode *node, GError **error)
{
  const Rows *indices = rows_of (s, node, 1), *updates = rows_of (s, node, 2);
  FvIr *ir = node->ir;
  FvValue *in[3], *out = node->outputs[0];
  FvShape mask, data = node->inputs[0]->shape;
  FvNode *where;

  if (!indices || !updates || rows_of (s, node, 0) || indices->axis != 0
      || updates->axis != 0 || indices->mask->type != FV_TYPE_BOOL
      || !is_everywhere (node, indices->n)
      || (node->op->since >= 16
          && strcmp (fv_node_string (node, "reduction"), "none")))
    return FALSE;
  mask = data;
  for (guint d = fv_node_constant (node, 1)->shape.dims[1]; d < mask.rank; d++)
    mask.dims[d] = 1;
  in[0] = indices->mask;
  in[1] = as_scalar (ir, node->inputs[2]);
  in[2] = node->inputs[0];
  fv_ir_remove_node (ir, node);
  if (!(in[0] = reshaped (ir, in[0], &mask, error))
      || (in[1]->shape.rank && !(in[1] = reshaped (ir, in[1], &data, error))))
    return FALSE;
  where = fv_ir_add_node (ir, fv_op_get ("Where"), node->name, in, 3, &out, 1);
  return fv_node_infer (where, error);
}

static gboolean
follow (FvSelections *s, FvNode *node, const Rows *like, gboolean *done,
    GError **error)
{
  static const char *const moves[] = { "Identity", "Cast", "Transpose",
    "Unsqueeze", "Squeeze", "Slice", "Split", "Concat", "Gather", NULL };
  static const char *const size_moves[] = { "Where", "Reshape", NULL };
  static const char *const elementwise[] = { "Identity", "Cast", "Add", "Sub",
    "Mul", "Div", "Mod", "Neg", "Abs", "Min", "Max", "Not", "And", "Or", "Xor",
    "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Where",
    "Sigmoid", "Relu", NULL };
  gboolean of_sizes = like->axis < 0;

  if (fv_node_is (node, "Shape")) {
    if (!of_sizes)
      follow_shape (s, node, like);
    return TRUE; /* how many sizes there are is known */
  }
  if (fv_node_is (node, "ScatterND"))
    return *done = close_scatter (s, node, error);
  if (fv_node_is (node, "Expand"))
    return follow_expand (s, node, like);
  if (fv_node_is (node, "Reshape") && !of_sizes)
    return follow_reshape (s, node, like);
  if (fv_node_is (node, "ConstantOfShape")) {
    if (only_size (like) >= 0)
      remember (s, node->outputs[0], like, only_size (like), 0);
    return only_size (like) >= 0;
  }
  if ((fv_node_is (node, "Gather") || fv_node_is (node, "GatherND"))
      && rows_of (s, node, 1))
    return follow_gather (s, node, like);
  if (of_sizes && fv_node_is (node, "Equal"))
    return follow_equal (s, node);
  if (!of_sizes && is_among (node, elementwise))
    return follow_elementwise (s, node, like);
  return (is_among (node, moves) || (of_sizes && is_among (node, size_moves)))
      && follow_move (s, node, like);
}

gboolean
fv_selections_follow (FvSelections *s, FvNode *node, gboolean *done,
    GError **error)
{
  const Rows *like = NULL;
  gboolean ok = TRUE;

  *done = FALSE;
  for (guint i = 0; s && i < node->n_inputs; i++) {
    const Rows *rows = rows_of (s, node, i);

    ok &= !like || !rows || rows->mask == like->mask;
    like = like ? like : rows;
  }
  if (!like || (ok && follow (s, node, like, done, error)))
    return TRUE;
  g_hash_table_add (s->refused, (gpointer) like->from);
  g_clear_error (error);
  return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
      "reads a shape that depends on data, through '%s'", like->from->name);
}

gboolean
fv_selections_check (FvSelections *s, const FvValue *value, GError **error)
{
  const Rows *rows = s ? g_hash_table_lookup (s->rows, value) : NULL;

  if (!rows)
    return TRUE;
  g_hash_table_add (s->refused, (gpointer) rows->from);
  g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
      "'%s' has a shape that depends on data, through '%s'", value->name,
      rows->from->name);
  return FALSE;
}
