/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RoiAlign: boxes of a map, averaged into a few bins each. With mode=max a bin is
 * the largest of its samples' weighted corners, as ONNX's own tests have it, and
 * not the largest sample. */
#include <math.h>

#include "gst/ops/common.h"
#include "gst/ops/loops.h"

#define MAX_RATIO 64

enum
{
  ROI_ALIGN_10, /* without coordinate_transformation_mode: no shift */
  ROI_ALIGN_16,
};

typedef struct
{
  gint64 maps, channels, in[2], rois, out[2]; /* height, width */
  gint64 samples; /* of a bin along an axis; 0: as many as its pixels */
  float scale;
  gboolean shift, max;
} RoiAlign;

static gboolean
read_modes (const FvNode *node, RoiAlign *r, GError **error)
{
  const char *mode = fv_node_string (node, "mode"), *place = NULL;

  r->max = g_strcmp0 (mode, "max") == 0;
  if (!r->max && g_strcmp0 (mode, "avg") != 0)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED, "unknown mode %s",
        mode);
  if (node->op->variant == ROI_ALIGN_10)
    return TRUE;
  place = fv_node_string (node, "coordinate_transformation_mode");
  r->shift = g_strcmp0 (place, "half_pixel") == 0;
  if (!r->shift && g_strcmp0 (place, "output_half_pixel") != 0)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "unknown coordinate_transformation_mode %s", place);
  return TRUE;
}

static gboolean
check_inputs (const FvNode *node, GError **error)
{
  const FvValue *x = node->inputs[0], *rois = node->inputs[1];
  const FvValue *maps = node->inputs[2];

  if (!fv_type_is_float (x->type) || !fv_type_is_float (rois->type)
      || (maps->type != FV_TYPE_I64 && maps->type != FV_TYPE_I32))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "expected floats, floats and integers, got %s, %s and %s",
        fv_type_name (x->type), fv_type_name (rois->type),
        fv_type_name (maps->type));
  if (x->shape.rank != 4 || rois->shape.rank != 2 || rois->shape.dims[1] != 4
      || maps->shape.rank != 1 || maps->shape.dims[0] != rois->shape.dims[0])
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "expected maps of rank 4, four numbers for each box and as many "
        "indices as boxes");
  for (guint a = 0; a < 4; a++)
    if (x->shape.dims[a] < 1 || x->shape.dims[a] > FV_INTEGER_LIMIT)
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "a map of %" G_GINT64_FORMAT " along an axis", x->shape.dims[a]);
  return TRUE;
}

static gboolean
read_roi_align (const FvNode *node, RoiAlign *r, GError **error)
{
  const gint64 *in = node->inputs[0]->shape.dims;

  *r = (RoiAlign){ 0 };
  if (!check_inputs (node, error) || !read_modes (node, r, error))
    return FALSE;
  r->maps = in[0];
  r->channels = in[1];
  r->in[0] = in[2];
  r->in[1] = in[3];
  r->rois = node->inputs[1]->shape.dims[0];
  r->out[0] = fv_node_int (node, "output_height");
  r->out[1] = fv_node_int (node, "output_width");
  r->samples = fv_node_int (node, "sampling_ratio");
  r->scale = fv_node_float (node, "spatial_scale");
  for (guint a = 0; a < 2; a++)
    if (r->out[a] < 1 || r->out[a] > G_MAXINT16)
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "%" G_GINT64_FORMAT " bins along an axis", r->out[a]);
  if (r->samples < 0 || r->samples > MAX_RATIO)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "a sampling_ratio of %" G_GINT64_FORMAT ", expected 0 to %d",
        r->samples, MAX_RATIO);
  return TRUE;
}

static gboolean
infer_roi_align (FvNode *node, GError **error)
{
  RoiAlign r;

  if (!read_roi_align (node, &r, error))
    return FALSE;
  fv_set_output (node, 0, node->inputs[0]->type,
      &(FvShape){ 4, { r.rois, r.channels, r.out[0], r.out[1] } });
  return fv_node_check_shape (node, &node->outputs[0]->shape, error);
}

/* Of a box, along one axis. Floats, as in the kernel, since rounding decides how
 * many samples there are. */
typedef struct
{
  float start, bin;
  gint64 samples;
} Span;

/* The samples of a bin that may lie in the map, @first to @last, and whether that
 * leaves some out. */
typedef struct
{
  gint64 first, last;
  gboolean leaves_out;
} Reach;

static Span
find_span (const RoiAlign *r, guint axis, float low, float high)
{
  float shift = r->shift ? 0.5f : 0;
  float start = low * r->scale - shift;
  float size = high * r->scale - shift - start;
  Span span = { .start = start, .samples = r->samples };

  if (!r->shift)
    size = MAX (size, 1);
  span.bin = size / r->out[axis];
  if (!r->samples && span.bin > 0)
    span.samples = ceilf (MIN (span.bin, FV_ROI_SAMPLES));
  return span;
}

/* Boxes may be as much larger than the map as they like. */
static Reach
find_reach (const Span *span, gint64 bin, gint64 size)
{
  float step = span->bin / span->samples, low = span->start + bin * span->bin;
  Reach reach = { 0, span->samples, FALSE };
  float first = floorf ((-1 - low) / step) - 1;
  float last = ceilf ((size - low) / step) + 1;

  /* where either is NaN, so are the samples' places, or infinite */
  if (step > 0 && !(first <= last)) {
    reach.last = 0;
  } else if (step > 0) {
    reach.first = CLAMP (first, 0, (float) span->samples);
    reach.last = CLAMP (last, 0, (float) span->samples);
  }
  reach.leaves_out = reach.first > 0 || reach.last < span->samples;
  return reach;
}

/* The two pixels around sample @i of @bin and their weights; FALSE when it lies
 * outside of the map. */
static gboolean
find_sample (const Span *span, gint64 bin, gint64 i, gint64 size,
    gint64 index[2], double weight[2])
{
  float at = span->start + bin * span->bin
      + ((float) i + 0.5f) * span->bin / span->samples;

  if (!(at >= -1 && at <= size))
    return FALSE;
  at = CLAMP (at, 0, size - 1);
  index[0] = at;
  index[1] = MIN (index[0] + 1, size - 1);
  weight[1] = (double) at - index[0];
  weight[0] = 1 - weight[1];
  return TRUE;
}

static float
pool_bin (const RoiAlign *r, const float *x, const Span spans[2],
    const gint64 bin[2])
{
  gint64 count = spans[0].samples * spans[1].samples;
  Reach rows = find_reach (&spans[0], bin[0], r->in[0]);
  Reach columns = find_reach (&spans[1], bin[1], r->in[1]);
  double sum = 0;
  double top = rows.leaves_out || columns.leaves_out ? 0 : -INFINITY;

  for (gint64 i = rows.first; i < rows.last; i++)
    for (gint64 j = columns.first; j < columns.last; j++) {
      gint64 row[2], column[2];
      double down[2], across[2];
      gboolean inside = find_sample (&spans[0], bin[0], i, r->in[0], row, down)
          && find_sample (&spans[1], bin[1], j, r->in[1], column, across);

      if (!inside)
        top = MAX (top, 0);
      for (guint k = 0; inside && k < 4; k++) {
        double v = down[k / 2] * across[k % 2]
            * x[row[k / 2] * r->in[1] + column[k % 2]];

        sum += v;
        top = MAX (top, v);
      }
    }
  if (count == 0)
    return 0;
  return r->max ? top : sum / count;
}

static gboolean
roi_align (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  gint64 plane, bins;
  RoiAlign r;

  if (!read_roi_align (node, &r, error))
    return FALSE;
  plane = r.in[0] * r.in[1];
  bins = r.out[0] * r.out[1];
  for (gint64 n = 0; n < r.rois; n++) {
    const float *roi = inputs[1]->f32 + 4 * n;
    Span spans[2] = { find_span (&r, 0, roi[1], roi[3]),
      find_span (&r, 1, roi[0], roi[2]) };
    gint64 map = inputs[2]->i64[n];

    if (map < 0 || map >= r.maps)
      return fv_node_fail (node, error, FV_ERROR_INVALID,
          "box %" G_GINT64_FORMAT " is of map %" G_GINT64_FORMAT
          ", but there are %" G_GINT64_FORMAT,
          n, map, r.maps);
    for (gint64 i = 0; i < r.channels * bins; i++) {
      gint64 bin[2] = { i % bins / r.out[1], i % r.out[1] };

      outputs[0]->f32[n * r.channels * bins + i] = pool_bin (&r,
          inputs[0]->f32 + (map * r.channels + i / bins) * plane, spans, bin);
    }
  }
  return TRUE;
}

static void
fill_push (const RoiAlign *r, const FvTensor t[4], FvRoiAlignPush *push)
{
  push->channels = r->channels;
  push->units = (r->channels + 3) / 4;
  push->maps = r->maps;
  push->samples = r->samples;
  push->scale = r->scale;
  push->x_base = t[0].offset / 4;
  push->y_base = t[3].offset / 4;
  push->x[0] = r->maps > 1 ? t[0].strides[0] / 4 : 0;
  push->y[0] = r->rois > 1 ? t[3].strides[0] / 4 : 0;
  for (guint a = 0; a < 2; a++) {
    push->in_size[a] = r->in[a];
    push->out_size[a] = r->out[a];
    push->x[1 + a] = r->in[a] > 1 ? t[0].strides[2 + a] / 4 : 0;
    push->y[1 + a] = r->out[a] > 1 ? t[3].strides[2 + a] / 4 : 0;
  }
  push->rois_base = t[1].offset;
  push->rois[0] = r->rois > 1 ? t[1].strides[0] : 0;
  push->rois[1] = t[1].strides[1];
  push->map_base = t[2].offset;
  push->map = r->rois > 1 ? t[2].strides[0] : 0;
}

static gboolean
lower_roi_align (FvPlan *plan, FvNode *node, GError **error)
{
  FvRoiAlignPush push = { 0 };
  FvTensor t[4];
  FvDispatch d;
  RoiAlign r;

  if (!read_roi_align (node, &r, error))
    return FALSE;
  if (!r.rois)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "an empty tensor on the device");
  for (guint i = 0; i < 3; i++)
    if (!fv_plan_input (plan, node, i, i ? FV_ANY_AXIS : 1, &t[i], error))
      return FALSE;
  if (!fv_plan_output (plan, node, 0, 1, &t[3], error))
    return FALSE;
  fill_push (&r, t, &push);
  fv_plan_begin (plan, node, &d, "roialign");
  for (guint i = 0; i < 4; i++)
    fv_plan_bind (plan, &d, &t[i], i == 3);
  if (!fv_plan_bind_steps (plan, node, &d, &t[3], 1, push.operand, error))
    return FALSE;
  fv_dispatch_spec (&d, 0, r.max);
  fv_dispatch_spec (&d, 1, r.shift);
  fv_dispatch_push (&d, &push, sizeof push);
  fv_dispatch_units (plan, &d, r.out[0] * r.out[1] * push.units);
  d.groups[2] = r.rois;
  d.flops = fv_shape_count (&node->outputs[0]->shape) * 8
      * MAX (r.samples * r.samples, 4);
  return fv_plan_add (plan, &d, error);
}

#define ATTRS_10 \
  "mode:s=avg output_height:i=1 output_width:i=1 sampling_ratio:i=0 " \
  "spatial_scale:f=1"
#define ROI_ALIGN(first, last, kind, attributes, set) \
  { \
    .name = "RoiAlign", .limits = "sampling_ratio at most 64", .since = first, \
    .until = last, .variant = kind, \
    .flags = FV_OP_TAKES_STEPS | FV_OP_CHANNELS, .min_inputs = 3, \
    .attrs = attributes, .infer = infer_roi_align, .reference = roi_align, \
    .lower = lower_roi_align, .cases = set \
  }
#define BINS "output_height=5 output_width=3 "

const FvOp fv_ops_roialign[] = {
  ROI_ALIGN (10, 15, ROI_ALIGN_10, ATTRS_10,
      FV_CASES ({ "f32[2,7,9,11] f32[5,4] =i64{1,0,0,1,1}",
                    BINS "sampling_ratio=2", -2, 12 },
          { "f32[1,4,8,6] f32[3,4] =i64{0,0,0}", BINS "spatial_scale=0.5", -3,
              20 })),
  ROI_ALIGN (16, 0, ROI_ALIGN_16,
      ATTRS_10 " coordinate_transformation_mode:s=half_pixel",
      FV_CASES ({ "f32[1,6,10,10] =f32[4,4] =i64{0,0,0,0}", BINS, -1, 11 },
          { "f32[3,13,7,9] f32[4,4] =i64{2,0,1,2}",
              BINS "sampling_ratio=3 spatial_scale=0.7", 0, 12 },
          { "f32[2,3,9,8] f32[6,4] =i64{1,0,1,0,1,0}",
              BINS "mode=max coordinate_transformation_mode=output_half_pixel",
              -4, 14 },
          { "f32[2,3,7,6] f32[5,4] =i64{1,0,1,0,1}", BINS, -200, 200 },
          { "f32[2,3,7,6] f32[5,4] =i64{1,0,1,0,1}", BINS "mode=max", -90, 90 },
          { "f32[1,1,12,12] f32[1,4] =i64{0}", "mode=max sampling_ratio=1", 0,
              12 })),
  {},
};
