/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a driver keeps of objects that were destroyed: plain Vulkan calls, none of the
 * engine's. */
#include <check.h>
#include <string.h>
#include "gst/engine/spirv.h"
#include "tests/storm-test.h"

#define SIZE 4096 /* bytes of a buffer */

extern const FvSpirv fv_test_spirv[];

typedef struct
{
  VkInstance instance;
  VkPhysicalDevice physical;
  VkDevice device;
  VkQueue queue;
  guint32 family;
} Bare;

#define OK(call) ck_assert_int_eq (call, VK_SUCCESS)

static void
make_instance (Bare *bare)
{
  VkApplicationInfo application = {
    .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
    .apiVersion = VK_API_VERSION_1_2,
  };
  VkInstanceCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
    .pApplicationInfo = &application,
  };

  OK (vkCreateInstance (&info, NULL, &bare->instance));
}

/* On the first device of a CPU's, which is the one that tests run on. */
static void
choose (Bare *bare)
{
  VkPhysicalDevice all[8];
  guint32 n = G_N_ELEMENTS (all);

  vkEnumeratePhysicalDevices (bare->instance, &n, all);
  ck_assert_uint_gt (n, 0);
  bare->physical = all[0];
  for (guint i = 0; i < n; i++) {
    VkPhysicalDeviceProperties properties;

    vkGetPhysicalDeviceProperties (all[i], &properties);
    if (properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU)
      bare->physical = all[i];
  }
}

static void
make_device (Bare *bare)
{
  VkQueueFamilyProperties families[8];
  const float priority = 1;
  guint32 n = G_N_ELEMENTS (families);
  VkDeviceQueueCreateInfo queue = {
    .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
    .queueCount = 1,
    .pQueuePriorities = &priority,
  };
  VkPhysicalDeviceFeatures features;
  VkDeviceCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
    .queueCreateInfoCount = 1,
    .pQueueCreateInfos = &queue,
    .pEnabledFeatures = &features,
  };

  make_instance (bare);
  choose (bare);
  vkGetPhysicalDeviceFeatures (bare->physical, &features);
  vkGetPhysicalDeviceQueueFamilyProperties (bare->physical, &n, families);
  while (!(families[bare->family].queueFlags & VK_QUEUE_COMPUTE_BIT))
    ck_assert_uint_lt (++bare->family, n);
  queue.queueFamilyIndex = bare->family;
  OK (vkCreateDevice (bare->physical, &info, NULL, &bare->device));
  vkGetDeviceQueue (bare->device, bare->family, 0, &bare->queue);
}

static void
destroy_device (Bare *bare)
{
  vkDestroyDevice (bare->device, NULL);
  vkDestroyInstance (bare->instance, NULL);
  *bare = (Bare){ 0 };
}

/* ---- what is made and destroyed ---- */

typedef struct
{
  VkBuffer buffer;
  VkDeviceMemory memory;
  VkBufferView view;
} Storage;

/* Mapped, as uploads and downloads are. */
static void
make_storage (Bare *bare, Storage *storage)
{
  VkBufferCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
    .size = SIZE,
    .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT
        | VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT,
  };
  VkMemoryAllocateInfo allocation = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
  };
  VkBufferViewCreateInfo view_info = {
    .sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
    .format = VK_FORMAT_R32G32B32A32_SFLOAT,
    .range = VK_WHOLE_SIZE,
  };
  VkMemoryRequirements need;
  void *data;

  OK (vkCreateBuffer (bare->device, &info, NULL, &storage->buffer));
  vkGetBufferMemoryRequirements (bare->device, storage->buffer, &need);
  allocation.allocationSize = need.size;
  while (!(need.memoryTypeBits >> allocation.memoryTypeIndex & 1))
    allocation.memoryTypeIndex++;
  OK (vkAllocateMemory (bare->device, &allocation, NULL, &storage->memory));
  OK (vkBindBufferMemory (bare->device, storage->buffer, storage->memory, 0));
  OK (vkMapMemory (bare->device, storage->memory, 0, VK_WHOLE_SIZE, 0, &data));
  memset (data, 0, SIZE);
  view_info.buffer = storage->buffer;
  OK (vkCreateBufferView (bare->device, &view_info, NULL, &storage->view));
}

static void
destroy_storage (Bare *bare, Storage *storage)
{
  vkDestroyBufferView (bare->device, storage->view, NULL);
  vkDestroyBuffer (bare->device, storage->buffer, NULL);
  vkFreeMemory (bare->device, storage->memory, NULL);
}

typedef struct
{
  VkDescriptorSetLayout set;
  VkPipelineLayout layout;
  VkPipeline pipeline;
} Kernel;

static void
make_layout (Bare *bare, Kernel *kernel)
{
  static const VkDescriptorSetLayoutBinding bindings[] = {
    { 0, VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, 1,
        VK_SHADER_STAGE_COMPUTE_BIT },
    { 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT },
  };
  VkDescriptorSetLayoutCreateInfo set = {
    .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
    .bindingCount = G_N_ELEMENTS (bindings),
    .pBindings = bindings,
  };
  VkPushConstantRange push = { VK_SHADER_STAGE_COMPUTE_BIT, 0, 128 };
  VkPipelineLayoutCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
    .setLayoutCount = 1,
    .pSetLayouts = &kernel->set,
    .pushConstantRangeCount = 1,
    .pPushConstantRanges = &push,
  };

  OK (vkCreateDescriptorSetLayout (bare->device, &set, NULL, &kernel->set));
  OK (vkCreatePipelineLayout (bare->device, &info, NULL, &kernel->layout));
}

/* The tests' shader for lavapipe's tier: a texel buffer in, a storage buffer out. */
static void
make_kernel (Bare *bare, Kernel *kernel)
{
  VkComputePipelineCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
    .stage = { .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
        .stage = VK_SHADER_STAGE_COMPUTE_BIT,
        .pName = "main" },
  };
  VkShaderModuleCreateInfo code = {
    .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
  };
  const FvSpirv *shader = fv_test_spirv;

  while (strcmp (shader->name, "scale_subgroup") != 0)
    shader++;
  code.codeSize = shader->size;
  code.pCode = shader->code;
  make_layout (bare, kernel);
  info.layout = kernel->layout;
  OK (vkCreateShaderModule (bare->device, &code, NULL, &info.stage.module));
  OK (vkCreateComputePipelines (bare->device, VK_NULL_HANDLE, 1, &info, NULL,
      &kernel->pipeline));
  vkDestroyShaderModule (bare->device, info.stage.module, NULL);
}

static void
destroy_kernel (Bare *bare, Kernel *kernel)
{
  vkDestroyPipeline (bare->device, kernel->pipeline, NULL);
  vkDestroyPipelineLayout (bare->device, kernel->layout, NULL);
  vkDestroyDescriptorSetLayout (bare->device, kernel->set, NULL);
}

static VkDescriptorSet
make_set (Bare *bare, const Kernel *kernel, const Storage *storage,
    VkDescriptorPool *pool)
{
  static const VkDescriptorPoolSize sizes[] = {
    { VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, 1 },
    { VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1 },
  };
  VkDescriptorPoolCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
    .maxSets = 1,
    .poolSizeCount = G_N_ELEMENTS (sizes),
    .pPoolSizes = sizes,
  };
  VkDescriptorSetAllocateInfo allocation = {
    .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
    .descriptorSetCount = 1,
    .pSetLayouts = &kernel->set,
  };
  VkDescriptorBufferInfo buffer = { storage->buffer, 0, VK_WHOLE_SIZE };
  VkDescriptorSet set;

  OK (vkCreateDescriptorPool (bare->device, &info, NULL, pool));
  allocation.descriptorPool = *pool;
  OK (vkAllocateDescriptorSets (bare->device, &allocation, &set));
  for (guint i = 0; i < 2; i++) {
    VkWriteDescriptorSet write = {
      .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
      .dstSet = set,
      .dstBinding = i,
      .descriptorCount = 1,
      .descriptorType = sizes[i].type,
      .pBufferInfo = &buffer,
      .pTexelBufferView = &storage->view,
    };

    vkUpdateDescriptorSets (bare->device, 1, &write, 0, NULL);
  }
  return set;
}

static void
run (Bare *bare, VkCommandBuffer commands)
{
  VkSubmitInfo submit = {
    .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
    .commandBufferCount = 1,
    .pCommandBuffers = &commands,
  };

  OK (vkQueueSubmit (bare->queue, 1, &submit, VK_NULL_HANDLE));
  OK (vkDeviceWaitIdle (bare->device));
}

/* One dispatch, recorded and run. */
static void
churn_program (Bare *bare, const Kernel *kernel, const Storage *storage)
{
  static const guint32 push[32];
  VkCommandPoolCreateInfo pool_info = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
    .queueFamilyIndex = bare->family,
  };
  VkCommandBufferAllocateInfo info = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
    .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
    .commandBufferCount = 1,
  };
  VkCommandBufferBeginInfo begin = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
  };
  VkDescriptorPool pool;
  VkDescriptorSet set = make_set (bare, kernel, storage, &pool);
  VkCommandBuffer commands;

  OK (vkCreateCommandPool (bare->device, &pool_info, NULL, &info.commandPool));
  OK (vkAllocateCommandBuffers (bare->device, &info, &commands));
  OK (vkBeginCommandBuffer (commands, &begin));
  vkCmdBindPipeline (commands, VK_PIPELINE_BIND_POINT_COMPUTE,
      kernel->pipeline);
  vkCmdBindDescriptorSets (commands, VK_PIPELINE_BIND_POINT_COMPUTE,
      kernel->layout, 0, 1, &set, 0, NULL);
  vkCmdPushConstants (commands, kernel->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
      sizeof push, push);
  vkCmdDispatch (commands, 1, 1, 1);
  OK (vkEndCommandBuffer (commands));
  run (bare, commands);
  vkDestroyCommandPool (bare->device, info.commandPool, NULL);
  vkDestroyDescriptorPool (bare->device, pool, NULL);
}

static void
churn_all (Bare *bare, const StormBare *churn)
{
  guint n =
      MAX (MAX (churn->pipelines, churn->command_buffers), churn->buffers);
  Storage storage = { 0 };
  Kernel kernel = { 0 };

  for (guint i = 0; i < n; i++) {
    if (i == 0 || i < churn->buffers) {
      destroy_storage (bare, &storage);
      make_storage (bare, &storage);
    }
    if (i == 0 || i < churn->pipelines) {
      destroy_kernel (bare, &kernel);
      make_kernel (bare, &kernel);
    }
    if (i < churn->command_buffers)
      churn_program (bare, &kernel, &storage);
  }
  destroy_kernel (bare, &kernel);
  destroy_storage (bare, &storage);
}

gint64
storm_bare_growth (const StormBare *churn, guint n_cycles)
{
  g_autoptr (GArray) resident = g_array_new (FALSE, FALSE, sizeof (gint64));
  Bare bare = { 0 };

  make_device (&bare);
  for (guint cycle = 0; cycle < n_cycles; cycle++) {
    gint64 bytes;

    churn_all (&bare, churn);
    if (churn->device) {
      destroy_device (&bare);
      make_device (&bare);
    }
    bytes = storm_resident ();
    g_array_append_val (resident, bytes);
  }
  destroy_device (&bare);
  return storm_growth (resident);
}
