/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resize and Upsample: every mode is a table of taps and weights per axis, made
 * here for the reference and the kernel alike. */
#include <math.h>
#include "gst/ops/resize.h"

enum
{
  UPSAMPLE_7, /* scales are an attribute */
  UPSAMPLE_9, /* scales are input 1 */
  RESIZE_10, /* the same */
  RESIZE_11, /* roi, scales, sizes are inputs 1 to 3 */
  RESIZE_18, /* with axes, antialias, keep_aspect_ratio_policy */
};

#define MAX_SIZE (1 << 24) /* of an axis: indices are exact as floats */
#define MAX_TAPS (1 << 26) /* of all outputs of an axis */

typedef struct
{
  const char *mode, *coordinates, *rounding;
  double cubic_a;
  gboolean exclude_outside, antialias;
  gboolean selected[FV_MAX_RANK];
  gboolean from_sizes;
  gboolean is_fractional; /* align_corners divides by unrounded lengths */
  double scales[FV_MAX_RANK];
  double start[FV_MAX_RANK], end[FV_MAX_RANK]; /* of what is cropped */
  gint64 out[FV_MAX_RANK];
} Settings;

static gboolean
is_crop (const Settings *s)
{
  return g_str_equal (s->coordinates, "tf_crop_and_resize");
}

static gboolean
check_one_of (const FvNode *node, const char *name, const char *value,
    const char *const *known, GError **error)
{
  if (g_strv_contains (known, value))
    return TRUE;
  return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED, "%s \"%s\"", name,
      value);
}

/* Where scales make no whole length, ONNX's tests divide by the length before it is
 * rounded under align_corners, but PyTorch by the one behind it, and ONNX Runtime,
 * too. PyTorch's exporters give a nearest_mode whatever the mode: their mark. */
static gboolean
is_fractional (const FvNode *node, const char *mode)
{
  return g_str_equal (mode, "nearest") || !fv_node_has (node, "nearest_mode");
}

static gboolean
read_attributes (const FvNode *node, Settings *s, GError **error)
{
  static const char *const modes[] = { "nearest", "linear", "cubic", NULL };
  static const char *const places[] = { "half_pixel", "pytorch_half_pixel",
    "align_corners", "asymmetric", "tf_half_pixel_for_nn",
    "half_pixel_symmetric", "tf_crop_and_resize", NULL };
  static const char *const roundings[] = { "round_prefer_floor",
    "round_prefer_ceil", "floor", "ceil", "simple", NULL };

  s->mode = fv_node_string (node, "mode");
  if (g_str_equal (s->mode, "bilinear")) /* opset 7's other word */
    s->mode = "linear";
  s->coordinates = "asymmetric";
  s->rounding = "simple";
  if (node->op->variant >= RESIZE_11) {
    s->coordinates = fv_node_string (node, "coordinate_transformation_mode");
    s->rounding = fv_node_string (node, "nearest_mode");
    s->cubic_a = fv_node_float (node, "cubic_coeff_a");
    s->exclude_outside = fv_node_int (node, "exclude_outside") != 0;
    s->is_fractional = is_fractional (node, s->mode);
  }
  if (node->op->variant == RESIZE_18)
    s->antialias = fv_node_int (node, "antialias") != 0;
  return check_one_of (node, "mode", s->mode, modes, error)
      && check_one_of (node, "coordinate_transformation_mode", s->coordinates,
          places, error)
      && check_one_of (node, "nearest_mode", s->rounding, roundings, error);
}

/* Which axes the lists of scales or sizes speak of. */
static gboolean
read_axes (const FvNode *node, Settings *s, guint order[FV_MAX_RANK], guint *n,
    GError **error)
{
  guint rank = node->inputs[0]->shape.rank, given = 0;
  const gint64 *axes = NULL;

  if (node->op->variant == RESIZE_18)
    axes = fv_node_ints (node, "axes", &given);
  *n = axes ? given : rank;
  if (*n > rank)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED, "too many axes");
  for (guint i = 0; i < *n; i++) {
    order[i] = i;
    if (axes && !fv_node_axis (node, axes[i], rank, &order[i], error))
      return FALSE;
    if (s->selected[order[i]])
      return fv_node_fail (node, error, FV_ERROR_MALFORMED, "an axis twice");
    s->selected[order[i]] = TRUE;
  }
  return TRUE;
}

static gboolean
set_scale (const FvNode *node, Settings *s, guint axis, double scale,
    GError **error)
{
  gint64 in = node->inputs[0]->shape.dims[axis];
  /* in floats, since 0.7f * 10 is meant to be 7 */
  float size = (float) in * (float) scale * (s->end[axis] - s->start[axis]);

  if (!(scale > 0 && size >= 0 && floor (size) <= MAX_SIZE))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED, "a scale of %g",
        scale);
  s->scales[axis] = scale;
  s->out[axis] = floorf (size);
  return TRUE;
}

static gboolean
read_sizes (const FvNode *node, Settings *s, const guint *order, guint n,
    const FvArray *sizes, GError **error)
{
  const gint64 *in = node->inputs[0]->shape.dims;
  const char *policy = "stretch";
  double scale = 0;

  if (node->op->variant == RESIZE_18)
    policy = fv_node_string (node, "keep_aspect_ratio_policy");
  s->from_sizes = TRUE;
  for (guint i = 0; i < n; i++) {
    gint64 size = fv_array_get_int (sizes, i);
    double ratio = in[order[i]] > 0 ? (double) size / in[order[i]] : 1;

    if (size < 0 || size > MAX_SIZE)
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "a size of %" G_GINT64_FORMAT, size);
    s->out[order[i]] = size;
    s->scales[order[i]] = ratio;
    if (i == 0
        || (g_str_equal (policy, "not_larger") ? ratio < scale : ratio > scale))
      scale = ratio;
  }
  if (g_str_equal (policy, "stretch"))
    return TRUE;
  if (!g_str_equal (policy, "not_larger")
      && !g_str_equal (policy, "not_smaller"))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "keep_aspect_ratio_policy \"%s\"", policy);
  s->from_sizes = FALSE;
  for (guint i = 0; i < n; i++) {
    if (!set_scale (node, s, order[i], scale, error))
      return FALSE;
    s->out[order[i]] = floor (in[order[i]] * scale + 0.5);
  }
  return TRUE;
}

/* The constant input @i, of @n values; NULL where it is absent or empty. */
static gboolean
read_input (const FvNode *node, guint i, guint n, FvArray **array,
    GError **error)
{
  FvValue *value = fv_node_input (node, i);

  *array = NULL;
  if (!value || (value->shape.rank == 1 && value->shape.dims[0] == 0))
    return TRUE;
  *array = fv_node_constant (node, i);
  if (!*array)
    return fv_node_fail (node, error, FV_ERROR_DYNAMIC,
        "the result's shape depends on the data");
  if ((*array)->count != n)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "input %u has %" G_GINT64_FORMAT " values, expected %u", i,
        (*array)->count, n);
  return TRUE;
}

static gboolean
read_scales (const FvNode *node, Settings *s, const guint *order, guint n,
    GError **error)
{
  FvArray *scales = NULL, *sizes = NULL;
  const float *list = NULL;
  guint given = n;

  if (node->op->variant == UPSAMPLE_7)
    list = fv_node_floats (node, "scales", &given);
  else if (!read_input (node, node->op->variant >= RESIZE_11 ? 2 : 1, n,
               &scales, error))
    return FALSE;
  if (node->op->variant >= RESIZE_11 && !read_input (node, 3, n, &sizes, error))
    return FALSE;
  if (sizes && !scales)
    return read_sizes (node, s, order, n, sizes, error);
  if (given != n || sizes || (!list && !scales))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected either scales or sizes, one for each axis");
  for (guint i = 0; i < n; i++)
    if (!set_scale (node, s, order[i],
            list ? list[i] : fv_array_get_float (scales, i), error))
      return FALSE;
  return TRUE;
}

/* Where what is cropped starts and ends along each axis, as part of it. */
static gboolean
read_roi (const FvNode *node, Settings *s, const guint *order, guint n,
    GError **error)
{
  FvArray *roi = NULL;

  if (!is_crop (s))
    return TRUE;
  if (!read_input (node, 1, 2 * n, &roi, error))
    return FALSE;
  if (!roi)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "tf_crop_and_resize without a roi");
  for (guint i = 0; i < n; i++) {
    s->start[order[i]] = fv_array_get_float (roi, i);
    s->end[order[i]] = fv_array_get_float (roi, n + i);
  }
  return TRUE;
}

static gboolean
read_settings (const FvNode *node, Settings *s, GError **error)
{
  const FvShape *x = &node->inputs[0]->shape;
  guint order[FV_MAX_RANK], n;

  *s = (Settings){ .cubic_a = -0.75 };
  if (!read_attributes (node, s, error)
      || !read_axes (node, s, order, &n, error))
    return FALSE;
  for (guint i = 0; i < x->rank; i++) {
    s->scales[i] = s->end[i] = 1;
    s->out[i] = x->dims[i];
  }
  return read_roi (node, s, order, n, error)
      && read_scales (node, s, order, n, error);
}

static gboolean
infer_resize (FvNode *node, GError **error)
{
  FvValue *x = node->inputs[0];
  Settings s;

  if (!read_settings (node, &s, error))
    return FALSE;
  if (!fv_type_is_float (x->type) && !g_str_equal (s.mode, "nearest"))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "expected floats in mode %s, got %s", s.mode, fv_type_name (x->type));
  node->outputs[0]->type = x->type;
  node->outputs[0]->shape = x->shape;
  for (guint i = 0; i < x->shape.rank; i++) {
    if (x->shape.dims[i] == 0 && s.out[i] > 0)
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "an empty axis has no values");
    node->outputs[0]->shape.dims[i] = s.out[i];
  }
  return TRUE;
}

static double
aligned_position (const Settings *s, guint axis, gint64 in, gint64 o)
{
  double out =
      s->is_fractional && !s->from_sizes ? s->scales[axis] * in : s->out[axis];

  return s->out[axis] > 1 ? o * (in - 1) / (out - 1) : 0;
}

static double
cropped_position (const Settings *s, guint axis, gint64 in, gint64 o)
{
  gint64 out = s->out[axis];
  double start = s->start[axis], length = s->end[axis] - start;

  return (start + length * (out > 1 ? (double) o / (out - 1) : 0.5)) * (in - 1);
}

/* Where output element @o lies on the input's axis. */
static double
position (const Settings *s, guint axis, gint64 in, gint64 o)
{
  gint64 out = s->out[axis];
  double scale = s->scales[axis];
  /* x / scale, exact where the ratio of sizes makes a whole number; with scales in
   * floats, since 3 / 0.6f is meant to be 5 */
#define UNSCALE(x) (s->from_sizes ? (x) *in / out : (float) (x) / (float) scale)

  if (g_str_equal (s->coordinates, "align_corners"))
    return aligned_position (s, axis, in, o);
  if (is_crop (s))
    return cropped_position (s, axis, in, o);
  if (g_str_equal (s->coordinates, "asymmetric"))
    return UNSCALE ((double) o);
  if (g_str_equal (s->coordinates, "tf_half_pixel_for_nn"))
    return UNSCALE (o + 0.5);
  if (g_str_equal (s->coordinates, "pytorch_half_pixel") && out <= 1)
    return 0;
  if (g_str_equal (s->coordinates, "half_pixel_symmetric")) {
    double adjustment = out / (s->from_sizes ? (double) out : scale * in);

    return in / 2.0 * (1 - adjustment) + UNSCALE (o + 0.5) - 0.5;
  }
  return UNSCALE (o + 0.5) - 0.5;
#undef UNSCALE
}

static gint64
nearest (const Settings *s, guint axis, double x)
{
  if (g_str_equal (s->rounding, "floor"))
    return floor (x);
  if (g_str_equal (s->rounding, "ceil"))
    return ceil (x);
  if (g_str_equal (s->rounding, "round_prefer_ceil"))
    return floor (x + 0.5);
  if (g_str_equal (s->rounding, "simple"))
    return s->scales[axis] < 1 ? ceil (x) : floor (x);
  return ceil (x - 0.5);
}

/* The filter at distance @x from its centre. */
static double
filter (const Settings *s, double x)
{
  double a = s->cubic_a;

  x = fabs (x);
  if (!g_str_equal (s->mode, "cubic"))
    return MAX (1 - x, 0);
  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

static void
fill_taps (const Settings *s, FvResizeAxis *a, double stretch, gint64 first)
{
  for (gint64 o = 0; o < a->out; o++) {
    double x = position (s, a->axis, a->in, o), base = floor (x), sum = 0;
    gboolean beside = is_crop (s) && !(x >= 0 && x <= a->in - 1);
    gint32 *index = a->index + o * a->taps;
    double *weight = a->weight + o * a->taps;

    if (g_str_equal (s->mode, "nearest") || beside) {
      for (guint t = 0; t < a->taps; t++) {
        index[t] = beside ? 0 : CLAMP (nearest (s, a->axis, x), 0, a->in - 1);
        weight[t] = !beside;
      }
      continue;
    }
    for (guint t = 0; t < a->taps; t++) {
      double at = base + first + t;
      gboolean outside = at < 0 || at > a->in - 1;

      index[t] = CLAMP (at, 0, a->in - 1);
      weight[t] = filter (s, (at - x) * stretch);
      if (outside && s->exclude_outside)
        weight[t] = 0;
      sum += weight[t];
    }
    for (guint t = 0; t < a->taps && sum != 0; t++)
      weight[t] /= sum;
  }
}

static gboolean
make_taps (const FvNode *node, const Settings *s, FvResizeAxis *a,
    GError **error)
{
  gboolean smooth = s->antialias && !g_str_equal (s->mode, "nearest");
  double stretch = smooth ? MIN (s->scales[a->axis], 1) : 1;
  double support = g_str_equal (s->mode, "cubic") ? 2 : 1;
  double first = floor (-support / stretch) + 1;

  if (g_str_equal (s->mode, "nearest"))
    a->taps = 1;
  else if (2 - 2 * first <= MAX_TAPS)
    a->taps = 2 - 2 * first;
  if (a->taps < 1 || a->out > MAX_TAPS / a->taps)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE, "a filter this wide");
  a->index = g_try_new (gint32, a->out * a->taps);
  a->weight = g_try_new (double, a->out * a->taps);
  if (!a->index || !a->weight)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
        "no memory for the filter");
  fill_taps (s, a, stretch, first);
  return TRUE;
}

static gboolean
is_identity (const FvResizeAxis *a)
{
  for (gint64 o = 0; o < a->out; o++) {
    double own = 0;

    for (gint64 i = o * a->taps; i < (o + 1) * a->taps; i++) {
      if (a->weight[i] != 0 && a->index[i] != o)
        return FALSE;
      own += a->weight[i];
    }
    if (own == 0)
      return FALSE;
  }
  return a->in == a->out;
}

gboolean
fv_resize_new (const FvNode *node, FvResize *resize, GError **error)
{
  const FvShape *x = &node->inputs[0]->shape;
  Settings s;

  memset (resize, 0, sizeof *resize);
  if (!read_settings (node, &s, error))
    return FALSE;
  for (guint i = 0; i < x->rank; i++) {
    FvResizeAxis *a = &resize->axes[resize->n];

    if (!s.selected[i] || s.out[i] < 1)
      continue;
    *a = (FvResizeAxis){ .axis = i, .in = x->dims[i], .out = s.out[i] };
    resize->n++;
    if (!make_taps (node, &s, a, error)) {
      fv_resize_clear (resize);
      return FALSE;
    }
    if (is_identity (a)) {
      g_clear_pointer (&a->index, g_free);
      g_clear_pointer (&a->weight, g_free);
      resize->n--;
    }
  }
  return TRUE;
}

void
fv_resize_clear (FvResize *resize)
{
  for (guint i = 0; i < resize->n; i++) {
    g_free (resize->axes[i].index);
    g_free (resize->axes[i].weight);
  }
  resize->n = 0;
}

/* Resamples axis @a of @x, of @shape, which becomes that of the result. */
static double *
resample (const FvResizeAxis *a, FvShape *shape, const double *x)
{
  gint64 outer = 1, inner = 1;
  double *y;

  for (guint i = 0; i < shape->rank; i++)
    *(i < a->axis ? &outer : &inner) *= i == a->axis ? 1 : shape->dims[i];
  y = g_try_new0 (double, outer * a->out * inner);
  for (gint64 k = 0; y && k < outer * a->out; k++) {
    const double *from = x + k / a->out * a->in * inner;
    gint64 o = k % a->out * a->taps;

    for (guint t = 0; t < a->taps; t++)
      for (gint64 i = 0; i < inner; i++)
        y[k * inner + i] +=
            a->weight[o + t] * from[a->index[o + t] * inner + i];
  }
  shape->dims[a->axis] = a->out;
  return y;
}

static gboolean
resize (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  FvShape shape = inputs[0]->shape;
  double beside = 0; /* the value of what lies outside of the input */
  double *data = g_try_new (double, MAX (inputs[0]->count, 1));
  g_auto (FvResize) taps = { 0 };

  if (!fv_resize_new (node, &taps, error)) {
    g_free (data);
    return FALSE;
  }
  if (node->op->variant >= RESIZE_11)
    beside = fv_node_float (node, "extrapolation_value");
  for (gint64 i = 0; data && i < inputs[0]->count; i++)
    data[i] = fv_array_get_float (inputs[0], i) - beside;
  for (guint i = 0; data && outputs[0]->count > 0 && i < taps.n; i++) {
    double *next = resample (&taps.axes[i], &shape, data);

    g_free (data);
    data = next;
  }
  if (!data)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
        "no memory to resize in");
  for (gint64 i = 0; i < outputs[0]->count; i++)
    fv_array_set_float (outputs[0], i, data[i] + beside);
  g_free (data);
  return TRUE;
}

#define ATTRS_11 \
  "coordinate_transformation_mode:s=half_pixel cubic_coeff_a:f=-0.75 " \
  "exclude_outside:i=0 extrapolation_value:f=0 mode:s=nearest " \
  "nearest_mode:s=round_prefer_floor "
#define ATTRS_18 \
  ATTRS_11 "antialias:i=0 axes:is keep_aspect_ratio_policy:s=stretch"
#define PLACE "coordinate_transformation_mode="
#define ROW(op, first, kind, least, most, attributes, set) \
  { \
    .name = op, .since = first, .variant = kind, \
    .flags = FV_OP_TAKES_STEPS | FV_OP_CHANNELS, .min_inputs = least, \
    .max_inputs = most, .attrs = attributes, .infer = infer_resize, \
    .limits = "roi, scales and sizes in the file; integers by nearest", \
    .reference = resize, .lower = fv_resize_lower, .cases = set \
  }

const FvOp fv_ops_resize[] = {
  ROW ("Upsample", 7, UPSAMPLE_7, 1, 1, "mode:s=nearest scales:fs",
      FV_CASES ({ "f32[1,7,5,3]", "scales=[1,1,2,2]", .opset = 7 },
          { "f32[1,7,5,3]", "mode=linear scales=[1,1,2,3]", .opset = 7 })),
  ROW ("Upsample", 9, UPSAMPLE_9, 2, 2, "mode:s=nearest",
      FV_CASES ({ "f32[1,7,5,3] =f32{1,1,2,2}", NULL, .opset = 9 })),
  ROW ("Resize", 10, RESIZE_10, 2, 2, "mode:s=nearest",
      FV_CASES ({ "f32[1,5,8,6] =f32{1,1,0.5,0.7}", NULL, .opset = 10 })),
  ROW ("Resize", 11, RESIZE_11, 1, 4, ATTRS_11,
      FV_CASES ({ "f32[1,7,5,3] - =f32{1,1,2,2}",
                    PLACE "asymmetric "
                          "nearest_mode=floor",
                    .opset = 11 },
          { "f32[1,6,9,7] - - =i64{1,6,20,15}",
              "mode=linear " PLACE "align_corners", .opset = 11 },
          { "f32[2,9,5] - =f32{1,1,3}", PLACE "tf_half_pixel_for_nn",
              .opset = 11 },
          { "f32[1,5,7,6] =f32{0,0,0.2,-0.3,1,1,1.1,0.8} - =i64{1,5,9,8}",
              "mode=linear " PLACE "tf_crop_and_resize", .opset = 11 })),
  ROW ("Resize", 18, RESIZE_18, 1, 4, ATTRS_18,
      FV_CASES ({ "f32[1,8,10,12] - =f32{1,1,4,4}", "mode=linear" },
          { "f32[1,19,7,9] - - =i64{1,19,28,36}",
              "mode=linear " PLACE "pytorch_half_pixel" },
          { "f32[2,3,7,9] - - =i64{2,3,4,1}",
              "mode=linear " PLACE "pytorch_half_pixel" },
          { "f32[1,5,7,9] - - =i64{13,5}",
              "axes=[2,3] mode=linear " PLACE "half_pixel_symmetric" },
          { "f32[1,5,7,9] - =f32{1.7,0.6}",
              "axes=[3,2] mode=linear " PLACE "half_pixel_symmetric" },
          { "f32[1,3,9,8] - =f32{1,1,2.5,1.3}", "mode=cubic" },
          { "f32[1,3,9,8] - - =i64{1,3,17,5}",
              "mode=cubic exclude_outside=1 cubic_coeff_a=-0.5" },
          { "f32[1,4,30,20] - - =i64{1,4,7,11}", "mode=linear antialias=1" },
          { "f32[1,4,30,20] - - =i64{1,4,7,11}", "mode=cubic antialias=1" },
          { "f32[1,4,12,20] - - =i64{16,16}",
              "mode=linear keep_aspect_ratio_policy=not_larger axes=[2,3]" },
          { "f32[1,4,6,5] - - =i64{1,4,9,13}", "nearest_mode=ceil" },
          { "f32[1,5,6,7] - - =i64{1,5,6,7}", "mode=linear" },
          { "f32[1,4,6,5] - - =i64{1,4,12,3}",
              "nearest_mode=round_prefer_ceil" },
          { "f32[1,3,4,5,6] - =f32{1,1,2,2,2}", "mode=linear" },
          { "f32[6,5] - =f32{2,3}", "mode=linear" },
          { "u8[1,3,6,5] - =f32{2,3}", "axes=[2,3]" },
          { "f32[1,3,7,9] =f32{1.1,0.6,-0.3,0.9} - =i64{5,8}",
              "axes=[-1,2] " PLACE "tf_crop_and_resize" },
          { "f32[1,3,7,9] =f32{0,0.6,1.3,1.2} =f32{2,1.4}",
              "axes=[2,3] mode=cubic " PLACE "tf_crop_and_resize" },
          { "f32[1,5,7,9] =f32{0.1,-0.2,1.2,1.1} - =i64{9,8}",
              "axes=[2,3] mode=linear extrapolation_value=7.5 " PLACE
              "tf_crop_and_resize" },
          { "f32[1,5,9,11] - =f32{0.6,1.3}",
              "axes=[2,3] mode=linear " PLACE "align_corners" },
          { "f32[1,5,9,11] - =f32{0.6,1.3}",
              "axes=[2,3] mode=linear nearest_mode=floor " PLACE
              "align_corners" },
          { "f32[1,5,9,11] - =f32{0.6,1.4}",
              "axes=[2,3] nearest_mode=floor " PLACE "asymmetric" },
          { "f32[2,4,7,8] - =f32{1,0.5,1.5,0.4}", "mode=cubic antialias=1" },
          { "f32[1,3,4,4] - =f32{1,2,2,1}", "mode=linear" },
          { "f32[1,21,32,40] - - =i64{1,21,128,160}", "mode=linear" })),
  {},
};
