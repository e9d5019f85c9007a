/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include "gst/video/gstfoveaplanes.h"

/* group_bytes, group_pixels, wide, second, rows, components */
#define LUMA \
  { \
    1, 1, 0, 0, 1, 0 \
  }
#define CHROMA(component) \
  { \
    1, 2, 1, 0, 2, component \
  }
#define COMPONENTS(a, b, c, d) \
  ((guint32) (a) | (guint32) (b) << 8 | (guint32) (c) << 16 \
      | (guint32) (d) << 24)

static const struct
{
  GstVideoFormat format;
  GstFoveaPlaneLayout planes[3];
} formats[] = {
  { GST_VIDEO_FORMAT_NV12,
      { LUMA, { 2, 2, 3, 0, 2, COMPONENTS (1, 2, 0, 0) } } },
  { GST_VIDEO_FORMAT_I420, { LUMA, CHROMA (1), CHROMA (2) } },
  { GST_VIDEO_FORMAT_YV12, { LUMA, CHROMA (2), CHROMA (1) } },
  /* of four bytes the chroma ones cover both pixels, and the later luma one
   * belongs to the second */
  { GST_VIDEO_FORMAT_YUY2, { { 4, 2, 10, 4, 1, COMPONENTS (0, 1, 0, 2) } } },
  { GST_VIDEO_FORMAT_UYVY, { { 4, 2, 5, 8, 1, COMPONENTS (1, 0, 2, 0) } } },
  { GST_VIDEO_FORMAT_GRAY8, { LUMA } },
  { GST_VIDEO_FORMAT_RGB, { { 3, 1, 0, 0, 1, COMPONENTS (0, 1, 2, 0) } } },
  { GST_VIDEO_FORMAT_BGR, { { 3, 1, 0, 0, 1, COMPONENTS (2, 1, 0, 0) } } },
  { GST_VIDEO_FORMAT_RGBA, { { 4, 1, 0, 0, 1, COMPONENTS (0, 1, 2, 3) } } },
  { GST_VIDEO_FORMAT_BGRA, { { 4, 1, 0, 0, 1, COMPONENTS (2, 1, 0, 3) } } },
  { GST_VIDEO_FORMAT_RGBx, { { 4, 1, 0, 0, 1, COMPONENTS (0, 1, 2, 255) } } },
  { GST_VIDEO_FORMAT_BGRx, { { 4, 1, 0, 0, 1, COMPONENTS (2, 1, 0, 255) } } },
};

guint
gst_fovea_planes_layout (const GstVideoInfo *info,
    GstFoveaPlaneLayout layouts[GST_VIDEO_MAX_PLANES], gsize *size)
{
  guint width = GST_VIDEO_INFO_WIDTH (info);
  guint height = GST_VIDEO_INFO_HEIGHT (info);
  guint n = 0;

  *size = 0;
  for (guint f = 0; f < G_N_ELEMENTS (formats); f++) {
    if (formats[f].format != GST_VIDEO_INFO_FORMAT (info))
      continue;
    for (; n < 3 && formats[f].planes[n].group_bytes; n++) {
      GstFoveaPlaneLayout *layout = &layouts[n];
      *layout = formats[f].planes[n];
      layout->row_bytes = (width + layout->group_pixels - 1)
          / layout->group_pixels * layout->group_bytes;
      layout->n_rows = (height + layout->rows - 1) / layout->rows;
      layout->offset = *size;
      layout->stride = GST_ROUND_UP_4 (layout->row_bytes);
      *size += layout->stride * layout->n_rows;
    }
  }
  return n;
}

static void
copy_rows (guint8 *to, gssize to_stride, const guint8 *from, gssize from_stride,
    guint row_bytes, guint n_rows)
{
  if (to_stride == from_stride && to_stride >= (gssize) row_bytes) {
    memcpy (to, from, to_stride * (n_rows - 1) + row_bytes);
    return;
  }
  for (guint y = 0; y < n_rows; y++, to += to_stride, from += from_stride)
    memcpy (to, from, row_bytes);
}

/* Bytes of a row that the frame has: some producers leave out the last byte of
 * packed 4:2:2 of odd width. */
static guint
row_bytes (const GstVideoFrame *frame, const GstFoveaPlaneLayout *layout,
    guint plane)
{
  gint stride = ABS (GST_VIDEO_FRAME_PLANE_STRIDE (frame, plane));

  return MIN (layout->row_bytes, (guint) stride);
}

void
gst_fovea_planes_read (const GstVideoFrame *frame,
    const GstFoveaPlaneLayout *layouts, guint n, guint8 *memory)
{
  for (guint i = 0; i < n; i++)
    copy_rows (memory + layouts[i].offset, layouts[i].stride,
        GST_VIDEO_FRAME_PLANE_DATA (frame, i),
        GST_VIDEO_FRAME_PLANE_STRIDE (frame, i),
        row_bytes (frame, &layouts[i], i), layouts[i].n_rows);
}

void
gst_fovea_planes_write (GstVideoFrame *frame,
    const GstFoveaPlaneLayout *layouts, guint n, const guint8 *memory)
{
  for (guint i = 0; i < n; i++)
    copy_rows (GST_VIDEO_FRAME_PLANE_DATA (frame, i),
        GST_VIDEO_FRAME_PLANE_STRIDE (frame, i), memory + layouts[i].offset,
        layouts[i].stride, row_bytes (frame, &layouts[i], i),
        layouts[i].n_rows);
}
