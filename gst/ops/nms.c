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

/* Corners of @box, whichever of them the file names first. */
static void
corners (const float *box, gboolean centered, double c[4])
{
  if (centered) {
    c[0] = box[0] - box[2] / 2.0;
    c[1] = box[1] - box[3] / 2.0;
    c[2] = box[0] + box[2] / 2.0;
    c[3] = box[1] + box[3] / 2.0;
  } else {
    for (guint i = 0; i < 2; i++) {
      c[i] = MIN (box[i], box[i + 2]);
      c[i + 2] = MAX (box[i], box[i + 2]);
    }
  }
}

/* Intersection over union. */
static double
overlap (const float *a, const float *b, gboolean centered)
{
  double p[4], q[4], width, height, both;

  corners (a, centered, p);
  corners (b, centered, q);
  width = MIN (p[2], q[2]) - MAX (p[0], q[0]);
  height = MIN (p[3], q[3]) - MAX (p[1], q[1]);
  if (width <= 0 || height <= 0)
    return 0;
  both = width * height;
  return both
      / ((p[2] - p[0]) * (p[3] - p[1]) + (q[2] - q[0]) * (q[3] - q[1]) - both);
}

static gint
by_score (gconstpointer a, gconstpointer b, gpointer data)
{
  gint64 i = *(const gint64 *) a, k = *(const gint64 *) b;
  const float *scores = data;

  if (scores[i] != scores[k])
    return scores[i] > scores[k] ? -1 : 1;
  return i < k ? -1 : i > k;
}

/* Adds what stays of one class of one image. */
static gboolean
suppress (const Suppression *s, gint64 batch, gint64 class, GArray *choices)
{
  gint64 n = s->boxes->shape.dims[1], n_ordered = 0;
  const float *boxes = s->boxes->f32 + batch * n * 4;
  const float *scores =
      s->scores->f32 + (batch * s->scores->shape.dims[1] + class) * n;
  g_autofree gint64 *order = g_try_new (gint64, n + 1);
  guint first = choices->len;

  if (!order)
    return FALSE;
  for (gint64 i = 0; i < n; i++)
    if (!s->has_floor || scores[i] > s->floor)
      order[n_ordered++] = i;
  g_qsort_with_data (order, n_ordered, sizeof *order, by_score,
      (gpointer) scores);
  for (gint64 i = 0; i < n_ordered && choices->len - first < s->most; i++) {
    Choice choice = { batch, class, order[i] };
    gboolean stays = TRUE;

    for (guint k = first; stays && k < choices->len; k++)
      stays =
          overlap (boxes + 4 * order[i],
              boxes + 4 * g_array_index (choices, Choice, k).box, s->centered)
          <= s->overlap;
    if (stays)
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

/* The choices of @node, whose inputs are constant. (transfer full) */
static GArray *
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
  return g_steal_pointer (&choices);
}

static gboolean
infer_suppression (FvNode *node, GError **error)
{
  const FvShape *boxes = &node->inputs[0]->shape;
  const FvShape *scores = &node->inputs[1]->shape;
  g_autoptr (GArray) choices = NULL;
  FvShape shape = { 2, { 0, 3 } };

  for (guint i = 0; i < node->n_own_inputs; i++)
    if (node->inputs[i] && !node->inputs[i]->constant)
      return fv_node_fail (node, error, FV_ERROR_DYNAMIC,
          "the result's shape depends on the data");
  if (boxes->rank != 3 || scores->rank != 3 || boxes->dims[2] != 4
      || boxes->dims[0] != scores->dims[0] || boxes->dims[1] != scores->dims[2])
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected boxes [n, m, 4] and scores [n, classes, m]");
  if (!(choices = choose (node, error)))
    return FALSE;
  shape.dims[0] = choices->len;
  fv_set_output (node, 0, FV_TYPE_I64, &shape);
  return TRUE;
}

static gboolean
suppression (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  g_autoptr (GArray) choices = choose (node, error);

  for (guint i = 0; choices && i < choices->len; i++) {
    const Choice *choice = &g_array_index (choices, Choice, i);

    outputs[0]->i64[3 * i] = choice->batch;
    outputs[0]->i64[3 * i + 1] = choice->class;
    outputs[0]->i64[3 * i + 2] = choice->box;
  }
  return choices != NULL;
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
