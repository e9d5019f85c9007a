/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What weighs the channels of a map, as squeeze-and-excitation does: the 1x1
 * convolution behind it weighs them as it reads them. */
#include "gst/engine/ir-private.h"

/* Whether @node's list @name, if there is one, is @value all along. */
static gboolean
all_are (const FvNode *node, const char *name, gint64 value)
{
  guint n = 0;
  const gint64 *list = fv_node_ints (node, name, &n);

  for (guint i = 0; i < n; i++)
    if (list[i] != value)
      return FALSE;
  return TRUE;
}

static gboolean
is_pointwise (const FvNode *node)
{
  const FvShape *w, *x;

  if (!fv_node_is (node, "Conv") || node->n_steps
      || !fv_node_constant (node, 1))
    return FALSE;
  w = &node->inputs[1]->shape;
  x = &node->inputs[0]->shape;
  return x->rank == 4 && x->dims[0] == 1 && w->dims[1] == x->dims[1]
      && w->dims[2] == 1 && w->dims[3] == 1 && all_are (node, "strides", 1)
      && fv_shape_equal (
          &(FvShape){ 4, { 1, w->dims[0], x->dims[2], x->dims[3] } },
          &node->outputs[0]->shape);
}

/* Which input of @mul has one number per channel of the other, or -1. */
static gint
find_gate (const FvNode *mul)
{
  for (gint i = 0; i < 2; i++) {
    const FvShape *map = &mul->inputs[1 - i]->shape;
    const FvShape gate = { 4, { 1, map->dims[1], 1, 1 } };

    if (fv_shape_equal (map, &mul->outputs[0]->shape)
        && fv_shape_equal (&mul->inputs[i]->shape, &gate)
        && !mul->inputs[i]->constant && !mul->inputs[1 - i]->constant)
      return i;
  }
  return -1;
}

gint
fv_pass_gates (FvIr *ir, GError **error)
{
  gint changes = 0;

  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *conv = ir->nodes->pdata[i], *mul;
    gint gate;

    if (!is_pointwise (conv) || !(mul = fv_input_node (conv, 0, "Mul"))
        || !fv_only_user (mul->outputs[0], "Conv")
        || !fv_type_is_float (mul->outputs[0]->type)
        || (gate = find_gate (mul)) < 0)
      continue;
    fv_ir_supersede (ir, conv, "fovea.GatedConv",
        (FvValue *[]){ mul->inputs[1 - gate], conv->inputs[1],
            fv_node_input (conv, 2), mul->inputs[gate] },
        4, error);
    fv_ir_remove_node (ir, conv);
    fv_ir_remove_node (ir, mul);
    i--;
    changes++;
  }
  return changes;
}
