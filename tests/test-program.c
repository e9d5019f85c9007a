/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/device-test.h"
#include "gst/engine/kernel-private.h"
#include "gst/engine/program-private.h"
#include "shaders/shared.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const FvSpirv fv_test_spirv[];

#define WAIT_NS G_GUINT64_CONSTANT (20000000000)

static const FvType types[] = { FV_TYPE_F32, FV_TYPE_F16 };

static FvBuffer *
make_buffer (FvDevice *device, gsize size, FvMemoryUse use)
{
  g_autoptr (GError) error = NULL;
  FvBuffer *buffer = fv_buffer_new (device, size, use, &error);
  ck_assert_msg (buffer != NULL, "%s", error ? error->message : "no error");
  return buffer;
}

static void
finish (FvProgram *program)
{
  g_autoptr (GError) error = NULL;
  ck_assert_msg (fv_program_finish (program, &error), "%s",
      error ? error->message : "no error");
}

static guint64
submit (FvProgram *const *programs, guint n)
{
  g_autoptr (GError) error = NULL;
  guint64 value = 0;
  ck_assert_msg (fv_program_submit (programs, n, &value, &error), "%s",
      error ? error->message : "no error");
  return value;
}

static void
wait_for (FvDevice *device, guint64 value)
{
  g_autoptr (GError) error = NULL;
  ck_assert_msg (fv_device_wait (device, value, WAIT_NS, &error), "%s",
      error ? error->message : "no error");
}

static void
run (FvDevice *device, FvProgram *program)
{
  finish (program);
  wait_for (device, submit (&program, 1));
}

/* target[i] = a source[i] + b for n vec4 of both, bindings @size bytes at the
 * offsets */
static FvDispatch
scale (FvBuffer *source, gsize source_offset, FvBuffer *target,
    gsize target_offset, guint n, FvType type, float a, float b)
{
  struct
  {
    float b;
    gint32 first;
  } push = { b, 0 };
  FvDispatch dispatch = { .kernel = "scale", .label = "node_7" };
  gsize size = n * 4 * fv_type_size (type);

  dispatch.n_bindings = 2;
  dispatch.bindings[0] =
      (FvBinding){ source, source_offset, size, FV_BIND_FLOATS_READ, type };
  dispatch.bindings[1] =
      (FvBinding){ target, target_offset, size, FV_BIND_FLOATS_WRITE, type };
  fv_dispatch_spec (&dispatch, 0, (gint32) n);
  fv_dispatch_spec_float (&dispatch, 1, a);
  fv_dispatch_spec (&dispatch, FV_SPEC_LOCAL, 16);
  fv_dispatch_push (&dispatch, &push, sizeof push);
  dispatch.groups[0] = (n + 15) / 16;
  dispatch.groups[1] = dispatch.groups[2] = 1;
  return dispatch;
}

static void
store (FvBuffer *buffer, FvType type, guint i, float value)
{
  gpointer data = fv_buffer_map (buffer);
  if (type == FV_TYPE_F16)
    ((guint16 *) data)[i] = fv_f32_to_f16 (value);
  else
    ((float *) data)[i] = value;
}

static float
load (FvBuffer *buffer, FvType type, guint i)
{
  gpointer data = fv_buffer_map (buffer);
  return type == FV_TYPE_F16 ? fv_f16_to_f32 (((guint16 *) data)[i])
                             : ((float *) data)[i];
}

START_TEST (test_types_and_tiers)
{
  g_autoptr (FvDevice) device = device_test_open ((guint) _i / 2);
  FvType type = types[_i % 2];
  guint n = 37; /* vec4: no multiple of the workgroup */
  g_autoptr (FvBuffer) in = make_buffer (device, 4096, FV_MEMORY_UPLOAD);
  g_autoptr (FvBuffer) out = make_buffer (device, 4096, FV_MEMORY_DOWNLOAD);
  g_autoptr (FvProgram) program = fv_program_new (device);

  for (guint i = 0; i < 4 * n + 4; i++) {
    store (in, type, i, (float) i * 0.25f - 9);
    store (out, type, i, 77);
  }
  FvDispatch d = scale (in, 0, out, 0, n, type, -2, 0.5f);
  fv_program_dispatch (program, &d);
  run (device, program);
  for (guint i = 0; i < 4 * n; i++)
    ck_assert_float_eq (load (out, type, i),
        -2 * ((float) i * 0.25f - 9) + 0.5f);
  for (guint i = 4 * n; i < 4 * n + 4; i++)
    ck_assert_float_eq (load (out, type, i), 77);
}
END_TEST

START_TEST (test_bytes)
{
  g_autoptr (FvDevice) device = device_test_open ((guint) _i);
  guint n = 75; /* bytes: no multiple of four */
  g_autoptr (FvBuffer) in = make_buffer (device, 4096, FV_MEMORY_UPLOAD);
  g_autoptr (FvBuffer) out = make_buffer (device, 4 * n, FV_MEMORY_DOWNLOAD);
  g_autoptr (FvProgram) program = fv_program_new (device);
  guint8 *bytes = fv_buffer_map (in);
  guint32 *words = fv_buffer_map (in);
  FvDispatch d = { .kernel = "bytes", .groups = { 2, 1, 1 } };

  for (guint i = 0; i < 4096; i++)
    bytes[i] = (guint8) (i * 7 + i / 256);
  d.n_bindings = 4;
  d.bindings[0] = (FvBinding){ in, 0, n, FV_BIND_BYTES_READ };
  d.bindings[1] = (FvBinding){ in, 256, 4 * n, FV_BIND_RGBA8_READ };
  d.bindings[2] = (FvBinding){ in, 1024, 4 * n, FV_BIND_RAW_READ };
  d.bindings[3] = (FvBinding){ out, 0, 4 * n, FV_BIND_RAW_WRITE };
  fv_dispatch_spec (&d, 0, (gint32) n); /* local size: the default of 64 */
  fv_program_dispatch (program, &d);
  run (device, program);
  for (guint i = 0; i < n; i++) {
    const guint8 *p = bytes + 256 + 4 * i;
    ck_assert_uint_eq (((guint32 *) fv_buffer_map (out))[i],
        bytes[i] + p[0] + p[1] + p[2] + p[3] + words[256 + i]);
  }
}
END_TEST

/* fill, then a chain over halves of two buffers; which commands need a barrier
 * in front is written beside each. */
START_TEST (test_chain)
{
  g_autoptr (FvDevice) device = device_test_open ((guint) _i);
  guint n = 64; /* vec4: 1024 bytes */
  g_autoptr (FvBuffer) a = make_buffer (device, 2048, FV_MEMORY_DEVICE);
  g_autoptr (FvBuffer) b = make_buffer (device, 2048, FV_MEMORY_DEVICE);
  g_autoptr (FvBuffer) out = make_buffer (device, 2048, FV_MEMORY_DOWNLOAD);
  g_autoptr (FvProgram) program = fv_program_new (device);
  float one = 1;
  guint32 bits;
  FvDispatch d;

  memcpy (&bits, &one, sizeof bits);
  fv_program_fill (program, a, 0, 1024, bits);
  fv_program_fill (program, a, 1024, 1024, 0);
  /* barrier 1: reads what the fill wrote */
  d = scale (a, 0, b, 0, n, FV_TYPE_F32, 2, 1); /* b0 = 3 */
  fv_program_dispatch (program, &d);
  d = scale (a, 1024, b, 1024, n, FV_TYPE_F32, 2, 5); /* b1 = 5 */
  fv_program_dispatch (program, &d);
  /* barrier 2: writes what was read (and reads what was written) */
  d = scale (b, 0, a, 0, n, FV_TYPE_F32, 1, 1); /* a0 = 4 */
  fv_program_dispatch (program, &d);
  d = scale (b, 1024, a, 1024, n, FV_TYPE_F32, 3, 0); /* a1 = 15 */
  fv_program_dispatch (program, &d);
  /* barrier 3: writes after write */
  d = scale (b, 0, a, 0, n, FV_TYPE_F32, 10, 0); /* a0 = 30 */
  fv_program_dispatch (program, &d);
  /* none: closed off by barrier 3 */
  fv_program_copy (program, a, 1024, out, 0, 1024);
  /* barrier 4 */
  fv_program_copy (program, a, 0, out, 1024, 1024);
  run (device, program);
  ck_assert_uint_eq (fv_program_n_barriers (program), 4);
  ck_assert_uint_eq (fv_program_n_dispatches (program), 5);
  ck_assert_uint_eq (fv_program_n_pipelines (program), 4);
  ck_assert_str_eq (fv_program_get (program, 4)->label, "node_7");
  for (guint i = 0; i < 4 * n; i++) {
    ck_assert_float_eq (load (out, FV_TYPE_F32, i), 15);
    ck_assert_float_eq (load (out, FV_TYPE_F32, 256 + i), 30);
  }
}
END_TEST

/* x = x + 1, in place, often: both a dispatch that reads and writes one range
 * and submits that overtake nothing. */
START_TEST (test_resubmit)
{
  g_autoptr (FvDevice) device = device_test_open ((guint) _i);
  g_autoptr (FvBuffer) x = make_buffer (device, 1024, FV_MEMORY_DOWNLOAD);
  g_autoptr (FvProgram) program = fv_program_new (device);
  FvDispatch d = scale (x, 0, x, 0, 64, FV_TYPE_F32, 1, 1);
  FvDeviceCounters before, after;
  guint64 value = 0;

  memset (fv_buffer_map (x), 0, 1024);
  fv_program_dispatch (program, &d);
  finish (program);
  submit (&program, 1);
  wait_for (device, submit (&program, 1));
  fv_device_counters (device, &before);
  for (guint i = 2; i < 1000; i++)
    value = submit (&program, 1);
  wait_for (device, value);
  fv_device_counters (device, &after);
  for (guint i = 0; i < 256; i++)
    ck_assert_float_eq (load (x, FV_TYPE_F32, i), 1000);
  ck_assert_uint_eq (after.submits, before.submits + 998);
  ck_assert_uint_eq (after.allocations, before.allocations);
  ck_assert_uint_eq (after.allocated_bytes, before.allocated_bytes);
  ck_assert_uint_eq (after.recorded_command_buffers,
      before.recorded_command_buffers);
  ck_assert (fv_device_is_done (device, value));
}
END_TEST

/* More programs at once than one batch holds, each one reading the result of
 * the one before. */
START_TEST (test_batch)
{
  g_autoptr (FvDevice) device = device_test_open ((guint) _i);
  g_autoptr (FvBuffer) x = make_buffer (device, 1024, FV_MEMORY_DOWNLOAD);
  FvProgram *programs[70];
  float expected = 1;

  for (guint i = 0; i < 256; i++)
    store (x, FV_TYPE_F32, i, 1);
  for (guint i = 0; i < G_N_ELEMENTS (programs); i++) {
    FvDispatch d =
        scale (x, 0, x, 0, 64, FV_TYPE_F32, i % 2 ? 0.5f : 2, (float) i);
    programs[i] = fv_program_new (device);
    fv_program_dispatch (programs[i], &d);
    finish (programs[i]);
    expected = (i % 2 ? 0.5f : 2) * expected + (float) i;
  }
  wait_for (device, submit (programs, G_N_ELEMENTS (programs)));
  for (guint i = 0; i < 256; i++)
    ck_assert_float_eq (load (x, FV_TYPE_F32, i), expected);
  for (guint i = 0; i < G_N_ELEMENTS (programs); i++)
    fv_program_unref (programs[i]);
}
END_TEST

START_TEST (test_unref_pending)
{
  g_autoptr (FvDevice) device = device_test_open ((guint) _i);
  FvBuffer *x = make_buffer (device, 1 << 20, FV_MEMORY_DEVICE);
  FvProgram *program = fv_program_new (device);
  FvDispatch d = scale (x, 0, x, 0, 1 << 16, FV_TYPE_F32, 1, 1);

  fv_program_dispatch (program, &d);
  fv_buffer_unref (x);
  finish (program);
  guint64 value = 0;
  for (guint i = 0; i < 20; i++)
    value = submit (&program, 1);
  fv_program_unref (program);
  ck_assert (fv_device_is_done (device, value));
}
END_TEST

/* @n dispatches over all of @x, in an order that shows */
static FvProgram *
make_chain (FvDevice *device, FvBuffer *x, guint n)
{
  g_autoptr (FvProgram) program = fv_program_new (device);

  fv_program_enable_timing (program);
  for (guint i = 0; i < n; i++) {
    FvDispatch d =
        scale (x, 0, x, 0, 1 << 16, FV_TYPE_F32, i % 2 ? 0.5f : 2, (float) i);

    fv_program_dispatch (program, &d);
  }
  finish (program);
  return g_steal_pointer (&program);
}

static float
chain_result (float value, guint n)
{
  for (guint i = 0; i < n; i++)
    value = (i % 2 ? 0.5f : 2) * value + (float) i;
  return value;
}

#define CHAIN 24

/* A program in as many parts as it has dispatches gives what it gave before; what is
 * submitted meanwhile does not wait behind it; its runs stay in order. */
START_TEST (test_background)
{
  g_autoptr (FvDevice) device = device_test_open ((guint) _i);
  g_autoptr (FvBuffer) x = make_buffer (device, 1 << 20, FV_MEMORY_DOWNLOAD);
  g_autoptr (FvBuffer) y = make_buffer (device, 1 << 20, FV_MEMORY_DOWNLOAD);
  g_autoptr (FvProgram) chain = make_chain (device, x, CHAIN);
  g_autoptr (FvProgram) other = make_chain (device, y, 1);
  g_autoptr (GError) error = NULL;
  double seconds[CHAIN];
  FvProgram *twice[2] = { chain, other };
  guint64 value = 0, first = 0, between;

  memset (fv_buffer_map (x), 0, 1 << 20);
  store (y, FV_TYPE_F32, 7, 1);
  for (guint i = 0; i < CHAIN; i++)
    seconds[i] = 1; /* none fits beside another one */
  ck_assert (fv_program_divide (chain, seconds, 0.5, &error));
  ck_assert (fv_program_submit_background (&chain, 1, &first, &error));
  for (guint i = 0; i < 3; i++)
    ck_assert (fv_program_submit_background (twice, 2, &value, &error));
  between = submit (&other, 1);
  wait_for (device, between);
  /* nobody has waited for it, so that most is not even given to the driver */
  ck_assert (fv_device_is_done (device, between));
  ck_assert (!fv_device_is_done (device, value));
  wait_for (device, value);
  ck_assert (fv_device_is_done (device, first));
  ck_assert (fv_device_is_done (device, value));
  ck_assert_float_eq (load (x, FV_TYPE_F32, 7),
      chain_result (
          chain_result (chain_result (chain_result (0, CHAIN), CHAIN), CHAIN),
          CHAIN));
  ck_assert_float_eq (load (y, FV_TYPE_F32, 7), 16);
  ck_assert (!fv_device_wait (device, value + 1, 0, &error));
  ck_assert (g_error_matches (error, FV_ERROR, FV_ERROR_INVALID));
  g_clear_error (&error);
  /* all the same when it goes at once, and when nobody waits but its end */
  wait_for (device, submit (&chain, 1));
  ck_assert (fv_program_submit_background (&chain, 1, &value, &error));
}
END_TEST

START_TEST (test_timing)
{
  g_autoptr (FvDevice) device = device_test_open ((guint) _i);
  g_autoptr (FvBuffer) x = make_buffer (device, 1 << 24, FV_MEMORY_DEVICE);
  g_autoptr (FvProgram) program = fv_program_new (device);
  FvDispatch large = scale (x, 0, x, 0, 1 << 19, FV_TYPE_F32, 1, 1);
  FvDispatch small = scale (x, 0, x, 0, 16, FV_TYPE_F32, 1, 1);

  fv_program_enable_timing (program);
  fv_program_dispatch (program, &small);
  fv_program_dispatch (program, &large);
  ck_assert_double_eq (fv_program_seconds (program, 0), -1);
  run (device, program);
  wait_for (device, submit (&program, 1)); /* without the compiler's time */
  if (fv_device_info (device)->timestamp_ns == 0)
    return;
  double seconds = fv_program_seconds (program, 1);
  ck_assert_msg (seconds > 0 && seconds < 10, "%g s", seconds);
  ck_assert_msg (seconds > fv_program_seconds (program, 0),
      "%g s for half a million, %g s for 16", seconds,
      fv_program_seconds (program, 0));
  ck_assert_double_eq (fv_program_seconds (program, 2), -1);
}
END_TEST

static void
refused (FvDevice *device, const FvDispatch *dispatch, FvError code,
    const char *part)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FvProgram) program = fv_program_new (device);

  fv_program_dispatch (program, dispatch);
  ck_assert_msg (!fv_program_finish (program, &error), "%s", part);
  ck_assert_msg (g_error_matches (error, FV_ERROR, (gint) code), "%s: %s", part,
      error->message);
  ck_assert_msg (strstr (error->message, part)
          && strstr (error->message, dispatch->label),
      "\"%s\" and %s in: %s", part, dispatch->label, error->message);
  g_clear_error (&error);
  ck_assert (!fv_program_submit (&program, 1, NULL, &error));
  ck_assert (g_error_matches (error, FV_ERROR, FV_ERROR_INVALID));
}

START_TEST (test_limits)
{
  g_autoptr (FvDevice) device = device_test_open ((guint) _i);
  const FvDeviceInfo *info = fv_device_info (device);
  g_autoptr (FvBuffer) x = make_buffer (device, 4096, FV_MEMORY_DEVICE);
  const FvDispatch good = scale (x, 0, x, 0, 64, FV_TYPE_F32, 1, 1);
  FvDispatch d;

  d = good;
  d.push_size = 132;
  refused (device, &d, FV_ERROR_TOO_LARGE, "push constants");
  d = good;
  d.push_size = 6;
  refused (device, &d, FV_ERROR_INVALID, "push constants");
  d = good;
  d.groups[1] = info->max_groups[1] + 1;
  if (d.groups[1])
    refused (device, &d, FV_ERROR_TOO_LARGE, "workgroups along y");
  d = good;
  fv_dispatch_spec (&d, FV_SPEC_LOCAL, (gint32) info->max_invocations + 1);
  refused (device, &d, FV_ERROR_TOO_LARGE, "invocations");
  d = good;
  d.bindings[1].offset = 128;
  refused (device, &d, FV_ERROR_INVALID, "binding 1");
  d = good;
  d.bindings[0].size = 4097;
  refused (device, &d, FV_ERROR_INVALID, "binding 0");
  d = good;
  d.bindings[0].offset = G_MAXSIZE - 255;
  refused (device, &d, FV_ERROR_INVALID, "binding 0");
  d = good;
  d.bindings[0].type = FV_TYPE_I32;
  refused (device, &d, FV_ERROR_INVALID, "f32 or f16");
  d = good;
  d.kernel = "no-such-kernel";
  refused (device, &d, FV_ERROR_NOT_FOUND, "no-such-kernel");
}
END_TEST

START_TEST (test_storage_limit)
{
  g_autoptr (FvDevice) device = device_test_open ((guint) _i);
  gsize limit = fv_device_info (device)->max_storage_range;
  g_autoptr (FvBuffer) large =
      fv_buffer_new (device, limit + 256, FV_MEMORY_DEVICE, NULL);
  if (!large) /* no memory for a buffer over the limit: nothing to go wrong */
    return;
  FvDispatch d = scale (large, 0, large, 0, 64, FV_TYPE_F32, 1, 1);
  d.bindings[1].size = limit + 16;
  refused (device, &d, FV_ERROR_TOO_LARGE, "storage binding");
}
END_TEST

static guint64
shared_bytes (const FvSpirv *module, const FvDispatch *dispatch)
{
  FvConstants constants;

  fv_dispatch_constants (dispatch, &constants);
  g_autoptr (GArray) code = fv_spirv_specialize (module, &constants);
  return fv_spirv_shared_bytes (code);
}

START_TEST (test_shared_memory)
{
  g_autoptr (FvDevice) device = device_test_open ((guint) _i);
  guint limit = fv_device_info (device)->max_shared_memory;
  g_autoptr (FvBuffer) x = make_buffer (device, 4096, FV_MEMORY_DEVICE);
  FvDispatch d = { .kernel = "bytes", .label = "pool_3", .n_bindings = 4 };
  const FvSpirv *module = fv_test_spirv;

  while (!g_str_has_prefix (module->name, "bytes"))
    module++;
  ck_assert_uint_eq (shared_bytes (module, &d), 4 * 64);
  fv_dispatch_spec (&d, 1, 5);
  ck_assert_uint_eq (shared_bytes (module, &d), 5 * 4 * 64);
  fv_dispatch_spec (&d, FV_SPEC_LOCAL, 24);
  ck_assert_uint_eq (shared_bytes (module, &d), 5 * 4 * 24);

  for (guint i = 0; i < 4; i++)
    d.bindings[i] = (FvBinding){ x, 256 * i, 256,
      (FvBindKind[]){ FV_BIND_BYTES_READ, FV_BIND_RGBA8_READ, FV_BIND_RAW_READ,
          FV_BIND_RAW_WRITE }[i],
      FV_TYPE_NONE };
  fv_dispatch_spec (&d, 1, (gint32) (limit / (4 * 24) + 1));
  refused (device, &d, FV_ERROR_TOO_LARGE, "shared memory");
}
END_TEST

START_TEST (test_command_errors)
{
  g_autoptr (FvDevice) device = device_test_open ((guint) _i);
  g_autoptr (FvBuffer) x = make_buffer (device, 4096, FV_MEMORY_DEVICE);

  for (guint i = 0; i < 5; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (FvProgram) program = fv_program_new (device);
    if (i == 0)
      fv_program_copy (program, x, 0, x, 1024, 2048);
    else if (i == 1)
      fv_program_copy (program, x, 2048, x, 0, 4096);
    else if (i == 2)
      fv_program_fill (program, x, 2, 16, 0);
    else if (i == 3)
      fv_program_fill (program, x, G_MAXSIZE - 3, 8, 0);
    else
      fv_program_fill (program, x, 0, 0, 0);
    ck_assert_msg (!fv_program_finish (program, &error), "case %u", i);
    ck_assert (g_error_matches (error, FV_ERROR, FV_ERROR_INVALID));
  }
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
  Suite *suite = suite_create ("program");
  TCase *tcase = tcase_create ("program");
  SRunner *runner = srunner_create (suite);

  fv_spirv_extra = fv_test_spirv;
  tcase_set_timeout (tcase, 120);
  tcase_add_loop_test (tcase, test_types_and_tiers, 0, 4);
  tcase_add_loop_test (tcase, test_bytes, 0, 2);
  tcase_add_loop_test (tcase, test_chain, 0, 2);
  tcase_add_loop_test (tcase, test_resubmit, 0, 2);
  tcase_add_loop_test (tcase, test_batch, 0, 2);
  tcase_add_loop_test (tcase, test_unref_pending, 0, 2);
  tcase_add_loop_test (tcase, test_background, 0, 2);
  tcase_add_loop_test (tcase, test_timing, 0, 2);
  tcase_add_loop_test (tcase, test_limits, 0, 2);
  tcase_add_loop_test (tcase, test_storage_limit, 0, 2);
  tcase_add_loop_test (tcase, test_shared_memory, 0, 2);
  tcase_add_loop_test (tcase, test_command_errors, 0, 2);
  tcase_add_test (tcase, test_validation_clean);
  suite_add_tcase (suite, tcase);
  srunner_run_all (runner, CK_NORMAL);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
