/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Products of bytes: what of a quantised net igemm8.comp takes, and its weights.
 *
 * Both sides are floats by now, their integers times a scale. Those of x follow
 * from the step that rounded it; those of the weights are found again from the
 * floats, of which every row (channel) are whole multiples of one number. That
 * number is right for whatever made them so, and stays so where passes scaled,
 * merged or moved weights about. */
#include "gst/engine/ir-private.h"
#include "gst/ops/igemm.h"

#include <math.h>
#include <string.h>

/* Rows up to which gemv.comp, which reads weights but once, is left to it. */
#define FEW_ROWS 4
/* Sums of 255 x 255 fit into 32 bits. */
#define MOST_TERMS 32768
/* Two roundings to f32 of a quotient, and some. */
#define TOLERANCE 0x1p-21

/* x = step q, low <= q <= low + 255. */
typedef struct
{
  float step, low;
} Quantum;

typedef struct
{
  const FvIgemmWeights *w;
  const float *from;
  Quantum x;
  gint64 depth, units, quads; /* vec4 of a tap; units of a row; of channels */
  guint32 *bytes, *numbers;
  double *row; /* one channel's weights, then their integers */
  gboolean has_zeroes;
} Packing;

static gint64
divide_up (gint64 a, gint64 b)
{
  return (a + b - 1) / b;
}

/* Operators that take their result's elements from those of input 0. */
static gboolean
passes_on (const FvNode *node)
{
  return (node->op->flags & FV_OP_VIEW) || fv_node_is (node, "MaxPool");
}

/* What the last thing done to @value says of it. */
static gboolean
find_quantum (const FvValue *value, Quantum *quantum)
{
  while (value && !value->constant && value->producer
      && fv_type_is_float (value->type)) {
    const FvNode *node = value->producer;
    const FvStep *last = node->n_steps ? &node->steps[node->n_steps - 1] : NULL;

    if (last) {
      *quantum = (Quantum){ last->a, last->b };
      return last->kind == FV_STEP_QUANTIZE;
    }
    if (fv_node_is (node, "fovea.FakeQuantize")) {
      *quantum = (Quantum){ fv_node_float (node, "scale"),
        fv_node_float (node, "low") };
      return TRUE;
    }
    if (!passes_on (node) || node->outputs[0] != value)
      return FALSE;
    value = node->inputs[0];
  }
  return FALSE;
}

/* @stored as f16, a value is off by less than half a step where neither its range
 * nor its small numbers end within. */
static gboolean
is_usable (const Quantum *x, FvType stored)
{
  gboolean is_whole =
      x->low == floorf (x->low) && x->low >= -255 && x->low <= 0;

  if (!is_whole || !isnormal (x->step) || !isnormal (1 / x->step))
    return FALSE;
  return stored == FV_TYPE_F32
      || (x->step >= 0x1p-14f && 255 * x->step <= 65504);
}

gboolean
fv_igemm8_suits (FvPlan *plan, const FvNode *node)
{
  Quantum x;

  return fv_plan_tier (plan) == FV_TIER_WORKGROUP
      && fv_plan_device_info (plan)->uses_dot4
      && find_quantum (node->inputs[0], &x) && is_usable (&x, FV_TYPE_F32);
}

static gboolean
are_multiples (const double *row, gint64 n, double step)
{
  for (gint64 i = 0; i < n; i++) {
    double quotient = row[i] / step;

    if (!(fabs (quotient - rint (quotient)) <= fabs (quotient) * TOLERANCE))
      return FALSE;
  }
  return TRUE;
}

/* Makes @row its integers. Returns the largest number that they are multiples of, by
 * 255 at most; 0 where there is none. */
static double
find_step (double *row, gint64 n)
{
  double largest = 0, products = 0, squares = 0, step;
  guint most = 1;

  for (gint64 i = 0; i < n; i++)
    largest = fmax (largest, fabs (row[i]));
  if (largest == 0)
    return 1;
  while (most < 256 && !are_multiples (row, n, largest / most))
    most++;
  if (!isfinite (largest) || most == 256)
    return 0;
  step = largest / most;
  for (gint64 i = 0; i < n; i++) {
    double integer = rint (row[i] / step);

    products += row[i] * integer;
    squares += integer * integer;
    row[i] = integer;
  }
  return products / squares; /* least squares: exact where they are */
}

/* What makes signed bytes of the integers; FALSE where nothing does. */
static gboolean
find_zero (const double *row, gint64 n, gint32 *zero, gint64 *sum)
{
  double low = 0, high = 0;

  *sum = 0;
  for (gint64 i = 0; i < n; i++) {
    low = fmin (low, row[i]);
    high = fmax (high, row[i]);
    *sum += (gint64) row[i];
  }
  *zero = low < -128 || high > 127 ? (gint32) low + 128 : 0;
  return high - low <= 255;
}

static void
put_byte (guint32 *words, gint64 word, gint64 k, gint32 value)
{
  words[word] |= ((guint32) value & 255) << (8 * (k % 4));
}

static void
put_float (guint32 *word, float value)
{
  memcpy (word, &value, sizeof value);
}

static gboolean
pack_row (Packing *p, gint64 z, gint64 m)
{
  const FvIgemmWeights *w = p->w;
  const float *from = p->from + w->start + z * w->z_step + m * w->m_step;
  gint64 n = w->k * w->n_taps, eights = divide_up (w->m, 8), sum;
  gint64 to = ((z * eights + m / 8) * p->units * 8 + m % 8) * 4;
  guint32 *numbers =
      p->numbers + 4 + (z * p->quads + m / 4) * FV_IGEMM8_ROW * 4 + m % 4;
  double step;
  gint32 zero;

  for (guint tap = 0; tap < w->n_taps; tap++)
    for (gint64 k = 0; k < w->k; k++)
      p->row[tap * w->k + k] = from[w->taps[tap] + k * w->k_step];
  step = find_step (p->row, n);
  if (step == 0 || !find_zero (p->row, n, &zero, &sum))
    return FALSE;
  for (guint tap = 0; tap < w->n_taps; tap++)
    for (gint64 k = 0; k < w->k; k++) {
      gint64 word = tap * p->depth + k / 4;

      put_byte (p->bytes, to + word / 4 * 32 + word % 4, k,
          (gint32) p->row[tap * w->k + k] - zero);
    }
  put_float (numbers, (float) (step * p->x.step * w->factor));
  numbers[4] = (guint32) ((gint32) p->x.low + 128) * (guint32) sum;
  numbers[8] = (guint32) zero;
  p->has_zeroes |= zero != 0;
  return TRUE;
}

/* All rows, and behind them a one for each byte that is a weight. */
static gboolean
pack_all (Packing *p)
{
  const FvIgemmWeights *w = p->w;
  gint64 ones = w->z * divide_up (w->m, 8) * 8 * p->units;

  for (gint64 z = 0; z < w->z; z++)
    for (gint64 m = 0; m < w->m; m++)
      if (!pack_row (p, z, m))
        return FALSE;
  for (guint tap = 0; tap < w->n_taps; tap++)
    for (gint64 k = 0; k < w->k; k++)
      put_byte (p->bytes, ones * 4 + tap * p->depth + k / 4, k, 1);
  put_float (p->numbers, 1 / p->x.step);
  put_float (p->numbers + 1, p->x.low + 128);
  return TRUE;
}

static gboolean
is_taken (FvPlan *plan, const FvNode *node, const FvIgemmWeights *w,
    const FvIgemm *igemm, Quantum *x)
{
  gint64 rows = fv_shape_count (&node->outputs[0]->shape) / (w->m * w->z);

  return fv_igemm8_suits (plan, node) && find_quantum (node->inputs[0], x)
      && is_usable (x, igemm->x.type) && !igemm->gate.storage && rows > FEW_ROWS
      && w->n_taps > 0 && w->k <= MOST_TERMS / w->n_taps
      && (w->z == 1 || igemm->z_kind == FV_Z_GROUPS);
}

gboolean
fv_igemm8_pack (FvPlan *plan, FvNode *node, FvArray *array,
    const FvIgemmWeights *w, FvIgemm *igemm, GError **error)
{
  Packing p = { .w = w, .depth = divide_up (w->k, 4) };
  g_autofree guint32 *bytes = NULL, *numbers = NULL;
  g_autofree double *row = NULL;
  gint64 n_bytes, n_numbers;

  if (!is_taken (plan, node, w, igemm, &p.x))
    return TRUE;
  g_autoptr (FvArray) floats = fv_array_convert (array, FV_TYPE_F32, error);
  if (!floats)
    return FALSE;
  p.from = floats->f32;
  p.units = divide_up (p.depth * w->n_taps, 4);
  p.quads = divide_up (w->m, 4);
  n_bytes = (w->z * divide_up (w->m, 8) * 8 + 1) * p.units * 4;
  n_numbers = 4 + w->z * p.quads * FV_IGEMM8_ROW * 4;
  if (n_bytes > G_MAXINT32 || n_numbers > G_MAXINT32
      || !(p.bytes = bytes = g_try_new0 (guint32, n_bytes))
      || !(p.numbers = numbers = g_try_new0 (guint32, n_numbers))
      || !(p.row = row = g_try_new (double, w->k * w->n_taps)))
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
        "no memory for its weights");
  if (!pack_all (&p))
    return TRUE;
  igemm->has_zeroes = p.has_zeroes;
  return fv_plan_words (plan, node, bytes, n_bytes, &igemm->w, error)
      && fv_plan_words (plan, node, numbers, n_numbers, &igemm->numbers, error);
}
