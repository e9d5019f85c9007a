/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two sides of a roofline, measured: arithmetic and memory. */
#include "gst/engine/program.h"
#include "shaders/shared.h"

#define LOCAL 64
#define COPY_BYTES ((gsize) 64 << 20) /* beyond what CPUs and GPUs cache */
/* What CPUs do keep between two dispatches, as nets run there. */
#define CACHED_BYTES ((gsize) 2 << 20)
#define GROUP_BYTES (LOCAL * FV_PEAK_UNITS * 16)
/* For arithmetic, of LOCAL: all that large GPUs run at once; few enough for CPUs
 * that it is arithmetic that takes the time. */
#define GPU_GROUPS 4096
#define CPU_GROUPS 256
#define LONG_ENOUGH 20e-3 /* seconds */
#define MOST_ROUNDS (1 << 20)
#define N_TRIES 3

/* Seconds of one dispatch, the best of some; -1 on failure or without timestamps,
 * and then with @error unset. */
static double
time_dispatch (FvDevice *device, FvBuffer *x, FvBuffer *y, guint groups,
    gint32 rounds, GError **error)
{
  g_autoptr (FvProgram) program = fv_program_new (device);
  FvDispatch d = { .kernel = "peak",
    .label = "peak",
    .groups = { groups, 1, 1 } };
  double best = -1;

  fv_dispatch_spec (&d, FV_SPEC_LOCAL, LOCAL);
  fv_dispatch_push (&d, &rounds, sizeof rounds);
  fv_dispatch_bind (&d, x, 0, fv_buffer_size (x), FV_BIND_FLOATS_READ,
      FV_TYPE_F32);
  fv_dispatch_bind (&d, y, 0, fv_buffer_size (y), FV_BIND_FLOATS_WRITE,
      FV_TYPE_F32);
  fv_program_enable_timing (program);
  fv_program_dispatch (program, &d);
  if (!fv_program_finish (program, error))
    return -1;
  for (guint i = 0; i < N_TRIES; i++) {
    guint64 value;

    if (!fv_program_submit (&program, 1, &value, error)
        || !fv_device_wait (device, value, FV_WATCHDOG, error))
      return -1;
    double seconds = fv_program_seconds (program, 0);
    if (seconds > 0 && (best < 0 || seconds < best))
      best = seconds;
  }
  return best;
}

/* Zeros: chains of them stay finite however long they are. */
static gboolean
clear (FvDevice *device, FvBuffer *buffer, GError **error)
{
  g_autoptr (FvProgram) program = fv_program_new (device);
  guint64 value;

  fv_program_fill (program, buffer, 0, fv_buffer_size (buffer), 0);
  return fv_program_finish (program, error)
      && fv_program_submit (&program, 1, &value, error)
      && fv_device_wait (device, value, FV_WATCHDOG, error);
}

/* Multiply-adds in a second, if that is more than before. */
static gboolean
measure_flops (FvDevice *device, FvBuffer *x, FvBuffer *y, FvPeaks *peaks,
    GError **error)
{
  guint groups = fv_device_info (device)->is_cpu ? CPU_GROUPS : GPU_GROUPS;
  GError *problem = NULL;

  for (gint32 rounds = 1; rounds <= MOST_ROUNDS; rounds *= 2) {
    double flops = (double) FV_PEAK_FLOPS * groups * LOCAL * rounds;
    double seconds = time_dispatch (device, x, y, groups, rounds, &problem);

    if (seconds > 0)
      peaks->flops = MAX (peaks->flops, flops / seconds);
    if (seconds < 0 || seconds >= LONG_ENOUGH)
      break;
  }
  if (problem)
    g_propagate_error (error, problem);
  return !problem;
}

/* The same of bytes, by a copy of so many workgroups. */
static gboolean
measure_bytes (FvDevice *device, FvBuffer *x, FvBuffer *y, guint groups,
    FvPeaks *peaks, GError **error)
{
  GError *problem = NULL;
  double seconds = time_dispatch (device, x, y, groups, 0, &problem);

  if (seconds > 0)
    peaks->bytes = MAX (peaks->bytes, 2.0 * groups * GROUP_BYTES / seconds);
  if (problem)
    g_propagate_error (error, problem);
  return !problem;
}

gboolean
fv_device_measure (FvDevice *device, FvPeaks *peaks, GError **error)
{
  const FvDeviceInfo *info = fv_device_info (device);

  if (info->timestamp_ns <= 0)
    return TRUE;
  g_autoptr (FvBuffer) x =
      fv_buffer_new (device, COPY_BYTES, FV_MEMORY_DEVICE, error);
  g_autoptr (FvBuffer) y =
      x ? fv_buffer_new (device, COPY_BYTES, FV_MEMORY_DEVICE, error) : NULL;
  return y && clear (device, x, error)
      && measure_bytes (device, x, y, COPY_BYTES / GROUP_BYTES, peaks, error)
      && (!info->is_cpu
          || measure_bytes (device, x, y, CACHED_BYTES / GROUP_BYTES, peaks,
              error))
      && measure_flops (device, x, y, peaks, error);
}
