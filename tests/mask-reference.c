/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/mask-reference.h"

#include <check.h>
#include <math.h>

#define DOUBT 1e-4 /* values nearer than that may come out either way */

static double
activate (FvActivation activation, double v)
{
  return activation == FV_ACTIVATION_SIGMOID ? 1 / (1 + exp (-v)) : v;
}

/* Probability of class @c (background not counted) of query @q. */
static double
probability (const FvCardHead *head, FvArray *const *outputs, guint q, guint c)
{
  const FvCardMasks *m = &head->masks;
  FvArray *scores = outputs[m->scores];
  gint64 channels = scores->shape.dims[scores->shape.rank - 1];
  gint64 n = scores->count / channels;
  guint n_scored = (guint) channels - (head->background >= 0);
  double sum = 0;

  if (q >= n)
    return c == n_scored + q - n
        ? activate (m->stuff_activation, outputs[m->stuff_scores]->f32[q - n])
        : 0;
  if (c >= n_scored)
    return 0;
  if (head->background >= 0 && (gint) c >= head->background)
    c++;
  if (head->activation != FV_ACTIVATION_SOFTMAX)
    return activate (head->activation, scores->f32[q * channels + c]);
  for (gint64 k = 0; k < channels; k++)
    sum += exp (
        (double) scores->f32[q * channels + k] - scores->f32[q * channels + c]);
  return 1 / sum;
}

static double
background_probability (const FvCardHead *head, FvArray *const *outputs,
    guint q)
{
  double sum = 0;

  if (head->background < 0
      || q >= (guint) outputs[head->masks.scores]->shape.dims[1])
    return 0;
  for (guint c = 0; c < head->n_classes; c++)
    sum += probability (head, outputs, q, c);
  return 1 - sum;
}

/* The map of each query as probabilities: [1, Q, h, w]. */
static FvArray *
activate_maps (const FvCardHead *head, FvArray *const *outputs)
{
  FvArray *from = outputs[head->masks.masks];
  FvArray *to = fv_array_new (FV_TYPE_F32, &from->shape, NULL);

  for (gint64 i = 0; i < from->count; i++)
    to->f32[i] = (float) activate (head->masks.activation, from->f32[i]);
  return to;
}

FvArray *
reference_semantic (const FvCardHead *head, FvArray *const *outputs)
{
  g_autoptr (FvArray) maps = activate_maps (head, outputs);
  FvShape shape = maps->shape;
  gint64 area = shape.dims[2] * shape.dims[3], n = shape.dims[1];
  FvArray *sums;

  shape.dims[1] = head->n_classes;
  sums = fv_array_new (FV_TYPE_F32, &shape, NULL);
  for (guint c = 0; c < head->n_classes; c++)
    for (gint64 i = 0; i < area; i++) {
      double sum = 0;
      for (gint64 q = 0; q < n; q++)
        sum +=
            probability (head, outputs, (guint) q, c) * maps->f32[q * area + i];
      sums->f32[c * area + i] = (float) sum;
    }
  return sums;
}

static void
masks_init (ReferenceMasks *masks, const FvFrameMap *map)
{
  gsize pixels = (gsize) map->frame_width * map->frame_height;

  masks->pieces = g_array_new (FALSE, TRUE, sizeof (ReferencePiece));
  masks->width = map->frame_width;
  masks->height = map->frame_height;
  masks->place = g_new0 (guint, pixels);
  masks->is_doubtful = g_new0 (gboolean, pixels);
}

void
reference_masks_clear (ReferenceMasks *masks)
{
  g_array_unref (masks->pieces);
  g_free (masks->place);
  g_free (masks->is_doubtful);
}

static ReferencePiece *
piece_at (const ReferenceMasks *masks, guint i)
{
  return &g_array_index (masks->pieces, ReferencePiece, i);
}

static void
find_queries (ReferenceMasks *masks, const FvCardHead *head,
    FvArray *const *outputs, double threshold)
{
  guint n = (guint) outputs[head->masks.masks]->shape.dims[1];

  for (guint q = 0; q < n; q++) {
    ReferencePiece piece = { .index = q, .score = -1 };
    for (guint c = 0; c < head->n_classes; c++) {
      double p = probability (head, outputs, q, c);
      if (p > piece.score) {
        piece.score = p;
        piece.class_id = c;
      }
    }
    if (piece.score > background_probability (head, outputs, q)
        && piece.score > threshold)
      g_array_append_val (masks->pieces, piece);
  }
}

/* Which pieces keep enough of their masks. */
static void
settle (ReferenceMasks *masks, const FvCardHead *head, const guint *areas,
    const guint *wholes)
{
  guint number = 0;

  for (guint k = 0; k < masks->pieces->len; k++) {
    ReferencePiece *piece = piece_at (masks, k);
    double ratio = wholes[k] ? areas[k] / (double) wholes[k] : 0;
    /* a test on the edge would tell nothing */
    ck_assert (fabs (ratio - head->masks.overlap_threshold) > 0.01);
    piece->is_kept = areas[k] > 0 && ratio > head->masks.overlap_threshold;
    if (piece->is_kept && head->masks.things[piece->class_id])
      piece->number = ++number;
  }
}

void
reference_panoptic (ReferenceMasks *masks, const FvCardHead *head,
    FvArray *const *outputs, const FvFrameMap *map, double threshold)
{
  g_autoptr (FvArray) maps = activate_maps (head, outputs);
  g_autofree guint *areas = NULL;
  g_autofree guint *wholes = NULL;
  guint n;

  masks_init (masks, map);
  find_queries (masks, head, outputs, threshold);
  n = masks->pieces->len;
  areas = g_new0 (guint, n + 1);
  wholes = g_new0 (guint, n + 1);
  for (guint i = 0; i < masks->width * masks->height; i++) {
    double best = -1, second = -1;
    for (guint k = 0; k < n; k++) {
      ReferencePiece *piece = piece_at (masks, k);
      double v = piece->score
          * reference_sample (maps, 1, piece->index, map, i % masks->width,
              i / masks->width);
      wholes[k] += v >= head->masks.threshold;
      if (v > best) {
        second = best;
        best = v;
        masks->place[i] = k + 1;
      } else {
        second = MAX (second, v);
      }
    }
    masks->is_doubtful[i] = best - second < DOUBT;
    if (n > 0)
      areas[masks->place[i] - 1]++;
  }
  settle (masks, head, areas, wholes);
}

static gint
compare_boxes (gconstpointer a, gconstpointer b)
{
  const GstFoveaBox *x = a, *y = b;

  if (x->score != y->score)
    return x->score < y->score ? 1 : -1;
  return x->index < y->index ? -1 : 1;
}

static double
overlap (const GstFoveaBox *a, const GstFoveaBox *b)
{
  double w = fmin (a->x + a->width, b->x + b->width) - fmax (a->x, b->x);
  double h = fmin (a->y + a->height, b->y + b->height) - fmax (a->y, b->y);
  double both = fmax (w, 0) * fmax (h, 0);

  return both / (a->width * a->height + b->width * b->height - both);
}

static void
suppress (GArray *boxes, double iou_threshold)
{
  for (guint i = 0; i < boxes->len; i++)
    for (guint k = i + 1; k < boxes->len;) {
      GstFoveaBox *a = &g_array_index (boxes, GstFoveaBox, i);
      GstFoveaBox *b = &g_array_index (boxes, GstFoveaBox, k);
      if (b->width <= 0 || b->height <= 0
          || (a->class_id == b->class_id && overlap (a, b) > iou_threshold))
        g_array_remove_index (boxes, k);
      else
        k++;
    }
}

/* Coefficient @p of candidate @n. */
static double
coefficient (const FvCardHead *head, FvArray *const *outputs, guint n, guint p)
{
  FvArray *array = outputs[head->masks.coefficients];
  const gint64 *d = array->shape.dims;
  gint64 c = head->masks.coefficient_channel + p;

  return head->detect.transposed ? array->f32[c * d[2] + n]
                                 : array->f32[n * d[2] + c];
}

/* How far inside of the box and of the mask a pixel is; negative: outside. */
static double
depth_in (const FvCardHead *head, FvArray *const *outputs,
    const FvFrameMap *map, const GstFoveaBox *box, guint x, guint y,
    double *edge)
{
  double t = log (head->masks.threshold / (1 - head->masks.threshold));
  double sum = 0;

  *edge = fmin (fmin (x + 0.5 - box->x, box->x + box->width - x - 0.5),
      fmin (y + 0.5 - box->y, box->y + box->height - y - 0.5));
  if (*edge < -DOUBT)
    return -1;
  for (guint p = 0; p < head->masks.n_prototypes; p++)
    sum += coefficient (head, outputs, box->index, p)
        * reference_sample (outputs[head->masks.masks],
            head->masks.channel_axis, p, map, x, y);
  return sum - t;
}

void
reference_prototypes (ReferenceMasks *masks, const FvCardHead *head,
    FvArray *const *outputs, const FvFrameMap *map, double threshold,
    double iou_threshold)
{
  g_autoptr (GArray) boxes = reference_detect (head, outputs, map, threshold);

  masks_init (masks, map);
  g_array_sort (boxes, compare_boxes);
  suppress (boxes, head->detect.nms ? iou_threshold : 1);
  for (guint k = 0; k < boxes->len; k++) {
    GstFoveaBox *box = &g_array_index (boxes, GstFoveaBox, k);
    ReferencePiece piece = { box->index, box->class_id, box->score, TRUE,
      k + 1 };
    g_array_append_val (masks->pieces, piece);
  }
  for (guint i = 0; i < masks->width * masks->height; i++)
    for (guint k = 0; k < boxes->len && masks->place[i] == 0; k++) {
      GstFoveaBox *box = &g_array_index (boxes, GstFoveaBox, k);
      double edge,
          depth = depth_in (head, outputs, map, box, i % masks->width,
              i / masks->width, &edge);
      if (edge >= 0 && depth >= 0)
        masks->place[i] = k + 1;
      masks->is_doubtful[i] |=
          edge >= -2e-3 && (fabs (depth) < 2e-3 || fabs (edge) < 2e-3);
    }
}
