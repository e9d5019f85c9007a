/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Properties that change while frames flow: between two frames, with the first one
 * marked, and without a frame lost or out of order. */
#include <string.h>
#include "tests/element-models.h"
#include "tests/element-test.h"

#define MOST_FRAMES 3000
#define PAUSE_US 5000

typedef struct
{
  GstHarness *harness;
  GstElement *element;
  GstBus *bus;
  GstCaps *caps;
  guint n_pushed, n_pulled, n_marked;
} Fixture;

static void
fixture_init (Fixture *f, const char *element, const char *model)
{
  memset (f, 0, sizeof *f);
  f->caps = element_test_caps ("RGBA", 48, 40);
  f->harness = element_test_harness (element, model, "", f->caps);
  f->element = gst_harness_find_element (f->harness, element);
  f->bus = gst_bus_new ();
  gst_element_set_bus (f->element, f->bus);
}

static void
fixture_clear (Fixture *f)
{
  gst_element_set_bus (f->element, NULL);
  gst_object_unref (f->bus);
  gst_object_unref (f->element);
  gst_harness_teardown (f->harness);
  gst_caps_unref (f->caps);
}

/* One frame through; whether it was marked. @model: (out): who made its mask. */
static gboolean
step (Fixture *f, const char **model)
{
  GstBuffer *buffer = element_test_frame (f->caps, 200, f->n_pushed++);
  GstFoveaSegmentationMeta *mask;
  gboolean is_marked;

  ck_assert_int_eq (gst_harness_push (f->harness, buffer), GST_FLOW_OK);
  buffer = gst_harness_pull (f->harness);
  ck_assert_ptr_nonnull (buffer);
  ck_assert_uint_eq (GST_BUFFER_PTS (buffer),
      f->n_pulled++ * (GST_SECOND / 25));
  mask = gst_fovea_buffer_get_segmentation (buffer, NULL);
  if (model) {
    ck_assert_ptr_nonnull (mask);
    *model = g_intern_string (mask->map->producer->model);
  }
  is_marked = gst_meta_get_info ("GstFoveaChangeMeta")
      && gst_buffer_get_custom_meta (buffer, "GstFoveaChangeMeta") != NULL;
  f->n_marked += is_marked;
  gst_buffer_unref (buffer);
  return is_marked;
}

static GstMessage *
find_message (Fixture *f, GstMessageType type)
{
  return gst_bus_pop_filtered (f->bus, type);
}

/* Frames flow until one is marked. */
static void
until_marked (Fixture *f, const char *before, const char *after)
{
  const char *model;
  gboolean is_marked = FALSE;

  for (guint i = 0; i < MOST_FRAMES && !is_marked; i++) {
    is_marked = step (f, &model);
    ck_assert_str_eq (model, is_marked ? after : before);
    g_usleep (PAUSE_US);
  }
  ck_assert (is_marked);
  for (guint i = 0; i < 5; i++) {
    ck_assert (!step (f, &model));
    ck_assert_str_eq (model, after);
  }
}

static void
forget_latency (Fixture *f)
{
  GstMessage *message;

  while ((message = find_message (f, GST_MESSAGE_LATENCY)))
    gst_message_unref (message);
}

/* What another model or precision takes is announced. */
static void
check_latency (Fixture *f)
{
  GstMessage *message = find_message (f, GST_MESSAGE_LATENCY);

  ck_assert_ptr_nonnull (message);
  gst_message_unref (message);
}

START_TEST (test_model)
{
  g_autofree char *first = element_model_segment ("first.onnx", FALSE);
  g_autofree char *second = element_model_segment ("second.onnx", _i != 0);
  GstMessage *message;
  Fixture f;

  fixture_init (&f, "foveasegment", first);
  for (guint i = 0; i < 3; i++)
    ck_assert (!step (&f, NULL));
  forget_latency (&f);
  g_object_set (f.element, "model", second, NULL);
  until_marked (&f, "first", "second");
  check_latency (&f);
  g_object_set (f.element, "model", first, NULL);
  until_marked (&f, "second", "first");
  check_latency (&f);
  ck_assert_uint_eq (f.n_marked, 2);
  message = find_message (&f, GST_MESSAGE_ELEMENT);
  ck_assert_ptr_nonnull (message);
  ck_assert (gst_message_has_name (message, "fovea-change"));
  gst_message_unref (message);
  ck_assert_uint_eq (element_test_stat (f.element, "dropped"), 0);
  fixture_clear (&f);
}
END_TEST

static void
check_settings (Fixture *f, const char *model, double threshold)
{
  g_autofree char *set = NULL;
  double set_threshold;
  guint width;

  g_object_get (f->element, "model", &set, "input-width", &width, "threshold",
      &set_threshold, NULL);
  ck_assert_str_eq (set, model);
  ck_assert_uint_eq (width, 0);
  ck_assert_double_eq (set_threshold, threshold);
}

/* No file, garbage, and a model of another kind: each leaves the old one, and the
 * properties go back to it. */
START_TEST (test_bad_model)
{
  g_autofree char *first = element_model_segment ("first.onnx", FALSE);
  g_autofree char *second = element_model_segment ("second.onnx", FALSE);
  g_autofree char *garbage = element_test_write ("garbage.onnx", "garbage");
  g_autofree char *other = element_model_classify ("colour.onnx");
  const char *const bad[] = { "/nowhere/at-all.onnx", garbage, other };
  Fixture f;

  fixture_init (&f, "foveasegment", first);
  g_object_set (f.element, "threshold", 0.25, NULL);
  ck_assert (step (&f, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    GstMessage *message = NULL;
    const char *model;

    g_object_set (f.element, "model", bad[i], "input-width", 17 + i, NULL);
    for (guint k = 0; k < MOST_FRAMES && !message; k++) {
      ck_assert (!step (&f, &model));
      ck_assert_str_eq (model, "first");
      message = find_message (&f, GST_MESSAGE_WARNING);
      g_usleep (PAUSE_US);
    }
    ck_assert_ptr_nonnull (message);
    gst_message_unref (message);
    check_settings (&f, first, 0.25);
  }
  ck_assert_ptr_null (find_message (&f, GST_MESSAGE_ERROR));
  ck_assert_int_eq (gst_element_set_state (f.element, GST_STATE_READY),
      GST_STATE_CHANGE_SUCCESS);
  ck_assert_int_eq (gst_element_set_state (f.element, GST_STATE_PLAYING),
      GST_STATE_CHANGE_SUCCESS);
  check_settings (&f, first, 0.25);
  fixture_clear (&f);
  fixture_init (&f, "foveasegment", first);
  g_object_set (f.element, "model", "/nowhere/at-all.onnx", NULL);
  g_object_set (f.element, "model", second, NULL);
  until_marked (&f, "first", "second");
  check_settings (&f, second, 0);
  fixture_clear (&f);
}
END_TEST

/* It waits for the way out of READY, whatever else changes until then. */
START_TEST (test_device)
{
  g_autofree char *first = element_model_segment ("first.onnx", FALSE);
  g_autofree char *second = element_model_segment ("second.onnx", FALSE);
  Fixture f;

  fixture_init (&f, "foveasegment", first);
  g_object_set (f.element, "device", "no such device", NULL);
  g_object_set (f.element, "model", second, NULL);
  until_marked (&f, "first", "second");
  ck_assert_int_eq (gst_element_set_state (f.element, GST_STATE_READY),
      GST_STATE_CHANGE_SUCCESS);
  ck_assert_int_eq (gst_element_set_state (f.element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  g_object_set (f.element, "device", NULL, NULL);
  ck_assert_int_eq (gst_element_set_state (f.element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_SUCCESS);
  fixture_clear (&f);
}
END_TEST

/* What one call sets is one change. */
START_TEST (test_several)
{
  g_autofree char *free_size = element_model_segment ("free.onnx", TRUE);
  g_autofree char *labels = element_test_write ("names", "dark\nbright\n");
  GstBuffer *buffer;
  GstFoveaSegmentationMeta *mask;
  Fixture f;

  fixture_init (&f, "foveasegment", free_size);
  step (&f, NULL);
  g_object_set (f.element, "labels-file", labels, "input-width", 64,
      "input-height", 32, NULL);
  gst_util_set_object_arg (G_OBJECT (f.element), "precision", "f16");
  for (guint i = 0; i < MOST_FRAMES && f.n_marked < 1; i++) {
    step (&f, NULL);
    g_usleep (PAUSE_US);
  }
  ck_assert_uint_ge (f.n_marked, 1);
  check_latency (&f);
  buffer = element_test_frame (f.caps, 200, f.n_pushed++);
  ck_assert_int_eq (gst_harness_push (f.harness, buffer), GST_FLOW_OK);
  buffer = gst_harness_pull (f.harness);
  mask = gst_fovea_buffer_get_segmentation (buffer, NULL);
  ck_assert_uint_eq (mask->map->producer->n_labels, 2);
  ck_assert_str_eq (mask->map->producer->labels[1], "bright");
  gst_buffer_unref (buffer);
  fixture_clear (&f);
}
END_TEST

static void
set_labels (GstElement *element, const char *first, const char *second)
{
  GValue labels = G_VALUE_INIT;
  const char *const names[] = { first, second };

  g_value_init (&labels, GST_TYPE_ARRAY);
  for (guint i = 0; i < G_N_ELEMENTS (names) && names[i]; i++) {
    GValue name = G_VALUE_INIT;

    g_value_init (&name, G_TYPE_STRING);
    g_value_set_string (&name, names[i]);
    gst_value_array_append_and_take_value (&labels, &name);
  }
  g_object_set_property (G_OBJECT (element), "labels", &labels);
  g_value_unset (&labels);
}

/* Until a frame comes with its second class called @name. */
static void
until_label (Fixture *f, const char *name)
{
  gboolean found = FALSE;

  for (guint i = 0; i < MOST_FRAMES && !found; i++) {
    GstBuffer *buffer = element_test_frame (f->caps, 200, f->n_pushed++);
    GstFoveaSegmentationMeta *mask;

    ck_assert_int_eq (gst_harness_push (f->harness, buffer), GST_FLOW_OK);
    buffer = gst_harness_pull (f->harness);
    mask = gst_fovea_buffer_get_segmentation (buffer, NULL);
    found = mask->map->producer->n_labels == 2
        && !strcmp (mask->map->producer->labels[1], name);
    gst_buffer_unref (buffer);
    if (!found)
      g_usleep (PAUSE_US);
  }
  ck_assert_msg (found, "no frame has a class '%s'", name);
}

/* They win over labels-file, which counts again without them. */
START_TEST (test_labels)
{
  g_autofree char *path = element_model_segment ("free.onnx", TRUE);
  g_autofree char *file = element_test_write ("names", "dark\nbright\n");
  Fixture f;

  fixture_init (&f, "foveasegment", path);
  g_object_set (f.element, "labels-file", file, NULL);
  until_label (&f, "bright");
  set_labels (f.element, "ground", "sky");
  until_label (&f, "sky");
  set_labels (f.element, NULL, NULL);
  until_label (&f, "bright");
  fixture_clear (&f);
}
END_TEST

/* Nothing is made anew for a threshold: the very next frame has it. */
START_TEST (test_threshold)
{
  g_autofree char *path = element_model_detect ("boxes.onnx");
  Fixture f;

  fixture_init (&f, "foveadetect", path);
  ck_assert (!step (&f, NULL));
  g_object_set (f.element, "threshold", 0.9, NULL);
  ck_assert (step (&f, NULL));
  ck_assert (!step (&f, NULL));
  fixture_clear (&f);
}
END_TEST

/* Other caps, or READY, while the next model is being made. */
START_TEST (test_meanwhile)
{
  g_autofree char *first = element_model_segment ("first.onnx", FALSE);
  g_autofree char *second = element_model_segment ("second.onnx", FALSE);
  Fixture f;

  fixture_init (&f, "foveasegment", first);
  step (&f, NULL);
  g_object_set (f.element, "model", second, NULL);
  gst_caps_unref (f.caps);
  f.caps = element_test_caps ("RGBA", 56, 24);
  gst_harness_set_src_caps (f.harness, gst_caps_ref (f.caps));
  until_marked (&f, "first", "second");
  g_object_set (f.element, "model", first, NULL);
  ck_assert_int_eq (gst_element_set_state (f.element, GST_STATE_NULL),
      GST_STATE_CHANGE_SUCCESS);
  g_object_set (f.element, "model", second, NULL);
  fixture_clear (&f);
}
END_TEST

START_TEST (test_declared)
{
  static const char *const names[] = { "model", "labels", "labels-file",
    "threshold", "precision", "input-width", "input-height" };
  static const char *const drawn[] = { "alpha", "palette", "colormap" };
  g_autoptr (GstElement) segment =
      gst_element_factory_make ("foveasegment", NULL);
  g_autoptr (GstElement) overlay =
      gst_element_factory_make ("foveaoverlay", NULL);

  gst_object_ref_sink (segment);
  gst_object_ref_sink (overlay);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    GParamSpec *spec =
        g_object_class_find_property (G_OBJECT_GET_CLASS (segment), names[i]);
    ck_assert_msg (spec && spec->flags & GST_PARAM_MUTABLE_PLAYING, "%s",
        names[i]);
  }
  for (guint i = 0; i < G_N_ELEMENTS (drawn); i++) {
    GParamSpec *spec =
        g_object_class_find_property (G_OBJECT_GET_CLASS (overlay), drawn[i]);
    ck_assert_msg (spec && spec->flags & GST_PARAM_MUTABLE_PLAYING, "%s",
        drawn[i]);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("swap");
  TCase *tcase = tcase_create ("swap");

  tcase_set_timeout (tcase, 120);
  tcase_add_test (tcase, test_declared);
  tcase_add_loop_test (tcase, test_model, 0, 2);
  tcase_add_test (tcase, test_bad_model);
  tcase_add_test (tcase, test_device);
  tcase_add_test (tcase, test_several);
  tcase_add_test (tcase, test_labels);
  tcase_add_test (tcase, test_threshold);
  tcase_add_test (tcase, test_meanwhile);
  suite_add_tcase (suite, tcase);
  return element_test_main (&argc, &argv, suite);
}
