/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/gstfoveadraw.h"

GType
gst_fovea_draw_flags_get_type (void)
{
  static const GFlagsValue values[] = {
    { GST_FOVEA_DRAW_MASK, "Segmentation masks", "mask" },
    { GST_FOVEA_DRAW_DEPTH, "Depth maps", "depth" },
    { GST_FOVEA_DRAW_BOXES, "Boxes", "boxes" },
    { GST_FOVEA_DRAW_LABELS, "Labels and scores", "labels" },
    { 0, NULL, NULL },
  };
  static GType type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_flags_register_static ("GstFoveaDrawFlags", values));
  return type;
}

GType
gst_fovea_depth_inset_get_type (void)
{
  static const GEnumValue values[] = {
    { GST_FOVEA_DEPTH_INSET_NONE, "None: over the frame", "none" },
    { GST_FOVEA_DEPTH_INSET_TOP_LEFT, "Top left", "top-left" },
    { GST_FOVEA_DEPTH_INSET_TOP_RIGHT, "Top right", "top-right" },
    { GST_FOVEA_DEPTH_INSET_BOTTOM_LEFT, "Bottom left", "bottom-left" },
    { GST_FOVEA_DEPTH_INSET_BOTTOM_RIGHT, "Bottom right", "bottom-right" },
    { 0, NULL, NULL },
  };
  static GType type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstFoveaDepthInset", values));
  return type;
}
