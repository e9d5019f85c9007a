/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An application that reads masks: how much of each frame every class covers.
 *
 *   camera-app [MODEL [SOURCE]]
 *
 * A probe on the pad behind foveasegment sees each frame with its results, on the
 * pipeline's thread: nothing is copied but the mask, and only because this program
 * maps it. */
#include <gst/gst.h>
#include "gst/video/gstfoveameta.h"

#define SOURCE \
  "foveascenesrc is-live=true num-buffers=150 ! video/x-raw,framerate=10/1"

static void
count (const GstFoveaPlane *plane, const guint8 *data, gulong areas[256])
{
  for (guint y = 0; y < plane->height; y++)
    for (guint x = 0; x < plane->width; x++)
      areas[data[y * plane->stride + x]]++;
}

static void
tell (const GstFoveaPlane *plane, guint n_classes, const gulong areas[256])
{
  g_print ("%7.3f s", GST_TIME_AS_USECONDS (plane->pts) * 1e-6);
  for (guint i = 0; i < MIN (n_classes, 256); i++)
    if (areas[i] > 0)
      g_print (" %s %.1f %%", gst_fovea_producer_label (plane->producer, i),
          100.0 * areas[i] / ((gulong) plane->width * plane->height));
  g_print ("\n");
}

static GstPadProbeReturn
on_frame (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstFoveaSegmentationMeta *mask =
      gst_fovea_buffer_get_segmentation (buffer, NULL);
  gulong areas[256] = { 0 };
  GstMapInfo map;

  if (mask == NULL || mask->map->format != GST_FOVEA_PLANE_U8)
    return GST_PAD_PROBE_OK;
  if (gst_buffer_map (mask->map->data, &map, GST_MAP_READ)) {
    count (mask->map, map.data, areas);
    gst_buffer_unmap (mask->map->data, &map);
    tell (mask->map, mask->n_classes, areas);
  }
  return GST_PAD_PROBE_OK;
}

/* Waits for the end; FALSE when something failed. */
static gboolean
wait (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (bus,
      GST_CLOCK_TIME_NONE, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  g_autoptr (GError) error = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
    return TRUE;
  gst_message_parse_error (message, &error, NULL);
  g_printerr ("%s: %s\n", GST_MESSAGE_SRC_NAME (message), error->message);
  return FALSE;
}

int
main (int argc, char **argv)
{
  g_autofree char *launch = NULL;
  g_autoptr (GstElement) pipeline = NULL, net = NULL;
  g_autoptr (GstPad) pad = NULL;
  g_autoptr (GError) error = NULL;
  gboolean is_good;

  gst_init (&argc, &argv);
  launch = g_strdup_printf (
      "%s ! videoconvert ! foveasegment name=net ! fakesink sync=true",
      argc > 2 ? argv[2] : SOURCE);
  pipeline = gst_parse_launch (launch, &error);
  if (error != NULL) {
    g_printerr ("%s\n", error->message);
    return 1;
  }
  net = gst_bin_get_by_name (GST_BIN (pipeline), "net");
  g_object_set (net, "model", argc > 1 ? argv[1] : "scene-mit", NULL);
  pad = gst_element_get_static_pad (net, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_frame, NULL, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  is_good = wait (pipeline);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return is_good ? 0 : 1;
}
