/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* F(4,3) and F(2,3) of A. Lavin and S. Gray, Fast Algorithms for Convolutional
 * Neural Networks, CVPR 2016: tiles of 4 x 4 or 2 x 2 outputs by 36 or 16 products
 * of matrices, instead of the 144 or 36 of the convolution itself.
 *
 * Transforms and products are f32 in f16 plans, too. */
#include "gst/ops/winograd.h"
#include "gst/ops/igemm.h"
#include "shaders/winograd.h"

#include <math.h>

#define MAX_SIDE 6
/* What a part of the tiles may take for its transforms, in bytes: a cache, rather
 * than memory, lies between the three dispatches. */
#define PART_BYTES (4 << 20)

typedef struct
{
  guint tile, planes;
  gint64 across, down, tiles; /* of an image; of all images */
  gint64 part; /* tiles at a time */
  gint64 in_units, out_units; /* vec4 of channels */
  gint64 in_plane, out_plane; /* vec4 */
} Shape;

static gint64
divide_up (gint64 a, gint64 b)
{
  return (a + b - 1) / b;
}

static Shape
shape_of (const FvConvGeometry *g, guint tile)
{
  Shape s = { .tile = tile,
    .planes = (tile + 2) * (tile + 2),
    .across = divide_up (g->out[1], tile),
    .down = divide_up (g->out[0], tile),
    .in_units = divide_up (g->in_channels, 4),
    .out_units = divide_up (g->out_channels, 4) };
  gint64 bytes = s.planes * (s.in_units + s.out_units) * 16, parts;

  s.tiles = s.across * s.down * g->batch;
  parts = divide_up (s.tiles, MAX (PART_BYTES / bytes, 64));
  s.part = divide_up (s.tiles, parts);
  if (parts > 1) /* whole tiles of the product */
    s.part = divide_up (s.part, 32) * 32;
  s.in_plane = divide_up (s.part, 8) * 8 * s.in_units;
  s.out_plane = s.part * s.out_units;
  return s;
}

/* Nanoseconds on lavapipe, as the costs of igemm.c: stores are most of it. The
 * kernels have to be compiled, too, so a little gain is none. */
static double
transforms_cost (const Shape *s)
{
  double outputs = s->tile * s->tile;

  return s->tiles
      * (s->in_units * (8.0 * s->planes + 60)
          + s->out_units * (2.0 * s->planes + 8 * outputs + 60))
      + 150000;
}

gboolean
fv_winograd_suits (const FvConvMaps *maps)
{
  const FvConvGeometry *g = &maps->g;

  if (g->n_axes != 2 || g->groups > 1)
    return FALSE;
  for (guint i = 0; i < 2; i++)
    if (g->kernel[i] != 3 || g->stride[i] != 1 || g->dilation[i] != 1)
      return FALSE;
  return TRUE;
}

/* The weights, which grow fourfold, can be bound as a whole. */
static gboolean
weights_fit (FvPlan *plan, const FvConvGeometry *g, const Shape *s)
{
  gint64 most = MIN (fv_plan_device_info (plan)->max_storage_range, G_MAXINT32);

  return divide_up (g->out_channels, 8) * 8 * s->in_units
      <= most / 16 / s->planes;
}

guint
fv_winograd_choose (FvPlan *plan, const FvConvMaps *maps)
{
  const FvConvGeometry *g = &maps->g;
  /* only measurements tell GPUs that it is worth its weights */
  gboolean guess = fv_plan_tier (plan) == FV_TIER_SUBGROUP;
  FvOffer offer = { .kernel = "conv3x3", .is_way = TRUE };
  double direct = fv_igemm_cost (g->out[0] * g->out[1], g->out_channels,
      9 * divide_up (g->in_channels, 4), g->batch);
  guint tiles[3] = { 0 };

  g_snprintf (offer.shape, sizeof offer.shape,
      "%" G_GINT64_FORMAT "x%" G_GINT64_FORMAT "x%" G_GINT64_FORMAT
      "x%" G_GINT64_FORMAT "x%" G_GINT64_FORMAT "%s",
      fv_size_class (g->batch), fv_size_class (g->out[0]),
      fv_size_class (g->out[1]), fv_size_class (g->out_channels),
      fv_size_class (g->in_channels),
      maps->x.type == FV_TYPE_F16 ? " f16" : "");
  fv_offer_add (&offer, direct, "direct");
  for (guint tile = 4; tile >= 2; tile -= 2) {
    Shape s = shape_of (g, tile);

    if (!weights_fit (plan, g, &s))
      continue;
    tiles[offer.n] = tile;
    fv_offer_add (&offer,
        guess ? transforms_cost (&s)
                + fv_igemm_cost (s.tiles, g->out_channels, s.in_units, s.planes)
              : 2 * direct,
        "%ux%u", tile, tile);
  }
  return tiles[fv_plan_choose (plan, &offer)];
}

/* G g G' of a kernel: what a row of G makes of three taps. */
static void
transform_taps (guint tile, const double from[3], double *to)
{
  double even, odd;

  to[0] = from[0];
  to[tile + 1] = from[2];
  if (tile == 2) {
    to[1] = (from[0] + from[1] + from[2]) / 2;
    to[2] = (from[0] - from[1] + from[2]) / 2;
    return;
  }
  even = -2 * from[0] / 3 - from[2] / 3;
  odd = -M_SQRT2 / 3 * from[1];
  to[1] = even + odd;
  to[2] = even - odd;
  even = from[0] / 6 + from[2] / 3;
  odd = M_SQRT2 / 6 * from[1];
  to[3] = even + odd;
  to[4] = even - odd;
}

static void
transform_kernel (guint tile, const float *from, float *to, gint64 step)
{
  double rows[MAX_SIDE][3], line[MAX_SIDE];
  guint side = tile + 2;

  for (guint x = 0; x < 3; x++) {
    transform_taps (tile, (double[]){ from[x], from[3 + x], from[6 + x] },
        line);
    for (guint i = 0; i < side; i++)
      rows[i][x] = line[i];
  }
  for (guint i = 0; i < side; i++) {
    transform_taps (tile, rows[i], line);
    for (guint j = 0; j < side; j++)
      to[(i * side + j) * step] = line[j];
  }
}

static gboolean
pack (FvPlan *plan, FvNode *node, const FvConvGeometry *g, const Shape *s,
    FvTensor *w, gint64 *plane, GError **error)
{
  FvShape shape = { 3, { s->planes, g->out_channels, g->in_channels } };
  gint64 count = g->out_channels * g->in_channels, no_taps[1] = { 0 };
  FvIgemmWeights weights = { .z = s->planes,
    .m = g->out_channels,
    .k = g->in_channels,
    .n_taps = 1,
    .taps = no_taps,
    .z_step = count,
    .m_step = g->in_channels,
    .k_step = 1,
    .type = FV_TYPE_F32,
    .factor = 1 };
  g_autoptr (FvArray) floats =
      fv_array_convert (node->inputs[1]->constant, FV_TYPE_F32, error);
  g_autoptr (FvArray) products = NULL;

  if (!floats || !(products = fv_array_new (FV_TYPE_F32, &shape, error)))
    return FALSE;
  for (gint64 i = 0; i < count; i++)
    transform_kernel (s->tile, floats->f32 + 9 * i, products->f32 + i, count);
  *plane = fv_igemm_packed_size (&weights);
  return fv_igemm_pack (plan, node, products, &weights, w, error);
}

/* Of maps, bias and operands, which count as a whole, what is a part of the tiles'.
 * @own: bytes of the part alone */
static void
count_part (FvDispatch *d, const Shape *s, gint64 tiles, guint64 own)
{
  d->bytes = own + (d->bytes - own) * tiles / s->tiles;
}

static void
set_grid (FvPlan *plan, FvDispatch *d, const FvWinogradPush *push, guint tile)
{
  guint local = fv_plan_tier (plan) == FV_TIER_SUBGROUP ? 8 : 64;

  fv_dispatch_spec (d, FV_WINOGRAD_TILE, tile);
  fv_dispatch_spec (d, FV_SPEC_LOCAL, local);
  fv_dispatch_push (d, push, sizeof *push);
  d->groups[0] =
      divide_up (divide_up (push->tiles, 8) * 8 * push->units, local);
  d->tile = tile == 4 ? "4x4" : "2x2";
}

static gboolean
transform_input (FvPlan *plan, FvNode *node, const FvConvMaps *maps,
    const Shape *s, gint64 first, gint64 tiles, const FvTensor *to,
    GError **error)
{
  const FvConvGeometry *g = &maps->g;
  FvWinogradPush push = {
    .units = s->in_units,
    .channels = g->in_channels,
    .first = first,
    .tiles = tiles,
    .across = s->across,
    .down = s->down,
    .height = g->in[0],
    .width = g->in[1],
    .base = maps->x.offset / 4,
    .image = maps->x_steps[0],
    .row = maps->x_steps[1],
    .pixel = maps->x_steps[2],
    .pad_y = g->begin[0],
    .pad_x = g->begin[1],
    .plane = s->in_plane,
  };
  FvDispatch d;

  fv_plan_begin (plan, node, &d, "winogradin");
  fv_plan_bind (plan, &d, &maps->x, FALSE);
  count_part (&d, s, tiles, 0);
  fv_plan_bind (plan, &d, to, TRUE);
  set_grid (plan, &d, &push, s->tile);
  return fv_plan_add (plan, &d, error);
}

static gboolean
multiply (FvPlan *plan, FvNode *node, const FvConvMaps *maps, const Shape *s,
    gint64 tiles, const FvTensor *from, const FvTensor *w, gint64 plane,
    const FvTensor *to, GError **error)
{
  const FvConvGeometry *g = &maps->g;
  FvIgemm igemm = { .x = *from,
    .w = *w,
    .y = *to,
    .is_packed = TRUE,
    .is_blocked = TRUE,
    .is_bare = TRUE,
    .z_kind = FV_Z_MATRICES,
    .z_count = s->planes,
    .k = g->in_channels,
    .alpha = 1,
    .beta = 1 };

  igemm.push = (FvIgemmPush){
    .x_z0 = s->in_plane,
    .x_row = 8 * s->in_units,
    .x_pixel = 1,
    .pixels = tiles,
    .depth = s->in_units,
    .w_z0 = plane,
    .channels = g->out_channels,
    .y_z0 = s->out_plane,
    .y_pixel = s->out_units,
    .z0_count = s->planes,
  };
  return fv_igemm_dispatch (plan, node, &igemm, error);
}

static gboolean
transform_output (FvPlan *plan, FvNode *node, const FvConvMaps *maps,
    const Shape *s, gint64 first, gint64 tiles, const FvTensor *from,
    GError **error)
{
  const FvConvGeometry *g = &maps->g;
  FvWinogradPush push = {
    .units = s->out_units,
    .channels = g->out_channels,
    .first = first,
    .tiles = tiles,
    .across = s->across,
    .down = s->down,
    .height = g->out[0],
    .width = g->out[1],
    .base = maps->y.offset / 4,
    .image = maps->y_steps[0],
    .row = maps->y_steps[1],
    .pixel = maps->y_steps[2],
    .plane = s->out_plane,
    .bias = maps->bias.offset / 4,
  };
  FvDispatch d;
  guint64 own;

  fv_plan_begin (plan, node, &d, "winogradout");
  fv_plan_bind (plan, &d, from, FALSE);
  own = d.bytes;
  fv_plan_bind (plan, &d, maps->bias.storage ? &maps->bias : from, FALSE);
  fv_plan_bind (plan, &d, &maps->y, TRUE);
  if (!fv_plan_bind_steps (plan, node, &d, &maps->y, 1, push.operand, error))
    return FALSE;
  count_part (&d, s, tiles, own);
  fv_dispatch_spec (&d, FV_WINOGRAD_BIAS, maps->bias.storage != NULL);
  fv_dispatch_spec (&d, FV_WINOGRAD_ODD, g->out_channels % 4 != 0);
  set_grid (plan, &d, &push, s->tile);
  return fv_plan_add (plan, &d, error);
}

gboolean
fv_winograd_lower (FvPlan *plan, FvNode *node, const FvConvMaps *maps,
    guint tile, GError **error)
{
  Shape s = shape_of (&maps->g, tile);
  gint64 plane;
  FvTensor w, in, out;

  if (!pack (plan, node, &maps->g, &s, &w, &plane, error)
      || !fv_plan_temporary (plan, node, s.planes * s.in_plane * 4, FV_TYPE_F32,
          &in, error)
      || !fv_plan_temporary (plan, node, s.planes * s.out_plane * 4,
          FV_TYPE_F32, &out, error))
    return FALSE;
  for (gint64 first = 0; first < s.tiles; first += s.part) {
    gint64 tiles = MIN (s.part, s.tiles - first);

    if (!transform_input (plan, node, maps, &s, first, tiles, &in, error)
        || !multiply (plan, node, maps, &s, tiles, &in, &w, plane, &out, error)
        || !transform_output (plan, node, maps, &s, first, tiles, &out, error))
      return FALSE;
  }
  return TRUE;
}
