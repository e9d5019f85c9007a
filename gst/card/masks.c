/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Segmenters that find things rather than classes of pixels: a detector with
 * prototypes of masks, or queries with a class and a map each. */
#include "gst/card/settings.h"

#include <math.h>
#include <string.h>

/* Prototypes that a shape may have to be taken for some. */
#define FEWEST_PROTOTYPES 4
#define MOST_PROTOTYPES 256

static gboolean
fail_shape (const FvCard *card, guint index, const char *expected,
    GError **error)
{
  const FvCardOutput *output = &card->priv->outputs[index];
  g_autofree char *shape = fv_shape_to_string (&output->shape);

  g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
      "output '%s' of %s cannot be read by a segment head: expected %s, it is "
      "%s",
      output->name, card->priv->name, expected, shape);
  return FALSE;
}

gint
fv_card_map_axis (const FvCard *card, const FvShape *s)
{
  gint64 w = card->input.width, h = card->input.height;

  if (s->rank == 4 && s->dims[1] <= h && s->dims[2] <= w && s->dims[1] > 1
      && s->dims[2] > 1 && ABS (s->dims[1] * w - s->dims[2] * h) <= MAX (w, h)
      && ABS (s->dims[2] * w - s->dims[3] * h) > MAX (w, h))
    return 3;
  return 1;
}

/* Sizes [1, n, k] of a list; FALSE where it is none, or not known yet. */
static gboolean
measure_list (const FvCardOutput *output, gint64 *n, gint64 *k)
{
  const FvShape *s = &output->shape;

  if (!output->has_shape || s->rank < 2 || s->rank > 3
      || (s->rank == 3 && s->dims[0] > 1))
    return FALSE;
  *n = s->dims[s->rank - 2];
  *k = s->dims[s->rank - 1];
  if (s->rank == 2 && *n <= 1) { /* [1, n]: a number each */
    *n = *k;
    *k = 1;
  }
  return *n > 0 && *k > 0;
}

/* "person", "7" or "0-79": marks those classes. */
static gboolean
mark_classes (const FvCardHead *head, const char *text, guint8 *marks)
{
  g_auto (GStrv) ends = g_strsplit (text, "-", 2);
  double low, high;

  for (guint i = 0; head->labels && head->labels[i] && i < head->n_classes; i++)
    if (g_ascii_strcasecmp (head->labels[i], text) == 0) {
      marks[i] = TRUE;
      return TRUE;
    }
  if (ends[0] == NULL || !fv_parse_number (ends[0], &low)
      || !fv_parse_number (ends[1] ? ends[1] : ends[0], &high) || low < 0
      || low > high || high >= head->n_classes || low != floor (low)
      || high != floor (high))
    return FALSE;
  for (guint i = (guint) low; i <= (guint) high; i++)
    marks[i] = TRUE;
  return TRUE;
}

/* Which classes are things; without a word of it each pixel has a class alone. */
static gboolean
read_things (FvCard *card, const char *name, FvCardHead *head, guint n_scored,
    GError **error)
{
  FvCardMasks *m = &head->masks;
  const FvSetting *things = fv_settings_get (card, name, "things");
  const FvSetting *stuff = fv_settings_get (card, name, "stuff");
  const FvSetting *said = things ? things : stuff;
  guint n = 0;

  if (things && stuff) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "%s: things and stuff say the same: expected one of them",
        things->where);
    return FALSE;
  }
  if (head->n_classes == 0 || (said == NULL && m->stuff_scores == FV_NO_OUTPUT))
    return TRUE;
  m->things = g_new0 (guint8, head->n_classes);
  for (guint i = 0; said && said->values[i]; i++)
    if (!mark_classes (head, said->values[i], m->things)) {
      g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
          "%s: %s must be labels, numbers below %u or ranges of them such as "
          "0-79, not '%.60s'",
          said->where, things ? "things" : "stuff", head->n_classes,
          said->values[i]);
      return FALSE;
    }
  for (guint i = 0; i < head->n_classes; i++) {
    if (said == NULL)
      m->things[i] = i < n_scored;
    else if (stuff)
      m->things[i] = !m->things[i];
    n += m->things[i];
  }
  fv_card_line (card, name, things || !stuff ? "things" : "stuff",
      FV_CARD_SHAPES, "%u of %u classes",
      things || !stuff ? n : head->n_classes - n, head->n_classes);
  return TRUE;
}

/* Classes of queries: those of the scores, but for the one that is none, and
 * one for each that has a query of its own. */
static gboolean
read_scores (FvCard *card, const char *name, FvCardHead *head, GError **error)
{
  FvCardMasks *m = &head->masks;
  const FvCardOutput *scores = &card->priv->outputs[m->scores];
  gint64 n = 0, channels = 0, n_stuff = 0, one = 1, most = 0;
  gboolean has_stuff = m->stuff_scores != FV_NO_OUTPUT;
  gboolean is_known = measure_list (scores, &n, &channels);

  if (strcmp (scores->producer, "Softmax") != 0
      && strcmp (scores->producer, "Sigmoid") != 0)
    head->activation =
        has_stuff ? FV_ACTIVATION_SIGMOID : FV_ACTIVATION_SOFTMAX;
  if (!fv_card_read_activation (card, name, &head->activation, error))
    return FALSE;
  if (has_stuff
      && !measure_list (&card->priv->outputs[m->stuff_scores], &n_stuff, &one)
      && card->priv->bound)
    return fail_shape (card, m->stuff_scores, "[1, S, 1]", error);
  if (!is_known && card->priv->bound)
    return fail_shape (card, m->scores, "[1, Q, C]", error);
  if (is_known && channels > 1 && head->activation != FV_ACTIVATION_SIGMOID
      && strcmp (scores->producer, "Sigmoid") != 0)
    head->background = (gint) MIN (channels, 65536) - 1;
  if (!fv_settings_int (card, name, "background", -1, 65535, &head->background,
          error))
    return FALSE;
  most = is_known ? channels : 0;
  if (is_known && (head->background >= most || most + n_stuff > 65535)) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "output '%s' has %" G_GINT64_FORMAT
        " classes, expected at most 65535, among them background %d",
        scores->name, most, head->background);
    return FALSE;
  }
  most -= is_known && head->background >= 0;
  head->n_classes = is_known ? (guint) (most + n_stuff) : 0;
  fv_card_line (card, name, "background", FV_CARD_SHAPES, "%d",
      head->background);
  fv_card_line (card, name, "classes", FV_CARD_SHAPES, "%u", head->n_classes);
  return read_things (card, name, head, (guint) most, error);
}

/* As many maps as queries, those of the stuff last. */
static gboolean
check_maps (const FvCard *card, const FvCardMasks *m, GError **error)
{
  const FvCardOutput *maps = &card->priv->outputs[m->masks];
  gint64 n = 0, n_stuff = 0, k;
  g_autofree char *expected = NULL;

  if (!maps->has_shape
      || !measure_list (&card->priv->outputs[m->scores], &n, &k)
      || (m->stuff_scores != FV_NO_OUTPUT
          && !measure_list (&card->priv->outputs[m->stuff_scores], &n_stuff,
              &k)))
    return TRUE;
  if (maps->shape.rank == 4 && maps->shape.dims[1] == n + n_stuff)
    return TRUE;
  expected = g_strdup_printf ("[1, %" G_GINT64_FORMAT ", h, w], a map for "
                              "each query of '%s'%s",
      n + n_stuff, card->priv->outputs[m->scores].name,
      n_stuff ? " and the stuff" : "");
  return fail_shape (card, m->masks, expected, error);
}

/* Whether an output's values are probabilities. */
static gboolean
is_sure (const FvCard *card, guint output)
{
  return strcmp (card->priv->outputs[output].producer, "Sigmoid") == 0;
}

static gboolean
read_queries (FvCard *card, const char *name, FvCardHead *head, GError **error)
{
  FvCardMasks *m = &head->masks;
  gint activation = FV_ACTIVATION_SIGMOID, stuff;

  m->kind = FV_MASKS_QUERIES;
  head->channel_axis = 1;
  m->scores = FV_NO_OUTPUT;
  if (!fv_settings_output (card, name, "scores", &m->scores, error)
      || !fv_settings_output (card, name, "stuff-scores", &m->stuff_scores,
          error))
    return FALSE;
  if (m->scores == FV_NO_OUTPUT) {
    g_set_error (error, FV_ERROR, FV_ERROR_NOT_FOUND,
        "the segment head of %s needs the classes of its queries: a card "
        "names their output (scores)",
        card->priv->name);
    return FALSE;
  }
  if (is_sure (card, m->masks))
    activation = FV_ACTIVATION_NONE;
  if (!fv_settings_enum (card, name, "mask-activation", fv_activation_nicks,
          &activation, error)
      || !fv_settings_float (card, name, "overlap-threshold", 0, 1,
          &m->overlap_threshold, error))
    return FALSE;
  m->activation = activation;
  fv_card_line (card, name, "scores", FV_CARD_SHAPES, "%s",
      card->priv->outputs[m->scores].name);
  if (m->stuff_scores == FV_NO_OUTPUT)
    return read_scores (card, name, head, error) && check_maps (card, m, error);
  stuff = is_sure (card, m->stuff_scores) ? FV_ACTIVATION_NONE
                                          : FV_ACTIVATION_SIGMOID;
  if (!fv_settings_enum (card, name, "stuff-activation", fv_activation_nicks,
          &stuff, error))
    return FALSE;
  m->stuff_activation = stuff;
  fv_card_line (card, name, "stuff-scores", FV_CARD_SHAPES, "%s",
      card->priv->outputs[m->stuff_scores].name);
  return read_scores (card, name, head, error) && check_maps (card, m, error);
}

/* The detector's own part comes later, but for the channels that are left to it. */
static gboolean
read_prototypes (FvCard *card, const char *name, FvCardHead *head,
    GError **error)
{
  FvCardMasks *m = &head->masks;
  const FvCardOutput *output = &card->priv->outputs[m->masks];

  m->kind = FV_MASKS_PROTOTYPES;
  m->coefficients = FV_NO_OUTPUT;
  m->channel_axis = fv_card_map_axis (card, &output->shape);
  m->coefficient_channel = -1;
  if (!fv_settings_int (card, name, "channel-axis", 1, 3, &m->channel_axis,
          error)
      || !fv_settings_output (card, name, "coefficients", &m->coefficients,
          error)
      || !fv_settings_int (card, name, "coefficient-channel", -1, 65536,
          &m->coefficient_channel, error))
    return FALSE;
  if (output->has_shape && output->shape.rank != 4)
    return fail_shape (card, m->masks, "[1, P, h, w] with P prototypes", error);
  if (output->has_shape)
    m->n_prototypes =
        (guint) CLAMP (output->shape.dims[m->channel_axis], 0, 1 << 16);
  fv_card_line (card, name, "prototypes", FV_CARD_SHAPES, "%u of %s",
      m->n_prototypes, output->name);
  return TRUE;
}

gboolean
fv_card_read_masks (FvCard *card, const char *name, FvCardHead *head,
    GError **error)
{
  FvCardMasks *m = &head->masks;
  gboolean has_maps = fv_settings_get (card, name, "masks") != NULL;
  gboolean has_prototypes = fv_settings_get (card, name, "prototypes") != NULL;

  m->masks = m->stuff_scores = FV_NO_OUTPUT;
  m->threshold = 0.5f;
  m->overlap_threshold = 0.8f;
  if ((!has_maps || head->kind != FV_HEAD_SEGMENT) && !has_prototypes)
    return TRUE;
  if (!fv_settings_output (card, name, has_prototypes ? "prototypes" : "masks",
          &m->masks, error)
      || !fv_settings_float (card, name, "mask-threshold", 0, 1, &m->threshold,
          error))
    return FALSE;
  if (has_prototypes)
    return read_prototypes (card, name, head, error);
  head->output = m->masks;
  return read_queries (card, name, head, error);
}

/* Where the coefficients stand, once it is known where the boxes do. */
gboolean
fv_card_place_coefficients (const FvCard *card, FvCardHead *head,
    gint64 channels, GError **error)
{
  const FvCardDetect *d = &head->detect;
  FvCardMasks *m = &head->masks;
  gint behind = 0; /* boxes and scores that stand in the same output */

  if (m->kind != FV_MASKS_PROTOTYPES || channels <= 0)
    return TRUE;
  if (m->coefficients == d->boxes[0])
    behind = MAX (d->box_channel + 4, behind);
  if (m->coefficients == d->scores[0])
    behind = MAX (d->score_channel + MAX (1, (gint) d->n_classes), behind);
  if (m->coefficient_channel < 0)
    m->coefficient_channel = (gint) MAX (0, channels - m->n_prototypes);
  if (m->n_prototypes > 0 && m->coefficient_channel >= behind
      && (gint64) m->coefficient_channel + m->n_prototypes <= channels)
    return TRUE;
  g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
      "output '%s' has %" G_GINT64_FORMAT " channels, too few for the "
      "coefficients of the %u prototypes in '%s'",
      card->priv->outputs[m->coefficients].name, channels, m->n_prototypes,
      card->priv->outputs[m->masks].name);
  return FALSE;
}

static gboolean
is_map (const FvCard *card, const FvCardOutput *output, gint axis)
{
  const FvShape *s = &output->shape;

  return output->has_shape && s->rank == 4 && s->dims[0] <= 1
      && fv_type_is_float (output->type)
      && fv_card_is_image_sized (card, s->dims[axis == 1 ? 2 : 1],
          s->dims[axis == 1 ? 3 : 2]);
}

guint
fv_card_guess_prototypes (FvCard *card)
{
  const FvCardPrivate *priv = card->priv;

  for (guint i = 0; i < priv->n_outputs; i++) {
    const FvCardOutput *maps = &priv->outputs[i];
    gint axis = fv_card_map_axis (card, &maps->shape);
    gint64 p = maps->shape.dims[axis];

    if (!is_map (card, maps, axis) || p < FEWEST_PROTOTYPES
        || p > MOST_PROTOTYPES)
      continue;
    for (guint k = 0; k < priv->n_outputs; k++) {
      const FvShape *s = &priv->outputs[k].shape;
      if (!priv->outputs[k].has_shape || s->rank != 3 || s->dims[0] > 1
          || MIN (s->dims[1], s->dims[2]) <= p + 4)
        continue;
      fv_card_guess (card, "prototypes", maps->name);
      return (guint) p;
    }
  }
  return 0;
}

/* (nullable) a list of @n classes' scores, or of one number each */
static const FvCardOutput *
find_scores (const FvCard *card, gint64 n, gboolean is_single)
{
  static const char *const names[] = { "logit", "class", "score", "prob",
    NULL };
  static const char *const boxes[] = { "box", NULL };

  for (guint i = 0; i < card->priv->n_outputs; i++) {
    const FvCardOutput *output = &card->priv->outputs[i];
    gint64 rows, channels;
    if (measure_list (output, &rows, &channels) && rows == n
        && (channels == 1) == is_single && fv_name_has (output->name, names)
        && !fv_name_has (output->name, boxes))
      return output;
  }
  return NULL;
}

static gboolean
guess_queries_of (FvCard *card, const FvCardOutput *maps)
{
  gint64 n = maps->shape.dims[1];
  const FvCardOutput *scores = find_scores (card, n, FALSE), *stuff = NULL;

  for (gint64 k = 1; scores == NULL && k < MIN (n, 1024); k++) {
    stuff = find_scores (card, k, TRUE);
    if (stuff != NULL)
      scores = find_scores (card, n - k, FALSE);
  }
  if (scores == NULL)
    return FALSE;
  fv_card_guess (card, "head", "segment");
  fv_card_guess (card, "masks", maps->name);
  fv_card_guess (card, "scores", scores->name);
  if (stuff != NULL)
    fv_card_guess (card, "stuff-scores", stuff->name);
  return TRUE;
}

gboolean
fv_card_guess_queries (FvCard *card)
{
  for (guint i = 0; i < card->priv->n_outputs; i++)
    if (is_map (card, &card->priv->outputs[i], 1)
        && guess_queries_of (card, &card->priv->outputs[i]))
      return TRUE;
  return FALSE;
}
