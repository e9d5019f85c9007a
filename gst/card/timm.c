/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pretrained_cfg of timm's config.json: evaluation as
 * transforms_imagenet_eval() of timm/data/transforms_factory.py does it, with what
 * resolve_data_config() of config.py takes as defaults (timm 1.0.29.dev0, commit
 * aa4b5850c154). */
#include "gst/card/json.h"

#include <math.h>

static void
read_labels (FvJson *json)
{
  g_autoptr (GPtrArray) labels = g_ptr_array_new ();
  JsonNode *node;
  JsonArray *names;

  if (!fv_json_has (json, "label_names"))
    return;
  node = json_object_get_member (json->object, "label_names");
  names = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  for (guint i = 0; names != NULL && i < json_array_get_length (names); i++) {
    JsonNode *item = json_array_get_element (names, i);
    if (i == FV_MAX_LABELS || !JSON_NODE_HOLDS_VALUE (item)
        || json_node_get_value_type (item) != G_TYPE_STRING) {
      names = NULL;
      break;
    }
    g_ptr_array_add (labels, (gpointer) json_node_get_string (item));
  }
  if (names == NULL || labels->len == 0) {
    fv_json_doubt (json, "label_names", "a list of texts");
    return;
  }
  g_ptr_array_add (labels, NULL);
  fv_json_put_list (json, "label_names", "labels",
      (const char *const *) labels->pdata);
}

/* Crops of other shapes than squares are resized by ResizeKeepRatio, which is not
 * told the interpolation and has its own. */
static void
read_filter (FvJson *json, gboolean ignored)
{
  const char *filter = fv_json_string (json, "interpolation");

  if (ignored) {
    fv_json_put_filter (json, NULL, "bilinear");
  } else if (!fv_json_put_filter (json, "interpolation",
                 filter ? filter : "bicubic")) {
    fv_json_doubt (json, "interpolation",
        "nearest, bilinear, bicubic, lanczos, box or hamming (bicubic is "
        "taken)");
    fv_json_put_filter (json, NULL, "bicubic");
  }
}

static void
read_place (FvJson *json, const double *mean)
{
  static const char *const modes[] = { "center", "squash", "border" };
  static const char *const resizes[] = { "crop", "stretch", "letterbox" };
  double size[3] = { 3, 224, 224 }, pct = 0.875, fills[3];
  const char *mode = fv_json_string (json, "crop_mode");
  guint i = 0;

  if (fv_json_numbers (json, "input_size", 1, 65536, 3, size) % 3 != 0)
    fv_json_fail (json, "input_size", "[channels, height, width]");
  fv_json_number (json, "crop_pct", 0.05, 1, &pct);
  while (mode != NULL && i < G_N_ELEMENTS (modes)
      && g_strcmp0 (mode, modes[i]) != 0)
    i++;
  if (i == G_N_ELEMENTS (modes)) {
    fv_json_doubt (json, "crop_mode", "center, squash or border");
    i = 0;
  }
  fv_json_put (json, "crop_mode", "resize", resizes[i]);
  fv_json_put_number (json, "input_size", "height", size[1]);
  fv_json_put_number (json, "input_size", "width", size[2]);
  if (size[1] == size[2]) /* exact, whatever pct is as a float */
    pct = size[1] / floor (size[1] / pct);
  fv_json_put_number (json, "crop_pct", "crop-fraction", pct);
  fv_json_put (json, NULL, "crop-offset", "round");
  read_filter (json, i == 0 && size[1] != size[2]);
  if (i != 2)
    return;
  for (guint c = 0; c < 3; c++)
    fills[c] = CLAMP (rint (255 * mean[c]), 0, 255);
  fv_json_put_numbers (json, "mean", "pad", fills, 3);
}

void
fv_json_read_timm (FvJson *json)
{
  double mean[3] = { 0.485, 0.456, 0.406 }, std[3] = { 0.229, 0.224, 0.225 };
  FvJson config;

  fv_json_put (json, "architecture", "head", "classify");
  read_labels (json);
  if (!fv_json_child (json, "pretrained_cfg", &config))
    return;
  config.defaults = "timm";
  fv_json_put (&config, NULL, "channels", "rgb");
  if (fv_json_numbers (&config, "mean", -1e3, 1e3, 3, mean) % 3 != 0)
    fv_json_fail (&config, "mean", "three numbers");
  if (fv_json_numbers (&config, "std", 1e-6, 1e3, 3, std) % 3 != 0)
    fv_json_fail (&config, "std", "three numbers");
  fv_json_put_numbers (&config, "mean", "mean", mean, 3);
  fv_json_put_numbers (&config, "std", "std", std, 3);
  fv_json_put_pillow (&config);
  read_place (&config, mean);
  fv_json_close (&config);
}
