/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* config.json and preprocessor_config.json beside the model. */
#include "gst/card/json.h"

#include <string.h>

static gboolean
read_label (const char *key, JsonNode *node, GPtrArray *labels)
{
  char *end;
  guint64 id = g_ascii_strtoull (key, &end, 10);

  if (!g_ascii_isdigit (*key) || *end != '\0' || id >= FV_MAX_LABELS
      || !JSON_NODE_HOLDS_VALUE (node)
      || json_node_get_value_type (node) != G_TYPE_STRING)
    return FALSE;
  if (id >= labels->len)
    g_ptr_array_set_size (labels, (gint) id + 1);
  g_ptr_array_index (labels, id) = (gpointer) json_node_get_string (node);
  return TRUE;
}

/* Labels are names for the eye: a fault in them is told, and the model runs. */
static void
read_labels (FvJson *json)
{
  g_autoptr (GPtrArray) labels = g_ptr_array_new ();
  JsonObjectIter iter;
  const char *key;
  JsonNode *node = json_object_get_member (json->object, "id2label");

  if (!fv_json_has (json, "id2label"))
    return;
  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    fv_json_doubt (json, "id2label", "an object of numbers and texts");
    return;
  }
  json_object_iter_init (&iter, json_node_get_object (node));
  while (json_object_iter_next (&iter, &key, &node))
    if (!read_label (key, node, labels)) {
      g_autofree char *value = json_to_string (node, FALSE);
      g_autofree char *where = fv_json_where (json, "id2label");
      fv_card_warn (json->card,
          "%s must have whole numbers below %d as keys and texts as values, not "
          "\"%.40s\": %.40s; no label is taken from it",
          where, FV_MAX_LABELS, key, value);
      return;
    }
  for (guint i = 0; i < labels->len; i++)
    if (g_ptr_array_index (labels, i) == NULL)
      g_ptr_array_index (labels, i) = (gpointer) "";
  if (labels->len == 0)
    return;
  g_ptr_array_add (labels, NULL);
  fv_json_put_list (json, "id2label", "labels",
      (const char *const *) labels->pdata);
}

static void
read_depth (FvJson *json, const char *name)
{
  const char *kind = fv_json_string (json, "depth_estimation_type");
  gboolean metric = g_strcmp0 (kind, "metric") == 0
      || (kind == NULL
          && (g_str_has_prefix (name, "GLPN")
              || g_str_has_prefix (name, "ZoeDepth")));

  fv_json_put (json, "architectures", "head", "depth");
  fv_json_put (json, kind ? "depth_estimation_type" : "architectures", "depth",
      metric ? "metric" : "inverse");
}

/* The first of "architectures", "" where there is none. */
static const char *
architecture (FvJson *json)
{
  JsonNode *node = json_object_get_member (json->object, "architectures");

  if (!fv_json_has (json, "architectures"))
    return "";
  if (JSON_NODE_HOLDS_ARRAY (node)
      && json_array_get_length (json_node_get_array (node)) > 0) {
    node = json_array_get_element (json_node_get_array (node), 0);
    if (JSON_NODE_HOLDS_VALUE (node)
        && json_node_get_value_type (node) == G_TYPE_STRING)
      return json_node_get_string (node);
  }
  fv_json_doubt (json, "architectures", "a list of class names");
  return "";
}

static void
read_architecture (FvJson *json)
{
  static const char key[] = "architectures";
  const char *name = architecture (json);

  if (g_str_has_suffix (name, "ForImageClassification")) {
    fv_json_put (json, key, "head", "classify");
  } else if (g_str_has_suffix (name, "ForSemanticSegmentation")
      || g_str_has_suffix (name, "ForUniversalSegmentation")
      || g_str_has_suffix (name, "ForInstanceSegmentation")
      || (g_str_has_suffix (name, "ForSegmentation")
          && json->card->priv->wanted != FV_HEAD_DETECT)) {
    fv_json_put (json, key, "head", "segment");
  } else if (g_str_has_suffix (name, "ForDepthEstimation")) {
    read_depth (json, name);
  } else if (g_str_has_suffix (name, "ForObjectDetection")
      || g_str_has_suffix (name, "ForSegmentation")) {
    gboolean focal = strstr (name, "RTDetr") != NULL
        || strstr (name, "RtDetr") != NULL || strstr (name, "DFine") != NULL
        || strstr (name, "Deformable") != NULL;
    fv_json_put (json, key, "head", "detect");
    fv_json_put (json, key, "decoder", "detr");
    fv_json_put (json, key, "activation", focal ? "sigmoid" : "softmax");
  }
}

static void
read_config (FvJson *json)
{
  read_labels (json);
  if (fv_json_has (json, "pretrained_cfg"))
    fv_json_read_timm (json);
  else
    read_architecture (json);
}

static void
read_preprocessor (FvJson *json)
{
  if (fv_json_has (json, "pretrained_cfg"))
    fv_json_read_timm (json);
  else
    fv_json_read_preprocessor (json);
}

gboolean
fv_card_read_hugging_face (FvCard *card, gboolean expected, GError **error)
{
  static const struct
  {
    const char *name;
    void (*read) (FvJson *json);
    const char *otherwise; /* what becomes of the model without it */
  } files[] = {
    { "config.json", read_config,
        "labels and the kind of head are guessed from names and shapes" },
    { "preprocessor_config.json", read_preprocessor,
        "mean, std and size are defaults" },
  };
  gboolean told = FALSE; /* or needless */

  for (guint i = 0; card->priv->folder != NULL && i < G_N_ELEMENTS (files);
       i++) {
    GError *local = NULL;
    FvJson json;

    if (fv_json_open (&json, card, files[i].name, &local)) {
      told |= fv_json_has (&json, "pretrained_cfg");
      files[i].read (&json);
      fv_json_close (&json);
    } else if (local == NULL && expected && !told) {
      told = TRUE;
      fv_card_warn (card, "%s: no %s there: %s", card->priv->folder,
          files[i].name, files[i].otherwise);
    }
    if (local != NULL) {
      g_propagate_error (error, local);
      return FALSE;
    }
  }
  return TRUE;
}
