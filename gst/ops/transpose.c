/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that change the order of elements and nothing else. */
#include "gst/ops/common.h"
#include "gst/engine/plan.h"

#include <string.h>

/* The attribute perm, by default all axes reversed. */
static gboolean
read_perm (FvNode *node, gint64 perm[FV_MAX_RANK], GError **error)
{
  guint rank = node->inputs[0]->shape.rank, n = 0;
  const gint64 *given = fv_node_ints (node, "perm", &n);
  gboolean seen[FV_MAX_RANK] = { FALSE };

  if (given && n != rank)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "perm names %u axes, the input has %u", n, rank);
  for (guint i = 0; i < rank; i++) {
    perm[i] = given ? given[i] : rank - 1 - i;
    if (perm[i] < 0 || perm[i] >= rank || seen[perm[i]])
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "perm is not a permutation of %u axes", rank);
    seen[perm[i]] = TRUE;
  }
  return TRUE;
}

static gboolean
infer_transpose (FvNode *node, GError **error)
{
  const FvShape *from = &node->inputs[0]->shape;
  FvShape to = { .rank = from->rank };
  gint64 perm[FV_MAX_RANK];

  if (!read_perm (node, perm, error))
    return FALSE;
  for (guint i = 0; i < to.rank; i++)
    to.dims[i] = from->dims[perm[i]];
  fv_set_output (node, 0, node->inputs[0]->type, &to);
  return TRUE;
}

/* Fills @to, whose axis i is axis perm[i] of @from seen under @shape. */
static void
move_permuted (FvArray *to, const FvArray *from, const FvShape *shape,
    const gint64 *perm)
{
  gint64 dense[FV_MAX_RANK], strides[FV_MAX_RANK] = { 0 };
  FvShape permuted = { .rank = shape->rank };
  FvWalk walk;

  fv_dense_strides (shape, dense);
  for (guint i = 0; i < shape->rank; i++) {
    permuted.dims[i] = shape->dims[perm[i]];
    strides[i] = dense[perm[i]];
  }
  fv_walk_begin (&walk, &permuted);
  fv_walk_add_strides (&walk, 0, strides);
  for (gint64 i = 0; i < to->count; i++, fv_walk_next (&walk))
    fv_move (to, i, from, walk.at[0]);
}

static gboolean
transpose (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  gint64 perm[FV_MAX_RANK];

  if (!read_perm (node, perm, error))
    return FALSE;
  move_permuted (outputs[0], inputs[0], &inputs[0]->shape, perm);
  return TRUE;
}

/* DepthToSpace and SpaceToDepth are a reshape to rank 6, a permutation and a
 * reshape back. */
typedef enum
{
  DEPTH_TO_SPACE,
  SPACE_TO_DEPTH,
} BlockKind;

/* The input's shape of rank 6, and the permutation behind it. */
static gboolean
read_block (const FvNode *node, const FvShape *to, FvShape *shape,
    gint64 perm[FV_MAX_RANK], GError **error)
{
  static const gint64 dcr[] = { 0, 3, 4, 1, 5, 2 };
  static const gint64 crd[] = { 0, 1, 4, 2, 5, 3 };
  static const gint64 gather[] = { 0, 3, 5, 1, 2, 4 };
  const gint64 *in = node->inputs[0]->shape.dims;
  const gint64 *out = to->dims;
  gint64 block = fv_node_int (node, "blocksize");
  const char *mode =
      node->op->variant == DEPTH_TO_SPACE ? fv_node_string (node, "mode") : "";

  if (node->op->variant == SPACE_TO_DEPTH) {
    *shape = (FvShape){ 6, { in[0], in[1], out[2], block, out[3], block } };
    memcpy (perm, gather, sizeof gather);
  } else if (!strcmp (mode, "DCR")) {
    *shape = (FvShape){ 6, { in[0], block, block, out[1], in[2], in[3] } };
    memcpy (perm, dcr, sizeof dcr);
  } else if (!strcmp (mode, "CRD")) {
    *shape = (FvShape){ 6, { in[0], out[1], block, block, in[2], in[3] } };
    memcpy (perm, crd, sizeof crd);
  } else {
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "mode is \"%s\"; DCR and CRD are known", mode);
  }
  return TRUE;
}

static gboolean
infer_block (FvNode *node, GError **error)
{
  const FvShape *from = &node->inputs[0]->shape;
  gint64 block = fv_node_int (node, "blocksize"), square;
  gboolean fits = from->rank == 4 && block > 0
      && !__builtin_mul_overflow (block, block, &square);
  FvShape to = *from, shape;
  gint64 perm[FV_MAX_RANK];

  if (fits && node->op->variant == DEPTH_TO_SPACE) {
    fits = from->dims[1] % square == 0
        && !__builtin_mul_overflow (from->dims[2], block, &to.dims[2])
        && !__builtin_mul_overflow (from->dims[3], block, &to.dims[3]);
    to.dims[1] = from->dims[1] / square;
  } else if (fits) {
    fits = from->dims[2] % block == 0 && from->dims[3] % block == 0
        && !__builtin_mul_overflow (from->dims[1], square, &to.dims[1]);
    to.dims[2] = from->dims[2] / block;
    to.dims[3] = from->dims[3] / block;
  }
  if (!fits)
    return fv_node_fail (node, error, FV_ERROR_MALFORMED,
        "blocksize %" G_GINT64_FORMAT " does not fit the input", block);
  if (!fv_node_check_shape (node, &to, error)
      || !read_block (node, &to, &shape, perm, error))
    return FALSE;
  fv_set_output (node, 0, node->inputs[0]->type, &to);
  return TRUE;
}

static gboolean
block (FvNode *node, FvArray **inputs, FvArray **outputs, GError **error)
{
  FvShape shape;
  gint64 perm[FV_MAX_RANK];

  if (!read_block (node, &outputs[0]->shape, &shape, perm, error))
    return FALSE;
  move_permuted (outputs[0], inputs[0], &shape, perm);
  return TRUE;
}

static gboolean
lower_transpose (FvPlan *plan, FvNode *node, GError **error)
{
  gint64 perm[FV_MAX_RANK];
  FvTensor source, view;

  if (!read_perm (node, perm, error)
      || !fv_plan_input (plan, node, 0, FV_ANY_AXIS, &source, error))
    return FALSE;
  fv_tensor_transpose (&source, perm, &view);
  fv_plan_alias (plan, node, 0, &view);
  return TRUE;
}

/* Splitting axes is always a view; the way back is not. Channels stay innermost. */
static gboolean
lower_block (FvPlan *plan, FvNode *node, GError **error)
{
  FvTensor source, split, view, target;
  gint64 perm[FV_MAX_RANK];
  FvShape shape;

  if (!read_block (node, &node->outputs[0]->shape, &shape, perm, error)
      || !fv_plan_input (plan, node, 0, FV_ANY_AXIS, &source, error)
      || !fv_plan_output (plan, node, 0, 1, &target, error))
    return FALSE;
  if (!fv_tensor_reshape (&source, &shape, &split))
    return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
        "its input cannot be split");
  fv_tensor_transpose (&split, perm, &view);
  return fv_plan_copy (plan, node, &view, &target, error);
}

const FvOp fv_ops_transpose[] = {
  {
      .name = "Transpose",
      .since = 1,
      .flags = FV_OP_VIEW,
      .min_inputs = 1,
      .attrs = "perm:is",
      .infer = infer_transpose,
      .reference = transpose,
      .lower = lower_transpose,
      .cases =
          FV_CASES ({ .inputs = "f32[2,3,5,7]", .attrs = "perm=[0,2,3,1]" },
              { .inputs = "f32[2,9,5]" },
              { .inputs = "f32[2,3,4,5,6]", .attrs = "perm=[2,0,3,1,4]" }),
  },
  {
      .name = "DepthToSpace",
      .since = 1,
      .min_inputs = 1,
      .attrs = "blocksize:i! mode:s=DCR",
      .infer = infer_block,
      .variant = DEPTH_TO_SPACE,
      .reference = block,
      .lower = lower_block,
      .cases = FV_CASES ({ .inputs = "f32[2,12,3,5]", .attrs = "blocksize=2" },
          { .inputs = "f32[1,20,3,5]", .attrs = "blocksize=2 mode=CRD" }),
  },
  {
      .name = "SpaceToDepth",
      .since = 1,
      .min_inputs = 1,
      .attrs = "blocksize:i!",
      .variant = SPACE_TO_DEPTH,
      .infer = infer_block,
      .reference = block,
      .lower = lower_block,
      .cases = FV_CASES ({ .inputs = "f32[2,3,4,6]", .attrs = "blocksize=2" },
          { .inputs = "f32[1,5,6,9]", .attrs = "blocksize=3" }),
  },
  {},
};
