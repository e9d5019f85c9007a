/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/onnx/names.h"

guint
fv_name_hash (gconstpointer name)
{
  static gsize seed;
  if (g_once_init_enter (&seed)) {
    gsize value = ((gsize) g_random_int () << 16) ^ g_random_int () ^ 1;
    g_once_init_leave (&seed, value | (gsize) 1 << 20);
  }
  guint64 hash = seed;
  for (const guint8 *c = name; *c != '\0'; c++) {
    hash = (hash ^ *c) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
    hash ^= hash >> 29;
  }
  return hash ^ hash >> 32;
}
