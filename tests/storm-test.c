/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/storm-test.h"

#include <check.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Longer than any cycle takes on a loaded machine, under sanitizers too. */
#define STANDSTILL (180 * G_USEC_PER_SEC)
/* What an allocator and a driver may have more by chance, in bytes. */
#define CHANCE (2 << 20)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED TRUE /* freed memory is kept, and shadowed */
#else
#define IS_SANITIZED FALSE
#endif

static GMutex lock;
static GCond changed;
static Storm *watched; /* (nullable) */
static gint64 deadline; /* monotonic microseconds */

guint
storm_cycles (guint otherwise, guint divisor)
{
  const char *text = g_getenv ("FOVEA_STORM_CYCLES");
  guint n = text ? (guint) g_ascii_strtoull (text, NULL, 10) : otherwise;

  if (text == NULL && IS_SANITIZED)
    n /= 4; /* each takes some times as long, and memory is not judged */
  return MAX (n / divisor, 10);
}

/* Of the layer nobody knows what it keeps of all that it saw. */
static gboolean
is_judged (void)
{
  return !IS_SANITIZED && g_strcmp0 (g_getenv ("FOVEA_VALIDATION"), "1") != 0;
}

guint
storm_warm_up (guint n)
{
  return is_judged () ? n : 0;
}

/* ---- the watchdog ---- */

static gpointer
watch (gpointer data)
{
  g_mutex_lock (&lock);
  while (watched == data)
    if (!g_cond_wait_until (&changed, &lock, deadline)
        && g_get_monotonic_time () >= deadline && watched == data) {
      fprintf (stderr, "storm of %s: cycle %u of %u stands still\n",
          watched->name, watched->cycle, watched->n_cycles);
      abort ();
    }
  g_mutex_unlock (&lock);
  return NULL;
}

static void
set_watched (Storm *storm)
{
  g_mutex_lock (&lock);
  watched = storm;
  deadline = g_get_monotonic_time () + STANDSTILL;
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
}

void
storm_forget (void)
{
  set_watched (NULL);
}

/* ---- memory ---- */

gint64
storm_resident (void)
{
  g_autofree char *text = NULL;
  gint64 pages = 0;

  malloc_trim (0);
  if (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    sscanf (text, "%*d %" G_GINT64_FORMAT, &pages);
  return pages * sysconf (_SC_PAGESIZE);
}

static int
compare_bytes (const void *a, const void *b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return (x > y) - (x < y);
}

static gint64
median (GArray *samples, guint from, guint to)
{
  g_autoptr (GArray) sorted = g_array_new (FALSE, FALSE, sizeof (gint64));

  g_array_append_vals (sorted, &g_array_index (samples, gint64, from),
      to - from);
  qsort (sorted->data, sorted->len, sizeof (gint64), compare_bytes);
  return g_array_index (sorted, gint64, sorted->len / 2);
}

/* The second fifth, behind the warm-up, against the last one. */
gint64
storm_growth (GArray *samples)
{
  guint n = samples->len;

  if (n < 5)
    return 0;
  return median (samples, n * 4 / 5, n) - median (samples, n / 5, n * 2 / 5);
}

/* Threads may still be giving back what a cycle had. */
static guint64
settled_bytes (FvDevice *device, guint64 expected)
{
  FvDeviceCounters counters;

  for (guint i = 0; i < 100; i++) {
    fv_device_counters (device, &counters);
    if (counters.allocated_bytes <= expected)
      break;
    g_usleep (5000);
  }
  return counters.allocated_bytes;
}

/* ---- a storm ---- */

void
storm_begin (Storm *storm, const char *name, guint n_cycles, FvDevice *device)
{
  *storm = (Storm){ .name = name, .n_cycles = n_cycles };
  storm->device = device ? fv_device_ref (device) : NULL;
  storm->resident = g_array_new (FALSE, FALSE, sizeof (gint64));
  if (device)
    fv_device_counters (device, &storm->before);
  set_watched (storm);
  g_thread_unref (g_thread_new ("watchdog", watch, storm));
}

void
storm_step (Storm *storm)
{
  g_mutex_lock (&lock);
  storm->cycle++;
  g_mutex_unlock (&lock);
  set_watched (storm);
}

void
storm_look (Storm *storm)
{
  gboolean is_early = storm->cycle < storm->n_cycles / 2;
  gint64 bytes;

  storm_step (storm);
  if (storm->device && is_early) {
    FvDeviceCounters counters;

    fv_device_counters (storm->device, &counters);
    storm->most_early = MAX (storm->most_early, counters.allocated_bytes);
  } else if (storm->device) {
    storm->most_late = MAX (storm->most_late,
        settled_bytes (storm->device, storm->most_early));
  }
  bytes = storm_resident ();
  g_array_append_val (storm->resident, bytes);
}

/* On one device a cycle has what is made on average, rounded up. */
static void
count_objects (Storm *storm)
{
  guint n = storm->n_cycles;
  FvDeviceCounters now;

  if (storm->device == NULL)
    return;
  fv_device_counters (storm->device, &now);
  storm->bare.buffers =
      (guint) (now.allocations - storm->before.allocations + n - 1) / n;
  storm->bare.command_buffers =
      (guint) (now.recorded_command_buffers
          - storm->before.recorded_command_buffers + n - 1)
      / n;
  storm->bare.pipelines =
      (guint) (now.pipelines - storm->before.pipelines + n - 1) / n;
}

void
storm_end (Storm *storm)
{
  gint64 growth = storm_growth (storm->resident), bare = 0;

  ck_assert_uint_eq (fv_validation_messages (), 0);
  count_objects (storm);
  if (is_judged () && growth > 0)
    bare = MAX (storm_bare_growth (&storm->bare, storm->n_cycles), 0);
  if (g_getenv ("FOVEA_STORM_VERBOSE"))
    for (guint i = 0; i < storm->resident->len; i++)
      g_print ("%.0f ", g_array_index (storm->resident, gint64, i) / 1024.0);
  g_print ("%-20s %5u cycles: %+6.0f KiB, bare Vulkan %+6.0f KiB; device %.0f "
           "KiB early, %.0f KiB late\n",
      storm->name, storm->cycle, growth / 1024.0, bare / 1024.0,
      storm->most_early / 1024.0, storm->most_late / 1024.0);
  ck_assert_msg (storm->most_late
          <= (guint64) ((1 + storm->spread) * (double) storm->most_early),
      "%s: device memory grows", storm->name);
  ck_assert_msg (!is_judged () || growth - bare <= CHANCE,
      "%s: memory grows by %" G_GINT64_FORMAT " bytes in three fifths of %u "
      "cycles, that of bare Vulkan by %" G_GINT64_FORMAT,
      storm->name, growth, storm->n_cycles, bare);
  set_watched (NULL);
  g_array_unref (storm->resident);
  fv_device_unref (storm->device);
}
