/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/world/view.h"
#include "gst/world/bins.h"

#include <math.h>
#include <string.h>

#define MOST_PARTS 4096
#define MOST_ENTRIES (1 << 18) /* rows of lists; more make the bins larger */
#define TILE 16 /* pixels */
#define SHADE_CELLS 96 /* a side of the shadow grid */
#define SHADE_REACH 30.0 /* metres from its middle to its sides */
#define SHADE_AHEAD 22.0 /* metres from the camera to its middle */
#define FIELD 0.7 /* tangent of half the horizontal angle of view: 70 degrees */
#define NEAR 0.05
#define ALIGN(bytes) (((bytes) + 255) & ~(gsize) 255)

/* What views of one picture share. */
typedef struct
{
  gatomicrefcount ref;
  FvBuffer *colours, *surfaces;
} Scratch;

struct _FvWorldView
{
  FvDevice *device;
  FvWorldPicture picture;
  Scratch *scratch;
  FvBuffer *world, *frame, *truth, *seen;
  gsize truth_offset[FV_WORLD_OUTPUTS], truth_stride[FV_WORLD_OUTPUTS];
  FvProgram *program;
  guint64 value;
  GArray *tiles, *cells; /* FvBinRect, one per part */
  GArray *bins;
};

/* Where things of a frame are seen from. */
typedef struct
{
  const FvWorldFrame *frame;
  double focal, centre[2]; /* pixels */
  guint tile; /* pixels */
  guint columns, rows; /* of tiles */
  guint cells; /* a side */
  double u[4], v[4]; /* cell of the shadow grid: dot with position; plus */
} Sight;

/* ---- Geometry ---- */

static double
dot (const float *a, const float *b)
{
  return (double) a[0] * b[0] + (double) a[1] * b[1] + (double) a[2] * b[2];
}

static void
corner_of (const FvWorldPart *part, guint corner, double *p)
{
  for (guint c = 0; c < 3; c++) {
    p[c] = part->centre[c];
    for (guint a = 0; a < 3; a++)
      p[c] += (corner >> a & 1 ? 1 : -1) * (double) part->axis[a][c];
  }
}

static void
add_to_box (double *box, double x, double y)
{
  box[0] = MIN (box[0], x);
  box[1] = MIN (box[1], y);
  box[2] = MAX (box[2], x);
  box[3] = MAX (box[3], y);
}

/* The bins from @box[0], @box[1] to @box[2], @box[3], of those that there are. */
static FvBinRect
clip_box (const double *box, double side, guint columns, guint rows)
{
  FvBinRect none = { 0, 0, -1, -1 };

  if (!(box[0] < side * columns && box[1] < side * rows && box[2] >= 0
          && box[3] >= 0))
    return none;
  return (FvBinRect){ (gint) (MAX (box[0], 0) / side),
    (gint) (MAX (box[1], 0) / side),
    (gint) (MIN (box[2] / side, columns - 1.0)),
    (gint) (MIN (box[3] / side, rows - 1.0)) };
}

/* The pixels that the box around a part may cover: of its corners in front of the
 * camera, and of its edges where they pass the camera's plane. */
static FvBinRect
find_tiles (const Sight *sight, const FvWorldPart *part)
{
  const FvWorldCamera *camera = &sight->frame->camera;
  double at[8][3], box[4] = { HUGE_VAL, HUGE_VAL, -HUGE_VAL, -HUGE_VAL };

  for (guint i = 0; i < 8; i++) {
    double p[3];
    float from[3];
    corner_of (part, i, p);
    for (guint c = 0; c < 3; c++)
      from[c] = (float) (p[c] - camera->at[c]);
    at[i][0] = dot (from, camera->right);
    at[i][1] = -dot (from, camera->up);
    at[i][2] = dot (from, camera->ahead);
  }
  for (guint i = 0; i < 8; i++) {
    if (at[i][2] >= NEAR)
      add_to_box (box, at[i][0] / at[i][2], at[i][1] / at[i][2]);
    for (guint a = 0; a < 3; a++) {
      const double *p = at[i], *q = at[i ^ 1u << a];
      if (p[2] >= NEAR || q[2] < NEAR)
        continue;
      double t = (NEAR - p[2]) / (q[2] - p[2]);
      add_to_box (box, (p[0] + t * (q[0] - p[0])) / NEAR,
          (p[1] + t * (q[1] - p[1])) / NEAR);
    }
  }
  for (guint i = 0; i < 4; i++)
    box[i] = box[i] * sight->focal + sight->centre[i & 1] + (i < 2 ? -1 : 1);
  return clip_box (box, sight->tile, sight->columns, sight->rows);
}

static FvBinRect
find_cells (const Sight *sight, const FvWorldPart *part)
{
  double box[4] = { HUGE_VAL, HUGE_VAL, -HUGE_VAL, -HUGE_VAL };

  if (!part->is_shading)
    return (FvBinRect){ 0, 0, -1, -1 };
  for (guint i = 0; i < 8; i++) {
    double p[3];
    corner_of (part, i, p);
    add_to_box (box,
        sight->u[0] * p[0] + sight->u[1] * p[1] + sight->u[2] * p[2]
            + sight->u[3],
        sight->v[0] * p[0] + sight->v[1] * p[1] + sight->v[2] * p[2]
            + sight->v[3]);
  }
  return clip_box (box, 1, sight->cells, sight->cells);
}

/* Axes across the light; the grid's middle lies ahead of the camera. */
static void
aim_shade (Sight *sight)
{
  const FvWorldFrame *frame = sight->frame;
  const float *light = frame->light;
  double long_way = sqrt (light[0] * light[0] + light[2] * light[2]);
  double u[3] = { 1, 0, 0 }, middle[3], v[3];
  double per_metre = sight->cells / (2 * SHADE_REACH);

  if (long_way > 1e-6) {
    u[0] = light[2] / long_way;
    u[2] = -light[0] / long_way;
  }
  v[0] = light[1] * u[2] - light[2] * u[1];
  v[1] = light[2] * u[0] - light[0] * u[2];
  v[2] = light[0] * u[1] - light[1] * u[0];
  for (guint i = 0; i < 3; i++)
    middle[i] = i == 1 ? 0
                       : frame->camera.at[i]
            + (frame->zones[0] < 0 ? 0 : SHADE_AHEAD) * frame->camera.ahead[i];
  sight->u[3] = sight->v[3] = sight->cells / 2.0;
  for (guint i = 0; i < 3; i++) {
    sight->u[i] = u[i] * per_metre;
    sight->v[i] = v[i] * per_metre;
    sight->u[3] -= sight->u[i] * middle[i];
    sight->v[3] -= sight->v[i] * middle[i];
  }
}

static void
set_tile (Sight *sight, const FvWorldPicture *picture, guint tile)
{
  sight->tile = tile;
  sight->columns = (picture->width + tile - 1) / tile;
  sight->rows = (picture->height + tile - 1) / tile;
}

/* ---- Rows ---- */

static void
set_row (float *data, guint row, const float *first, double last)
{
  for (guint i = 0; i < 3; i++)
    data[4 * row + i] = first[i];
  data[4 * row + 3] = (float) last;
}

static void
write_rays (float *data, const Sight *sight, const FvWorldPicture *picture)
{
  const FvWorldCamera *camera = &sight->frame->camera;
  float first[3], across[3], down[3];

  for (guint i = 0; i < 3; i++) {
    across[i] = (float) (camera->right[i] / sight->focal);
    down[i] = (float) (-camera->up[i] / sight->focal);
    first[i] = (float) (camera->ahead[i] - across[i] * sight->centre[0]
        - down[i] * sight->centre[1]);
  }
  set_row (data, FV_WORLD_RAY, first, picture->width);
  set_row (data, FV_WORLD_RAY_X, across, picture->height);
  set_row (data, FV_WORLD_RAY_Y, down, sight->columns);
  set_row (data, FV_WORLD_CAMERA, camera->at, sight->tile);
  set_row (data, FV_WORLD_RIGHT, camera->right, sight->centre[0]);
  set_row (data, FV_WORLD_UP, camera->up, sight->centre[1]);
  set_row (data, FV_WORLD_AHEAD, camera->ahead, sight->focal);
}

static void
write_light (float *data, const FvWorldFrame *frame, double frame_seconds)
{
  float moves[3], turns[3];

  for (guint i = 0; i < 3; i++) {
    moves[i] = (float) (frame->moves[i] * frame_seconds);
    turns[i] = (float) (frame->turns[i] * frame_seconds);
  }
  set_row (data, FV_WORLD_LIGHT, frame->light, frame->direct);
  set_row (data, FV_WORLD_LIGHT_COLOUR, frame->light_colour, frame->around);
  set_row (data, FV_WORLD_ZENITH, frame->zenith, frame->clouds);
  set_row (data, FV_WORLD_HORIZON, frame->horizon, frame->fog);
  set_row (data, FV_WORLD_ZONES, frame->zones, 0);
  set_row (data, FV_WORLD_RUG, frame->rug, frame->rug[3]);
  for (guint i = 0; i < 3; i++)
    set_row (data, FV_WORLD_GROUND + i, frame->ground[i], frame->ground[i][3]);
  set_row (data, FV_WORLD_MOVES, moves, frame->shutter);
  set_row (data, FV_WORLD_TURNS, turns, frame->noise);
}

static void
write_grid (float *data, const Sight *sight, guint cells_row)
{
  for (guint i = 0; i < 4; i++) {
    data[4 * FV_WORLD_SHADE_U + i] = (float) sight->u[i];
    data[4 * FV_WORLD_SHADE_V + i] = (float) sight->v[i];
  }
  data[4 * FV_WORLD_SHADE] = (float) sight->cells;
  data[4 * FV_WORLD_SHADE + 1] = (float) cells_row;
}

static void
write_bytes (float *data, const FvWorldPicture *picture)
{
  for (guint i = 0; i < 3; i++)
    for (guint k = 0; k < 4; k++)
      data[4 * (FV_WORLD_LUMA + i) + k] = (float) picture->matrix[i][k];
}

/* Points to unit space: rows of axes over their squared lengths. */
static void
write_part (float *row, const FvWorldPart *part, const FvWorldFrame *frame,
    double frame_seconds)
{
  float size[3], from[3], light[3], moves[3];

  for (guint a = 0; a < 3; a++) {
    double square = MAX (dot (part->axis[a], part->axis[a]), 1e-12);
    float to[3];
    for (guint c = 0; c < 3; c++)
      to[c] = (float) (part->axis[a][c] / square);
    from[a] = (float) -dot (to, part->centre);
    light[a] = (float) dot (to, frame->light);
    size[a] = (float) sqrt (square);
    moves[a] = (float) (part->moves[a] * frame_seconds);
    set_row (row, FV_PART_TO_UNIT + a, to,
        from[a] + dot (to, frame->camera.at));
  }
  float what[3] = { (float) part->what, (float) part->instance,
    (float) part->pattern };
  set_row (row, FV_PART_WHAT, what, part->shape);
  set_row (row, FV_PART_COLOUR, part->colour[0], part->frequency);
  set_row (row, FV_PART_COLOUR_2, part->colour[1], part->grain);
  set_row (row, FV_PART_SIZE, size, part->shine);
  set_row (row, FV_PART_MOVES, moves, 0);
  set_row (row, FV_PART_FROM_WORLD, from, 0);
  set_row (row, FV_PART_LIGHT, light, 0);
}

/* ---- A frame ---- */

static void
find_bins (FvWorldView *view, const Sight *sight, FvBins *tiles, FvBins *cells)
{
  const GArray *parts = sight->frame->parts;

  g_array_set_size (view->tiles, parts->len);
  g_array_set_size (view->cells, parts->len);
  for (guint i = 0; i < parts->len; i++) {
    const FvWorldPart *part = &g_array_index (parts, FvWorldPart, i);
    g_array_index (view->tiles, FvBinRect, i) = find_tiles (sight, part);
    g_array_index (view->cells, FvBinRect, i) = find_cells (sight, part);
  }
  *tiles = (FvBins){ sight->columns, sight->rows, parts->len,
    (const FvBinRect *) (gpointer) view->tiles->data,
    (const FvWorldPart *) (gpointer) parts->data, TRUE };
  *cells = (FvBins){ sight->cells, sight->cells, parts->len,
    (const FvBinRect *) (gpointer) view->cells->data,
    (const FvWorldPart *) (gpointer) parts->data, FALSE };
}

/* Lists that hold more than there is room for are made of larger bins. */
static void
write_bins (FvWorldView *view, Sight *sight, float *data)
{
  FvBins tiles, cells;
  guint tiles_row, cells_row, lists_row;

  for (;;) {
    aim_shade (sight);
    find_bins (view, sight, &tiles, &cells);
    if (fv_bins_count (&tiles, view->bins) + fv_bins_count (&cells, view->bins)
            <= MOST_ENTRIES
        || sight->cells <= 2)
      break;
    set_tile (sight, &view->picture, sight->tile * 2);
    sight->cells /= 2;
  }
  tiles_row = FV_WORLD_PARTS + FV_PART_ROWS * MOST_PARTS;
  cells_row = tiles_row + tiles.columns * tiles.rows;
  lists_row = cells_row + cells.columns * cells.rows;
  gsize n = fv_bins_count (&tiles, view->bins);
  fv_bins_write (&tiles, data, tiles_row, lists_row, FV_WORLD_PARTS,
      view->bins);
  fv_bins_count (&cells, view->bins);
  fv_bins_write (&cells, data, cells_row, lists_row + (guint) n, FV_WORLD_PARTS,
      view->bins);
  data[4 * FV_WORLD_EXPOSURE + 3] = (float) tiles_row;
  write_grid (data, sight, cells_row);
}

gboolean
fv_world_view_draw (FvWorldView *view, const FvWorldFrame *frame, guint number,
    double frame_seconds, guint64 *value, GError **error)
{
  const FvWorldPicture *picture = &view->picture;
  float *data = fv_buffer_map (view->world);
  double focal = picture->width / 2.0 / FIELD;
  Sight sight = { .frame = frame,
    .focal = focal,
    .centre = { (picture->width - 1) / 2.0, (picture->height - 1) / 2.0 },
    .cells = SHADE_CELLS };

  if (frame->parts->len > MOST_PARTS || frame->instances->len > MOST_PARTS) {
    g_set_error (error, FV_ERROR, FV_ERROR_TOO_LARGE,
        "a world of %u parts; expected at most %u", frame->parts->len,
        MOST_PARTS);
    return FALSE;
  }
  if (!fv_device_wait (view->device, view->value, FV_WATCHDOG, error))
    return FALSE;
  set_tile (&sight, picture, TILE);
  float exposure[3] = { frame->exposure, (float) (number & 0xffffff),
    frame->blur };
  set_row (data, FV_WORLD_EXPOSURE, exposure, 0);
  write_light (data, frame, frame_seconds);
  write_bytes (data, picture);
  for (guint i = 0; i < frame->parts->len; i++)
    write_part (data + 4 * (FV_WORLD_PARTS + (gsize) i * FV_PART_ROWS),
        &g_array_index (frame->parts, FvWorldPart, i), frame, frame_seconds);
  write_bins (view, &sight, data);
  write_rays (data, &sight, picture);
  memset (fv_buffer_map (view->seen), 0, fv_buffer_size (view->seen));
  if (!fv_program_submit (&view->program, 1, &view->value, error))
    return FALSE;
  *value = view->value;
  return TRUE;
}

FvWorldSeen
fv_world_view_seen (FvWorldView *view, guint i)
{
  const guint32 *record = (const guint32 *) fv_buffer_map (view->seen)
      + (gsize) MIN (i, MOST_PARTS - 1) * FV_SEEN_WORDS;
  FvWorldSeen seen = { .pixels = record[FV_SEEN_PIXELS] };

  seen.whole = MAX (record[FV_SEEN_WHOLE], seen.pixels);
  if (seen.pixels == 0)
    return seen;
  seen.x = view->picture.width - 1 - record[FV_SEEN_LEFT];
  seen.y = view->picture.height - 1 - record[FV_SEEN_TOP];
  seen.width = record[FV_SEEN_RIGHT] + 1 - seen.x;
  seen.height = record[FV_SEEN_BOTTOM] + 1 - seen.y;
  return seen;
}

/* ---- Life ---- */

static void
add_trace (FvWorldView *view)
{
  const FvWorldPicture *picture = &view->picture;
  FvDispatch d = { .kernel = "worldtrace", .label = "rays" };

  fv_dispatch_bind (&d, view->world, 0, fv_buffer_size (view->world),
      FV_BIND_FLOATS_READ, FV_TYPE_F32);
  fv_dispatch_bind (&d, view->scratch->colours, 0,
      fv_buffer_size (view->scratch->colours), FV_BIND_FLOATS_WRITE,
      FV_TYPE_F16);
  fv_dispatch_bind (&d, view->scratch->surfaces, 0,
      fv_buffer_size (view->scratch->surfaces), FV_BIND_FLOATS_WRITE,
      FV_TYPE_F32);
  fv_dispatch_bind (&d, view->seen, 0, fv_buffer_size (view->seen),
      FV_BIND_RAW_WRITE, FV_TYPE_NONE);
  fv_dispatch_spec (&d, FV_SPEC_LOCAL, 64);
  d.groups[0] = (picture->width + 7) / 8;
  d.groups[1] = (picture->height + 7) / 8;
  d.groups[2] = 1;
  fv_program_dispatch (view->program, &d);
}

static void
add_picture (FvWorldView *view)
{
  const FvWorldPicture *picture = &view->picture;
  FvDispatch d = { .kernel = "worldframe", .label = "picture" };
  FvWorldPush push = { .width = (fv_int) picture->width,
    .height = (fv_int) picture->height };

  for (guint i = 0; i < 3; i++)
    push.plane[i] = (fv_int) (picture->plane[i] / 4);
  push.stride[0] = (fv_int) (picture->stride[0] / 4);
  push.stride[1] = (fv_int) (picture->stride[1] / 4);
  push.class_stride = (fv_int) (view->truth_stride[FV_WORLD_CLASS_MAP] / 4);
  push.instance_stride =
      (fv_int) (view->truth_stride[FV_WORLD_INSTANCE_MAP] / 4);
  fv_dispatch_bind (&d, view->world, 0, fv_buffer_size (view->world),
      FV_BIND_FLOATS_READ, FV_TYPE_F32);
  fv_dispatch_bind (&d, view->scratch->colours, 0,
      fv_buffer_size (view->scratch->colours), FV_BIND_FLOATS_READ,
      FV_TYPE_F16);
  fv_dispatch_bind (&d, view->scratch->surfaces, 0,
      fv_buffer_size (view->scratch->surfaces), FV_BIND_FLOATS_READ,
      FV_TYPE_F32);
  fv_dispatch_bind (&d, view->frame, 0, fv_buffer_size (view->frame),
      FV_BIND_RAW_WRITE, FV_TYPE_NONE);
  for (guint i = FV_WORLD_CLASS_MAP; i < FV_WORLD_OUTPUTS; i++)
    fv_dispatch_bind (&d, view->truth, view->truth_offset[i],
        view->truth_stride[i] * picture->height, FV_BIND_RAW_WRITE,
        FV_TYPE_NONE);
  fv_dispatch_spec (&d, FV_SPEC_LOCAL, 16);
  fv_dispatch_spec (&d, FV_WORLD_SPEC_FORMAT, (gint) picture->format);
  fv_dispatch_push (&d, &push, sizeof push);
  d.groups[0] = (picture->width + 127) / 128;
  d.groups[1] = (picture->height + 1) / 2;
  d.groups[2] = 1;
  fv_program_dispatch (view->program, &d);
}

static void
scratch_unref (Scratch *scratch)
{
  if (scratch == NULL || !g_atomic_ref_count_dec (&scratch->ref))
    return;
  fv_buffer_unref (scratch->colours);
  fv_buffer_unref (scratch->surfaces);
  g_free (scratch);
}

static gboolean
make_buffers (FvWorldView *view, GError **error)
{
  const FvWorldPicture *picture = &view->picture;
  gsize pixels = (gsize) picture->width * picture->height, truth = 0;
  gsize tiles = (gsize) ((picture->width + TILE - 1) / TILE)
      * ((picture->height + TILE - 1) / TILE);
  gsize rows = FV_WORLD_PARTS + FV_PART_ROWS * MOST_PARTS + tiles
      + SHADE_CELLS * SHADE_CELLS + MOST_ENTRIES;
  gsize strides[FV_WORLD_OUTPUTS] = { 0, (picture->width + 3) / 4 * 4,
    (2 * (gsize) picture->width + 3) / 4 * 4, 4 * (gsize) picture->width };
  FvDevice *device = view->device;

  for (guint i = FV_WORLD_CLASS_MAP; i < FV_WORLD_OUTPUTS; i++) {
    view->truth_stride[i] = strides[i];
    view->truth_offset[i] = truth;
    truth += ALIGN (strides[i] * picture->height);
  }
  if (view->scratch == NULL) {
    view->scratch = g_new0 (Scratch, 1);
    g_atomic_ref_count_init (&view->scratch->ref);
    view->scratch->colours =
        fv_buffer_new (device, pixels * 8, FV_MEMORY_DEVICE, error);
    if (view->scratch->colours == NULL)
      return FALSE;
    view->scratch->surfaces =
        fv_buffer_new (device, pixels * 16, FV_MEMORY_DEVICE, error);
    if (view->scratch->surfaces == NULL)
      return FALSE;
  }
  return (view->world =
                 fv_buffer_new (device, rows * 16, FV_MEMORY_UPLOAD, error))
      && (view->frame =
              fv_buffer_new (device, picture->size, FV_MEMORY_DOWNLOAD, error))
      && (view->truth = fv_buffer_new (device, truth, FV_MEMORY_DEVICE, error))
      && (view->seen = fv_buffer_new (device, 4 * FV_SEEN_WORDS * MOST_PARTS,
              FV_MEMORY_DOWNLOAD, error));
}

FvWorldView *
fv_world_view_new (FvDevice *device, const FvWorldPicture *picture,
    FvWorldView *sibling, GError **error)
{
  FvWorldView *view = g_new0 (FvWorldView, 1);

  view->device = fv_device_ref (device);
  view->picture = *picture;
  view->tiles = g_array_new (FALSE, FALSE, sizeof (FvBinRect));
  view->cells = g_array_new (FALSE, FALSE, sizeof (FvBinRect));
  view->bins = fv_bins_scratch_new ();
  if (sibling != NULL) {
    view->scratch = sibling->scratch;
    g_atomic_ref_count_inc (&view->scratch->ref);
  }
  if (make_buffers (view, error)) {
    view->program = fv_program_new (device);
    add_trace (view);
    add_picture (view);
    if (fv_program_finish (view->program, error))
      return view;
  }
  fv_world_view_free (view);
  return NULL;
}

void
fv_world_view_free (FvWorldView *view)
{
  if (view == NULL)
    return;
  fv_program_unref (view->program);
  fv_buffer_unref (view->world);
  fv_buffer_unref (view->frame);
  fv_buffer_unref (view->truth);
  fv_buffer_unref (view->seen);
  scratch_unref (view->scratch);
  g_array_unref (view->tiles);
  g_array_unref (view->cells);
  g_array_unref (view->bins);
  fv_device_unref (view->device);
  g_free (view);
}

FvBuffer *
fv_world_view_output (FvWorldView *view, FvWorldOutput output, gsize *offset,
    gsize *size, gsize *stride)
{
  if (output == FV_WORLD_PICTURE) {
    *offset = 0;
    *size = view->picture.size;
    *stride = 0;
    return view->frame;
  }
  *offset = view->truth_offset[output];
  *stride = view->truth_stride[output];
  *size = *stride * view->picture.height;
  return view->truth;
}
