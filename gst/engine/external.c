/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/engine/external.h"
#include "gst/engine/buffer-private.h"
#include "gst/engine/kernel-private.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define DMABUF_HANDLE VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT
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
make_handle (FvBuffer *buffer, VkExternalMemoryHandleTypeFlags type,
    GError **error)
{
  VkExternalMemoryBufferCreateInfo external = {
    .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
    .handleTypes = type
  };
  VkBufferCreateInfo info = { .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
    .pNext = &external,
    .size = fv_buffer_vulkan_size (buffer->size),
    .usage = FV_BUFFER_USAGE,
    .sharingMode = VK_SHARING_MODE_EXCLUSIVE };

  return VK_CREATE (buffer->device, CreateBuffer, error, &info,
      &buffer->handle);
}

/* The first type that both allow, as an import has no choice of what it is in, and
 * all @there bytes. */
static gboolean
choose_type (FvBuffer *buffer, guint32 allowed, VkDeviceSize there,
    VkMemoryAllocateInfo *info, GError **error)
{
  FvDevice *device = buffer->device;
  VkMemoryRequirements need;

  device->vk.GetBufferMemoryRequirements (device->handle, buffer->handle,
      &need);
  need.memoryTypeBits &= allowed;
  if (need.memoryTypeBits == 0)
    return refuse (device, "no memory type has it", error);
  if (need.size > there)
    return refuse (device, "its last page is too short", error);
  info->memoryTypeIndex = (guint32) g_bit_nth_lsf (need.memoryTypeBits, -1);
  info->allocationSize = there;
  return TRUE;
}

static gboolean
allocate (FvBuffer *buffer, const VkMemoryAllocateInfo *info, GError **error)
{
  FvDevice *device = buffer->device;

  if (VK (device, AllocateMemory, error, device->handle, info, NULL,
          &buffer->memory))
    return TRUE;
  buffer->memory = VK_NULL_HANDLE;
  return FALSE;
}

static gboolean
bind (FvBuffer *buffer, GError **error)
{
  FvDevice *device = buffer->device;

  return VK (device, BindBufferMemory, error, device->handle, buffer->handle,
      buffer->memory, 0);
}

static FvBuffer *
buffer_new (FvDevice *device, gsize size)
{
  FvBuffer *buffer = g_new0 (FvBuffer, 1);

  g_atomic_ref_count_init (&buffer->ref);
  buffer->device = fv_device_ref (device);
  buffer->size = size;
  return buffer;
}

static gboolean
import_host (FvBuffer *buffer, gpointer data, GError **error)
{
  FvDevice *device = buffer->device;
  gsize align = device->host_alignment;
  VkDeviceSize there = (buffer->size + align - 1) / align * align;
  VkMemoryHostPointerPropertiesEXT properties = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT
  };
  VkImportMemoryHostPointerInfoEXT host = {
    .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT,
    .handleType = HOST_HANDLE,
    .pHostPointer = data
  };
  VkMemoryAllocateInfo info = { .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
    .pNext = &host };

  if (!make_handle (buffer, HOST_HANDLE, error)
      || !VK (device, GetMemoryHostPointerPropertiesEXT, error, device->handle,
          HOST_HANDLE, data, &properties)
      || !choose_type (buffer, properties.memoryTypeBits, there, &info, error)
      || !allocate (buffer, &info, error))
    return FALSE;
  buffer->mapped = data;
  return bind (buffer, error);
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
  buffer = buffer_new (device, size);
  return import_host (buffer, data, error) ? g_steal_pointer (&buffer) : NULL;
}

gboolean
fv_device_takes_dmabuf (FvDevice *device)
{
  return device->takes_dmabuf;
}

/* Vulkan takes @fd over where this succeeds. */
static gboolean
import_fd (FvBuffer *buffer, int fd, VkDeviceSize there, GError **error)
{
  FvDevice *device = buffer->device;
  VkMemoryFdPropertiesKHR properties = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_FD_PROPERTIES_KHR
  };
  VkMemoryDedicatedAllocateInfo dedicated = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO
  };
  VkImportMemoryFdInfoKHR import = {
    .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
    .pNext = device->dmabuf_is_dedicated ? &dedicated : NULL,
    .handleType = DMABUF_HANDLE,
    .fd = fd
  };
  VkMemoryAllocateInfo info = { .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
    .pNext = &import };

  if (!make_handle (buffer, DMABUF_HANDLE, error)
      || !VK (device, GetMemoryFdPropertiesKHR, error, device->handle,
          DMABUF_HANDLE, fd, &properties)
      || !choose_type (buffer, properties.memoryTypeBits, there, &info, error))
    return FALSE;
  dedicated.buffer = buffer->handle;
  return allocate (buffer, &info, error);
}

FvBuffer *
fv_buffer_import_dmabuf (FvDevice *device, int fd, gsize size, GError **error)
{
  g_autoptr (FvBuffer) buffer = NULL;
  off_t there = lseek (fd, 0, SEEK_END);
  int own;

  if (!fv_device_check (device, error))
    return NULL;
  if (!device->takes_dmabuf) {
    refuse (device, "it imports no DMA-BUF", error);
    return NULL;
  }
  if (there < 0 || size == 0 || (guint64) there < size
      || size > device->max_allocation) {
    refuse (device, "the DMA-BUF is not open, or its size does not suit",
        error);
    return NULL;
  }
  own = fcntl (fd, F_DUPFD_CLOEXEC, 3);
  if (own < 0) {
    refuse (device, g_strerror (errno), error);
    return NULL;
  }
  buffer = buffer_new (device, size);
  buffer->is_foreign = TRUE;
  if (!import_fd (buffer, own, (VkDeviceSize) there, error)) {
    close (own);
    return NULL;
  }
  return bind (buffer, error) ? g_steal_pointer (&buffer) : NULL;
}

VkBuffer
fv_buffer_vulkan (FvBuffer *buffer)
{
  return buffer->handle;
}
