/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* soak MODEL OTHER-MODEL [SECONDS]: a live camera for an hour (SECONDS, unless
 * $FOVEA_SOAK_SECONDS says another number), with changes of size, format, model and properties all the time. Prints what memory is held, of
 * the process and of the device, and fails where it grows or frames stop. */
#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>
#include "tests/storm-test.h"

#define BASE "video/x-raw,format=I420,width=640,height=360,framerate=30/1"
#define PERIODS 60
#define STEPS 10 /* in a period; behind the last one memory is looked at */
#define JUDGED 300 /* seconds from which on growth means something */
#define CHANCE (4 << 20) /* bytes of the process that vary */

typedef struct
{
  GstElement *pipeline, *caps, *net, *overlay;
  const char *models[2];
  double seconds;
  guint n_periods;
  GArray *resident, *device; /* gint64: bytes */
} Soak;

static void
set_caps (Soak *soak, const char *text)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);

  g_object_set (soak->caps, "caps", caps, NULL);
}

/* Each is taken back by the last one, but for what does not matter. */
static void
change (Soak *soak, guint step)
{
  switch (step) {
    case 0:
      set_caps (soak, "video/x-raw,format=NV12,width=640,height=360");
      break;
    case 1:
      g_object_set (soak->net, "threshold", 0.7, NULL);
      g_object_set (soak->overlay, "alpha", 0.3, NULL);
      break;
    case 2:
      set_caps (soak, "video/x-raw,format=YUY2,width=321,height=241");
      break;
    case 3:
      g_object_set (soak->net, "model", soak->models[1], NULL);
      break;
    case 4:
      gst_util_set_object_arg (G_OBJECT (soak->net), "sync-mode", "live");
      break;
    case 5:
      set_caps (soak, "video/x-raw,format=BGRx,width=1280,height=720");
      break;
    case 6:
      g_object_set (soak->net, "model", soak->models[0], "threshold", 0.0,
          NULL);
      break;
    case 7:
      gst_util_set_object_arg (G_OBJECT (soak->net), "sync-mode", "matched");
      g_object_set (soak->overlay, "alpha", 0.5, NULL);
      break;
    case 8:
      set_caps (soak, BASE);
      break;
    default:
      break;
  }
}

/* FALSE where one says that it is over. */
static gboolean
read_messages (Soak *soak)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (soak->pipeline);
  GstMessage *message;
  gboolean result = TRUE;

  while ((message = gst_bus_pop (bus))) {
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
      g_autoptr (GError) error = NULL;
      g_autofree char *debug = NULL;

      gst_message_parse_error (message, &error, &debug);
      g_printerr ("%s: %s (%s)\n", GST_MESSAGE_SRC_NAME (message),
          error->message, debug);
      result = FALSE;
    } else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_LATENCY) {
      gst_bin_recalculate_latency (GST_BIN (soak->pipeline));
    }
    gst_message_unref (message);
  }
  return result;
}

static gboolean
wait_until (Soak *soak, gint64 end)
{
  gint64 left;

  while ((left = end - g_get_monotonic_time ()) > 0) {
    if (!read_messages (soak))
      return FALSE;
    g_usleep ((gulong) MIN (left, 200000));
  }
  return TRUE;
}

static double
device_mebibytes (FvDevice *device)
{
  FvDeviceCounters counters;

  fv_device_counters (device, &counters);
  return (double) counters.allocated_bytes / 1048576.0;
}

/* How many frames wait inside, and so what is held, is by chance: what is to stay as
 * it is is looked at in READY, where they are gone. */
static void
look_in_ready (Soak *soak, FvDevice *device)
{
  gint64 resident, bytes;

  gst_element_set_state (soak->pipeline, GST_STATE_READY);
  resident = storm_resident ();
  bytes = (gint64) (device_mebibytes (device) * 1048576.0);
  g_array_append_val (soak->resident, resident);
  g_array_append_val (soak->device, bytes);
  g_print (" %.1f | %.2f |\n", resident / 1048576.0, bytes / 1048576.0);
  gst_element_set_state (soak->pipeline, GST_STATE_PLAYING);
}

/* A row of the table; FALSE where no frame came out since the last one. */
static gboolean
look (Soak *soak, FvDevice *device, guint period)
{
  static const char *const names[] = { "frames-in", "inferred", "skipped" };
  g_autoptr (GstStructure) stats = NULL;
  guint64 n_out = 0, n = 0;

  g_object_get (soak->net, "stats", &stats, NULL);
  g_print ("| %.3g |", (period + 1) * soak->seconds / soak->n_periods / 60);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    gst_structure_get_uint64 (stats, names[i], &n);
    g_print (" %" G_GUINT64_FORMAT " |", n);
  }
  g_print (" %.1f | %.1f |", storm_resident () / 1048576.0,
      device_mebibytes (device));
  look_in_ready (soak, device);
  gst_structure_get_uint64 (stats, "frames-out", &n_out);
  if (n_out == 0)
    g_printerr ("no frame came out in period %u\n", period);
  return n_out > 0;
}

static gboolean
play (Soak *soak, FvDevice *device)
{
  gint64 start = g_get_monotonic_time ();
  double step = soak->seconds / soak->n_periods / STEPS * G_USEC_PER_SEC;

  g_print (
      "| minute | frames in | inferred | skipped | process, playing, MiB | "
      "device, playing, MiB | process, READY, MiB | device, READY, MiB |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- |\n");
  for (guint i = 0; i < soak->n_periods * STEPS; i++) {
    change (soak, i % STEPS);
    if (!wait_until (soak, start + (gint64) ((i + 1) * step)))
      return FALSE;
    if (i % STEPS == STEPS - 1 && !look (soak, device, i / STEPS))
      return FALSE;
  }
  return TRUE;
}

/* By medians: now and then a model is late, and the other one is there still. */
static gboolean
judge (Soak *soak)
{
  gint64 grown = storm_growth (soak->resident);
  gint64 device_grown = storm_growth (soak->device);

  g_print ("\n%.0f s: between the second and the last fifth, in READY, the "
           "process grew by %.0f KiB and the device by %.0f KiB.\n",
      soak->seconds, grown / 1024.0, device_grown / 1024.0);
  return soak->seconds < JUDGED || (grown <= CHANCE && device_grown <= 0);
}

static GstElement *
make_pipeline (Soak *soak)
{
  g_autofree char *line = g_strdup_printf (
      "videotestsrc is-live=true pattern=ball ! capsfilter name=caps "
      "caps-change-mode=delayed caps=" BASE
      " ! foveasegment name=net model=\"%s\" ! foveaoverlay name=overlay ! "
      "fakesink sync=true",
      soak->models[0]);
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (line, &error);

  if (error)
    g_printerr ("%s\n", error->message);
  return pipeline ? gst_object_ref_sink (pipeline) : NULL;
}

static gboolean
run (Soak *soak, FvDevice *device)
{
  gboolean is_ok;

  soak->caps = gst_bin_get_by_name (GST_BIN (soak->pipeline), "caps");
  soak->net = gst_bin_get_by_name (GST_BIN (soak->pipeline), "net");
  soak->overlay = gst_bin_get_by_name (GST_BIN (soak->pipeline), "overlay");
  soak->resident = g_array_new (FALSE, FALSE, sizeof (gint64));
  soak->device = g_array_new (FALSE, FALSE, sizeof (gint64));
  gst_element_set_state (soak->pipeline, GST_STATE_PLAYING);
  is_ok = play (soak, device) && judge (soak);
  gst_element_set_state (soak->pipeline, GST_STATE_NULL);
  gst_object_unref (soak->caps);
  gst_object_unref (soak->net);
  gst_object_unref (soak->overlay);
  g_array_unref (soak->resident);
  g_array_unref (soak->device);
  return is_ok && fv_validation_messages () == 0;
}

static double
seconds (int argc, char **argv)
{
  const char *text = g_getenv ("FOVEA_SOAK_SECONDS");

  if (text == NULL && argc > 3)
    text = argv[3];
  return text ? g_ascii_strtod (text, NULL) : 3600;
}

int
main (int argc, char **argv)
{
  g_autoptr (FvDevice) device = fv_device_open (NULL, NULL);
  Soak soak = { 0 };
  gboolean is_ok;

  setvbuf (stdout, NULL, _IOLBF, 0);
  gst_init (&argc, &argv);
  soak.seconds = seconds (argc, argv);
  if (argc < 3 || device == NULL || soak.seconds <= 0) {
    g_printerr (
        "usage: soak MODEL OTHER-MODEL [SECONDS], with a Vulkan device\n");
    return argc >= 3 && device == NULL ? 77 : 2;
  }
  soak.models[0] = argv[1];
  soak.models[1] = argv[2];
  soak.n_periods = (guint) CLAMP (soak.seconds / 8, 1, PERIODS);
  soak.pipeline = make_pipeline (&soak);
  is_ok = soak.pipeline && run (&soak, device);
  g_print ("%s\n", is_ok ? "passed" : "FAILED");
  g_clear_pointer (&soak.pipeline, gst_object_unref);
  return is_ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
