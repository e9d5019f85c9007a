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
  "lanczos", "box", NULL };
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
    *size = (guint) fixed;
    fv_card_line (card, NULL, key, FV_CARD_SHAPES, "%u", *size)->source =
        FV_CARD_SHAPES;
  } else if (*size == 0) {
    fv_card_line (card, NULL, key, FV_CARD_DEFAULT, "free");
  } else {
    fv_card_line (card, NULL, key, FV_CARD_DEFAULT, "%u", *size);
  }
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
          error)
      || !fv_settings_uint (card, NULL, "multiple", 1, 1024, &input->multiple,
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
  double given[3];
  guint n = 0;

  if (!fv_settings_numbers (card, NULL, key, low, 1e6, 3, given, &n, error))
    return FALSE;
  if (n == 2) {
    const FvSetting *setting = fv_settings_get (card, NULL, key);
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "%s: %s must be 1 or 3 numbers, not 2", setting->where, key);
    return FALSE;
  }
  for (guint i = 0; n != 0 && i < 3; i++)
    values[i] = (float) given[n == 1 ? 0 : i];
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

static gboolean
read_resize (FvCard *card, GError **error)
{
  FvCardInput *input = &card->input;
  gint resize = FV_RESIZE_AUTO, anchor = FV_ANCHOR_CENTER;
  gint filter = FV_FILTER_BILINEAR;

  input->crop_fraction = 1;
  input->antialias = TRUE;
  if (!fv_settings_enum (card, NULL, "resize", resize_nicks, &resize, error)
      || !fv_settings_enum (card, NULL, "anchor", anchor_nicks, &anchor, error)
      || !fv_settings_enum (card, NULL, "filter", filter_nicks, &filter, error)
      || !fv_settings_float (card, NULL, "pad", 0, 255, &input->pad, error)
      || !fv_settings_float (card, NULL, "crop-fraction", 0.05, 1,
          &input->crop_fraction, error)
      || !fv_settings_bool (card, NULL, "antialias", &input->antialias, error))
    return FALSE;
  input->resize = resize == FV_RESIZE_AUTO ? FV_RESIZE_STRETCH : resize;
  input->anchor = anchor;
  input->filter = filter;
  fv_card_line (card, NULL, "resize", FV_CARD_DEFAULT, "%s",
      resize_nicks[input->resize]);
  if (input->resize == FV_RESIZE_LETTERBOX) {
    fv_card_line (card, NULL, "anchor", FV_CARD_DEFAULT, "%s",
        anchor_nicks[anchor]);
    fv_card_line (card, NULL, "pad", FV_CARD_DEFAULT, "%g", input->pad);
  }
  if (input->resize == FV_RESIZE_CROP)
    fv_card_line (card, NULL, "crop-fraction", FV_CARD_DEFAULT, "%g",
        input->crop_fraction);
  fv_card_line (card, NULL, "filter", FV_CARD_DEFAULT, "%s",
      filter_nicks[filter]);
  fv_card_line (card, NULL, "antialias", FV_CARD_DEFAULT, "%s",
      input->antialias ? "true" : "false");
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
  if (!read_shape (card, layout, error) || !read_values (card, error)
      || !read_resize (card, error))
    return FALSE;
  for (guint i = 0; i < card->priv->n_inputs; i++)
    if (i != card->input.index && !read_extra (card, i, error))
      return FALSE;
  return TRUE;
}

/* The nearest multiple of @m, or the next one if nothing may be cut off. */
static guint
round_to_multiple (double size, guint m, gboolean up)
{
  guint n = (guint) (size / m + (up ? 1 - 1e-6 : 0.5));

  if (size <= 640 && n * m > 640)
    n--;
  return MAX (1, n) * m;
}

void
fv_card_choose_size (FvCard *card, guint frame_width, guint frame_height)
{
  FvCardInput *input = &card->input;
  double scale = MIN (1, 640.0 / MAX (1, MAX (frame_width, frame_height)));
  guint m = MAX (1, input->multiple);
  gboolean up = input->resize == FV_RESIZE_LETTERBOX;

  if (input->width != 0 && input->height == 0)
    scale = (double) input->width / MAX (1, frame_width);
  if (input->height != 0 && input->width == 0)
    scale = (double) input->height / MAX (1, frame_height);
  if (input->width == 0)
    input->width = round_to_multiple (frame_width * scale, m, up);
  if (input->height == 0)
    input->height = round_to_multiple (frame_height * scale, m, up);
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

/* Rounding is that of the programs the models were trained with: a letterbox of
 * YOLOX truncates and lies top left, Ultralytics' rounds and is centred;
 * torchvision truncates the long side and rounds the offset of a crop. */
void
fv_frame_map_init (FvFrameMap *map, const FvCardInput *input, guint frame_width,
    guint frame_height)
{
  double fw = MAX (1, frame_width), fh = MAX (1, frame_height);
  double iw = input->width, ih = input->height, scale;

  map->frame_width = frame_width;
  map->frame_height = frame_height;
  map->input_width = input->width;
  map->input_height = input->height;
  map->x = map->y = 0;
  map->width = (gint) input->width;
  map->height = (gint) input->height;
  if (input->resize == FV_RESIZE_LETTERBOX) {
    gboolean centered = input->anchor == FV_ANCHOR_CENTER;
    scale = MIN (iw / fw, ih / fh);
    map->width = (gint) (fw * scale + (centered ? 0.5 : 1e-6));
    map->height = (gint) (fh * scale + (centered ? 0.5 : 1e-6));
    map->width = CLAMP (map->width, 1, (gint) input->width);
    map->height = CLAMP (map->height, 1, (gint) input->height);
    if (centered) {
      map->x = (gint) floor ((iw - map->width) / 2 - 0.1 + 0.5);
      map->y = (gint) floor ((ih - map->height) / 2 - 0.1 + 0.5);
    }
  } else if (input->resize == FV_RESIZE_CROP) {
    double fraction = input->crop_fraction > 0 ? input->crop_fraction : 1;
    scale = MAX (floor (iw / fraction + 1e-4) / fw,
        floor (ih / fraction + 1e-4) / fh);
    map->width = MAX ((gint) input->width, (gint) (fw * scale + 1e-6));
    map->height = MAX ((gint) input->height, (gint) (fh * scale + 1e-6));
    map->x = -(gint) floor ((map->width - iw) / 2 + 0.5);
    map->y = -(gint) floor ((map->height - ih) / 2 + 0.5);
  }
}

void
fv_frame_map_to_frame (const FvFrameMap *map, double x, double y,
    double *frame_x, double *frame_y)
{
  *frame_x = (x - map->x) * map->frame_width / MAX (1, map->width);
  *frame_y = (y - map->y) * map->frame_height / MAX (1, map->height);
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
