/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames of every format, matrix, range and siting, of odd sizes, with padded rows,
 * planes far apart, cut out of larger ones, interlaced and turned: what the device
 * makes of them against the formulas written down here in plain C, which share
 * nothing with the import, and against videoconvert where that is exact. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "tests/device-test.h"
#include "gst/video/gstfoveaimport.h"
#include "gst/video/gstfoveameta.h"

#define WAIT_NS G_GUINT64_CONSTANT (60000000000)

/* Where a component of a format lies: its plane, the byte of its first sample,
 * bytes between samples, whether two pixels of a row or column share it. */
typedef struct
{
  guint plane, first, step;
  gboolean half_x, half_y;
} Component;

static const struct
{
  const char *name;
  enum
  {
    YCBCR,
    GRAY,
    RGB
  } kind;
  guint bits; /* of a sample; those of 10 stand in the high bits of two bytes */
  Component components[3];
} formats[] = {
  { "NV12", YCBCR, 8,
      { { 0, 0, 1 }, { 1, 0, 2, TRUE, TRUE }, { 1, 1, 2, TRUE, TRUE } } },
  { "NV21", YCBCR, 8,
      { { 0, 0, 1 }, { 1, 1, 2, TRUE, TRUE }, { 1, 0, 2, TRUE, TRUE } } },
  { "I420", YCBCR, 8,
      { { 0, 0, 1 }, { 1, 0, 1, TRUE, TRUE }, { 2, 0, 1, TRUE, TRUE } } },
  { "YV12", YCBCR, 8,
      { { 0, 0, 1 }, { 2, 0, 1, TRUE, TRUE }, { 1, 0, 1, TRUE, TRUE } } },
  { "P010_10LE", YCBCR, 10,
      { { 0, 0, 2 }, { 1, 0, 4, TRUE, TRUE }, { 1, 2, 4, TRUE, TRUE } } },
  { "YUY2", YCBCR, 8, { { 0, 0, 2 }, { 0, 1, 4, TRUE }, { 0, 3, 4, TRUE } } },
  { "UYVY", YCBCR, 8, { { 0, 1, 2 }, { 0, 0, 4, TRUE }, { 0, 2, 4, TRUE } } },
  { "GRAY8", GRAY, 8, { { 0, 0, 1 } } },
  { "RGB", RGB, 8, { { 0, 0, 3 }, { 0, 1, 3 }, { 0, 2, 3 } } },
  { "BGR", RGB, 8, { { 0, 2, 3 }, { 0, 1, 3 }, { 0, 0, 3 } } },
  { "RGBA", RGB, 8, { { 0, 0, 4 }, { 0, 1, 4 }, { 0, 2, 4 } } },
  { "BGRA", RGB, 8, { { 0, 2, 4 }, { 0, 1, 4 }, { 0, 0, 4 } } },
  { "ARGB", RGB, 8, { { 0, 1, 4 }, { 0, 2, 4 }, { 0, 3, 4 } } },
  { "ABGR", RGB, 8, { { 0, 3, 4 }, { 0, 2, 4 }, { 0, 1, 4 } } },
  { "RGBx", RGB, 8, { { 0, 0, 4 }, { 0, 1, 4 }, { 0, 2, 4 } } },
  { "BGRx", RGB, 8, { { 0, 2, 4 }, { 0, 1, 4 }, { 0, 0, 4 } } },
  { "xRGB", RGB, 8, { { 0, 1, 4 }, { 0, 2, 4 }, { 0, 3, 4 } } },
  { "xBGR", RGB, 8, { { 0, 3, 4 }, { 0, 2, 4 }, { 0, 1, 4 } } },
};

/* BT.601-7, BT.709-6, BT.2020-2 */
static const struct
{
  GstVideoColorMatrix matrix;
  double kr, kb;
} matrices[] = {
  { GST_VIDEO_COLOR_MATRIX_BT601, 0.299, 0.114 },
  { GST_VIDEO_COLOR_MATRIX_BT709, 0.2126, 0.0722 },
  { GST_VIDEO_COLOR_MATRIX_BT2020, 0.2627, 0.0593 },
};

static const char *const matrix_names[] = { "BT.601", "BT.709", "BT.2020" };

static const struct
{
  const char *name;
  gboolean on_columns, on_rows; /* chroma lies on pixels, else between two */
} sites[] = {
  { "mpeg2", TRUE, FALSE },
  { "jpeg", FALSE, FALSE },
  { "cosited", TRUE, TRUE },
  { "v-cosited", FALSE, TRUE },
};

/* Zero is the plainest. */
typedef struct
{
  guint format, matrix, site;
  gboolean is_full, is_interlaced;
  guint width, height;
  guint padding; /* bytes behind rows and between planes */
  guint x, y, right, below; /* pixels around the picture: it is cut out */
  GstVideoOrientationMethod turn;
  gboolean is_flat; /* chroma the same everywhere */
} Case;

/* A frame and the numbers that it was filled with. */
typedef struct
{
  const Case *c;
  GstVideoInfo info; /* of the caps */
  GstVideoFrame frame;
  guint8 *data[3];
  gsize stride[3];
} Picture;

static void
set_info (const Case *c, GstVideoInfo *info, guint width, guint height)
{
  ck_assert (gst_video_info_set_interlaced_format (info,
      gst_video_format_from_string (formats[c->format].name),
      c->is_interlaced ? GST_VIDEO_INTERLACE_MODE_INTERLEAVED
                       : GST_VIDEO_INTERLACE_MODE_PROGRESSIVE,
      width, height));
  info->colorimetry.matrix = formats[c->format].kind == RGB
      ? GST_VIDEO_COLOR_MATRIX_RGB
      : matrices[c->matrix].matrix;
  info->colorimetry.range =
      c->is_full ? GST_VIDEO_COLOR_RANGE_0_255 : GST_VIDEO_COLOR_RANGE_16_235;
  info->chroma_site = gst_video_chroma_from_string (sites[c->site].name);
}

static void
fill_sample (guint8 *at, guint bits, GRand *rand, gboolean is_flat, guint k)
{
  guint value = is_flat ? 30 * k + 70 : (guint) g_rand_int_range (rand, 0, 256);

  if (bits == 8) {
    *at = (guint8) value;
    return;
  }
  value = (value * 4 + (is_flat ? 0 : (guint) g_rand_int_range (rand, 0, 4)))
      << 6;
  at[0] = (guint8) value;
  at[1] = (guint8) (value >> 8);
}

/* Rows of the component in a frame of @height. */
static guint
component_size (guint size, gboolean is_half)
{
  return is_half ? (size + 1) / 2 : size;
}

static void
fill (Picture *p, guint width, guint height)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1 + p->c->format);
  guint n = formats[p->c->format].kind == GRAY ? 1 : 3;

  for (guint k = 0; k < n; k++) {
    const Component *at = &formats[p->c->format].components[k];
    gboolean is_flat =
        p->c->is_flat && k > 0 && formats[p->c->format].kind == YCBCR;

    for (guint y = 0; y < component_size (height, at->half_y); y++)
      for (guint x = 0; x < component_size (width, at->half_x); x++)
        fill_sample (p->data[at->plane] + y * p->stride[at->plane] + at->first
                + x * at->step,
            formats[p->c->format].bits, rand, is_flat, k);
  }
}

static void
picture_init (Picture *p, const Case *c)
{
  guint width = c->x + c->width + c->right;
  guint height = c->y + c->height + c->below;
  GstVideoFrameFlags flags =
      c->is_interlaced ? GST_VIDEO_FRAME_FLAG_INTERLACED : 0;
  GstVideoInfo all;
  GstBuffer *buffer;
  gsize size = c->padding * 2;

  memset (p, 0, sizeof *p);
  p->c = c;
  set_info (c, &p->info, c->width, c->height);
  set_info (c, &all, width, height);
  for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES (&all); i++) {
    all.offset[i] = size;
    all.stride[i] += (gint) c->padding;
    size += (gsize) all.stride[i]
            * GST_VIDEO_INFO_COMP_HEIGHT (&all, i == 0 ? 0 : 1)
        + c->padding;
  }
  buffer = gst_buffer_new_allocate (NULL, size, NULL);
  gst_buffer_memset (buffer, 0, 0x5a, size);
  gst_buffer_add_video_meta_full (buffer, flags, GST_VIDEO_INFO_FORMAT (&all),
      width, height, GST_VIDEO_INFO_N_PLANES (&all), all.offset, all.stride);
  if (c->is_interlaced)
    GST_BUFFER_FLAG_SET (buffer, GST_VIDEO_BUFFER_FLAG_INTERLACED);
  if (width != c->width || height != c->height) {
    GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta (buffer);
    crop->x = c->x;
    crop->y = c->y;
    crop->width = c->width;
    crop->height = c->height;
  }
  ck_assert (
      gst_video_frame_map (&p->frame, &p->info, buffer, GST_MAP_READWRITE));
  gst_buffer_unref (buffer);
  for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES (&all); i++) {
    p->data[i] = GST_VIDEO_FRAME_PLANE_DATA (&p->frame, i);
    p->stride[i] = (gsize) all.stride[i];
  }
  fill (p, width, height);
}

/* ---- The formulas ---- */

static double
sample (const Picture *p, guint k, gint x, gint y)
{
  const Component *at = &formats[p->c->format].components[k];
  const guint8 *byte = p->data[at->plane] + (gsize) y * p->stride[at->plane]
      + at->first + (gsize) x * at->step;

  return formats[p->c->format].bits == 8 ? *byte
                                         : (byte[0] | byte[1] << 8) >> 6;
}

/* Between samples @low and on, @at of them away from sample 0; @first and @last
 * are repeated. */
static void
neighbours (double at, gint first, gint last, gint index[2], double weight[2])
{
  gint low = (gint) floor (at);

  index[0] = CLAMP (low, first, last);
  index[1] = CLAMP (low + 1, first, last);
  weight[1] = at - low;
  weight[0] = 1 - weight[1];
}

/* Rows of a field on their own: the top one's chroma lies a quarter of its rows
 * below its first row of luma, the bottom one's three quarters; on a row: none, and
 * a half (ITU-T H.264, figure 6-2). */
static void
field_neighbours (const Picture *p, gint y, gint row[2], double weight[2])
{
  static const double below[2][2] = { { 0.25, 0.75 }, { 0, 0.5 } };
  gint field = y & 1, end = (gint) (p->c->y + p->c->height - 1) / 2;
  gint first = (gint) p->c->y / 4, last = end < field ? 0 : (end - field) / 2;

  neighbours (((y >> 1) - below[sites[p->c->site].on_rows][field]) / 2, first,
      last, row, weight);
  for (guint i = 0; i < 2; i++)
    row[i] = MIN (2 * row[i] + field, end);
}

/* Component @k at pixel (x, y) of the whole frame. */
static double
component (const Picture *p, guint k, gint x, gint y)
{
  const Component *at = &formats[p->c->format].components[k];
  const Case *c = p->c;
  gint column[2] = { x, x }, row[2] = { y, y };
  double wx[2] = { 1, 0 }, wy[2] = { 1, 0 }, sum = 0;

  if (at->half_x)
    neighbours (x / 2.0 - (sites[c->site].on_columns ? 0 : 0.25),
        (gint) c->x / 2, (gint) (c->x + c->width - 1) / 2, column, wx);
  if (at->half_y && c->is_interlaced)
    field_neighbours (p, y, row, wy);
  else if (at->half_y)
    neighbours (y / 2.0 - (sites[c->site].on_rows ? 0 : 0.25), (gint) c->y / 2,
        (gint) (c->y + c->height - 1) / 2, row, wy);
  for (guint i = 0; i < 4; i++)
    sum += wx[i & 1] * wy[i >> 1] * sample (p, k, column[i & 1], row[i >> 1]);
  return sum;
}

static void
oracle (const Picture *p, gint x, gint y, double rgb[3])
{
  const Case *c = p->c;
  double kr = matrices[c->matrix].kr, kb = matrices[c->matrix].kb;
  guint bits = formats[c->format].bits, most = (1u << bits) - 1;
  double unit = 1 << (bits - 8), low = c->is_full ? 0 : 16 * unit;
  double span = c->is_full ? most : 219 * unit, v[3] = { 0, 0, 0 };

  for (guint k = 0; k < (formats[c->format].kind == GRAY ? 1 : 3); k++)
    v[k] = component (p, k, x, y);
  if (formats[c->format].kind == YCBCR) {
    double chroma = c->is_full ? most : 224 * unit;
    double luma = (v[0] - low) / span, cb = (v[1] - 128 * unit) / chroma;
    double cr = (v[2] - 128 * unit) / chroma;

    rgb[0] = luma + 2 * (1 - kr) * cr;
    rgb[2] = luma + 2 * (1 - kb) * cb;
    rgb[1] = (luma - kr * rgb[0] - kb * rgb[2]) / (1 - kr - kb);
  } else {
    for (guint k = 0; k < 3; k++)
      rgb[k] = (v[formats[c->format].kind == GRAY ? 0 : k] - low) / span;
  }
  for (guint k = 0; k < 3; k++)
    rgb[k] = CLAMP (rgb[k], 0, 1);
}

/* The stored pixel that is seen at (u, v) of the picture upright. */
static void
turned (const Case *c, gint u, gint v, gint *x, gint *y)
{
  gint right = (gint) c->width - 1, bottom = (gint) c->height - 1;

  switch (c->turn) {
    case GST_VIDEO_ORIENTATION_90R: /* what is stored is turned clockwise */
      *x = v, *y = bottom - u;
      break;
    case GST_VIDEO_ORIENTATION_180:
      *x = right - u, *y = bottom - v;
      break;
    case GST_VIDEO_ORIENTATION_90L:
      *x = right - v, *y = u;
      break;
    case GST_VIDEO_ORIENTATION_HORIZ:
      *x = right - u, *y = v;
      break;
    case GST_VIDEO_ORIENTATION_VERT:
      *x = u, *y = bottom - v;
      break;
    case GST_VIDEO_ORIENTATION_UL_LR:
      *x = v, *y = u;
      break;
    case GST_VIDEO_ORIENTATION_UR_LL:
      *x = right - v, *y = bottom - u;
      break;
    default:
      *x = u, *y = v;
  }
}

/* ---- The device ---- */

static gboolean
is_lying (GstVideoOrientationMethod turn)
{
  return turn == GST_VIDEO_ORIENTATION_90R || turn == GST_VIDEO_ORIENTATION_90L
      || turn == GST_VIDEO_ORIENTATION_UL_LR
      || turn == GST_VIDEO_ORIENTATION_UR_LL;
}

static void
set_input (const Case *c, FvCardInput *input)
{
  gboolean lies = is_lying (c->turn);

  memset (input, 0, sizeof *input);
  input->name = (char *) "image";
  input->rank = 4;
  input->width = lies ? c->height : c->width;
  input->height = lies ? c->width : c->height;
  input->channels = FV_CHANNELS_RGB;
  input->n_channels = 3;
  input->crop_fraction = 1;
  input->resize = FV_RESIZE_STRETCH;
  input->filter = FV_FILTER_BILINEAR;
  for (guint i = 0; i < 3; i++)
    input->std[i] = 1;
}

static void
set_port (FvDevice *device, const FvCardInput *input, FvPort *port)
{
  g_autoptr (GError) error = NULL;
  gint64 w = input->width, h = input->height;

  *port = (FvPort){ .name = "image",
    .model_type = FV_TYPE_F32,
    .type = FV_TYPE_F32,
    .shape = { 4, { 1, 3, h, w } },
    .strides = { 4 * w * h, 1, 4 * w, 4 },
    .buffer_size = (gsize) (16 * w * h) };
  port->buffer =
      fv_buffer_new (device, port->buffer_size, FV_MEMORY_DOWNLOAD, &error);
  ck_assert_msg (port->buffer != NULL, "%s", error ? error->message : "");
}

static void
run_import (FvDevice *device, const Picture *p, const FvPort *port,
    const FvCardInput *input)
{
  GstFoveaFraming framing = { .turn = p->c->turn };
  g_autoptr (FvProgram) program = fv_program_new (device);
  g_autoptr (GError) error = NULL;
  guint64 value = 0;
  FvFrameMap map;

  ck_assert_msg (gst_fovea_framing_init (&framing, &p->info, &p->frame, &error),
      "%s", error ? error->message : "");
  fv_frame_map_init (&map, input, input->width, input->height);
  g_autoptr (GstFoveaImport) import = gst_fovea_import_new (device, &p->info,
      &framing, NULL, input, port, &map, &error);
  ck_assert_msg (import != NULL, "%s", error ? error->message : "");
  gst_fovea_import_add (import, program);
  ck_assert_msg (fv_program_finish (program, &error), "%s",
      error ? error->message : "");
  gst_fovea_import_upload (import, &p->frame);
  ck_assert (fv_program_submit (&program, 1, &value, &error));
  ck_assert_msg (fv_device_wait (device, value, WAIT_NS, &error), "%s",
      error ? error->message : "");
}

/* Far inside of 1/255: f32 is the only thing that differs. */
static void
compare (const Picture *p, const float *pixels, const FvCardInput *input,
    const char *what)
{
  const Case *c = p->c;

  for (guint v = 0; v < input->height; v++)
    for (guint u = 0; u < input->width; u++) {
      const float *got = pixels + 4 * ((gsize) v * input->width + u);
      double rgb[3];
      gint x, y;

      turned (c, (gint) u, (gint) v, &x, &y);
      oracle (p, x + (gint) c->x, y + (gint) c->y, rgb);
      for (guint k = 0; k < 3; k++)
        ck_assert_msg (fabs (got[k] - rgb[k]) <= 0.02 / 255,
            "%s: %s %ux%u %s %s %s%s, turned %d, cut at %u, %u: pixel %u, %u "
            "channel %u is %.3f/255, expected %.3f",
            what, formats[c->format].name, c->width, c->height,
            matrix_names[c->matrix], sites[c->site].name,
            c->is_full ? "full" : "limited",
            c->is_interlaced ? " interlaced" : "", c->turn, c->x, c->y, u, v, k,
            got[k] * 255, rgb[k] * 255);
    }
}

static void
check_reference (const Picture *p, const FvCardInput *input)
{
  GstFoveaFraming framing = { .turn = p->c->turn };
  gsize n = (gsize) input->width * input->height;
  g_autofree float *pixels = g_new (float, 4 * n);
  g_autoptr (GError) error = NULL;
  FvFrameMap map;

  ck_assert (gst_fovea_framing_init (&framing, &p->info, &p->frame, &error));
  fv_frame_map_init (&map, input, input->width, input->height);
  g_autoptr (FvArray) array = gst_fovea_import_reference (&p->frame, &p->info,
      &framing, input, &map, &error);
  ck_assert_msg (array != NULL, "%s", error ? error->message : "");
  for (gsize i = 0; i < n; i++)
    for (guint k = 0; k < 3; k++)
      pixels[4 * i + k] = array->f32[k * n + i];
  compare (p, pixels, input, "reference");
}

static void
check_on (guint tier, const Picture *p)
{
  FvDevice *device = device_test_get (tier);
  FvCardInput input;
  FvPort port;

  set_input (p->c, &input);
  if (tier == 0)
    check_reference (p, &input);
  set_port (device, &input, &port);
  run_import (device, p, &port, &input);
  compare (p, fv_buffer_map (port.buffer), &input, device_test_tiers[tier]);
  fv_buffer_unref (port.buffer);
}

static void
check_case (const Case *c, guint n_tiers)
{
  Picture picture;

  picture_init (&picture, c);
  for (guint tier = 0; tier < n_tiers; tier++)
    check_on (tier, &picture);
  gst_video_frame_unmap (&picture.frame);
}

static guint
n_sites (guint format)
{
  return formats[format].kind == YCBCR ? G_N_ELEMENTS (sites) : 1;
}

/* Every matrix, range and siting, in both tiers with the siting that is usual. */
START_TEST (test_formats)
{
  guint format = (guint) _i;
  guint n = formats[format].kind == YCBCR ? G_N_ELEMENTS (matrices) : 1;

  for (guint i = 0; i < n_sites (format) * n * 2; i++) {
    Case c = { .format = format,
      .site = i / (2 * n),
      .matrix = i / 2 % n,
      .is_full = i % 2 == 1,
      .width = 21,
      .height = 13,
      .padding = 6 };

    check_case (&c, c.site == 0 && c.matrix == 0 ? 2 : 1);
  }
}
END_TEST

START_TEST (test_sizes)
{
  static const guint sizes[][2] = { { 1, 1 }, { 2, 2 }, { 3, 1 }, { 1, 6 },
    { 64, 5 }, { 131, 2 } };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    Case c = { .format = (guint) _i,
      .matrix = i % 3,
      .width = sizes[i][0],
      .height = sizes[i][1],
      .padding = i % 2 * 10 };

    check_case (&c, 1);
  }
}
END_TEST

/* Cut out of a larger frame, at even and odd places. */
START_TEST (test_crop)
{
  for (guint i = 0; i < 4; i++) {
    Case c = { .format = (guint) _i,
      .width = 17,
      .height = 9,
      .padding = 2,
      .x = 4 + i % 2,
      .y = 2 + i / 2,
      .right = 3,
      .below = i };

    check_case (&c, 1);
  }
}
END_TEST

START_TEST (test_interlaced)
{
  static const guint heights[] = { 1, 2, 3, 4, 5, 14 };

  for (guint i = 0; i < G_N_ELEMENTS (heights) * 2; i++) {
    Case c = { .format = (guint) _i,
      .site = i % 2 ? 2 : 0,
      .is_interlaced = TRUE,
      .width = 11,
      .height = heights[i / 2] };

    check_case (&c, 1);
    if (i / 2 == 5) {
      c.y = 3;
      c.below = 3;
      check_case (&c, 1);
    }
  }
}
END_TEST

START_TEST (test_turned)
{
  static const guint which[] = { 0, 2, 4, 5, 8, 10 };

  for (guint i = 0; i < G_N_ELEMENTS (which); i++) {
    Case c = { .format = which[i],
      .width = 21,
      .height = 13,
      .turn = (GstVideoOrientationMethod) _i };

    check_case (&c, 1);
    c.x = c.y = 1;
    check_case (&c, 1);
  }
}
END_TEST

/* Where chroma is flat, videoconvert is right within 6/255: its fast paths are that
 * far off. From RGB to RGB it does not look at the range. */
static void
check_converter (const Picture *p)
{
  const Case *c = p->c;
  GstVideoInfo info;
  GstVideoFrame frame;
  double worst = 0;

  ck_assert (gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGBA, c->width,
      c->height));
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  ck_assert (gst_video_frame_map (&frame, &info, buffer, GST_MAP_READWRITE));
  GstVideoConverter *converter =
      gst_video_converter_new (&p->info, &info, NULL);
  ck_assert_ptr_nonnull (converter);
  gst_video_converter_frame (converter, &p->frame, &frame);
  gst_video_converter_free (converter);
  for (guint y = 0; y < c->height; y++)
    for (guint x = 0; x < c->width; x++) {
      const guint8 *got =
          (const guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&frame, 0)
          + y * (gsize) GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0) + 4 * x;
      double rgb[3];

      oracle (p, (gint) x, (gint) y, rgb);
      for (guint k = 0; k < 3; k++)
        worst = MAX (worst, fabs (got[k] - 255 * rgb[k]));
    }
  ck_assert_msg (worst <= 6, "%s %s %s: videoconvert is %.2f/255 away",
      formats[c->format].name, matrix_names[c->matrix],
      c->is_full ? "full" : "limited", worst);
  gst_video_frame_unmap (&frame);
  gst_buffer_unref (buffer);
}

START_TEST (test_videoconvert)
{
  for (guint i = formats[_i].kind == RGB; i < 6; i++) {
    Case c = { .format = (guint) _i,
      .matrix = i / 2,
      .is_full = i % 2 == 1 || formats[_i].kind == RGB,
      .width = 32,
      .height = 16,
      .is_flat = TRUE };
    Picture picture;

    picture_init (&picture, &c);
    check_converter (&picture);
    gst_video_frame_unmap (&picture.frame);
  }
}
END_TEST

/* The list in the caps, and what is checked here, are the same. */
START_TEST (test_list)
{
  g_auto (GStrv) names = g_strsplit_set (GST_FOVEA_VIDEO_FORMATS, "{, }", -1);
  guint n = 0;

  for (guint i = 0; names[i]; i++) {
    gboolean is_known = FALSE;

    if (names[i][0] == '\0')
      continue;
    for (guint k = 0; k < G_N_ELEMENTS (formats); k++)
      is_known |= strcmp (names[i], formats[k].name) == 0;
    ck_assert_msg (is_known, "%s is taken, but not checked here", names[i]);
    n++;
  }
  ck_assert_uint_eq (n, G_N_ELEMENTS (formats));
}
END_TEST

static void
expect (GError **error, FvError code, const char *text)
{
  ck_assert_msg (g_error_matches (*error, FV_ERROR, code)
          && strstr ((*error)->message, text),
      "expected error %d \"%s\", got \"%s\"", code, text,
      *error ? (*error)->message : "none");
  g_clear_error (error);
}

START_TEST (test_refusals)
{
  Case c = { .format = 0, .width = 16, .height = 8, .right = 4 };
  GstFoveaFraming framing = { 0 };
  g_autoptr (GError) error = NULL;
  GstVideoCropMeta *crop;
  FvCardInput input;
  FvFrameMap map;
  Picture p;

  picture_init (&p, &c);
  crop = gst_buffer_get_video_crop_meta (p.frame.buffer);
  crop->x = 5;
  ck_assert (!gst_fovea_framing_init (&framing, &p.info, &p.frame, &error));
  expect (&error, FV_ERROR_INVALID, "16x8 from (5, 0) on, got NV12 20x8");
  crop->x = G_MAXUINT - 3;
  ck_assert (!gst_fovea_framing_init (&framing, &p.info, &p.frame, &error));
  expect (&error, FV_ERROR_INVALID, "does not fit the caps");
  crop->x = 4;
  crop->width = 15;
  ck_assert (!gst_fovea_framing_init (&framing, &p.info, &p.frame, &error));
  expect (&error, FV_ERROR_UNSUPPORTED, "crop meta is of 15 x 8");
  p.info.interlace_mode = GST_VIDEO_INTERLACE_MODE_FIELDS;
  set_input (&c, &input);
  fv_frame_map_init (&map, &input, c.width, c.height);
  ck_assert_ptr_null (gst_fovea_import_reference (&p.frame, &p.info, NULL,
      &input, &map, &error));
  expect (&error, FV_ERROR_UNSUPPORTED, "interlace-mode fields");
  gst_video_frame_unmap (&p.frame);
}
END_TEST

START_TEST (test_validation_clean)
{
  ck_assert_uint_eq (fv_validation_messages (), 0);
  device_test_close ();
}
END_TEST

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("frames");
  TCase *tcase = tcase_create ("frames");
  gint n = G_N_ELEMENTS (formats);

  gst_init (&argc, &argv);
  tcase_set_timeout (tcase, 300);
  tcase_add_test (tcase, test_list);
  tcase_add_loop_test (tcase, test_videoconvert, 0, n);
  tcase_add_loop_test (tcase, test_formats, 0, n);
  tcase_add_loop_test (tcase, test_sizes, 0, n);
  tcase_add_loop_test (tcase, test_crop, 0, n);
  tcase_add_loop_test (tcase, test_interlaced, 0, 7);
  tcase_add_loop_test (tcase, test_turned, GST_VIDEO_ORIENTATION_IDENTITY,
      GST_VIDEO_ORIENTATION_UR_LL + 1);
  tcase_add_test (tcase, test_refusals);
  tcase_add_test (tcase, test_validation_clean);
  suite_add_tcase (suite, tcase);
  return device_test_run (suite);
}
