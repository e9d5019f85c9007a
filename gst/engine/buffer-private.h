/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/engine/device-private.h"
#include "gst/engine/program.h"

G_BEGIN_DECLS

struct _FvBuffer
{
  gatomicrefcount ref;
  FvDevice *device;
  gsize size; /* as asked for; the VkBuffer may be a few bytes longer */
  gint64 allocated;
  VkBuffer handle;
  VkDeviceMemory memory;
  gpointer mapped; /* (nullable) */
};

G_END_DECLS
