/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Heads told from names and shapes of outputs alone. */
#include "gst/card/settings.h"

#include <string.h>

#define WHERE "names and shapes of the outputs"

static void
put (FvCard *card, const char *key, const char *value)
{
  fv_settings_put (card, key, value, FV_CARD_SHAPES, WHERE);
}

static gboolean
name_has (const char *name, const char *const *parts)
{
  g_autofree char *lower = g_ascii_strdown (name, -1);

  for (guint i = 0; parts[i] != NULL; i++)
    if (strstr (lower, parts[i]) != NULL)
      return TRUE;
  return FALSE;
}

static gboolean
wants (const FvCard *card, FvHeadKind kind)
{
  return card->priv->wanted == FV_HEAD_NONE || card->priv->wanted == kind;
}

/* Whether height x width can be the image, possibly smaller. */
static gboolean
is_image_sized (const FvCard *card, gint64 height, gint64 width)
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

/* Cells of the input's grids of those strides: candidates of a detector. */
static gint64
count_cells (const FvCard *card, const guint *strides, guint n)
{
  gint64 cells = 0;

  for (guint i = 0; i < n; i++)
    cells += (gint64) ((card->input.width + strides[i] - 1) / strides[i])
        * ((card->input.height + strides[i] - 1) / strides[i]);
  return cells;
}

static const char *const depth_names[] = { "depth", "disp", NULL };
static const char *const mask_names[] = { "seg", "mask", "matte", "alpha",
  "class", NULL };

/* [1, h, w] that is a picture and no list of candidates. */
static gboolean
is_plain_map (const FvCard *card, const FvCardOutput *output)
{
  const gint64 *d = output->shape.dims + 1;

  return !fv_type_is_float (output->type)
      || name_has (output->name, depth_names)
      || name_has (output->name, mask_names)
      || (d[0] == card->input.height && d[1] == card->input.width);
}

static gboolean
guess_one_detector (FvCard *card, const FvCardOutput *output)
{
  static const guint strides[] = { 8, 16, 32 };
  const gint64 *d = output->shape.dims + 1;
  gint64 cells = count_cells (card, strides, 3);
  const char *decoder = NULL;

  if (output->shape.rank != 3 || output->shape.dims[0] > 1 || d[0] < 1
      || d[1] < 1
      || (card->priv->wanted != FV_HEAD_DETECT && is_plain_map (card, output)))
    return FALSE;
  if (d[1] == 6 && d[0] <= 1000)
    decoder = "yolov10";
  else if (d[0] >= 5 && d[0] < d[1])
    decoder = "yolov8";
  else if (d[1] > 5 && cells > 0 && d[0] == cells)
    decoder = "yolox";
  else if (d[1] > 5 && (d[0] == 3 * cells || cells == 0))
    decoder = "yolov5";
  else if (d[1] > 5 && d[0] > d[1] && d[0] % 3 == 0)
    decoder = "yolov5";
  if (decoder == NULL)
    return FALSE;
  put (card, "head", "detect");
  put (card, "decoder", decoder);
  put (card, "output", output->name);
  return TRUE;
}

/* (nullable) the first output with one of the parts in its name */
static const FvCardOutput *
find_named (const FvCard *card, const char *const *parts)
{
  for (guint i = 0; i < card->priv->n_outputs; i++)
    if (name_has (card->priv->outputs[i].name, parts))
      return &card->priv->outputs[i];
  return NULL;
}

static gint64
last_size (const FvCardOutput *output)
{
  return output->has_shape && output->shape.rank > 1
      ? output->shape.dims[output->shape.rank - 1]
      : 0;
}

static void
put_pair (FvCard *card, const char *decoder, const FvCardOutput *boxes,
    const FvCardOutput *scores)
{
  put (card, "head", "detect");
  put (card, "decoder", decoder);
  put (card, "boxes", boxes->name);
  put (card, "scores", scores->name);
}

/* YuNet: cls_8, obj_8, bbox_8, ... */
static gboolean
guess_face (FvCard *card)
{
  static const char *const roles[][2] = { { "boxes", "bbox_" },
    { "scores", "cls_" }, { "objectness", "obj_" } };
  static const char *const strides[] = { "8", "16", "32" };
  guint index;

  for (guint r = 0; r < G_N_ELEMENTS (roles); r++)
    for (guint s = 0; s < G_N_ELEMENTS (strides); s++) {
      g_autofree char *name = g_strconcat (roles[r][1], strides[s], NULL);
      if (!fv_card_find_output (card, name, "", &index, NULL))
        return FALSE;
    }
  for (guint r = 0; r < G_N_ELEMENTS (roles); r++) {
    g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
    g_auto (GStrv) list = NULL;
    for (guint s = 0; s < G_N_ELEMENTS (strides); s++) {
      g_autofree char *name = g_strconcat (roles[r][1], strides[s], NULL);
      g_strv_builder_add (builder, name);
    }
    list = g_strv_builder_end (builder);
    fv_settings_put_list (card, roles[r][0], (const char *const *) list,
        FV_CARD_SHAPES, WHERE);
  }
  put (card, "head", "detect");
  put (card, "decoder", "face");
  return TRUE;
}

/* NanoDet: for each stride one tensor of C scores and one of 4 (8 and more, the
 * same everywhere) bins, over as many cells. */
static gboolean
guess_nanodet (FvCard *card)
{
  g_autoptr (GPtrArray) scores = g_ptr_array_new ();
  g_autoptr (GPtrArray) boxes = g_ptr_array_new ();
  const FvCardPrivate *priv = card->priv;
  guint n = priv->n_outputs / 2;

  if (priv->n_outputs < 4 || priv->n_outputs % 2 != 0 || n > FV_MAX_LEVELS)
    return FALSE;
  for (guint i = 0; i < n; i++) {
    const FvCardOutput *score = &priv->outputs[i];
    const FvCardOutput *box = &priv->outputs[i + n];
    if (!score->has_shape || !box->has_shape || score->shape.rank != 3
        || box->shape.rank != 3 || score->shape.dims[1] != box->shape.dims[1]
        || last_size (box) != last_size (&priv->outputs[n])
        || last_size (score) != last_size (&priv->outputs[0])
        || last_size (box) % 4 != 0 || last_size (box) < 8)
      return FALSE;
    g_ptr_array_add (scores, score->name);
    g_ptr_array_add (boxes, box->name);
  }
  g_ptr_array_add (scores, NULL);
  g_ptr_array_add (boxes, NULL);
  fv_settings_put_list (card, "scores", (const char *const *) scores->pdata,
      FV_CARD_SHAPES, WHERE);
  fv_settings_put_list (card, "boxes", (const char *const *) boxes->pdata,
      FV_CARD_SHAPES, WHERE);
  put (card, "head", "detect");
  put (card, "decoder", "nanodet");
  return TRUE;
}

static gboolean
guess_many_detector (FvCard *card)
{
  static const char *const box_names[] = { "pred_boxes", "boxes", "bbox",
    "regressors", NULL };
  static const char *const score_names[] = { "scores", "logits",
    "classificators", "conf", NULL };
  static const char *const label_names[] = { "labels", "class_ids", NULL };
  const FvCardOutput *boxes, *scores, *labels;

  if (guess_face (card) || guess_nanodet (card))
    return TRUE;
  boxes = find_named (card, box_names);
  scores = find_named (card, score_names);
  labels = find_named (card, label_names);
  if (boxes == NULL || scores == NULL || boxes == scores)
    return FALSE;
  if (strcmp (boxes->name, "regressors") == 0) {
    put_pair (card, "blazeface", boxes, scores);
    return TRUE;
  }
  if (boxes->has_shape && last_size (boxes) != 4)
    return FALSE;
  if (strstr (scores->name, "logits") != NULL) {
    put_pair (card, "detr", boxes, scores);
    return TRUE;
  }
  put_pair (card, "boxes", boxes, scores);
  if (labels != NULL && labels != scores && labels != boxes)
    put (card, "class-numbers", labels->name);
  return TRUE;
}

static gboolean
guess_detect (FvCard *card)
{
  if (!wants (card, FV_HEAD_DETECT))
    return FALSE;
  for (guint i = 0; i < card->priv->n_outputs; i++)
    if (card->priv->outputs[i].has_shape
        && guess_one_detector (card, &card->priv->outputs[i]))
      return TRUE;
  return FALSE;
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

    if (!output->has_shape || s->rank < 1)
      continue;
    for (guint a = 0; a < s->rank; a++)
      wide += s->dims[a] > 1;
    if (s->rank != 3 && wide == 1 && (s->rank == 1 || s->dims[0] <= 1)) {
      put (card, "head", "classify");
      put (card, "output", output->name);
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
  if (s->rank == 4 && is_image_sized (card, s->dims[2], s->dims[3]))
    return s->dims[1] == 1 ? -1 : 1;
  if (s->rank == 4 && is_image_sized (card, s->dims[1], s->dims[2]))
    return s->dims[3] == 1 ? -1 : 3;
  if (s->rank <= 3
      && is_image_sized (card, s->dims[s->rank - 2], s->dims[s->rank - 1]))
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

    if (output->has_shape)
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
    else if (name_has (output->name, depth_names))
      kind = "depth";
    else if (name_has (output->name, mask_names)
        || !fv_type_is_float (output->type)
        || strcmp (output->producer, "ArgMax") == 0)
      kind = "segment";
    else if (strcmp (output->producer, "Relu") == 0) /* DPT and its kin */
      kind = "depth";
    if (kind == NULL)
      continue;
    put (card, "head", kind);
    put (card, "output", output->name);
    return TRUE;
  }
  return FALSE;
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
  /* a list of scores may be a part of a detector */
  if (!(wants (card, FV_HEAD_DETECT) && card->priv->n_outputs > 1
          && guess_many_detector (card))
      && !guess_classify (card) && !guess_detect (card))
    guess_map (card);
  card->priv->wanted = kept;
}
