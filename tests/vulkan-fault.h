/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A Vulkan whose N-th call fails, that loses devices and has them hang. */
#pragma once

#include <glib.h>
#include <vulkan/vulkan.h>

G_BEGIN_DECLS

/* Calls by what may become of them. */
typedef enum
{
  FAULT_MEMORY = 1 << 0, /* no memory left, of either kind */
  FAULT_LOST = 1 << 1, /* the device is lost */
  FAULT_WAIT = 1 << 2, /* it waits */
  FAULT_ONCE = 1 << 3, /* made once per device, not once per model or frame */
  FAULT_ALL = (1 << 4) - 1,
} FaultCalls;

/* Stands between the engine and Vulkan from here on. */
void fault_install (void);

/* Of the calls from now on that are of one of the kinds @calls and not of @but, the
 * @n-th, from 0 on, gives @failure: once; VK_ERROR_DEVICE_LOST until a device is
 * made anew. */
void fault_arm (guint n, VkResult failure, FaultCalls calls, FaultCalls but);
/* How many calls of those kinds came since, and then fails none any more.
 * @failed: (out) (nullable): the one that failed */
guint fault_disarm (const char **failed);

/* While @hangs nothing on the device ends, as far as one can see. */
void fault_hang (gboolean hangs);

/* Vulkan's objects that were made and not destroyed. */
gint fault_objects (void);

G_END_DECLS
