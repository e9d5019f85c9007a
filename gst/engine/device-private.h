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
  gboolean takes_dmabuf, dmabuf_is_dedicated;
  guint foreign_family; /* of queues of other devices */
  guint queue_family;
  gint is_lost; /* atomic */
  gint is_hung; /* atomic: lost, because the watchdog gave it up */
  guint64 watchdog_ns; /* without progress, until it does */
  FvKernels *kernels;
  struct _FvTuning *tuning; /* (nullable) until somebody asks */

  GMutex queue_lock; /* queue, last_value */
  VkQueue queue;
  VkSemaphore timeline;
  guint64 last_value; /* signalled by the newest submit */
  struct _FvBackground *background;

  GMutex counter_lock;
  FvDeviceCounters counters;
};

/* Marks the values of what was submitted to the background, which have a timeline
 * of their own. */
#define FV_VALUE_BACKGROUND ((guint64) 1 << 63)

/* FALSE with FV_ERROR_DEVICE once the device was lost. */
gboolean fv_device_check (FvDevice *device, GError **error);

/* How long a device may make no progress: FOVEA_WATCHDOG, or by default. */
guint64 fv_watchdog_limit (gboolean is_cpu);
/* Gives back what devices that hung have used, where they are through by now. */
void fv_watchdog_collect (void);

/* @bytes > 0: an allocation; < 0: a free */
void fv_device_count_memory (FvDevice *device, gint64 bytes);
void fv_device_count_pipeline (FvDevice *device);
void fv_device_count_recorded (FvDevice *device);

gboolean fv_device_make_timeline (FvDevice *device, VkSemaphore *timeline,
    GError **error);
/* @timeline is to reach @value. The queue's lock is held. */
gboolean
fv_device_submit_locked (FvDevice *device, const VkCommandBuffer *buffers,
    guint n, VkSemaphore timeline, guint64 value, GError **error);
/* Sets @error: nobody submits up to @value. */
void fv_device_refuse_value (FvDevice *device, guint64 value, guint64 newest,
    GError **error);

/* Submits in order as one batch; @value gets what the timeline will reach. */
gboolean fv_device_submit (FvDevice *device, const VkCommandBuffer *buffers,
    guint n, guint64 *value, GError **error);

G_END_DECLS
