/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/gstfoveascoreboxes.h"

#include <string.h>

#define MOST_BOXES 100 /* of a frame, the surest first */
#define N_OVERLAPS 10 /* 0.5, 0.55 ... 0.95 */
#define N_RECALLS 101

/* A box that was found, when it has been judged. Bits are overlaps. */
typedef struct
{
  float score;
  guint16 fits, is_ignored;
} Found;

typedef struct
{
  char *name;
  guint64 n_true;
  GArray *found; /* Found */
} Class;

struct _GstFoveaBoxScore
{
  GPtrArray *classes; /* Class, as they come */
  guint64 frames, n_true, n_found;
};

/* A box of one frame. */
typedef struct
{
  Class *class;
  float score;
  double x0, y0, x1, y1;
  gboolean is_ignored; /* by the limits */
  guint16 taken; /* of a true box: overlaps at which one was found */
} Box;

static void
class_free (Class *class)
{
  g_array_unref (class->found);
  g_free (class->name);
  g_free (class);
}

GstFoveaBoxScore *
gst_fovea_box_score_new (void)
{
  GstFoveaBoxScore *score = g_new0 (GstFoveaBoxScore, 1);

  score->classes = g_ptr_array_new_with_free_func ((GDestroyNotify) class_free);
  return score;
}

void
gst_fovea_box_score_free (GstFoveaBoxScore *score)
{
  g_ptr_array_unref (score->classes);
  g_free (score);
}

/* By label, or by number where there is none. */
static Class *
find_class (GstFoveaBoxScore *score, const GstFoveaRegion *region)
{
  g_autofree char *name = *region->label
      ? g_ascii_strdown (region->label, -1)
      : g_strdup_printf ("%d", region->label_id);

  for (guint i = 0; i < score->classes->len; i++) {
    Class *class = g_ptr_array_index (score->classes, i);
    if (strcmp (class->name, name) == 0)
      return class;
  }
  Class *class = g_new0 (Class, 1);
  class->name = g_steal_pointer (&name);
  class->found = g_array_new (FALSE, FALSE, sizeof (Found));
  g_ptr_array_add (score->classes, class);
  return class;
}

/* The box as its producer measured it, else rounded to pixels. */
static void
set_corners (Box *box, const GstFoveaRegion *region, guint width, guint height)
{
  const GstVideoRegionOfInterestMeta *meta = region->meta;
  const GstStructure *detection =
      gst_video_region_of_interest_meta_get_param (region->meta, "detection");

  box->x0 = meta->x;
  box->y0 = meta->y;
  box->x1 = meta->x + meta->w;
  box->y1 = meta->y + meta->h;
  if (detection
      && gst_structure_get (detection, "x_min", G_TYPE_DOUBLE, &box->x0,
          "x_max", G_TYPE_DOUBLE, &box->x1, "y_min", G_TYPE_DOUBLE, &box->y0,
          "y_max", G_TYPE_DOUBLE, &box->y1, NULL)) {
    box->x0 *= width;
    box->x1 *= width;
    box->y0 *= height;
    box->y1 *= height;
  }
}

static GArray *
collect (GstFoveaBoxScore *score, GstBuffer *buffer, const char *source,
    GstFoveaRole role, guint width, guint height,
    const GstFoveaScoreLimits *limits)
{
  GArray *boxes = g_array_new (FALSE, FALSE, sizeof (Box));
  gpointer state = NULL;
  GstFoveaRegion region;

  while (gst_fovea_buffer_next_region (buffer, source, &state, &region)) {
    Box box = { .score = (float) region.confidence };
    if (region.is_frame || region.role != role)
      continue;
    set_corners (&box, &region, width, height);
    box.class = find_class (score, &region);
    box.is_ignored = MAX (box.x1 - box.x0, box.y1 - box.y0) < limits->min_size;
    const GstStructure *detection =
        gst_video_region_of_interest_meta_get_param (region.meta, "detection");
    double occlusion;
    if (role == GST_FOVEA_ROLE_TRUTH && detection
        && gst_structure_get_double (detection, "occlusion", &occlusion)
        && occlusion > limits->max_occlusion)
      box.is_ignored = TRUE;
    g_array_append_val (boxes, box);
  }
  return boxes;
}

static gint
surest_first (gconstpointer a, gconstpointer b)
{
  float first = ((const Box *) a)->score, second = ((const Box *) b)->score;

  return first < second ? 1 : first > second ? -1 : 0;
}

static double
overlap (const Box *a, const Box *b)
{
  double width = MIN (a->x1, b->x1) - MAX (a->x0, b->x0);
  double height = MIN (a->y1, b->y1) - MAX (a->y0, b->y0);
  double areas =
      (a->x1 - a->x0) * (a->y1 - a->y0) + (b->x1 - b->x0) * (b->y1 - b->y0);

  if (width <= 0 || height <= 0)
    return 0;
  return width * height / (areas - width * height);
}

/* The true box that overlaps most of those that none has been found for yet at
 * overlap @level; ignored ones only where no other fits. */
static Box *
best_fit (GArray *truth, const Box *box, guint level)
{
  double least = 0.5 + 0.05 * level, best[2] = { least - 1e-9, least - 1e-9 };
  Box *fits[2] = { NULL, NULL };

  for (guint i = 0; i < truth->len; i++) {
    Box *other = &g_array_index (truth, Box, i);
    if (other->class != box->class || (other->taken >> level & 1))
      continue;
    double share = overlap (box, other);
    if (share < best[other->is_ignored])
      continue;
    best[other->is_ignored] = share;
    fits[other->is_ignored] = other;
  }
  return fits[0] ? fits[0] : fits[1];
}

static void
judge (GArray *truth, const Box *box)
{
  Found found = { .score = box->score };

  for (guint level = 0; level < N_OVERLAPS; level++) {
    Box *fit = best_fit (truth, box, level);
    if (fit) {
      fit->taken |= (guint16) (1u << level);
      found.fits |= (guint16) (1u << level);
    }
    if (fit ? fit->is_ignored : box->is_ignored)
      found.is_ignored |= (guint16) (1u << level);
  }
  g_array_append_val (box->class->found, found);
}

void
gst_fovea_box_score_add (GstFoveaBoxScore *score, GstBuffer *buffer,
    const char *source, guint width, guint height,
    const GstFoveaScoreLimits *limits)
{
  g_autoptr (GArray) truth = collect (score, buffer, "truth",
      GST_FOVEA_ROLE_TRUTH, width, height, limits);
  g_autoptr (GArray) found = collect (score, buffer, source,
      GST_FOVEA_ROLE_RESULT, width, height, limits);

  if (found->len == 0 && score->frames == 0)
    return;
  score->frames++;
  for (guint i = 0; i < truth->len; i++) {
    Box *box = &g_array_index (truth, Box, i);
    box->class->n_true += !box->is_ignored;
    score->n_true += !box->is_ignored;
  }
  g_array_sort (found, surest_first);
  for (guint i = 0; i < MIN (found->len, MOST_BOXES); i++)
    judge (truth, &g_array_index (found, Box, i));
  score->n_found += found->len;
}

/* ---- Average precision ---- */

static gint
found_surest_first (gconstpointer a, gconstpointer b)
{
  float first = ((const Found *) a)->score, second = ((const Found *) b)->score;

  return first < second ? 1 : first > second ? -1 : 0;
}

/* Mean of the best precision at or beyond each of 101 recalls. */
static double
average_precision (const GArray *found, guint64 n_true, guint level)
{
  double best[N_RECALLS] = { 0 };
  guint64 right = 0, all = 0;
  double sum = 0, most = 0;

  for (guint i = 0; i < found->len; i++) {
    const Found *box = &g_array_index (found, Found, i);
    if (box->is_ignored >> level & 1)
      continue;
    all++;
    right += box->fits >> level & 1;
    double recall = (double) right / (double) n_true;
    guint at = (guint) (recall * (N_RECALLS - 1) + 1e-9);
    best[at] = MAX (best[at], (double) right / (double) all);
  }
  for (guint i = N_RECALLS; i-- > 0;) {
    most = MAX (most, best[i]);
    sum += most;
  }
  return sum / N_RECALLS;
}

void
gst_fovea_box_score_get (const GstFoveaBoxScore *score, GstStructure *result)
{
  GstStructure *each = gst_structure_new_empty ("ap50");
  double sums[N_OVERLAPS] = { 0 }, all = 0;
  guint occur = 0;

  for (guint i = 0; i < score->classes->len; i++) {
    Class *class = g_ptr_array_index (score->classes, i);
    if (class->n_true == 0)
      continue;
    occur++;
    g_array_sort (class->found, found_surest_first);
    for (guint level = 0; level < N_OVERLAPS; level++) {
      double ap = average_precision (class->found, class->n_true, level);
      sums[level] += ap;
      all += ap / N_OVERLAPS;
      if (level == 0)
        gst_structure_set (each, class->name, G_TYPE_DOUBLE, ap, NULL);
    }
  }
  if (score->frames)
    gst_structure_set (result, "box-frames", G_TYPE_UINT64, score->frames,
        "map50", G_TYPE_DOUBLE, occur ? sums[0] / occur : 0, "map",
        G_TYPE_DOUBLE, occur ? all / occur : 0, "ap50", GST_TYPE_STRUCTURE,
        each, "true-boxes", G_TYPE_UINT64, score->n_true, "found-boxes",
        G_TYPE_UINT64, score->n_found, NULL);
  gst_structure_free (each);
}
