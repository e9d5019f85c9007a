/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/card/card.h"

G_BEGIN_DECLS

/* Reads an image file and brings it into the card's input: size, letterbox or
 * crop, channels, mean and standard deviation, layout. F32. @card: as with
 * fv_card_choose_size() done. @shape: of the input. */
FvArray *image_load (const char *path, const FvCardInput *input,
    const FvShape *shape, GError **error);
/* The size in the file, without decoding it. */
gboolean
image_size (const char *path, guint *width, guint *height, GError **error);

G_END_DECLS
