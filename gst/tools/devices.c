/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fovea devices: what is there, and what of it the engine uses. */
#include "gst/tools/tool.h"

#include <stdio.h>
#include <string.h>

static const char *
tier_name (FvTier tier)
{
  return tier == FV_TIER_SUBGROUP ? "subgroup" : "workgroup";
}

static char *
version_text (guint32 version)
{
  return g_strdup_printf ("%u.%u.%u", VK_API_VERSION_MAJOR (version),
      VK_API_VERSION_MINOR (version), VK_API_VERSION_PATCH (version));
}

static void
print_json (JsonBuilder *json, const FvDeviceInfo *info, gboolean is_default,
    const char *tier, const char *problem)
{
  g_autofree char *version = version_text (info->api_version);
  json_builder_begin_object (json);
  tool_json_int (json, "index", info->index);
  tool_json_string (json, "name", info->name);
  tool_json_string (json, "uuid", info->uuid);
  tool_json_string (json, "driver", info->driver);
  tool_json_string (json, "vulkan", version);
  tool_json_bool (json, "cpu", info->is_cpu);
  tool_json_bool (json, "default", is_default);
  tool_json_bool (json, "usable", problem == NULL);
  tool_json_string (json, "problem", problem);
  tool_json_string (json, "tier", tier);
  tool_json_int (json, "subgroup_size", info->subgroup_size);
  tool_json_bool (json, "subgroup_shuffle", info->has_shuffle);
  tool_json_bool (json, "byte_products", info->has_dot4);
  tool_json_bool (json, "byte_products_accelerated", info->is_dot4_fast);
  tool_json_int (json, "shared_memory", info->max_shared_memory);
  tool_json_int (json, "invocations", info->max_invocations);
  tool_json_int (json, "push_constants", info->max_push);
  tool_json_int (json, "storage_range", info->max_storage_range);
  tool_json_int (json, "texel_elements", info->max_texel_elements);
  tool_json_bool (json, "timestamps", info->timestamp_ns > 0);
  tool_json_int (json, "memory", info->heap_size);
  json_builder_end_object (json);
}

static void
print_text (const FvDeviceInfo *info, gboolean is_default, const char *tier,
    const char *problem)
{
  g_autofree char *version = version_text (info->api_version);
  printf ("%u: %s%s\n", info->index, info->name,
      is_default ? "  (the default)" : "");
  printf ("    driver     %s, Vulkan %s, %s\n", info->driver, version,
      info->is_cpu ? "CPU" : "GPU");
  printf ("    uuid       %s\n", info->uuid);
  printf ("    memory     %.1f GiB\n", info->heap_size / 0x1p30);
  printf ("    subgroup   %u invocations, %s shuffle\n", info->subgroup_size,
      info->has_shuffle ? "with" : "no");
  printf ("    workgroup  %u invocations, %u KiB shared memory\n",
      info->max_invocations, info->max_shared_memory / 1024);
  printf ("    bytes      %s\n",
      info->is_dot4_fast   ? "dot products in hardware"
          : info->has_dot4 ? "dot products in software"
                           : "no dot products");
  printf ("    bindings   %.0f MiB storage, %.1f M texels, %u push bytes\n",
      info->max_storage_range / 0x1p20, info->max_texel_elements * 1e-6,
      info->max_push);
  if (problem != NULL)
    printf ("    not used   %s\n", problem);
  else
    printf ("    used with  the %s kernels%s\n", tier,
        info->timestamp_ns > 0 ? ", timestamps" : "");
}

static void
show (Tool *tool, JsonBuilder *json, const FvDeviceInfo *info,
    const char *default_uuid)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FvDevice) device = fv_device_open (info->uuid, &error);
  gboolean is_default = g_strcmp0 (info->uuid, default_uuid) == 0;
  const char *tier = device ? tier_name (fv_device_tier (device)) : NULL;
  const char *problem = error ? error->message : NULL;
  if (json != NULL)
    print_json (json, info, is_default, tier, problem);
  else
    print_text (info, is_default, tier, problem);
}

int
tool_devices (Tool *tool, int argc, char **argv)
{
  int code;
  if (!tool_parse (tool, NULL, "", "lists the Vulkan devices", &argc, &argv, 0,
          0, &code))
    return code;
  GError *error = NULL;
  if (tool->reference)
    return tool_usage (tool, "the references are no device");
  g_autoptr (GArray) devices = fv_device_list (&error);
  if (devices == NULL || !tool_open_device (tool, &error))
    return tool_fail (tool, error);
  const char *chosen = fv_device_info (tool->device)->uuid;
  gboolean all = tool->device_name == NULL;
  JsonBuilder *json = tool->json ? tool_json_begin () : NULL;
  if (json != NULL) {
    json_builder_set_member_name (json, "devices");
    json_builder_begin_array (json);
  }
  for (guint i = 0; i < devices->len; i++) {
    const FvDeviceInfo *info = &g_array_index (devices, FvDeviceInfo, i);
    if (all || strcmp (info->uuid, chosen) == 0)
      show (tool, json, info, all ? chosen : NULL);
  }
  if (json != NULL) {
    json_builder_end_array (json);
    tool_json_end (json);
  }
  return TOOL_OK;
}
