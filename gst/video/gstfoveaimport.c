/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/gstfoveaimport.h"
#include "gst/card/resample.h"
#include "gst/video/gstfoveaimages.h"
#include "gst/video/gstfoveapixels.h"
#include "gst/video/gstfoveaplace.h"
#include "shaders/shared.h"

#include <math.h>
#include <string.h>

#define LOCAL 64
#define ALIGN(bytes) (((bytes) + 255) & ~(gsize) 255)

/* How the input lies on the device, in elements. */
typedef struct
{
  guint width, height, n_channels;
  gint64 x, y, channel; /* strides */
  gboolean is_planar; /* columns are innermost, not channels */
  guint pad; /* elements that an innermost axis is padded to */
} Target;

struct _GstFoveaImport
{
  FvDevice *device;
  FvPort port;
  GstFoveaPixels pixels;
  Target target;
  FvImportPush push;
  guint tap_words[2]; /* vec4s of weights per column, per row; 0: two pixels,
                         whose weights stand in the header */
  guint first_row, n_rows; /* of the frame: those that the filter touches */
  gboolean eight_bits;
  FvBuffer *frame;
  gboolean is_in_place; /* the frame's memory is that of others */
  FvBuffer *tables; /* columns at 0, rows at table_offset */
  gsize table_offset, table_size[2];
  FvBuffer *between; /* (nullable): between the two halves of a wide filter */
};

static gboolean
refuse_port (const FvPort *port, const FvCardInput *input, const char *why,
    GError **error)
{
  g_autofree char *shape = fv_shape_to_string (&port->shape);

  g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
      "input %s is %s %s, %s; expected an image of %u channels, %u x %u",
      port->name, shape, fv_type_name (port->type), why, input->n_channels,
      input->width, input->height);
  return FALSE;
}

static gboolean
target_init (Target *target, const FvPort *port, const FvCardInput *input,
    GError **error)
{
  guint first = port->shape.rank == 4 ? 1 : 0;
  gboolean is_nchw = input->layout == FV_LAYOUT_NCHW;
  guint channel = first + (is_nchw ? 0 : 2), y = first + (is_nchw ? 1 : 0);
  const gint64 *dims = port->shape.dims;

  if (port->type != FV_TYPE_F32 && port->type != FV_TYPE_F16)
    return refuse_port (port, input, "whose storage is no float", error);
  if (port->shape.rank < 3 || port->shape.rank > 4 || (first && dims[0] != 1))
    return refuse_port (port, input, "which is not one image", error);
  if (dims[channel] != input->n_channels || dims[y] != input->height
      || dims[y + 1] != input->width
      || (input->n_channels != 1 && input->n_channels != 3))
    return refuse_port (port, input, "which is another shape", error);
  target->width = input->width;
  target->height = input->height;
  target->n_channels = input->n_channels;
  target->pad = port->type == FV_TYPE_F16 ? 8 : 4;
  target->channel = port->strides[channel];
  target->y = port->strides[y];
  target->x = port->strides[y + 1];
  /* Strides of axes of size 1 mean nothing. */
  if (target->width == 1)
    target->x = target->pad;
  target->is_planar = target->x == 1;
  gint64 pixel = target->is_planar ? target->channel : target->x;
  if (target->n_channels == 1 && target->is_planar)
    target->channel = pixel = 0;
  if (target->height == 1)
    target->y = target->is_planar
        ? (target->width + target->pad - 1) / target->pad * target->pad
        : 0;
  if ((!target->is_planar && target->n_channels > 1 && target->channel != 1)
      || pixel % 4 || target->y % 4 || port->offset % 4)
    return refuse_port (port, input, "whose layout is not made of rows", error);
  return TRUE;
}

/* Header (first pixel, how many, two weights), then words vec4s of weights. */
static void
fill_table (float *table, const FvAxis *axis, guint n, guint words,
    double *weights)
{
  for (guint i = 0; i < n; i++) {
    float *entry = table + (gsize) i * 4 * (words + 1);
    guint first, count = fv_axis_weights (axis, i, &first, weights);
    memset (entry, 0, 4 * sizeof *entry * (words + 1));
    entry[0] = (float) first;
    entry[1] = (float) count;
    for (guint k = 0; k < count; k++)
      entry[(words ? 4 : 2) + k] = (float) weights[k];
  }
}

/* The rows of the frame that any row of the input is made of. */
static void
find_rows (GstFoveaImport *import, const FvAxis *axis, double *weights)
{
  guint low = G_MAXUINT, high = 0;

  for (guint y = 0; y < import->target.height; y++) {
    guint first, n = fv_axis_weights (axis, y, &first, weights);
    if (!n)
      continue;
    low = MIN (low, first);
    high = MAX (high, first + n);
  }
  import->first_row = MIN (low, axis->frame_size - 1);
  import->n_rows = MAX (high, import->first_row + 1) - import->first_row;
}

static gboolean
make_tables (GstFoveaImport *import, const FvCardInput *input,
    const FvFrameMap *map, GError **error)
{
  FvAxis axes[2];
  guint n[2] = { import->target.width, import->target.height }, taps[2];

  for (guint i = 0; i < 2; i++) {
    fv_axis_init (&axes[i], input, map, i == 1);
    taps[i] = fv_axis_taps (&axes[i]);
  }
  if (taps[0] > 2 || taps[1] > 2)
    for (guint i = 0; i < 2; i++)
      import->tap_words[i] = (taps[i] + 3) / 4;
  for (guint i = 0; i < 2; i++)
    import->table_size[i] =
        (gsize) n[i] * (import->tap_words[i] + 1) * 4 * sizeof (float);
  import->table_offset = ALIGN (import->table_size[0]);
  import->tables = fv_buffer_new (import->device,
      import->table_offset + import->table_size[1], FV_MEMORY_UPLOAD, error);
  if (!import->tables)
    return FALSE;
  g_autofree double *weights = g_new0 (double, MAX (taps[0], taps[1]));
  guint8 *data = fv_buffer_map (import->tables);
  for (guint i = 0; i < 2; i++)
    fill_table ((float *) (gpointer) (data + i * import->table_offset),
        &axes[i], n[i], import->tap_words[i], weights);
  if (import->tap_words[0])
    find_rows (import, &axes[1], weights);
  return TRUE;
}

static void
fill_push (GstFoveaImport *import, const FvCardInput *input)
{
  const GstFoveaPixels *pixels = &import->pixels;
  const Target *target = &import->target;
  FvImportPush *push = &import->push;
  gboolean is_bgr = input->channels == FV_CHANNELS_BGR;

  for (guint c = 0; c < 3; c++) {
    guint from = is_bgr && target->n_channels == 3 ? 2 - c : c;
    guint norm = target->n_channels == 3 ? c : 0;
    for (guint i = 0; i < 4; i++)
      push->matrix[4 * c + i] = (float) pixels->rgb[from][i];
    push->scale[c] = 1 / input->std[norm];
    push->offset[c] = -input->mean[norm] / input->std[norm];
    push->pad |= (gint) (input->pad[norm] * 4 + 0.5f) << 10 * c;
  }
  for (guint i = 0; i < pixels->n_planes; i++) {
    push->plane[i] = (gint) pixels->planes[i].offset;
    push->stride[i] = (gint) pixels->planes[i].stride;
  }
  push->width = (gint) pixels->width;
  push->height = (gint) pixels->height;
  push->origin = (gint) (pixels->framing.x | pixels->framing.y << 8);
  push->out_width = (gint) target->width;
  push->base = (gint) (import->port.offset / 4);
  push->row = (gint) (target->y / 4);
  push->pixel = (gint) ((target->is_planar ? target->channel : target->x) / 4);
}

static gboolean
find_frame (GstFoveaImport *import, const GstFoveaPlace *place, GError **error)
{
  GstFoveaPixels *pixels = &import->pixels;

  if (place == NULL || place->buffer == NULL) {
    gboolean has_images = place && place->path == GST_FOVEA_PATH_IMAGE;

    import->frame = fv_buffer_new (import->device, pixels->size,
        has_images ? FV_MEMORY_DEVICE : FV_MEMORY_UPLOAD, error);
    return import->frame != NULL;
  }
  import->is_in_place = TRUE;
  import->frame = fv_buffer_ref (place->buffer);
  pixels->size = place->size;
  for (guint i = 0; i < pixels->n_planes; i++) {
    pixels->planes[i].offset = place->offset[i];
    pixels->planes[i].stride = place->stride[i];
  }
  return TRUE;
}

static gboolean
import_init (GstFoveaImport *import, const GstVideoInfo *info,
    const GstFoveaFraming *framing, const GstFoveaPlace *place,
    const FvCardInput *input, const FvFrameMap *map, GError **error)
{
  guint width, height;

  if (!gst_fovea_pixels_init (&import->pixels, info, framing, error)
      || !target_init (&import->target, &import->port, input, error))
    return FALSE;
  gst_fovea_pixels_upright (&import->pixels, &width, &height);
  if (map->frame_width != width || map->frame_height != height || map->width < 1
      || map->height < 1 || map->input_width != import->target.width
      || map->input_height != import->target.height) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "the frame map is for %u x %u pixels in %u x %u; expected %u x %u in "
        "%u x %u",
        map->frame_width, map->frame_height, map->input_width,
        map->input_height, width, height, import->target.width,
        import->target.height);
    return FALSE;
  }
  import->eight_bits = input->eight_bits;
  if (!find_frame (import, place, error)
      || !make_tables (import, input, map, error))
    return FALSE;
  fill_push (import, input);
  if (!import->tap_words[0])
    return TRUE;
  import->between = fv_buffer_new (import->device,
      (gsize) import->n_rows * import->target.width * 4 * sizeof (float),
      FV_MEMORY_DEVICE, error);
  return import->between != NULL;
}

GstFoveaImport *
gst_fovea_import_new (FvDevice *device, const GstVideoInfo *info,
    const GstFoveaFraming *framing, const GstFoveaPlace *place,
    const FvCardInput *input, const FvPort *port, const FvFrameMap *map,
    GError **error)
{
  GstFoveaImport *import = g_new0 (GstFoveaImport, 1);

  import->device = fv_device_ref (device);
  import->port = *port;
  if (import_init (import, info, framing, place, input, map, error))
    return import;
  gst_fovea_import_free (import);
  return NULL;
}

void
gst_fovea_import_free (GstFoveaImport *import)
{
  if (!import)
    return;
  fv_buffer_unref (import->frame);
  fv_buffer_unref (import->tables);
  fv_buffer_unref (import->between);
  fv_device_unref (import->device);
  g_free (import);
}

gsize
gst_fovea_import_memory (GstFoveaImport *import)
{
  gsize size = fv_buffer_size (import->tables);

  if (!import->is_in_place)
    size += fv_buffer_size (import->frame);
  return size + (import->between ? fv_buffer_size (import->between) : 0);
}

static void
bind_frame (GstFoveaImport *import, FvDispatch *dispatch)
{
  gsize size = import->pixels.size;

  fv_dispatch_bind (dispatch, import->frame, 0, size, FV_BIND_BYTES_READ,
      FV_TYPE_NONE);
  fv_dispatch_bind (dispatch, import->frame, 0, size, FV_BIND_RGBA8_READ,
      FV_TYPE_NONE);
}

static void
bind_table (GstFoveaImport *import, FvDispatch *dispatch, guint axis)
{
  fv_dispatch_bind (dispatch, import->tables, axis ? import->table_offset : 0,
      import->table_size[axis], FV_BIND_FLOATS_READ, FV_TYPE_F32);
}

static gint
three_bytes (const guint values[3])
{
  return (gint) (values[0] | values[1] << 8 | values[2] << 16);
}

static gint
frame_flags (const GstFoveaPixels *pixels)
{
  const struct
  {
    guint flag;
    gboolean is_set;
  } flags[] = {
    { FV_FRAME_GRAY, pixels->n_components == 1 },
    { FV_FRAME_TWO_BYTES, pixels->sample_bytes == 2 },
    { FV_FRAME_SUB_X, pixels->sub_x },
    { FV_FRAME_SUB_Y, pixels->sub_y },
    { FV_FRAME_SITE_X, pixels->sub_x && pixels->site_x },
    { FV_FRAME_SITE_Y, pixels->sub_y && pixels->site_y },
    { FV_FRAME_INTERLACED, pixels->sub_y && pixels->framing.is_interlaced },
  };
  guint result = pixels->turn;

  for (guint i = 0; i < G_N_ELEMENTS (flags); i++)
    result |= flags[i].is_set ? flags[i].flag : 0;
  return (gint) result;
}

static void
set_source (GstFoveaImport *import, FvDispatch *dispatch)
{
  const GstFoveaPixels *pixels = &import->pixels;

  fv_dispatch_spec (dispatch, FV_FRAME_SPEC_PLANES,
      three_bytes (pixels->plane));
  fv_dispatch_spec (dispatch, FV_FRAME_SPEC_OFFSETS,
      three_bytes (pixels->offset));
  fv_dispatch_spec (dispatch, FV_FRAME_SPEC_STEPS, three_bytes (pixels->step));
  fv_dispatch_spec (dispatch, FV_FRAME_SPEC_FLAGS, frame_flags (pixels));
}

/* The kernel that writes the input, whose grid is the input's. */
static void
set_target (GstFoveaImport *import, FvDispatch *dispatch)
{
  const Target *target = &import->target;
  const FvPort *port = &import->port;
  guint invocations =
      target->is_planar ? (guint) (target->y / 4) : target->width;
  gint64 filled = MIN (target->x, target->pad) / 4 - 1;

  fv_dispatch_bind (dispatch, port->buffer, port->buffer_offset,
      port->buffer_size, FV_BIND_FLOATS_WRITE, port->type);
  fv_dispatch_spec (dispatch, FV_IMPORT_SPEC_GRAY, target->n_channels == 1);
  fv_dispatch_spec (dispatch, FV_IMPORT_SPEC_PLANAR, target->is_planar);
  fv_dispatch_spec (dispatch, FV_IMPORT_SPEC_EIGHT_BITS, import->eight_bits);
  fv_dispatch_spec (dispatch, FV_IMPORT_SPEC_FILL,
      target->is_planar ? 0 : (gint) filled);
  dispatch->groups[0] = (invocations + LOCAL - 1) / LOCAL;
  dispatch->groups[1] = target->height;
}

static void
dispatch_init (FvDispatch *dispatch, const char *kernel, const char *label)
{
  memset (dispatch, 0, sizeof *dispatch);
  dispatch->kernel = kernel;
  dispatch->label = label;
  dispatch->groups[2] = 1;
  fv_dispatch_spec (dispatch, FV_SPEC_LOCAL, LOCAL);
}

static void
add_two_halves (GstFoveaImport *import, FvProgram *program)
{
  const Target *target = &import->target;
  FvImportPush push = import->push;
  gsize size = fv_buffer_size (import->between);
  FvDispatch d;

  dispatch_init (&d, "importrows", "frame to columns of the input");
  bind_frame (import, &d);
  bind_table (import, &d, 0);
  fv_dispatch_bind (&d, import->between, 0, size, FV_BIND_FLOATS_WRITE,
      FV_TYPE_F32);
  set_source (import, &d);
  fv_dispatch_spec (&d, FV_IMPORT_SPEC_TAPS, (gint) import->tap_words[0]);
  fv_dispatch_spec (&d, FV_IMPORT_SPEC_EIGHT_BITS, import->eight_bits);
  push.base = (gint) import->first_row;
  fv_dispatch_push (&d, &push, sizeof push);
  d.groups[0] = (target->width + LOCAL - 1) / LOCAL;
  d.groups[1] = import->n_rows;
  d.bytes = import->pixels.size + size;
  fv_program_dispatch (program, &d);

  dispatch_init (&d, "importcolumns", "columns to the input");
  fv_dispatch_bind (&d, import->between, 0, size, FV_BIND_FLOATS_READ,
      FV_TYPE_F32);
  bind_table (import, &d, 0);
  bind_table (import, &d, 1);
  set_target (import, &d);
  fv_dispatch_spec (&d, FV_IMPORT_SPEC_TAPS, (gint) import->tap_words[1]);
  push = import->push;
  push.plane[0] = (gint) import->first_row;
  push.plane[1] = (gint) import->tap_words[0];
  push.plane[2] = (gint) import->n_rows - 1;
  fv_dispatch_push (&d, &push, sizeof push);
  d.bytes = size + import->port.buffer_size;
  fv_program_dispatch (program, &d);
}

void
gst_fovea_import_add (GstFoveaImport *import, FvProgram *program)
{
  FvDispatch d;

  if (import->between) {
    add_two_halves (import, program);
    return;
  }
  dispatch_init (&d, "import", "frame to the input");
  bind_frame (import, &d);
  bind_table (import, &d, 0);
  bind_table (import, &d, 1);
  set_source (import, &d);
  set_target (import, &d);
  fv_dispatch_push (&d, &import->push, sizeof import->push);
  d.bytes = import->pixels.size + import->port.buffer_size;
  fv_program_dispatch (program, &d);
}

gsize
gst_fovea_import_upload (GstFoveaImport *import, const GstVideoFrame *frame)
{
  const GstFoveaPixels *pixels = &import->pixels;
  gsize copied = 0;
  guint x, y;

  if (import->is_in_place)
    return 0;
  gst_fovea_framing_start (&pixels->framing, frame, &x, &y);
  gst_fovea_planes_read (frame, x, y, pixels->planes, pixels->n_planes,
      fv_buffer_map (import->frame));
  for (guint i = 0; i < pixels->n_planes; i++)
    copied += (gsize) pixels->planes[i].row_bytes * pixels->planes[i].n_rows;
  return copied;
}

gboolean
gst_fovea_import_read (GstFoveaImport *import, GstFoveaImages *images,
    const GstVideoFrame *frame, GError **error)
{
  const GstFoveaPixels *pixels = &import->pixels;
  guint x, y;

  gst_fovea_framing_start (&pixels->framing, frame, &x, &y);
  return gst_fovea_images_read (images, frame->buffer, x, y, pixels->planes,
      pixels->n_planes, import->frame, error);
}

/* ---- The same in plain C ---- */

/* Samples around a pixel of one axis: two of them, and the second's weight. */
typedef struct
{
  gint at[2];
  double weight;
} Between;

/* @step: rows from one sample to the next that may be mixed with it; @first: the
 * one of them that comes first. */
static Between
between_samples (double position, gint step, gint first, gint n)
{
  gint k = (gint) floor (position), last = MAX ((n - 1 - first) / step, 0);
  Between result = { { CLAMP (k, 0, last), CLAMP (k + 1, 0, last) },
    position - k };

  for (guint i = 0; i < 2; i++)
    result.at[i] = MIN (result.at[i] * step + first, n - 1);
  return result;
}

/* The samples of a component around pixel @i of an axis with @n of them. */
static Between
around (gint i, guint shift, gboolean is_on_even, gboolean is_interlaced,
    gint n)
{
  gint samples = (n + (1 << shift) - 1) >> shift, field = i & 1;
  double siting = is_on_even ? 0 : 0.5;

  if (shift == 0)
    return (Between){ { i, i }, 0 };
  if (is_interlaced)
    return between_samples ((i - 2 * field - siting) / 4, 2, field, samples);
  return between_samples ((i - siting) / 2, 1, 0, samples);
}

/* A component of pixel (x, y), counted from where the stored part begins. */
static double
component_at (const GstVideoFrame *frame, const GstFoveaPixels *pixels, guint c,
    gint x, gint y)
{
  const GstFoveaFraming *framing = &pixels->framing;
  guint sub_x = c ? pixels->sub_x : 0, sub_y = c ? pixels->sub_y : 0;
  Between column = around (x, sub_x, pixels->site_x, FALSE,
      (gint) (pixels->width + framing->x));
  Between row = around (y, sub_y, pixels->site_y, framing->is_interlaced,
      (gint) (pixels->height + framing->y));
  guint plane = pixels->plane[c], x0, y0;
  double value = 0;

  gst_fovea_framing_start (framing, frame, &x0, &y0);
  for (guint k = 0; k < 4; k++) {
    guint i = k & 1, j = k >> 1;
    gssize at = (gssize) (row.at[j] + (gint) (y0 >> sub_y))
            * GST_VIDEO_FRAME_PLANE_STRIDE (frame, plane)
        + (gssize) (column.at[i] + (gint) (x0 >> sub_x)) * pixels->step[c]
        + pixels->offset[c];
    const guint8 *sample =
        (const guint8 *) GST_VIDEO_FRAME_PLANE_DATA (frame, plane) + at;
    double weight = (i ? column.weight : 1 - column.weight)
        * (j ? row.weight : 1 - row.weight);

    value += weight
        * (pixels->sample_bytes == 2 ? GST_READ_UINT16_LE (sample) : *sample);
  }
  return value;
}

/* Pixel (u, v) of the upright picture. */
static void
pixel_at (const GstVideoFrame *frame, const GstFoveaPixels *pixels, gint u,
    gint v, double rgb[3])
{
  gboolean is_swapped = (pixels->turn & FV_FRAME_SWAP) != 0;
  gint x = is_swapped ? v : u, y = is_swapped ? u : v;
  double stored[3] = { 0, 0, 0 };

  if (pixels->turn & FV_FRAME_MIRROR_X)
    x = (gint) pixels->width - 1 - x;
  if (pixels->turn & FV_FRAME_MIRROR_Y)
    y = (gint) pixels->height - 1 - y;
  x += (gint) pixels->framing.x;
  y += (gint) pixels->framing.y;
  for (guint c = 0; c < pixels->n_components; c++)
    stored[c] = component_at (frame, pixels, c, x, y);
  for (guint c = 0; c < 3; c++) {
    const double *m = pixels->rgb[c];
    double value =
        m[0] * stored[0] + m[1] * stored[1] + m[2] * stored[2] + m[3];
    rgb[c] = CLAMP (value, 0, 1);
  }
}

/* All of the upright picture as R, G, B of 0..255; NULL where memory is not to be
 * had. */
static double *
whole_picture (const GstVideoFrame *frame, const GstFoveaPixels *pixels,
    guint width, guint height, const FvAxis *axis)
{
  double *rgb = g_try_malloc_n ((gsize) width * height, 3 * sizeof *rgb);

  for (guint y = 0; rgb && y < height; y++)
    for (guint x = 0; x < width; x++) {
      double *pixel = rgb + 3 * ((gsize) y * width + x);
      pixel_at (frame, pixels, (gint) x, (gint) y, pixel);
      for (guint c = 0; c < 3; c++)
        pixel[c] = fv_axis_round (axis, pixel[c] * 255);
    }
  return rgb;
}

typedef struct
{
  FvAxis axes[2];
  double *weights[2];
  guint first[2], n[2];
} Window;

/* Columns first, as the device does it. */
static void
filtered (const double *rgb, guint width, const Window *window,
    double result[3])
{
  memset (result, 0, 3 * sizeof *result);
  for (guint k = 0; k < window->n[1]; k++) {
    const double *row =
        rgb + 3 * ((gsize) (window->first[1] + k) * width + window->first[0]);
    for (guint c = 0; c < 3; c++) {
      double sum = 0;
      for (guint i = 0; i < window->n[0]; i++)
        sum += window->weights[0][i] * row[3 * i + c];
      result[c] +=
          window->weights[1][k] * fv_axis_round (&window->axes[0], sum);
    }
  }
  for (guint c = 0; c < 3; c++)
    result[c] = fv_axis_round (&window->axes[1], result[c]) / 255;
}

static void
reference_pixel (const double *rgb, guint width, const Window *window,
    const FvCardInput *input, float *target, gsize step)
{
  double p[3];
  gboolean is_bgr = input->channels == FV_CHANNELS_BGR;
  gboolean inside = window->n[0] && window->n[1];

  if (inside)
    filtered (rgb, width, window, p);
  if (inside && input->n_channels == 1)
    p[0] = 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
  for (guint c = 0; c < input->n_channels; c++) {
    double v = p[is_bgr && input->n_channels == 3 ? 2 - c : c];
    if (!inside)
      v = input->pad[c] / 255.0;
    target[c * step] = (float) ((v - input->mean[c]) / input->std[c]);
  }
}

FvArray *
gst_fovea_import_reference (const GstVideoFrame *frame,
    const GstVideoInfo *info, const GstFoveaFraming *framing,
    const FvCardInput *input, const FvFrameMap *map, GError **error)
{
  gboolean is_nchw = input->layout == FV_LAYOUT_NCHW;
  gint64 w = input->width, h = input->height, c = input->n_channels;
  FvShape shape = { 4,
    { 1, is_nchw ? c : h, is_nchw ? h : w, is_nchw ? w : c } };
  GstFoveaPixels pixels;
  Window window;
  guint width, height;

  if (input->rank == 3)
    shape = (FvShape){ 3, { shape.dims[1], shape.dims[2], shape.dims[3] } };
  if (!gst_fovea_pixels_init (&pixels, info, framing, error))
    return NULL;
  gst_fovea_pixels_upright (&pixels, &width, &height);
  for (guint i = 0; i < 2; i++)
    fv_axis_init (&window.axes[i], input, map, i == 1);
  g_autoptr (FvArray) array = fv_array_new (FV_TYPE_F32, &shape, error);
  g_autofree double *rgb =
      array ? whole_picture (frame, &pixels, width, height, window.axes) : NULL;
  if (!rgb) {
    if (array)
      g_set_error (error, FV_ERROR, FV_ERROR_TOO_LARGE,
          "no memory for a frame of %u x %u pixels in double precision", width,
          height);
    return NULL;
  }
  for (guint i = 0; i < 2; i++)
    window.weights[i] = g_new0 (double, fv_axis_taps (&window.axes[i]));
  for (guint y = 0; y < input->height; y++)
    for (guint x = 0; x < input->width; x++) {
      gsize at = (gsize) y * input->width + x;
      for (guint i = 0; i < 2; i++)
        window.n[i] = fv_axis_weights (&window.axes[i], i ? y : x,
            &window.first[i], window.weights[i]);
      reference_pixel (rgb, width, &window, input,
          array->f32 + (is_nchw ? at : at * input->n_channels),
          is_nchw ? (gsize) w * (gsize) h : 1);
    }
  for (guint i = 0; i < 2; i++)
    g_free (window.weights[i]);
  return g_steal_pointer (&array);
}
