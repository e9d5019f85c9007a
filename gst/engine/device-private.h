/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What memory.c, kernel.c and program.c share with device.c. */
#pragma once

#include "gst/engine/dispatch-private.h"
#include "gst/engine/instance-private.h"

G_BEGIN_DECLS

typedef struct _FvKernels FvKernels;

struct _FvDevice
{
  gint ref; /* under the registry's lock */
  FvDeviceInfo info;
  FvTier tier;
  FvVulkan vk;
  FvInstance *instance; /* (nullable): %NULL when borrowed */
  FvBorrowed borrowed; /* zero when it is our own */
  VkPhysicalDevice physical;
  VkDevice handle;
  VkPhysicalDeviceMemoryProperties memory;
  VkPhysicalDeviceLimits limits;
  guint64 max_allocation; /* bytes of one vkAllocateMemory */
  gsize host_alignment; /* of memory of the host to import; 0: none can be */
  guint queue_family;
  gint is_lost; /* atomic */
  FvKernels *kernels;
  struct _FvTuning *tuning; /* (nullable) until somebody asks */

  GMutex queue_lock; /* queue, last_value */
  VkQueue queue;
  VkSemaphore timeline;
  guint64 last_value; /* signalled by the newest submit */

  GMutex counter_lock;
  FvDeviceCounters counters;
};

/* FALSE with FV_ERROR_DEVICE once the device was lost. */
gboolean fv_device_check (FvDevice *device, GError **error);

/* @bytes > 0: an allocation; < 0: a free */
void fv_device_count_memory (FvDevice *device, gint64 bytes);
void fv_device_count_recorded (FvDevice *device);

/* Submits in order as one batch; @value gets what the timeline will reach. */
gboolean fv_device_submit (FvDevice *device, const VkCommandBuffer *buffers,
    guint n, guint64 *value, GError **error);

G_END_DECLS
