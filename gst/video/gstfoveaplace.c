/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/gstfoveaplace.h"
#include "gst/video/gstfoveacaps.h"
#include "gst/video/gstfoveamemory.h"
#include "gst/video/gstfoveapixels.h"

#include <errno.h>
#include <gst/allocators/gstdmabuf.h>
#include <poll.h>
#include <sys/stat.h>

/* A producer that takes so long has gone. */
#define WAIT_MS 1000

#define GST_CAT_DEFAULT foveaplace
GST_DEBUG_CATEGORY_STATIC (foveaplace);

static void
init_category (void)
{
  static gsize once = 0;

  if (g_once_init_enter (&once)) {
    GST_DEBUG_CATEGORY_INIT (foveaplace, "foveaplace", 0,
        "Fovea: where frames lie");
    g_once_init_leave (&once, 1);
  }
}

const char *
gst_fovea_path_name (GstFoveaPath path)
{
  static const char *const names[] = {
    [GST_FOVEA_PATH_NONE] = "none",
    [GST_FOVEA_PATH_COPY] = "system-memory-copied",
    [GST_FOVEA_PATH_POOL] = "system-memory-pool",
    [GST_FOVEA_PATH_IMAGE] = "vulkan-image",
    [GST_FOVEA_PATH_IMPORT] = "system-memory-imported",
    [GST_FOVEA_PATH_DMABUF] = "dmabuf-imported",
    [GST_FOVEA_PATH_DMABUF_COPY] = "dmabuf-copied",
  };

  return names[path];
}

/* ---- memory of the host and of other devices ---- */

/* What stands by a GstMemory that was seen before. */
typedef struct
{
  FvDevice *device;
  guint8 *data; /* (nullable): of a DMA-BUF */
  gsize size;
  FvBuffer *buffer; /* (nullable): not yet, or it cannot be imported */
  gboolean is_refused;
} Import;

/* Behind a tee several elements meet one memory. An import stays as it is while its
 * memory lives, as others may read it: who wants it otherwise copies. */
static GMutex imports_lock;

static void
import_free (gpointer data)
{
  Import *import = data;

  fv_buffer_unref (import->buffer);
  fv_device_unref (import->device);
  g_free (import);
}

static Import *
import_new (FvDevice *device, guint8 *data, gsize size)
{
  Import *import = g_new0 (Import, 1);

  import->device = fv_device_ref (device);
  import->data = data;
  import->size = size;
  return import;
}

/* The lock is held. */
static void
import_make (Import *import, GstMemory *memory)
{
  g_autoptr (GError) error = NULL;

  if (import->buffer || import->is_refused)
    return;
  if (import->data)
    import->buffer = fv_buffer_import_host (import->device, import->data,
        import->size, &error);
  else
    import->buffer = fv_buffer_import_dmabuf (import->device,
        gst_dmabuf_memory_get_fd (memory), import->size, &error);
  import->is_refused = import->buffer == NULL;
  if (error)
    GST_INFO ("%s", error->message);
}

/* (nullable) (transfer none): all of @memory, which lies at @data, as a buffer that
 * lives as long as @memory */
static FvBuffer *
find_import (GstMemory *memory, FvDevice *device, guint8 *data, gsize size)
{
  GQuark quark = g_quark_from_static_string ("fovea-import");
  GstMiniObject *object = GST_MINI_OBJECT_CAST (memory);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&imports_lock);
  Import *import = gst_mini_object_get_qdata (object, quark);

  if (import == NULL) {
    import = import_new (device, data, size);
    gst_mini_object_set_qdata (object, quark, import, import_free);
    if (data)
      return NULL; /* imported when it comes again */
  }
  if (import->device != device || import->data != data || import->size != size)
    return NULL;
  import_make (import, memory);
  return import->buffer;
}

/* The host's pages under a whole buffer that is one memory, and stay there while it
 * lives: those of files and of devices are mapped anew each time. */
static FvBuffer *
host_buffer (FvDevice *device, const GstVideoFrame *frame)
{
  gsize alignment = fv_device_host_alignment (device);
  const GstMapInfo *map = &frame->map[0];

  if (alignment == 0 || gst_buffer_n_memory (frame->buffer) != 1
      || map->memory == NULL || (guintptr) map->data % alignment
      || map->memory->parent != NULL
      || !(gst_memory_is_type (map->memory, GST_ALLOCATOR_SYSMEM)
          || gst_memory_is_type (map->memory, "V4l2Memory")))
    return NULL;
  return find_import (map->memory, device, map->data, map->size);
}

/* (nullable): the one memory of @buffer, if it is a DMA-BUF */
static GstMemory *
dmabuf_memory (GstBuffer *buffer)
{
  GstMemory *memory = gst_buffer_n_memory (buffer) == 1
      ? gst_buffer_peek_memory (buffer, 0)
      : NULL;

  return memory && gst_is_dmabuf_memory (memory) ? memory : NULL;
}

static FvBuffer *
dmabuf_buffer (FvDevice *device, GstMemory *memory)
{
  GstMemory *whole = memory->parent ? memory->parent : memory;

  return fv_device_takes_dmabuf (device)
      ? find_import (whole, device, NULL, whole->maxsize)
      : NULL;
}

/* What is mapped of a file behind its end is no memory. A DMA-BUF sees to that. */
static gboolean
is_there (GstBuffer *buffer)
{
  for (guint i = 0; i < gst_buffer_n_memory (buffer); i++) {
    GstMemory *memory = gst_buffer_peek_memory (buffer, i);
    struct stat file;

    if (!gst_is_fd_memory (memory))
      continue;
    if (fstat (gst_fd_memory_get_fd (memory), &file) < 0) {
      GST_ERROR ("a file of frames is not open: %s", g_strerror (errno));
      return FALSE;
    }
    if (S_ISREG (file.st_mode)
        && (guint64) file.st_size < memory->offset + memory->size) {
      GST_ERROR ("a file of frames has %" G_GINT64_FORMAT
                 " bytes, expected %" G_GSIZE_FORMAT,
          (gint64) file.st_size, memory->offset + memory->size);
      return FALSE;
    }
  }
  return TRUE;
}

/* ---- where a picture lies ---- */

/* Bytes from the buffer's begin to those of the frame's plane. */
static gsize
plane_start (const GstFoveaPlace *place, guint i, const GstVideoFrame *frame)
{
  GstMemory *memory = dmabuf_memory (frame->buffer);
  const guint8 *data = GST_VIDEO_FRAME_PLANE_DATA (frame, i);
  const guint8 *base = fv_buffer_map (place->buffer);

  if (place->path == GST_FOVEA_PATH_DMABUF)
    return memory->offset + GST_VIDEO_FRAME_PLANE_OFFSET (frame, i);
  return data < base ? 1 : (gsize) (data - base);
}

/* FALSE when kernels cannot read it so. */
static gboolean
place_plane (GstFoveaPlace *place, guint i, const GstFoveaPlaneLayout *layout,
    const GstVideoFrame *frame, guint x, guint y)
{
  gsize size = fv_buffer_size (place->buffer), start, bytes;
  gssize stride = GST_VIDEO_FRAME_PLANE_STRIDE (frame, i);
  gsize column = (gsize) x / layout->group_pixels * layout->group_bytes;

  if (stride <= 0 || stride % 4 || (gsize) stride < column + layout->row_bytes)
    return FALSE;
  start = plane_start (place, i, frame);
  if (size > G_MAXINT32 || start > size)
    return FALSE;
  start += (gsize) (y / layout->rows) * (gsize) stride + column;
  if (start % 4)
    return FALSE;
  place->offset[i] = start;
  place->stride[i] = (gsize) stride;
  bytes = (gsize) stride * (layout->n_rows - 1) + layout->row_bytes;
  place->size = MAX (place->size, start + bytes);
  return place->size <= size;
}

/* What is there to be read in place, be it laid out as it may. */
static void
find_buffer (GstFoveaPlace *place, FvDevice *device, const GstVideoFrame *frame)
{
  GstMemory *dmabuf = dmabuf_memory (frame->buffer);
  GstFoveaMemoryRegion region;

  if (dmabuf) {
    place->buffer = dmabuf_buffer (device, dmabuf);
    place->path = GST_FOVEA_PATH_DMABUF;
  } else if (gst_fovea_buffer_get_region (frame->buffer, device, &region)) {
    if (fv_buffer_map (region.buffer))
      place->buffer = region.buffer;
    place->path = GST_FOVEA_PATH_POOL;
  } else {
    place->buffer = host_buffer (device, frame);
    place->path = GST_FOVEA_PATH_IMPORT;
  }
}

void
gst_fovea_place_init (GstFoveaPlace *place, FvDevice *device,
    const GstVideoInfo *info, const GstFoveaFraming *framing,
    const GstVideoFrame *frame)
{
  GstFoveaPixels pixels;
  guint x, y;

  init_category ();
  *place = (GstFoveaPlace){ NULL, GST_FOVEA_PATH_COPY };
  if (gst_fovea_images_are_in (frame->buffer)) {
    place->path = GST_FOVEA_PATH_IMAGE;
    return;
  }
  find_buffer (place, device, frame);
  if (place->buffer && !gst_fovea_pixels_init (&pixels, info, framing, NULL))
    place->buffer = NULL;
  gst_fovea_framing_start (framing, frame, &x, &y);
  for (guint i = 0; place->buffer && i < pixels.n_planes; i++)
    if (!place_plane (place, i, &pixels.planes[i], frame, x, y))
      place->buffer = NULL;
  if (place->buffer == NULL)
    *place = (GstFoveaPlace){ NULL,
      place->path == GST_FOVEA_PATH_DMABUF ? GST_FOVEA_PATH_DMABUF_COPY
                                           : GST_FOVEA_PATH_COPY };
}

/* Whether @frame, which is not mapped, is a DMA-BUF that @device reads in place. */
static gboolean
is_read_unmapped (FvDevice *device, const GstVideoInfo *info,
    const GstVideoFrame *frame)
{
  GstFoveaFraming framing = { 0 };
  GstFoveaPlace place;

  if (dmabuf_memory (frame->buffer) == NULL
      || !gst_fovea_framing_init (&framing, info, frame, NULL))
    return FALSE;
  gst_fovea_place_init (&place, device, info, &framing, frame);
  return place.buffer != NULL;
}

gboolean
gst_fovea_place_map (GstVideoFrame *frame, FvDevice *device,
    const GstVideoInfo *info, GstBuffer *buffer, GstMapFlags flags)
{
  gboolean may =
      !(flags & GST_MAP_WRITE) || gst_buffer_is_all_memory_writable (buffer);

  init_category ();
  gst_fovea_images_describe (frame, info, buffer);
  if (gst_fovea_images_are_in (buffer)
      || (may && is_read_unmapped (device, info, frame)))
    return TRUE;
  if (!is_there (buffer) || !gst_video_frame_map (frame, info, buffer, flags))
    return FALSE;
  /* what a video meta says of a DMA-BUF may be that it is one, and no more */
  if (GST_VIDEO_FRAME_FORMAT (frame) == GST_VIDEO_INFO_FORMAT (info))
    return TRUE;
  gst_video_frame_unmap (frame);
  return FALSE;
}

void
gst_fovea_place_wait (const GstFoveaPlace *place, GstBuffer *buffer)
{
  struct pollfd end = { .events = POLLIN };
  gint result;

  if (place->path != GST_FOVEA_PATH_DMABUF)
    return;
  end.fd = gst_dmabuf_memory_get_fd (dmabuf_memory (buffer));
  do
    result = poll (&end, 1, WAIT_MS);
  while (result < 0 && errno == EINTR);
  if (result == 0)
    GST_WARNING ("a DMA-BUF is still written after %d ms", WAIT_MS);
}

gboolean
gst_fovea_place_equal (const GstFoveaPlace *a, const GstFoveaPlace *b)
{
  return a->buffer == b->buffer
      && (a->path == GST_FOVEA_PATH_IMAGE) == (b->path == GST_FOVEA_PATH_IMAGE)
      && memcmp (a->offset, b->offset, sizeof a->offset) == 0
      && memcmp (a->stride, b->stride, sizeof a->stride) == 0;
}

/* ---- the pool ---- */

typedef struct
{
  GstAllocator parent;
  FvDevice *device;
} GstFoveaFrameAllocator;
typedef struct
{
  GstAllocatorClass parent_class;
} GstFoveaFrameAllocatorClass;
static GType gst_fovea_frame_allocator_get_type (void);
G_DEFINE_TYPE (GstFoveaFrameAllocator, gst_fovea_frame_allocator,
    GST_TYPE_ALLOCATOR)

/* The host reads and writes frames too, so the memory is cached. */
static GstMemory *
frame_alloc (GstAllocator *allocator, gsize size, GstAllocationParams *params)
{
  GstFoveaFrameAllocator *self = (GstFoveaFrameAllocator *) allocator;
  g_autoptr (GError) error = NULL;
  g_autoptr (FvBuffer) buffer = NULL;
  GstMemory *memory;
  gsize all;

  if (!g_size_checked_add (&all, size, params->prefix)
      || !g_size_checked_add (&all, all, params->padding))
    return NULL;
  buffer = fv_buffer_new (self->device, all, FV_MEMORY_DOWNLOAD, &error);
  if (error)
    GST_WARNING_OBJECT (allocator, "frames are copied: %s", error->message);
  if (buffer == NULL || (guintptr) fv_buffer_map (buffer) & params->align)
    return gst_allocator_alloc (NULL, size, params);
  memory = gst_fovea_memory_new (buffer, 0, all);
  memory->offset = params->prefix;
  memory->size = size;
  GST_MINI_OBJECT_FLAG_SET (memory, params->flags);
  /* a frame is shared by all copies of its buffer */
  GST_MINI_OBJECT_FLAG_UNSET (memory, GST_MEMORY_FLAG_NO_SHARE);
  return memory;
}

/* They have the allocator of all device memory. */
static void
frame_free (GstAllocator *allocator, GstMemory *memory)
{
  g_assert_not_reached ();
}

static void
frame_allocator_finalize (GObject *object)
{
  fv_device_unref (((GstFoveaFrameAllocator *) object)->device);
  G_OBJECT_CLASS (gst_fovea_frame_allocator_parent_class)->finalize (object);
}

static void
gst_fovea_frame_allocator_class_init (GstFoveaFrameAllocatorClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = frame_allocator_finalize;
  GST_ALLOCATOR_CLASS (klass)->alloc = frame_alloc;
  GST_ALLOCATOR_CLASS (klass)->free = frame_free;
}

static void
gst_fovea_frame_allocator_init (GstFoveaFrameAllocator *self)
{
  GST_OBJECT_FLAG_SET (self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
  GST_ALLOCATOR (self)->mem_type = GST_FOVEA_MEMORY_TYPE;
}

typedef struct
{
  GstVideoBufferPool parent;
  GstAllocator *allocator;
} GstFoveaFramePool;
typedef struct
{
  GstVideoBufferPoolClass parent_class;
} GstFoveaFramePoolClass;
static GType gst_fovea_frame_pool_get_type (void);
G_DEFINE_TYPE (GstFoveaFramePool, gst_fovea_frame_pool,
    GST_TYPE_VIDEO_BUFFER_POOL)

/* Upstream may take the pool and not its allocator. */
static gboolean
frame_pool_set_config (GstBufferPool *pool, GstStructure *config)
{
  GstFoveaFramePool *self = (GstFoveaFramePool *) pool;
  GstAllocationParams params;
  GstAllocator *allocator = NULL;

  gst_allocation_params_init (&params);
  if (gst_buffer_pool_config_get_allocator (config, &allocator, &params)
      && allocator != self->allocator)
    gst_buffer_pool_config_set_allocator (config, self->allocator, &params);
  return GST_BUFFER_POOL_CLASS (gst_fovea_frame_pool_parent_class)
      ->set_config (pool, config);
}

static void
frame_pool_finalize (GObject *object)
{
  gst_object_unref (((GstFoveaFramePool *) object)->allocator);
  G_OBJECT_CLASS (gst_fovea_frame_pool_parent_class)->finalize (object);
}

static void
gst_fovea_frame_pool_class_init (GstFoveaFramePoolClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = frame_pool_finalize;
  GST_BUFFER_POOL_CLASS (klass)->set_config = frame_pool_set_config;
}

static void
gst_fovea_frame_pool_init (GstFoveaFramePool *self)
{
}

static GstBufferPool *
frame_pool_new (FvDevice *device)
{
  GstFoveaFramePool *self =
      g_object_new (gst_fovea_frame_pool_get_type (), NULL);
  GstFoveaFrameAllocator *allocator =
      g_object_new (gst_fovea_frame_allocator_get_type (), NULL);

  allocator->device = fv_device_ref (device);
  self->allocator = gst_object_ref_sink (GST_ALLOCATOR (allocator));
  gst_object_ref_sink (self);
  return GST_BUFFER_POOL (self);
}

/* TRUE when the pool that downstream wants stands in @query. */
static gboolean
has_pool (GstQuery *query)
{
  GstBufferPool *pool = NULL;

  if (gst_query_get_n_allocation_pools (query) > 0)
    gst_query_parse_nth_allocation_pool (query, 0, &pool, NULL, NULL, NULL);
  if (pool == NULL)
    return FALSE;
  gst_object_unref (pool);
  return TRUE;
}

/* Downstream may have said how many frames it keeps, though not where. */
static void
add_pool (GstQuery *query, GstBufferPool *pool, guint size, guint n)
{
  guint least = 0, most = 0;

  if (gst_query_get_n_allocation_pools (query) == 0) {
    gst_query_add_allocation_pool (query, pool, size, n, 0);
    return;
  }
  gst_query_parse_nth_allocation_pool (query, 0, NULL, NULL, &least, &most);
  gst_query_set_nth_allocation_pool (query, 0, pool, size, n + least,
      most ? most + n : 0);
}

void
gst_fovea_place_propose (FvDevice *device, guint n_frames, GstQuery *query)
{
  g_autoptr (GstBufferPool) pool = NULL;
  GstStructure *config;
  GstVideoInfo info;
  GstCaps *caps;

  init_category ();
  gst_query_parse_allocation (query, &caps, NULL);
  if (caps == NULL || has_pool (query) || !gst_fovea_caps_are_of_host (caps)
      || !gst_video_info_from_caps (&info, caps))
    return;
  pool = frame_pool_new (device);
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps,
      (guint) GST_VIDEO_INFO_SIZE (&info), n_frames, 0);
  if (!gst_buffer_pool_set_config (pool, config))
    return;
  add_pool (query, pool, (guint) GST_VIDEO_INFO_SIZE (&info), n_frames);
  GST_DEBUG ("offered a pool of frames that %s reads in place",
      fv_device_info (device)->name);
}
