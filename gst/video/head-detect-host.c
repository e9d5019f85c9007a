/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Boxes that the model's host tail made: a number that depends on data, decoded
 * here by the rules of detect.comp. */
#include "gst/video/head-private.h"

#include <math.h>

/* More come from no suppression; it bounds the work of a frame. */
#define MOST_CANDIDATES (1 << 20)

/* A part of the candidates' values; without an array there are none. */
typedef struct
{
  const FvArray *array;
  gint64 n, channels;
  gint64 step_n, step_c; /* elements */
} Part;

/* [.., N, K], with one channel [.., N]; or [.., K, N]. @n: how many candidates
 * there must be; -1: any, then there are channels. */
static gboolean
find_part (const GstFoveaHead *head, guint output, gboolean transposed,
    gint64 n, Part *part)
{
  const FvArray *array = head->arrays[output];
  const FvShape *s = &array->shape;
  guint r = s->rank;
  gint64 rows, columns;

  *part = (Part){ .array = array };
  if (n >= 0 && array->count == n) { /* whatever axes of one there are */
    part->n = n;
    part->channels = part->step_n = 1;
    return TRUE;
  }
  if (r < 2 || (r > 2 && s->dims[0] > 1))
    return FALSE;
  rows = s->dims[r - 2];
  columns = s->dims[r - 1];
  part->n = transposed ? columns : rows;
  part->channels = transposed ? rows : columns;
  part->step_n = transposed ? 1 : columns;
  part->step_c = transposed ? columns : 1;
  return array->count == rows * columns && (n < 0 || part->n == n);
}

static double
get (const Part *part, gint64 i, gint64 channel)
{
  return fv_array_get_float (part->array,
      i * part->step_n + channel * part->step_c);
}

static double
sigmoid (double v)
{
  return 1 / (1 + exp (-v));
}

/* Parts of one frame's candidates. */
typedef struct
{
  const FvCardDetect *d;
  gint n_classes;
  Part boxes, scores, numbers;
} Parts;

/* The score of the best class, or of class @c alone where that is given. */
static double
find_score (const Parts *p, gint64 i, gint c, gint *best)
{
  const FvCardDetect *d = p->d;
  double top = -INFINITY, sum = 0, score = -INFINITY;

  *best = -1;
  for (gint k = 0; k < p->n_classes; k++) {
    double v = get (&p->scores, i, d->score_channel + k);

    top = fmax (top, v);
    if (k != d->background && (c < 0 ? v > score : k == c)) {
      score = v;
      *best = k;
    }
  }
  if (d->score_activation == FV_ACTIVATION_SIGMOID) {
    score = sigmoid (score);
  } else if (d->score_activation == FV_ACTIVATION_SOFTMAX) {
    for (gint k = 0; k < p->n_classes; k++)
      sum += exp (get (&p->scores, i, d->score_channel + k) - top);
    score = exp (score - top) / sum;
  }
  return d->score_power == 1 ? CLAMP (score, 0, 1)
                             : pow (CLAMP (score, 0, 1), d->score_power);
}

/* To x0 y0 x1 y1. */
static void
make_corners (FvBoxFormat format, float *v)
{
  float first = v[0], second = v[1];

  if (format == FV_BOX_CXCYWH) {
    v[0] = first - v[2] / 2;
    v[1] = second - v[3] / 2;
    v[2] = first + v[2] / 2;
    v[3] = second + v[3] / 2;
  } else if (format == FV_BOX_YXYX) {
    float third = v[2];

    v[0] = second;
    v[1] = first;
    v[2] = v[3];
    v[3] = third;
  }
}

/* Candidate @i, of class @c where that is given. */
static void
offer (const GstFoveaHead *head, const Parts *p, gint64 i, gint c, guint index,
    GArray *boxes)
{
  const FvCardDetect *d = p->d;
  GstFoveaBox box = { .index = index };
  float v[5], scale_x, scale_y;
  gint best;

  v[0] = (float) find_score (p, i, c, &best);
  if (best < 0 || !(v[0] >= head->params.threshold))
    return;
  if (d->background >= 0 && best > d->background)
    best--;
  if (p->numbers.array != NULL)
    best = (gint) floor (get (&p->numbers, i, d->class_channel) + 0.5);
  if (best < 0)
    return;
  for (gint k = 0; k < 4; k++)
    v[1 + k] = (float) get (&p->boxes, i, d->box_channel + k);
  make_corners (d->box_format, v + 1);
  gst_fovea_head_box_scale (head, &scale_x, &scale_y);
  v[1] *= scale_x;
  v[2] *= scale_y;
  v[3] *= scale_x;
  v[4] *= scale_y;
  box.class_id = (guint) best;
  if (gst_fovea_head_place_box (head, v, &box))
    g_array_append_val (boxes, box);
}

static gboolean
misfit (const GstFoveaHead *head, guint output, gint64 n, gint64 channels,
    GError **error)
{
  g_autofree char *shape = fv_shape_to_string (&head->arrays[output]->shape);

  g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
      "output %u of the model must have %" G_GINT64_FORMAT
      " candidates (-1: any) and %" G_GINT64_FORMAT
      " channels for its detect head, it is %s",
      output, n, channels, shape);
  return FALSE;
}

static gboolean
find_parts (const GstFoveaHead *head, Parts *p, GError **error)
{
  const FvCardDetect *d = &head->card->detect;
  gint64 last;

  *p = (Parts){ .d = d };
  if (!find_part (head, d->boxes[0], d->transposed, -1, &p->boxes)
      || p->boxes.channels < d->box_channel + 4)
    return misfit (head, d->boxes[0], -1, d->box_channel + 4, error);
  if (p->boxes.n == 0)
    return TRUE;
  /* ONNX's suppression takes scores as [1, C, N] */
  if (!find_part (head, d->scores[0],
          d->transposed || d->selected != FV_NO_OUTPUT, p->boxes.n, &p->scores)
      || p->scores.channels <= d->score_channel)
    return misfit (head, d->scores[0], p->boxes.n, d->score_channel + 1, error);
  last = MIN (p->scores.channels - d->score_channel, 65536);
  p->n_classes =
      d->n_classes > 0 ? (gint) MIN (d->n_classes, last) : (gint) last;
  if (d->classes == FV_NO_OUTPUT
      || (find_part (head, d->classes, d->transposed, p->boxes.n, &p->numbers)
          && p->numbers.channels > d->class_channel))
    return TRUE;
  return misfit (head, d->classes, p->boxes.n, d->class_channel + 1, error);
}

static gboolean
check (GstFoveaHead *head, GError **error)
{
  Parts p;

  return find_parts (head, &p, error);
}

/* One of all candidates. */
static void
offer_candidate (const GstFoveaHead *head, const Parts *p, gint64 i,
    GArray *boxes)
{
  if (!p->d->many_labels)
    offer (head, p, i, -1, (guint) i, boxes);
  for (gint c = 0; p->d->many_labels && c < p->n_classes; c++)
    offer (head, p, i, c, (guint) (i * p->n_classes + c), boxes);
}

/* Those that a list of batch, class and candidate names; what it names and is not
 * there is passed over. */
static void
offer_selected (const GstFoveaHead *head, const Parts *p, GArray *boxes)
{
  const FvArray *list = head->arrays[p->d->selected];
  gint64 n = MIN (list->count / 3, MOST_CANDIDATES);

  for (gint64 k = 0; k < n; k++) {
    gint64 c = fv_array_get_int (list, 3 * k + 1);
    gint64 i = fv_array_get_int (list, 3 * k + 2);

    if (i >= 0 && i < p->boxes.n && c >= 0 && c < p->n_classes
        && fv_array_get_int (list, 3 * k) == 0)
      offer (head, p, i, (gint) c, (guint) k, boxes);
  }
}

static void
read_boxes (GstFoveaHead *head, GstFoveaResult *result)
{
  Parts p;
  gint64 n;

  if (head->arrays == NULL || !find_parts (head, &p, NULL))
    return;
  n = MIN (p.boxes.n, MOST_CANDIDATES);
  if (p.d->count != FV_NO_OUTPUT && head->arrays[p.d->count]->count > 0)
    n = MIN (n, fv_array_get_int (head->arrays[p.d->count], 0));
  if (p.d->selected != FV_NO_OUTPUT)
    offer_selected (head, &p, result->boxes);
  for (gint64 i = 0; p.d->selected == FV_NO_OUTPUT && i < n; i++)
    offer_candidate (head, &p, i, result->boxes);
  result->n_candidates = result->boxes->len;
  gst_fovea_sort_boxes (result->boxes);
  g_array_set_size (result->boxes,
      MIN (result->boxes->len, GST_FOVEA_MAX_CANDIDATES));
  gst_fovea_head_finish_boxes (head, result->boxes);
}

static gboolean
prepare (GstFoveaHead *head, GError **error)
{
  const FvCardDetect *d = &head->card->detect;

  if ((d->box_format == FV_BOX_XYXY || d->box_format == FV_BOX_YXYX
          || d->box_format == FV_BOX_CXCYWH)
      && d->n_groups == 1 && d->objectness[0] == FV_NO_OUTPUT)
    return TRUE;
  g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
      "output '%s' is made on the host, where boxes are read as corners or "
      "centres with one score a class alone",
      head->card->name);
  return FALSE;
}

const GstFoveaHeadClass gst_fovea_head_detect_host = {
  .prepare = prepare,
  .check = check,
  .read = read_boxes,
};
