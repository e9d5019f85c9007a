/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/gstfoveamarks.h"
#include "shaders/scene.h"

#define UNKNOWN_COLOR 0xffffff
/* Entries that the lists hold besides four a tile. */
#define SPARE_INDICES 65536

static void
add_mark (GArray *marks, gint x, gint y, gint width, gint height,
    guint frame_width, guint frame_height, guint32 color, float alpha)
{
  GstFoveaMark mark = { MAX (x, 0), MAX (y, 0),
    MIN ((gint64) x + width, frame_width),
    MIN ((gint64) y + height, frame_height), color, 0, alpha, -1, 0 };

  if (mark.x1 > mark.x0 && mark.y1 > mark.y0)
    g_array_append_val (marks, mark);
}

/* A text with its background; the corner is moved so that it stays inside. */
static void
add_text (GArray *marks, const GstFoveaLabel *label, gint x, gint y,
    guint frame_width, guint frame_height, guint32 color, guint32 ink,
    float alpha)
{
  guint before = marks->len;
  GstFoveaMark *mark;

  x = MAX (MIN (x, (gint) frame_width - (gint) label->width), 0);
  y = MAX (MIN (y, (gint) frame_height - (gint) label->height), 0);
  add_mark (marks, x, y, label->width, label->height, frame_width, frame_height,
      color, alpha);
  if (marks->len == before)
    return;
  mark = &g_array_index (marks, GstFoveaMark, before);
  mark->ink = ink;
  mark->text = label->offset;
  mark->stride = label->stride;
}

static char *
text_of (const GstFoveaRegion *region)
{
  g_autofree char *number = *region->label || region->label_id < 0
      ? NULL
      : g_strdup_printf ("%d", region->label_id);
  const char *name = number ? number : region->label;

  if (region->confidence <= 0)
    return g_strdup (name);
  return g_strdup_printf ("%s%s%.2f", name, *name ? " " : "",
      region->confidence);
}

typedef struct
{
  GArray *marks;
  GstFoveaLabels *labels;
  const GstFoveaDrawStyle *style;
  const GstFoveaSegmentationMeta *mask; /* (nullable) that is drawn below */
  guint width, height; /* of the frame */
  guint line;
  gint corner; /* y of the next text in the corner */
} Collector;

/* Classes of the whole frame, one below the other. */
static void
collect_frame_classes (Collector *c, const GstFoveaRegion *region)
{
  GstFoveaRegion class;
  gint left = c->line;

  if (!(c->style->flags & GST_FOVEA_DRAW_LABELS))
    return;
  for (guint i = 0; gst_fovea_region_get_class (region, i, &class); i++) {
    g_autofree char *text = text_of (&class);
    const GstFoveaLabel *label = gst_fovea_labels_get (c->labels, text);
    if (label == NULL || c->corner >= (gint) c->height)
      return;
    add_text (c->marks, label, left, c->corner, c->width, c->height, 0x000000,
        0xffffff, 0.6);
    c->corner += label->height;
  }
}

/* The number of the region's class; that of its label in the mask where it has one,
 * as another head may count other classes. */
static gint
class_of (const Collector *c, const GstFoveaRegion *region)
{
  for (guint i = 0; c->mask && *region->label && i < c->mask->n_classes; i++)
    if (strcmp (gst_fovea_producer_label (c->mask->map->producer, i),
            region->label)
        == 0)
      return i;
  return region->label_id;
}

/* Of its mask where it has one, else of its class. */
static guint32
color_of (const Collector *c, const GstFoveaRegion *region)
{
  const GstFoveaDrawStyle *style = c->style;
  gint class;

  if (region->instance && !style->is_by_class)
    return style->palette[FV_INSTANCE_COLOR (region->instance)];
  class = class_of (c, region);
  return class < 0 ? UNKNOWN_COLOR
                   : style->palette[class % GST_FOVEA_PALETTE_SIZE];
}

static void
collect_box (Collector *c, const GstFoveaRegion *region)
{
  const GstVideoRegionOfInterestMeta *box = region->meta;
  guint32 color = color_of (c, region);
  gint x = MIN (box->x, G_MAXINT / 4), y = MIN (box->y, G_MAXINT / 4);
  gint w = MIN (box->w, G_MAXINT / 4), h = MIN (box->h, G_MAXINT / 4);
  gint line = MIN ((gint) c->line, (MIN (w, h) + 1) / 2);
  gint inner = h - 2 * line;

  if (c->style->flags & GST_FOVEA_DRAW_BOXES) {
    add_mark (c->marks, x, y, w, line, c->width, c->height, color, 1);
    add_mark (c->marks, x, y + h - line, w, line, c->width, c->height, color,
        1);
    add_mark (c->marks, x, y + line, line, inner, c->width, c->height, color,
        1);
    add_mark (c->marks, x + w - line, y + line, line, inner, c->width,
        c->height, color, 1);
  }
  if (c->style->flags & GST_FOVEA_DRAW_LABELS) {
    g_autofree char *text = text_of (region);
    const GstFoveaLabel *label =
        *text ? gst_fovea_labels_get (c->labels, text) : NULL;
    if (label)
      add_text (c->marks, label, x,
          y >= (gint) label->height ? y - (gint) label->height : y, c->width,
          c->height, color, gst_fovea_ink_for (color), 1);
  }
}

guint
gst_fovea_marks_line (const GstFoveaDrawStyle *style, guint frame_width,
    guint frame_height)
{
  return style->line_width ? style->line_width
                           : MAX (2, MIN (frame_width, frame_height) / 240);
}

void
gst_fovea_marks_collect (GArray *marks, GstFoveaLabels *labels,
    const GstFoveaDrawStyle *style, GstBuffer *buffer, guint frame_width,
    guint frame_height)
{
  guint side = MIN (frame_width, frame_height);
  guint line = gst_fovea_marks_line (style, frame_width, frame_height);
  Collector c = { marks, labels, style, NULL, frame_width, frame_height, line,
    line };
  g_autoptr (GArray) regions =
      g_array_new (FALSE, FALSE, sizeof (GstFoveaRegion));
  GstFoveaRegion region;
  gpointer state = NULL;

  g_array_set_size (marks, 0);
  if (!(style->flags & (GST_FOVEA_DRAW_BOXES | GST_FOVEA_DRAW_LABELS)))
    return;
  if (style->flags & GST_FOVEA_DRAW_MASK)
    c.mask = gst_fovea_buffer_get_segmentation (buffer, style->source);
  gst_fovea_labels_begin (labels, style->font,
      gst_fovea_labels_pixels (style->font, side));
  while (gst_fovea_buffer_next_region (buffer, style->source, &state, &region))
    g_array_append_val (regions, region);
  /* boxes come best first: the best are drawn last, on top */
  for (guint i = regions->len; i-- > 0;) {
    const GstFoveaRegion *r = &g_array_index (regions, GstFoveaRegion, i);
    gboolean is_sure = r->confidence <= 0 || r->confidence >= style->threshold;
    if (!r->is_frame && is_sure)
      collect_box (&c, r);
  }
  for (guint i = 0; i < regions->len; i++) {
    const GstFoveaRegion *r = &g_array_index (regions, GstFoveaRegion, i);
    if (r->is_frame)
      collect_frame_classes (&c, r);
  }
  if (marks->len > GST_FOVEA_MAX_MARKS)
    g_array_remove_range (marks, 0, marks->len - GST_FOVEA_MAX_MARKS);
}

guint
gst_fovea_marks_tiles (guint width, guint height, guint *row)
{
  const guint tile = 1 << FV_TILE_SHIFT;

  *row = (width + tile - 1) / tile;
  return *row * ((height + tile - 1) / tile);
}

static gsize
n_indices (guint n_tiles)
{
  return 4 * (gsize) n_tiles + SPARE_INDICES;
}

gsize
gst_fovea_marks_room (guint n_tiles)
{
  return n_tiles + n_indices (n_tiles) / 4
      + (gsize) FV_MARK_SIZE * GST_FOVEA_MAX_MARKS;
}

static guint
tiles_of (const GstFoveaMark *mark)
{
  guint columns =
      ((mark->x1 - 1) >> FV_TILE_SHIFT) - (mark->x0 >> FV_TILE_SHIFT) + 1;
  guint rows =
      ((mark->y1 - 1) >> FV_TILE_SHIFT) - (mark->y0 >> FV_TILE_SHIFT) + 1;

  return columns * rows;
}

static void
set_color (float *vec4, guint32 color, float alpha)
{
  vec4[0] = color >> 16 & 255;
  vec4[1] = color >> 8 & 255;
  vec4[2] = color & 255;
  vec4[3] = alpha;
}

static void
write_mark (float *data, const GstFoveaMark *mark)
{
  float *rect = data + 4 * FV_MARK_RECT, *atlas = data + 4 * FV_MARK_ATLAS;

  rect[0] = mark->x0;
  rect[1] = mark->y0;
  rect[2] = mark->x1;
  rect[3] = mark->y1;
  set_color (data + 4 * FV_MARK_COLOR, mark->color, mark->alpha);
  set_color (data + 4 * FV_MARK_TEXT, mark->ink, 1);
  atlas[0] = mark->text;
  atlas[1] = mark->stride;
}

/* Calls for each tile under the mark: counts it, or puts @index into its list. */
static void
visit_tiles (const GstFoveaMark *mark, float *tiles, guint row, float *indices,
    gint index)
{
  for (gint y = mark->y0 >> FV_TILE_SHIFT; y <= (mark->y1 - 1) >> FV_TILE_SHIFT;
       y++)
    for (gint x = mark->x0 >> FV_TILE_SHIFT;
         x <= (mark->x1 - 1) >> FV_TILE_SHIFT; x++) {
      float *tile = tiles + 4 * ((gsize) y * row + x);
      if (indices)
        indices[(gsize) tile[0] + (gsize) tile[1]] = index;
      tile[1]++;
    }
}

guint
gst_fovea_marks_write (const GArray *marks, float *scene, guint width,
    guint height)
{
  guint row, n_tiles = gst_fovea_marks_tiles (width, height, &row);
  float *tiles = scene + 4 * FV_SCENE_TILES;
  float *indices = tiles + 4 * (gsize) n_tiles;
  gsize room = n_indices (n_tiles), used = 0;
  float *data = indices + room;
  float *head = scene + 4 * FV_SCENE_INDICES;
  guint first = marks->len;

  head[0] = (indices - scene) / 4;
  head[1] = (data - scene) / 4;
  memset (tiles, 0, 16 * (gsize) n_tiles);
  while (first > 0) {
    const GstFoveaMark *mark = &g_array_index (marks, GstFoveaMark, first - 1);
    if (tiles_of (mark) > room - used)
      break;
    used += tiles_of (mark);
    first--;
  }
  for (guint i = first; i < marks->len; i++)
    visit_tiles (&g_array_index (marks, GstFoveaMark, i), tiles, row, NULL, 0);
  used = 0;
  for (guint i = 0; i < n_tiles; i++) {
    tiles[4 * (gsize) i] = used;
    used += tiles[4 * (gsize) i + 1];
    tiles[4 * (gsize) i + 1] = 0;
  }
  for (guint i = first; i < marks->len; i++) {
    const GstFoveaMark *mark = &g_array_index (marks, GstFoveaMark, i);
    visit_tiles (mark, tiles, row, indices, i - first);
    write_mark (data + 4 * FV_MARK_SIZE * (gsize) (i - first), mark);
  }
  return marks->len - first;
}
