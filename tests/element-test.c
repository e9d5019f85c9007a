/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <unistd.h>
#include "tests/element-test.h"
#include "gst/engine/device.h"

#include <glib/gstdio.h>

static char *folder;

char *
element_test_path (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

char *
element_test_write (const char *name, const char *text)
{
  char *path = element_test_path (name);

  ck_assert (g_file_set_contents (path, text, -1, NULL));
  return path;
}

GstCaps *
element_test_caps (const char *format, guint width, guint height)
{
  return gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, format,
      "width", G_TYPE_INT, (gint) width, "height", G_TYPE_INT, (gint) height,
      "framerate", GST_TYPE_FRACTION, 25, 1, NULL);
}

GstBuffer *
element_test_frame (GstCaps *caps, guint8 value, guint index)
{
  GstBuffer *buffer;
  GstVideoInfo info;

  ck_assert (gst_video_info_from_caps (&info, caps));
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_buffer_memset (buffer, 0, value, info.size);
  GST_BUFFER_PTS (buffer) = index * (GST_SECOND / 25);
  GST_BUFFER_DURATION (buffer) = GST_SECOND / 25;
  return buffer;
}

GstElement *
element_test_parse (const char *description)
{
  g_autoptr (GError) error = NULL;
  GstElement *element = gst_parse_launch (description, &error);

  ck_assert_msg (error == NULL, "%s", error ? error->message : "");
  return gst_object_ref_sink (element);
}

GstBuffer *
element_test_thirds (guint width, guint height, guint index)
{
  g_autoptr (GstCaps) caps = element_test_caps ("RGBA", width, height);
  GstBuffer *buffer = element_test_frame (caps, 0, index);
  GstMapInfo map;

  ck_assert (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  for (guint i = 0; i < width * height; i++) {
    map.data[4 * i + i % width * 3 / width] = 255;
    map.data[4 * i + 3] = 255;
  }
  gst_buffer_unmap (buffer, &map);
  return buffer;
}

GstHarness *
element_test_harness (const char *element, const char *path,
    const char *properties, GstCaps *caps)
{
  g_autofree char *line =
      g_strdup_printf ("%s model=\"%s\" %s", element, path, properties);
  g_autoptr (GstElement) made = element_test_parse (line);
  GstHarness *harness = gst_harness_new_with_element (made, "sink", "src");

  if (caps)
    gst_harness_set_src_caps (harness, gst_caps_ref (caps));
  return harness;
}

char *
element_test_run (const char *description, GQuark *domain, gint *code)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = element_test_parse (description);
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;
  char *text = NULL;

  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  ck_assert_msg (message != NULL, "neither EOS nor an error: %s", description);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    g_autofree char *debug = NULL;

    gst_message_parse_error (message, &error, &debug);
    text = g_strdup_printf ("%s (%s)", error->message, debug);
    if (domain)
      *domain = error->domain;
    if (code)
      *code = error->code;
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return text;
}

guint64
element_test_stat (GstElement *element, const char *name)
{
  GstStructure *stats = NULL;
  guint64 value = 0;
  guint small;

  g_object_get (element, "stats", &stats, NULL);
  ck_assert_ptr_nonnull (stats);
  if (gst_structure_get_uint (stats, name, &small))
    value = small;
  else
    ck_assert_msg (gst_structure_get_uint64 (stats, name, &value),
        "no %s in %s", name, gst_structure_get_name (stats));
  gst_structure_free (stats);
  return value;
}

static void
remove_folder (void)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree char *path = element_test_path (name);

    g_remove (path);
  }
  g_rmdir (folder);
  g_clear_pointer (&folder, g_free);
}

int
element_test_main (int *argc, char ***argv, Suite *suite)
{
  SRunner *runner = srunner_create (suite);
  guint64 messages;
  int failed;

  folder = g_dir_make_tmp ("fovea-elements-XXXXXX", NULL);
  g_assert_nonnull (folder);
  gst_init (argc, argv);
  /* one process: a Vulkan device does not survive a fork */
  srunner_set_fork_status (runner, CK_NOFORK);
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  remove_folder ();
  messages = fv_validation_messages ();
  if (messages > 0)
    g_printerr ("%" G_GUINT64_FORMAT " Vulkan validation messages\n", messages);
  /* What a failure left behind is no leak, and nothing is to wait for its tasks: the
   * failure is the last that a log has. */
  if (failed != 0) {
    fflush (NULL);
    _exit (EXIT_FAILURE);
  }
  gst_deinit ();
  return messages == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
