/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Channels that are picked out of a Concat, as shuffled ones are: they are made in
 * an order in which a convolution reads those that it needs beside each other. */
#include "gst/engine/ir-private.h"

#include <string.h>

/* The Concat y of blocks 0 and 1, whose channels are split up: the convolutions
 * behind one value read some ("near"), and other Concats get others. It becomes
 *
 *     far of block 0 | near of block 0, near of block 1 | far of block 1
 *
 * where the convolutions' part starts at a multiple of four, as block 1 does: what
 * is missing for that stands in the middle of block 0 and weighs nothing. */
typedef struct
{
  FvNode *concat;
  gint64 unit; /* elements of a channel */
  FvMoves moves;
  FvValue *read; /* what the convolutions read */
  GPtrArray *passed; /* what other Concats get */
  FvValue *sources[2]; /* what blocks are picked from; NULL: made by a Conv */
  gint64 *picks[2]; /* which of its channels */
  gint64 *places; /* of y's channels: where they come to lie */
  gint64 n_channels; /* of y before */
  gint64 start, size; /* of what the convolutions read then */
  gint64 *orders[2]; /* of each block's channels, -1: none of them */
  gint64 sizes[2]; /* of orders */
} Shuffle;

static gint64
round_up (gint64 n)
{
  return (n + 3) & ~(gint64) 3;
}

/* A map of one image, with as large channels as @unit tells. */
static gboolean
is_map (const FvValue *value, gint64 unit)
{
  return value->shape.rank >= 3 && value->shape.dims[0] == 1
      && value->shape.dims[1] > 0 && fv_type_is_float (value->type)
      && fv_shape_count (&value->shape) == unit * value->shape.dims[1];
}

static gboolean
is_plain_conv (const FvNode *node)
{
  return fv_node_is (node, "Conv") && fv_node_int (node, "group") == 1
      && fv_node_constant (node, 1)
      && (!fv_node_input (node, 2) || fv_node_constant (node, 2));
}

static gboolean
is_channel_concat (const FvNode *node)
{
  gint64 axis;

  if (!fv_node_is (node, "Concat") || node->n_steps)
    return FALSE;
  axis = fv_node_int (node, "axis");
  return axis == 1 || axis == 1 - (gint64) node->outputs[0]->shape.rank;
}

/* Where @value goes that is picked from y. */
static gboolean
note_pick (Shuffle *s, FvValue *value)
{
  gboolean all_read = TRUE;

  if (value->is_output || !is_map (value, s->unit)
      || value->shape.rank != s->concat->outputs[0]->shape.rank)
    return FALSE;
  for (guint i = 0; i < value->users->len; i++) {
    FvNode *user = value->users->pdata[i];

    all_read &= is_plain_conv (user) && user->inputs[0] == value;
  }
  if (all_read && !s->read) {
    s->read = value;
    return TRUE;
  }
  g_ptr_array_add (s->passed, value);
  return value->users->len == 1 && is_channel_concat (value->users->pdata[0]);
}

/* All that is picked from y; FALSE where something else reads it. */
static gboolean
find_picks (Shuffle *s)
{
  g_autoptr (GPtrArray) open = g_ptr_array_new ();

  g_ptr_array_add (open, s->concat->outputs[0]);
  for (guint k = 0; k < open->len; k++) {
    FvValue *value = open->pdata[k];
    guint n_moves = 0;

    if (value->is_output || open->len > FV_MOVES_CHAIN)
      return FALSE;
    for (guint i = 0; i < value->users->len; i++) {
      FvNode *user = value->users->pdata[i];

      if (!fv_is_move (user, FV_MOVES_CHANNELS) || user->inputs[0] != value)
        continue;
      n_moves++;
      for (guint o = 0; o < user->n_outputs; o++)
        if (user->outputs[o]
            && !g_ptr_array_find (open, user->outputs[o], NULL))
          g_ptr_array_add (open, user->outputs[o]);
    }
    if (n_moves ? n_moves != value->users->len
                : value->users->len && !note_pick (s, value))
      return FALSE;
  }
  return s->read != NULL;
}

/* Where block @b is picked from another value: which of its channels, and from
 * where. */
static gboolean
find_source (Shuffle *s, guint b)
{
  FvValue *block = s->concat->inputs[b], *source = block;
  FvArray *labels;
  FvMoves moves;

  for (guint i = 0;
       i < FV_MOVES_CHAIN && fv_is_move (source->producer, FV_MOVES_CHANNELS);
       i++)
    source = source->producer->inputs[0];
  if (!is_map (source, s->unit) || source->constant)
    return FALSE;
  moves = fv_moves_begin (source, s->unit, FV_MOVES_CHANNELS);
  labels = fv_moves_labels (&moves, block);
  s->sources[b] = source;
  s->picks[b] = labels ? g_new (gint64, labels->count) : NULL;
  for (gint64 i = 0; labels && i < labels->count; i++)
    s->picks[b][i] = (gint64) labels->f32[i] - 1;
  fv_moves_end (&moves);
  return s->picks[b] != NULL;
}

/* Block @b is made by a convolution, or picked from another value. */
static gboolean
can_reorder (Shuffle *s, guint b)
{
  const FvValue *block = s->concat->inputs[b];
  const FvNode *node = block->producer;

  if (!is_map (block, s->unit))
    return FALSE;
  if (fv_is_move (node, FV_MOVES_CHANNELS))
    return find_source (s, b);
  return node && is_plain_conv (node) && node->n_inputs == node->n_own_inputs
      && block->users->len == 1 && !block->is_output;
}

/* TRUE where a view has these channels already, or one of them is missing. */
static gboolean
is_plain_slice (const FvArray *labels)
{
  gboolean plain = ((gint64) labels->f32[0] - 1) % 4 == 0;

  for (gint64 i = 0; i < labels->count; i++) {
    if (labels->f32[i] < 1)
      return TRUE;
    plain = plain && labels->f32[i] == labels->f32[0] + i;
  }
  return plain;
}

/* Puts channel @c of y, the @i-th of block @b, behind that block's others. */
static void
append (Shuffle *s, guint b, gint64 c, gint64 i)
{
  s->places[c] = s->sizes[b] + (b ? s->sizes[0] : 0);
  s->orders[b][s->sizes[b]++] = i;
}

static void
append_those (Shuffle *s, guint b, const gboolean *near, gboolean which)
{
  gint64 start = b ? s->concat->inputs[0]->shape.dims[1] : 0;
  gint64 n = s->concat->inputs[b]->shape.dims[1];

  for (gint64 i = 0; i < n; i++)
    if (near[start + i] == which)
      append (s, b, start + i, i);
}

/* FALSE where the convolutions would have to read much more than they need. */
static gboolean
choose_order (Shuffle *s, const FvArray *labels)
{
  g_autofree gboolean *near = g_new0 (gboolean, s->n_channels);
  gint64 n = s->concat->inputs[0]->shape.dims[1], n_near = 0, wanted;

  for (gint64 i = 0; i < labels->count; i++) {
    gint64 c = (gint64) labels->f32[i] - 1;

    if (near[c])
      return FALSE;
    near[c] = TRUE;
    n_near += c < n;
  }
  for (guint b = 0; b < 2; b++)
    s->orders[b] = g_new (gint64, s->concat->inputs[b]->shape.dims[1] + 8);
  append_those (s, 0, near, FALSE);
  s->start = round_up (s->sizes[0]);
  while ((s->sizes[0] + n_near) % 4 || s->sizes[0] < s->start)
    s->orders[0][s->sizes[0]++] = -1;
  append_those (s, 0, near, TRUE);
  append_those (s, 1, near, TRUE);
  wanted = round_up (s->sizes[0] + s->sizes[1] - s->start);
  append_those (s, 1, near, FALSE);
  s->size = MIN (wanted, s->sizes[0] + s->sizes[1] - s->start);
  return s->size <= round_up (labels->count) * 5 / 4;
}

/* @from, whose axis @axis gets the channels in @order; zeroes for those below 0. */
static FvValue *
reorder_weights (FvIr *ir, const FvValue *from, guint axis, const gint64 *order,
    gint64 n, GError **error)
{
  g_autoptr (FvArray) w = fv_value_floats (from, error);
  FvShape shape = from->shape;
  gint64 inner = 1, size = shape.dims[axis], outer;
  FvArray *to;
  FvValue *value;

  shape.dims[axis] = n;
  if (!w || !(value = fv_ir_add_floats (ir, from->name, &shape, &to)))
    return NULL;
  for (guint i = axis + 1; i < shape.rank; i++)
    inner *= shape.dims[i];
  outer = w->count / MAX (inner * size, 1);
  for (gint64 o = 0; o < outer; o++)
    for (gint64 k = 0; k < n; k++)
      if (order[k] >= 0)
        memcpy (to->f32 + (o * n + k) * inner,
            w->f32 + (o * size + order[k]) * inner, inner * sizeof (float));
  return value;
}

/* The convolution makes its channels in that order. */
static gboolean
reorder_outputs (FvIr *ir, FvNode *conv, const gint64 *order, gint64 n,
    GError **error)
{
  for (guint i = 1; i < 3; i++) {
    FvValue *from = fv_node_input (conv, i), *to;

    if (!from)
      continue;
    if (!(to = reorder_weights (ir, from, 0, order, n, error)))
      return FALSE;
    fv_node_set_input (conv, i, to);
  }
  return fv_node_infer (conv, error);
}

/* The channels @indices of @from, behind @after. */
static FvValue *
emit_gather (FvIr *ir, FvNode *after, FvValue *from, const gint64 *indices,
    gint64 n, GError **error)
{
  FvEmit emit = { ir, from->name, after, NULL, error };
  FvValue *inputs[2] = { from, fv_emit_ints (&emit, indices, n) };
  FvNode *node = fv_emit_begin (&emit, "Gather", inputs, 2);

  fv_node_set_int (node, "axis", 1);
  return fv_emit_end (&emit, node);
}

static gboolean
reorder_block (Shuffle *s, guint b, GError **error)
{
  const gint64 *order = s->orders[b];
  gint64 n = s->sizes[b];
  g_autofree gint64 *indices = g_new (gint64, n);
  FvValue *source = s->sources[b], *made;

  if (!source)
    return reorder_outputs (s->concat->ir, s->concat->inputs[b]->producer,
        order, n, error);
  /* for a channel that weighs nothing, one that the convolutions read anyway */
  for (gint64 k = 0; k < n; k++)
    indices[k] = s->picks[b][MAX (order[k] < 0 ? order[n - 1] : order[k], 0)];
  made =
      emit_gather (s->concat->ir, source->producer, source, indices, n, error);
  if (made)
    fv_node_set_input (s->concat, b, made);
  return made != NULL;
}

/* The convolutions read that part of y, and weigh what they need of it. */
static gboolean
reorder_readers (Shuffle *s, GError **error)
{
  FvIr *ir = s->concat->ir;
  FvArray *labels = fv_moves_labels (&s->moves, s->read);
  g_autofree gint64 *order = g_new (gint64, s->size);
  g_autoptr (GPtrArray) users = g_ptr_array_copy (s->read->users, NULL, NULL);
  FvEmit emit = { ir, s->read->name, s->concat, NULL, error };
  gint64 end = s->start + s->size, axis = 1;
  FvValue *part = fv_emit_end (&emit,
      fv_emit_begin (&emit, "Slice",
          (FvValue *[]){ s->concat->outputs[0],
              fv_emit_ints (&emit, &s->start, 1), fv_emit_ints (&emit, &end, 1),
              fv_emit_ints (&emit, &axis, 1) },
          4));

  for (gint64 k = 0; k < s->size; k++)
    order[k] = -1;
  for (gint64 i = 0; i < labels->count; i++)
    order[s->places[(gint64) labels->f32[i] - 1] - s->start] = i;
  for (guint i = 0; part && i < users->len; i++) {
    FvNode *conv = users->pdata[i];
    FvValue *weights =
        reorder_weights (ir, conv->inputs[1], 1, order, s->size, error);

    if (!weights)
      return FALSE;
    fv_node_set_input (conv, 0, part);
    fv_node_set_input (conv, 1, weights);
    if (!fv_node_infer (conv, error))
      return FALSE;
  }
  return part != NULL;
}

/* Other Concats get their channels from where they lie now. */
static gboolean
reorder_passed (Shuffle *s, FvValue *value, GError **error)
{
  FvArray *labels = fv_moves_labels (&s->moves, value);
  g_autofree gint64 *indices = g_new (gint64, labels->count);
  FvValue *made;

  for (gint64 i = 0; i < labels->count; i++)
    indices[i] = s->places[(gint64) labels->f32[i] - 1];
  made = emit_gather (s->concat->ir, s->concat, s->concat->outputs[0], indices,
      labels->count, error);
  if (made)
    fv_ir_replace_value (s->concat->ir, value, made);
  return made != NULL;
}

/* Whether all of it can be done, and is worth it. */
static gboolean
examine (Shuffle *s)
{
  FvValue *y = s->concat->outputs[0];
  FvArray *labels;

  if (!is_channel_concat (s->concat) || s->concat->n_own_inputs != 2
      || s->concat->inputs[0] == s->concat->inputs[1] || y->shape.rank < 3
      || y->shape.dims[1] < 1)
    return FALSE;
  s->n_channels = y->shape.dims[1];
  s->unit = fv_shape_count (&y->shape) / s->n_channels;
  if (s->unit < 1 || !is_map (y, s->unit) || !find_picks (s)
      || !can_reorder (s, 0) || !can_reorder (s, 1))
    return FALSE;
  s->moves = fv_moves_begin (y, s->unit, FV_MOVES_CHANNELS);
  for (guint i = 0; i < s->passed->len; i++) {
    labels = fv_moves_labels (&s->moves, s->passed->pdata[i]);
    for (gint64 k = 0; labels && k < labels->count; k++)
      if (labels->f32[k] < 1)
        labels = NULL;
    if (!labels)
      return FALSE;
  }
  labels = fv_moves_labels (&s->moves, s->read);
  if (!labels || labels->count < 1 || is_plain_slice (labels))
    return FALSE;
  s->places = g_new0 (gint64, s->n_channels);
  return choose_order (s, labels);
}

static gint
reorder (Shuffle *s, GError **error)
{
  if (!examine (s))
    return 0;
  if (!reorder_block (s, 0, error) || !reorder_block (s, 1, error)
      || !fv_node_infer (s->concat, error) || !reorder_readers (s, error))
    return -1;
  for (guint i = 0; i < s->passed->len; i++)
    if (!reorder_passed (s, s->passed->pdata[i], error))
      return -1;
  return 1;
}

static void
shuffle_clear (Shuffle *s)
{
  g_ptr_array_unref (s->passed);
  if (s->moves.labels)
    fv_moves_end (&s->moves);
  for (guint b = 0; b < 2; b++) {
    g_free (s->picks[b]);
    g_free (s->orders[b]);
  }
  g_free (s->places);
}

gint
fv_pass_channels (FvIr *ir, GError **error)
{
  gint changes = 0;

  for (guint i = 0; i < ir->nodes->len; i++) {
    Shuffle s = { .concat = ir->nodes->pdata[i], .passed = g_ptr_array_new () };
    gint done = reorder (&s, error);

    shuffle_clear (&s);
    if (done < 0 || (done && fv_pass_dead (ir, error) < 0))
      return -1;
    changes += done;
  }
  return changes;
}
