/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* No wait for a device is for ever: one that hangs is given up like one that is
 * lost, but what it may still use stays until it is through. */
#include "gst/engine/background-private.h"

/* How often a wait looks whether another one found the device lost. */
#define SLICE_NS ((guint64) 50 * 1000000)
/* One submit is one frame; where the CPU is the device it may be a large net's first
 * one, with the kernels still to be compiled. */
#define DEFAULT_SECONDS 10
#define DEFAULT_SECONDS_CPU 120

typedef struct
{
  GDestroyNotify destroy;
  gpointer data;
} Kept;

typedef struct
{
  FvDevice *device; /* owned */
  GArray *kept; /* Kept */
} Hung;

static GMutex hung_lock;
static GPtrArray *all_hung; /* (nullable) Hung */

guint64
fv_watchdog_limit (gboolean is_cpu)
{
  const char *text = g_getenv ("FOVEA_WATCHDOG");
  double seconds = is_cpu ? DEFAULT_SECONDS_CPU : DEFAULT_SECONDS;
  char *end = NULL;

  if (text && *text) {
    double wanted = g_ascii_strtod (text, &end);

    if (*end == '\0' && wanted > 0 && wanted < 1e9)
      seconds = wanted;
    else
      g_warning ("FOVEA_WATCHDOG is \"%s\"; expected seconds, more than 0",
          text);
  }
  return (guint64) (seconds * 1e9);
}

/* The lock is held. */
static Hung *
find_hung (FvDevice *device, guint *at)
{
  for (*at = 0; all_hung && *at < all_hung->len; ++*at) {
    Hung *hung = all_hung->pdata[*at];

    if (hung->device == device)
      return hung;
  }
  return NULL;
}

static void
declare_hung (FvDevice *device)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&hung_lock);
  Hung *hung;

  if (!g_atomic_int_compare_and_exchange (&device->is_hung, FALSE, TRUE))
    return;
  g_atomic_int_set (&device->is_lost, TRUE);
  hung = g_new0 (Hung, 1);
  hung->device = fv_device_ref (device);
  hung->kept = g_array_new (FALSE, FALSE, sizeof (Kept));
  if (!all_hung)
    all_hung = g_ptr_array_new ();
  g_ptr_array_add (all_hung, hung);
  g_warning ("%s made no progress in %.3f s and is given up; what it may still "
             "use is kept",
      device->info.name, (double) device->watchdog_ns * 1e-9);
}

/* Ends of submits that the device has seen, of both kinds; *@is_idle: (out)
 * (nullable): whether these are all. One that the driver gave up is idle, too. */
static guint64
look_at (FvDevice *device, gboolean *is_idle)
{
  guint64 given, reached = 0;
  guint64 background = fv_background_reached (device->background, &given);
  VkResult result = device->vk.GetSemaphoreCounterValue (device->handle,
      device->timeline, &reached);

  g_mutex_lock (&device->queue_lock);
  guint64 newest = device->last_value;
  g_mutex_unlock (&device->queue_lock);
  if (is_idle)
    *is_idle = result == VK_ERROR_DEVICE_LOST
        || (result == VK_SUCCESS && reached >= newest && background >= given);
  return reached + background;
}

/* (nullable) one that hung and is through by now, out of the list */
static Hung *
take_through (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&hung_lock);

  for (guint i = 0; all_hung && i < all_hung->len; i++) {
    Hung *hung = all_hung->pdata[i];
    gboolean is_idle;

    look_at (hung->device, &is_idle);
    if (!is_idle)
      continue;
    g_ptr_array_remove_index_fast (all_hung, i);
    if (all_hung->len == 0)
      g_clear_pointer (&all_hung, g_ptr_array_unref);
    return hung;
  }
  return NULL;
}

void
fv_watchdog_collect (void)
{
  Hung *hung;

  while ((hung = take_through ())) {
    for (guint i = 0; i < hung->kept->len; i++) {
      Kept *kept = &g_array_index (hung->kept, Kept, i);

      kept->destroy (kept->data);
    }
    g_array_unref (hung->kept);
    fv_device_unref (hung->device);
    g_free (hung);
  }
}

static gboolean
keep (FvDevice *device, GDestroyNotify destroy, gpointer data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&hung_lock);
  Kept kept = { destroy, data };
  guint at;
  Hung *hung = find_hung (device, &at);

  if (hung)
    g_array_append_val (hung->kept, kept);
  return hung != NULL;
}

void
fv_device_release (FvDevice *device, GDestroyNotify destroy, gpointer data)
{
  if (g_atomic_int_get (&device->is_hung)) {
    fv_watchdog_collect ();
    if (keep (device, destroy, data))
      return;
  }
  destroy (data);
}

/* Time without progress, as one wait sees it. */
typedef struct
{
  guint64 reached; /* by the timeline, when it was last looked at */
  guint64 quiet_ns; /* since it moved */
} Watch;

/* After a wait of @waited_ns in vain: FALSE when the device is of no use any more.
 * Longer pauses are those of the process itself: the device had none of them. */
static gboolean
watch (FvDevice *device, Watch *watch, guint64 waited_ns, GError **error)
{
  guint64 reached;

  if (!fv_device_check (device, error))
    return FALSE;
  reached = look_at (device, NULL);
  watch->quiet_ns += MIN (waited_ns, 2 * SLICE_NS);
  if (reached != watch->reached)
    watch->quiet_ns = 0;
  watch->reached = reached;
  if (watch->quiet_ns >= device->watchdog_ns)
    declare_hung (device);
  return fv_device_check (device, error);
}

/* Who waits is about to free what the device uses, so a lack of memory is no answer:
 * it is asked again. */
static VkResult
wait_slice (FvDevice *device, const VkSemaphoreWaitInfo *info, guint64 most_ns)
{
  VkResult result = device->vk.WaitSemaphores (device->handle, info, most_ns);

  if (result != VK_ERROR_OUT_OF_HOST_MEMORY
      && result != VK_ERROR_OUT_OF_DEVICE_MEMORY)
    return result;
  g_usleep (1000);
  return VK_TIMEOUT;
}

gboolean
fv_device_wait_timeline (FvDevice *device, VkSemaphore timeline, guint64 value,
    guint64 timeout_ns, GError **error)
{
  VkSemaphoreWaitInfo info = { .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
    .semaphoreCount = 1,
    .pSemaphores = &timeline,
    .pValues = &value };
  guint64 left = timeout_ns;
  Watch state = { 0 };

  for (;;) {
    gint64 start = g_get_monotonic_time ();
    VkResult result = wait_slice (device, &info,
        MIN (left, MIN (SLICE_NS, device->watchdog_ns)));

    if (result != VK_TIMEOUT)
      return fv_vulkan_check (device, "vkWaitSemaphores", result, error);
    guint64 waited = (guint64) (g_get_monotonic_time () - start) * 1000;
    left -= MIN (left, waited);
    if (!watch (device, &state, waited, error))
      return FALSE;
    if (left > 0)
      continue;
    g_set_error (error, FV_ERROR, FV_ERROR_DEVICE,
        "%s: timeout: not done after %.3f s", device->info.name,
        (double) timeout_ns * 1e-9);
    return FALSE;
  }
}
