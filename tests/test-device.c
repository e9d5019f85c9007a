/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/engine/device-private.h"
#include "gst/engine/program.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static FvDevice *
must_open (const char *name)
{
  g_autoptr (GError) error = NULL;
  FvDevice *device = fv_device_open (name, &error);
  ck_assert_msg (device != NULL, "%s", error ? error->message : "no error");
  return device;
}

START_TEST (test_open_by_name)
{
  g_autoptr (FvDevice) device = must_open (NULL);
  const FvDeviceInfo *info = fv_device_info (device);
  g_autofree char *index = g_strdup_printf ("%u", info->index);
  g_autofree char *part = g_ascii_strup (info->name, 4);

  g_autoptr (FvDevice) by_index = must_open (index);
  g_autoptr (FvDevice) by_part = must_open (part);
  g_autoptr (FvDevice) by_uuid = must_open (info->uuid);
  ck_assert_ptr_eq (device, by_index);
  ck_assert_ptr_eq (device, by_uuid);
  ck_assert_str_eq (fv_device_info (by_part)->name, info->name);

  g_autoptr (GError) error = NULL;
  ck_assert_ptr_null (fv_device_open ("no such device", &error));
  ck_assert (g_error_matches (error, FV_ERROR, FV_ERROR_NOT_FOUND));
  ck_assert_msg (strstr (error->message, "no such device")
          && strstr (error->message, info->name),
      "%s", error->message);
  g_clear_error (&error);
  ck_assert_ptr_null (fv_device_open ("4711", &error));
  ck_assert (g_error_matches (error, FV_ERROR, FV_ERROR_NOT_FOUND));
}
END_TEST

START_TEST (test_list)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) list = fv_device_list (&error);
  ck_assert_msg (list != NULL, "%s", error ? error->message : "no error");
  ck_assert_uint_gt (list->len, 0);
  for (guint i = 0; i < list->len; i++) {
    const FvDeviceInfo *info = &g_array_index (list, FvDeviceInfo, i);
    ck_assert_uint_eq (info->index, i);
    ck_assert_uint_eq (strlen (info->uuid), 36);
    ck_assert_uint_gt (strlen (info->name), 0);
    ck_assert_uint_ge (info->max_push, 128);
    ck_assert_uint_gt (info->heap_size, 0);
  }
}
END_TEST

START_TEST (test_gpu_first)
{
  g_autoptr (GArray) list = fv_device_list (NULL);
  g_autoptr (FvDevice) device = must_open (NULL);
  gboolean any_gpu = FALSE;

  for (guint i = 0; i < list->len; i++)
    any_gpu |= !g_array_index (list, FvDeviceInfo, i).is_cpu;
  ck_assert_int_eq (!fv_device_info (device)->is_cpu, any_gpu);
}
END_TEST

START_TEST (test_tier)
{
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 2; i++) {
    g_setenv ("FOVEA_TIER", i ? "workgroup" : "subgroup", TRUE);
    g_autoptr (FvDevice) device = must_open (NULL);
    ck_assert_int_eq (fv_device_tier (device),
        i ? FV_TIER_WORKGROUP : FV_TIER_SUBGROUP);
  }
  g_setenv ("FOVEA_TIER", "fast", TRUE);
  ck_assert_ptr_null (fv_device_open (NULL, &error));
  ck_assert (g_error_matches (error, FV_ERROR, FV_ERROR_INVALID));
  g_unsetenv ("FOVEA_TIER");

  g_autoptr (FvDevice) device = must_open (NULL);
  const FvDeviceInfo *info = fv_device_info (device);
  FvTier expected =
      info->subgroup_size == 8 && info->has_shuffle && info->has_int64
      ? FV_TIER_SUBGROUP
      : FV_TIER_WORKGROUP;
  ck_assert_int_eq (fv_device_tier (device), expected);
}
END_TEST

START_TEST (test_int8)
{
  static const char *const forced[] = { "", "off", "on" };
  g_autoptr (FvDevice) first = must_open (NULL);
  gboolean has_dot4 = fv_device_info (first)->has_dot4;
  gboolean is_fast = fv_device_info (first)->is_dot4_fast;
  g_autoptr (GError) error = NULL;

  ck_assert (has_dot4 || !is_fast);
  for (guint i = 0; i < (has_dot4 ? 3 : 2); i++) {
    g_setenv ("FOVEA_INT8", forced[i], TRUE);
    g_autoptr (FvDevice) device = must_open (NULL);
    gboolean expected = i == 2 || (i == 0 && is_fast);

    ck_assert_int_eq (fv_device_info (device)->uses_dot4, expected);
    ck_assert_int_eq (device == first, expected == is_fast);
  }
  g_setenv ("FOVEA_INT8", has_dot4 ? "yes" : "on", TRUE);
  ck_assert_ptr_null (fv_device_open (NULL, &error));
  ck_assert (g_error_matches (error, FV_ERROR,
      has_dot4 ? FV_ERROR_INVALID : FV_ERROR_DEVICE));
  g_unsetenv ("FOVEA_INT8");
}
END_TEST

typedef struct
{
  gint locked, unlocked, destroyed;
} Owner;

static void
lock_owner (gpointer owner)
{
  ((Owner *) owner)->locked++;
}

static void
unlock_owner (gpointer owner)
{
  ((Owner *) owner)->unlocked++;
}

static void
destroy_owner (gpointer owner)
{
  ((Owner *) owner)->destroyed++;
}

START_TEST (test_borrow)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FvDevice) owner = must_open (NULL);
  Owner calls = { 0 };
  FvBorrowed borrowed = { owner->instance->handle, owner->physical,
    owner->handle, owner->queue_family, owner->queue, &calls, lock_owner,
    unlock_owner, destroy_owner };
  FvDevice *device = fv_device_borrow (&borrowed, &error), *second;
  ck_assert_msg (device != NULL, "%s", error ? error->message : "no error");
  ck_assert_ptr_eq (fv_device_owner (device, destroy_owner), &calls);
  ck_assert_ptr_null (fv_device_owner (owner, destroy_owner));
  ck_assert_ptr_ne (device, owner);
  ck_assert_str_eq (fv_device_info (device)->name,
      fv_device_info (owner)->name);

  FvBuffer *buffer = fv_buffer_new (device, 4096, FV_MEMORY_DOWNLOAD, &error);
  ck_assert_ptr_nonnull (buffer);
  FvProgram *program = fv_program_new (device);
  fv_program_fill (program, buffer, 0, 4096, 0x01020304);
  ck_assert (fv_program_finish (program, &error));
  guint64 value = 0;
  ck_assert (fv_program_submit (&program, 1, &value, &error));
  ck_assert (fv_device_wait (device, value, 1000000000, &error));
  ck_assert_uint_eq (((guint32 *) fv_buffer_map (buffer))[1023], 0x01020304);
  ck_assert_int_eq (calls.locked, 1);
  ck_assert_int_eq (calls.unlocked, 1);

  /* the same one again, whose owner is not needed twice */
  second = fv_device_borrow (&borrowed, &error);
  ck_assert_ptr_eq (second, device);
  ck_assert_int_eq (calls.destroyed, 1);
  fv_device_unref (second);
  fv_program_unref (program);
  fv_buffer_unref (buffer);
  fv_device_unref (device);
  ck_assert_int_eq (calls.destroyed, 2);
}
END_TEST

START_TEST (test_buffers)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FvDevice) device = must_open (NULL);
  FvDeviceCounters before, during, after;

  fv_device_counters (device, &before);
  for (guint use = FV_MEMORY_DEVICE; use <= FV_MEMORY_DOWNLOAD; use++) {
    g_autoptr (FvBuffer) buffer =
        fv_buffer_new (device, 1001, (FvMemoryUse) use, &error);
    ck_assert_msg (buffer != NULL, "%s", error ? error->message : "no error");
    ck_assert_uint_eq (fv_buffer_size (buffer), 1001);
    ck_assert_ptr_eq (fv_buffer_device (buffer), device);
    if (use != FV_MEMORY_DEVICE) {
      ck_assert_ptr_nonnull (fv_buffer_map (buffer));
      memset (fv_buffer_map (buffer), 7, 1001);
    }
    fv_device_counters (device, &during);
    ck_assert_uint_ge (during.allocated_bytes, before.allocated_bytes + 1001);
  }
  fv_device_counters (device, &after);
  ck_assert_uint_eq (after.allocated_bytes, before.allocated_bytes);
  ck_assert_uint_eq (after.allocations, before.allocations + 3);
  ck_assert_uint_ge (after.peak_bytes, before.peak_bytes);
}
END_TEST

START_TEST (test_buffer_errors)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FvDevice) device = must_open (NULL);

  ck_assert_ptr_null (fv_buffer_new (device, 0, FV_MEMORY_DEVICE, &error));
  ck_assert (g_error_matches (error, FV_ERROR, FV_ERROR_INVALID));
  g_clear_error (&error);
  ck_assert_ptr_null (
      fv_buffer_new (device, (gsize) 1 << 60, FV_MEMORY_DEVICE, &error));
  ck_assert (g_error_matches (error, FV_ERROR, FV_ERROR_TOO_LARGE));
  ck_assert_msg (strstr (error->message, "1152921504606846976") != NULL, "%s",
      error->message);
  g_clear_error (&error);
  ck_assert_ptr_null (
      fv_buffer_new (device, G_MAXSIZE, FV_MEMORY_UPLOAD, &error));
  ck_assert (g_error_matches (error, FV_ERROR, FV_ERROR_TOO_LARGE));
}
END_TEST

START_TEST (test_wait)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FvDevice) device = must_open (NULL);

  ck_assert (fv_device_wait (device, 0, 0, &error));
  ck_assert (fv_device_is_done (device, 0));
  ck_assert (!fv_device_is_done (device, 1000));
  ck_assert (!fv_device_wait (device, 1000, 1000000, &error));
  ck_assert (g_error_matches (error, FV_ERROR, FV_ERROR_INVALID));
}
END_TEST

static VKAPI_ATTR VkResult VKAPI_CALL
lose_device (VkQueue queue, uint32_t n, const VkSubmitInfo *info, VkFence fence)
{
  return VK_ERROR_DEVICE_LOST;
}

START_TEST (test_device_lost)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FvDevice) device = must_open (NULL);
  g_autoptr (FvBuffer) buffer =
      fv_buffer_new (device, 4096, FV_MEMORY_DOWNLOAD, &error);
  g_autoptr (FvProgram) program = fv_program_new (device);
  fv_program_fill (program, buffer, 0, 4096, 1);
  ck_assert (fv_program_finish (program, &error));

  device->vk.QueueSubmit = lose_device;
  guint64 value = 0;
  ck_assert (!fv_program_submit (&program, 1, &value, &error));
  ck_assert (g_error_matches (error, FV_ERROR, FV_ERROR_DEVICE));
  ck_assert_msg (strstr (error->message, "vkQueueSubmit")
          && strstr (error->message, "VK_ERROR_DEVICE_LOST"),
      "%s", error->message);
  g_clear_error (&error);
  ck_assert (!fv_device_wait (device, 0, 0, &error));
  ck_assert (g_error_matches (error, FV_ERROR, FV_ERROR_DEVICE));
  g_clear_error (&error);
  ck_assert_ptr_null (fv_buffer_new (device, 64, FV_MEMORY_UPLOAD, &error));
  ck_assert (g_error_matches (error, FV_ERROR, FV_ERROR_DEVICE));

  g_autoptr (FvDevice) fresh = must_open (NULL);
  ck_assert_ptr_ne (fresh, device);
  ck_assert (fv_device_wait (fresh, 0, 0, NULL));
}
END_TEST

/* A device that takes its time, and one that stands still. */
static guint64 reached;
static gboolean is_moving;
static guint waits_left;

static VKAPI_ATTR VkResult VKAPI_CALL
slow_wait (VkDevice device, const VkSemaphoreWaitInfo *info, uint64_t timeout)
{
  g_usleep (timeout / 1000);
  return waits_left && --waits_left == 0 ? VK_SUCCESS : VK_TIMEOUT;
}

static VKAPI_ATTR VkResult VKAPI_CALL
slow_value (VkDevice device, VkSemaphore timeline, uint64_t *value)
{
  reached += is_moving;
  *value = reached;
  return VK_SUCCESS;
}

static void
count (gpointer n)
{
  ++*(guint *) n;
}

START_TEST (test_watchdog)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FvDevice) device = must_open (NULL);
  guint n = 0;

  device->watchdog_ns = 200000000;
  device->vk.WaitSemaphores = slow_wait;
  device->vk.GetSemaphoreCounterValue = slow_value;
  reached = 0;
  is_moving = TRUE;
  waits_left = 12; /* of 50 ms */
  ck_assert (fv_device_wait (device, 0, FV_WATCHDOG, &error));
  is_moving = FALSE;
  ck_assert (!fv_device_wait (device, 0, 60000000, &error));
  ck_assert_msg (strstr (error->message, "timeout"), "%s", error->message);
  g_clear_error (&error);
  fv_device_release (device, count, &n);
  ck_assert_uint_eq (n, 1);

  device->last_value = reached + 1;
  ck_assert (!fv_device_is_lost (device));
  ck_assert (!fv_device_wait (device, 1, FV_WATCHDOG, &error));
  ck_assert_msg (strstr (error->message, "hangs"), "%s", error->message);
  ck_assert (g_error_matches (error, FV_ERROR, FV_ERROR_DEVICE));
  ck_assert (fv_device_is_lost (device));
  fv_device_release (device, count, &n);
  ck_assert_uint_eq (n, 1);
  g_autoptr (FvDevice) fresh = must_open (NULL);
  ck_assert_ptr_ne (fresh, device);
  ck_assert_uint_eq (n, 1);
  reached++;
  fv_device_release (device, count, &n);
  ck_assert_uint_eq (n, 3);
}
END_TEST

START_TEST (test_watchdog_limit)
{
  ck_assert_uint_lt (fv_watchdog_limit (FALSE), fv_watchdog_limit (TRUE));
  g_setenv ("FOVEA_WATCHDOG", "2.5", TRUE);
  ck_assert_uint_eq (fv_watchdog_limit (FALSE), 2500000000);
  ck_assert_uint_eq (fv_watchdog_limit (TRUE), 2500000000);
  for (const char *const *bad =
           (const char *const[]){ "0", "-1", "ten", "1s", "nan", "inf", NULL };
       *bad; bad++) {
    g_setenv ("FOVEA_WATCHDOG", *bad, TRUE);
    g_test_expect_message ("Fovea", G_LOG_LEVEL_WARNING,
        "*FOVEA_WATCHDOG*seconds*");
    ck_assert_uint_eq (fv_watchdog_limit (FALSE), 10000000000);
    g_test_assert_expected_messages ();
  }
  g_unsetenv ("FOVEA_WATCHDOG");
}
END_TEST

/* The loader reads its variables when the instance is made, and none is alive
 * between two tests. */
START_TEST (test_no_driver)
{
  static const char *const names[] = { "VK_ICD_FILENAMES", "VK_DRIVER_FILES" };
  g_autoptr (GError) error = NULL;
  char *before[G_N_ELEMENTS (names)];

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    before[i] = g_strdup (g_getenv (names[i]));
    g_setenv (names[i], "/nonexistent.json", TRUE);
  }
  ck_assert_ptr_null (fv_device_open (NULL, &error));
  ck_assert_msg (g_error_matches (error, FV_ERROR, FV_ERROR_NOT_FOUND), "%s",
      error->message);
  ck_assert_msg (strstr (error->message, "no Vulkan device") != NULL, "%s",
      error->message);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_unsetenv (names[i]);
    if (before[i])
      g_setenv (names[i], before[i], TRUE);
    g_free (before[i]);
  }
}
END_TEST

static gpointer
open_and_close (gpointer data)
{
  for (guint i = 0; i < 20; i++) {
    g_autoptr (FvDevice) device = must_open (NULL);
    g_autoptr (FvBuffer) buffer =
        fv_buffer_new (device, 4096, FV_MEMORY_UPLOAD, NULL);
    ck_assert_ptr_nonnull (buffer);
  }
  return NULL;
}

START_TEST (test_threads)
{
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("open", open_and_close, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}
END_TEST

static gpointer
prepare_as_second (gpointer data)
{
  fv_device_prepare ();
  return NULL;
}

/* Each in a process of its own, whose environment may be changed. */
START_TEST (test_prepare)
{
  g_autofree char *twice = g_strdup_printf ("%u", 2 * g_get_num_processors ());

  g_setenv ("LP_NUM_THREADS", "1", TRUE);
  fv_device_prepare ();
  ck_assert_str_eq (g_getenv ("LP_NUM_THREADS"), "1");
  g_unsetenv ("LP_NUM_THREADS");
  fv_device_prepare ();
#ifdef __SANITIZE_THREAD__ /* has a thread of its own */
  ck_assert_ptr_null (g_getenv ("LP_NUM_THREADS"));
#else
  ck_assert_str_eq (g_getenv ("LP_NUM_THREADS"), twice);
#endif
  g_unsetenv ("LP_NUM_THREADS");
  g_thread_join (g_thread_new ("second", prepare_as_second, NULL));
  ck_assert_ptr_null (g_getenv ("LP_NUM_THREADS"));
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
  Suite *suite = suite_create ("device");
  TCase *tcase = tcase_create ("device");
  SRunner *runner = srunner_create (suite);

  tcase_add_test (tcase, test_open_by_name);
  tcase_add_test (tcase, test_list);
  tcase_add_test (tcase, test_gpu_first);
  tcase_add_test (tcase, test_tier);
  tcase_add_test (tcase, test_int8);
  tcase_add_test (tcase, test_borrow);
  tcase_add_test (tcase, test_buffers);
  tcase_add_test (tcase, test_buffer_errors);
  tcase_add_test (tcase, test_wait);
  tcase_add_test (tcase, test_device_lost);
  tcase_add_test (tcase, test_watchdog);
  tcase_add_test (tcase, test_watchdog_limit);
  tcase_add_test (tcase, test_no_driver);
  tcase_add_test (tcase, test_threads);
  tcase_add_test (tcase, test_prepare);
  tcase_add_test (tcase, test_validation_clean);
  suite_add_tcase (suite, tcase);
  srunner_run_all (runner, CK_NORMAL);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
