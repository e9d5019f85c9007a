#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# test-headers.sh BUILD-FOLDER: every installed header compiles alone, as C and as
# C++, from the folder that it is installed to.
set -u
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
DESTDIR=$scratch meson install -C "$1" --no-rebuild --quiet || exit 1
include=$(find "$scratch" -type d -name 'fovea-1.0' -path '*include*' | head -n 1)
flags="-I$include -Wall -Werror -fsyntax-only $(pkg-config --cflags \
  vulkan gobject-2.0 gstreamer-video-1.0)"
failed=0 n=0
for header in $(cd "$include" && find gst -name '*.h'); do
  for language in c c++; do
    n=$((n + 1))
    # shellcheck disable=SC2086
    echo "#include \"$header\"" | ${CC:-cc} -x $language $flags - || failed=$((failed + 1))
  done
done
echo "$n compiled, $failed failed"
[ $failed = 0 ] && [ $n -gt 0 ]
