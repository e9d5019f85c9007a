/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/device-test.h"

#include <stdlib.h>

const char *const device_test_tiers[2] = { "subgroup", "workgroup" };
static FvDevice *devices[2];

FvDevice *
device_test_open (guint tier)
{
  g_autoptr (GError) error = NULL;
  FvDevice *device;

  g_setenv ("FOVEA_TIER", device_test_tiers[tier], TRUE);
  device = fv_device_open (NULL, &error);
  ck_assert_msg (device != NULL, "%s", error ? error->message : "no error");
  return device;
}

FvDevice *
device_test_get (guint tier)
{
  if (devices[tier] == NULL)
    devices[tier] = device_test_open (tier);
  return devices[tier];
}

void
device_test_close (void)
{
  fv_device_unref (g_steal_pointer (&devices[0]));
  fv_device_unref (g_steal_pointer (&devices[1]));
}

int
device_test_run (Suite *suite)
{
  g_autoptr (FvDevice) device = fv_device_open (NULL, NULL);
  SRunner *runner;
  int failed;

  if (device == NULL) {
    g_printerr ("no Vulkan device: skipped\n");
    return 77;
  }
  runner = srunner_create (suite);
  srunner_set_fork_status (runner, CK_NOFORK);
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  device_test_close ();
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
