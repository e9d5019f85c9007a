#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# debian13.sh [FOLDER] [--short | --nodes | --tune] [--write]: builds Fovea in a Debian
# 13 folder beside this machine, and runs the tests and the node tests of its onnx there.
# debootstrap makes the folder once; it is kept, with its build: in FOLDER, or else
# $FOVEA_DEBIAN13, or else the user's cache. --short runs the tests alone that meet
# what differs there (meson's suite "newer"), --nodes the node tests alone; --write
# puts their counts into docs/operators.md. --tune compares the tuner with a sweep in
# place of all tests, which --write puts into docs/tuning.md.
# Skips aloud, with status 77, without root, debootstrap or a network.
set -u

folder=${FOVEA_DEBIAN13:-${XDG_CACHE_HOME:-$HOME/.cache}/fovea/debian13}
write='' tests=all nodes=yes
for option in "$@"; do
  case $option in
    --write) write=--write ;;
    --nodes) tests=none ;;
    --short) tests=short nodes=no ;;
    --tune) tests=tune nodes=no ;;
    -*)
      echo "usage: tests/debian13.sh [FOLDER] [--short | --nodes | --tune] [--write]"
      exit 2
      ;;
    *) folder=$option ;;
  esac
done

skip () {
  echo "skipped: $*"
  exit 77
}

[ "$(id -u)" = 0 ] || skip 'only root can make and enter a Debian 13 folder'
cd "$(dirname "$0")/.." || exit 1
. pipelines/packages.sh
install_optional debootstrap
command -v debootstrap >/dev/null || skip 'there is no debootstrap'
# In a namespace of its own the mounts below end with this script.
if [ -z "${FOVEA_NAMESPACE:-}" ]; then
  unshare --mount true 2>/dev/null || skip 'this machine allows no mounts'
  FOVEA_NAMESPACE=1 exec unshare --mount sh tests/debian13.sh "$@"
fi

source=$PWD
mkdir -p "$(dirname "$folder")" || exit 1
log=$folder.log
# etc/fovea stands for a folder that is whole
if ! [ -e "$folder/etc/fovea" ]; then
  rm -rf "$folder.part"
  debootstrap --variant=minbase trixie "$folder.part" >"$log" 2>&1 \
    || skip "no Debian 13 folder could be made (debootstrap), $log says why"
  touch "$folder.part/etc/fovea"
  mv -T "$folder.part" "$folder" || exit 1
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
    CCACHE_DIR=/srv/ccache chroot "$folder" sh -euc "cd /srv/fovea; $1"
}

# What trains nets is large.
more='install_optional $packages_train'
[ $tests = all ] || [ $tests = none ] || more=
# meson finds ccache: a new checkout compiles what is new. dpkg may have been stopped.
# shellcheck disable=SC2016
enter 'dpkg --configure -a
  . pipelines/packages.sh
  install_packages $packages_build $packages_run $packages_test $packages_newer ccache
  '"$more" >>"$log" 2>&1 \
  || skip "packages could not be installed in the Debian 13 folder, $log says why"
enter 'meson setup /srv/build . >/srv/build.log || meson setup --reconfigure /srv/build . \
    >/srv/build.log
  ninja -C /srv/build >>/srv/build.log' || {
  tail -n 40 "$folder/srv/build.log"
  echo 'building failed'
  exit 1
}
if [ $tests = tune ]; then
  enter "python3 tests/bench/tuning.py --fovea /srv/build/gst/tools/fovea \
    --part debian13 ${write:+--write docs/tuning.md}"
  exit
fi
status=0
suite=
[ $tests = all ] || suite='--suite newer'
[ $tests = none ] \
  || enter "meson test -C /srv/build --print-errorlogs --num-processes 2 $suite" \
  || status=1
[ $nodes = no ] \
  || enter "python3 tests/onnx-node-tests.py /srv/build/gst/tools/fovea \
  tests/onnx-node-tests.txt docs/operators.md $write" || status=1
exit $status
