/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-foveadetect
 * @title: foveadetect
 * @short_description: Finds objects in video frames with an ONNX detection model
 *
 * Finds objects: boxes in pixels of the frame with a class and a score, as
 * #GstVideoRegionOfInterestMeta with a `detection` parameter. The families that
 * are decoded are listed in docs/model-cards.md; candidates are filtered on the
 * device, and overlapping boxes of one class are reduced to the best.
 *
 * The frame itself passes through as it is. See #GstFoveaBase for the properties
 * that all inference elements have.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=5 ! foveadetect model=yolox_nano.onnx threshold=0.4 ! foveaoverlay ! fakesink
 * ]|
 *
 * Since: 0.1
 */
#include "gst/video/gstfoveabase.h"

typedef struct
{
  GstFoveaBase parent;
} GstFoveaDetect;

typedef struct
{
  GstFoveaBaseClass parent_class;
} GstFoveaDetectClass;

GType gst_fovea_detect_get_type (void);
G_DEFINE_TYPE (GstFoveaDetect, gst_fovea_detect, GST_TYPE_FOVEA_BASE)
GST_ELEMENT_REGISTER_DECLARE (foveadetect);
GST_ELEMENT_REGISTER_DEFINE (foveadetect, "foveadetect", GST_RANK_NONE,
    gst_fovea_detect_get_type ())

/**
 * GstFoveaDetect:threshold:
 *
 * Results with a lower score are left out; 0 takes the card's threshold, or
 * the default of the head. May change while playing.
 *
 * Since: 0.1
 */

/**
 * GstFoveaDetect:iou-threshold:
 *
 * Boxes of one class that overlap by a larger share of their union are one.
 * May change while playing.
 *
 * Since: 0.1
 */

/**
 * GstFoveaDetect:max-detections:
 *
 * At most so many results per frame, the best ones; 0 takes the default of
 * the head. May change while playing.
 *
 * Since: 0.1
 */

static void
gst_fovea_detect_class_init (GstFoveaDetectClass *klass)
{
  gst_fovea_base_class_set_head (GST_FOVEA_BASE_CLASS (klass), FV_HEAD_DETECT);
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass),
      "Fovea object detection", "Filter/Analyzer/Video",
      "Finds objects in video frames with an ONNX detection model", "Fovea");
}

static void
gst_fovea_detect_init (GstFoveaDetect *self)
{
}
