/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/gstfoveascore.h"
#include "gst/video/gstfoveascoreboxes.h"
#include "gst/video/gstfoveaview.h"

#include <math.h>

#define MOST_CLASSES 1024

struct _GstFoveaScore
{
  guint64 frames, segmentation_frames, depth_frames;
  guint n_classes; /* of the truth */
  guint64 *confusion; /* truth by result; the last column: another class */
  guint64 depth_pixels, depth_known; /* true ones; those with a result */
  double absrel, rmse, delta1; /* sums over frames */
  GstFoveaProducer *labels; /* (nullable): of the truth */
  GstFoveaBoxScore *boxes;
};

GstFoveaScore *
gst_fovea_score_new (void)
{
  GstFoveaScore *score = g_new0 (GstFoveaScore, 1);

  score->boxes = gst_fovea_box_score_new ();
  return score;
}

void
gst_fovea_score_free (GstFoveaScore *score)
{
  if (score == NULL)
    return;
  gst_fovea_box_score_free (score->boxes);
  gst_fovea_producer_unref (score->labels);
  g_free (score->confusion);
  g_free (score);
}

static void
set_labels (GstFoveaScore *score, GstFoveaProducer *truth)
{
  if (score->labels == NULL)
    score->labels = gst_fovea_producer_ref (truth);
}

/* ---- Classes of pixels ---- */

/* The number of class @id of @result among the truth's; @n: another. */
static guint
class_of (const GstFoveaProducer *truth, const GstFoveaProducer *result,
    guint id, guint n)
{
  if (truth->n_labels == 0 || result->n_labels == 0)
    return MIN (id, n);
  const char *label = gst_fovea_producer_label (result, id);
  for (guint i = 0; i < n && *label != '\0'; i++)
    if (g_ascii_strcasecmp (label, gst_fovea_producer_label (truth, i)) == 0)
      return i;
  return n;
}

static void
count_row (GstFoveaScore *score, const float *truth, const float *result,
    const guint *classes, guint n_results, guint width)
{
  guint n = score->n_classes;

  for (guint x = 0; x < width; x++) {
    if (!(truth[x] >= 0 && truth[x] < n))
      continue;
    guint found = result[x] >= 0 && result[x] < n_results
        ? classes[(guint) result[x]]
        : n;
    score->confusion[(guint) truth[x] * (n + 1) + found]++;
  }
}

static gboolean
add_segmentation (GstFoveaScore *score, const GstFoveaSegmentationMeta *truth,
    const GstFoveaSegmentationMeta *result)
{
  guint width = truth->frame.width, height = truth->frame.height;
  guint n_results = MIN (result->n_classes, MOST_CLASSES);
  GstFoveaView true_map, found_map;

  if (score->n_classes == 0) {
    score->n_classes = MIN (truth->n_classes, MOST_CLASSES);
    score->confusion =
        g_new0 (guint64, score->n_classes * (score->n_classes + 1));
  }
  if (!gst_fovea_view_map (&true_map, truth->map))
    return FALSE;
  if (!gst_fovea_view_map (&found_map, result->map)) {
    gst_fovea_view_unmap (&true_map);
    return FALSE;
  }
  g_autofree guint *classes = g_new (guint, n_results);
  g_autofree float *rows = g_new (float, 2 * (gsize) width);
  for (guint i = 0; i < n_results; i++)
    classes[i] = class_of (truth->map->producer, result->map->producer, i,
        score->n_classes);
  for (guint y = 0; y < height; y++) {
    gst_fovea_view_row (&true_map, &truth->frame, y, FALSE, rows);
    gst_fovea_view_row (&found_map, &result->frame, y, FALSE, rows + width);
    count_row (score, rows, rows + width, classes, n_results, width);
  }
  gst_fovea_view_unmap (&found_map);
  gst_fovea_view_unmap (&true_map);
  set_labels (score, truth->map->producer);
  score->segmentation_frames++;
  return TRUE;
}

/* ---- Depth ---- */

/* Sums of a line through points (d, g (t)), where g is the truth or 1 / it. */
typedef struct
{
  double n, d, g, dd, dg;
} Fit;

typedef struct
{
  double far; /* metres: what is farther does not count */
  double n, known, relative, square, close;
} DepthSums;

static gboolean
counts (double truth, double far)
{
  return isfinite (truth) && truth > 0 && truth <= far;
}

static void
fit_row (Fit *fit, const float *truth, const float *result, guint width,
    gboolean is_inverse, double far)
{
  for (guint x = 0; x < width; x++) {
    double d = result[x], g = is_inverse ? 1 / (double) truth[x] : truth[x];
    if (!counts (truth[x], far) || !isfinite (d))
      continue;
    fit->n++;
    fit->d += d;
    fit->g += g;
    fit->dd += d * d;
    fit->dg += d * g;
  }
}

/* Scale and shift of least squares. */
static void
solve (const Fit *fit, double *scale, double *shift)
{
  double under = fit->n * fit->dd - fit->d * fit->d;

  *scale = under > 0 ? (fit->n * fit->dg - fit->d * fit->g) / under : 0;
  *shift = fit->n > 0 ? (fit->g - *scale * fit->d) / fit->n : 0;
}

static void
sum_row (DepthSums *sums, const float *truth, const float *result, guint width,
    GstFoveaDepthKind kind, double scale, double shift)
{
  for (guint x = 0; x < width; x++) {
    double t = truth[x], d = scale * result[x] + shift;
    if (!counts (t, sums->far))
      continue;
    sums->n++;
    if (kind == GST_FOVEA_DEPTH_INVERSE)
      d = 1 / MAX (d, 1e-6);
    if (!isfinite (d) || (kind == GST_FOVEA_DEPTH_METRIC && d <= 0))
      continue;
    d = MAX (d, 1e-3);
    sums->known++;
    sums->relative += fabs (d - t) / t;
    sums->square += (d - t) * (d - t);
    sums->close += MAX (d / t, t / d) < 1.25;
  }
}

static void
sum_depth (const GstFoveaView *truth, const GstFoveaDepthMeta *true_depth,
    const GstFoveaView *result, const GstFoveaDepthMeta *depth, DepthSums *sums)
{
  guint width = true_depth->frame.width;
  g_autofree float *rows = g_new (float, 2 * (gsize) width);
  gboolean fits = depth->kind != GST_FOVEA_DEPTH_METRIC;
  double scale = 1, shift = 0;
  Fit fit = { 0 };

  for (guint pass = fits ? 0 : 1; pass < 2; pass++) {
    if (fits && pass == 1)
      solve (&fit, &scale, &shift);
    for (guint y = 0; y < true_depth->frame.height; y++) {
      gst_fovea_view_row (truth, &true_depth->frame, y, FALSE, rows);
      gst_fovea_view_row (result, &depth->frame, y, TRUE, rows + width);
      if (pass == 0)
        fit_row (&fit, rows, rows + width, width,
            depth->kind == GST_FOVEA_DEPTH_INVERSE, sums->far);
      else
        sum_row (sums, rows, rows + width, width, depth->kind, scale, shift);
    }
  }
}

static gboolean
add_depth (GstFoveaScore *score, const GstFoveaDepthMeta *truth,
    const GstFoveaDepthMeta *result, double far)
{
  GstFoveaView true_map, found_map;
  DepthSums sums = { .far = far > 0 ? far : G_MAXDOUBLE };

  if (!gst_fovea_view_map (&true_map, truth->map))
    return FALSE;
  if (!gst_fovea_view_map (&found_map, result->map)) {
    gst_fovea_view_unmap (&true_map);
    return FALSE;
  }
  sum_depth (&true_map, truth, &found_map, result, &sums);
  gst_fovea_view_unmap (&found_map);
  gst_fovea_view_unmap (&true_map);
  score->depth_pixels += (guint64) sums.n;
  score->depth_known += (guint64) sums.known;
  if (sums.known == 0)
    return TRUE;
  score->absrel += sums.relative / sums.known;
  score->rmse += sqrt (sums.square / sums.known);
  score->delta1 += sums.close / sums.known;
  score->depth_frames++;
  return TRUE;
}

/* ---- A frame ---- */

/* The first of the source that is not the truth itself. */
static gboolean
is_result (const GstFoveaPlane *map)
{
  return map->producer->role == GST_FOVEA_ROLE_RESULT;
}

gboolean
gst_fovea_score_add (GstFoveaScore *score, GstBuffer *buffer,
    const char *source, guint width, guint height,
    const GstFoveaScoreLimits *limits)
{
  GstFoveaSegmentationMeta *true_classes =
      gst_fovea_buffer_get_segmentation (buffer, "truth");
  GstFoveaSegmentationMeta *classes =
      gst_fovea_buffer_get_segmentation (buffer, source);
  GstFoveaDepthMeta *true_depth = gst_fovea_buffer_get_depth (buffer, "truth");
  GstFoveaDepthMeta *depth = gst_fovea_buffer_get_depth (buffer, source);

  score->frames++;
  gst_fovea_box_score_add (score->boxes, buffer, source, width, height, limits);
  if (true_classes && classes && is_result (classes->map)
      && classes->frame.width == true_classes->frame.width
      && classes->frame.height == true_classes->frame.height
      && !add_segmentation (score, true_classes, classes))
    return FALSE;
  return !true_depth || !depth || !is_result (depth->map)
      || depth->frame.width != true_depth->frame.width
      || depth->frame.height != true_depth->frame.height
      || add_depth (score, true_depth, depth, limits->max_depth);
}

static void
set_class (const GstFoveaScore *score, GstStructure *structure, guint class,
    double value)
{
  g_autofree char *number = g_strdup_printf ("%u", class);
  const char *label = gst_fovea_producer_label (score->labels, class);

  gst_structure_set (structure, *label ? label : number, G_TYPE_DOUBLE, value,
      NULL);
}

static void
get_segmentation (const GstFoveaScore *score, GstStructure *result)
{
  guint n = score->n_classes, occur = 0;
  guint64 all = 0, right = 0;
  double sum = 0;
  GstStructure *each = gst_structure_new_empty ("iou");

  for (guint c = 0; c < n; c++) {
    guint64 truth = 0, found = 0, both = score->confusion[c * (n + 1) + c];
    for (guint k = 0; k <= n; k++)
      truth += score->confusion[c * (n + 1) + k];
    for (guint k = 0; k < n; k++)
      found += score->confusion[k * (n + 1) + c];
    all += truth;
    right += both;
    if (truth == 0)
      continue;
    double iou = (double) both / (double) (truth + found - both);
    set_class (score, each, c, iou);
    sum += iou;
    occur++;
  }
  gst_structure_set (result, "segmentation-frames", G_TYPE_UINT64,
      score->segmentation_frames, "miou", G_TYPE_DOUBLE,
      occur ? sum / occur : 0, "pixel-accuracy", G_TYPE_DOUBLE,
      all ? (double) right / (double) all : 0, "iou", GST_TYPE_STRUCTURE, each,
      NULL);
  gst_structure_free (each);
}

GstStructure *
gst_fovea_score_get (const GstFoveaScore *score)
{
  GstStructure *result = gst_structure_new ("foveaevaluate", "frames",
      G_TYPE_UINT64, score->frames, NULL);

  if (score->segmentation_frames)
    get_segmentation (score, result);
  if (score->depth_frames)
    gst_structure_set (result, "depth-frames", G_TYPE_UINT64,
        score->depth_frames, "absrel", G_TYPE_DOUBLE,
        score->absrel / score->depth_frames, "rmse", G_TYPE_DOUBLE,
        score->rmse / score->depth_frames, "delta1", G_TYPE_DOUBLE,
        score->delta1 / score->depth_frames, "depth-coverage", G_TYPE_DOUBLE,
        (double) score->depth_known / (double) score->depth_pixels, NULL);
  gst_fovea_box_score_get (score->boxes, result);
  return result;
}
