/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Einsum becomes products of matrices, sums and permutations, which have kernels
 * and take part in all other passes. */
#include "gst/engine/einsum.h"
#include "gst/engine/ir-private.h"

#include <string.h>

/* What is made in place of one Einsum, in order. */
typedef struct
{
  FvEmit emit;
  const FvEinsum *einsum;
} Chain;

/* A tensor with one axis per label, all of the label's size. */
typedef struct
{
  FvValue *value;
  FvEinsumTerm labels;
} Factor;

static guint64
bit (guint label)
{
  return (guint64) 1 << label;
}

/* The labels of @term that stand in @set, behind those of @to. */
static void
append (FvEinsumTerm *to, const FvEinsumTerm *term, guint64 set)
{
  for (guint i = 0; i < term->n; i++)
    if (set & bit (term->at[i]))
      to->at[to->n++] = term->at[i];
}

static gboolean
reshape (Chain *chain, FvValue **value, const gint64 *dims, guint rank)
{
  *value = fv_emit_reshape (&chain->emit, *value, dims, rank);
  return *value != NULL;
}

/* Reshapes to an axis per label. */
static gboolean
unfold (Chain *chain, Factor *factor)
{
  gint64 dims[FV_MAX_RANK];

  for (guint i = 0; i < factor->labels.n; i++)
    dims[i] = chain->einsum->size[factor->labels.at[i]];
  return reshape (chain, &factor->value, dims, factor->labels.n);
}

/* @order holds the same labels as @factor. */
static gboolean
permute (Chain *chain, Factor *factor, const FvEinsumTerm *order)
{
  gint64 perm[FV_MAX_RANK];

  for (guint i = 0; i < order->n; i++)
    for (guint k = 0; k < order->n; k++)
      if (factor->labels.at[k] == order->at[i])
        perm[i] = k;
  factor->labels = *order;
  factor->value = fv_emit_transpose (&chain->emit, factor->value, perm);
  return factor->value != NULL;
}

/* Sums over all labels that do not stand in @kept. */
static gboolean
reduce (Chain *chain, Factor *factor, guint64 kept)
{
  FvEinsumTerm labels = { 0 };
  gint64 axes[FV_MAX_RANK];
  FvNode *node;
  guint n = 0;

  for (guint i = 0; i < factor->labels.n; i++)
    if (!(kept & bit (factor->labels.at[i])))
      axes[n++] = i;
  if (n == 0)
    return TRUE;
  append (&labels, &factor->labels, kept);
  factor->labels = labels;
  node = fv_emit_begin (&chain->emit, "ReduceSum",
      (FvValue *[]){ factor->value, fv_emit_ints (&chain->emit, axes, n) }, 2);
  fv_node_set_int (node, "keepdims", 0);
  factor->value = fv_emit_end (&chain->emit, node);
  return factor->value != NULL;
}

static char
letter (guint label)
{
  return label < 26 ? 'a' + label : 'A' + label - 26;
}

/* Takes the diagonal where a label stands twice. */
static gboolean
take_diagonal (Chain *chain, Factor *factor)
{
  g_autoptr (GString) equation = g_string_new (NULL);
  FvAttr attr = { .name = (char *) "equation", .kind = FV_ATTR_STRING };
  FvModelNode from = { .n_attrs = 1, .attrs = &attr };
  FvEinsumTerm once = { 0 };
  FvNode *node;

  for (guint i = 0; i < factor->labels.n; i++) {
    guint label = factor->labels.at[i];

    g_string_append_c (equation, letter (label));
    if (!(fv_einsum_labels (&once) & bit (label)))
      once.at[once.n++] = label;
  }
  if (once.n == factor->labels.n)
    return TRUE;
  g_string_append (equation, "->");
  for (guint i = 0; i < once.n; i++)
    g_string_append_c (equation, letter (once.at[i]));
  attr.s = equation->str;
  factor->labels = once;
  node = fv_emit_begin (&chain->emit, "Einsum", &factor->value, 1);
  if (!fv_node_take_attrs (node, &from, chain->emit.error))
    return FALSE;
  factor->value = fv_emit_end (&chain->emit, node);
  return factor->value != NULL;
}

/* Axes along which an operand broadcasts are left out of it. */
static gboolean
begin_factor (Chain *chain, guint i, FvValue *value, Factor *factor)
{
  const FvEinsum *e = chain->einsum;
  FvEinsumTerm labels = { 0 };
  guint64 full = 0;

  *factor = (Factor){ value, e->operand[i] };
  if (!take_diagonal (chain, factor))
    return FALSE;
  for (guint k = 0; k < factor->labels.n; k++)
    if (factor->value->shape.dims[k] == e->size[factor->labels.at[k]])
      full |= bit (factor->labels.at[k]);
  append (&labels, &factor->labels, full);
  factor->labels = labels;
  return unfold (chain, factor);
}

/* Without labels to sum over: both broadcast to all labels, in the order of
 * @wanted. */
static gboolean
multiply (Chain *chain, Factor *a, Factor *b, const FvEinsumTerm *wanted)
{
  Factor *both[2] = { a, b };

  for (guint i = 0; i < 2; i++) {
    guint64 own = fv_einsum_labels (&both[i]->labels);
    FvEinsumTerm order = { 0 };
    gint64 dims[FV_MAX_RANK];

    append (&order, wanted, own);
    for (guint k = 0; k < wanted->n; k++)
      dims[k] =
          own & bit (wanted->at[k]) ? chain->einsum->size[wanted->at[k]] : 1;
    if (!permute (chain, both[i], &order)
        || !reshape (chain, &both[i]->value, dims, wanted->n))
      return FALSE;
  }
  a->labels = *wanted;
  a->value = fv_emit (&chain->emit, "Mul", a->value, b->value);
  return a->value != NULL;
}

static gint64
size_of (const Chain *chain, const FvEinsumTerm *term, guint first, guint last)
{
  gint64 size = 1;

  for (guint i = first; i < last; i++)
    size *= chain->einsum->size[term->at[i]];
  return size;
}

/* Brings a factor into the shape [batch..., rows, columns], of which @order holds
 * the labels: @n_batch, then @n_rows, then the rest. @keep: rows stay apart. */
static gboolean
fold_matrix (Chain *chain, Factor *factor, const FvEinsumTerm *order,
    guint n_batch, guint n_rows, gboolean keep)
{
  gint64 dims[FV_MAX_RANK];
  guint rank = 0, columns = n_batch + n_rows;

  if (n_batch + 2 > FV_MAX_RANK)
    dims[rank++] = size_of (chain, order, 0, n_batch);
  else
    for (guint i = 0; i < n_batch; i++)
      dims[rank++] = size_of (chain, order, i, i + 1);
  if (keep)
    for (guint i = n_batch; i < columns; i++)
      dims[rank++] = size_of (chain, order, i, i + 1);
  else
    dims[rank++] = size_of (chain, order, n_batch, columns);
  dims[rank++] = size_of (chain, order, columns, order->n);
  return permute (chain, factor, order)
      && reshape (chain, &factor->value, dims, rank);
}

/* The product of both, summed over the labels that do not stand in @kept. */
static gboolean
multiply_matrices (Chain *chain, Factor *a, Factor *b, guint64 kept)
{
  guint64 in_a = fv_einsum_labels (&a->labels);
  guint64 in_b = fv_einsum_labels (&b->labels), shared = in_a & in_b;
  FvEinsumTerm batch = { 0 }, left = { 0 }, right = { 0 }, result;
  guint n_batch, n_rows, n_sum;
  gboolean keep;

  append (&batch, &a->labels, shared & kept);
  n_batch = batch.n;
  left = right = batch;
  append (&left, &a->labels, in_a & ~shared);
  n_rows = left.n - n_batch;
  result = left;
  append (&left, &a->labels, shared & ~kept);
  n_sum = left.n - n_batch - n_rows;
  append (&right, &left, shared & ~kept);
  append (&right, &b->labels, in_b & ~shared);
  if (result.n + right.n - n_batch - n_sum > FV_MAX_RANK)
    return fv_node_fail (chain->emit.last, chain->emit.error,
        FV_ERROR_UNSUPPORTED, "a product of rank over %d", FV_MAX_RANK);
  append (&result, &b->labels, in_b & ~shared);
  keep = n_batch == 0 && n_rows > 0;
  if (!fold_matrix (chain, a, &left, n_batch, n_rows, keep)
      || !fold_matrix (chain, b, &right, n_batch, n_sum, FALSE))
    return FALSE;
  a->value = fv_emit (&chain->emit, "MatMul", a->value, b->value);
  a->labels = result;
  return a->value && unfold (chain, a);
}

/* The order that leaves least to permute behind a product; what is constant goes
 * to the right, where Linear expects weights. */
static void
order_factors (const FvEinsum *e, Factor *a, Factor *b)
{
  guint64 in_a = fv_einsum_labels (&a->labels);
  guint64 in_b = fv_einsum_labels (&b->labels);
  gboolean swap = FALSE;
  Factor other = *a;

  for (guint i = 0; i < e->result.n; i++) {
    guint64 label = bit (e->result.at[i]);

    if ((in_a ^ in_b) & label) {
      swap = (in_b & label) != 0;
      break;
    }
  }
  if (a->value->constant || b->value->constant)
    swap = a->value->constant != NULL;
  if (swap) {
    *a = *b;
    *b = other;
  }
}

/* @later: labels that stand in the result or in factors still to come */
static gboolean
contract (Chain *chain, Factor *a, Factor *b, guint64 later)
{
  guint64 in_a = fv_einsum_labels (&a->labels);
  guint64 in_b = fv_einsum_labels (&b->labels);
  FvEinsumTerm all = { 0 };

  if (!reduce (chain, a, in_b | later) || !reduce (chain, b, in_a | later))
    return FALSE;
  in_a = fv_einsum_labels (&a->labels);
  in_b = fv_einsum_labels (&b->labels);
  if (in_a & in_b & ~later) {
    order_factors (chain->einsum, a, b);
    return multiply_matrices (chain, a, b, later);
  }
  append (&all, &chain->einsum->result, in_a | in_b);
  if (fv_einsum_labels (&all) != (in_a | in_b)) {
    all.n = 0;
    append (&all, &a->labels, in_a);
    if (a->labels.n + __builtin_popcountll (in_b & ~in_a) > FV_MAX_RANK)
      return fv_node_fail (chain->emit.last, chain->emit.error,
          FV_ERROR_UNSUPPORTED, "a product of rank over %d", FV_MAX_RANK);
    append (&all, &b->labels, in_b & ~in_a);
  }
  return multiply (chain, a, b, &all);
}

static gboolean
make_chain (Chain *chain, FvNode *node, Factor *result)
{
  const FvEinsum *e = chain->einsum;
  Factor factors[FV_EINSUM_OPERANDS];
  guint64 kept = fv_einsum_labels (&e->result);

  for (guint i = 0; i < e->n_operands; i++)
    if (!begin_factor (chain, i, node->inputs[i], &factors[i]))
      return FALSE;
  for (guint i = 1; i < e->n_operands; i++) {
    guint64 later = kept;

    for (guint k = i + 1; k < e->n_operands; k++)
      later |= fv_einsum_labels (&factors[k].labels);
    if (!contract (chain, &factors[0], &factors[i], later))
      return FALSE;
  }
  *result = factors[0];
  return reduce (chain, result, kept) && permute (chain, result, &e->result);
}

/* Replaces @node, or leaves it when the device could not run what replaced it. */
static gint
take_apart (FvIr *ir, FvNode *node, GError **error)
{
  FvEinsum einsum;
  Chain chain = { { .ir = ir, .last = node, .error = error }, &einsum };
  Factor result;

  if (!fv_einsum_read (node, &einsum, error))
    return -1;
  if (einsum.n_operands == 1 && einsum.operand[0].n > einsum.result.n
      && fv_einsum_labels (&einsum.operand[0])
          == fv_einsum_labels (&einsum.result))
    return 0; /* a diagonal */
  if (node->inputs[0]->type != FV_TYPE_F32)
    return 0;
  for (guint i = 0; i < einsum.n_labels; i++)
    if (einsum.size[i] < 1)
      return 0;
  if (!make_chain (&chain, node, &result))
    return -1;
  if (chain.emit.last == node || result.value != chain.emit.last->outputs[0])
    result.value = fv_emit (&chain.emit, "Identity", result.value, NULL);
  if (!result.value)
    return -1;
  fv_ir_replace_value (ir, node->outputs[0], result.value);
  fv_ir_remove_node (ir, node);
  return 1;
}

gint
fv_pass_einsum (FvIr *ir, GError **error)
{
  gint changes = 0;

  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i];
    gint change = fv_node_is (node, "Einsum") && !node->n_steps
        ? take_apart (ir, node, error)
        : 0;

    if (change < 0)
      return -1;
    changes += change;
  }
  return changes;
}
