/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A few dispatches of a plan, run alone for their time: by timestamps; on software
 * devices by the CPU time of the process, which other programs do not disturb. */
#include "gst/engine/program-private.h"
#include "gst/engine/tuning-private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N_ROUNDS 7
/* A round runs a trial as often as it takes to make these seconds. */
#define LONG_ENOUGH 3e-3
#define MOST_REPEATS 64
/* Behind the second round those that take so much longer than the best go. */
#define HOPELESS 1.5
/* Larger weights are stood in for: they only cost memory. */
#define MOST_DATA ((gsize) 1 << 20)
/* What buffers hold: a small number in f32, and in f16 too. */
#define FILLING 0x3c003c00

typedef struct
{
  FvStorage storage; /* a copy; its data are owned */
  FvBuffer *buffer; /* (nullable) until it runs */
} TrialStorage;

struct _FvTrial
{
  GArray
      *dispatches; /* FvDispatch: bindings' buffers are indices of storages */
  GArray *storages; /* TrialStorage */
  FvProgram *program; /* (nullable): not running, or it cannot */
  guint repeats;
  double
      waste; /* what the CPUs lose at the end of each dispatch, as a factor */
  double seconds[N_ROUNDS];
  guint n_seconds;
};

static void
clear_storage (gpointer data)
{
  TrialStorage *storage = data;

  g_free (storage->storage.data);
  fv_buffer_unref (storage->buffer);
}

/* The index of @storage in @trial; @seen: FvStorage * -> index + 1 */
static guint
keep_storage (FvTrial *trial, GHashTable *seen, const FvStorage *storage)
{
  guint at = GPOINTER_TO_UINT (g_hash_table_lookup (seen, storage));
  TrialStorage kept = { *storage, NULL };

  if (at)
    return at - 1;
  if (storage->data && storage->size <= MOST_DATA)
    kept.storage.data = g_memdup2 (storage->data, storage->size);
  else
    kept.storage.data = NULL;
  g_array_append_val (trial->storages, kept);
  g_hash_table_insert (seen, (gpointer) storage,
      GUINT_TO_POINTER (trial->storages->len));
  return trial->storages->len - 1;
}

FvTrial *
fv_trial_new (FvPlan *plan, guint first, guint end)
{
  FvTrial *trial = g_new0 (FvTrial, 1);
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

  trial->dispatches = g_array_new (FALSE, FALSE, sizeof (FvDispatch));
  trial->storages = g_array_new (FALSE, FALSE, sizeof (TrialStorage));
  g_array_set_clear_func (trial->storages, clear_storage);
  for (guint i = first; i < end; i++) {
    FvDispatch d = g_array_index (plan->dispatches, FvDispatch, i);

    d.label = d.tile = NULL; /* the plan's */
    for (guint b = 0; b < d.n_bindings; b++)
      d.bindings[b].buffer = (FvBuffer *) GUINT_TO_POINTER (keep_storage (trial,
          seen, (FvStorage *) (gpointer) d.bindings[b].buffer));
    g_array_append_val (trial->dispatches, d);
  }
  return trial;
}

/* The program, its buffers and what they hold. */
static void
drop_program (FvTrial *trial)
{
  g_clear_pointer (&trial->program, fv_program_unref);
  for (guint i = 0; i < trial->storages->len; i++)
    g_clear_pointer (&g_array_index (trial->storages, TrialStorage, i).buffer,
        fv_buffer_unref);
}

void
fv_trial_free (FvTrial *trial)
{
  if (!trial)
    return;
  drop_program (trial);
  g_array_unref (trial->dispatches);
  g_array_unref (trial->storages);
  g_free (trial);
}

/* @staging: (nullable): keeps what is copied until the program has run */
static gboolean
fill (FvDevice *device, FvProgram *program, TrialStorage *s, GPtrArray *staging,
    GError **error)
{
  gsize size = fv_storage_align (s->storage.size);
  gsize used = s->storage.size & ~(gsize) 3;
  FvBuffer *from;

  s->buffer = fv_buffer_new (device, size, FV_MEMORY_DEVICE, error);
  if (!s->buffer)
    return FALSE;
  fv_program_fill (program, s->buffer, 0, size, FILLING);
  if (!s->storage.data)
    return TRUE;
  from = fv_buffer_new (device, size, FV_MEMORY_UPLOAD, error);
  if (!from)
    return FALSE;
  g_ptr_array_add (staging, from);
  memcpy (fv_buffer_map (from), s->storage.data, s->storage.size);
  fv_program_copy (program, from, 0, s->buffer, 0, used);
  return TRUE;
}

static gboolean
run (FvDevice *device, FvProgram *program, GError **error)
{
  guint64 value;

  return fv_program_submit (&program, 1, &value, error)
      && fv_device_wait (device, value, FV_WATCHDOG, error);
}

static gboolean
make_buffers (FvDevice *device, FvTrial *trial, GError **error)
{
  g_autoptr (GPtrArray) staging =
      g_ptr_array_new_with_free_func ((GDestroyNotify) fv_buffer_unref);
  g_autoptr (FvProgram) program = fv_program_new (device);

  for (guint i = 0; i < trial->storages->len; i++)
    if (!fill (device, program,
            &g_array_index (trial->storages, TrialStorage, i), staging, error))
      return FALSE;
  return fv_program_finish (program, error) && run (device, program, error);
}

static gboolean
make_program (FvDevice *device, FvTrial *trial, guint repeats, GError **error)
{
  g_clear_pointer (&trial->program, fv_program_unref);
  trial->program = fv_program_new (device);
  trial->repeats = repeats;
  fv_program_enable_timing (trial->program);
  for (guint r = 0; r < repeats; r++)
    for (guint i = 0; i < trial->dispatches->len; i++) {
      FvDispatch d = g_array_index (trial->dispatches, FvDispatch, i);

      for (guint b = 0; b < d.n_bindings; b++) {
        FvBinding *binding = &d.bindings[b];
        TrialStorage *s = &g_array_index (trial->storages, TrialStorage,
            GPOINTER_TO_UINT (binding->buffer));

        binding->buffer = s->buffer;
        binding->offset = 0;
        binding->size = fv_storage_bound (device, binding->kind, &s->storage);
      }
      fv_program_dispatch (trial->program, &d);
    }
  return fv_program_finish (trial->program, error);
}

static double
cpu_seconds (void)
{
  struct timespec cpu;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &cpu);
  return cpu.tv_sec + cpu.tv_nsec * 1e-9;
}

/* Seconds of the dispatches, once each. */
static gboolean
time_once (FvDevice *device, FvTrial *trial, double *seconds, GError **error)
{
  double start = cpu_seconds ();

  if (!run (device, trial->program, error))
    return FALSE;
  if (fv_device_info (device)->is_cpu) {
    *seconds = (cpu_seconds () - start) * trial->waste;
  } else {
    gint64 wall = g_get_monotonic_time ();

    *seconds = 0;
    for (guint i = 0; i < fv_program_n_dispatches (trial->program); i++)
      *seconds += fv_program_seconds (trial->program, i);
    if (*seconds <= 0) { /* no timestamps */
      if (!run (device, trial->program, error))
        return FALSE;
      *seconds = (g_get_monotonic_time () - wall) * 1e-6;
    }
  }
  *seconds /= trial->repeats;
  return TRUE;
}

/* Few workgroups leave CPUs idle, which their time does not tell. */
static double
waste_of (const FvTrial *trial)
{
  double n_cpus = g_get_num_processors (), sum = 0;

  for (guint i = 0; i < trial->dispatches->len; i++) {
    const FvDispatch *d = &g_array_index (trial->dispatches, FvDispatch, i);
    double n = (double) d->groups[0] * d->groups[1] * d->groups[2];

    sum += n > 0 ? ceil (n / n_cpus) * n_cpus / n : 1;
  }
  return sum / MAX (trial->dispatches->len, 1);
}

/* Compiles, and finds out how often it is to run in a round. */
static gboolean
prepare (FvDevice *device, FvTrial *trial, GError **error)
{
  double seconds;
  guint repeats;

  trial->waste = waste_of (trial);
  if (!make_buffers (device, trial, error)
      || !make_program (device, trial, 1, error)
      || !time_once (device, trial, &seconds, error)
      || !time_once (device, trial, &seconds, error))
    return FALSE;
  repeats = (guint) CLAMP (LONG_ENOUGH / MAX (seconds, 1e-9), 1, MOST_REPEATS);
  return repeats == 1 || make_program (device, trial, repeats, error);
}

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

static double
median (FvTrial *trial)
{
  guint n = trial->n_seconds;

  qsort (trial->seconds, n, sizeof *trial->seconds, compare_doubles);
  return (trial->seconds[(n - 1) / 2] + trial->seconds[n / 2]) / 2;
}

static gboolean
run_round (FvDevice *device, FvTrial *const *trials, guint n, GError **error)
{
  for (guint i = 0; i < n; i++)
    if (trials[i] && trials[i]->program
        && !time_once (device, trials[i],
            &trials[i]->seconds[trials[i]->n_seconds++], error))
      return FALSE;
  return TRUE;
}

static void
drop_hopeless (FvTrial *const *trials, guint n)
{
  double best = G_MAXDOUBLE;

  for (guint i = 0; i < n; i++)
    if (trials[i] && trials[i]->program)
      best = MIN (best, median (trials[i]));
  for (guint i = 0; i < n; i++)
    if (trials[i] && trials[i]->program && median (trials[i]) > HOPELESS * best)
      drop_program (trials[i]);
}

gboolean
fv_trials_run (FvDevice *device, FvTrial *const *trials, guint n,
    double *seconds, GError **error)
{
  gboolean ok = TRUE;

  for (guint i = 0; ok && i < n; i++) {
    g_autoptr (GError) problem = NULL;

    if (trials[i] && !prepare (device, trials[i], &problem)) {
      /* too large for this device, say: another one is taken */
      g_info ("tuning: %s", problem->message);
      drop_program (trials[i]);
      ok = fv_device_check (device, error);
    }
  }
  for (guint round = 0; ok && round < N_ROUNDS; round++) {
    ok = run_round (device, trials, n, error);
    if (round == 1)
      drop_hopeless (trials, n);
  }
  for (guint i = 0; i < n; i++) {
    seconds[i] = trials[i] && trials[i]->n_seconds ? median (trials[i]) : -1;
    if (trials[i])
      drop_program (trials[i]);
  }
  return ok;
}
