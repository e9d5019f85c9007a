#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# debian13.sh [FOLDER] [--write]: builds Fovea in a Debian 13 folder beside this
# machine, and runs the tests and the node tests of its onnx there. debootstrap makes
# the folder once; it is kept, with its build. --write puts the counts of the node
# tests into docs/operators.md; --nodes leaves the other tests out.
# Skips aloud, with status 77, without root, debootstrap or a network.
set -u

folder=${XDG_CACHE_HOME:-$HOME/.cache}/fovea/debian13 write='' tests=yes
for option in "$@"; do
  case $option in
    --write) write=--write ;;
    --nodes) tests=no ;;
    -*) echo "usage: tests/debian13.sh [FOLDER] [--write] [--nodes]"; exit 2 ;;
    *) folder=$option ;;
  esac
done

skip () {
  echo "skipped: $*"
  exit 77
}

[ "$(id -u)" = 0 ] || skip 'only root can make and enter a Debian 13 folder'
command -v debootstrap >/dev/null || skip 'there is no debootstrap'
# In a namespace of its own the mounts below end with this script.
if [ -z "${FOVEA_DEBIAN13:-}" ]; then
  unshare --mount true 2>/dev/null || skip 'this machine allows no mounts'
  FOVEA_DEBIAN13=1 exec unshare --mount sh "$0" "$@"
fi

cd "$(dirname "$0")/.." || exit 1
source=$PWD
mkdir -p "$folder" || exit 1
log=$folder.log
if ! [ -e "$folder/etc/fovea" ]; then
  debootstrap --variant=minbase trixie "$folder" >"$log" 2>&1 \
    || skip "debootstrap failed, $log says why"
  touch "$folder/etc/fovea"
fi
mkdir -p "$folder/srv/fovea" "$folder/srv/shared"
for mounted in proc dev; do
  mount --rbind "/$mounted" "$folder/$mounted" || exit 1
done
mount --bind "$source" "$folder/srv/fovea" || exit 1
[ ! -d ../shared ] || mount --bind -o ro ../shared "$folder/srv/shared" || exit 1
cp /etc/resolv.conf "$folder/etc/" 2>/dev/null

enter () {
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    chroot "$folder" sh -euc "cd /srv/fovea; $1"
}

# shellcheck disable=SC2016
enter '. pipelines/packages.sh
  install_packages $packages_build $packages_run $packages_test $packages_newer
  install_optional $packages_train' >>"$log" 2>&1 \
  || skip "packages could not be installed, $log says why"
enter 'meson setup /srv/build . >/srv/build.log || meson setup --reconfigure /srv/build . \
    >/srv/build.log
  ninja -C /srv/build >>/srv/build.log' || {
  tail -n 40 "$folder/srv/build.log"
  echo 'building failed'
  exit 1
}
status=0
[ $tests = no ] || enter 'meson test -C /srv/build --print-errorlogs --num-processes 2' \
  || status=1
enter "python3 tests/onnx-node-tests.py /srv/build/gst/tools/fovea \
  tests/onnx-node-tests.txt docs/operators.md $write" || status=1
exit $status
