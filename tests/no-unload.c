/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every test executable takes along in a sanitizer build: nothing is unloaded. A
 * report names the functions of a driver, and suppressions can tell them from ours. */
#include <dlfcn.h>

__attribute__ ((visibility ("default"))) int
dlclose (void *handle)
{
  return 0;
}
