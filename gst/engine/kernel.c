/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/engine/kernel-private.h"
#include "shaders/shared.h"

#include <string.h>

const FvSpirv *fv_spirv_extra;

struct _FvKernels
{
  FvDevice *device; /* (transfer none): owns this */
  VkPipelineCache cache;
  GMutex lock; /* the tables */
  GHashTable *layouts; /* GBytes of descriptor types -> Layout */
  GHashTable *kernels; /* GBytes key -> FvKernel */
  guint n_stored; /* of them, when the cache was stored last */
};

typedef struct
{
  VkDescriptorSetLayout set_layout;
  VkPipelineLayout layout;
} Layout;

VkDescriptorType
fv_bind_descriptor (FvTier tier, FvBindKind kind)
{
  switch (kind) {
    case FV_BIND_FLOATS_READ:
      return tier == FV_TIER_SUBGROUP ? VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER
                                      : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    case FV_BIND_BYTES_READ:
    case FV_BIND_RGBA8_READ:
      return VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER;
    case FV_BIND_FLOATS_WRITE:
    case FV_BIND_RAW_READ:
    case FV_BIND_RAW_WRITE:
      break;
  }
  return VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
}

gboolean
fv_bind_is_write (FvBindKind kind)
{
  return kind == FV_BIND_FLOATS_WRITE || kind == FV_BIND_RAW_WRITE;
}

VkFormat
fv_bind_format (const FvBinding *binding, gsize *texel)
{
  switch (binding->kind) {
    case FV_BIND_BYTES_READ:
      *texel = 1;
      return VK_FORMAT_R8_UINT;
    case FV_BIND_RGBA8_READ:
      *texel = 4;
      return VK_FORMAT_R8G8B8A8_UINT;
    default:
      *texel = binding->type == FV_TYPE_F16 ? 8 : 16;
      return binding->type == FV_TYPE_F16 ? VK_FORMAT_R16G16B16A16_SFLOAT
                                          : VK_FORMAT_R32G32B32A32_SFLOAT;
  }
}

gsize
fv_view_range (gsize size)
{
  gsize range = (size + FV_MAX_TEXEL - 1) & ~(gsize) (FV_MAX_TEXEL - 1);

  return (range >> 8) & 255 ? range : range + 256;
}

guint32
fv_dispatch_get_spec (const FvDispatch *dispatch, guint id, guint32 otherwise)
{
  for (guint i = 0; i < dispatch->n_spec; i++)
    if (dispatch->spec_id[i] == id)
      return dispatch->spec[i];
  return otherwise;
}

static void
layout_free (FvKernels *kernels, Layout *layout)
{
  FvVulkan *vk = &kernels->device->vk;
  VkDevice handle = kernels->device->handle;

  if (layout->layout)
    vk->DestroyPipelineLayout (handle, layout->layout, NULL);
  if (layout->set_layout)
    vk->DestroyDescriptorSetLayout (handle, layout->set_layout, NULL);
  g_free (layout);
}

FvKernels *
fv_kernels_new (FvDevice *device, GError **error)
{
  FvKernels *kernels = g_new0 (FvKernels, 1);

  kernels->device = device;
  g_mutex_init (&kernels->lock);
  kernels->layouts = g_hash_table_new_full (g_bytes_hash, g_bytes_equal,
      (GDestroyNotify) g_bytes_unref, NULL);
  kernels->kernels = g_hash_table_new_full (g_bytes_hash, g_bytes_equal,
      (GDestroyNotify) g_bytes_unref, NULL);
  if (fv_pipelines_load (device, &kernels->cache, error))
    return kernels;
  fv_kernels_free (kernels);
  return NULL;
}

void
fv_kernels_free (FvKernels *kernels)
{
  GHashTableIter iter;
  gpointer value;

  if (!kernels)
    return;
  FvDevice *device = kernels->device;
  if (kernels->cache)
    fv_kernels_store (kernels);
  g_hash_table_iter_init (&iter, kernels->kernels);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    device->vk.DestroyPipeline (device->handle, ((FvKernel *) value)->pipeline,
        NULL);
    g_free (value);
  }
  g_hash_table_iter_init (&iter, kernels->layouts);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    layout_free (kernels, value);
  g_hash_table_unref (kernels->kernels);
  g_hash_table_unref (kernels->layouts);
  if (kernels->cache)
    device->vk.DestroyPipelineCache (device->handle, kernels->cache, NULL);
  g_mutex_clear (&kernels->lock);
  g_free (kernels);
}

static const FvSpirv *
find_module (FvTier tier, const char *kernel, GError **error)
{
  const FvSpirv *tables[] = { fv_spirv_extra, fv_spirv_table };
  g_autofree char *name = g_strdup_printf ("%s_%s", kernel,
      tier == FV_TIER_SUBGROUP ? "subgroup" : "workgroup");

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    for (const FvSpirv *row = tables[i]; row && row->name; row++)
      if (g_str_equal (row->name, name))
        return row;
  g_set_error (error, FV_ERROR, FV_ERROR_NOT_FOUND,
      "the engine has no kernel \"%s\"", name);
  return NULL;
}

static Layout *
make_layout (FvKernels *kernels, const guint8 *types, guint n, GError **error)
{
  FvDevice *device = kernels->device;
  VkDescriptorSetLayoutBinding bindings[FV_MAX_BINDINGS];
  VkDescriptorSetLayoutCreateInfo set = {
    .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
    .bindingCount = n,
    .pBindings = bindings
  };
  VkPushConstantRange push = { .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
    .size = 128 };
  Layout *layout = g_new0 (Layout, 1);
  VkPipelineLayoutCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
    .setLayoutCount = 1,
    .pSetLayouts = &layout->set_layout,
    .pushConstantRangeCount = 1,
    .pPushConstantRanges = &push
  };

  for (guint i = 0; i < n; i++)
    bindings[i] = (VkDescriptorSetLayoutBinding){ .binding = i,
      .descriptorType = types[i],
      .descriptorCount = 1,
      .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT };
  if (VK_CREATE (device, CreateDescriptorSetLayout, error, &set,
          &layout->set_layout)
      && VK_CREATE (device, CreatePipelineLayout, error, &info,
          &layout->layout))
    return layout;
  layout_free (kernels, layout);
  return NULL;
}

static const Layout *
get_layout (FvKernels *kernels, const FvDispatch *dispatch, GError **error)
{
  guint8 types[FV_MAX_BINDINGS];

  for (guint i = 0; i < dispatch->n_bindings; i++)
    types[i] = (guint8) fv_bind_descriptor (kernels->device->tier,
        dispatch->bindings[i].kind);
  g_autoptr (GBytes) key = g_bytes_new (types, dispatch->n_bindings);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&kernels->lock);
  Layout *layout = g_hash_table_lookup (kernels->layouts, key);
  if (layout)
    return layout;
  layout = make_layout (kernels, types, dispatch->n_bindings, error);
  if (layout)
    g_hash_table_insert (kernels->layouts, g_steal_pointer (&key), layout);
  return layout;
}

/* Kept sorted by id, so that equal sets make equal keys. */
static void
put_constant (FvConstants *constants, guint id, guint32 value)
{
  guint at = 0;

  while (at < constants->n && constants->id[at] < id)
    at++;
  if (at == constants->n || constants->id[at] != id) {
    for (guint i = constants->n++; i > at; i--) {
      constants->id[i] = constants->id[i - 1];
      constants->value[i] = constants->value[i - 1];
    }
  }
  constants->id[at] = id;
  constants->value[at] = value;
}

void
fv_dispatch_constants (const FvDispatch *dispatch, FvConstants *constants)
{
  constants->n = 0;
  put_constant (constants, FV_SPEC_LOCAL, FV_DEFAULT_LOCAL);
  for (guint i = 0; i < dispatch->n_spec; i++)
    put_constant (constants, dispatch->spec_id[i], dispatch->spec[i]);
  for (guint i = 0; i < dispatch->n_bindings; i++) {
    const FvBinding *binding = &dispatch->bindings[i];
    if (binding->kind == FV_BIND_FLOATS_READ
        || binding->kind == FV_BIND_FLOATS_WRITE)
      put_constant (constants, FV_SPEC_TYPES + i,
          binding->type == FV_TYPE_F16 ? FV_STORED_F16 : FV_STORED_F32);
  }
}

static gboolean
check_shared (FvDevice *device, const GArray *words, GError **error)
{
  guint64 bytes = fv_spirv_shared_bytes (words);

  if (bytes <= device->info.max_shared_memory)
    return TRUE;
  g_set_error (error, FV_ERROR, FV_ERROR_TOO_LARGE,
      "bytes of shared memory: %" G_GUINT64_FORMAT " wanted, %s allows %u",
      bytes, device->info.name, device->info.max_shared_memory);
  return FALSE;
}

static VkPipeline
make_pipeline (FvKernels *kernels, const GArray *words, VkPipelineLayout layout,
    GError **error)
{
  FvDevice *device = kernels->device;
  VkShaderModuleCreateInfo code = {
    .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
    .codeSize = words->len * sizeof (guint32),
    .pCode = (const guint32 *) (gpointer) words->data
  };
  VkComputePipelineCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
    .stage = { .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
        .stage = VK_SHADER_STAGE_COMPUTE_BIT,
        .pName = "main" },
    .layout = layout
  };
  VkPipeline pipeline = VK_NULL_HANDLE;

  if (!VK_CREATE (device, CreateShaderModule, error, &code, &info.stage.module))
    return VK_NULL_HANDLE;
  if (!VK (device, CreateComputePipelines, error, device->handle,
          kernels->cache, 1, &info, NULL, &pipeline))
    pipeline = VK_NULL_HANDLE;
  else
    fv_device_count_pipeline (device);
  device->vk.DestroyShaderModule (device->handle, info.stage.module, NULL);
  return pipeline;
}

static GBytes *
make_key (const FvSpirv *module, const Layout *layout,
    const FvConstants *constants)
{
  GByteArray *key = g_byte_array_new ();
  g_byte_array_append (key, (const guint8 *) &module, sizeof module);
  g_byte_array_append (key, (const guint8 *) &layout, sizeof layout);
  g_byte_array_append (key, (const guint8 *) constants->id,
      constants->n * (guint) sizeof (guint32));
  g_byte_array_append (key, (const guint8 *) constants->value,
      constants->n * (guint) sizeof (guint32));
  return g_byte_array_free_to_bytes (key);
}

/* What is looked for, for one dispatch. */
typedef struct
{
  const FvDispatch *dispatch;
  const FvSpirv *module;
  const Layout *layout;
  FvConstants constants;
  GBytes *key;
} Wish;

static gboolean
wish_init (Wish *wish, FvKernels *kernels, const FvDispatch *dispatch,
    GError **error)
{
  wish->dispatch = dispatch;
  wish->module = find_module (kernels->device->tier, dispatch->kernel, error);
  wish->layout = wish->module ? get_layout (kernels, dispatch, error) : NULL;
  if (!wish->layout)
    return FALSE;
  fv_dispatch_constants (dispatch, &wish->constants);
  wish->key = make_key (wish->module, wish->layout, &wish->constants);
  return TRUE;
}

static const FvKernel *
look_up (FvKernels *kernels, const Wish *wish)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&kernels->lock);

  return g_hash_table_lookup (kernels->kernels, wish->key);
}

/* Creation runs outside of the lock, so that threads may compile side by side;
 * the slower of two that made the same drops its own. */
static const FvKernel *
make_kernel (FvKernels *kernels, const Wish *wish, GError **error)
{
  FvDevice *device = kernels->device;
  g_autoptr (GArray) words =
      fv_spirv_specialize (wish->module, &wish->constants);
  VkPipeline pipeline = VK_NULL_HANDLE;

  if (check_shared (device, words, error))
    pipeline = make_pipeline (kernels, words, wish->layout->layout, error);
  if (!pipeline) {
    g_prefix_error (error, "%s: kernel %s: ",
        wish->dispatch->label ? wish->dispatch->label : "dispatch",
        wish->module->name);
    return NULL;
  }
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&kernels->lock);
  FvKernel *kernel = g_hash_table_lookup (kernels->kernels, wish->key);
  if (kernel) {
    device->vk.DestroyPipeline (device->handle, pipeline, NULL);
    return kernel;
  }
  kernel = g_new0 (FvKernel, 1);
  *kernel =
      (FvKernel){ wish->layout->set_layout, wish->layout->layout, pipeline };
  g_hash_table_insert (kernels->kernels, g_bytes_ref (wish->key), kernel);
  return kernel;
}

/* What threads make. */
typedef struct
{
  FvKernels *kernels;
  GMutex lock;
  GError *error; /* (nullable) the first; under the lock */
} Work;

static void
make_one (gpointer data, gpointer user_data)
{
  Work *work = user_data;
  GError *error = NULL;

  if (make_kernel (work->kernels, data, &error))
    return;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&work->lock);
  if (work->error)
    g_error_free (error);
  else
    work->error = error;
}

/* Drivers compile in the thread that asks: all CPUs do. */
static gboolean
make_kernels (FvKernels *kernels, GPtrArray *wishes, GError **error)
{
  Work work = { .kernels = kernels };
  GThreadPool *pool = NULL;

  g_mutex_init (&work.lock);
  if (wishes->len > 1)
    pool = g_thread_pool_new (make_one, &work,
        (gint) MIN (g_get_num_processors (), wishes->len), FALSE, NULL);
  for (guint i = 0; i < wishes->len; i++)
    if (!pool || !g_thread_pool_push (pool, wishes->pdata[i], NULL))
      make_one (wishes->pdata[i], &work);
  if (pool)
    g_thread_pool_free (pool, FALSE, TRUE);
  g_mutex_clear (&work.lock);
  if (!work.error)
    return TRUE;
  g_propagate_error (error, work.error);
  return FALSE;
}

gboolean
fv_kernels_get (FvKernels *kernels, const FvDispatch *const *dispatches,
    guint n, const FvKernel **found, GError **error)
{
  g_autoptr (GHashTable) missing =
      g_hash_table_new (g_bytes_hash, g_bytes_equal);
  g_autoptr (GPtrArray) wishes = g_ptr_array_new ();
  g_autofree Wish *all = g_new0 (Wish, n);
  gboolean is_done = TRUE;

  for (guint i = 0; i < n && is_done; i++) {
    is_done = wish_init (&all[i], kernels, dispatches[i], error);
    if (!is_done)
      g_prefix_error (error,
          "%s: ", dispatches[i]->label ? dispatches[i]->label : "dispatch");
    else if (!look_up (kernels, &all[i])
        && g_hash_table_add (missing, all[i].key))
      g_ptr_array_add (wishes, &all[i]);
  }
  is_done = is_done && make_kernels (kernels, wishes, error);
  for (guint i = 0; i < n; i++) {
    if (is_done)
      found[i] = look_up (kernels, &all[i]);
    g_clear_pointer (&all[i].key, g_bytes_unref);
  }
  return is_done;
}

void
fv_kernels_store (FvKernels *kernels)
{
  g_mutex_lock (&kernels->lock);
  guint n = g_hash_table_size (kernels->kernels);
  gboolean is_new = n > kernels->n_stored;
  kernels->n_stored = n;
  g_mutex_unlock (&kernels->lock);
  if (is_new && !g_atomic_int_get (&kernels->device->is_lost))
    fv_pipelines_store (kernels->device, kernels->cache);
}
