/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints docs/operators.md from the operator table. With a file as argument,
 * compares instead: a difference fails, but for what other programs put between
 * comments of their own. */
#include "gst/engine/op.h"
#include "gst/onnx/parse.h"
#include "tests/ir-text.h"

#include <string.h>

#define NEWEST_OPSET 23
#define COUNTS_BEGIN "<!-- onnx-node-tests -->\n"
#define COUNTS_END "<!-- /onnx-node-tests -->\n"

static const char head[] =
    "# Operators\n\n"
    "Printed from the operator table by `tests/print-operators`; a test "
    "compares. Opsets run from 7 to 23.\n\n"
    "Every operator has a plain C reference, which folds what is constant when "
    "a model is loaded. Those with *device* also run on the "
    "device, in both tiers (subgroup and workgroup), in f32 and f16, on "
    "floats, bools and integers (exact up to 2^24); the others, and what a "
    "kernel cannot do, the host runs behind the device "
    "([architecture.md](architecture.md)):\n\n"
    "- *step*: can be joined to the kernel that makes its input.\n"
    "- *takes steps*: its kernel applies the steps that follow it.\n"
    "- *view*: moves no data where strides allow.\n"
    "- *shape*: needs its input's shape alone, so it is folded although its "
    "input is not constant.\n\n"
    "`name=value` is an attribute with its default, `name!` must be given; "
    "lists and tensors have no default. Any other attribute is refused.\n\n"
    "*Types* are those that the first input of the operator's tests may have "
    "(the first one of f32, if there is one), as its shape rule says: *floats* "
    "are f16, f32 and f64, *integers* those of 8 to 64 bits with and without "
    "sign; -: it is tested along with others alone. f64 is computed in f32. "
    "Tensors have 6 axes at most.\n\n"
    "## ONNX's own operator tests\n\n"
    "Counted by `tests/onnx-node-tests.py`, which compares too. Cases that do "
    "not pass stand in `tests/onnx-node-tests.txt` with the reason.\n\n";

static gint
by_name (gconstpointer a, gconstpointer b)
{
  const FvOp *x = *(const FvOp *const *) a, *y = *(const FvOp *const *) b;
  int order = strcmp (x->name, y->name);

  return order ? order : (x->since > y->since) - (x->since < y->since);
}

/* The last opset that finds @op: one before that of the next row. */
static guint
last_opset (const GPtrArray *all, guint i)
{
  const FvOp *op = all->pdata[i];
  guint last = op->until ? op->until : NEWEST_OPSET;

  if (i + 1 < all->len) {
    const FvOp *next = all->pdata[i + 1];

    if (!strcmp (next->name, op->name))
      last = MIN (last, next->since - 1);
  }
  return last;
}

static char *
describe_inputs (const FvOp *op)
{
  guint most = op->max_inputs ? op->max_inputs : op->min_inputs;

  if (most == G_MAXUINT)
    return g_strdup_printf ("%u or more", op->min_inputs);
  return most == op->min_inputs
      ? g_strdup_printf ("%u", most)
      : g_strdup_printf ("%u to %u", op->min_inputs, most);
}

/* "axis:i=-1 to:i! pads:is" as `axis=-1`, `to!`, `pads` */
static char *
describe_attrs (const FvOp *op)
{
  g_auto (GStrv) words = g_strsplit (op->attrs ? op->attrs : "", " ", -1);
  GString *text = g_string_new (NULL);

  for (char **word = words; *word; word++) {
    const char *colon = strchr (*word, ':');
    const char *value = colon ? colon + strcspn (colon, "=!") : "";

    if (colon)
      g_string_append_printf (text, "%s`%.*s%s`", text->len ? ", " : "",
          (int) (colon - *word), *word, value);
  }
  return g_string_free (text, FALSE);
}

/* The row, or where it has no cases another one of that name. */
static const FvOp *
with_cases (const GPtrArray *all, const FvOp *op)
{
  for (guint i = 0; !op->cases && i < all->len; i++) {
    const FvOp *other = all->pdata[i];

    if (!strcmp (other->name, op->name) && other->cases)
      return other;
  }
  return op;
}

/* The type that the operator's data have in a case. */
static FvType
type_of_data (const FvCase *item)
{
  g_auto (GStrv) words = g_strsplit (item->inputs, " ", -1);
  FvType first = FV_TYPE_NONE;

  for (char **w = words; *w; w++)
    for (FvType t = FV_TYPE_F32; t <= FV_TYPE_BOOL; t++)
      if (g_str_has_prefix (*w + (**w == '='), fv_type_name (t))) {
        if (t == FV_TYPE_F32)
          return t;
        first = first == FV_TYPE_NONE ? t : first;
      }
  return first;
}

/* "floats, i32, i64"; groups of types where all of one are taken. */
static char *
name_types (const gboolean *taken)
{
  static const struct
  {
    const char *name;
    FvType first, last;
  } groups[] = { { "floats", FV_TYPE_F32, FV_TYPE_F64 },
    { "integers", FV_TYPE_I8, FV_TYPE_U64 },
    { "bool", FV_TYPE_BOOL, FV_TYPE_BOOL } };
  GString *text = g_string_new (NULL);

  for (guint g = 0; g < G_N_ELEMENTS (groups); g++) {
    guint n = 0, all = groups[g].last - groups[g].first + 1;
    for (FvType t = groups[g].first; t <= groups[g].last; t++)
      n += taken[t];
    if (n == all)
      g_string_append_printf (text, "%s%s", text->len ? ", " : "",
          groups[g].name);
    for (FvType t = groups[g].first; n < all && t <= groups[g].last; t++)
      if (taken[t])
        g_string_append_printf (text, "%s%s", text->len ? ", " : "",
            fv_type_name (t));
  }
  if (!text->len)
    g_string_append (text, "-");
  return g_string_free (text, FALSE);
}

static char *
describe_types (const GPtrArray *all, const FvOp *op)
{
  const FvOp *tried = with_cases (all, op);
  gboolean taken[FV_TYPE_BOOL + 1] = { FALSE };

  for (const FvCase *item = tried->cases; item && item->inputs; item++)
    for (FvType t = FV_TYPE_F32; t <= FV_TYPE_BOOL; t++)
      taken[t] |= ir_text_accepts (tried, item, type_of_data (item), t);
  return name_types (taken);
}

static char *
describe_place (const FvOp *op)
{
  return g_strdup_printf ("%s%s%s%s%s", op->lower ? "device" : "host",
      op->to_step ? ", step" : "",
      op->flags & FV_OP_TAKES_STEPS ? ", takes steps" : "",
      op->flags & FV_OP_VIEW ? ", view" : "",
      op->flags & FV_OP_SHAPE_ONLY ? ", shape" : "");
}

static void
print_table (GString *text, const GPtrArray *all, gboolean ours)
{
  g_string_append (text,
      "\n| Operator | Opsets | Inputs | Types | Attributes | Runs | Limits |\n"
      "| --- | --- | --- | --- | --- | --- | --- |\n");
  for (guint i = 0; i < all->len; i++) {
    const FvOp *op = all->pdata[i];
    guint last = last_opset (all, i);
    g_autofree char *inputs = describe_inputs (op);
    g_autofree char *attrs = describe_attrs (op);
    g_autofree char *place = describe_place (op);
    g_autofree char *types = NULL;

    if (g_str_has_prefix (op->name, "fovea.") != ours || (!ours && last < 7))
      continue;
    types = describe_types (all, op);
    if (ours)
      g_string_append_printf (text, "| `%s` | all", op->name);
    else
      g_string_append_printf (text, "| %s | %u to %u", op->name,
          MAX (op->since, 7), last);
    g_string_append_printf (text, " | %s | %s | %s | %s | %s |\n", inputs,
        types, attrs, place, op->limits ? op->limits : "");
  }
}

/* What the importer puts in as functions of ONNX's operators. */
static void
print_foreign (GString *text)
{
  const char *condition, *name, *last = "";

  g_string_append (text,
      "\n## Of other domains\n\n"
      "What ONNX Runtime's optimizers leave in files, domain `" FV_CONTRIB_DOMAIN
      "`, becomes operators of ONNX when the file is read, in these forms:\n\n");
  for (guint i = 0; (name = fv_contrib_describe (i, &condition)); i++) {
    if (strcmp (name, last))
      g_string_append_printf (text, "%s- %s", i ? "\n" : "", name);
    if (*condition)
      g_string_append_printf (text, "%s `%s`", strcmp (name, last) ? ":" : ";",
          condition);
    last = name;
  }
  g_string_append (text, "\n\nAny other is refused by name.\n");
}

/* What onnx-node-tests.py put into @committed; "" where nothing is. */
static char *
counts_of (const char *committed)
{
  const char *begin = committed ? strstr (committed, COUNTS_BEGIN) : NULL;
  const char *end = begin ? strstr (begin, COUNTS_END) : NULL;

  return end ? g_strndup (begin + strlen (COUNTS_BEGIN),
             end - begin - strlen (COUNTS_BEGIN))
             : g_strdup ("");
}

static char *
print_all (const char *counts)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  GString *text = g_string_new (head);

  for (guint t = 0; fv_op_tables[t]; t++)
    for (const FvOp *op = fv_op_tables[t]; op->name; op++) {
      g_ptr_array_add (all, (gpointer) op);
      if (!g_str_has_prefix (op->name, "fovea."))
        g_hash_table_add (names, (gpointer) op->name);
    }
  g_ptr_array_sort (all, by_name);
  g_string_append_printf (text, COUNTS_BEGIN "%s" COUNTS_END, counts);
  g_string_append_printf (text, "\n## ONNX's, %u operators\n",
      g_hash_table_size (names));
  print_table (text, all, FALSE);
  g_string_append (text,
      "\n## Our own\n\nMade by the rewrite passes; a model file cannot name "
      "them.\n");
  print_table (text, all, TRUE);
  print_foreign (text);
  return g_string_free (text, FALSE);
}

/* Alone: prints. FILE: compares. FILE --write: writes, the counts kept. */
int
main (int argc, char **argv)
{
  g_autofree char *committed = NULL;
  g_autofree char *counts = NULL;
  g_autofree char *text = NULL;

  if (argc > 1)
    g_file_get_contents (argv[1], &committed, NULL, NULL);
  counts = counts_of (committed);
  text = print_all (counts);
  if (argc == 3)
    return !g_file_set_contents (argv[1], text, -1, NULL);
  if (argc == 1)
    g_print ("%s", text);
  else if (!committed || strcmp (committed, text)) {
    g_printerr ("%s is not what the operator table says; print it anew with\n"
                "  build/tests/print-operators docs/operators.md --write\n",
        argv[1]);
    return 1;
  }
  return 0;
}
