/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/engine/device-private.h"

#include <dlfcn.h>

void (*fv_vulkan_hook) (FvVulkan *vk);

static PFN_vkGetInstanceProcAddr get_instance_proc;

/* Opened at run time, so that a program linked with us starts (and says what is
 * missing) on a machine without Vulkan. It is never closed. */
static gboolean
open_loader (GError **error)
{
  static GMutex lock;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  if (get_instance_proc)
    return TRUE;
  const char *names[] = { "libvulkan.so.1", "libvulkan.so",
    "libvulkan.1.dylib" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    void *library = dlopen (names[i], RTLD_NOW | RTLD_LOCAL);
    if (!library)
      continue;
    get_instance_proc =
        (PFN_vkGetInstanceProcAddr) dlsym (library, "vkGetInstanceProcAddr");
    if (get_instance_proc)
      return TRUE;
    dlclose (library);
  }
  g_set_error_literal (error, FV_ERROR, FV_ERROR_NOT_FOUND,
      "no Vulkan on this machine: the loader libvulkan.so.1 cannot be opened "
      "(Debian: apt install libvulkan1 mesa-vulkan-drivers)");
  return FALSE;
}

static gboolean
missing (const char *name, GError **error)
{
  g_set_error (error, FV_ERROR, FV_ERROR_DEVICE,
      "the Vulkan driver has no function %s", name);
  return FALSE;
}

/* clang-format off */
#define LOAD(proc, handle, name) \
  if (!(vk->name = (PFN_vk##name) proc (handle, "vk" #name))) \
    return missing ("vk" #name, error);
#define LOAD_GLOBAL(name) LOAD (get_instance_proc, NULL, name)
#define LOAD_INSTANCE(name) LOAD (get_instance_proc, instance, name)
#define LOAD_DEVICE(name) LOAD (vk->GetDeviceProcAddr, device, name)
#define LOAD_EXTENSION(name) \
  vk->name = (PFN_vk##name) vk->GetDeviceProcAddr (device, "vk" #name);
/* clang-format on */

gboolean
fv_vulkan_load (FvVulkan *vk, GError **error)
{
  if (!open_loader (error))
    return FALSE;
  FV_VULKAN_GLOBAL (LOAD_GLOBAL)
  if (fv_vulkan_hook)
    fv_vulkan_hook (vk);
  return TRUE;
}

gboolean
fv_vulkan_load_instance (FvVulkan *vk, VkInstance instance, gboolean debug,
    GError **error)
{
  FV_VULKAN_INSTANCE (LOAD_INSTANCE)
  if (debug) {
    FV_VULKAN_DEBUG (LOAD_INSTANCE)
  }
  if (fv_vulkan_hook)
    fv_vulkan_hook (vk);
  return TRUE;
}

gboolean
fv_vulkan_load_device (FvVulkan *vk, VkDevice device, GError **error)
{
  FV_VULKAN_DEVICE (LOAD_DEVICE)
  FV_VULKAN_EXTENSIONS (LOAD_EXTENSION)
  if (fv_vulkan_hook)
    fv_vulkan_hook (vk);
  return TRUE;
}

const char *
fv_result_name (VkResult result)
{
#define NAME(code) \
  case code: \
    return #code;
  switch (result) {
    NAME (VK_SUCCESS)
    NAME (VK_NOT_READY)
    NAME (VK_TIMEOUT)
    NAME (VK_INCOMPLETE)
    NAME (VK_ERROR_OUT_OF_HOST_MEMORY)
    NAME (VK_ERROR_OUT_OF_DEVICE_MEMORY)
    NAME (VK_ERROR_INITIALIZATION_FAILED)
    NAME (VK_ERROR_DEVICE_LOST)
    NAME (VK_ERROR_MEMORY_MAP_FAILED)
    NAME (VK_ERROR_LAYER_NOT_PRESENT)
    NAME (VK_ERROR_EXTENSION_NOT_PRESENT)
    NAME (VK_ERROR_FEATURE_NOT_PRESENT)
    NAME (VK_ERROR_INCOMPATIBLE_DRIVER)
    NAME (VK_ERROR_TOO_MANY_OBJECTS)
    NAME (VK_ERROR_FORMAT_NOT_SUPPORTED)
    NAME (VK_ERROR_FRAGMENTED_POOL)
    NAME (VK_ERROR_UNKNOWN)
    NAME (VK_ERROR_OUT_OF_POOL_MEMORY)
    NAME (VK_ERROR_INVALID_EXTERNAL_HANDLE)
    NAME (VK_ERROR_FRAGMENTATION)
    NAME (VK_ERROR_INVALID_SHADER_NV)
    NAME (VK_ERROR_NOT_PERMITTED_KHR)
    default:
      return "an unknown VkResult";
  }
#undef NAME
}

gboolean
fv_vulkan_check (FvDevice *device, const char *call, VkResult result,
    GError **error)
{
  if (result == VK_SUCCESS)
    return TRUE;
  if (device && result == VK_ERROR_DEVICE_LOST)
    g_atomic_int_set (&device->is_lost, TRUE);
  g_set_error (error, FV_ERROR, FV_ERROR_DEVICE, "%s%s%s failed: %s (%d)",
      device ? device->info.name : "", device ? ": " : "", call,
      fv_result_name (result), result);
  return FALSE;
}
