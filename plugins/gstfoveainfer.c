/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-foveainfer
 * @title: foveainfer
 * @short_description: Runs an ONNX model on video frames and attaches the results of all its heads
 *
 * Runs any model on every frame and attaches what its heads found: boxes,
 * classes, class maps and depth maps, each naming its head, so that one backbone
 * with many heads runs once. What the heads are is told by the model's card, by
 * metadata in the file, or by the shapes of the outputs; where none fits, set
 * #GstFoveaBase:output-tensor-meta and read the raw tensors.
 *
 * The frame itself passes through as it is. See #GstFoveaBase for the properties
 * that all inference elements have.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=5 ! foveainfer model=model.onnx output-tensor-meta=true ! fakesink
 * ]|
 *
 * Since: 0.1
 */
#include "gst/video/gstfoveabase.h"

typedef struct
{
  GstFoveaBase parent;
} GstFoveaInfer;

typedef struct
{
  GstFoveaBaseClass parent_class;
} GstFoveaInferClass;

GType gst_fovea_infer_get_type (void);
G_DEFINE_TYPE (GstFoveaInfer, gst_fovea_infer, GST_TYPE_FOVEA_BASE)
GST_ELEMENT_REGISTER_DECLARE (foveainfer);
GST_ELEMENT_REGISTER_DEFINE (foveainfer, "foveainfer", GST_RANK_NONE,
    gst_fovea_infer_get_type ())

/**
 * GstFoveaInfer:threshold:
 *
 * Results with a lower score are left out; 0 takes the card's threshold, or
 * the default of the head. May change while playing.
 *
 * Since: 0.1
 */

/**
 * GstFoveaInfer:iou-threshold:
 *
 * Boxes of one class that overlap by a larger share of their union are one.
 * May change while playing.
 *
 * Since: 0.1
 */

/**
 * GstFoveaInfer:max-detections:
 *
 * At most so many results per frame, the best ones; 0 takes the default of
 * the head. May change while playing.
 *
 * Since: 0.1
 */

static void
gst_fovea_infer_class_init (GstFoveaInferClass *klass)
{
  gst_fovea_base_class_set_head (GST_FOVEA_BASE_CLASS (klass), FV_HEAD_NONE);
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass),
      "Fovea any-model inference", "Filter/Analyzer/Video",
      "Runs an ONNX model on video frames and attaches the results of all its heads",
      "Fovea");
}

static void
gst_fovea_infer_init (GstFoveaInfer *self)
{
}
