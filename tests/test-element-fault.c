/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every Vulkan call that can fail does so once, from the loading of a model to its
 * tenth frame in a pipeline: each time it ends in one error of the element or in
 * frames that are right, nothing leaks, and the elements run again. */
#include "gst/engine/device.h"
#include "gst/engine/dispatch-private.h"
#include "tests/element-models.h"
#include "tests/element-test.h"
#include "tests/vulkan-fault.h"

#include <stdlib.h>

#define N_FRAMES 10
#define MOST_ERRORS 8

/* Written by the plugin's own GST_PLUGIN_DEFINE(): the elements are linked in, as
 * Vulkan is replaced inside of the engine. */
extern void gst_plugin_fovea_register (void);

/* A pipeline of one model, and what came of it. */
typedef struct
{
  GstElement *pipeline;
  GstBus *bus;
  guint n_frames; /* atomic: that came out */
  gint n_wrong; /* atomic: of them, those with other pixels than they should */
  guint n_errors; /* of our elements */
  char *errors[MOST_ERRORS];
} Line;

static char *model;
static char *right[N_FRAMES]; /* checksums of the pixels */
static guint first_call;
static gboolean is_thorough; /* each call is to fail, not one of some */

static char *
checksum (GstBuffer *buffer)
{
  GstMapInfo map;
  char *text;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return g_strdup ("not mapped");
  text = g_compute_checksum_for_data (G_CHECKSUM_MD5, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  return text;
}

/* A frame is told by its time. The first ones of all set what is right. */
static void
take_frame (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  guint i = (guint) (GST_BUFFER_PTS (buffer) / (GST_SECOND / 25));
  g_autofree char *text = checksum (buffer);
  Line *line = data;

  if (i < N_FRAMES && right[i] == NULL)
    right[i] = g_strdup (text);
  if (i >= N_FRAMES || !g_str_equal (text, right[i]))
    g_atomic_int_inc (&line->n_wrong);
  g_atomic_int_inc (&line->n_frames);
}

static void
line_init (Line *line)
{
  g_autoptr (GstElement) sink = NULL;
  g_autofree char *text = g_strdup_printf (
      "videotestsrc num-buffers=%u pattern=ball ! "
      "video/x-raw,format=RGBA,width=48,height=40,framerate=25/1 ! "
      "foveasegment model=\"%s\" on-overload=block ! foveaoverlay ! "
      "fakesink name=sink signal-handoffs=true",
      N_FRAMES, model);

  memset (line, 0, sizeof *line);
  line->pipeline = element_test_parse (text);
  line->bus = gst_element_get_bus (line->pipeline);
  sink = gst_bin_get_by_name (GST_BIN (line->pipeline), "sink");
  g_signal_connect (sink, "handoff", G_CALLBACK (take_frame), line);
}

static void
line_forget (Line *line)
{
  for (guint i = 0; i < line->n_errors; i++)
    g_clear_pointer (&line->errors[i], g_free);
  line->n_frames = line->n_errors = 0;
  line->n_wrong = 0;
}

static void
line_clear (Line *line)
{
  gst_element_set_state (line->pipeline, GST_STATE_NULL);
  gst_object_unref (line->bus);
  gst_object_unref (line->pipeline);
  line_forget (line);
}

static gboolean
is_ours (GstObject *object)
{
  return g_str_has_prefix (GST_OBJECT_NAME (object), "fovea");
}

/* That frames are not taken any more, as sources say and who passes EOS on, says
 * nothing new. */
static void
note_error (Line *line, GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *debug = NULL;

  if (!is_ours (GST_MESSAGE_SRC (message)))
    return;
  gst_message_parse_error (message, &error, &debug);
  if (g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED))
    return;
  ck_assert_uint_lt (line->n_errors, MOST_ERRORS);
  line->errors[line->n_errors++] = g_strdup_printf ("%s: %s",
      GST_MESSAGE_SRC_NAME (message), error->message);
}

/* Plays from NULL or READY until EOS or an error, and goes to READY. TRUE: all
 * frames came. */
static gboolean
line_finish (Line *line)
{
  g_autoptr (GstMessage) end = gst_bus_timed_pop_filtered (line->bus,
      120 * GST_SECOND, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  gboolean is_whole = end && GST_MESSAGE_TYPE (end) == GST_MESSAGE_EOS;
  GstMessage *message;

  ck_assert_msg (end != NULL, "neither EOS nor an error");
  if (!is_whole)
    note_error (line, end);
  gst_element_set_state (line->pipeline, GST_STATE_READY);
  while ((message = gst_bus_pop_filtered (line->bus, GST_MESSAGE_ERROR))) {
    note_error (line, message);
    gst_message_unref (message);
    is_whole = FALSE;
  }
  return is_whole;
}

static gboolean
line_run (Line *line)
{
  line_forget (line);
  gst_element_set_state (line->pipeline, GST_STATE_PLAYING);
  return line_finish (line);
}

static char *
line_errors (const Line *line)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < line->n_errors; i++)
    g_string_append_printf (text, "\n  %s", line->errors[i]);
  return g_string_free (text, FALSE);
}

/* No frame was wrong, and they all came or elements said why not: one, or, where a
 * device is lost under several, each of them once. */
static void
line_check (const Line *line, gboolean is_whole, guint most, const char *failed)
{
  g_autofree char *errors = line_errors (line);

  ck_assert_msg (line->n_wrong == 0, "%s: %d of %u frames are wrong%s", failed,
      line->n_wrong, line->n_frames, errors);
  if (is_whole) {
    ck_assert_msg (line->n_frames == N_FRAMES && line->n_errors == 0,
        "%s: %u frames%s", failed, line->n_frames, errors);
    return;
  }
  ck_assert_msg (line->n_errors >= 1 && line->n_errors <= most,
      "%s: %u errors, %u to %u expected%s", failed, line->n_errors, 1, most,
      errors);
  for (guint i = 1; i < line->n_errors; i++)
    ck_assert_msg (strncmp (line->errors[0], line->errors[i],
                       strcspn (line->errors[0], ":"))
            != 0,
        "%s: twice by one%s", failed, errors);
}

/* The same elements from READY on, with nothing that fails. */
static void
line_run_again (Line *line, const char *failed)
{
  gboolean is_whole = line_run (line);
  g_autofree char *errors = line_errors (line);

  ck_assert_msg (is_whole && line->n_frames == N_FRAMES && line->n_wrong == 0,
      "after %s: %u frames, %d wrong%s", failed, line->n_frames, line->n_wrong,
      errors);
}

/* One series: every call of some kinds, with one result. */
typedef struct
{
  VkResult result, other; /* by turns */
  FaultCalls calls, but;
  gboolean is_warm; /* the device stays open between runs */
  guint stride; /* one of so many calls fails */
  guint least; /* calls that there must be */
  guint most_errors;
} Series;

/* What a run ended in, and how many there were. */
typedef struct
{
  guint n_runs, n_errors, n_recoveries;
} Tally;

static void
run_one (const Series *series, guint n, guint *n_calls, Tally *tally)
{
  g_autoptr (FvDevice) device =
      series->is_warm ? fv_device_open (NULL, NULL) : NULL;
  VkResult result = n % 2 ? series->other : series->result;
  const char *failed;
  gboolean is_whole;
  Line line;

  line_init (&line);
  fault_arm (n, result, series->calls, series->but);
  is_whole = line_run (&line);
  *n_calls = fault_disarm (&failed);
  if (failed) {
    line_check (&line, is_whole, series->most_errors, failed);
    tally->n_runs++;
    tally->n_errors += !is_whole;
    tally->n_recoveries += is_whole;
    if (g_getenv ("FOVEA_FAULT_SAY"))
      g_print ("%u %s %s: %s\n", n, failed, fv_result_name (result),
          is_whole ? "mended" : line.errors[0]);
    line_run_again (&line, failed);
  } else {
    ck_assert (is_whole);
  }
  line_clear (&line);
}

static const Series all_series[] = {
  { VK_ERROR_OUT_OF_DEVICE_MEMORY, VK_ERROR_OUT_OF_HOST_MEMORY, FAULT_MEMORY,
      FAULT_ONCE, TRUE, 97, 300, 1 },
  { VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_OUT_OF_DEVICE_MEMORY, FAULT_ONCE, 0,
      FALSE, 14, 30, 1 },
  { VK_ERROR_DEVICE_LOST, VK_ERROR_DEVICE_LOST, FAULT_LOST, 0, TRUE, 61, 50,
      2 },
  { VK_TIMEOUT, VK_TIMEOUT, FAULT_WAIT, 0, TRUE, 17, 20, 0 },
};

/* How many calls there are, so that none has to fail to know. */
static guint
count_calls (const Series *series)
{
  Tally tally = { 0 };
  guint n;

  run_one (series, G_MAXINT, &n, &tally);
  ck_assert_uint_eq (tally.n_runs, 0);
  return n;
}

START_TEST (test_every_call)
{
  const Series *series = &all_series[_i];
  guint n_calls = count_calls (series), seen;
  guint stride = is_thorough ? 1 : series->stride;
  gint objects = fault_objects ();
  Tally tally = { 0 };
  gint64 start = g_get_monotonic_time ();

  for (guint n = first_call % stride; n < n_calls; n += stride)
    run_one (series, n, &seen, &tally);
  g_print ("%s: %u of %u calls failed, %u ended in an error, %u were mended, "
           "%.1f s\n",
      fv_result_name (series->result), tally.n_runs, n_calls, tally.n_errors,
      tally.n_recoveries, (double) (g_get_monotonic_time () - start) * 1e-6);
  ck_assert_int_eq (fault_objects (), objects);
  ck_assert_uint_ge (n_calls, series->least);
  ck_assert_uint_ge (tally.n_runs, n_calls / stride * 9 / 10);
}
END_TEST

/* What one meets the other survives, or both tell, and both run again. */
static void
run_two (gint n, VkResult result, FaultCalls calls)
{
  Line lines[2];
  gboolean is_whole[2];
  const char *failed;

  for (guint i = 0; i < 2; i++)
    line_init (&lines[i]);
  fault_arm ((guint) n, result, calls, 0);
  for (guint i = 0; i < 2; i++)
    gst_element_set_state (lines[i].pipeline, GST_STATE_PLAYING);
  for (guint i = 0; i < 2; i++)
    is_whole[i] = line_finish (&lines[i]);
  fault_disarm (&failed);
  for (guint i = 0; i < 2; i++)
    line_check (&lines[i], is_whole[i], 2, failed ? failed : "nothing");
  if (result != VK_ERROR_DEVICE_LOST)
    ck_assert (is_whole[0] || is_whole[1]);
  for (guint i = 0; i < 2; i++)
    line_run_again (&lines[i], failed ? failed : "nothing");
  for (guint i = 0; i < 2; i++)
    line_clear (&lines[i]);
}

START_TEST (test_two)
{
  gint objects = fault_objects ();

  for (gint n = 3 + (gint) first_call; n < 300; n += 71)
    run_two (n, VK_ERROR_DEVICE_LOST, FAULT_LOST);
  for (gint n = 40 + (gint) first_call; n < 1600; n += 401)
    run_two (n, VK_ERROR_OUT_OF_DEVICE_MEMORY, FAULT_MEMORY);
  ck_assert_int_eq (fault_objects (), objects);
}
END_TEST

/* What is done with a line on a device that hangs: the line that goes to NULL comes
 * last, as it waits for the watchdog. */
typedef enum
{
  HUNG_STAYS,
  HUNG_FLUSHES,
  HUNG_ENDS,
  HUNG_LEAVES,
  N_HUNG,
} HungLine;

static void
disturb (Line *lines)
{
  gint64 start = g_get_monotonic_time ();

  gst_element_seek_simple (lines[HUNG_FLUSHES].pipeline, GST_FORMAT_TIME,
      GST_SEEK_FLAG_FLUSH, 0);
  gst_element_send_event (lines[HUNG_ENDS].pipeline, gst_event_new_eos ());
  gst_element_set_state (lines[HUNG_LEAVES].pipeline, GST_STATE_NULL);
  /* far less than the frames would wait for ever */
  ck_assert_int_lt (g_get_monotonic_time () - start, 40 * G_USEC_PER_SEC);
}

/* All lines share the device, and none of them has all its frames by then. */
static void
begin_hang (Line *lines)
{
  for (guint i = 0; i < N_HUNG; i++) {
    line_init (&lines[i]);
    gst_element_set_state (lines[i].pipeline, GST_STATE_PAUSED);
  }
  for (guint i = 0; i < N_HUNG; i++)
    ck_assert_int_eq (
        gst_element_get_state (lines[i].pipeline, NULL, NULL, 100 * GST_SECOND),
        GST_STATE_CHANGE_SUCCESS);
  fault_hang (TRUE);
  for (guint i = 0; i < N_HUNG; i++)
    gst_element_set_state (lines[i].pipeline, GST_STATE_PLAYING);
  g_usleep (G_USEC_PER_SEC / 5);
}

START_TEST (test_hang)
{
  gint objects = fault_objects (), kept;
  Line lines[N_HUNG];

  g_setenv ("FOVEA_WATCHDOG", "4", TRUE);
  begin_hang (lines);
  disturb (lines);
  for (guint i = 0; i < HUNG_LEAVES; i++) {
    gboolean is_whole = line_finish (&lines[i]);

    ck_assert (!is_whole);
    line_check (&lines[i], is_whole, 2, "a hang");
    ck_assert_msg (strstr (lines[i].errors[0], "hangs"), "%s",
        lines[i].errors[0]);
  }
  kept = fault_objects ();
  ck_assert_int_gt (kept, objects);
  fault_hang (FALSE);
  g_unsetenv ("FOVEA_WATCHDOG");
  for (guint i = 0; i < N_HUNG; i++) {
    ck_assert_uint_lt (lines[i].n_frames, N_FRAMES);
    line_run_again (&lines[i], "a hang");
  }
  for (guint i = 0; i < N_HUNG; i++)
    line_clear (&lines[i]);
  ck_assert_int_eq (fault_objects (), objects);
}
END_TEST

/* The change of state comes back, and fails. */
START_TEST (test_hang_at_load)
{
  gint objects = fault_objects ();
  gboolean is_whole;
  Line line;

  g_setenv ("FOVEA_WATCHDOG", "1", TRUE);
  line_init (&line);
  fault_hang (TRUE);
  is_whole = line_run (&line);
  ck_assert (!is_whole);
  line_check (&line, is_whole, 1, "a hang");
  ck_assert_msg (strstr (line.errors[0], "hangs"), "%s", line.errors[0]);
  ck_assert_uint_eq (line.n_frames, 0);
  fault_hang (FALSE);
  g_unsetenv ("FOVEA_WATCHDOG");
  line_run_again (&line, "a hang");
  line_clear (&line);
  ck_assert_int_eq (fault_objects (), objects);
}
END_TEST

static void
setup (void)
{
  Line line;

  model = element_model_ten ("ten.onnx");
  line_init (&line);
  line_run_again (&line, "nothing"); /* sets what is right */
  line_run_again (&line, "nothing");
  line_clear (&line);
  for (guint i = 1; i < N_FRAMES; i++)
    ck_assert_str_ne (right[i - 1], right[i]);
  ck_assert_int_eq (fault_objects (), 0);
}

static void
teardown (void)
{
  g_clear_pointer (&model, g_free);
  for (guint i = 0; i < N_FRAMES; i++)
    g_clear_pointer (&right[i], g_free);
}

static Suite *
fault_suite (void)
{
  Suite *suite = suite_create ("element-fault");
  TCase *calls = tcase_create ("calls");

  tcase_set_timeout (calls, 0);
  tcase_add_unchecked_fixture (calls, setup, teardown);
  tcase_add_loop_test (calls, test_every_call, 0,
      (int) G_N_ELEMENTS (all_series));
  tcase_add_test (calls, test_two);
  tcase_add_test (calls, test_hang);
  tcase_add_test (calls, test_hang_at_load);
  suite_add_tcase (suite, calls);
  return suite;
}

/* Every day others of the calls, unless all of them are wanted. */
static void
choose_calls (void)
{
  const char *all = g_getenv ("FOVEA_FAULT_ALL");
  const char *first = g_getenv ("FOVEA_FAULT_FIRST");
  gint64 days = g_get_real_time () / ((gint64) 24 * 3600 * G_USEC_PER_SEC);

  is_thorough = all && g_str_equal (all, "1");
  first_call = first ? (guint) atoi (first) : (guint) (days % 97);
  g_print ("FOVEA_FAULT_FIRST=%u%s\n", first_call,
      is_thorough ? ", and all others" : "");
}

int
main (int argc, char **argv)
{
  choose_calls ();
  fault_install ();
  gst_init (&argc, &argv);
  gst_plugin_fovea_register ();
  return element_test_main (&argc, &argv, fault_suite ());
}
