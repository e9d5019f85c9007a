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

/* The images of one copy, which others may hold too. */
typedef struct
{
  GstMemory *planes[GST_VIDEO_MAX_PLANES];
  guint n;
} Spare;

struct _GstFoveaImages
{
  FvDevice *device;
  Shared *shared; /* of the device */
  GArray *spares; /* of Spare */
  FvBuffer *between; /* what copies go through; (nullable): not yet */
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

static void
spare_clear (gpointer data)
{
  Spare *spare = data;

  for (guint i = 0; i < spare->n; i++)
    gst_memory_unref (spare->planes[i]);
}

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
  images->spares = g_array_new (FALSE, TRUE, sizeof (Spare));
  g_array_set_clear_func (images->spares, spare_clear);
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

/* Before images go. Mesa's software driver (25) looks at the semaphores of a submission
 * once more after its fence said that it is done, and hangs or crashes where an image
 * took its own along: not when the queue is idle. */
static void
wait_idle (GstFoveaImages *images)
{
  gst_vulkan_operation_wait (images->operation);
  shared_lock (images->shared);
  images->wait_idle (images->shared->queue->queue);
  shared_unlock (images->shared);
}

/* What follows is mostly the end of the neighbours' pool. */
void
gst_fovea_images_free (GstFoveaImages *images)
{
  if (images == NULL)
    return;
  wait_idle (images);
  g_array_unref (images->spares);
  fv_buffer_unref (images->between);
  gst_object_unref (images->operation);
  fv_device_unref (images->device);
  g_free (images);
}

static GstVulkanImageMemory *
peek_image (GstBuffer *frame, guint i)
{
  GstMemory *memory = gst_buffer_peek_memory (frame, i);

  return gst_is_vulkan_image_memory (memory) ? (GstVulkanImageMemory *) memory
                                             : NULL;
}

/* Images of another device are not there for this one. */
static gboolean
check_device (GstFoveaImages *images, GstBuffer *frame, GError **error)
{
  for (guint i = 0; i < gst_buffer_n_memory (frame); i++) {
    const GstVulkanImageMemory *image = peek_image (frame, i);

    if (image && image->device != images->shared->device)
      return refuse ("they are of another Vulkan device than the element's",
          error);
  }
  return TRUE;
}

static void
record_barriers (GstFoveaImages *images, const VkImageMemoryBarrier *barriers,
    guint n, VkPipelineStageFlags from, VkPipelineStageFlags to)
{
  GstVulkanOperation *operation = images->operation;

  /* buffers: what one copy wrote, the next one reads */
  const VkMemoryBarrier memory = { .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
    .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
    .dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT };

  gst_vulkan_command_buffer_lock (operation->cmd_buf);
  images->barrier (operation->cmd_buf->cmd, from, to, 0, 1, &memory, 0, NULL, n,
      barriers);
  gst_vulkan_command_buffer_unlock (operation->cmd_buf);
}

/* Records what brings the images of @frame into @layout, behind what was done to them
 * before, and notes that. */
static gboolean
begin_alone (GstFoveaImages *images, GstBuffer *frame, guint64 access,
    VkImageLayout layout, GError **error)
{
  GstVulkanOperation *operation = images->operation;
  const guint64 all = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
  const guint64 transfer = VK_PIPELINE_STAGE_TRANSFER_BIT;
  g_autoptr (GArray) barriers = NULL;

  if (!gst_vulkan_operation_begin (operation, error))
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
    g_array_set_size (barriers, 0);
  }
  record_barriers (images, (gpointer) barriers->data, barriers->len,
      VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT);
  return TRUE;
}

/* Where images are read that stay where they are. */
static VkImageLayout
shared_layout (const GstVulkanImageMemory *image)
{
  return image->barrier.image_layout == VK_IMAGE_LAYOUT_GENERAL
      ? VK_IMAGE_LAYOUT_GENERAL
      : VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL;
}

/* Barriers that bring the images of @frame to where they are read, or back. */
static GArray *
shared_barriers (GstBuffer *frame, gboolean is_back)
{
  GArray *barriers = g_array_new (FALSE, FALSE, sizeof (VkImageMemoryBarrier));

  for (guint i = 0; i < gst_buffer_n_memory (frame); i++) {
    const GstVulkanImageMemory *image = peek_image (frame, i);
    VkImageMemoryBarrier barrier = {
      .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
      .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
      .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
    };
    VkImageLayout now, then;

    if (image == NULL)
      continue;
    now = image->barrier.image_layout;
    then = shared_layout (image);
    /* nothing may be brought back to the first two */
    if (is_back
        && (now == then || now == VK_IMAGE_LAYOUT_UNDEFINED
            || now == VK_IMAGE_LAYOUT_PREINITIALIZED))
      continue;
    barrier.image = image->image;
    barrier.subresourceRange = image->barrier.subresource_range;
    barrier.oldLayout = is_back ? then : now;
    barrier.newLayout = is_back ? now : then;
    barrier.srcAccessMask = is_back ? 0 : VK_ACCESS_MEMORY_WRITE_BIT;
    barrier.dstAccessMask = is_back ? 0 : VK_ACCESS_TRANSFER_READ_BIT;
    g_array_append_val (barriers, barrier);
  }
  return barriers;
}

/* Waits for the images of @frame and records what lets them be read. Other branches
 * of the pipeline may be reading them too, while what GStreamer notes of an image
 * (layout, value of its semaphore) has no lock: so none of it is changed. Nobody
 * writes them as long as we hold the frame. */
static gboolean
begin_shared (GstFoveaImages *images, GstBuffer *frame, GError **error)
{
  g_autoptr (GArray) barriers = NULL;

  for (guint i = 0; i < gst_buffer_n_memory (frame); i++) {
    const GstVulkanImageMemory *image = peek_image (frame, i);

    if (image && image->barrier.parent.semaphore != VK_NULL_HANDLE
        && !fv_device_wait_timeline (images->device,
            image->barrier.parent.semaphore,
            image->barrier.parent.semaphore_value, FV_WATCHDOG, error))
      return FALSE;
  }
  if (!gst_vulkan_operation_begin (images->operation, error))
    return FALSE;
  barriers = shared_barriers (frame, FALSE);
  record_barriers (images, (gpointer) barriers->data, barriers->len,
      VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT);
  return TRUE;
}

static void
end_shared (GstFoveaImages *images, GstBuffer *frame)
{
  g_autoptr (GArray) barriers = shared_barriers (frame, TRUE);

  if (barriers->len > 0)
    record_barriers (images, (gpointer) barriers->data, barriers->len,
        VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
}

/* One image a plane, or one with all planes. */
static GstVulkanImageMemory *
find_plane (GstBuffer *frame, guint n, guint i, VkImageAspectFlags *aspect)
{
  static const VkImageAspectFlags aspects[] = { VK_IMAGE_ASPECT_PLANE_0_BIT,
    VK_IMAGE_ASPECT_PLANE_1_BIT, VK_IMAGE_ASPECT_PLANE_2_BIT };
  guint n_memories = gst_buffer_n_memory (frame);

  if (i >= G_N_ELEMENTS (aspects) || (n_memories != n && n_memories != 1))
    return NULL;
  *aspect = n_memories == n ? VK_IMAGE_ASPECT_COLOR_BIT : aspects[i];
  return peek_image (frame, n_memories == n ? i : 0);
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

/* What a copy does to a frame. */
typedef enum
{
  WRITE,
  READ,
  READ_SHARED,
} Copy;

static gboolean
begin (GstFoveaImages *images, GstBuffer *frame, Copy copy, GError **error)
{
  if (!check_device (images, frame, error))
    return FALSE;
  if (copy == READ_SHARED)
    return begin_shared (images, frame, error);
  return begin_alone (images, frame,
      copy == WRITE ? VK_ACCESS_TRANSFER_WRITE_BIT
                    : VK_ACCESS_TRANSFER_READ_BIT,
      copy == WRITE ? VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL
                    : VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
      error);
}

static void
record_copy (GstFoveaImages *images, const GstVulkanImageMemory *plane,
    VkBuffer buffer, const VkBufferImageCopy *region, Copy copy)
{
  GstVulkanCommandBuffer *commands = images->operation->cmd_buf;

  gst_vulkan_command_buffer_lock (commands);
  if (copy == WRITE)
    images->write (commands->cmd, buffer, plane->image,
        VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, region);
  else
    images->read (commands->cmd, plane->image,
        copy == READ ? VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL
                     : shared_layout (plane),
        buffer, 1, region);
  gst_vulkan_command_buffer_unlock (commands);
}

static gboolean
transfer (GstFoveaImages *images, GstBuffer *frame, guint x, guint y,
    const GstFoveaPlaneLayout *layouts, guint n, FvBuffer *buffer, Copy copy,
    GError **error)
{
  VkBuffer handle = fv_buffer_vulkan (buffer);

  if (!begin (images, frame, copy, error))
    return FALSE;
  for (guint i = 0; i < n; i++) {
    VkImageAspectFlags aspect = 0;
    const GstVulkanImageMemory *plane = find_plane (frame, n, i, &aspect);
    VkBufferImageCopy region = make_region (&layouts[i], aspect, x, y);

    if (plane == NULL) {
      gst_vulkan_operation_reset (images->operation);
      return refuse ("its images are not the format's planes", error);
    }
    record_copy (images, plane, handle, &region, copy);
  }
  if (copy == READ_SHARED)
    end_shared (images, frame);
  return gst_vulkan_operation_end (images->operation, error);
}

gboolean
gst_fovea_images_read (GstFoveaImages *images, GstBuffer *frame, guint x,
    guint y, const GstFoveaPlaneLayout *layouts, guint n, FvBuffer *buffer,
    GError **error)
{
  gboolean is_shared = !gst_buffer_is_writable (frame)
      || !gst_buffer_is_all_memory_writable (frame);
  return transfer (images, frame, x, y, layouts, n, buffer,
      is_shared ? READ_SHARED : READ, error);
}

gboolean
gst_fovea_images_write (GstFoveaImages *images, GstBuffer *frame, guint x,
    guint y, const GstFoveaPlaneLayout *layouts, guint n, FvBuffer *buffer,
    GError **error)
{
  return transfer (images, frame, x, y, layouts, n, buffer, WRITE, error);
}

/* ---- frames of our own ---- */

static GstMemory *
new_plane (GstFoveaImages *images, const GstVulkanImageMemory *like)
{
  VkImageCreateInfo info = like->create_info;

  info.pNext = NULL;
  info.initialLayout = VK_IMAGE_LAYOUT_UNDEFINED;
  return gst_vulkan_image_memory_alloc_with_image_info (images->shared->device,
      &info, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
}

static gboolean
are_alike (const VkImageCreateInfo *a, const VkImageCreateInfo *b)
{
  return a->format == b->format && a->extent.width == b->extent.width
      && a->extent.height == b->extent.height && a->usage == b->usage
      && a->tiling == b->tiling && a->flags == b->flags;
}

/* Whether nobody else has the images of @spare. */
static gboolean
is_idle (const Spare *spare)
{
  for (guint i = 0; i < spare->n; i++)
    if (GST_MINI_OBJECT_REFCOUNT_VALUE (spare->planes[i]) > 1)
      return FALSE;
  return TRUE;
}

static gboolean
is_like (const Spare *spare, GstBuffer *frame)
{
  if (spare->n != gst_buffer_n_memory (frame))
    return FALSE;
  for (guint i = 0; i < spare->n; i++)
    if (!are_alike (&((GstVulkanImageMemory *) spare->planes[i])->create_info,
            &peek_image (frame, i)->create_info))
      return FALSE;
  return TRUE;
}

/* Frees the idle ones that are not like @frame, as its caps are new. */
static void
drop_others (GstFoveaImages *images, GstBuffer *frame)
{
  gboolean is_waited = FALSE;

  for (guint i = images->spares->len; i-- > 0;) {
    const Spare *spare = &g_array_index (images->spares, Spare, i);

    if (!is_idle (spare) || is_like (spare, frame))
      continue;
    if (!is_waited)
      wait_idle (images);
    is_waited = TRUE;
    g_array_remove_index_fast (images->spares, i);
  }
}

/* The images of @frame are all there. */
static const Spare *
find_spare (GstFoveaImages *images, GstBuffer *frame, GError **error)
{
  Spare spare = { .n = 0 };

  for (guint i = 0; i < images->spares->len; i++) {
    const Spare *old = &g_array_index (images->spares, Spare, i);

    if (is_idle (old) && is_like (old, frame))
      return old;
  }
  drop_others (images, frame);
  for (guint i = 0; i < gst_buffer_n_memory (frame); i++) {
    spare.planes[i] = new_plane (images, peek_image (frame, i));
    if (spare.planes[i] == NULL) {
      spare_clear (&spare);
      refuse ("there is no memory for a copy", error);
      return NULL;
    }
    spare.n++;
  }
  g_array_append_val (images->spares, spare);
  return &g_array_index (images->spares, Spare, images->spares->len - 1);
}

/* A frame like @frame, with its metas, whose images say nothing yet. */
static GstBuffer *
new_like (GstFoveaImages *images, GstBuffer *frame, GError **error)
{
  guint n = gst_buffer_n_memory (frame);
  const Spare *spare;
  GstBuffer *copy;

  for (guint i = 0; i < n; i++) {
    if (i < GST_VIDEO_MAX_PLANES && peek_image (frame, i))
      continue;
    refuse ("a frame is of images in part only", error);
    return NULL;
  }
  spare = find_spare (images, frame, error);
  if (spare == NULL)
    return NULL;
  copy = gst_buffer_new ();
  gst_buffer_copy_into (copy, frame, GST_BUFFER_COPY_METADATA, 0, -1);
  for (guint i = 0; i < n; i++)
    gst_buffer_append_memory (copy, gst_memory_ref (spare->planes[i]));
  return copy;
}

GstBuffer *
gst_fovea_images_copy (GstFoveaImages *images, GstBuffer *frame,
    const GstVideoInfo *info, GError **error)
{
  GstFoveaPlaneLayout layouts[GST_VIDEO_MAX_PLANES];
  g_autoptr (GstBuffer) copy = NULL;
  gsize size;
  guint n = gst_fovea_planes_layout (info, layouts, &size);

  if (images->between && fv_buffer_size (images->between) < size)
    g_clear_pointer (&images->between, fv_buffer_unref);
  if (images->between == NULL)
    images->between =
        fv_buffer_new (images->device, size, FV_MEMORY_DEVICE, error);
  if (images->between)
    copy = new_like (images, frame, error);
  if (copy == NULL
      || !gst_fovea_images_read (images, frame, 0, 0, layouts, n,
          images->between, error)
      || !gst_fovea_images_write (images, copy, 0, 0, layouts, n,
          images->between, error))
    return NULL;
  /* @frame is held until then, and what lies between is free again */
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
