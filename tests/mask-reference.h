/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Heads that find pieces, in plain C over row-major arrays, in doubles. */
#pragma once

#include "tests/head-reference.h"

G_BEGIN_DECLS

typedef struct
{
  guint index; /* query or candidate */
  guint class_id;
  double score;
  gboolean is_kept;
  guint number; /* of the instance; 0: stuff */
} ReferencePiece;

/* What a frame's pixels are of. Pixels that a rounding may turn are doubtful. */
typedef struct
{
  GArray *pieces; /* (element-type ReferencePiece) */
  guint width, height;
  guint *place; /* of each pixel: place in pieces, from 1; 0: none */
  gboolean *is_doubtful;
} ReferenceMasks;

/* As post_process_panoptic_segmentation of Hugging Face. */
void reference_panoptic (ReferenceMasks *masks, const FvCardHead *head,
    FvArray *const *outputs, const FvFrameMap *map, double threshold);
/* Boxes by falling score, suppressed, and of each pixel the first whose mask it is
 * in. */
void reference_prototypes (ReferenceMasks *masks, const FvCardHead *head,
    FvArray *const *outputs, const FvFrameMap *map, double threshold,
    double iou_threshold);
void reference_masks_clear (ReferenceMasks *masks);
/* [1, C, h, w]: sum over queries of class x mask, as
 * post_process_semantic_segmentation. (transfer full) */
FvArray *reference_semantic (const FvCardHead *head, FvArray *const *outputs);

G_END_DECLS
