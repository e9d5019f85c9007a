/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests of kernels share. */
#pragma once

#include <check.h>
#include "gst/engine/device.h"

G_BEGIN_DECLS

extern const char *const device_test_tiers[2];
/* (transfer full) The first device, its kernels of that tier. */
FvDevice *device_test_open (guint tier);
/* (transfer none) The same; open until device_test_close(). */
FvDevice *device_test_get (guint tier);
void device_test_close (void);

/* Runs the suite in one process, so that what a device compiled for one test serves
 * the others; what main() returns: 77, said aloud, where there is no device. */
int device_test_run (Suite *suite);

G_END_DECLS
