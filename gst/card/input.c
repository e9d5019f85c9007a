/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which input takes the image, and what goes into it. */
#include "gst/card/settings.h"

#include <math.h>
#include <string.h>

#define MAX_SIZE 65536

static const char *const layout_nicks[] = { "nchw", "nhwc", NULL };
static const char *const channel_nicks[] = { "auto", "rgb", "bgr", "gray",
  NULL };
static const char *const resize_nicks[] = { "auto", "stretch", "letterbox",
  "crop", NULL };
static const char *const anchor_nicks[] = { "center", "top-left", NULL };
static const char *const filter_nicks[] = { "nearest", "bilinear", "bicubic",
  "lanczos", "box", "hamming", NULL };
static const char *const offset_nicks[] = { "round", "floor", NULL };
static const char *const free_nicks[] = { "auto", "frame", "edges", "least",
  "cut-edges", "fit", NULL };
static const char *const rounding_nicks[] = { "auto", "nearest", "down", "up",
  NULL };
static const char *const fill_nicks[] = { "values", "frame-wh", "frame-hw",
  "input-wh", "input-hw", "scale-wh", "scale-hw", NULL };

/* Further inputs that exporters give these names: RT-DETR and its kin, DETR's
 * postprocessing, PaddleDetection, Keras YOLOv3, and suppression in the graph. */
static const struct
{
  const char *name;
  FvExtraKind kind;
  double value;
} known_extras[] = {
  { "orig_target_sizes", FV_EXTRA_FRAME_WH, 0 },
  { "target_sizes", FV_EXTRA_FRAME_HW, 0 },
  { "im_shape", FV_EXTRA_INPUT_HW, 0 },
  { "scale_factor", FV_EXTRA_SCALE_HW, 0 },
  { "im_size", FV_EXTRA_FRAME_HW, 0 },
  { "image_shape", FV_EXTRA_FRAME_HW, 0 },
  { "pixel_mask", FV_EXTRA_VALUES, 1 },
  { "iou_threshold", FV_EXTRA_VALUES, 0.45 },
  { "score_threshold", FV_EXTRA_VALUES, 0.25 },
  { "conf_threshold", FV_EXTRA_VALUES, 0.25 },
  { "max_output_boxes_per_class", FV_EXTRA_VALUES, 100 },
};

static gboolean
is_channels (gint64 size)
{
  return size == 3 || size == 1;
}

/* Whether an image goes in there, and in which layout: of [.., a, b, c] the sizes
 * a or c are channels; a free size may be channels of NCHW. */
static gboolean
looks_like_image (const FvCardModelInput *input, FvLayout *layout)
{
  const gint64 *d = input->shape.dims;

  if (!input->has_shape || input->shape.rank < 3 || input->shape.rank > 4)
    return FALSE;
  if (input->shape.rank == 4) {
    if (d[0] > 1)
      return FALSE; /* a batch of our own making is not fixed by the model */
    d++;
  }
  if (is_channels (d[0]) && (d[2] == -1 || d[2] > 3 || !is_channels (d[2]))) {
    *layout = FV_LAYOUT_NCHW;
    return TRUE;
  }
  if (is_channels (d[2])) {
    *layout = FV_LAYOUT_NHWC;
    return TRUE;
  }
  *layout = FV_LAYOUT_NCHW;
  return d[0] == -1;
}

static gboolean
choose_input (FvCard *card, FvLayout *layout, GError **error)
{
  FvCardPrivate *priv = card->priv;
  const FvSetting *named = fv_settings_get (card, NULL, "input");

  for (guint i = 0; i < priv->n_inputs; i++) {
    if (named != NULL) {
      if (g_strcmp0 (priv->inputs[i].name, named->values[0]) != 0)
        continue;
      if (!priv->inputs[i].has_shape || priv->inputs[i].shape.rank < 3
          || priv->inputs[i].shape.rank > 4) {
        g_autofree char *shape = fv_shape_to_string (&priv->inputs[i].shape);
        g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
            "%s: input '%s' takes no image: expected 3 or 4 axes, it has %s",
            named->where, priv->inputs[i].name, shape);
        return FALSE;
      }
      looks_like_image (&priv->inputs[i], layout);
    } else if (!looks_like_image (&priv->inputs[i], layout)) {
      continue;
    }
    card->input.index = i;
    card->input.name = g_strdup (priv->inputs[i].name);
    return TRUE;
  }
  if (named == NULL) {
    fv_card_warn (card, "no input of %s takes an image", priv->name);
    return TRUE;
  }
  g_set_error (error, FV_ERROR, FV_ERROR_NOT_FOUND,
      "%s: the model has no input '%s'", named->where,
      named->values[0] ? named->values[0] : "");
  return FALSE;
}

/* A size that the model fixes cannot be said otherwise by the user; the other
 * sources are remarks of an exporter and give way. */
static gboolean
choose_size (FvCard *card, const char *key, gint64 fixed, guint *size,
    GError **error)
{
  FvCardSource source = fv_settings_source (card, NULL, key, FV_CARD_DEFAULT);

  if (!fv_settings_uint (card, NULL, key, 1, MAX_SIZE, size, error))
    return FALSE;
  if (fixed > 0 && *size != (guint) fixed && source >= FV_CARD_MODELINFO) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "input '%s' of %s has a fixed %s of %" G_GINT64_FORMAT ", %u was asked",
        card->input.name, card->priv->name, key, fixed, *size);
    return FALSE;
  }
  if (fixed > MAX_SIZE) {
    g_set_error (error, FV_ERROR, FV_ERROR_TOO_LARGE,
        "input '%s' of %s has a %s of %" G_GINT64_FORMAT ", at most %d",
        card->input.name, card->priv->name, key, fixed, MAX_SIZE);
    return FALSE;
  }
  if (fixed > 0) {
    if (source == FV_CARD_HUGGING_FACE && *size != (guint) fixed)
      fv_card_warn (card,
          "%s is %u, input '%s' of %s has a fixed %s of %" G_GINT64_FORMAT
          ", which is taken",
          fv_settings_get (card, NULL, key)->where, *size, card->input.name,
          card->priv->name, key, fixed);
    *size = (guint) fixed;
    fv_card_line_from (
        fv_card_line (card, NULL, key, FV_CARD_SHAPES, "%u", *size),
        FV_CARD_SHAPES, NULL);
  } else if (*size == 0) {
    fv_card_line (card, NULL, key, FV_CARD_DEFAULT, "free");
  } else {
    fv_card_line (card, NULL, key, FV_CARD_DEFAULT, "%u", *size);
  }
  return TRUE;
}

/* How sizes follow the frame, told where one is free. */
static gboolean
read_free_size (FvCard *card, GError **error)
{
  FvCardInput *input = &card->input;
  gint rule = FV_FREE_AUTO, rounding = FV_MULTIPLE_AUTO;
  const struct
  {
    const char *key;
    guint *value;
  } limits[] = { { "shortest-edge", &input->shortest_edge },
    { "longest-edge", &input->longest_edge },
    { "most-width", &input->most_width },
    { "most-height", &input->most_height } };

  if (!fv_settings_uint (card, NULL, "multiple", 1, 1024, &input->multiple,
          error)
      || !fv_settings_enum (card, NULL, "multiple-rounding", rounding_nicks,
          &rounding, error)
      || !fv_settings_enum (card, NULL, "free-size", free_nicks, &rule, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    if (!fv_settings_uint (card, NULL, limits[i].key, 1, MAX_SIZE,
            limits[i].value, error))
      return FALSE;
  input->multiple_rounding = rounding;
  input->free_size = rule;
  if (input->width != 0 && input->height != 0)
    return TRUE;
  fv_card_line (card, NULL, "free-size", FV_CARD_DEFAULT, "%s",
      free_nicks[rule]);
  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    if (*limits[i].value != 0)
      fv_card_line (card, NULL, limits[i].key, FV_CARD_DEFAULT, "%u",
          *limits[i].value);
  fv_card_line (card, NULL, "multiple", FV_CARD_DEFAULT, "%u", input->multiple);
  return TRUE;
}

static gboolean
read_shape (FvCard *card, FvLayout guessed, GError **error)
{
  FvCardInput *input = &card->input;
  const FvShape *shape = &card->priv->inputs[input->index].shape;
  gint layout = guessed, channels = FV_CHANNELS_AUTO;
  const gint64 *d = shape->dims + (shape->rank - 3);
  gint64 n;

  if (!fv_settings_enum (card, NULL, "layout", layout_nicks, &layout, error)
      || !fv_settings_enum (card, NULL, "channels", channel_nicks, &channels,
          error))
    return FALSE;
  input->layout = layout;
  input->rank = shape->rank;
  n = layout == FV_LAYOUT_NCHW ? d[0] : d[2];
  if (channels == FV_CHANNELS_AUTO)
    channels = n == 1 ? FV_CHANNELS_GRAY : FV_CHANNELS_RGB;
  input->channels = channels;
  input->n_channels = channels == FV_CHANNELS_GRAY && n != 3 ? 1 : 3;
  if (n != -1 && n != input->n_channels) {
    g_autofree char *text = fv_shape_to_string (shape);
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "input '%s' of %s must have %u channels for %s in layout %s, it is %s",
        input->name, card->priv->name, input->n_channels,
        channel_nicks[channels], layout_nicks[layout], text);
    return FALSE;
  }
  fv_card_line (card, NULL, "input", FV_CARD_SHAPES, "%s", input->name);
  fv_card_line (card, NULL, "layout", FV_CARD_SHAPES, "%s",
      layout_nicks[layout]);
  if (!choose_size (card, "width", layout == FV_LAYOUT_NCHW ? d[2] : d[1],
          &input->width, error)
      || !choose_size (card, "height", layout == FV_LAYOUT_NCHW ? d[1] : d[0],
          &input->height, error))
    return FALSE;
  fv_card_line (card, NULL, "channels",
      n == 1 ? FV_CARD_SHAPES : FV_CARD_DEFAULT, "%s", channel_nicks[channels]);
  return TRUE;
}

static gboolean
read_triple (FvCard *card, const char *key, double low, float *values,
    GError **error)
{
  if (!fv_settings_triple (card, key, low, 1e6, values, error))
    return FALSE;
  fv_card_line (card, NULL, key, FV_CARD_DEFAULT, "%.6g %.6g %.6g", values[0],
      values[1], values[2]);
  return TRUE;
}

static gboolean
read_values (FvCard *card, GError **error)
{
  FvCardInput *input = &card->input;
  FvType type = card->priv->inputs[input->index].type;
  gboolean whole = !fv_type_is_float (type) && type != FV_TYPE_NONE;

  for (guint i = 0; i < 3; i++) {
    input->mean[i] = 0;
    input->std[i] = whole ? 1.0f / 255 : 1; /* integers take 0..255 */
  }
  if (!read_triple (card, "mean", -1e6, input->mean, error)
      || !read_triple (card, "std", 1e-7, input->std, error))
    return FALSE;
  if (fv_settings_get (card, NULL, "mean") == NULL
      && fv_settings_get (card, NULL, "std") == NULL && !whole)
    fv_card_warn (card,
        "nothing tells mean and std of %s: pixels go in as "
        "0..1",
        card->priv->name);
  return TRUE;
}

/* What is around the frame: one number, or one for each of the input's channels. */
static gboolean
read_pad (FvCard *card, GError **error)
{
  float *pad = card->input.pad;

  if (!fv_settings_triple (card, "pad", 0, 255, pad, error))
    return FALSE;
  if (card->input.resize != FV_RESIZE_LETTERBOX
      && card->input.crop_fraction <= 1)
    return TRUE;
  if (pad[0] == pad[1] && pad[0] == pad[2])
    fv_card_line (card, NULL, "pad", FV_CARD_DEFAULT, "%g", pad[0]);
  else
    fv_card_line (card, NULL, "pad", FV_CARD_DEFAULT, "%.6g %.6g %.6g", pad[0],
        pad[1], pad[2]);
  return TRUE;
}

/* A user who asks for another resize than the card's means all of the frame. */
static gboolean
read_crop (FvCard *card, GError **error)
{
  FvCardInput *input = &card->input;
  gint offset = FV_CROP_ROUND;

  input->crop_fraction = 1;
  if (!fv_settings_float (card, NULL, "crop-fraction", 0.05, 4,
          &input->crop_fraction, error)
      || !fv_settings_enum (card, NULL, "crop-offset", offset_nicks, &offset,
          error))
    return FALSE;
  input->crop_offset = offset;
  if (input->resize != FV_RESIZE_CROP
      && fv_settings_source (card, NULL, "resize", FV_CARD_DEFAULT)
          > fv_settings_source (card, NULL, "crop-fraction", FV_CARD_DEFAULT))
    input->crop_fraction = 1;
  if (input->resize != FV_RESIZE_CROP && input->crop_fraction == 1)
    return TRUE;
  fv_card_line (card, NULL, "crop-fraction", FV_CARD_DEFAULT, "%g",
      input->crop_fraction);
  fv_card_line (card, NULL, "crop-offset", FV_CARD_DEFAULT, "%s",
      offset_nicks[offset]);
  return TRUE;
}

static gboolean
read_resize (FvCard *card, GError **error)
{
  FvCardInput *input = &card->input;
  gint resize = FV_RESIZE_AUTO, anchor = FV_ANCHOR_CENTER;

  if (!fv_settings_enum (card, NULL, "resize", resize_nicks, &resize, error)
      || !fv_settings_enum (card, NULL, "anchor", anchor_nicks, &anchor, error))
    return FALSE;
  input->resize = resize == FV_RESIZE_AUTO ? FV_RESIZE_STRETCH : resize;
  input->anchor = anchor;
  fv_card_line (card, NULL, "resize", FV_CARD_DEFAULT, "%s",
      resize_nicks[input->resize]);
  if (!read_crop (card, error))
    return FALSE;
  if (input->resize == FV_RESIZE_LETTERBOX)
    fv_card_line (card, NULL, "anchor", FV_CARD_DEFAULT, "%s",
        anchor_nicks[anchor]);
  return read_pad (card, error);
}

static gboolean
read_filter (FvCard *card, GError **error)
{
  FvCardInput *input = &card->input;
  gint filter = FV_FILTER_BILINEAR;

  input->antialias = TRUE;
  if (!fv_settings_enum (card, NULL, "filter", filter_nicks, &filter, error)
      || !fv_settings_bool (card, NULL, "antialias", &input->antialias, error)
      || !fv_settings_bool (card, NULL, "eight-bits", &input->eight_bits,
          error))
    return FALSE;
  input->filter = filter;
  fv_card_line (card, NULL, "filter", FV_CARD_DEFAULT, "%s",
      filter_nicks[filter]);
  fv_card_line (card, NULL, "antialias", FV_CARD_DEFAULT, "%s",
      input->antialias ? "true" : "false");
  if (input->eight_bits)
    fv_card_line (card, NULL, "eight-bits", FV_CARD_DEFAULT, "true");
  return TRUE;
}

static gboolean
read_extra (FvCard *card, guint index, GError **error)
{
  const char *name = card->priv->inputs[index].name;
  g_autofree char *prefix = g_strconcat ("input ", name, NULL);
  FvCardExtra extra = { .index = index, .kind = FV_EXTRA_VALUES };
  gint kind = FV_EXTRA_VALUES;

  if (!fv_settings_enum (card, prefix, "fill", fill_nicks, &kind, error)
      || !fv_settings_numbers (card, prefix, "values", -1e18, 1e18,
          G_N_ELEMENTS (extra.values), extra.values, &extra.n_values, error))
    return FALSE;
  if (fv_settings_get (card, prefix, "fill") == NULL && extra.n_values == 0) {
    guint k = 0;

    while (k < G_N_ELEMENTS (known_extras)
        && strcmp (name, known_extras[k].name) != 0)
      k++;
    if (k < G_N_ELEMENTS (known_extras)) {
      kind = known_extras[k].kind;
      extra.values[0] = known_extras[k].value;
      extra.n_values = 1;
    } else {
      fv_card_warn (card,
          "nothing tells what goes into input '%s': a group "
          "[fovea input %s] of a .modelinfo does",
          name, name);
      return TRUE;
    }
  }
  extra.kind = kind;
  if (kind == FV_EXTRA_VALUES && extra.n_values == 0)
    extra.n_values = 1; /* zeros */
  if (card->n_extras == G_N_ELEMENTS (card->extras)) {
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "%s has more than %u further inputs", card->priv->name, card->n_extras);
    return FALSE;
  }
  card->extras[card->n_extras++] = extra;
  fv_card_line (card, prefix, "fill", FV_CARD_SHAPES, "%s", fill_nicks[kind]);
  return TRUE;
}

static void
put_options (FvCard *card, const FvCardOptions *options)
{
  const struct
  {
    const char *key;
    double values[3];
    guint n;
  } numbers[] = {
    { "width", { options->input_width }, options->input_width != 0 },
    { "height", { options->input_height }, options->input_height != 0 },
    { "mean", { options->mean[0], options->mean[1], options->mean[2] },
        options->n_mean },
    { "std", { options->std[0], options->std[1], options->std[2] },
        options->n_std },
  };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (numbers[i].n != 0)
      fv_settings_put_numbers (card, numbers[i].key, numbers[i].values,
          MIN (numbers[i].n, 3), FV_CARD_PROPERTY, "properties");
  if (options->resize != FV_RESIZE_AUTO && options->resize <= FV_RESIZE_CROP)
    fv_settings_put (card, "resize", resize_nicks[options->resize],
        FV_CARD_PROPERTY, "properties");
  if (options->channels != FV_CHANNELS_AUTO
      && options->channels <= FV_CHANNELS_GRAY)
    fv_settings_put (card, "channels", channel_nicks[options->channels],
        FV_CARD_PROPERTY, "properties");
}

gboolean
fv_card_find_input (FvCard *card, const FvCardOptions *options, GError **error)
{
  FvLayout layout = FV_LAYOUT_NCHW;

  if (options != NULL)
    put_options (card, options);
  card->input.multiple = 32;
  if (!choose_input (card, &layout, error))
    return FALSE;
  if (card->input.name == NULL)
    return TRUE;
  if (!read_shape (card, layout, error) || !read_free_size (card, error)
      || !read_values (card, error) || !read_resize (card, error)
      || !read_filter (card, error))
    return FALSE;
  for (guint i = 0; i < card->priv->n_inputs; i++)
    if (i != card->input.index && !read_extra (card, i, error))
      return FALSE;
  return TRUE;
}

void
fv_card_input_shape (const FvCard *card, FvShape *shape)
{
  const FvCardInput *input = &card->input;
  gint64 *d = shape->dims;

  memset (shape, 0, sizeof *shape);
  shape->rank = input->rank;
  if (input->rank == 4)
    *d++ = 1;
  d[0] = input->layout == FV_LAYOUT_NCHW ? input->n_channels : input->height;
  d[1] = input->layout == FV_LAYOUT_NCHW ? input->height : input->width;
  d[2] = input->layout == FV_LAYOUT_NCHW ? input->width : input->n_channels;
}

void
fv_card_input_range (const FvCardInput *input, float *low, float *high)
{
  *low = *high = 0;
  for (guint i = 0; input->name && i < input->n_channels; i++) {
    float black = -input->mean[i] / input->std[i];
    float white = (1 - input->mean[i]) / input->std[i];

    *low = MIN (*low, MIN (black, white));
    *high = MAX (*high, MAX (black, white));
  }
}
