/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/video/gstfoveamemory.h"


typedef struct
{
  GstMemory memory;
  FvBuffer *buffer;
  gsize base; /* of the region in the buffer; memory.offset comes on top */
  GMutex lock;
  guint64 written, used; /* timeline values of the last write and read */
  /* Where the host cannot see the buffer: */
  FvBuffer *staging;
  FvProgram *download, *upload;
  guint64 staged; /* `written` when the staging buffer was filled */
  guint n_writers; /* maps for writing now */
} GstFoveaMemory;

struct _GstFoveaAllocator
{
  GstAllocator parent;
};
typedef struct
{
  GstAllocatorClass parent_class;
} GstFoveaAllocatorClass;
GST_DEBUG_CATEGORY_STATIC (fovea_memory);
#define GST_CAT_DEFAULT fovea_memory
G_DEFINE_TYPE_WITH_CODE (GstFoveaAllocator, gst_fovea_allocator,
    GST_TYPE_ALLOCATOR,
    GST_DEBUG_CATEGORY_INIT (fovea_memory, "foveamemory", 0,
        "Fovea device memory"))

static gboolean
copy_program (FvDevice *device, FvProgram **program, FvBuffer *from,
    gsize from_offset, FvBuffer *to, gsize to_offset, gsize size,
    GError **error)
{
  g_autoptr (FvProgram) copy = fv_program_new (device);

  fv_program_copy (copy, from, from_offset, to, to_offset, size);
  if (!fv_program_finish (copy, error))
    return FALSE;
  *program = g_steal_pointer (&copy);
  return TRUE;
}

/* With the lock held: the staging buffer and its two copies. */
static gboolean
make_staging (GstFoveaMemory *self, GError **error)
{
  FvDevice *device = fv_buffer_device (self->buffer);
  gsize size = self->memory.maxsize;

  if (self->upload)
    return TRUE;
  if (self->staging == NULL)
    self->staging = fv_buffer_new (device, size, FV_MEMORY_DOWNLOAD, error);
  if (self->staging == NULL)
    return FALSE;
  if (self->download == NULL
      && !copy_program (device, &self->download, self->buffer, self->base,
          self->staging, 0, size, error))
    return FALSE;
  return copy_program (device, &self->upload, self->staging, 0, self->buffer,
      self->base, size, error);
}

/* With the lock held: the host pointer, with the data there. */
static gpointer
map_locked (GstFoveaMemory *self, GstMapFlags flags, GError **error)
{
  FvDevice *device = fv_buffer_device (self->buffer);
  guint64 value = self->written;
  guint8 *data = fv_buffer_map (self->buffer);

  /* what is in the background may come behind what is submitted now */
  if (value && !fv_device_wait (device, value, FV_WATCHDOG, error))
    return NULL;
  if (data && (flags & GST_MAP_WRITE) && self->used
      && !fv_device_wait (device, self->used, FV_WATCHDOG, error))
    return NULL;
  if (data)
    return data + self->base;
  if (!make_staging (self, error))
    return NULL;
  /* while someone writes into it, the staging buffer is what is new */
  if (self->n_writers == 0
      && (self->staged == 0 || self->staged != self->written)) {
    if (!fv_program_submit (&self->download, 1, &value, error)
        || !fv_device_wait (device, value, FV_WATCHDOG, error))
      return NULL;
    if (self->written == 0)
      self->written = value;
    self->staged = self->written;
  }
  return fv_buffer_map (self->staging);
}

static gpointer
memory_map (GstMemory *memory, GstMapInfo *info, gsize maxsize)
{
  GstFoveaMemory *self = (GstFoveaMemory *) memory;
  g_autoptr (GError) error = NULL;
  gpointer data;

  g_mutex_lock (&self->lock);
  data = map_locked (self, info->flags, &error);
  if (data && (info->flags & GST_MAP_WRITE))
    self->n_writers++;
  g_mutex_unlock (&self->lock);
  if (data == NULL)
    GST_ERROR_OBJECT (memory->allocator, "cannot map device memory: %s",
        error->message);
  return data;
}

static void
memory_unmap (GstMemory *memory, GstMapInfo *info)
{
  GstFoveaMemory *self = (GstFoveaMemory *) memory;
  g_autoptr (GError) error = NULL;
  guint64 value;

  if (!(info->flags & GST_MAP_WRITE))
    return;
  g_mutex_lock (&self->lock);
  self->n_writers--;
  if (self->staging && self->n_writers == 0) {
    if (fv_program_submit (&self->upload, 1, &value, &error)) {
      self->written = MAX (self->written, value);
      self->staged = self->written;
      /* the next map may write the staging buffer while it is being read */
      self->used = MAX (self->used, value);
      fv_device_wait (fv_buffer_device (self->buffer), value, FV_WATCHDOG,
          &error);
    }
    if (error)
      GST_ERROR_OBJECT (memory->allocator,
          "cannot write device memory back: %s", error->message);
  }
  g_mutex_unlock (&self->lock);
}

/* GstMemory of a part: refused, so that GStreamer copies instead. */
static GstMemory *
memory_share (GstMemory *memory, gssize offset, gssize size)
{
  return NULL;
}

static GstMemory *
allocator_alloc (GstAllocator *allocator, gsize size,
    GstAllocationParams *params)
{
  /* device memory is made by gst_fovea_memory_new(), which knows the device */
  return NULL;
}

static void
allocator_free (GstAllocator *allocator, GstMemory *memory)
{
  GstFoveaMemory *self = (GstFoveaMemory *) memory;

  fv_program_unref (self->download);
  fv_program_unref (self->upload);
  fv_buffer_unref (self->staging);
  fv_buffer_unref (self->buffer);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static void
gst_fovea_allocator_class_init (GstFoveaAllocatorClass *klass)
{
  GstAllocatorClass *allocator_class = GST_ALLOCATOR_CLASS (klass);

  allocator_class->alloc = allocator_alloc;
  allocator_class->free = allocator_free;
}

static void
gst_fovea_allocator_init (GstFoveaAllocator *self)
{
  GstAllocator *allocator = GST_ALLOCATOR (self);

  allocator->mem_type = GST_FOVEA_MEMORY_TYPE;
  allocator->mem_map_full = memory_map;
  allocator->mem_unmap_full = memory_unmap;
  allocator->mem_share = memory_share;
  GST_OBJECT_FLAG_SET (self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}

static GstAllocator *
the_allocator (void)
{
  static GstAllocator *allocator = NULL;

  if (g_once_init_enter (&allocator)) {
    GstAllocator *made = g_object_new (GST_TYPE_FOVEA_ALLOCATOR, NULL);
    gst_object_ref_sink (made);
    GST_OBJECT_FLAG_SET (made, GST_OBJECT_FLAG_MAY_BE_LEAKED);
    g_once_init_leave (&allocator, made);
  }
  return allocator;
}

GstMemory *
gst_fovea_memory_new (FvBuffer *buffer, gsize offset, gsize size)
{
  GstFoveaMemory *self;

  g_return_val_if_fail (size <= fv_buffer_size (buffer)
          && offset <= fv_buffer_size (buffer) - size,
      NULL);
  self = g_new0 (GstFoveaMemory, 1);
  gst_memory_init (GST_MEMORY_CAST (self), GST_MEMORY_FLAG_NO_SHARE,
      the_allocator (), NULL, size, 0, 0, size);
  self->buffer = fv_buffer_ref (buffer);
  self->base = offset;
  g_mutex_init (&self->lock);
  return GST_MEMORY_CAST (self);
}

gboolean
gst_is_fovea_memory (GstMemory *memory)
{
  return memory && memory->allocator == the_allocator ();
}

/* (nullable) the one memory of @buffer, where it is ours */
static GstFoveaMemory *
only_memory (GstBuffer *buffer)
{
  GstMemory *memory;

  if (gst_buffer_n_memory (buffer) != 1)
    return NULL;
  memory = gst_buffer_peek_memory (buffer, 0);
  return gst_is_fovea_memory (memory) ? (GstFoveaMemory *) memory : NULL;
}

gboolean
gst_fovea_buffer_get_region (GstBuffer *buffer, FvDevice *device,
    GstFoveaMemoryRegion *region)
{
  GstFoveaMemory *self = only_memory (buffer);

  if (self == NULL || (device && fv_buffer_device (self->buffer) != device))
    return FALSE;
  region->buffer = self->buffer;
  region->offset = self->base + self->memory.offset;
  region->size = self->memory.size;
  g_mutex_lock (&self->lock);
  region->written = self->written;
  g_mutex_unlock (&self->lock);
  return TRUE;
}

void
gst_fovea_buffer_set_written (GstBuffer *buffer, guint64 value)
{
  GstFoveaMemory *self = only_memory (buffer);

  g_return_if_fail (self != NULL);
  g_mutex_lock (&self->lock);
  self->written = MAX (self->written, value);
  g_mutex_unlock (&self->lock);
}

void
gst_fovea_buffer_add_use (GstBuffer *buffer, guint64 value)
{
  GstFoveaMemory *self = only_memory (buffer);

  g_return_if_fail (self != NULL);
  g_mutex_lock (&self->lock);
  self->used = MAX (self->used, value);
  g_mutex_unlock (&self->lock);
}

/* The pool */

typedef struct
{
  GstBufferPool parent;
  FvDevice *device;
  gsize size;
  FvMemoryUse use;
} GstFoveaPool;
typedef struct
{
  GstBufferPoolClass parent_class;
} GstFoveaPoolClass;
static GType gst_fovea_pool_get_type (void);
G_DEFINE_TYPE (GstFoveaPool, gst_fovea_pool, GST_TYPE_BUFFER_POOL)

static GstFlowReturn
pool_alloc (GstBufferPool *pool, GstBuffer **buffer,
    GstBufferPoolAcquireParams *params)
{
  GstFoveaPool *self = (GstFoveaPool *) pool;
  g_autoptr (GError) error = NULL;
  g_autoptr (FvBuffer) memory =
      fv_buffer_new (self->device, self->size, self->use, &error);

  if (memory == NULL) {
    GST_ERROR_OBJECT (pool, "no device memory: %s", error->message);
    return GST_FLOW_ERROR;
  }
  *buffer = gst_buffer_new ();
  gst_buffer_append_memory (*buffer,
      gst_fovea_memory_new (memory, 0, self->size));
  return GST_FLOW_OK;
}

static void
pool_finalize (GObject *object)
{
  fv_device_unref (((GstFoveaPool *) object)->device);
  G_OBJECT_CLASS (gst_fovea_pool_parent_class)->finalize (object);
}

static void
gst_fovea_pool_class_init (GstFoveaPoolClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = pool_finalize;
  GST_BUFFER_POOL_CLASS (klass)->alloc_buffer = pool_alloc;
}

static void
gst_fovea_pool_init (GstFoveaPool *self)
{
}

GstBufferPool *
gst_fovea_pool_new (FvDevice *device, gsize size, FvMemoryUse use, guint n,
    GError **error)
{
  GstFoveaPool *self;
  GstBufferPool *pool;
  GstStructure *config;

  if (size == 0 || size > G_MAXUINT) {
    g_set_error (error, FV_ERROR, FV_ERROR_TOO_LARGE,
        "a pool buffer must have 1 to %u bytes, not %" G_GSIZE_FORMAT,
        G_MAXUINT, size);
    return NULL;
  }
  the_allocator ();
  self = g_object_new (gst_fovea_pool_get_type (), NULL);
  gst_object_ref_sink (self);
  self->device = fv_device_ref (device);
  self->size = size;
  self->use = use;
  pool = GST_BUFFER_POOL (self);
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, NULL, size, n, 0);
  if (gst_buffer_pool_set_config (pool, config)
      && gst_buffer_pool_set_active (pool, TRUE))
    return pool;
  g_set_error (error, FV_ERROR, FV_ERROR_DEVICE,
      "cannot allocate %u buffers of %" G_GSIZE_FORMAT " bytes on %s", n, size,
      fv_device_info (device)->name);
  gst_object_unref (pool);
  return NULL;
}
