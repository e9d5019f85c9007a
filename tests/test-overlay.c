/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* foveaoverlay over several frames: depth, texts, properties, what is allocated. */
#include <math.h>
#include <string.h>
#include <check.h>
#include <gst/check/gstharness.h>
#include "gst/video/gstfoveadraw.h"
#include "gst/video/gstfoveamemory.h"
#include "gst/video/gstfoveaview.h"

static const char *labels[] = { "road", "person", "car", NULL };

static GstFoveaProducer *
make_producer (void)
{
  return gst_fovea_producer_new ("net0", "toy", "head", GST_FOVEA_ROLE_RESULT,
      labels);
}

static GstHarness *
make_harness (const char *launch, guint width, guint height)
{
  GstHarness *h = gst_harness_new_parse (launch);
  g_autofree char *caps =
      g_strdup_printf ("video/x-raw,format=RGBA,width=%u,height=%u,"
                       "framerate=25/1,interlace-mode=progressive",
          width, height);

  gst_harness_set_src_caps_str (h, caps);
  return h;
}

static GstBuffer *
make_frame (guint width, guint height, GstClockTime pts)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, width * height * 4, NULL);

  gst_buffer_memset (buffer, 0, 100, -1);
  GST_BUFFER_PTS (buffer) = pts;
  return buffer;
}

static GstBuffer *
run (GstHarness *h, GstBuffer *buffer)
{
  ck_assert_int_eq (gst_harness_push (h, buffer), GST_FLOW_OK);
  return gst_harness_pull (h);
}

/* Wavy depth with a hole, in @format, smaller than the frame. */
static GstFoveaPlane *
make_depth (GstFoveaPlaneFormat format, guint width, guint height)
{
  g_autoptr (GstFoveaProducer) producer = make_producer ();
  guint size = gst_fovea_plane_format_size (format);
  guint stride = GST_ROUND_UP_4 (width * size);
  guint8 *data = g_malloc0 (stride * height);

  for (guint y = 0; y < height; y++)
    for (guint x = 0; x < width; x++) {
      float value = x < 3 && y < 3 ? NAN : 2 + sinf (x * 0.3f) + 0.05f * y;
      guint8 *p = data + y * stride + x * size;
      if (format == GST_FOVEA_PLANE_F16)
        GST_WRITE_UINT16_LE (p, fv_f32_to_f16 (value));
      else
        GST_WRITE_FLOAT_LE (p, value);
    }
  return gst_fovea_plane_new (producer, 0, format, width, height, stride,
      gst_buffer_new_wrapped (data, stride * height));
}

/* Depth colours against the rows that the C code scales. */
START_TEST (test_depth)
{
  static const GstFoveaPlaneFormat formats[] = { GST_FOVEA_PLANE_F32,
    GST_FOVEA_PLANE_F16, GST_FOVEA_PLANE_F16, GST_FOVEA_PLANE_F32 };
  static const struct
  {
    guint width, height;
  } sizes[] = { { 20, 11 }, { 21, 12 }, { 45, 31 }, { 45, 31 } };
  const guint width = 45, height = 31;
  GstHarness *h =
      make_harness ("foveaoverlay background=transparent alpha=1 colormap=gray "
                    "depth-range=<0.8,5.0>",
          width, height);
  GstBuffer *buffer = make_frame (width, height, 0);
  g_autoptr (GstFoveaPlane) plane =
      make_depth (formats[_i], sizes[_i].width, sizes[_i].height);
  GstFoveaDepthMeta *meta = gst_fovea_buffer_add_depth (buffer, plane,
      GST_FOVEA_DEPTH_INVERSE, width, height);
  GstFoveaFrame position;
  GstFoveaView view;
  GstMapInfo map;
  float row[45];

  /* a part of the frame alone */
  meta->frame.region.x = 5;
  meta->frame.region.w -= 5;
  position = meta->frame;
  buffer = run (h, buffer);
  ck_assert (gst_fovea_view_map (&view, plane));
  gst_buffer_map (buffer, &map, GST_MAP_READ);
  for (guint y = 0; y < height; y++) {
    gst_fovea_view_row (&view, &position, y, TRUE, row);
    for (guint x = 0; x < width; x++) {
      const guint8 *p = map.data + 4 * (y * width + x);
      double t = CLAMP ((row[x] - 0.8) / 4.2, 0, 1);
      if (isnan (row[x])) {
        ck_assert_uint_eq (p[3], 0);
        continue;
      }
      ck_assert_uint_eq (p[3], 255);
      ck_assert_msg (fabs (p[0] - 255 * t) <= 1.01, "%u, %u: %u, expected %.2f",
          x, y, p[0], 255 * t);
    }
  }
  gst_buffer_unmap (buffer, &map);
  gst_fovea_view_unmap (&view);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
  ck_assert_uint_eq (fv_validation_messages (), 0);
}
END_TEST

/* What depth is at a place of the inset: 3 m, 7 m, unknown, each a third of it. */
static GstFoveaPlane *
make_thirds (void)
{
  g_autoptr (GstFoveaProducer) producer = make_producer ();
  float *values = g_new (float, 30 * 10);

  for (guint i = 0; i < 30 * 10; i++)
    values[i] = i % 30 < 10 ? 3 : i % 30 < 20 ? 7 : NAN;
  return gst_fovea_plane_new (producer, 0, GST_FOVEA_PLANE_F32, 30, 10, 120,
      gst_buffer_new_wrapped (values, 30 * 10 * 4));
}

#define BETWEEN G_MAXUINT32 /* two depths */

/* The colour @x, @y from the corner of an inset of 60 x 30; @other: beside it. */
static guint32
inset_at (gint x, gint y, guint32 other)
{
  if (x < -4 || y < -4 || x >= 64 || y >= 34)
    return other;
  if (x < 0 || y < 0 || x >= 60 || y >= 30)
    return 0xffffff;
  if (x == 19 || x == 20)
    return BETWEEN;
  return x < 20 ? 0xdfdfdf : x < 40 ? 0x606060 : 0x000000;
}

/* Depth as a small picture: opaque, over the boxes, with a line around it, and
 * nothing beside it but what is drawn there anyhow. */
START_TEST (test_depth_inset)
{
  static const struct
  {
    const char *corner;
    gint x, y;
  } cases[] = { { "top-left", 6, 6 }, { "top-right", 134, 6 },
    { "bottom-left", 6, 64 }, { "bottom-right", 134, 64 } };
  const guint width = 200, height = 100;
  g_autofree char *launch = g_strdup_printf (
      "foveaoverlay alpha=0.3 colormap=gray depth-range=<2.0,10.0> "
      "line-width=4 palette=#ff0000 draw=depth+boxes depth-inset=%s",
      cases[_i].corner);
  GstHarness *harness = make_harness (launch, width, height);
  GstBuffer *buffer = make_frame (width, height, 0);
  g_autoptr (GstFoveaProducer) producer = make_producer ();
  g_autoptr (GstFoveaPlane) plane = make_thirds ();
  GstMapInfo map;

  gst_fovea_buffer_add_depth (buffer, plane, GST_FOVEA_DEPTH_METRIC, width,
      height);
  gst_fovea_buffer_add_detection (buffer, producer, 0, 0, 0.5, 0, 0, width,
      height, width, height);
  buffer = run (harness, buffer);
  gst_buffer_map (buffer, &map, GST_MAP_READ);
  for (guint y = 0; y < height; y++)
    for (guint x = 0; x < width; x++) {
      guint32 rgb = GST_READ_UINT24_BE (map.data + 4 * (y * width + x));
      gboolean box = x < 4 || y < 4 || x >= width - 4 || y >= height - 4;
      guint32 expected = inset_at ((gint) x - cases[_i].x,
          (gint) y - cases[_i].y, box ? 0xff0000 : 0x646464);

      if (expected == BETWEEN)
        continue;
      ck_assert_msg (rgb == expected, "%s: %u, %u: %06x, expected %06x",
          cases[_i].corner, x, y, rgb, expected);
    }
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
  gst_harness_teardown (harness);
  ck_assert_uint_eq (fv_validation_messages (), 0);
}
END_TEST

/* A box has the colour of the mask's class of that name, whatever its own head
 * calls it. */
START_TEST (test_box_of_mask)
{
  static const char *things[] = { "car", "person", "lamp", NULL };
  static const guint32 expected[] = { 0x0000ff, 0x00ff00, 0x0000ff };
  g_autoptr (GstFoveaProducer) masks = make_producer ();
  g_autoptr (GstFoveaProducer) boxes = gst_fovea_producer_new ("net0", "toy",
      "boxes", GST_FOVEA_ROLE_RESULT, things);

  for (guint i = 0; i < G_N_ELEMENTS (expected); i++) {
    GstHarness *h = make_harness (
        "foveaoverlay line-width=2 palette=#ff0000,#00ff00,#0000ff", 64, 48);
    GstBuffer *buffer = make_frame (64, 48, 0);
    g_autoptr (GstFoveaPlane) map =
        gst_fovea_plane_new (masks, 0, GST_FOVEA_PLANE_U8, 4, 4, 4,
            gst_buffer_new_wrapped (g_malloc0 (16), 16));
    guint8 pixel[4];

    gst_fovea_buffer_add_segmentation (buffer, map, NULL, 3, -1, 64, 48);
    gst_fovea_buffer_add_detection (buffer, boxes, 0, i, 0, 10, 30, 20, 10, 64,
        48);
    buffer = run (h, buffer);
    gst_buffer_extract (buffer, 4 * (39 * 64 + 12), pixel, 4);
    ck_assert_uint_eq (GST_READ_UINT24_BE (pixel), expected[i]);
    gst_buffer_unref (buffer);
    gst_harness_teardown (h);
  }
}
END_TEST

static float
flat_depth_colour (GstHarness *h, float near, float far, GstClockTime pts)
{
  g_autoptr (GstFoveaProducer) producer = make_producer ();
  GstBuffer *buffer = make_frame (64, 36, pts);
  g_autofree float *values = g_new (float, 64 * 36);
  g_autoptr (GstFoveaPlane) plane = NULL;
  guint8 color;

  for (guint i = 0; i < 64 * 36; i++)
    values[i] = i % 64 < 32 ? near : far;
  plane = gst_fovea_plane_new (producer, pts, GST_FOVEA_PLANE_F32, 64, 36, 256,
      gst_buffer_new_memdup (values, 64 * 36 * 4));
  gst_fovea_buffer_add_depth (buffer, plane, GST_FOVEA_DEPTH_METRIC, 64, 36);
  buffer = run (h, buffer);
  gst_buffer_extract (buffer, 0, &color, 1);
  gst_buffer_unref (buffer);
  return color;
}

/* The range is that of the first frame at once, and follows slowly then, so that
 * colours do not flicker. */
START_TEST (test_depth_range_adapts)
{
  GstHarness *h = make_harness ("foveaoverlay alpha=1 colormap=gray", 64, 36);
  GstClockTime step = GST_SECOND / 25, pts = 0;
  float color, before;

  color = flat_depth_colour (h, 1, 5, pts);
  ck_assert_float_ge (color, 254); /* the nearest is white */
  /* the far part goes away to 9: 1 stays near, 5 would be grey in the end */
  before = color;
  for (guint i = 1; i <= 100; i++) {
    pts += step;
    color = flat_depth_colour (h, 3, 9, pts);
    if (i > 1)
      ck_assert_msg (fabsf (color - before) <= 12, "frame %u: %f after %f", i,
          color, before);
    before = color;
  }
  ck_assert_float_ge (color, 245); /* after 4 s 3 is the nearest */
  gst_harness_teardown (h);
}
END_TEST

START_TEST (test_range_alone)
{
  GstFoveaDepthRange range = { 0 }, fixed = { TRUE, 1, 2, FALSE, 0 };
  float values[100];

  for (guint i = 0; i < 100; i++)
    values[99 - i] = i < 50 ? i : NAN;
  gst_fovea_depth_range_adapt (&range, values, 10, 0);
  ck_assert (!range.is_known); /* too few */
  gst_fovea_depth_range_adapt (&range, values, 100, 0);
  ck_assert (range.is_known);
  ck_assert_double_eq (range.low, 1);
  ck_assert_double_eq (range.high, 48);
  for (guint i = 0; i < 100; i++)
    values[i] = 100 + i % 2;
  gst_fovea_depth_range_adapt (&range, values, 100, GST_SECOND / 10);
  ck_assert_double_gt (range.low, 5);
  ck_assert_double_lt (range.low, 15);
  gst_fovea_depth_range_adapt (&range, values, 100, 60 * GST_SECOND);
  ck_assert_double_eq (range.low, 100); /* a gap: at once */
  gst_fovea_depth_range_adapt (&fixed, values, 100, 0);
  ck_assert_double_eq (fixed.low, 1);
}
END_TEST

typedef struct
{
  guint rows, background, ink;
} Text;

/* What of @color and of @ink lies in the frame outside of the box's own lines. */
static Text
measure_text (GstBuffer *buffer, guint width, guint height, guint top,
    guint32 color, guint32 ink)
{
  Text text = { 0 };
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_READ);
  for (guint y = 0; y < top; y++) {
    guint before = text.background;
    for (guint x = 0; x < width; x++) {
      guint32 rgb = GST_READ_UINT24_BE (map.data + 4 * (y * width + x));
      text.background += rgb == color;
      text.ink += rgb == ink;
    }
    text.rows += text.background > before;
  }
  gst_buffer_unmap (buffer, &map);
  return text;
}

/* Labels grow with the frame, have a background of their box's colour, and ink. */
START_TEST (test_labels)
{
  static const struct
  {
    guint width, height, min_rows, max_rows;
  } cases[] = { { 640, 360, 14, 24 }, { 3840, 2160, 50, 90 } };
  guint width = cases[_i].width, height = cases[_i].height;
  guint top = height / 2;
  GstHarness *h = make_harness ("foveaoverlay", width, height);
  g_autoptr (GstFoveaProducer) producer = make_producer ();
  GstBuffer *buffer = make_frame (width, height, 0);
  Text text;

  gst_fovea_buffer_add_detection (buffer, producer, 0, 2, 0.876, width / 4, top,
      width / 4, height / 4, width, height);
  buffer = run (h, buffer);
  text = measure_text (buffer, width, height, top, 0x009e73, 0xffffff);
  ck_assert_uint_ge (text.rows, cases[_i].min_rows);
  ck_assert_uint_le (text.rows, cases[_i].max_rows);
  /* "car 0.88": strokes, not a blot and not a few dots */
  ck_assert_uint_gt (text.ink, text.background / 20);
  ck_assert_uint_lt (text.ink, text.background);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
}
END_TEST

/* A class of the frame: text in the corner, and no box around the frame. */
START_TEST (test_frame_class)
{
  GstHarness *h = make_harness ("foveaoverlay", 640, 360);
  g_autoptr (GstFoveaProducer) producer = make_producer ();
  GstBuffer *buffer = make_frame (640, 360, 0);
  GstMapInfo map;
  guint white = 0;

  gst_fovea_buffer_add_frame_class (buffer, producer, 0, 2, 0.5, 640, 360);
  buffer = run (h, buffer);
  gst_buffer_map (buffer, &map, GST_MAP_READ);
  for (guint y = 0; y < 360; y++)
    for (guint x = 0; x < 640; x++) {
      const guint8 *p = map.data + 4 * (y * 640 + x);
      if (x > 160 || y > 40)
        ck_assert_uint_eq (p[0], 100);
      else
        white += p[0] == 255;
    }
  ck_assert_uint_gt (white, 50);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
}
END_TEST

/* More boxes than anyone can look at; the best one still lies on top. */
START_TEST (test_many_boxes)
{
  GstHarness *h = make_harness (
      "foveaoverlay line-width=2 palette=#ff0000,#00ff00", 640, 360);
  g_autoptr (GstFoveaProducer) producer = make_producer ();
  GstBuffer *buffer = make_frame (640, 360, 0);
  guint8 pixel[4];

  gst_fovea_buffer_add_detection (buffer, producer, 0, 1, 0.99, 100, 100, 50,
      50, 640, 360);
  for (guint i = 0; i < 3000; i++)
    gst_fovea_buffer_add_detection (buffer, producer, 0, 0, 0.9 - i * 1e-4,
        (i * 37) % 600, (i * 53) % 330, 10 + i % 300, 10 + i % 200, 640, 360);
  buffer = run (h, buffer);
  gst_buffer_extract (buffer, 4 * (149 * 640 + 120), pixel, 4);
  ck_assert_uint_eq (GST_READ_UINT24_BE (pixel), 0x00ff00);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
}
END_TEST

/* Boxes below the threshold stay on the buffer, and are not drawn. */
START_TEST (test_threshold)
{
  static const double confidences[] = { 0.4, 0.5, 0 };
  static const guint32 expected[] = { 0x646464, 0xff0000, 0xff0000 };
  g_autoptr (GstFoveaProducer) producer = make_producer ();

  for (guint i = 0; i < G_N_ELEMENTS (confidences); i++) {
    GstHarness *h = make_harness (
        "foveaoverlay threshold=0.45 line-width=4 palette=#ff0000", 64, 48);
    GstBuffer *buffer = make_frame (64, 48, 0);
    guint8 pixel[4];

    gst_fovea_buffer_add_detection (buffer, producer, 0, 0, confidences[i], 10,
        30, 20, 10, 64, 48);
    buffer = run (h, buffer);
    gst_buffer_extract (buffer, 4 * (39 * 64 + 12), pixel, 4);
    ck_assert_uint_eq (GST_READ_UINT24_BE (pixel), expected[i]);
    gst_buffer_unref (buffer);
    gst_harness_teardown (h);
  }
}
END_TEST

/* Properties that may change while playing do so from the next frame on. */
START_TEST (test_changes_while_playing)
{
  GstHarness *h = make_harness (
      "foveaoverlay name=o line-width=4 alpha=1 palette=#ff0000", 64, 48);
  GstElement *overlay = gst_harness_find_element (h, "foveaoverlay");
  g_autoptr (GstFoveaProducer) producer = make_producer ();
  static const guint32 wanted[] = { 0xff0000, 0x0000ff, 0x646464, 0x646464 };

  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++) {
    GstBuffer *buffer = make_frame (64, 48, i * GST_SECOND);
    guint8 pixel[4];
    if (i == 1)
      g_object_set (overlay, "palette", "#0000ff", NULL);
    if (i == 2)
      gst_util_set_object_arg (G_OBJECT (overlay), "draw", "mask+depth");
    if (i == 3)
      g_object_set (overlay, "source", "net1", NULL);
    gst_fovea_buffer_add_detection (buffer, producer, 0, 0, 0.5, 10, 30, 20, 10,
        64, 48);
    buffer = run (h, buffer);
    gst_buffer_extract (buffer, 4 * (39 * 64 + 12), pixel, 4);
    ck_assert_uint_eq (GST_READ_UINT24_BE (pixel), wanted[i]);
    gst_buffer_unref (buffer);
  }
  gst_object_unref (overlay);
  gst_harness_teardown (h);
}
END_TEST

static void
count_warning (const char *domain, GLogLevelFlags level, const char *message,
    gpointer count)
{
  ck_assert (strstr (message, "palette") || strstr (message, "depth-range"));
  ++*(guint *) count;
}

/* A wrong value is refused with a warning, and the last good one stays. */
START_TEST (test_wrong_values)
{
  GstElement *overlay = gst_element_factory_make ("foveaoverlay", NULL);
  g_autofree char *palette = NULL;
  guint warnings = 0;
  guint handler;

  g_object_set (overlay, "palette", "#102030", NULL);
  handler = g_log_set_handler ("Fovea", G_LOG_LEVEL_WARNING, count_warning,
      &warnings);
  g_object_set (overlay, "palette", "#12345,red", NULL);
  g_object_set (overlay, "palette", "#102030,", NULL);
  gst_util_set_object_arg (G_OBJECT (overlay), "depth-range", "<3.0,2.0>");
  gst_util_set_object_arg (G_OBJECT (overlay), "depth-range", "<3.0>");
  g_log_remove_handler ("Fovea", handler);
  ck_assert_uint_eq (warnings, 4);
  g_object_get (overlay, "palette", &palette, NULL);
  ck_assert_str_eq (palette, "#102030");
  gst_object_unref (overlay);
}
END_TEST

/* Neither device memory nor recorded commands grow once maps have come round. */
START_TEST (test_steady_state)
{
  g_autoptr (FvDevice) device = fv_device_open (NULL, NULL);
  GstHarness *h = make_harness ("foveaoverlay", 128, 96);
  g_autoptr (GstFoveaProducer) producer = make_producer ();
  GstBufferPool *pool =
      gst_fovea_pool_new (device, 128 * 96, FV_MEMORY_DEVICE, 2, NULL);
  gboolean is_unmapped = g_strcmp0 (g_getenv ("FOVEA_UNMAPPED"), "1") == 0;
  FvDeviceCounters before, after;

  for (guint i = 0; i < 12; i++) {
    GstBuffer *buffer = make_frame (128, 96, i * GST_SECOND), *data = NULL;
    g_autoptr (GstFoveaPlane) plane = NULL;
    gst_buffer_pool_acquire_buffer (pool, &data, NULL);
    gst_buffer_memset (data, 0, i % 3, -1);
    plane = gst_fovea_plane_new (producer, 0, GST_FOVEA_PLANE_U8, 128, 96, 128,
        data);
    gst_fovea_buffer_add_segmentation (buffer, plane, NULL, 3, 0, 128, 96);
    g_clear_pointer (&plane, gst_fovea_plane_unref);
    gst_fovea_buffer_add_detection (buffer, producer, 0, 1, 0.5 + i * 0.01, 10,
        30, 20, 10, 128, 96);
    gst_buffer_unref (run (h, buffer));
    if (i == 3)
      fv_device_counters (device, &before);
  }
  fv_device_counters (device, &after);
  ck_assert_uint_eq (after.allocations, before.allocations);
  ck_assert_uint_eq (after.recorded_command_buffers,
      before.recorded_command_buffers);
  /* one a frame, and without mapped memory one more that brings the host's ids
   * up, which are not fetched first because they are known */
  ck_assert_uint_eq (after.submits - before.submits, is_unmapped ? 16 : 8);
  gst_harness_teardown (h);
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  ck_assert_uint_eq (fv_validation_messages (), 0);
}
END_TEST

/* No such device: an error that says so, and no hang. */
START_TEST (test_no_device)
{
  GstElement *overlay = gst_element_factory_make ("foveaoverlay", NULL);
  GstBus *bus = gst_bus_new ();
  g_autoptr (GError) error = NULL;
  GstMessage *message;

  gst_element_set_bus (overlay, bus);
  g_object_set (overlay, "device", "no such device", NULL);
  ck_assert_int_eq (gst_element_set_state (overlay, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  ck_assert_ptr_nonnull (message);
  gst_message_parse_error (message, &error, NULL);
  ck_assert (strstr (error->message, "no such device") != NULL);
  gst_message_unref (message);
  gst_element_set_state (overlay, GST_STATE_NULL);
  gst_element_set_bus (overlay, NULL);
  gst_object_unref (bus);
  gst_object_unref (overlay);
}
END_TEST

static Suite *
overlay_suite (void)
{
  Suite *suite = suite_create ("overlay");
  TCase *tcase = tcase_create ("overlay");

  tcase_set_timeout (tcase, 60);
  tcase_add_loop_test (tcase, test_depth, 0, 4);
  tcase_add_loop_test (tcase, test_depth_inset, 0, 4);
  tcase_add_test (tcase, test_box_of_mask);
  tcase_add_test (tcase, test_threshold);
  tcase_add_test (tcase, test_depth_range_adapts);
  tcase_add_test (tcase, test_range_alone);
  tcase_add_loop_test (tcase, test_labels, 0, 2);
  tcase_add_test (tcase, test_frame_class);
  tcase_add_test (tcase, test_many_boxes);
  tcase_add_test (tcase, test_changes_while_playing);
  tcase_add_test (tcase, test_wrong_values);
  tcase_add_test (tcase, test_steady_state);
  tcase_add_test (tcase, test_no_device);
  suite_add_tcase (suite, tcase);
  return suite;
}

int
main (int argc, char **argv)
{
  SRunner *runner;
  int failed;

  gst_init (&argc, &argv);
  runner = srunner_create (overlay_suite ());
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed ? 1 : 0;
}
