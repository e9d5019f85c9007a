/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/engine/program-private.h"

/* An access to a range of bytes that no barrier has closed off yet. */
typedef struct
{
  FvBuffer *buffer;
  gsize start, end;
  gboolean is_write;
} Access;

static void
add_access (GArray *list, FvBuffer *buffer, gsize offset, gsize size,
    gboolean is_write)
{
  Access access = { buffer, offset, offset + size, is_write };
  g_array_append_val (list, access);
}

static void
list_accesses (FvProgram *program, const FvCommand *command, GArray *list)
{
  if (command->kind != FV_COMMAND_DISPATCH) {
    if (command->source)
      add_access (list, command->source, command->source_offset, command->size,
          FALSE);
    add_access (list, command->target, command->target_offset, command->size,
        TRUE);
    return;
  }
  const FvDispatch *dispatch = fv_program_get (program, command->dispatch);
  for (guint i = 0; i < dispatch->n_bindings; i++) {
    const FvBinding *binding = &dispatch->bindings[i];
    add_access (list, binding->buffer, binding->offset, binding->size,
        fv_bind_is_write (binding->kind));
  }
}

/* Read after write, write after read and write after write alike. */
static gboolean
conflicts (const GArray *open, const GArray *list)
{
  for (guint i = 0; i < list->len; i++)
    for (guint k = 0; k < open->len; k++) {
      const Access *a = &g_array_index (list, Access, i);
      const Access *b = &g_array_index (open, Access, k);
      if (a->buffer == b->buffer && a->start < b->end && b->start < a->end
          && (a->is_write || b->is_write))
        return TRUE;
    }
  return FALSE;
}

#define WORK \
  (VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT)
#define WRITES (VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT)
#define READS (VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_TRANSFER_READ_BIT)

static void
barrier (FvProgram *program, VkCommandBuffer buffer, VkPipelineStageFlags from,
    VkAccessFlags written, VkPipelineStageFlags to, VkAccessFlags used)
{
  VkMemoryBarrier memory = { .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
    .srcAccessMask = written,
    .dstAccessMask = used };
  program->device->vk.CmdPipelineBarrier (buffer, from, to, 0, 1, &memory, 0,
      NULL, 0, NULL);
}

/* Memory of other devices changes hands with what they know of it. */
static void
change_hands (FvProgram *program, VkCommandBuffer commands, gboolean is_begin)
{
  FvDevice *device = program->device;
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, program->buffers);
  while (g_hash_table_iter_next (&iter, &key, NULL)) {
    FvBuffer *buffer = key;
    guint32 there = device->foreign_family, here = device->queue_family;
    VkBufferMemoryBarrier change = {
      .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER,
      .srcAccessMask = is_begin ? 0 : WRITES,
      .dstAccessMask = is_begin ? READS | WRITES : 0,
      .srcQueueFamilyIndex = is_begin ? there : here,
      .dstQueueFamilyIndex = is_begin ? here : there,
      .buffer = buffer->handle,
      .size = VK_WHOLE_SIZE
    };

    if (buffer->is_foreign)
      device->vk.CmdPipelineBarrier (commands,
          is_begin ? VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT : WORK,
          is_begin ? WORK : VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, 0, 0, NULL, 1,
          &change, 0, NULL);
  }
}

static gboolean
make_view (FvProgram *program, const FvBinding *binding, VkBufferView *view,
    GError **error)
{
  FvDevice *device = program->device;
  gsize texel;
  VkBufferViewCreateInfo info = { .sType =
                                      VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
    .buffer = binding->buffer->handle,
    .format = fv_bind_format (binding, &texel),
    .offset = binding->offset };

  /* The VkBuffer is a multiple of 16 bytes long. */
  info.range = (binding->size + texel - 1) / texel * texel;
  if (!VK_CREATE (device, CreateBufferView, error, &info, view))
    return FALSE;
  g_array_append_val (program->views, *view);
  return TRUE;
}

static gboolean
make_pool (FvProgram *program, GError **error)
{
  FvDevice *device = program->device;
  VkDescriptorPoolSize sizes[] = { { VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 0 },
    { VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, 0 } };
  VkDescriptorPoolCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
    .maxSets = program->dispatches->len
  };
  VkDescriptorPoolSize used[G_N_ELEMENTS (sizes)];

  for (guint i = 0; i < program->dispatches->len; i++) {
    const FvDispatch *dispatch = fv_program_get (program, i);
    for (guint k = 0; k < dispatch->n_bindings; k++)
      sizes[fv_bind_descriptor (device->tier, dispatch->bindings[k].kind)
          != VK_DESCRIPTOR_TYPE_STORAGE_BUFFER]
          .descriptorCount++;
  }
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    if (sizes[i].descriptorCount)
      used[info.poolSizeCount++] = sizes[i];
  info.pPoolSizes = used;
  return VK_CREATE (device, CreateDescriptorPool, error, &info,
      &program->descriptors);
}

static gboolean
write_set (FvProgram *program, FvProgramDispatch *dispatch, GError **error)
{
  FvDevice *device = program->device;
  VkDescriptorBufferInfo buffers[FV_MAX_BINDINGS];
  VkBufferView views[FV_MAX_BINDINGS];
  VkWriteDescriptorSet writes[FV_MAX_BINDINGS];
  guint n = dispatch->d.n_bindings;
  VkDescriptorSetAllocateInfo info = {
    .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
    .descriptorPool = program->descriptors,
    .descriptorSetCount = 1,
    .pSetLayouts = &dispatch->kernel->set_layout
  };

  if (!VK (device, AllocateDescriptorSets, error, device->handle, &info,
          &dispatch->set))
    return FALSE;
  for (guint i = 0; i < n; i++) {
    const FvBinding *binding = &dispatch->d.bindings[i];
    writes[i] = (VkWriteDescriptorSet){
      .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
      .dstSet = dispatch->set,
      .dstBinding = i,
      .descriptorCount = 1,
      .descriptorType = fv_bind_descriptor (device->tier, binding->kind),
      .pBufferInfo = &buffers[i],
      .pTexelBufferView = &views[i],
    };
    /* Whole words: kernels see raw data as such. */
    buffers[i] = (VkDescriptorBufferInfo){ binding->buffer->handle,
      binding->offset, (binding->size + 3) & ~(VkDeviceSize) 3 };
    if (writes[i].descriptorType == VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER
        && !make_view (program, binding, &views[i], error))
      return FALSE;
  }
  device->vk.UpdateDescriptorSets (device->handle, n, writes, 0, NULL);
  return TRUE;
}

static gboolean
make_queries (FvProgram *program, GError **error)
{
  FvDevice *device = program->device;
  VkQueryPoolCreateInfo info = { .sType =
                                     VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
    .queryType = VK_QUERY_TYPE_TIMESTAMP,
    .queryCount = 2 * program->dispatches->len };

  return VK_CREATE (device, CreateQueryPool, error, &info, &program->queries);
}

static gboolean
make_command_pool (FvProgram *program, GError **error)
{
  FvDevice *device = program->device;
  VkCommandPoolCreateInfo pool = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
    .queueFamilyIndex = device->queue_family
  };

  return VK_CREATE (device, CreateCommandPool, error, &pool,
      &program->commands_pool);
}

static void
record_dispatch (FvProgram *program, VkCommandBuffer buffer, guint i)
{
  FvVulkan *vk = &program->device->vk;
  FvProgramDispatch *dispatch = program->dispatches->pdata[i];
  const FvDispatch *d = &dispatch->d;

  vk->CmdBindPipeline (buffer, VK_PIPELINE_BIND_POINT_COMPUTE,
      dispatch->kernel->pipeline);
  vk->CmdBindDescriptorSets (buffer, VK_PIPELINE_BIND_POINT_COMPUTE,
      dispatch->kernel->layout, 0, 1, &dispatch->set, 0, NULL);
  if (d->push_size)
    vk->CmdPushConstants (buffer, dispatch->kernel->layout,
        VK_SHADER_STAGE_COMPUTE_BIT, 0, d->push_size, d->push);
  if (program->queries)
    vk->CmdWriteTimestamp (buffer, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT,
        program->queries, 2 * i);
  vk->CmdDispatch (buffer, d->groups[0], d->groups[1], d->groups[2]);
  if (program->queries)
    vk->CmdWriteTimestamp (buffer, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT,
        program->queries, 2 * i + 1);
}

static void
record_command (FvProgram *program, VkCommandBuffer buffer,
    const FvCommand *command)
{
  FvVulkan *vk = &program->device->vk;
  VkBufferCopy region = { command->source_offset, command->target_offset,
    command->size };

  switch (command->kind) {
    case FV_COMMAND_DISPATCH:
      record_dispatch (program, buffer, command->dispatch);
      break;
    case FV_COMMAND_COPY:
      vk->CmdCopyBuffer (buffer, command->source->handle,
          command->target->handle, 1, &region);
      break;
    case FV_COMMAND_FILL:
      vk->CmdFillBuffer (buffer, command->target->handle,
          command->target_offset, command->size, command->value);
      break;
  }
}

/* What came before on the queue and on the host is visible from the start; what
 * is written here is visible to the host at the end. Between, a barrier stands
 * only where a command touches bytes that an earlier one still may. */
static void
record_commands (FvProgram *program, const FvProgramPart *part)
{
  g_autoptr (GArray) open = g_array_new (FALSE, FALSE, sizeof (Access));
  g_autoptr (GArray) list = g_array_new (FALSE, FALSE, sizeof (Access));

  if (program->queries && part->first == 0)
    program->device->vk.CmdResetQueryPool (part->buffer, program->queries, 0,
        2 * program->dispatches->len);
  barrier (program, part->buffer, WORK | VK_PIPELINE_STAGE_HOST_BIT,
      WRITES | VK_ACCESS_HOST_WRITE_BIT, WORK, READS | WRITES);
  if (part->first == 0)
    change_hands (program, part->buffer, TRUE);
  for (guint i = part->first; i < part->end; i++) {
    const FvCommand *command = &g_array_index (program->commands, FvCommand, i);
    g_array_set_size (list, 0);
    list_accesses (program, command, list);
    if (conflicts (open, list)) {
      barrier (program, part->buffer, WORK, WRITES, WORK, READS | WRITES);
      program->n_barriers++;
      g_array_set_size (open, 0);
    }
    g_array_append_vals (open, list->data, list->len);
    record_command (program, part->buffer, command);
  }
  if (part->end == program->commands->len)
    change_hands (program, part->buffer, FALSE);
  barrier (program, part->buffer, WORK, WRITES, VK_PIPELINE_STAGE_HOST_BIT,
      VK_ACCESS_HOST_READ_BIT);
}

static gboolean
record_part (FvProgram *program, FvProgramPart *part, GError **error)
{
  FvDevice *device = program->device;
  VkCommandBufferAllocateInfo info = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
    .commandPool = program->commands_pool,
    .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
    .commandBufferCount = 1
  };
  /* Two submits of one program may be on the queue at once. */
  VkCommandBufferBeginInfo begin = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
    .flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT
  };

  if (!VK (device, AllocateCommandBuffers, error, device->handle, &info,
          &part->buffer)
      || !VK (device, BeginCommandBuffer, error, part->buffer, &begin))
    return FALSE;
  record_commands (program, part);
  if (!VK (device, EndCommandBuffer, error, part->buffer))
    return FALSE;
  fv_device_count_recorded (device);
  return TRUE;
}

static gboolean
record_parts (FvProgram *program, GError **error)
{
  if (!make_command_pool (program, error))
    return FALSE;
  program->n_barriers = 0;
  for (guint i = 0; i < program->parts->len; i++)
    if (!record_part (program,
            &g_array_index (program->parts, FvProgramPart, i), error))
      return FALSE;
  return TRUE;
}

gboolean
fv_program_record (FvProgram *program, GError **error)
{
  guint n = program->dispatches->len;
  FvProgramPart whole = { .end = program->commands->len, .seconds = -1 };

  if (n && !make_pool (program, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (!write_set (program, program->dispatches->pdata[i], error))
      return FALSE;
  if (n && program->is_timed && !make_queries (program, error))
    return FALSE;
  g_array_append_val (program->parts, whole);
  return record_parts (program, error);
}

/* Copies and fills go with what follows them. */
static void
cut (FvProgram *program, const double *seconds, double most)
{
  FvProgramPart part = { .buffer = VK_NULL_HANDLE };

  g_array_set_size (program->parts, 0);
  for (guint i = 0; i < program->commands->len; i++) {
    const FvCommand *command = &g_array_index (program->commands, FvCommand, i);
    double more =
        command->kind == FV_COMMAND_DISPATCH ? seconds[command->dispatch] : 0;

    if (part.end > part.first && part.seconds + more > most) {
      g_array_append_val (program->parts, part);
      part = (FvProgramPart){ .first = i };
    }
    part.seconds += more;
    part.end = i + 1;
  }
  g_array_append_val (program->parts, part);
}

gboolean
fv_program_divide (FvProgram *program, const double *seconds, double most,
    GError **error)
{
  FvDevice *device = program->device;

  g_return_val_if_fail (program->is_finished, FALSE);
  program->is_finished = FALSE;
  device->vk.DestroyCommandPool (device->handle, program->commands_pool, NULL);
  program->commands_pool = VK_NULL_HANDLE;
  cut (program, seconds, most);
  program->is_finished = record_parts (program, error);
  return program->is_finished;
}
