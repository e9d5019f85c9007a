/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* foveaoverlay on frames with results that the test writes: every format, pixel by
 * pixel, against a picture painted here in plain C. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <check.h>
#include <gst/check/gstharness.h>
#include "gst/video/gstfoveadraw.h"
#include "gst/video/gstfoveamemory.h"

#define PTS GST_SECOND

static const char *formats[] = { "NV12", "NV21", "I420", "YV12", "YUY2", "UYVY",
  "GRAY8", "P010_10LE", "RGB", "BGR", "RGBA", "BGRA", "ARGB", "ABGR", "RGBx",
  "BGRx", "xRGB", "xBGR" };
static const struct
{
  guint width, height;
} sizes[] = { { 64, 48 }, { 65, 49 }, { 37, 3 }, { 1, 1 }, { 130, 66 } };

#define N_CASES (G_N_ELEMENTS (formats) * G_N_ELEMENTS (sizes))

static const char *labels[] = { "road", "person", "car", NULL };

/* What should be painted, a pixel each: r, g, b in 0..255 and alpha in 0..1. */
typedef struct
{
  double r, g, b, a;
} Paint;

static GstFoveaProducer *
make_producer (void)
{
  return gst_fovea_producer_new ("net0", "toy", "semantic",
      GST_FOVEA_ROLE_RESULT, labels);
}

static GstVideoInfo
make_info (const char *format, guint width, guint height)
{
  GstVideoInfo info;

  gst_video_info_set_format (&info, gst_video_format_from_string (format),
      width, height);
  info.fps_n = 25;
  info.fps_d = 1;
  return info;
}

/* Noise, so that a byte touched by mistake shows; @padding: further bytes a row. */
static GstBuffer *
make_frame (const GstVideoInfo *info, guint padding)
{
  GstVideoInfo wide = *info;
  GstBuffer *buffer;
  GstMapInfo map;
  gsize size = padding ? 0 : info->size;

  for (guint p = 0; padding && p < GST_VIDEO_INFO_N_PLANES (info); p++) {
    gint rows = GST_VIDEO_INFO_COMP_HEIGHT (info, p == 0 ? 0 : 1);
    wide.stride[p] += padding;
    wide.offset[p] = size;
    size += (gsize) wide.stride[p] * rows;
  }
  buffer = gst_buffer_new_allocate (NULL, size, NULL);
  if (padding)
    gst_buffer_add_video_meta_full (buffer, 0, GST_VIDEO_INFO_FORMAT (info),
        info->width, info->height, GST_VIDEO_INFO_N_PLANES (info), wide.offset,
        wide.stride);
  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  srand (7);
  for (gsize i = 0; i < map.size; i++)
    map.data[i] = rand () >> 7;
  gst_buffer_unmap (buffer, &map);
  GST_BUFFER_PTS (buffer) = PTS;
  return buffer;
}

static GstHarness *
make_harness (const char *launch, const GstVideoInfo *info)
{
  GstHarness *h = gst_harness_new_parse (launch);
  GstCaps *caps = gst_video_info_to_caps (info);

  gst_harness_set_src_caps (h, caps);
  return h;
}

/* As gst_harness_push_and_pull(), which waits for a minute after an error. */
static GstBuffer *
run (GstHarness *h, GstBuffer *buffer)
{
  ck_assert_int_eq (gst_harness_push (h, buffer), GST_FLOW_OK);
  return gst_harness_pull (h);
}

/* Class 1 on the left, class 2 below on the right, no class at the last pixel. */
static guint
id_at (guint x, guint y, guint width, guint height)
{
  if (x == width - 1 && y == height - 1)
    return 255;
  return x < width / 2 ? 1 : y >= height / 2 ? 2 : 0;
}

static GstBuffer *
map_bytes (FvDevice *device, gsize size, guint8 *bytes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FvBuffer) memory = NULL;
  GstBuffer *buffer;

  if (device == NULL)
    return gst_buffer_new_memdup (bytes, size);
  memory = fv_buffer_new (device, size + 256, FV_MEMORY_DEVICE, &error);
  ck_assert_msg (memory != NULL, "%s", error ? error->message : "");
  buffer = gst_buffer_new ();
  gst_buffer_append_memory (buffer, gst_fovea_memory_new (memory, 256, size));
  ck_assert_uint_eq (gst_buffer_fill (buffer, 0, bytes, size), size);
  return buffer;
}

static void
add_mask (GstBuffer *buffer, FvDevice *device, guint width, guint height)
{
  g_autoptr (GstFoveaProducer) producer = make_producer ();
  guint stride = GST_ROUND_UP_4 (width);
  g_autofree guint8 *bytes = g_malloc0 (stride * height);
  g_autoptr (GstFoveaPlane) map = NULL;

  for (guint y = 0; y < height; y++)
    for (guint x = 0; x < width; x++)
      bytes[y * stride + x] = id_at (x, y, width, height);
  map = gst_fovea_plane_new (producer, PTS, GST_FOVEA_PLANE_U8, width, height,
      stride, map_bytes (device, stride * height, bytes));
  gst_fovea_buffer_add_segmentation (buffer, map, NULL, 3, 0, width, height);
}

static void
set_paint (Paint *paint, guint32 color, double alpha)
{
  paint->r = color >> 16 & 255;
  paint->g = color >> 8 & 255;
  paint->b = color & 255;
  paint->a = alpha;
}

/* The mask above with colours 1 and 2 of the palette given. */
static Paint *
paint_mask (guint width, guint height, const guint32 *colors, double alpha)
{
  Paint *paint = g_new0 (Paint, width * height);

  for (guint y = 0; y < height; y++)
    for (guint x = 0; x < width; x++) {
      guint id = id_at (x, y, width, height);
      if (id == 1 || id == 2)
        set_paint (&paint[y * width + x], colors[id], alpha);
    }
  return paint;
}

static void
paint_box (Paint *paint, guint width, guint height, guint x, guint y, guint w,
    guint h, guint line, guint32 color)
{
  for (guint v = y; v < y + h; v++)
    for (guint u = x; u < x + w; u++)
      if (u < x + line || u >= x + w - line || v < y + line
          || v >= y + h - line)
        set_paint (&paint[v * width + u], color, 1);
}

/* A component of a colour in BT.601, limited range, as in the frames made here. */
static double
component (const GstVideoInfo *info, guint c, const Paint *p)
{
  double y = 0.299 * p->r + 0.587 * p->g + 0.114 * p->b;

  if (GST_VIDEO_INFO_IS_RGB (info))
    return c == 0 ? p->r : c == 1 ? p->g : c == 2 ? p->b : 255;
  if (GST_VIDEO_INFO_IS_GRAY (info))
    return y;
  if (c == 0)
    return 16 + 219 / 255.0 * y;
  return 128
      + 224 / 255.0
      * (c == 1 ? (p->b - y) / (2 * (1 - 0.114))
                : (p->r - y) / (2 * (1 - 0.299)));
}

/* What byte (x, y) of component @c should be after painting. */
static double
expected (const GstVideoInfo *info, guint c, guint x, guint y, double old,
    const Paint *paint)
{
  guint sx = GST_VIDEO_FORMAT_INFO_W_SUB (info->finfo, c);
  guint sy = GST_VIDEO_FORMAT_INFO_H_SUB (info->finfo, c);
  double alpha = 0, sum = 0;
  guint n = 0;

  /* rows of a field share their chroma where both are woven */
  gboolean is_woven = sy && GST_VIDEO_INFO_IS_INTERLACED (info);
  guint row = is_woven ? (y >> 1) * 4 + (y & 1) : y << sy;
  guint next = is_woven ? 2 : 1, end = row + (next << sy);

  for (guint v = row; v < MIN (end, (guint) info->height); v += next)
    for (guint u = x << sx; u < MIN ((x + 1) << sx, (guint) info->width); u++) {
      const Paint *p = &paint[v * info->width + u];
      n++;
      alpha += p->a;
      sum += p->a * component (info, c, p);
    }
  if (alpha == 0)
    return old;
  return old + (sum / alpha - old) * alpha / n;
}

/* A sample in steps of 8 bits, as those of 10 in limited range count too. */
static double
sample (const GstVideoInfo *info, const guint8 *at)
{
  return GST_VIDEO_FORMAT_INFO_BITS (info->finfo) == 16
      ? GST_READ_UINT16_LE (at) / 256.0
      : *at;
}

/* Every byte of @after: painted within one step, and else as before, padding of
 * pixels and rows included. */
static void
check_painted (const GstVideoInfo *info, GstBuffer *before, GstBuffer *after,
    const Paint *paint)
{
  GstVideoFrame a, b;
  GstMapInfo map_a, map_b;
  guint n_bytes = GST_VIDEO_FORMAT_INFO_BITS (info->finfo) / 8;
  double step = n_bytes == 2 ? 0.25 : 1;
  g_autofree guint8 *seen = NULL;

  ck_assert (gst_buffer_map (before, &map_a, GST_MAP_READ));
  ck_assert (gst_buffer_map (after, &map_b, GST_MAP_READ));
  ck_assert_uint_eq (map_a.size, map_b.size);
  seen = g_malloc0 (map_a.size);
  ck_assert (gst_video_frame_map (&a, info, before, GST_MAP_READ));
  ck_assert (gst_video_frame_map (&b, info, after, GST_MAP_READ));
  for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS (&a); c++)
    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&a, c); y++)
      for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (&a, c); x++) {
        gsize at = y * GST_VIDEO_FRAME_COMP_STRIDE (&a, c)
            + x * GST_VIDEO_FRAME_COMP_PSTRIDE (&a, c);
        /* GStreamer counts that of P010's V in samples */
        gsize first = n_bytes == 2
            ? (c == 2 ? 2 : 0)
            : (gsize) GST_VIDEO_FRAME_COMP_POFFSET (&a, c);
        gint plane = GST_VIDEO_FRAME_COMP_PLANE (&a, c);
        const guint8 *from =
            (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&a, plane) + first + at;
        const guint8 *to =
            (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&b, plane) + first + at;
        double old = sample (info, from), new = sample (info, to);
        double want = expected (info, c, x, y, old, paint);
        if (want == old ? new != old : fabs (new - want) > step)
          ck_abort_msg ("component %u at %d, %d: %g became %g, expected %.2f",
              c, x, y, old, new, want);
        memset (seen + (from - map_a.data), 1, n_bytes);
      }
  for (gsize i = 0; i < map_a.size; i++)
    ck_assert_msg (seen[i] || map_a.data[i] == map_b.data[i],
        "byte %zu, which is no sample, changed from %u to %u", i, map_a.data[i],
        map_b.data[i]);
  gst_video_frame_unmap (&a);
  gst_video_frame_unmap (&b);
  gst_buffer_unmap (before, &map_a);
  gst_buffer_unmap (after, &map_b);
}

static void
check_no_validation_messages (void)
{
  ck_assert_uint_eq (fv_validation_messages (), 0);
}

/* Mask in host memory, rows without padding. */
START_TEST (test_mask)
{
  static const guint32 colors[] = { 0, 0x0080ff, 0xff4000 };
  guint width = sizes[_i % G_N_ELEMENTS (sizes)].width;
  guint height = sizes[_i % G_N_ELEMENTS (sizes)].height;
  GstVideoInfo info =
      make_info (formats[_i / G_N_ELEMENTS (sizes)], width, height);
  GstHarness *h = make_harness (
      "foveaoverlay alpha=0.6 palette=#000000,#0080ff,#ff4000", &info);
  g_autoptr (GstBuffer) before = make_frame (&info, 0);
  GstBuffer *buffer = gst_buffer_copy_deep (before), *memory;
  g_autofree Paint *paint = paint_mask (width, height, colors, 153 / 255.0);

  memory = buffer;
  add_mask (buffer, NULL, width, height);
  buffer = run (h, buffer);
  ck_assert_ptr_eq (buffer, memory);
  check_painted (&info, before, buffer, paint);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
  check_no_validation_messages ();
}
END_TEST

/* Mask in device memory, a box and rows with padding, twice: steady state. */
START_TEST (test_box_and_stride)
{
  static const guint32 colors[] = { 0xe69f00, 0x56b4e9, 0x009e73 };
  g_autoptr (FvDevice) device = fv_device_open (NULL, NULL);
  GstVideoInfo info = make_info (formats[_i], 65, 49);
  GstHarness *h =
      make_harness ("foveaoverlay draw=mask+boxes line-width=3", &info);
  g_autoptr (GstBuffer) before = make_frame (&info, 12);
  g_autoptr (GstFoveaProducer) producer = make_producer ();
  g_autofree Paint *paint = paint_mask (65, 49, colors, 128 / 255.0);

  ck_assert_ptr_nonnull (device);
  paint_box (paint, 65, 49, 20, 10, 30, 25, 3, colors[2]);
  for (guint i = 0; i < 2; i++) {
    GstBuffer *buffer = gst_buffer_copy_deep (before);
    add_mask (buffer, device, 65, 49);
    gst_fovea_buffer_add_detection (buffer, producer, PTS, 2, 0.5, 20, 10, 30,
        25, 65, 49);
    buffer = run (h, buffer);
    check_painted (&info, before, buffer, paint);
    gst_buffer_unref (buffer);
  }
  gst_harness_teardown (h);
  check_no_validation_messages ();
}
END_TEST

/* Colours and opacity that change between two frames hold from the next one on. */
START_TEST (test_changes)
{
  static const guint32 colors[2][3] = { { 0, 0x0080ff, 0xff4000 },
    { 0, 0x20c040, 0xc0c0ff } };
  GstVideoInfo info = make_info ("NV12", 64, 48);
  GstHarness *h = make_harness (
      "foveaoverlay alpha=0.6 palette=#000000,#0080ff,#ff4000", &info);
  GstElement *overlay = gst_harness_find_element (h, "foveaoverlay");
  g_autoptr (GstBuffer) before = make_frame (&info, 0);

  for (guint i = 0; i < 2; i++) {
    g_autofree Paint *paint =
        paint_mask (64, 48, colors[i], i ? 1 : 153 / 255.0);
    GstBuffer *buffer = gst_buffer_copy_deep (before);

    if (i)
      g_object_set (overlay, "alpha", 1.0, "palette", "#000000,#20c040,#c0c0ff",
          NULL);
    add_mask (buffer, NULL, 64, 48);
    buffer = run (h, buffer);
    check_painted (&info, before, buffer, paint);
    gst_buffer_unref (buffer);
  }
  gst_object_unref (overlay);
  gst_harness_teardown (h);
}
END_TEST

/* A picture that begins at an odd place of a larger frame. */
START_TEST (test_cut_out)
{
  static const guint32 colors[] = { 0, 0x0080ff, 0xff4000 };
  const guint x = 3, y = 5, width = 35, height = 23;
  GstVideoInfo all = make_info (formats[_i], x + width + 2, y + height + 4);
  GstVideoInfo info = make_info (formats[_i], width, height);
  GstHarness *h = make_harness (
      "foveaoverlay alpha=0.6 palette=#000000,#0080ff,#ff4000", &info);
  g_autoptr (GstBuffer) before = make_frame (&all, 4);
  g_autofree Paint *part = paint_mask (width, height, colors, 153 / 255.0);
  g_autofree Paint *paint = g_new0 (Paint, (gsize) all.width * all.height);
  GstBuffer *buffer = gst_buffer_copy_deep (before);
  GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta (buffer);

  crop->x = x;
  crop->y = y;
  crop->width = width;
  crop->height = height;
  for (guint v = 0; v < height; v++)
    memcpy (paint + (y + v) * all.width + x, part + v * width,
        width * sizeof *paint);
  add_mask (buffer, NULL, width, height);
  buffer = run (h, buffer);
  check_painted (&all, before, buffer, paint);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
  check_no_validation_messages ();
}
END_TEST

START_TEST (test_interlaced)
{
  static const guint32 colors[] = { 0, 0x0080ff, 0xff4000 };
  GstVideoInfo info = make_info (formats[_i], 37, 27);
  GstHarness *h;
  g_autoptr (GstBuffer) before = make_frame (&info, 0);
  g_autofree Paint *paint = paint_mask (37, 27, colors, 153 / 255.0);
  GstBuffer *buffer = gst_buffer_copy_deep (before);

  info.interlace_mode = GST_VIDEO_INTERLACE_MODE_INTERLEAVED;
  h = make_harness ("foveaoverlay alpha=0.6 palette=#000000,#0080ff,#ff4000",
      &info);
  add_mask (buffer, NULL, 37, 27);
  buffer = run (h, buffer);
  check_painted (&info, before, buffer, paint);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
  check_no_validation_messages ();
}
END_TEST

/* Nothing to draw: the very same buffer, though others hold it too. */
START_TEST (test_nothing)
{
  GstVideoInfo info = make_info ("NV12", 64, 48);
  GstHarness *h = make_harness ("foveaoverlay", &info);
  g_autoptr (GstBuffer) before = make_frame (&info, 0);
  GstBuffer *after;

  after = run (h, gst_buffer_ref (before));
  ck_assert_ptr_eq (after, before);
  gst_buffer_unref (after);
  gst_harness_teardown (h);
}
END_TEST

/* A frame that a tee's other branch shows too is not drawn on. */
START_TEST (test_shared_frame)
{
  static const guint32 colors[] = { 0xe69f00, 0x56b4e9, 0x009e73 };
  GstVideoInfo info = make_info ("I420", 64, 48);
  GstHarness *h = make_harness ("foveaoverlay", &info);
  g_autoptr (GstBuffer) noise = make_frame (&info, 0);
  g_autoptr (GstBuffer) before = gst_buffer_copy_deep (noise);
  g_autofree Paint *paint = paint_mask (64, 48, colors, 128 / 255.0);
  g_autofree Paint *clean = g_new0 (Paint, 64 * 48);
  GstBuffer *after;

  add_mask (before, NULL, 64, 48);
  after = run (h, gst_buffer_ref (before));
  ck_assert_ptr_ne (after, before);
  check_painted (&info, noise, before, clean);
  check_painted (&info, noise, after, paint);
  ck_assert_ptr_nonnull (gst_fovea_buffer_get_segmentation (after, NULL));
  gst_buffer_unref (after);
  gst_harness_teardown (h);
}
END_TEST

/* Results of another frame size, and of another source, are not drawn. */
START_TEST (test_not_ours)
{
  static const struct
  {
    const char *launch;
    guint width;
  } cases[] = { { "foveaoverlay", 32 }, { "foveaoverlay source=truth", 64 },
    { "foveaoverlay source=net1", 64 }, { "foveaoverlay draw=boxes", 64 },
    { "foveaoverlay alpha=0", 64 } };
  GstVideoInfo info = make_info ("RGB", 64, 48);
  GstHarness *h = make_harness (cases[_i].launch, &info);
  g_autoptr (GstBuffer) before = make_frame (&info, 0);
  GstBuffer *after = gst_buffer_copy_deep (before);
  g_autofree Paint *clean = g_new0 (Paint, 64 * 48);

  add_mask (after, NULL, cases[_i].width, 48);
  after = run (h, after);
  check_painted (&info, before, after, clean);
  gst_buffer_unref (after);
  gst_harness_teardown (h);
}
END_TEST

/* RGBA with what is drawn alone, from a format of another kind. */
START_TEST (test_transparent)
{
  GstVideoInfo info = make_info ("NV12", 65, 49);
  GstVideoInfo rgba = make_info ("RGBA", 65, 49);
  GstHarness *h = make_harness (
      "foveaoverlay background=transparent draw=mask+boxes line-width=1",
      &info);
  g_autoptr (GstFoveaProducer) producer = make_producer ();
  GstBuffer *buffer = make_frame (&info, 0);
  GstVideoFrame frame;

  add_mask (buffer, NULL, 65, 49);
  gst_fovea_buffer_add_detection (buffer, producer, PTS, 2, 0.5, 40, 4, 20, 10,
      65, 49);
  buffer = run (h, buffer);
  ck_assert_uint_eq (GST_BUFFER_PTS (buffer), PTS);
  ck_assert (gst_video_frame_map (&frame, &rgba, buffer, GST_MAP_READ));
  for (guint y = 0; y < 49; y++)
    for (guint x = 0; x < 65; x++) {
      const guint8 *p = (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&frame, 0)
          + y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0) + 4 * x;
      gboolean on_box = x >= 40 && x < 60 && y >= 4 && y < 14
          && (x == 40 || x == 59 || y == 4 || y == 13);
      guint id = id_at (x, y, 65, 49);
      guint32 want = on_box ? 0x009e73ff
          : id == 1         ? 0x56b4e980
          : id == 2         ? 0x009e7380
                            : 0;
      ck_assert_uint_eq (GST_READ_UINT32_BE (p), want);
    }
  gst_video_frame_unmap (&frame);
  gst_buffer_unref (buffer);

  /* nothing found: nothing there */
  buffer = run (h, make_frame (&info, 0));
  ck_assert_int_eq (
      gst_buffer_memcmp (buffer, 0, (guint8[65 * 49 * 4]){ 0 }, 65 * 49 * 4),
      0);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
  check_no_validation_messages ();
}
END_TEST

static Suite *
draw_suite (void)
{
  Suite *suite = suite_create ("draw");
  TCase *tcase = tcase_create ("overlay");

  tcase_set_timeout (tcase, 60);
  tcase_add_loop_test (tcase, test_mask, 0, N_CASES);
  tcase_add_loop_test (tcase, test_box_and_stride, 0, G_N_ELEMENTS (formats));
  tcase_add_loop_test (tcase, test_cut_out, 0, G_N_ELEMENTS (formats));
  tcase_add_loop_test (tcase, test_interlaced, 0, G_N_ELEMENTS (formats));
  tcase_add_test (tcase, test_changes);
  tcase_add_test (tcase, test_nothing);
  tcase_add_test (tcase, test_shared_frame);
  tcase_add_loop_test (tcase, test_not_ours, 0, 5);
  tcase_add_test (tcase, test_transparent);
  suite_add_tcase (suite, tcase);
  return suite;
}

int
main (int argc, char **argv)
{
  SRunner *runner;
  int failed;

  gst_init (&argc, &argv);
  runner = srunner_create (draw_suite ());
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed ? 1 : 0;
}
