/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/gstfoveaimages.h"
#include "gst/video/gstfoveameta.h"

#ifdef FV_HAS_VULKAN
#define GST_USE_UNSTABLE_API
#include <gst/vulkan/vulkan.h>

/* Who owns a device of ours that is a neighbour's. */
typedef struct
{
  GstVulkanInstance *instance;
  GstVulkanDevice *device;
  GstVulkanQueue *queue;
} Shared;

struct _GstFoveaImages
{
  FvDevice *device;
  Shared *shared; /* of the device */
  GstVulkanOperation *operation;
  PFN_vkCmdPipelineBarrier barrier;
  PFN_vkCmdCopyImageToBuffer read;
  PFN_vkCmdCopyBufferToImage write;
  PFN_vkQueueWaitIdle wait_idle;
};

static void
shared_free (gpointer data)
{
  Shared *shared = data;

  gst_clear_object (&shared->queue);
  gst_clear_object (&shared->device);
  gst_clear_object (&shared->instance);
  g_free (shared);
}

static void
shared_lock (gpointer data)
{
  gst_vulkan_queue_submit_lock (((Shared *) data)->queue);
}

static void
shared_unlock (gpointer data)
{
  gst_vulkan_queue_submit_unlock (((Shared *) data)->queue);
}

static gboolean
refuse (const char *why, GError **error)
{
  g_set_error (error, FV_ERROR, FV_ERROR_DEVICE,
      "frames in memory:VulkanImage cannot be taken: %s", why);
  return FALSE;
}

/* The instance, device and queue that the neighbours use, or will. */
static gboolean
shared_find (Shared *shared, GstElement *element, GError **error)
{
  g_autoptr (GstContext) context =
      gst_element_get_context (element, GST_VULKAN_DEVICE_CONTEXT_TYPE_STR);

  /* a device has an instance; another one would be made for us, and not be its */
  if (context == NULL
      || !gst_context_get_vulkan_device (context, &shared->device))
    gst_vulkan_device_run_context_query (element, &shared->device);
  if (shared->device)
    shared->instance = gst_object_ref (shared->device->instance);
  else if (!gst_vulkan_ensure_element_data (element, NULL, &shared->instance))
    return refuse ("there is no Vulkan instance", error);
  if (!gst_vulkan_ensure_element_device (element, shared->instance,
          &shared->device, 0))
    return refuse ("there is no Vulkan device", error);
  if (!gst_vulkan_queue_run_context_query (element, &shared->queue))
    shared->queue =
        gst_vulkan_device_select_queue (shared->device, VK_QUEUE_COMPUTE_BIT);
  if (shared->queue == NULL)
    return refuse ("the device has no compute queue", error);
  return TRUE;
}

static FvDevice *
open_shared (GstElement *element, GError **error)
{
  Shared *shared = g_new0 (Shared, 1);
  FvBorrowed borrowed = { .owner = shared,
    .lock = shared_lock,
    .unlock = shared_unlock,
    .destroy = shared_free };

  if (!shared_find (shared, element, error)) {
    shared_free (shared);
    return NULL;
  }
  borrowed.instance = shared->instance->instance;
  borrowed.physical = gst_vulkan_device_get_physical_device (shared->device);
  borrowed.device = shared->device->device;
  borrowed.queue_family = shared->queue->family;
  borrowed.queue = shared->queue->queue;
  return fv_device_borrow (&borrowed, error);
}

/* Whether @sink's peer gives images and nothing else. */
static gboolean
peer_has_images_only (GstPad *sink)
{
  g_autoptr (GstCaps) caps = gst_pad_peer_query_caps (sink, NULL);
  gboolean has_images = FALSE;

  if (caps == NULL || gst_caps_is_any (caps) || gst_caps_is_empty (caps))
    return FALSE;
  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    GstCapsFeatures *features = gst_caps_get_features (caps, i);

    if (gst_caps_features_is_any (features)
        || gst_caps_features_contains (features,
            GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY))
      return FALSE;
    has_images |=
        gst_caps_features_contains (features, GST_FOVEA_FEATURE_IMAGE);
  }
  return has_images;
}

FvDevice *
gst_fovea_images_open (GstElement *element, GstPad *sink, const char *name,
    GError **error)
{
  return peer_has_images_only (sink) ? open_shared (element, error)
                                     : fv_device_open (name, error);
}

gboolean
gst_fovea_images_answer (FvDevice *device, GstElement *element, GstQuery *query)
{
  Shared *shared = device ? fv_device_owner (device, shared_free) : NULL;

  return shared != NULL && GST_QUERY_TYPE (query) == GST_QUERY_CONTEXT
      && (gst_vulkan_handle_context_query (element, query, NULL,
              shared->instance, shared->device)
          || gst_vulkan_queue_handle_context_query (element, query,
              shared->queue));
}

gboolean
gst_fovea_images_are_in (GstBuffer *buffer)
{
  return gst_buffer_n_memory (buffer) > 0
      && gst_is_vulkan_image_memory (gst_buffer_peek_memory (buffer, 0));
}

/* ---- copies ---- */

GstFoveaImages *
gst_fovea_images_new (FvDevice *device, GError **error)
{
  Shared *shared = fv_device_owner (device, shared_free);
  g_autoptr (GstVulkanCommandPool) pool = NULL;
  GstFoveaImages *images;

  if (shared == NULL) {
    refuse ("the device is not the neighbours'", error);
    return NULL;
  }
  pool = gst_vulkan_queue_create_command_pool (shared->queue, error);
  if (pool == NULL)
    return NULL;
  images = g_new0 (GstFoveaImages, 1);
  images->device = fv_device_ref (device);
  images->shared = shared;
  images->operation = gst_vulkan_operation_new (pool);
  images->barrier =
      (PFN_vkCmdPipelineBarrier) gst_vulkan_device_get_proc_address (
          shared->device, "vkCmdPipelineBarrier");
  images->read =
      (PFN_vkCmdCopyImageToBuffer) gst_vulkan_device_get_proc_address (
          shared->device, "vkCmdCopyImageToBuffer");
  images->write =
      (PFN_vkCmdCopyBufferToImage) gst_vulkan_device_get_proc_address (
          shared->device, "vkCmdCopyBufferToImage");
  images->wait_idle = (PFN_vkQueueWaitIdle) gst_vulkan_device_get_proc_address (
      shared->device, "vkQueueWaitIdle");
  return images;
}

/* What follows is mostly the end of the neighbours' pool. Mesa's software driver (25)
 * looks at the semaphores of a submission once more after its fence said that it is
 * done, and hangs where an image took its own along: not when the queue is idle. */
void
gst_fovea_images_free (GstFoveaImages *images)
{
  if (images == NULL)
    return;
  gst_vulkan_operation_wait (images->operation);
  shared_lock (images->shared);
  images->wait_idle (images->shared->queue->queue);
  shared_unlock (images->shared);
  gst_object_unref (images->operation);
  fv_device_unref (images->device);
  g_free (images);
}

/* Images of another device are not there for this one. */
static gboolean
check_device (GstFoveaImages *images, GstBuffer *frame, GError **error)
{
  for (guint i = 0; i < gst_buffer_n_memory (frame); i++) {
    GstMemory *memory = gst_buffer_peek_memory (frame, i);

    if (gst_is_vulkan_image_memory (memory)
        && ((GstVulkanImageMemory *) memory)->device != images->shared->device)
      return refuse ("they are of another Vulkan device than the element's",
          error);
  }
  return TRUE;
}

/* Records what brings the images of @frame into @layout. */
static gboolean
begin (GstFoveaImages *images, GstBuffer *frame, guint64 access,
    VkImageLayout layout, GError **error)
{
  GstVulkanOperation *operation = images->operation;
  const guint64 all = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
  const guint64 transfer = VK_PIPELINE_STAGE_TRANSFER_BIT;
  g_autoptr (GArray) barriers = NULL;

  if (!check_device (images, frame, error)
      || !gst_vulkan_operation_begin (operation, error))
    return FALSE;
  if (!gst_vulkan_operation_add_dependency_frame (operation, frame, all,
          transfer)
      || !gst_vulkan_operation_add_frame_barrier (operation, frame, all,
          transfer, access, layout, NULL)) {
    gst_vulkan_operation_reset (operation);
    return refuse ("a frame's images cannot be waited for", error);
  }
  barriers = gst_vulkan_operation_retrieve_image_barriers (operation);
  if (gst_vulkan_operation_use_sync2 (operation)) {
    VkDependencyInfo info = { .sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
      .imageMemoryBarrierCount = barriers->len,
      .pImageMemoryBarriers = (gpointer) barriers->data };

    gst_vulkan_operation_pipeline_barrier2 (operation, &info);
    return TRUE;
  }
  gst_vulkan_command_buffer_lock (operation->cmd_buf);
  images->barrier (operation->cmd_buf->cmd, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
      VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 0, NULL, 0, NULL, barriers->len,
      (gpointer) barriers->data);
  gst_vulkan_command_buffer_unlock (operation->cmd_buf);
  return TRUE;
}

/* One image a plane, or one with all planes. */
static GstVulkanImageMemory *
find_plane (GstBuffer *frame, guint n, guint i, VkImageAspectFlags *aspect)
{
  static const VkImageAspectFlags aspects[] = { VK_IMAGE_ASPECT_PLANE_0_BIT,
    VK_IMAGE_ASPECT_PLANE_1_BIT, VK_IMAGE_ASPECT_PLANE_2_BIT };
  guint n_memories = gst_buffer_n_memory (frame);
  GstMemory *memory;

  if (i >= G_N_ELEMENTS (aspects) || (n_memories != n && n_memories != 1))
    return NULL;
  *aspect = n_memories == n ? VK_IMAGE_ASPECT_COLOR_BIT : aspects[i];
  memory = gst_buffer_peek_memory (frame, n_memories == n ? i : 0);
  return gst_is_vulkan_image_memory (memory) ? (GstVulkanImageMemory *) memory
                                             : NULL;
}

static VkBufferImageCopy
make_region (const GstFoveaPlaneLayout *layout, VkImageAspectFlags aspect,
    guint x, guint y)
{
  return (VkBufferImageCopy){ .bufferOffset = layout->offset,
    .bufferRowLength = (guint32) layout->stride / layout->group_bytes,
    .bufferImageHeight = layout->n_rows,
    .imageSubresource = { aspect, 0, 0, 1 },
    .imageOffset = { (gint) (x / layout->group_pixels),
        (gint) (y / layout->rows), 0 },
    .imageExtent = { layout->row_bytes / layout->group_bytes, layout->n_rows,
        1 } };
}

static gboolean
transfer (GstFoveaImages *images, GstBuffer *frame, guint x, guint y,
    const GstFoveaPlaneLayout *layouts, guint n, FvBuffer *buffer,
    gboolean is_write, GError **error)
{
  GstVulkanOperation *operation = images->operation;
  VkImageLayout layout = is_write ? VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL
                                  : VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL;
  VkBuffer handle = fv_buffer_vulkan (buffer);

  if (!begin (images, frame,
          is_write ? VK_ACCESS_TRANSFER_WRITE_BIT : VK_ACCESS_TRANSFER_READ_BIT,
          layout, error))
    return FALSE;
  for (guint i = 0; i < n; i++) {
    VkImageAspectFlags aspect = 0;
    GstVulkanImageMemory *plane = find_plane (frame, n, i, &aspect);
    VkBufferImageCopy region = make_region (&layouts[i], aspect, x, y);

    if (plane == NULL) {
      gst_vulkan_operation_reset (operation);
      return refuse ("its images are not the format's planes", error);
    }
    gst_vulkan_command_buffer_lock (operation->cmd_buf);
    if (is_write)
      images->write (operation->cmd_buf->cmd, handle, plane->image, layout, 1,
          &region);
    else
      images->read (operation->cmd_buf->cmd, plane->image, layout, handle, 1,
          &region);
    gst_vulkan_command_buffer_unlock (operation->cmd_buf);
  }
  return gst_vulkan_operation_end (operation, error);
}

gboolean
gst_fovea_images_read (GstFoveaImages *images, GstBuffer *frame, guint x,
    guint y, const GstFoveaPlaneLayout *layouts, guint n, FvBuffer *buffer,
    GError **error)
{
  return transfer (images, frame, x, y, layouts, n, buffer, FALSE, error);
}

gboolean
gst_fovea_images_write (GstFoveaImages *images, GstBuffer *frame, guint x,
    guint y, const GstFoveaPlaneLayout *layouts, guint n, FvBuffer *buffer,
    GError **error)
{
  return transfer (images, frame, x, y, layouts, n, buffer, TRUE, error);
}

/* A frame like @frame, with its metas, whose images say nothing yet. */
static GstBuffer *
new_like (GstFoveaImages *images, GstBuffer *frame, GError **error)
{
  g_autoptr (GstBuffer) copy = gst_buffer_new ();

  gst_buffer_copy_into (copy, frame, GST_BUFFER_COPY_METADATA, 0, -1);
  for (guint i = 0; i < gst_buffer_n_memory (frame); i++) {
    GstMemory *memory = gst_buffer_peek_memory (frame, i);
    GstVulkanImageMemory *image = (GstVulkanImageMemory *) memory;
    VkImageCreateInfo info;

    if (!gst_is_vulkan_image_memory (memory)) {
      refuse ("a frame is of images in part only", error);
      return NULL;
    }
    info = image->create_info;
    info.pNext = NULL;
    info.initialLayout = VK_IMAGE_LAYOUT_UNDEFINED;
    memory = gst_vulkan_image_memory_alloc_with_image_info (
        images->shared->device, &info, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
    if (memory == NULL) {
      refuse ("there is no memory for a copy", error);
      return NULL;
    }
    gst_buffer_append_memory (copy, memory);
  }
  return g_steal_pointer (&copy);
}

GstBuffer *
gst_fovea_images_copy (GstFoveaImages *images, GstBuffer *frame,
    const GstVideoInfo *info, GError **error)
{
  GstFoveaPlaneLayout layouts[GST_VIDEO_MAX_PLANES];
  g_autoptr (GstBuffer) copy = new_like (images, frame, error);
  g_autoptr (FvBuffer) buffer = NULL;
  gsize size;
  guint n = gst_fovea_planes_layout (info, layouts, &size);

  if (copy)
    buffer = fv_buffer_new (images->device, size, FV_MEMORY_DEVICE, error);
  if (buffer == NULL
      || !gst_fovea_images_read (images, frame, 0, 0, layouts, n, buffer, error)
      || !gst_fovea_images_write (images, copy, 0, 0, layouts, n, buffer,
          error))
    return NULL;
  /* nothing else keeps the buffer until then */
  gst_vulkan_operation_wait (images->operation);
  return g_steal_pointer (&copy);
}

gboolean
gst_fovea_images_are_of (FvDevice *device)
{
  return fv_device_owner (device, shared_free) != NULL;
}

gboolean
gst_fovea_images_are_built (void)
{
  return TRUE;
}
#else
gboolean
gst_fovea_images_answer (FvDevice *device, GstElement *element, GstQuery *query)
{
  return FALSE;
}

FvDevice *
gst_fovea_images_open (GstElement *element, GstPad *sink, const char *name,
    GError **error)
{
  return fv_device_open (name, error);
}

gboolean
gst_fovea_images_are_in (GstBuffer *buffer)
{
  return FALSE;
}

static GstFoveaImages *
refuse (GError **error)
{
  g_set_error_literal (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
      "Fovea was built without GStreamer's Vulkan library");
  return NULL;
}

GstFoveaImages *
gst_fovea_images_new (FvDevice *device, GError **error)
{
  return refuse (error);
}

void
gst_fovea_images_free (GstFoveaImages *images)
{
}

gboolean
gst_fovea_images_read (GstFoveaImages *images, GstBuffer *frame, guint x,
    guint y, const GstFoveaPlaneLayout *layouts, guint n, FvBuffer *buffer,
    GError **error)
{
  return refuse (error) != NULL;
}

gboolean
gst_fovea_images_write (GstFoveaImages *images, GstBuffer *frame, guint x,
    guint y, const GstFoveaPlaneLayout *layouts, guint n, FvBuffer *buffer,
    GError **error)
{
  return refuse (error) != NULL;
}

GstBuffer *
gst_fovea_images_copy (GstFoveaImages *images, GstBuffer *frame,
    const GstVideoInfo *info, GError **error)
{
  refuse (error);
  return NULL;
}

gboolean
gst_fovea_images_are_of (FvDevice *device)
{
  return FALSE;
}

gboolean
gst_fovea_images_are_built (void)
{
  return FALSE;
}
#endif

void
gst_fovea_images_describe (GstVideoFrame *frame, const GstVideoInfo *info,
    GstBuffer *buffer)
{
  GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);

  memset (frame, 0, sizeof *frame);
  frame->info = *info;
  frame->buffer = buffer;
  frame->meta = meta;
  if (meta == NULL)
    return;
  GST_VIDEO_INFO_WIDTH (&frame->info) = (gint) meta->width;
  GST_VIDEO_INFO_HEIGHT (&frame->info) = (gint) meta->height;
  for (guint i = 0; i < MIN (meta->n_planes, GST_VIDEO_MAX_PLANES); i++) {
    frame->info.offset[i] = meta->offset[i];
    frame->info.stride[i] = meta->stride[i];
  }
}

void
gst_fovea_images_unmap (GstVideoFrame *frame)
{
  if (frame->map[0].memory)
    gst_video_frame_unmap (frame);
}
