/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a canvas into the planes of frames: part of GstFoveaDraw. */
#pragma once

#include "gst/video/gstfoveaplace.h"

G_BEGIN_DECLS

/* Pixels to a workgroup of 64. */
#define GST_FOVEA_DRAW_LOCAL 64

/* A plain value: nothing of it is owned. */
typedef struct
{
  FvDevice *device;
  const GstVideoFormatInfo *format;
  gboolean is_interlaced;
  guint width, height, n_tiles;
  FvBuffer *scene, *canvas;
  const GstFoveaPlaneLayout *layouts; /* offset and stride aside */
  guint n_planes;
} GstFoveaBlend;

/* Adds what blends into the planes of @layouts in @size bytes of @frame. */
void gst_fovea_blend_add (const GstFoveaBlend *blend, FvProgram *program,
    const GstFoveaPlaneLayout *layouts, FvBuffer *frame, gsize size);

/* Of frames in place: (element-type FvProgram) with the place of each. */
GPtrArray *gst_fovea_blend_programs_new (void);
/* The program for frames in @place, made once. (transfer none) (nullable) */
FvProgram *gst_fovea_blend_program (const GstFoveaBlend *blend,
    GPtrArray *programs, const GstFoveaPlace *place, GError **error);

G_END_DECLS
