/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How well results fit what is true, over many frames. */
#pragma once

#include "gst/video/gstfoveameta.h"

G_BEGIN_DECLS

/* What is left out of the score: of boxes, on either side; of depth. */
typedef struct
{
  guint
      min_size; /* pixels: true boxes whose longer side is shorter, and found ones
                     of that size that fit none */
  double max_occlusion; /* 0 to 1: true boxes with a greater "occlusion" */
  double max_depth; /* metres: pixels that are farther in truth; 0: none */
} GstFoveaScoreLimits;

/**
 * GstFoveaScore:
 *
 * Truth and results of the frames so far.
 *
 * Life:    gst_fovea_score_new(), gst_fovea_score_add() for each frame,
 *          gst_fovea_score_get() at any time, gst_fovea_score_free().
 * Memory:  12 bytes for each box that was found, and a matrix of classes.
 * Threads: one at a time.
 *
 * Classes are the truth's: a result's class is told by its label, or by its number
 * where one of both has no labels.
 *
 * What is computed:
 * - segmentation: intersection over union of each class over all pixels of all
 *   frames, its mean over the classes that occur in the truth (mIoU), and the share
 *   of pixels that are right (M. Everingham et al., The Pascal VOC Challenge, 2010);
 * - depth: mean over frames of the mean of |d - t| / t (AbsRel), of the root of the
 *   mean of (d - t)^2 in metres (RMSE), and of the share of pixels with
 *   max (d / t, t / d) < 1.25 (delta1), over pixels whose true depth is known
 *   (D. Eigen et al., Depth Map Prediction from a Single Image, 2014). Depth without
 *   a unit is first brought to metres by the scale and shift that fit best in each
 *   frame, of 1 / depth where it is inverse (R. Ranftl et al., Towards Robust
 *   Monocular Depth Estimation, 2020);
 * - boxes: average precision of each class at 101 levels of recall, at an overlap of
 *   0.5 (AP50) and at the mean over 0.5 to 0.95 in steps of 0.05 (AP), and their
 *   means over classes that occur in the truth, as COCO does it (T. Lin et al.,
 *   Microsoft COCO, 2014), with at most 100 boxes a frame.
 */
typedef struct _GstFoveaScore GstFoveaScore;

FV_API GstFoveaScore *gst_fovea_score_new (void);
FV_API void gst_fovea_score_free (GstFoveaScore *score); /* %NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstFoveaScore, gst_fovea_score_free)

/* Adds a frame of @width x @height pixels. @source: (nullable): whose results, as in
 * gst_fovea_producer_matches(). A kind of result that
 * one side lacks is not counted; boxes count from the first frame on that has found
 * ones, so that frames without any are misses. FALSE when a map cannot be brought to the
 * host. */
FV_API gboolean gst_fovea_score_add (GstFoveaScore *score, GstBuffer *buffer,
    const char *source, guint width, guint height,
    const GstFoveaScoreLimits *limits);
/* (transfer full): "foveaevaluate" with `frames`, and of what there was:
 * `segmentation-frames`, `miou`, `pixel-accuracy`, `iou` {class: value};
 * `depth-frames`, `absrel`, `rmse`, `delta1`, `depth-coverage`;
 * `box-frames`, `map50`, `map`, `ap50` {class: value}, `true-boxes`, `found-boxes` */
FV_API GstStructure *gst_fovea_score_get (const GstFoveaScore *score);

G_END_DECLS
