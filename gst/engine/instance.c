/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/engine/instance-private.h"

#include <stdio.h>
#include <string.h>

#define VALIDATION_LAYER "VK_LAYER_KHRONOS_validation"

static GMutex instance_lock;
static FvInstance *the_instance;
static gsize validation_messages;

guint64
fv_validation_messages (void)
{
  return g_atomic_pointer_get (&validation_messages);
}

static VkBool32 VKAPI_CALL
on_message (VkDebugUtilsMessageSeverityFlagBitsEXT severity,
    VkDebugUtilsMessageTypeFlagsEXT types,
    const VkDebugUtilsMessengerCallbackDataEXT *data, void *user_data)
{
  g_atomic_pointer_add (&validation_messages, 1);
  gboolean is_error =
      (severity & VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT) != 0;
  fprintf (stderr, "Vulkan validation %s: %s\n", is_error ? "error" : "warning",
      data->pMessage);
  return VK_FALSE;
}

/* Of the loader's own general messages (drivers that do not load, layers of
 * others) none is ours to judge, so they are not asked for. */
static const VkDebugUtilsMessengerCreateInfoEXT messenger_info = {
  .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
  .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT
      | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
  .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT
      | VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT,
  .pfnUserCallback = on_message,
};

static gboolean
has_validation_layer (const FvVulkan *vk)
{
  guint32 n = 0;
  vk->EnumerateInstanceLayerProperties (&n, NULL);
  g_autofree VkLayerProperties *layers = g_new0 (VkLayerProperties, n + 1);
  vk->EnumerateInstanceLayerProperties (&n, layers);
  for (guint i = 0; i < n; i++)
    if (g_str_equal (layers[i].layerName, VALIDATION_LAYER))
      return TRUE;
  return FALSE;
}

static gboolean
want_validation (const FvVulkan *vk)
{
  static gboolean said;
  if (g_strcmp0 (g_getenv ("FOVEA_VALIDATION"), "1") != 0)
    return FALSE;
  if (has_validation_layer (vk))
    return TRUE;
  if (!said)
    fprintf (stderr,
        "fovea: FOVEA_VALIDATION=1, but the layer " VALIDATION_LAYER
        " is not installed: NOTHING IS VALIDATED "
        "(Debian: apt install vulkan-validationlayers)\n");
  said = TRUE;
  return FALSE;
}

static VkResult
create_handle (FvInstance *instance, gboolean validate)
{
  static const char *const layers[] = { VALIDATION_LAYER };
  static const char *const extensions[] = { VK_EXT_DEBUG_UTILS_EXTENSION_NAME,
    VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME };
  static const VkValidationFeatureEnableEXT enable[] = {
    VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT
  };
  VkDebugUtilsMessengerCreateInfoEXT messages = messenger_info;
  VkValidationFeaturesEXT features = {
    .sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
    .pNext = &messages,
    .enabledValidationFeatureCount = G_N_ELEMENTS (enable),
    .pEnabledValidationFeatures = enable,
  };
  VkApplicationInfo application = {
    .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
    .pEngineName = "Fovea",
    .apiVersion = VK_API_VERSION_1_2,
  };
  VkInstanceCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
    .pApplicationInfo = &application,
  };
  if (validate) {
    info.pNext = &features;
    info.enabledLayerCount = G_N_ELEMENTS (layers);
    info.ppEnabledLayerNames = layers;
    info.enabledExtensionCount = G_N_ELEMENTS (extensions);
    info.ppEnabledExtensionNames = extensions;
  }
  return instance->vk.CreateInstance (&info, NULL, &instance->handle);
}

static void
instance_free (FvInstance *instance)
{
  if (instance->messenger)
    instance->vk.DestroyDebugUtilsMessengerEXT (instance->handle,
        instance->messenger, NULL);
  if (instance->handle && instance->vk.DestroyInstance)
    instance->vk.DestroyInstance (instance->handle, NULL);
  g_free (instance);
}

static gboolean
instance_init (FvInstance *instance, GError **error)
{
  FvVulkan *vk = &instance->vk;
  guint32 version = 0;

  if (!fv_vulkan_load (vk, error))
    return FALSE;
  vk->EnumerateInstanceVersion (&version);
  if (version < VK_API_VERSION_1_2) {
    g_set_error (error, FV_ERROR, FV_ERROR_DEVICE,
        "Vulkan 1.2 is needed, the loader has %u.%u",
        VK_API_VERSION_MAJOR (version), VK_API_VERSION_MINOR (version));
    return FALSE;
  }
  gboolean validate = want_validation (vk);
  VkResult result = create_handle (instance, validate);
  if (result != VK_SUCCESS)
    instance->handle = VK_NULL_HANDLE;
  if (result == VK_ERROR_INCOMPATIBLE_DRIVER) {
    g_set_error_literal (error, FV_ERROR, FV_ERROR_NOT_FOUND,
        "no Vulkan device: the loader finds no driver "
        "(Debian: apt install mesa-vulkan-drivers)");
    return FALSE;
  }
  if (!fv_vulkan_check (NULL, "vkCreateInstance", result, error)
      || !fv_vulkan_load_instance (vk, instance->handle, validate, error))
    return FALSE;
  if (!validate)
    return TRUE;
  result = vk->CreateDebugUtilsMessengerEXT (instance->handle, &messenger_info,
      NULL, &instance->messenger);
  if (result != VK_SUCCESS)
    instance->messenger = VK_NULL_HANDLE;
  return fv_vulkan_check (NULL, "vkCreateDebugUtilsMessengerEXT", result,
      error);
}

FvInstance *
fv_instance_get (GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&instance_lock);
  if (the_instance) {
    the_instance->ref++;
    return the_instance;
  }
  FvInstance *instance = g_new0 (FvInstance, 1);
  if (!instance_init (instance, error)) {
    instance_free (instance);
    return NULL;
  }
  instance->ref = 1;
  return the_instance = instance;
}

FvInstance *
fv_instance_ref (FvInstance *instance)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&instance_lock);
  instance->ref++;
  return instance;
}

void
fv_instance_unref (FvInstance *instance)
{
  if (!instance)
    return;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&instance_lock);
  if (--instance->ref)
    return;
  the_instance = NULL;
  instance_free (instance);
}

GArray *
fv_instance_devices (FvInstance *instance, GError **error)
{
  guint32 n = 0;
  VkResult result =
      instance->vk.EnumeratePhysicalDevices (instance->handle, &n, NULL);
  if (!fv_vulkan_check (NULL, "vkEnumeratePhysicalDevices", result, error))
    return NULL;
  g_autoptr (GArray) devices =
      g_array_new (FALSE, TRUE, sizeof (VkPhysicalDevice));
  g_array_set_size (devices, n);
  result = instance->vk.EnumeratePhysicalDevices (instance->handle, &n,
      (VkPhysicalDevice *) (gpointer) devices->data);
  if (result != VK_INCOMPLETE
      && !fv_vulkan_check (NULL, "vkEnumeratePhysicalDevices", result, error))
    return NULL;
  g_array_set_size (devices, n);
  return g_steal_pointer (&devices);
}
