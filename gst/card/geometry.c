/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How large the input is and where the frame lies in it. Rounding is that of the
 * programs the models were trained with, to the pixel. */
#include "gst/card/card.h"

#include <math.h>

#define LONG_SIDE 640 /* of an input of which nothing is known */
#define MAX_SIZE 65536 /* as a card may say; frames of any shape ask for more */

static guint
round_to_multiple (const FvCardInput *input, double size)
{
  guint m = MAX (1, input->multiple), n;
  FvMultipleRounding rounding = input->multiple_rounding;

  if (rounding == FV_MULTIPLE_AUTO && input->free_size == FV_FREE_FRAME)
    rounding = FV_MULTIPLE_DOWN;
  if (rounding == FV_MULTIPLE_AUTO && input->resize == FV_RESIZE_LETTERBOX)
    rounding = FV_MULTIPLE_UP;
  if (rounding == FV_MULTIPLE_DOWN)
    n = (guint) (size / m + 1e-6);
  else if (rounding == FV_MULTIPLE_UP)
    n = (guint) (size / m + 1 - 1e-6);
  else if (input->free_size == FV_FREE_AUTO)
    n = (guint) (size / m + 0.5);
  else
    n = (guint) rint (size / m); /* Python's round */
  if (input->free_size == FV_FREE_AUTO && size <= LONG_SIDE
      && n * m > LONG_SIDE)
    n--;
  return MAX (1, n) * m;
}

/* transformers, get_size_with_aspect_ratio() of image_processing_detr.py: sizes of
 * a frame whose short side becomes shortest_edge, each cut to whole pixels. */
static void
size_by_edges (const FvCardInput *input, double frame_width,
    double frame_height, double *width, double *height)
{
  double low = MIN (frame_width, frame_height);
  double high = MAX (frame_width, frame_height);
  double edge = input->shortest_edge ? input->shortest_edge : low, raw = edge;

  if (input->longest_edge != 0 && high / low * edge > input->longest_edge) {
    raw = input->longest_edge * low / high;
    edge = rint (raw);
  }
  if (low == edge) {
    *width = frame_width;
    *height = frame_height;
  } else if (frame_width < frame_height) {
    *width = edge;
    *height = floor (raw * frame_height / frame_width);
  } else {
    *height = edge;
    *width = floor (raw * frame_width / frame_height);
  }
}

/* transformers, get_resize_output_image_size() of image_transforms.py: here the
 * short side is cut, not rounded, and by a long side that was cut before. */
static void
size_by_cut_edges (const FvCardInput *input, double frame_width,
    double frame_height, double *width, double *height)
{
  double low = MIN (frame_width, frame_height);
  double high = MAX (frame_width, frame_height);
  double short_side = input->shortest_edge ? input->shortest_edge : low;
  double long_side = floor (short_side * high / low);

  if (input->longest_edge != 0 && long_side > input->longest_edge) {
    short_side = floor (input->longest_edge * short_side / long_side);
    long_side = input->longest_edge;
  }
  *width = frame_width <= frame_height ? short_side : long_side;
  *height = frame_width <= frame_height ? long_side : short_side;
}

/* transformers, get_resize_output_image_size() of image_processing_dpt.py */
static void
size_by_least (const FvCardInput *input, double frame_width,
    double frame_height, double *width, double *height)
{
  double edge = MAX (1, input->shortest_edge);
  double by_width = edge / frame_width, by_height = edge / frame_height;
  double scale =
      fabs (1 - by_width) < fabs (1 - by_height) ? by_width : by_height;

  *width = scale * frame_width;
  *height = scale * frame_height;
}

/* transformers, get_image_size_for_max_height_width() of image_processing_detr.py:
 * small frames grow. */
static void
size_by_fit (const FvCardInput *input, double frame_width, double frame_height,
    double *width, double *height)
{
  double scale = G_MAXDOUBLE;

  if (input->most_width != 0)
    scale = input->most_width / frame_width;
  if (input->most_height != 0)
    scale = MIN (scale, input->most_height / frame_height);
  if (scale == G_MAXDOUBLE)
    scale = 1;
  *width = floor (frame_width * scale);
  *height = floor (frame_height * scale);
}

static void
size_by_itself (const FvCardInput *input, double frame_width,
    double frame_height, double *width, double *height)
{
  double scale = MIN (1, LONG_SIDE / MAX (frame_width, frame_height));

  if (input->width != 0 && input->height == 0)
    scale = input->width / frame_width;
  if (input->height != 0 && input->width == 0)
    scale = input->height / frame_height;
  *width = frame_width * scale;
  *height = frame_height * scale;
}

void
fv_card_choose_size (FvCard *card, guint frame_width, guint frame_height)
{
  FvCardInput *input = &card->input;
  double width = MAX (1, frame_width), height = MAX (1, frame_height);

  if (input->free_size == FV_FREE_EDGES)
    size_by_edges (input, width, height, &width, &height);
  else if (input->free_size == FV_FREE_CUT_EDGES)
    size_by_cut_edges (input, width, height, &width, &height);
  else if (input->free_size == FV_FREE_LEAST)
    size_by_least (input, width, height, &width, &height);
  else if (input->free_size == FV_FREE_FIT)
    size_by_fit (input, width, height, &width, &height);
  else if (input->free_size == FV_FREE_AUTO)
    size_by_itself (input, width, height, &width, &height);
  if (input->width == 0)
    input->width = round_to_multiple (input, MIN (width, MAX_SIZE));
  if (input->height == 0)
    input->height = round_to_multiple (input, MIN (height, MAX_SIZE));
}

/* YOLOX' letterbox cuts to whole pixels and lies top left, Ultralytics' and timm's
 * round and are centred. */
static void
map_letterbox (FvFrameMap *map, const FvCardInput *input, double box_width,
    double box_height)
{
  gboolean centered = input->anchor == FV_ANCHOR_CENTER;
  double scale = MIN (box_width / MAX (1, map->frame_width),
      box_height / MAX (1, map->frame_height));
  double w = MAX (1, map->frame_width) * scale;
  double h = MAX (1, map->frame_height) * scale;

  map->width = (gint) (centered ? rint (w) : w + 1e-6);
  map->height = (gint) (centered ? rint (h) : h + 1e-6);
  map->width = CLAMP (map->width, 1, (gint) box_width);
  map->height = CLAMP (map->height, 1, (gint) box_height);
}

/* torchvision and Hugging Face cut the long side to whole pixels; timm, which
 * alone makes others than squares of this, rounds it. */
static void
map_crop (FvFrameMap *map, double box_width, double box_height)
{
  double fw = MAX (1, map->frame_width), fh = MAX (1, map->frame_height);
  double scale = MAX (box_width / fw, box_height / fh);
  gboolean square = box_width == box_height;

  map->width = (gint) (square ? fw * scale + 1e-6 : rint (fw * scale));
  map->height = (gint) (square ? fh * scale + 1e-6 : rint (fh * scale));
}

/* Where the input's first pixel lies in a frame that is larger by @excess, or how
 * many lie in front of the frame where it is smaller. */
static gint
middle (const FvCardInput *input, gint excess)
{
  if (input->crop_offset == FV_CROP_FLOOR)
    return (gint) floor (excess / 2.0);
  return excess < 0 ? excess / 2 : (gint) rint (excess / 2.0);
}

void
fv_frame_map_init (FvFrameMap *map, const FvCardInput *input, guint frame_width,
    guint frame_height)
{
  double fraction = input->crop_fraction > 0 ? input->crop_fraction : 1;
  double box_width = floor (input->width / fraction + 1e-4);
  double box_height = floor (input->height / fraction + 1e-4);
  gint width = (gint) input->width, height = (gint) input->height;

  *map = (FvFrameMap){ .frame_width = frame_width,
    .frame_height = frame_height,
    .input_width = input->width,
    .input_height = input->height,
    .width = (gint) box_width,
    .height = (gint) box_height };
  if (input->resize == FV_RESIZE_LETTERBOX)
    map_letterbox (map, input, box_width, box_height);
  else if (input->resize == FV_RESIZE_CROP)
    map_crop (map, box_width, box_height);
  if (input->resize == FV_RESIZE_LETTERBOX
      && input->anchor == FV_ANCHOR_TOP_LEFT)
    return;
  map->x = -middle (input, map->width - width);
  map->y = -middle (input, map->height - height);
}

void
fv_frame_map_to_frame (const FvFrameMap *map, double x, double y,
    double *frame_x, double *frame_y)
{
  *frame_x = (x - map->x) * map->frame_width / MAX (1, map->width);
  *frame_y = (y - map->y) * map->frame_height / MAX (1, map->height);
}
