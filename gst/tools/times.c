/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/tools/times.h"

#include <stdlib.h>
#include <time.h>

static double
clock_seconds (clockid_t id)
{
  struct timespec now;
  clock_gettime (id, &now);
  return now.tv_sec + now.tv_nsec * 1e-9;
}

double
tool_wall_seconds (void)
{
  return clock_seconds (CLOCK_MONOTONIC);
}

double
tool_cpu_seconds (void)
{
  return clock_seconds (CLOCK_PROCESS_CPUTIME_ID);
}

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

double
tool_median (double *values, guint n)
{
  qsort (values, n, sizeof *values, compare_doubles);
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}
