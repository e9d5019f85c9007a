/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The properties and the caps that foveaoverlay and foveaextract share: palette,
 * colormap, depth-range, source, device. */
#pragma once

#include <gst/base/gstbasetransform.h>
#include "gst/video/gstfoveadraw.h"

G_BEGIN_DECLS

typedef struct
{
  GstFoveaDrawStyle draw; /* guarded by the object lock, as is what follows */
  char *palette; /* (nullable) as given */
  char *palette_fault, *range_fault; /* (nullable) why a value was not taken */
  GstFoveaColormap colormap;
  GstFoveaDepthRange wanted; /* fixed or not, as the property says */
  gboolean is_new; /* wanted has not been taken yet */
  char *device; /* (nullable) */
  GstFoveaDepthRange range; /* the streaming thread's alone */
} GstFoveaStyle;

void gst_fovea_style_init (GstFoveaStyle *style);
void gst_fovea_style_clear (GstFoveaStyle *style);
/* Forgets what was seen of a stream. Where a property was given a value that it
 * cannot take: FALSE, and an element error says why. */
gboolean gst_fovea_style_start (GstFoveaStyle *style, GstElement *element);
void gst_fovea_style_install (GObjectClass *klass);
/* FALSE when @pspec is none of ours. With the object lock held. */
gboolean gst_fovea_style_set_property (GstFoveaStyle *style, GObject *object,
    GParamSpec *pspec, const GValue *value);
gboolean gst_fovea_style_get_property (GstFoveaStyle *style, GParamSpec *pspec,
    GValue *value);
/* Per frame: the style of now, without the lock; takes over a new range. */
void gst_fovea_style_begin (GstFoveaStyle *style, gpointer object,
    GstFoveaDrawStyle *draw);

/* @caps: (transfer full): and those of @filter (nullable) */
GstCaps *gst_fovea_style_filter_caps (GstCaps *caps, GstCaps *filter);
/* The same sizes and rates in another format; @format NULL: in any. */
GstCaps *gst_fovea_style_other_format (GstCaps *caps, const char *format);
/* Of GstBaseTransform, for frames that keep their size. */
gboolean gst_fovea_style_get_unit_size (GstBaseTransform *trans, GstCaps *caps,
    gsize *size);
gboolean gst_fovea_style_transform_meta (GstBaseTransform *trans,
    GstBuffer *out, GstMeta *meta, GstBuffer *in);

G_END_DECLS
