/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A dispatch against the device's limits, in release builds too: drivers do not
 * check them, and what happens beyond is anything. */
#include "gst/engine/program-private.h"
#include "shaders/shared.h"

static const char *
name_of (const FvDispatch *dispatch)
{
  return dispatch->label ? dispatch->label : "a dispatch";
}

static gboolean
over (FvDevice *device, const FvDispatch *dispatch, const char *what,
    guint64 wanted, guint64 limit, GError **error)
{
  g_set_error (error, FV_ERROR, FV_ERROR_TOO_LARGE,
      "%s (kernel %s): %s: %" G_GUINT64_FORMAT " wanted, %s allows "
      "%" G_GUINT64_FORMAT,
      name_of (dispatch), dispatch->kernel, what, wanted, device->info.name,
      limit);
  return FALSE;
}

static gboolean
check_binding (FvDevice *device, const FvDispatch *dispatch, guint i,
    GError **error)
{
  const FvBinding *binding = &dispatch->bindings[i];
  gsize texel, size = binding->buffer ? binding->buffer->size : 0;
  gsize align = MAX (256,
      MAX (device->info.storage_align, //
          device->info.texel_align));

  if (!binding->buffer || binding->buffer->device != device
      || binding->offset % align || !binding->size || binding->offset > size
      || binding->size > size - binding->offset) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "%s (kernel %s): binding %u: %" G_GSIZE_FORMAT
        " bytes at %" G_GSIZE_FORMAT " (a multiple of %" G_GSIZE_FORMAT
        ") do not lie in a buffer of %" G_GSIZE_FORMAT " bytes on this device",
        name_of (dispatch), dispatch->kernel, i, binding->size, binding->offset,
        align, size);
    return FALSE;
  }
  if ((binding->kind == FV_BIND_FLOATS_READ
          || binding->kind == FV_BIND_FLOATS_WRITE)
      && binding->type != FV_TYPE_F32 && binding->type != FV_TYPE_F16) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "%s (kernel %s): binding %u has type %d; floats are f32 or f16",
        name_of (dispatch), dispatch->kernel, i, binding->type);
    return FALSE;
  }
  if (fv_bind_descriptor (device->tier, binding->kind)
      == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER)
    return binding->size <= device->info.max_storage_range
        || over (device, dispatch, "bytes of a storage binding", binding->size,
            device->info.max_storage_range, error);
  fv_bind_format (binding, &texel);
  return binding->size / texel <= device->info.max_texel_elements
      || over (device, dispatch, "elements of a texel binding",
          binding->size / texel, device->info.max_texel_elements, error);
}

static gboolean
check_counts (FvDevice *device, const FvDispatch *dispatch, GError **error)
{
  const VkPhysicalDeviceLimits *limits = &device->limits;
  guint n_storage = 0, n_texel = 0;

  for (guint i = 0; i < dispatch->n_bindings; i++) {
    gboolean is_storage =
        fv_bind_descriptor (device->tier, dispatch->bindings[i].kind)
        == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    n_storage += is_storage;
    n_texel += !is_storage;
  }
  if (n_storage > limits->maxPerStageDescriptorStorageBuffers)
    return over (device, dispatch, "storage bindings", n_storage,
        limits->maxPerStageDescriptorStorageBuffers, error);
  return n_texel <= limits->maxPerStageDescriptorSampledImages
      || over (device, dispatch, "texel bindings", n_texel,
          limits->maxPerStageDescriptorSampledImages, error);
}

gboolean
fv_dispatch_check (FvDevice *device, const FvDispatch *dispatch, GError **error)
{
  static const char *const axes[] = { "workgroups along x",
    "workgroups along y", "workgroups along z" };
  const FvDeviceInfo *info = &device->info;
  guint local =
      fv_dispatch_get_spec (dispatch, FV_SPEC_LOCAL, FV_DEFAULT_LOCAL);
  guint max_push = MIN (info->max_push, sizeof dispatch->push);

  if (dispatch->push_size > max_push)
    return over (device, dispatch, "bytes of push constants",
        dispatch->push_size, max_push, error);
  if (dispatch->push_size % 4) {
    g_set_error (error, FV_ERROR, FV_ERROR_INVALID,
        "%s (kernel %s): %u bytes of push constants; expected a multiple of 4",
        name_of (dispatch), dispatch->kernel, dispatch->push_size);
    return FALSE;
  }
  if (local == 0 || local > info->max_invocations)
    return over (device, dispatch, "invocations of a workgroup", local,
        info->max_invocations, error);
  for (guint i = 0; i < 3; i++)
    if (dispatch->groups[i] > info->max_groups[i])
      return over (device, dispatch, axes[i], dispatch->groups[i],
          info->max_groups[i], error);
  for (guint i = 0; i < dispatch->n_bindings; i++)
    if (!check_binding (device, dispatch, i, error))
      return FALSE;
  return check_counts (device, dispatch, error);
}
