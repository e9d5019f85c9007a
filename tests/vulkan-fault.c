/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/vulkan-fault.h"
#include "gst/engine/dispatch-private.h"

#include <string.h>

#define MOST_TIMELINES 4
#define MEMORY FAULT_MEMORY
#define ONCE (FAULT_MEMORY | FAULT_ONCE)

static FvVulkan real;
static gint n_calls, n_objects; /* atomic */
static gint armed_at = -1; /* atomic; -1: none fails */
static VkResult failure;
static FaultCalls armed, spared;
static const char *failed; /* (nullable) the call that did */

/* What was submitted last: a device that is lost has stopped, and this one is only
 * said to be. */
static GMutex submit_lock;
static gboolean is_lost, hangs;
static VkDevice submit_device; /* the newest */
static struct
{
  VkSemaphore handle;
  guint64 submitted;
  guint64 hung; /* what it was at when it began to hang */
} timelines[MOST_TIMELINES]; /* of the newest device */
static guint n_timelines;

/* The lock is held. G_MAXUINT: nothing was submitted for it. */
static guint
find_timeline (VkSemaphore handle)
{
  for (guint i = 0; i < n_timelines; i++)
    if (timelines[i].handle == handle)
      return i;
  return G_MAXUINT;
}

static void
note_submit (VkSemaphore handle, guint64 value)
{
  guint i = find_timeline (handle);

  if (i == G_MAXUINT) {
    g_assert (n_timelines < MOST_TIMELINES);
    i = n_timelines++;
    timelines[i].handle = handle;
    timelines[i].hung = 0;
  }
  timelines[i].submitted = value;
}

static void
stop_device (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&submit_lock);

  is_lost = TRUE;
  for (guint i = 0; i < n_timelines; i++) {
    VkSemaphoreWaitInfo info = { .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
      .semaphoreCount = 1,
      .pSemaphores = &timelines[i].handle,
      .pValues = &timelines[i].submitted };

    real.WaitSemaphores (submit_device, &info, G_MAXUINT64);
  }
}

/* Where @handle stands for ever; G_MAXUINT64: it does not hang. */
static guint64
hung_value (VkSemaphore handle)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&submit_lock);
  guint i = find_timeline (handle);

  if (!hangs)
    return G_MAXUINT64;
  return i == G_MAXUINT ? 0 : timelines[i].hung;
}

static gboolean
was_lost (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&submit_lock);
  return is_lost;
}

/* VK_SUCCESS: the call is to be made. */
static VkResult
fails (const char *call, FaultCalls kind)
{
  gint n = g_atomic_int_get (&armed_at);

  if ((kind & FAULT_LOST) && was_lost ())
    return VK_ERROR_DEVICE_LOST;
  if (n < 0 || !(kind & armed) || (kind & spared)
      || g_atomic_int_add (&n_calls, 1) != n)
    return VK_SUCCESS;
  failed = call;
  if (failure == VK_ERROR_DEVICE_LOST)
    stop_device ();
  return failure;
}

/* What a failed call left behind means nothing: it must not be used. */
static void
spoil (gpointer created, gsize size)
{
  memset (created, 0x5a, size);
}

/* clang-format off */
#define FAIL(name, kind) \
  VkResult result = fails ("vk" #name, kind); \
  if (result != VK_SUCCESS)
#define MAKER(name, kind, Info, Handle) \
  static VKAPI_ATTR VkResult VKAPI_CALL \
  fake_##name (VkDevice device, const Vk##Info *info, \
      const VkAllocationCallbacks *memory, Handle *created) \
  { \
    FAIL (name, kind) { \
      spoil (created, sizeof *created); \
      return result; \
    } \
    result = real.name (device, info, memory, created); \
    g_atomic_int_add (&n_objects, result == VK_SUCCESS); \
    return result; \
  }
#define BREAKER(name, Handle) \
  static VKAPI_ATTR void VKAPI_CALL \
  fake_##name (VkDevice device, Handle gone, \
      const VkAllocationCallbacks *memory) \
  { \
    g_atomic_int_add (&n_objects, gone == VK_NULL_HANDLE ? 0 : -1); \
    real.name (device, gone, memory); \
  }
#define CALL(name, kind, parameters, arguments) \
  static VKAPI_ATTR VkResult VKAPI_CALL \
  fake_##name parameters \
  { \
    FAIL (name, kind) \
      return result; \
    return real.name arguments; \
  }

#define MAKERS(X) \
  X (AllocateMemory, MEMORY, MemoryAllocateInfo, VkDeviceMemory) \
  X (CreateBuffer, MEMORY, BufferCreateInfo, VkBuffer) \
  X (CreateBufferView, MEMORY, BufferViewCreateInfo, VkBufferView) \
  X (CreateCommandPool, MEMORY, CommandPoolCreateInfo, VkCommandPool) \
  X (CreateDescriptorPool, MEMORY, DescriptorPoolCreateInfo, \
      VkDescriptorPool) \
  X (CreateDescriptorSetLayout, ONCE, DescriptorSetLayoutCreateInfo, \
      VkDescriptorSetLayout) \
  X (CreatePipelineCache, ONCE, PipelineCacheCreateInfo, VkPipelineCache) \
  X (CreatePipelineLayout, ONCE, PipelineLayoutCreateInfo, VkPipelineLayout) \
  X (CreateQueryPool, MEMORY, QueryPoolCreateInfo, VkQueryPool) \
  X (CreateSemaphore, ONCE, SemaphoreCreateInfo, VkSemaphore) \
  X (CreateShaderModule, ONCE, ShaderModuleCreateInfo, VkShaderModule)
#define BREAKERS(X) \
  X (FreeMemory, VkDeviceMemory) X (DestroyBuffer, VkBuffer) \
  X (DestroyBufferView, VkBufferView) X (DestroyCommandPool, VkCommandPool) \
  X (DestroyDescriptorPool, VkDescriptorPool) \
  X (DestroyDescriptorSetLayout, VkDescriptorSetLayout) \
  X (DestroyPipeline, VkPipeline) X (DestroyPipelineCache, VkPipelineCache) \
  X (DestroyPipelineLayout, VkPipelineLayout) \
  X (DestroyQueryPool, VkQueryPool) X (DestroySemaphore, VkSemaphore) \
  X (DestroyShaderModule, VkShaderModule)
#define CALLS(X) \
  X (AllocateCommandBuffers, MEMORY, (VkDevice a, \
      const VkCommandBufferAllocateInfo *b, VkCommandBuffer *c), (a, b, c)) \
  X (AllocateDescriptorSets, MEMORY, (VkDevice a, \
      const VkDescriptorSetAllocateInfo *b, VkDescriptorSet *c), (a, b, c)) \
  X (BeginCommandBuffer, MEMORY, (VkCommandBuffer a, \
      const VkCommandBufferBeginInfo *b), (a, b)) \
  X (BindBufferMemory, MEMORY, (VkDevice a, VkBuffer b, VkDeviceMemory c, \
      VkDeviceSize d), (a, b, c, d)) \
  X (EndCommandBuffer, MEMORY, (VkCommandBuffer a), (a)) \
  X (EnumeratePhysicalDevices, ONCE, (VkInstance a, uint32_t *b, \
      VkPhysicalDevice *c), (a, b, c)) \
  X (GetMemoryHostPointerPropertiesEXT, MEMORY, (VkDevice a, \
      VkExternalMemoryHandleTypeFlagBits b, const void *c, \
      VkMemoryHostPointerPropertiesEXT *d), (a, b, c, d)) \
  X (GetPipelineCacheData, ONCE, (VkDevice a, VkPipelineCache b, size_t *c, \
      void *d), (a, b, c, d)) \
  X (GetQueryPoolResults, MEMORY | FAULT_LOST, (VkDevice a, VkQueryPool b, \
      uint32_t c, uint32_t d, size_t e, void *f, VkDeviceSize g, \
      VkQueryResultFlags h), (a, b, c, d, e, f, g, h)) \
  X (MapMemory, MEMORY, (VkDevice a, VkDeviceMemory b, VkDeviceSize c, \
      VkDeviceSize d, VkMemoryMapFlags e, void **f), (a, b, c, d, e, f)) \
  X (MergePipelineCaches, ONCE, (VkDevice a, VkPipelineCache b, uint32_t c, \
      const VkPipelineCache *d), (a, b, c, d))

MAKERS (MAKER)
BREAKERS (BREAKER)
CALLS (CALL)

static VKAPI_ATTR VkResult VKAPI_CALL
fake_CreateComputePipelines (VkDevice device, VkPipelineCache cache,
    uint32_t n, const VkComputePipelineCreateInfo *info,
    const VkAllocationCallbacks *memory, VkPipeline *created)
{
  FAIL (CreateComputePipelines, ONCE) {
    spoil (created, sizeof *created);
    return result;
  }
  result = real.CreateComputePipelines (device, cache, n, info, memory,
      created);
  g_atomic_int_add (&n_objects, result == VK_SUCCESS);
  return result;
}

static VKAPI_ATTR VkResult VKAPI_CALL
fake_CreateInstance (const VkInstanceCreateInfo *info,
    const VkAllocationCallbacks *memory, VkInstance *created)
{
  FAIL (CreateInstance, ONCE) {
    spoil (created, sizeof *created);
    return result;
  }
  result = real.CreateInstance (info, memory, created);
  g_atomic_int_add (&n_objects, result == VK_SUCCESS);
  return result;
}

static VKAPI_ATTR void VKAPI_CALL
fake_DestroyInstance (VkInstance gone, const VkAllocationCallbacks *memory)
{
  g_atomic_int_add (&n_objects, -1);
  real.DestroyInstance (gone, memory);
}

static VKAPI_ATTR VkResult VKAPI_CALL
fake_CreateDevice (VkPhysicalDevice physical, const VkDeviceCreateInfo *info,
    const VkAllocationCallbacks *memory, VkDevice *created)
{
  g_mutex_lock (&submit_lock);
  is_lost = FALSE;
  g_mutex_unlock (&submit_lock);
  FAIL (CreateDevice, ONCE | FAULT_LOST) {
    spoil (created, sizeof *created);
    return result;
  }
  result = real.CreateDevice (physical, info, memory, created);
  g_atomic_int_add (&n_objects, result == VK_SUCCESS);
  return result;
}

static VKAPI_ATTR void VKAPI_CALL
fake_DestroyDevice (VkDevice gone, const VkAllocationCallbacks *memory)
{
  g_mutex_lock (&submit_lock);
  if (submit_device == gone)
    n_timelines = 0;
  g_mutex_unlock (&submit_lock);
  g_atomic_int_add (&n_objects, -1);
  real.DestroyDevice (gone, memory);
}
/* clang-format on */

static VKAPI_ATTR VkResult VKAPI_CALL
fake_QueueSubmit (VkQueue queue, uint32_t n, const VkSubmitInfo *info,
    VkFence fence)
{
  const VkTimelineSemaphoreSubmitInfo *timeline = info->pNext;

  FAIL (QueueSubmit, FAULT_MEMORY | FAULT_LOST)
  return result;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&submit_lock);
  if (is_lost)
    return VK_ERROR_DEVICE_LOST;
  result = real.QueueSubmit (queue, n, info, fence);
  if (result == VK_SUCCESS)
    note_submit (info->pSignalSemaphores[0],
        timeline->pSignalSemaphoreValues[0]);
  return result;
}

static VKAPI_ATTR VkResult VKAPI_CALL
fake_GetSemaphoreCounterValue (VkDevice device, VkSemaphore timeline,
    uint64_t *value)
{
  FAIL (GetSemaphoreCounterValue, FAULT_MEMORY | FAULT_LOST)
  return result;
  result = real.GetSemaphoreCounterValue (device, timeline, value);
  *value = MIN (*value, hung_value (timeline));
  return result;
}

static VKAPI_ATTR VkResult VKAPI_CALL
fake_WaitSemaphores (VkDevice device, const VkSemaphoreWaitInfo *info,
    uint64_t timeout)
{
  FAIL (WaitSemaphores, FAULT_MEMORY | FAULT_LOST | FAULT_WAIT)
  return result;
  if (info->pValues[0] <= hung_value (info->pSemaphores[0]))
    return real.WaitSemaphores (device, info, timeout);
  g_usleep (timeout / 1000);
  return VK_TIMEOUT;
}

static VKAPI_ATTR void VKAPI_CALL
fake_GetDeviceQueue (VkDevice device, uint32_t family, uint32_t index,
    VkQueue *queue)
{
  real.GetDeviceQueue (device, family, index, queue);
  g_mutex_lock (&submit_lock);
  submit_device = device;
  n_timelines = 0;
  g_mutex_unlock (&submit_lock);
}

#define REPLACE(name, ...) \
  if (vk->name && vk->name != fake_##name) { \
    if (real.name != vk->name) \
      real.name = vk->name; /* else other threads are calling it */ \
    vk->name = fake_##name; \
  }

static void
replace (FvVulkan *vk)
{
  MAKERS (REPLACE)
  BREAKERS (REPLACE)
  CALLS (REPLACE)
  REPLACE (CreateComputePipelines)
  REPLACE (CreateDevice)
  REPLACE (CreateInstance)
  REPLACE (DestroyDevice)
  REPLACE (DestroyInstance)
  REPLACE (GetDeviceQueue)
  REPLACE (GetSemaphoreCounterValue)
  REPLACE (QueueSubmit)
  REPLACE (WaitSemaphores)
}

void
fault_install (void)
{
  fv_vulkan_hook = replace;
}

void
fault_arm (guint n, VkResult result, FaultCalls calls, FaultCalls but)
{
  failure = result;
  armed = calls;
  spared = but;
  failed = NULL;
  g_atomic_int_set (&n_calls, 0);
  g_atomic_int_set (&armed_at, (gint) n);
}

guint
fault_disarm (const char **name)
{
  g_atomic_int_set (&armed_at, -1);
  if (name)
    *name = failed;
  return (guint) g_atomic_int_get (&n_calls);
}

void
fault_hang (gboolean does)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&submit_lock);

  hangs = does;
  for (guint i = 0; i < n_timelines; i++)
    real.GetSemaphoreCounterValue (submit_device, timelines[i].handle,
        &timelines[i].hung);
}

gint
fault_objects (void)
{
  return g_atomic_int_get (&n_objects);
}
