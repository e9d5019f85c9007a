/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A graph as an ONNX file. */
#include "tests/ir-text.h"
#include "tests/model-builder.h"

#include <string.h>

static int
type_number (FvType type)
{
  for (int i = 1; i < 16; i++)
    if (fv_type_from_onnx (i) == type)
      return i;
  g_assert_not_reached ();
}

static void
fill_tensor (ModelBuilder *builder, Onnx__TensorProto *tensor,
    const FvArray *array)
{
  tensor->n_dims = array->shape.rank;
  tensor->dims = model_builder_alloc (builder, tensor->n_dims * 8);
  memcpy (tensor->dims, array->shape.dims, tensor->n_dims * 8);
  model_builder_raw (builder, tensor, array->data, array->size);
}

static void
add_value (ModelBuilder *builder, const FvValue *value)
{
  Onnx__ValueInfoProto *info;
  Onnx__TensorShapeProto *shape;

  if (value->constant)
    fill_tensor (builder,
        model_builder_initializer (builder, value->name,
            type_number (value->constant->type), 0),
        value->constant);
  if (!value->is_input)
    return;
  info = model_builder_input (builder, value->name, type_number (value->type),
      value->shape.rank, 0, 0, 0, 0, 0, 0);
  shape = info->type[0]->tensor_type[0]->shape[0];
  for (guint i = 0; i < value->shape.rank; i++)
    shape->dim[i]->dim_value = value->shape.dims[i];
}

static void
fill_strings (ModelBuilder *builder, Onnx__AttributeProto *to,
    const FvAttr *from)
{
  to->n_strings = from->n;
  to->strings = model_builder_alloc (builder, from->n * sizeof *to->strings);
  for (guint i = 0; i < from->n; i++) {
    to->strings[i].data =
        (guint8 *) model_builder_text (builder, from->strings[i]);
    to->strings[i].len = strlen (from->strings[i]);
  }
}

static void
add_attr (ModelBuilder *builder, Onnx__NodeProto *node, const FvAttr *from)
{
  static const int numbers[] = { [FV_ATTR_FLOAT] = 1,
    [FV_ATTR_INT] = 2,
    [FV_ATTR_STRING] = 3,
    [FV_ATTR_TENSOR] = 4,
    [FV_ATTR_FLOATS] = 6,
    [FV_ATTR_INTS] = 7,
    [FV_ATTR_STRINGS] = 8 };
  Onnx__AttributeProto *to =
      model_builder_attr (builder, node, from->name, numbers[from->kind]);

  to->has_f = from->kind == FV_ATTR_FLOAT;
  to->f = from->f;
  to->has_i = from->kind == FV_ATTR_INT;
  to->i = from->i;
  if ((to->has_s = from->kind == FV_ATTR_STRING)) {
    to->s.data = (guint8 *) model_builder_text (builder, from->s);
    to->s.len = strlen (from->s);
  } else if (from->kind == FV_ATTR_TENSOR) {
    Onnx__TensorProto *tensor =
        model_builder_tensor (builder, "", type_number (from->tensor->type), 0);
    fill_tensor (builder, tensor, from->tensor);
    model_builder_append (builder, &to->n_t, &to->t, tensor);
  } else if (from->kind == FV_ATTR_STRINGS)
    fill_strings (builder, to, from);
  to->n_ints = from->kind == FV_ATTR_INTS ? from->n : 0;
  to->ints = model_builder_alloc (builder, to->n_ints * 8);
  if (to->n_ints)
    memcpy (to->ints, from->ints, to->n_ints * 8);
  to->n_floats = from->kind == FV_ATTR_FLOATS ? from->n : 0;
  to->floats = model_builder_alloc (builder, to->n_floats * 4);
  if (to->n_floats)
    memcpy (to->floats, from->floats, to->n_floats * 4);
}

static char *
names_of (FvValue *const *values, guint n)
{
  GString *names = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append_printf (names, "%s%s", i ? " " : "",
        values[i] ? values[i]->name : "-");
  return g_string_free (names, FALSE);
}

GBytes *
ir_text_pack (FvIr *ir)
{
  g_autoptr (ModelBuilder) builder = model_builder_new ();

  for (guint i = 0; i < ir->values->len; i++)
    add_value (builder, ir->values->pdata[i]);
  for (guint i = 0; i < ir->nodes->len; i++) {
    const FvNode *node = ir->nodes->pdata[i];
    g_autofree char *in = names_of (node->inputs, node->n_inputs);
    g_autofree char *out = names_of (node->outputs, node->n_outputs);
    Onnx__NodeProto *made;

    if (g_str_has_prefix (node->op->name, "fovea."))
      return NULL;
    made = model_builder_node (builder, node->op->name, node->name, in, out);
    for (guint a = 0; a < node->n_attrs; a++)
      if (node->attrs_given & ((guint64) 1 << a))
        add_attr (builder, made, &node->attrs[a]);
    builder->model.opset_import[0]->version = i
        ? MAX (builder->model.opset_import[0]->version, node->opset)
        : node->opset;
  }
  for (guint i = 0; i < ir->outputs->len; i++)
    model_builder_output (builder, ((FvValue *) ir->outputs->pdata[i])->name);
  return model_builder_pack (builder);
}
