/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/engine/instance-private.h"

#include <stdio.h>
#include <string.h>

static void
fill_limits (FvDeviceInfo *info, const VkPhysicalDeviceLimits *limits)
{
  info->max_shared_memory = limits->maxComputeSharedMemorySize;
  info->max_invocations = MIN (limits->maxComputeWorkGroupInvocations,
      limits->maxComputeWorkGroupSize[0]);
  for (guint i = 0; i < 3; i++)
    info->max_groups[i] = limits->maxComputeWorkGroupCount[i];
  info->max_push = limits->maxPushConstantsSize;
  info->max_storage_range = limits->maxStorageBufferRange;
  info->max_texel_elements = limits->maxTexelBufferElements;
  info->storage_align = limits->minStorageBufferOffsetAlignment;
  info->texel_align = limits->minTexelBufferOffsetAlignment;
  if (limits->timestampComputeAndGraphics)
    info->timestamp_ns = limits->timestampPeriod;
}

static void
fill_uuid (FvDeviceInfo *info, const guint8 *uuid)
{
  char *text = info->uuid;
  for (guint i = 0; i < VK_UUID_SIZE; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10)
      *text++ = '-';
    text += sprintf (text, "%02x", uuid[i]);
  }
}

/* Zero where the driver is older than 1.2, which cannot answer. */
static void
get_newer (const FvVulkan *vk, VkPhysicalDevice physical,
    VkPhysicalDeviceVulkan11Properties *v11,
    VkPhysicalDeviceVulkan12Properties *v12)
{
  VkPhysicalDeviceProperties old;
  VkPhysicalDeviceProperties2 properties = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
    .pNext = v11
  };

  *v12 = (VkPhysicalDeviceVulkan12Properties){
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES
  };
  *v11 = (VkPhysicalDeviceVulkan11Properties){
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES,
    .pNext = v12
  };
  vk->GetPhysicalDeviceProperties (physical, &old);
  if (old.apiVersion >= VK_API_VERSION_1_2)
    vk->GetPhysicalDeviceProperties2 (physical, &properties);
}

/* Dot products of packed bytes, which came with Vulkan 1.3 and have an extension in
 * older ones; devices are opened as 1.2. */
static void
fill_dot4 (const FvVulkan *vk, VkPhysicalDevice physical, FvDeviceInfo *info)
{
  VkPhysicalDeviceShaderIntegerDotProductProperties dot4 = {
    .sType =
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_PROPERTIES
  };
  VkPhysicalDeviceShaderIntegerDotProductFeatures has = {
    .sType =
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES
  };
  VkPhysicalDeviceProperties2 properties = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
    .pNext = &dot4
  };
  VkPhysicalDeviceFeatures2 features = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
    .pNext = &has
  };

  if (!fv_physical_has (vk, physical,
          VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME))
    return;
  vk->GetPhysicalDeviceFeatures2 (physical, &features);
  vk->GetPhysicalDeviceProperties2 (physical, &properties);
  info->has_dot4 = has.shaderIntegerDotProduct;
  info->is_dot4_fast =
      info->has_dot4 && dot4.integerDotProduct4x8BitPackedSignedAccelerated;
}

static void
fill_newer (const FvVulkan *vk, VkPhysicalDevice physical, FvDeviceInfo *info,
    guint64 *maximum_allocation)
{
  VkPhysicalDeviceVulkan12Properties v12;
  VkPhysicalDeviceVulkan11Properties v11;
  VkPhysicalDeviceFeatures2 features = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2
  };

  get_newer (vk, physical, &v11, &v12);
  g_snprintf (info->driver, sizeof info->driver, "%s %s", v12.driverName,
      v12.driverInfo);
  fill_uuid (info, v11.deviceUUID);
  info->subgroup_size = v11.subgroupSize;
  vk->GetPhysicalDeviceFeatures2 (physical, &features);
  info->has_int64 = features.features.shaderInt64;
  fill_dot4 (vk, physical, info);
  info->has_shuffle =
      (v11.subgroupSupportedStages & VK_SHADER_STAGE_COMPUTE_BIT)
      && (v11.subgroupSupportedOperations & VK_SUBGROUP_FEATURE_SHUFFLE_BIT);
  if (maximum_allocation)
    *maximum_allocation = v11.maxMemoryAllocationSize;
}

void
fv_physical_info (const FvVulkan *vk, VkPhysicalDevice physical, guint index,
    FvDeviceInfo *info, guint64 *maximum_allocation)
{
  VkPhysicalDeviceProperties properties;
  VkPhysicalDeviceMemoryProperties memory;

  memset (info, 0, sizeof *info);
  if (maximum_allocation)
    *maximum_allocation = 0;
  vk->GetPhysicalDeviceProperties (physical, &properties);
  g_strlcpy (info->name, properties.deviceName, sizeof info->name);
  info->index = index;
  info->is_cpu = properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
  info->api_version = properties.apiVersion;
  fill_limits (info, &properties.limits);
  vk->GetPhysicalDeviceMemoryProperties (physical, &memory);
  for (guint i = 0; i < memory.memoryHeapCount; i++)
    if (memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)
      info->heap_size = MAX (info->heap_size, memory.memoryHeaps[i].size);
  if (properties.apiVersion >= VK_API_VERSION_1_2)
    fill_newer (vk, physical, info, maximum_allocation);
}

static void
add (GByteArray *array, gconstpointer data, gsize size)
{
  g_byte_array_append (array, data, (guint) size);
}

void
fv_physical_identity (const FvVulkan *vk, VkPhysicalDevice physical,
    GByteArray *identity)
{
  VkPhysicalDeviceProperties old;
  VkPhysicalDeviceVulkan12Properties v12;
  VkPhysicalDeviceVulkan11Properties v11;

  vk->GetPhysicalDeviceProperties (physical, &old);
  get_newer (vk, physical, &v11, &v12);
  add (identity, &old.vendorID, sizeof old.vendorID);
  add (identity, &old.deviceID, sizeof old.deviceID);
  add (identity, &old.driverVersion, sizeof old.driverVersion);
  add (identity, &old.apiVersion, sizeof old.apiVersion);
  add (identity, old.pipelineCacheUUID, sizeof old.pipelineCacheUUID);
  add (identity, old.deviceName, strlen (old.deviceName) + 1);
  add (identity, &v12.driverID, sizeof v12.driverID);
  add (identity, v12.driverInfo, strlen (v12.driverInfo) + 1);
  add (identity, v11.driverUUID, sizeof v11.driverUUID);
  add (identity, v11.deviceUUID, sizeof v11.deviceUUID);
}

gboolean
fv_physical_has (const FvVulkan *vk, VkPhysicalDevice physical,
    const char *extension)
{
  guint32 n = 0;

  vk->EnumerateDeviceExtensionProperties (physical, NULL, &n, NULL);
  g_autofree VkExtensionProperties *all = g_new0 (VkExtensionProperties, n + 1);
  vk->EnumerateDeviceExtensionProperties (physical, NULL, &n, all);
  for (guint i = 0; i < n; i++)
    if (g_str_equal (all[i].extensionName, extension))
      return TRUE;
  return FALSE;
}

/* A family without graphics, where there is one, is the one that runs beside a
 * desktop's drawing. */
static gboolean
choose_queue (const FvVulkan *vk, VkPhysicalDevice physical, guint *family)
{
  guint32 n = 0;
  gint best = -1;

  vk->GetPhysicalDeviceQueueFamilyProperties (physical, &n, NULL);
  g_autofree VkQueueFamilyProperties *families =
      g_new0 (VkQueueFamilyProperties, n + 1);
  vk->GetPhysicalDeviceQueueFamilyProperties (physical, &n, families);
  for (guint i = 0; i < n; i++) {
    if (!(families[i].queueFlags & VK_QUEUE_COMPUTE_BIT))
      continue;
    gboolean alone = !(families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT);
    if (best < 0
        || (alone && (families[best].queueFlags & VK_QUEUE_GRAPHICS_BIT)))
      best = (gint) i;
  }
  *family = (guint) MAX (best, 0);
  return best >= 0;
}

const char *
fv_physical_refusal (const FvVulkan *vk, VkPhysicalDevice physical,
    guint *queue_family)
{
  VkPhysicalDeviceProperties properties;
  vk->GetPhysicalDeviceProperties (physical, &properties);
  if (properties.apiVersion < VK_API_VERSION_1_2)
    return "Vulkan 1.2 is needed, it has less";

  VkPhysicalDeviceVulkan12Features v12 = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES
  };
  VkPhysicalDeviceFeatures2 features = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
    .pNext = &v12
  };
  vk->GetPhysicalDeviceFeatures2 (physical, &features);
  if (!v12.timelineSemaphore)
    return "timeline semaphores are needed, it has none";
  if (!choose_queue (vk, physical, queue_family))
    return "a compute queue is needed, it has none";
  return NULL;
}

static gboolean
matches (const FvDeviceInfo *info, const char *name)
{
  char *end = NULL;
  guint64 number = g_ascii_strtoull (name, &end, 10);

  if (g_ascii_isdigit (*name) && *end == '\0')
    return info->index == number;
  if (g_ascii_strcasecmp (info->uuid, name) == 0)
    return TRUE;
  g_autofree char *whole = g_utf8_casefold (info->name, -1);
  g_autofree char *part = g_utf8_casefold (name, -1);
  return strstr (whole, part) != NULL;
}

static int
rank (const FvVulkan *vk, VkPhysicalDevice physical)
{
  VkPhysicalDeviceProperties properties;
  vk->GetPhysicalDeviceProperties (physical, &properties);
  switch (properties.deviceType) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
      return 5;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
      return 4;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
      return 3;
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
      return 1;
    default:
      return 2;
  }
}

static gboolean
nothing_fits (const char *name, GString *seen, GError **error)
{
  if (!seen->len)
    g_set_error_literal (error, FV_ERROR, FV_ERROR_NOT_FOUND,
        "no Vulkan device on this machine "
        "(Debian: apt install mesa-vulkan-drivers)");
  else if (name)
    g_set_error (error, FV_ERROR, FV_ERROR_NOT_FOUND,
        "no usable Vulkan device is called \"%s\" (index, part of the name "
        "or UUID); there are: %s",
        name, seen->str);
  else
    g_set_error (error, FV_ERROR, FV_ERROR_NOT_FOUND,
        "no Vulkan device can be used: %s", seen->str);
  return FALSE;
}

gboolean
fv_physical_choose (FvInstance *instance, const char *name,
    VkPhysicalDevice *physical, guint *index, GError **error)
{
  g_autoptr (GArray) devices = fv_instance_devices (instance, error);
  g_autoptr (GString) seen = g_string_new (NULL);
  int best = 0;

  if (!devices)
    return FALSE;
  for (guint i = 0; i < devices->len; i++) {
    VkPhysicalDevice device = g_array_index (devices, VkPhysicalDevice, i);
    FvDeviceInfo info;
    guint family;
    fv_physical_info (&instance->vk, device, i, &info, NULL);
    const char *refusal = fv_physical_refusal (&instance->vk, device, &family);
    g_string_append_printf (seen, "%s%u \"%s\"%s%s%s", i ? ", " : "", i,
        info.name, refusal ? " (" : "", refusal ? refusal : "",
        refusal ? ")" : "");
    if (refusal || (name && !matches (&info, name)))
      continue;
    if (rank (&instance->vk, device) > best) {
      best = rank (&instance->vk, device);
      *physical = device;
      *index = i;
    }
  }
  return best > 0 || nothing_fits (name, seen, error);
}
