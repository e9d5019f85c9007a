/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conv and ConvTranspose as dispatches. Three kernels: implicit GEMM, depthwise,
 * and a direct one for all that these two do not take. */
#include <string.h>

#include "gst/ops/conv.h"
#include "gst/ops/igemm.h"
#include "gst/ops/remap.h"
#include "gst/ops/rows.h"
#include "gst/ops/winograd.h"
#include "shaders/window.h"

typedef FvConvMaps Maps;

static gint64
divide_up (gint64 a, gint64 b)
{
  return (a + b - 1) / b;
}

static void
map_steps (const FvTensor *tensor, guint n_axes, gint64 steps[3])
{
  steps[0] = fv_vec4_stride (tensor, 0);
  steps[1] = n_axes > 1 ? fv_vec4_stride (tensor, n_axes) : 0;
  steps[2] = fv_vec4_stride (tensor, 1 + n_axes);
}

static gboolean
get_maps (FvPlan *plan, FvNode *node, Maps *maps, GError **error)
{
  const FvConvGeometry *g = &maps->g;

  for (guint i = 0; i < 3; i++)
    if (g->begin[i] > G_MAXINT16)
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "its padding of %" G_GINT64_FORMAT " is too large", g->begin[i]);
  if (!fv_plan_input (plan, node, 0, 1, &maps->x, error)
      || !fv_plan_output (plan, node, 0, 1, &maps->y, error))
    return FALSE;
  memset (&maps->bias, 0, sizeof maps->bias);
  memset (&maps->gate, 0, sizeof maps->gate);
  if (node->n_own_inputs > 2 && node->inputs[2]
      && !fv_plan_input (plan, node, 2, 0, &maps->bias, error))
    return FALSE;
  map_steps (&maps->x, g->n_axes, maps->x_steps);
  map_steps (&maps->y, g->n_axes, maps->y_steps);
  maps->x_depth = g->n_axes == 3 ? fv_vec4_stride (&maps->x, 2) : 0;
  maps->y_depth = g->n_axes == 3 ? fv_vec4_stride (&maps->y, 2) : 0;
  maps->depth_taps = 1;
  maps->w_axes[0] = g->n_axes;
  maps->w_axes[1] = 1 + g->n_axes;
  return TRUE;
}

static FvArray *
constant_weights (const FvNode *node)
{
  return node->inputs[1]->constant;
}

/* Channels of a group can be read in whole vec4. */
static gboolean
groups_align (const FvConvGeometry *g)
{
  return g->groups == 1
      || (g->in_channels / g->groups % 4 == 0
          && g->out_channels / g->groups % 4 == 0);
}

/* Rows and columns of a map lie equally spaced, *@step vec4 apart. */
static gboolean
pixels_collapse (const gint64 steps[3], const gint64 size[2], gint64 *step)
{
  *step = size[1] > 1 ? steps[2] : steps[1];
  return size[0] == 1 || size[1] == 1 || steps[1] == size[1] * steps[2];
}

/* ... and those of all images, too. */
static gboolean
images_collapse (const FvConvGeometry *g, const gint64 steps[3],
    const gint64 size[2], gint64 *step)
{
  if (!pixels_collapse (steps, size, step))
    return FALSE;
  if (size[0] * size[1] == 1)
    *step = steps[0];
  return g->batch == 1 || steps[0] == size[0] * size[1] * *step;
}

/* What all products of a convolution have in common. */
static FvIgemm
begin_igemm (const Maps *maps)
{
  const FvConvGeometry *g = &maps->g;
  gint64 depth = g->in_channels / g->groups;
  FvIgemm igemm = {
    .x = maps->x,
    .y = maps->y,
    .bias = maps->bias,
    .gate = maps->gate,
    .inner = 1,
    .is_window = TRUE,
    .is_packed = TRUE,
    .bias_kind = maps->bias.storage ? FV_BIAS_COMMON : FV_BIAS_NONE,
    .z_kind = g->groups * g->batch > 1 ? FV_Z_GROUPS : FV_Z_NONE,
    .z_count = g->groups * g->batch,
    .alpha = 1,
    .beta = 1,
  };

  igemm.push = (FvIgemmPush){
    .x_base = maps->x.offset / 4,
    .x_z0 = depth / 4 * maps->depth_taps,
    .x_z1 = maps->x_steps[0],
    .x_row = maps->x_steps[1],
    .x_pixel = maps->x_steps[2],
    .in_height = g->in[0],
    .in_width = g->in[1],
    .depth = divide_up (depth, 4) * maps->depth_taps,
    .channels = g->out_channels / g->groups,
    .y_base = maps->y.offset / 4,
    .y_z0 = g->out_channels / g->groups / 4,
    .y_z1 = maps->y_steps[0],
    .y_row = maps->y_steps[1],
    .y_pixel = maps->y_steps[2],
    .z0_count = g->groups,
    .bias = maps->bias.offset / 4,
    .gate = maps->gate.offset / 4,
  };
  return igemm;
}

/* A convolution whose pixels need no window: 1 x 1, or a kernel that covers all
 * of the map. */
static void
drop_window (const Maps *maps, FvIgemm *igemm)
{
  const FvConvGeometry *g = &maps->g;
  FvIgemmPush *push = &igemm->push;
  gint64 x_step, y_step, taps = g->kernel[0] * g->kernel[1];
  gboolean unpadded = !g->begin[0] && !g->begin[1] && !g->end[0] && !g->end[1];
  gboolean pointwise =
      unpadded && taps == 1 && g->stride[0] == 1 && g->stride[1] == 1;
  gboolean whole = unpadded && g->groups == 1 && g->kernel[0] == g->in[0]
      && g->kernel[1] == g->in[1];

  if (whole && pixels_collapse (maps->x_steps, g->in, &x_step)
      && (taps == 1 || x_step == push->depth)) {
    igemm->z_kind = FV_Z_NONE;
    igemm->z_count = 1;
    push->pixels = g->batch;
    push->x_pixel = maps->x_steps[0];
    push->y_pixel = maps->y_steps[0];
    push->depth *= taps;
  } else if (pointwise && g->groups == 1
      && images_collapse (g, maps->x_steps, g->in, &x_step)
      && images_collapse (g, maps->y_steps, g->out, &y_step)) {
    igemm->z_kind = FV_Z_NONE;
    igemm->z_count = 1;
    push->pixels *= g->batch;
    push->x_pixel = x_step;
    push->y_pixel = y_step;
  } else if (pointwise && pixels_collapse (maps->x_steps, g->in, &x_step)
      && pixels_collapse (maps->y_steps, g->out, &y_step)) {
    push->x_pixel = x_step;
    push->y_pixel = y_step;
  } else {
    return;
  }
  igemm->is_window = FALSE;
}

/* A kernel's row that never leaves the map, over pixels without gaps, is one tap
 * of more channels: patch embeddings gain by it. */
static void
join_columns (const Maps *maps, FvIgemmPush *push)
{
  const FvConvGeometry *g = &maps->g;
  gint64 reach = (g->out[1] - 1) * g->stride[1] + g->kernel[1];

  if (g->groups > 1 || g->begin[1] || g->dilation[1] > 1 || reach > g->in[1]
      || maps->x_steps[2] != push->depth)
    return;
  push->depth *= g->kernel[1];
  push->kernel = FV_PAIR (g->kernel[0], 1);
}

static gboolean
lower_igemm (FvPlan *plan, FvNode *node, const Maps *maps, GError **error)
{
  const FvConvGeometry *g = &maps->g;
  gint64 plane = g->kernel[0] * g->kernel[1], taps = plane * maps->depth_taps;
  gint64 depth = g->in_channels / g->groups,
         share = g->out_channels / g->groups;
  g_autofree gint64 *offsets = g_try_new (gint64, taps);
  FvIgemm igemm = begin_igemm (maps);
  FvIgemmWeights weights = { .z = g->groups,
    .m = share,
    .k = depth,
    .n_taps = taps,
    .taps = offsets,
    .z_step = share * depth * taps,
    .m_step = depth * taps,
    .k_step = taps,
    .factor = 1 };

  if (!offsets)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE, "out of memory");
  for (gint64 i = 0; i < taps; i++)
    offsets[i] = i % maps->depth_taps * plane + i / maps->depth_taps;
  igemm.k = depth * taps;
  igemm.push.pixels = g->out[0] * g->out[1];
  igemm.push.out_width = g->out[1];
  igemm.push.kernel = FV_PAIR (g->kernel[0], g->kernel[1]);
  igemm.push.stride = FV_PAIR (g->stride[0], g->stride[1]);
  igemm.push.dilation = FV_PAIR (g->dilation[0], g->dilation[1]);
  igemm.push.pad = FV_PAIR (g->begin[0], g->begin[1]);
  igemm.push.w_z0 = fv_igemm_packed_size (&weights);
  drop_window (maps, &igemm);
  if (igemm.is_window)
    join_columns (maps, &igemm.push);
  return fv_igemm_set_weights (plan, node, constant_weights (node), &weights,
             &igemm, error)
      && fv_igemm_dispatch (plan, node, &igemm, error);
}

static FvWindowPush
window_push (const Maps *maps)
{
  const FvConvGeometry *g = &maps->g;

  return (FvWindowPush){
    .x_base = maps->x.offset / 4,
    .x_batch = maps->x_steps[0],
    .x_depth = maps->x_depth,
    .x_row = maps->x_steps[1],
    .x_pixel = maps->x_steps[2],
    .in_height = g->in[0],
    .in_width = g->in[1],
    .out_height = g->out[0],
    .out_width = g->out[1],
    .kernel = FV_PAIR (g->kernel[0], g->kernel[1]),
    .stride = FV_PAIR (g->stride[0], g->stride[1]),
    .dilation = FV_PAIR (g->dilation[0], g->dilation[1]),
    .pad = FV_PAIR (g->begin[0], g->begin[1]),
    .channels = g->out_channels,
    .depth = g->in_channels / g->groups,
    .share = g->out_channels / g->groups,
    .y_base = maps->y.offset / 4,
    .y_batch = maps->y_steps[0],
    .y_depth = maps->y_depth,
    .y_row = maps->y_steps[1],
    .y_pixel = maps->y_steps[2],
    .bias = maps->bias.offset / 4,
  };
}

/* @map: the sizes over which the window slides: the output's, or the input's of a
 * transposed convolution. */
static gboolean
add_window (FvPlan *plan, FvNode *node, const Maps *maps, const FvTensor *w,
    const gint64 map[3], FvDispatch *d, FvWindowPush *push, GError **error)
{
  const FvConvGeometry *g = &maps->g;

  fv_plan_bind (plan, d, &maps->x, FALSE);
  fv_plan_bind (plan, d, w, FALSE);
  fv_plan_bind (plan, d, maps->bias.storage ? &maps->bias : &maps->x, FALSE);
  fv_plan_bind (plan, d, &maps->y, TRUE);
  if (!fv_plan_bind_steps (plan, node, d, &maps->y, 1, push->operand, error))
    return FALSE;
  if (g->in[2] > 1 || g->out[2] > 1 || g->kernel[2] > 1 || g->begin[2]) {
    fv_dispatch_spec (d, FV_WINDOW_IN_DEPTH, g->in[2]);
    fv_dispatch_spec (d, FV_WINDOW_OUT_DEPTH, g->out[2]);
    fv_dispatch_spec (d, FV_WINDOW_KERNEL, g->kernel[2]);
    fv_dispatch_spec (d, FV_WINDOW_STRIDE, g->stride[2]);
    fv_dispatch_spec (d, FV_WINDOW_DILATION, g->dilation[2]);
    fv_dispatch_spec (d, FV_WINDOW_PAD, g->begin[2]);
  }
  fv_dispatch_push (d, push, sizeof *push);
  d->groups[2] = g->batch * g->out[2];
  d->flops = 2 * (guint64) g->batch * map[0] * map[1] * map[2] * g->out_channels
      * (g->in_channels / g->groups) * g->kernel[0] * g->kernel[1]
      * g->kernel[2];
  return fv_plan_add (plan, d, error);
}

/* Weights [c][tap] as [tap][c], c padded to whole vec4. */
static gboolean
pack_depthwise (FvPlan *plan, FvNode *node, const FvConvGeometry *g,
    FvTensor *w, GError **error)
{
  g_autoptr (FvArray) floats =
      fv_array_convert (constant_weights (node), FV_TYPE_F32, error);
  gint64 taps = g->kernel[0] * g->kernel[1] * g->kernel[2];
  gint64 padded = divide_up (g->out_channels, 4) * 4;
  g_autofree float *packed = NULL;

  if (!floats)
    return FALSE;
  if (!(packed = g_try_new0 (float, taps *padded)))
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
        "no memory for its weights");
  for (gint64 c = 0; c < g->out_channels; c++)
    for (gint64 tap = 0; tap < taps; tap++)
      packed[tap * padded + c] = floats->f32[c * taps + tap];
  return fv_plan_weights (plan, node, packed, taps * padded, FV_TYPE_NONE, w,
      error);
}

/* Inputs that a tile of outputs looks at, gaps of a dilation included. */
static gint64
window_area (const FvConvGeometry *g, gint64 down, gint64 across)
{
  return ((down - 1) * g->stride[0] + (g->kernel[0] - 1) * g->dilation[0] + 1)
      * ((across - 1) * g->stride[1] + (g->kernel[1] - 1) * g->dilation[1] + 1);
}

/* Cycles of one invocation of convdw.comp on lavapipe: fetches, products, stores. */
static gint64
depthwise_cost (const FvConvGeometry *g, gint64 down, gint64 across)
{
  return 45 * window_area (g, down, across)
      + down * across * (5 * g->kernel[0] * g->kernel[1] + 110);
}

/* Outputs of one invocation. Wide tiles fit the maps of 7, 14 and 28 columns that
 * most nets end with, and those of 5 and 10, where squares make outputs that are
 * thrown away. */
static void
choose_depthwise_tile (FvPlan *plan, const Maps *maps, guint *down,
    guint *across)
{
  static const struct
  {
    guint8 down, across;
    /* few kernels: another one has to be worth it; nine taps of four outputs need
     * the fewest registers kept around fetches; GPUs have registers for fewer
     * outputs */
    double few_taps, many_taps, workgroup;
  } tiles[] = { { 4, 4, 1, 1, 2 }, { 2, 4, 1.05, 1.05, 1 },
    { 2, 5, 1.05, 1.05, 2 }, { 2, 7, 1.05, 1.05, 2 }, { 2, 2, 0.75, 1.25, 1.6 },
    { 1, 4, 0.8, 1.25, 1.6 }, { 1, 1, 4, 4, 4 } };
  const FvConvGeometry *g = &maps->g;
  gboolean is_subgroup = fv_plan_tier (plan) == FV_TIER_SUBGROUP;
  gint64 taps = g->kernel[0] * g->kernel[1];
  FvOffer offer = { .kernel = "convdw" };
  guint at[G_N_ELEMENTS (tiles)], chosen;

  g_snprintf (offer.shape, sizeof offer.shape,
      "%" G_GINT64_FORMAT "x%" G_GINT64_FORMAT "x%" G_GINT64_FORMAT
      " %dx%d/%d+%d%s",
      fv_size_class (g->out[0]), fv_size_class (g->out[1]),
      fv_size_class (g->out_channels), (int) g->kernel[0], (int) g->kernel[1],
      (int) g->stride[0], (int) g->dilation[0],
      maps->x.type == FV_TYPE_F16 ? " f16" : "");
  for (guint i = 0; i < G_N_ELEMENTS (tiles); i++) {
    gint64 y = tiles[i].down, x = tiles[i].across;
    gint64 n = divide_up (g->out[0], y) * divide_up (g->out[1], x);

    /* what is unrolled has its price: a compiler that takes seconds */
    if (y * x > 1 && (taps * y * x > 400 || window_area (g, y, x) > 120))
      continue;
    at[offer.n] = i;
    fv_offer_add (&offer,
        (double) n * depthwise_cost (g, y, x)
            * (!is_subgroup     ? tiles[i].workgroup
                    : taps <= 9 ? tiles[i].few_taps
                                : tiles[i].many_taps),
        "%dx%d", (int) y, (int) x);
  }
  chosen = at[fv_plan_choose (plan, &offer)];
  *down = tiles[chosen].down;
  *across = tiles[chosen].across;
}

static gboolean
lower_depthwise (FvPlan *plan, FvNode *node, const Maps *maps, GError **error)
{
  const FvConvGeometry *g = &maps->g;
  FvWindowPush push = window_push (maps);
  guint local = fv_plan_tier (plan) == FV_TIER_SUBGROUP ? 8 : 64, down, across;
  FvTensor w;
  FvDispatch d;

  if (!pack_depthwise (plan, node, g, &w, error))
    return FALSE;
  choose_depthwise_tile (plan, maps, &down, &across);
  fv_plan_begin (plan, node, &d, "convdw");
  fv_dispatch_spec (&d, FV_DW_TILE, FV_PAIR (down, across));
  fv_dispatch_spec (&d, FV_DW_KERNEL, push.kernel);
  fv_dispatch_spec (&d, FV_DW_STRIDE, push.stride);
  fv_dispatch_spec (&d, FV_DW_DILATION, push.dilation);
  fv_dispatch_spec (&d, FV_DW_BIAS, maps->bias.storage != NULL);
  fv_dispatch_spec (&d, FV_DW_ODD, g->out_channels % 4 != 0);
  fv_dispatch_spec (&d, FV_SPEC_LOCAL, local);
  d.groups[0] = divide_up (
      divide_up (g->out[1], across) * divide_up (g->out_channels, 4), local);
  d.groups[1] = divide_up (g->out[0], down);
  if (!add_window (plan, node, maps, &w, g->out, &d, &push, error))
    return FALSE;
  fv_plan_chosen (plan);
  return TRUE;
}

static gboolean
lower_direct (FvPlan *plan, FvNode *node, const Maps *maps,
    gboolean is_transposed, GError **error)
{
  const FvConvGeometry *g = &maps->g;
  guint local = fv_plan_tier (plan) == FV_TIER_SUBGROUP ? 8 : 64;
  FvWindowPush push = window_push (maps);
  FvTensor w;
  FvDispatch d;

  /* input channels innermost */
  if (!fv_plan_input (plan, node, 1, is_transposed ? 0 : 1, &w, error))
    return FALSE;
  push.w_base = w.offset;
  push.w_channel = w.strides[is_transposed ? 1 : 0];
  push.w_depth = g->kernel[2] > 1 ? w.strides[2] : 0;
  push.w_row = g->n_axes > 1 ? w.strides[maps->w_axes[0]] : 0;
  push.w_column = w.strides[maps->w_axes[1]];
  fv_plan_begin (plan, node, &d, "convdirect");
  fv_dispatch_spec (&d, FV_DIRECT_TRANSPOSED, is_transposed);
  fv_dispatch_spec (&d, FV_DIRECT_BIAS, maps->bias.storage != NULL);
  fv_dispatch_spec (&d, FV_SPEC_LOCAL, local);
  d.groups[0] = divide_up (g->out[1] * divide_up (g->out_channels, 4), local);
  d.groups[1] = g->out[0];
  return add_window (plan, node, maps, &w, is_transposed ? g->in : g->out, &d,
      &push, error);
}

/* Whether implicit GEMM takes it. */
static gboolean
is_product (const FvNode *node, const FvConvGeometry *g)
{
  return constant_weights (node) && groups_align (g);
}

static gboolean
is_depthwise (const FvNode *node, const FvConvGeometry *g)
{
  return constant_weights (node) && g->groups > 1 && g->groups == g->in_channels
      && g->groups == g->out_channels;
}

static gboolean
lower_maps (FvPlan *plan, FvNode *node, const Maps *maps, GError **error)
{
  guint tile;

  if (is_depthwise (node, &maps->g))
    return lower_depthwise (plan, node, maps, error);
  if (!is_product (node, &maps->g))
    return lower_direct (plan, node, maps, FALSE, error);
  if (fv_igemm8_suits (plan, node) || !fv_winograd_suits (maps))
    return lower_igemm (plan, node, maps, error);
  tile = fv_winograd_choose (plan, maps);
  if (tile ? !fv_winograd_lower (plan, node, maps, tile, error)
           : !lower_igemm (plan, node, maps, error))
    return FALSE;
  fv_plan_chosen (plan);
  return TRUE;
}

/* The depth is one of the other axes now. */
static void
drop_depth (FvConvGeometry *g)
{
  g->in[2] = g->out[2] = 1;
  g->kernel[2] = g->stride[2] = g->dilation[2] = 1;
  g->begin[2] = g->end[2] = 0;
}

/* A kernel along the depth alone: depths are rows, and pixels are columns. */
static gboolean
depths_to_rows (Maps *maps)
{
  FvConvGeometry *g = &maps->g;
  gint64 steps[2];

  for (guint i = 0; i < 2; i++)
    if (g->kernel[i] > 1 || g->stride[i] > 1 || g->begin[i] || g->end[i])
      return FALSE;
  if (!pixels_collapse (maps->x_steps, g->in, &steps[0])
      || !pixels_collapse (maps->y_steps, g->out, &steps[1]))
    return FALSE;
  maps->x_steps[1] = maps->x_depth;
  maps->y_steps[1] = maps->y_depth;
  maps->x_steps[2] = steps[0];
  maps->y_steps[2] = steps[1];
  g->in[1] *= g->in[0];
  g->out[1] *= g->out[0];
  g->in[0] = g->in[2];
  g->out[0] = g->out[2];
  g->kernel[0] = g->kernel[2];
  g->stride[0] = g->stride[2];
  g->dilation[0] = g->dilation[2];
  g->begin[0] = g->begin[2];
  g->end[0] = g->end[2];
  drop_depth (g);
  maps->w_axes[0] = 2;
  return TRUE;
}

/* The depths of all maps, @every of them apart, lie equally spaced: @step. */
static gboolean
depths_collapse (const FvTensor *tensor, gint64 depths, gint64 every,
    gint64 *step)
{
  gint64 maps = tensor->shape.dims[0];

  *step = depths > 1 ? tensor->strides[2] / 4 * every : tensor->strides[0] / 4;
  return maps == 1 || depths == 1 || tensor->strides[0] / 4 == depths * *step;
}

/* @tensor with its channels as axes 1 and 2: groups of @depth. */
static FvTensor
part_groups (const FvTensor *tensor, gint64 groups, gint64 depth)
{
  FvTensor parted = *tensor;

  parted.shape.rank++;
  parted.shape.dims[1] = groups;
  parted.strides[1] = depth;
  parted.shape.dims[2] = depth;
  parted.strides[2] = 1;
  for (guint i = 3; i < parted.shape.rank; i++) {
    parted.shape.dims[i] = tensor->shape.dims[i - 1];
    parted.strides[i] = tensor->strides[i - 1];
  }
  return parted;
}

/* Copies the depths that an output depth sees behind each other, as channels of
 * each group. */
static gboolean
stack_depths (FvPlan *plan, FvNode *node, Maps *maps, GError **error)
{
  const FvConvGeometry *g = &maps->g;
  gint64 depth = g->in_channels / g->groups, taps = g->kernel[2];
  gint64 padded = divide_up (depth, 4) * 4;
  g_autofree gint64 *from = g_try_new (gint64, g->out[2]);
  const gint64 *positions[FV_MAX_RANK] = { NULL, NULL, NULL, from };
  FvTensor source = part_groups (&maps->x, g->groups, depth);
  FvShape shape = maps->x.shape;
  FvTensor stack, target, part;

  if (!from)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE, "out of memory");
  shape.dims[1] = padded * taps * g->groups;
  shape.dims[2] = g->out[2];
  if (!fv_dense_temporary (plan, node, &shape, 1, maps->x.type, &stack, error))
    return FALSE;
  target = part_groups (&stack, g->groups, padded * taps);
  for (gint64 tap = 0; tap < taps; tap++) {
    for (gint64 z = 0; z < g->out[2]; z++) {
      from[z] = z * g->stride[2] + tap * g->dilation[2] - g->begin[2];
      if (from[z] < 0 || from[z] >= g->in[2])
        from[z] = -1;
    }
    fv_tensor_slice (&target, 2, tap * padded, depth, &part);
    if (!fv_remap_lower (plan, node, &source, &part, positions, 0, error))
      return FALSE;
  }
  maps->x = stack;
  maps->depth_taps = taps;
  map_steps (&maps->x, 3, maps->x_steps);
  depths_collapse (&stack, g->out[2], 1, &maps->x_steps[0]);
  return TRUE;
}

/* A 3-D convolution as a 2-D product over an image per output depth. */
static gboolean
lower_product (FvPlan *plan, FvNode *node, Maps *maps, GError **error)
{
  FvConvGeometry *g = &maps->g;
  FvTensor target = maps->y;
  gboolean whole;

  whole = depths_collapse (&target, g->out[2], 1, &maps->y_steps[0]);
  if (!whole) {
    if (!fv_dense_temporary (plan, node, &target.shape, 1, target.type,
            &maps->y, error))
      return FALSE;
    map_steps (&maps->y, 3, maps->y_steps);
    depths_collapse (&maps->y, g->out[2], 1, &maps->y_steps[0]);
  }
  if ((g->kernel[2] > 1 || g->begin[2] || g->end[2]
          || !depths_collapse (&maps->x, g->out[2], g->stride[2],
              &maps->x_steps[0]))
      && !stack_depths (plan, node, maps, error))
    return FALSE;
  g->batch *= g->out[2];
  drop_depth (g);
  return lower_igemm (plan, node, maps, error)
      && (whole || fv_plan_copy (plan, node, &maps->y, &target, error));
}

gboolean
fv_conv_lower (FvPlan *plan, FvNode *node, GError **error)
{
  Maps maps;

  if (!fv_conv_geometry (node, &maps.g, error)
      || !get_maps (plan, node, &maps, error))
    return FALSE;
  if (maps.g.n_axes == 3 && !depths_to_rows (&maps)
      && !is_depthwise (node, &maps.g) && is_product (node, &maps.g))
    return lower_product (plan, node, &maps, error);
  return lower_maps (plan, node, &maps, error);
}

gboolean
fv_gatedconv_lower (FvPlan *plan, FvNode *node, GError **error)
{
  Maps maps;

  if (!fv_conv_geometry (node, &maps.g, error)
      || !get_maps (plan, node, &maps, error)
      || !fv_plan_input (plan, node, 3, 1, &maps.gate, error))
    return FALSE;
  return lower_igemm (plan, node, &maps, error);
}

/* Along one axis, the taps that outputs phase, phase + stride, ... of a transposed
 * convolution read: an ordinary convolution of stride 1. */
typedef struct
{
  gint64 n, first, step; /* taps: first, first - step, ... */
  gint64 shift, dilation; /* in the input: of the first tap, between taps */
  gint64 out;
} Phase;

static Phase
find_phase (const FvConvGeometry *g, guint axis, gint64 at)
{
  gint64 stride = g->stride[axis];
  Phase phase = { .out = divide_up (g->out[axis] - at, stride), .dilation = 1 };

  /* from the last tap on: their inputs ascend */
  for (gint64 tap = g->kernel[axis] - 1; tap >= 0; tap--) {
    gint64 whole = at + g->begin[axis] - tap * g->dilation[axis];

    if (whole % stride)
      continue;
    if (phase.n == 0) {
      phase.first = tap;
      phase.shift = whole / stride;
    } else if (phase.n == 1) {
      phase.step = phase.first - tap;
      phase.dilation = whole / stride - phase.shift;
    }
    phase.n++;
  }
  return phase;
}

static gboolean
lower_phase (FvPlan *plan, FvNode *node, const Maps *maps, gint64 at_y,
    gint64 at_x, GError **error)
{
  const FvConvGeometry *g = &maps->g;
  Phase y = find_phase (g, 0, at_y), x = find_phase (g, 1, at_x);
  gint64 taps = g->kernel[0] * g->kernel[1];
  gint64 depth = g->in_channels / g->groups,
         share = g->out_channels / g->groups;
  g_autofree gint64 *offsets = g_try_new (gint64, MAX (y.n * x.n, 1));
  FvIgemm igemm = begin_igemm (maps);
  FvIgemmPush *push = &igemm.push;
  FvIgemmWeights weights = { .z = g->groups,
    .m = share,
    .k = depth,
    .n_taps = y.n * x.n,
    .taps = offsets,
    .z_step = depth * share * taps,
    .m_step = taps,
    .k_step = share * taps,
    .factor = 1 };

  if (y.out <= 0 || x.out <= 0)
    return TRUE;
  if (!offsets)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE, "out of memory");
  for (gint64 i = 0; i < y.n * x.n; i++)
    offsets[i] = (y.first - i / x.n * y.step) * g->kernel[1] + x.first
        - i % x.n * x.step;
  igemm.k = depth * weights.n_taps;
  push->pixels = y.out * x.out;
  push->out_width = x.out;
  push->kernel = weights.n_taps ? FV_PAIR (y.n, x.n) : 0;
  push->stride = FV_PAIR (1, 1);
  push->dilation = FV_PAIR (y.dilation, x.dilation);
  push->pad = FV_PAIR (-y.shift, -x.shift);
  push->w_z0 = fv_igemm_packed_size (&weights);
  push->y_base += at_y * push->y_row + at_x * push->y_pixel;
  push->y_row *= g->stride[0];
  push->y_pixel *= g->stride[1];
  return fv_igemm_set_weights (plan, node, constant_weights (node), &weights,
             &igemm, error)
      && fv_igemm_dispatch (plan, node, &igemm, error);
}

/* Phases write their outputs apart from each other, so that rows of a step's
 * operand cannot be told from the index of a pixel. */
static gboolean
steps_need_rows (const FvNode *node, gint64 channels)
{
  for (guint i = 0; i < node->n_steps; i++)
    if (FV_STEP_HAS_OPERAND (node->steps[i].kind)
        && fv_shape_count (&node->inputs[node->steps[i].input]->shape)
            != channels)
      return TRUE;
  return FALSE;
}

gboolean
fv_convtranspose_lower (FvPlan *plan, FvNode *node, GError **error)
{
  Maps maps;
  gint64 n_phases;

  if (!fv_convtranspose_geometry (node, &maps.g, error)
      || !get_maps (plan, node, &maps, error))
    return FALSE;
  n_phases = maps.g.stride[0] * maps.g.stride[1];
  if (maps.g.n_axes == 3 || !constant_weights (node) || !groups_align (&maps.g)
      || n_phases > 64 || steps_need_rows (node, maps.g.out_channels))
    return lower_direct (plan, node, &maps, TRUE, error);
  for (gint64 i = 0; i < n_phases; i++)
    if (!lower_phase (plan, node, &maps, i / maps.g.stride[1],
            i % maps.g.stride[1], error))
      return FALSE;
  return TRUE;
}
