/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a model is given: for each frame of raw RGB the input of the model in a
 * folder as the pipeline makes it on the device, in f32, its mean and std taken
 * back: FRAME.WIDTHxHEIGHT.input, rows of pixels of three floats, 0..255.
 *     print-input MODEL FRAME WIDTH HEIGHT [FRAME WIDTH HEIGHT ...] */
#include "gst/video/gstfoveaimport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_NS G_GUINT64_CONSTANT (60000000000)

static void
stop (const GError *error)
{
  fprintf (stderr, "print-input: %s\n", error ? error->message : "no error");
  exit (1);
}

/* Channels innermost, padded to four. */
static void
port_init (FvPort *port, FvDevice *device, const FvCardInput *input)
{
  gboolean is_nchw = input->layout == FV_LAYOUT_NCHW;
  gint64 w = input->width, h = input->height;
  GError *error = NULL;

  *port = (FvPort){ .name = input->name,
    .model_type = FV_TYPE_F32,
    .type = FV_TYPE_F32,
    .shape = { 4, { 1, is_nchw ? 3 : h, is_nchw ? h : w, is_nchw ? w : 3 } },
    .strides = { w * h * 4, is_nchw ? 1 : w * 4, is_nchw ? w * 4 : 4,
        is_nchw ? 4 : 1 },
    .buffer_size = (gsize) (w * h) * 16 };
  port->buffer =
      fv_buffer_new (device, port->buffer_size, FV_MEMORY_DOWNLOAD, &error);
  if (port->buffer == NULL)
    stop (error);
}

static void
run (FvDevice *device, GstFoveaImport *import, const GstVideoFrame *frame)
{
  g_autoptr (FvProgram) program = fv_program_new (device);
  GError *error = NULL;
  guint64 value = 0;

  gst_fovea_import_add (import, program);
  gst_fovea_import_upload (import, frame);
  if (!fv_program_finish (program, &error)
      || !fv_program_submit (&program, 1, &value, &error)
      || !fv_device_wait (device, value, WAIT_NS, &error))
    stop (error);
}

static void
write_input (const char *path, const FvCardInput *input, const FvPort *port)
{
  const float *from = fv_buffer_map (port->buffer);
  gsize n = (gsize) input->width * input->height;
  g_autofree float *to = g_new (float, 3 * n);
  GError *error = NULL;

  for (gsize i = 0; i < n; i++)
    for (guint c = 0; c < 3; c++) {
      guint at = input->channels == FV_CHANNELS_BGR ? 2 - c : c;
      to[3 * i + at] = (from[4 * i + c] * input->std[c] + input->mean[c]) * 255;
    }
  g_autofree char *name =
      g_strdup_printf ("%s.%ux%u.input", path, input->width, input->height);
  if (!g_file_set_contents (name, (const char *) to,
          (gssize) (3 * n * sizeof *to), &error))
    stop (error);
}

static void
print_frame (FvDevice *device, const char *model, const char *path, guint width,
    guint height)
{
  g_autoptr (GstFoveaImport) import = NULL;
  GError *error = NULL;
  g_autoptr (FvCard) card = fv_card_load (model, NULL, NULL, &error);
  g_autofree char *data = NULL;
  gsize size = 0;
  FvFrameMap map;
  FvPort port;
  GstVideoInfo info;
  GstVideoFrame frame;

  if (card == NULL || !g_file_get_contents (path, &data, &size, &error))
    stop (error);
  fv_card_choose_size (card, width, height);
  fv_frame_map_init (&map, &card->input, width, height);
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, width, height);
  info.stride[0] = (gint) (3 * width); /* as the file has it */
  info.size = (gsize) 3 * width * height;
  g_return_if_fail (size == info.size);
  port_init (&port, device, &card->input);
  import = gst_fovea_import_new (device, &info, NULL, NULL, &card->input, &port,
      &map, &error);
  if (import == NULL)
    stop (error);
  GstBuffer *buffer = gst_buffer_new_memdup (data, size);
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_FORMAT_RGB, width, height, 1, info.offset, info.stride);
  gst_video_frame_map (&frame, &info, buffer, GST_MAP_READ);
  run (device, import, &frame);
  gst_video_frame_unmap (&frame);
  gst_buffer_unref (buffer);
  write_input (path, &card->input, &port);
  fv_buffer_unref (port.buffer);
}

int
main (int argc, char **argv)
{
  GError *error = NULL;
  FvDevice *device;

  gst_init (&argc, &argv);
  if (argc < 5 || argc % 3 != 2) {
    fprintf (stderr, "usage: print-input MODEL FRAME WIDTH HEIGHT [...]\n");
    return 2;
  }
  device = fv_device_open (NULL, &error);
  if (device == NULL)
    stop (error);
  for (int i = 2; i < argc; i += 3)
    print_frame (device, argv[1], argv[i], (guint) atoi (argv[i + 1]),
        (guint) atoi (argv[i + 2]));
  fv_device_unref (device);
  return 0;
}
