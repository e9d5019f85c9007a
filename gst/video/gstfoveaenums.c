/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The enumerations of properties, as GObject knows them. */
#include "gst/video/gstfoveasettings.h"

GType
gst_fovea_precision_get_type (void)
{
  static gsize type;
  static const GEnumValue values[] = {
    { GST_FOVEA_PRECISION_AUTO, "16 bits where the GPU stores them, else 32",
        "auto" },
    { GST_FOVEA_PRECISION_F32, "32-bit floats", "f32" },
    { GST_FOVEA_PRECISION_F16, "16-bit floats in memory, 32-bit sums", "f16" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstFoveaPrecision", values));
  return type;
}

GType
gst_fovea_resize_mode_get_type (void)
{
  static gsize type;
  static const GEnumValue values[] = {
    { GST_FOVEA_RESIZE_MODE_AUTO, "As the model's card says, else stretch",
        "auto" },
    { GST_FOVEA_RESIZE_MODE_STRETCH, "Both axes fill the input on their own",
        "stretch" },
    { GST_FOVEA_RESIZE_MODE_LETTERBOX, "Whole frame, aspect kept, padded",
        "letterbox" },
    { GST_FOVEA_RESIZE_MODE_CROP, "Middle of the frame, aspect kept", "crop" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstFoveaResizeMode", values));
  return type;
}

GType
gst_fovea_input_format_get_type (void)
{
  static gsize type;
  static const GEnumValue values[] = {
    { GST_FOVEA_INPUT_FORMAT_AUTO, "As the model's card says, else RGB",
        "auto" },
    { GST_FOVEA_INPUT_FORMAT_RGB, "Red first", "rgb" },
    { GST_FOVEA_INPUT_FORMAT_BGR, "Blue first", "bgr" },
    { GST_FOVEA_INPUT_FORMAT_GRAY, "One channel of luma", "gray" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstFoveaInputFormat", values));
  return type;
}

GType
gst_fovea_sync_mode_get_type (void)
{
  static gsize type;
  static const GEnumValue values[] = {
    { GST_FOVEA_SYNC_MODE_MATCHED, "A frame leaves with its own result",
        "matched" },
    { GST_FOVEA_SYNC_MODE_LIVE,
        "Every frame leaves at once with the newest result", "live" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstFoveaSyncMode", values));
  return type;
}

GType
gst_fovea_on_overload_get_type (void)
{
  static gsize type;
  static const GEnumValue values[] = {
    { GST_FOVEA_ON_OVERLOAD_AUTO,
        "skip-inference when upstream is live, else block", "auto" },
    { GST_FOVEA_ON_OVERLOAD_BLOCK, "Upstream waits; every frame is inferred",
        "block" },
    { GST_FOVEA_ON_OVERLOAD_SKIP_INFERENCE,
        "Frames leave in order with the newest result", "skip-inference" },
    { GST_FOVEA_ON_OVERLOAD_DROP, "Frames are dropped", "drop" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstFoveaOnOverload", values));
  return type;
}
