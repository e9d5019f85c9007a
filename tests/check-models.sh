#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# check-models.sh FOVEA SHARED OPTIONS... PATTERNS...: `fovea check` on the folders
# below SHARED that the patterns name; -PATTERN leaves some out. Exits 77 where
# SHARED is absent.
fovea=$(realpath "$1") shared=$2
shift 2
if [ ! -d "$shared/zoo" ]; then
  echo "$shared is absent: skipped"
  exit 77
fi
cd "$shared" || exit 1
options='' folders='' without=''
while [ $# -gt 0 ]; do
  case $1 in
    --*) options="$options $1 $2"; shift ;;
    -*) without="$without ${1#-}" ;;
    *) folders="$folders $1" ;;
  esac
  shift
done
chosen=''
for folder in $folders; do
  keep=yes
  for pattern in $without; do
    # shellcheck disable=SC2254
    case $folder in $pattern) keep= ;; esac
  done
  [ ! -d "$folder" ] || chosen="$chosen${keep:+ $folder}"
done
# shellcheck disable=SC2086
exec "$fovea" check $options $chosen
