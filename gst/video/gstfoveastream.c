/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/gstfoveastream.h"
#include "gst/video/gstfoveaanalytics.h"
#include "gst/video/gstfoveaimages.h"
#include "gst/video/gstfoveapixels.h"
#include "gst/video/gstfoveaplace.h"
#include "gst/video/gstfoveaturn.h"

GST_DEBUG_CATEGORY_EXTERN (gst_fovea_base_debug);

#define MAX_SLOTS GST_FOVEA_MAX_IN_FLIGHT

/* Ways that a slot keeps: a pool that frames are read from in place is seldom
 * larger. */
#define MAX_WAYS 32

/* Of frames of one framing, of which there is nearly always one, and of one place,
 * of which there is one for each buffer of a pool. */
typedef struct
{
  GstFoveaFraming framing;
  GstFoveaPlace place;
  GstFoveaImport *import;
  FvProgram *program;
} Way;

typedef struct
{
  GPtrArray *ways; /* Way * */
  guint64 value; /* of the last submit: its upload buffer is read until then */
} Slot;

struct _GstFoveaStream
{
  gatomicrefcount ref;
  GstFoveaModel *model;
  GstVideoInfo info;
  GstVideoOrientationMethod turn;
  FvFrameMap map; /* of the picture upright */
  guint n_slots, next_slot;
  Slot slots[MAX_SLOTS];
  GPtrArray *decoders; /* GstFoveaDecoder *, of all slots */
  GPtrArray *extras; /* FvProgram *, that filled the further inputs */
  gsize memory; /* atomic: `stats` reads it from any thread */
  gint path; /* atomic: GstFoveaPath of the newest frame */
  guint n_producers;
  GstFoveaProducer *producers[FV_MAX_HEADS];
  GstFoveaProducer *tensor_producer;
  GstFoveaImages *images; /* (nullable): made with the first frame of images */
};

static void
extra_values (const GstFoveaStream *stream, const FvCardExtra *extra,
    double *values)
{
  double frame[2] = { stream->map.frame_width, stream->map.frame_height };
  double input[2] = { stream->map.input_width, stream->map.input_height };

  switch (extra->kind) {
    case FV_EXTRA_FRAME_WH:
    case FV_EXTRA_FRAME_HW:
      memcpy (values, frame, sizeof frame);
      break;
    case FV_EXTRA_INPUT_WH:
    case FV_EXTRA_INPUT_HW:
      memcpy (values, input, sizeof input);
      break;
    case FV_EXTRA_SCALE_WH:
    case FV_EXTRA_SCALE_HW:
      values[0] = input[0] / frame[0];
      values[1] = input[1] / frame[1];
      break;
    default:
      memcpy (values, extra->values, sizeof extra->values);
      return;
  }
  if (extra->kind == FV_EXTRA_FRAME_HW || extra->kind == FV_EXTRA_INPUT_HW
      || extra->kind == FV_EXTRA_SCALE_HW) {
    double width = values[0];

    values[0] = values[1];
    values[1] = width;
  }
}

/* Element @k of the port's tensor, row-major, as elements from its start. */
static gint64
port_position (const FvPort *port, gint64 k)
{
  gint64 position = port->offset;

  for (guint axis = port->shape.rank; axis-- > 0;) {
    position += (k % port->shape.dims[axis]) * port->strides[axis];
    k /= port->shape.dims[axis];
  }
  return position;
}

/* Fills one further input of one slot, once: nothing writes it again. */
static gboolean
fill_extra (GstFoveaStream *stream, const FvCardExtra *extra, guint slot,
    GError **error)
{
  const FvPort *port =
      fv_graph_input (stream->model->graph, slot, extra->index);
  guint n_values = extra->kind == FV_EXTRA_VALUES ? extra->n_values : 2;
  g_autoptr (FvBuffer) upload = NULL;
  g_autoptr (FvProgram) program = NULL;
  FvProgram *programs[1];
  double values[8] = { 0 };
  guint64 value;
  guint8 *data;

  upload = fv_buffer_new (stream->model->device, port->buffer_size,
      FV_MEMORY_UPLOAD, error);
  if (upload == NULL)
    return FALSE;
  data = fv_buffer_map (upload);
  memset (data, 0, port->buffer_size);
  extra_values (stream, extra, values);
  for (gint64 k = 0; n_values && k < fv_shape_count (&port->shape); k++) {
    gint64 position = port_position (port, k);
    float number = (float) values[k % n_values];

    if (port->type == FV_TYPE_F16)
      ((guint16 *) data)[position] = fv_f32_to_f16 (number);
    else
      ((float *) data)[position] = number;
  }
  program = fv_program_new (stream->model->device);
  fv_program_copy (program, upload, 0, port->buffer, port->buffer_offset,
      port->buffer_size);
  programs[0] = program;
  if (!fv_program_finish (program, error)
      || !fv_program_submit (programs, 1, &value, error))
    return FALSE;
  g_ptr_array_add (stream->extras, g_steal_pointer (&program));
  return TRUE;
}

static void
way_free (gpointer data)
{
  Way *way = data;

  fv_program_unref (way->program);
  gst_fovea_import_free (way->import);
  g_free (way);
}

static const Way *
add_way (GstFoveaStream *stream, guint slot, const GstFoveaFraming *framing,
    const GstFoveaPlace *place, GError **error)
{
  const FvCardInput *input = &stream->model->card->input;
  const FvPort *port =
      fv_graph_input (stream->model->graph, slot, input->index);
  Way *way = g_new0 (Way, 1);

  way->framing = *framing;
  way->place = *place;
  way->import = gst_fovea_import_new (stream->model->device, &stream->info,
      framing, place, input, port, &stream->map, error);
  if (way->import) {
    way->program = fv_program_new (stream->model->device);
    fv_program_enable_timing (way->program);
    gst_fovea_import_add (way->import, way->program);
  }
  if (way->import == NULL || !fv_program_finish (way->program, error)) {
    way_free (way);
    return NULL;
  }
  g_atomic_pointer_add (&stream->memory, gst_fovea_import_memory (way->import));
  g_ptr_array_add (stream->slots[slot].ways, way);
  return way;
}

/* The oldest but those of frames that are copied, with which a slot begins. */
static void
forget_way (GstFoveaStream *stream, guint slot)
{
  GPtrArray *ways = stream->slots[slot].ways;

  for (guint i = 0; i < ways->len; i++) {
    Way *way = g_ptr_array_index (ways, i);

    if (way->place.buffer == NULL)
      continue;
    g_atomic_pointer_add (&stream->memory,
        -(gssize) gst_fovea_import_memory (way->import));
    g_ptr_array_remove_index (ways, i);
    return;
  }
}

/* Nothing of the slot is on the device. */
static const Way *
find_way (GstFoveaStream *stream, guint slot, const GstFoveaFraming *framing,
    const GstFoveaPlace *place, GError **error)
{
  GPtrArray *ways = stream->slots[slot].ways;

  for (guint i = 0; i < ways->len; i++) {
    const Way *way = g_ptr_array_index (ways, i);

    if (way->framing.x == framing->x && way->framing.y == framing->y
        && way->framing.is_interlaced == framing->is_interlaced
        && gst_fovea_place_equal (&way->place, place))
      return way;
  }
  if (ways->len >= MAX_WAYS)
    forget_way (stream, slot);
  return add_way (stream, slot, framing, place, error);
}

static gboolean
prepare_slot (GstFoveaStream *stream, guint slot, GError **error)
{
  const FvCard *card = stream->model->card;
  GstFoveaFraming framing = { .turn = stream->turn };
  const GstFoveaPlace copied = { .path = GST_FOVEA_PATH_COPY };

  stream->slots[slot].ways = g_ptr_array_new_with_free_func (way_free);
  framing.is_interlaced = GST_VIDEO_INFO_INTERLACE_MODE (&stream->info)
      == GST_VIDEO_INTERLACE_MODE_INTERLEAVED;
  if (add_way (stream, slot, &framing, &copied, error) == NULL)
    return FALSE;
  for (guint i = 0; i < card->n_extras; i++)
    if (!fill_extra (stream, &card->extras[i], slot, error))
      return FALSE;
  return TRUE;
}

static GstFoveaDecoder *
add_decoder (GstFoveaStream *stream, guint slot, GError **error)
{
  GstFoveaDecoder *decoder = gst_fovea_decoder_new (stream->model, slot,
      &stream->map, gst_fovea_turn_flags (stream->turn), error);

  if (decoder == NULL)
    return NULL;
  g_ptr_array_add (stream->decoders, decoder);
  g_atomic_pointer_add (&stream->memory, gst_fovea_decoder_memory (decoder));
  return decoder;
}

/* Enough for a sink that keeps the last frame while the next one is drawn. */
static gboolean
prepare_decoders (GstFoveaStream *stream, GError **error)
{
  for (guint slot = 0; slot < stream->n_slots; slot++) {
    GstFoveaDecoder *decoder = add_decoder (stream, slot, error);

    if (decoder == NULL)
      return FALSE;
    if (gst_fovea_decoder_memory (decoder) > 0
        && add_decoder (stream, slot, error) == NULL)
      return FALSE;
  }
  return TRUE;
}

static void
prepare_producers (GstFoveaStream *stream, const char *element)
{
  const char *model = stream->model->name;
  const FvCardHead *head;

  while ((head = gst_fovea_model_head (stream->model, stream->n_producers)))
    stream->producers[stream->n_producers++] =
        gst_fovea_producer_new (element, model, head->name,
            GST_FOVEA_ROLE_RESULT, (const char *const *) head->labels);
  stream->tensor_producer = gst_fovea_producer_new (element, model, NULL,
      GST_FOVEA_ROLE_RESULT, NULL);
}

/* Where the picture lies in the input depends on its shape as it is seen; back to
 * the frame goes by its own pixels. */
static void
place_picture (GstFoveaStream *stream)
{
  gboolean is_swapped =
      (gst_fovea_turn_flags (stream->turn) & FV_FRAME_SWAP) != 0;
  guint size[2] = { (guint) GST_VIDEO_INFO_WIDTH (&stream->info),
    (guint) GST_VIDEO_INFO_HEIGHT (&stream->info) };
  guint width, height;

  gst_fovea_display_size (&stream->info, stream->turn, &width, &height);
  fv_frame_map_init (&stream->map, &stream->model->card->input, width, height);
  stream->map.frame_width = size[is_swapped];
  stream->map.frame_height = size[!is_swapped];
}

GstFoveaStream *
gst_fovea_stream_new (GstFoveaModel *model, const GstVideoInfo *info,
    GstVideoOrientationMethod turn, const char *element, GError **error)
{
  g_autoptr (GstFoveaStream) stream = g_new0 (GstFoveaStream, 1);

  g_atomic_ref_count_init (&stream->ref);
  stream->model = gst_fovea_model_ref (model);
  stream->info = *info;
  stream->turn = turn;
  stream->n_slots = MIN (fv_graph_n_slots (model->graph), MAX_SLOTS);
  stream->decoders =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_fovea_decoder_free);
  stream->extras =
      g_ptr_array_new_with_free_func ((GDestroyNotify) fv_program_unref);
  place_picture (stream);
  prepare_producers (stream, element);
  for (guint slot = 0; slot < stream->n_slots; slot++)
    if (!prepare_slot (stream, slot, error))
      return NULL;
  if (!prepare_decoders (stream, error))
    return NULL;
  return g_steal_pointer (&stream);
}

GstFoveaStream *
gst_fovea_stream_ref (GstFoveaStream *stream)
{
  g_atomic_ref_count_inc (&stream->ref);
  return stream;
}

void
gst_fovea_stream_unref (GstFoveaStream *stream)
{
  if (stream == NULL || !g_atomic_ref_count_dec (&stream->ref))
    return;
  g_ptr_array_unref (stream->decoders);
  g_ptr_array_unref (stream->extras);
  for (guint slot = 0; slot < stream->n_slots; slot++)
    if (stream->slots[slot].ways)
      g_ptr_array_unref (stream->slots[slot].ways);
  for (guint i = 0; i < stream->n_producers; i++)
    gst_fovea_producer_unref (stream->producers[i]);
  gst_fovea_producer_unref (stream->tensor_producer);
  gst_fovea_images_free (stream->images);
  gst_fovea_model_unref (stream->model);
  g_free (stream);
}

const GstVideoInfo *
gst_fovea_stream_info (GstFoveaStream *stream)
{
  return &stream->info;
}

void
gst_fovea_stream_display_size (GstFoveaStream *stream, guint *width,
    guint *height)
{
  gst_fovea_display_size (&stream->info, stream->turn, width, height);
}

GstVideoOrientationMethod
gst_fovea_stream_turn (GstFoveaStream *stream)
{
  return stream->turn;
}

gboolean
gst_fovea_stream_is_alike (GstFoveaStream *stream, GstFoveaStream *other)
{
  return stream == other
      || (gst_video_info_is_equal (&stream->info, &other->info)
          && stream->turn == other->turn);
}

GstFoveaModel *
gst_fovea_stream_model (GstFoveaStream *stream)
{
  return stream->model;
}

gsize
gst_fovea_stream_memory (GstFoveaStream *stream)
{
  return (gsize) g_atomic_pointer_get (&stream->memory);
}

static GstFoveaDecoder *
idle_decoder (GstFoveaStream *stream, guint slot, GError **error)
{
  for (guint i = 0; i < stream->decoders->len; i++) {
    GstFoveaDecoder *decoder = g_ptr_array_index (stream->decoders, i);

    if (gst_fovea_decoder_slot (decoder) == slot
        && gst_fovea_decoder_is_idle (decoder))
      return decoder;
  }
  return add_decoder (stream, slot, error);
}

static void
note_path (GstFoveaStream *stream, GstFoveaPath path)
{
  if (g_atomic_int_get (&stream->path) == (gint) path)
    return;
  GST_CAT_INFO (gst_fovea_base_debug, "frames of %s come by: %s",
      stream->model->name, gst_fovea_path_name (path));
  g_atomic_int_set (&stream->path, (gint) path);
}

const char *
gst_fovea_stream_path (GstFoveaStream *stream)
{
  return gst_fovea_path_name (g_atomic_int_get (&stream->path));
}

static gboolean
bring_frame (GstFoveaStream *stream, const Way *way, const GstVideoFrame *frame,
    gsize *uploaded, GError **error)
{
  *uploaded = 0;
  if (way->place.path != GST_FOVEA_PATH_IMAGE) {
    gst_fovea_place_wait (&way->place, frame->buffer);
    *uploaded = gst_fovea_import_upload (way->import, frame);
    return TRUE;
  }
  if (stream->images == NULL)
    stream->images = gst_fovea_images_new (stream->model->device, error);
  return stream->images
      && gst_fovea_import_read (way->import, stream->images, frame, error);
}

gboolean
gst_fovea_stream_submit (GstFoveaStream *stream, GstVideoFrame *frame,
    const GstFoveaSettings *settings, GstFoveaTicket *ticket, gsize *uploaded,
    GError **error)
{
  guint slot = stream->next_slot;
  Slot *s = &stream->slots[slot];
  GstFoveaFraming framing = { .turn = stream->turn };
  FvProgram *programs[3];
  GstFoveaDecoder *decoder;
  GstFoveaPlace place;
  const Way *way;

  if (!gst_fovea_framing_init (&framing, &stream->info, frame, error))
    return FALSE;
  /* Only a frame that was given up can still be on its way here. */
  if (s->value
      && !fv_device_wait (stream->model->device, s->value, FV_WATCHDOG, error))
    return FALSE;
  gst_fovea_place_init (&place, stream->model->device, &stream->info, &framing,
      frame);
  way = find_way (stream, slot, &framing, &place, error);
  decoder = way ? idle_decoder (stream, slot, error) : NULL;
  if (decoder == NULL)
    return FALSE;
  note_path (stream, place.path);
  if (!bring_frame (stream, way, frame, uploaded, error))
    return FALSE;
  gst_fovea_decoder_take (decoder, settings);
  programs[0] = way->program;
  programs[1] = fv_graph_program (stream->model->graph, slot);
  programs[2] = gst_fovea_decoder_program (decoder);
  if (!fv_program_submit_background (programs, 3, &s->value, error)) {
    gst_fovea_decoder_leave (decoder);
    return FALSE;
  }
  if (place.buffer || place.path == GST_FOVEA_PATH_IMAGE)
    ticket->held = gst_buffer_ref (frame->buffer);
  stream->next_slot = (slot + 1) % stream->n_slots;
  ticket->decoder = decoder;
  ticket->import = fv_program_ref (way->program);
  ticket->value = s->value;
  return TRUE;
}

gboolean
gst_fovea_stream_wait (GstFoveaStream *stream, const GstFoveaTicket *ticket,
    GError **error)
{
  return fv_device_wait (stream->model->device, ticket->value, FV_WATCHDOG,
      error);
}

static double
program_milliseconds (FvProgram *program)
{
  double seconds = 0.0;

  for (guint i = 0; i < fv_program_n_dispatches (program); i++) {
    double part = fv_program_seconds (program, i);

    if (part < 0.0)
      return -1.0;
    seconds += part;
  }
  return seconds * 1000.0;
}

static double
ticket_milliseconds (GstFoveaStream *stream, const GstFoveaTicket *ticket)
{
  guint slot = gst_fovea_decoder_slot (ticket->decoder);
  FvProgram *programs[3] = {
    ticket->import,
    fv_graph_program (stream->model->graph, slot),
    gst_fovea_decoder_program (ticket->decoder),
  };
  double sum = 0.0;

  for (guint i = 0; i < G_N_ELEMENTS (programs); i++) {
    double part = program_milliseconds (programs[i]);

    if (part < 0.0)
      return -1.0;
    sum += part;
  }
  return sum;
}

gboolean
gst_fovea_stream_collect (GstFoveaStream *stream, GstFoveaTicket *ticket,
    GstClockTime pts, GstFoveaAnswer *answer, GstFoveaCost *cost,
    GError **error)
{
  double gpu = ticket_milliseconds (stream, ticket);
  gboolean ok;

  gst_fovea_answer_reset (answer);
  answer->pts = pts;
  gst_clear_buffer (&ticket->held);
  ok = gst_fovea_decoder_collect (ticket->decoder, ticket->value,
      stream->producers, answer, cost, error);
  cost->gpu = gpu;
  g_clear_pointer (&ticket->import, fv_program_unref);
  ticket->decoder = NULL;
  return ok;
}

static void
release_buffer (gpointer buffer)
{
  gst_buffer_unref (buffer);
}

void
gst_fovea_stream_cancel (GstFoveaStream *stream, GstFoveaTicket *ticket)
{
  if (ticket->decoder == NULL)
    return;
  /* Its parameters are read by the device until it is through; an error here
   * is met again by the frame that comes next. */
  fv_device_wait (stream->model->device, ticket->value, FV_WATCHDOG, NULL);
  if (ticket->held)
    fv_device_release (stream->model->device, release_buffer,
        g_steal_pointer (&ticket->held));
  gst_fovea_decoder_leave (ticket->decoder);
  g_clear_pointer (&ticket->import, fv_program_unref);
  ticket->decoder = NULL;
}

static const GstFoveaDepthKind depth_kinds[] = {
  [FV_DEPTH_INVERSE] = GST_FOVEA_DEPTH_INVERSE,
  [FV_DEPTH_METRIC] = GST_FOVEA_DEPTH_METRIC,
};

/* How many class ids a map can have; those from there on are no class. */
static guint
count_classes (const FvCardHead *head, const GstFoveaPlane *map)
{
  if (head->n_classes > 0)
    return head->n_classes;
  if (head->labels)
    return g_strv_length (head->labels);
  return map->format == GST_FOVEA_PLANE_U8 ? 255 : 65535;
}

/* The class that is drawn as nothing: what is not the one thing that a model
 * with a single map finds, or what the card says. */
static gint
background_class (const FvCardHead *head)
{
  if (head->masks.kind != FV_MASKS_NONE)
    return -1;
  if (head->channel_axis < 0 && !head->class_map)
    return 0;
  return head->background;
}

/* Of frames as they are stored. */
static guint
frame_width (const GstFoveaStream *stream)
{
  return (guint) GST_VIDEO_INFO_WIDTH (&stream->info);
}

static guint
frame_height (const GstFoveaStream *stream)
{
  return (guint) GST_VIDEO_INFO_HEIGHT (&stream->info);
}

static void
attach_classes (const GstFoveaStream *stream, guint i,
    const GstFoveaAnswer *answer, GstBuffer *buffer)
{
  GArray *classes = answer->results[i].classes;

  for (guint k = 0; k < classes->len; k++) {
    const GstFoveaClass *c = &g_array_index (classes, GstFoveaClass, k);

    gst_fovea_buffer_add_frame_class (buffer, stream->producers[i], answer->pts,
        (gint) c->class_id, c->score, frame_width (stream),
        frame_height (stream));
  }
}

static void
attach_boxes (const GstFoveaStream *stream, guint i,
    const GstFoveaAnswer *answer, GstBuffer *buffer)
{
  GArray *boxes = answer->results[i].boxes;

  for (guint k = 0; k < boxes->len; k++) {
    GstFoveaBox box = g_array_index (boxes, GstFoveaBox, k);
    GstVideoRegionOfInterestMeta *meta;

    gst_fovea_turn_box (gst_fovea_turn_flags (stream->turn),
        frame_width (stream), frame_height (stream), &box);
    meta = gst_fovea_buffer_add_detection (buffer, stream->producers[i],
        answer->pts, (gint) box.class_id, box.score, box.x, box.y, box.width,
        box.height, frame_width (stream), frame_height (stream));
    if (meta && box.instance)
      gst_fovea_region_set_instance (meta, box.instance);
  }
}

static void
attach_head (GstFoveaStream *stream, guint i, const GstFoveaAnswer *answer,
    GstBuffer *buffer)
{
  const FvCardHead *head = gst_fovea_model_head (stream->model, i);
  GstFoveaPlane *map = answer->maps[i];
  guint width = frame_width (stream);
  guint height = frame_height (stream);

  if (head->kind == FV_HEAD_CLASSIFY)
    attach_classes (stream, i, answer, buffer);
  if (head->kind == FV_HEAD_DETECT || head->kind == FV_HEAD_SEGMENT)
    attach_boxes (stream, i, answer, buffer);
  if (head->kind == FV_HEAD_SEGMENT && map) {
    GstFoveaSegmentationMeta *meta =
        gst_fovea_buffer_add_segmentation (buffer, map, answer->mattes[i],
            count_classes (head, map), background_class (head), width, height);

    if (meta)
      gst_fovea_segmentation_meta_set_instances (meta, answer->instances[i]);
  }
  if (head->kind == FV_HEAD_DEPTH && map)
    gst_fovea_buffer_add_depth (buffer, map, depth_kinds[head->depth], width,
        height);
}

static void
attach_tensor (GstFoveaStream *stream, guint i, const GstFoveaAnswer *answer,
    GstBuffer *buffer)
{
  const FvPort *port = fv_graph_output (stream->model->graph, 0, i);

  gst_fovea_buffer_add_tensor (buffer, stream->tensor_producer, answer->pts,
      port->name, port->type, &port->shape, port->strides, answer->tensors[i]);
}

/* What the host made, in the model's type and without pads. */
static void
attach_array (GstFoveaStream *stream, guint i, const GstFoveaAnswer *answer,
    GstBuffer *buffer)
{
  const FvPort *port = fv_graph_output (stream->model->graph, 0, i);
  FvArray *array = answer->arrays[i];
  GstBuffer *data = gst_buffer_new ();

  if (array->size)
    gst_buffer_append_memory (data,
        gst_memory_new_wrapped (GST_MEMORY_FLAG_READONLY, array->data,
            array->size, 0, array->size, fv_array_ref (array),
            (GDestroyNotify) fv_array_unref));
  gst_fovea_buffer_add_tensor (buffer, stream->tensor_producer, answer->pts,
      port->name, array->type, &array->shape, NULL, data);
  gst_buffer_unref (data);
}

void
gst_fovea_stream_attach (GstFoveaStream *stream, const GstFoveaAnswer *answer,
    GstBuffer *buffer)
{
  for (guint i = 0; i < answer->n_heads; i++)
    attach_head (stream, i, answer, buffer);
  for (guint i = 0; i < answer->n_tensors; i++)
    if (answer->tensors[i])
      attach_tensor (stream, i, answer, buffer);
    else if (answer->arrays[i])
      attach_array (stream, i, answer, buffer);
  gst_fovea_buffer_add_analytics (buffer, stream->tensor_producer->element);
}
