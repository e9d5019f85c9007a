/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GridSample: maps read where a grid of coordinates points. AffineGrid, which makes
 * such grids, is but a product with positions (rewrite-compound.c). */
#include <math.h>

#include "gst/ops/common.h"
#include "gst/ops/loops.h"

#define FAR 1048576.0f /* neither infinities nor NaN become indices */

/* The spatial axes are the last of three: an image has in[0] = 1. */
typedef struct
{
  guint n_axes; /* spatial axes of the model: 1 to 3 */
  gint64 maps, channels, in[3], out[3];
  guint taps; /* along an axis */
  guint padding; /* FV_SAMPLE_* */
  gboolean align;
} Sample;

static gboolean
read_modes (const FvNode *node, Sample *s, GError **error)
{
  static const struct
  {
    const char *name;
    guint taps;
  } modes[] = { { "nearest", 1 }, { "linear", 2 }, { "bilinear", 2 },
    { "cubic", 4 }, { "bicubic", 4 } };
  static const char *const paddings[] = { "zeros", "border", "reflection" };
  const char *mode = fv_node_string (node, "mode");
  const char *padding = fv_node_string (node, "padding_mode");

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    if (g_strcmp0 (mode, modes[i].name) == 0)
      s->taps = modes[i].taps;
  if (!s->taps)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED, "unknown mode %s",
        mode);
  while (s->padding < G_N_ELEMENTS (paddings)
      && g_strcmp0 (padding, paddings[s->padding]) != 0)
    s->padding++;
  if (s->padding == G_N_ELEMENTS (paddings))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "unknown padding_mode %s", padding);
  s->align = fv_node_int (node, "align_corners") != 0;
  return TRUE;
}

static gboolean
read_sample (const FvNode *node, Sample *s, GError **error)
{
  const FvShape *x = &node->inputs[0]->shape, *grid = &node->inputs[1]->shape;

  *s = (Sample){ 0 };
  if (!fv_type_is_float (node->inputs[0]->type)
      || !fv_type_is_float (node->inputs[1]->type))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "expected floats, got %s and %s", fv_type_name (node->inputs[0]->type),
        fv_type_name (node->inputs[1]->type));
  if (x->rank < 3 || x->rank > 5)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "expected one to three spatial axes");
  s->n_axes = x->rank - 2;
  if (grid->rank != x->rank || grid->dims[x->rank - 1] != s->n_axes
      || grid->dims[0] != x->dims[0])
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the grid's shape does not fit the input's");
  s->maps = x->dims[0];
  s->channels = x->dims[1];
  for (guint a = 0; a < 3; a++) {
    gboolean there = a + s->n_axes >= 3;

    s->in[a] = there ? x->dims[a + s->n_axes - 1] : 1;
    s->out[a] = there ? grid->dims[a + s->n_axes - 2] : 1;
    if (s->in[a] < 1 || s->in[a] > FAR)
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "a map of %" G_GINT64_FORMAT " along an axis", s->in[a]);
  }
  return read_modes (node, s, error);
}

static gboolean
infer_sample (FvNode *node, GError **error)
{
  FvShape *shape = &node->outputs[0]->shape;
  Sample s;

  if (!read_sample (node, &s, error))
    return FALSE;
  node->outputs[0]->type = node->inputs[0]->type;
  *shape = node->inputs[0]->shape;
  for (guint i = 0; i < s.n_axes; i++)
    shape->dims[2 + i] = s.out[3 - s.n_axes + i];
  if (fv_shape_count (shape) < 0)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
        "the output's size overflows");
  return TRUE;
}

/* Mirrored at the map's ends as often as it takes. */
static float
reflect_into (const Sample *s, float at, gint64 size)
{
  float low = s->align ? 0 : -0.5f, range = s->align ? size - 1 : size;
  float distance = at < low ? low - at : at - low - range, n, rest;

  if (distance <= 0)
    return at;
  if (range == 0)
    return 0;
  n = floorf (distance / range);
  rest = distance - n * range;
  return (at < low) == (fmodf (n, 2) == 0) ? low + rest : low + range - rest;
}

/* A coordinate in -1..1 as one of the map, and that made to lie in it. The kernel
 * computes in floats too: rounding to the nearest must agree. */
static float
locate (const Sample *s, float c, gint64 size)
{
  float at = s->align ? (c + 1) / 2 * (size - 1) : ((c + 1) * size - 1) / 2;

  at = isnan (at) ? -FAR : CLAMP (at, -FAR, FAR);
  if (s->taps == 1)
    at = nearbyintf (at);
  if (s->align ? at >= 0 && at <= size - 1 : at >= -0.5f && at <= size - 0.5f)
    return at;
  if (s->padding == FV_SAMPLE_BORDER)
    return CLAMP (at, 0, size - 1);
  return s->padding == FV_SAMPLE_REFLECTION ? reflect_into (s, at, size) : at;
}

static double
cubic_weight (double distance)
{
  double d = fabs (distance), a = -0.75;

  if (d <= 1)
    return ((a + 2) * d - (a + 3)) * d * d + 1;
  return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
}

/* The elements around a coordinate and what each of them weighs. */
static void
find_taps (const Sample *s, float at, gint64 size, gint64 index[4],
    double weight[4])
{
  gint64 first = floorf (at);

  for (gint64 i = 0; i < s->taps; i++) {
    index[i] = s->taps == 4 ? first - 1 + i : first + i;
    weight[i] = s->taps == 1 ? 1
        : s->taps == 2       ? 1 - fabs ((double) at - index[i])
                             : cubic_weight ((double) at - index[i]);
    if (s->padding == FV_SAMPLE_ZEROS && (index[i] < 0 || index[i] >= size))
      weight[i] = 0;
    if (s->padding == FV_SAMPLE_REFLECTION)
      index[i] = reflect_into (s, index[i], size);
    index[i] = CLAMP (index[i], 0, size - 1);
  }
}

/* One output of one channel. @point: x, y and z of its coordinate */
static float
sample_one (const Sample *s, const float *x, const float *point)
{
  gint64 index[3][4] = { { 0 } };
  double weight[3][4] = { { 1 }, { 1 }, { 1 } }, sum = 0;
  guint taps[3];

  for (guint a = 0; a < 3; a++) {
    taps[a] = a + s->n_axes >= 3 ? s->taps : 1;
    if (a + s->n_axes >= 3)
      find_taps (s, locate (s, point[2 - a], s->in[a]), s->in[a], index[a],
          weight[a]);
  }
  for (guint i = 0; i < taps[0]; i++)
    for (guint j = 0; j < taps[1]; j++)
      for (guint k = 0; k < taps[2]; k++) {
        double w = weight[0][i] * weight[1][j] * weight[2][k];

        if (w != 0)
          sum += w
              * x[(index[0][i] * s->in[1] + index[1][j]) * s->in[2]
                  + index[2][k]];
      }
  return sum;
}

static gboolean
sample (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  gint64 in_plane, out_plane;
  Sample s;

  if (!read_sample (node, &s, error))
    return FALSE;
  in_plane = s.in[0] * s.in[1] * s.in[2];
  out_plane = s.out[0] * s.out[1] * s.out[2];
  for (gint64 i = 0; i < outputs[0]->count; i++) {
    gint64 plane = i / out_plane, map = plane / s.channels;

    outputs[0]->f32[i] = sample_one (&s, inputs[0]->f32 + plane * in_plane,
        inputs[1]->f32 + (map * out_plane + i % out_plane) * s.n_axes);
  }
  return TRUE;
}

/* Between maps, then along the three spatial axes, of which the first stands at
 * axis @first of @t; in units of @unit elements. */
static void
spatial_strides (const FvTensor *t, const Sample *s, guint first, gint64 unit,
    fv_int strides[4])
{
  strides[0] = t->shape.dims[0] > 1 ? t->strides[0] / unit : 0;
  for (guint a = 0; a < 3; a++) {
    guint axis = first + a + s->n_axes - 3;

    strides[1 + a] = a + s->n_axes >= 3 && t->shape.dims[axis] > 1
        ? t->strides[axis] / unit
        : 0;
  }
}

static void
fill_push (const Sample *s, const FvTensor *x, const FvTensor *grid,
    const FvTensor *y, FvGridSamplePush *push)
{
  push->channels = s->channels;
  push->units = (s->channels + 3) / 4;
  for (guint a = 0; a < 3; a++) {
    push->in_size[a] = s->in[a];
    push->out_size[a] = s->out[a];
  }
  push->x_base = x->offset / 4;
  push->y_base = y->offset / 4;
  push->grid_base = grid->offset;
  spatial_strides (x, s, 2, 4, push->x);
  spatial_strides (y, s, 2, 4, push->y);
  spatial_strides (grid, s, 1, 1, push->grid);
  push->grid[4] = s->n_axes > 1 ? grid->strides[1 + s->n_axes] : 0;
}

static gboolean
lower_sample (FvPlan *plan, FvNode *node, GError **error)
{
  FvGridSamplePush push = { 0 };
  FvTensor x, grid, y;
  FvDispatch d;
  Sample s;

  if (!read_sample (node, &s, error))
    return FALSE;
  if (s.n_axes < 2 || !fv_shape_count (&node->outputs[0]->shape))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        s.n_axes < 2 ? "one spatial axis on the device"
                     : "an empty tensor on the device");
  if (!fv_plan_input (plan, node, 0, 1, &x, error)
      || !fv_plan_input (plan, node, 1, FV_ANY_AXIS, &grid, error)
      || !fv_plan_output (plan, node, 0, 1, &y, error))
    return FALSE;
  fill_push (&s, &x, &grid, &y, &push);
  fv_plan_begin (plan, node, &d, "gridsample");
  fv_plan_bind (plan, &d, &x, FALSE);
  fv_plan_bind (plan, &d, &grid, FALSE);
  fv_plan_bind (plan, &d, &y, TRUE);
  if (!fv_plan_bind_steps (plan, node, &d, &y, 1, push.operand, error))
    return FALSE;
  fv_dispatch_spec (&d, 0, s.taps);
  fv_dispatch_spec (&d, 1, s.n_axes == 3 ? s.taps : 0);
  fv_dispatch_spec (&d, 2, s.padding);
  fv_dispatch_spec (&d, 3, s.align);
  fv_dispatch_push (&d, &push, sizeof push);
  fv_dispatch_units (plan, &d, s.out[1] * s.out[2] * push.units);
  d.groups[2] = s.maps * s.out[0];
  d.flops = fv_shape_count (&node->outputs[0]->shape) * 2 * s.taps * s.taps
      * (s.n_axes == 3 ? s.taps : 1);
  return fv_plan_add (plan, &d, error);
}

/* The sizes of the grid's axes, first the maps. */
static gboolean
read_affine (const FvNode *node, FvShape *grid, GError **error)
{
  const FvShape *theta = &node->inputs[0]->shape;
  g_autoptr (FvArray) size = NULL;

  if (!fv_type_is_float (node->inputs[0]->type) || theta->rank != 3
      || theta->dims[2] != theta->dims[1] + 1 || theta->dims[1] < 2
      || theta->dims[1] > 3)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected matrices of 2 x 3 or 3 x 4 floats");
  if (!(size = fv_node_constant_ints (node, 1, error)))
    return FALSE;
  if (size->count != theta->dims[1] + 2 || size->i64[0] != theta->dims[0])
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the size does not fit the matrices");
  grid->rank = theta->dims[1] + 2;
  grid->dims[0] = theta->dims[0];
  for (guint a = 0; a < theta->dims[1]; a++) {
    grid->dims[1 + a] = size->i64[2 + a];
    if (grid->dims[1 + a] > FAR)
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "a grid of %" G_GINT64_FORMAT " along an axis", grid->dims[1 + a]);
  }
  grid->dims[grid->rank - 1] = theta->dims[1];
  return fv_node_check_shape (node, grid, error);
}

static gboolean
infer_affine (FvNode *node, GError **error)
{
  FvShape grid;

  if (!read_affine (node, &grid, error))
    return FALSE;
  fv_set_output (node, 0, node->inputs[0]->type, &grid);
  return TRUE;
}

static gboolean
affine (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  gboolean align = fv_node_int (node, "align_corners") != 0;
  const FvShape *grid = &outputs[0]->shape;
  guint n = grid->rank - 2;

  for (gint64 i = 0; i < outputs[0]->count; i++) {
    gint64 left = i / n;
    double point[4] = { 0 }, sum;
    const float *row;

    point[n] = 1;
    for (guint a = 0; a < n; a++) { /* x first: the last axis */
      gint64 size = grid->dims[n - a], at = left % size;

      left /= size;
      point[a] = align && size > 1 ? 2.0 * at / (size - 1) - 1
          : align                  ? 0
                                   : (2.0 * at + 1) / size - 1;
    }
    row = inputs[0]->f32 + (left * n + i % n) * (n + 1);
    sum = 0;
    for (guint a = 0; a <= n; a++)
      sum += row[a] * point[a];
    outputs[0]->f32[i] = sum;
  }
  return TRUE;
}

#define GRID_SAMPLE(first, last, attributes, set) \
  { \
    .name = "GridSample", .limits = "one spatial axis: on the host", \
    .since = first, .until = last, \
    .flags = FV_OP_TAKES_STEPS | FV_OP_CHANNELS, .min_inputs = 2, \
    .attrs = attributes " padding_mode:s=zeros align_corners:i=0", \
    .infer = infer_sample, .reference = sample, .lower = lower_sample, \
    .cases = set \
  }
#define CASE(shapes, modes) \
  { \
    shapes, modes, -1.4, 1.4 \
  }

const FvOp fv_ops_gridsample[] = {
  GRID_SAMPLE (16, 19, "mode:s=bilinear",
      FV_CASES (CASE ("f32[1,7,9,11] f32[1,6,5,2]", NULL),
          CASE ("f32[2,32,5,8] f32[2,30,4,2]", NULL),
          CASE ("f32[2,5,8,7] =f32[2,3,4,2]", "padding_mode=border"),
          CASE ("f32[1,8,6,7] f32[1,5,6,2]",
              "padding_mode=reflection align_corners=1"),
          CASE ("f32[1,6,7,5] f32[1,4,9,2]",
              "mode=nearest padding_mode=border"),
          CASE ("f32[1,3,7,9] f32[1,4,5,2]", "mode=bicubic"))),
  GRID_SAMPLE (20, 0, "mode:s=linear",
      FV_CASES (CASE ("f32[1,5,7,9] f32[1,4,6,2]", "align_corners=1"),
          CASE ("f32[2,3,8,5] f32[2,5,4,2]",
              "mode=linear padding_mode=reflection"),
          CASE ("f32[1,9,6,6] f32[1,8,3,2]", "mode=nearest"),
          CASE ("f32[1,4,6,8] f32[1,7,5,2]",
              "mode=nearest padding_mode=reflection"),
          CASE ("f32[1,4,8,9] f32[1,4,7,2]",
              "mode=cubic padding_mode=border align_corners=1"),
          CASE ("f32[1,6,8,7] f32[1,5,5,2]",
              "mode=cubic padding_mode=reflection"),
          CASE ("f32[1,4,1,6] f32[1,5,3,2]",
              "padding_mode=reflection align_corners=1"),
          CASE ("f32[1,5,4,6,7] f32[1,3,4,5,3]", NULL),
          CASE ("f32[2,4,3,5,4] f32[2,2,3,4,3]",
              "mode=nearest padding_mode=border"),
          CASE ("f32[1,3,4,5,4] f32[1,2,3,4,3]",
              "mode=cubic padding_mode=reflection align_corners=1"))),
  {
      .name = "AffineGrid",
      .since = 20,
      .min_inputs = 2,
      .attrs = "align_corners:i=0",
      .infer = infer_affine,
      .reference = affine,
      .lower = fv_lower_rewritten,
      .cases = FV_CASES ({ "f32[2,2,3] =i64{2,3,5,7}" },
          { "f32[1,2,3] =i64{1,1,6,1}", "align_corners=1" },
          { "f32[2,3,4] =i64{2,3,4,5,6}" },
          { "f32[1,3,4] =i64{1,1,2,5,3}", "align_corners=1" }),
  },
  {},
};
