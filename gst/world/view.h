/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures of the synthetic world and what is true of them, made on the device. */
#pragma once

#include "gst/engine/program.h"
#include "gst/world/world.h"

G_BEGIN_DECLS

/* How a picture is stored. */
typedef struct
{
  guint width, height; /* pixels */
  guint format; /* FV_WORLD_RGB ... FV_WORLD_I420 */
  gsize plane[3], stride[3]; /* bytes, multiples of 4 */
  gsize size; /* bytes */
  double matrix[3]
               [4]; /* first, second and third byte of R, G, B (0 to 1) and 1 */
} FvWorldPicture;

/* What is made of a frame. */
typedef enum
{
  FV_WORLD_PICTURE, /* as FvWorldPicture says */
  FV_WORLD_CLASS_MAP, /* bytes: FV_CLASS_* */
  FV_WORLD_INSTANCE_MAP, /* 16 bits: place among the frame's instances + 1 */
  FV_WORLD_DEPTH, /* floats: metres along the camera's axis; 0: the sky */
  FV_WORLD_OUTPUTS,
} FvWorldOutput;

/* What is seen of an instance. */
typedef struct
{
  guint whole; /* pixels that it would cover alone */
  guint pixels; /* pixels where it is in front */
  guint x, y, width, height; /* the box around those, pixels */
} FvWorldSeen;

/**
 * FvWorldView:
 *
 * A camera's film: one picture at a time. Several views, one per picture that is in
 * use somewhere, share what only lies between two kernels.
 *
 * Life:    fv_world_view_new(), then any number of fv_world_view_draw(), then
 *          fv_world_view_free(), which waits for the device.
 * Memory:  outputs lie in buffers of its own, which stay as they are until the next
 *          draw and may be kept longer by a reference.
 * Threads: one at a time.
 * Errors:  FV_ERROR_DEVICE, FV_ERROR_TOO_LARGE.
 */
typedef struct _FvWorldView FvWorldView;

/* @sibling: (nullable): a view of the same picture, whose scratch memory is shared */
FV_API FvWorldView *fv_world_view_new (FvDevice *device,
    const FvWorldPicture *picture, FvWorldView *sibling, GError **error);
FV_API void fv_world_view_free (FvWorldView *view); /* %NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FvWorldView, fv_world_view_free)
/* Submits the drawing of @frame; @number tells the noise of frames apart. @value:
 * (out): what fv_device_wait() takes. */
FV_API gboolean fv_world_view_draw (FvWorldView *view,
    const FvWorldFrame *frame, guint number, double frame_seconds,
    guint64 *value, GError **error);
/* (transfer none): the buffer that an output lies in, at @offset, rows @stride
 * bytes apart; of a picture, 0. */
FV_API FvBuffer *fv_world_view_output (FvWorldView *view, FvWorldOutput output,
    gsize *offset, gsize *size, gsize *stride);
/* Of instance @i of the frame that was drawn last, when the device is done. */
FV_API FvWorldSeen fv_world_view_seen (FvWorldView *view, guint i);

G_END_DECLS
