/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that spare work when a program starts again, and that may vanish at any
 * time: what a driver made of kernels, what a tuner measured.
 *
 * They lie in $FOVEA_CACHE, "off" for none; else in fovea/ in the user's folder for
 * such files ($XDG_CACHE_HOME, ~/.cache). Together they take at most
 * $FOVEA_CACHE_SIZE MiB (FV_CACHE_MIB); those not used for longest go first.
 *
 * Threads:   all functions from any, and from several processes at once: files are
 *            replaced whole, the last one stays.
 * Errors:    none. A folder that cannot be read or written is none; a file that is
 *            not what was stored is warned about, taken away and not used. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define FV_CACHE_MIB 256

/* What was stored last under @kind and @identity. @kind: a word, for the file's
 * name. @identity: all that the contents depend on: device, driver, versions; a file
 * of another identity is another file. (transfer full) (nullable) */
GBytes *fv_cache_load (const char *kind, GBytes *identity);
/* TRUE if it was stored; FALSE also without a cache. */
gboolean fv_cache_store (const char *kind, GBytes *identity, GBytes *data);

G_END_DECLS
