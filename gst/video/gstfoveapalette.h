/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Colours of classes and of depth, and what a colour is in a video format. */
#pragma once

#include <gst/video/video.h>
#include "gst/onnx/error.h"

G_BEGIN_DECLS

/* Colours as 0xRRGGBB. Class id @i has colour i modulo 256. */
#define GST_FOVEA_PALETTE_SIZE 256

/* @text: (nullable): NULL or "default", "voc", "cityscapes", or colours as
 * "#rrggbb,#rrggbb,..." that repeat. FV_ERROR_INVALID names the wrong part. */
FV_API gboolean gst_fovea_palette_parse (const char *text,
    guint32 palette[GST_FOVEA_PALETTE_SIZE], GError **error);

typedef enum
{
  GST_FOVEA_COLORMAP_TURBO,
  GST_FOVEA_COLORMAP_JET,
  GST_FOVEA_COLORMAP_GRAY,
} GstFoveaColormap;

#define GST_TYPE_FOVEA_COLORMAP (gst_fovea_colormap_get_type ())
FV_API GType gst_fovea_colormap_get_type (void);
/* Entry 0 is far, 255 near. */
FV_API void
gst_fovea_colormap_fill (GstFoveaColormap colormap, guint32 colors[256]);

/* Black or white, whichever reads better on @color. */
FV_API guint32 gst_fovea_ink_for (guint32 color);

G_END_DECLS
