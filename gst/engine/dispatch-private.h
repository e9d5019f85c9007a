/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every Vulkan entry point the engine calls, in one table that a test may
 * replace entry by entry (fault injection). */
#pragma once

#include <vulkan/vulkan.h>
#include "gst/engine/device.h"

G_BEGIN_DECLS

/* clang-format off */
#define FV_VULKAN_GLOBAL(X) \
  X (CreateInstance) X (EnumerateInstanceExtensionProperties) \
  X (EnumerateInstanceLayerProperties) X (EnumerateInstanceVersion)

#define FV_VULKAN_INSTANCE(X) \
  X (CreateDevice) X (DestroyInstance) \
  X (EnumerateDeviceExtensionProperties) X (EnumeratePhysicalDevices) \
  X (GetDeviceProcAddr) X (GetPhysicalDeviceExternalBufferProperties) \
  X (GetPhysicalDeviceFeatures2) \
  X (GetPhysicalDeviceMemoryProperties) X (GetPhysicalDeviceProperties) \
  X (GetPhysicalDeviceProperties2) X (GetPhysicalDeviceQueueFamilyProperties)

#define FV_VULKAN_DEBUG(X) \
  X (CreateDebugUtilsMessengerEXT) X (DestroyDebugUtilsMessengerEXT)

#define FV_VULKAN_DEVICE(X) \
  X (AllocateCommandBuffers) X (AllocateDescriptorSets) X (AllocateMemory) \
  X (BeginCommandBuffer) X (BindBufferMemory) X (CmdBindDescriptorSets) \
  X (CmdBindPipeline) X (CmdCopyBuffer) X (CmdDispatch) X (CmdFillBuffer) \
  X (CmdPipelineBarrier) X (CmdPushConstants) X (CmdResetQueryPool) \
  X (CmdWriteTimestamp) X (CreateBuffer) X (CreateBufferView) \
  X (CreateCommandPool) X (CreateComputePipelines) X (CreateDescriptorPool) \
  X (CreateDescriptorSetLayout) X (CreatePipelineCache) \
  X (CreatePipelineLayout) X (CreateQueryPool) X (CreateSemaphore) \
  X (CreateShaderModule) X (DestroyBuffer) X (DestroyBufferView) \
  X (DestroyCommandPool) X (DestroyDescriptorPool) \
  X (DestroyDescriptorSetLayout) X (DestroyDevice) X (DestroyPipeline) \
  X (DestroyPipelineCache) X (DestroyPipelineLayout) X (DestroyQueryPool) \
  X (DestroySemaphore) X (DestroyShaderModule) X (DeviceWaitIdle) \
  X (EndCommandBuffer) X (FreeMemory) X (GetBufferMemoryRequirements) \
  X (GetDeviceQueue) X (GetPipelineCacheData) X (GetQueryPoolResults) \
  X (GetSemaphoreCounterValue) X (MapMemory) X (MergePipelineCaches) \
  X (QueueSubmit) X (UpdateDescriptorSets) X (WaitSemaphores)

/* %NULL where the device was opened without their extension */
#define FV_VULKAN_EXTENSIONS(X) \
  X (GetMemoryFdPropertiesKHR) X (GetMemoryHostPointerPropertiesEXT)
/* clang-format on */

#define FV_VULKAN_MEMBER(name) PFN_vk##name name;

typedef struct
{
  FV_VULKAN_GLOBAL (FV_VULKAN_MEMBER)
  FV_VULKAN_INSTANCE (FV_VULKAN_MEMBER)
  FV_VULKAN_DEBUG (FV_VULKAN_MEMBER) /* %NULL without validation */
  FV_VULKAN_DEVICE (FV_VULKAN_MEMBER)
  FV_VULKAN_EXTENSIONS (FV_VULKAN_MEMBER)
} FvVulkan;

/* Finds the loader (libvulkan) and its global functions; FV_ERROR_NOT_FOUND
 * where there is none. */
gboolean fv_vulkan_load (FvVulkan *vk, GError **error);
gboolean fv_vulkan_load_instance (FvVulkan *vk, VkInstance instance,
    gboolean debug, GError **error);
gboolean fv_vulkan_load_device (FvVulkan *vk, VkDevice device, GError **error);

/* (nullable) Tests set it: called whenever a part of a table was loaded, and may
 * replace entries. */
extern void (*fv_vulkan_hook) (FvVulkan *vk);

const char *fv_result_name (VkResult result); /* "VK_ERROR_DEVICE_LOST" */

/* TRUE for VK_SUCCESS; else sets FV_ERROR_DEVICE with the call's name and the
 * result. @device: (nullable): remembers that it was lost. */
gboolean fv_vulkan_check (FvDevice *device, const char *call, VkResult result,
    GError **error);

/* if (!VK (device, MapMemory, error, device->handle, ...)) return FALSE; */
#define VK(device, name, error, ...) \
  fv_vulkan_check (device, "vk" #name, (device)->vk.name (__VA_ARGS__), error)

/* The same for what makes a handle, which is undefined after a failure and
 * VK_NULL_HANDLE here. */
#define VK_CREATE(device, name, error, info, created) \
  (VK (device, name, error, (device)->handle, info, NULL, created) \
      || (*(created) = VK_NULL_HANDLE, FALSE))

G_END_DECLS
