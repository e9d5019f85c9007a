/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/gstfoveasettings.h"

#include <math.h>
#include <string.h>

#define FLAGS_READY \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)
#define FLAGS_PLAYING \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)

void
gst_fovea_settings_init (GstFoveaSettings *settings)
{
  memset (settings, 0, sizeof *settings);
  settings->inference_interval = 1;
  settings->max_in_flight = 2;
}

void
gst_fovea_settings_clear (GstFoveaSettings *settings)
{
  g_free (settings->model);
  g_free (settings->labels_file);
  g_free (settings->device);
  g_strfreev (settings->labels);
  memset (settings, 0, sizeof *settings);
}

void
gst_fovea_settings_copy (const GstFoveaSettings *settings,
    GstFoveaSettings *copy)
{
  gst_fovea_settings_clear (copy);
  *copy = *settings;
  copy->model = g_strdup (settings->model);
  copy->labels_file = g_strdup (settings->labels_file);
  copy->device = g_strdup (settings->device);
  copy->labels = g_strdupv (settings->labels);
}

void
gst_fovea_settings_go_back (GstFoveaSettings *settings,
    const GstFoveaSettings *old)
{
  GstFoveaSettings result = { 0 };

  gst_fovea_settings_copy (old, &result);
  g_free (result.device);
  result.device = g_steal_pointer (&settings->device);
  result.inference_interval = settings->inference_interval;
  result.sync_mode = settings->sync_mode;
  result.on_overload = settings->on_overload;
  result.max_latency = settings->max_latency;
  result.threshold = settings->threshold;
  result.iou_threshold = settings->iou_threshold;
  result.max_detections = settings->max_detections;
  gst_fovea_settings_clear (settings);
  *settings = result;
}

static gboolean
check_numbers (const char *name, guint n, const float *values, GError **error)
{
  if (n != 0 && n != 1 && n != 3) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "property %s: expected 1 or 3 numbers, got %u", name, n);
    return FALSE;
  }
  for (guint i = 0; i < n; i++) {
    if (isfinite (values[i]))
      continue;
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "property %s: expected a finite number at position %u", name, i);
    return FALSE;
  }
  return TRUE;
}

gboolean
gst_fovea_settings_check (const GstFoveaSettings *settings, GError **error)
{
  if (settings->model == NULL) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "property model: expected an ONNX file, a folder, a card or the "
        "name of an installed model, got none");
    return FALSE;
  }
  if (!check_numbers ("mean", settings->n_mean, settings->mean, error)
      || !check_numbers ("std", settings->n_std, settings->std, error))
    return FALSE;
  for (guint i = 0; i < settings->n_std; i++) {
    if (settings->std[i] != 0.0f)
      continue;
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "property std: expected numbers other than 0, got 0 at position %u", i);
    return FALSE;
  }
  return TRUE;
}

static void
install_model (GObjectClass *klass)
{
  /**
   * GstFoveaBase:model:
   *
   * The ONNX file to run, or a folder with one (`model.onnx`, `onnx/model.onnx` or
   * the only one there), or a `.modelinfo` card whose `model` key names it, or the
   * name of a model that came along or was put where fv_card_find_model() looks.
   * Read when going to READY; `model-file` and `model-location` are other names.
   * While playing the new model is opened and planned beside the old one, and
   * taken between two frames; one that cannot be used leaves the old one running,
   * with a warning, and the property goes back to it. So it is with all properties
   * but `device`; those that one g_object_set() changes are one change.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_FOVEA_PROP_MODEL,
      g_param_spec_string ("model", "Model",
          "The ONNX file to run, or a folder with one, or its .modelinfo card, or "
          "the name of an installed model.",
          NULL, FLAGS_PLAYING));
  /**
   * GstFoveaBase:labels-file:
   *
   * A text file with the name of one class a line, or lines of number and name.
   * %NULL takes the names from the model's card. `label-file` is another name.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_FOVEA_PROP_LABELS_FILE,
      g_param_spec_string ("labels-file", "Labels file",
          "A text file with the name of one class a line; NULL takes the names "
          "from the model's card.",
          NULL, FLAGS_PLAYING));
  /**
   * GstFoveaBase:labels:
   *
   * The names of the classes in order, as a list: `labels="<background, person>"`.
   * Wins over #GstFoveaBase:labels-file.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_FOVEA_PROP_LABELS,
      gst_param_spec_array ("labels", "Labels",
          "The names of the classes in order, which win over labels-file; an "
          "empty list takes them from there or from the card.",
          g_param_spec_string ("label", "Label", "The name of one class.", NULL,
              FLAGS_PLAYING),
          FLAGS_PLAYING));
}

static void
install_run (GObjectClass *klass)
{
  /**
   * GstFoveaBase:inference-interval:
   *
   * Run the model on every Nth frame; 1 is every frame. The frames between carry
   * the newest result with the timestamp of the frame that it was computed on. May
   * change while playing.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_FOVEA_PROP_INFERENCE_INTERVAL,
      g_param_spec_uint ("inference-interval", "Inference interval",
          "Run the model on every Nth frame; the frames between carry the "
          "newest result with the timestamp of its own frame.",
          1, G_MAXINT, 1, FLAGS_PLAYING));
  /**
   * GstFoveaBase:device:
   *
   * The index, a part of the name, or the UUID of the Vulkan device, as
   * `fovea devices` lists them. %NULL takes the first GPU, or the CPU where there is
   * none. Elements on the same device share it.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_FOVEA_PROP_DEVICE,
      g_param_spec_string ("device", "Vulkan device",
          "The index, a part of the name, or the UUID of the Vulkan device; "
          "NULL takes the first GPU, or the CPU where there is none.",
          NULL, FLAGS_READY));
  /**
   * GstFoveaBase:precision:
   *
   * How tensors are stored on the device; sums are 32-bit always.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_FOVEA_PROP_PRECISION,
      g_param_spec_enum ("precision", "Precision of the tensors",
          "How tensors are stored on the device; auto is f16 on GPUs that "
          "store it and f32 on others.",
          GST_TYPE_FOVEA_PRECISION, GST_FOVEA_PRECISION_AUTO, FLAGS_PLAYING));
}

static void
install_live (GObjectClass *klass)
{
  /**
   * GstFoveaBase:max-in-flight:
   *
   * How many frames are on the device at once: with two, one is copied in while the
   * other is worked on. So many more than one raise the latency under overload, and
   * the memory for what goes in and comes out.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_FOVEA_PROP_MAX_IN_FLIGHT,
      g_param_spec_uint ("max-in-flight", "Frames on the device",
          "How many frames are on the device at once; more than that is what "
          "on-overload calls overload.",
          1, GST_FOVEA_MAX_IN_FLIGHT, 2, FLAGS_PLAYING));
  /**
   * GstFoveaBase:sync-mode:
   *
   * Whether a frame waits for its own result. With %GST_FOVEA_SYNC_MODE_LIVE the
   * element adds no latency, and results are as old as the model takes: their
   * timestamp says so.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_FOVEA_PROP_SYNC_MODE,
      g_param_spec_enum ("sync-mode", "Frames and their results",
          "Whether a frame waits for its own result, or leaves at once with the "
          "newest one.",
          GST_TYPE_FOVEA_SYNC_MODE, GST_FOVEA_SYNC_MODE_MATCHED,
          FLAGS_PLAYING));
  /**
   * GstFoveaBase:on-overload:
   *
   * What happens to a frame that comes when `max-in-flight` frames are on the device.
   * Skipped frames leave in order with the newest result and the timestamp of the
   * frame that it is of. With `block` alone QoS events are not heeded: every frame
   * is inferred.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_FOVEA_PROP_ON_OVERLOAD,
      g_param_spec_enum ("on-overload", "When frames come too fast",
          "What happens to a frame that comes when max-in-flight frames are on "
          "the device, or that downstream calls late.",
          GST_TYPE_FOVEA_ON_OVERLOAD, GST_FOVEA_ON_OVERLOAD_AUTO,
          FLAGS_PLAYING));
  /**
   * GstFoveaBase:max-latency:
   *
   * A frame whose result is not there so long after it came leaves with the newest
   * one there is; the latency that is reported is never more. 0: no such limit. Where
   * frames are skipped, one leaves so when 24 and max-in-flight are behind it.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_FOVEA_PROP_MAX_LATENCY,
      g_param_spec_uint64 ("max-latency", "Longest wait for a result",
          "Nanoseconds after which a frame leaves without its own result; the "
          "latency that is reported is never more; 0: no limit.",
          0, GST_FOVEA_MAX_LATENCY, 0, FLAGS_PLAYING));
}

static void
install_size (GObjectClass *klass)
{
  /**
   * GstFoveaBase:resize-mode:
   *
   * How a frame comes to the size of the model's input; results are in the frame's
   * own coordinates whatever it is.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_FOVEA_PROP_RESIZE_MODE,
      g_param_spec_enum ("resize-mode", "Resize mode",
          "How a frame comes to the size of the model's input.",
          GST_TYPE_FOVEA_RESIZE_MODE, GST_FOVEA_RESIZE_MODE_AUTO,
          FLAGS_PLAYING));
  /**
   * GstFoveaBase:input-width:
   *
   * Width of the model's input where the model leaves it free. With neither this nor
   * the card to tell, the input takes the frame's aspect, at most 640 pixels on the
   * long side, in multiples of 32.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_FOVEA_PROP_INPUT_WIDTH,
      g_param_spec_uint ("input-width", "Input width",
          "Width of the model's input in pixels where the model leaves it "
          "free; 0 takes the card's, or one that suits the frame.",
          0, 16384, 0, FLAGS_PLAYING));
  /**
   * GstFoveaBase:input-height:
   *
   * Height of the model's input where the model leaves it free, as
   * #GstFoveaBase:input-width.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_FOVEA_PROP_INPUT_HEIGHT,
      g_param_spec_uint ("input-height", "Input height",
          "Height of the model's input in pixels where the model leaves it "
          "free; 0 takes the card's, or one that suits the frame.",
          0, 16384, 0, FLAGS_PLAYING));
}

static void
install_values (GObjectClass *klass)
{
  /**
   * GstFoveaBase:input-format:
   *
   * The order of the channels that the model was trained with.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_FOVEA_PROP_INPUT_FORMAT,
      g_param_spec_enum ("input-format", "Input channels",
          "The order of the channels that the model was trained with.",
          GST_TYPE_FOVEA_INPUT_FORMAT, GST_FOVEA_INPUT_FORMAT_AUTO,
          FLAGS_PLAYING));
  /**
   * GstFoveaBase:mean:
   *
   * What is subtracted from the channels, in units of 0 to 1 and in the input's
   * order: one number or three, `mean="<0.485, 0.456, 0.406>"`.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_FOVEA_PROP_MEAN,
      gst_param_spec_array ("mean", "Mean of the channels",
          "One number or three, in units of 0 to 1, that are subtracted from "
          "the channels in the input's order; empty takes the card's.",
          g_param_spec_double ("value", "Mean", "The mean of one channel.",
              -G_MAXFLOAT, G_MAXFLOAT, 0.0, FLAGS_PLAYING),
          FLAGS_PLAYING));
  /**
   * GstFoveaBase:std:
   *
   * What the channels are divided by after #GstFoveaBase:mean is gone, in the same
   * units.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_FOVEA_PROP_STD,
      gst_param_spec_array ("std", "Deviation of the channels",
          "One number or three, in units of 0 to 1, that the channels are "
          "divided by after the mean is gone; empty takes the card's.",
          g_param_spec_double ("value", "Deviation",
              "The standard deviation of one channel.", -G_MAXFLOAT, G_MAXFLOAT,
              1.0, FLAGS_PLAYING),
          FLAGS_PLAYING));
  /**
   * GstFoveaBase:output-tensor-meta:
   *
   * Attach every output of the model as a GstFoveaTensorMeta, with heads or without
   * them. The values stay on the device until somebody maps them.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_FOVEA_PROP_OUTPUT_TENSOR_META,
      g_param_spec_boolean ("output-tensor-meta", "Attach raw tensors",
          "Attach every output of the model to the frame as it is; the values "
          "stay on the device until somebody maps them.",
          FALSE, FLAGS_PLAYING));
}

static void
install_aliases (GObjectClass *klass)
{
  static const struct
  {
    guint id;
    const char *name, *nick, *blurb;
  } aliases[] = {
    { GST_FOVEA_PROP_MODEL_FILE, "model-file", "Model (alias)",
        "Another name of the property model." },
    { GST_FOVEA_PROP_MODEL_LOCATION, "model-location", "Model (alias)",
        "Another name of the property model." },
    { GST_FOVEA_PROP_LABEL_FILE, "label-file", "Labels file (alias)",
        "Another name of the property labels-file." },
  };

  for (guint i = 0; i < G_N_ELEMENTS (aliases); i++)
    g_object_class_install_property (klass, aliases[i].id,
        g_param_spec_string (aliases[i].name, aliases[i].nick, aliases[i].blurb,
            NULL, FLAGS_PLAYING));
}

void
gst_fovea_settings_install (GObjectClass *klass)
{
  install_model (klass);
  install_run (klass);
  install_live (klass);
  install_size (klass);
  install_values (klass);
  install_aliases (klass);
  gst_type_mark_as_plugin_api (GST_TYPE_FOVEA_PRECISION, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_FOVEA_RESIZE_MODE, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_FOVEA_INPUT_FORMAT, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_FOVEA_SYNC_MODE, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_FOVEA_ON_OVERLOAD, 0);
}

static void
install_threshold (GObjectClass *klass)
{
  g_object_class_install_property (klass, GST_FOVEA_PROP_THRESHOLD,
      g_param_spec_double ("threshold", "Score threshold",
          "Results with a lower score are left out; 0 takes the card's "
          "threshold, or the default of the head.",
          0.0, 1.0, 0.0, FLAGS_PLAYING));
  g_object_class_install_property (klass, GST_FOVEA_PROP_SCORE_THRESHOLD,
      g_param_spec_double ("score-threshold", "Score threshold (alias)",
          "Another name of the property threshold.", 0.0, 1.0, 0.0,
          FLAGS_PLAYING));
}

static void
install_iou_threshold (GObjectClass *klass)
{
  g_object_class_install_property (klass, GST_FOVEA_PROP_IOU_THRESHOLD,
      g_param_spec_double ("iou-threshold", "Overlap threshold",
          "Of two boxes of one class that overlap by more than this share of "
          "their union, the one with the lower score is left out; 0 takes the "
          "card's, or the default of the head.",
          0.0, 1.0, 0.0, FLAGS_PLAYING));
}

static void
install_max_detections (GObjectClass *klass)
{
  g_object_class_install_property (klass, GST_FOVEA_PROP_MAX_DETECTIONS,
      g_param_spec_uint ("max-detections", "Most results",
          "At most so many boxes or classes per frame, the best ones; 0 takes "
          "the default of the head.",
          0, 1024, 0, FLAGS_PLAYING));
}

void
gst_fovea_settings_install_head (GObjectClass *klass, FvHeadKind head)
{
  if (head != FV_HEAD_DEPTH)
    install_threshold (klass);
  if (head == FV_HEAD_NONE || head == FV_HEAD_DETECT)
    install_iou_threshold (klass);
  if (head == FV_HEAD_NONE || head == FV_HEAD_DETECT
      || head == FV_HEAD_CLASSIFY)
    install_max_detections (klass);
}

/* Numbers of a GstValueArray, which a launch line may write as integers. What is
 * no number becomes NaN, and *@n may be 2 or more than 3: the check says so. */
static void
set_numbers (const GValue *array, guint *n, float *values)
{
  *n = gst_value_array_get_size (array);
  for (guint i = 0; i < MIN (*n, 3); i++) {
    g_auto (GValue) number = G_VALUE_INIT;

    g_value_init (&number, G_TYPE_DOUBLE);
    values[i] = NAN;
    if (g_value_transform (gst_value_array_get_value (array, i), &number))
      values[i] = (float) g_value_get_double (&number);
  }
}

static void
get_numbers (GValue *array, guint n, const float *values)
{
  for (guint i = 0; i < MIN (n, 3); i++) {
    g_auto (GValue) number = G_VALUE_INIT;

    g_value_init (&number, G_TYPE_DOUBLE);
    g_value_set_double (&number, values[i]);
    gst_value_array_append_value (array, &number);
  }
}

static void
set_labels (GstFoveaSettings *settings, const GValue *array)
{
  guint size = gst_value_array_get_size (array);

  g_clear_pointer (&settings->labels, g_strfreev);
  if (size == 0)
    return;
  settings->labels = g_new0 (char *, size + 1);
  for (guint i = 0; i < size; i++) {
    const GValue *label = gst_value_array_get_value (array, i);

    settings->labels[i] = G_VALUE_HOLDS_STRING (label)
        ? g_value_dup_string (label)
        : gst_value_serialize (label);
    if (settings->labels[i] == NULL)
      settings->labels[i] = g_strdup ("");
  }
}

static void
get_labels (const GstFoveaSettings *settings, GValue *array)
{
  for (guint i = 0; settings->labels && settings->labels[i]; i++) {
    g_auto (GValue) label = G_VALUE_INIT;

    g_value_init (&label, G_TYPE_STRING);
    g_value_set_string (&label, settings->labels[i]);
    gst_value_array_append_value (array, &label);
  }
}

static void
set_string (char **field, const GValue *value)
{
  g_free (*field);
  *field = g_value_dup_string (value);
  if (*field && **field == '\0')
    g_clear_pointer (field, g_free);
}

/* When the model is run, and how long frames wait for it. */
static gboolean
set_timing (GstFoveaSettings *settings, guint id, const GValue *value)
{
  switch (id) {
    case GST_FOVEA_PROP_INFERENCE_INTERVAL:
      settings->inference_interval = g_value_get_uint (value);
      return TRUE;
    case GST_FOVEA_PROP_SYNC_MODE:
      settings->sync_mode = g_value_get_enum (value);
      return TRUE;
    case GST_FOVEA_PROP_ON_OVERLOAD:
      settings->on_overload = g_value_get_enum (value);
      return TRUE;
    case GST_FOVEA_PROP_MAX_LATENCY:
      settings->max_latency = g_value_get_uint64 (value);
      return TRUE;
    default:
      return FALSE;
  }
}

/* What is found in the next frame. */
static gboolean
set_head (GstFoveaSettings *settings, guint id, const GValue *value)
{
  switch (id) {
    case GST_FOVEA_PROP_THRESHOLD:
    case GST_FOVEA_PROP_SCORE_THRESHOLD:
      settings->threshold = g_value_get_double (value);
      return TRUE;
    case GST_FOVEA_PROP_IOU_THRESHOLD:
      settings->iou_threshold = g_value_get_double (value);
      return TRUE;
    case GST_FOVEA_PROP_MAX_DETECTIONS:
      settings->max_detections = g_value_get_uint (value);
      return TRUE;
    default:
      return FALSE;
  }
}

gboolean
gst_fovea_settings_set (GstFoveaSettings *settings, guint id,
    const GValue *value, GstFoveaEffect *effect)
{
  *effect = GST_FOVEA_EFFECT_TIMING;
  if (set_timing (settings, id, value))
    return TRUE;
  *effect = GST_FOVEA_EFFECT_RESULTS;
  if (set_head (settings, id, value))
    return TRUE;
  *effect = GST_FOVEA_EFFECT_RELOAD;
  switch (id) {
    case GST_FOVEA_PROP_MAX_IN_FLIGHT:
      settings->max_in_flight = g_value_get_uint (value);
      return TRUE;
    case GST_FOVEA_PROP_MODEL:
    case GST_FOVEA_PROP_MODEL_FILE:
    case GST_FOVEA_PROP_MODEL_LOCATION:
      set_string (&settings->model, value);
      return TRUE;
    case GST_FOVEA_PROP_LABELS_FILE:
    case GST_FOVEA_PROP_LABEL_FILE:
      set_string (&settings->labels_file, value);
      return TRUE;
    case GST_FOVEA_PROP_LABELS:
      set_labels (settings, value);
      return TRUE;
    case GST_FOVEA_PROP_DEVICE:
      set_string (&settings->device, value);
      return TRUE;
    case GST_FOVEA_PROP_PRECISION:
      settings->precision = g_value_get_enum (value);
      return TRUE;
    case GST_FOVEA_PROP_RESIZE_MODE:
      settings->resize_mode = g_value_get_enum (value);
      return TRUE;
    case GST_FOVEA_PROP_INPUT_WIDTH:
      settings->input_width = g_value_get_uint (value);
      return TRUE;
    case GST_FOVEA_PROP_INPUT_HEIGHT:
      settings->input_height = g_value_get_uint (value);
      return TRUE;
    case GST_FOVEA_PROP_INPUT_FORMAT:
      settings->input_format = g_value_get_enum (value);
      return TRUE;
    case GST_FOVEA_PROP_MEAN:
      set_numbers (value, &settings->n_mean, settings->mean);
      return TRUE;
    case GST_FOVEA_PROP_STD:
      set_numbers (value, &settings->n_std, settings->std);
      return TRUE;
    case GST_FOVEA_PROP_OUTPUT_TENSOR_META:
      settings->output_tensor_meta = g_value_get_boolean (value);
      return TRUE;
    default:
      return FALSE;
  }
}

static gboolean
get_input (const GstFoveaSettings *settings, guint id, GValue *value)
{
  switch (id) {
    case GST_FOVEA_PROP_RESIZE_MODE:
      g_value_set_enum (value, settings->resize_mode);
      return TRUE;
    case GST_FOVEA_PROP_INPUT_WIDTH:
      g_value_set_uint (value, settings->input_width);
      return TRUE;
    case GST_FOVEA_PROP_INPUT_HEIGHT:
      g_value_set_uint (value, settings->input_height);
      return TRUE;
    case GST_FOVEA_PROP_INPUT_FORMAT:
      g_value_set_enum (value, settings->input_format);
      return TRUE;
    case GST_FOVEA_PROP_MEAN:
      get_numbers (value, settings->n_mean, settings->mean);
      return TRUE;
    case GST_FOVEA_PROP_STD:
      get_numbers (value, settings->n_std, settings->std);
      return TRUE;
    default:
      return FALSE;
  }
}

static gboolean
get_timing (const GstFoveaSettings *settings, guint id, GValue *value)
{
  switch (id) {
    case GST_FOVEA_PROP_INFERENCE_INTERVAL:
      g_value_set_uint (value, settings->inference_interval);
      return TRUE;
    case GST_FOVEA_PROP_MAX_IN_FLIGHT:
      g_value_set_uint (value, settings->max_in_flight);
      return TRUE;
    case GST_FOVEA_PROP_SYNC_MODE:
      g_value_set_enum (value, settings->sync_mode);
      return TRUE;
    case GST_FOVEA_PROP_ON_OVERLOAD:
      g_value_set_enum (value, settings->on_overload);
      return TRUE;
    case GST_FOVEA_PROP_MAX_LATENCY:
      g_value_set_uint64 (value, settings->max_latency);
      return TRUE;
    default:
      return FALSE;
  }
}

gboolean
gst_fovea_settings_get (const GstFoveaSettings *settings, guint id,
    GValue *value)
{
  switch (id) {
    case GST_FOVEA_PROP_MODEL:
    case GST_FOVEA_PROP_MODEL_FILE:
    case GST_FOVEA_PROP_MODEL_LOCATION:
      g_value_set_string (value, settings->model);
      return TRUE;
    case GST_FOVEA_PROP_LABELS_FILE:
    case GST_FOVEA_PROP_LABEL_FILE:
      g_value_set_string (value, settings->labels_file);
      return TRUE;
    case GST_FOVEA_PROP_LABELS:
      get_labels (settings, value);
      return TRUE;
    case GST_FOVEA_PROP_DEVICE:
      g_value_set_string (value, settings->device);
      return TRUE;
    case GST_FOVEA_PROP_PRECISION:
      g_value_set_enum (value, settings->precision);
      return TRUE;
    case GST_FOVEA_PROP_OUTPUT_TENSOR_META:
      g_value_set_boolean (value, settings->output_tensor_meta);
      return TRUE;
    case GST_FOVEA_PROP_THRESHOLD:
    case GST_FOVEA_PROP_SCORE_THRESHOLD:
      g_value_set_double (value, settings->threshold);
      return TRUE;
    case GST_FOVEA_PROP_IOU_THRESHOLD:
      g_value_set_double (value, settings->iou_threshold);
      return TRUE;
    case GST_FOVEA_PROP_MAX_DETECTIONS:
      g_value_set_uint (value, settings->max_detections);
      return TRUE;
    default:
      return get_timing (settings, id, value)
          || get_input (settings, id, value);
  }
}
