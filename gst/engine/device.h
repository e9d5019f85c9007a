/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>
#include <vulkan/vulkan.h>
#include "gst/onnx/error.h"

G_BEGIN_DECLS

/* Which set of kernels serves a device: FOVEA_TIER=subgroup|workgroup forces it. */
typedef enum
{
  FV_TIER_SUBGROUP, /* one subgroup a workgroup, shuffles, texel-buffer loads:
                        lavapipe and other CPU-type devices */
  FV_TIER_WORKGROUP, /* shared memory and barriers: GPUs */
} FvTier;

/* What a device offers, in Vulkan's units. */
typedef struct
{
  char name[VK_MAX_PHYSICAL_DEVICE_NAME_SIZE];
  char driver[VK_MAX_DRIVER_NAME_SIZE + VK_MAX_DRIVER_INFO_SIZE + 2];
  char uuid[37]; /* 8-4-4-4-12 hexadecimal */
  guint index; /* as the loader lists them */
  gboolean is_cpu;
  guint32 api_version;
  guint subgroup_size;
  gboolean has_shuffle;
  gboolean has_int64; /* 64-bit integers in shaders */
  /* Dot products of four pairs of signed bytes in shaders, and in hardware. */
  gboolean has_dot4, is_dot4_fast;
  gboolean
      uses_dot4; /* of an open device: kernels of bytes are taken where they
                         are fast, or as FOVEA_INT8=on|off says */
  guint max_shared_memory; /* bytes a workgroup */
  guint max_invocations; /* of a workgroup */
  guint max_groups[3];
  guint max_push; /* bytes */
  gsize max_storage_range; /* bytes of a storage binding */
  gsize max_texel_elements;
  gsize storage_align, texel_align; /* bytes */
  double timestamp_ns; /* per tick; 0: no timestamps */
  guint64 heap_size; /* bytes of the largest device-local heap */
} FvDeviceInfo;

/**
 * FvDevice:
 *
 * One VkDevice with one compute queue, shared by all that run on it.
 *
 * Life:    fv_device_open() returns the process's one device per physical
 *          device, then ref and unref; fv_device_borrow() wraps a VkDevice of
 *          the caller, which lives until its owner is destroyed.
 * Threads: all functions may be called from any thread; the queue is locked
 *          inside.
 * Errors:  FV_ERROR_NOT_FOUND (no such device, or no Vulkan), FV_ERROR_DEVICE.
 *          After VK_ERROR_DEVICE_LOST every call fails until the last reference
 *          is gone; fv_device_open() then makes a new one.
 */
typedef struct _FvDevice FvDevice;

#define FV_TYPE_DEVICE (fv_device_get_type ())
FV_API GType fv_device_get_type (void);

/**
 * fv_device_prepare:
 *
 * Asks Mesa's lavapipe, should it be the device, for two threads per processor
 * (LP_NUM_THREADS, unless that is set) instead of one. Lavapipe divides a dispatch
 * evenly among its threads, so that two of them on one processor, where the system
 * often wakes them, take twice the time (docs/tuning.md). Changes the environment:
 * does nothing once the process has a second thread, nor after the first device.
 *
 * Threads: for main(), or where a library is loaded.
 */
FV_API void fv_device_prepare (void);
/* @name: (nullable): an index ("0"), a part of the name, a UUID, or NULL for the
 * best: a GPU if there is one, else a CPU-type device. */
FV_API FvDevice *fv_device_open (const char *name, GError **error);
/**
 * FvBorrowed: (skip)
 *
 * A VkDevice of the caller's, with timelineSemaphore enabled, and with shaderInt64
 * where fv_device_tier() is FV_TIER_SUBGROUP. Kernels of bytes do not run on it.
 */
typedef struct
{
  VkInstance instance;
  VkPhysicalDevice physical;
  VkDevice device;
  guint queue_family;
  VkQueue queue;
  gpointer owner; /* (nullable): of the device, for what follows */
  void (*lock) (gpointer owner); /* (nullable): around each vkQueueSubmit */
  void (*unlock) (gpointer owner);
  GDestroyNotify destroy; /* (nullable): when the device is not used any more */
} FvBorrowed;
/**
 * fv_device_borrow: (skip)
 * @borrowed: copied; its owner is taken over, in errors too
 *
 * One FvDevice for each VkDevice: a second call gives the first one's, and gives
 * the owner back.
 */
FV_API FvDevice *fv_device_borrow (const FvBorrowed *borrowed, GError **error);
/* The owner of a borrowed device, with what destroys it: (nullable) NULL when it has
 * another one. */
FV_API gpointer fv_device_owner (FvDevice *device, GDestroyNotify destroy);
FV_API FvDevice *fv_device_ref (FvDevice *device);
FV_API void fv_device_unref (FvDevice *device); /* %NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FvDevice, fv_device_unref)

FV_API const FvDeviceInfo *fv_device_info (FvDevice *device);
FV_API FvTier fv_device_tier (FvDevice *device);
/**
 * fv_device_list:
 * @error: FV_ERROR_NOT_FOUND without Vulkan
 *
 * Every device there is, without opening one.
 *
 * Returns: (transfer full) (element-type FvDeviceInfo): g_array_unref() it
 */
FV_API GArray *fv_device_list (GError **error);

/* As long as it takes: until the watchdog gives the device up. */
#define FV_WATCHDOG G_MAXUINT64
/* Waits until the queue has passed @value, as fv_program_submit() gave it; a
 * @timeout_ns that passes is FV_ERROR_DEVICE "timeout". Where the queue passes
 * nothing at all for FOVEA_WATCHDOG seconds (10; on CPU-type devices 120) the device
 * hangs: this and all calls that follow fail as with one that was lost. */
FV_API gboolean fv_device_wait (FvDevice *device, guint64 value,
    guint64 timeout_ns, GError **error);
/* The same for @timeline, a semaphore of whoever else submits to the device. @value
 * was submitted. */
FV_API gboolean fv_device_wait_timeline (FvDevice *device, VkSemaphore timeline,
    guint64 value, guint64 timeout_ns, GError **error);
FV_API gboolean fv_device_is_done (FvDevice *device, guint64 value);
/* Lost or hung: only a new one is of use. */
FV_API gboolean fv_device_is_lost (FvDevice *device);
/**
 * fv_device_release: (skip)
 * @destroy: called with @data, by any thread
 *
 * For what submits have used and were waited for: now, or, if the device hangs, when
 * it is through, for it may still use it.
 */
FV_API void
fv_device_release (FvDevice *device, GDestroyNotify destroy, gpointer data);

/* What a device can do in a second of wall time, with all that it has: multiply-adds
 * of f32 in registers, each two FLOPs, and bytes read and written by a copy, of 64 MiB
 * or, on CPUs, of 2 MiB, whichever is the faster; 0: not measured. */
typedef struct
{
  double flops, bytes;
} FvPeaks;
/**
 * fv_device_measure:
 * @peaks: (inout): what is measured now, where that is more
 *
 * Takes a fraction of a second and 128 MiB of device memory. Measures nothing on a
 * device without timestamps.
 */
FV_API gboolean fv_device_measure (FvDevice *device, FvPeaks *peaks,
    GError **error);

/* Counters that tests and `stats` read. Validation messages are counted when
 * FOVEA_VALIDATION=1 turned the layers on. */
typedef struct
{
  guint64 allocations, allocated_bytes, peak_bytes;
  guint64 pipelines, recorded_command_buffers, submits, validation_messages;
} FvDeviceCounters;
FV_API void fv_device_counters (FvDevice *device, FvDeviceCounters *counters);
/* Validation messages of all devices of the process so far. */
FV_API guint64 fv_validation_messages (void);

G_END_DECLS
