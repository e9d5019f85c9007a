/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every Vulkan call that can fail does so once, one after the other: each time an
 * error comes back that names the call, nothing leaks and nothing crashes. */
#include "gst/engine/dispatch-private.h"
#include "gst/engine/kernel-private.h"
#include "gst/engine/program-private.h"
#include "shaders/shared.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const FvSpirv fv_test_spirv[];

static FvVulkan real;
static gint calls_left; /* until the one that fails */
static VkResult failure;
static const char *failed; /* (nullable) the call that did */

static gboolean
fails (const char *call)
{
  if (calls_left-- != 0)
    return FALSE;
  failed = call;
  return TRUE;
}

/* What a failed call left behind means nothing: it must not be used. */
static void
spoil (gpointer created, gsize size)
{
  memset (created, 0x5a, size);
}

/* clang-format off */
#define MAKER(name, Info, Handle) \
  static VKAPI_ATTR VkResult VKAPI_CALL \
  fake_##name (VkDevice device, const Vk##Info *info, \
      const VkAllocationCallbacks *memory, Handle *created) \
  { \
    if (!fails ("vk" #name)) \
      return real.name (device, info, memory, created); \
    spoil (created, sizeof *created); \
    return failure; \
  }
#define CALL(name, parameters, arguments) \
  static VKAPI_ATTR VkResult VKAPI_CALL \
  fake_##name parameters \
  { \
    return fails ("vk" #name) ? failure : real.name arguments; \
  }

#define MAKERS(X) \
  X (AllocateMemory, MemoryAllocateInfo, VkDeviceMemory) \
  X (CreateBuffer, BufferCreateInfo, VkBuffer) \
  X (CreateBufferView, BufferViewCreateInfo, VkBufferView) \
  X (CreateCommandPool, CommandPoolCreateInfo, VkCommandPool) \
  X (CreateDescriptorPool, DescriptorPoolCreateInfo, VkDescriptorPool) \
  X (CreateDescriptorSetLayout, DescriptorSetLayoutCreateInfo, \
      VkDescriptorSetLayout) \
  X (CreatePipelineCache, PipelineCacheCreateInfo, VkPipelineCache) \
  X (CreatePipelineLayout, PipelineLayoutCreateInfo, VkPipelineLayout) \
  X (CreateQueryPool, QueryPoolCreateInfo, VkQueryPool) \
  X (CreateSemaphore, SemaphoreCreateInfo, VkSemaphore) \
  X (CreateShaderModule, ShaderModuleCreateInfo, VkShaderModule)
#define CALLS(X) \
  X (AllocateCommandBuffers, (VkDevice a, \
      const VkCommandBufferAllocateInfo *b, VkCommandBuffer *c), (a, b, c)) \
  X (AllocateDescriptorSets, (VkDevice a, \
      const VkDescriptorSetAllocateInfo *b, VkDescriptorSet *c), (a, b, c)) \
  X (BeginCommandBuffer, (VkCommandBuffer a, \
      const VkCommandBufferBeginInfo *b), (a, b)) \
  X (BindBufferMemory, (VkDevice a, VkBuffer b, VkDeviceMemory c, \
      VkDeviceSize d), (a, b, c, d)) \
  X (CreateComputePipelines, (VkDevice a, VkPipelineCache b, uint32_t c, \
      const VkComputePipelineCreateInfo *d, const VkAllocationCallbacks *e, \
      VkPipeline *f), (a, b, c, d, e, f)) \
  X (CreateDevice, (VkPhysicalDevice a, const VkDeviceCreateInfo *b, \
      const VkAllocationCallbacks *c, VkDevice *d), (a, b, c, d)) \
  X (EndCommandBuffer, (VkCommandBuffer a), (a)) \
  X (EnumeratePhysicalDevices, (VkInstance a, uint32_t *b, \
      VkPhysicalDevice *c), (a, b, c)) \
  X (MapMemory, (VkDevice a, VkDeviceMemory b, VkDeviceSize c, \
      VkDeviceSize d, VkMemoryMapFlags e, void **f), (a, b, c, d, e, f)) \
  X (QueueSubmit, (VkQueue a, uint32_t b, const VkSubmitInfo *c, VkFence d), \
      (a, b, c, d))

MAKERS (MAKER)
CALLS (CALL)

static VKAPI_ATTR VkResult VKAPI_CALL
fake_CreateInstance (const VkInstanceCreateInfo *info,
    const VkAllocationCallbacks *memory, VkInstance *created)
{
  if (!fails ("vkCreateInstance"))
    return real.CreateInstance (info, memory, created);
  spoil (created, sizeof *created);
  return failure;
}

/* A device that is lost has stopped; this one is only said to be. */
static VKAPI_ATTR VkResult VKAPI_CALL
fake_WaitSemaphores (
    VkDevice device, const VkSemaphoreWaitInfo *info, uint64_t timeout)
{
  if (!fails ("vkWaitSemaphores"))
    return real.WaitSemaphores (device, info, timeout);
  real.DeviceWaitIdle (device);
  return failure;
}

#define REPLACE(name, ...) \
  if (vk->name && vk->name != fake_##name) { \
    real.name = vk->name; \
    vk->name = fake_##name; \
  }
/* clang-format on */

static void
replace (FvVulkan *vk)
{
  MAKERS (REPLACE)
  CALLS (REPLACE)
  REPLACE (CreateInstance)
  REPLACE (WaitSemaphores)
  real.DeviceWaitIdle = vk->DeviceWaitIdle;
}

static gboolean
fill_program (FvProgram *program, FvBuffer *const buffers[3], GError **error)
{
  struct
  {
    float b;
    gint32 first;
  } push = { 1, 0 };
  FvDispatch d = { .kernel = "scale", .groups = { 1, 1, 1 } };

  d.n_bindings = 2;
  for (guint i = 0; i < 2; i++)
    d.bindings[i] = (FvBinding){ buffers[i], 0, 1024,
      i ? FV_BIND_FLOATS_WRITE : FV_BIND_FLOATS_READ, FV_TYPE_F32 };
  fv_dispatch_spec (&d, 0, 64);
  fv_dispatch_spec_float (&d, 1, 2);
  fv_dispatch_push (&d, &push, sizeof push);
  fv_program_enable_timing (program);
  fv_program_fill (program, buffers[0], 0, 1024, 0);
  fv_program_dispatch (program, &d);
  fv_program_copy (program, buffers[1], 0, buffers[2], 0, 1024);
  return fv_program_finish (program, error);
}

/* In more parts than the driver gets at once, so that the last is submitted by who
 * waits. */
static gboolean
run_background (FvDevice *device, FvProgram *program, GError **error)
{
  FvProgram *programs[4] = { program, program, program, program };
  const double seconds[] = { 1 };
  guint64 value = 0;

  return fv_program_divide (program, seconds, 0.5, error)
      && fv_program_submit_background (programs, G_N_ELEMENTS (programs),
          &value, error)
      && fv_device_wait (device, value, G_MAXUINT64, error);
}

/* Everything from the first call to the last, as a user of the engine does it. */
static gboolean
whole_life (GError **error)
{
  static const FvMemoryUse uses[] = { FV_MEMORY_UPLOAD, FV_MEMORY_DEVICE,
    FV_MEMORY_DOWNLOAD };
  g_autoptr (FvDevice) device = fv_device_open (NULL, error);
  FvBuffer *buffers[3] = { NULL, NULL, NULL };
  g_autoptr (FvProgram) program = NULL;
  gboolean is_done = device != NULL;
  guint64 value = 0;

  for (guint i = 0; i < 3 && is_done; i++) {
    buffers[i] = fv_buffer_new (device, 1024, uses[i], error);
    is_done = buffers[i] != NULL;
  }
  if (is_done) {
    program = fv_program_new (device);
    is_done = fill_program (program, buffers, error)
        && fv_program_submit (&program, 1, &value, error)
        && fv_device_wait (device, value, G_MAXUINT64, error)
        && run_background (device, program, error);
  }
  /* Cleaning up has nobody to tell. */
  calls_left = -1;
  if (is_done) {
    ck_assert_float_eq (((float *) fv_buffer_map (buffers[2]))[255], 1);
    ck_assert_double_ge (fv_program_seconds (program, 0), -1);
  }
  for (guint i = 0; i < 3; i++)
    fv_buffer_unref (buffers[i]);
  return is_done;
}

START_TEST (test_every_call)
{
  g_setenv ("FOVEA_TIER", _i % 2 ? "workgroup" : "subgroup", TRUE);
  failure = _i < 2 ? VK_ERROR_OUT_OF_DEVICE_MEMORY : VK_ERROR_DEVICE_LOST;
  gint n = 0;

  for (failed = ""; failed; n++) {
    g_autoptr (GError) error = NULL;
    calls_left = n;
    failed = NULL;
    gboolean is_done = whole_life (&error);
    ck_assert_int_eq (is_done, failed == NULL);
    if (is_done)
      continue;
    ck_assert_msg (error != NULL, "%s failed without an error", failed);
    ck_assert_msg (error->domain == FV_ERROR
            && (error->code == FV_ERROR_DEVICE
                || (error->code == FV_ERROR_TOO_LARGE
                    && g_str_equal (failed, "vkAllocateMemory"))),
        "%s: %s", failed, error->message);
    ck_assert_msg (strstr (error->message, failed)
            && strstr (error->message, fv_result_name (failure)),
        "%s: %s", failed, error->message);
  }
  /* one of each at the least */
  ck_assert_int_gt (n, 20);
}
END_TEST

START_TEST (test_validation_clean)
{
  ck_assert_uint_eq (fv_validation_messages (), 0);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("fault");
  TCase *tcase = tcase_create ("fault");
  SRunner *runner = srunner_create (suite);

  fv_spirv_extra = fv_test_spirv;
  fv_vulkan_hook = replace;
  srunner_set_fork_status (runner, CK_NOFORK);
  tcase_add_loop_test (tcase, test_every_call, 0, 4);
  tcase_add_test (tcase, test_validation_clean);
  suite_add_tcase (suite, tcase);
  srunner_run_all (runner, CK_NORMAL);
  int failures = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
