/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-foveadepth
 * @title: foveadepth
 * @short_description: Estimates how far every pixel of video frames is with an ONNX depth model
 *
 * Estimates how far every pixel is: a map of floats in the size of the frame,
 * as GstFoveaDepthMeta, which stays on the device until somebody maps it. The
 * model's card tells whether the numbers are metres or an inverse depth without
 * a unit.
 *
 * The frame itself passes through as it is. See #GstFoveaBase for the properties
 * that all inference elements have.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=5 ! foveadepth model=pydnet.onnx ! foveaoverlay ! fakesink
 * ]|
 *
 * Since: 0.1
 */
#include "gst/video/gstfoveabase.h"

typedef struct
{
  GstFoveaBase parent;
} GstFoveaDepth;

typedef struct
{
  GstFoveaBaseClass parent_class;
} GstFoveaDepthClass;

GType gst_fovea_depth_get_type (void);
G_DEFINE_TYPE (GstFoveaDepth, gst_fovea_depth, GST_TYPE_FOVEA_BASE)
GST_ELEMENT_REGISTER_DECLARE (foveadepth);
GST_ELEMENT_REGISTER_DEFINE (foveadepth, "foveadepth", GST_RANK_NONE,
    gst_fovea_depth_get_type ())

static void
gst_fovea_depth_class_init (GstFoveaDepthClass *klass)
{
  gst_fovea_base_class_set_head (GST_FOVEA_BASE_CLASS (klass), FV_HEAD_DEPTH);
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass),
      "Fovea depth estimation", "Filter/Analyzer/Video",
      "Estimates how far every pixel of video frames is with an ONNX depth model",
      "Fovea");
}

static void
gst_fovea_depth_init (GstFoveaDepth *self)
{
}
