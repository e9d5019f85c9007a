/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/head-bench.h"

#define WAIT_NS G_GUINT64_CONSTANT (20000000000)

static void
no_error (GError *error)
{
  ck_assert_msg (error == NULL, "%s", error ? error->message : "");
}

static float
random_float (double low, double high)
{
  return (float) g_random_double_range (low, high);
}

void
bench_init (Bench *b, gint variant, const char *card, const char *input,
    const char *outputs, guint frame_width, guint frame_height)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = fv_test_write ("head.modelinfo", card, strlen (card));
  FvCardOptions options = { .card = path };
  FvShape shapes[12];

  memset (b, 0, sizeof *b);
  g_random_set_seed (7);
  b->type = variant ? FV_TYPE_F16 : FV_TYPE_F32;
  b->device = fv_device_open (NULL, &error);
  no_error (error);
  b->model = card_maker_model (input, outputs, NULL);
  b->card = fv_card_new (b->model, NULL, &options, &error);
  no_error (error);
  b->n = b->model->graph->n_outputs;
  for (guint i = 0; i < b->n; i++) {
    shapes[i] = b->model->graph->outputs[i].shape;
    b->arrays[i] = fv_array_new (FV_TYPE_F32, &shapes[i], &error);
    no_error (error);
    for (gint64 k = 0; k < b->arrays[i]->count; k++)
      b->arrays[i]->f32[k] = random_float (-4, 4);
  }
  ck_assert (fv_card_bind_outputs (b->card, shapes, b->n, &error));
  ck_assert_uint_eq (b->card->n_heads, 1);
  fv_frame_map_init (&b->map, &b->card->input, frame_width, frame_height);
  gst_fovea_result_init (&b->result);
}

/* Free sizes are those of the stored input. */
static void
choose_size (FvCard *card, const char *folder)
{
  g_autofree char *name = g_strdup_printf ("%s/test_data_set_0/input_%u.pb",
      folder, card->input.index);
  g_autoptr (GError) error = NULL;
  g_autoptr (FvArray) image = fv_array_load_pb (name, NULL, &error);
  guint row = card->input.layout == FV_LAYOUT_NCHW ? 2 : 1;

  no_error (error);
  fv_card_choose_size (card, (guint) image->shape.dims[row + 1],
      (guint) image->shape.dims[row]);
}

void
bench_load (Bench *b, const char *path, const char *folder, guint frame_width,
    guint frame_height)
{
  g_autoptr (GError) error = NULL;
  FvShape shapes[12];

  memset (b, 0, sizeof *b);
  b->device = fv_device_open (NULL, &error);
  no_error (error);
  b->card = fv_card_load (path, NULL, &b->real, &error);
  no_error (error);
  choose_size (b->card, folder);
  b->model = b->real;
  b->type = FV_TYPE_F32;
  b->n = b->model->graph->n_outputs;
  for (guint i = 0; i < b->n; i++) {
    g_autofree char *name =
        g_strdup_printf ("%s/test_data_set_0/output_%u.pb", folder, i);
    g_autoptr (FvArray) array = fv_array_load_pb (name, NULL, &error);
    no_error (error);
    b->arrays[i] = fv_array_convert (array, FV_TYPE_F32, &error);
    no_error (error);
    shapes[i] = array->shape;
  }
  fv_card_bind_outputs (b->card, shapes, b->n, &error);
  no_error (error);
  ck_assert_uint_eq (b->card->n_heads, 1);
  fv_frame_map_init (&b->map, &b->card->input, frame_width, frame_height);
  gst_fovea_result_init (&b->result);
  bench_place_all (b, -1, 0);
}

void
bench_clear (Bench *b)
{
  gst_fovea_result_clear (&b->result);
  gst_fovea_head_free (b->head);
  fv_program_unref (b->program);
  fv_buffer_unref (b->copy);
  for (guint i = 0; i < b->n; i++) {
    fv_array_unref (b->arrays[i]);
    fv_buffer_unref (b->ports[i].buffer);
  }
  fv_card_unref (b->card);
  if (b->real != NULL)
    fv_model_unref (b->real);
  else
    card_maker_free (b->model);
  fv_device_unref (b->device);
}

void
bench_store (const FvPort *port, gint64 element, float value)
{
  guint8 *data = (guint8 *) fv_buffer_map (port->buffer) + port->buffer_offset;

  if (port->type == FV_TYPE_F16)
    ((guint16 *) data)[element] = fv_f32_to_f16 (value);
  else
    ((float *) data)[element] = value;
}

void
bench_place (Bench *b, guint i, gint inner, gint64 offset)
{
  g_autoptr (GError) error = NULL;
  FvArray *array = b->arrays[i];
  FvPort *port = &b->ports[i];
  gint64 pad = inner < 0 ? 1 : b->type == FV_TYPE_F16 ? 8 : 4;
  gint64 stride = 1;
  gint last = inner < 0 ? (gint) array->shape.rank - 1 : inner;

  *port = (FvPort){ .name = b->model->graph->outputs[i].name,
    .type = b->type,
    .shape = array->shape,
    .offset = offset };
  port->strides[last] = 1;
  stride = (array->shape.dims[last] + pad - 1) / pad * pad;
  for (gint a = (gint) array->shape.rank - 1; a >= 0; a--)
    if (a != last) {
      port->strides[a] = stride;
      stride *= array->shape.dims[a];
    }
  port->buffer_offset = 256;
  port->buffer_size =
      ((gsize) (offset + stride) * fv_type_size (b->type) + 15) / 16 * 16;
  port->buffer = fv_buffer_new (b->device,
      port->buffer_offset + port->buffer_size, FV_MEMORY_UPLOAD, &error);
  no_error (error);
  memset (fv_buffer_map (port->buffer), 0xff,
      port->buffer_offset + port->buffer_size);
  for (gint64 k = 0; k < array->count; k++) {
    gint64 rest = k, element = offset;
    for (gint a = (gint) array->shape.rank - 1; a >= 0; a--) {
      element += rest % array->shape.dims[a] * port->strides[a];
      rest /= array->shape.dims[a];
    }
    if (b->type == FV_TYPE_F16)
      array->f32[k] = fv_f16_to_f32 (fv_f32_to_f16 (array->f32[k]));
    bench_store (port, element, array->f32[k]);
  }
}

void
bench_place_all (Bench *b, gint inner, gint64 offset)
{
  for (guint i = 0; i < b->n; i++)
    bench_place (b, i, inner, offset);
}

GstFoveaHead *
bench_make_head (Bench *b, GError **error)
{
  const FvPort *ports[12];

  for (guint i = 0; i < b->n; i++)
    ports[i] = &b->ports[i];
  return gst_fovea_head_new (b->device, &b->card->heads[0], ports, b->n,
      &b->map, error);
}

void
bench_again (Bench *b)
{
  g_autoptr (GError) error = NULL;
  guint64 value = 0;

  fv_program_submit (&b->program, 1, &value, &error);
  no_error (error);
  fv_device_wait (b->device, value, WAIT_NS, &error);
  no_error (error);
  gst_fovea_head_read (b->head, &b->result);
  ck_assert_uint_eq (fv_validation_messages (), 0);
}

void
bench_run (Bench *b, const GstFoveaHeadParams *params)
{
  g_autoptr (GError) error = NULL;
  const GstFoveaHeadMap *map;

  b->head = bench_make_head (b, &error);
  no_error (error);
  if (params != NULL)
    gst_fovea_head_set_params (b->head, params);
  b->program = fv_program_new (b->device);
  gst_fovea_head_add (b->head, b->program);
  map = gst_fovea_head_map (b->head);
  if (map != NULL) {
    gsize size = fv_buffer_size (map->buffer);
    b->copy = fv_buffer_new (b->device, size, FV_MEMORY_DOWNLOAD, &error);
    no_error (error);
    fv_program_copy (b->program, map->buffer, 0, b->copy, 0, size);
  }
  fv_program_finish (b->program, &error);
  no_error (error);
  bench_again (b);
}

void
check_near (double a, double b, double tolerance)
{
  ck_assert_msg (fabs (a - b) <= tolerance, "%g and %g differ by more than %g",
      a, b, tolerance);
}

guint
bench_class_at (const Bench *b, guint x, guint y)
{
  const GstFoveaHeadMap *map = gst_fovea_head_map (b->head);
  const guint8 *row =
      (const guint8 *) fv_buffer_map (b->copy) + y * map->stride;

  return map->format == GST_FOVEA_HEAD_MAP_U16 ? ((const guint16 *) row)[x]
                                               : row[x];
}
