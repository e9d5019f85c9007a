/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A Vulkan that imports DMA-BUFs wherever it can import memory of the host: any file
 * that can be mapped is one. */
#pragma once

#include <glib.h>
#include <vulkan/vulkan.h>

G_BEGIN_DECLS

/* What of an import fails. */
typedef enum
{
  DMABUF_FAKE_WORKS,
  DMABUF_FAKE_NO_PROPERTIES,
  DMABUF_FAKE_NO_TYPES, /* no memory type is good for it */
  DMABUF_FAKE_NO_MEMORY,
  DMABUF_FAKE_NO_BIND,
  DMABUF_FAKE_N,
} DmabufFake;

/* Stands between the engine and Vulkan for devices that are opened from here on.
 * FALSE: they take none, as where the driver lacks it. */
void dmabuf_fake_install (gboolean takes_dmabuf);
/* Of the imports from now on. */
void dmabuf_fake_set (DmabufFake failure);
/* Files that are mapped for memory that lives. */
gint dmabuf_fake_mappings (void);

G_END_DECLS
