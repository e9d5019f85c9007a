/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/card/settings.h"

#include <string.h>

G_DEFINE_BOXED_TYPE (FvCard, fv_card, fv_card_ref, fv_card_unref)

static void
line_free (gpointer data)
{
  FvCardLine *line = data;
  g_free (line->key);
  g_free (line->value);
  g_free (line->where);
  g_free (line);
}

void
fv_card_head_clear (FvCardHead *head)
{
  g_free (head->name);
  g_strfreev (head->labels);
  fv_array_unref (head->detect.prior_boxes);
  g_free (head->masks.things);
  memset (head, 0, sizeof *head);
}

FvCard *
fv_card_ref (FvCard *card)
{
  g_atomic_ref_count_inc (&card->ref);
  return card;
}

void
fv_card_unref (FvCard *card)
{
  FvCardPrivate *priv;

  if (card == NULL || !g_atomic_ref_count_dec (&card->ref))
    return;
  priv = card->priv;
  for (guint i = 0; i < card->n_heads; i++)
    fv_card_head_clear (&card->heads[i]);
  for (guint i = 0; i < priv->n_inputs; i++)
    g_free (priv->inputs[i].name);
  for (guint i = 0; i < priv->n_outputs; i++) {
    g_free (priv->outputs[i].name);
    g_free (priv->outputs[i].producer);
  }
  g_free (priv->inputs);
  g_free (priv->outputs);
  g_hash_table_unref (priv->ops);
  g_clear_pointer (&priv->settings, g_hash_table_unref);
  g_ptr_array_unref (priv->heads);
  g_free (priv->name);
  g_free (priv->folder);
  g_free (priv);
  g_ptr_array_unref (card->lines);
  g_ptr_array_unref (card->warnings);
  g_free (card->model_path);
  g_free (card->card_path);
  g_free (card->input.name);
  g_free (card);
}

/* The operator that made @name, past those that keep values as they are. */
static const char *
find_producer (const FvModelGraph *graph, const char *name)
{
  static const char *const movers[] = { "Reshape", "Transpose", "Squeeze",
    "Unsqueeze", "Flatten", "Identity", "Cast", "Resize", "Slice", NULL };
  guint steps = 0;

  for (guint i = graph->n_nodes; i-- > 0;) { /* topological order */
    const FvModelNode *node = &graph->nodes[i];
    for (guint o = 0; o < node->n_outputs; o++) {
      if (g_strcmp0 (node->outputs[o], name) != 0)
        continue;
      if (!g_strv_contains (movers, node->op_type) || node->n_inputs == 0
          || ++steps == 16)
        return node->op_type;
      name = node->inputs[0];
      break;
    }
  }
  return "";
}

static void
take_values (FvCard *card, const FvModelGraph *graph)
{
  FvCardPrivate *priv = card->priv;

  priv->n_inputs = graph->n_inputs;
  priv->n_outputs = graph->n_outputs;
  priv->inputs = g_new0 (FvCardModelInput, MAX (1, graph->n_inputs));
  priv->outputs = g_new0 (FvCardOutput, MAX (1, graph->n_outputs));
  for (guint i = 0; i < graph->n_nodes; i++)
    g_hash_table_add (priv->ops, g_strdup (graph->nodes[i].op_type));
  for (guint i = 0; i < graph->n_inputs; i++) {
    priv->inputs[i].name = g_strdup (graph->inputs[i].name);
    priv->inputs[i].type = graph->inputs[i].type;
    priv->inputs[i].has_shape = graph->inputs[i].has_shape;
    priv->inputs[i].shape = graph->inputs[i].shape;
  }
  for (guint i = 0; i < graph->n_outputs; i++) {
    priv->outputs[i].name = g_strdup (graph->outputs[i].name);
    priv->outputs[i].type = graph->outputs[i].type;
    priv->outputs[i].has_shape = graph->outputs[i].has_shape;
    priv->outputs[i].shape = graph->outputs[i].shape;
    priv->outputs[i].producer =
        g_strdup (find_producer (graph, graph->outputs[i].name));
  }
}

static FvCard *
create (FvModel *model, const char *folder, const FvCardOptions *options)
{
  FvCard *card = g_new0 (FvCard, 1);

  g_atomic_ref_count_init (&card->ref);
  card->priv = g_new0 (FvCardPrivate, 1);
  card->priv->ops =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  card->priv->heads = g_ptr_array_new_with_free_func (g_free);
  card->lines = g_ptr_array_new_with_free_func (line_free);
  card->warnings = g_ptr_array_new_with_free_func (g_free);
  card->model_path = g_strdup (model->path);
  card->priv->name =
      model->path ? g_path_get_basename (model->path) : g_strdup ("the model");
  card->priv->folder = g_strdup (folder);
  card->priv->wanted = options ? options->head : FV_HEAD_NONE;
  take_values (card, model->graph);
  return card;
}

static gboolean
read_card_file (FvCard *card, const char *path, GError **error)
{
  gsize size = 0;
  g_autofree char *data = fv_read_text (path, FV_MAX_CARD_BYTES, &size, error);

  if (data == NULL)
    return FALSE;
  card->card_path = g_strdup (path);
  return fv_card_read_modelinfo (card, path, data, size, error);
}

/* <model>.modelinfo, model.onnx.modelinfo or model.modelinfo */
static char *
find_card_file (const char *model_path)
{
  g_autofree char *full = NULL;
  const char *dot;

  if (model_path == NULL)
    return NULL;
  full = g_strconcat (model_path, ".modelinfo", NULL);
  if (g_file_test (full, G_FILE_TEST_IS_REGULAR))
    return g_steal_pointer (&full);
  dot = strrchr (model_path, '.');
  if (dot == NULL || strchr (dot, G_DIR_SEPARATOR) != NULL)
    return NULL;
  g_free (full);
  full =
      g_strdup_printf ("%.*s.modelinfo", (int) (dot - model_path), model_path);
  return g_file_test (full, G_FILE_TEST_IS_REGULAR) ? g_steal_pointer (&full)
                                                    : NULL;
}

static gboolean
put_labels (FvCard *card, const FvCardOptions *options, GError **error)
{
  if (options == NULL)
    return TRUE;
  if (options->labels != NULL && options->labels[0] != NULL) {
    fv_settings_put_list (card, "labels", options->labels, FV_CARD_PROPERTY,
        "properties");
  } else if (options->labels_file != NULL) {
    g_auto (GStrv) labels = fv_labels_load (options->labels_file, error);
    if (labels == NULL)
      return FALSE;
    fv_settings_put_list (card, "labels", (const char *const *) labels,
        FV_CARD_PROPERTY, options->labels_file);
  }
  return TRUE;
}

FvCard *
fv_card_new (FvModel *model, const char *folder, const FvCardOptions *options,
    GError **error)
{
  g_autoptr (FvCard) card = create (model, folder, options);
  g_autofree char *found = NULL;
  const char *path = options ? options->card : NULL;

  if (path == NULL)
    path = found = find_card_file (model->path);
  if (!fv_card_read_hugging_face (card, path == NULL, error))
    return NULL;
  if (model->metadata != NULL)
    fv_card_read_ultralytics (card, model->metadata);
  if (path != NULL && !read_card_file (card, path, error))
    return NULL;
  if (!put_labels (card, options, error)
      || !fv_card_find_input (card, options, error))
    return NULL;
  card->priv->n_fixed_lines = card->lines->len;
  card->priv->n_fixed_warnings = card->warnings->len;
  if (!fv_card_find_heads (card, error))
    return NULL;
  return g_steal_pointer (&card);
}

/* The ONNX file of a folder. */
static char *
find_model (const char *folder, GError **error)
{
  static const char *const names[] = { "model.onnx", "onnx/model.onnx" };
  g_autofree char *only = NULL;
  g_autoptr (GDir) dir = NULL;
  const char *name;
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = g_build_filename (folder, names[i], NULL);
    if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
      return g_steal_pointer (&path);
  }
  dir = g_dir_open (folder, 0, NULL);
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (name, ".onnx") && n++ == 0)
      only = g_build_filename (folder, name, NULL);
  if (n == 1)
    return g_steal_pointer (&only);
  g_set_error (error, FV_ERROR, FV_ERROR_NOT_FOUND,
      "%s: a model folder has model.onnx, onnx/model.onnx or one .onnx file, "
      "this one has %s",
      folder, n == 0 ? "none" : "several");
  return NULL;
}

/* The file that a .modelinfo names, relative to itself. */
static char *
model_of_card (const char *path, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *text = NULL;
  g_autofree char *model = NULL;
  g_autofree char *beside = NULL;
  g_autoptr (GError) fault = NULL;
  gsize size = 0;

  text = fv_read_text (path, FV_MAX_CARD_BYTES, &size, error);
  if (text == NULL)
    return NULL;
  if (size != 0
      && !g_key_file_load_from_data (file, text, size, G_KEY_FILE_NONE,
          &fault)) {
    g_set_error (error, FV_ERROR, FV_ERROR_MALFORMED, "%s: no key file: %s",
        path, fault->message);
    return NULL;
  }
  model = g_key_file_get_string (file, "fovea", "model", NULL);
  if (model != NULL)
    return g_path_is_absolute (model) ? g_steal_pointer (&model)
                                      : g_build_filename (folder, model, NULL);
  beside = g_strndup (path, strlen (path) - strlen (".modelinfo"));
  if (g_file_test (beside, G_FILE_TEST_IS_REGULAR))
    return g_steal_pointer (&beside);
  g_set_error (error, FV_ERROR, FV_ERROR_NOT_FOUND,
      "%s: names no model: expected a key 'model' in [fovea], or '%s'", path,
      beside);
  return NULL;
}

FvCard *
fv_card_load (const char *name, const FvCardOptions *options, FvModel **model,
    GError **error)
{
  FvCardOptions with_card = options ? *options : (FvCardOptions){ 0 };
  g_autofree char *path = fv_card_find_model (name, error);
  g_autofree char *file = NULL;
  g_autofree char *folder = NULL;
  g_autoptr (FvModel) loaded = NULL;
  FvCard *card;

  if (path == NULL)
    return NULL;
  if (g_str_has_suffix (path, ".modelinfo")) {
    file = model_of_card (path, error);
    if (with_card.card == NULL)
      with_card.card = path;
  } else {
    file = g_strdup (path);
  }
  if (file != NULL && g_file_test (file, G_FILE_TEST_IS_DIR)) {
    folder = g_steal_pointer (&file);
    file = find_model (folder, error);
  }
  if (file == NULL)
    return NULL;
  loaded = fv_model_load (file, error);
  if (loaded == NULL)
    return NULL;
  card = fv_card_new (loaded, folder, &with_card, error);
  if (card != NULL && model != NULL)
    *model = g_steal_pointer (&loaded);
  return card;
}

gboolean
fv_card_bind_outputs (FvCard *card, const FvShape *shapes, guint n_shapes,
    GError **error)
{
  FvCardPrivate *priv = card->priv;

  if (n_shapes != priv->n_outputs) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "%s has %u outputs, %u shapes were given", priv->name, priv->n_outputs,
        n_shapes);
    return FALSE;
  }
  for (guint i = 0; i < n_shapes; i++) {
    /* of what the host makes, not even the number of axes may be known */
    priv->outputs[i].has_shape = shapes[i].rank > 0;
    priv->outputs[i].shape = shapes[i];
  }
  priv->bound = TRUE;
  for (guint i = 0; i < card->n_heads; i++)
    fv_card_head_clear (&card->heads[i]);
  card->n_heads = 0;
  g_ptr_array_set_size (card->lines, (gint) priv->n_fixed_lines);
  g_ptr_array_set_size (card->warnings, (gint) priv->n_fixed_warnings);
  fv_settings_remove (card, FV_CARD_SHAPES);
  return fv_card_find_heads (card, error);
}

const FvCardHead *
fv_card_head (const FvCard *card, FvHeadKind kind)
{
  for (guint i = 0; i < card->n_heads; i++)
    if (kind == FV_HEAD_NONE || card->heads[i].kind == kind)
      return &card->heads[i];
  return NULL;
}

char *
fv_card_label (const FvCardHead *head, guint number)
{
  if (head->labels != NULL && number < g_strv_length (head->labels)
      && *head->labels[number] != '\0')
    return g_strdup (head->labels[number]);
  return g_strdup_printf ("class %u", number);
}

const GPtrArray *
fv_card_lines (const FvCard *card)
{
  return card->lines;
}

const char *
fv_card_source_name (FvCardSource source)
{
  static const char *const names[] = { "default", "names and shapes",
    "Hugging Face", "ONNX metadata", "modelinfo", "property" };
  return source < G_N_ELEMENTS (names) ? names[source] : "?";
}

const char *
fv_head_kind_name (FvHeadKind kind)
{
  return kind <= FV_HEAD_DEPTH ? fv_head_nicks[kind] : "?";
}

/* The file and field that a line came from, without the folder of the card; else
 * the kind of its source. */
static const char *
line_origin (const FvCard *card, const FvCardLine *line)
{
  g_autofree char *beside =
      card->card_path ? g_path_get_dirname (card->card_path) : NULL;
  const char *folders[] = { card->priv->folder, beside };

  if (line->where == NULL
      || (line->source != FV_CARD_HUGGING_FACE
          && line->source != FV_CARD_MODELINFO))
    return fv_card_source_name (line->source);
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++) {
    g_autofree char *inside =
        folders[i] ? g_build_filename (folders[i], "x", NULL) : NULL;
    gsize length = inside ? strlen (inside) - 1 : 0;
    if (length > 0 && strncmp (line->where, inside, length) == 0)
      return line->where + length;
  }
  return line->where;
}

char *
fv_card_to_string (const FvCard *card)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < card->lines->len; i++) {
    const FvCardLine *line = card->lines->pdata[i];
    g_string_append_printf (text, "  %-22s %-34s (%s)\n", line->key,
        line->value, line_origin (card, line));
  }
  for (guint i = 0; i < card->warnings->len; i++)
    g_string_append_printf (text, "  warning: %s\n",
        (char *) card->warnings->pdata[i]);
  return g_string_free (text, FALSE);
}
