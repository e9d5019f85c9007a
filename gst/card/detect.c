/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Detectors: each decoder is a row of defaults, which keys of the card change. */
#include "gst/card/settings.h"

#include <string.h>

const char *const fv_detect_nicks[] = { "none", "yolox", "yolov5", "yolov8",
  "yolov10", "nanodet", "detr", "boxes", "ssd", "face", "blazeface", "yolov7",
  "flat", "paddle", "fastestdet", NULL };
const char *const fv_box_nicks[] = { "cxcywh", "xyxy", "grid-exp", "distances",
  "distribution", "prior", "grid-offset", "yxyx", "grid-tanh", NULL };

#define STRIDES .n_strides = 3, .strides = { 8, 16, 32 }
#define POWERS .score_power = 1, .objectness_power = 1
#define NONE .objectness_channel = -1, .class_channel = -1, .background = -1

static const FvCardDetect decoders[] = {
  [FV_DETECT_NONE] = { NONE, POWERS },
  [FV_DETECT_YOLOX] = { .box_format = FV_BOX_GRID_EXP,
      .score_channel = 5,
      .objectness_channel = 4,
      .class_channel = -1,
      .background = -1,
      POWERS,
      STRIDES,
      .nms = TRUE },
  [FV_DETECT_YOLOV5] = { .box_format = FV_BOX_CXCYWH,
      .score_channel = 5,
      .objectness_channel = 4,
      .class_channel = -1,
      .background = -1,
      POWERS,
      .nms = TRUE },
  [FV_DETECT_YOLOV8] = { .box_format = FV_BOX_CXCYWH,
      .score_channel = 4,
      NONE,
      POWERS,
      .transposed = TRUE,
      .nms = TRUE },
  [FV_DETECT_YOLOV10] = { .box_format = FV_BOX_XYXY,
      .score_channel = 4,
      .class_channel = 5,
      .objectness_channel = -1,
      .background = -1,
      .n_classes = 1,
      POWERS },
  [FV_DETECT_NANODET] = { .box_format = FV_BOX_DISTRIBUTION,
      NONE,
      POWERS,
      STRIDES,
      .cell_offset = 0.5f,
      .nms = TRUE },
  [FV_DETECT_DETR] = { .box_format = FV_BOX_CXCYWH,
      NONE,
      POWERS,
      .normalised = TRUE,
      .score_activation = FV_ACTIVATION_SOFTMAX },
  [FV_DETECT_BOXES] = { .box_format = FV_BOX_XYXY, NONE, POWERS, .nms = TRUE },
  [FV_DETECT_SSD] = { .box_format = FV_BOX_PRIOR,
      POWERS,
      .objectness_channel = -1,
      .class_channel = -1,
      .normalised = TRUE,
      .score_activation = FV_ACTIVATION_SOFTMAX,
      .variances = { 0.1f, 0.2f },
      .nms = TRUE },
  [FV_DETECT_FACE] = { .box_format = FV_BOX_GRID_EXP,
      .objectness_channel = 0,
      .class_channel = -1,
      .background = -1,
      .score_power = 0.5f,
      .objectness_power = 0.5f,
      STRIDES,
      .nms = TRUE },
  [FV_DETECT_BLAZEFACE] = { .box_format = FV_BOX_GRID_OFFSET,
      NONE,
      POWERS,
      .score_activation = FV_ACTIVATION_SIGMOID,
      .n_strides = 2,
      .strides = { 8, 16 },
      .per_cell = { 2, 6 },
      .cell_offset = 0.5f,
      .nms = TRUE },
  [FV_DETECT_YOLOV7] = { .box_format = FV_BOX_XYXY,
      .box_channel = 1,
      .class_channel = 5,
      .score_channel = 6,
      .objectness_channel = -1,
      .background = -1,
      .n_classes = 1,
      POWERS },
  [FV_DETECT_FLAT] = { .box_format = FV_BOX_XYXY,
      .box_channel = 1,
      .score_channel = 5,
      .class_channel = 6,
      .objectness_channel = -1,
      .background = -1,
      .n_classes = 1,
      POWERS },
  [FV_DETECT_PADDLE] = { .box_format = FV_BOX_XYXY,
      .class_channel = 0,
      .score_channel = 1,
      .box_channel = 2,
      .objectness_channel = -1,
      .background = -1,
      .n_classes = 1,
      POWERS },
  [FV_DETECT_FASTEST] = { .box_format = FV_BOX_GRID_TANH,
      .box_channel = 1,
      .score_channel = 5,
      .class_channel = -1,
      .background = -1,
      .score_power = 0.4f,
      .objectness_power = 0.6f,
      .transposed = TRUE,
      .n_strides = 1,
      .strides = { 16 },
      .nms = TRUE },
};

gboolean
fv_detect_axes (const FvShape *shape, gboolean transposed, guint *candidates,
    gint *channels)
{
  guint r = shape->rank;

  if (r == 1 || (r == 2 && shape->dims[0] == 1)) { /* [N], [1, N] */
    *candidates = r - 1;
    *channels = -1;
    return TRUE;
  }
  if (r < 2)
    return FALSE;
  if (r == 4 && shape->dims[0] == 1 && shape->dims[1] != 1) { /* a grid */
    *candidates = transposed ? 3 : 2;
    *channels = transposed ? 1 : 3;
    return TRUE;
  }
  for (guint i = 0; i + 2 < r; i++)
    if (shape->dims[i] != 1)
      return FALSE;
  *candidates = transposed ? r - 1 : r - 2;
  *channels = (gint) (transposed ? r - 2 : r - 1);
  return TRUE;
}

/* Candidates and channels of output @index; 0 where they are not known yet. */
static gboolean
measure (const FvCard *card, const FvCardDetect *d, guint index, gint64 *n,
    gint64 *channels, GError **error)
{
  const FvCardOutput *output = &card->priv->outputs[index];
  gboolean transposed =
      d->transposed || (d->selected != FV_NO_OUTPUT && index != d->boxes[0]);
  guint candidate_axis;
  gint channel_axis;

  *n = *channels = 0;
  if (!output->has_shape)
    return TRUE;
  FvShape shape = output->shape;
  /* in front of candidates stands the batch, unless boxes have no such axis */
  if (shape.dims[0] == -1
      && (shape.rank > 2
          || (shape.rank == 2
              && card->priv->outputs[d->boxes[0]].shape.rank > 2)))
    shape.dims[0] = 1;
  if (!fv_detect_axes (&shape, transposed, &candidate_axis, &channel_axis)) {
    g_autofree char *text = fv_shape_to_string (&output->shape);
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "output '%s' of %s cannot be read by decoder %s: expected [1, N, K] or "
        "[1, K, N], it is %s",
        output->name, card->priv->name, fv_detect_nicks[d->decoder], text);
    return FALSE;
  }
  *n = MAX (0, shape.dims[candidate_axis]);
  if (shape.rank == 4)
    *n *= MAX (0, shape.dims[candidate_axis - 1]);
  *channels = channel_axis < 0 ? 1 : MAX (0, shape.dims[channel_axis]);
  return TRUE;
}

static gboolean
read_outputs (FvCard *card, const char *name, const char *key, guint *outputs,
    guint *n, GError **error)
{
  const FvSetting *setting = fv_settings_get (card, name, key);
  guint count;

  if (setting == NULL)
    return TRUE;
  count = g_strv_length (setting->values);
  if (count == 0 || count > FV_MAX_LEVELS) {
    g_set_error (error, FV_ERROR, FV_ERROR_MALFORMED,
        "%s: %s must name 1 to %d outputs, not %u", setting->where, key,
        FV_MAX_LEVELS, count);
    return FALSE;
  }
  for (guint i = 0; i < count; i++)
    if (!fv_card_find_output (card, setting->values[i], setting->where,
            &outputs[i], error))
      return FALSE;
  *n = count;
  return TRUE;
}

static gboolean
check_groups (const FvCard *card, const char *role, guint n, guint groups,
    GError **error)
{
  if (n == groups)
    return TRUE;
  g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
      "the detect head of %s names %u outputs as boxes and %u as %s: expected "
      "as many",
      card->priv->name, groups, n, role);
  return FALSE;
}

/* Which outputs play which part; each part may sit in the same output. */
static gboolean
read_roles (FvCard *card, const char *name, FvCardHead *head, GError **error)
{
  FvCardDetect *d = &head->detect;
  guint n_boxes = 0, n_scores = 0, n_objectness = 0;

  for (guint i = 0; i < FV_MAX_LEVELS; i++)
    d->boxes[i] = d->scores[i] = d->objectness[i] = FV_NO_OUTPUT;
  d->classes = d->priors = d->count = d->selected = FV_NO_OUTPUT;
  if (!read_outputs (card, name, "boxes", d->boxes, &n_boxes, error)
      || !read_outputs (card, name, "scores", d->scores, &n_scores, error)
      || !read_outputs (card, name, "objectness", d->objectness, &n_objectness,
          error)
      || !fv_settings_output (card, name, "class-numbers", &d->classes, error)
      || !fv_settings_output (card, name, "count", &d->count, error)
      || !fv_settings_output (card, name, "selected", &d->selected, error)
      || !fv_settings_output (card, name, "priors", &d->priors, error))
    return FALSE;
  if (n_boxes == 0) {
    d->boxes[0] = head->output;
    n_boxes = 1;
  }
  d->n_groups = n_boxes;
  if (n_scores == 0)
    memcpy (d->scores, d->boxes, sizeof d->scores);
  else if (!check_groups (card, "scores", n_scores, n_boxes, error))
    return FALSE;
  if (n_objectness != 0
      && !check_groups (card, "objectness", n_objectness, n_boxes, error))
    return FALSE;
  if (n_objectness == 0 && d->objectness_channel >= 0)
    memcpy (d->objectness, d->boxes, sizeof d->objectness);
  if (d->scores[0] != d->boxes[0]
      && fv_settings_get (card, name, "score-channel") == NULL)
    d->score_channel = 0;
  if (n_objectness != 0
      && fv_settings_get (card, name, "objectness-channel") == NULL)
    d->objectness_channel = 0;
  if (d->class_channel >= 0 && d->classes == FV_NO_OUTPUT)
    d->classes = d->boxes[0];
  if (d->classes != FV_NO_OUTPUT && d->class_channel < 0)
    d->class_channel = 0;
  head->output = d->boxes[0];
  return TRUE;
}

static gboolean
read_levels (FvCard *card, const char *name, FvCardDetect *d, GError **error)
{
  double strides[FV_MAX_LEVELS], cells[FV_MAX_LEVELS];
  guint n = 0, n_cells = 0;

  if (!fv_settings_numbers (card, name, "strides", 1, 1024, FV_MAX_LEVELS,
          strides, &n, error)
      || !fv_settings_numbers (card, name, "per-cell", 1, 64, FV_MAX_LEVELS,
          cells, &n_cells, error)
      || !fv_settings_float (card, name, "cell-offset", 0, 1, &d->cell_offset,
          error)
      || !fv_settings_uint (card, name, "bins", 2, 64, &d->bins, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    d->strides[i] = (guint) strides[i];
  if (n != 0)
    d->n_strides = n;
  for (guint i = 0; i < FV_MAX_LEVELS; i++) {
    if (n_cells != 0)
      d->per_cell[i] = (guint) cells[MIN (i, n_cells - 1)];
    else if (d->per_cell[i] == 0)
      d->per_cell[i] = 1;
  }
  return TRUE;
}

static gboolean
read_keys (FvCard *card, const char *name, FvCardDetect *d, GError **error)
{
  gint box = d->box_format, score = d->score_activation;
  gint objectness = d->objectness_activation;
  double variances[2];
  guint n = 0;

  if (!fv_settings_bool (card, name, "transposed", &d->transposed, error)
      || !fv_settings_int (card, name, "box-channel", 0, 65536, &d->box_channel,
          error)
      || !fv_settings_int (card, name, "score-channel", 0, 65536,
          &d->score_channel, error)
      || !fv_settings_int (card, name, "objectness-channel", -1, 65536,
          &d->objectness_channel, error)
      || !fv_settings_int (card, name, "class-channel", -1, 65536,
          &d->class_channel, error)
      || !fv_settings_int (card, name, "background", -1, 65536, &d->background,
          error)
      || !fv_settings_enum (card, name, "activation", fv_activation_nicks,
          &score, error)
      || !fv_settings_enum (card, name, "objectness-activation",
          fv_activation_nicks, &objectness, error)
      || !fv_settings_float (card, name, "score-power", 0.01, 10,
          &d->score_power, error)
      || !fv_settings_float (card, name, "objectness-power", 0.01, 10,
          &d->objectness_power, error)
      || !fv_settings_enum (card, name, "box-format", fv_box_nicks, &box, error)
      || !fv_settings_bool (card, name, "normalised", &d->normalised, error)
      || !fv_settings_bool (card, name, "many-labels", &d->many_labels, error)
      || !fv_settings_bool (card, name, "nms", &d->nms, error)
      || !fv_settings_numbers (card, name, "variances", 1e-6, 1e6, 2, variances,
          &n, error))
    return FALSE;
  d->box_format = box;
  d->score_activation = score;
  d->objectness_activation = objectness;
  if (n != 0) {
    d->variances[0] = (float) variances[0];
    d->variances[1] = (float) variances[n - 1];
  }
  return TRUE;
}

/* Four numbers a line: cx cy w h. */
static FvArray *
load_priors (const FvCard *card, const char *file, GError **error)
{
  g_autofree char *folder =
      card->card_path ? g_path_get_dirname (card->card_path) : g_strdup (".");
  g_autofree char *path = g_path_is_absolute (file)
      ? g_strdup (file)
      : g_build_filename (folder, file, NULL);
  gsize size = 0;
  g_autofree char *text = fv_read_text (path, FV_MAX_CARD_BYTES, &size, error);
  g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (float));
  g_auto (GStrv) words = NULL;
  FvArray *array;

  if (text == NULL)
    return NULL;
  words = g_strsplit_set (text, " \t\r\n,;", -1);
  for (guint i = 0; words[i] != NULL; i++) {
    double number = 0;
    float value;
    if (*words[i] == '\0')
      continue;
    if (!fv_parse_number (words[i], &number)) {
      g_set_error (error, FV_ERROR, FV_ERROR_MALFORMED,
          "%s: expected numbers, four to a box, not '%.20s'", path, words[i]);
      return NULL;
    }
    value = (float) number;
    g_array_append_val (values, value);
  }
  if (values->len == 0 || values->len % 4 != 0) {
    g_set_error (error, FV_ERROR, FV_ERROR_MALFORMED,
        "%s: expected four numbers (cx cy w h) for each box, it has %u numbers",
        path, values->len);
    return NULL;
  }
  FvShape shape = { 2, { values->len / 4, 4 } };
  array = fv_array_new (FV_TYPE_F32, &shape, error);
  if (array != NULL)
    memcpy (array->f32, values->data, array->size);
  return array;
}

static gint64
level_cells (const FvCard *card, const FvCardDetect *d, guint level)
{
  guint s = d->strides[level];
  return (gint64) ((card->input.width + s - 1) / s)
      * ((card->input.height + s - 1) / s) * d->per_cell[level];
}

static gboolean
uses_grid (const FvCardDetect *d)
{
  return d->box_format == FV_BOX_GRID_EXP || d->box_format == FV_BOX_DISTANCES
      || d->box_format == FV_BOX_DISTRIBUTION
      || d->box_format == FV_BOX_GRID_OFFSET
      || d->box_format == FV_BOX_GRID_TANH;
}

/* A detector of four levels, unless the card said how many there are. */
static void
adapt_levels (const FvCard *card, FvCardDetect *d, const char *name, gint64 n)
{
  gint64 cells = 0;

  if (d->n_groups == 1 && fv_settings_get (card, name, "strides") == NULL
      && d->n_strides == 3 && n > 0) {
    for (guint i = 0; i < 3; i++)
      cells += level_cells (card, d, i);
    d->strides[3] = 64;
    if (cells != n && cells + level_cells (card, d, 3) == n)
      d->n_strides = 4;
  }
}

static gboolean
check_cells (const FvCard *card, const FvCardDetect *d, GError **error)
{
  if (!uses_grid (d) || card->input.width == 0 || card->input.height == 0)
    return TRUE;
  if (d->n_strides == 0 || (d->n_groups > 1 && d->n_groups != d->n_strides)) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "the detect head of %s has %u strides for %u outputs with boxes",
        card->priv->name, d->n_strides, d->n_groups);
    return FALSE;
  }
  for (guint g = 0; g < d->n_groups; g++) {
    gint64 n, channels, expected = 0;
    if (!measure (card, d, d->boxes[g], &n, &channels, error))
      return FALSE;
    for (guint l = 0; l < d->n_strides; l++)
      if (d->n_groups == 1 || l == g)
        expected += level_cells (card, d, l);
    if (n == 0 || n == expected)
      continue;
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "output '%s' has %" G_GINT64_FORMAT
        " boxes, decoder %s with the strides "
        "of the card has %" G_GINT64_FORMAT " for an input of %ux%u",
        card->priv->outputs[d->boxes[g]].name, n, fv_detect_nicks[d->decoder],
        expected, card->input.width, card->input.height);
    return FALSE;
  }
  return TRUE;
}

/* How many score channels there are: what is behind the boxes, or all. */
static gboolean
count_classes (FvCard *card, const char *name, FvCardHead *head, GError **error)
{
  FvCardDetect *d = &head->detect;
  guint labels = head->labels ? g_strv_length (head->labels) : 0;
  gint64 n, channels, n_scores, score_channels, coefficients = 0;

  /* those of masks stand behind the scores, unless they are given apart */
  if (head->masks.kind == FV_MASKS_PROTOTYPES
      && head->masks.coefficients == FV_NO_OUTPUT) {
    coefficients = head->masks.n_prototypes;
    head->masks.coefficients = d->boxes[0];
  }
  if (!measure (card, d, d->boxes[0], &n, &channels, error)
      || !measure (card, d, d->scores[0], &n_scores, &score_channels, error))
    return FALSE;
  adapt_levels (card, d, name, n);
  if (d->box_format == FV_BOX_DISTRIBUTION && d->bins == 0)
    d->bins = d->scores[0] == d->boxes[0]
        ? 8 /* NanoDet-Plus */
        : (guint) CLAMP ((channels - d->box_channel) / 4, 0, 64);
  if (d->scores[0] == d->boxes[0] && d->decoder == FV_DETECT_NANODET) {
    if (fv_settings_get (card, name, "box-channel") == NULL)
      d->box_channel = (gint) MAX (0, channels - 4 * (gint64) d->bins);
    score_channels = d->box_channel;
  }
  if (d->n_classes == 0 && score_channels - coefficients > d->score_channel)
    d->n_classes = (guint) (score_channels - coefficients - d->score_channel);
  /* keypoints' channels stand behind those of the labels */
  if (d->decoder == FV_DETECT_YOLOV8 && labels > 0 && labels < d->n_classes
      && fv_settings_source (card, name, "labels", FV_CARD_DEFAULT)
          == FV_CARD_METADATA)
    d->n_classes = labels;
  if (!fv_settings_uint (card, name, "classes", 1, 65536, &d->n_classes, error))
    return FALSE;
  if (score_channels > 0
      && (gint64) d->score_channel + d->n_classes > score_channels) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "output '%s' has %" G_GINT64_FORMAT " channels, too few for %u classes "
        "behind channel %d",
        card->priv->outputs[d->scores[0]].name, score_channels, d->n_classes,
        d->score_channel);
    return FALSE;
  }
  if (channels > 0
      && d->box_channel
              + (d->box_format == FV_BOX_DISTRIBUTION ? 4 * d->bins : 4)
          > channels) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "output '%s' has %" G_GINT64_FORMAT " channels, too few for boxes in "
        "format %s",
        card->priv->outputs[d->boxes[0]].name, channels,
        fv_box_nicks[d->box_format]);
    return FALSE;
  }
  if (head->masks.kind != FV_MASKS_PROTOTYPES)
    return TRUE;
  return measure (card, d, head->masks.coefficients, &n, &channels, error)
      && fv_card_place_coefficients (card, head, channels, error);
}

/* Whether a DETR was trained with a sigmoid for each class, and not with a softmax
 * over the classes and "no object". Labels tell it by their number. Without them:
 * boxes refined by inverse sigmoids (Log), deformable attention (GridSample) and
 * queries that are the best of all places (TopK) came along with the sigmoid; and
 * 80 and 91 are COCO's classes alone. */
static gboolean
is_sigmoid_detr (const FvCard *card, const FvCardHead *head, gint64 channels)
{
  static const char *const signs[] = { "Log", "GridSample", "TopK" };
  gint64 labels = head->labels ? g_strv_length (head->labels) : 0;

  if (channels > 0 && (labels == channels || labels == channels - 1))
    return labels == channels;
  for (guint i = 0; i < G_N_ELEMENTS (signs); i++)
    if (g_hash_table_contains (card->priv->ops, signs[i]))
      return TRUE;
  return channels == 80 || channels == 91;
}

/* By the model itself, or still to be done. */
static gboolean
is_softmax (const FvCard *card, const FvCardDetect *d)
{
  return d->score_activation == FV_ACTIVATION_SOFTMAX
      || strcmp (card->priv->outputs[d->scores[0]].producer, "Softmax") == 0;
}

/* What is still to be done to the scores of a DETR, where nobody said. */
static gboolean
default_activation (FvCard *card, const char *name, FvCardHead *head,
    GError **error)
{
  FvCardDetect *d = &head->detect;
  const char *producer = card->priv->outputs[d->scores[0]].producer;
  gint64 n, channels;

  if (d->decoder != FV_DETECT_DETR)
    return TRUE;
  if (!measure (card, d, d->scores[0], &n, &channels, error))
    return FALSE;
  if (fv_settings_get (card, name, "activation") == NULL) {
    if (strcmp (producer, "Sigmoid") == 0 || strcmp (producer, "Softmax") == 0)
      d->score_activation = FV_ACTIVATION_NONE;
    else if (is_sigmoid_detr (card, head, channels))
      d->score_activation = FV_ACTIVATION_SIGMOID;
  }
  if (fv_settings_get (card, name, "many-labels") == NULL)
    d->many_labels = !is_softmax (card, d);
  return TRUE;
}

/* Last of the logits is "no object"; first of an SSD's is background. */
static void
default_background (FvCard *card, const char *name, FvCardHead *head)
{
  FvCardDetect *d = &head->detect;
  const char *producer = card->priv->outputs[d->scores[0]].producer;

  if (fv_settings_get (card, name, "background") == NULL) {
    if (d->decoder == FV_DETECT_DETR && is_softmax (card, d)
        && d->n_classes > 1)
      d->background = (gint) d->n_classes - 1;
    if (d->decoder == FV_DETECT_BOXES && d->n_classes == 2
        && strcmp (producer, "Softmax") == 0)
      d->background = 0;
  }
  if (d->decoder == FV_DETECT_SSD && strcmp (producer, "Softmax") == 0
      && fv_settings_get (card, name, "activation") == NULL)
    d->score_activation = FV_ACTIVATION_NONE;
  head->n_classes =
      d->n_classes - (d->background >= 0 && d->n_classes > 0 ? 1 : 0);
  if (d->classes != FV_NO_OUTPUT)
    head->n_classes = head->labels ? g_strv_length (head->labels) : 0;
  if (d->decoder == FV_DETECT_BOXES && d->n_classes == 2
      && fv_settings_get (card, name, "normalised") == NULL)
    d->normalised = TRUE;
}

/* A model that is told the frame's size gives boxes in the frame. */
static gboolean
read_unit (FvCard *card, const char *name, FvCardDetect *d, GError **error)
{
  static const FvExtraKind kinds[] = { FV_EXTRA_FRAME_WH, FV_EXTRA_FRAME_HW,
    FV_EXTRA_SCALE_WH, FV_EXTRA_SCALE_HW };
  gboolean is_told = FALSE;

  for (guint i = 0; i < card->n_extras; i++)
    for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
      is_told |= card->extras[i].kind == kinds[k];
  d->in_frame = is_told && !d->normalised && !uses_grid (d)
      && d->box_format != FV_BOX_PRIOR;
  return fv_settings_bool (card, name, "in-frame", &d->in_frame, error);
}

static void
add_lines (FvCard *card, const char *name, const FvCardHead *head)
{
  const FvCardDetect *d = &head->detect;
  g_autoptr (GString) text = g_string_new (NULL);

  fv_card_line (card, name, "decoder", FV_CARD_SHAPES, "%s",
      fv_detect_nicks[d->decoder]);
  for (guint i = 0; i < d->n_groups; i++)
    g_string_append_printf (text, "%s%s", i ? " " : "",
        card->priv->outputs[d->boxes[i]].name);
  fv_card_line (card, name, "boxes", FV_CARD_SHAPES, "%s", text->str);
  fv_card_line (card, name, "box-format", FV_CARD_SHAPES, "%s %s",
      fv_box_nicks[d->box_format],
      d->normalised     ? "0..1"
          : d->in_frame ? "pixels of the frame"
                        : "pixels");
  g_string_truncate (text, 0);
  for (guint i = 0; i < d->n_groups; i++)
    g_string_append_printf (text, "%s%s", i ? " " : "",
        card->priv->outputs[d->scores[i]].name);
  fv_card_line (card, name, "scores", FV_CARD_SHAPES, "%s", text->str);
  fv_card_line (card, name, "classes", FV_CARD_SHAPES, "%u", head->n_classes);
  fv_card_line (card, name, "activation", FV_CARD_SHAPES, "%s",
      fv_activation_nicks[d->score_activation]);
  if (d->background >= 0)
    fv_card_line (card, name, "background", FV_CARD_SHAPES, "%d",
        d->background);
  if (d->many_labels)
    fv_card_line (card, name, "many-labels", FV_CARD_SHAPES, "true");
  if (d->count != FV_NO_OUTPUT)
    fv_card_line (card, name, "count", FV_CARD_SHAPES, "%s",
        card->priv->outputs[d->count].name);
  if (d->selected != FV_NO_OUTPUT)
    fv_card_line (card, name, "selected", FV_CARD_SHAPES, "%s",
        card->priv->outputs[d->selected].name);
  g_string_truncate (text, 0);
  for (guint i = 0; i < d->n_strides; i++)
    g_string_append_printf (text, "%s%u", i ? " " : "", d->strides[i]);
  if (uses_grid (d))
    fv_card_line (card, name, "strides", FV_CARD_SHAPES, "%s", text->str);
  fv_card_line (card, name, "nms", FV_CARD_SHAPES, "%s",
      d->nms ? "true" : "false");
}

/* Shapes that are free may tell it once they are bound. */
static gboolean
no_decoder (const FvCard *card, const FvCardHead *head, GError **error)
{
  const FvCardOutput *output = &card->priv->outputs[head->output];
  g_autofree char *shape = fv_shape_to_string (&output->shape);

  if (!card->priv->bound)
    return TRUE;
  g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
      "the outputs of %s tell no detector ('%s' is %s): name its decoder in a "
      ".modelinfo",
      card->priv->name, output->name, shape);
  return FALSE;
}

gboolean
fv_card_read_detect (FvCard *card, const char *name, FvCardHead *head,
    GError **error)
{
  FvCardDetect *d = &head->detect;
  const char *priors = fv_settings_string (card, name, "priors-file");
  gint decoder = FV_DETECT_NONE;

  if (!fv_settings_enum (card, name, "decoder", fv_detect_nicks, &decoder,
          error))
    return FALSE;
  *d = decoders[FV_DETECT_NONE];
  if (decoder == FV_DETECT_NONE)
    return no_decoder (card, head, error);
  *d = decoders[decoder];
  d->decoder = decoder;
  if (!read_keys (card, name, d, error) || !read_roles (card, name, head, error)
      || !read_levels (card, name, d, error)
      || !default_activation (card, name, head, error)
      || !count_classes (card, name, head, error)
      || !check_cells (card, d, error))
    return FALSE;
  default_background (card, name, head);
  if (!read_unit (card, name, d, error))
    return FALSE;
  if (priors != NULL) {
    d->prior_boxes = load_priors (card, priors, error);
    if (d->prior_boxes == NULL)
      return FALSE;
  }
  if (d->box_format == FV_BOX_PRIOR && d->prior_boxes == NULL
      && d->priors == FV_NO_OUTPUT) {
    g_set_error (error, FV_ERROR, FV_ERROR_NOT_FOUND,
        "the detect head of %s needs prior boxes: a card names an output "
        "(priors) or a file (priors-file)",
        card->priv->name);
    return FALSE;
  }
  add_lines (card, name, head);
  return TRUE;
}
