/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/engine/device.h"
#include "gst/onnx/array.h"

G_BEGIN_DECLS

typedef enum
{
  FV_MEMORY_DEVICE, /* fast for kernels; mapped only where that is free */
  FV_MEMORY_UPLOAD, /* mapped, written by the host */
  FV_MEMORY_DOWNLOAD, /* mapped and cached, read by the host */
} FvMemoryUse;

/**
 * FvBuffer:
 *
 * A VkBuffer with its own memory, usable as storage, texel and copy
 * source and target.
 *
 * Life:    new, ref, unref. The device is kept alive.
 * Memory:  zero-filled by the caller if needed; fv_buffer_map() gives a pointer
 *          that stays valid (NULL where not host-visible). Host-coherent always.
 * Threads: ref and unref anywhere; the caller orders access by the timeline.
 * Errors:  FV_ERROR_TOO_LARGE, FV_ERROR_DEVICE.
 */
typedef struct _FvBuffer FvBuffer;
#define FV_TYPE_BUFFER (fv_buffer_get_type ())
FV_API GType fv_buffer_get_type (void);
FV_API FvBuffer *
fv_buffer_new (FvDevice *device, gsize size, FvMemoryUse use, GError **error);
FV_API FvBuffer *fv_buffer_ref (FvBuffer *buffer);
FV_API void fv_buffer_unref (FvBuffer *buffer); /* %NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FvBuffer, fv_buffer_unref)
FV_API gpointer fv_buffer_map (FvBuffer *buffer); /* (nullable) */
FV_API gsize fv_buffer_size (FvBuffer *buffer);
FV_API FvDevice *fv_buffer_device (FvBuffer *buffer); /* (transfer none) */

/* How a kernel sees a binding. FV_BIND_FLOATS is what tensors use: read through
 * a texel view (RGBA32F or RGBA16F) in the subgroup tier and through a storage
 * buffer in the workgroup tier, see FV_IN in shaders/fv.glsl. */
typedef enum
{
  FV_BIND_FLOATS_READ, /* FV_IN: vec4 units, f32 or f16 as @type says */
  FV_BIND_FLOATS_WRITE, /* FV_OUT: storage buffer, may also be read */
  FV_BIND_RAW_READ, /* storage buffer of any layout */
  FV_BIND_RAW_WRITE,
  FV_BIND_BYTES_READ, /* uniform usamplerBuffer, R8_UINT */
  FV_BIND_RGBA8_READ, /* uniform usamplerBuffer, RGBA8_UINT */
} FvBindKind;

typedef struct
{
  FvBuffer *buffer;
  gsize offset, size; /* bytes; offset a multiple of 256 */
  FvBindKind kind;
  FvType type; /* FV_TYPE_F32 or FV_TYPE_F16 for the FLOATS kinds */
} FvBinding;

#define FV_MAX_BINDINGS 10
#define FV_MAX_SPEC 96

/* One dispatch, as a plain value. Specialization constants: set by
 * fv_dispatch_spec(); ids as in shaders/shared.h; FV_SPEC_TYPES are filled in
 * from the bindings. */
typedef struct
{
  const char *kernel; /* stem of the shader: "conv" */
  const char *label; /* (nullable) node names, for dumps; copied */
  const char *tile; /* (nullable) for dumps: "8x32"; copied */
  const char *tile_from; /* (nullable) who said so, if not a guess: "tuned" */
  guint n_spec;
  guint32 spec_id[FV_MAX_SPEC];
  guint32 spec[FV_MAX_SPEC];
  guint push_size; /* bytes, at most 128 */
  guint8 push[128];
  guint n_bindings;
  FvBinding bindings[FV_MAX_BINDINGS]; /* binding i of set 0 */
  guint groups[3];
  guint64 flops, bytes; /* estimates, for dumps and rooflines */
} FvDispatch;

FV_API void fv_dispatch_spec (FvDispatch *dispatch, guint id, gint32 value);
FV_API void
fv_dispatch_spec_float (FvDispatch *dispatch, guint id, float value);
FV_API void
fv_dispatch_push (FvDispatch *dispatch, gconstpointer data, gsize size);
/* The next binding: @size bytes of @buffer from @offset on. */
FV_API void fv_dispatch_bind (FvDispatch *dispatch, FvBuffer *buffer,
    gsize offset, gsize size, FvBindKind kind, FvType type);

/**
 * FvProgram:
 *
 * A fixed list of dispatches and copies, recorded once, submitted
 * once per frame.
 *
 * Life:    fv_program_new(); add dispatches and copies in order;
 *          fv_program_finish() makes pipelines and descriptors and records;
 *          then submit any number of times; ref and unref. Unref waits for the
 *          last submit.
 * Memory:  keeps a reference to every buffer bound.
 * Sync:    a barrier is recorded only where byte ranges overlap with writes not
 *          yet made visible; all earlier work of the queue and all host writes
 *          made before the submit are visible, and what the program writes is
 *          visible to later programs and, after fv_device_wait(), to the host.
 *          Work in the background is ordered by waiting for it alone.
 * Threads: building is single-threaded; submits are ordered by the queue.
 * Errors:  FV_ERROR_DEVICE, FV_ERROR_TOO_LARGE (device limits, named).
 */
typedef struct _FvProgram FvProgram;
#define FV_TYPE_PROGRAM (fv_program_get_type ())
FV_API GType fv_program_get_type (void);
FV_API FvProgram *fv_program_new (FvDevice *device);
FV_API FvProgram *fv_program_ref (FvProgram *program);
FV_API void fv_program_unref (FvProgram *program); /* %NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FvProgram, fv_program_unref)

FV_API void
fv_program_dispatch (FvProgram *program, const FvDispatch *dispatch);
FV_API void fv_program_copy (FvProgram *program, FvBuffer *source,
    gsize source_offset, FvBuffer *target, gsize target_offset, gsize size);
FV_API void fv_program_fill (FvProgram *program, FvBuffer *target, gsize offset,
    gsize size, guint32 value);
FV_API gboolean fv_program_finish (FvProgram *program, GError **error);

/* Submits @n programs in order as one batch. @value: (out): what
 * fv_device_wait() takes. */
FV_API gboolean fv_program_submit (FvProgram *const *programs, guint n,
    guint64 *value, GError **error);

/* As that, for work that others need not wait behind, in parts where it was measured
 * to be long: what fv_program_submit() submits meanwhile comes in between, and what is
 * submitted by this stays in order. Somebody has to wait for it, on which it comes
 * to the device. */
FV_API gboolean fv_program_submit_background (FvProgram *const *programs,
    guint n, guint64 *value, GError **error);

/* Per-dispatch times of the last finished submit; call before finish. */
FV_API void fv_program_enable_timing (FvProgram *program);
/* (nullable) seconds of dispatch @i on the device; -1 without timing */
FV_API double fv_program_seconds (FvProgram *program, guint i);
FV_API guint fv_program_n_dispatches (FvProgram *program);
FV_API const FvDispatch *fv_program_get (FvProgram *program, guint i);
/* Barriers between commands; the one at either end does not count. */
FV_API guint fv_program_n_barriers (FvProgram *program);
/* Distinct pipelines among the dispatches of a finished program. */
FV_API guint fv_program_n_pipelines (FvProgram *program);

G_END_DECLS
