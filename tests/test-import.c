/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/device-test.h"
#include "gst/video/gstfoveaimport.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_NS G_GUINT64_CONSTANT (60000000000)

/* What differs between two cases; zero is the plainest. */
typedef struct
{
  const char *format;
  gint width, height;
  const char *colorimetry, *site; /* NULL: the default */
  guint extra; /* bytes behind each row of the frame */
  guint in_width, in_height;
  FvResizeMode resize;
  FvAnchor anchor;
  FvFilter filter;
  gboolean antialias, eight_bits;
  float crop;
  FvChannels channels; /* auto: rgb */
  FvLayout layout;
  gboolean planar; /* the port has columns innermost */
} Case;

static void
make_info (const Case *c, GstVideoInfo *info)
{
  gst_video_info_init (info);
  ck_assert (
      gst_video_info_set_format (info, gst_video_format_from_string (c->format),
          (guint) c->width, (guint) c->height));
  if (c->colorimetry)
    ck_assert (
        gst_video_colorimetry_from_string (&info->colorimetry, c->colorimetry));
  if (c->site)
    info->chroma_site = gst_video_chroma_from_string (c->site);
}

/* A mapped frame of random bytes, smooth enough to be a picture in part, whose
 * rows and planes lie as far apart as @extra says. */
static void
make_frame (const Case *c, GstVideoFrame *frame)
{
  GstVideoInfo info;
  gsize offset = c->extra * 3;

  make_info (c, &info);
  for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES (&info); i++) {
    gint component = i == 0 ? 0 : 1; /* planes of equal height */
    info.stride[i] += (gint) c->extra;
    info.offset[i] = offset;
    offset += (gsize) info.stride[i]
            * (gsize) GST_VIDEO_INFO_COMP_HEIGHT (&info, component)
        + c->extra;
  }
  info.size = offset;
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_INFO_FORMAT (&info), (guint) c->width, (guint) c->height,
      GST_VIDEO_INFO_N_PLANES (&info), info.offset, info.stride);
  GstMapInfo map;
  ck_assert (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  g_autoptr (GRand) rand = g_rand_new_with_seed (42);
  for (gsize i = 0; i < map.size; i++)
    map.data[i] =
        i % 3 ? (guint8) g_rand_int_range (rand, 0, 256) : (guint8) (i / 7);
  gst_buffer_unmap (buffer, &map);
  GstVideoInfo plain;
  make_info (c, &plain);
  ck_assert (gst_video_frame_map (frame, &plain, buffer, GST_MAP_READ));
  ck_assert_int_eq (GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0), info.stride[0]);
  gst_buffer_unref (buffer);
}

static void
make_input (const Case *c, FvCardInput *input)
{
  static const float mean[3] = { 0.485f, 0.456f, 0.406f };
  static const float deviation[3] = { 0.229f, 0.224f, 0.225f };

  memset (input, 0, sizeof *input);
  input->name = (char *) "image";
  input->layout = c->layout;
  input->rank = 4;
  input->width = c->in_width;
  input->height = c->in_height;
  input->channels = c->channels ? c->channels : FV_CHANNELS_RGB;
  input->n_channels = c->channels == FV_CHANNELS_GRAY ? 1 : 3;
  memcpy (input->mean, mean, sizeof mean);
  memcpy (input->std, deviation, sizeof deviation);
  input->resize = c->resize ? c->resize : FV_RESIZE_STRETCH;
  input->anchor = c->anchor;
  input->pad[0] = input->pad[1] = input->pad[2] = 114;
  input->crop_fraction = c->crop ? c->crop : 1;
  input->filter = c->filter;
  input->antialias = c->antialias;
  input->eight_bits = c->eight_bits;
}

/* A port as the planner makes it: channels or columns innermost, padded. */
static void
make_port (FvDevice *device, const Case *c, const FvCardInput *input,
    FvType type, FvPort *port)
{
  gboolean is_nchw = input->layout == FV_LAYOUT_NCHW;
  gint64 pad = type == FV_TYPE_F16 ? 8 : 4;
  gint64 w = input->width, h = input->height, n = input->n_channels, x, y, ch;
  g_autoptr (GError) error = NULL;

  if (c->planar) {
    x = 1;
    y = (w + pad - 1) / pad * pad;
    ch = y * h;
  } else {
    ch = 1;
    x = pad;
    y = x * w;
  }
  gint64 count = c->planar ? ch * n : y * h;
  memset (port, 0, sizeof *port);
  port->name = "image";
  port->model_type = FV_TYPE_F32;
  port->type = type;
  port->shape =
      (FvShape){ 4, { 1, is_nchw ? n : h, is_nchw ? h : w, is_nchw ? w : n } };
  port->strides[1] = is_nchw ? ch : y;
  port->strides[2] = is_nchw ? y : x;
  port->strides[3] = is_nchw ? x : ch;
  port->strides[0] = count;
  port->buffer_offset = 256;
  port->buffer_size = (gsize) count * fv_type_size (type);
  port->buffer = fv_buffer_new (device, port->buffer_size + 512,
      FV_MEMORY_DOWNLOAD, &error);
  ck_assert_msg (port->buffer != NULL, "%s", error ? error->message : "");
  memset (fv_buffer_map (port->buffer), 0xa5, port->buffer_size + 512);
}

static float
load (const FvPort *port, gint64 at)
{
  const guint8 *data = fv_buffer_map (port->buffer);
  data += port->buffer_offset;
  return port->type == FV_TYPE_F16
      ? fv_f16_to_f32 (((const guint16 *) (gconstpointer) data)[at])
      : ((const float *) (gconstpointer) data)[at];
}

static void
run (FvDevice *device, GstFoveaImport *import, const GstVideoFrame *frame)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FvProgram) program = fv_program_new (device);
  guint64 value = 0;

  gst_fovea_import_add (import, program);
  ck_assert_msg (fv_program_finish (program, &error), "%s",
      error ? error->message : "");
  ck_assert_uint_gt (gst_fovea_import_upload (import, frame), 0);
  ck_assert (fv_program_submit (&program, 1, &value, &error));
  ck_assert_msg (fv_device_wait (device, value, WAIT_NS, &error), "%s",
      error ? error->message : "");
}

/* Every element within 1/255 of @expected (of the pixel's value, so divided by
 * std), everything else in the port zero, everything behind it untouched. */
static void
compare (const Case *c, const FvPort *port, const FvCardInput *input,
    const FvArray *expected)
{
  gsize elements = port->buffer_size / fv_type_size (port->type);
  g_autofree guint8 *seen = g_malloc0 (elements);
  gint64 i = 0;

  for (gint64 a = 0; a < port->shape.dims[1]; a++)
    for (gint64 b = 0; b < port->shape.dims[2]; b++)
      for (gint64 d = 0; d < port->shape.dims[3]; d++, i++) {
        gint64 at =
            a * port->strides[1] + b * port->strides[2] + d * port->strides[3];
        gint64 channel = input->layout == FV_LAYOUT_NCHW ? a : d;
        double bound = (c->eight_bits ? 0.1 : 1) / 255.0 / input->std[channel];
        double off = fabs (load (port, at) - expected->f32[i]);
        ck_assert_msg (off <= bound,
            "%s %dx%d %s: element [%d, %d, %d] is %g, expected %g, off by %g "
            "> %g",
            c->format, c->width, c->height, fv_type_name (port->type), (int) a,
            (int) b, (int) d, load (port, at), expected->f32[i], off, bound);
        seen[at] = 1;
      }
  for (gsize k = 0; k < elements; k++)
    ck_assert_msg (seen[k] || load (port, (gint64) k) == 0,
        "%s %dx%d: padding element %d is %g", c->format, c->width, c->height,
        (int) k, load (port, (gint64) k));
  const guint8 *bytes = fv_buffer_map (port->buffer);
  for (guint k = 0; k < 256; k++)
    ck_assert (bytes[k] == 0xa5 && bytes[256 + port->buffer_size + k] == 0xa5);
}

static void
check_on (FvDevice *device, const Case *c, FvType type)
{
  g_autoptr (GError) error = NULL;
  FvCardInput input;
  FvFrameMap map;
  FvPort port;
  GstVideoInfo info;
  GstVideoFrame frame;

  make_info (c, &info);
  make_input (c, &input);
  make_port (device, c, &input, type, &port);
  fv_frame_map_init (&map, &input, (guint) c->width, (guint) c->height);
  make_frame (c, &frame);
  g_autoptr (FvArray) expected =
      gst_fovea_import_reference (&frame, &info, NULL, &input, &map, &error);
  ck_assert_msg (expected != NULL, "%s", error ? error->message : "");
  g_autoptr (GstFoveaImport) import = gst_fovea_import_new (device, &info, NULL,
      NULL, &input, &port, &map, &error);
  ck_assert_msg (import != NULL, "%s", error ? error->message : "");
  run (device, import, &frame);
  compare (c, &port, &input, expected);
  gst_video_frame_unmap (&frame);
  fv_buffer_unref (port.buffer);
}

static void
check_case (const Case *c)
{
  for (guint tier = 0; tier < 2; tier++) {
    FvDevice *device = device_test_get (tier);
    check_on (device, c, FV_TYPE_F32);
    check_on (device, c, FV_TYPE_F16);
  }
}

static const char *const formats[] = { "NV12", "I420", "YV12", "YUY2", "UYVY",
  "GRAY8", "RGB", "BGR", "RGBA", "BGRA", "RGBx", "BGRx" };

START_TEST (test_formats)
{
  Case c = { .format = formats[_i],
    .width = 21,
    .height = 13,
    .in_width = 16,
    .in_height = 24,
    .filter = FV_FILTER_BILINEAR };
  check_case (&c);
  c.extra = 5;
  c.colorimetry = "bt709";
  check_case (&c);
}
END_TEST

static const Case cases[] = {
  { .format = "NV12", .width = 1, .height = 1, .in_width = 5, .in_height = 3 },
  { .format = "I420", .width = 3, .height = 2, .in_width = 1, .in_height = 1 },
  { .format = "YUY2", .width = 1, .height = 7, .in_width = 9, .in_height = 4 },
  { .format = "I420",
      .width = 64,
      .height = 36,
      .in_width = 96,
      .in_height = 96,
      .resize = FV_RESIZE_LETTERBOX },
  { .format = "I420",
      .width = 64,
      .height = 36,
      .in_width = 96,
      .in_height = 96,
      .resize = FV_RESIZE_LETTERBOX,
      .anchor = FV_ANCHOR_TOP_LEFT,
      .channels = FV_CHANNELS_BGR },
  { .format = "RGB",
      .width = 64,
      .height = 37,
      .in_width = 24,
      .in_height = 24,
      .resize = FV_RESIZE_CROP,
      .crop = 0.875f },
  { .format = "NV12",
      .width = 63,
      .height = 37,
      .in_width = 24,
      .in_height = 25,
      .resize = FV_RESIZE_CROP,
      .layout = FV_LAYOUT_NHWC },
  { .format = "BGRx",
      .width = 63,
      .height = 37,
      .in_width = 30,
      .in_height = 25,
      .channels = FV_CHANNELS_GRAY },
  { .format = "YUY2",
      .width = 31,
      .height = 17,
      .in_width = 30,
      .in_height = 25,
      .channels = FV_CHANNELS_GRAY,
      .planar = TRUE },
  { .format = "I420",
      .width = 31,
      .height = 17,
      .in_width = 37,
      .in_height = 25,
      .planar = TRUE },
  { .format = "RGB",
      .width = 31,
      .height = 17,
      .in_width = 33,
      .in_height = 1,
      .planar = TRUE,
      .layout = FV_LAYOUT_NHWC },
};

START_TEST (test_cases)
{
  Case c = cases[_i];
  c.filter = FV_FILTER_BILINEAR;
  check_case (&c);
}
END_TEST

static const char *const colours[] = { "bt601", "bt709", "bt2020", "smpte240m",
  "1:4:0:0", "1:3:0:0", "2:4:0:0" };
static const char *const sites[] = { "mpeg2", "jpeg", "cosited", "v-cosited" };

START_TEST (test_colours)
{
  Case c = { .format = _i % 2 ? "NV12" : "I420",
    .width = 16,
    .height = 10,
    .colorimetry = colours[_i],
    .in_width = 16,
    .in_height = 10,
    .filter = FV_FILTER_BILINEAR };
  check_case (&c);
}
END_TEST

START_TEST (test_sites)
{
  Case c = { .format = "I420",
    .width = 15,
    .height = 11,
    .site = sites[_i],
    .in_width = 15,
    .in_height = 11,
    .filter = FV_FILTER_BILINEAR };
  check_case (&c);
  c.format = "UYVY";
  check_case (&c);
}
END_TEST

START_TEST (test_filters)
{
  static const Case sizes[] = {
    { .width = 61, .height = 43, .in_width = 17, .in_height = 11 },
    { .width = 20,
        .height = 50,
        .in_width = 31,
        .in_height = 9,
        .resize = FV_RESIZE_LETTERBOX },
    { .width = 61,
        .height = 43,
        .in_width = 20,
        .in_height = 20,
        .resize = FV_RESIZE_CROP,
        .planar = TRUE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    Case c = sizes[i];
    c.format = i == 1 ? "RGBA" : "NV12";
    c.filter = (FvFilter) (_i / 2);
    c.antialias = _i % 2;
    check_case (&c);
  }
}
END_TEST

/* As Pillow does it: the device's whole numbers are those of the reference. */
START_TEST (test_eight_bits)
{
  static const Case sizes[] = {
    { .width = 61, .height = 43, .in_width = 17, .in_height = 11 },
    { .width = 20,
        .height = 50,
        .in_width = 31,
        .in_height = 90,
        .planar = TRUE },
    { .width = 40,
        .height = 30,
        .in_width = 64,
        .in_height = 64,
        .resize = FV_RESIZE_CROP,
        .crop = 1.5f },
  };
  Case c = sizes[_i % 3];

  c.format = _i % 2 ? "RGB" : "BGRx";
  c.filter = (FvFilter) (_i / 3);
  c.antialias = c.eight_bits = TRUE;
  check_case (&c);
}
END_TEST

/* The oracle itself: flat frames against the formulas of the standards. */
START_TEST (test_formulas)
{
  static const struct
  {
    const char *colorimetry;
    double kr, kb;
    gboolean is_full;
  } rows[] = { { "bt601", 0.299, 0.114, FALSE },
    { "bt709", 0.2126, 0.0722, FALSE }, { "bt2020", 0.2627, 0.0593, FALSE },
    { "1:4:0:0", 0.299, 0.114, TRUE }, { "1:3:0:0", 0.2126, 0.0722, TRUE } };
  double kr = rows[_i].kr, kb = rows[_i].kb, kg = 1 - kr - kb;

  for (guint k = 0; k < 4; k++) {
    static const guint8 yuv[4][3] = { { 120, 100, 150 }, { 16, 128, 128 },
      { 235, 128, 128 }, { 81, 90, 240 } };
    Case c = { .format = "I420",
      .width = 4,
      .height = 4,
      .in_width = 2,
      .in_height = 2,
      .filter = FV_FILTER_BILINEAR,
      .colorimetry = rows[_i].colorimetry };
    FvCardInput input;
    FvFrameMap map;
    GstVideoFrame frame;
    GstVideoInfo info;
    make_info (&c, &info);
    make_input (&c, &input);
    fv_frame_map_init (&map, &input, 4, 4);
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
    ck_assert (gst_video_frame_map (&frame, &info, buffer, GST_MAP_READWRITE));
    for (guint p = 0; p < 3; p++)
      memset (GST_VIDEO_FRAME_PLANE_DATA (&frame, p), yuv[k][p],
          (gsize) GST_VIDEO_FRAME_PLANE_STRIDE (&frame, p) * (p ? 2 : 4));
    g_autoptr (FvArray) y =
        gst_fovea_import_reference (&frame, &info, NULL, &input, &map, NULL);
    double luma =
        rows[_i].is_full ? yuv[k][0] / 255.0 : (yuv[k][0] - 16) / 219.0;
    double span = rows[_i].is_full ? 255 : 224;
    double cb = (yuv[k][1] - 128) / span, cr = (yuv[k][2] - 128) / span;
    double r = luma + 2 * (1 - kr) * cr, b = luma + 2 * (1 - kb) * cb;
    double rgb[3] = { r, (luma - kr * r - kb * b) / kg, b };
    for (guint p = 0; p < 3; p++)
      for (guint i = 0; i < 4; i++)
        ck_assert_double_eq_tol (y->f32[4 * p + i] * input.std[p]
                + input.mean[p],
            CLAMP (rgb[p], 0, 1), 1e-5);
    gst_video_frame_unmap (&frame);
    gst_buffer_unref (buffer);
  }
}
END_TEST

static double
ramp (const Case *c, guint x, guint y, gboolean is_vertical)
{
  FvCardInput input;
  FvFrameMap map;
  GstVideoFrame frame;
  GstVideoInfo info;

  make_info (c, &info);
  make_input (c, &input);
  fv_frame_map_init (&map, &input, (guint) c->width, (guint) c->height);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  ck_assert (gst_video_frame_map (&frame, &info, buffer, GST_MAP_READWRITE));
  guint8 *data = GST_VIDEO_FRAME_PLANE_DATA (&frame, 0);
  for (gint row = 0; row < c->height; row++)
    for (gint column = 0; column < c->width; column++)
      data[row * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0) + column] =
          (guint8) (is_vertical ? row : column);
  g_autoptr (FvArray) array =
      gst_fovea_import_reference (&frame, &info, NULL, &input, &map, NULL);
  gst_video_frame_unmap (&frame);
  gst_buffer_unref (buffer);
  return (array->f32[y * c->in_width + x] * input.std[0] + input.mean[0]) * 255;
}

/* The geometry: on a frame whose pixel i has the value i, pixel k of the input is
 * (k + 1/2) scale - 1/2 for every filter that is symmetric. */
START_TEST (test_geometry)
{
  Case c = { .format = "GRAY8",
    .width = 200,
    .height = 160,
    .in_width = 80,
    .in_height = 64,
    .channels = FV_CHANNELS_GRAY,
    .filter = (FvFilter) (_i / 2),
    .antialias = _i % 2,
    .colorimetry = "1:4:0:0" };
  gboolean is_exact = c.antialias || c.filter == FV_FILTER_BILINEAR
      || c.filter == FV_FILTER_BICUBIC;
  double bound = c.filter == FV_FILTER_NEAREST ? 0.51 : is_exact ? 0.3 : 0.51;

  for (guint k = 10; k < 54; k += 7) {
    double expected = (k + 0.5) * 2.5 - 0.5;
    ck_assert_double_eq_tol (ramp (&c, k, 32, FALSE), expected, bound);
    ck_assert_double_eq_tol (ramp (&c, 40, k, TRUE), expected, bound);
  }
}
END_TEST

/* Pillow 9.4: Image.fromarray (row of float32).resize ((5, 1) or (19, 1), filter) */
static const struct
{
  FvFilter filter;
  guint n;
  double expected[19];
} pillow[] = {
  { FV_FILTER_BILINEAR, 5, { 111.560, 105.780, 130.125, 99.373, 100.660 } },
  { FV_FILTER_BICUBIC, 5, { 107.256, 105.285, 132.792, 103.682, 94.969 } },
  { FV_FILTER_LANCZOS, 5, { 103.849, 103.655, 137.925, 106.747, 87.589 } },
  { FV_FILTER_BOX, 5, { 126.500, 102.333, 84.000, 107.000, 105.500 } },
  { FV_FILTER_BILINEAR, 19,
      { 3.000, 113.500, 231.605, 84.447, 41.974, 88.079, 156.579, 162.105,
          61.053, 84.000, 144.711, 224.921, 154.342, 1.737, 43.421, 99.000,
          171.000, 97.658, 31.000 } },
  { FV_FILTER_BICUBIC, 19,
      { -14.539, 115.487, 246.801, 76.377, 17.894, 87.514, 174.356, 175.419,
          50.778, 66.062, 145.647, 250.433, 166.826, -2.284, 27.509, 103.322,
          179.669, 97.482, 20.420 } },
  { FV_FILTER_LANCZOS, 19,
      { -29.022, 122.549, 250.371, 89.470, -6.235, 84.874, 191.340, 173.186,
          55.577, 43.098, 157.580, 263.631, 167.990, -4.207, 4.727, 121.379,
          183.798, 98.583, 12.501 } },
  { FV_FILTER_BOX, 19,
      { 3, 3, 250, 17, 17, 90, 200, 200, 40, 128, 128, 255, 255, 0, 66, 66, 180,
          31, 31 } },
};

START_TEST (test_pillow)
{
  static const guint8 row[] = { 3, 250, 17, 90, 200, 40, 128, 255, 0, 66, 180,
    31 };
  Case c = { .format = "GRAY8",
    .width = G_N_ELEMENTS (row),
    .height = 1,
    .in_width = pillow[_i].n,
    .in_height = 1,
    .filter = pillow[_i].filter,
    .antialias = TRUE,
    .channels = FV_CHANNELS_GRAY };
  FvCardInput input;
  FvFrameMap map;
  GstVideoFrame frame;
  GstVideoInfo info;

  make_info (&c, &info);
  make_input (&c, &input);
  fv_frame_map_init (&map, &input, G_N_ELEMENTS (row), 1);
  GstBuffer *buffer = gst_buffer_new_memdup (row, info.size);
  ck_assert (gst_video_frame_map (&frame, &info, buffer, GST_MAP_READ));
  g_autoptr (FvArray) array =
      gst_fovea_import_reference (&frame, &info, NULL, &input, &map, NULL);
  gst_video_frame_unmap (&frame);
  gst_buffer_unref (buffer);
  for (guint i = 0; i < pillow[_i].n; i++)
    ck_assert_double_eq_tol ((array->f32[i] * input.std[0] + input.mean[0])
            * 255,
        pillow[_i].expected[i], 0.001);
}
END_TEST

START_TEST (test_errors)
{
  g_autoptr (GError) error = NULL;
  FvDevice *device = device_test_get (0);
  Case c = { .format = "RGB",
    .width = 8,
    .height = 8,
    .in_width = 8,
    .in_height = 8 };
  FvCardInput input;
  FvFrameMap map;
  FvPort port, other;
  GstVideoInfo info;

  make_input (&c, &input);
  make_port (device, &c, &input, FV_TYPE_F32, &port);
  fv_frame_map_init (&map, &input, 8, 8);
  c.format = "AYUV";
  make_info (&c, &info);
  ck_assert_ptr_null (gst_fovea_import_new (device, &info, NULL, NULL, &input,
      &port, &map, &error));
  ck_assert (g_error_matches (error, FV_ERROR, FV_ERROR_UNSUPPORTED));
  ck_assert_msg (strstr (error->message, "AYUV") != NULL, "%s", error->message);
  g_clear_error (&error);
  c.format = "RGB";
  make_info (&c, &info);
  for (guint i = 0; i < 4; i++) {
    other = port;
    if (i == 0)
      other.shape.dims[2] = 9;
    else if (i == 1)
      other.shape.rank = 2;
    else if (i == 2)
      other.type = FV_TYPE_I32;
    else
      other.strides[3] = 3;
    ck_assert_ptr_null (gst_fovea_import_new (device, &info, NULL, NULL, &input,
        &other, &map, &error));
    ck_assert (g_error_matches (error, FV_ERROR, FV_ERROR_UNSUPPORTED));
    ck_assert_msg (strstr (error->message, "image") != NULL, "%s",
        error->message);
    g_clear_error (&error);
  }
  map.frame_width = 7;
  ck_assert_ptr_null (gst_fovea_import_new (device, &info, NULL, NULL, &input,
      &port, &map, &error));
  ck_assert (g_error_matches (error, FV_ERROR, FV_ERROR_INVALID));
  fv_buffer_unref (port.buffer);
}
END_TEST

START_TEST (test_validation_clean)
{
  ck_assert_uint_eq (fv_validation_messages (), 0);
}
END_TEST

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  Suite *suite = suite_create ("import");
  TCase *tcase = tcase_create ("import");

  tcase_set_timeout (tcase, 120);
  tcase_add_loop_test (tcase, test_formulas, 0, 5);
  tcase_add_loop_test (tcase, test_pillow, 0, G_N_ELEMENTS (pillow));
  tcase_add_loop_test (tcase, test_geometry, 0, 10);
  tcase_add_loop_test (tcase, test_formats, 0, G_N_ELEMENTS (formats));
  tcase_add_loop_test (tcase, test_cases, 0, G_N_ELEMENTS (cases));
  tcase_add_loop_test (tcase, test_colours, 0, G_N_ELEMENTS (colours));
  tcase_add_loop_test (tcase, test_sites, 0, G_N_ELEMENTS (sites));
  tcase_add_loop_test (tcase, test_filters, 0, 10);
  tcase_add_loop_test (tcase, test_eight_bits, 0, 18);
  tcase_add_test (tcase, test_errors);
  tcase_add_test (tcase, test_validation_clean);
  suite_add_tcase (suite, tcase);
  return device_test_run (suite);
}
