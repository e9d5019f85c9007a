/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device memory as GStreamer buffers: maps that wait, pools that do not allocate. */
#include <string.h>
#include <check.h>
#include <gst/gst.h>
#include "gst/video/gstfoveamemory.h"

#define SIZE 100000

static FvDevice *
open_device (void)
{
  g_autoptr (GError) error = NULL;
  FvDevice *device = fv_device_open (NULL, &error);

  ck_assert_msg (device != NULL, "%s", error ? error->message : "");
  return device;
}

static GstBufferPool *
make_pool (FvDevice *device, FvMemoryUse use)
{
  g_autoptr (GError) error = NULL;
  GstBufferPool *pool = gst_fovea_pool_new (device, SIZE, use, 2, &error);

  ck_assert_msg (pool != NULL, "%s", error ? error->message : "");
  return pool;
}

static void
drop_pool (GstBufferPool *pool)
{
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
}

static GstBuffer *
acquire (GstBufferPool *pool)
{
  GstBuffer *buffer = NULL;

  ck_assert_int_eq (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL),
      GST_FLOW_OK);
  return buffer;
}

/* Fills the buffer on the device and does not wait. */
static void
fill_on_device (FvDevice *device, GstBuffer *buffer, guint8 byte)
{
  g_autoptr (FvProgram) program = fv_program_new (device);
  GstFoveaMemoryRegion region;
  guint64 value;

  ck_assert (gst_fovea_buffer_get_region (buffer, device, &region));
  fv_program_fill (program, region.buffer, region.offset, region.size & ~3u,
      byte * 0x01010101u);
  ck_assert (fv_program_finish (program, NULL));
  ck_assert (fv_program_submit (&program, 1, &value, NULL));
  gst_fovea_buffer_set_written (buffer, value);
  ck_assert (gst_fovea_buffer_get_region (buffer, NULL, &region));
  ck_assert_uint_eq (region.written, value);
}

static void
check_bytes (GstBuffer *buffer, guint8 byte)
{
  GstMapInfo map;

  ck_assert (gst_buffer_map (buffer, &map, GST_MAP_READ));
  for (gsize i = 0; i < map.size; i++)
    if (map.data[i] != byte)
      ck_abort_msg ("byte %zu is %u, expected %u", i, map.data[i], byte);
  gst_buffer_unmap (buffer, &map);
}

START_TEST (test_map_waits)
{
  g_autoptr (FvDevice) device = open_device ();
  GstBufferPool *pool = make_pool (device, FV_MEMORY_DEVICE);
  GstBuffer *buffer = acquire (pool);

  for (guint i = 1; i < 20; i++) {
    fill_on_device (device, buffer, i);
    check_bytes (buffer, i);
    check_bytes (buffer, i);
  }
  gst_buffer_unref (buffer);
  drop_pool (pool);
  ck_assert_uint_eq (fv_validation_messages (), 0);
}
END_TEST

/* What the host writes is there for the host and for the device. */
START_TEST (test_host_writes)
{
  g_autoptr (FvDevice) device = open_device ();
  GstBufferPool *pool = make_pool (device, FV_MEMORY_DEVICE);
  GstBuffer *buffer = acquire (pool), *other = acquire (pool);
  g_autoptr (FvProgram) program = fv_program_new (device);
  GstFoveaMemoryRegion from, to;
  guint64 value;

  fill_on_device (device, buffer, 1);
  gst_buffer_memset (buffer, 0, 77, SIZE);
  check_bytes (buffer, 77);
  gst_fovea_buffer_get_region (buffer, device, &from);
  gst_fovea_buffer_get_region (other, device, &to);
  fv_program_copy (program, from.buffer, from.offset, to.buffer, to.offset,
      SIZE);
  ck_assert (fv_program_finish (program, NULL));
  ck_assert (fv_program_submit (&program, 1, &value, NULL));
  gst_fovea_buffer_add_use (buffer, value);
  gst_fovea_buffer_set_written (other, value);
  check_bytes (other, 77);
  /* part of it, the rest stays */
  gst_buffer_memset (other, SIZE / 2, 5, 10);
  ck_assert_int_eq (gst_buffer_memcmp (other, SIZE / 2 - 1,
                        "\x4d\5\5\5\5\5\5\5\5\5\5\x4d", 12),
      0);
  gst_buffer_unref (buffer);
  gst_buffer_unref (other);
  drop_pool (pool);
  ck_assert_uint_eq (fv_validation_messages (), 0);
}
END_TEST

START_TEST (test_pool_allocates_nothing)
{
  g_autoptr (FvDevice) device = open_device ();
  GstBufferPool *pool = make_pool (device, FV_MEMORY_DEVICE);
  FvDeviceCounters before, after;

  fv_device_counters (device, &before);
  for (guint i = 0; i < 50; i++) {
    GstBuffer *a = acquire (pool), *b = acquire (pool);
    gst_buffer_unref (a);
    gst_buffer_unref (b);
  }
  fv_device_counters (device, &after);
  ck_assert_uint_eq (after.allocations, before.allocations);

  /* mapping may need staging once per buffer, and never again */
  for (guint i = 0; i < 20; i++) {
    GstBuffer *a = acquire (pool), *b = acquire (pool);
    gst_buffer_memset (a, 0, i, SIZE);
    gst_buffer_memset (b, 0, i, SIZE);
    gst_buffer_unref (a);
    gst_buffer_unref (b);
    if (i == 0)
      fv_device_counters (device, &before);
  }
  fv_device_counters (device, &after);
  ck_assert_uint_eq (after.allocations, before.allocations);
  ck_assert_uint_eq (after.recorded_command_buffers,
      before.recorded_command_buffers);

  /* a third one is made when two are out */
  {
    GstBuffer *a = acquire (pool), *b = acquire (pool), *c = acquire (pool);
    gst_buffer_unref (a);
    gst_buffer_unref (b);
    gst_buffer_unref (c);
  }
  drop_pool (pool);
}
END_TEST

/* Buffers that are out outlive their pool; copies are ordinary memory. */
START_TEST (test_copies)
{
  g_autoptr (FvDevice) device = open_device ();
  GstBufferPool *pool = make_pool (device, FV_MEMORY_DEVICE);
  GstBuffer *buffer = acquire (pool), *copy, *part;
  GstFoveaMemoryRegion region;

  drop_pool (pool);
  fill_on_device (device, buffer, 9);
  copy = gst_buffer_copy_deep (buffer);
  ck_assert (!gst_fovea_buffer_get_region (copy, NULL, &region));
  check_bytes (copy, 9);
  part = gst_buffer_copy_region (buffer, GST_BUFFER_COPY_ALL, 100, 50);
  ck_assert_uint_eq (gst_buffer_get_size (part), 50);
  ck_assert (!gst_fovea_buffer_get_region (part, NULL, &region));
  check_bytes (part, 9);
  gst_buffer_unref (part);
  gst_buffer_unref (copy);
  gst_buffer_unref (buffer);
}
END_TEST

/* Two regions of one buffer do not touch each other. */
START_TEST (test_regions)
{
  g_autoptr (FvDevice) device = open_device ();
  g_autoptr (FvBuffer) memory =
      fv_buffer_new (device, 1024, FV_MEMORY_DEVICE, NULL);
  GstBuffer *low = gst_buffer_new (), *high = gst_buffer_new ();

  ck_assert_ptr_nonnull (memory);
  gst_buffer_append_memory (low, gst_fovea_memory_new (memory, 0, 512));
  gst_buffer_append_memory (high, gst_fovea_memory_new (memory, 512, 500));
  ck_assert_uint_eq (gst_buffer_get_size (high), 500);
  fill_on_device (device, low, 3);
  fill_on_device (device, high, 4);
  gst_buffer_memset (low, 0, 5, 512);
  check_bytes (low, 5);
  check_bytes (high, 4);
  gst_buffer_unref (low);
  gst_buffer_unref (high);
  ck_assert_uint_eq (fv_validation_messages (), 0);
}
END_TEST

START_TEST (test_refused)
{
  g_autoptr (FvDevice) device = open_device ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) huge = NULL;

  ck_assert_ptr_null (
      gst_fovea_pool_new (device, 0, FV_MEMORY_DEVICE, 1, &error));
  ck_assert (g_error_matches (error, FV_ERROR, FV_ERROR_TOO_LARGE));
  ck_assert_ptr_null (
      gst_fovea_pool_new (device, G_MAXSIZE / 2, FV_MEMORY_DEVICE, 1, &huge));
  ck_assert (g_error_matches (huge, FV_ERROR, FV_ERROR_TOO_LARGE));
}
END_TEST

static Suite *
memory_suite (void)
{
  Suite *suite = suite_create ("memory");
  TCase *tcase = tcase_create ("memory");

  tcase_set_timeout (tcase, 60);
  tcase_add_test (tcase, test_map_waits);
  tcase_add_test (tcase, test_host_writes);
  tcase_add_test (tcase, test_pool_allocates_nothing);
  tcase_add_test (tcase, test_copies);
  tcase_add_test (tcase, test_regions);
  tcase_add_test (tcase, test_refused);
  suite_add_tcase (suite, tcase);
  return suite;
}

int
main (int argc, char **argv)
{
  SRunner *runner;
  int failed;

  gst_init (&argc, &argv);
  runner = srunner_create (memory_suite ());
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed ? 1 : 0;
}
