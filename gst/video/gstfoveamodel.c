/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/gstfoveamodel.h"


static const FvResizeMode resize_modes[] = {
  [GST_FOVEA_RESIZE_MODE_AUTO] = FV_RESIZE_AUTO,
  [GST_FOVEA_RESIZE_MODE_STRETCH] = FV_RESIZE_STRETCH,
  [GST_FOVEA_RESIZE_MODE_LETTERBOX] = FV_RESIZE_LETTERBOX,
  [GST_FOVEA_RESIZE_MODE_CROP] = FV_RESIZE_CROP,
};

static const FvChannels input_formats[] = {
  [GST_FOVEA_INPUT_FORMAT_AUTO] = FV_CHANNELS_AUTO,
  [GST_FOVEA_INPUT_FORMAT_RGB] = FV_CHANNELS_RGB,
  [GST_FOVEA_INPUT_FORMAT_BGR] = FV_CHANNELS_BGR,
  [GST_FOVEA_INPUT_FORMAT_GRAY] = FV_CHANNELS_GRAY,
};

static const FvType precisions[] = {
  [GST_FOVEA_PRECISION_AUTO] = FV_TYPE_NONE,
  [GST_FOVEA_PRECISION_F32] = FV_TYPE_F32,
  [GST_FOVEA_PRECISION_F16] = FV_TYPE_F16,
};

static void
fill_options (const GstFoveaSettings *settings, FvHeadKind kind,
    FvCardOptions *options)
{
  memset (options, 0, sizeof *options);
  options->head = kind;
  options->labels_file = settings->labels_file;
  options->labels = (const char *const *) settings->labels;
  options->input_width = settings->input_width;
  options->input_height = settings->input_height;
  options->resize = resize_modes[settings->resize_mode];
  options->channels = input_formats[settings->input_format];
  options->n_mean = settings->n_mean;
  options->n_std = settings->n_std;
  memcpy (options->mean, settings->mean, sizeof options->mean);
  memcpy (options->std, settings->std, sizeof options->std);
}

/* "squeezenet1_1" of ".../squeezenet1_1/model.onnx" and ".../squeezenet1_1.onnx" */
static char *
model_name (const char *path)
{
  g_autofree char *base = g_path_get_basename (path);
  char *dot = strrchr (base, '.');

  if (dot && dot != base)
    *dot = '\0';
  if (strcmp (base, "model") == 0) {
    g_autofree char *folder = g_path_get_dirname (path);
    g_autofree char *parent = g_path_get_basename (folder);

    if (strcmp (parent, ".") != 0 && strcmp (parent, "onnx") != 0)
      return g_steal_pointer (&parent);
  }
  return g_steal_pointer (&base);
}

static GstFoveaModel *
model_new (FvDevice *device, const GstFoveaSettings *settings, FvHeadKind kind)
{
  GstFoveaModel *model = g_new0 (GstFoveaModel, 1);

  g_atomic_ref_count_init (&model->ref);
  model->device = fv_device_ref (device);
  model->kind = kind;
  gst_fovea_settings_copy (settings, &model->settings);
  return model;
}

GstFoveaModel *
gst_fovea_model_open (FvDevice *device, const GstFoveaSettings *settings,
    FvHeadKind kind, GError **error)
{
  g_autoptr (GstFoveaModel) model = model_new (device, settings, kind);
  FvCardOptions options;

  fill_options (settings, kind, &options);
  model->card = fv_card_load (settings->model, &options, &model->model, error);
  if (model->card == NULL)
    return NULL;
  model->name = model_name (
      model->card->model_path ? model->card->model_path : settings->model);
  model->follows_caps =
      model->card->input.width == 0 || model->card->input.height == 0;
  return g_steal_pointer (&model);
}

/* One shape per model input: that of the image as the card has it, the others
 * as the model says. */
static FvShape *
input_shapes (const GstFoveaModel *model)
{
  const FvModelGraph *graph = model->model->graph;
  FvShape *shapes = g_new0 (FvShape, graph->n_inputs);

  for (guint i = 0; i < graph->n_inputs; i++) {
    shapes[i] = graph->inputs[i].shape;
    if (model->card->input.name && i == model->card->input.index)
      fv_card_input_shape (model->card, &shapes[i]);
  }
  return shapes;
}

static char *
head_names (const FvCard *card)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < card->n_heads; i++)
    g_string_append_printf (text, "%s%s \"%s\"", i ? ", " : "",
        fv_head_kind_name (card->heads[i].kind), card->heads[i].name);
  return g_string_free (text, text->len == 0);
}

/* No head of the wanted kind: says what the model has instead. */
static void
refuse_heads (GstFoveaModel *model, const FvShape *outputs, guint n_outputs,
    GError **error)
{
  g_autoptr (FvCard) card = NULL;
  g_autofree char *found = NULL;
  FvCardOptions options;

  fill_options (&model->settings, FV_HEAD_NONE, &options);
  card = fv_card_load (model->settings.model, &options, NULL, NULL);
  if (card && model->kind != FV_HEAD_NONE) {
    fv_card_choose_size (card, model->card->input.width,
        model->card->input.height);
    if (fv_card_bind_outputs (card, outputs, n_outputs, NULL))
      found = head_names (card);
  }
  if (found)
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "%s: expected a model with a %s head, it has %s", model->name,
        fv_head_kind_name (model->kind), found);
  else
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "%s: no head that is known fits its outputs; name one in a card "
        "beside the model, or use foveainfer with output-tensor-meta=true for "
        "the raw tensors",
        model->name);
}

static gboolean
bind_shapes (GstFoveaModel *model, const FvShape *shapes, guint n,
    GError **error)
{
  if (!fv_card_bind_outputs (model->card, shapes, n, error))
    return FALSE;
  if (gst_fovea_model_head (model, 0) || model->settings.output_tensor_meta)
    return TRUE;
  refuse_heads (model, shapes, n, error);
  return FALSE;
}

static gboolean
bind_heads (GstFoveaModel *model, GError **error)
{
  guint n = fv_graph_n_outputs (model->graph);
  g_autofree FvShape *shapes = g_new0 (FvShape, n);

  for (guint i = 0; i < n; i++)
    shapes[i] = fv_graph_output (model->graph, 0, i)->shape;
  return bind_shapes (model, shapes, n, error);
}

static gboolean
refuse_inputs (const GstFoveaModel *model, GError **error)
{
  const FvModelGraph *graph = model->model->graph;
  g_autofree char *shape = graph->n_inputs && graph->inputs[0].has_shape
      ? fv_shape_to_string (&graph->inputs[0].shape)
      : g_strdup ("without a shape");

  g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
      "%s: no input takes one frame (%s '%s' is %s), so no head can read what "
      "comes out, nor output-tensor-meta=true hand it on",
      model->name, graph->n_inputs > 1 ? "the first," : "its input",
      graph->n_inputs ? graph->inputs[0].name : "", shape);
  return FALSE;
}

/* What can be told before seconds go into a plan: whether frames go in, and whether
 * a head of the wanted kind fits what comes out. */
static gboolean
check_fit (GstFoveaModel *model, const FvShape *inputs, GError **error)
{
  const FvModelGraph *graph = model->model->graph;
  g_autofree FvShape *outputs = NULL;

  if (model->card->input.name == NULL)
    return refuse_inputs (model, error);
  if (gst_fovea_model_head (model, 0) || model->settings.output_tensor_meta)
    return TRUE;
  outputs = g_new0 (FvShape, graph->n_outputs + 1);
  return fv_graph_infer (model->model, inputs, graph->n_inputs, outputs, error)
      && bind_shapes (model, outputs, graph->n_outputs, error);
}

/* A card is written once, so each frame size has one of its own. */
static GstFoveaModel *
copy_for_size (GstFoveaModel *model, guint width, guint height, GError **error)
{
  g_autoptr (GstFoveaModel) copy =
      model_new (model->device, &model->settings, model->kind);
  FvCardOptions options;

  fill_options (&copy->settings, copy->kind, &options);
  copy->card =
      fv_card_load (copy->settings.model, &options, &copy->model, error);
  if (copy->card == NULL)
    return NULL;
  copy->name = g_strdup (model->name);
  copy->follows_caps = TRUE;
  fv_card_choose_size (copy->card, width, height);
  return g_steal_pointer (&copy);
}

/* One run more behind the warm-up: the latency that is told before any frame
 * came, and where the run is cut. */
static gboolean
measure (GstFoveaModel *model, GError **error)
{
  FvProgram *programs[1] = { fv_graph_program (model->graph, 0) };
  gint64 start = g_get_monotonic_time ();
  guint64 value;

  if (!fv_program_submit (programs, 1, &value, error)
      || !fv_device_wait (model->device, value, FV_WATCHDOG, error))
    return FALSE;
  model->run_time = (guint64) (g_get_monotonic_time () - start) * 1000;
  return fv_graph_divide (model->graph, error);
}

GstFoveaModel *
gst_fovea_model_plan (GstFoveaModel *model, guint width, guint height,
    GError **error)
{
  g_autoptr (GstFoveaModel) planned = NULL;
  g_autofree FvShape *shapes = NULL;
  FvGraphOptions options = { 0 };

  if (model->graph)
    return gst_fovea_model_ref (model);
  planned = model->follows_caps ? copy_for_size (model, width, height, error)
                                : gst_fovea_model_ref (model);
  if (planned == NULL)
    return NULL;
  shapes = input_shapes (planned);
  if (!check_fit (planned, shapes, error))
    return NULL;
  options.precision = precisions[planned->settings.precision];
  options.shapes = shapes;
  options.n_shapes = planned->model->graph->n_inputs;
  options.slots = planned->settings.max_in_flight;
  options.timing = TRUE;
  /* sizes that follow the caps may be planned again */
  options.take_weights = !planned->follows_caps;
  fv_card_input_range (&planned->card->input, &options.input_low,
      &options.input_high);
  planned->graph =
      fv_graph_new (planned->device, planned->model, &options, error);
  if (planned->graph == NULL)
    return NULL;
  if (!bind_heads (planned, error) || !measure (planned, error)) {
    g_clear_pointer (&planned->graph, fv_graph_unref);
    return NULL;
  }
  return g_steal_pointer (&planned);
}

GstFoveaModel *
gst_fovea_model_ref (GstFoveaModel *model)
{
  g_atomic_ref_count_inc (&model->ref);
  return model;
}

void
gst_fovea_model_unref (GstFoveaModel *model)
{
  if (model == NULL || !g_atomic_ref_count_dec (&model->ref))
    return;
  fv_graph_unref (model->graph);
  fv_card_unref (model->card);
  fv_model_unref (model->model);
  fv_device_unref (model->device);
  gst_fovea_settings_clear (&model->settings);
  g_free (model->name);
  g_free (model);
}

const FvCardHead *
gst_fovea_model_head (const GstFoveaModel *model, guint i)
{
  for (guint k = 0; k < model->card->n_heads; k++) {
    const FvCardHead *head = &model->card->heads[k];

    if (head->kind == FV_HEAD_NONE
        || (model->kind != FV_HEAD_NONE && head->kind != model->kind))
      continue;
    if (i-- == 0)
      return head;
  }
  return NULL;
}

gsize
gst_fovea_model_memory (const GstFoveaModel *model)
{
  FvGraphStats stats;

  if (model->graph == NULL)
    return 0;
  fv_graph_stats (model->graph, &stats);
  return stats.arena_bytes + stats.weight_bytes + stats.io_bytes;
}
