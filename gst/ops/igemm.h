/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Matrix products and convolutions as dispatches of igemm.comp or gemv.comp.
 * Private to the operators. */
#pragma once

#include "gst/engine/plan.h"
#include "shaders/igemm.h"

G_BEGIN_DECLS

/**
 * FvIgemm: one product, as the kernels see it; see shaders/igemm.h.
 *
 * The caller fills tensors, strides, bases and sizes; fv_igemm_dispatch() adds
 * what follows from them.
 */
typedef struct
{
  FvTensor x, w, y, bias; /* bias.storage: (nullable) */
  FvTensor gate; /* (nullable) storage: FV_IGEMM_GATE */
  FvTensor numbers; /* (nullable) storage: x and w are bytes, see igemm8.c */
  gboolean has_zeroes; /* FV_IGEMM_ZEROES */
  FvTensor table; /* with n_rows: which rows of x; see FV_IGEMM_ROWS */
  gint n_rows;
  int inner; /* axis of y that holds the channels */
  gboolean is_window; /* else one tap, rows equally spaced, no padding */
  gboolean is_packed; /* weights by fv_igemm_pack() */
  gboolean is_blocked; /* FV_IGEMM_BLOCKED: x_row is a block, x_pixel is 1 */
  gboolean is_bare; /* the node's steps are another kernel's */
  guint bias_kind; /* FV_BIAS_* */
  guint z_kind; /* FV_Z_* */
  gint64 z_count;
  gint64 first_row; /* of the output, that z = 0 begins with */
  gint64 k; /* elements of one sum, for the estimate of work */
  guint tail; /* FV_IGEMM_TAIL */
  float alpha, beta; /* factors of the sum and of the bias */
  FvIgemmPush push;
} FvIgemm;

gboolean
fv_igemm_dispatch (FvPlan *plan, FvNode *node, FvIgemm *igemm, GError **error);

/* A guess, in nanoseconds of one core of the subgroup tier's devices, of what a
 * product of @steps vec4 of K takes. */
double fv_igemm_cost (gint64 pixels, gint64 channels, gint64 steps, gint64 z);

/* Where the weights of a product lie: element (z, m, tap, k) at
 * start + z * z_step + m * m_step + taps[tap] + k * k_step. */
typedef struct
{
  gint64 z, m, k; /* sizes */
  guint n_taps;
  const gint64 *taps;
  gint64 start, z_step, m_step, k_step;
  FvType type; /* as stored; FV_TYPE_NONE: the plan's */
  float factor;
} FvIgemmWeights;

/* fv_igemm_pack() for the product @igemm, whose tensors and kind of z are set: as
 * bytes where x and w are quantised and the device is made for it. */
gboolean fv_igemm_set_weights (FvPlan *plan, FvNode *node, FvArray *array,
    const FvIgemmWeights *weights, FvIgemm *igemm, GError **error);
/* igemm8.c: whether that may come about, as far as input 0 of @node is concerned */
gboolean fv_igemm8_suits (FvPlan *plan, const FvNode *node);
/* igemm8.c: the same, leaving @igemm->numbers alone where weights are not bytes */
gboolean fv_igemm8_pack (FvPlan *plan, FvNode *node, FvArray *array,
    const FvIgemmWeights *weights, FvIgemm *igemm, GError **error);

/* Uploads @array (of any float type) as [z][m / 8][tap][k / 4][m % 8][k % 4]. */
gboolean fv_igemm_pack (FvPlan *plan, FvNode *node, FvArray *array,
    const FvIgemmWeights *weights, FvTensor *tensor, GError **error);
/* vec4 of one z of such weights */
gint64 fv_igemm_packed_size (const FvIgemmWeights *weights);

/* The stride of @axis in vec4 units, 0 where the axis has one element. */
gint64 fv_vec4_stride (const FvTensor *tensor, guint axis);

G_END_DECLS
