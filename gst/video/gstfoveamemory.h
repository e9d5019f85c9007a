/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GStreamer buffers whose memory is a region of an FvBuffer. */
#pragma once

#include <gst/gst.h>
#include "gst/engine/program.h"

G_BEGIN_DECLS

#define GST_FOVEA_MEMORY_TYPE "FoveaMemory"

/**
 * GstFoveaMemory:
 *
 * Device memory as a GstMemory.
 *
 * Life:    from a pool (gst_fovea_pool_new()) or around a region of a buffer
 *          (gst_fovea_memory_new()); a GstMemory like any other then.
 * Memory:  nothing is copied to the host unless it is mapped. Mapping waits for
 *          the timeline value given by gst_fovea_memory_set_written(); where the
 *          FvBuffer is host-visible the pointer is the device memory itself,
 *          else a staging buffer is made at the first map and kept.
 * Threads: as GstMemory; set_written() and add_use() from any thread.
 * Errors:  a map fails (NULL) when the device is lost or times out.
 */
#define GST_TYPE_FOVEA_ALLOCATOR (gst_fovea_allocator_get_type ())
typedef struct _GstFoveaAllocator GstFoveaAllocator;
FV_API GType gst_fovea_allocator_get_type (void);

/* Bytes @offset (a multiple of 256) to @offset + @size of @buffer, to which a
 * reference is kept. Returns: (transfer full) */
FV_API GstMemory *
gst_fovea_memory_new (FvBuffer *buffer, gsize offset, gsize size);
FV_API gboolean gst_is_fovea_memory (GstMemory *memory);

/* What a kernel binds: (transfer none), valid as long as the memory. */
typedef struct
{
  FvBuffer *buffer;
  gsize offset, size; /* bytes */
  guint64 written; /* timeline value behind which the data is there */
} GstFoveaMemoryRegion;

/* TRUE when @buffer is one GstFoveaMemory on @device (NULL: on any): then it can
 * be read in place by later programs of that device without waiting, for the
 * queue works in order. */
FV_API gboolean gst_fovea_buffer_get_region (GstBuffer *buffer,
    FvDevice *device, GstFoveaMemoryRegion *region);
/* A submit that writes, or that reads, the memory of @buffer, with the value that
 * fv_program_submit() gave. Values only grow. */
FV_API void gst_fovea_buffer_set_written (GstBuffer *buffer, guint64 value);
FV_API void gst_fovea_buffer_add_use (GstBuffer *buffer, guint64 value);

/**
 * gst_fovea_pool_new:
 * @size: bytes of each buffer
 * @use: FV_MEMORY_DEVICE for maps that stay there, FV_MEMORY_DOWNLOAD for what
 *   the host always reads
 * @n: buffers made at once; more are made when all are out and kept then
 *
 * A pool of buffers of one GstFoveaMemory each, active already: take with
 * gst_buffer_pool_acquire_buffer(), which allocates nothing once warm. Bring it
 * down with gst_buffer_pool_set_active (FALSE), then unref; buffers that are out
 * stay valid.
 *
 * Returns: (transfer full) (nullable)
 */
FV_API GstBufferPool *gst_fovea_pool_new (FvDevice *device, gsize size,
    FvMemoryUse use, guint n, GError **error);

G_END_DECLS
