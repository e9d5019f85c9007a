/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models that have names, types and shapes alone: what a card looks at. */
#pragma once

#include "gst/onnx/model.h"

G_BEGIN_DECLS

/* @inputs, @outputs: "images=f32[1,3,?,416] masks=u8[1,8,8]<Sigmoid", separated by
 * blanks; '?' is a free size, "[]" an unknown rank, '<' names the operator behind
 * an output. @metadata: (nullable): key, value, ..., NULL. */
FvModel *card_maker_model (const char *inputs, const char *outputs,
    const char *const *metadata);
void card_maker_free (FvModel *model);

G_END_DECLS
