/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* preprocessor_config.json of Hugging Face's transformers: what its image
 * processors do, which leave out of the file what their class has as default. */
#include "gst/card/json.h"

#include <math.h>
#include <string.h>

#define MAX_EDGE 65536

/* What the class does with a size, where the file says no more than a number. */
typedef enum
{
  SQUARE, /* width and height become it                     */
  EDGE, /* the shorter side becomes it, the aspect is kept */
} Sizing;

typedef enum
{
  PLAIN,
  CONVNEXT, /* below 384 a crop of crop_pct, else a square       */
  POOLFORMER, /* resized to size / crop_pct, then cropped         */
  LEVIT, /* resized to size x 256 / 224, then cropped           */
  YOLOS, /* sizes become multiples of 16                        */
  MASKFORMER, /* cut edges, whatever the size a multiple         */
  EFFICIENTNET, /* rescale_offset and include_top                */
} Manner;

typedef enum
{
  NO_VALUES, /* 0..1 goes in */
  STANDARD, /* mean and std 0.5 */
  IMAGENET,
  CLIP,
} Values;

/* What is not as it is with most. */
enum
{
  BGR = 1, /* do_flip_channel_order is true             */
  NOT_CROPPED = 2, /* do_center_crop is false, crop_size there  */
  NOT_NORMALIZED = 4, /* do_normalize is false, image_mean there   */
};

/* The defaults of the classes' constructors in transformers,
 * models/NAME/image_processing_NAME.py, read in 4.44.0.dev0, commit 80b90e7b2f74:
 * the classes of 4.x that use Pillow, whose files most folders have. Those of 5
 * (read in 5.5.0.dev0) have others: bicubic for ConvNext, EfficientNet, MobileViT
 * and Pvt, and 224 x 224 without a crop for Beit; but they write them out. */
typedef struct
{
  const char *name; /* without ImageProcessor */
  Sizing sizing;
  guint size, longest, crop, divisor; /* 0: none */
  const char *filter;
  Values values;
  Manner manner;
  guint flags;
} Processor;

static const Processor processors[] = {
  { "ViT", SQUARE, 224, 0, 0, 0, "bilinear", STANDARD, PLAIN, 0 },
  { "DeiT", SQUARE, 256, 0, 224, 0, "bicubic", STANDARD, PLAIN, 0 },
  { "Beit", SQUARE, 256, 0, 224, 0, "bicubic", STANDARD, PLAIN, 0 },
  { "Siglip", SQUARE, 224, 0, 0, 0, "bicubic", STANDARD, PLAIN, 0 },
  { "Segformer", SQUARE, 512, 0, 0, 0, "bilinear", IMAGENET, PLAIN, 0 },
  { "Pvt", SQUARE, 224, 0, 0, 0, "bilinear", IMAGENET, PLAIN, 0 },
  { "RTDetr", SQUARE, 640, 0, 0, 0, "bilinear", IMAGENET, PLAIN,
      NOT_NORMALIZED },
  { "DPT", SQUARE, 384, 0, 0, 0, "bicubic", STANDARD, PLAIN, 0 },
  { "GLPN", EDGE, 0, 0, 0, 32, "bilinear", NO_VALUES, PLAIN, 0 },
  { "EfficientNet", SQUARE, 346, 0, 289, 0, "nearest", STANDARD, EFFICIENTNET,
      NOT_CROPPED },
  { "CLIP", EDGE, 224, 0, 224, 0, "bicubic", CLIP, PLAIN, 0 },
  { "Bit", EDGE, 224, 0, 224, 0, "bicubic", CLIP, PLAIN, 0 },
  { "ConvNext", EDGE, 384, 0, 0, 0, "bilinear", STANDARD, CONVNEXT, 0 },
  { "MobileNetV1", EDGE, 256, 0, 224, 0, "bilinear", STANDARD, PLAIN, 0 },
  { "MobileNetV2", EDGE, 256, 0, 224, 0, "bilinear", STANDARD, PLAIN, 0 },
  { "MobileViT", EDGE, 224, 0, 256, 0, "bilinear", NO_VALUES, PLAIN, BGR },
  { "Levit", EDGE, 224, 0, 224, 0, "bicubic", IMAGENET, LEVIT, 0 },
  { "PoolFormer", EDGE, 224, 0, 224, 0, "bicubic", IMAGENET, POOLFORMER, 0 },
  { "Detr", EDGE, 800, 1333, 0, 0, "bilinear", IMAGENET, PLAIN, 0 },
  { "ConditionalDetr", EDGE, 800, 1333, 0, 0, "bilinear", IMAGENET, PLAIN, 0 },
  { "DeformableDetr", EDGE, 800, 1333, 0, 0, "bilinear", IMAGENET, PLAIN, 0 },
  { "Deta", EDGE, 800, 1333, 0, 0, "bilinear", IMAGENET, PLAIN, 0 },
  { "GroundingDino", EDGE, 800, 1333, 0, 0, "bilinear", IMAGENET, PLAIN, 0 },
  { "Yolos", EDGE, 800, 1333, 0, 0, "bilinear", IMAGENET, YOLOS, 0 },
  { "MaskFormer", EDGE, 800, 1333, 0, 32, "bilinear", IMAGENET, MASKFORMER, 0 },
  { "Mask2Former", EDGE, 800, 1333, 0, 32, "bilinear", IMAGENET, MASKFORMER,
      0 },
  { "OneFormer", EDGE, 800, 1333, 0, 0, "bilinear", IMAGENET, MASKFORMER, 0 },
};

/* Of a file that names no class, or one that is not known. */
static const Processor unknown = { NULL, SQUARE, 0, 0, 0, 0, "bilinear",
  NO_VALUES, PLAIN, 0 };

static const Processor *
find_processor (FvJson *json)
{
  static const char *const endings[] = { "ImageProcessorFast",
    "ImageProcessorPil", "ImageProcessor", "FeatureExtractor" };
  const char *key = fv_json_has (json, "image_processor_type")
      ? "image_processor_type"
      : "feature_extractor_type";
  const char *type = fv_json_string (json, key);

  if (type == NULL)
    return &unknown;
  for (guint i = 0; i < G_N_ELEMENTS (endings); i++) {
    gsize length = strlen (type) - strlen (endings[i]);
    if (!g_str_has_suffix (type, endings[i]))
      continue;
    for (guint k = 0; k < G_N_ELEMENTS (processors); k++)
      if (strlen (processors[k].name) == length
          && strncmp (processors[k].name, type, length) == 0) {
        json->defaults = type;
        return &processors[k];
      }
  }
  fv_json_doubt (json, key,
      "a class whose defaults are known (what the file does not say is taken as "
      "mean 0, std 1, bilinear)");
  return &unknown;
}

/* image_mean and image_std: a number or one for each channel */
static void
read_statistics (FvJson *json, double *mean, double *std)
{
  guint n_mean = fv_json_numbers (json, "image_mean", -1e6, 1e6, 3, mean);
  guint n_std = fv_json_numbers (json, "image_std", 1e-6, 1e6, 3, std);

  if (n_mean == 2)
    fv_json_fail (json, "image_mean", "1 or 3 numbers");
  if (n_std == 2)
    fv_json_fail (json, "image_std", "1 or 3 numbers");
  for (guint i = 1; i < 3; i++) {
    mean[i] = n_mean == 1 ? mean[0] : mean[i];
    std[i] = n_std == 1 ? std[0] : std[i];
  }
}

/* y = (x rescale_factor - offset - image_mean) / image_std; each may be off, and
 * with include_top the division is done once more. */
static void
read_values (FvJson *json, const Processor *processor)
{
  static const double means[][3] = { { 0, 0, 0 }, { 0.5, 0.5, 0.5 },
    { 0.485, 0.456, 0.406 }, { 0.48145466, 0.4578275, 0.40821073 } };
  static const double stds[][3] = { { 1, 1, 1 }, { 0.5, 0.5, 0.5 },
    { 0.229, 0.224, 0.225 }, { 0.26862954, 0.26130258, 0.27577711 } };
  double mean[3], std[3], factor = 1.0 / 255;
  gboolean is_efficientnet = processor->manner == EFFICIENTNET;
  gboolean is_normal = processor->values != NO_VALUES
      && (processor->flags & NOT_NORMALIZED) == 0;
  gboolean is_rescaled = fv_json_bool (json, "do_rescale", TRUE);
  gboolean has_offset = is_efficientnet && is_rescaled
      && fv_json_bool (json, "rescale_offset", FALSE);
  guint n_divisions =
      is_efficientnet && fv_json_bool (json, "include_top", TRUE) ? 1 : 0;

  memcpy (mean, means[processor->values], sizeof mean);
  memcpy (std, stds[processor->values], sizeof std);
  if (processor->name == NULL)
    is_normal = fv_json_has (json, "image_mean");
  fv_json_number (json, "rescale_factor", 1e-6, 1e6, &factor);
  if (!is_rescaled)
    factor = 1;
  is_normal = fv_json_bool (json, "do_normalize", is_normal);
  n_divisions += is_normal ? 1 : 0;
  if (n_divisions > 0)
    read_statistics (json, mean, std);
  for (guint i = 0; i < 3; i++) {
    mean[i] = (is_normal ? mean[i] : 0) + (has_offset ? 1 : 0);
    mean[i] /= 255 * factor;
    std[i] = pow (std[i], n_divisions) / (255 * factor);
  }
  fv_json_put_numbers (json, "image_mean", "mean", mean, 3);
  fv_json_put_numbers (json, "image_std", "std", std, 3);
}

/* A size: the frame becomes width x height, or keeps its aspect. */
typedef struct
{
  double width, height; /* 0: it keeps its aspect                  */
  double edge, longest; /* of the shorter, the longer side; 0: any */
  double most_width, most_height; /* it fits in there; 0: any      */
} Size;

/* A number, [height, width], {height, width}, {shortest_edge, longest_edge} or
 * {max_height, max_width} */
static void
read_size (FvJson *json, const char *key, Sizing sizing, Size *size)
{
  JsonNode *node = json_object_get_member (json->object, key);
  double numbers[2];
  FvJson child;

  if (!fv_json_has (json, key))
    return;
  *size = (Size){ .longest = size->longest };
  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    guint n = fv_json_numbers (json, key, 1, MAX_EDGE, 2, numbers);
    if (n == 1 && sizing == EDGE)
      size->edge = numbers[0];
    else if (n != 0) {
      size->height = numbers[0];
      size->width = numbers[n - 1];
    }
    return;
  }
  size->longest = 0;
  if (!fv_json_child (json, key, &child))
    return;
  fv_json_number (&child, "width", 1, MAX_EDGE, &size->width);
  fv_json_number (&child, "height", 1, MAX_EDGE, &size->height);
  fv_json_number (&child, "shortest_edge", 1, MAX_EDGE, &size->edge);
  fv_json_number (&child, "longest_edge", 1, MAX_EDGE, &size->longest);
  fv_json_number (&child, "max_width", 1, MAX_EDGE, &size->most_width);
  fv_json_number (&child, "max_height", 1, MAX_EDGE, &size->most_height);
  if ((size->width == 0) != (size->height == 0)
      || (size->most_width == 0) != (size->most_height == 0)
      || (size->width == 0 && size->edge == 0 && size->longest == 0
          && size->most_width == 0))
    fv_json_fail (json, key,
        "a number, {height, width}, {shortest_edge, longest_edge} or "
        "{max_height, max_width}");
  fv_json_close (&child);
}

/* Settings of the input's own size; @key: the field that gave it. */
static void
put_size (FvJson *json, const char *key, double width, double height)
{
  fv_json_put_number (json, key, "width", width);
  fv_json_put_number (json, key, "height", height);
}

/* The middle of the frame, @from_* of whose size become @crop's. */
static void
put_crop (FvJson *json, const char *key, const Size *crop, const Size *size)
{
  gboolean keeps_aspect = size->width == 0;
  double from = keeps_aspect ? size->edge : MIN (size->width, size->height);
  double kept = MIN (crop->width, crop->height);

  put_size (json, key, crop->width, crop->height);
  fv_json_put (json, "size", "resize", keeps_aspect ? "crop" : "stretch");
  fv_json_put_number (json, key, "crop-fraction", CLAMP (kept / from, 0.05, 4));
  fv_json_put (json, key, "crop-offset", "floor");
  if (keeps_aspect ? crop->width != crop->height
                   : crop->width * size->height != crop->height * size->width)
    fv_json_doubt (json, key,
        "of the resized frame's shape for the same pixels as transformers'");
}

static void
put_fit (FvJson *json, const Size *size)
{
  fv_json_put (json, "size", "free-size", "fit");
  fv_json_put (json, "size", "resize", "stretch");
  fv_json_put_number (json, "size", "most-width", size->most_width);
  fv_json_put_number (json, "size", "most-height", size->most_height);
  fv_json_put_number (json, NULL, "multiple", 1);
}

/* DPT and its kin: a size of its own, made a multiple, or the aspect kept by
 * changing the frame least. */
static gboolean
read_least (FvJson *json, Size *size)
{
  double multiple = 1;

  if (fv_json_number (json, "ensure_multiple_of", 1, 1024, &multiple))
    fv_json_put_number (json, "ensure_multiple_of", "multiple", multiple);
  if (!fv_json_bool (json, "keep_aspect_ratio", FALSE)
      || (size->width == 0 && size->edge == 0)) {
    size->width = rint (size->width / multiple) * multiple;
    size->height = rint (size->height / multiple) * multiple;
    return FALSE;
  }
  fv_json_put (json, "keep_aspect_ratio", "free-size", "least");
  fv_json_put (json, "keep_aspect_ratio", "resize", "stretch");
  fv_json_put (json, NULL, "multiple-rounding", "nearest");
  fv_json_put_number (json, "ensure_multiple_of", "multiple", multiple);
  fv_json_put_number (json, "size", "shortest-edge",
      MAX (size->edge, MIN (size->width, size->height)));
  if (size->width != size->height)
    fv_json_doubt (json, "size", "a square where keep_aspect_ratio is true");
  return TRUE;
}

/* All that tells the size, the class' own where the file says nothing. */
typedef struct
{
  const Processor *processor;
  Size size, crop;
  double pct, divisor;
  const char *divisor_key;
  gboolean crops;
} Sizes;

static void
load_sizes (FvJson *json, const Processor *processor, Sizes *sizes)
{
  Sizing sizing = processor->sizing;
  gboolean crops =
      processor->crop != 0 && (processor->flags & NOT_CROPPED) == 0;

  *sizes = (Sizes){ .processor = processor,
    .pct = processor->manner == POOLFORMER ? 0.9 : 224.0 / 256,
    .divisor = processor->divisor,
    .divisor_key = fv_json_has (json, "size_divisibility")
        ? "size_divisibility" /* until 4.41 */
        : "size_divisor" };
  sizes->size.longest = processor->longest;
  if (processor->sizing == SQUARE)
    sizes->size.width = sizes->size.height = processor->size;
  else
    sizes->size.edge = processor->size;
  sizes->crop.width = sizes->crop.height = processor->crop;
  sizes->crops = fv_json_bool (json, "do_center_crop", crops);
  if (processor->name == NULL
      && (sizes->crops || fv_json_has (json, "crop_pct")))
    sizing = EDGE;
  fv_json_number (json, "max_size", 1, MAX_EDGE, &sizes->size.longest);
  read_size (json, "size", sizing, &sizes->size);
  read_size (json, "crop_size", SQUARE, &sizes->crop);
  fv_json_number (json, "crop_pct", 0.05, 1, &sizes->pct);
  if (fv_json_number (json, sizes->divisor_key, 0, 1024, &sizes->divisor)
      && sizes->divisor != floor (sizes->divisor))
    fv_json_fail (json, sizes->divisor_key, "a whole number");
  if (processor->values == CLIP && sizes->size.edge > 0
      && fv_json_bool (json, "use_square_size", FALSE)) { /* KOSMOS-2 */
    sizes->size.width = sizes->size.height = sizes->size.edge;
    sizes->size.edge = 0;
  }
}

/* The crop's part of the size, of one with a crop_pct. */
static void
scale_poolformer (Size *size, double pct)
{
  if (size->width == size->height)
    size->edge = MAX (size->edge, size->width);
  if (size->edge > 0)
    size->width = size->height = 0;
  size->edge = floor (size->edge / pct);
  size->width = floor (size->width / pct);
  size->height = floor (size->height / pct);
}

static void
put_convnext (FvJson *json, const Sizes *sizes)
{
  double edge = sizes->size.edge;
  Size resized = { .edge = floor (edge / sizes->pct) };
  Size crop = { .width = edge, .height = edge };

  if (edge < 384) {
    put_crop (json, "crop_pct", &crop, &resized);
    put_size (json, "size", edge, edge);
    return;
  }
  put_size (json, "size", edge, edge);
  fv_json_put (json, "size", "resize", "stretch");
}

static void
put_edges (FvJson *json, const Sizes *sizes)
{
  const Size *size = &sizes->size;
  gboolean is_yolos = sizes->processor->manner == YOLOS;

  fv_json_put (json, "size", "free-size",
      sizes->processor->manner == MASKFORMER ? "cut-edges" : "edges");
  fv_json_put (json, "size", "resize", "stretch");
  if (size->edge > 0)
    fv_json_put_number (json, "size", "shortest-edge", size->edge);
  if (size->longest > 0)
    fv_json_put_number (json, "size", "longest-edge", size->longest);
  fv_json_put_number (json, is_yolos ? NULL : sizes->divisor_key, "multiple",
      is_yolos ? 16 : MAX (1, sizes->divisor));
  fv_json_put (json, NULL, "multiple-rounding", is_yolos ? "down" : "up");
}

/* Sizes that follow the frame's, or the one that all frames get. */
static void
put_whole (FvJson *json, Sizes *sizes)
{
  Size *size = &sizes->size;
  double divisor = MAX (1, sizes->divisor);

  if (read_least (json, size))
    return;
  if (sizes->processor->manner == MASKFORMER) {
    size->width = ceil (size->width / divisor) * divisor;
    size->height = ceil (size->height / divisor) * divisor;
  }
  if (size->width > 0) {
    put_size (json, "size", size->width, size->height);
    fv_json_put (json, "size", "resize", "stretch");
  } else if (size->edge > 0 || size->longest > 0) {
    put_edges (json, sizes);
  } else if (size->most_width > 0) {
    put_fit (json, size);
  } else if (sizes->divisor > 0) {
    fv_json_put (json, sizes->divisor_key, "free-size", "frame");
    fv_json_put (json, sizes->divisor_key, "resize", "stretch");
    fv_json_put_number (json, sizes->divisor_key, "multiple", sizes->divisor);
  }
  if (fv_json_bool (json, "do_pad", FALSE)
      && (fv_json_has (json, "pad_size")
          || g_strcmp0 (sizes->processor->name, "DPT") == 0))
    fv_json_doubt (json, "do_pad", "false: frames are not padded");
}

static void
read_sizes (FvJson *json, const Processor *processor)
{
  Sizes sizes;
  Size *size = &sizes.size;

  load_sizes (json, processor, &sizes);
  if (*json->error != NULL)
    return;
  if (!fv_json_bool (json, "do_resize", TRUE)) {
    fv_json_put (json, "do_resize", "free-size", "frame");
    fv_json_put_number (json, NULL, "multiple", 1);
    return;
  }
  if (size->edge > 0
      && (processor->manner == CONVNEXT
          || (processor->name == NULL && fv_json_has (json, "crop_pct")))) {
    put_convnext (json, &sizes);
    return;
  }
  if (processor->manner == POOLFORMER)
    scale_poolformer (size, sizes.pct);
  if (processor->manner == LEVIT)
    size->edge = floor (256.0 / 224 * size->edge);
  if (sizes.crops && sizes.crop.width > 0
      && (size->width > 0 || size->edge > 0))
    put_crop (json, "crop_size", &sizes.crop, size);
  else
    put_whole (json, &sizes);
}

static void
read_filter (FvJson *json, const Processor *processor)
{
  /* Pillow's numbers of them */
  static const char *const filters[] = { "nearest", "lanczos", "bilinear",
    "bicubic", "box", "hamming" };
  double resample;

  fv_json_put_pillow (json);
  fv_json_put_filter (json, NULL, processor->filter);
  if (!fv_json_has (json, "resample"))
    return;
  JsonNode *node = json_object_get_member (json->object, "resample");
  if (JSON_NODE_HOLDS_VALUE (node)
      && json_node_get_value_type (node) == G_TYPE_INT64) {
    resample = (double) json_node_get_int (node);
    if (resample >= 0 && resample < G_N_ELEMENTS (filters)) {
      fv_json_put_filter (json, "resample", filters[(guint) resample]);
      return;
    }
  }
  g_autofree char *expected = g_strdup_printf (
      "one of Pillow's filters, 0 to 5 (%s is taken)", processor->filter);
  fv_json_doubt (json, "resample", expected);
}

void
fv_json_read_preprocessor (FvJson *json)
{
  const Processor *processor = find_processor (json);
  const char *reduce = fv_json_has (json, "do_reduce_labels")
      ? "do_reduce_labels"
      : "reduce_labels";

  fv_json_put (json, "do_flip_channel_order", "channels",
      fv_json_bool (json, "do_flip_channel_order", processor->flags & BGR)
          ? "bgr"
          : "rgb");
  if (fv_json_bool (json, reduce, FALSE))
    fv_json_put (json, reduce, "reduce-labels", "true");
  read_values (json, processor);
  read_filter (json, processor);
  read_sizes (json, processor);
}
