/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attributes of nodes: the rows' declarations, defaults, what files give. */
#include "gst/engine/ir-private.h"

#include <stdlib.h>
#include <string.h>

/* One word of FvOp.attrs: "axis:i=-1", "value:t", "axis:i!". */
typedef struct
{
  char name[40];
  FvAttrKind kind;
  gboolean required;
  char value[40]; /* the default as text; "" for none */
} Declared;

static FvAttrKind
kind_of (const char *code)
{
  static const struct
  {
    const char *code;
    FvAttrKind kind;
  } kinds[] = { { "i", FV_ATTR_INT }, { "f", FV_ATTR_FLOAT },
    { "s", FV_ATTR_STRING }, { "is", FV_ATTR_INTS }, { "fs", FV_ATTR_FLOATS },
    { "ss", FV_ATTR_STRINGS }, { "t", FV_ATTR_TENSOR },
    { "g", FV_ATTR_GRAPH } };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (!strcmp (code, kinds[i].code))
      return kinds[i].kind;
  g_assert_not_reached ();
}

static const char *
next_declared (const char *text, Declared *declared)
{
  char code[4] = "";
  gsize n, total;

  text += strspn (text, " ");
  if (!*text)
    return NULL;
  total = strcspn (text, " ");
  memset (declared, 0, sizeof *declared);
  n = strcspn (text, ":");
  g_assert (n < sizeof declared->name && n < total);
  memcpy (declared->name, text, n);
  for (guint i = 0; i < 2 && g_ascii_isalpha (text[n + 1 + i]); i++)
    code[i] = text[n + 1 + i];
  declared->kind = kind_of (code);
  n += 1 + strlen (code);
  declared->required = text[n] == '!';
  if (text[n] == '=') {
    g_assert (total - n - 1 < sizeof declared->value);
    memcpy (declared->value, text + n + 1, total - n - 1);
  }
  return text + total;
}

void
fv_node_default_attrs (FvNode *node)
{
  const char *text = node->op->attrs ? node->op->attrs : "";
  Declared declared;
  guint n = 0;

  for (const char *t = text; (t = next_declared (t, &declared));)
    n++;
  g_assert (n <= 64);
  node->n_attrs = n;
  node->attrs = g_new0 (FvAttr, n);
  for (guint i = 0; i < n; i++) {
    FvAttr *attr = &node->attrs[i];

    text = next_declared (text, &declared);
    attr->name = g_strdup (declared.name);
    attr->kind = declared.kind;
    if (attr->kind == FV_ATTR_INT)
      attr->i = g_ascii_strtoll (declared.value, NULL, 10);
    else if (attr->kind == FV_ATTR_FLOAT)
      attr->f = g_ascii_strtod (declared.value, NULL);
    else if (attr->kind == FV_ATTR_STRING)
      attr->s = g_strdup (declared.value);
  }
}

static void
clear_attr (FvAttr *attr)
{
  g_clear_pointer (&attr->s, g_free);
  g_clear_pointer (&attr->ints, g_free);
  g_clear_pointer (&attr->floats, g_free);
  g_clear_pointer (&attr->strings, g_strfreev);
  g_clear_pointer (&attr->tensor, fv_array_unref);
}

void
fv_node_free_attrs (FvNode *node)
{
  for (guint i = 0; i < node->n_attrs; i++) {
    clear_attr (&node->attrs[i]);
    g_free (node->attrs[i].name);
  }
  g_free (node->attrs);
}

static FvAttr *
find_attr (const FvNode *node, const char *name)
{
  for (guint i = 0; i < node->n_attrs; i++)
    if (!strcmp (node->attrs[i].name, name))
      return &node->attrs[i];
  return NULL;
}

static void
copy_attr (FvAttr *to, const FvAttr *from)
{
  clear_attr (to);
  to->i = from->i;
  to->f = from->f;
  to->n = from->n;
  to->s = g_strdup (from->s);
  to->ints = g_memdup2 (from->ints, from->n * sizeof (gint64));
  to->floats = g_memdup2 (from->floats, from->n * sizeof (float));
  to->strings = g_strdupv (from->strings);
  to->tensor = from->tensor ? fv_array_ref (from->tensor) : NULL;
  to->graph = from->graph; /* the model outlives the IR's building */
}

static gboolean
check_required (const FvNode *node, GError **error)
{
  Declared declared;
  guint i = 0;

  for (const char *t = node->op->attrs ? node->op->attrs : "";
       (t = next_declared (t, &declared)); i++)
    if (declared.required && !(node->attrs_given & ((guint64) 1 << i)))
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "the attribute '%s' must be given", declared.name);
  return TRUE;
}

gboolean
fv_node_take_attrs (FvNode *node, const FvModelNode *from, GError **error)
{
  for (guint i = 0; i < from->n_attrs; i++) {
    const FvAttr *given = &from->attrs[i];
    FvAttr *attr = find_attr (node, given->name);

    if (!attr)
      return fv_node_fail (node, error, FV_ERROR_UNSUPPORTED,
          "unknown attribute '%s'; known are: %s", given->name,
          node->op->attrs ? node->op->attrs : "none");
    if (attr->kind != given->kind)
      return fv_node_fail (node, error, FV_ERROR_MALFORMED,
          "the attribute '%s' is of the wrong kind (%d, expected %d)",
          given->name, given->kind, attr->kind);
    copy_attr (attr, given);
    node->attrs_given |= (guint64) 1 << (attr - node->attrs);
  }
  return check_required (node, error);
}

static FvAttr *
get_attr (const FvNode *node, const char *name, FvAttrKind kind)
{
  FvAttr *attr = find_attr (node, name);

  if (G_UNLIKELY (!attr || attr->kind != kind))
    g_error ("operator %s declares no attribute '%s' of kind %d",
        node->op->name, name, kind);
  return attr;
}

gint64
fv_node_int (const FvNode *node, const char *name)
{
  return get_attr (node, name, FV_ATTR_INT)->i;
}

float
fv_node_float (const FvNode *node, const char *name)
{
  return get_attr (node, name, FV_ATTR_FLOAT)->f;
}

const char *
fv_node_string (const FvNode *node, const char *name)
{
  return get_attr (node, name, FV_ATTR_STRING)->s;
}

const gint64 *
fv_node_ints (const FvNode *node, const char *name, guint *n)
{
  FvAttr *attr = get_attr (node, name, FV_ATTR_INTS);

  *n = attr->n;
  return attr->n ? attr->ints : NULL;
}

const float *
fv_node_floats (const FvNode *node, const char *name, guint *n)
{
  FvAttr *attr = get_attr (node, name, FV_ATTR_FLOATS);

  *n = attr->n;
  return attr->n ? attr->floats : NULL;
}

FvArray *
fv_node_tensor (const FvNode *node, const char *name)
{
  return get_attr (node, name, FV_ATTR_TENSOR)->tensor;
}

gboolean
fv_node_has (const FvNode *node, const char *name)
{
  FvAttr *attr = find_attr (node, name);

  return attr && (node->attrs_given & ((guint64) 1 << (attr - node->attrs)));
}

static FvAttr *
set_attr (FvNode *node, const char *name, FvAttrKind kind)
{
  FvAttr *attr = get_attr (node, name, kind);

  clear_attr (attr);
  node->attrs_given |= (guint64) 1 << (attr - node->attrs);
  return attr;
}

void
fv_node_set_int (FvNode *node, const char *name, gint64 value)
{
  set_attr (node, name, FV_ATTR_INT)->i = value;
}

void
fv_node_set_float (FvNode *node, const char *name, float value)
{
  set_attr (node, name, FV_ATTR_FLOAT)->f = value;
}

void
fv_node_set_string (FvNode *node, const char *name, const char *value)
{
  set_attr (node, name, FV_ATTR_STRING)->s = g_strdup (value);
}

void
fv_node_set_ints (FvNode *node, const char *name, const gint64 *values, guint n)
{
  FvAttr *attr = set_attr (node, name, FV_ATTR_INTS);

  attr->n = n;
  attr->ints = g_memdup2 (values, n * sizeof (gint64));
}
