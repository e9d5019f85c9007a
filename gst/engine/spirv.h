/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <stdint.h> /* the compiled kernels say uint32_t */

/* A kernel as embedded by the build. */
typedef struct
{
  const char *name; /* stem and tier: "conv_subgroup", "conv_workgroup" */
  const guint32 *code;
  gsize size; /* bytes */
} FvSpirv;

extern const FvSpirv fv_spirv_table[]; /* ends with an empty one */
