/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unique and Compress: how much they leave depends on the data, so the host runs
 * them. */
#include "gst/ops/common.h"

#include <math.h>

/* What is compared: the whole elements, or slices along an axis. */
typedef struct
{
  const FvArray *array;
  gint64 n, outer, inner; /* items, and how their elements lie */
} Items;

typedef struct
{
  gint64 first, count; /* the first item of its kind, and how many there are */
} Kind;

static gboolean
read_items (FvNode *node, const FvArray *array, Items *items, GError **error)
{
  guint axis;

  *items = (Items){ array, array->count, 1, 1 };
  if (!fv_node_has (node, "axis"))
    return TRUE;
  if (!fv_node_axis (node, fv_node_int (node, "axis"), array->shape.rank, &axis,
          error))
    return FALSE;
  items->n = array->shape.dims[axis];
  for (guint i = 0; i < array->shape.rank; i++)
    if (i < axis)
      items->outer *= array->shape.dims[i];
    else if (i > axis)
      items->inner *= array->shape.dims[i];
  return TRUE;
}

/* Element (@o, @i) of item @k. */
static gint64
item_at (const Items *items, gint64 k, gint64 o, gint64 i)
{
  return (o * items->n + k) * items->inner + i;
}

/* NaN is behind all numbers and equal to itself. */
static int
compare_elements (const FvArray *array, gint64 a, gint64 b)
{
  if (array->type == FV_TYPE_F32) {
    float x = array->f32[a], y = array->f32[b];

    if (isnan (x) || isnan (y))
      return (isnan (x) != 0) - (isnan (y) != 0);
    return (x > y) - (x < y);
  } else {
    gint64 x = fv_array_get_int (array, a), y = fv_array_get_int (array, b);

    return (x > y) - (x < y);
  }
}

static int
compare_values (const Items *items, gint64 a, gint64 b)
{
  for (gint64 o = 0; o < items->outer; o++)
    for (gint64 i = 0; i < items->inner; i++) {
      int order = compare_elements (items->array, item_at (items, a, o, i),
          item_at (items, b, o, i));

      if (order)
        return order;
    }
  return 0;
}

static int
compare_items (gconstpointer a, gconstpointer b, gpointer items)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;
  int order = compare_values (items, x, y);

  return order ? order : (x > y) - (x < y);
}

static int
compare_kinds (gconstpointer a, gconstpointer b)
{
  gint64 x = ((const Kind *) a)->first, y = ((const Kind *) b)->first;

  return (x > y) - (x < y);
}

/* The kinds of items, in the order of the result. @order: (out): the items, equal
 * ones side by side. NULL without memory. */
static GArray *
find_kinds (FvNode *node, const Items *items, gint64 **order, GError **error)
{
  GArray *kinds;

  *order = g_try_new (gint64, MAX (items->n, 1));
  if (!*order) {
    fv_node_fail (node, error, FV_ERROR_TOO_LARGE, "no memory to sort");
    return NULL;
  }
  for (gint64 k = 0; k < items->n; k++)
    (*order)[k] = k;
  g_qsort_with_data (*order, items->n, sizeof **order, compare_items,
      (gpointer) items);
  kinds = g_array_new (FALSE, FALSE, sizeof (Kind));
  for (gint64 k = 0; k < items->n; k++)
    if (k && !compare_values (items, (*order)[k - 1], (*order)[k])) {
      g_array_index (kinds, Kind, kinds->len - 1).count++;
    } else {
      Kind kind = { (*order)[k], 1 };

      g_array_append_val (kinds, kind);
    }
  if (!fv_node_int (node, "sorted"))
    g_array_sort (kinds, compare_kinds);
  return kinds;
}

/* All that an output of shape inference needs is the number of kinds. */
static gboolean
infer_unique (FvNode *node, GError **error)
{
  g_autoptr (FvArray) array = NULL;
  g_autoptr (GArray) kinds = NULL;
  g_autofree gint64 *order = NULL;
  FvValue *value = node->inputs[0];
  FvShape shape, list = { 1, { 0 } };
  Items items;
  guint axis;

  if (!value->constant)
    return fv_node_fail (node, error, FV_ERROR_DYNAMIC,
        "the result's shape depends on the data");
  array = fv_array_convert (value->constant,
      fv_type_is_float (value->type) ? FV_TYPE_F32 : FV_TYPE_I64, error);
  if (!array || !read_items (node, array, &items, error)
      || !(kinds = find_kinds (node, &items, &order, error)))
    return FALSE;
  list.dims[0] = kinds->len;
  shape = list;
  if (fv_node_has (node, "axis")
      && fv_node_axis (node, fv_node_int (node, "axis"), value->shape.rank,
          &axis, NULL)) {
    shape = value->shape;
    shape.dims[axis] = kinds->len;
  }
  fv_set_output (node, 0, value->type, &shape);
  fv_set_output (node, 1, FV_TYPE_I64, &list);
  fv_set_output (node, 3, FV_TYPE_I64, &list);
  list.dims[0] = items.n;
  fv_set_output (node, 2, FV_TYPE_I64, &list);
  return TRUE;
}

static FvArray *
output (FvNode *node, FvArray **outputs, guint i)
{
  return i < node->n_outputs ? outputs[i] : NULL;
}

/* Which kind each item is of: equal items stand side by side in @order, the first
 * of them in front. */
static void
fill_inverse (const Items *items, GArray *kinds, const gint64 *order,
    FvArray *inverse)
{
  gint64 number = 0;

  for (guint u = 0; u < kinds->len; u++)
    inverse->i64[g_array_index (kinds, Kind, u).first] = u;
  for (gint64 k = 0; k < items->n; k++) {
    if (!k || compare_values (items, order[k - 1], order[k]))
      number = inverse->i64[order[k]];
    inverse->i64[order[k]] = number;
  }
}

static gboolean
unique (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  FvArray *first = output (node, outputs, 1);
  FvArray *inverse = output (node, outputs, 2);
  FvArray *count = output (node, outputs, 3);
  g_autoptr (GArray) kinds = NULL;
  g_autofree gint64 *order = NULL;
  Items items, into;

  if (!read_items (node, inputs[0], &items, error)
      || !(kinds = find_kinds (node, &items, &order, error)))
    return FALSE;
  into = items;
  into.n = kinds->len;
  for (guint u = 0; u < kinds->len; u++) {
    const Kind *kind = &g_array_index (kinds, Kind, u);

    for (gint64 o = 0; o < items.outer; o++)
      for (gint64 i = 0; i < items.inner; i++)
        fv_move (outputs[0], item_at (&into, u, o, i), inputs[0],
            item_at (&items, kind->first, o, i));
    if (first)
      first->i64[u] = kind->first;
    if (count)
      count->i64[u] = kind->count;
  }
  if (inverse)
    fill_inverse (&items, kinds, order, inverse);
  return TRUE;
}

static gboolean
infer_compress (FvNode *node, GError **error)
{
  FvArray *condition = fv_node_constant (node, 1);
  FvShape shape = { 1, { 0 } };
  gint64 kept = 0, size;
  guint axis = 0;

  if (!condition)
    return fv_node_fail (node, error, FV_ERROR_DYNAMIC,
        "the result's shape depends on the data");
  if (fv_node_has (node, "axis")) {
    shape = node->inputs[0]->shape;
    if (!fv_node_axis (node, fv_node_int (node, "axis"), shape.rank, &axis,
            error))
      return FALSE;
  }
  size = fv_node_has (node, "axis") ? shape.dims[axis]
                                    : fv_shape_count (&node->inputs[0]->shape);
  if (condition->shape.rank != 1 || condition->count > size)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the condition has %" G_GINT64_FORMAT " values for %" G_GINT64_FORMAT
        " elements",
        condition->count, size);
  for (gint64 k = 0; k < condition->count; k++)
    kept += fv_array_get_int (condition, k) != 0;
  shape.dims[axis] = kept;
  fv_set_output (node, 0, node->inputs[0]->type, &shape);
  return TRUE;
}

static gboolean
compress (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  gint64 kept = 0;
  Items items, into;

  if (!read_items (node, inputs[0], &items, error))
    return FALSE;
  into = items;
  into.n = outputs[0]->count / MAX (items.outer * items.inner, 1);
  for (gint64 k = 0; k < inputs[1]->count; k++) {
    if (!fv_array_get_int (inputs[1], k) || kept >= into.n)
      continue;
    for (gint64 o = 0; o < items.outer; o++)
      for (gint64 i = 0; i < items.inner; i++)
        fv_move (outputs[0], item_at (&into, kept, o, i), inputs[0],
            item_at (&items, k, o, i));
    kept++;
  }
  return TRUE;
}

const FvOp fv_ops_unique[] = {
  {
      .name = "Unique",
      .since = 11,
      .min_inputs = 1,
      .max_outputs = 4,
      .attrs = "axis:i=0 sorted:i=1",
      .infer = infer_unique,
      .reference = unique,
  },
  {
      .name = "Compress",
      .since = 9,
      .min_inputs = 2,
      .attrs = "axis:i=0",
      .infer = infer_compress,
      .reference = compress,
      .lower = fv_lower_rewritten,
      .cases =
          FV_CASES ({ .inputs = "f32[2,3,5] =i64{0,1,1}", .attrs = "axis=1" },
              { .inputs = "f32[2,7] =i64{1,0,0,1,1,0,0,0,1,1}" }),
  },
  {},
};
