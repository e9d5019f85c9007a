/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Maps of classes: where channels lie, and what their values are. */
#include "gst/card/settings.h"

#include <string.h>

/* Which axis of a map holds channels: the card's word, else the layout whose
 * other two sizes are the image's. */
static gint
default_channel_axis (const FvCard *card, const FvShape *s)
{
  if (s->rank < 4 || s->dims[1] == 1 || s->dims[3] == 1)
    return -1;
  return fv_card_map_axis (card, s);
}

/* Whether the values come out as probabilities: @one map, or two that sum to 1. */
static gboolean
has_probabilities (const FvCardOutput *output, gboolean one)
{
  static const char *const of_one[] = { "Sigmoid", "HardSigmoid", "Clip",
    NULL };
  static const char *const of_two[] = { "Softmax", NULL };

  return g_strv_contains (one ? of_one : of_two, output->producer);
}

gint
fv_card_background (char **labels)
{
  static const char *const names[] = { "background", "__background__", "bg" };

  for (guint i = 0; labels != NULL && labels[i] != NULL && i < 2; i++)
    for (guint k = 0; k < G_N_ELEMENTS (names); k++)
      if (g_ascii_strcasecmp (labels[i], names[k]) == 0)
        return (gint) i;
  return -1;
}

/* The class that is drawn as nothing. Nobody says which it is but the labels;
 * of two classes without any, the first is the rest, as everywhere. */
static gboolean
read_background (FvCard *card, const char *name, FvCardHead *head,
    GError **error)
{
  const FvCardOutput *output = &card->priv->outputs[head->output];

  head->background = fv_card_background (head->labels);
  if (head->n_classes == 2 && head->labels == NULL
      && strcmp (output->producer, "Sigmoid") != 0)
    head->background = 0;
  if (!fv_settings_int (card, name, "background", -1, 65534, &head->background,
          error))
    return FALSE;
  if (head->n_classes != 0 && head->background >= (gint) head->n_classes) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "background %d is not one of the %u classes of output '%s'",
        head->background, head->n_classes, output->name);
    return FALSE;
  }
  if (head->background >= 0)
    fv_card_line (card, name, "background", FV_CARD_SHAPES, "%d",
        head->background);
  return TRUE;
}

/* Of two classes, one of them the background, the other's probability is a
 * matte. */
static gboolean
read_pair (FvCard *card, const char *name, FvCardHead *head, GError **error)
{
  const FvCardOutput *output = &card->priv->outputs[head->output];

  head->activation = has_probabilities (output, FALSE) ? FV_ACTIVATION_NONE
                                                       : FV_ACTIVATION_SOFTMAX;
  return fv_card_read_activation (card, name, &head->activation, error);
}

/* One map: how sure each pixel is of the foreground. */
static gboolean
read_single (FvCard *card, const char *name, FvCardHead *head, GError **error)
{
  const FvCardOutput *output = &card->priv->outputs[head->output];

  head->channel_axis = -1;
  head->activation = head->class_map || has_probabilities (output, TRUE)
      ? FV_ACTIVATION_NONE
      : FV_ACTIVATION_SIGMOID;
  if (!head->class_map)
    head->n_classes = 2;
  return fv_card_read_activation (card, name, &head->activation, error);
}

static gboolean
read_axis (FvCard *card, const char *name, FvCardHead *head, GError **error)
{
  const FvCardOutput *output = &card->priv->outputs[head->output];
  const FvShape *s = &output->shape;

  head->channel_axis = output->has_shape ? default_channel_axis (card, s) : 1;
  head->class_map = !fv_type_is_float (output->type)
      || strcmp (output->producer, "ArgMax") == 0;
  if (!fv_settings_int (card, name, "channel-axis", -1, 3, &head->channel_axis,
          error)
      || !fv_settings_bool (card, name, "class-map", &head->class_map, error))
    return FALSE;
  if (head->channel_axis >= 0 && output->has_shape
      && (guint) head->channel_axis >= s->rank) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "channel-axis %d of output '%s' is not one of its %u axes",
        head->channel_axis, output->name, s->rank);
    return FALSE;
  }
  return TRUE;
}

gboolean
fv_card_read_segment (FvCard *card, const char *name, FvCardHead *head,
    GError **error)
{
  const FvCardOutput *output = &card->priv->outputs[head->output];
  gint64 channels = 0;
  gboolean ok = TRUE;

  if (!fv_card_check_rank (card, head, 2, 4, error)
      || !read_axis (card, name, head, error))
    return FALSE;
  if (head->channel_axis >= 0 && output->has_shape)
    channels = output->shape.dims[head->channel_axis];
  if (head->channel_axis < 0 || channels == 1) {
    ok = read_single (card, name, head, error);
  } else if (!head->class_map) {
    head->n_classes = (guint) CLAMP (channels, 0, 65536);
    ok = channels != 2 || read_pair (card, name, head, error);
  }
  ok = ok && fv_card_reduce_labels (card, name, head, error);
  if (ok && (head->channel_axis >= 0 || head->class_map))
    ok = read_background (card, name, head, error);
  fv_card_line (card, name, "channel-axis", FV_CARD_SHAPES, "%d",
      head->channel_axis);
  if (head->class_map)
    fv_card_line (card, name, "class-map", FV_CARD_SHAPES, "true");
  if (!ok || head->n_classes <= 65535)
    return ok;
  g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
      "output '%s' has more than 65535 classes", output->name);
  return FALSE;
}
