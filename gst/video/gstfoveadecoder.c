/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/gstfoveadecoder.h"
#include "gst/video/gstfoveamemory.h"
#include "gst/video/gstfoveaturn.h"

/* Counts who uses the maps: the decoder itself, and each GstMemory that is out.
 * Apart from the decoder, so that a mask that an application keeps does not
 * keep the model too. */
typedef struct
{
  gatomicrefcount users;
} Lease;

struct _GstFoveaDecoder
{
  GstFoveaModel *model; /* keeps ports and card */
  guint slot;
  gint taken; /* atomic */
  Lease *lease;
  guint n_heads;
  GstFoveaHead *heads[FV_MAX_HEADS];
  GstFoveaHeadMap maps[FV_MAX_HEADS]; /* of pictures that lie turned; own their
                                         buffers, NULL: the head's own map */
  guint n_tensors;
  FvBuffer **tensors; /* by output of the model */
  guint n_tail;
  FvBuffer **tail; /* (nullable) each: what the host tail reads, mapped */
  FvProgram *program;
  gsize memory;
};

void
gst_fovea_answer_init (GstFoveaAnswer *answer)
{
  memset (answer, 0, sizeof *answer);
  answer->pts = GST_CLOCK_TIME_NONE;
  for (guint i = 0; i < FV_MAX_HEADS; i++)
    gst_fovea_result_init (&answer->results[i]);
}

void
gst_fovea_answer_reset (GstFoveaAnswer *answer)
{
  for (guint i = 0; i < FV_MAX_HEADS; i++) {
    g_clear_pointer (&answer->maps[i], gst_fovea_plane_unref);
    g_clear_pointer (&answer->mattes[i], gst_fovea_plane_unref);
    g_clear_pointer (&answer->instances[i], gst_fovea_plane_unref);
  }
  for (guint i = 0; i < answer->n_tensors; i++)
    gst_clear_buffer (&answer->tensors[i]);
  for (guint i = 0; i < answer->n_tensors; i++)
    g_clear_pointer (&answer->arrays[i], fv_array_unref);
  answer->n_heads = 0;
  answer->pts = GST_CLOCK_TIME_NONE;
}

void
gst_fovea_answer_clear (GstFoveaAnswer *answer)
{
  gst_fovea_answer_reset (answer);
  for (guint i = 0; i < FV_MAX_HEADS; i++)
    gst_fovea_result_clear (&answer->results[i]);
  g_free (answer->tensors);
  g_free (answer->arrays);
  memset (answer, 0, sizeof *answer);
}

static void
lease_unref (Lease *lease)
{
  if (lease && g_atomic_ref_count_dec (&lease->users))
    g_free (lease);
}

/* A weak notification of a GstMemory: its last user is done with it. */
static void
memory_released (gpointer lease, GstMiniObject *memory)
{
  lease_unref (lease);
}

static GstBuffer *
lend_buffer (GstFoveaDecoder *decoder, FvBuffer *device, gsize offset,
    gsize size, guint64 value)
{
  GstMemory *memory = gst_fovea_memory_new (device, offset, size);
  GstBuffer *buffer = gst_buffer_new ();

  g_atomic_ref_count_inc (&decoder->lease->users);
  gst_mini_object_weak_ref (GST_MINI_OBJECT_CAST (memory), memory_released,
      decoder->lease);
  gst_buffer_append_memory (buffer, memory);
  gst_fovea_buffer_set_written (buffer, value);
  return buffer;
}

/* Raw outputs leave the slot, which the frame after the next one overwrites. The
 * copy starts with the tensor's first element: a meta knows no offset. */
static gboolean
add_tensors (GstFoveaDecoder *decoder, GError **error)
{
  FvGraph *graph = decoder->model->graph;
  guint n = fv_graph_n_outputs (graph);

  decoder->tensors = g_new0 (FvBuffer *, n);
  decoder->n_tensors = n;
  for (guint i = 0; i < n; i++) {
    const FvPort *port = fv_graph_output (graph, decoder->slot, i);

    gsize skip = (gsize) port->offset * fv_type_size (port->type);
    gsize size;

    if (port->buffer_size <= skip)
      continue;
    size = port->buffer_size - skip;
    decoder->tensors[i] =
        fv_buffer_new (decoder->model->device, size, FV_MEMORY_DEVICE, error);
    if (decoder->tensors[i] == NULL)
      return FALSE;
    decoder->memory += size;
    fv_program_copy (decoder->program, port->buffer, port->buffer_offset + skip,
        decoder->tensors[i], 0, size);
  }
  return TRUE;
}

/* What the host tail reads, for the same reason. */
static gboolean
add_tail (GstFoveaDecoder *decoder, GError **error)
{
  FvGraph *graph = decoder->model->graph;

  decoder->n_tail = fv_graph_n_tail_inputs (graph);
  decoder->tail = g_new0 (FvBuffer *, decoder->n_tail + 1);
  for (guint i = 0; i < decoder->n_tail; i++) {
    const FvPort *port = fv_graph_tail_input (graph, decoder->slot, i);

    if (port->buffer == NULL)
      continue;
    decoder->tail[i] = fv_buffer_new (decoder->model->device, port->buffer_size,
        FV_MEMORY_DOWNLOAD, error);
    if (decoder->tail[i] == NULL)
      return FALSE;
    fv_program_copy (decoder->program, port->buffer, port->buffer_offset,
        decoder->tail[i], 0, port->buffer_size);
  }
  return TRUE;
}

/* (nullable) the map of head @i as it lies over the frame */
static const GstFoveaHeadMap *
frame_map (const GstFoveaDecoder *decoder, guint i)
{
  if (decoder->maps[i].buffer)
    return &decoder->maps[i];
  return gst_fovea_head_map (decoder->heads[i]);
}

static gboolean
turn_map (GstFoveaDecoder *decoder, guint i, guint turn, GError **error)
{
  const GstFoveaHeadMap *map = gst_fovea_head_map (decoder->heads[i]);
  GstFoveaHeadMap *turned = &decoder->maps[i];

  if (turn == 0 || map == NULL || map->format == GST_FOVEA_HEAD_MAP_NONE)
    return TRUE;
  if (!gst_fovea_turn_map (decoder->model->device, decoder->program, turn, map,
          turned, error))
    return FALSE;
  decoder->memory += fv_buffer_size (turned->buffer);
  return TRUE;
}

static gboolean
add_heads (GstFoveaDecoder *decoder, const FvFrameMap *map, guint turn,
    GError **error)
{
  FvGraph *graph = decoder->model->graph;
  guint n = fv_graph_n_outputs (graph);
  g_autofree const FvPort **ports = g_new0 (const FvPort *, n);
  const FvCardHead *card;

  for (guint i = 0; i < n; i++)
    ports[i] = fv_graph_output (graph, decoder->slot, i);
  while ((card = gst_fovea_model_head (decoder->model, decoder->n_heads))) {
    const GstFoveaHeadMap *head_map;
    GstFoveaHead *head =
        gst_fovea_head_new (decoder->model->device, card, ports, n, map, error);

    if (head == NULL)
      return FALSE;
    decoder->heads[decoder->n_heads++] = head;
    gst_fovea_head_add (head, decoder->program);
    head_map = gst_fovea_head_map (head);
    if (head_map)
      decoder->memory += gst_fovea_head_memory (head);
    if (!turn_map (decoder, decoder->n_heads - 1, turn, error))
      return FALSE;
  }
  return TRUE;
}

GstFoveaDecoder *
gst_fovea_decoder_new (GstFoveaModel *model, guint slot, const FvFrameMap *map,
    guint turn, GError **error)
{
  g_autoptr (GstFoveaDecoder) decoder = g_new0 (GstFoveaDecoder, 1);

  decoder->model = gst_fovea_model_ref (model);
  decoder->slot = slot;
  decoder->lease = g_new0 (Lease, 1);
  g_atomic_ref_count_init (&decoder->lease->users);
  decoder->program = fv_program_new (model->device);
  fv_program_enable_timing (decoder->program);
  if (!add_heads (decoder, map, turn, error) || !add_tail (decoder, error))
    return NULL;
  if (model->settings.output_tensor_meta && !add_tensors (decoder, error))
    return NULL;
  if (!fv_program_finish (decoder->program, error))
    return NULL;
  return g_steal_pointer (&decoder);
}

void
gst_fovea_decoder_free (GstFoveaDecoder *decoder)
{
  if (decoder == NULL)
    return;
  fv_program_unref (decoder->program);
  for (guint i = 0; i < decoder->n_heads; i++) {
    gst_fovea_head_free (decoder->heads[i]);
    fv_buffer_unref (decoder->maps[i].buffer);
  }
  for (guint i = 0; i < decoder->n_tensors; i++)
    fv_buffer_unref (decoder->tensors[i]);
  g_free (decoder->tensors);
  for (guint i = 0; i < decoder->n_tail; i++)
    fv_buffer_unref (decoder->tail[i]);
  g_free (decoder->tail);
  lease_unref (decoder->lease);
  gst_fovea_model_unref (decoder->model);
  g_free (decoder);
}

guint
gst_fovea_decoder_slot (GstFoveaDecoder *decoder)
{
  return decoder->slot;
}

gsize
gst_fovea_decoder_memory (GstFoveaDecoder *decoder)
{
  return decoder->memory;
}

FvProgram *
gst_fovea_decoder_program (GstFoveaDecoder *decoder)
{
  return decoder->program;
}

gboolean
gst_fovea_decoder_is_idle (GstFoveaDecoder *decoder)
{
  return !g_atomic_int_get (&decoder->taken)
      && g_atomic_ref_count_compare (&decoder->lease->users, 1);
}

static void
set_params (GstFoveaHead *head, const GstFoveaSettings *settings)
{
  GstFoveaHeadParams params;

  gst_fovea_head_params_init (&params, gst_fovea_head_card (head));
  if (settings->threshold > 0.0)
    params.threshold = (float) settings->threshold;
  if (settings->iou_threshold > 0.0)
    params.iou_threshold = (float) settings->iou_threshold;
  if (settings->max_detections > 0) {
    params.max_detections =
        MIN (settings->max_detections, GST_FOVEA_MAX_CANDIDATES);
    params.max_classes = MIN (settings->max_detections, GST_FOVEA_MAX_CLASSES);
  }
  gst_fovea_head_set_params (head, &params);
}

void
gst_fovea_decoder_take (GstFoveaDecoder *decoder,
    const GstFoveaSettings *settings)
{
  g_atomic_int_set (&decoder->taken, TRUE);
  for (guint i = 0; i < decoder->n_heads; i++)
    set_params (decoder->heads[i], settings);
}

void
gst_fovea_decoder_leave (GstFoveaDecoder *decoder)
{
  g_atomic_int_set (&decoder->taken, FALSE);
}

static const GstFoveaPlaneFormat plane_formats[] = {
  [GST_FOVEA_HEAD_MAP_U8] = GST_FOVEA_PLANE_U8,
  [GST_FOVEA_HEAD_MAP_U16] = GST_FOVEA_PLANE_U16,
  [GST_FOVEA_HEAD_MAP_F32] = GST_FOVEA_PLANE_F32,
};

/* What lies over the frame: the map of head @i, and what goes with it. */
static void
lend_planes (GstFoveaDecoder *decoder, guint i, guint64 value,
    GstFoveaProducer *producer, GstFoveaAnswer *answer)
{
  const GstFoveaHeadMap *map = frame_map (decoder, i);

  if (map == NULL || map->format == GST_FOVEA_HEAD_MAP_NONE)
    return;
  answer->maps[i] = gst_fovea_plane_new (producer, answer->pts,
      plane_formats[map->format], map->width, map->height, (guint) map->stride,
      lend_buffer (decoder, map->buffer, 0, map->size, value));
  if (map->matte)
    answer->mattes[i] = gst_fovea_plane_new (producer, answer->pts,
        GST_FOVEA_PLANE_U8, map->width, map->height, (guint) map->stride,
        lend_buffer (decoder, map->buffer, map->matte, map->size, value));
  if (map->instances)
    answer->instances[i] =
        gst_fovea_plane_new (producer, answer->pts, GST_FOVEA_PLANE_U8,
            map->width, map->height, (guint) map->instance_stride,
            lend_buffer (decoder, map->buffer, map->instances,
                map->instance_stride * map->height, value));
}

/* The outputs of a model with a host tail. *@arrays: (out): by output; NULL where
 * there is no tail. */
static gboolean
run_tail (GstFoveaDecoder *decoder, FvArray ***arrays, GstFoveaCost *cost,
    GError **error)
{
  FvGraph *graph = decoder->model->graph;
  g_autofree gpointer *regions = g_new0 (gpointer, decoder->n_tail + 1);
  gint64 start = g_get_monotonic_time ();

  *arrays = NULL;
  if (decoder->n_tail == 0)
    return TRUE;
  for (guint i = 0; i < decoder->n_tail; i++)
    if (decoder->tail[i]) {
      regions[i] = fv_buffer_map (decoder->tail[i]);
      cost->downloaded += fv_buffer_size (decoder->tail[i]);
    }
  *arrays = g_new0 (FvArray *, fv_graph_n_outputs (graph) + 1);
  if (!fv_graph_run_tail (graph, regions, *arrays, error)) {
    g_clear_pointer (arrays, g_free);
    return FALSE;
  }
  cost->host = (g_get_monotonic_time () - start) / 1000.0;
  return TRUE;
}

/* Result and map of head @i. */
static gboolean
collect_head (GstFoveaDecoder *decoder, guint i, FvArray *const *arrays,
    guint64 value, GstFoveaProducer *producer, GstFoveaAnswer *answer,
    GError **error)
{
  GstFoveaHead *head = decoder->heads[i];

  if (gst_fovea_head_is_on_host (head)
      && !gst_fovea_head_take_arrays (head, arrays, error))
    return FALSE;
  gst_fovea_head_read (head, &answer->results[i]);
  lend_planes (decoder, i, value, producer, answer);
  return TRUE;
}

static void
collect_tensors (GstFoveaDecoder *decoder, FvArray *const *arrays,
    guint64 value, GstFoveaAnswer *answer)
{
  if (decoder->n_tensors != answer->n_tensors) {
    answer->tensors =
        g_renew (GstBuffer *, answer->tensors, decoder->n_tensors);
    answer->arrays = g_renew (FvArray *, answer->arrays, decoder->n_tensors);
    answer->n_tensors = decoder->n_tensors;
  }
  for (guint i = 0; i < decoder->n_tensors; i++) {
    gboolean is_device = decoder->tensors[i] != NULL;

    answer->tensors[i] = is_device ? lend_buffer (decoder, decoder->tensors[i],
                             0, fv_buffer_size (decoder->tensors[i]), value)
                                   : NULL;
    answer->arrays[i] = !is_device && arrays ? fv_array_ref (arrays[i]) : NULL;
  }
}

gboolean
gst_fovea_decoder_collect (GstFoveaDecoder *decoder, guint64 value,
    GstFoveaProducer *const *producers, GstFoveaAnswer *answer,
    GstFoveaCost *cost, GError **error)
{
  FvArray **arrays = NULL;
  gboolean ok;

  *cost = (GstFoveaCost){ 0, -1, -1 };
  ok = run_tail (decoder, &arrays, cost, error);
  answer->n_heads = ok ? decoder->n_heads : 0;
  for (guint i = 0; ok && i < decoder->n_heads; i++) {
    const GstFoveaResult *result = &answer->results[i];

    ok = collect_head (decoder, i, arrays, value, producers[i], answer, error);
    cost->downloaded += result->boxes->len * sizeof (GstFoveaBox)
        + result->classes->len * sizeof (GstFoveaClass);
  }
  if (ok)
    collect_tensors (decoder, arrays, value, answer);
  for (guint i = 0; arrays && arrays[i]; i++)
    fv_array_unref (arrays[i]);
  g_free (arrays);
  g_atomic_int_set (&decoder->taken, FALSE);
  return ok;
}
