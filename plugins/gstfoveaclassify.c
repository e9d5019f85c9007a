/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-foveaclassify
 * @title: foveaclassify
 * @short_description: Tells what a video frame shows with an ONNX classification model
 *
 * Tells what a frame shows: the best classes with their probabilities, as a
 * region of type `frame` with one `classification` parameter each, best first.
 * #GstFoveaClassify:max-detections limits how many (5), and
 * #GstFoveaClassify:threshold from which probability on.
 *
 * The frame itself passes through as it is. See #GstFoveaBase for the properties
 * that all inference elements have.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=5 ! foveaclassify model=squeezenet1_1.onnx labels-file=imagenet.txt ! foveaoverlay ! fakesink
 * ]|
 *
 * Since: 0.1
 */
#include "gst/video/gstfoveabase.h"

typedef struct
{
  GstFoveaBase parent;
} GstFoveaClassify;

typedef struct
{
  GstFoveaBaseClass parent_class;
} GstFoveaClassifyClass;

GType gst_fovea_classify_get_type (void);
G_DEFINE_TYPE (GstFoveaClassify, gst_fovea_classify, GST_TYPE_FOVEA_BASE)
GST_ELEMENT_REGISTER_DECLARE (foveaclassify);
GST_ELEMENT_REGISTER_DEFINE (foveaclassify, "foveaclassify", GST_RANK_NONE,
    gst_fovea_classify_get_type ())

/**
 * GstFoveaClassify:threshold:
 *
 * Results with a lower score are left out; 0 takes the card's threshold, or
 * the default of the head. May change while playing.
 *
 * Since: 0.1
 */

/**
 * GstFoveaClassify:max-detections:
 *
 * At most so many results per frame, the best ones; 0 takes the default of
 * the head. May change while playing.
 *
 * Since: 0.1
 */

static void
gst_fovea_classify_class_init (GstFoveaClassifyClass *klass)
{
  gst_fovea_base_class_set_head (GST_FOVEA_BASE_CLASS (klass),
      FV_HEAD_CLASSIFY);
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass),
      "Fovea classification", "Filter/Analyzer/Video",
      "Tells what a video frame shows with an ONNX classification model",
      "Fovea");
}

static void
gst_fovea_classify_init (GstFoveaClassify *self)
{
}
