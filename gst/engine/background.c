/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/engine/background-private.h"

#include <string.h>

/* The driver has so much to do, or so many parts, so that the device does not wait
 * for the host between two of them, which may be slow to wake up. */
#define AHEAD_SECONDS (2 * FV_PART_SECONDS)
#define AHEAD_PARTS 3
/* Command buffers of one part, at most. */
#define TOGETHER 8

/* What is handed to the driver at once. */
typedef struct
{
  VkCommandBuffer buffers[TOGETHER];
  guint n;
  double seconds;
  guint64 value; /* that the timeline reaches behind it */
  guint64 end; /* behind the last part of what was submitted together */
} Part;

/* What the driver refused: from there on nothing of it came to the device. */
typedef struct
{
  guint64 first, end;
  GError *error;
} Refusal;

struct _FvBackground
{
  FvDevice *device; /* its queue_lock is for all that follows */
  VkSemaphore timeline;
  GQueue waiting, given; /* Part: not handed to the driver; not yet done */
  double ahead; /* seconds of those given */
  guint64 newest;
  GArray *refusals; /* Refusal; next to never is there one */
};

static void
clear_refusal (gpointer refusal)
{
  g_clear_error (&((Refusal *) refusal)->error);
}

FvBackground *
fv_background_new (FvDevice *device, GError **error)
{
  FvBackground *background = g_new0 (FvBackground, 1);

  background->device = device;
  if (!fv_device_make_timeline (device, &background->timeline, error)) {
    g_free (background);
    return NULL;
  }
  background->refusals = g_array_new (FALSE, FALSE, sizeof (Refusal));
  g_array_set_clear_func (background->refusals, clear_refusal);
  return background;
}

void
fv_background_free (FvBackground *background)
{
  FvDevice *device;

  if (background == NULL)
    return;
  device = background->device;
  g_queue_clear_full (&background->waiting, g_free);
  g_queue_clear_full (&background->given, g_free);
  g_array_unref (background->refusals);
  device->vk.DestroySemaphore (device->handle, background->timeline, NULL);
  g_free (background);
}

/* The lock is held, here and up to fv_background_submit(). */
static void
forget_done (FvBackground *background)
{
  FvDevice *device = background->device;
  guint64 reached = 0;
  Part *part;

  if (g_queue_is_empty (&background->given)
      || !VK (device, GetSemaphoreCounterValue, NULL, device->handle,
          background->timeline, &reached))
    return;
  while ((part = g_queue_peek_head (&background->given))
      && part->value <= reached) {
    background->ahead -= part->seconds;
    g_free (g_queue_pop_head (&background->given));
  }
  if (g_queue_is_empty (&background->given))
    background->ahead = 0;
}

/* The part that comes next, and what was submitted with it and comes behind. */
static void
drop_refused (FvBackground *background, GError *error)
{
  Part *part = g_queue_peek_head (&background->waiting);
  Refusal refusal = { part->value, part->end, error };

  while ((part = g_queue_peek_head (&background->waiting))
      && part->end == refusal.end)
    g_free (g_queue_pop_head (&background->waiting));
  g_array_append_val (background->refusals, refusal);
}

static const Refusal *
find_refusal (const FvBackground *background, guint64 value)
{
  for (guint i = 0; i < background->refusals->len; i++) {
    const Refusal *refusal = &g_array_index (background->refusals, Refusal, i);

    if (refusal->first <= value && value <= refusal->end)
      return refusal;
  }
  return NULL;
}

static gboolean
may_give (const FvBackground *background)
{
  return background->given.length < AHEAD_PARTS
      || background->ahead < AHEAD_SECONDS;
}

static void
give (FvBackground *background)
{
  Part *part;

  forget_done (background);
  while ((part = g_queue_peek_head (&background->waiting))
      && may_give (background)) {
    GError *error = NULL;

    if (!fv_device_submit_locked (background->device, part->buffers, part->n,
            background->timeline, part->value, &error)) {
      drop_refused (background, error);
      continue;
    }
    background->ahead += part->seconds;
    g_queue_push_tail (&background->given,
        g_queue_pop_head (&background->waiting));
  }
}

/* Small pieces that follow each other go as one. */
static void
append (FvBackground *background, const FvPiece *pieces, guint n)
{
  GList *first = NULL;
  Part *part = NULL;

  for (guint i = 0; i < n; i++) {
    if (part == NULL || part->n == TOGETHER
        || part->seconds + pieces[i].seconds > FV_PART_SECONDS) {
      part = g_new0 (Part, 1);
      part->value = ++background->newest;
      g_queue_push_tail (&background->waiting, part);
      if (first == NULL)
        first = background->waiting.tail;
    }
    part->buffers[part->n++] = pieces[i].buffer;
    part->seconds += pieces[i].seconds;
  }
  for (GList *l = first; l; l = l->next)
    ((Part *) l->data)->end = background->newest;
}

gboolean
fv_background_submit (FvBackground *background, const FvPiece *pieces, guint n,
    guint64 *value, GError **error)
{
  GMutex *lock = &background->device->queue_lock;
  gboolean is_refused;

  g_mutex_lock (lock);
  append (background, pieces, n);
  *value = background->newest;
  give (background);
  is_refused = find_refusal (background, *value) != NULL;
  g_mutex_unlock (lock);
  /* this brings the error, behind what came to the device before it */
  return !is_refused
      || fv_background_wait (background, *value, FV_WATCHDOG, error);
}

static guint64
time_left (guint64 timeout_ns, gint64 start)
{
  guint64 passed = (guint64) (g_get_monotonic_time () - start) * 1000;

  if (timeout_ns == FV_WATCHDOG)
    return timeout_ns;
  return passed < timeout_ns ? timeout_ns - passed : 0;
}

/* The oldest part that is not done and has to be before @value is reached; 0: none.
 * It is waited for before those behind it, to give the driver more then. The lock
 * is held. */
static guint64
next_value (FvBackground *background, guint64 value)
{
  const Part *part = g_queue_peek_head (&background->given);

  return part && part->value <= value ? part->value : 0;
}

gboolean
fv_background_wait (FvBackground *background, guint64 value, guint64 timeout_ns,
    GError **error)
{
  FvDevice *device = background->device;
  gint64 start = g_get_monotonic_time ();
  const Refusal *refusal;
  gboolean is_done;
  guint64 next;

  g_mutex_lock (&device->queue_lock);
  give (background);
  while ((next = next_value (background, value))) {
    g_mutex_unlock (&device->queue_lock);
    if (!fv_device_wait_timeline (device, background->timeline, next,
            time_left (timeout_ns, start), error))
      return FALSE;
    g_mutex_lock (&device->queue_lock);
    give (background);
  }
  refusal = find_refusal (background, value);
  if (refusal && error)
    *error = g_error_copy (refusal->error);
  if (value > background->newest)
    fv_device_refuse_value (device, value, background->newest, error);
  is_done = refusal == NULL && value <= background->newest;
  g_mutex_unlock (&device->queue_lock);
  return is_done;
}

gboolean
fv_background_is_done (FvBackground *background, guint64 value)
{
  FvDevice *device = background->device;
  guint64 reached = 0;

  return VK (device, GetSemaphoreCounterValue, NULL, device->handle,
             background->timeline, &reached)
      && reached >= value;
}

guint64
fv_background_reached (FvBackground *background, guint64 *given)
{
  FvDevice *device = background->device;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&device->queue_lock);
  const Part *last = g_queue_peek_tail (&background->given);
  guint64 reached = 0;

  VK (device, GetSemaphoreCounterValue, NULL, device->handle,
      background->timeline, &reached);
  *given = last ? last->value : 0;
  return reached;
}
