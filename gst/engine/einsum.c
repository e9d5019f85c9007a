/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/engine/einsum.h"

#include <string.h>

/* One term of the equation as it is written. */
typedef struct
{
  guint n; /* letters */
  char letters[FV_EINSUM_LABELS];
  gboolean has_ellipsis;
  guint before; /* letters before the ellipsis */
} Written;

static gboolean
read_term (const FvNode *node, const char *text, gsize length, Written *term,
    GError **error)
{
  memset (term, 0, sizeof *term);
  for (gsize i = 0; i < length; i++) {
    if (text[i] == ' ')
      continue;
    if (length - i >= 3 && !strncmp (text + i, "...", 3)
        && !term->has_ellipsis) {
      term->has_ellipsis = TRUE;
      term->before = term->n;
      i += 2;
      continue;
    }
    if (!g_ascii_isalpha (text[i]))
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "'%c' in its equation", text[i]);
    if (term->n == FV_MAX_RANK)
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "a term of more than %d labels", FV_MAX_RANK);
    term->letters[term->n++] = text[i];
  }
  return TRUE;
}

/* Letter and ellipsis labels as numbers; ellipses end with label 0. */
typedef struct
{
  guint n_hidden; /* axes of the longest ellipsis: labels n_hidden - 1 ... 0 */
  guint8 number[128], times[128]; /* by letter; number 0: none, else + 1 */
} Letters;

static gboolean
add_term (const FvNode *node, FvEinsum *e, const Letters *letters,
    const Written *written, guint n_hidden, FvEinsumTerm *term, GError **error)
{
  term->n = 0;
  if (written->n + n_hidden > FV_MAX_RANK)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "a result of rank over %d", FV_MAX_RANK);
  for (guint i = 0; i <= written->n; i++) {
    if (written->has_ellipsis && i == written->before)
      for (guint k = n_hidden; k-- > 0;)
        term->at[term->n++] = k;
    if (i < written->n)
      term->at[term->n++] = letters->number[(guint8) written->letters[i]] - 1;
  }
  return TRUE;
}

/* Numbers the letters of an operand and its hidden axes. */
static gboolean
count_operand (const FvNode *node, guint i, const Written *written,
    Letters *letters, GError **error)
{
  guint rank = node->inputs[i]->shape.rank;

  if (rank < written->n || (rank > written->n && !written->has_ellipsis))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "its equation gives input %u %u axes", i, written->n);
  letters->n_hidden = MAX (letters->n_hidden, rank - written->n);
  for (guint k = 0; k < written->n; k++)
    letters->times[(guint8) written->letters[k]]++;
  return TRUE;
}

static gboolean
bind_sizes (const FvNode *node, FvEinsum *e, guint i, GError **error)
{
  const FvShape *shape = &node->inputs[i]->shape;

  for (guint k = 0; k < shape->rank; k++) {
    gint64 *size = &e->size[e->operand[i].at[k]];

    if (*size != 1 && shape->dims[k] != 1 && *size != shape->dims[k])
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "axis %u of input %u has %" G_GINT64_FORMAT
          " elements, expected %" G_GINT64_FORMAT,
          k, i, shape->dims[k], *size);
    if (shape->dims[k] != 1)
      *size = shape->dims[k];
  }
  return TRUE;
}

/* Splits @equation at commas; the result's term is NULL where none is given. */
static gboolean
read_terms (const FvNode *node, const char *equation,
    Written written[FV_EINSUM_OPERANDS], Written *result, gboolean *has_result,
    GError **error)
{
  const char *arrow = strstr (equation, "->"), *start = equation;
  const char *end = arrow ? arrow : equation + strlen (equation);

  *has_result = arrow != NULL;
  for (guint i = 0; i < node->n_own_inputs; i++) {
    const char *comma = memchr (start, ',', end - start);
    gboolean is_last = i + 1 == node->n_own_inputs;

    if (is_last ? comma != NULL : comma == NULL)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "its equation is not for %u inputs", node->n_own_inputs);
    if (!comma)
      comma = end;
    if (!read_term (node, start, comma - start, &written[i], error))
      return FALSE;
    start = comma + !is_last;
  }
  return !arrow
      || read_term (node, arrow + 2, strlen (arrow + 2), result, error);
}

/* Without an arrow: the ellipsis, then all that stands once, by the alphabet. */
static gboolean
imply_result (const FvNode *node, const Letters *letters, Written *result,
    GError **error)
{
  memset (result, 0, sizeof *result);
  result->has_ellipsis = TRUE;
  for (guint c = 'A'; c <= 'z'; c++)
    if (letters->times[c] == 1) {
      if (result->n == FV_MAX_RANK)
        return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
            "a result of rank over %d", FV_MAX_RANK);
      result->letters[result->n++] = c;
    }
  return TRUE;
}

static gboolean
check_result (const FvNode *node, const Letters *letters, const Written *result,
    GError **error)
{
  for (guint i = 0; i < result->n; i++) {
    char c = result->letters[i];

    if (!letters->times[(guint8) c] || memchr (result->letters, c, i))
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "'%c' of its result stands %s", c,
          letters->times[(guint8) c] ? "there twice" : "in no input");
  }
  return TRUE;
}

gboolean
fv_einsum_read (const FvNode *node, FvEinsum *e, GError **error)
{
  const char *equation = fv_node_string (node, "equation");
  Written written[FV_EINSUM_OPERANDS], result;
  Letters letters = { 0 };
  gboolean has_result;

  memset (e, 0, sizeof *e);
  e->n_operands = node->n_own_inputs;
  if (!e->n_operands || e->n_operands > FV_EINSUM_OPERANDS || !equation)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "%u inputs; 1 to %d are supported", e->n_operands, FV_EINSUM_OPERANDS);
  if (!read_terms (node, equation, written, &result, &has_result, error))
    return FALSE;
  for (guint i = 0; i < e->n_operands; i++)
    if (!count_operand (node, i, &written[i], &letters, error))
      return FALSE;
  if (!has_result && !imply_result (node, &letters, &result, error))
    return FALSE;
  if (!check_result (node, &letters, &result, error))
    return FALSE;
  e->n_labels = letters.n_hidden;
  for (guint c = 'A'; c <= 'z'; c++)
    if (letters.times[c])
      letters.number[c] = ++e->n_labels;
  for (guint i = 0; i < FV_EINSUM_LABELS; i++)
    e->size[i] = 1;
  for (guint i = 0; i < e->n_operands; i++)
    if (!add_term (node, e, &letters, &written[i],
            node->inputs[i]->shape.rank - written[i].n, &e->operand[i], error)
        || !bind_sizes (node, e, i, error))
      return FALSE;
  return add_term (node, e, &letters, &result,
      result.has_ellipsis ? letters.n_hidden : 0, &e->result, error);
}

guint64
fv_einsum_labels (const FvEinsumTerm *term)
{
  guint64 set = 0;

  for (guint i = 0; i < term->n; i++)
    set |= (guint64) 1 << term->at[i];
  return set;
}

double
fv_einsum_products (const FvEinsum *e)
{
  guint64 kept = fv_einsum_labels (&e->result);
  double products = 1;

  for (guint i = 0; i < e->n_labels; i++)
    if (!(kept >> i & 1))
      products *= e->size[i];
  return products;
}
