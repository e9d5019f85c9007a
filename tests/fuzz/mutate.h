/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes to models that keep them models: random bytes seldom get beyond the
 * parser. */
#pragma once

#include <glib.h>

/* Any change of @size bytes at @data, in place, of at most @max_size bytes.
 * Returns the new size. */
typedef gsize (*FuzzBytes) (guint8 *data, gsize size, gsize max_size);

/* The same for a serialized ModelProto; what is none is given to @bytes, as are
 * the contents of tensors. The same @seed makes the same change. */
gsize fuzz_mutate (guint8 *data, gsize size, gsize max_size, guint32 seed,
    FuzzBytes bytes);
/* Nodes and weights of @other put into the model at @data. */
gsize fuzz_cross (const guint8 *data, gsize size, const guint8 *other,
    gsize other_size, guint8 *out, gsize max_size, guint32 seed);
