/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What storms share: how often, whether memory stays flat, and that nothing stands
 * still. */
#pragma once

#include <glib.h>
#include "gst/engine/device.h"

G_BEGIN_DECLS

/* What a cycle makes of Vulkan's objects and destroys. */
typedef struct
{
  gboolean device; /* with an instance */
  guint pipelines, command_buffers, buffers;
} StormBare;

typedef struct
{
  const char *name;
  guint n_cycles, cycle;
  FvDevice *device; /* (nullable): whose memory is looked at */
  FvDeviceCounters before; /* of that device */
  StormBare bare; /* of one cycle; told where there is no device */
  GArray *resident; /* gint64: bytes, of every cycle that was looked at */
  guint64 most_early, most_late; /* bytes of device memory */
  double spread; /* share by which the most that is held at once may vary */
} Storm;

/* $FOVEA_STORM_CYCLES, else @otherwise; less by a fixed factor where one cycle is
 * worth several: never under 10. */
guint storm_cycles (guint otherwise, guint divisor);

/* @n where memory is judged, 0 where sanitizers or the validation layer keep it. */
guint storm_warm_up (guint n);

/* @device: (nullable): kept until storm_end() */
void
storm_begin (Storm *storm, const char *name, guint n_cycles, FvDevice *device);
/* A cycle is over: the watchdog begins anew. */
void storm_step (Storm *storm);
/* The same, and all is quiet: memory must be as it was before. */
void storm_look (Storm *storm);
/* Fails where memory grew by more than bare Vulkan calls make it grow. */
void storm_end (Storm *storm);
/* Behind one that failed. */
void storm_forget (void);

/* The bytes that all of this process holds in memory, what was freed aside. */
gint64 storm_resident (void);
/* How much more of it there is between the early part of @n_cycles and the late
 * part; @samples: of gint64, one for each cycle that was looked at. */
gint64 storm_growth (GArray *samples);

/* storm-bare.c: the growth of @n_cycles cycles of plain Vulkan calls. */
gint64 storm_bare_growth (const StormBare *bare, guint n_cycles);

G_END_DECLS
