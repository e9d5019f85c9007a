/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/gstfoveadraw.h"
#include "gst/video/gstfoveablend.h"
#include "gst/video/gstfoveacolor.h"
#include "gst/video/gstfovealabels.h"
#include "gst/video/gstfoveamarks.h"
#include "gst/video/gstfoveapixels.h"
#include "shaders/scene.h"
#include "shaders/shared.h"

/* Pools of producers are small: so many different pairs of maps come again. */
#define MAX_PASSES 8
#define N_SAMPLES (FV_SAMPLES_X * FV_SAMPLES_Y)

/* Device memory that the host writes and reads: directly where it can be mapped,
 * else through staging buffers. */
typedef struct
{
  FvBuffer *device, *up, *down;
} Surface;

/* A map as a kernel binds it. */
typedef struct
{
  FvBuffer *buffer;
  gsize offset, size;
} Bound;

/* The programs for one pair of maps. */
typedef struct
{
  Bound mask, depth, instances;
  FvProgram *canvas;
  FvProgram *samples; /* (nullable) */
} Pass;

struct _GstFoveaDraw
{
  FvDevice *device;
  GstVideoInfo info;
  GstFoveaFraming framing;
  guint width, height; /* of what is stored: the picture, and before it what
                          shares chroma with it */
  gboolean is_transparent;
  GstFoveaPlaneLayout layouts[GST_VIDEO_MAX_PLANES];
  guint n_planes;
  FvBuffer *scene, *atlas, *samples, *nothing;
  /* (nullable) for maps of the host */
  FvBuffer *mask_upload, *depth_upload, *instance_upload;
  Surface canvas, frame;
  GstFoveaImages *images; /* (nullable): frames are images */
  FvProgram *finish; /* blends and brings back what the host reads */
  GPtrArray
      *in_place; /* the same for frames that are drawn on where they lie */
  GPtrArray *passes; /* Pass *, most recent first */
  GArray *marks;
  GstFoveaLabels *labels;
};

/* What one frame draws. */
typedef struct
{
  const GstFoveaDrawStyle *style;
  GstFoveaSegmentationMeta *mask; /* (nullable) */
  GstFoveaDepthMeta *depth; /* (nullable) */
  GstFoveaPlane *instances; /* (nullable) of the mask */
  Bound mask_bound, depth_bound, instance_bound;
  FvProgram *finish;
} Job;

/* @is_private: the host neither writes nor reads it. */
static gboolean
surface_init (Surface *surface, FvDevice *device, gsize size,
    gboolean is_private, GError **error)
{
  surface->device = fv_buffer_new (device, size, FV_MEMORY_DEVICE, error);
  if (surface->device == NULL)
    return FALSE;
  if (is_private || fv_buffer_map (surface->device))
    return TRUE;
  surface->up = fv_buffer_new (device, size, FV_MEMORY_UPLOAD, error);
  if (surface->up == NULL)
    return FALSE;
  surface->down = fv_buffer_new (device, size, FV_MEMORY_DOWNLOAD, error);
  return surface->down != NULL;
}

static void
surface_clear (Surface *surface)
{
  g_clear_pointer (&surface->device, fv_buffer_unref);
  g_clear_pointer (&surface->up, fv_buffer_unref);
  g_clear_pointer (&surface->down, fv_buffer_unref);
}

static gpointer
surface_write (Surface *surface)
{
  return fv_buffer_map (surface->up ? surface->up : surface->device);
}

static gconstpointer
surface_read (Surface *surface)
{
  return fv_buffer_map (surface->down ? surface->down : surface->device);
}

static void
pass_free (gpointer data)
{
  Pass *pass = data;

  fv_program_unref (pass->canvas);
  fv_program_unref (pass->samples);
  fv_buffer_unref (pass->mask.buffer);
  fv_buffer_unref (pass->depth.buffer);
  fv_buffer_unref (pass->instances.buffer);
  g_free (pass);
}

static void
bind (FvDispatch *dispatch, FvBuffer *buffer, gsize offset, gsize size,
    FvBindKind kind)
{
  fv_dispatch_bind (dispatch, buffer, offset, size, kind, FV_TYPE_F32);
}

static void
bind_whole (FvDispatch *dispatch, FvBuffer *buffer, FvBindKind kind)
{
  bind (dispatch, buffer, 0, fv_buffer_size (buffer), kind);
}

static void
set_kernel (FvDispatch *dispatch, const char *kernel, guint columns, guint rows)
{
  dispatch->kernel = kernel;
  fv_dispatch_spec (dispatch, FV_SPEC_LOCAL, GST_FOVEA_DRAW_LOCAL);
  dispatch->groups[0] = columns;
  dispatch->groups[1] = rows;
  dispatch->groups[2] = 1;
}

static guint
n_tiles (const GstFoveaDraw *draw)
{
  guint row;

  return gst_fovea_marks_tiles (draw->width, draw->height, &row);
}

static GstFoveaBlend
describe_blend (const GstFoveaDraw *draw)
{
  const GstFoveaBlend blend = { .device = draw->device,
    .format = draw->info.finfo,
    .is_interlaced = draw->framing.is_interlaced,
    .width = draw->width,
    .height = draw->height,
    .n_tiles = n_tiles (draw),
    .scene = draw->scene,
    .canvas = draw->canvas.device,
    .layouts = draw->layouts,
    .n_planes = draw->n_planes };

  return blend;
}

/* What follows the canvas: blending, and the copies where memory is not mapped. */
static gboolean
make_finish (GstFoveaDraw *draw, GError **error)
{
  Surface *result = draw->is_transparent ? &draw->canvas : &draw->frame;
  gsize size = fv_buffer_size (result->device);
  const GstFoveaBlend blend = describe_blend (draw);

  draw->finish = fv_program_new (draw->device);
  if (!draw->is_transparent) {
    if (result->up)
      fv_program_copy (draw->finish, result->up, 0, result->device, 0, size);
    gst_fovea_blend_add (&blend, draw->finish, draw->layouts, result->device,
        size);
  }
  if (result->down)
    fv_program_copy (draw->finish, result->device, 0, result->down, 0, size);
  return fv_program_finish (draw->finish, error);
}

static gboolean
make_buffers (GstFoveaDraw *draw, gsize frame_size, GError **error)
{
  gsize pixels = (gsize) draw->width * draw->height;
  gsize scene = 16 * (FV_SCENE_TILES + gst_fovea_marks_room (n_tiles (draw)));
  gsize atlas = CLAMP (2 * pixels, 1 << 20, 16 << 20);

  draw->scene = fv_buffer_new (draw->device, scene, FV_MEMORY_UPLOAD, error);
  if (draw->scene == NULL)
    return FALSE;
  draw->atlas = fv_buffer_new (draw->device, atlas, FV_MEMORY_UPLOAD, error);
  if (draw->atlas == NULL)
    return FALSE;
  draw->samples =
      fv_buffer_new (draw->device, 4 * N_SAMPLES, FV_MEMORY_DOWNLOAD, error);
  if (draw->samples == NULL)
    return FALSE;
  draw->nothing = fv_buffer_new (draw->device, 256, FV_MEMORY_DEVICE, error);
  if (draw->nothing == NULL
      || !surface_init (&draw->canvas, draw->device, 4 * pixels, FALSE, error))
    return FALSE;
  memset (fv_buffer_map (draw->scene), 0, scene);
  draw->labels = gst_fovea_labels_new (fv_buffer_map (draw->atlas), atlas);
  return draw->is_transparent
      || surface_init (&draw->frame, draw->device, frame_size,
          draw->images != NULL, error);
}

/* All that depends on how the picture lies in the frame. */
static gboolean
draw_prepare (GstFoveaDraw *draw, const GstFoveaFraming *framing,
    GError **error)
{
  GstVideoInfo stored = draw->info;
  gsize frame_size;

  draw->framing = *framing;
  GST_VIDEO_INFO_WIDTH (&stored) += (gint) framing->x;
  GST_VIDEO_INFO_HEIGHT (&stored) += (gint) framing->y;
  draw->width = (guint) GST_VIDEO_INFO_WIDTH (&stored);
  draw->height = (guint) GST_VIDEO_INFO_HEIGHT (&stored);
  draw->passes = g_ptr_array_new_with_free_func (pass_free);
  draw->in_place = gst_fovea_blend_programs_new ();
  draw->n_planes =
      gst_fovea_planes_layout (&stored, draw->layouts, &frame_size);
  return make_buffers (draw, frame_size, error) && make_finish (draw, error);
}

static void
draw_clear (GstFoveaDraw *draw)
{
  FvBuffer **buffers[] = { &draw->scene, &draw->atlas, &draw->samples,
    &draw->nothing, &draw->mask_upload, &draw->depth_upload,
    &draw->instance_upload };

  g_clear_pointer (&draw->finish, fv_program_unref);
  g_clear_pointer (&draw->passes, g_ptr_array_unref);
  g_clear_pointer (&draw->in_place, g_ptr_array_unref);
  g_clear_pointer (&draw->labels, gst_fovea_labels_free);
  surface_clear (&draw->canvas);
  surface_clear (&draw->frame);
  for (guint i = 0; i < G_N_ELEMENTS (buffers); i++)
    g_clear_pointer (buffers[i], fv_buffer_unref);
}

GstFoveaDraw *
gst_fovea_draw_new (FvDevice *device, const GstVideoInfo *info,
    gboolean transparent, GError **error)
{
  g_autoptr (GstFoveaDraw) draw = g_new0 (GstFoveaDraw, 1);
  const GstFoveaFraming plain = { 0 };

  draw->device = fv_device_ref (device);
  draw->info = *info;
  draw->is_transparent = transparent;
  draw->marks = g_array_new (FALSE, FALSE, sizeof (GstFoveaMark));
  if (!gst_fovea_planes_take (info->finfo)
      || (transparent
          && GST_VIDEO_INFO_FORMAT (info) != GST_VIDEO_FORMAT_RGBA)) {
    g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
        "cannot draw on format %s; expected one of %s",
        GST_VIDEO_INFO_NAME (info),
        transparent ? "{ RGBA }" : GST_FOVEA_VIDEO_FORMATS);
    return NULL;
  }
  if (!draw_prepare (draw, &plain, error))
    return NULL;
  return g_steal_pointer (&draw);
}

void
gst_fovea_draw_free (GstFoveaDraw *draw)
{
  if (draw == NULL)
    return;
  draw_clear (draw);
  gst_fovea_images_free (draw->images);
  g_array_unref (draw->marks);
  fv_device_unref (draw->device);
  g_free (draw);
}

static Bound
bound_new (FvBuffer *buffer, gsize offset, gsize size)
{
  const Bound bound = { buffer, offset, size };

  return bound;
}

/* The map in place, if a kernel can bind it so: whole words from an aligned start. */
static gboolean
bind_in_place (GstFoveaDraw *draw, GstFoveaPlane *map, Bound *bound)
{
  GstFoveaMemoryRegion region;
  gsize size;

  if (!gst_fovea_buffer_get_region (map->data, draw->device, &region)
      || region.offset % 256)
    return FALSE;
  size = GST_ROUND_UP_4 ((gsize) map->stride * map->height);
  if (region.offset + size > fv_buffer_size (region.buffer))
    return FALSE;
  *bound = bound_new (region.buffer, region.offset, size);
  return TRUE;
}

/* Binds @map in place or copies it into @upload. */
static gboolean
bind_map (GstFoveaDraw *draw, GstFoveaPlane *map, FvBuffer **upload,
    Bound *bound, GError **error)
{
  gsize size = GST_ROUND_UP_4 ((gsize) map->stride * map->height);

  if (bind_in_place (draw, map, bound))
    return TRUE;
  if (*upload == NULL || fv_buffer_size (*upload) < size) {
    g_clear_pointer (upload, fv_buffer_unref);
    *upload = fv_buffer_new (draw->device, size, FV_MEMORY_UPLOAD, error);
    if (*upload == NULL)
      return FALSE;
  }
  if (gst_buffer_extract (map->data, 0, fv_buffer_map (*upload), size)
      < (gsize) map->stride * (map->height - 1)) {
    g_set_error (error, FV_ERROR, FV_ERROR_DEVICE,
        "cannot read the %u x %u map of %s", map->width, map->height,
        map->producer->element);
    return FALSE;
  }
  *bound = bound_new (*upload, 0, size);
  return TRUE;
}

static gboolean
bound_equal (const Bound *a, const Bound *b)
{
  return a->buffer == b->buffer && a->offset == b->offset && a->size == b->size;
}

static gboolean
record_pass (GstFoveaDraw *draw, Pass *pass, gboolean has_depth, GError **error)
{
  FvDispatch canvas = { 0 }, samples = { 0 };

  set_kernel (&canvas, "overlay", n_tiles (draw), 1);
  bind_whole (&canvas, draw->scene, FV_BIND_FLOATS_READ);
  bind (&canvas, pass->mask.buffer, pass->mask.offset, pass->mask.size,
      FV_BIND_BYTES_READ);
  bind (&canvas, pass->depth.buffer, pass->depth.offset, pass->depth.size,
      FV_BIND_RGBA8_READ);
  bind_whole (&canvas, draw->atlas, FV_BIND_BYTES_READ);
  bind (&canvas, pass->instances.buffer, pass->instances.offset,
      pass->instances.size, FV_BIND_BYTES_READ);
  bind_whole (&canvas, draw->canvas.device, FV_BIND_RAW_WRITE);
  pass->canvas = fv_program_new (draw->device);
  fv_program_dispatch (pass->canvas, &canvas);
  if (!fv_program_finish (pass->canvas, error))
    return FALSE;
  if (!has_depth)
    return TRUE;
  set_kernel (&samples, "depthsample",
      (FV_SAMPLES_X + GST_FOVEA_DRAW_LOCAL - 1) / GST_FOVEA_DRAW_LOCAL,
      FV_SAMPLES_Y);
  bind_whole (&samples, draw->scene, FV_BIND_FLOATS_READ);
  bind (&samples, pass->depth.buffer, pass->depth.offset, pass->depth.size,
      FV_BIND_RGBA8_READ);
  bind_whole (&samples, draw->samples, FV_BIND_RAW_WRITE);
  pass->samples = fv_program_new (draw->device);
  fv_program_dispatch (pass->samples, &samples);
  return fv_program_finish (pass->samples, error);
}

/* (nullable) the programs for the maps of @job, made once. */
static Pass *
find_pass (GstFoveaDraw *draw, const Job *job, GError **error)
{
  Pass *pass;

  for (guint i = 0; i < draw->passes->len; i++) {
    pass = g_ptr_array_index (draw->passes, i);
    if (bound_equal (&pass->mask, &job->mask_bound)
        && bound_equal (&pass->depth, &job->depth_bound)
        && bound_equal (&pass->instances, &job->instance_bound)) {
      if (i > 0) {
        pass = g_ptr_array_steal_index (draw->passes, i);
        g_ptr_array_insert (draw->passes, 0, pass);
      }
      return pass;
    }
  }
  pass = g_new0 (Pass, 1);
  pass->mask = job->mask_bound;
  pass->depth = job->depth_bound;
  pass->instances = job->instance_bound;
  /* the references keep a freed buffer's address from coming again */
  fv_buffer_ref (pass->mask.buffer);
  fv_buffer_ref (pass->depth.buffer);
  fv_buffer_ref (pass->instances.buffer);
  if (!record_pass (draw, pass, job->depth != NULL, error)) {
    pass_free (pass);
    return NULL;
  }
  if (draw->passes->len >= MAX_PASSES)
    g_ptr_array_set_size (draw->passes, MAX_PASSES - 1);
  g_ptr_array_insert (draw->passes, 0, pass);
  return pass;
}

static void
set_vec4 (float *scene, guint index, float x, float y, float z, float w)
{
  float *v = scene + 4 * index;

  v[0] = x;
  v[1] = y;
  v[2] = z;
  v[3] = w;
}

static void
set_colors (float *scene, guint index, const guint32 *colors)
{
  for (guint i = 0; i < 256; i++) {
    guint r = colors[i] >> 16 & 255, g = colors[i] >> 8 & 255;
    guint b = colors[i] & 255;

    set_vec4 (scene, index + i, r, g, b, r | g << 8 | b << 16);
  }
}

static void
set_region (const GstFoveaDraw *draw, guint index, const GstFoveaFrame *frame)
{
  set_vec4 (fv_buffer_map (draw->scene), index,
      frame->region.x + (gint) draw->framing.x,
      frame->region.y + (gint) draw->framing.y, frame->region.w,
      frame->region.h);
}

/* Moves the depth from where it lies in the frame to where that lies, made smaller,
 * in a corner. */
static void
write_inset (const GstFoveaDraw *draw, const Job *job, float *scene)
{
  GstFoveaDepthInset corner = job->style->depth_inset;
  const gint width = GST_VIDEO_INFO_WIDTH (&draw->info);
  const gint height = GST_VIDEO_INFO_HEIGHT (&draw->info);
  const gint left = (gint) draw->framing.x, top = (gint) draw->framing.y;
  gint w = width * 3 / 10, h = height * 3 / 10;
  gint line = gst_fovea_marks_line (job->style, width, height);
  gint margin = line + MIN (width, height) / 40;
  gint x = left + margin, y = top + margin;
  float *region = scene + 4 * FV_SCENE_DEPTH_REGION;

  if (corner == GST_FOVEA_DEPTH_INSET_TOP_RIGHT
      || corner == GST_FOVEA_DEPTH_INSET_BOTTOM_RIGHT)
    x = left + width - margin - w;
  if (corner == GST_FOVEA_DEPTH_INSET_BOTTOM_LEFT
      || corner == GST_FOVEA_DEPTH_INSET_BOTTOM_RIGHT)
    y = top + height - margin - h;
  region[0] = x + (region[0] - left) * w / width;
  region[1] = y + (region[1] - top) * h / height;
  region[2] = region[2] * w / width;
  region[3] = region[3] * h / height;
  set_vec4 (scene, FV_SCENE_INSET, x, y, x + w, y + h);
  set_vec4 (scene, FV_SCENE_DEPTH_SIZE, job->depth->map->width,
      job->depth->map->height, line, 1);
}

static void
write_range (GstFoveaDraw *draw, const Job *job,
    const GstFoveaDepthRange *range)
{
  gboolean is_usable = range->is_fixed || range->is_known;
  float low = is_usable ? range->low : 0, high = is_usable ? range->high : 1;

  /* a flat map has one colour, the nearest */
  if (!(high > low))
    high = low + MAX (ABS (low), 1) * 1e-6f;
  if (job->depth->kind == GST_FOVEA_DEPTH_INVERSE)
    set_vec4 (fv_buffer_map (draw->scene), FV_SCENE_DEPTH_RANGE, low, high, 0,
        0);
  else
    set_vec4 (fv_buffer_map (draw->scene), FV_SCENE_DEPTH_RANGE, high, low, 0,
        0);
}

static void
write_scene (GstFoveaDraw *draw, const Job *job)
{
  float *scene = fv_buffer_map (draw->scene);
  const GstFoveaDrawStyle *style = job->style;
  float matrix[4][4];
  guint row;

  gst_fovea_marks_tiles (draw->width, draw->height, &row);
  set_vec4 (scene, FV_SCENE_FRAME, draw->width, draw->height, row,
      draw->is_transparent || job->mask || job->depth);
  set_vec4 (scene, FV_SCENE_MASK, 0, 0, 0, 0);
  set_vec4 (scene, FV_SCENE_DEPTH, 0, 0, 0, 0);
  set_vec4 (scene, FV_SCENE_INSTANCES, 0, 0, 0, 0);
  if (job->instances)
    set_vec4 (scene, FV_SCENE_INSTANCES, 1,
        gst_fovea_plane_format_size (job->instances->format),
        job->instances->stride, 0);
  if (job->mask) {
    const GstFoveaPlane *map = job->mask->map;
    guint n = job->mask->n_classes;
    if (n == 0)
      n = map->format == GST_FOVEA_PLANE_U8 ? 255 : 65535;
    set_vec4 (scene, FV_SCENE_MASK, 1,
        gst_fovea_plane_format_size (map->format), map->stride, n);
    set_region (draw, FV_SCENE_MASK_REGION, &job->mask->frame);
    set_vec4 (scene, FV_SCENE_MASK_SIZE, map->width, map->height,
        job->mask->background, style->alpha);
  }
  if (job->depth) {
    const GstFoveaPlane *map = job->depth->map;
    guint size = gst_fovea_plane_format_size (map->format);
    set_vec4 (scene, FV_SCENE_DEPTH, 1, size, map->stride / size,
        job->depth->kind != GST_FOVEA_DEPTH_METRIC);
    set_region (draw, FV_SCENE_DEPTH_REGION, &job->depth->frame);
    set_vec4 (scene, FV_SCENE_DEPTH_SIZE, map->width, map->height, 0,
        style->alpha);
    if (style->depth_inset != GST_FOVEA_DEPTH_INSET_NONE)
      write_inset (draw, job, scene);
  }
  gst_fovea_color_matrix (&draw->info, matrix);
  memcpy (scene + 4 * FV_SCENE_MATRIX, matrix, sizeof matrix);
  set_colors (scene, FV_SCENE_PALETTE, style->palette);
  set_colors (scene, FV_SCENE_COLORMAP, style->colormap);
}

/* A map is right for this frame, or it is not drawn. */
static gboolean
fits (const GstFoveaDraw *draw, const GstFoveaFrame *frame)
{
  return frame->width == (guint) GST_VIDEO_INFO_WIDTH (&draw->info)
      && frame->height == (guint) GST_VIDEO_INFO_HEIGHT (&draw->info)
      && frame->region.w > 0 && frame->region.h > 0;
}

/* Things are told apart by the map of instances, if it lies over that of classes. */
static gboolean
has_instances (const GstFoveaSegmentationMeta *mask)
{
  const GstFoveaPlane *plane = mask->instances;

  return plane && plane->width == mask->map->width
      && plane->height == mask->map->height
      && plane->format <= GST_FOVEA_PLANE_U16;
}

static gboolean
prepare (GstFoveaDraw *draw, Job *job, GstBuffer *buffer, GError **error)
{
  const GstFoveaDrawStyle *style = job->style;
  gsize all = fv_buffer_size (draw->nothing);

  job->mask_bound = job->depth_bound = job->instance_bound =
      bound_new (draw->nothing, 0, all);
  if (style->flags & GST_FOVEA_DRAW_MASK)
    job->mask = gst_fovea_buffer_get_segmentation (buffer, style->source);
  if (job->mask
      && (!fits (draw, &job->mask->frame)
          || job->mask->map->format > GST_FOVEA_PLANE_U16))
    job->mask = NULL;
  if (job->mask && !style->is_by_class && has_instances (job->mask))
    job->instances = job->mask->instances;
  if (style->flags & GST_FOVEA_DRAW_DEPTH)
    job->depth = gst_fovea_buffer_get_depth (buffer, style->source);
  if (job->depth
      && (!fits (draw, &job->depth->frame)
          || job->depth->map->format < GST_FOVEA_PLANE_F16))
    job->depth = NULL;
  if (job->mask
      && !bind_map (draw, job->mask->map, &draw->mask_upload, &job->mask_bound,
          error))
    return FALSE;
  if (job->instances
      && !bind_map (draw, job->instances, &draw->instance_upload,
          &job->instance_bound, error))
    return FALSE;
  return job->depth == NULL
      || bind_map (draw, job->depth->map, &draw->depth_upload,
          &job->depth_bound, error);
}

static gboolean
submit_and_wait (GstFoveaDraw *draw, const Job *job, FvProgram *const *programs,
    guint n, GError **error)
{
  guint64 value;

  if (!fv_program_submit (programs, n, &value, error))
    return FALSE;
  if (job->mask && job->mask_bound.buffer != draw->mask_upload)
    gst_fovea_buffer_add_use (job->mask->map->data, value);
  if (job->instances && job->instance_bound.buffer != draw->instance_upload)
    gst_fovea_buffer_add_use (job->instances->data, value);
  if (job->depth && job->depth_bound.buffer != draw->depth_upload)
    gst_fovea_buffer_add_use (job->depth->map->data, value);
  return fv_device_wait (draw->device, value, FV_WATCHDOG, error);
}

static void
adapt (GstFoveaDraw *draw, GstFoveaDepthRange *range, GstClockTime pts)
{
  float values[N_SAMPLES];

  memcpy (values, fv_buffer_map (draw->samples), sizeof values);
  gst_fovea_depth_range_adapt (range, values, N_SAMPLES, pts);
}

/* Runs the programs of @job; the range of depth is that of the frames before, so
 * that nothing is waited for, but for the first. */
static gboolean
run_programs (GstFoveaDraw *draw, const Job *job, GstFoveaDepthRange *range,
    GstClockTime pts, GError **error)
{
  Pass *pass = find_pass (draw, job, error);
  FvProgram *programs[3];
  gboolean is_adapting = job->depth && !range->is_fixed;
  guint n = 0;

  if (pass == NULL)
    return FALSE;
  if (is_adapting && !range->is_known) {
    if (!submit_and_wait (draw, job, &pass->samples, 1, error))
      return FALSE;
    adapt (draw, range, pts);
    is_adapting = FALSE;
  }
  if (job->depth)
    write_range (draw, job, range);
  if (is_adapting)
    programs[n++] = pass->samples;
  programs[n++] = pass->canvas;
  programs[n++] = job->finish;
  if (!submit_and_wait (draw, job, programs, n, error))
    return FALSE;
  if (is_adapting)
    adapt (draw, range, pts);
  return TRUE;
}

gboolean
gst_fovea_draw_has_work (const GstFoveaDrawStyle *style, GstBuffer *buffer)
{
  GstFoveaRegion region;
  gpointer state = NULL;

  if ((style->flags & GST_FOVEA_DRAW_MASK)
      && gst_fovea_buffer_get_segmentation (buffer, style->source))
    return TRUE;
  if ((style->flags & GST_FOVEA_DRAW_DEPTH)
      && gst_fovea_buffer_get_depth (buffer, style->source))
    return TRUE;
  if (!(style->flags & (GST_FOVEA_DRAW_BOXES | GST_FOVEA_DRAW_LABELS)))
    return FALSE;
  return gst_fovea_buffer_next_region (buffer, style->source, &state, &region);
}

/* The first frame tells what frames are in. */
static gboolean
follow_images (GstFoveaDraw *draw, const GstVideoFrame *frame, GError **error)
{
  if (draw->images || draw->is_transparent
      || !gst_fovea_images_are_in (frame->buffer))
    return TRUE;
  draw->images = gst_fovea_images_new (draw->device, error);
  draw_clear (draw);
  return draw->images != NULL;
}

/* Follows the picture to where it lies in @frame. */
static gboolean
follow (GstFoveaDraw *draw, const GstVideoFrame *frame, GError **error)
{
  GstFoveaFraming framing = { 0 }, *last = &draw->framing;

  if (!draw->is_transparent
      && !gst_fovea_framing_init (&framing, &draw->info, frame, error))
    return FALSE;
  if (!follow_images (draw, frame, error))
    return FALSE;
  if (draw->finish && framing.x == last->x && framing.y == last->y
      && framing.is_interlaced == last->is_interlaced)
    return TRUE;
  draw_clear (draw);
  return draw_prepare (draw, &framing, error);
}

static void
collect_marks (GstFoveaDraw *draw, const GstFoveaDrawStyle *style,
    GstBuffer *buffer)
{
  gint x = (gint) draw->framing.x, y = (gint) draw->framing.y;

  gst_fovea_marks_collect (draw->marks, draw->labels, style, buffer,
      (guint) GST_VIDEO_INFO_WIDTH (&draw->info),
      (guint) GST_VIDEO_INFO_HEIGHT (&draw->info));
  for (guint i = 0; i < draw->marks->len; i++) {
    GstFoveaMark *mark = &g_array_index (draw->marks, GstFoveaMark, i);

    mark->x0 += x;
    mark->x1 += x;
    mark->y0 += y;
    mark->y1 += y;
  }
  gst_fovea_marks_write (draw->marks, fv_buffer_map (draw->scene), draw->width,
      draw->height);
}

/* Brings the frame to where it is drawn on. */
static gboolean
take_frame (GstFoveaDraw *draw, const GstVideoFrame *frame, guint x, guint y,
    GError **error)
{
  if (draw->images)
    return gst_fovea_images_read (draw->images, frame->buffer, x, y,
        draw->layouts, draw->n_planes, draw->frame.device, error);
  gst_fovea_planes_read (frame, x, y, draw->layouts, draw->n_planes,
      surface_write (&draw->frame));
  return TRUE;
}

static gboolean
give_frame (GstFoveaDraw *draw, GstVideoFrame *frame, guint x, guint y,
    GError **error)
{
  if (draw->images)
    return gst_fovea_images_write (draw->images, frame->buffer, x, y,
        draw->layouts, draw->n_planes, draw->frame.device, error);
  gst_fovea_planes_write (frame, x, y, draw->layouts, draw->n_planes,
      surface_read (draw->is_transparent ? &draw->canvas : &draw->frame));
  return TRUE;
}

/* Frames that lie where the device reads and writes are drawn on there. */
static gboolean
find_place (GstFoveaDraw *draw, const GstVideoFrame *frame,
    GstFoveaPlace *place)
{
  if (draw->is_transparent || draw->images)
    return FALSE;
  gst_fovea_place_init (place, draw->device, &draw->info, &draw->framing,
      frame);
  return place->buffer != NULL;
}

static gboolean
run_in_place (GstFoveaDraw *draw, Job *job, GstFoveaDepthRange *range,
    const GstFoveaPlace *place, const GstVideoFrame *frame, GstClockTime pts,
    GError **error)
{
  const GstFoveaBlend blend = describe_blend (draw);

  job->finish = gst_fovea_blend_program (&blend, draw->in_place, place, error);
  if (job->finish == NULL)
    return FALSE;
  gst_fovea_place_wait (place, frame->buffer);
  return run_programs (draw, job, range, pts, error);
}

gboolean
gst_fovea_draw_run (GstFoveaDraw *draw, const GstFoveaDrawStyle *style,
    GstFoveaDepthRange *range, GstBuffer *buffer, GstVideoFrame *frame,
    GError **error)
{
  GstClockTime pts = GST_BUFFER_PTS (buffer);
  Job job = { .style = style };
  guint x = 0, y = 0;
  GstFoveaPlace place;

  if (!follow (draw, frame, error) || !prepare (draw, &job, buffer, error))
    return FALSE;
  write_scene (draw, &job);
  collect_marks (draw, style, buffer);
  if (find_place (draw, frame, &place))
    return run_in_place (draw, &job, range, &place, frame, pts, error);
  job.finish = draw->finish;
  if (!draw->is_transparent) {
    gst_fovea_framing_start (&draw->framing, frame, &x, &y);
    if (!take_frame (draw, frame, x, y, error))
      return FALSE;
  }
  return run_programs (draw, &job, range, pts, error)
      && give_frame (draw, frame, x, y, error);
}
