/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/head-reference.h"

#include <check.h>
#include <math.h>

static double
at (FvArray *array, const gint64 *index)
{
  gint64 i = 0;

  for (guint a = 0; a < array->shape.rank; a++)
    i = i * array->shape.dims[a] + index[a];
  return array->type == FV_TYPE_F32 ? array->f32[i]
                                    : fv_array_get_float (array, i);
}

static double
sigmoid (double v)
{
  return 1 / (1 + exp (-v));
}

GArray *
reference_classify (const FvCardHead *head, FvArray *const *outputs, guint k)
{
  FvArray *scores = outputs[head->output];
  GArray *best = g_array_new (FALSE, FALSE, sizeof (GstFoveaClass));
  g_autofree gboolean *taken = g_new0 (gboolean, scores->count);
  double top = -INFINITY, sum = 0;

  for (gint64 i = 0; i < scores->count; i++)
    top = fmax (top, scores->f32[i]);
  for (gint64 i = 0; i < scores->count; i++)
    if (!isnan (scores->f32[i]))
      sum += exp (scores->f32[i] - top);
  while (best->len < k) {
    GstFoveaClass found;
    gint64 b = -1;
    for (gint64 i = 0; i < scores->count; i++)
      if (!taken[i] && !isnan (scores->f32[i]) && i != head->background
          && (b < 0 || scores->f32[i] > scores->f32[b]))
        b = i;
    if (b < 0)
      break;
    taken[b] = TRUE;
    found.class_id =
        (guint) b - (head->background >= 0 && b > head->background ? 1 : 0);
    found.score = scores->f32[b];
    if (head->activation == FV_ACTIVATION_SOFTMAX)
      found.score = (float) (exp (scores->f32[b] - top) / sum);
    else if (head->activation == FV_ACTIVATION_SIGMOID)
      found.score = (float) sigmoid (scores->f32[b]);
    g_array_append_val (best, found);
  }
  return best;
}

/* Channel @c of candidate @n of a tensor [.., N, K], [.., K, N] or [1, N]. */
static double
value (FvArray *array, const FvCardDetect *d, gint64 n, gint64 c)
{
  guint candidate_axis;
  gint channel_axis;
  gint64 index[FV_MAX_RANK] = { 0 };

  ck_assert (fv_detect_axes (&array->shape, d->transposed, &candidate_axis,
      &channel_axis));
  if (array->shape.rank == 4) {
    index[candidate_axis - 1] = n / array->shape.dims[candidate_axis];
    n %= array->shape.dims[candidate_axis];
  }
  ck_assert_int_lt (n, array->shape.dims[candidate_axis]);
  index[candidate_axis] = n;
  if (channel_axis >= 0) {
    ck_assert_int_lt (c, array->shape.dims[channel_axis]);
    index[channel_axis] = c;
  }
  return at (array, index);
}

static double
activate (FvActivation activation, double v)
{
  return activation == FV_ACTIVATION_SIGMOID ? sigmoid (v) : v;
}

/* The class and score of candidate @n, of class @only if that is not -1; -1 where
 * there is none. */
static gint
classify (const FvCardDetect *d, FvArray *const *outputs, guint g, gint64 n,
    gint only, double *score)
{
  FvArray *scores = outputs[d->scores[g]];
  double best = -INFINITY, sum = 0, objectness = 1;
  gint found = -1;

  for (guint c = 0; c < d->n_classes; c++) {
    double v = value (scores, d, n, d->score_channel + (gint) c);
    if ((gint) c != d->background && (only < 0 ? v > best : (gint) c == only)) {
      best = v;
      found = (gint) c;
    }
  }
  if (found < 0)
    return -1;
  for (guint c = 0; c < d->n_classes; c++)
    sum += exp (value (scores, d, n, d->score_channel + (gint) c) - best);
  *score = d->score_activation == FV_ACTIVATION_SOFTMAX
      ? 1 / sum
      : activate (d->score_activation, best);
  *score = pow (CLAMP (*score, 0, 1), d->score_power);
  if (d->objectness[g] != FV_NO_OUTPUT) {
    objectness = activate (d->objectness_activation,
        value (outputs[d->objectness[g]], d, n, d->objectness_channel));
    if (isnan (objectness))
      return -1;
    *score *= pow (CLAMP (objectness, 0, 1), d->objectness_power);
  }
  if (isnan (*score))
    return -1;
  if (d->background >= 0 && found > d->background)
    found--;
  if (d->classes != FV_NO_OUTPUT)
    found = (gint) floor (
        value (outputs[d->classes], d, n, d->class_channel) + 0.5);
  return found;
}

static double
expect (const FvCardDetect *d, FvArray *boxes, gint64 n, guint side)
{
  double top = -INFINITY, sum = 0, weighted = 0;

  for (guint k = 0; k < d->bins; k++)
    top = fmax (top,
        value (boxes, d, n, d->box_channel + (gint64) (side * d->bins + k)));
  for (guint k = 0; k < d->bins; k++) {
    double e =
        exp (value (boxes, d, n, d->box_channel + (gint64) (side * d->bins + k))
            - top);
    sum += e;
    weighted += e * k;
  }
  return weighted / sum;
}

typedef struct
{
  double column, row, stride; /* of the candidate's cell */
  double input_width, input_height;
} Cell;

static void
from_center (double *corners, double x, double y, double w, double h)
{
  corners[0] = x - w / 2;
  corners[1] = y - h / 2;
  corners[2] = x + w / 2;
  corners[3] = y + h / 2;
}

/* x0 y0 x1 y1 in the model's unit */
static void
decode (const FvCardDetect *d, FvArray *const *outputs, guint g, gint64 n,
    const Cell *cell, double *corners)
{
  FvArray *boxes = outputs[d->boxes[g]];
  double x = cell->column + d->cell_offset, y = cell->row + d->cell_offset;
  double s = cell->stride, v[4], q[4];

  for (guint i = 0; i < 4; i++)
    v[i] = d->box_format == FV_BOX_DISTRIBUTION
        ? expect (d, boxes, n, i)
        : value (boxes, d, n, d->box_channel + (gint) i);
  switch (d->box_format) {
    case FV_BOX_CXCYWH:
      from_center (corners, v[0], v[1], v[2], v[3]);
      break;
    case FV_BOX_XYXY:
      for (guint i = 0; i < 4; i++)
        corners[i] = v[i];
      break;
    case FV_BOX_GRID_EXP:
      from_center (corners, (x + v[0]) * s, (y + v[1]) * s, exp (v[2]) * s,
          exp (v[3]) * s);
      break;
    case FV_BOX_DISTANCES:
    case FV_BOX_DISTRIBUTION:
      corners[0] = (x - v[0]) * s;
      corners[1] = (y - v[1]) * s;
      corners[2] = (x + v[2]) * s;
      corners[3] = (y + v[3]) * s;
      break;
    case FV_BOX_PRIOR:
      for (guint i = 0; i < 4; i++)
        q[i] = d->prior_boxes ? d->prior_boxes->f32[4 * n + i]
                              : value (outputs[d->priors], d, n, (gint) i);
      from_center (corners, q[0] + v[0] * d->variances[0] * q[2],
          q[1] + v[1] * d->variances[0] * q[3],
          q[2] * exp (v[2] * d->variances[1]),
          q[3] * exp (v[3] * d->variances[1]));
      break;
    case FV_BOX_GRID_OFFSET:
      from_center (corners, x * s + v[0], y * s + v[1], v[2], v[3]);
      break;
    case FV_BOX_YXYX:
      for (guint i = 0; i < 4; i++)
        corners[i] = v[i ^ 1];
      break;
    case FV_BOX_GRID_TANH:
      from_center (corners, (x + tanh (v[0])) * s, (y + tanh (v[1])) * s,
          sigmoid (v[2]) * cell->input_width,
          sigmoid (v[3]) * cell->input_height);
      break;
  }
}

/* The cell of candidate @n of a group: levels lie one behind the other. */
static Cell
find_cell (const FvCardDetect *d, const FvFrameMap *map, guint g, gint64 n)
{
  for (guint l = 0; l < d->n_strides; l++) {
    guint s = d->strides[l];
    gint64 columns = (map->input_width + s - 1) / s;
    gint64 cells = columns * ((map->input_height + s - 1) / s);
    if (d->n_groups > 1 && l != g)
      continue;
    if (n < cells * d->per_cell[l]) {
      n /= d->per_cell[l];
      return (Cell){ (double) (n % columns), (double) (n / columns), s,
        map->input_width, map->input_height };
    }
    n -= cells * d->per_cell[l];
  }
  return (Cell){ 0, 0, 1, map->input_width, map->input_height };
}

/* Candidate @n of group @g, as class @only where that is not -1. */
static void
reference_candidate (const FvCardDetect *d, FvArray *const *outputs,
    const FvFrameMap *map, guint g, gint64 n, gint only, double threshold,
    GstFoveaBox box, GArray *found)
{
  Cell cell = find_cell (d, map, g, n);
  double sx = d->normalised ? map->input_width : 1;
  double sy = d->normalised ? map->input_height : 1;
  double score = 0, v[4] = { 0 };
  gint number = classify (d, outputs, g, n, only, &score);

  if (number < 0 || score < threshold)
    return;
  decode (d, outputs, g, n, &cell, v);
  if (!d->in_frame) {
    v[0] = (v[0] * sx - map->x) * map->frame_width / map->width;
    v[2] = (v[2] * sx - map->x) * map->frame_width / map->width;
    v[1] = (v[1] * sy - map->y) * map->frame_height / map->height;
    v[3] = (v[3] * sy - map->y) * map->frame_height / map->height;
  }
  box.x = (float) v[0];
  box.y = (float) v[1];
  box.width = (float) (v[2] - v[0]);
  box.height = (float) (v[3] - v[1]);
  box.score = (float) score;
  box.class_id = (guint) number;
  g_array_append_val (found, box);
}

GArray *
reference_detect (const FvCardHead *head, FvArray *const *outputs,
    const FvFrameMap *map, double threshold)
{
  const FvCardDetect *d = &head->detect;
  GArray *found = g_array_new (FALSE, FALSE, sizeof (GstFoveaBox));
  guint index = 0;

  for (guint g = 0; g < d->n_groups; g++) {
    FvArray *boxes = outputs[d->boxes[g]];
    guint axis;
    gint channels;
    gint64 n_boxes;
    ck_assert (fv_detect_axes (&boxes->shape, d->transposed, &axis, &channels));
    n_boxes = boxes->shape.dims[axis];
    if (boxes->shape.rank == 4)
      n_boxes *= boxes->shape.dims[axis - 1];
    for (gint64 n = 0; n < n_boxes; n++, index++) {
      GstFoveaBox box = { .index = index };
      if (d->count != FV_NO_OUTPUT
          && (double) index >= outputs[d->count]->f32[0])
        continue;
      if (!d->many_labels)
        reference_candidate (d, outputs, map, g, n, -1, threshold, box, found);
      for (guint c = 0; d->many_labels && c < d->n_classes; c++) {
        box.index = index * d->n_classes + c;
        if ((gint) c != d->background)
          reference_candidate (d, outputs, map, g, n, (gint) c, threshold, box,
              found);
      }
    }
  }
  return found;
}

guint
reference_channels (FvArray *values, gint channel_axis)
{
  return channel_axis < 0 ? 1 : (guint) values->shape.dims[channel_axis];
}

double
reference_sample (FvArray *values, gint channel_axis, guint c,
    const FvFrameMap *map, guint x, guint y)
{
  const FvShape *s = &values->shape;
  gint64 low[FV_MAX_RANK] = { 0 }, index[FV_MAX_RANK];
  gint axes[2];
  double f[2], result = 0;
  double in_x = map->x + (x + 0.5) * map->width / map->frame_width;
  double in_y = map->y + (y + 0.5) * map->height / map->frame_height;

  /* height and width: the last two axes that hold no channels */
  axes[1] = (gint) s->rank - 1;
  while (axes[1] == channel_axis
      || (channel_axis < 0 && s->rank == 4 && axes[1] == 3 && s->dims[3] == 1
          && s->dims[1] != 1))
    axes[1]--;
  axes[0] = axes[1] - 1;
  while (axes[0] == channel_axis)
    axes[0]--;
  for (guint i = 0; i < 2; i++) {
    double size = (double) s->dims[axes[i]];
    double p = i == 0 ? in_y * size / map->input_height - 0.5
                      : in_x * size / map->input_width - 0.5;
    p = CLAMP (p, 0, size - 1);
    low[axes[i]] = (gint64) p;
    f[i] = p - floor (p);
  }
  if (channel_axis >= 0)
    low[channel_axis] = c;
  for (guint k = 0; k < 4; k++) {
    double weight = 1;
    for (guint a = 0; a < s->rank; a++)
      index[a] = low[a];
    for (guint i = 0; i < 2; i++) {
      gboolean high = (k >> i) & 1;
      weight *= high ? f[i] : 1 - f[i];
      index[axes[i]] = MIN (low[axes[i]] + high, s->dims[axes[i]] - 1);
    }
    if (weight != 0)
      result += weight * at (values, index);
  }
  return result;
}

double
reference_probability (const FvCardHead *head, FvArray *values,
    const FvFrameMap *map, guint x, guint y)
{
  gint axis = head->channel_axis, background = axis < 0 ? 0 : head->background;
  double v =
      reference_sample (values, axis, axis < 0 ? 0 : 1 - background, map, x, y);

  if (head->activation == FV_ACTIVATION_SOFTMAX)
    v -= reference_sample (values, axis, background, map, x, y);
  return head->activation == FV_ACTIVATION_NONE ? CLAMP (v, 0, 1) : sigmoid (v);
}
