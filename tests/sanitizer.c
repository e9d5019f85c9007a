/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every test executable takes along in a build with AddressSanitizer. */
#include <sanitizer/lsan_interface.h>

/* What the libraries' constructors take is theirs for good. GLib's drops its
 * table of quarks once there are more than 2048, as with GStreamer, since readers
 * without a lock may still hold it; the report would name g_malloc() alone. */
static void
before_constructors (void)
{
  __lsan_disable ();
}
__attribute__ ((section (".preinit_array"), used)) static void (*const before) (
    void) = before_constructors;

__attribute__ ((constructor)) static void
after_constructors (void)
{
  __lsan_enable ();
}
