/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/engine/device-private.h"
#include "gst/engine/program.h"

G_BEGIN_DECLS

#define FV_BUFFER_USAGE \
  (VK_BUFFER_USAGE_STORAGE_BUFFER_BIT \
      | VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT \
      | VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT)

/* Of the VkBuffer behind one of @size bytes. */
VkDeviceSize fv_buffer_vulkan_size (gsize size);

struct _FvBuffer
{
  gatomicrefcount ref;
  FvDevice *device;
  gsize size; /* as asked for; the VkBuffer may be a few bytes longer */
  gint64 allocated;
  VkBuffer handle;
  VkDeviceMemory memory;
  gpointer mapped; /* (nullable) */
  gboolean
      is_foreign; /* another device's: programs take it over and give it back */
};

G_END_DECLS
