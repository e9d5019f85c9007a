#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# check-models.sh FOVEA SHARED OPTIONS... FOLDERS...: `fovea check` on the folders
# below SHARED; exits 77 where it is absent.
fovea=$(realpath "$1") shared=$2
shift 2
if [ ! -d "$shared/zoo" ]; then
  echo "$shared is absent: skipped"
  exit 77
fi
cd "$shared" || exit 1
exec "$fovea" check "$@"
