/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Detectors told from names, types and shapes of outputs. */
#include "gst/card/settings.h"

#include <string.h>

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

static gboolean
has_input (const FvCard *card, const char *const *names)
{
  for (guint i = 0; i < card->priv->n_inputs; i++)
    if (g_strv_contains (names, card->priv->inputs[i].name))
      return TRUE;
  return FALSE;
}

/* What PaddlePaddle exports is told the frame's scale. */
static gboolean
is_paddle (const FvCard *card, const FvCardOutput *output)
{
  static const char *const paddle_inputs[] = { "scale_factor", "im_shape",
    NULL };
  static const char *const paddle_names[] = { "multiclass_nms", "nms3", NULL };

  return has_input (card, paddle_inputs)
      || fv_name_has (output->name, paddle_names);
}

/* A list of boxes of the model's own picking: N rows of 6 or 7 numbers, N being
 * few or, as far as anybody knows, what the data decides. */
static gboolean
guess_list (FvCard *card, const FvCardOutput *output, guint n_prototypes)
{
  static const char *const flat[] = { "flat_predictions", NULL };
  const FvShape *s = &output->shape;
  const char *decoder = NULL;
  gint64 rows, columns;

  if (s->rank < 2 || s->rank > 3 || (s->rank == 3 && s->dims[0] > 1)
      || !fv_type_is_float (output->type))
    return FALSE;
  rows = s->dims[s->rank - 2];
  columns = s->dims[s->rank - 1];
  if (rows > 1000
      || (rows < 0 && !card->priv->bound && !is_paddle (card, output))
      || (s->rank == 2 && rows == 1))
    return FALSE;
  if (columns == 6 + n_prototypes)
    decoder = is_paddle (card, output) ? "paddle" : "yolov10";
  else if (columns == 7 && s->rank == 2 && n_prototypes == 0)
    decoder = fv_name_has (output->name, flat) ? "flat" : "yolov7";
  if (decoder == NULL)
    return FALSE;
  fv_card_guess (card, "head", "detect");
  fv_card_guess (card, "decoder", decoder);
  fv_card_guess (card, "output", output->name);
  return TRUE;
}

static gboolean
guess_dense (FvCard *card, const FvCardOutput *output)
{
  static const guint strides[] = { 8, 16, 32 };
  const gint64 *d = output->shape.dims + 1;
  gint64 cells = count_cells (card, strides, 3);
  const char *decoder = NULL;

  if (output->shape.rank != 3 || output->shape.dims[0] > 1 || d[0] < 1
      || d[1] < 1)
    return FALSE;
  if (d[0] >= 5 && d[0] < d[1])
    decoder = "yolov8";
  else if (d[1] > 5 && cells > 0 && d[0] == cells)
    decoder = "yolox";
  else if (d[1] > 5 && (d[0] == 3 * cells || cells == 0))
    decoder = "yolov5";
  else if (d[1] > 5 && d[0] > d[1] && d[0] % 3 == 0)
    decoder = "yolov5";
  if (decoder == NULL)
    return FALSE;
  fv_card_guess (card, "head", "detect");
  fv_card_guess (card, "decoder", decoder);
  fv_card_guess (card, "output", output->name);
  return TRUE;
}

gboolean
fv_card_guess_candidates (FvCard *card, guint n_prototypes)
{
  /* a part of a detector, whose other parts were not understood */
  static const char *const parts[] = { "logits", "regression", NULL };

  for (guint i = 0; i < card->priv->n_outputs; i++) {
    const FvCardOutput *output = &card->priv->outputs[i];

    if (!output->has_shape || fv_card_is_foreign (card, output)
        || fv_name_has (output->name, parts)
        || (output->shape.rank == 3 && n_prototypes == 0
            && card->priv->wanted != FV_HEAD_DETECT
            && fv_card_is_map (card, output)))
      continue;
    if (guess_list (card, output, n_prototypes) || guess_dense (card, output))
      return TRUE;
  }
  return FALSE;
}

/* (nullable) the first output of that name, or with such a part in its name; parts
 * in front are looked for first */
static const FvCardOutput *
find_named (const FvCard *card, const char *const *parts)
{
  for (guint p = 0; parts[p] != NULL; p++) {
    const char *const part[] = { parts[p], NULL };

    for (guint i = 0; i < card->priv->n_outputs; i++)
      if (strcmp (card->priv->outputs[i].name, parts[p]) == 0)
        return &card->priv->outputs[i];
    for (guint i = 0; i < card->priv->n_outputs; i++)
      if (fv_name_has (card->priv->outputs[i].name, part))
        return &card->priv->outputs[i];
  }
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
  fv_card_guess (card, "head", "detect");
  fv_card_guess (card, "decoder", decoder);
  fv_card_guess (card, "boxes", boxes->name);
  fv_card_guess (card, "scores", scores->name);
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
    fv_card_guess_list (card, roles[r][0], (const char *const *) list);
  }
  fv_card_guess (card, "head", "detect");
  fv_card_guess (card, "decoder", "face");
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
  fv_card_guess_list (card, "scores", (const char *const *) scores->pdata);
  fv_card_guess_list (card, "boxes", (const char *const *) boxes->pdata);
  fv_card_guess (card, "head", "detect");
  fv_card_guess (card, "decoder", "nanodet");
  return TRUE;
}

/* Outputs by the part they play in a list of boxes; NULL: none does. */
typedef struct
{
  const FvCardOutput *boxes, *scores, *labels, *count;
  gboolean has_logits; /* the scores are such, with an axis of classes */
} Roles;

static void
name_roles (const FvCard *card, Roles *roles)
{
  static const char *const boxes[] = { "detection_boxes", "pred_boxes", "boxes",
    "bbox", "dets", "regressors", NULL };
  static const char *const scores[] = { "detection_scores", "scores", "logits",
    "classificators", "conf", NULL };
  static const char *const labels[] = { "detection_classes", "labels",
    "class_ids", "det_classes", "pred_classes", NULL };
  static const char *const counts[] = { "num_det", "num_pred", "num_boxes",
    NULL };

  roles->boxes = find_named (card, boxes);
  roles->scores = find_named (card, scores);
  roles->labels = find_named (card, labels);
  roles->count = find_named (card, counts);
  if (roles->labels == roles->scores || roles->labels == roles->boxes)
    roles->labels = NULL;
  if (roles->scores == roles->boxes)
    roles->scores = NULL;
  if (roles->scores == NULL && roles->labels != NULL
      && fv_type_is_float (roles->labels->type)
      && roles->labels->shape.rank == 3) { /* RF-DETR calls its logits so */
    roles->scores = roles->labels;
    roles->labels = NULL;
    roles->has_logits = TRUE;
  } else if (roles->scores != NULL) {
    roles->has_logits = strstr (roles->scores->name, "logits") != NULL;
  }
}

/* Three outputs without telling names: boxes are floats with four a row, labels
 * integers and scores floats, with an axis less. */
static void
shape_roles (const FvCard *card, Roles *roles)
{
  *roles = (Roles){ NULL };
  for (guint i = 0; i < card->priv->n_outputs; i++) {
    const FvCardOutput *output = &card->priv->outputs[i];
    guint rank = output->has_shape ? output->shape.rank : 0;
    gboolean is_float = fv_type_is_float (output->type);

    if (rank >= 2 && rank <= 3 && is_float && last_size (output) == 4)
      roles->boxes = output;
    else if (rank >= 1 && rank <= 2 && is_float)
      roles->scores = output;
    else if (rank >= 1 && rank <= 2 && !is_float)
      roles->labels = output;
  }
  if (card->priv->n_outputs != 3 || roles->labels == NULL)
    roles->boxes = NULL;
}

/* MMDeploy: dets [1, N, 5] with the score behind the corners, labels [1, N] */
static gboolean
guess_scored_boxes (FvCard *card, const Roles *roles)
{
  if (roles->boxes == NULL || roles->labels == NULL || roles->scores != NULL
      || last_size (roles->boxes) != 5)
    return FALSE;
  put_pair (card, "boxes", roles->boxes, roles->boxes);
  fv_card_guess (card, "score-channel", "4");
  fv_card_guess (card, "class-numbers", roles->labels->name);
  fv_card_guess (card, "nms", "false");
  return TRUE;
}

/* ONNX's own suppression at the end: rows of batch, class and box, along with
 * all boxes [1, N, 4] and scores [1, C, N]. */
static gboolean
guess_selected (FvCard *card)
{
  static const char *const keras[] = { "yolonms", NULL };
  static const char *const box[] = { "box", NULL };
  const FvCardOutput *selected = NULL, *boxes = NULL, *scores = NULL;

  for (guint i = 0; i < card->priv->n_outputs; i++) {
    const FvCardOutput *output = &card->priv->outputs[i];

    if (strcmp (output->producer, "NonMaxSuppression") == 0
        && !fv_type_is_float (output->type))
      selected = output;
    else if (fv_type_is_float (output->type)
        && (last_size (output) == 4
            || (!output->has_shape && fv_name_has (output->name, box))))
      boxes = output;
    else if (fv_type_is_float (output->type))
      scores = output;
  }
  if (selected == NULL || boxes == NULL || scores == NULL)
    return FALSE;
  put_pair (card, "boxes", boxes, scores);
  fv_card_guess (card, "selected", selected->name);
  fv_card_guess (card, "nms", "false");
  if (fv_name_has (boxes->name, keras))
    fv_card_guess (card, "box-format", "yxyx");
  return TRUE;
}

/* torchvision's FCOS without its last steps. */
static gboolean
guess_fcos (FvCard *card, const Roles *roles)
{
  static const char *const centerness[] = { "ctrness", "centerness", NULL };
  static const char *const strides[] = { "8", "16", "32", "64", "128", NULL };
  static const guint sizes[] = { 8, 16, 32, 64, 128 };
  const FvCardOutput *third = find_named (card, centerness);

  if (third == NULL || third == roles->boxes || roles->boxes->shape.rank != 3
      || roles->boxes->shape.dims[1] != count_cells (card, sizes, 5))
    return FALSE;
  put_pair (card, "boxes", roles->boxes, roles->scores);
  fv_card_guess (card, "objectness", third->name);
  fv_card_guess (card, "box-format", "distances");
  fv_card_guess_list (card, "strides", strides);
  fv_card_guess (card, "activation", "sigmoid");
  fv_card_guess (card, "objectness-activation", "sigmoid");
  fv_card_guess (card, "score-power", "0.5");
  fv_card_guess (card, "objectness-power", "0.5");
  return TRUE;
}

static gboolean
guess_logits (FvCard *card, const Roles *roles)
{
  static const char *const offsets[] = { "regression", "deltas", NULL };

  if (fv_name_has (roles->boxes->name, offsets)) /* to anchors unknown here */
    return guess_fcos (card, roles);
  put_pair (card, "detr", roles->boxes, roles->scores);
  return TRUE;
}

gboolean
fv_card_guess_boxes (FvCard *card)
{
  static const char *const paddle[] = { "multiclass_nms", NULL };
  const FvCardOutput *list = find_named (card, paddle);
  Roles roles = { NULL };

  if (guess_face (card) || guess_nanodet (card) || guess_selected (card))
    return TRUE;
  if (list != NULL && list->has_shape && guess_list (card, list, 0))
    return TRUE;
  name_roles (card, &roles);
  if (guess_scored_boxes (card, &roles))
    return TRUE;
  if (roles.boxes == NULL || roles.scores == NULL)
    shape_roles (card, &roles);
  if (roles.boxes == NULL || roles.scores == NULL)
    return FALSE;
  if (strcmp (roles.boxes->name, "regressors") == 0) {
    put_pair (card, "blazeface", roles.boxes, roles.scores);
    return TRUE;
  }
  if (last_size (roles.boxes) != 4 && last_size (roles.boxes) > 0)
    return FALSE;
  if (roles.has_logits)
    return guess_logits (card, &roles);
  put_pair (card, "boxes", roles.boxes, roles.scores);
  if (roles.labels != NULL) { /* the model has picked them */
    fv_card_guess (card, "class-numbers", roles.labels->name);
    fv_card_guess (card, "nms", "false");
  }
  if (roles.count != NULL)
    fv_card_guess (card, "count", roles.count->name);
  if (g_str_has_prefix (roles.boxes->name, "detection_boxes")) {
    fv_card_guess (card, "box-format", "yxyx"); /* TensorFlow's */
    fv_card_guess (card, "normalised", "true");
  }
  return TRUE;
}
