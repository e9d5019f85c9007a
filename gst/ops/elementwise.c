/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chains of elementwise steps as dispatches of one kernel. */
#include "gst/ops/elementwise.h"
#include "gst/ops/loops.h"

#include <string.h>

/* Axes around the rows that one dispatch walks: of all inputs, or of one less. */
#define MAX_AXES 3
#define MOST_AXES 4

/* Steps that one dispatch applies, and the tensors that they read. */
typedef struct
{
  gboolean select; /* first of all, see elementwise.comp */
  guint n_steps, n_operands;
  FvStep steps[FV_MAX_STEPS];
  guint operands[FV_ELEMENTWISE_INPUTS - 1]; /* indices of the node's inputs */
  guint which[FV_MAX_STEPS]; /* operand of each step */
} Chunk;

/* Takes as many of @steps as one dispatch of @most operands can do. Returns their
 * number. */
static guint
take_chunk (const FvStep *steps, guint n_steps, guint most, Chunk *chunk)
{
  *chunk = (Chunk){ 0 };
  while (chunk->n_steps < MIN (n_steps, FV_MAX_STEPS)) {
    const FvStep *step = &steps[chunk->n_steps];
    guint k = 0;

    if (FV_STEP_HAS_OPERAND (step->kind)) {
      while (k < chunk->n_operands && chunk->operands[k] != (guint) step->input)
        k++;
      if (k == most)
        break;
      if (k == chunk->n_operands)
        chunk->operands[chunk->n_operands++] = step->input;
    }
    chunk->which[chunk->n_steps] = k;
    chunk->steps[chunk->n_steps++] = *step;
  }
  return chunk->n_steps;
}

/* TRUE where @tensor holds the same elements several times: the place of a whole has
 * no reason to be laid out like it. */
static gboolean
repeats (const FvTensor *tensor)
{
  for (guint i = 0; i < tensor->shape.rank; i++)
    if (tensor->shape.dims[i] > 1 && tensor->strides[i] == 0)
      return TRUE;
  return FALSE;
}

/* The order of axes in which @tensor lies, outermost first, for an output of
 * @shape; axes that it does not have stand outside. */
static void
order_of (const FvTensor *tensor, const FvShape *shape,
    guint order[FV_MAX_RANK])
{
  gint64 strides[FV_MAX_RANK];
  int inner = -1;
  guint n = 0;

  fv_loops_strides (tensor, shape, strides);
  for (guint i = 0; i < shape->rank; i++)
    if (strides[i] == 1)
      inner = i;
  /* A layout with one channel innermost stays one. */
  for (guint i = 0; inner < 0 && i < shape->rank; i++)
    if (shape->dims[i] == 1 && tensor->shape.rank == shape->rank
        && tensor->strides[i] == 1)
      inner = i;
  if (inner < 0)
    inner = (int) shape->rank - 1;
  for (guint i = 0; i < shape->rank; i++)
    if ((int) i != inner)
      order[n++] = i;
  for (guint i = 1; i < n && !repeats (tensor); i++)
    for (guint k = i; k > 0; k--) {
      guint axis = order[k], before = order[k - 1];

      if (strides[before] == 0 || strides[axis] <= strides[before])
        break;
      order[k] = before;
      order[k - 1] = axis;
    }
  if (shape->rank)
    order[n] = inner;
}

/* The input to take the layout from: the largest, and no constant. */
static guint
leading_input (const FvNode *node, guint main)
{
  guint best = main;

  for (guint i = 0; i < node->n_inputs; i++) {
    FvValue *value = node->inputs[i], *other = node->inputs[best];
    gint64 count = value ? fv_shape_count (&value->shape) : -1;

    if (!value || value->constant)
      continue;
    if (other->constant || count > fv_shape_count (&other->shape))
      best = i;
  }
  return best;
}

/* Input @i in a layout that suits rows along @inner of the output, as long as
 * that costs nothing. */
static gboolean
get_input (FvPlan *plan, FvNode *node, guint i, const FvTensor *target,
    int inner, FvTensor *tensor, GError **error)
{
  FvValue *value = node->inputs[i];
  int axis = inner + (int) value->shape.rank - (int) target->shape.rank;

  if (!value->constant || axis < 0 || value->shape.dims[axis] == 1)
    axis = FV_ANY_AXIS;
  return fv_plan_input (plan, node, i, axis, tensor, error);
}

static guint
input_mode (const FvLoops *loops, guint t, gint64 inner, gint64 n,
    const FvTensor *tensor)
{
  gboolean aligned = tensor->offset % 4 == 0;

  for (guint i = 0; i < loops->n; i++)
    aligned &= loops->stride[t][i] % 4 == 0;
  if (n == 1 || inner == 0)
    return FV_ELEMENTWISE_SPLAT;
  return inner == 1 && aligned ? FV_ELEMENTWISE_VEC4 : FV_ELEMENTWISE_STRIDED;
}

static void
fill_steps (FvDispatch *d, const Chunk *chunk)
{
  guint which = 0;

  for (guint i = 0; i < chunk->n_steps; i++) {
    fv_dispatch_spec (d, FV_SPEC_STEPS + 3 * i, chunk->steps[i].kind);
    fv_dispatch_spec_float (d, FV_SPEC_STEPS + 3 * i + 1, chunk->steps[i].a);
    fv_dispatch_spec_float (d, FV_SPEC_STEPS + 3 * i + 2, chunk->steps[i].b);
    which |= chunk->which[i] << (2 * i);
  }
  fv_dispatch_spec (d, FV_SPEC_STEPS + 18, which);
}

/* Axes that one dispatch of @chunk walks. */
static guint
axes_of (const Chunk *chunk)
{
  return chunk->n_operands + 1 < FV_ELEMENTWISE_INPUTS ? MOST_AXES : MAX_AXES;
}

/* One dispatch over all axes but those beyond axes_of(), which stand at the
 * offsets in @push already. */
static gboolean
add_dispatch (FvPlan *plan, FvNode *node, const Chunk *chunk,
    const FvTensor tensors[FV_LOOP_TENSORS], const guint *modes, guint n_axes,
    const FvElementwisePush *push, GError **error)
{
  FvDispatch d;

  fv_plan_begin (plan, node, &d, "elementwise");
  for (guint t = 0; t < FV_ELEMENTWISE_INPUTS; t++) {
    gboolean used = t <= chunk->n_operands;

    fv_plan_bind (plan, &d, &tensors[used ? t + 1 : 1], FALSE);
    fv_dispatch_spec (&d, t, used ? modes[t] : FV_ELEMENTWISE_ABSENT);
  }
  fv_plan_bind (plan, &d, &tensors[0], TRUE);
  fv_dispatch_spec (&d, 4, n_axes);
  fv_dispatch_spec (&d, 5, chunk->select);
  fill_steps (&d, chunk);
  fv_dispatch_push (&d, push, sizeof *push);
  fv_dispatch_units (plan, &d, push->units);
  return fv_plan_add (plan, &d, error);
}

/* Walks the axes that one dispatch has no room for. */
static gboolean
add_dispatches (FvPlan *plan, FvNode *node, const Chunk *chunk,
    const FvTensor tensors[FV_LOOP_TENSORS], const guint *modes,
    const FvLoops *loops, guint axis, FvElementwisePush push, GError **error)
{
  if (axis <= axes_of (chunk))
    return add_dispatch (plan, node, chunk, tensors, modes,
        MIN (loops->n, axes_of (chunk)), &push, error);
  for (gint64 i = 0; i < loops->size[axis - 1]; i++) {
    FvElementwisePush at = push;

    at.target += i * loops->stride[0][axis - 1] / 4;
    for (guint t = 1; t < loops->n_tensors; t++)
      at.base[t - 1] += i * loops->stride[t][axis - 1];
    if (!add_dispatches (plan, node, chunk, tensors, modes, loops, axis - 1, at,
            error))
      return FALSE;
  }
  return TRUE;
}

/* The axes that all of @tensors (target, running value, operands) walk, without
 * the row. @inner: (out): their strides along it. Returns its size. */
static gint64
get_loops (const Chunk *chunk, const FvTensor tensors[FV_LOOP_TENSORS],
    FvLoops *loops, gint64 inner[FV_LOOP_TENSORS])
{
  gint64 strides[FV_LOOP_TENSORS][FV_MAX_RANK];
  const FvShape *shape = &tensors[0].shape;

  *loops = (FvLoops){ .n_tensors = chunk->n_operands + 2 };
  for (guint t = 0; t < loops->n_tensors; t++)
    fv_loops_strides (&tensors[t], shape, strides[t]);
  for (guint i = shape->rank; i-- > 0;) {
    gint64 axis[FV_LOOP_TENSORS];

    for (guint t = 0; t < loops->n_tensors; t++)
      axis[t] = strides[t][i];
    fv_loops_add (loops, shape->dims[i], axis);
  }
  fv_loops_merge (loops);
  return fv_loops_take_inner (loops, inner);
}

static gboolean
lower_chunk (FvPlan *plan, FvNode *node, const Chunk *chunk,
    const FvTensor tensors[FV_LOOP_TENSORS], GError **error)
{
  gint64 inner[FV_LOOP_TENSORS], n;
  guint modes[FV_ELEMENTWISE_INPUTS] = { 0 }, axes, most = axes_of (chunk);
  FvElementwisePush push = { 0 };
  FvLoops loops;

  n = get_loops (chunk, tensors, &loops, inner);
  fv_loops_keep_largest (&loops, most);
  axes = MIN (loops.n, most);
  push.n = n;
  push.row_units = (n + 3) / 4;
  push.units = push.row_units;
  push.target = tensors[0].offset / 4;
  for (guint k = 0; k < axes; k++) {
    push.units *= loops.size[k];
    if (k + 1 < MOST_AXES)
      push.size[k] = loops.size[k];
    push.target_stride[k] = loops.stride[0][k] / 4;
  }
  for (guint t = 0; t <= chunk->n_operands; t++) {
    push.base[t] = tensors[t + 1].offset;
    push.inner[t] = inner[t + 1];
    for (guint k = 0; k < axes; k++)
      push.stride[MAX (axes, MAX_AXES) * t + k] = loops.stride[t + 1][k];
    modes[t] = input_mode (&loops, t + 1, inner[t + 1], n, &tensors[t + 1]);
  }
  return add_dispatches (plan, node, chunk, tensors, modes, &loops, loops.n,
      push, error);
}

/* The input to take the layout from, where that repeats itself one that has the
 * output's last axis innermost, if there is such a one. */
static gboolean
get_lead (FvPlan *plan, FvNode *node, guint main, FvTensor *lead,
    GError **error)
{
  const FvShape *shape = &node->outputs[0]->shape;
  FvTensor tensor;

  if (!fv_plan_input (plan, node, leading_input (node, main), FV_ANY_AXIS, lead,
          error))
    return FALSE;
  for (guint i = 0; i < node->n_inputs && repeats (lead); i++) {
    if (!node->inputs[i] || node->inputs[i]->constant
        || !fv_shape_equal (&node->inputs[i]->shape, shape))
      continue;
    if (!fv_plan_input (plan, node, i, FV_ANY_AXIS, &tensor, error))
      return FALSE;
    if (tensor.strides[shape->rank - 1] == 1) {
      *lead = tensor;
      return TRUE;
    }
  }
  return TRUE;
}

/* A place for the output, in the layout of the largest input. @inner: (out): its
 * innermost axis */
static gboolean
get_target (FvPlan *plan, FvNode *node, guint main, FvTensor *target,
    int *inner, GError **error)
{
  guint order[FV_MAX_RANK];
  FvTensor lead;

  if (!get_lead (plan, node, main, &lead, error))
    return FALSE;
  order_of (&lead, &node->outputs[0]->shape, order);
  if (!fv_plan_output_order (plan, node, 0, order, target, error))
    return FALSE;
  *inner =
      target->shape.rank ? (int) order[target->shape.rank - 1] : FV_ANY_AXIS;
  return TRUE;
}

/* The next chunk of @steps with its operands in @tensors: one less where that
 * gives room for an axis that would take many dispatches. */
static gboolean
fill_chunk (FvPlan *plan, FvNode *node, const FvStep *steps, guint n_steps,
    int inner, Chunk *chunk, FvTensor tensors[FV_LOOP_TENSORS], GError **error)
{
  gint64 strides[FV_LOOP_TENSORS];
  FvLoops loops;

  take_chunk (steps, n_steps, G_N_ELEMENTS (chunk->operands), chunk);
  for (guint i = 0; i < chunk->n_operands; i++)
    if (!get_input (plan, node, chunk->operands[i], &tensors[0], inner,
            &tensors[i + 2], error))
      return FALSE;
  get_loops (chunk, tensors, &loops, strides);
  if (loops.n > axes_of (chunk) && axes_of (chunk) < MOST_AXES)
    take_chunk (steps, n_steps, chunk->n_operands - 1, chunk);
  return TRUE;
}

gboolean
fv_elementwise_lower (FvPlan *plan, FvNode *node, guint main,
    const FvStep *steps, guint n_steps, GError **error)
{
  guint total = n_steps + node->n_steps, done = 0;
  g_autofree FvStep *all = g_new0 (FvStep, total + 1);
  FvTensor tensors[FV_LOOP_TENSORS];
  int inner;

  if (!get_target (plan, node, main, &tensors[0], &inner, error))
    return FALSE;
  if (!get_input (plan, node, main, &tensors[0], inner, &tensors[1], error))
    return FALSE;
  memcpy (all, steps, n_steps * sizeof *all);
  memcpy (all + n_steps, node->steps, node->n_steps * sizeof *all);
  do {
    Chunk chunk;

    if (!fill_chunk (plan, node, all + done, total - done, inner, &chunk,
            tensors, error)
        || !lower_chunk (plan, node, &chunk, tensors, error))
      return FALSE;
    done += chunk.n_steps;
    tensors[1] = tensors[0];
  } while (done < total);
  return TRUE;
}

gboolean
fv_select_lower (FvPlan *plan, FvNode *node, GError **error)
{
  Chunk chunk = { .select = TRUE, .n_operands = 2, .operands = { 1, 2 } };
  FvTensor tensors[FV_LOOP_TENSORS];
  int inner;

  if (!get_target (plan, node, 1, &tensors[0], &inner, error))
    return FALSE;
  for (guint i = 0; i < 3; i++)
    if (!get_input (plan, node, i, &tensors[0], inner, &tensors[i + 1], error))
      return FALSE;
  return lower_chunk (plan, node, &chunk, tensors, error);
}
