/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/ir-text.h"

#include <string.h>

static guint32 random_state;

void
ir_text_seed (guint32 seed)
{
  random_state = seed;
}

static float
next_random (double low, double high)
{
  random_state = random_state * 1664525 + 1013904223;
  return low + (high - low) * (random_state >> 8) / (1 << 24);
}

static FvType
parse_type (const char *word)
{
  for (FvType t = FV_TYPE_F32; t <= FV_TYPE_BOOL; t++)
    if (g_str_has_prefix (word, fv_type_name (t)))
      return t;
  g_error ("case: no type in '%s'", word);
}

/* What stands in the brackets that @text begins with. (transfer full) */
static char **
split_numbers (const char *text)
{
  g_autofree char *inside = g_strndup (text + 1, strcspn (text, "]})") - 1);

  return g_strsplit (inside, ",", -1);
}

/* "[1,3,5]", "{1,2}", "(0.5)" or "[1,2]{3,4}" behind the type. */
FvArray *
ir_text_array (const char *word, double low, double high)
{
  FvType type = parse_type (word);
  const char *rest = word + strlen (fv_type_name (type));
  g_auto (GStrv) numbers = split_numbers (rest);
  guint n = g_strv_length (numbers);
  gboolean random = *rest == '[';
  FvShape shape = { random ? n : *rest == '{' ? 1 : 0 };
  FvArray *array;

  for (guint i = 0; random && i < n; i++)
    shape.dims[i] = g_ascii_strtoll (numbers[i], NULL, 10);
  if (*rest == '{')
    shape.dims[0] = n;
  if (random && strchr (rest, '{')) {
    random = FALSE;
    g_strfreev (numbers);
    numbers = split_numbers (strchr (rest, '{'));
    if (g_strv_length (numbers) != (guint) fv_shape_count (&shape))
      g_error ("case: not as many values as its shape says: '%s'", word);
  }
  array = fv_array_new (type, &shape, NULL);
  if (low == high && (type == FV_TYPE_U8 || type == FV_TYPE_I8)) {
    low = type == FV_TYPE_I8 ? -128 : 0;
    high = low + 255;
  }
  for (gint64 i = 0; i < array->count; i++)
    if (!random)
      fv_array_set_float (array, i, g_ascii_strtod (numbers[i], NULL));
    else if (low == 0 && high == 0)
      fv_array_set_float (array, i, next_random (-1, 1));
    else
      fv_array_set_float (array, i, next_random (low, high));
  return array;
}

static void
parse_ints (FvNode *node, const char *name, const char *text)
{
  g_autofree char *inside = g_strndup (text + 1, strlen (text) - 2);
  g_auto (GStrv) words = g_strsplit (inside, ",", -1);
  guint n = *inside ? g_strv_length (words) : 0;
  gint64 values[64];

  for (guint i = 0; i < n; i++)
    values[i] = g_ascii_strtoll (words[i], NULL, 10);
  fv_node_set_ints (node, name, values, n);
}

static void
take_attr (FvNode *node, const FvAttr *given)
{
  FvModelNode from = { .n_attrs = 1, .attrs = (FvAttr *) given };
  g_autoptr (GError) error = NULL;

  if (!fv_node_take_attrs (node, &from, &error)
      && !strstr (error->message, "must be given")) /* another one, later */
    g_error ("case: %s", error->message);
}

static void
parse_floats (FvNode *node, const char *name, const char *text)
{
  g_autofree char *inside = g_strndup (text + 1, strlen (text) - 2);
  g_auto (GStrv) words = g_strsplit (inside, ",", -1);
  float values[64];
  FvAttr given = { .name = (char *) name,
    .kind = FV_ATTR_FLOATS,
    .floats = values,
    .n = *inside ? g_strv_length (words) : 0 };

  for (guint i = 0; i < given.n; i++)
    values[i] = g_ascii_strtod (words[i], NULL);
  take_attr (node, &given);
}

void
ir_text_attr (FvNode *node, const char *name, const char *text)
{
  FvAttr given = { .name = (char *) name, .s = (char *) text };

  for (guint i = 0; i < node->n_attrs; i++)
    if (!strcmp (node->attrs[i].name, name)) {
      given.kind = node->attrs[i].kind;
      if (given.kind == FV_ATTR_INT)
        fv_node_set_int (node, name, g_ascii_strtoll (text, NULL, 10));
      else if (given.kind == FV_ATTR_FLOAT)
        fv_node_set_float (node, name, g_ascii_strtod (text, NULL));
      else if (given.kind == FV_ATTR_INTS)
        parse_ints (node, name, text);
      else if (given.kind == FV_ATTR_FLOATS)
        parse_floats (node, name, text);
      else if (given.kind == FV_ATTR_STRING)
        take_attr (node, &given);
      else
        g_error ("case: attribute '%s' cannot be given", name);
      return;
    }
  g_error ("case: %s has no attribute '%s'", node->op->name, name);
}

/* One statement: "x f32[1,3]", "c =f32(0.5)", "y Conv x w strides=[2,2]",
 * "a,b Split x axis=1", or "y Softmax@11 x" of that opset. All but the first output are put into @values. */
static FvValue *
add_statement (FvIr *ir, GHashTable *values, const char *statement)
{
  g_auto (GStrv) words = g_strsplit (statement, " ", -1);
  g_auto (GStrv) names = g_strsplit (words[0], ",", -1);
  FvValue *inputs[16] = { NULL }, *outputs[16], *value;
  g_autoptr (FvArray) array = NULL;
  guint n = 0, first_attr = 0, n_outputs = g_strv_length (names);
  g_autoptr (GError) error = NULL;
  FvNode *node;
  const FvOp *op;
  guint opset = 17;
  char *at;

  if (strpbrk (words[1], "[({")) {
    array = ir_text_array (words[1] + (*words[1] == '='), 0, 0);
    if (*words[1] == '=')
      return fv_ir_add_constant (ir, words[0], array);
    value = fv_ir_add_value (ir, words[0], array->type, &array->shape);
    value->is_input = TRUE;
    g_ptr_array_add (ir->inputs, value);
    return value;
  }
  for (first_attr = 2; words[first_attr] && !strchr (words[first_attr], '=');
       first_attr++)
    if (strcmp (words[first_attr], "-"))
      inputs[n++] = g_hash_table_lookup (values, words[first_attr]);
    else
      n++;
  for (guint i = 0; i < n_outputs; i++) {
    outputs[i] = fv_ir_add_value (ir, names[i], FV_TYPE_NONE, NULL);
    if (i > 0)
      g_hash_table_insert (values, outputs[i]->name, outputs[i]);
  }
  if ((at = strchr (words[1], '@'))) {
    *at = 0;
    opset = strtoul (at + 1, NULL, 10);
  }
  op = fv_op_find (words[1], opset, NULL);
  if (op == NULL)
    op = fv_op_find (words[1], opset = 23, NULL);
  node = fv_ir_add_node (ir, op, NULL, inputs, n, outputs, n_outputs);
  node->opset = opset;
  for (char **word = words + first_attr; *word; word++) {
    g_auto (GStrv) pair = g_strsplit (*word, "=", 2);

    ir_text_attr (node, pair[0], pair[1]);
  }
  if (!fv_node_infer (node, &error))
    g_error ("'%s': %s", statement, error->message);
  return outputs[0];
}

FvIr *
ir_text_graph (const char *text)
{
  FvIr *ir = fv_ir_new ("text");
  g_auto (GStrv) statements = g_strsplit (text, "; ", -1);
  g_autoptr (GHashTable) values = g_hash_table_new (g_str_hash, g_str_equal);
  FvValue *last = NULL;

  ir_text_seed (11);
  for (char **s = statements; *s; s++) {
    last = add_statement (ir, values, *s);
    g_hash_table_insert (values, last->name, last);
  }
  last->is_output = TRUE;
  g_ptr_array_add (ir->outputs, last);
  return ir;
}

/* "f32[2,3]" is an input, "=f32[2,3]" a constant. */
static FvValue *
case_input (FvIr *ir, const FvCase *item, const char *word, GPtrArray *arrays)
{
  gboolean is_constant = *word == '=';
  g_autoptr (FvArray) array =
      ir_text_array (word + is_constant, item->low, item->high);
  FvValue *value;

  if (is_constant)
    return fv_ir_add_constant (ir, NULL, array);
  value = fv_ir_add_value (ir, NULL, array->type, &array->shape);
  value->is_input = TRUE;
  g_ptr_array_add (ir->inputs, value);
  g_ptr_array_add (arrays, g_steal_pointer (&array));
  return value;
}

static void
case_attrs (FvNode *node, const char *text)
{
  g_auto (GStrv) attrs = g_strsplit (text ? text : "", " ", -1);

  for (char **a = attrs; *a; a++) {
    g_auto (GStrv) pair = g_strsplit (*a, "=", 2);

    if (pair[0] && pair[1])
      ir_text_attr (node, pair[0], pair[1]);
  }
}

/* The node of a case, before inference. */
static FvIr *
case_graph (const FvOp *op, const FvCase *item, const char *words_of,
    GPtrArray *arrays)
{
  FvIr *ir = fv_ir_new (op->name);
  g_auto (GStrv) words = g_strsplit (words_of, " ", -1);
  FvValue *inputs[16] = { NULL }, *outputs[8] = { NULL };
  guint n = 0, n_outputs = MAX (item->n_outputs, 1);
  FvNode *node;

  for (char **w = words; *w; w++)
    if (!strcmp (*w, "-"))
      n++;
    else if (**w)
      inputs[n++] = case_input (ir, item, *w, arrays);
  for (guint i = 0; i < n_outputs; i++) {
    outputs[i] = fv_ir_add_value (ir, NULL, FV_TYPE_NONE, NULL);
    outputs[i]->is_output = TRUE;
    g_ptr_array_add (ir->outputs, outputs[i]);
  }
  node = fv_ir_add_node (ir, op, "case", inputs, n, outputs, n_outputs);
  node->opset = item->opset ? item->opset
      : op->until           ? op->until
                            : MAX (op->since, 20);
  case_attrs (node, item->attrs);
  return ir;
}

FvIr *
ir_text_case (const FvOp *op, const FvCase *item, GPtrArray *arrays,
    guint32 seed)
{
  GError *error = NULL;
  FvIr *ir;

  ir_text_seed (seed);
  ir = case_graph (op, item, item->inputs, arrays);
  if (!fv_node_infer (ir->nodes->pdata[0], &error))
    g_error ("case '%s' '%s': %s", item->inputs, item->attrs, error->message);
  return ir;
}

gboolean
ir_text_accepts (const FvOp *op, const FvCase *item, FvType from, FvType to)
{
  g_auto (GStrv) words = g_strsplit (item->inputs, " ", -1);
  g_autoptr (GPtrArray) arrays =
      g_ptr_array_new_with_free_func ((GDestroyNotify) fv_array_unref);
  g_autofree char *text = NULL;

  for (char **w = words; *w; w++) {
    const char *word = *w + (**w == '=');
    if (!strcmp (word, "-") || !*word || parse_type (word) != from)
      continue;
    char *other = g_strconcat (**w == '=' ? "=" : "", fv_type_name (to),
        word + strlen (fv_type_name (from)), NULL);
    g_free (*w);
    *w = other;
  }
  text = g_strjoinv (" ", words);
  g_autoptr (FvIr) ir = case_graph (op, item, text, arrays);
  return fv_node_infer (ir->nodes->pdata[0], NULL);
}
