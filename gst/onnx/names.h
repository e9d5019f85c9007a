/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* For tables whose keys come from a file: g_str_hash() can be made to give the
 * same value for a hundred thousand names, and each look-up then walks them
 * all. This one is seeded anew in every process. */
guint fv_name_hash (gconstpointer name);

G_END_DECLS
