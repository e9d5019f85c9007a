/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/engine/background-private.h"
#include "gst/engine/buffer-private.h"
#include "gst/engine/kernel-private.h"
#include "gst/engine/tuning-private.h"

#include <string.h>

G_DEFINE_BOXED_TYPE (FvDevice, fv_device, fv_device_ref, fv_device_unref)

/* Devices alive that fv_device_open() may hand out again: entries without a
 * reference of their own. The lock also guards every FvDevice.ref. */
static GMutex registry_lock;
static GPtrArray *registry;

static gboolean
choose_tier (const FvDeviceInfo *info, FvTier *tier, GError **error)
{
  const char *forced = g_getenv ("FOVEA_TIER");

  /* kernels of the subgroup tier count on eight lanes */
  gboolean fits =
      info->subgroup_size == 8 && info->has_shuffle && info->has_int64;

  *tier = fits ? FV_TIER_SUBGROUP : FV_TIER_WORKGROUP;
  if (!forced || !*forced)
    return TRUE;
  if (g_str_equal (forced, "workgroup")) {
    *tier = FV_TIER_WORKGROUP;
    return TRUE;
  }
  if (!g_str_equal (forced, "subgroup")) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "FOVEA_TIER is \"%s\"; expected subgroup or workgroup", forced);
    return FALSE;
  }
  if (!fits) {
    g_set_error (error, FV_ERROR, FV_ERROR_DEVICE,
        "%s: FOVEA_TIER=subgroup needs shuffles in subgroups of 8 and 64-bit "
        "integers; it has subgroups of %u, %s and %s",
        info->name, info->subgroup_size,
        info->has_shuffle ? "shuffles" : "no shuffles",
        info->has_int64 ? "such integers" : "none of those");
    return FALSE;
  }
  *tier = FV_TIER_SUBGROUP;
  return TRUE;
}

static gboolean
choose_dot4 (FvDeviceInfo *info, GError **error)
{
  const char *forced = g_getenv ("FOVEA_INT8");
  gboolean is_on = g_strcmp0 (forced, "on") == 0;

  info->uses_dot4 = info->is_dot4_fast;
  if (!forced || !*forced)
    return TRUE;
  if (!is_on && !g_str_equal (forced, "off")) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "FOVEA_INT8 is \"%s\"; expected on or off", forced);
    return FALSE;
  }
  if (is_on && !info->has_dot4) {
    g_set_error (error, FV_ERROR, FV_ERROR_DEVICE,
        "%s: FOVEA_INT8=on needs dot products of packed bytes, it has none",
        info->name);
    return FALSE;
  }
  info->uses_dot4 = is_on;
  return TRUE;
}

static void
device_free (FvDevice *device)
{
  FvVulkan *vk = &device->vk;

  /* each program has waited for its last submits */
  fv_background_free (device->background);
  fv_tuning_free (device->tuning);
  fv_kernels_free (device->kernels);
  if (device->timeline)
    vk->DestroySemaphore (device->handle, device->timeline, NULL);
  if (device->handle && device->instance && vk->DestroyDevice)
    vk->DestroyDevice (device->handle, NULL);
  fv_instance_unref (device->instance);
  if (device->borrowed.destroy)
    device->borrowed.destroy (device->borrowed.owner);
  g_mutex_clear (&device->queue_lock);
  g_mutex_clear (&device->counter_lock);
  g_free (device);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FvInstance, fv_instance_unref)

static FvDevice *
device_alloc (const FvVulkan *vk, VkPhysicalDevice physical, guint index)
{
  FvDevice *device = g_new0 (FvDevice, 1);
  VkPhysicalDeviceProperties properties;

  device->ref = 1;
  device->vk = *vk;
  device->physical = physical;
  g_mutex_init (&device->queue_lock);
  g_mutex_init (&device->counter_lock);
  fv_physical_info (vk, physical, index, &device->info,
      &device->max_allocation);
  device->watchdog_ns = fv_watchdog_limit (device->info.is_cpu);
  vk->GetPhysicalDeviceProperties (physical, &properties);
  device->limits = properties.limits;
  vk->GetPhysicalDeviceMemoryProperties (physical, &device->memory);
  return device;
}

gboolean
fv_device_make_timeline (FvDevice *device, VkSemaphore *timeline,
    GError **error)
{
  VkSemaphoreTypeCreateInfo type = {
    .sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
    .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE
  };
  VkSemaphoreCreateInfo info = { .sType =
                                     VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
    .pNext = &type };

  return VK_CREATE (device, CreateSemaphore, error, &info, timeline);
}

/* What own and borrowed devices share, once there is a VkDevice. */
static gboolean
device_init (FvDevice *device, GError **error)
{
  if (!fv_device_make_timeline (device, &device->timeline, error))
    return FALSE;
  device->background = fv_background_new (device, error);
  if (!device->background)
    return FALSE;
  device->kernels = fv_kernels_new (device, error);
  return device->kernels != NULL;
}

/* Notes what of the physical device's extensions is to be had. */
static guint
choose_host (FvDevice *device, const char **names)
{
  VkPhysicalDeviceExternalMemoryHostPropertiesEXT host = {
    .sType =
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT
  };
  VkPhysicalDeviceProperties2 properties = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
    .pNext = &host
  };

  if (!fv_physical_has (&device->vk, device->physical,
          VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME))
    return 0;
  device->vk.GetPhysicalDeviceProperties2 (device->physical, &properties);
  device->host_alignment = host.minImportedHostPointerAlignment;
  names[0] = VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME;
  return 1;
}

static guint
choose_dmabuf (FvDevice *device, const char **names)
{
  VkPhysicalDeviceExternalBufferInfo buffer = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
    .usage = FV_BUFFER_USAGE,
    .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT
  };
  VkExternalBufferProperties properties = {
    .sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES
  };
  VkExternalMemoryFeatureFlags *features =
      &properties.externalMemoryProperties.externalMemoryFeatures;
  guint n = 0;

  names[n++] = VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME;
  names[n++] = VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME;
  for (guint i = 0; i < n; i++)
    if (!fv_physical_has (&device->vk, device->physical, names[i]))
      return 0;
  device->vk.GetPhysicalDeviceExternalBufferProperties (device->physical,
      &buffer, &properties);
  if (!(*features & VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT))
    return 0;
  device->takes_dmabuf = TRUE;
  device->dmabuf_is_dedicated =
      (*features & VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT) != 0;
  device->foreign_family = VK_QUEUE_FAMILY_EXTERNAL;
  if (fv_physical_has (&device->vk, device->physical,
          VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME)) {
    device->foreign_family = VK_QUEUE_FAMILY_FOREIGN_EXT;
    names[n++] = VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME;
  }
  return n;
}

static guint
choose_extensions (FvDevice *device, const char **names)
{
  guint n = choose_host (device, names);

  if (device->info.has_dot4)
    names[n++] = VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME;
  return n + choose_dmabuf (device, names + n);
}

static gboolean
create_handle (FvDevice *device, GError **error)
{
  const char *extensions[5];
  float priority = 1;
  VkDeviceQueueCreateInfo queue = {
    .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
    .queueFamilyIndex = device->queue_family,
    .queueCount = 1,
    .pQueuePriorities = &priority
  };
  VkPhysicalDeviceShaderIntegerDotProductFeatures dot4 = {
    .sType =
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES,
    .shaderIntegerDotProduct = VK_TRUE
  };
  VkPhysicalDeviceVulkan12Features features = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
    .pNext = device->info.has_dot4 ? &dot4 : NULL,
    .timelineSemaphore = VK_TRUE
  };
  VkPhysicalDeviceFeatures core = { .shaderInt64 = device->info.has_int64 };
  VkDeviceCreateInfo info = { .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
    .pNext = &features,
    .pEnabledFeatures = &core,
    .queueCreateInfoCount = 1,
    .pQueueCreateInfos = &queue,
    .enabledExtensionCount = choose_extensions (device, extensions),
    .ppEnabledExtensionNames = extensions };

  if (!VK (device, CreateDevice, error, device->physical, &info, NULL,
          &device->handle)) {
    device->handle = VK_NULL_HANDLE;
    return FALSE;
  }
  if (!fv_vulkan_load_device (&device->vk, device->handle, error))
    return FALSE;
  device->vk.GetDeviceQueue (device->handle, device->queue_family, 0,
      &device->queue);
  return TRUE;
}

/* With the registry's lock held. */
static void
add_registered (FvDevice *device)
{
  if (!registry)
    registry = g_ptr_array_new ();
  g_ptr_array_add (registry, device);
}

static FvDevice *
find_registered (VkPhysicalDevice physical, FvTier tier, gboolean uses_dot4)
{
  for (guint i = 0; registry && i < registry->len; i++) {
    FvDevice *device = registry->pdata[i];
    if (device->instance && device->physical == physical && device->tier == tier
        && device->info.uses_dot4 == uses_dot4
        && !g_atomic_int_get (&device->is_lost)) {
      device->ref++;
      return device;
    }
  }
  return NULL;
}

static FvDevice *
open_physical (FvInstance *instance, VkPhysicalDevice physical, guint index,
    GError **error)
{
  FvDevice *device = device_alloc (&instance->vk, physical, index);
  const char *refusal =
      fv_physical_refusal (&instance->vk, physical, &device->queue_family);

  device->instance = fv_instance_ref (instance);
  if (refusal)
    g_set_error (error, FV_ERROR, FV_ERROR_DEVICE, "%s: %s", device->info.name,
        refusal);
  else if (choose_tier (&device->info, &device->tier, error)
      && choose_dot4 (&device->info, error) && create_handle (device, error)
      && device_init (device, error))
    return device;
  device_free (device);
  return NULL;
}

FvDevice *
fv_device_open (const char *name, GError **error)
{
  g_autoptr (FvInstance) instance = fv_instance_get (error);
  VkPhysicalDevice physical;
  FvDeviceInfo info;
  FvTier tier;
  guint index;

  if (!instance
      || !fv_physical_choose (instance, name && *name ? name : NULL, &physical,
          &index, error))
    return NULL;
  fv_physical_info (&instance->vk, physical, index, &info, NULL);
  if (!choose_tier (&info, &tier, error) || !choose_dot4 (&info, error))
    return NULL;
  fv_watchdog_collect ();

  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&registry_lock);
  FvDevice *device = find_registered (physical, tier, info.uses_dot4);
  if (device)
    return device;
  device = open_physical (instance, physical, index, error);
  if (!device)
    return NULL;
  add_registered (device);
  return device;
}

static FvDevice *
find_borrowed (VkDevice handle)
{
  for (guint i = 0; registry && i < registry->len; i++) {
    FvDevice *device = registry->pdata[i];
    if (!device->instance && device->handle == handle) {
      device->ref++;
      return device;
    }
  }
  return NULL;
}

/* What @device has by now is given back by device_free(). */
static gboolean
init_borrowed (FvDevice *device, GError **error)
{
  const FvBorrowed *borrowed = &device->borrowed;
  guint family;
  const char *refusal =
      fv_physical_refusal (&device->vk, device->physical, &family);

  if (refusal) {
    g_set_error (error, FV_ERROR, FV_ERROR_DEVICE, "%s: %s", device->info.name,
        refusal);
    return FALSE;
  }
  device->handle = borrowed->device;
  device->queue_family = borrowed->queue_family;
  device->queue = borrowed->queue;
  return fv_vulkan_load_device (&device->vk, device->handle, error)
      && choose_tier (&device->info, &device->tier, error)
      && device_init (device, error);
}

FvDevice *
fv_device_borrow (const FvBorrowed *borrowed, GError **error)
{
  FvVulkan vk = { 0 };
  FvDevice *device = NULL;

  fv_watchdog_collect ();
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&registry_lock);
  device = find_borrowed (borrowed->device);
  if (device == NULL && fv_vulkan_load (&vk, error)
      && fv_vulkan_load_instance (&vk, borrowed->instance, FALSE, error)) {
    device = device_alloc (&vk, borrowed->physical, 0);
    device->borrowed = *borrowed;
    if (init_borrowed (device, error)) {
      add_registered (device);
      return device;
    }
    device_free (device);
    return NULL;
  }
  if (borrowed->destroy)
    borrowed->destroy (borrowed->owner);
  return device;
}

gpointer
fv_device_owner (FvDevice *device, GDestroyNotify destroy)
{
  return destroy && device->borrowed.destroy == destroy ? device->borrowed.owner
                                                        : NULL;
}

FvDevice *
fv_device_ref (FvDevice *device)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&registry_lock);
  device->ref++;
  return device;
}

void
fv_device_unref (FvDevice *device)
{
  if (!device)
    return;
  g_mutex_lock (&registry_lock);
  gboolean last = --device->ref == 0;
  if (last && registry)
    g_ptr_array_remove_fast (registry, device);
  if (registry && !registry->len)
    g_clear_pointer (&registry, g_ptr_array_unref);
  g_mutex_unlock (&registry_lock);
  if (last)
    device_free (device);
}

const FvDeviceInfo *
fv_device_info (FvDevice *device)
{
  return &device->info;
}

FvTier
fv_device_tier (FvDevice *device)
{
  return device->tier;
}

GArray *
fv_device_list (GError **error)
{
  g_autoptr (FvInstance) instance = fv_instance_get (error);
  g_autoptr (GArray) devices =
      instance ? fv_instance_devices (instance, error) : NULL;

  if (!devices)
    return NULL;
  GArray *list = g_array_new (FALSE, TRUE, sizeof (FvDeviceInfo));
  g_array_set_size (list, devices->len);
  for (guint i = 0; i < devices->len; i++)
    fv_physical_info (&instance->vk,
        g_array_index (devices, VkPhysicalDevice, i), i,
        &g_array_index (list, FvDeviceInfo, i), NULL);
  return list;
}

gboolean
fv_device_check (FvDevice *device, GError **error)
{
  if (!g_atomic_int_get (&device->is_lost))
    return TRUE;
  g_set_error (error, FV_ERROR, FV_ERROR_DEVICE,
      g_atomic_int_get (&device->is_hung)
          ? "%s hangs: it made no progress for %.3f s (FOVEA_WATCHDOG); open it "
            "anew"
          : "%s was lost (VK_ERROR_DEVICE_LOST); open it anew",
      device->info.name, (double) device->watchdog_ns * 1e-9);
  return FALSE;
}

void
fv_device_refuse_value (FvDevice *device, guint64 value, guint64 newest,
    GError **error)
{
  g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
      "%s: waiting for value %" G_GUINT64_FORMAT
      ", the newest submit has %" G_GUINT64_FORMAT,
      device->info.name, value, newest);
}

gboolean
fv_device_is_lost (FvDevice *device)
{
  return g_atomic_int_get (&device->is_lost);
}

gboolean
fv_device_wait (FvDevice *device, guint64 value, guint64 timeout_ns,
    GError **error)
{
  if (!fv_device_check (device, error))
    return FALSE;
  if (value & FV_VALUE_BACKGROUND)
    return fv_background_wait (device->background, value & ~FV_VALUE_BACKGROUND,
        timeout_ns, error);
  g_mutex_lock (&device->queue_lock);
  guint64 newest = device->last_value;
  g_mutex_unlock (&device->queue_lock);
  if (value <= newest)
    return fv_device_wait_timeline (device, device->timeline, value, timeout_ns,
        error);
  fv_device_refuse_value (device, value, newest, error);
  return FALSE;
}

gboolean
fv_device_is_done (FvDevice *device, guint64 value)
{
  guint64 reached = 0;

  if (g_atomic_int_get (&device->is_lost))
    return FALSE;
  if (value & FV_VALUE_BACKGROUND)
    return fv_background_is_done (device->background,
        value & ~FV_VALUE_BACKGROUND);
  return VK (device, GetSemaphoreCounterValue, NULL, device->handle,
             device->timeline, &reached)
      && reached >= value;
}

static gboolean
queue_submit (FvDevice *device, const VkSubmitInfo *info, GError **error)
{
  const FvBorrowed *borrowed = &device->borrowed;
  gboolean result;

  if (borrowed->lock)
    borrowed->lock (borrowed->owner);
  result =
      VK (device, QueueSubmit, error, device->queue, 1, info, VK_NULL_HANDLE);
  if (borrowed->unlock)
    borrowed->unlock (borrowed->owner);
  return result;
}

gboolean
fv_device_submit_locked (FvDevice *device, const VkCommandBuffer *buffers,
    guint n, VkSemaphore timeline, guint64 value, GError **error)
{
  VkTimelineSemaphoreSubmitInfo values = {
    .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
    .signalSemaphoreValueCount = 1,
    .pSignalSemaphoreValues = &value
  };
  VkSubmitInfo info = { .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
    .pNext = &values,
    .commandBufferCount = n,
    .pCommandBuffers = buffers,
    .signalSemaphoreCount = 1,
    .pSignalSemaphores = &timeline };

  if (!fv_device_check (device, error) || !queue_submit (device, &info, error))
    return FALSE;
  g_mutex_lock (&device->counter_lock);
  device->counters.submits++;
  g_mutex_unlock (&device->counter_lock);
  return TRUE;
}

gboolean
fv_device_submit (FvDevice *device, const VkCommandBuffer *buffers, guint n,
    guint64 *value, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&device->queue_lock);

  if (!fv_device_submit_locked (device, buffers, n, device->timeline,
          device->last_value + 1, error))
    return FALSE;
  *value = ++device->last_value;
  return TRUE;
}

void
fv_device_count_memory (FvDevice *device, gint64 bytes)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&device->counter_lock);
  FvDeviceCounters *counters = &device->counters;
  counters->allocations += bytes > 0;
  counters->allocated_bytes += (guint64) bytes;
  counters->peak_bytes = MAX (counters->peak_bytes, counters->allocated_bytes);
}

void
fv_device_count_pipeline (FvDevice *device)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&device->counter_lock);
  device->counters.pipelines++;
}

void
fv_device_count_recorded (FvDevice *device)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&device->counter_lock);
  device->counters.recorded_command_buffers++;
}

void
fv_device_counters (FvDevice *device, FvDeviceCounters *counters)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&device->counter_lock);
  *counters = device->counters;
  counters->validation_messages = fv_validation_messages ();
}
