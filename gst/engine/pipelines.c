/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the driver made of kernels, kept for the next program. */
#include "gst/engine/cache-private.h"
#include "gst/engine/kernel-private.h"

#include <string.h>

#define KIND "pipelines"

/* All that the driver's part depends on, and the kernels of this build. */
static GBytes *
identity_of (FvDevice *device)
{
  GByteArray *identity = g_byte_array_new ();
  guint64 kernels = fv_spirv_digest ();

  fv_physical_identity (&device->vk, device->physical, identity);
  g_byte_array_append (identity, (const guint8 *) &kernels, sizeof kernels);
  return g_byte_array_free_to_bytes (identity);
}

/* Drivers look at this header too, and some crash on what is not theirs. */
static gboolean
is_for_device (FvDevice *device, GBytes *data)
{
  VkPhysicalDeviceProperties properties;
  VkPipelineCacheHeaderVersionOne header;

  if (g_bytes_get_size (data) < sizeof header)
    return FALSE;
  memcpy (&header, g_bytes_get_data (data, NULL), sizeof header);
  device->vk.GetPhysicalDeviceProperties (device->physical, &properties);
  return header.headerSize == sizeof header
      && header.headerVersion == VK_PIPELINE_CACHE_HEADER_VERSION_ONE
      && header.vendorID == properties.vendorID
      && header.deviceID == properties.deviceID
      && memcmp (header.pipelineCacheUUID, properties.pipelineCacheUUID,
             VK_UUID_SIZE)
      == 0;
}

static GBytes *
load_data (FvDevice *device)
{
  g_autoptr (GBytes) identity = identity_of (device);
  g_autoptr (GBytes) data = fv_cache_load (KIND, identity);

  return data && is_for_device (device, data) ? g_steal_pointer (&data) : NULL;
}

static gboolean
create (FvDevice *device, GBytes *data, VkPipelineCache *cache, GError **error)
{
  gsize size = 0;
  VkPipelineCacheCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO
  };

  if (data)
    info.pInitialData = g_bytes_get_data (data, &size);
  info.initialDataSize = size;
  return VK_CREATE (device, CreatePipelineCache, error, &info, cache);
}

gboolean
fv_pipelines_load (FvDevice *device, VkPipelineCache *cache, GError **error)
{
  g_autoptr (GBytes) data = load_data (device);

  /* a driver that does not like what it wrote starts anew */
  return (data && create (device, data, cache, NULL))
      || create (device, NULL, cache, error);
}

/* What @cache holds; NULL where that is its header alone. */
static GBytes *
get_data (FvDevice *device, VkPipelineCache cache)
{
  gsize size = 0;

  if (!VK (device, GetPipelineCacheData, NULL, device->handle, cache, &size,
          NULL)
      || size <= sizeof (VkPipelineCacheHeaderVersionOne))
    return NULL;
  g_autofree guint8 *data = g_try_malloc (size);
  /* VK_INCOMPLETE, where other threads made it grow: another time */
  if (!data
      || !VK (device, GetPipelineCacheData, NULL, device->handle, cache, &size,
          data))
    return NULL;
  return g_bytes_new_take (g_steal_pointer (&data), size);
}

/* What other processes stored meanwhile stays: ours is put into theirs, not into
 * @cache, which threads may be using. */
void
fv_pipelines_store (FvDevice *device, VkPipelineCache cache)
{
  g_autoptr (GBytes) ours = get_data (device, cache);
  g_autoptr (GBytes) stored = ours ? load_data (device) : NULL;
  g_autoptr (GBytes) both = NULL;
  VkPipelineCache merged = VK_NULL_HANDLE;

  if (!ours || (stored && g_bytes_equal (ours, stored)))
    return;
  if (stored && create (device, stored, &merged, NULL)
      && VK (device, MergePipelineCaches, NULL, device->handle, merged, 1,
          &cache))
    both = get_data (device, merged);
  if (merged)
    device->vk.DestroyPipelineCache (device->handle, merged, NULL);
  if (stored && both && g_bytes_equal (both, stored))
    return;
  g_autoptr (GBytes) identity = identity_of (device);
  fv_cache_store (KIND, identity, both ? both : ours);
}
