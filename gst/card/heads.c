/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the outputs mean. */
#include "gst/card/settings.h"

#include <string.h>

const char *const fv_head_nicks[] = { "none", "classify", "detect", "segment",
  "depth", NULL };
const char *const fv_activation_nicks[] = { "none", "sigmoid", "softmax",
  NULL };
static const char *const depth_nicks[] = { "inverse", "metric", NULL };

/* (nullable) the setting that labels are taken from */
static const FvSetting *
said_labels (const FvCard *card, const char *name)
{
  const FvSetting *labels = fv_settings_get (card, name, "labels");
  const FvSetting *file = fv_settings_get (card, name, "labels-file");

  return file != NULL && (labels == NULL || labels->source < file->source)
      ? file
      : labels;
}

/* The labels of the card's file lie beside the card. */
static gboolean
read_labels (FvCard *card, const char *name, FvCardHead *head, GError **error)
{
  const FvSetting *said = said_labels (card, name);
  const char *file = fv_settings_string (card, name, "labels-file");

  if (said != NULL && said == fv_settings_get (card, name, "labels-file")) {
    g_autofree char *folder =
        card->card_path && said->source != FV_CARD_PROPERTY
        ? g_path_get_dirname (card->card_path)
        : g_strdup (".");
    g_autofree char *path = g_path_is_absolute (file)
        ? g_strdup (file)
        : g_build_filename (folder, file, NULL);
    head->labels = fv_labels_load (path, error);
    if (head->labels == NULL)
      return FALSE;
  } else if (said != NULL) {
    head->labels = g_strdupv (said->values);
  }
  return TRUE;
}

/* Where training set the first class aside (do_reduce_labels) a list of one label
 * too many still has it. */
gboolean
fv_card_reduce_labels (FvCard *card, const char *name, FvCardHead *head,
    GError **error)
{
  guint n = head->labels ? g_strv_length (head->labels) : 0;
  gboolean reduce = FALSE;

  if (!fv_settings_bool (card, name, "reduce-labels", &reduce, error))
    return FALSE;
  if (!reduce)
    return TRUE;
  fv_card_line (card, name, "reduce-labels", FV_CARD_DEFAULT, "true");
  if (head->n_classes == 0 || n != head->n_classes + 1)
    return TRUE;
  g_free (head->labels[0]);
  memmove (head->labels, head->labels + 1, n * sizeof *head->labels);
  return TRUE;
}

static void
show_labels (FvCard *card, const char *name, const FvCardHead *head)
{
  const FvSetting *said = said_labels (card, name);
  guint n = head->labels ? g_strv_length (head->labels) : 0;
  FvCardLine *line;

  if (n == 0)
    return;
  line = fv_card_line (card, name, "labels", said->source, "%u: %s%s%s%s", n,
      head->labels[0], n > 1 ? ", " : "", n > 1 ? head->labels[1] : "",
      n > 2 ? ", ..." : "");
  fv_card_line_from (line, said->source, said->where);
}

/* Labels of the wrong number name the wrong things. Whoever asks for them by a
 * property is told so by an error; a card's or a file's are doubtful. */
static gboolean
check_labels (FvCard *card, const char *name, const FvCardHead *head,
    GError **error)
{
  guint n = head->labels ? g_strv_length (head->labels) : 0;
  const FvSetting *said = said_labels (card, name);

  if (n == 0 || head->n_classes == 0 || n == head->n_classes)
    return TRUE;
  if (said->source != FV_CARD_PROPERTY) {
    fv_card_warn (card, "%s: %u labels were given, output '%s' has %u classes",
        said->where, n, head->name, head->n_classes);
    return TRUE;
  }
  g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
      "%s: %u labels were given, output '%s' has %u classes", card->priv->name,
      n, head->name, head->n_classes);
  return FALSE;
}

gboolean
fv_card_check_rank (const FvCard *card, const FvCardHead *head, guint low,
    guint high, GError **error)
{
  const FvCardOutput *output = &card->priv->outputs[head->output];

  if (!output->has_shape
      || (output->shape.rank >= low && output->shape.rank <= high))
    return TRUE;
  g_autofree char *shape = fv_shape_to_string (&output->shape);
  g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
      "output '%s' of %s cannot be read by a %s head: expected %u to %u axes, "
      "it is %s",
      output->name, card->priv->name, fv_head_nicks[head->kind], low, high,
      shape);
  return FALSE;
}

gboolean
fv_card_read_activation (FvCard *card, const char *name,
    FvActivation *activation, GError **error)
{
  gint value = *activation;

  if (!fv_settings_enum (card, name, "activation", fv_activation_nicks, &value,
          error))
    return FALSE;
  *activation = value;
  fv_card_line (card, name, "activation", FV_CARD_SHAPES, "%s",
      fv_activation_nicks[value]);
  return TRUE;
}

static gboolean
read_classify (FvCard *card, const char *name, FvCardHead *head, GError **error)
{
  const FvCardOutput *output = &card->priv->outputs[head->output];
  const char *producer = output->producer;
  gint64 count = output->has_shape ? fv_shape_count (&output->shape) : -1;

  head->background = -1;
  head->activation =
      strcmp (producer, "Softmax") == 0 || strcmp (producer, "Sigmoid") == 0
      ? FV_ACTIVATION_NONE
      : FV_ACTIVATION_SOFTMAX;
  if (!fv_card_check_rank (card, head, 1, 4, error)
      || !fv_card_read_activation (card, name, &head->activation, error)
      || !fv_settings_int (card, name, "background", -1, FV_MAX_LABELS,
          &head->background, error))
    return FALSE;
  if (count > (1 << 20)) {
    g_set_error (error, FV_ERROR, FV_ERROR_TOO_LARGE,
        "output '%s' of %s has %" G_GINT64_FORMAT " classes, at most %d",
        output->name, card->priv->name, count, 1 << 20);
    return FALSE;
  }
  head->n_classes = count > 0 ? (guint) count : 0;
  return TRUE;
}

static gboolean
read_depth (FvCard *card, const char *name, FvCardHead *head, GError **error)
{
  gint kind = FV_DEPTH_INVERSE;

  head->depth_scale = 1;
  head->channel_axis = -1;
  if (!fv_card_check_rank (card, head, 2, 4, error)
      || !fv_settings_enum (card, name, "depth", depth_nicks, &kind, error)
      || !fv_settings_float (card, name, "scale", -1e9, 1e9, &head->depth_scale,
          error)
      || !fv_settings_float (card, name, "shift", -1e9, 1e9, &head->depth_shift,
          error))
    return FALSE;
  head->depth = kind;
  fv_card_line (card, name, "depth", FV_CARD_DEFAULT, "%s", depth_nicks[kind]);
  fv_card_line (card, name, "scale", FV_CARD_DEFAULT, "%g", head->depth_scale);
  fv_card_line (card, name, "shift", FV_CARD_DEFAULT, "%g", head->depth_shift);
  return TRUE;
}

static gboolean
read_common (FvCard *card, const char *name, FvCardHead *head, GError **error)
{
  if (!fv_settings_output (card, name, "output", &head->output, error)
      || !fv_settings_float (card, name, "threshold", 0, 1, &head->threshold,
          error)
      || !fv_settings_float (card, name, "iou-threshold", 0, 1,
          &head->iou_threshold, error))
    return FALSE;
  fv_card_line (card, name, "head", FV_CARD_SHAPES, "%s",
      fv_head_nicks[head->kind]);
  if (head->threshold > 0)
    fv_card_line (card, name, "threshold", FV_CARD_DEFAULT, "%g",
        head->threshold);
  if (head->iou_threshold > 0)
    fv_card_line (card, name, "iou-threshold", FV_CARD_DEFAULT, "%g",
        head->iou_threshold);
  return TRUE;
}

static gboolean
read_head (FvCard *card, const char *name, FvHeadKind kind, GError **error)
{
  FvCardHead *head = &card->heads[card->n_heads];
  gboolean ok;

  memset (head, 0, sizeof *head);
  head->kind = kind;
  head->background = -1;
  ok = read_common (card, name, head, error)
      && read_labels (card, name, head, error);
  ok = ok && fv_card_read_masks (card, name, head, error);
  if (ok && kind == FV_HEAD_CLASSIFY)
    ok = read_classify (card, name, head, error);
  else if (ok
      && (kind == FV_HEAD_DETECT || head->masks.kind == FV_MASKS_PROTOTYPES))
    ok = fv_card_read_detect (card, name, head, error);
  else if (ok && kind == FV_HEAD_SEGMENT && head->masks.kind == FV_MASKS_NONE)
    ok = fv_card_read_segment (card, name, head, error);
  else if (ok && kind == FV_HEAD_DEPTH)
    ok = read_depth (card, name, head, error);
  if (ok) {
    head->name = g_strdup (card->priv->outputs[head->output].name);
    ok = check_labels (card, name, head, error);
    show_labels (card, name, head);
  }
  if (!ok) {
    fv_card_head_clear (head);
    return FALSE;
  }
  if (kind != FV_HEAD_DETECT)
    fv_card_line (card, name, "output", FV_CARD_SHAPES, "%s", head->name);
  card->n_heads++;
  return TRUE;
}

gboolean
fv_card_find_heads (FvCard *card, GError **error)
{
  FvCardPrivate *priv = card->priv;
  guint n = MAX (1, priv->heads->len);

  if (priv->n_outputs == 0)
    return TRUE;
  if (priv->heads->len == 0)
    fv_card_guess_heads (card);
  for (guint i = 0; i < n; i++) {
    const char *name = priv->heads->len ? priv->heads->pdata[i] : NULL;
    gint kind = FV_HEAD_NONE;

    if (!fv_settings_enum (card, name, "head", fv_head_nicks, &kind, error))
      return FALSE;
    if (kind == FV_HEAD_NONE
        || (priv->wanted != FV_HEAD_NONE && (FvHeadKind) kind != priv->wanted))
      continue;
    if (!read_head (card, name, kind, error))
      return FALSE;
  }
  return TRUE;
}
