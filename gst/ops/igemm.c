/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/ops/igemm.h"

/* Rows up to which gemv.comp is the better kernel. */
#define FEW_ROWS 4
/* Channels of which igemm.comp's subgroup tiles make no more than there are. */
#define FEW_CHANNELS 8
/* Large tiles are a tenth faster, and compiled in twice the time. */
#define LARGE_TILE_COST 60000

typedef struct
{
  guint pixels, channels; /* FV_IGEMM_PIXELS, FV_IGEMM_CHANNELS */
  guint across; /* pixels of a whole workgroup */
  guint local;
} Tile;

static gint64
divide_up (gint64 a, gint64 b)
{
  return (a + b - 1) / b;
}

/* Nanoseconds of one workgroup on one core, for the subgroup tier: fitted to
 * lavapipe on an AVX2 machine. A step is a vec4 of K: products, loads of x,
 * loads of w, overhead; then the epilogue. */
static double
workgroup_cost (const Tile *tile, gint64 channels, gint64 steps)
{
  double area = (double) tile->pixels
      * (channels < FEW_CHANNELS ? channels : tile->channels);

  return steps
      * (0.94 * area + 2.25 * tile->pixels + 0.69 * tile->channels + 13)
      + 9.5 * area + 60;
}

static void
offer_subgroup_tiles (FvOffer *offer, Tile *tiles, gint64 pixels,
    gint64 channels, gint64 steps, gint64 z)
{
  static const guint8 sizes[][2] = { { 7, 32 }, { 4, 32 }, { 4, 24 }, { 4, 16 },
    { 4, 8 }, { 2, 32 }, { 2, 16 }, { 2, 8 }, { 1, 32 }, { 1, 16 }, { 1, 8 } };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    Tile tile = { sizes[i][0], sizes[i][1], 8 * sizes[i][0], 8 };
    gint64 n = z * divide_up (pixels, tile.across)
        * divide_up (channels, tile.channels);

    tiles[offer->n] = tile;
    /* whole rounds of four keep two to four cores busy */
    fv_offer_add (offer,
        workgroup_cost (&tile, channels, steps) * divide_up (n, 4)
            + (tile.pixels > 4 ? LARGE_TILE_COST : 0),
        "%ux%u", tile.pixels, tile.channels);
  }
}

double
fv_igemm_cost (gint64 pixels, gint64 channels, gint64 steps, gint64 z)
{
  Tile tiles[FV_MAX_CANDIDATES];
  FvOffer offer = { .n = 0 };
  double lowest = G_MAXDOUBLE;

  offer_subgroup_tiles (&offer, tiles, pixels, channels, steps, z);
  for (guint i = 0; i < offer.n; i++)
    lowest = MIN (lowest, offer.candidates[i].cost);
  return 4 * lowest;
}

/* Square ones, as igemm.comp has them; the guess: large tiles read less, if there
 * is enough to do for all parts of a GPU. */
static void
offer_workgroup_tiles (FvOffer *offer, Tile *tiles, const FvIgemm *igemm,
    const FvDeviceInfo *info)
{
  static const struct
  {
    guint size, local;
    double cost; /* of a product */
  } sizes[] = { { 64, 128, 1 }, { 32, 64, 1.5 }, { 64, 256, 1.1 },
    { 64, 64, 1.2 }, { 128, 256, 1.1 } };
  guint step = igemm->numbers.storage ? FV_IGEMM8_STEP : 4; /* units of K */

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    guint size = sizes[i].size;
    gint64 n = igemm->z_count * divide_up (igemm->push.pixels, size)
        * divide_up (igemm->push.channels, size);

    if (sizes[i].local > info->max_invocations || sizes[i].local > size * step
        || size * 2 * step * 16 > info->max_shared_memory)
      continue;
    tiles[offer->n] = (Tile){ size, size, size, sizes[i].local };
    fv_offer_add (offer, MAX (n, 64) * (double) size * size * sizes[i].cost,
        "%ux%ux%u", size, size, sizes[i].local);
  }
}

/* THE choice of a tile. */
static Tile
choose_tile (FvPlan *plan, const FvIgemm *igemm)
{
  const FvIgemmPush *push = &igemm->push;
  FvOffer offer = { .kernel = igemm->numbers.storage ? "igemm8" : "igemm" };
  Tile tiles[FV_MAX_CANDIDATES];

  g_snprintf (offer.shape, sizeof offer.shape,
      "%" G_GINT64_FORMAT "x%" G_GINT64_FORMAT "x%" G_GINT64_FORMAT
      "x%" G_GINT64_FORMAT "%s%s%s%s%s%s",
      fv_size_class (igemm->z_count), fv_size_class (push->pixels),
      fv_size_class (push->channels), fv_size_class (igemm->k),
      igemm->is_window ? " window" : "", igemm->n_rows ? " rows" : "",
      igemm->is_packed ? "" : " unpacked", igemm->gate.storage ? " gate" : "",
      igemm->is_blocked ? " blocked" : "",
      igemm->x.type == FV_TYPE_F16 ? " f16" : "");
  if (fv_plan_tier (plan) == FV_TIER_SUBGROUP)
    offer_subgroup_tiles (&offer, tiles, push->pixels, push->channels,
        divide_up (igemm->k, 4), igemm->z_count);
  else
    offer_workgroup_tiles (&offer, tiles, igemm, fv_plan_device_info (plan));
  return tiles[fv_plan_choose (plan, &offer)];
}

/* The node's steps and their operands. */
static gboolean
bind_steps (FvPlan *plan, FvNode *node, FvIgemm *igemm, FvDispatch *d,
    GError **error)
{
  FvOperandPush *operand = igemm->push.operand;

  if (igemm->is_bare) {
    for (guint i = 0; i < FV_MAX_OPERANDS; i++)
      d->bindings[d->n_bindings++] = d->bindings[0]; /* never read */
    return TRUE;
  }
  if (!fv_plan_bind_steps (plan, node, d, &igemm->y, igemm->inner, operand,
          error))
    return FALSE;
  for (guint i = 0; i < FV_MAX_OPERANDS; i++)
    operand[i].base += igemm->first_row * operand[i].stride;
  return TRUE;
}

static void
add_specs (FvDispatch *d, const FvIgemm *igemm, const Tile *tile)
{
  fv_dispatch_spec (d, FV_IGEMM_PIXELS, tile->pixels);
  fv_dispatch_spec (d, FV_IGEMM_CHANNELS, tile->channels);
  fv_dispatch_spec (d, FV_IGEMM_WINDOW, igemm->is_window);
  fv_dispatch_spec (d, FV_IGEMM_PACKED, igemm->is_packed);
  fv_dispatch_spec (d, FV_IGEMM_BIAS, igemm->bias_kind);
  fv_dispatch_spec (d, FV_IGEMM_Z, igemm->z_kind);
  fv_dispatch_spec (d, FV_IGEMM_TAIL, igemm->tail);
  fv_dispatch_spec (d, FV_IGEMM_ODD, igemm->push.channels % 4 != 0);
  fv_dispatch_spec_float (d, FV_IGEMM_ALPHA, igemm->alpha);
  fv_dispatch_spec_float (d, FV_IGEMM_BETA, igemm->beta);
  fv_dispatch_spec (d, FV_IGEMM_ROWS, igemm->n_rows);
  fv_dispatch_spec (d, FV_IGEMM_GATE, igemm->gate.storage != NULL);
  fv_dispatch_spec (d, FV_IGEMM_BLOCKED, igemm->is_blocked);
  fv_dispatch_spec (d, FV_IGEMM_ZEROES, igemm->has_zeroes);
  if (igemm->push.channels < FEW_CHANNELS && tile->local == 8)
    fv_dispatch_spec (d, FV_IGEMM_FEW, igemm->push.channels);
  fv_dispatch_spec (d, FV_SPEC_LOCAL, tile->local);
}

/* Phases of a transposed convolution write a part of it each. */
static void
count_output (FvDispatch *d, const FvIgemm *igemm)
{
  gint64 all = fv_shape_count (&igemm->y.shape);
  gint64 part = igemm->z_count * igemm->push.pixels * igemm->push.channels;

  d->bytes -= MAX (all - part, 0) * fv_type_size (igemm->y.type);
}

gboolean
fv_igemm_dispatch (FvPlan *plan, FvNode *node, FvIgemm *igemm, GError **error)
{
  gboolean is_bytes = igemm->numbers.storage != NULL;
  gboolean is_gemv = !is_bytes && !igemm->is_window && !igemm->is_blocked
      && !igemm->n_rows && !igemm->gate.storage
      && igemm->push.pixels <= FEW_ROWS;
  FvIgemmPush *push = &igemm->push;
  FvDispatch d;
  Tile tile;
  char text[32];

  if (!is_gemv)
    tile = choose_tile (plan, igemm);
  else
    tile = fv_plan_tier (plan) == FV_TIER_SUBGROUP
        ? (Tile){ push->pixels, 32, push->pixels, 8 }
        : (Tile){ push->pixels, 8, push->pixels, 64 };
  fv_plan_begin (plan, node, &d,
      is_gemv        ? "gemv"
          : is_bytes ? "igemm8"
                     : "igemm");
  fv_plan_bind (plan, &d, &igemm->x, FALSE);
  fv_plan_bind (plan, &d, &igemm->w, FALSE);
  fv_plan_bind (plan, &d, igemm->bias.storage ? &igemm->bias : &igemm->x,
      FALSE);
  fv_plan_bind (plan, &d, &igemm->y, TRUE);
  count_output (&d, igemm);
  if (!bind_steps (plan, node, igemm, &d, error))
    return FALSE;
  if (is_bytes)
    fv_plan_bind (plan, &d, &igemm->numbers, FALSE);
  else if (igemm->n_rows)
    fv_plan_bind (plan, &d, &igemm->table, FALSE);
  else if (igemm->gate.storage)
    fv_plan_bind (plan, &d, &igemm->gate, FALSE);
  else if (!is_gemv)
    d.bindings[d.n_bindings++] = d.bindings[0]; /* never read */
  add_specs (&d, igemm, &tile);
  fv_dispatch_push (&d, push, sizeof *push);
  if (is_gemv) {
    d.groups[0] = divide_up (push->channels, tile.channels);
  } else {
    d.groups[0] = divide_up (push->pixels, tile.across);
    d.groups[1] = divide_up (push->channels, tile.channels);
  }
  d.groups[2] = igemm->z_count;
  d.flops =
      2 * (guint64) igemm->z_count * push->pixels * push->channels * igemm->k;
  g_snprintf (text, sizeof text, "%ux%u", tile.pixels, tile.channels);
  if (is_gemv)
    d.tile = text;
  if (!fv_plan_add (plan, &d, error))
    return FALSE;
  if (!is_gemv)
    fv_plan_chosen (plan);
  return TRUE;
}

gint64
fv_igemm_packed_size (const FvIgemmWeights *w)
{
  return divide_up (w->m, 8) * w->n_taps * divide_up (w->k, 4) * 8;
}

gboolean
fv_igemm_pack (FvPlan *plan, FvNode *node, FvArray *array,
    const FvIgemmWeights *w, FvTensor *tensor, GError **error)
{
  g_autoptr (FvArray) floats = fv_array_convert (array, FV_TYPE_F32, error);
  gint64 size = fv_igemm_packed_size (w) * 4, depth = divide_up (w->k, 4);
  g_autofree float *packed = NULL;

  if (!floats)
    return FALSE;
  if (size * w->z > G_MAXINT32
      || !(packed = g_try_new0 (float, MAX (size * w->z, 1))))
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
        "no memory for its weights");
  for (gint64 z = 0; z < w->z; z++)
    for (gint64 m = 0; m < w->m; m++)
      for (guint tap = 0; tap < w->n_taps; tap++) {
        const float *from = floats->f32 + w->start + z * w->z_step
            + m * w->m_step + w->taps[tap];
        float *to = packed + z * size
            + ((m / 8 * w->n_taps + tap) * depth * 8 + m % 8) * 4;

        for (gint64 k = 0; k < w->k; k++)
          to[k / 4 * 32 + k % 4] = w->factor * from[k * w->k_step];
      }
  return fv_plan_weights (plan, node, packed, size * w->z, w->type, tensor,
      error);
}

gboolean
fv_igemm_set_weights (FvPlan *plan, FvNode *node, FvArray *array,
    const FvIgemmWeights *weights, FvIgemm *igemm, GError **error)
{
  return fv_igemm8_pack (plan, node, array, weights, igemm, error)
      && (igemm->numbers.storage
          || fv_igemm_pack (plan, node, array, weights, &igemm->w, error));
}

gint64
fv_vec4_stride (const FvTensor *tensor, guint axis)
{
  return tensor->shape.dims[axis] == 1 ? 0 : tensor->strides[axis] / 4;
}
