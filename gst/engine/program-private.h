/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program's command list, between building (program.c), checking (limits.c)
 * and recording (record.c). */
#pragma once

#include "gst/engine/kernel-private.h"
#include "gst/engine/buffer-private.h"

G_BEGIN_DECLS

typedef enum
{
  FV_COMMAND_DISPATCH,
  FV_COMMAND_COPY,
  FV_COMMAND_FILL,
} FvCommandKind;

typedef struct
{
  FvCommandKind kind;
  guint dispatch; /* index, of FV_COMMAND_DISPATCH */
  FvBuffer *source, *target; /* source of FV_COMMAND_COPY alone */
  gsize source_offset, target_offset, size;
  guint32 value; /* of FV_COMMAND_FILL */
} FvCommand;

/* A dispatch with what finish makes for it. */
typedef struct
{
  FvDispatch d; /* first: fv_program_get() hands it out */
  const FvKernel *kernel;
  VkDescriptorSet set;
} FvProgramDispatch;

struct _FvProgram
{
  gatomicrefcount ref;
  FvDevice *device;
  GArray *commands; /* FvCommand */
  GPtrArray *dispatches; /* FvProgramDispatch */
  GHashTable *buffers; /* FvBuffer, one reference each */
  GError *building; /* (nullable) first mistake, told by finish */
  gboolean is_finished, is_timed;
  guint n_barriers;

  VkCommandPool commands_pool;
  VkCommandBuffer recorded;
  VkDescriptorPool descriptors;
  GArray *views; /* VkBufferView */
  VkQueryPool queries; /* two timestamps a dispatch */

  GMutex lock;
  guint64 last_value; /* of the newest submit; 0: none. Under the lock */
};

/* Adds one workgroup of each pipeline of @program, which is finished, to @sample. */
void fv_program_sample (FvProgram *program, FvProgram *sample);

/* FV_ERROR_TOO_LARGE or FV_ERROR_INVALID, naming the dispatch. */
gboolean fv_dispatch_check (FvDevice *device, const FvDispatch *dispatch,
    GError **error);

/* Descriptors, then the command buffer; pipelines are already there. */
gboolean fv_program_record (FvProgram *program, GError **error);

G_END_DECLS
