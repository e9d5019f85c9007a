/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints docs/elements.md from the plugin's elements. With a file as argument,
 * compares instead: a difference fails. */
#include <gst/gst.h>
#include <string.h>

static char *
describe_flags (GFlagsClass *class, guint flags)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < class->n_values; i++)
    if (flags & class->values[i].value)
      g_string_append_printf (text, "%s%s", text->len ? "+" : "",
          class->values[i].value_nick);
  return g_string_free (text, FALSE);
}

static char *
describe_default (GParamSpec *spec)
{
  GValue value = G_VALUE_INIT;
  char *text;

  g_value_init (&value, spec->value_type);
  g_param_value_set_default (spec, &value);
  if (G_IS_PARAM_SPEC_STRING (spec))
    text = g_strdup (
        g_value_get_string (&value) ? g_value_get_string (&value) : "none");
  else if (G_IS_PARAM_SPEC_ENUM (spec)) {
    GEnumClass *class = G_PARAM_SPEC_ENUM (spec)->enum_class;
    GEnumValue *item = g_enum_get_value (class, g_value_get_enum (&value));

    text = g_strdup (item ? item->value_nick : "");
  } else if (G_IS_PARAM_SPEC_FLAGS (spec))
    text = describe_flags (G_PARAM_SPEC_FLAGS (spec)->flags_class,
        g_value_get_flags (&value));
  else if (G_IS_PARAM_SPEC_BOXED (spec) && !g_value_get_boxed (&value))
    text = g_strdup ("none");
  else if (G_IS_PARAM_SPEC_DOUBLE (spec))
    text = g_strdup_printf ("%.15g", g_value_get_double (&value));
  else if (G_IS_PARAM_SPEC_BOXED (spec) || G_IS_PARAM_SPEC_FLOAT (spec)
      || G_IS_PARAM_SPEC_BOOLEAN (spec) || G_IS_PARAM_SPEC_INT (spec)
      || G_IS_PARAM_SPEC_UINT (spec) || G_IS_PARAM_SPEC_UINT64 (spec))
    text = gst_value_serialize (&value);
  else
    text = g_strdup ("");
  g_value_unset (&value);
  return text ? text : g_strdup ("none");
}

static const char *
type_word (GType type)
{
  if (type == G_TYPE_STRING)
    return "string";
  if (type == G_TYPE_BOOLEAN)
    return "true, false";
  if (type == GST_TYPE_ARRAY)
    return "array";
  return type == GST_TYPE_STRUCTURE ? "structure" : g_type_name (type);
}

static char *
describe_range (GParamSpec *spec)
{
  GString *text = g_string_new (NULL);

  if (G_IS_PARAM_SPEC_INT (spec))
    g_string_printf (text, "%d to %d", G_PARAM_SPEC_INT (spec)->minimum,
        G_PARAM_SPEC_INT (spec)->maximum);
  else if (G_IS_PARAM_SPEC_UINT (spec))
    g_string_printf (text, "%u to %u", G_PARAM_SPEC_UINT (spec)->minimum,
        G_PARAM_SPEC_UINT (spec)->maximum);
  else if (G_IS_PARAM_SPEC_UINT64 (spec))
    g_string_printf (text, "%" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
        G_PARAM_SPEC_UINT64 (spec)->minimum,
        G_PARAM_SPEC_UINT64 (spec)->maximum);
  else if (G_IS_PARAM_SPEC_DOUBLE (spec))
    g_string_printf (text, "%g to %g", G_PARAM_SPEC_DOUBLE (spec)->minimum,
        G_PARAM_SPEC_DOUBLE (spec)->maximum);
  else if (G_IS_PARAM_SPEC_FLOAT (spec))
    g_string_printf (text, "%g to %g", G_PARAM_SPEC_FLOAT (spec)->minimum,
        G_PARAM_SPEC_FLOAT (spec)->maximum);
  else if (G_IS_PARAM_SPEC_ENUM (spec)) {
    GEnumClass *class = G_PARAM_SPEC_ENUM (spec)->enum_class;

    for (guint i = 0; i < class->n_values; i++)
      g_string_append_printf (text, "%s%s", i ? ", " : "",
          class->values[i].value_nick);
  } else if (G_IS_PARAM_SPEC_FLAGS (spec)) {
    GFlagsClass *class = G_PARAM_SPEC_FLAGS (spec)->flags_class;

    for (guint i = 0; i < class->n_values; i++)
      g_string_append_printf (text, "%s%s", i ? ", " : "",
          class->values[i].value_nick);
  } else
    g_string_printf (text, "%s", type_word (spec->value_type));
  return g_string_free (text, FALSE);
}

static const char *
describe_access (GParamSpec *spec)
{
  if (!(spec->flags & G_PARAM_WRITABLE))
    return "read only";
  if (spec->flags & GST_PARAM_MUTABLE_PLAYING)
    return "any time";
  if (spec->flags & GST_PARAM_MUTABLE_PAUSED)
    return "up to PAUSED";
  return "up to READY";
}

static gint
by_name (gconstpointer a, gconstpointer b)
{
  const GParamSpec *x = *(GParamSpec *const *) a, *y = *(GParamSpec *const *) b;

  return strcmp (x->name, y->name);
}

static void
print_properties (GString *text, GstElement *element)
{
  guint n;
  GParamSpec **specs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);

  qsort (specs, n, sizeof *specs, by_name);
  g_string_append (text,
      "\n| Property | Default | Values | Change | |\n"
      "| --- | --- | --- | --- | --- |\n");
  for (guint i = 0; i < n; i++) {
    g_autofree char *value = describe_default (specs[i]);
    g_autofree char *range = describe_range (specs[i]);

    if (specs[i]->owner_type == GST_TYPE_OBJECT
        || !strcmp (g_type_name (specs[i]->owner_type), "GstBaseTransform")
        /* of GStreamer 1.24's sources; this is of the oldest that serves */
        || !strcmp (specs[i]->name, "automatic-eos"))
      continue;
    g_string_append_printf (text, "| `%s` | %s | %s | %s | %s |\n",
        specs[i]->name, value, range, describe_access (specs[i]),
        g_param_spec_get_blurb (specs[i]));
  }
  g_free (specs);
}

static void
print_element (GString *text, GstElementFactory *factory)
{
  g_autoptr (GstElement) element = gst_element_factory_create (factory, NULL);

  if (!element)
    return;
  gst_object_ref_sink (element);
  g_string_append_printf (text, "\n## %s\n\n%s. %s.\n",
      gst_plugin_feature_get_name (factory),
      gst_element_factory_get_metadata (factory, GST_ELEMENT_METADATA_LONGNAME),
      gst_element_factory_get_metadata (factory,
          GST_ELEMENT_METADATA_DESCRIPTION));
  print_properties (text, element);
}

static int
compare (const char *file, const char *text)
{
  g_autofree char *committed = NULL;

  if (g_file_get_contents (file, &committed, NULL, NULL)
      && !strcmp (committed, text))
    return 0;
  g_printerr (
      "%s is not what the elements say; print it anew with\n"
      "  meson devenv -C build tests/print-elements > docs/elements.md\n",
      file);
  return 1;
}

static gint
by_feature (gconstpointer a, gconstpointer b)
{
  return strcmp (gst_plugin_feature_get_name (GST_PLUGIN_FEATURE (a)),
      gst_plugin_feature_get_name (GST_PLUGIN_FEATURE (b)));
}

int
main (int argc, char **argv)
{
  g_autoptr (GString) text = g_string_new (
      "# Elements\n\nPrinted from the elements by `tests/print-elements`; a "
      "test compares.\n");
  GList *features;

  gst_init (&argc, &argv);
  features =
      gst_registry_get_feature_list_by_plugin (gst_registry_get (), "fovea");
  features = g_list_sort (features, by_feature);
  if (!features) {
    g_printerr ("the plugin is not in GST_PLUGIN_PATH\n");
    return 1;
  }
  for (GList *f = features; f; f = f->next)
    if (GST_IS_ELEMENT_FACTORY (f->data))
      print_element (text, f->data);
  gst_plugin_feature_list_free (features);
  if (argc > 1)
    return compare (argv[1], text->str);
  g_print ("%s", text->str);
  return 0;
}
