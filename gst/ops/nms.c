/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NonMaxSuppression: in the host tail, where all inputs are known. */
#include "gst/ops/common.h"

#include <math.h>

typedef struct
{
  gint64 batch, class, box;
} Choice;

typedef struct
{
  FvArray *boxes, *scores;
  gboolean centered, has_floor;
  double overlap, floor;
  gint64 most;
} Suppression;

/* A box that may stay: corners in order, and its area. */
typedef struct
{
  double x0, y0, x1, y1, area;
  float score;
  gint64 index;
} Candidate;

static Candidate
make_candidate (const float *box, float score, gint64 index, gboolean centered)
{
  Candidate c = { .score = score, .index = index };

  if (centered) {
    c.x0 = box[0] - box[2] / 2.0;
    c.y0 = box[1] - box[3] / 2.0;
    c.x1 = box[0] + box[2] / 2.0;
    c.y1 = box[1] + box[3] / 2.0;
  } else { /* whichever corners the file names first */
    c.x0 = MIN (box[0], box[2]);
    c.y0 = MIN (box[1], box[3]);
    c.x1 = MAX (box[0], box[2]);
    c.y1 = MAX (box[1], box[3]);
  }
  c.area = (c.x1 - c.x0) * (c.y1 - c.y0);
  return c;
}

/* Intersection over union. */
static double
overlap (const Candidate *a, const Candidate *b)
{
  double width = MIN (a->x1, b->x1) - MAX (a->x0, b->x0);
  double height = MIN (a->y1, b->y1) - MAX (a->y0, b->y0);
  double both;

  if (width <= 0 || height <= 0)
    return 0;
  both = width * height;
  return both / (a->area + b->area - both);
}

static gint
by_score (gconstpointer a, gconstpointer b, gpointer data)
{
  const Candidate *x = a, *y = b;

  if (x->score != y->score)
    return x->score > y->score ? -1 : 1;
  return x->index < y->index ? -1 : x->index > y->index;
}

/* Adds what stays of one class of one image. */
static gboolean
suppress (const Suppression *s, gint64 batch, gint64 class, GArray *choices)
{
  gint64 n = s->boxes->shape.dims[1], n_ordered = 0, n_stay = 0;
  const float *boxes = s->boxes->f32 + batch * n * 4;
  const float *scores =
      s->scores->f32 + (batch * s->scores->shape.dims[1] + class) * n;
  g_autofree Candidate *list = g_try_new (Candidate, n + 1);

  if (!list)
    return FALSE;
  for (gint64 i = 0; i < n; i++)
    if (!s->has_floor || scores[i] > s->floor)
      list[n_ordered++] =
          make_candidate (boxes + 4 * i, scores[i], i, s->centered);
  g_qsort_with_data (list, (gint) n_ordered, sizeof *list, by_score, NULL);
  /* those that stay move to the front of the list */
  for (gint64 i = 0; i < n_ordered && n_stay < s->most; i++) {
    Choice choice = { batch, class, list[i].index };
    gboolean stays = TRUE;

    for (gint64 k = 0; stays && k < n_stay; k++)
      stays = overlap (&list[i], &list[k]) <= s->overlap;
    if (!stays)
      continue;
    list[n_stay++] = list[i];
    g_array_append_val (choices, choice);
  }
  return TRUE;
}

static gboolean
read_number (const FvNode *node, guint i, double *number)
{
  const FvArray *array = fv_node_constant (node, i);

  if (array && array->count)
    *number = fv_array_get_float (array, 0);
  return array && array->count;
}

/* Rows of batch, class and box. (transfer full) */
static FvArray *
list_choices (GArray *choices, GError **error)
{
  FvShape shape = { 2, { choices->len, 3 } };
  FvArray *array = fv_array_new (FV_TYPE_I64, &shape, error);

  for (guint i = 0; array && i < choices->len; i++) {
    const Choice *choice = &g_array_index (choices, Choice, i);

    array->i64[3 * i] = choice->batch;
    array->i64[3 * i + 1] = choice->class;
    array->i64[3 * i + 2] = choice->box;
  }
  return array;
}

/* The choices of @node, whose inputs are constant. (transfer full) */
static FvArray *
choose (const FvNode *node, GError **error)
{
  g_autoptr (GArray) choices = g_array_new (FALSE, FALSE, sizeof (Choice));
  g_autoptr (FvArray) scores = NULL;
  Suppression s = { .centered = fv_node_int (node, "center_point_box") != 0 };
  double most = 0;

  s.boxes = fv_array_convert (fv_node_constant (node, 0), FV_TYPE_F32, error);
  scores = fv_array_convert (fv_node_constant (node, 1), FV_TYPE_F32, error);
  if (!s.boxes || !scores) {
    fv_array_unref (s.boxes);
    return NULL;
  }
  s.scores = scores;
  read_number (node, 2, &most);
  s.most = CLAMP (most, 0, G_MAXINT32);
  read_number (node, 3, &s.overlap);
  s.has_floor = read_number (node, 4, &s.floor);
  for (gint64 b = 0; b < scores->shape.dims[0]; b++)
    for (gint64 c = 0; c < scores->shape.dims[1]; c++)
      if (!suppress (&s, b, c, choices)) {
        fv_array_unref (s.boxes);
        fv_node_fail (node, error, FV_ERROR_TOO_LARGE, "out of memory");
        return NULL;
      }
  fv_array_unref (s.boxes);
  return list_choices (choices, error);
}

static gboolean
infer_suppression (FvNode *node, GError **error)
{
  const FvShape *boxes = &node->inputs[0]->shape;
  const FvShape *scores = &node->inputs[1]->shape;
  FvShape shape = { 2, { 0, 3 } };
  FvArray *result;

  for (guint i = 0; i < node->n_own_inputs; i++)
    if (node->inputs[i] && !node->inputs[i]->constant)
      return fv_node_fail (node, error, FV_ERROR_DYNAMIC,
          "the result's shape depends on the data");
  if (boxes->rank != 3 || scores->rank != 3 || boxes->dims[2] != 4
      || boxes->dims[0] != scores->dims[0] || boxes->dims[1] != scores->dims[2])
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected boxes [n, m, 4] and scores [n, classes, m]");
  if (!(result = choose (node, error)))
    return FALSE;
  shape.dims[0] = result->shape.dims[0];
  fv_set_output (node, 0, FV_TYPE_I64, &shape);
  /* found along with the shape: not to be done twice */
  fv_array_unref (node->outputs[0]->constant);
  node->outputs[0]->constant = result;
  return TRUE;
}

static gboolean
suppression (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  g_autoptr (FvArray) result = choose (node, error);

  if (result)
    memcpy (outputs[0]->data, result->data, result->size);
  return result != NULL;
}

const FvOp fv_ops_nms[] = {
  {
      .name = "NonMaxSuppression",
      .since = 10,
      .min_inputs = 2,
      .max_inputs = 5,
      .attrs = "center_point_box:i=0",
      .infer = infer_suppression,
      .reference = suppression,
  },
  {},
};
