/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clocks and medians for commands that measure. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

double tool_wall_seconds (void); /* from some moment on */
double tool_cpu_seconds (void); /* of the whole process */
/* Sorts @values. */
double tool_median (double *values, guint n);

G_END_DECLS
