/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that ONNX Runtime's optimizers leave in files (domain com.microsoft),
 * as functions of ONNX's own: put in where they are called, like the file's
 * (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md). */
#include "gst/onnx/parse.h"

#include <string.h>

#define BODY_OPSET 20 /* the first with Gelu */
#define CONV \
  "auto_pad=$auto_pad dilations=$dilations group=$group " \
  "kernel_shape=$kernel_shape pads=$pads strides=$strides"
#define CONV_ATTRIBUTES "auto_pad dilations group kernel_shape pads strides"
/* the @i-th of a list */
#define PARAMETER(name, i) \
  name "_at Constant value_int=i:" i "; " name " Gather p " name "_at; "
#define PARAMETERS "p Constant value_floats=$activation_params; "
#define PRODUCT(equation) \
  "m Einsum A B equation=s:" equation "; k Constant value_float=$alpha; " \
  "y Mul m k"

/* The first row serves that has the name, as many inputs as the call or more, and
 * conditions that hold: "attribute=value", 0 or "" where the call has none.
 * @attributes: "name", or "name=default" for floats. @body: statements "outputs
 * operator inputs attributes"; "=$name" is an attribute of the call, "=i:" an
 * integer, "=s:" a string. */
static const struct
{
  const char *name, *inputs, *outputs, *attributes, *conditions, *body;
} rows[] = {
  { "Gelu", "x", "y", "", "", "y Gelu x" },
  { "BiasGelu", "x b", "y", "", "", "h Add x b; y Gelu h" },
  { "FastGelu", "x", "y", "", "", "y Gelu x approximate=s:tanh" },
  { "FastGelu", "x b", "y", "", "", "h Add x b; y Gelu h approximate=s:tanh" },
  { "QuickGelu", "x", "y", "alpha=1.702", "",
      "k Constant value_float=$alpha; t Mul x k; g Sigmoid t; y Mul x g" },
  { "SkipLayerNormalization", "x skip scale bias", "y mean inverse sum",
      "epsilon=1e-12", "",
      "sum Add x skip; y,mean,inverse LayerNormalization sum scale bias "
      "axis=i:-1 epsilon=$epsilon" },
  { "SkipLayerNormalization", "x skip scale bias b", "y mean inverse sum",
      "epsilon=1e-12", "",
      "h Add x skip; sum Add h b; y,mean,inverse LayerNormalization sum scale "
      "bias axis=i:-1 epsilon=$epsilon" },
  { "FusedMatMul", "A B", "y", "alpha=1",
      "transA=0 transB=0 transBatchA=0 transBatchB=0",
      "m MatMul A B; k Constant value_float=$alpha; y Mul m k" },
  { "FusedMatMul", "A B", "y", "alpha=1",
      "transA=0 transB=1 transBatchA=0 transBatchB=0",
      PRODUCT ("...ij,...kj->...ik") },
  { "FusedMatMul", "A B", "y", "alpha=1",
      "transA=1 transB=0 transBatchA=0 transBatchB=0",
      PRODUCT ("...ji,...jk->...ik") },
  { "FusedMatMul", "A B", "y", "alpha=1",
      "transA=1 transB=1 transBatchA=0 transBatchB=0",
      PRODUCT ("...ji,...kj->...ik") },
  { "FusedConv", "x w b", "y", CONV_ATTRIBUTES, "activation=Relu",
      "c Conv x w b " CONV "; y Relu c" },
  { "FusedConv", "x w b z", "y", CONV_ATTRIBUTES, "activation=Relu",
      "c Conv x w b " CONV "; s Add c z; y Relu s" },
  { "FusedConv", "x w b z", "y", CONV_ATTRIBUTES,
      "activation=", "c Conv x w b " CONV "; y Add c z" },
  { "FusedConv", "x w b", "y", CONV_ATTRIBUTES, "activation=Sigmoid",
      "c Conv x w b " CONV "; y Sigmoid c" },
  { "FusedConv", "x w b", "y", CONV_ATTRIBUTES, "activation=Tanh",
      "c Conv x w b " CONV "; y Tanh c" },
  { "FusedConv", "x w b", "y", CONV_ATTRIBUTES " activation_params",
      "activation=LeakyRelu",
      "c Conv x w b " CONV "; " PARAMETERS PARAMETER ("a", "0") "y PRelu c a" },
  { "FusedConv", "x w b", "y", CONV_ATTRIBUTES " activation_params",
      "activation=Clip",
      "c Conv x w b " CONV "; " PARAMETERS PARAMETER ("low", "0")
          PARAMETER ("high", "1") "y Clip c low high" },
};

static void
append (gsize *n, gpointer list, gpointer item)
{
  gpointer *items = list;
  *items = g_renew (gpointer, *items, *n + 1);
  ((gpointer *) *items)[(*n)++] = item;
}

static void
append_words (gsize *n, char ***list, const char *text, const char *separator)
{
  g_auto (GStrv) words = g_strsplit (text, separator, -1);
  for (char **word = words; *word != NULL; word++)
    append (n, list, g_strdup (*word));
}

static Onnx__AttributeProto *
add_attr (gsize *n, Onnx__AttributeProto ***list, const char *name, int type)
{
  Onnx__AttributeProto *attr = g_new (Onnx__AttributeProto, 1);
  onnx__attribute_proto__init (attr);
  attr->name = g_strdup (name);
  attr->has_type = TRUE;
  attr->type = type;
  append (n, list, attr);
  return attr;
}

/* "name=$other", "name=i:3", "name=s:text" */
static void
add_node_attr (Onnx__NodeProto *node, const char *word)
{
  g_auto (GStrv) pair = g_strsplit (word, "=", 2);
  const char *value = pair[1];
  Onnx__AttributeProto *attr = add_attr (&node->n_attribute, &node->attribute,
      pair[0], value[0] == 's' ? 3 : 2);
  if (value[0] == '$')
    attr->ref_attr_name = g_strdup (value + 1);
  else if (value[0] == 's') {
    attr->s.data = (guint8 *) g_strdup (value + 2);
    attr->s.len = strlen (value + 2);
  } else
    attr->i = g_ascii_strtoll (value + 2, NULL, 10);
}

static Onnx__NodeProto *
make_node (const char *statement)
{
  g_auto (GStrv) words = g_strsplit (statement, " ", -1);
  Onnx__NodeProto *node = g_new (Onnx__NodeProto, 1);
  onnx__node_proto__init (node);
  append_words (&node->n_output, &node->output, words[0], ",");
  node->op_type = g_strdup (words[1]);
  for (char **word = words + 2; *word != NULL; word++)
    if (strchr (*word, '=') != NULL)
      add_node_attr (node, *word);
    else
      append (&node->n_input, &node->input, g_strdup (*word));
  return node;
}

static void
add_attributes (Onnx__FunctionProto *function, const char *attributes)
{
  g_auto (GStrv) words = g_strsplit (attributes, " ", -1);
  for (char **word = words; *word != NULL; word++) {
    g_auto (GStrv) pair = g_strsplit (*word, "=", 2);
    if (pair[0] == NULL)
      continue;
    if (pair[1] == NULL)
      append (&function->n_attribute, &function->attribute, g_strdup (pair[0]));
    else
      add_attr (&function->n_attribute_proto, &function->attribute_proto,
          pair[0], 1)
          ->f = g_ascii_strtod (pair[1], NULL);
  }
}

Onnx__FunctionProto *
fv_contrib_function (guint row)
{
  Onnx__FunctionProto *function = g_new (Onnx__FunctionProto, 1);
  Onnx__OperatorSetIdProto *import = g_new (Onnx__OperatorSetIdProto, 1);
  onnx__function_proto__init (function);
  onnx__operator_set_id_proto__init (import);
  import->has_version = TRUE;
  import->version = BODY_OPSET;
  append (&function->n_opset_import, &function->opset_import, import);
  function->name = g_strdup (rows[row].name);
  append_words (&function->n_input, &function->input, rows[row].inputs, " ");
  append_words (&function->n_output, &function->output, rows[row].outputs, " ");
  add_attributes (function, rows[row].attributes);
  g_auto (GStrv) conditions = g_strsplit (rows[row].conditions, " ", -1);
  for (char **word = conditions; *word != NULL; word++)
    append (&function->n_attribute, &function->attribute,
        g_strndup (*word, strcspn (*word, "=")));
  g_auto (GStrv) statements = g_strsplit (rows[row].body, "; ", -1);
  for (char **word = statements; *word != NULL; word++)
    append (&function->n_node, &function->node, make_node (*word));
  return function;
}

static gboolean
holds (const FvModelNode *call, const char *condition)
{
  g_auto (GStrv) pair = g_strsplit (condition, "=", 2);
  const FvAttr *attr = fv_model_node_attr (call, pair[0]);
  gboolean is_number = g_ascii_isdigit (pair[1][0]);
  if (attr == NULL)
    return pair[1][0] == '\0' || strcmp (pair[1], "0") == 0;
  if (is_number)
    return attr->kind == FV_ATTR_INT
        && attr->i == g_ascii_strtoll (pair[1], NULL, 10);
  return attr->kind == FV_ATTR_STRING && strcmp (attr->s, pair[1]) == 0;
}

static gboolean
fits (const FvModelNode *call, guint row)
{
  g_auto (GStrv) inputs = g_strsplit (rows[row].inputs, " ", -1);
  g_auto (GStrv) conditions = g_strsplit (rows[row].conditions, " ", -1);
  guint n = call->n_inputs;
  while (n > 0 && call->inputs[n - 1][0] == '\0')
    n--;
  for (char **word = conditions; *word != NULL; word++)
    if (!holds (call, *word))
      return FALSE;
  return n <= g_strv_length (inputs);
}

gboolean
fv_contrib_find (FvParser *parser, const FvModelNode *call, gint *row,
    GError **error)
{
  gboolean known = FALSE;
  *row = -1;
  if (strcmp (call->domain, FV_CONTRIB_DOMAIN) != 0)
    return TRUE;
  for (guint i = 0; *row < 0 && i < G_N_ELEMENTS (rows); i++)
    if (strcmp (rows[i].name, call->op_type) == 0) {
      known = TRUE;
      if (fits (call, i))
        *row = i;
    }
  if (!known || *row >= 0)
    return TRUE;
  return fv_parser_fail (parser, error, FV_ERROR_UNSUPPORTED,
      "node '%s': %s.%s with these inputs and attributes is not supported",
      call->name, call->domain, call->op_type);
}

const char *
fv_contrib_describe (guint row, const char **condition)
{
  if (row >= G_N_ELEMENTS (rows))
    return NULL;
  *condition = rows[row].conditions;
  return rows[row].name;
}
