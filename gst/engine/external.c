/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/engine/external.h"
#include "gst/engine/buffer-private.h"
#include "gst/engine/kernel-private.h"

#define HOST_HANDLE VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT

gsize
fv_device_host_alignment (FvDevice *device)
{
  return device->host_alignment;
}

static gboolean
refuse (FvDevice *device, const char *why, GError **error)
{
  g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
      "%s cannot read this memory in place: %s", device->info.name, why);
  return FALSE;
}

static gboolean
make_handle (FvBuffer *buffer, VkDeviceSize size, GError **error)
{
  VkExternalMemoryBufferCreateInfo external = {
    .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
    .handleTypes = HOST_HANDLE
  };
  VkBufferCreateInfo info = { .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
    .pNext = &external,
    .size = size,
    .usage = FV_BUFFER_USAGE,
    .sharingMode = VK_SHARING_MODE_EXCLUSIVE };

  return VK_CREATE (buffer->device, CreateBuffer, error, &info,
      &buffer->handle);
}

/* The first type that both allow: an import has no choice of what it is in. */
static gboolean
choose_type (FvBuffer *buffer, gpointer data, VkDeviceSize size, guint32 *type,
    GError **error)
{
  FvDevice *device = buffer->device;
  VkMemoryHostPointerPropertiesEXT host = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT
  };
  VkMemoryRequirements need;

  device->vk.GetBufferMemoryRequirements (device->handle, buffer->handle,
      &need);
  if (!VK (device, GetMemoryHostPointerPropertiesEXT, error, device->handle,
          HOST_HANDLE, data, &host))
    return FALSE;
  need.memoryTypeBits &= host.memoryTypeBits;
  if (need.memoryTypeBits == 0)
    return refuse (device, "no memory type has it", error);
  if (need.size > size)
    return refuse (device, "its last page is too short", error);
  *type = (guint32) g_bit_nth_lsf (need.memoryTypeBits, -1);
  return TRUE;
}

static gboolean
import (FvBuffer *buffer, gpointer data, GError **error)
{
  FvDevice *device = buffer->device;
  gsize align = device->host_alignment;
  VkDeviceSize size = (buffer->size + align - 1) / align * align;
  VkImportMemoryHostPointerInfoEXT host = {
    .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT,
    .handleType = HOST_HANDLE,
    .pHostPointer = data
  };
  VkMemoryAllocateInfo info = { .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
    .pNext = &host,
    .allocationSize = size };

  if (!make_handle (buffer, fv_buffer_vulkan_size (buffer->size), error)
      || !choose_type (buffer, data, size, &info.memoryTypeIndex, error))
    return FALSE;
  if (!VK (device, AllocateMemory, error, device->handle, &info, NULL,
          &buffer->memory)) {
    buffer->memory = VK_NULL_HANDLE;
    return FALSE;
  }
  buffer->mapped = data;
  return VK (device, BindBufferMemory, error, device->handle, buffer->handle,
      buffer->memory, 0);
}

FvBuffer *
fv_buffer_import_host (FvDevice *device, gpointer data, gsize size,
    GError **error)
{
  g_autoptr (FvBuffer) buffer = NULL;

  if (!fv_device_check (device, error))
    return NULL;
  if (device->host_alignment == 0) {
    refuse (device, "it has no VK_EXT_external_memory_host", error);
    return NULL;
  }
  if (size == 0 || size > device->max_allocation - device->host_alignment
      || (guintptr) data % device->host_alignment) {
    refuse (device, "it does not begin with a page, or its size does not suit",
        error);
    return NULL;
  }
  buffer = g_new0 (FvBuffer, 1);
  g_atomic_ref_count_init (&buffer->ref);
  buffer->device = fv_device_ref (device);
  buffer->size = size;
  return import (buffer, data, error) ? g_steal_pointer (&buffer) : NULL;
}

VkBuffer
fv_buffer_vulkan (FvBuffer *buffer)
{
  return buffer->handle;
}
