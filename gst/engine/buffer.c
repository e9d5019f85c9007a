/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/engine/buffer-private.h"
#include "gst/engine/kernel-private.h"

G_DEFINE_BOXED_TYPE (FvBuffer, fv_buffer, fv_buffer_ref, fv_buffer_unref)

#define HOST \
  (VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)

/* How well memory of @flags serves @use: 0 not at all. */
static guint
suitability (VkMemoryPropertyFlags flags, FvMemoryUse use,
    gboolean host_is_device)
{
  gboolean is_host = (flags & HOST) == HOST;
  gboolean is_local = (flags & VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT) != 0;
  gboolean is_cached = (flags & VK_MEMORY_PROPERTY_HOST_CACHED_BIT) != 0;

  if (flags & VK_MEMORY_PROPERTY_PROTECTED_BIT)
    return 0;
  switch (use) {
    case FV_MEMORY_DEVICE:
      /* mapped where that is free; a card's window to the host is not */
      return 1 + 4 * is_local + 2 * (is_host == host_is_device);
    case FV_MEMORY_UPLOAD:
      return is_host * (1 + (is_local == host_is_device));
    case FV_MEMORY_DOWNLOAD:
      return is_host * (1 + 2 * is_cached + (is_local == host_is_device));
  }
  return 0;
}

static gint
choose_type (FvDevice *device, guint32 allowed, FvMemoryUse use)
{
  const VkPhysicalDeviceMemoryProperties *memory = &device->memory;
  gboolean host_is_device = TRUE;
  guint best_suitability = 0;
  VkDeviceSize best_heap = 0;
  gint best = -1;

  for (guint i = 0; i < memory->memoryHeapCount; i++)
    if (!(memory->memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT))
      host_is_device = FALSE;
  for (guint i = 0; i < memory->memoryTypeCount; i++) {
    const VkMemoryType *type = &memory->memoryTypes[i];
    VkDeviceSize heap = memory->memoryHeaps[type->heapIndex].size;
    guint s = suitability (type->propertyFlags, use, host_is_device);
    if (!(allowed & (1u << i)) || s == 0 || s < best_suitability
        || (s == best_suitability && heap <= best_heap))
      continue;
    best = (gint) i;
    best_suitability = s;
    best_heap = heap;
  }
  return best;
}

static gboolean
too_large (FvDevice *device, gsize size, const char *what, guint64 limit,
    GError **error)
{
  g_set_error (error, FV_ERROR, FV_ERROR_TOO_LARGE,
      "%s: a buffer of %" G_GSIZE_FORMAT " bytes is wanted, %s %" //
      G_GUINT64_FORMAT,
      device->info.name, size, what, limit);
  return FALSE;
}

static gboolean
allocate (FvBuffer *buffer, FvMemoryUse use, GError **error)
{
  FvDevice *device = buffer->device;
  VkMemoryRequirements need;

  device->vk.GetBufferMemoryRequirements (device->handle, buffer->handle,
      &need);
  gint type = choose_type (device, need.memoryTypeBits, use);
  if (type < 0) {
    g_set_error (error, FV_ERROR, FV_ERROR_DEVICE,
        "%s has no memory type that the host can map", device->info.name);
    return FALSE;
  }
  const VkMemoryType *chosen = &device->memory.memoryTypes[type];
  guint64 heap = device->memory.memoryHeaps[chosen->heapIndex].size;
  if (need.size > heap)
    return too_large (device, buffer->size, "its memory heap has", heap, error);

  VkMemoryAllocateInfo info = { .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
    .allocationSize = need.size,
    .memoryTypeIndex = (guint) type };
  VkResult result =
      device->vk.AllocateMemory (device->handle, &info, NULL, &buffer->memory);
  if (result != VK_SUCCESS)
    buffer->memory = VK_NULL_HANDLE;
  if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY
      || result == VK_ERROR_OUT_OF_HOST_MEMORY) {
    g_set_error (error, FV_ERROR, FV_ERROR_TOO_LARGE,
        "%s: no memory left for a buffer of %" G_GSIZE_FORMAT
        " bytes: vkAllocateMemory failed: %s",
        device->info.name, buffer->size, fv_result_name (result));
    return FALSE;
  }
  if (!fv_vulkan_check (device, "vkAllocateMemory", result, error))
    return FALSE;
  buffer->allocated = (gint64) need.size;
  fv_device_count_memory (device, buffer->allocated);
  if (!VK (device, BindBufferMemory, error, device->handle, buffer->handle,
          buffer->memory, 0))
    return FALSE;
  /* As on a GPU whose own memory the host cannot see: for tests. */
  if (use == FV_MEMORY_DEVICE
      && g_strcmp0 (g_getenv ("FOVEA_UNMAPPED"), "1") == 0)
    return TRUE;
  if ((chosen->propertyFlags & HOST) != HOST
      || VK (device, MapMemory, error, device->handle, buffer->memory, 0,
          VK_WHOLE_SIZE, 0, &buffer->mapped))
    return TRUE;
  buffer->mapped = NULL;
  return FALSE;
}

/* A view of all fits. Never a power of two, for which software drivers compile
 * kernels anew. */
VkDeviceSize
fv_buffer_vulkan_size (gsize size)
{
  VkDeviceSize range = fv_view_range (size);

  return range & (range - 1) ? range : range + FV_MAX_TEXEL;
}

static gboolean
buffer_init (FvBuffer *buffer, FvMemoryUse use, GError **error)
{
  FvDevice *device = buffer->device;
  gsize size = buffer->size;

  if (!fv_device_check (device, error))
    return FALSE;
  if (size == 0) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "%s: a buffer of 0 bytes is wanted", device->info.name);
    return FALSE;
  }
  if (size > device->max_allocation)
    return too_large (device, size, "one allocation may have",
        device->max_allocation, error);

  VkBufferCreateInfo info = { .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
    .size = fv_buffer_vulkan_size (size),
    .usage = FV_BUFFER_USAGE,
    .sharingMode = VK_SHARING_MODE_EXCLUSIVE };
  return VK_CREATE (device, CreateBuffer, error, &info, &buffer->handle)
      && allocate (buffer, use, error);
}

FvBuffer *
fv_buffer_new (FvDevice *device, gsize size, FvMemoryUse use, GError **error)
{
  FvBuffer *buffer = g_new0 (FvBuffer, 1);

  g_atomic_ref_count_init (&buffer->ref);
  buffer->device = fv_device_ref (device);
  buffer->size = size;
  if (buffer_init (buffer, use, error))
    return buffer;
  fv_buffer_unref (buffer);
  return NULL;
}

FvBuffer *
fv_buffer_ref (FvBuffer *buffer)
{
  g_atomic_ref_count_inc (&buffer->ref);
  return buffer;
}

void
fv_buffer_unref (FvBuffer *buffer)
{
  if (!buffer || !g_atomic_ref_count_dec (&buffer->ref))
    return;
  FvDevice *device = buffer->device;
  if (buffer->handle)
    device->vk.DestroyBuffer (device->handle, buffer->handle, NULL);
  if (buffer->memory) {
    device->vk.FreeMemory (device->handle, buffer->memory, NULL);
    fv_device_count_memory (device, -buffer->allocated);
  }
  fv_device_unref (device);
  g_free (buffer);
}

gpointer
fv_buffer_map (FvBuffer *buffer)
{
  return buffer->mapped;
}

gsize
fv_buffer_size (FvBuffer *buffer)
{
  return buffer->size;
}

FvDevice *
fv_buffer_device (FvBuffer *buffer)
{
  return buffer->device;
}
