/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames in memory:VulkanImage: read and drawn on by the neighbours' device, with
 * no copy on the host, and with the results of frames in system memory. */
#include <string.h>
#include "tests/element-models.h"
#include "tests/element-test.h"

#define CAPS "width=64,height=48,framerate=25/1"

typedef struct
{
  GByteArray *frames; /* all that came out */
  char *path;
  guint64 uploaded, downloaded, inferred;
} Outcome;

static void
outcome_clear (Outcome *outcome)
{
  g_byte_array_unref (outcome->frames);
  g_free (outcome->path);
}

static void
take (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  Outcome *outcome = data;
  GstMapInfo map;

  ck_assert (gst_buffer_map (buffer, &map, GST_MAP_READ));
  g_byte_array_append (outcome->frames, map.data, (guint) map.size);
  gst_buffer_unmap (buffer, &map);
}

static void
read_stats (GstElement *net, Outcome *outcome)
{
  GstStructure *stats = NULL;

  g_object_get (net, "stats", &stats, NULL);
  outcome->path = g_strdup (gst_structure_get_string (stats, "path"));
  gst_structure_free (stats);
  outcome->uploaded = element_test_stat (net, "bytes-uploaded");
  outcome->downloaded = element_test_stat (net, "bytes-downloaded");
  outcome->inferred = element_test_stat (net, "inferred");
}

/* Runs "@line", in which "net" is the model's element and "sink" a fakesink. */
static void
run (const char *line, Outcome *outcome)
{
  g_autoptr (GstElement) pipeline = element_test_parse (line);
  g_autoptr (GstElement) net = gst_bin_get_by_name (GST_BIN (pipeline), "net");
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  memset (outcome, 0, sizeof *outcome);
  outcome->frames = g_byte_array_new ();
  g_object_set (sink, "signal-handoffs", TRUE, NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (take), outcome);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  ck_assert_ptr_nonnull (message);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    GError *error = NULL;
    char *debug = NULL;

    gst_message_parse_error (message, &error, &debug);
    ck_abort_msg ("%s: %s (%s)", line, error->message, debug);
  }
  gst_message_unref (message);
  read_stats (net, outcome);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

static void
assert_same (const Outcome *a, const Outcome *b)
{
  ck_assert_uint_gt (a->frames->len, 0);
  ck_assert_uint_eq (a->frames->len, b->frames->len);
  for (guint i = 0; i < a->frames->len; i++)
    ck_assert_msg (a->frames->data[i] == b->frames->data[i],
        "byte %u of %u is %u, expected %u", i, a->frames->len,
        a->frames->data[i], b->frames->data[i]);
}

/* Nothing is copied by the host, and what comes out is what comes out of system
 * memory. */
START_TEST (test_images)
{
  static const char *const formats[] = { "RGBA", "NV12", "BGRA" };
  g_autofree char *model = element_model_segment ("segment.onnx", FALSE);
  g_autofree char *net =
      g_strdup_printf ("foveasegment name=net model=%s ! foveaoverlay", model);
  g_autofree char *source = g_strdup_printf (
      "videotestsrc num-buffers=4 pattern=smpte75 ! video/x-raw,format=%s," CAPS,
      formats[_i]);
  g_autofree char *images = g_strdup_printf (
      "%s ! vulkanupload ! %s ! vulkandownload ! fakesink name=sink", source,
      net);
  g_autofree char *plain =
      g_strdup_printf ("%s ! %s ! fakesink name=sink", source, net);
  Outcome a, b;

  run (images, &a);
  ck_assert_msg (g_str_has_prefix (a.path, "vulkan-image/"), "%s", a.path);
  ck_assert_uint_eq (a.inferred, 4);
  ck_assert_uint_eq (a.uploaded, 0);
  /* how many boxes and classes there are, which is none */
  ck_assert_uint_lt (a.downloaded, 4 * 64);
  run (plain, &b);
  ck_assert_msg (g_str_has_prefix (b.path, "system-memory"), "%s", b.path);
  assert_same (&a, &b);
  outcome_clear (&a);
  outcome_clear (&b);
}
END_TEST

/* What is drawn on one branch is not seen on the other. */
START_TEST (test_tee)
{
  g_autofree char *model = element_model_segment ("segment.onnx", FALSE);
  g_autofree char *drawn = g_strdup_printf (
      "videotestsrc num-buffers=3 pattern=smpte75 ! video/x-raw,format=RGBA," CAPS
      " ! vulkanupload ! foveasegment name=net model=%s ! tee name=t "
      "t. ! queue ! foveaoverlay ! vulkandownload ! fakesink "
      "t. ! queue ! vulkandownload ! fakesink name=sink",
      model);
  g_autofree char *plain = g_strdup_printf (
      "videotestsrc num-buffers=3 pattern=smpte75 ! video/x-raw,format=RGBA," CAPS
      " ! foveasegment name=net model=%s ! fakesink name=sink",
      model);
  Outcome a, b;

  run (drawn, &a);
  run (plain, &b);
  assert_same (&a, &b);
  outcome_clear (&a);
  outcome_clear (&b);
}
END_TEST

/* One after the other, each with an instance and a device of its own. */
START_TEST (test_again)
{
  g_autofree char *model = element_model_depth ("depth.onnx");
  g_autofree char *line = g_strdup_printf (
      "videotestsrc num-buffers=2 ! video/x-raw,format=RGBA," CAPS
      " ! vulkanupload ! foveadepth name=net model=%s ! foveaoverlay "
      "! vulkandownload ! fakesink name=sink",
      model);

  for (guint i = 0; i < 4; i++) {
    Outcome outcome;

    run (line, &outcome);
    ck_assert_uint_eq (outcome.inferred, 2);
    outcome_clear (&outcome);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("element-images");
  TCase *tc = tcase_create ("images");

  tcase_set_timeout (tc, 120);
  tcase_add_loop_test (tc, test_images, 0, 3);
  tcase_add_test (tc, test_tee);
  tcase_add_test (tc, test_again);
  suite_add_tcase (suite, tc);
  return element_test_main (&argc, &argv, suite);
}
