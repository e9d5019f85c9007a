/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/dmabuf-fake.h"
#include "gst/engine/dispatch-private.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DMABUF VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT
#define HOST VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT

static const char *const extensions[] = {
  VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME,
  VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME,
};

typedef struct
{
  gpointer data;
  gsize size;
} Mapping;

static FvVulkan real;
static gboolean takes_dmabuf;
static gint failure; /* atomic: DmabufFake */
static GMutex lock;
static GHashTable *mappings; /* VkDeviceMemory -> Mapping */
static gint n_mappings; /* atomic */

static gboolean
is_ours (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (extensions); i++)
    if (g_str_equal (name, extensions[i]))
      return TRUE;
  return FALSE;
}

/* What the driver has, without those of ours that it may have, and with them in the
 * end. */
static VKAPI_ATTR VkResult VKAPI_CALL
fake_EnumerateDeviceExtensionProperties (VkPhysicalDevice physical,
    const char *layer, uint32_t *n, VkExtensionProperties *list)
{
  VkResult result =
      real.EnumerateDeviceExtensionProperties (physical, layer, n, list);
  guint k = 0;

  if (result != VK_SUCCESS || layer)
    return result;
  if (list == NULL) {
    *n += G_N_ELEMENTS (extensions);
    return result;
  }
  for (guint i = 0; i < *n; i++)
    if (!is_ours (list[i].extensionName))
      list[k++] = list[i];
  for (guint i = 0; takes_dmabuf && i < G_N_ELEMENTS (extensions); i++)
    g_strlcpy (list[k++].extensionName, extensions[i],
        sizeof list->extensionName);
  *n = k;
  return result;
}

static VKAPI_ATTR void VKAPI_CALL
fake_GetPhysicalDeviceExternalBufferProperties (VkPhysicalDevice physical,
    const VkPhysicalDeviceExternalBufferInfo *info,
    VkExternalBufferProperties *properties)
{
  VkExternalMemoryProperties *memory = &properties->externalMemoryProperties;

  real.GetPhysicalDeviceExternalBufferProperties (physical, info, properties);
  if (info->handleType == DMABUF)
    memory->externalMemoryFeatures = VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT;
}

static VKAPI_ATTR VkResult VKAPI_CALL
fake_CreateDevice (VkPhysicalDevice physical, const VkDeviceCreateInfo *info,
    const VkAllocationCallbacks *memory, VkDevice *device)
{
  VkDeviceCreateInfo less = *info;
  const char *names[16];
  guint n = 0;

  for (guint i = 0; i < MIN (info->enabledExtensionCount, 16); i++)
    if (!is_ours (info->ppEnabledExtensionNames[i]))
      names[n++] = info->ppEnabledExtensionNames[i];
  less.enabledExtensionCount = n;
  less.ppEnabledExtensionNames = names;
  return real.CreateDevice (physical, &less, memory, device);
}

static VKAPI_ATTR VkResult VKAPI_CALL
fake_CreateBuffer (VkDevice device, const VkBufferCreateInfo *info,
    const VkAllocationCallbacks *memory, VkBuffer *buffer)
{
  const VkExternalMemoryBufferCreateInfo *external = info->pNext;
  VkExternalMemoryBufferCreateInfo host = {
    .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
    .handleTypes = HOST
  };
  VkBufferCreateInfo other = *info;

  if (external && external->handleTypes == DMABUF)
    other.pNext = &host;
  return real.CreateBuffer (device, &other, memory, buffer);
}

static VKAPI_ATTR VkResult VKAPI_CALL
fake_GetMemoryFdPropertiesKHR (VkDevice device,
    VkExternalMemoryHandleTypeFlagBits type, int fd,
    VkMemoryFdPropertiesKHR *properties)
{
  gint fails = g_atomic_int_get (&failure);

  if (type != DMABUF || fails == DMABUF_FAKE_NO_PROPERTIES)
    return VK_ERROR_INVALID_EXTERNAL_HANDLE;
  properties->memoryTypeBits = fails == DMABUF_FAKE_NO_TYPES ? 0 : G_MAXUINT32;
  return VK_SUCCESS;
}

static VkResult
import (VkDevice device, const VkMemoryAllocateInfo *info, int fd,
    VkDeviceMemory *memory)
{
  gsize size = info->allocationSize;
  gpointer data = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  VkImportMemoryHostPointerInfoEXT host = {
    .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT,
    .handleType = HOST,
    .pHostPointer = data
  };
  VkMemoryAllocateInfo other = *info;
  Mapping *mapping;
  VkResult result;

  if (data == MAP_FAILED)
    return VK_ERROR_INVALID_EXTERNAL_HANDLE;
  other.pNext = &host;
  result = real.AllocateMemory (device, &other, NULL, memory);
  if (result != VK_SUCCESS) {
    munmap (data, size);
    return result;
  }
  close (fd); /* Vulkan's now */
  mapping = g_new (Mapping, 1);
  *mapping = (Mapping){ data, size };
  g_mutex_lock (&lock);
  g_hash_table_insert (mappings, (gpointer) *memory, mapping);
  g_mutex_unlock (&lock);
  g_atomic_int_inc (&n_mappings);
  return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL
fake_AllocateMemory (VkDevice device, const VkMemoryAllocateInfo *info,
    const VkAllocationCallbacks *callbacks, VkDeviceMemory *memory)
{
  const VkImportMemoryFdInfoKHR *file = info->pNext;

  if (file == NULL
      || file->sType != VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR)
    return real.AllocateMemory (device, info, callbacks, memory);
  if (g_atomic_int_get (&failure) == DMABUF_FAKE_NO_MEMORY) {
    memset (memory, 0x5a, sizeof *memory);
    return VK_ERROR_OUT_OF_DEVICE_MEMORY;
  }
  return import (device, info, file->fd, memory);
}

static gboolean
is_import (VkDeviceMemory memory)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  return g_hash_table_contains (mappings, (gpointer) memory);
}

static VKAPI_ATTR VkResult VKAPI_CALL
fake_BindBufferMemory (VkDevice device, VkBuffer buffer, VkDeviceMemory memory,
    VkDeviceSize offset)
{
  if (g_atomic_int_get (&failure) == DMABUF_FAKE_NO_BIND && is_import (memory))
    return VK_ERROR_OUT_OF_HOST_MEMORY;
  return real.BindBufferMemory (device, buffer, memory, offset);
}

static VKAPI_ATTR void VKAPI_CALL
fake_FreeMemory (VkDevice device, VkDeviceMemory memory,
    const VkAllocationCallbacks *callbacks)
{
  Mapping *mapping;

  real.FreeMemory (device, memory, callbacks);
  g_mutex_lock (&lock);
  mapping = g_hash_table_lookup (mappings, (gpointer) memory);
  if (mapping) {
    munmap (mapping->data, mapping->size);
    g_hash_table_remove (mappings, (gpointer) memory);
    g_atomic_int_add (&n_mappings, -1);
  }
  g_mutex_unlock (&lock);
}

/* clang-format off */
#define REPLACE(name) \
  if (vk->name && vk->name != fake_##name) { \
    real.name = vk->name; \
    vk->name = fake_##name; \
  }
/* clang-format on */

static void
replace (FvVulkan *vk)
{
  REPLACE (EnumerateDeviceExtensionProperties)
  REPLACE (GetPhysicalDeviceExternalBufferProperties)
  REPLACE (CreateDevice)
  REPLACE (CreateBuffer)
  REPLACE (AllocateMemory)
  REPLACE (BindBufferMemory)
  REPLACE (FreeMemory)
  /* a driver without the extension has no such function */
  if (vk->DestroyDevice)
    vk->GetMemoryFdPropertiesKHR = fake_GetMemoryFdPropertiesKHR;
}

void
dmabuf_fake_install (gboolean takes)
{
  if (mappings == NULL)
    mappings = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  takes_dmabuf = takes;
  fv_vulkan_hook = replace;
}

void
dmabuf_fake_set (DmabufFake fails)
{
  g_atomic_int_set (&failure, (gint) fails);
}

gint
dmabuf_fake_mappings (void)
{
  return g_atomic_int_get (&n_mappings);
}
