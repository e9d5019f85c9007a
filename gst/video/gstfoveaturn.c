/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/gstfoveaturn.h"
#include "shaders/heads.h"
#include "shaders/import.h"

#include <math.h>
#include <string.h>

#define LOCAL 64
#define ALIGN(bytes) (((bytes) + 255) & ~(gsize) 255)

static guint
element_bytes (GstFoveaHeadMapFormat format)
{
  return format == GST_FOVEA_HEAD_MAP_U8 ? 1
      : format == GST_FOVEA_HEAD_MAP_U16 ? 2
                                         : 4;
}

/* A plane of the map: from byte @from on, in rows of @from_row, to byte @at. */
static void
add_plane (FvProgram *program, guint turn, const GstFoveaHeadMap *map,
    gsize from, gsize from_row, const GstFoveaHeadMap *result, gsize at,
    guint bytes)
{
  FvDispatch dispatch = { .kernel = "turn",
    .label = "map as the frame is stored" };
  gsize row = (result->width * (gsize) bytes + 3) / 4;
  FvTurnPush push = { .width = (fv_int) result->width,
    .height = (fv_int) result->height,
    .from = (fv_int) (from / 4),
    .from_row = (fv_int) (from_row / 4),
    .to = (fv_int) (at / 4),
    .to_row = (fv_int) row };

  fv_dispatch_bind (&dispatch, map->buffer, 0, fv_buffer_size (map->buffer),
      FV_BIND_RAW_READ, FV_TYPE_NONE);
  fv_dispatch_bind (&dispatch, result->buffer, 0,
      fv_buffer_size (result->buffer), FV_BIND_RAW_WRITE, FV_TYPE_NONE);
  fv_dispatch_spec (&dispatch, FV_SPEC_LOCAL, LOCAL);
  fv_dispatch_spec (&dispatch, FV_TURN_SPEC_BYTES, (gint) bytes);
  fv_dispatch_spec (&dispatch, FV_TURN_SPEC_SWAP, (turn & FV_FRAME_SWAP) != 0);
  fv_dispatch_spec (&dispatch, FV_TURN_SPEC_MIRROR_X,
      (turn & FV_FRAME_MIRROR_X) != 0);
  fv_dispatch_spec (&dispatch, FV_TURN_SPEC_MIRROR_Y,
      (turn & FV_FRAME_MIRROR_Y) != 0);
  fv_dispatch_push (&dispatch, &push, sizeof push);
  dispatch.groups[0] = (guint) ((row + LOCAL - 1) / LOCAL);
  dispatch.groups[1] = result->height;
  dispatch.groups[2] = 1;
  fv_program_dispatch (program, &dispatch);
}

gboolean
gst_fovea_turn_map (FvDevice *device, FvProgram *program, guint turn,
    const GstFoveaHeadMap *from, GstFoveaHeadMap *to, GError **error)
{
  gboolean is_swapped = (turn & FV_FRAME_SWAP) != 0;
  guint bytes = element_bytes (from->format);
  gsize end;

  *to = *from;
  to->width = is_swapped ? from->height : from->width;
  to->height = is_swapped ? from->width : from->height;
  to->stride = ((gsize) to->width * bytes + 3) & ~(gsize) 3;
  to->instance_stride =
      from->instances ? ((gsize) to->width + 3) & ~(gsize) 3 : 0;
  to->size = to->stride * to->height;
  end = ALIGN (to->size);
  to->matte = from->matte ? end : 0;
  end += from->matte ? ALIGN (to->size) : 0;
  to->instances = from->instances ? end : 0;
  end += to->instance_stride * to->height;
  to->buffer = fv_buffer_new (device, end, FV_MEMORY_DEVICE, error);
  if (to->buffer == NULL)
    return FALSE;
  add_plane (program, turn, from, 0, from->stride, to, 0, bytes);
  if (from->matte)
    add_plane (program, turn, from, from->matte, from->stride, to, to->matte,
        1);
  if (from->instances)
    add_plane (program, turn, from, from->instances, from->instance_stride, to,
        to->instances, 1);
  return TRUE;
}

void
gst_fovea_turn_box (guint turn, guint width, guint height, GstFoveaBox *box)
{
  GstFoveaBox b = *box;

  if (turn & FV_FRAME_SWAP) {
    box->x = b.y;
    box->y = b.x;
    box->width = b.height;
    box->height = b.width;
  }
  if (turn & FV_FRAME_MIRROR_X)
    box->x = (float) width - box->x - box->width;
  if (turn & FV_FRAME_MIRROR_Y)
    box->y = (float) height - box->y - box->height;
}

/* What the upper left of the meta's matrix (columns first, as GL has it) does to
 * the axes: x to the right, y up. */
static const struct
{
  float xx, xy, yx, yy; /* x' = xx x + yx y; y' = xy x + yy y */
  GstVideoOrientationMethod turn;
} matrices[] = {
  { 1, 0, 0, 1, GST_VIDEO_ORIENTATION_IDENTITY },
  { 0, -1, 1, 0, GST_VIDEO_ORIENTATION_90R },
  { -1, 0, 0, -1, GST_VIDEO_ORIENTATION_180 },
  { 0, 1, -1, 0, GST_VIDEO_ORIENTATION_90L },
  { -1, 0, 0, 1, GST_VIDEO_ORIENTATION_HORIZ },
  { 1, 0, 0, -1, GST_VIDEO_ORIENTATION_VERT },
  { 0, -1, -1, 0, GST_VIDEO_ORIENTATION_UL_LR },
  { 0, 1, 1, 0, GST_VIDEO_ORIENTATION_UR_LL },
};

GstVideoOrientationMethod
gst_fovea_turn_from_matrix (const GstVideoAffineTransformationMeta *meta)
{
  const float *m = meta->matrix;

  for (guint i = 0; i < G_N_ELEMENTS (matrices); i++)
    if (fabsf (m[0] - matrices[i].xx) < 1e-3f
        && fabsf (m[1] - matrices[i].xy) < 1e-3f
        && fabsf (m[4] - matrices[i].yx) < 1e-3f
        && fabsf (m[5] - matrices[i].yy) < 1e-3f)
      return matrices[i].turn;
  return GST_VIDEO_ORIENTATION_AUTO;
}
