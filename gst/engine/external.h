/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that others made, as buffers of ours. */
#pragma once

#include "gst/engine/program.h"

G_BEGIN_DECLS

/**
 * fv_device_host_alignment:
 *
 * Returns: what addresses must be multiples of for fv_buffer_import_host(), bytes; 0
 *   where @device cannot read the host's memory in place
 */
FV_API gsize fv_device_host_alignment (FvDevice *device);

/**
 * fv_buffer_import_host: (skip)
 * @device: where programs will read it
 * @data: host memory, aligned as above, which must outlive the buffer
 * @size: bytes; what is left of the last page is mapped too, and never touched
 *
 * Memory of the host as a buffer, by VK_EXT_external_memory_host: nothing is
 * copied. The caller keeps it as it is while a submit reads it.
 *
 * Returns: (transfer full) (nullable): the buffer, or %NULL with
 *   FV_ERROR_UNSUPPORTED where device or address do not suit, or FV_ERROR_DEVICE
 */
FV_API FvBuffer *fv_buffer_import_host (FvDevice *device, gpointer data,
    gsize size, GError **error);

/**
 * fv_device_takes_dmabuf:
 *
 * Returns: whether @device has what fv_buffer_import_dmabuf() needs; a borrowed one has
 *   not
 */
FV_API gboolean fv_device_takes_dmabuf (FvDevice *device);

/**
 * fv_buffer_import_dmabuf: (skip)
 * @device: where programs will read and write it
 * @fd: of a DMA-BUF of rows of pixels, not tiles; it stays the caller's
 * @size: bytes of it, from its begin
 *
 * Memory of other devices as a buffer, by VK_EXT_external_memory_dma_buf: nothing is
 * copied, and the host does not map it. Programs take it over from its owner when they
 * begin and give it back at their end; the caller sees to it that the owner is through
 * with it by then.
 *
 * Returns: (transfer full) (nullable): the buffer, or %NULL with
 *   FV_ERROR_UNSUPPORTED where device or memory do not suit, or FV_ERROR_DEVICE
 */
FV_API FvBuffer *
fv_buffer_import_dmabuf (FvDevice *device, int fd, gsize size, GError **error);

/* For commands of others on a borrowed device. */
FV_API VkBuffer fv_buffer_vulkan (FvBuffer *buffer);

G_END_DECLS
