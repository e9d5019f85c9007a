/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Heads told from names and shapes of outputs alone. */
#include "gst/card/settings.h"

#include <string.h>

#define WHERE "names and shapes of the outputs"

void
fv_card_guess (FvCard *card, const char *key, const char *value)
{
  fv_settings_put (card, key, value, FV_CARD_SHAPES, WHERE);
}

void
fv_card_guess_list (FvCard *card, const char *key, const char *const *values)
{
  fv_settings_put_list (card, key, values, FV_CARD_SHAPES, WHERE);
}

gboolean
fv_name_has (const char *name, const char *const *parts)
{
  g_autofree char *lower = g_ascii_strdown (name, -1);

  for (guint i = 0; parts[i] != NULL; i++)
    if (strstr (lower, parts[i]) != NULL)
      return TRUE;
  return FALSE;
}

gboolean
fv_card_is_foreign (const FvCard *card, const FvCardOutput *output)
{
  static const char *const parts[] = { "embed", "hidden_state", "pooler",
    "feature", "heatmap", "keypoint", "kpt", "landmark", "simcc", NULL };

  return fv_settings_get (card, NULL, "head") == NULL
      && fv_name_has (output->name, parts);
}

static gboolean
wants (const FvCard *card, FvHeadKind kind)
{
  return card->priv->wanted == FV_HEAD_NONE || card->priv->wanted == kind;
}

gboolean
fv_card_is_image_sized (const FvCard *card, gint64 height, gint64 width)
{
  gint64 w = card->input.width, h = card->input.height;
  gint64 slack;

  if (height < 2 || width < 2)
    return FALSE;
  if (w == 0 || h == 0)
    return TRUE;
  slack = MAX (w, h); /* sizes are rounded: one row more or less is fine */
  return height <= h && width <= w && ABS (height * w - width * h) <= slack;
}

static const char *const depth_names[] = { "depth", "disp", NULL };
static const char *const mask_names[] = { "seg", "mask", "matte", "alpha",
  "class", NULL };

gboolean
fv_card_is_map (const FvCard *card, const FvCardOutput *output)
{
  const gint64 *d = output->shape.dims + 1;

  return !fv_type_is_float (output->type)
      || fv_name_has (output->name, depth_names)
      || fv_name_has (output->name, mask_names)
      || (d[0] == card->input.height && d[1] == card->input.width);
}

static gboolean
guess_classify (FvCard *card)
{
  if (!wants (card, FV_HEAD_CLASSIFY))
    return FALSE;
  for (guint i = 0; i < card->priv->n_outputs; i++) {
    const FvCardOutput *output = &card->priv->outputs[i];
    const FvShape *s = &output->shape;
    guint wide = 0;

    if (!output->has_shape || s->rank < 1 || fv_card_is_foreign (card, output))
      continue;
    for (guint a = 0; a < s->rank; a++)
      if (s->dims[a] < 0 && card->priv->bound)
        wide = 2; /* a list, as long as the data decides */
      else
        wide += s->dims[a] > 1;
    if (s->rank != 3 && wide == 1 && (s->rank == 1 || s->dims[0] <= 1)) {
      fv_card_guess (card, "head", "classify");
      fv_card_guess (card, "output", output->name);
      return TRUE;
    }
  }
  return FALSE;
}

/* [1, C, h, w], [1, h, w, C] or, for one map, [1, h, w]: its axis of channels,
 * -1 for none, -2 where it is no map. */
static gint
map_channel_axis (const FvCard *card, const FvShape *s)
{
  if (s->rank < 2 || (s->rank > 2 && s->dims[0] > 1))
    return -2;
  if (s->rank == 4 && fv_card_is_image_sized (card, s->dims[2], s->dims[3]))
    return s->dims[1] == 1 ? -1 : 1;
  if (s->rank == 4 && fv_card_is_image_sized (card, s->dims[1], s->dims[2]))
    return s->dims[3] == 1 ? -1 : 3;
  if (s->rank <= 3
      && fv_card_is_image_sized (card, s->dims[s->rank - 2],
          s->dims[s->rank - 1]))
    return -1;
  return -2;
}

static gboolean
guess_map (FvCard *card)
{
  for (guint i = 0; i < card->priv->n_outputs; i++) {
    const FvCardOutput *output = &card->priv->outputs[i];
    const char *kind = NULL;
    gint axis = -2;

    if (output->has_shape && !fv_card_is_foreign (card, output))
      axis = map_channel_axis (card, &output->shape);
    if (axis == -2)
      continue;
    if (axis >= 0)
      kind = wants (card, FV_HEAD_SEGMENT) ? "segment" : NULL;
    else if (card->priv->wanted == FV_HEAD_DEPTH
        || card->priv->wanted == FV_HEAD_SEGMENT)
      kind = fv_head_nicks[card->priv->wanted];
    else if (card->priv->wanted != FV_HEAD_NONE)
      kind = NULL;
    else if (fv_name_has (output->name, depth_names))
      kind = "depth";
    else if (fv_name_has (output->name, mask_names)
        || !fv_type_is_float (output->type)
        || strcmp (output->producer, "ArgMax") == 0)
      kind = "segment";
    else if (strcmp (output->producer, "Relu") == 0) /* DPT and its kin */
      kind = "depth";
    if (kind == NULL)
      continue;
    fv_card_guess (card, "head", kind);
    fv_card_guess (card, "output", output->name);
    return TRUE;
  }
  return FALSE;
}

/* A detector, with masks for its boxes. */
static gboolean
guess_prototypes (FvCard *card)
{
  guint n = fv_card_guess_prototypes (card);

  if (n == 0 || !fv_card_guess_candidates (card, n))
    return FALSE;
  fv_card_guess (card, "head", "segment");
  return TRUE;
}

void
fv_card_guess_heads (FvCard *card)
{
  const char *said = fv_settings_string (card, NULL, "head");
  FvHeadKind kept = card->priv->wanted;

  /* a source that names the head's kind leaves only where it is */
  for (gint kind = FV_HEAD_CLASSIFY; said && kind <= FV_HEAD_DEPTH; kind++)
    if (g_ascii_strcasecmp (said, fv_head_nicks[kind]) == 0)
      card->priv->wanted = kind;
  /* a list of scores may be a part of a detector, and boxes of a segmenter */
  if (!(wants (card, FV_HEAD_SEGMENT)
          && (fv_card_guess_queries (card) || guess_prototypes (card)))
      && !(wants (card, FV_HEAD_DETECT) && card->priv->n_outputs > 1
          && fv_card_guess_boxes (card))
      && !guess_classify (card)
      && !(wants (card, FV_HEAD_DETECT)
          && fv_card_guess_candidates (card, fv_card_guess_prototypes (card))))
    guess_map (card);
  card->priv->wanted = kept;
}
