/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tiny models whose results are known by heart, as ONNX files. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define ELEMENT_MODEL_SIZE 32 /* pixels of their inputs, both ways */

/* Each writes a file into the tests' folder and returns its path. (transfer
 * full) */

/* Pixels brighter than one half are class 1, others class 0; output "seg".
 * @is_free: width and height of the input are left free. */
char *element_model_segment (const char *name, gboolean is_free);
/* The same mean as the logit of a mask of one map; output "seg". */
char *element_model_matte (const char *name);
/* The mean of red, green and blue at each pixel; output "depth". */
char *element_model_depth (const char *name);
/* The same with width and height of the input left free. */
char *element_model_free_depth (const char *name);
/* Three classes: the more of the frame's mean is red, green or blue. */
char *element_model_classify (const char *name);
/* Two boxes in input pixels, centre and size, as YOLOv8 gives them: 16 16 16 8
 * with the mean of each channel as scores of red, green and blue, and 10 14 8 8
 * with 0.6 of it. */
char *element_model_detect (const char *name);
/* The first two of the boxes that a NonMaxSuppression of the model's leaves, at most
 * 20 of each class and all that score over 0.25: outputs "boxes", which are
 * constant, "scores" and "selected". */
char *element_model_suppress (const char *name);
/* What element_model_segment() sees, as numbers of classes: [1, 1, h, w] of INT64,
 * behind an ArgMax; output "seg". */
char *element_model_numbers (const char *name);
/* Two boxes over the whole input, of the classes red and green, as YOLO
 * segmentation gives them: "output0" [1, 4 + 2 + 4, 21], with prototypes "output1"
 * [1, 4, 32, 32], which are red, green, blue and their mean, less one half: a
 * mask is where its colour is bright. */
char *element_model_prototypes (const char *name);
/* Three queries of the classes red, green and blue and a fourth of none:
 * "class_queries_logits" [1, 4, 4] and "masks_queries_logits" [1, 4, 32, 32],
 * which are a colour each, less one half, and one that is everywhere. */
char *element_model_queries (const char *name);
/* The depth net's values under a shape that no head fits: [1, 2, 2, 16, 16]. */
char *element_model_raw (const char *name);
/* The mean of clips of eight frames: [1, 3, 8, 32, 32] goes in. */
char *element_model_clip (const char *name);
/* Ten operators, which find two classes that both lie across most pictures; output
 * "seg" [1, 2, 32, 32]. */
char *element_model_ten (const char *name);
/* An operator that nobody has. */
char *element_model_unknown (const char *name);

G_END_DECLS
