/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Work of a device that others need not wait behind. The driver's queue is worked
 * off in order; so what is long stays here, in parts, and is given to the driver
 * little by little, and what is submitted meanwhile comes in between. */
#pragma once

#include "gst/engine/device-private.h"

G_BEGIN_DECLS

/* A part is to take no longer where it can be cut. */
#define FV_PART_SECONDS 0.008

typedef struct _FvBackground FvBackground;

/* A command buffer, and what it takes; not known: 0. */
typedef struct
{
  VkCommandBuffer buffer;
  double seconds;
} FvPiece;

/* Belongs to @device, whose queue_lock it takes. */
FvBackground *fv_background_new (FvDevice *device, GError **error);
void fv_background_free (FvBackground *background); /* %NULL is fine */

/* In order, behind all that is in the background by now. The driver gets it from
 * whoever waits for anything here: somebody has to. On failure, nothing of it is on
 * the device. @value: (out): for the two below, from 1 on. */
gboolean fv_background_submit (FvBackground *background, const FvPiece *pieces,
    guint n, guint64 *value, GError **error);
/* As fv_device_wait() */
gboolean fv_background_wait (FvBackground *background, guint64 value,
    guint64 timeout_ns, GError **error);
gboolean fv_background_is_done (FvBackground *background, guint64 value);
/* How far the device has come; *@given: (out): how far it has to come, of what the
 * driver has. */
guint64 fv_background_reached (FvBackground *background, guint64 *given);

G_END_DECLS
