/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every Vulkan call that can fail does so once, one after the other: each time an
 * error comes back that names the call, nothing leaks and nothing crashes. */
#include "gst/engine/kernel-private.h"
#include "gst/engine/program-private.h"
#include "shaders/shared.h"
#include "tests/vulkan-fault.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const FvSpirv fv_test_spirv[];

static gboolean
fill_program (FvProgram *program, FvBuffer *const buffers[3], GError **error)
{
  struct
  {
    float b;
    gint32 first;
  } push = { 1, 0 };
  FvDispatch d = { .kernel = "scale", .groups = { 1, 1, 1 } };

  d.n_bindings = 2;
  for (guint i = 0; i < 2; i++)
    d.bindings[i] = (FvBinding){ buffers[i], 0, 1024,
      i ? FV_BIND_FLOATS_WRITE : FV_BIND_FLOATS_READ, FV_TYPE_F32 };
  fv_dispatch_spec (&d, 0, 64);
  fv_dispatch_spec_float (&d, 1, 2);
  fv_dispatch_push (&d, &push, sizeof push);
  fv_program_enable_timing (program);
  fv_program_fill (program, buffers[0], 0, 1024, 0);
  fv_program_dispatch (program, &d);
  fv_program_copy (program, buffers[1], 0, buffers[2], 0, 1024);
  return fv_program_finish (program, error);
}

/* In more parts than the driver gets at once, so that the last is submitted by who
 * waits. */
static gboolean
run_background (FvDevice *device, FvProgram *program, GError **error)
{
  FvProgram *programs[6] = { program, program, program, program, program,
    program };
  const double seconds[] = { 1 };
  guint64 value = 0;

  return fv_program_divide (program, seconds, 0.5, error)
      && fv_program_submit_background (programs, G_N_ELEMENTS (programs),
          &value, error)
      && fv_device_wait (device, value, FV_WATCHDOG, error);
}

/* Everything from the first call to the last, as a user of the engine does it.
 * @failed, @n_calls: (out): what fault_disarm() says */
static gboolean
whole_life (const char **failed, guint *n_calls, GError **error)
{
  static const FvMemoryUse uses[] = { FV_MEMORY_UPLOAD, FV_MEMORY_DEVICE,
    FV_MEMORY_DOWNLOAD };
  g_autoptr (FvDevice) device = fv_device_open (NULL, error);
  FvBuffer *buffers[3] = { NULL, NULL, NULL };
  g_autoptr (FvProgram) program = NULL;
  gboolean is_done = device != NULL;
  guint64 value = 0;

  for (guint i = 0; i < 3 && is_done; i++) {
    buffers[i] = fv_buffer_new (device, 1024, uses[i], error);
    is_done = buffers[i] != NULL;
  }
  if (is_done) {
    program = fv_program_new (device);
    is_done = fill_program (program, buffers, error)
        && fv_program_submit (&program, 1, &value, error)
        && fv_device_wait (device, value, FV_WATCHDOG, error)
        && run_background (device, program, error);
  }
  /* Cleaning up has nobody to tell. */
  *n_calls = fault_disarm (failed);
  if (is_done) {
    ck_assert_float_eq (((float *) fv_buffer_map (buffers[2]))[255], 1);
    ck_assert_double_ge (fv_program_seconds (program, 0), -1);
  }
  for (guint i = 0; i < 3; i++)
    fv_buffer_unref (buffers[i]);
  return is_done;
}

/* What the engine helps itself out of. */
static gboolean
is_mended (const char *call, VkResult failure)
{
  return g_str_equal (call, "vkCreatePipelineCache")
      || (failure == VK_ERROR_OUT_OF_DEVICE_MEMORY
          && (g_str_equal (call, "vkWaitSemaphores")
              || g_str_equal (call, "vkGetSemaphoreCounterValue")));
}

START_TEST (test_every_call)
{
  VkResult failure =
      _i < 2 ? VK_ERROR_OUT_OF_DEVICE_MEMORY : VK_ERROR_DEVICE_LOST;
  const char *failed = "";
  guint n = 0, n_calls;

  g_setenv ("FOVEA_TIER", _i % 2 ? "workgroup" : "subgroup", TRUE);
  for (; failed; n++) {
    g_autoptr (GError) error = NULL;
    fault_arm (n, failure, FAULT_ALL, 0);
    gboolean is_done = whole_life (&failed, &n_calls, &error);
    ck_assert_int_eq (fault_objects (), 0);
    ck_assert (is_done || failed);
    if (is_done) {
      ck_assert_msg (!failed || is_mended (failed, failure), "%s", failed);
      continue;
    }
    ck_assert_msg (error != NULL, "%s failed without an error", failed);
    ck_assert_msg (error->domain == FV_ERROR
            && (error->code == FV_ERROR_DEVICE
                || (error->code == FV_ERROR_TOO_LARGE
                    && g_str_equal (failed, "vkAllocateMemory"))),
        "%s: %s", failed, error->message);
    /* a device that is lost may say so to the one that waits for it first */
    ck_assert_msg ((strstr (error->message, failed)
                       || (failure == VK_ERROR_DEVICE_LOST
                           && strstr (error->message, "vkWaitSemaphores")))
            && strstr (error->message, fv_result_name (failure)),
        "%s: %s", failed, error->message);
  }
  /* one of each at the least; how often one looks whether the device is done is
   * not always the same */
  ck_assert_uint_gt (n, 20);
  ck_assert_uint_gt (n + 5, n_calls);
}
END_TEST

START_TEST (test_validation_clean)
{
  ck_assert_uint_eq (fv_validation_messages (), 0);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("fault");
  TCase *tcase = tcase_create ("fault");
  SRunner *runner = srunner_create (suite);

  fv_spirv_extra = fv_test_spirv;
  fault_install ();
  srunner_set_fork_status (runner, CK_NOFORK);
  tcase_add_loop_test (tcase, test_every_call, 0, 4);
  tcase_add_test (tcase, test_validation_clean);
  suite_add_tcase (suite, tcase);
  srunner_run_all (runner, CK_NORMAL);
  int failures = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
