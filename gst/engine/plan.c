/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the IR to a list of dispatches over storages that have no memory yet. */
#include "gst/engine/plan-private.h"

#include <string.h>

FvTier
fv_plan_tier (FvPlan *plan)
{
  return plan->tier;
}

const FvDeviceInfo *
fv_plan_device_info (FvPlan *plan)
{
  return &plan->limits;
}

static FvStorage *
storage_new (FvPlan *plan, FvStorageKind kind, gsize size)
{
  FvStorage *storage = g_new0 (FvStorage, 1);

  storage->kind = kind;
  storage->size = MAX (size, 16);
  storage->first = storage->last = -1;
  g_ptr_array_add (plan->storages, storage);
  return storage;
}

static void
storage_free (gpointer data)
{
  FvStorage *storage = data;

  g_free (storage->data);
  g_free (storage);
}

static FvPlaced *
placed (FvValue *value)
{
  if (!value->placed)
    value->placed = g_new0 (FvPlaced, 1);
  return value->placed;
}

/* F16 unless a value would become infinite. */
static FvType
type_for (FvPlan *plan, const float *data, gint64 count)
{
  for (gint64 i = 0; plan->options.type == FV_TYPE_F16 && i < count; i++)
    if (data[i] > 65504 || data[i] < -65504)
      return FV_TYPE_F32;
  return plan->options.type;
}

/* What the device can hold: bools are floats of 0 and 1 there, integers are f32
 * whatever the plan's type. */
static FvType
stored_type (FvPlan *plan, const FvValue *value)
{
  return value->is_wide || fv_value_is_integer (value) ? FV_TYPE_F32
                                                       : plan->options.type;
}

/* Dense strides for axes in @order (outermost first), the last one padded.
 * Returns the elements of the allocation. */
static gint64
dense_strides (FvTensor *tensor, const guint *order)
{
  guint rank = tensor->shape.rank;
  gint64 stride = 1;

  for (int i = (int) rank - 1; i >= 0; i--) {
    gint64 size = tensor->shape.dims[order[i]];

    tensor->strides[order[i]] = stride;
    stride *= i == (int) rank - 1 ? (size + 3) & ~(gint64) 3 : size;
  }
  return MAX (stride, 4);
}

static void
order_with_inner (guint rank, int inner, guint *order)
{
  guint n = 0;

  if (inner < 0)
    inner = (int) rank - 1;
  for (guint i = 0; i < rank; i++)
    if ((int) i != inner)
      order[n++] = i;
  if (rank)
    order[n] = inner;
}

static FvTensor
tensor_new (FvPlan *plan, FvStorageKind kind, FvType type, const FvShape *shape,
    const guint *order)
{
  FvTensor tensor = { .type = type, .shape = *shape };

  tensor.storage = storage_new (plan, kind,
      dense_strides (&tensor, order) * fv_type_size (type));
  return tensor;
}

gboolean
fv_plan_temporary (FvPlan *plan, FvNode *node, gint64 count, FvType type,
    FvTensor *tensor, GError **error)
{
  FvShape shape = { 1, { count } };
  guint order[1] = { 0 };

  *tensor = tensor_new (plan, FV_STORAGE_ARENA,
      type == FV_TYPE_NONE ? plan->options.type : type, &shape, order);
  return TRUE;
}

static void
store (gpointer data, FvType type, gint64 i, float value)
{
  if (type == FV_TYPE_F16)
    ((guint16 *) data)[i] = fv_f32_to_f16 (value);
  else
    ((float *) data)[i] = value;
}

static gboolean
new_weights (FvPlan *plan, FvNode *node, gint64 count, FvType type,
    FvTensor *tensor, GError **error)
{
  gint64 padded = MAX ((count + 7) & ~(gint64) 7, 8);
  FvShape shape = { 1, { count } };
  guint order[1] = { 0 };

  *tensor = tensor_new (plan, FV_STORAGE_WEIGHT, type, &shape, order);
  tensor->storage->size = padded * fv_type_size (type);
  tensor->storage->data = g_try_malloc0 (tensor->storage->size);
  return tensor->storage->data
      || fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
          "no memory for its weights");
}

gboolean
fv_plan_weights (FvPlan *plan, FvNode *node, const float *data, gint64 count,
    FvType type, FvTensor *tensor, GError **error)
{
  if (type == FV_TYPE_NONE)
    type = type_for (plan, data, count);
  if (!new_weights (plan, node, count, type, tensor, error))
    return FALSE;
  for (gint64 i = 0; i < count; i++)
    store (tensor->storage->data, type, i, data[i]);
  return TRUE;
}

gboolean
fv_plan_words (FvPlan *plan, FvNode *node, const guint32 *data, gint64 count,
    FvTensor *tensor, GError **error)
{
  if (!new_weights (plan, node, count, FV_TYPE_F32, tensor, error))
    return FALSE;
  memcpy (tensor->storage->data, data, count * sizeof *data);
  return TRUE;
}

/* Uploads a constant in the layout of @order. */
static gboolean
upload (FvPlan *plan, FvNode *node, FvValue *value, const guint *order,
    FvTensor *tensor, GError **error)
{
  g_autoptr (FvArray) array =
      fv_array_convert (value->constant, FV_TYPE_F32, error);
  gint64 index[FV_MAX_RANK] = { 0 }, at = 0;

  if (!array || !fv_node_check_integers (node, value, error))
    return FALSE;
  *tensor = tensor_new (plan, FV_STORAGE_WEIGHT,
      fv_value_is_integer (value) ? FV_TYPE_F32
                                  : type_for (plan, array->f32, array->count),
      &value->shape, order);
  tensor->storage->data = g_try_malloc0 (tensor->storage->size);
  if (!tensor->storage->data)
    return fv_node_fail (node, error, FV_ERROR_TOO_LARGE,
        "no memory for its constants");
  for (gint64 i = 0; i < array->count; i++) {
    store (tensor->storage->data, tensor->type, at, array->f32[i]);
    for (int d = (int) value->shape.rank - 1; d >= 0; d--) {
      at += tensor->strides[d];
      if (++index[d] < value->shape.dims[d])
        break;
      at -= tensor->strides[d] * index[d];
      index[d] = 0;
    }
  }
  return TRUE;
}

static gboolean
input_as (FvPlan *plan, FvNode *node, guint i, int inner, gboolean rows,
    FvTensor *tensor, GError **error)
{
  FvValue *value = fv_node_input (node, i);
  guint slot = inner < 0 ? FV_MAX_RANK : (guint) inner;
  guint order[FV_MAX_RANK];
  gint64 n, stride;
  FvPlaced *place;

  if (!value)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "input %u is absent", i);
  place = placed (value);
  if (!value->constant && !place->is_ready)
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "input %u ('%s') has no place on the device", i, value->name);
  if (place->is_ready
      && (inner < 0 || fv_tensor_is_vec4 (&place->tensor, inner))
      && (!rows || fv_tensor_rows (&place->tensor, inner, &n, &stride))) {
    *tensor = place->tensor;
    return TRUE;
  }
  if (!place->has_copy[slot]) {
    order_with_inner (value->shape.rank, inner, order);
    if (value->constant) {
      if (!upload (plan, node, value, order, &place->copies[slot], error))
        return FALSE;
    } else {
      place->copies[slot] = tensor_new (plan, FV_STORAGE_ARENA,
          place->tensor.type, &value->shape, order);
      if (!fv_plan_copy (plan, node, &place->tensor, &place->copies[slot],
              error))
        return FALSE;
    }
    place->has_copy[slot] = TRUE;
  }
  *tensor = place->copies[slot];
  return TRUE;
}

gboolean
fv_plan_input (FvPlan *plan, FvNode *node, guint i, int inner, FvTensor *tensor,
    GError **error)
{
  return input_as (plan, node, i, inner, FALSE, tensor, error);
}

gboolean
fv_plan_input_rows (FvPlan *plan, FvNode *node, guint i, int inner,
    FvTensor *tensor, gint64 *row_stride, GError **error)
{
  gint64 n;

  if (!input_as (plan, node, i, inner, TRUE, tensor, error))
    return FALSE;
  return fv_tensor_rows (tensor, inner, &n, row_stride);
}

static void allocate_output (FvPlan *plan, FvValue *value, const guint *order);

/* (nullable) the Concat that reads @value */
static FvNode *
concat_of (const FvValue *value)
{
  for (guint i = 0; i < value->users->len; i++) {
    FvNode *user = value->users->pdata[i];

    if (!strcmp (user->op->name, "Concat") && !user->n_steps)
      return user;
  }
  return NULL;
}

/* @value's slice of the output of @concat, laid out by @order where it is the first
 * to have a place. */
static gboolean
slice_of_concat (FvPlan *plan, FvNode *concat, const FvValue *value,
    const guint *order, FvTensor *slice)
{
  gint64 start = 0, size;
  guint axis, which = 0, n_uses = 0;
  FvPlaced *whole;

  if (!fv_node_axis (concat, fv_node_int (concat, "axis"), value->shape.rank,
          &axis, NULL))
    return FALSE;
  for (guint i = 0; i < concat->n_inputs; i++)
    if (concat->inputs[i] == value) {
      which = i;
      n_uses++;
    }
  size = value->shape.dims[axis];
  for (guint i = 0; i < which; i++)
    start += concat->inputs[i]->shape.dims[axis];
  if (n_uses != 1
      || (order[value->shape.rank - 1] == axis
          && (start % 4 || (size % 4 && which != concat->n_inputs - 1))))
    return FALSE;
  whole = placed (concat->outputs[0]);
  if (!whole->has_tensor)
    allocate_output (plan, concat->outputs[0], order);
  fv_tensor_slice (&whole->tensor, axis, start, size, slice);
  return TRUE;
}

#define MAX_VIEWS 4

/* The view of @tensor that @node's input is of its output or, @forward, its output
 * of its input. */
static gboolean
view_through (const FvNode *node, gboolean forward, FvTensor *tensor)
{
  const FvTensor from = *tensor;
  guint rank = node->outputs[0]->shape.rank, n;
  const gint64 *perm;
  gint64 inverse[FV_MAX_RANK];

  if (strcmp (node->op->name, "Transpose"))
    return fv_tensor_reshape (&from,
        forward ? &node->outputs[0]->shape : &node->inputs[0]->shape, tensor);
  perm = fv_node_ints (node, "perm", &n);
  if (n != rank)
    return FALSE;
  for (guint i = 0; i < rank; i++)
    inverse[perm[i]] = i;
  fv_tensor_transpose (&from, forward ? perm : inverse, tensor);
  return TRUE;
}

static gboolean
is_plain_view (const FvNode *node)
{
  static const char *const names[] = { "Transpose", "Reshape", "Flatten",
    "Squeeze", "Unsqueeze", NULL };

  return !node->n_steps && g_strv_contains (names, node->op->name);
}

/* The axis of @tensor that lies innermost, or -1. */
static int
inner_axis (const FvTensor *tensor)
{
  for (guint i = 0; i < tensor->shape.rank; i++)
    if (tensor->strides[i] == 1 && tensor->shape.dims[i] > 1)
      return (int) i;
  return -1;
}

/* When @value goes into a Concat, directly or as a view, its slice of the Concat's
 * output, if the layout that its producer wants allows that. */
static gboolean
place_in_concat (FvPlan *plan, FvValue *value, const guint *order)
{
  FvNode *views[MAX_VIEWS], *concat = concat_of (value);
  guint n = 0, inner = order[value->shape.rank - 1], outer[FV_MAX_RANK];
  FvTensor tensor = { .shape = value->shape, .strides = { 0 } };
  FvValue *last = value;
  gint64 stride = 1;
  int axis;

  /* as it would lie alone */
  for (guint i = value->shape.rank; i-- > 0;) {
    tensor.strides[order[i]] = stride;
    stride *= i + 1 == value->shape.rank
        ? (value->shape.dims[order[i]] + 3) / 4 * 4
        : value->shape.dims[order[i]];
  }
  while (!concat && n < MAX_VIEWS && last->users->len == 1 && !last->is_output
      && is_plain_view (last->users->pdata[0])) {
    views[n] = last->users->pdata[0];
    if (!view_through (views[n], TRUE, &tensor))
      return FALSE;
    last = views[n++]->outputs[0];
    concat = concat_of (last);
  }
  if (!concat || value->is_output || last->is_output)
    return FALSE;
  axis = n ? inner_axis (&tensor) : (int) inner;
  if (axis < 0)
    return FALSE;
  if (n)
    order_with_inner (last->shape.rank, axis, outer);
  if (!slice_of_concat (plan, concat, last, n ? outer : order, &tensor))
    return FALSE;
  while (n-- > 0)
    if (!view_through (views[n], FALSE, &tensor))
      return FALSE;
  placed (value)->tensor = tensor;
  /* an earlier producer may have chosen another layout */
  return fv_tensor_is_vec4 (&tensor, (int) inner)
      && tensor.type == stored_type (plan, value);
}

static void
allocate_output (FvPlan *plan, FvValue *value, const guint *order)
{
  FvPlaced *place = placed (value);

  if (!value->shape.rank || !place_in_concat (plan, value, order))
    place->tensor = tensor_new (plan,
        value->is_output ? FV_STORAGE_OUTPUT : FV_STORAGE_ARENA,
        stored_type (plan, value), &value->shape, order);
  place->has_tensor = TRUE;
}

gboolean
fv_plan_output_order (FvPlan *plan, FvNode *node, guint i, const guint *order,
    FvTensor *tensor, GError **error)
{
  FvValue *value = node->outputs[i];

  if (!placed (value)->has_tensor)
    allocate_output (plan, value, order);
  placed (value)->is_ready = TRUE;
  *tensor = placed (value)->tensor;
  return TRUE;
}

gboolean
fv_plan_output (FvPlan *plan, FvNode *node, guint i, int inner,
    FvTensor *tensor, GError **error)
{
  guint order[FV_MAX_RANK] = { 0 };

  order_with_inner (node->outputs[i]->shape.rank, inner, order);
  return fv_plan_output_order (plan, node, i, order, tensor, error);
}

void
fv_plan_alias (FvPlan *plan, FvNode *node, guint i, const FvTensor *view)
{
  FvPlaced *place = placed (node->outputs[i]);

  place->tensor = *view;
  place->has_tensor = place->is_ready = TRUE;
}

gboolean
fv_plan_copy (FvPlan *plan, FvNode *node, const FvTensor *source,
    const FvTensor *target, GError **error)
{
  return fv_copy_lower (plan, node, source, target, error);
}

static gboolean
same_place (const FvTensor *a, const FvTensor *b)
{
  if (a->storage != b->storage || a->offset != b->offset)
    return FALSE;
  for (guint i = 0; i < a->shape.rank; i++)
    if (a->shape.dims[i] != 1 && a->strides[i] != b->strides[i])
      return FALSE;
  return TRUE;
}

/* The inner axis that the inputs of a Concat already have, most of them. */
static int
concat_inner (FvNode *node)
{
  guint votes[FV_MAX_RANK] = { 0 }, rank = node->outputs[0]->shape.rank;
  int best = (int) rank - 1;

  for (guint i = 0; i < node->n_inputs; i++) {
    FvPlaced *place = node->inputs[i]->placed;

    for (guint a = 0; place && place->is_ready && a < rank; a++)
      if (node->inputs[i]->shape.dims[a] > 1
          && fv_tensor_is_vec4 (&place->tensor, a))
        votes[a]++;
  }
  for (guint a = 0; a < rank; a++)
    if (votes[a] > votes[best])
      best = a;
  return best;
}

/* Part of a Concat that is not yet where it belongs. */
typedef struct
{
  FvTensor source;
  gint64 start, size; /* along the axis */
  gboolean waits;
} FvPart;

/* How many of @parts are written at once, from the first on: those that begin and
 * end within vec4 units of the rows; their common part of @whole becomes @target.
 * 0: none. */
static guint
parts_to_join (const FvTensor *whole, guint axis, const FvPart *parts, guint n,
    FvTensor *target)
{
  FvTensor sources[FV_JOIN_SOURCES];
  gint64 start = parts[0].start, end = start;
  guint found = 0, usable = 0;
  gboolean crosses = FALSE;

  for (guint i = 0; i < n && i < FV_JOIN_SOURCES && parts[i].waits; i++) {
    sources[i] = parts[i].source;
    crosses |= i > 0 && parts[i].start % 4;
    end = parts[i].start + parts[i].size;
    usable = i + 1;
    if (!crosses || (end % 4 && end != whole->shape.dims[axis]))
      continue;
    fv_tensor_slice (whole, axis, start, end - start, target);
    if (fv_join_fits (sources, usable, axis, target))
      found = usable;
  }
  if (found) {
    end = parts[found - 1].start + parts[found - 1].size;
    fv_tensor_slice (whole, axis, start, end - start, target);
  }
  return found;
}

gboolean
fv_plan_concat (FvPlan *plan, FvNode *node, guint axis, GError **error)
{
  guint n = node->n_own_inputs, joined;
  g_autofree FvPart *parts = g_new0 (FvPart, n);
  FvTensor whole, slice, sources[FV_JOIN_SOURCES];
  gint64 start = 0;

  if (!fv_plan_output (plan, node, 0, concat_inner (node), &whole, error))
    return FALSE;
  for (guint i = 0; i < n; i++) {
    FvPart *part = &parts[i];

    part->start = start;
    part->size = node->inputs[i]->shape.dims[axis];
    start += part->size;
    if (!part->size)
      continue;
    fv_tensor_slice (&whole, axis, part->start, part->size, &slice);
    if (!fv_plan_input (plan, node, i, FV_ANY_AXIS, &part->source, error))
      return FALSE;
    part->waits = !same_place (&part->source, &slice);
  }
  for (guint i = 0; i < n; i += MAX (joined, 1)) {
    joined = parts_to_join (&whole, axis, &parts[i], n - i, &slice);
    for (guint k = 0; k < joined; k++)
      sources[k] = parts[i + k].source;
    if (joined) {
      if (!fv_join_lower (plan, node, sources, joined, axis, &slice, error))
        return FALSE;
    } else if (parts[i].waits) {
      fv_tensor_slice (&whole, axis, parts[i].start, parts[i].size, &slice);
      if (!fv_plan_copy (plan, node, &parts[i].source, &slice, error))
        return FALSE;
    }
  }
  return TRUE;
}

void
fv_plan_begin (FvPlan *plan, FvNode *node, FvDispatch *dispatch,
    const char *kernel)
{
  memset (dispatch, 0, sizeof *dispatch);
  dispatch->kernel = kernel;
  dispatch->label = node->name;
  dispatch->groups[0] = dispatch->groups[1] = dispatch->groups[2] = 1;
}

void
fv_plan_bind (FvPlan *plan, FvDispatch *dispatch, const FvTensor *tensor,
    gboolean write)
{
  FvBinding *binding = &dispatch->bindings[dispatch->n_bindings++];

  g_assert (dispatch->n_bindings <= FV_MAX_BINDINGS);
  /* the storage stands in for its buffer until there is memory */
  binding->buffer = (FvBuffer *) (gpointer) tensor->storage;
  binding->kind = write ? FV_BIND_FLOATS_WRITE : FV_BIND_FLOATS_READ;
  binding->type = tensor->type;
  binding->size = tensor->storage->size;
  dispatch->bytes +=
      fv_shape_count (&tensor->shape) * fv_type_size (tensor->type);
}

gboolean
fv_plan_add (FvPlan *plan, FvDispatch *dispatch, GError **error)
{
  FvDispatch kept = *dispatch;
  gint index = (gint) plan->dispatches->len;

  fv_plan_name_tile (plan, &kept);
  kept.label = g_strdup (kept.label);
  kept.tile = g_strdup (kept.tile);
  for (guint i = 0; i < kept.n_bindings; i++) {
    FvStorage *storage = (FvStorage *) (gpointer) kept.bindings[i].buffer;

    if (storage->first < 0)
      storage->first = index;
    storage->last = index;
  }
  g_array_append_val (plan->dispatches, kept);
  return TRUE;
}

/* TRUE where @value is read by an operator on maps, whose channels are axis 1. */
static gboolean
is_map (const FvValue *value)
{
  for (guint i = 0; i < value->users->len; i++) {
    const FvNode *user = value->users->pdata[i];

    if ((user->op->flags & FV_OP_CHANNELS) && user->inputs[0] == value)
      return TRUE;
  }
  return FALSE;
}

/* The axis of a clip's channels: [clips, channels, frames, rows, columns], or clips
 * of frames that are read as images. -1: it is none. */
static int
clip_channels (const FvValue *clip)
{
  const gint64 *dims = clip->shape.dims;

  if (clip->shape.rank != 5)
    return -1;
  if (is_map (clip))
    return 1;
  for (guint i = 0; i < clip->users->len; i++) {
    const FvNode *user = clip->users->pdata[i];
    const FvValue *images = user->outputs[0];

    if (!strcmp (user->op->name, "Reshape") && images->shape.rank == 4
        && !memcmp (images->shape.dims + 1, dims + 2, 3 * sizeof *dims)
        && is_map (images))
      return 2;
  }
  return -1;
}

/* Images arrive channels-last, whatever the model's axes say. */
static void
place_input (FvPlan *plan, FvValue *value)
{
  const FvShape *shape = &value->shape;
  FvPlaced *place = placed (value);
  guint order[FV_MAX_RANK] = { 0 };
  gboolean image = shape->rank == 4 && shape->dims[1] <= 4
      && shape->dims[1] < shape->dims[3];

  order_with_inner (shape->rank, image ? 1 : clip_channels (value), order);
  place->tensor = tensor_new (plan, FV_STORAGE_INPUT, stored_type (plan, value),
      shape, order);
  place->has_tensor = place->is_ready = TRUE;
}

/* An output that is a view of the arena makes all of that storage per slot;
 * constants and inputs that are outputs are copied. */
static gboolean
place_output (FvPlan *plan, FvValue *value, GError **error)
{
  FvPlaced *place = placed (value);
  FvNode *node = value->producer ? value->producer
      : plan->ir->nodes->len     ? plan->ir->nodes->pdata[0]
                                 : NULL;
  guint order[FV_MAX_RANK];
  FvTensor source, copy;

  if (place->is_ready && place->tensor.storage->kind == FV_STORAGE_ARENA)
    place->tensor.storage->kind = FV_STORAGE_OUTPUT;
  if ((place->is_ready && place->tensor.storage->kind == FV_STORAGE_OUTPUT)
      || value->constant)
    return TRUE;
  if (!place->is_ready || !node) {
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "%s: output '%s' has no place on the device", plan->ir->name,
        value->name);
    return FALSE;
  }
  source = place->tensor;
  order_with_inner (value->shape.rank, -1, order);
  copy =
      tensor_new (plan, FV_STORAGE_OUTPUT, source.type, &value->shape, order);
  if (!fv_plan_copy (plan, node, &source, &copy, error))
    return FALSE;
  place->tensor = copy;
  return TRUE;
}

/* What @node read and no later node reads is packed by now. */
static void
drop_inputs (FvNode *node)
{
  for (guint i = 0; i < node->n_inputs; i++) {
    FvValue *value = node->inputs[i];

    if (value && value->constant && !value->is_output
        && ++placed (value)->n_lowered == value->users->len)
      g_clear_pointer (&value->constant, fv_array_unref);
  }
}

static gboolean
lower_all (FvPlan *plan, GError **error)
{
  FvIr *ir = plan->ir;
  GError *problem = NULL;

  for (guint i = 0; i < ir->inputs->len; i++)
    place_input (plan, ir->inputs->pdata[i]);
  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i];

    if (node->op->lower ? !node->op->lower (plan, node, &problem)
                        : !fv_node_fail (node, &problem, FV_ERROR_UNSUPPORTED,
                            FV_NO_KERNEL)) {
      if (g_error_matches (problem, FV_ERROR, FV_ERROR_UNSUPPORTED))
        ir->refused = node->origin;
      g_propagate_error (error, problem);
      return FALSE;
    }
    while (plan->open_choices->len)
      fv_plan_chosen (plan);
    if (plan->options.drops)
      drop_inputs (node);
  }
  for (guint i = 0; i < ir->outputs->len; i++)
    if (!place_output (plan, ir->outputs->pdata[i], error))
      return FALSE;
  return TRUE;
}

FvPlan *
fv_plan_new (FvTier tier, const FvDeviceInfo *limits, FvIr *ir,
    const FvPlanOptions *options, GError **error)
{
  g_autoptr (FvPlan) plan = g_new0 (FvPlan, 1);

  plan->tier = tier;
  plan->limits = *limits;
  plan->ir = ir;
  plan->options = *options;
  plan->dispatches = g_array_new (FALSE, FALSE, sizeof (FvDispatch));
  plan->storages = g_ptr_array_new_with_free_func (storage_free);
  plan->choices = g_array_new (FALSE, FALSE, sizeof (FvChoice));
  plan->open_choices = g_array_new (FALSE, FALSE, sizeof (guint));
  if (!lower_all (plan, error))
    return NULL;
  /* Lavapipe, which that tier is for, runs one dispatch at a time. */
  if (tier == FV_TIER_WORKGROUP && !options->keeps_order)
    fv_plan_order (plan);
  fv_plan_place (plan);
  return g_steal_pointer (&plan);
}

void
fv_plan_free (FvPlan *plan)
{
  if (!plan)
    return;
  for (guint i = 0; i < plan->ir->values->len; i++)
    g_clear_pointer (&((FvValue *) plan->ir->values->pdata[i])->placed, g_free);
  for (guint i = 0; i < plan->dispatches->len; i++) {
    FvDispatch *dispatch = &g_array_index (plan->dispatches, FvDispatch, i);

    g_free ((char *) dispatch->label);
    g_free ((char *) dispatch->tile);
  }
  g_array_unref (plan->dispatches);
  g_free (plan->positions);
  g_ptr_array_unref (plan->storages);
  g_array_unref (plan->choices);
  g_array_unref (plan->open_choices);
  g_free (plan);
}
