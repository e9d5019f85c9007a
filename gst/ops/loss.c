/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss; on the device they are
 * gathers and sums, see rewrite-index.c. */
#include "gst/ops/common.h"

#include <math.h>
#include <string.h>

/* Scores [batch][classes][places], one label and loss for each batch and place. */
typedef struct
{
  gint64 batch, classes, places;
} Sizes;

static Sizes
get_sizes (const FvShape *scores)
{
  Sizes sizes = { scores->dims[0], scores->dims[1], 1 };

  for (guint i = 2; i < scores->rank; i++)
    sizes.places *= scores->dims[i];
  return sizes;
}

static gboolean
is_cross_entropy (const FvNode *node)
{
  return node->op->variant == 1;
}

static gboolean
check_labels (FvNode *node, GError **error)
{
  const FvShape *scores = &node->inputs[0]->shape;
  const FvShape *labels = &node->inputs[1]->shape;
  const FvValue *weights = fv_node_input (node, 2);
  gboolean fits = scores->rank >= 2 && labels->rank + 1 == scores->rank
      && labels->dims[0] == scores->dims[0];

  for (guint i = 2; fits && i < scores->rank; i++)
    fits = labels->dims[i - 1] == scores->dims[i];
  if (!fits)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the labels do not fit the scores");
  if (!fv_type_is_float (node->inputs[0]->type)
      || !fv_value_is_integer (node->inputs[1]))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected float scores and integer labels");
  if (weights
      && (weights->shape.rank != 1
          || weights->shape.dims[0] != scores->dims[1]))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected one weight for each of %" G_GINT64_FORMAT " classes",
        scores->dims[1]);
  return TRUE;
}

static gboolean
infer_loss (FvNode *node, GError **error)
{
  const char *reduction = fv_node_string (node, "reduction");
  const FvShape scalar = { 0 };

  if (!check_labels (node, error))
    return FALSE;
  if (strcmp (reduction, "none") && strcmp (reduction, "sum")
      && strcmp (reduction, "mean"))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED, "reduction is \"%s\"",
        reduction);
  fv_set_output (node, 0, node->inputs[0]->type,
      strcmp (reduction, "none") ? &scalar : &node->inputs[1]->shape);
  fv_set_output (node, 1, node->inputs[0]->type, &node->inputs[0]->shape);
  return TRUE;
}

/* Logarithm of the sum of the classes' exponentials. */
static double
log_sum (const FvArray *scores, const Sizes *s, gint64 first)
{
  double most = -INFINITY, sum = 0;

  for (gint64 c = 0; c < s->classes; c++)
    most = fmax (most, scores->f32[first + c * s->places]);
  for (gint64 c = 0; c < s->classes; c++)
    sum += exp (scores->f32[first + c * s->places] - most);
  return most + log (sum);
}

/* Makes every score the logarithm of a probability. */
static void
log_softmax (const FvArray *scores, const Sizes *s, FvArray *result)
{
  for (gint64 b = 0; b < s->batch; b++)
    for (gint64 p = 0; p < s->places; p++) {
      gint64 first = b * s->classes * s->places + p;
      double sum = log_sum (scores, s, first);

      for (gint64 c = 0; c < s->classes; c++)
        result->f32[first + c * s->places] =
            scores->f32[first + c * s->places] - sum;
    }
}

static gboolean
sum_losses (FvNode *node, const FvArray *scores, FvArray **inputs,
    FvArray *loss, GError **error)
{
  const FvArray *weights = node->n_own_inputs > 2 ? inputs[2] : NULL;
  const char *reduction = fv_node_string (node, "reduction");
  gboolean ignores = fv_node_has (node, "ignore_index");
  gint64 ignored = fv_node_int (node, "ignore_index");
  Sizes s = get_sizes (&scores->shape);
  double sum = 0, weight_sum = 0;

  for (gint64 i = 0; i < inputs[1]->count; i++) {
    gint64 label = inputs[1]->i64[i];
    gboolean counts = !ignores || label != ignored;
    double weight = 0, value = 0;

    if (counts && (label < 0 || label >= s.classes))
      return fv_node_fail (node, error, FV_ERROR_INVALID,
          "label %" G_GINT64_FORMAT " is none of %" G_GINT64_FORMAT " classes",
          label, s.classes);
    if (counts) {
      gint64 at = (i / s.places * s.classes + label) * s.places + i % s.places;

      weight = weights ? weights->f32[label] : 1;
      value = -weight * scores->f32[at];
    }
    sum += value;
    weight_sum += weight;
    if (!strcmp (reduction, "none"))
      loss->f32[i] = value;
  }
  if (strcmp (reduction, "none"))
    loss->f32[0] = strcmp (reduction, "mean") ? sum : sum / weight_sum;
  return TRUE;
}

static gboolean
loss (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  FvArray *given = node->n_outputs > 1 ? outputs[1] : NULL;
  Sizes s = get_sizes (&inputs[0]->shape);
  g_autoptr (FvArray) made = NULL;

  if (!is_cross_entropy (node))
    return sum_losses (node, inputs[0], inputs, outputs[0], error);
  if (!given && !(made = fv_array_new (FV_TYPE_F32, &inputs[0]->shape, error)))
    return FALSE;
  log_softmax (inputs[0], &s, given ? given : made);
  return sum_losses (node, given ? given : made, inputs, outputs[0], error);
}

#define LOSS(op_name, kind, n_outs) \
  .name = op_name, .since = 12, .variant = kind, .min_inputs = 2, \
  .max_inputs = 3, .max_outputs = n_outs, \
  .attrs = "ignore_index:i=0 reduction:s=mean", .infer = infer_loss, \
  .reference = loss, .lower = fv_lower_rewritten
#define CASES \
  .cases = FV_CASES ({ .inputs = "f32[3,5] i64[3]", .low = 0, .high = 4.9 }, \
      { .inputs = "f32[2,5,3,4] i64[2,3,4] f32[5]", \
          .attrs = "reduction=none ignore_index=2", \
          .low = 0, \
          .high = 4.9 }, \
      { .inputs = "f32[2,5,7] i32[2,7] =f32[5]", \
          .attrs = "reduction=sum", \
          .low = 0, \
          .high = 4.9 }, \
      { .inputs = "f32[2,5,7] i64[2,7] =f32[5]", \
          .attrs = "ignore_index=0", \
          .low = 0.1, \
          .high = 4.9 })

const FvOp fv_ops_loss[] = {
  { LOSS ("NegativeLogLikelihoodLoss", 0, 1), CASES },
  { LOSS ("SoftmaxCrossEntropyLoss", 1, 2), CASES },
  {},
};
