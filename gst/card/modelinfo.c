/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* <model>.modelinfo: GStreamer's groups, one per tensor, and ours; see
 * docs/model-cards.md. */
#include "gst/card/settings.h"

#include <string.h>

const char *const fv_modelinfo_input_keys[] = { "model", "input", "layout",
  "width", "height", "multiple", "channels", "mean", "std", "resize", "anchor",
  "pad", "crop-fraction", "crop-offset", "filter", "antialias", "eight-bits",
  "free-size", "shortest-edge", "longest-edge", "most-width", "most-height",
  "multiple-rounding", NULL };
const char *const fv_modelinfo_head_keys[] = { "head", "output", "labels",
  "labels-file", "threshold", "iou-threshold", "activation", "background",
  "classes", "channel-axis", "class-map", "depth", "scale", "shift", "decoder",
  "boxes", "scores", "objectness", "class-numbers", "count", "selected",
  "transposed", "box-channel", "score-channel", "objectness-channel",
  "class-channel", "objectness-activation", "score-power", "objectness-power",
  "box-format", "normalised", "in-frame", "many-labels", "strides", "per-cell",
  "cell-offset", "bins", "variances", "priors", "priors-file", "nms", "masks",
  "prototypes", "coefficients", "coefficient-channel", "stuff-scores",
  "stuff-activation", "mask-activation", "mask-threshold", "overlap-threshold",
  "things", "stuff", NULL };
static const char *const extra_keys[] = { "fill", "values", NULL };

/* Lists in ours are separated by ';' as in all key files; ',' does too. */
static char **
split_list (const char *text)
{
  g_auto (GStrv) parts = g_strsplit_set (text, ";,", FV_MAX_LABELS);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  guint n = g_strv_length (parts);

  for (guint i = 0; i < n; i++) {
    g_strstrip (parts[i]);
    if (*parts[i] != '\0' || i + 1 < n) /* a ';' may stand at the end */
      g_strv_builder_add (builder, parts[i]);
  }
  return g_strv_builder_end (builder);
}

static gboolean
is_text (const char *key)
{
  return strcmp (key, "model") == 0 || strcmp (key, "input") == 0
      || strcmp (key, "output") == 0 || strcmp (key, "labels-file") == 0
      || strcmp (key, "priors-file") == 0;
}

static gboolean
read_own_group (FvCard *card, GKeyFile *file, const char *group,
    const char *prefix, const char *const *allowed,
    const char *const *also_allowed, const char *path, GError **error)
{
  g_auto (GStrv) keys = g_key_file_get_keys (file, group, NULL, NULL);
  g_autofree char *where = g_strdup_printf ("%s: [%s]", path, group);

  for (guint i = 0; keys[i] != NULL; i++) {
    g_autofree char *value = g_key_file_get_string (file, group, keys[i], NULL);
    g_autofree char *full =
        *prefix ? g_strconcat (prefix, ".", keys[i], NULL) : g_strdup (keys[i]);

    if (!g_strv_contains (allowed, keys[i])
        && (also_allowed == NULL || !g_strv_contains (also_allowed, keys[i]))) {
      g_set_error (error, FV_ERROR, FV_ERROR_MALFORMED,
          "%s has a key '%s' that is not known here", where, keys[i]);
      return FALSE;
    }
    if (value == NULL) {
      g_set_error (error, FV_ERROR, FV_ERROR_MALFORMED,
          "%s: %s is not UTF-8 text with the escapes of key files", where,
          keys[i]);
      return FALSE;
    }
    if (is_text (keys[i])) {
      fv_settings_put (card, full, value, FV_CARD_MODELINFO, where);
    } else {
      g_auto (GStrv) list = split_list (value);
      fv_settings_put_list (card, full, (const char *const *) list,
          FV_CARD_MODELINFO, where);
    }
  }
  return TRUE;
}

/* GStreamer: y = x / 255 (max - min) + min, of each channel or of all. */
static gboolean
read_ranges (FvCard *card, const char *text, const char *where, GError **error)
{
  g_auto (GStrv) pairs = g_strsplit (text, ";", 5);
  double mean[3], std[3];
  guint n = 0;

  for (guint i = 0; pairs[i] != NULL; i++) {
    g_auto (GStrv) ends = g_strsplit (pairs[i], ",", 3);
    double low, high;

    if (*g_strstrip (pairs[i]) == '\0')
      continue;
    if (n == 3 || g_strv_length (ends) != 2 || !fv_parse_number (ends[0], &low)
        || !fv_parse_number (ends[1], &high) || low >= high) {
      g_set_error (error, FV_ERROR, FV_ERROR_MALFORMED,
          "%s: ranges must be 1 or 3 pairs 'low,high' separated by ';', not "
          "'%.60s'",
          where, text);
      return FALSE;
    }
    mean[n] = low == 0 ? 0 : -low / (high - low);
    std[n++] = 1 / (high - low);
  }
  if (n == 0)
    return TRUE;
  fv_settings_put_numbers (card, "mean", mean, n, FV_CARD_MODELINFO, where);
  fv_settings_put_numbers (card, "std", std, n, FV_CARD_MODELINFO, where);
  return TRUE;
}

/* -1 is any size: of an input with 4 sizes, the two that are no channels. */
static void
read_input_dims (FvCard *card, const char *text, const char *where)
{
  g_auto (GStrv) dims = split_list (text);
  double d[4];
  guint h;

  if (g_strv_length (dims) != 4)
    return;
  for (guint i = 0; i < 4; i++)
    if (!fv_parse_number (dims[i], &d[i]))
      return;
  h = d[3] == 1 || d[3] == 3 ? 1 : 2;
  if (d[h] > 0)
    fv_settings_put_numbers (card, "height", &d[h], 1, FV_CARD_MODELINFO,
        where);
  if (d[h + 1] > 0)
    fv_settings_put_numbers (card, "width", &d[h + 1], 1, FV_CARD_MODELINFO,
        where);
}

/* GStreamer's registered numbers of tensors that we can decode. */
static void
read_tensor_id (FvCard *card, const char *id, const char *tensor,
    const char *where)
{
  static const struct
  {
    const char *id, *head, *decoder, *activation;
  } known[] = {
    { "yolo-v8-out", "detect", "yolov8", NULL },
    { "yolo-v8-segmentation-out-detections", "detect", "yolov8", NULL },
    { "classification-generic-out", "classify", NULL, NULL },
    { "classification-generic-softmaxed-out", "classify", NULL, "none" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (known); i++) {
    if (strcmp (known[i].id, id) != 0)
      continue;
    fv_settings_put (card, "head", known[i].head, FV_CARD_MODELINFO, where);
    fv_settings_put (card, "output", tensor, FV_CARD_MODELINFO, where);
    if (known[i].decoder != NULL)
      fv_settings_put (card, "decoder", known[i].decoder, FV_CARD_MODELINFO,
          where);
    if (known[i].activation != NULL)
      fv_settings_put (card, "activation", known[i].activation,
          FV_CARD_MODELINFO, where);
  }
}

static gboolean
read_tensor_group (FvCard *card, GKeyFile *file, const char *group,
    const char *path, GError **error)
{
  g_autofree char *where = g_strdup_printf ("%s: [%s]", path, group);
  g_autofree char *dir = g_key_file_get_string (file, group, "dir", NULL);
  g_autofree char *ranges = g_key_file_get_string (file, group, "ranges", NULL);
  g_autofree char *dims = g_key_file_get_string (file, group, "dims", NULL);
  g_autofree char *id = g_key_file_get_string (file, group, "id", NULL);

  if (g_strcmp0 (dir, "input") == 0) {
    fv_settings_put (card, "input", group, FV_CARD_MODELINFO, where);
    if (dims != NULL)
      read_input_dims (card, dims, where);
    return ranges == NULL || read_ranges (card, ranges, where, error);
  }
  if (id != NULL && g_strcmp0 (dir, "output") == 0)
    read_tensor_id (card, id, group, where);
  return TRUE;
}

static gboolean
read_version (GKeyFile *file, const char *path, GError **error)
{
  g_autofree char *version =
      g_key_file_get_string (file, "modelinfo", "version", NULL);

  if (version == NULL || g_str_has_prefix (version, "1."))
    return TRUE;
  g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
      "%s: [modelinfo] version 1 is known, this is '%.20s'", path, version);
  return FALSE;
}

gboolean
fv_card_read_modelinfo (FvCard *card, const char *path, const char *data,
    gsize size, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) local = NULL;
  g_auto (GStrv) groups = NULL;
  gboolean ok = TRUE;

  if (size == 0
      || !g_key_file_load_from_data (file, data, size, G_KEY_FILE_NONE,
          &local)) {
    g_set_error (error, FV_ERROR, FV_ERROR_MALFORMED,
        "%s: a .modelinfo is a key file with groups: %s", path,
        local ? local->message : "this one is empty");
    return FALSE;
  }
  if (!read_version (file, path, error))
    return FALSE;
  groups = g_key_file_get_groups (file, NULL);
  for (guint i = 0; ok && groups[i] != NULL; i++)
    if (!g_str_equal (groups[i], "modelinfo")
        && !g_str_has_prefix (groups[i], "fovea"))
      ok = read_tensor_group (card, file, groups[i], path, error);
  for (guint i = 0; ok && groups[i] != NULL; i++) {
    const char *group = groups[i];
    if (g_str_equal (group, "fovea")) {
      ok = read_own_group (card, file, group, "", fv_modelinfo_input_keys,
          fv_modelinfo_head_keys, path, error);
    } else if (g_str_has_prefix (group, "fovea head ")) {
      const char *name = group + strlen ("fovea head ");
      if (*name != '\0' && card->priv->heads->len < FV_MAX_HEADS)
        g_ptr_array_add (card->priv->heads, g_strdup (name));
      ok = *name != '\0'
          && read_own_group (card, file, group, name, fv_modelinfo_head_keys,
              NULL, path, error);
    } else if (g_str_has_prefix (group, "fovea input ")) {
      g_autofree char *prefix =
          g_strconcat ("input ", group + strlen ("fovea input "), NULL);
      ok = read_own_group (card, file, group, prefix, extra_keys, NULL, path,
          error);
    } else if (g_str_has_prefix (group, "fovea")) {
      ok = FALSE;
    }
    if (!ok && error != NULL && *error == NULL)
      g_set_error (error, FV_ERROR, FV_ERROR_MALFORMED,
          "%s: [%s] must be [fovea], [fovea head NAME] or [fovea input NAME]",
          path, group);
  }
  return ok;
}
