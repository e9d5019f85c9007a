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

/* What the driver can be given without the rest. */
typedef struct
{
  VkCommandBuffer buffer;
  guint first, end; /* commands */
  double seconds; /* that it takes; not known yet: less than 0 */
} FvProgramPart;

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
  GArray *parts; /* FvProgramPart, in order */
  VkDescriptorPool descriptors;
  GArray *views; /* VkBufferView */
  VkQueryPool queries; /* two timestamps a dispatch */

  GMutex lock;
  /* Of the newest submit, and of the newest to the background; 0: none. Under
   * the lock. */
  guint64 last_value, last_background;
};

/* Adds one workgroup of each pipeline of @program, which is finished, to @sample. */
void fv_program_sample (FvProgram *program, FvProgram *sample);

/* FV_ERROR_TOO_LARGE or FV_ERROR_INVALID, naming the dispatch. */
gboolean fv_dispatch_check (FvDevice *device, const FvDispatch *dispatch,
    GError **error);

/* Descriptors, then the command buffers; pipelines are already there. */
gboolean fv_program_record (FvProgram *program, GError **error);

/* Records @program, which is finished, anew in parts that take no longer than @most
 * each where it can be cut. @seconds: of each dispatch. Nothing of it is on the
 * device. */
gboolean fv_program_divide (FvProgram *program, const double *seconds,
    double most, GError **error);

G_END_DECLS
