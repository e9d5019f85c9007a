/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* config.json and preprocessor_config.json beside the model. */
#include "gst/card/settings.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define MAX_NESTING 64

/* json-glib recurses without a limit: a file of brackets would end the stack. */
static gboolean
nests_too_deep (const char *text)
{
  guint depth = 0;
  gboolean in_string = FALSE;

  for (const char *p = text; *p != '\0'; p++) {
    if (in_string) {
      if (*p == '\\' && p[1] != '\0')
        p++;
      else if (*p == '"')
        in_string = FALSE;
    } else if (*p == '"') {
      in_string = TRUE;
    } else if (*p == '[' || *p == '{') {
      if (++depth > MAX_NESTING)
        return TRUE;
    } else if ((*p == ']' || *p == '}') && depth > 0) {
      depth--;
    }
  }
  return FALSE;
}

/* NULL without an error where there is no such file. */
static JsonParser *
load (const char *folder, const char *name, char **path, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GError) local = NULL;
  g_autofree char *text = NULL;
  gsize size = 0;

  *path = g_build_filename (folder, name, NULL);
  if (!g_file_test (*path, G_FILE_TEST_EXISTS))
    return NULL;
  text = fv_read_text (*path, FV_MAX_CARD_BYTES, &size, error);
  if (text == NULL)
    return NULL;
  if (strlen (text) != size || !g_utf8_validate (text, (gssize) size, NULL)) {
    g_set_error (error, FV_ERROR, FV_ERROR_MALFORMED,
        "%s: expected JSON, this is not text", *path);
    return NULL;
  }
  if (nests_too_deep (text)) {
    g_set_error (error, FV_ERROR, FV_ERROR_TOO_LARGE,
        "%s: nested deeper than %d levels", *path, MAX_NESTING);
    return NULL;
  }
  if (!json_parser_load_from_data (parser, text, (gssize) size, &local)
      || json_parser_get_root (parser) == NULL
      || !JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser))) {
    g_set_error (error, FV_ERROR, FV_ERROR_MALFORMED,
        "%s: expected a JSON object: %s", *path,
        local ? local->message : "its outermost value is another");
    return NULL;
  }
  return g_steal_pointer (&parser);
}

static gboolean
get_number (JsonObject *object, const char *key, double *value)
{
  JsonNode *node = json_object_get_member (object, key);

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node)
      || (json_node_get_value_type (node) != G_TYPE_INT64
          && json_node_get_value_type (node) != G_TYPE_DOUBLE))
    return FALSE;
  *value = json_node_get_double (node);
  return TRUE;
}

static gboolean
get_bool (JsonObject *object, const char *key, gboolean otherwise)
{
  JsonNode *node = json_object_get_member (object, key);

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node)
      || json_node_get_value_type (node) != G_TYPE_BOOLEAN)
    return otherwise;
  return json_node_get_boolean (node);
}

static const char *
get_string (JsonObject *object, const char *key)
{
  JsonNode *node = json_object_get_member (object, key);

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node)
      || json_node_get_value_type (node) != G_TYPE_STRING)
    return NULL;
  return json_node_get_string (node);
}

static JsonObject *
get_object (JsonObject *object, const char *key)
{
  JsonNode *node = json_object_get_member (object, key);
  return node != NULL && JSON_NODE_HOLDS_OBJECT (node)
      ? json_node_get_object (node)
      : NULL;
}

static guint
get_numbers (JsonObject *object, const char *key, double *values, guint max)
{
  JsonNode *node = json_object_get_member (object, key);
  JsonArray *array;
  guint n;

  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
    return get_number (object, key, values) ? 1 : 0;
  array = json_node_get_array (node);
  n = json_array_get_length (array);
  if (n > max)
    return 0;
  for (guint i = 0; i < n; i++) {
    JsonNode *item = json_array_get_element (array, i);
    if (!JSON_NODE_HOLDS_VALUE (item)
        || (json_node_get_value_type (item) != G_TYPE_INT64
            && json_node_get_value_type (item) != G_TYPE_DOUBLE))
      return 0;
    values[i] = json_node_get_double (item);
  }
  return n;
}

static void
put (FvCard *card, const char *key, const char *value, const char *path)
{
  fv_settings_put (card, key, value, FV_CARD_HUGGING_FACE, path);
}

static void
put_number (FvCard *card, const char *key, double value, const char *path)
{
  fv_settings_put_numbers (card, key, &value, 1, FV_CARD_HUGGING_FACE, path);
}

/* y = (x rescale_factor - image_mean) / image_std, each step may be off. */
static void
read_values (FvCard *card, JsonObject *root, const char *path)
{
  double mean[3] = { 0 }, std[3] = { 1, 1, 1 }, factor = 1.0 / 255;
  guint n = 1;

  get_number (root, "rescale_factor", &factor);
  if (!get_bool (root, "do_rescale", TRUE))
    factor = 1;
  if (get_bool (root, "do_normalize",
          json_object_has_member (root, "image_mean"))) {
    guint n_mean = get_numbers (root, "image_mean", mean, 3);
    guint n_std = get_numbers (root, "image_std", std, 3);
    n = MAX (1, MAX (n_mean, n_std));
    for (guint i = 1; i < n; i++) {
      mean[i] = n_mean <= 1 ? mean[0] : mean[i];
      std[i] = n_std <= 1 ? std[0] : std[i];
    }
  }
  for (guint i = 0; i < n; i++) {
    mean[i] /= 255 * factor;
    std[i] /= 255 * factor;
  }
  fv_settings_put_numbers (card, "mean", mean, n, FV_CARD_HUGGING_FACE, path);
  fv_settings_put_numbers (card, "std", std, n, FV_CARD_HUGGING_FACE, path);
}

/* "size" is a number, {height, width} or {shortest_edge}; "crop_size" likewise */
static void
read_box (JsonObject *root, const char *key, double *width, double *height,
    double *edge)
{
  JsonObject *object = get_object (root, key);

  if (object == NULL) {
    if (get_number (root, key, edge))
      *width = *height = *edge;
    return;
  }
  get_number (object, "width", width);
  get_number (object, "height", height);
  get_number (object, "shortest_edge", edge);
}

static void
read_geometry (FvCard *card, JsonObject *root, const char *path)
{
  double width = 0, height = 0, edge = 0;
  double crop_width = 0, crop_height = 0, crop_edge = 0, fraction = 0, number;

  read_box (root, "size", &width, &height, &edge);
  read_box (root, "crop_size", &crop_width, &crop_height, &crop_edge);
  if (edge == 0)
    edge = MIN (width, height);
  if (get_bool (root, "do_center_crop", FALSE) && crop_height > 0) {
    width = crop_width;
    height = crop_height;
    put (card, "resize", "crop", path);
    if (edge >= crop_height)
      put_number (card, "crop-fraction", crop_height / edge, path);
  } else if (get_number (root, "crop_pct", &fraction) && fraction > 0
      && fraction <= 1 && edge > 0 && edge < 384) {
    width = height = edge;
    put (card, "resize", "crop", path);
    put_number (card, "crop-fraction", fraction, path);
  } else {
    put (card, "resize", "stretch", path);
  }
  if (get_bool (root, "do_resize", TRUE) && width >= 1 && height >= 1
      && width <= 65536 && height <= 65536) {
    put_number (card, "width", width, path);
    put_number (card, "height", height, path);
  }
  if ((get_number (root, "size_divisor", &number)
          || get_number (root, "ensure_multiple_of", &number))
      && number >= 1 && number <= 1024)
    put_number (card, "multiple", number, path);
}

static void
read_preprocessor (FvCard *card, JsonObject *root, const char *path)
{
  static const char *const filters[] = { "nearest", "lanczos", "bilinear",
    "bicubic", "box", "bilinear" };
  double resample;

  put (card, "channels",
      get_bool (root, "do_flip_channel_order", FALSE) ? "bgr" : "rgb", path);
  read_values (card, root, path);
  read_geometry (card, root, path);
  put (card, "antialias", "true", path); /* as Pillow does */
  if (get_number (root, "resample", &resample) && resample >= 0
      && resample < G_N_ELEMENTS (filters))
    put (card, "filter", filters[(guint) resample], path);
}

static void
read_labels (FvCard *card, JsonObject *ids, const char *path)
{
  g_autoptr (GPtrArray) labels = g_ptr_array_new ();
  JsonObjectIter iter;
  const char *key;
  JsonNode *node;

  json_object_iter_init (&iter, ids);
  while (json_object_iter_next (&iter, &key, &node)) {
    char *end;
    guint64 id = g_ascii_strtoull (key, &end, 10);
    if (end == key || *end != '\0' || id >= FV_MAX_LABELS
        || !JSON_NODE_HOLDS_VALUE (node)
        || json_node_get_value_type (node) != G_TYPE_STRING) {
      fv_card_warn (card,
          "%s: id2label has an entry '%.40s' that is no "
          "number and text",
          path, key);
      return;
    }
    if (id >= labels->len)
      g_ptr_array_set_size (labels, (gint) id + 1);
    g_ptr_array_index (labels, id) = (gpointer) json_node_get_string (node);
  }
  for (guint i = 0; i < labels->len; i++)
    if (g_ptr_array_index (labels, i) == NULL)
      g_ptr_array_index (labels, i) = (gpointer) "";
  if (labels->len == 0)
    return;
  g_ptr_array_add (labels, NULL);
  fv_settings_put_list (card, "labels", (const char *const *) labels->pdata,
      FV_CARD_HUGGING_FACE, path);
}

static void
read_depth (FvCard *card, JsonObject *root, const char *name, const char *path)
{
  const char *kind = get_string (root, "depth_estimation_type");
  gboolean metric = g_strcmp0 (kind, "metric") == 0
      || (kind == NULL
          && (g_str_has_prefix (name, "GLPN")
              || g_str_has_prefix (name, "ZoeDepth")));

  put (card, "head", "depth", path);
  put (card, "depth", metric ? "metric" : "inverse", path);
}

static void
read_config (FvCard *card, JsonObject *root, const char *path)
{
  JsonNode *node = json_object_get_member (root, "architectures");
  JsonObject *ids = get_object (root, "id2label");
  const char *name = "";

  if (ids != NULL)
    read_labels (card, ids, path);
  if (node != NULL && JSON_NODE_HOLDS_ARRAY (node)
      && json_array_get_length (json_node_get_array (node)) > 0) {
    node = json_array_get_element (json_node_get_array (node), 0);
    if (JSON_NODE_HOLDS_VALUE (node)
        && json_node_get_value_type (node) == G_TYPE_STRING)
      name = json_node_get_string (node);
  }
  if (g_str_has_suffix (name, "ForImageClassification")) {
    put (card, "head", "classify", path);
  } else if (g_str_has_suffix (name, "ForSemanticSegmentation")
      || g_str_has_suffix (name, "ForUniversalSegmentation")
      || g_str_has_suffix (name, "ForInstanceSegmentation")
      || (g_str_has_suffix (name, "ForSegmentation")
          && card->priv->wanted != FV_HEAD_DETECT)) {
    put (card, "head", "segment", path);
  } else if (g_str_has_suffix (name, "ForDepthEstimation")) {
    read_depth (card, root, name, path);
  } else if (g_str_has_suffix (name, "ForObjectDetection")
      || g_str_has_suffix (name, "ForSegmentation")) {
    gboolean focal = strstr (name, "RTDetr") != NULL
        || strstr (name, "RtDetr") != NULL || strstr (name, "DFine") != NULL
        || strstr (name, "Deformable") != NULL;
    put (card, "head", "detect", path);
    put (card, "decoder", "detr", path);
    put (card, "activation", focal ? "sigmoid" : "softmax", path);
  }
}

gboolean
fv_card_read_hugging_face (FvCard *card, GError **error)
{
  static const struct
  {
    const char *name;
    void (*read) (FvCard *card, JsonObject *root, const char *path);
  } files[] = {
    { "config.json", read_config },
    { "preprocessor_config.json", read_preprocessor },
  };

  for (guint i = 0; card->priv->folder != NULL && i < G_N_ELEMENTS (files);
       i++) {
    g_autoptr (GError) local = NULL;
    g_autofree char *path = NULL;
    g_autoptr (JsonParser) parser =
        load (card->priv->folder, files[i].name, &path, &local);

    if (local != NULL) {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
    if (parser != NULL)
      files[i].read (card, json_node_get_object (json_parser_get_root (parser)),
          path);
  }
  return TRUE;
}
