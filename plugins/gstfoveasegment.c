/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-foveasegment
 * @title: foveasegment
 * @short_description: Labels every pixel of video frames with an ONNX segmentation model
 *
 * Says for every pixel which class it belongs to: a map in the size of the
 * frame, as GstFoveaSegmentationMeta, which stays on the device until somebody
 * maps it. A model with one output channel gives foreground and background, cut
 * at #GstFoveaSegment:threshold.
 *
 * A model that finds things one by one (boxes with prototypes of masks, or queries
 * with a map each and a card that says which classes are things) gives a map of
 * instances too, and a box for each, which names the number of its pixels.
 *
 * The frame itself passes through as it is. See #GstFoveaBase for the properties
 * that all inference elements have.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=5 ! foveasegment model=segformer-b0/ ! foveaoverlay ! fakesink
 * ]|
 *
 * Since: 0.1
 */
#include "gst/video/gstfoveabase.h"

typedef struct
{
  GstFoveaBase parent;
} GstFoveaSegment;

typedef struct
{
  GstFoveaBaseClass parent_class;
} GstFoveaSegmentClass;

GType gst_fovea_segment_get_type (void);
G_DEFINE_TYPE (GstFoveaSegment, gst_fovea_segment, GST_TYPE_FOVEA_BASE)
GST_ELEMENT_REGISTER_DECLARE (foveasegment);
GST_ELEMENT_REGISTER_DEFINE (foveasegment, "foveasegment", GST_RANK_NONE,
    gst_fovea_segment_get_type ())

/**
 * GstFoveaSegment:threshold:
 *
 * Results with a lower score are left out; 0 takes the card's threshold, or
 * the default of the head. May change while playing.
 *
 * Since: 0.1
 */

static void
gst_fovea_segment_class_init (GstFoveaSegmentClass *klass)
{
  gst_fovea_base_class_set_head (GST_FOVEA_BASE_CLASS (klass), FV_HEAD_SEGMENT);
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass),
      "Fovea semantic segmentation", "Filter/Analyzer/Video",
      "Labels every pixel of video frames with an ONNX segmentation model",
      "Fovea");
}

static void
gst_fovea_segment_init (GstFoveaSegment *self)
{
}
