/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Depth over the frame with its range, depth.comp. */
#include "gst/video/head-private.h"

#include <string.h>

static gboolean
prepare (GstFoveaHead *head, GError **error)
{
  const FvPort *port = gst_fovea_head_port (head, head->card->output, error);
  FvDispatch dispatch = { .kernel = "depth" };
  guint y_axis, x_axis;
  FvMapPush push;

  if (port == NULL
      || !gst_fovea_head_map_axes (head, port, -1, &y_axis, &x_axis, error)
      || !gst_fovea_head_make_map (head, GST_FOVEA_HEAD_MAP_F32,
          GST_FOVEA_HEAD_MAP_ALONE, error))
    return FALSE;
  head->copy_size = 2 * sizeof (guint32);
  head->work =
      fv_buffer_new (head->device, head->copy_size, FV_MEMORY_DEVICE, error);
  head->download =
      fv_buffer_new (head->device, head->copy_size, FV_MEMORY_DOWNLOAD, error);
  if (head->work == NULL || head->download == NULL)
    return FALSE;
  gst_fovea_head_map_push (head, port, y_axis, x_axis, -1, &push);
  push.a = head->card->depth_scale;
  push.b = head->card->depth_shift;
  gst_fovea_head_bind (&dispatch, port);
  gst_fovea_head_bind_raw (&dispatch, head->map.buffer, TRUE);
  gst_fovea_head_bind_raw (&dispatch, head->work, TRUE);
  fv_dispatch_push (&dispatch, &push, sizeof push);
  dispatch.bytes = head->map.size
      + (guint64) push.map_width * (guint64) push.map_height
          * fv_type_size (port->type);
  gst_fovea_head_fill (head, head->work, 0, 4, G_MAXUINT32);
  gst_fovea_head_fill (head, head->work, 4, 4, 0);
  gst_fovea_head_dispatch (head, &dispatch,
      (guint64) ((head->map.width + FV_DEPTH_BLOCK - 1) / FV_DEPTH_BLOCK)
          * ((head->map.height + FV_DEPTH_BLOCK - 1) / FV_DEPTH_BLOCK));
  return TRUE;
}

/* Undoes the order that the kernel gave to the bits of floats. */
static float
unordered (guint32 word)
{
  float value;

  word = word & 0x80000000u ? word & 0x7fffffffu : ~word;
  memcpy (&value, &word, sizeof value);
  return value;
}

static void
read_range (GstFoveaHead *head, GstFoveaResult *result)
{
  const guint32 *range = fv_buffer_map (head->download);

  if (range[0] > range[1]) /* there was no number */
    return;
  result->minimum = unordered (range[0]);
  result->maximum = unordered (range[1]);
}

const GstFoveaHeadClass gst_fovea_head_depth = {
  .prepare = prepare,
  .read = read_range,
};
