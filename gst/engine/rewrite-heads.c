/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Heads of attention whose width is no multiple of four get channels of zeroes, in
 * the weights around it: each head is then whole vec4 units of the products' rows,
 * and is read and written where it lies. */
#include "gst/engine/ir-private.h"

#include <string.h>

#define MAX_ELEMENTS ((gint64) 1 << 22) /* that are followed one by one */

/* [batch, rows, width] of an input or output of attention; batch: images x heads */
typedef struct
{
  gint64 batch, rows, width, padded;
} Heads;

/* Where an input of attention comes from. */
typedef struct
{
  FvNode *maker; /* a Linear, or a 1x1 convolution */
  FvValue *value; /* the input */
  Heads heads;
  gint64 images;
  gint64 *channels; /* owned: of @maker, for each head and element */
} Part;

static void
part_clear (Part *part)
{
  g_free (part->channels);
}

static Heads
heads_of (const FvShape *shape)
{
  Heads h = { 1, shape->dims[shape->rank - 2], shape->dims[shape->rank - 1],
    (shape->dims[shape->rank - 1] + 3) / 4 * 4 };

  for (guint i = 0; i + 2 < shape->rank; i++)
    h.batch *= shape->dims[i];
  return h;
}

static gboolean
is_constant_or_absent (const FvNode *node, guint i)
{
  return !fv_node_input (node, i) || fv_node_constant (node, i);
}

/* A product with constants, its channels the last axis or the second. */
static gboolean
is_maker (const FvNode *node)
{
  const FvShape *w, *y;

  if (!node || node->n_steps || !fv_node_constant (node, 1)
      || !is_constant_or_absent (node, 2))
    return FALSE;
  w = &node->inputs[1]->shape;
  y = &node->outputs[0]->shape;
  return fv_node_is (node, "fovea.Linear")
      || (fv_node_is (node, "Conv") && y->rank == 4 && w->dims[2] == 1
          && w->dims[3] == 1 && fv_node_int (node, "group") == 1
          && y->dims[2] == node->inputs[0]->shape.dims[2]
          && y->dims[3] == node->inputs[0]->shape.dims[3]);
}

/* Nothing but @node reads what @value is moved to. */
static gboolean
leads_only_to (const FvValue *value, const FvNode *node, guint depth)
{
  if (value->is_output || depth > FV_MOVES_CHAIN)
    return FALSE;
  for (guint i = 0; i < value->users->len; i++) {
    const FvNode *user = value->users->pdata[i];

    if (user == node)
      continue;
    if (!fv_is_move (user, FV_MOVES_CHANNELS))
      return FALSE;
    for (guint k = 0; k < user->n_outputs; k++)
      if (user->outputs[k]
          && !leads_only_to (user->outputs[k], node, depth + 1))
        return FALSE;
  }
  return TRUE;
}

/* From @labels, which element of @source stands where: the channels, if rows are in
 * order. */
static gboolean
find_channels (Part *part, const FvValue *source, const FvArray *labels)
{
  gboolean last = fv_node_is (part->maker, "fovea.Linear");
  gint64 n = source->shape.dims[last ? source->shape.rank - 1 : 1];
  gint64 rows = part->heads.rows, width = part->heads.width, heads;
  gint64 of_row = last ? n : 1, of_channel = last ? 1 : rows;

  part->images = fv_shape_count (&source->shape) / MAX (rows * n, 1);
  if (part->images < 1 || part->heads.batch % part->images
      || part->images * rows * n != fv_shape_count (&source->shape))
    return FALSE;
  heads = part->heads.batch / part->images;
  part->channels = g_new (gint64, heads * width);
  for (gint64 i = 0; i < heads * width; i++) {
    gint64 at = labels->f32[i / width * rows * width + i % width] - 1;

    if (at < 0 || at % of_channel || at / of_channel >= n)
      return FALSE;
    part->channels[i] = at / of_channel;
  }
  for (gint64 i = 0; i < labels->count; i++) {
    gint64 k = i % width, row = i / width % rows, head = i / width / rows;
    gint64 channel = part->channels[head % heads * width + k];

    if (labels->f32[i] - 1
        != head / heads * rows * n + row * of_row + channel * of_channel)
      return FALSE;
  }
  return TRUE;
}

static gboolean
find_part (const FvNode *attention, guint i, Part *part)
{
  FvValue *value = attention->inputs[i], *source = value;
  FvArray *labels;
  FvMoves trace;
  gboolean found;

  *part = (Part){ .value = value, .heads = heads_of (&value->shape) };
  for (guint k = 0;
       k < FV_MOVES_CHAIN && fv_is_move (source->producer, FV_MOVES_CHANNELS);
       k++)
    source = source->producer->inputs[0];
  part->maker = source->producer;
  if (!is_maker (part->maker) || !leads_only_to (source, attention, 0)
      || fv_shape_count (&source->shape) > MAX_ELEMENTS || part->heads.width < 1
      || 3 * part->heads.padded > 4 * part->heads.width)
    return FALSE;
  trace = fv_moves_begin (source, 1, FV_MOVES_CHANNELS);
  labels = fv_moves_labels (&trace, value);
  found = labels && find_channels (part, source, labels);
  fv_moves_end (&trace);
  return found;
}

/* @from's rows of the part's channels, and rows of zeroes between the heads. */
static FvValue *
pad_rows (FvIr *ir, const Part *part, const FvValue *from, GError **error)
{
  const Heads *h = &part->heads;
  gint64 heads = h->batch / part->images, row;
  FvShape shape = from->shape;
  g_autoptr (FvArray) array = fv_value_floats (from, error);
  FvArray *to;
  FvValue *value;

  shape.dims[0] = heads * h->padded;
  if (!array || !(value = fv_ir_add_floats (ir, from->name, &shape, &to)))
    return NULL;
  row = to->count / shape.dims[0];
  memset (to->f32, 0, to->count * sizeof (float));
  for (gint64 i = 0; i < heads * h->width; i++)
    memcpy (to->f32 + (i / h->width * h->padded + i % h->width) * row,
        array->f32 + part->channels[i] * row, row * sizeof (float));
  return value;
}

/* The part's own product, as an input of attention with padded rows. */
static FvValue *
emit_part (FvIr *ir, const Part *part, GError **error)
{
  static const gint64 from_rows[] = { 0, 2, 1, 3 }, from_map[] = { 0, 1, 3, 2 };
  FvNode *maker = part->maker;
  FvEmit emit = { ir, maker->name, maker, NULL, error };
  gboolean linear = fv_node_is (maker, "fovea.Linear");
  gint64 heads = part->heads.batch / part->images;
  gint64 split[] = { part->images, linear ? part->heads.rows : heads,
    linear ? heads : part->heads.padded,
    linear ? part->heads.padded : part->heads.rows };
  FvValue *in[3] = { maker->inputs[0], NULL, NULL }, *y;
  FvShape shape = part->value->shape;
  guint n = fv_node_input (maker, 2) ? 3 : 2;

  for (guint i = 1; i < n; i++)
    if (!(in[i] = pad_rows (ir, part, maker->inputs[i], error)))
      return NULL;
  y = fv_emit_end (&emit, fv_emit_begin (&emit, maker->op->name, in, n));
  y = fv_emit_reshape (&emit, y, split, 4);
  y = y ? fv_emit_transpose (&emit, y, linear ? from_rows : from_map) : NULL;
  shape.dims[shape.rank - 1] = part->heads.padded;
  return fv_emit_reshape (&emit, y, shape.dims, shape.rank);
}

/* The Linear that alone reads what @y is moved to: rows with the heads beside each
 * other. (nullable) */
static FvNode *
find_reader (FvValue *y, const Heads *h, gint64 images)
{
  gint64 heads = h->batch / images, width = heads * h->width;
  FvValue *target = y;
  FvNode *user = fv_only_user (y, NULL);
  gboolean fits;
  FvArray *labels;
  FvMoves trace;

  while (user && fv_is_move (user, FV_MOVES_CHANNELS) && user->n_outputs == 1) {
    target = user->outputs[0];
    user = fv_only_user (target, NULL);
  }
  if (!fv_node_is (user, "fovea.Linear") || !is_maker (user)
      || user->inputs[0] != target
      || target->shape.dims[target->shape.rank - 1] != width
      || fv_shape_count (&y->shape) > MAX_ELEMENTS)
    return NULL;
  trace = fv_moves_begin (y, 1, FV_MOVES_CHANNELS);
  labels = fv_moves_labels (&trace, target);
  fits = labels && labels->count == fv_shape_count (&y->shape);
  for (gint64 i = 0; fits && i < labels->count; i++) {
    gint64 c = i % width, row = i / width % h->rows;
    gint64 head = i / width / h->rows * heads + c / h->width;

    fits =
        labels->f32[i] - 1 == (head * h->rows + row) * h->width + c % h->width;
  }
  fv_moves_end (&trace);
  return fits ? user : NULL;
}

/* @linear reads padded heads @y: columns of zeroes between its own. */
static gboolean
widen_reader (FvIr *ir, FvEmit *emit, FvNode *linear, FvValue *y,
    const Heads *h, gint64 images)
{
  static const gint64 rows_first[] = { 0, 2, 1, 3 };
  gint64 heads = h->batch / images, n = linear->inputs[1]->shape.dims[0];
  gint64 dims[] = { images, heads, h->rows, h->padded }, k = heads * h->width;
  FvShape w_shape = { 2, { n, heads * h->padded } };
  FvShape shape = linear->inputs[0]->shape;
  g_autoptr (FvArray) from = fv_value_floats (linear->inputs[1], emit->error);
  FvValue *in[3] = { NULL, NULL, fv_node_input (linear, 2) };
  FvArray *to;
  FvNode *wide;

  if (!from
      || !(in[1] =
               fv_ir_add_floats (ir, linear->inputs[1]->name, &w_shape, &to)))
    return FALSE;
  memset (to->f32, 0, to->count * sizeof (float));
  for (gint64 i = 0; i < n * k; i++)
    to->f32[(i / h->width) * h->padded + i % h->width] = from->f32[i];
  y = fv_emit_reshape (emit, y, dims, 4);
  y = y ? fv_emit_transpose (emit, y, rows_first) : NULL;
  shape.dims[shape.rank - 1] = w_shape.dims[1];
  if (!(in[0] = fv_emit_reshape (emit, y, shape.dims, shape.rank)))
    return FALSE;
  wide = fv_ir_supersede (ir, linear, "fovea.Linear", in, in[2] ? 3 : 2,
      emit->error);
  fv_ir_remove_node (ir, linear);
  return fv_node_infer (wide, emit->error);
}

/* The first @width elements of @y's rows, which are all that is not zero. */
static FvValue *
emit_narrow (FvEmit *emit, FvValue *y, gint64 width)
{
  gint64 zero = 0, axis = -1;
  FvValue *in[] = { y, fv_emit_ints (emit, &zero, 1),
    fv_emit_ints (emit, &width, 1), fv_emit_ints (emit, &axis, 1) };

  return fv_emit_end (emit, fv_emit_begin (emit, "Slice", in, 4));
}

static gboolean
pad_heads (FvIr *ir, FvNode *node, const Part parts[3], GError **error)
{
  FvEmit emit = { ir, node->name, node, NULL, error };
  Heads h = parts[2].heads;
  FvNode *reader, *wide;
  FvValue *in[5] = { NULL, NULL, NULL, fv_node_input (node, 3),
    fv_node_input (node, 4) };
  FvValue *y;

  h.rows = parts[0].heads.rows;
  reader = find_reader (node->outputs[0], &h, parts[0].images);
  for (guint i = 0; i < 3; i++)
    if (!(in[i] = emit_part (ir, &parts[i], error)))
      return FALSE;
  wide = fv_emit_begin (&emit, "fovea.Attention", in, 5);
  fv_node_set_float (wide, "scale", fv_node_float (node, "scale"));
  fv_node_set_int (wide, "normalize", fv_node_int (node, "normalize"));
  fv_node_set_float (wide, "least", fv_node_float (node, "least"));
  if (!(y = fv_emit_end (&emit, wide)))
    return FALSE;
  if (reader && h.padded != h.width)
    return widen_reader (ir, &emit, reader, y, &h, parts[0].images);
  if (h.padded != h.width && !(y = emit_narrow (&emit, y, h.width)))
    return FALSE;
  fv_ir_replace_value (ir, node->outputs[0], y);
  return TRUE;
}

static gint
rewrite (FvIr *ir, FvNode *node, GError **error)
{
  Part parts[3] = { 0 };
  gboolean fits = FALSE;
  gint done = 0;

  for (guint i = 0; i < 3; i++)
    fits |= node->inputs[i]->shape.dims[node->inputs[i]->shape.rank - 1] % 4;
  for (guint i = 0; fits && i < 3; i++)
    fits = find_part (node, i, &parts[i]);
  fits = fits && parts[0].images == parts[1].images
      && parts[0].images == parts[2].images;
  if (fits)
    done = pad_heads (ir, node, parts, error) ? 1 : -1;
  for (guint i = 0; i < 3; i++)
    part_clear (&parts[i]);
  return done;
}

gint
fv_pass_heads (FvIr *ir, GError **error)
{
  gint changes = 0;

  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i];
    gint done = fv_node_is (node, "fovea.Attention") && !node->n_steps
        ? rewrite (ir, node, error)
        : 0;

    if (done < 0 || (done && fv_pass_dead (ir, error) < 0))
      return -1;
    changes += done;
  }
  return changes;
}
