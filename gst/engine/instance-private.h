/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The process's VkInstance and the physical devices in it. */
#pragma once

#include "gst/engine/dispatch-private.h"

G_BEGIN_DECLS

typedef struct
{
  guint ref; /* under the lock in instance.c */
  FvVulkan vk;
  VkInstance handle;
  VkDebugUtilsMessengerEXT messenger; /* %NULL without FOVEA_VALIDATION */
} FvInstance;

/* The one instance, made when there is none. */
FvInstance *fv_instance_get (GError **error);
FvInstance *fv_instance_ref (FvInstance *instance);
void fv_instance_unref (FvInstance *instance);

/* All physical devices in the loader's order. (element-type VkPhysicalDevice) */
GArray *fv_instance_devices (FvInstance *instance, GError **error);

/* @maximum_allocation: (nullable) (out): bytes one allocation may have */
void fv_physical_info (const FvVulkan *vk, VkPhysicalDevice physical,
    guint index, FvDeviceInfo *info, guint64 *maximum_allocation);
/* Adds all by which a driver tells its compiled code from that of others. */
void fv_physical_identity (const FvVulkan *vk, VkPhysicalDevice physical,
    GByteArray *identity);
gboolean fv_physical_has (const FvVulkan *vk, VkPhysicalDevice physical,
    const char *extension);
/* Why the engine cannot use it, or NULL if it can. */
const char *fv_physical_refusal (const FvVulkan *vk, VkPhysicalDevice physical,
    guint *queue_family);

/* By @name as fv_device_open() takes it, among those the engine can use. */
gboolean fv_physical_choose (FvInstance *instance, const char *name,
    VkPhysicalDevice *physical, guint *index, GError **error);

G_END_DECLS
