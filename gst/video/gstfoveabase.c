/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/gstfoveabase-private.h"
#include "gst/video/gstfoveacaps.h"
#include "gst/video/gstfoveaimages.h"
#include "gst/video/gstfoveameta.h"

/**
 * SECTION:gstfoveabase
 * @title: GstFoveaBase
 * @short_description: base class of the elements that run a model
 *
 * Everything but the kind of results is here: pads, caps, properties, the way of
 * a frame to the device and back, states, errors, latency and statistics.
 *
 * Since: 0.1
 */

GST_DEBUG_CATEGORY (gst_fovea_base_debug);
#define GST_CAT_DEFAULT gst_fovea_base_debug

G_DEFINE_ABSTRACT_TYPE_WITH_CODE (GstFoveaBase, gst_fovea_base,
    GST_TYPE_ELEMENT,
    G_ADD_PRIVATE (GstFoveaBase) GST_DEBUG_CATEGORY_INIT (gst_fovea_base_debug,
        "foveabase", 0, "Fovea: frames through a model"))

GstFoveaBasePrivate *
gst_fovea_base_private (GstFoveaBase *self)
{
  return gst_fovea_base_get_instance_private (self);
}

FvDevice *
gst_fovea_base_device (GstFoveaBasePrivate *priv)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&priv->lock);

  return priv->device ? fv_device_ref (priv->device) : NULL;
}

gboolean
gst_fovea_base_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (GST_FOVEA_BASE (parent));
  g_autoptr (FvDevice) device = gst_fovea_base_device (priv);
  gboolean result =
      gst_fovea_images_answer (device, GST_ELEMENT (parent), query)
      || gst_pad_query_default (pad, parent, query);

  if (result && GST_QUERY_TYPE (query) == GST_QUERY_CAPS)
    gst_fovea_caps_answer (device, query);
  return result;
}

typedef struct
{
  GQuark domain;
  gint code;
} ElementError;

static ElementError
element_error (GstFoveaStage stage, const GError *error)
{
  ElementError settings = { GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS };
  ElementError init = { GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT };
  ElementError missing = { GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND };
  ElementError wrong = { GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE };
  ElementError lacking = { GST_STREAM_ERROR, GST_STREAM_ERROR_NOT_IMPLEMENTED };
  ElementError space = { GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT };
  ElementError failed = { GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED };

  if (stage == GST_FOVEA_STAGE_SETTINGS)
    return settings;
  if (stage == GST_FOVEA_STAGE_DEVICE)
    return init;
  if (error->domain != FV_ERROR)
    return failed;
  switch ((FvError) error->code) {
    case FV_ERROR_MALFORMED:
      return wrong;
    case FV_ERROR_UNSUPPORTED:
      return lacking;
    case FV_ERROR_TOO_LARGE:
      return space;
    case FV_ERROR_NOT_FOUND:
      return missing;
    case FV_ERROR_INVALID:
      return settings;
    default:
      return failed;
  }
}

void
gst_fovea_base_fail (GstFoveaBase *self, GstFoveaStage stage,
    const GError *error)
{
  static const char *const titles[] = {
    [GST_FOVEA_STAGE_SETTINGS] = "A property cannot be used",
    [GST_FOVEA_STAGE_DEVICE] = "No Vulkan device can be used",
    [GST_FOVEA_STAGE_MODEL] = "The model cannot be used",
    [GST_FOVEA_STAGE_RUN] = "A frame could not be run through the model",
  };
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  ElementError kind = element_error (stage, error);
  gboolean is_again;
  char *debug;

  g_mutex_lock (&priv->lock);
  if (g_error_matches (error, FV_ERROR, FV_ERROR_DEVICE))
    priv->is_broken = TRUE;
  /* each pad's thread and the runs' meet what ails the device */
  is_again = priv->has_told;
  priv->has_told |= priv->is_broken || stage == GST_FOVEA_STAGE_RUN;
  debug = g_strdup_printf ("model=\"%s\" device=\"%s\": %s",
      priv->settings.model ? priv->settings.model : "",
      priv->device ? fv_device_info (priv->device)->name : "none",
      error->message);
  g_mutex_unlock (&priv->lock);
  if (is_again) {
    GST_INFO_OBJECT (self, "not told again: %s", debug);
    g_free (debug);
    return;
  }
  gst_element_message_full (GST_ELEMENT (self), GST_MESSAGE_ERROR, kind.domain,
      kind.code, g_strdup_printf ("%s: %s.", titles[stage], error->message),
      debug, __FILE__, GST_FUNCTION, __LINE__);
}

void
gst_fovea_base_warn (GstFoveaBase *self, const GstFoveaModel *model)
{
  for (guint i = 0; i < model->card->warnings->len; i++)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("%s: %s.", model->name,
            (const char *) g_ptr_array_index (model->card->warnings, i)),
        (NULL));
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  GstFoveaBase *self = GST_FOVEA_BASE (object);
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstFoveaEffect effect;
  gboolean known, waits, is_timing;

  g_mutex_lock (&priv->lock);
  known = gst_fovea_settings_set (&priv->settings, id, value, &effect);
  waits = id == GST_FOVEA_PROP_DEVICE && priv->is_running;
  is_timing = known && effect == GST_FOVEA_EFFECT_TIMING && priv->is_running;
  if (id == GST_FOVEA_PROP_DEVICE) {
    priv->device_set = TRUE;
  } else if (known && effect == GST_FOVEA_EFFECT_RELOAD) {
    priv->n_reloads++;
    priv->reload_set = priv->is_running;
  } else if (known && effect == GST_FOVEA_EFFECT_RESULTS && priv->is_running) {
    priv->n_changes++;
  }
  if (is_timing) {
    gst_fovea_live_restart (priv);
    g_cond_broadcast (&priv->changed);
  }
  g_mutex_unlock (&priv->lock);
  if (is_timing)
    gst_fovea_live_announce (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
  else if (waits)
    GST_WARNING_OBJECT (self,
        "property %s takes effect when the element leaves READY", spec->name);
}

/* Once for all that one g_object_set() changed. */
static void
dispatch_properties_changed (GObject *object, guint n, GParamSpec **specs)
{
  GstFoveaBase *self = GST_FOVEA_BASE (object);
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  gboolean swaps;

  G_OBJECT_CLASS (gst_fovea_base_parent_class)
      ->dispatch_properties_changed (object, n, specs);
  g_mutex_lock (&priv->lock);
  swaps = priv->reload_set;
  priv->reload_set = FALSE;
  g_mutex_unlock (&priv->lock);
  if (swaps)
    gst_fovea_swap_begin (self);
}

static GstStructure *
make_stats (GstFoveaBasePrivate *priv)
{
  const char *device = "";
  g_autofree char *path = NULL;
  guint64 bytes = 0;

  if (priv->device) {
    device = fv_device_info (priv->device)->name;
    path = g_strconcat (priv->stream ? gst_fovea_stream_path (priv->stream)
                                     : "none",
        fv_device_tier (priv->device) == FV_TIER_SUBGROUP ? "/subgroup"
                                                          : "/workgroup",
        NULL);
  }
  if (priv->stream)
    bytes = gst_fovea_model_memory (gst_fovea_stream_model (priv->stream))
        + gst_fovea_stream_memory (priv->stream);
  else if (priv->model)
    bytes = gst_fovea_model_memory (priv->model);
  return gst_fovea_stats_to_structure (&priv->stats, bytes, device,
      path ? path : "");
}

void
gst_fovea_base_post_stats (GstFoveaBase *self)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstStructure *stats;

  g_mutex_lock (&priv->lock);
  stats = make_stats (priv);
  g_mutex_unlock (&priv->lock);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self), stats));
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (GST_FOVEA_BASE (object));
  gboolean known = TRUE;

  g_mutex_lock (&priv->lock);
  if (id == GST_FOVEA_PROP_STATS)
    g_value_take_boxed (value, make_stats (priv));
  else
    known = gst_fovea_settings_get (&priv->settings, id, value);
  g_mutex_unlock (&priv->lock);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void
close_model (GstFoveaBasePrivate *priv)
{
  GstFoveaModel *model;
  FvDevice *device;

  g_mutex_lock (&priv->lock);
  model = g_steal_pointer (&priv->model);
  device = g_steal_pointer (&priv->device);
  priv->is_broken = priv->has_told = FALSE;
  g_mutex_unlock (&priv->lock);
  gst_fovea_model_unref (model);
  fv_device_unref (device);
}

gboolean
gst_fovea_base_check_settings (const GstFoveaSettings *settings, GError **error)
{
  g_auto (GStrv) labels = NULL;

  if (!gst_fovea_settings_check (settings, error))
    return FALSE;
  if (settings->labels_file == NULL || settings->labels)
    return TRUE;
  labels = fv_labels_load (settings->labels_file, error);
  g_prefix_error (error, "labels-file: ");
  return labels != NULL;
}

static gboolean
open_with (GstFoveaBase *self, const GstFoveaSettings *settings)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  g_autoptr (GstFoveaModel) model = NULL;
  g_autoptr (FvDevice) device = NULL;
  g_autoptr (GError) error = NULL;

  if (!gst_fovea_base_check_settings (settings, &error)) {
    gst_fovea_base_fail (self, GST_FOVEA_STAGE_SETTINGS, error);
    return FALSE;
  }
  device = gst_fovea_images_open (GST_ELEMENT (self), priv->sinkpad,
      settings->device, &error);
  if (device == NULL) {
    gst_fovea_base_fail (self, GST_FOVEA_STAGE_DEVICE, error);
    return FALSE;
  }
  model = gst_fovea_model_open (device, settings,
      GST_FOVEA_BASE_GET_CLASS (self)->head, &error);
  if (model == NULL) {
    gst_fovea_base_fail (self, GST_FOVEA_STAGE_MODEL, error);
    return FALSE;
  }
  GST_INFO_OBJECT (self, "model %s on %s", model->name,
      fv_device_info (device)->name);
  g_mutex_lock (&priv->lock);
  priv->device = g_steal_pointer (&device);
  priv->model = g_steal_pointer (&model);
  g_mutex_unlock (&priv->lock);
  return TRUE;
}

static gboolean
open_model (GstFoveaBase *self)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstFoveaSettings settings = { 0 };
  gboolean result;

  close_model (priv);
  g_mutex_lock (&priv->lock);
  gst_fovea_settings_copy (&priv->settings, &settings);
  priv->model_reloads = priv->n_reloads;
  priv->device_set = FALSE;
  g_mutex_unlock (&priv->lock);
  result = open_with (self, &settings);
  gst_fovea_settings_clear (&settings);
  return result;
}

/* Another element may have met the loss of a device that this one was done with. */
static gboolean
is_broken (GstFoveaBasePrivate *priv)
{
  return priv->is_broken || (priv->device && fv_device_is_lost (priv->device));
}

/* READY to PAUSED: the plan, unless it has to wait for the caps. */
static gboolean
prepare (GstFoveaBase *self)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  g_autoptr (GError) error = NULL;
  GstFoveaModel *planned;
  gboolean is_stale;

  g_mutex_lock (&priv->lock);
  is_stale = priv->model == NULL || priv->n_reloads != priv->model_reloads
      || priv->device_set || is_broken (priv);
  priv->has_told = FALSE;
  memset (&priv->stats, 0, sizeof priv->stats);
  g_mutex_unlock (&priv->lock);
  if (is_stale && !open_model (self))
    return FALSE;
  if (priv->model->follows_caps) {
    GST_INFO_OBJECT (self,
        "%s leaves the size of its input free: the plan "
        "waits for the caps",
        priv->model->name);
    return TRUE;
  }
  planned = gst_fovea_model_plan (priv->model, 0, 0, &error);
  if (planned == NULL) {
    gst_fovea_base_fail (self, GST_FOVEA_STAGE_MODEL, error);
    close_model (priv); /* its weights may be spent */
    return FALSE;
  }
  gst_fovea_base_warn (self, planned);
  gst_fovea_model_unref (planned);
  return TRUE;
}

/* From here on what properties change is taken while frames flow; also what they
 * changed since the model was opened. */
static gboolean
begin_running (GstFoveaBase *self)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  g_autoptr (GError) error = NULL;
  gboolean is_late;

  if (!gst_fovea_runs_start (self, &error)) {
    gst_fovea_base_fail (self, GST_FOVEA_STAGE_RUN, error);
    return FALSE;
  }
  g_mutex_lock (&priv->lock);
  priv->is_running = TRUE;
  is_late = priv->n_reloads != priv->model_reloads;
  g_mutex_unlock (&priv->lock);
  if (is_late)
    gst_fovea_swap_begin (self);
  return TRUE;
}

static void
end_running (GstFoveaBase *self)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);

  g_mutex_lock (&priv->lock);
  priv->is_running = FALSE;
  g_mutex_unlock (&priv->lock);
  gst_fovea_swap_end (self);
  gst_fovea_runs_stop (self);
}

static GstStateChangeReturn
change_state (GstElement *element, GstStateChange transition)
{
  GstFoveaBase *self = GST_FOVEA_BASE (element);
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !open_model (self))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED
      && (!prepare (self) || !begin_running (self)))
    return GST_STATE_CHANGE_FAILURE;
  result = GST_ELEMENT_CLASS (gst_fovea_base_parent_class)
               ->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED
      && result == GST_STATE_CHANGE_FAILURE) {
    end_running (self);
  } else if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    end_running (self);
    gst_fovea_flow_reset (self);
    if (is_broken (priv))
      close_model (priv);
  } else if (transition == GST_STATE_CHANGE_READY_TO_NULL) {
    close_model (priv);
  }
  return result;
}

static void
finalize (GObject *object)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (GST_FOVEA_BASE (object));

  end_running (GST_FOVEA_BASE (object));
  gst_fovea_flow_reset (GST_FOVEA_BASE (object));
  close_model (priv);
  gst_fovea_settings_clear (&priv->settings);
  gst_queue_array_free (priv->queue);
  g_mutex_clear (&priv->lock);
  g_cond_clear (&priv->changed);
  G_OBJECT_CLASS (gst_fovea_base_parent_class)->finalize (object);
}

static void
gst_fovea_base_init (GstFoveaBase *self)
{
  GstFoveaBasePrivate *priv = gst_fovea_base_private (self);
  GstElementClass *klass = GST_ELEMENT_GET_CLASS (self);

  g_mutex_init (&priv->lock);
  g_cond_init (&priv->changed);
  gst_fovea_settings_init (&priv->settings);
  priv->queue = gst_queue_array_new_for_struct (sizeof (GstFoveaItem), 8);
  priv->flow = GST_FLOW_FLUSHING;
  priv->announced = priv->distributed = GST_CLOCK_TIME_NONE;
  priv->sinkpad = gst_pad_new_from_template (
      gst_element_class_get_pad_template (klass, "sink"), "sink");
  priv->srcpad = gst_pad_new_from_template (
      gst_element_class_get_pad_template (klass, "src"), "src");
  gst_fovea_flow_init (self);
  gst_element_add_pad (GST_ELEMENT (self), priv->sinkpad);
  gst_element_add_pad (GST_ELEMENT (self), priv->srcpad);
}

static void
gst_fovea_base_class_init (GstFoveaBaseClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  g_autoptr (GstCaps) caps = gst_fovea_caps_template ();

  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->dispatch_properties_changed = dispatch_properties_changed;
  object_class->finalize = finalize;
  element_class->change_state = change_state;
  gst_element_class_add_pad_template (element_class,
      gst_pad_template_new ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
  gst_element_class_add_pad_template (element_class,
      gst_pad_template_new ("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
  gst_fovea_settings_install (object_class);
  /**
   * GstFoveaBase:stats:
   *
   * The structure `fovea-stats`: `frames-in`, `frames-out`, `inferred`, `skipped`,
   * `dropped`, `bytes-uploaded`, `bytes-downloaded` and `memory-bytes` (uint64),
   * `in-flight` (uint: frames on their way, or on the device still though they left),
   * `gpu-ms-p50`, `-p95`, `-p99` and `wall-ms-p50`, `-p95`,
   * `-p99` (double), `host-ms-p50`, `-p95`, `-p99` (double: of the part of a model
   * whose shapes depend on data), `device` and `path` (string: where frames come from, and
   * which set of kernels serves the device).
   *
   * Since: 0.1
   */
  g_object_class_install_property (object_class, GST_FOVEA_PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "Counters since PAUSED, and percentiles of the last 256 frames in "
          "milliseconds: gpu-ms is the device's own time, host-ms that of the "
          "part of a model that runs on the host, wall-ms is from a frame's "
          "arrival (unless upstream is live: from when it is let in) until it is "
          "ready to be pushed. Every frame that came in is "
          "inferred, skipped, dropped or in flight. Posted as an element message "
          "at the end of the stream, too.",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  gst_type_mark_as_plugin_api (GST_TYPE_FOVEA_BASE, 0);
}

void
gst_fovea_base_class_set_head (GstFoveaBaseClass *klass, FvHeadKind head)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  klass->head = head;
  /* GObject forgets a parent's functions for the properties of a subclass. */
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  gst_fovea_settings_install_head (object_class, head);
}
