/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many threads lavapipe runs on. */
#include "gst/engine/device.h"

/* Mesa's llvmpipe, src/gallium/drivers/llvmpipe/lp_screen.c. */
#define VARIABLE "LP_NUM_THREADS"

/* setenv() while another thread reads the environment is undefined. */
static gboolean
is_single_threaded (void)
{
  g_autoptr (GDir) tasks = g_dir_open ("/proc/self/task", 0, NULL);
  guint n = 0;
  while (tasks && g_dir_read_name (tasks))
    n++;
  return n == 1;
}

void
fv_device_prepare (void)
{
  if (g_getenv (VARIABLE) || !is_single_threaded ())
    return;
  char number[16];
  g_snprintf (number, sizeof number, "%u", 2 * g_get_num_processors ());
  g_setenv (VARIABLE, number, FALSE);
}
