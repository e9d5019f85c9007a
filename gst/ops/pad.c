/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pad and CenterCropPad. */
#include "gst/ops/common.h"
#include "gst/ops/remap.h"

#include <string.h>

/* Where opsets have the pads. */
typedef enum
{
  PAD_ATTRIBUTES, /* pads and value */
  PAD_INPUTS,
  PAD_AXES, /* the axes' input too */
  PAD_CENTRE, /* as much on both sides as makes the sizes given */
} PadForm;

typedef enum
{
  CONSTANT,
  REFLECT,
  EDGE,
  WRAP,
} PadMode;

typedef struct
{
  PadMode mode;
  gint64 begin[FV_MAX_RANK], end[FV_MAX_RANK];
} Pads;

static gboolean
read_mode (FvNode *node, PadMode *mode, GError **error)
{
  static const char *const names[] = { "constant", "reflect", "edge", "wrap" };
  const char *name = fv_node_string (node, "mode");

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (!strcmp (name, names[i])) {
      *mode = i;
      return TRUE;
    }
  return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
      "mode \"%s\" is not known", name);
}

/* The list of @n begins and @n ends belongs to the axes in @axes, or all. */
static gboolean
spread (FvNode *node, const FvArray *list, const FvArray *axes, Pads *pads,
    GError **error)
{
  guint rank = node->inputs[0]->shape.rank;
  gint64 n = axes ? axes->count : rank;

  if (!list || list->count != 2 * n)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "%" G_GINT64_FORMAT " pads for %" G_GINT64_FORMAT " axes",
        list ? list->count : 0, n);
  for (gint64 i = 0; i < n; i++) {
    guint axis;

    if (!fv_node_axis (node, axes ? axes->i64[i] : i, rank, &axis, error))
      return FALSE;
    pads->begin[axis] = list->i64[i];
    pads->end[axis] = list->i64[n + i];
  }
  return TRUE;
}

/* The middle of what is there, or it in the middle; an odd element is left out, or
 * added, behind. */
static gboolean
read_centre (FvNode *node, Pads *pads, GError **error)
{
  g_autoptr (FvArray) sizes = fv_node_constant_ints (node, 1, error);
  const FvShape *shape = &node->inputs[0]->shape;
  guint n = 0;
  const gint64 *axes = fv_node_ints (node, "axes", &n);

  *pads = (Pads){ .mode = CONSTANT };
  if (!sizes)
    return FALSE;
  n = axes ? n : shape->rank;
  if (sizes->count != n)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "%" G_GINT64_FORMAT " sizes for %u axes", sizes->count, n);
  for (guint i = 0; i < n; i++) {
    gint64 missing;
    guint axis;

    if (!fv_node_axis (node, axes ? axes[i] : i, shape->rank, &axis, error))
      return FALSE;
    if (sizes->i64[i] < 0)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "a size of %" G_GINT64_FORMAT, sizes->i64[i]);
    missing = sizes->i64[i] - shape->dims[axis];
    pads->begin[axis] = missing / 2;
    pads->end[axis] = missing - missing / 2;
  }
  return TRUE;
}

static gboolean
read_pads (FvNode *node, Pads *pads, GError **error)
{
  g_autoptr (FvArray) list = NULL;
  g_autoptr (FvArray) axes = NULL;

  if (node->op->variant == PAD_CENTRE)
    return read_centre (node, pads, error);
  memset (pads, 0, sizeof *pads);
  if (!read_mode (node, &pads->mode, error)
      || !fv_node_list (node, "pads", 1, &list, error))
    return FALSE;
  if (node->op->variant == PAD_AXES && fv_node_input (node, 3)) {
    axes = fv_node_constant_ints (node, 3, error);
    if (!axes)
      return FALSE;
  }
  return spread (node, list, axes, pads, error);
}

static gboolean
infer_pad (FvNode *node, GError **error)
{
  const FvValue *data = node->inputs[0];
  const FvValue *value =
      node->op->variant == PAD_CENTRE ? NULL : fv_node_input (node, 2);
  FvShape shape = data->shape;
  Pads pads;

  /* exporters of f16 nets leave values of f32 */
  if (value
      && (fv_type_is_float (value->type) != fv_type_is_float (data->type)
          || (value->type == FV_TYPE_BOOL) != (data->type == FV_TYPE_BOOL)))
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the value is of type %s, the input of type %s",
        fv_type_name (value->type), fv_type_name (data->type));
  if (!read_pads (node, &pads, error))
    return FALSE;
  for (guint i = 0; i < shape.rank; i++) {
    gint64 size = shape.dims[i];

    if (ABS (pads.begin[i] / 2) > G_MAXINT32
        || ABS (pads.end[i] / 2) > G_MAXINT32
        || __builtin_add_overflow (size, pads.begin[i], &shape.dims[i])
        || __builtin_add_overflow (shape.dims[i], pads.end[i], &shape.dims[i])
        || shape.dims[i] < 0)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "axis %u of %" G_GINT64_FORMAT
          " cannot be padded by %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT,
          i, size, pads.begin[i], pads.end[i]);
    if (size == 0 && shape.dims[i] > 0 && pads.mode != CONSTANT)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED, "axis %u is empty",
          i);
  }
  if (!fv_node_check_shape (node, &shape, error))
    return FALSE;
  fv_set_output (node, 0, node->inputs[0]->type, &shape);
  return TRUE;
}

/* Where position @i before or behind an axis of @size comes from; -1: nowhere. */
static gint64
source_index (PadMode mode, gint64 i, gint64 size)
{
  gint64 period = mode == REFLECT ? MAX (2 * (size - 1), 1) : size;

  if (i >= 0 && i < size)
    return i;
  if (mode == CONSTANT)
    return -1;
  if (mode == EDGE)
    return i < 0 ? 0 : size - 1;
  i %= period;
  i = i < 0 ? i + period : i;
  return i < size ? i : period - i;
}

static void
fill (FvArray *out, gint64 i, const FvNode *node, const FvArray *value)
{
  if (value)
    fv_move (out, i, value, 0);
  else if (out->type == FV_TYPE_F32)
    out->f32[i] =
        node->op->variant == PAD_ATTRIBUTES ? fv_node_float (node, "value") : 0;
  else if (out->type == FV_TYPE_I64)
    out->i64[i] = 0;
  else
    out->u8[i] = 0;
}

static gboolean
pad (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  const FvShape *from = &inputs[0]->shape;
  const FvArray *value = node->n_own_inputs > 2 ? inputs[2] : NULL;
  gint64 dense[FV_MAX_RANK];
  FvWalk walk;
  Pads pads;

  if (!read_pads (node, &pads, error))
    return FALSE;
  if (value && value->count != 1)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "the value is not a scalar");
  fv_dense_strides (from, dense);
  fv_walk_begin (&walk, &outputs[0]->shape);
  for (gint64 i = 0; i < outputs[0]->count; i++, fv_walk_next (&walk)) {
    gint64 at = 0;

    for (guint k = 0; k < from->rank && at >= 0; k++) {
      gint64 source = source_index (pads.mode, walk.index[k] - pads.begin[k],
          from->dims[k]);

      at = source < 0 ? -1 : at + source * dense[k];
    }
    if (at < 0)
      fill (outputs[0], i, node, value);
    else
      fv_move (outputs[0], i, inputs[0], at);
  }
  return TRUE;
}

/* Where each position along the padded axes comes from. */
static gboolean
fill_positions (FvNode *node, const Pads *pads, gint64 *positions[FV_MAX_RANK],
    GError **error)
{
  for (guint i = 0; i < node->outputs[0]->shape.rank; i++) {
    gint64 size = node->outputs[0]->shape.dims[i];

    if (!pads->begin[i] && !pads->end[i])
      continue;
    positions[i] = g_try_new (gint64, size + 1);
    if (!positions[i])
      return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
          "no memory for its tables");
    for (gint64 k = 0; k < size; k++)
      positions[i][k] = source_index (pads->mode, k - pads->begin[i],
          node->inputs[0]->shape.dims[i]);
  }
  return TRUE;
}

static gboolean
lower_pad (FvPlan *plan, FvNode *node, GError **error)
{
  gint64 *positions[FV_MAX_RANK] = { NULL };
  FvArray *constant = fv_node_constant (node, 2);
  gboolean ok, any = FALSE;
  FvTensor source, target;
  float value = 0;
  Pads pads;

  if (fv_node_input (node, 2) && (!constant || constant->count != 1))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "its value is no constant scalar");
  if (node->op->variant == PAD_ATTRIBUTES)
    value = fv_node_float (node, "value");
  else if (constant)
    value = fv_array_get_float (constant, 0);
  if (!read_pads (node, &pads, error)
      || !fv_plan_input (plan, node, 0, FV_ANY_AXIS, &source, error))
    return FALSE;
  for (guint i = 0; i < source.shape.rank; i++)
    any |= pads.begin[i] || pads.end[i];
  if (!any) {
    fv_plan_alias (plan, node, 0, &source);
    return TRUE;
  }
  ok = fill_positions (node, &pads, positions, error)
      && fv_plan_output (plan, node, 0, fv_tensor_inner (&source), &target,
          error)
      && fv_remap_lower (plan, node, &source, &target,
          (const gint64 *const *) positions, value, error);
  for (guint i = 0; i < FV_MAX_RANK; i++)
    g_free (positions[i]);
  return ok;
}

const FvOp fv_ops_pad[] = {
  {
      .name = "Pad",
      .since = 2,
      .until = 10,
      .variant = PAD_ATTRIBUTES,
      .min_inputs = 1,
      .attrs = "mode:s=constant pads:is value:f=0",
      .infer = infer_pad,
      .reference = pad,
      .lower = lower_pad,
      .cases = FV_CASES ({ .inputs = "f32[1,3,5,7]",
          .attrs = "pads=[0,0,1,2,0,0,3,4] value=0.5",
          .opset = 10 }),
  },
  {
      .name = "Pad",
      .since = 11,
      .until = 17,
      .variant = PAD_INPUTS,
      .min_inputs = 2,
      .max_inputs = 3,
      .attrs = "mode:s=constant",
      .infer = infer_pad,
      .reference = pad,
      .lower = lower_pad,
      .cases = FV_CASES (
          { .inputs = "f32[1,3,5,7] =i64{0,1,1,2,0,2,3,4}", .opset = 13 }),
  },
  {
      .name = "Pad",
      .since = 18,
      .variant = PAD_AXES,
      .min_inputs = 2,
      .max_inputs = 4,
      .attrs = "mode:s=constant",
      .infer = infer_pad,
      .reference = pad,
      .lower = lower_pad,
      .cases = FV_CASES (
          { .inputs = "f32[1,3,5,7] =i64{1,2,3,4} =f32(0.5) =i64{2,3}" },
          { .inputs = "f32[1,9,5,7] =i64{0,0,1,2,0,0,3,4}",
              .attrs = "mode=reflect" },
          { .inputs = "f32[1,9,5,7] =i64{0,0,1,2,0,0,3,4}",
              .attrs = "mode=edge" },
          { .inputs = "f32[1,9,5,7] =i64{0,1,1,2,0,3,3,4}",
              .attrs = "mode=wrap" },
          { .inputs = "f32[1,9,5,7] =i64{0,0,-1,2,0,0,3,-4}" }),
  },
  {
      .name = "CenterCropPad",
      .since = 18,
      .variant = PAD_CENTRE,
      .min_inputs = 2,
      .attrs = "axes:is",
      .infer = infer_pad,
      .reference = pad,
      .lower = lower_pad,
      .cases = FV_CASES ({ .inputs = "f32[2,5,9,6] =i64{2,8,4,9}" },
          { .inputs = "f32[1,7,6,5] =i64{8,3}", .attrs = "axes=[-1,1]" }),
  },
  {},
};
