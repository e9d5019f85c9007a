/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How frames come to the device: read where they lie, in our pool or in the host's
 * pages, or copied; the results are the same. */
#include <stdlib.h>
#include <string.h>
#include "tests/element-models.h"
#include "tests/element-test.h"

#define PAGE 4096

static char *
get_path (GstElement *element)
{
  GstStructure *stats = NULL;
  char *path;

  g_object_get (element, "stats", &stats, NULL);
  path = g_strdup (gst_structure_get_string (stats, "path"));
  gst_structure_free (stats);
  return path;
}

static void
assert_path (GstElement *element, const char *expected)
{
  g_autofree char *path = get_path (element);

  ck_assert_msg (g_str_has_prefix (path, expected), "%s, expected %s", path,
      expected);
}

/* The depth model's map of @buffer: means of the colours. */
static void
read_depth (GstBuffer *buffer, GByteArray *values)
{
  GstFoveaDepthMeta *depth = gst_fovea_buffer_get_depth (buffer, NULL);
  GstMapInfo map;

  ck_assert_ptr_nonnull (depth);
  ck_assert (gst_buffer_map (depth->map->data, &map, GST_MAP_READ));
  g_byte_array_set_size (values, 0);
  for (guint y = 0; y < depth->map->height; y++)
    g_byte_array_append (values, map.data + y * depth->map->stride,
        depth->map->width * 4);
  gst_buffer_unmap (depth->map->data, &map);
}

/* Bytes of a frame, in memory that begins with a page. @skip: of them, before the
 * frame. (transfer full) */
static GstBuffer *
aligned_frame (GstCaps *caps, gsize skip)
{
  gpointer memory = NULL;
  GstBuffer *buffer;
  GstVideoInfo info;
  gsize size;

  ck_assert (gst_video_info_from_caps (&info, caps));
  size = GST_VIDEO_INFO_SIZE (&info);
  ck_assert_int_eq (posix_memalign (&memory, PAGE, size + skip), 0);
  for (gsize i = 0; i < size; i++)
    ((guint8 *) memory)[skip + i] = (guint8) (37 * i + i / 501);
  buffer = gst_buffer_new_wrapped_full (0, memory, size + skip, skip, size,
      memory, free);
  return buffer;
}

/* The same buffer so often, each time with another timestamp; the last result. */
static void
push_again (GstHarness *harness, GstBuffer *frame, guint n, GByteArray *values)
{
  for (guint i = 0; i < n; i++) {
    GstBuffer *buffer = gst_buffer_copy (frame);

    GST_BUFFER_PTS (buffer) = i * GST_SECOND / 25;
    ck_assert_int_eq (gst_harness_push (harness, buffer), GST_FLOW_OK);
    buffer = gst_harness_pull (harness);
    ck_assert_ptr_nonnull (buffer);
    read_depth (buffer, values);
    gst_buffer_unref (buffer);
  }
}

static const char *const formats[] = { "RGBA", "RGB", "NV12", "I420", "YUY2",
  "P010_10LE", "GRAY8" };
static const guint sizes[][2] = { { 64, 48 }, { 37, 21 } };

/* Memory that comes again is imported then; one that does not begin with a page is
 * copied each time, and both give the same. */
START_TEST (test_import)
{
  const guint *size = sizes[(guint) _i % G_N_ELEMENTS (sizes)];
  const char *format = formats[_i];
  g_autofree char *model = element_model_depth ("depth.onnx");
  g_autoptr (GstCaps) caps = element_test_caps (format, size[0], size[1]);
  g_autoptr (GByteArray) copied = g_byte_array_new ();
  g_autoptr (GByteArray) imported = g_byte_array_new ();
  GstHarness *harness = element_test_harness ("foveadepth", model, "", caps);
  GstBuffer *frame = aligned_frame (caps, 0), *other = aligned_frame (caps, 20);
  guint64 before, after;

  push_again (harness, other, 3, copied);
  assert_path (harness->element, "system-memory-copied");
  before = element_test_stat (harness->element, "bytes-uploaded");
  ck_assert_uint_gt (before, 0);
  push_again (harness, frame, 3, imported);
  assert_path (harness->element, "system-memory-imported");
  after = element_test_stat (harness->element, "bytes-uploaded");
  ck_assert_uint_eq (after, before / 3 * 4);
  ck_assert_uint_eq (copied->len, imported->len);
  ck_assert_int_eq (memcmp (copied->data, imported->data, copied->len), 0);
  gst_buffer_unref (frame);
  gst_buffer_unref (other);
  gst_harness_teardown (harness);
}
END_TEST

/* A new memory at an old address is not the old one. */
START_TEST (test_import_again)
{
  g_autofree char *model = element_model_depth ("depth.onnx");
  g_autoptr (GstCaps) caps = element_test_caps ("RGBA", 64, 48);
  g_autoptr (GByteArray) values = g_byte_array_new ();
  GstHarness *harness = element_test_harness ("foveadepth", model, "", caps);
  gpointer memory = NULL;

  ck_assert_int_eq (posix_memalign (&memory, PAGE, 64 * 48 * 4), 0);
  for (guint i = 0; i < 40; i++) {
    GstBuffer *frame = gst_buffer_new_wrapped_full (0, memory, 64 * 48 * 4, 0,
        64 * 48 * 4, NULL, NULL);

    memset (memory, (int) i, 64 * 48 * 4);
    push_again (harness, frame, 2, values);
    ck_assert_float_eq_tol (*(float *) (gpointer) values->data,
        (float) i / 255.0f, 1e-5);
    gst_buffer_unref (frame);
  }
  assert_path (harness->element, "system-memory-imported");
  gst_harness_teardown (harness);
  free (memory);
}
END_TEST

typedef struct
{
  GByteArray *values;
  guint n;
  gint is_ours; /* frames in device memory */
} Seen;

static GstPadProbeReturn
see (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  Seen *seen = data;

  read_depth (buffer, seen->values);
  seen->n++;
  seen->is_ours +=
      gst_memory_is_type (gst_buffer_peek_memory (buffer, 0), "FoveaMemory");
  return GST_PAD_PROBE_OK;
}

/* "videotestsrc ! @caps ! foveadepth ! @rest" until its end. @path: (out) */
static void
run_source (const char *caps, const char *rest, Seen *seen, char **path,
    guint64 *uploaded)
{
  g_autofree char *model = element_model_depth ("depth.onnx");
  g_autofree char *line = g_strdup_printf (
      "videotestsrc num-buffers=6 pattern=smpte ! video/x-raw,%s "
      "! foveadepth name=net model=%s ! %s",
      caps, model, rest);
  g_autoptr (GstElement) pipeline = element_test_parse (line);
  g_autoptr (GstElement) net = gst_bin_get_by_name (GST_BIN (pipeline), "net");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (net, "src");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  seen->values = g_byte_array_new ();
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, see, seen, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  ck_assert_ptr_nonnull (message);
  ck_assert_int_eq (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
  gst_message_unref (message);
  *path = get_path (net);
  *uploaded = element_test_stat (net, "bytes-uploaded");
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* A source that takes the pool writes where the device reads; behind one that does
 * not, frames are copied, and the same comes out. */
START_TEST (test_pool)
{
  static const char *const caps[] = { "format=RGBA,width=64,height=48",
    "format=NV12,width=64,height=48", "format=I420,width=38,height=22" };
  g_autofree char *copy_caps =
      g_strconcat (caps[_i], " ! identity drop-allocation=true", NULL);
  g_autofree char *ours = NULL, *theirs = NULL;
  Seen pool = { 0 }, copy = { 0 };
  guint64 uploaded;

  run_source (caps[_i], "videoconvert ! fakesink", &pool, &ours, &uploaded);
  ck_assert_msg (g_str_has_prefix (ours, "system-memory-pool/"), "%s", ours);
  ck_assert_uint_eq (uploaded, 0);
  ck_assert_uint_eq (pool.n, 6);
  ck_assert_int_eq (pool.is_ours, 6);
  run_source (copy_caps, "fakesink", &copy, &theirs, &uploaded);
  ck_assert_msg (g_str_has_prefix (theirs, "system-memory-copied/"), "%s",
      theirs);
  ck_assert_uint_gt (uploaded, 0);
  ck_assert_int_eq (copy.is_ours, 0);
  ck_assert_uint_eq (pool.values->len, copy.values->len);
  ck_assert_int_eq (
      memcmp (pool.values->data, copy.values->data, copy.values->len), 0);
  g_byte_array_unref (pool.values);
  g_byte_array_unref (copy.values);
}
END_TEST

/* Two models in a row read the same frames. */
START_TEST (test_pool_shared)
{
  g_autofree char *model = element_model_depth ("depth.onnx");
  g_autofree char *path = NULL;
  g_autofree char *rest = g_strdup_printf (
      "tee name=t ! queue ! foveadepth model=%s ! fakesink "
      "t. ! queue ! videoscale ! video/x-raw,width=20 ! fakesink",
      model);
  Seen seen = { 0 };
  guint64 uploaded;

  run_source ("format=NV12,width=64,height=48", rest, &seen, &path, &uploaded);
  ck_assert_uint_eq (seen.n, 6);
  g_byte_array_unref (seen.values);
}
END_TEST

/* ---- drawn on in place ---- */

/* Bytes of a row of a plane, without those that no pixel has. */
static guint
row_bytes (const GstVideoFrame *frame, guint plane)
{
  gint bytes = 0;

  for (guint i = 0; i < GST_VIDEO_FRAME_N_COMPONENTS (frame); i++)
    if (GST_VIDEO_FRAME_COMP_PLANE (frame, i) == plane)
      bytes = MAX (bytes,
          GST_VIDEO_FRAME_COMP_WIDTH (frame, i)
              * GST_VIDEO_FRAME_COMP_PSTRIDE (frame, i));
  return (guint) bytes;
}

static void
take_pixels (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  GstVideoFrame frame;
  GstVideoInfo info;

  ck_assert (gst_video_info_from_caps (&info, caps));
  ck_assert (gst_video_frame_map (&frame, &info, buffer, GST_MAP_READ));
  for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES (&frame); i++)
    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&frame, i); y++)
      g_byte_array_append (data,
          (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&frame, i)
              + y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, i),
          row_bytes (&frame, i));
  gst_video_frame_unmap (&frame);
}

/* (transfer full): the pixels of all frames that reach "sink" */
static GByteArray *
run_drawn (const char *caps, const char *before, const char *behind)
{
  g_autofree char *model = element_model_depth ("depth.onnx");
  g_autofree char *line = g_strdup_printf (
      "videotestsrc num-buffers=6 pattern=smpte ! video/x-raw,%s %s "
      "! foveadepth model=%s ! %s fakesink name=sink signal-handoffs=true",
      caps, before, model, behind);
  g_autoptr (GstElement) pipeline = element_test_parse (line);
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  GByteArray *pixels = g_byte_array_new ();
  GstMessage *message;

  g_signal_connect (sink, "handoff", G_CALLBACK (take_pixels), pixels);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  ck_assert_ptr_nonnull (message);
  ck_assert_int_eq (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return pixels;
}

static gboolean
equal (const GByteArray *a, const GByteArray *b)
{
  ck_assert_uint_gt (a->len, 0);
  ck_assert_uint_eq (a->len, b->len);
  return memcmp (a->data, b->data, a->len) == 0;
}

/* What is drawn on the pool's frames, in place, is what is drawn on copies of others,
 * and what another branch sees of the same frames is not drawn on. */
START_TEST (test_drawn)
{
  static const char *const caps[] = { "format=RGBA,width=64,height=48",
    "format=NV12,width=64,height=48", "format=I420,width=38,height=22",
    "format=YUY2,width=62,height=20" };
  const char *copied = "! identity drop-allocation=true";
  g_autoptr (GByteArray) in_place = run_drawn (caps[_i], "", "foveaoverlay ! ");
  g_autoptr (GByteArray) copies =
      run_drawn (caps[_i], copied, "foveaoverlay ! ");
  g_autoptr (GByteArray) plain = run_drawn (caps[_i], copied, "");
  g_autoptr (GByteArray) other = run_drawn (caps[_i], "",
      "tee name=t ! queue ! foveaoverlay ! fakesink t. ! queue ! ");

  ck_assert (equal (in_place, copies));
  ck_assert (!equal (in_place, plain));
  ck_assert (equal (other, plain));
}
END_TEST

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("element-memory");
  TCase *tc = tcase_create ("memory");

  tcase_set_timeout (tc, 120);
  tcase_add_loop_test (tc, test_import, 0, G_N_ELEMENTS (formats));
  tcase_add_test (tc, test_import_again);
  suite_add_tcase (suite, tc);
  tc = tcase_create ("pool");
  tcase_set_timeout (tc, 120);
  tcase_add_loop_test (tc, test_pool, 0, 3);
  tcase_add_test (tc, test_pool_shared);
  tcase_add_loop_test (tc, test_drawn, 0, 4);
  suite_add_tcase (suite, tc);
  return element_test_main (&argc, &argv, suite);
}
