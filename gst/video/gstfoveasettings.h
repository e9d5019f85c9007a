/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The properties of the inference elements as plain values: one place that names
 * them, checks them and copies them. Private to the base class, which locks. */
#pragma once

#include <gst/gst.h>
#include "gst/card/card.h"

G_BEGIN_DECLS

/**
 * GstFoveaPrecision:
 * @GST_FOVEA_PRECISION_AUTO: f16 on GPUs that store it, f32 elsewhere
 * @GST_FOVEA_PRECISION_F32: 32-bit floats
 * @GST_FOVEA_PRECISION_F16: 16-bit floats in memory, 32-bit sums
 */
typedef enum
{
  GST_FOVEA_PRECISION_AUTO,
  GST_FOVEA_PRECISION_F32,
  GST_FOVEA_PRECISION_F16,
} GstFoveaPrecision;

/**
 * GstFoveaResizeMode:
 * @GST_FOVEA_RESIZE_MODE_AUTO: as the model's card says, else stretch
 * @GST_FOVEA_RESIZE_MODE_STRETCH: both axes fill the input on their own
 * @GST_FOVEA_RESIZE_MODE_LETTERBOX: whole frame, aspect kept, borders padded
 * @GST_FOVEA_RESIZE_MODE_CROP: input filled, aspect kept, what is over cut off
 */
typedef enum
{
  GST_FOVEA_RESIZE_MODE_AUTO,
  GST_FOVEA_RESIZE_MODE_STRETCH,
  GST_FOVEA_RESIZE_MODE_LETTERBOX,
  GST_FOVEA_RESIZE_MODE_CROP,
} GstFoveaResizeMode;

/**
 * GstFoveaInputFormat:
 * @GST_FOVEA_INPUT_FORMAT_AUTO: as the model's card says, else RGB
 * @GST_FOVEA_INPUT_FORMAT_RGB: red first
 * @GST_FOVEA_INPUT_FORMAT_BGR: blue first
 * @GST_FOVEA_INPUT_FORMAT_GRAY: one channel of luma
 */
typedef enum
{
  GST_FOVEA_INPUT_FORMAT_AUTO,
  GST_FOVEA_INPUT_FORMAT_RGB,
  GST_FOVEA_INPUT_FORMAT_BGR,
  GST_FOVEA_INPUT_FORMAT_GRAY,
} GstFoveaInputFormat;

/**
 * GstFoveaSyncMode:
 * @GST_FOVEA_SYNC_MODE_MATCHED: a frame leaves with its own result
 * @GST_FOVEA_SYNC_MODE_LIVE: every frame leaves at once with the newest result
 */
typedef enum
{
  GST_FOVEA_SYNC_MODE_MATCHED,
  GST_FOVEA_SYNC_MODE_LIVE,
} GstFoveaSyncMode;

/**
 * GstFoveaOnOverload:
 * @GST_FOVEA_ON_OVERLOAD_AUTO: skip-inference when upstream is live, else block
 * @GST_FOVEA_ON_OVERLOAD_BLOCK: upstream waits, and every frame is inferred
 * @GST_FOVEA_ON_OVERLOAD_SKIP_INFERENCE: frames leave with the newest result
 * @GST_FOVEA_ON_OVERLOAD_DROP: frames are dropped
 */
typedef enum
{
  GST_FOVEA_ON_OVERLOAD_AUTO,
  GST_FOVEA_ON_OVERLOAD_BLOCK,
  GST_FOVEA_ON_OVERLOAD_SKIP_INFERENCE,
  GST_FOVEA_ON_OVERLOAD_DROP,
} GstFoveaOnOverload;

#define GST_TYPE_FOVEA_PRECISION (gst_fovea_precision_get_type ())
FV_API GType gst_fovea_precision_get_type (void);
#define GST_TYPE_FOVEA_RESIZE_MODE (gst_fovea_resize_mode_get_type ())
FV_API GType gst_fovea_resize_mode_get_type (void);
#define GST_TYPE_FOVEA_INPUT_FORMAT (gst_fovea_input_format_get_type ())
FV_API GType gst_fovea_input_format_get_type (void);

#define GST_TYPE_FOVEA_SYNC_MODE (gst_fovea_sync_mode_get_type ())
FV_API GType gst_fovea_sync_mode_get_type (void);
#define GST_TYPE_FOVEA_ON_OVERLOAD (gst_fovea_on_overload_get_type ())
FV_API GType gst_fovea_on_overload_get_type (void);

#define GST_FOVEA_MAX_IN_FLIGHT 4
#define GST_FOVEA_MAX_LATENCY (3600 * GST_SECOND)

/* What the user set. Strings are NULL and numbers 0 where nothing was said. */
typedef struct
{
  char *model, *labels_file, *device;
  char **labels; /* NULL-terminated */
  double threshold, iou_threshold;
  guint max_detections;
  guint inference_interval, max_in_flight;
  guint64 max_latency; /* nanoseconds; 0: none */
  GstFoveaSyncMode sync_mode;
  GstFoveaOnOverload on_overload;
  GstFoveaPrecision precision;
  GstFoveaResizeMode resize_mode;
  GstFoveaInputFormat input_format;
  guint input_width, input_height;
  guint n_mean, n_std;
  float mean[3], std[3];
  gboolean output_tensor_meta;
} GstFoveaSettings;

/* Numbers of the properties; the order is that of gst-inspect-1.0. */
enum
{
  GST_FOVEA_PROP_0,
  GST_FOVEA_PROP_MODEL,
  GST_FOVEA_PROP_LABELS_FILE,
  GST_FOVEA_PROP_LABELS,
  GST_FOVEA_PROP_INFERENCE_INTERVAL,
  GST_FOVEA_PROP_MAX_IN_FLIGHT,
  GST_FOVEA_PROP_SYNC_MODE,
  GST_FOVEA_PROP_ON_OVERLOAD,
  GST_FOVEA_PROP_MAX_LATENCY,
  GST_FOVEA_PROP_DEVICE,
  GST_FOVEA_PROP_PRECISION,
  GST_FOVEA_PROP_RESIZE_MODE,
  GST_FOVEA_PROP_INPUT_WIDTH,
  GST_FOVEA_PROP_INPUT_HEIGHT,
  GST_FOVEA_PROP_INPUT_FORMAT,
  GST_FOVEA_PROP_MEAN,
  GST_FOVEA_PROP_STD,
  GST_FOVEA_PROP_OUTPUT_TENSOR_META,
  GST_FOVEA_PROP_THRESHOLD,
  GST_FOVEA_PROP_IOU_THRESHOLD,
  GST_FOVEA_PROP_MAX_DETECTIONS,
  GST_FOVEA_PROP_STATS,
  /* Peers' spellings of model, labels-file and threshold. */
  GST_FOVEA_PROP_MODEL_FILE,
  GST_FOVEA_PROP_MODEL_LOCATION,
  GST_FOVEA_PROP_LABEL_FILE,
  GST_FOVEA_PROP_SCORE_THRESHOLD,
};

void gst_fovea_settings_init (GstFoveaSettings *settings);
void gst_fovea_settings_clear (GstFoveaSettings *settings);
/* @copy gets strings of its own; it must be cleared or zero before. */
void gst_fovea_settings_copy (const GstFoveaSettings *settings,
    GstFoveaSettings *copy);
/* Takes what a model is opened with back to @old; what takes effect with the next
 * frame stays, and so does the device. */
void gst_fovea_settings_go_back (GstFoveaSettings *settings,
    const GstFoveaSettings *old);

/* Fails with FV_ERROR_INVALID on values that no property type could refuse. */
gboolean
gst_fovea_settings_check (const GstFoveaSettings *settings, GError **error);

/* What all inference elements have; what those with that kind of head have. */
void gst_fovea_settings_install (GObjectClass *klass);
void gst_fovea_settings_install_head (GObjectClass *klass, FvHeadKind head);

/* What a property takes effect on. */
typedef enum
{
  GST_FOVEA_EFFECT_RELOAD, /* the model, which has to be read again */
  GST_FOVEA_EFFECT_RESULTS, /* of the next frame */
  GST_FOVEA_EFFECT_TIMING, /* when the model is run, how long frames wait */
} GstFoveaEffect;

/* FALSE when @id is none of the settings. *@effect: (out). */
gboolean gst_fovea_settings_set (GstFoveaSettings *settings, guint id,
    const GValue *value, GstFoveaEffect *effect);
gboolean gst_fovea_settings_get (const GstFoveaSettings *settings, guint id,
    GValue *value);

G_END_DECLS
