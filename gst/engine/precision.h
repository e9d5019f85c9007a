/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/engine/plan.h"

/* Marks the values of @ir that would overflow f16 as wide (kept in f32): all
 * tensors are looked at once, on synthetic input, with everything in f32. */
gboolean fv_precision_promote (FvDevice *device, FvIr *ir,
    const FvGraphOptions *options, GError **error);
