/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/gstfoveablend.h"
#include "shaders/shared.h"

/* A pool that frames are drawn on in place is seldom larger. */
#define MAX_PROGRAMS 32

typedef struct
{
  GstFoveaPlace place; /* the program keeps the buffer */
  FvProgram *program;
} InPlace;

static void
bind (FvDispatch *dispatch, FvBuffer *buffer, gsize size, FvBindKind kind)
{
  fv_dispatch_bind (dispatch, buffer, 0, size, kind, FV_TYPE_F32);
}

static void
add_plane (const GstFoveaBlend *blend, FvProgram *program,
    const GstFoveaPlaneLayout *layout, FvBuffer *frame, gsize size)
{
  const struct
  {
    gint32 offset, stride, row_bytes, n_rows, width, height;
    guint32 components;
  } push = { (gint32) (layout->offset / 4), (gint32) (layout->stride / 4),
    (gint32) layout->row_bytes, (gint32) layout->n_rows, (gint32) blend->width,
    (gint32) blend->height, layout->components };
  FvDispatch dispatch = { .kernel = "blend",
    .groups = { blend->n_tiles, 1, 1 } };

  fv_dispatch_spec (&dispatch, FV_SPEC_LOCAL, GST_FOVEA_DRAW_LOCAL);
  fv_dispatch_spec (&dispatch, 0, (gint) layout->group_bytes);
  fv_dispatch_spec (&dispatch, 1, (gint) layout->group_pixels);
  fv_dispatch_spec (&dispatch, 2, (gint) layout->wide);
  fv_dispatch_spec (&dispatch, 3, (gint) layout->second);
  fv_dispatch_spec (&dispatch, 4, (gint) layout->rows);
  fv_dispatch_spec (&dispatch, 5,
      (gint) gst_fovea_planes_sample_bytes (blend->format));
  fv_dispatch_spec (&dispatch, 7, layout->rows == 2 && blend->is_interlaced);
  fv_dispatch_spec (&dispatch, 6,
      GST_VIDEO_FORMAT_INFO_SHIFT (blend->format, 0));
  fv_dispatch_push (&dispatch, &push, sizeof push);
  bind (&dispatch, blend->scene, fv_buffer_size (blend->scene),
      FV_BIND_FLOATS_READ);
  bind (&dispatch, blend->canvas, fv_buffer_size (blend->canvas),
      FV_BIND_RGBA8_READ);
  bind (&dispatch, frame, size, FV_BIND_RGBA8_READ);
  bind (&dispatch, frame, size, FV_BIND_RAW_WRITE);
  fv_program_dispatch (program, &dispatch);
}

void
gst_fovea_blend_add (const GstFoveaBlend *blend, FvProgram *program,
    const GstFoveaPlaneLayout *layouts, FvBuffer *frame, gsize size)
{
  for (guint i = 0; i < blend->n_planes; i++)
    add_plane (blend, program, &layouts[i], frame, size);
}

static void
in_place_free (gpointer data)
{
  InPlace *in_place = data;

  fv_program_unref (in_place->program);
  g_free (in_place);
}

GPtrArray *
gst_fovea_blend_programs_new (void)
{
  return g_ptr_array_new_with_free_func (in_place_free);
}

static FvProgram *
make_program (const GstFoveaBlend *blend, const GstFoveaPlace *place,
    GError **error)
{
  g_autoptr (FvProgram) program = fv_program_new (blend->device);
  GstFoveaPlaneLayout layouts[GST_VIDEO_MAX_PLANES];

  for (guint i = 0; i < blend->n_planes; i++) {
    layouts[i] = blend->layouts[i];
    layouts[i].offset = place->offset[i];
    layouts[i].stride = place->stride[i];
  }
  gst_fovea_blend_add (blend, program, layouts, place->buffer, place->size);
  return fv_program_finish (program, error) ? g_steal_pointer (&program) : NULL;
}

FvProgram *
gst_fovea_blend_program (const GstFoveaBlend *blend, GPtrArray *programs,
    const GstFoveaPlace *place, GError **error)
{
  FvProgram *program;
  InPlace *in_place;

  for (guint i = 0; i < programs->len; i++) {
    in_place = g_ptr_array_index (programs, i);
    if (gst_fovea_place_equal (&in_place->place, place))
      return in_place->program;
  }
  program = make_program (blend, place, error);
  if (program == NULL)
    return NULL;
  if (programs->len >= MAX_PROGRAMS)
    g_ptr_array_remove_index (programs, 0);
  in_place = g_new (InPlace, 1);
  *in_place = (InPlace){ *place, program };
  g_ptr_array_add (programs, in_place);
  return program;
}
