/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pipelines of one device, shared by all programs on it. */
#pragma once

#include "gst/engine/device-private.h"
#include "gst/engine/program.h"
#include "gst/engine/spirv.h"

G_BEGIN_DECLS

#define FV_MAX_TEXEL 16 /* bytes */
#define FV_DEFAULT_LOCAL 64 /* FV_SPEC_LOCAL where the caller sets none */

/* A pipeline and the layouts it was made with; owned by the FvKernels. */
typedef struct
{
  VkDescriptorSetLayout set_layout;
  VkPipelineLayout layout;
  VkPipeline pipeline;
} FvKernel;

FvKernels *fv_kernels_new (FvDevice *device, GError **error);
void fv_kernels_free (FvKernels *kernels); /* %NULL is fine */

/* The pipelines for the dispatches' kernels, specialization constants and binding
 * kinds; those that there are not yet are made, side by side. May be called from any
 * thread. @found: (out): one per dispatch. Errors name the dispatch. */
gboolean
fv_kernels_get (FvKernels *kernels, const FvDispatch *const *dispatches,
    guint n, const FvKernel **found, GError **error);
/* Leaves what the driver made of them to programs to come, see cache-private.h. */
void fv_kernels_store (FvKernels *kernels);

/* pipelines.c: with what an earlier program stored */
gboolean
fv_pipelines_load (FvDevice *device, VkPipelineCache *cache, GError **error);
void fv_pipelines_store (FvDevice *device, VkPipelineCache cache);

/* How a binding is described to Vulkan. */
VkDescriptorType fv_bind_descriptor (FvTier tier, FvBindKind kind);
gboolean fv_bind_is_write (FvBindKind kind);
/* Of the texel kinds: the view's format and its bytes per texel. */
VkFormat fv_bind_format (const FvBinding *binding, gsize *texel);

/* The bytes of a texel view over @size bytes of data, a few of which are then not
 * data. Mesa's software driver compiles a kernel anew where bits 8 to 15 of them
 * are all 0 (it takes them for a last mip level): here they never are. */
gsize fv_view_range (gsize size);

/* The value of a specialization constant, or @otherwise. */
guint32
fv_dispatch_get_spec (const FvDispatch *dispatch, guint id, guint32 otherwise);

/* A number that changes with any kernel of this build. */
guint64 fv_spirv_digest (void);

/* Specialization constants of a pipeline, sorted by id: the dispatch's, and what it
 * need not say (local size, how floats are stored). */
typedef struct
{
  guint n;
  guint32 id[FV_MAX_SPEC + FV_MAX_BINDINGS + 1];
  guint32 value[FV_MAX_SPEC + FV_MAX_BINDINGS + 1];
} FvConstants;

void fv_dispatch_constants (const FvDispatch *dispatch, FvConstants *constants);

/* specialize.c: the words of @spirv with @constants (and defaults for others) set
 * for good, and without the branches that are never taken then. */
GArray *
fv_spirv_specialize (const FvSpirv *spirv, const FvConstants *constants);

/* Shared memory of a workgroup of what fv_spirv_specialize() made. */
guint64 fv_spirv_shared_bytes (const GArray *code);

/* Further modules, for tests: looked up before fv_spirv_table. */
extern const FvSpirv *fv_spirv_extra;

G_END_DECLS
