/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/gstfoveaplanes.h"
#include "gst/video/gstfoveaimages.h"
#include "gst/video/gstfoveameta.h"

#include <string.h>

#define NO_COMPONENT 255u

gboolean
gst_fovea_planes_take (const GstVideoFormatInfo *format)
{
  g_auto (GStrv) names = g_strsplit_set (GST_FOVEA_VIDEO_FORMATS, "{, }", -1);

  return g_strv_contains ((const char *const *) names,
      GST_VIDEO_FORMAT_INFO_NAME (format));
}

guint
gst_fovea_planes_sample_bytes (const GstVideoFormatInfo *format)
{
  return GST_VIDEO_FORMAT_INFO_BITS (format) / 8;
}

guint
gst_fovea_planes_offset (const GstVideoFormatInfo *format, guint component)
{
  guint offset = (guint) GST_VIDEO_FORMAT_INFO_POFFSET (format, component);
  guint bytes = gst_fovea_planes_sample_bytes (format);

  return offset % bytes ? offset * bytes : offset;
}

/* Of four bytes of YUY2 the chroma ones cover both pixels, and the later luma one
 * belongs to the second. */
static void
add_component (GstFoveaPlaneLayout *layout, const GstVideoFormatInfo *format,
    guint component)
{
  guint step = (guint) GST_VIDEO_FORMAT_INFO_PSTRIDE (format, component);
  guint first = gst_fovea_planes_offset (format, component);
  guint n = gst_fovea_planes_sample_bytes (format);
  gboolean is_wide = GST_VIDEO_FORMAT_INFO_W_SUB (format, component) > 0;

  for (guint at = first; at < layout->group_bytes; at += step)
    for (guint k = at; k < at + n; k++) {
      layout->components &= ~(NO_COMPONENT << (8 * k));
      layout->components |= component << (8 * k);
      layout->wide |= (guint) is_wide << k;
      layout->second |= (guint) (at > first) << k;
    }
}

static void
describe_plane (GstFoveaPlaneLayout *layout, const GstVideoFormatInfo *format,
    guint plane)
{
  guint n = GST_VIDEO_FORMAT_INFO_N_COMPONENTS (format);

  *layout = (GstFoveaPlaneLayout){ .group_pixels = 1,
    .rows = 1,
    .components = G_MAXUINT32 };
  for (guint c = 0; c < n; c++) {
    guint bytes = (guint) GST_VIDEO_FORMAT_INFO_PSTRIDE (format, c);

    if (GST_VIDEO_FORMAT_INFO_PLANE (format, c) != plane)
      continue;
    layout->group_bytes = MAX (layout->group_bytes, bytes);
    layout->group_pixels = MAX (layout->group_pixels,
        1u << GST_VIDEO_FORMAT_INFO_W_SUB (format, c));
    layout->rows =
        MAX (layout->rows, 1u << GST_VIDEO_FORMAT_INFO_H_SUB (format, c));
  }
  for (guint c = 0; c < n; c++)
    if (GST_VIDEO_FORMAT_INFO_PLANE (format, c) == plane)
      add_component (layout, format, c);
}

guint
gst_fovea_planes_layout (const GstVideoInfo *info,
    GstFoveaPlaneLayout layouts[GST_VIDEO_MAX_PLANES], gsize *size)
{
  guint width = (guint) GST_VIDEO_INFO_WIDTH (info);
  guint height = (guint) GST_VIDEO_INFO_HEIGHT (info);
  guint n = GST_VIDEO_INFO_N_PLANES (info);

  *size = 0;
  if (!gst_fovea_planes_take (info->finfo))
    return 0;
  for (guint i = 0; i < n; i++) {
    GstFoveaPlaneLayout *layout = &layouts[i];

    describe_plane (layout, info->finfo, i);
    layout->row_bytes = (width + layout->group_pixels - 1)
        / layout->group_pixels * layout->group_bytes;
    layout->n_rows = (height + layout->rows - 1) / layout->rows;
    layout->offset = *size;
    layout->stride = GST_ROUND_UP_4 ((gsize) layout->row_bytes);
    *size += layout->stride * layout->n_rows;
  }
  return n;
}

static void
copy_rows (guint8 *to, gssize to_stride, const guint8 *from, gssize from_stride,
    guint row_bytes, guint n_rows)
{
  if (to_stride == from_stride && to_stride >= (gssize) row_bytes) {
    memcpy (to, from, (gsize) to_stride * (n_rows - 1) + row_bytes);
    return;
  }
  for (guint y = 0; y < n_rows; y++, to += to_stride, from += from_stride)
    memcpy (to, from, row_bytes);
}

/* Where pixel (@x, @y) lies in a plane of @frame. *@row_bytes: (out): bytes from
 * there that the row has of those wanted: some producers leave out the last byte of
 * packed 4:2:2 of odd width. */
static guint8 *
plane_at (const GstVideoFrame *frame, guint plane, guint x, guint y,
    const GstFoveaPlaneLayout *layout, guint *row_bytes)
{
  gssize stride = GST_VIDEO_FRAME_PLANE_STRIDE (frame, plane);
  gsize column = (gsize) x / layout->group_pixels * layout->group_bytes;
  guint8 *data = GST_VIDEO_FRAME_PLANE_DATA (frame, plane);

  *row_bytes = (guint) MIN (layout->row_bytes, (gsize) ABS (stride) - column);
  return data + (gssize) (y / layout->rows) * stride + column;
}

void
gst_fovea_planes_read (const GstVideoFrame *frame, guint x, guint y,
    const GstFoveaPlaneLayout *layouts, guint n, guint8 *memory)
{
  for (guint i = 0; i < n; i++) {
    guint bytes;
    const guint8 *from = plane_at (frame, i, x, y, &layouts[i], &bytes);

    copy_rows (memory + layouts[i].offset, (gssize) layouts[i].stride, from,
        GST_VIDEO_FRAME_PLANE_STRIDE (frame, i), bytes, layouts[i].n_rows);
  }
}

void
gst_fovea_planes_write (GstVideoFrame *frame, guint x, guint y,
    const GstFoveaPlaneLayout *layouts, guint n, const guint8 *memory)
{
  for (guint i = 0; i < n; i++) {
    guint bytes;
    guint8 *to = plane_at (frame, i, x, y, &layouts[i], &bytes);

    copy_rows (to, GST_VIDEO_FRAME_PLANE_STRIDE (frame, i),
        memory + layouts[i].offset, (gssize) layouts[i].stride, bytes,
        layouts[i].n_rows);
  }
}

GstBuffer *
gst_fovea_planes_make_plain (const GstVideoInfo *info, GstBuffer *buffer)
{
  GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  gboolean is_plain = TRUE;
  GstVideoFrame from, to;
  GstBuffer *copy;

  if (gst_fovea_images_are_in (buffer))
    return buffer;
  if (gst_buffer_get_video_crop_meta (buffer))
    return buffer; /* unasked for: whoever takes that takes a video meta too */
  for (guint i = 0; meta && i < meta->n_planes; i++)
    is_plain &= meta->stride[i] == info->stride[i]
        && meta->offset[i] == info->offset[i];
  if (is_plain)
    return buffer;
  copy = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (info), NULL);
  if (!gst_video_frame_map (&to, info, copy, GST_MAP_WRITE)) {
    gst_buffer_unref (copy);
    return buffer;
  }
  if (gst_video_frame_map (&from, info, buffer, GST_MAP_READ)) {
    gst_video_frame_copy (&to, &from);
    gst_video_frame_unmap (&from);
  }
  gst_video_frame_unmap (&to);
  /* all metas but the video meta, which goes with the memory */
  gst_buffer_copy_into (copy, buffer,
      GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS | GST_BUFFER_COPY_META,
      0, -1);
  gst_buffer_unref (buffer);
  return copy;
}
